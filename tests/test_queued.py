"""redis/queued.py: what is sent at one go, and how an error shows it."""

import pytest

import redis
from redis.connection.retry import Policy
from redis.exceptions import DataError
from redis.protocol.errors import ErrorReply
from redis.queued import LONGEST, Order, are_plain, decoded, has_errors, order_for, shown

MIXED = [(("GET", "a"), {}), (("BLPOP", "b", 3), {}), (("SELECT", 1), {}), (("DUMP", "k"), {})]


def stack(*commands):
    return [(command, {}) for command in commands]


# What is sent


def test_what_is_plain_goes_out_as_it_is():
    queued = stack(("GET", "a"), ("MGET", "b", "c"))
    order = order_for(queued, atomic=False)
    assert (order.words, order.specials, order.stack) == ([("GET", "a"), ("MGET", "b", "c")], [], queued)
    assert (order.name, order.readonly, order.changes, order.blocking) == ("pipeline", True, False, False)


def test_an_order_knows_what_is_special():
    mixed = order_for(list(MIXED), atomic=False)
    assert [special.wait for special in mixed.specials] == [None, 3.0, None, None]
    assert [special.decode for special in mixed.specials] == [True, True, True, False]
    assert (mixed.name, mixed.readonly, mixed.changes, mixed.blocking) == ("pipeline", False, True, True)


def test_a_transaction_stands_between_multi_and_exec():
    plain = order_for(stack(("GET", "a")), atomic=True)
    assert plain.words == [("MULTI",), ("GET", "a"), ("EXEC",)]
    assert (plain.name, plain.specials, plain.atomic) == ("EXEC", [], True)


def test_what_is_special_about_a_transaction_is_so_when_it_is_executed():
    block = order_for(list(MIXED), atomic=True)
    assert [words[0] for words in block.words] == ["MULTI", "GET", "BLPOP", "SELECT", "DUMP", "EXEC"]
    assert len(block.specials) == len(block.words)
    assert [special.changes for special in block.specials] == [False] * 5 + [True]
    assert [special.decode for special in block.specials] == [True, True, True, True, False, False]
    assert block.changes and not block.blocking, "nothing blocks there"


def test_names_are_made_to_be_text_and_two_words_are_split():
    queued = stack((bytearray(b"get"), "a"), ("config get", "maxmemory"))
    order = order_for(queued, atomic=False)
    assert order.words == [("get", "a"), ("config", b"GET", "maxmemory")]
    assert [args[0] for args, _ in queued] == ["get", "config get"], "by these the callbacks are found"


@pytest.mark.parametrize("command", [("GET a",), ("CLIENT REPLY", "OFF"), (" ",), (["GET", "a"],), ()])
def test_what_cannot_be_meant(command):
    with pytest.raises(DataError):
        order_for(stack(("GET", "a"), command), atomic=False)


@pytest.mark.parametrize("commands, plain", [
    ([("GET", "a"), ("SET", "a", 1)], True),
    ([("GET", "a"), ("BLPOP", "a", 1)], False),
    ([("get", "a")], False),
    ([(b"GET", "a")], False),
    ([()], False),
    ([(["GET"],)], False),
    ([], True),
])  # fmt: skip
def test_plain(commands, plain):
    assert are_plain(commands) is plain


def test_as_read_only_as_its_commands():
    assert Order([("GET", "a"), (b"mget", "b")]).readonly
    assert not Order([("GET", "a"), ("SET", "a", 1)]).readonly
    assert not Order([("GET", "a"), ("NOSUCH", "a")]).readonly, "nobody knows"
    assert not Order([("EVAL", "script", 0)]).readonly
    assert Policy().may_send_again(True, False, Order([("GET", "a")]).readonly, False)


# What came back


def test_errors_among_replies():
    assert not has_errors([b"a", 1, None, [redis.ResponseError("inside")]])
    assert has_errors([b"a", redis.ResponseError("no")])
    assert has_errors([ErrorReply("ERR no")])
    assert not has_errors([])


def test_texts_are_decoded_in_a_reply_of_any_shape():
    reply = [b"a", 1, None, {b"k": [b"v", 2.5]}, {b"s"}]
    assert decoded(reply, lambda value: value.decode() if isinstance(value, bytes) else value) == [
        "a",
        1,
        None,
        {"k": ["v", 2.5]},
        {"s"},
    ]


# How it is shown


def text_of(word):
    return word.decode() if isinstance(word, bytes) else word


@pytest.mark.parametrize("command, text", [
    (("SET", "key", b"value"), "SET key value"),
    ((b"SET", bytearray(b"k"), memoryview(b"v"), 1.5), "SET k v 1.5"),
    (("SET", "k", b"\xff"), "SET k \N{REPLACEMENT CHARACTER}"),
])  # fmt: skip
def test_shown(command, text):
    assert shown(command) == text


@pytest.mark.parametrize("command", [("SET", "k", b"v" * 10_000), ("DEL", *map(str, range(10_000))), ("X" * 100,)])
def test_what_is_long_is_shortened(command):
    assert len(shown(command)) == LONGEST and shown(command).endswith("...")


@pytest.mark.parametrize(
    "command",
    [
        ("AUTH", "user", "secret"),
        (b"auth", b"secret"),
        ("HELLO", "3", "AUTH", "user", "secret"),
        ("CONFIG SET", "requirepass", "secret"),
        ("config", "set", "requirepass", "secret"),
        ("ACL SETUSER", "me", ">secret"),
        ("MIGRATE", "host", "6379", "k", "0", "10", "AUTH", "secret"),
        ("SENTINEL SET", "mymaster", "auth-pass", "secret"),
        ("SENTINEL", "CONFIG", "SET", "sentinel-pass", "secret"),
    ],
)
def test_a_secret_never_shows(command):
    assert "secret" not in shown(command)
    assert shown(command).endswith(" ...") and shown(command)[:4] == text_of(command[0]).upper()[:4]
