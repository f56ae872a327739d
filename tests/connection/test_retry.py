"""redis/connection/retry.py: the whole table, row by row."""

import itertools

import pytest

from redis.connection.retry import may_send_again

#: unknown, timed_out, readonly, blocking, retry_on_timeout
AGAIN = {
    # Nothing was sent, and it was no matter of time: always.
    *((False, False, *rest) for rest in itertools.product((False, True), repeat=3)),
    # Unknown, no matter of time: what is read-only and does not block.
    (True, False, True, False, False),
    (True, False, True, False, True),
    # Time ran out before it was sent: where the user asked.
    *((False, True, readonly, blocking, True) for readonly, blocking in itertools.product((False, True), repeat=2)),
    # Time ran out afterwards: where the user asked, and it does not block.
    (True, True, False, False, True),
    (True, True, True, False, True),
}


@pytest.mark.parametrize("case", list(itertools.product((False, True), repeat=5)), ids=str)
def test_the_table(case):
    assert may_send_again(*case) is (case in AGAIN)
