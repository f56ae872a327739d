"""The commands on scripts and functions: what comes back from a real server, and what every option sends."""

import contextlib
import hashlib
import threading

import pytest

from redis.exceptions import DataError, NoScriptError, ResponseError
from tests.recorder import sent
from tests.servers import ask

ADD = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
READ = "return redis.call('GET', KEYS[1])"
SHA_OF_ADD = hashlib.sha1(ADD.encode()).hexdigest()
SHA_OF_READ = hashlib.sha1(READ.encode()).hexdigest()
LIBRARY = """#!lua name=mylib
redis.register_function('add', function(keys, args) return redis.call('INCRBY', keys[1], args[1]) end)
redis.register_function{
    function_name='read', callback=function(keys) return redis.call('GET', keys[1]) end, flags={'no-writes'},
    description='it reads'}
redis.register_function('loop', function() while true do end end)
"""


@pytest.fixture
def r(r, server):
    """A client of a server that has no script and no library."""
    ask(server, "SCRIPT", "FLUSH")
    ask(server, "FUNCTION", "FLUSH")
    return r


@contextlib.contextmanager
def running(server, *words):
    """Have another connection execute something that does not end, and give the error that it ends with."""
    errors = []

    def run():
        try:
            ask(server, *words)
        except AssertionError as error:
            errors.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    yield errors
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def impatient(server):
    """The server says after 10 milliseconds that it is busy with a script."""
    ask(server, "CONFIG", "SET", "busy-reply-threshold", 10)
    yield
    ask(server, "CONFIG", "SET", "busy-reply-threshold", 5000)


def until_it_ends(kill):
    """Call ``kill`` until there is something to be killed."""
    while True:
        try:
            return kill()
        except ResponseError as error:
            assert str(error).startswith(("NOTBUSY", "No scripts", "BUSY"))


def test_eval(r, kind):
    assert r.eval(ADD, 1, "n", 5) == 5
    assert r.eval("return {KEYS[1], ARGV[1], ARGV[2], false}", 1, "k", "ä", 2) == [
        *(kind.text("k"), kind.text("ä"), kind.text("2")),
        None,
    ]
    assert r.eval_ro(READ, 1, "n") == kind.text("5")
    with pytest.raises(ResponseError, match="Write commands are not allowed"):
        r.eval_ro(ADD, 1, "n", 5)


def test_evalsha(r, kind):
    with pytest.raises(NoScriptError):
        r.evalsha(SHA_OF_ADD, 1, "n", 5)
    assert r.script_exists(SHA_OF_ADD, SHA_OF_READ) == [False, False]
    assert r.script_load(ADD) == SHA_OF_ADD
    assert r.script_exists(SHA_OF_ADD, SHA_OF_READ) == [True, False]
    assert r.script_show(SHA_OF_ADD) == kind.text(ADD)
    assert r.evalsha(SHA_OF_ADD, 1, "n", 5) == 5
    assert r.script_load(READ) == SHA_OF_READ
    assert r.evalsha_ro(SHA_OF_READ, 1, "n") == kind.text("5")
    assert r.script_flush() is True
    assert r.script_exists(SHA_OF_ADD) == [False]
    assert r.script_flush("ASYNC") is True


def test_the_words_of_script():
    assert sent(lambda client: client.script_flush()) == ("SCRIPT FLUSH",)
    assert sent(lambda client: client.script_flush("sync")) == ("SCRIPT FLUSH", b"SYNC")
    assert sent(lambda client: client.script_debug("sync")) == ("SCRIPT DEBUG", b"SYNC")
    with pytest.raises(DataError, match="sync_type is SYNC or ASYNC, not 'now'"):
        sent(lambda client: client.script_flush("now"))


def test_script_debug(r):
    assert r.script_debug("NO") is True


def test_script_kill(r, server, impatient):
    with pytest.raises(ResponseError, match="No scripts in execution"):
        r.script_kill()
    with running(server, "EVAL", "while true do end", 0) as errors:
        assert until_it_ends(r.script_kill) is True
    assert "Script killed by user" in errors[0]


def test_functions(r, kind):
    assert r.function_load(LIBRARY) == "mylib"
    with pytest.raises(ResponseError, match="already exists"):
        r.function_load(LIBRARY)
    assert r.function_load(LIBRARY, replace=True) == "mylib"
    assert r.fcall("add", 1, "n", 7) == 7
    assert r.fcall_ro("read", 1, "n") == kind.text("7")
    with pytest.raises(ResponseError, match="write flag"):
        r.fcall_ro("add", 1, "n", 7)
    assert r.function_delete("mylib") is True
    with pytest.raises(ResponseError, match="not found"):
        r.fcall("add", 1, "n", 7)


def test_function_list(r):
    assert r.function_list() == []
    r.function_load(LIBRARY)
    (library,) = r.function_list("my*")
    functions = library.pop("functions")
    assert library == {"library_name": "mylib", "engine": "LUA"}
    assert sorted(functions, key=lambda one: one["name"]) == [
        {"name": "add", "description": None, "flags": []},
        {"name": "loop", "description": None, "flags": []},
        {"name": "read", "description": "it reads", "flags": ["no-writes"]},
    ]
    assert r.function_list("other*") == []
    assert r.function_list(withcode=True)[0]["library_code"] == LIBRARY


def test_function_stats(r):
    r.function_load(LIBRARY)
    stats = {"libraries_count": 1, "functions_count": 3}
    assert r.function_stats() == {"running_script": None, "engines": {"LUA": stats}}


def test_dump_and_restore_functions(r):
    r.function_load(LIBRARY)
    payload = r.function_dump()
    assert payload.__class__ is bytes
    assert r.function_flush() is True
    assert r.function_list() == []
    assert r.function_restore(payload) is True
    with pytest.raises(ResponseError, match="already exists"):
        r.function_restore(payload)
    assert r.function_restore(payload, "REPLACE") is True
    assert r.function_restore(payload, "flush") is True
    assert [library["library_name"] for library in r.function_list()] == ["mylib"]
    assert r.function_flush("ASYNC") is True


def test_function_kill(r, server, impatient):
    r.function_load(LIBRARY)
    with pytest.raises(ResponseError, match="No scripts in execution"):
        r.function_kill()
    with running(server, "FCALL", "loop", 0) as errors:
        assert until_it_ends(r.function_kill) is True
    assert "Script killed by user" in errors[0]


def test_the_words_of_functions():
    assert sent(lambda client: client.function_load("code")) == ("FUNCTION LOAD", "code")
    assert sent(lambda client: client.function_load("code", True)) == ("FUNCTION LOAD", b"REPLACE", "code")
    assert sent(lambda client: client.function_list()) == ("FUNCTION LIST", b"LIBRARYNAME", "*")
    assert sent(lambda client: client.function_restore(b"x")) == ("FUNCTION RESTORE", b"x", b"APPEND")
    assert sent(lambda client: client.function_flush()) == ("FUNCTION FLUSH", b"SYNC")
    with pytest.raises(DataError, match="policy is APPEND or REPLACE or FLUSH"):
        sent(lambda client: client.function_restore(b"x", "merge"))
