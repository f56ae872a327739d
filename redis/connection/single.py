"""The pool of one connection, which a client keeps for itself.

Another pool has lent it, and gets it back when the client is closed.  This module must not know commands.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from redis.connection.pool import ConnectionPool, closed_error
from redis.connection.tcp import Connection
from redis.connection.wire import Keeper
from redis.exceptions import RedisError


class SingleConnectionPool(ConnectionPool):
    """The one connection that a client keeps for itself; another pool has lent it.

    What a command changes on it stays changed, so it is never made anew in silence.
    """

    def __init__(self, lender: ConnectionPool) -> None:
        self._keeper = Keeper()
        super().__init__(
            lender.connection_class,
            1,
            max_lifetime=lender.max_lifetime,
            min_idle=min(1, lender.min_idle),
            **lender.connection_kwargs,
        )
        self.lender = lender

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{repr(self.lender).partition('<')[2]}"

    @property
    def address(self) -> str:
        """Where the connection leads, as errors name it."""
        return self.lender.address

    def reset(self) -> None:
        super().reset()
        self._mine: Callable[[], Any] = lambda: None

    def _make(self) -> Any:
        """Borrow the connection, where that has not been done; else it is in the middle of a command: RedisError."""
        if self.closed:
            raise closed_error("client")
        if self._mine() is not None:
            error = RedisError("the single connection of this client is in the middle of a command, and takes no other")
            error.phase = "pool"
            raise error
        self._keeper.ask(self.address)
        connection = self.lender.get_connection()
        connection.kept = self._keeper
        self._mine = weakref.ref(connection)
        return connection

    def clear(self, connection: Connection) -> None:
        """What was changed stays changed, but nothing may be owed."""
        if connection.owed or connection.has_unread():
            connection.disconnect()
        connection.kept = self._keeper

    def close(self) -> None:
        """Give the connection back."""
        connection = self._mine()
        super().close()
        if connection is not None:
            self.lender.release(connection)
