"""Streams of replies for hypothesis, each reply with the value that it becomes.

``RESP2`` and ``RESP3`` are what a server may send and every parser reads; ``WIDE`` is RESP3 with what hiredis does not
know or reads otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from redis.protocol.errors import ErrorReply
from redis.protocol.reader import PushNotification
from tests.protocol.reference import Reply, array, bulk

Replies = st.SearchStrategy[Reply]
LIMIT = 2**63


def failure(words: bytes) -> ErrorReply:
    """An error of its own, as each of a reader's is: equal to no other, where it is a key."""
    return ErrorReply(words.decode("utf-8", "replace"))


def double(text: str) -> Reply:
    """A float of its own: where two of them are keys, nan equals no other."""
    return Reply(b",%s\r\n" % text.encode(), float(text))


blobs = st.one_of(st.binary(max_size=40), st.sampled_from([b"\r\n", b"$1\r\n", b"x" * 1023, b"x" * 1100]))
text = st.binary(max_size=20).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))
bulks = blobs.map(lambda raw: Reply(bulk(raw), raw))
integers = st.integers(-LIMIT, LIMIT - 1).map(lambda number: Reply(b":%d\r\n" % number, number))
scalars2 = st.one_of(
    bulks,
    integers,
    text.map(lambda raw: Reply(b"+%s\r\n" % raw, raw)),
    text.map(lambda raw: Reply(b"-%s\r\n" % raw, failure(raw))),
    st.sampled_from([Reply(b"$-1\r\n", None), Reply(b"*-1\r\n", None), Reply(b":7\r\n", 7)]),
)
scalars3 = st.one_of(
    scalars2,
    st.floats(width=64).map(lambda number: double(repr(number))),
    blobs.map(lambda raw: Reply(bulk(b"mkd:" + raw, kind=b"="), raw)),
    st.sampled_from([Reply(b"#t\r\n", True), Reply(b"#f\r\n", False), Reply(b"_\r\n", None)]),
)
signed = st.tuples(st.sampled_from(["+", "-", ""]), st.text("0123456789", min_size=1, max_size=60)).map("".join)
wide_scalars = st.one_of(
    scalars3,
    signed.map(lambda digits: Reply(b":%s\r\n" % digits.encode(), int(digits))),
    signed.map(lambda digits: Reply(b"(%s\r\n" % digits.encode(), int(digits))),
    signed.map(lambda digits: double(digits + "e9")),
    blobs.map(lambda raw: Reply(bulk(raw, kind=b"!"), failure(raw))),
)


def aggregate(parts: list[Reply], kind: bytes = b"*", shape: Callable[[list[Any]], Any] = list) -> Reply:
    return Reply(array(*(part.wire for part in parts), kind=kind), shape([part.value for part in parts]))


def arrays(items: Replies) -> Replies:
    short = st.lists(items, max_size=7)
    return st.one_of(*(st.lists(of, max_size=size).map(aggregate) for of, size in ((bulks, 30), (integers, 30)))) | (
        short.map(aggregate)
    )


#: Keys are numbered, for hiredis mixes up the values where a key comes twice.
keys = st.sampled_from(
    [
        lambda number: Reply(bulk(b"k%03d" % number), b"k%03d" % number),
        lambda number: Reply(b"+s%d\r\n" % number, b"s%d" % number),
        lambda number: Reply(b":%d\r\n" % number, number),
        lambda number: Reply(b",%d.5\r\n" % number, number + 0.5),
    ]
)


def numbered(pairs: list[tuple[Callable[[int], Reply], Reply]]) -> list[tuple[Reply, Reply]]:
    return [(key(number), value) for number, (key, value) in enumerate(pairs)]


def mapping(pairs: list[tuple[Reply, Reply]], kind: bytes = b"%") -> Reply:
    wire = array(*(part.wire for pair in pairs for part in pair), kind=kind)
    values = [(key.value, value.value) for key, value in pairs]
    try:
        return Reply(wire, dict(values))
    except TypeError:
        return Reply(wire, values)


def aggregates3(items: Replies) -> Replies:
    short = st.lists(items, max_size=7)
    maps = st.lists(st.tuples(keys, items), max_size=7).map(numbered).map(mapping)
    return st.one_of(arrays(items), short.map(lambda parts: aggregate(parts, b"~")), maps)


def with_attribute(attribute: Reply, reply: Reply) -> Reply:
    return Reply(attribute.wire + reply.wire, reply.value)


def wide_aggregates(items: Replies) -> Replies:
    pairs = st.lists(st.tuples(items, items), max_size=4)
    attributes = pairs.map(lambda found: mapping(found, kind=b"|"))
    return st.one_of(aggregates3(items), pairs.map(mapping), st.builds(with_attribute, attributes, items))


def with_pushes(values: Replies) -> Replies:
    """A push stands between replies, never inside of one."""
    kind = Reply(b"+kind\r\n", b"kind")
    pushes = st.lists(values, max_size=4).map(lambda parts: aggregate([kind, *parts], b">", PushNotification))
    return st.one_of(values, pushes)


def streams(replies: Replies) -> st.SearchStrategy[list[Reply]]:
    return st.lists(replies, min_size=1, max_size=6)


RESP2 = streams(st.recursive(scalars2, arrays, max_leaves=20))
RESP3 = streams(with_pushes(st.recursive(scalars3, aggregates3, max_leaves=20)))
WIDE = streams(with_pushes(st.recursive(wide_scalars, wide_aggregates, max_leaves=20)))


def decoded(value: Any, encoding: str | None, errors: str) -> Any:
    """Return ``value`` with its bytes as text; with no encoding, as it is."""

    def decode(one: Any) -> Any:
        if isinstance(one, bytes) and encoding is not None:
            return one.decode(encoding, errors)
        if isinstance(one, list | tuple):
            return type(one)(map(decode, one))
        if isinstance(one, dict):
            return {decode(key): decode(item) for key, item in one.items()}
        return one

    return decode(value)
