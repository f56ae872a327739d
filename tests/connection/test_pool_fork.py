"""redis/connection/pool.py: what becomes of the pools in the child of a fork."""

import os
import warnings
import weakref

import pytest

from redis.client import StrictRedis
from redis.connection import pool as module
from redis.connection.forks import forget_parents
from redis.connection.pool import ConnectionPool
from redis.connection.tcp import NEVER
from tests.connection.doubles import Dummy


def in_child(action):
    """Return what ``action()`` returns in a forked child, as text."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, str(action()).encode())
        except BaseException as error:
            os.write(writer, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        found = pipe.read()
    os.waitpid(pid, 0)
    return found


@pytest.mark.parametrize("options", [{}, {"single_connection_client": True}, {"fork_safe": False}], ids=str)
def test_a_child_has_connections_of_its_own(make_client, options):
    client = make_client(**options)
    client.set("k", "v")
    number = client.client_id()
    assert in_child(lambda: [client.get("k"), client.client_id() != number]) == "[b'v', True]"
    assert client.client_id() == number
    assert client.get("k") == b"v"


def test_a_child_does_not_end_the_sockets_of_its_parent(make_client):
    client = make_client(fork_safe=False)
    lent = client.connection_pool.get_connection()
    lent.connect()
    assert in_child(lambda: [lent._sock, lent.used == NEVER, client.connection_pool._created_connections]) == (
        "[None, True, 0]"
    )
    lent.send_command("PING")
    assert lent.read_response() == b"PONG"
    client.connection_pool.release(lent)


def test_what_a_child_does_first(node, monkeypatch):
    pool, others = ConnectionPool(host="127.0.0.1", port=node.port), ConnectionPool(Dummy)
    monkeypatch.setattr(module, "POOLS", {weakref.ref(pool): None, weakref.ref(others): None, lambda: None: None})
    one, other = pool.get_connection(), others.get_connection()
    one.connect()
    forget_parents(module.POOLS)
    assert (one._sock, one.used) == (None, NEVER)
    assert (pool._created_connections, others._created_connections) == (0, 0)
    assert others.get_connection() is not other


def test_a_single_connection_is_the_childs_own_after_a_fork(node):
    client = StrictRedis(**node.options, single_connection_client=True)
    client.ping()
    client.connection_pool.reset()
    client.connection_pool.lender.reset()
    assert client.ping() is True
    assert len(node.links) == 2
    client.close()


def test_what_was_lent_before_a_fork_is_not_taken_back_in_the_child(make_client):
    client = make_client()
    pool = client.connection_pool
    lent = pool.get_connection()
    assert in_child(lambda: [pool.release(lent), pool._available_connections]) == "[None, []]"
    pool.release(lent)
    assert pool._available_connections == [lent]


def test_a_child_of_a_class_of_the_users(make_client):
    pool = ConnectionPool(Dummy)
    lent = pool.get_connection()
    assert in_child(lambda: pool.get_connection() is not lent) == "True"


def test_what_a_single_connection_was_told_is_not_forgotten_in_silence(make_client):
    client = make_client(single_connection_client=True)
    client.execute_command("SELECT", 5)
    assert "what earlier commands had set on it" in in_child(lambda: client.get("k"))
    assert b" db=5 " in client.execute_command("CLIENT", "INFO")
