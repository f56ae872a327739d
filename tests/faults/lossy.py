"""A network that loses things: a proxy with accidents, and writers behind it, each in processes of their own.

A proxy in the process of the writers would take turns with them, under the interpreter's lock, and see few calls.  Here
is where the processes and the dice are; what is written and how it is judged is in ``history.py``.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import redis
from tests.faults.history import Report, write
from tests.faults.proxy import Address, Proxy

PROCESSES = multiprocessing.get_context("spawn")
ACCIDENTS = ["close", "half", "reset", "stop", "late"]
#: Seconds that the writers wait for a reply, and that a late piece is late, at most.
PATIENCE, LATE = 0.2, 0.3
#: Of a hundred connections, how many are the first that is refused, and how many are refused in a row, at most.
OUTAGES, REFUSALS = 10, 8


@dataclass
class Dice:
    """Decides on accidents; ``rate`` is how many pieces of one have one."""

    rate: float
    seed: int
    #: How often each has happened.
    met: Counter[str] = field(default_factory=Counter)
    refusals: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def accident(self) -> str | float | None:
        if self.random.random() >= self.rate:
            return None
        what = self.random.choice(ACCIDENTS)
        self.met[what] += 1
        return self.random.uniform(0, LATE) if what == "late" else what

    def welcome(self) -> bool:
        """Whether a connection is accepted; at times several in a row are not."""
        if not self.refusals and self.random.random() < OUTAGES / 100:
            self.refusals = self.random.randint(2, REFUSALS)
        refused = self.refusals > 0
        self.refusals -= refused
        self.met["refused"] += refused
        return not refused


def relay(upstream: Address, path: str | None, rate: float, pipe: Connection) -> None:
    """The process of the proxy: tells its address, and when it hears anything ends and tells of the accidents."""
    requests, replies = Dice(rate, seed=1), Dice(rate, seed=2)
    with Proxy(upstream, path) as proxy:
        proxy.requests.accident, proxy.replies.accident = requests.accident, replies.accident
        proxy.welcome = requests.welcome
        pipe.send(proxy.address)
        pipe.recv()
    pipe.send((requests.met, replies.met))


class Lossy:
    """A proxy that is running, and after its end how often what has happened to requests, and to replies."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.requests: Counter[str] = Counter()
        self.replies: Counter[str] = Counter()


@contextmanager
def lossy_proxy(upstream: Address, path: str | None, rate: float) -> Iterator[Lossy]:
    """Relay in a process of its own."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=relay, args=(upstream, path, rate, theirs), daemon=True)
    process.start()
    theirs.close()  # so that its end is noticed
    lossy = Lossy(ours.recv())
    try:
        yield lossy
    finally:
        ours.send("end")
        lossy.requests, lossy.replies = ours.recv()
        process.join()


def write_alone(options: dict[str, Any], names: list[str], calls: int, seconds: float) -> list[Report]:
    """The process of a client, which its writers share."""
    faulthandler.dump_traceback_later(seconds, exit=True)  # one that hangs says where, and does not hang the test
    # Its name makes it greet: a connection that is closed at once has failed before anything was sent.
    timeouts = {"socket_timeout": PATIENCE, "socket_connect_timeout": 5 * PATIENCE}
    with redis.StrictRedis(**options, **timeouts, client_name="writer") as client:
        return write(client, names, calls)


def write_in_processes(
    options: dict[str, Any], processes: int, threads: int, calls: int, seconds: float
) -> list[Report]:
    """Let so many processes of so many writers make so many calls in all, and return what the writers have to tell.

    An error where a process takes longer than ``seconds``.
    """
    each = -(-calls // (processes * threads))
    names = [[f"{process}:{thread}" for thread in range(threads)] for process in range(processes)]
    with ProcessPoolExecutor(processes, PROCESSES) as pool:
        runs = [pool.submit(write_alone, options, group, each, seconds) for group in names]
        return [report for run in runs for report in run.result()]
