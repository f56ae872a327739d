"""Hashes: a key and its fields, each with a value and, on newer servers, a time to live of its own.

This module owns the commands of https://redis.io/commands/?group=hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, overload

from redis.commands.args import (
    choice,
    condition_words,
    expiry_words,
    flatten,
    list_or_args,
    scan_words,
    unix_milliseconds,
    unix_seconds,
    whole_milliseconds,
    whole_seconds,
)
from redis.commands.group import Group
from redis.commands.replies import bool_ok, list_of_pairs, pairs_to_dict, parse_hscan
from redis.commands.spec import command
from redis.exceptions import DataError
from redis.typing import AbsExpiryT, EncodableT, ExpiryT, FieldT, KeyT, PatternT, T


class NotGiven:
    """What stands for a value that was not given where None is a value: it is stored as ``"None"``."""

    def __repr__(self) -> str:
        return "<not given>"


NOT_GIVEN: Any = NotGiven()


def hrandfield_reply(response: Any, withvalues: bool = False) -> Any:
    """Return the pairs as tuples where values were asked for, anything else as it came."""
    return list_of_pairs(response) if withvalues else response


def fields_and_values(
    key: Any, value: Any, mapping: Mapping[Any, Any] | None, items: Sequence[Any] | None
) -> list[Any]:
    """Return the fields and their values one after the other, from all the ways to give them."""
    words = [*(items or ()), *flatten(mapping or {})]
    if len(words) % 2 or any(isinstance(item, (tuple, list)) for item in items or ()):
        raise DataError("items is one flat sequence: a field, its value, the next field, its value")
    if key is not None:
        if value is NOT_GIVEN:
            raise DataError("key needs a value")
        words = [key, value, *words]
    if not words:
        raise DataError("no field is given: pass key and value, mapping or items")
    return words


def field_words(fields: Sequence[Any]) -> list[Any]:
    """Return the words of a list of fields, in which there must be at least one."""
    if not fields:
        raise DataError("at least one field must be given")
    return [b"FIELDS", len(fields), *fields]


class HashCommands(Group[T]):
    """The commands on hashes."""

    __slots__ = ()

    @command("HDEL", keys=1, write=True, since="2.0.0")
    def hdel(self, name: KeyT, *keys: FieldT) -> int:
        """Delete the fields ``keys``; return how many of them there were.

        Since 2.0.0, https://redis.io/commands/hdel/
        """
        return self.execute_command("HDEL", name, *keys)

    @command("HEXISTS", keys=1, readonly=True, reply=bool, since="2.0.0")
    def hexists(self, name: KeyT, key: FieldT) -> bool:
        """Return whether the hash has the field ``key``.

        Since 2.0.0, https://redis.io/commands/hexists/
        """
        return self.execute_command("HEXISTS", name, key)

    @command("HEXPIRE", keys=1, write=True, since="7.4.0")
    def hexpire(
        self,
        name: KeyT,
        seconds: ExpiryT,
        *fields: FieldT,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> list[int]:
        """Let the fields expire in ``seconds`` (or a timedelta).

        Return a number for each: 1 it was set, 2 it was deleted at once as the time has passed, 0 the condition does
        not hold, -2 no such field or hash.  Conditions as in :meth:`expire`; DataError where no field is given.

        Since 7.4.0 (Valkey 9.0.0), https://redis.io/commands/hexpire/
        """
        return self.execute_command(
            "HEXPIRE", name, whole_seconds(seconds), *condition_words(nx, xx, gt, lt), *field_words(fields)
        )

    @command("HEXPIREAT", keys=1, write=True, since="7.4.0")
    def hexpireat(
        self,
        name: KeyT,
        unix_time_seconds: AbsExpiryT,
        *fields: FieldT,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> list[int]:
        """Let the fields expire at a Unix time in seconds, or at a datetime (a naive one is local time).

        Returns as :meth:`hexpire` does.  Since 7.4.0 (Valkey 9.0.0), https://redis.io/commands/hexpireat/
        """
        when = unix_seconds(unix_time_seconds)
        return self.execute_command("HEXPIREAT", name, when, *condition_words(nx, xx, gt, lt), *field_words(fields))

    @command("HEXPIRETIME", keys=1, readonly=True, since="7.4.0")
    def hexpiretime(self, key: KeyT, *fields: FieldT) -> list[int]:
        """Return the Unix time in seconds at which each field expires; -1 if it does not, -2 for no such field.

        Since 7.4.0 (Valkey 9.0.0), https://redis.io/commands/hexpiretime/
        """
        return self.execute_command("HEXPIRETIME", key, *field_words(fields))

    @command("HGET", keys=1, readonly=True, since="2.0.0")
    def hget(self, name: KeyT, key: FieldT) -> T | None:
        """Return the value of the field ``key``; None where there is no such field or hash.

        Since 2.0.0, https://redis.io/commands/hget/
        """
        return self.execute_command("HGET", name, key)

    @command("HGETALL", keys=1, readonly=True, reply=pairs_to_dict, since="2.0.0")
    def hgetall(self, name: KeyT) -> dict[T, T]:
        """Return a dict of every field and its value; an empty one where there is no such hash.

        Since 2.0.0, https://redis.io/commands/hgetall/
        """
        return self.execute_command("HGETALL", name)

    @command("HGETDEL", keys=1, write=True, since="8.0.0")
    def hgetdel(self, name: KeyT, *keys: FieldT) -> list[T | None]:
        """Delete the fields and return the values that they had; None for each that there was not.

        DataError where no field is given.  Since 8.0.0 (Valkey 9.1.0), https://redis.io/commands/hgetdel/
        """
        return self.execute_command("HGETDEL", name, *field_words(keys))

    @command("HGETEX", keys=1, write=True, since="8.0.0")
    def hgetex(
        self,
        name: KeyT,
        *keys: FieldT,
        ex: ExpiryT | None = None,
        px: ExpiryT | None = None,
        exat: AbsExpiryT | None = None,
        pxat: AbsExpiryT | None = None,
        persist: bool = False,
    ) -> list[T | None]:
        """Return the values of the fields, None for each that there is not, and set when they expire.

        The expiry is given as in :meth:`getex`.  DataError where no field is given.

        Since 8.0.0 (Valkey 9.0.0), https://redis.io/commands/hgetex/
        """
        expiry = expiry_words(ex, px, exat, pxat, persist=persist)
        return self.execute_command("HGETEX", name, *expiry, *field_words(keys))

    @command("HINCRBY", keys=1, write=True, since="2.0.0")
    def hincrby(self, name: KeyT, key: FieldT, amount: int = 1) -> int:
        """Add ``amount`` to the number in the field ``key``, 0 where there is none; return the new number.

        ResponseError where the value is no whole number of 64 bits.  Since 2.0.0, https://redis.io/commands/hincrby/
        """
        return self.execute_command("HINCRBY", name, key, amount)

    @command("HINCRBYFLOAT", keys=1, write=True, reply=float, since="2.6.0")
    def hincrbyfloat(self, name: KeyT, key: FieldT, amount: float = 1.0) -> float:
        """Add ``amount`` to the number in the field ``key``, 0 where there is none; return the new number as a float.

        ResponseError where the value is no number.  Since 2.6.0, https://redis.io/commands/hincrbyfloat/
        """
        return self.execute_command("HINCRBYFLOAT", name, key, amount)

    @command("HKEYS", keys=1, readonly=True, since="2.0.0")
    def hkeys(self, name: KeyT) -> list[T]:
        """Return the names of all fields, in no order; an empty list where there is no such hash.

        Since 2.0.0, https://redis.io/commands/hkeys/
        """
        return self.execute_command("HKEYS", name)

    @command("HLEN", keys=1, readonly=True, since="2.0.0")
    def hlen(self, name: KeyT) -> int:
        """Return the number of fields; 0 where there is no such hash.

        Since 2.0.0, https://redis.io/commands/hlen/
        """
        return self.execute_command("HLEN", name)

    @command("HMGET", keys=1, readonly=True, since="2.0.0")
    def hmget(self, name: KeyT, keys: FieldT | Iterable[FieldT], *args: FieldT) -> list[T | None]:
        """Return the values of ``keys``, one field or several, in their order; None for each that there is not.

        Since 2.0.0, https://redis.io/commands/hmget/
        """
        return self.execute_command("HMGET", name, *list_or_args(keys, args))

    @command("HMSET", keys=1, write=True, reply=bool_ok, since="2.0.0")
    def hmset(self, name: KeyT, mapping: Mapping[Any, Any]) -> bool:
        """Store the values of ``mapping`` in its fields; return True.  :meth:`hset` does the same.

        DataError where the mapping is empty.  Since 2.0.0, https://redis.io/commands/hmset/
        """
        if not mapping:
            raise DataError("hmset needs a mapping of at least one field and value")
        return self.execute_command("HMSET", name, *flatten(mapping))

    @command("HPERSIST", keys=1, write=True, since="7.4.0")
    def hpersist(self, name: KeyT, *fields: FieldT) -> list[int]:
        """Let the fields live on; return 1 for each that had an expiry, -1 for each without, -2 for no such field.

        Since 7.4.0 (Valkey 9.0.0), https://redis.io/commands/hpersist/
        """
        return self.execute_command("HPERSIST", name, *field_words(fields))

    @command("HPEXPIRE", keys=1, write=True, since="7.4.0")
    def hpexpire(
        self,
        name: KeyT,
        milliseconds: ExpiryT,
        *fields: FieldT,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> list[int]:
        """Let the fields expire in ``milliseconds`` (or a timedelta); return as :meth:`hexpire` does.

        Since 7.4.0 (Valkey 9.0.0), https://redis.io/commands/hpexpire/
        """
        return self.execute_command(
            "HPEXPIRE", name, whole_milliseconds(milliseconds), *condition_words(nx, xx, gt, lt), *field_words(fields)
        )

    @command("HPEXPIREAT", keys=1, write=True, since="7.4.0")
    def hpexpireat(
        self,
        name: KeyT,
        unix_time_milliseconds: AbsExpiryT,
        *fields: FieldT,
        nx: bool = False,
        xx: bool = False,
        gt: bool = False,
        lt: bool = False,
    ) -> list[int]:
        """Let the fields expire at a Unix time in milliseconds, or at a datetime (a naive one is local time).

        Returns as :meth:`hexpire` does.  Since 7.4.0 (Valkey 9.0.0), https://redis.io/commands/hpexpireat/
        """
        when = unix_milliseconds(unix_time_milliseconds)
        return self.execute_command("HPEXPIREAT", name, when, *condition_words(nx, xx, gt, lt), *field_words(fields))

    @command("HPEXPIRETIME", keys=1, readonly=True, since="7.4.0")
    def hpexpiretime(self, key: KeyT, *fields: FieldT) -> list[int]:
        """Return the Unix time in milliseconds at which each field expires; -1 if it does not, -2 for no such field.

        Since 7.4.0 (Valkey 9.0.0), https://redis.io/commands/hpexpiretime/
        """
        return self.execute_command("HPEXPIRETIME", key, *field_words(fields))

    @command("HPTTL", keys=1, readonly=True, since="7.4.0")
    def hpttl(self, key: KeyT, *fields: FieldT) -> list[int]:
        """Return how many milliseconds each field has to live; -1 if it does not expire, -2 for no such field.

        Since 7.4.0 (Valkey 9.0.0), https://redis.io/commands/hpttl/
        """
        return self.execute_command("HPTTL", key, *field_words(fields))

    @overload
    def hrandfield(self, key: KeyT, count: None = ..., withvalues: Literal[False] = ...) -> T | None: ...

    @overload
    def hrandfield(self, key: KeyT, count: int, withvalues: Literal[False] = ...) -> list[T]: ...

    @overload
    def hrandfield(self, key: KeyT, count: int, withvalues: Literal[True]) -> list[tuple[T, T]]: ...

    @command("HRANDFIELD", keys=1, readonly=True, reply=hrandfield_reply, since="6.2.0")
    def hrandfield(self, key: KeyT, count: int | None = None, withvalues: bool = False) -> Any:
        """Return the name of some field; None where there is no such hash.

        With ``count`` a list of as many different fields, at most; with a negative one exactly that many, perhaps the
        same ones again.  With ``withvalues`` the list has tuples of field and value; DataError for that without
        ``count``.  Since 6.2.0, https://redis.io/commands/hrandfield/
        """
        if not withvalues:
            return self.execute_command("HRANDFIELD", key, *([] if count is None else [count]))
        if count is None:
            raise DataError("withvalues needs count")
        return self.execute_command("HRANDFIELD", key, count, b"WITHVALUES", withvalues=True)

    @command("HSCAN", keys=1, readonly=True, reply=parse_hscan, since="2.8.0")
    def hscan(
        self,
        name: KeyT,
        cursor: int = 0,
        match: PatternT | None = None,
        count: int | None = None,
        no_values: bool | None = None,
    ) -> tuple[int, Any]:
        """Return the next cursor, 0 at the end, and a dict of some fields and their values, perhaps empty.

        ``match`` is a pattern, ``count`` a hint how many fields to look at; with ``no_values`` the fields come as a
        list.  Since 2.8.0, no_values 7.4.0 (Valkey 8.0.0), https://redis.io/commands/hscan/
        """
        words = scan_words(match, count)
        if not no_values:
            return self.execute_command("HSCAN", name, cursor, *words)
        return self.execute_command("HSCAN", name, cursor, *words, b"NOVALUES", no_values=True)

    def hscan_iter(
        self,
        name: KeyT,
        match: PatternT | None = None,
        count: int | None = None,
        no_values: bool | None = None,
    ) -> Iterator[Any]:
        """Yield tuples of field and value, with ``no_values`` the fields alone, by :meth:`hscan` and its options.

        A field that is there from the first to the last step is yielded at least once, perhaps more than once; of one
        that comes or goes meanwhile nothing is promised.
        """
        cursor = 0
        while True:
            cursor, fields = self.hscan(name, cursor, match=match, count=count, no_values=no_values)
            yield from fields if no_values else fields.items()
            if not cursor:
                return

    @command("HSET", keys=1, write=True, since="2.0.0")
    def hset(
        self,
        name: KeyT,
        key: FieldT | None = None,
        value: EncodableT = NOT_GIVEN,
        mapping: Mapping[Any, Any] | None = None,
        items: Sequence[Any] | None = None,
    ) -> int:
        """Store ``value`` in the field ``key``; return how many fields are new.

        ``mapping`` gives several fields and values, ``items`` gives them one after the other in one sequence.
        DataError where nothing is given.  Since 2.0.0, several 4.0.0, https://redis.io/commands/hset/
        """
        if mapping is None and items is None and key is not None and value is not NOT_GIVEN:
            return self.execute_command("HSET", name, key, value)
        return self.execute_command("HSET", name, *fields_and_values(key, value, mapping, items))

    @command("HSETEX", keys=1, write=True, since="8.0.0")
    def hsetex(
        self,
        name: KeyT,
        key: FieldT | None = None,
        value: EncodableT = NOT_GIVEN,
        mapping: Mapping[Any, Any] | None = None,
        items: Sequence[Any] | None = None,
        ex: ExpiryT | None = None,
        px: ExpiryT | None = None,
        exat: AbsExpiryT | None = None,
        pxat: AbsExpiryT | None = None,
        data_persist_option: Any = None,
        keepttl: bool = False,
    ) -> int:
        """Store fields as :meth:`hset` does and set when they expire; return 1 if they were stored, 0 if not.

        The expiry is given as in :meth:`set`.  ``data_persist_option`` is ``"FNX"`` (only if none of the fields
        exists) or ``"FXX"`` (only if all do); Valkey also knows ``"NX"`` and ``"XX"``, which ask for the key.

        Since 8.0.0 (Valkey 9.0.0), https://redis.io/commands/hsetex/
        """
        words: list[Any] = expiry_words(ex, px, exat, pxat, keepttl=keepttl)
        if data_persist_option is not None:
            words = [choice("data_persist_option", data_persist_option, "FNX", "FXX", "NX", "XX"), *words]
        pairs = fields_and_values(key, value, mapping, items)
        return self.execute_command("HSETEX", name, *words, b"FIELDS", len(pairs) // 2, *pairs)

    @command("HSETNX", keys=1, write=True, since="2.0.0")
    def hsetnx(self, name: KeyT, key: FieldT, value: EncodableT) -> int:
        """Store ``value`` in the field ``key`` if there is no such field; return 1 if it was stored, else 0.

        Since 2.0.0, https://redis.io/commands/hsetnx/
        """
        return self.execute_command("HSETNX", name, key, value)

    @command("HSTRLEN", keys=1, readonly=True, since="3.2.0")
    def hstrlen(self, name: KeyT, key: FieldT) -> int:
        """Return the length of the value of ``key`` in bytes; 0 where there is no such field.

        Since 3.2.0, https://redis.io/commands/hstrlen/
        """
        return self.execute_command("HSTRLEN", name, key)

    @command("HTTL", keys=1, readonly=True, since="7.4.0")
    def httl(self, key: KeyT, *fields: FieldT) -> list[int]:
        """Return how many seconds each field has to live; -1 if it does not expire, -2 for no such field.

        Since 7.4.0 (Valkey 9.0.0), https://redis.io/commands/httl/
        """
        return self.execute_command("HTTL", key, *field_words(fields))

    @command("HVALS", keys=1, readonly=True, since="2.0.0")
    def hvals(self, name: KeyT) -> list[T]:
        """Return the values of all fields, in no order; an empty list where there is no such hash.

        Since 2.0.0, https://redis.io/commands/hvals/
        """
        return self.execute_command("HVALS", name)
