"""After a reconnect all is subscribed again, and whoever asked is told of the gap before the next message."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

import pytest

import redis
from redis.client import PubSub
from redis.embedded import free_port
from tests.faults.proxy import Proxy
from tests.servers import ask, standalone, until

LOSSES: dict[str, Callable[[Proxy, Any], None]] = {
    "cut": lambda proxy, server: proxy.cut(),
    "reset": lambda proxy, server: proxy.reset(),
    "killed": lambda proxy, server: ask(server, "CLIENT", "KILL", "TYPE", "pubsub"),
    "cut in the middle of a message": lambda proxy, server: cut_within(proxy, server),
}


def cut_within(proxy: Proxy, server: Any) -> None:
    proxy.replies.budget = 20
    ask(server, "PUBLISH", "a", "x" * 100)
    until(lambda: proxy.replies.budget == 0)
    proxy.replies.budget = None


def lost(proxy: Proxy, server: Any, loss: str) -> None:
    """Lose the connection, and wait until the server knows."""
    LOSSES[loss](proxy, server)
    until(lambda: ask(server, "PUBSUB", "CHANNELS") == [])


def read(pubsub: PubSub, count: int, within: float = 5) -> list[dict[str, Any]]:
    """The next messages, those of subscriptions left out."""
    found: list[dict[str, Any]] = []
    start = monotonic()
    while len(found) < count:
        assert monotonic() - start < within, found
        try:
            message = pubsub.get_message(ignore_subscribe_messages=True, timeout=0.1)
        except redis.ConnectionError:
            continue
        if message is not None:
            found.append(message)
    return found


def data(messages: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    return [(message["type"], message["data"]) for message in messages]


def published(server: Any, channel: str, item: str) -> None:
    """Publish as soon as somebody is there to hear it."""
    until(lambda: ask(server, "PUBLISH", channel, item) == 1)


def later(call: Callable[..., object], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=call, args=arguments)
    thread.start()
    return thread


@pytest.mark.parametrize("loss", LOSSES)
def test_the_message_comes_before_the_next(transport, proxy, make, loss: str) -> None:
    with make(**proxy.options).pubsub(reconnect_messages=True) as p:
        p.subscribe("a")
        published(transport.server, "a", "before")
        assert data(read(p, 1)) == [("message", b"before")]
        lost(proxy, transport.server, loss)
        publisher = later(published, transport.server, "a", "after")
        assert data(read(p, 2)) == [("reconnect", None), ("message", b"after")]
        publisher.join()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("transport", ["tcp"], indirect=True)
def test_the_callback_comes_before_the_next(transport, proxy, make, loss: str) -> None:
    told: list[Any] = []
    with make(**proxy.options).pubsub(on_reconnect=told.append) as p:
        p.subscribe(a=lambda message: told.append(message["data"]))
        for number in range(3):
            lost(proxy, transport.server, loss) if number else None
            publisher = later(published, transport.server, "a", f"{number}")
            while b"%d" % number not in told:
                p.get_message(timeout=0.05)
            publisher.join()
    assert told == [b"0", p, b"1", p, b"2"]


@pytest.mark.parametrize("transport", ["tcp"], indirect=True)
def test_old_loops_see_what_they_always_saw(transport, proxy, make) -> None:
    with make(**proxy.options).pubsub() as p:
        p.subscribe("a")
        assert p.get_message(timeout=1)["type"] == "subscribe"
        proxy.cut()
        publisher = later(published, transport.server, "a", "after")
        assert p.get_message(timeout=5)["type"] == "subscribe"
        assert p.get_message(timeout=5)["data"] == b"after"
        publisher.join()


@pytest.mark.parametrize("transport", ["tcp"], indirect=True)
def test_another_thread_makes_it_anew(transport, proxy, make) -> None:
    """Who subscribes while nobody reads finds the loss; who reads next is told first."""
    with make(**proxy.options).pubsub(reconnect_messages=True) as p:
        p.subscribe("a")
        read_none(p)
        lost(proxy, transport.server, "cut")
        while ask(transport.server, "PUBLISH", "b", "x") == 0:
            later(p.subscribe, "b").join()
            sleep(0.01)
        assert data(read(p, 2)) == [("reconnect", None), ("message", b"x")]


def read_none(pubsub: PubSub) -> None:
    assert pubsub.get_message(ignore_subscribe_messages=True, timeout=0.5) is None


@pytest.mark.parametrize("transport", ["tcp"], indirect=True)
def test_everything_is_subscribed_again(transport, proxy, make) -> None:
    heard: list[tuple[str, Any]] = []

    def handler(message: dict[str, Any]) -> None:
        heard.append((message["type"], message["channel"]))

    client = make(**proxy.options)
    with client.pubsub(reconnect_messages=True) as p:
        p.subscribe("plain", "gone", handled=handler)
        p.psubscribe("p*", **{"q*": handler})
        p.ssubscribe("shard", s=handler)
        p.unsubscribe("gone")
        read(p, 0)
        until(lambda: len(ask(transport.server, "PUBSUB", "CHANNELS")) == 2)
        for _ in range(3):
            lost(proxy, transport.server, "cut")
            assert data(read(p, 1)) == [("reconnect", None)]
            until(lambda: ask(transport.server, "PUBSUB", "SHARDNUMSUB", "s") == [b"s", 1])
            assert set(ask(transport.server, "PUBSUB", "CHANNELS")) == {b"plain", b"handled"}
            for channel in ("plain", "handled", "px", "qx"):
                assert ask(transport.server, "PUBLISH", channel, "x") == (2 if channel == "plain" else 1)
            assert ask(transport.server, "SPUBLISH", "shard", "x") == 1
            assert ask(transport.server, "SPUBLISH", "s", "x") == 1
            types = [message["type"] for message in read(p, 4)]
            assert types == ["message", "pmessage", "pmessage", "smessage"]
            until(lambda: p.get_message(timeout=0.05) is None and len(heard) == 3)
            assert heard == [("message", b"handled"), ("pmessage", b"qx"), ("smessage", b"s")]
            heard.clear()


def test_no_notice_where_there_was_no_gap(make) -> None:
    """While the server is away there is nothing to tell: the notice comes once, when all is subscribed again."""
    told: list[PubSub] = []
    options = {"on_reconnect": told.append, "reconnect_messages": True}
    with standalone(port=free_port()) as server, make(port=server.port).pubsub(**options) as p:
        p.subscribe("a")
        read_none(p)
        server.stop()
        for _ in range(3):
            with pytest.raises(redis.ConnectionError):
                p.get_message(timeout=0.5)
        assert told == []
        server.start()
        assert [p.get_message(timeout=1)["type"] for _ in range(2)] == ["reconnect", "subscribe"]
        assert told == [p]
        p.close()
        p.subscribe("a")
        assert p.get_message(timeout=1)["type"] == "subscribe"
        assert told == [p]


def test_a_callback_that_raises_is_heard_once(make) -> None:
    def callback(pubsub: PubSub) -> None:
        raise ZeroDivisionError

    with standalone() as server, make(port=server.port).pubsub(on_reconnect=callback) as p:
        p.subscribe("a")
        read_none(p)
        p.connection.disconnect()
        with pytest.raises(ZeroDivisionError):
            p.get_message(timeout=1)
        assert p.get_message(timeout=1)["type"] == "subscribe"
