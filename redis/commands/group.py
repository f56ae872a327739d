"""What every group of commands stands on: one hook, ``execute_command``.

A group is a class of methods that turn their arguments into the words of a command.  It has no ``__init__``, no
attribute and no idea of a connection.  Whoever brings ``execute_command`` (a client, a pipeline, a recorder in a test)
brings the meaning of "send".
"""

from __future__ import annotations

from typing import Any, Generic

from redis.typing import T


class Group(Generic[T]):
    """The base of all groups; ``T`` is what a value comes back as, bytes or str."""

    __slots__ = ()

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send the words ``args`` and return the reply, shaped by the callback of the command.

        The first word is the name, ``"GET"`` or ``"CONFIG GET"``; ``options`` go to the callback.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how a command is executed")
