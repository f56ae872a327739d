"""Sorted sets: a key and members that are ordered by their scores.

This module owns the commands of https://redis.io/commands/?group=sorted-set on members, on the ends of a set and on
several sets; those on ranges have a module of their own, ``sorted_set_ranges``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, overload

from redis.commands.args import (
    at_most_one,
    choice,
    counted_words,
    flag_words,
    list_or_args,
    option_words,
    scan_words,
)
from redis.commands.group import Group
from redis.commands.replies import float_or_none, parse_zscan, scored_members, zset_score_pairs
from redis.commands.scores import require_scores, zadd_words
from redis.commands.spec import command, counted_keys
from redis.exceptions import DataError
from redis.typing import EncodableT, KeysT, KeyT, PatternT, T

AGGREGATES = ("SUM", "MIN", "MAX", "COUNT")
"""How the scores of a member of several sets become one."""


def zadd_reply(response: Any) -> Any:
    """Return a number of members as an int, and the new score of INCR as a float; None stays None."""
    return response if isinstance(response, int) else float_or_none(response)


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
    return [name, scored_members(members)]


def as_scores(response: Any) -> list[float | None]:
    """Return the scores as floats; None stays None."""
    return [float_or_none(score) for score in response]


def stored_keys(args: Sequence[Any]) -> Sequence[Any]:
    """Return the keys of ZUNIONSTORE and its relatives: the one that takes the result, and those that are counted."""
    return [args[1], *counted_keys(2)(args)]


def end_words(min: bool, max: bool, count: int | None) -> list[Any]:
    """Return the words that ZMPOP and BZMPOP share: from which end, and how many."""
    at_most_one(min=min or None, max=max or None)
    if not (min or max):
        raise DataError("one of min and max must be true")
    return [*flag_words((b"MIN", min), (b"MAX", max)), *option_words((b"COUNT", count))]


def combined_words(keys: Any, aggregate: str | None) -> list[Any]:
    """Return the words of several sets, with their weights where they are a mapping, and how scores are combined."""
    names = list_or_args(keys, ())
    words = [len(names), *names]
    if isinstance(keys, Mapping):
        words += [b"WEIGHTS", *keys.values()]
    return words if aggregate is None else [*words, b"AGGREGATE", choice("aggregate", aggregate, *AGGREGATES)]


class SortedSetCommands(Group[T]):
    """The commands on the members of sorted sets."""

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
        """Take members as :meth:`zmpop` does, waiting for one; None where none came.

        At most ``timeout`` seconds, 0 is for ever.  Since 7.0.0, https://redis.io/commands/bzmpop/
        """
        words = [*counted_words("numkeys", numkeys, keys), *end_words(min, max, count)]
        return self.execute_command("BZMPOP", timeout or 0, *words)

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

    @overload
    def zadd(
        self,
        name: KeyT,
        mapping: Mapping[Any, Any],
        nx: bool = ...,
        xx: bool = ...,
        ch: bool = ...,
        incr: Literal[False] = ...,
        gt: bool = ...,
        lt: bool = ...,
    ) -> int: ...

    @overload
    def zadd(
        self,
        name: KeyT,
        mapping: Mapping[Any, Any],
        nx: bool = ...,
        xx: bool = ...,
        ch: bool = ...,
        *,
        incr: Literal[True],
        gt: bool = ...,
        lt: bool = ...,
    ) -> float | None: ...

    @overload
    def zadd(self, name: KeyT, *args: EncodableT, **kwargs: float) -> int: ...

    @command("ZADD", keys=1, write=True, reply=zadd_reply, since="1.2.0")
    def zadd(self, name: KeyT, *args: Any, **kwargs: Any) -> Any:
        """Set the scores of members: of a mapping ``{member: score}``, or given one after the other.

        ``zadd(name, mapping, nx=False, xx=False, ch=False, incr=False, gt=False, lt=False)`` returns how many members
        are new, with ``ch`` how many are new or have another score.  ``nx`` only adds, ``xx`` only changes, ``gt`` and
        ``lt`` change a score only to a greater or a smaller one.  With ``incr`` the one score is added to the present
        one, and the new one comes back as a float, None where the condition did not hold.

        ``zadd(name, score1, member1, score2, member2, ..., member3=score3)`` returns how many members are new; the
        score stands first here, and every keyword is a member.  DataError, which shows the order, where a score is no
        number.  Since 1.2.0, nx, xx, ch, incr 3.0.2, gt, lt 6.2.0, https://redis.io/commands/zadd/
        """
        return self.execute_command("ZADD", name, *zadd_words(args, kwargs, "zadd(name, score1, member1, ...)"))

    @command("ZCARD", keys=1, readonly=True, since="1.2.0")
    def zcard(self, name: KeyT) -> int:
        """Return the number of members; 0 where there is no such key.

        Since 1.2.0, https://redis.io/commands/zcard/
        """
        return self.execute_command("ZCARD", name)

    @overload
    def zdiff(self, keys: KeysT, withscores: Literal[False] = ...) -> list[T]: ...

    @overload
    def zdiff(self, keys: KeysT, withscores: Literal[True]) -> list[tuple[T, float]]: ...

    @command("ZDIFF", keys=counted_keys(1), readonly=True, reply=zset_score_pairs, since="6.2.0")
    def zdiff(self, keys: KeysT, withscores: bool = False) -> list[Any]:
        """Return the members of the first set of ``keys`` that none of the others has, by their scores.

        With ``withscores`` a list of tuples of member and score.  Since 6.2.0, https://redis.io/commands/zdiff/
        """
        words = [*combined_words(list_or_args(keys, ()), None), *flag_words((b"WITHSCORES", withscores))]
        return self.execute_command("ZDIFF", *words, withscores=withscores)

    @command("ZDIFFSTORE", keys=stored_keys, write=True, since="6.2.0")
    def zdiffstore(self, dest: KeyT, keys: KeysT) -> int:
        """Store under ``dest`` what :meth:`zdiff` would give, in place of what was there; return how many members.

        Since 6.2.0, https://redis.io/commands/zdiffstore/
        """
        return self.execute_command("ZDIFFSTORE", dest, *combined_words(list_or_args(keys, ()), None))

    @command("ZINCRBY", keys=1, write=True, reply=float_or_none, since="1.2.0")
    def zincrby(self, name: KeyT, value: EncodableT, amount: float = 1) -> float:
        """Add ``amount`` to the score of the member ``value``, 0 where there is none; return the new score.

        The member stands before the amount, other than in the command.  DataError, which shows the order, where the
        amount is no number.  Since 1.2.0, https://redis.io/commands/zincrby/
        """
        require_scores((amount,), "zincrby(name, value, amount)")
        return self.execute_command("ZINCRBY", name, amount, value)

    @overload
    def zinter(self, keys: Any, aggregate: str | None = ..., withscores: Literal[False] = ...) -> list[T]: ...

    @overload
    def zinter(self, keys: Any, aggregate: str | None = ..., *, withscores: Literal[True]) -> list[tuple[T, float]]: ...

    @command("ZINTER", keys=counted_keys(1), readonly=True, reply=zset_score_pairs, since="6.2.0")
    def zinter(self, keys: Any, aggregate: str | None = None, withscores: bool = False) -> list[Any]:
        """Return the members that all of the sets have, by their combined scores.

        ``keys`` is one name, several, or a mapping of names to weights by which the scores are multiplied.
        ``aggregate`` is ``"SUM"``, the default, ``"MIN"``, ``"MAX"``, or ``"COUNT"``: in how many sets a member is.
        With ``withscores`` a list of tuples of member and score.

        Since 6.2.0, COUNT 8.8.0, https://redis.io/commands/zinter/
        """
        words = [*combined_words(keys, aggregate), *flag_words((b"WITHSCORES", withscores))]
        return self.execute_command("ZINTER", *words, withscores=withscores)

    @command("ZINTERCARD", keys=counted_keys(1), readonly=True, since="7.0.0")
    def zintercard(self, numkeys: int, keys: KeysT, limit: int = 0) -> int:
        """Return how many members :meth:`zinter` would give; the counting ends at ``limit``, 0 is no limit.

        ``keys`` are ``numkeys`` names, DataError where there are more or fewer.

        Since 7.0.0, https://redis.io/commands/zintercard/
        """
        words = counted_words("numkeys", numkeys, keys)
        return self.execute_command("ZINTERCARD", *words, *option_words((b"LIMIT", limit or None)))

    @command("ZINTERSTORE", keys=stored_keys, write=True, since="2.0.0")
    def zinterstore(self, dest: KeyT, keys: Any, aggregate: str | None = None) -> int:
        """Store under ``dest`` what :meth:`zinter` would give, in place of what was there; return how many members.

        Since 2.0.0, https://redis.io/commands/zinterstore/
        """
        return self.execute_command("ZINTERSTORE", dest, *combined_words(keys, aggregate))

    @command("ZMPOP", keys=counted_keys(1), write=True, reply=popped_members, since="7.0.0")
    def zmpop(
        self, num_keys: int, keys: KeysT, min: bool = False, max: bool = False, count: int | None = 1
    ) -> list[Any] | None:
        """Take up to ``count`` members with the lowest (``min``) or highest (``max``) scores.

        Of the first of ``keys``, ``num_keys`` names, that has a member.  Return a list of the name and a list of tuples
        of member and score, None where all sets are empty.  DataError where there are more or fewer names, and where
        not exactly one of ``min`` and ``max`` is true.  Since 7.0.0, https://redis.io/commands/zmpop/
        """
        words = [*counted_words("num_keys", num_keys, keys), *end_words(min, max, count)]
        return self.execute_command("ZMPOP", *words)

    @command("ZMSCORE", keys=1, readonly=True, reply=as_scores, since="6.2.0")
    def zmscore(self, key: KeyT, members: KeysT) -> list[float | None]:
        """Return the scores of ``members``, one or several, in their order; None for each that there is not.

        Since 6.2.0, https://redis.io/commands/zmscore/
        """
        return self.execute_command("ZMSCORE", key, *list_or_args(members, ()))

    @command("ZPOPMAX", keys=1, write=True, reply=scored_members, since="5.0.0")
    def zpopmax(self, name: KeyT, count: int | None = None) -> list[tuple[T, float]]:
        """Take up to ``count`` members, one by default, with the highest scores, the highest first.

        Return a list of tuples of member and score, an empty one where there is no such key.

        Since 5.0.0, https://redis.io/commands/zpopmax/
        """
        return self.execute_command("ZPOPMAX", name, *([] if count is None else [count]))

    @command("ZPOPMIN", keys=1, write=True, reply=scored_members, since="5.0.0")
    def zpopmin(self, name: KeyT, count: int | None = None) -> list[tuple[T, float]]:
        """Take up to ``count`` members, one by default, with the lowest scores, the lowest first.

        Returns as :meth:`zpopmax` does.  Since 5.0.0, https://redis.io/commands/zpopmin/
        """
        return self.execute_command("ZPOPMIN", name, *([] if count is None else [count]))

    @overload
    def zrandmember(self, key: KeyT, count: None = ..., withscores: Literal[False] = ...) -> T | None: ...

    @overload
    def zrandmember(self, key: KeyT, count: int, withscores: Literal[False] = ...) -> list[T]: ...

    @overload
    def zrandmember(self, key: KeyT, count: int, withscores: Literal[True]) -> list[tuple[T, float]]: ...

    @command("ZRANDMEMBER", keys=1, readonly=True, reply=zset_score_pairs, since="6.2.0")
    def zrandmember(self, key: KeyT, count: int | None = None, withscores: bool = False) -> Any:
        """Return some member; None where there is no such key.

        With ``count`` a list of as many different members, at most; with a negative one exactly that many, perhaps the
        same ones again.  With ``withscores`` the list has tuples of member and score; DataError for that without
        ``count``.  Since 6.2.0, https://redis.io/commands/zrandmember/
        """
        if withscores and count is None:
            raise DataError("withscores needs count")
        words = [*([] if count is None else [count]), *flag_words((b"WITHSCORES", withscores))]
        return self.execute_command("ZRANDMEMBER", key, *words, withscores=withscores)

    @command("ZREM", keys=1, write=True, since="1.2.0")
    def zrem(self, name: KeyT, *values: EncodableT) -> int:
        """Remove the members; return how many of them there were.

        Since 1.2.0, https://redis.io/commands/zrem/
        """
        return self.execute_command("ZREM", name, *values)

    @command("ZSCAN", keys=1, readonly=True, reply=parse_zscan, since="2.8.0")
    def zscan(
        self,
        name: KeyT,
        cursor: int = 0,
        match: PatternT | None = None,
        count: int | None = None,
        score_cast_func: Callable[[Any], Any] = float,
    ) -> tuple[int, list[tuple[T, Any]]]:
        """Return the next cursor, 0 at the end, and a list of tuples of some members and their scores, perhaps empty.

        ``match`` is a pattern, ``count`` a hint how many members to look at, ``score_cast_func`` as in :meth:`zrange`.

        Since 2.8.0, https://redis.io/commands/zscan/
        """
        words = scan_words(match, count)
        return self.execute_command("ZSCAN", name, cursor, *words, score_cast_func=score_cast_func)

    def zscan_iter(
        self,
        name: KeyT,
        match: PatternT | None = None,
        count: int | None = None,
        score_cast_func: Callable[[Any], Any] = float,
    ) -> Iterator[tuple[T, Any]]:
        """Yield tuples of member and score, by :meth:`zscan` and its options.

        A member that is there from the first to the last step is yielded at least once, perhaps more than once; of one
        that comes or goes meanwhile nothing is promised.
        """
        cursor = 0
        while True:
            cursor, members = self.zscan(name, cursor, match, count, score_cast_func)
            yield from members
            if not cursor:
                return

    @command("ZSCORE", keys=1, readonly=True, reply=float_or_none, since="1.2.0")
    def zscore(self, name: KeyT, value: EncodableT) -> float | None:
        """Return the score of the member ``value``; None where there is none.

        Since 1.2.0, https://redis.io/commands/zscore/
        """
        return self.execute_command("ZSCORE", name, value)

    @overload
    def zunion(
        self,
        keys: Any,
        aggregate: str | None = ...,
        withscores: Literal[False] = ...,
        score_cast_func: Callable[[Any], Any] = ...,
    ) -> list[T]: ...

    @overload
    def zunion(
        self,
        keys: Any,
        aggregate: str | None = ...,
        *,
        withscores: Literal[True],
        score_cast_func: Callable[[Any], Any] = ...,
    ) -> list[tuple[T, Any]]: ...

    @command("ZUNION", keys=counted_keys(1), readonly=True, reply=zset_score_pairs, since="6.2.0")
    def zunion(
        self,
        keys: Any,
        aggregate: str | None = None,
        withscores: bool = False,
        score_cast_func: Callable[[Any], Any] = float,
    ) -> list[Any]:
        """Return the members that at least one of the sets has, by their combined scores.

        ``keys``, ``aggregate`` and ``withscores`` are as in :meth:`zinter`, ``score_cast_func`` as in :meth:`zrange`.

        Since 6.2.0, COUNT 8.8.0, https://redis.io/commands/zunion/
        """
        words = [*combined_words(keys, aggregate), *flag_words((b"WITHSCORES", withscores))]
        return self.execute_command("ZUNION", *words, withscores=withscores, score_cast_func=score_cast_func)

    @command("ZUNIONSTORE", keys=stored_keys, write=True, since="2.0.0")
    def zunionstore(self, dest: KeyT, keys: Any, aggregate: str | None = None) -> int:
        """Store under ``dest`` what :meth:`zunion` would give, in place of what was there; return how many members.

        Since 2.0.0, https://redis.io/commands/zunionstore/
        """
        return self.execute_command("ZUNIONSTORE", dest, *combined_words(keys, aggregate))
