"""Both parsers read the same, wherever the stream is cut; what is no RESP is noticed and closes the connection.

Both are compared with what was written.  Where hiredis differs it stands in a table here, which is tested too.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import redis
from redis import StrictRedis
from redis.connection import HiredisParser, PythonParser
from redis.connection.parsers import AHEAD, LARGEST, MISSING
from redis.exceptions import InvalidResponse
from redis.protocol.encoder import Encoder
from redis.protocol.reader import MAX_LINE, MAX_NESTING, PushNotification, Reader
from tests.conftest import needs_hiredis
from tests.faults.conftest import SOAK, sound
from tests.faults.fakenode import Action, Execute, FakeNode, Link, answer, raw
from tests.protocol.reference import MALFORMED, NOT_ENOUGH, Error, Reply, cut, peak, replies, same
from tests.protocol.streams import RESP2, RESP3, WIDE, decoded
from tests.servers import until

try:
    import hiredis
except ImportError:
    # What runs it is skipped; the tables below need its error alone.
    hiredis = SimpleNamespace(ProtocolError=InvalidResponse)

EXAMPLES = 300 if SOAK else 30
SHORT = 300
"""How many bytes are cut at each of their positions."""
DIALECTS = pytest.mark.parametrize(
    ("parser_class", "stream"),
    [
        pytest.param(HiredisParser, RESP2, id="hiredis-resp2", marks=needs_hiredis),
        pytest.param(HiredisParser, RESP3, id="hiredis-resp3", marks=needs_hiredis),
        pytest.param(PythonParser, RESP2, id="python-resp2"),
        pytest.param(PythonParser, WIDE, id="python-resp3"),
    ],
)
BOTH = pytest.mark.parametrize("parser_class", [pytest.param(HiredisParser, marks=needs_hiredis), PythonParser])
ENCODINGS = st.sampled_from([None, ("latin-1", "strict"), ("utf-8", "surrogateescape")])


class Stream:
    """What a server sent, and how a parser is to decode it."""

    def __init__(self, parser_class: Any, written: list[Reply], charset: tuple[str, str] | None) -> None:
        self.parser = parser_class()
        self.encoder = Encoder(*charset or (), decode_responses=charset is not None)
        self.wire = b"".join(reply.wire for reply in written)
        encoding, errors = charset or (None, "strict")
        self.values = [decoded(reply.value, encoding, errors) for reply in written]

    def check(self, pieces: Any) -> None:
        """The parser's reader gives what was written, and is then as good as new."""
        reader = self.parser.make_reader(self.encoder)
        found = []
        for piece in pieces:
            reader.feed(piece)
            while (reply := reader.gets()) is not MISSING:
                found.append(reply)
        assert same(found, self.values)
        assert not reader.has_data()


@DIALECTS
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data(), charset=ENCODINGS)
def test_a_stream_cut_at_every_position(parser_class: Any, stream: Any, data: Any, charset: Any) -> None:
    drawn = data.draw(stream)
    while len(drawn) > 1 and sum(len(reply.wire) for reply in drawn) > SHORT:
        drawn.pop()
    assume(len(drawn[0].wire) <= SHORT)
    written = Stream(parser_class, drawn, charset)
    for position in range(len(written.wire)):
        written.check([written.wire[:position], written.wire[position:]])


@DIALECTS
@settings(max_examples=3 * EXAMPLES, deadline=None)
@given(data=st.data(), charset=ENCODINGS, sizes=st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_a_stream_in_many_pieces(parser_class: Any, stream: Any, data: Any, charset: Any, sizes: list[int]) -> None:
    written = Stream(parser_class, data.draw(stream), charset)
    written.check(cut(written.wire, sizes))
    written.check(cut(written.wire, [1]))


# Where hiredis differs


def reader_of(parser_class: Any) -> Any:
    options: dict[str, Any] = {"replyError": Error, "notEnoughData": NOT_ENOUGH}
    return Reader(**options) if parser_class is PythonParser else hiredis.Reader(**options)


LIMITS = {
    "attributes are a reply of their own": (b"|1\r\n+a\r\n+b\r\n:1\r\n", [b"a", b"b"], 1),
    "big numbers are bytes": (b"(12\r\n", b"12", 12),
    "blob errors are unknown": (b"!3\r\nERR\r\n", hiredis.ProtocolError, Error("ERR")),
    "a plus before an integer is refused": (b":+1\r\n", hiredis.ProtocolError, 1),
    "a plus before a big number is refused": (b"(+1\r\n", hiredis.ProtocolError, 1),
    "a plus before a double is refused": (b",+1\r\n", hiredis.ProtocolError, 1.0),
    "an integer begins with no zero": (b":01\r\n", hiredis.ProtocolError, 1),
    "zero has no sign": (b":-0\r\n", hiredis.ProtocolError, 0),
    "a double that is too large is refused": (b",1e999\r\n", hiredis.ProtocolError, inf),
    "a double that is too long is refused": (b",1%b\r\n" % (b"0" * 400), hiredis.ProtocolError, inf),
    "an integer has 64 bits": (b":9223372036854775808\r\n", hiredis.ProtocolError, 2**63),
    "a list is no key": (b"%1\r\n*0\r\n:1\r\n", TypeError, [([], 1)]),
    "a map is no key": (b"%1\r\n%0\r\n:1\r\n", TypeError, [({}, 1)]),
    "a key that comes twice mixes up the values": (
        b"%3\r\n+a\r\n*0\r\n+b\r\n*0\r\n+a\r\n*1\r\n:2\r\n",
        {b"a": None, b"b": [2]},
        {b"a": [2], b"b": []},
    ),
    "a push may be an item": (b"*1\r\n>1\r\n+a\r\n", [PushNotification([b"a"])], InvalidResponse),
    "a push may be an item of an attribute": (
        b"|1\r\n>1\r\n+a\r\n+b\r\n",
        [PushNotification([b"a"]), b"b"],
        InvalidResponse,
    ),
    "a big number may be empty": (b"(\r\n", b"", InvalidResponse),
    "a big number may be as long as it likes": (b"(" + b"9" * 5000 + b"\r\n", b"9" * 5000, InvalidResponse),
    "a big number may be longer than a line": (b"(%b\r\n" % (b"9" * 65537), b"9" * 65537, InvalidResponse),
    "true may be written large": (b"#T\r\n", True, InvalidResponse),
    "the end of a verbatim string is not looked at": (b"=7\r\ntxt:abcde", b"abc", InvalidResponse),
    "a line may be endless": (b":" + b"1" * MAX_LINE, NOT_ENOUGH, InvalidResponse),
    "a length may be endless": (b"*" + b"0" * MAX_LINE + b"1", NOT_ENOUGH, InvalidResponse),
    "lengths end at 32 bits": (b"*4294967296\r\n", hiredis.ProtocolError, NOT_ENOUGH),
    **{
        f"the end of {wire!r} is not looked at": (wire, wire[4:7], InvalidResponse)
        for wire in MALFORMED
        if wire.startswith(b"$3\r\nab")
    },
    **{f"null may be {kind!r}": (kind + b"-1\r\n", None, InvalidResponse) for kind in (b"%", b"~", b">", b"|", b"=")},
}


@BOTH
@pytest.mark.parametrize(("wire", "theirs", "ours"), LIMITS.values(), ids=LIMITS)
def test_where_hiredis_differs(parser_class: Any, wire: bytes, theirs: Any, ours: Any) -> None:
    reader = reader_of(parser_class)
    reader.feed(wire)
    expected = ours if parser_class is PythonParser else theirs
    if isinstance(expected, type):
        with pytest.raises(expected):
            reader.gets()
    else:
        assert same(reader.gets(), expected)


#: What hiredis takes for replies, or for the begin of one.
UNNOTICED = {wire for wire, theirs, ours in LIMITS.values() if ours is InvalidResponse}


@needs_hiredis
def test_hiredis_reserves_an_array_on_the_word_of_the_server() -> None:
    """One pointer for each item that is announced; ours waits until they come."""
    for parser_class, least, most in ((HiredisParser, 8_000_000, 9_000_000), (PythonParser, 0, 20_000)):
        reader = reader_of(parser_class)
        assert least <= peak(lambda reader=reader: replies(reader, [b"*1000000\r\n:1\r\n"])) < most


@BOTH
def test_nesting(parser_class: Any) -> None:
    deepest = b"*1\r\n" * MAX_NESTING + b":1\r\n"
    [reply] = replies(reader_of(parser_class), [deepest])
    for _ in range(MAX_NESTING):
        [reply] = reply
    assert reply == 1
    reader = parser_class().make_reader(Encoder())
    with pytest.raises(InvalidResponse, match="nest"):
        replies(reader, [b"*1\r\n" + deepest])


# With a client

SPOKEN = [
    pytest.param(parser_class, protocol, wire, id=f"{name}-{wire[:30]!r}", marks=marks)
    for parser_class, protocol, name, marks in (
        (HiredisParser, 2, "hiredis", [needs_hiredis]),
        (PythonParser, 3, "python", []),
    )
    for wire in MALFORMED
    if parser_class is PythonParser or wire not in UNNOTICED
]


@pytest.fixture
def node() -> Iterator[FakeNode]:
    with FakeNode() as node:
        node.store.values[0][b"a"] = b"A"
        yield node


def single(client: StrictRedis, node: FakeNode, action: Action) -> None:
    node.script("INCRBY", action)
    client.incr("n")


def pipeline(client: StrictRedis, node: FakeNode, action: Action) -> None:
    node.script("INCRBY", answer, action)
    client.pipeline(transaction=False).incr("n").incr("n").execute()


def transaction(client: StrictRedis, node: FakeNode, action: Action) -> None:
    node.script("EXEC", action)
    client.pipeline().incr("n").incr("n").execute()


def subscription(client: StrictRedis, node: FakeNode, action: Action) -> None:
    node.script("SUBSCRIBE", action)
    with client.pubsub() as p:
        p.subscribe("c")
        p.get_message(timeout=1)


CALLS = [single, pipeline, transaction, subscription]


def assert_works(client: StrictRedis, node: FakeNode) -> None:
    """Every connection but the last has been closed, and that one is good."""
    assert client.get("a") == b"A"
    until(lambda: not any(link.thread.is_alive() for link in node.links[:-1]))
    assert sound(client.connection_pool)


@pytest.mark.parametrize(("parser_class", "protocol", "wire"), SPOKEN)
def test_what_is_no_reply_closes_the_connection(node: FakeNode, parser_class: Any, protocol: int, wire: bytes) -> None:
    options = {"parser_class": parser_class, "protocol": protocol, "socket_timeout": 2}
    with StrictRedis(**node.options, **options) as client:
        for number, call in enumerate(CALLS, 1):
            with pytest.raises(InvalidResponse):
                call(client, node, raw(wire))
            assert len(node.links) == number
            assert_works(client, node)


def send_and_close(data: bytes) -> Action:
    def action(link: Link, execute: Execute) -> None:
        link.write(data)
        link.close()

    return action


#: What more than a kilobyte follows is received in another way.
SOME = b":1\r\n" * 500
ANNOUNCED = [b"$9999999999", b"$%d" % LARGEST, b"*9999999999", b"%9999999999", b"=9999999999"]


@pytest.mark.parametrize("head", ANNOUNCED)
@pytest.mark.parametrize("call", CALLS)
def test_what_is_announced_takes_no_memory(speech: dict[str, Any], node: FakeNode, head: bytes, call: Any) -> None:
    with StrictRedis(**node.options, **speech, socket_timeout=2) as client:
        assert_works(client, node)

        def announce() -> None:
            with pytest.raises(redis.RedisError):
                call(client, node, send_and_close(head + b"\r\n" + SOME))

        assert peak(announce) < AHEAD + 1_000_000
        assert_works(client, node)
