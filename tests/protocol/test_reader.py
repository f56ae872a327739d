"""The pure-Python reader: the grammar, every position where a reply can be cut, and agreement with hiredis."""

from __future__ import annotations

import math
import struct
import time
import tracemalloc
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redis.exceptions import InvalidResponse, ResponseError
from redis.protocol import reader as module
from redis.protocol.reader import MAX_LINE, MAX_NESTING, PushNotification, Reader

try:
    import hiredis
except ImportError:
    # What compares with it is skipped; the table of differences below needs the name alone.
    hiredis = SimpleNamespace(PushNotification=PushNotification, ProtocolError=InvalidResponse)

needs_hiredis = pytest.mark.skipif(not hasattr(hiredis, "Reader"), reason="hiredis is not installed")


class Error(Exception):
    """An error reply that equals another one with the same words."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Error) and self.args == other.args

    def __hash__(self) -> int:
        return hash(self.args)


NOT_ENOUGH = object()


def new_reader(**options: Any) -> Reader:
    return Reader(replyError=Error, notEnoughData=NOT_ENOUGH, **options)


def bulk(value: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(value), value)


def array(*items: bytes, kind: bytes = b"*") -> bytes:
    return kind + b"%d\r\n" % (len(items) // (2 if kind in b"%|" else 1)) + b"".join(items)


def replies(reader: Any, pieces: Iterable[bytes], found: list[Any] | None = None) -> list[Any]:
    """Feed the pieces and return every reply, added to ``found`` as early as it comes."""
    found = [] if found is None else found
    for piece in pieces:
        reader.feed(piece)
        while (reply := reader.gets()) is not NOT_ENOUGH:
            found.append(reply)
    return found


def same(one: Any, other: Any) -> bool:
    """Equal in value and type; nan equals nan, and a push notification of hiredis one of ours."""
    if isinstance(one, float):
        return isinstance(other, float) and struct.pack("d", one) == struct.pack("d", other)
    if isinstance(one, list):
        pushes = isinstance(one, PushNotification) == (type(other) in (PushNotification, hiredis.PushNotification))
        return pushes and isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return isinstance(other, dict) and same(list(one), list(other)) and same([*one.values()], [*other.values()])
    return type(one) is type(other) and bool(one == other)


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
    (b",inf\r\n", math.inf),
    (b",-inf\r\n", -math.inf),
    (b",nan\r\n", math.nan),
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
WIRE = b"".join(wire for wire, _ in VALUES)
EXPECTED = [value for _, value in VALUES]


@pytest.mark.parametrize(("wire", "value"), VALUES, ids=lambda item: repr(item)[:40])
def test_every_type_and_every_cut(wire: bytes, value: Any) -> None:
    for cut in range(len(wire)):
        reader = new_reader()
        reader.feed(wire[:cut])
        assert reader.gets() is NOT_ENOUGH
        assert reader.has_data() is (cut > 0) or wire.startswith(b"|")
        reader.feed(wire[cut:] + b"+next\r\n")
        assert same(reader.gets(), value)
        assert reader.gets() == b"next"
        assert (reader.has_data(), reader.len()) == (False, 0)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, len(WIRE)])
@pytest.mark.parametrize("backlog", [False, True], ids=["read at once", "read at the end"])
def test_a_stream_in_pieces(size: int, backlog: bool) -> None:
    pieces = [WIRE[start : start + size] for start in range(0, len(WIRE), size)]
    reader = new_reader()
    if backlog:
        for piece in pieces:
            reader.feed(piece)
        assert reader.len() == len(WIRE)
        pieces = [b""]
    assert same(replies(reader, pieces), EXPECTED)
    assert not reader.has_data()


def test_what_is_fed_late_comes_last() -> None:
    reader = new_reader()
    reader.feed(b"+a\r\n")
    reader.feed(b"+b\r\n")
    assert reader.gets() == b"a"
    reader.feed(b"+c\r\n")
    assert [reader.gets(), reader.gets(), reader.gets()] == [b"b", b"c", NOT_ENOUGH]


def test_pipelined_runs_do_not_mix() -> None:
    wire = array(*[b":1\r\n"] * 6) + b":2\r\n" * 30 + array(*[bulk(b"a")] * 6) + bulk(b"b") * 30
    assert replies(new_reader(), [wire]) == [[1] * 6, *[2] * 30, [b"a"] * 6, *[b"b"] * 30]


def test_a_run_whose_first_value_is_shorter_than_the_rest() -> None:
    values = [b"", *[b"x" * 900] * 50, *[b"y" * length for length in range(1020, 1030)], *[b"z"] * 9000]
    assert replies(new_reader(), [array(*map(bulk, values))]) == [values]


def test_what_is_fed_may_change_later() -> None:
    data = bytearray(b"..+one\r\n+two\r\n")
    reader = new_reader()
    reader.feed(memoryview(data)[2:])
    reader.feed(data)
    data[:] = b"?" * len(data)
    assert [reader.gets(), reader.gets()] == [b"one", b"two"]
    with pytest.raises(TypeError):
        reader.feed("+OK\r\n")  # type: ignore[arg-type]


def test_the_defaults() -> None:
    reader = Reader()
    assert reader.gets() is False
    reader.feed(b"-ERR no\r\n?")
    error = reader.gets()
    assert type(error) is ResponseError and str(error) == "ERR no"
    with pytest.raises(InvalidResponse, match="no type of reply begins with"):
        reader.gets()


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(LookupError, match="utf-9"):
        Reader(encoding="utf-9")
    with pytest.raises(LookupError, match="lenient"):
        Reader(errors="lenient")


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


@pytest.mark.parametrize("wire", MALFORMED, ids=lambda wire: repr(wire)[:40])
@pytest.mark.parametrize("size", [1, 5000, 1 << 20])
def test_malformed(wire: bytes, size: int) -> None:
    size = max(size, len(wire) // 100)
    reader = Reader(notEnoughData=NOT_ENOUGH)
    with pytest.raises(InvalidResponse, match="The server broke the protocol: ") as first:
        replies(reader, (wire[start : start + size] for start in range(0, len(wire), size)))
    reader.feed(b"+OK\r\n")
    with pytest.raises(InvalidResponse) as second:
        reader.gets()
    assert str(first.value) == str(second.value)


def test_statuses_and_errors_may_be_long() -> None:
    text = b"x" * (MAX_LINE * 3)
    pieces = [b"+" + text, b"\r\n-", text, b"\r\n"]
    assert replies(new_reader(), pieces) == [text, Error(text.decode())]


@needs_hiredis
def test_nesting() -> None:
    deepest = b"*1\r\n" * MAX_NESTING + b":1\r\n"
    ours, theirs = new_reader(), hiredis.Reader(notEnoughData=NOT_ENOUGH)
    for reader in (ours, theirs):
        [reply] = replies(reader, [deepest])
        for _ in range(MAX_NESTING):
            [reply] = reply
        assert reply == 1
    for reader, error in ((ours, InvalidResponse), (theirs, hiredis.ProtocolError)):
        with pytest.raises(error, match="nest"):
            replies(reader, [b"*1\r\n" + deepest])


# Text


def test_text() -> None:
    wire = b"".join([b"+\xc3\xa4\r\n", bulk(b"\xc3\xb6"), b"=6\r\ntxt:\xc3\xbc\r\n", array(bulk(b"a"), b":1\r\n"),
                     array(b"+k\r\n", bulk(b"v"), kind=b"%"), array(b"+p\r\n", kind=b">")])  # fmt: skip
    text = ["ä", "ö", "ü", ["a", 1], {"k": "v"}, PushNotification(["p"])]
    assert same(replies(new_reader(encoding="utf-8"), [wire]), text)
    assert replies(new_reader(encoding="latin-1"), [wire])[0] == "Ã¤"
    reader = new_reader(encoding="utf-8")
    reader.feed(wire * 2)
    raw = [reader.gets(shouldDecode=False) for _ in text]
    assert raw == ["ä".encode(), "ö".encode(), "ü".encode(), [b"a", 1], {b"k": b"v"}, [b"p"]]
    assert [reader.gets(False), reader.gets(True)] == ["ä".encode(), "ö"]


@pytest.mark.parametrize(
    "wire",
    [
        b"+\xff\r\n",
        b"$1\r\n\xff\r\n",
        b"*3\r\n:1\r\n$1\r\n\xff\r\n:2\r\n",
        b"*2\r\n*2\r\n$1\r\n\xff\r\n+\xfe\r\n*1\r\n+a\r\n",
        b"%1\r\n+a\r\n*1\r\n+\xff\r\n",
        array(*[bulk(b"\xff")] * 9),
    ],
)
def test_what_does_not_decode(wire: bytes) -> None:
    for cut in range(len(wire)):
        reader = new_reader(encoding="utf-8")
        reader.feed(wire[:cut])
        assert reader.gets() is NOT_ENOUGH
        reader.feed(wire[cut:] + b"*1\r\n+next\r\n")
        with pytest.raises(UnicodeDecodeError, match="0xff"):
            reader.gets()
        assert reader.gets() == ["next"]
    for errors in ("replace", "ignore", "surrogateescape") if hasattr(hiredis, "Reader") else ():
        ours, theirs = new_reader(encoding="utf-8", errors=errors), hiredis.Reader(encoding="utf-8", errors=errors)
        ours.feed(wire)
        theirs.feed(wire)
        assert ours.gets() == theirs.gets()


# Memory and time


def peak(function: Any) -> int:
    """Return how many bytes ``function`` held at once."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "head", [b"*9999999999\r\n", b"$9999999999\r\n", b"%999999999999999999\r\n", b"=99999999999\r\n"]
)
def test_an_announced_length_reserves_nothing(head: bytes) -> None:
    reader = new_reader()
    assert peak(lambda: replies(reader, [head, b":1\r\n:2\r\n", b":3\r\n" * 9])) < 20_000
    assert reader.gets() is NOT_ENOUGH


def test_a_long_bulk_is_copied_once() -> None:
    size = 8 << 20
    piece = b"x" * 4096
    reader = new_reader()
    reader.feed(b"+OK\r\n$%d\r\n" % size)
    assert reader.gets() == b"OK"

    def read() -> None:
        for _ in range(size // 4096):
            reader.feed(piece)
            assert reader.gets() is NOT_ENOUGH
        reader.feed(b"\r")
        reader.feed(b"")
        assert reader.len() == size + 1
        assert reader.gets() is NOT_ENOUGH
        reader.feed(b"\n+OK\r\n")
        reader.feed(b"+behind\r\n")
        assert len(reader.gets()) == size

    assert peak(read) < size * 1.2  # the pieces are one object here, so this is the joined bulk alone
    assert [reader.gets(), reader.gets(), reader.gets()] == [b"OK", b"behind", NOT_ENOUGH]


def assert_linear(function: Callable[[int], Any], count: int) -> None:
    """Ten times the work may take ten times the time, with room for a busy machine; quadratic is a hundred times."""

    def seconds(count: int) -> float:
        start = time.process_time()
        function(count)
        return time.process_time() - start

    assert seconds(count * 10) < 40 * min(seconds(count) for _ in range(3))


def test_a_long_bulk_of_single_bytes_takes_linear_time() -> None:
    def read(size: int) -> None:
        assert replies(new_reader(), [b"$%d\r\n" % size, *[b"x"] * size, b"\r\n"]) == [b"x" * size]

    assert_linear(read, 20_000)


def test_a_backlog_stays_bounded() -> None:
    """Each read ends in the middle of a reply, so that the buffer is never used up; it must not grow for that."""
    frame = array(*[bulk(b"v" * 500)] * 5)
    read_size = 1 << 20
    stream = frame * (read_size // len(frame) + 2)
    reader = new_reader()

    def read() -> None:
        count = 0
        for start in range(0, 50 * read_size, read_size):
            start %= len(frame)
            reader.feed(stream[start : start + read_size])
            while reader.gets() is not NOT_ENOUGH:
                count += 1
        assert count == 50 * read_size // len(frame)

    assert peak(read) < 2.5 * read_size


def test_many_small_replies_take_linear_time() -> None:
    def read(count: int) -> None:
        reader = new_reader()
        reader.feed(b"+OK\r\n" * count)
        for _ in range(count):
            reader.feed(b"+OK\r\n")
            assert reader.gets() == b"OK"
        assert len(replies(reader, [b""])) == count

    assert_linear(read, 5_000)


@pytest.mark.parametrize(
    ("wire", "calls"),
    [
        (array(*[bulk(b"v" * 10)] * 1000), 1),
        (array(*[b":1234567890\r\n"] * 1000), 1),
        (array(*[bulk(b"v"), b":1\r\n"] * 1000), 1),
        (array(*[*[bulk(b"v")] * 7, *[b":1\r\n"] * 7] * 200), 1),
        (array(*[*[bulk(b"v")] * 500, *[b":1\r\n"] * 500]), 2),
    ],
)
def test_how_often_a_run_is_looked_for(wire: bytes, calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The speed of long arrays rests on this: one look takes a whole run, and where runs are short there is but one."""
    looks = []

    def count(take: Callable[..., int]) -> Callable[..., int]:
        return lambda *args: looks.append(take) or take(*args)  # type: ignore[func-returns-value]

    monkeypatch.setattr(module, "_take_bulks", count(module._take_bulks))
    monkeypatch.setattr(module, "_take_integers", count(module._take_integers))
    [reply] = replies(new_reader(), [wire])
    assert len(reply) == wire.count(b"v\r\n") + wire.count(b":")
    assert len(looks) == calls


# Against hiredis

blobs = st.one_of(st.binary(max_size=40), st.sampled_from([b"\r\n", b"$1\r\n", b"x" * 1023, b"x" * 1100]))
text = st.binary(max_size=20).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))
doubles = st.floats(width=64).map(lambda number: b",%s\r\n" % repr(number).encode())
scalars = st.one_of(
    blobs.map(bulk),
    text.map(lambda raw: b"+%s\r\n" % raw),
    text.map(lambda raw: b"-%s\r\n" % raw),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: b":%d\r\n" % number),
    doubles,
    blobs.map(lambda raw: b"=%d\r\nmkd:%s\r\n" % (len(raw) + 4, raw)),
    st.sampled_from([b"#t\r\n", b"#f\r\n", b"_\r\n", b"$-1\r\n", b"*-1\r\n", b":7\r\n"]),
)


keys = st.sampled_from([b"$4\r\nk%03d\r\n", b"+s%d\r\n", b":%d\r\n", b",%d.5\r\n", b"-E%d\r\n"])


def make_map(pairs: list[tuple[bytes, bytes]]) -> bytes:
    """Write a map; the keys are numbered, for hiredis mixes up the values where a key comes twice."""
    return b"%%%d\r\n" % len(pairs) + b"".join(key % number + value for number, (key, value) in enumerate(pairs))


def lists(items: st.SearchStrategy[bytes], largest: int = 9) -> st.SearchStrategy[list[bytes]]:
    return st.lists(items, max_size=largest)


def aggregates(items: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.one_of(
        lists(items).map(lambda parts: array(*parts)),
        lists(items).map(lambda parts: array(*parts, kind=b"~")),
        st.lists(st.tuples(keys, items), max_size=7).map(make_map),
        lists(blobs.map(bulk), 30).map(lambda parts: array(*parts)),
        lists(st.integers(-999, 999).map(lambda number: b":%d\r\n" % number), 30).map(lambda parts: array(*parts)),
    )


values = st.recursive(scalars, aggregates, max_leaves=30)
pushes = lists(values, 4).map(lambda parts: array(b"+kind\r\n", *parts, kind=b">"))
streams = st.lists(st.one_of(values, pushes), min_size=1, max_size=6).map(b"".join)


@needs_hiredis
@settings(max_examples=150, deadline=None)
@given(streams, st.lists(st.integers(1, 60), min_size=1, max_size=8), st.sampled_from([None, "latin-1", "utf-8"]))
def test_both_readers_agree(wire: bytes, sizes: list[int], encoding: str | None) -> None:
    pieces, rest = [], wire
    while rest:
        for size in sizes:
            pieces.append(rest[:size])
            rest = rest[size:]
    options: dict[str, Any] = {"encoding": encoding, "errors": "replace" if encoding else None}
    theirs = hiredis.Reader(replyError=Error, notEnoughData=NOT_ENOUGH, **options)
    expected = replies(theirs, pieces)
    assert same(replies(new_reader(**options), pieces), expected)
    assert same(replies(new_reader(**options), [wire]), expected)


@settings(max_examples=150, deadline=None)
@given(streams, st.data())
def test_damaged_bytes_give_replies_or_invalid_response(wire: bytes, data: st.DataObject) -> None:
    """Whatever comes, there is no other exception, and the cuts make no difference."""
    at = data.draw(st.integers(0, len(wire) - 1))
    damaged = wire[:at] + data.draw(st.binary(max_size=3)) + wire[at + data.draw(st.integers(0, 3)) :]
    outcomes = []
    for size in (1, 9, len(damaged) + 1):
        found: list[Any] = []
        reader = new_reader()
        with suppress(InvalidResponse):
            for start in range(0, len(damaged), size):
                replies(reader, [damaged[start : start + size]], found)
        outcomes.append(found)
    assert same(outcomes[0], outcomes[2])
    assert same(outcomes[1], outcomes[2])


LIMITS = {
    "attributes are a reply of their own": (b"|1\r\n+a\r\n+b\r\n:1\r\n", [b"a", b"b"], 1),
    "big numbers are bytes": (b"(12\r\n", b"12", 12),
    "blob errors are unknown": (b"!3\r\nERR\r\n", hiredis.ProtocolError, Error("ERR")),
    "a plus before an integer is refused": (b":+1\r\n", hiredis.ProtocolError, 1),
    "a plus before a double is refused": (b",+1\r\n", hiredis.ProtocolError, 1.0),
    "an integer begins with no zero": (b":01\r\n", hiredis.ProtocolError, 1),
    "a double that is too large is refused": (b",1e999\r\n", hiredis.ProtocolError, math.inf),
    "an integer has 64 bits": (b":9223372036854775808\r\n", hiredis.ProtocolError, 2**63),
    "a list is no key": (b"%1\r\n*0\r\n:1\r\n", TypeError, [([], 1)]),
    "a key that comes twice mixes up the values": (
        b"%3\r\n+a\r\n*0\r\n+b\r\n*0\r\n+a\r\n*1\r\n:2\r\n",
        {b"a": None, b"b": [2]},
        {b"a": [2], b"b": []},
    ),
    "a map may be null": (b"%-1\r\n", None, InvalidResponse),
    "a push may be an item": (b"*1\r\n>1\r\n:1\r\n", [[1]], InvalidResponse),
    "the end of a bulk is not looked at": (b"$3\r\nabcde", b"abc", InvalidResponse),
    "lengths end at 32 bits": (b"*4294967296\r\n", hiredis.ProtocolError, NOT_ENOUGH),
}


@needs_hiredis
@pytest.mark.parametrize(("wire", "theirs", "ours"), LIMITS.values(), ids=LIMITS)
def test_where_hiredis_differs(wire: bytes, theirs: Any, ours: Any) -> None:
    for reader, expected in ((hiredis.Reader(notEnoughData=NOT_ENOUGH), theirs), (new_reader(), ours)):
        reader.feed(wire)
        if isinstance(expected, type):
            with pytest.raises(expected):
                reader.gets()
        else:
            assert reader.gets() == expected
