"""The commands on the server itself: what comes back from a real server."""

import time
from datetime import datetime

import pytest

from redis.exceptions import ResponseError
from tests.recorder import sent


def test_config(r):
    assert r.config_get("port") == {"port": str(r.connection_pool.connection_kwargs["port"])}
    assert r.config_get("no such parameter") == {}
    assert r.config_set("hz", 20) is True
    assert r.config_get("hz", "databases") == {"hz": "20", "databases": "16"}
    assert r.config_set("hz", 10, "lfu-decay-time", 1) is True
    assert r.config_get()["hz"] == "10"
    with pytest.raises(ResponseError, match="Unknown option"):
        r.config_set("no such parameter", 1)


def test_the_words_of_config():
    assert sent(lambda client: client.config_get()) == ("CONFIG GET", "*")
    assert sent(lambda client: client.config_get("a", "b")) == ("CONFIG GET", "a", "b")
    assert sent(lambda client: client.config_set("a", 1, "b", 2)) == ("CONFIG SET", "a", 1, "b", 2)


def test_size_and_flush(r):
    assert r.dbsize() == 0
    r.set("k", 1)
    assert r.dbsize() == 1
    assert r.flushdb() is True
    assert r.dbsize() == 0
    r.set("k", 1)
    assert r.flushall() is True
    assert r.dbsize() == 0
    assert r.flushdb(asynchronous=True) is True
    assert r.flushall(asynchronous=True) is True


def test_the_words_of_flush():
    assert sent(lambda client: client.flushdb()) == ("FLUSHDB",)
    assert sent(lambda client: client.flushdb(asynchronous=True)) == ("FLUSHDB", b"ASYNC")
    assert sent(lambda client: client.flushall(True)) == ("FLUSHALL", b"ASYNC")


def test_info(r):
    r.set("k", 1)
    r.set("l", 1, ex=100)
    info = r.info()
    assert info["tcp_port"] == r.connection_pool.connection_kwargs["port"]
    assert info["role"] == "master"
    assert info["db0"]["keys"] == 2
    assert info["db0"]["expires"] == 1
    assert r.info("keyspace").keys() == {"db0"}
    assert {"tcp_port", "used_memory"} <= r.info("server", "memory").keys()


def test_info_in_a_charset_that_the_server_does_not_speak(make_client, kind):
    client = make_client(encoding="utf-16", **kind.options)
    assert client.info()["role"] == "master"
    assert client.config_get(b"*")["databases"] == "16"


def test_clocks(r):
    seconds, microseconds = r.time()
    assert abs(seconds - time.time()) < 5
    assert 0 <= microseconds < 1_000_000
    assert isinstance(r.lastsave(), datetime)
    assert abs((datetime.now() - r.lastsave()).total_seconds()) < 3600
