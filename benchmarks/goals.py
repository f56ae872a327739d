"""The figures that redispy has to reach, and whether it did.  Knows medians, and nothing of how they came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.peers import FLOOR, OURS

Medians = Mapping[str, Mapping[str, Mapping[str, float]]]
"""``medians[scenario][client][measure]``."""


@dataclass(frozen=True)
class Goal:
    """Against the floor: at most ``factor`` times its cost.  Against a peer: at least ``factor`` times less than it.
    Against nobody: at most ``factor`` itself."""

    scenario: str
    measure: str
    other: str | None
    factor: float
    #: What is not negotiable, where it is less than ``factor``; ``--check`` fails below it.
    must: float | None = None

    def __str__(self) -> str:
        must = "" if self.must in (None, self.factor) else f" (not negotiable: {self.must:g}x)"
        if self.other is None:
            return f"{self.measure} <= {self.factor:g}"
        if self.other == FLOOR:
            return f"{self.measure} <= {self.factor:g}x {FLOOR}"
        return f"{self.measure} >= {self.factor:g}x less than {self.other}{must}"

    def figure(self, medians: Medians) -> float | None:
        """What was reached, in the sense of ``factor``; None where there is nothing to compare."""
        clients = medians.get(self.scenario, {})
        ours = clients.get(OURS, {}).get(self.measure)
        other = 1.0 if self.other is None else clients.get(self.other, {}).get(self.measure)
        if ours is None or other is None:
            return None
        return ours / other if self.at_most else other / max(ours, 1e-12)

    @property
    def at_most(self) -> bool:
        return self.other in (None, FLOOR)

    def reached(self, figure: float) -> bool:
        return figure <= self.factor if self.at_most else figure >= self.factor

    def broken(self, medians: Medians) -> bool:
        """Whether what is not negotiable does not hold, or cannot be told in a run that has the scenario."""
        if self.must is None or self.scenario not in medians:
            return False
        figure = self.figure(medians)
        return figure is None or figure < self.must


def one_connection(scenario: str) -> list[Goal]:
    return [
        Goal(scenario, "cpu", FLOOR, 1.4),
        Goal(scenario, "cpu", "redis-py", 4, must=3),
        Goal(scenario, "cpu", "redispy-3.0.0", 1.5, must=1),
        Goal(scenario, "cpu", "valkey-py", 2.3),
        Goal(scenario, "cpu", "glide", 5),
    ]


def pipeline(scenario: str) -> list[Goal]:
    return [
        Goal(scenario, "cpu", "redis-py", 6),
        Goal(scenario, "cpu", "redispy-3.0.0", 3.5),
        Goal(scenario, "cpu", "valkey-py", 3.5),
    ]


GOALS = [
    *one_connection("get"),
    *one_connection("set"),
    *pipeline("pipeline-100"),
    *pipeline("pipeline-1000"),
    Goal("threads", "wall", "redis-py", 2.5, must=2),
    Goal("threads", "wall", "redispy-3.0.0", 1.3),
    Goal("lrange", "wall", FLOOR, 1.1),
    Goal("hgetall", "cpu", "redispy-3.0.0", 1),
    Goal("get-1mb", "wall", "redis-py", 1.4),
    Goal("get-64mb", "wall", "redis-py", 1.4),
    Goal("set-1mb", "wall", FLOOR, 1.2),
    Goal("set-64mb", "wall", FLOOR, 1.2),
    Goal("python-get", "cpu", "redis-py", 1),
    Goal("python-get", "cpu", "redispy-3.0.0", 1),
    Goal("python-lrange", "cpu", "redis-py", 6),
    Goal("python-lrange", "cpu", "redispy-3.0.0", 6, must=4),
    Goal("python-nested", "cpu", "redis-py", 1),
    Goal("python-nested", "cpu", "redispy-3.0.0", 1),
    Goal("import", "cpu", "redis-py", 2),
    Goal("import", "asyncio", None, 0),
    Goal("import", "ssl", None, 0),
    Goal("calls", "system calls", None, 2),
    Goal("calls-timeout", "system calls", None, 2),
]
