"""Run a call again and again, and interrupt it at the 1st, 2nd, 3rd ... point that it passes inside the package.

::

    for run in interruptions(lambda: client.get("a"), LINE):
        assert client.get("b") == b"B", run

A point is a line or a bytecode instruction; only code of the folder ``redis/`` counts.  The loop ends with the first
run that came to its end by itself.  On Python 3.12 and later ``sys.monitoring`` raises, which lives side by side with
coverage; on 3.11 ``sys.settrace`` does, and whatever traced before (coverage) is put back after each run.

Another thread can interrupt as well, at any moment and without a signal::

    with throwing() as thrower:
        thrower.expose(lambda: client.get("a"))     # in any thread; may raise Thrown

"""

from __future__ import annotations

import builtins
import ctypes
import os
import random
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import sleep
from types import CodeType, FrameType
from typing import Any

import pytest

import redis

LINE, INSTRUCTION = "line", "instruction"
PACKAGE = os.path.join(next(iter(redis.__path__)), "")
#: More points than any call of the tests has: a call that never ends by itself is a mistake of the test.
LIMIT = 50_000
CAN_RAISE_AGAIN = sys.version_info >= (3, 12)
Raiser = Callable[[], BaseException]


class Interrupted(BaseException):
    """What is raised at a point: nobody can have meant to catch it."""


@dataclass
class Run:
    """One interrupted run of the call."""

    #: The point, counted from 1.
    point: int
    #: What was raised there.
    raised: BaseException
    #: What came out of the call: ``raised`` itself, another error, or None where it returned: a finalizer, which may
    #: run at any point, swallows what is raised in it.
    error: BaseException | None
    #: What it returned.
    value: Any = None


class Fuse:
    """Counts points of one thread and raises at the chosen one; and a second time, where that is wanted."""

    def __init__(self, make: Raiser, again: int = 0) -> None:
        self.make = make
        #: How many points after the first the second is raised; 0: there is no second.
        self.again = again
        self.left = 0
        self.thread = 0
        self.raised: BaseException | None = None

    def arm(self, point: int) -> None:
        self.raised = None
        self.thread = threading.get_ident()
        self.left = point

    def disarm(self) -> None:
        self.left = 0

    def burn(self) -> None:
        if self.left and self.thread == threading.get_ident():
            self.left -= 1
            if not self.left:
                self.left = 0 if self.raised else self.again
                self.raised = self.make()
                raise self.raised


def interruptions(
    call: Callable[[], Any],
    unit: str = LINE,
    make: Raiser = Interrupted,
    prepare: Callable[[], object] = lambda: None,
    step: int = 1,
    again: int = 0,
) -> Iterator[Run]:
    """Yield each interrupted run of ``call``; ``prepare`` runs before each, and ``make`` makes what is raised.

    With ``again`` the run is interrupted a second time, so many points later: in the middle of whatever handles the
    first exception.  This needs Python 3.12, for a tracer that has raised is gone.
    An error of a run that nobody interrupted, the last one, is raised as it is.
    """
    fuse = Fuse(make, again)
    with watching(unit, fuse) as watched:
        for point in range(1, LIMIT, step):
            prepare()
            run = attempt(call, point, fuse, watched)
            if run is None:
                return
            yield run
    raise AssertionError(f"the call does not end within {LIMIT} points")


def attempt(call: Callable[[], Any], point: int, fuse: Fuse, watched: Callable[[Callable[[], Any]], Any]) -> Run | None:
    """Run the call once; None says that it ended before the point was reached."""
    fuse.arm(point)
    try:
        value = watched(call)
    except BaseException as error:
        if fuse.raised is None:
            raise
        let_go(error)
        return Run(point, fuse.raised, error)
    finally:
        fuse.disarm()
    return fuse.raised and Run(point, fuse.raised, None, value)


def let_go(error: BaseException | None) -> None:
    """Forget the variables of the frames that ``error`` went through: they would keep a connection alive."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


@contextmanager
def watching(unit: str, fuse: Fuse) -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """Let ``fuse`` burn at every point; yields the function through which the call is to be made."""
    ignored = sys.unraisablehook
    # A point inside a finalizer raises into nothing; that is no news.
    sys.unraisablehook = lambda report: None if report.exc_value is fuse.raised else ignored(report)
    try:
        with monitored(unit, fuse) if CAN_RAISE_AGAIN else traced(unit, fuse) as watched:
            yield watched
    finally:
        sys.unraisablehook = ignored


@contextmanager
def monitored(unit: str, fuse: Fuse) -> Iterator[Callable[[Callable[[], Any]], Any]]:
    monitoring = sys.monitoring
    tool = next(number for number in range(6) if monitoring.get_tool(number) is None)
    event = monitoring.events.LINE if unit == LINE else monitoring.events.INSTRUCTION

    def at_point(code: CodeType, where: int) -> Any:
        if not code.co_filename.startswith(PACKAGE):
            return monitoring.DISABLE
        return fuse.burn()

    monitoring.use_tool_id(tool, "interruptions")
    try:
        monitoring.register_callback(tool, event, at_point)
        monitoring.set_events(tool, event)
        yield lambda call: call()
    finally:
        monitoring.set_events(tool, 0)
        monitoring.register_callback(tool, event, None)
        monitoring.free_tool_id(tool)


@contextmanager
def traced(unit: str, fuse: Fuse) -> Iterator[Callable[[Callable[[], Any]], Any]]:
    wanted = "line" if unit == LINE else "opcode"

    def at_call(frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes = wanted == "opcode"
        return at_point

    def at_point(frame: FrameType, event: str, argument: Any) -> Any:
        if event == wanted:
            fuse.burn()
        return at_point

    def watched(call: Callable[[], Any]) -> Any:
        before = sys.gettrace()
        sys.settrace(at_call)
        try:
            return call()
        finally:
            sys.settrace(before)
            # The C tracer of coverage takes over at the next call of a function, and must see the end of this one.
            nothing()

    yield watched


def nothing() -> None:
    pass


def keep_off_coverage() -> None:
    """Skip a test that interrupts whatever runs, where coverage runs as well."""
    if type(sys.gettrace()).__module__.startswith("coverage"):
        pytest.skip("a lock of coverage may stay locked; this runs in the environments without it")


class Thrown(BaseException):
    """What another thread throws; of a call that it hit nobody knows the outcome."""

    maybe_applied = True
    replies = None


class ThrownTimeout(builtins.TimeoutError):
    """One that looks as if the socket had raised it."""

    maybe_applied = True
    replies = None


class ThrownReset(ConnectionResetError):
    """Another."""

    maybe_applied = True
    replies = None


class ThrownOurs(redis.ConnectionError):
    """One that looks as if the client had raised it."""


#: What may be thrown: nothing that a client can mistake for an outcome of its socket.
THROWN = [Thrown, ThrownTimeout, ThrownReset, ThrownOurs]
#: Seconds between two throws, at most, and between two turns of the threads: the longer ones that the interpreter gives
#: them would end in system calls, and nothing else would be hit.
PAUSE, SWITCH = 1e-3, 1e-5


def throw(thread: int, kind: type[BaseException]) -> None:
    """Have the thread of this number raise ``kind`` as soon as it runs Python code."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(kind))


class Target:
    """A call that may be hit, once; ``hit`` is true when that has been done."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.hit = False


class Thrower:
    """Throws into calls of other threads at random times, and nowhere else."""

    def __init__(self, kind: type[BaseException], longest: float) -> None:
        self.kind, self.longest = kind, longest
        self.random = random.Random(1)
        self.targets: list[Target] = []
        self.throws = 0
        self.stopping = threading.Event()

    def expose(self, call: Callable[[], Any]) -> Any:
        """Make the call; nothing is thrown any more when it has returned or raised."""
        target = Target()
        try:
            self.targets.append(target)
            return call()
        finally:
            self.withdraw(target)

    def withdraw(self, target: Target) -> None:
        """Take the target away; if it has been taken already, wait here until it was hit."""
        try:
            self.targets.remove(target)
        except ValueError:
            while not target.hit:
                sleep(0)
            for _ in range(10):  # where what was thrown is raised at the latest: a thread looks for it in loops
                pass

    def run(self) -> None:
        while not self.stopping.wait(self.random.uniform(0, self.longest)):
            try:
                target = self.targets.pop(self.random.randrange(max(1, len(self.targets))))
            except IndexError:
                continue
            throw(target.thread, self.kind)
            target.hit = True
            self.throws += 1


@contextmanager
def throwing(kind: type[BaseException] = Thrown, longest: float = PAUSE) -> Iterator[Thrower]:
    """Throw ``kind`` into what is exposed, again after ``longest`` seconds or sooner, until the block ends."""
    keep_off_coverage()
    thrower, interval, ignored = Thrower(kind, longest), sys.getswitchinterval(), sys.unraisablehook
    # One that hits a finalizer raises into nothing; that is no news.
    sys.unraisablehook = lambda report: None if isinstance(report.exc_value, kind) else ignored(report)
    thread = threading.Thread(target=thrower.run, name="thrower")
    thread.start()
    sys.setswitchinterval(SWITCH)
    try:
        yield thrower
    finally:
        sys.setswitchinterval(interval)
        thrower.stopping.set()
        thread.join()
        sys.unraisablehook = ignored
