"""A publisher, 50 channels, 5 patterns, many messages and 20 lost connections.

A message that PUBLISH reported as delivered while the link held arrives once and in order, on its channel and on each
pattern that matches; after each gap the notice comes before the next message.  ``tox -e soak`` runs the long form.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any

import pytest

import redis
from redis.client import PubSub
from tests.faults.conftest import SOAK
from tests.faults.proxy import Proxy
from tests.servers import standalone

MESSAGES = 200_000 if SOAK else 10_000
LOSSES = 20
CHANNELS = [f"c:{number % 5}:{number}" for number in range(50)]
PATTERNS = [f"c:{number}:*" for number in range(5)]
#: Each message arrives twice, on its channel and by its pattern.
COPIES = 2
UNLIMITED = "pubsub 0 0 0"


@dataclass
class Publisher:
    """Publishes numbered messages; remembers which were delivered in full, by the generation of the link."""

    client: redis.StrictRedis
    seed: int = 1
    #: How many times the link has been cut; odd while nobody can say whether it holds.
    generation: int = 0
    #: The number of each message that was delivered while the link held, and the generation.
    delivered: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    #: Set when the link has been cut often enough; until then it goes on.
    enough: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        rng = random.Random(self.seed)
        filler = b"x" * (1 << 20)
        for number in itertools.count():
            if number >= MESSAGES and self.enough.is_set():
                break
            size = 1 << 20 if rng.random() < 0.001 else rng.randint(10, 1000)
            before = self.generation
            receivers = self.client.publish(rng.choice(CHANNELS), b"%d:" % number + filler[:size])
            with self.lock:
                if receivers == COPIES and before == self.generation and before % 2 == 0:
                    self.delivered[number] = before

    def turn(self) -> int:
        """The link is cut, or holds again; return the last message that was delivered over it, -1 if there is none."""
        with self.lock:
            self.generation += 1
            return max((number for number, when in self.delivered.items() if when == self.generation - 1), default=-1)


@dataclass
class Consumer:
    """Reads everything; ``heard`` has for each stretch between two notices the numbers, one list for each type."""

    pubsub: PubSub
    heard: list[dict[str, list[int]]] = field(default_factory=lambda: [{"message": [], "pmessage": []}])

    def read(self, done: Callable[[], bool]) -> None:
        quiet = 0
        while not (done() and quiet > 2):
            try:
                message = self.pubsub.get_message(ignore_subscribe_messages=True, timeout=0.1)
            except redis.ConnectionError:
                continue
            quiet = 0 if message else quiet + 1
            if message is not None:
                self.take(message)

    def last_of(self, kind: str) -> int:
        return (self.heard[-1][kind] or [-1])[-1]

    def take(self, message: dict[str, Any]) -> None:
        if message["type"] == "reconnect":
            self.heard.append({"message": [], "pmessage": []})
        else:
            self.heard[-1][message["type"]].append(int(message["data"].partition(b":")[0]))


def lose(proxy: Proxy, publisher: Publisher, consumer: Consumer) -> None:
    """Cut the link once everything that was delivered over it has arrived, and wait until it was made anew."""
    last = publisher.turn()  # from here on nobody says that a message was delivered while the link held
    wait_for(lambda: consumer.last_of("message") >= last and consumer.last_of("pmessage") >= last)
    notices = len(consumer.heard)
    random.choice([proxy.cut, proxy.reset])()
    wait_for(lambda: len(consumer.heard) == notices + 1)
    wait_for(lambda: publisher.client.pubsub_numpat() == len(PATTERNS))
    publisher.turn()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + 30
    while not condition():
        assert monotonic() < deadline, "it did not come true in time"
        sleep(0.005)


@pytest.fixture
def soaked() -> Iterator[tuple[Any, Proxy]]:
    config = {"client-output-buffer-limit": UNLIMITED}
    with standalone(config=config) as server, Proxy((server.host, server.port)) as proxy:
        yield server, proxy


@pytest.mark.timeout(600 if SOAK else 60)
def test_soak(soaked: tuple[Any, Proxy], make: Callable[..., redis.StrictRedis]) -> None:
    server, proxy = soaked
    publisher = Publisher(make(port=server.port))
    with make(port=proxy.port).pubsub(reconnect_messages=True) as pubsub:
        pubsub.subscribe(*CHANNELS)
        pubsub.psubscribe(*PATTERNS)
        consumer = Consumer(pubsub)
        publishing = threading.Thread(target=publisher.run)
        reading = threading.Thread(target=consumer.read, args=(lambda: not publishing.is_alive(),))
        publishing.start()
        reading.start()
        try:
            for number in range(LOSSES):
                wait_for(lambda number=number: len(publisher.delivered) > (number + 1) * MESSAGES // (2 * LOSSES))
                lose(proxy, publisher, consumer)
        finally:
            publisher.enough.set()
            publishing.join()
            reading.join(60)
    check(publisher, consumer)


def check(publisher: Publisher, consumer: Consumer) -> None:
    assert len(consumer.heard) == LOSSES + 1, "one notice for each gap"
    assert len(publisher.delivered) > MESSAGES // 2
    for stretch, heard in enumerate(consumer.heard):
        delivered = [number for number, generation in publisher.delivered.items() if generation == 2 * stretch]
        for kind, numbers in heard.items():
            assert numbers == sorted(set(numbers)), f"{kind}: in order, and none twice"
            assert set(delivered) <= set(numbers), f"{kind}: none is missing"
    everything = [number for heard in consumer.heard for number in heard["message"]]
    assert everything == sorted(set(everything)), "in order across the gaps"
