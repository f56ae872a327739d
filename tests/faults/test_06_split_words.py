"""User data in the first string never becomes words of a command."""

from __future__ import annotations

import pytest

import redis


@pytest.mark.parametrize(
    "words",
    [
        ("SET k v",),
        ("GET a",),
        ("get a",),
        (b"GET a",),
        ("GET ", "a"),
        (" GET", "a"),
        ("FLUSHALL ASYNC",),
        ("CONFIG GET save",),
        ("CONFIG  GET", "save"),
        ("CONFIG\nGET", "save"),
        ("CONFIG GET\r\nFLUSHALL", "save"),
        ("EVAL return 1", 0),
        ("UNKNOWN WORDS",),
        ("",),
        (),
    ],
)
def test_refused_before_anything_is_sent(node, client, words: tuple) -> None:
    client.set("a", "A")
    before = len(node.received)
    with pytest.raises(redis.DataError):
        client.execute_command(*words)
    assert len(node.received) == before
    assert client.get("a") == b"A"


@pytest.mark.parametrize("name", ["CLIENT SETNAME", "client setname", b"CLIENT SETNAME"])
def test_a_declared_command_of_two_words_is_split(node, client, name) -> None:
    client.execute_command(name, "ann")
    assert [word.upper() for word in node.received[-1]] == ["CLIENT", "SETNAME", "ANN"]


def test_spaces_in_arguments_are_data(node, client) -> None:
    client.execute_command("SET", "a key", "a value")
    assert node.received[-1] == ("SET", "a key", "a value")
    assert client.execute_command("GET", "a key") == b"a value"
