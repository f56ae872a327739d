"""redis/connection/url.py: what a URL says, and what is said of one that cannot be meant so."""

import re
import warnings

import pytest

from redis.connection import url as module
from redis.connection.pool import BlockingConnectionPool, ConnectionPool
from redis.connection.tls import SSLConnection
from redis.connection.unix import UnixDomainSocketConnection
from redis.connection.url import options_from_url

TCP = {"host": "localhost", "port": 6379, "db": 0, "password": None}
UNIX = {"path": "/s", "db": 0, "password": None, "connection_class": UnixDomainSocketConnection}

URLS = [
    ("redis://", TCP),
    ("redis://localhost", TCP),
    ("redis://localhost:6380", {**TCP, "port": 6380}),
    ("redis://example.org/", {**TCP, "host": "example.org"}),
    ("redis://127.0.0.1/7", {**TCP, "host": "127.0.0.1", "db": 7}),
    ("redis://[::1]:1/7", {**TCP, "host": "::1", "port": 1, "db": 7}),
    ("redis://:p4ss@h", {**TCP, "host": "h", "password": "p4ss"}),
    ("redis://user:p4ss@h", {**TCP, "host": "h", "password": "p4ss", "username": "user"}),
    ("redis://user@h", {**TCP, "host": "h", "username": "user"}),
    ("redis://:@h", {**TCP, "host": "h", "password": ""}),
    ("redis://:p@ss@h", {**TCP, "host": "h", "password": "p@ss"}),
    ("redis://:p%2Fss@h", {**TCP, "host": "h", "password": "p%2Fss"}),
    ("redis://h?db=3", {**TCP, "host": "h", "db": 3}),
    ("redis://h/2?db=3", {**TCP, "host": "h", "db": 3}),
    ("redis://h?db=3&foo=bar&password2=x", {**TCP, "host": "h", "db": 3, "foo": "bar", "password2": "x"}),
    ("redis://h?db=", {**TCP, "host": "h"}),
    ("redis://h?foo=1&foo=2", {**TCP, "host": "h", "foo": "1"}),
    ("unix:///s", UNIX),
    ("unix://:p4ss@/s?db=3", {**UNIX, "password": "p4ss", "db": 3}),
    ("unix://user:p4ss@/s/t", {**UNIX, "path": "/s/t", "password": "p4ss", "username": "user"}),
    ("rediss://h/1", {**TCP, "host": "h", "db": 1, "connection_class": SSLConnection}),
    (
        "rediss://h?ssl_cert_reqs=none&ssl_check_hostname=no",
        {
            **TCP,
            "host": "h",
            "connection_class": SSLConnection,
            "ssl_cert_reqs": "none",
            "ssl_check_hostname": False,
        },
    ),
]


@pytest.mark.parametrize(("url", "options"), URLS, ids=[url for url, _ in URLS])
def test_what_a_url_says(url, options):
    assert options_from_url(url) == options


@pytest.mark.parametrize(
    ("url", "db", "found"),
    [
        ("redis://h", 5, 5),
        ("redis://h", None, 0),
        ("redis://h", 0, 0),
        ("redis://h/4", 5, 4),
        ("redis://h/0", 5, 0),
        ("redis://h/4?db=3", 5, 3),
        ("redis://h/4?db=0", 5, 0),
        ("unix:///s", 5, 5),
        ("unix:///s?db=3", 5, 3),
    ],
)
def test_which_db(url, db, found):
    options = options_from_url(url, db)
    assert options["db"] == found
    assert type(options["db"]) is int
    assert "path_db" not in options


def test_decoded_components():
    url = "redis://us%2Fer:p%40ss%2F+w@my%2Ehost:1/%37"
    options = options_from_url(url, decode_components=True)
    assert options == {"host": "my.host", "port": 1, "username": "us/er", "password": "p@ss/+w", "db": 7}
    assert options_from_url("unix://:p%40@/a%20+b", decode_components=True) == {
        **UNIX,
        "path": "/a +b",
        "password": "p@",
    }


TYPED = [
    ("socket_timeout=20", "socket_timeout", 20.0),
    ("socket_timeout=0.5", "socket_timeout", 0.5),
    ("socket_connect_timeout=1", "socket_connect_timeout", 1.0),
    ("socket_keepalive=yes", "socket_keepalive", True),
    ("socket_keepalive=0", "socket_keepalive", False),
    ("retry_on_timeout=True", "retry_on_timeout", True),
    ("retry_on_timeout=No", "retry_on_timeout", False),
    ("decode_responses=false", "decode_responses", False),
    ("decode_responses=1", "decode_responses", True),
    ("max_connections=32", "max_connections", 32),
    ("protocol=3", "protocol", 3),
    ("socket_read_size=100", "socket_read_size", 100),
    ("fork_safe=off", "fork_safe", False),
    ("single_connection_client=on", "single_connection_client", True),
    ("timeout=2.5", "timeout", 2.5),
    ("encoding=latin-1", "encoding", "latin-1"),
    ("client_name=a%20b", "client_name", "a b"),
]


@pytest.mark.parametrize(("query", "name", "value"), TYPED, ids=[query for query, _, _ in TYPED])
def test_options_have_types(query, name, value):
    found = options_from_url(f"redis://h?{query}")[name]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("name", ["socket_timeout", "socket_connect_timeout", "max_connections", "db", "protocol"])
def test_an_option_that_does_not_convert_is_left_out_with_a_warning(name):
    with pytest.warns(UserWarning, match="Invalid value") as caught:
        options = options_from_url(f"redis://h?{name}=abc")
    assert options == {**TCP, "host": "h"}
    assert [str(warning.message) for warning in caught] == [f"Invalid value for `{name}` in connection URL."]


def test_the_warning_points_to_the_caller():
    with pytest.warns(UserWarning, match="Invalid value") as caught:
        ConnectionPool.from_url("redis://h?socket_timeout=abc")
    assert caught[0].filename == __file__


@pytest.mark.parametrize("name", ["socket_timeout", "retry_on_timeout", "socket_keepalive", "max_connections"])
def test_an_empty_option_is_absent(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert name not in options_from_url(f"redis://h?{name}=")


BAD = [
    ("redis://h/abc", "'abc', is not the number of a database"),
    ("redis://h/1/2", "'1/2', is not the number of a database"),
    ("redis://h/-1", "'-1', is not the number of a database"),
    ("redis://h/1.5", "'1.5', is not the number of a database"),
    ("redis://h:port", "the port in the URL is no number from 0 to 65535"),
    ("redis://h:65536", "the port in the URL is no number from 0 to 65535"),
    ("localhost:6379", "the URL has the scheme 'localhost'"),
    ("http://h", "takes one of redis://, rediss://, unix://"),
    ("", "the URL has the scheme ''"),
]


@pytest.mark.parametrize(("url", "text"), BAD, ids=[url for url, _ in BAD])
def test_a_url_that_cannot_be_meant_so(url, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        options_from_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://user:12/hidden@h:1/0",
        "redis://user:hid/den@h:1/0",
        "redis://:hidden?x@h:1/abc",
        "redis://:hidden@h:port",
        "redis://:hidden@h/abc",
        "bogus://:hidden@h",
        "rediss://:hidden@[::1/0",
        "unix:hidden@/x",
        "redis://:hidden\u2100x@host",
        "redis://:[hidden]@host",
    ],
)
def test_no_error_shows_a_password(url):
    try:
        options_from_url(url)
    except ValueError as error:
        shown = f"{error} {error.__cause__} {'' if error.__suppress_context__ else error.__context__}"
        assert "hidden" not in shown


def test_a_part_of_a_password_is_not_thrown_away():
    with pytest.raises(ValueError):
        options_from_url("redis://:12#34@h/1")


def test_another_module_may_add_a_scheme(monkeypatch):
    monkeypatch.setitem(module.SCHEMES, "mine", lambda parts, decode: {"host": parts.hostname, "path_db": 3})
    assert options_from_url("mine://H") == {"host": "h", "db": 3, "password": None}


# The pool


def test_a_pool_of_a_url():
    pool = ConnectionPool.from_url("redis://user:p@h:1/2?max_connections=3&foo=bar&socket_timeout=1")
    assert pool.connection_kwargs == {
        "host": "h",
        "port": 1,
        "db": 2,
        "username": "user",
        "password": "p",
        "foo": "bar",
        "socket_timeout": 1.0,
    }
    assert pool.max_connections == 3
    assert repr(pool) == "ConnectionPool<Connection<host=h,port=1,db=2>>"


def test_a_pool_of_a_url_of_a_unix_socket():
    pool = ConnectionPool.from_url("unix:///s?db=2")
    assert pool.connection_kwargs == {"path": "/s", "db": 2, "password": None}
    assert repr(pool) == "ConnectionPool<UnixDomainSocketConnection<path=/s,db=2>>"


def test_the_url_goes_before_the_keywords():
    pool = ConnectionPool.from_url("redis://h/2?socket_timeout=1", db=9, socket_timeout=5, encoding="latin-1")
    assert pool.connection_kwargs["socket_timeout"] == 1.0
    assert pool.connection_kwargs["db"] == 2
    assert pool.connection_kwargs["encoding"] == "latin-1"


def test_old_names_of_keywords():
    with pytest.warns(DeprecationWarning, match="is deprecated") as caught:
        pool = ConnectionPool.from_url("redis://h", charset="latin-1", errors="replace")
    assert pool.connection_kwargs["encoding"] == "latin-1"
    assert pool.connection_kwargs["encoding_errors"] == "replace"
    assert {warning.filename for warning in caught} == {__file__}


def test_a_pool_that_waits():
    pool = BlockingConnectionPool.from_url("redis://h?max_connections=3&timeout=1.5")
    assert (pool.max_connections, pool.timeout) == (3, 1.5)


@pytest.mark.parametrize("query", ["socket_timeout=-1", "socket_timeout=0", "socket_connect_timeout=nan"])
def test_seconds_that_cannot_be_meant_so(query):
    with pytest.raises(ValueError, match="positive number of seconds"):
        ConnectionPool.from_url(f"redis://h?{query}")


def test_an_at_sign_that_is_no_password():
    assert options_from_url("unix:///tmp/a@b.sock")["path"] == "/tmp/a@b.sock"
    assert options_from_url("redis://h/0?client_name=a@b")["client_name"] == "a@b"
