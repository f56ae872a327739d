"""The verdict of two type checkers on tests/typing/, the package included."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "typing"
ROOT = HERE.parent.parent
GOOD = sorted(HERE.glob("[!_]*.py"))

#: Each line is an error that both must find.
MISTAKES = """
client.get(1.5)
client.incr("n", "1")
client.nosuchcommand("k")
client.lpush()
text: str = client["k"]
StrictRedis(decode_responses=True, host=5)
StrictRedis.from_url(5)
""".strip()


def need(found, name):
    if not found and os.environ.get("REDISPY_REQUIRE_CHECKERS") == "1":
        pytest.fail(f"{name} is missing, and REDISPY_REQUIRE_CHECKERS=1 demands it")
    if not found:
        pytest.skip(f"{name} is not installed; tox -e types has it")


def run(*words):
    return subprocess.run([str(word) for word in words], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def mypy(tmp_path_factory):
    """A function that has mypy check files."""
    need(importlib.util.find_spec("mypy"), "mypy")
    cache = tmp_path_factory.mktemp("mypy")
    return lambda *files: run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache, *files)


@pytest.fixture(scope="module")
def pyright():
    """A function that has pyright check files."""
    beside = Path(sys.executable).with_name("pyright")
    program = beside if beside.exists() else shutil.which("pyright")
    need(program, "pyright")
    return lambda *files: run(program, "--pythonpath", sys.executable, *files)


@pytest.fixture
def mistakes(tmp_path):
    path = tmp_path / "mistakes.py"
    path.write_text(f"from redis import StrictRedis; client = StrictRedis()\n{MISTAKES}\n")
    return path


def lines_with_errors(pattern, text):
    return [int(line) - 1 for line in dict.fromkeys(re.findall(pattern, text))]


ALL_OF_THEM = list(range(1, len(MISTAKES.splitlines()) + 1))


@pytest.mark.timeout(120)
def test_mypy_agrees(mypy):
    found = mypy(*GOOD)
    assert found.returncode == 0, found.stdout


@pytest.mark.timeout(120)
def test_pyright_agrees(pyright):
    found = pyright(*GOOD)
    assert found.returncode == 0, found.stdout


@pytest.mark.timeout(120)
def test_mypy_refuses_mistakes(mypy, mistakes):
    assert lines_with_errors(r"mistakes\.py:(\d+): error", mypy(mistakes).stdout) == ALL_OF_THEM


@pytest.mark.timeout(120)
def test_pyright_refuses_mistakes(pyright, mistakes):
    assert lines_with_errors(r"mistakes\.py:(\d+):\d+ - error", pyright(mistakes).stdout) == ALL_OF_THEM
