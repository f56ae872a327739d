"""Publishing, and what the server knows of its subscribers.

This module owns the commands of https://redis.io/commands/?group=pubsub that any connection may send.  Those that
subscribe are declared here; they change their connection, and a ``PubSub`` object sends and reads them.
"""

from __future__ import annotations

from redis.commands.group import Group
from redis.commands.replies import list_of_pairs
from redis.commands.spec import command, declare
from redis.typing import EncodableT, KeyT, PatternT, T

declare("SUBSCRIBE", since="2.0.0")
declare("UNSUBSCRIBE", since="2.0.0")
declare("PSUBSCRIBE", since="2.0.0")
declare("PUNSUBSCRIBE", since="2.0.0")
declare("SSUBSCRIBE", keys=slice(1, None), since="7.0.0")
declare("SUNSUBSCRIBE", keys=slice(1, None), since="7.0.0")
declare("PUBSUB HELP", since="6.2.0")


class PubSubCommands(Group[T]):
    """The commands that publish, and that count subscribers."""

    __slots__ = ()

    @command("PUBLISH", since="2.0.0")
    def publish(self, channel: KeyT, message: EncodableT) -> int:
        """Send ``message`` to the subscribers of ``channel``; return how many of this server got it.

        Since 2.0.0, https://redis.io/commands/publish/
        """
        return self.execute_command("PUBLISH", channel, message)

    @command("PUBSUB CHANNELS", since="2.8.0")
    def pubsub_channels(self, pattern: PatternT = "*") -> list[T]:
        """Return the channels that match ``pattern`` and have a subscriber; those by pattern do not count.

        Since 2.8.0, https://redis.io/commands/pubsub-channels/
        """
        return self.execute_command("PUBSUB CHANNELS", pattern)

    @command("PUBSUB NUMPAT", since="2.8.0")
    def pubsub_numpat(self) -> int:
        """Return the number of patterns that clients are subscribed to.

        Since 2.8.0, https://redis.io/commands/pubsub-numpat/
        """
        return self.execute_command("PUBSUB NUMPAT")

    @command("PUBSUB NUMSUB", reply=list_of_pairs, since="2.8.0")
    def pubsub_numsub(self, *args: KeyT) -> list[tuple[T, int]]:
        """Return a tuple for each of the channels ``args``: its name and the number of its subscribers.

        Since 2.8.0, https://redis.io/commands/pubsub-numsub/
        """
        return self.execute_command("PUBSUB NUMSUB", *args)

    @command("PUBSUB SHARDCHANNELS", since="7.0.0")
    def pubsub_shardchannels(self, pattern: PatternT = "*") -> list[T]:
        """Return the shard channels that match ``pattern`` and have a subscriber.

        Since 7.0.0, https://redis.io/commands/pubsub-shardchannels/
        """
        return self.execute_command("PUBSUB SHARDCHANNELS", pattern)

    @command("PUBSUB SHARDNUMSUB", reply=list_of_pairs, since="7.0.0")
    def pubsub_shardnumsub(self, *args: KeyT) -> list[tuple[T, int]]:
        """Return a tuple for each of the shard channels ``args``: its name and the number of its subscribers.

        Since 7.0.0, https://redis.io/commands/pubsub-shardnumsub/
        """
        return self.execute_command("PUBSUB SHARDNUMSUB", *args)

    @command("SPUBLISH", keys=1, since="7.0.0")
    def spublish(self, shard_channel: KeyT, message: EncodableT) -> int:
        """Send ``message`` to the subscribers of a shard channel; return how many of this server got it.

        In a cluster it reaches the nodes of the shard that the channel's name belongs to.

        Since 7.0.0, https://redis.io/commands/spublish/
        """
        return self.execute_command("SPUBLISH", shard_channel, message)
