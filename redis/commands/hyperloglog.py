"""HyperLogLogs: a key that counts different elements in 12 kilobytes at most, with an error of 0.81 percent.

This module owns the commands of https://redis.io/commands/?group=hyperloglog that are not for the server's own tests.
"""

from __future__ import annotations

from redis.commands.group import Group
from redis.commands.replies import bool_ok
from redis.commands.spec import command
from redis.typing import EncodableT, KeyT, T


class HyperLogLogCommands(Group[T]):
    """The commands on HyperLogLogs."""

    __slots__ = ()

    @command("PFADD", keys=1, write=True, since="2.8.9")
    def pfadd(self, name: KeyT, *values: EncodableT) -> int:
        """Count the elements ``values``; return 1 if that changed the estimate or made the key, else 0.

        Since 2.8.9, https://redis.io/commands/pfadd/
        """
        return self.execute_command("PFADD", name, *values)

    @command("PFCOUNT", keys=slice(1, None), readonly=True, since="2.8.9")
    def pfcount(self, *sources: KeyT) -> int:
        """Return about how many different elements all of ``sources`` together have counted.

        Since 2.8.9, https://redis.io/commands/pfcount/
        """
        return self.execute_command("PFCOUNT", *sources)

    @command("PFMERGE", keys=slice(1, None), write=True, reply=bool_ok, since="2.8.9")
    def pfmerge(self, dest: KeyT, *sources: KeyT) -> bool:
        """Add to ``dest``, made if need be, all that ``sources`` have counted; return True.

        Since 2.8.9, https://redis.io/commands/pfmerge/
        """
        return self.execute_command("PFMERGE", dest, *sources)
