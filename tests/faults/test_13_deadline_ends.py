"""A deadline ends with its block: what comes afterwards, or in another thread, has the time that it always had."""

from __future__ import annotations

import gc
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from time import sleep
from typing import Any

import pytest

import redis
from redis.backoff import NoBackoff
from redis.connection import BlockingConnectionPool
from redis.connection.bounded import BoundedCalls
from redis.connection.deadline import DEADLINES, Deadline, current
from redis.connection.timeouts import KernelTimeouts, SocketTimeouts
from redis.retry import Retry
from tests.faults.conftest import LEFT_TO_FINALIZER, settle, sound
from tests.faults.fakenode import ACCEPT, FakeNode, hold, silent, slowly
from tests.faults.hurried import (
    BLOCK,
    LARGE,
    OPTION,
    SECONDS,
    SLACK,
    WAYS,
    BlackHole,
    Client,
    Way,
    address_of,
    again,
    answer_and_hold,
    assert_told,
    drip,
    late,
)
from tests.faults.interrupt import INSTRUCTION, LINE, interruptions

Make = Callable[..., Client]
BRIEF, LONG = 0.05, 30
CALLS: dict[str, Callable[[Client], Any]] = {
    "get": lambda client: client.get("a"),
    "blpop": lambda client: client.blpop("l", 0.01),
    "refused": lambda client: refused(client),
    "large": lambda client: client.set("b", b"x" * 200_000) and client.get("b"),
    "pipeline": lambda client: client.pipeline(transaction=False).get("a").get("a").execute(),
    "large pipeline": lambda client: client.pipeline().set("b", b"x" * 200_000).get("b").execute(),
    "watch": lambda client: client.transaction(lambda pipe: pipe.multi(), "a"),
}


def refused(client: Client) -> None:
    with pytest.raises(redis.ResponseError):
        client.execute_command("NOSUCH")


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    assert DEADLINES == {} and current() is None


@pytest.fixture
def tcp() -> Iterator[FakeNode]:
    with FakeNode() as node:
        node.always("BLPOP", slow_nothing)
        yield node


def slow_nothing(link, execute) -> None:
    sleep(0.01)
    link.write(b"*-1\r\n")


@pytest.fixture
def make() -> Iterator[Make]:
    with ExitStack() as clients:

        def make_client(way: Way = BLOCK, **options: Any) -> Client:
            return clients.enter_context(way.make(**{**way.options, **options}))

        yield make_client


def connection_of(client: Client) -> Any:
    (connection,) = client.connection_pool._available_connections
    return connection


def has_time(connection: Any) -> bool:
    """Whether the calls of the socket are its own, and none of them ends before it is done."""
    sock = connection._sock
    return connection._send == sock.send and connection._recv == sock.recv and sock.gettimeout() is None


# The connection afterwards


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("name", ["block", "classic, python", "connection", "parser"])
def test_a_later_reply_may_take_longer(make: Make, tcp: FakeNode, name: str, call) -> None:
    client = make(WAYS[name], **{**tcp.options, "command_timeout": None})
    with redis.deadline(LONG):
        call(client)
    with redis.deadline(BRIEF), suppress(redis.TimeoutError):
        client.ping()
    with redis.deadline(LONG):
        call(client)
    links, connection = len(tcp.links), connection_of(client)
    tcp.script("GET", slowly(2 * BRIEF))
    assert client.get("a") is None
    assert len(tcp.links) == links, "over the same connection"
    assert connection.owed == 0 and has_time(connection)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_time_of_the_socket_is_what_it_was(make: Make, node: FakeNode, call) -> None:
    node.always("BLPOP", slow_nothing)
    client = make(**node.options, socket_timeout=SECONDS)
    with redis.deadline(LONG):
        call(client)
    assert len(node.links) == 1
    node.always("GET", hold)
    error = late(lambda: client.get("a"))
    assert error.phase == "recv" and "deadline" not in str(error)
    assert SECONDS - 0.05 < error.elapsed < SECONDS + SLACK


def test_the_time_of_the_socket_holds_inside_too(make: Make, node: FakeNode) -> None:
    client = make(**node.options, socket_timeout=SECONDS)
    client.ping()
    node.always("GET", hold)
    with redis.deadline(LONG):
        error = late(lambda: client.get("a"))
    assert error.phase == "recv" and "deadline" not in str(error)


def test_a_connection_that_is_made_under_a_deadline_has_none_afterwards(make: Make, node: FakeNode) -> None:
    client = make(**node.options)
    with redis.deadline(1):
        client.ping()
    node.script("GET", slowly(1.1))
    assert client.get("a") is None and len(node.links) == 1


def test_it_costs_no_call_of_the_system_where_there_is_none(make: Make, tcp: FakeNode, monkeypatch) -> None:
    """The calls of the socket of a GET are two, before and after a deadline, and none of this code runs."""
    client = make(**tcp.options)
    client.get("a")
    with redis.deadline(LONG):
        client.get("a")
    for name in ("__enter__", "__init__", "remaining"):
        monkeypatch.setattr(Deadline, name, None)
    monkeypatch.setattr(BoundedCalls, "left", None)
    monkeypatch.setattr("redis.connection.wire.current", None)
    connection, calls = connection_of(client), []
    sock = connection._sock
    assert connection._send == sock.send and connection._recv == sock.recv
    connection._send = lambda *args: calls.append("send") or sock.send(*args)
    connection._recv = lambda *args: calls.append("recv") or sock.recv(*args)
    client.get("a")
    assert calls == ["send", "recv"] and DEADLINES == {}


# Several deadlines


@pytest.mark.parametrize("outer, inner", [(SECONDS, LONG), (LONG, SECONDS)])
@pytest.mark.parametrize("inner_is_an_option", [True, False])
def test_the_nearer_one_counts(make: Make, tcp: FakeNode, outer: float, inner: float, inner_is_an_option: bool) -> None:
    client = make(**tcp.options, command_timeout=inner if inner_is_an_option else None)
    client.ping()
    tcp.always("GET", hold)

    def call() -> None:
        with redis.deadline(outer), nullcontext() if inner_is_an_option else redis.deadline(inner):
            client.get("a")

    assert_told(late(call), "recv", True, "GET", address_of(tcp))


def test_several_calls_share_one(make: Make, tcp: FakeNode) -> None:
    client = make(**tcp.options)
    tcp.always("GET", slowly(SECONDS / 4))
    done = []

    def calls() -> None:
        with redis.deadline(SECONDS):
            while True:
                client.get("a")
                done.append(1)

    error = late(calls)
    assert error.elapsed < SECONDS and done
    assert f"at the deadline of {SECONDS} s" in str(error)


def test_clients_and_servers_share_one(make: Make, tcp: FakeNode) -> None:
    with FakeNode() as other:
        first, second = make(**tcp.options), make(**other.options)
        tcp.always("GET", slowly(SECONDS / 2))
        other.always("GET", hold)

        def calls() -> None:
            with redis.deadline(SECONDS):
                first.get("a")
                second.get("a")

        assert late(calls).address == address_of(other)


@pytest.mark.parametrize("name", WAYS)
def test_over_before_the_first_call(make: Make, tcp: FakeNode, name: str) -> None:
    client = make(WAYS[name], **{**tcp.options, "command_timeout": None})
    client.ping()
    for call in (client.ping, client.pipeline().ping().execute, lambda: client.pipeline().watch("a")):
        with redis.deadline(1e-9), pytest.raises(redis.TimeoutError) as caught:
            call()
        assert caught.value.maybe_applied is False
        assert "at the deadline of 1e-09 s" in str(caught.value)
    assert client.ping() and tcp.count("PING") == 2 and tcp.count("WATCH") == 0


def test_over_before_a_connection_is_made(make: Make, node: FakeNode) -> None:
    with redis.deadline(1e-9), pytest.raises(redis.TimeoutError) as caught:
        make(**node.options).ping()
    assert (caught.value.phase, caught.value.maybe_applied) == ("connect", False)


def test_those_of_other_threads_do_not_matter(make: Make, tcp: FakeNode) -> None:
    client = make(**tcp.options)
    inside, done = threading.Event(), threading.Event()

    def bounded() -> None:
        with redis.deadline(BRIEF):
            inside.set()
            done.wait(LONG)

    thread = threading.Thread(target=bounded)
    thread.start()
    inside.wait(LONG)
    try:
        tcp.script("GET", slowly(2 * BRIEF))
        assert client.get("a") is None
        client.set("b", b"x" * 300_000)
        assert client.get("b") == b"x" * 300_000
    finally:
        done.set()
        thread.join()


def test_each_thread_has_its_own(make: Make, tcp: FakeNode) -> None:
    """Some have little time and fail; the others, over the same pool, do not notice."""
    client = make(**tcp.options)
    tcp.always("GET", slowly(SECONDS))
    outcomes: list[tuple[bool, bool]] = []

    def ask(seconds: float) -> None:
        for _ in range(3):
            with redis.deadline(seconds):
                try:
                    client.get("a")
                    outcomes.append((seconds == LONG, True))
                except redis.TimeoutError:
                    outcomes.append((seconds == LONG, False))

    threads = [threading.Thread(target=ask, args=(seconds,)) for seconds in (LONG, BRIEF, LONG, BRIEF)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 12 and all(patient is succeeded for patient, succeeded in outcomes)
    assert sound(client.connection_pool)


def test_a_generator_leaves_it_where_it_ends(make: Make, tcp: FakeNode) -> None:
    client = make(**tcp.options)

    def values() -> Iterator[Any]:
        with redis.deadline(BRIEF):
            yield client.get("a")
            yield client.get("a")

    generator = values()
    next(generator)
    generator.close()
    tcp.script("GET", slowly(2 * BRIEF))
    assert client.get("a") is None


# Signals


@contextmanager
def signals(every: float = 0.005) -> Iterator[list[int]]:
    """Signals that strike again and again, with a handler that returns."""
    strikes: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: strikes.append(number))
    signal.setitimer(signal.ITIMER_REAL, every, every)
    try:
        yield strikes
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("connected", [True, False], ids=["connected before", "connected in the storm"])
@pytest.mark.parametrize("action", [hold, drip], ids=["silent", "drip"])
def test_a_storm_of_signals_while_receiving(make: Make, node: FakeNode, connected: bool, action) -> None:
    client = make(OPTION, **node.options)
    if connected:
        again(client.ping)
        assert isinstance(connection_of(client)._timeouts, SocketTimeouts if node.context else KernelTimeouts)
    node.always("ECHO", action)
    with signals() as strikes:
        error = late(lambda: client.echo("x" * 100))
    assert_told(error, "recv", True, "ECHO", address_of(node))
    assert len(strikes) > 5


def test_a_storm_of_signals_while_sending(make: Make, node: FakeNode) -> None:
    client = make(OPTION, **node.options)

    def prepare() -> None:
        node.always("PING", answer_and_hold)
        again(client.ping)

    with signals():
        error = late(lambda: client.set("a", LARGE), prepare)
    assert_told(error, "send", False, "SET", address_of(node))


@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
def test_a_storm_of_signals_while_connecting(make: Make, tmp_path, unix: bool) -> None:
    with BlackHole(str(tmp_path / "hole.sock") if unix else None) as hole, signals():
        error = late(lambda: make(OPTION, **hole.options).incr("a"))
    assert (error.phase, error.maybe_applied) == ("connect", False) and isinstance(error, redis.TimeoutError)


def test_a_storm_of_signals_in_the_handshake(make: Make, node: FakeNode) -> None:
    node.always(ACCEPT, hold)
    with signals():
        error = late(lambda: make(OPTION, **node.options).incr("a"))
    assert_told(error, "handshake", False, "INCRBY", address_of(node))


def test_a_storm_of_signals_while_waiting_for_the_pool(tcp: FakeNode) -> None:
    with BlockingConnectionPool(1, timeout=LONG, **OPTION.options, **tcp.options) as pool:
        held = pool.get_connection()
        with signals():
            assert_told(late(lambda: Client(connection_pool=pool).incr("a")), "pool", False, "INCRBY", address_of(tcp))
        pool.release(held)


# Interrupted


@LEFT_TO_FINALIZER
@pytest.mark.parametrize("unit, step", [(LINE, 1), (INSTRUCTION, 7)])
@pytest.mark.parametrize("name", ["option", "block", "classic"])
def test_interrupted_anywhere(make: Make, tcp: FakeNode, name: str, unit: str, step: int) -> None:
    """No deadline is left, and no connection with the time of one."""
    client, runs = make(WAYS[name], **{**tcp.options, "max_connections": 3, "command_timeout": LONG}), 0

    def call() -> Any:
        with redis.deadline(LONG):
            return client.get("a")

    for run in interruptions(call, unit, step=step):
        runs += 1
        assert current() is None, run
        assert sound(client.connection_pool), run
        for connection in client.connection_pool._available_connections:
            if connection.used > 0:
                assert has_time(connection), run
        assert client.get("a") is None, run
    assert runs > 20
    assert settle(client.connection_pool) <= 3 and DEADLINES == {}


@pytest.mark.parametrize("unit", [LINE, INSTRUCTION])
def test_interrupted_where_it_is_left_after_a_failure(make: Make, tcp: FakeNode, unit: str) -> None:
    """The connection that failed knows nothing of the deadline that was not taken back."""
    client = make(**tcp.options)
    client.ping()

    def fail_in_time() -> None:
        mine = Deadline(LONG)
        mine.__enter__()
        client.get("a")
        mine.__exit__(None, None, None)

    for run in interruptions(fail_in_time, unit, step=1 if unit == LINE else 5):
        assert current() is None, run
        assert client.get("a") is None, run
    gc.collect()
    assert DEADLINES == {}


@pytest.mark.parametrize("retry", [None, Retry(NoBackoff(), 2, (redis.TimeoutError,))], ids=["once", "thrice"])
@pytest.mark.parametrize("call", ["get", "pipeline"])
@pytest.mark.parametrize("name", ["block", "classic"])
def test_a_connection_that_failed_is_in_no_cycle(make: Make, tcp: FakeNode, name: str, call: str, retry) -> None:
    """Else the pool would count it until the collector comes."""
    client = make(WAYS[name], **{**tcp.options, "command_timeout": LONG}, socket_timeout=BRIEF, retry=retry)
    again(client.ping)
    tcp.always("GET", silent)
    reference = weakref.ref(connection_of(client))
    gc.collect()
    gc.disable()
    try:
        with redis.deadline(LONG), suppress(redis.TimeoutError):
            CALLS[call](client)
        client.connection_pool._available_connections.clear()
        assert reference() is None
    finally:
        gc.enable()
