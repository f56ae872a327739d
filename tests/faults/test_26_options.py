"""No option is ignored in silence: a misspelt one, or two that exclude each other, are errors at construction."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import Mock

import pytest

import redis
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.utils import from_url

TCP, TLS, UNIX = "redis://h", "rediss://h", "unix:///s"
MAKERS = {
    "client": redis.StrictRedis,
    "old": redis.Redis,
    "tls": partial(redis.StrictRedis, ssl=True),
    "unix": partial(redis.StrictRedis, unix_socket_path="/s"),
    "single": partial(redis.StrictRedis, single_connection_client=True),
    "url": partial(redis.StrictRedis.from_url, TCP),
    "old-url": partial(from_url, TLS),
    "unix-url": partial(redis.Redis.from_url, UNIX),
    "pool": redis.ConnectionPool,
    "waiting-pool": redis.BlockingConnectionPool,
    "tls-pool": partial(redis.ConnectionPool, connection_class=SSLConnection),
    "pool-url": partial(redis.ConnectionPool.from_url, UNIX),
}
MISSPELT = {
    "socket_timout": "socket_timeout",
    "pasword": "password",
    "decode_response": "decode_responses",
    "retry_on_timeouts": "retry_on_timeout",
    "usrname": "username",
    "credentials_provider": "credential_provider",
    "clientname": "client_name",
}


@pytest.fixture(autouse=True)
def nobody_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of this is noticed before anything is connected."""
    for cls in (Connection, UnixDomainSocketConnection):
        monkeypatch.setattr(cls, "_connect", lambda self: pytest.fail("it connected"))


@pytest.mark.parametrize("way", MAKERS)
@pytest.mark.parametrize("wrong", MISSPELT)
def test_a_misspelt_option_is_an_error_that_says_what_was_meant(way: str, wrong: str) -> None:
    with pytest.raises(TypeError, match=rf"has no option '{wrong}'; did you mean '{MISSPELT[wrong]}'\?$"):
        MAKERS[way](**{wrong: 1})


@pytest.mark.parametrize("make", [redis.StrictRedis.from_url, redis.ConnectionPool.from_url, from_url])
@pytest.mark.parametrize("url", [TCP, TLS, UNIX])
def test_a_misspelt_option_in_a_url(make: Callable[[str], Any], url: str) -> None:
    with pytest.raises(TypeError, match=r"has no option 'socket_timout'; did you mean 'socket_timeout'\?$"):
        make(f"{url}?socket_timout=1")


class Own:
    """A connection of a class of the user's, with options that look like misspelt ones of ours."""

    def __init__(self, **options: Any) -> None:
        self.pid, self.options = 0, options


def test_a_class_of_the_users_gets_its_keywords_as_they_are() -> None:
    options = {"socket_timout": 1, "ssl_ca_certs": "x", "ssl": "yes", "username": "u", "credential_provider": "p"}
    pool = redis.ConnectionPool(connection_class=Own, host="redis://h", port="none", **options)
    assert pool.make_connection().options == {"host": "redis://h", "port": "none", **options}
    query = "&".join(f"{name}={value}" for name, value in options.items() if name != "credential_provider")
    pool = redis.ConnectionPool.from_url(f"redis://h?{query}", connection_class=Own)
    assert pool.make_connection().options.items() >= {"socket_timout": "1", "ssl_ca_certs": "x", "ssl": "yes"}.items()


# Options that exclude each other

CONTEXT = ssl.create_default_context()
PROVIDER = Mock(get_credentials=lambda: ("u", "p"))
CONFLICTS = {
    "unix-host": ({"unix_socket_path": "/s", "host": "h"}, "unix_socket_path and host"),
    "unix-port": ({"unix_socket_path": "/s", "port": 6380}, "unix_socket_path and port"),
    "unix-tls": ({"unix_socket_path": "/s", "ssl": True}, "unix_socket_path and ssl"),
    "unix-ca": ({"unix_socket_path": "/s", "ssl_ca_certs": "x"}, "unix_socket_path and ssl_ca_certs"),
    "unix-context": ({"unix_socket_path": "/s", "ssl_context": CONTEXT}, "unix_socket_path and ssl_context"),
    "ca-alone": ({"ssl_ca_certs": "x"}, "ssl_ca_certs needs TLS"),
    "reqs-alone": ({"ssl_cert_reqs": "none"}, "ssl_cert_reqs needs TLS"),
    "context-alone": ({"ssl_context": CONTEXT}, "ssl_context needs TLS"),
    "version-alone": ({"ssl_min_version": 771}, "ssl_min_version needs TLS"),
    "context-ca": ({"ssl": True, "ssl_context": CONTEXT, "ssl_ca_certs": "x"}, "ssl_context and ssl_ca_certs"),
    "context-reqs": ({"ssl": True, "ssl_context": CONTEXT, "ssl_cert_reqs": "none"}, "ssl_context and ssl_cert_reqs"),
    "name-unverified": (
        {"ssl": True, "ssl_cert_reqs": "none", "ssl_check_hostname": True},
        "ssl_check_hostname=True and ssl_cert_reqs='none'",
    ),
    "key-password": ({"ssl": True, "ssl_password": "x"}, "ssl_password needs ssl_keyfile"),
    "provider-user": ({"credential_provider": PROVIDER, "username": "u"}, "credential_provider and username"),
    "provider-password": ({"credential_provider": PROVIDER, "password": "p"}, "credential_provider and password"),
}


@pytest.mark.parametrize("cls", [redis.StrictRedis, redis.Redis])
@pytest.mark.parametrize("name", CONFLICTS)
def test_options_that_exclude_each_other(cls: type[Any], name: str) -> None:
    options, words = CONFLICTS[name]
    with pytest.raises(TypeError, match=f"^{words}"):
        cls(**options)
    with pytest.raises(TypeError, match=f"^{words}"):
        cls(**options, single_connection_client=True)


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("redis://h?ssl_ca_certs=x", {}, "ssl_ca_certs needs TLS: .*rediss://"),
        ("redis://h", {"ssl_ca_certs": "x"}, "ssl_ca_certs needs TLS: .*rediss://"),
        ("redis://h?ssl_cert_reqs=none", {}, "ssl_cert_reqs needs TLS: .*rediss://"),
        ("redis://h?ssl=true", {}, "has no option 'ssl'; rediss://"),
        ("redis://h", {"ssl": True}, "has no option 'ssl'; rediss://"),
        ("redis://h", {"unix_socket_path": "/s"}, "has no option 'unix_socket_path'; unix://"),
        ("unix:///s?ssl_ca_certs=x", {}, "path and ssl_ca_certs exclude each other"),
        ("unix:///s?port=1", {}, "path and port exclude each other"),
        ("unix:///s", {"host": "h"}, "path and host exclude each other"),
        ("rediss://h?ssl_ca_certs=x", {"ssl_context": CONTEXT}, "ssl_context and ssl_ca_certs exclude each other"),
        (
            "rediss://h?ssl_cert_reqs=none&ssl_check_hostname=yes",
            {},
            "ssl_check_hostname=True and ssl_cert_reqs='none'",
        ),
        ("redis://ann@h", {"credential_provider": PROVIDER}, "credential_provider and username exclude each other"),
        ("redis://:pw@h", {"credential_provider": PROVIDER}, "credential_provider and password exclude each other"),
    ],
)
def test_options_of_a_url_that_exclude_each_other(url: str, options: dict[str, Any], words: str) -> None:
    for make in (redis.StrictRedis.from_url, redis.ConnectionPool.from_url, redis.BlockingConnectionPool.from_url):
        with pytest.raises(TypeError, match=words):
            make(url, **options)


BESIDE_A_POOL = {
    "host": "i",
    "port": 6380,
    "db": 1,
    "password": "x",
    "socket_timeout": 1,
    "socket_connect_timeout": 1,
    "socket_keepalive": True,
    "unix_socket_path": "/s",
    "encoding": "latin-1",
    "encoding_errors": "replace",
    "charset": "latin-1",
    "decode_responses": True,
    "retry_on_timeout": True,
    "ssl": True,
    "ssl_ca_certs": "x",
    "max_connections": 3,
    "username": "u",
    "credential_provider": PROVIDER,
    "client_name": "me",
    "protocol": 3,
    "max_idle_time": 1.5,
    "socket_timout": 1,
}


@pytest.mark.parametrize("cls", [redis.StrictRedis, redis.Redis])
@pytest.mark.parametrize("name", BESIDE_A_POOL)
def test_a_pool_and_an_option_of_its_connections(cls: type[Any], name: str) -> None:
    with pytest.raises(TypeError, match=f"^connection_pool and {name} exclude each other"):
        cls(connection_pool=redis.ConnectionPool(host="h"), **{name: BESIDE_A_POOL[name]})


# What is no conflict


@pytest.mark.parametrize(
    "options",
    [
        {"host": "localhost", "port": 6379, "db": 0, "password": None, "decode_responses": False, "ssl": False},
        {"host": None, "password": "", "username": None},
        {"single_connection_client": True},
    ],
)
def test_the_defaults_are_no_conflict(options: dict[str, Any]) -> None:
    redis.StrictRedis(connection_pool=redis.ConnectionPool(host="h", db=3, password="x"), **options)
    if "single_connection_client" not in options:
        redis.StrictRedis(unix_socket_path="/s", **options)


def test_by_position_as_well() -> None:
    with pytest.raises(TypeError, match="connection_pool and db exclude each other"):
        redis.StrictRedis("localhost", 6379, 5, None, None, None, None, None, redis.ConnectionPool())
    assert redis.StrictRedis("localhost", 6379, 0, None, None, None, None, None, redis.ConnectionPool())


def test_what_the_pool_says_too_is_no_conflict() -> None:
    options: dict[str, Any] = {"host": "h", "port": 1, "db": 2, "password": "p", "decode_responses": True}
    redis.StrictRedis(connection_pool=redis.ConnectionPool(**options), **options)
    pool = redis.ConnectionPool.from_url("rediss://ann:p@h/2?max_connections=5")
    redis.Redis(connection_pool=pool, ssl=True, username="ann", password="p", db=2, max_connections=5)


@pytest.mark.parametrize(
    "options",
    [
        {"ssl": True, "ssl_context": CONTEXT},
        {"ssl": True, "ssl_ca_certs": "x", "ssl_certfile": "c", "ssl_keyfile": "k", "ssl_password": "p"},
        {"ssl": True, "ssl_cert_reqs": "none", "ssl_check_hostname": False},
        {"ssl": True, "ssl_cert_reqs": "optional", "ssl_check_hostname": True},
        {"unix_socket_path": "/s", "socket_keepalive": True, "ssl": False},
        {"credential_provider": PROVIDER, "username": "", "password": None},
        {"ssl_ca_certs": None, "ssl_cert_reqs": None},
    ],
)
def test_options_that_go_together(options: dict[str, Any]) -> None:
    assert redis.StrictRedis(**options).connection_pool.connection_class in (
        Connection,
        SSLConnection,
        UnixDomainSocketConnection,
    )


class Decoding(redis.StrictRedis):
    """A client as programs derive it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, decode_responses=True, **options)


def test_a_subclass_with_an_option_of_its_own() -> None:
    assert Decoding("h", db=2).connection_pool.connection_kwargs["decode_responses"] is True
    assert Decoding.from_url("redis://h?decode_responses=yes").get_encoder().decode_responses is True
    with pytest.raises(TypeError, match="connection_pool and decode_responses exclude each other"):
        Decoding.from_url("redis://h")
