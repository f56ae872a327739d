"""A password never shows: not in a repr, an error, a traceback, a log, a warning or a pickle."""

from __future__ import annotations

import copy
import logging
import os
import pickle
import ssl
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

import redis
from redis.connection import SSLConnection
from redis.sentinel import Sentinel
from tests.faults.fakenode import (
    Action,
    FakeNode,
    RefusingPort,
    close,
    drop,
    half,
    hold,
    raw,
    refuse,
    reset,
    stall,
    turn_away,
)
from tests.servers import REDIS7, VALKEY, ask, standalone, until

SECRET = "Hunter2+s3cr3t"
#: How it would look where it was written in another way.
SHAPES = (SECRET, quote(SECRET, safe=""), SECRET.encode().hex(), SECRET.upper())


def shows(text: str) -> bool:
    return any(shape in text for shape in SHAPES)


@pytest.fixture(autouse=True)
def nothing_is_said(caplog, capfd, recwarn) -> Iterator[None]:
    """In none of these tests does a log at any level, a warning or the terminal show it."""
    caplog.set_level(logging.DEBUG)
    yield
    out, err = capfd.readouterr()
    said = [caplog.text, out, err, *[str(warning.message) for warning in recwarn]]
    assert not any(map(shows, said)), said


class Provider:
    """Knows the credentials at the moment of connecting."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def get_credentials(self) -> tuple[str, ...]:
        return self.words


LOGINS: dict[str, dict[str, Any]] = {
    "password": {"password": SECRET},
    "user": {"username": "ann", "password": SECRET},
    "provider": {"credential_provider": Provider(SECRET)},
    "provider-user": {"credential_provider": Provider("ann", SECRET)},
}


class OwnPool(redis.ConnectionPool):
    """A subclass, for the classic way through the client."""


def everything(error: BaseException) -> str:
    """All that an error says, in any way: its texts, what it carries, and the same of all that it is chained with."""
    said = traceback.format_exception(error)
    found, queue = set(), [error]
    while queue:
        one = queue.pop()
        if id(one) not in found:
            found.add(id(one))
            carried = [getattr(one, name, None) for name in dir(one) if name not in ("__traceback__", "__dict__")]
            said += [str(one), repr(one), str(vars(one)), *[repr(value) for value in carried if not callable(value)]]
            queue += [other for other in (one.__cause__, one.__context__) if other is not None]
    return "\n".join(said)


def hidden(call: Callable[[], Any], *kinds: type[Exception]) -> Any:
    """Call it, and return the error that it must raise, which does not show the secret."""
    with pytest.raises(kinds or redis.RedisError) as caught:
        call()
    assert not shows(everything(caught.value)), everything(caught.value)
    assert not shows(str(pickle.dumps(caught.value)))
    return caught.value


def test_the_kit_sees_a_secret_wherever_it_is() -> None:
    carried = ValueError("x")
    carried.where = [SECRET]  # type: ignore[attr-defined]
    chained = ValueError("x")
    chained.__context__, chained.__suppress_context__ = KeyError(SECRET), True
    try:
        f"{SECRET}ä".encode("ascii")
    except UnicodeEncodeError as error:
        unencodable = error
    for error in (ValueError(SECRET), OSError(1, "x", SECRET), carried, chained, unencodable):
        assert shows(everything(error))
    assert not shows(everything(ValueError("x")))


# What the objects say of themselves


@pytest.mark.parametrize("login", LOGINS)
def test_nothing_shows_it_of_its_own_accord(node: FakeNode, make, login: str) -> None:
    client = make(**node.options, **LOGINS[login])
    single = make(**node.options, **LOGINS[login], single_connection_client=True)
    for _ in range(2):  # before there is a connection, and with one
        pool = client.connection_pool
        connections = [pool.make_connection(), *pool._available_connections]
        pipe = client.pipeline().execute_command("AUTH", "ann", SECRET).config_set("requirepass", SECRET)
        objects = [client, single, pool, single.connection_pool, pipe, client.pubsub(), client.lock("k")]
        objects += [client.monitor(), client.register_script("return 1"), client.get_encoder(), *connections]
        objects += [connection.identity for connection in connections]
        for one in objects:
            assert not shows(f"{one} {one!r} {one:}"), type(one)
        assert client.ping() and single.ping()


@pytest.mark.parametrize("pool_class", [redis.ConnectionPool, redis.BlockingConnectionPool, OwnPool])
@pytest.mark.parametrize("scheme", ["redis://{}h", "rediss://{}h", "unix://{}/s"])
def test_a_pool_of_a_url(pool_class: type[redis.ConnectionPool], scheme: str) -> None:
    pool = pool_class.from_url(scheme.format(f"ann:{SECRET}@"))
    connection = pool.make_connection()
    assert not shows(f"{pool!r} {pool} {connection!r} {redis.StrictRedis(connection_pool=pool)!r}")
    assert connection.identity.password == SECRET


def test_the_tls_options() -> None:
    pool = redis.ConnectionPool(SSLConnection, ssl_keyfile="k", ssl_certfile="c", ssl_password=SECRET)
    connection = pool.make_connection()
    assert not shows(f"{pool!r} {connection!r} {connection} {redis.StrictRedis(connection_pool=pool)!r}")


def test_pickles_and_copies() -> None:
    client = redis.StrictRedis(password=SECRET)
    pool = client.connection_pool
    connection = pool.make_connection()
    holders = [client, client.pipeline(), client.pubsub(), client.lock("k"), client.register_script("return 1")]
    holders += [redis.StrictRedis(password=SECRET, single_connection_client=True), client.monitor()]
    for one in (pool, redis.BlockingConnectionPool(password=SECRET), connection, connection.identity, *holders):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="cannot be pickled or copied") as caught:
                pickle.dumps(one, protocol)
            assert not shows(everything(caught.value))
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            copy.deepcopy(one)
    assert copy.copy(client).connection_pool is pool


# Connecting

ECHO = f"ERR unknown command 'AUTH', with args beginning with: 'ann' '{SECRET}' "
OLD_ECHO = f"ERR unknown command `hello`, with args beginning with: `3`, `AUTH`, `ann`, `{SECRET}`, "
ANSWERS: dict[str, Action] = {
    "close": close,
    "half": half,
    "reset": reset,
    "drop": drop,
    "hold": hold,
    "stall": stall,
    "wrong": refuse("WRONGPASS invalid username-password pair or user is disabled."),
    "old": refuse("ERR invalid password"),
    "echo": refuse(ECHO),
    "old-echo": refuse(OLD_ECHO),
    "option": refuse(f"ERR Syntax error in HELLO option '{SECRET}'"),
    "loading": refuse("LOADING Redis is loading the dataset in memory"),
    "full": turn_away("ERR max number of clients reached"),
    "no-resp": raw(b"?\r\n"),
    "number": raw(b":" + SECRET.encode() + b"\r\n"),
    "length": raw(b"$" + SECRET.encode() + b"\r\n"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_handshake_that_fails(speech: dict[str, Any], answer: str) -> None:
    with FakeNode() as node:
        for name in ("AUTH", "HELLO"):
            node.always(name, ANSWERS[answer])
        options = {**node.options, **speech, "socket_timeout": 0.1}
        for login in LOGINS.values():
            with redis.StrictRedis(**options, **login) as client:
                hidden(client.ping)
                hidden(client.pipeline().set("k", "v").execute)
        with redis.StrictRedis(connection_pool=OwnPool(**options, **LOGINS["user"])) as classic:
            hidden(classic.ping)
        with redis.StrictRedis(**options, **LOGINS["user"], single_connection_client=True) as single:
            hidden(single.ping)
            hidden(lambda: single.pubsub().subscribe("c"))


@pytest.mark.parametrize("answer", [close, half, reset, refuse(ECHO), refuse("WRONGPASS x"), raw(b"?\r\n")])
def test_a_handshake_that_fails_over_any_transport(node: FakeNode, make, answer: Action) -> None:
    for name in ("AUTH", "HELLO"):
        node.always(name, answer)
    for login in LOGINS.values():
        assert hidden(make(**node.options, **login, socket_timeout=0.5).ping).phase == "handshake"


def test_a_server_that_refuses_the_connection(speech: dict[str, Any], tmp_path) -> None:
    login = LOGINS["user"]
    with RefusingPort() as port:
        for options in ({"host": "127.0.0.1", "port": port}, {"unix_socket_path": str(tmp_path / "nobody.sock")}):
            with redis.StrictRedis(**options, **speech, **login) as client:
                hidden(client.ping, redis.ConnectionError)
        with redis.StrictRedis.from_url(f"redis://ann:{SECRET}@127.0.0.1:{port}/3", **speech) as client:
            hidden(client.ping, redis.ConnectionError)
            hidden(client.pipeline().ping().execute, redis.ConnectionError)


def test_a_host_that_does_not_exist() -> None:
    with redis.StrictRedis("no-such-host.invalid", **LOGINS["user"]) as client:
        hidden(client.ping, redis.ConnectionError)


class Forgetful:
    """Its own error is its own business; nothing is added to it."""

    def get_credentials(self) -> tuple[str, str]:
        raise LookupError("forgotten")


@pytest.mark.parametrize("words", [(SECRET, "a", "b"), (SECRET, SECRET, SECRET, SECRET)])
def test_a_provider_of_too_many_words(speech: dict[str, Any], server, words: tuple[str, ...]) -> None:
    options = {"unix_socket_path": server.unix_socket, **speech}
    with redis.StrictRedis(**options, credential_provider=Provider(*words)) as client:
        hidden(client.ping, redis.RedisError)
    with redis.StrictRedis(**options, credential_provider=Forgetful(), db=1) as client:
        hidden(client.ping, LookupError)


@pytest.fixture(scope="module", params=[VALKEY, REDIS7])
def locked(request: pytest.FixtureRequest):
    """A server that asks for another password."""
    with standalone(request.param, config={"requirepass": "another"}) as running:
        ask(running, "ACL", "SETUSER", "ann", "on", ">another", "~*", "+@all")
        yield running


@pytest.mark.parametrize("login", LOGINS)
def test_a_wrong_password(locked, speech: dict[str, Any], login: str) -> None:
    with redis.StrictRedis(unix_socket_path=locked.unix_socket, **speech, **LOGINS[login]) as client:
        error = hidden(client.ping, redis.AuthenticationError)
        assert isinstance(error, redis.ResponseError)
        hidden(client.pipeline().set("k", "v").execute, redis.AuthenticationError)


# Commands

#: Each command with a secret among its arguments, written in several ways.
COMMANDS: list[tuple[Any, ...]] = [
    ("AUTH", SECRET),
    ("AUTH", "ann", SECRET),
    (b"auth", SECRET.encode()),
    ("AUTH", memoryview(SECRET.encode())),
    ("AUTH", bytearray(SECRET.encode())),
    ("HELLO", "3", "AUTH", "ann", SECRET),
    ("HELLO", 3, "AUTH", "ann", "pass", SECRET),
    ("CONFIG SET", "requirepass", SECRET),
    ("CONFIG", "SET", "masterauth", SECRET),
    ("config", b"set", "masteruser", "ann", "masterauth", SECRET),
    ("CONFIG", "SETT", "requirepass", SECRET),
    ("ACL SETUSER", "bob", "on", f">{SECRET}"),
    ("acl", "setuser", "ann", f"<{SECRET}"),
    ("ACL", "SETUSER", "ann", SECRET),
    ("ACL", "SETUSER", "ann", f"#{SECRET}"),
    ("ACL", "SETUSER", "ann", f"(~* >{SECRET})"),
    ("ACL", "SETUSERS", "ann", f">{SECRET}"),
    ("MIGRATE", "127.0.0.1", "1", "k", "0", "10", "AUTH", SECRET),
    ("migrate", "127.0.0.1", 1, "", 0, 10, "AUTH2", "ann", SECRET, "KEYS", "k"),
    ("SENTINEL SET", "mymaster", "auth-pass", SECRET),
    ("SENTINEL", "CONFIG", "SET", "sentinel-pass", SECRET),
]


def ways(client: redis.StrictRedis) -> list[Callable[[tuple[Any, ...]], Any]]:
    """All ways to execute a command."""

    def watching(command: tuple[Any, ...]) -> Any:
        with client.pipeline() as pipe:
            pipe.watch("k")
            return pipe.execute_command(*command)

    return [
        lambda command: client.execute_command(*command),
        lambda command: client.pipeline().execute_command(*command).execute(),
        lambda command: client.pipeline(transaction=False).ping().execute_command(*command).execute(),
        watching,
    ]


def texts(command: tuple[Any, ...]) -> list[str]:
    """The words of a command as the server reads them."""
    words = [str(word) if isinstance(word, (str, int)) else bytes(word).decode() for word in command]
    return [*words[0].split(), *words[1:]]


def repeating(command: tuple[Any, ...]) -> Action:
    """What a server does that does not know the command: it repeats the arguments."""
    name, *words = texts(command)
    repeated = " ".join(f"'{word}'" for word in words)
    return refuse(f"ERR unknown command '{name}', with args beginning with: {repeated} ")


@pytest.mark.parametrize("pool_class", [redis.ConnectionPool, OwnPool])
def test_a_command_that_the_server_does_not_know(
    speech: dict[str, Any], pool_class: type[redis.ConnectionPool]
) -> None:
    with FakeNode() as node, pool_class(**node.options, **speech, socket_timeout=0.5) as pool:
        client = redis.StrictRedis(connection_pool=pool)
        for command in COMMANDS:
            client.ping()
            node.always(texts(command)[0], repeating(command))
            node.always(texts(command)[0].upper(), repeating(command))
            for way in ways(client):
                error = hidden(lambda way=way, command=command: way(command), redis.ResponseError)
                assert "unknown command" in str(error)
            node.rules.clear()


@pytest.mark.parametrize("answer", [close, half, reset, hold, raw(b"?\r\n")])
def test_a_command_whose_reply_is_lost(speech: dict[str, Any], answer: Action) -> None:
    with FakeNode() as node, redis.ConnectionPool(**node.options, **speech, socket_timeout=0.1) as pool:
        client = redis.StrictRedis(connection_pool=pool)
        for command in COMMANDS[:: 5 if answer is hold else 1]:
            client.ping()
            node.always(texts(command)[0].upper(), answer)
            for way in ways(client):
                hidden(lambda way=way, command=command: way(command))
            node.rules.clear()


@pytest.fixture(scope="module", params=[VALKEY, REDIS7])
def strict(request: pytest.FixtureRequest):
    """A real server, some of whose commands were taken away, as hosters do."""
    away = [[name, ""] for name in ("AUTH", "CONFIG", "MIGRATE")]
    with standalone(request.param, config={"rename-command": away}) as running:
        yield running


@pytest.mark.parametrize("pool_class", [redis.ConnectionPool, OwnPool])
def test_a_real_server(strict, speech: dict[str, Any], pool_class: type[redis.ConnectionPool]) -> None:
    with pool_class(host=strict.host, port=strict.port, **speech) as pool:
        client = redis.StrictRedis(connection_pool=pool)
        for command in COMMANDS:
            for way in ways(client):
                if "on" in texts(command):
                    way(command)  # the only one that is executed
                else:
                    hidden(lambda way=way, command=command: way(command), redis.ResponseError)
            results = client.pipeline(transaction=False).execute_command(*command).execute(raise_on_error=False)
            assert not any(shows(everything(one)) for one in results if isinstance(one, Exception))


def test_the_words_of_the_server_stay_where_they_repeat_nothing(server, speech: dict[str, Any]) -> None:
    with redis.StrictRedis(host=server.host, port=server.port, **speech) as client:
        with pytest.raises(redis.ResponseError, match="Error in ACL SETUSER modifier '\\+gett': Unknown command or"):
            client.execute_command("ACL SETUSER", "bob", "+gett")
        with pytest.raises(redis.ResponseError, match="unknown command 'GETT', with args beginning with: 'key'"):
            client.execute_command("GETT", "key")
        with pytest.raises(redis.ResponseError, match=r"related to argument 'maxmemory'\) - argument must be"):
            client.config_set("maxmemory", "much")


# Arguments that cannot be meant so


@pytest.mark.parametrize(
    "call",
    [
        lambda r: r.execute_command(f"AUTH {SECRET}"),
        lambda r: r.execute_command(f"auth\t{SECRET}"),
        lambda r: r.execute_command(f"CONFIG SET requirepass {SECRET}"),
        lambda r: r.execute_command(["AUTH", SECRET]),
        lambda r: r.pipeline().execute_command(f"AUTH {SECRET}").execute(),
        lambda r: r.pipeline().execute_command(("AUTH", SECRET)).execute(),
        lambda r: r.acl_setuser("ann", nopass=True, passwords=[f"+{SECRET}"]),
        lambda r: r.acl_setuser("ann", passwords=[SECRET]),
        lambda r: r.acl_setuser("ann", hashed_passwords=SECRET),
        lambda r: r.acl_setuser("ann", selectors=[SECRET]),
        lambda r: r.hello(3, password=SECRET),
        lambda r: r.hello(username="ann", password=SECRET),
        lambda r: r.migrate("h", 1, [], 0, 10, auth=SECRET),
        lambda r: r.connection_pool.make_connection().send_command(f"AUTH {SECRET}"),
    ],
)
def test_what_cannot_be_meant_so(node: FakeNode, client: redis.StrictRedis, call: Callable[[Any], Any]) -> None:
    hidden(lambda: call(client), redis.DataError)
    assert not any(shows(str(words)) for words in node.received)


UNENCODABLE = f"{SECRET}-\udcff"


@pytest.mark.parametrize("options", [{}, {"encoding": "ascii"}, {"encoding": "utf-16"}])
def test_a_password_that_cannot_be_encoded(server, speech: dict[str, Any], options: dict[str, Any]) -> None:
    options = {"host": server.host, "port": server.port, **speech, **options}
    for login in ({"password": UNENCODABLE}, {"credential_provider": Provider("ann", UNENCODABLE)}):
        with redis.StrictRedis(**options, **login) as client:
            hidden(client.ping, UnicodeEncodeError)
            hidden(client.pipeline().set("k", "v").execute, UnicodeEncodeError)
    with redis.StrictRedis(**options) as client:
        for way in ways(client):
            for words in (("AUTH", UNENCODABLE), ("CONFIG SET", "requirepass", 1, "masterauth", UNENCODABLE)):
                hidden(lambda way=way, words=words: way(words), UnicodeEncodeError)
        hidden(lambda: client.acl_setuser("ann", passwords=[f"+{UNENCODABLE}"]), UnicodeEncodeError)
        hidden(lambda: client.pipeline().auth(UNENCODABLE).auth(UNENCODABLE).execute(), UnicodeEncodeError)


# Options and URLs


@pytest.mark.parametrize(
    "make",
    [
        lambda: redis.StrictRedis(pasword=SECRET),
        lambda: redis.StrictRedis("h", 6379, 0, "ann", SECRET),
        lambda: redis.StrictRedis("h", SECRET),
        lambda: redis.StrictRedis(f"redis://ann:{SECRET}@h:6379/0"),
        lambda: redis.StrictRedis(f"ann:{SECRET}@h"),
        lambda: redis.StrictRedis(unix_socket_path=f"unix://:{SECRET}@/s"),
        lambda: redis.StrictRedis(connection_pool=redis.ConnectionPool(), password=SECRET),
        lambda: redis.StrictRedis(connection_pool=redis.ConnectionPool(password="x"), password=SECRET),
        lambda: redis.StrictRedis(password=SECRET, credential_provider=Provider(SECRET)),
        lambda: redis.StrictRedis(ssl_password=SECRET),
        lambda: redis.StrictRedis(unix_socket_path="/s", ssl_password=SECRET),
        lambda: redis.StrictRedis(ssl=True, ssl_password=SECRET),
        lambda: redis.StrictRedis(ssl=True, ssl_context=ssl.create_default_context(), ssl_password=SECRET),
        lambda: redis.StrictRedis(password=SECRET, socket_timeout=-1),
        lambda: redis.StrictRedis(password=SECRET, max_connections=-1),
        lambda: redis.StrictRedis(password=SECRET, protocol=4).ping(),
        lambda: redis.ConnectionPool(password=SECRET, socket_timout=1),
        lambda: redis.ConnectionPool(password=SECRET, socket_connect_timeout=SECRET),
        lambda: redis.StrictRedis.from_url("redis://h", pasword=SECRET),
        lambda: redis.StrictRedis.from_url(f"redis://h?pasword={SECRET}"),
    ],
)
def test_options_that_are_refused(make: Callable[[], Any]) -> None:
    hidden(make, TypeError, ValueError)


URLS = [
    "redis://:{}@h:port/0",
    "redis://:{}@h:99999/0",
    "redis://:{}@h/abc",
    "redis://:{}@h/1/2",
    "redis://:1/{}@h/1",
    "redis://:{}/1@h/1",
    "redis://:{}?@h/1",
    "redis://:{}#@h/1",
    "redis://:#{}@h/1",
    "redis://:[{}@h/1",
    "redis://:{}@[::1/0",
    "redis://:{}\u2100@h",
    "redis://ann:{}@h?colour=x",
    "redis://ann:{}@h?db=x&colour=x",
    "redis://:{}@h?socket_timeout=0",
    "redis://:{}@h?parser_class=x",
    "redis://:{}@h?ssl_ca_certs=x",
    "redis+sentinel://:{}@h/",
    "redis+sentinel://:{}@h:port/mymaster",
    "redis+sentinel://:{}@h,i:99999/mymaster",
    "redis+sentinel://:{}@h/mymaster/abc",
    "redis+sentinel://:{}@h/mymaster?role=x",
    "redis+sentinel://:{}/1@h/mymaster",
    "http://:{}@h",
    "//ann:{}@h",
    "ann:{}@h:6379",
    ":{}@h",
]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("decode", [False, True])
def test_urls_that_are_refused(url: str, decode: bool) -> None:
    for make in (redis.StrictRedis.from_url, redis.utils.from_url, redis.BlockingConnectionPool.from_url):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if "colour" not in url or make != redis.BlockingConnectionPool.from_url:
                hidden(lambda make=make: make(url.format(SECRET), decode_components=decode), ValueError, TypeError)
        assert not any(shows(str(vars(warning))) for warning in caught)


def test_a_url_with_a_warning(recwarn) -> None:
    names = ("socket_timeout", "max_connections", "db", "protocol", "ssl_min_version")
    query = "&".join(f"{name}={SECRET}" for name in names)
    pool = redis.ConnectionPool.from_url(f"rediss://:{SECRET}@h?{query}")
    assert [str(warning.message) for warning in recwarn] == [
        f"Invalid value for `{name}` in connection URL." for name in names
    ]
    assert not shows(repr(pool))


# The key of a certificate


@pytest.fixture
def sealed(certificates, tmp_path) -> str:
    """A key that a password protects."""
    path = str(tmp_path / "sealed.key")
    words = ["openssl", "pkey", "-in", certificates.client_key, "-aes256", "-passout", "pass:another", "-out", path]
    subprocess.run(words, check=True, capture_output=True)
    return path


@pytest.mark.parametrize("password", [SECRET, UNENCODABLE, SECRET * 200])
def test_a_wrong_password_of_a_key(certificates, sealed: str, password: str) -> None:
    options = {"ssl_certfile": certificates.client_cert, "ssl_keyfile": sealed, "ssl_password": password}
    with FakeNode() as node, redis.StrictRedis("127.0.0.1", node.port, ssl=True, **options) as client:
        hidden(client.ping, redis.RedisError, ValueError)  # before anything is sent


# Sentinels


def test_the_objects_of_a_sentinel() -> None:
    sentinel = Sentinel([("h", 1)], sentinel_kwargs={"username": "ann", "password": SECRET}, password=SECRET)
    clients = [sentinel.master_for("mymaster"), sentinel.slave_for("mymaster"), *sentinel.sentinels]
    pools = [client.connection_pool for client in clients]
    for one in [sentinel, *clients, *pools, *[pool.make_connection() for pool in pools]]:
        assert not shows(f"{one} {one!r}")
        with pytest.raises(TypeError, match="cannot be pickled or copied") as caught:
            pickle.dumps(one)
        assert not shows(everything(caught.value))


@pytest.mark.parametrize("answer", ["close", "wrong", "echo", "no-resp"])
def test_sentinels_that_refuse_the_password(speech: dict[str, Any], answer: str) -> None:
    with FakeNode() as node:
        node.always("AUTH", ANSWERS[answer])
        node.always("HELLO", ANSWERS[answer])
        login = {**speech, "username": "ann", "password": SECRET}
        with Sentinel([node.address], sentinel_kwargs=login, password=SECRET) as sentinel:
            with sentinel.master_for("mymaster") as client:
                hidden(client.ping, redis.ConnectionError)
            with sentinel.slave_for("mymaster") as client:
                hidden(client.ping, redis.ConnectionError)
        url = f"redis+sentinel://ann:{SECRET}@127.0.0.1:{node.port}/mymaster?sentinel_password={quote(SECRET)}"
        with redis.StrictRedis.from_url(url) as client:
            assert not shows(repr(client))
            hidden(client.ping, redis.ConnectionError)


# Logs, threads and processes


def test_a_handler_that_raises_in_a_thread(speech: dict[str, Any], caplog) -> None:
    with standalone(config={"requirepass": SECRET}) as alone, alone.client(**speech) as client:
        pubsub = client.pubsub()
        pubsub.subscribe(c=lambda message: 1 / 0)
        worker = pubsub.run_in_thread(sleep_time=0.01)
        until(lambda: client.publish("c", "x") == 1)
        until(lambda: "ZeroDivisionError" in caplog.text)
        assert not shows(f"{worker!r} {caplog.text}")
        worker.stop()
        worker.join(10)


PROGRAM = """
import os, sys, threading
import redis

url, secret = sys.argv[1], os.environ["SECRET"]
client = redis.StrictRedis.from_url(url, username="ann", password=secret, decode_components=True)
thread = threading.Thread(target=client.ping)
thread.start()
thread.join()
pipe = client.pipeline(transaction=False).execute_command("CONFIG", "SET", "requirepass", secret)
pipe.execute()
"""


def test_a_program_that_ends_with_a_traceback(locked) -> None:
    run = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "always", "-c", PROGRAM, f"redis://{locked.host}:{locked.port}"],
        env={**os.environ, "SECRET": SECRET, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.count("AuthenticationFailedError") >= 2
    assert not shows(run.stdout + run.stderr)
