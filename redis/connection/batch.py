"""Many commands at once: one stream of bytes out, one list of replies back.

``wire.py`` does this for one command, and the rules are the same.  What is different: the replies are read as if they
were one array, for which a made-up header is fed first (the list is then built in C, or in one run); and while a large
batch goes out, the replies that come in are read, so that neither side waits for the other for ever.

This module must not know pools, transactions, or when to try again.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from redis.connection.outcome import RECEIVING, NotSent, Unknown, is_foreign
from redis.connection.parsers import MISSING, closed_by_server
from redis.connection.timeouts import would_block
from redis.connection.wire import Wire
from redis.protocol.encoder import Buffer

SMALL = 65536
"""What is not larger goes out in one send: the buffers of the kernels on its way hold it."""
READ_AHEAD = 262144
"""How much is read at a time while replies pile up."""


class Batch:
    """One batch on its way over a connection.

    :meth:`run` returns the raw replies.  If it raises, :meth:`salvage` returns those that had come, so that the user
    can know what was answered.

    ``specials``: what is special about each command, nothing where nothing is: ``wait``, how many seconds longer the
    server may take (None: it answers at once), and ``decode``, whether the reply is text.  ``atomic``: the server
    executes all of it or nothing, so what was not sent whole was not executed.
    """

    def __init__(self, wire: Wire, count: int, specials: Sequence[Any] = (), atomic: bool = False) -> None:
        self.wire = wire
        self.count = count
        self.specials = specials if any(one.wait is not None or not one.decode for one in specials) else ()
        self.unsent = NotSent if atomic else Unknown
        self.chunks: list[bytes] = []
        self.replies: list[Any] = []

    def run(self, data: bytes | list[Buffer], changes: bool = False) -> list[Any]:
        """Send the packed commands and return their replies, error lines as ErrorReply."""
        wire = self.wire
        if wire.owed:
            raise wire._busy()
        wire.owed = self.count + changes  # before the first byte leaves, and before the header is fed
        self._send([data] if isinstance(data, bytes) else data)
        one_by_one = bool(self.specials) or not wire.reads_batches
        replies = self._read_one_by_one() if one_by_one else self._read_as_one()
        if wire._unread():
            wire._drain()
        wire.owed -= self.count
        return replies

    def salvage(self) -> list[Any]:
        """The replies that were complete when :meth:`run` raised."""
        if not self.chunks:
            return self.replies
        reader = self.wire._parser.make_reader(self.wire.encoder)
        for chunk in self.chunks:
            reader.feed(chunk)
        with suppress(Exception):  # whatever it was has been raised already
            while len(self.replies) < self.count and (reply := reader.gets()) is not MISSING:
                self.replies.append(reply)
        return self.replies

    # Out.

    def _send(self, buffers: list[Buffer]) -> None:
        started = False
        try:
            if len(buffers) == 1 and len(buffers[0]) <= SMALL:
                sent = self.wire._send(buffers[0], self.wire.send_flags)
                started = True
                if sent < len(buffers[0]):
                    self._send_and_read([memoryview(buffers[0])[sent:]])
            else:
                started = True
                self._send_and_read([memoryview(buffer) for buffer in buffers])
        except OSError as error:
            if is_foreign(error):
                raise
            raise (self.unsent if started else NotSent)("send") from error

    def _send_and_read(self, views: list[memoryview]) -> None:
        """Send what can be sent and read what can be read, until all is sent.  The socket does not block meanwhile."""
        wire, sock = self.wire, self.wire._socket()
        poll = select.poll()
        poll.register(sock, select.POLLIN | select.POLLOUT)
        patience = None if wire.socket_timeout is None else wire.socket_timeout * 1000
        sock.settimeout(0)
        views.reverse()
        while views:
            ready = poll.poll(patience)
            if not ready:
                raise TimeoutError("timed out")
            if ready[0][1] != select.POLLOUT:
                self._read_ahead()
            if ready[0][1] & select.POLLOUT:
                views[-1] = views[-1][self._send_some(views[-1]) :]
                if not views[-1]:
                    views.pop()
        wire._timeouts.set(sock, wire.socket_timeout)

    def _send_some(self, view: memoryview) -> int:
        try:
            return int(self.wire._send(view[:READ_AHEAD], self.wire.send_flags))
        except OSError as error:
            if is_foreign(error) or not would_block(error):
                raise
            return 0

    def _read_ahead(self) -> None:
        try:
            chunk = self.wire._recv(READ_AHEAD)
        except OSError as error:
            if is_foreign(error) or not would_block(error):
                raise
        else:
            if not chunk:
                raise closed_by_server()
            self.chunks.append(chunk)

    # Back.

    def _read_as_one(self) -> list[Any]:
        """Read the replies as one array, under a header that the server never sent."""
        wire, chunks = self.wire, self.chunks
        feed, gets, recv, size = wire._feed, wire._gets, wire._recv, wire._read_size
        feed(b"*%d\r\n" % self.count)
        replies: Any = MISSING
        for chunk in chunks:
            feed(chunk)
            replies = gets()
        while replies is MISSING:
            with RECEIVING:
                chunk = recv(size)
                if not chunk:
                    raise closed_by_server()
            chunks.append(chunk)
            feed(chunk)
            replies = gets()
        return replies

    def _read_one_by_one(self) -> list[Any]:
        """Read reply after reply: pushes may stand between them, or each has a time of its own."""
        early, self.chunks = deque(self.chunks), []

        def recv(size: int) -> bytes:
            return early.popleft() if early else self.wire._recv(size)

        while len(self.replies) < self.count:
            if self.specials:
                self.replies.append(self._read_special(self.specials[len(self.replies)], recv))
            else:
                self.replies.append(self.wire._receive(recv=recv))
        return self.replies

    def _read_special(self, special: Any, recv: Callable[[int], bytes]) -> Any:
        """Read a reply that has a time of its own, or is no text."""
        patience = self.wire.socket_timeout
        if special.wait is None or patience is None:
            return self.wire._receive(decode=special.decode, recv=recv)
        self._set_timeout(patience + special.wait)
        reply = self.wire._receive(decode=special.decode, recv=recv)
        self._set_timeout(patience)
        return reply

    def _set_timeout(self, seconds: float) -> None:
        with RECEIVING:
            self.wire._timeouts.set(self.wire._socket(), seconds)
