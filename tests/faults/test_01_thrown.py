"""An exception that another thread throws into a call gives nobody a wrong answer, and nothing is executed twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from redis import StrictRedis
from tests.faults.conftest import LEFT_TO_FINALIZER, SOAK, settle, sound
from tests.faults.history import Judge, Report, Writer
from tests.faults.interrupt import PAUSE, THROWN, Thrower, throwing

pytestmark = LEFT_TO_FINALIZER

THREADS = 5
SECONDS, THROWS = (3, 500) if SOAK else (0.5, 50)


class Exposed(Writer):
    """Writes while something may be thrown into each of his calls."""

    def __init__(self, client: StrictRedis, name: str, newest: dict[str, int], thrower: Thrower) -> None:
        super().__init__(client, name, newest)
        self.run, self.faults = thrower.expose, (thrower.kind,)

    def write_until(self, enough: Callable[[], bool]) -> Report:
        while not enough():
            self.write_once()
        return self.report


@pytest.mark.parametrize("kind", THROWN)
def test_every_call_is_what_the_client_said(transport, make, kind: type[BaseException]) -> None:
    judge, client = Judge(transport.server), make(**transport.options)
    newest: dict[str, int] = {}
    end = monotonic() + SECONDS

    def enough() -> bool:
        return thrower.throws >= 2 * THROWS and monotonic() > end

    # Shaking hands over TLS takes longer than the usual time between two throws.
    pause = 10 * PAUSE if transport.name == "tls" else PAUSE
    with throwing(kind, pause) as thrower, ThreadPoolExecutor(THREADS) as threads:
        writers = [Exposed(client, str(number), newest, thrower) for number in range(THREADS)]
        runs = [threads.submit(writer.write_until, enough) for writer in writers]
        reports = [run.result() for run in runs]
    assert sound(client.connection_pool)
    assert settle(client.connection_pool) <= THREADS
    assert client.echo("mine") == b"mine"
    client.close()
    judge.judge(reports)
    assert judge.violations == []
    assert thrower.throws >= judge.hits >= THROWS
    assert sum(report.calls for report in reports) >= 2 * judge.hits
