"""The rules of the core, each broken by one small edit: a test must notice.

``python -m tests.faults.mutants`` applies each mutant to a copy of the package, runs the tests that are named beside it
against the copy, and prints what became of it.  The exit status is 1 if a mutant survives that is not known to be
harmless.  ``--only WORD`` takes those with WORD in their names, ``--list`` runs nothing.  Some need a Python that can
interrupt a handler too, 3.12 or later.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parents[2]
#: What one mutant may take; a hang is noticed, too.
SECONDS = 180


@dataclass(frozen=True)
class Mutant:
    """One small edit."""

    #: The number of the rule, and what the edit does to it.
    rule: int
    name: str
    #: The file, and the texts that are replaced; each occurs once.
    file: str
    edits: tuple[tuple[str, str], ...]
    #: The module of tests that must fail, and an expression for ``-k``.
    module: str
    tests: str
    #: Why no test can notice; None where one must.
    harmless: str | None = None
    #: The Python that it needs.
    python: tuple[int, int] = (3, 11)


EXECUTION, WIRE, TCP = "redis/execution.py", "redis/connection/wire.py", "redis/connection/tcp.py"
POOL, OUTCOME, BATCH = "redis/connection/pool.py", "redis/connection/outcome.py", "redis/connection/batch.py"
RETRY, ERRORS = "redis/connection/retry.py", "redis/protocol/errors.py"
PIPELINE, BOUNDED = "redis/pipeline.py", "redis/connection/bounded.py"
IDLE, FORKS = "redis/connection/idle.py", "redis/connection/forks.py"

RETURN = """                if connection.owed:
                    connection.disconnect()
                idle.append(connection)
"""

MUTANTS = [
    Mutant(
        1,
        "a connection comes back whatever it owes",
        EXECUTION,
        ((RETURN, "                idle.append(connection)\n"),),
        "test_01_right_caller",
        "test_incr_interrupted and tcp and private",
    ),
    Mutant(
        1,
        "a second way back, where something failed",
        EXECUTION,
        (
            (
                "        connection.disconnect()\n        if attempts.after_fault",
                "        connection.disconnect()\n"
                "        self._pool._available_connections.append(connection)\n        if attempts.after_fault",
            ),
        ),
        "test_07_at_most_once",
        "test_a_write_whose_reply_is_lost and tcp",
    ),
    Mutant(
        1,
        "release() does not read the record",
        POOL,
        (
            (
                "        if connection.owed or connection.altered or connection.has_unread():",
                "        if connection.altered or connection.has_unread():",
            ),
        ),
        "test_01_right_caller",
        "test_given_back_in_the_middle and tcp",
    ),
    Mutant(
        1,
        "what was given back can be given back again",
        POOL,
        (("vars(connection).pop(self._mark, None)", "vars(connection).get(self._mark, None)"),),
        "test_16_pool_size",
        "test_given_back_twice",
    ),
    Mutant(
        2,
        "owed goes up after the send",
        WIRE,
        (
            ("        self.owed = 1  # before the first byte leaves\n", ""),
            (
                "            chunk = self._recv(self._read_size)\n",
                "            self.owed = 1\n            chunk = self._recv(self._read_size)\n",
            ),
        ),
        "test_01_right_caller",
        "test_incr_interrupted and unix and private",
    ),
    Mutant(
        2,
        "owed goes down before the reply is read",
        WIRE,
        (
            ("        self.owed -= 1  # after the whole reply, and only then\n", ""),
            (
                "            chunk = self._recv(self._read_size)\n",
                "            self.owed = 0\n            chunk = self._recv(self._read_size)\n",
            ),
        ),
        "test_01_right_caller",
        "test_incr_interrupted and unix and private",
    ),
    Mutant(
        2,
        "exchange() counts after the send",
        WIRE,
        (
            (
                "        self.owed += 1\n        self._transmit(data)\n",
                "        self._transmit(data)\n        self.owed += 1\n",
            ),
        ),
        "test_01_right_caller",
        "test_exchange_interrupted and unix",
    ),
    Mutant(
        2,
        "a command that changes the connection is not counted",
        WIRE,
        (("            self.owed += changes\n", "            pass\n"),),
        "test_04_poisoned_pool",
        "test_the_connection_is_not_used_again and tcp",
    ),
    Mutant(
        2,
        "a command that changes the connection is marked after its reply",
        WIRE,
        (
            ("            self.owed += changes\n", "            pass\n"),
            (
                "        self.owed -= 1\n        self.settle(wait)\n",
                "        self.owed -= 1\n        self.settle(wait)\n        self.owed += changes\n",
            ),
        ),
        "test_04_poisoned_pool",
        "test_interrupted and unix",
    ),
    Mutant(
        2,
        "a batch is counted after it was sent",
        BATCH,
        (
            ("        wire.owed += self.count  # before the first byte leaves, and before the header is fed\n", ""),
            (
                "        one_by_one = bool(self.specials)",
                "        wire.owed += self.count\n        one_by_one = bool(self.specials)",
            ),
        ),
        "test_01_right_caller",
        "test_pipeline_interrupted and unix",
    ),
    Mutant(
        2,
        "a deadline is not counted",
        WIRE,
        (
            (
                "            self.owed += 1\n            with SENDING:\n                self._hurry(deadline)\n",
                "            with SENDING:\n                self._hurry(deadline)\n",
            ),
        ),
        "test_13_deadline_ends",
        "test_interrupted_anywhere",
    ),
    Mutant(
        2,
        "the calls of the socket stay under the deadline",
        WIRE,
        (("        self._send, self._recv = sock.send, sock.recv\n", ""),),
        "test_13_deadline_ends",
        "test_a_later_reply and block",
    ),
    Mutant(
        3,
        "a connection keeps a deadline that was not taken back",
        WIRE,
        (
            (
                "        calls.ends, calls.patience = deadline.ends,",
                "        self.kept_one = deadline\n        calls.ends, calls.patience = deadline.ends,",
            ),
        ),
        "test_13_deadline_ends",
        "test_interrupted_where_it_is_left",
    ),
    Mutant(
        3,
        "a connection is published before the handshake",
        TCP,
        (
            (
                "        self._shaking_hands = True\n",
                "        self._shaking_hands = True\n        self.used = monotonic()\n",
            ),
        ),
        "test_03_half_made",
        "test_interrupted_twice and unix",
        python=(3, 12),
    ),
    Mutant(
        3,
        "owed is cleared first when a connection is closed",
        WIRE,
        (
            (
                "        self.used = NEVER  # taken back: the first store, nobody sends on it now\n",
                "        self.owed = 0\n        self.used = NEVER\n",
            ),
        ),
        "test_01_right_caller",
        "test_interrupted_where_a_time_out and unix",
    ),
    Mutant(
        3,
        "a connection can be used while it is looked at",
        WIRE,
        (
            (
                "        self.used = NEVER\n        try:\n            return not self._unread()",
                "        try:\n            return not self._unread()",
            ),
        ),
        "test_01_right_caller",
        "test_interrupted_while_an_idle and tls",
        harmless="the time of the last use is still the old one: the next user looks again and mends the time-out",
    ),
    Mutant(
        3,
        "more replies than the handshake asked for are not noticed",
        TCP,
        (
            (
                "        if self._unread():\n            raise InvalidResponse(UNASKED)",
                "        if False:\n            raise InvalidResponse(UNASKED)",
            ),
        ),
        "test_03_half_made",
        "test_more_replies and tcp",
    ),
    Mutant(
        4,
        "an error that a handler raised is taken for the socket's",
        OUTCOME,
        (('        if module not in ALLOWED and module.partition(".")[0] != "gevent":\n', "        if False:\n"),),
        "test_01_right_caller",
        "test_incr_interrupted and unix and eagain",
    ),
    Mutant(
        4,
        "an error thrown into the thread is taken for the socket's",
        OUTCOME,
        (("    if error.errno is None and not (", "    if False and not ("),),
        "test_01_right_caller",
        "test_an_error_thrown_into_the_thread and tcp",
    ),
    Mutant(
        4,
        "the retry loop catches public classes",
        EXECUTION,
        (
            (
                "(NotSent, Unknown) as fault:\n                reply = self._send_again(",
                "(NotSent, Unknown, ConnectionError) as fault:\n                reply = self._send_again(",
            ),
        ),
        "test_01_right_caller",
        "test_incr_interrupted and unix and ours",
    ),
    Mutant(
        5,
        "a connection is judged before it is registered",
        POOL,
        (
            (
                "        live = self._live\n",
                "        live = self._live\n"
                "        if len(live) >= self.max_connections:\n"
                '            raise MaxConnectionsError("Too many connections")\n',
            ),
            ("        if len(live) > self.max_connections and", "        if False and"),
        ),
        "test_16_pool_size",
        "test_many_at_once",
    ),
    Mutant(
        5,
        "the dead are counted",
        POOL,
        (("live[weakref.ref(connection, self._forget)] = None", "live[weakref.ref(connection)] = None"),),
        "test_16_pool_size",
        "test_holders_that_died",
    ),
    Mutant(
        5,
        "who comes late pushes in",
        IDLE,
        (('        if self.waiting:\n            raise IndexError("others were first")\n', ""),),
        "test_20_fair_pool",
        "test_everybody_gets_his_share and python",
    ),
    Mutant(
        5,
        "who is first and does not come holds up the line",
        IDLE,
        (("        elif not turn.absent:\n", "        else:\n"),),
        "test_20_fair_pool",
        "test_who_stays_away and python",
    ),
    Mutant(
        6,
        "nobody looks at an idle connection",
        EXECUTION,
        (("                if now - connection.used > LOOK:\n", "                if connection.used < 0:\n"),),
        "test_14_idle",
        "test_again_and_again and tcp",
    ),
    Mutant(
        6,
        "what the kernel did not take is told as unknown",
        WIRE,
        (('            raise NotSent("send") from error\n', '            raise Unknown("send") from error\n'),),
        "test_08_not_sent",
        "test_a_broken_pipe",
    ),
    Mutant(
        6,
        "a lost reply is told as not sent",
        WIRE,
        (('            raise Unknown("recv") from error\n', '            raise NotSent("recv") from error\n'),),
        "test_07_at_most_once",
        "test_a_write_whose_reply and tcp",
    ),
    Mutant(
        6,
        "an end of the stream is told as not sent",
        OUTCOME,
        (('RECEIVING = Seam(Unknown, "recv")', 'RECEIVING = Seam(NotSent, "recv")'),),
        "test_07_at_most_once",
        "test_a_write_whose_reply and tcp",
    ),
    Mutant(
        6,
        "a second attempt forgets what the first may have done",
        RETRY,
        (("self.unknown = self.unknown or unknown\n", "self.unknown = unknown\n"),),
        "test_07_at_most_once",
        "nobody_home and tcp",
    ),
    Mutant(
        6,
        "every lost command is sent again",
        RETRY,
        (("    return readonly or not unknown", "    return True"),),
        "test_07_at_most_once",
        "test_a_write_whose_reply_is_lost and tcp",
    ),
    Mutant(
        6,
        "a command that blocks is sent again",
        RETRY,
        (("    if blocking and unknown:", "    if False:"),),
        "test_12_blocking",
        "test_one_attempt and tcp",
    ),
    Mutant(
        6,
        "what was late is sent again by a retry that does not say so",
        RETRY,
        (("            return self.persistent and not unknown\n", "            return self.persistent\n"),),
        "test_07_retry_permitted",
        "test_the_reply_is_late and short",
    ),
    Mutant(
        6,
        "a wrong password is tried again",
        RETRY,
        (("        if isinstance(error, AuthenticationError):\n", "        if False:\n"),),
        "test_07_retry_permitted",
        "test_a_wrong_password and short",
    ),
    Mutant(
        6,
        "a batch that was refused in part is sent again",
        PIPELINE,
        (("        if self.watching or in_part:\n", "        if self.watching:\n"),),
        "test_07_retry_permitted",
        "refused_in_part",
    ),
    Mutant(
        6,
        "a pause before another attempt goes on beyond the deadline",
        RETRY,
        (("        if deadline is not None and deadline.remaining() <= seconds:\n", "        if False:\n"),),
        "test_13_deadline",
        "test_no_pause_ends_after",
    ),
    Mutant(
        6,
        "what comes after the deadline is sent all the same",
        BOUNDED,
        (
            (
                "        self.left()\n        try:\n            return int(self.sock.send(",
                "        try:\n            return int(self.sock.send(",
            ),
        ),
        "test_13_deadline_ends",
        "test_over_before_the_first_call and block",
    ),
    Mutant(
        6,
        "who waits for the pool does not know of the deadline",
        POOL,
        (("deadline.ends if deadline else inf)", "inf)"),),
        "test_13_deadline",
        "test_a_full_pool and block",
    ),
    Mutant(
        6,
        "a transaction out of time looks as if a key had been changed",
        PIPELINE,
        (("not error.maybe_applied and not has_passed():", "not error.maybe_applied:"),),
        "test_13_deadline_units",
        "test_watching_and_nothing",
    ),
    Mutant(
        6,
        "a broken pipe is a signal",
        WIRE,
        (('NOSIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)', "NOSIGNAL = 0"),),
        "test_08_not_sent",
        "test_a_broken_pipe",
    ),
    Mutant(
        6,
        "a reply that nobody asked for is kept",
        WIRE,
        (
            (
                "        if self._unread():\n            self._drain()\n        self.owed -= 1  # after",
                "        self.owed -= 1  # after",
            ),
        ),
        "test_05_extra_frame",
        "test_in_one_segment and tcp",
    ),
    Mutant(
        7,
        "a connection in the middle of a command takes another",
        WIRE,
        (
            (
                "        if self.owed:\n            raise self._busy()\n        self.owed = 1",
                "        self.owed = 1",
            ),
        ),
        "test_01_right_caller",
        "test_a_connection_that_owes and tcp",
    ),
    Mutant(
        8,
        "Python code runs where an error reply is built",
        ERRORS,
        (
            (
                '    while replies are still owed.\n    """\n',
                '    while replies are still owed.\n    """\n\n'
                "    def __init__(self, *words):\n        super().__init__(*words)\n",
            ),
        ),
        "test_01_right_caller",
        "test_an_error_of_the_server_interrupted and unix",
        harmless="what is raised there leaves the reader while the reply is owed: the connection is closed",
    ),
    Mutant(
        9,
        "disconnect() keeps the list",
        POOL,
        (
            (
                "        old = self._end_generation()\n        if immediate:\n",
                "        old = list(self._available_connections)\n        if immediate:\n",
            ),
        ),
        "test_16_pool_size",
        "test_disconnect_reaches",
    ),
    Mutant(
        9,
        "nobody empties the old list",
        EXECUTION,
        (
            (
                "is not idle:\n                    pool.take_over(idle)\n        if reply.__",
                "is not idle:\n                    pass\n        if reply.__",
            ),
        ),
        "test_19_disconnect_under_load",
        "test_an_error_that_is_kept and python and tcp",
    ),
    Mutant(
        10,
        "the child keeps what its parent had",
        FORKS,
        (("        os.register_at_fork(after_in_child=partial(forget_parents, registry))\n", "        pass\n"),),
        "test_18_fork",
        "test_both_go_on and tcp",
    ),
    Mutant(
        10,
        "the child shuts down its parent's socket",
        WIRE,
        (
            (
                "self.used = NEVER\n        sock, self._sock = self._sock, None\n        if sock is not None:\n",
                "self.used = NEVER\n        sock, self._sock = self._sock, None\n        if sock is not None:\n"
                "            sock.shutdown(socket.SHUT_RDWR)\n",
            ),
        ),
        "test_18_fork",
        "test_both_go_on and tcp",
    ),
    Mutant(
        10,
        "the child closes nothing",
        POOL,
        (("                connection.abandon()\n", "                pass\n"),),
        "test_18_fork",
        "test_both_go_on and tcp",
        harmless="nothing holds the parent's connections once the pool has forgotten them: they are closed as they die",
    ),
]


class Workshop:
    """A copy of the package and of its tests, in which one mutant at a time lives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("redis", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)

    def run(self, mutant: Mutant) -> tuple[bool, float]:
        """Return whether the tests noticed, and how long it took them; they must pass while nothing is broken."""
        if self.fails(mutant.module, mutant.tests):
            raise SystemExit(f"{mutant.module} -k {mutant.tests!r} fails without a mutant, too")
        path = self.folder / mutant.file
        original = path.read_text()
        path.write_text(mutate(original, mutant))
        start = monotonic()
        try:
            return self.fails(mutant.module, mutant.tests), monotonic() - start
        finally:
            path.write_text(original)

    def fails(self, module: str, tests: str) -> bool:
        """Whether one of the tests fails; tests that cannot even be run are an error of the list."""
        command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--timeout=60"]
        ended = subprocess.run(
            [*command, f"tests/faults/{module}.py", "-k", tests],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if ended.returncode not in (0, 1):
            raise SystemExit(f"pytest cannot run {module} -k {tests!r}:\n{ended.stdout}{ended.stderr}")
        return ended.returncode == 1


def mutate(source: str, mutant: Mutant) -> str:
    """Return the source with the edits of the mutant; ValueError where a text does not occur exactly once."""
    for old, new in mutant.edits:
        if source.count(old) != 1:
            raise ValueError(f"{mutant.file} has {source.count(old)} times, and not once: {old!r}")
        source = source.replace(old, new)
    return source


def verdict(mutant: Mutant, killed: bool) -> str:
    if killed:
        return "killed"
    return "harmless" if mutant.harmless else "SURVIVED"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.mutants", description=__doc__)
    parser.add_argument("--only", default="", metavar="WORD", help="only the mutants with WORD in their names")
    parser.add_argument("--list", action="store_true", help="only list them")
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if options.only in mutant.name]
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder))
        for mutant in chosen:
            if options.list or sys.version_info < mutant.python:
                result, took = "not run", 0.0
            else:
                killed, took = workshop.run(mutant)
                result = verdict(mutant, killed)
            survivors += result == "SURVIVED"
            print(f"rule {mutant.rule:2}  {result:8}  {took:5.1f} s  {mutant.name}", flush=True)
            if result == "harmless":
                print(f"{'':28}({mutant.harmless})")
    print(f"{len(chosen)} mutants, {survivors} survived")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
