"""The clients: the bridge between what a command means and how it travels.

``execute_command`` is the one hook of the vocabulary tower.  Here it borrows a connection, sends, reads, gives the
connection back, and has the callback of the command shape the reply.

There are two ways through it.  The short one is for pools and connections that are ours and unchanged, which is decided
when the pool is set; it is written for speed, and on the rules that keep an answer right wherever an exception lands
(see ``docs/design.rst``).  The classic one is the chain of ``get_connection``, ``send_command``, ``read_response``,
``parse_response`` and ``release``, for everybody who has put a class of his own in one of these places.

This module must not know bytes, sockets or single commands.  What it imports beyond its needs is what programs have
always imported from it; ``__all__`` lists it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic, sleep
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, overload

from redis.commands import Commands
from redis.commands.args import list_or_args
from redis.commands.legacy import LEGACY_CALLBACKS, LegacyCommands
from redis.commands.replies import (
    bool_ok,
    dict_merge,
    float_or_none,
    int_or_none,
    pairs_to_dict,
    pairs_to_dict_typed,
    parse_config_get,
    parse_hscan,
    parse_info,
    parse_object,
    parse_scan,
    sort_return_tuples,
    string_keys_to_dict,
    timestamp_to_datetime,
    zset_score_pairs,
)
from redis.commands.spec import PLAIN, SPECS, Special, name_of, named, understand
from redis.connection.options import accepted_options, check_seconds, refuse_unknown, renamed
from redis.connection.outcome import Fault, NotSent, Unknown, annotate, complete, is_of, public_error
from redis.connection.parsers import ReaderParser, is_reader_parser
from redis.connection.pool import LOOK, OURS, BlockingConnectionPool, ConnectionPool, SingleConnectionPool, closed_error
from redis.connection.retry import may_send_again
from redis.connection.socketbuffer import SYM_EMPTY
from redis.connection.tcp import Connection
from redis.connection.tls import SSLConnection
from redis.connection.unix import UnixDomainSocketConnection
from redis.connection.wire import Wire
from redis.exceptions import (
    ConnectionError,
    DataError,
    ExecAbortError,
    InvalidResponse,
    NoScriptError,
    PubSubError,
    RedisError,
    ResponseError,
    TimeoutError,
    WatchError,
)
from redis.lock import Lock, LuaLock
from redis.monitor import Monitor
from redis.pipeline import BasePipeline
from redis.protocol.encoder import Encoder
from redis.protocol.errors import SERVER_CHANGED, ErrorReply, error_from
from redis.protocol.packer import Packed, Token, packer_for
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
    "bool_ok",
    "dict_merge",
    "float_or_none",
    "int_or_none",
    "list_or_args",
    "pairs_to_dict",
    "pairs_to_dict_typed",
    "parse_config_get",
    "parse_hscan",
    "parse_info",
    "parse_object",
    "parse_scan",
    "sort_return_tuples",
    "string_keys_to_dict",
    "timestamp_to_datetime",
    "zset_score_pairs",
]

Client = TypeVar("Client", bound="StrictRedis[Any]")

SHORT_POOLS = (ConnectionPool, BlockingConnectionPool, SingleConnectionPool)


class StrictRedis(Commands[T]):
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
        :param connection_pool: the pool to use; all options of connections are its business then.
        :param unix_socket_path: connect to this path instead of ``host`` and ``port``.
        :param decode_responses: values are str, decoded as ``encoding`` and ``encoding_errors`` say, and not bytes.
        :param retry_on_timeout: a command whose time ran out is sent again, even where that may execute it twice.
        :param ssl: connect over TLS; the certificate of the server is verified unless ``ssl_cert_reqs="none"``.
        :param max_connections: no more connections than this, else MaxConnectionsError; None: no limit.
        :param single_connection_client: keep one connection for this client alone, not to be shared by threads.
        :param options: any other option of the connection: ``username``, ``credential_provider``, ``client_name``,
            ``protocol`` (2 or 3), ``parser_class``, ``socket_read_size``, ``lib_name``, ``lib_version``, ``fork_safe``,
            ``ssl_context``, ``ssl_ca_path``, ``ssl_ca_data``, ``ssl_check_hostname``, ``ssl_password``,
            ``ssl_min_version``, ``ssl_ciphers``.
        """
        for name, value in (("socket_timeout", socket_timeout), ("socket_connect_timeout", socket_connect_timeout)):
            check_seconds(name, value)
        self._owns_pool = connection_pool is None
        if connection_pool is None:
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
            refuse_unknown(options, accepted_options(connection_class, Wire), type(self).__name__)
            connection_pool = ConnectionPool(connection_class, max_connections, **shared, **place, **options)
        else:
            refuse_unknown(options, (), f"{type(self).__name__} with a connection_pool")
        self._closed = False
        self.response_callbacks = dict(class_callbacks(type(self)))
        self.connection_pool = SingleConnectionPool(connection_pool) if single_connection_client else connection_pool

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
        make: Any = cls
        client: StrictRedis[Any] = make(connection_pool=pool, single_connection_client=single)
        client._owns_pool = True
        return client

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self._pool!r}>"

    # The pool, and the way that it allows.

    @property
    def connection_pool(self) -> Any:
        """The pool that the connections come from; it may be replaced."""
        return self._pool

    @connection_pool.setter
    def connection_pool(self, pool: Any) -> None:
        self._pool = pool
        self._short: ConnectionPool | None = pool if takes_short_way(type(self), pool) else None
        self._pack = packer_for(self.get_encoder())

    def get_encoder(self) -> Encoder:
        """How this client encodes arguments and decodes replies."""
        encoder = getattr(self.connection_pool, "get_encoder", None)
        found = encoder() if encoder is not None else None
        return found if isinstance(found, Encoder) else Encoder()

    def close(self) -> None:
        """Close the connections, unless the pool was given to the client; a call after this is a ConnectionError."""
        self._closed, self._short = True, None
        if self._owns_pool or isinstance(self._pool, SingleConnectionPool):
            self._pool.close()

    def __enter__(self: Client) -> Client:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def set_response_callback(self, command: str, callback: ReplyCallback) -> None:
        """Have ``callback(response, **options)`` shape the replies to ``command``, for this client alone."""
        self.response_callbacks[command] = callback

    # Pipelines.

    @overload
    def pipeline(self: Redis[Any], transaction: bool = ..., shard_hint: Any = ...) -> Pipeline: ...
    @overload
    def pipeline(self, transaction: bool = ..., shard_hint: Any = ...) -> StrictPipeline: ...
    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Any:
        """Return a pipeline: its methods queue, its ``execute()`` sends all at once and returns the list of results.

        With ``transaction`` the server executes it as one unit (MULTI, EXEC); without, one command after the other.
        """
        return self.pipeline_class(self.connection_pool, self.response_callbacks, transaction, shard_hint)

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
        return PubSub(self.connection_pool, **{"encoder": self.get_encoder(), **kwargs})

    def monitor(self) -> Monitor:
        """Return a Monitor, a context manager that gives every command which the server executes.

        Since 1.0.0, https://redis.io/commands/monitor/
        """
        return Monitor(self.connection_pool)

    # The short way.

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command and return its reply, shaped by the callback of the command.

        The first argument is the name, ``"GET"`` or ``"CONFIG GET"``; ``options`` are for the callback.  ResponseError
        and its kin for what the server refuses; ConnectionError or TimeoutError, with ``maybe_applied``, where there is
        no reply; DataError for what cannot be meant so.
        """
        pool = self._short
        if pool is None:
            return self._execute_classic(args, options)
        words, special = args, None
        if not args or args[0].__class__ is not str or args[0] not in PLAIN:
            args = named(args)
            words, special = understand(args)
        data = self._pack(words)
        idle = pool._available_connections
        connection: Any = None
        try:  # each store below is where it is for a reason: an exception may land between any two bytecodes
            try:
                connection = idle.pop()
            except IndexError:
                connection = pool.make_connection()
            try:
                now = monotonic()
                if now - connection.used > LOOK:
                    connection.prepare()
                connection.used = now
                reply = connection.call(data) if special is None else connection.exchange(data, *special)
            except (NotSent, Unknown) as fault:
                reply = self._send_again(connection, words, data, special, fault)
            except InvalidResponse as error:
                complete(error, name_of(words), connection.address, "recv", 1)
                raise
        finally:
            if connection is not None:
                if connection.owed:
                    connection.disconnect()
                idle.append(connection)
                if pool._available_connections is not idle:
                    pool.take_over(idle)
        if reply.__class__ is ErrorReply:
            raise self._refusal(reply, words, connection)
        callback = self.response_callbacks.get(args[0])
        if callback is None:
            return reply
        return callback(reply, **options) if options else callback(reply)

    def _send_again(
        self, connection: Connection, words: tuple[Any, ...], data: Packed, special: Special | None, fault: Fault
    ) -> Any:
        """After a fault: send once more where that is safe, else tell the truth."""
        connection.disconnect()
        name, unknown = name_of(words), isinstance(fault, Unknown)
        readonly, blocking = is_readonly(name), special is not None and special.wait is not None
        if not may_send_again(unknown, fault.timed_out, readonly, blocking, connection.retry_on_timeout):
            raise public_error(fault, name, connection.address, 1, unknown) from fault.__cause__
        try:
            connection.prepare()
            connection.used = monotonic()
            return connection.call(data) if special is None else connection.exchange(data, *special)
        except (NotSent, Unknown) as second:
            applied = unknown or isinstance(second, Unknown)
            raise public_error(second, name, connection.address, 2, applied) from second.__cause__

    def _refusal(self, reply: ErrorReply, words: tuple[Any, ...], connection: Any) -> RedisError:
        """The error that the server's words mean; the pool is told where the server is not what it was."""
        error = annotate(error_from(reply), name_of(words), connection.address, "recv", 1)
        if isinstance(error, SERVER_CHANGED):
            self._pool.retire()
        return error

    # The classic way.

    def _execute_classic(self, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """The chain of methods that others override."""
        if self._closed:
            raise closed_error("client")
        args = named(args)
        words, special = understand(args)
        connection = self._pool.get_connection(args[0], **options)
        try:
            try:
                return self._converse(connection, words, special, args[0], options)
            except SERVER_CHANGED:
                getattr(self._pool, "retire", bool)()
                raise
            except (ConnectionError, TimeoutError) as error:
                if not is_of(error, connection):
                    raise
                connection.disconnect()
                name, timed_out = name_of(words), isinstance(error, TimeoutError)
                retry_on_timeout = getattr(connection, "retry_on_timeout", False)
                blocking = special.wait is not None
                if not may_send_again(error.maybe_applied, timed_out, is_readonly(name), blocking, retry_on_timeout):
                    raise
            return self._converse(connection, words, special, args[0], options)
        finally:
            self._pool.release(connection)

    def _converse(
        self, connection: Any, words: tuple[Any, ...], special: Special, name: Any, options: dict[str, Any]
    ) -> Any:
        """One command and its reply over a connection of any class."""
        if not isinstance(connection, Connection):
            connection.send_command(*words)
            return self.parse_response(connection, name, **options)
        connection.connect()
        connection.expect(special.changes, special.wait)
        connection.send_command(*words)
        try:
            return self.parse_response(connection, name, **options)
        finally:
            connection.settle(special.wait)

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """Read a reply off ``connection`` and shape it as the callback of ``command_name`` does."""
        spec = SPECS.get(command_name)
        try:
            if spec is not None and not spec.decode and isinstance(connection, Connection):
                response = connection.read_response(disable_decoding=True)
            else:
                response = connection.read_response()
        except RedisError as error:
            error.command = error.command or name_of((command_name,))
            raise
        callback = self.response_callbacks.get(command_name)
        return response if callback is None else callback(response, **options)


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


if TYPE_CHECKING:  # a stub says of every method that it returns the pipeline
    from redis.typed_pipeline import Pipeline, StrictPipeline
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


def takes_short_way(client_class: type[StrictRedis[Any]], pool: Any) -> bool:
    """Whether pool, connections, parser and client are ours, so that none of their methods was overridden."""
    if type(pool) not in SHORT_POOLS or pool.connection_class not in OURS:
        return False
    parser_class = pool.connection_kwargs.get("parser_class", ReaderParser)
    return is_reader_parser(parser_class) and client_class.parse_response is StrictRedis.parse_response


def is_readonly(name: str) -> bool:
    """Whether the table says that a command changes nothing; of a command that it does not have, nobody knows."""
    return name in SPECS and SPECS[name].readonly
