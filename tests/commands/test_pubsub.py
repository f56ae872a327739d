"""The commands that publish and count subscribers: what comes back from a real server."""

import pytest


@pytest.fixture
def subscribed(make_client):
    """A connection that is subscribed to a channel, a pattern and a shard channel."""
    connection = make_client().connection_pool.get_connection("SUBSCRIBE")
    for words in (("SUBSCRIBE", "ä"), ("PSUBSCRIBE", "p*"), ("SSUBSCRIBE", "shard")):
        connection.send_command(*words)
        connection.read_response()
    yield connection
    connection.disconnect()


def test_nobody_listens(r):
    assert r.publish("ä", "message") == 0
    assert r.spublish("shard", "message") == 0
    assert r.pubsub_channels() == []
    assert r.pubsub_shardchannels() == []
    assert r.pubsub_numsub() == []
    assert r.pubsub_numpat() == 0


def test_publishing(r, subscribed):
    assert r.publish("ä", "message") == 1
    assert r.publish("p1", "message") == 1
    assert r.publish("other", "message") == 0
    assert subscribed.read_response() == [b"message", "ä".encode(), b"message"]
    assert subscribed.read_response() == [b"pmessage", b"p*", b"p1", b"message"]
    assert r.spublish("shard", "message") == 1
    assert subscribed.read_response() == [b"smessage", b"shard", b"message"]


def test_counting_subscribers(r, kind, subscribed):
    assert r.pubsub_channels() == [kind.text("ä")]
    assert r.pubsub_channels("x*") == []
    assert r.pubsub_numsub("ä", "other") == [(kind.text("ä"), 1), (kind.text("other"), 0)]
    assert r.pubsub_numpat() == 1
    assert r.pubsub_shardchannels("s*") == [kind.text("shard")]
    assert r.pubsub_shardnumsub("shard") == [(kind.text("shard"), 1)]
