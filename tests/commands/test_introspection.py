"""What the server measures: what comes back from a real server, and what every option sends."""

import time

import pytest

from redis.commands.introspection import hotkeys_reply
from redis.exceptions import ConnectionError, DataError, ResponseError
from tests.recorder import sent
from tests.servers import ask, standalone


@pytest.fixture
def logging(server):
    """Every command is slow, and large."""
    limits = ("slowlog-log-slower-than", "commandlog-request-larger-than", "commandlog-reply-larger-than")
    for limit in limits:
        ask(server, "CONFIG", "SET", limit, 0)
    yield
    for limit, usual in zip(limits, (10_000, 1_048_576, 1_048_576)):
        ask(server, "CONFIG", "SET", limit, usual)


@pytest.fixture
def late(server):
    """Something took its time."""
    ask(server, "CONFIG", "SET", "latency-monitor-threshold", 1)
    ask(server, "LATENCY", "RESET")
    ask(server, "DEBUG", "SLEEP", 0.005)
    yield
    ask(server, "CONFIG", "SET", "latency-monitor-threshold", 0)


def test_slowlog(make_client, kind, logging):
    r = make_client(client_name="me", **kind.options)
    assert r.slowlog_reset() is True
    r.set("key", "a b")
    entry = r.slowlog_get()[0]
    assert entry["command"] == kind.text("SET key a b")
    assert entry["client_name"] == "me"
    assert entry["client_address"].startswith("127.0.0.1:")
    assert abs(entry["start_time"] - time.time()) < 5
    assert 0 <= entry["duration"] < 1_000_000
    assert r.slowlog_get(1)[0]["command"] == kind.text("SLOWLOG GET")
    assert r.slowlog_len() >= 3
    assert len(r.slowlog_get(-1)) >= 4
    assert sent(lambda client: client.slowlog_get(5)) == ("SLOWLOG GET", 5)


def test_commandlog(r, kind, logging):
    for name in ("slow", "large-request", "LARGE-REPLY"):
        assert r.commandlog_reset(name) is True
    r.set("key", "a b")
    assert r.commandlog_get(1, "large-request")[0]["command"] == kind.text("SET key a b")
    assert r.commandlog_get(-1, "large-request")[-1]["size"] > 10
    assert {"id", "start_time", "duration"} <= r.commandlog_get(1, "slow")[0].keys()
    assert r.commandlog_len("slow") >= 3
    with pytest.raises(DataError, match="type is SLOW or LARGE-REQUEST or LARGE-REPLY"):
        r.commandlog_len("fast")


def test_debug(r):
    r.set("k", 1)
    found = r.debug_object("k")
    assert (found["type"], found["refcount"] > 0, found["encoding"]) == ("Value", True, "int")
    assert found["serializedlength"] == 2
    assert found["lru_seconds_idle"] < 10
    with pytest.raises(ResponseError, match="no such key"):
        r.debug_object("missing")
    assert r.execute_command("DEBUG SLEEP", 0) in (b"OK", "OK")


def test_a_crash(make_client, kind):
    with standalone() as running:
        r = make_client(unix_socket_path=running.unix_socket, **kind.options)
        with pytest.raises(ConnectionError):
            r.debug_segfault()


def test_latency(r, late):
    (latest,) = r.latency_latest()
    assert (latest[0], latest[2], latest[3]) == ("command", *[latest[2]] * 2)
    assert 5 <= latest[2] < 500
    assert r.latency_history("command") == [[latest[1], latest[2]]]
    assert r.latency_history("none") == []
    assert r.latency_graph("command").startswith("command - high")
    assert "latency" in r.latency_doctor()
    assert r.latency_reset("none") == 0
    assert r.latency_reset("command", "none") == 1
    assert r.latency_latest() == []


def test_latency_histogram(r):
    r.config_resetstat()
    r.set("k", "v")
    r.set("k", "v")
    histogram = r.latency_histogram("set", "get")
    assert histogram.keys() == {"set"}
    assert histogram["set"]["calls"] == 2
    assert max(histogram["set"]["histogram_usec"].values()) == 2
    assert r.latency_histogram().keys() >= {"set"}


def test_memory(r):
    assert r.memory_usage("k") is None
    r.rpush("k", *range(100))
    assert r.memory_usage("k", samples=0) > 50
    assert "memory" in r.memory_doctor()
    assert r.memory_help()[0].startswith("MEMORY <subcommand>")
    assert "___ Begin jemalloc statistics ___" in r.memory_malloc_stats() or "not supported" in r.memory_malloc_stats()
    assert r.memory_purge() is True
    assert sent(lambda client: client.memory_usage("k", 5)) == ("MEMORY USAGE", "k", b"SAMPLES", 5)
    assert sent(lambda client: client.memory_usage("k", 0)) == ("MEMORY USAGE", "k", b"SAMPLES", 0)


def test_memory_stats(r):
    r.set("k", "v")
    stats = r.memory_stats()
    assert stats["keys.count"] == 1
    assert stats["db.0"]["overhead.hashtable.main"] > 0
    assert 0 < stats["peak.percentage"] <= 100
    assert stats["peak.percentage"].__class__ is float


def test_the_words_of_hotkeys():
    assert sent(lambda client: client.hotkeys_start("cpu")) == ("HOTKEYS START", b"METRICS", 1, b"CPU")
    assert sent(lambda client: client.hotkeys_start(["CPU", "NET"], 10, 60, 5, [1, 2])) == (
        *("HOTKEYS START", b"METRICS", 2, b"CPU", b"NET", b"COUNT", 10, b"DURATION", 60, b"SAMPLE", 5),
        *(b"SLOTS", 2, 1, 2),
    )
    for name in ("get", "stop", "reset"):
        assert sent(lambda client, name=name: getattr(client, f"hotkeys_{name}")()) == (f"HOTKEYS {name.upper()}",)
    with pytest.raises(DataError, match="needs metrics"):
        sent(lambda client: client.hotkeys_start([]))
    with pytest.raises(DataError, match="metrics is CPU or NET"):
        sent(lambda client: client.hotkeys_start("DISK"))


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_report_of_hotkeys(wrapped):
    pairs = [b"tracking-active", 1, b"by-cpu-time-us", [b"x", 104, b"y", 98]]
    assert hotkeys_reply([pairs] if wrapped else pairs) == {
        "tracking-active": 1,
        "by-cpu-time-us": {b"x": 104, b"y": 98},
    }
    assert hotkeys_reply(None) is None
