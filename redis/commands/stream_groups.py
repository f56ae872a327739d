"""Groups of consumers: who shares the entries of a stream, and which were delivered but are not acknowledged yet.

This module owns the commands of https://redis.io/commands/?group=stream that name a group.  An entry that is delivered
is pending, for the consumer that read it, until it is acknowledged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redis.commands.args import choice, flag_words, list_or_args, option_words, whole_milliseconds
from redis.commands.group import Group
from redis.commands.replies import bool_ok
from redis.commands.spec import command, declare
from redis.commands.stream_args import block_place, ids_words, read_streams, reference_words, streams_words
from redis.commands.stream_replies import as_streams, autoclaimed_entries, claimed_entries, reports, xpending_reply
from redis.exceptions import DataError
from redis.typing import EncodableT, ExpiryT, KeyT, T

IdT = str | bytes | int

declare("XGROUP HELP", since="5.0.0")


class StreamGroupCommands(Group[T]):
    """The commands on groups of consumers."""

    __slots__ = ()

    @command("XACK", keys=1, write=True, since="5.0.0")
    def xack(self, name: KeyT, groupname: EncodableT, *ids: IdT) -> int:
        """Acknowledge entries, which are no longer pending then; return how many of them were.

        Since 5.0.0, https://redis.io/commands/xack/
        """
        return self.execute_command("XACK", name, groupname, *ids)

    @command("XACKDEL", keys=1, write=True, since="8.2.0")
    def xackdel(self, name: KeyT, groupname: EncodableT, *ids: IdT, ref_policy: str = "KEEPREF") -> list[int]:
        """Acknowledge entries and delete them; ``ref_policy`` and what comes back are as in :meth:`xdelex`.

        DataError where no ID is given.  Since 8.2.0, https://redis.io/commands/xackdel/
        """
        words = [*reference_words(ref_policy), *ids_words(ids)]
        return self.execute_command("XACKDEL", name, groupname, *words)

    @command("XAUTOCLAIM", keys=1, write=True, reply=autoclaimed_entries, since="6.2.0")
    def xautoclaim(
        self,
        name: KeyT,
        groupname: EncodableT,
        consumername: EncodableT,
        min_idle_time: ExpiryT,
        start_id: IdT = "0-0",
        count: int | None = None,
        justid: bool = False,
    ) -> list[Any]:
        """Make pending entries, from ID ``start_id`` on, those of another consumer, as :meth:`xclaim` does.

        Entries that were delivered at least ``min_idle_time`` milliseconds (or a timedelta) ago, ``count`` of them at
        most, 100 by default.  Return a list: the ID from which the next call goes on, ``0-0`` at the end, the entries
        as in :meth:`xrange`, and from 7.0.0 on the IDs of pending entries that are deleted.  With ``justid`` a list of
        the IDs of the entries, whose count of deliveries is not raised.

        Since 6.2.0, https://redis.io/commands/xautoclaim/
        """
        words = [*option_words((b"COUNT", count)), *flag_words((b"JUSTID", justid))]
        idle = whole_milliseconds(min_idle_time)
        return self.execute_command("XAUTOCLAIM", name, groupname, consumername, idle, start_id, *words, justid=justid)

    @command("XCLAIM", keys=1, write=True, reply=claimed_entries, since="5.0.0")
    def xclaim(
        self,
        name: KeyT,
        groupname: EncodableT,
        consumername: EncodableT,
        min_idle_time: ExpiryT,
        message_ids: IdT | list[Any] | tuple[Any, ...],
        idle: ExpiryT | None = None,
        time: int | None = None,
        retrycount: int | None = None,
        force: bool = False,
        justid: bool = False,
        lastid: IdT | None = None,
    ) -> list[Any]:
        """Make pending entries those of another consumer, if they were delivered ``min_idle_time`` milliseconds ago.

        ``message_ids`` is one ID or several.  Return a list of entries as in :meth:`xrange`, with ``justid`` of their
        IDs.  Their time of delivery is now, or ``idle`` milliseconds ago, or the Unix time ``time`` in milliseconds;
        their count of deliveries is raised by one, or becomes ``retrycount``.  ``force`` takes entries that are pending
        for nobody as well; ``lastid`` raises the last ID that was delivered to the group.  Times may be timedeltas.
        DataError where no ID is given.  Since 5.0.0, https://redis.io/commands/xclaim/
        """
        ids = list_or_args(message_ids, ())
        if not ids:
            raise DataError("message_ids is one ID or several")
        words = option_words((b"IDLE", whole_milliseconds(idle)), (b"TIME", time), (b"RETRYCOUNT", retrycount))
        words += [*flag_words((b"FORCE", force), (b"JUSTID", justid)), *option_words((b"LASTID", lastid))]
        least = whole_milliseconds(min_idle_time)
        return self.execute_command("XCLAIM", name, groupname, consumername, least, *ids, *words, justid=justid)

    @command("XGROUP CREATE", keys=2, write=True, reply=bool_ok, since="5.0.0")
    def xgroup_create(
        self,
        name: KeyT,
        groupname: EncodableT,
        id: IdT = "$",
        mkstream: bool = False,
        entries_read: int | None = None,
    ) -> bool:
        """Make a group that reads the entries after ``id``, ``"$"`` is the last one; return True.

        ``mkstream`` makes the stream if need be; ``entries_read`` is how many entries there are up to ``id``, from
        which the lag is told.  ResponseError where there is such a group, or no such stream.

        Since 5.0.0, entries_read 7.0.0, https://redis.io/commands/xgroup-create/
        """
        words = [*flag_words((b"MKSTREAM", mkstream)), *option_words((b"ENTRIESREAD", entries_read))]
        return self.execute_command("XGROUP CREATE", name, groupname, id, *words)

    @command("XGROUP CREATECONSUMER", keys=2, write=True, since="6.2.0")
    def xgroup_createconsumer(self, name: KeyT, groupname: EncodableT, consumername: EncodableT) -> int:
        """Make a consumer, which reading does as well; return 1 if it is new, else 0.

        Since 6.2.0, https://redis.io/commands/xgroup-createconsumer/
        """
        return self.execute_command("XGROUP CREATECONSUMER", name, groupname, consumername)

    @command("XGROUP DELCONSUMER", keys=2, write=True, since="5.0.0")
    def xgroup_delconsumer(self, name: KeyT, groupname: EncodableT, consumername: EncodableT) -> int:
        """Delete a consumer and forget what is pending for it; return how many entries were.

        Since 5.0.0, https://redis.io/commands/xgroup-delconsumer/
        """
        return self.execute_command("XGROUP DELCONSUMER", name, groupname, consumername)

    @command("XGROUP DESTROY", keys=2, write=True, reply=bool, since="5.0.0")
    def xgroup_destroy(self, name: KeyT, groupname: EncodableT) -> bool:
        """Delete a group with all its consumers; return whether there was one.

        Since 5.0.0, https://redis.io/commands/xgroup-destroy/
        """
        return self.execute_command("XGROUP DESTROY", name, groupname)

    @command("XGROUP SETID", keys=2, write=True, reply=bool_ok, since="5.0.0")
    def xgroup_setid(self, name: KeyT, groupname: EncodableT, id: IdT, entries_read: int | None = None) -> bool:
        """Let a group go on after ``id``; return True.  ``entries_read`` is as in :meth:`xgroup_create`.

        Since 5.0.0, entries_read 7.0.0, https://redis.io/commands/xgroup-setid/
        """
        words = option_words((b"ENTRIESREAD", entries_read))
        return self.execute_command("XGROUP SETID", name, groupname, id, *words)

    @command("XINFO CONSUMERS", keys=2, readonly=True, reply=reports, since="5.0.0")
    def xinfo_consumers(self, name: KeyT, groupname: EncodableT) -> list[dict[str, Any]]:
        """Return a dict for each consumer; its keys are native str, such as ``"name"``, ``"pending"`` and ``"idle"``.

        Since 5.0.0, https://redis.io/commands/xinfo-consumers/
        """
        return self.execute_command("XINFO CONSUMERS", name, groupname)

    @command("XINFO GROUPS", keys=2, readonly=True, reply=reports, since="5.0.0")
    def xinfo_groups(self, name: KeyT) -> list[dict[str, Any]]:
        """Return a dict for each group; its keys are native str, such as ``"name"`` and ``"last-delivered-id"``.

        Since 5.0.0, https://redis.io/commands/xinfo-groups/
        """
        return self.execute_command("XINFO GROUPS", name)

    @command("XNACK", keys=1, write=True, since="8.8.0")
    def xnack(
        self,
        name: KeyT,
        groupname: EncodableT,
        mode: str,
        *ids: IdT,
        retrycount: int | None = None,
        force: bool = False,
    ) -> int:
        """Give pending entries back to the group, so that another consumer can have them at once; return how many.

        ``mode`` is ``"SILENT"`` (the delivery does not count), ``"FAIL"`` (it counts) or ``"FATAL"`` (nobody should try
        again: the count becomes as high as it can); ``retrycount`` sets the count, ``force`` takes entries that are
        pending for nobody as well.  DataError where no ID is given.

        Since 8.8.0, https://redis.io/commands/xnack/
        """
        words = [choice("mode", mode, "SILENT", "FAIL", "FATAL"), *ids_words(ids)]
        words += [*option_words((b"RETRYCOUNT", retrycount)), *flag_words((b"FORCE", force))]
        return self.execute_command("XNACK", name, groupname, *words)

    @command("XPENDING", keys=1, readonly=True, reply=xpending_reply, since="5.0.0")
    def xpending(self, name: KeyT, groupname: EncodableT) -> dict[str, Any]:
        """Return a dict of what is pending: ``"pending"``, how many entries, ``"min"`` and ``"max"``, their IDs.

        The IDs are None where nothing is pending.  ``"consumers"`` is a list of dicts with ``"name"`` and
        ``"pending"``.  Since 5.0.0, https://redis.io/commands/xpending/
        """
        return self.execute_command("XPENDING", name, groupname)

    def xpending_range(
        self,
        name: KeyT,
        groupname: EncodableT,
        min: IdT,
        max: IdT,
        count: int,
        consumername: EncodableT | None = None,
        idle: ExpiryT | None = None,
    ) -> list[dict[str, Any]]:
        """Return what is pending from ID ``min`` to ``max``, at most ``count`` entries, as a list of dicts.

        Each has ``"message_id"``, ``"consumer"``, ``"time_since_delivered"`` in milliseconds and ``"times_delivered"``.
        Only those of ``consumername``, and those delivered ``idle`` milliseconds (or a timedelta) ago, if given.

        Since 5.0.0, idle 6.2.0, https://redis.io/commands/xpending/
        """
        words = [*option_words((b"IDLE", whole_milliseconds(idle))), min, max, count]
        if consumername is not None:
            words.append(consumername)
        return self.execute_command("XPENDING", name, groupname, *words, detailed=True)

    @command(
        "XREADGROUP",
        keys=read_streams,
        write=True,
        blocking=(block_place, "ms"),
        reply=as_streams,
        since="5.0.0",
    )
    def xreadgroup(
        self,
        groupname: EncodableT,
        consumername: EncodableT,
        streams: Mapping[Any, Any],
        count: int | None = None,
        block: int | None = None,
        noack: bool = False,
        claim_min_idle_time: int | None = None,
        max_count: int | None = None,
        max_size: int | None = None,
    ) -> list[list[Any]]:
        """Read as :meth:`xread` does, as a consumer of a group; what is read is pending then, unless ``noack``.

        The ID ``">"`` reads entries that were delivered to nobody; any other ID those after it that are pending for
        this consumer, an empty dict as the fields of one that is deleted.  ``claim_min_idle_time`` takes entries as
        well that are pending for anybody so many milliseconds; each entry is a tuple of four then, with the
        milliseconds since its delivery and how often it was delivered.

        Since 5.0.0, claim 8.4.0, max_count, max_size 8.10.0, https://redis.io/commands/xreadgroup/
        """
        words = [b"GROUP", groupname, consumername, *option_words((b"COUNT", count), (b"MAXCOUNT", max_count))]
        words += option_words((b"MAXSIZE", max_size), (b"BLOCK", block), (b"CLAIM", claim_min_idle_time))
        return self.execute_command("XREADGROUP", *words, *flag_words((b"NOACK", noack)), *streams_words(streams))
