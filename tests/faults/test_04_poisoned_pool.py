"""A command that changes its connection does not poison the pool."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

import redis
from tests.faults.conftest import LEFT_TO_FINALIZER, sound
from tests.faults.interrupt import INSTRUCTION, interruptions

pytestmark = LEFT_TO_FINALIZER

CHANGES = {
    "select": ("SELECT", 5),
    "in small letters": ("select", 5),
    "bytes": (b"SELECT", b"5"),
    "mixed": ("SeLeCt", "5"),
    "multi": ("MULTI",),
    "watch": ("WATCH", "a"),
    "hello 2": ("HELLO", 2),
    "hello 3": ("HELLO", 3),
    "reset": ("RESET",),
    "subscribe": ("SUBSCRIBE", "news"),
    "psubscribe": (b"psubscribe", "n*"),
    "monitor": ("MONITOR",),
    "readonly": ("READONLY",),
    "no-evict": ("CLIENT", "NO-EVICT", "ON"),
    "no-evict in one": ("CLIENT NO-EVICT", "ON"),
    "tracking": ("client", b"tracking", "on"),
    "quit": ("QUIT",),
}


def identity(client: redis.StrictRedis) -> int:
    return client.execute_command("CLIENT", "ID")


@pytest.mark.parametrize("words", CHANGES.values(), ids=CHANGES)
def test_the_connection_is_not_used_again(transport, make, words: tuple) -> None:
    client = make(**transport.options, socket_timeout=1)
    client.set("a", "A")
    before = identity(client)
    with suppress(redis.RedisError):  # the server does not know it, or answers with pushes, which are no replies
        client.execute_command(*words)
    assert client.get("a") == b"A"
    client.set("b", "B")
    assert identity(client) != before
    assert make(**transport.options).mget("a", "b") == [b"A", b"B"]
    assert sound(client.connection_pool)


@pytest.mark.parametrize(
    "words", [("CLIENT", "SETNAME", "ann"), ("CLIENT", "ID"), ("CONFIG", "GET", "save"), ("PING",)]
)
def test_what_changes_nothing_keeps_its_connection(transport, make, words: tuple) -> None:
    client = make(**transport.options)
    before = identity(client)
    client.execute_command(*words)
    assert identity(client) == before


def test_interrupted_at_every_instruction(transport, make) -> None:
    client = make(**transport.options)
    client.set("a", "A")
    for run in interruptions(lambda: client.execute_command("SELECT", 5), INSTRUCTION):
        assert client.get("a") == b"A", run
        assert sound(client.connection_pool), run


@pytest.mark.parametrize("words", [("CLIENT", "REPLY", "OFF"), ("client reply", b"skip")])
def test_a_command_without_a_reply_is_refused(node, client, words: tuple) -> None:
    client.set("a", "A")
    with pytest.raises(redis.DataError):
        client.execute_command(*words)
    assert client.get("a") == b"A"
    assert not any("REPLY" in command for command in node.received)


def test_a_client_with_one_connection_keeps_what_it_changed(transport, make) -> None:
    client = make(**transport.options, single_connection_client=True)
    other = make(**transport.options)
    client.execute_command("SELECT", 5)
    client.set("b", "B")
    assert other.get("b") is None
    client.execute_command("SELECT", 0)
    other.set("b", "0")
    assert client.get("b") == b"0"


def test_what_one_connection_was_changed_to_is_not_lost_in_silence(node, make) -> None:
    client = make(**node.options, single_connection_client=True, socket_timeout=1)
    client.execute_command("SELECT", 5)
    node.links[0].reset()
    with pytest.raises(redis.ConnectionError):
        client.set("b", "B")
    assert node.store.values[0] == {}


def execute(pipe: Any) -> None:
    pipe.multi()
    pipe.set("a", "A").execute()


@pytest.mark.parametrize("watching", [lambda pipe: pipe.get("a"), execute], ids=["get", "exec"])
def test_what_was_changed_before_keys_were_watched_is_not_lost_in_silence(
    node, make, watching: Callable[[Any], Any]
) -> None:
    client = make(**node.options, single_connection_client=True, socket_timeout=1)
    client.execute_command("SELECT", 5)
    pipe = client.pipeline()
    pipe.watch("a")
    node.close_links()
    with pytest.raises((redis.ConnectionError, redis.WatchError)):
        watching(pipe)
    with pytest.raises(redis.ConnectionError):
        client.set("b", "B")
    assert node.store.values[0] == {}
    client.set("b", "B")
    assert node.store.values[0] == {b"b": b"B"}


def test_keys_that_were_watched_are_no_change_that_could_be_lost(node, make) -> None:
    client = make(**node.options, single_connection_client=True, socket_timeout=1)
    pipe = client.pipeline()
    pipe.watch("a")
    node.close_links()
    with pytest.raises((redis.ConnectionError, redis.WatchError)):
        pipe.get("a")
    client.set("b", "B")
    assert node.store.values[0] == {b"b": b"B"}
