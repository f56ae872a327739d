"""What is taken of a scenario, inside the process that measures: CPU and wall time, the cost of an import, calls.

A measure is a function ``(client, scenario, count)`` that gives a sample: numbers by name, for one operation.  Times
are in seconds; CPU time is that of this process alone, with all its threads and without the server.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import repeat
from tempfile import NamedTemporaryFile
from threading import Barrier, Thread
from time import perf_counter, process_time

from benchmarks.clients import Client
from benchmarks.scenarios import Call, Scenario

Sample = dict[str, float]

IMPORT = """
import json, sys, time
before, cpu, wall = set(sys.modules), time.process_time(), time.perf_counter()
import {module}
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
new = set(sys.modules) - before
print(json.dumps({{"cpu": cpu, "wall": wall, "modules": len(new), "asyncio": "asyncio" in new, "ssl": "ssl" in new}}))
"""

#: The beginning of a line of strace; a call that another thread interrupted has a second line, which begins otherwise.
SYSTEM_CALL = re.compile(r"^\d+ +\w+\(", re.MULTILINE)


def time_calls(client: Client, scenario: Scenario, count: int) -> Sample:
    """One call after the other."""
    (call,) = client.calls(scenario)[:1]
    cpu, wall = process_time(), perf_counter()
    for _ in repeat(None, count):
        call()
    done = count * scenario.operations
    return {"cpu": (process_time() - cpu) / done, "wall": (perf_counter() - wall) / done}


def time_threads(client: Client, scenario: Scenario, count: int) -> Sample:
    """The calls shared out to threads that start together."""
    calls = client.calls(scenario)
    share = max(1, count // len(calls))
    start = Barrier(len(calls) + 1)
    threads = [Thread(target=repeat_call, args=(call, share, start)) for call in calls]
    for thread in threads:
        thread.start()
    start.wait()
    cpu, wall = process_time(), perf_counter()
    for thread in threads:
        thread.join()
    done = share * len(calls)
    return {"cpu": (process_time() - cpu) / done, "wall": (perf_counter() - wall) / done}


def repeat_call(call: Call, count: int, start: Barrier) -> None:
    start.wait()
    for _ in repeat(None, count):
        call()


def time_import(client: Client, scenario: Scenario, count: int) -> Sample:
    """Import the module in fresh processes, and see what it loaded."""
    command = [sys.executable, "-P", "-c", IMPORT.format(module=client.peer.module)]
    samples = [json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(count)]
    return {name: sum(sample[name] for sample in samples) / count for name in samples[0]}


def count_calls(client: Client, scenario: Scenario, count: int) -> Sample:
    """The Python functions that are entered, and where strace is to be had the calls of the system."""
    sample: Sample = {"python calls": count_frames(client.calls(scenario)[0])}
    if shutil.which("strace"):
        sample["system calls"] = traced(scenario, count)
    return sample


def count_frames(call: Call) -> int:
    events: list[str] = []
    call()  # after a pause a client may look at its connection first
    sys.setprofile(lambda frame, event, argument: events.append(event))
    try:
        call()
    finally:
        sys.setprofile(None)
    return events.count("call")


def traced(scenario: Scenario, count: int) -> float:
    """How many system calls a process like this one makes for one operation."""
    order = json.dumps({"scenario": scenario.name, "measure": "marked", "count": count})
    with NamedTemporaryFile("r") as trace:
        strace = ["strace", "-f", "-o", trace.name]
        subprocess.run([*strace, *sys.orig_argv], input=order.encode(), stdout=subprocess.DEVNULL, check=True)
        _, marked, _ = trace.read().split("getppid(")
    return len(SYSTEM_CALL.findall(marked)) / count


def mark_calls(client: Client, scenario: Scenario, count: int) -> Sample:
    """The operations between two system calls that nobody else makes: what the start of a process takes varies."""
    (call,) = client.calls(scenario)[:1]
    call()  # as in count_frames
    os.getppid()
    for _ in repeat(None, count):
        call()
    os.getppid()
    return {}


MEASURES: dict[str, Callable[[Client, Scenario, int], Sample]] = {
    "time": time_calls,
    "threads": time_threads,
    "import": time_import,
    "calls": count_calls,
    "marked": mark_calls,
}
