"""How a client executes a command: the bridge between what it means and how it travels.

``execute_command`` is the one hook of the vocabulary tower.  Here it borrows a connection, sends, reads, gives the
connection back, and has the callback of the command shape the reply.

There are two ways through it.  The short one is for pools and connections that are ours and unchanged, which is decided
when the pool is set; it is written for speed, and on the rules that keep an answer right wherever an exception lands
(see ``docs/design.rst``).  The classic one is the chain of ``get_connection``, ``send_command``, ``read_response``,
``parse_response`` and ``release``, for everybody who has put a class of his own in one of these places.

This module must not know bytes, sockets or single commands.
"""

from __future__ import annotations

from contextlib import nullcontext
from time import monotonic
from typing import Any

from redis.commands.spec import ORDINARY, PLAIN, SPECS, Special, name_of, named, understand
from redis.connection.deadline import DEADLINES, Deadline
from redis.connection.idle import LOOK
from redis.connection.outcome import (
    Fault,
    NotSent,
    Unknown,
    annotate,
    complete,
    is_of,
    not_begun,
    public_error,
    tell_all,
)
from redis.connection.parsers import ReaderParser, is_reader_parser
from redis.connection.pool import OURS, BlockingConnectionPool, ConnectionPool, closed_error
from redis.connection.retry import Attempts, policy_of
from redis.connection.single import SingleConnectionPool
from redis.connection.tcp import Connection
from redis.exceptions import ConnectionError, InvalidResponse, RedisError, TimeoutError
from redis.protocol.encoder import Encoder
from redis.protocol.errors import SERVER_CHANGED, ErrorReply, error_from
from redis.protocol.packer import Packed, packer_for
from redis.typing import ReplyCallback

SHORT_POOLS: set[type[Any]] = {ConnectionPool, BlockingConnectionPool, SingleConnectionPool}
"""The pools of which no method was overridden; a module above may add its own."""


class Execution:
    """What executes the commands of a client, over the connections of its pool."""

    _closed = False
    response_callbacks: dict[str, ReplyCallback]

    # The pool, and the way that it allows.

    @property
    def connection_pool(self) -> Any:
        """The pool that the connections come from; it may be replaced."""
        return self._pool

    @connection_pool.setter
    def connection_pool(self, pool: Any) -> None:
        self._pool = pool
        limited = isinstance(time_limit(pool), Deadline)
        short = pool if takes_short_way(type(self), pool) else None
        self._short: ConnectionPool | None = None if limited else short
        #: For a client that limits its calls: what executes them within the limit, the short way.
        self._within = Within(short) if limited and short is not None else None
        self._pack = packer_for(self.get_encoder())

    def get_encoder(self) -> Encoder:
        """How this client encodes arguments and decodes replies."""
        encoder = getattr(self.connection_pool, "get_encoder", None)
        found = encoder() if encoder is not None else None
        return found if isinstance(found, Encoder) else Encoder()

    def set_response_callback(self, command: str, callback: ReplyCallback) -> None:
        """Have ``callback(response, **options)`` shape the replies to ``command``, for this client alone."""
        self.response_callbacks[command] = callback

    # The short way.

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command and return its reply, shaped by the callback of the command.

        The first argument is the name, ``"GET"`` or ``"CONFIG GET"``; ``options`` are for the callback.  ResponseError
        and its kin for what the server refuses; ConnectionError or TimeoutError, with ``maybe_applied``, where there is
        no reply; DataError for what cannot be meant so.
        """
        pool = self._short
        if pool is None:
            return self._execute_otherwise(args, options)
        words, special = args, None
        if not args or args[0].__class__ is not str or args[0] not in PLAIN:
            args = named(args)
            words, special = understand(args)
        elif DEADLINES:
            special = ORDINARY
        data = self._pack(words)
        idle = pool._available_connections
        connection: Any = None
        now = monotonic()
        try:  # each store below is where it is for a reason: an exception may land between any two bytecodes
            try:
                connection = idle.pop()
            except IndexError:
                connection = self._make_connection(pool, words)
            try:
                if now - connection.used > LOOK:
                    connection.prepare()
                connection.used = now
                reply = connection.call(data) if special is None else connection.exchange(data, *special)
            except (NotSent, Unknown) as fault:
                reply = self._send_again(connection, words, data, special, fault, now)
            except (InvalidResponse, ConnectionError) as error:
                complete(error, name_of(words), connection.address, "recv", 1, connection.serial)
                if is_of(error, connection):
                    tell_all(error, 1, False, monotonic() - now)
                raise
        finally:
            if connection is not None:
                if connection.owed:
                    connection.disconnect()
                idle.append(connection)
                if pool._available_connections is not idle:
                    pool.take_over(idle)
        if reply.__class__ is ErrorReply:
            reply = self._ask_again(pool, connection, words, data, special, reply, now)
        callback = self.response_callbacks.get(args[0])
        if callback is None:
            return reply
        return callback(reply, **options) if options else callback(reply)

    @staticmethod
    def _make_connection(pool: ConnectionPool, words: tuple[Any, ...]) -> Any:
        try:
            return pool.make_connection()
        except RedisError as error:
            not_begun(error, name_of(words), pool.address)
            raise

    def _send_again(
        self,
        connection: Connection,
        words: tuple[Any, ...],
        data: Packed,
        special: Special | None,
        failure: Fault | ErrorReply,
        started: float,
    ) -> Any:
        """After a failure: send again as long as that is safe or allowed, else raise the truth about all of it."""
        name, blocking = name_of(words), special is not None and special.wait is not None
        attempts = Attempts(connection, is_readonly(name), blocking, started)
        again = self._is_repeated(attempts, connection, name, failure)
        while again:
            try:
                connection.prepare()
                connection.used = monotonic()
                reply = connection.call(data) if special is None else connection.exchange(data, *special)
            except (NotSent, Unknown) as fault:
                again = self._is_repeated(attempts, connection, name, fault)
            except RedisError as error:
                if isinstance(error, (InvalidResponse, ConnectionError)):
                    complete(error, name, connection.address, "recv", attempts.number, connection.serial)
                if is_of(error, connection):
                    attempts.tell(error)
                raise
            else:
                if reply.__class__ is not ErrorReply:
                    return reply
                failure, again = reply, self._is_repeated(attempts, connection, name, reply)
        raise attempts.tell(self._refusal(failure, words, connection))

    def _ask_again(
        self,
        pool: ConnectionPool,
        connection: Any,
        words: tuple[Any, ...],
        data: Packed,
        special: Special | None,
        refused: ErrorReply,
        started: float,
    ) -> Any:
        """After an error of the server: send again where the user said so, else raise it."""
        if not policy_of(connection).may_ask_again(error_from(refused)):
            raise self._refusal(refused, words, connection)
        connection = pool.get_connection(name_of(words))
        try:
            return self._send_again(connection, words, data, special, refused, started)
        finally:
            pool.release(connection)

    def _is_repeated(self, attempts: Attempts, connection: Connection, name: str, failure: Fault | ErrorReply) -> bool:
        """Whether there is another attempt; raises the truth about all of them where there is none after a fault."""
        if isinstance(failure, ErrorReply):
            error = error_from(failure)
            if isinstance(error, SERVER_CHANGED):
                connection.disconnect()
                self._retire()
            return attempts.after_refusal(error)
        connection.disconnect()
        if attempts.after_fault(failure):
            return True
        # Never a local variable: with the frames of its traceback it would be a cycle, and keep the connection alive.
        raise attempts.tell(
            public_error(failure, name, connection.address, attempts.number, attempts.unknown)
        ) from failure.origin

    def _refusal(self, reply: Any, words: tuple[Any, ...], connection: Connection) -> RedisError:
        """The error that the server's words mean; the pool is told where the server is not what it was."""
        error = annotate(error_from(reply), name_of(words), connection.address, "recv", 1)
        if isinstance(error, SERVER_CHANGED):
            self._retire()
        return error

    def _retire(self) -> None:
        """Tell the pool that the server is not what it was."""
        getattr(self._pool, "retire", bool)()

    # The classic way.

    def _execute_otherwise(self, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """What cannot go the short way: the client is closed, or limits its calls, or stands on classes of others."""
        if self._closed:
            error = closed_error("client")
            not_begun(error, name_of(named(args)), getattr(self._pool, "address", ""))
            raise error
        within = self._within
        with time_limit(self._pool):
            if within is None:
                return self._execute_classic(args, options)
            within.response_callbacks = self.response_callbacks
            return within.execute_command(*args, **options)

    def _execute_classic(self, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """The chain of methods that others override."""
        args = named(args)
        words, special = understand(args)
        started = monotonic()
        connection = self._pool.get_connection(args[0], **options)
        attempts: Attempts | None = None
        try:
            while True:
                try:
                    return self._converse(connection, words, special, args[0], options)
                except RedisError as error:
                    if not is_of(error, connection):
                        raise
                    if attempts is None:
                        readonly, blocking = is_readonly(name_of(words)), special.wait is not None
                        attempts = Attempts(connection, readonly, blocking, started)
                    if not self._is_repeated_classic(attempts, connection, error):
                        raise
        finally:
            self._pool.release(connection)

    def _is_repeated_classic(self, attempts: Attempts, connection: Any, error: RedisError) -> bool:
        """Whether there is another attempt after an error of this one."""
        if isinstance(error, SERVER_CHANGED):
            self._retire()
        elif isinstance(error, (ConnectionError, TimeoutError)):
            connection.disconnect()
        return attempts.after_error(error)

    def _converse(
        self, connection: Any, words: tuple[Any, ...], special: Special, name: Any, options: dict[str, Any]
    ) -> Any:
        """One command and its reply over a connection of any class."""
        if not isinstance(connection, Connection):
            connection.send_command(*words)
            return self.parse_response(connection, name, **options)
        connection.doing(name_of(words))
        connection.connect()
        connection.expect(special.changes, special.wait)
        connection.send_command(*words)
        try:
            return self.parse_response(connection, name, **options)
        finally:
            connection.settle(special.wait)

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """Read a reply off ``connection`` and shape it as the callback of ``command_name`` does."""
        spec = SPECS.get(name_of((command_name,)))
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


class Within(Execution):
    """The execution of another client's commands, without a limit of its own, for where the limit holds already."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = self._short = pool
        self._pack = packer_for(pool.encoder())


def takes_short_way(client_class: type[Execution], pool: Any) -> bool:
    """Whether pool, connections, parser and client are ours, so that none of their methods was overridden."""
    if type(pool) not in SHORT_POOLS or pool.connection_class not in OURS:
        return False
    parser_class = pool.connection_kwargs.get("parser_class", ReaderParser)
    return is_reader_parser(parser_class) and client_class.parse_response is Execution.parse_response


def time_limit(pool: Any) -> Deadline | nullcontext[None]:
    """The deadline of one call, where the options of the pool, of any class, have a ``command_timeout``."""
    options = getattr(pool, "connection_kwargs", None)
    seconds = options.get("command_timeout") if isinstance(options, dict) else None
    return nullcontext() if seconds is None else Deadline(seconds)


def is_readonly(name: str) -> bool:
    """Whether the table says that a command changes nothing; of a command that it does not have, nobody knows."""
    return name in SPECS and SPECS[name].readonly
