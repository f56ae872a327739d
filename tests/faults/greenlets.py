"""Under gevent: greenlets that share a client, that are killed while they wait, and that let others run meanwhile.

These tests need a process in which gevent has replaced all that waits: tests/faults/test_gevent.py starts one, and
``python -m tests.under_gevent tests/faults/greenlets.py`` is the same by hand.
"""

from __future__ import annotations

import gc
import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import Any

import gevent.event
import pytest
from gevent.monkey import get_original

import redis
from redis import StrictRedis
from redis.backoff import ConstantBackoff
from redis.connection import BlockingConnectionPool, ConnectionPool
from redis.connection.deadline import current
from redis.connection.idle import Turn
from redis.connection.timeouts import SocketTimeouts
from redis.exceptions import LockError
from redis.retry import Retry
from tests.faults.conftest import SOAK, settle, sound
from tests.faults.fakenode import FakeNode, RefusingPort, hold
from tests.faults.proxy import Proxy
from tests.servers import ask, until

#: Greenlets on one client.
CROWD = 200
#: How many greenlets are killed, eight at a time; half of them by gevent.Timeout.
VICTIMS = 2500 if SOAK else 120
SIZE = 5
#: Seconds that something waits; how many more it may take on a machine that has much to do.
WAIT, LATE = 0.5, 5


def join(greenlets: list[Any]) -> list[Any]:
    """What the greenlets have returned; what one has raised is raised."""
    gevent.joinall(greenlets, timeout=60, raise_error=True)
    assert all(greenlet.ready() for greenlet in greenlets)
    return [greenlet.value for greenlet in greenlets]


class Ticks:
    """How often something ran, every 10 ms if it could."""

    def __init__(self, nap: Callable[[float], object]) -> None:
        self.nap, self.count, self.over = nap, 0, False

    def __call__(self) -> None:
        while not self.over:
            self.nap(0.01)
            self.count += 1


@contextmanager
def others_run() -> Iterator[None]:
    """Meanwhile, for WAIT seconds at the least, another greenlet runs nearly as often as a thread of the system can."""
    ticks, possible = Ticks(sleep), Ticks(get_original("time", "sleep"))
    ticker, start = gevent.spawn(ticks), monotonic()
    get_original("_thread", "start_new_thread")(possible, ())
    try:
        yield
    finally:
        ticks.over = possible.over = True
    assert monotonic() - start > WAIT - 0.05
    assert ticks.count >= possible.count / 4, "whoever waited did not let others run"
    ticker.join()


@pytest.fixture(params=[ConnectionPool, BlockingConnectionPool])
def pool(request: pytest.FixtureRequest, proxy: Proxy, speech: dict[str, Any]) -> Iterator[Any]:
    """A pool of either class that leads through a proxy, and has room for SIZE greenlets at a time."""
    with pool_for(request.param, max_connections=SIZE, **proxy.options, **speech) as pool:
        yield pool


@pytest.fixture
def client(server) -> Iterator[StrictRedis]:
    """A client of a server whose data are gone."""
    ask(server, "FLUSHALL")
    with StrictRedis(host=server.host, port=server.port) as client:
        yield client


def pool_for(pool_class: Any, **options: Any) -> Any:
    """A pool, from the options of a client."""
    with StrictRedis(**options) as client:
        made = client.connection_pool
    return pool_class(
        connection_class=made.connection_class, max_connections=made.max_connections, **made.connection_kwargs
    )


# One client for all


@pytest.mark.parametrize("pool_class", [ConnectionPool, BlockingConnectionPool])
def test_a_crowd_on_one_client(transport, pool_class) -> None:
    """Each gets his own answers; a pool that waits needs no more connections than it may have."""
    bound = SIZE if pool_class is BlockingConnectionPool else CROWD
    with pool_for(pool_class, max_connections=bound, **transport.options) as pool:
        client = StrictRedis(connection_pool=pool)

        def work(number: int) -> int:
            right = 0
            for turn in range(10):
                word = b"%d:%d" % (number, turn)
                right += client.set(word, word) and client.get(word) == word
                right += client.pipeline().echo(word).get(word).execute() == [word, word]
                right += client.incr("n") > turn
            return right

        assert join([gevent.spawn(work, number) for number in range(CROWD)]) == [30] * CROWD
        assert client.get("n") == b"%d" % (10 * CROWD)
        assert sound(pool) and len(pool._available_connections) == pool._created_connections
        assert 1 < pool._created_connections <= bound


def test_the_sockets_and_the_locks_are_those_of_gevent(transport) -> None:
    with StrictRedis(**transport.options) as client:
        client.ping()
        connection = client.connection_pool._available_connections[0]
        assert isinstance(connection._timeouts, SocketTimeouts)
        assert type(connection._sock).__module__.startswith("gevent.")
    assert type(Turn().lock).__module__ == "gevent.thread"


# Killed


class Work:
    """Calls whose answers are known, and the books of what was acknowledged."""

    def __init__(self, client: StrictRedis, chance: random.Random) -> None:
        self.client, self.chance = client, chance
        self.wrong: list[Any] = []
        self.calls = self.begun = self.acknowledged = 0

    def __call__(self, number: int) -> None:
        tasks = [self.echo, self.count, self.pipeline, self.transaction, self.block]
        while True:
            try:
                self.chance.choice(tasks)(b"%d" % number)
                self.calls += 1
            except redis.MaxConnectionsError:
                sleep(0.001)

    def expect(self, found: Any, expected: Any) -> None:
        if found != expected:
            self.wrong.append((found, expected))

    def echo(self, word: bytes) -> None:
        self.expect(self.client.echo(word), word)

    def count(self, word: bytes) -> None:
        self.begun += 1
        self.client.incr("n")
        self.acknowledged += 1

    def pipeline(self, word: bytes) -> None:
        self.expect(self.client.pipeline(transaction=False).echo(word).echo(word + b"x").execute(), [word, word + b"x"])

    def transaction(self, word: bytes) -> None:
        self.expect(self.client.pipeline().set(word, word).get(word).execute(), [True, word])

    def block(self, word: bytes) -> None:
        self.expect(self.client.blpop([b"none:" + word], timeout=0.01), None)


def killed(work: Work, number: int, seconds: float) -> None:
    """Work for so long: a time-out of gevent's ends it, or another greenlet, so long after some calls of anybody's."""
    if number % 2:
        with gevent.Timeout(seconds, False):
            work(number)
    else:
        victim, enough = gevent.spawn(work, number), work.calls + number % 4
        until(lambda: work.calls >= enough)
        sleep(seconds)
        assert not victim.ready(), victim.exception
        victim.kill()


def test_killed_at_any_time(pool, proxy: Proxy, transport) -> None:
    """Wherever a greenlet waits when it is killed: no wrong answer, and the pool is whole."""
    proxy.delay(0.001)
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance, before = random.Random(seed), open_sockets()
    work = Work(StrictRedis(connection_pool=pool), chance)

    def kill_some(first: int) -> None:
        for number in range(first, VICTIMS, 8):
            killed(work, number, chance.random() * 0.02)

    join([gevent.spawn(kill_some, first) for first in range(8)])
    assert work.wrong == []
    assert len(proxy.links) > VICTIMS // 4, "most were killed in the middle of a command"
    assert work.acknowledged > 0 and open_sockets() <= before + 2 * SIZE
    assert work.acknowledged <= int(ask(transport.server, "GET", "n") or 0) <= work.begun
    proxy.delay(0)
    still_whole(pool)


def open_sockets() -> int:
    """How many sockets this process has, those of the proxy among them."""
    gc.collect()
    sleep(0.02)  # gevent closes a socket on which somebody waits a moment later
    found = 0
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found += os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
    return found


def still_whole(pool: Any) -> None:
    """As many as there may be can be borrowed and used, and not one more."""
    gc.collect()
    assert sound(pool) and settle(pool) <= SIZE
    held = [pool.get_connection("PING") for _ in range(SIZE)]
    pool.timeout = 0
    with pytest.raises(redis.MaxConnectionsError):
        pool.get_connection("PING")
    for connection in held:
        connection.send_command("PING")
        assert connection.read_response() in (b"PONG", "PONG")
        pool.release(connection)
    assert len({id(connection) for connection in held}) == SIZE


# Others run


def blocks(client: StrictRedis) -> None:
    assert client.blpop("none", timeout=WAIT) is None


def waits_for_the_pool(client: StrictRedis) -> None:
    with BlockingConnectionPool(1, WAIT, **client.connection_pool.connection_kwargs) as pool:
        held = pool.get_connection()
        with pytest.raises(redis.MaxConnectionsError):
            StrictRedis(connection_pool=pool).ping()
        pool.release(held)


def waits_for_a_lock(client: StrictRedis) -> None:
    with client.lock("lock", timeout=60):
        assert client.lock("lock").acquire(blocking_timeout=WAIT) is False


def waits_for_messages(client: StrictRedis) -> None:
    with client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe("channel")
        assert [pubsub.get_message(timeout=WAIT / 2) for _ in range(3)] == [None] * 3


def pauses(client: StrictRedis) -> None:
    retry = Retry(ConstantBackoff(WAIT), 1)
    with RefusingPort() as port, pytest.raises(redis.ConnectionError):
        StrictRedis(host="127.0.0.1", port=port, retry=retry).ping()


@pytest.mark.parametrize("way", [blocks, waits_for_the_pool, waits_for_a_lock, waits_for_messages, pauses])
def test_who_waits_lets_others_run(client: StrictRedis, way) -> None:
    start = monotonic()
    with others_run():
        way(client)
    assert monotonic() - start < WAIT + LATE


OPTIONS = [{"socket_timeout": WAIT}, {"command_timeout": WAIT}, {"command_timeout": WAIT, "socket_timeout": 9}]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_time_outs_hold_and_let_others_run(node: FakeNode, options: dict[str, Any]) -> None:
    """The socket's own and the deadline's, over each transport."""
    node.always("GET", hold)
    with StrictRedis(**node.options, **options) as client:
        client.ping()
        start = monotonic()
        with others_run(), pytest.raises(redis.TimeoutError) as caught:
            client.get("k")
    assert monotonic() - start < WAIT + LATE
    assert (caught.value.phase, caught.value.maybe_applied, node.count("GET")) == ("recv", True, 1)


@pytest.mark.parametrize("options", [{"socket_timeout": WAIT}, {"command_timeout": WAIT}], ids=" ".join)
def test_a_command_that_cannot_be_sent_lets_others_run(node: FakeNode, options: dict[str, Any]) -> None:
    node.always("PING", hold)
    with StrictRedis(**node.options, **options) as client:
        client.set("k", "v")
        with others_run(), pytest.raises(redis.TimeoutError) as caught:
            client.pipeline(transaction=False).ping().set("k", bytes(50_000_000)).execute()
    assert (caught.value.phase, node.count("SET")) == ("send", 1)


def test_tls_with_a_server_that_says_nothing() -> None:
    with FakeNode() as node, StrictRedis(**node.options, ssl=True, socket_connect_timeout=WAIT) as client:
        with others_run(), pytest.raises(redis.TimeoutError) as caught:
            client.ping()
        assert (caught.value.phase, caught.value.maybe_applied) == ("tls", False)


def test_commands_that_block_wait_side_by_side(client: StrictRedis) -> None:
    waiting = [gevent.spawn(client.blpop, f"q{number}", 20) for number in range(50)]
    until(lambda: client.info("clients")["blocked_clients"] == 50)
    for number in range(50):
        client.rpush(f"q{number}", number)
    found = join(waiting)
    assert [int(value) for _, value in found] == list(range(50))


# What is a greenlet's own


def test_a_deadline_is_of_one_greenlet(node: FakeNode, client: StrictRedis) -> None:
    """Who is in a block with one is bounded by it, and nobody else meanwhile."""
    node.always("GET", hold)
    inside = gevent.event.Event()

    def hurry() -> None:
        with StrictRedis(**node.options) as silent, redis.deadline(WAIT / 5), pytest.raises(redis.TimeoutError):
            inside.set()
            silent.get("k")

    hurried = gevent.spawn(hurry)
    inside.wait()
    with others_run():
        assert current() is None
        assert client.blpop("none", timeout=WAIT) is None
    join([hurried])


def test_a_greenlet_that_was_started_under_a_deadline_has_none(client: StrictRedis) -> None:
    """As a thread."""
    with redis.deadline(0.1):
        started = gevent.spawn(lambda: (current(), client.blpop("none", timeout=0.3)))
        assert join([started]) == [(None, None)]


def test_a_lock_between_greenlets(client: StrictRedis) -> None:
    """One holder at a time; each has a token of his own, and cannot release what another has acquired."""
    lock = client.lock("lock", sleep=0.001, timeout=60)

    def add(number: int) -> bytes:
        with lock:
            token, found = lock.local.token, int(client.get("sum") or 0)
            sleep(0.001)
            client.set("sum", found + 1)
            assert lock.local.token == token
        assert lock.local.token is None
        return token

    assert len(set(join([gevent.spawn(add, number) for number in range(50)]))) == 50
    assert client.get("sum") == b"50"
    with lock:
        assert gevent.spawn(lambda: lock.local.token).get() is None
        with pytest.raises(LockError):
            gevent.spawn(lock.release).get()
    with client.lock("shared", thread_local=False) as shared:
        gevent.spawn(shared.release).get()
        assert client.exists("shared") == 0
        shared.acquire()


def test_a_lock_is_renewed_while_others_run(client: StrictRedis) -> None:
    with client.lock("renewed", timeout=60, auto_renewal=0.05):
        for _ in range(3):
            client.expire("renewed", 30)
            until(lambda: client.ttl("renewed") > 50)
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "redis-lock"])


# The line of a pool that waits


def test_killed_in_the_line(server, speech) -> None:
    """Who is killed while he waits is passed over; the others are served in their order."""
    with BlockingConnectionPool(1, 20, host=server.host, port=server.port, **speech) as pool:
        client, served = StrictRedis(connection_pool=pool), []
        held = pool.get_connection()
        waiting = [gevent.spawn(lambda n=n: served.append(int(client.echo(n)))) for n in range(20)]
        until(lambda: len(pool._waiting) == 20)
        for greenlet in waiting[::3]:
            greenlet.kill()
        with gevent.Timeout(0.05, False):
            client.ping()
        pool.release(held)
        join(waiting)
        assert served == [number for number in range(20) if number % 3]
        assert (pool._waiting, settle(pool)) == ({}, 1) and sound(pool)


# Pub/Sub


def subscribers(server: Any) -> int:
    return int(ask(server, "PUBSUB", "NUMSUB", "channel")[1])


def test_listening_in_a_greenlet(server, client: StrictRedis) -> None:
    pubsub, found = client.pubsub(ignore_subscribe_messages=True), []
    pubsub.subscribe("channel")

    def listen() -> None:
        found.extend(int(message["data"]) for message in pubsub.listen())

    listener = gevent.spawn(listen)
    until(lambda: subscribers(server) == 1)
    with others_run():
        sleep(WAIT)
    for number in range(100):
        client.publish("channel", number)
    until(lambda: len(found) == 100)
    assert found == list(range(100))
    listener.kill()
    pubsub.close()
    until(lambda: subscribers(server) == 0)
    assert client.ping() is True


def test_many_killed_while_they_listen(server, client: StrictRedis) -> None:
    """A listener that was killed leaves a connection that another can go on with."""
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe("channel")
    for number in range(30):
        found: list[Any] = []
        listener = gevent.spawn(lambda found=found: found.extend(next(pubsub.listen())["data"] for _ in range(3)))
        sleep(0.003 * (number % 5))
        client.publish("channel", number)
        sleep(0.003 * (number % 3))
        listener.kill()
    client.publish("channel", "last")
    with gevent.Timeout(5):
        while next(pubsub.listen())["data"] not in (b"last", "last"):
            pass
    pubsub.close()
    until(lambda: subscribers(server) == 0)


def test_a_thread_that_is_a_greenlet(server, client: StrictRedis) -> None:
    pubsub, found = client.pubsub(), []
    pubsub.subscribe(channel=lambda message: found.append(int(message["data"])))
    thread = pubsub.run_in_thread(sleep_time=0.05)
    with others_run():
        sleep(WAIT)
    for number in range(100):
        client.publish("channel", number)
    until(lambda: len(found) == 100)
    thread.stop()
    thread.join(5)
    assert found == list(range(100)) and not thread.is_alive()
    until(lambda: subscribers(server) == 0)


# What somebody raises into a greenlet


class Own(Exception):
    """An exception of the user's."""


OWN = [Own("mine"), OSError("mine"), redis.ConnectionError("mine"), redis.TimeoutError("mine"), TimeoutError()]


@pytest.mark.parametrize("error", OWN, ids=repr)
def test_the_exception_of_a_time_out_passes_through(node: FakeNode, error: Exception) -> None:
    """It is not an outcome: nothing is sent again for it, and the caller gets it as it is."""
    node.always("GET", hold)
    with StrictRedis(**node.options) as client:
        client.ping()
        with pytest.raises(type(error)) as caught, gevent.Timeout(0.05, error):
            client.get("k")
        assert caught.value is error
        assert node.count("GET") == 1
        assert client.ping() is True
