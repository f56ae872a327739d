"""redis/client.py: what belongs to the client class, and both ways through it."""

import gc
import inspect
import os
import weakref
from unittest import mock

import pytest

from redis.client import Redis, StrictRedis, class_callbacks
from redis.connection.pool import ConnectionPool
from redis.connection.tcp import Connection
from redis.connection.tls import SSLConnection
from redis.connection.unix import UnixDomainSocketConnection
from redis.exceptions import (
    ConnectionError,
    ResponseError,
)
from tests.connection.doubles import Classic
from tests.faults.fakenode import FakeNode
from tests.servers import ask


@pytest.fixture(params=[StrictRedis, Classic], ids=["short", "classic"])
def cls(request):
    return request.param


@pytest.fixture
def node():
    with FakeNode() as running:
        yield running


# Making


def test_nothing_is_sent_before_the_first_command(node):
    StrictRedis(**node.options, db=5, client_name="me").close()
    assert node.links == []


def test_the_options_reach_the_pool():
    client = StrictRedis(
        "h", 1, 2, "p", 1.5, 2.5, True, {1: 2}, None, None, "latin-1", "replace", None, None, True, True
    )
    assert client.connection_pool.connection_class is Connection
    assert client.connection_pool.connection_kwargs == {
        "host": "h",
        "port": 1,
        "db": 2,
        "password": "p",
        "socket_timeout": 1.5,
        "socket_connect_timeout": 2.5,
        "socket_keepalive": True,
        "socket_keepalive_options": {1: 2},
        "encoding": "latin-1",
        "encoding_errors": "replace",
        "decode_responses": True,
        "retry_on_timeout": True,
    }


def test_the_options_over_a_unix_socket_and_tls():
    unix = StrictRedis(unix_socket_path="/s", db=3).connection_pool
    assert unix.connection_class is UnixDomainSocketConnection
    assert unix.connection_kwargs["path"] == "/s"
    assert "host" not in unix.connection_kwargs
    files = {"ssl_keyfile": "k", "ssl_certfile": "c", "ssl_cert_reqs": "none", "ssl_ca_certs": "a"}
    tls = StrictRedis("h", ssl=True, **files, max_connections=7).connection_pool
    assert tls.connection_class is SSLConnection
    assert files.items() <= tls.connection_kwargs.items()
    assert tls.max_connections == 7


@pytest.mark.parametrize("name", ["charset", "errors"])
def test_old_names_of_options(name):
    values = {"charset": ("encoding", "latin-1"), "errors": ("encoding_errors", "replace")}
    new, value = values[name]
    with pytest.warns(DeprecationWarning, match=f'"{name}" is deprecated. Use "{new}" instead') as caught:
        client = StrictRedis(**{name: value})
    assert client.connection_pool.connection_kwargs[new] == value
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "make", [StrictRedis, Redis, lambda **options: StrictRedis(ssl=True, **options)], ids=["strict", "old", "tls"]
)
def test_a_misspelt_option(make):
    with pytest.raises(TypeError, match=r"has no option 'usrname'; did you mean 'username'\?"):
        make(usrname="x")
    with pytest.raises(TypeError, match=r"has no option 'colour'$"):
        make(colour="x")


@pytest.mark.parametrize("name", ["encoder", "read_size", "ssl_shared", "path"])
def test_what_is_no_option_of_a_connection(name):
    with pytest.raises(TypeError, match=f"has no option '{name}'"):
        StrictRedis(**{name: 1})
    with pytest.raises(TypeError, match=f"has no option '{name}'"):
        StrictRedis.from_url(f"redis://h?{name}=1")


def test_a_misspelt_option_in_a_url():
    with pytest.raises(TypeError, match=r"has no option 'usrname'; did you mean 'username'\?"):
        StrictRedis.from_url("redis://h?usrname=x")
    with pytest.raises(TypeError, match="the connection has no option 'colour'"):
        Redis.from_url("redis://h?colour=x")


def test_options_beside_a_pool_are_an_error():
    with pytest.raises(TypeError, match="connection_pool and username exclude each other: give username to the pool"):
        StrictRedis(connection_pool=ConnectionPool(), username="x")


@pytest.mark.parametrize("name", ["socket_timeout", "socket_connect_timeout"])
@pytest.mark.parametrize(("value", "shown"), [(0, "0"), (-1, "-1"), ("5", "a str")])
def test_seconds_that_cannot_be_meant_so(name, value, shown):
    with pytest.raises(ValueError, match=f"{name} is {shown}; it takes a positive number of seconds"):
        StrictRedis(**{name: value})


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"port": "x"}, ValueError), ({"protocol": 5}, ValueError), ({"parser_class": "x"}, TypeError)],
)
def test_a_wrong_value_is_an_error_each_time_and_takes_no_place(server, options, kind):
    class Mine(Connection):
        """Its values are not looked at before it is made."""

    pool = ConnectionPool(Mine, **{"host": server.host, "port": server.port, "max_connections": 1, **options})
    client = StrictRedis(connection_pool=pool)
    for _ in range(2):
        with pytest.raises(kind):
            client.ping()


def test_a_charset_and_a_handling_of_errors_that_do_not_exist():
    with pytest.raises(ValueError, match="encoding is 'no-such'"):
        StrictRedis(encoding="no-such")
    with pytest.raises(ValueError, match="encoding_errors is 'no-such'"):
        StrictRedis(encoding_errors="no-such", encoding="ascii")


@pytest.mark.parametrize("cls", [StrictRedis, Redis])
def test_from_url(cls, server):
    with cls.from_url(f"redis://{server.host}:{server.port}/3?decode_responses=true&client_name=me") as client:
        assert type(client) is cls
        client.set("k", "v")
        assert client.get("k") == "v"
        assert client.client_getname() == "me"
        client.delete("k")
    with cls.from_url(f"unix://{server.unix_socket}", db=3, decode_responses=True) as client:
        assert client.echo("x") == "x"
        assert client.connection_pool.connection_kwargs["db"] == 3


def test_a_client_of_a_url_owns_its_pool(node):
    client = StrictRedis.from_url(f"redis://127.0.0.1:{node.port}?single_connection_client=yes")
    assert client.ping() is True
    lender = client.connection_pool.lender
    (connection,) = [ref() for ref in lender._live]
    client.close()
    assert connection._sock is None


def test_repr_shows_no_secret():
    client = Redis("h", password="secret", username="user")
    assert repr(client) == "Redis<ConnectionPool<Connection<host=h,port=6379,db=0>>>"


# Closing


def test_close_closes_the_pool_that_it_made(node, cls):
    client = cls(**node.options)
    client.ping()
    (connection,) = client.connection_pool._available_connections
    client.close()
    client.close()
    assert connection._sock is None
    with pytest.raises(ConnectionError, match="this client has been closed") as caught:
        client.ping()
    assert (caught.value.maybe_applied, caught.value.phase) == (False, "pool")


def test_a_client_made_from_a_pool_owns_it(node):
    pool = ConnectionPool(host="127.0.0.1", port=node.port)
    with StrictRedis.from_pool(pool) as client:
        assert client.ping() is True
        assert client.connection_pool is pool
    with pytest.raises(ConnectionError, match="this pool has been closed"):
        StrictRedis(connection_pool=pool).ping()


def test_close_leaves_a_pool_that_was_given(node):
    with ConnectionPool(host="127.0.0.1", port=node.port) as pool:
        with StrictRedis(connection_pool=pool) as client:
            client.ping()
        (connection,) = pool._available_connections
        assert connection._sock is not None
        assert StrictRedis(connection_pool=pool).ping() is True


def test_a_client_that_is_dropped_leaves_no_socket_behind(node):
    client = StrictRedis(**node.options)
    client.ping()
    connection = weakref.ref(client.connection_pool._available_connections[0])
    del client
    gc.collect()
    assert connection() is None
    node.links[0].thread.join(5)
    assert not node.links[0].thread.is_alive()


# The pool may be anything


def test_a_pool_that_is_a_mock():
    connection = mock.Mock(pid=os.getpid())
    connection.read_response.return_value = b"v"
    pool = mock.Mock()
    pool.get_connection.return_value = connection
    client = StrictRedis(connection_pool=pool)
    assert client.get("k") == b"v"
    pool.get_connection.assert_called_once_with("GET")
    connection.send_command.assert_called_once_with("GET", "k")
    pool.release.assert_called_once_with(connection)
    client.close()
    pool.close.assert_not_called()


def test_a_pool_that_is_a_mock_gets_its_connection_back_after_an_error():
    connection = mock.Mock(pid=os.getpid(), retry_on_timeout=False)
    connection.read_response.side_effect = ConnectionError("lost")
    pool = mock.Mock()
    pool.get_connection.return_value = connection
    with pytest.raises(ConnectionError, match="lost"):
        StrictRedis(connection_pool=pool).incr("n")
    pool.release.assert_called_once_with(connection)


def test_a_subclass_of_a_pool_is_asked(make_client, server):
    calls = []

    class Own(ConnectionPool):
        def get_connection(self, command_name=None, *keys, **options):
            calls.append((command_name, keys, options))
            return super().get_connection(command_name, *keys, **options)

        def release(self, connection):
            calls.append("release")
            super().release(connection)

    with Own(host=server.host, port=server.port) as pool:
        client = make_client(connection_pool=pool)
        client.set("k", "v")
        client.set_response_callback("GET", lambda reply, withscores: (reply, withscores))
        assert client.execute_command("GET", "k", withscores=True) == (b"v", True)
    assert calls == [("SET", (), {}), "release", ("GET", (), {"withscores": True}), "release"]


class Plain:
    """A connection class that shares nothing with ours."""

    def __init__(self, host, port, **kwargs):
        self.pid = os.getpid()
        self.connection = Connection(host, port)

    def send_command(self, *args):
        self.connection.send_command(*args)

    def read_response(self):
        return self.connection.read_response()

    def disconnect(self):
        self.connection.disconnect()


def test_a_connection_class_that_shares_nothing_with_ours(make_client, server):
    with ConnectionPool(Plain, host=server.host, port=server.port) as pool:
        client = make_client(connection_pool=pool)
        assert client.set("k", "v") is True
        assert client.get("k") == b"v"
        with pytest.raises(ResponseError, match="not an integer"):
            client.incr("k")
        assert client.config_get("maxmemory") == {"maxmemory": "0"}
        assert client.blpop("none", 0.01) is None


def test_the_pool_may_be_replaced(make_client, node):
    client = make_client()
    client.set("k", "v")
    with ConnectionPool(host="127.0.0.1", port=node.port) as pool:
        client.connection_pool, mine = pool, client.connection_pool
        assert client.get("k") is None
        client.connection_pool = mine
        assert client.get("k") == b"v"


def test_a_replaced_pool_brings_its_charset(make_client, server):
    client = make_client()
    with ConnectionPool(host=server.host, port=server.port, encoding="latin-1") as pool:
        client.connection_pool, mine = pool, client.connection_pool
        client.set("k", "é")
        assert repr(client.get_encoder()).startswith("Encoder('latin-1'")
        client.connection_pool = mine
        assert client.get("k") == b"\xe9"


# Callbacks


class Shouting(StrictRedis):
    RESPONSE_CALLBACKS = {**StrictRedis.RESPONSE_CALLBACKS, "GET": lambda reply, **options: reply and reply.upper()}


class OldName(Redis):
    REDIS_CALLBACKS = {**Redis.REDIS_CALLBACKS, "GET": lambda reply, **options: reply and reply.upper()}


class OfShouting(Shouting):
    pass


class Quiet(Shouting):
    REDIS_CALLBACKS = {**Shouting.RESPONSE_CALLBACKS, "GET": lambda reply, **options: reply and reply.lower()}


@pytest.mark.parametrize(
    ("cls", "value"), [(Shouting, b"ABC"), (OldName, b"ABC"), (OfShouting, b"ABC"), (Quiet, b"abc")]
)
def test_a_subclass_overrides_callbacks(make_client, cls, value):
    client = make_client(cls)
    client.set("k", "aBc")
    assert client.get("k") == value
    assert client["k"] == value
    assert client.mget("k") == [b"aBc"]
    assert client.exists("k") is True
    client.pipeline().get("k").execute()


def test_the_dictionaries_of_the_classes():
    assert StrictRedis.RESPONSE_CALLBACKS is StrictRedis.REDIS_CALLBACKS
    assert Redis.RESPONSE_CALLBACKS is Redis.REDIS_CALLBACKS
    assert Redis.RESPONSE_CALLBACKS["TTL"](-1) is None
    assert "TTL" not in StrictRedis.RESPONSE_CALLBACKS or StrictRedis.RESPONSE_CALLBACKS["TTL"](-1) == -1
    assert class_callbacks(object) == {}


def test_a_class_that_has_both_names():
    class Both(StrictRedis):
        RESPONSE_CALLBACKS = {"A": 1, "B": 2}
        REDIS_CALLBACKS = {"B": 3, "C": 4}

    assert set(class_callbacks(Both)) == {"A", "B", "C"}


def test_the_callbacks_of_an_instance_are_a_copy():
    client = StrictRedis()
    assert client.response_callbacks == StrictRedis.RESPONSE_CALLBACKS
    assert client.response_callbacks is not StrictRedis.RESPONSE_CALLBACKS
    client.set_response_callback("GET", len)
    assert "GET" not in StrictRedis.RESPONSE_CALLBACKS
    assert StrictRedis().response_callbacks.get("GET") is None


def test_set_response_callback(make_client, cls):
    client = make_client(cls)
    seen = []
    client.set_response_callback("GET", lambda reply, **options: seen.append((reply, options)) or "shaped")
    client.set("k", "v")
    assert client["k"] == "shaped"
    assert client.execute_command("GET", "k", extra=1) == "shaped"
    assert seen == [(b"v", {}), (b"v", {"extra": 1})]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, ConnectionError])
def test_a_callback_that_raises_leaves_nothing_behind(node, cls, error):
    def fail(reply, **options):
        raise error("from the callback")

    with cls(**node.options) as client:
        client.set("k", "v")
        client.set_response_callback("INCRBY", fail)
        with pytest.raises(error, match="from the callback"):
            client.incr("n")
        assert client.get("k") == b"v"
    assert node.count("INCRBY") == 1


def test_a_subclass_overrides_execute_command(make_client):
    class Prefixing(StrictRedis):
        def execute_command(self, *args, **options):
            return super().execute_command(args[0], f"p:{args[1]}", *args[2:], **options)

    client = make_client(Prefixing)
    client.set("k", "v")
    assert client.get("k") == b"v"
    assert make_client().get("p:k") == b"v"


def test_a_subclass_overrides_parse_response(make_client):
    class Wrapping(StrictRedis):
        def parse_response(self, connection, command_name, **options):
            return (command_name, super().parse_response(connection, command_name, **options))

    client = make_client(Wrapping)
    assert client.execute_command("SET", "k", "v") == ("SET", True)
    assert client.execute_command("get", "k") == ("get", b"v")


# The old class


def test_the_old_class_turns_three_orders_round(make_client, kind):
    client = make_client(Redis, **kind.options)
    assert client.setex("k", "v", 100) is True
    assert client.get("k") == kind.text("v")
    client.rpush("l", "a", "b", "a")
    assert client.lrem("l", "a", 1) == 1
    assert client.ttl("missing") is None
    assert client.pttl("missing") is None
    client.set("forever", 1)
    assert client.ttl("forever") is None
    assert make_client().ttl("forever") == -1
    assert make_client().ttl("missing") == -2


# The interface


def test_the_order_of_the_arguments_is_that_of_old():
    expected = (
        "host port db password socket_timeout socket_connect_timeout socket_keepalive socket_keepalive_options "
        "connection_pool unix_socket_path encoding encoding_errors charset errors decode_responses retry_on_timeout "
        "ssl ssl_keyfile ssl_certfile ssl_cert_reqs ssl_ca_certs max_connections"
    ).split()
    parameters = inspect.signature(StrictRedis).parameters.values()
    assert [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD] == expected
    assert inspect.signature(Redis) == inspect.signature(StrictRedis)


def test_the_server_can_be_asked_for_its_clients(make_client, server):
    make_client().ping()
    assert b"lib-name=redispy" in ask(server, "CLIENT", "LIST")
