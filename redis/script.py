"""A Lua script that is sent once and from then on called by its SHA-1.

This module owns what a call does where the server does not have the script.  How EVALSHA and SCRIPT LOAD are sent is
the client's, or the pipeline's, which has all its scripts loaded before it executes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from redis.exceptions import NoScriptError
from redis.protocol.encoder import Encoder


class Script:
    """A script that can be called like a function; ``client.register_script(text)`` makes it, and nothing is sent.

    It can be shared by threads, and called through any client or pipeline.
    """

    def __init__(self, registered_client: Any, script: str | bytes) -> None:
        """Make a script.

        :param registered_client: the client of a call that names none; its charset encodes ``script``.  None: each
            call names its client, and the charset is UTF-8.
        :param script: the text, in Lua.
        """
        encoder = Encoder() if registered_client is None else registered_client.get_encoder()
        self.registered_client = registered_client
        self.script = script
        #: What every server is given: it does not depend on the charset of the client of a call.
        self.encoded = encoder.encode(script)
        #: The SHA-1 by which servers know the script, in hexadecimal digits.
        self.sha = hashlib.sha1(self.encoded, usedforsecurity=False).hexdigest()

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self.sha}>"

    def __call__(self, keys: Sequence[Any] | None = [], args: Iterable[Any] | None = [], client: Any = None) -> Any:
        """Execute the script and return its result; in a pipeline, queue it and return the pipeline.

        ``keys`` are KEYS in the script, ``args`` are ARGV.  ``client`` is a client or a pipeline; None: the one that
        the script was registered with.  Where the server does not have the script, nothing was executed: it is loaded
        and called again.  ResponseError for an error of the script.  https://redis.io/commands/evalsha/
        """
        client = self.registered_client if client is None else client
        prepare = getattr(client, "script_load_for_pipeline", None)
        if prepare is not None:
            prepare(self)
        # Bytes, because a str would be encoded in the charset of the client.
        call = (self.sha.encode(), len(keys or ()), *(keys or ()), *(args or ()))
        try:
            return client.evalsha(*call)
        except NoScriptError:
            client.script_load(self.encoded)
            return client.evalsha(*call)
