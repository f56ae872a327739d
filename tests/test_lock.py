"""redis/lock.py: holding, waiting, extending and renewing, where every reply arrives.

Where they do not, tests/faults/test_11_honest_lock.py goes on.
"""

import gc
import os
import threading
import time
import weakref
from decimal import Decimal

import pytest

import redis
from redis.client import Lock, LuaLock, Redis, StrictRedis
from redis.exceptions import LockError, LockNotOwnedError
from tests.faults.fakenode import RefusingPort
from tests.servers import ask, until

FORKS = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


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
    if renewing():
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
    client.lock("a", timeout=0.2, sleep=0).acquire()
    start = time.monotonic()
    assert client.lock("a", sleep=60).acquire(blocking_timeout=0.3) is True, "the last attempt is at the deadline"
    assert 0.29 < time.monotonic() - start < 0.5
    assert client.lock("a", sleep=60, blocking_timeout=0).acquire() is False


def test_waiting_for_one_that_lets_go(client):
    first, second = client.lock("a", thread_local=False), client.lock("a", sleep=0.01)
    first.acquire()
    timer = threading.Timer(0.1, first.release)
    timer.start()
    start = time.monotonic()
    assert second.acquire()
    assert 0.09 < time.monotonic() - start < 0.5
    timer.join()


def test_blocking_can_be_off_for_the_lock_and_on_for_a_call(client):
    client.lock("a", timeout=0.1, sleep=0).acquire()
    lock = client.lock("a", blocking=False, sleep=0.01)
    assert lock.acquire() is False
    assert lock.acquire(blocking=True) is True
    start = time.monotonic()
    assert client.lock("a").acquire(blocking=False, blocking_timeout=5) is False
    assert time.monotonic() - start < 0.2


@pytest.mark.parametrize("shared", [True, False], ids=["one lock", "a lock each"])
def test_only_one_of_many_threads_holds_it(client, shared):
    """Each adds to a number that it reads and writes apart."""
    one = client.lock("a", sleep=0.001)
    client.set("n", 0)

    def add():
        for _ in range(5):
            with one if shared else client.lock("a", sleep=0.001):
                client.set("n", int(client.get("n")) + 1)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get("n") == b"20"


def test_releasing_what_is_not_held(client, server):
    lock = client.lock("a")
    with pytest.raises(LockError, match="not held"):
        lock.release()
    lock.acquire()
    ask(server, "SET", "a", "another")
    with pytest.raises(LockNotOwnedError):
        lock.release()
    assert lock.local.token is None, "cleared even when releasing fails"
    assert ask(server, "GET", "a") == b"another"


def test_a_lock_that_expired_is_no_longer_owned(client):
    lock = client.lock("a", timeout=0.05, sleep=0)
    lock.acquire()
    until(lambda: not lock.locked())
    assert not lock.owned()
    with pytest.raises(LockNotOwnedError):
        lock.release()


def test_locked_and_owned(r):
    lock, other = r.lock("a"), r.lock("a")
    assert (lock.locked(), lock.owned()) == (False, False)
    lock.acquire()
    assert (lock.locked(), lock.owned()) == (True, True)
    assert (other.locked(), other.owned()) == (True, False)
    lock.release()
    assert (lock.locked(), lock.owned()) == (False, False)


# with blocks


def test_a_with_block(r, server):
    with r.lock("a") as lock:
        assert ask(server, "GET", "a") == lock.local.token
    assert ask(server, "GET", "a") is None


def test_a_with_block_releases_after_an_error(client, server):
    with pytest.raises(ZeroDivisionError), client.lock("a"):
        raise ZeroDivisionError
    assert ask(server, "GET", "a") is None


@pytest.mark.parametrize("options", [{"blocking_timeout": 0.05}, {"blocking": False}], ids=["timeout", "not blocking"])
def test_a_with_block_is_not_entered_without_the_lock(client, options):
    client.set("a", "another")
    with pytest.raises(LockError, match="'a' could not be acquired"), client.lock("a", **options):
        pytest.fail("nobody holds the lock here")
    assert client.get("a") == b"another"


def test_a_lock_that_was_lost_inside_a_with_block(client):
    with pytest.raises(LockNotOwnedError), client.lock("a"):
        client.set("a", "another")
    client.delete("a")
    with client.lock("a", raise_on_release_error=False):
        client.set("a", "another")
    assert client.get("a") == b"another"


# Extending


def test_extend_adds_or_replaces(client, server):
    lock = client.lock("a", timeout=10)
    lock.acquire()
    assert lock.extend(10.5) is True
    assert 20000 < ttl(server) <= 20500
    assert lock.extend(5, replace_ttl=True) is True
    assert 4500 < ttl(server) <= 5000
    assert lock.reacquire() is True
    assert 9500 < ttl(server) <= 10000


@pytest.mark.parametrize("call", [lambda lock: lock.extend(5), Lock.reacquire], ids=["extend", "reacquire"])
def test_what_cannot_be_extended(client, server, call):
    with pytest.raises(LockError, match="not held"):
        call(client.lock("a", timeout=10))
    forever = client.lock("a")
    forever.acquire()
    with pytest.raises(LockError, match="no timeout"):
        call(forever)
    forever.release()
    lost = client.lock("a", timeout=10)
    lost.acquire()
    ask(server, "SET", "a", "another", "PX", 1000)
    with pytest.raises(LockNotOwnedError):
        call(lost)
    assert ttl(server) <= 1000


def test_a_lock_that_somebody_made_eternal_is_not_extended(client, server):
    lock = client.lock("a", timeout=10)
    lock.acquire()
    ask(server, "PERSIST", "a")
    with pytest.raises(LockNotOwnedError):
        lock.extend(10)
    assert ttl(server) == -1


# Threads


def test_the_token_belongs_to_the_thread(client, server):
    lock = client.lock("a")
    lock.acquire()
    seen = in_thread(lambda: (lock.local.token, lock.owned(), failing(lock.release)))
    assert seen == (None, False, LockError)
    assert lock.owned()


def test_a_lock_can_be_handed_to_another_thread(client, server):
    lock = client.lock("a", thread_local=False)
    lock.acquire()
    assert in_thread(lambda: (lock.owned(), failing(lock.release))) == (True, None)
    assert lock.local.token is None
    assert ask(server, "GET", "a") is None


def in_thread(function):
    """What ``function`` returns in a thread of its own."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def failing(call):
    """The class of the error that ``call`` raises, or None."""
    try:
        call()
    except redis.RedisError as error:
        return type(error)
    return None


# Classes


@pytest.mark.parametrize("cls", [StrictRedis, Redis])
def test_the_class_of_the_lock(make_client, cls):
    client = make_client(cls)
    assert type(client.lock("a")) is Lock
    assert type(client.lock("a", lock_class=LuaLock)) is LuaLock
    with client.lock("a", 10, 0.2, 3, LuaLock, False, blocking=False, raise_on_release_error=False) as lock:
        assert (lock.timeout, lock.sleep, lock.blocking_timeout, lock.thread_local) == (10, 0.2, 3, False)
        assert (lock.blocking, lock.raise_on_release_error, lock.owned()) == (False, False, True)
    with Lock(client, "a", 10, 0.2, False, 3, False) as lock:
        assert (lock.timeout, lock.sleep, lock.blocking, lock.blocking_timeout) == (10, 0.2, False, 3)


def test_a_subclass_may_do_it_another_way(client, server):
    class Plain(Lock):
        def do_acquire(self, token):
            return self.redis.set(self.name, b"mine", nx=True)

        def do_extend(self, additional_time):
            return self.redis.pexpire(self.name, additional_time * 1000)

        def do_release(self, expected_token):
            self.redis.delete(self.name)

        def do_reacquire(self, expected_token):
            return self.redis.pexpire(self.name, 7000)

    with client.lock("a", timeout=5, lock_class=Plain) as lock:
        assert ask(server, "GET", "a") == b"mine"
        assert not client.lock("a", lock_class=Plain).acquire(blocking=False)
        assert lock.extend(10)
        assert 9000 < ttl(server) <= 10000
        assert lock.reacquire()
        assert 6000 < ttl(server) <= 7000
    assert not lock.locked()


def test_a_subclass_may_have_scripts_of_its_own(client, server):
    class Hashed(Lock):
        LUA_ACQUIRE_SCRIPT = "return redis.call('hsetnx', KEYS[1], 'token', ARGV[1])"
        LUA_RELEASE_SCRIPT = "return redis.call('del', KEYS[1])"

    with client.lock("a"), client.lock("b", lock_class=Hashed) as lock:
        assert ask(server, "HGET", "b", "token") == lock.local.token
    assert ask(server, "EXISTS", "a", "b") == 0
    assert Lock.lua_acquire.script == Lock.LUA_ACQUIRE_SCRIPT.encode()


def test_the_scripts_of_the_class_keep_no_client_alive(server, make_client):
    class Fresh(Lock):
        lua_acquire = lua_release = lua_extend = lua_reacquire = None

    client = StrictRedis(host=server.host, port=server.port)
    with client.lock("a", lock_class=Fresh):
        pass
    client.close()
    reference = weakref.ref(client)
    del client
    gc.collect()
    assert reference() is None
    assert Fresh.lua_acquire is not None


@pytest.mark.parametrize(
    ("name", "value"), [("timeout", "5"), ("timeout", -1), ("sleep", "1"), ("sleep", float("nan"))]
)
def test_what_are_no_seconds(client, name, value):
    with pytest.raises(LockError, match=f"'{name}' is {value!r}; it takes a number of seconds, 0 or more"):
        client.lock("a", **{name: value})


def test_seconds_may_be_of_any_class_of_numbers(client):
    with client.lock("a", timeout=Decimal(5)):
        assert 4000 < client.pttl("a") <= 5000


def test_arguments_that_contradict_one_another(client):
    with pytest.raises(LockError, match="'sleep'") as caught:
        client.lock("a", timeout=1, sleep=2)
    assert isinstance(caught.value, ValueError)
    assert client.lock("a", timeout=1, sleep=1)
    with pytest.raises(LockError, match="needs a 'timeout'"):
        client.lock("a", auto_renewal=True)
    for interval in (0, -1, 1, 2):
        with pytest.raises(LockError, match="shorter than 'timeout'"):
            client.lock("a", timeout=1, auto_renewal=interval)
    with pytest.raises(TypeError, match="colour"):
        client.lock("a", colour="red")


def test_repr_has_no_token(client):
    with client.lock("a", timeout=10) as lock:
        assert repr(lock) == "Lock<'a', timeout=10>"


def test_no_server_no_lock():
    with RefusingPort() as port, StrictRedis(port=port) as client:
        lock = client.lock("a")
        with pytest.raises(redis.ConnectionError) as caught:
            lock.acquire()
    assert caught.value.maybe_applied is False
    assert lock.local.token is None


# Renewal


def test_a_lock_is_renewed_as_long_as_it_is_held(client):
    told = []
    lock = client.lock("a", timeout=0.3, auto_renewal=True, on_lost=told.append)
    with lock:
        time.sleep(0.8)
        assert lock.owned()
        assert len(renewing()) == 2
        lost = lock.lost
    until(lambda: not renewing(), timeout=1)
    assert not lock.locked()
    time.sleep(0.35)
    assert not lost.is_set() and told == []


@pytest.mark.parametrize("thread_local", [True, False])
def test_a_lost_lock_tells_its_holder(client, thread_local):
    told = []
    options = {"timeout": 5, "auto_renewal": 0.1, "on_lost": told.append, "thread_local": thread_local}
    with pytest.raises(LockNotOwnedError), client.lock("a", **options) as lock:
        assert not lock.lost.wait(0.25)
        client.set("a", "another")
        start = time.monotonic()
        assert lock.lost.wait(2)
        assert time.monotonic() - start < 0.5
    assert told == [lock]
    assert client.get("a") == b"another"
    until(lambda: not renewing())
    client.delete("a")
    with lock:
        assert not lock.lost.is_set(), "a new time, a new event"
    assert told == [lock]


def test_release_ends_the_threads_at_once(client):
    with client.lock("a", timeout=60, auto_renewal=True):
        assert len(renewing()) == 2
    until(lambda: not renewing(), timeout=1)


def test_a_renewal_that_comes_after_the_release_is_no_loss(client):
    told, begun, released = [], threading.Event(), threading.Event()

    class Slow(Lock):
        def do_reacquire(self, expected_token):
            begun.set()
            released.wait(5)
            return super().do_reacquire(expected_token)

    lock = client.lock("a", timeout=60, auto_renewal=0.01, on_lost=told.append, lock_class=Slow)
    with lock:
        assert begun.wait(5)
        lost = lock.lost
    released.set()
    until(lambda: not renewing(), timeout=2)
    assert told == [] and not lost.is_set()


def test_without_renewal_there_is_no_thread(client):
    with client.lock("a", timeout=0.2):
        assert renewing() == []


def test_a_forgotten_lock_is_not_renewed(client):
    lock = client.lock("a", timeout=0.3, auto_renewal=0.05)
    lock.acquire()
    time.sleep(0.4)
    assert lock.owned()
    del lock
    gc.collect()
    until(lambda: not renewing(), timeout=1)
    until(lambda: not client.exists("a"), timeout=1)


def test_a_lock_of_a_thread_that_has_ended_is_not_renewed(client):
    lock = client.lock("a", timeout=0.3, auto_renewal=0.05)
    assert in_thread(lock.acquire)
    until(lambda: not renewing(), timeout=1)
    until(lambda: not lock.locked(), timeout=1)


@FORKS
def test_the_child_of_a_fork_renews_nothing(client):
    with client.lock("a", timeout=0.5, auto_renewal=0.1, thread_local=False) as lock:
        child = os.fork()
        if child == 0:
            clean = lock.local.renewal.stop() is None and not renewing() and not lock.local.renewal.over.is_set()
            os._exit(0 if clean and client.ping() else 1)
        assert os.waitpid(child, 0)[1] == 0
        time.sleep(0.7)
        assert lock.owned() and not lock.lost.is_set()


@FORKS
def test_after_a_fork_the_child_has_another_token(client):
    client.set("a", "another")
    lock = client.lock("a")
    assert lock.acquire(blocking=False) is False, "this token has not won, and will be used again"
    client.delete("a")
    child = os.fork()
    if child == 0:
        os._exit(0 if lock.acquire(blocking=False) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert lock.acquire(blocking=False) is False, "the child holds it, and not this process"
