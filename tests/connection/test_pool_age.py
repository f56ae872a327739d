"""redis/connection/pool.py: how long a connection may be idle, and how long it may live."""

import time

import pytest

from redis.client import Redis, StrictRedis
from redis.connection.pool import BlockingConnectionPool, ConnectionPool
from redis.exceptions import WatchError
from tests.connection.doubles import Classic, Dummy, client_of

POOL_CLASSES = [ConnectionPool, BlockingConnectionPool]
LIMITS = ["max_idle_time", "max_lifetime"]


@pytest.fixture(params=[StrictRedis, Classic], ids=["short", "classic"])
def way(request):
    return request.param


def grow_older(pool, seconds):
    """Have all that lies in the pool been made, and used, so many seconds earlier."""
    for connection in pool._available_connections:
        connection.used -= seconds
        connection.expires -= seconds


@pytest.mark.parametrize("name", LIMITS)
def test_what_is_too_old_is_made_anew_at_its_next_use(make_pool, node, way, name):
    pool = make_pool(**{name: 10})
    client = way(connection_pool=pool)
    client.ping()
    (connection,) = pool._available_connections
    grow_older(pool, 10.1)
    assert connection._sock is not None, "nobody closes it before it is used"
    assert client.ping() is True
    assert (len(node.links), pool._available_connections) == (2, [connection])
    assert client.ping() is True
    assert len(node.links) == 2, "its time begins anew"


@pytest.mark.parametrize("name", LIMITS)
def test_what_is_young_is_kept(make_pool, node, way, name):
    pool = make_pool(**{name: 10})
    client = way(connection_pool=pool)
    for _ in range(4):
        client.ping()
        grow_older(pool, 2)
    assert len(node.links) == 1


def test_idle_is_what_is_not_used_however_long_it_lives(make_pool, node, way):
    pool = make_pool(max_idle_time=10)
    client = way(connection_pool=pool)
    for _ in range(5):
        client.ping()
        grow_older(pool, 9)
    assert len(node.links) == 1


@pytest.mark.parametrize("both", [{}, {"max_idle_time": 10}], ids=str)
def test_a_connection_in_constant_use_does_not_live_for_ever(make_pool, node, way, both):
    pool = make_pool(max_lifetime=0.2, max_connections=1, **both)
    client, end = way(connection_pool=pool), time.monotonic() + 20
    while len(node.links) < 4 and time.monotonic() < end:
        assert client.ping() is True
    assert len(node.links) == 4
    assert node.count("PING") > 20, "each is used many times"


def test_a_pipeline_finds_a_young_connection(make_pool, node):
    pool = make_pool(max_lifetime=10)
    client = client_of(pool)
    client.ping()
    grow_older(pool, 10)
    assert client.pipeline().set("a", 1).get("a").execute() == [True, b"1"]
    assert len(node.links) == 2


def test_what_was_made_together_does_not_end_together(make_pool):
    pool = make_pool(max_lifetime=100, max_connections=40)
    lent = [pool.get_connection() for _ in range(40)]
    for connection in lent:
        connection.connect()
    left = [connection.expires - connection.used for connection in lent]
    for connection in lent:
        pool.release(connection)
    assert all(89.9 < seconds <= 100 for seconds in left)
    assert len({round(seconds, 2) for seconds in left}) > 10
    assert max(left) - min(left) > 3


def test_who_waits_gets_a_young_one(node):
    with BlockingConnectionPool(1, 5, host="127.0.0.1", port=node.port, max_lifetime=10) as pool:
        client = client_of(pool)
        client.ping()
        grow_older(pool, 10)
        assert pool._wait()._sock is None


def test_a_plain_list_where_nobody_asks():
    assert type(ConnectionPool()._available_connections) is list
    assert type(ConnectionPool(max_idle_time=5)._available_connections) is list
    assert type(ConnectionPool(max_lifetime=5)._available_connections) is not list


def test_every_generation_has_its_age(make_pool):
    pool = make_pool(max_lifetime=10)
    kind = type(pool._available_connections)
    pool.disconnect()
    assert type(pool._available_connections) is kind
    pool.retire()
    assert type(pool._available_connections) is kind
    pool.reset()
    assert type(pool._available_connections) is kind


# Who keeps a connection


@pytest.fixture
def single(node, way):
    """A client that keeps one connection, of which neither limit lasts long."""
    with way(**node.options, single_connection_client=True, max_idle_time=10, max_lifetime=10) as client:
        client.ping()
        yield client


def test_one_that_is_kept_is_made_anew_while_nothing_is_set_on_it(single, node):
    grow_older(single.connection_pool, 11)
    assert single.ping() is True
    assert len(node.links) == 2


def test_one_that_is_kept_and_in_constant_use_does_not_live_for_ever(single, node):
    (connection,) = single.connection_pool._available_connections
    connection.expires -= 11
    assert single.ping() is True
    assert len(node.links) == 2
    single.execute_command("SELECT", 5)
    connection.expires -= 11
    assert single.ping() is True
    assert len(node.links) == 2


def test_one_that_a_command_has_changed_is_left_alone(single, node):
    single.execute_command("SELECT", 5)
    grow_older(single.connection_pool, 11)
    single.set("k", "in 5")
    assert single.execute_command("CLIENT", "INFO").startswith(b"db=5 ")
    assert len(node.links) == 1


@pytest.mark.parametrize("kept", [False, True], ids=["pooled", "single"])
def test_what_watches_is_left_alone(server, kept):
    options = {"single_connection_client": kept, "max_idle_time": 10, "max_lifetime": 10}
    with StrictRedis(server.host, server.port, **options) as client, client.pipeline() as pipe:
        pipe.watch("age")
        number = pipe.execute_command("CLIENT", "ID")
        pipe.connection.used -= 11
        pipe.connection.expires -= 11
        pipe.multi()
        pipe.execute_command("CLIENT", "ID")
        assert pipe.execute() == [number]
        pipe.watch("age")
        pipe.connection.used -= 11
        pipe.connection.expires -= 11
        with StrictRedis(server.host, server.port) as other:
            other.incr("age")
        pipe.multi()
        pipe.incr("age")
        with pytest.raises(WatchError):
            pipe.execute()
        client.delete("age")


def test_who_listens_is_left_alone(server):
    options = {"max_idle_time": 10, "max_lifetime": 10}
    with StrictRedis(server.host, server.port, **options) as client, client.pubsub() as listener:
        listener.subscribe("news")
        assert listener.get_message(timeout=5)["type"] == "subscribe"
        link = listener.connection._sock
        listener.connection.used -= 11
        listener.connection.expires -= 11
        client.publish("news", "x")
        assert listener.get_message(timeout=5)["data"] == b"x"
        assert listener.connection._sock is link


# The options


@pytest.mark.parametrize("make", [*POOL_CLASSES, StrictRedis, Redis])
@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", [0, -1, "5", float("nan")])
def test_what_is_no_time(make, name, value):
    with pytest.raises(ValueError, match=f"{name} is .*; it takes a positive number of seconds, or None"):
        make(**{name: value})


@pytest.mark.parametrize("make", [*POOL_CLASSES, StrictRedis, Redis])
def test_a_misspelt_one(make):
    with pytest.raises(TypeError, match="has no option 'max_life_time'; did you mean 'max_lifetime'"):
        make(max_life_time=5)


@pytest.mark.parametrize("make", [ConnectionPool, BlockingConnectionPool, StrictRedis, Redis])
def test_in_a_url(make):
    made = make.from_url("redis://h?max_idle_time=60&max_lifetime=3600.5&min_idle=2")
    pool = getattr(made, "connection_pool", made)
    assert (pool.max_idle_time, pool.max_lifetime, pool.min_idle) == (60, 3600.5, 2)
    made = make.from_url("redis://h", max_idle_time=60)
    pool = getattr(made, "connection_pool", made)
    assert (pool.max_idle_time, pool.max_lifetime, pool.min_idle) == (60, None, 0)


def test_of_a_client():
    pool = StrictRedis(max_idle_time=60, max_lifetime=3600, min_idle=1).connection_pool
    assert (pool.max_idle_time, pool.max_lifetime, pool.min_idle) == (60, 3600, 1)
    with pytest.raises(TypeError, match=r"connection_pool.* max_lifetime"):
        StrictRedis(connection_pool=pool, max_lifetime=5)


def test_a_class_of_the_users_is_not_told():
    pool = ConnectionPool(Dummy, max_idle_time=60, max_lifetime=3600, min_idle=1, host="h")
    connection = pool.get_connection()
    assert connection.kwargs == {"host": "h"}
    pool.release(connection)
    assert pool.get_connection() is connection
