"""The list of mutants cannot rot: every text that one replaces stands in the source, once."""

from __future__ import annotations

import ast

import pytest

from tests.faults.mutants import MUTANTS, ROOT, Mutant, mutate


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_applies_to_the_source(mutant: Mutant) -> None:
    source = (ROOT / mutant.file).read_text()
    mutated = mutate(source, mutant)
    assert mutated != source
    ast.parse(mutated)
    assert (ROOT / "tests" / "faults" / f"{mutant.module}.py").exists()


def test_every_rule_is_broken_at_least_once() -> None:
    assert {mutant.rule for mutant in MUTANTS} == set(range(1, 11))


def test_a_text_that_is_not_there_is_an_error() -> None:
    mutant = Mutant(1, "nothing", "redis/execution.py", (("no such text", ""),), "test_mutants", "nothing")
    with pytest.raises(ValueError, match="0 times"):
        mutate("source", mutant)
