"""redis/execution.py: how a command is executed, both ways, and what happens when something goes wrong."""

import signal
import threading
import time
import traceback

import pytest

from redis.client import StrictRedis
from redis.connection.pool import BlockingConnectionPool, ConnectionPool
from redis.exceptions import (
    ConnectionError,
    DataError,
    InvalidResponse,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
)
from redis.execution import takes_short_way
from redis.protocol.packer import Token
from tests.connection.doubles import Classic
from tests.connection.pair import meanwhile
from tests.faults.fakenode import (
    ACCEPT,
    FakeNode,
    answer,
    close,
    drop,
    half,
    hold,
    raw,
    refuse,
    reset,
    shut,
    silent,
    turn_away,
)


@pytest.fixture(params=[StrictRedis, Classic], ids=["short", "classic"])
def cls(request):
    return request.param


@pytest.fixture
def node():
    with FakeNode() as running:
        yield running


@pytest.mark.parametrize("action", [close, half, reset], ids=lambda action: action.__name__)
def test_a_write_is_not_sent_twice(node, cls, action):
    with cls(**node.options) as client:
        client.ping()
        node.script("INCRBY", action)
        with pytest.raises(ConnectionError) as caught:
            client.incr("n")
        assert (caught.value.maybe_applied, caught.value.phase) == (True, "recv")
        assert client.get("n") == b"1"
    assert node.count("INCRBY") == 1


@pytest.mark.parametrize("action", [close, half, reset], ids=lambda action: action.__name__)
def test_a_read_is_sent_once_more(node, cls, action):
    with cls(**node.options) as client:
        client.set("k", "v")
        node.script("GET", action)
        assert client.get("k") == b"v"
        node.script("GET", action, action)
        with pytest.raises(ConnectionError) as caught:
            client.get("k")
        assert caught.value.maybe_applied is True
        assert client.get("k") == b"v"
    assert node.count("GET") == 5


def test_an_unknown_command_is_not_taken_for_read_only(node, cls):
    node.store.do_mystery = node.store.do_ping
    with cls(**node.options) as client:
        node.script("MYSTERY", close)
        with pytest.raises(ConnectionError):
            client.execute_command("MYSTERY")
    assert node.count("MYSTERY") == 1


def test_a_second_attempt_that_cannot_be_sent_still_tells_that_the_first_may_have_been(node):
    with StrictRedis(**node.options) as client:
        client.ping()
        node.script("GET", lambda link, execute: (shut(node.listener), link.close()))
        with pytest.raises(ConnectionError) as caught:
            client.get("k")
        assert (caught.value.attempt, caught.value.maybe_applied) == (2, True)


def test_a_time_out_is_sent_again_only_where_the_user_said_so(node, cls):
    with cls(**node.options, socket_timeout=0.1) as client:
        node.script("GET", silent)
        with pytest.raises(TimeoutError):
            client.get("k")
    with cls(**node.options, socket_timeout=0.1, retry_on_timeout=True) as client:
        node.script("INCRBY", silent)
        assert client.incr("n") == 2


def test_the_errors_tell_their_circumstances(node, cls):
    address = f"127.0.0.1:{node.port}"
    node.script("SET", refuse("ERR no"))
    with cls(**node.options) as client:
        with pytest.raises(ResponseError) as caught:
            client.set("k", "v")
        error = caught.value
        assert str(error) == "no"
        assert (error.command, error.address, error.phase, error.attempt) == ("SET", address, "recv", 1)
        node.script("SET", close)
        with pytest.raises(ConnectionError) as caught:
            client.set("k", "v")
        error = caught.value
        assert (error.command, error.address, error.phase, error.attempt) == ("SET", address, "recv", 1)
        assert f"SET at {address}, attempt 1, after 0.0" in str(error)
        assert str(error).endswith(" s: it may have been applied)")
        assert 0 < error.elapsed < 5
        assert isinstance(error.__cause__, OSError)


def test_the_errors_of_what_is_no_reply_tell_theirs(node, cls):
    node.script("SET", raw(b"?\r\n"))
    with cls(**node.options) as client:
        with pytest.raises(InvalidResponse) as caught:
            client.set("k", "v")
        error = caught.value
        assert (error.command, error.address, error.phase) == ("SET", f"127.0.0.1:{node.port}", "recv")
        assert error.maybe_applied is True
        assert client.set("k", "v") is True


def test_no_error_shows_a_value(node):
    with StrictRedis(**node.options, password="hidden-password", socket_timeout=0.1) as client:
        client.ping()
        node.script("SET", silent)
        with pytest.raises(TimeoutError) as caught:
            client.set("k", "hidden-value")
        assert "hidden" not in "".join(traceback.format_exception(caught.value)).replace('"hidden-value"', "")


def test_interruption_while_a_reply_is_awaited(node, cls):
    def interrupt(link, execute):
        execute()
        raise_in_main.set()

    raise_in_main = threading.Event()
    node.script("INCRBY", interrupt)
    with cls(**node.options) as client:
        client.set("k", "v")
        main = threading.main_thread().ident

        def kick():
            raise_in_main.wait(5)
            signal.pthread_kill(main, signal.SIGINT)

        with meanwhile(kick), pytest.raises(KeyboardInterrupt):
            client.incr("n")
        assert client.get("k") == b"v"
        assert len(client.connection_pool._available_connections) == 1
    assert node.count("INCRBY") == 1


def test_reentry_gets_a_connection_of_its_own(node):
    """As a signal handler that uses the client in the middle of a command."""
    with StrictRedis(**node.options) as client:
        client.set("k", "v")
        connection = client.connection_pool._available_connections[0]
        recv = connection._recv
        inner = []

        def reenter(size):
            connection._recv = recv
            inner.append(client.get("k"))
            return recv(size)

        connection._recv = reenter
        assert client.incr("n") == 1
        assert inner == [b"v"]
        assert len(client.connection_pool._available_connections) == 2


def test_threads_share_a_client(node, cls):
    with cls(connection_pool=BlockingConnectionPool(2, host="127.0.0.1", port=node.port)) as client:
        threads = [threading.Thread(target=lambda: [client.incr("n") for _ in range(25)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert client.get("n") == b"100"
        client.connection_pool.close()


def test_disconnect_under_load_is_one_clear_class_of_error(server, cls):
    client, wrong, stop = cls(server.host, server.port), [], threading.Event()
    client.set("k", "v")

    def work():
        while not stop.is_set():
            try:
                if client.get("k") != b"v":
                    wrong.append("value")
            except ConnectionError:
                pass
            except BaseException as error:
                wrong.append(repr(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for immediate in (True, False) * 100:
        client.connection_pool.disconnect(immediate=immediate)
        time.sleep(0.001)
    stop.set()
    for thread in threads:
        thread.join(10)
    client.close()
    assert wrong == []


def test_a_readonly_server_heals(node, cls):
    with cls(**node.options) as client:
        client.set("k", "v")
        node.script("SET", refuse("READONLY You can't write against a read only replica."))
        with pytest.raises(ReadOnlyError):
            client.set("k", "v")
        node.script("SET", answer)
        assert client.set("k", "w") is True
        assert len(node.links) == 2


def test_the_short_way_is_for_what_is_ours():
    assert takes_short_way(StrictRedis, ConnectionPool())
    assert not takes_short_way(Classic, ConnectionPool())


# Commands


@pytest.mark.parametrize(
    "name",
    ["GET", "get", b"GET", bytearray(b"GET"), memoryview(b"get"), Token("GET")],
    ids=lambda name: f"{type(name).__name__}-{str(name)[:3]}" if not isinstance(name, memoryview) else "memoryview",
)
def test_a_name_in_any_form(make_client, cls, name):
    client = make_client(cls)
    client.set("k", "v")
    assert client.execute_command(name, "k") == b"v"


@pytest.mark.parametrize(
    "name", ["CONFIG GET", "config get", b"CONFIG GET", Token("CONFIG GET"), bytearray(b"CONFIG GET")], ids=repr
)
def test_a_name_of_two_words_in_any_form(make_client, cls, name):
    found = make_client(cls).execute_command(name, "maxmemory")
    assert found in ({"maxmemory": "0"}, [b"maxmemory", b"0"])


@pytest.mark.parametrize("args", [(), ("",), (" ",), ("GET k",), ("SET k v",), (b"NO SUCH", "x"), (None, "k")], ids=str)
def test_what_is_no_command(make_client, cls, args):
    client = make_client(cls)
    with pytest.raises(RedisError):
        client.execute_command(*args)
    assert client.ping() is True


@pytest.mark.parametrize("args", [(["GET", "k"],), ({"GET": 1},)], ids=str)
def test_words_that_were_not_spread(cls, args):
    with pytest.raises(DataError):
        cls().execute_command(*args)


def test_a_command_that_does_not_block_has_no_time_of_its_own(make_client, cls):
    client = make_client(cls, socket_timeout=0.1)
    start = time.monotonic()
    assert client.blpop("none", timeout=0.4) is None
    assert 0.3 < time.monotonic() - start < 1.5


def test_replies_that_stay_bytes(make_client, cls):
    client = make_client(cls, decode_responses=True)
    client.set("k", b"\xff" * 10)
    dumped = client.dump("k")
    assert isinstance(dumped, bytes)
    client.restore("other", 0, dumped)
    assert client.dump("other") == dumped
    with pytest.raises(UnicodeDecodeError):
        client.get("k")
    assert client.ping() is True


def test_text_as_the_options_say(make_client, kind):
    client = make_client(encoding="latin-1", encoding_errors="replace", **kind.options)
    client.set("k", "é€")
    assert make_client().get("k") == b"\xe9?"
    assert client.get("k") == ("é?" if kind.decode_responses else b"\xe9?")


# What is true of the first attempt is not forgotten by the second


SECOND = {
    "dropped": lambda node: node.always(ACCEPT, drop),
    "turned away": lambda node: node.always(ACCEPT, turn_away("ERR max number of clients reached")),
    "loading": lambda node: node.script("INCRBY", hold, refuse("LOADING busy")),
}


@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("how", ["command", "pipeline"])
def test_a_second_attempt_does_not_deny_what_the_first_may_have_done(node, cls, how, second):
    with cls(**node.options, socket_timeout=0.2, retry_on_timeout=True) as client:
        client.set("k", "v")
        node.script("INCRBY", hold)
        SECOND[second](node)
        with pytest.raises((ConnectionError, TimeoutError)) as caught:
            client.incr("n") if how == "command" else client.pipeline(transaction=False).incr("n").execute()
        assert node.count("INCRBY") >= 1
        assert caught.value.maybe_applied is True
        assert "it was not applied" not in str(caught.value)


@pytest.mark.parametrize("timeout", [1e300, float("nan"), -1])
def test_a_time_out_that_no_server_takes(make_client, cls, timeout):
    client = make_client(cls, socket_timeout=1)
    with pytest.raises(ResponseError):
        client.execute_command("BLPOP", "k", timeout)
    assert client.ping() is True
