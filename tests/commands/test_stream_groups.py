"""The commands on groups of consumers: what comes back from a real server, and what every option sends."""

import time
from datetime import timedelta

import pytest

from redis.commands.stream_replies import as_streams, autoclaimed_entries, claimed_entries
from redis.exceptions import DataError, ResponseError
from tests.recorder import options_of, sent


@pytest.fixture
def entries(r, kind):
    """The entries of the stream ``x``, which has a group ``g`` that has read nothing yet."""
    for number in (1, 2, 3):
        r.xadd("x", {"n": number}, f"{number}-1")
    r.xgroup_create("x", "g", 0)
    return [(kind.text(f"{n}-1"), {kind.text("n"): kind.text(str(n))}) for n in (1, 2, 3)]


@pytest.fixture
def ids(entries):
    """The IDs of these entries, all of which the consumer ``c`` has read."""
    return [id for id, _ in entries]


def read_all(r):
    r.xreadgroup("g", "c", {"x": ">"})


def test_groups(r, kind):
    with pytest.raises(ResponseError, match="requires the key to exist"):
        r.xgroup_create("x", "g")
    assert r.xgroup_create("x", "g", mkstream=True) is True
    with pytest.raises(ResponseError, match="BUSYGROUP"):
        r.xgroup_create("x", "g")
    assert r.xgroup_setid("x", "g", "5-1", entries_read=7) is True
    (group,) = r.xinfo_groups("x")
    assert (group["name"], group["last-delivered-id"]) == (kind.text("g"), kind.text("5-1"))
    assert (group["consumers"], group["pending"], group["entries-read"]) == (0, 0, 7)
    assert r.xgroup_destroy("x", "g") is True
    assert r.xgroup_destroy("x", "g") is False
    assert r.xinfo_groups("x") == []


def test_consumers(r, entries, kind):
    assert r.xgroup_createconsumer("x", "g", "c") == 1
    assert r.xgroup_createconsumer("x", "g", "c") == 0
    assert r.xinfo_consumers("x", "g")[0]["pending"] == 0
    read_all(r)
    (consumer,) = r.xinfo_consumers("x", "g")
    assert (consumer["name"], consumer["pending"]) == (kind.text("c"), 3)
    assert 0 <= consumer["idle"] < 5000
    assert r.xgroup_delconsumer("x", "g", "c") == 3
    assert r.xinfo_consumers("x", "g") == []


def test_reading(r, entries, kind):
    assert r.xreadgroup("g", "c", {"x": ">"}, count=1) == [[kind.text("x"), entries[:1]]]
    assert r.xreadgroup("g", "c", {"x": ">"}, noack=True) == [[kind.text("x"), entries[1:]]]
    assert r.xreadgroup("g", "c", {"x": ">"}) == []
    assert r.xreadgroup("g", "c", {"x": 0}) == [[kind.text("x"), entries[:1]]]
    r.xdel("x", "1-1")
    assert r.xreadgroup("g", "c", {"x": 0}) == [[kind.text("x"), [(kind.text("1-1"), {})]]]
    with pytest.raises(ResponseError, match="NOGROUP"):
        r.xreadgroup("missing", "c", {"x": ">"})


def test_reading_until_the_time_is_over(r, entries):
    read_all(r)
    started = time.monotonic()
    assert r.xreadgroup("g", "c", {"x": ">"}, block=50) == []
    assert 0.049 <= time.monotonic() - started < 2


def test_acknowledging(r, entries, ids):
    read_all(r)
    assert r.xack("x", "g", *ids[:2], "9-9") == 2
    assert r.xack("x", "g", ids[0]) == 0
    assert r.xpending("x", "g")["pending"] == 1


def test_what_is_pending(r, ids, kind):
    nothing = {"pending": 0, "min": None, "max": None, "consumers": []}
    assert r.xpending("x", "g") == nothing
    read_all(r)
    r.xreadgroup("g", "d", {"x": ">"})
    assert r.xpending("x", "g") == {
        "pending": 3,
        "min": ids[0],
        "max": ids[2],
        "consumers": [{"name": kind.text("c"), "pending": 3}],
    }


def test_what_is_pending_entry_by_entry(r, ids, kind):
    assert r.xpending_range("x", "g", "-", "+", 10) == []
    read_all(r)
    first, second = r.xpending_range("x", "g", "-", "+", 2)
    assert first.keys() == {"message_id", "consumer", "time_since_delivered", "times_delivered"}
    assert (first["message_id"], first["consumer"], first["times_delivered"]) == (ids[0], kind.text("c"), 1)
    assert 0 <= first["time_since_delivered"] < 5000
    assert second["message_id"] == ids[1]
    assert r.xpending_range("x", "g", "-", "+", 10, "nobody") == []
    assert r.xpending_range("x", "g", "-", "+", 10, idle=timedelta(hours=1)) == []
    assert len(r.xpending_range("x", "g", "(1-1", 2, 10, consumername="c", idle=0)) == 1


def test_claiming(r, entries, ids, kind):
    read_all(r)
    assert r.xclaim("x", "g", "d", 0, ids[0]) == entries[:1]
    assert r.xclaim("x", "g", "d", 0, ids[1:], justid=True) == ids[1:]
    assert r.xclaim("x", "g", "e", timedelta(hours=1), ids) == []
    assert r.xclaim("x", "g", "e", 0, [ids[0]], idle=9000, retrycount=7) == entries[:1]
    (pending,) = r.xpending_range("x", "g", "-", "+", 1)
    assert (pending["consumer"], pending["times_delivered"]) == (kind.text("e"), 7)
    assert 9000 <= pending["time_since_delivered"] < 14_000


def test_claiming_what_nobody_read(r, entries, ids):
    assert r.xclaim("x", "g", "d", 0, ids[0]) == []
    assert r.xclaim("x", "g", "d", 0, ids[0], force=True, lastid=ids[1]) == entries[:1]
    assert r.xinfo_groups("x")[0]["last-delivered-id"] == ids[1]


def test_claiming_without_the_ids(r, entries, ids, kind):
    read_all(r)
    assert r.xautoclaim("x", "g", "d", 0) == [kind.text("0-0"), entries, []]
    assert r.xautoclaim("x", "g", "e", 0, count=2) == [ids[2], entries[:2], []]
    assert r.xautoclaim("x", "g", "f", 0, start_id=ids[1], justid=True) == ids[1:]
    assert r.xautoclaim("x", "g", "f", timedelta(hours=1)) == [kind.text("0-0"), [], []]
    r.xdel("x", ids[0])
    assert r.xautoclaim("x", "g", "d", 0) == [kind.text("0-0"), entries[1:], ids[:1]]


def test_a_raw_command_without_options(r, ids):
    read_all(r)
    assert r.execute_command("XPENDING", "x", "g")["pending"] == 3


def test_replies_that_no_server_at_hand_gives():
    claimed = [b"x", [[b"1-1", [b"a", b"1"], 50, 2]]]
    assert as_streams([claimed]) == [[b"x", [(b"1-1", {b"a": b"1"}, 50, 2)]]]
    assert claimed_entries([[b"1-1", [b"a", b"1"]], None]) == [(b"1-1", {b"a": b"1"})]
    assert autoclaimed_entries([b"0-0", [None]]) == [b"0-0", []]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda client: client.xgroup_create("x", "g"), ("XGROUP CREATE", "x", "g", "$")),
        (
            lambda client: client.xgroup_create("x", "g", 0, True, 5),
            ("XGROUP CREATE", "x", "g", 0, b"MKSTREAM", b"ENTRIESREAD", 5),
        ),
        (lambda client: client.xgroup_setid("x", "g", "$", 0), ("XGROUP SETID", "x", "g", "$", b"ENTRIESREAD", 0)),
        (lambda client: client.xpending_range("x", "g", 1, 2, 3), ("XPENDING", "x", "g", 1, 2, 3)),
        (
            lambda client: client.xpending_range("x", "g", 1, 2, 3, "c", timedelta(seconds=4)),
            ("XPENDING", "x", "g", b"IDLE", 4000, 1, 2, 3, "c"),
        ),
        (lambda client: client.xclaim("x", "g", "c", 5, "1-1"), ("XCLAIM", "x", "g", "c", 5, "1-1")),
        (
            lambda client: client.xclaim("x", "g", "c", 0, ("1", "2"), 3, 4, 5, True, True, "6"),
            (
                *("XCLAIM", "x", "g", "c", 0, "1", "2", b"IDLE", 3, b"TIME", 4, b"RETRYCOUNT", 5),
                *(b"FORCE", b"JUSTID", b"LASTID", "6"),
            ),
        ),
        (lambda client: client.xautoclaim("x", "g", "c", 5), ("XAUTOCLAIM", "x", "g", "c", 5, "0-0")),
        (
            lambda client: client.xautoclaim("x", "g", "c", timedelta(seconds=5), "1-1", 0, True),
            ("XAUTOCLAIM", "x", "g", "c", 5000, "1-1", b"COUNT", 0, b"JUSTID"),
        ),
        (
            lambda client: client.xreadgroup("g", "c", {"x": ">", "y": 0}),
            ("XREADGROUP", b"GROUP", "g", "c", b"STREAMS", "x", "y", ">", 0),
        ),
        (
            lambda client: client.xreadgroup("g", "c", {"x": ">"}, 1, 0, True, 4, 5, 6),
            (
                *("XREADGROUP", b"GROUP", "g", "c", b"COUNT", 1, b"MAXCOUNT", 5, b"MAXSIZE", 6, b"BLOCK", 0),
                *(b"CLAIM", 4, b"NOACK", b"STREAMS", "x", ">"),
            ),
        ),
        (lambda client: client.xackdel("x", "g", 1, 2), ("XACKDEL", "x", "g", b"KEEPREF", b"IDS", 2, 1, 2)),
        (
            lambda client: client.xackdel("x", "g", 1, ref_policy="delref"),
            ("XACKDEL", "x", "g", b"DELREF", b"IDS", 1, 1),
        ),
        (lambda client: client.xnack("x", "g", "fail", 1), ("XNACK", "x", "g", b"FAIL", b"IDS", 1, 1)),
        (
            lambda client: client.xnack("x", "g", "SILENT", 1, 2, retrycount=0, force=True),
            ("XNACK", "x", "g", b"SILENT", b"IDS", 2, 1, 2, b"RETRYCOUNT", 0, b"FORCE"),
        ),
    ],
)
def test_the_words(call, words):
    assert sent(call) == words


def test_the_options_reach_the_callback():
    assert options_of(lambda client: client.xclaim("x", "g", "c", 0, 1, justid=True)) == {"justid": True}
    assert options_of(lambda client: client.xautoclaim("x", "g", "c", 0, justid=True)) == {"justid": True}
    assert options_of(lambda client: client.xpending_range("x", "g", 1, 2, 3)) == {"detailed": True}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda client: client.xclaim("x", "g", "c", 0, []), "message_ids is one ID or several"),
        (lambda client: client.xackdel("x", "g"), "at least one ID must be given"),
        (lambda client: client.xackdel("x", "g", 1, ref_policy="all"), "ref_policy is KEEPREF or DELREF or ACKED"),
        (lambda client: client.xnack("x", "g", "FAIL"), "at least one ID must be given"),
        (lambda client: client.xnack("x", "g", "1-1", "2-1"), "mode is SILENT or FAIL or FATAL, not '1-1'"),
        (lambda client: client.xreadgroup("g", "c", {}), "streams is a mapping of at least one name and ID"),
    ],
)
def test_what_cannot_be_meant(call, message):
    with pytest.raises(DataError, match=message):
        sent(call)
