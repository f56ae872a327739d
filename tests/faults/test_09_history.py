"""The history check: many threads, a network that loses things, and in the end every promise is counted."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from time import monotonic

import redis
from tests.faults.conftest import SOAK
from tests.servers import ask

THREADS = 6
SECONDS = 60 if SOAK else 1
#: Of a hundred pieces, how many have an accident.
ACCIDENTS = 4
ACKNOWLEDGED, NOT_APPLIED, UNKNOWN = "acknowledged", "not applied", "unknown"


def accidents(seed: int) -> Callable[[], str | None]:
    dice = random.Random(seed)
    return lambda: dice.choice(["close", "half", "reset"]) if dice.random() < ACCIDENTS / 100 else None


def outcome(call: Callable[[], object]) -> str:
    try:
        call()
    except (redis.ConnectionError, redis.TimeoutError) as error:
        return UNKNOWN if error.maybe_applied else NOT_APPLIED
    return ACKNOWLEDGED


def act(client: redis.StrictRedis, end: float, name: str, history: dict[str, str]) -> None:
    """Write under names that nobody else uses, in three ways, and note what the client said of each."""
    number = 0
    while monotonic() < end:
        number += 1
        token = f"{name}:{number}"
        history[f"incr {token}"] = outcome(lambda token=token: client.incr(f"n:{token}"))
        history[f"push {token}"] = outcome(lambda token=token: client.execute_command("RPUSH", "log", token))
        history[f"set {token}"] = outcome(lambda token=token: client.set(f"s:{token}", token))


def executions(server) -> Counter[str]:
    """How often each write was executed, as the server has it."""
    counted = Counter(f"push {token.decode()}" for token in ask(server, "LRANGE", "log", 0, -1))
    for key in ask(server, "KEYS", "n:*"):
        counted[f"incr {key.decode()[2:]}"] = int(ask(server, "GET", key))
    counted.update(f"set {key.decode()[2:]}" for key in ask(server, "KEYS", "s:*"))
    return counted


def test_every_call_is_what_the_client_said(transport, proxy, make) -> None:
    proxy.requests.accident, proxy.replies.accident = accidents(1), accidents(2)
    client = make(**proxy.options, socket_timeout=1)
    history: dict[str, str] = {}
    end = monotonic() + SECONDS
    threads = [threading.Thread(target=act, args=(client, end, str(number), history)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    proxy.cut()
    allowed = {ACKNOWLEDGED: (1,), NOT_APPLIED: (0,), UNKNOWN: (0, 1)}
    counted = executions(transport.server)
    broken = {what: (said, counted[what]) for what, said in history.items() if counted[what] not in allowed[said]}
    assert broken == {}
    assert set(counted) <= set(history)
    said = Counter(history.values())
    assert said[ACKNOWLEDGED] > 50 and said[UNKNOWN] > 5, said
