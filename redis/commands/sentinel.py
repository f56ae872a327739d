"""The commands of a sentinel, the server that watches masters and replicas.

This module owns what is sent to one sentinel; whoever wants a connection to the master that several sentinels agree on
takes :class:`redis.sentinel.Sentinel`.  Sentinels answer to these commands alone, and other servers to none of them;
they are documented on one page, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/.
"""

from __future__ import annotations

from typing import Any

from redis.commands.args import option_words
from redis.commands.group import Group
from redis.commands.replies import bool_ok, native_str
from redis.commands.server_replies import (
    native,
    native_dict,
    parse_sentinel_get_master,
    parse_sentinel_master,
    parse_sentinel_masters,
    parse_sentinel_slaves_and_sentinels,
)
from redis.commands.spec import command, declare
from redis.typing import EncodableT, T

declare("SENTINEL DEBUG", reply=native_dict, decode=False, since="7.0.0")
declare("SENTINEL GET-PRIMARY-ADDR-BY-NAME", reply=parse_sentinel_get_master, since="Valkey 9.0.0")
declare("SENTINEL HELP", since="6.2.0")
declare("SENTINEL INFO-CACHE", since="3.2.0")
declare("SENTINEL IS-MASTER-DOWN-BY-ADDR", since="2.8.4")
declare("SENTINEL IS-PRIMARY-DOWN-BY-ADDR", since="Valkey 9.0.0")
declare("SENTINEL PENDING-SCRIPTS", since="2.8.4")
declare("SENTINEL PRIMARIES", reply=parse_sentinel_masters, decode=False, since="Valkey 9.0.0")
declare("SENTINEL PRIMARY", reply=parse_sentinel_master, decode=False, since="Valkey 9.0.0")
declare("SENTINEL SIMULATE-FAILURE", since="3.2.0")


def quorum_reply(response: Any) -> bool:
    """Return whether the sentinels can agree: the reply begins with OK."""
    return str(native_str(response)).startswith("OK")


class SentinelCommands(Group[T]):
    """The commands to a sentinel; names, addresses and states are native str in every kind of client."""

    __slots__ = ()

    def sentinel(self, *args: EncodableT) -> Any:
        """Send any command of a sentinel, such as ``sentinel("masters")``; return what the method of its name does."""
        name, *words = args
        return self.execute_command(f"SENTINEL {native_str(name).upper()}", *words)

    @command("SENTINEL CKQUORUM", reply=quorum_reply, decode=False, since="2.8.4")
    def sentinel_ckquorum(self, new_master_name: str) -> bool:
        """Return True: enough sentinels are there to agree on a failover.  ResponseError (NOQUORUM) where they are not.

        Since 2.8.4, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL CKQUORUM", new_master_name)

    @command("SENTINEL CONFIG", reply=lambda response: response, decode=False, since="6.2.0")
    def sentinel_config_get(self, name: str = "*") -> dict[str, str]:
        """Return the parameters of the sentinel that match ``name``, as str.

        Since 6.2.0, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL CONFIG", b"GET", name)
