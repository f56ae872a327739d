"""A reply never reaches another call, wherever an exception lands."""

from __future__ import annotations

import builtins
import errno
import threading
from contextlib import suppress
from functools import partial
from time import monotonic, sleep

import pytest

import redis
from tests.faults.conftest import LEFT_TO_FINALIZER, SOAK, needs_second_shot, settle, sound
from tests.faults.fakenode import answer, silent, slowly
from tests.faults.interrupt import INSTRUCTION, LINE, Interrupted, interruptions, throw
from tests.faults.storm import LONGEST, storm
from tests.servers import ask

pytestmark = LEFT_TO_FINALIZER

KEYS = 50
#: Of a storm: how long it rages at least, and how many calls must have been answered, and interrupted.
SECONDS, ANSWERED, INTERRUPTED = (20, 100_000, 2000) if SOAK else (1, 1000, 50)


def eagain() -> OSError:
    return BlockingIOError(errno.EAGAIN, "raised by a handler")


def our_own() -> Exception:
    return redis.ConnectionError("raised by a handler")


#: What a handler may raise: nothing that the client can mistake for an outcome of its socket.
RAISED = [Interrupted, KeyboardInterrupt, lambda: builtins.TimeoutError("by a handler"), eagain, our_own]


@pytest.fixture
def keys(transport) -> dict[str, bytes]:
    """Keys of known values."""
    values = {f"key:{number}": b"value of %d" % number for number in range(KEYS)}
    for key, value in values.items():
        ask(transport.server, "SET", key, value)
    return values


def test_get_interrupted_at_every_line_far_from_the_server(keys, proxy, make) -> None:
    proxy.delay(0.005)
    client = make(**proxy.options)
    for run in interruptions(lambda: client.get("key:1"), LINE):
        other = f"key:{2 + run.point % 40}"
        assert client.get(other) == keys[other], run
        assert run.error in (run.raised, None), run
        assert sound(client.connection_pool), run


@pytest.mark.parametrize("connected", [True, False])
def test_get_interrupted_at_every_instruction(keys, transport, make, connected: bool) -> None:
    client = make(**transport.options)
    pool, step = client.connection_pool, 1 if connected else 11
    prepare = bool if connected else partial(pool.disconnect, immediate=True)
    for run in interruptions(lambda: client.get("key:1"), INSTRUCTION, prepare=prepare, step=step):
        other = f"key:{2 + run.point % 40}"
        assert client.get(other) == keys[other], run
        assert run.error in (run.raised, None), run
        assert sound(pool), run
    assert settle(pool) == 1


def test_get_interrupted_at_every_line_of_connecting_too(keys, transport, make) -> None:
    client = make(**transport.options)
    for run in interruptions(lambda: client.get("key:1"), LINE, prepare=client.connection_pool.disconnect):
        other = f"key:{2 + run.point % 40}"
        assert client.get(other) == keys[other], run
        assert sound(client.connection_pool), run


@pytest.mark.parametrize("make_error", RAISED, ids=["private", "keyboard", "timeout", "eagain", "ours"])
def test_incr_interrupted_at_every_instruction(transport, make, make_error) -> None:
    client = make(**transport.options, max_connections=2)
    client.set("n", 0)
    before = 0
    for run in interruptions(lambda: client.incr("n"), INSTRUCTION, make=make_error):
        assert client.echo("mine") == b"mine", run
        now = int(client.get("n"))
        assert before <= now <= before + 1, run
        assert run.error in (run.raised, None), run
        assert sound(client.connection_pool), run
        before = now
    assert settle(client.connection_pool) <= 2


def test_exchange_interrupted_at_every_instruction(transport, make) -> None:
    """A name that is not spelt as the methods spell it takes the long way."""
    client = make(**transport.options)
    client.set("n", 0)
    before = 0
    for run in interruptions(lambda: client.execute_command(b"incr", "n"), INSTRUCTION, step=2):
        assert client.execute_command("echo", "mine") == b"mine", run
        now = int(client.get("n"))
        assert before <= now <= before + 1, run
        assert sound(client.connection_pool), run
        before = now


def test_an_error_of_the_server_interrupted_at_every_instruction(keys, transport, make) -> None:
    client = make(**transport.options)

    def refused() -> None:
        with pytest.raises(redis.ResponseError):
            client.execute_command("INCR", "key:1")

    for run in interruptions(refused, INSTRUCTION):
        assert client.get("key:2") == keys["key:2"], run
        assert sound(client.connection_pool), run


def test_disconnect_interrupted_at_every_instruction(keys, transport, make) -> None:
    client = make(**transport.options)
    pool = client.connection_pool
    for run in interruptions(lambda: pool.disconnect(immediate=True), INSTRUCTION, prepare=lambda: client.get("key:1")):
        assert client.get("key:2") == keys["key:2"], run
        assert sound(pool), run
    assert settle(pool) == 1


@needs_second_shot
@pytest.mark.parametrize("again", [1, 2, 3, 5])
def test_interrupted_twice(keys, transport, make, again: int) -> None:
    """What handles the first exception is interrupted by the second: no handler has to have run."""
    client = make(**transport.options)
    for run in interruptions(lambda: client.get("key:1"), LINE, again=again):
        assert client.get("key:2") == keys["key:2"], run
        assert sound(client.connection_pool), run


def test_interrupted_where_a_time_out_is_dealt_with(node, make) -> None:
    """The answer is still under way while its connection is closed, and nobody looks: it has not been idle for long."""
    if node.context:
        pytest.skip("TLS shakes hands longer than the time-out of this test")
    client = make(**node.options, socket_timeout=0.03)
    for key in "ab":
        node.store.values[0][key.encode()] = key.upper().encode()
    node.always("GET", slowly(0.045))
    for run in interruptions(lambda: late_get(client), LINE):
        del node.rules["GET"]
        with suppress(redis.TimeoutError):  # of a busy machine
            assert client.get("b") == b"B", run
        assert sound(client.connection_pool), run
        node.always("GET", slowly(0.045))


def late_get(client: redis.StrictRedis) -> None:
    """Return when a GET has timed out; on a busy machine the answer may be in time."""
    with suppress(redis.TimeoutError):
        while client.get("a") == b"A":
            pass


def test_interrupted_while_an_idle_connection_is_looked_at(keys, transport, make) -> None:
    client = make(**transport.options)

    def rest() -> None:
        client.get("key:1")
        client.connection_pool._available_connections[-1].used -= 1

    for run in interruptions(lambda: client.get("key:1"), INSTRUCTION, prepare=rest):
        assert client.get("key:2") == keys["key:2"], run


def test_an_error_thrown_into_the_thread_is_no_outcome(node, make) -> None:
    """It has neither a number nor a traceback of its own, and comes when the socket call returns."""
    client = make(**node.options, socket_timeout=2)
    client.ping()
    node.script("INCR", slowly(0.1))
    seen: list[BaseException] = []

    def work() -> None:
        try:
            client.execute_command("INCR", "n")
        except BaseException as error:
            seen.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    sleep(0.05)
    throw(thread.ident, ConnectionResetError)
    thread.join()
    assert [type(error) for error in seen] == [ConnectionResetError]
    assert node.count("INCR") == 1
    assert client.echo("mine") == b"mine"


def test_storm_of_signals(keys, transport, make) -> None:
    client = make(**transport.options, max_connections=3)
    names, wrong, answered, interrupted, end = list(keys), 0, 0, 0, monotonic() + SECONDS
    # Shaking hands over TLS takes longer than an ordinary storm allows.
    with storm(longest=0.01 if transport.name == "tls" else LONGEST) as weather:
        while monotonic() < end or answered < ANSWERED or interrupted < INTERRUPTED:
            key = names[(answered + interrupted) % KEYS]
            try:
                value = client.get(key)
            except Interrupted:
                interrupted += 1
                continue
            wrong += value != keys[key]
            answered += 1
    assert wrong == 0
    assert answered >= ANSWERED and weather.strikes >= interrupted >= INTERRUPTED
    assert sound(client.connection_pool)
    assert settle(client.connection_pool) <= 3
    assert [client.get(key) for key in keys] == list(keys.values())


def test_bytes_one_by_one(keys, proxy, make) -> None:
    proxy.replies.split = proxy.requests.split = True
    client = make(**proxy.options)
    assert [client.get(key) for key in list(keys)[:5]] == list(keys.values())[:5]
    assert client.mget(list(keys)[:7]) == list(keys.values())[:7]


def test_a_reply_that_comes_too_late_is_nobodys(node, client) -> None:
    client.set("a", "A")
    client.set("b", "B")
    node.script("GET", slowly(0.5))
    with pytest.raises(redis.TimeoutError):
        client.get("a")
    assert client.get("b") == b"B"
    node.script("GET", silent, answer)
    with pytest.raises(redis.TimeoutError):
        client.get("a")
    assert [client.get(key) for key in "ba"] == [b"B", b"A"]


def test_threads_get_their_own(keys, transport, make) -> None:
    client = make(**transport.options)
    wrong: list[str] = []

    def work(start: int) -> None:
        for number in range(200):
            key = f"key:{(start + number) % KEYS}"
            if client.get(key) != keys[key]:
                wrong.append(key)

    threads = [threading.Thread(target=work, args=(7 * start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sound(client.connection_pool) and settle(client.connection_pool) <= 8


def test_a_command_in_the_middle_of_a_command_gets_another_connection(keys, transport, make) -> None:
    """A signal handler may use the client that it interrupts."""
    client = make(**transport.options)
    seen = []

    class Nosy:
        """Is asked for its text while the outer command is being packed, and looks into the server itself."""

        def __str__(self) -> str:
            seen.append(client.get("key:3"))
            return "key:4"

    assert client.get(Nosy()) == keys["key:4"]
    assert seen == [keys["key:3"]]


def test_given_back_in_the_middle_of_a_command(keys, transport, make) -> None:
    client = make(**transport.options)
    pool = client.connection_pool
    connection = pool.get_connection("GET")
    connection.send_command("GET", "key:1")
    pool.release(connection)
    assert client.get("key:2") == keys["key:2"]
    assert pool._created_connections == 1


def test_a_connection_that_owes_refuses_another_command(keys, transport, make) -> None:
    pool = make(**transport.options).connection_pool
    connection = pool.get_connection("GET")
    connection.send_command("GET", "key:1")
    with pytest.raises(redis.RedisError, match="in the middle of a command"):
        connection.call(b"*1\r\n$4\r\nPING\r\n")
    assert connection.read_response() == keys["key:1"]
    pool.release(connection)


def test_pipeline_interrupted_at_every_line(transport, make) -> None:
    client = make(**transport.options)
    client.set("a", "A")
    before = 0
    for run in interruptions(lambda: client.pipeline(transaction=False).incr("n").get("a").execute(), LINE):
        assert client.mget("a", "none") == [b"A", None], run
        now = int(client.get("n") or 0)
        assert before <= now <= before + 1, run
        assert sound(client.connection_pool), run
        before = now
