"""Sentinel: clients that follow the master of a service, and those that read from its replicas.

::

    sentinel = Sentinel([("a.example", 26379), ("b.example", 26379), ("c.example", 26379)])
    master = sentinel.master_for("mymaster")
    replica = sentinel.slave_for("mymaster")

This module owns who is asked, in which order, and whose answer counts.

* One sentinel is asked after the other, each with a bounded time.  The one that answers is asked first the next time;
  one that fails, or whose answer was wrong, is asked last.
* The sentinels count the configurations of a service.  An answer that is older than one that was heard already does not
  count, so nobody goes back to a master of the past, unless every sentinel says so.
* What a sentinel says is a hint.  The server itself is asked for its role, see ``connection/managed.py``.
* When the master of a pool has moved, the pool leaves all connections to the old one at once: it closes the idle ones,
  and wakes whoever waits on the others.

It must not know how a connection is made, nor how the sentinels are listened to.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, NoReturn, TypeVar

from redis.client import StrictRedis
from redis.connection.forks import remember
from redis.connection.idle import close_quietly
from redis.connection.managed import Address, SentinelManagedConnection, SentinelManagedSSLConnection
from redis.connection.options import accepted_options, refuse_misspelt
from redis.connection.pool import ConnectionPool
from redis.connection.tcp import Connection
from redis.connection.wire import Wire
from redis.exceptions import (
    ConnectionError,
    MasterNotFoundError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    SlaveNotFoundError,
    TimeoutError,
)
from redis.execution import SHORT_POOLS, Execution
from redis.protocol.masking import stay_here
from redis.sentinel_listener import Listener

__all__ = [
    "Connection",
    "ConnectionError",
    "ConnectionPool",
    "MasterNotFoundError",
    "ReadOnlyError",
    "ReplicaNotFoundError",
    "ResponseError",
    "Sentinel",
    "SentinelConnectionPool",
    "SentinelManagedConnection",
    "SentinelManagedSSLConnection",
    "SlaveNotFoundError",
    "StrictRedis",
    "TimeoutError",
]

ReplicaNotFoundError = SlaveNotFoundError
State = dict[str, Any]
AnySentinel = TypeVar("AnySentinel", bound="Sentinel")

KNOWN = (
    accepted_options(SentinelManagedSSLConnection, Wire)
    | accepted_options(ConnectionPool)
    | {"check_connection", "force_master_ip", "failover_listener", "min_other_sentinels", "sentinel_kwargs", "ssl"}
)
SENTINEL_TIMEOUT = 0.5
"""Seconds that a sentinel has to answer, and to be connected to, where nothing else was said."""


class SentinelConnectionPool(ConnectionPool):
    """A pool of connections to the master of a service, or with ``is_master=False`` to its replicas in turn.

    Other keywords are those of :class:`~redis.connection.ConnectionPool`; ``ssl=True`` is for TLS.  The role of every
    new connection is verified, so ``check_connection`` is there for the sake of old callers alone.
    """

    def __init__(self, service_name: str, sentinel_manager: Any, **kwargs: Any) -> None:
        secure = kwargs.pop("ssl", False)
        kwargs.setdefault("connection_class", SentinelManagedSSLConnection if secure else SentinelManagedConnection)
        self.is_master = kwargs.pop("is_master", True)
        self.check_connection = kwargs.pop("check_connection", False)
        self.service_name, self.sentinel_manager = service_name, sentinel_manager
        #: The sentinels were asked for this pool alone, and are let go with it.
        self.owns_manager = False
        super().__init__(**kwargs)
        self.connection_kwargs["connection_pool"] = weakref.proxy(self)
        if isinstance(sentinel_manager, Sentinel):
            remember(sentinel_manager.pools, self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}<service={self.service_name}({'master' if self.is_master else 'slave'})>"

    @property
    def address(self) -> str:
        """The name of the service: where it is nobody knows before a connection is made."""
        return self.service_name

    def reset(self) -> None:
        """Forget all connections, without closing any, and where the master was."""
        super().reset()
        #: Where the master is as far as this pool knows; None before it was asked.
        self.master_address: Address | None = None
        #: The last master for which all connections to others were left; what was interrupted is done again.
        self._settled: Address | None = None
        self.slave_rr_counter: int | None = None

    def close(self) -> None:
        """Close all connections; the pool cannot be used afterwards."""
        super().close()
        if self.owns_manager:
            self.sentinel_manager.close()

    # Where to connect.

    def addresses(self) -> Iterator[Address]:
        """Yield where a new connection may lead, one address after the other as long as none proves to be right.

        MasterNotFoundError or SlaveNotFoundError where no sentinel gives one.
        """
        return self._master_addresses() if self.is_master else self.rotate_slaves()

    def _master_addresses(self) -> Iterator[Address]:
        """Ask sentinel after sentinel as long as the answers are of no use, until one answers again."""
        manager = self.sentinel_manager
        tried: set[Address] = set()
        told: list[Any] = []
        for _ in range(len(getattr(manager, "sentinels", ())) or 1):
            address = self.get_master_address()
            # Looked at before the address is tried: by then others may have put another into the first place.
            teller = manager.sentinels[0] if isinstance(manager, Sentinel) else None
            if address not in tried:
                tried.add(address)
                yield address
            if teller in told:
                return
            if teller is not None:
                told.append(teller)
                manager.ask_last(teller)

    def get_master_address(self) -> Address:
        """Return host and port of the master; if it has moved, leave the connections to the old one.

        MasterNotFoundError where no sentinel knows it.
        """
        address: Address = self.sentinel_manager.discover_master(self.service_name)
        if self.master_address not in (None, address):
            # Between question and answer another thread may have heard newer news: then the old do not count any more.
            address = self.sentinel_manager.discover_master(self.service_name)
        self.master_address = address
        if self.is_master and self._settled not in (None, address):
            self._leave(lambda place: place != address)
        self._settled = address
        return address

    def follow(self) -> None:
        """The master has moved, or may have: leave what is old."""
        if self.is_master:
            with suppress(RedisError):
                self.get_master_address()
        else:
            self.retire()

    def rotate_slaves(self) -> Iterator[Address]:
        """Yield the addresses of all replicas, each time beginning with the next, and then the master's.

        SlaveNotFoundError at the end.
        """
        slaves = self.sentinel_manager.discover_slaves(self.service_name)
        turn = os.urandom(1)[0] if self.slave_rr_counter is None else self.slave_rr_counter
        for _ in slaves:
            # What others store there meanwhile is for the next: here each has its turn, once.
            self.slave_rr_counter = turn = (turn + 1) % len(slaves)
            yield slaves[turn]
        with suppress(MasterNotFoundError):
            yield self.get_master_address()
        raise SlaveNotFoundError(f"No slave found for {self.service_name!r}. {self.account()}")

    def rotate_replicas(self) -> Iterator[Address]:
        """As :meth:`rotate_slaves`."""
        return self.rotate_slaves()

    def account(self) -> str:
        """What each sentinel said last, for the text of an error; "" where nobody wrote that down."""
        manager = self.sentinel_manager
        return manager.account(self.service_name, self.is_master) if isinstance(manager, Sentinel) else ""

    def objection(self, address: Address | None, role: str | None) -> str:
        """What speaks against a connection to a server of this role, "" where nothing does; None: nobody knows it."""
        wanted = "master" if self.is_master else "slave"
        in_its_place = role == "master" and address is not None and address == self.master_address
        if role not in (wanted, None) and not in_its_place:
            return f"is a {role} and not a {wanted}"
        if self.is_master and address is not None and self.master_address not in (None, address):
            return "is not the master any more"
        return ""

    # Away from there.

    def leave(self, address: Address | None) -> None:
        """Close all connections to a server, and those in use as soon as nobody is in the middle of a command.

        Whoever waits for an answer gets a ConnectionError.
        """
        self._leave(lambda place: place == address)

    def _leave(self, is_old: Callable[[Address], bool]) -> None:
        for connection in list(self._available_connections):
            if leads_to(connection, is_old):
                self._tend(connection, close_quietly)
        for connection in [ref() for ref in list(self._live)]:
            if leads_to(connection, is_old):
                self._recall(connection)


SHORT_POOLS.add(SentinelConnectionPool)


class Sentinel:
    """Knows the sentinels, and makes clients for the services that they watch.

    :param sentinels: host and port of each, as pairs.
    :param min_other_sentinels: a sentinel that sees fewer others is not believed: it may be cut off.
    :param sentinel_kwargs: the options of the clients that ask the sentinels, such as ``username`` and ``password``.
        None: those of ``connection_kwargs`` that begin with ``socket_``.  A sentinel has ``socket_timeout`` to answer,
        0.5 seconds where that is not given.
    :param force_master_ip: the host of every master, whatever the sentinels say.
    :param failover_listener: one thread listens to all sentinels, from the first connection on, so that a master that
        moves is left at once, by those who wait for its answer, too.  Without it the move is noticed by the next error
        or the next new connection.
    :param connection_kwargs: the options of the clients that it makes.
    """

    def __init__(
        self,
        sentinels: Any,
        min_other_sentinels: int = 0,
        sentinel_kwargs: dict[str, Any] | None = None,
        *,
        force_master_ip: str | None = None,
        failover_listener: bool = False,
        **connection_kwargs: Any,
    ) -> None:
        if sentinel_kwargs is None:
            sentinel_kwargs = {name: value for name, value in connection_kwargs.items() if name.startswith("socket_")}
        self.sentinel_kwargs = sentinel_kwargs
        bounded = {**sentinel_kwargs, "socket_timeout": sentinel_kwargs.get("socket_timeout") or SENTINEL_TIMEOUT}
        self.sentinels: list[Any] = [StrictRedis(host, port, **bounded) for host, port in map(pair, sentinels)]
        if "connection_class" not in connection_kwargs:
            refuse_misspelt(connection_kwargs, KNOWN, type(self).__name__)
        self.min_other_sentinels = min_other_sentinels
        self.force_master_ip = force_master_ip
        self.connection_kwargs = connection_kwargs
        #: The pools of its clients, as weak references.
        self.pools: dict[weakref.ref[Any], None] = {}
        #: What each sentinel said last of a service, of its master and of its slaves.
        self._said: dict[tuple[str, bool], dict[str, str]] = {}
        #: The newest configuration of each service that any sentinel has told of: its number, and where the master is.
        self._newest: dict[str, tuple[int, Address]] = {}
        self._listener = Listener(self) if failover_listener else None

    def __getstate__(self) -> NoReturn:
        stay_here(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}<sentinels=[{','.join(map(name_of, self.sentinels))}]>"

    def __enter__(self: AnySentinel) -> AnySentinel:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the sentinels; the clients that it has made stay open, and follow no more."""
        if self._listener is not None:
            self._listener.close()
        for sentinel in self.sentinels:
            sentinel.close()

    def on_news(self, sentinel: Any, service_name: str | None) -> None:
        """What the listener heard: the master of a service has moved, as ``sentinel`` says; None: one may have."""
        if service_name is not None:
            self.ask_first(sentinel)
        for pool in [ref() for ref in list(self.pools)]:
            if pool is not None and (service_name == pool.service_name or (service_name is None and pool.is_master)):
                pool.follow()

    # Asking.

    def discover_master(self, service_name: str) -> Address:
        """Return host and port of the master of a service.

        MasterNotFoundError, which tells what each sentinel said, where none knows a master that serves.
        """
        self._listen()
        behind: list[State] = []
        for sentinel in self.sentinels:
            state = self._ask(sentinel, service_name)
            if state is None:
                continue
            if not self._is_behind(service_name, state):
                self.ask_first(sentinel)
                return self._believe(service_name, state)
            self._note(service_name, True, sentinel, f"{told(state)}, which is older than what was heard before")
            behind.append(state)
        if behind and len(behind) == len(self.sentinels):  # the service was set up anew
            return self._believe(service_name, max(behind, key=epoch_of))
        raise MasterNotFoundError(f"No master found for {service_name!r}. {self.account(service_name)}")

    def account(self, service_name: str, is_master: bool = True) -> str:
        """What each sentinel said when it was last asked for the master of a service, or for its slaves."""
        said = self._said.get((service_name, is_master), {})
        return "".join(f"{sentinel} {words}. " for sentinel, words in list(said.items())).rstrip()

    def _note(self, service_name: str, is_master: bool, sentinel: Any, words: str) -> None:
        self._said.setdefault((service_name, is_master), {})[name_of(sentinel)] = words

    def _ask(self, sentinel: Any, service_name: str) -> State | None:
        """What a sentinel knows of the master; None where it cannot be asked, or knows none that serves."""
        state: State | None = None
        try:
            state = sentinel.sentinel_masters().get(service_name)
            words = told(state)
        except RedisError as error:
            words = f"cannot be asked ({error})"
        self._note(service_name, True, sentinel, words)
        if state is not None and self.check_master_state(state, service_name):
            return state
        self.ask_last(sentinel)
        return None

    def _is_behind(self, service_name: str, state: State) -> bool:
        """Whether a newer configuration was heard of.

        Who leads a failover counts the new one already, and names the old master until all replicas have been told.
        """
        known = self._newest.get(service_name)
        if known is None or epoch_of(state) > known[0]:
            return False
        leads = "failover_in_progress" in state.get("flags", "")
        return epoch_of(state) < known[0] or (leads and place_of(state) != known[1])

    def _believe(self, service_name: str, state: State) -> Address:
        newest = epoch_of(state), place_of(state)
        if newest != self._newest.get(service_name):  # else another may have heard of a newer one by now
            self._newest[service_name] = newest
        host, port = place_of(state)
        return self.force_master_ip or host, port

    def _listen(self) -> None:
        if self._listener is not None:
            self._listener.ensure()

    def ask_first(self, sentinel: Any) -> None:
        """Ask this sentinel before the others from now on."""
        self.sentinels = [sentinel, *[other for other in self.sentinels if other is not sentinel]]

    def ask_last(self, sentinel: Any) -> None:
        """Ask this sentinel after the others from now on."""
        self.sentinels = [*[other for other in self.sentinels if other is not sentinel], sentinel]

    def check_master_state(self, state: State, service_name: str) -> bool:
        """Whether a sentinel that says this is believed: the master is up, and enough other sentinels are in sight."""
        if not state["is_master"] or state["is_sdown"] or state["is_odown"]:
            return False
        return bool(state["num-other-sentinels"] >= self.min_other_sentinels)

    def discover_slaves(self, service_name: str) -> list[Address]:
        """Return host and port of each replica that is up, as the first sentinel that knows any says; [] for none."""
        self._listen()
        for sentinel in self.sentinels:
            slaves: list[Address] = []
            try:
                known = sentinel.sentinel_slaves(service_name)
                slaves = self.filter_slaves(known)
                words = f"knows {len(known)} slaves, {len(slaves)} of them up"
            except RedisError as error:
                words = f"cannot be asked ({error})"
                self.ask_last(sentinel)
            self._note(service_name, False, sentinel, words)
            if slaves:
                return slaves
        return []

    def filter_slaves(self, slaves: list[State]) -> list[Address]:
        """Return the addresses of those that no sentinel takes for down."""
        return [(slave["ip"], slave["port"]) for slave in slaves if not (slave["is_odown"] or slave["is_sdown"])]

    # Clients.

    def master_for(
        self,
        service_name: str,
        redis_class: Any = StrictRedis,
        connection_pool_class: Any = SentinelConnectionPool,
        **kwargs: Any,
    ) -> Any:
        """Return a client of the master of a service; it follows when the master moves.

        ``redis_class`` and ``connection_pool_class`` say of which classes; ``kwargs`` go before the options of the
        Sentinel.  Nobody is asked before the first command.
        """
        return self._client_for(service_name, True, redis_class, connection_pool_class, kwargs)

    def slave_for(
        self,
        service_name: str,
        redis_class: Any = StrictRedis,
        connection_pool_class: Any = SentinelConnectionPool,
        **kwargs: Any,
    ) -> Any:
        """Return a client of the replicas of a service: each new connection leads to the next one.

        Where there is none, it leads to the master.  The rest is as in :meth:`master_for`.
        """
        return self._client_for(service_name, False, redis_class, connection_pool_class, kwargs)

    def _client_for(
        self, service_name: str, is_master: bool, redis_class: Any, pool_class: Any, kwargs: dict[str, Any]
    ) -> Any:
        options = {**self.connection_kwargs, **kwargs, "is_master": is_master}
        of_client = {"single_connection_client": True} if options.pop("single_connection_client", False) else {}
        client = redis_class(connection_pool=pool_class(service_name, self, **options), **of_client)
        if isinstance(client, Execution):
            vars(client)["_owns_pool"] = True  # nobody else closes it
        return client

    # The newer words.

    def discover_replicas(self, service_name: str) -> list[Address]:
        """As :meth:`discover_slaves`."""
        return self.discover_slaves(service_name)

    def filter_replicas(self, replicas: list[State]) -> list[Address]:
        """As :meth:`filter_slaves`."""
        return self.filter_slaves(replicas)

    def replica_for(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        """As :meth:`slave_for`."""
        return self.slave_for(service_name, *args, **kwargs)


def pair(place: Any) -> tuple[Any, Any]:
    """Host and port of a sentinel; ValueError for anything else."""
    if isinstance(place, (str, bytes)) or len(place) != 2:
        raise ValueError(f"{place!r} is no sentinel: it takes a list of pairs of host and port")
    host, port = place
    return host, port


def leads_to(connection: Any, is_meant: Callable[[Address], bool]) -> bool:
    """Whether a connection leads to an address that is meant; of a class of the user's nobody knows."""
    place = getattr(connection, "place", None)
    return place is not None and is_meant(place)


def epoch_of(state: State) -> int:
    """The number of the configuration that a sentinel speaks of; it grows with each failover."""
    return int(state.get("config-epoch", 0))


def place_of(state: State) -> Address:
    """Where the master is, as a sentinel says."""
    return state["ip"], state["port"]


def told(state: State | None) -> str:
    """What a sentinel has said, in words."""
    if state is None:
        return "does not know it"
    others = state["num-other-sentinels"]
    return f"says {state['ip']}:{state['port']} ({state.get('flags', 'master')}; {others} other sentinels)"


def name_of(sentinel: Any) -> str:
    """The address of a sentinel, as far as its client shows one."""
    options = getattr(getattr(sentinel, "connection_pool", None), "connection_kwargs", None)
    return f"{options['host']}:{options['port']}" if options else repr(sentinel)
