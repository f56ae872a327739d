"""Pub/Sub: a connection that listens, and what is subscribed on it.

What a program has asked for is kept in ``channels``, ``patterns`` and ``shard_channels``, and written there before it
is sent: whenever the connection is made anew, all of it is subscribed again.  One thread reads; any thread may
subscribe and unsubscribe meanwhile, for what is sent is sent under a lock.  Nobody waits for the network while he holds
it, but to connect.

This module must not know how bytes travel, nor keep a connection that others use.
"""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable, Iterator
from threading import Event, RLock, Thread, current_thread
from time import monotonic
from types import TracebackType
from typing import Any, ClassVar, TypeVar

from redis.connection.outcome import annotate, is_of
from redis.connection.pool import closed_error, remember
from redis.connection.tcp import Connection
from redis.connection.wire import NEVER
from redis.exceptions import ConnectionError, PubSubError, TimeoutError
from redis.protocol.encoder import Encoder

Message = dict[str, Any]
Handler = Callable[[Message], Any] | None
ExceptionHandler = Callable[[Exception, "PubSub", "PubSubWorkerThread"], Any]
AnyPubSub = TypeVar("AnyPubSub", bound="PubSub")

log = logging.getLogger("redis.pubsub")

SLICE = 1.0
"""Seconds: who waits without end looks up that often, whether the object was closed meanwhile."""
IDLE = 0.1
"""Seconds: how long a thread without a ``sleep_time`` waits before it looks whether it was stopped."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds: how long a thread waits when the server cannot be reached, at first and at last."""
HEALTH_CHECK = "redispy-health-check"
NOT_SUBSCRIBED = "pubsub connection not set: did you forget to call subscribe() or psubscribe()?"

PUBSUBS: dict[weakref.ref[Any], None] = {}
"""Every Pub/Sub object that is alive, for the child of a fork."""


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
        self._lock = RLock()
        self._forget_all()
        remember(PUBSUBS, self)

    def _forget_all(self) -> None:
        self.channels: dict[Any, Handler] = {}
        self.patterns: dict[Any, Handler] = {}
        self.shard_channels: dict[Any, Handler] = {}
        #: What was unsubscribed, as (kind, name), until the server has said so.
        self._leaving: set[tuple[str, Any]] = set()
        self._gap = self._reading = False
        self._heard = self._pinged = 0.0

    def __enter__(self: AnyPubSub) -> AnyPubSub:
        return self

    def __exit__(self, exc_type: type | None, exc_value: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        count = len(self.channels) + len(self.patterns) + len(self.shard_channels)
        return f"{type(self).__name__}<{self.connection_pool!r}, {count} subscriptions>"

    def close(self) -> None:
        """Unsubscribe from everything and close the connection; the object can be used afresh."""
        self.reset()

    def reset(self) -> None:
        """The same under its old name."""
        with self._lock:
            connection, self.connection = self.connection, None
            self._forget_all()
            if connection is not None:
                connection.disconnect()
                self.connection_pool.release(connection)

    @property
    def subscribed(self) -> bool:
        """Whether there is a subscription: from its sending on, until the reply to the last unsubscribe was read."""
        return bool(self.channels or self.patterns or self.shard_channels)

    def encode(self, value: Any) -> Any:
        """Return a name as it will be read off the connection: bytes, or str where replies are decoded."""
        encoded = self.encoder.encode(value)
        return self.encoder.decode(encoded)

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
        wanted: dict[Any, Handler] = dict.fromkeys(map(self.encode, flat(args)))
        wanted.update((self.encode(name), handler) for name, handler in handlers.items())
        if not wanted:
            raise PubSubError(f"{command} needs the name of a channel or a pattern")
        with self._lock:
            self._leaving.difference_update((opposite(command), name) for name in wanted)
            subscriptions.update(wanted)
            if self._make_connection():
                return  # all that is wanted was subscribed
            self._send(command, *wanted)

    def _unsubscribe(self, command: str, subscriptions: dict[Any, Handler], args: tuple[Any, ...]) -> None:
        names = list(map(self.encode, flat(args)))
        with self._lock:
            self._leaving.update((command, name) for name in names or list(subscriptions))
            if self.connection is not None:
                self._send(command, *names)

    def _send(self, *args: Any) -> None:
        """Send a command, under the lock; if nobody reads who would notice a lost connection, make it anew."""
        self._make_connection()
        connection = self.connection
        try:
            connection.send_command(*args)
        except ConnectionError:
            if not self._reading:
                connection.disconnect()
                self._make_connection()

    # Connecting: always under the lock.

    def _make_connection(self) -> bool:
        """Connect where that has not been done, and subscribe to all that is wanted; return whether that was so."""
        if self.connection is None:
            self.connection = self.connection_pool.get_connection("pubsub", self.shard_hint)
        elif is_connected(self.connection):
            return False
        else:
            self._gap = True
        if getattr(self.connection_pool, "closed", False):
            raise closed_error("pool")
        self.connection.connect()
        self._heard, self._pinged = monotonic(), 0.0
        self.on_connect(self.connection)
        return True

    def on_connect(self, connection: Any) -> None:
        """Subscribe to all that is wanted, on a connection that is new."""
        for command, name in self._leaving:
            self._subscriptions(command).pop(name, None)
        self._leaving.clear()
        for command in ("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"):
            names = list(self._subscriptions(command))
            if names:
                connection.send_command(command, *names)

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
        notice = self._tell_of_gap()
        if notice is not None:
            return notice
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
        """Return the next frame as it comes off the connection; None if none came in time, or the connection is new."""
        if self.connection is None:
            raise RuntimeError(NOT_SUBSCRIBED)
        deadline = None if block else monotonic() + timeout
        self._reading = True
        try:
            return self._next_response(deadline)
        finally:
            self._reading = False

    def _next_response(self, deadline: float | None) -> Any:
        while (connection := self.connection) is not None:
            try:
                if is_connected(connection):
                    if not self._wait(connection, deadline):
                        return None
                    response = self._read(connection)
                    if not self._is_health_reply(response):
                        return response
                    continue
            except (ConnectionError, TimeoutError) as error:
                if not is_of(error, connection):
                    raise
                connection.disconnect()
            self._recover(connection)
            if self.on_reconnect is not None or self.reconnect_messages:
                return None
        return None

    def _read(self, connection: Any) -> Any:
        if isinstance(connection, Connection):
            response = connection.read_response(push_request=True)
        else:
            response = connection.read_response()
        self._heard, self._pinged = monotonic(), 0.0
        return response

    def _recover(self, connection: Any) -> None:
        """Make the lost connection anew, unless another thread has done it, or closed the object."""
        with self._lock:
            if self.connection is connection:
                self._make_connection()

    def _wait(self, connection: Any, deadline: float | None) -> bool:
        """Wait until something can be read; False at the deadline, or when the object was closed."""
        while True:
            patience = SLICE if deadline is None else min(SLICE, max(0.0, deadline - monotonic()))
            if connection.can_read(min(patience, self._check_health(connection))):
                return True
            if self.connection is not connection or (deadline is not None and monotonic() >= deadline):
                return False

    def _check_health(self, connection: Any) -> float:
        """Send a PING when that is due; return for how many seconds there is nothing to do.

        TimeoutError where the last PING was not answered in time.
        """
        interval = self.health_check_interval
        if not interval:
            return SLICE
        now = monotonic()
        if self._pinged:
            dead = self._pinged + (getattr(connection, "socket_timeout", None) or interval)
            if now >= dead:
                raise silence(connection, interval)
            return dead - now
        if now >= self._heard + interval:
            self._pinged = now
            self.execute_command("PING", HEALTH_CHECK)
        return max(0.0, self._heard + interval - now) or interval

    def _is_health_reply(self, response: Any) -> bool:
        """Whether this is the answer to a PING of ours: in RESP2 a list, in RESP3 the text alone."""
        return self.encode(HEALTH_CHECK) in (response, response[-1] if isinstance(response, list) else None)

    def _tell_of_gap(self) -> Message | None:
        """After a reconnect tell those who asked for it."""
        if not self._gap:
            return None
        self._gap = False
        if self.on_reconnect is not None:
            self.on_reconnect(self)
        return message_of("reconnect") if self.reconnect_messages else None

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
        for kind, subscriptions in (("Channel", self.channels), ("Pattern", self.patterns)):
            for name, handler in subscriptions.items():
                if handler is None:
                    raise PubSubError(f"{kind}: '{name}' has no handler registered")
        for name, handler in self.shard_channels.items():
            if handler is None:
                raise PubSubError(f"Shard channel: '{name}' has no handler registered")
        thread = PubSubWorkerThread(self, sleep_time, daemon, exception_handler)
        thread.start()
        return thread


class PubSubWorkerThread(Thread):
    """Reads the messages of a Pub/Sub object until it is stopped, or nothing is subscribed any more."""

    def __init__(
        self,
        pubsub: PubSub,
        sleep_time: float,
        daemon: bool = False,
        exception_handler: ExceptionHandler | None = None,
    ) -> None:
        super().__init__(daemon=daemon)
        self.pubsub = pubsub
        self.sleep_time = sleep_time
        self.exception_handler = exception_handler
        self._stopping = Event()

    def run(self) -> None:
        pause = 0.0
        while self.pubsub.subscribed and not self._stopping.wait(pause):
            try:
                self.pubsub.get_message(ignore_subscribe_messages=True, timeout=self.sleep_time or IDLE)
                pause = 0.0
            except Exception as error:  # whatever a handler raises: the thread outlives it
                self._report(error)
                lost = isinstance(error, (ConnectionError, TimeoutError))
                pause = min(LONGEST_PAUSE, 2 * pause or SHORTEST_PAUSE) if lost else 0.0
        self.pubsub.close()

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


def flat(args: tuple[Any, ...]) -> Iterator[Any]:
    """The names in the arguments; a first one that is a list stands for its items."""
    for arg in args:
        if isinstance(arg, (list, tuple, set, frozenset)):
            yield from arg
        else:
            yield arg


def prefix(kind: str) -> str:
    """``"P"`` for patterns, ``"S"`` for shard channels, ``""`` for channels: ``PSUBSCRIBE``, ``smessage`` ..."""
    kind = kind.upper()
    for word in ("UNSUBSCRIBE", "SUBSCRIBE", "MESSAGE"):
        if kind.endswith(word):
            return kind.removesuffix(word)
    return ""


def opposite(command: str) -> str:
    """``"PSUBSCRIBE"`` gives ``"PUNSUBSCRIBE"``."""
    return f"{prefix(command)}UNSUBSCRIBE"


def message_of(kind: str, pattern: Any = None, channel: Any = None, data: Any = None) -> Message:
    """A message: a dict with these four keys, always."""
    return {"type": kind, "pattern": pattern, "channel": channel, "data": data}


def parse_message(response: Any) -> Message:
    """The message of a frame."""
    if not isinstance(response, list):  # PING while subscribed, in RESP3
        return message_of("pong", data=response)
    kind = response[0].decode() if isinstance(response[0], bytes) else response[0]
    if kind == "pong":
        return message_of(kind, data=response[1])
    if kind == "pmessage":
        return message_of(kind, *response[1:])
    return message_of(kind, None, response[1], response[2])


def is_connected(connection: Any) -> bool:
    """Whether a connection is made; of a class of the user's its socket tells."""
    if isinstance(connection, Connection):
        return connection.used != NEVER
    return getattr(connection, "_sock", True) is not None


def silence(connection: Any, interval: float) -> TimeoutError:
    """The error of a server that does not answer a health check."""
    error = TimeoutError(f"nothing came for {interval} seconds, and no answer to a PING")
    error.maybe_applied = False
    error.__dict__["_serial"] = getattr(connection, "serial", None)
    return annotate(error, "PING", getattr(connection, "address", ""), "recv", 1)


def after_fork_in_child() -> None:
    """Another thread may have held a lock; in the child there is no such thread."""
    for ref in list(PUBSUBS):
        pubsub = ref()
        if pubsub is not None:
            pubsub._lock = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=after_fork_in_child)
