"""The commands on the server itself: what comes back from a real server."""

import time
from datetime import datetime
from pathlib import Path

import pytest

from redis.exceptions import ConnectionError, DataError, ResponseError
from tests.recorder import sent
from tests.servers import standalone, until


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


@pytest.fixture
def own(make_client, kind, tmp_path):
    """A client of each kind, and a server that nobody else uses."""
    with standalone(data_dir=tmp_path) as running:
        yield make_client(unix_socket_path=running.unix_socket, **kind.options), running


def test_counters_and_the_configuration_file(r, server):
    assert r.info("stats")["total_commands_processed"] > 2
    assert r.config_resetstat() is True
    assert r.info("stats")["total_commands_processed"] < 3
    assert r.config_set("hz", 20) is True
    assert r.config_rewrite() is True
    assert r.config_set("hz", 10) is True
    assert r.config_rewrite() is True


def test_saving(r, server):
    before = r.lastsave()
    assert r.bgsave(schedule=True) is True
    until(lambda: r.info("persistence")["rdb_bgsave_in_progress"] == 0)
    assert r.save() is True
    assert r.lastsave() >= before
    assert r.bgrewriteaof() is True
    until(lambda: r.info("persistence")["aof_rewrite_in_progress"] == 0)
    assert sent(lambda client: client.bgsave()) == ("BGSAVE",)
    assert sent(lambda client: client.bgsave(True)) == ("BGSAVE", b"SCHEDULE")


def test_swapdb(r, server, kind):
    r.set("k", "v")
    assert r.swapdb(0, 9) is True
    assert r.get("k") is None
    assert r.swapdb(0, 9) is True
    assert r.get("k") == kind.text("v")
    with pytest.raises(ResponseError, match="out of range"):
        r.swapdb(0, 99)


def test_lolwut(r):
    assert "Redis ver" in r.lolwut() or "Valkey ver" in r.lolwut()
    assert len(r.lolwut(5, 10, 2, 2).splitlines()) > 2
    assert sent(lambda client: client.lolwut(5, 10)) == ("LOLWUT", b"VERSION", 5, 10)


def test_modules(r):
    assert r.module_list() == [{"name": "lua", "ver": 1, "path": "lua", "args": []}]
    with pytest.raises(ResponseError, match="Error loading the extension"):
        r.module_load("/no/such.so", "a")
    with pytest.raises(ResponseError, match="Error loading the extension"):
        r.module_loadex("/no/such.so", {"a.b": 1}, ["c"])
    with pytest.raises(ResponseError, match="no such module"):
        r.module_unload("none")


def test_the_words_of_modules():
    assert sent(lambda client: client.module_load("/a.so", 1, 2)) == ("MODULE LOAD", "/a.so", 1, 2)
    assert sent(lambda client: client.module_loadex("/a.so")) == ("MODULE LOADEX", "/a.so")
    assert sent(lambda client: client.module_loadex("/a.so", {"x": 1, "y": 2}, ["b"])) == (
        *("MODULE LOADEX", "/a.so", b"CONFIG", "x", 1, b"CONFIG", "y", 2, b"ARGS", "b"),
    )


def test_shutdown(own):
    r, running = own
    with pytest.raises(ResponseError, match="No shutdown in progress"):
        r.shutdown(abort=True)
    r.set("k", "v")
    assert r.shutdown(save=True) is None
    until(lambda: not running.running)
    assert "dump.rdb" in {path.name for path in Path(running._data_dir).iterdir()}


def test_a_server_that_is_not_there_cannot_be_shut_down(make_client):
    with pytest.raises(ConnectionError):
        make_client(port=1).shutdown()


def test_the_words_of_shutdown():
    assert sent(lambda client: client.shutdown()) == ("SHUTDOWN",)
    assert sent(lambda client: client.shutdown(nosave=True, now=True, force=True)) == (
        *("SHUTDOWN", b"NOSAVE", b"NOW", b"FORCE"),
    )
    with pytest.raises(DataError, match="save and nosave exclude each other"):
        sent(lambda client: client.shutdown(True, True))
    with pytest.raises(DataError, match="abort excludes"):
        sent(lambda client: client.shutdown(now=True, abort=True))
