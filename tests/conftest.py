"""The fixtures that every test may use: servers, the kinds of client, the transports, and clients that are closed."""

import contextlib
import itertools
import signal
from dataclasses import dataclass
from typing import Any

import pytest

from redis.client import StrictRedis
from redis.connection import HIREDIS_AVAILABLE, Connection, HiredisParser, PythonParser
from tests.servers import REDIS7, REDIS8, VALKEY, TLSServer, ask, replica_of, sentinels, standalone, until

# A shell that starts the suite in the background has Ctrl-C ignored, and what is started from here would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Kind:
    """One way to receive replies; what a client gives must not depend on it but for bytes and str."""

    decode_responses: bool
    protocol: int
    parser_class: type

    def __str__(self):
        values = "str" if self.decode_responses else "bytes"
        return f"{values}-resp{self.protocol}-{self.parser_class.__name__.removesuffix('Parser').lower()}"

    @property
    def options(self):
        """The keywords that make a client of this kind."""
        return {
            "decode_responses": self.decode_responses,
            "protocol": self.protocol,
            "parser_class": self.parser_class,
        }

    def value(self, value):
        """Return bytes as a client of this kind returns them."""
        return value.decode() if self.decode_responses else value

    def text(self, text):
        """Return a text as a client of this kind returns it."""
        return self.value(text.encode())


@dataclass(frozen=True)
class Transport:
    """One way to reach a server."""

    name: str
    server: Any
    options: dict[str, Any]


needs_hiredis = pytest.mark.skipif(not HIREDIS_AVAILABLE, reason="hiredis is not installed")
KINDS = [
    pytest.param(kind, id=str(kind), marks=[needs_hiredis] if kind.parser_class is HiredisParser else [])
    for kind in itertools.starmap(Kind, itertools.product((False, True), (2, 3), (HiredisParser, PythonParser)))
]


@pytest.fixture(scope="session")
def server():
    """Valkey over TCP and a Unix socket."""
    with standalone(VALKEY) as running:
        yield running


@pytest.fixture(scope="session")
def redis7():
    """Redis 7 over TCP and a Unix socket."""
    with standalone(REDIS7) as running:
        yield running


@pytest.fixture(scope="session")
def redis8():
    """Redis 8 over TCP and a Unix socket; a test that asks for it is skipped where it is not at hand."""
    with standalone(REDIS8) as running:
        yield running


@pytest.fixture(scope="session")
def tls_server(tmp_path_factory):
    """Redis 7 over TLS, with the files of its certificates."""
    with TLSServer(tmp_path_factory.mktemp("certificates")) as running:
        yield running


@pytest.fixture(params=KINDS)
def kind(request):
    """Each kind of client."""
    return request.param


@pytest.fixture(params=["tcp", "unix", "tls"])
def transport(request):
    """Each way to reach a server, whose data are gone."""
    found = request.getfixturevalue("tls_server" if request.param == "tls" else "server")
    ask(found, "FLUSHALL")
    options = {"host": found.host, "port": found.port}
    if request.param == "unix":
        options = {"unix_socket_path": found.unix_socket}
    if request.param == "tls":
        options |= {"ssl": True, "ssl_ca_certs": found.ca_file}
    return Transport(request.param, found, options)


@pytest.fixture(scope="session")
def watched():
    """A master with a replica, and a sentinel that watches them as ``mymaster``: (master, replica, sentinel)."""
    with standalone() as master, replica_of(master) as replica, sentinels(master, 1, quorum=1) as (sentinel,):
        until(lambda: ask(sentinel, "SENTINEL", "REPLICAS", "mymaster"))
        yield master, replica, sentinel


@pytest.fixture
def sentinel_at_home(watched, monkeypatch):
    """Lead connections to the usual port of sentinels to the sentinel of the tests, whose servers are empty."""
    ask(watched[0], "FLUSHALL")
    connect_to = Connection._connect_to

    def redirected(self, family, kind, proto, address):
        if address[1] == 26379:
            address = (address[0], watched[2].port, *address[2:])
        return connect_to(self, family, kind, proto, address)

    monkeypatch.setattr(Connection, "_connect_to", redirected)


@pytest.fixture
def make_client(server):
    """A function that makes clients of ``server``, whose data are gone; they are closed at the end.

    Keywords are those of the class; with an address or a pool among them the client is for another server.
    """
    ask(server, "FLUSHALL")
    with contextlib.ExitStack() as clients:

        def make(cls=StrictRedis, **options):
            if options.keys().isdisjoint({"unix_socket_path", "connection_pool"}):
                options = {"host": server.host, "port": server.port, **options}
            client = cls(**options)
            clients.callback(client.close)
            return client

        yield make


@pytest.fixture
def r(make_client, kind):
    """A client of each kind."""
    return make_client(**kind.options)
