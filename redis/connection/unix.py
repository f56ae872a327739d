"""The connection over a Unix domain socket.  It must not know more than that: all else is ``tcp.py``'s."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any, ClassVar

from redis.connection.parsers import READ_SIZE, DefaultParser
from redis.connection.tcp import Connection

LONGEST = 107
"""How many bytes the path of a socket may have; the error of the system for a longer one has no number."""


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
            sock.settimeout(self.socket_connect_timeout)
            if len(os.fsencode(self.path)) > LONGEST:
                raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
            sock.connect(self.path)
        except BaseException:
            sock.close()
            raise
        return sock
