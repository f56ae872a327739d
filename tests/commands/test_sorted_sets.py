"""The commands on the members of sorted sets: what comes back from a real server, and what every option sends."""

import threading
import time
from decimal import Decimal

import pytest

from redis.exceptions import DataError, ResponseError
from tests.recorder import options_of, sent

INF = float("inf")


def pairs(kind, **scores):
    return [(kind.text(member), score) for member, score in scores.items()]


@pytest.fixture
def z(r):
    """A sorted set of four members."""
    r.zadd("z", {"a": 1, "b": 2.5, "c": 3, "d": INF})
    return "z"


def test_adding_scores_and_members(r, kind):
    assert r.zadd("z", 1, "a", 2.5, "b") == 2
    assert r.zadd("z", 3, "a", c=4) == 1
    assert r.zadd("z", d="5") == 1
    assert r.zadd("z", "-inf", "e", Decimal("1.5"), "f") == 2
    assert r.zrange("z", 0, -1, withscores=True) == pairs(kind, e=-INF, f=1.5, b=2.5, a=3.0, c=4.0, d=5.0)


def test_adding_a_mapping(r, kind):
    assert r.zadd("z", {"a": 1, "b": 2}) == 2
    assert r.zadd("z", {"a": 5, "c": 3}, nx=True) == 1
    assert r.zadd("z", {"a": 2, "x": 3}, xx=True, ch=True) == 1
    assert r.zadd("z", {"a": 1, "b": 9}, gt=True, ch=True) == 1
    assert r.zadd("z", {"a": 1, "b": 10}, lt=True, ch=True) == 1
    assert r.zadd("z", mapping={"d": 4}) == 1
    assert r.zrange("z", 0, -1, withscores=True) == pairs(kind, a=1.0, c=3.0, d=4.0, b=9.0)


def test_adding_to_a_score(r):
    assert r.zadd("z", {"a": 1.5}, incr=True) == 1.5
    assert r.zadd("z", {"a": 2}, incr=True) == 3.5
    assert r.zadd("z", {"a": 2}, incr=True, nx=True) is None
    assert r.zincrby("z", "a") == 4.5
    assert r.zincrby("z", "a", -0.5) == 4.0
    assert r.zincrby("z", "new", amount=2) == 2.0


@pytest.mark.parametrize(
    ("args", "kwargs", "words"),
    [
        ((1, "a"), {}, (1, "a")),
        ((1, "a", 2, "b"), {"c": 3}, (1, "a", 2, "b", 3, "c")),
        ((1, "a"), {"nx": 2, "incr": 3, "mapping": 4}, (1, "a", 2, "nx", 3, "incr", 4, "mapping")),
        (({"a": 1, "b": 2},), {}, (1, "a", 2, "b")),
        (({"a": 1},), {"nx": True, "ch": True, "incr": True}, (b"NX", b"CH", b"INCR", 1, "a")),
        (({"a": 1},), {"xx": True, "gt": True}, (b"XX", b"GT", 1, "a")),
        (({"a": 1}, False, True, True), {"lt": True}, (b"XX", b"LT", b"CH", 1, "a")),
        ((), {"mapping": {"a": 1}, "nx": False, "xx": True}, (b"XX", 1, "a")),
    ],
)
def test_the_words_of_zadd(args, kwargs, words):
    assert sent(lambda client: client.zadd("z", *args, **kwargs)) == ("ZADD", "z", *words)


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, r"there must be one at least; the order is zadd\(name, score1, member1, ...\)"),
        ((1, "a", 2), {}, r"each member needs a score.* zadd\(name, score1, member1, ...\)"),
        (("a", 1), {}, r"a score is to be a number, not str; the order is zadd\(name, score1, member1, ...\)"),
        ((b"a", 1), {}, "a score is to be a number, not bytes"),
        ((1, "a"), {"b": "c"}, "a score is to be a number, not str"),
        ((None, "a"), {}, "a score is to be a number, not NoneType"),
        (({},), {}, "the mapping must have at least one member and score"),
        (({"a": 1, "b": 2},), {"incr": True}, "incr needs a mapping of exactly one"),
        (({"a": 1},), {"nx": True, "xx": True}, "nx and xx exclude each other"),
        (({"a": 1},), {"nx": True, "gt": True}, "nx and gt exclude each other"),
        (({"a": 1},), {"lt": True, "gt": True}, "gt and lt exclude each other"),
        (({"a": 1},), {"b": 2}, "a mapping is followed by nothing but nx, xx, ch, incr, gt, lt"),
        (({"a": 1}, True), {"nx": True}, "a mapping is followed by nothing but nx, .*, each of them once"),
        (({"a": 1}, 1, 0, 0, 0, 0, 0, 0), {}, "a mapping is followed by nothing but nx"),
    ],
)
def test_zadd_that_cannot_be_meant(args, kwargs, message):
    with pytest.raises(DataError, match=message):
        sent(lambda client: client.zadd("z", *args, **kwargs))


def test_zincrby_in_the_order_of_the_command():
    assert sent(lambda client: client.zincrby("z", "a", 2)) == ("ZINCRBY", "z", 2, "a")
    assert sent(lambda client: client.zincrby("z", 2, "3")) == ("ZINCRBY", "z", "3", 2)
    with pytest.raises(DataError, match=r"not str; the order is zincrby\(name, value, amount\)"):
        sent(lambda client: client.zincrby("z", 2, "a"))


def test_members_and_scores(r, z):
    assert r.zcard(z) == 4
    assert r.zcard("missing") == 0
    assert r.zscore(z, "b") == 2.5
    assert r.zscore(z, "d") == INF
    assert r.zscore(z, "missing") is None
    assert r.zmscore(z, ["a", "missing", "d"]) == [1.0, None, INF]
    assert r.zmscore(z, "b") == [2.5]
    assert r.zrem(z, "a", "b", "missing") == 2
    assert r.zcard(z) == 2


def test_taking_from_the_ends(r, z, kind):
    assert r.zpopmin(z) == pairs(kind, a=1.0)
    assert r.zpopmax(z, 1) == pairs(kind, d=INF)
    assert r.zpopmax(z) == pairs(kind, c=3.0)
    assert r.zpopmin(z, count=5) == pairs(kind, b=2.5)
    assert r.zpopmin(z) == []
    assert r.zpopmax(z, 2) == []


def test_zmpop(r, z, kind):
    assert r.zmpop(2, ["y", z], min=True) == [kind.text(z), pairs(kind, a=1.0)]
    assert r.zmpop(1, z, max=True, count=2) == [kind.text(z), pairs(kind, d=INF, c=3.0)]
    assert r.zmpop(1, "y", max=True) is None


def test_some_member(r, kind):
    assert r.zrandmember("z") is None
    assert r.zrandmember("z", 2) == []
    r.zadd("z", {"a": 1.5})
    assert r.zrandmember("z") == kind.text("a")
    assert r.zrandmember("z", 5) == [kind.text("a")]
    assert r.zrandmember("z", -2, withscores=True) == pairs(kind, a=1.5) * 2


def test_some_member_with_its_score_needs_a_count():
    with pytest.raises(DataError, match="withscores needs count"):
        sent(lambda client: client.zrandmember("z", withscores=True))


@pytest.fixture
def two(r):
    """Two sorted sets, and a plain one."""
    r.zadd("x", {"a": 1, "b": 2, "c": 3})
    r.zadd("y", {"b": 10, "c": 0.5, "d": 4})
    r.sadd("plain", "a", "d")


@pytest.mark.usefixtures("two")
def test_several_sets(r, kind):
    assert r.zdiff(["x", "y"]) == [kind.text("a")]
    assert r.zdiff("x", withscores=True) == pairs(kind, a=1.0, b=2.0, c=3.0)
    assert r.zinter(["x", "y"]) == [kind.text("c"), kind.text("b")]
    assert r.zinter(["x", "y"], withscores=True) == pairs(kind, c=3.5, b=12.0)
    assert r.zinter({"x": 2, "y": 1}, "MAX", withscores=True) == pairs(kind, c=6.0, b=10.0)
    assert r.zunion(["x", "plain"], aggregate="min") == [kind.text("a"), kind.text("d"), kind.text("b"), kind.text("c")]
    assert r.zunion(["x", "y"], withscores=True) == pairs(kind, a=1.0, c=3.5, d=4.0, b=12.0)
    assert r.zunion("missing", withscores=True) == []
    assert r.zintercard(2, ["x", "y"]) == 2
    assert r.zintercard(2, ["x", "y"], limit=1) == 1


@pytest.mark.usefixtures("two")
def test_scores_of_another_type(r, kind):
    as_text = {"withscores": True, "score_cast_func": lambda score: score}
    assert r.zunion(["x", "y"], **as_text) == [
        (kind.text(member), kind.text(score)) for member, score in (("a", "1"), ("c", "3.5"), ("d", "4"), ("b", "12"))
    ]
    assert r.zunion("x", withscores=True, score_cast_func=int) == pairs(kind, a=1, b=2, c=3)


@pytest.mark.usefixtures("two")
def test_storing_several_sets(r, kind):
    assert r.zdiffstore("to", ["x", "y"]) == 1
    assert r.zrange("to", 0, -1, withscores=True) == pairs(kind, a=1.0)
    assert r.zinterstore("to", {"x": 1, "y": 10}, aggregate="SUM") == 2
    assert r.zrange("to", 0, -1, withscores=True) == pairs(kind, c=8.0, b=102.0)
    assert r.zunionstore("to", ["x", "y"], "MIN") == 4
    assert r.zrange("to", 0, -1, withscores=True) == pairs(kind, c=0.5, a=1.0, b=2.0, d=4.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda client: client.zinterstore("to", ["x", "y"]), ("ZINTERSTORE", "to", 2, "x", "y")),
        (
            lambda client: client.zunionstore("to", {"x": 2, "y": 0}, "count"),
            ("ZUNIONSTORE", "to", 2, "x", "y", b"WEIGHTS", 2, 0, b"AGGREGATE", b"COUNT"),
        ),
        (lambda client: client.zdiff({"x": 2}, True), ("ZDIFF", 1, "x", b"WITHSCORES")),
        (lambda client: client.zdiffstore("to", ("x", "y")), ("ZDIFFSTORE", "to", 2, "x", "y")),
        (lambda client: client.zinter("x", "MIN", True), ("ZINTER", 1, "x", b"AGGREGATE", b"MIN", b"WITHSCORES")),
        (lambda client: client.zintercard(1, "x"), ("ZINTERCARD", 1, "x")),
        (lambda client: client.zintercard(2, ["x", "y"], 5), ("ZINTERCARD", 2, "x", "y", b"LIMIT", 5)),
        (lambda client: client.zpopmin("z", 0), ("ZPOPMIN", "z", 0)),
        (lambda client: client.zmpop(2, ["x", "y"], max=True, count=None), ("ZMPOP", 2, "x", "y", b"MAX")),
        (lambda client: client.zmpop(1, "x", min=True), ("ZMPOP", 1, "x", b"MIN", b"COUNT", 1)),
        (lambda client: client.zscan("z", 5, "a*", 0), ("ZSCAN", "z", 5, b"MATCH", "a*", b"COUNT", 0)),
        (lambda client: client.bzpopmin("z"), ("BZPOPMIN", "z", 0)),
        (lambda client: client.bzpopmax(["y", "z"], None), ("BZPOPMAX", "y", "z", 0)),
        (lambda client: client.bzmpop(5, 1, "z", min=True), ("BZMPOP", 5, 1, "z", b"MIN", b"COUNT", 1)),
        (lambda client: client.bzmpop(None, 1, "z", max=True, count=None), ("BZMPOP", 0, 1, "z", b"MAX")),
    ],
)
def test_the_words(call, words):
    assert sent(call) == words


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda client: client.bzmpop(0, 2, "z", min=True), "numkeys is 2, but there are 1 keys"),
        (lambda client: client.bzmpop(0, 1, "z"), "one of min and max must be true"),
        (lambda client: client.bzmpop(0, 1, "z", min=True, max=True), "min and max exclude each other"),
        (lambda client: client.zmpop(1, ["y", "z"], min=True), "num_keys is 1, but there are 2 keys"),
        (lambda client: client.zmpop(1, "z"), "one of min and max must be true"),
        (lambda client: client.zintercard(2, "z"), "numkeys is 2, but there are 1 keys"),
        (lambda client: client.zunion("z", "AVG"), "aggregate is SUM or MIN or MAX or COUNT, not 'AVG'"),
        (lambda client: client.zinterstore("to", "z", "AVG"), "aggregate is SUM or MIN or MAX or COUNT, not 'AVG'"),
    ],
)
def test_what_cannot_be_meant(call, message):
    with pytest.raises(DataError, match=message):
        sent(call)


def test_scanning(r, z, kind):
    assert r.zscan("missing") == (0, [])
    cursor, members = r.zscan(z)
    assert (cursor, sorted(members)) == (0, pairs(kind, a=1.0, b=2.5, c=3.0, d=INF))
    assert r.zscan(z, 0, "c*", 10, int) == (0, pairs(kind, c=3))
    assert options_of(lambda client: client.zscan("z")) == {"score_cast_func": float}


def test_zscan_iter(r, kind):
    assert list(r.zscan_iter("z")) == []
    r.zadd("z", {f"m{number}": number for number in range(1000)})
    assert sorted(r.zscan_iter("z", count=100), key=lambda pair: pair[1]) == [
        (kind.text(f"m{number}"), float(number)) for number in range(1000)
    ]
    assert list(r.zscan_iter("z", match="m17", score_cast_func=int)) == pairs(kind, m17=17)


def test_a_raw_command_without_options(r, z, kind):
    assert r.execute_command("ZUNION", 1, z) == [kind.text(member) for member in "abcd"]
    cursor, members = r.execute_command("ZSCAN", z, 0, "MATCH", "b")
    assert (cursor, members) == (0, pairs(kind, b=2.5))


def test_a_key_of_another_type(r):
    r.set("k", "v")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        r.zadd("k", {"a": 1})


def test_waiting_for_what_is_there(r, z, kind):
    assert r.bzpopmin(z) == (kind.text(z), kind.text("a"), 1.0)
    assert r.bzpopmax(["y", z], 1) == (kind.text(z), kind.text("d"), INF)
    assert r.bzmpop(1, 2, ["y", z], min=True, count=5) == [kind.text(z), pairs(kind, b=2.5, c=3.0)]


@pytest.mark.parametrize(
    "call",
    [
        lambda r: r.bzpopmin("z", 0.05),
        lambda r: r.bzpopmax(["y", "z"], 0.05),
        lambda r: r.bzmpop(0.05, 1, "z", max=True),
    ],
    ids=["bzpopmin", "bzpopmax", "bzmpop"],
)
def test_waiting_until_the_time_is_over(r, call):
    started = time.monotonic()
    assert call(r) is None
    assert 0.049 <= time.monotonic() - started < 2


def test_waiting_until_a_member_comes(r, kind, make_client):
    other = make_client()
    adder = threading.Timer(0.05, other.zadd, ("z", {"a": 1}))
    adder.start()
    assert r.bzpopmin(["y", "z"]) == (kind.text("z"), kind.text("a"), 1.0)
    adder.join()
