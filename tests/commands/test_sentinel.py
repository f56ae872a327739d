"""The commands of a sentinel: what comes back from a real one, and what is sent."""

import pytest

from redis.exceptions import ResponseError
from tests.recorder import sent
from tests.servers import Sentinel, ask, replica_of, standalone, until


@pytest.fixture(scope="module")
def watched():
    """A master with a replica, and two sentinels that know them and one another."""
    with standalone() as master, replica_of(master) as replica, Sentinel(master) as first, Sentinel(master) as second:
        for one in (first, second):
            until(lambda one=one: ask(one, "SENTINEL", "REPLICAS", "mymaster"))
            until(lambda one=one: ask(one, "SENTINEL", "SENTINELS", "mymaster"))
        yield master, replica, first, second


@pytest.fixture
def watcher(make_client, kind, watched):
    """A client of each kind of the first sentinel."""
    return make_client(unix_socket_path=watched[2].unix_socket, **kind.options)


def test_a_master(watcher, watched, kind):
    master, _, _, _ = watched
    state = watcher.sentinel_master("mymaster")
    assert (state["name"], state["ip"], state["port"]) == ("mymaster", "127.0.0.1", master.port)
    assert (state["num-slaves"], state["quorum"], state["down-after-milliseconds"]) == (1, 2, 500)
    assert (state["is_master"], state["is_slave"], state["is_sdown"]) == (True, False, False)
    assert watcher.sentinel_masters().keys() == {"mymaster"}
    assert watcher.sentinel_masters()["mymaster"]["port"] == master.port
    assert watcher.sentinel_get_master_addr_by_name("mymaster") == (kind.text("127.0.0.1"), master.port)
    assert watcher.sentinel_get_master_addr_by_name("other") is None
    with pytest.raises(ResponseError, match="No such master"):
        watcher.sentinel_master("other")


def test_replicas_and_sentinels(watcher, watched):
    master, replica, _, second = watched
    for call in (watcher.sentinel_replicas, watcher.sentinel_slaves):
        (state,) = call("mymaster")
        assert (state["port"], state["is_slave"], state["master-port"]) == (replica.port, True, master.port)
    (state,) = watcher.sentinel_sentinels("mymaster")
    assert (state["port"], state["is_sentinel"]) == (second.port, True)


def test_the_sentinel_itself(watcher):
    assert len(watcher.sentinel_myid()) == 40
    assert watcher.sentinel_ckquorum("mymaster") is True
    assert watcher.sentinel_flushconfig() is True
    assert watcher.sentinel_config_set("announce-port", 5) is True
    assert watcher.sentinel_config_get("announce-port") == {"announce-port": "5"}
    assert watcher.sentinel_config_set("announce-port", 0) is True
    assert watcher.role() == ["sentinel", ["mymaster"]]


def test_watching_another_master(watcher):
    assert watcher.sentinel_monitor("other", "127.0.0.1", 1, 3) is True
    assert watcher.sentinel_set("other", "quorum", 1) is True
    assert watcher.sentinel_master("other")["quorum"] == 1
    with pytest.raises(ResponseError, match="NOGOODSLAVE"):
        watcher.sentinel_failover("other")
    assert watcher.sentinel_reset("oth*") == 1
    assert watcher.sentinel_remove("other") is True
    assert watcher.sentinel_reset("oth*") == 0


def test_by_the_name_of_a_command(watcher, watched):
    assert watcher.sentinel("masters").keys() == {"mymaster"}
    assert watcher.sentinel("get-master-addr-by-name", "mymaster")[1] == watched[0].port
    assert watcher.sentinel("PENDING-SCRIPTS") == []


def test_the_words():
    assert sent(lambda client: client.sentinel("masters")) == ("SENTINEL MASTERS",)
    assert sent(lambda client: client.sentinel("newest", 1)) == ("SENTINEL", "newest", 1)
    assert sent(lambda client: client.sentinel_monitor("a", "b", 1, 2)) == ("SENTINEL MONITOR", "a", "b", 1, 2)
    assert sent(lambda client: client.sentinel_config_get()) == ("SENTINEL CONFIG", b"GET", "*")
    assert sent(lambda client: client.sentinel_failover("a")) == ("SENTINEL FAILOVER", "a")
