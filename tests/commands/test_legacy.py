"""The class ``Redis``: the older orders of arguments, and None for no time to live."""

from datetime import timedelta

import pytest

from redis.client import Redis
from redis.commands.legacy import LegacyCommands
from redis.exceptions import DataError, ResponseError
from tests.recorder import Recorder


class LegacyRecorder(LegacyCommands, Recorder):
    pass


@pytest.fixture
def old(make_client, kind):
    """A client of the older class, of each kind."""
    return make_client(Redis, **kind.options)


def sent(call):
    recorder = LegacyRecorder()
    call(recorder)
    return recorder.words


def test_setex(old, kind):
    assert old.setex("k", "v", 100) is True
    assert old.get("k") == kind.text("v")
    assert 98 <= old.ttl("k") <= 100
    assert old.setex("k", "v", timedelta(minutes=1)) is True
    assert 58 <= old.ttl("k") <= 60
    with pytest.raises(ResponseError, match="invalid expire"):
        old.setex("k", "v", 0)


def test_lrem(old, kind):
    old.rpush("l", *"abaca")
    assert old.lrem("l", "a", 1) == 1
    assert old.lrem("l", "a") == 2
    assert old.lrange("l", 0, -1) == [kind.text("b"), kind.text("c")]


def test_zadd(old, kind):
    assert old.zadd("z", "a", 1, "b", 2.5) == 2
    assert old.zadd("z", "a", "3", c=4, nx=5) == 2
    assert old.zadd("z", {"a": 1, "d": 6}, xx=True, ch=True) == 1
    assert old.zadd("z", {"a": 1.5}, incr=True) == 2.5
    assert old.zrange("z", 0, -1, withscores=True) == [
        (kind.text(member), score) for member, score in (("a", 2.5), ("b", 2.5), ("c", 4.0), ("nx", 5.0))
    ]
    assert old.zincrby("z", "a", 2) == 4.5


def test_times_to_live(old):
    assert old.ttl("k") is None
    assert old.pttl("k") is None
    old.set("k", "v")
    assert old.ttl("k") is None
    assert old.pttl("k") is None
    old.expire("k", 100)
    assert 98 <= old.ttl("k") <= 100
    assert 98_000 < old.pttl("k") <= 100_000


def test_the_words():
    assert sent(lambda client: client.setex("k", "v", timedelta(minutes=1))) == ("SETEX", "k", 60, "v")
    assert sent(lambda client: client.setex("k", 60, "10")) == ("SETEX", "k", "10", 60)
    assert sent(lambda client: client.lrem("l", "v", -2)) == ("LREM", "l", -2, "v")
    assert sent(lambda client: client.lrem("l", "v")) == ("LREM", "l", 0, "v")
    assert sent(lambda client: client.zadd("z", 1, 2, "b", "3", c=4)) == ("ZADD", "z", 2, 1, "3", "b", 4, "c")
    assert sent(lambda client: client.zadd("z", {"a": 1}, True, ch=True)) == ("ZADD", "z", b"NX", b"CH", 1, "a")


@pytest.mark.parametrize("time", ["v", b"value", "", None, [1]])
def test_a_time_that_is_no_number_shows_the_order(time):
    with pytest.raises(DataError, match=r"time is to be a number, not \w+; the order is setex\(name, value, time\)"):
        sent(lambda client: client.setex("k", 60, time))


@pytest.mark.parametrize("num", ["v", b"value", None])
def test_a_number_that_is_none_shows_the_order(num):
    with pytest.raises(DataError, match=r"num is to be a number, not \w+; the order is lrem\(name, value, num\)"):
        sent(lambda client: client.lrem("l", 1, num))


@pytest.mark.parametrize(("args", "given"), [((1, "a"), "str"), (("a", b"b"), "bytes"), (("a", None), "NoneType")])
def test_a_score_that_is_no_number_shows_the_order(args, given):
    order = r"the order is zadd\(name, member1, score1, ...\)"
    with pytest.raises(DataError, match=rf"a score is to be a number, not {given}; {order}"):
        sent(lambda client: client.zadd("z", *args))


@pytest.mark.parametrize("args", [(), ("a",), ("a", 1, "b")])
def test_members_and_scores_that_are_no_pairs(args):
    with pytest.raises(DataError, match=r"each member needs a score.* zadd\(name, member1, score1, ...\)"):
        sent(lambda client: client.zadd("z", *args))
