"""redis/connection/handshake.py: who says what at the beginning, and what becomes of a refusal."""

import gc
import traceback
import weakref

import pytest

from redis.client import StrictRedis
from redis.connection.handshake import Identity, shake_hands
from redis.connection.tcp import Connection
from redis.exceptions import (
    AuthenticationError,
    AuthenticationFailedError,
    BusyLoadingError,
    ConnectionError,
    RedisError,
    ResponseError,
)
from redis.protocol.errors import ErrorReply
from redis.version import __version__
from tests.faults.fakenode import ACCEPT, FakeNode, close, drop, raw, refuse, reset, turn_away
from tests.servers import standalone

PASSWORD = "s3cr3t-0f-th3-t3st"
SETINFO = [(b"CLIENT", b"SETINFO", b"LIB-NAME", b"redispy"), (b"CLIENT", b"SETINFO", b"LIB-VER", b"1.0")]


class Provider:
    """Gives what is in its list, one after the other; an error is raised."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def get_credentials(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Talk:
    """Stands for the connection: keeps the batches, and answers OK but for the words in ``refusals``."""

    def __init__(self, **refusals):
        self.refusals = refusals
        self.batches = []

    def __call__(self, batch):
        self.batches.append(batch)
        return iter([self.answer(words) for words in batch])

    def answer(self, words):
        text = self.refusals.get(words[1 if words[0] == b"CLIENT" else 0].decode())
        return b"OK" if text is None else ErrorReply(text)


def shake(talk, **identity):
    return shake_hands(talk, Identity(**{"lib_version": "1.0", **identity}), "h:1")


BATCHES = [
    ({}, SETINFO),
    ({"lib_name": None, "lib_version": None}, []),
    ({"password": "p"}, [(b"AUTH", "p"), *SETINFO]),
    ({"username": "u", "password": "p"}, [(b"AUTH", "u", "p"), *SETINFO]),
    ({"username": "u"}, [(b"AUTH", "u", ""), *SETINFO]),
    ({"password": ""}, SETINFO),
    ({"credential_provider": Provider(("p",))}, [(b"AUTH", "p"), *SETINFO]),
    ({"credential_provider": Provider(("u", "p")), "password": "other"}, [(b"AUTH", "u", "p"), *SETINFO]),
    ({"db": 5}, [(b"SELECT", b"5"), *SETINFO]),
    ({"db": "5"}, [(b"SELECT", b"5"), *SETINFO]),
    ({"client_name": "me"}, [(b"CLIENT", b"SETNAME", "me"), *SETINFO]),
    ({"lib_version": None}, SETINFO[:1]),
    (
        {"password": "p", "client_name": "me", "db": 5},
        [(b"AUTH", "p"), (b"CLIENT", b"SETNAME", "me"), (b"SELECT", b"5"), *SETINFO],
    ),
    ({"protocol": 3}, [(b"HELLO", b"3"), *SETINFO]),
    ({"protocol": 3, "password": "p"}, [(b"HELLO", b"3", b"AUTH", b"default", "p"), *SETINFO]),
    (
        {"protocol": 3, "username": "u", "password": "p", "db": 5},
        [(b"HELLO", b"3", b"AUTH", "u", "p"), (b"SELECT", b"5"), *SETINFO],
    ),
]


@pytest.mark.parametrize(("identity", "batch"), BATCHES, ids=lambda value: ",".join(map(str, value))[:40])
def test_all_is_said_in_one_batch(identity, batch):
    talk = Talk()
    assert shake(talk, **identity) == identity.get("protocol", 2)
    assert talk.batches == [batch]


@pytest.mark.parametrize("text", ["ERR unknown command 'HELLO'", "ERR Unknown command", "NOPROTO unsupported version"])
def test_a_server_that_does_not_know_hello_is_spoken_to_in_resp2(text):
    talk = Talk(HELLO=text)
    assert shake(talk, protocol=3, password="p", db=5) == 2
    assert talk.batches[1] == [(b"AUTH", "p"), (b"SELECT", b"5"), *SETINFO]


def test_a_provider_is_asked_once_for_both_attempts():
    talk = Talk(HELLO="ERR unknown command")
    assert shake(talk, protocol=3, credential_provider=Provider(("u", "p"))) == 2
    assert talk.batches[1][0] == (b"AUTH", "u", "p")


def test_what_the_second_attempt_refuses_is_raised():
    with pytest.raises(ResponseError, match="out of range"):
        shake(Talk(HELLO="ERR unknown command", SELECT="ERR DB index is out of range"), protocol=3, db=99)


@pytest.mark.parametrize(
    ("command", "identity", "text", "kind"),
    [
        ("SELECT", {"db": 99}, "ERR DB index is out of range", ResponseError),
        ("AUTH", {"password": "p"}, "WRONGPASS invalid", AuthenticationFailedError),
        ("SETNAME", {"client_name": "a b"}, "ERR no spaces", ResponseError),
        ("HELLO", {"protocol": 3}, "NOAUTH HELLO must be called", AuthenticationFailedError),
        ("SETINFO", {}, "LOADING wait", BusyLoadingError),
        ("SETINFO", {}, "ERR max number of clients reached", ConnectionError),
    ],
)
def test_a_refusal_is_raised_with_its_circumstances(command, identity, text, kind):
    with pytest.raises(kind) as caught:
        shake(Talk(**{command: text}), **identity)
    name = "CLIENT" if command in ("SETNAME", "SETINFO") else command
    assert (caught.value.command, caught.value.address, caught.value.phase, caught.value.attempt) == (
        name,
        "h:1",
        "handshake",
        1,
    )


def test_the_first_refusal_is_the_one_that_is_raised():
    with pytest.raises(AuthenticationFailedError):
        shake(Talk(AUTH="WRONGPASS", SELECT="NOAUTH not yet"), password="p", db=1)


def test_old_servers_may_refuse_the_name_of_the_library():
    assert shake(Talk(SETINFO="ERR unknown subcommand")) == 2


def test_the_repr_of_an_identity_has_no_password():
    identity = Identity(3, "user", PASSWORD)
    assert repr(identity) == "Identity(db=3, username='user', protocol=2)"


# With real servers


@pytest.fixture(scope="module")
def locked_server():
    """A server that demands a password, and has a user."""
    with standalone(config={"requirepass": PASSWORD}) as running:
        running.client().execute_command("ACL", "SETUSER", "ann", "on", f">{PASSWORD}", "~*", "&*", "+@all")
        yield running


@pytest.fixture
def locked(locked_server, make_client, kind):
    """A function that makes clients of that server."""
    return lambda **options: make_client(host=locked_server.host, port=locked_server.port, **kind.options, **options)


def whoami(client):
    found = client.execute_command("ACL", "WHOAMI")
    return found if isinstance(found, str) else found.decode()


@pytest.mark.parametrize(
    ("options", "user"),
    [
        ({"password": PASSWORD}, "default"),
        ({"username": "ann", "password": PASSWORD}, "ann"),
        ({"credential_provider": Provider(*[(PASSWORD,)] * 8)}, "default"),
        ({"credential_provider": Provider(*[("ann", PASSWORD)] * 8)}, "ann"),
    ],
    ids=["password", "username", "provider", "provider-username"],
)
def test_who_one_is(locked, options, user):
    assert whoami(locked(**options)) == user


@pytest.mark.parametrize(
    "options",
    [{"password": "wrong-" + PASSWORD}, {"username": "ann", "password": "wrong-" + PASSWORD}, {"username": "nobody"}],
    ids=["password", "username", "unknown"],
)
def test_a_wrong_password(locked, options):
    client = locked(**options)
    with pytest.raises(AuthenticationError) as caught:
        client.get("a")
    assert isinstance(caught.value, ResponseError)
    assert caught.value.phase == "handshake"
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(client)
    assert PASSWORD not in shown


def test_no_password_where_one_is_demanded(locked):
    with pytest.raises(AuthenticationError, match=r"Authentication required|HELLO must be called") as caught:
        locked().get("a")
    assert isinstance(caught.value, ResponseError)


def test_a_password_where_none_is_set(redis7):
    with StrictRedis(redis7.host, redis7.port, password=PASSWORD) as client:
        with pytest.raises(AuthenticationFailedError, match="without any password configured") as caught:
            client.get("a")
        assert PASSWORD not in str(caught.value)


def test_a_provider_is_asked_at_each_connect_and_its_error_passes(locked):
    trouble = LookupError("the vault is closed")
    provider = Provider((PASSWORD,), trouble, ("ann", PASSWORD))
    client = locked(credential_provider=provider)
    assert whoami(client) == "default"
    client.connection_pool.disconnect()
    with pytest.raises(LookupError) as caught:
        client.get("a")
    assert caught.value is trouble
    assert whoami(client) == "ann"
    assert provider.answers == []


def test_an_oserror_of_a_provider_is_not_taken_for_the_sockets(locked):
    trouble = ConnectionResetError(104, "the vault's own socket")
    client = locked(credential_provider=Provider(trouble, (PASSWORD,)))
    with pytest.raises(ConnectionResetError) as caught:
        client.get("a")
    assert caught.value is trouble
    assert client.ping() is True


def test_db_and_names_are_what_was_asked_for(make_client, kind):
    client = make_client(db=3, client_name="the-name", lib_name="the-lib", lib_version="9.9", **kind.options)
    info = client.execute_command("CLIENT", "INFO")
    words = dict(word.split("=", 1) for word in (info if isinstance(info, str) else info.decode()).split())
    facts = [words[name] for name in ("db", "name", "lib-name", "lib-ver", "resp")]
    assert facts == ["3", "the-name", "the-lib", "9.9", str(kind.protocol)]


def test_the_library_introduces_itself(make_client):
    info = make_client().execute_command("CLIENT", "INFO")
    assert f"lib-name=redispy lib-ver={__version__}".encode() in info


def test_a_server_that_is_too_old_for_setinfo(redis7):
    with StrictRedis(redis7.host, redis7.port) as client:
        assert client.ping() is True


def test_a_db_that_is_not_there_leaves_one_closed_connection(make_client, kind):
    client = make_client(db=99, **kind.options)
    for _ in range(3):
        with pytest.raises(ResponseError, match="DB index is out of range") as caught:
            client.set("a", 1)
        assert caught.value.command == "SELECT"
        (connection,) = client.connection_pool._available_connections
        assert connection._sock is None


@pytest.mark.parametrize("db", ["abc", -1])
def test_a_db_that_is_none(make_client, db):
    with pytest.raises(ResponseError):
        make_client(db=db).get("a")


def test_a_client_with_an_odd_charset(make_client, kind):
    client = make_client(encoding="utf-16-le", db=2, **kind.options)
    client.set("k", "é", ex=1000)
    assert client.execute_command("CONFIG GET", b"maxmemory") == {"maxmemory": "0"}
    raw_client = make_client(db=2)
    assert raw_client.get("k\0") == "é".encode("utf-16-le")
    assert client.get("k") == ("é" if kind.decode_responses else "é".encode("utf-16-le"))
    assert client.incrby("n", 12) == 12
    assert raw_client.get("n\0") == b"12"


def test_a_text_that_the_charset_does_not_have(make_client, kind):
    client = make_client(encoding="ascii", **kind.options)
    client.set("k", "a")
    connection = client.connection_pool._available_connections[0]
    with pytest.raises(UnicodeEncodeError):
        client.set("k", "é")
    assert client.get("k") == kind.text("a")
    assert client.connection_pool._available_connections == [connection]


# With a server that misbehaves


def client_of(node, **options):
    return StrictRedis(**{**node.options, "socket_timeout": 5, **options})


def test_a_server_that_does_not_know_hello(node, kind):
    node.always("HELLO", refuse("ERR unknown command 'HELLO'"))
    with client_of(node, **{**kind.options, "protocol": 3}, password="p", db=4) as client:
        client.set("k", "v")
        assert client.get("k") == kind.text("v")
        assert client.connection_pool._available_connections[0].protocol == 2
    assert node.store.values[4] == {b"k": b"v"}
    assert node.count("AUTH", "p") == 1


def test_a_server_that_is_loading_at_the_handshake(node):
    node.script("SELECT", refuse("LOADING Redis is loading the dataset in memory"))
    with client_of(node, db=1) as client:
        with pytest.raises(BusyLoadingError) as caught:
            client.incr("n")
        assert caught.value.maybe_applied is False
        assert client.connection_pool._available_connections[0]._sock is None
        assert client.incr("n") == 1


def test_a_server_that_takes_no_more_clients(node):
    node.script(ACCEPT, turn_away("ERR max number of clients reached"))
    with client_of(node) as client:
        try:
            client.incr("n")
        except ConnectionError as error:
            # What the server wrote may be lost with the reset that follows it.
            assert error.maybe_applied is False
        assert client.incr("n") == node.count("INCRBY")


@pytest.mark.parametrize("way", ["short", "classic"])
@pytest.mark.parametrize("action", [drop, close, reset], ids=lambda action: action.__name__)
@pytest.mark.parametrize("step", ["AUTH", "SELECT", "CLIENT"])
def test_a_handshake_that_is_cut_sends_nothing_and_is_made_again(node, step, action, way):
    class Classic(StrictRedis):
        def parse_response(self, connection, command_name, **options):
            return super().parse_response(connection, command_name, **options)

    node.script(step, action)
    with (Classic if way == "classic" else StrictRedis)(**node.options, password="p", db=2) as client:
        assert client.incr("n") == 1
    assert node.count("INCRBY") == 1


@pytest.mark.parametrize("action", [drop, reset], ids=lambda action: action.__name__)
def test_a_handshake_that_always_fails_says_that_nothing_was_applied(node, action):
    node.always("SELECT", action)
    with client_of(node, db=2) as client:
        with pytest.raises(ConnectionError) as caught:
            client.incr("n")
        assert caught.value.maybe_applied is False
        assert caught.value.phase == "handshake"
        assert caught.value.attempt == 2
        assert caught.value.address == f"127.0.0.1:{node.port}"


def test_bytes_behind_the_handshake_are_noticed(node):
    node.script("SELECT", raw(b"+OK\r\n+OK\r\n+OK\r\n+EXTRA\r\n"))
    node.always("CLIENT", raw(b""))
    with client_of(node, db=2) as client:
        with pytest.raises(Exception, match="more than it was asked for") as caught:
            client.get("k")
        assert caught.value.phase == "handshake"
        assert client.connection_pool._available_connections[0]._sock is None


def test_a_connection_of_its_own_shakes_hands_at_connect(node):
    connection = Connection(**node.options, db=7, client_name="me")
    connection.connect()
    connection.connect()  # the second does nothing
    connection.send_command("CLIENT", "INFO")
    assert connection.read_response() == b"db=7 user=default name=me"
    assert node.count("SELECT", "7") == 1
    connection.disconnect()


def kind_of_error(call):
    """The class of the error alone: the error itself would keep alive whatever it met."""
    try:
        return type(call())
    except RedisError as error:
        return type(error)


@pytest.mark.parametrize("protocol", [2, 3])
def test_one_that_was_refused_is_gone_without_the_collector(protocol):
    gc.collect()
    gc.disable()
    try:
        with FakeNode() as node:
            for command in ("AUTH", "HELLO"):
                node.always(command, refuse("WRONGPASS no"))
            client = StrictRedis(port=node.port, password="x", protocol=protocol)
            pool = weakref.ref(client.connection_pool)
            outcome = kind_of_error(client.ping)
            del client
            assert (issubclass(outcome, RedisError), pool()) == (True, None)
    finally:
        gc.enable()
