"""Streams: a key and a log of entries, which consumers read one after the other or in groups.

This module owns the commands of https://redis.io/commands/?group=stream.  The two that wait have their time-out among
their options; every name that a user chose may be spelt as an option is, so the options are read in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.commands.group import Group
from redis.commands.spec import declare, options_in
from redis.typing import T

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


declare("XREAD", keys=read_streams, readonly=True, blocking=(block_place, "ms"), since="5.0.0")
declare("XREADGROUP", keys=read_streams, write=True, blocking=(block_place, "ms"), since="5.0.0")


class StreamCommands(Group[T]):
    """The commands on streams."""

    __slots__ = ()
