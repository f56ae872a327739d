"""The rounds of a scenario: every worker in turn, A B C A B C, and the medians of what they answered."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from benchmarks.scenarios import Scenario
from benchmarks.staff import Failed, Worker

Samples = dict[str, list[dict[str, float]]]


def compare(scenario: Scenario, workers: Sequence[Worker], rounds: int, count: int) -> tuple[Samples, dict[str, str]]:
    """The samples of each worker, and why a worker has none; a first round warms up and is not kept."""
    active = {worker.name: worker for worker in workers if worker.name not in scenario.without}
    samples: Samples = {name: [] for name in active}
    reasons: dict[str, str] = {}
    for _ in range(1 + min(rounds, scenario.rounds or rounds)):
        for name, worker in list(active.items()):
            try:
                samples[name].append(order(scenario, worker, count))
            except Failed as error:
                reasons[name] = str(error)
                del active[name], samples[name]
    return {name: taken[1:] for name, taken in samples.items()}, reasons


def order(scenario: Scenario, worker: Worker, count: int) -> dict[str, float]:
    return worker.order(scenario=scenario.name, measure=scenario.measure, count=count)


def medians(samples: Samples) -> dict[str, dict[str, float]]:
    """The median of each measure, by client."""
    return {
        name: {measure: median(sample[measure] for sample in taken) for measure in taken[0]}
        for name, taken in samples.items()
    }
