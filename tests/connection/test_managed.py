"""redis/connection/managed.py: the server confirms what the pool was told, and who is refused by a former master."""

import gc
import socket
import threading
from time import monotonic

import pytest

import redis
from redis.client import StrictRedis
from redis.connection import HiredisParser, PythonParser
from redis.connection.managed import CONNECT_TIMEOUT, DEMOTED, SentinelManagedConnection
from redis.connection.outcome import NotSent
from redis.connection.wire import NEVER
from redis.exceptions import MasterNotFoundError, SlaveNotFoundError
from redis.sentinel import SentinelConnectionPool
from tests.conftest import needs_hiredis
from tests.faults.fakenode import FakeNode, RefusingPort, close, hold, raw, refuse, turn_away
from tests.servers import Certificates, until

MASTER, SLAVE = b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", b"*2\r\n$5\r\nslave\r\n$1\r\nx\r\n"
READONLY = refuse("READONLY You can't write against a read only replica.")
SPEECHES = [
    pytest.param({"parser_class": HiredisParser}, id="hiredis", marks=needs_hiredis),
    pytest.param({"parser_class": PythonParser, "protocol": 3}, id="python"),
]


class Manager:
    """Knows addresses, and gives one after the other; the last one again and again."""

    def __init__(self, *masters, slaves=()):
        self.masters, self.slaves = list(masters), list(slaves)
        #: So many would be asked, each once.
        self.sentinels = list(masters)

    def discover_master(self, service_name):
        if not self.masters:
            raise MasterNotFoundError("No master found for 'x'.")
        return self.masters.pop(0) if len(self.masters) > 1 else self.masters[0]

    def discover_slaves(self, service_name):
        return self.slaves


@pytest.fixture
def nodes():
    """A master, a second one, and a slave."""
    with FakeNode() as one, FakeNode() as two, FakeNode() as three:
        one.always("ROLE", raw(MASTER))
        two.always("ROLE", raw(MASTER))
        three.always("ROLE", raw(SLAVE))
        yield one, two, three


@pytest.fixture(params=SPEECHES)
def follow(request):
    """A function that makes clients which follow what a manager says."""
    clients = []

    def make(manager, **options):
        options = {"socket_timeout": 5, **request.param, **options}
        clients.append(StrictRedis(connection_pool=SentinelConnectionPool("x", manager, **options)))
        return clients[-1]

    yield make
    for client in clients:
        client.connection_pool.close()


def at(node):
    return ("127.0.0.1", node if isinstance(node, int) else node.port)


# Connecting.


def test_a_master_that_is_one(nodes, follow):
    assert follow(Manager(at(nodes[0]))).set("a", 1) is True
    assert nodes[0].count("SET") == 1


def test_a_slave_is_not_taken_for_the_master(nodes, follow):
    one, _, three = nodes
    client = follow(Manager(at(three), at(one)))
    assert client.incr("n") == 1
    assert (one.count("INCRBY"), three.count("INCRBY")) == (1, 0)
    assert client.connection_pool.master_address == at(one)


def test_who_refuses_or_hangs_or_is_full_or_loads_is_passed_over(nodes, follow):
    one, two, _ = nodes
    for trouble in (hold, close, turn_away("ERR max number of clients reached"), refuse("LOADING wait")):
        two.script("CLIENT", trouble)
        client = follow(Manager(at(two), at(one)), socket_timeout=0.5, client_name="x")
        assert client.incr("n")
    with RefusingPort() as port:
        assert follow(Manager(at(port), at(one))).incr("n") == 5
    assert two.count("INCRBY") == 0


def test_the_error_tells_of_every_address(nodes):
    with RefusingPort() as port, SentinelConnectionPool("x", Manager(at(port), at(nodes[2]), at(nodes[2]))) as pool:
        connection = pool.get_connection()
        with pytest.raises(redis.ConnectionError) as caught:
            connection.connect()
        pool.release(connection)
    assert f"127.0.0.1:{port}. Connection refused." in str(caught.value)
    assert f"127.0.0.1:{nodes[2].port} is a slave and not a master." in str(caught.value)
    assert (caught.value.maybe_applied, caught.value.phase) == (False, "connect")


def test_the_error_of_a_command(nodes, follow):
    with pytest.raises(redis.ConnectionError, match="is a slave") as caught:
        follow(Manager(at(nodes[2]))).incr("n")
    error = caught.value
    assert (error.maybe_applied, error.command, error.phase, error.attempt) == (False, "INCRBY", "connect", 2)
    assert error.address == f"127.0.0.1:{nodes[2].port}"


def test_time_ran_out_is_a_timeout(nodes, follow):
    nodes[0].always("ROLE", hold)
    started = monotonic()
    with pytest.raises(redis.TimeoutError) as caught:
        follow(Manager(at(nodes[0])), socket_timeout=0.2).incr("n")
    assert caught.value.maybe_applied is False
    assert str(caught.value).startswith("Timeout in the handshake. (INCRBY at ")
    assert monotonic() - started < 2


def test_no_master_is_told_by_its_class(follow):
    with pytest.raises(MasterNotFoundError, match="No master found for 'x'") as caught:
        follow(Manager()).incr("n")
    assert (caught.value.maybe_applied, caught.value.command) == (False, "INCRBY")
    assert caught.value.address == "x", "nobody knows more than the name of the service"


def test_slaves_one_after_the_other_and_then_the_master(nodes, follow):
    one, _, three = nodes
    with RefusingPort() as port:
        client = follow(Manager(at(one), slaves=[at(three), at(port)]), is_master=False)
        for _ in range(4):
            assert client.get("a") is None
            client.connection_pool.disconnect()
        assert three.count("GET") == 4
        three.always("ROLE", raw(MASTER))
        assert client.get("a") is None
        assert one.count("GET") == 1
        one.always("ROLE", raw(SLAVE))
        client.connection_pool.disconnect()
        assert client.get("a") is None, "that it was the master once is no harm"
        client.connection_pool.sentinel_manager.masters = []
        client.connection_pool.disconnect()
        with pytest.raises(SlaveNotFoundError, match="is a master and not a slave"):
            client.get("a")


def test_a_slave_says_of_itself_that_it_is_read_only(nodes, follow):
    nodes[2].always("SET", READONLY)
    client = follow(Manager(slaves=[at(nodes[2])]), is_master=False)
    with pytest.raises(redis.ReadOnlyError):
        client.set("a", 1)
    assert [words[0] for words in nodes[2].received].count("SET") == 1


@pytest.mark.parametrize("role", ["master", "replica"])
def test_a_user_who_may_not_ask_for_the_role(nodes, follow, role):
    one, two, _ = nodes
    one.always("ROLE", refuse("NOPERM no"))
    facts = b"$4\r\nrole\r\n$%d\r\n%b\r\n" % (len(role), role.encode())
    client = follow(Manager(at(one), at(two)))
    three = client.connection_pool.connection_kwargs.get("protocol") == 3
    one.always("HELLO", raw(b"%1\r\n" + facts if three else b"*2\r\n" + facts))
    client.incr("n")
    assert (one if role == "master" else two).count("INCRBY") == 1


def test_a_server_that_does_not_tell_its_role_is_believed(nodes, follow):
    nodes[0].always("ROLE", refuse("ERR unknown command"))
    nodes[0].always("HELLO", refuse("ERR unknown command 'HELLO'"))
    assert follow(Manager(at(nodes[0]))).incr("n") == 1


def test_a_wrong_password_is_told_at_once(nodes, follow):
    nodes[0].always("AUTH", refuse("WRONGPASS no"))
    nodes[0].always("HELLO", refuse("WRONGPASS no"))
    with pytest.raises(redis.AuthenticationError):
        follow(Manager(at(nodes[0]), at(nodes[1])), password="x").incr("n")
    assert nodes[1].received == []


def test_the_time_for_connecting_is_bounded_where_nobody_said_it():
    made = SentinelManagedConnection(connection_pool=None)
    assert (made.socket_connect_timeout, made.socket_timeout) == (CONNECT_TIMEOUT, None)
    assert SentinelManagedConnection(connection_pool=None, socket_timeout=1).socket_connect_timeout == 1


def test_connecting_to_one_address(nodes):
    pool = SentinelConnectionPool("x", Manager(at(nodes[0])))
    connection = pool.get_connection()
    connection.connect_to(at(nodes[0]))
    connection.send_command("PING")
    assert connection.read_response() == b"PONG"
    with pytest.raises(NotSent):
        connection.connect_to(at(nodes[2]))
    pool.release(connection)
    pool.close()


@pytest.mark.parametrize("known", [True, False], ids=["refused", "not found"])
def test_one_that_could_not_be_made_is_gone_without_the_collector(known):
    with RefusingPort() as port, SentinelConnectionPool("x", Manager(*[at(port)] * known)) as pool:
        gc.collect()
        gc.disable()
        try:
            connection = pool.get_connection()
            with pytest.raises(redis.ConnectionError):
                connection.connect()
            del connection
            assert pool._created_connections == 0
        finally:
            gc.enable()


# A master that is none any more.


def test_a_refused_write_goes_to_the_new_master(nodes, follow):
    one, two, _ = nodes
    client = follow(Manager(at(one), at(two)))
    assert client.get("a") is None
    one.always("INCR", READONLY)
    one.always("INCRBY", READONLY)
    assert client.incr("n") == 1
    assert (one.count("INCRBY"), two.count("INCRBY")) == (0, 1)
    assert client.connection_pool.master_address == at(two)


def test_it_is_an_error_where_there_is_no_new_master(nodes, follow):
    one = nodes[0]
    client = follow(Manager(at(one)))
    one.always("INCRBY", READONLY)
    with pytest.raises(redis.ConnectionError, match=DEMOTED) as caught:
        client.incr("n")
    assert (caught.value.maybe_applied, caught.value.attempt) == (False, 2)
    assert one.count("INCRBY") == 0


def test_the_same_for_a_class_of_ones_own(nodes, follow):
    one, two, _ = nodes

    class Own(StrictRedis):
        def parse_response(self, connection, command_name, **options):
            return super().parse_response(connection, command_name, **options)

    client = Own(connection_pool=follow(Manager(at(one), at(two))).connection_pool)
    one.always("INCRBY", READONLY)
    assert client.incr("n") == 1
    two.always("INCRBY", READONLY)
    with pytest.raises(redis.ConnectionError, match=DEMOTED) as caught:
        client.incr("n")
    assert (caught.value.maybe_applied, caught.value.command) == (False, "INCRBY")


def test_what_waited_is_not_sent_again(nodes, follow):
    one, two, _ = nodes
    client = follow(Manager(at(one), at(two)))
    one.always("BLPOP", refuse("UNBLOCKED force unblock from blocking operation, instance state changed"))
    with pytest.raises(redis.ConnectionError, match=DEMOTED) as caught:
        client.blpop("queue", 1)
    assert (caught.value.maybe_applied, caught.value.command, caught.value.attempt) == (False, "BLPOP", 1)
    assert client.incr("n") == 1
    assert (one.count("INCRBY"), two.count("INCRBY")) == (0, 1)


def test_what_another_client_unblocks_is_an_error_as_ever(nodes, follow):
    nodes[0].always("BLPOP", refuse("UNBLOCKED client unblocked via CLIENT UNBLOCK"))
    with pytest.raises(redis.ResponseError, match="UNBLOCKED client"):
        follow(Manager(at(nodes[0]))).blpop("queue", 1)


@pytest.mark.parametrize("transaction", [True, False])
def test_a_batch_that_was_refused_whole_goes_to_the_new_master(nodes, follow, transaction):
    one, two, _ = nodes
    client = follow(Manager(at(one), at(two)))
    one.always("INCRBY", READONLY)
    one.always("EXEC", refuse("EXECABORT Transaction discarded because of previous errors."))
    assert client.pipeline(transaction=transaction).incr("n").incr("n").execute() == [1, 2]
    assert (one.count("INCRBY"), two.count("INCRBY")) == (0, 2)


def test_a_batch_of_which_something_was_executed_stays_where_it_was(nodes, follow):
    one, two, _ = nodes
    client = follow(Manager(at(one), at(two)))
    one.script("INCRBY", READONLY)
    pipe = client.pipeline(transaction=False).incr("n").incr("n")
    first, second = pipe.execute(raise_on_error=False)
    assert isinstance(first, redis.ReadOnlyError) and second == 1
    assert (one.count("INCRBY"), two.count("INCRBY")) == (1, 0)
    assert client.incr("n") == 1, "the next is for the new master"
    assert two.count("INCRBY") == 1


# Leaving.


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("managed"))


@pytest.fixture(params=["tcp", "tls"])
def place(request, certificates):
    """A master over each transport, and the options that lead to it."""
    secure = request.param == "tls"
    with FakeNode(None, certificates.server_context() if secure else None, certificates.ca_file) as node:
        node.always("ROLE", raw(MASTER))
        yield node, {"ssl": True, "ssl_ca_certs": certificates.ca_file} if secure else {}


def test_who_waits_for_an_answer_is_woken(place, follow):
    node, options = place
    client = follow(Manager(at(node)), socket_timeout=None, **options)
    node.always("BLPOP", hold)
    errors = []

    def wait():
        try:
            client.blpop("queue", 0)
        except redis.RedisError as error:
            errors.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    until(lambda: ("BLPOP", "queue", "0") in node.received)
    client.connection_pool.leave(("127.0.0.1", 1))
    assert waiting.is_alive(), "that is another server"
    client.connection_pool.leave(at(node))
    waiting.join(5)
    assert [type(error) for error in errors] == [redis.ConnectionError]
    assert errors[0].maybe_applied is True


def test_idle_connections_are_closed_and_lent_ones_when_they_can_be(nodes):
    one, two, _ = nodes
    pool = SentinelConnectionPool("x", Manager(at(one)))
    idle, lent = pool.get_connection(), pool.get_connection()
    idle.connect()
    lent.connect()
    pool.release(idle)
    pool.sentinel_manager.masters = [at(two)]
    assert pool.get_master_address() == at(two)
    assert idle._sock is None
    assert lent._sock is None, "it is this thread's own, and nothing is owed"
    new = pool.get_connection()
    new.connect()
    assert new is idle and new.port == two.port
    new.send_command("PING")
    assert new.read_response() == b"PONG"
    pool.release(new)
    pool.release(lent)
    assert pool._created_connections == 2
    pool.close()


def test_one_that_others_have_lent_is_made_anew(nodes):
    one, two, _ = nodes
    pool = SentinelConnectionPool("x", Manager(at(one)))
    borrowed = []
    thread = threading.Thread(target=lambda: borrowed.append(pool.get_connection()))
    thread.start()
    thread.join()
    borrowed[0].connect()
    pool.sentinel_manager.masters = [at(two)]
    assert pool.get_master_address() == at(two)
    assert borrowed[0].used is NEVER
    borrowed[0].send_command("PING")
    assert borrowed[0].read_response() == b"PONG"
    assert (borrowed[0].port, two.count("PING"), one.count("PING")) == (two.port, 1, 0)
    pool.release(borrowed[0])
    pool.close()


@pytest.mark.parametrize("moment", ["connecting", "handshake"])
def test_a_connection_that_is_being_made_to_the_old_master_is_not_used(nodes, follow, monkeypatch, moment):
    """The move is heard while it is made, when there is a socket to be ended, or none yet."""
    one, two, _ = nodes
    client = follow(Manager(at(one)))
    pool, connect = client.connection_pool, SentinelManagedConnection._connect

    def move():
        pool.sentinel_manager.masters, pool.sentinel_manager.sentinels = [at(two)], [1, 2]
        pool.get_master_address()

    def connect_and_move(connection):
        sock = connect(connection)
        if moment == "connecting" and connection.port == one.port:
            move()
        return sock

    monkeypatch.setattr(SentinelManagedConnection, "_connect", connect_and_move, raising=False)
    if moment == "handshake":
        one.script("ROLE", lambda link, execute: (move(), link.write(MASTER)))
    assert client.incr("n") == 1
    assert (one.count("INCRBY"), two.count("INCRBY")) == (0, 1)


def test_what_was_interrupted_is_done_again(nodes, monkeypatch):
    one, two, _ = nodes
    pool = SentinelConnectionPool("x", Manager(at(one)))
    connection = pool.get_connection()
    connection.connect()
    pool.release(connection)
    pool.sentinel_manager.masters = [at(two)]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pool, "_tend", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        pool.get_master_address()
    assert connection._sock is not None
    pool.get_master_address()
    assert connection._sock is None
    pool.close()


class OwnWay(SentinelManagedConnection):
    """Reaches the servers by a name of its own."""

    def connect_to(self, address):
        super().connect_to(("localhost", address[1]))


def test_a_subclass_may_know_another_way(nodes, follow):
    one, two, _ = nodes
    client = follow(Manager(at(one), at(two)), connection_class=OwnWay)
    assert client.incr("n") == client.incr("n") - 1 == 1
    one.always("INCRBY", READONLY)
    assert client.incr("n") == 1
    assert (one.count("INCRBY"), two.count("INCRBY")) == (2, 1)
    (connection,) = client.connection_pool._available_connections
    assert (connection.host, connection.place) == ("localhost", at(two))


def test_a_recalled_stream_has_ended_for_both(nodes):
    pool = SentinelConnectionPool("x", Manager(at(nodes[0])))
    connection = pool.get_connection()
    connection.connect()
    connection.recall()
    assert connection._sock.recv(1) == b""
    connection._sock.close()
    connection.recall()  # somebody was faster
    assert isinstance(connection._sock, socket.socket)
    connection.disconnect()
    pool.close()
