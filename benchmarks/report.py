"""Medians as text.  Knows the shape of the figures and the goals, and measures nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from benchmarks.goals import GOALS, Goal, Medians
from benchmarks.peers import FLOOR, OURS
from benchmarks.scenarios import Scenario

TIMES = ("cpu", "wall")
#: From so many seconds on, times are shown in milliseconds.
LONG = 0.01
Clients = Mapping[str, Mapping[str, float]]
"""``clients[name][measure]``: the medians of one scenario."""


def table(scenario: Scenario, clients: Clients) -> str:
    """The clients of a scenario, one a line, and below them the figures that it has to reach."""
    measures = dict.fromkeys(measure for sample in clients.values() for measure in sample)
    columns = [["", *clients], *(column for measure in measures for column in shown(measure, clients))]
    goals = [goal for goal in GOALS if goal.scenario == scenario.name]
    return "\n".join(
        [scenario.title, *aligned(columns), *(f"  {verdict(goal, {scenario.name: clients})}" for goal in goals)]
    )


def shown(measure: str, clients: Clients) -> list[list[str]]:
    """The columns of a measure, each with its heading: a time comes with its ratios, a count is alone."""
    values = [sample.get(measure) for sample in clients.values()]
    if measure not in TIMES:
        return [[measure, *("-" if value is None else f"{value:.4g}" for value in values)]]
    unit, scale = ("ms", 1e3) if max(value or 0 for value in values) > LONG else ("us", 1e6)
    times = [f"{measure} {unit}", *(number(value, scale) for value in values)]
    ratios = [
        [f"x {other}", *(ratio(value, clients.get(other, {}).get(measure)) for value in values)]
        for other in (FLOOR, OURS)
    ]
    rate = [["operations/s", *(number(1 / value if value else None) for value in values)]] if measure == "wall" else []
    return [times, *ratios, *rate]


def number(value: float | None, scale: float = 1) -> str:
    if value is None:
        return "-"
    return f"{value * scale:,.0f}" if value * scale >= 100 else f"{value * scale:.2f}"


def ratio(value: float | None, base: float | None) -> str:
    return f"{value / base:.2f}" if value and base else "-"


def aligned(columns: list[list[str]]) -> list[str]:
    """The lines of these columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in columns]
    first, *others = ([f"{cell:{'>' if i else '<'}{widths[i]}}" for cell in column] for i, column in enumerate(columns))
    return ["  " + "  ".join(cells) for cells in zip(first, *others, strict=True)]


def verdict(goal: Goal, medians: Medians) -> str:
    """One figure to reach in one line."""
    figure = goal.figure(medians)
    if figure is None:
        return f"not compared: {goal}"
    word = "reached" if goal.reached(figure) else "BROKEN" if goal.broken(medians) else "not reached"
    return f"{word + ':':<12} {goal}: {figure:.3g}{'x' if goal.other else ''}"


def summary(medians: Medians) -> str:
    """How many figures were reached, and those that were not."""
    compared = {goal: figure for goal in GOALS if (figure := goal.figure(medians)) is not None}
    missed = [goal for goal, figure in compared.items() if not goal.reached(figure)]
    lines = [f"  {goal.scenario}: {verdict(goal, medians)}" for goal in missed]
    return "\n".join([f"Figures to reach: {len(compared) - len(missed)} of {len(compared)} reached", *lines])


def left_out(reasons: Mapping[str, str]) -> Iterable[str]:
    """A line for each client that could not do its work."""
    return (f"  left out: {name}: {reason}" for name, reason in reasons.items())
