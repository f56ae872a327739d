"""redis/connection/deadline.py: which deadline holds, for whom, and until when."""

import builtins
import contextvars
import gc
import threading
from contextlib import ExitStack
from time import sleep

import pytest

import redis
from redis.connection import deadline as module
from redis.connection.deadline import DEADLINES, LONGEST, Deadline, bound, current, deadline, has_passed, in_time
from tests.faults.interrupt import INSTRUCTION, LINE, Interrupted, interruptions


@pytest.fixture(autouse=True)
def nothing_is_left():
    """No test begins or ends with a deadline."""
    assert DEADLINES == {} and current() is None
    yield
    if DEADLINES:
        gc.collect()
    assert DEADLINES == {} and current() is None


class Clock:
    """A clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "monotonic", clock)
    return clock


# One


def test_it_holds_in_its_block():
    with deadline(5) as mine:
        assert isinstance(mine, Deadline) and current() is mine
        assert [reference() for reference in DEADLINES] == [mine]


def test_the_public_name():
    assert redis.deadline is deadline
    assert repr(redis.deadline(0.25)) == "Deadline<0.25 s>"


def test_time_runs_from_entering_on(clock):
    mine = Deadline(5)
    clock.now += 100
    with mine:
        assert (mine.ends, mine.remaining(), mine.elapsed()) == (clock.now + 5, 5, 0)
        clock.now += 2
        assert (mine.remaining(), mine.elapsed()) == (3, 2)
        clock.now += 4
        assert (mine.remaining(), mine.elapsed()) == (0, 6)


@pytest.mark.parametrize("seconds", [0, -1, 0.0, float("nan"), float("-inf"), "1", None, b"1", [1]])
def test_what_is_no_time(seconds):
    with pytest.raises(ValueError, match="positive number of seconds"):
        Deadline(seconds)


def test_it_can_be_entered_again_but_not_twice():
    mine = Deadline(5)
    for _ in range(2):
        with mine:
            with pytest.raises(RuntimeError, match="already"):
                mine.__enter__()
            assert current() is mine


def test_it_ends_with_an_error():
    with pytest.raises(KeyError), deadline(5):
        raise KeyError
    assert current() is None


def test_without_an_end():
    with deadline(float("inf")):
        assert current() is None and in_time(None) is None


# The time of a step


@pytest.mark.parametrize("seconds, expected", [(None, 5), (2, 2), (7, 5), (float("inf"), 5)])
def test_a_step_has_what_is_left(clock, seconds, expected):
    with deadline(5):
        assert in_time(seconds) == expected
        assert bound(clock.now + 5, seconds) == expected


@pytest.mark.parametrize("seconds", [None, 2])
def test_a_step_without_a_deadline_has_its_own_time(seconds):
    assert in_time(seconds) == seconds


@pytest.mark.parametrize("late", [0, 0.001, 100])
def test_no_step_after_the_end(clock, late):
    with deadline(5):
        assert not has_passed()
        clock.now += 5 + late
        assert has_passed()
        with pytest.raises(builtins.TimeoutError, match="passed"):
            in_time(3)
    assert not has_passed()


def test_no_step_is_longer_than_the_system_can_wait(clock):
    with deadline(1e300):
        assert in_time(None) == LONGEST
        assert in_time(1e12) == LONGEST
    assert LONGEST * 1000 < 2**31


# Several


@pytest.mark.parametrize("outer, inner, nearer", [(1, 5, 1), (5, 1, 1)])
def test_the_nearer_one_counts(clock, outer, inner, nearer):
    with deadline(outer) as first:
        with deadline(inner):
            assert current().seconds == nearer
        assert current() is first


def test_the_nearer_one_counts_whenever_it_was_entered(clock):
    with deadline(10):
        clock.now += 8
        with deadline(5):
            assert current().seconds == 10 and in_time(None) == 2


def test_left_in_another_order(clock):
    first, second = Deadline(1), Deadline(2)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert current() is second
    second.__exit__(None, None, None)
    assert current() is None


def test_generators_that_take_turns(clock):
    def steps(seconds):
        with deadline(seconds):
            yield
            yield

    first, second = steps(1), steps(2)
    next(first), next(second)
    assert current().seconds == 1
    first.close()
    assert current().seconds == 2
    second.close()


def test_a_generator_that_nobody_ends_ends_with_its_last_reference():
    def step():
        with deadline(5):
            yield

    generator = step()
    next(generator)
    assert current() is not None
    del generator
    gc.collect()
    assert current() is None


def test_thousands_leave_nothing_behind():
    with deadline(100) as outer:
        for _ in range(5000):
            with deadline(5):
                pass
        assert len(DEADLINES) == 1 and module._entered.get()[0]() is outer and len(module._entered.get()) == 1


# Others


def test_of_another_thread_does_not_matter():
    inside, done = threading.Event(), threading.Event()

    def bounded():
        with deadline(5):
            inside.set()
            done.wait(5)

    thread = threading.Thread(target=bounded)
    thread.start()
    inside.wait(5)
    assert len(DEADLINES) == 1 and current() is None and in_time(None) is None
    done.set()
    thread.join()


def test_a_new_thread_has_none():
    found = []
    with deadline(5):
        thread = threading.Thread(target=lambda: found.append(current()))
        thread.start()
        thread.join()
    assert found == [None]


def test_a_copy_of_the_context_takes_it_along_until_it_ends():
    """As ``asyncio.to_thread`` does; a greenlet of gevent begins without, as a thread."""
    with deadline(5) as mine:
        context = contextvars.copy_context()
        assert context.run(current) is mine
    assert context.run(current) is None


def test_left_in_another_context():
    """As by a generator that the collector ends in another thread."""
    mine = Deadline(5)
    mine.__enter__()
    thread = threading.Thread(target=mine.__exit__, args=(None, None, None))
    thread.start()
    thread.join()
    assert current() is None
    with deadline(3) as other:
        assert current() is other


# Interrupted


@pytest.mark.parametrize("unit", [LINE, INSTRUCTION])
def test_interrupted_anywhere_it_bounds_nothing_afterwards(unit):
    def use():
        with deadline(5):
            pass

    runs = 0
    for run in interruptions(use, unit):
        runs += 1
        assert current() is None and in_time(None) is None, run
        assert len(DEADLINES) <= 1, run
    gc.collect()
    assert DEADLINES == {} and runs > 10


@pytest.mark.parametrize("unit", [LINE, INSTRUCTION])
def test_interrupted_anywhere_the_outer_one_holds(unit):
    with deadline(50) as outer:

        def use():
            with deadline(5):
                pass

        for run in interruptions(use, unit):
            assert current() is outer, run


def test_interrupted_after_it_was_left_it_bounds_nothing_though_its_traceback_is_held():
    held = []

    def use():
        with deadline(5) as mine:
            held.append(mine)

    entered = False
    for run in interruptions(use, LINE):
        left = bool(held) and held[-1].ends == float("inf")
        if left:
            entered = True
            assert current() is None, run
        held.clear()
    assert entered


def test_an_exception_that_is_held_holds_a_deadline_that_was_left():
    with pytest.raises(Interrupted) as caught, deadline(5):
        raise Interrupted
    assert caught.value.__traceback__ is not None and current() is None and DEADLINES == {}


def test_many_at_once_in_threads():
    """Each sees its own, whatever the others enter and leave meanwhile."""
    wrong = []

    def enter_and_leave(seconds):
        for _ in range(300):
            with ExitStack() as stack:
                for more in (3, 2, 1):
                    stack.enter_context(deadline(seconds + more))
                if current().seconds != seconds + 1:
                    wrong.append(current())
            if current() is not None:
                wrong.append(current())
            sleep(0)

    threads = [threading.Thread(target=enter_and_leave, args=(number * 100,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
