"""The commands on bitmaps: what comes back from a real server, and what every option sends."""

import pytest

from redis.commands.bitmaps import BitFieldOperation
from redis.exceptions import DataError, RedisError
from tests.recorder import Recorder, sent


def test_single_bits(r):
    assert r.setbit("b", 7, True) == 0
    assert r.setbit("b", 7, 0) == 1
    assert r.setbit("b", 7, "yes") == 0
    assert r.getbit("b", 7) == 1
    assert r.getbit("b", 6) == 0
    assert r.getbit("missing", 6) == 0


def test_counting(r):
    r.set("b", b"\xff\x0f\x00")
    assert r.bitcount("b") == 12
    assert r.bitcount("b", 1, -1) == 4
    assert r.bitcount("b", 1, -1, "BYTE") == 4
    assert r.bitcount("b", 4, 12, mode="bit") == 5
    assert r.bitcount("missing") == 0


def test_looking_for_a_bit(r):
    r.set("b", b"\xff\xf0\x00")
    assert r.bitpos("b", 0) == 12
    assert r.bitpos("b", True, 2) == -1
    assert r.bitpos("b", 1, 1) == 8
    assert r.bitpos("b", 0, 0, 0) == -1
    assert r.bitpos("b", 0, 9, 15, mode="BIT") == 12
    assert r.bitpos("missing", 0) == 0
    assert r.bitpos("missing", 1) == -1


def test_combining(r, make_client):
    r.set("x", b"\x0f\xff")
    r.set("y", b"\x3c")
    raw = make_client()
    for operation, expected in {"AND": b"\x0c\x00", "or": b"\x3f\xff", "XOR": b"\x33\xff"}.items():
        assert r.bitop(operation, "to", "x", "y") == 2
        assert raw.get("to") == expected
    assert r.bitop("NOT", "to", "x") == 2
    assert raw.get("to") == b"\xf0\x00"
    assert r.bitop("AND", "to", "missing") == 0


@pytest.mark.parametrize("operation", ["AND", "OR", "XOR", "NOT", "DIFF", "DIFF1", "ANDOR", "ONE"])
def test_the_words_of_bitop(operation):
    words = ("BITOP", operation.encode(), "to", "x", "y")
    assert sent(lambda client: client.bitop(operation.lower(), "to", "x", "y")) == words


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda client: client.bitcount("b"), ("BITCOUNT", "b")),
        (lambda client: client.bitcount("b", 0, 0, "BIT"), ("BITCOUNT", "b", 0, 0, b"BIT")),
        (lambda client: client.bitpos("b", False), ("BITPOS", "b", 0)),
        (lambda client: client.bitpos("b", 1, 0), ("BITPOS", "b", 1, 0)),
        (lambda client: client.bitpos("b", 1, 0, -1, "byte"), ("BITPOS", "b", 1, 0, -1, b"BYTE")),
        (lambda client: client.bitfield_ro("b", "u8", 0), ("BITFIELD_RO", "b", b"GET", "u8", 0)),
    ],
)
def test_the_words(call, words):
    assert sent(call) == words


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda client: client.bitcount("b", 1), "start and end must be given together"),
        (lambda client: client.bitcount("b", end=1), "end needs start"),
        (lambda client: client.bitcount("b", mode="BIT"), "mode needs start and end"),
        (lambda client: client.bitpos("b", 1, end=1), "end needs start"),
        (lambda client: client.bitpos("b", 1, 1, mode="BIT"), "mode needs start and end"),
        (lambda client: client.bitpos("b", 1, 1, 2, "WORD"), "mode is BYTE or BIT, not 'WORD'"),
        (lambda client: client.bitpos("b", 2), "bit is 0 or 1, not 2"),
        (lambda client: client.bitop("NAND", "to", "x"), "operation is AND or OR or .*, not 'NAND'"),
        (lambda client: client.bitfield("b", "up"), "overflow is WRAP or SAT or FAIL, not 'up'"),
        (lambda client: client.bitfield("b").overflow("up"), "overflow is WRAP or SAT or FAIL, not 'up'"),
        (lambda client: client.bitfield("b").incrby("u8", 0, 1, "up"), "overflow is WRAP or SAT or FAIL, not 'up'"),
    ],
)
def test_what_cannot_be_meant(call, message):
    with pytest.raises(DataError, match=message):
        sent(call)
    assert issubclass(DataError, RedisError)


def test_bitfield(r):
    assert r.bitfield("b").set("u8", 0, 255).get("u4", 0).incrby("u8", 0, 2).execute() == [0, 15, 1]
    assert r.bitfield("b").set("i5", "#1", -3).get("i5", 5).execute() == [4, -3]
    assert r.bitfield("b").execute() == []


def test_numbers_that_do_not_fit(r):
    steps = r.bitfield("b", "SAT").incrby("u2", 0, 9).overflow("FAIL").incrby("u2", 0, 1).incrby("u2", 0, 2, "WRAP")
    assert steps.execute() == [3, None, 1]
    assert steps.incrby("u2", 0, 9).execute() == [3]


def test_bitfield_ro(r):
    r.set("b", b"\x12\x34")
    assert r.bitfield_ro("b", "u8", 0) == [0x12]
    assert r.bitfield_ro("b", "u8", "#1", [("u4", 0), ("u4", "#1")]) == [0x34, 1, 2]


def test_the_steps_of_bitfield():
    steps = BitFieldOperation(Recorder([7]), "b", "fail")
    assert steps.command == ["BITFIELD", "b", b"OVERFLOW", b"FAIL"]
    assert repr(steps) == "BitFieldOperation<'b'>"
    steps.get("u8", 0).overflow("FAIL").overflow("wrap").set("u8", "#1", 5).incrby("i4", 3, -1, "sat")
    expected = "OVERFLOW FAIL GET u8 0 OVERFLOW WRAP SET u8 #1 5 OVERFLOW SAT INCRBY i4 3 -1".split()
    assert [word.decode() if isinstance(word, bytes) else str(word) for word in steps.command[2:]] == expected
    words = tuple(steps.command)
    assert steps.execute() == [7]
    assert steps.client.words == words
    steps.get("u8", 0).reset()
    assert steps.command == ["BITFIELD", "b", b"OVERFLOW", b"FAIL"]
