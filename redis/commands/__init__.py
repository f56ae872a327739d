"""The commands: :class:`Commands` has the methods of every group.  A group is added here, and nothing else is."""

from __future__ import annotations

from redis.commands.acl import ACLCommands
from redis.commands.arrays import ArrayCommands
from redis.commands.bitmaps import BitmapCommands
from redis.commands.catalogue import CatalogueCommands
from redis.commands.cluster import ClusterCommands
from redis.commands.geo import GeoCommands
from redis.commands.hashes import HashCommands
from redis.commands.hyperloglog import HyperLogLogCommands
from redis.commands.introspection import IntrospectionCommands
from redis.commands.keys import KeyCommands
from redis.commands.lists import ListCommands
from redis.commands.pubsub import PubSubCommands
from redis.commands.replication import ReplicationCommands
from redis.commands.scripting import ScriptingCommands
from redis.commands.sentinel import SentinelCommands
from redis.commands.server import ServerCommands
from redis.commands.session import SessionCommands
from redis.commands.sets import SetCommands
from redis.commands.sorted_set_ranges import SortedSetRangeCommands
from redis.commands.sorted_sets import SortedSetCommands
from redis.commands.stream_groups import StreamGroupCommands
from redis.commands.streams import StreamCommands
from redis.commands.strings import StringCommands
from redis.commands.transactions import TransactionCommands
from redis.commands.vectors import VectorCommands
from redis.typing import T


class Commands(
    StringCommands[T],
    KeyCommands[T],
    HashCommands[T],
    ListCommands[T],
    SetCommands[T],
    SortedSetCommands[T],
    SortedSetRangeCommands[T],
    StreamCommands[T],
    StreamGroupCommands[T],
    GeoCommands[T],
    BitmapCommands[T],
    HyperLogLogCommands[T],
    VectorCommands[T],
    ArrayCommands[T],
    PubSubCommands[T],
    TransactionCommands[T],
    ScriptingCommands[T],
    SessionCommands[T],
    ACLCommands[T],
    ServerCommands[T],
    IntrospectionCommands[T],
    CatalogueCommands[T],
    ReplicationCommands[T],
    ClusterCommands[T],
    SentinelCommands[T],
):
    """Every command as a method; whoever derives from it brings ``execute_command``."""

    __slots__ = ()
