"""How a socket is told when to give up, in two ways.

* The kernel's own time-outs (SO_RCVTIMEO, SO_SNDTIMEO) cost next to nothing, while ``settimeout`` makes CPython poll
  before each send and recv.  They show as BlockingIOError.
* ``settimeout`` is for where the kernel's do not work: TLS, sockets that gevent has replaced, systems without them,
  and a process with a running interval timer, whose signals would start a kernel's time-out anew each time.  Whether
  one runs is asked when the connection is made, and when it is looked at after an idle time.

This module owns the two, each with its way of looking whether an idle socket is still good.  It must not know
connections.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import struct
from math import inf
from typing import ClassVar, Protocol

from redis.connection.bounded import BoundedCalls, PolledCalls, TimedCalls
from redis.connection.outcome import is_foreign

PEEK = getattr(socket, "MSG_PEEK", 0) | getattr(socket, "MSG_DONTWAIT", 0)
POSIX = os.name == "posix" and hasattr(socket, "SO_RCVTIMEO")


class Timeouts(Protocol):
    """What the connection wants of either way."""

    #: What makes the calls of such a socket under a deadline.
    calls: ClassVar[type[BoundedCalls]]

    def set(self, sock: socket.socket, seconds: float | None) -> None:
        """Give up on a send or a recv after ``seconds``; None or inf: never."""

    def restore(self, sock: socket.socket, seconds: float | None) -> None:
        """Do so again after a deadline."""

    def is_quiet(self, sock: socket.socket, seconds: float | None) -> bool:
        """Whether the socket is open with nothing to read; an OSError says that it is not."""
        ...


class KernelTimeouts:
    """SO_RCVTIMEO and SO_SNDTIMEO on a blocking socket."""

    calls: ClassVar[type[BoundedCalls]] = PolledCalls

    def set(self, sock: socket.socket, seconds: float | None) -> None:
        if sock.gettimeout() is not None:
            sock.settimeout(None)
        value = timeval(seconds)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)

    def restore(self, sock: socket.socket, seconds: float | None) -> None:
        if sock.gettimeout() is not None:  # else it was polled, and is what it was
            self.set(sock, seconds)

    def is_quiet(self, sock: socket.socket, seconds: float | None) -> bool:
        if seconds is not None and timer_runs():
            return False  # it was started since: the next connection has the other kind of time-out
        try:
            sock.recv(1, PEEK)  # b"" is the end of the stream, a byte is a reply that nobody asked for
        except OSError as error:
            if is_foreign(error) or error.errno != errno.EAGAIN:
                raise
            return True
        return False


class SocketTimeouts:
    """``settimeout``, for any socket."""

    calls: ClassVar[type[BoundedCalls]] = TimedCalls

    def set(self, sock: socket.socket, seconds: float | None) -> None:
        sock.settimeout(None if seconds == inf else seconds)

    restore = set

    def is_quiet(self, sock: socket.socket, seconds: float | None) -> bool:
        sock.settimeout(0)
        try:
            sock.recv(1)
        except OSError as error:
            if is_foreign(error) or not would_block(error):
                raise
        else:
            return False
        sock.settimeout(seconds)
        return True


def would_block(error: OSError) -> bool:
    """Whether nothing is wrong but that the time has not come; TLS says it in its own words."""
    return isinstance(error, BlockingIOError) or type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError")


def timeval(seconds: float | None) -> bytes:
    """``struct timeval``; zero means no time-out, so the shortest is a microsecond."""
    if seconds is None or seconds == inf:
        return struct.pack("ll", 0, 0)
    return struct.pack("ll", *divmod(max(1, round(seconds * 1_000_000)), 1_000_000))


def timeouts_for(sock: socket.socket) -> Timeouts:
    """Return the way that works for this socket."""
    if POSIX and type(sock) is socket.socket and type(sock).__module__ == "socket" and not timer_runs():
        return KernelTimeouts()
    return SocketTimeouts()


def timer_runs() -> bool:
    """Whether an interval timer of this process sends signals again and again."""
    timers = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
    return any(signal.getitimer(timer)[1] for timer in timers)
