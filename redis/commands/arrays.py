"""Arrays: values under whole numbers, with gaps that cost nothing.

This module owns the commands of https://redis.io/commands/?group=array.  An array has a cursor, the index that
ARINSERT and ARRING write to next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from redis.commands.args import choice, flag_words, flatten, option_words
from redis.commands.group import Group
from redis.commands.replies import list_of_pairs
from redis.commands.server_replies import record
from redis.commands.spec import command
from redis.exceptions import DataError
from redis.typing import EncodableT, KeyT, T

Index = int | str
"""An index, or ``"-"`` and ``"+"`` for the first and the last one."""
PREDICATES = ("EXACT", "MATCH", "GLOB", "RE")
OPERATIONS = ("SUM", "MIN", "MAX", "AND", "OR", "XOR", "USED", "MATCH")


def several(name: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the values; DataError where there is none."""
    if not values:
        raise DataError(f"{name} needs at least one value after the name")
    return values


def found_reply(response: Any, **options: Any) -> Any:
    """Return the indices, or with ``withvalues`` tuples of index and value."""
    return list_of_pairs(response) if options.get("withvalues") else response


class ArrayCommands(Group[T]):
    """The commands on arrays."""

    __slots__ = ()

    @command("ARCOUNT", keys=1, readonly=True, since="8.8.0")
    def arcount(self, name: KeyT) -> int:
        """Return the number of elements; 0 where there is no such key.

        Since 8.8.0, https://redis.io/commands/arcount/
        """
        return self.execute_command("ARCOUNT", name)

    @command("ARDEL", keys=1, write=True, since="8.8.0")
    def ardel(self, name: KeyT, *indices: int) -> int:
        """Delete the elements at ``indices``; return how many there were.

        Since 8.8.0, https://redis.io/commands/ardel/
        """
        return self.execute_command("ARDEL", name, *several("ardel", indices))

    @command("ARDELRANGE", keys=1, write=True, since="8.8.0")
    def ardelrange(self, name: KeyT, *ranges: tuple[int, int]) -> int:
        """Delete the elements of ``ranges``, each a pair of the first and the last index; return how many there were.

        Since 8.8.0, https://redis.io/commands/ardelrange/
        """
        bounds = [bound for first, last in several("ardelrange", ranges) for bound in (first, last)]
        return self.execute_command("ARDELRANGE", name, *bounds)

    @command("ARGET", keys=1, readonly=True, since="8.8.0")
    def arget(self, name: KeyT, index: int) -> T | None:
        """Return the element at ``index``; None where there is none.

        Since 8.8.0, https://redis.io/commands/arget/
        """
        return self.execute_command("ARGET", name, index)

    @command("ARGETRANGE", keys=1, readonly=True, since="8.8.0")
    def argetrange(self, name: KeyT, start: int, end: int) -> list[T | None]:
        """Return the elements from ``start`` to ``end``, backwards where that is less; None for each gap.

        Since 8.8.0, https://redis.io/commands/argetrange/
        """
        return self.execute_command("ARGETRANGE", name, start, end)

    @command("ARGREP", keys=1, readonly=True, reply=found_reply, since="8.8.0")
    def argrep(
        self,
        name: KeyT,
        start: Index,
        end: Index,
        predicates: Iterable[tuple[str, EncodableT]],
        combinator: str | None = None,
        limit: int | None = None,
        withvalues: bool = False,
        nocase: bool = False,
    ) -> list[Any]:
        """Return the indices from ``start`` to ``end`` that match; with ``withvalues`` tuples of index and element.

        ``predicates`` are pairs of EXACT (equals), MATCH (contains), GLOB (a pattern) or RE (a regular expression) and
        a text; ``combinator`` OR (by default) or AND says how many must hold; ``nocase`` ignores upper and lower case.
        DataError for none.  Since 8.8.0, https://redis.io/commands/argrep/
        """
        words = [word for kind, text in predicates for word in (choice("predicates", kind, *PREDICATES), text)]
        if not words:
            raise DataError("argrep needs at least one pair in predicates")
        words += [] if combinator is None else [choice("combinator", combinator, "AND", "OR")]
        words += option_words((b"LIMIT", limit)) + flag_words((b"WITHVALUES", withvalues), (b"NOCASE", nocase))
        return self.execute_command("ARGREP", name, start, end, *words, withvalues=withvalues)

    @command("ARINFO", keys=1, readonly=True, reply=record(), since="8.8.0")
    def arinfo(self, name: KeyT, full: bool = False) -> dict[str, Any]:
        """Return what the server knows of the array, with ``full`` of each of its parts too: a dict of native str.

        Since 8.8.0, https://redis.io/commands/arinfo/
        """
        return self.execute_command("ARINFO", name, *flag_words((b"FULL", full)))

    @command("ARINSERT", keys=1, write=True, since="8.8.0")
    def arinsert(self, name: KeyT, *values: EncodableT) -> int:
        """Write ``values`` from the cursor on, which goes on behind them; return the index of the last one.

        Since 8.8.0, https://redis.io/commands/arinsert/
        """
        return self.execute_command("ARINSERT", name, *several("arinsert", values))

    @command("ARLASTITEMS", keys=1, readonly=True, since="8.8.0")
    def arlastitems(self, name: KeyT, count: int, rev: bool = False) -> list[T | None]:
        """Return the ``count`` elements before the cursor, with ``rev`` the newest first.

        Since 8.8.0, https://redis.io/commands/arlastitems/
        """
        return self.execute_command("ARLASTITEMS", name, count, *flag_words((b"REV", rev)))

    @command("ARLEN", keys=1, readonly=True, since="8.8.0")
    def arlen(self, name: KeyT) -> int:
        """Return the highest index plus one; 0 where there is no such key.

        Since 8.8.0, https://redis.io/commands/arlen/
        """
        return self.execute_command("ARLEN", name)

    @command("ARMGET", keys=1, readonly=True, since="8.8.0")
    def armget(self, name: KeyT, *indices: int) -> list[T | None]:
        """Return the elements at ``indices``, None for each that is not there.

        Since 8.8.0, https://redis.io/commands/armget/
        """
        return self.execute_command("ARMGET", name, *several("armget", indices))

    @command("ARMSET", keys=1, write=True, since="8.8.0")
    def armset(self, name: KeyT, mapping: Mapping[int, EncodableT]) -> int:
        """Write each value of ``mapping`` at its index; return how many gaps were filled.  DataError where it is empty.

        Since 8.8.0, https://redis.io/commands/armset/
        """
        return self.execute_command("ARMSET", name, *several("armset", tuple(flatten(mapping))))

    @command("ARNEXT", keys=1, readonly=True, since="8.8.0")
    def arnext(self, name: KeyT) -> int | None:
        """Return the cursor, 0 where there is no such key; None where it is past the last index.

        Since 8.8.0, https://redis.io/commands/arnext/
        """
        return self.execute_command("ARNEXT", name)

    @command("AROP", keys=1, readonly=True, since="8.8.0")
    def arop(self, name: KeyT, start: int, end: int, operation: str, value: EncodableT | None = None) -> Any:
        """Return what ``operation`` makes of the elements from ``start`` to ``end``.

        SUM, MIN, MAX, AND, OR and XOR give one number of the elements that are numbers, as the server sends it, USED
        the count of elements, MATCH the count of those that equal ``value``.  DataError for MATCH without a value, and
        for a value with another operation.  Since 8.8.0, https://redis.io/commands/arop/
        """
        chosen = choice("operation", operation, *OPERATIONS)
        if (chosen == b"MATCH") != (value is not None):
            raise DataError("value belongs to the operation MATCH")
        return self.execute_command("AROP", name, start, end, chosen, *([] if value is None else [value]))

    @command("ARRING", keys=1, write=True, since="8.8.0")
    def arring(self, name: KeyT, size: int, *values: EncodableT) -> int:
        """Write ``values`` from the cursor on, which begins again at 0 behind ``size``; return the last index.

        Since 8.8.0, https://redis.io/commands/arring/
        """
        return self.execute_command("ARRING", name, size, *several("arring", values))

    @command("ARSCAN", keys=1, readonly=True, reply=list_of_pairs, since="8.8.0")
    def arscan(self, name: KeyT, start: int, end: int, limit: int | None = None) -> list[tuple[int, T]]:
        """Return tuples of index and element from ``start`` to ``end``, no more than ``limit``; gaps are left out.

        Since 8.8.0, https://redis.io/commands/arscan/
        """
        return self.execute_command("ARSCAN", name, start, end, *option_words((b"LIMIT", limit)))

    @command("ARSEEK", keys=1, write=True, reply=bool, since="8.8.0")
    def arseek(self, name: KeyT, index: int) -> bool:
        """Set the cursor; return False where there is no such key.

        Since 8.8.0, https://redis.io/commands/arseek/
        """
        return self.execute_command("ARSEEK", name, index)

    @command("ARSET", keys=1, write=True, since="8.8.0")
    def arset(self, name: KeyT, index: int, *values: EncodableT) -> int:
        """Write ``values`` from ``index`` on; return how many gaps were filled.

        Since 8.8.0, https://redis.io/commands/arset/
        """
        return self.execute_command("ARSET", name, index, *several("arset", values))
