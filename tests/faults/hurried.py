"""What the tests of deadlines share: ways to give a call one, servers that are slow, and what an error must tell."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from math import inf
from time import monotonic, sleep
from typing import Any, NamedTuple, Self

import pytest

import redis
from redis.connection import ConnectionPool, PythonParser
from redis.connection.deadline import DEADLINES, current
from tests.faults.fakenode import Execute, FakeNode, Link, listen

Client = redis.StrictRedis

#: What a call may take, in seconds, and what it may take longer than that.
SECONDS, SLACK = 0.2, 0.3
#: More than all buffers on the way hold.
LARGE = b"x" * 30_000_000
PAUSE = 0.05


class Classic(Client):
    """A client that overrides a method: its commands go the classic way."""

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        return super().parse_response(connection, command_name, **options)


class OwnConnection(redis.Connection):
    """A connection class of the user's."""

    def send_packed_command(self, command: Any) -> None:
        super().send_packed_command(command)


class OwnParser(PythonParser):
    """A parser of the user's."""

    def read_response(self) -> Any:
        return super().read_response()


def over_own_connections(**options: Any) -> Client:
    client = Client(connection_pool=ConnectionPool(OwnConnection, **options))
    client._owns_pool = True
    return client


class Way(NamedTuple):
    """A way to give a call its deadline, and to execute it."""

    limit: Callable[[], Any]
    options: dict[str, Any]
    make: Callable[..., Client] = Client

    def call(self, work: Callable[[], Any]) -> Any:
        """What ``work()`` returns, which has to be done by the deadline."""
        with self.limit():
            return work()


LIMIT: dict[str, Any] = {"command_timeout": SECONDS}
PYTHON: dict[str, Any] = {"parser_class": PythonParser, "protocol": 3}
#: The parser is the best that there is, and the protocol RESP2, but where it says otherwise.
WAYS = {
    "option": Way(nullcontext, LIMIT),
    "option, python": Way(nullcontext, {**LIMIT, **PYTHON}),
    "block": Way(lambda: redis.deadline(SECONDS), {}),
    "single": Way(nullcontext, {**LIMIT, **PYTHON, "single_connection_client": True}),
    "classic": Way(nullcontext, LIMIT, Classic),
    "classic, python": Way(lambda: redis.deadline(SECONDS), PYTHON, Classic),
    "connection": Way(nullcontext, LIMIT, over_own_connections),
    "parser": Way(lambda: redis.deadline(SECONDS), {"parser_class": OwnParser}),
}
OPTION, BLOCK = WAYS["option"], WAYS["block"]


# What is expected


def late(call: Callable[[], Any], prepare: Callable[[], object] = lambda: None) -> Any:
    """The error of a call that has a deadline, and ends in time."""
    found: list[BaseException] = []

    def fail() -> None:
        with pytest.raises((redis.TimeoutError, redis.ConnectionError)) as caught:
            call()
        found.append(caught.value)

    assert quickest(fail, prepare) < SECONDS + SLACK, found[-1]
    return found[-1]


def quickest(call: Callable[[], object], prepare: Callable[[], object] = lambda: None) -> float:
    """How many seconds a call takes; a machine under load is given another chance, and a third."""
    took = inf
    for _ in range(3):
        if took > SECONDS + SLACK:
            prepare()
            start = monotonic()
            call()
            took = monotonic() - start
    return took


def assert_told(error: Any, phase: str, applied: bool, command: str, address: str) -> None:
    """The error says all that there is to say."""
    assert isinstance(error, redis.TimeoutError)
    assert (error.phase, error.maybe_applied) == (phase, applied), error
    assert (error.command, error.address, error.attempt) == (command, address, 1)
    assert SECONDS / 2 < error.elapsed < SECONDS + SLACK
    verdict = "may have been applied" if applied else "was not applied"
    ending = f"({command} at {address}, attempt 1, after {error.elapsed:.2f} s: it {verdict})"
    assert str(error).endswith(f", at the deadline of {SECONDS} s {ending}")


def again(call: Callable[[], Any]) -> Any:
    """What a call returns, which may have to be made again: a deadline is short for a machine under load."""
    for _ in range(10):
        with suppress(redis.TimeoutError):
            return call()
    return call()


def address_of(node: FakeNode) -> str:
    return node.path or f"127.0.0.1:{node.port}"


# What a server can do


def drip(link: Link, execute: Execute) -> None:
    """Answer in single bytes, each so soon that the next one is worth waiting for."""
    for byte in execute():
        link.write(bytes([byte]))
        sleep(PAUSE)


def drip_at_last(link: Link, execute: Execute) -> None:
    """The same after a long beginning."""
    reply = execute()
    link.write(reply[:200_000])
    for byte in reply[200_000:]:
        link.write(bytes([byte]))
        sleep(PAUSE)


def answer_and_hold(link: Link, execute: Execute) -> None:
    """Answer, and read nothing any more."""
    link.write(execute())
    link.node.closing.wait()


class BlackHole:
    """A listener that takes nobody: who connects to it waits for ever."""

    def __init__(self, path: str | None = None) -> None:
        self.listener = listen(path)
        self.listener.listen(0)
        self.address = self.listener.getsockname()
        self.options = {"unix_socket_path": path} if path else {"host": "127.0.0.1", "port": self.address[1]}
        self.waiting: list[socket.socket] = []

    def __enter__(self) -> Self:
        while self.takes_another():
            pass
        return self

    def takes_another(self) -> bool:
        """Stand in its queue, and say whether there was room."""
        sock = socket.socket(self.listener.family)
        self.waiting.append(sock)
        sock.settimeout(0.05)
        with suppress(OSError):
            sock.connect(self.address)
            return True
        return False

    def __exit__(self, *error: object) -> None:
        for sock in [self.listener, *self.waiting]:
            sock.close()


@contextmanager
def clients() -> Iterator[Callable[..., Client]]:
    """A function that makes a client of a way; they are closed at the end, and no deadline is left."""
    with ExitStack() as made:

        def make(way: Way = OPTION, **options: Any) -> Client:
            return made.enter_context(way.make(**{**way.options, **options}))

        yield make
    assert DEADLINES == {} and current() is None
