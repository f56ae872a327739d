"""Never twice, unless the user has said so: how often each kind of command is executed, for each thing he can say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from time import monotonic
from typing import Any, NamedTuple

import pytest

import redis
from redis.backoff import ConstantBackoff, NoBackoff
from redis.connection import ConnectionPool, PythonParser
from redis.exceptions import AuthenticationError, ReadOnlyError, RedisError, ResponseError, WatchError
from redis.retry import Retry
from tests.faults.conftest import sound
from tests.faults.fakenode import (
    ACCEPT,
    Action,
    FakeNode,
    RefusingPort,
    close,
    half,
    hold,
    refuse,
    reset,
    silent,
    turn_away,
)
from tests.faults.hurried import Classic, Client, again, over_own_connections
from tests.servers import ask, until

Lost, Late = redis.ConnectionError, redis.TimeoutError
THREE = Retry(NoBackoff(), 3)
PATIENCE = 0.1


class Said(NamedTuple):
    """What the user says, and how often a command is executed then at the most, when all goes wrong each time."""

    options: dict[str, Any]
    #: A write, or a read, of which the reply is lost; and either of which it is late.
    lost_write: int
    lost_read: int
    late: int
    #: How often it is asked to do it by who is still loading, and by a replica.
    loading: int
    readonly: int


SAID = {
    "nothing": Said({}, 1, 2, 1, 1, 1),
    "retry": Said({"retry": THREE}, 4, 4, 1, 4, 4),
    "retry what is safe": Said({"retry": Retry(NoBackoff(), 3, ())}, 1, 4, 1, 4, 4),
    "retry all": Said({"retry": Retry(NoBackoff(), 3, (Lost, Late))}, 4, 4, 4, 4, 4),
    "no retries": Said({"retry": Retry(NoBackoff(), 0)}, 1, 1, 1, 1, 1),
    "retry_on_error": Said({"retry_on_error": [Lost]}, 2, 2, 1, 2, 1),
    "retry_on_error, a replica": Said({"retry_on_error": [ReadOnlyError]}, 1, 2, 1, 1, 2),
    "retry_on_timeout": Said({"retry_on_timeout": True}, 1, 2, 2, 1, 1),
    "retry, and retry_on_timeout": Said({"retry": THREE, "retry_on_timeout": True}, 4, 4, 4, 4, 4),
    "retry, and retry_on_error": Said({"retry": Retry(NoBackoff(), 3, ()), "retry_on_error": [Late]}, 1, 4, 4, 4, 4),
}


class Work(NamedTuple):
    """A kind of command."""

    call: Callable[[Client], Any]
    #: The command that the server misbehaves on, and the one whose executions are counted.
    asked: str
    counted: str
    readonly: bool = False


WORK = {
    "INCR": Work(lambda client: client.execute_command("INCR", "n"), "INCR", "INCR"),
    "GET": Work(lambda client: client.get("a"), "GET", "GET", readonly=True),
    "EVAL": Work(lambda client: client.eval("return redis.call('incr', 'n')", 0), "EVAL", "EVAL"),
    "transaction": Work(lambda client: client.pipeline().incr("n").execute(), "EXEC", "INCRBY"),
    "plain": Work(lambda client: client.pipeline(transaction=False).set("a", 1).incr("n").execute(), "INCRBY", "SET"),
    "reads": Work(lambda client: client.pipeline(transaction=False).get("a").execute(), "GET", "GET", readonly=True),
}
LOST = {"close": close, "half": half, "reset": reset}
KINDS: dict[str, tuple[Callable[..., Client], dict[str, Any]]] = {
    "short": (Client, {}),
    "short, python": (Client, {"parser_class": PythonParser, "protocol": 3}),
    "classic": (Classic, {}),
    "connection": (over_own_connections, {}),
}


@pytest.fixture
def node() -> Iterator[FakeNode]:
    with FakeNode() as node:
        yield node


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, node: FakeNode) -> Iterator[Callable[..., Client]]:
    """A function that makes clients of the scripted server whose commands go each way."""
    make_client, own = KINDS[request.param]
    with ExitStack() as clients:
        yield lambda **options: clients.enter_context(
            make_client(**{**node.options, **own, "socket_timeout": 2, **options})
        )


def failing(call: Callable[[], Any], kind: type[RedisError]) -> Any:
    with pytest.raises(kind) as caught:
        call()
    return caught.value


def assert_told(error: Any, attempt: int, applied: bool) -> None:
    """The error tells of all attempts."""
    assert (error.attempt, error.maybe_applied) == (attempt, applied), error
    assert error.elapsed >= 0
    verdict = "may have been applied" if applied else "was not applied"
    assert str(error).endswith(f", attempt {attempt}, after {error.elapsed:.2f} s: it {verdict})")


def asked(node: FakeNode, name: str) -> int:
    return [words[0].upper() for words in node.received].count(name)


# How often it is executed


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_the_reply_is_lost_each_time(node: FakeNode, make, said: Said, work: Work) -> None:
    client = make(**said.options)
    client.ping()
    node.always(work.asked, close)
    error = failing(lambda: work.call(client), Lost)
    times = said.lost_read if work.readonly else said.lost_write
    assert node.count(work.counted) == times
    assert_told(error, times, True)
    assert sound(client.connection_pool) and client.ping()


@pytest.mark.parametrize("make", ["short", "classic"], indirect=True)
@pytest.mark.parametrize("name", ["INCR", "GET", "transaction", "plain"])
@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_the_reply_is_late_each_time(node: FakeNode, make, said: Said, name: str) -> None:
    work, client = WORK[name], make(**said.options, socket_timeout=PATIENCE)
    again(client.ping)
    node.always(work.asked, hold)
    error = failing(lambda: work.call(client), Late)
    assert node.count(work.counted) == said.late
    assert_told(error, said.late, True)
    assert error.elapsed >= (PATIENCE - 0.01) * said.late
    assert sound(client.connection_pool) and again(client.ping)


@pytest.mark.parametrize("action", LOST.values(), ids=LOST)
@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_once_lost_it_succeeds_the_next_time(node: FakeNode, make, work: Work, action: Action) -> None:
    client = make(retry=THREE)
    client.ping()
    node.script(work.asked, action, action)
    work.call(client)
    assert node.count(work.counted) == 3


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
@pytest.mark.parametrize("action, kind", [(close, Lost), (silent, Late)], ids=["lost", "late"])
def test_what_blocks_is_executed_once(node: FakeNode, make, said: Said, action: Action, kind) -> None:
    client = make(**said.options, socket_timeout=PATIENCE)
    again(client.ping)
    node.always("BLPOP", action)
    for call in (
        lambda: client.blpop("l", 0.01),
        lambda: client.pipeline(transaction=False).blpop("l", 0.01).execute(),
    ):
        again(client.ping)
        before = asked(node, "BLPOP")
        assert_told(failing(call, kind), 1, True)
        assert asked(node, "BLPOP") == before + 1


def test_what_was_unknown_once_stays_so(node: FakeNode, make) -> None:
    """The second attempt cannot connect, and the first may have been applied."""
    client = make(retry=THREE)
    client.ping()
    node.script("INCRBY", close)
    node.always(ACCEPT, close)
    error = failing(lambda: client.incr("n"), Lost)
    assert_told(error, 4, True)
    assert node.count("INCRBY") == 1


# Not sent: as often as is said


@pytest.mark.parametrize("retries, attempts", [(None, 2), (0, 1), (1, 2), (4, 5)])
@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_refused_ports(make, work: Work, retries: int | None, attempts: int) -> None:
    retry = None if retries is None else Retry(NoBackoff(), retries, ())
    with RefusingPort() as port:
        error = failing(lambda: work.call(make(port=port, retry=retry)), Lost)
    assert_told(error, attempts, False)


def test_the_pauses_are_made(make) -> None:
    with RefusingPort() as port:
        start = monotonic()
        error = failing(lambda: make(port=port, retry=Retry(ConstantBackoff(0.03), 3)).incr("n"), Lost)
        took = monotonic() - start
    assert took >= 0.09 and error.elapsed == pytest.approx(took, abs=0.05)


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_a_handshake_that_is_lost_each_time(node: FakeNode, make, said: Said) -> None:
    """What does not get as far as the command is safe; it is repeated as often as is said, once if nothing is."""
    node.always("CLIENT", close)
    node.always("HELLO", close)
    retry = said.options.get("retry")
    error = failing(lambda: make(**said.options).incr("n"), Lost)
    assert_told(error, 2 if retry is None else retry.get_retries() + 1, False)
    assert node.count("INCRBY") == 0


# The server refuses


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
@pytest.mark.parametrize("name", ["INCRBY", "GET", "BLPOP"])
@pytest.mark.parametrize("text, kind", [("LOADING Redis is loading", Lost), ("READONLY You can't", ReadOnlyError)])
def test_refused_each_time(node: FakeNode, make, said: Said, name: str, text: str, kind) -> None:
    calls = {"INCRBY": lambda: client.incr("n"), "GET": lambda: client.get("a"), "BLPOP": lambda: client.blpop("l", 1)}
    client = make(**said.options)
    client.ping()
    node.always(name, refuse(text))
    error = failing(calls[name], kind)
    times = said.readonly if kind is ReadOnlyError else said.loading
    assert asked(node, name) == error.attempt == times
    assert node.count(name) == 0 and getattr(error, "maybe_applied", False) is False
    assert str(error) == text.partition(" ")[2], "the words of the server, and nothing else"


@pytest.mark.parametrize("text", ["LOADING Redis is loading", "READONLY You can't", "MASTERDOWN Link is down"])
def test_refused_until_it_serves(node: FakeNode, make, text: str) -> None:
    client = make(retry=THREE)
    client.ping()
    node.script("INCRBY", refuse(text), refuse(text))
    assert client.incr("n") == 1
    assert len(node.links) > 1, "over a new connection"


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_turned_away(node: FakeNode, make, said: Said) -> None:
    node.always(ACCEPT, turn_away("ERR max number of clients reached"))
    error = failing(lambda: make(**said.options).incr("n"), Lost)
    assert error.maybe_applied is False and node.count("INCRBY") == 0


@pytest.mark.parametrize("text", ["LOADING Redis is loading", "ERR max number of clients reached"])
def test_refused_in_the_handshake_until_it_serves(node: FakeNode, make, text: str) -> None:
    client = make(retry=THREE, db=1)
    node.script("SELECT", refuse(text), refuse(text))
    assert client.incr("n") == 1
    assert asked(node, "SELECT") == 3 and node.count("INCRBY") == 1


@pytest.mark.parametrize("text", ["LOADING Redis is loading", "ERR max number of clients reached"])
def test_refused_in_the_handshake_each_time(node: FakeNode, make, text: str) -> None:
    client = make(retry=THREE, db=1)
    node.always("SELECT", refuse(text))
    error = failing(lambda: client.incr("n"), Lost)
    assert (error.attempt, error.maybe_applied, error.phase, error.command) == (4, False, "handshake", "INCRBY")
    assert asked(node, "SELECT") == 4


@pytest.mark.parametrize("errors", [(Lost, Late), (AuthenticationError,), (ResponseError,), (RedisError,)])
@pytest.mark.parametrize("option", ["retry", "retry_on_error"])
def test_a_wrong_password_is_not_tried_again(node: FakeNode, make, option: str, errors) -> None:
    value = Retry(NoBackoff(), 3, errors) if option == "retry" else list(errors)
    client = make(password="wrong", **{option: value})
    for name in ("AUTH", "HELLO"):
        node.always(name, refuse("WRONGPASS invalid username-password pair"))
    error = failing(lambda: client.incr("n"), AuthenticationError)
    assert asked(node, "AUTH") + asked(node, "HELLO") == 1 and error.attempt == 1
    node.rules.clear()
    node.always("INCRBY", refuse("NOAUTH Authentication required."))
    failing(lambda: make(**{option: value}).incr("n"), AuthenticationError)
    assert asked(node, "INCRBY") == 1


def test_an_error_of_the_user_is_not_tried_again(node: FakeNode, make) -> None:
    client = make(retry=THREE, retry_on_error=[Lost, Late])
    failing(lambda: client.execute_command("NOSUCH"), ResponseError)
    assert asked(node, "NOSUCH") == 1


def test_an_error_that_is_named_is_tried_again(node: FakeNode, make) -> None:
    client = make(retry_on_error=[ResponseError])
    node.script("INCRBY", refuse("TRYAGAIN in a moment"))
    assert client.incr("n") == 1


def test_an_error_that_is_not_tried_again_needs_no_connection(node: FakeNode) -> None:
    """Another may have taken the last one meanwhile."""
    with Client(**node.options, max_connections=1, retry=THREE) as client:
        client.ping()
        take = client.connection_pool.get_connection
        client.connection_pool.get_connection = lambda *args: pytest.fail("it was borrowed")
        failing(lambda: client.execute_command("NOSUCH"), ResponseError)
        client.connection_pool.get_connection = take


# Batches


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
@pytest.mark.parametrize("text", ["LOADING Redis is loading", "READONLY You can't"])
def test_a_plain_pipeline_that_is_refused_in_part_is_not_sent_again(node: FakeNode, make, said: Said, text) -> None:
    """The commands before the one that was refused have been executed."""
    client = make(**said.options)
    client.ping()
    node.always("SET", refuse(text))
    pipe = client.pipeline(transaction=False).incr("n").set("a", 1)
    error = failing(pipe.execute, RedisError)
    assert node.count("INCRBY") == 1
    assert getattr(error, "maybe_applied", True) is True


class Foreign:
    """A connection of a class that is not derived from ours."""

    def __init__(self, **options: Any) -> None:
        self.inner = redis.Connection(**options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def test_a_plain_pipeline_over_a_foreign_connection_that_is_refused_in_part(node: FakeNode) -> None:
    with ConnectionPool(Foreign, **node.options, retry=Retry(NoBackoff(), 3, (Lost, Late))) as pool:
        client = Client(connection_pool=pool)
        node.script("INCRBY", close)
        assert client.incr("n") == 2, "it is heard of its options"
        node.always("SET", refuse("LOADING Redis is loading"))
        failing(client.pipeline(transaction=False).incr("n").set("a", 1).execute, Lost)
        assert node.count("INCRBY") == 3


@pytest.mark.parametrize("transaction", [True, False])
def test_a_pipeline_that_is_refused_as_a_whole(node: FakeNode, make, transaction: bool) -> None:
    client = make(retry=THREE)
    client.ping()
    for name in ("MULTI", "INCRBY", "EXEC"):
        node.always(name, refuse("LOADING Redis is loading"))
    error = failing(client.pipeline(transaction).incr("n").incr("n").execute, Lost)
    assert node.count("INCRBY") == 0 and asked(node, "INCRBY") == 2
    assert error.maybe_applied is False


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_what_watches_is_not_sent_again(node: FakeNode, make, said: Said) -> None:
    client = make(**said.options)
    client.ping()
    node.always("EXEC", close)
    with client.pipeline() as pipe:
        pipe.watch("n")
        pipe.multi()
        error = failing(pipe.incr("n").execute, Lost)
    assert node.count("INCRBY") == 1 and asked(node, "EXEC") == 1
    assert_told(error, 1, True)


def test_what_watches_and_was_not_sent_is_a_watch_error(node: FakeNode, make) -> None:
    """The keys may have been changed meanwhile, over which another connection would not watch."""
    client = make(retry=THREE)
    with client.pipeline() as pipe:
        pipe.watch("n")
        pipe.multi()
        pipe.incr("n")
        node.close_links()
        with pytest.raises((WatchError, Lost)):
            pipe.execute()
    assert node.count("INCRBY") == 0


# Who is not concerned


def test_pubsub(transport, proxy) -> None:
    """It makes its connection anew by itself, and gives each message once."""
    said = {"retry": THREE, "retry_on_timeout": True, "retry_on_error": [RedisError]}
    with Client(**proxy.options, **said) as client, client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe("news")
        for number in range(3):
            assert heard_when_published(transport.server, pubsub, number) == [b"%d" % number]
            proxy.cut()
            until(lambda: subscribers(transport.server) == 0)


def heard_when_published(server: Any, pubsub: Any, number: int) -> list[bytes]:
    heard: list[bytes] = []

    def listen() -> list[bytes]:
        with suppress(Lost):
            message = pubsub.get_message(timeout=0.05)
            heard.extend([message["data"]] if message else [])
        return heard

    until(lambda: listen() or subscribers(server))
    ask(server, "PUBLISH", "news", number)
    until(listen)
    return listen()


def subscribers(server: Any) -> int:
    return ask(server, "PUBSUB", "NUMSUB", "news")[1]
