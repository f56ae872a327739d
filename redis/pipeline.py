"""Pipelines: commands that are queued, sent at once, and answered with one list.

``BasePipeline`` is a client whose ``execute_command`` queues; ``client.py`` makes the classes of it, one for each class
of client.  Between ``watch()`` and ``multi()`` commands are executed at once, over the one connection that watches.

This module owns what a batch means: transactions, their errors, what may be sent again.  How the bytes travel is
``connection/batch.py``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import repeat
from time import monotonic
from types import TracebackType
from typing import Any, ClassVar, TypeVar

from redis.commands.spec import ORDINARY, Special, name_of, named, understand
from redis.connection.batch import Batch
from redis.connection.deadline import has_passed
from redis.connection.idle import close_if_stale
from redis.connection.outcome import (
    Fault,
    NotSent,
    Unknown,
    annotate,
    complete,
    is_final,
    is_of,
    is_refusal,
    public_error,
)
from redis.connection.pool import OURS
from redis.connection.retry import Attempts
from redis.connection.tcp import Connection
from redis.connection.wire import NEVER, Keeper
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    InvalidResponse,
    RedisError,
    ResponseError,
    TimeoutError,
    WatchError,
)
from redis.execution import time_limit
from redis.protocol.errors import SERVER_CHANGED, ErrorReply, error_from
from redis.queued import EXEC, MULTI, Order, Stacked, Words, decoded, has_errors, order_for, shown
from redis.typing import ReplyCallback

AnyPipeline = TypeVar("AnyPipeline", bound="BasePipeline")

WATCH_LOST = "The connection was lost while keys were watched; nothing was executed"


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
        #: What the connection was when it was borrowed: kept by one client, and altered by it.
        self._kept: Keeper | None = None
        self._altered = False

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
        connection, watching = self.connection, self.watching
        # All at once: an exception that lands here leaves it as it was, or as it is to be.
        vars(self).update(command_stack=[], scripts=set(), watching=False, explicit_transaction=False, connection=None)
        if connection is not None:
            if watching:
                self._stop_watching(connection)
            self.connection_pool.release(connection)

    def _stop_watching(self, connection: Any) -> None:
        """Tell the server; where that cannot be done, the connection is closed, which says the same."""
        # Not made anew for this: that would swallow the error of what else was set on it.
        lost = getattr(connection, "owed", 0) or getattr(connection, "used", None) is NEVER
        try:
            if not lost:
                with time_limit(self.connection_pool):
                    self._converse(connection, ("UNWATCH",), ORDINARY, "UNWATCH", {})  # type: ignore[attr-defined]
        except RedisError:
            lost = True
        if lost:
            connection.disconnect()
        self._ended(connection)

    def _ended(self, connection: Any, changes: bool = False) -> None:
        """Nothing is watched any more: the connection is what it was when it was borrowed, unless it ``changes``."""
        connection.altered = self._altered or changes
        if self._kept is not None:
            self._kept.altered = connection.altered

    # Queueing, and executing at once while keys are watched.

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Queue a command and return the pipeline; while keys are watched, and for WATCH, execute it at once."""
        if (self.watching or (args and args[0] == "WATCH")) and not self.explicit_transaction:
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
        args = named(args)
        words, special = understand(args)
        with time_limit(self.connection_pool):
            started = monotonic()
            connection = self._borrow(name_of(words))
            talk = partial(self._talk, connection, words, special, args[0], options)
            try:
                return self._attempt_each(connection, Order([words], [special]), started, talk)
            except (ConnectionError, TimeoutError, WatchError) as error:
                if is_of(error, connection) or getattr(connection, "used", None) is NEVER:
                    self.reset()
                raise

    def _talk(
        self,
        connection: Any,
        words: Words,
        special: Special,
        name: Any,
        options: dict[str, Any],
    ) -> Any:
        """One command and its reply."""
        if isinstance(connection, Connection):
            # WATCH is undone by EXEC or UNWATCH; after anything else that changes a connection it is not used again.
            connection.kept = self._kept or (Keeper() if name_of(words) in ("WATCH", "UNWATCH") else None)
        result = self._converse(connection, words, special, name, options)  # type: ignore[attr-defined]
        if name_of(words) == "UNWATCH":
            self._ended(connection)
        return result

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
            connection = self.connection_pool.get_connection(name, self.shard_hint)
            self._kept, self._altered = getattr(connection, "kept", None), getattr(connection, "altered", False)
            self.connection = connection
        return self.connection

    def _attempt_each(self, connection: Any, order: Order, started: float, attempt: Callable[[], Any]) -> Any:
        """Attempt it, again as long as that is safe or allowed, over the same connection made anew."""
        attempts = None
        while True:
            try:
                return attempt()
            except RedisError as error:
                if not is_of(error, connection):
                    raise
                error.command = error.command or order.name
                attempts = attempts or Attempts(connection, order.readonly, order.blocking, started)
                if not self._is_attempted_again(attempts, connection, order, error):
                    raise

    def _is_attempted_again(self, attempts: Attempts, connection: Any, order: Order, error: RedisError) -> bool:
        """Whether there is another attempt after an error of this one; what watches keys is not made anew."""
        if isinstance(error, (ConnectionError, TimeoutError)) and not is_final(error):
            connection.disconnect()
            if self.watching and not error.maybe_applied and not has_passed():
                lost = WatchError(WATCH_LOST)
                raise annotate(lost, error.command or "", error.address or "", error.phase or "", 1) from error
        # Of a batch in which one command was refused the others may have been executed.
        in_part = bool(order.stack) and is_refusal(error) and error.phase != "handshake"
        if self.watching or in_part:
            attempts.tell(error)
            return False
        return attempts.after_error(error)

    # Executing.

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Send what was queued and return the list of the results.

        With ``raise_on_error`` the first error among them is raised, and names its command; else errors stand in the
        list.  WatchError if a watched key was changed: nothing was executed then.  ConnectionError or TimeoutError with
        ``maybe_applied`` where not all replies came; its ``replies`` are those that did.
        """
        # Taken out first: what was interrupted is not sent again.
        stack, self.command_stack = self.command_stack, []
        if not stack:
            return []
        try:
            with time_limit(self.connection_pool):
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
        if self.scripts:
            self.load_scripts()
        order = order_for(stack, bool(self.transaction or self.explicit_transaction))
        replies = self._exchange(order)
        if order.atomic:
            self.watching = False
            replies = self._executed(replies, order)
        failed = has_errors(replies)
        results = self._shape(replies, stack, failed)
        if failed and raise_on_error:
            self.raise_first_error([args for args, _ in stack], results)
        return results

    def _exchange(self, order: Order) -> list[Any]:
        """Send the commands and return the raw replies."""
        started = monotonic()
        connection = self._borrow(order.words[0][0])
        if self.watching and isinstance(connection, Connection):
            close_if_stale(connection)
            if connection.used is NEVER:
                raise annotate(WatchError(WATCH_LOST), order.name, connection.address, "send", 1)
        attempt = self._attempt if type(connection) in OURS and connection.is_short else self._attempt_classic
        replies: list[Any] = self._attempt_each(connection, order, started, partial(attempt, connection, order))
        if order.atomic:  # EXEC has ended what WATCH began
            self._ended(connection, order.changes)
        return replies

    def _attempt(self, connection: Connection, order: Order) -> list[Any]:
        data = connection.pack_batch(order.words)
        batch = Batch(connection, len(order.words), order.specials, order.atomic)
        try:
            connection.prepare_if_closed()
            return connection.accept(batch.run(data, order.changes), order.atomic)
        except (NotSent, Unknown) as fault:
            connection.disconnect()
            raise self._lost(fault, connection, order, batch) from fault.origin
        except (InvalidResponse, UnicodeDecodeError) as error:
            if isinstance(error, InvalidResponse):
                complete(error, order.name, connection.address, "recv", 1, connection.serial)
            vars(error)["replies"] = self._so_far(batch.salvage(), order)
            raise

    def _lost(self, fault: Fault, connection: Connection, order: Order, batch: Batch) -> ConnectionError | TimeoutError:
        """The error of a batch that was lost, with the replies that had come."""
        applied = isinstance(fault, Unknown)
        error = public_error(fault, order.name, connection.address, 1, applied, connection.serial)
        error.replies = self._so_far(batch.salvage(), order)
        return error

    def _attempt_classic(self, connection: Any, order: Order) -> list[Any]:
        """The chain of methods that others override."""
        replies: list[Any] = []
        try:
            if isinstance(connection, Connection):
                connection.doing(order.name)
                connection.connect()
                connection.expect(order.changes, None)
            connection.send_packed_command(connection.pack_commands(order.words))
            specials = order.specials or repeat(None, len(order.words))
            replies.extend(self._read_classic(connection, special) for special in specials)  # one after the other
        except BaseException as error:
            connection.disconnect()
            if isinstance(error, (ConnectionError, TimeoutError)):
                error.replies = self._so_far(replies, order)
            raise
        if isinstance(connection, Connection):
            connection.settle(None)
        return replies

    @staticmethod
    def _read_classic(connection: Any, special: Special | None) -> Any:
        try:
            if special is None or not isinstance(connection, Connection):
                return connection.read_response()
            if special.wait is not None:
                connection.expect_wait(special.wait)
            try:
                return connection.read_response(**({} if special.decode else {"disable_decoding": True}))
            finally:
                if special.wait is not None:
                    connection.settle_wait()
        except (ResponseError, BusyLoadingError) as error:
            if isinstance(error, BusyLoadingError) and not isinstance(connection, Connection):
                raise  # nobody knows whether more can be read off it
            return error

    # What came back.

    def _executed(self, replies: list[Any], order: Order) -> list[Any]:
        """The results of a transaction, out of the replies to MULTI, to each command, and to EXEC."""
        executed = replies.pop()
        refused = [(number, reply) for number, reply in enumerate(replies) if isinstance(reply, RedisError)]
        if isinstance(executed, RedisError):
            number, reply = refused[0] if refused else (0, executed)
            command = order.stack[number - 1][0] if number else MULTI if refused else EXEC
            error = self._error(reply, command, replies[1:] if command is MULTI else ())
            vars(error)["maybe_applied"] = command is MULTI  # without it the commands were executed one by one
            if number:
                self.annotate_exception(error, number, command)
            raise error
        if executed is None:
            address = getattr(self.connection, "address", "")
            raise annotate(WatchError("Watched variable changed."), EXEC[0], address, "recv", 1)
        for number, reply in refused:
            executed.insert(number - 1, reply)
        if len(executed) != len(order.stack):
            self.connection.disconnect()
            raise ResponseError("Wrong number of response items from pipeline execution")
        return self._decoded(executed, order) if order.specials else list(executed)

    def _decoded(self, executed: list[Any], order: Order) -> list[Any]:
        """The replies of a transaction; it was read as bytes if one of them is no text: the others are decoded now."""
        if order.specials[-1].decode or not isinstance(self.connection, Connection):
            return list(executed)
        decode, specials = self.connection.encoder.decode, order.specials[1:-1]
        return [decoded(reply, decode) if special.decode else reply for reply, special in zip(executed, specials)]

    def _shape(self, replies: list[Any], stack: Sequence[Stacked], failed: bool = True) -> list[Any]:
        """Put what the callbacks make of the replies in their place, and the errors that error lines mean.

        ``failed`` is False where none is an error.
        """
        callbacks = self.response_callbacks
        for number, ((args, options), reply) in enumerate(zip(stack, replies)):
            if failed and isinstance(reply, RedisError):
                replies[number] = self._error(reply, args, replies)
            elif (callback := callbacks.get(args[0])) is not None:
                replies[number] = callback(reply, **options) if options else callback(reply)
        return replies

    def _so_far(self, replies: list[Any], order: Order) -> list[Any] | None:
        """The results that had come when a batch was lost; None for a transaction, whose results come all at once."""
        if order.atomic:
            return None
        with suppress(Exception):  # an error of a callback is not what is to be told now
            self._shape(replies, order.stack)
        return replies

    def _error(self, reply: RedisError, command: Words, others: Sequence[Any]) -> RedisError:
        """The error that an error line means; while the server loads its data nothing else is of interest: raised.

        ``others`` are the replies to what was executed, or refused, beside it.
        """
        error = error_from(reply) if isinstance(reply, ErrorReply) else reply
        annotate(error, name_of(command), getattr(self.connection, "address", ""), "recv", 1)
        if isinstance(error, SERVER_CHANGED):
            self.connection.disconnect()
            getattr(self.connection_pool, "retire", bool)()
        if isinstance(error, BusyLoadingError):
            error.maybe_applied = not all(isinstance(other, RedisError) for other in others)
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
