"""The commands on HyperLogLogs: what comes back from a real server."""


def test_counting(r):
    assert r.pfcount("p") == 0
    assert r.pfadd("p", "a", "b", "c") == 1
    assert r.pfadd("p", "a") == 0
    assert r.pfcount("p") == 3
    assert r.pfadd("q") == 1
    assert r.pfadd("q") == 0


def test_merging(r):
    r.pfadd("p", "a", "b")
    r.pfadd("q", "b", "c")
    assert r.pfcount("p", "q") == 3
    assert r.pfmerge("to", "p", "q") is True
    assert r.pfcount("to") == 3
