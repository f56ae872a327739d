"""redis/connection/pool.py: who may use which connection, and how many there are."""

import gc
import os
import threading
import time
import weakref
from unittest import mock

import pytest

from redis.client import StrictRedis
from redis.connection.pool import (
    NO_LIMIT,
    POOLS,
    BlockingConnectionPool,
    ConnectionPool,
    close_if_stale,
)
from redis.connection.tcp import Connection
from redis.connection.tls import SSLConnection
from redis.connection.unix import UnixDomainSocketConnection
from redis.connection.wire import NEVER
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    MasterDownError,
    MaxConnectionsError,
    ReadOnlyError,
    ResponseError,
)
from tests.connection.doubles import Classic, Dummy, client_of
from tests.faults.fakenode import RefusingPort, raw, refuse

POOL_CLASSES = [ConnectionPool, BlockingConnectionPool]


@pytest.fixture
def patience():
    return 0.05


# What a pool is made of


def test_a_class_of_the_users_gets_exactly_the_keywords_of_the_pool():
    kwargs = {"foo": "bar", "biz": [1], "socket_timout": 2, "host": "h"}
    for pool_class in POOL_CLASSES:
        connection = pool_class(connection_class=Dummy, **kwargs).get_connection("_")
        assert isinstance(connection, Dummy)
        assert connection.kwargs == kwargs


def test_a_class_of_the_users_gets_the_keywords_of_a_url_as_well():
    pool = ConnectionPool.from_url("redis://h:1/2?foo=bar&socket_timout=1", connection_class=Dummy)
    kwargs = {"host": "h", "port": 1, "db": 2, "password": None, "foo": "bar", "socket_timout": "1"}
    assert pool.get_connection().kwargs == kwargs


def test_a_class_of_the_users_that_derives_from_ours_is_not_told_more(tls_server):
    class Own(SSLConnection):
        def __init__(self, **kwargs):
            self.kwargs = kwargs
            super().__init__(**kwargs)

    kwargs = {"host": tls_server.host, "port": tls_server.port, "ssl_ca_certs": tls_server.ca_file}
    with ConnectionPool(Own, **kwargs) as pool:
        assert pool.make_connection().kwargs == kwargs
        assert client_of(pool).ping() is True


def test_a_class_of_the_users_may_have_no_more_than_a_pid():
    pool = ConnectionPool(Dummy, max_connections=2)
    one, two = pool.get_connection(), pool.get_connection()
    pool.release(one)
    assert pool.get_connection() is one
    pool.release(one)
    pool.release(two)
    pool.disconnect()
    pool.disconnect(immediate=True)
    assert pool.get_connection() in (one, two)
    pool.close()


def test_the_repr_of_a_pool_whose_class_has_no_description():
    class Bare:
        pid = 0

    assert "Bare" in repr(ConnectionPool(Bare, password="secret"))


@pytest.mark.parametrize("pool_class", POOL_CLASSES)
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "Connection<host=localhost,port=6379,db=0>"),
        ({"host": "h", "port": 1, "client_name": "x"}, "Connection<host=h,port=1,db=0>"),
        ({"connection_class": UnixDomainSocketConnection, "path": "/x"}, "UnixDomainSocketConnection<path=/x,db=0>"),
        (
            {"connection_class": UnixDomainSocketConnection, "path": "/x", "db": 1},
            "UnixDomainSocketConnection<path=/x,db=1>",
        ),
        ({"connection_class": SSLConnection, "host": "h"}, "SSLConnection<host=h,port=6379,db=0>"),
    ],
)
def test_repr_before_any_connection(pool_class, options, text):
    pool = pool_class(**options, password="secret", username="user")
    assert repr(pool) == f"{pool_class.__name__}<{text}>"
    assert repr(client_of(pool)) == f"StrictRedis<{pool!r}>"


@pytest.mark.parametrize("value", [-1, "5", 1.5])
def test_a_number_of_connections_that_is_none(value):
    with pytest.raises(ValueError, match='"max_connections" must be a positive integer'):
        ConnectionPool(max_connections=value)


def test_no_limit():
    assert ConnectionPool().max_connections == NO_LIMIT
    assert BlockingConnectionPool().max_connections == 50
    assert BlockingConnectionPool().timeout == 20


def test_an_old_keyword_of_the_pool_that_waits():
    pool = BlockingConnectionPool(3, 1.5, Dummy, list)
    assert (pool.max_connections, pool.timeout, pool.connection_class) == (3, 1.5, Dummy)
    assert pool.get_connection().kwargs == {}


@pytest.mark.parametrize("pool_class", POOL_CLASSES)
def test_a_misspelt_option_is_an_error_at_construction(pool_class):
    with pytest.raises(TypeError, match=f"{pool_class.__name__} has no option 'socket_timout'; did you mean"):
        pool_class(socket_timout=1)


def test_the_encoder_of_a_pool():
    pool = ConnectionPool(encoding="latin-1", encoding_errors="replace", decode_responses=True)
    assert repr(pool.get_encoder()) == "Encoder('latin-1', 'replace', decode_responses=True)"
    assert repr(ConnectionPool().encoder()) == "Encoder('utf-8', 'strict', decode_responses=False)"


# Out and back


def test_the_last_one_back_is_the_first_one_out(make_pool):
    pool = make_pool()
    one, two = pool.get_connection("_"), pool.get_connection("_")
    assert one is not two
    pool.release(one)
    pool.release(two)
    assert pool.get_connection() is two
    assert pool.get_connection() is one


def test_as_many_as_there_may_be(make_pool):
    pool = make_pool(max_connections=3)
    lent = [pool.get_connection() for _ in range(3)]
    with pytest.raises(ConnectionError) as caught:
        pool.get_connection()
    assert isinstance(caught.value, MaxConnectionsError)
    assert caught.value.maybe_applied is False
    assert pool._created_connections == 3
    pool.release(lent[0])
    assert pool.get_connection() is lent[0]


def test_the_words_of_the_error():
    pool = ConnectionPool(Dummy, max_connections=1)
    connection = pool.get_connection()
    with pytest.raises(ConnectionError, match=r"^Too many connections$") as caught:
        pool.get_connection()
    assert caught.value.phase == "pool"
    pool.release(connection)


def test_a_borrowed_connection_that_is_dropped_frees_its_place(make_pool):
    pool = make_pool(max_connections=2)
    kept = pool.get_connection()
    for _ in range(10):
        pool.get_connection()
    assert pool._created_connections == 1
    pool.release(kept)


def test_constructors_that_fail_take_no_place():
    class Failing(Dummy):
        fail = True

        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            if self.fail:
                raise LookupError("no")

    pool = ConnectionPool(Failing, max_connections=1)
    for _ in range(1000):
        with pytest.raises(LookupError):
            pool.get_connection()
    Failing.fail = False
    assert pool.get_connection().kwargs == {}


@pytest.mark.parametrize("pool_class", POOL_CLASSES)
def test_failures_to_connect_take_no_place(pool_class):
    with RefusingPort() as port, pool_class(max_connections=2, host="127.0.0.1", port=port) as pool:
        for _ in range(200):
            with pytest.raises(ConnectionError, match="refused"):
                client_of(pool).ping()
        assert len(pool._available_connections) == 1
        assert [pool.get_connection() for _ in range(2)]


def test_released_twice(make_pool):
    pool = make_pool()
    connection = pool.get_connection()
    pool.release(connection)
    pool.release(connection)
    assert pool._available_connections == [connection]


def test_released_without_having_been_lent(make_pool):
    pool = make_pool()
    pool.release(Connection())
    assert pool._available_connections == []


def test_released_to_another_pool(make_pool):
    mine, other = make_pool(max_connections=1), make_pool(max_connections=1)
    connection = other.get_connection()
    mine.release(connection)
    assert mine._available_connections == []
    other.release(connection)
    assert other._available_connections == [connection]


def test_released_in_another_process(make_pool):
    pool = make_pool()
    connection = pool.get_connection()
    connection.pid = -1
    pool.release(connection)
    assert pool._available_connections == []


def test_what_owes_a_reply_comes_back_closed(make_pool):
    pool = make_pool()
    connection = pool.get_connection()
    connection.send_command("PING")
    pool.release(connection)
    assert (connection._sock, connection.owed) == (None, 0)
    assert pool._available_connections == [connection]
    assert client_of(pool).get("k") is None


def test_what_has_more_to_say_comes_back_closed(make_pool, node):
    pool = make_pool()
    node.script("PING", raw(b"+PONG\r\n+EXTRA\r\n"))
    connection = pool.get_connection()
    connection.send_command("PING")
    assert connection.read_response() == b"PONG"
    pool.release(connection)
    assert connection._sock is None


def test_a_connection_in_good_order_comes_back_open(make_pool):
    pool = make_pool()
    connection = pool.get_connection()
    connection.send_command("PING")
    connection.read_response()
    pool.release(connection)
    assert connection._sock is not None
    assert pool.get_connection() is connection


def test_a_stale_connection_is_closed_on_the_way_out(make_pool, node):
    pool = make_pool()
    client_of(pool).ping()
    (connection,) = pool._available_connections
    node.close_links()
    time.sleep(0.07)
    assert pool.get_connection() is connection
    assert connection._sock is None


def test_a_connection_that_is_still_good_stays_open(make_pool):
    pool = make_pool()
    client_of(pool).ping()
    (connection,) = pool._available_connections
    time.sleep(0.07)
    sock, used = connection._sock, connection.used
    close_if_stale(connection)
    assert connection._sock is sock
    assert connection.used > used


@pytest.mark.parametrize("pool_class", POOL_CLASSES)
def test_commands_that_change_the_connection_do_not_poison_the_pool(pool_class, server):
    with pool_class(host=server.host, port=server.port, max_connections=1) as pool:
        client = client_of(pool)
        client.execute_command("select", 5)
        client.set("k", "in db 0")
        connection = pool.get_connection()
        assert connection._sock is not None
        pool.release(connection)
        assert b" db=0 " in client.execute_command("CLIENT", "INFO")


# Closing


def test_disconnect_is_lazy(make_pool):
    pool = make_pool()
    client_of(pool).ping()
    (idle,) = pool._available_connections
    sock = idle._sock
    pool.disconnect()
    assert idle._sock is sock
    assert client_of(pool).ping() is True
    assert pool._available_connections == [idle]
    assert idle._sock is not sock


def test_disconnect_drops_what_is_lent_at_its_next_turn(make_pool):
    pool = make_pool()
    connection = pool.get_connection()
    connection.connect()
    pool.disconnect()
    connection.send_command("PING")
    assert connection.read_response() == b"PONG"
    pool.release(connection)
    assert connection._sock is None
    assert pool._available_connections == [connection]


@pytest.mark.parametrize("lend", [False, True])
def test_disconnect_at_once(make_pool, lend):
    pool = make_pool()
    connection = pool.get_connection()
    connection.connect()
    if not lend:
        pool.release(connection)
    pool.disconnect(immediate=True)
    assert connection._sock is None
    if lend:
        pool.release(connection)
    assert pool._available_connections == [connection]
    assert client_of(pool).ping() is True


def test_generations(make_pool):
    pool = make_pool()
    connection = pool.get_connection()
    assert (pool.generation, connection.pool_generation) == (0, 0)
    pool.release(connection)
    pool.disconnect()
    assert (pool.generation, connection.pool_generation) == (1, 0)
    assert pool.get_connection() is connection
    assert connection.pool_generation == 1
    pool.release(connection)


def test_every_disconnect_keeps_the_capacity(make_pool):
    pool = make_pool(max_connections=2)
    for immediate in (False, True) * 20:
        one, two = pool.get_connection(), pool.get_connection()
        pool.release(one)
        pool.disconnect(immediate)
        pool.release(two)
    assert sorted(map(id, pool._available_connections)) == sorted(map(id, (one, two)))


def test_a_disconnect_in_the_middle_of_a_return(make_pool):
    """The connection comes back to the list that another thread has just put away."""
    pool = make_pool()

    class Interrupted(list):
        def append(self, item):
            pool.disconnect()
            super().append(item)

    pool._available_connections = Interrupted()
    connection = pool.get_connection()
    connection.connect()
    pool.release(connection)
    assert pool._available_connections == [connection]
    assert connection._sock is None


def test_a_custom_class_is_disconnected_as_well():
    connection_class = mock.Mock(side_effect=lambda **kwargs: mock.Mock(pid=os.getpid()), description_format="")
    pool = ConnectionPool(connection_class)
    idle, lent = pool.get_connection(), pool.get_connection()
    pool.release(idle)
    pool.disconnect()
    idle.disconnect.assert_called_once_with()
    lent.disconnect.assert_not_called()
    pool.release(lent)
    lent.disconnect.assert_called_once_with()


def test_a_closed_pool_says_so(make_pool):
    pool = make_pool()
    client = client_of(pool)
    client.ping()
    (connection,) = pool._available_connections
    pool.close()
    assert connection._sock is None
    fresh = make_pool()
    fresh.close()
    with pytest.raises(ConnectionError, match="this pool has been closed") as caught:
        client_of(fresh).ping()
    assert (caught.value.maybe_applied, caught.value.phase) == (False, "pool")


def test_a_closed_pool_lends_nothing_that_it_still_has(make_pool):
    pool = make_pool()
    client_of(pool).ping()
    pool.close()
    with pytest.raises(ConnectionError, match="this pool has been closed"):
        client_of(pool).ping()
    with pytest.raises(ConnectionError, match="this pool has been closed"):
        pool.get_connection()


def test_a_pool_that_another_thread_closes_while_it_lends(make_pool):
    pool = make_pool()
    connection = pool.get_connection()
    connection.connect()

    class Closed(list):
        def pop(self, *index):
            taken = super().pop(*index)
            pool.close()
            return taken

    pool._available_connections = Closed([connection])
    with pytest.raises(ConnectionError, match="this pool has been closed"):
        pool.get_connection()
    assert connection._sock is None


def test_a_pool_in_a_with_block(node):
    with ConnectionPool(host="127.0.0.1", port=node.port) as pool:
        client_of(pool).ping()
        (connection,) = pool._available_connections
    assert connection._sock is None
    assert pool.closed


@pytest.mark.parametrize("way", [StrictRedis, Classic], ids=["short", "classic"])
@pytest.mark.parametrize(
    ("line", "kind"),
    [("READONLY no", ReadOnlyError), ("MASTERDOWN gone", MasterDownError), ("LOADING wait", BusyLoadingError)],
)
def test_a_server_that_is_not_what_it_was_is_left(make_pool, node, way, line, kind):
    pool = make_pool()
    one, two, lent = (pool.get_connection() for _ in range(3))
    for connection in (one, two, lent):
        connection.connect()
    pool.release(one)
    pool.release(two)
    node.script("SET", refuse(line))
    client = way(connection_pool=pool)
    with pytest.raises(kind):
        client.set("k", "v")
    assert [connection._sock for connection in pool._available_connections] == [None, None]
    assert lent._sock is not None
    pool.release(lent)
    assert lent._sock is None
    assert client.set("k", "v") is True


def test_an_ordinary_refusal_keeps_the_connection(make_pool, node):
    pool = make_pool()
    node.script("SET", refuse("ERR no"))
    with pytest.raises(ResponseError):
        client_of(pool).set("k", "v")
    assert pool._available_connections[0]._sock is not None
    assert pool.generation == 0


def test_reset_forgets(make_pool):
    pool = make_pool(max_connections=1)
    connection = pool.get_connection()
    pool.reset()
    assert (pool._created_connections, pool._available_connections) == (0, [])
    assert pool.get_connection() is not connection


def test_a_pool_that_is_dropped_is_forgotten():
    gc.collect()
    before = len(POOLS)
    pool = ConnectionPool(Dummy)
    assert len(POOLS) == before + 1
    watcher = weakref.ref(pool)
    del pool
    gc.collect()
    assert watcher() is None
    assert len(POOLS) == before


def test_a_list_that_another_thread_has_emptied_meanwhile():
    pool = ConnectionPool(Dummy)

    class Emptied(list):
        def __bool__(self):
            return True

    pool.take_over(Emptied())
    assert pool._available_connections == []


@pytest.mark.parametrize("pool_class", [ConnectionPool, BlockingConnectionPool])
def test_what_comes_back_to_a_closed_pool_is_closed(pool_class, server):
    pool = pool_class(host=server.host, port=server.port)
    connection = pool.get_connection()
    connection.connect()
    threading.Thread(target=pool.close).start()
    while not pool.closed:
        time.sleep(0.001)
    pool.release(connection)
    assert connection._sock is None
    with pytest.raises(ConnectionError, match="this pool has been closed"):
        StrictRedis(connection_pool=pool).get("k")


def test_a_connection_of_another_thread_is_not_closed_under_its_feet(server):
    pool = ConnectionPool(host=server.host, port=server.port)
    connection = pool.get_connection()
    connection.connect()
    sock = connection._sock
    thread = threading.Thread(target=pool.disconnect, kwargs={"immediate": True})
    thread.start()
    thread.join()
    assert sock.fileno() >= 0, "its owner may be about to write"
    pool.release(connection)
    assert sock.fileno() < 0
    pool.close()


def test_what_this_thread_has_is_closed_at_once(server):
    with ConnectionPool(host=server.host, port=server.port) as pool:
        connection = pool.get_connection()
        connection.connect()
        pool.disconnect(immediate=True)
        assert connection._sock is None


# While a generation ends


@pytest.fixture
def small_pool(node):
    """A pool of one connection, which never waits."""
    with ConnectionPool(host="127.0.0.1", port=node.port, max_connections=1) as pool:
        yield pool


def test_what_is_on_its_way_to_the_new_generation_is_found(small_pool):
    """Another thread ends a generation: the old list is not empty yet, and the new one still is."""
    connection = small_pool.get_connection()
    connection.connect()
    small_pool.release(connection)
    old = small_pool._end_generation()
    assert small_pool.get_connection() is connection and connection.used == NEVER
    assert old == [] and small_pool._created_connections == 1
    with pytest.raises(MaxConnectionsError):
        small_pool.get_connection()


def test_who_looked_at_the_old_list_too_late_finds_it_in_the_new_one(small_pool):
    connection = small_pool.get_connection()
    small_pool.release(connection)
    assert small_pool.make_connection() is connection
