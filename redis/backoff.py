"""How long to wait before the next attempt: the usual ways, each a class.

All times are in seconds; ``failures`` is the number of attempts that have failed so far, from 1.  A jitter keeps many
clients that lost the same server from coming back at the same moment.

This module must not know what is attempted.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from math import ldexp

DEFAULT_CAP = 0.512
"""The longest pause, where none is given."""
DEFAULT_BASE = 0.008
"""The pause that is doubled with each failure, where none is given."""
HIGHEST_POWER = 64
"""Beyond it a doubled pause is longer than any cap."""


def checked(name: str, seconds: float) -> float:
    """Return a number of seconds; ValueError where it is none, or less than nothing."""
    if not isinstance(seconds, (int, float)) or not seconds >= 0:
        raise ValueError(f"{name} is {seconds!r}; it takes a number of seconds, 0 or more")
    return seconds


class AbstractBackoff(ABC):
    """What a backoff has to say."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def reset(self) -> None:  # noqa: B027 - most have nothing to forget
        """Forget earlier failures; called before the first pause of each call."""

    @abstractmethod
    def compute(self, failures: int) -> float:
        """Return how many seconds to wait after so many failures."""


class ConstantBackoff(AbstractBackoff):
    """The same pause each time."""

    def __init__(self, backoff: float) -> None:
        self._backoff = checked("backoff", backoff)

    def compute(self, failures: int) -> float:
        return self._backoff


class NoBackoff(ConstantBackoff):
    """No pause."""

    def __init__(self) -> None:
        super().__init__(0)


class ExponentialBackoff(AbstractBackoff):
    """A pause that is doubled with each failure, from ``base`` on, up to ``cap``."""

    def __init__(self, cap: float = DEFAULT_CAP, base: float = DEFAULT_BASE) -> None:
        self._cap, self._base = checked("cap", cap), checked("base", base)

    def _doubled(self, failures: int) -> float:
        return ldexp(self._base, min(failures, HIGHEST_POWER))

    def compute(self, failures: int) -> float:
        return min(self._cap, self._doubled(failures))


class FullJitterBackoff(ExponentialBackoff):
    """A random pause between nothing and that of :class:`ExponentialBackoff`."""

    def compute(self, failures: int) -> float:
        return random.uniform(0, super().compute(failures))


class EqualJitterBackoff(ExponentialBackoff):
    """Half the pause of :class:`ExponentialBackoff`, and a random part of the other half."""

    def compute(self, failures: int) -> float:
        half = super().compute(failures) / 2
        return half + random.uniform(0, half)


class ExponentialWithJitterBackoff(ExponentialBackoff):
    """A random part of a pause that is doubled without an end, the result up to ``cap``: often just that."""

    def compute(self, failures: int) -> float:
        return min(self._cap, random.random() * self._doubled(failures))


class DecorrelatedJitterBackoff(AbstractBackoff):
    """A random pause between ``base`` and three times the pause before it, up to ``cap``."""

    def __init__(self, cap: float = DEFAULT_CAP, base: float = DEFAULT_BASE) -> None:
        self._cap, self._base = checked("cap", cap), checked("base", base)
        self._previous = 0.0

    def reset(self) -> None:
        self._previous = 0.0

    def compute(self, failures: int) -> float:
        self._previous = min(self._cap, random.uniform(self._base, max(self._base, 3 * self._previous)))
        return self._previous


def default_backoff() -> AbstractBackoff:
    """Return the backoff for who has no opinion."""
    return EqualJitterBackoff()
