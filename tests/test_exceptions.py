"""redis/exceptions.py: the tree, as its picture shows it, and what each error carries."""

import builtins
import pickle
import re

import pytest

from redis import exceptions

CLASSES = {name: cls for name, cls in vars(exceptions).items() if isinstance(cls, type)}


def parents_of(name):
    return [base.__name__ for base in CLASSES[name].__bases__]


def drawn():
    """The edges of the picture in the docstring: (child, parent)."""
    path, edges = [], set()
    for line in exceptions.__doc__.splitlines():
        found = re.match(r"    ((?: |\||`|-)*)\(?([A-Z]\w+)", line)
        if found:
            depth = len(found[1]) // 5
            path[depth:] = [found[2]]
            if depth:
                edges.add((found[2], path[depth - 1]))
    return edges


def test_the_picture_is_the_tree():
    real = {(name, parent) for name in CLASSES for parent in parents_of(name) if parent in CLASSES}
    ours = {(child, parent) for child, parent in real if CLASSES[child].__module__ == exceptions.__name__}
    builtin = {("ConnectionError", "ConnectionError"), ("TimeoutError", "TimeoutError")}
    assert drawn() == ours - builtin


#: The tree of old: programs catch by it.
OLD = {
    "AuthenticationError": "RedisError",
    "ConnectionError": "RedisError",
    "TimeoutError": "RedisError",
    "BusyLoadingError": "ConnectionError",
    "InvalidResponse": "RedisError",
    "ResponseError": "RedisError",
    "DataError": "RedisError",
    "PubSubError": "RedisError",
    "WatchError": "RedisError",
    "NoScriptError": "ResponseError",
    "ExecAbortError": "ResponseError",
    "ReadOnlyError": "ResponseError",
    "LockError": "RedisError",
}


@pytest.mark.parametrize(("name", "parent"), OLD.items())
def test_the_old_classes_keep_their_parents(name, parent):
    assert CLASSES[parent] in CLASSES[name].__bases__


def test_what_is_a_builtin_too():
    assert issubclass(exceptions.ConnectionError, builtins.ConnectionError)
    assert issubclass(exceptions.TimeoutError, builtins.TimeoutError)
    assert issubclass(exceptions.LockError, ValueError)
    assert not issubclass(exceptions.ConnectionError, exceptions.TimeoutError)


def test_refused_credentials_are_both():
    assert issubclass(exceptions.AuthenticationFailedError, exceptions.AuthenticationError)
    assert issubclass(exceptions.AuthenticationFailedError, exceptions.ResponseError)


@pytest.mark.parametrize("name", CLASSES)
def test_the_circumstances_are_unknown_at_first(name):
    error = CLASSES[name]("words")
    assert str(error) == "words"
    phase = "pool" if name == "MaxConnectionsError" else None
    assert (error.command, error.address, error.phase, error.attempt) == (None, None, phase, None)
    assert CLASSES[name].__doc__


@pytest.mark.parametrize(
    ("name", "applied"),
    [
        ("ConnectionError", True),
        ("TimeoutError", True),
        ("InvalidResponse", True),
        ("BusyLoadingError", False),
        ("MaxConnectionsError", False),
    ],
)
def test_an_error_of_unknown_origin_permits_nothing(name, applied):
    assert CLASSES[name]("x").maybe_applied is applied


@pytest.mark.parametrize("name", CLASSES)
def test_an_error_can_be_pickled_with_what_it_carries(name):
    error = CLASSES[name]("words")
    error.command, error.attempt = "GET", 2
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.command, again.attempt) == (type(error), "words", "GET", 2)
