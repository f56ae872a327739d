"""The calls of a socket under a deadline: none of them waits longer than what is left of it.

What a signal interrupts is waited for anew, with what is left by then, so no storm of signals prolongs it.  There are
two ways, as in ``timeouts.py``: a blocking socket is polled before a call that would wait, which leaves its time-outs
alone; on any other ``settimeout`` is set before each call.

This module must not know connections.
"""

from __future__ import annotations

import builtins
import errno
import select
import socket
from collections.abc import Sequence
from functools import cached_property
from math import inf
from typing import Any

from redis.connection.deadline import bound
from redis.connection.outcome import is_foreign
from redis.protocol.encoder import Buffer

DONTWAIT = getattr(socket, "MSG_DONTWAIT", 0)


class BoundedCalls:
    """The calls of one socket: they end by ``ends``, on the monotonic clock, and each takes up to ``patience`` seconds.

    Both may change in between.  The deadline itself is not known here: it is its block's alone.
    """

    def __init__(self, sock: Any) -> None:
        self.sock = sock
        self.ends = inf
        self.patience: float | None = None

    def left(self) -> float:
        """The time that the next call has; TimeoutError where there is none."""
        return bound(self.ends, self.patience)

    def send(self, data: Buffer, flags: int = 0) -> int:
        """As a socket's, in time."""
        raise NotImplementedError

    def sendmsg(self, buffers: Sequence[Buffer], ancillary: Any = (), flags: int = 0) -> int:
        """As a socket's, in time."""
        raise NotImplementedError

    def recv(self, size: int) -> bytes:
        """As a socket's, in time."""
        raise NotImplementedError


class PolledCalls(BoundedCalls):
    """Those of a socket that blocks.  Nothing is sent when the time is over, though there might be room for it."""

    @cached_property
    def _readable(self) -> select.poll:
        return polled(self.sock, select.POLLIN)

    @cached_property
    def _writable(self) -> select.poll:
        return polled(self.sock, select.POLLOUT)

    def _wait(self, poll: select.poll) -> None:
        if not poll.poll(self.left() * 1000):
            raise builtins.TimeoutError("timed out")

    def send(self, data: Buffer, flags: int = 0) -> int:
        self.left()
        try:
            return int(self.sock.send(data, flags | DONTWAIT))
        except BlockingIOError as error:
            self._is_full(error)
        return int(self.sock.send(data, flags | DONTWAIT))

    def sendmsg(self, buffers: Sequence[Buffer], ancillary: Any = (), flags: int = 0) -> int:
        self.left()
        try:
            return int(self.sock.sendmsg(buffers, ancillary, flags | DONTWAIT))
        except BlockingIOError as error:
            self._is_full(error)
        return int(self.sock.sendmsg(buffers, ancillary, flags | DONTWAIT))

    def _is_full(self, error: BlockingIOError) -> None:
        """Wait until there is room again, where that is what the error says, and nobody else waits for it."""
        if is_foreign(error) or self.sock.gettimeout() == 0:
            raise error
        self._wait(self._writable)

    def recv(self, size: int) -> bytes:
        self._wait(self._readable)
        return bytes(self.sock.recv(size, DONTWAIT))


class TimedCalls(BoundedCalls):
    """Those of a socket that has a time-out of Python's."""

    def _set(self) -> None:
        if self.sock.gettimeout() != 0:
            self.sock.settimeout(self.left())

    def send(self, data: Buffer, flags: int = 0) -> int:
        self._set()
        return int(self.sock.send(data, flags))

    def sendmsg(self, buffers: Sequence[Buffer], ancillary: Any = (), flags: int = 0) -> int:
        self._set()
        return int(self.sock.sendmsg(buffers, ancillary, flags))

    def recv(self, size: int) -> bytes:
        self._set()
        return bytes(self.sock.recv(size))


def polled(sock: socket.socket, event: int) -> select.poll:
    """What tells when the socket can be read, or written; an error of the system where it has been closed."""
    if sock.fileno() < 0:
        raise OSError(errno.EBADF, "The connection was closed while it was in use")
    poll = select.poll()
    poll.register(sock, event)
    return poll
