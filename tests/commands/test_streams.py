"""The commands on the entries of streams: what comes back from a real server, and what every option sends.

What the facts say of those that wait must be right whatever a group, a consumer or a stream is called.
"""

import threading
import time

import pytest

from redis.commands.spec import SPECS, keys_of, waiting_time
from redis.exceptions import DataError, ResponseError
from tests.recorder import options_of, sent

XREAD, XREADGROUP = SPECS["XREAD"], SPECS["XREADGROUP"]


@pytest.fixture
def entries(r, kind):
    """The entries of the stream ``x``."""
    r.xadd("x", {"a": 1, "b": 2}, "1-1")
    r.xadd("x", {"c": 3}, "2-1")
    r.xadd("x", {"d": 4}, "3-1")
    fields = {"1-1": {"a": "1", "b": "2"}, "2-1": {"c": "3"}, "3-1": {"d": "4"}}
    return [
        (kind.text(id), {kind.text(name): kind.text(value) for name, value in each.items()})
        for id, each in fields.items()
    ]


def test_adding(r, kind):
    assert r.xadd("x", {"a": 1}, "5-1") == kind.text("5-1")
    assert r.xadd("x", {"a": 1}, id="5-*") == kind.text("5-2")
    assert r.xadd("x", {"a": 1}) > kind.text("1500000000000-0")
    assert r.xlen("x") == 3
    assert r.xadd("y", {"a": 1}, nomkstream=True) is None
    assert r.xlen("y") == 0
    with pytest.raises(ResponseError, match="equal or smaller"):
        r.xadd("x", {"a": 1}, "5-1")


def test_adding_and_trimming(r, entries, kind):
    assert r.xadd("x", {"e": 5}, "4-1", maxlen=2, approximate=False) == kind.text("4-1")
    assert r.xlen("x") == 2
    assert r.xadd("x", {"f": 6}, "5-1", minid="5-0", approximate=False) == kind.text("5-1")
    assert r.xlen("x") == 1


def test_ranges(r, entries):
    assert r.xrange("x") == entries
    assert r.xrange("x", "(1-1", 2) == entries[1:2]
    assert r.xrange("x", count=2) == entries[:2]
    assert r.xrevrange("x") == entries[::-1]
    assert r.xrevrange("x", "2-1", "-", count=1) == entries[1:2]
    assert r.xrange("missing") == []
    assert all(type(entry) is tuple for entry in r.xrange("x"))


def test_reading(r, entries, kind):
    r.xadd("y", {"e": 5}, "9-1")
    last = [(kind.text("9-1"), {kind.text("e"): kind.text("5")})]
    assert r.xread({"x": 0, "y": "0-0"}) == [[kind.text("x"), entries], [kind.text("y"), last]]
    assert r.xread({"x": "1-1"}, count=1) == [[kind.text("x"), entries[1:2]]]
    assert r.xread({"x": "3-1", "y": "$"}) == []
    assert r.xread({"missing": 0}) == []


def test_reading_until_the_time_is_over(r):
    started = time.monotonic()
    assert r.xread({"x": "$"}, block=50) == []
    assert 0.049 <= time.monotonic() - started < 2


def test_reading_until_an_entry_comes(r, kind, make_client):
    other = make_client()
    adder = threading.Timer(0.05, other.xadd, ("x", {"a": 1}, "1-1"))
    adder.start()
    expected = [(kind.text("1-1"), {kind.text("a"): kind.text("1")})]
    assert r.xread({"x": "$"}, block=0) == [[kind.text("x"), expected]]
    adder.join()


def test_deleting(r, entries):
    assert r.xdel("x", "1-1", "1-1", "9-9") == 1
    assert r.xrange("x") == entries[1:]
    assert r.xtrim("x", maxlen=1, approximate=False) == 1
    assert r.xrange("x") == entries[2:]
    assert r.xtrim("x", minid="9-0", approximate=False) == 1
    assert r.xtrim("x", 0) == 0


def test_setting_the_last_id(r, entries, kind):
    assert r.xsetid("x", "7-1") is True
    assert r.xinfo_stream("x")["last-generated-id"] == kind.text("7-1")
    assert r.xsetid("x", "8-1", 20, "1-0") is True
    assert r.xinfo_stream("x")["entries-added"] == 20
    with pytest.raises(ResponseError, match="smaller"):
        r.xsetid("x", "1-1")


def test_what_there_is_to_know(r, entries, kind):
    report = r.xinfo_stream("x")
    assert report["length"] == 3
    assert report["last-generated-id"] == kind.text("3-1")
    assert (report["first-entry"], report["last-entry"]) == (entries[0], entries[2])
    r.xdel("x", "1-1", "2-1", "3-1")
    empty = r.xinfo_stream("x")
    assert (empty["length"], empty["first-entry"], empty["last-entry"]) == (0, None, None)
    with pytest.raises(ResponseError, match="no such key"):
        r.xinfo_stream("missing")


def test_all_there_is_to_know(r, entries, kind):
    r.xgroup_create("x", "g", 0)
    r.xreadgroup("g", "c", {"x": ">"}, count=1)
    report = r.xinfo_stream("x", full=True)
    assert report["entries"] == dict(entries)
    (group,) = report["groups"]
    assert (group["name"], group["last-delivered-id"], group["pel-count"]) == (kind.text("g"), kind.text("1-1"), 1)
    assert [entry[:2] for entry in group["pending"]] == [[kind.text("1-1"), kind.text("c")]]
    assert [consumer["name"] for consumer in group["consumers"]] == [kind.text("c")]


def test_a_raw_command_without_options(r, entries, kind):
    assert r.execute_command("XREAD", "STREAMS", "x", "2-1") == [[kind.text("x"), entries[2:]]]
    assert r.execute_command("XINFO", "STREAM", "x")


FIELDS = ("a", 1, "b", 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ("*",)),
        ({"id": "1-1", "maxlen": 0}, (b"MAXLEN", b"~", 0, "1-1")),
        ({"maxlen": 5, "approximate": False}, (b"MAXLEN", 5, "*")),
        ({"maxlen": 5, "limit": 0}, (b"MAXLEN", b"~", 5, b"LIMIT", 0, "*")),
        ({"minid": "1-1", "limit": 9, "nomkstream": True}, (b"NOMKSTREAM", b"MINID", b"~", "1-1", b"LIMIT", 9, "*")),
        ({"minid": 0, "approximate": False}, (b"MINID", 0, "*")),
        ({"ref_policy": "delref", "maxlen": 5}, (b"DELREF", b"MAXLEN", b"~", 5, "*")),
        ({"idmpauto": "p"}, (b"IDMPAUTO", "p", "*")),
        ({"idmp": ("p", "i"), "ref_policy": "ACKED"}, (b"ACKED", b"IDMP", "p", "i", "*")),
    ],
)
def test_the_words_of_xadd(options, words):
    assert sent(lambda client: client.xadd("x", {"a": 1, "b": 2}, **options)) == ("XADD", "x", *words, *FIELDS)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda client: client.xtrim("x", 5, False), ("XTRIM", "x", b"MAXLEN", 5)),
        (lambda client: client.xtrim("x", maxlen=0, limit=5), ("XTRIM", "x", b"MAXLEN", b"~", 0, b"LIMIT", 5)),
        (
            lambda client: client.xtrim("x", minid="1-1", ref_policy="KEEPREF"),
            ("XTRIM", "x", b"MINID", b"~", "1-1", b"KEEPREF"),
        ),
        (lambda client: client.xrange("x", "(1", 5, 0), ("XRANGE", "x", "(1", 5, b"COUNT", 0)),
        (lambda client: client.xrevrange("x", 5, "(1", 0), ("XREVRANGE", "x", 5, "(1", b"COUNT", 0)),
        (lambda client: client.xread({"x": 1, "y": 2}), ("XREAD", b"STREAMS", "x", "y", 1, 2)),
        (
            lambda client: client.xread({"x": "$"}, 1, 0, 3, 4),
            ("XREAD", b"COUNT", 1, b"MAXCOUNT", 3, b"MAXSIZE", 4, b"BLOCK", 0, b"STREAMS", "x", "$"),
        ),
        (lambda client: client.xdelex("x", "1-1"), ("XDELEX", "x", b"KEEPREF", b"IDS", 1, "1-1")),
        (
            lambda client: client.xdelex("x", 1, 2, ref_policy="acked"),
            ("XDELEX", "x", b"ACKED", b"IDS", 2, 1, 2),
        ),
        (lambda client: client.xcfgset("x", 5), ("XCFGSET", "x", b"IDMP-DURATION", 5)),
        (
            lambda client: client.xcfgset("x", 5, idmp_maxsize=9),
            ("XCFGSET", "x", b"IDMP-DURATION", 5, b"IDMP-MAXSIZE", 9),
        ),
        (lambda client: client.xsetid("x", "5-1"), ("XSETID", "x", "5-1")),
        (
            lambda client: client.xsetid("x", "5-1", 0, "1-1"),
            ("XSETID", "x", "5-1", b"ENTRIESADDED", 0, b"MAXDELETEDID", "1-1"),
        ),
        (lambda client: client.xinfo_stream("x"), ("XINFO STREAM", "x")),
        (lambda client: client.xinfo_stream("x", True), ("XINFO STREAM", "x", b"FULL")),
    ],
)
def test_the_words(call, words):
    assert sent(call) == words


def test_the_options_reach_the_callback():
    assert options_of(lambda client: client.xinfo_stream("x", full=True)) == {"full": True}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda client: client.xadd("x", {}), "fields is a mapping of at least one field and value"),
        (lambda client: client.xadd("x", [("a", 1)]), "fields is a mapping"),
        (lambda client: client.xadd("x", {"a": 1}, maxlen=1, minid=2), "maxlen and minid exclude each other"),
        (lambda client: client.xadd("x", {"a": 1}, limit=1), "limit needs approximate, and maxlen or minid"),
        (lambda client: client.xadd("x", {"a": 1}, maxlen=1, approximate=False, limit=1), "limit needs approximate"),
        (lambda client: client.xadd("x", {"a": 1}, ref_policy="all"), "ref_policy is KEEPREF or DELREF or ACKED"),
        (lambda client: client.xadd("x", {"a": 1}, idmp="p"), "idmp is a tuple of the ID of the producer and"),
        (lambda client: client.xadd("x", {"a": 1}, idmp=("p", "i"), idmpauto="p"), "idmpauto and idmp exclude"),
        (lambda client: client.xtrim("x"), "maxlen or minid must be given"),
        (lambda client: client.xtrim("x", 1, minid=2), "maxlen and minid exclude each other"),
        (lambda client: client.xread({}), "streams is a mapping of at least one name and ID"),
        (lambda client: client.xread(["x"]), "streams is a mapping"),
        (lambda client: client.xdelex("x"), "at least one ID must be given"),
        (lambda client: client.xdelex("x", 1, ref_policy="all"), "ref_policy is KEEPREF or DELREF or ACKED"),
        (lambda client: client.xcfgset("x"), "idmp_duration or idmp_maxsize must be given"),
        (lambda client: client.xsetid("x", 1, 5), "entries_added and max_deleted_id must be given together"),
    ],
)
def test_what_cannot_be_meant(call, message):
    with pytest.raises(DataError, match=message):
        sent(call)


@pytest.mark.parametrize(
    ("spec", "words", "time", "keys"),
    [
        (XREAD, "XREAD STREAMS a 0", None, "a"),
        (XREAD, "XREAD BLOCK 1500 STREAMS a b 0 0", 1.5, "a b"),
        (XREAD, "xread count 5 block 0 streams a 0", float("inf"), "a"),
        (XREAD, "XREAD MAXCOUNT 5 MAXSIZE 9 BLOCK 1500 STREAMS a 0", 1.5, "a"),
        (XREAD, "XREAD STREAMS BLOCK 5", None, "BLOCK"),
        (XREAD, "XREAD STREAMS a BLOCK 5 0", None, "a BLOCK"),
        (XREADGROUP, "XREADGROUP GROUP BLOCK 5 STREAMS a >", None, "a"),
        (XREADGROUP, "XREADGROUP GROUP g BLOCK STREAMS a >", None, "a"),
        (XREADGROUP, "XREADGROUP GROUP STREAMS BLOCK COUNT 5 BLOCK 2000 NOACK STREAMS a >", 2.0, "a"),
        (XREADGROUP, "XREADGROUP NOACK BLOCK 2000 GROUP g c CLAIM 5 STREAMS STREAMS >", 2.0, "STREAMS"),
    ],
)
@pytest.mark.parametrize("as_bytes", [False, True])
def test_the_time_and_the_keys(spec, words, time, keys, as_bytes):
    sent = [word.encode() if as_bytes else word for word in words.split()]
    expected = [key.encode() if as_bytes else key for key in keys.split()]
    assert waiting_time(spec, sent) == time
    assert keys_of(spec, sent) == expected


def test_words_that_name_no_streams():
    assert waiting_time(XREAD, ["XREAD", "COUNT", 5]) is None
    assert waiting_time(XREAD, ["XREAD", "BLOCK"]) is None
    with pytest.raises(ValueError, match="there is no STREAMS"):
        keys_of(XREAD, ["XREAD", "COUNT", 5])
