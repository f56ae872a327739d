"""The buffer of the parser stays bounded under a backlog, and memory stays flat however many replies come."""

from __future__ import annotations

import gc
import os
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from redis import StrictRedis
from redis.connection import HiredisParser, PythonParser
from redis.connection.parsers import READ_SIZE
from redis.protocol.encoder import Encoder
from tests.conftest import needs_hiredis
from tests.faults.conftest import SOAK
from tests.faults.fakenode import Execute, FakeNode, Link
from tests.protocol.reference import array, bulk, peak

REPLIES = 1_000_000 if SOAK else 100_000
#: What Python itself needs, for the objects of one reply and those of a thread.
REST = 50_000


class Source:
    """What a parser wants of a connection; a thread writes a stream for ever, faster than it is read."""

    def __init__(self, stream: bytes) -> None:
        self._sock, self.peer = socket.socketpair()
        self._sock.settimeout(20)
        self.encoder = Encoder()
        self.thread = threading.Thread(target=self.write, args=(stream,), name="source")

    def write(self, stream: bytes) -> None:
        with suppress(OSError):  # the reader has seen enough
            while True:
                self.peer.sendall(stream)


@contextmanager
def reading(parser_class: Any, stream: bytes, **options: Any) -> Iterator[Any]:
    """Give a parser that reads a stream which never ends."""
    source = Source(stream)
    parser = parser_class(**options)
    parser.on_connect(source)
    with source._sock, source.peer:
        source.thread.start()
        try:
            yield parser
        finally:
            source._sock.shutdown(socket.SHUT_RDWR)
            source.thread.join(10)


FRAMES = {
    "a small array": array(*[bulk(b"v" * 500)] * 5),
    "a bulk a little longer than a read": bulk(b"v" * 5000),
    "a long bulk": bulk(b"v" * 700_000),
    "a long array": array(*[bulk(b"v" * 700)] * 1000),
    "a long status": b"+" + b"v" * 300_000 + b"\r\n",
}


@pytest.mark.parametrize("read_size", [4096, 65536])
@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_a_backlog_stays_bounded(frame: bytes, read_size: int) -> None:
    """A read seldom ends where a reply does, so the buffer is never used up; it must not grow for that."""
    count = 20 * max(len(frame), read_size) // len(frame)
    stream = frame * (1_000_000 // len(frame) + 1)
    with reading(PythonParser, stream, socket_read_size=read_size) as parser:

        def read() -> None:
            for _ in range(count):
                parser.read_response()
                assert parser.reader.len() < read_size

        assert peak(read) < 2 * (read_size + len(frame)) + REST


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_backlog_of_messages_stays_bounded(protocol: int) -> None:
    """A subscriber that is slower than those who publish: what waits stays with the kernel."""
    count, kind = 3000, {2: b"*", 3: b">"}[protocol]
    message = array(bulk(b"message"), bulk(b"c"), bulk(b"m" * 2000), kind=kind)
    stream = array(bulk(b"subscribe"), bulk(b"c"), b":1\r\n", kind=kind) + message * count

    def publish(link: Link, execute: Execute) -> None:
        link.write(stream)
        link.node.closing.wait()  # it would take memory to read the next command

    with FakeNode() as node:
        node.script("SUBSCRIBE", publish)
        options = {"parser_class": PythonParser, "protocol": protocol, "socket_timeout": 5}
        with StrictRedis(**node.options, **options) as client, client.pubsub(ignore_subscribe_messages=True) as p:
            p.subscribe("c")

            def read() -> None:
                found = 0
                while found < count:
                    found += p.get_message(timeout=5) is not None

            assert peak(read) < 2 * (READ_SIZE + len(message)) + REST


MIXED = [
    b"+OK\r\n",
    b":123456\r\n",
    b"-ERR no\r\n",
    b"$-1\r\n",
    bulk(b"v" * 10),
    bulk(b"v" * 2000),
    array(*[bulk(b"v")] * 20),
    array(b":1\r\n", array(b"+a\r\n", b"$-1\r\n")),
    array(b"+k\r\n", b",1.5\r\n", kind=b"%"),
    array(b"+kind\r\n", b"+text\r\n", kind=b">"),
]


def resident() -> int:
    """How many bytes of memory the process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("parser_class", [pytest.param(HiredisParser, marks=needs_hiredis), PythonParser])
def test_memory_is_flat(parser_class: Any) -> None:
    """Half of the replies do not take more memory than the other half has taken."""
    half = REPLIES // 2
    with reading(parser_class, b"".join(MIXED) * 100) as parser:
        read_many(parser, half)
        tracemalloc.start()
        try:
            read_many(parser, 1000)
            before = resident(), tracemalloc.get_traced_memory()[0]
            read_many(parser, half)
            after = resident(), tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
    # One byte for each reply would be more; what C allocates is seen in the pages of the process alone.
    assert after[1] - before[1] < half
    assert after[0] - before[0] < 20 * half + 4_000_000


def read_many(parser: Any, count: int) -> None:
    for _ in range(count):
        parser.read_response()
    gc.collect()
