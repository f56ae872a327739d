"""The facts of the commands: they are complete, they are those of the servers, and what reads them reads them right."""

import ast
import inspect
import math
import re
from pathlib import Path

import pytest

import redis
from redis.commands import Commands, spec
from redis.commands.spec import SPECS, keys_of, name_of, understand, waiting_time
from redis.exceptions import DataError
from tests.recorder import sent
from tests.servers import PROGRAMS, REDIS8, Sentinel, ask

PACKAGE = Path(redis.__file__).parent
GROUPS = [path for path in (PACKAGE / "commands").glob("*.py") if path.name not in ("spec.py", "args.py", "replies.py")]
METHODS = {name: method for name, method in inspect.getmembers(Commands, inspect.isfunction) if name[0] != "_"}

#: Commands of Redis 8.2 and later: no server at hand has them, so only what is sent is tested.
NOT_AT_HAND = {
    *("ARCOUNT", "ARDEL", "ARDELRANGE", "ARGET", "ARGETRANGE", "ARGREP", "ARINFO", "ARINSERT", "ARLASTITEMS", "ARLEN"),
    *("ARMGET", "ARMSET", "ARNEXT", "AROP", "ARRING", "ARSCAN", "ARSEEK", "ARSET", "BLMOVEM", "DELEX", "DIGEST"),
    *("HOTKEYS GET", "HOTKEYS RESET", "HOTKEYS START", "HOTKEYS STOP", "INCREX", "LMOVEM", "SDIFFCARD", "SUNIONCARD"),
    *("VRANGE", "XACKDEL", "XCFGSET", "XDELEX", "XNACK"),
}
#: What of the servers at hand only Redis 8 has.
ONLY_REDIS8 = {
    *("VADD", "VCARD", "VDIM", "VEMB", "VGETATTR", "VINFO", "VISMEMBER", "VLINKS", "VRANDMEMBER", "VREM", "VSETATTR"),
    "VSIM",
}
#: Commands that a program has no use for, and why.
LEFT_OUT = {
    "CLUSTER SYNCSLOTS": "nodes of a cluster say it to one another while slots move",
    "PFDEBUG": "for those who develop the server",
    "PFSELFTEST": "for those who develop the server",
    "PSYNC": "replicas say it to their master; the reply is a stream without an end",
    "REPLCONF": "replicas say it to their master; some forms have no reply",
    "RESTORE-ASKING": "MIGRATE says it to the other node of a cluster",
    "SYNC": "replicas say it to their master; the reply is a stream without an end",
}
#: Words of DEBUG, of which the servers tell nothing.
UNTOLD = {"DEBUG OBJECT", "DEBUG RELOAD", "DEBUG SEGFAULT", "DEBUG SET-ACTIVE-EXPIRE", "DEBUG SLEEP"}
#: Where the commands of a sentinel are documented, all of them.
SENTINEL_PAGE = "https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/"
#: Methods that send no command of their own.
WITHOUT_COMMAND = {
    *("acl_log_reset", "client_kill_filter", "client_tracking_off", "client_tracking_on", "cluster"),
    *("cluster_setslot_stable", "clusterscan_iter", "decr", "execute_command", "hscan_iter", "incr", "scan_iter"),
    *("sentinel", "sentinel_config_set", "sscan_iter", "xpending_range", "zscan_iter"),
}
#: The names that tests give to a client of a real server.
CLIENTS = {"r", "old", "node", "watcher"}


def calls_in(path, *names):
    """Yield the calls in a module of functions and methods with one of these names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", None)) in names:
            yield node


def texts_in(call):
    """Yield the literal texts among the arguments of a call, but not those that a call among them was given."""
    for node in ast.iter_child_nodes(call):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif not isinstance(node, ast.Call):
            yield from texts_in(node)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_command_that_is_sent_is_declared(path):
    firsts = [call.args[0] for call in calls_in(path, "execute_command") if call.args]
    names = {first.value for first in firsts if isinstance(first, ast.Constant)}
    undeclared = {name for name in names if name not in SPECS and name not in spec.CONTAINERS}
    assert undeclared <= spec.STATEFUL


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: path.name)
def test_option_words_are_bytes(path):
    for call in calls_in(path, "execute_command"):
        assert list(texts_in(call))[1:] == [], f"line {call.lineno}"
    for call in calls_in(path, "flag_words", "option_words"):
        assert list(texts_in(call)) == [], f"line {call.lineno}"


def test_every_method_sends_a_declared_command():
    assert {found.method for found in SPECS.values()} - {None} == METHODS.keys() - WITHOUT_COMMAND


@pytest.mark.parametrize("found", [found for found in SPECS.values() if found.method], ids=lambda found: found.name)
def test_the_docstring_says_since_when_and_where_it_is_documented(found):
    docstring = METHODS[found.method].__doc__
    site = "valkey" if found.since.startswith("Valkey") else "redis"
    page = f"https://{site}.io/commands/{found.name.lower().replace(' ', '-')}/"
    assert (SENTINEL_PAGE if found.name.startswith("SENTINEL ") else page) in docstring
    assert re.search(rf"\bSince\s.*\b{re.escape(found.since.removeprefix('Valkey '))}\b", docstring, re.DOTALL)


def test_every_method_is_called_on_a_real_server():
    """Called on a client of a test's own, not on the recorder's ``client``."""
    called = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) in CLIENTS:
                called.add(node.attr)
    assert METHODS.keys() - called == {SPECS[name].method for name in NOT_AT_HAND} - {None}


@pytest.fixture(scope="module")
def servers(server, redis7, request):
    """Every server at hand, those of Redis first, the oldest before the others; and a sentinel."""
    newest = [request.getfixturevalue("redis8")] if PROGRAMS[REDIS8] else []
    with Sentinel(server) as sentinel:
        yield [redis7, *newest, server, sentinel]


@pytest.fixture(scope="module")
def told(servers):
    """What the servers tell of each declared command: COMMAND INFO, and the version that brought it."""
    return {name: [entry for one in servers if (entry := command_info(one, name))] for name in SPECS}


def commands_of(server):
    """Yield the names of all commands of a server, as SPECS would spell them."""
    for entry in ask(server, "COMMAND"):
        if not (entry[9] and entry[1] == -2):  # a container, which is no command without its second word
            yield entry[0].decode().upper()
        yield from (each[0].decode().upper().replace("|", " ") for each in entry[9])


def test_every_command_of_every_server_is_declared(servers):
    names = {name for server in servers for name in commands_of(server)}
    assert names - SPECS.keys() == LEFT_OUT.keys()


def command_info(server, name):
    """Return one entry of COMMAND INFO in a readable form; None where the server has no such command."""
    (entry,) = ask(server, "COMMAND", "INFO", name.replace(" ", "|"))
    if entry is None:
        return None
    docs = ask(server, "COMMAND", "DOCS", name.replace(" ", "|"))[1]
    docs = dict(zip(docs[::2], docs[1::2]))
    tips = dict(tip.decode().split(":") for tip in entry[7] if b":" in tip)
    return {
        "flags": {flag.decode() for flag in entry[2]},
        "keys": tuple(entry[3:6]),
        "policies": (tips.get("request_policy"), tips.get("response_policy")),
        "since": docs.get(b"since", b"8.0.0").decode(),  # Redis 8 tells none of its vector sets
    }


def test_the_servers_have_all_but_the_newest(told):
    only_redis8 = set() if PROGRAMS[REDIS8] else ONLY_REDIS8
    assert {name for name, entries in told.items() if not entries} == NOT_AT_HAND | UNTOLD | only_redis8


def test_what_only_redis8_has_is_known(servers, redis8):
    others = {name for server in servers if server is not redis8 for name in commands_of(server)}
    assert {*commands_of(redis8)} - others == ONLY_REDIS8


@pytest.mark.parametrize("name", sorted(SPECS.keys() - NOT_AT_HAND - UNTOLD))
def test_the_facts_are_those_of_the_servers(told, name):
    found, entries = SPECS[name], told[name] or pytest.skip("Redis 8 has it, which is not at hand")
    flags = set().union(*(entry["flags"] for entry in entries))
    assert found.readonly == ("readonly" in flags)
    assert found.write == ("write" in flags)
    assert (found.blocking is not None) == ("blocking" in flags)
    assert callable(found.keys) == ("movablekeys" in flags)
    if not callable(found.keys):
        assert {entry["keys"] for entry in entries} == {first_last_step(found.keys)}
    assert (found.request_policy, found.response_policy) in {entry["policies"] for entry in entries}


@pytest.mark.parametrize("name", sorted(SPECS.keys() - NOT_AT_HAND - UNTOLD))
def test_the_versions_are_those_of_the_servers(told, name, server):
    oldest = told[name][0] if told[name] else pytest.skip("Redis 8 has it, which is not at hand")
    if SPECS[name].since.startswith("Valkey "):
        assert SPECS[name].since == f"Valkey {oldest['since']}"
    elif oldest != command_info(server, name) or oldest["since"].startswith(tuple("1234567")):
        assert SPECS[name].since == oldest["since"]
    else:
        # Younger than both servers' common ancestor, or brought by Redis and taken over by Valkey.
        assert version(SPECS[name].since) > (7, 0, 0)


def version(text):
    return tuple(int(part) for part in text.split("."))


def first_last_step(keys):
    """Return a position as the servers tell it: the first key, the last one, negative from the end, the step."""
    if keys is None:
        return (0, 0, 0)
    if isinstance(keys, int):
        return (keys, keys, 1)
    return (keys.start, -1 if keys.stop is None else keys.stop - 1, keys.step or 1)


@pytest.mark.parametrize(
    "words",
    [
        "GET a",
        "OBJECT ENCODING a",
        "MSET a 1 b 2",
        "MSETEX 2 a 1 b 2 NX EX 5",
        "BLPOP a b 5",
        "LMPOP 2 a b LEFT COUNT 3",
        "BLMPOP 5 2 a b LEFT",
        "BZMPOP 5 1 a MIN",
        "XREAD COUNT 5 BLOCK 5 STREAMS a b 0 0",
        "XREADGROUP GROUP STREAMS c BLOCK 5 STREAMS a b > >",
        "MIGRATE host 6379 a 0 5000 COPY",
        "MIGRATE host 6379 KEYS 0 5000",
        "SORT a",
        "SORT a BY STORE LIMIT 0 5 GET STORE DESC ALPHA STORE b",
        "SORT a STORE b STORE c",
        "SORT_RO a BY x* GET y*",
        "BITOP AND to a b",
        "GEORADIUS a 1 2 3 km STORE b COUNT 5",
        "GEORADIUS a 1 2 3 km STOREDIST STORE",
        "GEORADIUS a 1 2 3 km COUNT 5 WITHDIST STOREDIST b STORE c",
        "GEORADIUSBYMEMBER a STORE 3 km ASC STORE b",
        "GEORADIUSBYMEMBER a STORE 3 km",
        "GEOSEARCHSTORE to a FROMMEMBER m BYRADIUS 1 m",
        "SINTERCARD 2 a b LIMIT 5",
        "XGROUP CREATE a g $",
        "XINFO STREAM a FULL",
        "ZDIFF 2 a b WITHSCORES",
        "ZMPOP 2 a b MIN COUNT 2",
        "ZRANGESTORE to a 0 -1",
        "ZUNIONSTORE to 2 a b WEIGHTS 1 2",
        "ZINTERSTORE to 1 a",
        "ZDIFFSTORE to 2 a b",
    ],
)
def test_the_keys_are_those_that_the_server_finds(server, words):
    words = words.split()
    keys = [key.encode() for key in keys_of(SPECS[name_of(words)], words)]
    assert keys == ask(server, "COMMAND", "GETKEYS", *words)


def test_the_keys_of_migrate_of_several():
    """The servers count the empty name in the place of the one key as well, which is none."""
    words = ["MIGRATE", "host", 6379, b"", 0, 5000, b"AUTH", "KEYS", b"keys", "a", "b"]
    assert keys_of(SPECS["MIGRATE"], words) == ["a", "b"]
    assert keys_of(SPECS["MIGRATE"], words[:6]) == []


def test_counted_keys():
    assert spec.counted_keys(1)(("LMPOP", 2, "a", "b", b"LEFT")) == ("a", "b")
    assert spec.counted_keys(1)(["lmpop", b"1", "a", "LEFT"]) == ["a"]
    assert spec.counted_keys(1, step=2)(("MSETEX", 2, "a", 1, "b", 2, b"EX", 3)) == ("a", "b")


def test_options_in():
    words = ["X", "key", "a", "B", "b", "B", "c", b"d"]
    assert list(spec.options_in(words, 2, {"B": 1})) == [(2, "A"), (3, "B"), (5, "B"), (7, "D")]
    assert list(spec.options_in(words, 2, {"D": 0}, otherwise=1)) == [(2, "A"), (4, "B"), (6, "C")]


def test_no_keys():
    assert keys_of(SPECS["PING"], ["PING"]) == []


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        (["GET", "a"], None),
        (["BLPOP", "a", 5], 5.0),
        (["BLPOP", "a", b"0.5"], 0.5),
        (["BLPOP", "a", 0], math.inf),
        (["BLMOVE", "a", "b", b"LEFT", b"RIGHT", "2"], 2.0),
        (["BLMPOP", 3, 1, "a", b"LEFT"], 3.0),
        (["WAIT", 1, 1500], 1.5),
        (["WAITAOF", 1, 0, 0], math.inf),
        (["WAIT", 1], None),
        (["WAIT", 1, "soon"], None),
        (["WAIT", 1, None], None),
    ],
)
def test_waiting_time(words, seconds):
    assert waiting_time(SPECS[words[0]], words) == seconds


#: A call of each method that waits, with a time-out of seven of its units.
WAITING = {
    "BLMOVE": lambda client: client.blmove("a", "b", 7),
    "BLMOVEM": lambda client: client.blmovem("a", "b", 7, count=9, ordering="OBO"),
    "BLMPOP": lambda client: client.blmpop(7, 1, "a", direction="LEFT", count=9),
    "BLPOP": lambda client: client.blpop(["a", "b"], 7),
    "BRPOP": lambda client: client.brpop(["a", "b"], 7),
    "BRPOPLPUSH": lambda client: client.brpoplpush("a", "b", 7),
    "BZMPOP": lambda client: client.bzmpop(7, 1, "a", min=True, count=9),
    "BZPOPMAX": lambda client: client.bzpopmax(["a", "b"], 7),
    "BZPOPMIN": lambda client: client.bzpopmin(["a", "b"], 7),
    "WAIT": lambda client: client.wait(9, 7000),
    "WAITAOF": lambda client: client.waitaof(1, 9, 7000),
    "XREAD": lambda client: client.execute_command("XREAD", b"COUNT", 9, b"BLOCK", 7000, b"STREAMS", "a", 0),
    "XREADGROUP": lambda client: client.execute_command(
        *("XREADGROUP", b"GROUP", "g", "c", b"BLOCK", 7000, b"STREAMS", "a", ">")
    ),
}


def test_the_time_of_every_method_that_waits():
    assert WAITING.keys() == {name for name, found in SPECS.items() if found.blocking}
    for name, call in WAITING.items():
        assert waiting_time(SPECS[name], sent(call)) == 7.0, name


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (("GET", "a"), "GET"),
        (("get", "a"), "GET"),
        ((b"get",), "GET"),
        ((bytearray(b"get"),), "GET"),
        ((memoryview(b"get"),), "GET"),
        (("CONFIG GET", "x"), "CONFIG GET"),
        (("config", b"get", "x"), "CONFIG GET"),
        ((b"object", "Encoding", "a"), "OBJECT ENCODING"),
        (("OBJECT", "COLOUR", "a"), "OBJECT"),
        (("OBJECT",), "OBJECT"),
        (("client", "reply", "off"), "CLIENT REPLY"),
        ((b"\xff",), "\xff".upper()),
    ],
)
def test_name_of(args, name):
    assert name_of(args) == name


def test_both_words_of_a_name_are_safe_from_any_charset():
    assert understand(("CONFIG GET", "x"))[0] == ("CONFIG", b"GET", "x")
    assert understand(("config", "get", "x"))[0] == ("config", b"GET", "x")
    assert understand(("OBJECT", b"encoding", "x"))[0] == ("OBJECT", b"ENCODING", "x")


def test_what_is_special_about_a_call():
    assert understand(("GET", "a"))[1] == (False, None, True)
    assert understand(("select", 5))[1] == (True, None, True)
    assert understand(("blpop", "a", 5))[1] == (False, 5.0, True)
    assert understand((b"dump", "a"))[1] == (False, None, False)
    assert understand(("NO.SUCH", "a"))[1] == (False, None, True)


@pytest.mark.parametrize("args", [(), ("",), (" ",), ("SET k v",), ("GET ", "a"), ("CONFIG  GET", "a")])
def test_names_that_cannot_be_meant(args):
    with pytest.raises(DataError):
        understand(args)


@pytest.mark.parametrize("mode", ["off", b"SKIP"])
def test_a_connection_that_does_not_answer_cannot_be_asked_for(mode):
    with pytest.raises(DataError, match="no client can wait"):
        understand(("CLIENT REPLY", mode))
    assert understand(("CLIENT", "REPLY", "ON"))[1].changes is True


@pytest.mark.parametrize(
    ("name", "facts", "message"),
    [
        ("get", {}, "'get' is no name of a command"),
        ("A B C", {}, "'A B C' is no name of a command"),
        ("X", {"readonly": True, "write": True}, "X cannot be both readonly and write"),
        ("GET", {}, "GET is declared twice"),
    ],
)
def test_declarations_that_cannot_be_true(name, facts, message):
    before = dict(SPECS)
    with pytest.raises(ValueError, match=message):
        spec.declare(name, **facts)
    assert before == SPECS


def test_the_decorator_returns_the_method_itself():
    assert inspect.getsource(Commands.get).startswith("    @command(")
    assert not hasattr(Commands.get, "__wrapped__")
    assert SPECS["GET"].method == "get"
    assert {SPECS[f"OBJECT {fact}"].method for fact in ("ENCODING", "FREQ", "IDLETIME", "REFCOUNT")} == {"object"}


def test_plain_commands():
    assert {"GET", "SET", "HGETALL", "LRANGE", "DEL"} <= spec.PLAIN
    assert spec.PLAIN.isdisjoint({"BLPOP", "DUMP", "INFO", "CONFIG GET", "XREAD"})
    assert {"OBJECT", "CONFIG", "CLIENT", "SCRIPT"} <= spec.CONTAINERS
    assert SPECS["OBJECT ENCODING"].words == ("OBJECT", "ENCODING")
