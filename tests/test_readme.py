"""The examples of the README, run against a real server that stands where they say one is."""

import doctest
from pathlib import Path

import pytest

import redis
import redis.embedded

README = Path(__file__).parent.parent / "README.rst"
HOME = {"host": "localhost", "port": 6379}


@pytest.fixture
def at_home(server, make_client, monkeypatch):
    """Lead the connections to the usual port, and no others, to the server of the tests."""
    make_client()
    connect_to = redis.Connection._connect_to

    def redirected(self, family, kind, proto, address):
        if address[1] == HOME["port"]:
            address = (address[0], server.port, *address[2:])
        return connect_to(self, family, kind, proto, address)

    monkeypatch.setattr(redis.Connection, "_connect_to", redirected)


@pytest.mark.usefixtures("at_home", "sentinel_at_home")
def test_examples():
    failed, attempted = doctest.testfile(str(README), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert attempted > 25
    assert failed == 0
