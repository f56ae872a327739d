"""redis/script.py, and what pipelines do for scripts."""

import hashlib

import pytest

import redis
from redis.client import Redis, Script, StrictRedis
from tests.faults.fakenode import FakeNode, answer, close, refuse, silent
from tests.servers import ask

MULTIPLY = "return redis.call('get', KEYS[1]) * ARGV[1]"
COUNT = "return redis.call('incr', KEYS[1])"
ECHO = "return {KEYS[1], ARGV[1]}"


@pytest.fixture(autouse=True)
def no_scripts(server):
    ask(server, "SCRIPT", "FLUSH")


def calls(server, name):
    """How often the server was asked to execute this command."""
    line = ask(server, "INFO", "commandstats").decode().partition(f"cmdstat_{name}:calls=")[2]
    return int(line.partition(",")[0] or 0)


def test_a_script_is_called_like_a_function(r, kind):
    r.set("a", 2)
    multiply = r.register_script(MULTIPLY)
    assert multiply(keys=["a"], args=[3]) == 6
    assert multiply(["a"], [4]) == 8
    assert r.register_script(ECHO)([b"k"], ["é"]) == [kind.text("k"), kind.text("é")]
    assert r.register_script("return 1")() == r.register_script("return 1")(keys=None, args=None) == 1


@pytest.mark.parametrize("script", [MULTIPLY, MULTIPLY.encode()], ids=["str", "bytes"])
def test_the_sha_is_known_from_the_start(make_client, server, script):
    before = calls(server, "script|load")
    multiply = make_client().register_script(script)
    assert multiply.sha == hashlib.sha1(MULTIPLY.encode()).hexdigest()
    assert multiply.script == script
    assert calls(server, "script|load") == before
    assert ask(server, "SCRIPT", "LOAD", MULTIPLY).decode() == multiply.sha


def test_the_charset_of_the_client_counts(make_client):
    text = "return ARGV[1] == 'é'"
    latin, utf8 = make_client(encoding="latin-1"), make_client()
    script = latin.register_script(text)
    assert script.sha == hashlib.sha1(text.encode("latin-1")).hexdigest() != utf8.register_script(text).sha
    assert script(args=["é"]) == 1
    # The script is the same wherever it runs; its arguments are encoded by the client of the call.
    utf8.script_flush()
    assert script(args=["é"], client=utf8) is None
    assert latin.script_exists(script.sha) == [True]


def test_the_name_of_the_script_is_in_no_charset(make_client, server):
    wide = make_client(encoding="utf-16")
    script = wide.register_script(b"return 7")
    assert script() == 7
    before = calls(server, "script|load")
    assert script(client=wide.pipeline()).execute() == [7]
    assert calls(server, "script|load") == before


def test_what_the_server_does_not_have_is_loaded_and_runs_once(r, server):
    count = r.register_script(COUNT)
    before = calls(server, "script|load")
    assert [count(["n"]), count(["n"])] == [1, 2]
    assert calls(server, "script|load") == before + 1
    r.script_flush()
    assert count(["n"]) == 3


def test_another_client(r, redis7):
    count = r.register_script(COUNT)
    count(["n"])
    with StrictRedis(host=redis7.host, port=redis7.port) as other:
        other.flushall()
        other.script_flush()
        assert count(["n"], client=other) == 1
    assert count(["n"]) == 2


def test_an_error_of_the_script_is_an_error(r):
    with pytest.raises(redis.ResponseError, match="oops"):
        r.register_script("return redis.error_reply('oops')")()
    with pytest.raises(redis.ResponseError, match="compiling"):
        r.register_script("not Lua at all")()


def test_repr_names_the_script(r):
    script = r.register_script("return 'secret'")
    assert repr(script) == f"Script<{script.sha}>"
    assert type(script) is Script


@pytest.mark.parametrize("action", [close, silent], ids=["close", "silent"])
def test_a_script_is_never_taken_for_read_only(action):
    with FakeNode() as node, StrictRedis(**node.options, socket_timeout=0.2) as client:
        client.ping()
        node.script("EVALSHA", action)
        with pytest.raises((redis.ConnectionError, redis.TimeoutError)) as caught:
            client.register_script("return redis.call('get', KEYS[1])")(["a"])
        assert caught.value.maybe_applied is True
        assert [words[0] for words in node.received].count("EVALSHA") == 1


def test_a_script_that_cannot_be_loaded_is_not_called_again():
    with FakeNode() as node, StrictRedis(**node.options) as client:
        node.script("EVALSHA", refuse("NOSCRIPT No matching script."))
        node.script("SCRIPT", refuse("NOPERM no"))
        with pytest.raises(redis.ResponseError, match="NOPERM"):
            client.register_script("return 1")()
        assert [words[0] for words in node.received if words[0] in ("EVALSHA", "SCRIPT")] == ["EVALSHA", "SCRIPT"]


# Pipelines


@pytest.mark.parametrize("transaction", [True, False])
@pytest.mark.parametrize("cls", [StrictRedis, Redis])
def test_in_a_pipeline_it_is_loaded_before(make_client, server, cls, transaction):
    client = make_client(cls)
    count, multiply = client.register_script(COUNT), client.register_script(MULTIPLY)
    pipe = client.pipeline(transaction)
    pipe.set("a", 2)
    assert multiply(["a"], [3], client=pipe) is pipe
    count(["n"], client=pipe)
    count(["n"], client=pipe)
    assert ask(server, "SCRIPT", "EXISTS", multiply.sha) == [0]
    assert pipe.execute() == [True, 6, 1, 2]
    assert pipe.scripts == set()


def test_in_a_pipeline_only_what_is_missing_is_loaded(make_client, server):
    client = make_client()
    count, multiply = client.register_script(COUNT), client.register_script(MULTIPLY)
    client.set("n", 1)
    client.script_load(COUNT)
    before = calls(server, "script|load")
    pipe = client.pipeline()
    count(["n"], client=pipe)
    multiply(["n"], [5], client=pipe)
    assert pipe.execute() == [2, 10]
    assert calls(server, "script|load") == before + 1


def test_a_pipeline_without_scripts_asks_nothing(make_client, server):
    before = calls(server, "script|exists")
    with make_client().pipeline() as pipe:
        pipe.set("a", 1)
        pipe.execute()
        count = make_client().register_script(COUNT)
        count(["n"], client=pipe)
        pipe.reset()
        pipe.set("a", 1)
        pipe.execute()
    assert calls(server, "script|exists") == before


def test_a_script_registered_with_a_pipeline(make_client):
    pipe = make_client(encoding="latin-1").pipeline()
    script = pipe.register_script("return ARGV[1] == 'é'")
    assert script(args=["é"]) is pipe
    assert pipe.execute() == [1]


def test_while_watching_it_runs_at_once_and_in_the_transaction(make_client):
    client = make_client()
    count = client.register_script(COUNT)
    with client.pipeline() as pipe:
        pipe.watch("w")
        assert count(["n"], client=pipe) == 1
        assert pipe.watching
        client.script_flush()
        pipe.multi()
        count(["n"], client=pipe)
        assert pipe.execute() == [2]


def test_loading_does_not_end_the_watch(make_client):
    client = make_client()
    count = client.register_script(COUNT)
    with client.pipeline() as pipe:
        pipe.watch("w")
        pipe.multi()
        count(["n"], client=pipe)
        client.set("w", "changed")
        with pytest.raises(redis.WatchError):
            pipe.execute()
    assert client.get("n") is None


def test_a_pipeline_whose_script_does_not_compile_executes_nothing(make_client):
    client = make_client()
    pipe = client.pipeline()
    pipe.set("a", 1)
    client.register_script("not Lua at all")(client=pipe)
    with pytest.raises(redis.ResponseError, match="compiling"):
        pipe.execute()
    assert len(pipe) == 0
    assert pipe.connection is None
    assert client.get("a") is None


def test_a_pipeline_that_is_lost_while_it_loads_executes_nothing():
    with FakeNode() as node, StrictRedis(**node.options) as client:
        client.ping()
        node.script("SCRIPT", close)
        pipe = client.pipeline(transaction=False)
        pipe.incr("n")
        client.register_script(COUNT)(["n"], client=pipe)
        with pytest.raises(redis.ConnectionError):
            pipe.execute()
        assert node.count("INCRBY") == 0
        assert (len(pipe), pipe.connection, client.get("n")) == (0, None, None)


# Functions


LIBRARY = """#!lua name=sums
redis.register_function('sum', function(keys, args) return redis.call('incrby', keys[1], args[1]) end)
redis.register_function{function_name='look', callback=function(keys, args)
    return redis.call('get', keys[1]) end, flags={'no-writes'}}
"""


def test_functions(r, kind):
    assert r.function_load(LIBRARY, replace=True) == "sums"
    assert r.fcall("sum", 1, "n", 5) == 5
    assert r.fcall_ro("look", 1, "n") == kind.text("5")
    with r.pipeline() as pipe:
        assert pipe.fcall("sum", 1, "n", 1).execute() == [6]
    r.function_delete("sums")


@pytest.mark.parametrize("name", ["FCALL", "FCALL_RO"])
def test_only_a_function_that_says_so_is_called_again(name):
    with FakeNode() as node, StrictRedis(**node.options) as client:
        client.ping()
        node.script(name, close, answer)
        with pytest.raises(redis.RedisError) as caught:
            getattr(client, name.lower())("f", 0)
        attempts = [words[0] for words in node.received].count(name)
        assert attempts == (1 if name == "FCALL" else 2)
        assert isinstance(caught.value, redis.ConnectionError if name == "FCALL" else redis.ResponseError)
