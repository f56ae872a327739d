"""The pools: who may use which connection, and how many there are.

The rules, each of which holds when an exception lands between any two bytecodes:

* The idle connections are a list, last in first out.  ``pop`` and ``append`` are atomic; there is no lock, for an
  exception could leave it locked.
* How many connections there are is how many are alive: weak references, which C code removes.  A number counted by hand
  would be wrong after the first interruption.  A connection is registered first and judged afterwards.
* A connection comes back only if it owes nothing; else it is closed first.
* The identity of the list is the generation.  ``disconnect`` swaps it; who borrowed a connection gives it back to the
  list he took it from, and is told that it is an old one.

This module must not know commands.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from threading import Lock, get_ident
from time import monotonic
from types import TracebackType
from typing import Any, TypeVar

from redis.connection.options import accepted_options, check_seconds, refuse_misspelt, renamed
from redis.connection.tcp import Connection
from redis.connection.tls import SSLConnection
from redis.connection.unix import UnixDomainSocketConnection
from redis.connection.url import options_from_url
from redis.connection.wire import NEVER, Keeper, Wire
from redis.exceptions import ConnectionError, MaxConnectionsError, RedisError
from redis.protocol.encoder import Encoder

Pool = TypeVar("Pool", bound="ConnectionPool")

LOOK = 0.05
"""Seconds: a connection that has been idle for longer is looked at before it is used."""
SLICE = 0.1
"""Seconds: who waits for a connection looks that often for himself, in case nobody could tell him."""
NO_LIMIT = 2**31

OURS = (Connection, SSLConnection, UnixDomainSocketConnection)
DEFAULTS = {"host": "localhost", "port": 6379, "db": 0, "path": ""}

SERIALS = count(1)

POOLS: dict[weakref.ref[Any], None] = {}
"""Every pool that is alive, for the child of a fork."""


class ConnectionPool:
    """A pool of connections that never waits: it makes as many as are needed, up to ``max_connections``.

    All other keywords go to ``connection_class`` as they are, once for each connection.
    """

    def __init__(
        self, connection_class: type[Any] = Connection, max_connections: int | None = None, **connection_kwargs: Any
    ) -> None:
        if max_connections is not None and (not isinstance(max_connections, int) or max_connections < 0):
            raise ValueError('"max_connections" must be a positive integer')
        self.connection_class = connection_class
        self.connection_kwargs = connection_kwargs
        self.max_connections = max_connections or NO_LIMIT
        self._shared: dict[str, Any] = {}
        if connection_class in OURS:
            refuse_misspelt(connection_kwargs, accepted_options(connection_class, Wire), type(self).__name__)
            self._shared = connection_class.shared_options()
            for name in ("socket_timeout", "socket_connect_timeout"):
                check_seconds(name, connection_kwargs.get(name))
        #: Under this name a connection remembers that this pool has lent it.
        self._mark = f"_lent_by_{next(SERIALS)}"
        self.closed = False
        self.generation = 0
        self.reset()
        remember(POOLS, self)

    @classmethod
    def from_url(
        cls: type[Pool], url: str, db: int | None = None, decode_components: bool = False, **kwargs: Any
    ) -> Pool:
        """Return a pool for the server of a URL; what the URL says goes before ``kwargs``.

        ``redis://``, ``rediss://`` (TLS) and ``unix://``; options stand behind the ``?``.  ValueError for a URL that
        cannot be meant so.
        """
        return cls(**{**renamed(kwargs), **options_from_url(url, db, decode_components)})

    def __repr__(self) -> str:
        form = getattr(self.connection_class, "description_format", f"{self.connection_class.__name__}<>")
        return f"{type(self).__name__}<{form % {**DEFAULTS, **self.connection_kwargs}}>"

    def __enter__(self: Pool) -> Pool:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    # Who is there.

    def reset(self) -> None:
        """Forget all connections, without closing any."""
        self.pid = os.getpid()
        self._live: dict[weakref.ref[Any], None] = {}
        self._forget: Callable[..., None] = self._live.pop
        self._available_connections: list[Any] = self.make_idle_list()

    def make_idle_list(self) -> list[Any]:
        """A new generation of idle connections."""
        return []

    def forget_parent(self) -> None:
        """In the child of a fork: the connections are the parent's, and who waited for one is not here."""
        inherited = list(self._live)
        self.reset()
        for connection in [ref() for ref in inherited]:
            if isinstance(connection, Connection):
                connection.abandon()

    @property
    def _created_connections(self) -> int:
        return len(self._live)

    def encoder(self) -> Encoder:
        """How the connections encode and decode."""
        kwargs = self.connection_kwargs
        return Encoder(
            kwargs.get("encoding", "utf-8"),
            kwargs.get("encoding_errors", "strict"),
            kwargs.get("decode_responses", False),
        )

    get_encoder = encoder

    # Out and back.

    def make_connection(self) -> Any:
        """Return a new connection; MaxConnectionsError where there are as many as there may be."""
        if self.closed:
            raise closed_error("pool")
        live = self._live
        connection = self.connection_class(**self.connection_kwargs, **self._shared)
        # Registered first, judged after: exact without a lock.  The reference is never a local variable: in a traceback
        # it would outlive the connection.
        live[weakref.ref(connection, self._forget)] = None
        if len(live) > self.max_connections and list(live).index(weakref.ref(connection)) >= self.max_connections:
            connection = None
            raise MaxConnectionsError("Too many connections")
        connection.pool_generation = self.generation
        return connection

    def get_connection(self, command_name: str | None = None, *keys: Any, **options: Any) -> Any:
        """Lend a connection, to be given back with :meth:`release`; it may have to connect yet.

        MaxConnectionsError, a ConnectionError, where all that there may be are in use.
        """
        generation = self.generation  # read first: one that becomes old meanwhile is known by it
        try:
            connection = self._available_connections.pop()
        except IndexError:
            connection = self.make_connection()
        if isinstance(connection, Connection):
            close_if_stale(connection)
        connection.pool_generation = generation
        vars(connection)[self._mark] = (generation, get_ident())
        if self.closed:
            close_quietly(connection)
            raise closed_error("pool")
        return connection

    def release(self, connection: Any) -> None:
        """Take a connection back.  One that owes a reply is closed first; one that was not lent is left alone."""
        lent = vars(connection).pop(self._mark, None)  # atomic: of two who give back the same one, one gets None
        if lent is None or connection.pid != os.getpid():
            return
        generation, _ = lent
        if isinstance(connection, Connection):
            self.clear(connection)
        idle = self._available_connections
        if generation != self.generation or self.closed:
            close_quietly(connection)
        idle.append(connection)
        if self._available_connections is not idle or self.closed:
            self.take_over(idle)

    def clear(self, connection: Connection) -> None:
        """Make sure that a connection that comes back is as good as new, or closed."""
        if connection.owed or connection.altered or connection.has_unread():
            connection.disconnect()
        connection.kept, connection.altered = None, False

    def disconnect(self, immediate: bool = False) -> None:
        """Close the connections: each at its next turn, or with ``immediate`` at once, those that were lent too.

        One that is in the middle of a command is closed when that has ended.  The pool can be used afterwards.
        """
        old, self._available_connections = self._available_connections, self.make_idle_list()
        self.generation += 1
        if immediate:
            self.take_over(old)
            for ref in list(self._live):
                self._recall(ref())
        else:
            self.take_over(old, mark_stale)

    def _recall(self, connection: Any) -> None:
        """Close a connection that is in use where this very thread has it; else whoever has it closes it.

        A descriptor must not be closed while another thread is about to pass it to the system: the number might be
        given to a new socket in between, and the bytes of one connection go to another.
        """
        if not isinstance(connection, Connection):
            close_quietly(connection)
        elif vars(connection).get(self._mark, (0, 0))[1] == get_ident() and not connection.owed:
            connection.disconnect()
        else:
            connection.recall()

    def retire(self) -> None:
        """Close what is idle now, and what is in use when it comes back: the server is not what it was."""
        old, self._available_connections = self._available_connections, self.make_idle_list()
        self.generation += 1
        self.take_over(old)

    def take_over(self, old: list[Any], treat: Callable[[Any], None] | None = None) -> None:
        """Empty the list of an old generation into the present one; close its connections, or do as ``treat`` does."""
        while old:
            try:
                connection = list.pop(old)
            except IndexError:
                break
            (treat or close_quietly)(connection)
            if not self.closed:
                self._available_connections.insert(0, connection)  # room for a new one, below those that are open

    def close(self) -> None:
        """Close all connections; the pool cannot be used afterwards."""
        self.closed = True
        self.disconnect(immediate=True)


class BlockingConnectionPool(ConnectionPool):
    """A pool that waits for a connection, up to ``timeout`` seconds (None: for ever), first come, first served.

    ConnectionError where none came back in time.
    """

    def __init__(
        self,
        max_connections: int = 50,
        timeout: float | None = 20,
        connection_class: type[Any] = Connection,
        queue_class: Any = None,
        **connection_kwargs: Any,
    ) -> None:
        self.timeout = timeout
        self.queue_class = queue_class  # taken for the sake of old callers; the queue is ours
        self._waiting: Line = {}
        super().__init__(connection_class, max_connections, **connection_kwargs)

    def forget_parent(self) -> None:
        self._waiting.clear()
        super().forget_parent()

    def make_idle_list(self) -> list[Any]:
        return IdleList(self._waiting)

    def make_connection(self) -> Any:
        """Return a connection, a new one where there is room for it; wait where there is none."""
        if not self._waiting:
            try:
                return super().make_connection()
            except MaxConnectionsError:
                pass
        return self._wait()

    def _wait(self) -> Any:
        """Stand in line."""
        turn = Turn()
        me = weakref.ref(turn)
        self._waiting[me] = None
        deadline = None if self.timeout is None else monotonic() + self.timeout
        try:
            while (connection := self._take(me)) is None:
                if deadline is not None and monotonic() >= deadline:
                    raise MaxConnectionsError("No connection available.")
                turn.wait(SLICE if deadline is None else min(SLICE, max(0, deadline - monotonic())))
        finally:
            self._waiting.pop(me, None)
            wake_first(self._waiting)
        return connection

    def _take(self, me: weakref.ref[Turn]) -> Any:
        """An idle connection or a new one, None where there is neither, or where it is another one's turn."""
        if first_of(self._waiting) is not me:
            return None
        try:
            return list.pop(self._available_connections)
        except IndexError:
            pass
        try:
            return super().make_connection()
        except MaxConnectionsError:
            return None


class SingleConnectionPool(ConnectionPool):
    """The one connection that a client keeps for itself; another pool has lent it.

    What a command changes on it stays changed, so it is never made anew in silence.
    """

    def __init__(self, lender: ConnectionPool) -> None:
        self._keeper = Keeper()
        super().__init__(lender.connection_class, 1, **lender.connection_kwargs)
        self.lender = lender

    def reset(self) -> None:
        super().reset()
        self._mine: Callable[[], Any] = lambda: None

    def make_connection(self) -> Any:
        """Borrow the connection, where that has not been done; else it is in the middle of a command: RedisError."""
        if self.closed:
            raise closed_error("client")
        if self._mine() is not None:
            raise RedisError("the single connection of this client is in the middle of a command, and takes no other")
        self._keeper.ask("")
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


class Turn:
    """The place in the line of one who waits: a lock of his own, which another opens."""

    __slots__ = ("__weakref__", "lock")

    def __init__(self) -> None:
        self.lock = Lock()
        self.lock.acquire()

    def wait(self, seconds: float) -> None:
        self.lock.acquire(timeout=seconds)

    def wake(self) -> None:
        with suppress(RuntimeError):  # awake already
            self.lock.release()


Line = dict["weakref.ref[Turn]", None]
"""Those who wait, in the order of their coming, by weak references: who was interrupted is no longer in it."""


class IdleList(list[Any]):
    """The idle connections of a pool that waits: who comes late gets none, who returns one wakes the first in line."""

    def __init__(self, waiting: Line) -> None:
        super().__init__()
        self.waiting = waiting

    def pop(self, *index: Any) -> Any:
        if self.waiting:
            raise IndexError("others were first")
        return super().pop(*index)

    def append(self, connection: Any) -> None:
        super().append(connection)
        if self.waiting:
            wake_first(self.waiting)


def first_of(waiting: Line) -> weakref.ref[Turn] | None:
    """The first in the line who is still there."""
    for ref in list(waiting):
        if ref() is not None:
            return ref
        waiting.pop(ref, None)
    return None


def wake_first(waiting: Line) -> None:
    """Wake the first in the line.  If it does not come to that, he looks for himself a little later."""
    first = first_of(waiting)
    turn = first() if first is not None else None
    if turn is not None:
        turn.wake()


def remember(registry: dict[weakref.ref[Any], None], item: Any) -> None:
    """Enter an object into a registry, which C code takes it out of when it dies."""
    forget: Callable[..., None] = registry.pop
    registry[weakref.ref(item, forget)] = None


def closed_error(what: str) -> ConnectionError:
    """The error of whoever uses a pool or a client after its end."""
    error = ConnectionError(f"this {what} has been closed")
    error.maybe_applied, error.phase = False, "pool"
    return error


def close_if_stale(connection: Connection) -> None:
    """Close a connection that has been idle for a while and is no longer good."""
    if monotonic() - connection.used > LOOK:
        if connection.is_good():
            connection.used = monotonic()
        else:
            connection.disconnect()


def close_quietly(connection: Any) -> None:
    """Close a connection of any class, where it can be closed."""
    disconnect = getattr(connection, "disconnect", None)
    if disconnect is not None:
        disconnect()


def mark_stale(connection: Any) -> None:
    """Have a connection closed and made anew at its next turn."""
    if isinstance(connection, Connection):
        connection.used = NEVER
    else:
        close_quietly(connection)


def after_fork_in_child() -> None:
    """The sockets are the parent's: the child closes its descriptors, shuts nothing down, and begins anew."""
    for ref in list(POOLS):
        pool = ref()
        if pool is not None:
            pool.forget_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=after_fork_in_child)
