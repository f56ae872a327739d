"""The server: what it holds, how it is doing, how it is configured.

This module owns the commands of https://redis.io/commands/?group=server.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from redis.commands.args import flag_words
from redis.commands.group import Group
from redis.commands.replies import bool_ok, parse_config_get, parse_info, timestamp_to_datetime
from redis.commands.spec import command
from redis.typing import EncodableT, T


def seconds_and_microseconds(response: Any) -> tuple[int, int]:
    """Return both numbers of the server's clock."""
    return int(response[0]), int(response[1])


class ServerCommands(Group[T]):
    """The commands on the server itself."""

    __slots__ = ()

    @command("CONFIG GET", reply=parse_config_get, decode=False, since="2.0.0")
    def config_get(self, pattern: str = "*", *args: str) -> dict[str, str]:
        """Return the parameters that match ``pattern``, or one of ``args``, and their values, always as str.

        Since 2.0.0, several patterns 7.0.0, https://redis.io/commands/config-get/
        """
        return self.execute_command("CONFIG GET", pattern, *args)

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

    @command("TIME", reply=seconds_and_microseconds, since="2.6.0")
    def time(self) -> tuple[int, int]:
        """Return the server's clock: the Unix time in seconds, and the microseconds of the running second.

        Since 2.6.0, https://redis.io/commands/time/
        """
        return self.execute_command("TIME")
