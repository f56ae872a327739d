"""Keys of any kind: their names, their time to live, their copies, and ways to walk through all of them.

This module owns the commands of https://redis.io/commands/?group=generic and ``in`` and ``del`` of the item access.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

from redis.commands.args import (
    choice,
    condition_words,
    flag_words,
    list_or_args,
    option_words,
    scan_words,
    unix_milliseconds,
    unix_seconds,
    whole_milliseconds,
    whole_seconds,
)
from redis.commands.group import Group
from redis.commands.replies import bool_ok, parse_scan, sort_return_tuples
from redis.commands.spec import command, declare, options_in, word
from redis.exceptions import DataError
from redis.typing import AbsExpiryT, ExpiryT, KeysT, KeyT, PatternT, T


def exists_reply(response: Any, several: bool = False) -> Any:
    """Return whether the one key exists, or how many of several."""
    return response if several else bool(response)


def migrated_keys(args: Sequence[Any]) -> Sequence[Any]:
    """Return the keys of MIGRATE: the one in its place, or those after KEYS where that is empty."""
    if word(args[3]):
        return args[3:4]
    for place, option in options_in(args, 6, {"AUTH": 1, "AUTH2": 2}):
        if option == "KEYS":
            return args[place + 1 :]
    return ()


def sorted_keys(args: Sequence[Any]) -> Sequence[Any]:
    """Return the keys of SORT: the one that is sorted and, if there is one, the one that takes the result."""
    keys = [args[1]]
    for place, option in options_in(args, 2, {"LIMIT": 2, "BY": 1, "GET": 1, "STORE": 1}):
        if option == "STORE":
            keys[1:] = args[place + 1 : place + 2]
    return keys


def sort_words(
    start: int | None, num: int | None, by: Any, patterns: Iterable[Any], desc: bool, alpha: bool
) -> list[Any]:
    """Return the words of the options that SORT and SORT_RO share."""
    if (start is None) != (num is None):
        raise DataError("start and num must be given together")
    words = option_words((b"BY", by))
    if start is not None:
        words += [b"LIMIT", start, num]
    for pattern in patterns:
        words += [b"GET", pattern]
    return words + flag_words((b"DESC", desc), (b"ALPHA", alpha))


def patterns_of(get: Any) -> list[Any]:
    """Return the patterns of the option ``get``: none, one or several."""
    return [] if get is None else list_or_args(get, ())


declare("OBJECT HELP", since="6.2.0")


class KeyCommands(Group[T]):
    """The commands on keys of any kind."""

    __slots__ = ()

    def __contains__(self, name: KeyT) -> bool:
        """Return whether there is a key ``name``.  See :meth:`exists`."""
        return self.exists(name)

    def __delitem__(self, name: KeyT) -> None:
        """Delete ``name``; nothing happens where there is no such key.  See :meth:`delete`."""
        self.delete(name)

    @command("COPY", keys=slice(1, 3), write=True, reply=bool, since="6.2.0")
    def copy(self, source: KeyT, destination: KeyT, destination_db: int | None = None, replace: bool = False) -> bool:
        """Copy the value of ``source``; return whether it was copied.

        It was not where ``source`` is missing, or ``destination`` exists and ``replace`` is False.  ``destination_db``
        is the number of another database.  Since 6.2.0, https://redis.io/commands/copy/
        """
        words = option_words((b"DB", destination_db)) + flag_words((b"REPLACE", replace))
        return self.execute_command("COPY", source, destination, *words)

    @command("DEL", keys=slice(1, None), write=True, request_policy="multi_shard", response_policy="agg_sum")
    def delete(self, *names: KeyT) -> int:
        """Delete the keys; return how many of them there were.

        Since 1.0.0, https://redis.io/commands/del/
        """
        return self.execute_command("DEL", *names)

    @command("DUMP", keys=1, readonly=True, decode=False, since="2.6.0")
    def dump(self, name: KeyT) -> bytes | None:
        """Return the value in the server's own form, always bytes, for :meth:`restore`; None for no such key.

        Since 2.6.0, https://redis.io/commands/dump/
        """
        return self.execute_command("DUMP", name)

    @overload
    def exists(self, name: KeyT) -> bool: ...

    @overload
    def exists(self, name: KeyT, second: KeyT, /, *names: KeyT) -> int: ...

    @command(
        "EXISTS",
        keys=slice(1, None),
        readonly=True,
        reply=exists_reply,
        request_policy="multi_shard",
        response_policy="agg_sum",
    )
    def exists(self, name: KeyT, *names: KeyT) -> int:
        """Return whether there is a key ``name``; with several names how many there are, one named twice counts twice.

        Since 1.0.0, several names 3.0.3, https://redis.io/commands/exists/
        """
        if not names:
            return self.execute_command("EXISTS", name)
        return self.execute_command("EXISTS", name, *names, several=True)

    @command("EXPIRE", keys=1, write=True, reply=bool)
    def expire(
        self, name: KeyT, time: ExpiryT, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
    ) -> bool:
        """Let ``name`` expire in ``time`` seconds (or a timedelta); return whether that was set.

        It was not where there is no such key or the condition does not hold: there is no expiry yet (``nx``), there is
        one (``xx``), the new one is later (``gt``) or earlier (``lt``).  DataError where conditions exclude each other.

        Since 1.0.0, conditions 7.0.0, https://redis.io/commands/expire/
        """
        return self.execute_command("EXPIRE", name, whole_seconds(time), *condition_words(nx, xx, gt, lt))

    @command("EXPIREAT", keys=1, write=True, reply=bool, since="1.2.0")
    def expireat(
        self, name: KeyT, when: AbsExpiryT, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
    ) -> bool:
        """Let ``name`` expire at the Unix time ``when``, in seconds, or at a datetime (a naive one is local time).

        Returns and conditions as in :meth:`expire`.  Since 1.2.0, https://redis.io/commands/expireat/
        """
        return self.execute_command("EXPIREAT", name, unix_seconds(when), *condition_words(nx, xx, gt, lt))

    @command("EXPIRETIME", keys=1, readonly=True, since="7.0.0")
    def expiretime(self, key: KeyT) -> int:
        """Return the Unix time, in seconds, at which ``key`` expires; -1 if it does not, -2 if there is no such key.

        Since 7.0.0, https://redis.io/commands/expiretime/
        """
        return self.execute_command("EXPIRETIME", key)

    @command("KEYS", readonly=True, request_policy="all_shards")
    def keys(self, pattern: PatternT = "*") -> list[T]:
        """Return the names of all keys that match ``pattern``, in no order.

        The server does nothing else meanwhile: see :meth:`scan_iter`.  Since 1.0.0, https://redis.io/commands/keys/
        """
        return self.execute_command("KEYS", pattern)

    @command("MIGRATE", keys=migrated_keys, write=True, since="2.6.0")
    def migrate(
        self,
        host: str,
        port: int,
        keys: KeysT,
        destination_db: int,
        timeout: int,
        copy: bool = False,
        replace: bool = False,
        auth: str | None = None,
        username: str | None = None,
    ) -> T:
        """Move one key or several to another server; return OK, or NOKEY where none of them exists.

        ``timeout`` bounds each silence between the servers, in milliseconds.  The keys stay here with ``copy``, those
        of the other server are overwritten with ``replace``; ``auth`` and ``username`` are its password and user.
        DataError where no key is given, ResponseError where the other server fails.

        Since 2.6.0, https://redis.io/commands/migrate/
        """
        names = list_or_args(keys, ())
        if not names:
            raise DataError("migrate needs at least one of keys")
        words = flag_words((b"COPY", copy), (b"REPLACE", replace))
        if username is not None:
            words += [b"AUTH2", username, auth]
        elif auth is not None:
            words += [b"AUTH", auth]
        return self.execute_command("MIGRATE", host, port, b"", destination_db, timeout, *words, b"KEYS", *names)

    @command("MOVE", keys=1, write=True, reply=bool)
    def move(self, name: KeyT, db: int) -> bool:
        """Move ``name`` to the database ``db``; return whether it was moved: not if it is missing here or exists there.

        Since 1.0.0, https://redis.io/commands/move/
        """
        return self.execute_command("MOVE", name, db)

    @command("OBJECT ENCODING", keys=2, readonly=True, since="2.2.3")
    @command("OBJECT FREQ", keys=2, readonly=True, since="4.0.0")
    @command("OBJECT IDLETIME", keys=2, readonly=True, since="2.2.3")
    @command("OBJECT REFCOUNT", keys=2, readonly=True, since="2.2.3")
    def object(self, infotype: str, key: KeyT) -> Any:
        """Return a fact of how the server stores ``key``; None where there is no such key.

        ``infotype`` is ``"encoding"`` (a name), ``"freq"`` (how often it is used, under an LFU policy), ``"idletime"``
        (seconds since it was used) or ``"refcount"``.

        Since 2.2.3, freq 4.0.0, https://redis.io/commands/object-encoding/, https://redis.io/commands/object-freq/,
        https://redis.io/commands/object-idletime/, https://redis.io/commands/object-refcount/
        """
        fact = choice("infotype", infotype, "ENCODING", "FREQ", "IDLETIME", "REFCOUNT")
        return self.execute_command("OBJECT", fact, key, infotype=infotype)

    @command("PERSIST", keys=1, write=True, reply=bool, since="2.2.0")
    def persist(self, name: KeyT) -> bool:
        """Let ``name`` live on; return whether that took an expiry away.

        Since 2.2.0, https://redis.io/commands/persist/
        """
        return self.execute_command("PERSIST", name)

    @command("PEXPIRE", keys=1, write=True, reply=bool, since="2.6.0")
    def pexpire(
        self, name: KeyT, time: ExpiryT, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
    ) -> bool:
        """Let ``name`` expire in ``time`` milliseconds (or a timedelta).

        Returns and conditions as in :meth:`expire`.  Since 2.6.0, https://redis.io/commands/pexpire/
        """
        return self.execute_command("PEXPIRE", name, whole_milliseconds(time), *condition_words(nx, xx, gt, lt))

    @command("PEXPIREAT", keys=1, write=True, reply=bool, since="2.6.0")
    def pexpireat(
        self, name: KeyT, when: AbsExpiryT, nx: bool = False, xx: bool = False, gt: bool = False, lt: bool = False
    ) -> bool:
        """Let ``name`` expire at the Unix time ``when``, in milliseconds, or at a datetime (a naive one is local time).

        Returns and conditions as in :meth:`expire`.  Since 2.6.0, https://redis.io/commands/pexpireat/
        """
        return self.execute_command("PEXPIREAT", name, unix_milliseconds(when), *condition_words(nx, xx, gt, lt))

    @command("PEXPIRETIME", keys=1, readonly=True, since="7.0.0")
    def pexpiretime(self, key: KeyT) -> int:
        """Return the Unix time, in milliseconds, at which ``key`` expires; -1 if it does not, -2 for no such key.

        Since 7.0.0, https://redis.io/commands/pexpiretime/
        """
        return self.execute_command("PEXPIRETIME", key)

    @command("PTTL", keys=1, readonly=True, since="2.6.0")
    def pttl(self, name: KeyT) -> int:
        """Return how many milliseconds ``name`` has to live; -1 if it does not expire, -2 if there is no such key.

        Since 2.6.0, https://redis.io/commands/pttl/
        """
        return self.execute_command("PTTL", name)

    @command("RANDOMKEY", readonly=True, request_policy="all_shards", response_policy="special")
    def randomkey(self) -> T | None:
        """Return the name of some key; None where there is none.

        Since 1.0.0, https://redis.io/commands/randomkey/
        """
        return self.execute_command("RANDOMKEY")

    @command("RENAME", keys=slice(1, 3), write=True, reply=bool_ok)
    def rename(self, src: KeyT, dst: KeyT) -> bool:
        """Give ``src`` the name ``dst``, in place of what had it; return True.

        ResponseError where there is no such key.  Since 1.0.0, https://redis.io/commands/rename/
        """
        return self.execute_command("RENAME", src, dst)

    @command("RENAMENX", keys=slice(1, 3), write=True, reply=bool)
    def renamenx(self, src: KeyT, dst: KeyT) -> bool:
        """Give ``src`` the name ``dst`` if no key has it; return whether it was renamed.

        ResponseError where there is no such key.  Since 1.0.0, https://redis.io/commands/renamenx/
        """
        return self.execute_command("RENAMENX", src, dst)

    @command("RESTORE", keys=1, write=True, since="2.6.0")
    def restore(
        self,
        name: KeyT,
        ttl: ExpiryT,
        value: bytes,
        replace: bool = False,
        absttl: bool = False,
        idletime: int | None = None,
        frequency: int | None = None,
    ) -> T:
        """Make the key ``name`` of what :meth:`dump` gave; return OK.

        It lives ``ttl`` milliseconds (or a timedelta), for ever with 0; with ``absttl`` that is a Unix time.  It takes
        the place of a key that exists only with ``replace``.  ``idletime`` (seconds) and ``frequency`` are what the
        eviction policy goes by.  ResponseError where the key exists (BUSYKEY) or the value is not intact.

        Since 2.6.0, https://redis.io/commands/restore/
        """
        words = flag_words((b"REPLACE", replace), (b"ABSTTL", absttl))
        words += option_words((b"IDLETIME", idletime), (b"FREQ", frequency))
        time = unix_milliseconds(ttl) if absttl else whole_milliseconds(ttl)
        return self.execute_command("RESTORE", name, time, value, *words)

    @command(
        "SCAN", readonly=True, reply=parse_scan, since="2.8.0", request_policy="special", response_policy="special"
    )
    def scan(
        self,
        cursor: int = 0,
        match: PatternT | None = None,
        count: int | None = None,
        _type: str | None = None,
    ) -> tuple[int, list[T]]:
        """Return the next cursor, 0 at the end, and some names of keys, perhaps none.

        ``match`` is a pattern, ``count`` a hint how many keys to look at, ``_type`` the kind of the values, such as
        ``"hash"``.  Since 2.8.0, _type 6.0.0, https://redis.io/commands/scan/
        """
        return self.execute_command("SCAN", cursor, *scan_words(match, count, _type))

    def scan_iter(
        self, match: PatternT | None = None, count: int | None = None, _type: str | None = None
    ) -> Iterator[T]:
        """Yield the names of all keys, by :meth:`scan` and its options, a batch at a time.

        A key that is there from the first to the last step is yielded at least once, perhaps more than once; of one
        that comes or goes meanwhile nothing is promised.
        """
        cursor = 0
        while True:
            cursor, names = self.scan(cursor, match=match, count=count, _type=_type)
            yield from names
            if not cursor:
                return

    @command("SORT", keys=sorted_keys, write=True, reply=sort_return_tuples)
    def sort(
        self,
        name: KeyT,
        start: int | None = None,
        num: int | None = None,
        by: PatternT | None = None,
        get: PatternT | Iterable[PatternT] | None = None,
        desc: bool = False,
        alpha: bool = False,
        store: KeyT | None = None,
        groups: bool = False,
    ) -> Any:
        """Return the elements of the list, set or sorted set ``name`` in order, as numbers, or with ``alpha`` as texts.

        Of the result ``num`` elements from ``start`` on.  ``by`` orders by the values of other keys, ``get`` returns
        those instead of the elements (``"#"`` is the element itself); several of them come one after the other, with
        ``groups`` in tuples.  With ``store`` the result becomes that list and its length is returned.

        DataError for ``start`` without ``num``, and for ``groups`` with fewer than two ``get``; ResponseError where an
        element is no number.  Since 1.0.0, https://redis.io/commands/sort/
        """
        patterns = patterns_of(get)
        if groups and len(patterns) < 2:
            raise DataError("groups needs at least two patterns in get")
        words = sort_words(start, num, by, patterns, desc, alpha) + option_words((b"STORE", store))
        return self.execute_command("SORT", name, *words, groups=len(patterns) if groups else None)

    @command("SORT_RO", keys=sorted_keys, readonly=True, since="7.0.0")
    def sort_ro(
        self,
        key: KeyT,
        start: int | None = None,
        num: int | None = None,
        by: PatternT | None = None,
        get: PatternT | Iterable[PatternT] | None = None,
        desc: bool = False,
        alpha: bool = False,
    ) -> list[T | None]:
        """Return what :meth:`sort` returns, in a form that a replica takes as well.

        Since 7.0.0, https://redis.io/commands/sort_ro/
        """
        return self.execute_command("SORT_RO", key, *sort_words(start, num, by, patterns_of(get), desc, alpha))

    @command(
        "TOUCH",
        keys=slice(1, None),
        readonly=True,
        since="3.2.1",
        request_policy="multi_shard",
        response_policy="agg_sum",
    )
    def touch(self, *args: KeyT) -> int:
        """Mark the keys as just used; return how many of them there are.

        Since 3.2.1, https://redis.io/commands/touch/
        """
        return self.execute_command("TOUCH", *args)

    @command("TTL", keys=1, readonly=True)
    def ttl(self, name: KeyT) -> int:
        """Return how many seconds ``name`` has to live; -1 if it does not expire, -2 if there is no such key.

        Since 1.0.0, https://redis.io/commands/ttl/
        """
        return self.execute_command("TTL", name)

    @command("TYPE", keys=1, readonly=True)
    def type(self, name: KeyT) -> T:
        """Return the kind of the value, such as ``string`` or ``zset``; ``none`` where there is no such key.

        Since 1.0.0, https://redis.io/commands/type/
        """
        return self.execute_command("TYPE", name)

    @command(
        "UNLINK",
        keys=slice(1, None),
        write=True,
        since="4.0.0",
        request_policy="multi_shard",
        response_policy="agg_sum",
    )
    def unlink(self, *names: KeyT) -> int:
        """Delete the keys, freeing their memory in the background; return how many of them there were.

        Since 4.0.0, https://redis.io/commands/unlink/
        """
        return self.execute_command("UNLINK", *names)

    @command("WAIT", blocking=(2, "ms"), since="3.0.0", request_policy="all_shards", response_policy="agg_min")
    def wait(self, num_replicas: int, timeout: int) -> int:
        """Wait until ``num_replicas`` have this connection's writes; return how many have.

        At most ``timeout`` milliseconds, 0 is for ever.  Since 3.0.0, https://redis.io/commands/wait/
        """
        return self.execute_command("WAIT", num_replicas, timeout)

    @command("WAITAOF", blocking=(3, "ms"), since="7.2.0", request_policy="all_shards", response_policy="agg_min")
    def waitaof(self, num_local: int, num_replicas: int, timeout: int) -> list[int]:
        """Wait until this connection's writes are on disk, here (``num_local`` 1) and at ``num_replicas``.

        At most ``timeout`` milliseconds, 0 is for ever.  Return how many have them, here and at the replicas.
        ResponseError where ``num_local`` is 1 and the server keeps no append-only file.

        Since 7.2.0, https://redis.io/commands/waitaof/
        """
        return self.execute_command("WAITAOF", num_local, num_replicas, timeout)
