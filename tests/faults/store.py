"""The few commands that a :class:`~tests.faults.fakenode.FakeNode` really executes, and the replies as bytes.

It owns data and RESP; it knows no socket.  Each command is one method named after it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any

OK = b"+OK\r\n"
QUEUED = b"+QUEUED\r\n"


class Session:
    """What the server remembers of one connection."""

    def __init__(self) -> None:
        self.db = 0
        self.protocol = 2
        self.user = "default"
        self.name = ""
        self.queue: list[list[bytes]] | None = None


def error(text: str) -> bytes:
    return b"-%s\r\n" % text.encode()


def integer(number: int) -> bytes:
    return b":%d\r\n" % number


def bulk(value: bytes | None, session: Session) -> bytes:
    if value is None:
        return b"_\r\n" if session.protocol == 3 else b"$-1\r\n"
    return b"$%d\r\n%b\r\n" % (len(value), value)


def array(replies: Sequence[bytes]) -> bytes:
    return b"*%d\r\n" % len(replies) + b"".join(replies)


class Store:
    """Values by database, and the list of all that was executed."""

    def __init__(self) -> None:
        self.values: dict[int, dict[bytes, Any]] = defaultdict(dict)
        self.executed: list[tuple[str, ...]] = []

    def execute(self, session: Session, words: list[bytes]) -> bytes:
        """Execute one command and return its reply; in a MULTI block, queue it."""
        name = words[0].decode().upper()
        if session.queue is not None and name not in ("EXEC", "DISCARD", "MULTI"):
            session.queue.append(words)
            return QUEUED
        method: Callable[..., bytes] | None = getattr(self, f"do_{name.lower()}", None)
        if method is None:
            return error(f"ERR unknown command '{name}'")
        self.executed.append((name, *(word.decode("latin-1") for word in words[1:])))
        return method(session, *words[1:])

    def do_ping(self, session: Session, *message: bytes) -> bytes:
        return bulk(message[0], session) if message else b"+PONG\r\n"

    def do_echo(self, session: Session, message: bytes) -> bytes:
        return bulk(message, session)

    def do_get(self, session: Session, key: bytes) -> bytes:
        return bulk(self.values[session.db].get(key), session)

    def do_set(self, session: Session, key: bytes, value: bytes, *options: bytes) -> bytes:
        values = self.values[session.db]
        if b"NX" in [option.upper() for option in options] and key in values:
            return bulk(None, session)
        values[key] = value
        return OK

    def do_incr(self, session: Session, key: bytes) -> bytes:
        return self.do_incrby(session, key, b"1")

    def do_incrby(self, session: Session, key: bytes, amount: bytes) -> bytes:
        values = self.values[session.db]
        try:
            number = int(values.get(key, b"0")) + int(amount)
        except (TypeError, ValueError):
            return error("ERR value is not an integer or out of range")
        values[key] = b"%d" % number
        return integer(number)

    def do_lpush(self, session: Session, key: bytes, *items: bytes) -> bytes:
        queue = self.values[session.db].setdefault(key, deque())
        queue.extendleft(items)
        return integer(len(queue))

    def do_lpop(self, session: Session, key: bytes) -> bytes:
        queue = self.values[session.db].get(key)
        return bulk(queue.popleft() if queue else None, session)

    def do_eval(self, session: Session, script: bytes, *_: bytes) -> bytes:
        """Every script is the same here: it counts how often it ran."""
        return self.do_incr(session, b"eval")

    def do_multi(self, session: Session) -> bytes:
        session.queue = []
        return OK

    def do_exec(self, session: Session) -> bytes:
        queue, session.queue = session.queue, None
        if queue is None:
            return error("ERR EXEC without MULTI")
        return array([self.execute(session, words) for words in queue])

    def do_discard(self, session: Session) -> bytes:
        session.queue = None
        return OK

    def do_watch(self, session: Session, *keys: bytes) -> bytes:
        return OK

    def do_unwatch(self, session: Session) -> bytes:
        return OK

    def do_select(self, session: Session, db: bytes) -> bytes:
        session.db = int(db)
        return OK

    def do_auth(self, session: Session, *words: bytes) -> bytes:
        session.user = words[0].decode() if len(words) == 2 else "default"
        return OK

    def do_hello(self, session: Session, protocol: bytes = b"2", *options: bytes) -> bytes:
        session.protocol = int(protocol)
        words = [option.upper() for option in options]
        if b"AUTH" in words:
            session.user = options[words.index(b"AUTH") + 1].decode()
        facts = [
            bulk(b"server", session),
            bulk(b"fakenode", session),
            bulk(b"proto", session),
            integer(session.protocol),
        ]
        return b"%%2\r\n%b" % b"".join(facts) if session.protocol == 3 else array(facts)

    def do_client(self, session: Session, word: bytes, *rest: bytes) -> bytes:
        """CLIENT SETINFO and SETNAME, CLIENT INFO in short."""
        if word.upper() == b"INFO":
            return bulk(f"db={session.db} user={session.user} name={session.name}".encode(), session)
        if word.upper() == b"SETNAME":
            session.name = rest[0].decode()
        return OK
