"""The helpers that turn arguments into words."""

import enum
from datetime import UTC, datetime, timedelta, timezone

import pytest

from redis.commands import args
from redis.exceptions import DataError

NAMES = ["a", "b"]


@pytest.mark.parametrize(
    ("keys", "more", "expected"),
    [
        ("ab", (), ["ab"]),
        (b"ab", ("c",), [b"ab", "c"]),
        (bytearray(b"ab"), (), [bytearray(b"ab")]),
        (memoryview(b"ab"), (), [memoryview(b"ab")]),
        (5, (6,), [5, 6]),
        (NAMES, ("c",), ["a", "b", "c"]),
        (("a", "b"), None, ["a", "b"]),
        ({"a": 1}, (), ["a"]),
        (iter(NAMES), ["c"], ["a", "b", "c"]),
        ([], (), []),
    ],
)
def test_list_or_args(keys, more, expected):
    assert args.list_or_args(keys, more) == expected


def test_the_list_of_the_caller_stays_as_it_is():
    assert args.list_or_args(NAMES, ["c"]) is not NAMES
    assert NAMES == ["a", "b"]


def test_flatten():
    assert args.flatten({"a": 1, b"b": "x"}) == ["a", 1, b"b", "x"]


def test_at_most_one_names_those_that_are_given():
    args.at_most_one(ex=None, px=0)
    with pytest.raises(DataError, match=r"^ex and px exclude each other$"):
        args.at_most_one(ex=0, nx=None, px="")


@pytest.mark.parametrize("time", [90, "90", 1.5])
def test_a_time_that_is_no_timedelta_is_sent_as_it_is(time):
    assert args.whole_seconds(time) is time
    assert args.whole_milliseconds(time) is time
    assert args.unix_seconds(time) is time
    assert args.unix_milliseconds(time) is time


def test_timedeltas_are_rounded_down():
    assert args.whole_seconds(timedelta(days=1, milliseconds=1999)) == 86401
    assert args.whole_milliseconds(timedelta(seconds=2, microseconds=3999)) == 2003
    assert args.whole_seconds(timedelta(milliseconds=500)) == 0


def test_datetimes():
    moment = datetime(2033, 5, 18, 5, 33, 20, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert args.unix_seconds(moment) == 2_000_000_000
    assert args.unix_milliseconds(moment) == 2_000_000_000_999


def test_a_naive_datetime_is_local_time():
    local = datetime.fromtimestamp(2_000_000_000)
    assert args.unix_seconds(local) == 2_000_000_000
    assert args.unix_milliseconds(local) == 2_000_000_000_000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, []),
        ({"ex": 0}, [b"EX", 0]),
        ({"ex": timedelta(minutes=1)}, [b"EX", 60]),
        ({"px": timedelta(minutes=1)}, [b"PX", 60000]),
        ({"exat": datetime(2033, 5, 18, 3, 33, 20, tzinfo=UTC)}, [b"EXAT", 2_000_000_000]),
        ({"pxat": datetime(2033, 5, 18, 3, 33, 20, tzinfo=UTC)}, [b"PXAT", 2_000_000_000_000]),
        ({"keepttl": True}, [b"KEEPTTL"]),
        ({"persist": True, "keepttl": False}, [b"PERSIST"]),
    ],
)
def test_expiry_words(options, words):
    assert args.expiry_words(**options) == words


@pytest.mark.parametrize("other", [{"px": 0}, {"exat": 1}, {"pxat": 1}, {"keepttl": True}, {"persist": True}])
def test_two_expiries_exclude_each_other(other):
    with pytest.raises(DataError, match=f"ex and {next(iter(other))} exclude"):
        args.expiry_words(ex=1, **other)


def test_condition_words():
    assert args.condition_words() == []
    assert args.condition_words(nx=True) == [b"NX"]
    assert args.condition_words(xx=True, gt=True) == [b"XX", b"GT"]
    assert args.condition_words(xx=True, lt=True) == [b"XX", b"LT"]


@pytest.mark.parametrize(("one", "other"), [("nx", "xx"), ("nx", "gt"), ("nx", "lt"), ("gt", "lt")])
def test_conditions_that_exclude_each_other(one, other):
    with pytest.raises(DataError, match=f"^{one} and {other} exclude each other$"):
        args.condition_words(**{one: True, other: True})


class Option(enum.Enum):
    NX = "NX"


@pytest.mark.parametrize("given", ["NX", "nx", b"nx", Option.NX])
def test_choice(given):
    assert args.choice("option", given, "NX", "XX") == b"NX"


def test_a_choice_that_is_not_allowed():
    with pytest.raises(DataError, match=r"^option is NX or XX, not 'ex'$"):
        args.choice("option", "ex", "NX", "XX")


def test_scan_words():
    assert args.scan_words() == []
    assert args.scan_words("a*", 0, "hash") == [b"MATCH", "a*", b"COUNT", 0, b"TYPE", "hash"]
