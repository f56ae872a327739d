"""redis/connection/parsers.py: both parsers, parsers of the user's own, and large bulk replies."""

import socket
import subprocess
import sys
import time
from io import BytesIO

import pytest

from redis.client import StrictRedis
from redis.connection import parsers
from redis.connection.parsers import (
    LARGE_REPLY,
    LARGEST,
    MISSING,
    BaseParser,
    HiredisParser,
    PythonParser,
    ReaderParser,
    is_reader_parser,
    large_bulk,
    read_large_bulk,
)
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    InvalidResponse,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
)
from redis.protocol.encoder import Encoder
from tests.conftest import needs_hiredis
from tests.connection.pair import meanwhile
from tests.faults.fakenode import FakeNode, close, half, refuse, silent

BOTH = [pytest.param(HiredisParser, marks=needs_hiredis), PythonParser]


class Holder:
    """What a parser wants of a connection."""

    def __init__(self, sock, **options):
        self._sock = sock
        self.encoder = Encoder(**options)


@pytest.fixture
def pair():
    mine, peer = socket.socketpair()
    mine.settimeout(5)
    with mine, peer:
        yield mine, peer


@pytest.fixture(params=BOTH)
def parser(request, pair):
    """A parser that reads from the first of the pair."""
    made = request.param(socket_read_size=64)
    made.on_connect(Holder(pair[0]))
    return made


REPLIES = [
    (b"+OK\r\n", b"OK"),
    (b"$-1\r\n", None),
    (b":42\r\n", 42),
    (b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", [b"a", [1]]),
    (b"%1\r\n+a\r\n:1\r\n", {b"a": 1}),
    (b"$200\r\n" + b"x" * 200 + b"\r\n", b"x" * 200),
]


@pytest.mark.parametrize(("data", "value"), REPLIES, ids=[str(data[:12]) for data, _ in REPLIES])
def test_one_reply_after_the_other(parser, pair, data, value):
    pair[1].sendall(data * 2)
    assert parser.read_response() == value
    assert parser.read_response() == value
    assert parser.can_read() is False


def test_an_error_line_comes_back_as_its_error(parser, pair):
    pair[1].sendall(b"-READONLY no\r\n*1\r\n-ERR inside\r\n")
    found = parser.read_response()
    assert type(found) is ReadOnlyError
    assert str(found) == "no"
    (inside,) = parser.read_response()
    assert isinstance(inside, ResponseError)


def test_a_push_comes_back_as_a_list(parser, pair):
    pair[1].sendall(b">2\r\n+invalidate\r\n*1\r\n+k\r\n")
    assert list(parser.read_response()) == [b"invalidate", [b"k"]]


def test_what_has_been_read_already_can_be_read(parser, pair):
    assert parser.can_read() is False
    pair[1].sendall(b"+a\r\n+b\r\n+c")
    assert parser.read_response() == b"a"
    assert parser.can_read() is True
    assert parser.read_response() == b"b"
    assert parser.can_read() is True


def test_a_new_socket_has_a_new_reader(parser, pair):
    pair[1].sendall(b"+a\r\n+rest of the old")
    assert parser.read_response() == b"a"
    parser.on_disconnect()
    assert parser.can_read() is False
    mine, peer = socket.socketpair()
    with mine, peer:
        parser.on_connect(Holder(mine))
        peer.sendall(b"+new\r\n")
        assert parser.read_response() == b"new"


def test_the_end_of_the_stream(parser, pair):
    pair[1].sendall(b"$5\r\nhel")
    pair[1].close()
    with pytest.raises(ConnectionResetError, match=r"Connection closed by server\."):
        parser.read_response()


@pytest.mark.parametrize("parser_class", BOTH)
def test_text_as_the_encoder_says(parser_class, pair):
    parser = parser_class()
    parser.on_connect(Holder(pair[0], encoding="ascii", encoding_errors="replace", decode_responses=True))
    pair[1].sendall(b"+a\xff\r\n")
    assert parser.read_response() == "a\ufffd"


@pytest.mark.parametrize("parser_class", BOTH)
def test_bytes_that_are_no_reply(parser_class, pair):
    parser = parser_class()
    parser.on_connect(Holder(pair[0]))
    pair[1].sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(InvalidResponse):
        parser.read_response()


def test_every_parser_turns_an_error_line_into_an_error():
    assert type(BaseParser().parse_error("LOADING wait")) is BusyLoadingError
    assert BaseParser.EXCEPTION_CLASSES["LOADING"] is BusyLoadingError


def test_which_parsers_read_as_ours_do():
    class Renamed(PythonParser):
        pass

    class Overriding(PythonParser):
        def read_response(self):
            return super().read_response()

    assert is_reader_parser(PythonParser)
    assert is_reader_parser(HiredisParser)
    assert is_reader_parser(Renamed)
    assert not is_reader_parser(Overriding)
    assert not is_reader_parser(BaseParser)
    assert not is_reader_parser(lambda socket_read_size: PythonParser(socket_read_size))


def test_missing_has_a_name():
    assert repr(MISSING) == "MISSING"


def test_the_hiredis_parser_without_hiredis(monkeypatch):
    monkeypatch.setattr(parsers, "hiredis", None)
    with pytest.raises(RedisError, match=r"pip install redispy\[hiredis\]"):
        HiredisParser()


@needs_hiredis
def test_hiredis_is_chosen_by_itself():
    assert parsers.DefaultParser is HiredisParser


def test_without_hiredis_the_python_parser_is_chosen():
    code = (
        "import sys; sys.modules['hiredis'] = None\n"
        "from redis.connection import DefaultParser, HIREDIS_AVAILABLE, parsers\n"
        "print(DefaultParser.__name__, HIREDIS_AVAILABLE, len(parsers.NO_REPLY))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["PythonParser", "False", "2"]


# Large bulk replies


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (b"$131072\r\nabc", 131072),
        (b"$131071\r\nabc", 0),
        (b"$%d\r\n" % LARGEST, LARGEST),
        (b"$%d\r\n" % (LARGEST + 1), 0),
        (b"$131072\r", 0),
        (b"$-1\r\n", 0),
        (b"$+131072\r\n", 0),
        (b"*131072\r\n", 0),
        (b"+131072\r\n", 0),
        (b"$000000000000131072\r\n", 0),
        (b"$131072\r\n" + bytes(131071), 131072),
        (b"$131072\r\n" + bytes(131072), 0),
        (b"", 0),
    ],
    ids=lambda value: str(value[:24]) if isinstance(value, bytes) else "",
)
def test_which_first_chunk_begins_a_large_reply(data, length):
    assert large_bulk(data) == length


BODY = bytes(range(256)) * (LARGE_REPLY // 256) + b"the end"
HEADER = b"$%d\r\n" % len(BODY)


@pytest.mark.parametrize("first", [0, 1, 1000, 65536, len(BODY) - 1])
def test_the_rest_of_a_large_reply_goes_to_its_place(pair, first):
    mine, peer = pair
    with meanwhile(peer.sendall, BODY[first:] + b"\r\n+next\r\n"):
        found = read_large_bulk(mine.recv_into, HEADER + BODY[:first], len(BODY))
        assert isinstance(found, BytesIO)
        assert found.getvalue() == BODY
        assert mine.recv(100) == b"+next\r\n"


def test_a_large_reply_whose_line_end_is_cut(pair):
    mine, peer = pair

    def send():
        peer.sendall(BODY + b"\r")
        time.sleep(0.03)
        peer.sendall(b"\n+next\r\n")

    with meanwhile(send):
        assert read_large_bulk(mine.recv_into, HEADER, len(BODY)).getvalue() == BODY
    assert mine.recv(100) == b"+next\r\n"


def test_a_large_reply_that_ends(pair):
    mine, peer = pair
    peer.sendall(b"half")
    peer.close()
    with pytest.raises(ConnectionResetError, match="closed by server"):
        read_large_bulk(mine.recv_into, HEADER, len(BODY))


def test_a_large_reply_that_is_lost_leaves_no_view():
    """The frames of the error may live on; what they hold of a BytesIO would crash the collector of Python 3.12.1."""
    views = []

    def lose(view):
        views.append(view)
        if len(views) == 2:
            raise ConnectionResetError
        return 1000

    with pytest.raises(ConnectionResetError):
        read_large_bulk(lose, HEADER, len(BODY))
    for view in views:
        with pytest.raises(ValueError, match="released"):
            len(view)


def test_a_large_reply_without_its_line_end(pair):
    mine, peer = pair
    with meanwhile(peer.sendall, BODY + b"xx"), pytest.raises(InvalidResponse, match="does not end"):
        read_large_bulk(mine.recv_into, HEADER, len(BODY))


# Parsers of the user's


class Counting(PythonParser):
    """The usual way to look over a parser's shoulder."""

    replies = 0

    def read_response(self):
        type(self).replies += 1
        return super().read_response()


class FromScratch:
    """A parser of statuses, errors, numbers and bulks that shares nothing with ours."""

    def __init__(self, socket_read_size):
        self.file = None

    def on_connect(self, connection):
        self.file = connection._sock.makefile("rb")

    def on_disconnect(self):
        if self.file is not None:
            self.file.close()
        self.file = None

    def can_read(self):
        return False

    def read_response(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server has gone")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            return ResponseError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        return rest


class Raising(FromScratch):
    """Raises errors instead of returning them."""

    def read_response(self):
        reply = super().read_response()
        if isinstance(reply, Exception):
            raise reply
        return reply


OWN = [Counting, FromScratch, Raising]


@pytest.mark.parametrize("parser_class", OWN)
def test_a_parser_of_the_users(make_client, parser_class):
    client = make_client(parser_class=parser_class, db=3)
    Counting.replies = 0
    assert client.set("k", "v") is True
    assert client.get("k") == b"v"
    assert client.get("missing") is None
    assert client.incr("n") == 1
    with pytest.raises(ResponseError, match="not an integer"):
        client.incr("k")
    assert client.get("k") == b"v"
    assert make_client(db=3).get("k") == b"v"
    assert len(client.connection_pool._available_connections) == 1
    if parser_class is Counting:
        assert Counting.replies == 9  # three of them in the handshake


@pytest.mark.parametrize("parser_class", OWN)
def test_a_parser_of_the_users_does_not_hide_a_refused_handshake(make_client, parser_class):
    client = make_client(parser_class=parser_class, db=99)
    with pytest.raises(ResponseError, match="out of range"):
        client.set("k", "v")
    assert make_client().get("k") is None


@pytest.mark.parametrize("parser_class", OWN)
def test_a_parser_of_the_users_and_a_wrong_password(make_client, parser_class):
    with pytest.raises(ResponseError):
        make_client(parser_class=parser_class, password="x", username="nobody").get("k")


@pytest.mark.parametrize("parser_class", [Counting, FromScratch])
@pytest.mark.parametrize("action", [close, half], ids=lambda action: action.__name__)
def test_a_parser_of_the_users_and_a_lost_connection(parser_class, action):
    with FakeNode() as node:
        client = StrictRedis(**node.options, parser_class=parser_class)
        client.set("k", "v")
        node.script("INCRBY", action)
        with pytest.raises(ConnectionError) as caught:
            client.incr("n")
        assert caught.value.maybe_applied is True
        assert client.get("k") == b"v"
        assert node.count("INCRBY") == 1
        client.close()


def test_a_subclass_of_our_parser_and_a_time_out():
    with FakeNode() as node, StrictRedis(**node.options, parser_class=Counting, socket_timeout=0.1) as client:
        node.script("GET", silent)
        with pytest.raises(TimeoutError) as caught:
            client.get("k")
        assert caught.value.maybe_applied is True
        assert client.ping() is True


def test_setinfo_may_be_refused_with_a_parser_of_the_users():
    with FakeNode() as node, StrictRedis(**node.options, parser_class=Counting) as client:
        node.always("CLIENT", refuse("ERR unknown subcommand"))
        assert client.ping() is True


def test_the_base_says_that_a_reader_is_missing():
    with pytest.raises(NotImplementedError):
        ReaderParser().make_reader(Encoder())
