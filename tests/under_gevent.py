"""The core of the suite under gevent, which replaces all that waits: ``python -m tests.under_gevent [pytest's words]``.

This module owns what is run so, and what makes no sense there, with the reasons.  It must be the first that is
imported: whatever has taken hold of a lock or a socket before would keep the old one.
"""

# ruff: noqa: E402 - the order is what this module is for
from gevent import monkey

monkey.patch_all()

import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

#: What is run where no path is given.
CORE = """
    tests/commands/test_strings.py
    tests/connection/test_batch.py
    tests/connection/test_deadline.py
    tests/connection/test_idle.py
    tests/connection/test_pool.py
    tests/connection/test_pool_age.py
    tests/connection/test_pool_storm.py
    tests/connection/test_pool_waiting.py
    tests/connection/test_pool_warm.py
    tests/connection/test_single.py
    tests/connection/test_tcp.py
    tests/connection/test_timeouts.py
    tests/connection/test_tls.py
    tests/connection/test_unix.py
    tests/connection/test_wire.py
    tests/connection/test_wire_sending.py
    tests/faults/greenlets.py
    tests/faults/test_01_right_caller.py
    tests/faults/test_07_at_most_once.py
    tests/faults/test_07_at_most_once_tls.py
    tests/faults/test_08_not_sent.py
    tests/faults/test_08_not_sent_tls.py
    tests/faults/test_12_blocking.py
    tests/faults/test_14_idle.py
    tests/faults/test_16_pool_size.py
    tests/test_execution.py
    tests/test_lock.py
    tests/test_monitor.py
    tests/test_pipeline.py
    tests/test_pubsub.py
    tests/test_script.py
""".split()

TRACED = "a greenlet is interrupted where it waits, and not between two instructions: tests/faults/greenlets.py"
THROWN = "a greenlet is no thread of the system, into which another could throw an exception"
SIGNALS = "what the handler of a signal raises may reach gevent's hub, and not the greenlet that waits"
KERNEL = "under gevent no socket blocks, so the kernel has no time-outs to keep"
CLOSED = "of a socket that somebody has closed gevent says so in its own words"
PIECES = "in a handshake of TLS gevent gives each of its waits the whole time"

#: Patterns of tests, and why they make no sense here.
SENSELESS = {
    "tests/connection/test_batch.py::test_the_time_out_is_what_it_was_after_a_large_batch*": KERNEL,
    "tests/connection/test_deadline.py::test_interrupted_*": TRACED,
    "tests/connection/test_pool_warm.py::*interrupted*": TRACED,
    "tests/connection/test_tcp.py::test_can_read_of_a_connection_that_was_closed_underneath": CLOSED,
    "tests/connection/test_tcp.py::test_the_kernel_keeps_the_time": KERNEL,
    "tests/connection/test_timeouts.py::*[[]*[kK]ernel*": KERNEL,
    "tests/connection/test_timeouts.py::test_the_kernel_takes_over_*": KERNEL,
    "tests/connection/test_timeouts.py::test_a_plain_socket_*": KERNEL,
    "tests/connection/test_timeouts.py::test_a_busy_socket_is_not_looked_at": KERNEL,
    "tests/connection/test_timeouts.py::*storm_of_signals": SIGNALS,
    "tests/faults/test_01_right_caller.py::*interrupted*": TRACED,
    "tests/faults/test_01_right_caller.py::test_an_error_thrown_into_the_thread*": THROWN,
    "tests/faults/test_01_right_caller.py::test_storm_of_signals*": SIGNALS,
    "tests/faults/test_08_not_sent_tls.py::test_a_byte_now_and_then*": PIECES,
    "tests/faults/test_16_pool_size.py::test_interrupted*": TRACED,
    "tests/faults/test_16_pool_size.py::test_thrown*": THROWN,
    "tests/test_execution.py::test_interruption_*": SIGNALS,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what makes no sense here; a pattern that fits no test of a file that is run is an error."""
    files = {item.nodeid.partition("::")[0] for item in items}
    for pattern, reason in SENSELESS.items():
        found = [item for item in items if fnmatchcase(item.nodeid, pattern)]
        if not found and pattern.partition("::")[0] in files:
            raise pytest.UsageError(f"no test is called {pattern}")
        for item in found:
            item.add_marker(pytest.mark.skip(reason=reason))


def main(arguments: list[str]) -> int:
    """Run the core, or the paths among the arguments; return pytest's exit code."""
    chosen = any(Path(argument.partition("::")[0]).exists() for argument in arguments)
    return int(pytest.main([*arguments, *([] if chosen else CORE)], plugins=[sys.modules[__name__]]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
