"""redis/connection/tls.py: secure by default, one context for a pool, errors that can be understood."""

import shutil
import socket
import ssl
import subprocess
import sys
import threading

import pytest

from redis.client import Redis, StrictRedis
from redis.connection import tls
from redis.connection.pool import ConnectionPool
from redis.connection.tls import CERT_REQS, SSLConnection, checked_cert_reqs
from redis.exceptions import ConnectionError, RedisError, TimeoutError
from tests.faults.fakenode import FakeNode, twice

#: Another name for 127.0.0.1, which the certificate of the server does not have.
OTHER_NAME = "127.1"


@pytest.fixture
def tls_client(tls_server):
    """A function that makes clients of the TLS server."""
    made = []

    def make(**options):
        options = {"host": tls_server.host, "ssl": True, "ssl_ca_certs": tls_server.ca_file, **options}
        made.append(StrictRedis(port=tls_server.port, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


def test_a_client_over_tls(tls_client, kind):
    client = tls_client(db=3, **kind.options)
    client.set("k", "v")
    assert client.get("k") == kind.text("v")
    sock = client.connection_pool._available_connections[0]._sock
    assert isinstance(sock, ssl.SSLSocket)
    assert sock.context.verify_mode == ssl.CERT_REQUIRED
    assert sock.context.check_hostname is True


def test_repr_and_the_class_of_the_pool(tls_server):
    pool = ConnectionPool(SSLConnection, host="h", password="secret", ssl_keyfile="f", ssl_password="secret")
    assert repr(pool) == "ConnectionPool<SSLConnection<host=h,port=6379,db=0>>"
    assert repr(pool.make_connection()) == "SSLConnection<host=h,port=6379,db=0>"


@pytest.mark.parametrize(("host", "authority"), [("127.0.0.1", "wrong"), (OTHER_NAME, "right"), ("127.0.0.1", "none")])
def test_what_cannot_be_verified_is_refused(tls_client, tls_server, host, authority):
    files = {"right": tls_server.ca_file, "wrong": tls_server.wrong_ca_file, "none": None}
    client = tls_client(host=host, ssl_ca_certs=files[authority])
    with pytest.raises(ConnectionError, match="certificate verify failed") as caught:
        client.set("k", "v")
    assert (caught.value.phase, caught.value.maybe_applied) == ("tls", False)
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


@pytest.mark.parametrize("reqs", ["none", 0, ssl.CERT_NONE])
def test_without_verification(tls_client, reqs):
    assert tls_client(host=OTHER_NAME, ssl_ca_certs=None, ssl_cert_reqs=reqs).ping() is True


def test_without_the_name_of_the_host(tls_client, tls_server):
    assert tls_client(host=OTHER_NAME, ssl_check_hostname=False).ping() is True
    with pytest.raises(ConnectionError, match="certificate verify failed"):
        tls_client(ssl_check_hostname=False, ssl_ca_certs=tls_server.wrong_ca_file).ping()


def test_the_name_of_the_host_cannot_be_checked_without_the_chain(tls_server):
    options = {"ssl_cert_reqs": "none", "ssl_check_hostname": True}
    with pytest.raises(TypeError, match="exclude each other"):
        StrictRedis(ssl=True, **options)
    connection = SSLConnection(host=OTHER_NAME, port=tls_server.port, **options)
    connection.send_command("PING")
    assert connection.read_response() == b"PONG"
    connection.disconnect()


def test_a_key_in_the_place_of_its_path_is_not_shown(tls_client, tls_server):
    with open(tls_server.client_key) as file:
        key = file.read()
    with pytest.raises(RedisError, match="a key or a certificate, not its path") as caught:
        tls_client(ssl_certfile=tls_server.client_cert, ssl_keyfile=key).ping()
    assert key.splitlines()[1] not in str(caught.value)


def test_authorities_as_data(tls_client, tls_server):
    with open(tls_server.ca_file) as file:
        data = file.read()
    assert tls_client(ssl_ca_certs=None, ssl_ca_data=data).ping() is True


def test_authorities_in_a_folder(tls_client, tls_server, tmp_path):
    name = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", tls_server.ca_file], capture_output=True, text=True, check=True
    ).stdout.strip()
    shutil.copy(tls_server.ca_file, tmp_path / f"{name}.0")
    assert tls_client(ssl_ca_certs=None, ssl_ca_path=str(tmp_path)).ping() is True


def test_a_certificate_of_the_client(tls_client, tls_server):
    client = tls_client(ssl_certfile=tls_server.client_cert, ssl_keyfile=tls_server.client_key)
    assert client.ping() is True


def test_a_ready_context(tls_client, tls_server):
    context = ssl.create_default_context(cafile=tls_server.ca_file)
    client = tls_client(ssl_context=context, ssl_ca_certs=None)
    assert client.ping() is True
    assert client.connection_pool._available_connections[0]._sock.context is context


def test_one_context_for_all_connections_of_a_pool(tls_client, monkeypatch):
    made = []
    make = SSLConnection._make_context
    monkeypatch.setattr(SSLConnection, "_make_context", lambda self: made.append(1) or make(self))
    pool = tls_client().connection_pool
    connections = [pool.get_connection() for _ in range(3)]
    for connection in connections:
        connection.connect()
    assert len(made) == 1
    for connection in connections:
        pool.release(connection)
    assert tls_client().ping() is True
    assert len(made) == 2


def test_a_connection_of_its_own_makes_its_own_context(tls_server):
    connection = SSLConnection(host=tls_server.host, port=tls_server.port, ssl_ca_certs=tls_server.ca_file)
    connection.connect()
    connection.send_command("PING")
    assert connection.read_response() == b"PONG"
    connection.disconnect()


def test_version_and_ciphers(tls_client):
    client = tls_client(ssl_min_version=ssl.TLSVersion.TLSv1_3, ssl_ciphers="ECDHE+AESGCM")
    client.ping()
    sock = client.connection_pool._available_connections[0]._sock
    assert sock.version() == "TLSv1.3"
    assert sock.context.minimum_version == ssl.TLSVersion.TLSv1_3
    assert all("GCM" in c["name"] or c["protocol"] == "TLSv1.3" for c in sock.context.get_ciphers())


def test_a_url_over_tls(tls_server):
    url = f"rediss://{tls_server.host}:{tls_server.port}/2"
    with Redis.from_url(f"{url}?ssl_ca_certs={tls_server.ca_file}") as client:
        assert client.ping() is True
    with Redis.from_url(f"{url}?ssl_cert_reqs=none") as client:
        assert client.ping() is True
    with Redis.from_url(f"{url}?ssl_cert_reqs=required") as client, pytest.raises(ConnectionError):
        client.ping()


def test_every_word_for_the_certificate():
    assert checked_cert_reqs(None) == "CERT_REQUIRED"
    assert checked_cert_reqs("optional") == checked_cert_reqs(1) == "CERT_OPTIONAL"
    assert {getattr(ssl, name) for name in CERT_REQS.values()} == set(ssl.VerifyMode)
    assert all(getattr(ssl, CERT_REQS[mode.value]) is mode for mode in ssl.VerifyMode)


def test_a_wrong_word_for_the_certificate():
    with pytest.raises(ValueError, match=r"ssl_cert_reqs is 'bogus'; it takes 'none', 'optional' or 'required'"):
        SSLConnection(ssl_cert_reqs="bogus")


@pytest.mark.parametrize("option", ["ssl_ca_certs", "ssl_certfile", "ssl_keyfile"])
def test_a_file_that_is_not_there(tls_client, option):
    with pytest.raises(RedisError, match=r"the TLS options cannot be used \(.*/no/such/file"):
        tls_client(**{option: "/no/such/file"}).ping()


def test_the_password_of_a_key_is_not_shown(tls_client, tls_server, tmp_path):
    key = tmp_path / "locked.key"
    command = ["openssl", "pkey", "-in", tls_server.client_key, "-aes256", "-passout", "pass:right", "-out", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    options = {"ssl_certfile": tls_server.client_cert, "ssl_keyfile": str(key)}
    assert tls_client(**options, ssl_password="right").ping() is True
    with pytest.raises(RedisError) as caught:
        tls_client(**options, ssl_password="hidden-word").ping()
    assert "hidden-word" not in str(caught.value)


def test_a_server_without_tls(server):
    with StrictRedis(server.host, server.port, ssl=True, socket_timeout=0.3) as client:
        with pytest.raises((ConnectionError, TimeoutError)) as caught:
            client.ping()
        assert caught.value.phase == "tls"
        assert caught.value.maybe_applied is False


def test_a_server_that_says_nothing_while_tls_is_made():
    with FakeNode() as node, StrictRedis(**node.options, ssl=True, socket_connect_timeout=0.2) as client:
        with pytest.raises(RedisError, match="Timeout connecting to") as caught:
            client.ping()
        assert (caught.value.phase, caught.value.maybe_applied) == ("tls", False)


def test_a_wrapping_that_fails_leaves_no_socket_behind(tls_client):
    class Broken:
        def wrap_socket(self, sock, **options):
            self.sock = sock
            raise LookupError("no")

    broken = Broken()
    with pytest.raises(LookupError):
        tls_client(ssl_context=broken, ssl_ca_certs=None).ping()
    assert broken.sock.fileno() == -1


def test_the_last_words_of_the_other_side(tls_server):
    """What was said before the end is found, an alert or nothing of interest."""
    context = tls_server.certificates.server_context()
    for verify, reason in ((ssl.CERT_REQUIRED, "CERTIFICATE_REQUIRED"), (ssl.CERT_NONE, None)):
        context.verify_mode = verify
        near, far = socket.socketpair()
        with near, far:
            server = threading.Thread(target=greet, args=(context, far))
            server.start()
            with tls_server.certificates.client_context().wrap_socket(near, server_hostname="localhost") as client:
                server.join()
                alert = tls.last_alert(client)
        assert alert is None if reason is None else reason in alert.reason


def greet(context, sock):
    """Shake hands as a server, and close the stream."""
    try:
        context.wrap_socket(sock, server_side=True).close()
    except ssl.SSLError:
        sock.close()


def test_a_reply_that_waits_inside_tls(tls_server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls_server.certificates.server_cert, tls_server.certificates.server_key)
    with FakeNode(context=context, ca_file=tls_server.ca_file) as node:
        node.script("PING", twice(b"+SECOND\r\n"))
        options = {"host": "127.0.0.1", "port": node.port, "ssl_ca_certs": tls_server.ca_file}
        connection = SSLConnection(**options, socket_read_size=7)
        connection.connect()
        connection.send_command("PING")
        assert connection.read_response() == b"PONG"
        assert connection.can_read(timeout=0.2) is True
        assert connection.read_response() == b"SECOND"
        connection.disconnect()


def test_the_module_ssl_is_loaded_by_the_first_connection():
    code = (
        "import sys, redis\n"
        "client = redis.StrictRedis(port=1, ssl=True); repr(client)\n"
        "before = 'ssl' in sys.modules\n"
        "from redis.connection.tls import load_ssl, ssl_available\n"
        "print(before, load_ssl() is sys.modules['ssl'], ssl_available)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "True", "True"]
    assert tls.load_ssl() is ssl
