"""The public names: those of today, pinned, and those of old, which programs import."""

import importlib
import importlib.resources

import pytest

import redis

PUBLIC = """
    AuthenticationError AuthenticationFailedError BlockingConnectionPool BusyLoadingError Connection ConnectionError
    ConnectionPool DataError InvalidResponse MaxConnectionsError PubSubError ReadOnlyError Redis RedisError
    ResponseError SSLConnection Sentinel SentinelConnectionPool SentinelManagedConnection SentinelManagedSSLConnection
    StrictRedis TimeoutError UnixDomainSocketConnection VERSION WatchError __version__ deadline from_url
""".split()

OLD = {
    "redis": """
        AuthenticationError BlockingConnectionPool BusyLoadingError Connection ConnectionError ConnectionPool DataError
        InvalidResponse PubSubError ReadOnlyError Redis RedisError ResponseError SSLConnection StrictRedis TimeoutError
        UnixDomainSocketConnection VERSION WatchError __version__ from_url
    """,
    "redis.client": """
        BasePipeline ConnectionError ConnectionPool DataError ExecAbortError NoScriptError Pipeline PubSub PubSubError
        PubSubWorkerThread Redis RedisError ResponseError SSLConnection SYM_EMPTY StrictPipeline StrictRedis
        TimeoutError Token UnixDomainSocketConnection WatchError bool_ok dict_merge float_or_none int_or_none
        list_or_args pairs_to_dict pairs_to_dict_typed parse_config_get parse_hscan parse_info parse_object parse_scan
        sort_return_tuples string_keys_to_dict timestamp_to_datetime zset_score_pairs
    """,
    "redis.connection": """
        AuthenticationError BaseParser BlockingConnectionPool BusyLoadingError Connection ConnectionError
        ConnectionPool DefaultParser ExecAbortError FALSE_STRINGS HIREDIS_AVAILABLE HiredisParser InvalidResponse
        NoScriptError PythonParser ReadOnlyError RedisError ResponseError SERVER_CLOSED_CONNECTION_ERROR SSLConnection
        SYM_CRLF SYM_DOLLAR SYM_EMPTY SYM_STAR SocketBuffer TimeoutError Token URL_QUERY_ARGUMENT_PARSERS
        UnixDomainSocketConnection ssl_available to_bool
    """,
    "redis.exceptions": """
        AuthenticationError BusyLoadingError ConnectionError DataError ExecAbortError InvalidResponse LockError
        NoScriptError PubSubError ReadOnlyError RedisError ResponseError TimeoutError WatchError
    """,
    "redis.utils": "HIREDIS_AVAILABLE dummy from_url",
}


def test_the_public_names_are_these():
    assert sorted(redis.__all__) == sorted(PUBLIC)


@pytest.mark.parametrize("module", ["redis", "redis.client", "redis.connection", "redis.utils"])
def test_every_public_name_is_there(module):
    found = importlib.import_module(module)
    assert [name for name in found.__all__ if not hasattr(found, name)] == []
    assert len(set(found.__all__)) == len(found.__all__)


@pytest.mark.parametrize("module", OLD)
def test_the_names_of_old_are_there(module):
    found = importlib.import_module(module)
    assert [name for name in OLD[module].split() if not hasattr(found, name)] == []


def test_a_name_is_the_same_class_everywhere():
    for module, names in OLD.items():
        found = importlib.import_module(module)
        for name in set(names.split()) & set(PUBLIC) - {"from_url"}:
            assert getattr(found, name) is getattr(redis, name), f"{module}.{name}"


def test_a_star_import_brings_the_public_names_alone():
    space = {}
    exec("from redis import *", space)
    del space["__builtins__"]
    assert sorted(space) == sorted(PUBLIC)


def test_the_version_in_both_forms():
    assert ".".join(map(str, redis.VERSION)) == redis.__version__
    assert len(redis.VERSION) == 3


def test_the_package_is_typed():
    assert importlib.resources.files("redis").joinpath("py.typed").is_file()
