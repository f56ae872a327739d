"""redis/connection/tcp.py: connections of the user's own, and callbacks at each connect."""

import socket

import pytest

from redis.connection.pool import ConnectionPool
from redis.connection.tcp import Connection
from redis.exceptions import (
    ConnectionError,
    InvalidResponse,
    TimeoutError,
)
from tests.connection.pair import WiredConnection, wire
from tests.faults.fakenode import RefusingPort, answer, close, drop, hold, reset


@pytest.fixture
def connection(server):
    made = Connection(server.host, server.port, socket_timeout=5)
    yield made
    made.disconnect()


class Naming(Connection):
    """Sends a command more, as many do."""

    def on_connect(self):
        super().on_connect()
        self.send_command("CLIENT", "SETNAME", "named")
        if self.read_response() not in (b"OK", "OK"):
            raise ConnectionError("no name")


@pytest.mark.parametrize("single", [False, True])
def test_a_subclass_with_commands_of_its_own_at_connect(make_client, server, kind, single):
    pool = ConnectionPool(Naming, host=server.host, port=server.port, **kind.options)
    client = make_client(connection_pool=pool, single_connection_client=single)
    assert client.client_getname() == "named"
    client.set("k", "v")
    assert client.get("k") == kind.text("v")
    client.close()
    pool.close()


@pytest.mark.parametrize("action", [drop, close, reset, hold], ids=lambda action: action.__name__)
def test_a_subclass_and_a_handshake_that_fails(node, action):
    node.script("SELECT", action)
    connection = Naming(**node.options, db=1, socket_timeout=0.2)
    with pytest.raises((ConnectionError, TimeoutError)) as caught:
        connection.connect()
    assert caught.value.maybe_applied is False
    assert connection._sock is None
    connection.connect()
    connection.disconnect()


def test_a_subclass_whose_own_command_fails(node):
    node.script("CLIENT", answer, answer, drop)
    connection = Naming(**node.options)
    with pytest.raises(ConnectionError):
        connection.connect()
    assert connection._sock is None


def test_a_subclass_that_connects_its_own_way():
    class Elsewhere(Connection):
        def _connect(self):
            return socket.create_connection(("127.0.0.1", self.port))

    class Derived(Elsewhere):
        pass

    with RefusingPort() as port:
        for cls in (Elsewhere, Derived):
            with pytest.raises(ConnectionError, match="Connection refused") as caught:
                cls(port=port).connect()
            assert caught.value.maybe_applied is False
    assert Connection.connecting is not Elsewhere.connecting


def test_callbacks_at_each_connect(connection):
    seen = []
    connection.register_connect_callback(seen.append)
    connection.connect()
    connection.disconnect()
    connection.connect()
    assert seen == [connection, connection]
    connection.clear_connect_callbacks()
    connection.disconnect()
    connection.connect()
    assert len(seen) == 2


def test_a_callback_may_use_the_connection(connection):
    def name(made):
        made.send_command("CLIENT", "SETNAME", "by-callback")
        assert made.read_response() == b"OK"

    connection.register_connect_callback(name)
    connection.send_command("CLIENT", "GETNAME")
    assert connection.read_response() == b"by-callback"
    assert connection.owed == 0


def test_a_callback_that_raises_leaves_no_half_made_connection(connection):
    def fail(made):
        raise LookupError("no")

    connection.register_connect_callback(fail)
    with pytest.raises(LookupError):
        connection.connect()
    assert connection._sock is None


def test_bytes_behind_the_handshake():
    class Noisy(WiredConnection):
        def on_connect(self):
            self.peer.sendall(b"+OK\r\n+EXTRA\r\n")
            self.send_command("PING")
            self.read_response()

    with pytest.raises(InvalidResponse, match="more than it was asked for") as caught, wire(Noisy):
        pass
    assert caught.value.phase == "handshake"
