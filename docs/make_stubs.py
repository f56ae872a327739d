"""Write redis/typed_pipeline.pyi, which tells type checkers that the methods of a pipeline return the pipeline.

::

    python docs/make_stubs.py

A pipeline has the methods of its client, and nothing at run time says that they return something else.  The stub does,
for every method whose result is what another method of the client returns: in the end, of ``execute_command``.  What
computes something of its own, such as ``scan_iter``, is of no use in a pipeline and is left as it is.
"""

import ast
import builtins
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "redis"
STUB = PACKAGE / "typed_pipeline.pyi"
WIDTH = 120

HEAD = '''\
"""The pipelines as type checkers see them; docs/make_stubs.py has written it: do not edit.

The classes are those of client.py.  Their methods queue and return the pipeline, which is not what the methods of a
client return: here, and nowhere else, that is no error.
"""

# mypy: disable-error-code="override, misc"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

{imports}

class QueueingCommands(BasePipeline):
    """The commands in the order of their official arguments; this class exists for type checkers alone."""

{strict}

class QueueingLegacyCommands(QueueingCommands):
    """Those in the order of old; this class exists for type checkers alone."""

{legacy}

class StrictPipeline(QueueingCommands, StrictRedis[Any]):
    """The pipeline of a StrictRedis."""

class Pipeline(QueueingLegacyCommands, StrictPipeline, Redis[Any]):
    """The pipeline of a Redis; for type checkers it is a StrictPipeline, as a Redis is a StrictRedis."""
'''
ALWAYS = {
    "Any": "typing",
    "BasePipeline": "redis.pipeline",
    "Redis": "redis.client",
    "Self": "typing",
    "StrictRedis": "redis.client",
}


class Module(ast.NodeTransformer):
    """One module of commands: its methods, and where the names of their annotations come from."""

    def __init__(self, path):
        self.name = path.stem
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        assigned = [node for node in self.tree.body if isinstance(node, ast.Assign)]
        self.aliases = {node.targets[0].id: node.value for node in assigned if isinstance(node.targets[0], ast.Name)}
        self.visit(self.tree)

    def visit_arg(self, argument):
        """Put what they stand for in the place of the names that the module itself has given to types."""
        if argument.annotation is not None:
            argument.annotation = self.visit(argument.annotation)
        return argument

    def visit_Name(self, name):
        return self.aliases.get(name.id, name) if isinstance(name.ctx, ast.Load) else name

    def methods(self):
        """Every method of a group that returns what ``execute_command`` does, by its name."""
        groups = [node for node in self.tree.body if isinstance(node, ast.ClassDef) and node.name.endswith("Commands")]
        found = [node for group in groups for node in group.body if isinstance(node, ast.FunctionDef)]
        return {node.name: node for node in found if is_queued(node)}

    def origin(self, name):
        """The module to import a name from."""
        imported = [node for node in self.tree.body if isinstance(node, ast.ImportFrom)]
        return next(node.module for node in imported if name in [alias.name for alias in node.names])


def is_queued(method):
    """Whether a method returns what another method of the client returns, and nothing else."""
    returned = [node.value for node in ast.walk(method) if isinstance(node, ast.Return)]
    public = not method.name.startswith("_")
    return public and bool(returned) and all(is_own_call(value) for value in returned)


def is_own_call(value):
    return (
        isinstance(value, ast.Call)
        and isinstance(value.func, ast.Attribute)
        and isinstance(value.func.value, ast.Name)
        and value.func.value.id == "self"
    )


def annotations(method):
    """The annotation of each argument."""
    return [node.annotation for node in ast.walk(method.args) if isinstance(node, ast.arg) and node.annotation]


def signature(method):
    """The method as a line of a stub, or as several where it is long."""
    arguments = method.args
    arguments.defaults = [ast.Constant(...) for _ in arguments.defaults]
    arguments.kw_defaults = [default and ast.Constant(...) for default in arguments.kw_defaults]
    line = f"    def {method.name}({spaced(ast.unparse(arguments))}) -> Self: ..."
    if len(line) <= WIDTH:
        return line
    inner = ",\n        ".join(spaced(part) for part in parts(arguments))
    return f"    def {method.name}(\n        {inner},\n    ) -> Self: ..."


def parts(arguments):
    """The arguments one by one, as they stand between the commas."""
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(plain) - len(arguments.defaults)) + arguments.defaults
    yield from map(part, plain, defaults)
    if arguments.vararg or arguments.kwonlyargs:
        yield f"*{ast.unparse(arguments.vararg) if arguments.vararg else ''}"
    yield from map(part, arguments.kwonlyargs, arguments.kw_defaults)
    if arguments.kwarg:
        yield f"**{ast.unparse(arguments.kwarg)}"


def part(argument, default):
    return ast.unparse(argument) + ("=..." if default else "")


def spaced(text):
    """With spaces around the sign of a default, as the style of this project has it."""
    return text.replace("=...", " = ...")


def imports(modules):
    """The lines that import what the annotations name."""
    origins = dict(ALWAYS)
    for module in modules:
        for method in module.methods().values():
            for name in names_in(annotations(method)):
                origin = module.origin(name)
                if origins.setdefault(name, origin) != origin:
                    raise SystemExit(f"{name} means two things: {origins[name]}.{name} and {origin}.{name}")
    lines = []
    for origin in sorted(set(origins.values()), key=lambda origin: (origin.startswith("redis"), origin)):
        wanted = sorted((name for name in origins if origins[name] == origin), key=order_of_import)
        lines.append(import_line(origin, wanted))
    first = next(number for number, line in enumerate(lines) if line.startswith("from redis"))
    return "\n".join([*lines[:first], "", *lines[first:]])


def import_line(origin, names):
    line = f"from {origin} import {', '.join(names)}"
    return line if len(line) <= WIDTH else f"from {origin} import (\n    " + ",\n    ".join(names) + ",\n)"


def order_of_import(name):
    """Constants, then classes, then the rest."""
    return (not name.isupper() or len(name) == 1, not name[0].isupper(), name.lower())


def names_in(nodes):
    for node in nodes:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and not hasattr(builtins, inner.id):
                yield inner.id


def bodies(modules):
    return "\n".join(signature(method) for module in modules for method in module.methods().values())


def stub():
    """The text of the stub."""
    modules = [Module(path) for path in sorted((PACKAGE / "commands").glob("*.py"))]
    legacy = [module for module in modules if module.name == "legacy"]
    strict = [module for module in modules if module not in legacy]
    found = imports(modules)
    return HEAD.format(imports=found, strict=bodies(strict), legacy=bodies(legacy))


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
