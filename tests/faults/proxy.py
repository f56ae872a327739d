"""A relay in front of a real server, which delays, cuts, drops, splits, stops or resets what passes through it.

::

    with Proxy(("127.0.0.1", server.port)) as proxy:
        client = StrictRedis(port=proxy.port)
        proxy.delay(0.005)              # each way
        proxy.replies.split = True      # byte by byte
        proxy.replies.budget = 10       # ten bytes more, then the link is cut
        proxy.replies.ends = "stops"    # no cut, but silence from there on
        proxy.stop()                    # a black hole, until go()

It relays bytes and knows no protocol, so it stands in front of TLS as well: what it counts, cuts and splits is then
what is encrypted.  With the two contexts of ``tls`` it speaks TLS itself, to both sides, and handles plain bytes.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from time import sleep
from typing import Self

from tests.faults.fakenode import RESET_ON_CLOSE, at_once, listen, shut
from tests.faults.secured import Secured

#: Seconds between two single bytes: enough that the reader sees them apart.
PAUSE = 0.0003
Address = tuple[str, int] | str
Contexts = tuple[ssl.SSLContext, ssl.SSLContext]
End = socket.socket | Secured


class Way:
    """How one direction is relayed; every field may be changed at any time and holds for every link."""

    def __init__(self) -> None:
        #: Seconds that each piece waits.
        self.delay = 0.0
        #: Send single bytes, and wait so many seconds after each.
        self.split = False
        self.pause = PAUSE
        #: Read, and forget.
        self.drop = False
        #: How many bytes may still pass; None: no bound.
        self.budget: int | None = None
        #: What happens then: "cuts", each link that would pass more is closed; "stops", nothing passes any more.
        self.ends = "cuts"
        #: Asked for each piece: None, how many seconds it waits, or what befalls the link: "close", "half" (of the
        #: piece arrives), "reset", or "stop" (it stays open, and nothing passes any more).
        self.accident: Callable[[], str | float | None] = lambda: None
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
        self.resetting = self.stopped = False
        near, far = (client, server) if proxy.tls is None else secured(client, server, proxy.tls)
        self.threads = [
            threading.Thread(target=self.relay, args=(near, far, proxy.requests), daemon=True),
            threading.Thread(target=self.relay, args=(far, near, proxy.replies), daemon=True),
        ]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def relay(self, source: End, target: End, way: Way) -> None:
        try:
            if isinstance(source, Secured):
                source.shake_hands()
            while data := source.recv(65536):
                if way.delay:
                    sleep(way.delay)
                way.flowing.wait()
                if not (way.drop or self.stopped):
                    self.pass_on(data, target, way)
        except OSError:
            pass
        finally:
            self.close()

    def pass_on(self, data: bytes, target: End, way: Way) -> None:
        accident = way.accident()
        if accident == "reset":
            self.reset()
            return
        if accident == "stop":
            self.stopped = True
            return
        if isinstance(accident, float):
            sleep(accident)
            accident = None
        if accident:
            data = data[: len(data) // 2] if accident == "half" else b""
        allowed = way.allowed(data)
        spent = len(allowed) < len(data) or way.budget == 0  # asked first: who sees these bytes may set a new one
        self.send(allowed, target, way)
        if spent and way.ends == "stops":
            self.stopped = True
        elif accident or spent:
            self.close()

    def send(self, data: bytes, target: End, way: Way) -> None:
        for start in range(0, len(data), 1 if way.split else max(1, len(data))):
            target.sendall(data[start : start + 1] if way.split else data)
            if way.split:
                sleep(way.pause)

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
    """Relays from a free TCP port of 127.0.0.1, or from the Unix socket ``path``, to ``upstream``, a port or a path.

    ``tls``: the contexts of a server, for those who connect, and of a client, for ``upstream``.
    """

    def __init__(self, upstream: Address, path: str | None = None, tls: Contexts | None = None) -> None:
        self.upstream, self.path, self.tls = upstream, path, tls
        self.requests, self.replies = Way(), Way()
        #: Asked for each connection: whether it is relayed, or closed at once.
        self.welcome: Callable[[], bool] = lambda: True
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
        if not self.welcome():
            client.close()
            return
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


def secured(client: socket.socket, server: socket.socket, contexts: Contexts) -> tuple[Secured, Secured]:
    """The ends of a link that speaks TLS to either side."""
    return Secured(client, contexts[0]), Secured(server, contexts[1], "localhost")
