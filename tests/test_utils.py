"""redis/utils.py: the small things beside the client."""

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
