"""A node of a cluster: what it knows of the others, and which slots are whose.

This module owns the commands of https://redis.io/commands/?group=cluster; each goes to the one node that the client is
connected to.  READONLY, READWRITE and ASKING change a connection and are in ``session.py``.  CLUSTER SYNCSLOTS is what
nodes say to one another; no client has a use for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from redis.commands.args import choice, flag_words, scan_words
from redis.commands.group import Group
from redis.commands.replies import bool_ok, native_str
from redis.commands.server_replies import (
    cluster_shards,
    cluster_slot_stats,
    cluster_slots,
    cursor_and_keys,
    parse_cluster_info,
    parse_cluster_nodes,
    records,
)
from redis.commands.spec import command, declare, known_name
from redis.exceptions import DataError
from redis.typing import EncodableT, KeyT, PatternT, T

declare("CLUSTER HELP", since="5.0.0")


def slot_ranges(name: str, slots: tuple[int, ...]) -> tuple[int, ...]:
    """Return the bounds of ranges as they are; DataError where one has no end."""
    if not slots or len(slots) % 2:
        raise DataError(f"{name} needs the first and the last slot of each range")
    return slots


class ClusterCommands(Group[T]):
    """The commands to one node; addresses, identifiers and reports are native str in every kind of client."""

    __slots__ = ()

    def cluster(self, cluster_arg: str, *args: EncodableT) -> Any:
        """Send any command that begins with CLUSTER, such as ``cluster("info")``; return what its own method does."""
        return self.execute_command(*known_name("CLUSTER", cluster_arg), *args)

    @command("CLUSTER ADDSLOTS", reply=bool_ok, since="3.0.0")
    def cluster_addslots(self, *slots: int) -> bool:
        """Give slots to this node; return True.  ResponseError where one of them is taken.

        Since 3.0.0, https://redis.io/commands/cluster-addslots/
        """
        return self.execute_command("CLUSTER ADDSLOTS", *slots)

    @command("CLUSTER ADDSLOTSRANGE", reply=bool_ok, since="7.0.0")
    def cluster_addslotsrange(self, *slots: int) -> bool:
        """Give ranges of slots, the first and the last of each, to this node; return True.

        Since 7.0.0, https://redis.io/commands/cluster-addslotsrange/
        """
        return self.execute_command("CLUSTER ADDSLOTSRANGE", *slot_ranges("cluster_addslotsrange", slots))

    @command("CLUSTER BUMPEPOCH", reply=native_str, decode=False, since="3.0.0")
    def cluster_bumpepoch(self) -> str:
        """Raise the epoch of this node's configuration; return ``"BUMPED"`` or ``"STILL"`` and the epoch.

        Since 3.0.0, https://redis.io/commands/cluster-bumpepoch/
        """
        return self.execute_command("CLUSTER BUMPEPOCH")

    @command("CLUSTER CANCELSLOTMIGRATIONS", reply=bool_ok, since="Valkey 9.0.0")
    def cluster_cancelslotmigrations(self) -> bool:
        """Give up the migrations that :meth:`cluster_migrateslots` began; return True.  ResponseError for none.

        Since Valkey 9.0.0, https://valkey.io/commands/cluster-cancelslotmigrations/
        """
        return self.execute_command("CLUSTER CANCELSLOTMIGRATIONS")

    @command("CLUSTER COUNT-FAILURE-REPORTS", since="3.0.0")
    def cluster_count_failure_report(self, node_id: str) -> int:
        """Return how many nodes have told this one that a node fails.

        Since 3.0.0, https://redis.io/commands/cluster-count-failure-reports/
        """
        return self.execute_command("CLUSTER COUNT-FAILURE-REPORTS", node_id)

    @command("CLUSTER COUNTKEYSINSLOT", since="3.0.0")
    def cluster_countkeysinslot(self, slot_id: int) -> int:
        """Return the number of keys that this node has in a slot.

        Since 3.0.0, https://redis.io/commands/cluster-countkeysinslot/
        """
        return self.execute_command("CLUSTER COUNTKEYSINSLOT", slot_id)

    @command("CLUSTER DELSLOTS", reply=bool_ok, since="3.0.0")
    def cluster_delslots(self, *slots: int) -> bool:
        """Have this node forget whose these slots are; return True.

        Since 3.0.0, https://redis.io/commands/cluster-delslots/
        """
        return self.execute_command("CLUSTER DELSLOTS", *slots)

    @command("CLUSTER DELSLOTSRANGE", reply=bool_ok, since="7.0.0")
    def cluster_delslotsrange(self, *slots: int) -> bool:
        """Have this node forget whose these ranges of slots are, the first and the last of each; return True.

        Since 7.0.0, https://redis.io/commands/cluster-delslotsrange/
        """
        return self.execute_command("CLUSTER DELSLOTSRANGE", *slot_ranges("cluster_delslotsrange", slots))

    @command("CLUSTER FAILOVER", reply=bool_ok, since="3.0.0")
    def cluster_failover(self, option: str | None = None) -> bool:
        """Have this replica begin to take its master's place; return True.

        ``option`` FORCE does not ask the master, TAKEOVER nobody.  ResponseError where this node is no replica.

        Since 3.0.0, https://redis.io/commands/cluster-failover/
        """
        words = [] if option is None else [choice("option", option, "FORCE", "TAKEOVER")]
        return self.execute_command("CLUSTER FAILOVER", *words)

    @command("CLUSTER FLUSHSLOT", write=True, reply=bool_ok, since="Valkey 9.0.0")
    def cluster_flushslot(self, slot: int, asynchronous: bool = False) -> bool:
        """Delete the keys of a slot, with ``asynchronous`` in the background; return True.

        Since Valkey 9.0.0, https://valkey.io/commands/cluster-flushslot/
        """
        return self.execute_command("CLUSTER FLUSHSLOT", slot, *flag_words((b"ASYNC", asynchronous)))

    @command("CLUSTER FLUSHSLOTS", reply=bool_ok, since="3.0.0")
    def cluster_flushslots(self) -> bool:
        """Have this node forget whose all slots are; return True.  ResponseError where it has keys.

        Since 3.0.0, https://redis.io/commands/cluster-flushslots/
        """
        return self.execute_command("CLUSTER FLUSHSLOTS")

    @command("CLUSTER FORGET", reply=bool_ok, since="3.0.0")
    def cluster_forget(self, node_id: str) -> bool:
        """Have this node forget another one; return True.

        Since 3.0.0, https://redis.io/commands/cluster-forget/
        """
        return self.execute_command("CLUSTER FORGET", node_id)

    @command("CLUSTER GETKEYSINSLOT", since="3.0.0")
    def cluster_get_keys_in_slot(self, slot: int, num_keys: int) -> list[T]:
        """Return up to ``num_keys`` keys that this node has in a slot.

        Since 3.0.0, https://redis.io/commands/cluster-getkeysinslot/
        """
        return self.execute_command("CLUSTER GETKEYSINSLOT", slot, num_keys)

    @command("CLUSTER GETSLOTMIGRATIONS", reply=records(), decode=False, since="Valkey 9.0.0")
    def cluster_getslotmigrations(self) -> list[dict[str, Any]]:
        """Return what became of the migrations of slots, those that are under way and those of late: a dict each.

        Since Valkey 9.0.0, https://valkey.io/commands/cluster-getslotmigrations/
        """
        return self.execute_command("CLUSTER GETSLOTMIGRATIONS")

    @command("CLUSTER INFO", reply=parse_cluster_info, decode=False, since="3.0.0")
    def cluster_info(self) -> dict[str, str]:
        """Return what this node knows of the cluster: a dict of str, ``cluster_state``, ``cluster_slots_ok`` ...

        Since 3.0.0, https://redis.io/commands/cluster-info/
        """
        return self.execute_command("CLUSTER INFO")

    @command("CLUSTER KEYSLOT", since="3.0.0")
    def cluster_keyslot(self, key: KeyT) -> int:
        """Return the slot of a key.

        Since 3.0.0, https://redis.io/commands/cluster-keyslot/
        """
        return self.execute_command("CLUSTER KEYSLOT", key)

    @command("CLUSTER LINKS", reply=records(), decode=False, since="7.0.0")
    def cluster_links(self) -> list[dict[str, Any]]:
        """Return the connections of this node to others: a dict each, with ``direction``, ``node``, ``events`` ...

        Since 7.0.0, https://redis.io/commands/cluster-links/
        """
        return self.execute_command("CLUSTER LINKS")

    @command("CLUSTER MEET", reply=bool_ok, since="3.0.0")
    def cluster_meet(self, host: str, port: int, bus_port: int | None = None) -> bool:
        """Have this node meet another; return True before they have met.

        ``bus_port`` is where the other listens for nodes, ``port + 10000`` by default.

        Since 3.0.0, bus_port 4.0.0, https://redis.io/commands/cluster-meet/
        """
        return self.execute_command("CLUSTER MEET", host, port, *([] if bus_port is None else [bus_port]))

    @command("CLUSTER MIGRATESLOTS", reply=bool_ok, since="Valkey 9.0.0")
    def cluster_migrateslots(self, node_id: str, *slots: int) -> bool:
        """Begin to move ranges of slots, the first and the last of each, with their keys to a node; return True.

        Since Valkey 9.0.0, https://valkey.io/commands/cluster-migrateslots/
        """
        ranges = slot_ranges("cluster_migrateslots", slots)
        return self.execute_command("CLUSTER MIGRATESLOTS", b"SLOTSRANGE", *ranges, b"NODE", node_id)

    @command("CLUSTER MYID", reply=native_str, decode=False, since="3.0.0")
    def cluster_myid(self) -> str:
        """Return the identifier of this node.

        Since 3.0.0, https://redis.io/commands/cluster-myid/
        """
        return self.execute_command("CLUSTER MYID")

    @command("CLUSTER MYSHARDID", reply=native_str, decode=False, since="7.2.0")
    def cluster_myshardid(self) -> str:
        """Return the identifier that this node shares with its replicas or its master.

        Since 7.2.0, https://redis.io/commands/cluster-myshardid/
        """
        return self.execute_command("CLUSTER MYSHARDID")

    @command("CLUSTER NODES", reply=parse_cluster_nodes, decode=False, since="3.0.0")
    def cluster_nodes(self) -> dict[str, dict[str, Any]]:
        """Return what this node knows of the nodes, by their addresses ``"host:port"``.

        A dict each: ``node_id``, ``hostname``, ``flags``, ``master_id`` (``"-"`` of a master), ``last_ping_sent`` and
        ``last_pong_rcvd`` (milliseconds) and ``epoch`` are str, ``connected`` is a bool, ``slots`` a list of lists (the
        first and the last slot, or one), ``migrations`` a list of dicts (``slot``, ``node_id``, ``state``).

        Since 3.0.0, https://redis.io/commands/cluster-nodes/
        """
        return self.execute_command("CLUSTER NODES")

    @command("CLUSTER REPLICAS", reply=parse_cluster_nodes, decode=False, since="5.0.0")
    def cluster_replicas(self, node_id: str) -> dict[str, dict[str, Any]]:
        """Return what this node knows of the replicas of a master, as :meth:`cluster_nodes`.

        Since 5.0.0, https://redis.io/commands/cluster-replicas/
        """
        return self.execute_command("CLUSTER REPLICAS", node_id)

    @command("CLUSTER REPLICATE", reply=bool_ok, since="3.0.0")
    def cluster_replicate(self, node_id: str) -> bool:
        """Make this node a replica of a master; return True.  ResponseError where it has slots or keys.

        Since 3.0.0, https://redis.io/commands/cluster-replicate/
        """
        return self.execute_command("CLUSTER REPLICATE", node_id)

    @command("CLUSTER RESET", reply=bool_ok, since="3.0.0")
    def cluster_reset(self, soft: bool = True) -> bool:
        """Have this node leave its cluster, and with ``soft`` False take a new identifier; return True.

        ResponseError where it is a master with keys.  Since 3.0.0, https://redis.io/commands/cluster-reset/
        """
        return self.execute_command("CLUSTER RESET", b"SOFT" if soft else b"HARD")

    @command("CLUSTER SAVECONFIG", reply=bool_ok, since="3.0.0")
    def cluster_save_config(self) -> bool:
        """Have this node write what it knows of the cluster to its file; return True.

        Since 3.0.0, https://redis.io/commands/cluster-saveconfig/
        """
        return self.execute_command("CLUSTER SAVECONFIG")

    @command("CLUSTER SET-CONFIG-EPOCH", reply=bool_ok, since="3.0.0")
    def cluster_set_config_epoch(self, epoch: int) -> bool:
        """Set the epoch of a node that is new and alone; return True.  ResponseError elsewhere.

        Since 3.0.0, https://redis.io/commands/cluster-set-config-epoch/
        """
        return self.execute_command("CLUSTER SET-CONFIG-EPOCH", epoch)

    @command("CLUSTER SETSLOT", reply=bool_ok, since="3.0.0")
    def cluster_setslot(self, node_id: str, slot_id: int, state: str) -> bool:
        """Tell this node that a slot belongs to a node (``state`` NODE), or is moved to or from it; return True.

        ``state`` is NODE, IMPORTING, MIGRATING or STABLE, which ends a move and needs no node.

        Since 3.0.0, https://redis.io/commands/cluster-setslot/
        """
        chosen = choice("state", state, "NODE", "IMPORTING", "MIGRATING", "STABLE")
        return self.execute_command("CLUSTER SETSLOT", slot_id, chosen, *([] if chosen == b"STABLE" else [node_id]))

    def cluster_setslot_stable(self, slot_id: int) -> bool:
        """End the move of a slot: :meth:`cluster_setslot` with the state STABLE."""
        return self.execute_command("CLUSTER SETSLOT", slot_id, b"STABLE")

    @command("CLUSTER SHARDS", reply=cluster_shards, decode=False, since="7.0.0")
    def cluster_shards(self) -> list[dict[str, Any]]:
        """Return the shards: a dict each, with ``slots``, a list of the first and the last of each range as tuples, and
        ``nodes``, a list of dicts with ``id``, ``ip``, ``port``, ``role``, ``health`` ...

        Since 7.0.0, https://redis.io/commands/cluster-shards/
        """
        return self.execute_command("CLUSTER SHARDS")

    @command("CLUSTER SLAVES", reply=parse_cluster_nodes, decode=False, since="3.0.0")
    def cluster_slaves(self, node_id: str) -> dict[str, dict[str, Any]]:
        """Return what :meth:`cluster_replicas` does, under the older name, which every version knows.

        Since 3.0.0, https://redis.io/commands/cluster-slaves/
        """
        return self.execute_command("CLUSTER SLAVES", node_id)

    @command("CLUSTER SLOT-STATS", reply=cluster_slot_stats, decode=False, since="8.2.0", request_policy="all_shards")
    def cluster_slot_stats(
        self,
        slots_range: tuple[int, int] | None = None,
        orderby: str | None = None,
        limit: int | None = None,
        desc: bool = True,
    ) -> dict[int, dict[str, Any]]:
        """Return the numbers of slots of this node, by slot: a dict each, with ``key-count`` ...

        Either those from the first to the last of ``slots_range``, or the ``limit`` that are highest (lowest without
        ``desc``) in the number that ``orderby`` names.  DataError for both or none.

        Since 8.2.0 (Valkey 8.0.0), https://redis.io/commands/cluster-slot-stats/
        """
        if (slots_range is None) == (orderby is None):
            raise DataError("cluster_slot_stats needs slots_range or orderby, and not both")
        if slots_range is not None:
            return self.execute_command("CLUSTER SLOT-STATS", b"SLOTSRANGE", *slots_range)
        words = [] if limit is None else [b"LIMIT", limit]
        return self.execute_command("CLUSTER SLOT-STATS", b"ORDERBY", orderby, *words, b"DESC" if desc else b"ASC")

    @command("CLUSTER SLOTS", reply=cluster_slots, since="3.0.0")
    def cluster_slots(self) -> list[list[Any]]:
        """Return the ranges of slots: lists of the first slot, the last, the master and its replicas.

        A node is a list of host, port, identifier (bytes or str, as values are) and a dict of what else is known.

        Since 3.0.0, https://redis.io/commands/cluster-slots/
        """
        return self.execute_command("CLUSTER SLOTS")

    @command(
        "CLUSTERSCAN",
        keys=1,
        readonly=True,
        reply=cursor_and_keys,
        since="Valkey 9.1.0",
        request_policy="special",
        response_policy="special",
    )
    def clusterscan(
        self,
        cursor: str | bytes | int = 0,
        match: PatternT | None = None,
        count: int | None = None,
        _type: str | None = None,
        slot: int | None = None,
    ) -> tuple[str, list[T]]:
        """Return the next cursor, a str that is ``"0"`` at the end, and some keys of the cluster.

        The cursor tells the slot that comes next, and so the node that is to be asked.  The options are those of
        :meth:`scan`; ``slot`` keeps to one slot.

        Since Valkey 9.1.0, https://valkey.io/commands/clusterscan/
        """
        words = scan_words(match, count, _type)
        return self.execute_command("CLUSTERSCAN", cursor, *words, *([] if slot is None else [b"SLOT", slot]))

    def clusterscan_iter(
        self,
        match: PatternT | None = None,
        count: int | None = None,
        _type: str | None = None,
        slot: int | None = None,
    ) -> Iterator[T]:
        """Yield the keys that :meth:`clusterscan` finds; each at least once if it is there all the time."""
        cursor = "0"
        while True:
            cursor, keys = self.clusterscan(cursor, match, count, _type, slot)
            yield from keys
            if cursor == "0":
                return
