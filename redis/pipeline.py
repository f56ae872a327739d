"""Pipelines: commands that are queued, sent at once, and answered with one list.

``BasePipeline`` is a client whose ``execute_command`` queues; ``client.py`` makes the classes of it, one for each class
of client.  Between ``watch()`` and ``multi()`` commands are executed at once, over the one connection that watches.

This module owns what a batch means: transactions, their errors, what may be sent again.  How the bytes travel is
``connection/batch.py``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from types import TracebackType
from typing import Any, ClassVar, TypeVar

from redis.commands.spec import PLAIN, SPECS, Special, name_of, understand
from redis.connection.batch import Batch
from redis.connection.outcome import NotSent, Unknown, is_of, public_error
from redis.connection.pool import OURS
from redis.connection.retry import may_send_again
from redis.connection.tcp import Connection
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    InvalidResponse,
    RedisError,
    ResponseError,
    TimeoutError,
    WatchError,
)
from redis.protocol.errors import SERVER_CHANGED, ErrorReply, error_from
from redis.protocol.packer import batch_packer_for
from redis.typing import ReplyCallback

Stacked = tuple[tuple[Any, ...], dict[str, Any]]
Words = tuple[Any, ...]
AnyPipeline = TypeVar("AnyPipeline", bound="BasePipeline")

first = itemgetter(0)
MULTI, EXEC = ("MULTI",), ("EXEC",)
#: Arguments of these are secrets; the text of an error has none of them.
SECRETIVE = frozenset(("AUTH", "HELLO", "MIGRATE", "CONFIG SET", "ACL SETUSER"))
LONGEST = 60
"""How many characters of a command stand in the text of an error."""


class BasePipeline:
    """What the pipelines of all clients have in common; it is mixed with the class of a client.

    Methods queue their command and return the pipeline; ``execute()`` sends what was queued and returns the list of the
    results.  With ``transaction`` (the default) the server executes all of it as one unit, in MULTI and EXEC.
    """

    UNWATCH_COMMANDS: ClassVar[set[str]] = {"DISCARD", "EXEC", "UNWATCH"}
    #: A plain attribute here: a pipeline never changes its pool.
    connection_pool: Any = None

    def __init__(
        self,
        connection_pool: Any,
        response_callbacks: dict[str, ReplyCallback],
        transaction: bool = True,
        shard_hint: Any = None,
    ) -> None:
        self.connection_pool = connection_pool
        self.response_callbacks = response_callbacks
        self.transaction: Any = transaction
        self.shard_hint = shard_hint
        self.connection: Any = None
        self.command_stack: list[Stacked] = []
        #: The scripts that are called in it.
        self.scripts: set[Any] = set()
        self.watching = False
        self.explicit_transaction = False

    def __enter__(self: AnyPipeline) -> AnyPipeline:
        return self

    def __exit__(self, exc_type: type | None, exc_value: BaseException | None, traceback: TracebackType | None) -> None:
        self.reset()

    def __len__(self) -> int:
        return len(self.command_stack)

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self.connection_pool!r}, {len(self)} queued>"

    def close(self) -> None:
        """Forget what was queued and give the connection back; the pool is the client's to close."""
        self.reset()

    def reset(self) -> None:
        """Forget what was queued, stop watching, and give the connection back."""
        self.command_stack = []
        self.scripts = set()
        connection = self.connection
        if connection is not None:
            if self.watching:
                self._stop_watching(connection)
            self.connection = None
            self.connection_pool.release(connection)
        self.watching = self.explicit_transaction = False

    def _stop_watching(self, connection: Any) -> None:
        """Tell the server; where that fails, the connection is closed, which says the same."""
        try:
            connection.send_command("UNWATCH")
            connection.read_response()
            connection.altered = False
        except RedisError:
            connection.disconnect()

    # Queueing, and executing at once while keys are watched.

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Queue a command and return the pipeline; while keys are watched, and for WATCH, execute it at once."""
        if (self.watching or args[0] == "WATCH") and not self.explicit_transaction:
            return self.immediate_execute_command(*args, **options)
        self.command_stack.append((args, options))
        return self

    def pipeline_execute_command(self, *args: Any, **options: Any) -> Any:
        """Queue a command and return the pipeline."""
        self.command_stack.append((args, options))
        return self

    def multi(self) -> None:
        """After ``watch()``: queue what follows, for one transaction."""
        if self.explicit_transaction:
            raise RedisError("Cannot issue nested calls to MULTI")
        if self.command_stack:
            raise RedisError("Commands without an initial WATCH have already been issued")
        self.explicit_transaction = True

    def watch(self, *names: Any) -> Any:
        """Watch keys: the transaction is not executed if one of them is changed before.

        Commands are executed at once from now on, until ``multi()``.
        """
        if self.explicit_transaction:
            raise RedisError("Cannot issue a WATCH after a MULTI")
        return self.execute_command("WATCH", *names)

    def unwatch(self) -> Any:
        """Watch no keys any more; queue again from now on."""
        return self.execute_command("UNWATCH") if self.watching else True

    def immediate_execute_command(self, *args: Any, **options: Any) -> Any:
        """Execute a command at once, over the connection that watches or will watch."""
        words, special = understand(args)
        name = name_of(words)
        connection = self._borrow(name)
        try:
            return self._converse_watching(connection, words, special, args[0], options)
        except (ConnectionError, TimeoutError) as error:
            if not is_of(error, connection):
                raise
            was_watching = self.watching
            connection.disconnect()
            if was_watching or not self._may_send_again(connection, [words], error, special.wait is not None):
                self.reset()
                raise
        return self._converse_watching(connection, words, special, args[0], options)

    def _converse_watching(
        self, connection: Any, words: Words, special: Special, name: Any, options: dict[str, Any]
    ) -> Any:
        if isinstance(connection, Connection):
            # WATCH is undone by EXEC or UNWATCH; after anything else that changes a connection it is not used again.
            connection.kept = name_of(words) in ("WATCH", "UNWATCH")
        return self._converse(connection, words, special, name, options)  # type: ignore[attr-defined]

    def parse_response(self, connection: Any, command_name: Any, **options: Any) -> Any:
        """Read a reply as the client does, and remember whether keys are watched."""
        result = super().parse_response(connection, command_name, **options)  # type: ignore[misc]
        if command_name in self.UNWATCH_COMMANDS:
            self.watching = False
        elif command_name == "WATCH":
            self.watching = True
        return result

    def _borrow(self, name: str) -> Any:
        """The connection of this pipeline, which it keeps until :meth:`reset`."""
        if self.connection is None:
            self.connection = self.connection_pool.get_connection(name, self.shard_hint)
        return self.connection

    # Executing.

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send what was queued and return the list of the results.

        With ``raise_on_error`` the first error among them is raised, and names its command; else errors stand in the
        list.  WatchError if a watched key was changed: nothing was executed then.  ConnectionError or TimeoutError with
        ``maybe_applied`` where not all replies came; its ``replies`` are those that did.
        """
        stack = self.command_stack
        if not stack:
            return []
        try:
            if self.scripts:
                self.load_scripts()
            return self._execute(stack, raise_on_error)
        finally:
            self.reset()

    def script_load_for_pipeline(self, script: Any) -> None:
        """Have ``script`` loaded before the pipeline is executed; calling a script in a pipeline does this."""
        self.scripts.add(script)

    def load_scripts(self) -> None:
        """Load at once, over the connection of the pipeline, those of its scripts that the server does not have."""
        scripts = list(self.scripts)
        exist = self.immediate_execute_command("SCRIPT EXISTS", *[script.sha.encode() for script in scripts])
        for script, exists in zip(scripts, exist):
            if not exists:
                self.immediate_execute_command("SCRIPT LOAD", script.encoded)

    def _execute(self, stack: list[Stacked], raise_on_error: bool) -> list[Any]:
        commands = list(map(first, stack))
        atomic = bool(self.transaction or self.explicit_transaction)
        words, specials = understand_all(commands)
        replies = self._exchange([MULTI, *words, EXEC] if atomic else words, specials, atomic)
        if atomic:
            self.watching = False
            replies = self._executed(replies, commands)
        results = self._shape(replies, stack)
        if raise_on_error:
            self.raise_first_error(commands, results)
        return results

    def _exchange(self, commands: Sequence[Words], specials: Sequence[Special], atomic: bool) -> list[Any]:
        """Send the commands and return the raw replies; send them a second time where that is safe."""
        connection = self._borrow(commands[0][0])
        attempt = self._attempt if type(connection) in OURS and connection.is_short else self._attempt_classic
        try:
            return attempt(connection, commands, specials, atomic, 1)
        except (ConnectionError, TimeoutError) as error:
            if not is_of(error, connection):
                raise
            if self.watching and not error.maybe_applied:
                raise WatchError("The connection was lost while keys were watched; nothing was executed") from error
            blocking = any(special.wait is not None for special in specials)
            if self.watching or not self._may_send_again(connection, commands, error, blocking):
                raise
        return attempt(connection, commands, specials, atomic, 2)

    def _attempt(
        self, connection: Connection, commands: Sequence[Words], specials: Sequence[Special], atomic: bool, number: int
    ) -> list[Any]:
        data = batch_packer_for(connection.encoder)(commands)
        batch = Batch(connection, len(commands), () if atomic else specials, atomic)
        try:
            connection.prepare_if_closed()
            replies = batch.run(data, changes=any(special.changes for special in specials))
        except (NotSent, Unknown) as fault:
            connection.disconnect()
            doing, applied = "EXEC" if atomic else "pipeline", isinstance(fault, Unknown)
            error = public_error(fault, doing, connection.address, number, applied, connection.serial)
            error.replies = None if atomic else self._shape(batch.salvage(), self.command_stack)
            raise error from fault.__cause__
        except InvalidResponse as error:
            error.replies = None if atomic else self._shape(batch.salvage(), self.command_stack)
            raise
        connection.altered = connection.altered and not atomic  # EXEC ends what WATCH began
        return replies

    def _attempt_classic(
        self, connection: Any, commands: Sequence[Words], specials: Sequence[Special], atomic: bool, number: int
    ) -> list[Any]:
        """The chain of methods that others override."""
        try:
            connection.send_packed_command(connection.pack_commands(commands))
            return [self._read_classic(connection) for _ in commands]
        except (ConnectionError, TimeoutError):
            connection.disconnect()
            raise

    @staticmethod
    def _read_classic(connection: Any) -> Any:
        try:
            return connection.read_response()
        except ResponseError as error:
            return error

    @staticmethod
    def _may_send_again(
        connection: Any, commands: Sequence[Words], error: ConnectionError | TimeoutError, blocking: bool
    ) -> bool:
        """Whether a batch may be sent a second time; it is as read-only as its commands."""
        readonly = all(name in SPECS and SPECS[name].readonly for name in map(name_of, commands))
        return may_send_again(
            error.maybe_applied,
            isinstance(error, TimeoutError),
            readonly,
            blocking,
            getattr(connection, "retry_on_timeout", False),
        )

    # What came back.

    def _executed(self, replies: list[Any], commands: Sequence[Words]) -> list[Any]:
        """The results of a transaction, out of the replies to MULTI, to each command, and to EXEC."""
        refused = [(number, reply) for number, reply in enumerate(replies[:-1]) if isinstance(reply, ResponseError)]
        executed = replies[-1]
        if isinstance(executed, ResponseError):
            number, reply = refused[0] if refused else (0, executed)
            error = self._error(reply)
            if number:
                self.annotate_exception(error, number, commands[number - 1])
            raise error
        if executed is None:
            raise WatchError("Watched variable changed.")
        for number, reply in refused:
            executed.insert(number - 1, reply)
        if len(executed) != len(commands):
            self.connection.disconnect()
            raise ResponseError("Wrong number of response items from pipeline execution")
        return list(executed)

    def _shape(self, replies: list[Any], stack: list[Stacked]) -> list[Any]:
        """Put what the callbacks make of the replies in their place, and the errors that error lines mean."""
        callbacks = self.response_callbacks
        for number, (args, options) in enumerate(stack[: len(replies)]):
            reply = replies[number]
            if isinstance(reply, RedisError):
                replies[number] = self._error(reply)
            elif (callback := callbacks.get(args[0])) is not None:
                replies[number] = callback(reply, **options) if options else callback(reply)
        return replies

    def _error(self, reply: RedisError) -> RedisError:
        """The error that an error line means; while the server loads its data nothing else is of interest: raised."""
        error = error_from(reply) if isinstance(reply, ErrorReply) else reply
        if isinstance(error, SERVER_CHANGED):
            self.connection.disconnect()
            getattr(self.connection_pool, "retire", bool)()
        if isinstance(error, BusyLoadingError):
            raise error
        return error

    def raise_first_error(self, commands: Sequence[Words], response: Sequence[Any]) -> None:
        """Raise the first error among the results, with the number and the words of its command."""
        for number, (command, result) in enumerate(zip(commands, response), 1):
            if isinstance(result, ResponseError):
                self.annotate_exception(result, number, command)
                raise result

    def annotate_exception(self, exception: BaseException, number: int, command: Words) -> None:
        """Write number and command before the text: ``Command # 3 (LPUSH c 3) of pipeline caused error: ...``."""
        text = f"Command # {number} ({shown(command)}) of pipeline caused error: {exception.args[0]}"
        exception.args = (text, *exception.args[1:])
        if isinstance(exception, RedisError):
            exception.command = name_of(command)


def understand_all(commands: list[Words]) -> tuple[Sequence[Words], Sequence[Special]]:
    """The words to be sent, and what is special about each command; nothing where nothing is."""
    if PLAIN.issuperset(map(first, commands)):
        return commands, ()
    pairs = [understand(command) for command in commands]
    return [words for words, _ in pairs], [special for _, special in pairs]


def shown(command: Words) -> str:
    """A command as the text of an error has it: shortened, and without what may be a secret."""
    if name_of(command) in SECRETIVE:
        return f"{name_of(command)} ..."
    text = " ".join(map(as_text, command))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def as_text(word: Any) -> str:
    return bytes(word).decode("utf-8", "replace") if isinstance(word, (bytes, bytearray, memoryview)) else str(word)
