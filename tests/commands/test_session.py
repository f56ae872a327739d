"""The commands on the connection: what comes back from a real server."""

import pytest

from redis.commands.session import pong
from redis.exceptions import ResponseError


def test_ping_and_echo(r, kind):
    assert r.ping() is True
    assert r.echo("ä") == kind.text("ä")


def test_ping_that_is_not_answered_by_pong():
    assert pong(b"PONG") is True
    assert pong(b"hello") is False


def test_the_name_is_a_str_in_every_kind(make_client, kind):
    r = make_client(max_connections=1, **kind.options)
    assert r.client_getname() is None
    assert r.client_setname("me") is True
    assert r.client_getname() == "me"
    with pytest.raises(ResponseError, match="cannot contain spaces"):
        r.client_setname("a b")


def test_client_id(make_client, kind):
    r = make_client(max_connections=1, **kind.options)
    number = r.client_id()
    assert r.client_id() == number
    assert make_client(**kind.options).client_id() > number
