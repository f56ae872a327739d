"""Not sent means not sent: it is said, and a write is tried again on a new connection without anyone noticing."""

from __future__ import annotations

import subprocess
import sys
import threading
from time import sleep

import pytest

import redis
from tests.faults.fakenode import ACCEPT, Execute, FakeNode, Link, RefusingPort, close, refuse, reset, turn_away


@pytest.fixture
def quick(node, make):
    """A client whose handshake is one AUTH or HELLO and one SELECT."""
    return make(**node.options, password="secret", db=1, socket_timeout=2)


def test_refused(make) -> None:
    with RefusingPort() as port, pytest.raises(redis.ConnectionError) as caught:
        make(host="127.0.0.1", port=port).incr("n")
    assert caught.value.maybe_applied is False
    assert isinstance(caught.value, ConnectionError)


def test_no_such_socket(make, tmp_path) -> None:
    with pytest.raises(redis.ConnectionError) as caught:
        make(unix_socket_path=str(tmp_path / "nobody.sock")).incr("n")
    assert caught.value.maybe_applied is False


def test_a_certificate_that_cannot_be_trusted(certificates, tls_server, make) -> None:
    client = make(host=tls_server.host, port=tls_server.port, ssl=True, ssl_ca_certs=certificates.ca_file)
    with pytest.raises(redis.ConnectionError) as caught:
        client.incr("n")
    assert caught.value.maybe_applied is False


def test_plain_words_to_a_port_that_speaks_tls(tls_server, make) -> None:
    with pytest.raises(redis.RedisError) as caught:
        make(host=tls_server.host, port=tls_server.port, db=1, socket_timeout=2).incr("n")
    assert caught.value.maybe_applied is False


@pytest.mark.parametrize("befalls", ["close", "reset"])
def test_a_stale_idle_socket(node, client, befalls: str) -> None:
    for number in range(1, 4):
        assert client.incr("n") == number
        node.links[-1].reset() if befalls == "reset" else node.close_links()
        sleep(0.07)
    assert node.count("INCRBY") == 3


@pytest.mark.parametrize("greeting", ["AUTH", "HELLO", "SELECT", ACCEPT])
@pytest.mark.parametrize("action", [close, reset, turn_away("ERR max number of clients reached")])
def test_a_handshake_that_fails_once(node, quick, greeting: str, action) -> None:
    node.script(greeting, action)
    try:
        assert quick.incr("n") == 1
    except redis.RedisError as error:
        assert getattr(error, "maybe_applied", False) is False
        assert node.count("INCRBY") == 0
        assert quick.incr("n") == 1
    assert node.count("INCRBY") == 1


def test_a_lost_handshake_is_tried_again_in_silence(node, quick) -> None:
    for action in (close, reset):
        quick.connection_pool.disconnect()
        node.script("SELECT", action)
        quick.incr("n")
    assert node.count("INCRBY") == 2


def test_a_handshake_that_is_lost_twice(node, quick) -> None:
    node.script("SELECT", close, close)
    with pytest.raises(redis.ConnectionError) as caught:
        quick.incr("n")
    assert caught.value.maybe_applied is False
    assert node.count("INCRBY") == 0


@pytest.mark.parametrize("text", ["LOADING Redis is loading", "READONLY You can't write against a read only replica."])
def test_the_server_said_that_it_did_not(node, client, text: str) -> None:
    client.ping()
    node.script("INCRBY", refuse(text), refuse(text))
    with pytest.raises(redis.RedisError) as caught:
        client.incr("n")
    assert getattr(caught.value, "maybe_applied", False) is False
    assert node.count("INCRBY") == 0


def test_a_large_command_that_left_in_part(node, make) -> None:
    """The server has a part of the command, and cannot have executed it."""
    client = make(**node.options, socket_timeout=0.5)
    client.ping()
    link = node.links[0]
    with node.lock:  # the node takes nothing more: it waits for the lock with the first command
        threading.Thread(target=lambda: (sleep(0.2), link.reset())).start()
        holder = make(**node.options, socket_timeout=0.1)
        with pytest.raises(redis.RedisError):
            holder.ping()
        try:
            client.execute_command("ECHO", b"x" * 50_000_000)
        except redis.RedisError as error:
            assert error.maybe_applied is False
    assert node.count("ECHO") == 0


BROKEN_PIPE = """
import signal, sys, time
import redis, redis.execution
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
redis.execution.LOOK = 1000
client = redis.StrictRedis(unix_socket_path=sys.argv[1])
print(client.incr("n"))
client.execute_command("ECHO", "close")
time.sleep(0.2)
print(client.incr("n"))
"""


def test_a_broken_pipe_kills_nobody(tmp_path) -> None:
    """Not even a program that wants SIGPIPE to end it; and nothing was sent, so it is sent again."""
    with FakeNode(str(tmp_path / "node.sock")) as node:
        node.script("ECHO", answer_and_close)
        program = [sys.executable, "-c", BROKEN_PIPE, node.path]
        ended = subprocess.run(program, capture_output=True, text=True, timeout=20, check=False)
    assert (ended.returncode, ended.stdout.split()) == (0, ["1", "2"]), ended.stderr


def answer_and_close(link: Link, execute: Execute) -> None:
    link.write(execute())
    link.close()


def test_full_pool(node: FakeNode, make) -> None:
    client = make(**node.options, max_connections=1)
    held = client.connection_pool.get_connection("PING")
    with pytest.raises(redis.ConnectionError, match="Too many connections") as caught:
        client.incr("n")
    assert caught.value.maybe_applied is False
    client.connection_pool.release(held)
    assert client.incr("n") == 1
