"""When a command may be sent again: the table, and the attempts of one call that follow it.

====================================  ==================  =========================================
what went wrong                       applied?            sent again
====================================  ==================  =========================================
nothing, or not all of it, was sent   no                  yes, on a new connection
the same, since time ran out          no                  with ``retry``, or ``retry_on_timeout``
the server refused it                 no                  with ``retry`` or ``retry_on_error``
a reset, an end, a reply cut short    unknown             if it is read-only; else with ``retry`` or
                                                          ``retry_on_error``
a time-out                            unknown             with ``retry_on_timeout``
====================================  ==================  =========================================

Once, at once, unless ``retry`` says how often and after which pauses; never when the deadline would be over.  A command
that blocks is not sent again when its outcome is unknown.  This module must not know how to send.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextvars import ContextVar
from time import monotonic, sleep
from types import TracebackType
from typing import Any, NamedTuple

from redis.connection.deadline import current
from redis.connection.outcome import Error, Fault, Refused, Unknown, is_final, is_of, is_refusal, tell_all
from redis.exceptions import AuthenticationError, ConnectionError, RedisError, TimeoutError
from redis.protocol.errors import SERVER_CHANGED
from redis.retry import Retry

Errors = tuple[type[Exception], ...]


class Policy(NamedTuple):
    """What the options of a connection say."""

    #: How many attempts there may be after the first; -1: without an end.
    retries: int = 1
    #: After these a command is sent again, whatever has become of it.
    permitted: Errors = ()
    #: There is a ``retry``: what is safe is attempted as often as it says, even if it takes its time.
    persistent: bool = False

    def may_send_again(self, unknown: bool, timed_out: bool, readonly: bool, blocking: bool) -> bool:
        """Whether the socket's failure lets a command be sent again.

        ``unknown``: it may have been applied; ``timed_out``: what failed was a matter of time.
        """
        if blocking and unknown:
            return False
        if issubclass(TimeoutError if timed_out else ConnectionError, self.permitted):
            return True
        if timed_out:
            return self.persistent and not unknown
        return readonly or not unknown

    def may_ask_again(self, error: BaseException | None) -> bool:
        """Whether an error that the server answered with lets a command be sent again; a wrong password never does."""
        if isinstance(error, AuthenticationError):
            return False
        return isinstance(error, self.permitted) or (self.persistent and isinstance(error, SERVER_CHANGED))


def policy_of(connection: Any) -> Policy:
    """Return what the options of a connection, of any class, say."""
    retry = getattr(connection, "retry", None)
    permitted = tuple(getattr(connection, "retry_on_error", None) or ())
    if getattr(connection, "retry_on_timeout", False) is True:
        permitted += (TimeoutError,)
    if not isinstance(retry, Retry):
        return Policy(1, permitted)
    return Policy(retry.get_retries(), permitted + retry.supported_errors, True)


class Once:
    """``with Once():`` nothing of unknown outcome is sent again in the block, whatever was permitted.

    For who asks the server himself what has become of a command.  It is the block's alone: the thread knows a weak
    reference, so that an interrupted block leaves nothing behind.
    """

    __slots__ = ("__weakref__", "before")

    def __enter__(self) -> None:
        self.before = _once.get()
        _once.set(weakref.ref(self))

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        _once.set(self.before)


_once: ContextVar[Callable[[], Once | None]] = ContextVar("redis once", default=lambda: None)


class Attempts:
    """The attempts of one call: whether there is another, and the truth about all of them.

    The first has been made, since ``started`` on the monotonic clock.
    """

    def __init__(self, connection: Any, readonly: bool, blocking: bool, started: float) -> None:
        self.policy = policy_of(connection)
        self.readonly, self.started = readonly, started
        #: Whether nothing of unknown outcome is sent again.
        self.blocking = blocking or _once.get()() is not None
        self.number = 1
        #: Whether one of them may have been applied.
        self.unknown = False
        retry = getattr(connection, "retry", None)
        self._pause: Callable[[int], float] = retry.new_backoff().compute if isinstance(retry, Retry) else no_pause

    @property
    def elapsed(self) -> float:
        """How many seconds it has taken."""
        return monotonic() - self.started

    def after_fault(self, fault: Fault) -> bool:
        """Whether there is another attempt after a fault; the pause before it is over then."""
        if isinstance(fault, Refused):
            return self.after_refusal(fault.__cause__)
        return self._after(isinstance(fault, Unknown), fault.timed_out)

    def after_refusal(self, error: BaseException | None) -> bool:
        """The same after an error that the server answered with."""
        return not (self.blocking and self.unknown) and self.policy.may_ask_again(error) and self._wait()

    def after_error(self, error: RedisError) -> bool:
        """The same after the public error of one of these; without another attempt the error tells of all."""
        if is_refusal(error):
            again = self.after_refusal(error)
        elif is_final(error):
            again = False
        elif isinstance(error, (ConnectionError, TimeoutError)):
            again = self._after(error.maybe_applied, isinstance(error, TimeoutError))
        else:
            return False
        if not again:
            self.tell(error)
        return again

    def tell(self, error: Error) -> Error:
        """Write into the error that is raised what is true of all attempts; return it."""
        tell_all(error, self.number, self.unknown, self.elapsed)
        return error

    def _after(self, unknown: bool, timed_out: bool) -> bool:
        self.unknown = self.unknown or unknown
        return self.policy.may_send_again(self.unknown, timed_out, self.readonly, self.blocking) and self._wait()

    def _wait(self) -> bool:
        """Wait before the next attempt, if there may be one and it can still be in time."""
        if 0 <= self.policy.retries < self.number:
            return False
        seconds, deadline = self._pause(self.number), current()
        if deadline is not None and deadline.remaining() <= seconds:
            return False
        if seconds > 0:
            sleep(seconds)
        self.number += 1
        return True


def connect_in_the_end(connection: Any) -> None:
    """Connect; with ``retry`` as often as that says."""
    started, attempts = monotonic(), None
    while True:
        try:
            return connection.connect()
        except RedisError as error:
            attempts = attempts or Attempts(connection, True, False, started)
            if not (attempts.policy.persistent and is_of(error, connection) and attempts.after_error(error)):
                raise


def no_pause(failures: int) -> float:
    """The pause of who was not asked for one."""
    return 0
