"""docs/commands.rst: the table of commands is what the facts say, and what the servers say."""

import importlib.util
import json
from pathlib import Path

import pytest

from redis.commands.spec import SPECS
from tests.servers import ask

DOCS = Path(__file__).parent.parent / "docs"
SERVERS = json.loads((DOCS / "servers.json").read_text())


@pytest.fixture(scope="module")
def maker():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("make_commands", DOCS / "make_commands.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_fresh(maker):
    assert (DOCS / "commands.rst").read_text() == maker.page(), "run python docs/make_commands.py"


def test_a_row(maker):
    assert maker.row(SPECS["GETDEL"], ["A", "B"]) == ("``GETDEL``", "``getdel``", "6.2.0", "A, B")
    assert maker.row(SPECS["MULTI"], []) == ("``MULTI``", "", "1.2.0", "")


def test_every_command_of_the_data_is_declared():
    assert SERVERS.keys() <= SPECS.keys()


@pytest.mark.parametrize(
    ("name", "fixture"), [("Redis 7.0", "redis7"), ("Redis 8.0", "redis8"), ("Valkey 9.1", "server")]
)
def test_the_servers_have_what_the_page_says(name, fixture, request):
    server = request.getfixturevalue(fixture)
    said = sorted(command for command in SPECS if command.split()[0] not in ("SENTINEL", "DEBUG"))
    entries = ask(server, "COMMAND", "INFO", *(command.replace(" ", "|") for command in said))
    has = {command for command, entry in zip(said, entries) if entry is not None}
    assert {command for command in said if name in SERVERS.get(command, ())} == has
