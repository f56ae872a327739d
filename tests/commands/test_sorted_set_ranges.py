"""The commands on ranges of sorted sets: what comes back from a real server, and what every option sends."""

import pytest

from redis.exceptions import DataError, ResponseError
from tests.recorder import options_of, sent


def texts(kind, words):
    return [kind.text(word) for word in words.split()]


def pairs(kind, **scores):
    return [(kind.text(member), score) for member, score in scores.items()]


@pytest.fixture
def r(r):
    """A client of each kind; there are a set that its scores order, and one of equal scores that its names order."""
    r.zadd("z", {"a": 1, "b": 2.5, "c": 3, "d": 4})
    r.zadd("names", dict.fromkeys("abcdef", 0))
    return r


def test_by_rank(r, kind):
    assert r.zrange("z", 0, 1) == texts(kind, "a b")
    assert r.zrange("z", -2, -1, withscores=True) == pairs(kind, c=3.0, d=4.0)
    assert r.zrange("z", 0, 1, desc=True) == texts(kind, "d c")
    assert r.zrange("z", 0, 1, True, True, int) == pairs(kind, d=4, c=3)
    assert r.zrange("missing", 0, -1, withscores=True) == []
    assert r.zrevrange("z", 0, 1) == texts(kind, "d c")
    assert r.zrevrange("z", 2, -1, withscores=True) == pairs(kind, b=2.5, a=1.0)
    assert r.zrevrange("z", 0, 0, True, score_cast_func=int) == pairs(kind, d=4)


def test_scores_are_cast_from_the_same_text_in_every_protocol(r, kind):
    texts_of_scores = [(kind.text("a"), kind.text("1")), (kind.text("b"), kind.text("2.5"))]
    assert r.zrange("z", 0, 1, withscores=True, score_cast_func=lambda score: score) == texts_of_scores
    assert r.zrangebyscore("z", 1, 2.5, withscores=True, score_cast_func=lambda score: score) == texts_of_scores


def test_zrange_by_score(r, kind):
    assert r.zrange("z", 2, "(4", byscore=True) == texts(kind, "b c")
    assert r.zrange("z", "+inf", 2, desc=True, byscore=True, withscores=True) == pairs(kind, d=4.0, c=3.0, b=2.5)
    assert r.zrange("z", 1, 4, byscore=True, offset=1, num=2) == texts(kind, "b c")


def test_zrange_by_name(r, kind):
    assert r.zrange("names", "[b", "(e", bylex=True) == texts(kind, "b c d")
    assert r.zrange("names", "+", "-", desc=True, bylex=True, offset=1, num=2) == texts(kind, "e d")


def test_by_score(r, kind):
    assert r.zrangebyscore("z", 1, 3) == texts(kind, "a b c")
    assert r.zrangebyscore("z", "(1", "+inf", start=1, num=5) == texts(kind, "c d")
    assert r.zrangebyscore("z", 1, 3, 0, 2, withscores=True) == pairs(kind, a=1.0, b=2.5)
    assert r.zrevrangebyscore("z", 3, 1) == texts(kind, "c b a")
    assert r.zrevrangebyscore("z", "+inf", "(1", start=1, num=5) == texts(kind, "c b")
    assert r.zrevrangebyscore("z", 4, 3, withscores=True, score_cast_func=int) == pairs(kind, d=4, c=3)


def test_by_name(r, kind):
    assert r.zrangebylex("names", "-", "[c") == texts(kind, "a b c")
    assert r.zrangebylex("names", "(b", "+", start=1, num=2) == texts(kind, "d e")
    assert r.zrevrangebylex("names", "[c", "-") == texts(kind, "c b a")
    assert r.zrevrangebylex("names", "+", "(b", 1, 2) == texts(kind, "e d")


def test_counting(r):
    assert r.zcount("z", "-inf", "(3") == 2
    assert r.zcount("z", 3, 9) == 2
    assert r.zlexcount("names", "[b", "[d") == 3
    assert r.zlexcount("missing", "-", "+") == 0


def test_ranks(r):
    assert r.zrank("z", "b") == 1
    assert r.zrevrank("z", "b") == 2
    assert r.zrank("z", "missing") is None
    assert r.zrevrank("missing", "b") is None


def test_ranks_with_scores(r):
    assert r.zrank("z", "b", withscore=True) == [1, 2.5]
    assert r.zrevrank("z", "b", True) == [2, 2.5]
    assert r.zrank("z", "c", True, int) == [2, 3]
    assert r.zrevrank("z", "a", True, str) == [3, "1.0"]
    assert r.zrank("z", "missing", withscore=True) is None


def test_removing(r, kind):
    assert r.zremrangebyrank("z", 0, 0) == 1
    assert r.zremrangebyscore("z", "(3", "+inf") == 1
    assert r.zrange("z", 0, -1) == texts(kind, "b c")
    assert r.zremrangebylex("names", "(a", "(f") == 4
    assert r.zrange("names", 0, -1) == texts(kind, "a f")


def test_storing_a_range(r, kind):
    assert r.zrangestore("to", "z", 1, 2) == 2
    assert r.zrange("to", 0, -1, withscores=True) == pairs(kind, b=2.5, c=3.0)
    assert r.zrangestore("to", "z", 4, 1, byscore=True, desc=True, offset=0, num=1) == 1
    assert r.zrange("to", 0, -1) == texts(kind, "d")
    assert r.zrangestore("to", "missing", 0, -1) == 0


def test_a_raw_command_without_options(r, kind):
    assert r.execute_command("ZRANGE", "z", 0, 0) == texts(kind, "a")
    assert r.execute_command("ZRANK", "z", "b") == 1


def test_a_bound_that_is_none(r):
    with pytest.raises(ResponseError, match="not a float"):
        r.zcount("z", "a", "b")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda client: client.zrange("z", 0, -1), ("ZRANGE", "z", 0, -1)),
        (lambda client: client.zrange("z", 0, -1, withscores=True), ("ZRANGE", "z", 0, -1, b"WITHSCORES")),
        (lambda client: client.zrange("z", 0, -1, True, True), ("ZREVRANGE", "z", 0, -1, b"WITHSCORES")),
        (
            lambda client: client.zrange("z", 9, 0, True, True, byscore=True, offset=0, num=0),
            ("ZRANGE", "z", 9, 0, b"BYSCORE", b"REV", b"LIMIT", 0, 0, b"WITHSCORES"),
        ),
        (lambda client: client.zrange("z", "-", "+", bylex=True), ("ZRANGE", "z", "-", "+", b"BYLEX")),
        (
            lambda client: client.zrangestore("to", "z", "+", "-", bylex=True, desc=True, offset=1, num=2),
            ("ZRANGESTORE", "to", "z", "+", "-", b"BYLEX", b"REV", b"LIMIT", 1, 2),
        ),
        (
            lambda client: client.zrangebyscore("z", 0, 9, 0, 5, True),
            ("ZRANGEBYSCORE", "z", 0, 9, b"WITHSCORES", b"LIMIT", 0, 5),
        ),
        (
            lambda client: client.zrevrangebyscore("z", 9, 0, 0, 5, True),
            ("ZREVRANGEBYSCORE", "z", 9, 0, b"WITHSCORES", b"LIMIT", 0, 5),
        ),
        (lambda client: client.zrangebylex("z", "-", "+", 0, 5), ("ZRANGEBYLEX", "z", "-", "+", b"LIMIT", 0, 5)),
        (lambda client: client.zrevrangebylex("z", "+", "-", 0, 5), ("ZREVRANGEBYLEX", "z", "+", "-", b"LIMIT", 0, 5)),
        (lambda client: client.zrank("z", "a"), ("ZRANK", "z", "a")),
        (lambda client: client.zrevrank("z", "a", True), ("ZREVRANK", "z", "a", b"WITHSCORE")),
    ],
)
def test_the_words(call, words):
    assert sent(call) == words


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.zrange("z", 0, 1, False, True, int),
        lambda client: client.zrange("z", 0, 1, True, True, int),
        lambda client: client.zrevrange("z", 0, 1, True, int),
        lambda client: client.zrangebyscore("z", 0, 1, None, None, True, int),
        lambda client: client.zrevrangebyscore("z", 0, 1, None, None, True, int),
    ],
)
def test_the_options_reach_the_callback(call):
    assert options_of(call) == {"withscores": True, "score_cast_func": int}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda client: client.zrange("z", 0, 1, byscore=True, bylex=True), "byscore and bylex exclude each other"),
        (lambda client: client.zrange("z", 0, 1, byscore=True, offset=1), "offset and num must be given together"),
        (lambda client: client.zrange("z", 0, 1, True, num=1), "offset and num must be given together"),
        (lambda client: client.zrange("z", 0, 1, True, offset=0, num=1), "offset and num need byscore or bylex"),
        (lambda client: client.zrange("z", 0, 1, bylex=True, withscores=True), "bylex and withscores exclude"),
        (lambda client: client.zrangestore("to", "z", 0, 1, offset=0, num=1), "offset and num need byscore or bylex"),
        (lambda client: client.zrangebyscore("z", 0, 1, start=1), "start and num must be given together"),
        (lambda client: client.zrevrangebyscore("z", 0, 1, num=1), "start and num must be given together"),
        (lambda client: client.zrangebylex("z", "-", "+", num=0), "start and num must be given together"),
        (lambda client: client.zrevrangebylex("z", "-", "+", 0), "start and num must be given together"),
    ],
)
def test_what_cannot_be_meant(call, message):
    with pytest.raises(DataError, match=message):
        sent(call)
