"""A frame or a byte that nobody asked for is noticed, and closes the connection."""

from __future__ import annotations

from time import sleep

import pytest

import redis
from tests.faults.conftest import sound
from tests.faults.fakenode import late, raw, twice

EXTRA = [b"+EXTRA\r\n", b"$2\r\nno\r\n", b"-ERR late\r\n", b"*0\r\n", b"$100\r\npart", b"+", b"\r\n"]


@pytest.mark.parametrize("extra", EXTRA)
def test_in_one_segment_with_the_reply(node, client, extra: bytes) -> None:
    client.set("a", "A")
    client.set("b", "B")
    node.script("GET", twice(extra))
    try:
        assert client.get("a") == b"A"
    except redis.RedisError as error:
        assert error.maybe_applied is True
    assert [client.get(key) for key in "bab"] == [b"B", b"A", b"B"]
    assert len(node.links) == 2
    assert sound(client.connection_pool)


@pytest.mark.parametrize("extra", EXTRA[::3])
def test_while_the_connection_is_idle(node, client, extra: bytes) -> None:
    client.set("a", "A")
    client.set("b", "B")
    node.script("GET", late(extra, after=0.02))
    assert client.get("a") == b"A"
    sleep(0.12)
    assert [client.get(key) for key in "bab"] == [b"B", b"A", b"B"]
    assert len(node.links) == 2


def test_a_write_is_not_executed_again_because_of_it(node, client) -> None:
    client.set("a", "A")
    node.script("INCRBY", twice())
    try:
        assert client.incr("n") == 1
    except redis.RedisError as error:
        assert error.maybe_applied is True
    assert node.count("INCRBY") == 1
    assert client.get("a") == b"A"


def test_a_push_is_no_reply(node, client) -> None:
    if client.connection_pool.connection_kwargs["protocol"] == 2:
        pytest.skip("pushes come with RESP3 alone")
    client.set("a", "A")
    push = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nz\r\n"
    node.script("GET", twice(push), raw(push + b"$1\r\nA\r\n"), late(push, after=0.02))
    assert [client.get("a") for _ in range(3)] == [b"A", b"A", b"A"]
    sleep(0.12)
    assert client.get("a") == b"A"
