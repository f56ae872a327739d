"""How often a call that failed is made again, after which pauses, and what for.

This module owns :class:`Retry`, which says it.  Whether a command may be sent again is decided in
``connection/retry.py``; it must not know commands or connections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar

from redis.exceptions import ConnectionError

if TYPE_CHECKING:  # who asks for no backoff does not load the module "random"
    from redis.backoff import AbstractBackoff

Result = TypeVar("Result")


class Retry:
    """As the option ``retry=`` of a client: up to ``retries`` more attempts, with the pauses of ``backoff``.

    It is also the permission to send a command again although it may have been executed, after an error of one of the
    classes ``supported_errors``: a lost connection, unless others are named.  With ``supported_errors=()`` only what
    was certainly not executed, or is read-only, is sent again.  A time-out is in it if TimeoutError is named here, or
    with ``retry_on_timeout=True``.  ``retries=-1``: without an end.
    """

    def __init__(
        self,
        backoff: AbstractBackoff,
        retries: int,
        supported_errors: tuple[type[Exception], ...] = (ConnectionError,),
    ) -> None:
        if not hasattr(backoff, "compute"):
            raise ValueError(f"backoff is a {type(backoff).__name__}; it takes one of redis.backoff")
        if not isinstance(retries, int) or retries < -1:
            raise ValueError(f"retries is {retries!r}; it takes a number of attempts, -1: without an end")
        if not are_errors(supported_errors):
            raise ValueError("supported_errors takes a tuple of classes of errors")
        self._backoff = backoff
        self._retries = retries
        self._supported_errors = tuple(supported_errors)

    def __repr__(self) -> str:
        errors = ", ".join(error.__name__ for error in self._supported_errors)
        return f"Retry<{type(self._backoff).__name__}, retries={self._retries}, supported_errors=({errors})>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Retry):
            return NotImplemented
        return vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self._backoff, self._retries, frozenset(self._supported_errors)))

    @property
    def supported_errors(self) -> tuple[type[Exception], ...]:
        """The errors after which a call is made again."""
        return self._supported_errors

    def update_supported_errors(self, specified_errors: Iterable[type[Exception]]) -> None:
        """Add classes to ``supported_errors``."""
        self._supported_errors = tuple(dict.fromkeys((*self._supported_errors, *specified_errors)))

    def get_retries(self) -> int:
        """Return how many more attempts there may be; -1: without an end."""
        return self._retries

    def update_retries(self, value: int) -> None:
        """Set how many more attempts there may be."""
        self._retries = value

    def new_backoff(self) -> AbstractBackoff:
        """Return a backoff for one call: what it remembers of its failures is not another one's."""
        backoff = copy(self._backoff)
        backoff.reset()
        return backoff

    def call_with_retry(
        self,
        do: Callable[[], Result],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Result:
        """Return what ``do()`` returns; call it again after a supported error, with ``fail(error)`` before.

        ``is_retryable(error)`` may refuse.  ``with_failure_count``: it is ``fail(error, failures)``.  The last error is
        raised.
        """
        backoff, failures = self.new_backoff(), 0
        while True:
            try:
                return do()
            except self._supported_errors as error:
                if is_retryable is not None and not is_retryable(error):
                    raise
                failures += 1
                fail(*((error, failures) if with_failure_count else (error,)))
                if 0 <= self._retries < failures:
                    raise
            sleep(backoff.compute(failures))


def are_errors(value: Any) -> bool:
    """Whether a value is a collection of classes of errors."""
    return isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(kind, type) for kind in value)
