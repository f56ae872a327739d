"""What the tests of several pools share."""

import pytest

from redis.connection.pool import BlockingConnectionPool, ConnectionPool
from tests.faults.fakenode import FakeNode


@pytest.fixture
def node():
    """A scripted server."""
    with FakeNode() as running:
        yield running


@pytest.fixture
def patience():
    """How many seconds a pool waits for a connection."""
    return 20


@pytest.fixture(params=[ConnectionPool, BlockingConnectionPool])
def make_pool(request, node, patience):
    """A function that makes pools of both kinds for a FakeNode."""
    made = []

    def make(**options):
        if request.param is BlockingConnectionPool:
            options = {"timeout": patience, **options}
        made.append(request.param(**{"host": "127.0.0.1", "port": node.port, **options}))
        return made[-1]

    yield make
    for pool in made:
        pool.close()
