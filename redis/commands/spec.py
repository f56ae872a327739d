"""The facts of the commands: one :class:`Spec` each, written once, beside the method, by :func:`command`.

Who reads them: the client (what may be sent again, how long a reply may take, which connection is not to be used
again), the shell, the documentation and the tests.  Nobody keeps a second list.  This module knows no socket, no
client and no single method.

Positions count the words of the command as they are sent: in ``OBJECT ENCODING key`` the key is at 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import Any, NamedTuple, TypeVar

from redis.exceptions import DataError
from redis.typing import ReplyCallback

Function = TypeVar("Function", bound=Callable[..., Any])
Keys = int | slice | Callable[[Sequence[Any]], Sequence[Any]] | None


class Spec(NamedTuple):
    """What is known of one command."""

    #: In capitals, a command of two words with a space between: ``"CONFIG GET"``.
    name: str
    #: Where the keys stand: an index, a slice, a function from the words to the keys; None where there are none.
    keys: Keys = None
    #: The server flags it readonly: it may be sent again after an unknown outcome.
    readonly: bool = False
    #: The server flags it write.
    write: bool = False
    #: Where the time-out stands (an index, or a function from the words to it; a ValueError of that function says that
    #: this call does not block) and its unit, ``"s"`` or ``"ms"``.
    blocking: tuple[int | Callable[[Sequence[Any]], int], str] | None = None
    #: Makes one value of the RESP2 or the RESP3 reply: ``reply(response, **options)``.
    reply: ReplyCallback | None = None
    #: False: the reply stays bytes with ``decode_responses=True`` too, for it is no text.
    decode: bool = True
    #: The first version of the server that has it: ``"6.2.0"``, or ``"Valkey 9.0.0"`` where Redis has not.
    since: str = "1.0.0"
    #: The tips of the server for a cluster.
    request_policy: str | None = None
    response_policy: str | None = None
    #: The method that sends it; None where it has none of its own.
    method: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The name as it is sent: one word or two."""
        return tuple(self.name.split())

    @property
    def stateful(self) -> bool:
        """Whether it changes the connection that it is sent through."""
        return self.name in STATEFUL

    @property
    def plain(self) -> bool:
        """Whether it asks for nothing special: one word, an ordinary reply, at once."""
        return " " not in self.name and self.decode and self.blocking is None and not self.stateful


SPECS: dict[str, Spec] = {}
"""Every declared command by its name."""

PLAIN: set[str] = set()
"""The names of the plain commands, spelt as the methods spell them: the short way through the client is theirs."""

CONTAINERS: set[str] = set()
"""The first words of the commands of two words."""

STATEFUL = frozenset(
    """
    ASKING AUTH DISCARD EXEC HELLO MONITOR MULTI PSUBSCRIBE PSYNC PUNSUBSCRIBE QUIT READONLY READWRITE REPLCONF RESET
    SELECT SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE UNWATCH WATCH
    """.split()
) | {
    "CLIENT CACHING",
    "CLIENT CAPA",
    "CLIENT IMPORT-SOURCE",
    "CLIENT NO-EVICT",
    "CLIENT NO-TOUCH",
    "CLIENT REPLY",
    "CLIENT TRACKING",
    "SCRIPT DEBUG",
}
"""The commands that leave their connection other than they found it.  CLIENT SETNAME harms nobody and is not here."""

CONTAINERS.update(name.split()[0] for name in STATEFUL if " " in name)


def declare(name: str, **facts: Any) -> Spec:
    """Declare a command; ``facts`` are the fields of :class:`Spec`."""
    spec = Spec(name, **facts)
    check(spec)
    SPECS[name] = spec
    if spec.plain:
        PLAIN.add(name)
    if " " in name:
        CONTAINERS.add(spec.words[0])
    return spec


def check(spec: Spec) -> None:
    """Raise ValueError for a declaration that cannot be true."""
    if spec.name != spec.name.upper() or spec.name.count(" ") > 1:
        raise ValueError(f"{spec.name!r} is no name of a command: one or two words in capitals")
    if spec.readonly and spec.write:
        raise ValueError(f"{spec.name} cannot be both readonly and write")
    if spec.name in SPECS:
        raise ValueError(f"{spec.name} is declared twice")


def command(name: str, **facts: Any) -> Callable[[Function], Function]:
    """Declare the command that the decorated method sends, and return the method itself: no wrapper, no cost.

    Where a method sends several commands, the decorators stand one above the other.
    """

    def remember(method: Function) -> Function:
        declare(name, method=method.__name__, **facts)
        return method

    return remember


class Special(NamedTuple):
    """What is special about one call, in the order in which the connection takes it."""

    #: It leaves the connection other than it found it.
    changes: bool
    #: The server may take so many seconds longer; None: it answers at once.
    wait: float | None
    #: The reply is text as much as any other.
    decode: bool


ORDINARY = Special(False, None, True)
"""Nothing is."""


def understand(args: Sequence[Any]) -> tuple[tuple[Any, ...], Special]:
    """The words to be sent for the arguments of ``execute_command``, and what is special about them.

    DataError for what cannot be meant so; nothing has been sent then.
    """
    words = split_name(args)
    name = name_of(words)
    if " " in name:
        # Both words are the name, which no charset touches; the packer knows that of the first alone.
        words = (words[0], name.split()[1].encode(), *words[2:])
    if name == "CLIENT REPLY" and word(words[-1]) in ("OFF", "SKIP"):
        raise DataError(f"CLIENT REPLY {word(words[-1])} leaves commands without a reply; no client can wait for that")
    spec = SPECS.get(name)
    if spec is None:
        return words, Special(name in STATEFUL, None, True)
    return words, Special(spec.stateful, waiting_time(spec, words), spec.decode)


def named(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments of ``execute_command`` with a name that is str or bytes, whatever it was; DataError for a list."""
    name = args[0] if args else ""
    if isinstance(name, (str, bytes)):
        return args
    if isinstance(name, (list, tuple, dict, set, frozenset)):
        raise DataError(f"the words of a command are arguments of their own, not a {type(name).__name__}")
    text = bytes(name).decode("latin-1") if isinstance(name, (bytearray, memoryview)) else str(name)
    return (text, *args[1:])


def split_name(args: Sequence[Any]) -> tuple[Any, ...]:
    """``("CONFIG GET", "x")`` as ``("CONFIG", "GET", "x")``: only a declared command of two words is split.

    Anything else with a space may have the data of a user in it.
    """
    if not args or not word(args[0]).strip():
        raise DataError("execute_command needs the name of a command")
    name = word(args[0])
    if not any(character.isspace() for character in name):
        return tuple(args)
    if name not in SPECS and name not in STATEFUL:
        raise DataError(
            f"{name.split()[0]!r} is followed by a space: pass the words of a command apart, each as an argument"
        )
    return (*args[0].split(), *args[1:])


def name_of(args: Sequence[Any]) -> str:
    """The name of the command in ``args`` as SPECS would spell it, however it was written.

    ``("config", b"get", "x")`` and ``("CONFIG GET", "x")`` both give ``"CONFIG GET"``.
    """
    first = word(args[0])
    if first in CONTAINERS and len(args) > 1:
        both = f"{first} {word(args[1])}"
        if both in SPECS or both in STATEFUL:
            return both
    return first


def known_name(container: str, subcommand: Any) -> tuple[Any, ...]:
    """The first arguments of ``execute_command`` for a subcommand: one name where it is declared, else two words."""
    name = f"{container} {word(subcommand)}"
    return (name,) if name in SPECS else (container, subcommand)


def word(value: Any) -> str:
    """A word of a command as text in capitals; bytes of any value are readable."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("latin-1").upper()
    return str(value).upper()


def waiting_time(spec: Spec, args: Sequence[Any]) -> float | None:
    """How long, in seconds, the server may wait before it answers these words; inf for ever, None if it does not."""
    if spec.blocking is None:
        return None
    where, unit = spec.blocking
    try:
        timeout = float(args[where if isinstance(where, int) else where(args)])
    except (IndexError, ValueError, TypeError):
        return None
    if not timeout >= 0:  # the server refuses it at once
        return None
    seconds = timeout / 1000 if unit == "ms" else timeout
    return seconds if 0 < seconds < FOR_EVER else inf


FOR_EVER = 1e9
"""Seconds: nobody tells a longer time from for ever, and no time-out of a socket can be as long."""


def keys_of(spec: Spec, args: Sequence[Any]) -> list[Any]:
    """The keys among these words."""
    if spec.keys is None:
        return []
    if isinstance(spec.keys, int):
        return [args[spec.keys]]
    if isinstance(spec.keys, slice):
        return list(args[spec.keys])
    return list(spec.keys(args))


def counted_keys(at: int, step: int = 1) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """The fact ``keys`` of a command that tells the number of its keys at ``at`` and has them after that."""

    def keys(args: Sequence[Any]) -> Sequence[Any]:
        return args[at + 1 : at + 1 + step * int(args[at]) : step]

    return keys


def options_in(
    args: Sequence[Any], start: int, values: Mapping[str, int], otherwise: int = 0
) -> Iterator[tuple[int, str]]:
    """The place and the name of each option from ``start`` on, one after the other.

    ``values`` tells how many values follow an option: a value may be spelt as an option is, and is passed over.
    """
    place = start
    while place < len(args):
        name = word(args[place])
        yield place, name
        place += 1 + values.get(name, otherwise)
