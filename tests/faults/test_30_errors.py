"""Every error tells the circumstances: the command, the address, the phase and the attempt.

They are attributes of all errors, and stand in the texts that are ours; causes are chained, and what the server said is
told word for word.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from time import monotonic
from typing import Any, NamedTuple

import pytest

import redis
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.connection.idle import LOOK
from redis.connection.tcp import is_readable
from redis.retry import Retry
from tests.faults.fakenode import (
    ACCEPT,
    Execute,
    FakeNode,
    Link,
    RefusingPort,
    close,
    half,
    hold,
    raw,
    refuse,
    reset,
    silent,
    slowly,
    stall,
    turn_away,
)
from tests.faults.proxy import Proxy
from tests.servers import Certificates, ask, packed, until

Client = redis.StrictRedis


class Own(redis.Connection):
    """A connection class of the user's: commands go the classic way."""


class Way(NamedTuple):
    """A way to have a command executed."""

    call: Callable[[Client], Any]
    #: What the error calls it.
    command: str
    #: The command by which the server knows it.
    asks: str
    #: How often it is sent when the outcome of the first attempt is unknown.
    attempts: int = 1


WAYS = {
    "write": Way(lambda client: client.incr("n"), "INCRBY", "INCRBY"),
    "read": Way(lambda client: client.get("a"), "GET", "GET", 2),
    "raw": Way(lambda client: client.execute_command(b"incr", "n"), "INCR", "INCR"),
    "two words": Way(lambda client: client.client_kill_filter(_id="1"), "CLIENT KILL", "CLIENT"),
    "blocking": Way(lambda client: client.blpop("l", 0.05), "BLPOP", "BLPOP"),
    "pipeline": Way(
        lambda client: client.pipeline(transaction=False).set("b", 1).incr("n").execute(), "pipeline", "SET"
    ),
    "transaction": Way(lambda client: client.pipeline().incr("n").execute(), "EXEC", "EXEC"),
    "watch": Way(lambda client: client.pipeline().watch("n"), "WATCH", "WATCH"),
}


class Told(NamedTuple):
    """What an error tells."""

    command: str | None
    address: str | None
    phase: str | None
    attempt: int | None


def told(error: BaseException) -> Told:
    assert isinstance(error, redis.RedisError)
    return Told(error.command, error.address, error.phase, error.attempt)


def names_all(error: redis.RedisError) -> bool:
    """Whether the text names what the attributes say."""
    text = str(error)
    return f"({error.command} at {error.address}, attempt {error.attempt}" in text


def caught(kind: type[BaseException] | tuple[type[BaseException], ...], call: Callable[[], Any]) -> Any:
    with pytest.raises(kind) as found:
        call()
    return found.value


def warm(client: Client) -> Client:
    """Have the client connected; where its time is short and the machine is busy, it may take more than one attempt."""
    for _ in range(20):
        with suppress(redis.TimeoutError):
            client.ping()
            break
    return client


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return request.param


@pytest.fixture(params=["short", "classic", "single"])
def connect(request: pytest.FixtureRequest, speech: dict[str, Any]) -> Iterator[Callable[..., Client]]:
    """A function that makes clients whose commands go the short way, the classic way, or over one connection."""
    with ExitStack() as stack:

        def connect(**options: Any) -> Client:
            options = {**speech, "socket_timeout": 20, **options}
            if request.param == "classic":
                pool = stack.enter_context(ConnectionPool(Own, **options))
                return Client(connection_pool=pool)
            single = request.param == "single"
            return stack.enter_context(Client(**options, single_connection_client=single))

        yield connect


@pytest.fixture
def node() -> Iterator[FakeNode]:
    with FakeNode() as node:
        yield node


def test_refused(connect, way: Way) -> None:
    with RefusingPort() as port:
        error = caught(redis.ConnectionError, lambda: way.call(connect(host="127.0.0.1", port=port)))
    assert told(error) == (way.command, f"127.0.0.1:{port}", "connect", 2)
    assert names_all(error) and "Connection refused" in str(error)
    assert isinstance(error.__cause__, ConnectionRefusedError)


@pytest.mark.parametrize("host", ["no..such..host", "\r\n", "ä" * 70])
def test_no_such_host(connect, way: Way, host: str) -> None:
    error = caught(redis.ConnectionError, lambda: way.call(connect(host=host, port=1)))
    assert told(error) == (way.command, f"{host}:1", "connect", 2)
    assert names_all(error)
    assert isinstance(error.__cause__, socket.gaierror)


def test_no_such_path(connect, way: Way, tmp_path, make) -> None:
    path = str(tmp_path / "nobody.sock")
    error = caught(redis.ConnectionError, lambda: way.call(make(unix_socket_path=path)))
    assert told(error) == (way.command, path, "connect", 2)
    assert names_all(error)
    assert isinstance(error.__cause__, FileNotFoundError)


def test_tls_fails(make, certificates: Certificates, way: Way) -> None:
    with FakeNode(context=certificates.server_context(), ca_file=certificates.wrong_ca_file) as node:
        error = caught(redis.ConnectionError, lambda: way.call(make(**node.options)))
        assert told(error) == (way.command, f"127.0.0.1:{node.port}", "tls", 2)
    assert names_all(error) and "certificate verify failed" in str(error)
    assert isinstance(error.__cause__, ssl.SSLCertVerificationError)


@pytest.mark.parametrize(
    "action, kind, patience", [(close, redis.ConnectionError, 20), (hold, redis.TimeoutError, 0.1)]
)
def test_the_handshake_is_lost(connect, node, way: Way, action, kind: type[redis.RedisError], patience: float) -> None:
    node.always(ACCEPT, action)
    error = caught(kind, lambda: way.call(connect(**node.options, socket_timeout=patience)))
    assert told(error)[:3] == (way.command, f"127.0.0.1:{node.port}", "handshake")
    assert names_all(error)
    assert isinstance(error.__cause__, OSError)


@pytest.mark.parametrize("action", [close, half, reset], ids=["close", "half", "reset"])
def test_the_reply_is_lost(connect, node, way: Way, action) -> None:
    client = warm(connect(**node.options))
    node.always(way.asks, action)
    error = caught(redis.ConnectionError, lambda: way.call(client))
    assert told(error) == (way.command, f"127.0.0.1:{node.port}", "recv", way.attempts)
    assert names_all(error)
    assert isinstance(error.__cause__, ConnectionResetError)


@pytest.mark.parametrize("action", [silent, stall], ids=["silent", "stall"])
def test_the_reply_is_late(connect, node, way: Way, action) -> None:
    client = warm(connect(**node.options, socket_timeout=0.1))
    node.always(way.asks, action)
    error = caught(redis.TimeoutError, lambda: way.call(client))
    assert told(error) == (way.command, f"127.0.0.1:{node.port}", "recv", 1)
    assert names_all(error)
    assert isinstance(error.__cause__, (BlockingIOError, TimeoutError))


def test_the_reply_is_none(connect, node, way: Way) -> None:
    client = warm(connect(**node.options))
    node.always(way.asks, raw(b"?what\r\n"))
    error = caught(redis.InvalidResponse, lambda: way.call(client))
    assert told(error) == (way.command, f"127.0.0.1:{node.port}", "recv", 1)
    assert error.maybe_applied is True


LARGE = b"x" * 30_000_000


def test_the_command_cannot_be_sent(connect, node) -> None:
    with Proxy(node.address) as proxy:
        client = connect(host="127.0.0.1", port=proxy.port)
        pieces = Counter[int]()

        def in_the_middle() -> str | None:
            pieces[len(proxy.links)] += 1
            return "reset" if pieces[len(proxy.links)] > 3 else None

        proxy.requests.accident = in_the_middle
        error = caught(redis.ConnectionError, lambda: client.set("k", LARGE))
        assert told(error) == ("SET", f"127.0.0.1:{proxy.port}", "send", 2)
    assert names_all(error)


def test_the_command_cannot_be_sent_in_time(connect, node) -> None:
    with Proxy(node.address) as proxy:
        client = warm(connect(host="127.0.0.1", port=proxy.port, socket_timeout=0.2))
        proxy.stop()
        error = caught(redis.TimeoutError, lambda: client.set("k", LARGE))
        assert told(error) == ("SET", f"127.0.0.1:{proxy.port}", "send", 1)
    assert names_all(error) and error.maybe_applied is False


#: Lines with which a server refuses, the class that they mean, and their words.
LINES = [
    ("ERR syntax error", redis.ResponseError, "syntax error"),
    ("ERR   odd  words: 100% {of} them\t(all)", redis.ResponseError, "  odd  words: 100% {of} them\t(all)"),
    ("WRONGTYPE Operation against a key", redis.ResponseError, "WRONGTYPE Operation against a key"),
    ("NEWKIND of error", redis.ResponseError, "NEWKIND of error"),
    ("NOSCRIPT No matching script.", redis.exceptions.NoScriptError, "No matching script."),
    ("OOM command not allowed", redis.exceptions.OutOfMemoryError, "OOM command not allowed"),
    ("NOPERM no rights", redis.exceptions.NoPermissionError, "NOPERM no rights"),
    ("NOAUTH Authentication required.", redis.AuthenticationError, "NOAUTH Authentication required."),
    ("READONLY You can't write", redis.ReadOnlyError, "You can't write"),
    ("LOADING the dataset", redis.BusyLoadingError, "the dataset"),
    ("MASTERDOWN Link is down", redis.exceptions.MasterDownError, "MASTERDOWN Link is down"),
    ("MOVED 5 127.0.0.1:7001", redis.exceptions.MovedError, "MOVED 5 127.0.0.1:7001"),
    ("ASK 5 127.0.0.1:7001", redis.exceptions.AskError, "ASK 5 127.0.0.1:7001"),
    ("TRYAGAIN Multiple keys", redis.exceptions.TryAgainError, "TRYAGAIN Multiple keys"),
    ("CROSSSLOT Keys", redis.exceptions.ClusterCrossSlotError, "CROSSSLOT Keys"),
    ("CLUSTERDOWN Hash slot", redis.exceptions.ClusterDownError, "CLUSTERDOWN Hash slot"),
]
SOME_LINES = [line for line in LINES if line[0].startswith(("ERR  ", "WRONGTYPE", "LOADING", "MASTERDOWN"))]


def test_every_kind_of_refusal(connect, node) -> None:
    client = connect(**node.options)
    for line, kind, words in LINES:
        node.script("INCRBY", refuse(line))
        error = caught(kind, lambda: client.incr("n"))
        assert told(error) == ("INCRBY", f"127.0.0.1:{node.port}", "recv", 1)
        assert str(error) == words


@pytest.mark.parametrize("line, kind, words", SOME_LINES, ids=lambda value: str(value).split()[0])
def test_the_server_refuses(connect, node, way: Way, line: str, kind: type[redis.RedisError], words: str) -> None:
    client = warm(connect(**node.options))
    node.always(way.asks, refuse(line))
    error = caught(kind, lambda: way.call(client))
    command, *rest = told(error)
    assert command in (("SET", "pipeline") if way.command == "pipeline" else (way.command,))
    assert rest == [f"127.0.0.1:{node.port}", "recv", 1]
    if way.command == "pipeline" and not isinstance(error, redis.BusyLoadingError):
        words = f"Command # 1 (SET b 1) of pipeline caused error: {words}"
    assert str(error) == words
    # Beside the refused command of a pipeline the other one was executed.
    in_part = way.command == "pipeline" and isinstance(error, redis.BusyLoadingError)
    assert getattr(error, "maybe_applied", False) is in_part


def test_the_server_refuses_the_second_attempt(connect, node) -> None:
    client = warm(connect(**node.options))
    node.script("GET", close, refuse("WRONGTYPE Operation against a key"))
    error = caught(redis.ResponseError, lambda: client.get("a"))
    assert told(error) == ("GET", f"127.0.0.1:{node.port}", "recv", 2)


SENDING_AGAIN = {
    "write": Way(lambda client: client.execute_command("INCR", "n"), "INCR", "INCR"),
    "transaction": Way(lambda client: client.pipeline().incr("n").execute(), "EXEC", "EXEC"),
    "pipeline": Way(lambda client: client.pipeline(transaction=False).incr("n").execute(), "pipeline", "INCRBY"),
}
AGAIN = pytest.mark.parametrize("again", SENDING_AGAIN.values(), ids=SENDING_AGAIN)
NONSENSE = raw(b"?\r\n")


@AGAIN
@pytest.mark.parametrize("after", ["handshake", "reply"])
def test_nonsense_after_an_attempt_of_unknown_outcome(connect, node, speech, again: Way, after: str) -> None:
    client = warm(connect(**node.options, retry=Retry(NoBackoff(), 3)))
    node.script(again.asks, reset)
    node.script({"reply": again.asks, "handshake": "HELLO" if speech["protocol"] == 3 else "CLIENT"}[after], NONSENSE)
    error = caught(redis.InvalidResponse, lambda: again.call(client))
    assert told(error) == (again.command, f"127.0.0.1:{node.port}", "recv" if after == "reply" else after, 2)
    assert error.maybe_applied is True
    assert names_all(error)
    assert str(error).endswith(f", after {error.elapsed:.2f} s: it may have been applied)")


@AGAIN
def test_what_was_set_is_lost_after_an_attempt_of_unknown_outcome(speech, node, again: Way) -> None:
    with Client(**speech, **node.options, single_connection_client=True, retry=Retry(NoBackoff(), 3)) as client:
        client.execute_command("SELECT", 5)
        node.script(again.asks, reset)
        error = caught(redis.ConnectionError, lambda: again.call(client))
    assert "what earlier commands had set on it" in str(error)
    assert told(error) == (again.command, f"127.0.0.1:{node.port}", "connect", 2)
    assert error.maybe_applied is True
    assert error.elapsed >= 0
    assert node.count(again.asks) == 1


def strike(link: Link, execute: Execute) -> None:
    """Execute, send this process a signal, and never answer."""
    execute()
    os.kill(os.getpid(), signal.SIGUSR1)
    link.node.closing.wait()


def test_the_error_of_a_signal_handler_in_the_second_attempt_is_its_own(connect, node) -> None:
    client = warm(connect(**node.options, retry=Retry(NoBackoff(), 3)))
    with RefusingPort() as port, Client(host="127.0.0.1", port=port) as other:
        before = signal.signal(signal.SIGUSR1, lambda *_: other.get("a"))
        try:
            node.script("INCR", reset, strike)
            error = caught(redis.ConnectionError, lambda: client.execute_command("INCR", "n"))
        finally:
            signal.signal(signal.SIGUSR1, before)
    assert told(error) == ("GET", f"127.0.0.1:{port}", "connect", 2)
    assert error.maybe_applied is False
    assert node.count("INCR") == 2


@pytest.mark.parametrize("command", ["GET", "EXEC"])
def test_what_watches_keys_is_lost(connect, node, command: str) -> None:
    pipe = connect(**node.options).pipeline()
    pipe.watch("a")
    node.links[0].reset()
    until(lambda: is_readable(pipe.connection._sock, 0) and monotonic() - pipe.connection.used > LOOK)
    if command == "EXEC":
        pipe.multi()
        pipe.get("a")
    error = caught(redis.WatchError, pipe.execute if command == "EXEC" else lambda: pipe.get("a"))
    assert told(error) == (command, f"127.0.0.1:{node.port}", "send", 1)


def line_of(server: Any, *words: str) -> str:
    """What a real server answers, as it stands on the wire."""
    with socket.socket(socket.AF_UNIX) as sock, sock.makefile("rb") as replies:
        sock.settimeout(10)
        sock.connect(server.unix_socket)
        sock.sendall(packed(words))
        return replies.readline().decode().removesuffix("\r\n")


@pytest.mark.parametrize(
    "words",
    [
        ("INCR", "list"),
        ("EVALSHA", "f" * 40, "0"),
        ("NOSUCH", "a", "b"),
        ("SET", "k", "v", "NONSENSE"),
        ("EXEC",),
        ("EVAL", "return {", "0"),
        ("EVAL", "return redis.error_reply('MINE  own   words')", "0"),
        ("XADD", "stream", "0-0", "f", "v"),
    ],
    ids=lambda words: words[0],
)
def test_the_words_of_a_real_server(connect, server, words: tuple[str, ...]) -> None:
    ask(server, "FLUSHALL")
    ask(server, "RPUSH", "list", "a")
    client = connect(host=server.host, port=server.port)
    line = line_of(server, *words)
    error = caught(redis.ResponseError, lambda: client.execute_command(*words))
    assert line in (f"-{error}", f"-ERR {error}", f"-NOSCRIPT {error}")
    assert told(error) == (words[0], f"{server.host}:{server.port}", "recv", 1)


def refused_handshakes() -> list[Any]:
    wrong = {"username": "ann", "password": "wrong"}
    return [
        pytest.param(wrong, redis.AuthenticationError, None, "invalid username-password pair", id="password"),
        pytest.param({"db": 9999}, redis.ResponseError, "SELECT", "DB index is out of range", id="db"),
        pytest.param({"client_name": "a b"}, redis.ResponseError, "CLIENT", "cannot contain spaces", id="name"),
    ]


@pytest.mark.parametrize("options, kind, command, words", refused_handshakes())
def test_the_handshake_is_refused(
    connect, server, way: Way, speech, options, kind: type[redis.RedisError], command: str | None, words: str
) -> None:
    client = connect(host=server.host, port=server.port, **options)
    error = caught(kind, lambda: way.call(client))
    command = command or ("HELLO" if speech["protocol"] == 3 else "AUTH")
    assert told(error) == (command, f"{server.host}:{server.port}", "handshake", 1)
    assert words in str(error)


def test_too_many_clients(connect, node, way: Way) -> None:
    node.always("CLIENT", turn_away("ERR max number of clients reached"))
    node.always("HELLO", turn_away("ERR max number of clients reached"))
    error = caught(redis.ConnectionError, lambda: way.call(connect(**node.options)))
    assert told(error)[1:3] == (f"127.0.0.1:{node.port}", "handshake")
    assert error.command and error.attempt
    assert str(error) == "max number of clients reached" and error.maybe_applied is False


def test_the_handshake_is_answered_with_nonsense(connect, node, way: Way) -> None:
    node.always("CLIENT", raw(b"?what\r\n"))
    node.always("HELLO", raw(b"?what\r\n"))
    error = caught(redis.InvalidResponse, lambda: way.call(connect(**node.options)))
    assert told(error) == (way.command, f"127.0.0.1:{node.port}", "handshake", 1)
    assert names_all(error) and error.maybe_applied is False


# Pools, and what is closed.

FULL = {
    "refuses": (ConnectionPool, {}, "Too many connections"),
    "waits": (redis.BlockingConnectionPool, {"timeout": 0.1}, "No connection available."),
}


@pytest.mark.parametrize("connection_class", [redis.Connection, Own])
@pytest.mark.parametrize("pool_class, options, words", FULL.values(), ids=FULL)
def test_a_full_pool(node, speech, way: Way, connection_class, pool_class, options, words: str) -> None:
    with pool_class(connection_class=connection_class, max_connections=1, **options, **node.options, **speech) as pool:
        held = pool.get_connection("PING")
        error = caught(redis.MaxConnectionsError, lambda: way.call(Client(connection_pool=pool)))
        pool.release(held)
    address = f"127.0.0.1:{node.port}"
    first = {"pipeline": "SET", "EXEC": "MULTI"}.get(way.command, way.command)
    assert told(error) == (first, address, "pool", 1)
    assert names_all(error) and str(error).startswith(words) and error.maybe_applied is False


def test_a_closed_client(connect, node, way: Way) -> None:
    client = warm(connect(**node.options))
    client.close()
    error = caught(redis.ConnectionError, lambda: way.call(client))
    assert (error.phase, error.maybe_applied) == ("pool", False)
    assert "has been closed" in str(error)


def test_a_single_connection_that_is_busy(node, make) -> None:
    client = make(**node.options, single_connection_client=True)
    with client.pipeline() as pipe:
        pipe.watch("a")
        error = caught(redis.RedisError, lambda: client.get("a"))
    assert told(error) == ("GET", f"127.0.0.1:{node.port}", "pool", 1)


def test_a_server_that_changes_in_the_middle_of_a_pipeline(connect, node) -> None:
    """The replies behind its refusal are read all the same, and the connection is not used again."""
    client = warm(connect(**node.options))
    links = len(node.links)
    node.script("GET", refuse("MASTERDOWN Link is down"))
    node.script("INCRBY", slowly(0.1))
    error, number = client.pipeline(transaction=False).get("a").incr("n").execute(raise_on_error=False)
    assert isinstance(error, redis.exceptions.MasterDownError) and number == 1
    assert told(error) == ("GET", f"127.0.0.1:{node.port}", "recv", 1)
    assert client.incr("n") == 2
    assert len(node.links) == links + 1


# Pub/Sub and MONITOR: a connection that listens.


def test_subscribing_in_vain(connect) -> None:
    with RefusingPort() as port:
        client = connect(host="127.0.0.1", port=port)
        with client.pubsub() as pubsub:
            error = caught(redis.ConnectionError, lambda: pubsub.psubscribe("c"))
        assert told(error) == ("SUBSCRIBE", f"127.0.0.1:{port}", "connect", 1)
        assert names_all(error) and isinstance(error.__cause__, ConnectionRefusedError)
        error = caught(redis.ConnectionError, client.monitor().__enter__)
        assert told(error) == ("MONITOR", f"127.0.0.1:{port}", "connect", 1)
        assert names_all(error) and isinstance(error.__cause__, ConnectionRefusedError)


def test_listening_in_vain(connect) -> None:
    """The connection is lost, and cannot be made anew."""
    with FakeNode() as node:
        node.always("SUBSCRIBE", raw(b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"))
        port, pubsub = node.port, connect(**node.options).pubsub()
        pubsub.subscribe("c")
        assert pubsub.get_message(timeout=5)["type"] == "subscribe"
    error = caught(redis.ConnectionError, lambda: pubsub.get_message(timeout=5))
    assert told(error) == ("SUBSCRIBE", f"127.0.0.1:{port}", "connect", 1)
    assert names_all(error) and isinstance(error.__cause__, ConnectionRefusedError)
    pubsub.close()


@pytest.mark.parametrize(
    "line, kind", [(b"-NOPERM no rights\r\n", redis.exceptions.NoPermissionError), (b"?\r\n", redis.InvalidResponse)]
)
def test_what_a_subscriber_hears(connect, node, line: bytes, kind: type[redis.RedisError]) -> None:
    node.always("SUBSCRIBE", raw(line))
    with connect(**node.options).pubsub() as pubsub:
        pubsub.subscribe("c")
        error = caught(kind, lambda: pubsub.get_message(timeout=5))
    assert told(error) == ("SUBSCRIBE", f"127.0.0.1:{node.port}", "recv", 1)
    assert names_all(error) if line == b"?\r\n" else str(error) == "NOPERM no rights"


def test_a_name_does_not_stay(connect, node) -> None:
    """Who gets the connection next is not mistaken for who had it."""
    client = connect(**node.options)
    client.incr("n")
    node.script("INCRBY", refuse("WRONGTYPE"))
    caught(redis.ResponseError, lambda: client.incr("n"))
    connection = client.connection_pool.get_connection("ECHO")
    node.script("ECHO", close)
    connection.send_command("ECHO", "x")
    error = caught(redis.ConnectionError, connection.read_response)
    client.connection_pool.release(connection)
    assert told(error) == ("ECHO", f"127.0.0.1:{node.port}", "recv", 1)


# What is wrong before anything is sent, or with what came back.


def test_arguments_that_cannot_be_meant(connect, node) -> None:
    client = warm(connect(**node.options))
    before = len(node.received)
    for call in (
        lambda: client.execute_command("SET k v"),
        lambda: client.acl_setuser("a", nopass=True, passwords="+x"),
    ):
        error = caught(redis.DataError, call)
        assert told(error) == (None, None, None, None), "nothing had begun"
    assert len(node.received) == before


def test_a_watched_key_was_changed(connect, server) -> None:
    client = connect(host=server.host, port=server.port)
    with client.pipeline() as pipe:
        pipe.watch("watched")
        ask(server, "INCR", "watched")
        pipe.multi()
        pipe.incr("watched")
        error = caught(redis.WatchError, pipe.execute)
    assert told(error) == ("EXEC", f"{server.host}:{server.port}", "recv", 1)


def test_the_connection_that_watched_was_lost(connect, node) -> None:
    with connect(**node.options).pipeline() as pipe:
        pipe.watch("watched")
        pipe.multi()
        pipe.incr("watched")
        node.script("EXEC", close)
        error = caught(redis.ConnectionError, pipe.execute)
    assert told(error) == ("EXEC", f"127.0.0.1:{node.port}", "recv", 1)
    assert names_all(error)


def test_every_error_of_a_call_says_when(connect, node) -> None:
    client = warm(connect(**node.options, socket_timeout=0.1))
    node.always("INCRBY", silent)
    error = caught(redis.TimeoutError, lambda: client.incr("n"))
    assert 0.05 < error.elapsed < 20
