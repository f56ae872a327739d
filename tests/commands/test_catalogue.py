"""The commands on commands: what comes back from a real server, and what every option sends."""

import pytest

from redis.exceptions import DataError, ResponseError
from tests.recorder import sent


def test_the_table(r):
    table = r.command()
    assert len(table) == r.command_count()
    assert table["get"]["flags"] == ["readonly", "fast"]
    assert {"acl|cat", "acl|log"} <= {each["name"] for each in table["acl"]["subcommands"]}


def test_one_command(r):
    get, missing = r.command_info("get", "none")
    assert missing is None
    specifications = get.pop("key_specifications")
    assert get == {
        "name": "get",
        "arity": 2,
        "flags": ["readonly", "fast"],
        "first_key_pos": 1,
        "last_key_pos": 1,
        "step_count": 1,
        "acl_categories": ["@read", "@string", "@fast"],
        "tips": [],
        "subcommands": [],
    }
    assert specifications == [
        {
            "flags": ["RO", "access"],
            "begin_search": {"type": "index", "spec": {"index": 1}},
            "find_keys": {"type": "range", "spec": {"lastkey": 0, "keystep": 1, "limit": 0}},
        }
    ]


def test_documentation(r):
    assert r.command_docs("none") == {}
    docs = r.command_docs("get", "set", "acl")
    assert docs["get"]["since"] == "1.0.0"
    assert docs["get"]["arguments"] == [{"name": "key", "type": "key", "display_text": "key", "key_spec_index": 0}]
    condition = docs["set"]["arguments"][2]
    assert (condition["name"], condition["arguments"][0]["token"]) == ("condition", "NX")
    assert docs["acl"]["subcommands"]["acl|cat"]["since"] == "6.0.0"


def test_keys(r, kind):
    assert r.command_getkeys("MSET", "ä", 1, "b", 2) == [kind.text("ä"), kind.text("b")]
    assert r.command_getkeysandflags("SET", "ä", 1) == [(kind.text("ä"), ["OW", "update"])]
    with pytest.raises(ResponseError, match="no key arguments"):
        r.command_getkeys("PING")


def test_names(r):
    assert {"get", "acl|cat"} <= set(r.command_list())
    assert sorted(r.command_list(pattern="xa*")) == ["xack", "xadd", "xautoclaim"]
    assert "pfadd" in r.command_list(category="hyperloglog")
    assert r.command_list(module="none") == []


def test_the_words_of_names():
    assert sent(lambda client: client.command_list()) == ("COMMAND LIST",)
    assert sent(lambda client: client.command_list("m")) == ("COMMAND LIST", b"FILTERBY", b"MODULE", "m")
    with pytest.raises(DataError, match="module and category exclude each other"):
        sent(lambda client: client.command_list("m", "c"))
