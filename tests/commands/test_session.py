"""The commands on the connection and on clients: what comes back from a real server, and what every option sends."""

import threading
from datetime import timedelta

import pytest

from redis.commands.session import ping_reply
from redis.exceptions import AuthenticationError, DataError, ResponseError
from tests.recorder import sent
from tests.servers import ask, standalone, until


@pytest.fixture
def alone(make_client, kind):
    """A function that makes clients, of each kind, that keep to one connection."""
    return lambda **options: make_client(single_connection_client=True, **kind.options, **options)


def test_ping_and_echo(r, kind):
    assert r.ping() is True
    assert r.ping("ä") == kind.text("ä")
    assert r.echo("ä") == kind.text("ä")


def test_ping_that_is_not_answered_by_pong():
    assert ping_reply(b"PONG") is True
    assert ping_reply(b"hello") is False


def test_the_name_is_a_str_in_every_kind(make_client, kind):
    r = make_client(max_connections=1, **kind.options)
    assert r.client_getname() is None
    assert r.client_setname("me") is True
    assert r.client_getname() == "me"
    with pytest.raises(ResponseError, match="cannot contain spaces"):
        r.client_setname("a b")


def test_client_id(make_client, kind):
    r = make_client(max_connections=1, **kind.options)
    number = r.client_id()
    assert r.client_id() == number
    assert make_client(**kind.options).client_id() > number


def test_what_the_server_knows_of_a_client(make_client, kind):
    r = make_client(max_connections=1, client_name="me", **kind.options)
    info = r.client_info()
    assert info["name"] == "me"
    assert info["id"] == str(r.client_id())
    assert info["cmd"] == "client|info"
    assert r.client_setinfo("LIB-NAME", "mine") is True
    assert r.client_setinfo("lib-ver", "1.2") is True
    info = r.client_info()
    assert (info["lib-name"], info["lib-ver"]) == ("mine", "1.2")


def test_client_list(make_client, kind):
    r = make_client(max_connections=1, client_name="me", **kind.options)
    mine = r.client_id()
    other = make_client(client_name="other").client_id()
    assert {"me", "other"} <= {client["name"] for client in r.client_list()}
    assert [client["name"] for client in r.client_list(client_id=other)] == ["other"]
    assert [client["id"] for client in r.client_list("normal", [mine, other])] == [str(mine), str(other)]
    assert r.client_list(_type="pubsub") == []


def test_the_words_of_client_list():
    assert sent(lambda client: client.client_list()) == ("CLIENT LIST",)
    assert sent(lambda client: client.client_list("replica", (1, 2))) == (
        *("CLIENT LIST", b"TYPE", b"REPLICA", b"ID", 1, 2),
    )
    with pytest.raises(DataError, match="_type is NORMAL or MASTER"):
        sent(lambda client: client.client_list("friend"))


def test_client_kill(make_client, r):
    address = make_client().client_info()["addr"]
    assert r.client_kill(address) is True
    with pytest.raises(ResponseError, match="No such client"):
        r.client_kill(address)
    assert r.client_kill_filter(_id=make_client().client_id()) == 1
    assert r.client_kill_filter(addr=address) == 0
    assert r.client_kill_filter(_type="pubsub", user="default", laddr="127.0.0.1:1", skipme=False) == 0


def test_the_words_of_client_kill():
    words = sent(lambda client: client.client_kill_filter(1, "normal", "a:1", True, "b:2", "me", 5))
    assert words == (
        *("CLIENT KILL", b"ID", 1, b"TYPE", b"NORMAL", b"ADDR", "a:1", b"SKIPME", b"YES"),
        *(b"LADDR", "b:2", b"USER", "me", b"MAXAGE", 5),
    )
    assert sent(lambda client: client.client_kill_filter(skipme=False)) == ("CLIENT KILL", b"SKIPME", b"NO")
    with pytest.raises(DataError, match="needs one of _id"):
        sent(lambda client: client.client_kill_filter())


def test_client_pause(r):
    assert r.client_pause(1) is True
    assert r.client_pause(60_000, all=False) is True
    assert r.client_unpause() is True
    assert r.set("k", "v") is True


def test_the_words_of_client_pause():
    assert sent(lambda client: client.client_pause(timedelta(seconds=1))) == ("CLIENT PAUSE", 1000)
    assert sent(lambda client: client.client_pause(5, False)) == ("CLIENT PAUSE", 5, b"WRITE")


def test_client_unblock(make_client, server, r):
    assert r.client_unblock(1_000_000) is False
    waiting, results = make_client(single_connection_client=True), []
    number = waiting.client_id()
    thread = threading.Thread(target=lambda: results.append(waiting.blpop("nothing", 20)))
    thread.start()
    until(lambda: b"cmd=blpop" in ask(server, "CLIENT", "LIST", "ID", number))
    assert r.client_unblock(number) is True
    thread.join(10)
    assert results == [None]
    assert sent(lambda client: client.client_unblock(5, error=True)) == ("CLIENT UNBLOCK", 5, b"ERROR")


def test_tracking_over_a_connection_of_ones_own(alone):
    r = alone()
    number = r.client_id()
    assert r.client_getredir() == -1
    assert r.client_trackinginfo() == {"flags": ["off"], "redirect": -1, "prefixes": []}
    assert r.client_tracking(clientid=number, bcast=True, prefix=["a", "b"]) is True
    info = r.client_trackinginfo()
    assert (info["flags"], info["redirect"], sorted(info["prefixes"])) == (["on", "bcast"], number, ["a", "b"])
    assert r.client_getredir() == number
    assert r.client_tracking_off() is True
    assert r.client_tracking_on(number, optin=True) is True
    assert r.client_caching() is True
    assert r.client_trackinginfo()["flags"] == ["on", "optin", "caching-yes"]


def test_the_words_of_tracking():
    def words(**options):
        return sent(lambda client: client.client_tracking(**options))[1:]

    assert words() == (b"ON",)
    assert words(on=False) == (b"OFF",)
    assert words(clientid=5, prefix="a", bcast=True) == (b"ON", b"REDIRECT", 5, b"PREFIX", "a", b"BCAST")
    assert words(optin=True, noloop=True) == (b"ON", b"OPTIN", b"NOLOOP")
    assert words(optout=True) == (b"ON", b"OPTOUT")
    assert sent(lambda client: client.client_tracking_on(5, (), False, True)) == (
        *("CLIENT TRACKING", b"ON", b"REDIRECT", 5, b"OPTIN"),
    )
    assert sent(lambda client: client.client_tracking_off(noloop=True)) == ("CLIENT TRACKING", b"OFF", b"NOLOOP")
    assert sent(lambda client: client.client_caching("no")) == ("CLIENT CACHING", b"NO")
    with pytest.raises(DataError, match="prefix needs bcast"):
        words(prefix=["a"])
    with pytest.raises(DataError, match="bcast, optin and optout exclude each other"):
        words(bcast=True, optin=True)


def test_modes_of_a_connection(r):
    assert r.client_no_evict("ON") is True
    assert r.client_no_evict("off") is True
    assert r.client_no_touch("ON") is True
    assert r.client_capa("redirect") is True
    assert r.client_reply("ON") is True
    with pytest.raises(ResponseError, match="not in import mode"):
        r.client_import_source("ON")
    with pytest.raises(DataError, match="mode is ON or OFF, not 1"):
        r.client_no_touch(1)


def test_a_client_that_waits_for_no_reply_cannot_be(r):
    for reply in ("OFF", "skip"):
        with pytest.raises(DataError, match="no client can wait"):
            r.client_reply(reply)
    assert r.ping() is True


def test_reading_from_a_replica_of_a_cluster(r):
    assert r.readonly() is True
    assert r.readwrite() is True


def test_select(alone, make_client, kind):
    r = alone()
    assert r.select(5) is True
    assert r.client_info()["db"] == "5"
    pooled = make_client(max_connections=1, **kind.options)
    assert pooled.select(5) is True
    assert pooled.client_info()["db"] == "0"


def test_hello(r):
    hello = r.hello()
    assert (hello["server"], hello["mode"], hello["role"]) == ("valkey", "standalone", "master")
    assert [module["name"] for module in hello["modules"]] == ["lua"]
    assert r.hello(3, clientname="me")["proto"] == 3
    assert r.hello(2, username="default", password="any")["proto"] == 2


def test_the_words_of_hello():
    assert sent(lambda client: client.hello(3, username="u", password="p", clientname="n")) == (
        *("HELLO", 3, b"AUTH", "u", "p", b"SETNAME", "n"),
    )
    with pytest.raises(DataError, match="need protover"):
        sent(lambda client: client.hello(clientname="n"))
    with pytest.raises(DataError, match="username and password need each other"):
        sent(lambda client: client.hello(3, username="u"))


@pytest.fixture(scope="module")
def locked():
    with standalone(config={"requirepass": "a-secret"}) as running:
        yield running


def test_auth(alone, locked):
    r = alone(host=locked.host, port=locked.port, password="a-secret")
    assert r.auth("a-secret") is True
    assert r.auth("a-secret", "default") is True
    with pytest.raises(AuthenticationError):
        r.auth("wrong", username="nobody")
    assert sent(lambda client: client.auth("p", "u")) == ("AUTH", "u", "p")


def test_reset(alone):
    r = alone(db=5)
    assert r.client_info()["db"] == "5"
    assert r.reset() is True
    assert r.client_info()["db"] == "0"


def test_quit(r):
    assert r.quit() is True
    assert r.ping() is True
