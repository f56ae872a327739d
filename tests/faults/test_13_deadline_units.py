"""What is one unit of several commands has one deadline as well: pipelines, transactions, scripts, locks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import sleep
from typing import Any

import pytest

import redis
from tests.faults.fakenode import Action, Execute, FakeNode, Link, answer, hold, refuse, silent
from tests.faults.hurried import (
    BLOCK,
    LARGE,
    OPTION,
    SECONDS,
    SLACK,
    WAYS,
    Client,
    Way,
    address_of,
    again,
    answer_and_hold,
    assert_told,
    clients,
    drip,
    late,
    quickest,
)
from tests.servers import ask

Make = Callable[..., Client]
BOTH = pytest.mark.parametrize("transaction", [True, False], ids=["transaction", "plain"])
SCRIPT = "return redis.call('incr', KEYS[1])"
CHOSEN = {name: WAYS[name] for name in ("option", "option, python", "block", "classic", "parser")}


@pytest.fixture(params=CHOSEN.values(), ids=CHOSEN)
def way(request: pytest.FixtureRequest) -> Way:
    return request.param


@pytest.fixture
def make() -> Iterator[Make]:
    with clients() as make:
        yield make


# Pipelines


@BOTH
def test_no_replies(make: Make, tcp: FakeNode, way: Way, transaction: bool) -> None:
    client = make(way, **tcp.options)
    again(client.ping)
    asked, told = ("EXEC", "EXEC") if transaction else ("INCRBY", "pipeline")
    tcp.always(asked, drip if transaction else hold)
    pipe = client.pipeline(transaction)
    error = late(lambda: way.call(pipe.execute), lambda: pipe.set("a", "x").incr("n").echo("x" * 100))
    assert_told(error, "recv", True, told, address_of(tcp))
    assert error.replies == (None if transaction else [True])
    assert pipe.connection is None and not pipe
    tcp.always(asked, answer)
    assert again(lambda: pipe.get("a").execute()) == [b"x"]


@BOTH
@pytest.mark.parametrize("size", [1, 100], ids=["few", "many"])
def test_a_server_that_stops_reading(make: Make, node: FakeNode, transaction: bool, size: int) -> None:
    client = make(**node.options)
    pipe = client.pipeline(transaction)

    def prepare() -> None:
        node.always("PING", answer_and_hold)
        again(client.ping)
        for number in range(size):
            pipe.set(number, LARGE[: len(LARGE) // size])

    error = late(pipe.execute, prepare)
    assert error.phase == "send" and isinstance(error, redis.TimeoutError)
    assert error.maybe_applied is not transaction, "a plain pipeline was executed in part"
    assert f"attempt 1, after {error.elapsed:.2f} s" in str(error)
    assert node.count("EXEC") == 0
    assert again(client.ping)


def test_a_server_that_answers_more_than_it_reads(make: Make, tcp: FakeNode) -> None:
    """Both sides send: what comes is read, and time runs all the same."""
    client = make(**tcp.options)
    tcp.always("ECHO", drip)
    pipe = client.pipeline(transaction=False)

    def prepare() -> None:
        again(client.ping)
        for _ in range(100):
            pipe.echo("x" * 100_000)

    error = late(pipe.execute, prepare)
    assert_told(error, "send", True, "pipeline", address_of(tcp))


def test_a_batch_that_blocks(make: Make, tcp: FakeNode, way: Way) -> None:
    client = make(way, **tcp.options, socket_timeout=1)
    again(client.ping)
    tcp.always("BLPOP", silent)
    pipe = client.pipeline(transaction=False)
    error = late(lambda: way.call(pipe.execute), lambda: pipe.set("a", 1).blpop("l", 5))
    assert_told(error, "recv", True, "pipeline", address_of(tcp))
    assert error.replies == [True]


# Watching


@pytest.mark.parametrize("asked, applied", [("WATCH", True), ("GET", True), ("EXEC", True)])
def test_watching(make: Make, tcp: FakeNode, way: Way, asked: str, applied: bool) -> None:
    client = make(way, **tcp.options)
    again(client.ping)
    tcp.always(asked, silent)

    def watch_and_execute() -> None:
        with client.pipeline() as pipe:
            pipe.watch("n")
            pipe.get("n")
            pipe.multi()
            pipe.incr("n").execute()

    error = late(lambda: way.call(watch_and_execute))
    assert_told(error, "recv", applied, asked, address_of(tcp))
    tcp.always(asked, answer)
    again(watch_and_execute)


def test_watching_and_nothing_could_be_sent(make: Make, tcp: FakeNode) -> None:
    """It is no WatchError: who would try again has no time for it."""
    client = make(BLOCK, **tcp.options)

    def watch_and_execute() -> None:
        with redis.deadline(SECONDS), client.pipeline() as pipe:
            pipe.watch("n")
            tcp.script("GET", answer_and_hold)
            pipe.get("n")
            pipe.multi()
            pipe.set("n", LARGE).execute()

    assert_told(late(watch_and_execute), "send", False, "EXEC", address_of(tcp))


@pytest.mark.parametrize("way", [OPTION, BLOCK], ids=["option", "block"])
def test_no_reply_to_unwatch(make: Make, tcp: FakeNode, way: Way) -> None:
    """It is said at the end of the block; the connection is closed, which says the same."""
    client = make(way, **tcp.options)
    again(client.ping)
    tcp.always("UNWATCH", silent)

    def watch() -> None:
        with client.pipeline() as pipe:
            pipe.watch("n")

    assert SECONDS - 0.05 < quickest(lambda: way.call(watch)) < SECONDS + SLACK
    assert again(client.ping) and len(tcp.links) > 1


def test_a_transaction_that_never_succeeds(make: Make, transport) -> None:
    """Somebody changes the key each time: it would go on without an end."""
    client = make(BLOCK, **transport.options)

    def change(pipe: Any) -> None:
        ask(transport.server, "INCR", "n")
        pipe.multi()
        pipe.incr("n")

    def transact() -> None:
        with redis.deadline(SECONDS):
            client.transaction(change, "n")

    assert isinstance(late(transact), redis.TimeoutError)
    assert client.ping()  # without a deadline


# Scripts


@pytest.mark.parametrize("asked", ["EVALSHA", "SCRIPT"])
def test_a_script(make: Make, tcp: FakeNode, way: Way, asked: str) -> None:
    client = make(way, **tcp.options)
    script = client.register_script(SCRIPT)
    again(client.ping)
    tcp.always("EVALSHA", refuse("NOSCRIPT No matching script."))
    tcp.always(asked, hold)
    error = late(lambda: way.call(lambda: script(keys=["n"])))
    assert_told(error, "recv", True, "EVALSHA" if asked == "EVALSHA" else "SCRIPT LOAD", address_of(tcp))


@BOTH
def test_a_pipeline_that_has_to_load_scripts(make: Make, tcp: FakeNode, way: Way, transaction: bool) -> None:
    client = make(way, **tcp.options)
    script = client.register_script(SCRIPT)
    again(client.ping)
    tcp.always("SCRIPT", hold)

    def run() -> None:
        pipe = client.pipeline(transaction).incr("n")
        script(keys=["n"], client=pipe)
        way.call(pipe.execute)

    assert_told(late(run), "recv", True, "SCRIPT EXISTS", address_of(tcp))
    assert tcp.count("INCRBY") == 0


def after(seconds: float, reply: bytes) -> Action:
    """Answer so late, and nothing else."""

    def action(link: Link, execute: Execute) -> None:
        sleep(seconds)
        link.write(reply)

    return action


def test_loading_and_executing_share_the_time(make: Make, tcp: FakeNode) -> None:
    """Each of the commands alone would be in time."""
    client = make(**tcp.options)
    script = client.register_script(SCRIPT)
    again(client.ping)
    tcp.always("SCRIPT", after(SECONDS * 0.6, b"*1\r\n:1\r\n"))
    tcp.always("EVALSHA", after(SECONDS * 0.6, b":1\r\n"))

    def run() -> Any:
        pipe = client.pipeline(transaction=False)
        return script(keys=["n"], client=pipe).execute()

    error = late(run)
    assert (error.command, error.phase, error.maybe_applied) == ("pipeline", "recv", True)
    with make(**{**tcp.options, "command_timeout": 5}) as patient:
        assert script(keys=["n"], client=patient.pipeline(transaction=False)).execute() == [1]


# Locks


@pytest.mark.parametrize("pause", [SECONDS / 10, 5])
def test_a_lock_that_another_holds(make: Make, transport, pause: float) -> None:
    client = make(BLOCK, **transport.options)
    ask(transport.server, "SET", "lock", "another")
    lock = client.lock("lock", sleep=pause)
    assert isinstance(late(lambda: BLOCK.call(lock.acquire)), redis.TimeoutError)
    ask(transport.server, "DEL", "lock")
    assert lock.acquire() is True


def test_no_attempt_to_get_a_lock_after_the_deadline(make: Make, transport) -> None:
    """Its answer could not come in time, and nobody would know who holds the lock."""
    client = make(BLOCK, **transport.options)
    client.ping()
    ask(transport.server, "SET", "lock", "another")
    with redis.deadline(5), pytest.raises(redis.TimeoutError, match="Another holds the lock 'lock'") as caught:
        client.lock("lock", sleep=10).acquire()
    assert caught.value.maybe_applied is False


@pytest.mark.parametrize("way", [WAYS["block"], WAYS["classic"]], ids=["block", "classic"])
def test_a_lock_of_a_silent_server(make: Make, proxy, way: Way) -> None:
    client = make(way, **proxy.options)
    lock = client.lock("lock")
    assert lock.acquire()
    lock.release()

    def acquire() -> None:
        proxy.stop()
        try:
            BLOCK.call(lock.acquire)
        finally:
            proxy.go()

    error = late(acquire)
    assert isinstance(error, redis.TimeoutError) and error.maybe_applied is True
    assert "cannot be asked" in str(error)
    assert again(lock.acquire) is True, "its token, if it has arrived, is its own"
