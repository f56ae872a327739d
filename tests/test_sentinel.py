"""redis/sentinel.py: who is asked, whose answer counts, and what the pools make of it."""

import gc
import threading
import weakref

import pytest

import redis
import redis.sentinel
from redis.connection.managed import SentinelManagedConnection, SentinelManagedSSLConnection
from redis.exceptions import MasterNotFoundError, SlaveNotFoundError
from redis.sentinel import SENTINEL_TIMEOUT, ReplicaNotFoundError, Sentinel, SentinelConnectionPool
from tests import servers
from tests.servers import REDIS7, VALKEY, ask, replica_of, sentinels, standalone, until

HERE, THERE, ELSEWHERE = ("10.0.0.1", 6379), ("10.0.0.2", 6380), ("10.0.0.3", 6381)


class Teller:
    """Stands in for the client of one sentinel, and says what the test wants it to say."""

    def __init__(self, host, port, **options):
        self.place, self.options = (host, port), options
        self.master = state(HERE)
        self.slaves = []
        self.fails_with = None
        self.asked = 0

    def answer(self, words):
        self.asked += 1
        if self.fails_with is not None:
            raise self.fails_with
        return words

    def sentinel_masters(self):
        return self.answer({"mymaster": self.master} if self.master else {})

    def sentinel_slaves(self, name):
        return self.answer(self.slaves if name == "mymaster" else [])

    def close(self):
        self.fails_with = redis.ConnectionError("closed")


def state(address, others=2, down="", epoch=0, **more):
    """What a sentinel knows of a server."""
    host, port = address
    flags = {"is_master": True, "is_sdown": down == "s", "is_odown": down == "o", "num-other-sentinels": others}
    return {"ip": host, "port": port, "config-epoch": epoch, **flags, **more}


@pytest.fixture
def watch(monkeypatch):
    """A function that makes a Sentinel of three who say what they are told."""
    monkeypatch.setattr(redis.sentinel, "StrictRedis", Teller)
    return lambda **options: Sentinel([("a", 1), ("b", 2), ("c", 3)], **options)


@pytest.fixture
def sentinel(watch):
    return watch()


def order(sentinel):
    return "".join(teller.place[0] for teller in sentinel.sentinels)


# The master.


def test_the_first_who_knows_is_believed(sentinel):
    assert sentinel.discover_master("mymaster") == HERE
    assert [teller.asked for teller in sentinel.sentinels] == [1, 0, 0]


def test_a_service_that_nobody_knows(sentinel):
    with pytest.raises(MasterNotFoundError, match="No master found for 'other'"):
        sentinel.discover_master("other")


@pytest.mark.parametrize(
    "error", [redis.ConnectionError("refused"), redis.TimeoutError("late"), redis.ResponseError("NOPERM no")], ids=repr
)
def test_who_cannot_be_asked_is_passed_over_and_asked_last(sentinel, error):
    first = sentinel.sentinels[0]
    first.fails_with = error
    assert sentinel.discover_master("mymaster") == HERE
    assert order(sentinel) == "bca"
    assert sentinel.discover_master("mymaster") == HERE
    assert first.asked == 1


@pytest.mark.parametrize(
    "useless", [state(HERE, down="s"), state(HERE, down="o"), state(HERE, is_master=False), None], ids=str
)
def test_who_knows_no_master_that_serves_is_passed_over(sentinel, useless):
    sentinel.sentinels[0].master = useless
    sentinel.sentinels[1].master = state(THERE)
    assert sentinel.discover_master("mymaster") == THERE
    assert order(sentinel) == "bca"


def test_who_is_cut_off_from_the_others_is_not_believed(watch):
    sentinel = watch(min_other_sentinels=1)
    sentinel.sentinels[0].master = state(HERE, others=0)
    sentinel.sentinels[1].master = state(THERE, others=1)
    assert sentinel.discover_master("mymaster") == THERE


def test_nobody_is_in_sight_of_enough_others(watch):
    with pytest.raises(MasterNotFoundError):
        watch(min_other_sentinels=3).discover_master("mymaster")


def test_the_error_tells_what_each_of_them_said(sentinel):
    one, two, three = sentinel.sentinels
    one.fails_with = redis.TimeoutError("Timeout reading from socket")
    two.master, three.master = None, state(HERE, down="o", flags="o_down,master")
    for teller in sentinel.sentinels:
        teller.connection_pool = redis.ConnectionPool(host=teller.place[0], port=teller.place[1])
    with pytest.raises(MasterNotFoundError) as caught:
        sentinel.discover_master("mymaster")
    assert str(caught.value) == (
        "No master found for 'mymaster'. a:1 cannot be asked (Timeout reading from socket). b:2 does not know it. "
        "c:3 says 10.0.0.1:6379 (o_down,master; 2 other sentinels)."
    )
    assert caught.value.maybe_applied is False


def test_an_error_that_is_none_of_a_sentinel_passes(sentinel):
    sentinel.sentinels[0].fails_with = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        sentinel.discover_master("mymaster")


def test_a_subclass_says_who_is_believed(monkeypatch):
    class Trusting(Sentinel):
        def check_master_state(self, state, service_name):
            return service_name == "mymaster"

    monkeypatch.setattr(redis.sentinel, "StrictRedis", Teller)
    sentinel = Trusting([("a", 1)])
    sentinel.sentinels[0].master = state(THERE, down="o")
    assert sentinel.discover_master("mymaster") == THERE


def test_every_master_has_the_host_that_was_forced(watch):
    assert watch(force_master_ip="127.0.0.1").discover_master("mymaster") == ("127.0.0.1", HERE[1])


# Older and newer news.


def test_nobody_goes_back_to_an_older_configuration(sentinel):
    one, two, three = sentinel.sentinels
    two.master = state(THERE, epoch=5)
    one.fails_with = redis.ConnectionError("away")
    assert sentinel.discover_master("mymaster") == THERE
    one.fails_with, one.master = None, state(HERE, epoch=4)
    two.fails_with, three.fails_with = redis.ConnectionError("away"), redis.ConnectionError("away")
    with pytest.raises(MasterNotFoundError, match=r"10\.0\.0\.1:6379"):
        sentinel.discover_master("mymaster")


def test_an_older_answer_is_passed_over_while_a_newer_one_is_there(sentinel):
    one, two, three = sentinel.sentinels
    one.master, two.master, three.master = state(HERE, epoch=4), state(HERE, epoch=4), state(THERE, epoch=5)
    assert sentinel.discover_master("mymaster") == HERE
    sentinel.ask_first(three)
    assert sentinel.discover_master("mymaster") == THERE
    sentinel.ask_last(three)
    assert sentinel.discover_master("mymaster") == THERE


def test_the_error_says_whose_answer_was_too_old(sentinel):
    sentinel.sentinels[0].master = state(THERE, epoch=5)
    sentinel.discover_master("mymaster")
    sentinel.sentinels[0].fails_with = redis.ConnectionError("away")
    with pytest.raises(MasterNotFoundError, match="which is older than what was heard before"):
        sentinel.discover_master("mymaster")


def test_who_leads_a_failover_names_the_old_master_until_it_has_ended(sentinel):
    """It counts the new configuration already; who was told the new address does not go back there."""
    leader, told, _ = sentinel.sentinels
    leader.master = state(HERE, epoch=4)
    assert sentinel.discover_master("mymaster") == HERE
    leader.master, told.master = state(HERE, epoch=5, flags="master,failover_in_progress"), state(THERE, epoch=5)
    assert sentinel.discover_master("mymaster") == HERE, "nobody has heard anything else"
    sentinel.ask_first(told)
    assert sentinel.discover_master("mymaster") == THERE
    sentinel.ask_first(leader)
    assert sentinel.discover_master("mymaster") == THERE
    leader.master = state(THERE, epoch=5, flags="master,failover_in_progress")
    sentinel.ask_first(leader)
    assert sentinel.discover_master("mymaster") == THERE
    assert order(sentinel)[0] == "a", "its answer counts as soon as it names the new master"


def test_where_all_are_older_the_service_was_set_up_anew(sentinel):
    sentinel.sentinels[0].master = state(THERE, epoch=5)
    assert sentinel.discover_master("mymaster") == THERE
    for number, teller in enumerate(sentinel.sentinels):
        teller.master = state(ELSEWHERE if number == 1 else HERE, epoch=number == 1)
    assert sentinel.discover_master("mymaster") == ELSEWHERE
    assert sentinel.discover_master("mymaster") == ELSEWHERE


# The slaves.


def slave(address, down=""):
    return {"ip": address[0], "port": address[1], "is_odown": down == "o", "is_sdown": down == "s"}


def test_the_slaves_that_are_up(sentinel):
    sentinel.sentinels[0].slaves = [slave(HERE), slave(THERE, "s"), slave(ELSEWHERE, "o")]
    assert sentinel.discover_slaves("mymaster") == sentinel.discover_replicas("mymaster") == [HERE]
    assert sentinel.filter_slaves([slave(HERE, "s")]) == sentinel.filter_replicas([slave(HERE, "s")]) == []
    assert sentinel.discover_slaves("other") == []


def test_another_sentinel_may_know_slaves(sentinel):
    one, two, three = sentinel.sentinels
    one.fails_with, two.slaves, three.slaves = redis.TimeoutError("late"), [slave(HERE, "o")], [slave(THERE)]
    assert sentinel.discover_slaves("mymaster") == [THERE]


def test_who_cannot_be_asked_for_slaves_is_asked_last(sentinel):
    one, two, _ = sentinel.sentinels
    one.fails_with, two.slaves = redis.TimeoutError("late"), [slave(THERE)]
    assert sentinel.discover_slaves("mymaster") == sentinel.discover_slaves("mymaster") == [THERE]
    assert order(sentinel) == "bca" and one.asked == 1


def test_each_has_its_turn_whatever_others_take(sentinel):
    sentinel.sentinels[0].slaves = [slave(HERE), slave(THERE)]
    pool = SentinelConnectionPool("mymaster", sentinel, is_master=False)
    turns, seen = pool.rotate_slaves(), set()
    for _ in range(2):
        seen.add(next(turns))
        next(pool.rotate_slaves())
    assert seen == {HERE, THERE}


def test_slaves_in_turn_and_then_the_master(sentinel):
    first = sentinel.sentinels[0]
    first.master, first.slaves = state(ELSEWHERE), [slave(HERE), slave(THERE)]
    pool = SentinelConnectionPool("mymaster", sentinel, is_master=False)
    turns = pool.rotate_slaves()
    assert {next(turns), next(turns)} == {HERE, THERE}
    assert next(turns) == ELSEWHERE
    with pytest.raises(SlaveNotFoundError, match=r"No slave found for 'mymaster'.*knows 2 slaves, 2 of them up"):
        next(turns)
    seen = [next(pool.rotate_replicas()) for _ in range(4)]
    assert seen[0] != seen[1] and seen[:2] == seen[2:], "each new one begins with the next"


def test_no_slave_and_no_master(sentinel):
    for teller in sentinel.sentinels:
        teller.fails_with = redis.ConnectionError("away")
    pool = SentinelConnectionPool("mymaster", sentinel, is_master=False)
    with pytest.raises(ReplicaNotFoundError, match="cannot be asked") as caught:
        list(pool.rotate_slaves())
    assert isinstance(caught.value, redis.ConnectionError) and caught.value.maybe_applied is False


# The pool.


def test_the_pool_knows_where_the_master_is(sentinel):
    pool = SentinelConnectionPool("mymaster", sentinel)
    assert pool.master_address is None
    assert pool.get_master_address() == pool.master_address == HERE
    for teller in sentinel.sentinels:
        teller.master = state(THERE)
    assert pool.get_master_address() == pool.master_address == THERE
    pool.reset()
    assert pool.master_address is None


def test_a_move_is_asked_for_twice(sentinel):
    """Else a thread that was held up could bring the pool back to where the master is no more."""
    pool = SentinelConnectionPool("mymaster", sentinel)
    pool.master_address = THERE
    answers = [HERE, THERE]
    sentinel.discover_master = lambda name: answers.pop(0)
    assert pool.get_master_address() == pool.master_address == THERE
    assert answers == []


def test_addresses_end_when_nobody_says_anything_new(sentinel):
    one, two, three = sentinel.sentinels
    one.master, two.master, three.master = state(HERE), state(HERE), state(THERE)
    pool = SentinelConnectionPool("mymaster", sentinel)
    assert list(pool.addresses()) == [HERE, THERE]


def test_nobody_is_asked_again_who_has_answered(sentinel):
    """Each time those that hang would cost their time once more."""
    one, two, three = sentinel.sentinels
    one.fails_with = two.fails_with = redis.TimeoutError("late")
    assert list(SentinelConnectionPool("mymaster", sentinel).addresses()) == [HERE]
    assert [teller.asked for teller in (one, two, three)] == [2, 2, 2]


def test_who_named_a_useless_address_is_asked_last_and_nobody_else(sentinel):
    """Two threads were told the same by the first; the second of them does not move who has not been asked."""
    one, two, three = sentinel.sentinels
    two.master = three.master = state(THERE)
    turns = [SentinelConnectionPool("mymaster", sentinel).addresses() for _ in range(2)]
    assert [next(turn) for turn in turns] == [HERE, HERE]
    assert [next(turn) for turn in turns] == [THERE, THERE]
    assert order(sentinel) == "bca" and (one.asked, three.asked) == (2, 0)


def test_any_manager_will_do():
    class Manager:
        def discover_master(self, service_name):
            return HERE

        def discover_slaves(self, service_name):
            return [THERE]

    assert list(SentinelConnectionPool("x", Manager()).addresses()) == [HERE]
    turns = SentinelConnectionPool("x", Manager(), is_master=False).addresses()
    assert [next(turns), next(turns)] == [THERE, HERE]
    with pytest.raises(SlaveNotFoundError):
        next(turns)


@pytest.mark.parametrize(
    ("is_master", "role", "address", "objection"),
    [
        (True, "master", HERE, ""),
        (True, None, HERE, ""),
        (True, "slave", HERE, "is a slave and not a master"),
        (True, "master", THERE, "is not the master any more"),
        (False, "slave", THERE, ""),
        (False, "master", THERE, "is a master and not a slave"),
        (False, "master", HERE, ""),
        (False, "slave", HERE, ""),
    ],
)
def test_what_speaks_against_a_server(sentinel, is_master, role, address, objection):
    pool = SentinelConnectionPool("mymaster", sentinel, is_master=is_master)
    pool.get_master_address()
    assert pool.objection(address, role) == objection


def test_what_the_pool_and_the_others_look_like(sentinel):
    pool = SentinelConnectionPool("mymaster", sentinel)
    assert repr(pool) == "SentinelConnectionPool<service=mymaster(master)>"
    assert repr(SentinelConnectionPool("x", sentinel, is_master=False)) == "SentinelConnectionPool<service=x(slave)>"
    connection = pool.make_connection()
    assert repr(connection) == "SentinelManagedConnection<service=mymaster>"
    connection.host, connection.port = HERE
    assert repr(connection) == "SentinelManagedConnection<service=mymaster,host=10.0.0.1,port=6379>"


def test_what_a_sentinel_looks_like():
    assert repr(Sentinel([("a", 1), ("b", 2)])) == "Sentinel<sentinels=[a:1,b:2]>"
    secret = Sentinel([("a", 1)], sentinel_kwargs={"password": "secret"}, password="secret")
    assert "secret" not in repr(secret) + repr(secret.master_for("x"))


def test_the_class_of_connection(sentinel):
    assert SentinelConnectionPool("x", sentinel).connection_class is SentinelManagedConnection
    assert SentinelConnectionPool("x", sentinel, ssl=True).connection_class is SentinelManagedSSLConnection

    class Own(SentinelManagedConnection):
        pass

    assert SentinelConnectionPool("x", sentinel, connection_class=Own, ssl=True).connection_class is Own


# Making.


def test_the_options_of_the_sentinels(watch):
    inherited = watch(socket_timeout=3, socket_keepalive=True, password="of the master")
    assert inherited.sentinel_kwargs == {"socket_timeout": 3, "socket_keepalive": True}
    assert inherited.sentinels[0].options == {"socket_timeout": 3, "socket_keepalive": True}
    own = watch(sentinel_kwargs={"password": "own", "username": "guard"}, password="of the master")
    assert own.sentinels[0].options == {"password": "own", "username": "guard", "socket_timeout": SENTINEL_TIMEOUT}


@pytest.mark.parametrize("wrong", [["a:26379"], ("a", 26379), "a:26379", [("a",)], [("a", 1, 2)]], ids=str)
def test_what_is_no_list_of_sentinels(wrong):
    with pytest.raises(ValueError, match="it takes a list of pairs of host and port"):
        Sentinel(wrong)


@pytest.mark.parametrize(
    "options", [{}, {"socket_timeout": None}, {"sentinel_kwargs": {"socket_timeout": None}}], ids=str
)
def test_no_sentinel_has_all_the_time_of_the_world(watch, options):
    assert watch(**options).sentinels[0].options["socket_timeout"] == SENTINEL_TIMEOUT == 0.5


def test_a_misspelt_option_is_an_error_at_once():
    with pytest.raises(TypeError, match="did you mean 'socket_timeout'"):
        Sentinel([("a", 1)], sokcet_timeout=1)
    with pytest.raises(TypeError, match="did you mean 'password'"):
        Sentinel([("a", 1)], sentinel_kwargs={"pasword": "x"})
    with pytest.raises(TypeError, match="did you mean 'username'"):
        Sentinel([("a", 1)]).master_for("x", usernmae=1)

    class Own(SentinelManagedConnection):
        def __init__(self, passwort=None, **options):
            super().__init__(**options)

    assert Sentinel([("a", 1)], connection_class=Own, passwort="x").master_for("x")


def test_clients_have_the_options_of_the_sentinel_and_their_own(sentinel):
    sentinel.connection_kwargs = {"db": 1, "socket_timeout": 2}
    client = sentinel.master_for("mymaster", db=9)
    assert isinstance(client, redis.StrictRedis) and client.connection_pool.is_master
    kwargs = client.connection_pool.connection_kwargs
    assert (kwargs["db"], kwargs["socket_timeout"]) == (9, 2)
    assert sentinel.connection_kwargs == {"db": 1, "socket_timeout": 2}
    other = sentinel.replica_for("mymaster", redis.Redis)
    assert type(other) is redis.Redis and not other.connection_pool.is_master
    assert not sentinel.slave_for("mymaster").connection_pool.is_master


def test_a_class_of_pool_and_a_class_of_client(sentinel):
    class Pool(SentinelConnectionPool):
        pass

    made = []
    sentinel.master_for("x", lambda connection_pool: made.append(connection_pool) or Client(), Pool, max_connections=3)
    assert type(made[0]) is Pool and made[0].max_connections == 3


class Client:
    """Any class of the user's."""


def test_a_client_with_a_single_connection(sentinel):
    client = sentinel.master_for("mymaster", single_connection_client=True)
    assert repr(client) == "StrictRedis<SingleConnectionPool<service=mymaster(master)>>"
    assert client.connection_pool.address == "mymaster"
    client.close()
    assert client.connection_pool.lender.closed


def test_the_client_closes_its_pool(sentinel):
    client = sentinel.master_for("mymaster")
    client.close()
    assert client.connection_pool.closed


def test_nobody_keeps_anybody_alive(sentinel):
    client = sentinel.master_for("mymaster")
    pool = weakref.ref(client.connection_pool)
    del client
    gc.collect()
    assert pool() is None
    assert sentinel.pools == {}
    manager = weakref.ref(sentinel)
    client = sentinel.master_for("mymaster")
    del sentinel
    assert client.connection_pool.sentinel_manager is manager(), "the client needs it"


def test_many_threads_ask_and_none_is_lost(sentinel):
    names = {teller.place for teller in sentinel.sentinels}
    stop = threading.Event()

    def shuffle(teller):
        while not stop.is_set():
            sentinel.ask_first(teller)
            sentinel.ask_last(teller)

    threads = [threading.Thread(target=shuffle, args=(teller,)) for teller in sentinel.sentinels]
    for thread in threads:
        thread.start()
    for _ in range(2000):
        sentinel.discover_master("mymaster")
    stop.set()
    for thread in threads:
        thread.join()
    assert {teller.place for teller in sentinel.sentinels} == names and len(sentinel.sentinels) == 3


# With real servers.


@pytest.fixture(scope="module", params=[VALKEY, REDIS7], ids=["valkey", "redis7"])
def service(request):
    """A master, a replica and two sentinels; one more that was stopped stands before them."""
    name = request.param
    with standalone(name) as master, replica_of(master, name) as replica, sentinels(master, 2, name=name) as watching:
        for one in watching:
            until(lambda one=one: ask(one, "SENTINEL", "REPLICAS", "mymaster"))
        yield master, replica, watching


@pytest.fixture
def real(service):
    with Sentinel([(one.host, one.port) for one in service[2]]) as sentinel:
        yield sentinel


def test_real_sentinels(real, service):
    master, replica, _ = service
    assert real.discover_master("mymaster") == (master.host, master.port)
    assert real.discover_slaves("mymaster") == [(replica.host, replica.port)]
    with pytest.raises(MasterNotFoundError, match="does not know it"):
        real.discover_master("other")


def test_clients_reach_who_they_want(real, kind):
    with real.master_for("mymaster", **kind.options) as writer, real.slave_for("mymaster", **kind.options) as reader:
        writer.set("who", "I")
        writer.wait(1, 1000)
        assert reader.get("who") == kind.value(b"I")
        assert (writer.role()[0], reader.role()[0]) == ("master", "slave")
        pipe = writer.pipeline()
        assert pipe.set("a", 1).incr("a").execute() == [True, 2]
        with pytest.raises(redis.ReadOnlyError):
            reader.set("who", "not I")
        with pytest.raises(redis.ReadOnlyError):
            reader.pipeline().set("who", "not I").execute()


def test_a_client_of_its_own_class_goes_the_classic_way(real):
    class Own(redis.StrictRedis):
        def parse_response(self, connection, command_name, **options):
            return super().parse_response(connection, command_name, **options)

    with real.master_for("mymaster", Own) as client:
        assert client._short is None
        assert client.incr("n") == 1
        assert client.pipeline().incr("n").delete("n").execute() == [2, 1]


def test_a_single_connection(real):
    with real.master_for("mymaster") as client:
        single = redis.StrictRedis(connection_pool=client.connection_pool, single_connection_client=True)
        assert single.client_id() == single.client_id() != client.client_id()
        single.close()


def test_passwords_of_their_own():
    secret = {"requirepass": "for servers", "masterauth": "for servers"}
    with standalone(config=secret) as master:
        lines = [["monitor", "mymaster", master.host, master.port, 1], ["auth-pass", "mymaster", "for servers"]]
        with servers.Sentinel(master, config={"sentinel": lines, "requirepass": "for sentinels"}) as guard:
            place, own = [(guard.host, guard.port)], {"password": "for sentinels"}
            until(lambda: b"flags" in (found := ask(guard, "SENTINEL", "MASTER", "mymaster")) and b"master" in found)
            with Sentinel(place, sentinel_kwargs=own, password="for servers") as sentinel:
                assert sentinel.master_for("mymaster").set("a", 1)
                with pytest.raises(redis.AuthenticationError):
                    sentinel.master_for("mymaster", password="for sentinels").set("a", 1)
            with (
                Sentinel(place, password="for servers") as sentinel,
                pytest.raises(MasterNotFoundError, match=r"cannot be asked .*NOAUTH"),
            ):
                sentinel.master_for("mymaster").set("a", 1)


class SecureSentinel(servers.Sentinel):
    """A sentinel that speaks TLS, to its clients and to the master."""

    def __init__(self, master):
        files = master.certificates
        tls = {"tls-ca-cert-file": files.ca_file, "tls-auth-clients": "optional", "tls-replication": True}
        tls |= {"tls-cert-file": files.server_cert, "tls-key-file": files.server_key}
        super().__init__(master, quorum=1, name=REDIS7, config=tls)

    def _settings(self):
        return {**super()._settings(), "port": 0, "tls-port": self.port}


@pytest.fixture(scope="module")
def secure(tls_server):
    with SecureSentinel(tls_server) as guard:
        until(lambda: ask(guard, "SENTINEL", "CKQUORUM", "mymaster"))
        yield guard


def test_tls_to_the_sentinels_and_to_the_servers(secure, tls_server, kind):
    tls = {"ssl": True, "ssl_ca_certs": tls_server.ca_file}
    place = [(secure.host, secure.port)]
    with (
        Sentinel(place, sentinel_kwargs=tls, **tls, **kind.options) as sentinel,
        sentinel.master_for("mymaster") as client,
    ):
        assert client.set("over", "TLS") and client.get("over") == kind.value(b"TLS")
        assert client.connection_pool.connection_class is SentinelManagedSSLConnection
        assert client.pipeline().incr("n").delete("n").execute()[1] == 1
    url = f"rediss+sentinel://{secure.host}:{secure.port}/mymaster?ssl_ca_certs={tls_server.ca_file}"
    with redis.StrictRedis.from_url(url, **kind.options) as client:
        assert client.get("over") == kind.value(b"TLS")


@pytest.mark.parametrize("whose", ["the sentinels'", "the servers'"])
def test_tls_verifies_every_certificate(secure, tls_server, whose):
    right, wrong = [{"ssl": True, "ssl_ca_certs": ca} for ca in (tls_server.ca_file, tls_server.wrong_ca_file)]
    asked, served = (wrong, right) if whose == "the sentinels'" else (right, wrong)
    error = MasterNotFoundError if asked is wrong else redis.ConnectionError
    with (
        Sentinel([(secure.host, secure.port)], sentinel_kwargs=asked, **served) as sentinel,
        sentinel.master_for("mymaster") as client,
        pytest.raises(error, match=r"(?i)certificate.verify.failed"),
    ):
        client.ping()
