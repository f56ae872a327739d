"""What the type checkers must find out of the clients; checked by tests/test_typing.py, never run."""

from typing import Any, assert_type

import redis
from redis import Redis, StrictRedis


def by_default() -> None:
    assert_type(StrictRedis(), StrictRedis[bytes])
    assert_type(StrictRedis("host", 6379, 0, "password"), StrictRedis[bytes])
    assert_type(StrictRedis(host="host", socket_timeout=1.5, client_name="me"), StrictRedis[bytes])
    assert_type(StrictRedis(decode_responses=False), StrictRedis[bytes])
    assert_type(Redis(), Redis[bytes])
    assert_type(Redis("host", 6379, db=3), Redis[bytes])


def decoded() -> None:
    assert_type(StrictRedis(decode_responses=True), StrictRedis[str])
    assert_type(StrictRedis("host", 6379, decode_responses=True, protocol=3), StrictRedis[str])
    assert_type(Redis(decode_responses=True), Redis[str])


def from_a_url() -> None:
    assert_type(StrictRedis.from_url("redis://h"), StrictRedis[bytes])
    assert_type(StrictRedis.from_url("redis://h", 3, socket_timeout=1), StrictRedis[bytes])
    assert_type(StrictRedis.from_url("redis://h", decode_responses=True), StrictRedis[str])
    assert_type(Redis.from_url("redis://h"), Redis[bytes])
    assert_type(Redis.from_url("redis://h", decode_responses=True), Redis[str])
    assert_type(redis.from_url("redis://h"), Redis[Any])


def bare(client: StrictRedis) -> None:
    """An annotation without a parameter means bytes."""
    assert_type(client.get("k"), bytes | None)
    assert_type(client, StrictRedis[bytes])


def in_a_with_block() -> None:
    with StrictRedis(decode_responses=True) as client:
        assert_type(client, StrictRedis[str])
    with Redis() as old:
        assert_type(old, Redis[bytes])


def kinds(raw: StrictRedis[bytes], text: StrictRedis[str]) -> None:
    """An old client is one of the new."""
    raw = Redis()
    text = Redis(decode_responses=True)
    assert_type(raw.get("k"), bytes | None)
    assert_type(text.get("k"), str | None)


class Own(StrictRedis[str]):
    """A subclass of the user's."""

    def shout(self, key: str) -> str:
        return (self.get(key) or "").upper()


def own() -> None:
    assert_type(Own(decode_responses=True).shout("k"), str)
