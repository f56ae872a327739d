"""A pipeline that is interrupted, wherever it may be, gives nobody a wrong answer and executes nothing twice."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

import pytest

import redis
from tests.faults.conftest import LEFT_TO_FINALIZER, SOAK, settle, sound
from tests.faults.interrupt import INSTRUCTION, LINE, Interrupted, Run, interruptions
from tests.faults.proxy import Proxy
from tests.faults.storm import storm
from tests.servers import ask

pytestmark = LEFT_TO_FINALIZER

BOTH = pytest.mark.parametrize("transaction", [True, False], ids=["transaction", "plain"])
#: Of a storm: how long it rages at least, and how many pipelines must have been answered, and interrupted.
SECONDS, ANSWERED, INTERRUPTED = (20, 50_000, 10_000) if SOAK else (1, 500, 50)
KEYS = {f"key:{number}": b"value of %d" % number for number in range(50)}


@pytest.fixture
def values(server) -> None:
    """Keys of known values."""
    ask(server, "FLUSHALL")
    ask(server, "MSET", *[word for item in KEYS.items() for word in item])


@pytest.fixture
def client(server, values, make: Callable[..., redis.StrictRedis]) -> redis.StrictRedis:
    return make(unix_socket_path=server.unix_socket, max_connections=2)


def eagain() -> OSError:
    return BlockingIOError(errno.EAGAIN, "raised by a handler")


def our_own() -> Exception:
    return redis.ConnectionError("raised by a handler")


class Counter:
    """Sees that the key ``n`` is never counted up twice for one call."""

    def __init__(self, client: redis.StrictRedis) -> None:
        self.client, self.before = client, 0

    def check(self, run: Run) -> None:
        now = int(self.client.get("n") or 0)
        assert self.before <= now <= self.before + 1, run
        self.before = now


@BOTH
def test_interrupted_at_every_line_far_from_the_server(server, values, make, transaction: bool) -> None:
    with Proxy((server.host, server.port)) as proxy:
        proxy.delay(0.001)
        client = make(port=proxy.port)

        def call() -> list[object]:
            return client.pipeline(transaction).get("key:1").get("key:2").execute()

        for run in interruptions(call, LINE, step=2):
            other = f"key:{3 + run.point % 40}"
            assert client.get(other) == KEYS[other], run
            assert run.error is run.raised
            assert sound(client.connection_pool), run


@BOTH
def test_interrupted_at_every_line_of_a_large_batch(client, transaction: bool) -> None:
    """Which is sent and read by turns."""
    value = "x" * 300_000

    def call() -> list[object]:
        return client.pipeline(transaction).set("large", value).incr("n").get("large").execute()

    counter = Counter(client)
    for run in interruptions(call, LINE, step=3):
        assert client.pipeline(transaction).get("key:1").echo("mine").execute() == [KEYS["key:1"], b"mine"], run
        assert sound(client.connection_pool), run
        counter.check(run)


@BOTH
@pytest.mark.parametrize("make_error", [KeyboardInterrupt, eagain, our_own], ids=["keyboard", "eagain", "ours"])
def test_interrupted_at_every_instruction(client, transaction: bool, make_error) -> None:
    def call() -> list[object]:
        return client.pipeline(transaction).incr("n").get("key:1").execute()

    counter = Counter(client)
    for run in interruptions(call, INSTRUCTION, make=make_error, step=3 if make_error is eagain else 11):
        assert client.pipeline(transaction).echo("mine").get("key:2").execute() == [b"mine", KEYS["key:2"]], run
        assert run.error is run.raised, run
        assert sound(client.connection_pool), run
        counter.check(run)
    assert settle(client.connection_pool) <= 2


@BOTH
def test_a_pipeline_that_was_interrupted_can_be_used_again(client, transaction: bool) -> None:
    """What was to be executed is not executed by the next ``execute()``, nor is it answered."""
    pipe = client.pipeline(transaction)

    def prepare() -> None:
        pipe.reset()
        pipe.incr("n").get("key:1")

    counter = Counter(client)
    for run in interruptions(pipe.execute, INSTRUCTION, prepare=prepare, step=3):
        pipe.reset()
        assert pipe.get("key:2").execute() == [KEYS["key:2"]], run
        assert sound(client.connection_pool), run
        counter.check(run)


def test_without_a_reset_nothing_is_executed_twice(client) -> None:
    """What ``execute()`` had begun with is no longer in the pipeline."""
    pipe = client.pipeline()
    counter = Counter(client)

    def prepare() -> None:
        pipe.reset()
        pipe.incr("n")

    for run in interruptions(pipe.execute, INSTRUCTION, prepare=prepare, step=3):
        if int(client.get("n") or 0) > counter.before:
            assert len(pipe) == 0, run
        with suppress(redis.RedisError):
            pipe.execute()
        counter.check(run)


@pytest.mark.parametrize("unit, step", [(LINE, 1), (INSTRUCTION, 11)], ids=["line", "instruction"])
def test_watching_interrupted(client, unit: str, step: int) -> None:
    """Whatever is left of it, the next transaction does not fail for a key that somebody else has watched."""

    def call() -> None:
        with client.pipeline() as pipe:
            pipe.watch("watched")
            assert pipe.get("key:1") == KEYS["key:1"]
            pipe.multi()
            pipe.incr("n").execute()

    counter = Counter(client)
    for run in interruptions(call, unit, step=step):
        client.set("watched", run.point)
        assert client.pipeline().get("key:2").execute() == [KEYS["key:2"]], run
        assert sound(client.connection_pool), run
        counter.check(run)
    assert settle(client.connection_pool) <= 2


def test_a_command_of_a_signal_handler_gets_another_connection(client) -> None:
    seen: list[object] = []

    class Nosy:
        def __str__(self) -> str:
            seen.append(client.pipeline().get("key:3").execute())
            return "key:4"

    assert client.pipeline().get(Nosy()).execute() == [KEYS["key:4"]]
    assert seen[-1] == [KEYS["key:3"]]


def test_a_storm_of_signals(server, values, make) -> None:
    client = make(unix_socket_path=server.unix_socket, max_connections=3)
    wrong, answered, interrupted, end = 0, 0, 0, monotonic() + SECONDS
    with storm() as weather:
        while monotonic() < end or answered < ANSWERED or interrupted < INTERRUPTED:
            turn = answered + interrupted
            names = [f"key:{(turn + number) % 50}" for number in range(5)]
            try:
                pipe = client.pipeline(transaction=turn % 2 == 0)
                values = pipe.mget(*names).get(names[0]).execute()
            except Interrupted:
                interrupted += 1
                continue
            wrong += values != [[KEYS[name] for name in names], KEYS[names[0]]]
            answered += 1
    assert wrong == 0
    assert answered >= ANSWERED and weather.strikes >= interrupted >= INTERRUPTED
    assert sound(client.connection_pool)
    assert settle(client.connection_pool) <= 3
