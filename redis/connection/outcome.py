"""What became of a command when the socket failed.

This module owns the one seam where errors of the operating system turn into ours.  Below it a fault is
:class:`NotSent` or :class:`Unknown`, private classes that the retry loop alone catches; above it, it is a
ConnectionError or a TimeoutError that says whether the command may have been applied.

Why private classes: whatever a signal handler, a tracer or another thread raises in the middle of a call is *not* an
outcome, even where it is an OSError or an error of this package, and must pass through untouched.  Taken for the
socket's, it would make a command that was executed look as if it had not been.

It must not know commands, pools or retries.
"""

from __future__ import annotations

import builtins
import re
from typing import TypeVar

from redis.connection.deadline import current
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    InvalidResponse,
    MaxConnectionsError,
    RedisError,
    ResponseError,
    TimeoutError,
)

Error = TypeVar("Error", bound=RedisError)

SERVER_CLOSED_CONNECTION_ERROR = "Connection closed by server."

MAYBE_APPLIED, NOT_APPLIED = "it may have been applied", "it was not applied"
ATTEMPT = re.compile(rf", attempt \d+: (?=({MAYBE_APPLIED}|{NOT_APPLIED})\)$)")
"""Where the text of our errors names the attempt."""

#: Modules through which an error of a socket call may travel: where the calls are made, and the standard library.
OURS = (
    "wire",
    "batch",
    "bounded",
    "deadline",
    "tcp",
    "tls",
    "unix",
    "link",
    "managed",
    "parsers",
    "timeouts",
    "handshake",
)
ALLOWED = frozenset(["socket", "ssl", *[f"redis.connection.{module}" for module in OURS]])


class Fault(Exception):
    """A failure of the socket; ``args[0]`` is the phase, the cause is the error of the operating system."""

    @property
    def phase(self) -> str:
        return str(self.args[0])

    @property
    def origin(self) -> BaseException | None:
        """What the error that the caller sees is raised from."""
        return self.__cause__

    @property
    def timed_out(self) -> bool:
        """Whether time ran out; BlockingIOError is how the kernel's own time-outs (SO_RCVTIMEO) show."""
        return isinstance(self.__cause__, (BlockingIOError, builtins.TimeoutError))


class NotSent(Fault):
    """The last byte of the command never left, so the server cannot have executed it."""


class Refused(NotSent):
    """The server answered the handshake with an error, the cause, so that nothing else was sent."""

    @property
    def origin(self) -> BaseException | None:
        return None if self.__cause__ is None else self.__cause__.__cause__


class Unknown(Fault):
    """The command left whole, or may have."""


class Seam:
    """``with SENDING: ...``: an error of the socket becomes a fault, anything else passes through untouched."""

    def __init__(self, fault: type[Fault], phase: str) -> None:
        self.fault, self.phase = fault, phase

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError) and not is_foreign(error):
            raise self.fault(self.phase) from error


class TrustingSeam(Seam):
    """For code of the user's that stands below ours: a connection or a parser that does things its own way.

    Through modules that we do not know an error of the socket cannot be told from another.
    """

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, RedisError):
            raise self.fault(self.phase) from error


class Quietly:
    """``with CLOSING: ...``: an error of the socket is of no interest, anything else passes through untouched."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: object) -> bool:
        return isinstance(error, OSError) and not is_foreign(error)


CLOSING = Quietly()
CONNECTING = Seam(NotSent, "connect")
CONNECTING_ANYHOW = TrustingSeam(NotSent, "connect")
GREETING_ANYHOW = TrustingSeam(NotSent, "handshake")
RECEIVING_ANYHOW = TrustingSeam(Unknown, "recv")
SECURING = Seam(NotSent, "tls")
GREETING = Seam(NotSent, "handshake")
SENDING = Seam(NotSent, "send")
RECEIVING = Seam(Unknown, "recv")


def is_foreign(error: OSError) -> bool:
    """Whether ``error`` was raised by something else than the socket call in the frame that caught it.

    The socket's own errors have an errno, or are a time-out with a text, and come from our frames or from the standard
    library's.  In a function of its own, because a traceback in a local variable of a frame that holds a connection
    would be a cycle, and keep the connection alive.
    """
    if isinstance(error, RedisError):
        return True
    if error.errno is None and not (isinstance(error, builtins.TimeoutError) and error.args):
        return True
    traceback = error.__traceback__
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__", "")
        if module not in ALLOWED and module.partition(".")[0] != "gevent":
            return True
        traceback = traceback.tb_next
    return False


def public_error(
    fault: Fault, command: str, address: str, attempt: int, applied: bool, serial: int | None = None
) -> ConnectionError | TimeoutError:
    """Return the error that the caller sees; raise it ``from fault.origin``.

    ``serial`` is the number of the connection; :func:`is_of` knows the error by it.
    """
    if isinstance(fault, Refused) and isinstance(fault.__cause__, ConnectionError):
        return annotate(fault.__cause__, command, address, fault.phase, attempt)
    cause = fault.__cause__
    # The cause of a managed connection tells by its class what could not be found.
    kind = type(cause) if isinstance(cause, ConnectionError) else TimeoutError if fault.timed_out else ConnectionError
    verdict = MAYBE_APPLIED if applied else NOT_APPLIED
    circumstances = f"{command} at {address}, attempt {attempt}: {verdict}" if command else address
    error = kind(f"{what_happened(fault, address)} ({circumstances})")
    error.maybe_applied = applied
    error.__dict__["_serial"] = serial
    return annotate(error, command, address, fault.phase, attempt)


def said_by_server(error: Error, serial: int | None) -> Error:
    """Write into an error that it is an answer of the server, on the connection ``serial``; return it."""
    vars(error).update(_serial=serial, _said_by_server=True)
    return error


def is_refusal(error: RedisError) -> bool:
    """Whether the server answered with ``error``: what was refused was not executed."""
    return vars(error).get("_said_by_server", isinstance(error, (ResponseError, BusyLoadingError)))


def is_final(error: RedisError) -> bool:
    """Whether no other attempt can help: nobody knows what the server says, or what a connection was is lost."""
    return isinstance(error, InvalidResponse) or vars(error).get("_is_final", False)


def is_of(error: RedisError, connection: object) -> bool:
    """Whether ``error`` tells what happened on ``connection``.

    An error of the same class may come from a signal handler that uses another one.  Connections of a class of the
    user's have no number, nor have their errors.
    """
    return getattr(error, "_serial", None) == getattr(connection, "serial", None)


def annotate(error: Error, command: str, address: str, phase: str, attempt: int) -> Error:
    """Write the circumstances into the attributes of ``error`` and return it."""
    error.command, error.address, error.phase, error.attempt = command or None, address, phase, attempt
    return error


def tell_all(error: RedisError, attempt: int, unknown: bool, elapsed: float) -> None:
    """Write into the error of the last attempt which one it was, and what it took in all, in seconds.

    ``unknown``: an attempt may have been applied; if that is unknown of one, it is of all.
    """
    error.attempt, error.elapsed = attempt, elapsed
    if unknown:
        vars(error)["maybe_applied"] = True
    first, *rest = error.args or ("",)
    if isinstance(first, str):
        told = ATTEMPT.sub(f", attempt {attempt}, after {elapsed:.2f} s: ", first, count=1)
        error.args = (told.replace(f": {NOT_APPLIED})", f": {MAYBE_APPLIED})") if unknown else told, *rest)


def not_begun(error: RedisError, command: str, address: str) -> None:
    """Write into an error of a pool which command got no connection, and where to, unless that stands there."""
    if error.phase == "pool" and error.attempt is None:
        annotate(error, command, address, "pool", 1)
        if command and isinstance(error, (MaxConnectionsError, TimeoutError)):
            after = "" if error.elapsed is None else f", after {error.elapsed:.2f} s"
            error.args = (f"{error} ({command} at {address}, attempt 1{after}: {NOT_APPLIED})",)


def complete(
    error: RedisError, command: str, address: str, phase: str, attempt: int, serial: int | None = None
) -> None:
    """Write the circumstances into an error of whoever does not know them, such as a reader; keep what is there.

    An error of another connection than ``serial``, from a signal handler, is left alone.
    """
    if isinstance(error, InvalidResponse) and error.command is None:
        vars(error)["_serial"] = serial
        verdict = MAYBE_APPLIED if error.maybe_applied else NOT_APPLIED
        told = f" ({command} at {address}, attempt {error.attempt or attempt}: {verdict})" if command else ""
        error.args = (f"{error}{told}",)
    if vars(error).get("_serial") == serial:
        annotate(
            error,
            error.command or command,
            error.address or address,
            error.phase or phase,
            error.attempt or attempt,
        )


def what_happened(fault: Fault, address: str) -> str:
    """The first sentence of the error."""
    said = what_failed(fault, address)
    deadline = current() if fault.timed_out else None
    if deadline is None or deadline.remaining():
        return said
    return f"{said.rstrip('.')}, at the deadline of {deadline.seconds:g} s"


def what_failed(fault: Fault, address: str) -> str:
    """What went wrong at which step."""
    cause = fault.__cause__
    if isinstance(cause, RedisError):
        return str(cause)
    reason = getattr(cause, "strerror", None) or str(cause)
    number = getattr(cause, "errno", None)
    if fault.phase in ("connect", "tls"):
        if fault.timed_out:
            return f"Timeout connecting to {address}"
        return f"Error {number} connecting to {address}. {reason.rstrip('.')}."
    if reason == SERVER_CLOSED_CONNECTION_ERROR:
        return reason
    doing = {"send": "writing to socket", "recv": "reading from socket"}.get(fault.phase, f"in the {fault.phase}")
    return f"Timeout {doing}" if fault.timed_out else f"Error {number} while {doing}. {reason.rstrip('.')}."
