"""Connections to a server that moves: their pool says where it is at the moment, and the server confirms it.

Each time such a connection is made it asks the pool for addresses, and the server that it finds there for its role.  A
server whose role is not what the pool wants is left at once, and the next address is tried.  All of this happens before
a command is sent, so whatever fails here is a NotSent.

A master that has become a replica refuses writes.  It has executed nothing, so the command may travel once more, to the
new master.

This module must not know sentinels: where to look is the pool's business.
"""

from __future__ import annotations

import socket
from typing import Any

from redis.connection.deadline import has_passed
from redis.connection.outcome import CLOSING, NotSent, Refused, what_happened
from redis.connection.tcp import Connection
from redis.connection.tls import SSLConnection
from redis.connection.wire import NEVER
from redis.exceptions import (
    ConnectionError,
    MasterNotFoundError,
    ReadOnlyError,
    RedisError,
    SlaveNotFoundError,
    TimeoutError,
)
from redis.protocol.errors import ErrorReply, error_from
from redis.protocol.packer import Packed

Address = tuple[str, int]

CONNECT_TIMEOUT = 5.0
"""Seconds for connecting and shaking hands where nothing else was said: a dead master must not hold anybody up."""
DEMOTED = "The previous master is now a slave"
UNBLOCKED = "UNBLOCKED force unblock"
"""How a master that becomes a replica ends the commands that wait on it."""


class SentinelManagedConnection(Connection):
    """A connection over TCP to the master of a service or to one of its replicas, wherever that is."""

    def __init__(
        self,
        *,
        connection_pool: Any = None,
        socket_timeout: float | None = None,
        socket_connect_timeout: float | None = None,
        **options: Any,
    ) -> None:
        patience = socket_connect_timeout or socket_timeout or CONNECT_TIMEOUT
        super().__init__(socket_timeout=socket_timeout, socket_connect_timeout=patience, **options)
        self.connection_pool = connection_pool
        #: Where it is connected, or was last; and what the pool calls that, should a subclass know another way there.
        self.host, self.port = "", 0
        self.place: Address | None = None

    def __repr__(self) -> str:
        place = f",host={self.host},port={self.port}" if self.host else ""
        return f"{type(self).__name__}<service={self.connection_pool.service_name}{place}>"

    @property
    def address(self) -> str:
        """Where it is connected, or was last; before that the name of the service."""
        return super().address if self.host else str(self.connection_pool.service_name)

    # Where to.

    def establish(self) -> None:
        """Connect to the first address that proves to be the right one; NotSent where none does."""
        refusals: list[str] = []
        in_time = True
        try:
            for address in self.connection_pool.addresses():
                self.place = address
                try:
                    return self.connect_to(address)
                except (
                    NotSent
                ) as fault:  # its text alone is kept: with its traceback it would keep the connection alive
                    in_time = not fault.timed_out
                    refusals.append(what_happened(fault, self.address))
        except (MasterNotFoundError, SlaveNotFoundError) as error:
            raise NotSent("connect") from with_refusals(in_its_class(error), refusals)
        refusals.append(self.connection_pool.account())
        raise NotSent("connect") from with_refusals(ConnectionError() if in_time else TimeoutError(), refusals)

    def connect_to(self, address: Address) -> None:
        """Connect to an address, host and port; NotSent where that fails, or where the server has another role."""
        self.host, self.port = address
        super().establish()

    def on_connect(self) -> None:
        """Shake hands, and make sure that the server is what it was taken for."""
        super().on_connect()
        objection = self.connection_pool.objection(self.place, self._role())
        if objection:
            raise NotSent("handshake") from ConnectionError(f"{self.address} {objection}.")

    def _role(self) -> str | None:
        """``"master"`` or ``"slave"``, as the server says; None where it does not tell this user."""
        (reply,) = self._exchange([(b"ROLE",)])
        if isinstance(reply, list):
            return text_of(reply[0])
        (reply,) = self._exchange([(b"HELLO",)])  # every user may send it; a server before version 6 does not know it
        pairs = dict(zip(reply[::2], reply[1::2])) if isinstance(reply, list) else reply
        facts = {text_of(name): value for name, value in pairs.items()} if isinstance(pairs, dict) else {}
        return {"master": "master", "replica": "slave"}.get(text_of(facts.get("role")))

    # Away from there.

    def recall(self) -> None:
        """From another thread: have the connection closed, and wake whoever waits for an answer of the old server.

        The stream is ended even with ``fork_safe``: it leads to a server that nobody wants, and a child of a fork has
        given up its descriptor.  Should the descriptor be closed this very moment, and its number be given to another
        socket, that one ends: an honest error, and no wrong answer.
        """
        self.used = NEVER
        sock = self._sock
        if sock is not None:
            with CLOSING:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # a TLS socket's own disarms it under who reads it

    def call(self, data: Packed) -> Any:
        """As of any connection; a master that is none any more is left."""
        reply = super().call(data)
        if reply.__class__ is ErrorReply:
            self._look_at(reply)
        return reply

    def exchange(self, data: Packed, changes: bool = False, wait: float | None = None, decode: bool = True) -> Any:
        """The same for a special command."""
        reply = super().exchange(data, changes, wait, decode)
        if reply.__class__ is ErrorReply:
            self._look_at(reply)
        return reply

    def accept(self, replies: list[Any], atomic: bool) -> list[Any]:
        """The replies to a batch; NotSent where a master that is none any more has executed nothing of it."""
        refused = [reply for reply in replies if reply.__class__ is ErrorReply and str(reply).startswith("READONLY")]
        if refused and (atomic or len(refused) == len(replies)):
            self._look_at(refused[0])
        return replies

    def read_response(self, disable_decoding: bool = False, push_request: bool = False) -> Any:
        """As of any connection; a master that is none any more is a ConnectionError, but among several replies."""
        try:
            return super().read_response(disable_decoding, push_request)
        except ReadOnlyError as error:
            if self._doing == "pipeline" or not self.connection_pool.is_master:
                raise
            self.connection_pool.leave(self.place)
            fault = NotSent("recv")
            fault.__cause__ = demotion(error)
            raise self._public(fault, applied=False) from error

    def _look_at(self, reply: ErrorReply) -> None:
        """Leave a master that says that it is none any more; NotSent, for it has executed nothing."""
        text = str(reply)
        if self.connection_pool.is_master and text.startswith(("READONLY", UNBLOCKED)):
            self.connection_pool.leave(self.place)
            # What waited is not sent again: its time would begin anew.
            raise (Refused if text.startswith(UNBLOCKED) else NotSent)("recv") from demotion(error_from(reply))


class SentinelManagedSSLConnection(SentinelManagedConnection, SSLConnection):
    """The same over TLS."""


def text_of(word: Any) -> str:
    """A word of a reply as text, whatever the parser made of it."""
    return word.decode() if isinstance(word, bytes) else str(word)


def in_its_class(error: ConnectionError) -> ConnectionError | TimeoutError:
    """The error of a search that was in vain; where the deadline has passed meanwhile, that is why."""
    return TimeoutError(*error.args) if has_passed() else error


def demotion(said: RedisError) -> ConnectionError:
    """What it means that a master says this."""
    error = ConnectionError(DEMOTED)
    error.__cause__, error.maybe_applied = said, False
    return error


def with_refusals(error: ConnectionError | TimeoutError, refusals: list[str]) -> ConnectionError | TimeoutError:
    """The error, with what was found at each address in its text."""
    sentences = filter(None, [*map(str, error.args), *refusals])
    error.args = (" ".join(f"{sentence.rstrip('. ')}." for sentence in sentences),)
    return error
