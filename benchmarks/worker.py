"""The process that measures one client: ``python -P -m benchmarks.worker NAME URL``.

It says which versions it has, then takes orders, one line of JSON each, and answers each with a line: the sample, or
``{"error": text}``.  It lives as long as its standard input, so that the rounds of several workers can take turns.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TextIO

from benchmarks.clients import Client, open_client
from benchmarks.measures import MEASURES
from benchmarks.scenarios import SCENARIOS


def main(name: str, url: str) -> None:
    answers = private_stdout()
    client = open_client(name, url)
    say(answers, {"versions": client.versions()})
    for order in map(json.loads, sys.stdin):
        say(answers, carry_out(client, order))


def private_stdout() -> TextIO:
    """Standard output for the answers alone: what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def say(answers: TextIO, answer: dict[str, Any]) -> None:
    print(json.dumps(answer), file=answers, flush=True)


def carry_out(client: Client, order: dict[str, Any]) -> dict[str, Any]:
    try:
        return dict(MEASURES[order["measure"]](client, SCENARIOS[order["scenario"]], order["count"]))
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main(*sys.argv[1:])
