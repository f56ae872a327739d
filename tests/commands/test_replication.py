"""Masters and replicas: what comes back from real servers, and what every option sends."""

import pytest

from redis.exceptions import DataError, ResponseError
from tests.recorder import sent
from tests.servers import ask, replica_of, standalone, until


@pytest.fixture(scope="module")
def pair():
    """A master and its replica."""
    with standalone() as master, replica_of(master) as replica:
        until(lambda: b"state=online" in ask(master, "INFO", "replication"))
        yield master, replica


def test_role_of_a_master(make_client, kind, pair):
    master, replica = pair
    r = make_client(unix_socket_path=master.unix_socket, **kind.options)
    role, offset, ((host, port, acknowledged),) = r.role()
    assert (role, host, port) == ("master", "127.0.0.1", str(replica.port))
    assert offset >= int(acknowledged) >= 0


def test_a_replica(make_client, kind, pair):
    master, replica = pair
    r = make_client(unix_socket_path=replica.unix_socket, **kind.options)
    assert r.role()[:3] == ["slave", "127.0.0.1", master.port]
    assert r.replicaof() is True
    assert r.role()[0] == "master"
    assert r.replicaof("127.0.0.1", master.port) is True
    assert r.slaveof() is True
    assert r.slaveof("127.0.0.1", master.port) is True


def test_a_failover_that_cannot_be(r):
    with pytest.raises(ResponseError, match="No failover in progress"):
        r.failover(abort=True)
    with pytest.raises(ResponseError, match="requires connected replicas"):
        r.failover()


def test_failover(make_client, pair):
    master, replica = pair
    r = make_client(unix_socket_path=master.unix_socket)
    until(lambda: ask(replica, "ROLE")[3] == b"connected")
    until(lambda: ask(master, "INFO", "replication").count(b"state=online") == 1)
    assert r.failover("127.0.0.1", replica.port, timeout=10_000) is True
    until(lambda: r.role()[0] == "slave" and ask(replica, "ROLE")[0] == b"master")
    assert r.replicaof("NO", "ONE") is True
    assert ask(replica, "REPLICAOF", "127.0.0.1", master.port) == b"OK"
    until(lambda: ask(replica, "ROLE")[3] == b"connected")


def test_the_words():
    assert sent(lambda client: client.replicaof("a", 1)) == ("REPLICAOF", "a", 1)
    assert sent(lambda client: client.slaveof()) == ("SLAVEOF", b"NO", b"ONE")
    assert sent(lambda client: client.failover()) == ("FAILOVER",)
    assert sent(lambda client: client.failover(abort=True)) == ("FAILOVER", b"ABORT")
    assert sent(lambda client: client.failover("a", 1, force=True, timeout=5)) == (
        *("FAILOVER", b"TO", "a", 1, b"FORCE", b"TIMEOUT", 5),
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda client: client.replicaof("a"), "host and port need each other"),
        (lambda client: client.slaveof(port=1), "host and port need each other"),
        (lambda client: client.failover("a"), "host and port need each other"),
        (lambda client: client.failover(force=True), "force needs host, port and timeout"),
        (lambda client: client.failover(abort=True, timeout=5), "abort excludes host"),
    ],
)
def test_what_cannot_be_meant(call, message):
    with pytest.raises(DataError, match=message):
        sent(call)
