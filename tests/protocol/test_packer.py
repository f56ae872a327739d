"""redis/protocol/packer.py: the frame of a command, the same from both packers, and safe where hiredis's is not."""

import array
import ctypes
import enum
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redis.protocol import packer
from redis.protocol.encoder import Encoder
from redis.protocol.packer import LARGE, Token, batch_packer_for, join_small, pack, packer_for

UTF8 = Encoder()


class Small(enum.IntEnum):
    ONE = 1


class Name(str):
    pass


class Number(int):
    pass


def frame(*words):
    """The frame, in the plainest words."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def joined(packed):
    return packed if isinstance(packed, bytes) else b"".join(packed)


@pytest.fixture(params=["chosen", "python"])
def pack_as(request, monkeypatch):
    """A function that makes the packer for an encoder, with hiredis where it is installed and without."""
    if request.param == "python":
        monkeypatch.setattr(packer, "hiredis", None)
    return packer_for


WORDS = [
    (b"raw", b"raw"),
    ("text", b"text"),
    ("h\u00e9\u20ac\U0001f600", "h\u00e9\u20ac\U0001f600".encode()),
    ("nul\0inside", b"nul\0inside"),
    (b"%s %d \r\n$", b"%s %d \r\n$"),
    ("", b""),
    (b"", b""),
    (Name("sub"), b"sub"),
    (7, b"7"),
    (-(2**70), str(-(2**70)).encode()),
    (Number(8), b"8"),
    (Small.ONE, b"1"),
    (True, b"True"),
    (None, b"None"),
    (0.1, b"0.1"),
    (Decimal("1.50"), b"1.50"),
    (bytearray(b"array"), b"array"),
    (memoryview(b"view"), b"view"),
    (memoryview(b"a-b-c-")[::2], b"abc"),
    (memoryview(b""), b""),
    (memoryview(array.array("I", [1, 2])), array.array("I", [1, 2]).tobytes()),
    (memoryview(bytes(6)).cast("B", (2, 3)), bytes(6)),
    (memoryview(bytes(range(6))).cast("B", (2, 3))[::-1], bytes([3, 4, 5, 0, 1, 2])),
    (Token("TOKEN"), b"TOKEN"),
]


@pytest.mark.parametrize(("word", "sent"), WORDS, ids=lambda value: type(value).__name__)
def test_a_word_of_any_type(pack_as, word, sent):
    assert pack_as(UTF8)(("SET", "k", word)) == frame(b"SET", b"k", sent)


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(memoryview((ctypes.c_uint16 * 2)(1, 2)), id="foreign-format"),
        pytest.param(memoryview((ctypes.c_ubyte * 0 * 3)()), id="zero-in-shape"),
        pytest.param(memoryview(ctypes.c_ubyte(65)), id="no-dimension"),
    ],
)
def test_a_memoryview_of_any_kind_is_sent_as_its_bytes(view):
    assert packer_for(UTF8)(("SET", "k", view)) == frame(b"SET", b"k", view.tobytes())


@pytest.mark.parametrize("encoder", [UTF8, Encoder("UTF8"), Encoder("latin-1"), Encoder("utf-8", "replace")], ids=repr)
def test_text_in_the_charset(pack_as, encoder):
    assert pack_as(encoder)(("SET", "k", "é")) == frame(b"SET", b"k", encoder.encode("é"))


def test_an_odd_charset_is_for_arguments_and_not_for_names():
    encoder = Encoder("utf-16-le")
    packed = packer_for(encoder)(("SET", "k", "v", 1, Token("EX"), b"NX"))
    assert packed == frame(b"SET", b"k\0", b"v\0", b"1", b"EX", b"NX")


@pytest.mark.parametrize("name", ["GET", b"GET", Token("GET"), Token(b"GET"), bytearray(b"GET")], ids=repr)
def test_the_name_in_any_form(name):
    for encoder in (UTF8, Encoder("utf-16-le")):
        assert packer_for(encoder)((name,)) == frame(b"GET")


@pytest.mark.parametrize("text", ["\ud800", "ok\udfff"])
def test_a_text_that_cannot_be_encoded(pack_as, text):
    with pytest.raises(UnicodeEncodeError):
        pack_as(UTF8)(("SET", "k", text))


@pytest.mark.parametrize("size", [LARGE - 1, LARGE, LARGE + 1])
@pytest.mark.parametrize("make", [bytes, bytearray, lambda size: memoryview(bytes(size)), lambda size: "x" * size])
def test_words_around_the_bound(pack_as, make, size):
    word = make(size)
    packed = pack_as(UTF8)(("SET", "k", word, "EX", 5))
    assert joined(packed) == frame(b"SET", b"k", UTF8.encode(word), b"EX", b"5")
    assert isinstance(packed, list) == (size > LARGE)


def test_a_text_that_is_large_only_when_it_is_encoded(pack_as):
    text = "\u20ac" * LARGE
    assert joined(pack_as(UTF8)(("SET", "k", text))) == frame(b"SET", b"k", text.encode())


def test_a_large_word_is_not_copied():
    value, view = bytes(LARGE + 1), memoryview(bytearray(LARGE + 1))
    packed = pack(("MSET", "a", value, "b", view), UTF8)
    assert packed[1] is value
    assert packed[3].obj is view.obj
    assert len(packed) == 5


def test_large_words_side_by_side_first_and_last():
    big = b"x" * (LARGE + 1)
    assert joined(pack((big, big, b"s", big), UTF8)) == frame(big, big, b"s", big)


def test_a_large_view_counts_its_bytes_and_not_its_items():
    view = memoryview(array.array("Q", range(LARGE // 8 + 1)))
    assert joined(pack(("SET", "k", view), UTF8)) == frame(b"SET", b"k", view.tobytes())


def test_a_token_has_its_text_and_its_bytes():
    token = Token("EX")
    assert (token.value, token.encoded_value, str(token), repr(token)) == ("EX", b"EX", "EX", "EX")
    assert Token(token).encoded_value == b"EX"
    assert Token.get_token("NX").encoded_value == b"NX"
    assert Token.get_token(token).value == "EX"


def test_hiredis_packs_where_it_may(monkeypatch):
    calls = []

    class InC:
        @staticmethod
        def pack_command(args):
            calls.append(args)
            return b"in C"

    monkeypatch.setattr(packer, "hiredis", InC)
    pack_fast = packer_for(UTF8)
    assert pack_fast(("SET", "k", b"v")) == b"in C"
    assert pack_fast(("SET", "k", 1, 1.5)) == b"in C"
    for word in (True, None, Name("x"), Number(1), bytearray(b"x"), memoryview(b"x"), b"x" * (LARGE + 1), Token("x")):
        pack_fast(("SET", "k", word))
        pack_fast(("SET", 1, word))
    packer_for(Encoder("latin-1"))(("SET", "k", "v"))
    packer_for(Encoder("utf-8", "ignore"))(("SET", "k", "v"))
    assert calls == [("SET", "k", b"v"), ("SET", "k", "1", "1.5")]


# Many commands at once


COMMANDS = [
    [("SET", "a", "b"), ("GET", b"a")],
    [("SET", "a", 1), ("SET", "b", 1.5), ("SET", "c", None)],
    [("SET", "a", b"x" * (LARGE + 1)), ("GET", "a"), ("GET", "b"), ("SET", "c", bytearray(LARGE + 2))],
    [("GET", "a"), ("SET", "b", "x" * (LARGE + 1))],
    [("PING",)],
    [("PING",), ("PING",), ("PING",)],
    [("MULTI",), ("SET", "a", "\xe9"), ("SET", "b", "\u20ac"), ("EXEC",)],
    [("MULTI",), ("SET", "a", "1"), ("GET", "b"), ("EXEC",)],
    [("MULTI",), ("EXEC",)],
    [("100%d%%", "%b", b"%s"), ("100%d%%", "%%", b"%")],
    [("SET", "a", 1), ("SET", "b", -(10**20))],
    [("SET", "a", 1), ("SET", "b", True)],
    [("SET", "a", "b"), ("SET", "a", b"b")],
    [("SET", "a", "b"), ("SET", "a", Token("b"))],
    [("SET", "a", b"x" * (LARGE + 1)), ("SET", "b", b"x")],
    [("GET", "a"), ("DEL", "a")],
    [("GET", "a"), ("GET", "a", "b")],
]


@pytest.mark.parametrize("commands", COMMANDS)
def test_a_batch_is_its_commands_one_after_the_other(monkeypatch, commands):
    expected = b"".join(joined(pack(command, UTF8)) for command in commands)
    assert joined(batch_packer_for(UTF8)(commands)) == expected
    monkeypatch.setattr(packer, "hiredis", None)
    assert joined(batch_packer_for(UTF8)(commands)) == expected


ANY_WORD = st.one_of(st.binary(max_size=20), st.text(max_size=20), st.integers(), st.floats(), st.booleans())


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # its first text takes it a while
@given(st.data(), st.integers(1, 5), st.integers(0, 4))
def test_a_batch_of_commands_that_are_alike(data, count, arguments):
    columns = [data.draw(st.lists(ANY_WORD, min_size=count, max_size=count)) for _ in range(arguments)]
    commands = list(zip(["SET"] * count, *columns))
    assert joined(batch_packer_for(UTF8)(commands)) == b"".join(joined(pack(command, UTF8)) for command in commands)


def test_commands_that_are_alike_are_packed_from_one_template(monkeypatch):
    """Neither packer is asked: the speed of pipelines rests on it."""
    pack_batch = batch_packer_for(UTF8)
    monkeypatch.setattr(packer, "pack", None)
    if packer.hiredis is not None:
        monkeypatch.setattr(packer.hiredis, "pack_command", None)
    commands = [("SET", f"key:{n}", b"%d" % n) for n in range(3)]
    assert pack_batch(commands) == b"".join(frame(*map(as_bytes, command)) for command in commands)


def as_bytes(word):
    return word if isinstance(word, bytes) else word.encode()


def test_a_batch_in_an_odd_charset():
    encoder = Encoder("utf-16-le")
    assert batch_packer_for(encoder)([("GET", "a"), ("GET", "b")]) == frame(b"GET", b"a\0") + frame(b"GET", b"b\0")


def test_what_is_small_is_joined_and_what_is_large_is_not_copied():
    large = b"x" * (LARGE + 1)
    packed = batch_packer_for(UTF8)([("GET", "a"), ("GET", "b"), ("SET", "c", large), ("GET", "d")])
    assert packed[0] == frame(b"GET", b"a") + frame(b"GET", b"b")
    assert any(buffer is large for buffer in packed)
    assert join_small([b"a", b"b"]) == b"ab"
    assert join_small([b"a", [b"b", large], b"c", b"d"]) == [b"a", b"b", large, b"cd"]
