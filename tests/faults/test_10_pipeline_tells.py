"""A pipeline says what happened: which replies had come when the connection was lost, and what became of the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import redis
from redis.client import StrictRedis
from redis.connection import ConnectionPool
from tests.faults.fakenode import FakeNode, RefusingPort, close, drop, half, listen, raw, reset, silent

LOST = {"close": close, "half": half, "reset": reset, "drop": drop}


@pytest.fixture
def client(node: FakeNode, make: Callable[..., redis.StrictRedis]) -> redis.StrictRedis:
    return make(**node.options, socket_timeout=5)


@pytest.mark.parametrize("action", LOST.values(), ids=LOST)
def test_the_replies_that_had_come(node, client, action) -> None:
    client.set("a", "A")
    node.script("INCRBY", action)
    pipe = client.pipeline(transaction=False).set("b", "B").get("a").lpush("l", "x").incr("n").get("a").incr("m")
    with pytest.raises(redis.ConnectionError) as caught:
        pipe.execute()
    error = caught.value
    if action is not reset:  # which may overtake what had been sent before
        assert error.replies == [True, b"A", 1]
    assert error.replies == [True, b"A", 1][: len(error.replies)]
    assert error.maybe_applied is True
    assert (error.command, error.attempt) == ("pipeline", 1)
    assert node.count("INCRBY", "m") == 0
    assert client.get("b") == b"B"


def test_the_replies_that_had_come_in_time(node, make) -> None:
    client = make(**node.options, socket_timeout=0.3, socket_connect_timeout=5)
    node.script("INCRBY", silent)
    with pytest.raises(redis.TimeoutError) as caught:
        client.pipeline(transaction=False).set("b", "B").incr("n").execute()
    assert caught.value.replies == [True]
    assert caught.value.maybe_applied is True


def test_errors_among_them_and_callbacks_that_raise(node, client) -> None:
    client.set("a", "A")
    node.script("INCRBY", raw(b"-WRONGTYPE not a number\r\n"), close)
    pipe = client.pipeline(transaction=False).incr("m").set("b", 1).incr("n")
    with pytest.raises(redis.ConnectionError) as caught:
        pipe.execute()
    error, stored = caught.value.replies
    assert isinstance(error, redis.ResponseError) and stored is True
    client.set_response_callback("GET", lambda reply: 1 // 0)
    node.script("INCRBY", close)
    with pytest.raises(redis.ConnectionError) as caught:
        client.pipeline(transaction=False).set("b", 1).get("a").set("b", 2).incr("n").execute()
    assert caught.value.replies == [True, b"A", b"OK"], "from the callback that raised on, as the server sent them"


def test_a_transaction_has_no_part_of_its_results(node, client) -> None:
    client.ping()
    node.script("EXEC", close)
    with pytest.raises(redis.ConnectionError) as caught:
        client.pipeline().set("b", 1).incr("n").execute()
    assert caught.value.replies is None
    assert (caught.value.command, caught.value.maybe_applied) == ("EXEC", True)


def test_nothing_had_come_where_nothing_was_sent() -> None:
    with RefusingPort() as port, pytest.raises(redis.ConnectionError) as caught:
        redis.StrictRedis(host="127.0.0.1", port=port).pipeline(transaction=False).incr("n").execute()
    assert (caught.value.replies, caught.value.maybe_applied) == ([], False)


def test_the_classic_way_tells_it_too(speech) -> None:
    class Own(redis.Connection):
        pass

    with FakeNode() as node, ConnectionPool(Own, **node.options, **speech) as pool:
        client = StrictRedis(connection_pool=pool)
        node.script("INCRBY", half)
        with pytest.raises(redis.ConnectionError) as caught:
            client.pipeline(transaction=False).set("b", "B").incr("n").incr("m").execute()
        assert (caught.value.replies, caught.value.maybe_applied) == ([True], True)
        assert client.pipeline(transaction=False).incr("m").execute() == [1]


@pytest.mark.parametrize("transaction", [True, False], ids=["transaction", "plain"])
def test_a_server_that_reads_no_further_until_its_replies_are_read(node, client, transaction: bool) -> None:
    """Neither side waits for the other for ever, over any transport."""
    value = b"v" * 100_000
    client.set("a", value)
    pipe = client.pipeline(transaction)
    for _ in range(100):
        pipe.echo(value).get("a")
    assert pipe.execute() == [value] * 200
    assert client.get("a") == value


def test_a_hundred_thousand_commands_and_a_server_that_reads_no_further(tmp_path) -> None:
    """It answers each command as it comes, and waits until somebody reads that."""
    count, path = 100_000, str(tmp_path / "server.sock")
    listener = listen(path)

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            rest = b""
            while data := peer.recv(65536):
                data = rest + data
                peer.sendall(b"$11\r\nhello world\r\n" * data.count(b"GET"))
                rest = data[-2:]

    thread = threading.Thread(target=serve)
    thread.start()
    options = {"lib_name": None, "lib_version": None, "socket_timeout": 10}
    with listener, redis.StrictRedis(unix_socket_path=path, **options) as client:
        pipe = client.pipeline(transaction=False)
        for _ in range(count):
            pipe.get("k")
        assert pipe.execute() == [b"hello world"] * count
    thread.join()
