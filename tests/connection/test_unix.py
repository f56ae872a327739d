"""redis/connection/unix.py: the way over a Unix domain socket."""

import socket
import threading
import time

import pytest

from redis.client import StrictRedis
from redis.connection.pool import ConnectionPool
from redis.connection.unix import UnixDomainSocketConnection
from redis.exceptions import ConnectionError, TimeoutError


def test_path_and_address():
    connection = UnixDomainSocketConnection("/a/path", 5, "secret")
    assert (connection.path, connection.address, connection.db) == ("/a/path", "/a/path", 5)
    assert repr(connection) == "UnixDomainSocketConnection<path=/a/path,db=5>"


def test_the_old_order_of_arguments():
    connection = UnixDomainSocketConnection("/p", 1, "secret", 2.5, "latin-1", "replace", True, True)
    assert (connection.db, connection.identity.password, connection.socket_timeout) == (1, "secret", 2.5)
    assert repr(connection.encoder) == "Encoder('latin-1', 'replace', decode_responses=True)"
    assert connection.retry_on_timeout is True


def test_a_client_over_it(server, kind):
    with StrictRedis(unix_socket_path=server.unix_socket, db=2, **kind.options) as client:
        client.set("k", "v")
        assert client.get("k") == kind.text("v")
        assert client.connection_pool._available_connections[0]._sock.family == socket.AF_UNIX
        client.flushdb()


def test_a_pool_of_them(server):
    with ConnectionPool(UnixDomainSocketConnection, path=server.unix_socket) as pool:
        assert StrictRedis(connection_pool=pool).ping() is True


@pytest.mark.parametrize("name", ["nothing-here", "x" * 200])
def test_a_path_where_nobody_listens(tmp_path, name):
    path = str(tmp_path / name)
    with StrictRedis(unix_socket_path=path) as client, pytest.raises(ConnectionError) as caught:
        client.get("k")
    assert (caught.value.address, caught.value.phase, caught.value.maybe_applied) == (path, "connect", False)
    assert path in str(caught.value)


def test_a_server_that_does_not_accept(tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        full = []
        while True:
            sock = socket.socket(socket.AF_UNIX)
            full.append(sock)
            sock.setblocking(False)
            if sock.connect_ex(path):
                break
        start = time.monotonic()
        with pytest.raises(TimeoutError, match="Timeout connecting"):
            UnixDomainSocketConnection(path, socket_timeout=0.1).connect()
        assert time.monotonic() - start < 1
        for sock in full:
            sock.close()


def test_a_server_whose_queue_is_full_is_asked_again(tmp_path):
    """The system says so at once where there is a time-out; there may be room a moment later."""
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(path)
        listener.listen(0)
        first.connect(path)
        connection = UnixDomainSocketConnection(path, socket_connect_timeout=20)
        taken = []
        timer = threading.Timer(0.2, lambda: taken.extend(listener.accept()[0] for _ in range(2)))
        timer.start()
        start = time.monotonic()
        sock = connection._connect()
        assert time.monotonic() - start >= 0.1 and sock.getpeername() == path
        timer.join()
        for each in [sock, *taken]:
            each.close()
