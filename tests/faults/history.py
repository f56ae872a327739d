"""The history check: who wrote what, what the client said of it, and what the server has in the end.

A :class:`Writer` uses a client as a program does, and foretells each reply.  He works in *chapters*: three keys that
nobody else uses, from the first call to the first that was not acknowledged.  So in a chapter all calls but the last
are known to have been executed, once each and in this order, and what the server has in the end tells what became of
the last, exactly.  Now and then he changes a versioned key, which all writers share, by WATCH and MULTI.

A :class:`Judge` asks the server directly: what its keys have, and how many commands it has executed in all, for a SET
that was executed twice leaves no other trace.  This module must not know how calls are lost.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import redis
from tests.servers import ask, until

ACKNOWLEDGED, NOT_APPLIED, UNKNOWN, REFUSED = "acknowledged", "not applied", "unknown", "refused"
#: What became of an unknown call.
APPLIED, LOST, ONLY_READ = "unknown, and applied once", "unknown, and not applied", "unknown, and changes nothing"
SINGLE, PLAIN, TRANSACTION = "single", "plain", "transaction"
STYLES = [SINGLE] * 8 + [PLAIN, TRANSACTION]
#: How many versioned keys there are, and of a hundred calls how many change one.
VERSIONED, SWAPS = 4, 7
#: Of a hundred values to be stored, how many are large, and their bytes.
LARGE, LARGE_SIZE = 0.2, 200_000

Act = tuple[str, bytes]
State = tuple[int, list[bytes], "bytes | None"]
CALLS: dict[str, Callable[[Any, str, bytes], object]] = {
    "incr": lambda target, name, value: target.incr(f"n:{name}"),
    "push": lambda target, name, value: target.rpush(f"log:{name}", value),
    "set": lambda target, name, value: target.set(f"value:{name}", value),
    "swap": lambda target, name, value: target.set(f"value:{name}", value, get=True),
    "read": lambda target, name, value: target.get(f"value:{name}"),
}
#: The names of the acts that write, as the server has them.
COMMANDS = {"incr": "incrby", "push": "rpush", "set": "set", "swap": "set"}


@dataclass
class Chapter:
    """What the server must have under three keys; each act's method does it here and returns the reply to expect."""

    name: str
    count: int = 0
    log: list[bytes] = field(default_factory=list)
    value: bytes | None = None
    #: The acts of the last call, where it was not acknowledged, and what was said of it.
    pending: list[Act] = field(default_factory=list)
    said: str = ACKNOWLEDGED
    #: Whether they are executed together or not at all.
    atomic: bool = False
    #: How often each act was performed.
    performed: Counter[str] = field(default_factory=Counter)

    def perform(self, act: Act) -> object:
        name, value = act
        self.performed[name] += 1
        return getattr(self, name)(value)

    def incr(self, value: bytes) -> int:
        self.count += 1
        return self.count

    def push(self, value: bytes) -> int:
        self.log.append(value)
        return len(self.log)

    def set(self, value: bytes) -> bool:
        self.value = value
        return True

    def swap(self, value: bytes) -> bytes | None:
        before, self.value = self.value, value
        return before

    def read(self, value: bytes) -> bytes | None:
        return self.value

    def state(self) -> State:
        return self.count, self.log, self.value

    def endings(self) -> Iterator[Chapter]:
        """The chapter as it may have ended, by what was said."""
        story = replace(self, log=list(self.log), performed=Counter(self.performed))
        yield story
        for number, act in enumerate(self.pending if self.said == UNKNOWN else [], 1):
            story.perform(act)
            if not self.atomic or number == len(self.pending):
                yield story

    def fate(self, found: State) -> tuple[str, Counter[str]] | None:
        """What became of the last call, and what was performed in all; None: it is not what was said."""
        for ending in self.endings():
            if ending.state() == found:
                return self.verdict(ending.performed == self.performed), ending.performed
        return None

    def verdict(self, lost: bool) -> str:
        if self.said != UNKNOWN:
            return self.said
        if all(name == "read" for name, _ in self.pending):
            return ONLY_READ
        return LOST if lost else APPLIED


def version_of(entry: bytes) -> int:
    """The number before the colon."""
    return int(entry.partition(b":")[0])


@dataclass
class Swap:
    """One attempt to give a versioned key its next version."""

    key: str
    token: str
    #: What was read.  None: nothing was.
    seen: bytes | None = None
    sent: bool = False
    said: str = ACKNOWLEDGED

    @property
    def version(self) -> int:
        """Of what is written."""
        return version_of(self.seen or b"0") + 1

    @property
    def written(self) -> bytes:
        return f"{self.version}:{self.token}".encode()

    def run(self, client: redis.StrictRedis) -> None:
        with client.pipeline() as pipe:
            pipe.watch(self.key)
            self.seen = pipe.get(self.key)
            pipe.multi()
            pipe.set(self.key, self.written)
            pipe.rpush(f"{self.key}:log", self.written)
            self.sent = True
            replies = pipe.execute()
        assert replies == [True, self.version], replies

    def fail(self, error: Any) -> None:
        """Note what the client said; where EXEC was not reached, nothing may have been written."""
        if isinstance(error, redis.WatchError):
            self.said = REFUSED
        elif error.maybe_applied:
            self.said = UNKNOWN if self.sent else ONLY_READ
        else:
            self.said = NOT_APPLIED

    def fate(self, times: int) -> str | None:
        """What became of it, if the server has executed it so many times; None: it is not what was said."""
        if self.said == UNKNOWN and times <= 1:
            return APPLIED if times else LOST
        return self.said if times == (self.said == ACKNOWLEDGED) else None


@dataclass
class Report:
    """What one writer has to tell."""

    chapters: list[Chapter] = field(default_factory=list)
    swaps: list[Swap] = field(default_factory=list)
    #: Replies that were not what they had to be.
    wrong: list[str] = field(default_factory=list)
    calls: int = 0


class Writer:
    """Writes, reads, and keeps the record; ``newest`` are the versions that all writers of a process know of.

    ``run`` makes each call, and ``faults`` are what it may raise.
    """

    faults: tuple[type[BaseException], ...] = (redis.ConnectionError, redis.TimeoutError)

    def __init__(self, client: redis.StrictRedis, name: str, newest: dict[str, int]) -> None:
        self.client, self.name, self.newest = client, name, newest
        self.random = random.Random(name)
        self.report = Report()
        self.begin()

    def begin(self) -> None:
        self.chapter = Chapter(f"{self.name}:{len(self.report.chapters)}")
        self.report.chapters.append(self.chapter)

    def write(self, calls: int) -> Report:
        for _ in range(calls):
            self.write_once()
        return self.report

    def write_once(self) -> None:
        self.report.calls += 1
        if self.random.random() < SWAPS / 100:
            self.swap()
        else:
            self.act()

    def run(self, call: Callable[[], Any]) -> Any:
        return call()

    def act(self) -> None:
        style, acts = self.choose()
        try:
            replies = self.run(lambda: self.issue(style, acts))
        except self.faults as error:
            self.end(style, acts, error)
        else:
            self.acknowledge(acts, replies)

    def choose(self) -> tuple[str, list[Act]]:
        style = self.random.choice(STYLES)
        length = 1 if style == SINGLE else self.random.randint(2, 5)
        names = self.random.choices(list(CALLS), k=length)
        return style, [(name, self.value(name, place)) for place, name in enumerate(names)]

    def value(self, name: str, place: int) -> bytes:
        """One that is used once, and at times is long."""
        large = name in ("set", "swap") and self.random.random() < LARGE / 100
        return b"%d.%d" % (self.report.calls, place) + b"x" * (LARGE_SIZE if large else 0)

    def issue(self, style: str, acts: list[Act]) -> list[object]:
        target = self.client if style == SINGLE else self.client.pipeline(transaction=style == TRANSACTION)
        replies = [CALLS[name](target, self.chapter.name, value) for name, value in acts]
        return replies if style == SINGLE else target.execute()

    def acknowledge(self, acts: list[Act], replies: list[object]) -> None:
        expected = [self.chapter.perform(act) for act in acts]
        if replies != expected:
            self.report.wrong.append(
                f"{self.chapter.name}: {acts!r:.1000} gave {replies!r:.1000}, not {expected!r:.1000}"
            )

    def end(self, style: str, acts: list[Act], error: Any) -> None:
        """A call was not acknowledged, or, of a pipeline, the first commands alone."""
        came = error.replies or []
        self.acknowledge(acts[: len(came)], came)
        self.chapter.pending, self.chapter.atomic = acts[len(came) :], style == TRANSACTION
        self.chapter.said = UNKNOWN if error.maybe_applied else NOT_APPLIED
        if came and not error.maybe_applied:
            self.report.wrong.append(f"{self.chapter.name}: {error} has {came}")
        self.begin()

    def swap(self) -> None:
        swap = Swap(f"versioned:{self.random.randrange(VERSIONED)}", f"{self.name}:{self.report.calls}")
        self.report.swaps.append(swap)
        least = self.newest.get(swap.key, 0)
        try:
            self.run(lambda: swap.run(self.client))
        except (redis.WatchError, *self.faults) as error:
            swap.fail(error)
        if swap.seen is not None and swap.version <= least:
            self.report.wrong.append(f"{swap.token} saw {swap.seen!r}, and {least} had been acknowledged")
        if swap.said == ACKNOWLEDGED and swap.version > least:
            self.newest[swap.key] = swap.version


def write(client: redis.StrictRedis, names: list[str], calls: int) -> list[Report]:
    """Let writers of these names share a client, each in a thread, and return what they have to tell."""
    newest: dict[str, int] = {}
    with ThreadPoolExecutor(len(names)) as threads:
        return list(threads.map(lambda name: Writer(client, name, newest).write(calls), names))


class Judge:
    """Compares what was said with what ``server`` has; he has to be there before the first call."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.number = ask(server, "CLIENT", "ID")
        self.before = self.executed()
        self.violations: list[str] = []
        #: How many calls had which fate, but for those that were acknowledged.
        self.fates: Counter[str] = Counter()
        #: How many commands the server must have executed.
        self.expected: Counter[str] = Counter()

    @property
    def hits(self) -> int:
        """How many calls were hit: what was in flight, or about to be, and was not acknowledged."""
        return sum(self.fates.values())

    def executed(self) -> Counter[str]:
        """How many commands that write the server has executed."""
        lines = ask(self.server, "INFO", "commandstats").decode().splitlines()
        found = dict(line.removeprefix("cmdstat_").split(":calls=") for line in lines if ":calls=" in line)
        return Counter({name: int(found[name].partition(",")[0]) for name in set(COMMANDS.values()) & set(found)})

    def judge(self, reports: list[Report]) -> None:
        """Call this when all has been sent that ever will be."""
        until(lambda: self.newcomers() == 1)  # the one who asks: what others have sent has been executed, or never is
        for report in reports:
            self.violations += report.wrong
            for chapter in report.chapters:
                self.judge_chapter(chapter)
        swaps = [swap for report in reports for swap in report.swaps]
        for key in {swap.key for swap in swaps}:
            self.judge_swaps(key, [swap for swap in swaps if swap.key == key])
        executed = self.executed() - self.before
        self.check(executed == self.expected, f"{executed} were executed, and not {self.expected}")
        del self.fates[ACKNOWLEDGED], self.fates[REFUSED]

    def newcomers(self) -> int:
        """How many clients the server has that came after the judge did."""
        clients = ask(self.server, "CLIENT", "LIST").split(b"\n")
        return sum(int(client.split()[0].removeprefix(b"id=")) > self.number for client in clients if client)

    def check(self, holds: bool, text: str) -> None:
        if not holds:
            self.violations.append(text)

    def judge_chapter(self, chapter: Chapter) -> None:
        fate = chapter.fate(self.found(chapter.name))
        if fate is None:
            self.violations.append(f"{chapter!r:.2000} ended as {self.found(chapter.name)!r:.2000}")
        else:
            self.fates[fate[0]] += 1
            for act in COMMANDS.keys() & fate[1].keys():
                self.expected[COMMANDS[act]] += fate[1][act]

    def found(self, name: str) -> State:
        """What the server has of a chapter."""
        count, log = ask(self.server, "GET", f"n:{name}"), ask(self.server, "LRANGE", f"log:{name}", 0, -1)
        return int(count or 0), log, ask(self.server, "GET", f"value:{name}")

    def judge_swaps(self, key: str, swaps: list[Swap]) -> None:
        """The log of a versioned key has each version once, in order, and nobody read what is not in it."""
        log = ask(self.server, "LRANGE", f"{key}:log", 0, -1)
        self.expected.update({"set": len(log), "rpush": len(log)})
        times = Counter(log)
        for swap in swaps:
            fate = swap.fate(times[swap.written])
            self.check(fate is not None, f"{swap!r:.2000} was executed {times[swap.written]} times")
            self.fates[fate or "violated"] += 1
        versions, newest = [version_of(entry) for entry in log], ask(self.server, "GET", key)
        self.check(versions == list(range(1, len(log) + 1)), f"{key}: a version is missing, or out of order")
        self.check([newest] == log[-1:] or not log, f"{key}: its value is not the newest version")
        seen, written = {swap.seen for swap in swaps if swap.seen}, {swap.written for swap in swaps}
        self.check(seen <= set(log) <= written, f"{key}: what was read, or stands there, nobody wrote")
