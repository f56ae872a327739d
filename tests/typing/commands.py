"""What the type checkers must find out of the commands; checked by tests/test_typing.py, never run."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, assert_type

from redis import Redis, StrictRedis


def strings(raw: StrictRedis[bytes], text: StrictRedis[str]) -> None:
    assert_type(raw.get("k"), bytes | None)
    assert_type(text.get(b"k"), str | None)
    assert_type(raw["k"], bytes)
    assert_type(text["k"], str)
    assert_type(raw.mget("a", "b"), list[bytes | None])
    assert_type(text.mget(["a", "b"]), list[str | None])
    assert_type(raw.incr("n"), int)
    assert_type(raw.incrbyfloat("n", 1.5), float)
    assert_type(text.getrange("k", 0, -1), str)
    assert_type(raw.append("k", b"x"), int)
    assert_type(raw.setex("k", timedelta(seconds=1), "v"), bool)


def keys(raw: StrictRedis[bytes], text: StrictRedis[str]) -> None:
    assert_type(raw.keys("*"), list[bytes])
    assert_type(text.keys(), list[str])
    assert_type(raw.delete("a", "b"), int)
    assert_type(raw.ttl("k"), int)
    assert_type(text.scan_iter(match="*"), Iterator[str])
    assert_type(text.scan(), tuple[int, list[str]])
    assert_type(raw.randomkey(), bytes | None)
    assert_type("k" in raw, bool)


def hashes(raw: StrictRedis[bytes], text: StrictRedis[str]) -> None:
    assert_type(raw.hgetall("h"), dict[bytes, bytes])
    assert_type(text.hgetall("h"), dict[str, str])
    assert_type(text.hget("h", "f"), str | None)
    assert_type(raw.hmget("h", ["f"]), list[bytes | None])
    assert_type(text.hkeys("h"), list[str])
    assert_type(raw.hexists("h", "f"), bool)


def others(raw: StrictRedis[bytes], text: StrictRedis[str]) -> None:
    assert_type(text.lrange("l", 0, -1), list[str])
    assert_type(raw.lpush("l", 1, "a", b"b"), int)
    assert_type(text.info(), dict[str, Any])
    assert_type(raw.config_get(), dict[str, str])
    assert_type(raw.execute_command("ANY", "thing"), Any)


def old_orders(client: Redis[str]) -> None:
    assert_type(client.setex("k", "v", 10), bool)
    assert_type(client.lrem("l", "v", 1), int)
