"""TLS verifies the chain and the name of the host by default, and one context serves all connections of a pool."""

from __future__ import annotations

import gc
import os
import shutil
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
import trustme

import redis
from tests.servers import TLSServer, ask

NOW, DAY = datetime.now(UTC), timedelta(days=1)
EXPIRED = {"not_before": NOW - 9 * DAY, "not_after": NOW - DAY}
NOT_YET_VALID = {"not_before": NOW + DAY, "not_after": NOW + 9 * DAY}
Make = Callable[..., redis.StrictRedis]


class Wrong(NamedTuple):
    """What is wrong: settings of the server, options of the client, and what the error must say."""

    settings: dict[str, str]
    options: dict[str, Any]
    words: str


class Server(TLSServer):
    """A server that can be given other certificates while it runs."""

    def set(self, settings: dict[str, str]) -> None:
        ask(self, "CONFIG", "SET", *[word for setting in settings.items() for word in setting])

    def set_right(self) -> None:
        files = self.certificates
        right = {"tls-cert-file": files.server_cert, "tls-key-file": files.server_key}
        self.set({**right, "tls-auth-clients": "no", "tls-protocols": ""})

    @property
    def options(self) -> dict[str, Any]:
        return {"host": self.host, "port": self.port, "ssl": True, "ssl_ca_certs": self.ca_file}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("tls")) as server:
        yield server


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    ask(running, "FLUSHALL")
    yield running
    running.set_right()


@pytest.fixture(scope="module")
def wrongs(running: Server) -> dict[str, Wrong]:
    """All that can be wrong, by its name."""
    files, other = running.certificates, trustme.CA()
    shown = {
        "another CA": (files.issue("other", "127.0.0.1", authority=other), "certificate verify failed"),
        "another name": (files.issue("name", "elsewhere.example", "127.0.0.2"), "IP address mismatch"),
        "expired": (files.issue("expired", "127.0.0.1", **EXPIRED), "certificate has expired"),
        "not yet valid": (files.issue("early", "127.0.0.1", **NOT_YET_VALID), "certificate is not yet valid"),
        "self-signed": (files.self_signed(), "self.signed certificate"),
    }
    found = {
        name: Wrong({"tls-cert-file": cert, "tls-key-file": key}, {}, words)
        for name, ((cert, key), words) in shown.items()
    }
    certfile, keyfile = files.issue("stranger", "client.example", authority=other)
    demanded = {"tls-auth-clients": "yes"}
    stranger = {"ssl_certfile": certfile, "ssl_keyfile": keyfile}
    found["no client certificate"] = Wrong(demanded, {}, "certificate required")
    found["client certificate of another CA"] = Wrong(demanded, stranger, "unknown ca")
    newest = {"ssl_min_version": ssl.TLSVersion.TLSv1_3}
    found["an old version"] = Wrong({"tls-protocols": "TLSv1.2"}, newest, "protocol version")
    return found


NAMES = [
    "another CA",
    "another name",
    "expired",
    "not yet valid",
    "self-signed",
    "no client certificate",
    "client certificate of another CA",
    "an old version",
]
SHOWN_BY_SERVER = NAMES[:5]


@pytest.fixture
def wrong(wrongs: dict[str, Wrong], server: Server, request: pytest.FixtureRequest) -> Wrong:
    """What is wrong with the server from now on."""
    server.set(wrongs[request.param].settings)
    return wrongs[request.param]


def in_way_of(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("wrong", [name], indirect=True)


def open_descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def contexts() -> int:
    """How many there are in the process."""
    gc.collect()
    return sum(isinstance(thing, ssl.SSLContext) for thing in gc.get_objects())


@pytest.mark.parametrize("wrong", NAMES, indirect=True)
def test_refused_and_said_why(server: Server, make: Make, wrong: Wrong) -> None:
    client = make(**server.options, **wrong.options)
    before = open_descriptors()
    for _ in range(3):
        with pytest.raises(redis.ConnectionError, match=wrong.words) as caught:
            client.incr("n")
        error = caught.value
        assert (error.phase, error.maybe_applied) == ("tls", False)
        assert error.address == f"{server.host}:{server.port}" and error.address in str(error)
        assert isinstance(error.__cause__, ssl.SSLError)
    assert open_descriptors() == before
    server.set_right()
    assert client.incr("n") == 1


def subscribe(client: redis.StrictRedis) -> None:
    with client.pubsub() as pubsub:
        pubsub.subscribe("c")


def monitor(client: redis.StrictRedis) -> None:
    with client.monitor():
        pass


WAYS: dict[str, Callable[[redis.StrictRedis], Any]] = {
    "transaction": lambda client: client.pipeline().incr("n").execute(),
    "pipeline": lambda client: client.pipeline(transaction=False).incr("n").execute(),
    "watch": lambda client: client.pipeline().watch("n"),
    "subscribe": subscribe,
    "monitor": monitor,
    "script": lambda client: client.register_script("return 1")(),
    "lock": lambda client: client.lock("l", timeout=5).acquire(blocking=False),
}


@in_way_of("another name")
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_no_way_goes_round_it(server: Server, make: Make, wrong: Wrong, way: Callable[..., Any]) -> None:
    client = make(**server.options)
    before = open_descriptors()
    with pytest.raises(redis.ConnectionError, match=wrong.words) as caught:
        way(client)
    assert (caught.value.phase, caught.value.maybe_applied) == ("tls", False)
    assert open_descriptors() == before
    assert ask(server, "GET", "n") is None
    server.set_right()
    way(client)


@in_way_of("no client certificate")
def test_a_client_certificate_that_is_demanded(server: Server, make: Make, wrong: Wrong) -> None:
    files = server.certificates
    assert make(**server.options, ssl_certfile=files.client_cert, ssl_keyfile=files.client_key).incr("n") == 1


@pytest.mark.parametrize("wrong", SHOWN_BY_SERVER, indirect=True)
def test_optional_is_no_way_round_it(server: Server, make: Make, wrong: Wrong) -> None:
    with pytest.raises(redis.ConnectionError, match=wrong.words):
        make(**server.options, ssl_cert_reqs="optional").ping()


@pytest.mark.parametrize("wrong", SHOWN_BY_SERVER, indirect=True)
def test_none_takes_what_comes(server: Server, make: Make, wrong: Wrong) -> None:
    assert make(**server.options, ssl_cert_reqs="none").ping() is True


@pytest.mark.parametrize("wrong", SHOWN_BY_SERVER, indirect=True)
def test_without_the_name_only_the_name_is_not_looked_at(server: Server, make: Make, wrong: Wrong) -> None:
    client = make(**server.options, ssl_check_hostname=False)
    if wrong.words == "IP address mismatch":
        assert client.ping() is True
    else:
        with pytest.raises(redis.ConnectionError, match=wrong.words):
            client.ping()


@pytest.mark.parametrize("wrong", SHOWN_BY_SERVER, indirect=True)
def test_a_ready_context_is_as_strict_as_it_is(server: Server, make: Make, wrong: Wrong) -> None:
    context = ssl.create_default_context(cafile=server.ca_file)
    client = make(host=server.host, port=server.port, ssl=True, ssl_context=context)
    with pytest.raises(redis.ConnectionError, match=wrong.words):
        client.ping()
    server.set_right()
    assert client.ping() is True
    assert client.connection_pool._available_connections[0]._sock.context is context


def test_beside_a_ready_context_none_is_made(server: Server, make: Make) -> None:
    context = ssl.create_default_context(cafile=server.ca_file)
    before = contexts()
    assert make(host=server.host, port=server.port, ssl=True, ssl_context=context).ping() is True
    assert contexts() == before


def test_one_context_for_each_pool(server: Server, make: Make) -> None:
    before = contexts()
    client = make(**server.options)
    pool = client.connection_pool
    lent = [pool.get_connection("PING") for _ in range(5)]
    for connection in lent:
        connection.connect()
    with client.pubsub() as pubsub, client.monitor():
        pubsub.subscribe("c")
        client.pipeline().ping().execute()
        assert contexts() == before + 1
    for connection in lent:
        pool.release(connection)
    pool.disconnect(immediate=True)
    assert client.ping() is True
    other = make(**server.options)
    assert other.ping() is True
    assert contexts() == before + 2


def test_the_second_connection_reads_no_file(server: Server, make: Make, tmp_path) -> None:
    authorities = shutil.copy(server.ca_file, tmp_path / "ca.pem")
    client = make(**{**server.options, "ssl_ca_certs": str(authorities)})
    assert client.ping() is True
    authorities.unlink()
    pool = client.connection_pool
    lent = [pool.get_connection("PING") for _ in range(3)]
    for connection in lent:
        connection.connect()
        pool.release(connection)
    assert client.ping() is True


def test_threads_that_connect_at_once_share_the_context(server: Server, make: Make) -> None:
    client, start = make(**server.options), threading.Barrier(8)
    connections: list[Any] = []

    def connect() -> None:
        connection = client.connection_pool.get_connection("PING")
        start.wait()
        connection.connect()
        connections.append(connection)

    threads = [threading.Thread(target=connect) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(connection._sock.context) for connection in connections}) == 1
    for connection in connections:
        client.connection_pool.release(connection)
