"""The commands on strings: what comes back from a real server, and what every option sends."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from redis.commands.strings import increx_reply
from redis.exceptions import DataError, RedisError, ResponseError
from tests.recorder import options_of, sent

FUTURE = 2_000_000_000
FUTURE_DATE = datetime.fromtimestamp(FUTURE, UTC)


def test_get_and_set(r, kind):
    assert r.get("k") is None
    assert r.set("k", "v") is True
    assert r.get("k") == kind.text("v")
    assert r.set("k", "") is True
    assert r.get("k") == kind.text("")


@pytest.mark.parametrize(
    ("value", "stored"),
    [(b"\x00\r\n", "\x00\r\n"), (1, "1"), (1.5, "1.5"), (0.1, "0.1"), (True, "True"), (None, "None"), ("ä", "ä")],
)
def test_values_of_every_type(r, kind, value, stored):
    assert r.set("k", value) is True
    assert r.get("k") == kind.text(stored)


def test_get_of_another_kind_of_key(r):
    r.rpush("k", "a")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        r.get("k")


def test_items(r, kind):
    with pytest.raises(KeyError, match="k"):
        r["k"]
    r["k"] = ""
    assert r["k"] == kind.text("")
    r["k"] = 5
    assert r["k"] == kind.text("5")


def test_items_go_through_the_callback(r):
    r.set_response_callback("GET", lambda response: response and int(response))
    r["k"] = 5
    assert r["k"] == 5
    with pytest.raises(KeyError):
        r["other"]


def test_set_with_conditions(r, kind):
    assert r.set("k", 1, xx=True) is None
    assert r.set("k", 1, nx=True) is True
    assert r.set("k", 2, nx=True) is None
    assert r.set("k", 3, xx=True) is True
    assert r.set("k", 4, ifeq=2) is None
    assert r.set("k", 5, ifeq=3) is True
    assert r.get("k") == kind.text("5")


def test_set_gives_the_old_value(r, kind):
    assert r.set("k", "OK", get=True) is None
    assert r.set("k", "b", get=True) == kind.text("OK")
    assert r.set("k", "c", get=True, nx=True) == kind.text("b")
    assert r.get("k") == kind.text("b")


def test_the_words_of_set_alone_are_enough(r, kind):
    assert r.execute_command("SET", "k", "a", "GET") is None
    assert r.execute_command("SET", "k", "b", "GET") == kind.text("a")


def test_set_with_an_expiry(r):
    assert r.set("k", 1, ex=100) is True
    assert 98 <= r.ttl("k") <= 100
    r.set("k", 1, px=timedelta(seconds=50))
    assert 49_000 < r.pttl("k") <= 50_000
    r.set("k", 1, exat=FUTURE_DATE)
    assert r.expiretime("k") == FUTURE
    r.set("k", 2, keepttl=True)
    assert r.expiretime("k") == FUTURE
    r.set("k", 1, pxat=FUTURE * 1000 + 5)
    assert r.pexpiretime("k") == FUTURE * 1000 + 5
    r.set("k", 1)
    assert r.ttl("k") == -1


def test_an_expiry_of_nothing_is_sent(r):
    with pytest.raises(ResponseError, match="invalid expire time"):
        r.set("k", 1, ex=0)
    assert r.get("k") is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ()),
        ({"ex": 0}, (b"EX", 0)),
        ({"ex": timedelta(minutes=1)}, (b"EX", 60)),
        ({"px": 5}, (b"PX", 5)),
        ({"exat": FUTURE_DATE}, (b"EXAT", FUTURE)),
        ({"pxat": FUTURE_DATE}, (b"PXAT", FUTURE * 1000)),
        ({"keepttl": True}, (b"KEEPTTL",)),
        ({"nx": True, "get": True, "ex": 5}, (b"NX", b"GET", b"EX", 5)),
        ({"xx": True}, (b"XX",)),
        ({"ifeq": ""}, (b"IFEQ", "")),
        ({"ifne": "v"}, (b"IFNE", "v")),
        ({"ifdeq": "d"}, (b"IFDEQ", "d")),
        ({"ifdne": "d"}, (b"IFDNE", "d")),
    ],
)
def test_the_words_of_set(options, words):
    assert sent(lambda client: client.set("k", "v", **options)) == ("SET", "k", "v", *words)


def test_the_order_of_the_arguments_of_set():
    assert sent(lambda client: client.set("k", "v", 5, None, True)) == ("SET", "k", "v", b"NX", b"EX", 5)


def test_only_get_is_an_option_of_the_callback():
    assert options_of(lambda client: client.set("k", "v", ex=5)) == {}
    assert options_of(lambda client: client.set("k", "v", get=True)) == {"get": True}


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"nx": True, "xx": True}, "nx and xx"),
        ({"nx": True, "ifeq": "v"}, "nx and ifeq"),
        ({"ifeq": "v", "ifdne": "d"}, "ifeq and ifdne"),
        ({"ex": 1, "px": 1}, "ex and px"),
        ({"exat": 1, "keepttl": True}, "exat and keepttl"),
    ],
)
def test_options_of_set_that_exclude_each_other(options, names):
    with pytest.raises(DataError, match=f"^{names} exclude each other$"):
        sent(lambda client: client.set("k", "v", **options))


def test_append(r, kind):
    assert r.append("k", "ab") == 2
    assert r.append("k", "c") == 3
    assert r.get("k") == kind.text("abc")


def test_counting(r, kind):
    assert r.incr("n") == 1
    assert r.incr("n", 9) == 10
    assert r.incrby("n") == 11
    assert r.incrby("n", 5) == 16
    assert r.decr("n") == 15
    assert r.decr("n", 5) == 10
    assert r.decrby("n") == 9
    assert r.decrby("n", amount=20) == -11
    assert r.get("n") == kind.text("-11")


def test_counting_what_is_no_number(r):
    r.set("n", "abc")
    with pytest.raises(ResponseError, match="not an integer"):
        r.incr("n")


def test_incrbyfloat(r):
    assert r.incrbyfloat("n") == 1.0
    assert r.incrbyfloat("n", 0.5) == 1.5
    assert isinstance(r.incrbyfloat("n", 0.5), float)


def test_delifeq(r):
    r.set("k", "v")
    assert r.delifeq("k", "other") == 0
    assert r.delifeq("k", "v") == 1
    assert r.exists("k") is False


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ()),
        ({"ifeq": "v"}, (b"IFEQ", "v")),
        ({"ifne": "v"}, (b"IFNE", "v")),
        ({"ifdeq": "d"}, (b"IFDEQ", "d")),
        ({"ifdne": "d"}, (b"IFDNE", "d")),
    ],
)
def test_the_words_of_delex(options, words):
    assert sent(lambda client: client.delex("k", **options)) == ("DELEX", "k", *words)


def test_the_conditions_of_delex_exclude_each_other():
    with pytest.raises(DataError, match="ifeq and ifne"):
        sent(lambda client: client.delex("k", ifeq="a", ifne="b"))


def test_the_words_of_digest():
    assert sent(lambda client: client.digest("k")) == ("DIGEST", "k")


def test_getdel(r, kind):
    r.set("k", "v")
    assert r.getdel("k") == kind.text("v")
    assert r.getdel("k") is None


def test_getex(r, kind):
    assert r.getex("k", ex=5) is None
    r.set("k", "v")
    assert r.getex("k") == kind.text("v")
    assert r.ttl("k") == -1
    assert r.getex("k", ex=timedelta(seconds=100)) == kind.text("v")
    assert 98 <= r.ttl("k") <= 100
    assert r.getex("k", pxat=FUTURE_DATE) == kind.text("v")
    assert r.pexpiretime("k") == FUTURE * 1000
    assert r.getex("k", persist=True) == kind.text("v")
    assert r.ttl("k") == -1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ()),
        ({"ex": 5}, (b"EX", 5)),
        ({"px": 5}, (b"PX", 5)),
        ({"exat": 5}, (b"EXAT", 5)),
        ({"pxat": 5}, (b"PXAT", 5)),
        ({"persist": True}, (b"PERSIST",)),
    ],
)
def test_the_words_of_getex(options, words):
    assert sent(lambda client: client.getex("k", **options)) == ("GETEX", "k", *words)


def test_getrange_and_substr(r, kind):
    assert r.getrange("k", 0, 1) == kind.text("")
    r.set("k", "abcdef")
    assert r.getrange("k", 1, -2) == kind.text("bcde")
    assert r.substr("k", 4) == kind.text("ef")
    assert r.substr("k", 0, 2) == kind.text("abc")


def test_getset(r, kind):
    assert r.getset("k", "a") is None
    assert r.getset("k", "b") == kind.text("a")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ()),
        ({"byint": 0}, (b"BYINT", 0)),
        ({"byfloat": 1.5, "lbound": 0, "ubound": 9.5}, (b"BYFLOAT", 1.5, b"LBOUND", 0, b"UBOUND", 9.5)),
        ({"byint": 2, "saturate": True, "ex": 5, "enx": True}, (b"BYINT", 2, b"SATURATE", b"EX", 5, b"ENX")),
        ({"px": timedelta(seconds=1)}, (b"PX", 1000)),
        ({"exat": 5}, (b"EXAT", 5)),
        ({"pxat": 5}, (b"PXAT", 5)),
        ({"persist": True}, (b"PERSIST",)),
    ],
)
def test_the_words_of_increx(options, words):
    assert sent(lambda client: client.increx("k", **options)) == ("INCREX", "k", *words)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"byint": 1, "byfloat": 1.0}, "byfloat and byint exclude"),
        ({"ex": 1, "persist": True}, "ex and persist exclude"),
        ({"enx": True}, "enx needs ex"),
        ({"enx": True, "persist": True}, "enx needs ex"),
    ],
)
def test_options_of_increx_that_cannot_be_meant(options, message):
    with pytest.raises(DataError, match=message):
        sent(lambda client: client.increx("k", **options))


@pytest.mark.parametrize("response", [[b"1.75", b"0.25"], ["1.75", "0.25"], [1.75, 0.25]])
def test_the_reply_of_increx(response):
    assert increx_reply(response) == [1.75, 0.25]
    assert [type(number) for number in increx_reply([3, 2])] == [int, int]


def test_lcs(r, kind):
    r.mset({"a": "ohmytext", "b": "mynewtext"})
    assert r.lcs("a", "b") == kind.text("mytext")
    assert r.lcs("a", "b", len=True) == 6
    assert r.lcs("a", "b", idx=True) == {"matches": [[[4, 7], [5, 8]], [[2, 3], [0, 1]]], "len": 6}
    matches = [[[4, 7], [5, 8], 4]]
    assert r.lcs("a", "b", idx=True, minmatchlen=3, withmatchlen=True) == {"matches": matches, "len": 6}


def test_lcs_gives_the_length_or_the_positions():
    with pytest.raises(DataError, match="len and idx"):
        sent(lambda client: client.lcs("a", "b", len=True, idx=True))


def test_several_at_once(r, kind):
    assert r.mset({"a": 1, b"b": 2}) is True
    assert r.mset(c=3) is True
    assert r.mset({"a": 4}, b=5) is True
    assert r.mget("a", "b") == [kind.text("4"), kind.text("5")]
    assert r.mget(["a", "missing"], "c") == [kind.text("4"), None, kind.text("3")]
    assert r.mget("missing") == [None]


def test_msetnx(r, kind):
    assert r.msetnx({"a": 1}) is True
    assert r.msetnx({"a": 2, "b": 2}) is False
    assert r.msetnx(b=3) is True
    assert r.mget("a", "b") == [kind.text("1"), kind.text("3")]


def test_a_mapping_by_its_keyword():
    assert sent(lambda client: client.mset(mapping={"a": 1})) == ("MSET", "a", 1)
    assert sent(lambda client: client.mset(mapping="x")) == ("MSET", "mapping", "x")
    assert sent(lambda client: client.msetnx(mapping={"a": 1}, b=2)) == ("MSETNX", "b", 2, "a", 1)


@pytest.mark.parametrize("args", [(), ({},), ("a", 1), (["a", 1],), ({"a": 1}, {"b": 2})])
def test_mset_that_cannot_be_meant(args):
    with pytest.raises(RedisError, match="mset"):
        sent(lambda client: client.mset(*args))


def test_msetex(r, kind):
    assert r.msetex({"a": 1, "b": 2}, ex=100) is True
    assert r.mget("a", "b") == [kind.text("1"), kind.text("2")]
    assert 98 <= r.ttl("b") <= 100
    assert r.msetex({"a": 3, "c": 3}, "NX") is False
    assert r.msetex({"a": 3, "b": 3}, "XX", keepttl=True) is True
    assert 98 <= r.ttl("a") <= 100


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ()),
        ({"data_persist_option": "nx"}, (b"NX",)),
        ({"data_persist_option": "XX", "ex": 5}, (b"XX", b"EX", 5)),
        ({"px": 5}, (b"PX", 5)),
        ({"exat": FUTURE_DATE}, (b"EXAT", FUTURE)),
        ({"pxat": 5}, (b"PXAT", 5)),
        ({"keepttl": True}, (b"KEEPTTL",)),
    ],
)
def test_the_words_of_msetex(options, words):
    assert sent(lambda client: client.msetex({"a": 1, "b": 2}, **options)) == ("MSETEX", 2, "a", 1, "b", 2, *words)


def test_msetex_that_cannot_be_meant():
    with pytest.raises(DataError, match="msetex needs a mapping"):
        sent(lambda client: client.msetex({}))
    with pytest.raises(DataError, match="data_persist_option is NX or XX"):
        sent(lambda client: client.msetex({"a": 1}, "FNX"))


def test_setex_and_psetex(r, kind):
    assert r.setex("k", 100, "v") is True
    assert r.get("k") == kind.text("v")
    assert 98 <= r.ttl("k") <= 100
    assert r.setex("k", timedelta(minutes=1), "v") is True
    assert 58 <= r.ttl("k") <= 60
    assert r.psetex("k", 50_000, "w") is True
    assert 49_000 < r.pttl("k") <= 50_000
    assert r.psetex("k", timedelta(seconds=5), "w") is True
    assert 4_000 < r.pttl("k") <= 5_000
    with pytest.raises(ResponseError, match="invalid expire"):
        r.setex("k", 0, "v")


def test_a_value_that_expires_is_gone(r):
    r.psetex("k", 20, "v")
    time.sleep(0.04)
    assert r.get("k") is None


def test_setnx(r, kind):
    assert r.setnx("k", 1) is True
    assert r.setnx("k", 2) is False
    assert r.get("k") == kind.text("1")


def test_setrange_and_strlen(r, kind):
    assert r.strlen("k") == 0
    assert r.setrange("k", 2, "abc") == 5
    assert r.get("k") == kind.text("\x00\x00abc")
    assert r.strlen("k") == 5
