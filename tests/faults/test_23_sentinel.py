"""Sentinel: when the master is lost its clients follow, with no wrong answer, no double execution, and the truth."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

import redis
from redis.backoff import ConstantBackoff
from redis.connection import HIREDIS_AVAILABLE, HiredisParser, PythonParser
from redis.retry import Retry
from redis.sentinel import SENTINEL_TIMEOUT, MasterNotFoundError, Sentinel
from tests.faults.conftest import SOAK
from tests.faults.failover import ACKNOWLEDGED, NAME, NOT_APPLIED, Service, User, Verdict, under_load
from tests.faults.fakenode import RefusingPort
from tests.faults.test_18_fork import PATIENCE, ended, run_and_exit
from tests.servers import REDIS7, VALKEY, ask, until

pytestmark = pytest.mark.timeout(120)
SERVERS = pytest.mark.parametrize("name", [VALKEY, REDIS7], ids=["valkey", "redis7"])
ROUNDS = range(5 if SOAK else 1)
#: How users of a client take part: with a listener, so that nothing need have a time-out, or without one.
LISTENING = {"failover_listener": True}
QUIET = {"socket_timeout": 0.3}
PERSISTENT = {"retry": Retry(ConstantBackoff(0.05), 400, supported_errors=())}
FAST = {"parser_class": HiredisParser if HIREDIS_AVAILABLE else PythonParser}
PURE = {"parser_class": PythonParser, "protocol": 3}
#: Seconds within which writes flow again after the sentinels' word.
AT_ONCE = 1.0


def users_of(service: Service, *ways: dict[str, Any], threads: int = 4) -> list[User]:
    """Users of a client for each of the ways."""
    clients = [service.sentinel(**way).master_for(NAME) for way in ways]
    for client in clients:
        service.stack.callback(client.close)
    return [User(f"{way}:{number}", client) for way, client in enumerate(clients) for number in range(threads)]


def check(service: Service, users: list[User], switched: float) -> Verdict:
    """Everything that is promised of a failover under load."""
    verdict = Verdict(service, users)
    assert [wrong for user in users for wrong in user.wrong] == []
    assert verdict.violations == []
    assert max(user.first_write_after(switched) for user in users) - switched < AT_ONCE
    assert verdict.lost_later_than(switched + AT_ONCE) == []
    assert verdict.said[ACKNOWLEDGED] > 100
    return verdict


FIRST, SECOND = (FAST | LISTENING, PURE | QUIET), (PURE | LISTENING, FAST | QUIET)
#: Each parser meets each end of the master in each way; in the short form, some of them.
ENDS = [("kill", FIRST), ("hang", SECOND), *([("kill", SECOND), ("hang", FIRST)] if SOAK else [])]


@SERVERS
@pytest.mark.parametrize("how, ways", ENDS)
@pytest.mark.parametrize("number", ROUNDS)
def test_eight_threads(name: str, how: str, ways: tuple, number: int, tmp_path: Path) -> None:
    """kill -9 and SIGSTOP."""
    with Service(name, tmp_path) as service:
        users = users_of(service, *ways)
        check(service, users, under_load(service, users, how, 0.2, 0.3))


@SERVERS
@pytest.mark.parametrize("how", ["black_hole", "cut", "machine", "command"])
def test_a_lost_network_a_lost_machine_and_a_command(name: str, how: str, tmp_path: Path) -> None:
    """A network in which nothing passes, one that refuses, a sentinel that hangs as well, and SENTINEL FAILOVER.

    Half of the users wait until the sentinels have agreed: what was not executed is no error for them.
    """
    with Service(name, tmp_path, proxied=how in ("black_hole", "cut")) as service:
        users = users_of(service, FAST | LISTENING, PURE | QUIET | PERSISTENT, threads=2)
        check(service, users, under_load(service, users, how, 0.2, 0.3))
        assert [call for user in users[2:] for call in user.calls if call.said == NOT_APPLIED] == []


class OwnWay(Sentinel):
    """Knows another way to the first master than the sentinels have."""

    way: dict[int, int]

    def discover_master(self, service_name: str) -> tuple[str, int]:
        host, port = super().discover_master(service_name)
        return host, self.way.get(port, port)


@SERVERS
def test_the_old_master_lives_on(name: str, tmp_path: Path) -> None:
    """It is cut off from all but its clients; those who listen leave it, the others do with their next connection."""
    with Service(name, tmp_path, proxied=True) as service:
        sentinels = [OwnWay(service.addresses, **way) for way in (FAST | LISTENING, PURE | QUIET)]
        for sentinel in sentinels:
            sentinel.way = {service.proxy.port: service.first.port}
            service.stack.enter_context(sentinel)
        clients = [service.stack.enter_context(sentinel.master_for(NAME)) for sentinel in sentinels]
        users = [User(str(number), clients[0]) for number in range(2)]
        assert clients[1].set("who", "the old one")
        switched = under_load(service, users, "black_hole", 0.2, AT_ONCE + 0.3)
        verdict = check(service, users, switched)
        assert verdict.lost, "it has taken writes until the sentinels had agreed"
        assert clients[1].set("who", "the old one"), "nobody has told it"
        assert ask(service.successor, "GET", "who") == b"the old one"
        clients[1].connection_pool.disconnect()
        assert clients[1].set("who", "the new one")
        assert ask(service.successor, "GET", "who") == b"the new one"
        assert ask(service.first, "GET", "who") == b"the old one"


class Waiting:
    """A call in a thread, and how it ended."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.ended = 0.0
        self.outcome: object = None
        self.thread = threading.Thread(target=self.run, args=(call,), daemon=True)
        self.thread.start()

    def run(self, call: Callable[[], object]) -> None:
        try:
            self.outcome = call()
        except Exception as error:
            self.outcome = error
        self.ended = monotonic()


def use_after_fork(client: redis.StrictRedis) -> None:
    """What a child does while the master hangs: it waits on a connection of its own, until its own listener hears."""
    with pytest.raises(redis.ConnectionError) as caught:
        client.blpop("the child's queue", 0)
    assert caught.value.maybe_applied is True
    assert client.set("the child's", 1) is True


@SERVERS
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_what_hangs_on_the_old_master_is_woken(name: str, tmp_path: Path) -> None:
    """Blocked calls, Pub/Sub, Monitor, watched keys and a child of a fork; nothing of it has a time-out."""
    with Service(name, tmp_path) as service:
        client = service.stack.enter_context(service.sentinel(**LISTENING).master_for(NAME))
        client.ping()
        monitor = service.stack.enter_context(client.monitor())
        pubsub = service.stack.enter_context(client.pubsub(ignore_subscribe_messages=True, reconnect_messages=True))
        pubsub.subscribe("news")
        pipe = service.stack.enter_context(client.pipeline())
        pipe.watch("key")
        calls = [
            Waiting(lambda: client.blpop("queue", 0)),
            Waiting(lambda: list(zip(range(10_000), monitor.listen()))),
            Waiting(lambda: next(pubsub.listen())),
        ]
        until(lambda: b"blocked_clients:1" in ask(service.first, "INFO", "clients"))
        with patient_child(lambda: use_after_fork(client)):
            until(lambda: b"blocked_clients:2" in ask(service.first, "INFO", "clients"))
            service.lose("hang")
            calls.append(Waiting(lambda: client.incr("n")))
            switched = service.wait_for_switch()
        for call in calls:
            call.thread.join(10)
        assert max(call.ended for call in calls) - switched < AT_ONCE
        blocked, watched, heard, written = [call.outcome for call in calls]
        assert type(blocked) is redis.ConnectionError and blocked.maybe_applied is True
        assert isinstance(watched, redis.ConnectionError)
        assert heard["type"] == "reconnect"
        assert written == 1 or written.maybe_applied is True
        pipe.multi()
        with pytest.raises(redis.WatchError):
            pipe.set("key", 1).execute()
        assert ask(service.successor, "PUBLISH", "news", "extra") == 1
        assert next(pubsub.listen())["data"] == b"extra"
        assert ask(service.successor, "GET", "the child's") == b"1"


@contextmanager
def patient_child(task: Callable[[], object]) -> Iterator[None]:
    """Run ``task`` in a fork, which must end well, and soon after the block has."""
    pid = os.fork()
    if not pid:
        run_and_exit(task)
    try:
        yield
    finally:
        status = ended(pid, monotonic() + PATIENCE)
    assert status == 0, "the child failed, or was killed because it hung"


# Without a failover.


@pytest.fixture(scope="module", params=[VALKEY, REDIS7], ids=["valkey", "redis7"])
def calm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that nothing befalls but what its tests take back."""
    with Service(request.param, tmp_path_factory.mktemp("calm")) as service:
        yield service


@contextmanager
def stopped(*servers: Any) -> Iterator[None]:
    for server in servers:
        os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for server in servers:
            os.kill(server.pid, signal.SIGCONT)


def timed(call: Callable[[], object]) -> tuple[object, float]:
    started = monotonic()
    try:
        result = call()
    except redis.RedisError as error:
        result = error
    return result, monotonic() - started


@pytest.mark.parametrize("known", [False, True], ids=["new", "connected"])
def test_a_sentinel_that_hangs_costs_its_time_once(calm: Service, known: bool) -> None:
    sentinel = calm.sentinel()
    master = ("127.0.0.1", calm.first.port)
    if known:
        sentinel.discover_master(NAME)
    with stopped(calm.sentinels[0]):
        found, took = timed(lambda: sentinel.discover_master(NAME))
        assert found == master and SENTINEL_TIMEOUT * 0.9 < took < SENTINEL_TIMEOUT + 0.4
        found, took = timed(lambda: sentinel.discover_master(NAME))
        assert found == master and took < 0.2, "it is asked last now"


def test_all_sentinels_hang(calm: Service) -> None:
    sentinel = calm.sentinel(sentinel_kwargs={"socket_timeout": 0.2})
    with stopped(*calm.sentinels):
        error, took = timed(lambda: sentinel.discover_master(NAME))
    assert isinstance(error, MasterNotFoundError) and 0.5 < took < 1.2
    for host, port in calm.addresses:
        assert f"{host}:{port} cannot be asked (Timeout" in str(error)


def test_a_deadline_holds_for_the_sentinels_too(calm: Service) -> None:
    client = calm.sentinel(command_timeout=0.3).master_for(NAME)
    with stopped(*calm.sentinels):
        error, took = timed(lambda: client.incr("n"))
    assert isinstance(error, redis.TimeoutError) and error.maybe_applied is False
    assert 0.25 < took < 0.6
    client.close()


def test_dead_sentinels_are_no_harm_while_one_lives(calm: Service) -> None:
    with RefusingPort() as port:
        sentinel = Sentinel([("127.0.0.1", port), ("no.such.host.invalid", 1), *calm.addresses[2:]])
        with sentinel, sentinel.master_for(NAME) as client:
            assert client.incr("alive") >= 1
            assert sentinel.sentinels[0].connection_pool.connection_kwargs["port"] == calm.sentinels[2].port


def test_a_replica_that_is_gone_is_no_harm(calm: Service) -> None:
    """Its connections end; the next lead to the other one, and to the master where there is none."""
    client = calm.sentinel(socket_timeout=0.3).slave_for(NAME)
    ask(calm.first, "SET", "who", "all of us")
    until(lambda: all(ask(one, "GET", "who") for one in calm.servers))
    places = set()
    for _ in range(4):
        assert client.get("who") == b"all of us"
        places.add(client.connection_pool._available_connections[-1].port)
        client.connection_pool.disconnect()
    assert places == {one.port for one in calm.servers[1:]}
    with stopped(*calm.servers[1:]):
        assert client.get("who") == b"all of us"
        assert client.connection_pool._available_connections[-1].port == calm.first.port
    client.close()
