"""The session: what a connection and the server tell each other about themselves.

This module owns the commands of https://redis.io/commands/?group=connection that can be sent through any connection.
Those that change it (SELECT, AUTH, HELLO ...) belong to the handshake and have no method here.
"""

from __future__ import annotations

from typing import Any

from redis.commands.group import Group
from redis.commands.replies import bool_ok, native_str
from redis.commands.spec import command
from redis.typing import EncodableT, T


def pong(response: Any) -> bool:
    """Return whether the reply is PONG."""
    return bool(native_str(response) == "PONG")


class SessionCommands(Group[T]):
    """The commands on the connection and what it is called."""

    __slots__ = ()

    @command("CLIENT GETNAME", reply=native_str, since="2.6.9")
    def client_getname(self) -> str | None:
        """Return the name of a connection of this client, always a str; None where it has none.

        Since 2.6.9, https://redis.io/commands/client-getname/
        """
        return self.execute_command("CLIENT GETNAME")

    @command("CLIENT ID", since="5.0.0")
    def client_id(self) -> int:
        """Return the number that the server gave to a connection of this client.

        Since 5.0.0, https://redis.io/commands/client-id/
        """
        return self.execute_command("CLIENT ID")

    @command(
        "CLIENT SETNAME", reply=bool_ok, since="2.6.9", request_policy="all_nodes", response_policy="all_succeeded"
    )
    def client_setname(self, name: str) -> bool:
        """Give a name to one connection of this client; return True.

        To name them all, give ``client_name`` to the client.  ResponseError where the name has a space or a newline.

        Since 2.6.9, https://redis.io/commands/client-setname/
        """
        return self.execute_command("CLIENT SETNAME", name)

    @command("ECHO")
    def echo(self, value: EncodableT) -> T:
        """Return ``value`` as the server sent it back.

        Since 1.0.0, https://redis.io/commands/echo/
        """
        return self.execute_command("ECHO", value)

    @command("PING", reply=pong, request_policy="all_shards", response_policy="all_succeeded")
    def ping(self) -> bool:
        """Return True: the server answers.

        Since 1.0.0, https://redis.io/commands/ping/
        """
        return self.execute_command("PING")
