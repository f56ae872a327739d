"""The commands of transactions: a client says where they belong."""

import pytest

from redis.exceptions import WatchError


def test_watching_needs_a_pipeline(r):
    with pytest.raises(WatchError, match=r"use the watch\(\) of a pipeline"):
        r.watch("a", "b")
    with pytest.raises(WatchError, match=r"use the unwatch\(\) of a pipeline"):
        r.unwatch()


def test_the_words_of_a_transaction_over_one_connection(make_client, kind):
    client = make_client(single_connection_client=True, **kind.options)
    assert client.execute_command("WATCH", "a") is True
    assert client.execute_command("UNWATCH") is True
    client.execute_command("MULTI")
    client.execute_command("DISCARD")
    client.execute_command("MULTI")
    client.execute_command("INCR", "a")
    assert client.execute_command("EXEC") == [1]
