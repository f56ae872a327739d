"""The idle connections of a pool, and the line of those who wait for one.

An idle connection is looked at before it is used again, or marked, or closed.

The list of a pool is a plain one where nobody waits and no connection grows old, so that the others pay nothing.
``pop`` and ``append`` are what the short way through a client uses; each does its work in one C call.  Nobody waits
here but on a lock of his own.

This module must not know how many connections there may be, nor who makes them.
"""

from __future__ import annotations

import weakref
from contextlib import suppress
from math import inf
from threading import Lock
from time import monotonic
from typing import Any

from redis.connection.tcp import Connection
from redis.connection.wire import NEVER

LOOK = 0.05
"""Seconds: a connection that has been idle for longer is looked at before it is used."""
SLICE = 0.1
"""Seconds: the first in the line looks that often for himself, in case nobody could tell him."""
LONG_SLICE = 0.5
"""The same for those behind him: there may be thousands."""
PATIENCE = 1.0
"""Seconds: who was called and has not come for so long is passed over, until he comes."""


class Turn:
    """The place in the line of one who waits: a lock of his own, which another opens."""

    __slots__ = ("__weakref__", "called", "lock")

    def __init__(self) -> None:
        self.lock = Lock()
        self.lock.acquire()
        #: When he was called; inf: he was not, or has come.
        self.called = inf

    def wait(self, seconds: float) -> None:
        self.lock.acquire(timeout=seconds)
        self.called = inf

    def call(self) -> None:
        """Note that it is his turn, so that he can be passed over should he not come."""
        self.called = min(self.called, monotonic())

    def wake(self) -> None:
        self.call()
        with suppress(RuntimeError):  # awake already
            self.lock.release()

    @property
    def absent(self) -> bool:
        """Whether he does not come: a signal handler runs on top of him, or an exception has ended his wait."""
        return monotonic() - self.called > PATIENCE


Line = dict["weakref.ref[Turn]", None]
"""Those who wait, in the order of their coming, by weak references: who was interrupted is no longer in it."""


def first_of(waiting: Line) -> Turn | None:
    """The first in the line who is still there."""
    for ref in list(waiting):
        turn = ref()
        if turn is None:
            waiting.pop(ref, None)
        elif not turn.absent:
            return turn
    return None


def wake_first(waiting: Line) -> None:
    """Wake the first in the line.  If it does not come to that, he looks for himself a little later."""
    first = first_of(waiting)
    if first is not None:
        first.wake()


def is_first(turn: Turn, waiting: Line) -> bool:
    """Whether he is the first in the line; he is put at its end if he is not there, as in the child of a fork."""
    waiting.setdefault(weakref.ref(turn))
    first = first_of(waiting)
    if first is not None and first is not turn:
        first.call()
    return first is turn


class ExpiringList(list[Any]):
    """The idle connections of a pool that closes what is too old, at its next use."""

    def pop(self, *index: Any) -> Any:
        connection = super().pop(*index)
        if isinstance(connection, Connection) and connection.is_expired():
            connection.disconnect()
        return connection


class FairList(list[Any]):
    """The idle connections of a pool that waits: who comes late gets none, who returns one wakes the first in line."""

    def __init__(self, waiting: Line) -> None:
        super().__init__()
        self.waiting = waiting

    def pop(self, *index: Any) -> Any:
        if self.waiting:
            raise IndexError("others were first")
        return super().pop(*index)

    def take(self) -> Any:
        """The same for the first in the line."""
        return super().pop()

    def append(self, connection: Any) -> None:
        super().append(connection)
        if self.waiting:
            wake_first(self.waiting)


class FairExpiringList(FairList, ExpiringList):
    """Both."""


def close_if_stale(connection: Connection) -> None:
    """Close a connection that has been idle for a while and is no longer good."""
    if monotonic() - connection.used > LOOK:
        if connection.is_good():
            connection.used = monotonic()
        else:
            connection.disconnect()


def close_quietly(connection: Any) -> None:
    """Close a connection of any class, where it can be closed."""
    disconnect = getattr(connection, "disconnect", None)
    if disconnect is not None:
        disconnect()


def mark_stale(connection: Any) -> None:
    """Have a connection closed and made anew at its next turn."""
    if isinstance(connection, Connection):
        connection.used = NEVER
    else:
        close_quietly(connection)
