"""What replies become: the functions that shape a reply of RESP2 or of RESP3 into one and the same value.

Each is called as ``function(response, **options)``, with the options that the method gave to ``execute_command``.  They
know shapes, not commands, and never touch a connection.  Several are part of the public interface of old and are
reached as ``redis.client.pairs_to_dict`` and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import chain
from typing import Any


def native_str(value: Any) -> Any:
    """Return bytes as text, with a mark where they are no UTF-8; anything else as it is."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def bool_ok(response: Any) -> bool:
    """Return whether the reply is OK."""
    return response == b"OK" if response.__class__ is bytes else bool(response == "OK")


def int_or_none(response: Any) -> int | None:
    """Return the reply as an int; None stays None."""
    return None if response is None else int(response)


def float_or_none(response: Any) -> float | None:
    """Return the reply as a float; None stays None."""
    return None if response is None else float(response)


def tuple_or_none(response: Any) -> tuple[Any, ...] | None:
    """Return the reply as a tuple; None, or an empty reply, is None."""
    return tuple(response) if response else None


def timestamp_to_datetime(response: Any) -> datetime | None:
    """Return a Unix time in seconds as a naive datetime of local time; None where there is none."""
    try:
        return datetime.fromtimestamp(int(response)) if response else None
    except ValueError:
        return None


def pairs_of(response: Any) -> Iterable[tuple[Any, Any]]:
    """Return the pairs of a map, of a flat list or of a list of pairs.

    A flat list is the form of RESP2; RESP3 has the others.
    """
    if isinstance(response, Mapping):
        return response.items()
    if response and isinstance(response[0], (list, tuple)):
        return map(tuple, response)
    items = iter(response or ())
    return zip(items, items)


def list_of_pairs(response: Any) -> list[tuple[Any, Any]] | None:
    """Return the reply as a list of tuples of two; None stays None."""
    return None if response is None else list(pairs_of(response))


def pairs_to_dict(response: Any) -> dict[Any, Any]:
    """Return a flat list of names and values, or a map, as a dict."""
    if response.__class__ is dict:
        return response
    items = iter(response or ())
    return dict(zip(items, items))


def pairs_to_dict_typed(response: Any, type_info: Mapping[Any, Callable[[Any], Any]]) -> dict[Any, Any]:
    """Return the pairs as a dict whose values went through ``type_info[name]``, where it has one and it succeeds."""
    return {name: _converted(value, type_info.get(name)) for name, value in pairs_of(response)}


def _converted(value: Any, convert: Callable[[Any], Any] | None) -> Any:
    try:
        return value if convert is None else convert(value)
    except (ValueError, TypeError, ArithmeticError, LookupError):
        return value


def dict_merge(*dicts: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return one dict of all; the later ones win."""
    return dict(chain.from_iterable(each.items() for each in dicts))


def string_keys_to_dict(key_string: str, callback: Any) -> dict[str, Any]:
    """Return a dict that gives ``callback`` for each word of ``key_string``."""
    return dict.fromkeys(key_string.split(), callback)


def sort_return_tuples(response: Any, **options: Any) -> Any:
    """Return the values of a SORT in tuples of ``options["groups"]``; as they came where that is not given."""
    groups = options.get("groups")
    if not response or not groups:
        return response
    return list(zip(*(response[start::groups] for start in range(groups))))


def zset_score_pairs(response: Any, **options: Any) -> Any:
    """Return members and scores as tuples, where ``options`` ask for scores ("withscores"); else the members.

    ``score_cast_func`` makes a score of the text that RESP2 sends: float by default.
    """
    if not response or not options.get("withscores"):
        return response
    cast = options.get("score_cast_func", float)
    if cast is float:
        return [(member, float(score)) for member, score in pairs_of(response)]
    return [(member, cast(_score_text(score, member))) for member, score in pairs_of(response)]


def _score_text(score: Any, member: Any) -> Any:
    """Return a score as RESP2 sends it, which is bytes or str as ``member`` is; RESP3 sends floats."""
    if not isinstance(score, float):
        return score
    text = repr(score).removesuffix(".0")
    return text if isinstance(member, str) else text.encode()


def scored_members(response: Any) -> list[tuple[Any, float]]:
    """Return members and scores as a list of tuples, the scores as floats."""
    return [(member, float(score)) for member, score in pairs_of(response)]


def parse_zscan(response: Any, **options: Any) -> tuple[int, list[tuple[Any, Any]]]:
    """Return the next cursor and a list of tuples of member and score; ``score_cast_func`` is float by default."""
    cursor, members = response
    return int(cursor), zset_score_pairs(members or [], **{**options, "withscores": True})


def parse_geosearch(response: Any, **options: Any) -> Any:
    """Return the places: their names, or where ``options`` ask for more, lists that begin with the name.

    The distance as a float ("withdist"), the hash as an int ("withhash"), the position as a tuple ("withcoord").
    """
    shapes: dict[str, Callable[[Any], Any]] = {"withdist": float, "withhash": int, "withcoord": _position}
    wanted = [shape for option, shape in shapes.items() if options.get(option)]
    if not wanted or isinstance(response, int):
        return response
    return [[name, *(shape(fact) for shape, fact in zip(wanted, facts))] for name, *facts in response]


def _position(degrees: Any) -> tuple[float, float]:
    longitude, latitude = degrees
    return float(longitude), float(latitude)


def parse_georadius_generic(response: Any, **options: Any) -> Any:
    """Return the places as :func:`parse_geosearch` does, their names as native str; a number of places as it is."""
    if isinstance(response, int):
        return response
    places = parse_geosearch(response, **options)
    return [[native_str(place[0]), *place[1:]] if isinstance(place, list) else native_str(place) for place in places]


def parse_scan(response: Any, **options: Any) -> tuple[int, list[Any]]:
    """Return the next cursor and the elements."""
    cursor, elements = response
    return int(cursor), elements


def parse_hscan(response: Any, **options: Any) -> tuple[int, Any]:
    """Return the next cursor and a dict of the fields, or with ``no_values`` their list."""
    cursor, fields = response
    return int(cursor), (fields or []) if options.get("no_values") else pairs_to_dict(fields)


def parse_object(response: Any, infotype: str = "") -> Any:
    """Return what OBJECT says: an int for the idle time and the count of references; None stays None."""
    return int_or_none(response) if infotype.lower() in ("idletime", "refcount") else response


def parse_config_get(response: Any, **options: Any) -> dict[Any, Any]:
    """Return the parameters as a dict of native str."""
    return {native_str(name): native_str(value) for name, value in pairs_of(response)}


def parse_info(response: Any) -> dict[str, Any]:
    """Return the report of INFO as a dict: numbers where they are numbers, a dict where a line lists ``name=value``.

    A line without a colon is kept in the list under ``"__raw__"``.
    """
    info: dict[str, Any] = {}
    for line in native_str(response).splitlines():
        if not line or line.startswith("#"):
            continue
        name, colon, value = line.partition(":")
        if colon:
            info[name] = _info_value(value)
        else:
            info.setdefault("__raw__", []).append(line)
    return info


def _info_value(text: str) -> Any:
    items = text.split(",")
    if len(items) > 1 and all("=" in item for item in items):
        pairs = (item.rsplit("=", 1) for item in items)
        return {name: _number(value) for name, value in pairs}
    return _number(text)


def _number(text: str) -> Any:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text
