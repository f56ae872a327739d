"""The public interface of version 3.0.0, name by name: what is there binds every call that it bound then.

``data/redispy-3.0.0.json`` lists that interface.  PENDING is what has not been delivered yet: the test fails for a name
that is missing and not in it, and for one that is there and still in it, so that it can only shrink.
"""

import ast
import contextlib
import importlib
import inspect
import json
from pathlib import Path

import pytest

INTERFACE = json.loads((Path(__file__).parent / "data" / "redispy-3.0.0.json").read_text())

#: Helpers of Python 2, and of releases of hiredis older than what is supported; nobody outside had a use for them.
DROPPED = {
    "redis.client.with_statement",
    "redis.connection.HIREDIS_SUPPORTS_BYTE_BUFFER",
    "redis.connection.HIREDIS_SUPPORTS_CALLABLE_ERRORS",
    "redis.connection.HIREDIS_USE_BYTE_BUFFER",
    "redis.connection.hiredis_version",
    "redis.connection.with_statement",
}

PENDING: set[str] = set()


def entries():
    """Yield every name of the interface with what is told of it: modules, their names, and the members of classes."""
    for module, names in INTERFACE.items():
        yield module, {}
        for name, told in names.items():
            yield f"{module}.{name}", told
            for member, signature in told.get("members", {}).items():
                yield f"{module}.{name}.{member}", {"signature": signature}


def find(path):
    """Return the object of that name; AttributeError or ImportError where there is none."""
    module, *names = split(path)
    found = importlib.import_module(module)
    for name in names:
        found = getattr(found, name)
    return found


def split(path):
    module = max((name for name in INTERFACE if f"{path}.".startswith(f"{name}.")), key=len)
    return [module, *path.removeprefix(module).split(".")[1:]]


def is_there(path):
    with contextlib.suppress(AttributeError, ImportError):
        find(path)
        return True
    return False


def parameters_of(signature):
    """Return the names and defaults of the old parameters in their order, and what ast tells of them all."""
    arguments = ast.parse(f"def f{signature}: pass").body[0].args
    without = [inspect.Parameter.empty] * (len(arguments.args) - len(arguments.defaults))
    defaults = [*without, *map(literal, arguments.defaults)]
    return [(argument.arg, default) for argument, default in zip(arguments.args, defaults)], arguments


def literal(node):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ...


ALL = dict(entries())
CALLABLE = {path: told["signature"] for path, told in ALL.items() if told.get("signature", "").startswith("(")}


def test_what_is_missing_is_known():
    missing = {path for path in ALL if not is_there(path)}
    roots = {path for path in missing if path.rpartition(".")[0] not in missing}
    assert sorted(roots - DROPPED - PENDING) == [], "these are missing"
    assert sorted(PENDING - roots) == [], "these are there, or were never promised: take them out of PENDING"


@pytest.mark.parametrize("path", [path for path in CALLABLE if is_there(path)])
def test_old_calls_bind_as_they_did(path):
    old, arguments = parameters_of(CALLABLE[path])
    signature = inspect.signature(find(path))
    required = {name: name for name, default in old if default is inspect.Parameter.empty}
    binds(signature, old, [name for name, _ in old if name in required], {})
    binds(signature, old, [name for name, _ in old], {})
    if not arguments.vararg:
        binds(signature, old, [], {name: name for name, _ in old})
    if arguments.vararg:
        signature.bind(*[name for name, _ in old], "one more", "and another")
    if arguments.kwarg and not path.endswith(("__init__", "transaction")):  # these refuse what they do not know
        signature.bind(*required, any_other_keyword=1)


def binds(signature, old, args, kwargs):
    """Bind a call and see that each argument arrives where it did."""
    bound = signature.bind(*args, **kwargs).arguments
    flat = {}
    for name, value in bound.items():
        kind = signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            flat.update(value)
        elif kind is inspect.Parameter.VAR_POSITIONAL:
            flat.update(zip([name for name, _ in old][len(args) - len(value) :], value))
        else:
            flat[name] = value
    assert flat == {**dict(zip([name for name, _ in old], args)), **kwargs}


@pytest.mark.parametrize("path", [path for path in CALLABLE if is_there(path)])
def test_defaults_are_what_they_were(path):
    now = inspect.signature(find(path)).parameters
    for name, default in parameters_of(CALLABLE[path])[0]:
        if default is not inspect.Parameter.empty and default is not ... and name in now:
            assert now[name].default == default


@pytest.mark.parametrize("path", [path for path, told in ALL.items() if "bases" in told and is_there(path)])
def test_classes_have_the_bases_that_they_had(path):
    assert set(ALL[path]["bases"]) - {"Exception", "BaseException"} <= {base.__name__ for base in find(path).__mro__}


@pytest.mark.parametrize("path", [path for path, told in ALL.items() if "re-exported" in told.get("kind", "")])
def test_a_class_is_the_same_under_all_its_names(path):
    home = f"{ALL[path]['kind'].rpartition(' ')[2]}.{path.rpartition('.')[2]}"
    if is_there(path) and is_there(home):
        assert find(path) is find(home)
