"""The commands on vector sets: what comes back from Redis 8, and what every option sends."""

import contextlib
import struct
from enum import Enum

import pytest

from redis.client import StrictRedis
from redis.commands.vectors import similar_elements
from redis.exceptions import DataError, ResponseError
from tests.recorder import options_of, sent
from tests.servers import ask

#: How like each other the vectors (1, 0) and (1, 1) are, as the servers count: 1 is the same direction.
LIKENESS = pytest.approx((1 + 0.5**0.5) / 2, abs=0.01)


@pytest.fixture
def r(redis8, kind):
    """A client of each kind, of Redis 8, whose data are gone."""
    ask(redis8, "FLUSHALL")
    with contextlib.closing(StrictRedis(redis8.host, redis8.port, **kind.options)) as client:
        yield client


@pytest.fixture
def v(r):
    """A set of two elements."""
    r.vadd("v", [1, 0], "a", attributes={"year": 1950})
    r.vadd("v", [1, 1], "b")
    return "v"


def test_adding_and_removing(r):
    assert r.vadd("v", [1.0, 0.0], "a") is True
    assert r.vadd("v", (0.0, 1.0), "a") is False
    assert r.vadd("v", struct.pack("<2f", 3, 4), "b", cas=True) is True
    assert r.vcard("v") == 2
    assert r.vdim("v") == 2
    assert r.vismember("v", "a") is True
    assert r.vrem("v", "a") is True
    assert r.vrem("v", "a") is False
    assert r.vismember("v", "a") is False
    assert r.vcard("missing") == 0
    with pytest.raises(ResponseError):
        r.vadd("v", [1, 2, 3], "c")
    with pytest.raises(ResponseError):
        r.vdim("missing")


def test_vectors(r, v):
    assert r.vemb(v, "a") == [1.0, 0.0]
    assert r.vemb(v, "missing") is None
    assert r.vemb(v, "a", raw=True) == {"quantization": "int8", "raw": b"\x7f\x00", "l2": 1.0, "range": 1.0}
    assert r.vemb("missing", "a", raw=True) is None
    r.vadd("exact", [3, 4], "a", quantization="NOQUANT")
    assert r.vemb("exact", "a") == pytest.approx([3.0, 4.0], abs=1e-5)
    raw = r.vemb("exact", "a", raw=True)
    assert struct.unpack("<2f", raw["raw"]) == pytest.approx((0.6, 0.8))
    assert (raw["quantization"], raw["l2"], "range" in raw) == ("f32", 5.0, False)


def test_attributes(r, v):
    assert r.vgetattr(v, "a") == {"year": 1950}
    assert r.vgetattr(v, "b") is None
    assert r.vgetattr(v, "missing") is None
    assert r.vsetattr(v, "b", '{"tags": ["x", 1.5]}') is True
    assert r.vgetattr(v, "b") == {"tags": ["x", 1.5]}
    assert r.vsetattr(v, "b", "no JSON") is True
    assert r.vgetattr(v, "b") == "no JSON"
    assert r.vsetattr(v, "b") is True
    assert r.vgetattr(v, "b") is None
    assert r.vsetattr(v, "missing", {}) is False


def test_what_there_is_to_know(r, v):
    report = r.vinfo(v)
    assert (report["size"], report["vector-dim"], report["quant-type"]) == (2, 2, "int8")
    assert report["attributes-count"] == 1
    assert r.vinfo("missing") is None
    r.vadd("small", [1, 2, 3], "a", reduce_dim=2, quantization="bin", ef=100, numlinks=8)
    small = r.vinfo("small")
    assert (small["vector-dim"], small["projection-input-dim"], small["quant-type"]) == (2, 3, "bin")
    assert small["hnsw-m"] == 8


def test_neighbours(r, v, kind):
    assert r.vlinks(v, "a")[-1] == [kind.text("b")]
    assert r.vlinks(v, "a", with_scores=True)[-1] == {kind.text("b"): LIKENESS}
    assert r.vlinks(v, "missing") is None
    assert r.vlinks(v, "missing", with_scores=True) is None


def test_some_element(r, kind):
    assert r.vrandmember("v") is None
    assert r.vrandmember("v", 2) == []
    r.vadd("v", [1, 0], "a")
    assert r.vrandmember("v") == kind.text("a")
    assert r.vrandmember("v", 5) == [kind.text("a")]
    assert r.vrandmember("v", -2) == [kind.text("a")] * 2


def test_similar_elements(r, v, kind):
    a, b = kind.text("a"), kind.text("b")
    assert r.vsim(v, "a") == [a, b]
    assert r.vsim(v, [1, 1], count=1) == [b]
    assert r.vsim(v, struct.pack("<2f", 1, 1), True) == {b: pytest.approx(1, abs=0.01), a: LIKENESS}
    assert list(r.vsim(v, "b", with_scores=True)) == [b, a]


def test_similar_elements_and_their_attributes(r, v, kind):
    a, b = kind.text("a"), kind.text("b")
    try:
        assert r.vsim(v, "a", with_attribs=True) == {a: {"year": 1950}, b: None}
    except ResponseError as error:
        pytest.skip(f"this release of Redis 8.0 has no WITHATTRIBS: {error}")
    assert r.vsim(v, "a", with_scores=True, with_attribs=True) == {
        a: {"score": pytest.approx(1, abs=0.01), "attributes": {"year": 1950}},
        b: {"score": LIKENESS, "attributes": None},
    }


def test_similar_elements_of_a_kind(r, v, kind):
    assert r.vsim(v, "a", filter=".year == 1950", filter_ef=10, ef=50) == [kind.text("a")]
    assert r.vsim(v, "a", epsilon=0.05, truth=True, no_thread=True) == [kind.text("a")]
    assert r.vsim("missing", "a") == []
    assert r.vsim("missing", [1, 0], with_scores=True) == {}
    with pytest.raises(ResponseError, match="element not found"):
        r.vsim(v, "missing")


@pytest.mark.parametrize(
    "response", [[b"a", b"1", b'{"x": 1}', b"b", b"0.5", None], {b"a": [1.0, b'{"x": 1}'], b"b": [0.5, None]}]
)
def test_scores_and_attributes_in_every_form(response):
    expected = {b"a": {"score": 1.0, "attributes": {"x": 1}}, b"b": {"score": 0.5, "attributes": None}}
    assert similar_elements(response, with_scores=True, with_attribs=True) == expected


@pytest.mark.parametrize("response", [["a", '{"x": 1}', "b", None], {"a": '{"x": 1}', "b": None}])
def test_attributes_in_every_form(response):
    assert similar_elements(response, with_attribs=True) == {"a": {"x": 1}, "b": None}


def test_nothing_similar_at_all():
    assert similar_elements([], with_scores=True, with_attribs=True) == {}
    assert similar_elements([], with_attribs=True) == {}
    assert similar_elements([]) == []


class Quantization(Enum):
    BINARY = "BIN"


BLOB = b"\x00\x00\x80\x3f"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda client: client.vadd("v", [1, 2], "a"), ("VADD", "v", b"VALUES", 2, 1, 2, "a")),
        (lambda client: client.vadd("v", BLOB, "a", quantization="q8"), ("VADD", "v", b"FP32", BLOB, "a", b"Q8")),
        (
            lambda client: client.vadd("v", BLOB, "a", 5, True, Quantization.BINARY, 6, {"b": [1]}, 7),
            (
                *("VADD", "v", b"REDUCE", 5, b"FP32", BLOB, "a", b"CAS", b"BIN"),
                *(b"EF", 6, b"SETATTR", '{"b": [1]}', b"M", 7),
            ),
        ),
        (lambda client: client.vadd("v", BLOB, "a", attributes=""), ("VADD", "v", b"FP32", BLOB, "a", b"SETATTR", "")),
        (lambda client: client.vemb("v", "a"), ("VEMB", "v", "a")),
        (lambda client: client.vemb("v", "a", True), ("VEMB", "v", "a", b"RAW")),
        (lambda client: client.vlinks("v", "a", True), ("VLINKS", "v", "a", b"WITHSCORES")),
        (lambda client: client.vrandmember("v", 0), ("VRANDMEMBER", "v", 0)),
        (lambda client: client.vrange("v", "-", "[b"), ("VRANGE", "v", "-", "[b")),
        (lambda client: client.vrange("v", "(a", "+", count=0), ("VRANGE", "v", "(a", "+", 0)),
        (lambda client: client.vsetattr("v", "a"), ("VSETATTR", "v", "a", "")),
        (lambda client: client.vsetattr("v", "a", {}), ("VSETATTR", "v", "a", "{}")),
        (lambda client: client.vsim("v", "a"), ("VSIM", "v", b"ELE", "a")),
        (lambda client: client.vsim("v", bytearray(BLOB)), ("VSIM", "v", b"FP32", BLOB)),
        (
            lambda client: client.vsim("v", [1.5], True, True, 2, 3, ".x > 4", 5, True, True, 0.5),
            (
                *("VSIM", "v", b"VALUES", 1, 1.5, b"WITHSCORES", b"WITHATTRIBS", b"COUNT", 2, b"EPSILON", 0.5),
                *(b"EF", 3, b"FILTER", ".x > 4", b"FILTER-EF", 5, b"TRUTH", b"NOTHREAD"),
            ),
        ),
    ],
)
def test_the_words(call, words):
    assert sent(call) == words


def test_the_options_reach_the_callback():
    assert options_of(lambda client: client.vemb("v", "a", raw=True)) == {"raw": True}
    assert options_of(lambda client: client.vlinks("v", "a", with_scores=True)) == {"with_scores": True}
    options = options_of(lambda client: client.vsim("v", "a", with_attribs=True))
    assert options == {"with_scores": False, "with_attribs": True}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda client: client.vadd("v", "1 2", "a"), "vector is a sequence of numbers, or bytes of 32-bit floats"),
        (lambda client: client.vadd("v", [], "a"), "vector is a sequence of numbers"),
        (lambda client: client.vadd("v", 5, "a"), "vector is a sequence of numbers"),
        (lambda client: client.vadd("v", [1], "a", quantization="Q4"), "quantization is NOQUANT or BIN or Q8"),
        (lambda client: client.vsim("v", {1.0, 2.0}), "input is a sequence of numbers"),
    ],
)
def test_what_cannot_be_meant(call, message):
    with pytest.raises(DataError, match=message):
        sent(call)
