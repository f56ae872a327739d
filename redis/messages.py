"""The messages of Pub/Sub: what a frame that comes over a connection that listens means.

This module must not know connections, nor who has subscribed to what.
"""

from __future__ import annotations

from typing import Any

Message = dict[str, Any]


def message_of(kind: str, pattern: Any = None, channel: Any = None, data: Any = None) -> Message:
    """A message: a dict with these four keys, always."""
    return {"type": kind, "pattern": pattern, "channel": channel, "data": data}


def parse_message(response: Any) -> Message:
    """The message of a frame."""
    if not isinstance(response, list):  # PING in RESP3, or where nothing is subscribed
        return message_of("pong", data=response)
    kind = response[0].decode() if isinstance(response[0], bytes) else response[0]
    if kind == "pong":
        return message_of(kind, data=response[1])
    if kind == "pmessage":
        return message_of(kind, *response[1:])
    return message_of(kind, None, *response[1:3])


def prefix(kind: str) -> str:
    """``"P"`` for patterns, ``"S"`` for shard channels, ``""`` for channels: ``PSUBSCRIBE``, ``smessage`` ..."""
    kind = kind.upper()
    for word in ("UNSUBSCRIBE", "SUBSCRIBE", "MESSAGE"):
        if kind.endswith(word):
            return kind.removesuffix(word)
    return ""


def opposite(command: str) -> str:
    """``"PSUBSCRIBE"`` gives ``"PUNSUBSCRIBE"``."""
    return f"{prefix(command)}UNSUBSCRIBE"
