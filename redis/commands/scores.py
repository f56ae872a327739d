"""How a caller gives members and their scores: as a mapping with options, or one after the other in either order.

Both classes of client take them, each in its own order.  This module knows the forms of ZADD, sends nothing and reads
no reply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from redis.commands.args import condition_words, flag_words
from redis.exceptions import DataError

OPTIONS = ("nx", "xx", "ch", "incr", "gt", "lt")
"""What may follow a mapping, in this order or by name."""


def require_scores(scores: Iterable[Any], order: str) -> None:
    """Raise a DataError that shows ``order`` where one of the scores, which are to be numbers, is none."""
    for score in scores:
        try:
            float(score)
        except (ValueError, TypeError):
            raise DataError(f"a score is to be a number, not {type(score).__name__}; the order is {order}") from None


def zadd_words(args: tuple[Any, ...], kwargs: dict[str, Any], order: str, member_first: bool = False) -> list[Any]:
    """Return the words of ZADD after the name; ``order`` is shown where the arguments cannot be meant so.

    Where there is no mapping every keyword is a member, whatever its name.
    """
    if not args and isinstance(kwargs.get("mapping"), Mapping):
        args = (kwargs.pop("mapping"),)
    if args and isinstance(args[0], Mapping):
        return mapping_words(args[0], **options_of(args[1:], kwargs))
    return listed_words(args, kwargs, order, member_first)


def listed_words(args: tuple[Any, ...], kwargs: dict[str, Any], order: str, member_first: bool) -> list[Any]:
    """Return scores and members, the score first, that were given one after the other and as keywords."""
    if len(args) % 2 or not (args or kwargs):
        raise DataError(f"each member needs a score, and there must be one at least; the order is {order}")
    scores, members = [*args[member_first::2], *kwargs.values()], [*args[not member_first :: 2], *kwargs]
    require_scores(scores, order)
    return [word for pair in zip(scores, members) for word in pair]


def options_of(args: Iterable[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that follow a mapping; DataError for anything else."""
    given = list(args)
    if len(given) > len(OPTIONS) or not kwargs.keys() <= set(OPTIONS[len(given) :]):
        raise DataError(f"a mapping is followed by nothing but {', '.join(OPTIONS)}, each of them once")
    return {**dict(zip(OPTIONS, given)), **kwargs}


def mapping_words(
    mapping: Mapping[Any, Any],
    nx: bool = False,
    xx: bool = False,
    ch: bool = False,
    incr: bool = False,
    gt: bool = False,
    lt: bool = False,
) -> list[Any]:
    """Return the words of ZADD for a mapping of members to scores."""
    if not mapping:
        raise DataError("the mapping must have at least one member and score")
    if incr and len(mapping) != 1:
        raise DataError("incr needs a mapping of exactly one member and score")
    pairs = [word for member, score in mapping.items() for word in (score, member)]
    return [*condition_words(nx, xx, gt, lt), *flag_words((b"CH", ch), (b"INCR", incr)), *pairs]
