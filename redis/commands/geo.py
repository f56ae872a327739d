"""Places: a sorted set whose scores are positions on the earth.

This module owns the commands of https://redis.io/commands/?group=geo.  Longitudes and latitudes are degrees, the
longitude first; a distance is in the unit that the caller chose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from redis.commands.args import choice, condition_words, flag_words, is_one, option_words
from redis.commands.group import Group
from redis.commands.replies import float_or_none, native_str, parse_georadius_generic, parse_geosearch
from redis.commands.spec import command, options_in
from redis.exceptions import DataError
from redis.typing import EncodableT, KeyT, T

Position = tuple[float, float]


def positions(response: Any) -> list[Position | None]:
    """Return each position as a tuple of two floats; None stays None."""
    return [None if position is None else (float(position[0]), float(position[1])) for position in response]


def geohashes(response: Any) -> list[str | None]:
    """Return the hashes, which are plain ASCII, as native str; None stays None."""
    return [native_str(text) for text in response]


def stored_keys(start: int) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """The fact ``keys`` of GEORADIUS and GEORADIUSBYMEMBER: the one that is searched and the one of STORE."""

    def keys(args: Sequence[Any]) -> Sequence[Any]:
        found = [args[1]]
        for place, option in options_in(args, start, {"COUNT": 1, "STORE": 1, "STOREDIST": 1}):
            if option in ("STORE", "STOREDIST"):
                found[1:] = args[place + 1 : place + 2]
        return found

    return keys


def unit_word(unit: str | None) -> Any:
    """Return the unit as the servers spell it; None is metres."""
    return choice("unit", unit or "m", "M", "KM", "FT", "MI").lower()


def how_many_words(sort: str | None, count: int | None, any: bool) -> list[Any]:
    """Return the words that tell in which order the places come, and how many."""
    if any and count is None:
        raise DataError("any needs count")
    words = [] if sort is None else [choice("sort", sort, "ASC", "DESC")]
    return [*words, *option_words((b"COUNT", count)), *flag_words((b"ANY", any))]


def with_words(withdist: bool, withcoord: bool, withhash: bool) -> list[Any]:
    """Return the words that ask for more than the names."""
    return flag_words((b"WITHDIST", withdist), (b"WITHCOORD", withcoord), (b"WITHHASH", withhash))


def store_words(store: Any, store_dist: Any) -> list[Any]:
    """Return the words that have the result stored."""
    if store is not None and store_dist is not None:
        raise DataError("store and store_dist exclude each other")
    return option_words((b"STORE", store), (b"STOREDIST", store_dist))


def area_words(
    member: Any,
    longitude: float | None,
    latitude: float | None,
    unit: str,
    radius: float | None,
    width: float | None,
    height: float | None,
) -> list[Any]:
    """Return the words of the area that GEOSEARCH and GEOSEARCHSTORE look at: its middle and its extent."""
    if (longitude is None) != (latitude is None) or (longitude is None) == (member is None):
        raise DataError("the middle is either member, or longitude and latitude")
    if (width is None) != (height is None) or (radius is None) == (width is None):
        raise DataError("the extent is either radius, or width and height")
    middle = [b"FROMMEMBER", member] if longitude is None else [b"FROMLONLAT", longitude, latitude]
    extent = [b"BYBOX", width, height] if radius is None else [b"BYRADIUS", radius]
    return [*middle, *extent, unit_word(unit)]


class GeoCommands(Group[T]):
    """The commands on places."""

    __slots__ = ()

    @command("GEOADD", keys=1, write=True, since="3.2.0")
    def geoadd(self, name: KeyT, *values: Any, nx: bool = False, xx: bool = False, ch: bool = False) -> int:
        """Add places: longitude, latitude and name of each, one after the other, or all of them in one sequence.

        Return how many are new, with ``ch`` how many are new or have moved.  ``nx`` only adds, ``xx`` only moves.
        DataError where the number of values is no multiple of three.

        Since 3.2.0, nx, xx, ch 6.2.0, https://redis.io/commands/geoadd/
        """
        if len(values) == 1 and not is_one(values[0]):
            values = tuple(values[0])
        if not values or len(values) % 3:
            raise DataError("geoadd needs places: longitude, latitude and name of each")
        words = [*condition_words(nx, xx), *flag_words((b"CH", ch))]
        return self.execute_command("GEOADD", name, *words, *values)

    @command("GEODIST", keys=1, readonly=True, reply=float_or_none, since="3.2.0")
    def geodist(self, name: KeyT, place1: EncodableT, place2: EncodableT, unit: str | None = None) -> float | None:
        """Return the distance between two places in ``unit``: ``"m"``, the default, ``"km"``, ``"ft"`` or ``"mi"``.

        None where one of the places is missing.  Since 3.2.0, https://redis.io/commands/geodist/
        """
        return self.execute_command("GEODIST", name, place1, place2, *([] if unit is None else [unit_word(unit)]))

    @command("GEOHASH", keys=1, readonly=True, reply=geohashes, since="3.2.0")
    def geohash(self, name: KeyT, *values: EncodableT) -> list[str | None]:
        """Return the Geohash of each place, a str of 11 characters; None for each that is missing.

        Since 3.2.0, https://redis.io/commands/geohash/
        """
        return self.execute_command("GEOHASH", name, *values)

    @command("GEOPOS", keys=1, readonly=True, reply=positions, since="3.2.0")
    def geopos(self, name: KeyT, *values: EncodableT) -> list[Position | None]:
        """Return the position of each place, a tuple of longitude and latitude; None for each that is missing.

        Since 3.2.0, https://redis.io/commands/geopos/
        """
        return self.execute_command("GEOPOS", name, *values)

    @command("GEORADIUS", keys=stored_keys(6), write=True, reply=parse_georadius_generic, since="3.2.0")
    def georadius(
        self,
        name: KeyT,
        longitude: float,
        latitude: float,
        radius: float,
        unit: str | None = None,
        withdist: bool = False,
        withcoord: bool = False,
        withhash: bool = False,
        count: int | None = None,
        sort: str | None = None,
        store: KeyT | None = None,
        store_dist: KeyT | None = None,
        any: bool = False,
    ) -> Any:
        """Return the names, as native str, of the places within ``radius`` around a position.

        ``unit`` is as in :meth:`geodist`.  With ``withdist``, ``withhash`` or ``withcoord`` each place is a list: its
        name, its distance as a float, its hash as an int and its position as a tuple, in this order, as far as they are
        asked for.  ``sort`` is ``"ASC"`` (nearest first) or ``"DESC"``; only ``count`` places, with ``any`` the first
        that are found.  With ``store`` or ``store_dist`` the places, with their hashes or distances as scores, are
        stored under that name and their number comes back.

        Since 3.2.0, any 6.2.0, https://redis.io/commands/georadius/; :meth:`geosearch` is its successor.
        """
        words = [unit_word(unit), *with_words(withdist, withcoord, withhash), *how_many_words(sort, count, any)]
        words += store_words(store, store_dist)
        options = {"withdist": withdist, "withcoord": withcoord, "withhash": withhash}
        return self.execute_command("GEORADIUS", name, longitude, latitude, radius, *words, **options)

    @command("GEORADIUS_RO", keys=1, readonly=True, reply=parse_georadius_generic, since="3.2.10")
    def georadius_ro(
        self,
        name: KeyT,
        longitude: float,
        latitude: float,
        radius: float,
        unit: str | None = None,
        withdist: bool = False,
        withcoord: bool = False,
        withhash: bool = False,
        count: int | None = None,
        sort: str | None = None,
        any: bool = False,
    ) -> list[Any]:
        """Do as :meth:`georadius` without storing anything, so that a replica can answer it.

        Since 3.2.10, https://redis.io/commands/georadius_ro/
        """
        words = [unit_word(unit), *with_words(withdist, withcoord, withhash), *how_many_words(sort, count, any)]
        options = {"withdist": withdist, "withcoord": withcoord, "withhash": withhash}
        return self.execute_command("GEORADIUS_RO", name, longitude, latitude, radius, *words, **options)

    @command("GEORADIUSBYMEMBER", keys=stored_keys(5), write=True, reply=parse_georadius_generic, since="3.2.0")
    def georadiusbymember(
        self,
        name: KeyT,
        member: EncodableT,
        radius: float,
        unit: str | None = None,
        withdist: bool = False,
        withcoord: bool = False,
        withhash: bool = False,
        count: int | None = None,
        sort: str | None = None,
        store: KeyT | None = None,
        store_dist: KeyT | None = None,
        any: bool = False,
    ) -> Any:
        """Do as :meth:`georadius` around the position of ``member``; ResponseError where it is missing.

        Since 3.2.0, any 6.2.0, https://redis.io/commands/georadiusbymember/
        """
        words = [unit_word(unit), *with_words(withdist, withcoord, withhash), *how_many_words(sort, count, any)]
        words += store_words(store, store_dist)
        options = {"withdist": withdist, "withcoord": withcoord, "withhash": withhash}
        return self.execute_command("GEORADIUSBYMEMBER", name, member, radius, *words, **options)

    @command("GEORADIUSBYMEMBER_RO", keys=1, readonly=True, reply=parse_georadius_generic, since="3.2.10")
    def georadiusbymember_ro(
        self,
        name: KeyT,
        member: EncodableT,
        radius: float,
        unit: str | None = None,
        withdist: bool = False,
        withcoord: bool = False,
        withhash: bool = False,
        count: int | None = None,
        sort: str | None = None,
        any: bool = False,
    ) -> list[Any]:
        """Do as :meth:`georadiusbymember` without storing anything, so that a replica can answer it.

        Since 3.2.10, https://redis.io/commands/georadiusbymember_ro/
        """
        words = [unit_word(unit), *with_words(withdist, withcoord, withhash), *how_many_words(sort, count, any)]
        options = {"withdist": withdist, "withcoord": withcoord, "withhash": withhash}
        return self.execute_command("GEORADIUSBYMEMBER_RO", name, member, radius, *words, **options)

    @command("GEOSEARCH", keys=1, readonly=True, reply=parse_geosearch, since="6.2.0")
    def geosearch(
        self,
        name: KeyT,
        member: EncodableT | None = None,
        longitude: float | None = None,
        latitude: float | None = None,
        unit: str = "m",
        radius: float | None = None,
        width: float | None = None,
        height: float | None = None,
        sort: str | None = None,
        count: int | None = None,
        any: bool = False,
        withcoord: bool = False,
        withdist: bool = False,
        withhash: bool = False,
    ) -> list[Any]:
        """Return the places around ``member`` or a position, within ``radius`` or a box of ``width`` and ``height``.

        A list of their names, or of lists as in :meth:`georadius`, whose other options it has; the names are values
        here, bytes unless replies are decoded.  DataError where the middle or the extent is missing or told twice.

        Since 6.2.0, https://redis.io/commands/geosearch/
        """
        words = area_words(member, longitude, latitude, unit, radius, width, height)
        words += [*how_many_words(sort, count, any), *with_words(withdist, withcoord, withhash)]
        options = {"withdist": withdist, "withcoord": withcoord, "withhash": withhash}
        return self.execute_command("GEOSEARCH", name, *words, **options)

    @command("GEOSEARCHSTORE", keys=slice(1, 3), write=True, since="6.2.0")
    def geosearchstore(
        self,
        dest: KeyT,
        name: KeyT,
        member: EncodableT | None = None,
        longitude: float | None = None,
        latitude: float | None = None,
        unit: str = "m",
        radius: float | None = None,
        width: float | None = None,
        height: float | None = None,
        sort: str | None = None,
        count: int | None = None,
        any: bool = False,
        storedist: bool = False,
    ) -> int:
        """Store the places that :meth:`geosearch` would give under ``dest``; return how many they are.

        Their scores are their hashes, with ``storedist`` their distances in ``unit``.

        Since 6.2.0, https://redis.io/commands/geosearchstore/
        """
        words = area_words(member, longitude, latitude, unit, radius, width, height)
        words += [*how_many_words(sort, count, any), *flag_words((b"STOREDIST", storedist))]
        return self.execute_command("GEOSEARCHSTORE", dest, name, *words)
