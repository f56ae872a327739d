"""Forks: the child works at once, the parent's answers reach the parent, and neither sees a word of the other's."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import pytest

import redis
from redis.connection import BlockingConnectionPool
from tests.faults.fakenode import ACCEPT, hold
from tests.servers import ask, until

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
#: Seconds that a child has for its commands.
PATIENCE = 5
COMMANDS = 100


def work(client: redis.StrictRedis, name: str, commands: int = COMMANDS) -> None:
    """Commands of which each answer can be told from any other."""
    for number in range(1, commands // 2 + 1):
        assert client.incr(f"n:{name}") == number
        assert client.echo(f"{name}:{number}") == f"{name}:{number}".encode()


def work_with(options: dict[str, Any], name: str) -> None:
    with redis.StrictRedis(**options) as client:
        work(client, name)


@contextmanager
def child(task: Callable[[], object]) -> Iterator[None]:
    """Run ``task`` in a fork while the block runs; it must end well, and in time."""
    pid = os.fork()
    if not pid:
        run_and_exit(task)
    deadline = monotonic() + PATIENCE
    try:
        yield
    finally:
        status = ended(pid, deadline)
    assert status == 0, "the child failed, or was killed because it hung"


def ended(pid: int, deadline: float) -> int:
    """Wait for a child until the deadline, then kill it; return how it ended."""
    while monotonic() < deadline:
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone:
            return os.waitstatus_to_exitcode(status)
        sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run_and_exit(task: Callable[[], object]) -> None:
    status = 1
    try:
        task()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def thread(task: Callable[[], object]) -> threading.Thread:
    started = threading.Thread(target=task)
    started.start()
    return started


@pytest.fixture(params=["pool", "single connection"])
def client(request, transport, make) -> redis.StrictRedis:
    return make(**transport.options, single_connection_client=request.param == "single connection")


def test_both_go_on(client) -> None:
    before = client.execute_command("CLIENT", "ID")

    def task() -> None:
        assert client.execute_command("CLIENT", "ID") != before, "the child speaks through the parent's socket"
        work(client, "child")

    with child(task):
        work(client, "parent")
    assert client.execute_command("CLIENT", "ID") == before, "the child has closed the parent's connection"


def test_a_child_that_closes_its_client(client) -> None:
    before = client.execute_command("CLIENT", "ID")

    def task() -> None:
        client.close()
        with pytest.raises(redis.ConnectionError):
            client.ping()

    with child(task):
        work(client, "parent", 10)
    assert client.execute_command("CLIENT", "ID") == before


def test_while_a_reply_is_owed(transport, make) -> None:
    """The child gives back a connection that its parent had borrowed, and does not hear the parent's answer."""
    client = make(**transport.options)
    pool = client.connection_pool
    connection = pool.get_connection("ECHO")
    connection.send_command("ECHO", "the parent's")

    def task() -> None:
        pool.release(connection)
        work(client, "child")

    with child(task):
        pass
    assert connection.read_response() == b"the parent's"
    pool.release(connection)
    work(client, "parent", 10)


def test_while_another_thread_waits_for_an_answer(transport, make) -> None:
    client = make(**transport.options)
    answers: list[object] = []
    waiting = thread(lambda: answers.append(client.blpop("queue", timeout=10)))
    until(lambda: b"blocked_clients:1" in ask(transport.server, "INFO", "clients"))
    with child(lambda: work(client, "child")):
        work(client, "parent")
    ask(transport.server, "RPUSH", "queue", "x")
    waiting.join()
    assert answers == [(b"queue", b"x")]


def test_while_another_thread_connects(node, make) -> None:
    client = make(**node.options, socket_timeout=0.5, password="secret")
    node.script(ACCEPT, hold)
    errors: list[object] = []

    def connect() -> None:
        try:
            client.get("a")
        except redis.RedisError as error:
            errors.append(error)

    waiting = thread(connect)
    until(lambda: not node.scripts[ACCEPT])
    with child(lambda: work(client, "child", 20)):
        work(client, "parent", 20)
    waiting.join()
    assert [type(error) for error in errors] == [redis.TimeoutError]


def test_while_another_thread_stands_in_line(transport, make) -> None:
    lender = make(**transport.options).connection_pool
    options = {"connection_class": lender.connection_class, **lender.connection_kwargs}
    with BlockingConnectionPool(max_connections=1, timeout=10, **options) as pool:
        client = make_of(pool)
        held = pool.get_connection("PING")
        waiting = thread(lambda: work(client, "waiting", 10))
        until(lambda: pool._waiting)
        with child(lambda: work(client, "child")):
            pool.release(held)
            waiting.join()
        work(client, "parent", 10)


def make_of(pool: BlockingConnectionPool) -> redis.StrictRedis:
    return redis.StrictRedis(connection_pool=pool)


def test_many_children_of_a_busy_parent(transport, make) -> None:
    client = make(**transport.options)
    done = threading.Event()
    failures: list[BaseException] = []

    def busy(name: str) -> None:
        try:
            while not done.is_set():
                token = f"{name}:{monotonic()}"
                assert client.echo(token) == token.encode()
        except BaseException as failure:
            failures.append(failure)

    threads = [thread(lambda name=name: busy(name)) for name in ("one", "two")]
    try:
        for number in range(5):
            with child(lambda number=number: work(client, f"child {number}", 20)):
                pass
    finally:
        done.set()
        for busy_thread in threads:
            busy_thread.join()
    assert failures == []


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing(transport, speech, make, method: str) -> None:
    """A fork inherits the client; for the others its options travel, and the class of its parser with them."""
    context = multiprocessing.get_context(method)
    client = make(**transport.options)
    client.ping()
    if method == "fork":
        process = context.Process(target=work, args=(client, "child"))
    else:
        process = context.Process(target=work_with, args=({**transport.options, **speech}, "child"))
    process.start()
    work(client, "parent")
    process.join(20)
    assert process.exitcode == 0
    assert client.mget("n:child", "n:parent") == [b"50", b"50"]


FIRST_WORDS = """
import sys
import redis
client = redis.StrictRedis(**{options!r})
client.ping()
print("encodings.idna" in sys.modules)
"""


def test_connecting_does_not_import_what_a_fork_could_catch_half_way(transport) -> None:
    """A text as the name of a host has the system import a codec; a child that was forked meanwhile waits for ever."""
    script = FIRST_WORDS.format(options=transport.options)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False)
    assert ended.stdout.split() == ["False"], ended.stderr
