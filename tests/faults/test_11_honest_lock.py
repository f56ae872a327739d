"""A lock tells the truth: ``acquire()`` is never False while this very client holds it, whatever the reply became."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic, sleep

import pytest

import redis
from redis.backoff import NoBackoff
from redis.exceptions import LockError, LockNotOwnedError
from redis.retry import Retry
from tests.faults.conftest import LEFT_TO_FINALIZER
from tests.faults.interrupt import INSTRUCTION, LINE, Interrupted, interruptions
from tests.faults.proxy import Proxy, Way
from tests.servers import ask, until

#: The socket's time-out, and for how long a reply is held back that comes too late.
TIMEOUT, TOO_LATE = 0.1, 0.2
ACCIDENTS = ["close", "half", "reset", "late"]
#: A lock knows no transport and no parser: one of each will do.
pytestmark = pytest.mark.parametrize("transport", ["tcp"], indirect=True)


def once(way: Way, *accidents: str | None) -> None:
    """Let these befall the next pieces that pass, in turn, and nothing those after them."""
    left = list(accidents)

    def accident() -> str | None:
        name = left.pop(0) if left else None
        if name != "late":
            return name
        sleep(TOO_LATE)
        return "close"

    way.accident = accident


@pytest.fixture
def client(proxy: Proxy, make_client) -> redis.StrictRedis:
    """A client behind a proxy, whose server has the scripts."""
    return warm(make_client(**proxy.options, socket_timeout=TIMEOUT, socket_connect_timeout=2))


def warm(client: redis.StrictRedis) -> redis.StrictRedis:
    with client.lock("warm", timeout=10) as lock:
        lock.extend(10)
        lock.reacquire()
    return client


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_an_acquire_whose_reply_is_lost(proxy, client, transport, accident) -> None:
    lock = client.lock("a", timeout=10)
    once(proxy.replies, accident)
    assert lock.acquire(blocking=False) is True
    assert ask(transport.server, "GET", "a") == lock.local.token
    assert 9000 < ask(transport.server, "PTTL", "a") <= 10000
    lock.release()
    assert ask(transport.server, "GET", "a") is None


@pytest.mark.parametrize("accident", ["close", "late"])
def test_a_token_of_ones_own(proxy, client, accident) -> None:
    lock = client.lock("a")
    once(proxy.replies, accident)
    assert lock.acquire(blocking=False, token="mine") is True
    assert lock.local.token == b"mine"
    lock.release()


def test_a_client_that_sends_again(proxy, make_client) -> None:
    """The second attempt of the client itself finds the key written: by the first."""
    client = warm(make_client(**proxy.options, socket_timeout=TIMEOUT, retry_on_timeout=True))
    lock = client.lock("a")
    once(proxy.replies, "late")
    assert lock.acquire(blocking=False) is True
    lock.release()


@pytest.fixture
def permissive(proxy: Proxy, make_client) -> redis.StrictRedis:
    """A client that may send again whatever was lost."""
    retry = Retry(NoBackoff(), 3, (redis.ConnectionError, redis.TimeoutError))
    return warm(make_client(**proxy.options, socket_timeout=TIMEOUT, retry=retry))


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_a_client_that_may_send_again_what_was_lost(proxy, permissive, transport, accident) -> None:
    """It is the lock that asks: what is sent twice in its stead would take its own traces for another's."""
    lock = permissive.lock("a", timeout=10)
    once(proxy.replies, accident)
    assert lock.acquire(blocking=False, token="mine") is True
    once(proxy.replies, accident)
    lock.release()
    assert ask(transport.server, "GET", "a") is None


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_an_extension_is_not_made_twice(proxy, permissive, transport, accident) -> None:
    with permissive.lock("a", timeout=10) as lock:
        once(proxy.replies, accident)
        with pytest.raises((redis.ConnectionError, redis.TimeoutError)) as caught:
            lock.extend(10)
        assert caught.value.maybe_applied is True
        assert ask(transport.server, "PTTL", "a") <= 20_000
        once(proxy.replies, accident)
        assert lock.owned()  # a read is sent again as ever


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_a_request_that_is_lost(proxy, client, accident) -> None:
    """Nobody holds the lock then: asking acquires it."""
    lock = client.lock("a")
    once(proxy.requests, accident)
    assert lock.acquire(blocking=False) is True
    assert lock.owned()


@pytest.mark.parametrize("way", ["requests", "replies"])
@pytest.mark.parametrize("accident", ACCIDENTS)
def test_where_another_holds_it_false_is_the_truth(proxy, client, transport, way, accident) -> None:
    ask(transport.server, "SET", "a", "another")
    lock = client.lock("a")
    once(getattr(proxy, way), accident)
    assert lock.acquire(blocking=False) is False
    assert lock.local.token is None
    assert ask(transport.server, "GET", "a") == b"another"


def test_waiting_goes_on_after_a_lost_reply(proxy, client, transport) -> None:
    ask(transport.server, "SET", "a", "another", "PX", 300)
    lock = client.lock("a", sleep=0.05)
    once(proxy.replies, "close", None, None, "close")
    assert lock.acquire(blocking_timeout=5) is True
    assert lock.owned()


@pytest.mark.parametrize("accident", ["close", "late"])
def test_where_the_server_cannot_be_asked_the_error_says_so(proxy, client, transport, accident) -> None:
    lock = client.lock("a")
    once(proxy.replies, *[accident] * 50)
    kind = redis.TimeoutError if accident == "late" else redis.ConnectionError
    start = monotonic()
    with pytest.raises(kind, match="acquiring the lock 'a' was lost, and the server cannot be asked") as caught:
        lock.acquire()
    assert monotonic() - start < 5 * TIMEOUT + 1
    assert caught.value.maybe_applied is True
    assert (caught.value.command, caught.value.phase) == ("EVALSHA", "recv")
    assert caught.value.__cause__ is not None
    proxy.replies.accident = lambda: None
    assert ask(transport.server, "GET", "a") == lock.local.token
    assert lock.owned() is True
    assert lock.acquire(blocking=False) is True, "the same holder"
    lock.release()
    assert ask(transport.server, "GET", "a") is None


def test_what_may_be_held_can_be_released(proxy, client, transport) -> None:
    lock = client.lock("a")
    once(proxy.replies, *["close"] * 50)
    with pytest.raises(redis.ConnectionError):
        lock.acquire()
    proxy.replies.accident = lambda: None
    lock.release()
    assert ask(transport.server, "GET", "a") is None
    once(proxy.requests, *["close"] * 50)
    with pytest.raises(redis.ConnectionError):
        lock.acquire()
    proxy.requests.accident = lambda: None
    assert lock.owned() is False
    with pytest.raises(LockNotOwnedError):
        lock.release()


def test_doubt_does_not_take_a_token_that_is_held(proxy, client) -> None:
    """Two threads share the holder: the doubt of one is not the lock of the other."""
    lock = client.lock("a", thread_local=False)
    lock.acquire()
    held = lock.local.token
    once(proxy.replies, *["close"] * 50)
    with pytest.raises(redis.ConnectionError):
        lock.acquire(blocking=False)
    proxy.replies.accident = lambda: None
    assert lock.local.token == held
    lock.release()


@pytest.mark.parametrize("way", ["requests", "replies"])
@pytest.mark.parametrize("accident", ACCIDENTS)
def test_a_release_of_unknown_outcome(proxy, client, transport, way, accident) -> None:
    lock = client.lock("a")
    lock.acquire()
    once(getattr(proxy, way), accident)
    assert lock.release() is None
    assert lock.local.token is None
    assert ask(transport.server, "GET", "a") is None


def test_a_release_leaves_the_next_holder_alone(proxy, client, transport) -> None:
    lock = client.lock("a")
    lock.acquire()

    def taken() -> str:
        proxy.replies.accident = lambda: None
        ask(transport.server, "SET", "a", "another")
        return "close"

    proxy.replies.accident = taken
    assert lock.release() is None
    assert ask(transport.server, "GET", "a") == b"another"


def test_a_release_that_cannot_be_asked_about(proxy, client) -> None:
    lock = client.lock("a", timeout=10)
    lock.acquire()
    once(proxy.replies, *["close"] * 50)
    with pytest.raises(redis.ConnectionError, match="releasing the lock 'a' was lost") as caught:
        lock.release()
    assert caught.value.maybe_applied is True
    assert lock.local.token is None
    with pytest.raises(LockError, match="not held"):
        lock.release()


def test_an_extension_of_unknown_outcome_is_an_error(proxy, client, transport) -> None:
    """Extending twice would be twice as long: nobody asks."""
    lock = client.lock("a", timeout=10)
    lock.acquire()
    once(proxy.replies, "close")
    with pytest.raises(redis.ConnectionError) as caught:
        lock.extend(10)
    assert caught.value.maybe_applied is True
    assert 15000 < ask(transport.server, "PTTL", "a") <= 20000
    lock.release()


@LEFT_TO_FINALIZER
@pytest.mark.parametrize("unit", [LINE, INSTRUCTION])
def test_an_acquire_that_is_interrupted_anywhere(client, server, unit: str) -> None:
    """The next one knows what it has left on the server."""
    lock = client.lock("a")
    left_behind = 0
    for run in interruptions(lambda: lock.acquire(blocking=False), unit, prepare=lambda: ask(server, "DEL", "a")):
        assert isinstance(run.error, Interrupted)
        if lock.local.token is None:
            left_behind += ask(server, "EXISTS", "a")
            assert lock.acquire(blocking=False) is True, run
        assert lock.owned(), run
        lock.release()
    assert left_behind > 5


# Renewal


@pytest.mark.parametrize("socket_timeout", [0.1, None], ids=["short", "none"])
def test_a_silent_server_is_noticed_in_time(proxy, make_client, socket_timeout: float | None) -> None:
    """Without a time-out of the socket a renewal hangs for ever; the clock is watched all the same."""
    client = make_client(**proxy.options, socket_timeout=socket_timeout)
    lost: list[float] = []
    lock = client.lock("a", timeout=0.6, sleep=0, auto_renewal=True, on_lost=lambda lock: lost.append(monotonic()))
    lock.acquire()
    sleep(0.3)
    stopped = monotonic()
    proxy.stop()
    assert lock.lost.wait(2)
    until(lambda: lost)
    assert lost[0] - stopped < 0.75
    proxy.go()
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "redis-lock"])
    assert len(lost) == 1


def test_renewal_outlives_a_lost_connection(proxy, client) -> None:
    lock = client.lock("a", timeout=0.6, sleep=0, auto_renewal=0.1)
    lock.acquire()
    for accident in ("close", "reset", "late"):
        once(proxy.replies, accident)
        sleep(0.3)
    assert lock.owned() and not lock.lost.is_set()
    lock.release()


def test_a_refused_renewal_is_tried_until_the_time_is_over(proxy, client) -> None:
    """An error of the server, such as READONLY, says nothing of the token."""
    answers: list[Callable[[], object]] = [fail, fail, fail]
    lock = client.lock("a", timeout=0.5, sleep=0, auto_renewal=0.1)
    original = lock.do_reacquire
    lock.do_reacquire = lambda token: answers.pop()() if answers else original(token)
    lock.acquire()
    sleep(0.7)
    assert not answers and lock.owned() and not lock.lost.is_set()
    answers += [fail] * 50
    start = monotonic()
    assert lock.lost.wait(1)
    assert 0.35 < monotonic() - start < 0.6


def fail() -> None:
    raise redis.ResponseError("READONLY for a while")
