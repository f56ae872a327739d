"""The commands on lists: what comes back from a real server, and what every option sends."""

import threading
import time

import pytest

from redis.exceptions import DataError, ResponseError
from tests.recorder import sent


def texts(kind, words):
    return [kind.text(word) for word in words.split()]


def test_push_and_range(r, kind):
    assert r.lrange("l", 0, -1) == []
    assert r.rpush("l", "a", "b") == 2
    assert r.lpush("l", "c", "d") == 4
    assert r.lrange("l", 0, -1) == texts(kind, "d c a b")
    assert r.lrange("l", 1, 2) == texts(kind, "c a")
    assert r.llen("l") == 4
    assert r.llen("missing") == 0


def test_push_to_a_list_that_is_there(r, kind):
    assert r.lpushx("l", "a") == 0
    assert r.rpushx("l", "a") == 0
    r.rpush("l", "x")
    assert r.lpushx("l", "a", "b") == 3
    assert r.rpushx("l", value="c") == 4
    assert r.lrange("l", 0, -1) == texts(kind, "b a x c")


def test_pop(r, kind):
    assert r.lpop("l") is None
    assert r.rpop("l") is None
    assert r.lpop("l", 2) is None
    assert r.rpop("l", 2) is None
    r.rpush("l", *"abcdef")
    assert r.lpop("l") == kind.text("a")
    assert r.rpop("l") == kind.text("f")
    assert r.lpop("l", 2) == texts(kind, "b c")
    assert r.rpop("l", count=5) == texts(kind, "e d")


def test_elements(r, kind):
    r.rpush("l", "a", "c")
    assert r.linsert("l", "before", "c", "b") == 3
    assert r.linsert("l", "AFTER", "c", "d") == 4
    assert r.linsert("l", "after", "missing", "x") == -1
    assert r.linsert("missing", "after", "a", "x") == 0
    assert r.lindex("l", 1) == kind.text("b")
    assert r.lindex("l", -1) == kind.text("d")
    assert r.lindex("l", 9) is None
    assert r.lset("l", 0, "z") is True
    assert r.lindex("l", 0) == kind.text("z")
    with pytest.raises(ResponseError, match="out of range"):
        r.lset("l", 9, "z")


def test_remove_and_trim(r, kind):
    r.rpush("l", *"abaca")
    assert r.lrem("l", 1, "a") == 1
    assert r.lrem("l", -1, "a") == 1
    assert r.lrange("l", 0, -1) == texts(kind, "b a c")
    assert r.lrem("l", 0, "missing") == 0
    assert r.ltrim("l", 1, -1) is True
    assert r.lrange("l", 0, -1) == texts(kind, "a c")


def test_lpos(r):
    r.rpush("l", *"abcabc")
    assert r.lpos("l", "b") == 1
    assert r.lpos("l", "x") is None
    assert r.lpos("l", "b", rank=2) == 4
    assert r.lpos("l", "b", -1) == 4
    assert r.lpos("l", "b", count=0) == [1, 4]
    assert r.lpos("l", "b", count=0, maxlen=3) == [1]
    assert r.lpos("l", "x", count=0) == []
    words = ("LPOS", "l", "b", b"RANK", 1, b"COUNT", 0, b"MAXLEN", 0)
    assert sent(lambda client: client.lpos("l", "b", 1, 0, 0)) == words


def test_move(r, kind):
    assert r.rpoplpush("a", "b") is None
    assert r.lmove("a", "b") is None
    r.rpush("a", *"12345")
    assert r.rpoplpush("a", "b") == kind.text("5")
    assert r.lmove("a", "b") == kind.text("1")
    assert r.lmove("a", "b", "RIGHT", "LEFT") == kind.text("4")
    assert r.lrange("b", 0, -1) == texts(kind, "4 5 1")


def test_lmpop(r, kind):
    assert r.lmpop(2, "a", "b", direction="LEFT") is None
    r.rpush("b", *"1234")
    assert r.lmpop(2, "a", "b", direction="left") == [kind.text("b"), texts(kind, "1")]
    assert r.lmpop(1, "b", direction="RIGHT", count=2) == [kind.text("b"), texts(kind, "4 3")]


def test_the_words_of_lmpop():
    assert sent(lambda client: client.lmpop(2, "a", "b", direction="left")) == (
        *("LMPOP", 2, "a", "b", b"LEFT", b"COUNT", 1),
    )
    assert sent(lambda client: client.lmpop(1, "a", direction="RIGHT", count=None)) == ("LMPOP", 1, "a", b"RIGHT")
    words = ("BLMPOP", 0, 1, "a", b"LEFT", b"COUNT", 3)
    assert sent(lambda client: client.blmpop(None, 1, "a", direction="LEFT", count=3)) == words


@pytest.mark.parametrize("call", [("lmpop", (2, "a")), ("blmpop", (0, 2, "a"))])
def test_a_number_of_keys_that_is_not_theirs(call):
    method, args = call
    with pytest.raises(DataError, match="given as 2, but there are 1"):
        sent(lambda client: getattr(client, method)(*args, direction="LEFT"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda client: client.lmpop(1, "a", direction="UP"), "direction is LEFT or RIGHT, not 'UP'"),
        (lambda client: client.lmove("a", "b", "UP"), "src is LEFT or RIGHT, not 'UP'"),
        (lambda client: client.blmove("a", "b", 0, dest="UP"), "dest is LEFT or RIGHT, not 'UP'"),
        (lambda client: client.linsert("a", "under", "b", "c"), "where is BEFORE or AFTER, not 'under'"),
    ],
)
def test_a_place_that_is_none(call, message):
    with pytest.raises(DataError, match=message):
        sent(call)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, (b"LEFT", b"RIGHT")),
        ({"src": "RIGHT", "dest": "left"}, (b"RIGHT", b"LEFT")),
        ({"count": 2, "ordering": "OBO"}, (b"LEFT", b"RIGHT", b"COUNT", 2, b"OBO")),
        ({"count": 2, "mode": "exactly", "ordering": "bulk"}, (b"LEFT", b"RIGHT", b"EXACTLY", 2, b"BULK")),
    ],
)
def test_the_words_of_lmovem(options, words):
    assert sent(lambda client: client.lmovem("a", "b", **options)) == ("LMOVEM", "a", "b", *words)
    ends, how_many = words[:2], words[2:]
    assert sent(lambda client: client.blmovem("a", "b", 5, **options)) == ("BLMOVEM", "a", "b", *ends, 5, *how_many)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 2}, "count needs ordering"),
        ({"mode": "COUNT"}, "need count"),
        ({"ordering": "OBO"}, "need count"),
        ({"count": 2, "ordering": "up"}, "ordering is OBO or BULK"),
        ({"count": 2, "ordering": "OBO", "mode": "most"}, "mode is COUNT or EXACTLY"),
    ],
)
def test_options_of_lmovem_that_cannot_be_meant(options, message):
    with pytest.raises(DataError, match=message):
        sent(lambda client: client.lmovem("a", "b", **options))
    with pytest.raises(DataError, match=message):
        sent(lambda client: client.blmovem("a", "b", 0, **options))


def test_blocking_pops_of_what_is_there(r, kind):
    r.rpush("b", *"12345")
    assert r.blpop("b") == (kind.text("b"), kind.text("1"))
    assert r.blpop(["a", "b"], timeout=1) == (kind.text("b"), kind.text("2"))
    assert r.brpop(("a", "b"), None) == (kind.text("b"), kind.text("5"))
    assert r.brpop(b"b", 1) == (kind.text("b"), kind.text("4"))
    assert r.blmpop(1, 2, "a", "b", direction="LEFT", count=2) == [kind.text("b"), texts(kind, "3")]


def test_blocking_moves_of_what_is_there(r, kind):
    r.rpush("a", *"123")
    assert r.brpoplpush("a", "b") == kind.text("3")
    assert r.brpoplpush("a", "b", None) == kind.text("2")
    assert r.blmove("a", "b", 1, "LEFT", "LEFT") == kind.text("1")
    assert r.lrange("b", 0, -1) == texts(kind, "1 2 3")


@pytest.mark.parametrize(
    "call",
    [
        lambda r: r.blpop(["a", "b"], 0.05),
        lambda r: r.brpop("a", 0.05),
        lambda r: r.brpoplpush("a", "b", 0.05),
        lambda r: r.blmove("a", "b", 0.05),
        lambda r: r.blmpop(0.05, 1, "a", direction="LEFT"),
    ],
    ids=["blpop", "brpop", "brpoplpush", "blmove", "blmpop"],
)
def test_blocking_until_the_time_is_over(r, call):
    started = time.monotonic()
    assert call(r) is None
    assert 0.049 <= time.monotonic() - started < 2


def test_blocking_until_an_element_comes(r, kind, make_client):
    other = make_client()
    pusher = threading.Timer(0.05, other.rpush, ("b", "x"))
    pusher.start()
    assert r.blpop(["a", "b"]) == (kind.text("b"), kind.text("x"))
    pusher.join()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda client: client.blpop("a"), ("BLPOP", "a", 0)),
        (lambda client: client.blpop(["a", "b"], 1.5), ("BLPOP", "a", "b", 1.5)),
        (lambda client: client.blpop("a", timeout=None), ("BLPOP", "a", 0)),
        (lambda client: client.brpop(b"a", None), ("BRPOP", b"a", 0)),
        (lambda client: client.brpoplpush("a", "b", None), ("BRPOPLPUSH", "a", "b", 0)),
        (lambda client: client.blmove("a", "b", 0), ("BLMOVE", "a", "b", b"LEFT", b"RIGHT", 0)),
    ],
)
def test_the_words_of_waiting(call, words):
    assert sent(call) == words
