"""A relay in front of a real server, which delays, cuts, drops, splits, stops or resets what passes through it.

::

    with Proxy(("127.0.0.1", server.port)) as proxy:
        client = StrictRedis(port=proxy.port)
        proxy.delay(0.005)              # each way
        proxy.replies.split = True      # byte by byte
        proxy.replies.budget = 10       # ten bytes more, then the link is cut
        proxy.stop()                    # a black hole, until go()

It relays bytes and knows no protocol, so that it stands in front of TLS as well.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from time import sleep
from typing import Self

from tests.faults.fakenode import RESET_ON_CLOSE, listen, shut

#: Seconds between two single bytes: enough that the reader sees them apart.
PAUSE = 0.0003
Address = tuple[str, int] | str


class Way:
    """How one direction is relayed; every field may be changed at any time and holds for every link."""

    def __init__(self) -> None:
        #: Seconds that each piece waits.
        self.delay = 0.0
        #: Send single bytes.
        self.split = False
        #: Read, and forget.
        self.drop = False
        #: How many bytes may still pass before the links are cut; None: no bound.
        self.budget: int | None = None
        #: Asked for each piece: None, or what shall befall the link: "close", "half", "reset".
        self.accident: Callable[[], str | None] = lambda: None
        #: While it is not set, nothing passes.
        self.flowing = threading.Event()
        self.flowing.set()

    def allowed(self, data: bytes) -> bytes:
        """Return what of ``data`` may pass under the budget."""
        if self.budget is None:
            return data
        data = data[: self.budget]
        self.budget -= len(data)
        return data


class Link:
    """A client's connection and the one to the server behind it; one thread for each direction."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.resetting = False
        self.threads = [
            threading.Thread(target=self.relay, args=(client, server, proxy.requests), daemon=True),
            threading.Thread(target=self.relay, args=(server, client, proxy.replies), daemon=True),
        ]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def relay(self, source: socket.socket, target: socket.socket, way: Way) -> None:
        try:
            while data := source.recv(65536):
                if way.delay:
                    sleep(way.delay)
                way.flowing.wait()
                if not way.drop:
                    self.pass_on(data, target, way)
        except OSError:
            pass
        finally:
            self.close()

    def pass_on(self, data: bytes, target: socket.socket, way: Way) -> None:
        accident = way.accident()
        if accident == "reset":
            self.reset()
            return
        if accident:
            data = data[: len(data) // 2] if accident == "half" else b""
        allowed = way.allowed(data)
        self.send(allowed, target, way.split)
        if accident or len(allowed) < len(data) or way.budget == 0:
            self.close()

    def send(self, data: bytes, target: socket.socket, split: bool) -> None:
        for start in range(0, len(data), 1 if split else max(1, len(data))):
            target.sendall(data[start : start + 1] if split else data)
            if split:
                sleep(PAUSE)

    def reset(self) -> None:
        """Reset the client's end (a Unix socket: close it), close the server's."""
        self.resetting = True
        try:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        except OSError:
            return
        # Wakes the thread that reads it, and sends nothing: a FIN would come before the RST.
        shut(self.client, socket.SHUT_RD)
        self.close()

    def close(self) -> None:
        if not self.resetting:
            shut(self.client)
        shut(self.server)
        self.client.close()
        self.server.close()


class Proxy:
    """Relays from a free TCP port of 127.0.0.1, or from the Unix socket ``path``, to ``upstream``, a port or a path."""

    def __init__(self, upstream: Address, path: str | None = None) -> None:
        self.upstream, self.path = upstream, path
        self.requests, self.replies = Way(), Way()
        self.links: list[Link] = []
        self.listener = listen(path)
        self.thread = threading.Thread(target=self.accept, name="proxy", daemon=True)

    @property
    def address(self) -> Address:
        """Where to connect: (host, port) or the path."""
        return self.path or self.listener.getsockname()

    @property
    def port(self) -> int:
        return self.listener.getsockname()[1]

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.link(client)

    def link(self, client: socket.socket) -> None:
        try:
            server = connect(self.upstream)
        except OSError:
            client.close()
        else:
            at_once(client)
            self.links.append(Link(self, client, server))
            self.links[-1].start()

    def delay(self, seconds: float) -> None:
        """Let every piece wait, each way."""
        self.requests.delay = self.replies.delay = seconds

    def stop(self) -> None:
        """Become a black hole: connections stay open and nothing passes."""
        self.requests.flowing.clear()
        self.replies.flowing.clear()

    def go(self) -> None:
        """Let pass again, with what had to wait."""
        self.requests.flowing.set()
        self.replies.flowing.set()

    def cut(self) -> None:
        """Close every link that is open now."""
        for link in list(self.links):
            link.close()

    def reset(self) -> None:
        """Reset every link that is open now."""
        for link in list(self.links):
            link.reset()

    def close(self) -> None:
        shut(self.listener)
        self.listener.close()
        self.thread.join(5)
        self.cut()
        self.go()
        for link in self.links:
            for thread in link.threads:
                thread.join(5)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def connect(address: Address) -> socket.socket:
    """Return a socket that is connected to (host, port) or a path."""
    sock = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    try:
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    at_once(sock)
    return sock


def at_once(sock: socket.socket) -> None:
    """Let small pieces leave at once."""
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
