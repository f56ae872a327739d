"""What RESP is, written down a second time and as plainly as can be, to judge the readers by.

A writer (:func:`bulk`, :func:`array`), a reader that has the whole text before it (:class:`Reading`), replies of every
type, bytes that are no reply, and how the replies of two readers are compared.  Nothing here uses what it judges but
for the limits and the class of pushes.
"""

from __future__ import annotations

import re
import struct
import tracemalloc
from collections.abc import Callable, Iterable
from math import inf, nan
from typing import Any, NamedTuple

from redis.exceptions import InvalidResponse
from redis.protocol.reader import MAX_LINE, MAX_NESTING, PushNotification

CRLF = b"\r\n"


class Error(Exception):
    """An error reply that equals another one with the same words."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Error) and self.args == other.args

    def __hash__(self) -> int:
        return hash(self.args)


class Mark:
    """What stands for a thing that is no reply."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


NOT_ENOUGH = Mark("NOT_ENOUGH")
UNDECODABLE = Mark("UNDECODABLE")
"""Stands among the replies for one that does not decode."""


class Reply(NamedTuple):
    """A reply as it is sent, and the value that it becomes."""

    wire: bytes
    value: Any


def bulk(value: bytes, kind: bytes = b"$") -> bytes:
    return kind + b"%d\r\n%s\r\n" % (len(value), value)


def array(*items: bytes, kind: bytes = b"*") -> bytes:
    return kind + b"%d\r\n" % (len(items) // (2 if kind in b"%|" else 1)) + b"".join(items)


def replies(reader: Any, pieces: Iterable[bytes], found: list[Any] | None = None) -> list[Any]:
    """Feed the pieces and return every reply, added to ``found`` as early as it comes."""
    found = [] if found is None else found
    for piece in pieces:
        reader.feed(piece)
        while (reply := next_reply(reader)) is not NOT_ENOUGH:
            found.append(reply)
    return found


def next_reply(reader: Any) -> Any:
    try:
        return reader.gets()
    except UnicodeDecodeError:
        return UNDECODABLE


def outcome(reader: Any, pieces: Iterable[bytes]) -> tuple[list[Any], bool]:
    """Feed the pieces; return the replies, and whether the reader said at last that the bytes are no RESP."""
    found: list[Any] = []
    try:
        return replies(reader, pieces, found), False
    except InvalidResponse:
        return found, True


def cut(wire: bytes, sizes: list[int]) -> Iterable[bytes]:
    """Cut ``wire`` into pieces of these sizes, over and over."""
    start = 0
    while start < len(wire):
        for size in sizes:
            yield wire[start : start + size]
            start += size


def same(one: Any, other: Any) -> bool:
    """Equal in value and type; nan equals nan, and what belongs to one reader equals its like of the other."""
    if isinstance(one, float):
        return isinstance(other, float) and struct.pack("d", one) == struct.pack("d", other)
    if isinstance(one, Exception):
        return isinstance(other, Exception) and one.args == other.args
    if isinstance(one, list | tuple):
        return type(one).__name__ == type(other).__name__ and len(one) == len(other) and same_items(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and same(list(one), list(other)) and same([*one.values()], [*other.values()])
    return type(one) is type(other) and bool(one == other)


def same_items(some: Any, others: Any) -> bool:
    for one, other in zip(some, others):  # noqa: SIM110 - all() would recurse in C, and not as deeply as replies may
        if not same(one, other):
            return False
    return True


def peak(function: Callable[[], Any]) -> int:
    """Return how many bytes ``function`` held at once."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# The reader


class Broken(Exception):
    """These bytes are no RESP."""


class Incomplete(Exception):
    """There may be more to come."""


class Reading:
    """What ``wire`` says: the ``replies`` that it holds, and whether it is ``broken`` behind them.

    ``beyond_hiredis``: it contains what hiredis reads otherwise.
    """

    def __init__(self, wire: bytes, encoding: str | None = None, errors: str = "strict") -> None:
        self.wire, self.encoding, self.errors = wire, encoding, errors
        self.position = 0
        self.dropping = self.undecodable = self.beyond_hiredis = self.broken = False
        self.replies: list[Any] = []
        try:
            while self.position < len(wire):
                self.undecodable = False
                reply = self.item(0)
                self.replies.append(UNDECODABLE if self.undecodable else reply)
        except Incomplete:
            pass
        except Broken:
            self.broken = True

    def item(self, depth: int) -> Any:
        """Read an item and return its value; attributes in front of it are dropped."""
        head, line = self.line()
        if head == b"|":
            self.attribute(line, depth)
            return self.item(depth)
        if line == b"-1" and head in b"$*":
            return None
        if head in b"$=!":
            return self.blob(head, length(line))
        if head in b"*~%>":
            return self.aggregate(head, line, depth)
        return self.scalar(head, line)

    def line(self) -> tuple[bytes, bytes]:
        """Take a line; return its first byte and the rest."""
        end = self.wire.find(CRLF, self.position)
        head = self.wire[self.position : self.position + 1]
        if head not in b"+-:,#_($=!*~%>|":
            raise Broken
        if end < 0:
            too_long = len(self.wire) - self.position > MAX_LINE and head not in b"+-"
            raise Broken if too_long else Incomplete
        line = self.wire[self.position + 1 : end]
        self.position = end + 2
        return head, line

    def attribute(self, line: bytes, depth: int) -> None:
        self.beyond_hiredis = True
        before, self.dropping = self.dropping, True
        self.aggregate(b"|", line, depth)
        self.dropping = before

    def aggregate(self, head: bytes, line: bytes, depth: int) -> Any:
        if depth >= MAX_NESTING or (head == b">" and depth > 0):
            raise Broken
        items = []
        for _ in range(length(line) * (2 if head in b"%|" else 1)):
            items.append(self.item(depth + 1))  # noqa: PERF401 - a comprehension is a frame more at each level
        if head == b"%":
            return self.mapping(items[::2], items[1::2])
        return PushNotification(items) if head == b">" else items

    def mapping(self, keys: list[Any], values: list[Any]) -> Any:
        try:
            found = dict(zip(keys, values))
        except TypeError:
            self.beyond_hiredis = True
            return list(zip(keys, values))
        self.beyond_hiredis |= len(found) < len(keys)
        return found

    def blob(self, head: bytes, size: int) -> Any:
        end = self.position + size
        if end + 2 > len(self.wire):
            raise Incomplete
        value, last = self.wire[self.position : end], self.wire[end : end + 2]
        self.position = end + 2
        if last != CRLF or (head == b"=" and value[3:4] != b":"):
            raise Broken
        if head == b"!":
            return Error(value.decode("utf-8", "replace"))
        return self.text(value if head == b"$" else value[4:])

    def text(self, value: bytes) -> Any:
        if self.encoding is None:
            return value
        try:
            return value.decode(self.encoding, self.errors)
        except UnicodeDecodeError:
            self.undecodable |= not self.dropping
            return value

    def scalar(self, head: bytes, line: bytes) -> Any:
        if head in b"+-":
            if re.search(rb"[\r\n]", line):
                raise Broken
            return self.text(line) if head == b"+" else Error(line.decode("utf-8", "replace"))
        if head in b":(":
            self.beyond_hiredis |= head == b"("
            return number(int, rb"[+-]?[0-9]+", line)
        if head == b",":
            return number(float, rb"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|(?i:[+-]?(inf|nan))", line)
        try:
            return {b"#t": True, b"#f": False, b"_": None}[head + line]
        except KeyError:
            raise Broken from None


def length(line: bytes) -> int:
    return number(int, rb"0|[1-9][0-9]{0,17}", line)


def number(kind: type, grammar: bytes, line: bytes) -> Any:
    if len(line) > MAX_LINE or not re.fullmatch(grammar, line):
        raise Broken
    try:
        return kind(line)
    except ValueError:  # more digits than Python converts
        raise Broken from None


# Replies of every type

VALUES = [
    (b"+OK\r\n", b"OK"),
    (b"+\r\n", b""),
    (b"-ERR no\r\n", Error("ERR no")),
    (b"-\xff\r\n", Error("\ufffd")),
    (b":0\r\n", 0),
    (b":-12\r\n", -12),
    (b":+12\r\n", 12),
    (b":9223372036854775807\r\n", 2**63 - 1),
    (b"$5\r\nhello\r\n", b"hello"),
    (b"$4\r\n\r\n\r\n\r\n", b"\r\n\r\n"),
    (b"$0\r\n\r\n", b""),
    (b"$1024\r\n" + b"x" * 1024 + b"\r\n", b"x" * 1024),
    (b"$-1\r\n", None),
    (b"*-1\r\n", None),
    (b"_\r\n", None),
    (b"#t\r\n", True),
    (b"#f\r\n", False),
    (b",1.5\r\n", 1.5),
    (b",-1E+5\r\n", -1e5),
    (b",10\r\n", 10.0),
    (b",.5\r\n", 0.5),
    (b",inf\r\n", inf),
    (b",-inf\r\n", -inf),
    (b",nan\r\n", nan),
    (b"(-3492890328409238509324850943850943825024385\r\n", -3492890328409238509324850943850943825024385),
    (b"!8\r\nERR a\r\nb\r\n", Error("ERR a\r\nb")),
    (b"=8\r\ntxt:some\r\n", b"some"),
    (b"=4\r\nmkd:\r\n", b""),
    (b"*0\r\n", []),
    (b"*3\r\n$1\r\na\r\n:1\r\n-ERR\r\n", [b"a", 1, Error("ERR")]),
    (b"~2\r\n*1\r\n:1\r\n+a\r\n", [[1], b"a"]),
    (b"%2\r\n+a\r\n:1\r\n:2\r\n*0\r\n", {b"a": 1, 2: []}),
    (b"%0\r\n", {}),
    (b"%2\r\n*1\r\n:1\r\n+a\r\n%0\r\n+b\r\n", [([1], b"a"), ({}, b"b")]),
    (b">2\r\n+message\r\n*1\r\n+x\r\n", PushNotification([b"message", [b"x"]])),
    (b"|1\r\n+ttl\r\n:1\r\n+OK\r\n", b"OK"),
    (b"|0\r\n+OK\r\n", b"OK"),
    (b"|1\r\n+a\r\n|1\r\n+b\r\n:1\r\n*1\r\n:2\r\n|0\r\n:3\r\n", 3),
    (b"*2\r\n|1\r\n+ttl\r\n:1\r\n+a\r\n%1\r\n|0\r\n+k\r\n|0\r\n+v\r\n", [b"a", {b"k": b"v"}]),
    (b"*3\r\n*2\r\n*1\r\n*0\r\n:1\r\n*-1\r\n*1\r\n$-1\r\n", [[[[]], 1], None, [None]]),
    (array(*map(bulk, [b"a", b"bb", b"", b"a\r\nb", b"ccc", b"\r\n", b"d", b"e"])),
     [b"a", b"bb", b"", b"a\r\nb", b"ccc", b"\r\n", b"d", b"e"]),
    (array(*[bulk(b"v")] * 7, b"$-1\r\n", *[bulk(b"w" * 30)] * 9), [b"v"] * 7 + [None] + [b"w" * 30] * 9),
    (array(*[bulk(b"x")] * 6, *[b":%d\r\n" % n for n in range(-9, 9)], b"_\r\n"), [b"x"] * 6 + [*range(-9, 9), None]),
    (array(*[bulk(b"k%d" % n) for n in range(20)], kind=b"%"), {b"k%d" % n: b"k%d" % (n + 1) for n in range(0, 20, 2)}),
    (array(*[b":1\r\n"] * 6) , [1] * 6),
    (array(*[bulk(b"y" * 1500)] * 6), [b"y" * 1500] * 6),
]  # fmt: skip

# What is no RESP

MALFORMED = [
    b"$-2\r\n", b"$+3\r\nabc\r\n", b"$ 3\r\nabc\r\n", b"$1_0\r\n", b"$\r\n", b"$03\r\nabc\r\n", b"$3 \r\n", b"$3a\r\n",
    b"$9999999999999999999\r\n", b"$?\r\n", b"*-5\r\n", b"*\r\n", b"*+1\r\n", b"*01\r\n", b"*1_0\r\n", b"*?\r\n",
    b"%-1\r\n", b"~-1\r\n", b">-1\r\n", b"|-1\r\n", b"=-1\r\n", b"!-1\r\n", b"%x\r\n",
    b"$3\r\nabcd\r\n", b"$3\r\nab\r\n\r\n", b"$3\r\nabc\n\r\n", b"$3\r\nabc\r\r\n",
    b"=3\r\nabc\r\n", b"=5\r\nabcde\r\n", b"=0\r\n\r\n",
    b":\r\n", b": 1\r\n", b":1 \r\n", b":1_0\r\n", b":-\r\n", b":--1\r\n", b":1.0\r\n", b":0x1\r\n", b":\xb2\r\n",
    b":1\r\r\n", b":\n1\r\n", b"(\r\n", b"(1_0\r\n", b"(1.5\r\n", b"(" + b"9" * 5000 + b"\r\n",
    b"(" + b"9" * MAX_LINE + b"9\r\n",
    b",\r\n", b", 1\r\n", b",1_0\r\n", b",infinity\r\n", b",0x10\r\n", b",1e\r\n", b",.\r\n",
    b"," + b"1" * MAX_LINE + b"1\r\n",
    b"#\r\n", b"#x\r\n", b"#true\r\n", b"#T\r\n", b"_x\r\n", b"+a\nb\r\n", b"+a\r\r\n", b"-a\nb\r\n",
    b"x\r\n", b"\r\n", b"\x15\x03\x01", b"H", b";4\r\n", b".\r\n", b"*2\r\n:1\r\n.\r\n", b"*1\r\n>1\r\n+a\r\n",
    b"|1\r\n>1\r\n+a\r\n+b\r\n", b":" + b"1" * MAX_LINE, b"*7\r\n:1\r\n:1\r\n:1\r\n:1_0\r\n",
    b"*7\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\ncd\r\n", b"*7\r\n$01\r\na\r\n", b"*" + b"0" * MAX_LINE + b"1",
]  # fmt: skip
