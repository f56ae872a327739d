"""The commands on sets: what comes back from a real server, and what every option sends."""

import pytest

from redis.exceptions import DataError
from tests.recorder import sent


def texts(kind, words):
    return {kind.text(word) for word in words.split()}


def test_members(r, kind):
    assert r.smembers("s") == set()
    assert r.sadd("s", "a", "b") == 2
    assert r.sadd("s", "b", "c") == 1
    assert r.smembers("s") == texts(kind, "a b c")
    assert r.scard("s") == 3
    assert r.scard("missing") == 0
    assert r.sismember("s", "a") is True
    assert r.sismember("s", "x") is False
    assert r.smismember("s", ["a", "x"]) == [True, False]
    assert r.smismember("s", "x", "b", "c") == [False, True, True]
    assert r.srem("s", "a", "x") == 1
    assert r.smembers("s") == texts(kind, "b c")


def test_moving(r, kind):
    r.sadd("a", "1", "2")
    assert r.smove("a", "b", "1") is True
    assert r.smove("a", "b", "missing") is False
    assert r.smembers("a") == texts(kind, "2")
    assert r.smembers("b") == texts(kind, "1")


def test_taking(r, kind):
    assert r.spop("s") is None
    assert r.spop("s", 2) == []
    r.sadd("s", "a", "b", "c")
    taken = {r.spop("s"), *r.spop("s", 1)}
    assert r.spop("s", 0) == []
    assert taken | set(r.spop("s", 9)) == texts(kind, "a b c")
    assert len(taken) == 2
    assert r.scard("s") == 0


def test_some_member(r, kind):
    assert r.srandmember("s") is None
    assert r.srandmember("s", 2) == []
    r.sadd("s", "a")
    assert r.srandmember("s") == kind.text("a")
    assert r.srandmember("s", 0) == []
    assert r.srandmember("s", 5) == [kind.text("a")]
    assert r.srandmember("s", number=-3) == [kind.text("a")] * 3


@pytest.fixture
def three(r):
    """Three sets, which have a, b, c and b, c, d and c, d, e."""
    for name, members in {"x": "abc", "y": "bcd", "z": "cde"}.items():
        r.sadd(name, *members)


@pytest.mark.usefixtures("three")
def test_several_sets(r, kind):
    assert r.sdiff("x", "y") == texts(kind, "a")
    assert r.sdiff(["x", "y"], "z") == texts(kind, "a")
    assert r.sinter("x", "y") == texts(kind, "b c")
    assert r.sinter(["x", "y", "z"]) == texts(kind, "c")
    assert r.sinter("x", "missing") == set()
    assert r.sunion("x", "z") == texts(kind, "a b c d e")
    assert r.sunion(("missing",)) == set()


@pytest.mark.usefixtures("three")
def test_storing_several_sets(r, kind):
    assert r.sdiffstore("to", "x", "y") == 1
    assert r.smembers("to") == texts(kind, "a")
    assert r.sinterstore("to", ["x", "y"]) == 2
    assert r.smembers("to") == texts(kind, "b c")
    assert r.sunionstore("to", "x", "y", "z") == 5
    assert r.smembers("to") == texts(kind, "a b c d e")


@pytest.mark.usefixtures("three")
def test_sintercard(r):
    assert r.sintercard(2, ["x", "y"]) == 2
    assert r.sintercard(2, ["x", "y"], limit=1) == 1
    assert r.sintercard(1, "x") == 3


def test_scanning(r, kind):
    assert r.sscan("s") == (0, [])
    r.sadd("s", "a", "b")
    cursor, members = r.sscan("s")
    assert (cursor, set(members)) == (0, texts(kind, "a b"))
    assert r.sscan("s", 0, "b*", 10) == (0, [kind.text("b")])


def test_sscan_iter(r, kind):
    assert list(r.sscan_iter("s")) == []
    r.sadd("s", *(f"m{number}" for number in range(1000)))
    assert set(r.sscan_iter("s", count=100)) == {kind.text(f"m{number}") for number in range(1000)}
    assert list(r.sscan_iter("s", match="m17")) == [kind.text("m17")]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda client: client.sscan("s", 5, "a*", 0), ("SSCAN", "s", 5, b"MATCH", "a*", b"COUNT", 0)),
        (lambda client: client.sintercard(1, "x", 0), ("SINTERCARD", 1, "x")),
        (lambda client: client.sintercard(2, ("x", "y"), 5), ("SINTERCARD", 2, "x", "y", b"LIMIT", 5)),
        (lambda client: client.sdiffcard(2, ["x", "y"]), ("SDIFFCARD", 2, "x", "y")),
        (lambda client: client.sdiffcard(1, "x", limit=5), ("SDIFFCARD", 1, "x", b"LIMIT", 5)),
        (lambda client: client.sunioncard(2, ["x", "y"]), ("SUNIONCARD", 2, "x", "y")),
        (lambda client: client.sunioncard(1, "x", 5, True), ("SUNIONCARD", 1, "x", b"APPROX", b"LIMIT", 5)),
    ],
)
def test_the_words(call, words):
    assert sent(call) == words


@pytest.mark.parametrize("method", ["sintercard", "sdiffcard", "sunioncard"])
def test_a_number_of_keys_that_is_not_theirs(method):
    with pytest.raises(DataError, match="numkeys is 2, but there are 1 keys"):
        sent(lambda client: getattr(client, method)(2, "x"))
