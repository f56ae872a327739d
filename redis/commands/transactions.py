"""Transactions: MULTI, EXEC, DISCARD, WATCH and UNWATCH.

They speak to one connection, and a pipeline is what has one: it sends them itself.  Here they are declared; the methods
``watch`` and ``unwatch`` of a client say where they are to be called.
"""

from __future__ import annotations

from typing import NoReturn

from redis.commands.group import Group
from redis.commands.replies import bool_ok
from redis.commands.spec import command, declare
from redis.exceptions import WatchError
from redis.typing import KeyT, T

declare("MULTI", since="1.2.0")
declare("EXEC", since="1.2.0")
declare("DISCARD", since="2.0.0")


class TransactionCommands(Group[T]):
    """What a client says of transactions; a pipeline does them."""

    __slots__ = ()

    @command("WATCH", keys=slice(1, None), reply=bool_ok, since="2.2.0")
    def watch(self, *names: KeyT) -> NoReturn:
        """Raise a WatchError: only a pipeline keeps the connection that watches; ``client.pipeline().watch(...)``.

        Since 2.2.0, https://redis.io/commands/watch/
        """
        raise WatchError("WATCH belongs to one connection: use the watch() of a pipeline")

    @command("UNWATCH", reply=bool_ok, since="2.2.0")
    def unwatch(self) -> NoReturn:
        """Raise a WatchError: only a pipeline keeps the connection that watches; ``client.pipeline().unwatch()``.

        Since 2.2.0, https://redis.io/commands/unwatch/
        """
        raise WatchError("UNWATCH belongs to one connection: use the unwatch() of a pipeline")
