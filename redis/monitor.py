"""MONITOR: every command that the server executes, as it does.

This module owns how a line of MONITOR is read.  It must not know how bytes travel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from redis.exceptions import InvalidResponse, RedisError

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

    def __enter__(self) -> Monitor:
        self.connection = self.connection_pool.get_connection("MONITOR")
        self.connection.send_command("MONITOR")
        self.connection.read_response()
        return self

    def __exit__(self, exc_type: type | None, exc_value: BaseException | None, traceback: TracebackType | None) -> None:
        connection, self.connection = self.connection, None
        connection.disconnect()
        self.connection_pool.release(connection)

    def next_command(self) -> dict[str, Any]:
        """Wait for the next command and return it.

        A dict with ``time`` (seconds since 1970, a float), ``db``, ``client_address``, ``client_port`` (both ``""`` for
        a script), ``client_type`` (``"tcp"``, ``"unix"`` or ``"lua"``) and ``command``, its words with a space between.
        """
        if self.connection is None:
            raise RedisError("a Monitor listens inside of its with block")
        while not self.connection.can_read(1.0):
            pass  # it may take as long as it takes: no time-out of the socket is for this
        return parse_line(self.connection.read_response(disable_decoding=True).decode("utf-8", "replace"))

    def listen(self) -> Iterator[dict[str, Any]]:
        """Yield command after command."""
        while True:
            yield self.next_command()


def parse_line(line: str) -> dict[str, Any]:
    """What a line of MONITOR says; InvalidResponse where it is none."""
    found = LINE.fullmatch(line)
    if found is None:
        raise InvalidResponse(f"this is no line of MONITOR: {line[:80]!r}")
    address, port, kind = client_of(found["client"])
    return {
        "time": float(found["time"]),
        "db": int(found["db"]),
        "client_address": address,
        "client_port": port,
        "client_type": kind,
        "command": " ".join(WORD.findall(found["command"])),
    }


def client_of(client: str) -> tuple[str, str, str]:
    """Address, port and kind of the client in a line of MONITOR."""
    if client == "lua":
        return "", "", "lua"
    if client.startswith("unix:"):
        return "unix", client.removeprefix("unix:"), "unix"
    address, _, port = client.rpartition(":")
    return address.strip("[]"), port, "tcp"
