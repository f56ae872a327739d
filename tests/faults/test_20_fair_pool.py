"""A pool that waits: first come, first served; its time-out holds; nobody blocks but who waits for a connection."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from time import monotonic, sleep
from types import FrameType
from typing import Any

import pytest

import redis
from redis import StrictRedis
from redis.connection import BlockingConnectionPool
from redis.connection.idle import PATIENCE, Turn
from tests.connection.doubles import Dummy
from tests.faults.conftest import LEFT_TO_FINALIZER, SOAK, settle, sound
from tests.faults.interrupt import INSTRUCTION, PACKAGE, interruptions
from tests.faults.test_18_fork import child, work
from tests.servers import until

#: How many wait at once, each in a thread of its own.
CROWD = 2000 if SOAK else 1000
#: Seconds by which a time-out may be late, beyond what any sleeper is.
LATE = 0.2


@pytest.fixture
def make_pool(server, speech) -> Iterator[Callable[..., Any]]:
    """A function that makes pools of one connection; they are closed at the end."""
    with ExitStack() as pools:

        def make(**options: Any) -> Any:
            options = {"max_connections": 1, "timeout": 20, **speech, **options}
            return pools.enter_context(BlockingConnectionPool(host=server.host, port=server.port, **options))

        yield make


def silent_pool(timeout: float | None) -> Any:
    """A pool of one connection over which nothing is ever said; how replies are read is of no account then."""
    return BlockingConnectionPool(max_connections=1, timeout=timeout, connection_class=Dummy)


@contextmanager
def many_threads() -> Iterator[None]:
    """Threads with small stacks, so that there may be thousands."""
    before = threading.stack_size(256 * 1024)
    try:
        yield
    finally:
        threading.stack_size(before)


def begin(task: Callable[..., object], *args: Any) -> threading.Thread:
    thread = threading.Thread(target=task, args=args, daemon=True)
    thread.start()
    return thread


def join(threads: list[threading.Thread]) -> None:
    end = monotonic() + 60
    for thread in threads:
        thread.join(max(0.0, end - monotonic()))
    assert not any(thread.is_alive() for thread in threads)


def in_line(pool: Any, count: int) -> None:
    until(lambda: len(pool._waiting) == count)


# First come, first served


def test_a_crowd_is_served_in_the_order_of_its_coming() -> None:
    pool = silent_pool(timeout=None)
    order: list[int] = []
    threads: list[threading.Thread] = []
    held = pool.get_connection()

    def come(number: int) -> None:
        connection = pool.get_connection()
        order.append(number)
        pool.release(connection)

    with many_threads():
        for number in range(CROWD):
            threads.append(begin(come, number))
            while len(pool._waiting) <= number:
                sleep(0)
    pool.release(held)
    join(threads)
    assert order == list(range(CROWD))
    assert (pool._waiting, settle(pool)) == ({}, 1)


@pytest.mark.parametrize("options", [{}, {"max_lifetime": 0.05}], ids=["", "expiring"])
def test_everybody_gets_his_share(make_pool, options) -> None:
    """Who has just had a connection stands behind all who wait."""
    pool = make_pool(max_connections=2, **options)
    client, stop = StrictRedis(connection_pool=pool), threading.Event()
    shares, wrong, ready = [0] * 8, [], threading.Barrier(8)

    def take(number: int) -> None:
        ready.wait(30)
        while not stop.is_set():
            wrong.extend([number] * (client.echo(str(number)) != str(number).encode()))
            shares[number] += 1

    threads = [begin(take, number) for number in range(8)]
    until(lambda: sum(shares) > 2000)
    stop.set()
    join(threads)
    assert wrong == []
    # Two may have been held up with the two connections; nobody has had more than the others.
    assert sorted(shares)[2] > 0.7 * max(shares), shares
    assert sound(pool) and settle(pool) <= 2


# The time-out


def lateness(pool: Any, waiters: int) -> tuple[list[float], list[float]]:
    """Have many wait in vain; return by how much they were late, and the same of sleepers: what the machine can do."""
    late: list[float] = []
    sleepers: list[float] = []

    def wait() -> None:
        start = monotonic()
        with pytest.raises(redis.ConnectionError, match=r"^No connection available\.$"):
            pool.get_connection()
        late.append(monotonic() - start - pool.timeout)

    def rest() -> None:
        start = monotonic()
        threading.Event().wait(pool.timeout)
        sleepers.append(monotonic() - start - pool.timeout)

    with many_threads():
        join([begin(rest if number % 10 == 9 else wait) for number in range(waiters)])
    assert len(late) == waiters * 9 // 10
    assert pool._waiting == {}
    return late, sleepers


def test_the_time_out_holds_under_load() -> None:
    """With others in line, and others that use the CPU."""
    pool, stop = silent_pool(timeout=1.0), threading.Event()
    held = pool.get_connection()

    def burn() -> None:
        while not stop.is_set():
            sum(range(1000))

    burning = [begin(burn), begin(burn)]
    late, sleepers = lateness(pool, 100)
    stop.set()
    join(burning)
    pool.release(held)
    assert min(late) >= 0
    assert median(late) < median(sleepers) + LATE
    assert max(late) < max(sleepers) + LATE


def test_a_crowd_gives_up_in_time() -> None:
    pool = silent_pool(timeout=2.0)
    held = pool.get_connection()
    late, sleepers = lateness(pool, CROWD)
    pool.release(held)
    assert min(late) >= 0
    assert median(late) < median(sleepers) + LATE


def test_no_time_at_all(make_pool) -> None:
    pool = make_pool(timeout=0)
    held = pool.get_connection()
    start = monotonic()
    for _ in range(10):
        with pytest.raises(redis.ConnectionError) as caught:
            pool.get_connection()
    assert monotonic() - start < 1
    assert (caught.value.maybe_applied, caught.value.phase) == (False, "pool")
    pool.release(held)
    assert StrictRedis(connection_pool=pool).ping() is True


def test_all_the_time_in_the_world(make_pool) -> None:
    pool = make_pool(timeout=None)
    held, found = pool.get_connection(), []
    thread = begin(lambda: found.append(StrictRedis(connection_pool=pool).ping()))
    in_line(pool, 1)
    thread.join(0.5)
    assert thread.is_alive() and found == []
    pool.release(held)
    join([thread])
    assert found == [True]


# Who waits holds up nobody


def innermost_of_ours(frame: FrameType | None) -> Any:
    while frame is not None and not frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return frame and frame.f_code


def test_nobody_blocks_but_in_his_own_place() -> None:
    pool = silent_pool(timeout=None)
    held = pool.get_connection()
    threads = [begin(lambda: pool.release(pool.get_connection())) for _ in range(20)]
    in_line(pool, 20)

    def places() -> set[Any]:
        frames = sys._current_frames()
        return {innermost_of_ours(frames[thread.ident or 0]) for thread in threads}

    until(lambda: places() == {Turn.wait.__code__})
    for _ in range(20):  # what blocks here blocks for ever
        pool.disconnect()
        pool.retire()
        pool.warm_up()
        assert pool._created_connections == 1 and repr(pool)
    gc.collect()
    pool.release(held)
    join(threads)
    assert pool._waiting == {}


def test_a_finalizer_gives_back_while_its_thread_stands_in_line(make_pool) -> None:
    """The collector may run anywhere, in him who waits as well."""
    pool = make_pool(timeout=20)

    class Holder:
        def __init__(self) -> None:
            self.connection, self.me = pool.get_connection(), self

        def __del__(self) -> None:
            pool.release(self.connection)

    Holder()  # a cycle
    handler = signal.signal(signal.SIGALRM, lambda *args: gc.collect())
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        start = monotonic()
        pool.release(pool.get_connection())
    finally:
        signal.signal(signal.SIGALRM, handler)
    assert monotonic() - start < 5


# Who does not come


def test_a_waiter_who_is_killed(make_pool) -> None:
    """An exception thrown into his thread: the next in line is served."""
    pool, found = make_pool(), []
    held = pool.get_connection()

    def killed() -> None:
        with pytest.raises(SystemError):
            pool.get_connection()

    first = begin(killed)
    in_line(pool, 1)
    second = begin(lambda: found.append(StrictRedis(connection_pool=pool).ping()))
    in_line(pool, 2)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(first.ident or 0), ctypes.py_object(SystemError))
    join([first])
    in_line(pool, 1)
    pool.release(held)
    join([second])
    assert found == [True]


@LEFT_TO_FINALIZER
def test_interrupted_anywhere_the_turn_is_passed_on(make_pool) -> None:
    """Who waits is interrupted between any two bytecodes, before the connection comes back or after it: whoever stands
    behind him is served."""
    pool = make_pool()
    client, in_time = StrictRedis(connection_pool=pool), []

    def second() -> None:
        start = monotonic()
        assert client.ping() is True
        in_time.append(monotonic() - start < 5)

    def give_back(held: list[Any], ended: threading.Event) -> None:
        while not (pool._waiting or ended.is_set()):
            sleep(0.0005)
        behind = begin(second)
        while not (len(pool._waiting) > 1 or ended.is_set()):
            sleep(0.0005)
        pool.release(held.pop())  # from here on nobody but the pool holds it
        join([behind])

    def prepare() -> None:
        nonlocal ended, helper
        ended = threading.Event()
        helper = begin(give_back, [pool.get_connection()], ended)

    ended, helper, runs = threading.Event(), threading.current_thread(), 0
    for _ in interruptions(lambda: pool.release(pool.get_connection()), INSTRUCTION, prepare=prepare, step=29):
        ended.set()
        join([helper])
        runs += 1
    ended.set()
    join([helper])
    assert len(in_time) == runs + 1 > 10
    assert all(in_time)
    assert sound(pool) and settle(pool) == 1
    assert pool._waiting == {}


def test_who_stays_away_is_passed_over(make_pool) -> None:
    """His traceback is held by somebody, say, so that he is still in the line."""
    pool = make_pool(timeout=20)
    gone = Turn()
    pool._waiting[weakref.ref(gone)] = None
    client, start = StrictRedis(connection_pool=pool), monotonic()
    assert [client.ping() for _ in range(3)] == [True] * 3
    assert monotonic() - start < 3 * PATIENCE, "it takes its time but once"
    assert list(pool._waiting) == [weakref.ref(gone)]


def test_a_signal_handler_that_waits_on_top_of_who_waits(make_pool) -> None:
    """He below cannot come, so he is passed over; and is served when the handler has ended."""
    pool = make_pool(timeout=20)
    client, found = StrictRedis(connection_pool=pool), []
    held = pool.get_connection()

    def handle(*args: Any) -> None:
        helper = begin(lambda: (in_line(pool, 2), pool.release(held)))
        found.append(client.echo("handler"))
        helper.join(5)

    handler = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        start = monotonic()
        found.append(client.echo("main"))
    finally:
        signal.signal(signal.SIGALRM, handler)
    assert found == [b"handler", b"main"]
    assert monotonic() - start < 10
    assert pool._waiting == {}


# Forks


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_fork_while_others_wait(make_pool) -> None:
    """The line of the child is empty; those who wait in the parent are served there."""
    pool = make_pool(timeout=20)
    client, found = StrictRedis(connection_pool=pool), []
    client.flushall()
    held = pool.get_connection()
    threads = [begin(lambda: found.append(client.ping())) for _ in range(5)]
    in_line(pool, 5)

    def task() -> None:
        assert pool._waiting == {}
        work(client, "child")

    with child(task):
        pass
    assert found == []
    pool.release(held)
    join(threads)
    assert found == [True] * 5


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_the_child_of_one_who_waits(make_pool) -> None:
    """He forks in a signal handler: the child goes on waiting, and there is room in its pool."""
    pool = make_pool(timeout=20)
    client, children = StrictRedis(connection_pool=pool), []
    held, parent = pool.get_connection(), os.getpid()

    def handle(*args: Any) -> None:
        children.append(os.fork())
        if os.getpid() == parent:
            pool.release(held)

    handler = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    status, start = 1, monotonic()
    try:
        status = 0 if client.echo("x") == b"x" and monotonic() - start < 5 else 1
    finally:
        if os.getpid() != parent:
            os._exit(status)
        signal.signal(signal.SIGALRM, handler)
    assert status == 0
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0
