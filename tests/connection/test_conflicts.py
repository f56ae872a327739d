"""redis/connection/conflicts.py: which options exclude each other, and what counts as given."""

import ssl

import pytest

from redis.client import StrictRedis
from redis.connection.conflicts import (
    CLIENTS_OWN,
    CONFLICTS,
    NEEDS,
    TLS,
    given_to,
    is_given,
    refuse_beside_pool,
    refuse_conflicts,
    refuse_conflicts_of_pool,
    said_by,
)
from redis.connection.options import POOL_OPTIONS, accepted_options
from redis.connection.pool import BlockingConnectionPool, ConnectionPool
from redis.connection.tcp import Connection
from redis.connection.tls import SSLConnection
from redis.connection.unix import UnixDomainSocketConnection

PAIRS = [(option, other) for option, others, _ in CONFLICTS for other in others if "=" not in option]
NEEDY = [(option, needed) for options, needed, _ in NEEDS for option in options]


def call(host="localhost", port=6379, db=0, *, ssl=False, **options):
    return given_to(call, locals())


def test_what_is_not_the_default_is_given():
    assert call("localhost", 6379, db=0, ssl=False) == {}
    assert call("h", 1, ssl=True, colour="x") == {"host": "h", "port": 1, "ssl": True, "colour": "x"}
    assert call(db=2, protocol=2, decode=False) == {"db": 2, "protocol": 2, "decode": False}


def test_nothing_and_an_empty_text_are_not_given():
    assert call(host=None, db=None, ssl=None, username="", password=None) == {}
    assert [is_given(value) for value in (None, "", 0, False, "x")] == [False, False, True, True, True]


@pytest.mark.parametrize(("option", "other"), PAIRS)
def test_two_that_exclude_each_other(option, other):
    refuse_conflicts({option: "x"} if option not in TLS else {option: "x", "ssl": True})
    with pytest.raises(TypeError, match=f"^{option} and {other} exclude each other: "):
        refuse_conflicts({"ssl": True, option: "x", other: "y"} if "path" not in option else {option: "x", other: "y"})


@pytest.mark.parametrize(("option", "needed"), NEEDY)
def test_one_that_needs_another(option, needed):
    given = {"ssl": True, option: "x"} | ({"ssl_keyfile": "k"} if option == "ssl_password" else {})
    refuse_conflicts(given)
    with pytest.raises(TypeError, match=f"^{option} needs "):
        refuse_conflicts(
            {name: given[name] for name in given if name == option or name not in (*needed, "ssl_keyfile")}
        )


@pytest.mark.parametrize("value", ["none", 0, ssl.CERT_NONE])
def test_the_name_is_not_checked_without_the_certificate(value):
    refuse_conflicts({"ssl": True, "ssl_cert_reqs": value, "ssl_check_hostname": False})
    refuse_conflicts({"ssl": True, "ssl_cert_reqs": "optional", "ssl_check_hostname": True})
    with pytest.raises(TypeError, match=r"^ssl_check_hostname=True and ssl_cert_reqs='none' exclude"):
        refuse_conflicts({"ssl": True, "ssl_cert_reqs": value, "ssl_check_hostname": True})


def test_every_name_in_the_table_is_an_option():
    known = accepted_options(SSLConnection) | accepted_options(UnixDomainSocketConnection)
    known |= accepted_options(StrictRedis) | POOL_OPTIONS
    names = {name for option, others, _ in CONFLICTS for name in (option, *others)}
    names |= {name for options, needed, _ in NEEDS for name in (*options, *needed)} | CLIENTS_OWN
    assert {name.partition("=")[0] for name in names} <= known
    assert all(name.startswith("ssl_") for name in TLS)
    assert len(TLS) >= 11


# Pools


def test_the_class_of_connections_says_whether_there_is_tls():
    refuse_conflicts_of_pool(SSLConnection, {"ssl_ca_certs": "x"}, "the pool")
    for cls, words in ((Connection, "needs TLS"), (UnixDomainSocketConnection, "path and ssl_ca_certs exclude")):
        with pytest.raises(TypeError, match=words):
            refuse_conflicts_of_pool(cls, {"ssl_ca_certs": "x", "path": "/s"}, "the pool")


@pytest.mark.parametrize(("name", "hint"), [("ssl", "SSLConnection"), ("unix_socket_path", "UnixDomainSocketConn")])
@pytest.mark.parametrize("cls", [Connection, SSLConnection, UnixDomainSocketConnection])
def test_a_pool_is_told_otherwise(cls, name, hint):
    with pytest.raises(TypeError, match=f"the pool has no option '{name}'.*{hint}"):
        refuse_conflicts_of_pool(cls, {name: True}, "the pool")


# Beside a pool


def test_what_a_pool_says_as_well_is_no_conflict():
    pool = BlockingConnectionPool(connection_class=SSLConnection, max_connections=3, host="h", db=2, username="u")
    refuse_beside_pool({"ssl": True, "host": "h", "db": 2, "username": "u", "max_connections": 3}, pool)
    refuse_beside_pool({name: object() for name in CLIENTS_OWN}, pool)
    unix = ConnectionPool(connection_class=UnixDomainSocketConnection, path="/s", max_idle_time=2.0)
    refuse_beside_pool({"unix_socket_path": "/s", "max_idle_time": 2.0}, unix)


@pytest.mark.parametrize(
    ("name", "value"),
    [("db", 3), ("host", "i"), ("ssl", True), ("unix_socket_path", "/s"), ("max_connections", 4), ("max_lifetime", 9)],
)
def test_what_a_pool_does_not_say_is_one(name, value):
    pool = ConnectionPool(host="h", db=2, max_connections=3)
    with pytest.raises(TypeError, match=f"^connection_pool and {name} exclude each other: give {name} to the pool$"):
        refuse_beside_pool({name: value}, pool)


def test_a_pool_of_the_users_class():
    class Bare:
        connection_class = Connection

    assert said_by(Bare(), "db") is None
    refuse_beside_pool({"single_connection_client": True}, Bare())
    with pytest.raises(TypeError, match="connection_pool and db"):
        refuse_beside_pool({"db": 1}, Bare())
