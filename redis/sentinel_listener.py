"""Listening to sentinels: who wants to know at once that a master has moved.

One daemon thread listens to all sentinels for ``+switch-master``; it starts with the first call of :meth:`ensure`, in
the child of a fork anew.  A sentinel that is lost is tried again after a pause.  Since something may have been missed
until then, or when the first word was not heard yet, the owner is told then, too.

This module must not know what follows from the news.
"""

from __future__ import annotations

import logging
import select
import socket
import weakref
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread, current_thread
from time import monotonic
from typing import Any, Protocol

from redis.connection.forks import remember, told_in_child
from redis.exceptions import RedisError
from redis.pubsub import PubSub

log = logging.getLogger("redis.sentinel")

SWITCH = "+switch-master"
SLICE = 1.0
"""Seconds: a sentinel that was lost, or says nothing more, is noticed that often."""
HEALTH_CHECK = 5.0
"""Seconds without a word, after which a sentinel is asked whether it is still there."""
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Seconds between two attempts to listen to the same sentinel, at first and at last."""

LISTENERS = told_in_child({})
"""Every listener that is alive, for the child of a fork."""


class Owner(Protocol):
    """Whom the listener tells."""

    sentinels: list[Any]

    def on_news(self, sentinel: Any, service_name: str | None) -> None:
        """The master of a service has moved, as ``sentinel`` says; None: one may have, unheard."""


class Listener:
    """Tells its owner, which it does not keep alive, as soon as one of the sentinels says that a master has moved."""

    def __init__(self, owner: Owner) -> None:
        self._owner = weakref.ref(owner)
        self.closed = False
        self._threads: dict[str, Thread] = {}
        #: What wakes the thread.
        self._bell: list[socket.socket] = []
        weakref.finalize(owner, self.ring_off).atexit = False
        remember(LISTENERS, self)

    def ensure(self) -> None:
        """Start the thread, where that has not been done, or where it has failed."""
        listening = self._threads.get("listener")
        if self.closed or (listening is not None and listening.is_alive()):
            return
        if listening is not None:
            self._threads.pop("listener", None)
        thread = Thread(target=self._run, name="redis-sentinel-listener", daemon=True)
        with suppress(RuntimeError):  # there are too many threads: it is tried again the next time
            thread.start()
            self._is_the_one(thread)

    def _is_the_one(self, thread: Thread) -> bool:
        """Whether this is the thread that listens: of those that were started together the first; the others end."""
        return self._threads.setdefault("listener", thread) is thread  # atomic

    def ring_off(self) -> None:
        """Have the thread end soon; this neither waits nor takes a lock."""
        self.closed = True
        for cord in self._bell[1:]:
            with suppress(OSError):
                cord.send(b".", getattr(socket, "MSG_DONTWAIT", 0))

    def close(self) -> None:
        """End the thread and wait for that; it has closed its connections then."""
        thread = self._threads.get("listener")
        self.ring_off()
        if thread is not None and thread.is_alive() and thread is not current_thread():
            thread.join()

    def forget_parent(self) -> None:
        """In the child of a fork: there is no thread here, and its bell is the parent's."""
        self._threads = {}
        self._unhang()

    def _unhang(self) -> None:
        bell, self._bell = self._bell, []
        for end in bell:
            end.close()

    # The thread.

    def _run(self) -> None:
        if not self._is_the_one(current_thread()):
            return
        ears: list[Ear] = []
        try:
            self._bell = list(socket.socketpair())
            while not self.closed and self._turn(ears):
                self._sleep(ears)
        finally:
            for ear in ears:
                ear.close()
            self._unhang()

    def _turn(self, ears: list[Ear]) -> bool:
        """Tell the owner what was heard, and listen to whoever can be listened to again; False without an owner."""
        owner = self._owner()
        if owner is None:
            return False
        listened = [ear.sentinel for ear in ears]
        ears.extend(Ear(sentinel) for sentinel in owner.sentinels if sentinel not in listened)
        for ear in ears:
            for service_name in ear.listen():
                self._tell(owner, ear.sentinel, service_name)
        return True

    def _tell(self, owner: Owner, sentinel: Any, service_name: str | None) -> None:
        try:
            owner.on_news(sentinel, service_name)
        except Exception:
            log.exception("error in the thread that listens to %r", sentinel)

    def _sleep(self, ears: list[Ear]) -> None:
        """Wait until there is something to hear, or something to do."""
        poll = select.poll()
        for sock in [*self._bell[:1], *[ear.sock for ear in ears]]:
            if sock is not None and sock.fileno() >= 0:
                poll.register(sock, select.POLLIN)
        poll.poll(SLICE * 1000)


class Ear:
    """What listens to one sentinel, or is about to do so again."""

    def __init__(self, sentinel: Any) -> None:
        self.sentinel = sentinel
        self.pubsub: PubSub | None = None
        self.due = 0.0
        self.pause = SHORTEST_PAUSE

    @property
    def sock(self) -> Any:
        """The socket to wait for; None where there is none."""
        return getattr(getattr(self.pubsub, "connection", None), "_sock", None)

    def listen(self) -> Iterator[str | None]:
        """Yield the services of which something was heard, without waiting; None for what may have been missed."""
        try:
            if self.pubsub is not None:
                yield from self._heard()
            elif monotonic() >= self.due:
                self._begin()
        except RedisError as error:
            log.debug("cannot listen to %r: %s", self.sentinel, error)
            self.close()
            self.due, self.pause = monotonic() + self.pause, min(LONGEST_PAUSE, 2 * self.pause)

    def _begin(self) -> None:
        self.pubsub = pubsub = self.sentinel.pubsub(health_check_interval=HEALTH_CHECK, reconnect_messages=True)
        pubsub.subscribe(SWITCH)

    def _heard(self) -> Iterator[str | None]:
        """Yield what has come; whatever is no message says that listening has just begun, maybe anew."""
        while self.pubsub is not None and (message := self.pubsub.get_message()) is not None:
            self.pause = SHORTEST_PAUSE
            data = message["data"]
            text = data.decode("utf-8", "replace") if isinstance(data, bytes) else str(data)
            yield text.partition(" ")[0] if message["type"] == "message" else None

    def close(self) -> None:
        """Listen no more."""
        pubsub, self.pubsub = self.pubsub, None
        if pubsub is not None:
            pubsub.close()
