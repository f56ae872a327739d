"""The parsers: thin skins over the readers that take replies off a socket.

``PythonParser`` and ``HiredisParser`` have the interface that a parser has always had (``on_connect``,
``on_disconnect``, ``can_read``, ``read_response``), so that a class of the user's may stand in their place.  Both own a
*reader* with ``feed``, ``gets`` and ``has_data``; the connection's short way talks to that reader itself.

This module must not know commands, nor what an error of the socket means: those pass through as they come.
"""

from __future__ import annotations

import errno
import weakref
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from redis.connection.outcome import SERVER_CLOSED_CONNECTION_ERROR
from redis.exceptions import InvalidResponse, RedisError
from redis.protocol.encoder import Encoder
from redis.protocol.errors import CLASSES, ErrorReply, error_from, parse_error
from redis.protocol.reader import PushNotification, Reader

try:
    import hiredis
except ImportError:
    hiredis = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import socket

RecvInto = Callable[[memoryview], int]

HIREDIS_AVAILABLE = hiredis is not None

READ_SIZE = 65536
"""How much is read at a time: beyond 64 KB a small reply costs a memory mapping."""
LONG = 1024
"""A first chunk larger than this may be the begin of a large bulk reply."""
LARGE_REPLY = 131072
"""From this length on a bulk reply is received straight into the bytes object that is returned."""
LARGEST = 1 << 30
"""What claims to be longer goes through the reader."""
AHEAD = 1 << 24
"""How much memory is reserved on the server's word; beyond it, as much again as has come."""


class Missing:
    """The class of :data:`MISSING`, what a reader gives while a reply is incomplete."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()

NO_REPLY: set[type] = {Missing, PushNotification}
"""What a reader can give that answers no command."""
if hiredis is not None:
    NO_REPLY.add(hiredis.PushNotification)


class ReaderLike(Protocol):
    """What hiredis.Reader and our own have in common."""

    def feed(self, data: Any, /) -> Any: ...
    def gets(self, decode: bool = True, /) -> Any: ...
    def has_data(self) -> bool: ...


class BaseParser:
    """What every parser can do: turn an error line into an error."""

    EXCEPTION_CLASSES: ClassVar[dict[str, type[RedisError]]] = CLASSES

    def parse_error(self, response: str) -> RedisError:
        """Return the error that the words of the server mean."""
        return parse_error(response)


class ReaderParser(BaseParser):
    """A parser around a reader; a subclass says which one."""

    #: The charset that replies are decoded in, None where they are not.
    encoding: str | None = None

    def __init__(self, socket_read_size: int = READ_SIZE) -> None:
        self.socket_read_size = socket_read_size
        self.reader: ReaderLike | None = None
        self._sock: socket.socket | None = None
        self._connection: Callable[[], Any] = lambda: None

    def make_reader(self, encoder: Encoder) -> ReaderLike:
        """Return a new reader that decodes as ``encoder`` says."""
        raise NotImplementedError

    def on_connect(self, connection: Any) -> None:
        """Read from the socket of ``connection`` from now on, with a new reader: none is kept across sockets."""
        self._sock = connection._sock
        self._connection = weakref.ref(connection)  # no more than that: a cycle would keep it alive
        self.encoding, _ = charset(connection.encoder)
        self.reader = self.make_reader(connection.encoder)

    def on_disconnect(self) -> None:
        """Forget the socket.  The reader goes with the next one: somebody may be in the middle of a reply."""
        self._sock = None

    def can_read(self) -> bool:
        """Whether bytes of a reply have been read already."""
        return self._sock is not None and self.reader is not None and self.reader.has_data()

    def read_response(self) -> Any:
        """Return the next reply; an error line comes back as an instance of its error, a push as its list."""
        assert self.reader is not None and self._sock is not None
        reply = self.reader.gets()
        while reply is MISSING:
            # The calls of the connection keep to its deadline.
            recv = getattr(self._connection(), "_recv", None) or self._sock.recv
            self.reader.feed(receive(recv, self.socket_read_size))
            reply = self.reader.gets()
        return error_from(reply) if reply.__class__ is ErrorReply else reply


class PythonParser(ReaderParser):
    """The parser around our own reader, in pure Python."""

    def make_reader(self, encoder: Encoder) -> ReaderLike:
        return Reader(InvalidResponse, ErrorReply, *charset(encoder), notEnoughData=MISSING)


class HiredisParser(ReaderParser):
    """The parser around hiredis, in C."""

    def __init__(self, socket_read_size: int = READ_SIZE) -> None:
        if hiredis is None:
            raise RedisError("HiredisParser needs the package hiredis: pip install redispy[hiredis]")
        super().__init__(socket_read_size)

    def make_reader(self, encoder: Encoder) -> ReaderLike:
        assert hiredis is not None  # the constructor has seen to it
        encoding, errors = charset(encoder)
        reader = hiredis.Reader(
            protocolError=InvalidResponse,
            replyError=ErrorReply,
            encoding=encoding,
            errors=errors,
            notEnoughData=MISSING,
        )
        reader.setmaxbuf(1 << 20)
        return reader


DefaultParser: type[ReaderParser] = PythonParser if hiredis is None else HiredisParser


def is_reader_parser(parser_class: Any) -> bool:
    """Whether parsers of this class read as ours do, so that a connection may talk to their reader itself."""
    return (
        isinstance(parser_class, type)
        and issubclass(parser_class, ReaderParser)
        and parser_class.read_response is ReaderParser.read_response
    )


def charset(encoder: Encoder) -> tuple[str | None, str | None]:
    """How a reader is to decode; None: not at all."""
    return (encoder.encoding, encoder.encoding_errors) if encoder.decode_responses else (None, None)


def receive(recv: Any, size: int) -> bytes:
    """Return the next bytes of a socket; ConnectionResetError where the server has closed it."""
    data: bytes = recv(size)
    if not data:
        raise closed_by_server()
    return data


def closed_by_server() -> ConnectionResetError:
    """The error of a stream that ended where a reply was to come."""
    return ConnectionResetError(errno.ECONNRESET, SERVER_CLOSED_CONNECTION_ERROR)


def large_bulk(data: bytes) -> int:
    """The length of the bulk reply that begins with ``data``, where it is large and not complete; else 0."""
    end = data.find(b"\r\n", 0, 16)
    if data[:1] != b"$" or end < 0 or not data[1:end].isdigit():
        return 0
    length = int(data[1:end])
    return length if LARGE_REPLY <= length <= LARGEST and len(data) < end + 2 + length else 0


def read_large_bulk(recv_into: RecvInto, data: bytes, length: int) -> BytesIO:
    """Receive the rest of a bulk reply of ``length`` bytes straight into its place; ``data`` is the first chunk."""
    whole = BytesIO()
    have = whole.write(memoryview(data)[data.index(b"\r\n") + 2 :])
    while have < length + 2:
        size = min(length + 2, max(AHEAD, 2 * have))
        whole.seek(size - 1)
        whole.write(b"\n")  # room up to here
        with whole.getbuffer() as room:
            receive_into(recv_into, room[have:])
        have = size
    if bytes(whole.getbuffer()[length:]) != b"\r\n":
        raise InvalidResponse("a bulk reply does not end where its length says")
    whole.truncate(length)
    return whole


def receive_into(recv_into: RecvInto, room: memoryview) -> None:
    """Receive until ``room`` is full.

    Each view is released, whatever happens: the frames of an error may keep it, and some Pythons (3.12.1) crash when
    the collector finds a view of a BytesIO.
    """
    with room:
        have = 0
        while have < len(room):
            with room[have:] as rest:
                count = recv_into(rest)
            if not count:
                raise closed_by_server()
            have += count
