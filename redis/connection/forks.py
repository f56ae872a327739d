"""Who is told in the child of a fork: what lives in a registry, which keeps nothing alive.

In the child there is no thread but one, and the sockets are the parent's.  This module must not know what those who are
told do about it.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

Registry = dict[weakref.ref[Any], None]


def remember(registry: Registry, item: Any) -> None:
    """Enter an object into a registry, which C code takes it out of when it dies."""
    forget: Callable[..., None] = registry.pop
    registry[weakref.ref(item, forget)] = None


def forget_parents(registry: Registry) -> None:
    """Have each object of a registry forget what its like had in the parent."""
    for ref in list(registry):
        item = ref()
        if item is not None:
            item.forget_parent()


def told_in_child(registry: Registry) -> Registry:
    """Return the registry, whose objects are told from now on."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=partial(forget_parents, registry))
    return registry
