"""Nothing that raises in the middle of a batch leaves replies behind for the next call."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import redis
from tests.faults.conftest import sound
from tests.faults.fakenode import FakeNode, raw, twice

NOT_UTF8 = b"\xff\xfe"
BOTH = pytest.mark.parametrize("transaction", [True, False], ids=["transaction", "plain"])


@pytest.fixture
def seeded(transport, make: Callable[..., redis.StrictRedis]) -> redis.StrictRedis:
    """A client that decodes, and a key whose value does not let itself be decoded."""
    with_bytes = make(**transport.options)
    with_bytes.set("bad", NOT_UTF8)
    with_bytes.set("c", "CCC")
    return make(**transport.options, decode_responses=True)


@pytest.fixture
def client(node: FakeNode, make: Callable[..., redis.StrictRedis]) -> redis.StrictRedis:
    return make(**node.options, socket_timeout=5)


@BOTH
@pytest.mark.parametrize("item", [1, 2, 3])
def test_a_callback_that_raises(seeded, item: int, transaction: bool) -> None:
    calls = []

    def callback(response, **options):
        calls.append(response)
        if len(calls) == item:
            raise LookupError("by a callback")
        return response

    seeded.set_response_callback("STRLEN", callback)
    before = seeded.client_id()
    pipe = seeded.pipeline(transaction).strlen("c").strlen("c").strlen("c")
    with pytest.raises(LookupError):
        pipe.execute()
    assert seeded.get("c") == "CCC"
    assert seeded.client_id() == before, "all replies had been read: the connection is as good as new"
    assert pipe.get("c").execute() == ["CCC"]


@BOTH
@pytest.mark.parametrize("at", [0, 1, 2])
def test_bytes_that_do_not_decode(seeded, at: int, transaction: bool) -> None:
    names = ["c", "c", "c"]
    names[at] = "bad"
    pipe = seeded.pipeline(transaction)
    for name in names:
        pipe.get(name)
    with pytest.raises(UnicodeDecodeError) as caught:
        pipe.execute()
    assert caught.value.replies == (None if transaction else ["CCC"] * at)
    assert seeded.get("c") == "CCC"
    assert sound(seeded.connection_pool)
    assert pipe.get("c").execute() == ["CCC"]


@BOTH
def test_an_argument_that_cannot_be_encoded(seeded, transaction: bool) -> None:
    before = seeded.client_id()
    with pytest.raises(UnicodeEncodeError):
        seeded.pipeline(transaction).set("c", "x").set("c", "\ud800").execute()
    assert seeded.get("c") == "CCC"
    assert seeded.client_id() == before, "nothing was sent"


@BOTH
@pytest.mark.parametrize("depth", [5, 10_000, 200_000])
def test_a_reply_that_is_nested_deeply(node, client, depth: int, transaction: bool) -> None:
    client.set("c", "CCC")
    nested = b"*1\r\n" * depth + b":7\r\n"
    node.script("EXEC" if transaction else "ECHO", raw(b"*2\r\n%b+x\r\n" % nested if transaction else nested))
    try:
        reply, _ = client.pipeline(transaction).echo("deep").echo("x").execute()
    except redis.RedisError:
        assert depth > 5
    else:
        for _ in range(depth):
            (reply,) = reply
        assert reply == 7
    assert client.get("c") == b"CCC"


@pytest.mark.parametrize("junk", [b"?\r\n", b"$x\r\n", b"*2\r\n:1\r\n%z\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_what_is_no_reply_closes_the_connection(node, client, junk: bytes, at: int) -> None:
    client.set("c", "CCC")
    pipe = client.pipeline(transaction=False)
    for number in range(3):
        pipe.echo("x") if number == at else pipe.get("c")
    node.script("ECHO", raw(junk))
    with pytest.raises(redis.InvalidResponse) as caught:
        pipe.execute()
    assert caught.value.replies == [b"CCC"] * at
    assert caught.value.maybe_applied is True
    assert (caught.value.command, caught.value.phase) == ("pipeline", "recv")
    assert client.get("c") == b"CCC"
    assert len(node.links) == 2


def test_one_reply_too_many(node, client) -> None:
    client.set("c", "CCC")
    node.script("ECHO", twice())
    with pytest.raises(redis.InvalidResponse):
        client.pipeline(transaction=False).get("c").echo("x").execute()
    assert client.get("c") == b"CCC"
    assert len(node.links) == 2


@pytest.mark.parametrize("answer", [b"*1\r\n+OK\r\n", b"*3\r\n+OK\r\n+OK\r\n+OK\r\n"])
def test_exec_that_answers_too_few_or_too_many(node, client, answer: bytes) -> None:
    client.set("c", "CCC")
    node.script("EXEC", raw(answer))
    with pytest.raises(redis.ResponseError, match="Wrong number of response items"):
        client.pipeline().set("a", 1).set("b", 1).execute()
    assert client.get("c") == b"CCC"
