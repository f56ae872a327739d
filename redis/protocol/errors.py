"""What an error line of the server means: one table from its first word to a class.

This module owns :class:`ErrorReply`, the form in which the readers hand an error line over, and the table.  It must not
know what becomes of the connection; that is told by the class that comes out.
"""

from __future__ import annotations

from redis.exceptions import (
    AskError,
    AuthenticationFailedError,
    BusyLoadingError,
    ClusterCrossSlotError,
    ClusterDownError,
    ConnectionError,
    ExecAbortError,
    MasterDownError,
    MovedError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.protocol.masking import without_secrets


class ErrorReply(ResponseError):
    """An error line as it came.

    It has no Python code on purpose: hiredis builds it in C, so nothing of ours runs, and nothing can be interrupted,
    while replies are still owed.
    """


#: These first words have never been part of the text of the error; programs compare it without them.
DROPPED_CODES = frozenset(("ERR", "EXECABORT", "LOADING", "NOSCRIPT", "READONLY"))

CLASSES: dict[str, type[RedisError]] = {
    "ASK": AskError,
    "CLUSTERDOWN": ClusterDownError,
    "CROSSSLOT": ClusterCrossSlotError,
    "EXECABORT": ExecAbortError,
    "LOADING": BusyLoadingError,
    "MASTERDOWN": MasterDownError,
    "MOVED": MovedError,
    "NOAUTH": AuthenticationFailedError,
    "NOPERM": NoPermissionError,
    "NOSCRIPT": NoScriptError,
    "OOM": OutOfMemoryError,
    "READONLY": ReadOnlyError,
    "TRYAGAIN": TryAgainError,
    "WRONGPASS": AuthenticationFailedError,
}

#: After one of these the server is not what it was: no connection to it is kept.
SERVER_CHANGED = (BusyLoadingError, MasterDownError, ReadOnlyError)

MAX_CLIENTS = "max number of clients reached"
#: What servers say of a password that have no WRONGPASS (before Redis 6), or none to compare it with.
WRONG_PASSWORD = ("invalid password", "Client sent AUTH, but no password is set", "AUTH <password> called without any")


def error_from(reply: ErrorReply) -> RedisError:
    """Return the error that this error line means; its text is what the server said."""
    return parse_error(str(reply))


def parse_error(line: str) -> RedisError:
    """Return the error that the words ``line``, without the leading ``-``, mean.

    Its text is these words, but for arguments that the server repeats and that may be secrets.
    """
    line = without_secrets(line)
    code, _, words = line.partition(" ")
    text = words if code in DROPPED_CODES else line
    if code == "ERR":
        return generic_error(text)
    return CLASSES.get(code, ResponseError)(text)


def generic_error(text: str) -> RedisError:
    """Return the error for the words behind ``ERR``, few of which have a class of their own."""
    if text == MAX_CLIENTS:
        refused = ConnectionError(text)
        refused.maybe_applied = False
        return refused
    if text.startswith(WRONG_PASSWORD):
        return AuthenticationFailedError(text)
    return ResponseError(text)
