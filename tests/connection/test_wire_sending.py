"""redis/connection/wire.py: what is sent arrives whole, of any type and size, to a peer of any speed."""

import array
import enum
import socket
from decimal import Decimal

import pytest

from redis.client import StrictRedis
from redis.connection.parsers import HiredisParser, PythonParser
from redis.connection.wire import MANY_BUFFERS, Wire, unsent
from redis.exceptions import ConnectionError
from redis.protocol.encoder import Encoder
from redis.protocol.packer import Token
from tests.conftest import needs_hiredis
from tests.connection.pair import meanwhile, read_exactly, wire
from tests.faults.fakenode import FakeNode

GET = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"


@pytest.fixture(params=[pytest.param(HiredisParser, marks=needs_hiredis), PythonParser], ids=["hiredis", "python"])
def parser_class(request):
    return request.param


@pytest.fixture
def wired(parser_class):
    with wire(parser_class=parser_class, socket_timeout=5) as both:
        yield both


def answer(peer, size, found):
    """Read a command of this size, keep it and answer."""
    found.append(read_exactly(peer, size))
    peer.sendall(b"+OK\r\n")


def slow(sock):
    """Let the kernel take little at a time."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


@pytest.mark.parametrize("method", ["call", "exchange"])
@pytest.mark.parametrize("count", [1, 3, MANY_BUFFERS - 1, MANY_BUFFERS, MANY_BUFFERS + 1, 2 * MANY_BUFFERS + 1])
def test_buffers_arrive_whole(wired, method, count):
    connection, peer = wired
    slow(connection._sock)
    buffers = [b"%d," % number for number in range(count)]
    buffers[count // 2] = memoryview(bytes(300_000))
    found = []
    with meanwhile(answer, peer, sum(map(len, buffers)), found):
        assert getattr(connection, method)(buffers) == b"OK"
    assert found == [b"".join(buffers)]


def test_seventy_thousand_buffers(wired):
    connection, peer = wired
    buffers = [b"%d\r\n" % number for number in range(70_000)]
    whole = b"".join(buffers)
    found = []
    with meanwhile(answer, peer, len(whole), found):
        assert connection.call(buffers) == b"OK"
    assert found == [whole]


@pytest.mark.parametrize("method", ["call", "exchange"])
def test_a_partial_write_is_continued(wired, method):
    connection, peer = wired
    send = connection._send
    connection._send = lambda data, flags: send(bytes(data[:7]), flags)
    found = []
    with meanwhile(answer, peer, len(GET), found):
        assert getattr(connection, method)(GET) == b"OK"
    assert found == [GET]


def test_what_is_left_of_buffers():
    assert unsent([b"abc", b"", b"de"], 0) == [b"abc", b"", b"de"]
    assert unsent([b"abc", b"", b"de"], 2) == [b"c", b"", b"de"]
    assert unsent([b"abc", b"", b"de"], 3) == [b"de"]
    assert unsent([b"abc", b"", b"de"], 4) == [b"e"]
    assert unsent([b"abc", b"", b"de"], 5) == []
    assert unsent([], 0) == []


class Number(enum.IntEnum):
    ONE = 1


ARGUMENTS = [
    (b"x" * 5_000_000, b"x" * 5_000_000),
    ("é" * 100_000, "é".encode() * 100_000),
    (memoryview(bytes(200_000))[::2], bytes(100_000)),
    (memoryview(array.array("d", range(50_000))), array.array("d", range(50_000)).tobytes()),
    (memoryview(b"abcdef").cast("B", (2, 3)), b"abcdef"),
    (memoryview(b""), b""),
    (bytearray(b"y" * 70_000), b"y" * 70_000),
    (True, b"True"),
    (None, b"None"),
    (Decimal("1.50"), b"1.50"),
    (Number.ONE, b"1"),
    (type("Text", (str,), {})("sub"), b"sub"),
    (type("Whole", (int,), {})(7), b"7"),
    (Token("word"), b"word"),
]


@pytest.mark.parametrize(("argument", "stored"), ARGUMENTS, ids=lambda value: type(value).__name__)
def test_arguments_of_any_type_and_size(transport, argument, stored):
    with StrictRedis(**transport.options) as client:
        assert client.execute_command("SET", "k", argument) is True
        assert client.get("k") == stored


def test_many_arguments(transport):
    values = {b"k%d" % number: b"v" * (number % 3 * 20_000) for number in range(600)}
    with StrictRedis(**transport.options) as client:
        assert client.mset(values) is True
        assert client.mget(list(values)) == list(values.values())


def test_a_large_value_both_ways(transport, parser_class):
    value = bytes(range(256)) * 40_000
    with StrictRedis(**transport.options, parser_class=parser_class) as client:
        client.set("k", value)
        assert client.get("k") == value
        assert client.lpush("l", value, b"", value) == 3
        assert client.lrange("l", 0, -1) == [value, b"", value]


def test_a_wire_has_no_address_of_its_own():
    with pytest.raises(NotImplementedError):
        _ = Wire(Encoder(), PythonParser, 100, None, True).address


def test_batches_are_read_as_one_array_where_no_push_can_stand_between(parser_class):
    with wire(parser_class=parser_class) as (connection, _):
        assert connection.reads_batches is True
        connection.speaks_resp3 = True
        assert connection.reads_batches is False


def test_a_connection_lost_for_good_is_one_clear_error(parser_class):
    with FakeNode() as node:
        client = StrictRedis(**node.options, parser_class=parser_class)
        client.ping()
    with pytest.raises(ConnectionError) as caught:
        client.get("k")
    assert caught.value.attempt == 2
    client.close()
