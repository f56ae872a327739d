"""A pipeline that is interrupted, wherever it may be, gives nobody a wrong answer and executes nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

import redis
from tests.faults.conftest import LEFT_TO_FINALIZER, settle, sound
from tests.faults.interrupt import INSTRUCTION, LINE, interruptions
from tests.servers import ask

pytestmark = LEFT_TO_FINALIZER

BOTH = pytest.mark.parametrize("transaction", [True, False], ids=["transaction", "plain"])


@pytest.fixture
def keys(transport) -> dict[str, bytes]:
    """Keys of known values."""
    values = {f"key:{number}": b"value of %d" % number for number in range(50)}
    for key, value in values.items():
        ask(transport.server, "SET", key, value)
    return values


def eagain() -> OSError:
    return BlockingIOError(11, "raised by a handler")


def our_own() -> Exception:
    return redis.ConnectionError("raised by a handler")


@BOTH
def test_interrupted_at_every_line_far_from_the_server(keys, proxy, make, transaction: bool) -> None:
    proxy.delay(0.002)
    client = make(**proxy.options)

    def call() -> list[object]:
        return client.pipeline(transaction).get("key:1").get("key:2").execute()

    for run in interruptions(call, LINE):
        other = f"key:{3 + run.point % 40}"
        assert client.get(other) == keys[other], run
        assert run.error is run.raised
        assert sound(client.connection_pool), run


@BOTH
@pytest.mark.parametrize("make_error", [KeyboardInterrupt, eagain, our_own], ids=["keyboard", "eagain", "ours"])
def test_interrupted_at_every_instruction(keys, transport, make, transaction: bool, make_error) -> None:
    client = make(**transport.options, max_connections=2)
    before = 0

    def call() -> list[object]:
        return client.pipeline(transaction).incr("n").get("key:1").execute()

    for run in interruptions(call, INSTRUCTION, make=make_error, step=3):
        assert client.pipeline(transaction).echo("mine").get("key:2").execute() == [b"mine", keys["key:2"]], run
        now = int(client.get("n") or 0)
        assert before <= now <= before + 1, run
        assert run.error is run.raised, run
        assert sound(client.connection_pool), run
        before = now
    assert settle(client.connection_pool) <= 2


@BOTH
def test_a_pipeline_that_was_interrupted_can_be_used_again(keys, transport, make, transaction: bool) -> None:
    """What was to be executed is not executed by the next ``execute()``, nor is it answered."""
    client = make(**transport.options)
    pipe = client.pipeline(transaction)
    before = 0

    def prepare() -> None:
        pipe.reset()
        pipe.incr("n").get("key:1")

    for run in interruptions(pipe.execute, INSTRUCTION, prepare=prepare, step=2):
        pipe.reset()
        assert pipe.get("key:2").execute() == [keys["key:2"]], run
        now = int(client.get("n") or 0)
        assert before <= now <= before + 1, run
        assert sound(client.connection_pool), run
        before = now


def test_without_a_reset_nothing_is_executed_twice(transport, make) -> None:
    client = make(**transport.options)
    for run in interruptions(lambda: pipe_with(client).execute(), INSTRUCTION, step=5):
        client.set("n", 0)
        pipe = LAST.pop()
        queued = len(pipe)
        with suppress(redis.RedisError):
            pipe.execute()
        assert int(client.get("n")) <= queued, run


LAST: list[redis.client.BasePipeline] = []


def pipe_with(client: redis.StrictRedis) -> redis.client.BasePipeline:
    LAST[:] = [client.pipeline()]
    return LAST[0].incr("n")


@pytest.mark.parametrize("unit, step", [(LINE, 1), (INSTRUCTION, 7)], ids=["line", "instruction"])
def test_watching_interrupted(keys, transport, make, unit: str, step: int) -> None:
    """Whatever is left of it, the next transaction does not fail for a key that somebody else has watched."""
    client = make(**transport.options)
    before = 0

    def call() -> None:
        with client.pipeline() as pipe:
            pipe.watch("watched")
            assert pipe.get("key:1") == keys["key:1"]
            pipe.multi()
            pipe.incr("n").execute()

    for run in interruptions(call, unit, step=step):
        client.set("watched", run.point)
        assert client.pipeline().get("key:2").execute() == [keys["key:2"]], run
        now = int(client.get("n") or 0)
        assert before <= now <= before + 1, run
        assert sound(client.connection_pool), run
        before = now
    assert settle(client.connection_pool) <= 2


def test_a_command_of_a_signal_handler_gets_another_connection(keys, transport, make) -> None:
    client: redis.StrictRedis = make(**transport.options)
    seen: list[object] = []

    class Nosy:
        def __str__(self) -> str:
            seen.append(client.pipeline().get("key:3").execute())
            return "key:4"

    look: Callable[[], object] = client.pipeline().get(Nosy()).execute
    assert look() == [keys["key:4"]]
    assert seen[-1] == [keys["key:3"]]
