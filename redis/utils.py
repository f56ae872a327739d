"""Small things beside the client."""

from __future__ import annotations

from typing import Any

from redis.client import Redis
from redis.connection.parsers import HIREDIS_AVAILABLE
from redis.lock import dummy

__all__ = ["HIREDIS_AVAILABLE", "dummy", "from_url"]


def from_url(url: str, db: int | None = None, **kwargs: Any) -> Redis[Any]:
    """Return a client for the server of a URL; see :meth:`redis.StrictRedis.from_url`."""
    return Redis.from_url(url, db, **kwargs)
