"""redis/protocol/errors.py: which error an error line is."""

import pytest

from redis import exceptions
from redis.protocol.errors import CLASSES, ErrorReply, error_from, parse_error

LINES = [
    ("ERR no such key", "ResponseError", "no such key"),
    ("ERR", "ResponseError", ""),
    ("WRONGTYPE Operation against a key", "ResponseError", "WRONGTYPE Operation against a key"),
    ("EXECABORT Transaction discarded", "ExecAbortError", "Transaction discarded"),
    ("LOADING Redis is loading", "BusyLoadingError", "Redis is loading"),
    ("NOSCRIPT No matching script", "NoScriptError", "No matching script"),
    ("READONLY You can't write", "ReadOnlyError", "You can't write"),
    ("MASTERDOWN Link with MASTER is down", "MasterDownError", "MASTERDOWN Link with MASTER is down"),
    ("NOAUTH Authentication required.", "AuthenticationFailedError", "NOAUTH Authentication required."),
    ("WRONGPASS invalid pair", "AuthenticationFailedError", "WRONGPASS invalid pair"),
    ("NOPERM no permissions", "NoPermissionError", "NOPERM no permissions"),
    ("OOM command not allowed", "OutOfMemoryError", "OOM command not allowed"),
    ("MOVED 3999 127.0.0.1:6381", "MovedError", "MOVED 3999 127.0.0.1:6381"),
    ("ASK 3999 127.0.0.1:6381", "AskError", "ASK 3999 127.0.0.1:6381"),
    ("TRYAGAIN Multiple keys", "TryAgainError", "TRYAGAIN Multiple keys"),
    ("CLUSTERDOWN The cluster is down", "ClusterDownError", "CLUSTERDOWN The cluster is down"),
    ("CROSSSLOT Keys in request", "ClusterCrossSlotError", "CROSSSLOT Keys in request"),
    ("ERR max number of clients reached", "ConnectionError", "max number of clients reached"),
    ("ERR invalid password", "AuthenticationFailedError", "invalid password"),
    (
        "ERR Client sent AUTH, but no password is set",
        "AuthenticationFailedError",
        "Client sent AUTH, but no password is set",
    ),
    (
        "ERR AUTH <password> called without any password configured for the default user.",
        "AuthenticationFailedError",
        "AUTH <password> called without any password configured for the default user.",
    ),
    ("ERR max number of clients reached today", "ResponseError", "max number of clients reached today"),
    ("readonly in small letters", "ResponseError", "readonly in small letters"),
    ("", "ResponseError", ""),
]


@pytest.mark.parametrize(("line", "name", "text"), LINES, ids=[line[:20] for line, _, _ in LINES])
def test_the_class_and_the_words(line, name, text):
    error = parse_error(line)
    assert type(error) is getattr(exceptions, name)
    assert str(error) == text


def test_every_class_of_the_table_has_a_line_here():
    assert set(CLASSES) <= {line.partition(" ")[0] for line, _, _ in LINES}


def test_an_error_reply_is_turned_into_its_error():
    assert type(error_from(ErrorReply("READONLY no"))) is exceptions.ReadOnlyError


def test_an_error_reply_runs_no_code_of_ours():
    own = {name for name, value in vars(ErrorReply).items() if callable(value)}
    assert own == set()
    assert ErrorReply.__init__ is Exception.__init__


@pytest.mark.parametrize(
    "line", ["ERR max number of clients reached", "LOADING Redis is loading the dataset in memory"]
)
def test_a_refusal_before_the_command_says_that_nothing_was_applied(line):
    assert parse_error(line).maybe_applied is False


def test_the_refusal_of_one_call_does_not_change_the_class():
    parse_error("ERR max number of clients reached")
    assert exceptions.ConnectionError("x").maybe_applied is True
