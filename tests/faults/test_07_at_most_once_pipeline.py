"""One ``execute()``, at most one execution of what is in it; and the error says what is not known."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from random import Random
from time import sleep

import pytest

import redis
from tests.faults.conftest import SOAK
from tests.faults.fakenode import FakeNode, RefusingPort, answer, close, drop, half, hold, reset, silent, stall
from tests.faults.proxy import Proxy
from tests.servers import ask

LOST = {"close": close, "half": half, "reset": reset}
LATE = {"silent": silent, "hold": hold, "stall": stall}
BOTH = pytest.mark.parametrize("transaction", [True, False], ids=["transaction", "plain"])
#: More than the buffers of the kernel hold, where the receiver has little room.
LARGE = "x" * 6_000_000


def little_room(node: FakeNode) -> None:
    """Give the server little room for what it has not read."""
    node.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)


@pytest.fixture
def speech() -> dict[str, object]:
    """The usual: what is sent again does not depend on how replies are read."""
    return {}


@pytest.fixture
def client(node: FakeNode, make: Callable[..., redis.StrictRedis]) -> redis.StrictRedis:
    return make(**node.options, socket_timeout=5)


@pytest.fixture
def hasty(node: FakeNode, make: Callable[..., redis.StrictRedis]) -> redis.StrictRedis:
    """For what does not come in time."""
    return make(**node.options, socket_timeout=0.25, socket_connect_timeout=5)


@BOTH
@pytest.mark.parametrize("action", LOST.values(), ids=LOST)
def test_replies_that_are_lost(node, client, transaction: bool, action) -> None:
    client.ping()
    node.script("EXEC" if transaction else "INCRBY", action)
    pipe = client.pipeline(transaction).incr("n").lpush("l", "x")
    with pytest.raises(redis.ConnectionError) as caught:
        pipe.execute()
    assert caught.value.maybe_applied is True
    assert "it may have been applied" in str(caught.value)
    assert node.count("INCRBY") == 1
    assert node.count("LPUSH") == (1 if transaction else 0)
    assert client.get("none") is None
    assert pipe.ping().execute() == [True], "usable afterwards, and what was in it is gone"
    assert node.count("INCRBY") == 1


@BOTH
@pytest.mark.parametrize("action", LATE.values(), ids=LATE)
def test_replies_that_do_not_come_in_time(node, hasty, transaction: bool, action) -> None:
    hasty.ping()
    node.script("EXEC" if transaction else "INCRBY", action)
    with pytest.raises(redis.TimeoutError) as caught:
        hasty.pipeline(transaction).incr("n").execute()
    assert caught.value.maybe_applied is True
    assert node.count("INCRBY") == 1
    assert hasty.get("none") is None


@pytest.mark.parametrize("name", ["MULTI", "EXEC"])
def test_a_transaction_that_was_dropped_is_unknown(node, client, name: str) -> None:
    client.ping()
    node.script(name, drop)
    with pytest.raises(redis.ConnectionError) as caught:
        client.pipeline().incr("n").execute()
    assert caught.value.maybe_applied is True and node.count("INCRBY") == 0


def test_a_transaction_sent_in_part_was_not_applied_and_is_sent_again(node, client) -> None:
    """Without its EXEC the server executes nothing of it."""
    little_room(node)
    client.ping()
    node.script("MULTI", drop)
    assert client.pipeline().incr("n").set("large", LARGE).execute() == [1, True]
    assert node.count("INCRBY") == 1 and node.count("EXEC") == 1
    node.script("MULTI", drop, drop)
    with pytest.raises(redis.ConnectionError) as caught:
        client.pipeline().incr("n").set("large", LARGE).execute()
    assert caught.value.maybe_applied is False and caught.value.attempt == 2
    assert node.count("INCRBY") == 1


def test_a_transaction_sent_in_part_while_keys_are_watched_is_for_the_caller_to_begin_anew(node, client) -> None:
    """A second connection would watch nothing."""
    little_room(node)
    with client.pipeline() as pipe:
        pipe.watch("a")
        pipe.multi()
        node.script("MULTI", drop)
        with pytest.raises(redis.WatchError, match="nothing was executed"):
            pipe.incr("n").set("large", LARGE).execute()
    assert node.count("INCRBY") == 0


def test_a_plain_pipeline_sent_in_part_is_unknown(node, client) -> None:
    little_room(node)
    client.ping()
    node.script("SET", drop)
    with pytest.raises(redis.ConnectionError) as caught:
        client.pipeline(transaction=False).incr("n").set("small", 1).set("large", LARGE).execute()
    assert caught.value.maybe_applied is True
    assert caught.value.replies in ([1], []), "a reset may overtake what had been sent before"
    assert node.count("INCRBY") == 1


@BOTH
def test_nothing_was_sent_over_a_connection_that_had_been_closed(node, client, transaction: bool) -> None:
    client.ping()
    node.close_links()
    sleep(0.06)
    assert client.pipeline(transaction).incr("n").execute() == [1]
    assert node.count("INCRBY") == 1


@BOTH
def test_nobody_listens(transaction: bool) -> None:
    with RefusingPort() as port:
        pipe = redis.StrictRedis(host="127.0.0.1", port=port).pipeline(transaction).incr("n")
        with pytest.raises(redis.ConnectionError) as caught:
            pipe.execute()
    assert caught.value.maybe_applied is False and caught.value.attempt == 2
    assert pipe.connection is None and len(pipe) == 0


@pytest.mark.parametrize("action", [*LOST.values(), drop], ids=[*LOST, "drop"])
def test_what_only_reads_is_sent_once_more(node, client, action) -> None:
    client.set("a", "A")
    node.script("GET", action)
    pipe = client.pipeline(transaction=False)
    assert pipe.get("a").get("b").get("a").execute() == [b"A", None, b"A"]
    node.script("GET", action, action)
    with pytest.raises(redis.ConnectionError) as caught:
        pipe.get("a").get("a").execute()
    assert caught.value.attempt == 2
    assert client.get("a") == b"A"


@BOTH
def test_a_time_out_is_tried_again_where_the_user_asked_for_it(node, make, transaction: bool) -> None:
    client = make(**node.options, socket_timeout=0.25, retry_on_timeout=True)
    client.ping()
    node.script("EXEC" if transaction else "INCRBY", silent, answer)
    assert client.pipeline(transaction).incr("n").execute() == [2]
    node.script("EXEC" if transaction else "INCRBY", silent, silent, answer)
    with pytest.raises(redis.TimeoutError):
        client.pipeline(transaction).incr("n").execute()
    assert node.count("INCRBY") == 4, "twice, and no third time"


@BOTH
def test_a_time_out_and_then_nobody_home_is_still_unknown(node, make, transaction: bool) -> None:
    client = make(**node.options, socket_timeout=0.25, retry_on_timeout=True)
    client.ping()
    node.script("EXEC" if transaction else "INCRBY", silent)
    node.script("accept", close)
    with pytest.raises(redis.RedisError) as caught:
        client.pipeline(transaction).incr("n").execute()
    assert caught.value.maybe_applied is True
    assert "it may have been applied" in str(caught.value)


def test_a_blocking_command_is_not_sent_again(node, make) -> None:
    client = make(**node.options, socket_timeout=0.2, retry_on_timeout=True)
    client.ping()
    node.always("BLPOP", silent)
    with pytest.raises(redis.TimeoutError):
        client.pipeline(transaction=False).blpop("l", 0.1).execute()
    assert sum(words[0] == "BLPOP" for words in node.received) == 1


@pytest.mark.parametrize("name", ["WATCH", "GET", "INCRBY", "MULTI", "EXEC"])
@pytest.mark.parametrize("action", [*LOST.values(), drop], ids=[*LOST, "drop"])
def test_a_connection_lost_while_keys_are_watched(node, client, name: str, action) -> None:
    client.set("a", "A")
    node.script(name, action)
    with pytest.raises(redis.ConnectionError) as caught, client.pipeline() as pipe:
        pipe.watch("a")
        pipe.get("a")
        pipe.multi()
        pipe.incr("n").execute()
    assert caught.value.maybe_applied is True
    assert node.count("INCRBY") <= 1
    assert pipe.watching is False and pipe.connection is None
    assert client.get("a") == b"A"


def test_transaction_begins_anew_when_the_connection_was_lost_before_exec(node, client) -> None:
    calls = []

    def work(pipe):
        if not calls:
            node.close_links()
            sleep(0.06)
        calls.append(1)
        pipe.multi()
        pipe.incr("n")

    client.set("a", "A")
    assert client.transaction(work, "a") == [1]
    assert len(calls) == 2 and node.count("INCRBY") == 1


def test_history_through_a_lossy_link(server) -> None:
    """Every acknowledged pipeline was executed once, those that were not applied never, the others at most once."""
    random, guard = Random(7), threading.Lock()

    def accident() -> str | None:
        with guard:
            return random.choice(["close", "half", "reset"]) if random.random() < 0.05 else None

    tally = {"done": 0, "unknown": 0, "not": 0}
    ask(server, "FLUSHALL")
    with Proxy((server.host, server.port)) as proxy, redis.StrictRedis(port=proxy.port, socket_timeout=5) as client:
        proxy.replies.accident = proxy.requests.accident = accident

        def work(number: int) -> None:
            for turn in range(2000 if SOAK else 150):
                pipe = client.pipeline(transaction=(number + turn) % 2 == 0).incr("n").incr("m")
                try:
                    pipe.execute()
                    outcome = "done"
                except (redis.ConnectionError, redis.TimeoutError) as error:
                    outcome = "unknown" if error.maybe_applied else "not"
                with guard:
                    tally[outcome] += 1

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert tally["done"] > 100 and tally["unknown"] > 5
    for key in ("n", "m"):
        assert tally["done"] <= int(ask(server, "GET", key)) <= tally["done"] + tally["unknown"]
