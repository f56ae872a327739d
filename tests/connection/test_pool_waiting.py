"""redis/connection/pool.py: the pool that waits, first come, first served."""

import gc
import threading
import time
import weakref

import pytest

from redis.connection import pool as module
from redis.connection.idle import Turn
from redis.connection.pool import BlockingConnectionPool
from redis.exceptions import ConnectionError, MaxConnectionsError
from tests.connection.doubles import Dummy, client_of
from tests.connection.pair import meanwhile
from tests.faults.fakenode import answer


@pytest.fixture
def waiting():
    """A pool of one connection that is lent, and a time-out that is never reached."""
    pool = BlockingConnectionPool(max_connections=1, timeout=10, connection_class=Dummy)
    return pool, pool.get_connection()


def take_in_turn(pool, order, name):
    connection = pool.get_connection()
    order.append(name)
    pool.release(connection)


def in_line(pool, count):
    while len(pool._waiting) < count:
        time.sleep(0.001)


def test_the_time_out_holds():
    pool = BlockingConnectionPool(max_connections=1, timeout=0.15, connection_class=Dummy)
    connection = pool.get_connection()
    start = time.monotonic()
    with pytest.raises(ConnectionError, match=r"^No connection available\.$") as caught:
        pool.get_connection()
    assert 0.14 <= time.monotonic() - start < 1
    assert caught.value.maybe_applied is False
    assert pool._waiting == {}
    pool.release(connection)


@pytest.mark.parametrize("timeout", [10, None])
def test_who_waits_gets_what_comes_back_at_once(timeout):
    pool = BlockingConnectionPool(max_connections=1, timeout=timeout, connection_class=Dummy)
    connection = pool.get_connection()
    found = []
    with meanwhile(lambda: found.append((pool.get_connection(), time.monotonic()))):
        in_line(pool, 1)
        released = time.monotonic()
        pool.release(connection)
    assert found[0][0] is connection
    assert found[0][1] - released < 0.08


def test_first_come_first_served(waiting):
    pool, connection = waiting
    order, threads = [], []
    for name in range(6):
        threads.append(threading.Thread(target=take_in_turn, args=(pool, order, name), daemon=True))
        threads[-1].start()
        in_line(pool, name + 1)
    pool.release(connection)
    for thread in threads:
        thread.join(5)
    assert order == list(range(6))


def test_who_comes_late_does_not_push_in(waiting):
    pool, connection = waiting
    turn = Turn()
    pool._waiting[weakref.ref(turn)] = None
    pool.release(connection)
    with pytest.raises(IndexError, match="others were first"):
        pool._available_connections.pop()
    pool.timeout = 0.05
    with pytest.raises(MaxConnectionsError):
        pool.get_connection()
    del turn
    assert pool.get_connection() is connection


def test_an_interrupted_waiter_passes_the_turn_on(waiting, monkeypatch):
    pool, connection = waiting
    order = []

    class Interrupted(Turn):
        def wait(self, seconds):
            super().wait(seconds)
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "Turn", Interrupted)

    def interrupted():
        with pytest.raises(KeyboardInterrupt):
            pool.get_connection()

    with meanwhile(interrupted):
        in_line(pool, 1)
        monkeypatch.setattr(module, "Turn", Turn)
        with meanwhile(take_in_turn, pool, order, "second"):
            in_line(pool, 1)
            pool.release(connection)
    assert order == ["second"]
    assert pool._waiting == {}


def test_a_place_that_becomes_free_without_a_return_is_found(waiting):
    pool, connection = waiting
    found = []
    with meanwhile(lambda: found.append(pool.get_connection())):
        in_line(pool, 1)
        del connection
        waiting = None
        gc.collect()
        pool._live.clear()
    assert len(found) == 1


def test_many_threads_and_few_connections(node):
    node.always("GET", lambda link, execute: (time.sleep(0.001), answer(link, execute)))
    with BlockingConnectionPool(max_connections=3, timeout=20, host="127.0.0.1", port=node.port) as pool:
        client, found = client_of(pool), []
        client.set("k", "v")

        def work():
            found.extend(client.get("k") for _ in range(20))

        threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert found == [b"v"] * 160
        assert len(node.links) <= 3
        assert len(pool._available_connections) == pool._created_connections <= 3


def test_who_waits_while_the_pool_is_reset_is_served(server):
    pool = BlockingConnectionPool(max_connections=1, timeout=5, host=server.host, port=server.port)
    lent = pool.get_connection()
    found = []
    thread = threading.Thread(target=lambda: found.append(pool.get_connection()))
    thread.start()
    while not pool._waiting:
        time.sleep(0.001)
    pool.reset()
    thread.join(2)
    assert len(found) == 1
    assert found[0] is not lent
