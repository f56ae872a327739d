"""The connection over TCP: how it is made, what it says first, and the steps that others compose.

What a connection owes and how a command travels is ``wire.py``'s.  This module must not know pools, commands (but those
of the handshake), or when to try again.
"""

from __future__ import annotations

import itertools
import os
import select
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from math import inf
from time import monotonic
from typing import Any, ClassVar

from redis.connection.bounded import polled
from redis.connection.deadline import current, in_time
from redis.connection.handshake import LIB_NAME, Identity, Words, shake_hands
from redis.connection.outcome import (
    ALLOWED,
    CONNECTING,
    CONNECTING_ANYHOW,
    GREETING,
    GREETING_ANYHOW,
    RECEIVING,
    Fault,
    NotSent,
    Refused,
    Seam,
    Unknown,
    annotate,
    complete,
    is_foreign,
    is_of,
    is_refusal,
    public_error,
    said_by_server,
)
from redis.connection.parsers import READ_SIZE, DefaultParser
from redis.connection.timeouts import timeouts_for
from redis.connection.wire import NEVER, UNASKED, Keeper, Wire
from redis.exceptions import ConnectionError, DataError, InvalidResponse, RedisError
from redis.protocol.encoder import Buffer, Encoder
from redis.protocol.errors import SERVER_CHANGED, ErrorReply, error_from
from redis.protocol.packer import Packed, batch_packer_for, command_word, packer_for
from redis.retry import Retry
from redis.typing import CredentialProvider
from redis.version import __version__

SERIALS = itertools.count(1)
UNCOUNTED = 1 << 40
"""What a connection owes for bytes that somebody packed himself: nobody knows how many replies they ask for."""


class PackedCommands(list[Buffer]):
    """The buffers of packed commands, how many replies they ask for, and what an error calls them."""

    def __init__(self, buffers: Iterable[Buffer], replies: int, name: str) -> None:
        super().__init__(buffers)
        self.replies = replies
        self.name = name


class Connection(Wire):
    """A connection over TCP."""

    description_format: ClassVar[str] = "Connection<host=%(host)s,port=%(port)s,db=%(db)s>"
    #: What turns the errors of :meth:`_connect` into faults.
    connecting: ClassVar[Seam] = CONNECTING
    #: The same for the handshake.
    greeting: ClassVar[Seam] = GREETING
    #: The generation of the pool that lent it.
    pool_generation = 0
    #: How many seconds its pool lets it be idle, and how many it lets it live.
    max_idle_time: float = inf
    max_lifetime: float = inf
    #: When it has lived long enough, on the clock of ``monotonic``.
    expires: float = inf
    #: What was sent last by its name, and what the client calls it who sends it, for the text of an error.
    _doing = _called = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__ not in ALLOWED:
            cls.connecting = CONNECTING_ANYHOW if "_connect" in vars(cls) else cls.connecting
            cls.greeting = GREETING_ANYHOW if "on_connect" in vars(cls) else cls.greeting

    def __init__(
        self,
        host: str | None = "localhost",
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
        retry: Retry | None = None,
        retry_on_error: Sequence[type[Exception]] | None = None,
        command_timeout: float | None = None,  # a client's: it is not the connection that begins a call
    ) -> None:
        encoder = Encoder(encoding, encoding_errors, decode_responses)
        super().__init__(encoder, parser_class, socket_read_size, bounded(socket_timeout), fork_safe)
        self.pid = os.getpid()
        self.serial = next(SERIALS)
        self.host, self.port, self.db = "localhost" if host is None else host, int(port), db
        self.socket_connect_timeout = bounded(socket_connect_timeout or socket_timeout)
        self.socket_keepalive = socket_keepalive
        self.socket_keepalive_options = socket_keepalive_options or {}
        self.retry_on_timeout = retry_on_timeout
        self.retry = retry
        self.retry_on_error = tuple(retry_on_error or ())
        self.identity = Identity(
            db, username, password, credential_provider, client_name, lib_name, lib_version, checked_protocol(protocol)
        )
        self.protocol = 2
        self._connect_callbacks: list[Callable[[Any], Any]] = []
        self._pack = packer_for(encoder)

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
            raise self._public(fault, applied=False) from fault.origin
        except (InvalidResponse, ConnectionError) as error:
            complete(error, self._called or self._doing, self.address, "handshake", 1, self.serial)
            raise

    def establish(self) -> None:
        """Connect and shake hands anew; what the socket does wrong is a NotSent."""
        self.disconnect()
        self._check_not_altered()
        try:
            with self.connecting:
                sock = self._connect()
            self._keep(sock)
            with self.greeting if self._ours else GREETING_ANYHOW:
                self._greet(sock)
            self._publish(sock)
        except BaseException as error:
            self.disconnect()
            if isinstance(error, ConnectionError) and is_refusal(error) and is_of(error, self):
                raise Refused("handshake") from error
            if isinstance(error, InvalidResponse) and error.phase is None:  # not another's, of a signal handler
                annotate(error, "", self.address, "handshake", 1).maybe_applied = False
            raise

    def _connect(self) -> socket.socket:
        """Return a connected socket; the addresses of the host are tried one after the other."""
        try:
            addresses = socket.getaddrinfo(ascii_host(self.host), self.port, 0, socket.SOCK_STREAM)
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
            sock.settimeout(in_time(self.socket_connect_timeout))
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock

    def _greet(self, sock: socket.socket) -> None:
        """All that is said before the connection is anybody's; it has the time of connecting, at the least."""
        self._timeouts = timeouts_for(sock)
        self._relax()
        deadline = current()
        if deadline is not None:
            self._hurry(deadline)
        self.be_patient(self.socket_timeout or self.socket_connect_timeout)
        self._parser.on_connect(self)
        self._unread = self._parser.reader.has_data if self._ours else self._parser.can_read
        self._shaking_hands = True
        self.on_connect()
        for callback in self._connect_callbacks:
            callback(self)
        if self._unread():
            raise InvalidResponse(UNASKED)

    def on_connect(self) -> None:
        """Authenticate, select the database, set the names.  A subclass may add commands of its own."""
        self.protocol = shake_hands(self._exchange, self.identity, self.address, self.serial)
        self.speaks_resp3 = self.protocol == 3

    def _exchange(self, batch: list[Words]) -> Iterator[Any]:
        """Send a batch of the handshake and yield its replies, as bytes in any charset."""
        self._send_buffers(self.pack_commands(batch))
        for _ in batch:
            yield self._read(False, False, self._recv)

    def _publish(self, sock: socket.socket) -> None:
        """Make the connection usable; the last store is the one that does."""
        if self._hurried is not None:
            self._relax()
        if self.socket_timeout is None and self.socket_connect_timeout is not None:
            self._timeouts.set(sock, None)
        if self._ours:
            self._feed, self._gets = self._parser.reader.feed, self._parser.reader.gets
        self._shaking_hands = False
        if self.max_lifetime is not inf:
            self.expires = monotonic() + a_little_less(self.max_lifetime)
        self.used = monotonic()

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

    def is_good(self) -> bool:
        """Whether the connection can be used, and is not too old."""
        return not self.is_expired() and super().is_good()

    def is_expired(self) -> bool:
        """Whether it was idle, or has lived, for longer than its pool allows; never once a command has altered it."""
        now = monotonic()
        return not self.altered and (now - self.used > self.max_idle_time or now > self.expires)

    def prepare(self) -> None:
        """Before a use after an idle time, or the first: look at the socket; make one where there is none."""
        if not self.is_good():
            self.establish()

    def prepare_if_closed(self) -> None:
        """The same for a connection that the pool has looked at."""
        if self.used is NEVER:
            self.prepare()

    def _check_not_altered(self) -> None:
        """An altered connection is not made anew in silence: what SELECT, MULTI or WATCH did to it is lost."""
        altered, self.altered = self.altered, False
        if altered:
            keeper = self.kept or Keeper()
            keeper.altered = True
            keeper.ask(self.address, self.serial)

    def can_read(self, timeout: float | None = 0) -> bool:
        """Whether something can be read within ``timeout`` seconds; None waits for ever."""
        if self._sock is None:
            self.connect()
        if self._unread():
            return True
        try:
            with RECEIVING:
                return is_readable(self._socket(), timeout)
        except Unknown as fault:
            self.disconnect()
            raise self._public(fault, applied=True) from fault.__cause__

    # The steps one by one, for whoever composes them himself.

    def encode(self, value: Any) -> bytes:
        """Return the bytes that are sent for ``value``."""
        return self.encoder.encode(value)

    def pack_command(self, *args: Any) -> PackedCommands:
        """Pack a command; the result is for :meth:`send_packed_command`."""
        name = command_word(args[0])
        if b" " in name:
            raise DataError(f"the name of a command has no space: pass {name.split()[0].decode()!r} and the rest apart")
        packed = self._pack(args)
        return PackedCommands(packed if isinstance(packed, list) else [packed], 1, name.decode("latin-1"))

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> PackedCommands:
        """Pack several commands; the result is for :meth:`send_packed_command`."""
        packed = [self.pack_command(*command) for command in commands]
        return PackedCommands(itertools.chain.from_iterable(packed), len(packed), "pipeline")

    @cached_property
    def pack_batch(self) -> Callable[[Sequence[Sequence[Any]]], Packed]:
        """The function that packs many commands in one go."""
        return batch_packer_for(self.encoder)

    def send_packed_command(self, command: str | bytes | list[Buffer]) -> None:
        """Send what was packed; connect first where that has not been done."""
        if not self.owed:  # what is recalled in the middle of something is not made anew: that would forget the record
            self.connect()
        if not isinstance(command, PackedCommands):
            buffers = command if isinstance(command, list) else [self.encode(command)]
            command = PackedCommands(buffers, UNCOUNTED, "")
        self.owed += command.replies
        self._doing = command.name
        try:
            self._transmit(command)
        except NotSent as fault:
            self.disconnect()
            # Of several commands those whose bytes have left may have been executed.
            raise self._public(fault, command.replies > 1) from fault.__cause__

    def doing(self, command: str) -> None:
        """Name what the next errors are about; ``""``: the command that was sent last."""
        self._called = command

    def _public(self, fault: Fault, applied: bool) -> ConnectionError | TimeoutError:
        return public_error(fault, self._called or self._doing, self.address, 1, applied, self.serial)

    def send_command(self, *args: Any) -> None:
        """Pack a command and send it."""
        self.send_packed_command(self.pack_command(*args))

    def accept(self, replies: list[Any], atomic: bool) -> list[Any]:
        """The replies to a batch; a subclass may find that nothing of it was executed, and raise NotSent."""
        return replies

    def leave(self) -> None:
        """The server is not what it was: close now, or when the replies that are still to come have been read."""
        if self.owed:
            self.owed += 1
        else:
            self.disconnect()

    def read_response(self, disable_decoding: bool = False, push_request: bool = False) -> Any:
        """Return the reply to a command that was sent; an error line is raised as its error.

        ``disable_decoding``: text stays bytes.  ``push_request``: a push of RESP3 is returned like a reply.
        """
        try:
            reply = self._receive(decode=not disable_decoding, push=push_request)
        except Unknown as fault:
            self.disconnect()
            raise self._public(fault, applied=True) from fault.__cause__
        except InvalidResponse as error:
            complete(error, self._called or self._doing, self.address, "recv", 1, self.serial)
            raise
        self.owed = max(0, self.owed - 1)
        if isinstance(reply, ErrorReply):
            reply = error_from(reply)
        if isinstance(reply, SERVER_CHANGED):
            self.leave()
        if isinstance(reply, RedisError):
            name = self._called or self._doing
            raise said_by_server(annotate(reply, name, self.address, "recv", 1), self.serial)
        return reply


def a_little_less(seconds: float) -> float:
    """Up to a tenth less, by chance: what began together does not end together."""
    return seconds * (1 - os.urandom(1)[0] / 2560)


def is_readable(sock: socket.socket, timeout: float | None) -> bool:
    """Whether something can be read within ``timeout`` seconds; TLS may have read it from the system already."""
    if getattr(sock, "pending", int)():
        return True
    return bool(polled(sock, select.POLLIN).poll(None if timeout is None else timeout * 1000))


def ascii_host(host: str) -> str | bytes:
    """A name as bytes where it is ASCII: str would import ``encodings.idna``, and a fork during that leaves a lock."""
    return host.encode() if host.isascii() else host


def bounded(seconds: float | None) -> float | None:
    """A number of seconds that the system can wait; None for ever."""
    return None if seconds == inf else seconds


def checked_protocol(value: int | str) -> int:
    """2 or 3, the versions of RESP; ValueError for anything else."""
    if str(value) not in ("2", "3"):
        raise ValueError(f"protocol is {value!r}; it takes 2 or 3")
    return int(value)
