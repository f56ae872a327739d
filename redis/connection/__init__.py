"""Sockets, parsers and pools: the wire tower's upper half.  Everything that users import from here."""

from redis.connection.options import FALSE_STRINGS, URL_QUERY_ARGUMENT_PARSERS, to_bool
from redis.connection.outcome import SERVER_CLOSED_CONNECTION_ERROR
from redis.connection.parsers import HIREDIS_AVAILABLE, BaseParser, DefaultParser, HiredisParser, PythonParser
from redis.connection.pool import BlockingConnectionPool, ConnectionPool
from redis.connection.socketbuffer import SYM_CRLF, SYM_DOLLAR, SYM_EMPTY, SYM_STAR, SocketBuffer
from redis.connection.tcp import Connection
from redis.connection.tls import SSLConnection, ssl_available
from redis.connection.unix import UnixDomainSocketConnection
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    ExecAbortError,
    InvalidResponse,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
)
from redis.protocol.encoder import Encoder
from redis.protocol.packer import Token

__all__ = [
    "FALSE_STRINGS",
    "HIREDIS_AVAILABLE",
    "SERVER_CLOSED_CONNECTION_ERROR",
    "SYM_CRLF",
    "SYM_DOLLAR",
    "SYM_EMPTY",
    "SYM_STAR",
    "URL_QUERY_ARGUMENT_PARSERS",
    "AuthenticationError",
    "BaseParser",
    "BlockingConnectionPool",
    "BusyLoadingError",
    "Connection",
    "ConnectionError",
    "ConnectionPool",
    "DefaultParser",
    "Encoder",
    "ExecAbortError",
    "HiredisParser",
    "InvalidResponse",
    "NoScriptError",
    "PythonParser",
    "ReadOnlyError",
    "RedisError",
    "ResponseError",
    "SSLConnection",
    "SocketBuffer",
    "TimeoutError",
    "Token",
    "UnixDomainSocketConnection",
    "ssl_available",
    "to_bool",
]
