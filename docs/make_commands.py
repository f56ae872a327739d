"""Makes ``commands.rst``, the table of commands, from the facts that stand beside the methods::

    python docs/make_commands.py

Which servers have a command is in ``servers.json``: what they answered to COMMAND when they were asked.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))

from redis.commands import Commands  # noqa: E402, F401 - declares every command
from redis.commands.spec import SPECS, Spec  # noqa: E402

HEAD = """\
.. Made by make_commands.py: change the facts beside the methods, and run it.

Commands
========

Every command, the method that sends it, the version that brought it, and which of the servers that the tests run
against have it. A command without a method is sent by ``execute_command``, or by the object that it belongs to: a
pipeline (``MULTI``), a ``PubSub`` (``SUBSCRIBE``), a ``Monitor``. A command that none of the servers has is younger
than they are; what is sent for it is tested all the same.

.. csv-table::
   :header: "Command", "Method", "Since", "Servers"
   :widths: auto

"""


def page() -> str:
    """Return the text of the page."""
    servers = json.loads((DOCS / "servers.json").read_text())
    rows = io.StringIO()
    writer = csv.writer(rows, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows(row(SPECS[name], servers.get(name, ())) for name in sorted(SPECS))
    return HEAD + "".join(f"   {line}\n" for line in rows.getvalue().splitlines())


def row(spec: Spec, servers: list[str]) -> tuple[str, str, str, str]:
    """Return the row of one command."""
    method = f"``{spec.method}``" if spec.method else ""
    return f"``{spec.name}``", method, spec.since, ", ".join(servers)


if __name__ == "__main__":
    (DOCS / "commands.rst").write_text(page())
