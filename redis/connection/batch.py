"""Many commands at once: one stream of bytes out, one list of replies back.

``wire.py`` does this for one command, and the rules are the same.  What is different: the replies are read as if they
were one array, for which a made-up header is fed first (the list is then built in C, or in one run); and while a large
batch goes out, the replies that come in are read, so that neither side waits for the other for ever.

This module must not know pools, transactions, or when to try again.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import repeat
from math import inf
from typing import Any

from redis.connection.bounded import polled
from redis.connection.deadline import in_time
from redis.connection.outcome import RECEIVING, Fault, NotSent, Unknown, is_foreign
from redis.connection.parsers import MISSING, NO_REPLY, ReaderLike, closed_by_server, receive
from redis.connection.timeouts import would_block
from redis.connection.wire import Wire
from redis.protocol.encoder import Buffer

SMALL = 65536
"""What is not larger goes out in one send: the buffers of the kernels on its way hold it."""
READ_AHEAD = 262144
"""How much is read at a time while replies pile up."""
KEPT = 1 << 20
"""How many bytes of replies are kept, to be parsed again should the rest not come; larger batches are read singly."""


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
        self.specials = [one for one in specials if one.wait is not None or not one.decode] and specials
        self.atomic = atomic
        self.size = self.sent = 0
        #: What was read while sending, and has not been parsed yet.
        self.early: deque[bytes] = deque()
        #: What has been parsed as one array.
        self.chunks: list[bytes] = []
        #: What has been parsed singly.
        self.replies: list[Any] = []
        self.singly = False

    def run(self, data: bytes | list[Buffer], changes: bool = False) -> list[Any]:
        """Send the packed commands and return their replies, error lines as ErrorReply.

        ``changes``: they leave the connection other than they found it.
        """
        wire = self.wire
        if wire.owed:
            raise wire._busy()
        wire.expect(changes, None)
        wire.owed += self.count  # before the first byte leaves, and before the header is fed
        self._send([data] if isinstance(data, bytes) else data)
        one_by_one = bool(self.specials) or not wire.reads_batches
        replies = self._read_one_by_one() if one_by_one else self._read_as_one()
        if self.early:
            wire._feed(b"".join(self.early))  # more than was asked for
        if wire._unread():
            wire._drain()
        wire.owed -= self.count
        wire.settle(None)
        return replies

    def salvage(self) -> list[Any]:
        """The replies that were complete when :meth:`run` raised."""
        reader = self.wire._parser.make_reader(self.wire.encoder)
        reader.feed(b"".join([*self.chunks, *self.early]))
        with suppress(Exception):  # whatever it was has been raised already
            while not self.singly and len(self.replies) < self.count and (reply := reader.gets()) is not MISSING:
                if reply.__class__ not in NO_REPLY:
                    self.replies.append(reply)
        return self.replies

    # Out.

    def _send(self, buffers: list[Buffer]) -> None:
        self.size = sum(map(len, buffers))
        try:
            if len(buffers) == 1 and self.size <= SMALL:
                self.sent = self.wire._send(buffers[0], self.wire.send_flags)
                if self.sent < self.size:
                    self._send_and_read([memoryview(buffers[0])[self.sent :]])
            else:
                self._send_and_read([memoryview(buffer) for buffer in buffers])
        except OSError as error:
            if is_foreign(error):
                raise
            raise self._outcome()("send") from error

    def _outcome(self) -> type[Fault]:
        """What is to be said of a batch that could not be sent to its end."""
        applied = self.sent == self.size or (self.sent > 0 and not self.atomic)
        return Unknown if applied else NotSent

    def _send_and_read(self, views: list[memoryview]) -> None:
        """Send what can be sent and read what can be read, until all is sent.  The socket does not block meanwhile."""
        wire, sock = self.wire, self.wire._socket()
        poll = polled(sock, select.POLLIN | select.POLLOUT)
        sock.settimeout(0)
        views.reverse()
        while views:
            ready = poll.poll(self._patience())
            if not ready:
                raise TimeoutError("timed out")
            if ready[0][1] != select.POLLOUT:
                self._read_ahead()
            if ready[0][1] & select.POLLOUT:
                views[-1] = views[-1][self._send_some(views[-1]) :]
                if not views[-1]:
                    views.pop()
        sock.settimeout(None)
        wire.be_patient(wire.socket_timeout)

    def _patience(self) -> float | None:
        """How many milliseconds may pass in which nothing moves: the server may be in a command that blocks."""
        seconds = self.wire.socket_timeout
        waits = sum(special.wait or 0 for special in self.specials)
        bound = in_time(None if seconds is None or waits == inf else seconds + waits)
        return None if bound is None else bound * 1000

    def _send_some(self, view: memoryview) -> int:
        try:
            sent: int = self.wire._send(view[:READ_AHEAD], self.wire.send_flags)
        except OSError as error:
            if is_foreign(error) or not would_block(error):
                raise
            return 0
        self.sent += sent
        return sent

    def _read_ahead(self) -> None:
        try:
            chunk = self.wire._recv(READ_AHEAD)
        except OSError as error:
            if is_foreign(error) or not would_block(error):
                raise
        else:
            if not chunk:
                raise closed_by_server()
            self.early.append(chunk)

    # Back.

    def _next_chunk(self) -> bytes:
        if self.early:
            return self.early.popleft()
        with RECEIVING:
            return receive(self.wire._recv, self.wire._read_size)

    def _read_as_one(self) -> list[Any]:
        """Read the replies as one array, under a header that the server never sent."""
        feed, gets, size = self.wire._feed, self.wire._gets, 0
        feed(b"*%d\r\n" % self.count)
        replies: Any = MISSING
        while replies is MISSING:
            if size > KEPT:
                return self._begin_anew_one_by_one()
            chunk = self._next_chunk()
            self.chunks.append(chunk)
            size += len(chunk)
            feed(chunk)
            replies = gets()
        return replies

    def _begin_anew_one_by_one(self) -> list[Any]:
        """Parse again what was kept, without the header, and keep no more."""
        wire = self.wire
        wire._parser.on_connect(wire)
        reader = wire._parser.reader
        wire._feed, wire._gets, wire._unread = reader.feed, reader.gets, reader.has_data
        self.early.extendleft(reversed(self.chunks))
        self.chunks = []
        return self._read_one_by_one()

    def _read_one_by_one(self) -> list[Any]:
        """Read reply after reply: pushes may stand between them, or one has a time of its own, or is no text."""
        self.singly = True
        for special in self.specials or repeat(None, self.count):
            self.replies.append(self._read() if special is None else self._read_special(special))
        return self.replies

    def _read_special(self, special: Any) -> Any:
        patience = self.wire.socket_timeout
        if special.wait is None or patience is None:
            return self._read(special.decode)
        self._be_patient(patience + special.wait)
        reply = self._read(special.decode)
        self._be_patient(patience)
        return reply

    def _read(self, decode: bool = True) -> Any:
        reader: ReaderLike = self.wire._parser.reader
        reply = reader.gets(decode)
        while reply.__class__ in NO_REPLY:
            if reply is MISSING:
                reader.feed(self._next_chunk())
            reply = reader.gets(decode)
        return reply

    def _be_patient(self, seconds: float) -> None:
        with RECEIVING:
            self.wire.be_patient(seconds)
