"""The clients: how they are made, and what they offer beside the commands.

``StrictRedis`` has every command as a method (``commands/``), executes it (``execution.py``), and makes the objects
that live beside it: pipelines, scripts, locks, Pub/Sub.  What this module imports beyond its needs is what programs
have always imported from it; ``__all__`` lists it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import sleep
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, overload

from redis.commands import Commands, published
from redis.commands.legacy import LEGACY_CALLBACKS, LegacyCommands
from redis.commands.published import *  # noqa: F403 - what programs have always imported from here
from redis.commands.spec import SPECS
from redis.connection.checks import check_values
from redis.connection.conflicts import given_to, refuse_beside_pool, refuse_conflicts
from redis.connection.options import POOL_OPTIONS, accepted_options, refuse_unknown, renamed
from redis.connection.pool import OURS, ConnectionPool, closed_error
from redis.connection.single import SingleConnectionPool
from redis.connection.socketbuffer import SYM_EMPTY
from redis.connection.tcp import Connection
from redis.connection.tls import SSLConnection
from redis.connection.unix import UnixDomainSocketConnection
from redis.connection.wire import Wire
from redis.exceptions import (
    ConnectionError,
    DataError,
    ExecAbortError,
    NoScriptError,
    PubSubError,
    RedisError,
    ResponseError,
    TimeoutError,
    WatchError,
)
from redis.execution import Execution
from redis.lock import Lock, LuaLock
from redis.monitor import Monitor
from redis.pipeline import BasePipeline
from redis.protocol.packer import Token
from redis.pubsub import PubSub, PubSubWorkerThread
from redis.script import Script
from redis.typing import KeyT, ReplyCallback, T

__all__ = [
    "SYM_EMPTY",
    "BasePipeline",
    "ConnectionError",
    "ConnectionPool",
    "DataError",
    "ExecAbortError",
    "Lock",
    "LuaLock",
    "NoScriptError",
    "Pipeline",
    "PubSub",
    "PubSubError",
    "PubSubWorkerThread",
    "Redis",
    "RedisError",
    "ResponseError",
    "SSLConnection",
    "Script",
    "StrictPipeline",
    "StrictRedis",
    "TimeoutError",
    "Token",
    "UnixDomainSocketConnection",
    "WatchError",
]
__all__ += published.__all__

Client = TypeVar("Client", bound="StrictRedis[Any]")


class StrictRedis(Execution, Commands[T]):
    """A client of one server; each method is a command, in the official order of its arguments.

    ``StrictRedis[bytes]`` by default, ``StrictRedis[str]`` with ``decode_responses=True``.  It can be shared by
    threads, and it makes no connection before it needs one.
    """

    RESPONSE_CALLBACKS: ClassVar[dict[str, ReplyCallback]] = {
        spec.name: spec.reply for spec in SPECS.values() if spec.reply is not None
    }
    #: The same dictionary under its second name; a subclass may override either.
    REDIS_CALLBACKS: ClassVar[dict[str, ReplyCallback]] = RESPONSE_CALLBACKS
    #: What ``pipeline()`` makes; a subclass may bring its own.
    pipeline_class: ClassVar[type[BasePipeline]]

    @overload
    def __init__(
        self: StrictRedis[str],
        host: str = ...,
        port: int | str = ...,
        db: int = ...,
        password: str | None = ...,
        *,
        decode_responses: Literal[True],
        **options: Any,
    ) -> None: ...
    @overload
    def __init__(
        self: StrictRedis[bytes],
        host: str = ...,
        port: int | str = ...,
        db: int = ...,
        password: str | None = ...,
        **options: Any,
    ) -> None: ...
    def __init__(
        self,
        host: str = "localhost",
        port: int | str = 6379,
        db: int = 0,
        password: str | None = None,
        socket_timeout: float | None = None,
        socket_connect_timeout: float | None = None,
        socket_keepalive: bool | None = None,
        socket_keepalive_options: dict[int, int | bytes] | None = None,
        connection_pool: Any = None,
        unix_socket_path: str | None = None,
        encoding: str = "utf-8",
        encoding_errors: str = "strict",
        charset: str | None = None,
        errors: str | None = None,
        decode_responses: bool = False,
        retry_on_timeout: bool = False,
        ssl: bool = False,
        ssl_keyfile: str | None = None,
        ssl_certfile: str | None = None,
        ssl_cert_reqs: str | int | None = None,
        ssl_ca_certs: str | None = None,
        max_connections: int | None = None,
        *,
        single_connection_client: bool = False,
        **options: Any,
    ) -> None:
        """Make a client; nothing is sent before the first command.

        :param host: the server's name or address.
        :param socket_timeout: how many seconds a send or a reply may take; None: for ever.  A command that blocks has
            its own time-out on top.
        :param socket_connect_timeout: how many seconds connecting may take; None: as ``socket_timeout``.
        :param connection_pool: the pool to use; all options of connections are its business then, and an error here.
        :param unix_socket_path: connect to this path instead of ``host`` and ``port``.
        :param decode_responses: values are str, decoded as ``encoding`` and ``encoding_errors`` say, and not bytes.
        :param retry_on_timeout: a command whose time ran out is sent again, even where that may execute it twice.
        :param retry: a :class:`~redis.retry.Retry`: how often a call that failed is attempted again, and after which
            pauses; and the permission to send again what was lost and may have been executed.  None: once, at once,
            what was certainly not executed or is read-only.
        :param retry_on_error: classes of errors after which a command is sent again as well, whatever became of it;
            as often as ``retry`` says, once without it.
        :param command_timeout: how many seconds a call may take in all: the wait for a connection, connecting, sending,
            receiving, and every attempt; else it is a TimeoutError.  None: each step has its own time.  See
            :func:`redis.deadline`.
        :param ssl: connect over TLS; the certificate of the server is verified unless ``ssl_cert_reqs="none"``.
        :param max_connections: no more connections than this, else MaxConnectionsError; None: no limit.
        :param single_connection_client: keep one connection for this client alone, not to be shared by threads.
        :param options: any other option of the connection: ``username``, ``credential_provider``, ``client_name``,
            ``protocol`` (2 or 3), ``parser_class``, ``socket_read_size``, ``lib_name``, ``lib_version``, ``fork_safe``,
            ``ssl_context``, ``ssl_ca_path``, ``ssl_ca_data``, ``ssl_check_hostname``, ``ssl_password``,
            ``ssl_min_version``, ``ssl_ciphers``; and of the pool: ``max_idle_time``, ``max_lifetime`` (in seconds) and
            ``min_idle``, see :class:`~redis.connection.ConnectionPool`.
        """
        given = given_to(StrictRedis.__init__, locals())
        self._owns_pool = connection_pool is None
        if connection_pool is None:
            refuse_conflicts(given)
            shared: dict[str, Any] = {
                "db": db,
                "password": password,
                "socket_timeout": socket_timeout,
                "socket_connect_timeout": socket_connect_timeout,
                "retry_on_timeout": retry_on_timeout,
                "decode_responses": decode_responses,
                **renamed(
                    {"encoding": encoding, "encoding_errors": encoding_errors, "charset": charset, "errors": errors}
                ),
            }
            tcp: dict[str, Any] = {
                "host": host,
                "port": port,
                "socket_keepalive": socket_keepalive,
                "socket_keepalive_options": socket_keepalive_options,
            }
            tls: dict[str, Any] = {
                "ssl_keyfile": ssl_keyfile,
                "ssl_certfile": ssl_certfile,
                "ssl_cert_reqs": ssl_cert_reqs,
                "ssl_ca_certs": ssl_ca_certs,
            }
            connection_class, place = connection_for(unix_socket_path, ssl, tcp, tls)
            known = accepted_options(connection_class, Wire) | POOL_OPTIONS
            refuse_unknown(options, known, type(self).__name__)
            connection_pool = ConnectionPool(connection_class, max_connections, **shared, **place, **options)
        else:
            check_values({"connection_pool": connection_pool})
            refuse_beside_pool(given, connection_pool)
        self._closed = False
        self.connection_pool = SingleConnectionPool(connection_pool) if single_connection_client else connection_pool
        self.response_callbacks = dict(class_callbacks(type(self)))

    @overload
    @classmethod
    def from_url(
        cls: type[StrictRedis[Any]], url: str, db: int | None = None, *, decode_responses: Literal[True], **kwargs: Any
    ) -> StrictRedis[str]: ...
    @overload
    @classmethod
    def from_url(cls: type[StrictRedis[Any]], url: str, db: int | None = None, **kwargs: Any) -> StrictRedis[bytes]: ...
    @classmethod
    def from_url(cls, url: str, db: int | None = None, **kwargs: Any) -> StrictRedis[Any]:
        """Return a client for the server of a URL.

        ``redis://[[username]:[password]@]host[:port][/db]``, ``rediss://`` for TLS, ``unix://path``; options stand
        behind the ``?`` and go before ``kwargs``.  ValueError for a URL that cannot be meant so.
        """
        pool = ConnectionPool.from_url(url, db=db, **kwargs)
        single = pool.connection_kwargs.pop("single_connection_client", False)
        if pool.connection_class in OURS:
            refuse_unknown(pool.connection_kwargs, accepted_options(pool.connection_class, Wire), "the connection")
        return cls._owner_of(pool, single_connection_client=single)

    @classmethod
    def from_pool(cls: type[Client], connection_pool: Any) -> Client:
        """Return a client that owns the pool: its ``close()``, and the end of its ``with`` block, closes the pool too.

        With ``connection_pool=`` the pool stays open, for others that share it.
        """
        return cls._owner_of(connection_pool)

    @classmethod
    def _owner_of(cls: type[Client], pool: Any, **options: Any) -> Client:
        client = cls(connection_pool=pool, **options)
        client._owns_pool = True
        return client

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self._pool!r}>"

    def close(self) -> None:
        """Close the connections, unless the pool was given to the client; a call after this is a ConnectionError."""
        self._closed, self._short = True, None
        single = isinstance(self._pool, SingleConnectionPool)
        if self._owns_pool or single:
            self._pool.close()
        if self._owns_pool and single:
            self._pool.lender.close()

    def _open_pool(self) -> Any:
        """The pool, for what is made of this client; a closed client makes nothing, though the pool may be open."""
        if self._closed:
            raise closed_error("client")
        return self.connection_pool

    def __enter__(self: Client) -> Client:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    # Pipelines.

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> StrictPipeline:
        """Return a pipeline: its methods queue, its ``execute()`` sends all at once and returns the list of results.

        With ``transaction`` the server executes it as one unit (MULTI, EXEC); without, one command after the other.
        """
        make: Any = self.pipeline_class
        return make(self._open_pool(), self.response_callbacks, transaction, shard_hint)

    def transaction(
        self,
        func: Callable[[Any], Any],
        *watches: Any,
        shard_hint: Any = None,
        value_from_callable: bool = False,
        watch_delay: float | None = None,
        retries: int | None = None,
    ) -> Any:
        """Call ``func(pipeline)`` and execute the pipeline, anew as long as one of the keys ``watches`` was changed.

        Returns the results of the pipeline, or what ``func`` returned with ``value_from_callable``.  Between two
        attempts it waits ``watch_delay`` seconds; after ``retries`` of them (None: no limit) the WatchError is raised.
        """
        attempts = 0
        with self.pipeline(True, shard_hint) as pipe:
            while True:
                try:
                    if watches:
                        pipe.watch(*watches)
                    value = func(pipe)
                    results = pipe.execute()
                    return value if value_from_callable else results
                except WatchError:
                    attempts += 1
                    if retries is not None and attempts > retries:
                        raise
                    sleep(watch_delay or 0)

    # Scripts and locks.

    def register_script(self, script: str | bytes) -> Script:
        """Return a callable for a Lua script: ``call(keys=[], args=[], client=None)``.  Nothing is sent before."""
        return Script(self, script)

    def lock(
        self,
        name: KeyT,
        timeout: float | None = None,
        sleep: float = 0.1,
        blocking_timeout: float | None = None,
        lock_class: Any = None,
        thread_local: bool = True,
        **options: Any,
    ) -> Any:
        """Return a :class:`~redis.lock.Lock`, or a ``lock_class``, on the key ``name``; it has yet to be acquired.

        Times are in seconds.  ``options`` are other keywords of the class: ``blocking``, ``raise_on_release_error``,
        ``auto_renewal``, ``on_lost``.
        """
        options |= {"timeout": timeout, "sleep": sleep, "blocking_timeout": blocking_timeout}
        return (lock_class or Lock)(self, name, thread_local=thread_local, **options)

    # Listening.

    def pubsub(self, **kwargs: Any) -> PubSub:
        """Return a Pub/Sub object, to subscribe to channels and read their messages; ``kwargs`` are its options."""
        return PubSub(self._open_pool(), **{"encoder": self.get_encoder(), **kwargs})

    def monitor(self) -> Monitor:
        """Return a Monitor, a context manager that gives every command which the server executes.

        Since 1.0.0, https://redis.io/commands/monitor/
        """
        return Monitor(self._open_pool())


class Redis(LegacyCommands[T], StrictRedis[T]):  # type: ignore[misc]
    """The client with the argument orders of old: ``setex(name, value, time)``, ``lrem(name, value, num)``."""

    RESPONSE_CALLBACKS: ClassVar[dict[str, ReplyCallback]] = {**StrictRedis.RESPONSE_CALLBACKS, **LEGACY_CALLBACKS}
    REDIS_CALLBACKS: ClassVar[dict[str, ReplyCallback]] = RESPONSE_CALLBACKS

    if TYPE_CHECKING:  # a subclass inherits no overload that names the type of self

        @overload
        def __init__(
            self: Redis[str],
            host: str = ...,
            port: int | str = ...,
            db: int = ...,
            password: str | None = ...,
            *,
            decode_responses: Literal[True],
            **options: Any,
        ) -> None: ...
        @overload
        def __init__(
            self: Redis[bytes],
            host: str = ...,
            port: int | str = ...,
            db: int = ...,
            password: str | None = ...,
            **options: Any,
        ) -> None: ...
        def __init__(self, *args: Any, **options: Any) -> None: ...

        @overload
        @classmethod
        def from_url(
            cls: type[Redis[Any]], url: str, db: int | None = None, *, decode_responses: Literal[True], **kwargs: Any
        ) -> Redis[str]: ...
        @overload
        @classmethod
        def from_url(cls: type[Redis[Any]], url: str, db: int | None = None, **kwargs: Any) -> Redis[bytes]: ...
        @classmethod
        def from_url(cls, url: str, db: int | None = None, **kwargs: Any) -> Any: ...

        def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline: ...


if TYPE_CHECKING:  # a stub says of every method that it returns the pipeline
    from redis.typed_pipeline import Pipeline, StrictPipeline  # pyright: ignore[reportMissingModuleSource]
else:

    class StrictPipeline(BasePipeline, StrictRedis[Any]):
        """The pipeline of a StrictRedis."""

    class Pipeline(BasePipeline, Redis[Any]):
        """The pipeline of a Redis."""


StrictRedis.pipeline_class = StrictPipeline
Redis.pipeline_class = Pipeline


def connection_for(
    unix_socket_path: str | None, ssl: bool, tcp: dict[str, Any], tls: dict[str, Any]
) -> tuple[type[Connection], dict[str, Any]]:
    """The class of connection that the options of a client ask for, and the options that are its own."""
    if unix_socket_path is not None:
        return UnixDomainSocketConnection, {"path": unix_socket_path}
    if ssl:
        return SSLConnection, {**tcp, **tls}
    return Connection, tcp


def class_callbacks(cls: type) -> Mapping[str, ReplyCallback]:
    """The callbacks of a class, under either name: what the most derived class that has one of them says."""
    for base in cls.__mro__:
        found = [vars(base)[name] for name in ("RESPONSE_CALLBACKS", "REDIS_CALLBACKS") if name in vars(base)]
        if found:
            return {**found[0], **found[-1]}
    return {}
