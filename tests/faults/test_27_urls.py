"""A URL says what it says: one typed table of options, and an error that names what is wrong."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable
from typing import Any, get_args, get_type_hints
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import redis
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.connection.options import UNWRITABLE, URL_QUERY_ARGUMENT_PARSERS, to_bool
from redis.connection.url import options_from_url
from redis.sentinel import Sentinel
from redis.utils import from_url
from tests.servers import ask, standalone

WAYS: list[Callable[..., Any]] = [redis.StrictRedis.from_url, redis.Redis.from_url, from_url]
POOLS = [redis.ConnectionPool, redis.BlockingConnectionPool]
PASSWORD = "p@ss/w:o?r#d%20+ é"


# The table


def types_of(function: Any) -> dict[str, set[type]]:
    """The types of each argument, None aside."""
    hints = get_type_hints(function, localns={"ssl": ssl})
    return {name: set(get_args(hint) or [hint]) - {type(None)} for name, hint in hints.items() if name != "return"}


CLASSES = (redis.StrictRedis, Sentinel, *POOLS, Connection, SSLConnection, UnixDomainSocketConnection)
TYPES = {name: kinds for cls in CLASSES for name, kinds in types_of(cls.__init__).items()}
#: What is told by the URL itself, or by its scheme, or is no option of a user's.
TOLD_OTHERWISE = {
    "connection_pool",
    "connection_kwargs",
    "options",
    "sentinels",
    "sentinel_kwargs",
    "ssl",
    "ssl_shared",
}


def test_each_option_is_text_or_has_a_type_or_cannot_be_written() -> None:
    for name, kinds in TYPES.items():
        if name not in TOLD_OTHERWISE:
            text, typed, object_ = str in kinds, name in URL_QUERY_ARGUMENT_PARSERS, name in UNWRITABLE
            assert text or typed or object_, f"{name} would be {kinds} in Python, and a str in a URL"
            assert not (typed and object_), name


def test_the_types_of_the_table_are_those_of_the_options() -> None:
    examples = {int: "3", float: "3", to_bool: "no"}
    for name, convert in URL_QUERY_ARGUMENT_PARSERS.items():
        name = name.removeprefix("sentinel_")  # the same, for the sentinels
        value = convert(examples.get(convert, "1.2"))
        assert type(value) in TYPES[name] or TYPES[name] == {Any}, name


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", sorted(UNWRITABLE))
def test_an_object_cannot_be_written(way: Callable[..., Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"^the option '{name}' is an object, and cannot be written in a URL"):
        way(f"redis://h?{name}=redis.connection.Connection")


@pytest.mark.parametrize("pool", POOLS)
def test_what_is_written_arrives_as_what_it_is(pool: type[redis.ConnectionPool]) -> None:
    said = {
        "socket_timeout": "1.5",
        "socket_connect_timeout": "2",
        "socket_keepalive": "yes",
        "retry_on_timeout": "False",
        "decode_responses": "1",
        "socket_read_size": "1000",
        "protocol": "3",
        "fork_safe": "off",
        "encoding": "latin-1",
        "client_name": "me",
        "max_connections": "7",
    }
    made = pool.from_url(f"redis://h?{urlencode(said)}")
    connection = made.make_connection()
    assert (connection.socket_timeout, connection.socket_connect_timeout) == (1.5, 2.0)
    assert (connection.socket_keepalive, connection.retry_on_timeout) == (True, False)
    assert (connection.encoder.encoding, connection.encoder.decode_responses) == ("latin-1", True)
    assert (connection.identity.protocol, connection.identity.client_name) == (3, "me")
    assert (made.max_connections, connection.fork_safe, connection._read_size) == (7, False, 1000)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("word", ["false", "False", "no", "N", "0", "off"])
def test_no_means_no(way: Callable[..., Any], word: str, server) -> None:
    """It was once True, as any text is."""
    with way(f"redis://{server.host}:{server.port}?decode_responses={word}") as client:
        client.set("k", "v")
        assert client.get("k") == b"v"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("word", ["true", "yes", "1", "on"])
def test_yes_means_yes(way: Callable[..., Any], word: str, server) -> None:
    with way(f"redis://{server.host}:{server.port}?decode_responses={word}") as client:
        client.set("k", "v")
        assert client.get("k") == "v"


@pytest.mark.parametrize("name", sorted(URL_QUERY_ARGUMENT_PARSERS))
def test_what_does_not_convert_is_left_out_with_a_warning(name: str) -> None:
    if URL_QUERY_ARGUMENT_PARSERS[name] is to_bool:
        assert options_from_url(f"redis://h?{name}=rubbish")[name] is True
        return
    with pytest.warns(UserWarning, match=f"^Invalid value for `{name}` in connection URL.$") as caught:
        options = options_from_url(f"redis://h?{name}=rubbish")
    assert options == {"host": "h", "port": 6379, "db": 0, "password": None}
    assert len(caught) == 1


@pytest.mark.parametrize(("text", "number"), [("1.2", 771), ("TLSv1.2", 771), ("TLSv1_3", 772)])
def test_a_version_of_tls(text: str, number: int) -> None:
    pool = redis.ConnectionPool.from_url(f"rediss://h?ssl_min_version={text}")
    assert pool.make_connection()._context().minimum_version == number


# What is wrong is named


@pytest.mark.parametrize("way", [*WAYS, *[pool.from_url for pool in POOLS]])
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://h/abc", "the path of the URL, 'abc', is not the number of a database"),
        ("redis://h/1/2", "the path of the URL, '1/2', is not the number of a database"),
        ("redis://h/-1", "the path of the URL, '-1', is not the number of a database"),
        ("rediss://h/0x1", "the path of the URL, '0x1', is not the number of a database"),
        ("redis://h:six", "the port in the URL is no number"),
        ("redis://h:70000", "the port in the URL is no number from 0 to 65535"),
        ("redis://[::1", "the URL cannot be taken apart"),
        ("reddis://h", "the URL has the scheme 'reddis'; it takes one of redis://, rediss://, unix://"),
        ("h:6379", "the URL has the scheme 'h'"),
        ("", "the URL has the scheme ''"),
        ("redis://:a#b@h", "the URL has a sign in a place where it cannot be meant"),
        ("redis://h?socket_timeout=0", "socket_timeout is 0.0; it takes a positive number of seconds"),
        ("redis://h?socket_timeout=nan", "socket_timeout is nan; it takes a positive number of seconds"),
        ("redis://h?max_connections=-1", '"max_connections" must be a positive integer'),
    ],
)
def test_a_url_that_cannot_be_meant_so(way: Callable[..., Any], url: str, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        way(url)
    assert str(caught.value).startswith(words)


# Names and passwords


@pytest.fixture(scope="module")
def locked():
    with standalone(config={"requirepass": PASSWORD}) as running:
        ask(running, "ACL", "SETUSER", "a:n@n", "on", f">{PASSWORD}", "~*", "+@all")
        yield running


@pytest.mark.parametrize("user", ["", "a:n@n"])
@pytest.mark.parametrize("where", ["tcp", "unix"])
def test_a_password_of_any_signs(locked, user: str, where: str) -> None:
    login = f"{quote(user, safe='')}:{quote(PASSWORD, safe='')}@"
    place = f"redis://{login}{locked.host}:{locked.port}/3" if where == "tcp" else f"unix://{login}{locked.unix_socket}"
    with redis.StrictRedis.from_url(place, decode_components=True) as client:
        assert client.acl_whoami() == (user or "default")


@pytest.mark.parametrize("url", ["redis://{0}:{1}?password={2}", "redis://{0}:{1}?username=a%3An%40n&password={2}"])
def test_a_password_behind_the_question_mark(locked, url: str) -> None:
    with redis.StrictRedis.from_url(url.format(locked.host, locked.port, quote(PASSWORD, safe=""))) as client:
        assert client.acl_whoami() == ("a:n@n" if "username" in url else "default")


def test_a_url_without_a_password_takes_none_away(locked) -> None:
    """It is easy to miss: the client would be nobody, or worse, somebody else."""
    url = f"redis://{locked.host}:{locked.port}"
    with redis.StrictRedis.from_url(url, username="a:n@n", password=PASSWORD) as client:
        assert client.acl_whoami() == "a:n@n"
    other = f"redis://:other@{locked.host}:{locked.port}"  # it goes before the keyword
    with redis.StrictRedis.from_url(other, password=PASSWORD) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_no_password_is_none() -> None:
    assert redis.ConnectionPool.from_url("redis://h").connection_kwargs["password"] is None


@settings(deadline=None)
@given(user=st.text(), password=st.text(), db=st.integers(0, 10**6), port=st.integers(1, 65535))
def test_what_was_quoted_comes_back(user: str, password: str, db: int, port: int) -> None:
    url = f"redis://{quote(user, safe='')}:{quote(password, safe='')}@h:{port}/{db}"
    found = options_from_url(url, decode_components=True)
    assert found.pop("username", "") == user
    assert found == {"host": "h", "port": port, "db": db, "password": password}


@settings(deadline=None)
@given(st.text(st.sampled_from("abc12345@/:?#[]%+.-_~!$&'()*,;é ")))
def test_a_password_is_taken_whole_or_refused(password: str) -> None:
    """However it is written, no part of it becomes a host, a port or a database."""
    url = f"redis://:{password}@h.example:7/1"
    try:
        found = options_from_url(url)
    except ValueError as error:
        assert not password or len(password) < 8 or password not in str(error)
        return
    assert found == {"host": "h.example", "port": 7, "db": 1, "password": password}


@settings(deadline=None)
@given(st.text(), st.booleans())
def test_nothing_else_comes_out(url: str, decode: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = options_from_url(f"redis://{url}", decode_components=decode)
        except ValueError:
            return
    assert type(found["db"]) is int
    assert type(found["port"]) is int and 0 <= found["port"] <= 65535
    assert type(found["host"]) is str
