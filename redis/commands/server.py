"""The server: what it holds, how it is doing, how it is configured, how it keeps its data and how it ends.

This module owns these commands of https://redis.io/commands/?group=server; what the server measures is in
``introspection.py``, what it tells of its commands in ``catalogue.py``, its masters and replicas in ``replication.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from redis.commands.args import flag_words
from redis.commands.group import Group
from redis.commands.replies import bool_ok, native_str, parse_config_get, parse_info, timestamp_to_datetime
from redis.commands.server_replies import records
from redis.commands.spec import command, declare
from redis.exceptions import ConnectionError, DataError
from redis.typing import EncodableT, T

declare("CONFIG HELP", since="5.0.0")
declare("MODULE HELP", since="5.0.0")
declare("MONITOR")


def started(response: Any) -> bool:
    """Return True: the server answers with words that differ from version to version."""
    return True


def seconds_and_microseconds(response: Any) -> tuple[int, int]:
    """Return both numbers of the server's clock."""
    return int(response[0]), int(response[1])


class ServerCommands(Group[T]):
    """The commands on the server itself."""

    __slots__ = ()

    @command("BGREWRITEAOF", reply=started)
    def bgrewriteaof(self) -> bool:
        """Have the server write its append-only file anew in the background; return True.

        ResponseError where it does so already.  Since 1.0.0, https://redis.io/commands/bgrewriteaof/
        """
        return self.execute_command("BGREWRITEAOF")

    @command("BGSAVE", reply=started)
    def bgsave(self, schedule: bool = False) -> bool:
        """Have the server save its data in the background; return True.

        ResponseError where it does so already, or writes its append-only file; with ``schedule`` it saves after that.

        Since 1.0.0, schedule 3.2.2, https://redis.io/commands/bgsave/
        """
        return self.execute_command("BGSAVE", *flag_words((b"SCHEDULE", schedule)))

    @command("CONFIG GET", reply=parse_config_get, decode=False, since="2.0.0")
    def config_get(self, pattern: str = "*", *args: str) -> dict[str, str]:
        """Return the parameters that match ``pattern``, or one of ``args``, and their values, always as str.

        Since 2.0.0, several patterns 7.0.0, https://redis.io/commands/config-get/
        """
        return self.execute_command("CONFIG GET", pattern, *args)

    @command(
        "CONFIG RESETSTAT", reply=bool_ok, since="2.0.0", request_policy="all_nodes", response_policy="all_succeeded"
    )
    def config_resetstat(self) -> bool:
        """Set the counters that :meth:`info` reports back to 0; return True.

        Since 2.0.0, https://redis.io/commands/config-resetstat/
        """
        return self.execute_command("CONFIG RESETSTAT")

    @command(
        "CONFIG REWRITE", reply=bool_ok, since="2.8.0", request_policy="all_nodes", response_policy="all_succeeded"
    )
    def config_rewrite(self) -> bool:
        """Write the parameters as they are now to the configuration file; return True.

        ResponseError where the server runs without one.  Since 2.8.0, https://redis.io/commands/config-rewrite/
        """
        return self.execute_command("CONFIG REWRITE")

    @command("CONFIG SET", reply=bool_ok, since="2.0.0", request_policy="all_nodes", response_policy="all_succeeded")
    def config_set(self, name: str, value: EncodableT, *args: EncodableT) -> bool:
        """Set the parameter ``name``, and those that follow in ``args`` with their values; return True.

        ResponseError where there is no such parameter or the value does not suit it; then none is set.

        Since 2.0.0, several parameters 7.0.0, https://redis.io/commands/config-set/
        """
        return self.execute_command("CONFIG SET", name, value, *args)

    @command("DBSIZE", readonly=True, request_policy="all_shards", response_policy="agg_sum")
    def dbsize(self) -> int:
        """Return the number of keys in the database.

        Since 1.0.0, https://redis.io/commands/dbsize/
        """
        return self.execute_command("DBSIZE")

    @command("FLUSHALL", write=True, reply=bool_ok, request_policy="all_shards", response_policy="all_succeeded")
    def flushall(self, asynchronous: bool = False) -> bool:
        """Delete all keys of all databases, with ``asynchronous`` in the background; return True.

        Since 1.0.0, asynchronous 4.0.0, https://redis.io/commands/flushall/
        """
        return self.execute_command("FLUSHALL", *flag_words((b"ASYNC", asynchronous)))

    @command("FLUSHDB", write=True, reply=bool_ok, request_policy="all_shards", response_policy="all_succeeded")
    def flushdb(self, asynchronous: bool = False) -> bool:
        """Delete all keys of the database, with ``asynchronous`` in the background; return True.

        Since 1.0.0, asynchronous 4.0.0, https://redis.io/commands/flushdb/
        """
        return self.execute_command("FLUSHDB", *flag_words((b"ASYNC", asynchronous)))

    @command("INFO", reply=parse_info, decode=False, request_policy="all_shards", response_policy="special")
    def info(self, section: str | None = None, *args: str) -> dict[str, Any]:
        """Return what the server reports of itself, all of it or some sections, such as ``"memory"``.

        A dict of native str; numbers are int or float, and ``db0`` and its like are dicts of int.  Lines that have no
        name are in the list under ``"__raw__"``.  Since 1.0.0, several sections 7.0.0, https://redis.io/commands/info/
        """
        return self.execute_command("INFO", *([] if section is None else [section, *args]))

    @command("LASTSAVE", reply=timestamp_to_datetime)
    def lastsave(self) -> datetime:
        """Return when the data was last saved to disk, a naive datetime of local time.

        Since 1.0.0, https://redis.io/commands/lastsave/
        """
        return self.execute_command("LASTSAVE")

    @command("LOLWUT", readonly=True, reply=native_str, decode=False, since="5.0.0")
    def lolwut(self, *version_numbers: int) -> str:
        """Return a drawing and the version of the server; ``version_numbers`` choose another drawing.

        Since 5.0.0, https://redis.io/commands/lolwut/
        """
        return self.execute_command("LOLWUT", *([b"VERSION", *version_numbers] if version_numbers else []))

    @command("MODULE LIST", reply=records(), decode=False, since="4.0.0")
    def module_list(self) -> list[dict[str, Any]]:
        """Return the loaded modules: a dict each, with ``name``, ``ver``, and ``path`` and ``args`` since 7.0.0.

        Since 4.0.0, https://redis.io/commands/module-list/
        """
        return self.execute_command("MODULE LIST")

    @command("MODULE LOAD", reply=bool_ok, since="4.0.0")
    def module_load(self, path: str, *args: EncodableT) -> bool:
        """Load a module from a file of the server's machine, with ``args`` for it; return True.

        ResponseError where that fails, or is not allowed.  Since 4.0.0, https://redis.io/commands/module-load/
        """
        return self.execute_command("MODULE LOAD", path, *args)

    @command("MODULE LOADEX", reply=bool_ok, since="7.0.0")
    def module_loadex(
        self, path: str, options: Mapping[str, EncodableT] | None = None, args: Iterable[EncodableT] | None = None
    ) -> bool:
        """Load a module, with ``options`` for its configuration and ``args`` for itself; return True.

        ResponseError where that fails, or is not allowed.  Since 7.0.0, https://redis.io/commands/module-loadex/
        """
        settings = [word for name, value in (options or {}).items() for word in (b"CONFIG", name, value)]
        words = list(args or ())
        return self.execute_command("MODULE LOADEX", path, *settings, *flag_words((b"ARGS", words)), *words)

    @command("MODULE UNLOAD", reply=bool_ok, since="4.0.0")
    def module_unload(self, name: str) -> bool:
        """Unload a module; return True.  ResponseError where there is none of that name, or it cannot be unloaded.

        Since 4.0.0, https://redis.io/commands/module-unload/
        """
        return self.execute_command("MODULE UNLOAD", name)

    @command("SAVE", reply=bool_ok)
    def save(self) -> bool:
        """Have the server save its data at once, answering nobody meanwhile; return True.

        ResponseError where it is saving in the background.  Since 1.0.0, https://redis.io/commands/save/
        """
        return self.execute_command("SAVE")

    @command("SHUTDOWN")
    def shutdown(
        self, save: bool = False, nosave: bool = False, now: bool = False, force: bool = False, abort: bool = False
    ) -> None:
        """Have the server save its data, as it is configured, and end.

        ``save`` and ``nosave`` say whether to save; ``now`` does not wait for replicas, ``force`` ends it even where
        saving fails, ``abort`` takes back a shutdown that waits.  DataError for save with nosave, and for abort with
        others; ResponseError where the server goes on; ConnectionError where it could not be told.

        Since 1.0.0, now, force and abort 7.0.0, https://redis.io/commands/shutdown/
        """
        if save and nosave:
            raise DataError("save and nosave exclude each other")
        if abort and (save or nosave or now or force):
            raise DataError("abort excludes save, nosave, now and force")
        flags = flag_words((b"SAVE", save), (b"NOSAVE", nosave), (b"NOW", now), (b"FORCE", force), (b"ABORT", abort))
        try:
            self.execute_command("SHUTDOWN", *flags)
        except ConnectionError as error:
            if not error.maybe_applied:
                raise

    @command("SWAPDB", write=True, reply=bool_ok, since="4.0.0")
    def swapdb(self, first: int, second: int) -> bool:
        """Exchange two databases: their clients see the other's keys at once; return True.

        Since 4.0.0, https://redis.io/commands/swapdb/
        """
        return self.execute_command("SWAPDB", first, second)

    @command("TIME", reply=seconds_and_microseconds, since="2.6.0")
    def time(self) -> tuple[int, int]:
        """Return the server's clock: the Unix time in seconds, and the microseconds of the running second.

        Since 2.6.0, https://redis.io/commands/time/
        """
        return self.execute_command("TIME")
