"""What must hold of the pure-Python reader whatever it is fed: the target of the fuzzer, and of tests without it.

An input is four bytes that say how to read, and the stream behind them.  Nothing but AssertionError and what is a bug
leaves :func:`check`.
"""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from redis.exceptions import InvalidResponse
from redis.protocol.reader import Reader
from tests.protocol.reference import MALFORMED, NOT_ENOUGH, VALUES, Error, Reading, array, cut, outcome, same

try:
    import hiredis
except ImportError:
    hiredis = None  # there is nothing to compare with then

HEAD = 4
"""How many bytes of an input say how to read."""
CHARSETS = [(None, "strict"), ("utf-8", "strict"), ("utf-8", "replace"), ("latin-1", "strict")]
BACKLOG = 4
"""This bit of the first byte: all is fed before anything is read."""
MEASURED = 24
"""These bits: the memory is measured, which takes four times as long."""
#: How much memory is enough: an error of three bytes becomes the largest object.
EACH_BYTE, AT_LEAST = 300, 100_000
#: hiredis reserves what arrays announce.
announces_much = re.compile(rb"[*~%>|][0-9]{6}").search


def check(data: bytes) -> None:
    """Raise AssertionError where the reader does not do what the grammar says, or takes too much memory for it."""
    how, sizes, stream = data[:1], [size + 1 for size in data[1:HEAD]], data[HEAD:]
    mode = how[0] if how else 0
    encoding, errors = CHARSETS[mode % len(CHARSETS)]
    options = {"encoding": encoding, "errors": errors}
    expected = Reading(stream, encoding, errors)
    pieces = list(cut(stream, sizes or [1]))
    with measured(len(stream)) if mode & MEASURED == MEASURED else nullcontext():
        check_reader(expected, [stream], options)
        check_reader(expected, pieces, options, backlog=bool(mode & BACKLOG))
    if hiredis is not None and not expected.beyond_hiredis and not announces_much(stream):
        check_hiredis(expected, pieces, options)


def check_reader(expected: Reading, pieces: list[bytes], options: dict[str, Any], backlog: bool = False) -> None:
    """The reader finds what the plain reading finds, and keeps to its verdict."""
    reader = new_reader(Reader, options)
    for piece in pieces if backlog else ():
        reader.feed(piece)
    found, broken = outcome(reader, [b""] if backlog else pieces)
    assert broken is expected.broken, f"broken: {broken}, and should be {expected.broken}"
    assert same(found, expected.replies), f"{found!r} in the place of {expected.replies!r}"
    assert broken is outcome(reader, [b"", b""])[1]
    assert reader.len() <= sum(map(len, pieces)), f"{reader.len()} bytes wait, more than were fed"


def check_hiredis(expected: Reading, pieces: list[bytes], options: dict[str, Any]) -> None:
    """What both of them accept they read alike."""
    try:
        found, broken = outcome(new_reader(hiredis.Reader, options), pieces)
    except (TypeError, MemoryError):
        return
    both = min(len(found), len(expected.replies)) if broken or expected.broken else None
    assert same(found[:both], expected.replies[:both]), f"hiredis: {found!r}, and we {expected.replies!r}"


def new_reader(make: Any, options: dict[str, Any]) -> Any:
    return make(protocolError=InvalidResponse, replyError=Error, notEnoughData=NOT_ENOUGH, **options)


@contextmanager
def measured(size: int) -> Iterator[None]:
    """Fail where the block takes more memory than ``size`` bytes of a stream may cost."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= EACH_BYTE * size + AT_LEAST, f"{peak} bytes of memory for a stream of {size}"


def seeds() -> Iterator[bytes]:
    """Inputs to begin with: each reply and each kind of broken bytes, alone, in arrays, and among others."""
    values = [wire for wire, _ in VALUES]
    streams = [*values, *MALFORMED, b"".join(values[:20]), b"".join(values[20:40])]
    streams += [array(*values[start : start + 7]) for start in range(0, len(values), 7)]
    streams += [array(*values[:8], kind=kind) for kind in (b"%", b"~", b">", b"|")]
    for number, stream in enumerate(streams):
        yield bytes([number % 32, number % 5, 255, number % 31]) + stream
