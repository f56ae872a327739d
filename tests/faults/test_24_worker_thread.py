"""``run_in_thread`` survives its handlers and what befalls the server; after ``stop()`` nothing is left of it."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

import redis
from redis.client import PubSub, PubSubWorkerThread
from redis.embedded import free_port
from tests.conftest import Transport
from tests.servers import ask, standalone, until


@pytest.fixture
def transport(server: Any) -> Transport:
    """TCP alone: what a thread does with a connection is the same over each."""
    return Transport("tcp", server, {"host": server.host, "port": server.port})


@pytest.fixture
def client(transport, make) -> redis.StrictRedis:
    return make(**transport.options)


@pytest.fixture
def p(client) -> Iterator[PubSub]:
    with client.pubsub() as pubsub:
        yield pubsub


def open_sockets() -> int:
    return sum(os.readlink(path).startswith("socket:") for path in Path("/proc/self/fd").iterdir() if path.is_symlink())


def nobody_listens(server: Any) -> bool:
    return ask(server, "PUBSUB", "CHANNELS") == [] and ask(server, "PUBSUB", "NUMPAT") == 0


def publish(server: Any, channel: str, *data: object) -> None:
    """Publish to whoever is subscribed, and wait until somebody is."""
    for item in data:
        until(lambda item=item: ask(server, "PUBLISH", channel, item) == 1)


class Recorder:
    """A handler that remembers data, and raises on those that begin with "bad"."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def __call__(self, message: dict[str, Any]) -> None:
        self.heard.append(message["data"])
        if message["data"].startswith(b"bad"):
            raise ZeroDivisionError(message["data"])


@pytest.mark.parametrize("stop_within", [0, 0.01, 30])
def test_nothing_is_left_after_stop(transport, client, p, stop_within: float) -> None:
    client.ping()
    before = threading.active_count(), open_sockets()
    recorder = Recorder()
    p.subscribe(a=recorder)
    p.psubscribe(**{"b*": recorder})
    p.ssubscribe(c=recorder)
    worker = p.run_in_thread(sleep_time=stop_within)
    publish(transport.server, "a", "1")
    publish(transport.server, "bb", "2")
    until(lambda: client.spublish("c", "3") == 1)
    until(lambda: recorder.heard == [b"1", b"2", b"3"])
    start = monotonic()
    worker.stop()
    assert monotonic() - start < 1.5
    assert not worker.is_alive()
    assert (threading.active_count(), open_sockets()) == before
    until(lambda: nobody_listens(transport.server))
    assert not p.subscribed


@pytest.mark.parametrize("subscribe", ["subscribe", "psubscribe", "ssubscribe"])
def test_a_subscription_without_a_handler_is_refused(p, subscribe: str) -> None:
    getattr(p, subscribe)("plain", handled=print)
    before = threading.active_count()
    with pytest.raises(redis.PubSubError, match="b'plain' has no handler registered"):
        p.run_in_thread()
    assert threading.active_count() == before


def test_the_thread_ends_when_nothing_is_subscribed_any_more(transport, p) -> None:
    p.subscribe(a=lambda message: p.unsubscribe("a"))
    worker = p.run_in_thread()
    publish(transport.server, "a", "x")
    worker.join(5)
    assert not worker.is_alive()
    assert p.connection is None


def test_a_handler_that_raises_is_reported_to_the_callback(transport, p) -> None:
    reports: list[tuple[Exception, PubSub, PubSubWorkerThread]] = []
    recorder = Recorder()
    p.subscribe(a=recorder)
    worker = p.run_in_thread(exception_handler=lambda *report: reports.append(report))
    publish(transport.server, "a", "bad 1", "good", "bad 2", "end")
    until(lambda: recorder.heard == [b"bad 1", b"good", b"bad 2", b"end"])
    worker.stop()
    assert [(type(error), *objects) for error, *objects in reports] == [(ZeroDivisionError, p, worker)] * 2


def test_a_handler_that_raises_is_logged(transport, p, caplog) -> None:
    recorder = Recorder()
    p.subscribe(a=recorder)
    with caplog.at_level(logging.ERROR, "redis.pubsub"):
        worker = p.run_in_thread()
        publish(transport.server, "a", "bad", "good")
        until(lambda: recorder.heard == [b"bad", b"good"])
        worker.stop()
    (record,) = caplog.records
    assert record.exc_info[0] is ZeroDivisionError
    assert record.getMessage().startswith("error in the thread of PubSub<")


def test_a_callback_that_raises_is_logged_too(transport, p, caplog) -> None:
    def callback(error: Exception, pubsub: PubSub, thread: PubSubWorkerThread) -> None:
        raise KeyError("of the callback") from error

    recorder = Recorder()
    p.subscribe(a=recorder)
    worker = p.run_in_thread(exception_handler=callback)
    publish(transport.server, "a", "bad", "good")
    until(lambda: recorder.heard == [b"bad", b"good"])
    worker.stop()
    assert "of the callback" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_the_callback_may_stop_the_thread(transport, p) -> None:
    p.subscribe(a=Recorder())
    worker = p.run_in_thread(exception_handler=lambda error, pubsub, thread: thread.stop())
    publish(transport.server, "a", "bad")
    worker.join(5)
    assert not worker.is_alive()
    until(lambda: nobody_listens(transport.server))


def test_a_handler_that_calls_stop(transport, p) -> None:
    workers: list[PubSubWorkerThread] = []
    p.subscribe(a=lambda message: workers[0].stop())
    workers.append(p.run_in_thread())
    publish(transport.server, "a", "x")
    workers[0].join(5)
    assert not workers[0].is_alive()
    until(lambda: nobody_listens(transport.server))


def test_a_handler_that_subscribes_and_unsubscribes(transport, p) -> None:
    recorder = Recorder()

    def more(message: dict[str, Any]) -> None:
        p.subscribe(**{message["data"].decode(): recorder})
        p.unsubscribe("a")

    p.subscribe(a=more)
    worker = p.run_in_thread()
    publish(transport.server, "a", "b")
    publish(transport.server, "b", "x", "y")
    until(lambda: recorder.heard == [b"x", b"y"])
    assert ask(transport.server, "PUBSUB", "CHANNELS") == [b"b"]
    worker.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_handler_that_ends_the_thread_by_force(transport, p) -> None:
    """SystemExit ends a thread without a word; what it held is closed all the same."""

    def leave(message: dict[str, Any]) -> None:
        raise SystemExit

    p.subscribe(a=leave)
    worker = p.run_in_thread()
    publish(transport.server, "a", "x")
    worker.join(5)
    until(lambda: nobody_listens(transport.server))
    assert p.connection is None


def test_closed_by_another_thread(transport, p, caplog) -> None:
    p.subscribe(a=print)
    worker = p.run_in_thread(sleep_time=20)
    until(lambda: p._reading is not None)
    p.close()
    worker.join(5)
    assert not worker.is_alive()
    assert caplog.records == []
    until(lambda: nobody_listens(transport.server))


def test_the_client_is_closed(client, p) -> None:
    """There is nothing to come back to: one report, and the thread ends."""
    reports: list[Exception] = []
    p.subscribe(a=print)
    worker = p.run_in_thread(exception_handler=lambda error, *_: reports.append(error))
    until(lambda: p._reading is not None)
    client.close()
    worker.join(5)
    assert not worker.is_alive()
    assert [str(report) for report in reports] == ["this pool has been closed"]


def test_a_restarted_server(make) -> None:
    """While it is down the callback is told, and not in a hurry; then everything is subscribed again."""
    reports: list[Exception] = []
    gaps: list[PubSub] = []
    recorder = Recorder()
    with standalone(port=free_port()) as server:
        client = make(port=server.port)
        p = client.pubsub(on_reconnect=gaps.append)
        p.subscribe(a=recorder)
        p.psubscribe(**{"b*": recorder})
        worker = p.run_in_thread(exception_handler=lambda error, *_: reports.append(error))
        publish(server, "a", "before")
        until(lambda: recorder.heard == [b"before"])
        server.stop()
        until(lambda: len(reports) >= 2)
        server.start()
        publish(server, "a", "after")
        publish(server, "bb", "after too")
        until(lambda: recorder.heard == [b"before", b"after", b"after too"])
        worker.stop()
        assert {type(report) for report in reports} == {redis.ConnectionError}
        assert len(reports) < 20
        assert gaps == [p]
        until(lambda: nobody_listens(server))


def test_many_threads_come_and_go(transport, client) -> None:
    client.ping()
    before = threading.active_count(), open_sockets()
    for _ in range(30):
        p = client.pubsub()
        p.subscribe(a=Recorder())
        p.run_in_thread(daemon=True).stop()
    client.ping()
    assert (threading.active_count(), open_sockets()) == before
    until(lambda: nobody_listens(transport.server))
