"""redis/connection/pool.py: connections that are made before they are used, on request."""

import threading
import time

import pytest

from redis.client import StrictRedis
from redis.connection.pool import BlockingConnectionPool, ConnectionPool
from redis.exceptions import AuthenticationError, ConnectionError, TimeoutError
from tests.connection.doubles import Dummy, client_of
from tests.connection.pair import meanwhile
from tests.faults.conftest import sound
from tests.faults.fakenode import ACCEPT, RefusingPort, close, hold
from tests.faults.interrupt import INSTRUCTION, interruptions

POOL_CLASSES = [ConnectionPool, BlockingConnectionPool]


def test_nothing_is_connected_before_it_is_asked_for(make_pool, node):
    pool = make_pool(min_idle=3)
    assert (node.links, pool._created_connections) == ([], 0)
    assert pool.warm_up() == 3
    assert len(node.links) == len(pool._available_connections) == 3


def test_what_is_warm_is_used(make_pool, node):
    pool = make_pool(min_idle=2)
    pool.warm_up()
    client = client_of(pool)
    for _ in range(3):
        assert client.ping() is True
    assert len(node.links) == 2
    assert pool.warm_up() == 2
    assert len(node.links) == 2


def test_nothing_is_asked_for(make_pool, node):
    pool = make_pool()
    assert pool.warm_up() == 0
    client_of(pool).ping()
    assert pool.warm_up() == 1
    assert len(node.links) == 1


def test_what_the_server_has_closed_is_made_anew(make_pool, node):
    pool = make_pool(min_idle=3)
    pool.warm_up()
    node.close_links()
    for connection in pool._available_connections:
        connection.used -= 1
    assert pool.warm_up() == 3
    assert len(node.links) == 6
    assert pool._created_connections == 3


@pytest.mark.parametrize("end", ["disconnect", "retire"])
def test_what_was_closed_is_connected_again(make_pool, node, end):
    pool = make_pool(min_idle=2)
    pool.warm_up()
    getattr(pool, end)()
    assert len(node.links) == 2, "nothing is connected before it is asked for"
    assert pool.warm_up() == 2
    assert (len(node.links), pool._created_connections) == (4, 2)


def test_there_are_no_more_than_there_may_be(make_pool):
    pool = make_pool(min_idle=3, max_connections=4)
    lent = [pool.get_connection() for _ in range(2)]
    assert pool.warm_up() == 2
    assert pool._created_connections == 4
    for connection in lent:
        pool.release(connection)
    assert pool.warm_up() == 3


def test_more_than_there_may_be_is_an_error_at_construction(make_pool):
    with pytest.raises(ValueError, match="min_idle is 5, and max_connections no more than 4"):
        make_pool(min_idle=5, max_connections=4)


@pytest.mark.parametrize("value", [-1, 1.5, "2", None])
def test_what_is_no_number(make_pool, value):
    with pytest.raises(ValueError, match=r"min_idle is .*; it takes a number of connections"):
        make_pool(min_idle=value)


def test_one_after_the_other(make_pool, node):
    """While one is being made there is no other on its way."""
    greeted = []
    node.always(ACCEPT, lambda link, execute: greeted.append(sum(not one.words for one in node.links)))
    assert make_pool(min_idle=8).warm_up() == 8
    assert greeted == [1] * 8


def test_nobody_is_there(make_pool):
    with RefusingPort() as port:
        pool = make_pool(min_idle=3, port=port)
        with pytest.raises(ConnectionError, match="refused") as caught:
            pool.warm_up()
        assert caught.value.maybe_applied is False
        assert pool._created_connections == len(pool._available_connections) == 1
        assert sound(pool)


def test_what_was_made_before_an_error_stays(make_pool, node):
    pool = make_pool(min_idle=4)
    node.script(ACCEPT, *[lambda link, execute: None] * 2, close)
    with pytest.raises(ConnectionError):
        pool.warm_up()
    assert [connection._sock is not None for connection in pool._available_connections].count(True) == 2
    assert pool.warm_up() == 4
    assert pool._created_connections == 4


def test_nobody_answers(make_pool, node):
    node.always(ACCEPT, hold)
    pool = make_pool(min_idle=3, socket_connect_timeout=0.1)
    with pytest.raises(TimeoutError):
        pool.warm_up()
    assert len(node.links) == 1


def test_the_wrong_password(make_pool, server):
    pool = make_pool(min_idle=3, host=server.host, port=server.port, username="nobody", password="x")
    with pytest.raises(AuthenticationError):
        pool.warm_up()
    assert pool._created_connections == 1


def test_a_closed_pool(make_pool):
    pool = make_pool(min_idle=1)
    pool.close()
    with pytest.raises(ConnectionError, match="this pool has been closed"):
        pool.warm_up()


def test_who_waits_is_served_first(node):
    """A place becomes free without a return: what is made there is for the first in the line."""
    with BlockingConnectionPool(1, 20, host="127.0.0.1", port=node.port, min_idle=1) as pool:
        lent, found = pool.get_connection(), []
        with meanwhile(lambda: found.append(pool.get_connection())):
            while not pool._waiting:
                time.sleep(0.001)
            assert pool.warm_up() == 0, "all that there may be are in use"
            pool.release(lent)
        assert found == [lent]
        pool.release(lent)


def test_the_one_connection_of_a_client(node):
    with StrictRedis(**node.options, single_connection_client=True, min_idle=3) as client:
        assert client.connection_pool.warm_up() == 1
        assert client.ping() is True
        assert len(node.links) == 1


def test_a_class_of_the_users():
    class Own(Dummy):
        def connect(self):
            raise AssertionError("what it has not asked for")

    pool = ConnectionPool(Own, min_idle=2)
    assert pool.warm_up() == 2
    assert pool._created_connections == 2


def test_beside_others(server):
    """Warming up takes nothing from those who work, and stops."""
    with ConnectionPool(host=server.host, port=server.port, min_idle=6) as pool:
        client, wrong = client_of(pool), []

        def work(name):
            for number in range(200):
                client.set(name, number)
                wrong.extend([name] * (client.get(name) != b"%d" % number))

        threads = [threading.Thread(target=work, args=(f"warm-{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            assert pool.warm_up() >= 0
            time.sleep(0)  # those who work may be greenlets
        for thread in threads:
            thread.join()
        assert wrong == []
        assert pool.warm_up() >= 6
        assert pool._created_connections <= 6 + 4 + 1
        assert sound(pool)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_interrupted(server):
    with ConnectionPool(host=server.host, port=server.port, max_connections=3, min_idle=2) as pool:
        for run in interruptions(pool.warm_up, INSTRUCTION, prepare=pool.disconnect, step=7):
            assert sound(pool), run
        held = [pool.get_connection() for _ in range(3)]
        for connection in held:
            connection.send_command("PING")
            assert connection.read_response() == b"PONG"
            pool.release(connection)
