"""Options that contradict each other: one table, and errors that name both.

An option that would be ignored is refused when the client or the pool is made.  What counts is what was *given*: None,
an empty text and the default of an option are not.  This module must not know what becomes of an option.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from redis.connection.options import accepted_options
from redis.connection.tcp import Connection
from redis.connection.tls import CERT_REQS, SSLConnection
from redis.connection.unix import UnixDomainSocketConnection

Options = Mapping[str, Any]

TLS = tuple(sorted(accepted_options(SSLConnection, Connection) - {"ssl_shared"}))


class Conflict(NamedTuple):
    """An option, and those that cannot stand beside it."""

    option: str
    others: tuple[str, ...]
    reason: str


class Need(NamedTuple):
    """Options that mean nothing without one of others."""

    options: tuple[str, ...]
    needed: tuple[str, ...]
    meant: str


CONFLICTS = (
    Conflict("unix_socket_path", ("host", "port"), "a Unix socket has a path and no more"),
    Conflict("unix_socket_path", ("ssl", *TLS), "there is no TLS over a Unix socket"),
    Conflict("path", ("host", "port"), "a Unix socket has a path and no more"),
    Conflict("path", TLS, "there is no TLS over a Unix socket"),
    Conflict("credential_provider", ("username", "password"), "the provider says who connects"),
    Conflict("ssl_context", tuple(name for name in TLS if name != "ssl_context"), "the context says that itself"),
    Conflict("ssl_check_hostname=True", ("ssl_cert_reqs='none'",), "a name is verified with its certificate"),
)

NEEDS = (
    Need(TLS, ("ssl",), "TLS: ssl=True for a client, rediss:// in a URL, connection_class=SSLConnection for a pool"),
    Need(("ssl_password",), ("ssl_keyfile", "ssl_certfile"), "ssl_keyfile or ssl_certfile"),
)

#: Options of a client that a pool of our connections is told in another way.
CLIENTS_WORDS = {
    "ssl": "rediss:// in a URL, or connection_class=SSLConnection, asks for TLS",
    "unix_socket_path": "unix:// in a URL, or connection_class=UnixDomainSocketConnection with path, has its meaning",
}
#: What a client does itself, whatever its pool.
CLIENTS_OWN = frozenset(("connection_pool", "single_connection_client"))


def given_to(function: Any, arguments: Options) -> dict[str, Any]:
    """What a call says beyond the defaults of ``function``; ``arguments`` are the ``locals()`` at its begin."""
    code, by_position = function.__code__, function.__defaults__
    names = code.co_varnames
    defaults = dict(zip(names[code.co_argcount - len(by_position) :], by_position)) | function.__kwdefaults__
    given = {name: arguments[name] for name, default in defaults.items() if arguments[name] != default}
    rest = names[code.co_argcount + code.co_kwonlyargcount]
    return {name: value for name, value in {**given, **arguments[rest]}.items() if is_given(value)}


def is_given(value: Any) -> bool:
    """Whether a value says anything."""
    return value is not None and value != ""


def refuse_conflicts(given: Options) -> None:
    """Raise TypeError for the first two options that exclude each other, or for one that lacks another."""
    found = given.keys() | said_of_tls(given)
    for option, others, reason in CONFLICTS:
        for other in others:
            if option in found and other in found:
                raise TypeError(f"{option} and {other} exclude each other: {reason}")
    for options, needed, meant in NEEDS:
        for option in options:
            if option in found and found.isdisjoint(needed):
                raise TypeError(f"{option} needs {meant}")


def said_of_tls(given: Options) -> set[str]:
    """The values that the table asks for."""
    said = {
        "ssl_check_hostname=True": bool(given.get("ssl_check_hostname")),
        "ssl_cert_reqs='none'": CERT_REQS.get(given.get("ssl_cert_reqs")) == "CERT_NONE",
    }
    return {text for text, true in said.items() if true}


def refuse_conflicts_of_pool(connection_class: type[Any], options: Options, where: str) -> None:
    """The same for the options of a pool, whose connections are of a class of ours."""
    for name, instead in CLIENTS_WORDS.items():
        if name in options:
            raise TypeError(f"{where} has no option {name!r}; {instead}")
    given = {name: value for name, value in options.items() if is_given(value)}
    if issubclass(connection_class, SSLConnection):
        given["ssl"] = True
    if not issubclass(connection_class, UnixDomainSocketConnection):
        given.pop("path", None)
    refuse_conflicts(given)


def refuse_beside_pool(given: Options, pool: Any) -> None:
    """Raise TypeError for the first option of a client that says other than the pool that was given to it."""
    for name, value in given.items():
        if name not in CLIENTS_OWN and said_by(pool, name) != value:
            raise TypeError(f"connection_pool and {name} exclude each other: give {name} to the pool")


def said_by(pool: Any, name: str) -> Any:
    """What a pool says of an option of a client; None where it says nothing."""
    if name == "ssl":
        return issubclass(pool.connection_class, SSLConnection)
    options = getattr(pool, "connection_kwargs", {})
    return options.get("path" if name == "unix_socket_path" else name, getattr(pool, name, None))
