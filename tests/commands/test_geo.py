"""The commands on places: what comes back from a real server, and what every option sends."""

import pytest

from redis.exceptions import DataError, RedisError, ResponseError
from tests.recorder import options_of, sent

PALERMO = (13.361389, 38.115556, "Palermo")
CATANIA = (15.087269, 37.502669, "Catania")
IN_PALERMO = pytest.approx((13.361389, 38.115556), abs=1e-5)
IN_CATANIA = pytest.approx((15.087269, 37.502669), abs=1e-5)
FAR, NEAR = pytest.approx(190.4424, abs=1e-3), pytest.approx(56.4413, abs=1e-3)
PALERMO_HASH, CATANIA_HASH = 3479099956230698, 3479447370796909
ALL = {"withdist": True, "withcoord": True, "withhash": True}


@pytest.fixture
def sicily(r):
    """A key with two places."""
    r.geoadd("Sicily", *PALERMO, *CATANIA)
    return "Sicily"


def test_adding(r):
    assert r.geoadd("g", *PALERMO) == 1
    assert r.geoadd("g", *PALERMO, *CATANIA) == 1
    assert r.geoadd("g", [*PALERMO, *CATANIA]) == 0
    assert r.geoadd("g", (14, 38, "Palermo"), ch=True) == 1
    assert r.geoadd("g", (*PALERMO, 1, 2, "Rome"), nx=True) == 1
    assert r.geoadd("g", (*PALERMO, 3, 4, "Bari"), xx=True, ch=True) == 1
    assert r.geopos("g", "Palermo", "Bari") == [IN_PALERMO, None]


@pytest.mark.parametrize("values", [(), (1, 2), (*PALERMO, 1), ((1, 2),), ([],), (PALERMO, CATANIA), ("abc",)])
def test_adding_what_is_no_place(values):
    with pytest.raises(DataError, match="longitude, latitude and name of each"):
        sent(lambda client: client.geoadd("g", *values))
    assert issubclass(DataError, RedisError)


def test_distances(r, sicily):
    assert r.geodist(sicily, "Palermo", "Catania") == pytest.approx(166274.1516, abs=0.1)
    assert r.geodist(sicily, "Palermo", "Catania", "km") == pytest.approx(166.2742, abs=1e-3)
    assert r.geodist(sicily, "Palermo", "missing") is None


def test_positions_and_hashes(r, sicily):
    assert r.geopos(sicily, "Palermo", "missing", "Catania") == [IN_PALERMO, None, IN_CATANIA]
    assert all(type(place) is tuple for place in r.geopos(sicily, "Palermo"))
    assert r.geopos("missing", "a") == [None]
    assert r.geohash(sicily, "Palermo", "missing", "Catania") == ["sqc8b49rny0", None, "sqdtr74hyu0"]


def call_of(r, method, sicily):
    """A call around a place near Catania, or around Palermo for the commands that begin at a member."""
    around = ("Palermo", 200) if "member" in method else (15, 37, 200)
    return lambda unit="km", **options: getattr(r, method)(sicily, *around, unit, **options)


@pytest.mark.parametrize("method", ["georadius", "georadius_ro"])
def test_places_around_a_position(r, sicily, method):
    call = call_of(r, method, sicily)
    assert call(sort="ASC") == ["Catania", "Palermo"]
    assert call(sort="desc") == ["Palermo", "Catania"]
    assert call(count=1, sort="ASC") == ["Catania"]
    assert len(call(count=1, any=True)) == 1
    assert call("m") == []
    assert call(sort="ASC", withdist=True) == [["Catania", NEAR], ["Palermo", FAR]]
    assert call(count=1, sort="ASC", withhash=True) == [["Catania", CATANIA_HASH]]
    assert call(sort="DESC", withcoord=True) == [["Palermo", IN_PALERMO], ["Catania", IN_CATANIA]]
    assert call(count=1, sort="DESC", **ALL) == [["Palermo", FAR, PALERMO_HASH, IN_PALERMO]]
    assert type(call(withcoord=True)[0][1]) is tuple


@pytest.mark.parametrize("method", ["georadiusbymember", "georadiusbymember_ro"])
def test_places_around_a_member(r, sicily, method):
    call = call_of(r, method, sicily)
    assert call(sort="ASC") == ["Palermo", "Catania"]
    assert call("m") == ["Palermo"]
    assert call(count=1, **ALL) == [["Palermo", 0.0, PALERMO_HASH, IN_PALERMO]]
    with pytest.raises(ResponseError):
        getattr(r, method)(sicily, "missing", 200)


def test_the_methods_by_name(r, sicily):
    assert r.georadius(sicily, 15, 37, 60, "km") == ["Catania"]
    assert r.georadius_ro(sicily, 15, 37, 60, "km") == ["Catania"]
    assert r.georadiusbymember(sicily, "Catania", 1) == ["Catania"]
    assert r.georadiusbymember_ro(sicily, "Catania", 1) == ["Catania"]


def test_storing_what_was_found(r, sicily, kind):
    assert r.georadius(sicily, 15, 37, 200, "km", store="to") == 2
    assert r.zscore("to", "Palermo") == PALERMO_HASH
    assert r.georadiusbymember(sicily, "Palermo", 200, "km", store_dist="to") == 2
    assert r.zrange("to", 0, -1, withscores=True) == [
        (kind.text("Palermo"), 0.0),
        (kind.text("Catania"), pytest.approx(166.2742, abs=1e-3)),
    ]


def test_a_raw_command_without_options(r, sicily):
    assert r.execute_command("GEORADIUS", sicily, 15, 37, 60, "km") == ["Catania"]


def test_searching(r, sicily, kind):
    palermo, catania = kind.text("Palermo"), kind.text("Catania")
    assert r.geosearch(sicily, member="Palermo", radius=200, unit="km", sort="ASC") == [palermo, catania]
    assert r.geosearch(sicily, longitude=15, latitude=37, width=400, height=400, unit="km", sort="DESC") == [
        palermo,
        catania,
    ]
    found = r.geosearch(sicily, longitude=15, latitude=37, radius=200, unit="km", sort="ASC", count=1, **ALL)
    assert found == [[catania, NEAR, CATANIA_HASH, IN_CATANIA]]
    assert r.geosearch(sicily, member="Palermo", radius=1) == [palermo]
    assert r.geosearch("missing", member="Palermo", radius=1) == []


def test_searching_and_storing(r, sicily):
    assert r.geosearchstore("to", sicily, longitude=15, latitude=37, radius=200, unit="km") == 2
    assert r.zscore("to", "Catania") == CATANIA_HASH
    assert r.geosearchstore("to", sicily, "Palermo", width=1, height=1, unit="ft", storedist=True) == 1
    assert r.zscore("to", "Palermo") == 0.0


RADIUS = ("GEORADIUS", "g", 1, 2, 3)
BY_MEMBER = ("GEORADIUSBYMEMBER", "g", "m", 3)
SEARCH = ("GEOSEARCH", "g", b"FROMMEMBER", "m", b"BYRADIUS", 3, b"m")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda client: client.geoadd("g", *PALERMO), ("GEOADD", "g", *PALERMO)),
        (lambda client: client.geoadd("g", iter(PALERMO), nx=True), ("GEOADD", "g", b"NX", *PALERMO)),
        (lambda client: client.geoadd("g", PALERMO, xx=True, ch=True), ("GEOADD", "g", b"XX", b"CH", *PALERMO)),
        (lambda client: client.geodist("g", "a", "b"), ("GEODIST", "g", "a", "b")),
        (lambda client: client.geodist("g", "a", "b", "MI"), ("GEODIST", "g", "a", "b", b"mi")),
        (lambda client: client.georadius("g", 1, 2, 3), (*RADIUS, b"m")),
        (lambda client: client.georadius("g", 1, 2, 3, store="to"), (*RADIUS, b"m", b"STORE", "to")),
        (lambda client: client.georadius("g", 1, 2, 3, "ft", store_dist="to"), (*RADIUS, b"ft", b"STOREDIST", "to")),
        (
            lambda client: client.georadius("g", 1, 2, 3, "km", True, True, True, 5, "asc", any=True),
            (*RADIUS, b"km", b"WITHDIST", b"WITHCOORD", b"WITHHASH", b"ASC", b"COUNT", 5, b"ANY"),
        ),
        (
            lambda client: client.georadiusbymember("g", "m", 3, "km", True, True, True, 5, "DESC", "to"),
            (*BY_MEMBER, b"km", b"WITHDIST", b"WITHCOORD", b"WITHHASH", b"DESC", b"COUNT", 5, b"STORE", "to"),
        ),
        (lambda client: client.geosearch("g", "m", radius=3), SEARCH),
        (
            lambda client: client.geosearch("g", "m", radius=3, sort="ASC", count=0, any=True, **ALL),
            (*SEARCH, b"ASC", b"COUNT", 0, b"ANY", b"WITHDIST", b"WITHCOORD", b"WITHHASH"),
        ),
        (
            lambda client: client.geosearch("g", longitude=0, latitude=0, width=1, height=2, unit="km"),
            ("GEOSEARCH", "g", b"FROMLONLAT", 0, 0, b"BYBOX", 1, 2, b"km"),
        ),
        (
            lambda client: client.geosearchstore("to", "g", "m", radius=3, count=5, storedist=True),
            ("GEOSEARCHSTORE", "to", *SEARCH[1:], b"COUNT", 5, b"STOREDIST"),
        ),
    ],
)
def test_the_words(call, words):
    assert sent(call) == words


@pytest.mark.parametrize("method", ["georadius", "georadius_ro", "georadiusbymember", "georadiusbymember_ro"])
def test_the_options_reach_the_callback(method):
    around = ("m", 3) if "member" in method else (1, 2, 3)
    options = options_of(lambda client: getattr(client, method)("g", *around, withdist=True))
    assert options == {"withdist": True, "withcoord": False, "withhash": False}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda client: client.geoadd("g", PALERMO, nx=True, xx=True), "nx and xx exclude each other"),
        (lambda client: client.geodist("g", "a", "b", "miles"), "unit is M or KM or FT or MI, not 'miles'"),
        (lambda client: client.georadius("g", 1, 2, 3, "miles"), "unit is M or KM or FT or MI, not 'miles'"),
        (lambda client: client.georadius("g", 1, 2, 3, sort="up"), "sort is ASC or DESC, not 'up'"),
        (lambda client: client.georadius("g", 1, 2, 3, any=True), "any needs count"),
        (lambda client: client.georadius("g", 1, 2, 3, store="a", store_dist="b"), "store and store_dist exclude"),
        (lambda client: client.georadiusbymember("g", "m", 3, store="a", store_dist="b"), "store and store_dist"),
        (lambda client: client.geosearch("g", radius=3), "the middle is either member, or longitude and latitude"),
        (lambda client: client.geosearch("g", longitude=1, radius=3), "the middle is either"),
        (lambda client: client.geosearch("g", "m", 1, 2, radius=3), "the middle is either"),
        (lambda client: client.geosearch("g", "m"), "the extent is either radius, or width and height"),
        (lambda client: client.geosearch("g", "m", radius=3, width=1, height=1), "the extent is either"),
        (lambda client: client.geosearch("g", "m", width=1), "the extent is either"),
        (lambda client: client.geosearchstore("to", "g", "m"), "the extent is either"),
    ],
)
def test_what_cannot_be_meant(call, message):
    with pytest.raises(DataError, match=message):
        sent(call)
