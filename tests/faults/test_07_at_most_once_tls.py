"""One call, at most one execution, where TLS breaks off: inside of a record, between two, or of the plain stream."""

from __future__ import annotations

import pytest

import redis
from tests.faults.conftest import sound

#: What TLS 1.3 puts around the bytes of a record: a header before, the kind and a seal behind.
HEADER, SEAL = 5, 17
REPLY = b":1\r\n"
REQUEST = b"*3\r\n$6\r\nINCRBY\r\n$1\r\nn\r\n$1\r\n1\r\n"


def is_unknown(client: redis.StrictRedis) -> bool:
    """An INCR that is lost says that it may have been applied; nothing that is owed stays in the pool."""
    with pytest.raises(redis.ConnectionError) as caught:
        client.incr("n")
    assert (caught.value.phase, caught.value.attempt) == ("recv", 1)
    return caught.value.maybe_applied and sound(client.connection_pool)


def test_a_reply_cut_inside_its_record(tls_node, blind, connect) -> None:
    client, size = connect(blind), HEADER + len(REPLY) + SEAL
    for budget in range(0, size, 2):
        blind.replies.budget = None
        client.ping()
        blind.replies.budget = budget
        assert is_unknown(client)
        assert tls_node.count("INCRBY") == budget // 2 + 1
    blind.replies.budget = None
    client.set("n", 0)
    blind.replies.budget = size
    assert client.incr("n") == 1, "the whole record, and then the end"


def test_a_request_cut_inside_its_record(tls_node, blind, connect) -> None:
    client = connect(blind)
    for budget in range(0, HEADER + len(REQUEST) + SEAL, 5):
        blind.requests.budget = None
        client.ping()
        blind.requests.budget = budget
        assert is_unknown(client)
    assert tls_node.count("INCRBY") == 0
    blind.requests.budget = None
    assert client.incr("n") == 1


def test_a_reply_cut_in_the_plain_stream(tls_node, speaking, connect) -> None:
    client = connect(speaking)
    for budget in range(len(REPLY)):
        speaking.replies.budget = None
        client.ping()
        speaking.replies.budget = budget
        assert is_unknown(client)
        assert tls_node.count("INCRBY") == budget + 1


@pytest.mark.parametrize("accident", ["close", "half", "reset"])
@pytest.mark.parametrize("kind", ["blind", "speaking"])
def test_a_read_is_tried_once_more(request, tls_node, connect, kind: str, accident: str) -> None:
    proxy = request.getfixturevalue(kind)
    client = connect(proxy)
    client.set("a", "A")
    accidents = iter([accident])
    proxy.replies.accident = lambda: next(accidents, None)
    assert client.get("a") == b"A"
    assert tls_node.count("GET") == 2
    accidents = iter([accident])
    assert is_unknown(client)
    assert tls_node.count("INCRBY") == 1


def test_a_record_that_stalls(tls_node, blind, make) -> None:
    client = make(**{**tls_node.options, "port": blind.port}, socket_timeout=0.6, socket_connect_timeout=20)
    client.ping()
    blind.replies.budget, blind.replies.ends = HEADER + 2, "stops"
    with pytest.raises(redis.TimeoutError) as caught:
        client.incr("n")
    assert (caught.value.phase, caught.value.maybe_applied) == ("recv", True)
    blind.replies.budget = None
    assert client.incr("n") == 2


def test_the_replies_in_whole_records_are_told(tls_node, blind, connect) -> None:
    client, value = connect(blind), b"x" * 10_000
    client.set("a", value)
    blind.replies.budget = 2 * (HEADER + len(b"$10000\r\n\r\n") + len(value) + SEAL) + 9_000
    with pytest.raises(redis.ConnectionError) as caught:
        client.pipeline(transaction=False).get("a").get("a").get("a").incr("n").execute()
    assert caught.value.replies == [value, value]
    assert caught.value.maybe_applied is True


def test_a_record_that_was_left_out(tls_node, blind, connect) -> None:
    """The seals are numbered: what follows a lost reply is not taken for it."""
    client = connect(blind)
    client.set("a", "A")
    before, connection = tls_node.count("GET"), client.connection_pool.get_connection("GET")
    blind.replies.drop = True
    connection.send_command("ECHO", "lost")
    assert connection.can_read(0.1) is False
    blind.replies.drop = False
    connection.send_command("GET", "a")
    with pytest.raises(redis.ConnectionError, match="bad record mac"):
        connection.read_response()
    client.connection_pool.release(connection)
    assert client.get("a") == b"A"
    assert tls_node.count("GET") == before + 2


def test_byte_by_byte(tls_node, blind, speaking, connect) -> None:
    for proxy in (blind, speaking):
        client = connect(proxy)
        client.ping()
        proxy.replies.split = proxy.requests.split = True
        for number in range(5):
            client.set(f"k{number}", f"v{number}")
        assert [client.get(f"k{number}") for number in range(5)] == [b"v0", b"v1", b"v2", b"v3", b"v4"]
