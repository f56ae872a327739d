"""What must not be shown: which commands may have a secret among their arguments, and texts without it.

This module owns the list of those commands, and what a server repeats of their arguments.  It must not know who shows a
text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

#: A command of two words stands here with both; the first alone is here too, for a second word that is misspelt.
SECRETIVE = frozenset(
    (
        "ACL",
        "ACL SETUSER",
        "AUTH",
        "CONFIG",
        "CONFIG SET",
        "HELLO",
        "MIGRATE",
        "SENTINEL",
        "SENTINEL CONFIG",
        "SENTINEL CONFIG SET",
        "SENTINEL SET",
    )
)
FIRST_WORDS = frozenset(name for name in SECRETIVE if " " not in name)

HIDDEN = "..."
NAMES = "|".join(sorted(FIRST_WORDS))

#: What a server repeats of the arguments of such a command, between the words that stay.
REPEATED = (
    re.compile(rf"(unknown command ['`\"]?(?:{NAMES})['`\"]?, with args beginning with: ).+()", re.IGNORECASE),
    # A rule that begins so is no password, nor a list that may have one in it.
    re.compile(r"(Error in ACL SETUSER modifier ')(?![-+~&%@]).*(': )", re.IGNORECASE),
    re.compile(r"(Syntax error in HELLO option ').*(')", re.IGNORECASE),
)


def without_secrets(text: str) -> str:
    """Return an error of the server without the arguments that it repeats, where one of them may be a secret."""
    for repeated in REPEATED:
        text = repeated.sub(rf"\g<1>{HIDDEN}\g<2>", text)
    return text


def hide_secret(error: UnicodeEncodeError, commands: Sequence[Sequence[object]]) -> None:
    """Take the text that could not be encoded out of ``error`` where it may be a secret of one of the commands."""
    if any(command and first_word(command[0]) in FIRST_WORDS for command in commands):
        hide_text(error)


def first_word(name: object) -> str:
    """The first word of a command in capitals."""
    text = name.decode("latin-1") if isinstance(name, (bytes, bytearray)) else str(name)
    return text.partition(" ")[0].upper()


def hide_text(error: UnicodeEncodeError) -> None:
    """Take out of an error the text that could not be encoded, and where in it the fault lies."""
    error.object, error.start, error.end = HIDDEN, 0, len(HIDDEN)
    error.args = (error.encoding, HIDDEN, 0, len(HIDDEN), error.reason)


def stay_here(keeper: object) -> NoReturn:
    """The ``__getstate__`` of whatever knows a password: it is not pickled, nor copied, but made where it is used."""
    kind = type(keeper).__name__
    raise TypeError(f"this {kind} cannot be pickled or copied: it may know a password; make another where it is used")
