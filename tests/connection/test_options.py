"""redis/connection/options.py: which options there are, and what a misspelt one is told."""

import warnings

import pytest

import redis
from redis.connection import options
from redis.connection.options import (
    FALSE_STRINGS,
    NEEDLESS,
    POOL_OPTIONS,
    URL_QUERY_ARGUMENT_PARSERS,
    accepted_options,
    misspelt,
    refuse_misspelt,
    refuse_unknown,
    renamed,
    tls_version,
    to_bool,
)
from redis.connection.tcp import Connection
from redis.connection.tls import SSLConnection
from redis.connection.unix import UnixDomainSocketConnection
from redis.connection.wire import Wire
from redis.sentinel import Sentinel

KNOWN = frozenset(["socket_timeout", "db", "retry_on_timeout"])


@pytest.mark.parametrize("value", [None, ""])
def test_nothing_is_said(value):
    assert to_bool(value) is None


@pytest.mark.parametrize("value", [*FALSE_STRINGS, "false", "No", "off", False, 0, 0.0])
def test_no(value):
    assert to_bool(value) is False


@pytest.mark.parametrize("value", ["1", "true", "YES", "on", "anything", True, 1, 2.5])
def test_yes(value):
    assert to_bool(value) is True


def test_the_usual_words_for_no():
    assert set(FALSE_STRINGS) == {"0", "F", "FALSE", "N", "NO", "OFF"}


def test_the_constructors_of_all_bases_count():
    assert {"ssl_context", "host", "db", "username"} <= accepted_options(SSLConnection)
    assert {"path", "client_name"} <= accepted_options(UnixDomainSocketConnection)
    assert not {"self", "path", "ssl_context"} & accepted_options(Connection)
    assert "encoder" not in accepted_options(Connection, Wire)


def test_a_class_without_a_constructor_takes_nothing():
    assert accepted_options(type("Plain", (), {})) == frozenset()


def test_local_variables_are_no_options():
    class Own(Connection):
        def __init__(self, mine, *, keyword=None, **rest):
            local = rest
            super().__init__(**local)

    assert {"mine", "keyword", "host"} <= accepted_options(Own)
    assert not {"local", "rest"} & accepted_options(Own)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("socket_timout", "socket_timeout"), ("sockettimeout", "socket_timeout"), ("colour", None), ("db", "db")],
)
def test_what_was_meant(name, meant):
    assert misspelt(name, KNOWN) == meant


@pytest.mark.parametrize(("text", "number"), [("1.0", 769), ("TLSv1.2", 771), ("TLSv1_3", 772)])
def test_a_version_of_tls(text, number):
    assert tls_version(text) == number


@pytest.mark.parametrize("text", ["", "1", "SSLv3", "771", "1.4"])
def test_what_is_no_version_of_tls(text):
    with pytest.raises(ValueError):
        tls_version(text)


def test_an_unknown_option_is_refused():
    refuse_unknown(["db", "socket_timeout"], KNOWN, "here")
    with pytest.raises(TypeError, match=r"^here has no option 'socket_timout'; did you mean 'socket_timeout'\?$"):
        refuse_unknown(["db", "socket_timout"], KNOWN, "here")
    with pytest.raises(TypeError, match=r"^here has no option 'colour'$"):
        refuse_unknown(iter(["colour"]), iter(KNOWN), "here")


def test_only_what_looks_misspelt_is_refused():
    refuse_misspelt(["db", "colour"], KNOWN, "here")
    with pytest.raises(TypeError, match="did you mean 'retry_on_timeout'"):
        refuse_misspelt(["colour", "retry_on_timeouts"], iter(KNOWN), "here")


def test_old_names_are_taken_with_a_warning():
    with pytest.warns(DeprecationWarning, match="is deprecated") as caught:
        found = renamed({"charset": "latin-1", "errors": "replace", "encoding": "utf-8", "other": 1})
    assert found == {"encoding": "latin-1", "encoding_errors": "replace", "other": 1}
    assert [str(warning.message) for warning in caught] == [
        '"charset" is deprecated. Use "encoding" instead',
        '"errors" is deprecated. Use "encoding_errors" instead',
    ]


@pytest.mark.parametrize("name", NEEDLESS)
def test_what_users_of_redis_py_bring_along_is_explained(name):
    with pytest.raises(TypeError, match=f"StrictRedis has no option '{name}'; [^?]*$"):
        redis.StrictRedis(**{name: 30})


def test_old_names_without_a_value_are_dropped_in_silence():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert renamed({"charset": None, "errors": None, "encoding": "x"}) == {"encoding": "x"}


def test_the_options_are_not_changed_in_place():
    given = {"charset": None}
    assert renamed(given) == {}
    assert given == {"charset": None}


def test_every_option_of_a_url_exists():
    own = {"max_connections", "timeout", "single_connection_client"}
    known = accepted_options(SSLConnection) | accepted_options(UnixDomainSocketConnection) | POOL_OPTIONS | own
    known |= accepted_options(Sentinel)
    assert {name.removeprefix("sentinel_") for name in URL_QUERY_ARGUMENT_PARSERS} <= known | {"ssl"}


def test_every_option_that_is_no_text_has_a_type_for_urls():
    switches = {name for name, value in Connection.__init__.__kwdefaults__.items() if isinstance(value, bool)}
    assert switches <= set(URL_QUERY_ARGUMENT_PARSERS)
    assert {name for name, convert in URL_QUERY_ARGUMENT_PARSERS.items() if convert is options.to_bool} >= switches
