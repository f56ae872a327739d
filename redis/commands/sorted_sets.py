"""Sorted sets: a key and members that are ordered by their scores.

This module owns the commands of https://redis.io/commands/?group=sorted-set.
"""

from __future__ import annotations

from typing import Any

from redis.commands.args import at_most_one, flag_words, list_or_args, option_words
from redis.commands.group import Group
from redis.commands.replies import list_of_pairs
from redis.commands.spec import command, counted_keys
from redis.exceptions import DataError
from redis.typing import KeysT, T


def popped_member(response: Any) -> tuple[Any, Any, float] | None:
    """Return the name, the member and its score as a float; None stays None."""
    if not response:
        return None
    name, member, score = response
    return name, member, float(score)


def popped_members(response: Any) -> list[Any] | None:
    """Return the name and the list of members with their scores as floats; None stays None."""
    if not response:
        return None
    name, members = response
    return [name, [(member, float(score)) for member, score in list_of_pairs(members) or ()]]


class SortedSetCommands(Group[T]):
    """The commands on sorted sets."""

    __slots__ = ()

    @command("BZMPOP", keys=counted_keys(2), write=True, blocking=(1, "s"), reply=popped_members, since="7.0.0")
    def bzmpop(
        self,
        timeout: float,
        numkeys: int,
        keys: KeysT,
        min: bool = False,
        max: bool = False,
        count: int | None = 1,
    ) -> list[Any] | None:
        """Take up to ``count`` members with the lowest (``min``) or highest (``max``) scores, waiting for one.

        Of the first of ``keys``, ``numkeys`` names, that has a member.  Return a list of the name and a list of tuples
        of member and score, or None where none came within ``timeout`` seconds; 0 is for ever.  DataError where there
        are more or fewer names, and where not exactly one of ``min`` and ``max`` is true.

        Since 7.0.0, https://redis.io/commands/bzmpop/
        """
        names = list_or_args(keys, ())
        if numkeys != len(names):
            raise DataError(f"numkeys is {numkeys}, but there are {len(names)} keys")
        at_most_one(min=min or None, max=max or None)
        end = flag_words((b"MIN", min), (b"MAX", max))
        if not end:
            raise DataError("one of min and max must be true")
        return self.execute_command("BZMPOP", timeout or 0, numkeys, *names, *end, *option_words((b"COUNT", count)))

    @command("BZPOPMAX", keys=slice(1, -1), write=True, blocking=(-1, "s"), reply=popped_member, since="5.0.0")
    def bzpopmax(self, keys: KeysT, timeout: float | None = 0) -> tuple[T, T, float] | None:
        """Take the member with the highest score of the first of ``keys`` that has one, waiting for it.

        Returns as :meth:`bzpopmin` does.  Since 5.0.0, https://redis.io/commands/bzpopmax/
        """
        return self.execute_command("BZPOPMAX", *list_or_args(keys, (timeout or 0,)))

    @command("BZPOPMIN", keys=slice(1, -1), write=True, blocking=(-1, "s"), reply=popped_member, since="5.0.0")
    def bzpopmin(self, keys: KeysT, timeout: float | None = 0) -> tuple[T, T, float] | None:
        """Take the member with the lowest score of the first of ``keys`` that has one, waiting for it.

        ``keys`` is one name or several.  Return a tuple of the name, the member and its score, or None where none came
        within ``timeout`` seconds; 0 and None are for ever.  Since 5.0.0, https://redis.io/commands/bzpopmin/
        """
        return self.execute_command("BZPOPMIN", *list_or_args(keys, (timeout or 0,)))
