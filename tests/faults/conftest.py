"""What the tests of the promises stand on: each transport, both parsers, scripted servers and proxies."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from redis import StrictRedis
from redis.connection import HiredisParser, PythonParser
from tests.conftest import needs_hiredis
from tests.faults.fakenode import FakeNode
from tests.faults.interrupt import CAN_RAISE_AGAIN
from tests.faults.proxy import Proxy
from tests.servers import Certificates

#: By hand, for minutes: REDISPY_SOAK=1.
SOAK = os.environ.get("REDISPY_SOAK") == "1"
BRIEF = [
    pytest.param({"parser_class": HiredisParser, "protocol": 2}, id="hiredis", marks=needs_hiredis),
    pytest.param({"parser_class": PythonParser, "protocol": 3}, id="python"),
]


@pytest.fixture(params=BRIEF)
def speech(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each parser, one with each protocol."""
    return request.param


@pytest.fixture
def make(speech: dict[str, Any]) -> Iterator[Callable[..., StrictRedis]]:
    """A function that makes clients of each speech; they are closed at the end."""
    with ExitStack() as clients:

        def make_client(**options: Any) -> StrictRedis:
            return clients.enter_context(StrictRedis(**speech, **options))

        yield make_client


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("node"))


@pytest.fixture(params=["tcp", "unix", "tls"])
def node(request: pytest.FixtureRequest, tmp_path, certificates: Certificates) -> Iterator[FakeNode]:
    """A scripted server over each transport."""
    path = str(tmp_path / "node.sock") if request.param == "unix" else None
    context = certificates.server_context() if request.param == "tls" else None
    with FakeNode(path, context, certificates.ca_file) as node:
        yield node


@pytest.fixture
def tls_node(certificates: Certificates) -> Iterator[FakeNode]:
    """A scripted server over TLS."""
    with FakeNode(context=certificates.server_context(), ca_file=certificates.ca_file) as node:
        yield node


@pytest.fixture
def blind(tls_node: FakeNode) -> Iterator[Proxy]:
    """A proxy in front of it that passes on what it cannot read."""
    with Proxy(tls_node.address) as proxy:
        yield proxy


@pytest.fixture
def speaking(tls_node: FakeNode, certificates: Certificates) -> Iterator[Proxy]:
    """One that speaks TLS itself, to either side."""
    with Proxy(tls_node.address, tls=(certificates.server_context(), certificates.client_context())) as proxy:
        yield proxy


@pytest.fixture
def connect(tls_node: FakeNode, make: Callable[..., StrictRedis]) -> Callable[..., StrictRedis]:
    """A function that makes clients of either proxy."""

    def connect(proxy: Proxy, **options: float) -> StrictRedis:
        return make(**{**tls_node.options, "port": proxy.port, "socket_timeout": 20, **options})

    return connect


@pytest.fixture
def tcp() -> Iterator[FakeNode]:
    """A scripted server, over TCP alone."""
    with FakeNode() as node:
        yield node


@pytest.fixture
def client(node: FakeNode, make: Callable[..., StrictRedis]) -> StrictRedis:
    """A client of the scripted server, whose time is short."""
    return make(**node.options, socket_timeout=0.2, socket_connect_timeout=2)


@pytest.fixture
def proxy(transport, tmp_path) -> Iterator[Proxy]:
    """A proxy in front of a real server, over each transport; ``options`` lead to it."""
    options = dict(transport.options)
    if transport.name == "unix":
        with Proxy(options["unix_socket_path"], str(tmp_path / "proxy.sock")) as proxy:
            proxy.options = {"unix_socket_path": proxy.path}
            yield proxy
    else:
        with Proxy((options["host"], options["port"])) as proxy:
            proxy.options = {**options, "port": proxy.port}
            yield proxy


needs_second_shot = pytest.mark.skipif(not CAN_RAISE_AGAIN, reason="a tracer of Python 3.11 raises once")
#: For tests that interrupt: a socket that no line has taken charge of yet is closed by its finalizer, which warns.
LEFT_TO_FINALIZER = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


def sound(pool: Any) -> bool:
    """Whether what lies in the pool may be lent: nothing is owed, and nothing lies there twice."""
    idle = pool._available_connections
    return all(connection.owed == 0 for connection in idle) and len(set(map(id, idle))) == len(idle)


def settle(pool: Any) -> int:
    """Let go of what interrupted calls have left behind; return how many connections there are then."""
    gc.collect()
    return pool._created_connections
