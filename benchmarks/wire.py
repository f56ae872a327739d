"""The bare wire: packed commands, a connected socket.  Knows no client, so that the floor and the data of a scenario
depend on none."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

import hiredis

Words = Sequence[bytes]


def pack(commands: Iterable[Words]) -> bytes:
    """The bytes that send these commands."""
    return b"".join(b"*%d\r\n" % len(words) + b"".join(map(pack_word, words)) for words in commands)


def pack_word(word: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(word), word)


def connect(url: str) -> socket.socket:
    """A socket connected to the server at ``redis://host:port`` or ``unix:///path``."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(parts.path)
        return sock
    sock = socket.create_connection((parts.hostname, parts.port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def exchange(sock: socket.socket, commands: Sequence[Words]) -> tuple[list[object], int]:
    """Send the commands; return their replies and how many bytes these were."""
    sock.sendall(pack(commands))
    reader, replies, size = hiredis.Reader(), list[object](), 0
    while len(replies) < len(commands):
        reply = reader.gets()
        if reply is False:
            data = sock.recv(1 << 16)
            size += len(data)
            reader.feed(data)
        elif isinstance(reply, hiredis.ReplyError):
            raise reply
        else:
            replies.append(reply)
    return replies, size
