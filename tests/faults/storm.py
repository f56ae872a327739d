"""A storm of signals: a timer that strikes after a random time, again and again, with a handler that raises.

The handler raises only while code of the package is on the stack, so that the test around it cannot be hit, and as
often as it strikes there, so that the handling of one exception meets the next.
"""

from __future__ import annotations

import random
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from tests.faults.interrupt import PACKAGE, Interrupted, Raiser, keep_off_coverage

#: Seconds between two strikes, at least and, unless a test says otherwise, at most.
SHORTEST, LONGEST = 50e-6, 800e-6


class Storm:
    """Counts the strikes."""

    def __init__(self, make: Raiser, longest: float) -> None:
        self.make = make
        self.longest = longest
        self.random = random.Random(1)
        self.strikes = 0
        self.quiet = False
        self.last: BaseException | None = None

    def rearm(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self.random.uniform(SHORTEST, self.longest))

    def strike(self, number: int, frame: FrameType | None) -> None:
        if self.quiet:
            return
        self.rearm()
        if inside_package(frame):
            self.strikes += 1
            self.last = self.make()
            raise self.last


def inside_package(frame: FrameType | None) -> bool:
    """Whether code of the package runs, itself or through what it has called; a tracer is left alone."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(PACKAGE):
            return True
        if frame.f_globals.get("__name__", "").startswith("coverage"):
            return False  # it may hold a lock
        frame = frame.f_back
    return False


@contextmanager
def storm(make: Raiser = Interrupted, longest: float = LONGEST) -> Iterator[Storm]:
    """Let signals strike the main thread, at least every ``longest`` seconds, until the block ends."""
    keep_off_coverage()
    weather = Storm(make, longest)
    before = signal.signal(signal.SIGALRM, weather.strike)
    ignored = sys.unraisablehook
    # A strike inside a finalizer raises into nothing; that is no news.
    sys.unraisablehook = lambda report: None if report.exc_value is weather.last else ignored(report)
    weather.rearm()
    try:
        yield weather
    finally:
        weather.quiet = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        sys.unraisablehook = ignored
