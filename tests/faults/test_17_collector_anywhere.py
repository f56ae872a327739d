"""The garbage collector can run anywhere: between any two bytecodes, in any thread, while any lock is held."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import pytest

from redis import StrictRedis
from redis.connection import BlockingConnectionPool
from tests.faults.conftest import SOAK
from tests.servers import ask, until

SECONDS = 30.0 if SOAK else 1.5
#: Seconds within which a thread that is not in a deadlock comes to its end.
PATIENCE = 10
TCP = pytest.mark.parametrize("transport", ["tcp"], indirect=True)


class Cycle:
    """Holds things and itself, so that the collector alone can find that nobody wants them."""

    def __init__(self, *held: object) -> None:
        self.held = held
        self.self = self


@contextmanager
def collecting_always() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.collect()


def leave_behind(client: StrictRedis) -> None:
    """Drop a Pub/Sub object that listens and a pipeline that watches, each in a cycle, neither of them closed."""
    p = client.pubsub()
    p.subscribe("a", b=print)
    p.get_message(timeout=1)
    pipe = client.pipeline()
    pipe.watch("k")
    Cycle(p, pipe, client.pubsub(), client.pipeline())


def in_threads(tasks: list[Callable[[], object]]) -> list[BaseException]:
    """Run the tasks side by side; return what they raised.  One that does not end is a deadlock."""
    failures: list[BaseException] = []

    def run(task: Callable[[], object]) -> None:
        try:
            task()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    deadline = monotonic() + SECONDS + PATIENCE
    for thread in threads:
        thread.join(max(0.0, deadline - monotonic()))
    assert not any(thread.is_alive() for thread in threads), "a deadlock"
    return failures


@pytest.mark.timeout(90)
def test_four_threads(transport, make) -> None:
    client = make(**transport.options)
    until_when = monotonic() + SECONDS / 3

    def work(name: str) -> None:
        while monotonic() < until_when:
            leave_behind(client)
            assert client.echo(name) == name.encode()
            with client.pipeline() as pipe:
                assert pipe.echo(name).echo(name).execute() == [name.encode()] * 2

    with collecting_always():
        assert in_threads([lambda name=name: work(name) for name in "abcd"]) == []
    gc.collect()
    until(lambda: ask(transport.server, "PUBSUB", "CHANNELS") == [])
    assert len(client.connection_pool._available_connections) == client.connection_pool._created_connections


@TCP
def test_while_the_lock_of_a_pubsub_object_is_held(transport, make) -> None:
    """The finalizers run in the thread that holds it, and in another one; neither wants it."""
    client = make(**transport.options)
    with client.pubsub() as p:
        p.subscribe("a")

        def holder() -> None:
            with p._lock:
                for _ in range(5):
                    leave_behind(client)
                    gc.collect()
                assert in_threads([lambda: leave_behind(client), gc.collect]) == []

        assert in_threads([holder]) == []
        gc.collect()
        assert len(client.connection_pool._live) - len(client.connection_pool._available_connections) == 1


@TCP
def test_the_object_itself_dies_while_its_lock_is_held(transport, make) -> None:
    client = make(**transport.options)

    def holder() -> None:
        p = client.pubsub()
        p.subscribe("a")
        lock, cycle = p._lock, Cycle(p)
        with lock:
            del p, cycle
            gc.collect()

    assert in_threads([holder]) == []
    until(lambda: ask(transport.server, "PUBSUB", "CHANNELS") == [])


@TCP
def test_while_threads_stand_in_line_for_a_connection(transport, make) -> None:
    lender = make(**transport.options).connection_pool
    options = {"connection_class": lender.connection_class, **lender.connection_kwargs}
    with BlockingConnectionPool(max_connections=2, timeout=PATIENCE, **options) as pool:
        client = StrictRedis(connection_pool=pool)

        def work(name: str) -> None:
            for number in range(30):
                Cycle(client.pubsub(), client.pipeline())
                assert client.echo(f"{name}{number}") == f"{name}{number}".encode()

        with collecting_always():
            assert in_threads([lambda name=name: work(name) for name in "abcd"]) == []
