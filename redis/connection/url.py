"""A connection URL, taken apart.

::

    redis://[[username]:[password]@]host[:port][/db][?option=value...]      over TCP
    rediss://...                                                             over TLS
    unix://[[username]:[password]@]/path/of/the/socket[?db=n&option=value...]

This module must not open anything; it knows the classes of connections by name only.  :data:`SCHEMES` says who takes a
URL apart: another module may add its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import ParseResult, parse_qs, unquote, urlparse

from redis.connection.options import UNWRITABLE, URL_QUERY_ARGUMENT_PARSERS
from redis.connection.tls import SSLConnection
from redis.connection.unix import UnixDomainSocketConnection

QUOTING = "a '/', '?', '#', '@' or ':' in a password is written percent-encoded, with decode_components=True"

Options = dict[str, Any]
Decode = Callable[[str], str]


def options_from_url(url: str, db: int | None = None, decode_components: bool = False) -> Options:
    """Return the keywords for a pool.

    The number of the database is taken from ``?db=``, else from the path, else it is ``db``, else 0.
    ``decode_components``: host, path, user name and password are percent-decoded.  A URL that cannot be meant so is a
    ValueError, which never shows the URL, for it may have a password in it.
    """
    parts = taken_apart(url)
    if parts is None:
        raise ValueError(f"the URL cannot be taken apart; {QUOTING}")
    if is_torn(parts):
        raise ValueError(f"the URL has a sign in a place where it cannot be meant; {QUOTING}")
    if parts.scheme not in SCHEMES:
        names = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        raise ValueError(f"the URL has the scheme {parts.scheme!r}; it takes one of {names}")
    decode: Decode = unquote if decode_components else str
    options = {"password": None, **query_options(parts.query)}
    options.update(credentials(parts, decode))
    options.update(SCHEMES[parts.scheme](parts, decode))
    in_path = options.pop("path_db", None)
    options["db"] = options.get("db", in_path if in_path is not None else db or 0)
    return options


def taken_apart(url: str) -> ParseResult | None:
    """The parts of a URL; None where it has none.  The error that says why is not kept: it would show the URL."""
    with suppress(ValueError):
        return urlparse(url)
    return None


def is_torn(parts: ParseResult) -> bool:
    """Whether a password with a sign that ends something seems to have been cut in two."""
    path = "" if parts.scheme == "unix" else parts.path
    return bool(parts.fragment) or "@" in path or "@" in parts.query.partition("=")[0]


def query_options(query: str) -> Options:
    """The options behind the ``?``, converted; one that cannot be converted is left out with a warning."""
    options: Options = {}
    for name, values in parse_qs(query).items():
        if name in UNWRITABLE:
            raise ValueError(f"the option {name!r} is an object, and cannot be written in a URL: pass it as a keyword")
        convert = URL_QUERY_ARGUMENT_PARSERS.get(name, str)
        try:
            options[name] = convert(values[0])
        except ValueError:
            warnings.warn(f"Invalid value for `{name}` in connection URL.", UserWarning, stacklevel=4)
    return options


def credentials(parts: ParseResult, decode: Decode) -> Options:
    """The password and the user name before the host, each where there is one."""
    password = {} if parts.password is None else {"password": decode(parts.password)}
    return password | ({"username": decode(parts.username)} if parts.username else {})


def tcp_options(parts: ParseResult, decode: Decode) -> Options:
    """Host, port and the database in the path."""
    port = port_of(parts)
    if port is None:
        raise ValueError(f"the port in the URL is no number from 0 to 65535; {QUOTING}")
    options: Options = {"host": decode(parts.hostname or "localhost"), "port": port}
    path = decode(parts.path).strip("/")
    if path:
        options["path_db"] = database(path)
    return options


def port_of(parts: ParseResult) -> int | None:
    """The number of the port; None for one that is no number, and may be a part of a password."""
    with suppress(ValueError):
        return parts.port or 6379
    return None


def database(path: str) -> int:
    """The number of a database in the path of a URL."""
    if not path.isdecimal():
        raise ValueError(f"the path of the URL, {path!r}, is not the number of a database, as in redis://host:6379/0")
    return int(path)


def tls_options(parts: ParseResult, decode: Decode) -> Options:
    """As over TCP, by another class of connection."""
    return {**tcp_options(parts, decode), "connection_class": SSLConnection}


def unix_options(parts: ParseResult, decode: Decode) -> Options:
    """The path of the socket."""
    return {"path": decode(parts.path), "connection_class": UnixDomainSocketConnection}


SCHEMES: dict[str, Callable[[ParseResult, Decode], Options]] = {
    "redis": tcp_options,
    "rediss": tls_options,
    "unix": unix_options,
}
"""Who makes options of the part of a URL that is not the same in all."""
