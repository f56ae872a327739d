"""redis/connection/forks.py: who is told in the child of a fork, and that a registry keeps nobody alive."""

import os

from redis.connection.forks import forget_parents, remember, told_in_child


class Told:
    """It counts how often it was told."""

    def __init__(self):
        self.times = 0

    def forget_parent(self):
        self.times += 1


def test_a_registry_keeps_nobody_alive():
    registry, item = {}, Told()
    remember(registry, item)
    assert [ref() for ref in registry] == [item]
    del item
    assert registry == {}


def test_each_that_is_there_is_told():
    registry, items = {}, [Told(), Told()]
    for item in items:
        remember(registry, item)
    gone = lambda: None
    registry[gone] = None
    forget_parents(registry)
    assert [item.times for item in items] == [1, 1]


def test_a_real_child_is_told_and_its_parent_is_not():
    registry, item = told_in_child({}), Told()
    remember(registry, item)
    pid = os.fork()
    if not pid:
        os._exit(item.times)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    assert item.times == 0
