"""A client for Redis and Valkey."""

from redis import sentinel_url  # noqa: F401 - it knows the URLs of sentinels
from redis.client import Redis, StrictRedis
from redis.connection import (
    BlockingConnectionPool,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.connection.deadline import deadline
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
from redis.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
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
    "Sentinel",
    "SentinelConnectionPool",
    "SentinelManagedConnection",
    "SentinelManagedSSLConnection",
    "StrictRedis",
    "TimeoutError",
    "UnixDomainSocketConnection",
    "WatchError",
    "__version__",
    "deadline",
    "from_url",
]
