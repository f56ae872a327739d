"""The level table: who may import whom, and how long a module and a function may be."""

import ast
from pathlib import Path

import pytest

import redis

PACKAGE = Path(redis.__file__).parent

#: From the bottom to the top.  A module imports from the rows below its own, never from its own or from above: so there
#: is no cycle.  What has no place here fails.  A module of commands/ that is not named is a group, or what a group or
#: two have put into a module of its own, which ends in _args or _replies.
ROWS = """
    L0  exceptions typing version backoff
    L0  retry
    L1  protocol protocol.encoder protocol.masking protocol.reader
    L1  protocol.errors protocol.packer
    L1  commands.spec commands.group commands.args commands.replies
    L1  commands.scores <helpers>
    L2  connection.options connection.deadline connection.forks connection.socketbuffer
    L2  connection.outcome
    L2  connection.retry connection.handshake connection.bounded connection.parsers
    L2  connection.timeouts
    L2  connection.wire
    L2  connection.tcp connection.batch
    L2  connection.tls connection.unix connection.link connection.idle
    L2  connection.url connection.checks connection.conflicts connection.managed
    L2  connection.pool
    L2  connection.single
    L2  connection
    L2  <groups>
    L3  commands commands.published
    L4  execution
    L4  queued
    L4  pipeline typed_pipeline script monitor messages
    L4  lock pubsub
    L4  keyspace
    L5  client
    L6  sentinel_listener
    L6  sentinel embedded
    L6  sentinel_url
    L7  utils
    L7  redis
    L7  __main__
"""
ROW = {name: number for number, row in enumerate(ROWS.split("\n")) for name in row.split()[1:]}

#: The only imports that are put off until they are needed.
PUT_OFF = {"connection.tls": ["load_ssl"]}

#: Longer than 500 lines, and why.
LONG_MODULES = {}

#: Longer than 40 lines, the docstring aside, and why.
LONG_FUNCTIONS = {
    "client.StrictRedis.__init__": "the keywords of a client, and where each of them goes",
    "connection.tcp.Connection.__init__": "the keywords of a connection, and where each of them goes",
    "execution.Execution.execute_command": "the short way: a call costs more than a line",
}


def sources():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        yield name.removesuffix(".__init__").replace("__init__", "redis"), path


PATHS = dict(sources())
MODULES = {name: ast.parse(path.read_text()) for name, path in PATHS.items()}
NAMES = pytest.mark.parametrize("name", MODULES)


def row_of(name):
    if name not in ROW and name.startswith("commands."):
        return ROW["<helpers>" if name.endswith(("_args", "_replies")) else "<groups>"]
    assert name in ROW, f"rule 'every module has its level': redis.{name} has no place in the table"
    return ROW[name]


def imports(tree):
    """Every module that is imported anywhere in the tree, by its full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "rule 'imports are absolute'"
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                yield inside if inside.removeprefix("redis.") in MODULES else node.module


def inner_imports(tree):
    """The modules of the package among them, as the table names them."""
    for name in imports(tree):
        inner = name.removeprefix("redis.")
        # What is a stub alone is there for type checkers, and never imported.
        stub = PACKAGE.joinpath(*inner.split(".")).with_suffix(".pyi")
        if (name == "redis" or inner != name) and not stub.exists():
            yield inner


def functions(tree, prefix):
    """Every function with its dotted name."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"{prefix}.{node.name}", node
        inner = f"{prefix}.{node.name}" if hasattr(node, "name") and isinstance(node.name, str) else prefix
        yield from functions(node, inner)


@NAMES
def test_imports_point_to_a_lower_level(name):
    for other in inner_imports(MODULES[name]):
        assert row_of(other) < row_of(name), (
            f"rule 'imports point to a lower level': redis.{name} imports redis.{other}"
        )


@NAMES
def test_groups_never_import_one_another(name):
    if row_of(name) != ROW["<groups>"]:
        return
    others = [other for other in inner_imports(MODULES[name]) if row_of(other) == ROW["<groups>"]]
    assert others == [], f"rule 'groups never import one another': redis.{name} imports {others}"


@NAMES
def test_the_towers_never_import_each_other(name):
    foreign = {"connection": ("commands",), "commands": ("connection",), "protocol": ("commands", "connection")}
    forbidden = foreign.get(name.partition(".")[0], ())
    others = [other for other in inner_imports(MODULES[name]) if other.partition(".")[0] in forbidden]
    assert others == [], f"rule 'the towers never import each other': redis.{name} imports {others}"


@NAMES
def test_what_a_tower_must_not_know(name):
    unknown = {"protocol": {"socket", "ssl", "threading", "time", "select"}, "commands": {"socket", "ssl", "threading"}}
    forbidden = unknown.get(name.partition(".")[0], set())
    assert not forbidden & set(imports(MODULES[name])), f"rule 'no socket, no thread': redis.{name}"


@NAMES
def test_no_import_inside_a_function(name):
    late = []
    for function, node in functions(MODULES[name], ""):
        calls = [sub for sub in ast.walk(node) if isinstance(sub, ast.Call)]
        by_name = any(ast.unparse(call.func) in ("importlib.import_module", "__import__") for call in calls)
        if by_name or any(isinstance(sub, (ast.Import, ast.ImportFrom)) for sub in ast.walk(node)):
            late.append(function.removeprefix("."))
    assert late == PUT_OFF.get(name, []), f"rule 'no import inside a function': redis.{name}: {late}"


@NAMES
def test_modules_are_short(name):
    lines = len(PATHS[name].read_text().splitlines())
    limit = 600 if name in LONG_MODULES else 500
    assert lines <= limit, f"rule 'a module has 500 lines': redis.{name} has {lines}"


def length(function):
    """The lines of a function, its docstring aside."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    return function.end_lineno - function.lineno + 1 - (first.end_lineno - first.lineno + 1 if documented else 0)


@NAMES
def test_functions_are_short(name):
    for function, node in functions(MODULES[name], name):
        lines = length(node)
        assert lines <= 40 or function in LONG_FUNCTIONS, f"rule 'a function has 40 lines': {function} has {lines}"


def test_the_lists_of_exceptions_name_what_is_there():
    found = {function: length(node) for name, tree in MODULES.items() for function, node in functions(tree, name)}
    assert {function for function, lines in found.items() if lines > 40} == set(LONG_FUNCTIONS)
    assert set(LONG_MODULES) <= set(MODULES)


@NAMES
def test_every_module_says_what_it_owns(name):
    assert ast.get_docstring(MODULES[name]), f"rule 'every module has a docstring': redis.{name}"
