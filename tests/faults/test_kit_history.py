"""What checks the promises is checked first: the history check notices what must not happen, and nothing else."""

from __future__ import annotations

import dis
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import CodeType, TracebackType

import pytest

import redis
from redis.execution import Execution
from tests.faults.history import (
    ACKNOWLEDGED,
    APPLIED,
    LOST,
    NOT_APPLIED,
    ONLY_READ,
    REFUSED,
    UNKNOWN,
    VERSIONED,
    Act,
    Chapter,
    Judge,
    State,
    Swap,
    Writer,
    write,
)
from tests.faults.interrupt import INSTRUCTION, THROWN, Run, interruptions, throwing
from tests.faults.lossy import ACCIDENTS, Dice, lossy_proxy
from tests.faults.proxy import connect
from tests.servers import ask, packed

CALLS = 300


@pytest.fixture
def judge(server) -> Judge:
    ask(server, "FLUSHALL")
    return Judge(server)


@pytest.fixture
def reports(judge, server):
    """What three writers have to tell whom nothing befell."""
    with redis.StrictRedis(unix_socket_path=server.unix_socket) as client:
        return write(client, ["ann", "bob", "eve"], CALLS)


def test_no_violation_where_nothing_happened(judge, reports) -> None:
    judge.judge(reports)
    assert judge.violations == []
    assert judge.fates == Counter() and judge.hits == 0
    assert [report.calls for report in reports] == [CALLS] * 3
    # Whether two wanted the same key at the same time is chance.
    assert {swap.said for report in reports for swap in report.swaps} - {REFUSED} == {ACKNOWLEDGED}
    assert min(judge.expected.values()) > CALLS / 10


TAMPERING = {
    "an INCR more": ("INCR", "n:ann:0"),
    "an INCR less": ("DECR", "n:ann:0"),
    "an element twice": ("RPUSH", "log:bob:0", "1.0"),
    "an element lost": ("LPOP", "log:bob:0"),
    "a SET more": ("SET", "value:eve:0", "what nobody wrote"),
    "a SET less": ("DEL", "value:eve:0"),
    "a SET that leaves no trace": ("SET", "nobody's", "value"),
    "a version twice": ("RPUSH", "versioned:0:log", "1:ann:1"),
    "a version lost": ("LPOP", "versioned:0:log"),
    "a version that nobody wrote": ("SET", "versioned:0", "1000000:ann:1"),
}


@pytest.mark.parametrize("words", TAMPERING.values(), ids=TAMPERING)
def test_what_must_not_happen_is_noticed(judge, reports, server, words) -> None:
    ask(server, *words)
    judge.judge(reports)
    assert judge.violations != []


@pytest.mark.parametrize("reply", [b"0.0", None, 7])
def test_a_wrong_reply_is_noticed(judge, server, reply) -> None:
    class Wrong(redis.StrictRedis):
        def get(self, name):
            return super().get(name) if name.startswith("versioned") else reply

    with Wrong(unix_socket_path=server.unix_socket) as client:
        reports = write(client, ["ann"], CALLS)
    judge.judge(reports)
    assert "gave" in judge.violations[0] and len(judge.violations) > CALLS / 20


def test_an_old_version_is_noticed(judge, server) -> None:
    newest = {f"versioned:{number}": CALLS for number in range(VERSIONED)}
    with redis.StrictRedis(unix_socket_path=server.unix_socket) as client:
        report = Writer(client, "ann", newest).write(CALLS)
    judge.judge([report])
    assert f"and {CALLS} had been acknowledged" in judge.violations[0]
    assert newest == {f"versioned:{number}": CALLS for number in range(VERSIONED)}


PUSHES: list[Act] = [("push", b"a"), ("push", b"b")]
FATES: list[tuple[str, bool, list[Act], State, str | None]] = [
    (ACKNOWLEDGED, False, [], (0, [], None), ACKNOWLEDGED),
    (ACKNOWLEDGED, False, [], (1, [], None), None),
    (NOT_APPLIED, False, [("incr", b"")], (0, [], None), NOT_APPLIED),
    (NOT_APPLIED, False, [("incr", b"")], (1, [], None), None),
    (UNKNOWN, False, [("incr", b"")], (0, [], None), LOST),
    (UNKNOWN, False, [("incr", b"")], (1, [], None), APPLIED),
    (UNKNOWN, False, [("incr", b"")], (2, [], None), None),
    (UNKNOWN, False, [("read", b"")], (0, [], None), ONLY_READ),
    (UNKNOWN, False, [("swap", b"v")], (0, [], b"v"), APPLIED),
    (UNKNOWN, False, PUSHES, (0, [], None), LOST),
    (UNKNOWN, False, PUSHES, (0, [b"a"], None), APPLIED),
    (UNKNOWN, False, PUSHES, (0, [b"b"], None), None),
    (UNKNOWN, False, PUSHES, (0, [b"a", b"b"], None), APPLIED),
    (UNKNOWN, True, PUSHES, (0, [], None), LOST),
    (UNKNOWN, True, PUSHES, (0, [b"a"], None), None),
    (UNKNOWN, True, PUSHES, (0, [b"a", b"b"], None), APPLIED),
]


@pytest.mark.parametrize("said, atomic, pending, found, fate", FATES)
def test_the_fate_of_a_call(said: str, atomic: bool, pending: list[Act], found: State, fate: str | None) -> None:
    ended = Chapter("ann:0", said=said, atomic=atomic, pending=pending).fate(found)
    assert fate == (ended and ended[0])


@pytest.mark.parametrize(
    "said, times, fate",
    [
        (ACKNOWLEDGED, 1, ACKNOWLEDGED),
        (ACKNOWLEDGED, 0, None),
        (ACKNOWLEDGED, 2, None),
        (REFUSED, 0, REFUSED),
        (REFUSED, 1, None),
        (NOT_APPLIED, 1, None),
        (UNKNOWN, 0, LOST),
        (UNKNOWN, 1, APPLIED),
        (UNKNOWN, 2, None),
    ],
)
def test_the_fate_of_a_version(said: str, times: int, fate: str | None) -> None:
    assert Swap("key", "token", said=said).fate(times) == fate


# The network that loses things.


def test_every_accident_is_counted() -> None:
    dice = Dice(0.5, seed=1)
    seen = Counter("late" if isinstance(what, float) else what for what in (dice.accident() for _ in range(1000)))
    assert 400 < seen.pop(None) < 600
    assert dice.met == seen and set(seen) == set(ACCIDENTS)


def test_connections_are_refused_several_in_a_row() -> None:
    dice = Dice(0, seed=1)
    answers = "".join("+" if dice.welcome() else "-" for _ in range(1000))
    rows = [row for row in answers.split("+") if row]
    assert len(rows) > 10 and min(map(len, rows)) >= 2
    assert dice.met["refused"] == answers.count("-")


def test_a_proxy_in_a_process_of_its_own(server) -> None:
    with lossy_proxy((server.host, server.port), None, rate=1) as proxy:
        for _ in range(20):
            with connect(proxy.address) as sock:
                sock.settimeout(0.5)
                with suppress(OSError):  # whatever befalls it, the proxy has seen it then
                    sock.sendall(packed(["PING"]))
                    sock.recv(64)
    assert sum(proxy.requests.values()) > 0


# What other threads throw.


def spin(calls: list[int]) -> None:
    while len(calls) < 2000:
        calls.append(len(calls))


@pytest.mark.parametrize("kind", THROWN)
def test_what_is_thrown_hits_what_is_exposed_and_nothing_else(kind: type[BaseException]) -> None:
    def work(number: int) -> tuple[int, int]:
        hits = whole = 0
        while thrower.throws < 200:
            calls: list[int] = []
            try:
                thrower.expose(lambda: spin(calls))  # noqa: B023
                whole += len(calls) == 2000
            except kind:
                hits += 1
        return hits, whole

    interval = sys.getswitchinterval()
    with throwing(kind) as thrower, ThreadPoolExecutor(3) as threads:
        counts = list(threads.map(work, range(3)))
    assert thrower.throws == sum(hits for hits, _ in counts)
    assert all(hits and whole for hits, whole in counts)
    assert sys.getswitchinterval() == interval
    assert "thrower" not in [thread.name for thread in threading.enumerate()]


def offsets(runs: Iterator[Run], code: CodeType) -> list[int]:
    """Where, in ``code``, each run was interrupted."""
    tracebacks = [run.raised.__traceback__ for run in runs]
    frames = [entry for start in tracebacks for entry in entries(start) if entry.tb_frame.f_code is code]
    return [entry.tb_lasti for entry in frames]


def entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def test_between_any_two_instructions(server) -> None:
    """A method without a branch is interrupted at each of its instructions, in turn."""
    code = Execution.set_response_callback.__code__
    wanted = [instruction.offset for instruction in dis.get_instructions(code) if instruction.opname != "RESUME"]
    with redis.StrictRedis(unix_socket_path=server.unix_socket) as client:
        runs = interruptions(lambda: client.set_response_callback("GET", bytes), INSTRUCTION)
        # Python 3.11.2 tells a tracer of the same instruction twice.
        assert [offset for offset in dict.fromkeys(offsets(runs, code)) if offset in wanted] == wanted
