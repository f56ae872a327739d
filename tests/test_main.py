"""redis/__main__.py: the shell, run as its users run it, and the prompt at a terminal of its own."""

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest

from redis import __main__ as shell
from redis import __version__
from tests.servers import VALKEY, ask, require, standalone, until

REFUSED = "redis://localhost:1"


@pytest.fixture
def run(server, tmp_path):
    """A function that runs ``python -m redis`` against ``server`` and returns its status, its output and its errors."""
    ask(server, "FLUSHALL")

    def run_shell(*words, url=server.url, text=""):
        place = ["--url", url] if url else []
        command = [sys.executable, "-m", "redis", *place, *words]
        environment = {**os.environ, "HOME": str(tmp_path)}
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, env=environment)
        return done.returncode, done.stdout, done.stderr

    return run_shell


# One command


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["SET", "new", "value"], "True"),
        (["get", "text"], "b'some text'"),
        (["GET", "missing"], "None"),
        (["INCR", "number"], "8"),
        (["EXISTS", "text"], "True"),
        (["HGETALL", "hash"], "{b'field': b'1'}"),
        (["object", "encoding", "number"], "b'int'"),
        (["OBJECT ENCODING", "number"], "b'int'"),
        (["SET", "new", "-1", "GET"], "None"),
        (["ECHO", "--url"], "b'--url'"),
        (["ECHO", "a 'b\" c"], "b'a \\'b\" c'"),
        (["ECHO", "é"], "b'\\xc3\\xa9'"),
        (["ECHO", os.fsdecode(b"\xff")], "b'\\xff'"),
    ],
)
def test_a_reply_is_shown_as_python_shows_it(run, server, words, shown):
    ask(server, "MSET", "text", "some text", "number", 7)
    ask(server, "HSET", "hash", "field", 1)
    assert run(*words) == (0, f"{shown}\n", "")


def test_words_are_sent_as_they_are(run, server):
    run("SET", "two words", os.fsdecode(b"\xff\\x00 'quoted'"))
    assert ask(server, "GET", "two words") == b"\xff\\x00 'quoted'"


def test_an_error_of_the_server_is_shown_and_fails(run, server):
    ask(server, "SET", "text", "no number")
    assert run("INCR", "text") == (1, "", "ResponseError: value is not an integer or out of range\n")


def test_no_server_is_an_error(run):
    status, out, err = run("GET", "key", url=REFUSED)
    assert (status, out) == (1, "")
    assert err.startswith("ConnectionError: ")
    assert "localhost:1" in err


def test_a_command_that_cannot_be_meant_is_an_error(run):
    status, out, err = run("CLIENT", "REPLY", "OFF")
    assert (status, out) == (1, "")
    assert err.startswith("DataError: ")


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--embedded", "--url", "redis://localhost"], ["--url"]])
def test_wrong_usage(run, arguments):
    status, out, err = run(*arguments, url=None)
    assert (status, out) == (2, "")
    assert err.startswith("usage: python -m redis")


@pytest.mark.parametrize("url", ["http://user:secret@localhost", "redis://user:secret@localhost/nine"])
def test_a_wrong_url_is_wrong_usage_and_its_password_is_not_shown(run, url):
    status, out, err = run("GET", "key", url=url)
    assert (status, out) == (2, "")
    assert err.startswith("ValueError: ")
    assert "secret" not in err


def test_passwords_are_not_shown():
    with standalone(config={"requirepass": "a-secret"}) as locked:
        for url in (f"redis://:wrong-secret@127.0.0.1:{locked.port}", "redis://:wrong-secret@localhost:1"):
            command = [sys.executable, "-m", "redis", "--url", url, "GET", "key"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 1
            assert "Error: " in done.stderr
            assert "secret" not in done.stdout + done.stderr
        done = subprocess.run([*command[:3], "--url", locked.url, "PING"], capture_output=True, check=True)
        assert b"secret" not in done.stdout + done.stderr


def test_the_version(run):
    assert run("--version", url=None) == (0, f"redispy {__version__}\n", "")


def test_a_server_for_one_command(run):
    require(VALKEY)
    assert run("--embedded", "SET", "foo", "bar", url=None) == (0, "True\n", "")


def test_no_program_for_a_server_of_its_own(run, monkeypatch):
    monkeypatch.setenv("REDIS_SERVER", "/no/such/server")
    status, out, err = run("--embedded", "SET", "foo", "bar", url=None)
    assert (status, out) == (1, "")
    assert err == "EmbeddedServerError: '/no/such/server' is no program that can be run\n"


def test_ctrl_c_ends_one_command(server):
    process = subprocess.Popen([sys.executable, "-m", "redis", "--url", server.url, "BLPOP", "nothing", "0"])
    with process:
        until(lambda: b"cmd=blpop" in ask(server, "CLIENT", "LIST"))
        process.send_signal(signal.SIGINT)
    assert process.returncode == 130


# Lines from a file or a pipe


def test_each_line_is_a_command(run, server):
    text = "SET 'a key' \"it's\"\n\n  get 'a key'  \nDEL 'a key'"
    assert run(text=text) == (0, 'True\nb"it\'s"\n1\n', "")


def test_a_line_that_fails_does_not_stop_the_others(run):
    status, out, err = run(text='INCR\nSET key "value\nSET key value\n')
    assert (status, out) == (1, "True\n")
    assert [line.partition(":")[0] for line in err.splitlines()] == ["ResponseError", "ValueError"]


@pytest.mark.parametrize("word", ["exit", "quit"])
def test_a_line_may_end_it(run, word):
    assert run(text=f"SET key 1\n{word}\nINCR key\n")[:2] == (0, "True\n")


def test_the_lines_share_one_connection(run):
    lines = ["SET key 1", "SELECT 5", "EXISTS key", "SELECT 0", "MULTI", "INCR key", "EXEC", "GET key"]
    status, out, err = run(text="\n".join(lines))
    assert (status, err) == (0, "")
    shown = out.splitlines()
    assert (shown[0], shown[2], shown[-2], shown[-1]) == ("True", "False", "[2]", "b'2'")


# Help and completion


def test_help(run):
    status, out, err = run("help", "lrange")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[:2] == ["LRANGE", "  client.lrange(name, start, end)"]
    assert "https://redis.io/commands/lrange/" in out
    assert lines[-1] == "  since 1.0.0, only reads"


@pytest.mark.parametrize(
    ("command", "last"),
    [
        ("SET", "since 1.0.0, writes"),
        ("BLPOP", "since 2.0.0, writes, may wait"),
        ("MULTI", "since 1.2.0, changes its connection"),
        ("config get", "since 2.0.0"),
    ],
)
def test_the_facts_in_the_help(capsys, command, last):
    assert shell.explain(command.split()) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"  {last}"


def test_help_of_what_has_several_commands(capsys):
    assert shell.explain(["object"]) == 0
    assert capsys.readouterr().out == "OBJECT ENCODING  OBJECT FREQ  OBJECT HELP  OBJECT IDLETIME  OBJECT REFCOUNT\n"
    assert shell.explain([]) == 0
    assert "GET  GETBIT  GETDEL" in capsys.readouterr().out


def test_help_of_nothing_known(run):
    assert run(text="HELP nothing\n") == (1, "", "LookupError: there is no command 'NOTHING' in the table\n")


@pytest.mark.parametrize(
    ("line", "text", "found"),
    [
        ("", "GETR", ["GETRANGE "]),
        ("", "getr", ["getrange "]),
        ("", "exi", ["exists ", "exit "]),
        ("", "nothing", []),
        ("object", "", ["ENCODING ", "FREQ ", "HELP ", "IDLETIME ", "REFCOUNT "]),
        ("CONFIG", "re", ["resetstat ", "rewrite "]),
        ("help", "getr", ["getrange "]),
        ("help config", "re", ["resetstat ", "rewrite "]),
        ("GET", "", []),
        ("CONFIG GET", "s", []),
    ],
)
def test_completions(line, text, found):
    assert shell.completions(line.split(), text) == found


# The prompt


#: Makes standard input the terminal of the process, so that Ctrl-C reaches it, and is ``python -m redis`` then.
AT_TERMINAL = """
import fcntl, runpy, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("redis", run_name="__main__")
"""


class Terminal:
    """A terminal with the shell at its other side."""

    def __init__(self, url, home):
        environment = {**os.environ, "HOME": str(home), "TERM": "dumb"}
        ours, theirs = pty.openpty()
        command = [sys.executable, "-c", AT_TERMINAL, "--url", url]
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        self.file = ours
        self.type("")

    def type(self, text, end=shell.PROMPT):
        """Type ``text``; return what is shown from there to ``end``, the next prompt, or until the shell has left."""
        os.write(self.file, text.encode())
        shown, deadline = b"", time.monotonic() + 20
        while not shown.endswith(end.encode()):
            ready, _, _ = select.select([self.file], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"{end!r} did not come after {shown!r}"
            try:
                shown += os.read(self.file, 1000)
            except OSError:  # So Linux tells the end of a terminal.
                break
        return shown.decode().replace("\r\n", "\n")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.file)


@pytest.fixture
def terminal(server, tmp_path):
    """A function that opens a shell at a terminal."""
    ask(server, "FLUSHALL")
    with contextlib.ExitStack() as stack:

        def open_terminal(home=tmp_path):
            found = Terminal(server.url, home)
            stack.callback(found.close)
            return found

        yield open_terminal


def test_the_prompt_takes_commands(terminal):
    prompt = terminal()
    assert prompt.type("SET key value\n") == f"SET key value\nTrue\n{shell.PROMPT}"
    assert prompt.type("INCR key\n") == (
        f"INCR key\nResponseError: value is not an integer or out of range\n{shell.PROMPT}"
    )
    assert "ValueError: No closing quotation" in prompt.type("GET 'key\n")


def test_the_prompt_completes_names(terminal):
    prompt = terminal()
    assert "True" in prompt.type("PSET\tkey 1000 value\n")
    assert "{'databases': '16'}" in prompt.type("config g\tdatabases\n")
    assert "client.getdel(name)" in prompt.type("help getd\t\n")


@pytest.mark.parametrize("leave", ["exit\n", "quit\n", "\x04"])
def test_leaving_the_prompt(terminal, leave):
    prompt = terminal()
    prompt.type("INCR\n")
    assert shell.PROMPT not in prompt.type(leave)
    assert prompt.process.wait(10) == 0


def test_ctrl_c_drops_the_line(terminal):
    prompt = terminal()
    prompt.type("SET key ", end="key ")
    time.sleep(0.3)  # Until it waits for the next key: an interruption between two keys is seen with the second.
    assert prompt.type("\x03").endswith(shell.PROMPT)
    assert "True" in prompt.type("SET key value\n")


def test_ctrl_c_drops_a_command_that_waits(terminal, server):
    prompt = terminal()
    os.write(prompt.file, b"BLPOP nothing 0\n")
    until(lambda: b"cmd=blpop" in ask(server, "CLIENT", "LIST"))
    assert prompt.type("\x03").endswith(shell.PROMPT)
    assert "b'value'" in prompt.type("ECHO value\n")


def test_the_next_prompt_knows_the_lines_but_no_password(terminal, tmp_path):
    prompt = terminal()
    secrets = [
        "AUTH secret",
        '"auth" user secret',
        "config SET requirepass ''",
        "CONFIG SETT requirepass secret",
        "HELLO 3 AUTH user secret",
        "GET 'secret",
    ]
    for line in ["SET key 1", *secrets, "CONFIG GET save", "SET key 2"]:
        prompt.type(f"{line}\n")
    prompt.type("exit\n")
    prompt.process.wait(10)
    path = tmp_path / ".redispy_history"
    assert path.read_text().splitlines() == ["SET key 1", "CONFIG GET save", "SET key 2"]
    assert path.stat().st_mode & 0o077 == 0
    assert "SET key 2" in terminal().type("\x10\n")  # Ctrl-P: the line before.


def test_a_prompt_without_a_place_for_its_history(terminal, tmp_path):
    prompt = terminal(home=tmp_path / "missing")
    prompt.type("exit\n")
    assert prompt.process.wait(10) == 0


def test_a_prompt_without_readline(monkeypatch, capsys):
    monkeypatch.setattr(shell, "readline", None)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    lines = iter(["ECHO 1", "exit"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(lines))
    with standalone() as server, server.client() as client:
        assert shell.converse(client) == 0
    assert capsys.readouterr().out.endswith("b'1'\n")
