"""Scripts and functions that the server executes.

This module owns the commands of https://redis.io/commands/?group=scripting.  Their replies are what the script
returns.  A script is never taken for read-only, whatever it does, but where it is called by an ``_ro`` method.
"""

from __future__ import annotations

from typing import Any

from redis.commands.args import choice, flag_words
from redis.commands.group import Group
from redis.commands.replies import bool_ok, native_str
from redis.commands.server_replies import function_libraries, function_stats, list_of_bool
from redis.commands.spec import command, counted_keys, declare
from redis.typing import T

ON_EACH_SHARD = {"request_policy": "all_shards", "response_policy": "all_succeeded"}
WHERE_IT_RUNS = {"request_policy": "all_shards", "response_policy": "one_succeeded"}

declare("FUNCTION HELP", since="7.0.0")
declare("SCRIPT HELP", since="5.0.0")


class ScriptingCommands(Group[T]):
    """The commands on scripts and functions."""

    __slots__ = ()

    @command("EVAL", keys=counted_keys(2), since="2.6.0")
    def eval(self, script: str | bytes, numkeys: int, *keys_and_args: Any) -> Any:
        """Execute a Lua script and return its result.

        The first ``numkeys`` of ``keys_and_args`` are keys, KEYS in the script, the others are ARGV.  ResponseError for
        an error of the script.  Since 2.6.0, https://redis.io/commands/eval/
        """
        return self.execute_command("EVAL", script, numkeys, *keys_and_args)

    @command("EVAL_RO", keys=counted_keys(2), readonly=True, since="7.0.0")
    def eval_ro(self, script: str | bytes, numkeys: int, *keys_and_args: Any) -> Any:
        """Execute a script that writes nothing, on a replica too; as :meth:`eval`.  ResponseError where it writes.

        Since 7.0.0, https://redis.io/commands/eval_ro/
        """
        return self.execute_command("EVAL_RO", script, numkeys, *keys_and_args)

    @command("EVALSHA", keys=counted_keys(2), since="2.6.0")
    def evalsha(self, sha: str | bytes, numkeys: int, *keys_and_args: Any) -> Any:
        """Execute the script whose SHA-1 is ``sha``; as :meth:`eval`.  NoScriptError where the server has it not.

        Since 2.6.0, https://redis.io/commands/evalsha/
        """
        return self.execute_command("EVALSHA", sha, numkeys, *keys_and_args)

    @command("EVALSHA_RO", keys=counted_keys(2), readonly=True, since="7.0.0")
    def evalsha_ro(self, sha: str | bytes, numkeys: int, *keys_and_args: Any) -> Any:
        """Execute the script whose SHA-1 is ``sha`` and that writes nothing; as :meth:`eval_ro`.

        Since 7.0.0, https://redis.io/commands/evalsha_ro/
        """
        return self.execute_command("EVALSHA_RO", sha, numkeys, *keys_and_args)

    @command("FCALL", keys=counted_keys(2), since="7.0.0")
    def fcall(self, function: str, numkeys: int, *keys_and_args: Any) -> Any:
        """Call a function of a loaded library and return its result; the arguments are those of :meth:`eval`.

        ResponseError where there is no such function.  Since 7.0.0, https://redis.io/commands/fcall/
        """
        return self.execute_command("FCALL", function, numkeys, *keys_and_args)

    @command("FCALL_RO", keys=counted_keys(2), readonly=True, since="7.0.0")
    def fcall_ro(self, function: str, numkeys: int, *keys_and_args: Any) -> Any:
        """Call a function that has the flag ``no-writes``, on a replica too; as :meth:`fcall`.

        Since 7.0.0, https://redis.io/commands/fcall_ro/
        """
        return self.execute_command("FCALL_RO", function, numkeys, *keys_and_args)

    @command("FUNCTION DELETE", write=True, reply=bool_ok, since="7.0.0", **ON_EACH_SHARD)
    def function_delete(self, library: str) -> bool:
        """Delete a library and its functions; return True.  ResponseError where there is no such library.

        Since 7.0.0, https://redis.io/commands/function-delete/
        """
        return self.execute_command("FUNCTION DELETE", library)

    @command("FUNCTION DUMP", decode=False, since="7.0.0")
    def function_dump(self) -> bytes:
        """Return all libraries in the form that :meth:`function_restore` takes, always bytes.

        Since 7.0.0, https://redis.io/commands/function-dump/
        """
        return self.execute_command("FUNCTION DUMP")

    @command("FUNCTION FLUSH", write=True, reply=bool_ok, since="7.0.0", **ON_EACH_SHARD)
    def function_flush(self, mode: str = "SYNC") -> bool:
        """Delete all libraries, with ``mode`` ASYNC in the background; return True.

        Since 7.0.0, https://redis.io/commands/function-flush/
        """
        return self.execute_command("FUNCTION FLUSH", choice("mode", mode, "SYNC", "ASYNC"))

    @command("FUNCTION KILL", reply=bool_ok, since="7.0.0", **WHERE_IT_RUNS)
    def function_kill(self) -> bool:
        """End the function that is running; return True.

        ResponseError where none is running, or where it has written already.

        Since 7.0.0, https://redis.io/commands/function-kill/
        """
        return self.execute_command("FUNCTION KILL")

    @command("FUNCTION LIST", reply=function_libraries, decode=False, since="7.0.0")
    def function_list(self, library: str = "*", withcode: bool = False) -> list[dict[str, Any]]:
        """Return the libraries whose names match the pattern ``library``.

        Each is a dict of str: ``library_name``, ``engine``, ``functions`` (a list of dicts with ``name``,
        ``description``, ``flags``) and, with ``withcode``, ``library_code``.

        Since 7.0.0, https://redis.io/commands/function-list/
        """
        code = flag_words((b"WITHCODE", withcode))
        return self.execute_command("FUNCTION LIST", b"LIBRARYNAME", library, *code)

    @command("FUNCTION LOAD", write=True, reply=native_str, since="7.0.0", **ON_EACH_SHARD)
    def function_load(self, code: str | bytes, replace: bool = False) -> str:
        """Load a library from its source text; return its name, always a str.

        ResponseError where there is one of that name, unless ``replace``, or where the code does not compile.

        Since 7.0.0, https://redis.io/commands/function-load/
        """
        return self.execute_command("FUNCTION LOAD", *flag_words((b"REPLACE", replace)), code)

    @command("FUNCTION RESTORE", write=True, reply=bool_ok, since="7.0.0", **ON_EACH_SHARD)
    def function_restore(self, payload: bytes, policy: str = "APPEND") -> bool:
        """Load the libraries of :meth:`function_dump`; return True.

        ``policy`` says what becomes of those that are there: APPEND keeps them (ResponseError where names collide),
        REPLACE lets the new ones win, FLUSH deletes all before.

        Since 7.0.0, https://redis.io/commands/function-restore/
        """
        return self.execute_command("FUNCTION RESTORE", payload, choice("policy", policy, "APPEND", "REPLACE", "FLUSH"))

    @command(
        "FUNCTION STATS",
        reply=function_stats,
        decode=False,
        since="7.0.0",
        request_policy="all_shards",
        response_policy="special",
    )
    def function_stats(self) -> dict[str, Any]:
        """Return what is running and what is loaded.

        A dict: ``running_script``, None or a dict with ``name``, ``command`` and ``duration_ms``; ``engines``, a dict
        of dicts with ``libraries_count`` and ``functions_count``.

        Since 7.0.0, https://redis.io/commands/function-stats/
        """
        return self.execute_command("FUNCTION STATS")

    @command("SCRIPT DEBUG", reply=bool_ok, since="3.2.0")
    def script_debug(self, mode: str) -> bool:
        """Set how scripts of this connection are debugged, YES, SYNC or NO; return True.

        The connection is not used again, so this is for a client with ``single_connection_client=True``.

        Since 3.2.0, https://redis.io/commands/script-debug/
        """
        return self.execute_command("SCRIPT DEBUG", choice("mode", mode, "YES", "SYNC", "NO"))

    @command(
        "SCRIPT EXISTS",
        reply=list_of_bool,
        since="2.6.0",
        request_policy="all_shards",
        response_policy="agg_logical_and",
    )
    def script_exists(self, *args: str | bytes) -> list[bool]:
        """Return for each SHA-1 of ``args`` whether the server has that script.

        Since 2.6.0, https://redis.io/commands/script-exists/
        """
        return self.execute_command("SCRIPT EXISTS", *args)

    @command("SCRIPT FLUSH", reply=bool_ok, since="2.6.0", request_policy="all_nodes", response_policy="all_succeeded")
    def script_flush(self, sync_type: str | None = None) -> bool:
        """Forget all scripts, as ``sync_type`` says SYNC or ASYNC, or as the server is configured; return True.

        Since 2.6.0, sync_type 6.2.0, https://redis.io/commands/script-flush/
        """
        words = [] if sync_type is None else [choice("sync_type", sync_type, "SYNC", "ASYNC")]
        return self.execute_command("SCRIPT FLUSH", *words)

    @command("SCRIPT KILL", reply=bool_ok, since="2.6.0", **WHERE_IT_RUNS)
    def script_kill(self) -> bool:
        """End the script that is running; return True.

        ResponseError where none is running, or where it has written already.

        Since 2.6.0, https://redis.io/commands/script-kill/
        """
        return self.execute_command("SCRIPT KILL")

    @command(
        "SCRIPT LOAD", reply=native_str, since="2.6.0", request_policy="all_nodes", response_policy="all_succeeded"
    )
    def script_load(self, script: str | bytes) -> str:
        """Give a script to the server without executing it; return its SHA-1 for :meth:`evalsha`, always a str.

        Since 2.6.0, https://redis.io/commands/script-load/
        """
        return self.execute_command("SCRIPT LOAD", script)

    @command("SCRIPT SHOW", since="Valkey 8.0.0")
    def script_show(self, sha: str | bytes) -> T:
        """Return the text of the script whose SHA-1 is ``sha``; NoScriptError where the server has it not.

        Since Valkey 8.0.0, https://valkey.io/commands/script-show/
        """
        return self.execute_command("SCRIPT SHOW", sha)
