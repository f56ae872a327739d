"""redis/connection/idle.py: the lists of idle connections, and the line of those who wait for one."""

import time
import weakref
from math import inf

import pytest

from redis.connection.idle import (
    PATIENCE,
    ExpiringList,
    FairExpiringList,
    FairList,
    Turn,
    first_of,
    is_first,
    wake_first,
)
from redis.connection.tcp import Connection


def in_line(*turns):
    return {weakref.ref(turn): None for turn in turns}


class Aged(Connection):
    """A connection that only counts how often it is closed."""

    closed = 0

    def disconnect(self):
        self.closed += 1


def aged(expires):
    connection = Aged()
    connection.expires = expires
    return connection


def test_the_line_forgets_who_is_gone():
    gone, here = Turn(), Turn()
    line = in_line(gone, here)
    del gone
    assert first_of(line) is here
    assert len(line) == 1


def test_the_first_is_woken_and_no_other():
    one, two = Turn(), Turn()
    wake_first(in_line(one, two))
    start = time.monotonic()
    one.wait(10)
    assert time.monotonic() - start < 5
    assert two.lock.acquire(blocking=False) is False


def test_who_is_woken_twice_is_awake():
    turn = Turn()
    turn.wake()
    turn.wake()
    turn.wait(10)
    assert turn.lock.acquire(blocking=False) is False


def test_a_line_of_nobody():
    assert first_of({}) is None
    wake_first({})


def test_who_does_not_come_when_he_is_called_is_passed_over_until_he_comes():
    one, two = Turn(), Turn()
    line = in_line(one, two)
    wake_first(line)
    assert first_of(line) is one, "he has a while to come"
    one.called -= PATIENCE
    assert first_of(line) is two
    one.wait(0)
    assert one.called == inf
    assert first_of(line) is one, "his place is still his"


def test_who_stands_behind_calls_the_first():
    one, two = Turn(), Turn()
    line = in_line(one)
    assert is_first(one, line) is True
    assert one.called == inf, "he is there"
    assert is_first(two, line) is False
    assert one.called < inf
    assert list(line) == [weakref.ref(one), weakref.ref(two)]


def test_who_is_not_in_the_line_stands_at_its_end():
    turn, line = Turn(), {}
    assert is_first(turn, line) is True
    line.clear()
    assert is_first(turn, line) is True
    assert list(line) == [weakref.ref(turn)]


def test_being_called_again_does_not_give_more_time():
    turn = Turn()
    turn.wake()
    called = turn.called
    turn.wake()
    assert turn.called == called


def test_a_fair_list_is_a_list():
    idle = FairList({})
    idle.append(1)
    idle.append(2)
    assert idle.pop() == 2
    assert idle.take() == 1
    with pytest.raises(IndexError):
        idle.pop()
    with pytest.raises(IndexError):
        idle.take()


def test_a_fair_list_is_for_the_first_in_the_line():
    turn = Turn()
    idle = FairList(in_line(turn))
    idle.append(1)
    turn.wait(10)
    with pytest.raises(IndexError, match="others were first"):
        idle.pop()
    assert idle.take() == 1


@pytest.mark.parametrize("make", [ExpiringList, lambda: FairExpiringList({})], ids=["plain", "fair"])
def test_what_is_too_old_is_closed_when_it_is_taken(make):
    idle, young, old = make(), aged(time.monotonic() + 60), aged(time.monotonic() - 1)
    idle.append(old)
    idle.append(young)
    assert idle.pop() is young
    assert idle.pop() is old
    assert (young.closed, old.closed) == (0, 1)


def test_what_is_too_old_is_closed_for_the_first_in_the_line_as_well():
    turn, old = Turn(), aged(time.monotonic() - 1)
    idle = FairExpiringList(in_line(turn))
    idle.append(old)
    assert turn.called < inf
    with pytest.raises(IndexError, match="others were first"):
        idle.pop()
    assert idle.take() is old
    assert old.closed == 1


def test_a_connection_of_another_class_has_no_age():
    idle = ExpiringList()
    idle.append("anything")
    assert idle.pop() == "anything"
