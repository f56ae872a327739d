"""One call, at most one execution; and where the outcome is unknown, the error says so."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import pytest

import redis
from tests.faults.conftest import sound
from tests.faults.fakenode import answer, close, drop, half, hold, reset, silent, stall

#: What a server can do after it has executed a command, and what the client sees of it.
LOST = {"close": close, "half": half, "reset": reset}
LATE = {"hold": hold, "stall": stall}
WRITES: dict[str, tuple[str, Callable[[redis.StrictRedis], object]]] = {
    "INCR": ("INCR", lambda client: client.execute_command("INCR", "n")),
    "INCRBY": ("INCRBY", lambda client: client.incr("n")),
    "LPUSH": ("LPUSH", lambda client: client.execute_command("LPUSH", "l", "x")),
    "LPOP": ("LPOP", lambda client: client.execute_command("LPOP", "l")),
    "EVAL": ("EVAL", lambda client: client.execute_command("EVAL", "return redis.call('incr', 'n')", 0)),
    "SET NX": ("SET", lambda client: client.set("k", "v", nx=True)),
    "small": ("INCR", lambda client: client.execute_command("incr", "n")),
    "bytes": ("INCR", lambda client: client.execute_command(b"INCR", "n")),
    "unknown": ("ECHO", lambda client: client.execute_command("echo", "x")),
}
LARGE = b"x" * 300_000


@pytest.mark.parametrize("action", LOST.values(), ids=LOST)
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_whose_reply_is_lost(node, client, write, action) -> None:
    name, call = write
    client.ping()
    node.script(name, action)
    with pytest.raises(redis.ConnectionError) as caught:
        call(client)
    assert caught.value.maybe_applied is True
    assert node.count(name) == 1
    assert sound(client.connection_pool)
    assert client.get("none") is None


@pytest.mark.parametrize("action", LATE.values(), ids=LATE)
@pytest.mark.parametrize("name", ["INCRBY", "LPOP"])
def test_a_write_whose_reply_does_not_come_in_time(node, client, name: str, action) -> None:
    name, call = WRITES[name]
    client.ping()
    node.script(name, action)
    start = monotonic()
    with pytest.raises(redis.TimeoutError) as caught:
        call(client)
    assert 0.15 < monotonic() - start < 1
    assert caught.value.maybe_applied is True
    assert node.count(name) == 1
    assert client.get("none") is None


def test_dropped_before_it_was_executed_is_unknown_too(node, client) -> None:
    client.ping()
    node.script("INCRBY", drop)
    with pytest.raises(redis.ConnectionError) as caught:
        client.incr("n")
    assert caught.value.maybe_applied is True and node.count("INCRBY") == 0


@pytest.mark.parametrize("action", [*LOST.values(), drop], ids=[*LOST, "drop"])
def test_a_read_is_tried_once_more(node, client, action) -> None:
    client.set("a", "A")
    node.script("GET", action)
    assert client.get("a") == b"A"
    node.script("GET", action, action)
    with pytest.raises(redis.ConnectionError):
        client.get("a")
    assert node.scripts["GET"] == type(node.scripts["GET"])()
    assert client.get("a") == b"A"


@pytest.mark.parametrize("action", LATE.values(), ids=LATE)
def test_a_read_out_of_time_is_not_tried_again(node, client, action) -> None:
    client.set("a", "A")
    node.script("GET", action)
    with pytest.raises(redis.TimeoutError):
        client.get("a")
    assert node.count("GET") == 1
    assert client.get("a") == b"A"


def test_a_large_reply_that_is_cut(node, client) -> None:
    client.set("a", LARGE)
    node.script("GET", half)
    assert client.get("a") == LARGE
    node.script("GET", half, stall)
    with pytest.raises(redis.TimeoutError):
        client.get("a")
    assert client.get("a") == LARGE


def test_a_time_out_is_tried_again_where_the_user_asked_for_it(node, make) -> None:
    client = make(**node.options, socket_timeout=0.3, retry_on_timeout=True)
    client.ping()
    node.script("INCRBY", silent, answer)
    assert client.incr("n") == 2
    assert node.count("INCRBY") == 2


def test_a_time_out_and_then_nobody_home_is_still_unknown(node, make) -> None:
    """The second attempt was not sent, and the first may have been executed."""
    client = make(**node.options, socket_timeout=0.3, retry_on_timeout=True)
    client.ping()
    node.script("INCRBY", silent)
    node.script("accept", close)
    with pytest.raises(redis.RedisError) as caught:
        client.incr("n")
    assert caught.value.maybe_applied is True
    assert node.count("INCRBY") == 1


@pytest.mark.parametrize("action", LOST.values(), ids=LOST)
def test_a_block_whose_reply_is_lost(node, make, action) -> None:
    client = make(**node.options, socket_timeout=0.3, single_connection_client=True)
    client.execute_command("MULTI")
    client.execute_command("INCR", "n")
    client.execute_command("LPUSH", "l", "x")
    node.script("EXEC", action)
    with pytest.raises(redis.ConnectionError) as caught:
        client.execute_command("EXEC")
    assert caught.value.maybe_applied is True
    assert node.count("INCR") == 1 and node.count("LPUSH") == 1
