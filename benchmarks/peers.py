"""Who takes part, and how a peer gets into a folder of its own.

Every client runs as its users get it: its fast parser installed, its options left as they are.  The floor is no client:
prebuilt bytes out, ``recv_into`` a buffer, nothing parsed (arrays: parsed by hiredis).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

FLOOR, OURS = "floor", "redispy"


@dataclass(frozen=True)
class Peer:
    """One client."""

    name: str
    #: The module that a program imports.
    module: str
    #: What pip is asked for; nothing is installed for the package of this checkout.
    requirements: tuple[str, ...] = ()
    #: The class of ``<module>.connection`` that parses without C code; None where there is none.
    python_parser: str | None = None
    #: What else the client has to be told to use it.
    python_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def distributions(self) -> list[str]:
        """The names among the requirements."""
        return [re.split(r"[^\w.-]", requirement)[0] for requirement in self.requirements]

    def versions(self) -> str:
        """What is installed, as seen from the process of the peer."""
        return " + ".join(f"{name} {version(name)}" for name in self.distributions)


RESP2 = {"protocol": 2}
CLIENTS = {
    peer.name: peer
    for peer in (
        Peer(FLOOR, "hiredis"),
        Peer(OURS, "redis", python_parser="PythonParser"),
        Peer("redis-py", "redis", ("redis==8.1.*", "hiredis>=3.2"), "_RESP2Parser", RESP2),
        Peer("redispy-3.0.0", "redis", ("redispy==3.0.0", "hiredis>=3.2"), "PythonParser"),
        Peer("valkey-py", "valkey", ("valkey==6.2.*", "libvalkey>=4"), "_RESP2Parser", RESP2),
        Peer("glide", "glide_sync", ("valkey-glide-sync==2.6.*",)),
    )
}
PEERS = [name for name, peer in CLIENTS.items() if peer.requirements]


class NotInstalled(Exception):
    """A peer cannot be had; the text says why."""


def folder_of(peer: Peer, cache: Path) -> Path:
    """The folder with the peer, installed now unless an earlier run did."""
    folder = cache / str(sys.implementation.cache_tag) / peer.name
    marker = folder / "requirements.txt"
    wanted = "\n".join(peer.requirements)
    if not marker.exists() or marker.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        install(peer, folder)
        marker.write_text(wanted)
    return folder


def install(peer: Peer, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(folder)]
    done = subprocess.run([*pip, *peer.requirements], capture_output=True, text=True)
    if done.returncode:
        raise NotInstalled(done.stderr.strip().rpartition("\n")[2] or f"pip ended with {done.returncode}")
