"""The clients as one interface, inside the process that measures: a scenario goes in, verified calls come out."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import hiredis

from benchmarks import wire
from benchmarks.peers import CLIENTS, FLOOR, OURS, Peer
from benchmarks.scenarios import Call, Scenario

MINUTE_MS = 60_000


class WrongReply(Exception):
    """A client gave back something else than what the server holds."""


class Client:
    """What all have in common; the calls of the last scenario are kept for its next round."""

    def __init__(self, peer: Peer, url: str) -> None:
        self.peer = peer
        self.url = url
        self._last: tuple[Scenario | None, list[Call]] = (None, [])

    def versions(self) -> str:
        """What is measured, with its version."""
        return self.peer.versions()

    def calls(self, scenario: Scenario) -> Sequence[Call]:
        """The operation of the scenario, once for each thread; each has given the right reply."""
        if self._last[0] is not scenario:
            self._last = (None, [])  # 64 MB values of the last scenario go before new ones come
            with wire.connect(self.url) as sock:
                wire.exchange(sock, scenario.data())
            self._last = (scenario, self.prepare(scenario))
        return self._last[1]

    def prepare(self, scenario: Scenario) -> list[Call]:
        call = scenario.call(self.client(scenario))
        verify(scenario, call())
        return [call] * scenario.threads

    def client(self, scenario: Scenario) -> Any:
        """A client of the peer's, as the scenario wants it."""
        raise NotImplementedError(self.peer.name)


class Floor(Client):
    """No client at all: one socket for each thread."""

    def versions(self) -> str:
        return f"raw socket, arrays parsed by hiredis {version('hiredis')}"

    def prepare(self, scenario: Scenario) -> list[Call]:
        return [self.exchange(scenario) for _ in range(scenario.threads)]

    def exchange(self, scenario: Scenario) -> Call:
        commands = scenario.commands()
        sock = wire.connect(self.url)
        replies, size = wire.exchange(sock, commands)
        verify(scenario, replies[-1])
        receive = receiving(sock, wire.pack(commands), bytearray(size))
        return parsing(receive, len(commands)) if scenario.parsed else receive


def receiving(sock: Any, request: bytes, buffer: bytearray) -> Call:
    size, view, send, recv_into = len(buffer), memoryview(buffer), sock.sendall, sock.recv_into

    def receive() -> bytearray:
        send(request)
        received = recv_into(buffer)
        while received < size:
            received += recv_into(view[received:])
        return buffer

    return receive


def parsing(receive: Call, replies: int) -> Call:
    reader = hiredis.Reader()

    def parse() -> Any:
        reader.feed(receive())
        for _ in range(replies):
            reply = reader.gets()
        return reply

    return parse


class RedisLike(Client):
    """The family: redispy, redis-py and valkey-py share the names of everything that is used here."""

    def __init__(self, peer: Peer, url: str) -> None:
        super().__init__(peer, url)
        self.module = importlib.import_module(peer.module)
        self.connection = importlib.import_module(f"{peer.module}.connection")

    def versions(self) -> str:
        if self.peer.name != OURS:
            return super().versions()
        return f"redispy {self.module.__version__} of this checkout, {self.connection.DefaultParser.__name__}"

    def client(self, scenario: Scenario) -> Any:
        factory = getattr(self.module, "StrictRedis", None) or self.module.Valkey
        options = self.python_options() if scenario.python_parser else {}
        return factory.from_url(self.url, **options, **scenario.options)

    def python_options(self) -> dict[str, Any]:
        parser = getattr(self.connection, str(self.peer.python_parser))
        return {"parser_class": parser, **self.peer.python_options}


class Glide(Client):
    """Valkey GLIDE; it has neither a choice of parsers nor the options of the others, but waits only 250 ms."""

    def __init__(self, peer: Peer, url: str) -> None:
        super().__init__(peer, url)
        self.module = importlib.import_module(peer.module)

    def client(self, scenario: Scenario) -> Any:
        glide, parts = self.module, urlsplit(self.url)
        where = (
            {"unix_socket_path": parts.path} if parts.scheme == "unix" else {"host": parts.hostname, "port": parts.port}
        )
        address = glide.NodeAddress(**where)
        return glide.GlideClient.create(glide.GlideClientConfiguration([address], request_timeout=MINUTE_MS))


def verify(scenario: Scenario, reply: Any) -> None:
    if not scenario.right(reply):
        raise WrongReply(f"{scenario.name}: {reply!r:.80}")


def open_client(name: str, url: str) -> Client:
    """The client of that name."""
    return {FLOOR: Floor, "glide": Glide}.get(name, RedisLike)(CLIENTS[name], url)
