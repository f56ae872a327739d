"""Not sent means not sent: while TLS is made nothing is, however it is cut, stopped or slowed down."""

from __future__ import annotations

from time import monotonic

import pytest

import redis
from tests.faults.fakenode import FakeNode

#: Within the first messages of either side, which have some hundred bytes.
EARLY = [0, 1, 4, 5, 6, 50, 100]
PATIENCE = 0.3
IN_TIME = {"socket_connect_timeout": PATIENCE}


def recovers(client: redis.StrictRedis) -> bool:
    """Whether the client works once the way is free; it may be out of time once or twice where the machine is busy."""
    for _ in range(20):
        try:
            return client.incr("n") == 1
        except redis.TimeoutError as error:
            assert error.maybe_applied is False
    return False


def not_sent(tls_node: FakeNode, client: redis.StrictRedis, phase: str) -> redis.RedisError:
    """The error of a command that was not sent, which says so; the server has not seen it."""
    with pytest.raises((redis.ConnectionError, redis.TimeoutError)) as caught:
        client.incr("n")
    assert (caught.value.phase, caught.value.maybe_applied) == (phase, False)
    assert tls_node.count("INCRBY") == 0
    return caught.value


@pytest.mark.parametrize("budget", EARLY)
@pytest.mark.parametrize("way", ["requests", "replies"])
def test_cut_while_tls_is_made(tls_node, blind, connect, way: str, budget: int) -> None:
    client = connect(blind)
    getattr(blind, way).budget = budget
    assert isinstance(not_sent(tls_node, client, "tls"), redis.ConnectionError)
    getattr(blind, way).budget = None
    assert recovers(client)


@pytest.mark.parametrize("way", ["requests", "replies"])
def test_cut_once_while_tls_is_made_is_not_noticed(tls_node, blind, connect, way: str) -> None:
    accidents = iter(["half"])
    getattr(blind, way).accident = lambda: next(accidents, None)
    assert connect(blind).incr("n") == 1
    assert tls_node.count("INCRBY") == 1


def test_cut_behind_tls_in_the_handshake(tls_node, speaking, connect) -> None:
    client = connect(speaking)
    for budget in range(1, 10):  # of +OK +OK, or of the map that HELLO brings
        speaking.replies.budget = budget
        not_sent(tls_node, client, "handshake")
    speaking.replies.budget = None
    assert recovers(client)


@pytest.mark.parametrize("budget", [0, 100])
@pytest.mark.parametrize("way", ["requests", "replies"])
def test_stopped_while_tls_is_made(tls_node, blind, connect, way: str, budget: int) -> None:
    client, stopped = connect(blind, **IN_TIME), getattr(blind, way)
    stopped.budget, stopped.ends = budget, "stops"
    start = monotonic()
    error = not_sent(tls_node, client, "tls")
    assert isinstance(error, redis.TimeoutError) and "Timeout connecting" in str(error)
    assert PATIENCE - 0.05 < monotonic() - start < PATIENCE + 1
    stopped.budget = None
    assert recovers(client)


def test_accepted_and_silent(tls_node, blind, connect) -> None:
    client = connect(blind, **IN_TIME)
    blind.stop()
    start = monotonic()
    assert isinstance(not_sent(tls_node, client, "tls"), redis.TimeoutError)
    assert PATIENCE - 0.05 < monotonic() - start < PATIENCE + 1
    blind.go()
    assert recovers(client)


def test_silent_behind_tls(tls_node, speaking, connect) -> None:
    """The handshake has the time of every reply."""
    client = connect(speaking, socket_timeout=PATIENCE, socket_connect_timeout=20)
    speaking.replies.budget, speaking.replies.ends = 0, "stops"
    start = monotonic()
    assert isinstance(not_sent(tls_node, client, "handshake"), redis.TimeoutError)
    assert PATIENCE - 0.05 < monotonic() - start < PATIENCE + 1
    speaking.replies.budget = None
    assert connect(speaking).incr("n") == 1


@pytest.mark.parametrize("way", ["requests", "replies"])
def test_a_byte_now_and_then(tls_node, blind, connect, way: str) -> None:
    """There is always some progress, and never enough: the time is for all of TLS, not for each byte."""
    client, slow = connect(blind, **IN_TIME), getattr(blind, way)
    slow.split, slow.pause = True, 0.2
    start = monotonic()
    error = not_sent(tls_node, client, "tls")
    assert isinstance(error, redis.TimeoutError)
    assert PATIENCE - 0.05 < monotonic() - start < PATIENCE + 1
    slow.split = False
    assert recovers(client)


def test_a_pipeline_that_was_not_sent(tls_node, blind, connect) -> None:
    client = connect(blind)
    blind.replies.budget = 100
    for transaction in (True, False):
        with pytest.raises(redis.ConnectionError) as caught:
            client.pipeline(transaction).incr("n").execute()
        assert (caught.value.phase, caught.value.maybe_applied) == ("tls", False)
    assert tls_node.count("INCRBY") == 0
