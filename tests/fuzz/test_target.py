"""The target of the fuzzer, without the fuzzer: replies, the same damaged, and any bytes at all."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.conftest import SOAK
from tests.fuzz.target import HEAD, MEASURED, check, seeds
from tests.protocol.reference import Reply
from tests.protocol.streams import WIDE

EXAMPLES = 5_000 if SOAK else 150
#: What streams are made of: with these, bytes at random get further than one line.
PARTS = [b"\r\n", b"\r", b"0", b"1", b"2", b"-1", b"9999999999", b"a", b"\xff"]
PARTS += [kind + size for kind in (b"*", b"~", b"%", b">", b"|") for size in (b"1\r\n", b"2\r\n")]
PARTS += [b"$1\r\na\r\n", b"=5\r\ntxt:b\r\n", b"!", b":", b"(", b",", b"#t\r\n", b"_\r\n", b"+", b"-"]
heads = st.binary(min_size=HEAD, max_size=HEAD)


@pytest.fixture(autouse=True, scope="module")
def _deep() -> Iterator[None]:
    """The plain reading recurses as deeply as replies may be nested."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


def damage(data: st.DataObject, wire: bytes) -> bytes:
    at = data.draw(st.integers(0, len(wire) - 1))
    return wire[:at] + data.draw(st.binary(max_size=3)) + wire[at + data.draw(st.integers(0, 3)) :]


@pytest.mark.parametrize("measured", [0, MEASURED], ids=["plain", "measured"])
def test_the_seeds(measured: int) -> None:
    for seed in seeds():
        check(bytes([seed[0] & ~MEASURED | measured]) + seed[1:])


@settings(max_examples=EXAMPLES, deadline=None)
@given(heads, WIDE, st.data())
def test_damaged_streams(head: bytes, written: list[Reply], data: st.DataObject) -> None:
    wire = b"".join(reply.wire for reply in written)
    check(head + wire)
    check(head + damage(data, wire))


@settings(max_examples=EXAMPLES, deadline=None)
@given(heads, st.lists(st.sampled_from(PARTS)))
def test_any_bytes(head: bytes, parts: list[bytes]) -> None:
    check(head + b"".join(parts))


@pytest.mark.parametrize("wire", [b"*2\r\n" * 1030, b"*1\r\n" * 1023 + b"*0\r\n", b"%1\r\n+k\r\n" * 1024 + b":1\r\n"])
def test_deep_nesting(wire: bytes) -> None:
    for mode in (0, MEASURED):
        check(bytes([mode, 3, 200, 17]) + wire)
