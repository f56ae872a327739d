"""An end of TLS that two threads may use at once, one to read and one to write, as a relay does.

It owns how bytes are encrypted and not how they travel: the socket stays a plain one.  An ``SSLSocket`` would not do,
for OpenSSL takes one thread at a time, and the one that waits for bytes would keep the other from writing.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
CHUNK = 65536


class Secured:
    """``recv`` and ``sendall`` over TLS; the server's end where ``server_name`` is None."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, server_name: str | None = None) -> None:
        self.sock = sock
        self.lock = threading.Lock()
        self.shaken = threading.Event()
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_name is None, server_name)

    def shake_hands(self) -> None:
        """Make the TLS connection: who reads does it, and who writes waits for that."""
        try:
            self.until_done(self.tls.do_handshake)
        finally:
            self.shaken.set()

    def recv(self, size: int) -> bytes:
        """Return what came; b"" or an error of the system at the end."""
        return self.until_done(lambda: self.tls.read(size))

    def sendall(self, data: bytes) -> None:
        """Send everything, as one record if it is no longer than 16 KB."""
        self.shaken.wait()
        with self.lock:
            self.tls.write(data)
            self.flush()

    def until_done(self, step: Callable[[], Result]) -> Result:
        """Do it, with as many encrypted bytes as it takes; the lock is not held while it waits for them."""
        while True:
            with self.lock:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    pass
                finally:
                    self.flush()
            self.fill()

    def flush(self) -> None:
        """Send what has been encrypted; under the lock, so that the records keep their order."""
        if self.outgoing.pending:
            self.sock.sendall(self.outgoing.read())

    def fill(self) -> None:
        """Wait for encrypted bytes; an error of the system where the other has closed its end."""
        data = self.sock.recv(CHUNK)
        if not data:
            raise ConnectionResetError
        self.incoming.write(data)
