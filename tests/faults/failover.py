"""A service that can fail over, and who counts what its clients were told against what its servers have executed.

::

    with Service(VALKEY, tmp_path) as service:
        sentinel = service.sentinel()           # of the package
        service.kill(service.master)
        service.wait_for_switch()

A :class:`Service` is a master, two replicas and three sentinels, which know one another from the start, so that nobody
waits for them to find out.  It notes when the first of them says ``+switch-master``.

Every server writes each command to its append-only file before it answers, and what a master had sent to a replica is
where both files agree.  So the files tell how often a write was executed in all, and which writes the servers lost by
themselves, for replication is asynchronous.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self

import redis
from redis.embedded import EmbeddedServerError, Server, free_port
from tests import servers
from tests.faults.proxy import Proxy
from tests.servers import ask, packed, read_reply, replica_of, standalone, until

NAME = "mymaster"
#: Milliseconds of the sentinels: after which silence a server is down, while one shall fail and at other times, and how
#: long a failover may take at each of its steps.
DOWN, UP, PATIENCE = 300, 60000, 2000
DURABLE = {"appendonly": True, "appendfsync": "no", "save": "", "repl-ping-replica-period": 1}
ACKNOWLEDGED, NOT_APPLIED, UNKNOWN = "acknowledged", "not applied", "unknown"
NEVER = float("inf")
#: Seconds: so long the users work on, until all of them write again.
LONGEST = 3.0
#: Values that never change, which are read all the time.
KNOWN = {f"known:{number}": f"value {number}".encode() for number in range(20)}


class Address:
    """Where something listens, for those who want to be told of host and port."""

    host = "127.0.0.1"

    def __init__(self, port: int) -> None:
        self.port = port


class Service:
    """A master, two replicas and three sentinels.

    With ``proxied`` there is a proxy before the first master, and all others know it by the address of that.
    """

    def __init__(self, name: str, folder: Path, proxied: bool = False, config: dict[str, Any] | None = None) -> None:
        self.name, self.folder = name, folder
        self.proxied = proxied
        self.config = {**DURABLE, **(config or {})}
        self.stack = ExitStack()
        self.switches: list[tuple[float, int]] = []
        #: How many of the sentinels have been stopped.
        self.sleeping = 0

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.stop_listening()
        for server in [*self.servers, *self.sentinels]:
            with suppress(ProcessLookupError):
                os.kill(server.pid, signal.SIGKILL)  # a server that was stopped would be waited for
        self.stack.close()

    def start(self) -> None:
        enter = self.stack.enter_context
        first = enter(self.server())
        self.proxy = enter(Proxy((first.host, first.port))) if self.proxied else None
        entrance = Address(self.proxy.port if self.proxy else first.port)
        replicas = [enter(self.server(entrance)) for _ in range(2)]
        self.servers: list[Server] = [first, *replicas]
        self.ports: dict[int, Server] = {entrance.port: first, **{one.port: one for one in replicas}}
        for replica in replicas:
            until(lambda one=replica: b"master_link_status:up" in ask(one, "INFO", "replication"))
        self.sentinels = self.started_watchers(entrance)
        until(lambda: all(self.is_seen_whole(one) for one in self.sentinels))
        self.listen()

    def server(self, master: Address | None = None) -> Server:
        number = len(list(self.folder.iterdir()))
        options = {"config": self.config, "data_dir": self.folder / f"server-{number}"}
        return standalone(self.name, **options) if master is None else replica_of(master, self.name, **options)

    def started_watchers(self, master: Address) -> list[servers.Sentinel]:
        """Their ports are fixed before they start; where another program is faster, others are."""
        for _ in range(10):
            with ExitStack() as started, suppress(EmbeddedServerError):
                found = [started.enter_context(one) for one in self.watchers(master)]
                self.stack.push(started.pop_all())
                return found
        raise AssertionError("the sentinels have not started")

    def watchers(self, master: Address) -> list[servers.Sentinel]:
        """Sentinels that know all from the start."""
        ports, ids = [free_port() for _ in range(3)], [f"{number:040x}" for number in range(1, 4)]
        found = []
        for mine, me in zip(ports, ids):
            lines: list[list[Any]] = [["myid", me], ["monitor", NAME, master.host, master.port, 2]]
            lines += [["down-after-milliseconds", NAME, UP], ["failover-timeout", NAME, PATIENCE]]
            lines += [["known-replica", NAME, one.host, one.port] for one in self.servers[1:]]
            lines += [
                ["known-sentinel", NAME, "127.0.0.1", port, other] for port, other in zip(ports, ids) if other != me
            ]
            found.append(servers.Sentinel(master, NAME, name=self.name, port=mine, config={"sentinel": lines}))
        return found

    def is_seen_whole(self, sentinel: Server) -> bool:
        """Whether a sentinel finds nothing wrong."""
        everybody = [ask(sentinel, "SENTINEL", "MASTER", NAME)]
        everybody += ask(sentinel, "SENTINEL", "REPLICAS", NAME) + ask(sentinel, "SENTINEL", "SENTINELS", NAME)
        states = [dict(zip(pairs[::2], pairs[1::2])) for pairs in everybody]
        return len(states) == 5 and all(state[b"flags"] in (b"master", b"slave", b"sentinel") for state in states)

    def listen(self) -> None:
        """Note the switches, as the sentinels tell of them."""
        ears = []
        for sentinel in self.sentinels:
            ear = self.stack.enter_context(socket.socket(socket.AF_UNIX))
            ear.connect(sentinel.unix_socket)
            ear.sendall(packed(["SUBSCRIBE", "+switch-master"]))
            ears.append((ear, self.stack.enter_context(ear.makefile("rb"))))
            read_reply(ears[-1][1])
        self.wire = socket.socketpair()
        self.thread = threading.Thread(target=self.note, args=(dict(ears),), daemon=True)
        self.thread.start()

    def stop_listening(self) -> None:
        bell, _ = self.wire
        bell.send(b".")
        self.thread.join()
        for end in self.wire:
            end.close()

    def note(self, ears: dict[socket.socket, Any]) -> None:
        stopped = self.wire[1]
        while stopped not in (ready := select.select([*ears, stopped], [], [])[0]):
            for ear in ready:
                message = read_reply(ears[ear])
                self.switches.append((monotonic(), int(message[2].split()[4])))
                self.set_patience(UP)  # one failover is enough: a machine under load may seem to be down

    # Who is who.

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [(sentinel.host, sentinel.port) for sentinel in self.sentinels]

    @property
    def first(self) -> Server:
        return self.servers[0]

    @property
    def successor(self) -> Server:
        """The master after the switch."""
        return self.ports[self.switches[0][1]]

    def sentinel(self, **options: Any) -> redis.Sentinel:
        """A Sentinel of the package, which is closed with the service."""
        return self.stack.enter_context(redis.Sentinel(self.addresses, **options))

    def set_patience(self, milliseconds: int) -> None:
        for sentinel in self.sentinels[self.sleeping :]:
            ask(sentinel, "SENTINEL", "SET", NAME, "down-after-milliseconds", milliseconds)

    # What befalls them.

    def lose(self, how: str) -> None:
        """Lose the first master, in one of the ways below."""
        self.set_patience(DOWN)
        getattr(self, how)()

    def kill(self) -> None:
        os.kill(self.first.pid, signal.SIGKILL)

    def hang(self) -> None:
        os.kill(self.first.pid, signal.SIGSTOP)

    def machine(self) -> None:
        """It hangs together with the sentinel that is asked first."""
        self.sleeping = 1
        os.kill(self.sentinels[0].pid, signal.SIGSTOP)
        self.hang()

    def black_hole(self) -> None:
        self.proxy.stop()

    def cut(self) -> None:
        """It cannot be reached any more: connections are lost, and refused, as after the end of a machine."""
        self.proxy.close()

    def command(self) -> None:
        ask(self.sentinels[0], "SENTINEL", "FAILOVER", NAME)

    def bring_back(self) -> None:
        """Let a master that hung, or could not be reached, execute what had been sent to it."""
        for server in (self.first, *self.sentinels[: self.sleeping]):
            with suppress(ProcessLookupError):
                os.kill(server.pid, signal.SIGCONT)
        if self.proxy is not None:
            self.proxy.go()
            sleep(0.2)
        with suppress(OSError):
            ask(self.first, "PING")

    def wait_for_switch(self) -> float:
        """Return when the first sentinel has said that the master is another."""
        until(lambda: self.switches, 20)
        return self.switches[0][0]


def written(server_folder: Path) -> list[str]:
    """The keys of all INCR that a server has executed, in order, as its append-only file has them."""
    keys = []
    for file in sorted(
        (server_folder / "appendonlydir").glob("*.incr.aof"), key=lambda path: int(path.name.split(".")[-3])
    ):
        keys += [words[1].decode() for words in commands(file.read_bytes()) if words[0].upper() in (b"INCR", b"INCRBY")]
    return keys


def commands(data: bytes) -> Iterator[list[bytes]]:
    """The commands of an append-only file; the last one may be cut."""
    position = 0
    with suppress(ValueError, IndexError):
        while position < len(data):
            end = data.index(b"\r\n", position)
            count, position = int(data[position + 1 : end]), end + 2
            words = []
            for _ in range(count):
                end = data.index(b"\r\n", position)
                length = int(data[position + 1 : end])
                words.append(data[end + 2 : end + 2 + length])
                position = end + 4 + length
            if position <= len(data):
                yield words


@dataclass
class Call:
    """One INCR of a key that nobody else uses, and what the client said of it."""

    key: str
    began: float
    said: str = ""
    ended: float = 0.0
    error: BaseException | None = None


@dataclass
class User:
    """Uses a client as fast as it goes: INCR of new keys, and GET of values that never change."""

    name: str
    client: Any
    calls: list[Call] = field(default_factory=list)
    wrong: list[object] = field(default_factory=list)
    reads: int = 0
    failed_reads: int = 0

    def use(self, done: threading.Event) -> None:
        while not done.is_set():
            self.write()
            self.read()

    def write(self) -> None:
        call = Call(f"n:{self.name}:{len(self.calls)}", monotonic())
        self.calls.append(call)
        try:
            reply = self.client.incr(call.key)
            call.said = ACKNOWLEDGED
            if reply != 1:
                self.wrong.append((call.key, reply))
        except (redis.ConnectionError, redis.TimeoutError) as error:
            call.said, call.error = UNKNOWN if error.maybe_applied else NOT_APPLIED, error
            sleep(0.002)
        except BaseException as error:
            self.wrong.append(error)
        call.ended = monotonic()

    def read(self) -> None:
        key = f"known:{self.reads % len(KNOWN)}"
        self.reads += 1
        try:
            value = self.client.get(key)
        except (redis.ConnectionError, redis.TimeoutError):
            self.failed_reads += 1
            sleep(0.002)
        except BaseException as error:
            self.wrong.append(error)
        else:
            if value != KNOWN[key]:
                self.wrong.append((key, value))

    def first_write_after(self, time: float) -> float:
        """When the first INCR that began after ``time`` was acknowledged; NEVER where none was."""
        ends = (call.ended for call in list(self.calls) if call.said == ACKNOWLEDGED and call.began > time)
        return min(ends, default=NEVER)


class Verdict:
    """What was said, against what the old master and its successor have executed."""

    def __init__(self, service: Service, users: list[User]) -> None:
        old, new = (written(Path(server._data_dir)) for server in (service.first, service.successor))
        differs = (index for index, pair in enumerate(zip(old, new)) if pair[0] != pair[1])
        shared = next(differs, min(len(old), len(new)))
        #: How often each write was executed: what both have in the same order was executed once, and replicated.
        self.executed = Counter(old) + Counter(new[shared:])
        #: What the old master alone has.
        self.unreplicated = set(old[shared:]) - set(new)
        self.calls = [call for user in users for call in user.calls]
        self.said = Counter(call.said for call in self.calls)
        allowed = {ACKNOWLEDGED: (1,), NOT_APPLIED: (0,), UNKNOWN: (0, 1)}
        self.violations = [
            (call, self.executed[call.key]) for call in self.calls if self.executed[call.key] not in allowed[call.said]
        ]
        #: What was acknowledged and is gone: the servers' doing.
        self.lost = [call for call in self.calls if call.said == ACKNOWLEDGED and call.key in self.unreplicated]

    def lost_later_than(self, time: float) -> list[Call]:
        """What went to the old master although it began after ``time``."""
        return [call for call in self.lost if call.began > time]


def under_load(service: Service, users: list[User], how: str, before: float, after: float) -> float:
    """Let the users work before and after the master is lost; return when the sentinels said that it has moved.

    They work on for ``after`` seconds, and until each of them has written, but no longer than ``LONGEST``.
    """
    for key, value in KNOWN.items():
        ask(service.first, "SET", key, value)
    until(lambda: all(ask(one, "DBSIZE") >= len(KNOWN) for one in service.servers))
    done = threading.Event()
    threads = [threading.Thread(target=user.use, args=(done,)) for user in users]
    for thread in threads:
        thread.start()
    try:
        sleep(before)
        service.lose(how)
        switched = service.wait_for_switch()
        sleep(after)
        while monotonic() < switched + LONGEST and any(user.first_write_after(switched) == NEVER for user in users):
            sleep(0.01)
    finally:
        done.set()
        for thread in threads:
            thread.join(30)
    assert not any(thread.is_alive() for thread in threads), "a call has not come back"
    service.bring_back()
    return switched
