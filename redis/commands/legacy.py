"""The argument orders of the class ``Redis``, which are older than the order of the server's own commands.

``Redis`` is ``StrictRedis`` with these methods before it and LEGACY_CALLBACKS merged into its callbacks.  A call in the
other order cannot always be told, since a value may be a number; where it can, it is a DataError that shows the order.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from redis.commands.args import whole_seconds
from redis.commands.group import Group
from redis.commands.scores import zadd_words
from redis.exceptions import DataError
from redis.typing import EncodableT, ExpiryT, KeyT, T


def none_if_negative(response: int) -> int | None:
    """Return the time to live; None where the server says -1 or -2."""
    return None if response < 0 else response


LEGACY_CALLBACKS = {"TTL": none_if_negative, "PTTL": none_if_negative}
"""The callbacks of ``Redis`` that differ: no expiry and no key are both None."""


def require_number(value: Any, argument: str, order: str) -> None:
    """Raise a DataError that shows ``order`` where ``value``, which is to be a number, is a text that is none."""
    if isinstance(value, timedelta):
        return
    try:
        int(value)
    except (ValueError, TypeError):
        raise DataError(f"{argument} is to be a number, not {type(value).__name__}; the order is {order}") from None


class LegacyCommands(Group[T]):
    """The methods of ``Redis`` whose arguments stand in another order than those of ``StrictRedis``."""

    __slots__ = ()

    def setex(self, name: KeyT, value: EncodableT, time: ExpiryT) -> bool:
        """Store ``value`` for ``time`` seconds (or a timedelta); return True.

        The value stands before the time here.  DataError where the time is no number, ResponseError where it is not
        positive.  Since 2.0.0, https://redis.io/commands/setex/
        """
        require_number(time, "time", "setex(name, value, time)")
        return self.execute_command("SETEX", name, whole_seconds(time), value)

    def lrem(self, name: KeyT, value: EncodableT, num: int = 0) -> int:
        """Remove the first ``num`` elements that equal ``value``, a negative one counts from the end, 0 is all.

        The value stands before the number here.  Return how many were removed; DataError where ``num`` is no number.

        Since 1.0.0, https://redis.io/commands/lrem/
        """
        require_number(num, "num", "lrem(name, value, num)")
        return self.execute_command("LREM", name, num, value)

    def zadd(self, name: KeyT, *args: Any, **kwargs: Any) -> Any:
        """Set the scores of members: of a mapping ``{member: score}``, or given one after the other.

        ``zadd(name, member1, score1, member2, score2, ..., member3=score3)`` returns how many members are new; the
        member stands before its score here, and every keyword is a member.  DataError where a score is no number.

        ``zadd(name, mapping, nx=False, xx=False, ch=False, incr=False, gt=False, lt=False)`` is as in
        :meth:`StrictRedis.zadd`.  Since 1.2.0, https://redis.io/commands/zadd/
        """
        words = zadd_words(args, kwargs, "zadd(name, member1, score1, ...)", member_first=True)
        return self.execute_command("ZADD", name, *words)
