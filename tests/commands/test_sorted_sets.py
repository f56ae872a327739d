"""The commands on sorted sets that wait: what comes back from a real server, and what every option sends."""

import time

import pytest

from redis.exceptions import DataError
from tests.recorder import sent


def test_popping_what_is_there(r, kind):
    r.execute_command("ZADD", "z", 1, "a", 2.5, "b", 3, "c", 4, "d")
    assert r.bzpopmin("z") == (kind.text("z"), kind.text("a"), 1.0)
    assert r.bzpopmax(["y", "z"], 1) == (kind.text("z"), kind.text("d"), 4.0)
    assert r.bzmpop(1, 2, ["y", "z"], min=True, count=5) == [
        kind.text("z"),
        [(kind.text("b"), 2.5), (kind.text("c"), 3.0)],
    ]


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


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda client: client.bzpopmin("z"), ("BZPOPMIN", "z", 0)),
        (lambda client: client.bzpopmax(["y", "z"], None), ("BZPOPMAX", "y", "z", 0)),
        (lambda client: client.bzmpop(5, 1, "z", min=True), ("BZMPOP", 5, 1, "z", b"MIN", b"COUNT", 1)),
        (lambda client: client.bzmpop(None, 1, "z", max=True, count=None), ("BZMPOP", 0, 1, "z", b"MAX")),
    ],
)
def test_the_words(call, words):
    assert sent(call) == words


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"numkeys": 2, "keys": "z", "min": True}, "numkeys is 2, but there are 1 keys"),
        ({"numkeys": 1, "keys": "z"}, "one of min and max must be true"),
        ({"numkeys": 1, "keys": "z", "min": True, "max": True}, "min and max exclude each other"),
    ],
)
def test_bzmpop_that_cannot_be_meant(options, message):
    with pytest.raises(DataError, match=message):
        sent(lambda client: client.bzmpop(0, **options))
