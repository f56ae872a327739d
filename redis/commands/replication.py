"""Masters and replicas.

This module owns the commands of https://redis.io/commands/?group=server on replication.  PSYNC, SYNC and REPLCONF are
what servers say to one another; no client has a use for them.
"""

from __future__ import annotations

from typing import Any

from redis.commands.args import flag_words, option_words
from redis.commands.group import Group
from redis.commands.replies import bool_ok
from redis.commands.server_replies import native
from redis.commands.spec import command
from redis.exceptions import DataError
from redis.typing import T


def address_words(host: str | None, port: int | str | None) -> list[Any]:
    """Return the words of a master, those of none where nothing is given; DataError where half of it is missing."""
    if (host is None) != (port is None):
        raise DataError("host and port need each other")
    return [b"NO", b"ONE"] if host is None else [host, port]


class ReplicationCommands(Group[T]):
    """The commands on replication."""

    __slots__ = ()

    @command("FAILOVER", reply=bool_ok, since="6.2.0")
    def failover(
        self,
        host: str | None = None,
        port: int | None = None,
        force: bool = False,
        abort: bool = False,
        timeout: int | None = None,
    ) -> bool:
        """Have a master begin to give its place to a replica, that at ``host`` and ``port`` or any; return True.

        ``timeout`` is how many milliseconds the replica has to catch up; after them it is given up, or with ``force``
        done all the same.  ``abort`` gives up what was begun.  DataError for half an address, ``force`` without
        address and time-out, or ``abort`` with anything else.  Since 6.2.0, https://redis.io/commands/failover/
        """
        if force and (host is None or timeout is None):
            raise DataError("force needs host, port and timeout")
        if abort and (host is not None or timeout is not None):
            raise DataError("abort excludes host, port and timeout")
        words = [] if host is None and port is None else [b"TO", *address_words(host, port)]
        words += flag_words((b"FORCE", force), (b"ABORT", abort)) + option_words((b"TIMEOUT", timeout))
        return self.execute_command("FAILOVER", *words)

    @command("REPLICAOF", reply=bool_ok, since="5.0.0")
    def replicaof(self, host: str | None = None, port: int | str | None = None) -> bool:
        """Make the server a replica of that at ``host`` and ``port``, or without them a master; return True.

        DataError for half an address.  Since 5.0.0, https://redis.io/commands/replicaof/
        """
        return self.execute_command("REPLICAOF", *address_words(host, port))

    @command("ROLE", reply=native, decode=False, since="2.8.12")
    def role(self) -> list[Any]:
        """Return the role of the server, a native str, and what belongs to it.

        ``["master", offset, [[host, port, offset], ...]]``, the ports and offsets of the replicas as str;
        ``["slave", host, port, state, offset]`` of a replica; ``["sentinel", [name, ...]]``.

        Since 2.8.12, https://redis.io/commands/role/
        """
        return self.execute_command("ROLE")

    @command("SLAVEOF", reply=bool_ok)
    def slaveof(self, host: str | None = None, port: int | str | None = None) -> bool:
        """Do what :meth:`replicaof` does, under the older name, which every version knows.

        Since 1.0.0, https://redis.io/commands/slaveof/
        """
        return self.execute_command("SLAVEOF", *address_words(host, port))
