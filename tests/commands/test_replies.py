"""The functions that shape replies: the forms of RESP2 and of RESP3 give one result."""

from datetime import datetime

import pytest

from redis.commands import replies

INFO = b"""# Server\r
redis_version:7.0.15\r
uptime_in_seconds:12\r
mem_fragmentation_ratio:1.50\r
empty:\r
executable:/usr/bin/a:b\r
\r
# Keyspace\r
db9:keys=3,expires=1,avg_ttl=0\r
cmdstat_get:calls=2,usec_per_call=1.50,note=a=b\r
odd:a,b=c\r
errorstat_ERR:count=1\r
no colon here\r
nor here\r
"""


def test_native_str():
    assert replies.native_str("ä".encode()) == "ä"
    assert replies.native_str(b"\xff") == "�"
    assert replies.native_str("x") == "x"
    assert replies.native_str(None) is None
    assert replies.native_str(3) == 3


@pytest.mark.parametrize(
    ("response", "expected"), [(b"OK", True), ("OK", True), (b"NO", False), ("ok", False), (None, False), (1, False)]
)
def test_bool_ok(response, expected):
    assert replies.bool_ok(response) is expected


def test_numbers_or_none():
    assert replies.int_or_none(b"3") == 3
    assert replies.int_or_none(None) is None
    assert replies.float_or_none(b"1.5") == 1.5
    assert replies.float_or_none(None) is None


def test_tuple_or_none():
    assert replies.tuple_or_none([b"a", b"b"]) == (b"a", b"b")
    assert replies.tuple_or_none(None) is None
    assert replies.tuple_or_none([]) is None


def test_timestamp_to_datetime():
    assert replies.timestamp_to_datetime(2_000_000_000) == datetime.fromtimestamp(2_000_000_000)
    assert replies.timestamp_to_datetime(b"2000000000") == datetime.fromtimestamp(2_000_000_000)
    assert replies.timestamp_to_datetime(None) is None
    assert replies.timestamp_to_datetime(b"never") is None


@pytest.mark.parametrize("response", [[b"a", 1, b"b", 2], [[b"a", 1], [b"b", 2]], {b"a": 1, b"b": 2}])
def test_pairs_in_every_form(response):
    assert list(replies.pairs_of(response)) == [(b"a", 1), (b"b", 2)]
    assert replies.list_of_pairs(response) == [(b"a", 1), (b"b", 2)]
    assert replies.pairs_to_dict_typed(response, {}) == {b"a": 1, b"b": 2}
    assert replies.zset_score_pairs(response, withscores=True) == [(b"a", 1.0), (b"b", 2.0)]


def test_no_pairs():
    assert replies.list_of_pairs([]) == []
    assert replies.list_of_pairs(None) is None
    assert replies.pairs_to_dict([]) == {}
    assert replies.pairs_to_dict(None) == {}


def test_pairs_to_dict():
    assert replies.pairs_to_dict([b"a", b"1", b"b", b"2"]) == {b"a": b"1", b"b": b"2"}
    assert replies.pairs_to_dict({b"a": b"1"}) == {b"a": b"1"}


def test_pairs_to_dict_typed_leaves_what_does_not_convert():
    response = ["n", "3", "x", "abc", "other", "7"]
    assert replies.pairs_to_dict_typed(response, {"n": int, "x": int}) == {"n": 3, "x": "abc", "other": "7"}


def test_dicts_of_callbacks():
    assert replies.dict_merge({"a": 1, "b": 1}, {"b": 2}, {}) == {"a": 1, "b": 2}
    assert replies.dict_merge() == {}
    assert replies.string_keys_to_dict("GET SET", int) == {"GET": int, "SET": int}


def test_sort_return_tuples():
    response = [b"a", b"1", b"b", b"2"]
    assert replies.sort_return_tuples(response) is response
    assert replies.sort_return_tuples(response, groups=None) is response
    assert replies.sort_return_tuples(response, groups=2) == [(b"a", b"1"), (b"b", b"2")]
    assert replies.sort_return_tuples([], groups=2) == []


def test_zset_score_pairs():
    response = [b"a", b"1", b"b", b"2.5"]
    assert replies.zset_score_pairs(response) is response
    assert replies.zset_score_pairs(response, withscores=True, score_cast_func=str) == [
        (b"a", "b'1'"),
        (b"b", "b'2.5'"),
    ]
    assert replies.zset_score_pairs(None, withscores=True) is None


def test_scans():
    assert replies.parse_scan([b"17", [b"a"]]) == (17, [b"a"])
    assert replies.parse_hscan(["0", ["f", "v"]]) == (0, {"f": "v"})
    assert replies.parse_hscan([b"0", [b"f", b"g"]], no_values=True) == (0, [b"f", b"g"])
    assert replies.parse_hscan([b"0", None]) == (0, {})
    assert replies.parse_hscan([b"0", None], no_values=True) == (0, [])


@pytest.mark.parametrize("response", [["0", ["a", "1", "b", "2.5"]], ["0", [["a", 1.0], ["b", 2.5]]]])
def test_parse_zscan(response):
    assert replies.parse_zscan(response) == (0, [("a", 1.0), ("b", 2.5)])
    assert replies.parse_zscan(response, score_cast_func=str) == (0, [("a", "1"), ("b", "2.5")])
    assert replies.parse_zscan([b"7", None]) == (7, [])


@pytest.mark.parametrize("position", [[b"13.5", b"38.25"], [13.5, 38.25]])
def test_parse_georadius_generic(position):
    options = {"withdist": True, "withhash": True, "withcoord": True}
    response = [[b"Palermo", b"190.5", 3479, position]]
    assert replies.parse_georadius_generic(response, **options) == [["Palermo", 190.5, 3479, (13.5, 38.25)]]
    assert replies.parse_geosearch(response, **options) == [[b"Palermo", 190.5, 3479, (13.5, 38.25)]]
    assert replies.parse_georadius_generic([[b"Palermo", position]], withcoord=True) == [["Palermo", (13.5, 38.25)]]
    assert replies.parse_georadius_generic([b"Palermo"]) == ["Palermo"]
    assert replies.parse_georadius_generic(5, withdist=True) == 5


def test_parse_object():
    assert replies.parse_object(b"5", "idletime") == 5
    assert replies.parse_object(b"5", "REFCOUNT") == 5
    assert replies.parse_object(None, "idletime") is None
    assert replies.parse_object(b"raw", "encoding") == b"raw"


@pytest.mark.parametrize("response", [[b"port", b"6379"], {b"port": b"6379"}, ["port", "6379"], {"port": "6379"}])
def test_parse_config_get(response):
    assert replies.parse_config_get(response) == {"port": "6379"}


@pytest.mark.parametrize("response", [INFO, INFO.decode()])
def test_parse_info(response):
    assert replies.parse_info(response) == {
        "redis_version": "7.0.15",
        "uptime_in_seconds": 12,
        "mem_fragmentation_ratio": 1.5,
        "empty": "",
        "executable": "/usr/bin/a:b",
        "db9": {"keys": 3, "expires": 1, "avg_ttl": 0},
        "cmdstat_get": {"calls": 2, "usec_per_call": 1.5, "note=a": "b"},
        "odd": "a,b=c",
        "errorstat_ERR": "count=1",
        "__raw__": ["no colon here", "nor here"],
    }
