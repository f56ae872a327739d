"""redis/backoff.py: how long the pauses are."""

import random

import pytest

from redis.backoff import (
    AbstractBackoff,
    ConstantBackoff,
    DecorrelatedJitterBackoff,
    EqualJitterBackoff,
    ExponentialBackoff,
    ExponentialWithJitterBackoff,
    FullJitterBackoff,
    NoBackoff,
    default_backoff,
)

DOUBLING = [ExponentialBackoff, FullJitterBackoff, EqualJitterBackoff, ExponentialWithJitterBackoff]
ALL = [ConstantBackoff(1), NoBackoff(), *[kind() for kind in [*DOUBLING, DecorrelatedJitterBackoff]]]
DRAWS = 2000


@pytest.fixture(autouse=True)
def seeded():
    random.seed(1)


def drawn(backoff, failures):
    return [backoff.compute(failures) for _ in range(DRAWS)]


def spread(pauses):
    """The least, the mean and the most."""
    return min(pauses), sum(pauses) / len(pauses), max(pauses)


@pytest.mark.parametrize("seconds", [-1, "1", None, float("nan")])
@pytest.mark.parametrize("name", ["backoff", "cap", "base"])
def test_what_is_no_pause(name, seconds):
    kinds = [ConstantBackoff] if name == "backoff" else [EqualJitterBackoff, DecorrelatedJitterBackoff]
    for kind in kinds:
        with pytest.raises(ValueError, match=f"{name} is .*; it takes a number of seconds, 0 or more"):
            kind(**{name: seconds})


def test_abstract():
    with pytest.raises(TypeError):
        AbstractBackoff()


def test_one_of_the_users_needs_one_method():
    class Own(AbstractBackoff):
        def compute(self, failures):
            return failures * 2

    assert Own().compute(3) == 6
    assert Own().reset() is None


@pytest.mark.parametrize("failures", [1, 2, 100])
def test_constant(failures):
    assert ConstantBackoff(0.25).compute(failures) == 0.25
    assert NoBackoff().compute(failures) == 0


def test_exponential_doubles_up_to_its_cap():
    backoff = ExponentialBackoff(cap=10, base=1)
    assert [backoff.compute(failures) for failures in (1, 2, 3, 4, 5)] == [2, 4, 8, 10, 10]


@pytest.mark.parametrize("kind", DOUBLING)
@pytest.mark.parametrize("failures", [1, 63, 64, 65, 2000, 10**9])
def test_never_longer_than_the_cap(kind, failures):
    assert all(0 <= pause <= 0.5 for pause in drawn(kind(cap=0.5, base=0.01), failures))


def test_full_jitter_is_anything_up_to_the_exponential():
    least, mean, most = spread(drawn(FullJitterBackoff(cap=100, base=1), 3))
    assert 0 <= least < 0.5 and mean == pytest.approx(4, rel=0.1) and 7.5 < most <= 8


def test_equal_jitter_is_at_least_half_of_the_exponential():
    least, mean, most = spread(drawn(EqualJitterBackoff(cap=100, base=1), 3))
    assert 4 <= least < 4.5 and mean == pytest.approx(6, rel=0.1) and 7.5 < most <= 8


def test_exponential_with_jitter_is_often_the_cap():
    pauses = drawn(ExponentialWithJitterBackoff(cap=10, base=1), 5)
    least, _, most = spread(pauses)
    assert 0 <= least < 1 and most == 10
    assert pauses.count(10) / DRAWS == pytest.approx(22 / 32, rel=0.1)


def test_decorrelated_jitter_grows_from_the_pause_before():
    backoff, last = DecorrelatedJitterBackoff(cap=50, base=1), 0
    for failures in range(1, DRAWS):
        pause = backoff.compute(failures)
        assert 1 <= pause <= min(50, max(1, 3 * last))
        last = pause
    assert last > 3


def test_decorrelated_jitter_forgets():
    backoff = DecorrelatedJitterBackoff(cap=50, base=1)
    assert spread(drawn(backoff, 1))[2] == 50
    backoff.reset()
    assert backoff.compute(1) == 1


def test_equal_is_what_waits_the_same():
    assert ExponentialBackoff(1, 0.5) == ExponentialBackoff(1, 0.5)
    assert hash(ExponentialBackoff(1, 0.5)) == hash(ExponentialBackoff(1, 0.5))
    assert ExponentialBackoff(1, 0.5) != ExponentialBackoff(1, 0.25)
    assert ExponentialBackoff(1, 0.5) != FullJitterBackoff(1, 0.5)
    assert NoBackoff() != ConstantBackoff(0), "they are of two classes"
    assert len({*ALL, ConstantBackoff(1)}) == len(ALL)


def test_the_default_is_quick_at_first_and_never_slow():
    backoff = default_backoff()
    assert all(pause <= 0.016 for pause in drawn(backoff, 1))
    assert all(0.25 <= pause <= 0.512 for pause in drawn(backoff, 20))
