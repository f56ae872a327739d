"""The pools: who may use which connection, and how many there are.

The rules, each of which holds when an exception lands between any two bytecodes:

* The idle connections are a list, last in first out.  ``pop`` and ``append`` are atomic; there is no lock, for an
  exception could leave it locked.
* How many connections there are is how many are alive: weak references, which C code removes.  A number counted by hand
  would be wrong after the first interruption.  A connection is registered first and judged afterwards.
* A connection comes back only if it owes nothing; else it is closed first.
* The identity of the list is the generation.  ``disconnect`` swaps it; who borrowed a connection gives it back to the
  list he took it from, and is told that it is an old one.
* Nothing is connected before it is used, unless :meth:`ConnectionPool.warm_up` is asked to.

This module must not know commands.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from math import inf
from operator import methodcaller
from threading import get_ident
from time import monotonic, sleep
from types import TracebackType
from typing import Any, NoReturn, TypeVar

from redis.connection.checks import check_place, check_values
from redis.connection.conflicts import refuse_conflicts_of_pool
from redis.connection.deadline import Deadline, current
from redis.connection.forks import remember, told_in_child
from redis.connection.idle import (
    LONG_SLICE,
    SLICE,
    ExpiringList,
    FairExpiringList,
    FairList,
    Line,
    Turn,
    close_if_stale,
    close_quietly,
    is_first,
    mark_stale,
    wake_first,
)
from redis.connection.managed import SentinelManagedConnection, SentinelManagedSSLConnection
from redis.connection.options import POOL_OPTIONS, accepted_options, refuse_misspelt, renamed
from redis.connection.outcome import not_begun
from redis.connection.tcp import Connection
from redis.connection.tls import SSLConnection
from redis.connection.unix import UnixDomainSocketConnection
from redis.connection.url import options_from_url
from redis.connection.wire import NEVER, Wire
from redis.exceptions import ConnectionError, MaxConnectionsError, RedisError, TimeoutError
from redis.protocol.encoder import Encoder
from redis.protocol.masking import stay_here
from redis.protocol.packer import command_word

Pool = TypeVar("Pool", bound="ConnectionPool")

NO_LIMIT = 2**31
LOOKS = 5
"""How often who finds neither an idle connection nor room for a new one looks again."""

OURS = (
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)
DEFAULTS = {"host": "localhost", "port": 6379, "db": 0, "path": ""}

SERIALS = count(1)

POOLS = told_in_child({})
"""Every pool that is alive, for the child of a fork."""


class ConnectionPool:
    """A pool of connections that never waits: it makes as many as are needed, up to ``max_connections``.

    ``max_idle_time``: a connection that was not used for so many seconds is made anew before its next use.
    ``max_lifetime``: one that was made so many seconds ago is, too; each connection a little earlier (up to a tenth),
    so that they do not all end together.  None: however long.  One that is in use is left alone, and so is one that a
    single client keeps, once a command has changed it.  ``min_idle``: what :meth:`warm_up` makes.

    All other keywords go to ``connection_class`` as they are, once for each connection.
    """

    def __init__(
        self,
        connection_class: type[Any] = Connection,
        max_connections: int | None = None,
        *,
        max_idle_time: float | None = None,
        max_lifetime: float | None = None,
        min_idle: int = 0,
        **connection_kwargs: Any,
    ) -> None:
        if max_connections is not None and (not isinstance(max_connections, int) or max_connections < 0):
            raise ValueError('"max_connections" must be a positive integer')
        self.connection_class = connection_class
        self.connection_kwargs = connection_kwargs
        self.max_connections = max_connections or NO_LIMIT
        check_values({"max_idle_time": max_idle_time, "max_lifetime": max_lifetime, "min_idle": min_idle})
        if min_idle > self.max_connections:
            raise ValueError(f"min_idle is {min_idle}, and max_connections no more than {self.max_connections}")
        self.max_idle_time, self.max_lifetime, self.min_idle = max_idle_time, max_lifetime, min_idle
        limits = {"max_idle_time": max_idle_time, "max_lifetime": max_lifetime}
        #: What a connection is told of its age.
        self._limits = {name: seconds for name, seconds in limits.items() if seconds is not None}
        self._shared: dict[str, Any] = {}
        if connection_class in OURS:
            refuse_conflicts_of_pool(connection_class, connection_kwargs, type(self).__name__)
            known = accepted_options(connection_class, Wire) | POOL_OPTIONS
            refuse_misspelt(connection_kwargs, known, type(self).__name__)
            check_place(connection_kwargs)
            check_values(connection_kwargs)
            self._shared = connection_class.shared_options()
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
        options = {**renamed(kwargs), **options_from_url(url, db, decode_components)}
        if options["password"] is None:
            options["password"] = kwargs.get("password")
        make = options.pop("make_pool", None)  # a scheme may have a pool of its own
        return cls(**options) if make is None else make(cls, options)

    def __repr__(self) -> str:
        form = getattr(self.connection_class, "description_format", f"{self.connection_class.__name__}<>")
        return f"{type(self).__name__}<{form % {**DEFAULTS, **self.connection_kwargs}}>"

    def __getstate__(self) -> NoReturn:
        stay_here(self)

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
        #: The idle connections of the generation before, as long as they are there.
        self._old: list[Any] = []

    def make_idle_list(self) -> list[Any]:
        """A new generation of idle connections."""
        return [] if self.max_lifetime is None else ExpiringList()

    def forget_parent(self) -> None:
        """In the child of a fork: the connections are the parent's, and who waited for one is not here."""
        inherited = list(self._live)
        self.reset()
        for connection in [ref() for ref in inherited]:
            if isinstance(connection, Connection):
                connection.abandon()

    @property
    def address(self) -> str:
        """Where the connections lead, as errors name it."""
        options = {**DEFAULTS, **self.connection_kwargs}
        return str(options["path"] or f"{options['host']}:{options['port']}")

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
        with suppress(MaxConnectionsError):
            return self._make()
        return self._look_again()

    def _make(self) -> Any:
        """The same, and nobody waits."""
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
        if self._limits:
            vars(connection).update(self._limits)
        return connection

    def _look_again(self) -> Any:
        """Return an idle connection after all; MaxConnectionsError where there is none.

        While a generation ends, its connections are on their way from the old list to the present one: whoever has
        looked at one of them too late, or at the other too early, has seen none.
        """
        for _ in range(LOOKS):
            with suppress(IndexError):
                return self._available_connections.pop()
            with suppress(IndexError):
                connection = list.pop(self._old)
                close_quietly(connection)
                return connection
            sleep(0)  # one may be in the hands of who empties the list
        raise MaxConnectionsError("Too many connections")

    def get_connection(self, command_name: str | None = None, *keys: Any, **options: Any) -> Any:
        """Lend a connection, to be given back with :meth:`release`; it may have to connect yet.

        MaxConnectionsError, a ConnectionError, where all that there may be are in use.
        """
        try:
            return self._lend()
        except RedisError as error:
            not_begun(error, command_word(command_name or "").decode("latin-1").upper(), self.address)
            raise

    def _lend(self) -> Any:
        idle, generation = self._available_connections, self.generation
        try:
            connection = idle.pop()
        except IndexError:
            connection = self.make_connection()
        if isinstance(connection, Connection):
            close_if_stale(connection)
        connection.pool_generation = generation
        vars(connection)[self._mark] = (idle, get_ident())
        if self.closed:
            close_quietly(connection)
            raise closed_error("pool")
        return connection

    def release(self, connection: Any) -> None:
        """Take a connection back.  One that owes a reply is closed first; one that was not lent is left alone."""
        lent = vars(connection).pop(self._mark, None)  # atomic: of two who give back the same one, one gets None
        if lent is None or connection.pid != os.getpid():
            return
        idle, _ = lent
        self._give_back(connection, idle)

    def _give_back(self, connection: Any, idle: list[Any]) -> None:
        """Put a connection into the list that it is from; where that is of an old generation, it is closed."""
        if isinstance(connection, Connection):
            connection.doing("")
            self.clear(connection)
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
        old = self._end_generation()
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
        old = self._end_generation()
        self.take_over(old)

    def _end_generation(self) -> list[Any]:
        """Begin a new generation; return the idle connections of the one before."""
        old = self._old = self._available_connections
        self._available_connections = self.make_idle_list()
        self.generation += 1
        return old

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

    # Before the first use.

    def warm_up(self) -> int:
        """Connect until ``min_idle`` connections are idle, one after the other; return how many are connected then.

        Those that are idle already are looked at, and count if they are good.  There are fewer than ``min_idle`` where
        all others that there may be are in use.  ConnectionError or TimeoutError where one cannot be made; those that
        were made before stay.
        """
        for connection in list(self._available_connections):
            self._tend(connection, close_if_stale)
        with suppress(MaxConnectionsError):
            while len(self._idle(connected=True)) < self.min_idle:
                self._warm_one()
        return len(self._idle(connected=True))

    def _idle(self, connected: bool) -> list[Any]:
        """The idle connections that are connected, or those that are not; of a class of the user's nobody knows."""
        idle = list(self._available_connections)
        return [each for each in idle if (getattr(each, "used", 0) is not NEVER) is connected]

    def _warm_one(self) -> None:
        """Connect an idle connection that is closed; where there is none, make one for the next time."""
        idle, closed = self._available_connections, self._idle(connected=False)
        if closed:
            self._tend(closed[0], methodcaller("connect"))
        else:
            self._give_back(self._make(), idle)

    def _tend(self, connection: Any, treat: Callable[[Any], None]) -> None:
        """Take an idle connection out of the list, treat it, and put it back; one that is in use is left alone."""
        idle = self._available_connections
        try:
            idle.remove(connection)
        except ValueError:
            return
        try:
            treat(connection)
        finally:
            self._give_back(connection, idle)


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
        check_values({"timeout": timeout})
        self.timeout = timeout
        self.queue_class = queue_class  # taken for the sake of old callers; the queue is ours
        self._waiting: Line = {}
        super().__init__(connection_class, max_connections, **connection_kwargs)

    def forget_parent(self) -> None:
        self._waiting.clear()
        super().forget_parent()

    def make_idle_list(self) -> list[Any]:
        return (FairList if self.max_lifetime is None else FairExpiringList)(self._waiting)

    def make_connection(self) -> Any:
        """Return a connection, a new one where there is room for it; wait where there is none."""
        if not self._waiting:
            with suppress(MaxConnectionsError):
                return self._make()
        return self._wait()

    def _wait(self) -> Any:
        """Stand in line."""
        turn = Turn()
        deadline, started = current(), monotonic()
        ends = min(inf if self.timeout is None else started + self.timeout, deadline.ends if deadline else inf)
        try:
            while True:
                first = is_first(turn, self._waiting)
                connection = self._take() if first else None
                if connection is not None:
                    return connection
                left = ends - monotonic()
                if left <= 0:
                    raise no_connection(deadline, monotonic() - started)
                turn.wait(min(left, SLICE if first else LONG_SLICE))
        finally:
            self._waiting.pop(weakref.ref(turn), None)
            wake_first(self._waiting)

    def _take(self) -> Any:
        """For the first in the line: an idle connection or a new one, None where there is neither."""
        idle: Any = self._available_connections
        with suppress(IndexError):
            return idle.take()
        with suppress(MaxConnectionsError):
            return self._make()
        return None


def no_connection(deadline: Deadline | None, elapsed: float) -> ConnectionError | TimeoutError:
    """The error of whoever has waited for a connection in vain, for so many seconds."""
    error: ConnectionError | TimeoutError = MaxConnectionsError("No connection available.")
    if deadline is not None and not deadline.remaining():
        said = f"Timeout waiting for a connection of the pool, at the deadline of {deadline.seconds:g} s"
        error = TimeoutError(said)
    error.maybe_applied, error.phase, error.elapsed = False, "pool", elapsed
    return error


def closed_error(what: str) -> ConnectionError:
    """The error of whoever uses a pool or a client after its end."""
    error = ConnectionError(f"this {what} has been closed")
    error.maybe_applied, error.phase = False, "pool"
    return error
