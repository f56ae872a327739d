"""redis/sentinel_url.py: what a URL of sentinels says, and what it must not say."""

import pytest

import redis
from redis.connection import BlockingConnectionPool, ConnectionPool
from redis.connection.managed import SentinelManagedConnection, SentinelManagedSSLConnection
from redis.sentinel import SENTINEL_TIMEOUT, Sentinel, SentinelConnectionPool
from tests.servers import sentinels, standalone


def options_of(sentinel):
    return sentinel.connection_pool.connection_kwargs


def places(pool):
    return [(options_of(one)["host"], options_of(one)["port"]) for one in pool.sentinel_manager.sentinels]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis+sentinel://a/x", [("a", 26379)]),
        ("redis+sentinel://a:1,b,c:3/x", [("a", 1), ("b", 26379), ("c", 3)]),
        ("redis+sentinel://:secret@a:1,b:2/x", [("a", 1), ("b", 2)]),
        ("redis+sentinel://[::1]:1/x", [("::1", 1)]),
        ("redis+sentinel:///x", [("localhost", 26379)]),
    ],
)
def test_the_sentinels(url, expected):
    pool = ConnectionPool.from_url(url)
    assert type(pool) is SentinelConnectionPool
    assert (places(pool), pool.service_name, pool.is_master) == (expected, "x", True)


@pytest.mark.parametrize(
    ("url", "db"),
    [
        ("redis+sentinel://a/x", 0),
        ("redis+sentinel://a/x/3", 3),
        ("redis+sentinel://a/x/3?db=4", 4),
    ],
)
def test_the_database(url, db):
    pool = ConnectionPool.from_url(url)
    assert pool.connection_kwargs["db"] == db
    assert options_of(pool.sentinel_manager.sentinels[0])["db"] == 0
    assert ConnectionPool.from_url("redis+sentinel://a/x", db=7).connection_kwargs["db"] == 7


@pytest.mark.parametrize(("role", "is_master"), [("master", True), ("slave", False), ("replica", False)])
def test_the_role(role, is_master):
    assert ConnectionPool.from_url(f"redis+sentinel://a/x?role={role}").is_master is is_master


def test_who_logs_in_where():
    url = "redis+sentinel://user:pass@a/x?sentinel_username=guard&sentinel_password=own"
    pool = ConnectionPool.from_url(url)
    assert (pool.connection_kwargs["username"], pool.connection_kwargs["password"]) == ("user", "pass")
    asked = options_of(pool.sentinel_manager.sentinels[0])
    assert (asked["username"], asked["password"]) == ("guard", "own")
    assert "own" not in repr(pool) + repr(pool.sentinel_manager)
    anybody = options_of(ConnectionPool.from_url("redis+sentinel://:pass@a/x").sentinel_manager.sentinels[0])
    assert anybody["password"] is None


def test_what_is_decoded():
    pool = ConnectionPool.from_url("redis+sentinel://:p%40ss@a/my%20master?sentinel_password=p%2Bq", None, True)
    assert (pool.service_name, pool.connection_kwargs["password"]) == ("my master", "p@ss")
    assert options_of(pool.sentinel_manager.sentinels[0])["password"] == "p+q"


def test_options_of_all_kinds():
    url = "redis+sentinel://a/x?min_other_sentinels=2&failover_listener=yes&force_master_ip=10.0.0.9&max_connections=5"
    pool = ConnectionPool.from_url(url, decode_responses=True)
    manager = pool.sentinel_manager
    assert (manager.min_other_sentinels, manager.force_master_ip, pool.max_connections) == (2, "10.0.0.9", 5)
    assert manager._listener is not None and pool.connection_kwargs["decode_responses"] is True
    assert ConnectionPool.from_url("redis+sentinel://a/x?failover_listener=no").sentinel_manager._listener is None


def test_times():
    def seconds(url):
        pool = ConnectionPool.from_url(url)
        asked = options_of(pool.sentinel_manager.sentinels[0])
        return pool.connection_kwargs.get("socket_timeout"), asked["socket_timeout"]

    assert seconds("redis+sentinel://a/x") == (None, SENTINEL_TIMEOUT)
    assert seconds("redis+sentinel://a/x?socket_timeout=3") == (3, 3)
    assert seconds("redis+sentinel://a/x?socket_timeout=3&sentinel_socket_timeout=0.2") == (3, 0.2)


def test_tls():
    def classes(url):
        pool = ConnectionPool.from_url(url)
        return pool.connection_class, pool.sentinel_manager.sentinels[0].connection_pool.connection_class

    plain, secure = SentinelManagedConnection, SentinelManagedSSLConnection
    assert classes("redis+sentinel://a/x") == (plain, redis.Connection)
    assert classes("rediss+sentinel://a/x?ssl_ca_certs=/ca.pem") == (secure, redis.SSLConnection)
    assert classes("rediss+sentinel://a/x?ssl_ca_certs=/ca.pem&sentinel_ssl=no") == (secure, redis.Connection)
    pool = ConnectionPool.from_url("rediss+sentinel://a/x?ssl_ca_certs=/ca.pem&sentinel_ssl_ca_certs=/other.pem")
    assert pool.connection_kwargs["ssl_ca_certs"] == "/ca.pem"
    assert options_of(pool.sentinel_manager.sentinels[0])["ssl_ca_certs"] == "/other.pem"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis+sentinel://a", "name of a service"),
        ("redis+sentinel://a/", "name of a service"),
        ("redis+sentinel://a/x/y", "'y', is not the number of a database"),
        ("redis+sentinel://a/x/1/2", "'1/2', is not the number of a database"),
        ("redis+sentinel://a:port/x", "port of a sentinel"),
        ("redis+sentinel://a:1,b:99999/x", "port of a sentinel"),
        ("redis+sentinel://a/x?role=boss", "'boss'; it takes one of master, slave, replica"),
    ],
)
def test_what_cannot_be_meant_so(url, words):
    with pytest.raises(ValueError, match=words):
        ConnectionPool.from_url(url)


def test_a_misspelt_option():
    with pytest.raises(TypeError, match="did you mean 'socket_timeout'"):
        redis.StrictRedis.from_url("redis+sentinel://a/x?sokcet_timeout=1")
    with pytest.raises(TypeError, match="did you mean 'password'"):
        redis.StrictRedis.from_url("redis+sentinel://a/x?sentinel_pasword=1")
    with pytest.raises(TypeError, match="no option 'colour'"):
        redis.StrictRedis.from_url("redis+sentinel://a/x?colour=red")
    with pytest.warns(UserWarning, match="Invalid value for `min_other_sentinels`"):
        ConnectionPool.from_url("redis+sentinel://a/x?min_other_sentinels=two")


def test_which_pools_can_follow():
    class Own(SentinelConnectionPool):
        pass

    assert type(Own.from_url("redis+sentinel://a/x")) is Own
    with pytest.raises(ValueError, match="a BlockingConnectionPool does not follow a master"):
        BlockingConnectionPool.from_url("redis+sentinel://a/x")


@pytest.fixture(scope="module")
def url():
    """The URL of a real service."""
    with standalone() as master, sentinels(master, 1, quorum=1) as (guard,):
        yield f"redis+sentinel://{guard.host}:{guard.port}/mymaster"


@pytest.mark.parametrize("make", [redis.StrictRedis.from_url, redis.Redis.from_url, redis.from_url])
def test_clients(url, make, kind):
    with make(f"{url}/2?socket_timeout=5&failover_listener=yes", **kind.options) as client:
        assert client.set("a", 1) is True
        assert client.get("a") == kind.value(b"1")
        assert client.client_info()["db"] == "2"
        manager = client.connection_pool.sentinel_manager
        assert isinstance(manager, Sentinel)
    assert manager.sentinels[0].connection_pool.closed
    with pytest.raises(redis.ConnectionError, match="closed"):
        client.get("a")


def test_a_single_connection(url):
    with redis.StrictRedis.from_url(f"{url}?single_connection_client=yes") as client:
        assert client.client_id() == client.client_id()
        manager = client.connection_pool.lender.sentinel_manager
    assert client._closed and manager is not None
