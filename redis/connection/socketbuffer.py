"""What parsers of the user's have always built on: a buffer over a socket, and the signs of the protocol.

Our own parsers have readers instead.  This module knows nothing of the rest of the package.
"""

from __future__ import annotations

import socket as sockets

SYM_STAR = b"*"
SYM_DOLLAR = b"$"
SYM_CRLF = b"\r\n"
SYM_EMPTY = b""


class SocketBuffer:
    """Reads lines and lengths from a socket, which it asks for ``socket_read_size`` bytes at a time."""

    def __init__(self, socket: sockets.socket, socket_read_size: int) -> None:
        self._sock: sockets.socket | None = socket
        self.socket_read_size = socket_read_size
        self._buffer = bytearray()

    @property
    def length(self) -> int:
        """How many bytes were read from the socket and not yet taken."""
        return len(self._buffer)

    def read(self, length: int) -> bytes:
        """Take ``length`` bytes and the line end behind them; return the bytes without it."""
        while self.length < length + len(SYM_CRLF):
            self._receive()
        return self._take(length)

    def readline(self) -> bytes:
        """Take a line; return it without its end."""
        while (end := self._buffer.find(SYM_CRLF)) < 0:
            self._receive()
        return self._take(end)

    def purge(self) -> None:
        """Forget what was taken; it is forgotten at once, so there is nothing to do."""

    def close(self) -> None:
        """Forget the socket, and what was read of it."""
        self._buffer.clear()
        self._sock = None

    def _receive(self) -> None:
        data = self._sock.recv(self.socket_read_size) if self._sock is not None else b""
        if not data:
            raise ConnectionResetError("Connection closed by server.")
        self._buffer += data

    def _take(self, length: int) -> bytes:
        taken = bytes(self._buffer[:length])
        del self._buffer[: length + len(SYM_CRLF)]
        return taken
