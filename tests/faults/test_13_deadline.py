"""A call can have one deadline: whatever a server or a network does, it ends in time, and says what it was doing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest

import redis
from redis.backoff import ConstantBackoff, NoBackoff
from redis.connection import BlockingConnectionPool
from redis.retry import Retry
from tests.faults.conftest import sound
from tests.faults.fakenode import ACCEPT, FakeNode, RefusingPort, answer, close, hold, listen, silent
from tests.faults.hurried import (
    BLOCK,
    LARGE,
    LIMIT,
    OPTION,
    PAUSE,
    SECONDS,
    SLACK,
    WAYS,
    BlackHole,
    Classic,
    Client,
    OwnConnection,
    Way,
    address_of,
    again,
    answer_and_hold,
    assert_told,
    clients,
    drip,
    drip_at_last,
    late,
    over_own_connections,
)
from tests.faults.proxy import Proxy

BOTH = (redis.ConnectionError, redis.TimeoutError)
WITHOUT_END = Retry(NoBackoff(), -1, BOTH)
REPLIES = {"silent": hold, "drip": drip}
Make = Callable[..., Client]


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return request.param


@pytest.fixture
def make() -> Iterator[Make]:
    with clients() as make:
        yield make


# In each way, over TCP


@pytest.mark.parametrize("action", REPLIES.values(), ids=REPLIES)
def test_no_reply(make: Make, tcp: FakeNode, way: Way, action) -> None:
    client = make(way, **tcp.options)
    again(client.ping)
    tcp.always("ECHO", action)
    error = late(lambda: way.call(lambda: client.echo("x" * 100)))
    assert_told(error, "recv", True, "ECHO", address_of(tcp))
    assert sound(client.connection_pool)
    tcp.always("ECHO", answer)
    assert again(lambda: client.echo("y")) == b"y"


def test_no_end_of_a_large_reply(make: Make, tcp: FakeNode, way: Way) -> None:
    client = make(way, **tcp.options)
    again(lambda: client.set("a", "x" * 300_000))
    tcp.always("GET", drip_at_last)
    error = late(lambda: way.call(lambda: client.get("a")))
    assert_told(error, "recv", True, "GET", address_of(tcp))
    tcp.always("GET", answer)
    assert again(lambda: client.get("a")) == b"x" * 300_000


def test_no_end_of_a_handshake(make: Make, tcp: FakeNode, way: Way) -> None:
    tcp.always(ACCEPT, hold)
    client = make(way, **tcp.options)
    error = late(lambda: way.call(lambda: client.incr("a")))
    assert_told(error, "handshake", False, "INCRBY", address_of(tcp))
    tcp.always(ACCEPT, lambda link, execute: None)
    assert again(lambda: client.get("a")) is None


def test_a_handshake_in_single_bytes(make: Make, tcp: FakeNode, way: Way) -> None:
    with Proxy(tcp.address) as proxy:
        proxy.replies.split, proxy.replies.pause = True, PAUSE
        client = make(way, host="127.0.0.1", port=proxy.port)
        error = late(lambda: way.call(lambda: client.incr("a")))
        assert_told(error, "handshake", False, "INCRBY", f"127.0.0.1:{proxy.port}")
        proxy.replies.split = False
        assert again(lambda: client.get("a")) is None


def test_a_server_that_stops_reading(make: Make, tcp: FakeNode, way: Way) -> None:
    client = make(way, **tcp.options)

    def prepare() -> None:
        tcp.always("PING", answer_and_hold)
        again(client.ping)

    error = late(lambda: way.call(lambda: client.set("a", LARGE)), prepare)
    assert_told(error, "send", False, "SET", address_of(tcp))
    assert again(client.ping) and tcp.count("SET") == 0


def test_a_blocking_command(make: Make, tcp: FakeNode, way: Way) -> None:
    client = make(way, **tcp.options, retry=WITHOUT_END)
    tcp.always("BLPOP", hold)
    error = late(lambda: way.call(lambda: client.blpop("l", timeout=5)))
    assert_told(error, "recv", True, "BLPOP", address_of(tcp))
    assert [words[0] for words in tcp.received].count("BLPOP") == 1, "it is not sent again"


def test_refused_without_an_end(make: Make, way: Way) -> None:
    with RefusingPort() as port:
        client = make(way, host="127.0.0.1", port=port, retry=WITHOUT_END)
        error = late(lambda: way.call(lambda: client.incr("a")))
    assert_told_of_many(error, "connect", False)


def test_lost_without_an_end(make: Make, tcp: FakeNode, way: Way) -> None:
    client = make(way, **tcp.options, retry=WITHOUT_END)
    tcp.always("ECHO", close)
    error = late(lambda: way.call(lambda: client.echo("x")))
    assert_told_of_many(error, error.phase, True)


def assert_told_of_many(error: Any, phase: str, applied: bool) -> None:
    verdict = "may have been applied" if applied else "was not applied"
    assert error.phase == phase and error.attempt > 2 and error.maybe_applied is applied
    assert f"attempt {error.attempt}, after {error.elapsed:.2f} s: it {verdict})" in str(error)


@pytest.mark.parametrize("pause, attempts", [(SECONDS / 4, (2, 3, 4)), (SECONDS * 2, (1,))])
def test_no_pause_ends_after_the_deadline(make: Make, way: Way, pause: float, attempts: tuple[int, ...]) -> None:
    with RefusingPort() as port:
        client = make(way, host="127.0.0.1", port=port, retry=Retry(ConstantBackoff(pause), 5))
        error = late(lambda: way.call(lambda: client.incr("a")))
    assert error.attempt in attempts and error.elapsed <= SECONDS
    assert isinstance(error, redis.ConnectionError) and "Connection refused" in str(error)


def test_black_hole(make: Make, way: Way) -> None:
    with BlackHole() as hole:
        client = make(way, **hole.options)
        error = late(lambda: way.call(lambda: client.incr("a")))
    assert_told(error, "connect", False, "INCRBY", f"127.0.0.1:{hole.address[1]}")


# Over each transport


@pytest.mark.parametrize("action", REPLIES.values(), ids=REPLIES)
def test_no_reply_over_each_transport(make: Make, speech, node: FakeNode, action) -> None:
    client = make(**speech, **node.options)
    again(client.ping)
    node.always("ECHO", action)
    error = late(lambda: client.echo("x" * 100))
    assert_told(error, "recv", True, "ECHO", address_of(node))
    assert again(client.ping)


def test_no_end_of_a_handshake_over_each_transport(make: Make, speech, node: FakeNode) -> None:
    node.always(ACCEPT, hold)
    error = late(lambda: make(**speech, **node.options).incr("a"))
    assert_told(error, "handshake", False, "INCRBY", address_of(node))


@pytest.mark.parametrize("way", [OPTION, BLOCK], ids=["option", "block"])
def test_a_server_that_stops_reading_over_each_transport(make: Make, node: FakeNode, way: Way) -> None:
    client = make(way, **node.options)

    def prepare() -> None:
        node.always("PING", answer_and_hold)
        again(client.ping)

    error = late(lambda: way.call(lambda: client.set("a", LARGE)), prepare)
    assert_told(error, "send", False, "SET", address_of(node))
    assert again(client.ping)


def test_a_tls_handshake_in_single_bytes(make: Make, certificates) -> None:
    secure = FakeNode(context=certificates.server_context(), ca_file=certificates.ca_file)
    with secure as node, Proxy(node.address) as proxy:
        proxy.replies.split, proxy.replies.pause = True, PAUSE
        client = make(**{**node.options, "port": proxy.port})
        error = late(lambda: client.incr("a"))
        assert_told(error, "tls", False, "INCRBY", f"127.0.0.1:{proxy.port}")
        proxy.replies.split = False
        assert again(lambda: client.get("a")) is None


def test_a_tls_handshake_that_nobody_answers(make: Make, certificates) -> None:
    with listen() as listener:  # the system takes whoever connects; nobody talks to him
        port = listener.getsockname()[1]
        client = make(host="127.0.0.1", port=port, ssl=True, ssl_ca_certs=certificates.ca_file)
        assert_told(late(lambda: client.incr("a")), "tls", False, "INCRBY", f"127.0.0.1:{port}")


def test_black_hole_over_a_unix_socket(make: Make, tmp_path) -> None:
    with BlackHole(str(tmp_path / "hole.sock")) as hole:
        error = late(lambda: make(**hole.options).incr("a"))
    assert_told(error, "connect", False, "INCRBY", hole.address)


# The pool


@pytest.mark.parametrize("way", [OPTION, BLOCK, WAYS["classic"]], ids=["option", "block", "classic"])
@pytest.mark.parametrize("call, command", [
    (lambda client: client.incr("a"), "INCRBY"),
    (lambda client: client.pipeline().incr("a").execute(), "MULTI"),
    (lambda client: client.pipeline().watch("a"), "WATCH"),
])  # fmt: skip
def test_a_full_pool(tcp: FakeNode, way: Way, call, command: str) -> None:
    options = {**way.options, **tcp.options}
    with BlockingConnectionPool(1, timeout=5, **options) as pool:
        client = (Classic if way.make is Classic else Client)(connection_pool=pool)
        held = pool.get_connection()
        error = late(lambda: way.call(lambda: call(client)))
        assert_told(error, "pool", False, command, address_of(tcp))
        pool.release(held)
        assert again(client.ping)
        assert pool._waiting == {}


def test_the_pool_has_less_time_than_the_deadline(tcp: FakeNode) -> None:
    with BlockingConnectionPool(1, timeout=0.05, **tcp.options, command_timeout=5) as pool:
        held = pool.get_connection()
        with pytest.raises(redis.MaxConnectionsError) as caught:
            Client(connection_pool=pool).incr("a")
        assert caught.value.phase == "pool" and 0.04 < caught.value.elapsed < 1
        assert f"attempt 1, after {caught.value.elapsed:.2f} s: it was not applied)" in str(caught.value)
        pool.release(held)


# The options


def test_in_a_url(tcp: FakeNode) -> None:
    tcp.always("GET", silent)
    with Client.from_url(f"redis://127.0.0.1:{tcp.port}?command_timeout={SECONDS}") as client:
        assert_told(late(lambda: client.get("a")), "recv", True, "GET", address_of(tcp))
    with pytest.warns(UserWarning, match="command_timeout"):
        Client.from_url("redis://127.0.0.1?command_timeout=soon").close()


@pytest.mark.parametrize("seconds", [0, -1, "1"])
def test_no_time(seconds: Any) -> None:
    with pytest.raises(ValueError, match="command_timeout"):
        Client(command_timeout=seconds)


@pytest.mark.parametrize("seconds", [None, float("inf"), 1e300])
def test_without_an_end(make: Make, tcp: FakeNode, seconds: float | None) -> None:
    client = make(**{**LIMIT, **tcp.options, "command_timeout": seconds})
    assert client.incr("a") == 1
    assert client.pipeline().incr("a").execute() == [2]


def test_the_option_bounds_each_call_and_a_block_all_of_them(make: Make, tcp: FakeNode) -> None:
    client = make(**tcp.options)
    tcp.always("GET", slowly_answered)
    start = monotonic()
    assert [client.get("a") for _ in range(4)] == [None] * 4
    assert monotonic() - start > SECONDS

    def several() -> None:
        with redis.deadline(SECONDS):
            for _ in range(4):
                client.get("a")

    assert late(several).maybe_applied is True


def slowly_answered(link, execute) -> None:
    threading.Event().wait(0.4 * SECONDS)
    link.write(execute())


def test_a_connection_that_is_recalled_in_between(tcp, monkeypatch) -> None:
    """Another thread closes the connections of the pool just before the bytes leave: the deadline is the same."""
    with over_own_connections(**tcp.options, **LIMIT, socket_timeout=5) as client:
        client.ping()
        send = OwnConnection.send_packed_command

        def recalled_before(connection: OwnConnection, command: Any) -> None:
            if command.name == "GET":
                thread = threading.Thread(target=client.connection_pool.disconnect, args=(True,))
                thread.start()
                thread.join()
            send(connection, command)

        monkeypatch.setattr(OwnConnection, "send_packed_command", recalled_before)
        tcp.always("GET", hold)
        error = late(lambda: client.get("a"))
    assert (error.command, error.phase) == ("GET", "recv")
    assert error.elapsed < SECONDS + SLACK
