"""The commands to a node of a cluster: what comes back from real nodes, and what every option sends."""

import pytest

from redis.exceptions import DataError, ResponseError
from tests.recorder import sent
from tests.servers import ask, standalone, until
from tests.servers import cluster as nodes_of

SETTINGS = {"cluster-enabled": True, "cluster-node-timeout": 2000}
NODE = "1234567890123456789012345678901234567890"


@pytest.fixture(scope="module")
def pair():
    """Two nodes of a cluster: the first has all slots, the second none."""
    with nodes_of(masters=1) as (first,), standalone(config=SETTINGS) as second:
        ask(first, "CLUSTER", "MEET", second.host, second.port)
        for server in (first, second):
            until(lambda one=server: b"cluster_known_nodes:2" in ask(one, "CLUSTER", "INFO"))
        until(lambda: b"cluster_state:ok" in ask(second, "CLUSTER", "INFO"))
        yield first, second


@pytest.fixture(scope="module")
def lonely():
    """A node that knows no other, and has no slot."""
    with standalone(config=SETTINGS) as server:
        yield server


@pytest.fixture
def node(make_client, kind, pair):
    """A client of each kind of the node that has the slots."""
    return make_client(unix_socket_path=pair[0].unix_socket, **kind.options)


@pytest.fixture
def alone(make_client, kind, lonely):
    """A client of each kind of the node that is alone."""
    ask(lonely, "CLUSTER", "RESET", "HARD")
    return make_client(unix_socket_path=lonely.unix_socket, **kind.options)


def test_info(node):
    info = node.cluster_info()
    assert (info["cluster_state"], info["cluster_slots_ok"]) == ("ok", "16384")
    assert node.cluster("info").keys() == info.keys()


def test_nodes(node, pair):
    first, second = pair
    nodes = node.cluster_nodes()
    assert nodes.keys() == {f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}"}
    mine = nodes[f"127.0.0.1:{first.port}"]
    assert (mine["node_id"], mine["flags"], mine["master_id"]) == (node.cluster_myid(), "myself,master", "-")
    assert (mine["slots"], mine["migrations"], mine["connected"]) == ([["0", "16383"]], [], True)
    assert node.cluster("nodes").keys() == nodes.keys()


def test_shards_and_slots(node, pair, kind):
    first, _ = pair
    shard = next(shard for shard in node.cluster_shards() if shard["slots"])
    assert shard["slots"] == [(0, 16383)]
    assert (shard["nodes"][0]["port"], shard["nodes"][0]["role"]) == (first.port, "master")
    me = node.cluster_myid()
    assert node.cluster_slots() == [[0, 16383, [kind.text("127.0.0.1"), first.port, kind.text(me), {}]]]
    assert len(node.cluster_myshardid()) == 40


def test_links(node, pair):
    other = ask(pair[1], "CLUSTER", "MYID").decode()
    assert {(link["direction"], link["node"]) for link in node.cluster_links()} == {("to", other), ("from", other)}


def test_keys_in_slots(node, kind):
    slot = node.cluster_keyslot("ä")
    assert 0 <= slot < 16384
    assert node.cluster_countkeysinslot(slot) == 0
    node.set("ä", 1)
    assert node.cluster("countkeysinslot", slot) == 1
    assert node.cluster_get_keys_in_slot(slot, 5) == [kind.text("ä")]
    assert node.cluster_slot_stats((slot, slot))[slot]["key-count"] == 1
    assert list(node.cluster_slot_stats(orderby="key-count", limit=1)) == [slot]
    assert slot not in node.cluster_slot_stats(orderby="key-count", limit=1, desc=False)
    assert node.cluster_flushslot(slot) is True
    assert node.cluster_countkeysinslot(slot) == 0
    assert node.cluster_flushslot(slot, asynchronous=True) is True


def test_clusterscan(node, kind):
    node.set("ä", 1)
    slot = node.cluster_keyslot("ä")
    assert set(node.clusterscan_iter(match="ä", count=100_000)) == {kind.text("ä")}
    assert list(node.clusterscan_iter(match="x*", count=100_000, slot=slot)) == []
    cursor, keys = node.clusterscan(slot=slot)
    while not keys:
        cursor, keys = node.clusterscan(cursor, slot=slot, _type="string")
    assert (cursor, keys) == ("0", [kind.text("ä")])
    node.delete("ä")


def test_moving_a_slot(node, pair):
    other = ask(pair[1], "CLUSTER", "MYID").decode()
    assert node.cluster_setslot(other, 5, "migrating") is True
    (mine,) = (each for each in node.cluster_nodes().values() if each["migrations"])
    assert mine["migrations"] == [{"slot": "5", "node_id": other, "state": "migrating"}]
    assert node.cluster_setslot_stable(5) is True
    assert node.cluster_setslot(node.cluster_myid(), 5, "NODE") is True
    assert node.cluster_getslotmigrations() == []
    with pytest.raises(ResponseError, match="No migrations ongoing"):
        node.cluster_cancelslotmigrations()
    with pytest.raises(ResponseError, match="Target node can not be this node"):
        node.cluster_migrateslots(node.cluster_myid(), 5, 5)


def test_what_nodes_think_of_one_another(node, pair):
    other = ask(pair[1], "CLUSTER", "MYID").decode()
    assert node.cluster_count_failure_report(other) == 0
    assert node.cluster_replicas(node.cluster_myid()) == {}
    assert node.cluster_slaves(node.cluster_myid()) == {}
    assert node.cluster_save_config() is True
    assert node.cluster_bumpepoch().split()[0] in ("STILL", "BUMPED")
    with pytest.raises(ResponseError, match="Unknown node"):
        node.cluster_forget(NODE)
    with pytest.raises(ResponseError, match="replica"):
        node.cluster_failover()
    with pytest.raises(ResponseError, match="Can't replicate myself"):
        node.cluster_replicate(node.cluster_myid())


def test_a_node_that_is_alone(alone):
    node = alone
    before = node.cluster_myid()
    assert node.cluster_set_config_epoch(7) is True
    assert node.cluster_addslots(0, 1, 2) is True
    assert node.cluster_addslotsrange(10, 19, 30, 39) is True
    assert node.cluster_delslots(1) is True
    assert node.cluster_delslotsrange(30, 35) is True
    (me,) = node.cluster_nodes().values()
    assert me["slots"] == [["0"], ["2"], ["10", "19"], ["36", "39"]]
    assert node.cluster_flushslots() is True
    assert node.cluster_reset() is True
    assert node.cluster_myid() == before
    assert node.cluster_meet("127.0.0.1", 1) is True
    assert node.cluster_meet("127.0.0.1", 1, 2) is True
    assert node.cluster_reset(soft=False) is True
    assert node.cluster_myid() != before


def test_a_replica_takes_over(make_client, pair):
    """The second node becomes a replica, and then the master."""
    first, second = (make_client(unix_socket_path=server.unix_socket) for server in pair)
    node_id = second.cluster_myid()
    assert second.cluster_replicate(first.cluster_myid()) is True
    until(lambda: first.cluster_replicas(first.cluster_myid()))
    (replica,) = first.cluster_slaves(first.cluster_myid()).values()
    assert (replica["node_id"], replica["master_id"]) == (node_id, first.cluster_myid())
    until(lambda: second.role()[3] == "connected")
    assert second.cluster_failover("TAKEOVER") is True
    until(lambda: first.role()[0] == "slave")


def test_the_words():
    assert sent(lambda client: client.cluster("info")) == ("CLUSTER INFO",)
    assert sent(lambda client: client.cluster("setslot", 1, "stable")) == ("CLUSTER SETSLOT", 1, "stable")
    assert sent(lambda client: client.cluster("newest", 1)) == ("CLUSTER", "newest", 1)
    assert sent(lambda client: client.cluster_failover("force")) == ("CLUSTER FAILOVER", b"FORCE")
    assert sent(lambda client: client.cluster_setslot(NODE, 1, "stable")) == ("CLUSTER SETSLOT", 1, b"STABLE")
    assert sent(lambda client: client.cluster_migrateslots(NODE, 1, 2, 5, 6)) == (
        *("CLUSTER MIGRATESLOTS", b"SLOTSRANGE", 1, 2, 5, 6, b"NODE", NODE),
    )
    assert sent(lambda client: client.clusterscan("0", "a*", 5, "hash", 7)) == (
        *("CLUSTERSCAN", "0", b"MATCH", "a*", b"COUNT", 5, b"TYPE", "hash", b"SLOT", 7),
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda client: client.cluster_addslotsrange(1), "cluster_addslotsrange needs the first and the last"),
        (lambda client: client.cluster_delslotsrange(), "cluster_delslotsrange needs"),
        (lambda client: client.cluster_slot_stats(), "needs slots_range or orderby"),
        (lambda client: client.cluster_slot_stats((1, 2), "key-count"), "and not both"),
        (lambda client: client.cluster_setslot(NODE, 1, "moved"), "state is NODE or IMPORTING"),
    ],
)
def test_what_cannot_be_meant(call, message):
    with pytest.raises(DataError, match=message):
        sent(call)
