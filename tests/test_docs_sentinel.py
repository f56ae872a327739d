"""docs/sentinel.rst: its examples, run against real servers and a real sentinel that stands where they say one is."""

import doctest
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "sentinel.rst"


@pytest.mark.usefixtures("sentinel_at_home")
def test_examples():
    failed, attempted = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert attempted > 20
    assert failed == 0
