"""Silence is noticed in Pub/Sub: one PING, a time-out, and the connection is made anew, told to whoever asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

import pytest

import redis
from redis.client import PubSub
from tests.faults.fakenode import Action, FakeNode, answer, hold, raw
from tests.servers import ask

INTERVAL, PATIENCE = 0.2, 0.15
#: Most of it is about time, which is the same over every transport.
TCP_NODE = pytest.mark.parametrize("node", ["tcp"], indirect=True)
TCP = pytest.mark.parametrize("transport", ["tcp"], indirect=True)


def confirmed(protocol: int, channel: str = "a", extra: bytes = b"") -> Action:
    """What the server says to SUBSCRIBE, and what comes after it."""
    return raw(b"%c3\r\n+subscribe\r\n+%b\r\n:1\r\n" % (b">" if protocol == 3 else b"*", channel.encode()) + extra)


def half_a_message(protocol: int) -> bytes:
    return b"%c3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1000\r\nxxx" % (b">" if protocol == 3 else b"*")


def read_until(pubsub: PubSub, kind: str, within: float, step: float | None = 0.05) -> float:
    """Read until a message of that type comes; return for how many seconds."""
    start = monotonic()
    while monotonic() - start < within:
        message = pubsub.get_message(timeout=step)
        if message is not None and message["type"] == kind:
            return monotonic() - start
    raise AssertionError(f"no {kind} within {within} s")


@pytest.fixture
def protocol(speech: dict[str, Any]) -> int:
    return speech["protocol"]


@pytest.fixture
def silent_node(node: FakeNode, protocol: int) -> FakeNode:
    """Confirms subscriptions, and says nothing else on its first link."""
    node.always("SUBSCRIBE", confirmed(protocol))
    node.script("PING", hold)
    return node


@TCP_NODE
@pytest.mark.parametrize(
    ("step", "options"),
    [(0.05, {"socket_timeout": PATIENCE}), (None, {"socket_timeout": PATIENCE}), (None, {})],
    ids=["polling", "waiting", "no socket_timeout"],
)
def test_a_dead_peer_is_given_up(silent_node: FakeNode, make: Callable[..., Any], options, step) -> None:
    told: list[PubSub] = []
    patience = options.get("socket_timeout", INTERVAL)
    client = make(**silent_node.options, **options)
    with client.pubsub(health_check_interval=INTERVAL, reconnect_messages=True, on_reconnect=told.append) as p:
        p.subscribe("a")
        read_until(p, "subscribe", 1)
        silence = read_until(p, "reconnect", 3, step)
        assert INTERVAL + patience - 0.05 <= silence < INTERVAL + patience + 0.3
        assert told == [p]
        read_until(p, "subscribe", 1)
        assert silent_node.received.count(("SUBSCRIBE", "a")) == 2
        assert silent_node.received.count(("PING", "redispy-health-check")) == 1


@TCP_NODE
def test_at_most_one_ping_is_in_flight(silent_node: FakeNode, make) -> None:
    with make(**silent_node.options, socket_timeout=5).pubsub(health_check_interval=0.05) as p:
        p.subscribe("a")
        read_until(p, "subscribe", 1)
        for _ in range(100):
            assert p.get_message(timeout=0.005) is None
        assert silent_node.received.count(("PING", "redispy-health-check")) == 1


@pytest.mark.parametrize("node", ["tls"], indirect=True)
@pytest.mark.parametrize("options", [{"socket_timeout": PATIENCE}, {}], ids=["socket_timeout", "none"])
def test_silence_in_the_middle_of_a_message(node: FakeNode, make, protocol: int, options) -> None:
    node.script("SUBSCRIBE", confirmed(protocol, extra=half_a_message(protocol)), confirmed(protocol))
    node.script("PING", hold)
    patience = options.get("socket_timeout", INTERVAL)
    with make(**node.options, **options).pubsub(health_check_interval=INTERVAL, reconnect_messages=True) as p:
        p.subscribe("a")
        read_until(p, "subscribe", 1)
        start = monotonic()
        assert p.get_message(timeout=0.1) is None
        assert monotonic() - start < 0.2, "the rest of a message is not waited for longer than we were told"
        assert read_until(p, "reconnect", 2) < INTERVAL + patience + 0.3


@TCP_NODE
def test_a_message_that_comes_in_pieces(node: FakeNode, make, protocol: int) -> None:
    def in_pieces(link: Any, execute: Any) -> None:
        confirmed(protocol)(link, execute)
        for piece in (half_a_message(protocol), b"y" * 500, b"z" * 497, b"\r\n"):
            sleep(0.12)
            link.write(piece)

    node.script("SUBSCRIBE", in_pieces)
    with make(**node.options, socket_timeout=0.1).pubsub(health_check_interval=0.2) as p:
        p.subscribe("a")
        read_until(p, "subscribe", 1)
        heard = [p.get_message(timeout=0.1) for _ in range(8)]
        assert [message["data"] for message in heard if message] == [b"xxx" + b"y" * 500 + b"z" * 497]


@TCP
def test_a_peer_that_stays_dead(proxy, make) -> None:
    """As long as nothing passes each call is an error in time; when it does again, all is well without any help."""
    client = make(**proxy.options, socket_timeout=PATIENCE)
    with client.pubsub(health_check_interval=INTERVAL, reconnect_messages=True) as p:
        p.subscribe("a")
        read_until(p, "subscribe", 1)
        proxy.stop()
        start = monotonic()
        for limit in (INTERVAL + 2 * PATIENCE, PATIENCE):
            with pytest.raises((redis.TimeoutError, redis.ConnectionError)):
                p.get_message(timeout=3)
            assert monotonic() - start < limit + 0.4
            start = monotonic()
        proxy.go()
        while True:
            try:
                read_until(p, "reconnect", 2)
                break
            except (redis.TimeoutError, redis.ConnectionError):
                assert monotonic() - start < 5
        read_until(p, "subscribe", 1)


@TCP
def test_a_live_peer_is_left_alone(transport, make) -> None:
    """The answers to the PINGs are no messages, a message that looks like one is."""
    client = make(**transport.options, socket_timeout=PATIENCE)
    gaps: list[PubSub] = []
    with client.pubsub(health_check_interval=0.05, on_reconnect=gaps.append) as p:
        p.subscribe("a")
        read_until(p, "subscribe", 1)
        for _ in range(10):
            assert p.get_message(timeout=0.05) is None
        ask(transport.server, "PUBLISH", "a", "redispy-health-check")
        message = p.get_message(timeout=1) or p.get_message(timeout=1)
        assert message == {"type": "message", "pattern": None, "channel": b"a", "data": b"redispy-health-check"}
        assert gaps == []


@TCP
def test_who_reads_seldom_is_no_sign_of_silence(transport, make) -> None:
    client = make(**transport.options, socket_timeout=0.05)
    gaps: list[PubSub] = []
    with client.pubsub(health_check_interval=0.05, on_reconnect=gaps.append) as p:
        p.subscribe("a")
        for _ in range(4):
            p.get_message()
            sleep(0.12)
        assert gaps == []


@pytest.mark.parametrize("transport", ["tcp", "tls"], indirect=True)
def test_a_message_that_comes_byte_by_byte(transport, proxy, make) -> None:
    """A record of TLS is not waited for either."""
    with make(**proxy.options).pubsub() as p:
        p.subscribe("a")
        read_until(p, "subscribe", 1)
        proxy.replies.split = True
        ask(transport.server, "PUBLISH", "a", "x" * 1000)
        start = monotonic()
        assert p.get_message(timeout=0.1) is None
        assert monotonic() - start < 0.25
        read_until(p, "message", 5)


@TCP_NODE
def test_a_busy_channel_is_not_asked(node: FakeNode, make, protocol: int) -> None:
    message = b"%c3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n" % (b">" if protocol == 3 else b"*")

    def talkative(link: Any, execute: Any) -> None:
        confirmed(protocol)(link, execute)
        for _ in range(15):
            sleep(0.03)
            link.write(message)

    node.script("SUBSCRIBE", talkative)
    with make(**node.options).pubsub(health_check_interval=0.3) as p:
        p.subscribe("a")
        read_until(p, "subscribe", 1)
        for _ in range(15):
            assert p.get_message(timeout=1)["data"] == b"x"
        assert not [words for words in node.received if words[0] == "PING"]


@TCP_NODE
def test_others_go_on_while_one_waits(silent_node: FakeNode, make) -> None:
    """A thread that subscribes does not wait for the one that waits for the silent peer."""
    silent_node.script("PING", answer)
    with make(**silent_node.options, socket_timeout=PATIENCE).pubsub(health_check_interval=INTERVAL) as p:
        p.subscribe("a")
        reader = threading.Thread(target=lambda: [p.get_message(timeout=0.1) for _ in range(8)])
        reader.start()
        longest = 0.0
        while reader.is_alive():
            start = monotonic()
            p.subscribe("a")
            longest = max(longest, monotonic() - start)
            sleep(0.02)
        reader.join()
        assert longest < 0.2
