"""tests/servers.py: what the other tests stand on is what it says."""

import socket
import ssl

import pytest

from tests import servers
from tests.servers import REDIS7, REDIS8, VALKEY, ask, cluster, replica_of, require, sentinels, standalone, until


def test_a_replica_follows_its_master():
    with standalone() as master, replica_of(master) as replica:
        ask(master, "SET", "key", "value")
        until(lambda: ask(replica, "GET", "key") == b"value")


def test_sentinels_know_the_master_and_one_another():
    with standalone() as master, sentinels(master) as watching:
        address = [master.host.encode(), str(master.port).encode()]
        assert [ask(one, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster") for one in watching] == [address] * 3
        assert ask(watching[0], "SENTINEL", "CKQUORUM", "mymaster").startswith(b"OK 3 usable")


def test_a_cluster_serves_every_slot():
    with cluster() as nodes:
        assert all(b"cluster_slots_ok:16384" in ask(node, "CLUSTER", "INFO") for node in nodes)
        owners = [slots[2][1] for slots in sorted(ask(nodes[0], "CLUSTER", "SLOTS"))]
        assert owners == [node.port for node in nodes]


def secure(server, ca_file, certificate=None):
    """Return what the server answers to PING over TLS."""
    context = ssl.create_default_context(cafile=ca_file)
    if certificate:
        context.load_cert_chain(*certificate)
    with (
        socket.create_connection((server.host, server.port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as encrypted,
    ):
        encrypted.sendall(b"PING\r\n")
        return encrypted.recv(100)


def test_a_tls_server_has_a_certificate_of_its_authority(tls_server):
    assert secure(tls_server, tls_server.ca_file) == b"+PONG\r\n"
    assert secure(tls_server, tls_server.ca_file, (tls_server.client_cert, tls_server.client_key)) == b"+PONG\r\n"
    with pytest.raises(ssl.SSLCertVerificationError):
        secure(tls_server, tls_server.wrong_ca_file)


def test_redis7_is_what_it_says(redis7):
    assert b"redis_version:7." in ask(redis7, "INFO", "server")


def test_redis8_is_what_it_says(redis8):
    assert b"redis_version:8." in ask(redis8, "INFO", "server")


def test_a_missing_program_skips_or_fails(monkeypatch):
    monkeypatch.setitem(servers.PROGRAMS, REDIS7, None)
    monkeypatch.delenv("REDISPY_REQUIRE_SERVERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="Redis 7"):
        require(REDIS7)
    monkeypatch.setenv("REDISPY_REQUIRE_SERVERS", "1")
    with pytest.raises(pytest.fail.Exception, match="Redis 7"):
        require(REDIS7)
    assert require(VALKEY)


def test_a_program_that_no_machine_must_have_is_never_required(monkeypatch):
    monkeypatch.setitem(servers.PROGRAMS, REDIS8, None)
    monkeypatch.setenv("REDISPY_REQUIRE_SERVERS", "1")
    with pytest.raises(pytest.skip.Exception, match="Redis 8"):
        require(REDIS8)


def test_kinds_give_values_as_their_clients_do(kind, r):
    r.set("key", "é")
    assert r.get("key") == kind.text("é") == kind.value("é".encode())
    assert r.get("key").__class__ is (str if kind.decode_responses else bytes)


def test_transports_reach_their_server(transport, make_client):
    client = make_client(**transport.options)
    client.set("key", "value")
    assert ask(transport.server, "GET", "key") == b"value"
