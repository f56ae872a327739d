"""What the type checkers must find out of pipelines; checked by tests/test_typing.py, never run."""

from typing import Any, assert_type

from redis import Redis, StrictRedis
from redis.client import BasePipeline, Pipeline, StrictPipeline


def chained(client: StrictRedis) -> None:
    pipe = client.pipeline()
    assert_type(pipe, StrictPipeline)
    assert_type(pipe.set("a", 1), StrictPipeline)
    assert_type(pipe.set("a", 1).get("a").hset("h", "f", "v").zadd("z", {"m": 1}), StrictPipeline)
    assert_type(pipe.scan(0, match="a*").sort("l", get=["#"]).blpop("l"), StrictPipeline)
    assert_type(pipe.setex("a", 60, "v"), StrictPipeline)
    assert_type(pipe.execute(), list[Any])
    assert_type(pipe.execute(raise_on_error=False), list[Any])
    assert_type(len(pipe), int)


def decoded(client: StrictRedis[str]) -> None:
    assert_type(client.pipeline(transaction=False).get("a").execute(), list[Any])


def in_the_order_of_old(client: Redis) -> None:
    pipe = client.pipeline()
    assert_type(pipe, Pipeline)
    assert_type(pipe.setex("a", "v", 60).lrem("l", "v").zadd("z", 1, "m"), Pipeline)
    assert_type(pipe.get("a"), Pipeline)


def in_a_with_block(client: StrictRedis) -> None:
    with client.pipeline() as pipe:
        pipe.watch("a", "b")
        assert_type(pipe.watching, bool)
        pipe.multi()
        assert_type(pipe.incr("a"), StrictPipeline)
        pipe.reset()


def takes_client(client: StrictRedis[Any]) -> None: ...


def takes_pipeline(pipe: BasePipeline) -> None: ...


def passed_on(client: StrictRedis, old: Redis) -> None:
    """A pipeline is a client, too."""
    takes_client(client.pipeline())
    takes_client(old.pipeline())
    takes_pipeline(client.pipeline())
    takes_pipeline(old.pipeline())
    client.transaction(lambda pipe: pipe.incr("a"), "a", value_from_callable=True)
