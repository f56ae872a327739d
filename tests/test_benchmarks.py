"""The benchmarks run: every scenario once, with few operations and without peers; and the goals are judged rightly."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("hiredis", reason="the floor of the benchmarks parses with hiredis")

from benchmarks.clients import WrongReply, verify
from benchmarks.goals import Goal
from benchmarks.peers import FLOOR, OURS
from benchmarks.report import summary, table
from benchmarks.scenarios import SCENARIOS

CHECKOUT = Path(__file__).parent.parent
GOAL = Goal("get", "cpu", "redis-py", 4, must=3)


def benchmarks(*arguments, **environment):
    command = [sys.executable, "-m", "benchmarks", "--rounds", "1", "--count", "1", *arguments]
    return subprocess.run(
        command, cwd=CHECKOUT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=50
    )


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """The samples of a run, by scenario and client."""
    return samples(tmp_path_factory.mktemp("benchmarks"))


def samples(folder, *arguments):
    file = folder / "samples.json"
    done = benchmarks("--peers", "none", "--json", str(file), *arguments)
    assert done.returncode == 0, done.stderr  # without --check, whatever the figures say
    assert "left out" not in done.stdout
    return json.loads(file.read_text())["samples"]


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda scenario: scenario.name)
def test_every_scenario_measures_redispy_and_the_floor(taken, scenario):
    clients = {OURS, FLOOR} - scenario.without
    samples = taken[scenario.name]

    assert set(samples) == clients
    for name in clients:
        (sample,) = samples[name]
        assert all(sample[measure] > 0 for measure in ("cpu", "wall", "python calls") if measure in sample)


def test_importing_redispy_loads_neither_asyncio_nor_ssl(taken):
    (sample,) = taken["import"][OURS]
    assert (sample["asyncio"], sample["ssl"]) == (0, 0)
    assert sample["modules"] > 0


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("scenario", ["calls", "calls-timeout"])
def test_a_get_makes_two_system_calls(scenario, tmp_path):
    taken = samples(tmp_path, "--only", scenario, "--count", "100")
    assert taken[scenario][FLOOR][0]["system calls"] == 2
    # Where the machine paused in between there was a look at the idle socket.
    assert round(taken[scenario][OURS][0]["system calls"], 1) == 2


def test_a_peer_that_cannot_be_installed_is_left_out_with_the_reason(tmp_path):
    options = ("--peers", "redis-py", "--only", "get", "--cache", str(tmp_path), "--check")
    done = benchmarks(*options, PIP_NO_INDEX="1")
    assert "redis-py: left out: ERROR: No matching distribution found" in done.stdout
    assert done.returncode == 1, "what is not negotiable cannot be told without this peer"


def test_a_wrong_reply_is_not_measured():
    scenario = replace(SCENARIOS["get"], right=lambda reply: reply == b"right")
    verify(scenario, b"right")
    with pytest.raises(WrongReply, match="get: b'wrong'"):
        verify(scenario, b"wrong")


@pytest.mark.parametrize(
    ("theirs", "reached", "broken"), [(4.0, True, False), (3.5, False, False), (3.0, False, False), (2.9, False, True)]
)
def test_against_a_peer_redispy_has_to_cost_so_many_times_less(theirs, reached, broken):
    medians = {"get": {OURS: {"cpu": 1.0}, "redis-py": {"cpu": theirs}}}
    assert GOAL.figure(medians) == theirs
    assert (GOAL.reached(theirs), GOAL.broken(medians)) == (reached, broken)


@pytest.mark.parametrize(("ours", "reached"), [(1.3, True), (1.4, True), (1.5, False)])
def test_against_the_floor_redispy_may_cost_so_many_times_more(ours, reached):
    goal = Goal("get", "cpu", FLOOR, 1.4)
    assert goal.reached(goal.figure({"get": {OURS: {"cpu": ours}, FLOOR: {"cpu": 1.0}}})) == reached


def test_what_cannot_be_told_is_broken_only_where_the_scenario_ran():
    assert GOAL.broken({"get": {OURS: {"cpu": 1.0}}})
    assert not GOAL.broken({})


def test_the_table_shows_ratios_and_verdicts():
    clients = {FLOOR: {"cpu": 2e-6}, OURS: {"cpu": 3e-6}, "redis-py": {"cpu": 9e-6}}
    lines = table(SCENARIOS["get"], clients).splitlines()

    assert lines[4].split() == ["redis-py", "9.00", "4.50", "3.00"]
    assert "  not reached: cpu <= 1.4x floor: 1.5x" in lines
    assert "  not reached: cpu >= 4x less than redis-py (not negotiable: 3x): 3x" in lines
    assert summary({"get": clients}).startswith("Figures to reach: 0 of 2 reached")
