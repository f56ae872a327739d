"""The pure-Python reader: the grammar, every position where a reply can be cut, memory and time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from redis.exceptions import InvalidResponse, ResponseError
from redis.protocol import reader as module
from redis.protocol.reader import MAX_LINE, PushNotification, Reader
from tests.protocol.reference import MALFORMED, NOT_ENOUGH, UNDECODABLE, VALUES, Error, array, bulk, peak, replies, same


def new_reader(**options: Any) -> Reader:
    return Reader(replyError=Error, notEnoughData=NOT_ENOUGH, **options)


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


def test_what_does_not_decode_in_an_attribute_is_dropped_with_it() -> None:
    attribute = array(b"+\xff\r\n", array(b"+\xff\r\n"), kind=b"|")
    expected = ["a", ["b"], UNDECODABLE, ["c"]]
    wire = [b"+a\r\n", array(b"+b\r\n"), array(array(b"+\xff\r\n"), attribute + b":1\r\n"), array(b"+c\r\n")]
    assert replies(new_reader(encoding="utf-8"), [attribute + reply for reply in wire]) == expected


def test_nothing_is_counted_twice_when_a_long_bulk_is_broken() -> None:
    for value in (b"$9\r\nabcdefghi!!", b"=9\r\nabcdefghi\r\n"):
        reader = new_reader()
        for piece in (value[:8], value[8:] + b"more"):
            reader.feed(piece)
            with suppress(InvalidResponse):
                reader.gets()
        assert reader.len() == len(b"more")


# Memory and time


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
