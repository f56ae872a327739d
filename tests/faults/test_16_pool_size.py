"""A pool cannot shrink: whatever went wrong however often, ``max_connections`` can be borrowed afterwards."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import sleep
from typing import Any

import pytest

import redis
from redis.connection import BlockingConnectionPool, Connection, ConnectionPool
from tests.faults.conftest import LEFT_TO_FINALIZER, sound
from tests.faults.fakenode import RefusingPort, turn_away
from tests.faults.interrupt import INSTRUCTION, LINE, THROWN, Thrower, interruptions, throwing
from tests.servers import ask, until

pytestmark = LEFT_TO_FINALIZER
SIZE = 3
TIMES = 1000
THROWS = 300


class Moody(Connection):
    """A connection that cannot be made while it is in a bad mood."""

    mood = "good"

    def __init__(self, **options: Any) -> None:
        if Moody.mood == "bad":
            raise LookupError("not today")
        super().__init__(**options)


@pytest.fixture(params=[ConnectionPool, BlockingConnectionPool])
def make_pool(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """A function that makes pools of either class, of SIZE connections, which do not wait."""

    def make(**options: Any) -> Any:
        if request.param is BlockingConnectionPool:
            options["timeout"] = 0
        return request.param(max_connections=SIZE, **options)

    return make


@pytest.fixture
def pool(make_pool, server) -> Any:
    with make_pool(host=server.host, port=server.port) as pool:
        yield pool


def still_whole(pool: Any) -> None:
    """As many as there may be can be borrowed and used, and not one more."""
    gc.collect()
    assert sound(pool)
    held = [pool.get_connection("PING") for _ in range(SIZE)]
    with pytest.raises(redis.ConnectionError):
        pool.get_connection("PING")
    for connection in held:
        connection.send_command("PING")
        assert connection.read_response() in (b"PONG", "PONG")
        pool.release(connection)
    assert len({id(connection) for connection in held}) == SIZE


def fail(pool: Any, error: type[Exception], times: int = TIMES) -> None:
    client = redis.StrictRedis(connection_pool=pool)
    for number in range(times):
        with pytest.raises(error):
            client.get("a") if number % 2 else connect(pool)


def connect(pool: Any) -> None:
    """Borrow a connection, use it, give it back, as those do who know no client."""
    connection = pool.get_connection("PING")
    try:
        connection.connect()
    finally:
        pool.release(connection)


def test_constructor_errors(make_pool, server, monkeypatch: pytest.MonkeyPatch) -> None:
    with make_pool(connection_class=Moody, host=server.host, port=server.port) as pool:
        monkeypatch.setattr(Moody, "mood", "bad")
        fail(pool, LookupError)
        monkeypatch.setattr(Moody, "mood", "good")
        still_whole(pool)


def test_names_that_cannot_be_resolved(pool, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*address: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "_connect", lambda connection: nobody())
        with pytest.raises((redis.ConnectionError, socket.gaierror)):
            connect(pool)
    with make_unresolvable(type(pool)) as unresolvable:
        fail(unresolvable, redis.ConnectionError, 5)
        assert unresolvable._created_connections <= SIZE
    still_whole(pool)


def make_unresolvable(pool_class: Any) -> Any:
    return pool_class(max_connections=SIZE, host="no-such-host.invalid", port=1)


def test_refused(make_pool, server) -> None:
    with RefusingPort() as port, make_pool(host="127.0.0.1", port=port) as pool:
        fail(pool, redis.ConnectionError)
        for connection in list(pool._available_connections):
            connection.port = server.port
        pool.connection_kwargs["port"] = server.port
        still_whole(pool)


def test_refused_credentials(make_pool, server) -> None:
    with make_pool(host=server.host, port=server.port, username="nobody", password="x") as pool:
        fail(pool, redis.AuthenticationError)
        assert pool._created_connections == 1 and sound(pool)


def test_turned_away(make_pool, node) -> None:
    if node.path or node.context:
        pytest.skip("the transport is of no account here")
    with make_pool(host="127.0.0.1", port=node.port, db=1) as pool:
        node.always("SELECT", turn_away("ERR max number of clients reached"))
        fail(pool, redis.ConnectionError, 100)
        node.rules.clear()
        still_whole(pool)


def test_holders_that_died(pool) -> None:
    def borrow() -> None:
        pool.get_connection("PING").send_command("PING")

    for _ in range(100):
        thread = threading.Thread(target=borrow)
        thread.start()
        thread.join()
    for _ in range(TIMES):
        pool.get_connection("PING")
    still_whole(pool)


class Slow(Connection):
    """A connection that takes its time to be made, so that many are made at once."""

    def __init__(self, **options: Any) -> None:
        sleep(0.02)
        super().__init__(**options)


def test_many_at_once(make_pool, server) -> None:
    with make_pool(connection_class=Slow, host=server.host, port=server.port) as pool:
        lent: list[Any] = []

        def borrow() -> None:
            with suppress(redis.ConnectionError):
                lent.append(pool.get_connection("PING"))

        threads = [threading.Thread(target=borrow) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(lent) == SIZE
        for connection in lent:
            pool.release(connection)
        del connection
        lent.clear()
        still_whole(pool)


@pytest.mark.parametrize("immediate", [False, True])
def test_disconnect_reaches_those_in_use(pool, server, immediate: bool) -> None:
    client = redis.StrictRedis(connection_pool=pool)
    before = client.execute_command("CLIENT", "ID")
    ask(server, "DEL", "queue")

    def wait() -> None:
        with suppress(redis.ConnectionError):
            client.blpop("queue", timeout=5)

    waiting = threading.Thread(target=wait)
    waiting.start()
    until(lambda: b"blocked_clients:1" in ask(server, "INFO", "clients"))
    pool.disconnect(immediate=immediate)
    ask(server, "RPUSH", "queue", "x")
    waiting.join()
    assert client.execute_command("CLIENT", "ID") != before
    still_whole(pool)


def test_given_back_twice(pool) -> None:
    connection = pool.get_connection("PING")
    for _ in range(TIMES):
        pool.release(connection)
    still_whole(pool)


@pytest.mark.parametrize("unit", [LINE, INSTRUCTION])
@pytest.mark.parametrize("call", [connect, lambda pool: redis.StrictRedis(connection_pool=pool).ping()])
def test_interrupted(pool, unit: str, call: Callable[[Any], object]) -> None:
    prepare: list[Callable[[], object]] = [lambda: None, pool.disconnect]
    for between in prepare:
        step = 1 if unit == LINE or between is not pool.disconnect else 11
        for run in interruptions(lambda: call(pool), unit, prepare=between, step=step):
            assert sound(pool), run
        still_whole(pool)


def test_interrupted_with_all_but_one_in_use(pool) -> None:
    held = [pool.get_connection("PING") for _ in range(SIZE - 1)]
    for run in interruptions(lambda: connect(pool), INSTRUCTION, prepare=pool.disconnect, step=5):
        connect(pool), run
    for connection in held:
        pool.release(connection)
    still_whole(pool)


@pytest.mark.parametrize("kind", THROWN)
def test_thrown_by_another_thread(pool, kind: type[BaseException]) -> None:
    client = redis.StrictRedis(connection_pool=pool)
    calls = [client.ping, lambda: connect(pool), lambda: client.pipeline().ping().execute(), pool.disconnect]
    with throwing(kind) as thrower:
        done = use_in_threads(SIZE, thrower, calls, kind, redis.exceptions.MaxConnectionsError)
    assert sum(done) > 0
    still_whole(pool)


@pytest.mark.parametrize("kind", THROWN)
def test_thrown_into_those_who_wait(server, kind: type[BaseException]) -> None:
    """Nobody waits in vain: the turn of one who is gone is passed on."""
    with BlockingConnectionPool(max_connections=SIZE, timeout=20, host=server.host, port=server.port) as pool:
        client = redis.StrictRedis(connection_pool=pool)
        with throwing(kind) as thrower:
            done = use_in_threads(2 * SIZE, thrower, [client.ping], kind)
        assert sum(done) > 0
        pool.timeout = 0
        still_whole(pool)


def use_in_threads(
    count: int, thrower: Thrower, calls: list[Callable[[], object]], *errors: type[BaseException]
) -> list[int]:
    """Let so many threads make these calls, and throw into them; return how many ended well, for each thread."""

    def use(number: int) -> int:
        done = 0
        while thrower.throws < THROWS:
            with suppress(*errors):
                thrower.expose(calls[done % len(calls)])
                done += 1
        return done

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(use, range(count)))


def test_interrupted_while_waiting(server) -> None:
    """A waiter who is interrupted passes his turn on."""
    with BlockingConnectionPool(max_connections=1, timeout=0.02, host=server.host, port=server.port) as pool:
        held = pool.get_connection("PING")
        for run in interruptions(lambda: gives_up(pool), INSTRUCTION, step=7):
            # A finalizer may have swallowed it; else it came through.
            assert run.error in (run.raised, None), run
        pool.release(held)
        connect(pool)


def gives_up(pool: Any) -> None:
    with pytest.raises(redis.ConnectionError):
        pool.get_connection("PING")
