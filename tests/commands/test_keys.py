"""The commands on keys of any kind: what comes back from a real server, and what every option sends."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from redis.exceptions import DataError, RedisError, ResponseError
from tests.recorder import options_of, sent

FUTURE = 2_000_000_000
FUTURE_DATE = datetime.fromtimestamp(FUTURE, UTC)


def test_exists(r):
    assert r.exists("a") is False
    r.mset({"a": 1, "b": 2})
    assert r.exists("a") is True
    assert r.exists("a", "b", "missing") == 2
    assert r.exists("a", "a") == 2
    assert r.exists("missing", "other") == 0
    assert r.execute_command("EXISTS", "a", "b") is True


def test_items(r):
    assert "k" not in r
    r["k"] = 1
    assert "k" in r
    del r["k"]
    assert "k" not in r
    del r["k"]


def test_copy(r, kind):
    r.set("a", 1)
    assert r.copy("missing", "b") is False
    assert r.copy("a", "b") is True
    r.set("a", 2)
    assert r.copy("a", "b") is False
    assert r.copy("a", "b", replace=True) is True
    assert r.copy("a", "a", destination_db=1) is True
    assert r.get("b") == kind.text("2")


def test_the_words_of_copy():
    call = ("COPY", "a", "b", b"DB", 0, b"REPLACE")
    assert sent(lambda client: client.copy("a", "b", destination_db=0, replace=True)) == call


def test_delete_unlink_and_touch(r):
    r.mset({"a": 1, "b": 2, "c": 3, "d": 4})
    assert r.touch("a", "b", "missing") == 2
    assert r.delete("a", "missing") == 1
    assert r.unlink("b", "c", "missing") == 2
    assert r.exists("a", "b", "c", "d") == 1


def test_dump_and_restore(r, kind):
    assert r.dump("a") is None
    r.set("a", "ä")
    dumped = r.dump("a")
    assert isinstance(dumped, bytes)
    assert r.restore("b", 0, dumped) == kind.text("OK")
    assert r.get("b") == kind.text("ä")
    with pytest.raises(ResponseError, match="BUSYKEY"):
        r.restore("b", 0, dumped)
    assert r.restore("b", timedelta(minutes=1), dumped, replace=True) == kind.text("OK")
    assert 58_000 < r.pttl("b") <= 60_000
    assert r.restore("b", FUTURE_DATE, dumped, replace=True, absttl=True) == kind.text("OK")
    assert r.expiretime("b") == FUTURE
    assert r.restore("b", 0, dumped, replace=True, idletime=500) == kind.text("OK")
    assert 500 <= r.object("idletime", "b") <= 502
    with pytest.raises(ResponseError, match="checksum"):
        r.restore("c", 0, b"nonsense")


def test_the_words_of_restore():
    words = ("RESTORE", "k", 5, b"x", b"REPLACE", b"ABSTTL", b"IDLETIME", 0, b"FREQ", 7)
    assert sent(lambda client: client.restore("k", 5, b"x", True, True, 0, 7)) == words


def test_times_to_live(r):
    assert r.ttl("k") == -2
    assert r.pttl("k") == -2
    assert r.expiretime("k") == -2
    assert r.pexpiretime("k") == -2
    r.set("k", 1)
    assert r.ttl("k") == -1
    assert r.pttl("k") == -1
    assert r.expiretime("k") == -1
    assert r.pexpiretime("k") == -1


def test_expire(r):
    assert r.expire("k", 10) is False
    r.set("k", 1)
    assert r.expire("k", 100) is True
    assert 98 <= r.ttl("k") <= 100
    assert r.expire("k", timedelta(minutes=2)) is True
    assert 118 <= r.ttl("k") <= 120
    assert r.pexpire("k", 50_000) is True
    assert 49_000 < r.pttl("k") <= 50_000
    assert r.pexpire("k", timedelta(seconds=70)) is True
    assert 69_000 < r.pttl("k") <= 70_000
    assert r.persist("k") is True
    assert r.persist("k") is False


def test_expire_at(r):
    assert r.expireat("k", FUTURE) is False
    assert r.pexpireat("k", FUTURE) is False
    r.set("k", 1)
    assert r.expireat("k", FUTURE) is True
    assert r.expiretime("k") == FUTURE
    assert r.expireat("k", datetime.fromtimestamp(FUTURE + 1)) is True
    assert r.expiretime("k") == FUTURE + 1
    assert r.pexpireat("k", FUTURE * 1000 + 2) is True
    assert r.pexpiretime("k") == FUTURE * 1000 + 2
    assert r.pexpireat("k", FUTURE_DATE + timedelta(milliseconds=3)) is True
    assert r.pexpiretime("k") == FUTURE * 1000 + 3


def test_expire_on_a_condition(r):
    r.set("k", 1)
    assert r.expire("k", 100, xx=True) is False
    assert r.expire("k", 100, nx=True) is True
    assert r.pexpire("k", 90_000, gt=True) is False
    assert r.expireat("k", FUTURE, gt=True) is True
    assert r.pexpireat("k", FUTURE * 1000 - 1000, lt=True) is True
    assert r.expiretime("k") == FUTURE - 1


@pytest.mark.parametrize(
    ("method", "sent_time"),
    [("expire", 60), ("pexpire", 60_000), ("expireat", FUTURE), ("pexpireat", FUTURE * 1000)],
)
@pytest.mark.parametrize("option", ["nx", "xx", "gt", "lt"])
def test_the_words_of_expire(method, sent_time, option):
    time = FUTURE_DATE if method.endswith("at") else timedelta(minutes=1)
    words = sent(lambda client: getattr(client, method)("k", time, **{option: True}))
    assert words == (method.upper(), "k", sent_time, option.upper().encode())


def test_keys_and_randomkey(r, kind):
    assert r.randomkey() is None
    assert r.keys() == []
    r.set("a1", 1)
    assert r.randomkey() == kind.text("a1")
    r.mset({"a2": 1, "b": 1})
    assert sorted(r.keys()) == [kind.text("a1"), kind.text("a2"), kind.text("b")]
    assert sorted(r.keys("a*")) == [kind.text("a1"), kind.text("a2")]


def test_migrate(r, kind, server, redis7, make_client):
    old = make_client(host=redis7.host, port=redis7.port, **kind.options)
    old.flushall()
    assert old.migrate(server.host, server.port, "missing", 0, 1000) == kind.text("NOKEY")
    old.mset({"a": 1, "b": 2, "c": 3})
    assert old.migrate(server.host, server.port, "a", 0, 1000) == kind.text("OK")
    assert old.migrate(server.host, server.port, ["b", "c"], 0, 1000, copy=True, replace=True) == kind.text("OK")
    assert old.exists("a", "b", "c") == 2
    assert r.mget("a", "b", "c") == [kind.text("1"), kind.text("2"), kind.text("3")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ()),
        ({"copy": True, "replace": True}, (b"COPY", b"REPLACE")),
        ({"auth": "secret"}, (b"AUTH", "secret")),
        ({"auth": "secret", "username": "me"}, (b"AUTH2", "me", "secret")),
    ],
)
def test_the_words_of_migrate(options, words):
    call = sent(lambda client: client.migrate("host", 6379, ["a", "b"], 1, 5000, **options))
    assert call == ("MIGRATE", "host", 6379, b"", 1, 5000, *words, b"KEYS", "a", "b")


def test_migrate_of_nothing():
    with pytest.raises(DataError, match="keys"):
        sent(lambda client: client.migrate("host", 6379, [], 0, 1000))


def test_move(r):
    r.set("a", 1)
    assert r.move("missing", 1) is False
    assert r.move("a", 1) is True
    assert r.exists("a") is False


def test_object(r, kind):
    for infotype in ("encoding", "idletime", "refcount"):
        assert r.object(infotype, "missing") is None
    r.rpush("k", 1)
    assert r.object("encoding", "k") == kind.text("listpack")
    assert r.object("ENCODING", "k") == kind.text("listpack")
    assert r.object("refcount", "k") == 1
    assert r.object("idletime", "k") in (0, 1)
    with pytest.raises(ResponseError, match="LFU"):
        r.object("freq", "k")
    assert r.execute_command("OBJECT ENCODING", "k") == kind.text("listpack")


def test_a_fact_that_object_does_not_know():
    with pytest.raises(DataError, match=r"infotype is ENCODING or .* not 'colour'"):
        sent(lambda client: client.object("colour", "k"))


def test_object_under_an_lfu_policy(r):
    r.config_set("maxmemory-policy", "allkeys-lfu")
    try:
        r.set("k", 1)
        assert r.object("freq", "k") in (4, 5)
    finally:
        r.config_set("maxmemory-policy", "noeviction")


def test_the_kind_of_fact_is_an_option_of_the_callback():
    assert options_of(lambda client: client.object("idletime", "k")) == {"infotype": "idletime"}


def test_rename(r, kind):
    with pytest.raises(ResponseError, match="no such key"):
        r.rename("a", "b")
    r.mset({"a": 1, "b": 2})
    assert r.rename("a", "b") is True
    assert r.get("b") == kind.text("1")
    r.set("a", 3)
    assert r.renamenx("a", "b") is False
    assert r.renamenx("a", "c") is True


def test_scan(r, kind):
    assert r.scan() == (0, [])
    r.mset({"a1": 1, "b1": 1})
    r.rpush("a2", 1)
    cursor, names = r.scan(count=100)
    assert (cursor, sorted(names)) == (0, [kind.text("a1"), kind.text("a2"), kind.text("b1")])
    assert r.scan(0, "b*", 100) == (0, [kind.text("b1")])
    assert r.scan(match="a*", count=100, _type="list") == (0, [kind.text("a2")])


def test_a_cursor_leads_on(r):
    r.mset({f"k{number}": number for number in range(100)})
    cursor, names = r.scan(count=10)
    assert isinstance(cursor, int)
    assert cursor != 0
    assert 0 < len(names) < 100
    _, more = r.scan(cursor, count=10)
    assert more != names


def test_scan_iter(r, kind):
    assert list(r.scan_iter()) == []
    r.mset({f"k{number}": number for number in range(100)})
    r.rpush("list", 1)
    assert set(r.scan_iter("k*", count=7)) == {kind.text(f"k{number}") for number in range(100)}
    assert list(r.scan_iter(_type="list")) == [kind.text("list")]


def test_the_words_of_scan():
    words = ("SCAN", 5, b"MATCH", "a*", b"COUNT", 0, b"TYPE", "hash")
    assert sent(lambda client: client.scan(5, "a*", 0, "hash")) == words


def test_sort(r, kind):
    assert r.sort("k") == []
    r.rpush("k", 3, 1, 2)
    assert r.sort("k") == [kind.text("1"), kind.text("2"), kind.text("3")]
    assert r.sort("k", desc=True, start=1, num=1) == [kind.text("2")]
    assert r.sort("k", store="sorted") == 3
    assert r.lrange("sorted", 0, -1) == [kind.text("1"), kind.text("2"), kind.text("3")]
    r.rpush("texts", "b", "a")
    assert r.sort("texts", alpha=True) == [kind.text("a"), kind.text("b")]
    with pytest.raises(ResponseError, match="double"):
        r.sort("texts")


def test_sort_by_other_keys(r, kind):
    r.rpush("k", 1, 2)
    r.mset({"weight:1": 9, "weight:2": 5, "name:1": "one", "name:2": "two"})
    assert r.sort("k", by="weight:*") == [kind.text("2"), kind.text("1")]
    assert r.sort("k", get="name:*") == [kind.text("one"), kind.text("two")]
    assert r.sort("k", get=b"name:*") == [kind.text("one"), kind.text("two")]
    assert r.sort("k", get=["#", "no:*"]) == [kind.text("1"), None, kind.text("2"), None]
    pairs = [(kind.text("1"), kind.text("one")), (kind.text("2"), kind.text("two"))]
    assert r.sort("k", get=("#", "name:*"), groups=True) == pairs
    assert r.sort_ro("k", by="weight:*", get=["#"], desc=True) == [kind.text("1"), kind.text("2")]


def test_the_words_of_sort():
    words = sent(lambda client: client.sort("k", 0, 5, "by", ["#", "get"], True, True, "dest"))
    options = (b"BY", "by", b"LIMIT", 0, 5, b"GET", "#", b"GET", "get", b"DESC", b"ALPHA")
    assert words == ("SORT", "k", *options, b"STORE", "dest")
    assert sent(lambda client: client.sort_ro("k", 0, 5, "by", ["#", "get"], True, True)) == ("SORT_RO", "k", *options)
    assert sent(lambda client: client.sort("k")) == ("SORT", "k")


@pytest.mark.parametrize("options", [{"start": 0}, {"num": 5}])
def test_start_and_num_belong_together(options):
    with pytest.raises(RedisError, match="start and num"):
        sent(lambda client: client.sort("k", **options))
    with pytest.raises(RedisError, match="start and num"):
        sent(lambda client: client.sort_ro("k", **options))


@pytest.mark.parametrize("get", [None, "a", b"ab", [], ["a"]])
def test_groups_need_two_patterns(get):
    with pytest.raises(DataError, match="groups needs at least two patterns in get"):
        sent(lambda client: client.sort("k", get=get, groups=True))


def test_type(r, kind):
    assert r.type("k") == kind.text("none")
    r.rpush("k", 1)
    assert r.type("k") == kind.text("list")


def test_wait(r):
    r.set("k", 1)
    assert r.wait(0, 10) == 0
    started = time.monotonic()
    assert r.wait(1, 30) == 0
    assert time.monotonic() - started >= 0.029


def test_waitaof(r):
    assert r.waitaof(0, 0, 10) == [0, 0]
    assert r.waitaof(0, 1, 10) == [0, 0]
    with pytest.raises(ResponseError, match="appendonly"):
        r.waitaof(1, 0, 10)
