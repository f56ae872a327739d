"""The history check: many threads, a network that loses things, and in the end every promise is counted."""

from __future__ import annotations

from typing import Any

import pytest

from redis.backoff import ConstantBackoff
from redis.retry import Retry
from tests.faults.conftest import SOAK
from tests.faults.history import APPLIED, LOST, NOT_APPLIED, Judge
from tests.faults.lossy import ACCIDENTS, lossy_proxy, write_in_processes

#: Over each of three transports, with each parser.
CALLS = 350_000 if SOAK else 17_000
PROCESSES, THREADS = 2, 6
#: After which something hangs.
SECONDS = 600 if SOAK else 60
#: Of one piece, how many have an accident; and what must have come of them.
RATE = 0.002 if SOAK else 0.004
HITS, OF_EACH = (1000, 100) if SOAK else (50, 5)


@pytest.mark.timeout(SECONDS)
def test_every_call_is_what_the_client_said(transport, speech, tmp_path) -> None:
    judge = judge_calls(transport, speech, str(tmp_path / "proxy.sock"))
    assert min(judge.fates[fate] for fate in (NOT_APPLIED, APPLIED, LOST)) >= OF_EACH, judge.fates


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("transport", ["tcp"], indirect=True)
def test_a_client_that_tries_again_sends_nothing_twice(transport, speech, tmp_path) -> None:
    """As often as it may, but not where the outcome is unknown."""
    retry = Retry(ConstantBackoff(0.001), retries=3, supported_errors=())
    judge = judge_calls(transport, {**speech, "retry": retry, "command_timeout": 2}, str(tmp_path / "proxy.sock"))
    assert min(judge.fates[fate] for fate in (APPLIED, LOST)) >= OF_EACH, judge.fates


def judge_calls(transport, options: dict[str, Any], path: str) -> Judge:
    """Make the calls through a network that loses things, with clients of these options; nothing may be violated."""
    server, unix = transport.server, transport.name == "unix"
    judge = Judge(server)
    upstream = server.unix_socket if unix else (server.host, server.port)
    with lossy_proxy(upstream, path if unix else None, RATE) as proxy:
        address = {"unix_socket_path": path} if unix else {"port": proxy.address[1]}
        options = {**transport.options, **options, **address}
        reports = write_in_processes(options, PROCESSES, THREADS, CALLS, SECONDS - 10)
    judge.judge(reports)
    assert judge.violations == []
    assert sum(report.calls for report in reports) >= CALLS
    assert judge.hits >= HITS, judge.fates
    assert all(proxy.requests[accident] and proxy.replies[accident] for accident in ACCIDENTS)
    return judge
