"""The kit does what it says: a test that stands on a tame fault proves nothing."""

from __future__ import annotations

import signal
import ssl
import sys
import threading
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Self

import pytest

from redis.commands.spec import name_of
from tests.faults.conftest import needs_second_shot
from tests.faults.fakenode import (
    ACCEPT,
    FakeNode,
    RefusingPort,
    answer,
    close,
    drop,
    half,
    hold,
    late,
    raw,
    refuse,
    reset,
    silent,
    slowly,
    stall,
    turn_away,
    twice,
)
from tests.faults.interrupt import INSTRUCTION, LINE, Interrupted, interruptions
from tests.faults.proxy import Proxy, connect
from tests.faults.storm import storm


def pack(*words: str) -> bytes:
    parts = [b"$%d\r\n%b\r\n" % (len(word), word.encode()) for word in words]
    return b"*%d\r\n" % len(words) + b"".join(parts)


class Wire:
    """A client of a few lines that hides nothing: bytes go out, bytes come in."""

    def __init__(self, address: tuple[str, int] | str, context: ssl.SSLContext | None = None) -> None:
        self.sock = connect(address)
        self.sock.settimeout(2)
        if context:
            self.sock = context.wrap_socket(self.sock, server_hostname="localhost")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.sock.close()

    def send(self, *words: str) -> None:
        self.sock.sendall(pack(*words))

    def ask(self, *words: str) -> bytes:
        self.send(*words)
        return self.sock.recv(4096)

    def quiet(self, seconds: float = 0.1) -> bool:
        """Whether nothing comes within this time; an end would be something."""
        self.sock.settimeout(seconds)
        try:
            self.sock.recv(4096)
        except TimeoutError:
            return True
        return False


@pytest.fixture(params=["tcp", "unix"])
def node(request: pytest.FixtureRequest, tmp_path) -> Iterator[FakeNode]:
    with FakeNode(str(tmp_path / "node.sock") if request.param == "unix" else None) as node:
        yield node


@pytest.fixture
def wire(node: FakeNode) -> Iterator[Wire]:
    with Wire(node.address) as wire:
        yield wire


def test_node_executes_and_counts(node: FakeNode, wire: Wire) -> None:
    assert wire.ask("SET", "a", "1") == b"+OK\r\n"
    assert wire.ask("INCR", "a") == b":2\r\n"
    assert wire.ask("GET", "a") == b"$1\r\n2\r\n"
    assert wire.ask("GET", "none") == b"$-1\r\n"
    assert wire.ask("LPUSH", "l", "x") == b":1\r\n"
    assert wire.ask("LPOP", "l") == b"$1\r\nx\r\n"
    assert wire.ask("NONSENSE").startswith(b"-ERR unknown command")
    assert node.count("INCR") == 1 and node.count("GET", "a") == 1 and node.count("NONSENSE") == 0


def test_node_executes_a_block_when_it_is_told_to(node: FakeNode, wire: Wire) -> None:
    assert wire.ask("MULTI") == b"+OK\r\n"
    assert wire.ask("INCR", "n") == b"+QUEUED\r\n"
    assert node.count("INCR") == 0
    assert wire.ask("EXEC") == b"*1\r\n:1\r\n"
    assert node.count("INCR") == 1


def test_node_keeps_databases_and_protocols_apart(node: FakeNode, wire: Wire) -> None:
    wire.ask("SET", "a", "0")
    assert wire.ask("HELLO", "3", "AUTH", "ann", "secret").startswith(b"%2\r\n")
    assert wire.ask("SELECT", "5") == b"+OK\r\n"
    assert wire.ask("GET", "a") == b"_\r\n"
    assert b"db=5 user=ann" in wire.ask("CLIENT", "INFO")


def test_an_action_meets_the_next_command_of_its_name_only(node: FakeNode, wire: Wire) -> None:
    node.script("GET", refuse("LOADING wait"), answer)
    assert wire.ask("PING") == b"+PONG\r\n"
    assert wire.ask("GET", "a") == b"-LOADING wait\r\n"
    assert wire.ask("GET", "a") == b"$-1\r\n"
    assert node.count("GET") == 1


def test_a_rule_meets_every_command_of_its_name(node: FakeNode, wire: Wire) -> None:
    node.always("HELLO", refuse("ERR unknown command 'HELLO'"))
    assert [wire.ask("HELLO", "3")[:4] for _ in range(2)] == [b"-ERR", b"-ERR"]


@pytest.mark.parametrize("action", [silent, hold])
def test_executed_and_never_answered(node: FakeNode, wire: Wire, action) -> None:
    node.script("INCR", action)
    wire.send("INCR", "n")
    assert wire.quiet()
    assert node.count("INCR") == 1


def test_silent_answers_the_next_and_hold_does_not(node: FakeNode, wire: Wire) -> None:
    node.script("INCR", silent, answer, hold)
    wire.send("INCR", "n")
    assert wire.ask("INCR", "n") == b":2\r\n"
    wire.send("INCR", "n")
    wire.send("PING")
    assert wire.quiet()


@pytest.mark.parametrize("action, executed", [(close, 1), (drop, 0)])
def test_closed(node: FakeNode, wire: Wire, action, executed: int) -> None:
    node.script("INCR", action)
    assert wire.ask("INCR", "n") == b""
    assert node.count("INCR") == executed


def test_reset(node: FakeNode, wire: Wire) -> None:
    node.script("INCR", reset)
    if node.path:
        assert wire.ask("INCR", "n") == b""
    else:
        with pytest.raises(ConnectionResetError):
            wire.ask("INCR", "n")
    assert node.count("INCR") == 1


def test_half_a_reply(node: FakeNode, wire: Wire) -> None:
    node.script("GET", half)
    wire.ask("SET", "a", "value")
    assert wire.ask("GET", "a") == b"$5\r\nv"
    assert wire.sock.recv(1) == b""


def test_a_reply_that_stalls(node: FakeNode, wire: Wire) -> None:
    node.script("GET", stall)
    wire.ask("SET", "a", "value")
    assert wire.ask("GET", "a") == b"$5\r\nv"
    assert wire.quiet()


def test_frames_that_nobody_asked_for(node: FakeNode, wire: Wire) -> None:
    node.script("PING", twice(), late(after=0.1), raw(b"?!"))
    assert wire.ask("PING") == b"+PONG\r\n+EXTRA\r\n"
    assert wire.ask("PING") == b"+PONG\r\n"
    start = monotonic()
    assert wire.sock.recv(100) == b"+EXTRA\r\n" and monotonic() - start > 0.05
    assert wire.ask("PING") == b"?!"


def test_a_slow_answer(node: FakeNode, wire: Wire) -> None:
    node.script("INCR", slowly(0.15))
    start = monotonic()
    wire.send("INCR", "n")
    sleep(0.05)
    assert node.count("INCR") == 1
    assert wire.sock.recv(10) == b":1\r\n" and monotonic() - start > 0.14


def test_turned_away_while_it_greets(node: FakeNode) -> None:
    node.script("HELLO", turn_away("ERR max number of clients reached"))
    with Wire(node.address) as wire:
        assert wire.ask("HELLO", "3") == b"-ERR max number of clients reached\r\n"
        assert wire.sock.recv(1) == b""


def test_accepted_and_silent(node: FakeNode) -> None:
    node.script(ACCEPT, hold)
    with Wire(node.address) as wire, Wire(node.address) as other:
        wire.send("PING")
        assert other.ask("PING") == b"+PONG\r\n"
        assert wire.quiet()
    assert len(node.received) == 1


def test_a_port_that_refuses() -> None:
    with RefusingPort() as port, pytest.raises(ConnectionRefusedError):
        connect(("127.0.0.1", port))


@pytest.fixture(params=["tcp", "unix"])
def proxy(node: FakeNode, request: pytest.FixtureRequest, tmp_path) -> Iterator[Proxy]:
    with Proxy(node.address, str(tmp_path / "proxy.sock") if request.param == "unix" else None) as proxy:
        yield proxy


@pytest.fixture
def relayed(proxy: Proxy) -> Iterator[Wire]:
    with Wire(proxy.address) as wire:
        assert wire.ask("SET", "a", "value") == b"+OK\r\n"
        yield wire


def test_proxy_delays(proxy: Proxy, relayed: Wire) -> None:
    proxy.delay(0.05)
    start = monotonic()
    assert relayed.ask("GET", "a") == b"$5\r\nvalue\r\n"
    assert 0.1 <= monotonic() - start < 1


def test_proxy_cuts_after_some_bytes(proxy: Proxy, relayed: Wire) -> None:
    proxy.replies.budget = 6
    assert relayed.ask("GET", "a") == b"$5\r\nva"
    assert relayed.sock.recv(1) == b""


def test_proxy_cuts_a_request(proxy: Proxy, relayed: Wire, node: FakeNode) -> None:
    proxy.requests.budget = 12
    assert relayed.ask("GET", "a") == b""
    assert node.count("GET") == 0


def test_proxy_drops_replies(proxy: Proxy, relayed: Wire, node: FakeNode) -> None:
    proxy.replies.drop = True
    relayed.send("GET", "a")
    assert relayed.quiet()
    assert node.count("GET") == 1


def test_proxy_splits(proxy: Proxy, relayed: Wire) -> None:
    proxy.replies.split = True
    relayed.send("GET", "a")
    pieces = []
    while sum(map(len, pieces)) < 11:
        pieces.append(relayed.sock.recv(1000))
    assert b"".join(pieces) == b"$5\r\nvalue\r\n"
    assert len(pieces) > 1


def test_proxy_takes_its_time_for_each_byte(proxy: Proxy, relayed: Wire) -> None:
    proxy.replies.split, proxy.replies.pause = True, 0.05
    start = monotonic()
    relayed.send("GET", "a")
    while relayed.sock.recv(1) != b"v":
        pass
    assert 0.2 <= monotonic() - start < 1


def test_proxy_stops_after_some_bytes(proxy: Proxy, relayed: Wire) -> None:
    proxy.replies.budget, proxy.replies.ends = 6, "stops"
    assert relayed.ask("GET", "a") == b"$5\r\nva"
    relayed.send("GET", "a")
    assert relayed.quiet()


def test_proxy_stops_and_goes_on(proxy: Proxy, relayed: Wire) -> None:
    proxy.stop()
    relayed.send("GET", "a")
    assert relayed.quiet()
    proxy.go()
    relayed.sock.settimeout(2)
    assert relayed.sock.recv(100) == b"$5\r\nvalue\r\n"


def test_proxy_closes_and_resets_what_is_open(proxy: Proxy, relayed: Wire) -> None:
    proxy.cut()
    assert relayed.sock.recv(1) == b""
    with Wire(proxy.address) as wire:
        assert wire.ask("GET", "a") == b"$5\r\nvalue\r\n"
        proxy.reset()
        if proxy.path:
            assert wire.sock.recv(1) == b""
        else:
            with pytest.raises(ConnectionResetError):
                wire.sock.recv(1)


@pytest.mark.parametrize("accident, seen", [("half", b"$5\r\nv"), ("close", b"")])
def test_proxy_has_accidents(proxy: Proxy, relayed: Wire, accident: str, seen: bytes) -> None:
    proxy.replies.accident = lambda: accident
    assert relayed.ask("GET", "a") == seen


def test_proxy_without_a_server(tmp_path) -> None:
    with RefusingPort() as port, Proxy(("127.0.0.1", port)) as proxy, Wire(proxy.address) as wire:
        assert wire.sock.recv(1) == b""


def spell() -> str:
    return name_of(("client", b"no-evict", "on"))


def lines_of_spell() -> int:
    """Count the lines in the plainest way there is."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if "spec.py" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    spell()
    sys.settrace(before)
    return count


def test_every_line_is_interrupted_once() -> None:
    runs = list(interruptions(spell, LINE))
    assert [run.point for run in runs] == list(range(1, lines_of_spell() + 1))
    assert all(run.error is run.raised for run in runs)
    assert all(isinstance(run.raised, Interrupted) for run in runs)


def test_instructions_are_finer_than_lines() -> None:
    lines = len(list(interruptions(spell, LINE)))
    assert len(list(interruptions(spell, INSTRUCTION))) > 2 * lines


def test_a_step_passes_points_over() -> None:
    points = [run.point for run in interruptions(spell, INSTRUCTION, step=7)]
    assert points == list(range(1, points[-1] + 1, 7)) and len(points) > 3


def test_the_call_is_prepared_and_what_is_raised_is_chosen() -> None:
    prepared = []
    runs = list(
        interruptions(spell, LINE, make=lambda: TimeoutError("by a handler"), prepare=lambda: prepared.append(1))
    )
    assert len(prepared) == len(runs) + 1
    assert {str(run.error) for run in runs} == {"by a handler"}


def test_a_call_that_swallows_is_seen_to_return() -> None:
    def swallow() -> str:
        try:
            return spell()
        except Interrupted:
            return "swallowed"

    assert {(run.error, run.value) for run in interruptions(swallow, LINE)} == {(None, "swallowed")}


@needs_second_shot
def test_a_run_is_interrupted_twice() -> None:
    def handle() -> str:
        try:
            return spell()
        except Interrupted:
            return spell()

    runs = list(interruptions(handle, LINE, again=2))
    assert len(runs) == lines_of_spell()
    assert all(run.error is run.raised for run in runs[:-1])
    assert all(isinstance(run.raised.__context__, Interrupted) for run in runs[:-1])


def test_an_error_that_nobody_raised_is_not_hidden() -> None:
    with pytest.raises(IndexError):
        list(interruptions(lambda: name_of(()), LINE))


def test_other_threads_are_left_alone() -> None:
    names, done = [], threading.Event()

    def others() -> None:
        while not done.is_set():
            names.append(spell())

    thread = threading.Thread(target=others)
    thread.start()
    runs = list(interruptions(spell, LINE))
    done.set()
    thread.join()
    assert len(runs) == lines_of_spell() and set(names) == {"CLIENT NO-EVICT"}


def test_the_tracer_is_put_back() -> None:
    before = sys.gettrace()
    list(interruptions(spell, LINE))
    assert sys.gettrace() is before


def test_storm_strikes_the_package_alone() -> None:
    hits, calls, handler = 0, 0, signal.getsignal(signal.SIGALRM)
    with storm() as weather:
        end = monotonic() + 0.5
        while monotonic() < end:
            calls += 1
            try:
                assert spell() == "CLIENT NO-EVICT"
            except Interrupted:
                hits += 1
    assert weather.strikes >= hits > 20
    assert calls > hits
    assert signal.getsignal(signal.SIGALRM) is handler and signal.getitimer(signal.ITIMER_REAL)[0] == 0
