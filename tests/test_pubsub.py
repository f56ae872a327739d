"""Pub/Sub: what is subscribed, what a message looks like, what handlers are given, and what other threads may do."""

import contextlib
import threading
from time import monotonic, sleep

import pytest

import redis
from redis.client import PubSub
from redis.connection import Connection, ConnectionPool, PythonParser
from redis.embedded import free_port
from tests.conftest import KINDS
from tests.faults.fakenode import FakeNode, answer, raw, turn_away
from tests.servers import ask, standalone, until


def message_of(kind, pattern=None, channel=None, data=None):
    return {"type": kind, "pattern": pattern, "channel": channel, "data": data}


def next_message(pubsub, timeout=5, **options):
    """The next message that is no None, within ``timeout`` seconds."""
    deadline = monotonic() + timeout
    while monotonic() < deadline:
        message = pubsub.get_message(timeout=0.2, **options)
        if message is not None:
            return message
    raise AssertionError("no message came")


def messages(pubsub, count):
    return [next_message(pubsub) for _ in range(count)]


def settled(pubsub):
    """Read what the server has to say of subscriptions, and nothing else."""
    pubsub.ping("settled")
    while (message := next_message(pubsub))["type"] != "pong":
        assert message["type"].endswith("subscribe"), message


def handle(pubsub, until_true):
    """Read until something has come true; no message may be left over."""
    deadline = monotonic() + 5
    while not until_true():
        assert monotonic() < deadline
        assert pubsub.get_message(ignore_subscribe_messages=True, timeout=0.2) is None


@pytest.fixture
def p(r):
    with r.pubsub() as pubsub:
        yield pubsub


@pytest.fixture
def client(make_client):
    """One client, of no special kind."""
    return make_client()


@contextlib.contextmanager
def thread(task):
    """Run ``task`` in a thread while the block runs, and let its failure be the test's."""
    failures = []

    def run():
        try:
            task()
        except BaseException as failure:
            failures.append(failure)

    started = threading.Thread(target=run)
    started.start()
    try:
        yield started
    finally:
        started.join(20)
    assert not started.is_alive()
    assert failures == []


# Subscribing.

FAMILIES = {
    "channels": ("subscribe", "unsubscribe", "channels"),
    "patterns": ("psubscribe", "punsubscribe", "patterns"),
    "shard channels": ("ssubscribe", "sunsubscribe", "shard_channels"),
}


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


def test_subscribe_and_unsubscribe(p, kind, family):
    subscribe, unsubscribe, wanted = family
    names = [kind.text("foo"), kind.text("b\xe4r"), kind.text("un\u4e2d")]
    getattr(p, subscribe)(*names)
    assert set(getattr(p, wanted)) == set(names)
    assert messages(p, 3) == [message_of(subscribe, None, name, count) for count, name in enumerate(names, 1)]
    getattr(p, unsubscribe)(*names[:2])
    assert messages(p, 2) == [message_of(unsubscribe, None, name, 2 - count) for count, name in enumerate(names[:2])]
    assert list(getattr(p, wanted)) == names[2:]
    assert p.subscribed
    getattr(p, unsubscribe)(names[2])
    assert messages(p, 1) == [message_of(unsubscribe, None, names[2], 0)]
    assert not p.subscribed


def test_subscribed_from_sending_on_until_the_last_reply_was_read(p, family):
    subscribe, unsubscribe, _ = family
    assert p.subscribed is False
    getattr(p, subscribe)("a")
    assert p.subscribed is True
    next_message(p)
    getattr(p, unsubscribe)()
    assert p.subscribed is True
    assert next_message(p)["type"] == unsubscribe
    assert p.subscribed is False


def test_unsubscribe_without_names_is_from_all(p, family):
    subscribe, unsubscribe, wanted = family
    getattr(p, subscribe)("a", "b", "c")
    messages(p, 3)
    getattr(p, unsubscribe)()
    assert {message["type"] for message in messages(p, 3)} == {unsubscribe}
    assert getattr(p, wanted) == {}


def test_names_in_lists(client):
    with client.pubsub() as p:
        p.subscribe(["a", "b"], "c")
        p.psubscribe(("d*",))
        messages(p, 4)
        p.unsubscribe(["a"])
        messages(p, 1)
        assert (set(p.channels), set(p.patterns)) == ({b"b", b"c"}, {b"d*"})


@pytest.mark.parametrize("subscribe", ["subscribe", "psubscribe", "ssubscribe"])
def test_no_name_at_all(client, subscribe):
    p = client.pubsub()
    with pytest.raises(redis.PubSubError, match=f"{subscribe.upper()} needs the name"):
        getattr(p, subscribe)()
    assert (p.connection, p.subscribed) == (None, False)


def test_a_name_that_the_charset_does_not_have(make_client):
    with make_client(encoding="latin-1").pubsub() as p:
        p.subscribe("a")
        with pytest.raises(UnicodeEncodeError):
            p.subscribe("b", "\u4e2d")
        with pytest.raises(UnicodeEncodeError):
            p.ping("\u4e2d")
        assert set(p.channels) == {b"a"}
        assert messages(p, 1) == [message_of("subscribe", None, b"a", 1)]
        assert p.get_message(timeout=0.05) is None


def test_subscribe_again_before_the_server_has_said_that_it_unsubscribed(client):
    with client.pubsub() as p:
        p.subscribe("a")
        p.unsubscribe("a")
        p.subscribe("a")
        assert [message["type"] for message in messages(p, 3)] == ["subscribe", "unsubscribe", "subscribe"]
        assert set(p.channels) == {b"a"}
        assert client.publish("a", "here") == 1
        assert next_message(p)["data"] == b"here"


@pytest.mark.parametrize("asked", ["object", "call"])
def test_ignore_subscribe_messages(client, asked):
    with client.pubsub(ignore_subscribe_messages=asked == "object") as p:
        options = {"ignore_subscribe_messages": True} if asked == "call" else {}
        p.subscribe("a")
        p.psubscribe("b*")
        assert p.get_message(timeout=1, **options) is None
        assert p.get_message(timeout=1, **options) is None
        client.publish("a", "x")
        assert next_message(p, **options)["data"] == b"x"
        p.unsubscribe()
        p.punsubscribe()
        assert p.get_message(timeout=1, **options) is None
        assert p.get_message(timeout=1, **options) is None
        assert not p.subscribed


# Messages.


def test_a_message(r, p, kind):
    p.subscribe("foo")
    p.psubscribe("f*")
    settled(p)
    assert r.publish("foo", "un\u4e2d") == 2
    told = [message_of("message", None, kind.text("foo"), kind.text("un\u4e2d"))]
    told += [message_of("pmessage", kind.text("f*"), kind.text("foo"), kind.text("un\u4e2d"))]
    assert messages(p, 2) == told


def test_a_shard_message(r, p, kind):
    p.ssubscribe("foo")
    settled(p)
    assert r.spublish("foo", "data") == 1
    assert messages(p, 1) == [message_of("smessage", None, kind.text("foo"), kind.text("data"))]


@pytest.mark.parametrize("size", [0, 10, 16_000, 200_000, 1 << 20])
def test_messages_of_any_size_over_any_transport(make_client, transport, size):
    client = make_client(**transport.options)
    with client.pubsub(ignore_subscribe_messages=True) as p:
        p.subscribe("a")
        assert p.get_message(timeout=1) is None
        for number in range(3):
            client.publish("a", b"%d" % number + b"x" * size)
        assert [message["data"] for message in messages(p, 3)] == [b"%d" % number + b"x" * size for number in range(3)]


def test_many_messages_that_came_as_one(make_client, transport):
    """What the parser, or TLS, has read off the system already is not waited for."""
    client = make_client(**transport.options)
    with client.pubsub() as p:
        p.subscribe("a")
        settled(p)
        with client.pipeline(transaction=False) as pipe:
            for number in range(200):
                pipe.execute_command("PUBLISH", "a", b"%d:" % number + b"x" * 100)
            pipe.execute()
        sleep(0.05)
        start = monotonic()
        assert [int(p.get_message()["data"].partition(b":")[0]) for _ in range(200)] == list(range(200))
        assert monotonic() - start < 1


def test_ping(r, p, kind):
    p.subscribe("a")
    settled(p)
    p.ping()
    p.ping("hello")
    assert messages(p, 2) == [message_of("pong", data=kind.text("")), message_of("pong", data=kind.text("hello"))]


def test_a_message_that_does_not_decode(make_client, kind):
    client = make_client(**kind.options)
    with client.pubsub() as p:
        p.subscribe("a")
        settled(p)
        for data in (b"\xff\xfe", b"good"):
            client.publish("a", data)
        if kind.decode_responses:
            with pytest.raises(UnicodeDecodeError):
                p.get_message(timeout=1)
        else:
            assert next_message(p)["data"] == b"\xff\xfe"
        assert next_message(p)["data"] == kind.text("good")


def test_another_charset(make_client):
    client = make_client(encoding="utf-16")
    with client.pubsub() as p:
        p.subscribe("caf\xe9")
        assert next_message(p)["channel"] == "caf\xe9".encode("utf-16")
        client.publish("caf\xe9", "\u4e2d")
        assert next_message(p)["data"] == "\u4e2d".encode("utf-16")


# Handlers.


def test_handlers(r, p, kind):
    heard = []
    p.subscribe(foo=heard.append, un中=heard.append)
    p.psubscribe(**{"f*": heard.append})
    p.ssubscribe(shard=heard.append)
    p.subscribe("plain")
    settled(p)
    r.publish("foo", "1")
    handle(p, lambda: len(heard) == 2)
    r.publish("un\u4e2d", "2")
    r.spublish("shard", "3")
    handle(p, lambda: len(heard) == 4)
    t = kind.text
    assert heard == [
        message_of("message", None, t("foo"), t("1")),
        message_of("pmessage", t("f*"), t("foo"), t("1")),
        message_of("message", None, t("un\u4e2d"), t("2")),
        message_of("smessage", None, t("shard"), t("3")),
    ]
    r.publish("plain", "4")
    assert next_message(p)["data"] == t("4")


def test_a_new_subscription_replaces_the_handler(client):
    heard = []
    with client.pubsub() as p:
        p.subscribe(a=heard.append)
        p.subscribe("a")
        settled(p)
        client.publish("a", "x")
        assert next_message(p)["data"] == b"x"
        assert heard == []


def test_what_a_handler_raises_reaches_the_reader(client):
    def fail(message):
        raise ZeroDivisionError(message["data"])

    with client.pubsub() as p:
        p.subscribe(a=fail)
        settled(p)
        client.publish("a", "x")
        with pytest.raises(ZeroDivisionError, match="x"):
            p.get_message(timeout=1)
        client.publish("a", "y")
        with pytest.raises(ZeroDivisionError, match="y"):
            p.get_message(timeout=1)


# Time.


@pytest.mark.parametrize("timeout", [0.05, 0.4])
def test_get_message_waits_as_long_as_it_is_told(make_client, transport, timeout):
    with make_client(**transport.options, socket_timeout=0.1).pubsub() as p:
        p.subscribe("a")
        settled(p)
        start = monotonic()
        assert p.get_message(timeout=timeout) is None
        assert timeout <= monotonic() - start < timeout + 0.1


def test_get_message_does_not_wait_by_default(client):
    with client.pubsub() as p:
        p.subscribe("a")
        settled(p)
        start = monotonic()
        assert [p.get_message() for _ in range(100)] == [None] * 100
        assert monotonic() - start < 0.1


@pytest.mark.parametrize("timeout", [None, 5])
def test_get_message_returns_when_a_message_comes(client, timeout):
    with client.pubsub() as p:
        p.subscribe("a")
        settled(p)
        timer = threading.Timer(0.2, client.publish, ("a", "x"))
        timer.start()
        start = monotonic()
        assert p.get_message(timeout=timeout)["data"] == b"x"
        assert 0.15 < monotonic() - start < 0.6
        timer.join()


def test_before_any_subscription(client):
    with client.pubsub() as p:
        with pytest.raises(RuntimeError, match="did you forget to call subscribe"):
            p.get_message()
        p.subscribe("a")
        assert next_message(p)["type"] == "subscribe"


# Listening, closing.


def test_listen(client):
    with client.pubsub() as p:
        assert list(p.listen()) == []
        p.subscribe("a")
        p.psubscribe("b*")
        told = []
        for message in p.listen():
            told.append(message["type"])
            if message["type"] == "psubscribe":
                client.publish("a", "x")
            if message["type"] == "message":
                p.unsubscribe()
                p.punsubscribe()
        assert told == ["subscribe", "psubscribe", "message", "unsubscribe", "punsubscribe"]


def test_close_ends_every_subscription(server, client):
    p = client.pubsub()
    p.subscribe("a")
    p.psubscribe("b*")
    p.ssubscribe("c")
    settled(p)
    connection = p.connection
    p.close()
    assert (p.channels, p.patterns, p.shard_channels, p.connection) == ({}, {}, {}, None)
    assert connection._sock is None
    until(lambda: ask(server, "PUBSUB", "CHANNELS") == [] and ask(server, "PUBSUB", "NUMPAT") == 0)
    p.close()
    p.subscribe("again")
    assert next_message(p)["channel"] == b"again"
    p.reset()
    assert p.connection is None


def test_a_closed_object_gives_its_connection_back(make_client):
    client = make_client(max_connections=1)
    for _ in range(3):
        with client.pubsub() as p:
            p.subscribe("a")
            next_message(p)
            with pytest.raises(redis.ConnectionError, match="Too many connections"):
                client.ping()
        assert client.ping() is True


def test_close_while_another_thread_waits(server, client):
    p = client.pubsub()
    p.subscribe("a")
    settled(p)
    gone = []

    def listen():
        start = monotonic()
        assert list(p.listen()) == []
        gone.append(monotonic() - start)

    with thread(listen):
        sleep(0.2)
        p.close()
    assert gone[0] < 0.7
    until(lambda: ask(server, "PUBSUB", "CHANNELS") == [])
    with pytest.raises(RuntimeError):
        p.get_message()


def test_who_waits_shares_his_connection_with_nobody(server, client):
    """Another thread closes the object and goes on with other commands while messages flow: no reply goes astray."""
    done = threading.Event()

    def publish():
        while not done.is_set():
            ask(server, "PUBLISH", "a", "from the channel")

    with thread(publish):
        try:
            for number in range(150):
                p = client.pubsub(ignore_subscribe_messages=True)
                p.subscribe("a")
                with thread(lambda p=p: [message["data"] for message in p.listen()]):
                    sleep(0.001 * (number % 4))
                    p.close()
                    for step in range(5):
                        assert client.echo(f"{number}:{step}") == b"%d:%d" % (number, step)
        finally:
            done.set()


def test_the_pool_is_closed(server, client):
    p = client.pubsub()
    p.subscribe("a")
    settled(p)
    client.close()
    for _ in range(2):
        with pytest.raises(redis.ConnectionError, match="this pool has been closed"):
            p.get_message(timeout=1)
    p.close()


def test_repr(client):
    with client.pubsub() as p:
        p.subscribe("a", "b")
        p.psubscribe("c*")
        assert repr(p) == f"PubSub<{client.connection_pool!r}, 3 subscriptions>"


# What the server refuses.


def test_a_channel_that_is_forbidden(server, make_client, kind):
    ask(server, "ACL", "SETUSER", "listener", "on", ">secret", "resetchannels", "&open*", "+@all")
    try:
        client = make_client(**kind.options, username="listener", password="secret")
        with client.pubsub() as p:
            p.subscribe("open", "open too")
            p.psubscribe("open*")
            settled(p)
            p.subscribe("closed")
            with pytest.raises(redis.exceptions.NoPermissionError):
                p.get_message(timeout=1)
            ask(server, "PUBLISH", "open", "x")
            assert [message["type"] for message in messages(p, 2)] == ["message", "pmessage"]
            p.connection.disconnect()
            with pytest.raises(redis.exceptions.NoPermissionError):
                messages(p, 4)
            settled(p)
            ask(server, "PUBLISH", "open too", "y")
            assert [message["data"] for message in messages(p, 2)] == [kind.text("y")] * 2
    finally:
        ask(server, "ACL", "DELUSER", "listener")


def test_an_error_of_the_server_and_then_a_message(client):
    with client.pubsub() as p:
        p.subscribe("a")
        settled(p)
        p.execute_command("GET", "a")
        client.publish("a", "x")
        with pytest.raises(redis.ResponseError, match=r"(?i)allowed in this context"):
            p.get_message(timeout=1)
        assert next_message(p)["data"] == b"x"


# Making the connection anew.


def test_after_a_disconnect_everything_is_subscribed_again(r, p, kind):
    heard = []
    p.subscribe("plain", bär=heard.append)
    p.psubscribe("p*", **{"q*": heard.append})
    p.ssubscribe("s", shard=heard.append)
    settled(p)
    p.unsubscribe("plain")
    p.subscribe("plain")
    settled(p)
    p.connection.disconnect()
    assert {message["type"] for message in messages(p, 6)} == {"subscribe", "psubscribe", "ssubscribe"}
    for channel in ("b\xe4r", "q1"):
        r.publish(channel, "x")
    r.spublish("shard", "x")
    handle(p, lambda: len(heard) == 3)
    r.publish("plain", "y")
    assert [message["type"] for message in messages(p, 2)] == ["message", "pmessage"]


def test_somebody_else_connects_it(client):
    """Not only closed, but connected again, with nothing subscribed on it."""
    with client.pubsub(reconnect_messages=True) as p:
        p.subscribe("a")
        settled(p)
        p.connection.disconnect()
        p.connection.connect()
        assert [message["type"] for message in messages(p, 2)] == ["reconnect", "subscribe"]
        p.connection.disconnect()
        p.connection.connect()
        p.subscribe("b")
        until(lambda: client.publish("b", "x") == 1)
        assert client.publish("a", "x") == 1


@pytest.mark.parametrize("send", ["subscribe", "unsubscribe", "ping"])
def test_a_connection_that_was_lost_while_nobody_read(server, client, send):
    """Whatever is sent next finds it, makes it anew, and nothing is forgotten."""
    with client.pubsub() as p:
        p.subscribe("a", "b")
        p.psubscribe("c*")
        settled(p)
        ask(server, "CLIENT", "KILL", "TYPE", "pubsub")
        until(lambda: b"cmd=subscribe" not in ask(server, "CLIENT", "LIST"))
        for _ in range(2):  # the first may still be sent into the void
            getattr(p, send)("b")
            sleep(0.02)
        heard = [p.get_message(timeout=0.1) for _ in range(8)]
        assert client.publish("a", "x") == 1
        assert client.publish("b", "x") == (0 if send == "unsubscribe" else 1)
        assert client.publish("cc", "x") == 1
        if send == "ping":
            assert message_of("pong", data=b"b") in heard


def test_unsubscribed_while_the_connection_was_lost(client):
    with client.pubsub() as p:
        p.subscribe("a", "b")
        settled(p)
        p.connection.disconnect()
        p.unsubscribe("a")
        assert set(p.channels) == {b"b"}
        assert messages(p, 1) == [message_of("subscribe", None, b"b", 1)]
        p.connection.disconnect()
        p.unsubscribe()
        assert not p.subscribed
        assert list(p.listen()) == []


def test_the_first_connection_cannot_be_made(make_client):
    with FakeNode() as node:
        client = make_client(port=node.port, lib_name=None, lib_version=None, password="x", socket_timeout=1)
        node.script("AUTH", turn_away("ERR not now"), answer)
        with client.pubsub(reconnect_messages=True) as p:
            with pytest.raises(redis.ResponseError, match="not now"):
                p.subscribe("a")
            assert p.subscribed
            node.script("SUBSCRIBE", raw(b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"))
            assert next_message(p) == message_of("subscribe", None, b"a", 1), "there was no gap: it never held before"


def test_bytes_that_are_no_frame(make_client, kind):
    good = b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
    with FakeNode() as node:
        node.script("SUBSCRIBE", raw(b"garbage\r\n"), raw(good))
        with make_client(port=node.port, **kind.options).pubsub() as p:
            p.subscribe("a")
            with pytest.raises(redis.InvalidResponse):
                p.get_message(timeout=1)
            assert next_message(p)["type"] == "subscribe"


def test_a_server_that_closes_at_once_is_an_error_and_no_endless_loop(make_client):
    with FakeNode() as node:
        node.always("SUBSCRIBE", lambda link, execute: link.close())
        with make_client(port=node.port).pubsub() as p:
            with pytest.raises(redis.ConnectionError):
                p.subscribe("a")
                p.get_message(timeout=None)
            assert len(node.links) <= 3
            node.always("SUBSCRIBE", raw(b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"))
            assert next_message(p)["type"] == "subscribe"


# Other threads.


@pytest.mark.parametrize("kind", [KINDS[0], KINDS[-1]])
def test_others_subscribe_and_unsubscribe_while_one_reads(make_client, transport, kind):
    client = make_client(**transport.options, **kind.options)
    done = threading.Event()
    gaps = []
    with client.pubsub(ignore_subscribe_messages=True, on_reconnect=gaps.append) as p:
        p.subscribe("always")

        def read():
            while not done.is_set():
                assert p.get_message(timeout=0.05) is None

        def work(number):
            for step in range(400):
                p.subscribe(f"{number}:{step % 7}")
                p.psubscribe(f"{number}:p{step % 3}*")
                p.unsubscribe(f"{number}:{step * 3 % 7}")
                p.punsubscribe(f"{number}:p{step % 2}*")
            p.subscribe(f"{number}:kept")

        with thread(read):
            with contextlib.ExitStack() as workers:
                for number in range(3):
                    workers.enter_context(thread(lambda number=number: work(number)))
            until(lambda: not p._leaving and ask(transport.server, "PUBSUB", "NUMPAT") == len(p.patterns))
            sleep(0.2)
            done.set()
        on_server = {kind.value(name) for name in ask(transport.server, "PUBSUB", "CHANNELS")}
        assert on_server == set(p.channels)
        assert {kind.text(f"{number}:kept") for number in range(3)} < on_server
        assert ask(transport.server, "PUBSUB", "NUMPAT") == len(p.patterns)
        assert p._leaving == set()
    assert gaps == [], "nothing was lost, so nothing needed to be made anew"


def test_others_subscribe_while_the_connection_is_killed_again_and_again(server, client):
    """Nothing that was asked for may be forgotten, whoever finds the connection lost; who reads makes it anew."""
    done = threading.Event()
    connecting = []

    class Watched(PubSub):
        def on_connect(self, connection):
            connecting.append(threading.current_thread())
            super().on_connect(connection)

    with Watched(client.connection_pool, ignore_subscribe_messages=True) as p:
        p.subscribe("always")

        def read():
            while not done.is_set():
                assert p.get_message(timeout=0.05) is None

        def work(number):
            for step in range(300):
                p.subscribe(f"{number}:{step % 5}", f"{number}:kept {step % 11}")
                p.unsubscribe(f"{number}:{step % 5}")
                sleep(0.001)

        with thread(read) as reader:
            until(lambda: p._reading is not None)
            with thread(lambda: work(1)), thread(lambda: work(2)):
                for _ in range(40):
                    ask(server, "CLIENT", "KILL", "TYPE", "pubsub")
                    sleep(0.01)
            until(lambda: {name.decode() for name in ask(server, "PUBSUB", "CHANNELS")} == wanted(p))
            done.set()
        assert len(p.channels) == 23
        # Between two reads nobody reads: another may come first then, but that is rare.
        assert connecting.count(reader) > len(connecting) / 2


def wanted(pubsub):
    return {name.decode() for name in list(pubsub.channels)}


# Pools and connections of others.


class SmallConnection:
    """As little as a connection of the user's needs to have: what it does, one of ours does for it."""

    description_format = "SmallConnection<>"

    def __init__(self, **options):
        self.inner = Connection(parser_class=PythonParser, **options)
        self.pid = self.inner.pid

    def connect(self):
        self.inner.connect()

    def disconnect(self):
        self.inner.disconnect()

    def send_command(self, *args):
        self.inner.send_command(*args)

    def can_read(self, timeout=0):
        return self.inner.can_read(timeout)

    def read_response(self):
        return self.inner.read_response()


def test_a_connection_class_of_the_users(server, make_client):
    pool = ConnectionPool(SmallConnection, host=server.host, port=server.port)
    client = make_client(connection_pool=pool)
    with client.pubsub() as p:
        p.subscribe("a")
        settled(p)
        assert client.publish("a", "x") == 1
        assert next_message(p) == message_of("message", None, b"a", b"x")
    pool.disconnect(immediate=True)


def test_a_pool_of_the_users(server, make_client):
    class Pool:
        """Lends a connection and remembers what came back."""

        def __init__(self):
            self.back = []

        def get_connection(self, name, *keys, **options):
            assert name == "pubsub"
            return Connection(host=server.host, port=server.port)

        def release(self, connection):
            self.back.append(connection)

    pool = Pool()
    client = make_client(connection_pool=pool)
    with client.pubsub() as p:
        p.subscribe("a")
        settled(p)
        connection = p.connection
    assert pool.back == [connection]
    assert connection._sock is None


def test_made_by_hand(server, client):
    """As programs make it that import the class."""
    with PubSub(client.connection_pool, None, True) as p:
        p.subscribe("a")
        assert p.get_message(timeout=1) is None
        assert client.publish("a", "x") == 1
        assert next_message(p)["data"] == b"x"


def test_redis_7_says_the_same(redis7, make_client, kind):
    client = make_client(host=redis7.host, port=redis7.port, **kind.options)
    with client.pubsub() as p:
        p.subscribe("a")
        p.psubscribe("a*")
        p.ssubscribe("a")
        assert [message["data"] for message in messages(p, 3)] == [1, 2, 1]
        p.ping("x")
        client.publish("a", "y")
        types = ["pong", "message", "pmessage"]
        assert [message["type"] for message in messages(p, 3)] == types


def test_a_restarted_server(make_client):
    with standalone(port=free_port()) as own:
        client = make_client(port=own.port)
        with client.pubsub(reconnect_messages=True) as p:
            p.subscribe("a")
            settled(p)
            own.stop()
            with pytest.raises(redis.ConnectionError):
                p.get_message(timeout=1)
            with pytest.raises(redis.ConnectionError):
                p.get_message(timeout=1)
            own.start()
            assert [message["type"] for message in messages(p, 2)] == ["reconnect", "subscribe"]
            client.publish("a", "x")
            assert next_message(p)["data"] == b"x"
