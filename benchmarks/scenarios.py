"""What is measured: one entry of the table is one scenario.  Knows neither who runs it nor how it is timed.

``commands`` is the scenario as the wire sees it, from which the floor is made; ``call`` the same as a user writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from benchmarks.peers import FLOOR
from benchmarks.wire import Words

Call = Callable[[], Any]
MEGABYTE = 1 << 20

ITEMS = [b"item-%04d" % number for number in range(1000)]
PAIRS = {b"field-%04d" % number: b"value-%04d" % number for number in range(1000)}
NESTED = [[number, b"name-%d" % number, [b"x", b"y", number]] for number in range(1, 101)]
NESTED_SCRIPT = (
    "local all = {} for i = 1, 100 do all[i] = {i, 'name-' .. i, {'x', 'y', i}} end return all"  # what NESTED is
)
SMALL = b"a small value"


@dataclass(frozen=True)
class Scenario:
    """One line of work, done alike by every client."""

    name: str
    title: str
    #: The operation in the words that are sent, as a function: large values are made where they are needed.
    commands: Callable[[], list[Words]]
    #: Makes of a client the operation that is repeated.
    call: Callable[[Any], Call]
    #: Whether a reply is right; the wire's own shape counts too, and what each client makes of OK.
    right: Callable[[Any], bool]
    #: How often a round repeats it.
    count: int
    #: What the server has to hold before.
    data: Callable[[], list[Words]] = list
    #: The entry of ``measures.MEASURES``.
    measure: str = "time"
    threads: int = 1
    #: Whether the server shares the core of the client, for they take turns; else it has one of its own.
    one_core: bool = True
    #: Whether the floor parses the reply with hiredis.
    parsed: bool = False
    #: Whether every client uses its parser without C code.
    python_parser: bool = False
    #: Further options of the clients that are made like ``StrictRedis``.
    options: Mapping[str, Any] = field(default_factory=dict)
    #: Who has nothing to show here.
    without: frozenset[str] = frozenset()
    #: As many rounds are enough; None: as many as the run has.
    rounds: int | None = None
    #: How many operations one call makes: the times are those of one operation.
    operations: int = 1


def is_value(value: Any) -> Callable[[Any], bool]:
    return lambda reply: bool(reply == value)


def as_dict(reply: Any) -> dict[bytes, bytes]:
    return dict(zip(reply[::2], reply[1::2])) if isinstance(reply, list) else dict(reply)


def is_ok(reply: Any) -> bool:
    return reply in (True, "OK", b"OK")


def get_of(key: str, value: Callable[[], bytes], **facts: Any) -> dict[str, Any]:
    """The facts of a scenario that gets a value."""
    return {
        "data": lambda: [(b"SET", key.encode(), value())],
        "commands": lambda: [(b"GET", key.encode())],
        "call": lambda client: partial(client.get, key),
        "right": lambda reply: reply == value(),
        **facts,
    }


def set_of(key: str, value: Callable[[], bytes], **facts: Any) -> dict[str, Any]:
    """The facts of a scenario that sets a value."""
    return {
        "commands": lambda: [(b"SET", key.encode(), value())],
        "call": lambda client: partial(client.set, key, value()),
        "right": is_ok,
        **facts,
    }


def small() -> bytes:
    return SMALL


def megabytes(number: int) -> bytes:
    """So much real memory: zeros would all be the one page of the kernel, and copied faster than any user's value."""
    return bytes(range(256)) * (number * MEGABYTE // 256)


one_megabyte = partial(megabytes, 1)
many_megabytes = partial(megabytes, 64)


def pipeline_of(number: int, **facts: Any) -> dict[str, Any]:
    """The facts of a scenario that sets a value so many times in one pipeline, without a transaction."""
    return {
        "commands": lambda: [(b"SET", b"small", SMALL)] * number,
        "call": lambda client: partial(set_in_pipeline, client, number),
        "right": lambda reply: is_ok(reply) or (len(reply) == number and all(map(is_ok, reply))),
        "operations": number,
        "without": frozenset({"glide"}),
        **facts,
    }


def set_in_pipeline(client: Any, number: int) -> Any:
    pipe = client.pipeline(transaction=False)
    for _ in range(number):
        pipe.set("small", SMALL)
    return pipe.execute()


GET = get_of("small", small, count=2000)
THREADS: dict[str, Any] = {"threads": 8, "measure": "threads", "count": 4000}
LRANGE: dict[str, Any] = {
    "data": lambda: [(b"DEL", b"list"), (b"RPUSH", b"list", *ITEMS)],
    "commands": lambda: [(b"LRANGE", b"list", b"0", b"-1")],
    "call": lambda client: partial(client.lrange, "list", 0, -1),
    "right": is_value(ITEMS),
    "parsed": True,
    "count": 200,
}
HGETALL: dict[str, Any] = {
    "data": lambda: [(b"DEL", b"hash"), (b"HSET", b"hash", *chain.from_iterable(PAIRS.items()))],
    "commands": lambda: [(b"HGETALL", b"hash")],
    "call": lambda client: partial(client.hgetall, "hash"),
    "right": lambda reply: as_dict(reply) == PAIRS,
    "parsed": True,
    "count": 100,
}
EVAL: dict[str, Any] = {
    "commands": lambda: [(b"EVAL", NESTED_SCRIPT.encode(), b"0")],
    "call": lambda client: partial(client.execute_command, "EVAL", NESTED_SCRIPT, 0),
    "right": is_value(NESTED),
    "parsed": True,
    "count": 200,
}
PYTHON: dict[str, Any] = {"python_parser": True, "without": frozenset({"glide"})}
IMPORT: dict[str, Any] = {**GET, "measure": "import", "without": frozenset({FLOOR}), "count": 1}
CALLS: dict[str, Any] = {"measure": "calls", "rounds": 1, "count": 500}

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("get", "GET, one connection", **GET),
        Scenario("set", "SET, one connection", **set_of("small", small, count=2000)),
        Scenario("pipeline-100", "SET in a pipeline of 100", **pipeline_of(100, count=100)),
        Scenario("pipeline-1000", "SET in a pipeline of 1000", **pipeline_of(1000, count=10)),
        Scenario(
            "threads", "GET, 8 threads, one client, the server on another core", **{**GET, **THREADS}, one_core=False
        ),
        Scenario("threads-one-core", "GET, 8 threads, one client, the server on the same core", **{**GET, **THREADS}),
        Scenario("lrange", "LRANGE of 1000 items", **LRANGE),
        Scenario("hgetall", "HGETALL of 1000 pairs", **HGETALL),
        Scenario("get-1mb", "GET of 1 MB", **get_of("1mb", one_megabyte, count=50)),
        Scenario("get-64mb", "GET of 64 MB", **get_of("64mb", many_megabytes, count=1)),
        Scenario("set-1mb", "SET of 1 MB", **set_of("1mb", one_megabyte, count=50)),
        Scenario("set-64mb", "SET of 64 MB", **set_of("64mb", many_megabytes, count=1)),
        Scenario("python-get", "GET, Python parser", **{**GET, **PYTHON, "count": 1000}),
        Scenario("python-lrange", "LRANGE of 1000 items, Python parser", **{**LRANGE, **PYTHON, "count": 50}),
        Scenario("python-nested", "100 nested arrays (EVAL), Python parser", **{**EVAL, **PYTHON, "count": 50}),
        Scenario("import", "import, in a fresh process", **IMPORT),
        Scenario("calls", "what a GET calls", **{**GET, **CALLS}),
        Scenario(
            "calls-timeout", "what a GET calls, socket_timeout=5", **{**GET, **CALLS}, options={"socket_timeout": 5}
        ),
    )
}
