"""Strings: a key and one value, which may be a text, a number or any bytes.

This module owns the commands of https://redis.io/commands/?group=string and the item access ``client[name]``.  The
commands on single bits of a string are elsewhere, as are those that take any kind of key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, overload

from redis.commands.args import (
    at_most_one,
    choice,
    expiry_words,
    flag_words,
    flatten,
    list_or_args,
    option_words,
    whole_milliseconds,
    whole_seconds,
)
from redis.commands.group import Group
from redis.commands.replies import bool_ok, native_str, pairs_of
from redis.commands.spec import command, counted_keys, declare
from redis.exceptions import DataError
from redis.typing import AbsExpiryT, EncodableT, ExpiryT, KeysT, KeyT, T


def set_reply(response: Any, get: bool = False) -> Any:
    """Return True for OK; the old value, or None, as it came."""
    if get or response is None:
        return response
    return response == (b"OK" if response.__class__ is bytes else "OK") or response


def lcs_reply(response: Any, idx: bool = False) -> Any:
    """Return the text or the length as it came, the positions as a dict."""
    if not idx:
        return response
    return {native_str(name): value for name, value in pairs_of(response)}


def increx_reply(response: Any) -> list[int | float]:
    """Return both numbers, which RESP2 sends as texts where they are floats."""
    return [number if isinstance(number, int) else float(number) for number in response]


def comparison_words(
    ifeq: Any, ifne: Any, ifdeq: Any, ifdne: Any, nx: bool = False, xx: bool = False
) -> list[EncodableT]:
    """Return the words of the one condition on the present value, none where nothing is given."""
    if not (nx or xx) and ifeq is None and ifne is None and ifdeq is None and ifdne is None:
        return []
    at_most_one(nx=nx or None, xx=xx or None, ifeq=ifeq, ifne=ifne, ifdeq=ifdeq, ifdne=ifdne)
    compared = option_words((b"IFEQ", ifeq), (b"IFNE", ifne), (b"IFDEQ", ifdeq), (b"IFDNE", ifdne))
    return flag_words((b"NX", nx), (b"XX", xx)) + compared


def items_of(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """Return the names and values that ``mset`` and ``msetnx`` are given: one mapping, keywords, or both."""
    if not args and isinstance(kwargs.get("mapping"), Mapping):
        args = (kwargs.pop("mapping"),)
    if len(args) > 1 or (args and not isinstance(args[0], Mapping)):
        raise DataError(f"{name} takes one mapping, or keywords")
    items = flatten({**kwargs, **args[0]} if args else kwargs)
    if not items:
        raise DataError(f"{name} needs at least one name and value")
    return items


declare("INCR", keys=1, write=True)
declare("DECR", keys=1, write=True)


class StringCommands(Group[T]):
    """The commands on strings."""

    __slots__ = ()

    def __getitem__(self, name: KeyT) -> T:
        """Return the value of ``name``; KeyError where there is no such key.  See :meth:`get`."""
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: KeyT, value: EncodableT) -> None:
        """Store ``value`` under ``name``.  See :meth:`set`."""
        self.set(name, value)

    @command("APPEND", keys=1, write=True, since="2.0.0")
    def append(self, key: KeyT, value: EncodableT) -> int:
        """Append ``value`` to the string at ``key``, made if need be; return its new length in bytes.

        Since 2.0.0, https://redis.io/commands/append/
        """
        return self.execute_command("APPEND", key, value)

    def decr(self, name: KeyT, amount: int = 1) -> int:
        """Subtract ``amount`` and return the new number: :meth:`decrby` by its old name."""
        return self.execute_command("DECRBY", name, amount)

    @command("DECRBY", keys=1, write=True)
    def decrby(self, name: KeyT, amount: int = 1) -> int:
        """Subtract ``amount`` from the number at ``name``, 0 where there is none; return the new number.

        ResponseError where the value is no whole number of 64 bits.  Since 1.0.0, https://redis.io/commands/decrby/
        """
        return self.execute_command("DECRBY", name, amount)

    @command("DELEX", keys=1, write=True, since="8.4.0")
    def delex(
        self,
        name: KeyT,
        ifeq: EncodableT | None = None,
        ifne: EncodableT | None = None,
        ifdeq: str | bytes | None = None,
        ifdne: str | bytes | None = None,
    ) -> int:
        """Delete ``name`` if the condition holds; return 1 if it was deleted, else 0.

        The value equals ``ifeq``, differs from ``ifne``, its digest (see :meth:`digest`) equals ``ifdeq`` or differs
        from ``ifdne``; DataError where two are given.  Since 8.4.0, https://redis.io/commands/delex/
        """
        return self.execute_command("DELEX", name, *comparison_words(ifeq, ifne, ifdeq, ifdne))

    @command("DELIFEQ", keys=1, write=True, since="Valkey 9.0.0")
    def delifeq(self, name: KeyT, value: EncodableT) -> int:
        """Delete ``name`` if it holds exactly ``value``; return 1 if it was deleted, else 0.

        Since Valkey 9.0.0, https://valkey.io/commands/delifeq/
        """
        return self.execute_command("DELIFEQ", name, value)

    @command("DIGEST", keys=1, readonly=True, since="8.4.0")
    def digest(self, name: KeyT) -> T | None:
        """Return the XXH3 digest of the value at ``name``, 16 hexadecimal digits; None where there is no such key.

        Since 8.4.0, https://redis.io/commands/digest/
        """
        return self.execute_command("DIGEST", name)

    @command("GET", keys=1, readonly=True)
    def get(self, name: KeyT) -> T | None:
        """Return the value at ``name``; None where there is no such key.

        ResponseError where the key holds no string.  Since 1.0.0, https://redis.io/commands/get/
        """
        return self.execute_command("GET", name)

    @command("GETDEL", keys=1, write=True, since="6.2.0")
    def getdel(self, name: KeyT) -> T | None:
        """Delete ``name`` and return the value that it had; None where there was no such key.

        Since 6.2.0, https://redis.io/commands/getdel/
        """
        return self.execute_command("GETDEL", name)

    @command("GETEX", keys=1, write=True, since="6.2.0")
    def getex(
        self,
        name: KeyT,
        ex: ExpiryT | None = None,
        px: ExpiryT | None = None,
        exat: AbsExpiryT | None = None,
        pxat: AbsExpiryT | None = None,
        persist: bool = False,
    ) -> T | None:
        """Return the value at ``name`` and set when it expires; None where there is no such key.

        ``ex`` and ``px`` count from now in seconds and milliseconds, ``exat`` and ``pxat`` are Unix times in seconds
        and milliseconds, ``persist`` takes the expiry away; DataError where two are given.

        Since 6.2.0, https://redis.io/commands/getex/
        """
        return self.execute_command("GETEX", name, *expiry_words(ex, px, exat, pxat, persist=persist))

    @command("GETRANGE", keys=1, readonly=True, since="2.4.0")
    def getrange(self, key: KeyT, start: int, end: int) -> T:
        """Return the bytes from ``start`` to ``end``, both included and negative from the end; empty for no key.

        Since 2.4.0, https://redis.io/commands/getrange/
        """
        return self.execute_command("GETRANGE", key, start, end)

    @command("GETSET", keys=1, write=True)
    def getset(self, name: KeyT, value: EncodableT) -> T | None:
        """Store ``value`` and return the value that was there; None where there was none.  Drops the expiry.

        Since 1.0.0, https://redis.io/commands/getset/
        """
        return self.execute_command("GETSET", name, value)

    def incr(self, name: KeyT, amount: int = 1) -> int:
        """Add ``amount`` and return the new number: :meth:`incrby` by its short name."""
        return self.execute_command("INCRBY", name, amount)

    @command("INCRBY", keys=1, write=True)
    def incrby(self, name: KeyT, amount: int = 1) -> int:
        """Add ``amount`` to the number at ``name``, 0 where there is none; return the new number.

        ResponseError where the value is no whole number of 64 bits.  Since 1.0.0, https://redis.io/commands/incrby/
        """
        return self.execute_command("INCRBY", name, amount)

    @command("INCRBYFLOAT", keys=1, write=True, reply=float, since="2.6.0")
    def incrbyfloat(self, name: KeyT, amount: float = 1.0) -> float:
        """Add ``amount`` to the number at ``name``, 0 where there is none; return the new number as a float.

        ResponseError where the value is no number.  Since 2.6.0, https://redis.io/commands/incrbyfloat/
        """
        return self.execute_command("INCRBYFLOAT", name, amount)

    @command("INCREX", keys=1, write=True, reply=increx_reply, since="8.8.0")
    def increx(
        self,
        name: KeyT,
        *,
        byfloat: float | None = None,
        byint: int | None = None,
        lbound: float | None = None,
        ubound: float | None = None,
        saturate: bool = False,
        ex: ExpiryT | None = None,
        px: ExpiryT | None = None,
        exat: AbsExpiryT | None = None,
        pxat: AbsExpiryT | None = None,
        persist: bool = False,
        enx: bool = False,
    ) -> list[int | float]:
        """Add ``byint`` or ``byfloat`` (1 by default) within bounds; return the new number and what was added.

        A result beyond ``lbound`` or ``ubound`` changes nothing and adds 0; with ``saturate`` it becomes the bound.
        The expiry is set as in :meth:`getex`, with ``enx`` only where there is none.  DataError where two amounts or
        two expiries are given.  Since 8.8.0, https://redis.io/commands/increx/
        """
        at_most_one(byfloat=byfloat, byint=byint)
        expiry = expiry_words(ex, px, exat, pxat, persist=persist)
        if enx and (persist or not expiry):
            raise DataError("enx needs ex, px, exat or pxat")
        amount = option_words((b"BYFLOAT", byfloat), (b"BYINT", byint), (b"LBOUND", lbound), (b"UBOUND", ubound))
        saturated, only_new = flag_words((b"SATURATE", saturate)), flag_words((b"ENX", enx))
        return self.execute_command("INCREX", name, *amount, *saturated, *expiry, *only_new)

    @command("LCS", keys=slice(1, 3), readonly=True, reply=lcs_reply, since="7.0.0")
    def lcs(
        self,
        key1: KeyT,
        key2: KeyT,
        len: bool = False,
        idx: bool = False,
        minmatchlen: int = 0,
        withmatchlen: bool = False,
    ) -> T | int | dict[str, Any]:
        """Return the longest common subsequence of two strings.

        With ``len`` its length.  With ``idx`` a dict: ``"matches"``, the last first, each a list of the first and
        last position in ``key1`` and in ``key2`` (and its length with ``withmatchlen``), none shorter than
        ``minmatchlen``; and ``"len"``.  DataError for ``len`` together with ``idx``.

        Since 7.0.0, https://redis.io/commands/lcs/
        """
        at_most_one(len=len or None, idx=idx or None)
        words = flag_words((b"LEN", len), (b"IDX", idx)) + option_words((b"MINMATCHLEN", minmatchlen or None))
        words += flag_words((b"WITHMATCHLEN", withmatchlen))
        return self.execute_command("LCS", key1, key2, *words, idx=idx)

    @command("MGET", keys=slice(1, None), readonly=True, request_policy="multi_shard")
    def mget(self, keys: KeysT, *args: KeyT) -> list[T | None]:
        """Return the values of ``keys``, one name or several, in their order; None for each that holds no string.

        Since 1.0.0, https://redis.io/commands/mget/
        """
        return self.execute_command("MGET", *list_or_args(keys, args))

    @command(
        "MSET",
        keys=slice(1, None, 2),
        write=True,
        reply=bool_ok,
        since="1.0.1",
        request_policy="multi_shard",
        response_policy="all_succeeded",
    )
    def mset(self, *args: Mapping[Any, Any], **kwargs: Any) -> bool:
        """Store each value of a mapping, or of the keywords, under its name, all at once; return True.

        DataError where nothing is given.  Since 1.0.1, https://redis.io/commands/mset/
        """
        return self.execute_command("MSET", *items_of("mset", args, kwargs))

    @command(
        "MSETEX",
        keys=counted_keys(1, step=2),
        write=True,
        reply=bool,
        since="8.4.0",
        request_policy="multi_shard",
        response_policy="all_succeeded",
    )
    def msetex(
        self,
        mapping: Mapping[Any, Any],
        data_persist_option: Any = None,
        ex: ExpiryT | None = None,
        px: ExpiryT | None = None,
        exat: AbsExpiryT | None = None,
        pxat: AbsExpiryT | None = None,
        keepttl: bool = False,
    ) -> bool:
        """Store each value of ``mapping`` under its name, all with the same expiry; return whether they were stored.

        ``data_persist_option`` is ``"NX"`` (only if none of the keys exists) or ``"XX"`` (only if all do).  The expiry
        is given as in :meth:`set`.  DataError where the mapping is empty.

        Since 8.4.0 (Valkey 9.1.0), https://redis.io/commands/msetex/
        """
        if not mapping:
            raise DataError("msetex needs a mapping of at least one name and value")
        words = [] if data_persist_option is None else [choice("data_persist_option", data_persist_option, "NX", "XX")]
        words += expiry_words(ex, px, exat, pxat, keepttl=keepttl)
        return self.execute_command("MSETEX", len(mapping), *flatten(mapping), *words)

    @command(
        "MSETNX",
        keys=slice(1, None, 2),
        write=True,
        reply=bool,
        since="1.0.1",
        request_policy="multi_shard",
        response_policy="agg_min",
    )
    def msetnx(self, *args: Mapping[Any, Any], **kwargs: Any) -> bool:
        """Store as :meth:`mset` does, but only if none of the names exists; return whether they were stored.

        Since 1.0.1, https://redis.io/commands/msetnx/
        """
        return self.execute_command("MSETNX", *items_of("msetnx", args, kwargs))

    @command("PSETEX", keys=1, write=True, reply=bool_ok, since="2.6.0")
    def psetex(self, name: KeyT, time_ms: ExpiryT, value: EncodableT) -> bool:
        """Store ``value`` for ``time_ms`` milliseconds (or a timedelta); return True.

        ResponseError where the time is not positive.  Since 2.6.0, https://redis.io/commands/psetex/
        """
        return self.execute_command("PSETEX", name, whole_milliseconds(time_ms), value)

    @overload
    def set(
        self,
        name: KeyT,
        value: EncodableT,
        ex: ExpiryT | None = ...,
        px: ExpiryT | None = ...,
        nx: bool = ...,
        xx: bool = ...,
        keepttl: bool = ...,
        get: Literal[False] = ...,
        exat: AbsExpiryT | None = ...,
        pxat: AbsExpiryT | None = ...,
        ifeq: EncodableT | None = ...,
        ifne: EncodableT | None = ...,
        ifdeq: str | bytes | None = ...,
        ifdne: str | bytes | None = ...,
    ) -> bool | None: ...

    @overload
    def set(
        self,
        name: KeyT,
        value: EncodableT,
        ex: ExpiryT | None = ...,
        px: ExpiryT | None = ...,
        nx: bool = ...,
        xx: bool = ...,
        keepttl: bool = ...,
        *,
        get: Literal[True],
        exat: AbsExpiryT | None = ...,
        pxat: AbsExpiryT | None = ...,
        ifeq: EncodableT | None = ...,
        ifne: EncodableT | None = ...,
        ifdeq: str | bytes | None = ...,
        ifdne: str | bytes | None = ...,
    ) -> T | None: ...

    @command("SET", keys=1, write=True, reply=set_reply)
    def set(
        self,
        name: KeyT,
        value: EncodableT,
        ex: ExpiryT | None = None,
        px: ExpiryT | None = None,
        nx: bool = False,
        xx: bool = False,
        keepttl: bool = False,
        get: bool = False,
        exat: AbsExpiryT | None = None,
        pxat: AbsExpiryT | None = None,
        ifeq: EncodableT | None = None,
        ifne: EncodableT | None = None,
        ifdeq: str | bytes | None = None,
        ifdne: str | bytes | None = None,
    ) -> Any:
        """Store ``value`` under ``name``; return True, or None where a condition did not hold.

        It expires after ``ex`` seconds or ``px`` milliseconds (or a timedelta), or at the Unix time ``exat`` in
        seconds or ``pxat`` in milliseconds (or a datetime); ``keepttl`` leaves the expiry that was there.

        It is stored only if the key does not exist (``nx``), if it exists (``xx``), if its value equals ``ifeq`` or
        differs from ``ifne``, if its digest equals ``ifdeq`` or differs from ``ifdne``.  With ``get`` the old value
        comes back instead, None where there was none.  DataError where two expiries or two conditions are given.

        Since 1.0.0; keepttl 6.0.0, get, exat, pxat 6.2.0, ifeq 8.4.0 (Valkey 8.1.0), the others 8.4.0,
        https://redis.io/commands/set/
        """
        # The short way of a plain SET: these tests cost far less than to build no words.
        if (
            (ex is None and px is None and not nx and not xx and not keepttl and not get)
            and (exat is None and pxat is None)
            and (ifeq is None and ifne is None and ifdeq is None and ifdne is None)
        ):
            return self.execute_command("SET", name, value)
        condition = comparison_words(ifeq, ifne, ifdeq, ifdne, nx, xx)
        expiry = expiry_words(ex, px, exat, pxat, keepttl=keepttl)
        if not get:
            return self.execute_command("SET", name, value, *condition, *expiry)
        return self.execute_command("SET", name, value, *condition, b"GET", *expiry, get=True)

    @command("SETEX", keys=1, write=True, reply=bool_ok, since="2.0.0")
    def setex(self, name: KeyT, time: ExpiryT, value: EncodableT) -> bool:
        """Store ``value`` for ``time`` seconds (or a timedelta); return True.

        ResponseError where the time is not positive.  Since 2.0.0, https://redis.io/commands/setex/
        """
        return self.execute_command("SETEX", name, whole_seconds(time), value)

    @command("SETNX", keys=1, write=True, reply=bool)
    def setnx(self, name: KeyT, value: EncodableT) -> bool:
        """Store ``value`` if ``name`` does not exist; return whether it was stored.

        Since 1.0.0, https://redis.io/commands/setnx/
        """
        return self.execute_command("SETNX", name, value)

    @command("SETRANGE", keys=1, write=True, since="2.2.0")
    def setrange(self, name: KeyT, offset: int, value: EncodableT) -> int:
        """Overwrite the bytes from ``offset`` on with ``value``; return the new length in bytes.

        A gap is filled with zero bytes.  Since 2.2.0, https://redis.io/commands/setrange/
        """
        return self.execute_command("SETRANGE", name, offset, value)

    @command("STRLEN", keys=1, readonly=True, since="2.2.0")
    def strlen(self, name: KeyT) -> int:
        """Return the length of the value in bytes; 0 where there is no such key.

        Since 2.2.0, https://redis.io/commands/strlen/
        """
        return self.execute_command("STRLEN", name)

    @command("SUBSTR", keys=1, readonly=True)
    def substr(self, name: KeyT, start: int, end: int = -1) -> T:
        """Return the bytes from ``start`` to ``end``: the name of :meth:`getrange` before it had that one.

        Since 1.0.0, https://redis.io/commands/substr/
        """
        return self.execute_command("SUBSTR", name, start, end)
