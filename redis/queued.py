"""What was queued: what is sent for it at one go, and how an error shows it.

This module must not know connections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from redis.commands.spec import ORDINARY, PLAIN, SPECS, Special, name_of, named, understand
from redis.exceptions import RedisError
from redis.protocol.masking import SECRETIVE

first = itemgetter(0)

Stacked = tuple[tuple[Any, ...], dict[str, Any]]
Words = tuple[Any, ...]
BYTES = (bytes, bytearray, memoryview)

MULTI, EXEC = ("MULTI",), ("EXEC",)
LONGEST = 60
"""How many characters of a command stand in the text of an error."""


class Order(NamedTuple):
    """What is sent at one go."""

    #: The commands as they are sent, MULTI and EXEC included.
    words: Sequence[Words]
    #: What is special about each of them; nothing where nothing is.
    specials: Sequence[Special] = ()
    #: What was queued, and is to be answered.
    stack: Sequence[Stacked] = ()
    #: The server executes all of it or nothing.
    atomic: bool = False

    @property
    def name(self) -> str:
        """What an error calls it."""
        return "EXEC" if self.atomic else "pipeline"

    @property
    def changes(self) -> bool:
        """Whether it leaves the connection other than it found it."""
        return bool(self.specials) and any(special.changes for special in self.specials)

    @property
    def blocking(self) -> bool:
        """Whether one of them may wait before it answers."""
        return any(special.wait is not None for special in self.specials)

    @property
    def readonly(self) -> bool:
        """Whether the server changes nothing: a batch is as read-only as its commands."""
        return all(name in SPECS and SPECS[name].readonly for name in map(name_of, self.words))


def order_for(stack: list[Stacked], atomic: bool) -> Order:
    """What is to be sent for what was queued; DataError for what cannot be meant so."""
    words: list[Words] = list(map(first, stack))
    specials: list[Special] = []
    if not are_plain(words):
        stack[:] = [(named(args), options) for args, options in stack]  # the callbacks are found by these names
        pairs = [understand(args) for args, _ in stack]
        words, specials = [command for command, _ in pairs], [special for _, special in pairs]
    if not atomic:
        return Order(words, specials, stack)
    if specials:
        # In a transaction nothing blocks, and EXEC brings all that is answered.
        changes, text = any(one.changes for one in specials), all(one.decode for one in specials)
        specials = [ORDINARY, *[Special(False, None, one.decode) for one in specials], Special(changes, None, text)]
    return Order([MULTI, *words, EXEC], specials, stack, True)


def are_plain(commands: list[Words]) -> bool:
    """Whether nothing about the commands is special; a name may be anything, and need not be there."""
    try:
        return PLAIN.issuperset(map(first, commands))
    except (TypeError, IndexError):
        return False


def decoded(reply: Any, decode: Callable[[Any], Any]) -> Any:
    """A reply of any shape, its texts decoded."""
    if isinstance(reply, (list, set)):
        return type(reply)(decoded(item, decode) for item in reply)
    if isinstance(reply, dict):
        return {decoded(key, decode): decoded(value, decode) for key, value in reply.items()}
    return decode(reply)


def has_errors(replies: list[Any]) -> bool:
    """Whether an error stands among them."""
    return any(issubclass(kind, RedisError) for kind in set(map(type, replies)))


def shown(command: Words) -> str:
    """A command as the text of an error has it: shortened, and without what may be a secret."""
    if name_of(command) in SECRETIVE:
        return f"{name_of(command)} ..."
    text = " ".join(map(as_text, command[:LONGEST]))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def as_text(word: Any) -> str:
    return bytes(word[:LONGEST]).decode("utf-8", "replace") if isinstance(word, BYTES) else str(word)
