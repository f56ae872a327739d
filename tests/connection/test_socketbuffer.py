"""redis/connection/socketbuffer.py: lines and lengths off a socket, for parsers of the user's."""

import socket

import pytest

from redis.connection import SYM_CRLF, SYM_DOLLAR, SYM_EMPTY, SYM_STAR, SocketBuffer


@pytest.fixture
def ends():
    mine, theirs = socket.socketpair()
    with mine, theirs:
        yield SocketBuffer(mine, 3), theirs


def test_lines_and_lengths(ends):
    buffer, peer = ends
    peer.sendall(b"$5\r\nhe\r\no\r\n+OK\r\n")
    assert buffer.readline() == b"$5"
    assert buffer.read(5) == b"he\r\no"
    assert buffer.length < 6
    assert buffer.readline() == b"+OK"
    buffer.purge()
    assert buffer.length == 0


def test_the_end_of_the_stream(ends):
    buffer, peer = ends
    peer.sendall(b"half")
    peer.close()
    with pytest.raises(ConnectionResetError, match="Connection closed by server"):
        buffer.readline()


def test_closed(ends):
    buffer, peer = ends
    peer.sendall(b"+OK\r\n+more")
    assert buffer.readline() == b"+OK"
    buffer.close()
    assert buffer.length == 0
    with pytest.raises(ConnectionResetError):
        buffer.readline()


def test_the_signs():
    assert (SYM_STAR, SYM_DOLLAR, SYM_CRLF, SYM_EMPTY) == (b"*", b"$", b"\r\n", b"")
