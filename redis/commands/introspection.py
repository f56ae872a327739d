"""What the server measures: memory, latency, slow and large commands, hot keys; and DEBUG.

This module owns those commands of https://redis.io/commands/?group=server.  Reports are native str in every kind of
client; keys and the words of commands are values.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from redis.commands.args import choice, option_words
from redis.commands.group import Group
from redis.commands.replies import bool_ok, native_str, pairs_to_dict
from redis.commands.server_replies import (
    histograms,
    memory_stats,
    native,
    parse_debug_object,
    parse_slowlog_get,
    record,
)
from redis.commands.spec import command, declare
from redis.exceptions import DataError
from redis.typing import KeyT, T

LOGS = {b"SLOW": "duration", b"LARGE-REQUEST": "size", b"LARGE-REPLY": "size"}
"""The logs of COMMANDLOG, and what is measured for each."""
OF_ALL_NODES = {"request_policy": "all_nodes", "response_policy": "special"}
OF_ALL_SHARDS = {"request_policy": "all_shards", "response_policy": "special"}
SUM_OF_ALL = {"request_policy": "all_nodes", "response_policy": "agg_sum"}
ALL_OF_THEM = {"request_policy": "all_nodes", "response_policy": "all_succeeded"}

declare("COMMANDLOG HELP", since="Valkey 8.1.0")
declare("LATENCY HELP", since="2.8.13")
declare("SLOWLOG HELP", since="6.2.0")
# DEBUG is one command to the servers; its first words are declared so that they may be written as one.
declare("DEBUG")
declare("DEBUG SLEEP")
declare("DEBUG RELOAD")
declare("DEBUG SET-ACTIVE-EXPIRE")


hot_keys = record(by_cpu_time_us=pairs_to_dict, by_net_bytes=pairs_to_dict)


def hotkeys_reply(response: Any) -> Any:
    """Return the report as a dict; some versions wrap it into a list of one."""
    wrapped = isinstance(response, list) and len(response) == 1
    return hot_keys(response[0] if wrapped else response)


def log_type(value: str) -> bytes:
    """Return the name of a log of COMMANDLOG as it is sent."""
    found: bytes = choice("type", value, "SLOW", "LARGE-REQUEST", "LARGE-REPLY")
    return found


class IntrospectionCommands(Group[T]):
    """The commands that measure the server."""

    __slots__ = ()

    @command("COMMANDLOG GET", reply=parse_slowlog_get, since="Valkey 8.1.0", request_policy="all_nodes")
    def commandlog_get(self, count: int, type: str) -> list[dict[str, Any]]:
        """Return the newest ``count`` entries of a log, -1 for all.

        ``type`` is ``"slow"``, ``"large-request"`` or ``"large-reply"``.  The entries are those of :meth:`slowlog_get`;
        of the large ones ``size``, in bytes, stands in the place of ``duration``.

        Since Valkey 8.1.0, https://valkey.io/commands/commandlog-get/
        """
        name = log_type(type)
        return self.execute_command("COMMANDLOG GET", count, name, measure=LOGS[name])

    @command("COMMANDLOG LEN", since="Valkey 8.1.0", **SUM_OF_ALL)
    def commandlog_len(self, type: str) -> int:
        """Return the number of entries of a log; see :meth:`commandlog_get`.

        Since Valkey 8.1.0, https://valkey.io/commands/commandlog-len/
        """
        return self.execute_command("COMMANDLOG LEN", log_type(type))

    @command("COMMANDLOG RESET", reply=bool_ok, since="Valkey 8.1.0", **ALL_OF_THEM)
    def commandlog_reset(self, type: str) -> bool:
        """Empty a log; return True.

        Since Valkey 8.1.0, https://valkey.io/commands/commandlog-reset/
        """
        return self.execute_command("COMMANDLOG RESET", log_type(type))

    @command("DEBUG OBJECT", keys=2, reply=parse_debug_object, decode=False)
    def debug_object(self, key: KeyT) -> dict[str, Any]:
        """Return what the server knows of the value at ``key``, for those who debug it.

        A dict of str: ``type``, ``at``, ``encoding`` ...; ``refcount``, ``serializedlength``, ``lru`` and
        ``lru_seconds_idle`` are int.  ResponseError where there is no such key, or where DEBUG is not allowed.

        Since 1.0.0, https://redis.io/commands/debug-object/
        """
        return self.execute_command("DEBUG OBJECT", key)

    @command("DEBUG SEGFAULT")
    def debug_segfault(self) -> None:
        """Let the server crash: ConnectionError.  ResponseError where DEBUG is not allowed.

        Since 1.0.0, https://redis.io/commands/debug-segfault/
        """
        self.execute_command("DEBUG SEGFAULT")

    @command("HOTKEYS GET", reply=hotkeys_reply, since="8.6.0")
    def hotkeys_get(self) -> dict[str, Any] | None:
        """Return what was measured since :meth:`hotkeys_start`; None where nothing was.

        A dict: ``by-cpu-time-us`` and ``by-net-bytes`` are dicts of keys and numbers, the hottest first; the others
        tell what was measured, and when.  Since 8.6.0, https://redis.io/commands/hotkeys-get/
        """
        return self.execute_command("HOTKEYS GET")

    @command("HOTKEYS RESET", reply=bool_ok, since="8.6.0")
    def hotkeys_reset(self) -> bool:
        """Forget what was measured; return True.  ResponseError while it is being measured.

        Since 8.6.0, https://redis.io/commands/hotkeys-reset/
        """
        return self.execute_command("HOTKEYS RESET")

    @command("HOTKEYS START", reply=bool_ok, since="8.6.0")
    def hotkeys_start(
        self,
        metrics: str | Iterable[str],
        count: int | None = None,
        duration: int | None = None,
        sample_ratio: int | None = None,
        slots: Iterable[int] | None = None,
    ) -> bool:
        """Begin to measure which keys are used most; return True.

        ``metrics`` is one or both of ``"CPU"`` and ``"NET"``; ``count`` keys are kept, for ``duration`` seconds; one
        access in ``sample_ratio`` is counted, ``slots`` of a cluster are measured alone.  DataError where metrics
        is empty.  Since 8.6.0, https://redis.io/commands/hotkeys-start/
        """
        chosen = [choice("metrics", one, "CPU", "NET") for one in ([metrics] if isinstance(metrics, str) else metrics)]
        if not chosen:
            raise DataError("hotkeys_start needs metrics, CPU or NET or both")
        words = option_words((b"COUNT", count), (b"DURATION", duration), (b"SAMPLE", sample_ratio))
        numbers = list(slots or ())
        if numbers:
            words += [b"SLOTS", len(numbers)]
        return self.execute_command("HOTKEYS START", b"METRICS", len(chosen), *chosen, *words, *numbers)

    @command("HOTKEYS STOP", reply=bool_ok, since="8.6.0")
    def hotkeys_stop(self) -> bool:
        """End what :meth:`hotkeys_start` began; what was measured stays.  Return True.

        Since 8.6.0, https://redis.io/commands/hotkeys-stop/
        """
        return self.execute_command("HOTKEYS STOP")

    @command("LATENCY DOCTOR", reply=native_str, decode=False, since="2.8.13", **OF_ALL_NODES)
    def latency_doctor(self) -> str:
        """Return a report on latency, to be read by people.

        Since 2.8.13, https://redis.io/commands/latency-doctor/
        """
        return self.execute_command("LATENCY DOCTOR")

    @command("LATENCY GRAPH", reply=native_str, decode=False, since="2.8.13", **OF_ALL_NODES)
    def latency_graph(self, event: str) -> str:
        """Return the latency of an event as a drawing.  ResponseError where nothing was measured.

        Since 2.8.13, https://redis.io/commands/latency-graph/
        """
        return self.execute_command("LATENCY GRAPH", event)

    @command("LATENCY HISTOGRAM", reply=histograms, decode=False, since="7.0.0", **OF_ALL_NODES)
    def latency_histogram(self, *args: str) -> dict[str, dict[str, Any]]:
        """Return how long the commands ``args``, or all that were called, took.

        By their names a dict each: ``calls``, and ``histogram_usec``, a dict of microseconds and how many calls took no
        longer.  Since 7.0.0, https://redis.io/commands/latency-histogram/
        """
        return self.execute_command("LATENCY HISTOGRAM", *args)

    @command("LATENCY HISTORY", since="2.8.13", **OF_ALL_NODES)
    def latency_history(self, event: str) -> list[list[int]]:
        """Return the latency of an event: lists of a Unix time in seconds and of milliseconds.

        Since 2.8.13, https://redis.io/commands/latency-history/
        """
        return self.execute_command("LATENCY HISTORY", event)

    @command("LATENCY LATEST", reply=native, decode=False, since="2.8.13", **OF_ALL_NODES)
    def latency_latest(self) -> list[list[Any]]:
        """Return the latest latency of each event.

        Lists of its name, a Unix time in seconds, the latest and the highest milliseconds, and what more the server
        tells.  Since 2.8.13, https://redis.io/commands/latency-latest/
        """
        return self.execute_command("LATENCY LATEST")

    @command("LATENCY RESET", since="2.8.13", **SUM_OF_ALL)
    def latency_reset(self, *events: str) -> int:
        """Forget the latency of ``events``, or of all; return how many there were.

        Since 2.8.13, https://redis.io/commands/latency-reset/
        """
        return self.execute_command("LATENCY RESET", *events)

    @command("MEMORY DOCTOR", reply=native_str, decode=False, since="4.0.0", **OF_ALL_SHARDS)
    def memory_doctor(self) -> str:
        """Return a report on memory, to be read by people.

        Since 4.0.0, https://redis.io/commands/memory-doctor/
        """
        return self.execute_command("MEMORY DOCTOR")

    @command("MEMORY HELP", reply=native, decode=False, since="4.0.0")
    def memory_help(self) -> list[str]:
        """Return the lines of the server's help.

        Since 4.0.0, https://redis.io/commands/memory-help/
        """
        return self.execute_command("MEMORY HELP")

    @command("MEMORY MALLOC-STATS", reply=native_str, decode=False, since="4.0.0", **OF_ALL_SHARDS)
    def memory_malloc_stats(self) -> str:
        """Return the report of the memory allocator, to be read by people.

        Since 4.0.0, https://redis.io/commands/memory-malloc-stats/
        """
        return self.execute_command("MEMORY MALLOC-STATS")

    @command("MEMORY PURGE", reply=bool_ok, since="4.0.0", request_policy="all_shards", response_policy="all_succeeded")
    def memory_purge(self) -> bool:
        """Have the allocator give back memory that it does not need; return True.

        Since 4.0.0, https://redis.io/commands/memory-purge/
        """
        return self.execute_command("MEMORY PURGE")

    @command("MEMORY STATS", reply=memory_stats, decode=False, since="4.0.0", **OF_ALL_SHARDS)
    def memory_stats(self) -> dict[str, Any]:
        """Return what memory is used for: a dict of bytes, counts and (as float) ratios; a dict for each database.

        Since 4.0.0, https://redis.io/commands/memory-stats/
        """
        return self.execute_command("MEMORY STATS")

    @command("MEMORY USAGE", keys=2, readonly=True, since="4.0.0")
    def memory_usage(self, key: KeyT, samples: int | None = None) -> int | None:
        """Return how many bytes a key and its value take; None where there is no such key.

        Of a nested value ``samples`` elements are looked at, 5 by default, 0 for all.

        Since 4.0.0, https://redis.io/commands/memory-usage/
        """
        return self.execute_command("MEMORY USAGE", key, *option_words((b"SAMPLES", samples)))

    @command("SLOWLOG GET", reply=parse_slowlog_get, since="2.2.12", request_policy="all_nodes")
    def slowlog_get(self, num: int | None = None) -> list[dict[str, Any]]:
        """Return the newest entries of the log of slow commands, 10 or ``num`` of them, -1 for all.

        Each is a dict: ``id``, ``start_time`` (Unix, in seconds), ``duration`` (in microseconds), ``command`` (its
        words joined by spaces, bytes or str as values are), ``client_address`` and ``client_name``.

        Since 2.2.12, https://redis.io/commands/slowlog-get/
        """
        return self.execute_command("SLOWLOG GET", *([] if num is None else [num]))

    @command("SLOWLOG LEN", since="2.2.12", **SUM_OF_ALL)
    def slowlog_len(self) -> int:
        """Return the number of entries of the log of slow commands.

        Since 2.2.12, https://redis.io/commands/slowlog-len/
        """
        return self.execute_command("SLOWLOG LEN")

    @command("SLOWLOG RESET", reply=bool_ok, since="2.2.12", **ALL_OF_THEM)
    def slowlog_reset(self) -> bool:
        """Empty the log of slow commands; return True.

        Since 2.2.12, https://redis.io/commands/slowlog-reset/
        """
        return self.execute_command("SLOWLOG RESET")
