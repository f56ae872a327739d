"""A scripted server in threads of the test: it executes commands for real, counts them, and misbehaves as it is told.

::

    with FakeNode() as node:
        node.script("INCR", close)              # the next INCR is executed, and its connection closed without an answer
        node.script("GET", half, answer)        # the next two
        node.always("HELLO", refuse("ERR unknown command 'HELLO'"))
        ...
        assert node.count("INCR") == 1

What happens to a command is an *action*: a function of the link (the connection) and of ``execute``, which executes the
command and returns the bytes of its reply.  The actions below are all that the tests need; any function will do.
``ACCEPT`` names the moment at which a connection has been accepted and nothing has been read of it.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from time import sleep
from typing import Any, Self

from tests.faults.store import Session, Store, error

ACCEPT = "accept"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
Execute = Callable[[], bytes]
Action = Callable[["Link", Execute], None]


def answer(link: Link, execute: Execute) -> None:
    """Do what a server does."""
    link.write(execute())


def silent(link: Link, execute: Execute) -> None:
    """Execute, and never answer; later commands are answered, so replies may be taken for one another."""
    execute()


def hold(link: Link, execute: Execute) -> None:
    """Execute, then neither read nor write any more, and stay open."""
    execute()
    link.node.closing.wait()


def close(link: Link, execute: Execute) -> None:
    """Execute and close without an answer."""
    execute()
    link.close()


def half(link: Link, execute: Execute) -> None:
    """Execute, send the first half of the reply and close."""
    reply = execute()
    link.write(reply[: len(reply) // 2])
    link.close()


def stall(link: Link, execute: Execute) -> None:
    """Execute, send the first half of the reply and stay open."""
    reply = execute()
    link.write(reply[: len(reply) // 2])
    link.node.closing.wait()


def reset(link: Link, execute: Execute) -> None:
    """Execute and reset the connection (on a Unix socket: close it)."""
    execute()
    link.reset()


def drop(link: Link, execute: Execute) -> None:
    """Close without executing."""
    link.close()


def refuse(text: str) -> Action:
    """Answer with an error, and execute nothing."""
    return lambda link, execute: link.write(error(text))


def turn_away(text: str) -> Action:
    """Answer with an error, execute nothing and close."""

    def action(link: Link, execute: Execute) -> None:
        link.write(error(text))
        link.close()

    return action


def raw(data: bytes) -> Action:
    """Execute, and send ``data`` in the place of the reply."""

    def action(link: Link, execute: Execute) -> None:
        execute()
        link.write(data)

    return action


def twice(extra: bytes = b"+EXTRA\r\n") -> Action:
    """Answer, with one frame more in the same segment."""
    return lambda link, execute: link.write(execute() + extra)


def late(extra: bytes = b"+EXTRA\r\n", after: float = 0.1) -> Action:
    """Answer, and send one frame more ``after`` seconds."""

    def action(link: Link, execute: Execute) -> None:
        link.write(execute())
        sleep(after)
        link.write(extra)

    return action


def slowly(after: float) -> Action:
    """Execute at once and answer ``after`` seconds."""

    def action(link: Link, execute: Execute) -> None:
        reply = execute()
        sleep(after)
        link.write(reply)

    return action


class Gone(Exception):
    """The client has closed its end."""


class Link:
    """One accepted connection, served by a thread of its own."""

    def __init__(self, node: FakeNode, sock: socket.socket, number: int) -> None:
        self.node, self.sock, self.number = node, sock, number
        self.session = Session()
        self.resetting = self.closed = False
        self.buffer = b""
        self.words: list[bytes] = []
        self.thread = threading.Thread(target=self.serve, name=f"fakenode-{number}", daemon=True)

    def serve(self) -> None:
        try:
            if self.node.context:
                self.sock = self.node.context.wrap_socket(self.sock, server_side=True)
            self.node.take(ACCEPT, welcome)(self, lambda: b"")
            while not self.closed:  # what was read before that is not executed any more
                self.words = self.read_command()
                self.node.received.append(tuple(word.decode("latin-1") for word in self.words))
                self.node.take(self.words[0].decode().upper(), answer)(self, self.execute)
        except (OSError, Gone):
            pass
        finally:
            self.close()

    def execute(self) -> bytes:
        with self.node.lock:
            return self.node.store.execute(self.session, self.words)

    def read_command(self) -> list[bytes]:
        return [self.read_bulk() for _ in range(int(self.read_line()[1:]))]

    def read_bulk(self) -> bytes:
        size = int(self.read_line()[1:])
        while len(self.buffer) < size + 2:
            self.read_more()
        value, self.buffer = self.buffer[:size], self.buffer[size + 2 :]
        return value

    def read_line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self.read_more()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def read_more(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise Gone
        self.buffer += data

    def write(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        """Reset the connection; on a Unix socket, close it."""
        self.resetting = self.closed = True
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        # Wakes the thread that reads, and sends nothing: a FIN would come before the RST.
        shut(self.sock, socket.SHUT_RD)
        self.sock.close()

    def close(self) -> None:
        self.closed = True
        if not self.resetting:
            shut(self.sock)
        self.sock.close()


def welcome(link: Link, execute: Execute) -> None:
    """What happens at ACCEPT when nothing is scripted: the link is served."""


def shut(sock: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    """Wake whoever waits on the socket; closing alone would not."""
    with suppress(OSError):
        # The plain socket's method: that of an SSLSocket would throw its state away under a thread that reads.
        socket.socket.shutdown(sock, how)


class FakeNode:
    """A server on a free TCP port of 127.0.0.1, or on the Unix socket ``path``.

    With ``context`` it speaks TLS, and ``ca_file`` proves who it is.
    """

    def __init__(
        self, path: str | None = None, context: ssl.SSLContext | None = None, ca_file: str | None = None
    ) -> None:
        self.path, self.context, self.ca_file = path, context, ca_file
        self.store = Store()
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.received: list[tuple[str, ...]] = []
        self.links: list[Link] = []
        self.scripts: dict[str, deque[Action]] = defaultdict(deque)
        self.rules: dict[str, Action] = {}
        self.listener = listen(path)
        self.thread = threading.Thread(target=self.accept, name="fakenode", daemon=True)

    @property
    def address(self) -> tuple[str, int] | str:
        """Where to connect: (host, port) or the path."""
        return self.path or self.listener.getsockname()

    @property
    def port(self) -> int:
        return self.listener.getsockname()[1]

    @property
    def options(self) -> dict[str, Any]:
        """The keywords that lead a client here."""
        if self.path:
            return {"unix_socket_path": self.path}
        tls = {"ssl": True, "ssl_ca_certs": self.ca_file} if self.context else {}
        return {"host": "127.0.0.1", "port": self.port, **tls}

    def script(self, name: str, *actions: Action) -> None:
        """Meet the next commands called ``name`` with these actions, in turn."""
        self.scripts[name].extend(actions)

    def always(self, name: str, action: Action) -> None:
        """Meet every command called ``name`` with this action, once what is scripted has been used up."""
        self.rules[name] = action

    def take(self, name: str, default: Action) -> Action:
        with self.lock:
            queue = self.scripts[name]
            return queue.popleft() if queue else self.rules.get(name, default)

    def count(self, name: str, *words: str) -> int:
        """How many commands of this name (and with these first words) were executed."""
        wanted = (name, *words)
        with self.lock:
            return sum(command[: len(wanted)] == wanted for command in self.store.executed)

    def accept(self) -> None:
        while not self.closing.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            at_once(sock)
            self.links.append(Link(self, sock, len(self.links)))
            self.links[-1].thread.start()

    def close_links(self) -> None:
        """Close the connections that are open now."""
        for link in list(self.links):
            shut(link.sock)

    def close(self) -> None:
        self.closing.set()
        shut(self.listener)
        self.listener.close()
        self.thread.join(5)
        self.close_links()
        for link in self.links:
            link.thread.join(5)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def listen(path: str | None = None) -> socket.socket:
    """Return a socket that listens on ``path``, or on a free port of 127.0.0.1."""
    sock = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    sock.bind(path or ("127.0.0.1", 0))
    sock.listen(64)
    return sock


def at_once(sock: socket.socket) -> None:
    """Let small pieces leave at once."""
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class RefusingPort:
    """A port of 127.0.0.1 that refuses every connection for as long as it is held: it is bound, and nobody listens."""

    def __enter__(self) -> int:
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        return self.sock.getsockname()[1]

    def __exit__(self, *error: object) -> None:
        self.sock.close()
