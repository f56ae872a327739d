"""redis/sentinel_listener.py: the thread, what it hears, and that nothing of it is left."""

import gc
import os
import subprocess
import sys
import threading
import weakref

import pytest

import redis
from redis import sentinel_listener
from redis.sentinel import Sentinel
from redis.sentinel_listener import Ear, Listener
from tests.connection.test_pool_fork import in_child
from tests.faults.fakenode import RefusingPort
from tests.servers import REDIS7, VALKEY, ask, sentinels, standalone, until

NAME = "redis-sentinel-listener"


class Owner:
    """Notes what it is told."""

    def __init__(self, *sentinels):
        self.sentinels = list(sentinels)
        self.news = []
        self.fails = False

    def on_news(self, sentinel, service_name):
        self.news.append((sentinel, service_name))
        if self.fails:
            raise ValueError("not today")


def threads():
    return [thread for thread in threading.enumerate() if thread.name == NAME]


def sockets():
    """The open sockets of this process."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        if target.startswith("socket:"):
            found.append(target)
    return sorted(found)


@pytest.fixture(scope="module", params=[VALKEY, REDIS7], ids=["valkey", "redis7"])
def guards(request):
    """Two servers, which publish what they are told to, as sentinels would."""
    with standalone(request.param) as one, standalone(request.param) as other:
        yield one, other


@pytest.fixture
def owner(guards, kind):
    made = Owner(*[redis.StrictRedis(host=one.host, port=one.port, socket_timeout=2, **kind.options) for one in guards])
    yield made
    for sentinel in made.sentinels:
        sentinel.close()


@pytest.fixture
def listener(owner):
    made = Listener(owner)
    yield made
    made.close()
    assert threads() == []


def heard(owner):
    return [service for _, service in owner.news if service is not None]


def switch(guard, service="mymaster"):
    return ask(guard, "PUBLISH", "+switch-master", f"{service} 127.0.0.1 1 127.0.0.1 2")


def test_it_tells_what_each_of_them_says(guards, owner, listener):
    assert threads() == []
    listener.ensure()
    until(lambda: len(owner.news) == 2)
    assert {service for _, service in owner.news} == {None}, "it has begun, and something may have been missed"
    for guard, sentinel in zip(guards, owner.sentinels):
        assert switch(guard) == 1
        until(lambda sentinel=sentinel: owner.news[-1] == (sentinel, "mymaster"))
    assert heard(owner) == ["mymaster"] * 2


def test_several_at_once(guards, owner, listener):
    listener.ensure()
    until(lambda: len(owner.news) == 2)
    for number in range(50):
        switch(guards[0], f"service-{number}")
    until(lambda: len(heard(owner)) == 50)
    assert heard(owner) == [f"service-{number}" for number in range(50)]


def test_one_thread_however_often_it_is_asked_for(owner, listener):
    together = [threading.Thread(target=listener.ensure) for _ in range(20)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()
    until(lambda: len(threads()) == 1)
    assert threads()[0].daemon


def test_two_who_come_together_do_not_start_the_same_thread_twice(owner, listener, monkeypatch):
    both, started = threading.Barrier(2), []

    class Together(threading.Thread):
        def start(self):
            started.append(self)
            both.wait(10)
            super().start()

    monkeypatch.setattr(sentinel_listener, "Thread", Together)
    callers = [threading.Thread(target=listener.ensure) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(set(started)) == 2
    until(lambda: len(threads()) == 1)
    until(lambda: len(owner.news) == 2)


def test_a_thread_that_could_not_be_started_is_started_the_next_time(owner, listener, monkeypatch):
    class Refused(threading.Thread):
        def start(self):
            raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(sentinel_listener, "Thread", Refused)
        listener.ensure()
    assert threads() == []
    listener.ensure()
    until(lambda: len(owner.news) == 2)


def test_a_thread_that_has_failed_is_started_again(owner, listener, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda what: None)
    with monkeypatch.context() as patch:
        patch.setattr(sentinel_listener.socket, "socketpair", lambda: 1 / 0)
        listener.ensure()
        until(lambda: threads() == [])
    until(lambda: listener.ensure() or len(owner.news) == 2)  # each question to the sentinels sees to it


def test_what_was_heard_before_the_connection_was_lost_is_told():
    class Lost:
        messages = iter([{"type": "message", "data": b"mymaster 127.0.0.1 1 127.0.0.1 2"}])

        def get_message(self):
            for message in self.messages:
                return message
            raise redis.ConnectionError("lost")

        def close(self):
            pass

    ear = Ear(None)
    ear.pubsub = Lost()
    assert list(ear.listen()) == ["mymaster"]
    assert ear.pubsub is None and list(ear.listen()) == [], "it is tried again after a pause"


def test_who_is_lost_is_listened_to_again(guards, owner, listener, monkeypatch):
    monkeypatch.setattr(sentinel_listener, "SHORTEST_PAUSE", 0.05)
    listener.ensure()
    until(lambda: len(owner.news) == 2)
    assert ask(guards[0], "CLIENT", "KILL", "TYPE", "pubsub") == 1
    until(lambda: len(owner.news) > 2)
    assert set(owner.news[2:]) == {(owner.sentinels[0], None)}
    assert switch(guards[0]) == 1
    until(lambda: heard(owner) == ["mymaster"])


def test_who_refuses_is_tried_again_after_longer_and_longer_pauses(owner, monkeypatch):
    monkeypatch.setattr(sentinel_listener, "SLICE", 0.02)
    monkeypatch.setattr(sentinel_listener, "SHORTEST_PAUSE", 0.05)
    monkeypatch.setattr(sentinel_listener, "LONGEST_PAUSE", 0.1)
    with RefusingPort() as port, redis.StrictRedis(port=port, socket_timeout=1) as refusing:
        tried = []
        make = refusing.pubsub
        refusing.pubsub = lambda **options: tried.append(1) or make(**options)
        owner.sentinels.append(refusing)
        listener = Listener(owner)
        listener.ensure()
        until(lambda: len(tried) >= 3)
        assert {sentinel for sentinel, _ in owner.news} == set(owner.sentinels[:2]), "the others are heard all the same"
        listener.close()


def test_an_owner_who_fails_is_told_the_next_time(guards, owner, listener, caplog):
    owner.fails = True
    listener.ensure()
    until(lambda: len(owner.news) == 2)
    switch(guards[0])
    until(lambda: heard(owner) == ["mymaster"])
    until(lambda: "not today" in caplog.text)


def test_nothing_is_left_after_the_end(owner):
    for sentinel in owner.sentinels:
        sentinel.ping()
    before = sockets()
    listener = Listener(owner)
    listener.ensure()
    until(lambda: len(owner.news) == 2)
    assert len(sockets()) > len(before)
    listener.close()
    assert threads() == []
    listener.ensure()
    listener.close()
    assert threads() == [], "what was closed is not begun again"
    for sentinel in owner.sentinels:
        sentinel.connection_pool.disconnect(immediate=True)
    assert len(sockets()) == len(before) - len(owner.sentinels)


def test_close_from_within(guards, owner):
    listener = Listener(owner)
    owner.on_news = lambda sentinel, service_name: listener.close()
    listener.ensure()
    until(lambda: threads() == [])


def test_it_ends_with_its_owner(guards):
    owner = Owner(*[redis.StrictRedis(host=one.host, port=one.port, socket_timeout=2) for one in guards])
    sentinels = owner.sentinels
    listener = Listener(owner)
    listener.ensure()
    until(lambda: len(owner.news) == 2)
    gone, owner = weakref.ref(owner), None
    gc.collect()
    assert gone() is None
    until(lambda: threads() == [])
    for sentinel in sentinels:
        sentinel.close()


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_the_child_of_a_fork_listens_for_itself(guards, owner, listener):
    listener.ensure()
    until(lambda: len(owner.news) == 2)

    def listen():
        owner.news.clear()
        assert threads() == []
        listener.ensure()
        until(lambda: len(owner.news) == 2, 5)
        assert switch(guards[0]) == 2
        until(lambda: heard(owner) == ["mymaster"], 5)
        listener.close()
        return [threads(), listener.closed]

    assert in_child(listen) == "[[], True]"
    until(lambda: heard(owner) == ["mymaster"])
    assert switch(guards[1]) == 1
    until(lambda: heard(owner) == ["mymaster"] * 2)


# With a Sentinel.


@pytest.fixture(scope="module")
def service():
    with standalone() as master, sentinels(master, 2) as watching:
        yield master, watching


def listeners(guard):
    return ask(guard, "CLIENT", "LIST", "TYPE", "PUBSUB").count(b" sub=1 ")


def test_it_begins_with_the_first_question(service):
    _, watching = service
    with Sentinel([(one.host, one.port) for one in watching], failover_listener=True) as sentinel:
        client = sentinel.master_for("mymaster")
        assert threads() == []
        client.ping()
        assert len(threads()) == 1
        until(lambda: [listeners(one) for one in watching] == [1, 1])
        client.close()
    assert threads() == []
    until(lambda: [listeners(one) for one in watching] == [0, 0])


def test_there_is_none_unless_it_was_asked_for(service):
    _, watching = service
    with Sentinel([(one.host, one.port) for one in watching]) as sentinel, sentinel.master_for("mymaster") as client:
        client.ping()
        assert threads() == []


def test_the_news_make_the_pools_ask(service):
    _, watching = service
    with Sentinel([(one.host, one.port) for one in watching], failover_listener=True) as sentinel:
        master, slave = sentinel.master_for("mymaster"), sentinel.slave_for("mymaster")
        other = sentinel.master_for("another")
        asked = []
        for client in (master, slave, other):
            client.connection_pool.follow = lambda client=client: asked.append(client)
        second = sentinel.sentinels[1]
        sentinel.on_news(second, "mymaster")
        assert asked == [master, slave] and sentinel.sentinels[0] is second
        asked.clear()
        sentinel.on_news(sentinel.sentinels[1], None)
        assert asked == [master, other] and sentinel.sentinels[0] is second
        for client in (master, slave, other):
            client.close()


def test_a_pool_of_replicas_is_retired(service):
    _, watching = service
    with Sentinel([(one.host, one.port) for one in watching]) as sentinel, sentinel.slave_for("mymaster") as client:
        client.ping()
        (connection,) = client.connection_pool._available_connections
        client.connection_pool.follow()
        assert connection._sock is None
        assert client.ping()


FORGETFUL = """
import redis, sys, threading, time
sentinel = redis.Sentinel({places!r}, failover_listener=True)
client = sentinel.master_for("mymaster")
client.ping()
assert threading.active_count() == 2
{end}
"""


@pytest.mark.parametrize(
    "end",
    [
        "",
        "client.close(); sentinel.close(); assert threading.active_count() == 1",
        "del client, sentinel\nwhile threading.active_count() > 1: time.sleep(0.01)",
        "raise SystemExit",
    ],
    ids=["forgotten", "closed", "dropped", "exit"],
)
def test_no_noise_at_the_end_of_the_program(service, end):
    _, watching = service
    script = FORGETFUL.format(places=[(one.host, one.port) for one in watching], end=end)
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
