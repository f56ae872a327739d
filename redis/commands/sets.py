"""Sets: a key and members in no order, each of them once.

This module owns the commands of https://redis.io/commands/?group=set.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, overload

from redis.commands.args import counted_words, flag_words, list_or_args, option_words, scan_words
from redis.commands.group import Group
from redis.commands.replies import parse_scan
from redis.commands.spec import command, counted_keys
from redis.typing import EncodableT, KeysT, KeyT, PatternT, T


def as_set(response: Any) -> set[Any]:
    """Return the members as a set; nothing is an empty one."""
    return set(response or ())


def as_bools(response: Any) -> list[bool]:
    """Return a list of 0 and 1 as False and True."""
    return [bool(flag) for flag in response]


class SetCommands(Group[T]):
    """The commands on sets."""

    __slots__ = ()

    @command("SADD", keys=1, write=True)
    def sadd(self, name: KeyT, *values: EncodableT) -> int:
        """Add the members to the set; return how many of them are new.

        Since 1.0.0, https://redis.io/commands/sadd/
        """
        return self.execute_command("SADD", name, *values)

    @command("SCARD", keys=1, readonly=True)
    def scard(self, name: KeyT) -> int:
        """Return the number of members; 0 where there is no such set.

        Since 1.0.0, https://redis.io/commands/scard/
        """
        return self.execute_command("SCARD", name)

    @command("SDIFF", keys=slice(1, None), readonly=True, reply=as_set)
    def sdiff(self, keys: KeysT, *args: KeyT) -> set[T]:
        """Return the members of the first set of ``keys`` that none of the others has, as a set.

        ``keys`` is one name or several.  Since 1.0.0, https://redis.io/commands/sdiff/
        """
        return self.execute_command("SDIFF", *list_or_args(keys, args))

    @command("SDIFFCARD", keys=counted_keys(1), readonly=True, since="8.10.0")
    def sdiffcard(self, numkeys: int, keys: KeysT, limit: int = 0) -> int:
        """Return how many members :meth:`sdiff` would give; the counting ends at ``limit``, 0 is no limit.

        ``keys`` are ``numkeys`` names, DataError where there are more or fewer.

        Since 8.10.0, https://redis.io/commands/sdiffcard/
        """
        words = counted_words("numkeys", numkeys, keys)
        return self.execute_command("SDIFFCARD", *words, *option_words((b"LIMIT", limit or None)))

    @command("SDIFFSTORE", keys=slice(1, None), write=True)
    def sdiffstore(self, dest: KeyT, keys: KeysT, *args: KeyT) -> int:
        """Store under ``dest`` what :meth:`sdiff` would give, in place of what was there; return how many members.

        Since 1.0.0, https://redis.io/commands/sdiffstore/
        """
        return self.execute_command("SDIFFSTORE", dest, *list_or_args(keys, args))

    @command("SINTER", keys=slice(1, None), readonly=True, reply=as_set)
    def sinter(self, keys: KeysT, *args: KeyT) -> set[T]:
        """Return the members that all of the sets have, as a set; ``keys`` is one name or several.

        Since 1.0.0, https://redis.io/commands/sinter/
        """
        return self.execute_command("SINTER", *list_or_args(keys, args))

    @command("SINTERCARD", keys=counted_keys(1), readonly=True, since="7.0.0")
    def sintercard(self, numkeys: int, keys: KeysT, limit: int = 0) -> int:
        """Return how many members :meth:`sinter` would give; the counting ends at ``limit``, 0 is no limit.

        ``keys`` are ``numkeys`` names, DataError where there are more or fewer.

        Since 7.0.0, https://redis.io/commands/sintercard/
        """
        words = counted_words("numkeys", numkeys, keys)
        return self.execute_command("SINTERCARD", *words, *option_words((b"LIMIT", limit or None)))

    @command("SINTERSTORE", keys=slice(1, None), write=True)
    def sinterstore(self, dest: KeyT, keys: KeysT, *args: KeyT) -> int:
        """Store under ``dest`` what :meth:`sinter` would give, in place of what was there; return how many members.

        Since 1.0.0, https://redis.io/commands/sinterstore/
        """
        return self.execute_command("SINTERSTORE", dest, *list_or_args(keys, args))

    @command("SISMEMBER", keys=1, readonly=True, reply=bool)
    def sismember(self, name: KeyT, value: EncodableT) -> bool:
        """Return whether ``value`` is a member of the set.

        Since 1.0.0, https://redis.io/commands/sismember/
        """
        return self.execute_command("SISMEMBER", name, value)

    @command("SMEMBERS", keys=1, readonly=True, reply=as_set)
    def smembers(self, name: KeyT) -> set[T]:
        """Return all members as a set; an empty one where there is no such key.

        Since 1.0.0, https://redis.io/commands/smembers/
        """
        return self.execute_command("SMEMBERS", name)

    @command("SMISMEMBER", keys=1, readonly=True, reply=as_bools, since="6.2.0")
    def smismember(self, name: KeyT, values: KeysT, *args: EncodableT) -> list[bool]:
        """Return for each of ``values``, one or several, whether it is a member of the set, in their order.

        Since 6.2.0, https://redis.io/commands/smismember/
        """
        return self.execute_command("SMISMEMBER", name, *list_or_args(values, args))

    @command("SMOVE", keys=slice(1, 3), write=True, reply=bool)
    def smove(self, src: KeyT, dst: KeyT, value: EncodableT) -> bool:
        """Move the member ``value`` from one set to another; return whether ``src`` had it.

        Since 1.0.0, https://redis.io/commands/smove/
        """
        return self.execute_command("SMOVE", src, dst, value)

    @overload
    def spop(self, name: KeyT, count: None = ...) -> T | None: ...

    @overload
    def spop(self, name: KeyT, count: int) -> list[T]: ...

    @command("SPOP", keys=1, write=True)
    def spop(self, name: KeyT, count: int | None = None) -> Any:
        """Take some member and return it, None where there is none; with ``count`` a list of up to so many.

        Since 1.0.0, count 3.2.0, https://redis.io/commands/spop/
        """
        if count is None:
            return self.execute_command("SPOP", name)
        return self.execute_command("SPOP", name, count)

    @overload
    def srandmember(self, name: KeyT, number: None = ...) -> T | None: ...

    @overload
    def srandmember(self, name: KeyT, number: int) -> list[T]: ...

    @command("SRANDMEMBER", keys=1, readonly=True)
    def srandmember(self, name: KeyT, number: int | None = None) -> Any:
        """Return some member, None where there is none.

        With ``number`` a list of as many different members, at most; with a negative one exactly that many, perhaps
        the same ones again.  Since 1.0.0, number 2.6.0, https://redis.io/commands/srandmember/
        """
        if number is None:
            return self.execute_command("SRANDMEMBER", name)
        return self.execute_command("SRANDMEMBER", name, number)

    @command("SREM", keys=1, write=True)
    def srem(self, name: KeyT, *values: EncodableT) -> int:
        """Remove the members; return how many of them there were.

        Since 1.0.0, https://redis.io/commands/srem/
        """
        return self.execute_command("SREM", name, *values)

    @command("SSCAN", keys=1, readonly=True, reply=parse_scan, since="2.8.0")
    def sscan(
        self, name: KeyT, cursor: int = 0, match: PatternT | None = None, count: int | None = None
    ) -> tuple[int, list[T]]:
        """Return the next cursor, 0 at the end, and a list of some members, perhaps empty.

        ``match`` is a pattern, ``count`` a hint how many members to look at.

        Since 2.8.0, https://redis.io/commands/sscan/
        """
        return self.execute_command("SSCAN", name, cursor, *scan_words(match, count))

    def sscan_iter(self, name: KeyT, match: PatternT | None = None, count: int | None = None) -> Iterator[T]:
        """Yield the members, by :meth:`sscan` and its options.

        A member that is there from the first to the last step is yielded at least once, perhaps more than once; of one
        that comes or goes meanwhile nothing is promised.
        """
        cursor = 0
        while True:
            cursor, members = self.sscan(name, cursor, match=match, count=count)
            yield from members
            if not cursor:
                return

    @command("SUNION", keys=slice(1, None), readonly=True, reply=as_set)
    def sunion(self, keys: KeysT, *args: KeyT) -> set[T]:
        """Return the members that at least one of the sets has, as a set; ``keys`` is one name or several.

        Since 1.0.0, https://redis.io/commands/sunion/
        """
        return self.execute_command("SUNION", *list_or_args(keys, args))

    @command("SUNIONCARD", keys=counted_keys(1), readonly=True, since="8.10.0")
    def sunioncard(self, numkeys: int, keys: KeysT, limit: int = 0, approx: bool = False) -> int:
        """Return how many members :meth:`sunion` would give; the counting ends at ``limit``, 0 is no limit.

        With ``approx`` the number is estimated, which takes little memory.  ``keys`` are ``numkeys`` names, DataError
        where there are more or fewer.  Since 8.10.0, https://redis.io/commands/sunioncard/
        """
        words = [*flag_words((b"APPROX", approx)), *option_words((b"LIMIT", limit or None))]
        return self.execute_command("SUNIONCARD", *counted_words("numkeys", numkeys, keys), *words)

    @command("SUNIONSTORE", keys=slice(1, None), write=True)
    def sunionstore(self, dest: KeyT, keys: KeysT, *args: KeyT) -> int:
        """Store under ``dest`` what :meth:`sunion` would give, in place of what was there; return how many members.

        Since 1.0.0, https://redis.io/commands/sunionstore/
        """
        return self.execute_command("SUNIONSTORE", dest, *list_or_args(keys, args))
