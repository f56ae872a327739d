"""MONITOR: every command that the server executes, as it does.

This module owns how a line of MONITOR is read.  It must not know how bytes travel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from redis.exceptions import ConnectionError, InvalidResponse, RedisError, TimeoutError

LINE = re.compile(r"(?P<time>[0-9.]+) \[(?P<db>[0-9]+) (?P<client>.*?)\] (?P<command>\".*)", re.DOTALL)
WORD = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


class Monitor:
    """Listens to all that the server executes, over a connection of its own that is closed at the end.

    Use it as a context manager::

        with client.monitor() as monitor:
            for command in monitor.listen():
                print(command["command"])
    """

    def __init__(self, connection_pool: Any) -> None:
        self.connection_pool = connection_pool
        self.connection: Any = None
        #: The socket that MONITOR was sent over.
        self._link: Any = None

    def __enter__(self) -> Self:
        self.connection = self.connection_pool.get_connection("MONITOR")
        try:
            getattr(self.connection, "doing", bool)("MONITOR")
            self.connection.send_command("MONITOR")
            self.connection.read_response()
            self._link = getattr(self.connection, "_sock", None)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, exc_type: type | None, exc_value: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection: the server would go on for ever."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.disconnect()
            self.connection_pool.release(connection)

    def next_command(self) -> dict[str, Any]:
        """Wait for the next command and return it.

        A dict with ``time`` (seconds since 1970, a float), ``db``, ``client_address``, ``client_port`` (both ``""`` for
        a script), ``client_type`` (``"tcp"``, ``"unix"`` or ``"lua"``) and ``command``: its words with a space between,
        a quote as it is, a byte that cannot be printed as the server writes it, such as ``\\x00``.

        ConnectionError where the connection was lost, and the Monitor is closed then: what was executed in the meantime
        nobody knows.
        """
        connection = self.connection
        if connection is None:
            raise RedisError("a Monitor listens inside of its with block, until its connection is lost")
        try:
            while not connection.can_read(1.0):  # however long it takes: no time-out of the socket is for this
                if getattr(connection, "_sock", None) is not self._link:
                    raise ConnectionError("the connection of this Monitor was closed")
            line = connection.read_response(disable_decoding=True)
        except (ConnectionError, TimeoutError):
            self.close()
            raise
        return parse_line(line.decode("utf-8", "replace"))

    def listen(self) -> Iterator[dict[str, Any]]:
        """Yield command after command."""
        while True:
            yield self.next_command()


def parse_line(line: str) -> dict[str, Any]:
    """What a line of MONITOR says; InvalidResponse where it is none."""
    found = LINE.fullmatch(line)
    if found is None:
        raise InvalidResponse(f"this is no line of MONITOR ({len(line)} characters)")
    address, port, kind = client_of(found["client"])
    return {
        "time": float(found["time"]),
        "db": int(found["db"]),
        "client_address": address,
        "client_port": port,
        "client_type": kind,
        "command": " ".join(WORD.findall(found["command"])).replace('\\"', '"'),
    }


def client_of(client: str) -> tuple[str, str, str]:
    """Address, port and kind of the client in a line of MONITOR."""
    if client == "lua":
        return "", "", "lua"
    if client.startswith("unix:"):
        return "unix", client.removeprefix("unix:"), "unix"
    address, _, port = client.rpartition(":")
    return address.strip("[]"), port, "tcp"
