"""How the arguments of the commands on streams become words, and what the words tell of keys and time.

The commands that wait have their time-out among their options; every name that a user chose may be spelt as an option
is, so the options are read in their order.  This module sends nothing and reads no reply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from redis.commands.args import choice
from redis.commands.spec import options_in
from redis.exceptions import DataError

VALUES = {"GROUP": 2, "NOACK": 0}
"""How many values follow an option of XREAD and XREADGROUP; one where it is not told."""


def place_of(args: Sequence[Any], option: str) -> int:
    """Return where ``option`` stands before the names of the streams; ValueError where it does not."""
    for place, name in options_in(args, 1, VALUES, otherwise=1):
        if name == option:
            return place
        if name == "STREAMS":
            break
    raise ValueError(f"there is no {option}")


def block_place(args: Sequence[Any]) -> int:
    """Return where the time-out stands; ValueError where the call does not block."""
    return place_of(args, "BLOCK") + 1


def read_streams(args: Sequence[Any]) -> Sequence[Any]:
    """Return the names of the streams: the first half of what follows STREAMS."""
    names_and_ids = args[place_of(args, "STREAMS") + 1 :]
    return names_and_ids[: len(names_and_ids) // 2]


def streams_words(streams: Mapping[Any, Any]) -> list[Any]:
    """Return the words of the streams that are read, and of the ID in each after which reading begins."""
    if not isinstance(streams, Mapping) or not streams:
        raise DataError("streams is a mapping of at least one name and ID")
    return [b"STREAMS", *streams, *streams.values()]


def ids_words(ids: Sequence[Any]) -> list[Any]:
    """Return the words of a list of IDs, in which there must be at least one."""
    if not ids:
        raise DataError("at least one ID must be given")
    return [b"IDS", len(ids), *ids]


def reference_words(ref_policy: str | None) -> list[Any]:
    """Return the word that tells what becomes of that which groups of consumers know of an entry."""
    return [] if ref_policy is None else [choice("ref_policy", ref_policy, "KEEPREF", "DELREF", "ACKED")]
