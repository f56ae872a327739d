"""The URLs that name sentinels and a service in place of a server.

::

    redis+sentinel://[[username]:[password]@]host[:port][,host[:port]...]/service[/db][?option=value...]
    rediss+sentinel://...                                                        over TLS, to the sentinels as well

User name and password are for the master and its replicas; an option that begins with ``sentinel_`` is for the
sentinels.  This module adds the schemes to those of ``connection/url.py``; it must not know how a master is found.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import ParseResult, urlparse

from redis.connection.managed import SentinelManagedConnection, SentinelManagedSSLConnection
from redis.connection.options import URL_QUERY_ARGUMENT_PARSERS, to_bool
from redis.connection.pool import ConnectionPool
from redis.connection.url import QUOTING, SCHEMES, Decode, Options, database
from redis.sentinel import Sentinel, SentinelConnectionPool

DEFAULT_PORT = 26379
FOR_SENTINELS = "sentinel_"
OF_SENTINEL = ("min_other_sentinels", "failover_listener", "force_master_ip")
ROLES = {"master": True, "slave": False, "replica": False}


def sentinel_options(parts: ParseResult, decode: Decode) -> Options:
    """The addresses of the sentinels, the service, and the database in the path."""
    service, *number = decode(parts.path).strip("/").split("/", 1)
    if not service:
        raise ValueError("the path of the URL has no name of a service, as in redis+sentinel://host:26379/mymaster/0")
    hosts = parts.netloc.rpartition("@")[2].split(",")
    return {
        "sentinels": [address(host, decode) for host in hosts],
        "service_name": service,
        "connection_class": SentinelManagedConnection,
        "make_pool": make_pool,
        **({"path_db": database(number[0])} if number else {}),
    }


def tls_sentinel_options(parts: ParseResult, decode: Decode) -> Options:
    """The same for TLS."""
    return {**sentinel_options(parts, decode), "connection_class": SentinelManagedSSLConnection}


def address(text: str, decode: Decode) -> tuple[str, int]:
    """Host and port of a sentinel."""
    with suppress(ValueError):
        parts = urlparse(f"//{text}")
        return decode(parts.hostname or "localhost"), parts.port or DEFAULT_PORT
    raise ValueError(f"the port of a sentinel in the URL is no number from 0 to 65535; {QUOTING}")


def make_pool(cls: type[ConnectionPool], options: Options) -> ConnectionPool:
    """Return a pool that has a Sentinel of its own, made of all that the URL and its keywords say."""
    if not issubclass(SentinelConnectionPool, cls) and not issubclass(cls, SentinelConnectionPool):
        raise ValueError(f"a {cls.__name__} does not follow a master: a URL of sentinels is for ConnectionPool")
    role = options.pop("role", "master")
    if role not in ROLES:
        raise ValueError(f"the role in the URL is {role!r}; it takes one of {', '.join(ROLES)}")
    addresses, service = options.pop("sentinels"), options.pop("service_name")
    about = {name: options.pop(name) for name in OF_SENTINEL if name in options}
    manager = Sentinel(addresses, sentinel_kwargs=for_sentinels(options), **about)
    make: Any = cls if issubclass(cls, SentinelConnectionPool) else SentinelConnectionPool
    pool: SentinelConnectionPool = make(service, manager, is_master=ROLES[role], **options)
    pool.owns_manager = True
    return pool


def for_sentinels(options: Options) -> Options:
    """Take out what is meant for the sentinels; for time and TLS, what holds for the servers holds for them as well."""
    own = {name: options.pop(name) for name in list(options) if name.startswith(FOR_SENTINELS)}
    told = {"ssl": options["connection_class"] is SentinelManagedSSLConnection}
    told |= {name.removeprefix(FOR_SENTINELS): value for name, value in own.items()}
    shared = ("socket_", "ssl_") if told["ssl"] else ("socket_",)
    return {**{name: value for name, value in options.items() if name.startswith(shared)}, **told}


SCHEMES["redis+sentinel"], SCHEMES["rediss+sentinel"] = sentinel_options, tls_sentinel_options
URL_QUERY_ARGUMENT_PARSERS.update(
    {f"{FOR_SENTINELS}{name}": convert for name, convert in URL_QUERY_ARGUMENT_PARSERS.items()}
)
URL_QUERY_ARGUMENT_PARSERS.update(min_other_sentinels=int, failover_listener=to_bool, sentinel_ssl=to_bool)
