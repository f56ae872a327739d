"""Pub/Sub: a connection that listens, and what is subscribed on it.

What a program has asked for is kept in ``channels``, ``patterns`` and ``shard_channels``, and written there before it
is sent: whenever the connection is made anew, all of it is subscribed again.  One thread reads; any thread may
subscribe, unsubscribe and close meanwhile, for what is sent is sent under a lock.  Who holds it waits for the network
to connect, and for nothing else.

Who reads has the connection to himself in two ways: he alone makes it anew when it is lost, and he alone gives it back
when another has closed the object.  Else two would read from one socket, and each get what is the other's.

This module must not know how bytes travel, nor keep a connection that others use.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, RLock, Thread, current_thread
from time import monotonic
from types import TracebackType
from typing import Any, ClassVar, Self

from redis.commands.args import list_or_args
from redis.connection.forks import remember, told_in_child
from redis.connection.link import SUBSCRIBE, ForeignLink, Link, link_of
from redis.connection.outcome import annotate, is_of
from redis.connection.parsers import MISSING
from redis.connection.pool import closed_error
from redis.connection.retry import connect_in_the_end
from redis.exceptions import ConnectionError, PubSubError, RedisError, TimeoutError
from redis.messages import Message, message_of, opposite, parse_message, prefix
from redis.protocol.encoder import Encoder

Handler = Callable[[Message], Any] | None
ExceptionHandler = Callable[[Exception, "PubSub", "PubSubWorkerThread"], Any]

log = logging.getLogger("redis.pubsub")

SLICE = 1.0
"""Seconds: who waits without end looks up that often, whether the object was closed or the connection lost."""
IDLE = 0.1
"""Seconds: how long a thread without a ``sleep_time`` waits before it looks whether it was stopped."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds: how long a thread waits when the server cannot be reached, at first and at last."""
HEALTH_CHECK = "redispy-health-check"
NOT_SUBSCRIBED = "pubsub connection not set: did you forget to call subscribe() or psubscribe()?"

PUBSUBS = told_in_child({})
"""Every Pub/Sub object that is alive, for the child of a fork."""


class NotSubscribed(RuntimeError):
    """Nothing was subscribed, so there is no connection to read from."""


class PubSub:
    """Subscribes to channels and gives the messages that are published there.

    A message is a dict with ``type`` (``"message"``, ``"pmessage"``, ``"smessage"``, ``"subscribe"`` and the like),
    ``pattern``, ``channel`` and ``data``.  When the connection is lost it is made anew, and everything subscribed
    again; what was published in between is lost, as Pub/Sub has it.  ``on_reconnect(pubsub)`` is called then, and with
    ``reconnect_messages`` a message of the type ``"reconnect"`` comes before the next one.

    With ``health_check_interval`` (seconds) a connection on which nothing came for so long is sent a PING; when nothing
    comes then either, for ``socket_timeout`` or as long again, it is given up and made anew.
    """

    PUBLISH_MESSAGE_TYPES: ClassVar[tuple[str, ...]] = ("message", "pmessage", "smessage")
    UNSUBSCRIBE_MESSAGE_TYPES: ClassVar[tuple[str, ...]] = ("unsubscribe", "punsubscribe", "sunsubscribe")

    def __init__(
        self,
        connection_pool: Any,
        shard_hint: Any = None,
        ignore_subscribe_messages: bool = False,
        encoder: Encoder | None = None,
        *,
        health_check_interval: float = 0,
        on_reconnect: Callable[[PubSub], Any] | None = None,
        reconnect_messages: bool = False,
    ) -> None:
        self.connection_pool = connection_pool
        self.shard_hint = shard_hint
        self.ignore_subscribe_messages = ignore_subscribe_messages
        self.encoder = encoder or connection_pool.get_encoder()
        self.health_check_interval = health_check_interval
        self.on_reconnect = on_reconnect
        self.reconnect_messages = reconnect_messages
        self.connection: Any = None
        #: The connection that somebody reads from at the moment, None where nobody does.
        self._reading: Any = None
        self._lock = RLock()
        self._forget_all()
        remember(PUBSUBS, self)

    def forget_parent(self) -> None:
        """In the child of a fork: a thread may have held the lock, or have been reading, that is not here."""
        self._lock, self._reading = RLock(), None

    def _forget_all(self) -> None:
        self.channels: dict[Any, Handler] = {}
        self.patterns: dict[Any, Handler] = {}
        self.shard_channels: dict[Any, Handler] = {}
        #: What was unsubscribed, as (kind, name), until the server has said so.
        self._leaving: set[tuple[str, Any]] = set()
        #: The link on which all that is wanted was subscribed; None before there was one.
        self._link: Any = None
        self._gap = False
        self._heard = self._pinged = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type | None, exc_value: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        count = len(self.channels) + len(self.patterns) + len(self.shard_channels)
        return f"{type(self).__name__}<{self.connection_pool!r}, {count} subscriptions>"

    def close(self) -> None:
        """Unsubscribe from everything and close the connection; the object can be used afresh.

        Any thread may call it: one that waits for a message then gets None.
        """
        self.reset()

    def reset(self) -> None:
        """The same under its old name."""
        with self._lock:
            connection, alive = self.connection, self._is_alive(self.connection)
            self.connection = None
            self._forget_all()
            if connection is not self._reading:
                self._give_back(connection)
            elif alive:
                with suppress(RedisError):
                    connection.send_command("PING")  # the answer wakes who reads; he gives it back

    def _give_back(self, connection: Any) -> None:
        if connection is not None:
            connection.disconnect()
            self.connection_pool.release(connection)

    @property
    def subscribed(self) -> bool:
        """Whether there is a subscription: from its sending on, until the reply to the last unsubscribe was read."""
        return bool(self.channels or self.patterns or self.shard_channels)

    def encode(self, value: Any) -> Any:
        """Return a name as it will be read off the connection: bytes, or str where replies are decoded."""
        return self.encoder.decode(self.encoder.encode(value))

    def _names(self, args: tuple[Any, ...]) -> list[Any]:
        return [self.encode(name) for name in (list_or_args(args[0], args[1:]) if args else ())]

    # Subscribing: any thread may.

    def subscribe(self, *args: Any, **kwargs: Handler) -> None:
        """Subscribe to channels.  A keyword brings a handler, which is called with each message of that channel."""
        self._subscribe("SUBSCRIBE", self.channels, args, kwargs)

    def psubscribe(self, *args: Any, **kwargs: Handler) -> None:
        """Subscribe to all channels whose names match patterns, such as ``news.*``; handlers as in ``subscribe``."""
        self._subscribe("PSUBSCRIBE", self.patterns, args, kwargs)

    def ssubscribe(self, *args: Any, **kwargs: Handler) -> None:
        """Subscribe to shard channels (since Redis 7.0); handlers as in ``subscribe``."""
        self._subscribe("SSUBSCRIBE", self.shard_channels, args, kwargs)

    def unsubscribe(self, *args: Any) -> None:
        """Unsubscribe from channels, from all if none is named."""
        self._unsubscribe("UNSUBSCRIBE", self.channels, args)

    def punsubscribe(self, *args: Any) -> None:
        """Unsubscribe from patterns, from all if none is named."""
        self._unsubscribe("PUNSUBSCRIBE", self.patterns, args)

    def sunsubscribe(self, *args: Any) -> None:
        """Unsubscribe from shard channels, from all if none is named."""
        self._unsubscribe("SUNSUBSCRIBE", self.shard_channels, args)

    def ping(self, message: Any = "") -> None:
        """Send a PING; its answer comes as a message of the type ``"pong"``."""
        self.execute_command("PING", message)

    def execute_command(self, *args: Any, **options: Any) -> None:
        """Send a command that is allowed while subscribed; what the server answers is read as a message."""
        with self._lock:
            self._send(*args)

    def _subscribe(
        self, command: str, subscriptions: dict[Any, Handler], args: tuple[Any, ...], handlers: dict[str, Handler]
    ) -> None:
        wanted: dict[Any, Handler] = dict.fromkeys(self._names(args))
        wanted.update((self.encode(name), handler) for name, handler in handlers.items())
        if not wanted:
            raise PubSubError(f"{command} needs the name of a channel or a pattern")
        with self._lock:
            self._leaving.difference_update((opposite(command), name) for name in wanted)
            subscriptions.update(wanted)
            self._send(command, *wanted, implied=True)

    def _unsubscribe(self, command: str, subscriptions: dict[Any, Handler], args: tuple[Any, ...]) -> None:
        names = self._names(args)
        with self._lock:
            self._leaving.update((command, name) for name in names or list(subscriptions))
            if self.connection is not None:
                self._send(command, *names, implied=True)

    def _send(self, *args: Any, implied: bool = False) -> None:
        """Send a command, under the lock; a lost connection is made anew by who reads, or here if nobody does.

        ``implied``: connecting anew does what the command would.
        """
        somebody_reads = self._reading is not None and self._reading is self.connection
        if somebody_reads and not self._is_alive(self.connection):
            return
        if not somebody_reads and self._make_connection() and implied:
            return
        connection = self.connection
        try:
            connection.send_command(*args)
        except (ConnectionError, TimeoutError) as error:
            if not is_of(error, connection):
                raise
            if not somebody_reads:
                self._connect_anew(connection)
                if not implied:
                    connection.send_command(*args)

    # Connecting: always under the lock.

    def _is_alive(self, connection: Any) -> bool:
        """Whether all was subscribed on what the connection is now: others may close it, or even connect it."""
        return connection is self.connection and self._link is not None and self._link.alive

    def _make_connection(self) -> bool:
        """Connect where that has not been done, and subscribe to all that is wanted; return whether that was so."""
        if self._is_alive(self.connection):
            return False
        self.connection = self.connection or self.connection_pool.get_connection("pubsub", self.shard_hint)
        self._connect_anew(self.connection)
        return True

    def _connect_anew(self, connection: Any) -> None:
        if getattr(self.connection_pool, "closed", False):
            raise closed_error("pool")
        if self._link is not None:
            connection.disconnect()
        getattr(connection, "doing", bool)(SUBSCRIBE)
        connect_in_the_end(connection)
        self.on_connect(connection)
        self._gap = self._gap or self._link is not None
        self._heard, self._pinged = monotonic(), 0.0
        self._link = link_of(connection, self._lock)

    def on_connect(self, connection: Any) -> None:
        """Subscribe to all that is wanted, on a connection that is new."""
        for command, name in self._leaving:
            self._subscriptions(command).pop(name, None)
        self._leaving.clear()
        for command in ("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"):
            for name in self._subscriptions(command):
                connection.send_command(command, name)  # one by one: the server may refuse one

    def _subscriptions(self, kind: str) -> dict[Any, Handler]:
        """What is subscribed in the way of a command or of the type of a message."""
        return {"P": self.patterns, "S": self.shard_channels}.get(prefix(kind), self.channels)

    # Reading: one thread at a time.

    def get_message(self, ignore_subscribe_messages: bool = False, timeout: float | None = 0) -> Message | None:
        """Return the next message; None if none came within ``timeout`` seconds (None: wait for ever).

        None too where the message went to its handler, or is one of those that are ignored.  RuntimeError before the
        first subscription; ConnectionError where the connection was lost and could not be made again: the next call
        tries it anew.
        """
        response = self.parse_response(block=timeout is None, timeout=timeout or 0)
        if response is None:
            return self._tell_of_gap()
        return self.handle_message(response, ignore_subscribe_messages)

    def listen(self) -> Iterator[Message]:
        """Yield message after message, as long as something is subscribed."""
        while self.subscribed:
            message = self.get_message(timeout=None)
            if message is not None:
                yield message

    def parse_response(self, block: bool = True, timeout: float = 0) -> Any:
        """Return the next frame as it comes off the connection; None if none came in time, or to tell of a gap."""
        deadline = None if block else monotonic() + timeout
        try:
            with self._lock:
                connection = self._reading = self.connection
            if connection is None:
                raise NotSubscribed(NOT_SUBSCRIBED)
            return self._next_response(connection, deadline)
        finally:
            self._stop_reading()

    def _stop_reading(self) -> None:
        with self._lock:
            connection, self._reading = self._reading, None
            if connection is not self.connection:
                self._give_back(connection)

    def _next_response(self, connection: Any, deadline: float | None) -> Any:
        """Make a lost connection anew, once: if it is lost again before a word was heard, that is an error."""
        for attempt in (1, 2):
            if self._gap and (self.on_reconnect is not None or self.reconnect_messages):
                break  # that is the next thing to be told
            try:
                response = self._wait(connection, deadline)
                if response is not None or self._is_alive(connection):
                    return response
            except (ConnectionError, TimeoutError) as error:
                if attempt == 2 or not is_of(error, connection):
                    raise
            with self._lock:
                if connection is self.connection:
                    self._connect_anew(connection)
            if not self.subscribed:
                break
        return None

    def _wait(self, connection: Any, deadline: float | None) -> Any:
        """Return the next frame; None at the deadline, or where the connection is not what it was."""
        link = self._link
        while self._is_alive(connection):
            rest = SLICE if deadline is None else max(0.0, deadline - monotonic())
            if link.wait(min(rest, SLICE, self._check_health(link))):
                self._heard, self._pinged = monotonic(), 0.0
                response = link.read()
                if response is not MISSING and connection is self.connection and not self._is_health_reply(response):
                    return response
            elif deadline is not None and monotonic() >= deadline:
                break
        return None

    def _check_health(self, link: Link | ForeignLink) -> float:
        """Send a PING when that is due; return for how many seconds there is nothing to do.

        TimeoutError where the last PING was not answered in time.
        """
        interval = self.health_check_interval
        if not interval:
            return SLICE
        now = monotonic()
        if not self._pinged and now >= self._heard + interval:
            self._pinged = now
            self.execute_command("PING", HEALTH_CHECK)
        if not self._pinged:
            return self._heard + interval - now
        dead = self._pinged + (getattr(link.connection, "socket_timeout", None) or interval)
        if now >= dead and not link.wait(0):  # the answer may have been there, and nobody looked
            raise silence(link.connection, interval)
        return max(0.0, dead - now)

    def _is_health_reply(self, response: Any) -> bool:
        """Whether this is the answer to a PING of ours: in RESP2 a list of two, in RESP3 the text alone."""
        text = response[1] if isinstance(response, list) and len(response) == 2 else response
        return bool(self.health_check_interval) and text == self.encode(HEALTH_CHECK)

    def _tell_of_gap(self) -> Message | None:
        """After a reconnect tell those who asked for it."""
        gap, self._gap = self._gap, False
        if gap and self.on_reconnect is not None:
            self.on_reconnect(self)
        return message_of("reconnect") if gap and self.reconnect_messages else None

    # What a frame means.

    def handle_message(self, response: Any, ignore_subscribe_messages: bool = False) -> Message | None:
        """Make a message of a frame; None where it went to its handler, or is one of those that are ignored."""
        message = parse_message(response)
        kind = message["type"]
        if kind in self.PUBLISH_MESSAGE_TYPES:
            handler = self._subscriptions(kind).get(message["pattern"] if kind == "pmessage" else message["channel"])
            if handler is None:
                return message
            handler(message)
            return None
        if kind in self.UNSUBSCRIBE_MESSAGE_TYPES:
            self._forget((kind.upper(), message["channel"]))
        ignored = kind.endswith("subscribe") and (ignore_subscribe_messages or self.ignore_subscribe_messages)
        return None if ignored else message

    def _forget(self, leaving: tuple[str, Any]) -> None:
        """The server has said that something is not subscribed any more; it may have been wanted again since."""
        with self._lock:
            if leaving in self._leaving:
                self._leaving.discard(leaving)
                self._subscriptions(leaving[0]).pop(leaving[1], None)

    # In a thread.

    def run_in_thread(
        self, sleep_time: float = 0, daemon: bool = False, exception_handler: ExceptionHandler | None = None
    ) -> PubSubWorkerThread:
        """Read in a thread of its own, which is returned; every subscription needs a handler.

        ``sleep_time``: for how many seconds the thread waits for a message before it looks whether it was stopped.
        ``exception_handler(error, pubsub, thread)`` is told what a handler raised, or that the connection was lost;
        without one that is logged.  Either way the thread goes on.  PubSubError where a handler is missing.
        """
        kinds = {"Channel": self.channels, "Pattern": self.patterns, "Shard channel": self.shard_channels}
        for kind, subscriptions in kinds.items():
            for name, handler in list(subscriptions.items()):
                if handler is None:
                    raise PubSubError(f"{kind}: {name!r} has no handler registered")
        thread = PubSubWorkerThread(self, sleep_time, daemon, exception_handler)
        thread.start()
        return thread


class PubSubWorkerThread(Thread):
    """Reads the messages of a Pub/Sub object until it is stopped, or nothing is subscribed any more."""

    def __init__(
        self, pubsub: PubSub, sleep_time: float, daemon: bool = False, exception_handler: ExceptionHandler | None = None
    ) -> None:
        super().__init__(daemon=daemon)
        self.pubsub = pubsub
        self.sleep_time = sleep_time
        self.exception_handler = exception_handler
        self._stopping = Event()

    def run(self) -> None:
        """Read until :meth:`stop`; then, or when nothing is subscribed or the pool was closed, close the object."""
        try:
            pause = 0.0
            while self.pubsub.subscribed and not self._stopping.wait(pause):
                pause = self._step(pause)
        finally:
            self.pubsub.close()

    def _step(self, pause: float) -> float:
        """Read a message; return for how many seconds to wait before the next."""
        try:
            self.pubsub.get_message(ignore_subscribe_messages=True, timeout=min(self.sleep_time or IDLE, SLICE))
        except NotSubscribed:
            pass  # closed since we looked
        except Exception as error:  # whatever a handler raises: the thread outlives it
            self._report(error)
            if getattr(self.pubsub.connection_pool, "closed", False):
                self._stopping.set()
            if isinstance(error, (ConnectionError, TimeoutError)):
                return min(LONGEST_PAUSE, 2 * pause or SHORTEST_PAUSE)
        return 0.0

    def _report(self, error: Exception) -> None:
        try:
            if self.exception_handler is None:
                raise error
            self.exception_handler(error, self.pubsub, self)
        except Exception:
            log.exception("error in the thread of %r", self.pubsub)

    def stop(self) -> None:
        """Stop the thread, and wait until it has closed the connection; from a handler, do not wait."""
        self._stopping.set()
        if current_thread() is not self:
            self.join()


def silence(connection: Any, interval: float) -> TimeoutError:
    """The error of a server that does not answer a health check."""
    error = TimeoutError(f"nothing came for {interval} seconds, and no answer to a PING")
    error.maybe_applied = False
    error.__dict__["_serial"] = getattr(connection, "serial", None)
    return annotate(error, "PING", getattr(connection, "address", ""), "recv", 1)
