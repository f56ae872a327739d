"""The session: what a connection and the server tell each other about themselves.

This module owns the commands of https://redis.io/commands/?group=connection.  Some change the connection that they are
sent through: a client that has a pool does not use that connection again, so they are for a client with
``single_connection_client=True``, and their docstrings say so.  What the connections of a pool are to have in common
(user, database, name, protocol) is said to the client when it is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from redis.commands.args import choice, flag_words, list_or_args, option_words, whole_milliseconds
from redis.commands.group import Group
from redis.commands.replies import bool_ok, native_str
from redis.commands.server_replies import number_or_ok, parse_client_info, parse_client_list, record
from redis.commands.spec import command, declare
from redis.exceptions import DataError
from redis.typing import EncodableT, T

TYPES = ("NORMAL", "MASTER", "REPLICA", "SLAVE", "PUBSUB")

declare("ASKING", since="3.0.0")
declare("CLIENT HELP", since="5.0.0")


def ping_reply(response: Any, **options: Any) -> Any:
    """Return what was to be sent back, else whether the reply is PONG."""
    return response if options.get("message") else bool(native_str(response) == "PONG")


def done(response: Any) -> bool:
    """Return whether something was done."""
    return bool(response)


def reset_reply(response: Any) -> bool:
    """Return whether the reply is RESET."""
    return bool(native_str(response) == "RESET")


def tracking_words(
    on: bool, clientid: int | None, prefix: Iterable[Any], bcast: bool, optin: bool, optout: bool, noloop: bool
) -> list[Any]:
    """Return the words of CLIENT TRACKING; DataError for options that exclude each other."""
    prefixes = list_or_args(prefix, ())
    if prefixes and not bcast:
        raise DataError("prefix needs bcast")
    if bcast + optin + optout > 1:
        raise DataError("bcast, optin and optout exclude each other")
    words = [b"ON" if on else b"OFF", *option_words((b"REDIRECT", clientid))]
    words += [word for each in prefixes for word in (b"PREFIX", each)]
    return words + flag_words((b"BCAST", bcast), (b"OPTIN", optin), (b"OPTOUT", optout), (b"NOLOOP", noloop))


class SessionCommands(Group[T]):
    """The commands on the connection and on the clients of the server."""

    __slots__ = ()

    @command("AUTH", reply=bool_ok)
    def auth(self, password: str, username: str | None = None) -> bool:
        """Log in as ``username``, ``"default"`` where it is None; return True.  AuthenticationError where refused.

        The connection is not used again, unless the client has ``single_connection_client=True``; give ``username`` and
        ``password`` to the client instead.  Since 1.0.0, username 6.0.0, https://redis.io/commands/auth/
        """
        return self.execute_command("AUTH", *([] if username is None else [username]), password)

    @command("CLIENT CACHING", reply=bool_ok, since="6.0.0")
    def client_caching(self, mode: str = "YES") -> bool:
        """Have the keys of the next command tracked, or with ``mode`` NO not tracked; return True.

        The connection is not used again, unless the client has ``single_connection_client=True``.  ResponseError where
        tracking is not on with OPTIN (or OPTOUT).  Since 6.0.0, https://redis.io/commands/client-caching/
        """
        return self.execute_command("CLIENT CACHING", choice("mode", mode, "YES", "NO"))

    @command("CLIENT CAPA", reply=bool_ok, since="Valkey 8.0.0")
    def client_capa(self, *capabilities: str) -> bool:
        """Tell the server what this connection understands, such as ``"redirect"``; return True.

        The connection is not used again, unless the client has ``single_connection_client=True``.

        Since Valkey 8.0.0, https://valkey.io/commands/client-capa/
        """
        return self.execute_command("CLIENT CAPA", *capabilities)

    @command("CLIENT GETNAME", reply=native_str, decode=False, since="2.6.9")
    def client_getname(self) -> str | None:
        """Return the name of a connection of this client, always a str; None where it has none.

        Since 2.6.9, https://redis.io/commands/client-getname/
        """
        return self.execute_command("CLIENT GETNAME")

    @command("CLIENT GETREDIR", since="6.0.0")
    def client_getredir(self) -> int:
        """Return the number of the client that invalidations are sent to; 0 for none, -1 where nothing is tracked.

        Since 6.0.0, https://redis.io/commands/client-getredir/
        """
        return self.execute_command("CLIENT GETREDIR")

    @command("CLIENT ID", since="5.0.0")
    def client_id(self) -> int:
        """Return the number that the server gave to a connection of this client.

        Since 5.0.0, https://redis.io/commands/client-id/
        """
        return self.execute_command("CLIENT ID")

    @command("CLIENT IMPORT-SOURCE", reply=bool_ok, since="Valkey 8.1.0")
    def client_import_source(self, mode: str) -> bool:
        """Mark this connection, ON or OFF, as one that brings data into a server that imports; return True.

        The connection is not used again, unless the client has ``single_connection_client=True``.  ResponseError where
        the server is not in import mode.  Since Valkey 8.1.0, https://valkey.io/commands/client-import-source/
        """
        return self.execute_command("CLIENT IMPORT-SOURCE", choice("mode", mode, "ON", "OFF"))

    @command("CLIENT INFO", reply=parse_client_info, decode=False, since="6.2.0")
    def client_info(self) -> dict[str, str]:
        """Return what the server knows of a connection of this client: a dict of str, as in :meth:`client_list`.

        Since 6.2.0, https://redis.io/commands/client-info/
        """
        return self.execute_command("CLIENT INFO")

    @command("CLIENT KILL", reply=number_or_ok, since="2.4.0")
    def client_kill(self, address: str) -> bool:
        """Close the connection whose client has this address, ``"host:port"``; return True.

        ResponseError where there is none.  See :meth:`client_kill_filter` for other ways to choose.

        Since 2.4.0, https://redis.io/commands/client-kill/
        """
        return self.execute_command("CLIENT KILL", address)

    def client_kill_filter(
        self,
        _id: int | None = None,
        _type: str | None = None,
        addr: str | None = None,
        skipme: bool | None = None,
        laddr: str | None = None,
        user: str | None = None,
        maxage: int | None = None,
    ) -> int:
        """Close the connections to which all of this applies; return how many there were.

        ``_type`` is NORMAL, MASTER, REPLICA, SLAVE or PUBSUB, ``addr`` the client's and ``laddr`` the server's
        ``"host:port"``, ``maxage`` the least age in seconds; with ``skipme`` False this connection is not spared.
        DataError where nothing is given.

        Since 2.8.12, laddr 6.2.0, maxage 8.0.0, https://redis.io/commands/client-kill/
        """
        kind = None if _type is None else choice("_type", _type, *TYPES)
        spared = None if skipme is None else (b"YES" if skipme else b"NO")
        words = option_words((b"ID", _id), (b"TYPE", kind), (b"ADDR", addr), (b"SKIPME", spared))
        words += option_words((b"LADDR", laddr), (b"USER", user), (b"MAXAGE", maxage))
        if not words:
            raise DataError("client_kill_filter needs one of _id, _type, addr, skipme, laddr, user and maxage")
        return self.execute_command("CLIENT KILL", *words)

    @command("CLIENT LIST", reply=parse_client_list, decode=False, since="2.4.0")
    def client_list(self, _type: str | None = None, client_id: int | Iterable[int] = ()) -> list[dict[str, str]]:
        """Return what the server knows of its connections: a dict of str each, ``id``, ``addr``, ``name`` ...

        ``_type`` is NORMAL, MASTER, REPLICA, SLAVE or PUBSUB; ``client_id`` is one number or several.

        Since 2.4.0, _type 5.0.0, client_id 6.2.0, https://redis.io/commands/client-list/
        """
        words = [] if _type is None else [b"TYPE", choice("_type", _type, *TYPES)]
        numbers = list_or_args(client_id, ())
        return self.execute_command("CLIENT LIST", *words, *flag_words((b"ID", numbers)), *numbers)

    @command("CLIENT NO-EVICT", reply=bool_ok, since="7.0.0")
    def client_no_evict(self, mode: str) -> bool:
        """Have the server spare this connection, ON or OFF, when it closes some to save memory; return True.

        The connection is not used again, unless the client has ``single_connection_client=True``.

        Since 7.0.0, https://redis.io/commands/client-no-evict/
        """
        return self.execute_command("CLIENT NO-EVICT", choice("mode", mode, "ON", "OFF"))

    @command("CLIENT NO-TOUCH", reply=bool_ok, since="7.2.0")
    def client_no_touch(self, mode: str) -> bool:
        """Have the commands of this connection, ON or OFF, not count as an access to their keys; return True.

        The connection is not used again, unless the client has ``single_connection_client=True``.

        Since 7.2.0, https://redis.io/commands/client-no-touch/
        """
        return self.execute_command("CLIENT NO-TOUCH", choice("mode", mode, "ON", "OFF"))

    @command("CLIENT PAUSE", reply=bool_ok, since="2.9.50")
    def client_pause(self, timeout: int | timedelta, all: bool = True) -> bool:
        """Have the server let clients wait for ``timeout`` milliseconds (or a timedelta); return True.

        With ``all`` False only commands that write wait.  Since 2.9.50, all 6.2.0, https://redis.io/commands/client-pause/
        """
        return self.execute_command("CLIENT PAUSE", whole_milliseconds(timeout), *flag_words((b"WRITE", not all)))

    @command("CLIENT REPLY", reply=bool_ok, since="3.2.0")
    def client_reply(self, reply: str) -> bool:
        """Have the server answer, which is what ``"ON"`` means; return True.

        DataError for OFF and SKIP: a client cannot wait for a reply that does not come.

        Since 3.2.0, https://redis.io/commands/client-reply/
        """
        return self.execute_command("CLIENT REPLY", choice("reply", reply, "ON", "OFF", "SKIP"))

    @command(
        "CLIENT SETINFO", reply=bool_ok, since="7.2.0", request_policy="all_nodes", response_policy="all_succeeded"
    )
    def client_setinfo(self, attr: str, value: str) -> bool:
        """Set ``"LIB-NAME"`` or ``"LIB-VER"`` of one connection, for the list of clients; return True.

        To set it for all, give ``lib_name`` and ``lib_version`` to the client.

        Since 7.2.0, https://redis.io/commands/client-setinfo/
        """
        return self.execute_command("CLIENT SETINFO", choice("attr", attr, "LIB-NAME", "LIB-VER"), value)

    @command(
        "CLIENT SETNAME", reply=bool_ok, since="2.6.9", request_policy="all_nodes", response_policy="all_succeeded"
    )
    def client_setname(self, name: str) -> bool:
        """Give a name to one connection of this client; return True.

        To name them all, give ``client_name`` to the client.  ResponseError where the name has a space or a newline.

        Since 2.6.9, https://redis.io/commands/client-setname/
        """
        return self.execute_command("CLIENT SETNAME", name)

    @command("CLIENT TRACKING", reply=bool_ok, since="6.0.0")
    def client_tracking(
        self,
        on: bool = True,
        clientid: int | None = None,
        prefix: Iterable[Any] = (),
        bcast: bool = False,
        optin: bool = False,
        optout: bool = False,
        noloop: bool = False,
    ) -> bool:
        """Have the server tell when keys that this connection read change, or no more; return True.

        ``clientid`` is the connection that is told.  ``bcast`` tells of all keys, or of those that begin with one of
        ``prefix``; ``optin`` and ``optout`` turn tracking about, see :meth:`client_caching`; ``noloop`` leaves out the
        connection's own changes.  DataError where bcast, optin and optout are mixed, or for a prefix without bcast.

        The connection is not used again, unless the client has ``single_connection_client=True``.

        Since 6.0.0, https://redis.io/commands/client-tracking/
        """
        words = tracking_words(on, clientid, prefix, bcast, optin, optout, noloop)
        return self.execute_command("CLIENT TRACKING", *words)

    def client_tracking_on(
        self,
        clientid: int | None = None,
        prefix: Iterable[Any] = (),
        bcast: bool = False,
        optin: bool = False,
        optout: bool = False,
        noloop: bool = False,
    ) -> bool:
        """Turn tracking on: :meth:`client_tracking` with ``on`` True."""
        return self.client_tracking(True, clientid, prefix, bcast, optin, optout, noloop)

    def client_tracking_off(
        self,
        clientid: int | None = None,
        prefix: Iterable[Any] = (),
        bcast: bool = False,
        optin: bool = False,
        optout: bool = False,
        noloop: bool = False,
    ) -> bool:
        """Turn tracking off: :meth:`client_tracking` with ``on`` False."""
        return self.client_tracking(False, clientid, prefix, bcast, optin, optout, noloop)

    @command("CLIENT TRACKINGINFO", reply=record(), decode=False, since="6.2.0")
    def client_trackinginfo(self) -> dict[str, Any]:
        """Return how a connection of this client tracks: a dict with ``flags``, ``redirect`` and ``prefixes``.

        Since 6.2.0, https://redis.io/commands/client-trackinginfo/
        """
        return self.execute_command("CLIENT TRACKINGINFO")

    @command("CLIENT UNBLOCK", reply=done, since="5.0.0")
    def client_unblock(self, client_id: int, error: bool = False) -> bool:
        """End the blocking command of another connection; return whether there was one.

        It ends as if its time were over, with ``error`` with an error (UNBLOCKED).

        Since 5.0.0, https://redis.io/commands/client-unblock/
        """
        return self.execute_command("CLIENT UNBLOCK", client_id, *flag_words((b"ERROR", error)))

    @command("CLIENT UNPAUSE", reply=bool_ok, since="6.2.0")
    def client_unpause(self) -> bool:
        """End what :meth:`client_pause` began; return True.

        Since 6.2.0, https://redis.io/commands/client-unpause/
        """
        return self.execute_command("CLIENT UNPAUSE")

    @command("ECHO")
    def echo(self, value: EncodableT) -> T:
        """Return ``value`` as the server sent it back.

        Since 1.0.0, https://redis.io/commands/echo/
        """
        return self.execute_command("ECHO", value)

    @command("HELLO", reply=record(modules=lambda all_of: [*map(record(), all_of)]), decode=False, since="6.0.0")
    def hello(
        self,
        protover: int | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        clientname: str | None = None,
    ) -> dict[str, Any]:
        """Return what the server says of itself and of this connection, after a change of protocol, user or name.

        A dict of native str: ``server``, ``version``, ``proto``, ``id``, ``mode``, ``role``, ``modules``.  DataError
        for a user or a name without ``protover``, which is 2 or 3, and for one of ``username`` and ``password`` alone.

        The connection is not used again, unless the client has ``single_connection_client=True``; give ``protocol`` to
        the client instead.  Since 6.0.0, https://redis.io/commands/hello/
        """
        if (username is None) != (password is None):
            raise DataError("username and password need each other")
        words = [] if username is None else [b"AUTH", username, password]
        words += option_words((b"SETNAME", clientname))
        if words and protover is None:
            raise DataError("username, password and clientname need protover")
        version = [] if protover is None else [protover]
        return self.execute_command("HELLO", *version, *words)

    @command("PING", reply=ping_reply, request_policy="all_shards", response_policy="all_succeeded")
    def ping(self, message: EncodableT | None = None) -> Any:
        """Return True: the server answers.  With ``message`` return that, as the server sent it back.

        Since 1.0.0, message 2.8.0, https://redis.io/commands/ping/
        """
        if message is None:
            return self.execute_command("PING")
        return self.execute_command("PING", message, message=True)

    @command("QUIT", reply=bool_ok)
    def quit(self) -> bool:
        """Have the server close this connection once it has answered; return True.  ``close()`` needs no such farewell.

        Since 1.0.0, https://redis.io/commands/quit/
        """
        return self.execute_command("QUIT")

    @command("READONLY", reply=bool_ok, since="3.0.0")
    def readonly(self) -> bool:
        """Let this connection read from a replica of a cluster; return True.

        The connection is not used again, unless the client has ``single_connection_client=True``.

        Since 3.0.0, https://redis.io/commands/readonly/
        """
        return self.execute_command("READONLY")

    @command("READWRITE", reply=bool_ok, since="3.0.0")
    def readwrite(self) -> bool:
        """Undo :meth:`readonly`; return True.

        The connection is not used again, unless the client has ``single_connection_client=True``.

        Since 3.0.0, https://redis.io/commands/readwrite/
        """
        return self.execute_command("READWRITE")

    @command("RESET", reply=reset_reply, since="6.2.0")
    def reset(self) -> bool:
        """Put this connection into the state of a new one: no user, database 0, no name, RESP2; return True.

        The connection is not used again, unless the client has ``single_connection_client=True``; with a password it
        must log in again then.  Since 6.2.0, https://redis.io/commands/reset/
        """
        return self.execute_command("RESET")

    @command("SELECT", reply=bool_ok)
    def select(self, index: int) -> bool:
        """Use the database ``index``; return True.

        The connection is not used again, unless the client has ``single_connection_client=True``; give ``db`` to the
        client instead.  Since 1.0.0, https://redis.io/commands/select/
        """
        return self.execute_command("SELECT", index)
