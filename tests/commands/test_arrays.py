"""The commands on arrays: what every option sends; no server at hand has them."""

import pytest

from redis.commands.arrays import found_reply
from redis.exceptions import DataError
from tests.recorder import options_of, sent


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda client: client.arcount("a"), ("ARCOUNT", "a")),
        (lambda client: client.ardel("a", 1, 2), ("ARDEL", "a", 1, 2)),
        (lambda client: client.ardelrange("a", (1, 2), (5, 9)), ("ARDELRANGE", "a", 1, 2, 5, 9)),
        (lambda client: client.arget("a", 1), ("ARGET", "a", 1)),
        (lambda client: client.argetrange("a", 1, 5), ("ARGETRANGE", "a", 1, 5)),
        (lambda client: client.arinfo("a"), ("ARINFO", "a")),
        (lambda client: client.arinfo("a", full=True), ("ARINFO", "a", b"FULL")),
        (lambda client: client.arinsert("a", "x", "y"), ("ARINSERT", "a", "x", "y")),
        (lambda client: client.arlastitems("a", 3), ("ARLASTITEMS", "a", 3)),
        (lambda client: client.arlastitems("a", 3, rev=True), ("ARLASTITEMS", "a", 3, b"REV")),
        (lambda client: client.arlen("a"), ("ARLEN", "a")),
        (lambda client: client.armget("a", 1, 2), ("ARMGET", "a", 1, 2)),
        (lambda client: client.armset("a", {1: "x", 5: "y"}), ("ARMSET", "a", 1, "x", 5, "y")),
        (lambda client: client.arnext("a"), ("ARNEXT", "a")),
        (lambda client: client.arop("a", 0, 9, "sum"), ("AROP", "a", 0, 9, b"SUM")),
        (lambda client: client.arop("a", 0, 9, "MATCH", "x"), ("AROP", "a", 0, 9, b"MATCH", "x")),
        (lambda client: client.arring("a", 10, "x"), ("ARRING", "a", 10, "x")),
        (lambda client: client.arscan("a", 0, 9), ("ARSCAN", "a", 0, 9)),
        (lambda client: client.arscan("a", 0, 9, limit=0), ("ARSCAN", "a", 0, 9, b"LIMIT", 0)),
        (lambda client: client.arseek("a", 5), ("ARSEEK", "a", 5)),
        (lambda client: client.arset("a", 5, "x", "y"), ("ARSET", "a", 5, "x", "y")),
        (lambda client: client.argrep("a", "-", "+", [("exact", "x")]), ("ARGREP", "a", "-", "+", b"EXACT", "x")),
        (
            lambda client: client.argrep("a", 0, 9, [("GLOB", "x*"), ("RE", "y")], "and", 5, True, True),
            ("ARGREP", "a", 0, 9, b"GLOB", "x*", b"RE", "y", b"AND", b"LIMIT", 5, b"WITHVALUES", b"NOCASE"),
        ),
    ],
)
def test_the_words(call, words):
    assert sent(call) == words


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda client: client.ardel("a"), "ardel needs at least one value"),
        (lambda client: client.ardelrange("a"), "ardelrange needs at least one value"),
        (lambda client: client.arinsert("a"), "arinsert needs at least one value"),
        (lambda client: client.armset("a", {}), "armset needs at least one value"),
        (lambda client: client.arop("a", 0, 9, "mean"), "operation is SUM or MIN"),
        (lambda client: client.arop("a", 0, 9, "MATCH"), "value belongs to the operation MATCH"),
        (lambda client: client.arop("a", 0, 9, "SUM", 5), "value belongs to the operation MATCH"),
        (lambda client: client.argrep("a", 0, 9, []), "argrep needs at least one pair"),
        (lambda client: client.argrep("a", 0, 9, [("LIKE", "x")]), "predicates is EXACT or MATCH"),
        (lambda client: client.argrep("a", 0, 9, [("RE", "x")], "XOR"), "combinator is AND or OR"),
    ],
)
def test_what_cannot_be_meant(call, message):
    with pytest.raises(DataError, match=message):
        sent(call)


def test_what_is_found():
    assert options_of(lambda client: client.argrep("a", 0, 9, [("RE", "x")], withvalues=True)) == {"withvalues": True}
    assert found_reply([1, 5], withvalues=False) == [1, 5]
    assert found_reply([1, b"x", 5, b"y"], withvalues=True) == [(1, b"x"), (5, b"y")]
    assert found_reply([[1, b"x"], [5, b"y"]], withvalues=True) == [(1, b"x"), (5, b"y")]
