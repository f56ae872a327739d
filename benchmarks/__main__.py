"""``python -m benchmarks``: the figures, as tables."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.goals import GOALS
from benchmarks.peers import FLOOR, OURS, PEERS
from benchmarks.report import left_out, summary, table
from benchmarks.rounds import Samples, compare, medians
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.staff import Worker, settle, staff
from redis.embedded import Server

CACHE = Path("~/.cache/redispy-benchmarks")
ROUNDS, QUICK = 21, 5


def main() -> int:
    options, began = arguments(), perf_counter()
    with Server() as server:
        url = f"unix://{server.unix_socket}" if options.transport == "unix" else server.url
        with staff([FLOOR, OURS, *options.peers], url, options.cache) as (workers, lines):
            print(
                head(options.transport),
                *(f"  {name}: {line}" for name, line in lines.items()),
                "",
                sep="\n",
                flush=True,
            )
            samples = {name: run(SCENARIOS[name], server, workers, options) for name in options.only or SCENARIOS}
    figures = {name: medians(taken) for name, taken in samples.items()}
    print(summary(figures), f"{perf_counter() - began:.0f} seconds", sep="\n")
    if options.json:
        options.json.write_text(json.dumps({"clients": lines, "medians": figures, "samples": samples}, indent=1))
    return int(options.check and any(goal.broken(figures) for goal in GOALS))


def run(scenario: Scenario, server: Server, workers: list[Worker], options: argparse.Namespace) -> Samples:
    """The samples of a scenario, its table printed on the way."""
    settle(server.pid, workers, scenario.one_core)
    samples, reasons = compare(scenario, workers, options.rounds, options.count or scenario.count)
    print(table(scenario, medians(samples)), *left_out(reasons), "", sep="\n", flush=True)
    return samples


def head(transport: str) -> str:
    python = f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores"
    strace = "" if shutil.which("strace") else "\nsystem calls are not counted: there is no strace"
    return f"{python}, {transport} socket; medians of interleaved rounds, times of one operation{strace}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="redispy beside its peers")
    parser.add_argument("--only", action="append", choices=SCENARIOS, help="this scenario (may be given several times)")
    parser.add_argument("--peers", type=peers, default=PEERS, help=f"of {','.join(PEERS)} (default: all), or none")
    parser.add_argument("--transport", choices=("unix", "tcp"), default="unix", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds of each scenario (default: %(default)s)")
    parser.add_argument("--quick", dest="rounds", action="store_const", const=QUICK, help=f"{QUICK} rounds")
    parser.add_argument("--count", type=int, help="operations in a round (default: as the scenario has it)")
    parser.add_argument(
        "--cache", type=Path, default=CACHE, help="where the peers are installed (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    parser.add_argument("--check", action="store_true", help="status 1 where a figure that is not negotiable is missed")
    options = parser.parse_args()
    options.cache = options.cache.expanduser()
    return options


def peers(text: str) -> list[str]:
    names = [] if text == "none" else text.split(",")
    unknown = set(names).difference(PEERS)
    if unknown:
        raise argparse.ArgumentTypeError(f"no such peer: {', '.join(sorted(unknown))}")
    return names


if __name__ == "__main__":
    sys.exit(main())
