"""The connection: a socket, a parser, and a record of what is owed.

::

    NEW -> HANDSHAKING -> IDLE <-> BUSY (owed = n) -> CLOSED -> HANDSHAKING ...

Two fields tell the state, and nobody infers it from anything else.

* ``used`` is NEVER until the handshake is complete, then the time of the last use.  It is the last store of
  :meth:`Connection.establish` and the first of :meth:`Connection.disconnect`, so a connection that is half made, or
  half closed, is never used, wherever an exception may land.
* ``owed`` counts the replies that are still to come.  It goes up before the first byte of a command leaves and down
  after its whole reply has been read, and only then.  The pool takes back what owes nothing.  A command that changes
  the connection is counted as one more reply, which never comes: such a connection is not used again.

An exception can land between any two bytecodes: the order of the stores is what keeps the record true, no handler.
This module must not know pools, commands (but those of the handshake), or when to try again.
"""

from __future__ import annotations

import errno
import itertools
import os
import select
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from time import monotonic
from typing import Any, ClassVar

from redis.connection.handshake import LIB_NAME, Identity, Words, shake_hands
from redis.connection.outcome import (
    ALLOWED,
    CONNECTING,
    CONNECTING_ANYHOW,
    GREETING,
    RECEIVING,
    SENDING,
    Fault,
    NotSent,
    Seam,
    Unknown,
    annotate,
    is_foreign,
    public_error,
)
from redis.connection.parsers import (
    LONG,
    MISSING,
    NO_REPLY,
    READ_SIZE,
    DefaultParser,
    ReaderLike,
    closed_by_server,
    is_reader_parser,
    large_bulk,
    read_large_bulk,
    receive,
)
from redis.connection.timeouts import SocketTimeouts, Timeouts, timeouts_for
from redis.exceptions import ConnectionError, DataError, InvalidResponse, RedisError
from redis.protocol.encoder import Buffer, Encoder
from redis.protocol.errors import SERVER_CHANGED, ErrorReply, error_from
from redis.protocol.packer import Packed, packer_for
from redis.typing import CredentialProvider
from redis.version import __version__

NEVER = float("-inf")
NOSIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)
MANY_BUFFERS = 512
"""How many buffers one sendmsg takes; the kernel's bound is 1024."""
UNASKED = "the server sent more than it was asked for"
UNCOUNTED = 1 << 40
"""What a connection owes for bytes that somebody packed himself: nobody knows how many replies they ask for."""


SERIALS = itertools.count(1)


class PackedCommands(list[Buffer]):
    """The buffers of packed commands, and how many replies they ask for."""

    def __init__(self, buffers: Iterable[Buffer], replies: int) -> None:
        super().__init__(buffers)
        self.replies = replies


class Connection:
    """A connection over TCP."""

    # What each command touches has a fixed place; a dictionary of more than 30 attributes would be slower to read.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_feed",
        "_gets",
        "_read_size",
        "_recv",
        "_send",
        "_sock",
        "_unread",
        "owed",
        "used",
    )

    description_format: ClassVar[str] = "Connection<host=%(host)s,port=%(port)s,db=%(db)s>"
    #: How bytes are passed to ``send``: flags that the kind of socket takes.
    send_flags: ClassVar[int] = NOSIGNAL
    #: What turns the errors of :meth:`_connect` into faults.
    connecting: ClassVar[Seam] = CONNECTING

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "_connect" in vars(cls) and cls.__module__ not in ALLOWED:
            cls.connecting = CONNECTING_ANYHOW

    def __init__(
        self,
        host: str = "localhost",
        port: int | str = 6379,
        db: int = 0,
        password: str | None = None,
        socket_timeout: float | None = None,
        socket_connect_timeout: float | None = None,
        socket_keepalive: bool | None = False,
        socket_keepalive_options: dict[int, int | bytes] | None = None,
        retry_on_timeout: bool = False,
        encoding: str = "utf-8",
        encoding_errors: str = "strict",
        decode_responses: bool = False,
        parser_class: type[Any] = DefaultParser,
        socket_read_size: int = READ_SIZE,
        *,
        username: str | None = None,
        credential_provider: CredentialProvider | None = None,
        client_name: str | None = None,
        lib_name: str | None = LIB_NAME,
        lib_version: str | None = __version__,
        protocol: int | str = 2,
        fork_safe: bool = True,
    ) -> None:
        self.pid = os.getpid()
        self.serial = next(SERIALS)
        self.host, self.port, self.db = host, int(port), db
        self.socket_timeout = socket_timeout
        self.socket_connect_timeout = socket_connect_timeout or socket_timeout
        self.socket_keepalive = socket_keepalive
        self.socket_keepalive_options = socket_keepalive_options or {}
        self.retry_on_timeout = retry_on_timeout
        self.encoder = Encoder(encoding, encoding_errors, decode_responses)
        self.identity = Identity(
            db, username, password, credential_provider, client_name, lib_name, lib_version, int(protocol)
        )
        self.protocol = 2
        self.fork_safe = fork_safe
        self._connect_callbacks: list[Callable[[Any], Any]] = []
        self._read_size = socket_read_size
        self._parser = parser_class(socket_read_size=socket_read_size)
        self._ours = is_reader_parser(parser_class)
        self._pack = packer_for(self.encoder)
        self._unread: Callable[[], bool] = self._parser.can_read
        self._timeouts: Timeouts = SocketTimeouts()
        self._sock: socket.socket | None = None
        self._send: Any = None
        self._recv: Any = None
        self._feed: Any = None
        self._gets: Any = None
        self._shaking_hands = False
        #: Whether one client keeps this connection, so that commands may change it; and whether one has.
        self.kept = self.altered = False
        self.owed = 0
        self.used = NEVER

    def __repr__(self) -> str:
        return self.description_format % {"host": self.host, "port": self.port, "db": self.identity.db}

    @property
    def address(self) -> str:
        """Where the server is, as errors name it."""
        return f"{self.host}:{self.port}"

    # Making and closing.

    def connect(self) -> None:
        """Connect and shake hands, where this has not been done; ConnectionError or TimeoutError if it cannot be."""
        if self.used is not NEVER or self._shaking_hands:
            return
        try:
            self.establish()
        except Fault as fault:
            raise public_error(fault, "", self.address, 1, applied=False, serial=self.serial) from fault.__cause__

    def establish(self) -> None:
        """Connect and shake hands anew; what the socket does wrong is a NotSent."""
        self.disconnect()
        try:
            with self.connecting:
                self._sock = sock = self._connect()
            with GREETING:
                self._greet(sock)
            self._publish(sock)
        except BaseException:
            self.disconnect()
            raise

    def _connect(self) -> socket.socket:
        """Return a connected socket; the addresses of the host are tried one after the other."""
        try:
            addresses = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM)
        except UnicodeError as error:
            raise socket.gaierror(socket.EAI_NONAME, f"not a name of a host ({error})") from error
        for family, kind, proto, _, address in addresses[:-1]:
            try:
                return self._connect_to(family, kind, proto, address)
            except OSError as error:
                if is_foreign(error):
                    raise
        family, kind, proto, _, address = addresses[-1]
        return self._connect_to(family, kind, proto, address)

    def _connect_to(self, family: int, kind: int, proto: int, address: Any) -> socket.socket:
        sock = socket.socket(family, kind, proto)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.socket_keepalive:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                for option, value in self.socket_keepalive_options.items():
                    sock.setsockopt(socket.IPPROTO_TCP, option, value)
            sock.settimeout(self.socket_connect_timeout)
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock

    def _greet(self, sock: socket.socket) -> None:
        """All that is said before the connection is anybody's; it has the time of connecting, at the least."""
        self._timeouts = timeouts_for(sock)
        self._timeouts.set(sock, self.socket_timeout or self.socket_connect_timeout)
        self._send, self._recv = sock.send, sock.recv
        self._parser.on_connect(self)
        self._unread = self._parser.reader.has_data if self._ours else self._parser.can_read
        self._shaking_hands = True
        self.on_connect()
        for callback in self._connect_callbacks:
            callback(self)
        if self._unread():
            raise annotate(InvalidResponse(UNASKED), "", self.address, "handshake", 1)

    def on_connect(self) -> None:
        """Authenticate, select the database, set the names.  A subclass may add commands of its own."""
        self.protocol = shake_hands(self._exchange, self.identity, self.address)

    def _exchange(self, batch: list[Words]) -> Iterator[Any]:
        """Send a batch of the handshake and yield its replies, as bytes in any charset."""
        if batch:
            self._transmit(self.pack_commands(batch))
        for _ in batch:
            yield self._receive(decode=False)

    def _publish(self, sock: socket.socket) -> None:
        """Make the connection usable; the last store is the one that does."""
        if self.socket_timeout is None and self.socket_connect_timeout is not None:
            self._timeouts.set(sock, None)
        if self._ours:
            self._feed, self._gets = self._parser.reader.feed, self._parser.reader.gets
        self._shaking_hands = False
        self.used = monotonic()

    def disconnect(self) -> None:
        """Close the socket; the next command connects again."""
        self.used = NEVER  # taken back: the first store, nobody sends on it now
        self._shaking_hands = False
        sock, self._sock = self._sock, None
        if sock is not None:
            self._close(sock)
            self._parser.on_disconnect()
        self.owed = 0  # the last: until here no pool takes it

    def _close(self, sock: socket.socket) -> None:
        if not self.fork_safe:
            with suppress(OSError):  # the peer may have been faster
                sock.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            sock.close()

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

    @classmethod
    def shared_options(cls) -> dict[str, Any]:
        """What all connections of one pool are given, so that they share it."""
        return {}

    def register_connect_callback(self, callback: Callable[[Any], Any]) -> None:
        """Call ``callback(connection)`` at the end of each handshake."""
        self._connect_callbacks.append(callback)

    def clear_connect_callbacks(self) -> None:
        """Forget the callbacks."""
        self._connect_callbacks = []

    # The state.

    def prepare(self) -> None:
        """Before a use after an idle time, or the first: look at the socket; make one where there is none."""
        if not self.is_good():
            self.disconnect()
            self._check_not_altered()
            self.establish()

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

    def _check_not_altered(self) -> None:
        """An altered connection is not made anew in silence: what SELECT, MULTI or WATCH did to it is lost."""
        if self.altered:
            self.altered = False
            error = ConnectionError("the connection was lost, and with it what earlier commands had set on it")
            error.maybe_applied = False
            raise annotate(error, "", self.address, "connect", 1)

    def has_unread(self) -> bool:
        """Whether something was read that answers no command."""
        return self._sock is not None and self._unread()

    def can_read(self, timeout: float | None = 0) -> bool:
        """Whether something can be read within ``timeout`` seconds; None waits for ever."""
        if self._sock is None:
            self.connect()
        if self._parser.can_read():
            return True
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)  # type: ignore[arg-type]
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    # One command, one reply.

    def call(self, data: Packed) -> Any:
        """Send one packed command and return its reply, an error line as an ErrorReply.

        On return ``owed`` is 0; if it raises, ``owed`` says whether the connection may live.  This is the short way,
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
        if len(chunk) > LONG and (length := large_bulk(chunk)):
            reply = self._receive_large(chunk, length)
        else:
            self._feed(chunk)
            reply = self._gets()
            if reply.__class__ in NO_REPLY:
                reply = self._receive(chunk)
        if self._unread():
            self._drain()
        self.owed = 0  # after the whole reply, and only then
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
        """Record that a command will change the connection, or that its reply may take ``wait`` seconds longer.

        Each is one more reply owed, from the start.  The first never comes, so the connection is not used again, unless
        one client keeps it; :meth:`settle` takes back the second.
        """
        if changes and self.kept:
            self.altered = True
        else:
            self.owed += changes
        self.owed += wait is not None
        if wait is not None and self.socket_timeout is not None:
            with SENDING:
                self._timeouts.set(self._socket(), self.socket_timeout + wait)

    def settle(self, wait: float | None) -> None:
        """After the reply: the time-out of the socket is what it was, or the connection is not used again."""
        if wait is None:
            return
        if self.socket_timeout is not None:
            try:
                self._timeouts.set(self._socket(), self.socket_timeout)
            except OSError as error:
                if is_foreign(error):
                    raise
                return
        self.owed = max(0, self.owed - 1)

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
                rest = unsent(rest, self._socket().sendmsg(rest, (), self.send_flags))

    def _receive(self, data: bytes = b"-", decode: bool = True, push: bool = False) -> Any:
        """Read until there is a reply and return it; ``data`` is what was read last, b"" the end of the stream.

        Pushes are dropped unless ``push`` asks for them.
        """
        with RECEIVING:
            if not data:
                raise closed_by_server()
            if not self._ours:
                return self._parser.read_response()
            reader: ReaderLike = self._parser.reader
            reply = reader.gets(decode)
            while reply is MISSING or (reply.__class__ in NO_REPLY and not push):
                if reply is MISSING:
                    reader.feed(receive(self._recv, self._read_size))
                reply = reader.gets(decode)
            return reply

    def _receive_large(self, data: bytes, length: int) -> Any:
        """Read the rest of a large bulk reply; the reader never sees it."""
        with RECEIVING:
            whole = read_large_bulk(self._socket(), data, length)
        if self.encoder.decode_responses:
            return str(whole.getbuffer(), self.encoder.encoding, self.encoder.encoding_errors)
        return whole.getvalue()

    def _drain(self) -> None:
        """More was read than a reply: whole pushes are dropped; with anything else no reply can be trusted."""
        reader: ReaderLike = self._parser.reader
        reply = reader.gets(False)
        while reply.__class__ in NO_REPLY and reply is not MISSING:
            reply = reader.gets(False)
        if reply is not MISSING or self._unread():
            raise annotate(InvalidResponse(UNASKED), "", self.address, "recv", 1)

    # The steps one by one, for whoever composes them himself.

    def encode(self, value: Any) -> bytes:
        """Return the bytes that are sent for ``value``."""
        return self.encoder.encode(value)

    def pack_command(self, *args: Any) -> PackedCommands:
        """Pack a command; the result is for :meth:`send_packed_command`."""
        if " " in str(args[0]):
            raise DataError(f"the name of a command has no space: pass the words of {args[0]!r} apart")
        packed = self._pack(args)
        return PackedCommands(packed if isinstance(packed, list) else [packed], 1)

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> PackedCommands:
        """Pack several commands; the result is for :meth:`send_packed_command`."""
        packed = [self.pack_command(*command) for command in commands]
        return PackedCommands(itertools.chain.from_iterable(packed), len(packed))

    def send_packed_command(self, command: str | bytes | list[Buffer]) -> None:
        """Send what was packed; connect first where that has not been done."""
        self.connect()
        self.owed += command.replies if isinstance(command, PackedCommands) else UNCOUNTED
        try:
            self._transmit(command.encode() if isinstance(command, str) else command)
        except NotSent as fault:
            self.disconnect()
            raise public_error(fault, "", self.address, 1, applied=False, serial=self.serial) from fault.__cause__

    def send_command(self, *args: Any) -> None:
        """Pack a command and send it."""
        self.send_packed_command(self.pack_command(*args))

    def read_response(self, disable_decoding: bool = False) -> Any:
        """Return the reply to a command that was sent; an error line is raised as its error."""
        try:
            reply = self._receive(decode=not disable_decoding)
        except Unknown as fault:
            self.disconnect()
            raise public_error(fault, "", self.address, 1, applied=True, serial=self.serial) from fault.__cause__
        self.owed = max(0, self.owed - 1)
        if isinstance(reply, ErrorReply):
            reply = error_from(reply)
        if isinstance(reply, SERVER_CHANGED):
            self.disconnect()
        if isinstance(reply, RedisError):
            raise reply
        return reply


def unsent(buffers: list[Buffer], sent: int) -> list[Buffer]:
    """What is left of ``buffers`` when ``sent`` bytes have gone out."""
    for index, buffer in enumerate(buffers):
        if sent < len(buffer):
            return [memoryview(buffer)[sent:], *buffers[index + 1 :]]
        sent -= len(buffer)
    return []
