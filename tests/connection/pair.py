"""A connection without a network: one end of a socket pair, whose other end the test holds and scripts."""

import contextlib
import socket
import threading

from redis.connection.tcp import Connection

#: A connection that says nothing at its beginning.
MUTE = {"lib_name": None, "lib_version": None}


class WiredConnection(Connection):
    """``peer`` is what the server would hold."""

    peer = None

    def _connect(self):
        if self.peer is not None:
            self.peer.close()
        mine, self.peer = socket.socketpair()
        self.peer.settimeout(10)
        return mine


@contextlib.contextmanager
def wire(cls=WiredConnection, **options):
    """Give a connection that is made, and the other end."""
    connection = cls(**{**MUTE, **options})
    try:
        connection.connect()
        yield connection, connection.peer
    finally:
        connection.disconnect()
        if connection.peer is not None:
            connection.peer.close()


@contextlib.contextmanager
def meanwhile(action, *args):
    """Do ``action`` in a thread beside the block; its error is raised at the end."""
    errors = []

    def run():
        try:
            action(*args)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield thread
    thread.join(10)
    assert not thread.is_alive(), "it did not come to an end"
    if errors:
        raise errors[0]


def read_exactly(sock, size):
    """Return ``size`` bytes of a socket."""
    data = bytearray()
    while len(data) < size:
        chunk = sock.recv(min(1 << 20, size - len(data)))
        assert chunk, "the connection was closed"
        data += chunk
    return bytes(data)
