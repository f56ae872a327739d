"""Lists: a key and a sequence of values that grows and shrinks at both ends; one can wait for a value to come.

This module owns the commands of https://redis.io/commands/?group=list.  A method that waits says in its facts where its
time-out stands; how the waiting is done is not known here.
"""

from __future__ import annotations

from typing import Any, overload

from redis.commands.args import choice, list_or_args, option_words
from redis.commands.group import Group
from redis.commands.replies import bool_ok, tuple_or_none
from redis.commands.spec import command, counted_keys
from redis.exceptions import DataError
from redis.typing import EncodableT, KeysT, KeyT, T


def pop_words(numkeys: int, keys: tuple[Any, ...], direction: str, count: int | None) -> list[Any]:
    """Return the words that LMPOP and BLMPOP share."""
    if numkeys != len(keys):
        raise DataError(f"the number of keys is given as {numkeys}, but there are {len(keys)}")
    return [numkeys, *keys, choice("direction", direction, "LEFT", "RIGHT"), *option_words((b"COUNT", count))]


def end_words(src: str, dest: str) -> list[Any]:
    """Return the words that tell from which end to which end."""
    return [choice("src", src, "LEFT", "RIGHT"), choice("dest", dest, "LEFT", "RIGHT")]


def how_many_words(count: int | None, mode: str | None, ordering: str | None) -> list[Any]:
    """Return the words that LMOVEM and BLMOVEM share: how many elements, and in which order."""
    if count is None and (mode or ordering):
        raise DataError("mode and ordering need count")
    if count is None:
        return []
    if ordering is None:
        raise DataError("count needs ordering: OBO or BULK")
    how = choice("mode", mode or "COUNT", "COUNT", "EXACTLY")
    return [how, count, choice("ordering", ordering, "OBO", "BULK")]


class ListCommands(Group[T]):
    """The commands on lists."""

    __slots__ = ()

    @command("BLMOVE", keys=slice(1, 3), write=True, blocking=(5, "s"), since="6.2.0")
    def blmove(
        self, first_list: KeyT, second_list: KeyT, timeout: float, src: str = "LEFT", dest: str = "RIGHT"
    ) -> T | None:
        """Move an element as :meth:`lmove` does, waiting for one; return it, or None where none came.

        At most ``timeout`` seconds, 0 is for ever.  Since 6.2.0, https://redis.io/commands/blmove/
        """
        return self.execute_command("BLMOVE", first_list, second_list, *end_words(src, dest), timeout or 0)

    @command("BLMOVEM", keys=slice(1, 3), write=True, blocking=(5, "s"), since="8.10.0")
    def blmovem(
        self,
        first_list: KeyT,
        second_list: KeyT,
        timeout: float,
        src: str = "LEFT",
        dest: str = "RIGHT",
        count: int | None = None,
        mode: str | None = None,
        ordering: str | None = None,
    ) -> list[T] | None:
        """Move elements as :meth:`lmovem` does, waiting for them; return them, or None where they did not come.

        At most ``timeout`` seconds, 0 is for ever.  With ``mode`` COUNT the first one ends the waiting, with EXACTLY
        the last one.  Since 8.10.0, https://redis.io/commands/blmovem/
        """
        words = how_many_words(count, mode, ordering)
        return self.execute_command("BLMOVEM", first_list, second_list, *end_words(src, dest), timeout or 0, *words)

    @command("BLMPOP", keys=counted_keys(2), write=True, blocking=(1, "s"), since="7.0.0")
    def blmpop(
        self, timeout: float, numkeys: int, *args: KeyT, direction: str, count: int | None = 1
    ) -> list[Any] | None:
        """Take elements as :meth:`lmpop` does, waiting for one; None where none came.

        At most ``timeout`` seconds, 0 is for ever.  Since 7.0.0, https://redis.io/commands/blmpop/
        """
        return self.execute_command("BLMPOP", timeout or 0, *pop_words(numkeys, args, direction, count))

    @command("BLPOP", keys=slice(1, -1), write=True, blocking=(-1, "s"), reply=tuple_or_none, since="2.0.0")
    def blpop(self, keys: KeysT, timeout: float | None = 0) -> tuple[T, T] | None:
        """Take the first element of the first list of ``keys`` that has one, waiting for it.

        ``keys`` is one name or several.  Return a tuple of the list's name and the element, or None where none came
        within ``timeout`` seconds; 0 and None are for ever.  Since 2.0.0, https://redis.io/commands/blpop/
        """
        return self.execute_command("BLPOP", *list_or_args(keys, (timeout or 0,)))

    @command("BRPOP", keys=slice(1, -1), write=True, blocking=(-1, "s"), reply=tuple_or_none, since="2.0.0")
    def brpop(self, keys: KeysT, timeout: float | None = 0) -> tuple[T, T] | None:
        """Take the last element of the first list of ``keys`` that has one, else as :meth:`blpop`.

        Since 2.0.0, https://redis.io/commands/brpop/
        """
        return self.execute_command("BRPOP", *list_or_args(keys, (timeout or 0,)))

    @command("BRPOPLPUSH", keys=slice(1, 3), write=True, blocking=(3, "s"), since="2.2.0")
    def brpoplpush(self, src: KeyT, dst: KeyT, timeout: float | None = 0) -> T | None:
        """Move the last element of ``src`` to the head of ``dst``, waiting for it; return it, or None if none came.

        At most ``timeout`` seconds; 0 and None are for ever.  Since 2.2.0, https://redis.io/commands/brpoplpush/
        """
        return self.execute_command("BRPOPLPUSH", src, dst, timeout or 0)

    @command("LINDEX", keys=1, readonly=True)
    def lindex(self, name: KeyT, index: int) -> T | None:
        """Return the element at ``index``, negative from the end; None where there is none.

        Since 1.0.0, https://redis.io/commands/lindex/
        """
        return self.execute_command("LINDEX", name, index)

    @command("LINSERT", keys=1, write=True, since="2.2.0")
    def linsert(self, name: KeyT, where: str, refvalue: EncodableT, value: EncodableT) -> int:
        """Insert ``value`` ``"before"`` or ``"after"`` the first element that equals ``refvalue``.

        Return the new length, -1 where no element equals it, 0 where there is no such list.

        Since 2.2.0, https://redis.io/commands/linsert/
        """
        return self.execute_command("LINSERT", name, choice("where", where, "BEFORE", "AFTER"), refvalue, value)

    @command("LLEN", keys=1, readonly=True)
    def llen(self, name: KeyT) -> int:
        """Return the length; 0 where there is no such list.

        Since 1.0.0, https://redis.io/commands/llen/
        """
        return self.execute_command("LLEN", name)

    @command("LMOVE", keys=slice(1, 3), write=True, since="6.2.0")
    def lmove(self, first_list: KeyT, second_list: KeyT, src: str = "LEFT", dest: str = "RIGHT") -> T | None:
        """Move the element at the end ``src`` of the first list to the end ``dest`` of the second.

        Both ends are ``"LEFT"`` or ``"RIGHT"``.  Return the element, None where the first list has none.

        Since 6.2.0, https://redis.io/commands/lmove/
        """
        return self.execute_command("LMOVE", first_list, second_list, *end_words(src, dest))

    @command("LMOVEM", keys=slice(1, 3), write=True, since="8.10.0")
    def lmovem(
        self,
        first_list: KeyT,
        second_list: KeyT,
        src: str = "LEFT",
        dest: str = "RIGHT",
        count: int | None = None,
        mode: str | None = None,
        ordering: str | None = None,
    ) -> list[T] | None:
        """Move several elements from the end ``src`` of the first list to the end ``dest`` of the second.

        ``count`` of them at most, or with ``mode`` ``"EXACTLY"`` so many or none.  ``ordering`` is ``"OBO"``, one after
        the other, which turns their order, or ``"BULK"``, which keeps it; DataError for ``count`` without it.  Return
        the elements as they stand in the second list, None where none was moved.

        Since 8.10.0, https://redis.io/commands/lmovem/
        """
        return self.execute_command(
            "LMOVEM", first_list, second_list, *end_words(src, dest), *how_many_words(count, mode, ordering)
        )

    @command("LMPOP", keys=counted_keys(1), write=True, since="7.0.0")
    def lmpop(self, num_keys: int, *args: KeyT, direction: str, count: int | None = 1) -> list[Any] | None:
        """Take up to ``count`` elements from the end ``direction`` of the first list that has one.

        ``args`` are ``num_keys`` names, the end is ``"LEFT"`` or ``"RIGHT"``.  Return a list of the name and the list
        of the elements, None where all lists are empty.  DataError where there are more or fewer names.

        Since 7.0.0, https://redis.io/commands/lmpop/
        """
        return self.execute_command("LMPOP", *pop_words(num_keys, args, direction, count))

    @overload
    def lpop(self, name: KeyT, count: None = ...) -> T | None: ...

    @overload
    def lpop(self, name: KeyT, count: int) -> list[T] | None: ...

    @command("LPOP", keys=1, write=True)
    def lpop(self, name: KeyT, count: int | None = None) -> Any:
        """Take the first element and return it, with ``count`` a list of up to so many; None for no such list.

        Since 1.0.0, count 6.2.0, https://redis.io/commands/lpop/
        """
        if count is None:
            return self.execute_command("LPOP", name)
        return self.execute_command("LPOP", name, count)

    @overload
    def lpos(
        self, name: KeyT, value: EncodableT, rank: int | None = ..., count: None = ..., maxlen: int | None = ...
    ) -> int | None: ...

    @overload
    def lpos(
        self, name: KeyT, value: EncodableT, rank: int | None = ..., *, count: int, maxlen: int | None = ...
    ) -> list[int]: ...

    @command("LPOS", keys=1, readonly=True, since="6.0.6")
    def lpos(
        self,
        name: KeyT,
        value: EncodableT,
        rank: int | None = None,
        count: int | None = None,
        maxlen: int | None = None,
    ) -> Any:
        """Return the index of the first element that equals ``value``; None where there is none.

        ``rank`` counts from the first such element, a negative one from the last; with ``count`` a list of so many
        indices, of all with 0.  Only ``maxlen`` elements are compared.  Since 6.0.6, https://redis.io/commands/lpos/
        """
        words = option_words((b"RANK", rank), (b"COUNT", count), (b"MAXLEN", maxlen))
        return self.execute_command("LPOS", name, value, *words)

    @command("LPUSH", keys=1, write=True)
    def lpush(self, name: KeyT, *values: EncodableT) -> int:
        """Put the values before the first element, one after the other; return the new length.

        Since 1.0.0, https://redis.io/commands/lpush/
        """
        return self.execute_command("LPUSH", name, *values)

    @command("LPUSHX", keys=1, write=True, since="2.2.0")
    def lpushx(self, name: KeyT, value: EncodableT, *values: EncodableT) -> int:
        """Do as :meth:`lpush` if there is such a list; return the new length, 0 where there is none.

        Since 2.2.0, https://redis.io/commands/lpushx/
        """
        return self.execute_command("LPUSHX", name, value, *values)

    @command("LRANGE", keys=1, readonly=True)
    def lrange(self, name: KeyT, start: int, end: int) -> list[T]:
        """Return the elements from ``start`` to ``end``, both included and negative from the end.

        Since 1.0.0, https://redis.io/commands/lrange/
        """
        return self.execute_command("LRANGE", name, start, end)

    @command("LREM", keys=1, write=True)
    def lrem(self, name: KeyT, count: int, value: EncodableT) -> int:
        """Remove the first ``count`` elements that equal ``value``, a negative one counts from the end, 0 is all.

        Return how many were removed.  Since 1.0.0, https://redis.io/commands/lrem/
        """
        return self.execute_command("LREM", name, count, value)

    @command("LSET", keys=1, write=True, reply=bool_ok)
    def lset(self, name: KeyT, index: int, value: EncodableT) -> bool:
        """Put ``value`` in the place of the element at ``index``, negative from the end; return True.

        ResponseError where there is none.  Since 1.0.0, https://redis.io/commands/lset/
        """
        return self.execute_command("LSET", name, index, value)

    @command("LTRIM", keys=1, write=True, reply=bool_ok)
    def ltrim(self, name: KeyT, start: int, end: int) -> bool:
        """Remove all but the elements from ``start`` to ``end``, both included and negative from the end; return True.

        Since 1.0.0, https://redis.io/commands/ltrim/
        """
        return self.execute_command("LTRIM", name, start, end)

    @overload
    def rpop(self, name: KeyT, count: None = ...) -> T | None: ...

    @overload
    def rpop(self, name: KeyT, count: int) -> list[T] | None: ...

    @command("RPOP", keys=1, write=True)
    def rpop(self, name: KeyT, count: int | None = None) -> Any:
        """Take the last element and return it, with ``count`` a list of up to so many; None for no such list.

        Since 1.0.0, count 6.2.0, https://redis.io/commands/rpop/
        """
        if count is None:
            return self.execute_command("RPOP", name)
        return self.execute_command("RPOP", name, count)

    @command("RPOPLPUSH", keys=slice(1, 3), write=True, since="1.2.0")
    def rpoplpush(self, src: KeyT, dst: KeyT) -> T | None:
        """Move the last element of ``src`` to the head of ``dst``; return it, None where there is none.

        Since 1.2.0, https://redis.io/commands/rpoplpush/
        """
        return self.execute_command("RPOPLPUSH", src, dst)

    @command("RPUSH", keys=1, write=True)
    def rpush(self, name: KeyT, *values: EncodableT) -> int:
        """Put the values after the last element; return the new length.

        Since 1.0.0, https://redis.io/commands/rpush/
        """
        return self.execute_command("RPUSH", name, *values)

    @command("RPUSHX", keys=1, write=True, since="2.2.0")
    def rpushx(self, name: KeyT, value: EncodableT, *values: EncodableT) -> int:
        """Do as :meth:`rpush` if there is such a list; return the new length, 0 where there is none.

        Since 2.2.0, https://redis.io/commands/rpushx/
        """
        return self.execute_command("RPUSHX", name, value, *values)
