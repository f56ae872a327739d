"""A client for Redis and Valkey."""

from redis.client import Redis, StrictRedis
from redis.connection import (
    BlockingConnectionPool,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.exceptions import (
    AuthenticationError,
    AuthenticationFailedError,
    BusyLoadingError,
    ConnectionError,
    DataError,
    InvalidResponse,
    MaxConnectionsError,
    PubSubError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
    WatchError,
)
from redis.utils import from_url
from redis.version import VERSION, __version__

__all__ = [
    "VERSION",
    "AuthenticationError",
    "AuthenticationFailedError",
    "BlockingConnectionPool",
    "BusyLoadingError",
    "Connection",
    "ConnectionError",
    "ConnectionPool",
    "DataError",
    "InvalidResponse",
    "MaxConnectionsError",
    "PubSubError",
    "ReadOnlyError",
    "Redis",
    "RedisError",
    "ResponseError",
    "SSLConnection",
    "StrictRedis",
    "TimeoutError",
    "UnixDomainSocketConnection",
    "WatchError",
    "__version__",
    "from_url",
]
