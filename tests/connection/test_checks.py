"""redis/connection/checks.py: which values an option may have, and what the error says of another."""

import ssl
from collections import UserDict
from pathlib import Path

import pytest

import redis
from redis.backoff import NoBackoff
from redis.connection.checks import CHECKS, check_place, check_values
from redis.connection.options import POOL_OPTIONS, accepted_options
from redis.connection.parsers import PythonParser
from redis.connection.pool import BlockingConnectionPool, ConnectionPool
from redis.connection.tcp import Connection
from redis.connection.tls import SSLConnection
from redis.connection.unix import UnixDomainSocketConnection
from redis.retry import Retry

SECONDS = "a positive number of seconds, or None"


class Provider:
    """Who knows the password."""

    def get_credentials(self):
        return ("hidden",)


GOOD = [
    ("host", [None, "::1", "fe80::1%eth0", "h.example."]),
    ("port", [0, "6379", 65535]),
    ("path", ["/tmp/a@b:c", b"/s", Path("/s")]),
    ("credential_provider", [None, Provider()]),
    ("socket_timeout", [None, 1, 0.001, float("inf")]),
    ("socket_keepalive_options", [None, {}, UserDict({1: 2})]),
    ("socket_read_size", [1, 65536]),
    ("encoding", ["utf-8", "latin1", "UTF-16"]),
    ("encoding_errors", ["strict", "surrogateescape"]),
    ("parser_class", [PythonParser, lambda **options: None]),
    ("protocol", [2, 3, "2", "3"]),
    ("retry", [None, Retry(NoBackoff(), 3)]),
    ("retry_on_error", [None, (), [OSError, redis.ConnectionError], {OSError}]),
    ("ssl_cert_reqs", [None, "none", "optional", "required", ssl.CERT_NONE, 2]),
    ("ssl_context", [None, ssl.create_default_context()]),
    ("ssl_min_version", [None, ssl.TLSVersion.TLSv1_3, 0x303]),
    ("ssl_ciphers", [None, "ECDHE+AESGCM"]),
    ("min_idle", [0, 3]),
    ("timeout", [None, 0, 0.5]),
    ("connection_pool", [ConnectionPool()]),
]
BAD = [
    ("host", 5, "a number", "host is 5; it takes the name or the address of a server"),
    ("host", b"h", "bytes", "host is a bytes; it takes the name"),
    ("port", "hidden", "a text", "port is a str; it takes a number from 0 to 65535"),
    ("port", "", "an empty text", "port is a str"),
    ("port", "1.5", "a part", "port is a str"),
    ("port", -1, "too low", "port is -1"),
    ("port", 65536, "too high", "port is 65536"),
    ("port", None, "nothing", "port is None"),
    ("port", [1], "a list", "port is a list"),
    ("path", None, "nothing", "path is None; it takes the path of a Unix socket"),
    (
        "credential_provider",
        "hidden",
        "a text",
        "credential_provider is a str; it takes an object with a method get_cred",
    ),
    ("socket_timeout", 0, "nothing", f"socket_timeout is 0; it takes {SECONDS}"),
    ("socket_timeout", -1, "less", f"socket_timeout is -1; it takes {SECONDS}"),
    ("socket_timeout", "hidden", "a text", f"socket_timeout is a str; it takes {SECONDS}"),
    ("socket_timeout", float("nan"), "no number", f"socket_timeout is nan; it takes {SECONDS}"),
    ("socket_connect_timeout", [1], "a list", f"socket_connect_timeout is a list; it takes {SECONDS}"),
    ("command_timeout", "1", "a text", f"command_timeout is a str; it takes {SECONDS}"),
    ("socket_keepalive_options", 5, "a number", "socket_keepalive_options is 5; it takes a mapping"),
    ("socket_read_size", 0, "nothing", "socket_read_size is 0; it takes a number of bytes"),
    ("socket_read_size", 1.5, "a part", "socket_read_size is 1.5"),
    ("encoding", None, "nothing", "encoding is None; it takes the name of an encoding, such as 'utf-8'"),
    ("encoding", "utf-9", "unknown", "encoding is 'utf-9'"),
    ("encoding", "a\0", "not a name", "encoding is 'a\\\\x00'"),
    ("encoding_errors", "ignorant", "unknown", "encoding_errors is 'ignorant'; it takes 'strict', 'replace'"),
    ("encoding_errors", None, "nothing", "encoding_errors is None"),
    ("parser_class", "hiredis", "a text", "parser_class is a str; it takes a class of parsers"),
    ("protocol", 4, "unknown", "protocol is 4; it takes 2 or 3"),
    ("protocol", "RESP3", "a text", "protocol is 'RESP3'; it takes 2 or 3"),
    ("retry", 3, "a number", "retry is 3; it takes a redis.retry.Retry, or None"),
    ("retry", NoBackoff(), "a backoff", "retry is a NoBackoff; it takes a redis.retry.Retry, or None"),
    ("retry", Retry, "the class", "retry is a type"),
    ("retry_on_error", OSError, "a class", "retry_on_error is a type; it takes a list of classes of errors, or None"),
    ("retry_on_error", ["OSError"], "names", "retry_on_error is a list"),
    ("retry_on_error", [OSError()], "errors", "retry_on_error is a list"),
    ("ssl_cert_reqs", "bogus", "unknown", "ssl_cert_reqs is 'bogus'; it takes 'none', 'optional' or 'required'"),
    ("ssl_cert_reqs", [], "a list", r"ssl_cert_reqs is \[\]"),
    ("ssl_context", True, "a switch", "ssl_context is True; it takes an ssl.SSLContext"),
    ("ssl_min_version", "1.2", "a text", "ssl_min_version is '1.2'; it takes an ssl.TLSVersion"),
    ("ssl_ciphers", ["AES"], "a list", "ssl_ciphers is a list; it takes names of ciphers"),
    ("min_idle", -1, "less", "min_idle is -1; it takes a number of connections, 0 or more"),
    ("min_idle", 1.0, "a part", "min_idle is 1.0"),
    ("max_idle_time", 0, "nothing", f"max_idle_time is 0; it takes {SECONDS}"),
    ("max_lifetime", "1", "a text", f"max_lifetime is a str; it takes {SECONDS}"),
    ("timeout", "1", "a text", "timeout is a str; it takes a number of seconds, or None"),
    ("timeout", -1, "less", "timeout is -1; it takes a number of seconds, or None"),
    ("connection_pool", 5, "a number", "connection_pool is 5; it takes a pool of connections"),
]


@pytest.mark.parametrize(("name", "values"), GOOD, ids=[name for name, _ in GOOD])
def test_what_an_option_takes(name, values):
    for value in values:
        check_values({name: value})


@pytest.mark.parametrize(
    ("name", "value", "words"), [(n, v, w) for n, v, _, w in BAD], ids=[f"{n}-{k}" for n, _, k, _ in BAD]
)
def test_what_it_does_not_take(name, value, words):
    with pytest.raises(ValueError, match=f"^{words}") as caught:
        check_values({"other": 1, name: value})
    assert "hidden" not in str(caught.value)


def test_every_check_is_of_an_option():
    known = accepted_options(SSLConnection) | accepted_options(UnixDomainSocketConnection) | POOL_OPTIONS
    assert known | accepted_options(BlockingConnectionPool) | {"connection_pool"} >= CHECKS.keys()


@pytest.mark.parametrize(
    "options", [{"host": "redis://:hidden@h:1/0"}, {"host": "user:hidden@h"}, {"path": "unix://:hidden@/s"}]
)
def test_a_url_is_no_place(options):
    with pytest.raises(ValueError, match="takes no URL") as caught:
        check_place(options)
    assert "hidden" not in str(caught.value)


def test_a_path_may_have_any_sign():
    check_place({"host": "::1", "path": "/tmp/a@b:c"})


# Who asks


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (redis.StrictRedis, {"encoding": None}),
        (redis.StrictRedis, {"port": None}),
        (redis.StrictRedis, {"unix_socket_path": 5}),
        (redis.StrictRedis, {"connection_pool": 5}),
        (redis.StrictRedis, {"ssl": True, "ssl_cert_reqs": "bogus"}),
        (redis.StrictRedis, {"max_lifetime": 0}),
        (redis.StrictRedis, {"retry": 3}),
        (redis.StrictRedis, {"host": "redis://h"}),
        (ConnectionPool, {"socket_read_size": 0}),
        (ConnectionPool, {"connection_class": UnixDomainSocketConnection, "path": None}),
        (BlockingConnectionPool, {"timeout": "1"}),
        (redis.Sentinel([("localhost", 1)]).master_for, {"service_name": "s", "protocol": 4}),
    ],
)
def test_it_is_refused_before_anything_is_sent(make, options):
    with pytest.raises(ValueError, match=r"; it takes|takes no URL"):
        make(**options)


def test_a_url_is_checked_too():
    with pytest.raises(ValueError, match="protocol is 4; it takes 2 or 3"):
        redis.StrictRedis.from_url("redis://localhost?protocol=4")


def test_a_class_of_the_users_gets_its_values_as_they_are():
    class Mine(Connection):
        """It takes what it likes."""

    assert ConnectionPool(Mine, protocol="any").connection_kwargs["protocol"] == "any"


def test_no_host_is_the_machine_itself(node):
    with redis.StrictRedis(host=None, port=node.port) as client:
        assert client.ping() is True
