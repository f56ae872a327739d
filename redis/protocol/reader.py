"""An incremental reader of RESP2 and RESP3 in pure Python, with the interface of ``hiredis.Reader``.

It owns the grammar: which bytes are a reply, and which value a reply becomes.  It must not know where the bytes come
from, nor what a reply means.

======================  =======================================================================
``+`` ``$``             bytes, or str where an encoding was given
``=``                   the same, without the name of its format (``txt:``)
``:`` ``(``             int
``,``                   float
``#``                   bool
``_`` ``$-1`` ``*-1``   None
``-`` ``!``             an instance of ``replyError``, returned and not raised; inside an array an item like others
``*`` ``~``             list: the members of a set may be lists, which no Python set can hold
``%``                   dict, or a list of ``(key, value)`` tuples where a key is a list or a dict
``>``                   :class:`PushNotification`; it stands between replies, never inside one
``|``                   nothing: attributes are dropped wherever they stand
======================  =======================================================================

How it works: lines and bulks are cut out of one bytes object, the buffer.  Arrays that are not complete wait on a
stack, so that no item is read twice and nothing recurses.  What is fed while the buffer holds unread bytes waits in a
list; a bulk that is not complete gathers its parts and joins them once.  An announced length reserves no memory.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from operator import eq
from typing import Any

from redis.exceptions import InvalidResponse, ResponseError

MAX_NESTING = 1024
"""How many arrays, maps, sets and pushes may stand inside one another; the limit of hiredis too."""
MAX_LINE = 65536
"""How many bytes a number, a length, a boolean or a null may take; statuses and errors may be longer."""
RUN = 6
"""From this many missing items on it pays to look for a run of short bulks or of integers and to split it in one go."""
MAX_RUN = 4096
"""At most this many items are split in one go."""
SHORT = 1024
"""Bulks of fewer bytes may be part of a run."""

CR, LF = CRLF = b"\r\n"
INTEGER, DOUBLE, BIG_NUMBER, BOOLEAN, NULL, STATUS, ERROR = LINES = b":,(#_+-"
BULK, VERBATIM, BLOB_ERROR = BLOBS = b"$=!"
ARRAY, SET, MAP, PUSH, ATTRIBUTE = AGGREGATES = b"*~%>|"
PAIRS = (MAP, ATTRIBUTE)
REPLY = 0  # the kind of the lowest frame, whose only item is the reply itself
KINDS = LINES + BLOBS + AGGREGATES

# The lengths that are met most often, both ways, so that nothing has to be parsed for them.
LENGTHS = {b"%d" % length: length for length in range(SHORT)}
BULK_HEADERS = {length: b"$%d" % length for length in range(SHORT)}

_is_integer = re.compile(rb"[+-]?[0-9]+").fullmatch
_is_double = re.compile(rb"(?i)[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|nan)").fullmatch
# Only what repeats one sign is possessive: Python 3.11.0 to 3.11.4 match other possessive repetitions wrongly.
_match_integers = re.compile(rb"(?::[+-]?+[0-9]{1,20}+\r\n)+").match

Frame = tuple[int, list[Any], int]
"""An aggregate that is being read: its kind, the items that it has, and how many it will have."""

_MORE: Any = object()


class PushNotification(list[Any]):
    """What the server sent without being asked: the kind of the message first, then what belongs to it."""


class Reader:
    """Turns the bytes of a server into replies: :meth:`feed` what was received, then call :meth:`gets` for each reply.

    ``protocolError`` makes the exception for bytes that are no RESP, ``replyError`` the value of an error reply; both
    are called with one str.  With ``encoding``, strings come back as str; ``errors`` says, as for :meth:`bytes.decode`,
    what to do with those that do not decode.  ``notEnoughData`` is what :meth:`gets` returns while no reply is
    complete.  A LookupError says that the encoding or the handler of errors does not exist.
    """

    def __init__(
        self,
        protocolError: Callable[[str], BaseException] = InvalidResponse,
        replyError: Callable[[str], Any] = ResponseError,
        encoding: str | None = None,
        errors: str | None = None,
        notEnoughData: Any = False,
    ) -> None:
        codecs.lookup(encoding or "utf-8")
        codecs.lookup_error(errors or "strict")
        self._protocol_error = protocolError
        self._reply_error = replyError
        self._encoding = encoding
        self._errors = errors or "strict"
        self._not_enough_data = notEnoughData
        self._buffer = b""
        self._position = 0  # the first byte of the buffer that has not been read
        self._fed: list[bytes] = []  # what follows the buffer
        self._long_bulk: _LongBulk | None = None  # if there is one, the buffer is empty
        self._stack: list[Frame] = [(REPLY, [], 1)]
        self._fault: str | None = None
        self._undecodable: UnicodeError | None = None

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take over what was received; bytes that may change later are copied."""
        if type(data) is not bytes:
            data = memoryview(data).tobytes()
        bulk = self._long_bulk
        if bulk is not None and bulk.missing > 0:
            bulk.add(data)
        elif bulk is None and not self._fed and self._position == len(self._buffer):
            self._buffer, self._position = data, 0
        else:
            self._fed.append(data)

    def gets(self, shouldDecode: bool = True) -> Any:
        """Return the next reply, or ``notEnoughData`` while it is not complete.

        With ``shouldDecode=False`` its strings stay bytes.  Bytes that are no RESP raise ``protocolError``, in this
        call and in all that follow.  A string that does not decode raises UnicodeError when the whole reply has been
        read; the next call returns the next reply.
        """
        if self._fault is not None:
            raise self._protocol_error(self._fault)
        encoding = self._encoding if shouldDecode else None
        reply = self._read(encoding)
        while reply is _MORE and self._refill():
            reply = self._read(encoding)
        if reply is _MORE:
            return self._not_enough_data
        return reply if encoding is None else self._decode_reply(reply, encoding)

    def has_data(self) -> bool:
        """Return whether anything was fed that :meth:`gets` has not returned, be it half a reply; attributes aside."""
        return len(self._stack) > 1 or self._long_bulk is not None or self.len() > 0

    def len(self) -> int:
        """Return how many bytes were fed and not read; the items of an array are read as soon as they are complete."""
        gathered = self._long_bulk.gathered if self._long_bulk is not None else 0
        return len(self._buffer) - self._position + gathered + sum(map(len, self._fed))

    def _read(self, encoding: str | None) -> Any:
        """Return the next reply, a single string as bytes, or _MORE when the buffer does not hold the rest of it.

        What is done for each item stands in this one loop, since a call would cost more than the item itself.
        """
        buffer, position = self._buffer, self._position
        kind, items, size = self._stack[-1]
        if size - len(items) >= RUN:
            position = _take_run(buffer, position, items, size)
        while True:
            while len(items) == size:
                if kind == REPLY:
                    self._position = position
                    return items.pop()
                kind, items, size = self._close(encoding)
            end = buffer.find(CRLF, position)
            if end < 0:
                return self._wait_for_line(position)
            head, line, start = buffer[position], buffer[position + 1 : end], end + 2
            if head in BLOBS and line != b"-1":
                stop = start + (LENGTHS.get(line) or self._length(line))
                if stop + 2 > len(buffer):
                    return self._wait_for_bulk(position, start, stop - start)
                if buffer[stop] != CR or buffer[stop + 1] != LF:
                    raise self._broken("a bulk is longer than its length says")
                items.append(buffer[start:stop] if head == BULK else self._blob(head, buffer[start:stop]))
                position = stop + 2
            elif head in AGGREGATES and line != b"-1":
                kind, items, size = self._open(head, line)
                position = start if size < RUN else _take_run(buffer, start, items, size)
            else:
                items.append(_LINES.get(head, Reader._constant)(self, head, line))
                position = start

    # What is not complete

    def _refill(self) -> bool:
        """Take in what was fed behind the buffer; return False where that cannot complete anything."""
        if self._long_bulk is not None:
            return self._long_bulk.missing <= 0 and self._end_long_bulk(self._long_bulk)
        if not self._fed:
            return False
        self._fed.insert(0, self._buffer[self._position :])
        self._buffer, self._position = b"", 0  # what has been read is freed before more is allocated
        self._buffer, self._fed = b"".join(self._fed), []
        return True

    def _end_long_bulk(self, bulk: _LongBulk) -> bool:
        value, self._buffer = bulk.split()
        self._long_bulk = None
        if value is None:
            raise self._broken("a bulk is longer than its length says")
        self._stack[-1][1].append(value if bulk.head == BULK else self._blob(bulk.head, value))
        return True

    def _wait_for_bulk(self, position: int, start: int, length: int) -> Any:
        self._position = position
        if not self._fed:
            self._long_bulk = _LongBulk(self._buffer[position], length, self._buffer[start:])
            self._buffer, self._position = b"", 0
        return _MORE

    def _wait_for_line(self, position: int) -> Any:
        """Return _MORE, unless what there is can be the beginning of no line."""
        self._position = position
        head = self._buffer[position : position + 1]
        if head not in KINDS:
            raise self._broken(f"no type of reply begins with {head!r}")
        if len(self._buffer) - position > MAX_LINE and head not in b"+-":
            raise self._broken(f"a line is longer than {MAX_LINE} bytes")
        return _MORE

    # Aggregates

    def _open(self, kind: int, line: bytes) -> Frame:
        if len(self._stack) > MAX_NESTING:
            raise self._broken(f"a reply is nested deeper than {MAX_NESTING} levels")
        if kind == PUSH and len(self._stack) > 1:
            raise self._broken("a push stands inside a reply")
        length = LENGTHS.get(line) or self._length(line)
        frame: Frame = kind, [], length * 2 if kind in PAIRS else length
        self._stack.append(frame)
        return frame

    def _close(self, encoding: str | None) -> Frame:
        """Hand the complete aggregate on top of the stack to the one that it stands in, and return that."""
        kind, items, _ = self._stack.pop()
        parent = self._stack[-1]
        if kind != ATTRIBUTE:
            if encoding is not None:
                items = self._decode(items, encoding)
            parent[1].append(_SHAPES[kind](items) if kind in _SHAPES else items)
        return parent

    # Strings

    def _decode_reply(self, reply: Any, encoding: str) -> Any:
        if type(reply) is bytes:
            return reply.decode(encoding, self._errors)
        if self._undecodable is not None:
            error, self._undecodable = self._undecodable, None
            raise error
        return reply

    def _decode(self, items: list[Any], encoding: str) -> list[Any]:
        """Decode the strings among ``items``; an error waits until the whole reply has been read."""
        errors = self._errors
        try:
            return [item.decode(encoding, errors) if type(item) is bytes else item for item in items]
        except UnicodeError as error:
            if all(kind != ATTRIBUTE for kind, _, _ in self._stack):
                self._undecodable = error
            return items

    def _blob(self, head: int, value: bytes) -> Any:
        if head == BLOB_ERROR:
            return self._reply_error(value.decode("utf-8", "replace"))
        if value[3:4] != b":":
            raise self._broken("a verbatim string does not name its format")
        return value[4:]

    # Lines

    def _text(self, head: int, line: bytes) -> Any:
        if b"\r" in line or b"\n" in line:
            raise self._broken("a status or an error contains a line break")
        return line if head == STATUS else self._reply_error(line.decode("utf-8", "replace"))

    def _integer(self, head: int, line: bytes) -> int:
        try:
            if line.isdigit() or _is_integer(line):
                return int(line)
        except ValueError:
            raise self._broken("an integer has more digits than the interpreter converts") from None
        raise self._broken("an integer is malformed")

    def _double(self, head: int, line: bytes) -> float:
        if len(line) > MAX_LINE or not _is_double(line):
            raise self._broken("a double is malformed")
        return float(line)

    def _length(self, line: bytes) -> int:
        if line.isdigit() and len(line) < 19 and (not line.startswith(b"0") or line == b"0"):
            return int(line)
        raise self._broken("a length is malformed")

    def _constant(self, head: int, line: bytes) -> bool | None:
        """Return what has no other spelling than one: a boolean, or a null in one of its three forms."""
        try:
            return _CONSTANTS[head, line]
        except KeyError:
            raise self._broken("a boolean, a null or a type is unknown") from None

    def _broken(self, fault: str) -> BaseException:
        self._fault = f"The server broke the protocol: {fault}"
        return self._protocol_error(self._fault)


_CONSTANTS = {
    (BOOLEAN, b"t"): True,
    (BOOLEAN, b"f"): False,
    (NULL, b""): None,
    (BULK, b"-1"): None,
    (ARRAY, b"-1"): None,
}
_LINES: dict[int, Callable[[Reader, int, bytes], Any]] = {
    STATUS: Reader._text,
    ERROR: Reader._text,
    INTEGER: Reader._integer,
    BIG_NUMBER: Reader._integer,
    DOUBLE: Reader._double,
}


class _LongBulk:
    """A bulk that is not complete: its parts, which are joined once."""

    def __init__(self, head: int, length: int, first: bytes) -> None:
        self.head = head
        self.missing = length + 2
        self.gathered = 0
        self._parts: list[bytes] = []
        self.add(first)

    def add(self, part: bytes) -> None:
        self._parts.append(part)
        self.gathered += len(part)
        self.missing -= len(part)

    def split(self) -> tuple[bytes | None, bytes]:
        """Return the bulk, None where it does not end with a line break, and what was fed behind it."""
        last = self._parts.pop()
        end = len(last) + self.missing
        while end < 2:  # the line break itself is cut
            last = self._parts.pop() + last
            end = len(last) + self.missing
        self._parts.append(last[: end - 2])
        complete = last.startswith(CRLF, end - 2)
        return b"".join(self._parts) if complete else None, last[end:]


def _make_dict(items: list[Any]) -> dict[Any, Any] | list[tuple[Any, Any]]:
    values = iter(items)
    try:
        return dict(zip(values, values))
    except TypeError:
        return list(zip(items[::2], items[1::2]))


_SHAPES: dict[int, Callable[[list[Any]], Any]] = {
    MAP: _make_dict,
    PUSH: PushNotification,
}


def _take_run(buffer: bytes, position: int, items: list[Any], size: int) -> int:
    """Append the run of short bulks or of integers that stands at ``position``; return where it ends."""
    while (missing := min(size - len(items), MAX_RUN)) >= RUN:
        before = len(items)
        take = _take_bulks if buffer.startswith(b"$", position) else _take_integers
        position = take(buffer, position, items, missing)
        if len(items) - before <= missing // 8:
            break  # to look at the rest again and again would cost more than to read it item by item
    return position


def _take_bulks(buffer: bytes, position: int, items: list[Any], missing: int) -> int:
    """Split as many lines as the bulks have if no value contains a line break, and keep those whose header agrees."""
    first = LENGTHS.get(buffer[position + 1 : buffer.find(CRLF, position)])
    if first is None:
        return position
    chunk = buffer[position : position + missing * (first + 16)]
    lines = chunk.split(CRLF, missing * 2)
    values = lines[1:-1:2]
    count = _agreeing(lines[: len(values) * 2 : 2], values)
    items += values[:count]
    return position + len(chunk) - len(CRLF.join(lines[count * 2 :]))


def _agreeing(headers: list[bytes], values: list[bytes]) -> int:
    """Return how many of the values, counted from the first, are as long as their headers say."""
    right = list(map(BULK_HEADERS.get, map(len, values)))
    if headers == right:
        return len(values)
    return list(map(eq, headers, right)).index(False)


def _take_integers(buffer: bytes, position: int, items: list[Any], missing: int) -> int:
    run = _match_integers(buffer, position, position + missing * 24)
    if run is None:
        return position
    lines = buffer[position + 1 : run.end() - 2].split(b"\r\n:")
    items += map(int, lines[:missing])
    return run.end() - sum(len(line) + 3 for line in lines[missing:])
