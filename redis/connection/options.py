"""The options of pools and connections: which there are, and how a URL writes them.

A misspelt option is an error that says what was meant.  This module must not know what an option does.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

FALSE_STRINGS = ("0", "F", "FALSE", "N", "NO", "OFF")


def to_bool(value: Any) -> bool | None:
    """Return what a text says of a switch: None for ``""`` and None, False for the usual words for no, else True."""
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.upper() in FALSE_STRINGS:
        return False
    return bool(value)


def tls_version(text: str) -> int:
    """Return the number that TLS and the module ``ssl`` have for ``"1.2"`` or ``"TLSv1.2"``; ValueError for others."""
    return 0x301 + ("1.0", "1.1", "1.2", "1.3").index(text.removeprefix("TLSv").replace("_", "."))


URL_QUERY_ARGUMENT_PARSERS: dict[str, Callable[[str], Any]] = {
    "command_timeout": float,
    "db": int,
    "decode_responses": to_bool,
    "fork_safe": to_bool,
    "max_connections": int,
    "max_idle_time": float,
    "max_lifetime": float,
    "min_idle": int,
    "port": int,
    "protocol": int,
    "retry_on_timeout": to_bool,
    "single_connection_client": to_bool,
    "socket_connect_timeout": float,
    "socket_keepalive": to_bool,
    "socket_read_size": int,
    "socket_timeout": float,
    "ssl_check_hostname": to_bool,
    "ssl_min_version": tls_version,
    "timeout": float,
}
"""The options of a URL that are no text."""
UNWRITABLE = frozenset(
    (
        "connection_class",
        "credential_provider",
        "parser_class",
        "queue_class",
        "retry",
        "retry_on_error",
        "socket_keepalive_options",
        "ssl_context",
    )
)
"""The options that a URL cannot write at all."""

NEEDLESS = {
    "health_check_interval": "what was idle is always looked at before it is used, and pubsub() has the option",
}
"""Options of redis-py that users bring along, and why there is none."""

POOL_OPTIONS = frozenset(("max_idle_time", "max_lifetime", "min_idle"))
"""The options of a client that are meant for its pool, and not for the connection."""


def accepted_options(cls: type, above: type = object) -> frozenset[str]:
    """The names of all options that the constructors of a class and of its bases take, down to ``above``."""
    names: set[str] = set()
    for base in cls.__mro__[: cls.__mro__.index(above)]:
        code = getattr(vars(base).get("__init__"), "__code__", None)
        if code is not None:
            names.update(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])
    return frozenset(names)


def misspelt(name: str, known: Iterable[str]) -> str | None:
    """The known option that ``name`` looks like, None where it looks like none."""
    matches = get_close_matches(name, list(known), 1, 0.75)
    return matches[0] if matches else None


def refuse_unknown(names: Iterable[str], known: Iterable[str], where: str) -> None:
    """Raise TypeError for the first of ``names`` that is not ``known``."""
    known = frozenset(known)
    for name in names:
        if name not in known:
            meant = misspelt(name, known)
            hint = f"did you mean {meant!r}?" if meant else NEEDLESS.get(name)
            raise TypeError(f"{where} has no option {name!r}" + (f"; {hint}" if hint else ""))


def refuse_misspelt(names: Iterable[str], known: Iterable[str], where: str) -> None:
    """Raise TypeError for the first of ``names`` that is not ``known`` but looks like one that is."""
    known = frozenset(known)
    refuse_unknown([name for name in names if name not in known and misspelt(name, known)], known, where)


def renamed(options: dict[str, Any]) -> dict[str, Any]:
    """``options`` with those of old names under their new ones; each is a DeprecationWarning."""
    result = dict(options)
    for old, new in (("charset", "encoding"), ("errors", "encoding_errors")):
        value = result.pop(old, None)
        if value is not None:
            warnings.warn(f'"{old}" is deprecated. Use "{new}" instead', DeprecationWarning, stacklevel=3)
            result[new] = value
    return result
