"""Method by method, what users of redis-py 8.1 know of its class ``Redis``: the same names, in the same order.

``data/redis-py-8.1.0.json`` lists its methods and their signatures.  What is not taken over is listed here with the
reason; an entry that is no longer true fails.
"""

import ast
import inspect
import json
import re
from inspect import Parameter
from pathlib import Path

import pytest

from redis.client import StrictRedis

THEIRS = json.loads((Path(__file__).parent / "data" / "redis-py-8.1.0.json").read_text())

MODULES = "a module of Redis Stack has a vocabulary of its own"
FIELDSETS = (
    "a fieldset belongs to one connection: execute_command of a client with single_connection_client=True sends it"
)
STREAM = "the reply is a stream without an end, which no client can read"
OPTIONS = "options are given when a client is made, and are not changed afterwards"
AS_IN_3_0 = "the form of version 3.0.0 stays; a mapping, or a sequence, in the first place is understood as well"
RAW = "raw replies are what set_response_callback() is for"

#: Methods that are not taken over.
NO_METHOD = {
    **dict.fromkeys(("bf", "cf", "cms", "ft", "json", "tdigest", "topk", "ts"), MODULES),
    **dict.fromkeys(("himport_discard", "himport_discard_all", "himport_prepare", "himport_set"), FIELDSETS),
    **dict.fromkeys(
        ("himport_discard_all_internal", "himport_discard_internal", "himport_prepare_internal"), FIELDSETS
    ),
    **dict.fromkeys(("psync", "sync"), STREAM),
    **dict.fromkeys(("get_connection_kwargs", "get_retry", "set_retry"), OPTIONS),
    "client": "a method of a class that keeps its connection; here single_connection_client=True",
    "digest_local": "it needs a library for XXH3; digest() asks the server",
    "get_cache": "there is no cache",
    "keyspace_notifications": "they are subscribed to as any channel is",
    "load_external_module": "it only sets an attribute",
    "stralgo": "no server since 7.0.0 has it; lcs() is in its place",
    "vset": "the commands on vector sets are methods of the client: vadd(), vsim() ...",
}
#: Keywords that are not taken over.
NO_KEYWORD = {
    "geoadd": {"values": AS_IN_3_0},
    "lock": {
        "blocking": "acquire(blocking=) says it",
        "raise_on_release_error": "release() always tells the truth",
    },
    "mset": {"mapping": AS_IN_3_0},
    "msetnx": {"mapping": AS_IN_3_0},
    "zadd": {
        "mapping": AS_IN_3_0,
        **dict.fromkeys(("nx", "xx", "ch", "incr", "gt", "lt"), "understood beside a mapping; else they are members"),
    },
    "sentinel_get_master_addr_by_name": {"return_responses": RAW},
    "sentinel_master": {"return_responses": RAW},
    "sentinel_sentinels": {"return_responses": RAW},
}
#: Calls by position that mean something else, or that are refused.
OTHER_ORDER = {
    "geoadd": "the places stand one after the other, so that nx, xx and ch are keywords",
    "zincrby": "zincrby(name, value, amount), as in version 3.0.0",
}


def arguments_of(signature):
    """Return what may be given by position, and what by keyword alone; without ``self``."""
    plain = re.sub(r"<[^<>]*>", "...", signature)
    arguments = ast.parse(f"def f{plain}: pass").body[0].args
    return [each.arg for each in arguments.args if each.arg != "self"], [each.arg for each in arguments.kwonlyargs]


def ours(name):
    """Return the parameters of a method, without ``self``."""
    return [each for each in inspect.signature(getattr(StrictRedis, name)).parameters.values() if each.name != "self"]


METHODS = {name: arguments_of(signature) for name, signature in THEIRS.items() if not name.startswith("__")}
SHARED = sorted(METHODS.keys() - NO_METHOD.keys())


def test_every_method_is_there_or_has_a_reason():
    assert {name for name in METHODS if not hasattr(StrictRedis, name)} == NO_METHOD.keys()
    assert all(NO_METHOD.values())


@pytest.mark.parametrize("name", SHARED)
def test_every_keyword_is_there_or_has_a_reason(name):
    by_position, by_keyword = METHODS[name]
    accepted = {
        each.name for each in ours(name) if each.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    }
    assert {*by_position, *by_keyword} - accepted == NO_KEYWORD.get(name, {}).keys()


@pytest.mark.parametrize("name", SHARED)
def test_arguments_stand_in_the_same_order(name):
    by_position = [argument for argument in METHODS[name][0] if argument not in NO_KEYWORD.get(name, {})]
    positions = [each.name for each in ours(name) if each.kind is Parameter.POSITIONAL_OR_KEYWORD]
    assert (positions[: len(by_position)] != by_position) == (name in OTHER_ORDER)


def test_the_reasons_are_of_methods_that_there_are():
    assert NO_KEYWORD.keys() | OTHER_ORDER.keys() <= set(SHARED)
