"""Which values the options of connections and pools may have: one table, and errors that name the option.

A value that cannot be meant so is refused when the client or the pool is made, not by the first command.  A text is not
shown where it may be a password in the wrong place.  This module must not know what becomes of an option.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from redis.connection.tcp import checked_protocol
from redis.connection.tls import checked_cert_reqs
from redis.retry import Retry, are_errors


class Check(NamedTuple):
    """What an option takes."""

    right: Callable[[Any], Any]
    takes: str
    #: Whether the error shows a text.
    shown: bool = False


def is_seconds(value: Any) -> bool:
    """Whether a value is a positive number, or None."""
    return value is None or (isinstance(value, (int, float)) and value > 0)


def is_pause(value: Any) -> bool:
    """Whether a value is a number of any class, 0 or more, or None."""
    with suppress(TypeError):
        return value is None or bool(value >= 0)
    return False


def is_port(value: Any) -> bool:
    """Whether a value is, or can be read as, the number of a port."""
    with suppress(TypeError, ValueError):
        return 0 <= int(value) <= 65535
    return False


def is_taken_by(function: Callable[[Any], Any]) -> Callable[[Any], bool]:
    """Whether ``function`` returns anything, and raises no error."""

    def is_taken(value: Any) -> bool:
        with suppress(TypeError, ValueError, LookupError):
            function(value)
            return True
        return False

    return is_taken


def is_one_of(*kinds: Any) -> Callable[[Any], bool]:
    """Whether a value is of one of these classes."""
    return lambda value: isinstance(value, kinds)


def is_count(value: Any) -> bool:
    """Whether a value is a whole number, 0 or more."""
    return isinstance(value, int) and value >= 0


NONE = type(None)
SECONDS = Check(is_seconds, "a positive number of seconds, or None")
CHECKS = {
    "host": Check(is_one_of(str, NONE), "the name or the address of a server"),
    "port": Check(is_port, "a number from 0 to 65535"),
    "path": Check(is_one_of(str, bytes, os.PathLike), "the path of a Unix socket"),
    "credential_provider": Check(
        lambda value: value is None or hasattr(value, "get_credentials"), "an object with a method get_credentials()"
    ),
    "socket_timeout": SECONDS,
    "socket_connect_timeout": SECONDS,
    "command_timeout": SECONDS,
    "socket_keepalive_options": Check(is_one_of(Mapping, NONE), "a mapping of options of TCP to their values"),
    "socket_read_size": Check(lambda value: is_count(value) and value, "a number of bytes"),
    "encoding": Check(is_taken_by(codecs.lookup), "the name of an encoding, such as 'utf-8'", True),
    "encoding_errors": Check(is_taken_by(codecs.lookup_error), "'strict', 'replace', 'surrogateescape' ...", True),
    "parser_class": Check(callable, "a class of parsers"),
    "protocol": Check(is_taken_by(checked_protocol), "2 or 3", True),
    "retry": Check(is_one_of(Retry, NONE), "a redis.retry.Retry, or None"),
    "retry_on_error": Check(lambda value: value is None or are_errors(value), "a list of classes of errors, or None"),
    "ssl_cert_reqs": Check(is_taken_by(checked_cert_reqs), "'none', 'optional' or 'required'", True),
    "ssl_context": Check(lambda value: value is None or hasattr(value, "wrap_socket"), "an ssl.SSLContext"),
    "ssl_min_version": Check(is_one_of(int, NONE), "an ssl.TLSVersion", True),
    "ssl_ciphers": Check(is_one_of(str, NONE), "names of ciphers, as OpenSSL has them"),
    "max_idle_time": SECONDS,
    "max_lifetime": SECONDS,
    "min_idle": Check(is_count, "a number of connections, 0 or more"),
    "connection_pool": Check(lambda value: hasattr(value, "get_connection"), "a pool of connections"),
    "timeout": Check(is_pause, "a number of seconds, or None"),
}


def check_values(options: Mapping[str, Any]) -> None:
    """Raise ValueError for the first option whose value cannot be meant."""
    for name, value in options.items():
        check = CHECKS.get(name)
        if check is not None and not check.right(value):
            raise ValueError(f"{name} is {described(value, check.shown)}; it takes {check.takes}")


def described(value: Any, shown: bool) -> str:
    """A value as an error tells it."""
    return repr(value) if shown or isinstance(value, (int, float, NONE)) else f"a {type(value).__name__}"


def check_place(options: Mapping[str, Any]) -> None:
    """Raise ValueError for a URL as the host or the path; it is not shown, for it may have a password in it."""
    for name, signs in (("host", ("://", "@")), ("path", ("://",))):
        if any(sign in str(options.get(name)) for sign in signs):
            raise ValueError(f"{name} takes no URL; from_url() does")
