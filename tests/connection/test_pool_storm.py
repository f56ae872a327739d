"""redis/connection/pool.py: no storm of connects, whatever befalls the server while many threads work."""

import socket
import threading
from contextlib import suppress

import pytest

from redis.connection.pool import BlockingConnectionPool, ConnectionPool
from redis.exceptions import BusyLoadingError, ConnectionError
from tests.connection.doubles import Classic, client_of
from tests.faults.fakenode import FakeNode, listen, refuse, shut

THREADS = 16


class Counter:
    """A server that accepts, counts, and closes: nobody is at home."""

    def __init__(self):
        self.count = 0
        self.listener = listen()
        self.thread = threading.Thread(target=self.accept, daemon=True)

    @property
    def options(self):
        return {"host": "127.0.0.1", "port": self.listener.getsockname()[1]}

    def accept(self):
        with suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                self.count += 1
                sock.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        shut(self.listener)
        self.listener.close()
        self.thread.join(5)


@pytest.fixture(params=[ConnectionPool, BlockingConnectionPool])
def make_pool(request):
    """A function that makes pools of both kinds; they are closed at the end."""
    made = []

    def make(**options):
        made.append(request.param(**options))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


def at_once(action, threads=THREADS):
    """Do ``action()`` in many threads that begin together."""
    ready = threading.Barrier(threads)

    def run():
        ready.wait(10)
        action()

    running = [threading.Thread(target=run, daemon=True) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(20)
    assert not any(thread.is_alive() for thread in running)


@pytest.mark.parametrize("options", [{}, {"max_lifetime": 60, "max_idle_time": 60}], ids=str)
@pytest.mark.parametrize("way", [client_of, lambda pool: Classic(connection_pool=pool)], ids=["short", "classic"])
def test_each_call_makes_its_own_attempts_and_no_more(make_pool, way, options):
    with Counter() as server:
        client, errors = way(make_pool(**server.options, **options)), []

        def call():
            for _ in range(5):
                with pytest.raises(ConnectionError) as caught:
                    client.incr("k")
                errors.append(caught.value)

        at_once(call)
        assert len(errors) == THREADS * 5
        assert {error.maybe_applied for error in errors} == {False}
        assert server.count <= 2 * len(errors)


def test_a_pipeline_makes_its_own_attempts_and_no_more(make_pool):
    with Counter() as server:
        client = client_of(make_pool(**server.options))

        def call():
            with pytest.raises(ConnectionError):
                client.pipeline().incr("a").incr("b").execute()

        at_once(call)
        assert server.count <= 2 * THREADS


def test_after_a_restart_each_connection_is_made_anew_once(make_pool):
    with FakeNode() as node:
        pool = make_pool(host="127.0.0.1", port=node.port)
        lent = [pool.get_connection() for _ in range(THREADS)]
        for connection in lent:
            connection.connect()
        for connection in lent:
            pool.release(connection)
        node.close_links()
        for connection in lent:
            connection.used -= 1
        assert len(node.links) == THREADS, "nothing is connected before it is used"
        client = client_of(pool)
        at_once(lambda: [client.incr("k") for _ in range(20)])
        assert node.count("INCRBY") == THREADS * 20
        assert len(node.links) <= 2 * THREADS


@pytest.mark.parametrize("end", ["disconnect", "retire", "close at once"])
def test_what_was_closed_is_connected_no_sooner_than_it_is_used(make_pool, end):
    with FakeNode() as node:
        pool = make_pool(host="127.0.0.1", port=node.port)
        lent = [pool.get_connection() for _ in range(THREADS)]
        for connection in lent:
            connection.connect()
        for connection in lent[:8]:
            pool.release(connection)
        pool.retire() if end == "retire" else pool.disconnect(immediate=end != "disconnect")
        for connection in lent[8:]:
            pool.release(connection)
        assert len(node.links) == THREADS
        assert pool._created_connections == len(pool._available_connections) == THREADS
        client = client_of(pool)
        for _ in range(50):
            client.ping()
        assert len(node.links) == THREADS + 1, "who works alone needs one connection"


def test_a_server_that_is_loading_is_not_rushed(make_pool):
    """Each LOADING has the pool left, and one connection made for each call that follows."""
    with FakeNode() as node:
        client = client_of(make_pool(host="127.0.0.1", port=node.port))
        node.always("GET", refuse("LOADING wait"))

        def call():
            with pytest.raises(BusyLoadingError):
                client.get("k")

        at_once(lambda: [call() for _ in range(5)])
        assert len(node.links) <= THREADS * 5


def test_few_connections_are_in_use_where_few_are_needed(make_pool):
    """The last one back is the first one out, so those below lie still and grow old."""
    with FakeNode() as node:
        pool = make_pool(host="127.0.0.1", port=node.port, max_lifetime=60)
        lent = [pool.get_connection() for _ in range(THREADS)]
        for connection in lent:
            connection.connect()
        for connection in lent:
            pool.release(connection)
        before = {id(connection): connection.used for connection in lent}
        client = client_of(pool)
        at_once(lambda: [client.ping() for _ in range(50)], threads=3)
        assert sum(connection.used != before[id(connection)] for connection in lent) <= 3


def test_expired_together_but_made_anew_one_by_one(make_pool):
    """Connections that are too old are not made anew until each is needed."""
    with FakeNode() as node:
        pool = make_pool(host="127.0.0.1", port=node.port, max_lifetime=60)
        lent = [pool.get_connection() for _ in range(THREADS)]
        for connection in lent:
            connection.connect()
            connection.expires -= 60
        for connection in lent:
            pool.release(connection)
        client = client_of(pool)
        for _ in range(50):
            client.ping()
        assert len(node.links) == THREADS + 1


def test_the_listener_counts():
    with Counter() as server:
        for number in range(3):
            with socket.create_connection(tuple(server.options.values())) as sock:
                assert sock.recv(1) == b""
            assert server.count == number + 1
