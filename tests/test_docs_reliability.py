"""docs/reliability.rst: every promise has its number, and every test that it names exists."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
TEXT = (DOCS / "reliability.rst").read_text()
LINKS = re.findall(r"^__ (\S+)$", TEXT, re.MULTILINE)
PROMISES = range(1, 33)


@pytest.mark.parametrize("link", LINKS)
def test_a_test_that_is_named_exists(link):
    assert (DOCS / link).is_file()


@pytest.mark.parametrize("number", PROMISES)
def test_a_promise_is_listed_and_has_a_test_of_its_number(number):
    assert re.search(rf"^{number}\. ", TEXT, re.MULTILINE)
    assert any(f"/test_{number:02}_" in link for link in LINKS)


def test_every_test_of_a_promise_is_named():
    tests = {f"../tests/faults/{path.name}" for path in (DOCS.parent / "tests" / "faults").glob("test_[0-9]*.py")}
    assert tests == set(LINKS)


def test_each_promise_links_to_what_stands_below():
    """An anonymous link is told by its order alone: as many of them as of their targets, in each chapter."""
    for chapter in re.split(r"^~+$", TEXT, flags=re.MULTILINE):
        assert len(re.findall(r"`__", chapter)) == len(re.findall(r"^__ ", chapter, re.MULTILINE))
