"""redis/utils.py: the small things beside the client."""

import pytest

from redis import utils
from redis.client import Redis
from redis.connection import HIREDIS_AVAILABLE


def test_from_url_gives_a_redis(server):
    with utils.from_url(f"redis://{server.host}:{server.port}", db=3, decode_responses=True) as client:
        assert type(client) is Redis
        assert client.connection_pool.connection_kwargs["db"] == 3
        assert client.echo("x") == "x"


def test_dummy_takes_any_attribute():
    holder = utils.dummy()
    holder.token = b"x"
    assert vars(holder) == {"token": b"x"}


def test_whether_hiredis_is_there():
    assert utils.HIREDIS_AVAILABLE is HIREDIS_AVAILABLE


def test_pipeline_is_executed_at_the_end(make_client):
    client = make_client()
    with utils.pipeline(client) as queue:
        queue.set("k", "v").incr("n")
        assert client.get("k") is None
    assert (client.get("k"), client.get("n")) == (b"v", b"1")


def test_pipeline_is_not_executed_after_an_error(make_client):
    client = make_client()
    with pytest.raises(ZeroDivisionError), utils.pipeline(client) as queue:
        queue.set("k", 1 / 0)
    assert client.get("k") is None
