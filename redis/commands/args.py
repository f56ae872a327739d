"""How the arguments of a method become the words of a command: the helpers that two or more groups share.

This module knows units, exclusions and the shapes that users pass (one name or several, a number or a timedelta).  It
knows no command by name, sends nothing and reads no reply.  What cannot be meant is a DataError that names the
arguments, raised before anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.exceptions import DataError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)


def list_or_args(keys: Any, args: Iterable[Any] | None) -> list[Any]:
    """Return one new list of ``keys``, which is one name or an iterable of names, and ``args``."""
    return [*([keys] if is_one(keys) else keys), *(args or ())]


def is_one(value: Any) -> bool:
    """Whether ``value`` is a single value and not an iterable of values: texts and buffers are single."""
    return isinstance(value, (str, bytes, bytearray, memoryview)) or not isinstance(value, Iterable)


def flatten(mapping: Mapping[Any, Any]) -> list[Any]:
    """Return the keys of ``mapping``, each followed by its value."""
    return [word for pair in mapping.items() for word in pair]


def at_most_one(**options: Any) -> None:
    """Raise a DataError that names them where more than one of ``options`` is given, that is, not None."""
    if [*options.values()].count(None) < len(options) - 1:
        given = [name for name, value in options.items() if value is not None]
        raise DataError(f"{' and '.join(given)} exclude each other")


def whole_seconds(time: Any) -> Any:
    """Return a timedelta as whole seconds, rounded down; anything else as it is."""
    return time // SECOND if isinstance(time, timedelta) else time


def whole_milliseconds(time: Any) -> Any:
    """Return a timedelta as whole milliseconds, rounded down; anything else as it is."""
    return time // MILLISECOND if isinstance(time, timedelta) else time


def unix_seconds(when: Any) -> Any:
    """Return a datetime as a Unix time in seconds; a naive one is local time, anything else is returned as it is."""
    return (when.astimezone(UTC) - EPOCH) // SECOND if isinstance(when, datetime) else when


def unix_milliseconds(when: Any) -> Any:
    """Return a datetime as a Unix time in milliseconds; a naive one is local time, anything else stays as it is."""
    return (when.astimezone(UTC) - EPOCH) // MILLISECOND if isinstance(when, datetime) else when


def expiry_words(
    ex: Any = None,
    px: Any = None,
    exat: Any = None,
    pxat: Any = None,
    *,
    keepttl: bool = False,
    persist: bool = False,
) -> list[Any]:
    """Return the words that say when a value expires, none where nothing is given; the options exclude each other."""
    at_most_one(ex=ex, px=px, exat=exat, pxat=pxat, keepttl=keepttl or None, persist=persist or None)
    if ex is not None:
        return [b"EX", whole_seconds(ex)]
    if px is not None:
        return [b"PX", whole_milliseconds(px)]
    if exat is not None:
        return [b"EXAT", unix_seconds(exat)]
    if pxat is not None:
        return [b"PXAT", unix_milliseconds(pxat)]
    return flag_words((b"KEEPTTL", keepttl), (b"PERSIST", persist))


def condition_words(nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False) -> list[Any]:
    """Return the words of the conditions; ``nx`` excludes the others, ``gt`` and ``lt`` each other."""
    if not (nx or xx or gt or lt):
        return []
    for excluded, other in (("xx", xx), ("gt", gt), ("lt", lt)):
        at_most_one(**{"nx": nx or None, excluded: other or None})
    at_most_one(gt=gt or None, lt=lt or None)
    return flag_words((b"NX", nx), (b"XX", xx), (b"GT", gt), (b"LT", lt))


def flag_words(*flags: tuple[bytes, Any]) -> list[Any]:
    """Return the words whose flag is true."""
    return [word for word, wanted in flags if wanted]


def option_words(*options: tuple[bytes, Any]) -> list[Any]:
    """Return the words whose value is not None, each followed by its value."""
    return [part for option in options if option[1] is not None for part in option]


def choice(argument: str, value: Any, *allowed: str) -> Any:
    """Return ``value``, a text or an enum member of such a text, in capitals; DataError where it is not ``allowed``."""
    text = getattr(value, "value", value)
    name = text.decode("latin-1").upper() if isinstance(text, bytes) else str(text).upper()
    if name not in allowed:
        raise DataError(f"{argument} is {' or '.join(allowed)}, not {value!r}")
    return name.encode()


def scan_words(match: Any = None, count: Any = None, _type: Any = None) -> list[Any]:
    """Return the words of the options that SCAN and its relatives share."""
    return option_words((b"MATCH", match), (b"COUNT", count), (b"TYPE", _type))


def counted_words(argument: str, count: int, keys: Any) -> list[Any]:
    """Return ``count`` and the names of ``keys``, one or several; DataError where there are more or fewer of them."""
    names = list_or_args(keys, ())
    if count != len(names):
        raise DataError(f"{argument} is {count}, but there are {len(names)} keys")
    return [count, *names]
