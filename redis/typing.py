"""The types that the signatures speak of.  This module owns no behaviour and knows no other module of the package."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    T = TypeVar("T", bytes, str, default=bytes)
else:
    from typing import TypeVar

    # The default of T exists for type checkers alone: the interpreter knows it from 3.13 on.
    T = TypeVar("T", bytes, str)

KeyT = bytes | str | memoryview
"""The name of a key."""
FieldT = bytes | str | memoryview | int | float
"""A field of a hash."""
EncodableT = bytes | bytearray | memoryview | str | int | float
"""A value that is sent as it stands; any other object is sent as ``str(object)``."""
PatternT = bytes | str
ExpiryT = int | timedelta
"""A time to live: a whole number in the unit of the command, or a timedelta."""
AbsExpiryT = int | datetime
"""A point in time: a Unix time in the unit of the command, or a datetime."""
KeysT = KeyT | Iterable[KeyT]
"""One key or several."""
ReplyCallback = Callable[..., Any]


class CredentialProvider(Protocol):
    """Whoever knows the user name and the password at the moment of connecting."""

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Return ``(password,)`` or ``(username, password)``."""
        ...
