"""What a server says of itself: the forms of RESP2, of RESP3 and of older servers give one result."""

import pytest

from redis.commands import server_replies as replies

PAIRS = [b"flags", [b"on"], b"number", 3]
MAP = {b"flags": [b"on"], b"number": 3}
NODES = b"""\
07c3 127.0.0.1:30004@31004,host.example,shard-id=69bc slave,nofail e7d1 0 1426238317239 4 connected
67ed 127.0.0.1:30002 master - 0 1426238316232 2 connected 5461 5463-10922 [93-<-292f]
"""


def test_native():
    assert replies.native([b"a", {b"b": [b"c", 1, None]}, "d", 1.5]) == ["a", {"b": ["c", 1, None]}, "d", 1.5]
    assert replies.native(b"\xff") == "�"


@pytest.mark.parametrize("response", [PAIRS, MAP])
def test_records(response):
    assert replies.native_dict(response) == {"flags": ["on"], "number": 3}
    assert replies.record()(response) == {"flags": ["on"], "number": 3}
    assert replies.record(flags=len)(response) == {"flags": 1, "number": 3}
    assert replies.records()([response, response]) == [{"flags": ["on"], "number": 3}] * 2
    assert replies.by_name(replies.record())([b"a", response]) == {"a": {"flags": ["on"], "number": 3}}
    assert replies.record()(None) is None


def test_small_ones():
    assert replies.list_of_bool([1, 0]) == [True, False]
    assert [replies.number_or_ok(reply) for reply in (0, 2, b"OK", "OK", b"NO")] == [0, 2, True, True, False]
    assert replies.words_of(b"a b") == replies.words_of([b"a", b"b"]) == ["a", "b"]
    assert replies.number_of(b"1.5") == replies.number_of(1.5) == 1.5


def test_parse_client_list():
    lines = b"id=1 addr=127.0.0.1:5 name= lib-name=a=b\nid=2 addr=[::1]:5 name=me\n"
    assert replies.parse_client_list(lines) == [
        {"id": "1", "addr": "127.0.0.1:5", "name": "", "lib-name": "a=b"},
        {"id": "2", "addr": "[::1]:5", "name": "me"},
    ]
    assert replies.parse_client_list("") == []
    assert replies.parse_client_info(b"id=1 name=me\n") == {"id": "1", "name": "me"}


def test_parse_debug_object():
    assert replies.parse_debug_object(b"Value at:0x7f refcount:1 encoding:raw serializedlength:9 lru:5") == {
        "type": "Value",
        "at": "0x7f",
        "refcount": 1,
        "encoding": "raw",
        "serializedlength": 9,
        "lru": 5,
    }


def test_acl_user_of_older_servers():
    response = [b"flags", [b"off"], b"commands", b"-@all +get", b"keys", [b"a*"], b"channels", []]
    assert replies.acl_user(response) == {
        "flags": ["off"],
        "enabled": False,
        "commands": ["+get"],
        "categories": ["-@all"],
        "keys": ["a*"],
        "channels": [],
    }


def test_acl_log():
    entry = [b"reason", b"auth", b"age-seconds", b"1.5", b"client-info", b"id=1 name=me"]
    assert replies.acl_log([entry]) == [
        {"reason": "auth", "age-seconds": 1.5, "client-info": {"id": "1", "name": "me"}}
    ]
    assert replies.acl_log(b"OK") is True


def test_parse_slowlog_get():
    entry = [7, 1_400_000_000, 12, [b"GET", b"a b"]]
    logged = {"id": 7, "start_time": 1_400_000_000, "duration": 12, "command": b"GET a b"}
    assert replies.parse_slowlog_get([entry]) == [logged]
    found = replies.parse_slowlog_get([[*entry[:3], ["GET", "a"], "127.0.0.1:5", ""]], measure="size")
    assert found == [
        {
            "id": 7,
            "start_time": 1_400_000_000,
            "size": 12,
            "command": "GET a",
            "client_address": "127.0.0.1:5",
            "client_name": "",
        }
    ]


def test_commands_of_older_servers():
    entry = [b"get", 2, [b"fast"], 1, 1, 1]
    assert replies.command_table([entry]) == {
        "get": {
            "name": "get",
            "arity": 2,
            "flags": ["fast"],
            "first_key_pos": 1,
            "last_key_pos": 1,
            "step_count": 1,
            "key_specifications": [],
            "subcommands": [],
        }
    }


@pytest.mark.parametrize("percentage", [b"99.5", 99.5])
def test_memory_stats(percentage):
    numbers = [b"peak.percentage", percentage, b"db.0", [b"overhead", 1], b"keys.count", 1, b"note", b"x"]
    assert replies.memory_stats(numbers) == {
        "peak.percentage": 99.5,
        "db.0": {"overhead": 1},
        "keys.count": 1,
        "note": "x",
    }


@pytest.mark.parametrize("histogram", [[16, 1, 33, 2], {16: 1, 33: 2}])
def test_histograms(histogram):
    assert replies.histograms([b"set", [b"calls", 2, b"histogram_usec", histogram]]) == {
        "set": {"calls": 2, "histogram_usec": {16: 1, 33: 2}}
    }


def test_a_running_function():
    stats = replies.function_stats(
        [b"running_script", [b"name", b"f", b"command", [b"FCALL", b"f"], b"duration_ms", 5], b"engines", []]
    )
    assert stats == {
        "running_script": {"name": "f", "command": ["FCALL", "f"], "duration_ms": 5},
        "engines": {},
    }


@pytest.mark.parametrize("decode", [bytes, bytes.decode])
def test_the_states_of_sentinels(decode):
    item = [*map(decode, (b"name", b"m", b"port", b"6379", b"flags", b"master,s_down", b"ip", b"::1"))]
    state = replies.parse_sentinel_state(item)
    assert (state["name"], state["port"], state["ip"]) == ("m", 6379, "::1")
    assert (state["is_master"], state["is_sdown"], state["is_odown"]) == (True, True, False)
    assert replies.parse_sentinel_master(dict(zip(item[::2], item[1::2]))) == state
    assert replies.parse_sentinel_masters([item]) == {"m": state}
    assert replies.parse_sentinel_slaves_and_sentinels([item]) == [state]
    assert replies.parse_sentinel_get_master([decode(b"::1"), decode(b"6379")]) == (decode(b"::1"), 6379)
    assert replies.parse_sentinel_get_master(None) is None


def test_parse_cluster_info():
    assert replies.parse_cluster_info(b"cluster_state:ok\r\ncluster_size:3\r\n") == {
        "cluster_state": "ok",
        "cluster_size": "3",
    }


@pytest.mark.parametrize("response", [NODES, NODES.decode(), NODES.splitlines()])
def test_parse_cluster_nodes(response):
    nodes = replies.parse_cluster_nodes(response)
    assert nodes.keys() == {"127.0.0.1:30004", "127.0.0.1:30002"}
    replica, master = nodes.values()
    assert (replica["hostname"], replica["master_id"], replica["slots"]) == ("host.example", "e7d1", [])
    assert master == {
        "node_id": "67ed",
        "hostname": "",
        "flags": "master",
        "master_id": "-",
        "last_ping_sent": "0",
        "last_pong_rcvd": "1426238316232",
        "epoch": "2",
        "slots": [["5461"], ["5463", "10922"]],
        "connected": True,
        "migrations": [{"slot": "93", "node_id": "292f", "state": "importing"}],
    }


@pytest.mark.parametrize("more", [[b"hostname", b"h"], {b"hostname": b"h"}])
def test_cluster_slots(more):
    node = [b"127.0.0.1", 1, b"id"]
    assert replies.cluster_slots([[0, 5, [*node, more], node]]) == [[0, 5, [*node, {b"hostname": b"h"}], node]]


def test_cursor_and_keys():
    assert replies.cursor_and_keys([b"0-{06S}-0", [b"k"]]) == ("0-{06S}-0", [b"k"])
