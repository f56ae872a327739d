"""A link: one socket of a connection that listens, and the frames that come over it.

A connection may be closed and made anew by others; its link tells.  It first waits until there are bytes and then reads
those that are there, so that nobody is held up by a frame of which the rest does not come.  Over TLS it reads under the
lock of those who send: OpenSSL takes one thread at a time.

This module must not know what a frame means, nor when to connect.
"""

from __future__ import annotations

from threading import RLock
from typing import Any

from redis.connection.outcome import RECEIVING, Unknown, annotate, complete, is_foreign
from redis.connection.parsers import MISSING, ReaderLike, receive
from redis.connection.tcp import Connection, is_readable
from redis.connection.timeouts import would_block
from redis.connection.wire import NEVER
from redis.exceptions import InvalidResponse, RedisError
from redis.protocol.errors import SERVER_CHANGED, ErrorReply, error_from

SUBSCRIBE = "SUBSCRIBE"
"""What an error calls all that is done to listen."""


class Link:
    """A link of one of our connections; ``lock`` is what those hold who send over it."""

    def __init__(self, connection: Connection, lock: RLock) -> None:
        self.connection, self.lock = connection, lock
        self.sock: Any = connection._sock
        self.reader: ReaderLike = connection._parser.reader
        self.secure = hasattr(self.sock, "pending")
        #: Whether there is no whole frame in what was read.
        self.drained = not self.reader.has_data()

    @property
    def alive(self) -> bool:
        """Whether the connection still is what it was."""
        return self.connection.used != NEVER and self.connection._sock is self.sock

    def wait(self, seconds: float) -> bool:
        """Whether there is something to read within ``seconds``; ConnectionError where the link is lost."""
        if not self.drained:
            return True
        try:
            with RECEIVING:
                return is_readable(self.sock, seconds)
        except Unknown as fault:
            raise self._lost(fault) from fault.__cause__

    def read(self) -> Any:
        """Return the next frame, MISSING where it has not come whole; an error line is raised as its error."""
        try:
            with RECEIVING:
                if self.drained:
                    self.reader.feed(self._receive())
                    self.drained = False
                frame = self.reader.gets()
        except Unknown as fault:
            raise self._lost(fault) from fault.__cause__
        except InvalidResponse as nonsense:
            self.connection.disconnect()  # nobody knows where the next frame begins
            complete(nonsense, SUBSCRIBE, self.connection.address, "recv", 1, self.connection.serial)
            raise
        self.drained = frame is MISSING
        error = error_from(frame) if isinstance(frame, ErrorReply) else frame
        if isinstance(error, SERVER_CHANGED):
            self.connection.disconnect()
        if isinstance(error, RedisError):
            raise annotate(error, SUBSCRIBE, self.connection.address, "recv", 1)
        return frame

    def _receive(self) -> bytes:
        """What has come, without waiting."""
        size = self.connection._read_size
        if not self.secure:
            return receive(self.sock.recv, size)
        with self.lock:
            self.sock.settimeout(0)
            try:
                return receive(self.sock.recv, size)
            except OSError as error:
                if is_foreign(error) or not would_block(error):
                    raise
                return b""  # it was a part of a record
            finally:
                self.connection._timeouts.set(self.sock, self.connection.socket_timeout)

    def _lost(self, fault: Unknown) -> Exception:
        self.connection.disconnect()
        return self.connection._public(fault, applied=True)


class ForeignLink:
    """The same for a connection of the user's, or with a parser of his, which reads in its own way."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.sock = getattr(connection, "_sock", connection)
        self.options = {"push_request": True} if isinstance(connection, Connection) else {}

    @property
    def alive(self) -> bool:
        """As of a :class:`Link`; what shows no socket is taken to be connected."""
        return self.sock is not None and getattr(self.connection, "_sock", self.connection) is self.sock

    def wait(self, seconds: float) -> bool:
        """As :meth:`Link.wait`."""
        return bool(self.connection.can_read(seconds))

    def read(self) -> Any:
        """Return the next frame, however long the rest of it takes."""
        return self.connection.read_response(**self.options)


def link_of(connection: Any, lock: RLock) -> Link | ForeignLink:
    """Return the present link of a connection."""
    if isinstance(connection, Connection) and connection.is_short:
        return Link(connection, lock)
    return ForeignLink(connection)
