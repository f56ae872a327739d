"""READONLY, MASTERDOWN and LOADING say that the server is not what it was: nobody stays connected to it.

After the name of the primary has moved, each connection costs one error at the most, and every later write reaches the
new primary.  No sentinel is needed for that, and the client is an ordinary one.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import redis
from tests.faults.fakenode import FakeNode, refuse
from tests.faults.proxy import Proxy
from tests.servers import REDIS7, VALKEY, ask, standalone, until

NAME = "primary.example"
THREADS, WRITES = 6, 60
REFUSALS = {
    "READONLY": (redis.ReadOnlyError, "READONLY You can't write against a read only replica."),
    "MASTERDOWN": (redis.exceptions.MasterDownError, "MASTERDOWN Link with MASTER is down."),
    "LOADING": (redis.BusyLoadingError, "LOADING the server is loading the dataset in memory"),
}
CALLS: dict[str, Callable[[Any], Any]] = {
    "command": lambda client: client.incr("n"),
    "pipeline": lambda client: client.pipeline(transaction=False).incr("n").execute()[0],
    "transaction": lambda client: client.pipeline().incr("n").execute()[0],
}


@pytest.fixture(params=CALLS)
def call(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    """A write in each way."""
    return CALLS[request.param]


@pytest.fixture
def client(node: FakeNode, make: Callable[..., redis.StrictRedis]) -> redis.StrictRedis:
    """A client that has time: nothing hangs here."""
    return make(**node.options, socket_timeout=5)


def connected(client: redis.StrictRedis, count: int) -> list[Any]:
    """Let the pool have so many idle connections; return them."""
    pool = client.connection_pool
    lent = [pool.get_connection() for _ in range(count)]
    for connection in lent:
        connection.connect()
    for connection in lent:
        pool.release(connection)
    return lent


@pytest.mark.parametrize("word", REFUSALS)
def test_the_connection_and_its_mates_are_left(node: FakeNode, client: redis.StrictRedis, call, word: str) -> None:
    kind, text = REFUSALS[word]
    connected(client, 3)
    node.script("INCRBY", refuse(text))
    if call is CALLS["transaction"]:
        node.script("EXEC", refuse("EXECABORT Transaction discarded because of previous errors."))
    with pytest.raises(kind):
        call(client)
    assert [connection._sock for connection in client.connection_pool._available_connections] == [None] * 3
    until(lambda: all(link.closed for link in node.links))
    assert [call(client) for _ in range(3)] == [1, 2, 3]
    assert len([link for link in node.links if not link.closed]) == 1


@pytest.mark.parametrize("word", REFUSALS)
def test_one_that_is_in_use_is_left_when_it_comes_back(node: FakeNode, client: redis.StrictRedis, word: str) -> None:
    kind, text = REFUSALS[word]
    pool = client.connection_pool
    lent = pool.get_connection()
    lent.connect()
    node.script("GET", refuse(text))
    with pytest.raises(kind):
        client.get("a")
    lent.send_command("PING")
    assert lent.read_response() in (b"PONG", "PONG")
    pool.release(lent)
    assert lent._sock is None


@pytest.fixture(scope="module", params=[VALKEY, REDIS7], ids=["valkey", "redis7"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any]]:
    with standalone(request.param) as one, standalone(request.param) as other:
        yield one, other


class Primary:
    """A primary and its replica, and ways to reach the one that is primary."""

    def __init__(self, one: Any, other: Any) -> None:
        self.now, self.next = one, other
        for server in (one, other):
            ask(server, "REPLICAOF", "NO", "ONE")
            ask(server, "FLUSHALL")
        self.follow()

    def follow(self) -> None:
        """Make the next server a replica of the present one, and wait until it has all."""
        ask(self.next, "REPLICAOF", self.now.host, self.now.port)
        until(lambda: b"master_link_status:up" in ask(self.next, "INFO", "replication"))

    def move(self) -> None:
        """Change their roles.  Connections to the old primary stay open."""
        ask(self.now, "CLIENT", "PAUSE", 10_000, "WRITE")
        until(lambda: offset(self.now, "master_repl_offset") == offset(self.next, "slave_repl_offset"))
        ask(self.next, "REPLICAOF", "NO", "ONE")
        self.now, self.next = self.next, self.now
        ask(self.next, "REPLICAOF", self.now.host, self.now.port)
        ask(self.next, "CLIENT", "UNPAUSE")


def offset(server: Any, field: str) -> int:
    """How much of the stream of replication a server has sent, or has received."""
    facts = dict(line.split(b":", 1) for line in ask(server, "INFO", "replication").split(b"\r\n") if b":" in line)
    return int(facts[field.encode()])


@pytest.fixture
def primary(pair) -> Primary:
    return Primary(*pair)


@pytest.fixture(params=["name", "proxy"])
def way(request: pytest.FixtureRequest, primary: Primary, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The options that lead to the primary: by a name that is looked up, or through a proxy."""
    if request.param == "name":
        look_up = socket.getaddrinfo

        def lead(host: Any, port: Any, *rest: Any, **more: Any) -> list[Any]:
            if host in (NAME, NAME.encode()):
                host, port = primary.now.host, primary.now.port
            return look_up(host, port, *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", lead)
        yield {"host": NAME, "port": 6379}
    else:
        with Moving(primary) as proxy:
            yield {"host": "127.0.0.1", "port": proxy.port}


class Moving(Proxy):
    """Leads new connections to whoever is the primary; those that were made stay where they are."""

    def __init__(self, primary: Primary) -> None:
        super().__init__((primary.now.host, primary.now.port))
        self.primary = primary

    def link(self, client: socket.socket) -> None:
        self.upstream = (self.primary.now.host, self.primary.now.port)
        super().link(client)


def test_every_idle_connection_costs_one_error_at_the_most(primary: Primary, way, make) -> None:
    client = make(**way)
    connections = connected(client, 5)
    assert client.incr("n") == 1
    primary.move()
    errors = 0
    for call in [*CALLS.values()] * 7:
        try:
            call(client)
        except redis.ReadOnlyError:
            errors += 1
    assert 1 <= errors <= len(connections)
    assert ask(primary.now, "GET", "n") == b"%d" % (22 - errors)


def test_writers_in_many_threads_reach_the_new_primary(primary: Primary, way, make) -> None:
    """The names change while they write; an acknowledged write is there, once, and a refused one is not."""
    client = make(**way, socket_timeout=5)
    errors: list[BaseException] = []
    said: Counter[str] = Counter()
    half = threading.Barrier(THREADS + 1, timeout=30)

    def write(name: str) -> None:
        for number in range(WRITES):
            if number == WRITES // 2:
                half.wait()
            try:
                client.rpush("log", f"{name}:{number}")
                said[f"{name}:{number}"] = 1
            except redis.ReadOnlyError as error:
                errors.append(error)
            except BaseException as error:
                said[repr(error)] = -1

    threads = [threading.Thread(target=write, args=(str(number),)) for number in range(THREADS)]
    with ExitStack() as stack:
        for thread in threads:
            thread.start()
            stack.callback(thread.join)
        primary.move()
        half.wait()
    assert 0 < len(errors) <= THREADS, "one for each connection at the most"
    written = Counter(entry.decode() for entry in ask(primary.now, "LRANGE", "log", 0, -1))
    assert written == said
    assert len(said) == THREADS * WRITES - len(errors)


def test_a_replica_that_has_lost_its_master(primary: Primary, way, make) -> None:
    """MASTERDOWN, for a replica that is told not to serve old data."""
    client = make(**way)
    ask(primary.now, "SET", "who", "one")
    until(lambda: ask(primary.next, "GET", "who") == b"one")
    ask(primary.now, "CONFIG", "SET", "replica-serve-stale-data", "no")
    try:
        connections = connected(client, 3)
        assert client.get("who") == b"one"
        ask(primary.now, "REPLICAOF", "127.0.0.1", "1")
        ask(primary.next, "REPLICAOF", "NO", "ONE")
        primary.now, primary.next = primary.next, primary.now
        with pytest.raises(redis.exceptions.MasterDownError):
            client.get("who")
        assert [connection._sock for connection in connections] == [None] * 3
        assert client.get("who") == b"one"
    finally:
        ask(primary.next, "CONFIG", "SET", "replica-serve-stale-data", "yes")


@pytest.mark.parametrize("name", [VALKEY, REDIS7], ids=["valkey", "redis7"])
def test_a_server_that_loads_its_data(name: str, make, tmp_path: Path) -> None:
    """LOADING, of a real one, while it reads its data again."""
    slow = {"appendonly": True, "loading-process-events-interval-bytes": 1024}
    with standalone(name, config=slow, data_dir=tmp_path) as server:
        client = make(host=server.host, port=server.port, socket_timeout=5)
        pipe = client.pipeline(transaction=False)
        for number in range(5000):  # it looks after its clients once in a thousand commands
            pipe.set(f"key:{number}", "x" * 100)
        pipe.execute()
        connections = connected(client, 3)
        ask(server, "CONFIG", "SET", "key-load-delay", "100")
        loading = threading.Thread(target=ask, args=(server, "DEBUG", "LOADAOF"))
        loading.start()
        with pytest.raises(redis.BusyLoadingError) as caught:
            until(lambda: client.get("key:0") is None)
        assert caught.value.maybe_applied is False
        assert [connection._sock for connection in connections] == [None] * 3
        ask(server, "CONFIG", "SET", "key-load-delay", "0")
        loading.join()
        assert client.get("key:0") == b"x" * 100
