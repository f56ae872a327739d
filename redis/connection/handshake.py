"""What a connection says before its first command: who it is, in which protocol, on which database.

The whole handshake is one batch of commands, written at once and read at once, and judged here.  Its words are bytes,
so that no charset touches them; names and passwords are the user's, and are encoded as his.  This module must not know
sockets: whoever calls :func:`shake_hands` brings a function that sends a batch and yields its replies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn

from redis.connection.outcome import annotate, said_by_server
from redis.exceptions import ConnectionError, RedisError
from redis.protocol.errors import ErrorReply, error_from
from redis.protocol.masking import stay_here
from redis.typing import CredentialProvider

Words = tuple[Any, ...]
Exchange = Callable[[list[Words]], Iterator[Any]]

LIB_NAME = "redispy"


class Identity(NamedTuple):
    """Who connects, and to what."""

    db: Any = 0
    username: str | None = None
    password: str | None = None
    credential_provider: CredentialProvider | None = None
    client_name: str | None = None
    lib_name: str | None = LIB_NAME
    lib_version: str | None = None
    protocol: int = 2

    def __repr__(self) -> str:
        return f"Identity(db={self.db}, username={self.username!r}, protocol={self.protocol})"  # and no password

    def __getstate__(self) -> NoReturn:
        stay_here(self)

    def credentials(self) -> Words:
        """``()``, ``(password,)`` or ``(username, password)``."""
        if self.credential_provider is not None:
            return tuple(self.credential_provider.get_credentials())
        if self.username:
            return (self.username, self.password or "")
        return (self.password,) if self.password else ()


def shake_hands(exchange: Exchange, identity: Identity, address: str, serial: int | None = None) -> int:
    """Introduce the connection and return the protocol that it speaks from now on, 2 or 3.

    ``serial`` is the number of the connection, which the errors bear.

    A server that does not know HELLO is spoken to in RESP2.  Whatever else the server refuses is raised, but for the
    name and the version of the library, which old servers do not take.
    """
    credentials, version = identity.credentials(), identity.protocol
    refused: RedisError | None = None
    if version == 3:
        hello = (b"HELLO", b"3", *hello_credentials(credentials))
        refused = introduce(exchange, identity, hello, address, serial)
        version = 2 if refused is not None and unknown_hello(refused) else 3
    if version == 2:
        refused = introduce(exchange, identity, (b"AUTH", *credentials) if credentials else None, address, serial)
    try:
        if refused is not None:
            raise refused
    finally:
        del refused  # with the frames of its traceback it would be a cycle, and keep the connection alive
    return version


def introduce(
    exchange: Exchange, identity: Identity, first: Words | None, address: str, serial: int | None
) -> RedisError | None:
    """Send ``first`` and all that follows it; return the first refusal that matters, None if there is none."""
    needed = [first] if first else []
    if identity.client_name:
        needed.append((b"CLIENT", b"SETNAME", identity.client_name))
    if identity.db:
        needed.append((b"SELECT", str(identity.db).encode()))
    batch = needed + library_info(identity)
    refusals: list[RedisError] = []
    for words, reply in zip(batch, exchange(batch)):
        if isinstance(reply, RedisError):
            error = refusal(words, reply, address, serial)
            if isinstance(error, ConnectionError):
                return error  # too many clients, or still loading: nothing else will come
            if words in needed:
                refusals.append(error)
    return refusals[0] if refusals else None


def refusal(words: Words, reply: RedisError, address: str, serial: int | None) -> RedisError:
    """The error of a refused command of the handshake; it names the command and never its arguments."""
    error = error_from(reply) if isinstance(reply, ErrorReply) else reply
    return said_by_server(annotate(error, words[0].decode(), address, "handshake", 1), serial)


def hello_credentials(credentials: Words) -> Words:
    """The part of HELLO that authenticates; it wants a user name always."""
    if not credentials:
        return ()
    *username, password = credentials
    return (b"AUTH", *(username or [b"default"]), password)


def unknown_hello(refused: RedisError) -> bool:
    """Whether this refusal of HELLO means that the server speaks RESP2 alone."""
    return str(refused).lower().startswith(("unknown command", "noproto"))


def library_info(identity: Identity) -> list[Words]:
    """The commands that tell the server which library this is."""
    batch: list[Words] = []
    if identity.lib_name:
        batch.append((b"CLIENT", b"SETINFO", b"LIB-NAME", identity.lib_name.encode()))
    if identity.lib_version:
        batch.append((b"CLIENT", b"SETINFO", b"LIB-VER", identity.lib_version.encode()))
    return batch
