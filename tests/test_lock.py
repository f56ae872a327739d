"""redis/lock.py: holding, waiting, extending and renewing, where every reply arrives.

Where they do not, tests/faults/test_11_honest_lock.py goes on.
"""

import gc
import os
import threading
import time
import weakref

import pytest

import redis
from redis.client import Lock, LuaLock, Redis, StrictRedis
from redis.exceptions import LockError, LockNotOwnedError
from tests.faults.fakenode import RefusingPort
from tests.servers import ask, until


@pytest.fixture
def client(make_client):
    return make_client()


def ttl(server, name="a"):
    return ask(server, "PTTL", name)


def renewing():
    """The threads that renew a lock, or watch its clock."""
    return [thread for thread in threading.enumerate() if thread.name == "redis-lock"]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    gc.collect()
    until(lambda: not renewing(), timeout=5)


# Acquiring and releasing


def test_a_lock_is_a_key_with_the_token(r, server):
    lock = r.lock("a")
    assert lock.acquire(blocking=False) is True
    assert isinstance(lock.local.token, bytes)
    assert ask(server, "GET", "a") == lock.local.token
    assert ttl(server) == -1
    assert lock.release() is None
    assert ask(server, "GET", "a") is None
    assert lock.local.token is None


def test_two_holders_have_different_tokens(client):
    first, second = client.lock("a"), client.lock("b")
    with first, second:
        assert first.local.token != second.local.token
        before = first.local.token
    with first:
        assert first.local.token != before


def test_another_waits_until_it_is_free(r):
    first, second = r.lock("a"), r.lock("a")
    assert first.acquire(blocking=False)
    assert second.acquire(blocking=False) is False
    assert second.local.token is None
    first.release()
    assert second.acquire(blocking=False)
    second.release()


def test_the_same_lock_is_not_acquired_twice(client):
    lock = client.lock("a")
    with lock:
        held = lock.local.token
        assert lock.acquire(blocking=False) is False
        assert lock.local.token == held
    assert lock.acquire(blocking=False)
    lock.release()


def test_the_timeout_is_the_time_to_live(client, server):
    lock = client.lock("a", timeout=1.5)
    lock.acquire()
    assert 1300 < ttl(server) <= 1500
    lock.release()
    tiny = client.lock("a", timeout=0.0001, sleep=0)
    tiny.acquire()
    until(lambda: not tiny.locked())


def test_a_token_of_ones_own(r, server):
    lock = r.lock("a")
    assert lock.acquire(token="é")
    assert lock.local.token == "é".encode()
    assert lock.owned()
    other = r.lock("a")
    assert other.acquire(token="é", blocking=False) is False, "the same token in other hands is another holder"
    lock.release()
    assert other.acquire(token=b"x")
    assert ask(server, "GET", "a") == b"x"


def test_an_odd_charset(make_client):
    lock = make_client(encoding="utf-16", decode_responses=True).lock(b"a", timeout=10)
    with lock:
        assert lock.owned() and lock.locked()
        assert lock.extend(10) and lock.extend(5, replace_ttl=True) and lock.reacquire()
        assert not make_client().lock(b"a").acquire(blocking=False)
    assert not lock.locked()


@pytest.mark.parametrize("where", ["constructor", "acquire"])
def test_waiting_ends_at_its_time(client, where):
    with client.lock("a"):
        options = {"blocking_timeout": 0.25, "sleep": 0.2}
        lock = client.lock("a", **(options if where == "constructor" else {}))
        start = time.monotonic()
        assert lock.acquire(**(options if where == "acquire" else {})) is False
        assert 0.24 < time.monotonic() - start < 0.35


def test_a_long_sleep_does_not_outlast_the_time(client):
    with client.lock("a", timeout=0.2, sleep=0):
        start = time.monotonic()
        assert client.lock("a", sleep=60).acquire(blocking_timeout=0.3) is True, "the last attempt is at the deadline"
        assert 0.29 < time.monotonic() - start < 0.5
        ask_again = client.lock("a", sleep=60, blocking_timeout=0)
        assert ask_again.acquire() is False
        client.delete("a")
        pytest.raises(LockNotOwnedError, client.lock("a").do_release, b"x")
        client.set("a", "x")
        client.lock("a").do_release(b"x")
        client.set("a", "y")
        with pytest.raises(LockNotOwnedError):
            client.lock("a").do_release(b"x")
        client.delete("a")
        # What the with block releases.
        client.set("a", "gone")
        pytest.raises(LockNotOwnedError, client.lock("a").do_release, b"")
        client.delete("a")
        raise_nothing(client)


def raise_nothing(client):
    assert not client.lock("a").locked()


def test_waiting_for_one_that_lets_go(client):
    first, second = client.lock("a", thread_local=False), client.lock("a", sleep=0.01)
    first.acquire()
    timer = threading.Timer(0.1, first.release)
    timer.start()
    start = time.monotonic()
    assert second.acquire()
    assert 0.09 < time.monotonic() - start < 0.5
    timer.join()
    second.release()


def test_blocking_can_be_off_for_the_lock_and_on_for_a_call(client):
    with client.lock("a", timeout=0.1, sleep=0):
        lock = client.lock("a", blocking=False, sleep=0.01)
        assert lock.acquire() is False
        assert lock.acquire(blocking=True) is True
        lock.release()
        client.set("a", "x")
        assert lock.acquire(blocking=False, blocking_timeout=5) is False
        client.delete("a")
        pytest.raises(LockError, lock.release)
        client.lock("a").acquire(token="given back by nobody")
        client.delete("a")
