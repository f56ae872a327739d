"""Keyspace notifications: which key was touched by what, as the server publishes it.

The server publishes each event twice: on ``__keyspace@<db>__:<key>``, where the message is the event, and on
``__keyevent@<db>__:<event>``, where it is the key.  This module owns these names.  It must not know how one listens:
that is ``pubsub.py``'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from redis.messages import Message
from redis.pubsub import PubSub
from redis.typing import PatternT

SETTING = "notify-keyspace-events"
KEYSPACE, KEYEVENT = "__keyspace", "__keyevent"
DatabaseT = int | Literal["*"] | None


class KeyNotification(NamedTuple):
    """One event of one key."""

    #: The number of the database.
    db: int
    #: What happened, such as ``"set"``, ``"del"`` or ``"expired"``; always a str.
    event: str
    #: The key, bytes or str as the client has them.
    key: Any


class KeyspaceNotifications:
    """Listens to the events of keys; ``options`` are those of ``client.pubsub()``.

    As with all of Pub/Sub, what happens while the connection is lost is never told; ``on_reconnect`` is called then.

    Since 2.8.0, https://redis.io/docs/latest/develop/pubsub/keyspace-notifications/
    """

    def __init__(self, client: Any, **options: Any) -> None:
        self.client = client
        self.pubsub: PubSub = client.pubsub(**{"ignore_subscribe_messages": True, **options})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, exc_type: type | None, exc_value: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def enable(self, flags: str = "KEA") -> str:
        """Have the server publish events, which it does not by default; return what is set now.

        ``flags`` are added to those that are set already.  ``K`` publishes by key and ``E`` by event; of the classes of
        events ``A`` stands for almost all, ``$`` for strings, ``x`` for expired keys ...  It holds for the whole server
        until that is restarted.  ResponseError for a flag that the server does not know.
        """
        present = self.client.config_get(SETTING)[SETTING]
        self.client.config_set(SETTING, "".join(sorted({*present, *flags})))
        return str(self.client.config_get(SETTING)[SETTING])

    def subscribe_keys(self, *patterns: PatternT, db: DatabaseT = None) -> None:
        """Listen to the events of all keys that match one of the patterns.

        ``db``: the number of the database, None for that of the client, ``"*"`` for each.
        """
        self.pubsub.psubscribe(*self._channels(KEYSPACE, patterns, db))

    def subscribe_events(self, *events: PatternT, db: DatabaseT = None) -> None:
        """Listen to events such as ``"expired"``, of any key; patterns will do, and ``db`` is as above."""
        self.pubsub.psubscribe(*self._channels(KEYEVENT, events, db))

    def unsubscribe_keys(self, *patterns: PatternT, db: DatabaseT = None) -> None:
        """Take back what ``subscribe_keys`` was given, in the same words."""
        self.pubsub.punsubscribe(*self._channels(KEYSPACE, patterns, db))

    def unsubscribe_events(self, *events: PatternT, db: DatabaseT = None) -> None:
        """Take back what ``subscribe_events`` was given, in the same words."""
        self.pubsub.punsubscribe(*self._channels(KEYEVENT, events, db))

    def get_message(self, timeout: float | None = 0) -> KeyNotification | None:
        """Return the next notification; None if none came within ``timeout`` seconds (None: wait for ever).

        None too where something else came, and the errors, are as with ``PubSub.get_message``.
        """
        message = self.pubsub.get_message(timeout=timeout)
        return None if message is None else parse_notification(message)

    def listen(self) -> Iterator[KeyNotification]:
        """Yield notification after notification, as long as something is subscribed."""
        for message in self.pubsub.listen():
            notification = parse_notification(message)
            if notification is not None:
                yield notification

    def close(self) -> None:
        """Stop listening; the setting of the server stays as it is."""
        self.pubsub.close()

    def _channels(self, kind: str, patterns: tuple[PatternT, ...], db: DatabaseT) -> list[bytes]:
        if db is None:
            db = getattr(self.client.connection_pool, "connection_kwargs", {}).get("db", 0)
        head = f"{kind}@{db}__:".encode()
        return [head + self.pubsub.encoder.encode(pattern) for pattern in patterns]


def parse_notification(message: Message) -> KeyNotification | None:
    """The notification that a message is, None where it is something else."""
    channel, data = message["channel"], message["data"]
    if message["type"] != "pmessage":
        return None
    head, _, name = channel.partition(":" if isinstance(channel, str) else b":")
    kind, _, db = text(head).removesuffix("__").partition("@")
    if kind not in (KEYSPACE, KEYEVENT) or not db.isdigit():
        return None
    event, key = (data, name) if kind == KEYSPACE else (name, data)
    return KeyNotification(int(db), text(event), key)


def text(value: bytes | str) -> str:
    """What the server wrote itself is plain ASCII."""
    return value if isinstance(value, str) else value.decode("ascii", "replace")
