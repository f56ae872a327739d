"""The workers as the main process sees them: hired, given orders in turn, sent home.  Knows nothing of what they do."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from benchmarks.peers import CLIENTS, NotInstalled, folder_of

CHECKOUT = Path(__file__).resolve().parent.parent
PATIENCE = 120.0


class Failed(Exception):
    """A worker cannot do its work; the text says why."""


class Worker:
    """One process of ``benchmarks.worker``, whose client is found in ``folder``, or in this checkout.

    Whatever the environment says, every client is imported from bytecode, kept in ``bytecode``.
    """

    def __init__(self, name: str, url: str, folder: Path | None, bytecode: Path) -> None:
        self.name = name
        self.errors = TemporaryFile("w+")  # noqa: SIM115, close() closes it
        path = os.pathsep.join(str(place) for place in (folder, CHECKOUT) if place)
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "benchmarks.worker", name, url],
            env={
                **os.environ,
                "PYTHONPATH": path,
                "PYTHONPYCACHEPREFIX": str(bytecode),
                "PYTHONDONTWRITEBYTECODE": "",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def versions(self) -> str:
        """What it measures; asked once, it is the first thing that a worker says."""
        return str(self.answer()["versions"])

    def order(self, **order: Any) -> dict[str, float]:
        """The sample that this order brings."""
        assert self.process.stdin
        try:
            print(json.dumps(order), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            raise Failed(self.last_words()) from None
        return self.answer()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.process.kill()
            raise Failed(f"no answer in {PATIENCE:.0f} seconds")
        line = self.process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": self.last_words()}
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def last_words(self) -> str:
        status = self.process.wait()
        self.errors.seek(0)
        return self.errors.read().strip().rpartition("\n")[2] or f"its process ended with {status}"

    def close(self) -> None:
        """End the process, in its own time if it takes no more than a few seconds."""
        try:
            self.process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.errors.close()


def settle(server: int, workers: Iterable[Worker], one_core: bool) -> None:
    """Keep the workers on the last core that this process may use, and the server beside them or on the first."""
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = os.sched_getaffinity(0)
    keep(server, max(cores) if one_core else min(cores))
    for worker in workers:
        if worker.process.poll() is None:
            keep(worker.process.pid, max(cores))


def keep(process: int, core: int) -> None:
    """Keep a process, with all its threads, on one core."""
    for thread in os.listdir(f"/proc/{process}/task"):
        os.sched_setaffinity(int(thread), {core})


@contextmanager
def staff(names: list[str], url: str, cache: Path) -> Iterator[tuple[list[Worker], Mapping[str, str]]]:
    """A worker for each client that can be had, and a line for each client: its versions, or why it is out."""
    workers: list[Worker] = []
    lines: dict[str, str] = {}
    with ExitStack() as stack:
        for name in names:
            try:
                worker = hire(name, url, cache)
                stack.callback(worker.close)
                lines[name] = worker.versions()
                workers.append(worker)
            except (NotInstalled, Failed) as error:
                lines[name] = f"left out: {error}"
        yield workers, lines


def hire(name: str, url: str, cache: Path) -> Worker:
    peer = CLIENTS[name]
    return Worker(name, url, folder_of(peer, cache) if peer.requirements else None, cache / "bytecode")
