"""redis/connection/retry.py: the whole table, row by row, and the attempts of one call."""

import itertools
from time import monotonic

import pytest

from redis.backoff import AbstractBackoff, ConstantBackoff, NoBackoff
from redis.connection.deadline import Deadline
from redis.connection.outcome import NotSent, Refused, Unknown, public_error, said_by_server
from redis.connection.retry import Attempts, Policy, connect_in_the_end, policy_of
from redis.connection.tcp import Connection
from redis.connection.wire import NEVER
from redis.exceptions import (
    BusyLoadingError,
    ConnectionError,
    DataError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,
)
from redis.retry import Retry
from tests.faults.fakenode import ACCEPT, drop

BOTH = (False, True)

#: unknown, timed_out, readonly, blocking: what is sent again, for each that a user may have said.
SAFE = {
    # Nothing was sent, and it was no matter of time: always.
    *((False, False, *rest) for rest in itertools.product(BOTH, repeat=2)),
    # Unknown, no matter of time: what is read-only and does not block.
    (True, False, True, False),
}
NOT_IN_TIME = {(False, True, *rest) for rest in itertools.product(BOTH, repeat=2)}
TABLE = {
    "nothing": (Policy(), SAFE),
    "retry_on_timeout": (
        Policy(1, (TimeoutError,)),
        SAFE | NOT_IN_TIME | {(True, True, False, False), (True, True, True, False)},
    ),
    "retry_on_error": (Policy(1, (ConnectionError,)), SAFE | {(True, False, False, False)}),
    "retry": (Policy(3, (ConnectionError,), True), SAFE | NOT_IN_TIME | {(True, False, False, False)}),
    "retry, safe alone": (Policy(3, (), True), SAFE | NOT_IN_TIME),
    "retry_on_error of another kind": (Policy(1, (ResponseError,)), SAFE),
}


@pytest.mark.parametrize("case", list(itertools.product(BOTH, repeat=4)), ids=str)
@pytest.mark.parametrize("said", TABLE)
def test_the_table(said, case):
    policy, again = TABLE[said]
    assert policy.may_send_again(*case) is (case in again)


def test_a_builtin_class_permits_as_well():
    assert Policy(1, (OSError,)).may_send_again(True, True, False, False)


REFUSALS = [
    (Policy(), BusyLoadingError, False),
    (Policy(1, (ConnectionError,)), BusyLoadingError, True),
    (Policy(1, (TimeoutError,)), BusyLoadingError, False),
    (Policy(1, (), True), BusyLoadingError, True),
    (Policy(1, (), True), ReadOnlyError, True),
    (Policy(1, (), True), ResponseError, False),
    (Policy(1, (ResponseError,)), ReadOnlyError, True),
]


@pytest.mark.parametrize("policy, kind, again", REFUSALS)
def test_what_the_server_refused(policy, kind, again):
    assert policy.may_ask_again(kind("no")) is again


class Options:
    """Stands for a connection: its options."""

    retry = None
    retry_on_error = ()
    retry_on_timeout = False

    def __init__(self, **options):
        vars(self).update(options)


def attempts(readonly=False, blocking=False, **options):
    return Attempts(Options(**options), readonly, blocking, monotonic())


def fault(kind=NotSent, cause=None):
    try:
        raise kind("recv") from (cause or ConnectionResetError(104, "reset"))
    except kind as caught:
        return caught


def test_the_options_of_a_connection():
    assert policy_of(object()) == Policy(1, ())
    assert policy_of(Options(retry_on_timeout=True)) == Policy(1, (TimeoutError,))
    assert policy_of(Options(retry_on_error=[ReadOnlyError])) == Policy(1, (ReadOnlyError,))
    assert policy_of(Options(retry=Retry(NoBackoff(), 5))) == Policy(5, (ConnectionError,), True)
    assert policy_of(Options(retry="nonsense")) == Policy(1, ())


def test_one_more_without_a_retry():
    tried = attempts()
    assert tried.after_fault(fault()) and tried.number == 2
    assert not tried.after_fault(fault())
    assert tried.number == 2 and tried.unknown is False


@pytest.mark.parametrize("retries", [0, 1, 4])
def test_as_many_as_the_retry_says(retries):
    tried = attempts(retry=Retry(NoBackoff(), retries))
    assert [tried.after_fault(fault()) for _ in range(retries + 1)] == [True] * retries + [False]
    assert tried.number == retries + 1


def test_without_an_end():
    tried = attempts(retry=Retry(NoBackoff(), -1))
    assert all(tried.after_fault(fault()) for _ in range(1000))


def test_what_was_unknown_once_is_unknown_for_good():
    tried = attempts(retry=Retry(NoBackoff(), 5), blocking=False)
    assert tried.after_fault(fault(Unknown)) and tried.unknown
    assert tried.after_fault(fault(NotSent)) and tried.unknown
    error = public_error(fault(NotSent), "SET", "h:1", 1, False)
    tried.tell(error)
    assert error.maybe_applied is True and error.attempt == 3
    assert "attempt 3, after 0.0" in str(error) and str(error).endswith("s: it may have been applied)")


def test_a_write_of_unknown_outcome_ends_it():
    tried = attempts(retry=Retry(NoBackoff(), 5, supported_errors=()))
    assert tried.after_fault(fault(NotSent))
    assert not tried.after_fault(fault(Unknown))
    assert not tried.after_fault(fault(NotSent)), "not even then: the first may have been applied"


def test_the_pauses_are_those_of_the_backoff(monkeypatch):
    slept = []
    monkeypatch.setattr("redis.connection.retry.sleep", slept.append)

    class Doubling(AbstractBackoff):
        def compute(self, failures):
            return 2.0**failures

    tried = attempts(retry=Retry(Doubling(), 3))
    while tried.after_fault(fault()):
        pass
    assert slept == [2, 4, 8]


def test_no_pause_that_would_end_after_the_deadline(monkeypatch):
    slept = []
    monkeypatch.setattr("redis.connection.retry.sleep", slept.append)
    with Deadline(10):
        assert attempts(retry=Retry(ConstantBackoff(5), 3)).after_fault(fault())
        assert not attempts(retry=Retry(ConstantBackoff(11), 3)).after_fault(fault())
    assert slept == [5]


def test_a_refused_handshake():
    refused = fault(Refused, BusyLoadingError("busy"))
    assert not attempts().after_fault(refused)
    assert attempts(retry=Retry(NoBackoff(), 1)).after_fault(refused)


def test_public_errors():
    lost, refused = ConnectionError("lost"), said_by_server(ReadOnlyError("no"), None)
    lost.maybe_applied = False
    assert attempts().after_error(lost)
    assert not attempts().after_error(refused)
    assert refused.attempt == 1 and refused.elapsed >= 0
    assert attempts(retry_on_error=[ReadOnlyError]).after_error(refused)
    wrong = DataError("wrong")
    assert not attempts(retry_on_error=[DataError]).after_error(wrong)
    assert wrong.attempt is None, "nobody attempted anything"


def test_connecting_as_often_as_the_retry_says(node):
    node.script(ACCEPT, *[drop] * 3)
    connection = Connection(**node.options, retry=Retry(NoBackoff(), 3))
    connect_in_the_end(connection)
    assert connection.used != NEVER
    connection.disconnect()
    node.script(ACCEPT, *[drop] * 4)
    with pytest.raises(ConnectionError) as caught:
        connect_in_the_end(connection)
    assert (caught.value.attempt, caught.value.maybe_applied) == (4, False)


def test_connecting_once_where_nobody_said_anything(node):
    node.script(ACCEPT, drop)
    connection = Connection(**node.options, retry_on_error=[ConnectionError])
    with pytest.raises(ConnectionError):
        connect_in_the_end(connection)
    connect_in_the_end(connection)
    connection.disconnect()
