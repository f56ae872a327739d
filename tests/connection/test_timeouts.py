"""redis/connection/timeouts.py: both ways to give up in time, how they are chosen, and the look at an idle socket."""

import signal
import socket
import struct
import threading
import time
from math import inf

import pytest

from redis.client import StrictRedis
from redis.connection import timeouts
from redis.connection.timeouts import KernelTimeouts, SocketTimeouts, timeouts_for, timer_runs, timeval, would_block
from redis.exceptions import TimeoutError
from tests.connection.pair import meanwhile
from tests.faults.fakenode import answer, hold, late, silent, slowly
from tests.servers import ask

BOTH = [KernelTimeouts, SocketTimeouts]


@pytest.fixture(params=BOTH, ids=["kernel", "settimeout"])
def way(request, monkeypatch):
    """Every new connection takes this way."""
    monkeypatch.setattr("redis.connection.tcp.timeouts_for", lambda sock: request.param())
    return request.param()


@pytest.fixture
def pair():
    mine, peer = socket.socketpair()
    with mine, peer:
        yield mine, peer


def later(seconds, action, *args):
    time.sleep(seconds)
    action(*args)


class Stopwatch:
    def __enter__(self):
        self.start = time.monotonic()
        return self

    def __exit__(self, *error):
        self.seconds = time.monotonic() - self.start


# The choice


@pytest.fixture
def _timer():
    """An interval timer runs, of the time that this process computes; its signal does nothing."""
    before = signal.signal(signal.SIGVTALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_VIRTUAL, 100, 100)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.fixture
def _no_timer():
    """pytest-timeout may run one of its own, which fires once; an interval it has not."""
    assert not timer_runs()


@pytest.mark.usefixtures("_no_timer")
def test_a_plain_socket_is_left_to_the_kernel(pair):
    assert isinstance(timeouts_for(pair[0]), KernelTimeouts)


def test_a_socket_of_another_class_is_not(pair):
    class Other(socket.socket):
        pass

    with Other(fileno=socket.dup(pair[0].fileno())) as other:
        assert isinstance(timeouts_for(other), SocketTimeouts)


def test_a_class_that_has_replaced_the_socket_is_not(pair, monkeypatch):
    replaced = type("socket", (socket.socket,), {"__module__": "gevent._socket3"})
    monkeypatch.setattr(socket, "socket", replaced)
    with replaced(fileno=socket.dup(pair[0].fileno())) as other:
        assert isinstance(timeouts_for(other), SocketTimeouts)


def test_a_system_without_kernel_time_outs(pair, monkeypatch):
    monkeypatch.setattr(timeouts, "POSIX", False)
    assert isinstance(timeouts_for(pair[0]), SocketTimeouts)


@pytest.mark.usefixtures("_timer")
def test_a_running_interval_timer_needs_settimeout(pair, node):
    assert isinstance(timeouts_for(pair[0]), SocketTimeouts)
    with StrictRedis(**node.options) as client:
        client.ping()
        assert isinstance(client.connection_pool._available_connections[0]._timeouts, SocketTimeouts)


def storm(thread):
    """Send a signal every 20 ms for more than a second."""
    for _ in range(60):
        signal.pthread_kill(thread, signal.SIGVTALRM)
        time.sleep(0.02)


@pytest.mark.usefixtures("_timer")
def test_the_time_out_holds_in_a_storm_of_signals(node):
    with StrictRedis(**node.options, socket_timeout=0.2) as client:
        node.script("GET", silent)
        with meanwhile(storm, threading.get_ident()), Stopwatch() as watch, pytest.raises(TimeoutError):
            client.get("k")
    assert 0.2 <= watch.seconds < 1


# Setting and looking


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, (0, 0)), (inf, (0, 0)), (1, (1, 0)), (2.5, (2, 500000)), (1e-9, (0, 1)), (3e-6, (0, 3))],
)
def test_timeval(seconds, expected):
    assert struct.unpack("ll", timeval(seconds)) == expected


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("seconds", [0.05, 1e-6])
def test_time_runs_out(cls, pair, seconds):
    mine, _ = pair
    cls().set(mine, seconds)
    with Stopwatch() as watch, pytest.raises((BlockingIOError, socket.timeout)):
        mine.recv(1)
    assert seconds <= watch.seconds < seconds + 0.5


@pytest.mark.parametrize("cls", BOTH)
def test_time_runs_out_while_writing(cls, pair):
    mine, _ = pair
    mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    cls().set(mine, 0.05)
    with pytest.raises((BlockingIOError, socket.timeout)):
        for _ in range(100):
            mine.send(bytes(100000))


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("seconds", [None, inf])
def test_for_ever(cls, pair, seconds):
    mine, peer = pair
    cls().set(mine, 0.01)
    cls().set(mine, seconds)
    with meanwhile(later, 0.05, peer.send, b"x"):
        assert mine.recv(1) == b"x"
    assert mine.gettimeout() is None
    assert mine.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16) == bytes(16)


def test_the_kernel_takes_over_a_socket_that_had_a_time_out(pair):
    pair[0].settimeout(5)
    KernelTimeouts().set(pair[0], 0.01)
    assert pair[0].gettimeout() is None
    with pytest.raises(BlockingIOError):
        pair[0].recv(1)


@pytest.mark.parametrize("cls", BOTH)
def test_a_quiet_socket_keeps_its_time_out(cls, pair):
    timeouts, (mine, _) = cls(), pair
    timeouts.set(mine, 0.05)
    assert timeouts.is_quiet(mine, 0.05) is True
    with Stopwatch() as watch, pytest.raises((BlockingIOError, socket.timeout)):
        mine.recv(1)
    assert watch.seconds >= 0.04


@pytest.mark.parametrize("cls", BOTH)
def test_a_byte_is_not_quiet(cls, pair):
    timeouts, (mine, peer) = cls(), pair
    timeouts.set(mine, 1)
    peer.send(b"x")
    assert timeouts.is_quiet(mine, 1) is False


@pytest.mark.parametrize("cls", BOTH)
def test_an_end_is_not_quiet(cls, pair):
    timeouts, (mine, peer) = cls(), pair
    timeouts.set(mine, 1)
    peer.close()
    assert timeouts.is_quiet(mine, 1) is False


@pytest.mark.parametrize("cls", BOTH)
def test_a_closed_socket_is_an_error(cls, pair):
    timeouts, (mine, _) = cls(), pair
    timeouts.set(mine, 1)
    mine.close()
    with pytest.raises(OSError):
        timeouts.is_quiet(mine, 1)


@pytest.mark.parametrize("cls", BOTH)
def test_what_a_signal_handler_raises_is_not_the_sockets(cls):
    class Interrupted:
        def gettimeout(self):
            return None

        def settimeout(self, seconds):
            pass

        def recv(self, *args):
            raise BlockingIOError("from a handler")

    with pytest.raises(BlockingIOError, match="from a handler"):
        cls().is_quiet(Interrupted(), 1)


def test_would_block():
    class SSLWantReadError(OSError):
        pass

    assert would_block(BlockingIOError())
    assert would_block(SSLWantReadError())
    assert not would_block(ConnectionResetError())


# What a client does


@pytest.mark.parametrize("action", [silent, hold], ids=lambda action: action.__name__)
def test_a_reply_that_does_not_come(way, node, action):
    with StrictRedis(**node.options, socket_timeout=0.15) as client:
        client.ping()
        node.script("INCRBY", action)
        with Stopwatch() as watch, pytest.raises(TimeoutError, match="Timeout reading from socket") as caught:
            client.incr("n")
        assert 0.1 < watch.seconds < 1
        assert (caught.value.maybe_applied, caught.value.phase, caught.value.command) == (True, "recv", "INCRBY")
        assert client.get("n") == b"1"
    assert node.count("INCRBY") == 1


def test_a_time_out_of_microseconds(way, node):
    node.always("PING", slowly(0.05))
    with StrictRedis(**node.options, socket_timeout=1e-5, socket_connect_timeout=5) as client:
        with Stopwatch() as watch, pytest.raises(TimeoutError):
            client.ping()
        assert watch.seconds < 1


def test_the_time_of_connecting_is_not_that_of_the_commands(way, node):
    with StrictRedis(**node.options, socket_connect_timeout=0.1) as client:
        client.ping()
        node.script("PING", slowly(0.3))
        assert client.ping() is True


def test_the_handshake_has_a_bound_too(way, node):
    node.always("SELECT", hold)
    with StrictRedis(**node.options, socket_connect_timeout=0.1, db=1) as client:
        with Stopwatch() as watch, pytest.raises(TimeoutError) as caught:
            client.incr("n")
        assert watch.seconds < 1
        assert (caught.value.phase, caught.value.maybe_applied) == ("handshake", False)


def test_retry_on_timeout(way, node):
    with StrictRedis(**node.options, socket_timeout=0.1, retry_on_timeout=True) as client:
        client.ping()
        node.script("INCRBY", silent)
        assert client.incr("n") == 2
        node.script("INCRBY", silent, silent)
        with pytest.raises(TimeoutError) as caught:
            client.incr("n")
        assert caught.value.attempt == 2


# Commands that block


def test_a_blocking_command_has_its_own_time(way, make_client):
    client = make_client(socket_timeout=0.3)
    with Stopwatch() as watch:
        assert client.blpop("none", timeout=0.4) is None
    assert 0.35 <= watch.seconds < 1.5


def test_a_blocking_command_for_ever(way, make_client, server):
    client = make_client(socket_timeout=0.3)
    with meanwhile(later, 0.4, ask, server, "LPUSH", "q", "x"):
        assert client.blpop("q", timeout=0) == (b"q", b"x")


def test_a_push_ends_the_wait_of_a_blocking_command(way, make_client, server):
    client = make_client(socket_timeout=0.3)
    with meanwhile(later, 0.3, ask, server, "LPUSH", "q", "x"), Stopwatch() as watch:
        assert client.blpop("q", timeout=5) == (b"q", b"x")
    assert watch.seconds < 1.5


def test_after_a_blocking_command_the_usual_time_holds(way, node):
    node.store.do_blpop = lambda session, *words: b"*-1\r\n"
    with StrictRedis(**node.options, socket_timeout=0.15) as client:
        node.script("BLPOP", slowly(0.3))
        assert client.blpop("q", timeout=1) is None
        connection = client.connection_pool._available_connections[0]
        node.script("GET", hold)
        with Stopwatch() as watch, pytest.raises(TimeoutError):
            client.get("k")
        assert watch.seconds < 0.9
        assert client.connection_pool._available_connections == [connection]


def test_a_wedged_server_ends_a_blocking_command_after_both_times_in_one_attempt(way, node):
    node.store.do_blpop = lambda session, *words: b"*-1\r\n"
    node.always("BLPOP", hold)
    with StrictRedis(**node.options, socket_timeout=0.2, retry_on_timeout=True) as client:
        with Stopwatch() as watch, pytest.raises(TimeoutError) as caught:
            client.execute_command("blpop", "q", 0.3)
        assert 0.45 <= watch.seconds < 1.5
        assert caught.value.attempt == 1
    assert node.count("BLPOP") == 1


# The look at an idle socket


def idle():
    time.sleep(0.06)


def test_an_idle_socket_that_the_server_has_closed(transport):
    with StrictRedis(**transport.options) as client:
        client.set("n", 0)
        for number in range(1, 4):
            ask(transport.server, "CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES")
            idle()
            assert client.incr("n") == number
        assert len(client.connection_pool._available_connections) == 1


def test_an_idle_socket_that_is_good_is_kept(transport):
    with StrictRedis(**transport.options, socket_timeout=1) as client:
        number = client.client_id()
        for _ in range(3):
            idle()
            assert client.client_id() == number


def test_a_byte_that_nobody_asked_for_closes_an_idle_connection(way, node):
    with StrictRedis(**node.options) as client:
        node.script("PING", late(after=0.02))
        client.ping()
        assert client.connection_pool._available_connections[0].can_read(5)
        node.script("GET", answer)
        idle()
        assert client.get("k") is None
        assert len(node.links) == 2


def test_a_busy_socket_is_not_looked_at(node, monkeypatch):
    looks = []
    look = KernelTimeouts.is_quiet
    monkeypatch.setattr(KernelTimeouts, "is_quiet", lambda *args: looks.append(1) or look(*args))
    with StrictRedis(**node.options) as client:
        for _ in range(20):
            client.ping()
        assert looks == []
        idle()
        client.ping()
        assert looks == [1]
