"""Bitmaps: a string seen as a row of bits, or of whole numbers that are a few bits wide.

This module owns the commands of https://redis.io/commands/?group=bitmap and the object that collects the steps of a
BITFIELD.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from redis.commands.args import choice
from redis.commands.group import Group
from redis.commands.spec import command
from redis.exceptions import DataError
from redis.typing import KeyT, T


def overflow_word(overflow: str) -> Any:
    """Return the word that tells what becomes of a number that does not fit."""
    return choice("overflow", overflow, "WRAP", "SAT", "FAIL")


def bit_value(argument: str, value: Any) -> int:
    """Return a bit, which may be given as a bool, as 0 or 1; DataError for anything else."""
    if value not in (0, 1):
        raise DataError(f"{argument} is 0 or 1, not {value!r}")
    return int(value)


def range_words(start: int | None, end: int | None, mode: str | None) -> list[Any]:
    """Return the words of a range in bytes or bits, which may lack its end."""
    if start is None and end is not None:
        raise DataError("end needs start")
    if mode is not None and end is None:
        raise DataError("mode needs start and end")
    words = [bound for bound in (start, end) if bound is not None]
    return words if mode is None else [*words, choice("mode", mode, "BYTE", "BIT")]


class BitFieldOperation:
    """The steps of one BITFIELD; each method adds a step and returns the object, :meth:`execute` sends them.

    A number is told by its type, ``"u8"`` (unsigned, 8 bits) or ``"i5"`` (signed, 5 bits), and by its offset in bits,
    or ``"#3"`` for the fourth number of this type.
    """

    def __init__(self, client: Group[Any], key: KeyT, default_overflow: str | None = None) -> None:
        self.client = client
        self.key = key
        self._default_overflow = overflow_word(default_overflow or "WRAP")
        self.reset()

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self.key!r}>"

    def reset(self) -> None:
        """Forget all steps; of numbers that do not fit becomes what ``default_overflow`` says."""
        self.operations: list[tuple[Any, ...]] = []
        self._last_overflow: Any = b"WRAP"
        self.overflow(self._default_overflow)

    def overflow(self, overflow: str) -> BitFieldOperation:
        """Say what becomes, from here on, of numbers that do not fit their type.

        ``"WRAP"`` around, ``"SAT"`` at the greatest or least number, or ``"FAIL"``: no change and None in the result.
        """
        word = overflow_word(overflow)
        if word != self._last_overflow:
            self._last_overflow = word
            self.operations.append((b"OVERFLOW", word))
        return self

    def get(self, fmt: str, offset: int | str) -> BitFieldOperation:
        """Read a number."""
        self.operations.append((b"GET", fmt, offset))
        return self

    def set(self, fmt: str, offset: int | str, value: int) -> BitFieldOperation:
        """Store a number; the result is the one that was there."""
        self.operations.append((b"SET", fmt, offset, value))
        return self

    def incrby(self, fmt: str, offset: int | str, increment: int, overflow: str | None = None) -> BitFieldOperation:
        """Add to a number; the result is the new one.  ``overflow`` is as :meth:`overflow` says, from here on."""
        if overflow is not None:
            self.overflow(overflow)
        self.operations.append((b"INCRBY", fmt, offset, increment))
        return self

    @property
    def command(self) -> list[Any]:
        """The words that :meth:`execute` sends."""
        return ["BITFIELD", self.key, *(word for step in self.operations for word in step)]

    def execute(self) -> list[int | None]:
        """Send all steps, which the server takes at once, and forget them; return a list of their results.

        In a pipeline the command is queued.
        """
        words = self.command
        self.reset()
        return self.client.execute_command(*words)


class BitmapCommands(Group[T]):
    """The commands on bitmaps."""

    __slots__ = ()

    @command("BITCOUNT", keys=1, readonly=True, since="2.6.0")
    def bitcount(self, key: KeyT, start: int | None = None, end: int | None = None, mode: str | None = None) -> int:
        """Return how many bits are 1, from ``start`` to ``end``, both included and negative from the end.

        They count bytes, or bits where ``mode`` is ``"BIT"`` and not ``"BYTE"``; DataError for one without the other.

        Since 2.6.0, mode 7.0.0, https://redis.io/commands/bitcount/
        """
        if start is not None and end is None:
            raise DataError("start and end must be given together")
        return self.execute_command("BITCOUNT", key, *range_words(start, end, mode))

    @command("BITFIELD", keys=1, write=True, since="3.2.0")
    def bitfield(self, key: KeyT, default_overflow: str | None = None) -> BitFieldOperation:
        """Return an object that collects steps on the numbers in a bitmap; nothing is sent before its ``execute()``.

        ``default_overflow`` is ``"WRAP"``, ``"SAT"`` or ``"FAIL"``, see :meth:`BitFieldOperation.overflow`; None is
        WRAP.  Since 3.2.0, https://redis.io/commands/bitfield/
        """
        return BitFieldOperation(self, key, default_overflow)

    @command("BITFIELD_RO", keys=1, readonly=True, since="6.0.0")
    def bitfield_ro(
        self, key: KeyT, encoding: str, offset: int | str, items: Iterable[tuple[str, int | str]] | None = None
    ) -> list[int]:
        """Return a list of the number of type ``encoding`` at ``offset`` and of those that ``items`` tells.

        Each item is a type and an offset, see :class:`BitFieldOperation`.

        Since 6.0.0, https://redis.io/commands/bitfield_ro/
        """
        words = [word for fmt, place in (items or ()) for word in (b"GET", fmt, place)]
        return self.execute_command("BITFIELD_RO", key, b"GET", encoding, offset, *words)

    @command("BITOP", keys=slice(2, None), write=True, since="2.6.0")
    def bitop(self, operation: str, dest: KeyT, *keys: KeyT) -> int:
        """Combine the bits of ``keys`` and store the result under ``dest``; return its length in bytes.

        ``operation`` is ``"AND"``, ``"OR"``, ``"XOR"`` or, of one key, ``"NOT"``; ``"DIFF"``: in the first key and in
        no other, ``"DIFF1"``: not in the first but in another, ``"ANDOR"``: in the first and in another, ``"ONE"``: in
        exactly one.  Since 2.6.0, the last four 8.2.0, https://redis.io/commands/bitop/
        """
        word = choice("operation", operation, "AND", "OR", "XOR", "NOT", "DIFF", "DIFF1", "ANDOR", "ONE")
        return self.execute_command("BITOP", word, dest, *keys)

    @command("BITPOS", keys=1, readonly=True, since="2.8.7")
    def bitpos(
        self, key: KeyT, bit: int, start: int | None = None, end: int | None = None, mode: str | None = None
    ) -> int:
        """Return the position of the first bit that is ``bit``, 0 or 1; -1 where there is none.

        It is looked for from ``start`` to ``end``, both included and negative from the end.  They count bytes, or bits
        where ``mode`` is ``"BIT"`` and not ``"BYTE"``; the position counts bits in any case.  DataError for ``end``
        without ``start``.  Since 2.8.7, mode 7.0.0, https://redis.io/commands/bitpos/
        """
        return self.execute_command("BITPOS", key, bit_value("bit", bit), *range_words(start, end, mode))

    @command("GETBIT", keys=1, readonly=True, since="2.2.0")
    def getbit(self, name: KeyT, offset: int) -> int:
        """Return the bit at ``offset``, 0 or 1; 0 beyond the end, and where there is no such key.

        Since 2.2.0, https://redis.io/commands/getbit/
        """
        return self.execute_command("GETBIT", name, offset)

    @command("SETBIT", keys=1, write=True, since="2.2.0")
    def setbit(self, name: KeyT, offset: int, value: Any) -> int:
        """Store 1 at ``offset`` where ``value`` is true, else 0; return the bit that was there.

        Since 2.2.0, https://redis.io/commands/setbit/
        """
        return self.execute_command("SETBIT", name, offset, 1 if value else 0)
