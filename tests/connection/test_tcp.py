"""redis/connection/tcp.py: how a connection is made, and the steps that others compose."""

import errno
import os
import re
import socket
import time

import pytest

from redis.client import StrictRedis
from redis.connection.outcome import NotSent
from redis.connection.parsers import PythonParser
from redis.connection.tcp import NEVER, UNCOUNTED, Connection, PackedCommands, is_readable
from redis.connection.timeouts import KernelTimeouts
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    DataError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,
)
from tests.connection.pair import meanwhile, read_exactly, wire
from tests.faults.fakenode import RefusingPort, answer, close, drop, reset


@pytest.fixture
def connection(server):
    made = Connection(server.host, server.port, socket_timeout=5)
    yield made
    made.disconnect()


# Making


def test_what_a_connection_is_made_of():
    connection = Connection("h", "1234", 5, "p", 1.5, 2.5, True, {1: 2}, True, "latin-1", "replace", True, PythonParser)
    found = (connection.host, connection.port, connection.db, connection.socket_timeout)
    assert found == ("h", 1234, 5, 1.5)
    assert (connection.socket_connect_timeout, connection.socket_keepalive) == (2.5, True)
    assert (connection.socket_keepalive_options, connection.retry_on_timeout) == ({1: 2}, True)
    assert repr(connection.encoder) == "Encoder('latin-1', 'replace', decode_responses=True)"
    assert type(connection._parser) is PythonParser
    assert connection.pid == os.getpid()
    assert connection.address == "h:1234"


def test_the_time_to_connect_is_that_of_a_reply_where_nothing_else_is_said():
    assert Connection(socket_timeout=3).socket_connect_timeout == 3


@pytest.mark.parametrize("protocol", [1, 4, "x", None, 2.5])
def test_a_protocol_that_does_not_exist(protocol):
    with pytest.raises(ValueError, match=r"protocol is .* it takes 2 or 3"):
        Connection(protocol=protocol)


@pytest.mark.parametrize("protocol", [2, 3, "2", "3"])
def test_a_protocol_that_exists(protocol):
    assert Connection(protocol=protocol).identity.protocol == int(protocol)


def test_repr_shows_where_and_no_secret():
    connection = Connection("h", 1, 2, "secret", username="user")
    assert repr(connection) == "Connection<host=h,port=1,db=2>"


def test_every_connection_has_its_own_number():
    assert Connection().serial < Connection().serial


def test_connect_is_done_once(connection):
    connection.connect()
    sock = connection._sock
    connection.connect()
    assert connection._sock is sock
    assert connection.used > NEVER


def test_small_packets_leave_at_once(connection):
    connection.connect()
    assert connection._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert not connection._sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_keepalive_and_its_options(server):
    options = {socket.TCP_KEEPIDLE: 33, socket.TCP_KEEPCNT: 4}
    with StrictRedis(server.host, server.port, socket_keepalive=True, socket_keepalive_options=options) as client:
        client.ping()
        sock = client.connection_pool._available_connections[0]._sock
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 33
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 4


def test_keepalive_options_without_keepalive_do_nothing(server):
    with StrictRedis(server.host, server.port, socket_keepalive_options={socket.TCP_KEEPIDLE: 33}) as client:
        client.ping()
        sock = client.connection_pool._available_connections[0]._sock
        assert not sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def addresses(monkeypatch, *places):
    entry = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: entry)


def test_the_addresses_of_a_host_are_tried_in_turn(monkeypatch, node):
    with RefusingPort() as refused:
        addresses(monkeypatch, ("127.0.0.1", refused), ("127.0.0.1", refused), node.address)
        with StrictRedis("a-name") as client:
            assert client.ping() is True


def test_the_first_address_that_answers_is_taken(monkeypatch, node):
    with RefusingPort() as refused:
        addresses(monkeypatch, node.address, ("127.0.0.1", refused))
        with StrictRedis("a-name") as client:
            assert client.ping() is True


def test_the_error_of_the_last_address_is_told(monkeypatch):
    with RefusingPort() as one, RefusingPort() as other:
        addresses(monkeypatch, ("127.0.0.1", one), ("127.0.0.1", other))
        with pytest.raises(ConnectionError, match="Connection refused"):
            Connection("a-name").connect()


def test_what_a_signal_handler_raises_while_an_address_is_tried(monkeypatch, node):
    trouble = ConnectionResetError(errno.ECONNRESET, "of somebody else")

    class Interrupted(socket.socket):
        def connect(self, address):
            raise trouble

    addresses(monkeypatch, ("127.0.0.1", 1), node.address)
    monkeypatch.setattr(socket, "socket", Interrupted)
    with pytest.raises(ConnectionResetError) as caught:
        Connection("a-name").connect()
    assert caught.value is trouble


def test_a_refused_connection(node):
    with RefusingPort() as port, StrictRedis("127.0.0.1", port) as client, pytest.raises(ConnectionError) as caught:
        client.incr("n")
    error = caught.value
    text = re.sub(r"after \d.\d\d s", "after S s", str(error))
    assert text == (
        f"Error 111 connecting to 127.0.0.1:{port}. Connection refused. "
        f"(INCRBY at 127.0.0.1:{port}, attempt 2, after S s: it was not applied)"
    )
    assert isinstance(error.__cause__, ConnectionRefusedError)
    assert (error.phase, error.maybe_applied) == ("connect", False)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 300, "a..b", "ä" * 100])
def test_a_host_that_does_not_exist(host):
    with pytest.raises(ConnectionError, match="connecting to") as caught:
        Connection(host).connect()
    assert caught.value.phase == "connect"


def test_a_host_that_does_not_answer():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        full = [socket.socket() for _ in range(4)]
        for sock in full:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        start = time.monotonic()
        with pytest.raises(TimeoutError, match=f"Timeout connecting to 127.0.0.1:{port}") as caught:
            Connection("127.0.0.1", port, socket_connect_timeout=0.2).connect()
        assert time.monotonic() - start < 1
        assert (caught.value.phase, caught.value.maybe_applied) == ("connect", False)
        for sock in full:
            sock.close()


def test_a_failed_connect_leaves_no_socket_behind(node):
    connection = Connection(**node.options)
    node.always("CLIENT", drop)
    with pytest.raises(ConnectionError):
        connection.connect()
    assert (connection._sock, connection.owed, connection.used) == (None, 0, NEVER)
    node.always("CLIENT", answer)
    connection.connect()
    connection.disconnect()


def test_connect_tells_a_fault_of_the_handshake(node):
    node.always("CLIENT", reset)
    with pytest.raises(ConnectionError) as caught:
        Connection(**node.options).connect()
    assert (caught.value.phase, caught.value.maybe_applied) == ("handshake", False)


def test_establish_tells_faults_as_they_are():
    with RefusingPort() as port, pytest.raises(NotSent):
        Connection("127.0.0.1", port).establish()


# The state


def test_prepare_makes_a_connection_and_keeps_a_good_one(connection):
    connection.prepare()
    sock = connection._sock
    connection.prepare()
    assert connection._sock is sock
    sock.close()
    connection.prepare()
    assert connection._sock is not sock


def test_what_was_changed_is_not_made_anew_in_silence(connection):
    connection.prepare()
    connection.altered = True
    connection.disconnect()
    with pytest.raises(ConnectionError, match="what earlier commands had set") as caught:
        connection.prepare()
    assert caught.value.maybe_applied is False
    connection.prepare()
    assert connection._sock is not None


def test_can_read(connection):
    assert connection.can_read() is False
    connection.send_command("PING")
    assert connection.can_read(timeout=5) is True
    assert connection.read_response() == b"PONG"
    assert connection.can_read(timeout=0.01) is False
    connection.send_packed_command(connection.pack_commands([("PING",), ("PING",)]))
    assert connection.can_read(timeout=None) is True
    assert connection.read_response() == b"PONG"
    assert connection.can_read(timeout=5) is True
    assert connection.read_response() == b"PONG"


def test_can_read_of_a_connection_that_was_closed_underneath():
    with wire() as (connection, _):
        connection._sock.close()
        with pytest.raises(ConnectionError, match="The connection was closed while it was in use"):
            connection.can_read()
        assert connection._sock is None


def test_can_read_looks_into_what_tls_has_read_already():
    class Secured:
        def pending(self):
            return 5

    assert is_readable(Secured(), 0) is True


def test_what_the_pool_has_looked_at_is_not_looked_at_again(connection, monkeypatch):
    connection.prepare_if_closed()
    sock = connection._sock
    monkeypatch.setattr(connection, "is_good", lambda: pytest.fail("it was looked at"), raising=False)
    connection.prepare_if_closed()
    assert connection._sock is sock


def test_a_parser_of_the_users_is_asked_itself(server):
    class Own(PythonParser):
        def read_response(self):
            return super().read_response()

    connection = Connection(server.host, server.port, parser_class=Own, socket_connect_timeout=5)
    connection.connect()
    assert (connection._feed, connection._gets) == (None, None)
    connection.send_command("PING")
    assert connection.read_response() == b"PONG"
    connection.disconnect()


# The steps


def test_encode(connection):
    assert connection.encode(1.5) == b"1.5"


def test_pack_command_counts_the_replies(connection):
    packed = connection.pack_command("SET", "k", 1)
    assert isinstance(packed, PackedCommands)
    assert b"".join(packed) == b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n1\r\n"
    assert packed.replies == 1
    both = connection.pack_commands([("GET", "a"), ("SET", "b", bytes(100_000))])
    assert both.replies == 2
    assert b"".join(both).count(b"$") == 5


@pytest.mark.parametrize("name", ["CONFIG GET", b"CONFIG GET", "SET k v"])
def test_a_name_with_a_space_is_not_taken(connection, name):
    with pytest.raises(DataError, match="the rest apart"):
        connection.pack_command(name, "x")


def test_one_step_after_the_other(connection):
    connection.send_command("SET", "k", "v")
    assert connection.owed == 1
    assert connection.read_response() == b"OK"
    assert connection.owed == 0


def test_what_somebody_packed_himself(connection):
    connection.send_packed_command(b"*1\r\n$4\r\nPING\r\n")
    assert connection.owed == UNCOUNTED
    assert connection.read_response() == b"PONG"
    connection.disconnect()
    connection.send_packed_command("*1\r\n$4\r\nPING\r\n")
    assert connection.read_response() == b"PONG"
    assert connection.owed > 0
    connection.disconnect()
    connection.send_packed_command([b"*1\r\n$4\r\n", b"PING\r\n"])
    assert connection.read_response() == b"PONG"


def test_an_error_is_raised_and_owes_nothing(connection):
    connection.send_command("NOSUCHCOMMAND")
    with pytest.raises(ResponseError, match="unknown command"):
        connection.read_response()
    assert connection.owed == 0
    assert connection._sock is not None


@pytest.mark.parametrize(
    ("line", "kind"), [(b"-LOADING wait\r\n", BusyLoadingError), (b"-READONLY no\r\n", ReadOnlyError)]
)
def test_a_server_that_is_not_what_it_was_is_left(line, kind):
    with wire() as (connection, peer):
        connection.send_command("PING")
        peer.sendall(line)
        with pytest.raises(kind):
            connection.read_response()
        assert connection._sock is None


def test_a_reply_without_decoding():
    with wire(decode_responses=True) as (connection, peer):
        peer.sendall(b"+a\r\n+a\r\n")
        assert connection.read_response() == "a"
        assert connection.read_response(disable_decoding=True) == b"a"


def test_a_read_that_fails_closes(node):
    connection = Connection(**node.options)
    node.script("PING", close)
    connection.send_command("PING")
    with pytest.raises(ConnectionError, match="Connection closed by server") as caught:
        connection.read_response()
    assert caught.value.maybe_applied is True
    assert (connection._sock, connection.owed) == (None, 0)


def test_a_send_that_fails_closes():
    with wire() as (connection, peer):
        peer.close()
        with pytest.raises(ConnectionError, match="while writing to socket") as caught:
            connection.send_command("PING")
        assert caught.value.maybe_applied is False
        assert connection._sock is None


def test_a_send_whose_time_runs_out():
    with wire(socket_timeout=0.05) as (connection, _):
        connection._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        with pytest.raises(TimeoutError, match="Timeout writing to socket") as caught:
            connection.send_command("SET", "k", bytes(10_000_000))
        assert caught.value.maybe_applied is False


def test_pushes_between_replies_are_dropped():
    with wire() as (connection, peer):
        push = b">2\r\n+invalidate\r\n*0\r\n"
        peer.sendall(push + b"+one\r\n" + push + push + b"+two\r\n")
        connection.send_packed_command(connection.pack_commands([("A",), ("B",)]))
        assert connection.read_response() == b"one"
        assert connection.read_response() == b"two"
        assert connection.owed == 0


def test_large_arguments_to_a_server_that_reads_slowly():
    with wire(socket_timeout=5) as (connection, peer):
        connection._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        command = connection.pack_command("SET", "k", b"x" * 1_000_000, memoryview(b"y" * 400_000))
        size = sum(map(len, command))
        found = []

        def read_slowly():
            time.sleep(0.05)
            found.append(read_exactly(peer, size))

        with meanwhile(read_slowly):
            connection.send_packed_command(command)
        assert found == [b"".join(command)]


def test_the_kernel_keeps_the_time(connection):
    connection.connect()
    assert isinstance(connection._timeouts, KernelTimeouts)
    assert connection._sock.gettimeout() is None
