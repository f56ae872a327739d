"""The record and the exchange: what a connection owes, and how one command travels.

::

    NEW -> HANDSHAKING -> IDLE <-> BUSY (owed = n) -> CLOSED -> HANDSHAKING ...

Two fields tell the state, and nobody infers it from anything else.

* ``used`` is NEVER until the handshake is complete, then the time of the last use.  It is the last store of connecting
  and the first of :meth:`Wire.disconnect`, so a connection that is half made, or half closed, is never used, wherever
  an exception may land.
* ``owed`` counts the replies that are still to come.  It goes up before the first byte of a command leaves and down
  after its whole reply has been read, and only then.  The pool takes back what owes nothing.  A command that changes
  the connection is counted as one more reply, which never comes: such a connection is not used again.

An exception can land between any two bytecodes: the order of the stores is what keeps the record true, no handler.
This module must not know how a connection is made, pools, commands, or when to try again.
"""

from __future__ import annotations

import errno
import socket
import weakref
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

from redis.connection.bounded import BoundedCalls
from redis.connection.deadline import Deadline, current
from redis.connection.outcome import (
    CLOSING,
    RECEIVING,
    RECEIVING_ANYHOW,
    SENDING,
    NotSent,
    Unknown,
    annotate,
    is_foreign,
)
from redis.connection.parsers import (
    LONG,
    MISSING,
    NO_REPLY,
    ReaderLike,
    closed_by_server,
    is_reader_parser,
    large_bulk,
    read_large_bulk,
    receive,
)
from redis.connection.timeouts import SocketTimeouts, Timeouts
from redis.exceptions import ConnectionError, InvalidResponse, RedisError
from redis.protocol.encoder import Buffer, Encoder
from redis.protocol.masking import stay_here
from redis.protocol.packer import Packed

NEVER = float("-inf")
NOSIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)
MANY_BUFFERS = 512
"""How many buffers one sendmsg takes; the kernel's bound is 1024."""
DOLLAR = ord("$")
UNASKED = "the server sent more than it was asked for"


SOCKETS: dict[weakref.ref[Any], socket.socket] = {}
"""The socket of each connection, for the collector alone.

A socket that it finds in a cycle together with its connection might be finalised first, with a warning, before the
connection could close it.  What stands here is in no cycle.
"""


class Keeper:
    """One client that keeps a connection, and remembers that it altered it: the connection may be gone first."""

    __slots__ = ("altered",)

    def __init__(self) -> None:
        self.altered = False

    def ask(self, address: str, serial: int | None = None) -> None:
        """Raise a ConnectionError, once, where what earlier commands had set on a connection is lost with it.

        ``serial`` is the number of the connection that would be made anew.
        """
        if self.altered:
            self.altered = False
            error = ConnectionError("the connection was lost, and with it what earlier commands had set on it")
            error.maybe_applied = False
            vars(error).update(_serial=serial, _is_final=True)
            raise annotate(error, "", address, "connect", 1)


class Wire:
    """A socket, a parser, and the record of what is owed."""

    # What each command touches has a fixed place; a dictionary of more than 30 attributes would be slower to read.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_bounded",
        "_feed",
        "_gets",
        "_hurried",
        "_read_size",
        "_recv",
        "_send",
        "_sock",
        "_unread",
        "owed",
        "used",
    )

    #: How bytes are passed to ``send``: flags that the kind of socket takes.
    send_flags: ClassVar[int] = NOSIGNAL

    def __init__(
        self, encoder: Encoder, parser_class: type[Any], read_size: int, socket_timeout: float | None, fork_safe: bool
    ) -> None:
        self.encoder = encoder
        self.socket_timeout = socket_timeout
        self.fork_safe = fork_safe
        self._parser = parser_class(socket_read_size=read_size)
        self._ours = is_reader_parser(parser_class)
        self._read_size = read_size
        self._timeouts: Timeouts = SocketTimeouts()
        self._shaking_hands = False
        self.speaks_resp3 = False
        self._sock: socket.socket | None = None
        self._send: Any = None
        self._recv: Any = None
        self._feed: Any = None
        self._gets: Any = None
        self._unread: Callable[[], bool] = self._parser.can_read
        #: The one client that keeps this connection, so that commands may change it; and whether one has.
        self.kept: Keeper | None = None
        self.altered = False
        #: What makes the calls of the socket while there is a deadline; and what did so last.
        self._hurried: BoundedCalls | None = None
        self._bounded: BoundedCalls | None = None
        self.owed = 0
        self.used = NEVER

    @property
    def address(self) -> str:
        """Where the server is, as errors name it."""
        raise NotImplementedError

    @property
    def is_short(self) -> bool:
        """Whether the short ways are open: the parser reads as ours do."""
        return self._ours

    @property
    def reads_batches(self) -> bool:
        """Whether the replies of a batch can be read as one array: no push may stand among them."""
        return self._ours and not self.speaks_resp3

    # The state.

    def disconnect(self) -> None:
        """Close the socket; the next command connects again."""
        self.used = NEVER  # taken back: the first store, nobody sends on it now
        self._shaking_hands = False
        sock, self._sock = self._sock, None
        if sock is not None:
            SOCKETS.pop(weakref.ref(self), None)
            self._close(sock)
            self._parser.on_disconnect()
        self.owed = 0  # the last: until here no pool takes it

    def _keep(self, sock: socket.socket) -> None:
        """Let the connection close the socket, wherever it dies."""
        forget: Callable[..., Any] = SOCKETS.pop
        SOCKETS[weakref.ref(self, forget)] = sock
        self._sock = sock

    def recall(self) -> None:
        """From another thread: have the connection closed by whoever uses it; end its stream where that is allowed."""
        self.used = NEVER
        sock = self._sock
        if sock is not None:
            self._shut(sock)

    def _shut(self, sock: socket.socket) -> None:
        """End the stream both ways, unless a forked relative may share it."""
        if not self.fork_safe:
            with CLOSING:  # the peer may have been faster
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # a TLS socket's own disarms it under who reads it

    def _close(self, sock: socket.socket) -> None:
        self._shut(sock)
        with CLOSING:
            sock.close()

    def __getstate__(self) -> NoReturn:
        stay_here(self)

    def __del__(self) -> None:
        # Only the descriptor: no lock, no shutdown, no write; the collector comes by anywhere.
        sock = getattr(self, "_sock", None)
        if sock is not None:
            sock.close()

    def abandon(self) -> None:
        """In the child of a fork: give up the descriptor and leave the socket, the parent's, alone."""
        self.used = NEVER
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()
        self.owed = 0

    def is_good(self) -> bool:
        """Whether the connection can be used: made, and with an open socket that has nothing to say.

        It is not usable while it is looked at, for the look may change the time-out of the socket: who uses it next
        stores ``used`` again.
        """
        if self.used is NEVER:
            return False
        self.used = NEVER
        try:
            return not self._unread() and self._timeouts.is_quiet(self._socket(), self.socket_timeout)
        except OSError as error:
            if is_foreign(error):
                raise
            return False

    def has_unread(self) -> bool:
        """Whether something was read that answers no command."""
        return self._sock is not None and self._unread()

    # One command, one reply.

    def call(self, data: Packed) -> Any:
        """Send one packed command and return its reply, an error line as an ErrorReply.

        On return nothing is owed; if it raises, ``owed`` says whether the connection may live.  This is the short way,
        and longer than it need be to read: :meth:`exchange` does the same in words.
        """
        if self.owed:
            raise self._busy()
        self.owed = 1  # before the first byte leaves
        try:
            if isinstance(data, list):
                self._send_buffers(data)
            else:
                sent = self._send(data, self.send_flags)
                if sent < len(data):
                    self._send_all(memoryview(data)[sent:])
        except OSError as error:
            if is_foreign(error):
                raise
            raise NotSent("send") from error
        try:
            chunk = self._recv(self._read_size)
        except OSError as error:
            if is_foreign(error):
                raise
            raise Unknown("recv") from error
        if len(chunk) > LONG and chunk[0] == DOLLAR and (length := large_bulk(chunk)):
            reply = self._receive_large(chunk, length)
        else:
            self._feed(chunk)
            reply = self._gets()
            if reply.__class__ in NO_REPLY:
                reply = self._receive(chunk)
        if self._unread():
            self._drain()
        self.owed -= 1  # after the whole reply, and only then
        return reply

    def exchange(self, data: Packed, changes: bool = False, wait: float | None = None, decode: bool = True) -> Any:
        """Send one packed command that is special in some way, and return its reply.

        ``changes``: it leaves the connection other than it found it.  ``wait``: the server may take this many seconds
        longer.  ``decode=False``: the reply stays bytes.
        """
        if self.owed:
            raise self._busy()
        self.expect(changes, wait)
        self.owed += 1
        self._transmit(data)
        reply = self._receive(decode=decode)
        if self._unread():
            self._drain()
        self.owed -= 1
        self.settle(wait)
        return reply

    def expect(self, changes: bool, wait: float | None) -> None:
        """Record that a command will change the connection, or that its time is not the usual one.

        The server may take ``wait`` seconds longer, or there is a deadline.  Each is one more reply owed, from the
        start.  The first never comes, so the connection is not used again, unless one client keeps it; :meth:`settle`
        takes back the others.
        """
        if changes and self.kept is not None:
            self.altered = self.kept.altered = True
        else:
            self.owed += changes
        deadline = current()
        if deadline is not None:
            self.owed += 1
            with SENDING:
                self._hurry(deadline)
        if wait is not None:
            self.expect_wait(wait)

    def settle(self, wait: float | None) -> None:
        """After the reply: the time-outs of the socket are what they were, or the connection is not used again."""
        if wait is not None:
            self.settle_wait()
        if self._hurried is not None and self._is_set(self._relax):
            self.owed = max(0, self.owed - 1)

    def expect_wait(self, wait: float) -> None:
        """Record that the next reply may take ``wait`` seconds longer."""
        self.owed += 1
        if self.socket_timeout is not None:
            with SENDING:
                self.be_patient(self.socket_timeout + wait)

    def settle_wait(self) -> None:
        """After that reply: the others come as usual."""
        if self.socket_timeout is None or self._is_set(self.be_patient, self.socket_timeout):
            self.owed = max(0, self.owed - 1)

    # Time.

    def be_patient(self, seconds: float | None) -> None:
        """Give up on one send or receive after so many seconds from now on; None: never."""
        if self._hurried is None:
            self._timeouts.set(self._socket(), seconds)
        else:
            self._hurried.patience = seconds

    def _is_set(self, change: Callable[..., None], *args: Any) -> bool:
        """Whether a time-out could be changed; else the socket is gone."""
        try:
            change(*args)
        except OSError as error:
            if is_foreign(error):
                raise
            return False
        return True

    def _hurry(self, deadline: Deadline) -> None:
        """Have no call of the socket go on beyond the deadline."""
        sock, calls = self._socket(), self._bounded
        if calls is None or calls.sock is not sock:
            calls = self._bounded = self._timeouts.calls(sock)
        calls.ends, calls.patience = deadline.ends, self.socket_timeout
        self._hurried = calls
        self._send, self._recv = calls.send, calls.recv

    def _relax(self) -> None:
        """Let the calls of the socket take their time again."""
        sock = self._socket()
        self._hurried = None
        self._send, self._recv = sock.send, sock.recv
        self._timeouts.restore(sock, self.socket_timeout)

    def _socket(self) -> socket.socket:
        """The socket; an error of the system where somebody has closed the connection in the meantime."""
        sock = self._sock
        if sock is None:
            raise OSError(errno.EBADF, "The connection was closed while it was in use")
        return sock

    def _busy(self) -> RedisError:
        return annotate(
            RedisError("this connection is in the middle of a command, and takes no other"), "", self.address, "send", 1
        )

    def _transmit(self, data: Packed) -> None:
        """Send everything; NotSent if the last byte did not leave."""
        with SENDING:
            if isinstance(data, list):
                self._send_buffers(data)
            else:
                self._send_all(data)

    def _send_all(self, data: Buffer) -> None:
        sent = self._send(data, self.send_flags)
        while sent < len(data):
            sent += self._send(memoryview(data)[sent:], self.send_flags)

    def _send_buffers(self, buffers: list[Buffer]) -> None:
        """Send buffers without joining them; what a call did not take is sent by the next."""
        for start in range(0, len(buffers), MANY_BUFFERS):
            rest = buffers[start : start + MANY_BUFFERS]
            while rest:
                rest = unsent(rest, (self._hurried or self._socket()).sendmsg(rest, (), self.send_flags))

    def _receive(
        self,
        data: bytes = b"-",
        decode: bool = True,
        push: bool = False,
        recv: Callable[[int], bytes] | None = None,
    ) -> Any:
        """Read until there is a reply and return it; ``data`` is what was read last, b"" the end of the stream."""
        with RECEIVING if self._ours else RECEIVING_ANYHOW:
            if not data:
                raise closed_by_server()
            return self._read(decode, push, recv or self._recv)

    def _read(self, decode: bool, push: bool, recv: Callable[[int], bytes]) -> Any:
        """Return the next reply; pushes are dropped unless ``push`` asks for them."""
        if not self._ours:
            if self._hurried is not None:
                self._socket().settimeout(self._hurried.left())
            return self._parser.read_response()
        reader: ReaderLike = self._parser.reader
        reply = reader.gets(decode)
        while reply is MISSING or (reply.__class__ in NO_REPLY and not push):
            if reply is MISSING:
                reader.feed(receive(recv, self._read_size))
            reply = reader.gets(decode)
        return reply

    def _receive_large(self, data: bytes, length: int) -> Any:
        """Read the rest of a large bulk reply; the reader never sees it."""
        with RECEIVING:
            sock = self._socket()
            whole = read_large_bulk(sock.recv_into, data, length)
            if not self._timeouts.is_quiet(sock, self.socket_timeout):
                self.owed += 1  # a second reply, a push, or the end: this one is good, the connection is not
        if self.encoder.decode_responses:
            return str(whole.getbuffer(), self.encoder.encoding, self.encoder.encoding_errors)
        return whole.getvalue()

    def _drain(self) -> None:
        """More was read than a reply: whole pushes are dropped; with anything else no reply can be trusted.

        What may be the begin of a push is left to the next who would use the connection: nobody does.
        """
        reader: ReaderLike = self._parser.reader
        while self._unread():
            reply = reader.gets(False)
            if reply is MISSING and self.speaks_resp3:
                self.owed += 1
                return
            if reply is MISSING or reply.__class__ not in NO_REPLY:
                raise annotate(InvalidResponse(UNASKED), "", self.address, "recv", 1)


def unsent(buffers: list[Buffer], sent: int) -> list[Buffer]:
    """What is left of ``buffers`` when ``sent`` bytes have gone out."""
    for index, buffer in enumerate(buffers):
        if sent < len(buffer):
            return [memoryview(buffer)[sent:], *buffers[index + 1 :]]
        sent -= len(buffer)
    return []
