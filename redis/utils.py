"""Small things beside the client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.client import Redis
from redis.connection.parsers import HIREDIS_AVAILABLE
from redis.lock import dummy

__all__ = ["HIREDIS_AVAILABLE", "dummy", "from_url", "pipeline"]


def from_url(url: str, db: int | None = None, **kwargs: Any) -> Redis[Any]:
    """Return a client for the server of a URL; see :meth:`redis.StrictRedis.from_url`."""
    return Redis.from_url(url, db, **kwargs)


@contextmanager
def pipeline(redis_obj: Any) -> Iterator[Any]:
    """A pipeline of the client for a ``with`` block; it is executed at the end, unless the block raises."""
    queue = redis_obj.pipeline()
    yield queue
    queue.execute()
