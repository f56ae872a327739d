"""The one place that knows how a value becomes bytes and bytes become text.

It must not know what a command is; ``packer.py`` puts the bytes into a frame.
"""

from __future__ import annotations

from typing import Any

Buffer = bytes | bytearray | memoryview


class Encoder:
    """Encode values to bytes, and decode bytes to str, in one charset."""

    __slots__ = ("decode_responses", "encoding", "encoding_errors")

    def __init__(
        self, encoding: str = "utf-8", encoding_errors: str = "strict", decode_responses: bool = False
    ) -> None:
        self.encoding = encoding
        self.encoding_errors = encoding_errors
        self.decode_responses = decode_responses

    def __repr__(self) -> str:
        return f"Encoder({self.encoding!r}, {self.encoding_errors!r}, decode_responses={self.decode_responses})"

    def encode(self, value: Any) -> bytes:
        """Return the bytes that are sent for ``value``.

        Bytes, bytearrays and memoryviews stand for themselves; numbers are sent in ASCII, a float as its repr; anything
        else as ``str(value)`` in the charset.  UnicodeEncodeError where the charset has no such character.
        """
        if isinstance(value, (bytes, bytearray)):
            return bytes(value)
        if isinstance(value, memoryview):
            return value.tobytes()
        if isinstance(value, float):
            return float.__repr__(value).encode("ascii")
        text = value if isinstance(value, str) else str(value)
        if isinstance(value, int) and text.isascii():
            return text.encode("ascii")
        return text.encode(self.encoding, self.encoding_errors)

    def decode(self, value: Any, force: bool = False) -> Any:
        """Return bytes as str where ``decode_responses`` or ``force`` say so; anything else comes back as it is."""
        if (self.decode_responses or force) and isinstance(value, (bytes, bytearray, memoryview)):
            return str(value, self.encoding, self.encoding_errors)
        return value
