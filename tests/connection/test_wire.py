"""redis/connection/wire.py: one command and its reply, on a socket whose other end is scripted."""

import contextlib
import errno
import fcntl
import socket
import struct
import termios
import time
from math import inf

import pytest

from redis.client import StrictRedis
from redis.connection.outcome import NotSent, Unknown
from redis.connection.parsers import LARGE_REPLY, HiredisParser, PythonParser
from redis.connection.timeouts import KernelTimeouts
from redis.connection.wire import NEVER, Keeper
from redis.exceptions import InvalidResponse, RedisError
from redis.protocol.errors import ErrorReply
from tests.conftest import needs_hiredis
from tests.connection.pair import WiredConnection, meanwhile, read_exactly, wire
from tests.faults.fakenode import FakeNode, raw, twice

GET = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"


@pytest.fixture(params=[pytest.param(HiredisParser, marks=needs_hiredis), PythonParser], ids=["hiredis", "python"])
def parser_class(request):
    return request.param


@pytest.fixture
def wired(parser_class):
    with wire(parser_class=parser_class, socket_timeout=5) as both:
        yield both


def bulk(value):
    return b"$%d\r\n%b\r\n" % (len(value), value)


def pieces(peer, *chunks):
    """Answer the command in pieces that are read one by one: each is sent when the last one has been taken."""
    read_exactly(peer, len(GET))
    for chunk in chunks:
        peer.sendall(chunk)
        while peer_is_behind(peer):
            time.sleep(0)  # whoever shall read it may be a greenlet


def peer_is_behind(peer):
    """Whether what was sent has not been read yet: SIOCOUTQ of a Unix socket counts it."""
    return struct.unpack("i", fcntl.ioctl(peer, termios.TIOCOUTQ, b"\0\0\0\0"))[0] > 0


# The state


def test_a_new_connection_has_no_socket_and_owes_nothing():
    connection = WiredConnection()
    assert (connection._sock, connection.owed, connection.used) == (None, 0, NEVER)
    assert connection.is_good() is False
    assert connection.has_unread() is False


def test_one_command(wired):
    connection, peer = wired
    peer.sendall(b"$1\r\nv\r\n")
    assert connection.call(GET) == b"v"
    assert peer.recv(100) == GET
    assert connection.owed == 0


def test_an_error_line_comes_back_and_is_not_raised(wired):
    connection, peer = wired
    peer.sendall(b"-ERR no\r\n")
    reply = connection.call(GET)
    assert type(reply) is ErrorReply
    assert str(reply) == "ERR no"
    assert connection.owed == 0


@pytest.mark.parametrize("method", ["call", "exchange"])
def test_a_connection_that_owes_takes_no_other_command(wired, method):
    connection, peer = wired
    connection.owed = 1
    with pytest.raises(RedisError, match="in the middle of a command") as caught:
        getattr(connection, method)(GET)
    assert caught.value.phase == "send"
    peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.recv(1)


@pytest.mark.parametrize("method", ["call", "exchange"])
def test_what_was_not_sent_is_owed_and_not_sent(wired, method):
    connection, peer = wired
    peer.close()
    with pytest.raises(NotSent) as caught:
        getattr(connection, method)(GET)
    assert caught.value.phase == "send"
    assert connection.owed == 1


@pytest.mark.parametrize("method", ["call", "exchange"])
@pytest.mark.parametrize("data", [b"", b"$10\r\nhalf", b"$200000\r\n" + b"h" * 5000], ids=["nothing", "half", "large"])
def test_a_reply_that_ends_is_unknown(wired, method, data):
    connection, peer = wired

    def answer():
        read_exactly(peer, len(GET))
        peer.sendall(data)
        peer.close()

    with meanwhile(answer), pytest.raises(Unknown) as caught:
        getattr(connection, method)(GET)
    assert caught.value.phase == "recv"
    assert caught.value.__cause__.errno == errno.ECONNRESET
    assert connection.owed == 1


@pytest.mark.parametrize("method", ["call", "exchange"])
def test_time_that_runs_out_is_unknown(parser_class, method):
    with wire(parser_class=parser_class, socket_timeout=0.05) as (connection, _):
        with pytest.raises(Unknown) as caught:
            getattr(connection, method)(GET)
        assert caught.value.timed_out
        assert connection.owed == 1


@pytest.mark.parametrize("step", ["_send", "_recv"])
def test_what_a_signal_handler_raises_passes_untouched(wired, step):
    connection, _ = wired
    trouble = ConnectionResetError(errno.ECONNRESET, "of somebody else")

    def handler(*args):
        raise trouble

    setattr(connection, step, handler)
    with pytest.raises(ConnectionResetError) as caught:
        connection.call(GET)
    assert caught.value is trouble
    assert connection.owed == 1


def test_a_connection_that_was_closed_in_between_is_a_fault_and_no_attribute_error(wired):
    connection, _ = wired
    connection.disconnect()
    with pytest.raises(NotSent) as caught:
        connection.exchange([GET])
    assert caught.value.__cause__.errno == errno.EBADF


def test_disconnect_gives_everything_up(wired):
    connection, peer = wired
    connection.owed = 3
    connection.disconnect()
    assert (connection._sock, connection.owed, connection.used) == (None, 0, NEVER)
    assert peer.recv(1) == b""
    connection.disconnect()


@pytest.mark.parametrize(("fork_safe", "reaches_the_relative"), [(True, False), (False, True)])
def test_only_without_fork_safe_is_a_socket_shut_down(fork_safe, reaches_the_relative):
    with wire(fork_safe=fork_safe) as (connection, peer):
        relative = connection._sock.dup()
        with relative:
            connection.disconnect()
            peer.settimeout(0.05)
            if reaches_the_relative:
                assert peer.recv(1) == b""
            else:
                with pytest.raises(TimeoutError):
                    peer.recv(1)


def test_a_shutdown_that_comes_too_late_does_no_harm():
    with wire(fork_safe=False) as (connection, peer):
        peer.close()
        connection._sock.shutdown(socket.SHUT_RDWR)
        connection.disconnect()
        assert connection._sock is None


def test_a_dropped_connection_closes_its_descriptor(wired):
    connection = WiredConnection(lib_name=None, lib_version=None)
    connection.connect()
    peer = connection.peer
    del connection
    assert peer.recv(1) == b""
    peer.close()


def test_abandon_closes_the_descriptor_and_nothing_else():
    with wire(fork_safe=False) as (connection, peer):
        with connection._sock.dup():
            connection.owed = 2
            connection.abandon()
            assert (connection._sock, connection.owed, connection.used) == (None, 0, NEVER)
            peer.settimeout(0.05)
            with pytest.raises(TimeoutError):
                peer.recv(1)
        connection.abandon()


def test_a_good_connection_is_not_usable_while_it_is_looked_at(wired):
    connection, _ = wired
    assert connection.is_good() is True
    assert connection.used is NEVER


def test_a_connection_with_unread_bytes_is_not_good(wired):
    connection, _ = wired
    connection._feed(b"+half")
    assert connection.has_unread()
    assert connection.is_good() is False


@pytest.mark.parametrize("foreign", [False, True])
def test_an_error_of_the_look(wired, foreign):
    connection, _ = wired
    if not foreign:
        connection._sock.close()
        assert connection.is_good() is False
        return

    class Interrupted(KernelTimeouts):
        def is_quiet(self, sock, seconds):
            raise ConnectionResetError(errno.ECONNRESET, "of somebody else")

    connection._timeouts = Interrupted()
    with pytest.raises(ConnectionResetError):
        connection.is_good()


# Commands that are special


def test_a_command_that_changes_the_connection_leaves_a_debt(wired):
    connection, peer = wired
    peer.sendall(b"+OK\r\n")
    assert connection.exchange(GET, changes=True) == b"OK"
    assert connection.owed == 1


def test_a_kept_connection_may_be_changed(wired):
    connection, peer = wired
    connection.kept = Keeper()
    peer.sendall(b"+OK\r\n")
    assert connection.exchange(GET, changes=True) == b"OK"
    assert (connection.owed, connection.altered) == (0, True)


class Recording:
    def __init__(self):
        self.values = []

    def set(self, sock, seconds):
        self.values.append(seconds)


@pytest.mark.parametrize(
    ("timeout", "wait", "values"),
    [(5, 2.5, [7.5, 5]), (5, inf, [inf, 5]), (None, 2.5, []), (5, None, [])],
)
def test_the_time_of_a_blocking_command(wired, timeout, wait, values):
    connection, peer = wired
    connection.socket_timeout, connection._timeouts = timeout, Recording()
    peer.sendall(b"*-1\r\n")
    assert connection.exchange(GET, wait=wait) is None
    assert connection._timeouts.values == values
    assert connection.owed == 0


@pytest.mark.parametrize("foreign", [False, True])
def test_a_time_out_that_cannot_be_set_back(wired, foreign):
    connection, _ = wired

    class Broken(Recording):
        def set(self, sock, seconds):
            raise OSError(errno.EBADF, "of somebody else")

    connection.owed = 1
    connection._timeouts = Broken()
    if foreign:
        with pytest.raises(OSError, match="somebody else"):
            connection.settle(1)
    else:
        connection._sock.close()
        connection._timeouts = KernelTimeouts()
        connection.settle(1)
    assert connection.owed == 1


def test_a_reply_that_stays_bytes(parser_class):
    with wire(parser_class=parser_class, decode_responses=True) as (connection, peer):
        peer.sendall(b"+a\r\n")
        assert connection.exchange(GET, decode=False) == b"a"
        peer.sendall(b"+a\r\n")
        assert connection.exchange(GET) == "a"


# Replies in pieces


REPLIES = [
    (b"$12\r\nhello\r\nworld\r\n", b"hello\r\nworld"),
    (b"*3\r\n$1\r\na\r\n:1\r\n*-1\r\n", [b"a", 1, None]),
    (b">2\r\n+push\r\n:1\r\n+OK\r\n", b"OK"),
    (b"%1\r\n$1\r\nk\r\n,1.5\r\n", {b"k": 1.5}),
    (b"-ERR it went wrong\r\n", "ERR it went wrong"),
]


@pytest.mark.parametrize(("data", "value"), REPLIES, ids=["bulk", "array", "push", "map", "error"])
def test_a_reply_that_is_cut_at_every_position(parser_class, data, value):
    for at in range(1, len(data)):
        with wire(parser_class=parser_class, socket_timeout=5) as (connection, peer):
            with meanwhile(pieces, peer, data[:at], data[at:]):
                reply = connection.call(GET)
            assert (str(reply) if isinstance(reply, ErrorReply) else reply) == value
            assert connection.owed == 0


def test_a_reply_that_comes_byte_by_byte(wired):
    connection, peer = wired
    data = REPLIES[1][0]
    with meanwhile(pieces, peer, *[data[at : at + 1] for at in range(len(data))]):
        assert connection.exchange(GET) == [b"a", 1, None]


LARGE_BODY = bytes(range(256)) * (LARGE_REPLY // 256) + b"\r\n$%d\r\n"


@pytest.mark.parametrize(
    "first",
    [1, 5, 8, 9, 10, 11, 1023, 1024, 1025, 65536, LARGE_REPLY + 12, LARGE_REPLY + 16, LARGE_REPLY + 17, -3, -2, -1],
)
def test_a_large_reply_whatever_comes_first(wired, first):
    connection, peer = wired
    connection._read_size = 1 << 20
    data = bulk(LARGE_BODY)
    with meanwhile(pieces, peer, data[:first], data[first:]):
        assert connection.call(GET) == LARGE_BODY
    assert connection.owed == 0
    peer.sendall(b"+next\r\n")
    assert connection.call(GET) == b"next"


@pytest.mark.parametrize("size", [LARGE_REPLY - 1, LARGE_REPLY, LARGE_REPLY + 1, 3 << 20])
def test_large_replies_of_many_sizes(wired, size):
    connection, peer = wired
    value = b"x" * size
    with meanwhile(peer.sendall, bulk(value)):
        assert connection.call(GET) == value


def test_a_large_reply_as_text(parser_class):
    text = "h\u00e9\u20ac" * LARGE_REPLY
    options = {"parser_class": parser_class, "decode_responses": True}
    with wire(**options) as (connection, peer), meanwhile(peer.sendall, bulk(text.encode())):
        assert connection.call(GET) == text


@pytest.mark.parametrize("errors", ["strict", "replace"])
def test_a_large_reply_that_is_no_text(parser_class, errors):
    value = b"\xff" * LARGE_REPLY
    options = {"parser_class": parser_class, "decode_responses": True, "encoding_errors": errors}
    with wire(**options) as (connection, peer), meanwhile(peer.sendall, bulk(value)):
        if errors == "replace":
            assert connection.call(GET) == "\ufffd" * LARGE_REPLY
        else:
            with pytest.raises(UnicodeDecodeError):
                connection.call(GET)
            assert connection.owed == 1


def test_a_large_reply_that_is_longer_than_it_says(wired):
    connection, peer = wired
    data = b"$%d\r\n" % LARGE_REPLY + bytes(LARGE_REPLY + 2)
    with meanwhile(peer.sendall, data), pytest.raises(InvalidResponse, match="does not end"):
        connection.call(GET)
    assert connection.owed == 1


# More than was asked for


@pytest.mark.parametrize("method", ["call", "exchange"])
@pytest.mark.parametrize("extra", [b"+EXTRA\r\n", b"+half", b"$", b">1\r\n+push\r\n+EXTRA\r\n"], ids=str)
def test_more_than_a_reply_is_noticed(wired, method, extra):
    connection, peer = wired
    peer.sendall(b"+OK\r\n" + extra)
    with pytest.raises(InvalidResponse, match="more than it was asked for") as caught:
        getattr(connection, method)(GET)
    assert caught.value.phase == "recv"
    assert connection.owed == 1


@pytest.mark.parametrize("method", ["call", "exchange"])
def test_pushes_around_a_reply_are_dropped(wired, method):
    connection, peer = wired
    push = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
    peer.sendall(push + b"+OK\r\n" + push * 2)
    assert getattr(connection, method)(GET) == b"OK"
    assert connection.owed == 0
    assert not connection.has_unread()


def test_half_a_push_behind_a_reply_costs_the_connection_and_not_the_reply(wired):
    connection, peer = wired
    connection.speaks_resp3 = True
    peer.sendall(b"+OK\r\n>2\r\n+inva")
    assert connection.call(GET) == b"OK"
    assert connection.owed == 1


@pytest.mark.parametrize("size", [5, LARGE_REPLY])
def test_a_second_reply_in_the_same_segment_never_answers_another_call(parser_class, size):
    with FakeNode() as node, StrictRedis(**node.options, parser_class=parser_class) as client:
        client.set("big", b"x" * size)
        client.set("other", "y")
        node.script("GET", twice(b"$5\r\nEXTRA\r\n"))
        with contextlib.suppress(InvalidResponse):
            assert client.get("big") == b"x" * size
        assert client.get("other") == b"y"


def test_what_is_no_reply_at_all(parser_class):
    with FakeNode() as node, StrictRedis(**node.options, parser_class=parser_class) as client:
        node.script("GET", raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        with pytest.raises(InvalidResponse) as caught:
            client.get("k")
        assert (caught.value.command, caught.value.address) == ("GET", f"127.0.0.1:{node.port}")
        assert caught.value.phase == "recv"
        assert client.ping() is True
