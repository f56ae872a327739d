"""redis/typed_pipeline.pyi: what type checkers are told of pipelines is what the commands are today."""

import ast
import importlib.util
from pathlib import Path

import pytest

import redis
from redis.client import Pipeline, StrictPipeline

ROOT = Path(__file__).parent.parent
STUB = Path(redis.__file__).with_name("typed_pipeline.pyi")
CLASSES = {node.name: node for node in ast.parse(STUB.read_text()).body if isinstance(node, ast.ClassDef)}


def methods(name):
    return [node.name for node in CLASSES[name].body if isinstance(node, ast.FunctionDef)]


@pytest.fixture(scope="module")
def make_stubs():
    spec = importlib.util.spec_from_file_location("make_stubs", ROOT / "docs" / "make_stubs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_stub_is_fresh(make_stubs):
    assert STUB.read_text() == make_stubs.stub(), "run: python docs/make_stubs.py"


@pytest.mark.parametrize(
    "cls, names", [(StrictPipeline, ["QueueingCommands"]), (Pipeline, ["QueueingCommands", "QueueingLegacyCommands"])]
)
def test_every_method_of_the_stub_is_there(cls, names):
    wanted = [method for name in names for method in methods(name)]
    assert len(wanted) > 200
    assert [name for name in wanted if not callable(getattr(cls, name, None))] == []


def test_what_computes_something_of_its_own_is_not_in_the_stub():
    assert {"scan_iter", "hscan_iter", "bitfield", "execute", "watch", "pipeline"}.isdisjoint(
        methods("QueueingCommands")
    )


def test_what_the_stub_says_is_so():
    pipe = Pipeline(None, {})
    calls = [
        pipe.set("k", 1),
        pipe.get("k"),
        pipe.zadd("z", {"m": 1}),
        pipe.setex("k", "v", 1),
        pipe.sort("l", get=["a", "b"], groups=True),
        pipe.zrange("z", 0, -1, desc=True),
        pipe.scan(),
    ]
    assert calls == [pipe] * len(calls)
