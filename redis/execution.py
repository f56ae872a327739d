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

from time import monotonic
from typing import Any

from redis.commands.spec import PLAIN, SPECS, Special, name_of, named, understand
from redis.connection.outcome import Fault, NotSent, Unknown, annotate, complete, is_of, public_error, second_attempt
from redis.connection.parsers import ReaderParser, is_reader_parser
from redis.connection.pool import LOOK, OURS, BlockingConnectionPool, ConnectionPool, SingleConnectionPool, closed_error
from redis.connection.retry import may_send_again
from redis.connection.tcp import Connection
from redis.exceptions import ConnectionError, InvalidResponse, RedisError, TimeoutError
from redis.protocol.encoder import Encoder
from redis.protocol.errors import SERVER_CHANGED, ErrorReply, error_from
from redis.protocol.packer import Packed, packer_for
from redis.typing import ReplyCallback

SHORT_POOLS = (ConnectionPool, BlockingConnectionPool, SingleConnectionPool)


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
        self._short: ConnectionPool | None = pool if takes_short_way(type(self), pool) else None
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
            raise self._refusal(reply, words, connection, pool)
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
        except RedisError as error:
            second_attempt(error, unknown)
            raise

    def _refusal(self, reply: ErrorReply, words: tuple[Any, ...], connection: Any, pool: ConnectionPool) -> RedisError:
        """The error that the server's words mean; the pool is told where the server is not what it was."""
        error = annotate(error_from(reply), name_of(words), connection.address, "recv", 1)
        if isinstance(error, SERVER_CHANGED):
            pool.retire()
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
                unknown = error.maybe_applied
                if not may_send_again(unknown, timed_out, is_readonly(name), blocking, retry_on_timeout):
                    raise
            try:
                return self._converse(connection, words, special, args[0], options)
            except RedisError as error:
                second_attempt(error, unknown)
                raise
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


def takes_short_way(client_class: type[Execution], pool: Any) -> bool:
    """Whether pool, connections, parser and client are ours, so that none of their methods was overridden."""
    if type(pool) not in SHORT_POOLS or pool.connection_class not in OURS:
        return False
    parser_class = pool.connection_kwargs.get("parser_class", ReaderParser)
    return is_reader_parser(parser_class) and client_class.parse_response is Execution.parse_response


def is_readonly(name: str) -> bool:
    """Whether the table says that a command changes nothing; of a command that it does not have, nobody knows."""
    return name in SPECS and SPECS[name].readonly
