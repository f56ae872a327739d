"""The commands on hashes: what comes back from a real server, and what every option sends."""

import inspect
from datetime import UTC, datetime, timedelta

import pytest

from redis.commands import Commands
from redis.commands.hashes import NOT_GIVEN
from redis.exceptions import DataError, ResponseError
from tests.recorder import sent

FUTURE = 2_000_000_000
FUTURE_DATE = datetime.fromtimestamp(FUTURE, UTC)
PAIRS = {"a": 1, "b": 2}


def test_get_and_set(r, kind):
    assert r.hget("h", "f") is None
    assert r.hset("h", "f", "v") == 1
    assert r.hset("h", "f", "w") == 0
    assert r.hset("h", key="g", value="x") == 1
    assert r.hget("h", "f") == kind.text("w")
    assert r.hget("h", "missing") is None


def test_set_several(r, kind):
    assert r.hset("h", mapping=PAIRS) == 2
    assert r.hset("h", items=["c", 3, "d", 4]) == 2
    assert r.hset("h", "e", 5, {"f": 6}, ["g", 7]) == 3
    assert r.hgetall("h") == {kind.text(name): kind.text(str(number)) for number, name in enumerate("abcdefg", 1)}


def test_the_words_of_hset():
    assert sent(lambda client: client.hset("h", "f", "v")) == ("HSET", "h", "f", "v")
    assert sent(lambda client: client.hset("h", "f", None)) == ("HSET", "h", "f", None)
    assert sent(lambda client: client.hset("h", 0, "")) == ("HSET", "h", 0, "")
    assert sent(lambda client: client.hset("h", None, None, PAIRS)) == ("HSET", "h", "a", 1, "b", 2)
    assert sent(lambda client: client.hset("h", "f", "v", {}, [])) == ("HSET", "h", "f", "v")


def test_the_signature_shows_that_a_value_may_be_left_out():
    assert inspect.signature(Commands.hset).parameters["value"].default is NOT_GIVEN
    assert str(NOT_GIVEN) == "<not given>"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "no field is given"),
        ({"mapping": {}}, "no field is given"),
        ({"items": []}, "no field is given"),
        ({"key": "f"}, "key needs a value"),
        ({"items": ["a", 1, "b"]}, "items is one flat sequence"),
        ({"items": [("a", 1), ("b", 2)]}, "items is one flat sequence"),
    ],
)
@pytest.mark.parametrize("method", ["hset", "hsetex"])
def test_setting_what_cannot_be_meant(method, given, message):
    with pytest.raises(DataError, match=message):
        sent(lambda client: getattr(client, method)("h", **given))


def test_hmset_and_hmget(r, kind):
    assert r.hmset("h", PAIRS) is True
    assert r.hmget("h", "a", "b") == [kind.text("1"), kind.text("2")]
    assert r.hmget("h", ["a", "missing"]) == [kind.text("1"), None]
    assert r.hmget("h", ("b",), "a") == [kind.text("2"), kind.text("1")]
    assert r.hmget("missing", "a") == [None]


def test_hmset_of_nothing():
    with pytest.raises(DataError, match="hmset needs a mapping"):
        sent(lambda client: client.hmset("h", {}))


def test_hgetall(r, kind):
    assert r.hgetall("h") == {}
    r.hmset("h", PAIRS)
    assert r.hgetall("h") == {kind.text("a"): kind.text("1"), kind.text("b"): kind.text("2")}


def test_keys_values_and_length(r, kind):
    assert r.hkeys("h") == []
    assert r.hvals("h") == []
    assert r.hlen("h") == 0
    r.hmset("h", PAIRS)
    assert sorted(r.hkeys("h")) == [kind.text("a"), kind.text("b")]
    assert sorted(r.hvals("h")) == [kind.text("1"), kind.text("2")]
    assert r.hlen("h") == 2


def test_hdel_and_hexists(r):
    r.hmset("h", PAIRS)
    assert r.hexists("h", "a") is True
    assert r.hdel("h", "a", "missing") == 1
    assert r.hexists("h", "a") is False
    assert r.hexists("missing", "a") is False


def test_counting(r):
    assert r.hincrby("h", "n") == 1
    assert r.hincrby("h", "n", -5) == -4
    assert r.hincrbyfloat("h", "x") == 1.0
    assert r.hincrbyfloat("h", "x", 0.25) == 1.25
    r.hset("h", "text", "abc")
    with pytest.raises(ResponseError, match="not an integer"):
        r.hincrby("h", "text")


def test_hsetnx_and_hstrlen(r, kind):
    assert r.hsetnx("h", "f", "abc") == 1
    assert r.hsetnx("h", "f", "other") == 0
    assert r.hget("h", "f") == kind.text("abc")
    assert r.hstrlen("h", "f") == 3
    assert r.hstrlen("h", "missing") == 0


def test_hrandfield(r, kind):
    assert r.hrandfield("h") is None
    assert r.hrandfield("h", 2) == []
    assert r.hrandfield("h", 2, withvalues=True) == []
    r.hset("h", "f", "v")
    assert r.hrandfield("h") == kind.text("f")
    assert r.hrandfield("h", 5) == [kind.text("f")]
    assert r.hrandfield("h", -2) == [kind.text("f"), kind.text("f")]
    assert r.hrandfield("h", -2, withvalues=True) == [(kind.text("f"), kind.text("v"))] * 2


def test_hrandfield_with_values_needs_a_count():
    with pytest.raises(DataError, match="withvalues needs count"):
        sent(lambda client: client.hrandfield("h", withvalues=True))


def test_hscan(r, kind):
    assert r.hscan("h") == (0, {})
    assert r.hscan("h", no_values=True) == (0, [])
    r.hmset("h", PAIRS)
    assert r.hscan("h") == (0, {kind.text("a"): kind.text("1"), kind.text("b"): kind.text("2")})
    assert r.hscan("h", 0, "b*", 10) == (0, {kind.text("b"): kind.text("2")})
    assert r.hscan("h", match="a", no_values=True) == (0, [kind.text("a")])


def test_hscan_iter(r, kind):
    assert list(r.hscan_iter("h")) == []
    r.hmset("h", {f"f{number}": number for number in range(1000)})
    expected = {(kind.text(f"f{number}"), kind.text(str(number))) for number in range(1000)}
    assert set(r.hscan_iter("h", count=100)) == expected
    assert set(r.hscan_iter("h", no_values=True)) == {field for field, _ in expected}
    assert list(r.hscan_iter("h", match="f17")) == [(kind.text("f17"), kind.text("17"))]


def test_the_words_of_hscan():
    words = ("HSCAN", "h", 5, b"MATCH", "a*", b"COUNT", 0, b"NOVALUES")
    assert sent(lambda client: client.hscan("h", 5, "a*", 0, True)) == words


def test_fields_that_expire(r):
    r.hmset("h", {"a": 1, "b": 2, "c": 3, "d": 4})
    assert r.hexpire("h", 100, "a", "missing") == [1, -2]
    assert r.hpexpire("h", timedelta(seconds=50), "b") == [1]
    assert r.hexpireat("h", FUTURE_DATE, "c") == [1]
    assert r.hpexpireat("h", FUTURE * 1000 + 5, "d") == [1]
    assert r.hexpiretime("h", "c") == [FUTURE]
    assert r.hpexpiretime("h", "c", "d") == [FUTURE * 1000, FUTURE * 1000 + 5]
    assert 98 <= r.httl("h", "a")[0] <= 100
    assert 49_000 < r.hpttl("h", "b")[0] <= 50_000
    assert r.hpersist("h", "a", "a", "missing") == [1, -1, -2]
    assert r.httl("h", "a", "missing") == [-1, -2]
    assert r.hpttl("h", "a") == [-1]
    assert r.hexpiretime("h", "a") == [-1]
    assert r.hpexpiretime("h", "a") == [-1]


def test_fields_of_a_hash_that_is_not_there(r):
    assert r.hexpire("h", 100, "a") == [-2]
    assert r.httl("h", "a", "b") == [-2, -2]
    assert r.hpersist("h", "a") == [-2]


def test_fields_that_expire_on_a_condition(r):
    r.hset("h", "a", 1)
    assert r.hexpire("h", 100, "a", xx=True) == [0]
    assert r.hexpire("h", 100, "a", nx=True) == [1]
    assert r.hpexpire("h", 90_000, "a", gt=True) == [0]
    assert r.hexpireat("h", FUTURE, "a", gt=True) == [1]
    assert r.hpexpireat("h", FUTURE * 1000 - 1000, "a", lt=True) == [1]
    assert r.hexpire("h", 0, "a") == [2]
    assert r.hexists("h", "a") is False


@pytest.mark.parametrize(
    ("method", "sent_time"),
    [("hexpire", 60), ("hpexpire", 60_000), ("hexpireat", FUTURE), ("hpexpireat", FUTURE * 1000)],
)
@pytest.mark.parametrize("option", ["nx", "xx", "gt", "lt"])
def test_the_words_of_hexpire(method, sent_time, option):
    time = FUTURE_DATE if method.endswith("at") else timedelta(minutes=1)
    words = sent(lambda client: getattr(client, method)("h", time, "a", "b", **{option: True}))
    assert words == (method.upper(), "h", sent_time, option.upper().encode(), b"FIELDS", 2, "a", "b")


@pytest.mark.parametrize("method", ["hexpiretime", "hpexpiretime", "httl", "hpttl", "hpersist", "hgetdel", "hgetex"])
def test_the_words_of_fields(method):
    assert sent(lambda client: getattr(client, method)("h", "a", "b")) == (method.upper(), "h", b"FIELDS", 2, "a", "b")
    with pytest.raises(DataError, match="at least one field"):
        sent(lambda client: getattr(client, method)("h"))


def test_hgetdel(r, kind):
    r.hmset("h", PAIRS)
    assert r.hgetdel("h", "a", "missing") == [kind.text("1"), None]
    assert r.hkeys("h") == [kind.text("b")]
    assert r.hgetdel("missing", "a", "b") == [None, None]


def test_hgetex(r, kind):
    assert r.hgetex("missing", "a", "b") == [None, None]
    r.hmset("h", PAIRS)
    assert r.hgetex("h", "a", "missing") == [kind.text("1"), None]
    assert r.hgetex("h", "a", ex=100) == [kind.text("1")]
    assert 98 <= r.httl("h", "a")[0] <= 100
    assert r.hgetex("h", "a", exat=FUTURE_DATE) == [kind.text("1")]
    assert r.hexpiretime("h", "a") == [FUTURE]
    assert r.hgetex("h", "a", persist=True) == [kind.text("1")]
    assert r.httl("h", "a") == [-1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ex": 5}, (b"EX", 5)),
        ({"px": 5}, (b"PX", 5)),
        ({"exat": 5}, (b"EXAT", 5)),
        ({"pxat": 5}, (b"PXAT", 5)),
        ({"persist": True}, (b"PERSIST",)),
    ],
)
def test_the_words_of_hgetex(options, words):
    assert sent(lambda client: client.hgetex("h", "a", **options)) == ("HGETEX", "h", *words, b"FIELDS", 1, "a")


def test_hsetex(r, kind):
    assert r.hsetex("h", "a", 1, ex=100) == 1
    assert 98 <= r.httl("h", "a")[0] <= 100
    assert r.hsetex("h", mapping={"a": 2, "b": 2}, data_persist_option="FNX") == 0
    assert r.hsetex("h", mapping={"a": 2}, data_persist_option="FXX", keepttl=True) == 1
    assert r.hget("h", "a") == kind.text("2")
    assert 98 <= r.httl("h", "a")[0] <= 100
    assert r.hsetex("h", items=["c", 3], pxat=FUTURE_DATE) == 1
    assert r.hpexpiretime("h", "c") == [FUTURE * 1000]
    assert r.hsetex("h", "d", 4, data_persist_option="NX") == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ()),
        ({"ex": 5}, (b"EX", 5)),
        ({"px": timedelta(seconds=1)}, (b"PX", 1000)),
        ({"exat": 5}, (b"EXAT", 5)),
        ({"pxat": 5}, (b"PXAT", 5)),
        ({"keepttl": True}, (b"KEEPTTL",)),
        ({"data_persist_option": "fnx", "ex": 5}, (b"FNX", b"EX", 5)),
        ({"data_persist_option": "XX"}, (b"XX",)),
    ],
)
def test_the_words_of_hsetex(options, words):
    call = sent(lambda client: client.hsetex("h", "f", "v", mapping=PAIRS, **options))
    assert call == ("HSETEX", "h", *words, b"FIELDS", 3, "f", "v", "a", 1, "b", 2)
