"""redis/connection/outcome.py: what is the socket's error, and what the caller is told of it."""

import errno
import socket

import pytest

from redis.connection import tcp
from redis.connection.outcome import (
    CLOSING,
    CONNECTING,
    CONNECTING_ANYHOW,
    GREETING,
    RECEIVING,
    SECURING,
    SENDING,
    NotSent,
    Unknown,
    annotate,
    complete,
    is_foreign,
    is_of,
    not_begun,
    public_error,
    what_happened,
)
from redis.exceptions import ConnectionError, InvalidResponse, MaxConnectionsError, RedisError, TimeoutError


def fault(cause, kind=Unknown, phase="recv"):
    """A fault with its cause, as the seam makes it."""
    made = kind(phase)
    made.__cause__ = cause
    return made


def raised_in(name, error):
    """Return ``error`` as if it had been raised by code of the module ``name``."""
    space = {"__name__": name, "error": error}
    exec("def fail():\n    raise error", space)
    try:
        space["fail"]()
    except OSError as caught:
        # Without the frame of this module, which would be foreign.
        return caught.with_traceback(caught.__traceback__.tb_next)


RESET = (errno.ECONNRESET, "Connection reset by peer")


@pytest.mark.parametrize(
    ("seam", "kind", "phase"),
    [
        (CONNECTING, NotSent, "connect"),
        (SECURING, NotSent, "tls"),
        (GREETING, NotSent, "handshake"),
        (SENDING, NotSent, "send"),
        (RECEIVING, Unknown, "recv"),
    ],
)
def test_the_seam_makes_a_fault_of_an_error_of_the_socket(monkeypatch, seam, kind, phase):
    monkeypatch.setitem(globals(), "__name__", "redis.connection.tcp")
    with pytest.raises(kind) as caught, seam:
        raise OSError(*RESET)
    assert caught.value.phase == phase
    assert caught.value.__cause__.errno == errno.ECONNRESET


@pytest.mark.parametrize(
    "error", [OSError(*RESET), ValueError("x"), KeyboardInterrupt(), ConnectionError("ours"), TimeoutError("ours")]
)
def test_whatever_else_is_raised_passes_untouched(error):
    with pytest.raises(type(error)) as caught, RECEIVING:
        raise error
    assert caught.value is error
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [(OSError(*RESET), NotSent), (OSError("no number"), NotSent), (ConnectionError("ours"), ConnectionError)],
    ids=repr,
)
def test_code_of_the_users_that_connects_is_trusted(error, kind):
    with pytest.raises(kind) as caught, CONNECTING_ANYHOW:
        raise error
    assert error in (caught.value, caught.value.__cause__)


def test_while_closing_an_error_of_the_socket_is_of_no_interest(monkeypatch):
    with pytest.raises(OSError, match="Connection reset"), CLOSING:
        raise OSError(*RESET)
    with pytest.raises(LookupError), CLOSING:
        raise LookupError
    monkeypatch.setitem(globals(), "__name__", "redis.connection.wire")
    with CLOSING:
        raise OSError(*RESET)


def test_nothing_raised_is_nothing():
    with SENDING:
        pass


@pytest.mark.parametrize("module", ["redis.connection.tcp", "redis.connection.parsers", "socket", "ssl", "gevent._x"])
def test_an_error_from_these_modules_is_the_sockets(module):
    assert is_foreign(raised_in(module, OSError(*RESET))) is False


@pytest.mark.parametrize("module", ["tests.handler", "redis.client", "redis.connection.pool", "geventish", ""])
def test_an_error_from_any_other_module_is_foreign(module):
    assert is_foreign(raised_in(module, OSError(*RESET))) is True


@pytest.mark.parametrize(
    ("error", "foreign"),
    [
        (OSError(*RESET), False),
        (OSError("no number"), True),
        (socket.timeout("timed out"), False),
        (socket.timeout(), True),
        (ConnectionError("ours"), True),
        (TimeoutError("ours"), True),
        (TimeoutError(errno.ETIMEDOUT, "ours, with a number"), True),
    ],
    ids=repr,
)
def test_the_errors_own_marks(error, foreign):
    assert is_foreign(error) is foreign


@pytest.mark.parametrize(
    ("cause", "timed_out"),
    [
        (BlockingIOError(errno.EAGAIN, "again"), True),
        (socket.timeout("timed out"), True),
        (OSError(*RESET), False),
        (None, False),
    ],
    ids=repr,
)
def test_whether_time_ran_out(cause, timed_out):
    assert fault(cause).timed_out is timed_out


TEXTS = [
    ("connect", OSError(111, "Connection refused"), "Error 111 connecting to h:1. Connection refused."),
    ("tls", OSError(1, "certificate verify failed."), "Error 1 connecting to h:1. certificate verify failed."),
    ("connect", socket.timeout("timed out"), "Timeout connecting to h:1"),
    ("send", OSError(32, "Broken pipe"), "Error 32 while writing to socket. Broken pipe."),
    ("send", BlockingIOError(11, "again"), "Timeout writing to socket"),
    ("recv", OSError(*RESET), "Error 104 while reading from socket. Connection reset by peer."),
    ("recv", BlockingIOError(11, "again"), "Timeout reading from socket"),
    ("recv", OSError(104, "Connection closed by server."), "Connection closed by server."),
    ("handshake", OSError(*RESET), "Error 104 while in the handshake. Connection reset by peer."),
    ("handshake", socket.timeout("timed out"), "Timeout in the handshake"),
]


@pytest.mark.parametrize(("phase", "cause", "text"), TEXTS, ids=lambda value: str(value)[:24])
def test_the_first_sentence(phase, cause, text):
    assert what_happened(fault(cause, phase=phase), "h:1") == text


def test_the_public_error_tells_all():
    error = public_error(fault(OSError(*RESET)), "INCR", "h:1", 2, applied=True)
    assert type(error) is ConnectionError
    assert (error.maybe_applied, error.command, error.address, error.phase, error.attempt) == (
        True,
        "INCR",
        "h:1",
        "recv",
        2,
    )
    assert str(error) == (
        "Error 104 while reading from socket. Connection reset by peer. "
        "(INCR at h:1, attempt 2: it may have been applied)"
    )


def test_the_public_error_of_a_time_out_that_changed_nothing():
    error = public_error(fault(socket.timeout("timed out"), NotSent, "connect"), "GET", "h:1", 1, applied=False)
    assert type(error) is TimeoutError
    assert error.maybe_applied is False
    assert str(error).endswith("(GET at h:1, attempt 1: it was not applied)")


def test_the_public_error_without_a_command():
    error = public_error(fault(OSError(*RESET)), "", "h:1", 1, applied=False)
    assert error.command is None
    assert str(error).endswith(" (h:1)")


def test_an_error_is_known_by_the_number_of_its_connection():
    one, other = tcp.Connection(), tcp.Connection()
    error = public_error(fault(OSError(*RESET)), "GET", "h:1", 1, True, serial=one.serial)
    assert is_of(error, one)
    assert not is_of(error, other)
    assert not is_of(ConnectionError("from somewhere else"), one)
    assert is_of(ConnectionError("from a class of the user's"), object())


def test_what_an_error_knows_already_is_kept():
    error = RedisError("x")
    error.phase = "handshake"
    complete(error, "GET", "h:1", "recv", 2)
    assert (error.command, error.address, error.phase, error.attempt) == ("GET", "h:1", "handshake", 2)
    complete(error, "SET", "other", "send", 5)
    assert (error.command, error.address, error.phase, error.attempt) == ("GET", "h:1", "handshake", 2)


def test_an_error_of_another_connection_is_left_alone():
    error = public_error(fault(OSError(*RESET)), "", "h:1", 1, True, serial=1)
    complete(error, "GET", "h:2", "recv", 2, serial=2)
    assert (error.command, error.address) == (None, "h:1")
    complete(error, "GET", "h:1", "recv", 2, serial=1)
    assert error.command == "GET"


@pytest.mark.parametrize(("applied", "verdict"), [(True, "it may have been applied"), (False, "it was not applied")])
def test_what_is_no_reply_is_told_with_its_circumstances(applied, verdict):
    error = InvalidResponse("nonsense")
    error.maybe_applied = applied
    for _ in range(2):
        complete(error, "GET", "h:1", "recv", 1)
        assert str(error) == f"nonsense (GET at h:1, attempt 1: {verdict})"


def test_what_a_pool_could_not_lend_is_told_once():
    for _ in range(2):
        not_begun(error := MaxConnectionsError("full"), "GET", "h:1")
        not_begun(error, "SET", "h:2")
        assert str(error) == "full (GET at h:1, attempt 1: it was not applied)"
        assert (error.command, error.address, error.phase, error.attempt) == ("GET", "h:1", "pool", 1)


def test_an_error_that_is_not_the_pools_is_left_alone():
    error = TimeoutError("of a signal handler")
    not_begun(error, "GET", "h:1")
    assert (str(error), error.command, error.phase) == ("of a signal handler", None, None)


def test_annotate_gives_the_error_back():
    error = RedisError("x")
    assert annotate(error, "", "h:1", "send", 3) is error
    assert (error.command, error.address, error.phase, error.attempt) == (None, "h:1", "send", 3)
