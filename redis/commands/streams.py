"""Streams: a key and a log of entries, each with an ID that grows and a few fields with values.

This module owns the commands of https://redis.io/commands/?group=stream on entries; those on groups of consumers have
a module of their own, ``stream_groups``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redis.commands.args import at_most_one, flag_words, flatten, option_words
from redis.commands.group import Group
from redis.commands.replies import bool_ok
from redis.commands.spec import command, declare
from redis.commands.stream_args import block_place, ids_words, read_streams, reference_words, streams_words
from redis.commands.stream_replies import Entry, as_entries, as_streams, stream_report
from redis.exceptions import DataError
from redis.typing import KeyT, T

IdT = str | bytes | int


def trim_words(maxlen: int | None, minid: IdT | None, approximate: bool, limit: int | None) -> list[Any]:
    """Return the words that tell how much of a stream is to be left, none where nothing is given."""
    at_most_one(maxlen=maxlen, minid=minid)
    if limit is not None and (not approximate or (maxlen is None and minid is None)):
        raise DataError("limit needs approximate, and maxlen or minid")
    how = flag_words((b"~", approximate))
    if maxlen is not None:
        return [b"MAXLEN", *how, maxlen, *option_words((b"LIMIT", limit))]
    return [] if minid is None else [b"MINID", *how, minid, *option_words((b"LIMIT", limit))]


def producer_words(idmpauto: Any, idmp: Any) -> list[Any]:
    """Return the words that tell an entry that was sent before."""
    at_most_one(idmpauto=idmpauto, idmp=idmp)
    if idmp is None:
        return option_words((b"IDMPAUTO", idmpauto))
    if not isinstance(idmp, (tuple, list)) or len(idmp) != 2:
        raise DataError("idmp is a tuple of the ID of the producer and that of the entry")
    return [b"IDMP", *idmp]


declare("XINFO HELP", since="5.0.0")


class StreamCommands(Group[T]):
    """The commands on the entries of streams."""

    __slots__ = ()

    @command("XADD", keys=1, write=True, since="5.0.0")
    def xadd(
        self,
        name: KeyT,
        fields: Mapping[Any, Any],
        id: IdT = "*",
        maxlen: int | None = None,
        approximate: bool = True,
        nomkstream: bool = False,
        minid: IdT | None = None,
        limit: int | None = None,
        ref_policy: str | None = None,
        idmpauto: str | bytes | None = None,
        idmp: tuple[Any, Any] | None = None,
    ) -> T | None:
        """Append an entry of ``fields``, a mapping, and return its ID, which the server makes unless ``id`` is given.

        The stream is made if need be; with ``nomkstream`` it is not, and None comes back.  The oldest entries go as by
        :meth:`xtrim`, whose options are ``maxlen``, ``minid``, ``approximate``, ``limit`` and ``ref_policy``.  An entry
        that was added before is not added again: ``idmp`` is the ID of its producer and its own, ``idmpauto`` that of
        the producer alone.  DataError where there is no field.

        Since 5.0.0, nomkstream, minid, limit 6.2.0, ref_policy 8.2.0, idmp 8.6.0, https://redis.io/commands/xadd/
        """
        if not isinstance(fields, Mapping) or not fields:
            raise DataError("fields is a mapping of at least one field and value")
        words = [
            *flag_words((b"NOMKSTREAM", nomkstream)),
            *reference_words(ref_policy),
            *producer_words(idmpauto, idmp),
        ]
        words += trim_words(maxlen, minid, approximate, limit)
        return self.execute_command("XADD", name, *words, id, *flatten(fields))

    @command("XCFGSET", keys=1, write=True, reply=bool_ok, since="8.6.0")
    def xcfgset(self, name: KeyT, idmp_duration: int | None = None, idmp_maxsize: int | None = None) -> bool:
        """Say how many seconds, and how many for each producer, the IDs of added entries are kept; return True.

        They tell an entry that is sent again, see :meth:`xadd`; those that are kept now are forgotten.  DataError where
        neither is given.  Since 8.6.0, https://redis.io/commands/xcfgset/
        """
        words = option_words((b"IDMP-DURATION", idmp_duration), (b"IDMP-MAXSIZE", idmp_maxsize))
        if not words:
            raise DataError("idmp_duration or idmp_maxsize must be given")
        return self.execute_command("XCFGSET", name, *words)

    @command("XDEL", keys=1, write=True, since="5.0.0")
    def xdel(self, name: KeyT, *ids: IdT) -> int:
        """Delete the entries; return how many of them there were.

        Since 5.0.0, https://redis.io/commands/xdel/
        """
        return self.execute_command("XDEL", name, *ids)

    @command("XDELEX", keys=1, write=True, since="8.2.0")
    def xdelex(self, name: KeyT, *ids: IdT, ref_policy: str = "KEEPREF") -> list[int]:
        """Delete the entries, and what groups of consumers know of them as ``ref_policy`` says.

        ``"KEEPREF"`` keeps it, ``"DELREF"`` deletes it as well, ``"ACKED"`` deletes only entries that every group has
        acknowledged.  Return a number for each: 1 it was deleted, 2 it was not as it is not acknowledged, -1 no such
        entry.  Since 8.2.0, https://redis.io/commands/xdelex/
        """
        return self.execute_command("XDELEX", name, *reference_words(ref_policy), *ids_words(ids))

    @command("XINFO STREAM", keys=2, readonly=True, reply=stream_report, since="5.0.0")
    def xinfo_stream(self, name: KeyT, full: bool = False) -> dict[str, Any]:
        """Return a dict of what there is to know of the stream; its keys are native str, such as ``"length"``.

        ``"first-entry"`` and ``"last-entry"`` are entries as in :meth:`xrange`, or None.  With ``full`` ``"entries"``
        is a dict of the first ones, and ``"groups"`` a list of dicts, each with its ``"consumers"``, a list of dicts.
        ResponseError where there is no such key.  Since 5.0.0, full 6.0.0, https://redis.io/commands/xinfo-stream/
        """
        return self.execute_command("XINFO STREAM", name, *flag_words((b"FULL", full)), full=full)

    @command("XLEN", keys=1, readonly=True, since="5.0.0")
    def xlen(self, name: KeyT) -> int:
        """Return the number of entries; 0 where there is no such stream.

        Since 5.0.0, https://redis.io/commands/xlen/
        """
        return self.execute_command("XLEN", name)

    @command("XRANGE", keys=1, readonly=True, reply=as_entries, since="5.0.0")
    def xrange(self, name: KeyT, min: IdT = "-", max: IdT = "+", count: int | None = None) -> list[Entry]:
        """Return the entries from ID ``min`` to ``max``, both included, ``count`` of them at most.

        A list of tuples of the ID and a dict of the fields.  ``"-"`` and ``"+"`` are the first and the last ID, an ID
        after ``"("`` is left out itself.  Since 5.0.0, https://redis.io/commands/xrange/
        """
        return self.execute_command("XRANGE", name, min, max, *option_words((b"COUNT", count)))

    @command(
        "XREAD",
        keys=read_streams,
        readonly=True,
        blocking=(block_place, "ms"),
        reply=as_streams,
        since="5.0.0",
    )
    def xread(
        self,
        streams: Mapping[Any, Any],
        count: int | None = None,
        block: int | None = None,
        max_count: int | None = None,
        max_size: int | None = None,
    ) -> list[list[Any]]:
        """Return the entries that follow the ID that ``streams``, a mapping, has for the name of each stream.

        A list of lists of two: the name and a list of entries as in :meth:`xrange`; an empty list where there is none.
        The ID ``"$"`` is the last one of now.  At most ``count`` entries of each stream, ``max_count`` entries or
        ``max_size`` bytes of all.  With ``block`` it waits so many milliseconds for an entry, 0 is for ever.  DataError
        where there is no stream.  Since 5.0.0, max_count, max_size 8.10.0, https://redis.io/commands/xread/
        """
        words = option_words((b"COUNT", count), (b"MAXCOUNT", max_count), (b"MAXSIZE", max_size), (b"BLOCK", block))
        return self.execute_command("XREAD", *words, *streams_words(streams))

    @command("XREVRANGE", keys=1, readonly=True, reply=as_entries, since="5.0.0")
    def xrevrange(self, name: KeyT, max: IdT = "+", min: IdT = "-", count: int | None = None) -> list[Entry]:
        """Return what :meth:`xrange` does, the last entry first; the greater ID stands first.

        Since 5.0.0, https://redis.io/commands/xrevrange/
        """
        return self.execute_command("XREVRANGE", name, max, min, *option_words((b"COUNT", count)))

    @command("XSETID", keys=1, write=True, reply=bool_ok, since="5.0.0")
    def xsetid(
        self, name: KeyT, last_id: IdT, entries_added: int | None = None, max_deleted_id: IdT | None = None
    ) -> bool:
        """Set the ID after which the next ones follow, as for a copy of a stream; return True.

        ``entries_added`` and ``max_deleted_id`` go together.  ResponseError where an entry has a greater ID.

        Since 5.0.0, entries_added, max_deleted_id 7.0.0, https://redis.io/commands/xsetid/
        """
        if (entries_added is None) != (max_deleted_id is None):
            raise DataError("entries_added and max_deleted_id must be given together")
        words = option_words((b"ENTRIESADDED", entries_added), (b"MAXDELETEDID", max_deleted_id))
        return self.execute_command("XSETID", name, last_id, *words)

    @command("XTRIM", keys=1, write=True, since="5.0.0")
    def xtrim(
        self,
        name: KeyT,
        maxlen: int | None = None,
        approximate: bool = True,
        minid: IdT | None = None,
        limit: int | None = None,
        ref_policy: str | None = None,
    ) -> int:
        """Delete the oldest entries until ``maxlen`` are left, or those with an ID lower than ``minid``.

        Return how many were deleted.  With ``approximate`` some more may be left, which is much faster; ``limit`` is
        how many may be deleted then.  ``ref_policy`` is as in :meth:`xdelex`.  DataError where not exactly one of
        ``maxlen`` and ``minid`` is given.

        Since 5.0.0, minid, limit 6.2.0, ref_policy 8.2.0, https://redis.io/commands/xtrim/
        """
        words = trim_words(maxlen, minid, approximate, limit)
        if not words:
            raise DataError("maxlen or minid must be given")
        return self.execute_command("XTRIM", name, *words, *reference_words(ref_policy))
