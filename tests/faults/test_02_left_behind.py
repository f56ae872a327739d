"""Nothing that raises while a reply is read or shaped leaves anything behind for the next call."""

from __future__ import annotations

import pytest

import redis
from tests.faults.conftest import sound
from tests.faults.fakenode import raw

NOT_UTF8 = b"\xff\xfe"


@pytest.fixture
def seeded(transport, make):
    """A client that decodes, and keys whose values do not all let themselves be decoded."""
    with_bytes = make(**transport.options)
    with_bytes.set("bad", NOT_UTF8)
    with_bytes.set("c", "CCC")
    with_bytes.hset("bad hash", "field", NOT_UTF8)
    return make(**transport.options, decode_responses=True)


def identity(client: redis.StrictRedis) -> int:
    return client.execute_command("CLIENT", "ID")


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_a_callback_that_raises(seeded, calls: int) -> None:
    def callback(response, **options):
        raise LookupError("by a callback")

    seeded.set_response_callback("STRLEN", callback)
    before = identity(seeded)
    for _ in range(calls):
        with pytest.raises(LookupError):
            seeded.strlen("c")
    assert seeded.get("c") == "CCC"
    assert identity(seeded) == before, "a callback runs when the reply has been read: the connection is as good as new"


def test_bytes_that_do_not_decode(seeded) -> None:
    for call in (lambda: seeded.get("bad"), lambda: seeded.hgetall("bad hash"), lambda: seeded.mget("c", "bad", "c")):
        with pytest.raises(UnicodeDecodeError):
            call()
        assert seeded.get("c") == "CCC"
        assert sound(seeded.connection_pool)


def test_an_argument_that_cannot_be_encoded(seeded) -> None:
    class Unwritable:
        def __str__(self) -> str:
            raise LookupError("no text")

    before = identity(seeded)
    for argument, error in ((Unwritable(), LookupError), ("\ud800", UnicodeEncodeError)):
        with pytest.raises(error):
            seeded.set("c", argument)
        assert seeded.get("c") == "CCC"
    assert identity(seeded) == before, "nothing was sent"


def test_an_error_of_the_server(seeded) -> None:
    before = identity(seeded)
    with pytest.raises(redis.ResponseError, match="not an integer"):
        seeded.incr("c")
    assert seeded.get("c") == "CCC"
    assert identity(seeded) == before


@pytest.mark.parametrize("depth", [100, 10_000, 200_000])
def test_a_reply_that_is_nested_deeply(node, client, depth: int) -> None:
    client.set("c", "CCC")
    node.script("ECHO", raw(b"*1\r\n" * depth + b":7\r\n"))
    try:
        reply = client.execute_command("ECHO", "deep")
    except redis.RedisError:
        assert depth > 100, "what a module may well answer is to be understood"
    else:
        for _ in range(depth):
            (reply,) = reply
        assert reply == 7
    assert client.get("c") == b"CCC"


@pytest.mark.parametrize(
    "junk", [b"?\r\n", b"$x\r\n", b"*2\r\n:1\r\n%z\r\n", b"\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"]
)
def test_what_is_no_reply_closes_the_connection(node, client, junk: bytes) -> None:
    client.set("c", "CCC")
    node.script("ECHO", raw(junk))
    with pytest.raises(redis.RedisError):
        client.execute_command("ECHO", "x")
    assert client.get("c") == b"CCC"
    assert len(node.links) == 2
