"""The proxy in front of TLS does what it says: blindly, with what is encrypted, or speaking TLS itself."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic

import pytest

from tests.faults.fakenode import FakeNode
from tests.faults.proxy import Proxy, connect
from tests.faults.test_kit import Wire
from tests.servers import Certificates

GET = b"$5\r\nvalue\r\n"


@pytest.fixture
def node(certificates: Certificates) -> Iterator[FakeNode]:
    with FakeNode(context=certificates.server_context()) as node:
        yield node


@pytest.fixture(params=["blind", "speaking"])
def proxy(node: FakeNode, certificates: Certificates, request: pytest.FixtureRequest) -> Iterator[Proxy]:
    contexts = (certificates.server_context(), certificates.client_context())
    with Proxy(node.address, tls=contexts if request.param == "speaking" else None) as proxy:
        yield proxy


speaking = pytest.mark.parametrize("proxy", ["speaking"], indirect=True)
blind = pytest.mark.parametrize("proxy", ["blind"], indirect=True)


@pytest.fixture
def relayed(proxy: Proxy, certificates: Certificates) -> Iterator[Wire]:
    """A client of TLS that has been served once, so that nothing of the handshake is still to come."""
    with Wire(proxy.address, certificates.client_context()) as wire:
        assert wire.ask("SET", "a", "value") == b"+OK\r\n"
        yield wire


def test_it_relays_to_many_at_once(proxy: Proxy, node: FakeNode, certificates: Certificates) -> None:
    text = "x" * 100_000

    def ask() -> None:
        with Wire(proxy.address, certificates.client_context()) as wire:
            for _ in range(20):
                wire.send("ECHO", text)
                reply = b""
                while len(reply) < len(text) + 11:
                    reply += wire.sock.recv(65536)
                replies.append(reply == b"$100000\r\n%b\r\n" % text.encode())

    replies: list[bool] = []
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [True] * 80
    assert len(node.links) == 4


def test_it_reads_and_writes_at_once(proxy: Proxy, certificates: Certificates) -> None:
    """Both ways are busy all the time, over one connection."""
    count, text = 200, "x" * 20_000
    with Wire(proxy.address, certificates.client_context()) as wire:
        wire.sock.setblocking(False)
        out = b"*2\r\n$4\r\nECHO\r\n$20000\r\n%b\r\n" % text.encode() * count
        wanted, came = (len(text) + 10) * count, 0
        end = monotonic() + 20
        view = memoryview(out)
        while came < wanted and monotonic() < end:
            with suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError):
                view = view[wire.sock.send(view[:50_000]) :] if view else view
            with suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                came += len(wire.sock.recv(65536))
        assert came == wanted


def test_what_passes_a_blind_proxy_is_encrypted(node: FakeNode, certificates: Certificates) -> None:
    with Proxy(node.address) as proxy, connect(proxy.address) as sock:
        sock.settimeout(2)
        sock.sendall(b"*1\r\n$4\r\nPING\r\n")
        assert sock.recv(1) in (b"\x15", b""), "an alert, or the end: it takes no plain words"
    assert node.received == []


def test_it_delays(proxy: Proxy, relayed: Wire) -> None:
    proxy.delay(0.05)
    start = monotonic()
    assert relayed.ask("GET", "a") == GET
    assert 0.1 <= monotonic() - start < 1


@speaking
def test_it_cuts_the_plain_stream(proxy: Proxy, relayed: Wire) -> None:
    proxy.replies.budget = 6
    assert relayed.ask("GET", "a") == b"$5\r\nva"
    assert relayed.sock.recv(1) == b""


@blind
@pytest.mark.parametrize("budget", [0, 1, 4, 5, 6, 20, 31])
def test_it_cuts_inside_a_record(proxy: Proxy, relayed: Wire, budget: int) -> None:
    """Five bytes of a header, eleven of the reply, seventeen more: a record is whole or nothing of it is read."""
    proxy.replies.budget = budget
    assert relayed.ask("GET", "a") == b""


@pytest.mark.parametrize(("proxy", "size"), [("blind", 5), ("speaking", 12)], indirect=["proxy"])
def test_it_cuts_a_request(proxy: Proxy, relayed: Wire, node: FakeNode, size: int) -> None:
    proxy.requests.budget = size
    assert relayed.ask("GET", "a") == b""
    assert node.count("GET") == 0


def test_it_drops_replies(proxy: Proxy, relayed: Wire, node: FakeNode) -> None:
    proxy.replies.drop = True
    relayed.send("GET", "a")
    assert relayed.quiet()
    assert node.count("GET") == 1


@blind
def test_what_follows_a_dropped_record_cannot_be_read(proxy: Proxy, relayed: Wire) -> None:
    proxy.replies.drop = True
    relayed.send("GET", "a")
    assert relayed.quiet()
    proxy.replies.drop = False
    relayed.sock.settimeout(2)
    with pytest.raises(ssl.SSLError, match="bad record mac"):
        relayed.ask("GET", "a")


@pytest.mark.parametrize(("proxy", "pieces"), [("blind", 1), ("speaking", 11)], indirect=["proxy"])
def test_it_splits(proxy: Proxy, relayed: Wire, pieces: int) -> None:
    """Split blindly, a record is put together again before anything of it is read."""
    proxy.replies.split = True
    relayed.send("GET", "a")
    came = []
    while sum(map(len, came)) < len(GET):
        came.append(relayed.sock.recv(1000))
    assert b"".join(came) == GET
    assert len(came) == pieces


def test_it_stops_and_goes_on(proxy: Proxy, relayed: Wire) -> None:
    proxy.stop()
    relayed.send("GET", "a")
    assert relayed.quiet()
    proxy.go()
    relayed.sock.settimeout(2)
    assert relayed.sock.recv(100) == GET


@speaking
def test_it_stops_after_some_bytes(proxy: Proxy, relayed: Wire) -> None:
    proxy.replies.budget, proxy.replies.ends = 6, "stops"
    assert relayed.ask("GET", "a") == b"$5\r\nva"
    assert relayed.quiet()


def test_it_closes_what_is_open(proxy: Proxy, relayed: Wire) -> None:
    proxy.cut()
    assert relayed.sock.recv(1) == b""


def test_it_resets_what_is_open(proxy: Proxy, relayed: Wire) -> None:
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        socket.socket.recv(relayed.sock, 1)  # below TLS, where old versions of Python take a reset for an end


@blind
def test_it_stops_in_the_middle_of_a_handshake(proxy: Proxy, certificates: Certificates) -> None:
    proxy.replies.budget, proxy.replies.ends = 100, "stops"
    with connect(proxy.address) as sock:
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError), certificates.client_context().wrap_socket(sock, server_hostname="localhost"):
            pass


@blind
def test_it_cuts_a_handshake(proxy: Proxy, certificates: Certificates) -> None:
    proxy.replies.budget = 100
    with connect(proxy.address) as sock:
        sock.settimeout(2)
        with pytest.raises(OSError), certificates.client_context().wrap_socket(sock, server_hostname="localhost"):
            pass
