"""redis/protocol/encoder.py: what is sent for a value, and how bytes become text."""

import array
import enum
from decimal import Decimal

import pytest

from redis.protocol.encoder import Encoder


class Small(enum.IntEnum):
    ONE = 1


class Shout(str):
    def __str__(self):
        return "never this"


class Half(float):
    def __repr__(self):
        return "never this"


class Named:
    def __str__(self):
        return "nämed"


GRID = memoryview(bytes(range(6))).cast("B", (2, 3))

VALUES = [
    (b"\x00\xff", b"\x00\xff"),
    (bytearray(b"ab"), b"ab"),
    (memoryview(b"abc"), b"abc"),
    (memoryview(b"abcdef")[::2], b"ace"),
    (memoryview(b""), b""),
    (memoryview(array.array("H", [1, 2])), array.array("H", [1, 2]).tobytes()),
    (GRID, bytes(range(6))),
    ("hé", "hé".encode()),
    (Shout("text"), b"text"),
    (12, b"12"),
    (-(2**70), str(-(2**70)).encode()),
    (Small.ONE, b"1"),
    (True, b"True"),
    (1.5, b"1.5"),
    (1e300, b"1e+300"),
    (float("inf"), b"inf"),
    (Half(0.1), b"0.1"),
    (Decimal("1.10"), b"1.10"),
    (None, b"None"),
    (Named(), "nämed".encode()),
]


@pytest.mark.parametrize(("value", "expected"), VALUES, ids=lambda value: type(value).__name__)
def test_what_is_sent_for_a_value(value, expected):
    found = Encoder().encode(value)
    assert found == expected
    assert type(found) is bytes


@pytest.mark.parametrize("value", [12, 1.5, Small.ONE])
def test_numbers_are_ascii_in_any_charset(value):
    assert Encoder("utf-16").encode(value) == Encoder().encode(value)


def test_an_int_whose_text_is_not_ascii():
    class Größe(int, enum.Enum):  # noqa: PLC2401 - the point of the test
        KLEIN = 1

    assert Encoder().encode(Größe.KLEIN) == str(Größe.KLEIN).encode()


def test_text_and_other_objects_follow_the_charset():
    assert Encoder("latin-1").encode("é") == b"\xe9"
    assert Encoder("utf-16-le").encode(Decimal("1.5")) == "1.5".encode("utf-16-le")
    assert Encoder("ascii", "replace").encode("é") == b"?"


def test_a_text_that_the_charset_does_not_have():
    with pytest.raises(UnicodeEncodeError, match="ascii"):
        Encoder("ascii").encode("é")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_decoded_where_that_was_asked_for(kind):
    value = kind("é".encode())
    assert Encoder(decode_responses=True).decode(value) == "é"
    assert Encoder().decode(value, force=True) == "é"
    assert Encoder().decode(value) is value


def test_what_is_no_bytes_comes_back_as_it_is():
    value = [b"a"]
    assert Encoder(decode_responses=True).decode(value) is value
    assert Encoder(decode_responses=True).decode(7) == 7


def test_bytes_that_do_not_decode_follow_the_errors():
    assert Encoder("ascii", "replace", decode_responses=True).decode(b"a\xff") == "a\ufffd"
    with pytest.raises(UnicodeDecodeError):
        Encoder("ascii", "strict", decode_responses=True).decode(b"\xff")


def test_repr_says_everything():
    assert repr(Encoder("latin-1", "replace", True)) == "Encoder('latin-1', 'replace', decode_responses=True)"
