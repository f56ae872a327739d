"""redis/retry.py: how often, after which pauses, and what for.

What becomes of a command is in tests/connection/test_retry.py and tests/faults/test_07_retry_permitted.py.
"""

import pytest

import redis
from redis.backoff import ConstantBackoff, DecorrelatedJitterBackoff, ExponentialBackoff, NoBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, ReadOnlyError, TimeoutError
from redis.retry import Retry


class Failing:
    """Something that fails so many times, and notes it."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = 0
        self.failures = []

    def do(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    def fail(self, *failure):
        self.failures.append(failure)


@pytest.fixture
def slept(monkeypatch):
    """The pauses; nobody waits."""
    pauses = []
    monkeypatch.setattr("redis.retry.sleep", pauses.append)
    return pauses


# What it says


def test_defaults():
    retry = Retry(NoBackoff(), 3)
    assert retry.get_retries() == 3
    assert retry.supported_errors == (ConnectionError,)


def test_repr():
    retry = Retry(ExponentialBackoff(), 3, (ConnectionError, TimeoutError))
    assert repr(retry) == "Retry<ExponentialBackoff, retries=3, supported_errors=(ConnectionError, TimeoutError)>"
    assert repr(Retry(NoBackoff(), -1, ())) == "Retry<NoBackoff, retries=-1, supported_errors=()>"


def test_update_retries():
    retry = Retry(NoBackoff(), 3)
    retry.update_retries(5)
    assert retry.get_retries() == 5


def test_update_supported_errors_adds_each_class_once():
    retry = Retry(NoBackoff(), 3)
    retry.update_supported_errors([ReadOnlyError, ConnectionError, ReadOnlyError])
    assert retry.supported_errors == (ConnectionError, ReadOnlyError)
    retry.update_supported_errors(iter([TimeoutError]))
    assert retry.supported_errors == (ConnectionError, ReadOnlyError, TimeoutError)


def test_errors_may_be_any_collection():
    for collection in (list, tuple, set, frozenset):
        assert Retry(NoBackoff(), 1, collection([TimeoutError])).supported_errors == (TimeoutError,)


@pytest.mark.parametrize("errors", [5, None, "ConnectionError", ConnectionError, [ConnectionError()]])
def test_what_are_no_errors_is_refused_at_once(errors):
    with pytest.raises(ValueError, match="supported_errors takes a tuple of classes of errors"):
        Retry(NoBackoff(), 1, errors)


def test_equal_is_what_does_the_same():
    retry = Retry(ConstantBackoff(1), 3)
    assert retry == Retry(ConstantBackoff(1), 3) and hash(retry) == hash(Retry(ConstantBackoff(1), 3))
    assert retry != Retry(ConstantBackoff(2), 3)
    assert retry != Retry(ConstantBackoff(1), 4)
    assert retry != Retry(ConstantBackoff(1), 3, (TimeoutError,))
    assert retry != "Retry" and retry.__eq__("Retry") is NotImplemented


def test_each_call_has_a_backoff_of_its_own():
    mine = DecorrelatedJitterBackoff(cap=100, base=1)
    retry = Retry(mine, 3)
    first, second = retry.new_backoff(), retry.new_backoff()
    assert [first.compute(1), first.compute(2)][0] == 1
    assert second.compute(1) == 1, "what another call has waited is not remembered"
    assert mine.compute(1) == 1


# call_with_retry


def test_what_succeeds_is_called_once(slept):
    work = Failing()
    assert Retry(ConstantBackoff(1), 3).call_with_retry(work.do, work.fail) == "done"
    assert (work.calls, work.failures, slept) == (1, [], [])


def test_what_fails_is_called_again_after_a_pause(slept):
    errors = ConnectionError("first"), ConnectionError("second")
    work = Failing(*errors)
    assert Retry(ExponentialBackoff(cap=100, base=1), 3).call_with_retry(work.do, work.fail) == "done"
    assert (work.calls, work.failures, slept) == (3, [(errors[0],), (errors[1],)], [2, 4])


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_the_last_error_is_raised(slept, retries):
    errors = [ConnectionError(str(number)) for number in range(5)]
    work = Failing(*errors)
    with pytest.raises(ConnectionError) as caught:
        Retry(ConstantBackoff(1), retries).call_with_retry(work.do, work.fail)
    assert caught.value is errors[retries]
    assert (work.calls, len(work.failures), len(slept)) == (retries + 1, retries + 1, retries)


def test_without_an_end(slept):
    work = Failing(*[ConnectionError() for _ in range(1000)])
    assert Retry(NoBackoff(), -1).call_with_retry(work.do, work.fail) == "done"
    assert work.calls == 1001


@pytest.mark.parametrize("error", [TimeoutError(), ValueError(), KeyboardInterrupt()])
def test_an_error_that_is_not_named_is_raised_at_once(slept, error):
    work = Failing(error)
    with pytest.raises(type(error)):
        Retry(NoBackoff(), 3).call_with_retry(work.do, work.fail)
    assert (work.calls, work.failures) == (1, [])


def test_a_subclass_of_what_is_named_counts(slept):
    work = Failing(BusyLoadingError())
    assert Retry(NoBackoff(), 1).call_with_retry(work.do, work.fail) == "done"


def test_somebody_may_refuse(slept):
    refused = ConnectionError("no")
    work = Failing(ConnectionError("yes"), refused)
    with pytest.raises(ConnectionError, match="no"):
        Retry(NoBackoff(), 5).call_with_retry(work.do, work.fail, lambda error: error is not refused)
    assert (work.calls, len(work.failures)) == (2, 1)


def test_the_number_of_the_failure(slept):
    first, second = ConnectionError(), ConnectionError()
    work = Failing(first, second)
    Retry(NoBackoff(), 5).call_with_retry(work.do, work.fail, with_failure_count=True)
    assert work.failures == [(first, 1), (second, 2)]


def test_what_the_failure_does_may_raise(slept):
    def fail(error):
        raise KeyError("enough") from error

    with pytest.raises(KeyError):
        Retry(NoBackoff(), 5).call_with_retry(Failing(ConnectionError()).do, fail)
    assert slept == []


def test_it_goes_on_where_the_pause_is_real():
    work = Failing(ConnectionError())
    assert Retry(ConstantBackoff(0.001), 1).call_with_retry(work.do, work.fail) == "done"


def test_a_client_takes_it_for_all_its_connections():
    retry = Retry(NoBackoff(), 3)
    with redis.StrictRedis(retry=retry, retry_on_error=[ReadOnlyError]) as client:
        connection = client.connection_pool.make_connection()
        assert connection.retry is retry
        assert connection.retry_on_error == (ReadOnlyError,)
        assert retry.supported_errors == (ConnectionError,), "it may belong to other clients as well"


@pytest.mark.parametrize(("backoff", "retries"), [(3, NoBackoff()), (None, 3), (NoBackoff(), "3"), (NoBackoff(), -2)])
def test_what_is_no_backoff_or_no_number_is_refused_at_once(backoff, retries):
    with pytest.raises(ValueError, match="it takes"):
        Retry(backoff, retries)
