"""Keyspace notifications: switching them on, choosing keys and events, and what a notification says."""

from time import monotonic

import pytest

import redis
from redis.keyspace import KeyNotification, KeyspaceNotifications, parse_notification
from tests.servers import ask, until

SETTING = "notify-keyspace-events"


@pytest.fixture(autouse=True)
def switched_off(server):
    ask(server, "CONFIG", "SET", SETTING, "")
    yield
    ask(server, "CONFIG", "SET", SETTING, "")


@pytest.fixture
def events(r, server):
    with KeyspaceNotifications(r) as events:
        events.enable()
        yield events
    until(lambda: ask(server, "PUBSUB", "NUMPAT") == 0)


def heard(events, count=1):
    """The next notifications."""
    found = []
    deadline = monotonic() + 5
    while len(found) < count:
        assert monotonic() < deadline, found
        notification = events.get_message(timeout=0.2)
        if notification is not None:
            found.append(notification)
    return found


def settled(events):
    """Wait until everything is subscribed."""
    events.pubsub.ping()
    until(lambda: (events.pubsub.get_message(timeout=0.2) or {}).get("type") == "pong")


def test_enable_adds_to_what_is_set(server, r):
    with KeyspaceNotifications(r) as events:
        ask(server, "CONFIG", "SET", SETTING, "Kl")
        assert set(events.enable("Ex")) == set("KElx")
        assert set(ask(server, "CONFIG", "GET", SETTING)[1].decode()) == set("KElx")
        assert set("AKE") <= set(events.enable())
        with pytest.raises(redis.ResponseError):
            events.enable("?")


def test_keys(r, events, kind):
    events.subscribe_keys("user:*", b"exactly")
    settled(events)
    r.set("user:1", "x")
    r.set("exactly", "x")
    r.set("another", "x")
    r.delete("user:1")
    t = kind.text
    told = [(0, "set", t("user:1")), (0, "set", t("exactly")), (0, "del", t("user:1"))]
    assert heard(events, 3) == [KeyNotification(*notification) for notification in told]


def test_events(r, events, kind):
    events.subscribe_events("expired", "l*")
    settled(events)
    r.set("k", "x")
    r.psetex("brief", 1, "x")
    until(lambda: not r.exists("brief"))
    r.lpush("list: with: colons", "x")
    assert heard(events, 2) == [(0, "expired", kind.text("brief")), (0, "lpush", kind.text("list: with: colons"))]


def test_a_key_with_colons_and_other_characters(r, events, kind):
    name = kind.text("a:b__:\u4e2d@\n")
    events.subscribe_keys("*")
    settled(events)
    r.set(name, "x")
    assert heard(events) == [(0, "set", name)]


def test_databases(server, make_client, kind):
    clients = {db: make_client(**kind.options, db=db) for db in (0, 3)}
    with KeyspaceNotifications(clients[3]) as own, KeyspaceNotifications(clients[3]) as each:
        own.enable()
        own.subscribe_keys("k")
        own.subscribe_keys("j", db=0)
        each.subscribe_events("set", db="*")
        settled(own)
        settled(each)
        for db, client in clients.items():
            client.set("k", db)
            client.set("j", db)
        k, j = kind.text("k"), kind.text("j")
        assert heard(own, 2) == [(0, "set", j), (3, "set", k)]
        assert heard(each, 4) == [(0, "set", k), (0, "set", j), (3, "set", k), (3, "set", j)]


def test_unsubscribe(r, events):
    events.subscribe_keys("a", "b")
    events.subscribe_events("set", "del")
    events.unsubscribe_keys("a")
    events.unsubscribe_events("set", "del")
    settled(events)
    r.set("a", "x")
    r.set("b", "x")
    assert [(notification.event, notification.key) for notification in heard(events)] == [("set", r.keys("b")[0])]
    assert events.get_message(timeout=0.05) is None


def test_listen(r, events):
    events.subscribe_keys("k")
    settled(events)
    r.set("k", "1")
    r.append("k", "2")
    r.delete("k")
    told = []
    for notification in events.listen():
        told.append(notification.event)
        if notification.event == "del":
            events.unsubscribe_keys("k")
    assert told == ["set", "append", "del"]


def test_options_are_those_of_pubsub(r, server):
    gaps = []
    with KeyspaceNotifications(r, on_reconnect=gaps.append) as events:
        events.enable()
        events.subscribe_keys("k")
        settled(events)
        events.pubsub.connection.disconnect()
        settled(events)
        r.set("k", "x")
        assert heard(events)[0].event == "set"
    assert gaps == [events.pubsub]


@pytest.mark.parametrize(
    "message",
    [
        {"type": "pong", "pattern": None, "channel": None, "data": b""},
        {"type": "message", "pattern": None, "channel": b"__keyspace@0__:k", "data": b"set"},
        {"type": "pmessage", "pattern": b"*", "channel": b"news", "data": b"set"},
        {"type": "pmessage", "pattern": b"*", "channel": b"__keyspace@x__:k", "data": b"set"},
        {"type": "pmessage", "pattern": b"*", "channel": b"__key@0__:k", "data": b"set"},
    ],
)
def test_other_messages(message):
    assert parse_notification(message) is None
