"""From the words of a command to the bytes on the wire.

This module owns the frame of a command and the choice between hiredis's packer, which is fast, our own, which is right
everywhere, and a template for many commands that are alike, which is faster still.  It must not know what the words
mean, with one exception: the first is the name of a command, which is never encoded in an odd charset.

hiredis's packer is given bytes and str alone.  It refuses bool, None, bytearray and Decimal, packs a memoryview that is
not contiguous wrong without a word, is slow for large words, knows UTF-8 only, and brings the process down when a
signal handler raises while it formats a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, groupby
from typing import Any

from redis.protocol.encoder import Buffer, Encoder
from redis.protocol.masking import hide_secret

try:
    import hiredis
except ImportError:
    hiredis = None  # type: ignore[assignment]

#: A word larger than this is not copied into the frame but sent from where it lies.
LARGE = 32768

Packed = bytes | list[Buffer]
"""A packed command: bytes, or a list of buffers where a large word is among them."""
Pack = Callable[[Sequence[Any]], Packed]
EncodeColumn = Callable[[Sequence[Any]], Sequence[bytes] | None]


NAMES = Encoder()
"""How a name of a command is encoded, whatever the charset."""


class Token:
    """A word of a command that is sent as it stands, in ASCII, whatever the charset of the connection."""

    __slots__ = ("encoded_value", "value")

    def __init__(self, value: str | bytes | Token) -> None:
        self.value: str | bytes = value.value if isinstance(value, Token) else value
        self.encoded_value = NAMES.encode(self.value)

    @classmethod
    def get_token(cls, value: str | bytes | Token) -> Token:
        """Return the token for ``value``."""
        return cls(value)

    def __repr__(self) -> str:
        return str(self.value)

    __str__ = __repr__


def packer_in_c(encoder: Encoder) -> Callable[..., bytes] | None:
    """The packer of hiredis, where there is one and it knows the charset."""
    if hiredis is None or (encoder.encoding.lower(), encoder.encoding_errors) not in UTF8:
        return None
    return hiredis.pack_command


def packer_for(encoder: Encoder) -> Pack:
    """Return the fastest function ``pack(words)`` that is right for the charset of ``encoder``."""
    pack_in_c = packer_in_c(encoder)

    def pack_safely(args: Sequence[Any]) -> Packed:
        try:
            return pack(args, encoder)
        except UnicodeEncodeError as error:
            hide_secret(error, [args])
            raise

    if pack_in_c is None:
        return pack_safely

    def pack_fast(args: Sequence[Any]) -> Packed:
        try:
            for arg in args:
                kind = arg.__class__
                if (kind is not str and kind is not bytes) or len(arg) > LARGE:
                    break
            else:
                return pack_in_c(args)
            if not TEXT_AND_NUMBERS.issuperset(map(type, args)):
                return pack(args, encoder)
            words = tuple([repr(arg) if arg.__class__ in NUMBERS else arg for arg in args])
            return pack_in_c(words) if max(map(len, words)) <= LARGE else pack(args, encoder)
        except UnicodeEncodeError as error:
            hide_secret(error, [args])
            raise

    return pack_fast


def batch_packer_for(encoder: Encoder) -> Callable[[Sequence[Sequence[Any]]], Packed]:
    """Return the fastest function that packs many commands; whatever is done for each word runs in C."""
    pack_in_c, pack_one, as_bytes = packer_in_c(encoder), packer_for(encoder), column_encoder_for(encoder)

    def pack_batch(commands: Sequence[Sequence[Any]]) -> Packed:
        try:
            return pack_any(commands)
        except UnicodeEncodeError as error:
            hide_secret(error, commands)
            raise

    def pack_any(commands: Sequence[Sequence[Any]]) -> Packed:
        if len(commands) > 2 and len(commands[0]) == len(commands[-1]) == 1:
            return pack_enclosed(commands)
        return pack_alike(commands, as_bytes) or pack_mixed(commands)

    def pack_enclosed(commands: Sequence[Sequence[Any]]) -> Packed:
        alike = pack_alike(commands[1:-1], as_bytes)  # as in a transaction, but for its ends
        if alike is None:
            return pack_mixed(commands)
        return join_small([pack_one(commands[0]), alike, pack_one(commands[-1])])

    def pack_mixed(commands: Sequence[Sequence[Any]]) -> Packed:
        words: list[Any] = []
        for command in commands:
            words += command
        if pack_in_c is not None and TEXT.issuperset(map(type, words)) and all_small(list(map(len, words))):
            return b"".join(map(pack_in_c, commands))
        return join_small(map(pack_one, commands))

    return pack_batch


def pack_alike(commands: Sequence[Sequence[Any]], as_bytes: EncodeColumn) -> bytes | None:
    """Pack commands of one name and one number of words, as a loop makes them; None where they are not.

    There is one template for all of them, which C code fills in: it costs less than to pack each, even in C.
    """
    try:
        names, *columns = zip(*commands, strict=True)
    except ValueError:
        return None
    if names.count(names[0]) < len(names):
        return None
    step = 2 * len(columns)
    filling: list[Any] = [None] * (step * len(names))
    for place, column in enumerate(map(as_bytes, columns)):
        if column is None or not all_small(lengths := list(map(len, column))):
            return None
        filling[2 * place :: step], filling[2 * place + 1 :: step] = lengths, column
    name = command_word(names[0])
    head = b"*%d\r\n$%d\r\n%b\r\n" % (len(columns) + 1, len(name), name)
    template = head.replace(b"%", b"%%") + b"$%d\r\n%b\r\n" * len(columns)
    return template * len(names) % tuple(filling)


def column_encoder_for(encoder: Encoder) -> EncodeColumn:
    """Return a function that encodes words of one type in one run; it gives None for words that it is not made for."""
    encode = str.encode if (encoder.encoding.lower(), encoder.encoding_errors) in UTF8 else encoder.encode

    def as_bytes(column: Sequence[Any]) -> Sequence[bytes] | None:
        kinds = set(map(type, column))
        if kinds == {bytes}:
            return column
        if kinds == {str}:
            return list(map(encode, column))
        return [b"%a" % number for number in column] if kinds == {int} else None

    return as_bytes


def all_small(lengths: Sequence[int]) -> bool:
    """Whether none of the words is large; the sum is had for less than the maximum, and mostly tells."""
    return sum(lengths) <= LARGE or max(lengths) <= LARGE


def join_small(packed: Iterable[Packed]) -> Packed:
    """Join what is bytes, and leave the large buffers between alone."""
    buffers: list[Buffer] = []
    for is_list, group in groupby(packed, key=lambda item: isinstance(item, list)):
        if is_list:
            buffers.extend(chain.from_iterable(group))  # type: ignore[arg-type]
        else:
            buffers.append(b"".join(group))  # type: ignore[arg-type]
    return buffers[0] if len(buffers) == 1 and isinstance(buffers[0], bytes) else buffers


TEXT = frozenset((str, bytes))
NUMBERS = frozenset((int, float))
TEXT_AND_NUMBERS = TEXT | NUMBERS
UTF8 = frozenset((name, "strict") for name in ("utf-8", "utf8", "utf_8"))


def pack(args: Sequence[Any], encoder: Encoder) -> Packed:
    """Pack one command in Python: ``*<words>``, and ``$<length>`` before each word."""
    words = [command_word(args[0]), *[as_buffer(arg, encoder) for arg in args[1:]]]
    if max(map(len, words)) > LARGE:
        return pack_large(words)
    head = b"*%d\r\n" % len(words)
    return head + b"".join([b"$%d\r\n%b\r\n" % (len(word), bytes(word)) for word in words])


def command_word(value: Any) -> bytes:
    """The name of a command, or its first word; it is ASCII in any charset."""
    if isinstance(value, Token):
        return value.encoded_value
    return NAMES.encode(value)


def as_buffer(value: Any, encoder: Encoder) -> Buffer:
    """The bytes of a word, without a copy where they lie in one piece already."""
    if value.__class__ is bytes:
        return bytes(value)  # the same object, and no copy
    if isinstance(value, memoryview) and value.c_contiguous and value.nbytes:
        return value.cast("B")
    if isinstance(value, Token):
        return value.encoded_value
    return encoder.encode(value)


def pack_large(words: list[Buffer]) -> list[Buffer]:
    """Pack as a list of buffers: large words stand alone, what is between them is joined."""
    buffers: list[Buffer] = []
    small: list[Buffer] = [b"*%d\r\n" % len(words)]
    for word in words:
        small.append(b"$%d\r\n" % len(word))
        if len(word) > LARGE:
            buffers += b"".join(small), word
            small = []
        else:
            small.append(word)
        small.append(b"\r\n")
    buffers.append(b"".join(small))
    return buffers
