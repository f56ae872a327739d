"""redis/connection/batch.py: many commands at once, on a socket whose other end is scripted."""

import errno
import socket
import threading
from math import inf

import pytest

from redis.commands.spec import Special
from redis.connection.batch import KEPT, SMALL, Batch
from redis.connection.outcome import NotSent, Unknown
from redis.connection.parsers import HiredisParser, PythonParser
from redis.connection.wire import Keeper
from redis.exceptions import InvalidResponse, RedisError
from redis.protocol.errors import ErrorReply
from tests.conftest import needs_hiredis
from tests.connection.pair import meanwhile, read_exactly, wire

PING = b"*1\r\n$4\r\nPING\r\n"
AT_ONCE = Special(changes=False, wait=None, decode=True)


@pytest.fixture(params=[pytest.param(HiredisParser, marks=needs_hiredis), PythonParser], ids=["hiredis", "python"])
def parser_class(request):
    return request.param


@pytest.fixture(params=[2, 3])
def protocol(request):
    return request.param


@pytest.fixture
def wired(parser_class):
    with wire(parser_class=parser_class, socket_timeout=5) as both:
        yield both


def fail_after(connection, takes):
    """Let the socket take so many bytes and no more."""
    send = connection._send

    def send_some(data, flags):
        sent = send(data[:takes], flags)
        connection._sock.shutdown(socket.SHUT_WR)
        connection._send = send
        return sent

    if takes:
        connection._send = send_some
    else:
        connection._sock.shutdown(socket.SHUT_WR)


# Sending and reading


@pytest.mark.parametrize("speaks_resp3", [False, True])
def test_replies_come_back_in_order_and_error_lines_are_not_raised(wired, speaks_resp3):
    connection, peer = wired
    connection.speaks_resp3 = speaks_resp3
    peer.sendall(b"+one\r\n:2\r\n-ERR three\r\n$-1\r\n*2\r\n:5\r\n$1\r\nx\r\n")
    replies = Batch(connection, 5).run(5 * PING)
    assert peer.recv(1000) == 5 * PING
    assert replies[0:2] == [b"one", 2] and replies[3:] == [None, [5, b"x"]]
    assert replies[2].__class__ is ErrorReply and str(replies[2]) == "ERR three"
    assert connection.owed == 0


@pytest.mark.parametrize("speaks_resp3", [False, True])
def test_replies_in_single_bytes(wired, speaks_resp3):
    connection, peer = wired
    connection.speaks_resp3 = speaks_resp3

    def answer():
        read_exactly(peer, 3 * len(PING))
        for byte in b"$3\r\nabc\r\n-ERR no\r\n*1\r\n$0\r\n\r\n":
            peer.sendall(bytes([byte]))

    with meanwhile(answer):
        first, error, last = Batch(connection, 3).run(3 * PING)
    assert (first, str(error), last) == (b"abc", "ERR no", [b""])
    assert connection.owed == 0


def test_several_buffers_are_sent_in_their_order(wired):
    connection, peer = wired
    buffers = [b"a" * 10, memoryview(b"b" * 300_000), b"c"]
    seen = []

    def answer():
        seen.append(read_exactly(peer, 300_011))
        peer.sendall(b"+OK\r\n")

    with meanwhile(answer):
        assert Batch(connection, 1).run(buffers) == [b"OK"]
    assert seen == [b"a" * 10 + b"b" * 300_000 + b"c"]


def test_the_time_out_is_what_it_was_after_a_large_batch(wired):
    connection, peer = wired
    with meanwhile(lambda: (read_exactly(peer, 10 * SMALL), peer.sendall(b"+OK\r\n"))):
        Batch(connection, 1).run(b"x" * 10 * SMALL)
    assert connection._sock.gettimeout() is None, "the kernel's own time-out again, on a blocking socket"
    peer.sendall(b"+PONG\r\n")
    assert connection.call(PING) == b"PONG"


def test_a_peer_that_does_not_read_before_its_replies_are_read(wired):
    """Neither side waits for the other for ever: what comes in is read while the rest goes out."""
    connection, peer = wired
    value = b"v" * 50_000
    count = 100

    def answer():
        for _ in range(count):
            read_exactly(peer, len(value))
            peer.sendall(b"$50000\r\n%b\r\n" % value)

    with meanwhile(answer):
        assert Batch(connection, count).run(value * count) == [value] * count
    assert connection.owed == 0


def test_more_than_is_kept_is_read_singly(wired):
    connection, peer = wired
    value = b"v" * 10_000
    count = 3 * KEPT // len(value)

    def answer():
        read_exactly(peer, count * len(PING))
        peer.sendall(b"$10000\r\n%b\r\n" % value * count)

    batch = Batch(connection, count)
    with meanwhile(answer):
        assert batch.run(PING * count) == [value] * count
    assert batch.chunks == [] and not batch.early
    assert connection.owed == 0
    peer.sendall(b"+PONG\r\n")
    assert connection.call(PING) == b"PONG"


# The record


def test_a_connection_that_owes_takes_no_batch(wired):
    connection, _ = wired
    connection.owed = 1
    with pytest.raises(RedisError, match="in the middle of a command"):
        Batch(connection, 2).run(2 * PING)
    assert connection.owed == 1


def test_replies_are_owed_before_the_first_byte_leaves(wired):
    connection, _ = wired
    owed = []

    def send(data, flags):
        owed.append(connection.owed)
        raise KeyboardInterrupt

    connection._send = send
    with pytest.raises(KeyboardInterrupt):
        Batch(connection, 7).run(7 * PING)
    assert owed == [7] and connection.owed == 7


def test_a_batch_that_changes_the_connection_leaves_a_reply_owed(wired):
    connection, peer = wired
    peer.sendall(b"+OK\r\n+OK\r\n")
    assert Batch(connection, 2).run(2 * PING, changes=True) == [b"OK", b"OK"]
    assert connection.owed == 1


def test_a_connection_that_one_client_keeps_may_be_changed(wired):
    connection, peer = wired
    connection.kept = Keeper()
    peer.sendall(b"+OK\r\n+OK\r\n")
    Batch(connection, 2).run(2 * PING, changes=True)
    assert (connection.owed, connection.altered) == (0, True)


@pytest.mark.parametrize("extra", [b"+more\r\n", b"+mo"])
def test_more_than_was_asked_for(wired, extra):
    connection, peer = wired
    peer.sendall(b"+OK\r\n+OK\r\n" + extra)
    with pytest.raises(InvalidResponse, match="more than it was asked for"):
        Batch(connection, 2).run(2 * PING)
    assert connection.owed > 0


def test_more_than_was_asked_for_while_it_is_sent(wired):
    connection, peer = wired
    taken = threading.Semaphore(0)

    def answer():
        for _ in range(3):
            peer.sendall(b"+OK\r\n" * 2)
            taken.acquire(timeout=5)
        read_exactly(peer, 100 * SMALL)

    batch = Batch(connection, 2)
    read_ahead = batch._read_ahead
    batch._read_ahead = lambda: (read_ahead(), taken.release())
    with meanwhile(answer), pytest.raises(InvalidResponse, match="more than it was asked for"):
        batch.run(b"x" * 100 * SMALL)
    assert connection.owed > 0


def test_pushes_between_the_replies_are_dropped(parser_class):
    with wire(parser_class=parser_class) as (connection, peer):
        connection.speaks_resp3 = True
        push = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
        peer.sendall(push + b"+a\r\n" + push + push + b"+b\r\n" + push)
        assert Batch(connection, 2).run(2 * PING) == [b"a", b"b"]
        assert connection.owed == 0


# What fails


def test_not_sent_when_no_byte_left(wired):
    connection, _ = wired
    fail_after(connection, 0)
    for data in (PING, b"x" * 2 * SMALL, [b"x", b"y"]):
        with pytest.raises(NotSent):
            Batch(connection, 1).run(data)
        connection.owed = 0


@pytest.mark.parametrize("size", [1000, 3 * SMALL])
@pytest.mark.parametrize("atomic, verdict", [(False, Unknown), (True, NotSent)])
def test_a_part_was_sent(wired, size, atomic, verdict):
    connection, _ = wired
    fail_after(connection, 500)
    with pytest.raises(verdict) as caught:
        Batch(connection, 10, atomic=atomic).run(b"x" * size)
    assert caught.value.phase == "send" and isinstance(caught.value.__cause__, BrokenPipeError)
    assert connection.owed == 10


def test_all_of_a_transaction_was_sent_before_the_socket_failed(wired):
    connection, peer = wired
    send, size = connection._send, 3 * SMALL
    left = [size]

    def send_some(data, flags):
        sent = send(data, flags)
        left[0] -= sent
        if not left[0]:
            connection._sock.close()
        return sent

    connection._send = send_some
    with meanwhile(read_exactly, peer, size), pytest.raises(Unknown):
        Batch(connection, 1, atomic=True).run(b"x" * size)


def test_an_error_of_a_signal_handler_is_no_outcome(wired):
    connection, _ = wired

    def send(data, flags):
        raise OSError("raised by a handler")

    connection._send = send
    for data in (PING, b"x" * 2 * SMALL):
        with pytest.raises(OSError, match="by a handler"):
            Batch(connection, 1).run(data)
        connection.owed = 0


def test_nobody_reads_in_time(parser_class):
    with wire(parser_class=parser_class, socket_timeout=0.2) as (connection, _):
        with pytest.raises(Unknown) as caught:
            Batch(connection, 1).run(b"x" * 100 * SMALL)
        assert caught.value.timed_out


def test_a_socket_that_another_thread_has_closed(wired):
    connection, _ = wired
    connection._sock.close()
    for data in (PING, b"x" * 2 * SMALL):
        with pytest.raises(NotSent) as caught:
            Batch(connection, 1).run(data)
        assert caught.value.__cause__.errno == errno.EBADF
        connection.owed = 0


# What had come


@pytest.mark.parametrize("speaks_resp3", [False, True])
@pytest.mark.parametrize("come", [b"+a\r\n:2\r\n", b"+a\r\n:2\r\n$5\r\nab", b"+a\r\n:2\r\n*2\r\n:1\r\n"])
def test_what_had_come_when_the_connection_was_lost(wired, come, speaks_resp3):
    connection, peer = wired
    connection.speaks_resp3 = speaks_resp3
    peer.sendall(come)
    peer.shutdown(socket.SHUT_WR)
    batch = Batch(connection, 5)
    with pytest.raises(Unknown):
        batch.run(5 * PING)
    assert batch.salvage() == [b"a", 2]
    assert connection.owed == 5


def test_what_had_come_while_it_was_sent(wired):
    connection, peer = wired

    def answer():
        peer.sendall(b"+a\r\n+b\r\n")
        read_exactly(peer, SMALL)
        peer.close()

    batch = Batch(connection, 10)
    with meanwhile(answer), pytest.raises(Unknown):
        batch.run(b"x" * 100 * SMALL)
    assert batch.salvage() == [b"a", b"b"]


def test_what_had_come_of_more_than_is_kept(wired):
    connection, peer = wired
    value, count = b"v" * 10_000, 3 * KEPT // 10_000

    def answer():
        read_exactly(peer, count * len(PING))
        peer.sendall(b"$10000\r\n%b\r\n" % value * (count - 1) + b"$10000\r\nvvv")
        peer.close()

    batch = Batch(connection, count)
    with meanwhile(answer), pytest.raises(Unknown):
        batch.run(PING * count)
    assert batch.salvage() == [value] * (count - 1)


def test_what_had_come_before_bytes_that_do_not_decode(parser_class):
    with wire(parser_class=parser_class, decode_responses=True) as (connection, peer):
        peer.sendall(b"+a\r\n$1\r\n\xff\r\n+c\r\n")
        batch = Batch(connection, 3)
        with pytest.raises(UnicodeDecodeError):
            batch.run(3 * PING)
        assert batch.salvage() == ["a"]
        assert connection.owed == 3


def test_nothing_had_come_when_nothing_was_sent(wired):
    connection, _ = wired
    fail_after(connection, 0)
    batch = Batch(connection, 3)
    with pytest.raises(NotSent):
        batch.run(3 * PING)
    assert batch.salvage() == []


# What is special


def test_a_reply_that_is_no_text(parser_class):
    with wire(parser_class=parser_class, decode_responses=True) as (connection, peer):
        peer.sendall(b"$1\r\na\r\n$1\r\n\xff\r\n$1\r\nc\r\n")
        specials = [AT_ONCE, AT_ONCE._replace(decode=False), AT_ONCE]
        assert Batch(connection, 3, specials).run(3 * PING) == ["a", b"\xff", "c"]


class Clock:
    """Notes the time-outs that are set, and sets them."""

    def __init__(self, timeouts):
        self.timeouts, self.seconds = timeouts, []

    def set(self, sock, seconds):
        self.seconds.append(seconds)
        self.timeouts.set(sock, seconds)


def test_each_reply_has_the_time_of_its_command(wired):
    connection, peer = wired
    connection._timeouts = clock = Clock(connection._timeouts)
    peer.sendall(b"+a\r\n+b\r\n+c\r\n+d\r\n")
    specials = [AT_ONCE, AT_ONCE._replace(wait=7), AT_ONCE, AT_ONCE._replace(wait=inf)]
    assert Batch(connection, 4, specials).run(4 * PING) == [b"a", b"b", b"c", b"d"]
    assert clock.seconds == [12, 5, inf, 5]


def test_without_a_time_out_a_wait_changes_nothing(parser_class):
    with wire(parser_class=parser_class) as (connection, peer):
        connection._timeouts = clock = Clock(connection._timeouts)
        peer.sendall(b"+a\r\n")
        assert Batch(connection, 1, [AT_ONCE._replace(wait=7)]).run(PING) == [b"a"]
        assert clock.seconds == []


@pytest.mark.parametrize(
    "timeout, waits, milliseconds", [(2, [], 2000), (2, [1, 3], 6000), (2, [inf], None), (None, [1], None)]
)
def test_how_long_nothing_may_move_while_it_is_sent(parser_class, timeout, waits, milliseconds):
    with wire(parser_class=parser_class, socket_timeout=timeout) as (connection, _):
        specials = [AT_ONCE, *(AT_ONCE._replace(wait=wait) for wait in waits)]
        assert Batch(connection, len(specials), specials)._patience() == milliseconds
