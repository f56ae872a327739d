"""redis/connection/single.py: the single connection that a client keeps for itself."""

import threading
import time

import pytest

from redis.client import StrictRedis
from redis.connection.pool import ConnectionPool, closed_error
from redis.connection.single import SingleConnectionPool
from redis.exceptions import (
    ConnectionError,
    RedisError,
)
from tests.connection.doubles import Classic, Dummy, client_of
from tests.faults.fakenode import silent


@pytest.fixture(params=[StrictRedis, Classic], ids=["short", "classic"])
def single(request, make_client):
    return make_client(request.param, single_connection_client=True)


def test_a_single_connection_keeps_its_state(single):
    for db in (5, 6):
        assert single.execute_command("SELECT", db)
        single.set("k", db)
        assert single.get("k") == b"%d" % db
        assert b" db=%d " % db in single.execute_command("CLIENT", "INFO")
    single.execute_command("SELECT", 5)
    single.delete("k")


def test_a_single_connection_is_one(single):
    assert len({single.client_id() for _ in range(5)}) == 1


def test_lost_state_is_an_error_once(single, server):
    single.execute_command("SELECT", 5)
    single.set("k", "in 5")
    single.connection_pool._mine().disconnect()
    with pytest.raises(ConnectionError, match="what earlier commands had set on it") as caught:
        single.set("k", "in 0")
    assert caught.value.maybe_applied is False
    assert single.get("k") is None
    single.execute_command("SELECT", 5)
    assert single.get("k") == b"in 5"
    single.delete("k")


def test_a_single_connection_without_state_is_made_anew_in_silence(single):
    single.set("k", "v")
    single.connection_pool._mine().disconnect()
    assert single.get("k") == b"v"


def test_a_second_thread_in_the_middle_of_a_command(node):
    with StrictRedis(**node.options, single_connection_client=True) as client:
        client.ping()
        node.script("GET", silent)

        def first():
            client.get("k")

        thread = threading.Thread(target=first, daemon=True)
        with pytest.raises(RedisError, match="the single connection of this client is in the middle of a command"):
            thread.start()
            while not node.count("GET"):
                time.sleep(0.001)
            client.ping()
        node.close_links()
        thread.join(5)
        assert client.ping() is True


def test_closing_gives_the_connection_back(node):
    for cls in (StrictRedis, Classic):
        with ConnectionPool(max_connections=1, host="127.0.0.1", port=node.port) as lender:
            client = cls(connection_pool=lender, single_connection_client=True)
            client.execute_command("SELECT", 5)
            with pytest.raises(ConnectionError, match="Too many connections"):
                client_of(lender).ping()
            client.close()
            assert len(lender._available_connections) == 1
            assert client_of(lender).execute_command("CLIENT", "INFO").startswith(b"db=0 ")
            with pytest.raises(ConnectionError, match="this client has been closed"):
                client.ping()


def test_closing_a_single_connection_that_was_never_used(node):
    client = StrictRedis(**node.options, single_connection_client=True)
    client.close()
    with pytest.raises(ConnectionError, match="this client has been closed"):
        client.ping()
    assert node.links == []


def test_a_single_pool_that_was_closed_lends_nothing():
    pool = SingleConnectionPool(ConnectionPool(Dummy))
    pool.close()
    with pytest.raises(ConnectionError, match="this client has been closed"):
        pool.make_connection()


def test_the_repr_of_a_single_connection_client():
    client = StrictRedis("h", password="secret", single_connection_client=True)
    assert repr(client) == "StrictRedis<SingleConnectionPool<Connection<host=h,port=6379,db=0>>>"


def test_the_error_of_a_closed_one():
    error = closed_error("thing")
    assert str(error) == "this thing has been closed"


def test_a_connection_that_is_lost_between_two_stores_is_missed(make_client):
    client = make_client(single_connection_client=True)
    client.execute_command("SELECT", 5)
    client.connection_pool._available_connections.pop()  # what a signal between pop and store leaves
    with pytest.raises(ConnectionError, match="what earlier commands had set on it"):
        client.get("k")
    assert b" db=0 " in client.execute_command("CLIENT", "INFO")
