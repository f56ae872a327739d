"""The connection over a Unix domain socket.  It must not know more than that: all else is ``tcp.py``'s."""

from __future__ import annotations

import errno
import os
import socket
from math import inf
from time import monotonic, sleep
from typing import Any, ClassVar

from redis.connection.deadline import at_most, in_time
from redis.connection.outcome import is_foreign
from redis.connection.parsers import READ_SIZE, DefaultParser
from redis.connection.tcp import Connection

LONGEST = 107
"""How many bytes the path of a socket may have; the error of the system for a longer one has no number."""
PAUSE = 0.01
"""Seconds: how soon a server whose queue was full is asked again."""


class UnixDomainSocketConnection(Connection):
    """A connection over a Unix domain socket, to the path of a server on the same machine."""

    description_format: ClassVar[str] = "UnixDomainSocketConnection<path=%(path)s,db=%(db)s>"

    def __init__(
        self,
        path: str = "",
        db: int = 0,
        password: str | None = None,
        socket_timeout: float | None = None,
        encoding: str = "utf-8",
        encoding_errors: str = "strict",
        decode_responses: bool = False,
        retry_on_timeout: bool = False,
        parser_class: type[Any] = DefaultParser,
        socket_read_size: int = READ_SIZE,
        **options: Any,
    ) -> None:
        super().__init__(
            db=db,
            password=password,
            socket_timeout=socket_timeout,
            encoding=encoding,
            encoding_errors=encoding_errors,
            decode_responses=decode_responses,
            retry_on_timeout=retry_on_timeout,
            parser_class=parser_class,
            socket_read_size=socket_read_size,
            **options,
        )
        self.path = path

    def __repr__(self) -> str:
        return self.description_format % {"path": self.path, "db": self.identity.db}

    @property
    def address(self) -> str:
        return self.path

    def _connect(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if len(os.fsencode(self.path)) > LONGEST:
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
            self._connect_in_time(sock)
        except BaseException:
            sock.close()
            raise
        return sock

    def _connect_in_time(self, sock: socket.socket) -> None:
        """Connect; a server whose queue is full is asked again, for with a time-out the system itself does not wait."""
        seconds = self.socket_connect_timeout
        ends = inf if seconds is None else monotonic() + seconds
        while True:
            sock.settimeout(in_time(seconds))
            try:
                return sock.connect(self.path)
            except BlockingIOError as error:
                if is_foreign(error) or monotonic() > ends:
                    raise
            sleep(at_most(PAUSE))
