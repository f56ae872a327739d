"""Forks of a program that listens: the child begins anew, the parent goes on listening, and no message goes astray."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import redis
from redis.client import PubSub
from tests.faults.test_18_fork import child, thread, work
from tests.servers import ask, until

TCP = pytest.mark.parametrize("transport", ["tcp"], indirect=True)
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def hear(pubsub: PubSub, data: str) -> None:
    """Read until a message with these data comes; any other message is a failure."""
    for _ in range(100):
        message = pubsub.get_message(ignore_subscribe_messages=True, timeout=0.1)
        if message is not None:
            assert message["data"] == data.encode()
            return
    raise AssertionError(f"{data} never came")


def use_inherited(client: redis.StrictRedis, pubsub: PubSub) -> None:
    """What a child does with the objects of its parent: they work, over connections of their own."""
    work(client, "child")
    pubsub.subscribe("child")
    until(lambda: (pubsub.get_message(timeout=0.1) or {}).get("channel") == b"child")
    assert client.publish("child", "to the child") == 1
    hear(pubsub, "to the child")


@pytest.fixture
def client(transport, make) -> redis.StrictRedis:
    return make(**transport.options)


@pytest.fixture
def pubsub(client) -> Iterator[PubSub]:
    with client.pubsub() as pubsub:
        pubsub.subscribe("parent")
        assert pubsub.get_message(timeout=1)["type"] == "subscribe"
        yield pubsub


def go_on(client: redis.StrictRedis, pubsub: PubSub, subscribers: int = 1) -> None:
    """The parent's connection is the one it was, and says what the parent shall hear."""
    assert client.publish("parent", "to the parent") == subscribers
    hear(pubsub, "to the parent")


def test_both_go_on(client, pubsub) -> None:
    gaps: list[PubSub] = []
    pubsub.on_reconnect = gaps.append
    with child(lambda: use_inherited(client, pubsub)):
        work(client, "parent")
    go_on(client, pubsub)
    assert gaps == [], "the child has closed the connection of its parent"


@TCP
def test_a_child_that_closes(transport, client, pubsub) -> None:
    with child(lambda: (pubsub.close(), client.close())):
        pass
    go_on(client, pubsub)
    assert ask(transport.server, "PUBSUB", "NUMSUB", "parent") == [b"parent", 1]


@contextmanager
def holding(lock: Any) -> Iterator[None]:
    """Another thread holds the lock while the block runs."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            done.wait(20)

    holder = thread(hold)
    held.wait()
    try:
        yield
    finally:
        done.set()
        holder.join()


@TCP
def test_while_another_thread_holds_the_lock(client, pubsub) -> None:
    with holding(pubsub._lock), child(lambda: use_inherited(client, pubsub)):
        work(client, "parent")
    go_on(client, pubsub)


def test_while_another_thread_waits_for_a_message(client, pubsub) -> None:
    heard: list[Any] = []
    waiting = thread(lambda: heard.append(pubsub.get_message(timeout=None)))
    until(lambda: pubsub._reading is not None)
    with child(lambda: use_inherited(client, pubsub)):
        work(client, "parent")
    assert client.publish("parent", "x") == 1
    waiting.join(5)
    assert [message["data"] for message in heard] == [b"x"]


def subscribe_at_once(client: redis.StrictRedis, pubsub: PubSub) -> None:
    """In the child nobody reads: it connects when it subscribes, and not when it reads."""
    pubsub.subscribe("child")
    until(lambda: client.publish("child", "x") == 1)


def close_first(client: redis.StrictRedis, pubsub: PubSub) -> None:
    pubsub.close()
    use_inherited(client, pubsub)


@TCP
@pytest.mark.parametrize("task", [subscribe_at_once, close_first])
def test_while_another_thread_waits_and_the_child_does_not(client, pubsub, task) -> None:
    heard: list[Any] = []
    waiting = thread(lambda: heard.append(pubsub.get_message(timeout=None)))
    until(lambda: pubsub._reading is not None)
    with child(lambda: task(client, pubsub)):
        pass
    assert client.publish("parent", "x") == 1
    waiting.join(5)
    assert [message["data"] for message in heard] == [b"x"]


@TCP
def test_while_a_thread_of_ours_reads(client) -> None:
    heard: list[Any] = []
    pubsub = client.pubsub()
    pubsub.subscribe(parent=heard.append)
    worker = pubsub.run_in_thread()
    try:
        for number in range(5):
            with child(lambda number=number: work(client, f"child {number}", 20)):
                assert client.publish("parent", number) == 1
        until(lambda: len(heard) == 5)
    finally:
        worker.stop()


def listen_in_child(options: dict[str, Any]) -> None:
    with redis.StrictRedis(**options) as client, client.pubsub() as pubsub:
        use_inherited(client, pubsub)


@TCP
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing(transport, speech, client, pubsub, method: str) -> None:
    context = multiprocessing.get_context(method)
    if method == "fork":
        process = context.Process(target=use_inherited, args=(client, pubsub))
    else:
        process = context.Process(target=listen_in_child, args=({**transport.options, **speech},))
    process.start()
    work(client, "parent")
    process.join(20)
    assert process.exitcode == 0
    go_on(client, pubsub)
