"""redis/pipeline.py: what pipelines promise, against a real server."""

import contextlib
import gc
import resource
import threading
import tracemalloc

import pytest

import redis
from redis.client import BasePipeline, Pipeline, Redis, StrictPipeline, StrictRedis
from redis.connection import Connection, ConnectionPool
from redis.connection.parsers import DefaultParser
from redis.exceptions import ExecAbortError, NoPermissionError
from tests.servers import ask

BOTH = pytest.mark.parametrize("transaction", [True, False], ids=["transaction", "plain"])


@pytest.fixture
def client(make_client):
    """One client, whose values are bytes."""
    return make_client()


def idle(client):
    return client.connection_pool._available_connections


# Queueing


@BOTH
def test_commands_are_queued_and_answered_with_one_list(r, kind, transaction):
    with r.pipeline(transaction) as pipe:
        pipe.set("a", "a1").get("a").zadd("z", z1=1).zadd("z", z2=4).zincrby("z", "z1").zrange(
            "z", 0, 5, withscores=True
        )
        assert r.get("a") is None, "nothing was sent yet"
        assert pipe.execute() == [
            True,
            kind.text("a1"),
            1,
            1,
            2.0,
            [(kind.text("z1"), 2.0), (kind.text("z2"), 4.0)],
        ]


def test_a_method_returns_the_pipeline(client):
    pipe = client.pipeline()
    assert pipe.set("a", 1) is pipe
    assert pipe.execute_command("PING") is pipe
    assert pipe.pipeline_execute_command("WATCH", "a") is pipe


def test_length_and_truth(client):
    pipe = client.pipeline()
    assert len(pipe) == 0 and not pipe
    pipe.set("a", 1).get("a")
    assert len(pipe) == 2 and pipe
    pipe.execute()
    assert len(pipe) == 0 and not pipe


def test_what_is_queued_can_be_looked_at(client):
    pipe = client.pipeline().set("a", 1).zrange("z", 0, 1, withscores=True)
    words, options = zip(*pipe.command_stack)
    assert words[0] == ("SET", "a", 1) and options[0] == {}
    assert words[1][:4] == ("ZRANGE", "z", 0, 1) and options[1]["withscores"] is True


def test_an_empty_pipeline_sends_nothing(make_client):
    client = make_client(port=1)
    assert client.pipeline().execute() == []


def test_a_pipeline_can_be_used_again(client):
    pipe = client.pipeline()
    for number in range(3):
        assert pipe.incr("n").execute() == [number + 1]


def test_reset_and_close_forget_what_was_queued(client):
    pipe = client.pipeline().set("a", 1)
    pipe.reset()
    assert pipe.execute() == []
    pipe.set("a", 1).close()
    assert pipe.execute() == []
    with client.pipeline() as pipe:
        pipe.set("a", 1)
    assert pipe.execute() == []
    assert client.get("a") is None
    assert client.ping(), "the pool is still open"


def test_repr_says_where_to_and_how_much(client):
    pipe = client.pipeline().get("a")
    assert repr(pipe) == f"StrictPipeline<{client.connection_pool!r}, 1 queued>"


def test_pipelines_have_the_methods_and_the_bases_of_their_client():
    assert StrictRedis.pipeline_class is StrictPipeline and issubclass(StrictPipeline, (BasePipeline, StrictRedis))
    assert Redis.pipeline_class is Pipeline and issubclass(Pipeline, (BasePipeline, Redis))
    assert isinstance(Redis(port=1).pipeline(), Pipeline)


def test_the_argument_orders_of_old(make_client):
    pipe = make_client(Redis).pipeline()
    pipe.setex("a", "value", 60).rpush("l", "x", "y", "x").lrem("l", "x", 1).ttl("l").zadd("z", "member", 3)
    assert pipe.execute() == [True, 3, 1, None, 1]


def test_a_client_brings_its_own_pipeline(server):
    class Loud(StrictPipeline):
        def execute(self, raise_on_error=True):
            return ["loud", *super().execute(raise_on_error)]

    class Client(StrictRedis):
        pipeline_class = Loud

    with Client(port=server.port) as client:
        assert client.pipeline().ping().execute() == ["loud", True]
        assert client.transaction(lambda pipe: pipe.ping()) == ["loud", True]


def test_a_pipeline_encodes_as_its_client_does(make_client):
    client = make_client(encoding="utf-16", decode_responses=True)
    assert client.pipeline().get_encoder().encoding == "utf-16"
    assert client.pipeline().set("é", "ü").get("é").execute()[1] == "ü"


# Executing


@BOTH
def test_errors_stand_in_the_list_on_request(r, kind, transaction):
    r.set("c", "a")
    pipe = r.pipeline(transaction)
    results = pipe.set("a", 1).set("b", 2).lpush("c", 3).set("d", 4).execute(raise_on_error=False)
    assert results[:2] == [True, True] and results[3] is True
    assert isinstance(results[2], redis.ResponseError)
    assert str(results[2]).startswith("WRONGTYPE")
    assert (results[2].command, results[2].phase) == ("LPUSH", "recv")
    assert r.get("d") == kind.text("4")
    assert pipe.set("z", "zzz").execute() == [True], "usable afterwards"


@BOTH
def test_the_first_error_is_raised_with_its_number_and_command(r, kind, transaction):
    r.set("c", "a")
    pipe = r.pipeline(transaction).set("a", 1).set("b", 2).lpush("c", 3).lpush("c", 4).set("d", 4)
    with pytest.raises(redis.ResponseError, match=r"^Command # 3 \(LPUSH c 3\) of pipeline caused error: WRONGTYPE"):
        pipe.execute()
    assert r.get("d") == kind.text("4"), "what follows was executed"
    assert pipe.set("z", "zzz").execute() == [True], "usable afterwards"


def test_an_error_keeps_its_class_and_tells_the_circumstances(server, make_client):
    ask(server, "ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@all", "-flushall")
    try:
        client = make_client(username="reader", password="secret")
        for transaction in (True, False):
            pipe = client.pipeline(transaction).ping().flushall()
            with pytest.raises(
                NoPermissionError, match=r"^Command # 2 \(FLUSHALL\) of pipeline caused error"
            ) as caught:
                pipe.execute()
            error = caught.value
            assert (error.command, error.address) == ("FLUSHALL", f"{server.host}:{server.port}")
            assert pipe.ping().execute() == [True]
    finally:
        ask(server, "ACL", "DELUSER", "reader")


def test_execabort_raises_the_error_of_the_command_that_was_refused(client):
    pipe = client.pipeline().set("a", 1).execute_command("LPUSH", "onlyone").set("b", 2)
    with pytest.raises(
        redis.ResponseError, match=r"^Command # 2 \(LPUSH onlyone\) of pipeline caused error: wrong"
    ) as caught:
        pipe.execute()
    assert not isinstance(caught.value, ExecAbortError)
    assert client.exists("a") is False and client.exists("b") is False
    with pytest.raises(redis.ResponseError, match="wrong number"):
        pipe.execute_command("LPUSH", "onlyone").execute(raise_on_error=False)
    assert pipe.set("a", 1).execute() == [True]


def test_multi_that_is_refused(make_client):
    client = make_client(single_connection_client=True)
    client.execute_command("MULTI")
    with pytest.raises(redis.ResponseError, match=r"(?i)multi"):
        client.pipeline().ping().execute()
    assert client.ping()


def test_unicode_in_the_text_of_an_error(r):
    key = "\u0d80abcd\u0d5d"
    r.set(key, 1)
    for name in (key, key.encode(), bytearray(key.encode()), memoryview(key.encode())):
        with pytest.raises(redis.ResponseError) as caught:
            r.pipeline(transaction=False).llen(name).execute()
        assert str(caught.value).startswith(f"Command # 1 (LLEN {key}) of pipeline caused error: WRONGTYPE")


def test_long_arguments_are_shortened_in_the_text_of_an_error(client):
    client.set("c", "a")
    with pytest.raises(redis.ResponseError) as caught:
        client.pipeline().rpush("c", "x" * 1000, b"y" * 1000).execute()
    assert str(caught.value).startswith(f"Command # 1 (RPUSH c {'x' * 49}...) of pipeline caused error: WRONGTYPE")


def test_a_refused_secret_does_not_show(client):
    pipe = client.pipeline().execute_command("CONFIG SET", "no-such-option", "secret")
    with pytest.raises(redis.ResponseError, match=r"Command # 1 \(CONFIG SET \.\.\.\) of pipeline") as caught:
        pipe.execute()
    assert "secret" not in str(caught.value)


@BOTH
def test_the_server_loads_its_data(client, transaction):
    """It is raised whatever ``raise_on_error`` says: nothing else is of interest then."""
    pipe = client.pipeline(transaction)
    pipe.execute_command("DEBUG", "ERROR", "LOADING fake message")
    with pytest.raises(redis.BusyLoadingError, match="fake message"):
        pipe.execute(raise_on_error=False)
    assert pipe.connection is None and len(pipe) == 0
    assert [connection._sock for connection in idle(client)] == [None], "one closed connection in the pool"


def test_the_server_loads_its_data_while_a_command_is_executed_at_once(client):
    pipe = client.pipeline()
    with pytest.raises(redis.BusyLoadingError):
        pipe.immediate_execute_command("DEBUG", "ERROR", "LOADING fake message")
    assert pipe.connection is None
    assert [connection._sock for connection in idle(client)] == [None]


@pytest.mark.parametrize("line", ["READONLY You can't write", "MASTERDOWN Link is down"])
def test_a_server_that_is_not_what_it_was_keeps_no_connection(client, line):
    other = client.connection_pool.get_connection("PING")
    other.connect()
    pipe = client.pipeline(transaction=False).execute_command("DEBUG", "ERROR", line).ping()
    error, pong = pipe.execute(raise_on_error=False)
    assert type(error).__name__ in ("ReadOnlyError", "MasterDownError") and pong is True
    client.connection_pool.release(other)
    assert [connection._sock for connection in idle(client)] == [None, None]


def test_what_cannot_be_meant_is_refused_before_anything_is_sent(client):
    for words in (("GET a",), ("CLIENT REPLY", "OFF"), (" ",)):
        pipe = client.pipeline(transaction=False).set("a", 1).execute_command(*words)
        with pytest.raises(redis.DataError):
            pipe.execute()
        assert client.exists("a") is False and len(pipe) == 0
    pipe = client.pipeline().set("a", "\ud800")
    with pytest.raises(UnicodeEncodeError):
        pipe.execute()
    assert client.exists("a") is False and pipe.connection is None


@BOTH
def test_commands_of_two_words(r, transaction):
    pipe = r.pipeline(transaction).config_get("maxmemory").execute_command("config get", "maxmemory").client_id()
    results = pipe.execute()
    assert results[0] == {"maxmemory": "0"}
    assert isinstance(results[2], int)


@BOTH
def test_dump_and_text_in_one_pipeline(make_client, kind, transaction):
    """What is no text stays bytes, whatever stands beside it."""
    client = make_client(**{**kind.options, "decode_responses": True})
    client.set("k", "é" * 100)
    value, dump, again = client.pipeline(transaction).get("k").dump("k").get("k").execute()
    assert value == again == "é" * 100
    assert isinstance(dump, bytes)
    client.restore("copy", 0, dump)
    assert client.get("copy") == value


@BOTH
def test_a_blocking_command_has_its_own_time(make_client, transaction):
    client = make_client(socket_timeout=0.2)
    results = client.pipeline(transaction).blpop("none", 0.4).ping().execute()
    assert results == [None, True]
    client.rpush("some", "x")
    assert client.pipeline(transaction).blpop("some", 0.1).get("a").execute() == [(b"some", b"x"), None]


def test_after_a_blocking_command_time_is_what_it_was(make_client):
    client = make_client(socket_timeout=0.2)
    pipe = client.pipeline(transaction=False).blpop("none", 0.3).execute_command("DEBUG", "SLEEP", "1").ping()
    with pytest.raises(redis.TimeoutError) as caught:
        pipe.execute()
    assert caught.value.maybe_applied is True


@BOTH
def test_callbacks_of_the_client_are_those_of_its_pipelines(client, transaction):
    client.set_response_callback("GET", lambda reply, **options: ("mine", reply, options))
    client.response_callbacks["ECHO"] = len
    results = client.pipeline(transaction).execute_command("GET", "a", shout=True).echo("four").execute()
    assert results == [("mine", None, {"shout": True}), 4]


def test_callbacks_of_a_class_are_those_of_its_pipelines(server):
    class Client(StrictRedis):
        REDIS_CALLBACKS = {**StrictRedis.RESPONSE_CALLBACKS, "ECHO": len}

    with Client(port=server.port) as client:
        assert client.pipeline().echo("four").execute() == [4]


@BOTH
def test_a_callback_sees_no_error(client, transaction):
    client.set_response_callback("LPUSH", lambda reply, **options: pytest.fail("called with an error"))
    client.set("a", 1)
    (error,) = client.pipeline(transaction).lpush("a", 1).execute(raise_on_error=False)
    assert isinstance(error, redis.ResponseError)


# Watching


def test_a_watched_key_that_nobody_changed(r, kind):
    r.mset({"a": 1, "b": 2})
    with r.pipeline() as pipe:
        assert pipe.watch("a", "b") is True
        assert pipe.watching is True
        a, b = pipe.get("a"), pipe.get("b")
        assert (a, b) == (kind.text("1"), kind.text("2")), "executed at once"
        pipe.multi()
        pipe.set("c", 3)
        assert pipe.execute() == [True]
        assert pipe.watching is False
        assert pipe.connection is None


def test_a_watched_key_that_somebody_changed(r):
    r.set("a", 1)
    with r.pipeline() as pipe:
        pipe.watch("a")
        r.set("a", 2)
        pipe.multi()
        pipe.set("b", 1)
        with pytest.raises(redis.WatchError):
            pipe.execute()
        assert pipe.watching is False and len(pipe) == 0
        assert pipe.ping().execute() == [True], "usable afterwards"
    assert r.exists("b") is False


def test_watch_in_a_plain_pipeline(client):
    client.set("a", 1)
    pipe = client.pipeline(transaction=False)
    pipe.watch("a")
    assert pipe.get("a") == b"1"
    client.set("a", 2)
    pipe.multi()
    pipe.set("b", 1)
    with pytest.raises(redis.WatchError):
        pipe.execute()
    assert pipe.set("a", 3).get("a").execute() == [True, b"3"], "plain again"


def test_unwatch(r, kind):
    r.set("a", 1)
    with r.pipeline() as pipe:
        pipe.watch("a")
        r.set("a", 2)
        assert pipe.unwatch() is True
        assert pipe.watching is False
        assert pipe.get("a") is pipe, "queued again"
        assert pipe.execute() == [kind.text("2")]
    assert r.pipeline().unwatch() is True, "there is nothing to say"


def test_watching_ends_with_the_block(client):
    client.set("a", 1)
    with client.pipeline() as pipe:
        pipe.watch("a")
        watching = pipe.connection
    client.set("a", 2)
    assert idle(client)[-1] is watching and watching._sock is not None, "told, not closed"
    assert client.pipeline().set("b", 1).execute() == [True]


def test_the_connection_that_watched_is_used_again(client):
    client.set("a", 1)
    before = client.client_id()
    for leave in (BasePipeline.execute, BasePipeline.reset, lambda pipe: (pipe.reset, pipe.unwatch())):
        with client.pipeline() as pipe:
            pipe.watch("a")
            pipe.multi() if leave is BasePipeline.execute else None
            pipe.ping()
            leave(pipe)
        assert client.client_id() == before


def test_multi_and_watch_in_the_wrong_order(client):
    pipe = client.pipeline()
    pipe.multi()
    with pytest.raises(redis.RedisError, match="nested"):
        pipe.multi()
    with pytest.raises(redis.RedisError, match="WATCH after a MULTI"):
        pipe.watch("a")
    pipe.reset()
    pipe.set("a", 1)
    with pytest.raises(redis.RedisError, match="without an initial WATCH"):
        pipe.multi()


def test_multi_makes_a_plain_pipeline_a_transaction(client):
    pipe = client.pipeline(transaction=False)
    pipe.multi()
    with pytest.raises(redis.ResponseError, match=r"^Command # 2 \(LPUSH a\)"):
        pipe.set("a", 1).execute_command("LPUSH", "a").execute()
    assert client.exists("a") is False


def test_an_error_of_a_command_that_is_executed_at_once(client):
    client.set("a", 1)
    with client.pipeline() as pipe:
        pipe.watch("a")
        with pytest.raises(redis.ResponseError, match=r"^WRONGTYPE"):
            pipe.llen("a")
        assert pipe.watching is True
        pipe.multi()
        assert pipe.incr("a").execute() == [2]


def test_commands_executed_at_once_go_through_their_callbacks(client):
    client.set_response_callback("GET", lambda reply: "mine")
    with client.pipeline() as pipe:
        pipe.watch("a")
        assert pipe.get("a") == "mine"
        assert pipe.config_get("maxmemory") == {"maxmemory": "0"}
        assert pipe.zadd("z", {"a": 1}) == 1 and pipe.zrange("z", 0, -1, withscores=True) == [(b"a", 1.0)]


def test_a_lost_connection_watches_nothing(client):
    """Nothing is executed then: whoever watched has to begin anew."""
    for lose in (lambda pipe, _: pipe.connection.disconnect(), lambda _, mine: client.client_kill_filter(_id=mine)):
        with client.pipeline() as pipe:
            pipe.watch("a")
            mine = pipe.client_id()
            pipe.multi()
            pipe.set("a", 1)
            lose(pipe, mine)
            pause()
            with pytest.raises(redis.WatchError):
                pipe.execute()
            assert client.exists("a") is False
            assert pipe.set("b", 1).execute() == [True]


def test_a_connection_lost_before_a_command_is_executed_at_once(client):
    with client.pipeline() as pipe:
        pipe.watch("a")
        pipe.connection.disconnect()
        with pytest.raises((redis.ConnectionError, redis.WatchError)) as caught:
            pipe.get("a")
        assert getattr(caught.value, "maybe_applied", False) is False
        assert pipe.watching is False and pipe.connection is None


def pause():
    """Until a connection counts as idle, and is looked at."""
    threading.Event().wait(0.06)


def test_the_state_that_a_single_connection_had_stays(make_client):
    client = make_client(single_connection_client=True)
    other = make_client(db=5)
    client.execute_command("SELECT", 5)
    assert client.pipeline().set("a", 1).execute() == [True]
    with client.pipeline() as pipe:
        pipe.watch("a")
        pipe.multi()
        pipe.incr("a").execute()
    with client.pipeline() as pipe:
        pipe.watch("a")
    assert other.get("a") == b"2" and client.get("a") == b"2"
    other.client_kill_filter(_id=client.client_id())
    pause()
    with pytest.raises(redis.ConnectionError, match="what earlier commands had set") as caught:
        client.get("a")
    assert caught.value.maybe_applied is False, "it is not made anew in silence, on database 0"


@BOTH
def test_a_single_connection_may_be_changed_by_a_pipeline(make_client, transaction):
    client = make_client(single_connection_client=True)
    before = client.client_id()
    assert client.pipeline(transaction).execute_command("SELECT", 5).set("a", 1).execute() == [True, True]
    assert client.client_id() == before
    assert client.get("a") == b"1" and make_client().get("a") is None


@BOTH
def test_a_pooled_connection_that_a_pipeline_changed_is_not_used_again(client, transaction):
    before = client.client_id()
    assert client.pipeline(transaction).execute_command("SELECT", 5).set("a", 1).execute() == [True, True]
    assert client.get("a") is None
    assert client.client_id() != before


def test_select_while_keys_are_watched(client):
    with client.pipeline() as pipe:
        pipe.watch("a")
        assert pipe.execute_command("SELECT", 5)
    assert client.set("a", 1) and client.exists("a")


def test_watching_leaves_nothing_that_a_lost_connection_could_lose(make_client):
    """What EXEC or UNWATCH has ended is not missed on a new connection."""
    client = make_client(single_connection_client=True)
    for leave in (BasePipeline.execute, BasePipeline.reset, BasePipeline.unwatch):
        with client.pipeline() as pipe:
            pipe.watch("a")
            if leave is BasePipeline.execute:
                pipe.multi()
                pipe.ping()
            leave(pipe)
        idle(client).clear()
        gc.collect()
        assert client.ping(), "the connection is gone, and nothing with it"


def test_select_on_a_single_connection_while_keys_are_watched(make_client):
    client = make_client(single_connection_client=True)
    before = client.client_id()
    with client.pipeline() as pipe:
        pipe.watch("a")
        pipe.execute_command("SELECT", 5)
    client.set("a", 1)
    assert client.client_id() == before
    assert make_client(db=5).get("a") == b"1"


# client.transaction


def test_transaction(r, kind):
    r.mset({"a": 1, "b": 2})
    disturbed = []

    def add_up(pipe):
        a, b = int(pipe.get("a")), int(pipe.get("b"))
        if not disturbed:
            disturbed.append(r.incr("a"))
        pipe.multi()
        pipe.set("c", a + b)

    assert r.transaction(add_up, "a", "b") == [True]
    assert r.get("c") == kind.text("4")


def test_transaction_with_the_value_of_the_function(client):
    assert client.transaction(lambda pipe: "value", "a", value_from_callable=True) == "value"
    assert client.transaction(lambda pipe: pipe.set("a", 1) and "value", value_from_callable=True) == "value"
    assert client.get("a") == b"1"


@pytest.mark.parametrize("retries, calls", [(0, 1), (2, 3)])
def test_transaction_gives_up_after_so_many_retries(client, retries, calls):
    seen = []

    def never(pipe):
        seen.append(client.incr("a"))
        pipe.multi()
        pipe.set("b", 1)

    with pytest.raises(redis.WatchError):
        client.transaction(never, "a", retries=retries)
    assert len(seen) == calls
    assert client.exists("b") is False


def test_transaction_waits_between_its_attempts(client, monkeypatch):
    waited = []
    monkeypatch.setattr("redis.client.sleep", waited.append)

    def disturb(pipe):
        if len(waited) < 2:
            client.incr("a")
        pipe.multi()
        pipe.set("b", 1)

    assert client.transaction(disturb, "a", watch_delay=1.5) == [True]
    assert waited == [1.5, 1.5]


def test_transaction_passes_the_shard_hint_on(server):
    hints = []

    class Pool(ConnectionPool):
        def get_connection(self, command_name=None, *keys, **options):
            hints.append(keys)
            return super().get_connection(command_name, *keys, **options)

    pool = Pool(port=server.port)
    StrictRedis(connection_pool=pool).transaction(lambda pipe: pipe.ping(), shard_hint="here")
    pool.close()
    assert hints == [("here",)]


def test_an_error_of_the_function_ends_a_transaction(client):
    def fail(pipe):
        pipe.multi()
        pipe.set("a", 1)
        raise LookupError

    with pytest.raises(LookupError):
        client.transaction(fail, "a")
    assert client.exists("a") is False
    assert client.pipeline().set("a", 1).execute() == [True]


# The classic way


class CountingPool(ConnectionPool):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.lent = self.returned = 0

    def get_connection(self, command_name=None, *keys, **options):
        self.lent += 1
        return super().get_connection(command_name, *keys, **options)

    def release(self, connection):
        self.returned += 1
        super().release(connection)


class OwnConnection(Connection):
    """Counts what is read; that is enough for the classic way."""

    reads = 0

    def read_response(self, **options):
        type(self).reads += 1
        return super().read_response(**options)


class OwnParser(DefaultParser):
    def read_response(self):
        return super().read_response()


@pytest.fixture(params=["connection", "parser"])
def classic(request, server):
    """A client whose pipelines take the classic way."""
    ask(server, "FLUSHALL")
    own = {"connection_class": OwnConnection} if request.param == "connection" else {"parser_class": OwnParser}
    pool = ConnectionPool(port=server.port, socket_timeout=0.3, **own)
    yield StrictRedis(connection_pool=pool)
    pool.close()


def test_a_pool_of_the_users(server):
    pool = CountingPool(port=server.port)
    client = StrictRedis(connection_pool=pool)
    assert client.pipeline().set("a", 1).execute() == [True]
    with client.pipeline() as pipe:
        pipe.watch("a")
        assert pipe.get("a") == b"1"
    pool.close()
    assert (pool.lent, pool.returned) == (2, 2)


@BOTH
def test_the_classic_way_answers_the_same(classic, transaction):
    pipe = classic.pipeline(transaction).set("a", 1).execute_command("CONFIG GET", "maxmemory").lpush("a", 2).get("a")
    with pytest.raises(redis.ResponseError, match=r"^Command # 3 \(LPUSH a 2\)"):
        pipe.execute()
    results = pipe.set("a", 1).lpush("a", 2).dump("a").blpop("none", 0.5).execute(raise_on_error=False)
    assert results[0] is True and isinstance(results[1], redis.ResponseError) and results[3] is None
    with pytest.raises(redis.ResponseError, match=r"^Command # 1 \(LPUSH\)"):
        classic.pipeline().execute_command("LPUSH").ping().execute()
    assert classic.get("a") == b"1"


def test_a_read_response_of_the_users_is_called(server):
    pool = ConnectionPool(port=server.port, connection_class=OwnConnection)
    before = OwnConnection.reads
    StrictRedis(connection_pool=pool).pipeline(transaction=False).ping().ping().ping().execute()
    pool.close()
    assert OwnConnection.reads == before + 3


@BOTH
def test_the_classic_way_poisons_nothing(classic, transaction):
    assert classic.pipeline(transaction).execute_command("SELECT", 5).set("a", 1).execute() == [True, True]
    assert classic.get("a") is None
    assert [connection.owed for connection in idle(classic)] == [0]


def test_watching_the_classic_way(classic):
    classic.set("a", 1)
    with classic.pipeline() as pipe:
        pipe.watch("a")
        classic.incr("a")
        pipe.multi()
        pipe.set("b", 1)
        with pytest.raises(redis.WatchError):
            pipe.execute()
    with classic.pipeline() as pipe:
        pipe.watch("a")
        pipe.connection.disconnect()
        pipe.multi()
        pipe.set("b", 1)
        with pytest.raises(redis.WatchError):
            pipe.execute()
    assert classic.exists("b") is False


def test_a_time_out_the_classic_way(classic):
    pipe = classic.pipeline(transaction=False).set("a", 1).execute_command("DEBUG", "SLEEP", "0.45").get("a")
    with pytest.raises(redis.TimeoutError) as caught:
        pipe.execute()
    assert (caught.value.maybe_applied, caught.value.replies) == (True, [])
    assert classic.get("a") == b"1"


def test_a_connection_of_a_class_of_its_own(server):
    """It needs little more than ``pid``."""

    class Other:
        pid = redis.Connection().pid

        def __init__(self, **options):
            self.inner = Connection(**options)
            for name in ("pack_commands", "send_packed_command", "send_command", "read_response", "disconnect"):
                setattr(self, name, getattr(self.inner, name))

    pool = ConnectionPool(connection_class=Other, port=server.port)
    client = StrictRedis(connection_pool=pool)
    assert client.pipeline().set("a", 1).get("a").execute() == [True, b"1"]
    with client.pipeline() as pipe:
        pipe.watch("a")
        client.set("a", 2)
        pipe.multi()
        pipe.get("a")
        with pytest.raises(redis.WatchError):
            pipe.execute()
    pool.disconnect(immediate=True)


# Much at once


@BOTH
def test_a_hundred_thousand_commands(client, transaction):
    """Memory stays near what was asked for: what is queued, once as bytes, and the results."""
    count = 100_000
    pipe = client.pipeline(transaction)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(count):
        pipe.set("key", number)
    results = pipe.execute()
    assert results == [True] * count
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 120, f"{grown} MB"
    assert client.get("key") == b"%d" % (count - 1)


def test_large_replies_are_kept_once(client):
    """A hundred replies of 200 KB are 20 MB; the peak is not much more."""
    value = b"x" * 200_000
    client.set("a", value)
    pipe = client.pipeline(transaction=False)
    for _ in range(100):
        pipe.get("a")
    tracemalloc.start()
    try:
        results = pipe.execute()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert results == [value] * 100
    assert peak < 1.3 * 100 * len(value), f"{peak / 1e6} MB"


def test_large_arguments(transport):
    with StrictRedis(**transport.options) as client:
        values = [bytes([number]) * 300_000 for number in range(40)]
        pipe = client.pipeline(transaction=False)
        for number, value in enumerate(values):
            pipe.set(number, value).get(number).set("small", number)
        assert pipe.execute()[1::3] == values
        assert client.pipeline().set("a", memoryview(values[7])).get("a").execute() == [True, values[7]]


def test_numbers_and_other_arguments(client):
    class Text:
        def __str__(self):
            return "text"

    pipe = (
        client.pipeline()
        .set("a", 1.5)
        .set("b", 7)
        .set("c", Text())
        .set("d", bytearray(b"bytes"))
        .set("e", "é" * 40_000)
    )
    assert pipe.mget("a", "b", "c", "d", "e").execute()[-1] == [b"1.5", b"7", b"text", b"bytes", "é".encode() * 40_000]


def test_threads_each_with_a_pipeline(client):
    wrong = []

    def work(name):
        for number in range(50):
            pipe = client.pipeline(transaction=number % 2 == 0).set(name, number).get(name)
            if pipe.execute() != [True, b"%d" % number]:
                wrong.append(name)

    threads = [threading.Thread(target=work, args=(f"key:{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# A closed client


def test_a_closed_client(make_client):
    client = make_client()
    pipe = client.pipeline().ping()
    client.close()
    with pytest.raises(redis.ConnectionError, match="closed") as caught:
        pipe.execute()
    assert caught.value.maybe_applied is False
    with contextlib.suppress(redis.ConnectionError):
        client.pipeline().ping().execute()
        pytest.fail("a closed client has executed a pipeline")
