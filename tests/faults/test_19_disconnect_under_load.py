"""``disconnect()`` and ``close()`` while threads are at work: one clear class of error, and no wrong answer."""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic, sleep
from typing import Any

import pytest

import redis
from redis import StrictRedis
from redis.connection import BlockingConnectionPool, ConnectionPool
from tests.connection.doubles import Classic
from tests.faults.conftest import SOAK, settle, sound
from tests.servers import ask, until

SIZE = 20
SECONDS = 20.0 if SOAK else 0.3
CLOSED = r"^this (client|pool) has been closed$"


class Work:
    """One thread that does one kind of work over and over and checks each answer; errors it keeps."""

    def __init__(self, client: StrictRedis, number: int) -> None:
        self.client = client
        self.key = f"{type(self).__name__.lower()}-{number}"
        #: How many times the work was done; how many times its outcome is not known.
        self.done = self.unknown = 0
        self.errors: list[BaseException] = []
        self.wrong: list[Any] = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, name=self.key, daemon=True)

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                self.once()
                self.done += 1
            except Exception as error:
                self.errors.append(error)
                if re.match(CLOSED, str(error)):
                    break
        self.end()

    def once(self) -> None:
        raise NotImplementedError

    def end(self) -> None:
        pass

    def expect(self, condition: bool, found: Any) -> None:
        if not condition:
            self.wrong.append(found)


class Commands(Work):
    """A counter that is this thread's alone: it says what was executed."""

    def once(self) -> None:
        try:
            value = self.client.incr(self.key)
        except redis.RedisError as error:
            self.unknown += getattr(error, "maybe_applied", False)
            raise
        self.expect(self.done < value <= self.done + 1 + self.unknown, (self.done, self.unknown, value))


class Pipelines(Work):
    """The same in a transaction."""

    def once(self) -> None:
        try:
            value, echo = self.client.pipeline().incr(self.key).echo(self.key).execute()
        except redis.RedisError as error:
            self.unknown += getattr(error, "maybe_applied", False)
            raise
        self.expect(self.done < value <= self.done + 1 + self.unknown and echo == self.key.encode(), (value, echo))


class Plain(Work):
    """A pipeline without a transaction, of many commands."""

    def once(self) -> None:
        pipe = self.client.pipeline(transaction=False)
        for number in range(50):
            pipe.echo(f"{self.key}-{number}")
        found = pipe.execute()
        self.expect(found == [f"{self.key}-{number}".encode() for number in range(50)], found)


class Watching(Work):
    """A transaction that is tried anew; a connection that was lost while it watched is a WatchError, and so as well."""

    def once(self) -> None:
        def double(pipe: Any) -> None:
            value = int(pipe.get(self.key) or 0)
            pipe.multi()
            pipe.set(self.key, value + 1)

        self.expect(self.client.transaction(double, self.key) == [True], self.key)


class Blocking(Work):
    """A queue of its own."""

    def once(self) -> None:
        if self.done % 2:
            found: Any = self.client.blpop(f"{self.key}-empty", timeout=0.01)
            self.expect(found is None, found)
        self.client.delete(self.key)
        self.client.rpush(self.key, "x")
        found = self.client.blpop(self.key, timeout=2)
        # What was sent once may have been taken by the call that did not hear of it: then there is nothing.
        self.expect(found == (self.key.encode(), b"x"), found)


class Listening(Work):
    """A channel that only this thread speaks on."""

    listener: Any = None

    def once(self) -> None:
        if self.listener is None:
            self.listener = self.client.pubsub(ignore_subscribe_messages=True)
            self.listener.subscribe(self.key)
        self.client.publish(self.key, self.done)
        message = self.listener.get_message(timeout=0.01)
        self.expect(message is None or message["channel"] == self.key.encode(), message)

    def end(self) -> None:
        if self.listener is not None:
            self.listener.close()


KINDS = (Commands, Pipelines, Plain, Watching, Blocking, Blocking, Listening, Listening)


@pytest.fixture(params=[StrictRedis, Classic], ids=["short", "classic"])
def client_class(request: pytest.FixtureRequest) -> type[StrictRedis]:
    return request.param


@pytest.fixture(params=[ConnectionPool, BlockingConnectionPool])
def make_pool(request: pytest.FixtureRequest, server, speech) -> Iterator[Callable[..., Any]]:
    """A function that makes pools of both classes and speeches, for a server that is empty."""
    ask(server, "FLUSHALL")
    with ExitStack() as pools:

        def make(**options: Any) -> Any:
            options = {"host": server.host, "port": server.port, "max_connections": SIZE, **speech, **options}
            return pools.enter_context(request.param(**options))

        yield make


@contextmanager
def load(client: StrictRedis) -> Iterator[list[Work]]:
    """Eight threads at work, until the block ends; their answers are right, and their errors of one class."""
    works = [kind(client, number) for number, kind in enumerate(KINDS)]
    for work in works:
        work.thread.start()
    try:
        until(lambda: all(work.done for work in works))
        yield works
    finally:
        for work in works:
            work.stopping.set()
        for work in works:
            work.thread.join(20)
    assert not [work.key for work in works if work.thread.is_alive()]
    assert [work.wrong for work in works if work.wrong] == []
    errors = [error for work in works for error in work.errors]
    assert [error for error in errors if not isinstance(error, redis.ConnectionError)] == []


def again_and_again(action: Callable[[], object], works: list[Work]) -> None:
    """Do ``action`` for a while, every few milliseconds, and wait until everybody has done something since."""
    end = monotonic() + SECONDS
    while monotonic() < end:
        action()
        sleep(0.003)
    before = [work.done for work in works]
    until(lambda: all(work.done > old for work, old in zip(works, before)))


def test_disconnect(make_pool, client_class) -> None:
    """Each connection is made anew between two uses: nobody notices."""
    pool = make_pool()
    with load(client_class(connection_pool=pool)) as works:
        again_and_again(pool.disconnect, works)
        assert [error for work in works for error in work.errors] == []
    assert sound(pool)
    assert settle(pool) <= SIZE


@pytest.mark.parametrize("fork_safe", [True, False], ids=["left to its user", "shut down"])
def test_disconnect_at_once(make_pool, client_class, fork_safe) -> None:
    pool = make_pool(fork_safe=fork_safe)
    with load(client_class(connection_pool=pool)) as works:
        again_and_again(lambda: pool.disconnect(immediate=True), works)
    assert sound(pool)
    assert settle(pool) <= SIZE


def test_retire(make_pool, client_class) -> None:
    """What a pool does where a server is not what it was; nobody notices."""
    pool = make_pool()
    with load(client_class(connection_pool=pool)) as works:
        again_and_again(pool.retire, works)
        assert [error for work in works for error in work.errors] == []
    assert sound(pool)


def test_an_error_that_is_kept_keeps_no_place(node, make) -> None:
    """Its traceback holds the list that the connection was from, which ``disconnect()`` has put away meanwhile."""
    client, errors = make(**node.options, max_connections=1), []
    pool = client.connection_pool
    node.always("INCRBY", lambda link, execute: (pool.disconnect(), pool.disconnect(), link.close()))
    for _ in range(3):
        with pytest.raises(redis.ConnectionError) as caught:
            client.incr("n")
        errors.append(caught.value)
    assert client.ping() is True
    assert [error.maybe_applied for error in errors] == [True] * 3
    assert pool._created_connections == 1


# The end


def all_say_that_it_is_closed(works: list[Work]) -> None:
    """Whoever is at work ends by himself, and the last that he hears is that it is closed, and nothing was executed."""
    for work in works:
        work.thread.join(5)
        assert not work.thread.is_alive(), work.key
        with pytest.raises(redis.ConnectionError, match=CLOSED) as caught:
            raise work.errors[-1]
        assert caught.value.maybe_applied is False


def still_open(pool: Any) -> list[Any]:
    """The connections that have a socket; errors that are kept may keep others alive."""
    gc.collect()
    return [ref() for ref in list(pool._live) if getattr(ref(), "_sock", None) is not None]


@pytest.mark.parametrize("fork_safe", [True, False], ids=["left to its user", "shut down"])
def test_the_pool_is_closed(make_pool, client_class, fork_safe) -> None:
    pool = make_pool(fork_safe=fork_safe)
    with load(client_class(connection_pool=pool)) as works:
        pool.close()
        all_say_that_it_is_closed(works)
    assert (pool._available_connections, still_open(pool)) == ([], [])


@pytest.mark.parametrize("fork_safe", [True, False], ids=["left to its user", "shut down"])
def test_the_client_is_closed(server, speech, client_class, fork_safe) -> None:
    ask(server, "FLUSHALL")
    with client_class(host=server.host, port=server.port, fork_safe=fork_safe, **speech) as client:
        with load(client) as works:
            client.close()
            all_say_that_it_is_closed(works)
        assert still_open(client.connection_pool) == []


def test_who_waits_for_a_connection_hears_of_it(server, speech) -> None:
    """More threads than connections, and a long time-out."""
    options = {"host": server.host, "port": server.port, **speech}
    with BlockingConnectionPool(max_connections=3, timeout=60, **options) as pool:
        client = StrictRedis(connection_pool=pool)
        works = [Commands(client, number) for number in range(8)]
        for work in works:
            work.thread.start()
        until(lambda: all(work.done for work in works))
        pool.close()
        all_say_that_it_is_closed(works)
        assert pool._waiting == {}


CALLS: dict[str, Callable[[StrictRedis], object]] = {
    "command": lambda client: client.get("k"),
    "special command": lambda client: client.execute_command("SELECT", 3),
    "blocking command": lambda client: client.blpop("k", timeout=1),
    "transaction": lambda client: client.pipeline().get("k").execute(),
    "plain pipeline": lambda client: client.pipeline(transaction=False).get("k").execute(),
    "watch": lambda client: client.pipeline().watch("k"),
    "transaction()": lambda client: client.transaction(lambda pipe: pipe.get("k"), "k"),
    "subscribe": lambda client: client.pubsub().subscribe("k"),
    "monitor": lambda client: client.monitor().__enter__(),
    "script": lambda client: client.register_script("return 1")(),
    "lock": lambda client: client.lock("k", timeout=1).acquire(blocking=False),
    "scan": lambda client: list(client.scan_iter()),
}


@pytest.fixture(params=["own pool", "given pool", "single connection"])
def closed_client(request, server, speech) -> Iterator[StrictRedis]:
    """A client that was used and closed; a pool that it was given is still open."""
    options = {"host": server.host, "port": server.port, **speech}
    with ConnectionPool(**options) as pool:
        if request.param == "given pool":
            client: StrictRedis = StrictRedis(connection_pool=pool)
        else:
            client = StrictRedis(single_connection_client=request.param != "own pool", **options)
        client.ping()
        client.close()
        yield client


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_after_close_every_call_says_so(closed_client, call) -> None:
    with pytest.raises(redis.ConnectionError, match=r"^this client has been closed$") as caught:
        call(closed_client)
    assert (caught.value.maybe_applied, caught.value.phase) == (False, "pool")


@pytest.mark.parametrize("fork_safe", [True, False], ids=["left to its user", "shut down"])
def test_who_blocks_without_an_end(server, make, fork_safe) -> None:
    """He gets what he waits for, or hears that his connection was shut; and then that the client is closed."""
    ask(server, "FLUSHALL")
    client = make(host=server.host, port=server.port, fork_safe=fork_safe)
    found: list[Any] = []

    def wait() -> None:
        try:
            found.append(client.blpop("queue", timeout=0))
        except redis.RedisError as error:
            found.append(error)
        with suppress(redis.ConnectionError):
            client.get("k")
            found.append("executed by a closed client")

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    until(lambda: b"blocked_clients:1" in ask(server, "INFO", "clients"))
    client.close()
    if fork_safe:
        ask(server, "RPUSH", "queue", "x")
    thread.join(5)
    assert not thread.is_alive()
    (answer,) = found
    if fork_safe:
        assert answer == (b"queue", b"x")
    else:
        assert isinstance(answer, redis.ConnectionError)
        assert answer.maybe_applied is True
