"""redis/connection/bounded.py: the calls of a socket under a deadline, over both kinds of time-outs."""

import builtins
import errno
import socket
import threading
from math import inf
from time import monotonic

import pytest

from redis.connection.bounded import PolledCalls, TimedCalls, polled

BRIEF, LONG = 0.05, 30
MUCH = b"x" * 10_000_000


@pytest.fixture(params=[socket.AF_INET, socket.AF_UNIX], ids=["tcp", "unix"])
def pair(request):
    """Two sockets that are connected, the first of which blocks."""
    if request.param == socket.AF_UNIX:
        near, far = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as server:
            near = socket.create_connection(server.getsockname())
            far = server.accept()[0]
    with near, far:
        yield near, far


@pytest.fixture(params=[PolledCalls, TimedCalls])
def calls(request, pair):
    """The calls of the first, which have much time."""
    calls = request.param(pair[0])
    calls.ends = monotonic() + LONG
    return calls


WAITING = {
    "recv": lambda calls: calls.recv(10),
    "send": lambda calls: [calls.send(MUCH) for _ in range(100)],
    "sendmsg": lambda calls: [calls.sendmsg([MUCH, b"y"]) for _ in range(100)],
}


def hasty(calls, seconds=BRIEF):
    calls.ends = monotonic() + seconds


# In time


def test_they_do_what_those_of_the_socket_do(calls, pair):
    _, far = pair
    assert calls.send(b"abc") == 3 and calls.sendmsg([b"d", b"ef"]) == 3
    assert far.recv(10) == b"abcdef"
    far.sendall(b"ghijkl")
    assert calls.recv(3) == b"ghi" and calls.recv(10) == b"jkl"
    far.close()
    assert calls.recv(3) == b""


def test_they_wait_for_what_comes_in_time(calls, pair):
    threading.Timer(BRIEF, lambda: pair[1].sendall(b"late")).start()
    assert calls.recv(10) == b"late"


def test_they_wait_for_room(calls, pair):
    hasty(calls)
    with pytest.raises(builtins.TimeoutError):
        WAITING["send"](calls)
    hasty(calls, LONG)

    def read():
        while pair[1].recv(1 << 20):
            pass

    reader = threading.Thread(target=read)
    reader.start()
    assert calls.send(MUCH) > 0
    pair[0].close()
    reader.join()


# Too late


@pytest.mark.parametrize("call", WAITING.values(), ids=WAITING)
def test_the_time_is_over(calls, call):
    hasty(calls)
    start = monotonic()
    with pytest.raises(builtins.TimeoutError) as caught:
        call(calls)
    assert BRIEF / 2 < monotonic() - start < 1 and caught.value.args


@pytest.mark.parametrize("call", WAITING.values(), ids=WAITING)
def test_a_step_has_no_more_than_its_patience(calls, call):
    calls.patience = BRIEF
    start = monotonic()
    with pytest.raises(builtins.TimeoutError):
        call(calls)
    assert BRIEF / 2 < monotonic() - start < 1


@pytest.mark.parametrize("patience", [None, inf])
def test_patience_without_an_end(calls, patience):
    hasty(calls)
    calls.patience = patience
    assert 0 < calls.left() <= BRIEF


@pytest.mark.parametrize("call", WAITING.values(), ids=WAITING)
def test_over_before_the_call(calls, pair, call):
    hasty(calls, -1)
    with pytest.raises(builtins.TimeoutError, match="passed"):
        call(calls)
    pair[1].setblocking(False)
    with pytest.raises(BlockingIOError):
        pair[1].recv(1)  # nothing was sent


# The socket


def test_the_time_outs_of_a_blocking_socket_are_left_alone(pair):
    calls = PolledCalls(pair[0])
    hasty(calls)
    with pytest.raises(builtins.TimeoutError):
        calls.recv(1)
    assert pair[0].gettimeout() is None


@pytest.mark.parametrize("call", ["send", "sendmsg"])
def test_a_socket_that_does_not_block_is_not_waited_for(calls, pair, call):
    """Somebody else waits then, for sending and receiving at once."""
    pair[0].setblocking(False)
    start = monotonic()
    with pytest.raises(BlockingIOError):
        WAITING[call](calls)
    assert monotonic() - start < LONG / 2 and pair[0].gettimeout() == 0


@pytest.mark.parametrize("call", WAITING.values(), ids=WAITING)
def test_a_closed_socket(calls, pair, call):
    pair[0].close()
    with pytest.raises(OSError) as caught:
        call(calls)
    assert caught.value.errno == errno.EBADF


def test_a_peer_that_is_gone(calls, pair):
    pair[1].close()
    assert calls.recv(1) == b""
    with pytest.raises(OSError, match=r"Broken pipe|reset") as caught:
        for _ in range(100):
            calls.send(MUCH, socket.MSG_NOSIGNAL)
    assert isinstance(caught.value, (BrokenPipeError, ConnectionResetError))


def test_polled(pair):
    poll = polled(pair[0], 1)
    assert poll.poll(0) == []
    pair[1].send(b"x")
    assert poll.poll(1000) == [(pair[0].fileno(), 1)]
    pair[0].close()
    with pytest.raises(OSError, match="closed while it was in use"):
        polled(pair[0], 1)
