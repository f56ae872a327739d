"""Line ends, spaces and whole commands inside of keys, values, names, passwords, patterns and scripts are data.

Each word is written by the package and looked at from outside, so that two errors cannot cancel each other out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from operator import methodcaller as do
from typing import Any

import pytest

import redis
from redis.protocol import packer
from redis.protocol.encoder import Encoder
from tests.conftest import needs_hiredis
from tests.servers import ask

#: What would do harm if a word did not end where its length says.
EVIL = [
    "\r\n",
    "a\nb",
    "a\rb",
    "two words",
    "FLUSHALL\r\n",
    "x\r\nFLUSHALL\r\n",
    "x\r\n*1\r\n$8\r\nFLUSHALL\r\n",
    "x\r\n*3\r\n$3\r\nSET\r\n$6\r\ncanary\r\n$4\r\ngone\r\n",
    "\r\n+OK\r\n$-1\r\n:1\r\n",
    "\x00\r\n\x00",
    "\u010d\u010a\r\n",
    "x\r\nFLUSHALL\r\n" * 5000,
]
SHORT = EVIL[:-1]
WAYS = {"plain": None, "pipeline": False, "transaction": True}


@pytest.fixture(params=[pytest.param("c", marks=needs_hiredis), "python"])
def packing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are packed by hiredis, or by our own packer."""
    if request.param == "python":
        monkeypatch.setattr(packer, "hiredis", None)
    assert (packer.packer_in_c(Encoder()) is None) == (request.param == "python")


@pytest.fixture
def guarded(server: Any) -> Iterator[Any]:
    """A server on which nothing was executed that nobody called."""
    ask(server, "FLUSHALL")
    ask(server, "SET", "canary", "alive")
    ask(server, "CONFIG", "RESETSTAT")
    yield server
    assert ask(server, "GET", "canary") == b"alive"
    assert b"cmdstat_flushall" not in ask(server, "INFO", "commandstats")
    assert ask(server, "ACL", "USERS") == [b"default"]


@pytest.fixture
def connect(guarded: Any, packing: None, make: Callable[..., redis.StrictRedis]) -> Callable[..., redis.StrictRedis]:
    return lambda **options: make(host=guarded.host, port=guarded.port, **options)


@pytest.fixture
def client(connect: Callable[..., redis.StrictRedis]) -> redis.StrictRedis:
    return connect()


@pytest.fixture(params=WAYS.values(), ids=WAYS)
def results(request: pytest.FixtureRequest, client: redis.StrictRedis) -> Callable[[Sequence[do]], list[Any]]:
    """A function that makes calls one by one, or in a pipeline, and returns their results."""

    def results(calls: Sequence[do]) -> list[Any]:
        if request.param is None:
            return [call(client) for call in calls]
        with client.pipeline(transaction=request.param) as pipe:
            for call in calls:
                call(pipe)
            return pipe.execute()

    return results


def literal(word: str) -> str:
    """A pattern that matches this word alone."""
    return re.sub(r"([*?\[\]\\])", r"\\\1", word)


def refuses(words: str | None, call: Callable[..., Any], *args: Any, **options: Any) -> None:
    with pytest.raises(redis.ResponseError, match=words):
        call(*args, **options)


@pytest.mark.parametrize("word", EVIL, ids=lambda word: repr(word)[:30])
def test_keys_and_values(guarded, results, word: str) -> None:
    data = word.encode()
    calls = [
        do("set", word, word),
        do("get", word),
        do("mget", [word, "canary"]),
        do("hset", f"h{word}", word, word),
        do("hgetall", f"h{word}"),
        do("rpush", f"l{word}", word, "end"),
        do("lrange", f"l{word}", 0, -1),
        do("zadd", f"z{word}", {word: 1}),
        do("zrange", f"z{word}", 0, -1, withscores=True),
        do("xadd", f"x{word}", {word: word}, id="1-1"),
        do("xrange", f"x{word}"),
        do("execute_command", "ECHO", word),
        do("type", word),
    ]
    assert results(calls) == [
        True,
        data,
        [data, b"alive"],
        1,
        {data: data},
        2,
        [data, b"end"],
        1,
        [(data, 1.0)],
        b"1-1",
        [(b"1-1", {data: data})],
        data,
        b"string",
    ]
    assert ask(guarded, "GET", word) == data
    assert ask(guarded, "HGET", f"h{word}", word) == data
    assert ask(guarded, "DBSIZE") == 6


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes(guarded, results, kind: Callable[[bytes], Any]) -> None:
    for data in (word.encode() for word in EVIL):
        assert results([do("set", "k", kind(data)), do("get", "k")]) == [True, data]
        assert ask(guarded, "GET", "k") == data


def test_charsets_whose_letters_are_line_ends(guarded, connect) -> None:
    for charset in ("latin-1", "utf-16-le", "utf-16-be"):
        client = connect(encoding=charset)
        for letters in ("\r\n", "a\r\nb", *(["\u0a0d", "\u0d0a"] if charset != "latin-1" else [])):
            client.set(letters, letters)
            assert client.get(letters) == letters.encode(charset) == ask(guarded, "GET", letters.encode(charset))


def test_scripts(results) -> None:
    script = "local a = KEYS[1]\r\n\r\nreturn {a,\r\nARGV[1]}\r\n"
    for word in EVIL:
        data = word.encode()
        calls = [
            do("eval", script, 1, word, word),
            do("script_load", script),
            do("eval", "return redis.call('SET', KEYS[1], ARGV[1])", 1, "k", word),
            do("get", "k"),
        ]
        both, _, stored, found = results(calls)
        assert (both, stored, found) == ([data, data], b"OK", data)


def test_lines_that_a_script_makes_up(client) -> None:
    """The server answers with one line, whatever a script would have it say."""
    for word in SHORT:
        client.eval("return redis.status_reply(ARGV[1])", 0, word)
        refuses(None, client.eval, "return redis.error_reply(ARGV[1])", 0, f"E {word}")
        assert client.get("canary") == b"alive"


def test_patterns(guarded, client) -> None:
    for word in SHORT:
        ask(guarded, "SET", word, "1")
        ask(guarded, "SET", f"by {word}", "1")
        ask(guarded, "RPUSH", "l", word)
        pattern = literal(word)
        assert client.keys(pattern) == [word.encode()]
        assert list(client.scan_iter(match=pattern)) == [word.encode()]
        assert client.sort("l", by="by *", get=["#", "*"], alpha=True, start=0, num=1) == [word.encode(), b"1"]
        assert client.sort("l", by=f"{word} *", get="#", alpha=True) == [word.encode()]
        assert client.config_get(word) == {}
        ask(guarded, "DEL", word, f"by {word}", "l")


def test_channels(guarded, connect) -> None:
    with connect().pubsub(ignore_subscribe_messages=True) as pubsub:
        for word in SHORT:
            pubsub.subscribe(word)
            pubsub.psubscribe(literal(word))
            until_subscribed(pubsub, guarded, word)
            assert ask(guarded, "PUBLISH", word, word) == 2
            messages = [next_message(pubsub) for _ in range(2)]
            assert {message["type"] for message in messages} == {"message", "pmessage"}
            assert {message["channel"] for message in messages} == {word.encode()}
            assert {message["data"] for message in messages} == {word.encode()}
            pubsub.unsubscribe(word)
            pubsub.punsubscribe(literal(word))


def until_subscribed(pubsub: Any, server: Any, word: str) -> None:
    while ask(server, "PUBSUB", "NUMSUB", word)[1] == 0 or ask(server, "PUBSUB", "NUMPAT") == 0:
        pubsub.get_message(timeout=0.01)


def next_message(pubsub: Any) -> dict[str, Any]:
    while (message := pubsub.get_message(timeout=5)) is None:
        pass
    return message


@pytest.mark.parametrize("word", [word for word in SHORT if word[0] != "\0"], ids=repr)
def test_names_of_connections(connect, word: str) -> None:
    """The server refuses them; it looks no further than to a zero, and stores what begins with one."""
    client = connect()
    refuses("cannot contain spaces", client.client_setname, word)
    assert client.client_getname() is None
    assert client.client_setname(f"\0{word}") is True
    assert client.client_getname() == f"\0{word}"
    refuses("cannot contain spaces", connect(client_name=word).ping)
    assert connect(lib_name=word, lib_version=word).ping() is True, "of no consequence, so it is left out"


@pytest.mark.parametrize(
    "options",
    [
        {"username": "ann\r\nFLUSHALL", "password": "x"},
        {"username": "ann", "password": "x\r\nFLUSHALL\r\n"},
        {"username": "ann", "password": "x\r\n*1\r\n$8\r\nFLUSHALL\r\n"},
        {"db": "0\r\nFLUSHALL"},
    ],
    ids=str,
)
def test_what_a_connection_says_first(connect, options: dict[str, Any]) -> None:
    refuses(None, connect(**options).ping)


@pytest.mark.parametrize("name", SHORT, ids=repr)
def test_names_of_users(guarded, client, name: str) -> None:
    rules: dict[str, Any] = {"enabled": True, "nopass": True, "commands": "+@all", "keys": "*"}
    refuses("can't contain spaces", client.acl_setuser, name, **rules)
    assert client.acl_deluser(name) == 0
    assert client.acl_getuser(name) is None
    refuses("not found", client.acl_dryrun, name, "GET", "k")


@pytest.fixture
def ann(guarded: Any) -> Iterator[str]:
    """The name of a user that may be made."""
    yield "ann"
    ask(guarded, "ACL", "DELUSER", "ann")


@pytest.mark.parametrize("password", SHORT, ids=repr)
def test_passwords(guarded, client, connect, ann: str, password: str) -> None:
    client.acl_setuser(ann, enabled=True, passwords=f"+{password}", commands="+@all")
    assert connect(username=ann, password=password).acl_whoami() == ann
    assert client.auth(password, ann) is True
    refuses("WRONGPASS", connect(username=ann, password=f"{password} ").ping)
    client.acl_setuser(ann, passwords=f"-{password}")
    assert client.acl_getuser(ann)["passwords"] == []


def test_rules(client, ann: str) -> None:
    """The server stores no rule with white space in it; none is taken for two."""
    client.acl_setuser(ann, enabled=True)
    before = client.acl_getuser(ann)
    for word in ("a* ~b*", "a*\r\n~b*", "a*\n+@all"):
        refuses("modifier", client.acl_setuser, ann, keys=word)
        refuses("modifier", client.acl_setuser, ann, channels=word)
        refuses("modifier", client.acl_setuser, ann, commands=f"+{word}")
    after = client.acl_getuser(ann)
    assert {**after, "flags": []} == {**before, "flags": []}, "but for the switch, which those calls turned off"


def test_a_password_in_a_url(client, guarded, speech, ann: str) -> None:
    client.acl_setuser(ann, enabled=True, passwords="+p\r\nw x", commands="+@all")
    url = f"redis://ann:p%0D%0Aw%20x@{guarded.host}:{guarded.port}/0"
    with redis.StrictRedis.from_url(url, decode_components=True, **speech) as other:
        assert other.acl_whoami() == ann


@pytest.mark.parametrize("name", ["GET\r\nFLUSHALL", "\r\nFLUSHALL\r\n", "GET\n", "*1\r\n$8\r\nFLUSHALL\r\n"])
def test_names_of_commands(results, name: str) -> None:
    for word in (name, name.encode()):
        with pytest.raises((redis.DataError, redis.ResponseError)):
            results([do("execute_command", word, "canary")])
    assert results([do("get", "canary")]) == [b"alive"]


def test_an_error_that_repeats_a_word(client) -> None:
    """What the server repeats of a command has no line ends any more."""
    for word in SHORT:
        refuses("unknown command", client.execute_command, "NOSUCH", word, "\r\n+OK\r\n")
        refuses("[Uu]nknown|wrong", client.execute_command, "CLIENT", word)
        assert client.get("canary") == b"alive"
