"""No half-made connection is used: the right user on the right database, or an exception."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import redis
from tests.faults.conftest import LEFT_TO_FINALIZER, needs_second_shot, settle, sound
from tests.faults.fakenode import (
    ACCEPT,
    Action,
    close,
    drop,
    half,
    hold,
    raw,
    refuse,
    reset,
    silent,
    stall,
    turn_away,
    twice,
)
from tests.faults.interrupt import INSTRUCTION, LINE, Interrupted, interruptions
from tests.servers import ask

pytestmark = LEFT_TO_FINALIZER

REFUSALS = {
    "wrong password": refuse("WRONGPASS invalid username-password pair or user is disabled."),
    "no authentication": refuse("NOAUTH HELLO must be called with the client already authenticated"),
    "loading": refuse("LOADING Redis is loading the dataset in memory"),
    "too many": turn_away("ERR max number of clients reached"),
    "not allowed": refuse("NOPERM this user has no permissions to run the command"),
}
#: What befalls a step of the handshake; the words that introduce the library may be refused, but not lost.
ACCIDENTS = {
    "closed": close,
    "dropped": drop,
    "cut": half,
    "reset": reset,
    "silent": silent,
    "stalled": stall,
    "junk": raw(b"?\r\n"),
}
#: Both connections of a call, for what was not sent may be sent again, and one more to be sure.
TIMES = 4


def who(client: redis.StrictRedis) -> tuple[bytes, bytes]:
    """The user and the database of a client."""
    facts = dict(fact.split(b"=", 1) for fact in client.execute_command("CLIENT", "INFO").split())
    return facts[b"user"], facts[b"db"]


@pytest.fixture
def ann(transport) -> Iterator[dict[str, object]]:
    """The options of a user who is not the default one, on a database that is not the first."""
    ask(transport.server, "ACL", "SETUSER", "ann", "on", ">secret", "~*", "&*", "+@all")
    yield {**transport.options, "username": "ann", "password": "secret", "db": 3}
    ask(transport.server, "ACL", "DELUSER", "ann")


@pytest.fixture
def ann_of_node(node, make):
    return make(**node.options, username="ann", password="secret", db=3, client_name="ann-1", socket_timeout=0.15)


@pytest.mark.parametrize("unit", [LINE, INSTRUCTION])
def test_interrupted_at_every_point_of_the_handshake(ann, make, unit: str) -> None:
    client = make(**ann)
    step = 1 if unit == LINE else 29
    for run in interruptions(lambda: who(client), unit, prepare=client.connection_pool.disconnect, step=step):
        assert run.error in (run.raised, None), run
        assert who(client) == (b"ann", b"3"), run
        assert sound(client.connection_pool), run
    assert settle(client.connection_pool) == 1


@needs_second_shot
@pytest.mark.parametrize("again", [1, 2, 3])
def test_interrupted_twice(ann, make, again: int) -> None:
    """What would close the half-made connection is interrupted as well."""
    client = make(**ann)
    for run in interruptions(lambda: who(client), LINE, prepare=client.connection_pool.disconnect, again=again):
        assert who(client) == (b"ann", b"3"), run


def test_a_credential_provider_that_raises(transport, make) -> None:
    ask(transport.server, "ACL", "SETUSER", "ann", "on", ">secret", "~*", "&*", "+@all")

    class Forgetful:
        calls = 0

        def get_credentials(self) -> tuple[str, str]:
            self.calls += 1
            if self.calls % 2:
                raise LookupError("the vault is closed")
            return "ann", "secret"

    client = make(**transport.options, credential_provider=Forgetful(), db=3)
    for _ in range(3):
        with pytest.raises(LookupError):
            who(client)
        assert who(client) == (b"ann", b"3")
        client.connection_pool.disconnect()


def steps(client: redis.StrictRedis) -> list[str]:
    first = "HELLO" if client.connection_pool.connection_kwargs["protocol"] == 3 else "AUTH"
    return [first, "SELECT"]


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("step", [0, 1], ids=["user", "db"])
def test_a_step_is_refused(node, ann_of_node, refusal: Action, step: int) -> None:
    name = steps(ann_of_node)[step]
    node.script(name, *[refusal] * TIMES)
    with pytest.raises(redis.RedisError) as caught:
        ann_of_node.get("a")
    assert getattr(caught.value, "maybe_applied", False) is False
    assert node.count("GET") == 0, "the command of a half-made connection was executed"
    assert "secret" not in str(caught.value) + repr(caught.value)
    node.scripts.clear()
    assert who(ann_of_node) == (b"ann", b"3")


@pytest.mark.parametrize("accident", ACCIDENTS.values(), ids=ACCIDENTS)
@pytest.mark.parametrize("step", [0, 1, 2], ids=["user", "db", "names"])
def test_a_step_is_lost(node, ann_of_node, accident: Action, step: int) -> None:
    name = [*steps(ann_of_node), "CLIENT"][step]
    node.script(name, *[accident] * TIMES)
    with pytest.raises(redis.RedisError) as caught:
        ann_of_node.get("a")
    assert getattr(caught.value, "maybe_applied", False) is False
    assert node.count("GET") == 0, "the command of a half-made connection was executed"
    node.scripts.clear()
    assert who(ann_of_node) == (b"ann", b"3")


def test_more_replies_than_the_handshake_asked_for(node, ann_of_node) -> None:
    node.script("CLIENT", twice(), twice(), twice())
    with pytest.raises(redis.RedisError) as caught:
        ann_of_node.get("a")
    assert getattr(caught.value, "maybe_applied", False) is False
    node.scripts.clear()
    assert who(ann_of_node) == (b"ann", b"3")


def test_an_old_server_need_not_know_which_library_this_is(node, make) -> None:
    node.always("CLIENT", refuse("ERR Unknown subcommand or wrong number of arguments for 'SETINFO'"))
    client = make(**node.options, db=3, socket_timeout=2)
    client.set("a", "A")
    assert node.store.values[3] == {b"a": b"A"}
    assert len(node.links) == 1


def test_a_server_that_does_not_know_hello_is_spoken_to_in_the_old_protocol(node, ann_of_node) -> None:
    node.always("HELLO", refuse("ERR unknown command 'HELLO'"))
    assert who(ann_of_node) == (b"ann", b"3")


def test_a_server_that_accepts_and_says_nothing(node, ann_of_node) -> None:
    node.always(ACCEPT, hold)
    with pytest.raises(redis.TimeoutError) as caught:
        ann_of_node.incr("n")
    assert caught.value.maybe_applied is False
    node.rules.clear()
    assert ann_of_node.incr("n") == 1


def test_an_interrupted_handshake_of_a_single_connection(ann, make) -> None:
    client = make(**ann, single_connection_client=True)
    for run in interruptions(lambda: who(client), LINE, prepare=client.connection_pool.disconnect, step=4):
        assert isinstance(run.raised, Interrupted)
        assert who(client) == (b"ann", b"3"), run
