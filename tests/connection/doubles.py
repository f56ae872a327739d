"""Stand-ins that several tests of connections and pools use."""

import os

from redis.client import StrictRedis


class Dummy:
    """The least that a connection class of the user's has."""

    description_format = "Dummy<>"

    def __init__(self, **kwargs):
        self.kwargs = kwargs
        self.pid = os.getpid()


class Classic(StrictRedis):
    """A client that overrides a method, and so goes the classic way."""

    def parse_response(self, connection, command_name, **options):
        return super().parse_response(connection, command_name, **options)


def client_of(pool, **options):
    return StrictRedis(connection_pool=pool, **options)
