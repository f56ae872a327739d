"""A blocking command obeys its own time-out, not the socket's."""

from __future__ import annotations

import threading
from time import monotonic, sleep

import pytest

import redis
from tests.faults.fakenode import close, hold
from tests.servers import ask

PATIENCE = 0.15
WAYS = {
    "method": lambda client, seconds: client.blpop("queue", timeout=seconds),
    "raw": lambda client, seconds: client.execute_command(b"blpop", "queue", str(seconds)),
}


@pytest.fixture
def patient(proxy, make):
    return make(**proxy.options, socket_timeout=PATIENCE)


def timed(call) -> tuple[object, float]:
    start = monotonic()
    try:
        result = call()
    except redis.TimeoutError as error:
        result = error
    return result, monotonic() - start


def later(seconds: float, call) -> threading.Timer:
    timer = threading.Timer(seconds, call)
    timer.start()
    return timer


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_nothing_comes(patient, way) -> None:
    result, took = timed(lambda: way(patient, 0.2))
    assert result is None
    assert 0.2 <= took < 0.6


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_something_comes_later_than_the_socket_would_wait(patient, transport, way) -> None:
    timer = later(0.3, lambda: ask(transport.server, "RPUSH", "queue", "x"))
    result, took = timed(lambda: way(patient, 2))
    timer.join()
    assert list(result) == [b"queue", b"x"]
    assert 0.25 <= took < 0.7


def test_zero_waits_for_ever(patient, transport) -> None:
    timer = later(0.4, lambda: ask(transport.server, "RPUSH", "queue", "x"))
    result, took = timed(lambda: patient.blpop("queue", timeout=0))
    timer.join()
    assert result == (b"queue", b"x")
    assert took >= 0.35


@pytest.mark.parametrize(
    "words",
    [("XREAD", "BLOCK", 200, "STREAMS", "stream", "$"), ("WAIT", 1, 200), ("bzpopmin", "zset", "0.2")],
    ids=lambda words: words[0],
)
def test_each_in_its_own_unit(patient, words: tuple) -> None:
    result, took = timed(lambda: patient.execute_command(*words))
    assert not isinstance(result, Exception) and not result
    assert 0.2 <= took < 0.6


def test_a_wedged_server(patient, proxy) -> None:
    patient.ping()
    proxy.stop()
    result, took = timed(lambda: patient.blpop("queue", timeout=0.3))
    assert isinstance(result, redis.TimeoutError) and result.maybe_applied is True
    assert 0.3 + PATIENCE - 0.05 <= took < 0.3 + PATIENCE + 0.3
    proxy.go()
    assert patient.ping() is True


@pytest.mark.parametrize("action", [hold, close])
@pytest.mark.parametrize("words", [("BLPOP", "queue", 0.1), ("XREAD", "BLOCK", 100, "STREAMS", "s", "$")])
def test_one_attempt(node, client, words: tuple, action) -> None:
    """Not even one that only reads is sent again."""
    client.ping()
    node.script(words[0], action, action, action)
    with pytest.raises((redis.TimeoutError, redis.ConnectionError)) as caught:
        client.execute_command(*words)
    assert caught.value.maybe_applied is True
    assert [received[0] for received in node.received].count(words[0]) == 1


def test_the_next_command_has_the_time_of_the_socket_again(patient, proxy) -> None:
    assert patient.blpop("queue", timeout=0.3) is None
    proxy.stop()
    result, took = timed(lambda: patient.get("a"))
    assert isinstance(result, redis.TimeoutError)
    assert PATIENCE - 0.05 <= took < PATIENCE + 0.3
    proxy.go()


def test_without_a_time_of_the_socket(proxy, make) -> None:
    result, took = timed(lambda: make(**proxy.options).blpop("queue", timeout=0.3))
    assert result is None and took < 0.6


def test_others_do_not_wait(patient, transport) -> None:
    thread = threading.Thread(target=lambda: patient.blpop("queue", timeout=1))
    thread.start()
    sleep(0.1)
    result, took = timed(lambda: patient.get("a"))
    assert result is None and took < 0.2
    ask(transport.server, "RPUSH", "queue", "x")
    thread.join()
