"""Under gevent, in a process of its own in which it replaces all that waits: tests/faults/greenlets.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("gevent", reason="gevent is not installed")
ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(900)
def test_greenlets():
    # What measures coverage knows nothing of greenlets.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "COV_"))}
    command = [sys.executable, "-m", "tests.under_gevent", "-q", "-p", "no:cacheprovider", "tests/faults/greenlets.py"]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert int(ended.stdout.split(" passed")[0].split()[-1]) > 50
