"""Ranges of sorted sets: by rank, by score and by the order of the names, forwards and backwards.

This module owns the commands of https://redis.io/commands/?group=sorted-set that begin and end somewhere.  A bound of
scores is a number, ``"(5"`` for one that is left out itself, ``"-inf"`` or ``"+inf"``; a bound of names is ``"[a"``,
``"(a"``, ``"-"`` or ``"+"``; ranks count from 0, and negative ones from the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redis.commands.args import at_most_one, flag_words
from redis.commands.group import Group
from redis.commands.replies import zset_score_pairs
from redis.commands.spec import command
from redis.exceptions import DataError
from redis.typing import EncodableT, KeyT, T

ScoreCast = Callable[[Any], Any]
Bound = float | str | bytes


def rank_reply(response: Any, score_cast_func: ScoreCast = float, **options: Any) -> Any:
    """Return the rank, or a list of the rank and the score where it was asked for; None stays None."""
    if not isinstance(response, list):
        return response
    rank, score = response
    return [rank, score_cast_func(float(score))]


def limit_words(first: str, start: int | None, num: int | None) -> list[Any]:
    """Return the words of a part of a range: ``num`` members after the first ``start``, an option called ``first``."""
    if (start is None) != (num is None):
        raise DataError(f"{first} and num must be given together")
    return [] if start is None else [b"LIMIT", start, num]


def range_words(byscore: bool, bylex: bool, desc: bool, offset: int | None, num: int | None) -> list[Any]:
    """Return the words that ZRANGE and ZRANGESTORE share."""
    at_most_one(byscore=byscore or None, bylex=bylex or None)
    limit = limit_words("offset", offset, num)
    if limit and not (byscore or bylex):
        raise DataError("offset and num need byscore or bylex")
    return [*flag_words((b"BYSCORE", byscore), (b"BYLEX", bylex), (b"REV", desc)), *limit]


class SortedSetRangeCommands(Group[T]):
    """The commands on ranges of sorted sets, and on the places of members in them."""

    __slots__ = ()

    @command("ZCOUNT", keys=1, readonly=True, since="2.0.0")
    def zcount(self, name: KeyT, min: Bound, max: Bound) -> int:
        """Return how many members have a score from ``min`` to ``max``, both included.

        Since 2.0.0, https://redis.io/commands/zcount/
        """
        return self.execute_command("ZCOUNT", name, min, max)

    @command("ZLEXCOUNT", keys=1, readonly=True, since="2.8.9")
    def zlexcount(self, name: KeyT, min: Bound, max: Bound) -> int:
        """Return how many members stand between two names; all scores must be the same.

        Since 2.8.9, https://redis.io/commands/zlexcount/
        """
        return self.execute_command("ZLEXCOUNT", name, min, max)

    @command("ZRANGE", keys=1, readonly=True, reply=zset_score_pairs, since="1.2.0")
    def zrange(
        self,
        name: KeyT,
        start: Bound,
        end: Bound,
        desc: bool = False,
        withscores: bool = False,
        score_cast_func: ScoreCast = float,
        byscore: bool = False,
        bylex: bool = False,
        offset: int | None = None,
        num: int | None = None,
    ) -> list[Any]:
        """Return the members from ``start`` to ``end``, both included: ranks, or bounds of scores or names.

        ``byscore`` and ``bylex`` say what the bounds are, and ``num`` members after the first ``offset`` can be asked
        for then.  ``desc`` is for the highest first, with the greater bound as ``start`` where the bounds are no ranks.
        With ``withscores`` a list of tuples of member and score; ``score_cast_func`` makes the score of a text, bytes
        or str as the member is, in place of float.

        Since 1.2.0, byscore, bylex, offset, num 6.2.0, https://redis.io/commands/zrange/
        """
        if desc and not (byscore or bylex) and offset is None and num is None:
            return self.zrevrange(name, start, end, withscores, score_cast_func)
        if bylex and withscores:
            raise DataError("bylex and withscores exclude each other")
        words = [*range_words(byscore, bylex, desc, offset, num), *flag_words((b"WITHSCORES", withscores))]
        options = {"withscores": withscores, "score_cast_func": score_cast_func}
        return self.execute_command("ZRANGE", name, start, end, *words, **options)

    @command("ZRANGEBYLEX", keys=1, readonly=True, since="2.8.9")
    def zrangebylex(
        self, name: KeyT, min: Bound, max: Bound, start: int | None = None, num: int | None = None
    ) -> list[T]:
        """Return the members between two names, ``num`` after the first ``start``; all scores must be the same.

        Since 2.8.9, https://redis.io/commands/zrangebylex/
        """
        return self.execute_command("ZRANGEBYLEX", name, min, max, *limit_words("start", start, num))

    @command("ZRANGEBYSCORE", keys=1, readonly=True, reply=zset_score_pairs, since="1.0.5")
    def zrangebyscore(
        self,
        name: KeyT,
        min: Bound,
        max: Bound,
        start: int | None = None,
        num: int | None = None,
        withscores: bool = False,
        score_cast_func: ScoreCast = float,
    ) -> list[Any]:
        """Return the members with a score from ``min`` to ``max``, both included, ``num`` after the first ``start``.

        ``withscores`` and ``score_cast_func`` are as in :meth:`zrange`.

        Since 1.0.5, https://redis.io/commands/zrangebyscore/
        """
        words = [*flag_words((b"WITHSCORES", withscores)), *limit_words("start", start, num)]
        options = {"withscores": withscores, "score_cast_func": score_cast_func}
        return self.execute_command("ZRANGEBYSCORE", name, min, max, *words, **options)

    @command("ZRANGESTORE", keys=slice(1, 3), write=True, since="6.2.0")
    def zrangestore(
        self,
        dest: KeyT,
        name: KeyT,
        start: Bound,
        end: Bound,
        byscore: bool = False,
        bylex: bool = False,
        desc: bool = False,
        offset: int | None = None,
        num: int | None = None,
    ) -> int:
        """Store under ``dest`` what :meth:`zrange` would give of ``name``; return how many members.

        Since 6.2.0, https://redis.io/commands/zrangestore/
        """
        words = range_words(byscore, bylex, desc, offset, num)
        return self.execute_command("ZRANGESTORE", dest, name, start, end, *words)

    @command("ZRANK", keys=1, readonly=True, reply=rank_reply, since="2.0.0")
    def zrank(
        self, name: KeyT, value: EncodableT, withscore: bool = False, score_cast_func: ScoreCast = float
    ) -> int | list[Any] | None:
        """Return the rank of the member ``value``, 0 for the lowest score; None where there is no such member.

        With ``withscore`` a list of the rank and the score, of which ``score_cast_func`` makes something else than a
        float.  Since 2.0.0, withscore 7.2.0, https://redis.io/commands/zrank/
        """
        words = flag_words((b"WITHSCORE", withscore))
        return self.execute_command("ZRANK", name, value, *words, score_cast_func=score_cast_func)

    @command("ZREMRANGEBYLEX", keys=1, write=True, since="2.8.9")
    def zremrangebylex(self, name: KeyT, min: Bound, max: Bound) -> int:
        """Remove the members between two names; return how many.  All scores must be the same.

        Since 2.8.9, https://redis.io/commands/zremrangebylex/
        """
        return self.execute_command("ZREMRANGEBYLEX", name, min, max)

    @command("ZREMRANGEBYRANK", keys=1, write=True, since="2.0.0")
    def zremrangebyrank(self, name: KeyT, min: int, max: int) -> int:
        """Remove the members from rank ``min`` to ``max``, both included and negative from the end; return how many.

        Since 2.0.0, https://redis.io/commands/zremrangebyrank/
        """
        return self.execute_command("ZREMRANGEBYRANK", name, min, max)

    @command("ZREMRANGEBYSCORE", keys=1, write=True, since="1.2.0")
    def zremrangebyscore(self, name: KeyT, min: Bound, max: Bound) -> int:
        """Remove the members with a score from ``min`` to ``max``, both included; return how many.

        Since 1.2.0, https://redis.io/commands/zremrangebyscore/
        """
        return self.execute_command("ZREMRANGEBYSCORE", name, min, max)

    @command("ZREVRANGE", keys=1, readonly=True, reply=zset_score_pairs, since="1.2.0")
    def zrevrange(
        self,
        name: KeyT,
        start: Bound,
        end: Bound,
        withscores: bool = False,
        score_cast_func: ScoreCast = float,
    ) -> list[Any]:
        """Return the members from rank ``start`` to ``end``, both included, counted from the highest score down.

        ``withscores`` and ``score_cast_func`` are as in :meth:`zrange`.

        Since 1.2.0, https://redis.io/commands/zrevrange/
        """
        words = flag_words((b"WITHSCORES", withscores))
        options = {"withscores": withscores, "score_cast_func": score_cast_func}
        return self.execute_command("ZREVRANGE", name, start, end, *words, **options)

    @command("ZREVRANGEBYLEX", keys=1, readonly=True, since="2.8.9")
    def zrevrangebylex(
        self, name: KeyT, max: Bound, min: Bound, start: int | None = None, num: int | None = None
    ) -> list[T]:
        """Return what :meth:`zrangebylex` does, from the last name to the first; the greater bound stands first.

        Since 2.8.9, https://redis.io/commands/zrevrangebylex/
        """
        return self.execute_command("ZREVRANGEBYLEX", name, max, min, *limit_words("start", start, num))

    @command("ZREVRANGEBYSCORE", keys=1, readonly=True, reply=zset_score_pairs, since="2.2.0")
    def zrevrangebyscore(
        self,
        name: KeyT,
        max: Bound,
        min: Bound,
        start: int | None = None,
        num: int | None = None,
        withscores: bool = False,
        score_cast_func: ScoreCast = float,
    ) -> list[Any]:
        """Return what :meth:`zrangebyscore` does, the highest score first; the greater bound stands first.

        Since 2.2.0, https://redis.io/commands/zrevrangebyscore/
        """
        words = [*flag_words((b"WITHSCORES", withscores)), *limit_words("start", start, num)]
        options = {"withscores": withscores, "score_cast_func": score_cast_func}
        return self.execute_command("ZREVRANGEBYSCORE", name, max, min, *words, **options)

    @command("ZREVRANK", keys=1, readonly=True, reply=rank_reply, since="2.0.0")
    def zrevrank(
        self, name: KeyT, value: EncodableT, withscore: bool = False, score_cast_func: ScoreCast = float
    ) -> int | list[Any] | None:
        """Return the rank of the member ``value``, 0 for the highest score, and its score as :meth:`zrank` does.

        Since 2.0.0, withscore 7.2.0, https://redis.io/commands/zrevrank/
        """
        words = flag_words((b"WITHSCORE", withscore))
        return self.execute_command("ZREVRANK", name, value, *words, score_cast_func=score_cast_func)
