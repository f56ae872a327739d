"""The commands: :class:`Commands` has the methods of every group.  A group is added here, and nothing else is."""

from __future__ import annotations

from redis.commands.hashes import HashCommands
from redis.commands.keys import KeyCommands
from redis.commands.lists import ListCommands
from redis.commands.server import ServerCommands
from redis.commands.session import SessionCommands
from redis.commands.sorted_sets import SortedSetCommands
from redis.commands.streams import StreamCommands
from redis.commands.strings import StringCommands
from redis.typing import T


class Commands(
    StringCommands[T],
    KeyCommands[T],
    HashCommands[T],
    ListCommands[T],
    SortedSetCommands[T],
    StreamCommands[T],
    SessionCommands[T],
    ServerCommands[T],
):
    """Every command as a method; whoever derives from it brings ``execute_command``."""

    __slots__ = ()
