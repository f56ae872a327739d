"""Every error that the package raises.

::

    RedisError
     |-- ConnectionError          also a builtin ConnectionError; says whether the command may have been applied
     |    |-- BusyLoadingError    the server still loads its data
     |    |-- MaxConnectionsError the pool has lent all that it may
     |    |-- MasterNotFoundError no sentinel knows a master that serves
     |    `-- SlaveNotFoundError  nor a replica
     |-- TimeoutError             also a builtin TimeoutError; says whether the command may have been applied
     |-- AuthenticationError
     |    `-- AuthenticationFailedError   the server refused the credentials; a ResponseError as well
     |-- InvalidResponse          the server sent what is no RESP, or more than it was asked for
     |-- DataError                the arguments of a call cannot be meant so; nothing was sent
     |-- PubSubError
     |-- WatchError
     |-- LockError                also a ValueError
     |    `-- LockNotOwnedError
     `-- ResponseError            the server answered with an error
          |-- ExecAbortError
          |-- NoScriptError
          |-- ReadOnlyError
          |-- NoPermissionError
          |-- OutOfMemoryError
          |-- MasterDownError
          |-- ClusterDownError
          |-- ClusterCrossSlotError
          |-- TryAgainError
          |-- AskError
          |    `-- MovedError
          `-- (AuthenticationFailedError)

This module owns the classes and what they carry.  It must not know how an error comes about: the words of the server
are judged in ``protocol/errors.py``, the faults of a socket in ``connection/outcome.py``.
"""

from __future__ import annotations

import builtins


class RedisError(Exception):
    """The base of all; each instance tells the circumstances as far as they are known, None where they are not."""

    #: The name of the command that was called, such as ``"GET"``.
    command: str | None = None
    #: The server, as ``host:port`` or the path of its socket.
    address: str | None = None
    #: What was being done: ``"pool"``, ``"connect"``, ``"tls"``, ``"handshake"``, ``"send"`` or ``"recv"``.
    phase: str | None = None
    #: Which attempt failed, counted from 1.
    attempt: int | None = None
    #: How many seconds the call took, all attempts and the pauses between them, until this was raised.
    elapsed: float | None = None


class ConnectionError(RedisError, builtins.ConnectionError):
    """The connection could not be made, or was lost."""

    #: True: the server may have executed the command.  False: it certainly has not.  The class says True, so that an
    #: error of unknown origin is never taken for a permission to send again.
    maybe_applied: bool = True
    #: The results of a pipeline that had come; the rest may have been executed if ``maybe_applied``.  None elsewhere.
    replies: list[object] | None = None


class TimeoutError(RedisError, builtins.TimeoutError):
    """Nothing came, or could be sent, within the time that was given."""

    #: As in :class:`ConnectionError`.
    maybe_applied: bool = True
    replies: list[object] | None = None


class BusyLoadingError(ConnectionError):
    """The server answered LOADING; it executed nothing."""

    maybe_applied = False


class MaxConnectionsError(ConnectionError):
    """As many connections as ``max_connections`` allows are in use; nothing was sent."""

    maybe_applied = False
    phase = "pool"


class MasterNotFoundError(ConnectionError):
    """No sentinel names a master that serves; the text tells what each of them said.  Nothing was sent."""

    maybe_applied = False


class SlaveNotFoundError(ConnectionError):
    """No sentinel names a replica that serves, nor a master in its place.  Nothing was sent."""

    maybe_applied = False


class AuthenticationError(RedisError):
    """The server and the client do not agree on who the client is."""


class InvalidResponse(RedisError):
    """What came from the server is not a reply; the connection has been closed."""

    #: As in :class:`ConnectionError`: the command had left when the bytes came.
    maybe_applied: bool = True
    replies: list[object] | None = None


class DataError(RedisError):
    """The arguments of a call cannot be meant so; nothing was sent."""


class PubSubError(RedisError):
    """A Pub/Sub object was used in a way that its state does not allow."""


class WatchError(RedisError):
    """A watched key was changed, so the transaction was not executed."""


class LockError(RedisError, ValueError):
    """A lock could not be acquired, extended or released."""


class LockNotOwnedError(LockError):
    """The lock is not, or no longer, owned by this holder."""


class ResponseError(RedisError):
    """The server answered with an error; ``str()`` gives its words."""


class AuthenticationFailedError(AuthenticationError, ResponseError):
    """The server refused the user name or the password, or demands one (WRONGPASS, NOAUTH)."""


class ExecAbortError(ResponseError):
    """EXEC was refused because a queued command was."""


class NoScriptError(ResponseError):
    """EVALSHA named a script that the server does not have."""


class ReadOnlyError(ResponseError):
    """A write was sent to a replica."""


class NoPermissionError(ResponseError):
    """The ACL of the user does not allow the command, the key or the channel."""


class OutOfMemoryError(ResponseError):
    """The server is at ``maxmemory`` and refuses what would need more."""


class MasterDownError(ResponseError):
    """A replica has lost its master and is told not to serve stale data."""


class ClusterDownError(ResponseError):
    """The cluster does not serve."""


class ClusterCrossSlotError(ResponseError):
    """The keys of a command lie in different slots."""


class TryAgainError(ResponseError):
    """A command of several keys met a slot that is being moved."""


class AskError(ResponseError):
    """The slot is being moved: ask the node named, once."""


class MovedError(AskError):
    """The slot is served by the node named."""
