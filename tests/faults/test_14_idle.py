"""The first command after an idle time works; and nobody looks at a socket that is busy."""

from __future__ import annotations

from time import sleep

import pytest

from redis import StrictRedis
from redis.connection import Connection
from tests.faults.conftest import SOAK
from tests.servers import ask


def test_the_server_closes_idle_connections(transport) -> None:
    """The seconds of the server's clock; how replies are read is of no account, so this is run with one parser."""
    client = StrictRedis(**transport.options, socket_timeout=5)
    ask(transport.server, "CONFIG", "SET", "timeout", "1")
    try:
        assert client.incr("n") == 1
        sleep(30 if SOAK else 2.5)
        assert [client.incr("n") for _ in range(100)] == list(range(2, 102))
    finally:
        ask(transport.server, "CONFIG", "SET", "timeout", "0")
        client.close()


def test_every_connection_of_the_pool_was_closed(transport, make) -> None:
    client = make(**transport.options, socket_timeout=5)
    pool = client.connection_pool
    held = [pool.get_connection("PING") for _ in range(5)]
    for connection in held:
        connection.connect()
    for connection in held:
        pool.release(connection)
    assert ask(transport.server, "CLIENT", "KILL", "TYPE", "normal") >= 5
    sleep(0.1)
    assert [client.incr("n") for _ in range(10)] == list(range(1, 11))
    held = [pool.get_connection("PING") for _ in range(5)]
    for connection in held:
        connection.send_command("INCR", "n")
    assert sorted(connection.read_response() for connection in held) == list(range(11, 16))
    for connection in held:
        pool.release(connection)


def test_again_and_again(node, client) -> None:
    for number in range(1, 8):
        assert client.incr("n") == number
        node.close_links()
        sleep(0.06)
    assert node.count("INCRBY") == 7


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """The connections that were looked at."""
    seen: list[Connection] = []
    look = Connection.is_good

    def counted(connection: Connection) -> bool:
        seen.append(connection)
        return look(connection)

    monkeypatch.setattr(Connection, "is_good", counted)
    return seen


def test_a_busy_connection_is_not_looked_at(transport, make, looks) -> None:
    client = make(**transport.options)
    for _ in range(300):
        client.get("a")
    assert len(looks) < 20, "but for the first time, and pauses of the machine"
    sleep(0.1)
    before = len(looks)
    client.get("a")
    assert len(looks) == before + 1
