"""One deadline for all that a call does, or several calls do.

A deadline holds for the thread that entered it (and, with gevent, for the greenlet), until its block is left.  Whoever
may have to wait asks :func:`current`.  Without any deadline in the process, :data:`DEADLINES` is empty: that is all the
plain way of a command looks at.

Only its block holds a deadline; the thread knows a weak reference, and whoever is bounded by it when it is over.  It
bounds something from the last store of entering on until the first of leaving.  Should an exception land just where a
block is left, so that it was not taken back, it lasts no longer than the traceback.

This module must not know sockets.
"""

from __future__ import annotations

import builtins
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from math import inf
from time import monotonic
from types import TracebackType
from typing import Any

Reference = weakref.ref["Deadline"]

DEADLINES: dict[weakref.ref[Any], None] = {}
"""The deadlines whose blocks have been entered and not left, in any thread."""

_entered: ContextVar[tuple[Reference, ...]] = ContextVar("redis deadlines", default=())
"""Those that were entered here, the outer ones first; of each whether it still holds has to be asked."""

LONGEST = 1e6
"""Seconds: no step may take longer under a deadline, for the system counts milliseconds in an int."""


class Deadline:
    """``with deadline(seconds):`` all that the block does with servers ends in time, or with a TimeoutError.

    Waiting for a connection of a pool, connecting, the handshake, each send and receive, every further attempt and the
    pause before it share the time.  (The system's look-up of a host name counts, but cannot be interrupted.)  Of two
    deadlines, one inside the other, the nearer one counts.  Who listens, to Pub/Sub or with a Monitor, waits as long as
    he says there.  Around a ``yield`` it holds for whoever asks for the next value as well, until he does.
    """

    def __init__(self, seconds: float) -> None:
        if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not seconds > 0:
            raise ValueError(f"a deadline is {seconds!r}; it takes a positive number of seconds")
        self.seconds = seconds
        #: When it is over, by the monotonic clock; inf: its block has not been entered, or has been left.
        self.ends = inf
        self._started = monotonic()

    def __repr__(self) -> str:
        return f"Deadline<{self.seconds:g} s>"

    def __enter__(self) -> Deadline:
        if self.ends < inf:
            raise RuntimeError("this deadline has been entered already")
        forget: Callable[..., Any] = DEADLINES.pop
        DEADLINES[weakref.ref(self, forget)] = None
        _entered.set((*[other for other in _entered.get() if other() is not None], weakref.ref(self)))
        self._started = monotonic()
        self.ends = self._started + self.seconds  # the last: before it is known how it is taken back it bounds nothing
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.ends = inf  # the first: from here on it bounds nothing, whatever lands here
        _entered.set(tuple(other for other in _entered.get() if other() is not self))
        DEADLINES.pop(weakref.ref(self), None)

    def remaining(self) -> float:
        """Return how many seconds are left, 0 where none are."""
        return max(0.0, self.ends - monotonic())

    def elapsed(self) -> float:
        """Return how many seconds have passed since its block was entered."""
        return monotonic() - self._started


def deadline(seconds: float) -> Deadline:
    """Return a context manager: all that its block does with servers ends within ``seconds``, or with a TimeoutError.

    The error names what was being done.  See :class:`Deadline`; ``command_timeout=`` of a client is one for each call.
    """
    return Deadline(seconds)


def current() -> Deadline | None:
    """Return the deadline that holds here and now, of several the nearest; None where there is none."""
    nearest, ends = None, inf
    for reference in _entered.get() if DEADLINES else ():
        other = reference()
        if other is not None and other.ends < ends:
            nearest, ends = other, other.ends
    return nearest


def bound(ends: float, seconds: float | None) -> float:
    """Return the time that may be spent on a step that would take ``seconds``, None: any time, and be over at ``ends``.

    Python's own TimeoutError where nothing is left.
    """
    left = min(ends - monotonic(), LONGEST)
    if left <= 0:
        raise builtins.TimeoutError("the deadline has passed")
    return left if seconds is None else min(left, seconds)


def in_time(seconds: float | None) -> float | None:
    """Return the time that may be spent on a step that would take ``seconds``, None: for ever.

    Python's own TimeoutError where the deadline has passed.
    """
    deadline = current()
    return seconds if deadline is None else bound(deadline.ends, seconds)


def at_most(seconds: float) -> float:
    """Return ``seconds``, or what is left of the deadline where that is less: how long one may pause."""
    deadline = current()
    return seconds if deadline is None else min(seconds, deadline.remaining())


def has_passed() -> bool:
    """Whether there is a deadline, and no time is left."""
    deadline = current()
    return deadline is not None and not deadline.remaining()
