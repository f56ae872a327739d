"""The commands of a sentinel, the server that watches masters and replicas.

This module owns what is sent to one sentinel; whoever wants a connection to the master that several sentinels agree on
takes :class:`redis.sentinel.Sentinel`.  Sentinels answer to these commands alone, and other servers to none of them;
they are documented on one page, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/.
"""

from __future__ import annotations

from typing import Any

from redis.commands.group import Group
from redis.commands.replies import bool_ok, native_str
from redis.commands.server_replies import (
    native_dict,
    parse_sentinel_get_master,
    parse_sentinel_master,
    parse_sentinel_masters,
    parse_sentinel_slaves_and_sentinels,
)
from redis.commands.spec import command, declare, known_name
from redis.typing import EncodableT, T

declare("SENTINEL DEBUG", reply=native_dict, decode=False, since="7.0.0")
declare("SENTINEL GET-PRIMARY-ADDR-BY-NAME", reply=parse_sentinel_get_master, since="Valkey 8.0.0")
declare("SENTINEL HELP", since="6.2.0")
declare("SENTINEL INFO-CACHE", since="3.2.0")
declare("SENTINEL IS-MASTER-DOWN-BY-ADDR", since="2.8.4")
declare("SENTINEL IS-PRIMARY-DOWN-BY-ADDR", since="Valkey 8.0.0")
declare("SENTINEL PENDING-SCRIPTS", since="2.8.4")
declare("SENTINEL PRIMARIES", reply=parse_sentinel_masters, decode=False, since="Valkey 8.0.0")
declare("SENTINEL PRIMARY", reply=parse_sentinel_master, decode=False, since="Valkey 8.0.0")
declare("SENTINEL SIMULATE-FAILURE", since="3.2.0")


def quorum_reply(response: Any) -> bool:
    """Return whether the sentinels can agree: the reply begins with OK."""
    return str(native_str(response)).startswith("OK")


def config_reply(response: Any) -> Any:
    """Return the parameters as a dict of str, or whether one was set."""
    return native_dict(response) if isinstance(response, (list, dict)) else bool_ok(response)


class SentinelCommands(Group[T]):
    """The commands to a sentinel; names, addresses and states are native str in every kind of client."""

    __slots__ = ()

    def sentinel(self, *args: EncodableT) -> Any:
        """Send any command of a sentinel, such as ``sentinel("masters")``; return what the method of its name does."""
        name, *words = args
        return self.execute_command(*known_name("SENTINEL", name), *words)

    @command("SENTINEL CKQUORUM", reply=quorum_reply, decode=False, since="2.8.4")
    def sentinel_ckquorum(self, new_master_name: str) -> bool:
        """Return True: enough sentinels are there to agree on a failover.  ResponseError (NOQUORUM) where they are not.

        Since 2.8.4, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL CKQUORUM", new_master_name)

    @command("SENTINEL CONFIG", reply=config_reply, decode=False, since="6.2.0")
    def sentinel_config_get(self, name: str = "*") -> dict[str, str]:
        """Return the parameters of the sentinel itself that match ``name``, and their values.

        Since 6.2.0, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL CONFIG", b"GET", name)

    def sentinel_config_set(self, name: str, value: EncodableT) -> bool:
        """Set a parameter of the sentinel itself; return True.  ResponseError where there is none of that name.

        Since 6.2.0, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL CONFIG", b"SET", name, value)

    @command("SENTINEL FAILOVER", reply=bool_ok, since="2.8.4")
    def sentinel_failover(self, new_master_name: str) -> bool:
        """Have the sentinel put a replica into the master's place, asking no other sentinel; return True.

        ResponseError where no replica is fit for it.

        Since 2.8.4, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL FAILOVER", new_master_name)

    @command("SENTINEL FLUSHCONFIG", reply=bool_ok, since="2.8.4")
    def sentinel_flushconfig(self) -> bool:
        """Have the sentinel write its configuration file anew; return True.

        Since 2.8.4, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL FLUSHCONFIG")

    @command("SENTINEL GET-MASTER-ADDR-BY-NAME", reply=parse_sentinel_get_master, since="2.8.4")
    def sentinel_get_master_addr_by_name(self, service_name: str) -> tuple[T, int] | None:
        """Return host (bytes or str, as values are) and port of the master; None where the sentinel does not know it.

        Since 2.8.4, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", service_name)

    @command("SENTINEL MASTER", reply=parse_sentinel_master, decode=False, since="2.8.4")
    def sentinel_master(self, service_name: str) -> dict[str, Any]:
        """Return what the sentinel knows of a master.

        A dict: ``name``, ``ip``, ``flags`` ... are str, ports, times (in milliseconds) and counts are int, and what the
        flags say is also there as bool: ``is_master``, ``is_slave``, ``is_sentinel``, ``is_sdown``, ``is_odown``,
        ``is_disconnected``, ``is_master_down``.  ResponseError where the sentinel does not know it.

        Since 2.8.4, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL MASTER", service_name)

    @command("SENTINEL MASTERS", reply=parse_sentinel_masters, decode=False, since="2.8.4")
    def sentinel_masters(self) -> dict[str, dict[str, Any]]:
        """Return what the sentinel knows of each of its masters, by their names; see :meth:`sentinel_master`.

        Since 2.8.4, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL MASTERS")

    @command("SENTINEL MONITOR", reply=bool_ok, since="2.8.4")
    def sentinel_monitor(self, name: str, ip: str, port: int, quorum: int) -> bool:
        """Have the sentinel watch a master by this name; return True.

        ``quorum`` is how many sentinels must agree that it is down.  ResponseError where the name is taken.

        Since 2.8.4, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL MONITOR", name, ip, port, quorum)

    @command("SENTINEL MYID", reply=native_str, decode=False, since="6.2.0")
    def sentinel_myid(self) -> str:
        """Return the identifier of the sentinel.

        Since 6.2.0, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL MYID")

    @command("SENTINEL REMOVE", reply=bool_ok, since="2.8.4")
    def sentinel_remove(self, name: str) -> bool:
        """Have the sentinel watch a master no more; return True.  ResponseError where it does not know it.

        Since 2.8.4, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL REMOVE", name)

    @command("SENTINEL REPLICAS", reply=parse_sentinel_slaves_and_sentinels, decode=False, since="5.0.0")
    def sentinel_replicas(self, service_name: str) -> list[dict[str, Any]]:
        """Return what the sentinel knows of the replicas of a master; see :meth:`sentinel_master`.

        Since 5.0.0, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL REPLICAS", service_name)

    @command("SENTINEL RESET", since="2.8.4")
    def sentinel_reset(self, pattern: str) -> int:
        """Have the sentinel forget replicas and sentinels of the masters that match; return how many masters these are.

        Since 2.8.4, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL RESET", pattern)

    @command("SENTINEL SENTINELS", reply=parse_sentinel_slaves_and_sentinels, decode=False, since="2.8.4")
    def sentinel_sentinels(self, service_name: str) -> list[dict[str, Any]]:
        """Return what the sentinel knows of the other sentinels of a master; see :meth:`sentinel_master`.

        Since 2.8.4, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL SENTINELS", service_name)

    @command("SENTINEL SET", reply=bool_ok, since="2.8.4")
    def sentinel_set(self, name: str, option: str, value: EncodableT) -> bool:
        """Set an option of a master, such as ``"quorum"``; return True.  ResponseError for what cannot be set.

        Since 2.8.4, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL SET", name, option, value)

    @command("SENTINEL SLAVES", reply=parse_sentinel_slaves_and_sentinels, decode=False, since="2.8.0")
    def sentinel_slaves(self, service_name: str) -> list[dict[str, Any]]:
        """Return what :meth:`sentinel_replicas` does, under the older name, which every version knows.

        Since 2.8.0, https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/
        """
        return self.execute_command("SENTINEL SLAVES", service_name)
