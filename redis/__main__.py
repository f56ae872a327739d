"""A small shell: ``python -m redis GET foo`` sends one command, ``python -m redis`` alone asks for them.

This module owns what is read from the terminal and what is shown there.  It must not know any command by its meaning:
names are joined, completed and explained as the table of commands has them, and replies are shown as Python shows them.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from redis.client import StrictRedis
from redis.commands.spec import SPECS, Spec, name_of
from redis.embedded import Server
from redis.exceptions import RedisError
from redis.protocol.masking import SECRETIVE
from redis.version import __version__

try:
    import readline
except ImportError:  # Python was built without it: the prompt works, but remembers nothing.
    readline = None  # type: ignore[assignment]

DEFAULT_URL = "redis://localhost:6379"
PROMPT = "redis> "
HISTORY = "~/.redispy_history"
HISTORY_LENGTH = 1000
#: What the shell itself understands.
OWN = ("EXIT", "HELP", "QUIT")

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130  # Exit statuses, as other shells have them.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the shell; return its exit status: 0, 1 after an error, 2 for wrong usage, 130 after Ctrl-C."""
    options = parse(arguments)
    try:
        with connected(options) as client:
            return answer(client, options.words) if options.words else converse(client)
    except RedisError as error:
        return failed(error)
    except ValueError as error:  # Of the URL.
        return failed(error, WRONG_USAGE)
    except KeyboardInterrupt:
        return INTERRUPTED


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what the command line says; SystemExit with the status 2 where it is wrong."""
    parser = argparse.ArgumentParser("python -m redis", description="Talk to a Redis or Valkey server.")
    parser.add_argument("--version", action="version", version=f"redispy {__version__}")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", default=DEFAULT_URL, help="where the server is (default: %(default)s)")
    where.add_argument("--embedded", action="store_true", help="start a server for this run alone")
    # Everything from the first word of the command on belongs to it, "-1" and "--url" included.
    words_help = "a command and its arguments; without one, commands are read from standard input"
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="command ...", help=words_help)
    return parser.parse_args(arguments)


@contextlib.contextmanager
def connected(options: argparse.Namespace) -> Iterator[StrictRedis[Any]]:
    """Lend a client that keeps to one connection, so that SELECT, AUTH or MULTI hold for the commands after them."""
    with contextlib.ExitStack() as stack:
        if options.embedded:
            client = stack.enter_context(Server()).client(single_connection_client=True)
        else:
            client = StrictRedis.from_url(options.url, single_connection_client=True)
        yield stack.enter_context(client)


def converse(client: StrictRedis[Any]) -> int:
    """Run the lines of standard input; 1 where one of them failed, but 0 at the end of a talk at a terminal."""
    if not sys.stdin.isatty():
        return run(client, sys.stdin)
    print(f"redispy {__version__}; help COMMAND explains one, exit or Ctrl-D ends it")
    with history():
        while True:
            try:
                run(client, typed_lines())
                return 0
            except KeyboardInterrupt:  # It drops the line, or the command that waits.
                print()


def run(client: StrictRedis[Any], lines: Iterable[str]) -> int:
    """Run each line, whatever became of those before it, until one says exit or quit; 1 where any failed."""
    status = 0
    for line in lines:
        try:
            words = shlex.split(line)
        except ValueError as error:  # A quotation that does not end.
            status = failed(error)
            continue
        if words in (["exit"], ["quit"]):
            break
        if words:
            remember(line, words)
            status = answer(client, words) or status
    return status


def answer(client: StrictRedis[Any], words: Sequence[str]) -> int:
    """Explain a command where help is asked for, else send one; return the exit status."""
    return explain(words[1:]) if words[0].lower() == "help" else send(client, words)


def send(client: StrictRedis[Any], words: Sequence[str]) -> int:
    """Send one command and show the reply, or on standard error what went wrong; return the exit status."""
    name = name_of(words)
    arguments = words[2:] if name.count(" ") > words[0].count(" ") else words[1:]
    try:
        reply = client.execute_command(name, *map(os.fsencode, arguments))
    except (RedisError, ValueError) as error:
        return failed(error)
    print(repr(reply))
    return 0


def failed(error: Exception, status: int = FAILED) -> int:
    """Show an error on standard error and return the status."""
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return status


def explain(words: Sequence[str]) -> int:
    """Show what is known of a command, or the names that begin with its first word; return the exit status."""
    name = name_of(words) if words else ""
    if name in SPECS:
        print("\n".join(explanation(SPECS[name])))
        return 0
    found = [other for other in sorted(SPECS) if not words or other.split()[0] == name]
    if not found:
        return failed(LookupError(f"there is no command {name!r} in the table"))
    print("  ".join(found))
    return 0


def explanation(spec: Spec) -> Iterator[str]:
    """Yield the lines about one command: how it is called, what its method says, the facts."""
    yield spec.name
    if spec.method is not None:
        method = getattr(StrictRedis, spec.method)
        arguments = [argument for name, argument in inspect.signature(method).parameters.items() if name != "self"]
        bare = [argument.replace(annotation=inspect.Parameter.empty) for argument in arguments]
        yield f"  client.{spec.method}{inspect.Signature(bare)}"
        yield ""
        yield from (f"  {line}".rstrip() for line in inspect.cleandoc(method.__doc__ or "").splitlines())
        yield ""
    yield f"  {', '.join(facts(spec))}"


def facts(spec: Spec) -> Iterator[str]:
    """Yield the facts of a command as people say them."""
    yield f"since {spec.since}"
    if spec.readonly or spec.write:
        yield "only reads" if spec.readonly else "writes"
    if spec.blocking is not None:
        yield "may wait"
    if spec.stateful:
        yield "changes its connection"


def completions(before: Sequence[str], text: str) -> list[str]:
    """Return the words that may stand after ``before`` and begin with ``text``, in its small letters or in capitals."""
    first = [word.upper() for word in before]
    first = first[1:] if first[:1] == ["HELP"] else first
    known = [spec.words for spec in SPECS.values()]
    names = {words[len(first)] for words in known if len(words) > len(first) and list(words[: len(first)]) == first}
    if not before:
        names.update(OWN)
    found = sorted(name for name in names if name.startswith(text.upper()))
    return [f"{name.lower() if text.islower() else name} " for name in found]


def complete(text: str, state: int) -> str | None:
    """Return the completion number ``state`` of the word that is being typed; None where there is none."""
    assert readline is not None  # It is the one that calls this.
    before = readline.get_line_buffer()[: readline.get_begidx()].split()
    return dict(enumerate(completions(before, text))).get(state)


def typed_lines() -> Iterator[str]:
    """Ask for lines until Ctrl-D."""
    with contextlib.suppress(EOFError):
        while True:
            yield input(PROMPT)
    print()


@contextlib.contextmanager
def history() -> Iterator[None]:
    """Know the lines of earlier talks, keep those of this one for later ones, and complete names meanwhile."""
    if readline is None:
        yield
        return
    readline.set_completer(complete)
    readline.set_completer_delims(" ")
    # One library or the other is behind the module, and they are told differently.
    readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")
    path = Path(HISTORY).expanduser()
    readline.set_auto_history(False)
    readline.set_history_length(HISTORY_LENGTH)
    with contextlib.suppress(OSError):
        readline.read_history_file(path)
    yield
    with contextlib.suppress(OSError):
        readline.write_history_file(path)


def remember(line: str, words: Sequence[str]) -> None:
    """Add a line to the history, but none that may hold a password."""
    if readline is not None and name_of(words) not in SECRETIVE:
        readline.add_history(line.rstrip("\n"))


if __name__ == "__main__":
    sys.exit(main())
