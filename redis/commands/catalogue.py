"""What the server tells of its commands.

This module owns the commands that begin with COMMAND.  Names and descriptions are native str in every kind of client,
names in small letters, those of two words with a ``|`` between.
"""

from __future__ import annotations

from typing import Any

from redis.commands.args import at_most_one, flag_words, option_words
from redis.commands.group import Group
from redis.commands.server_replies import by_name, command_docs, command_entry, command_table, keys_and_flags, native
from redis.commands.spec import command, declare
from redis.typing import EncodableT, T

declare("COMMAND HELP", since="5.0.0")


def entries(response: Any) -> list[dict[str, Any] | None]:
    """Return what COMMAND tells of each command that was asked for."""
    return [command_entry(entry) for entry in response]


class CatalogueCommands(Group[T]):
    """The commands on commands."""

    __slots__ = ()

    @command("COMMAND COUNT", since="2.8.13")
    def command_count(self) -> int:
        """Return the number of the server's commands.

        Since 2.8.13, https://redis.io/commands/command-count/
        """
        return self.execute_command("COMMAND COUNT")

    @command("COMMAND DOCS", reply=by_name(command_docs), decode=False, since="7.0.0")
    def command_docs(self, *args: str) -> dict[str, dict[str, Any]]:
        """Return the documentation of the commands ``args``, or of all, by their names.

        A dict each: ``summary``, ``since``, ``group``, ``complexity``, ``arguments`` (a list of dicts), and what else
        the server tells.  Commands that it does not have are left out.

        Since 7.0.0, https://redis.io/commands/command-docs/
        """
        return self.execute_command("COMMAND DOCS", *args)

    @command("COMMAND GETKEYS", since="2.8.13")
    def command_getkeys(self, *args: EncodableT) -> list[T]:
        """Return the keys among the words of a command.  ResponseError where it has none, or cannot be meant so.

        Since 2.8.13, https://redis.io/commands/command-getkeys/
        """
        return self.execute_command("COMMAND GETKEYS", *args)

    @command("COMMAND GETKEYSANDFLAGS", reply=keys_and_flags, since="7.0.0")
    def command_getkeysandflags(self, *args: EncodableT) -> list[tuple[T, list[str]]]:
        """Return each key among the words of a command, with what the command does to it (``"RO"``, ``"delete"`` ...).

        Since 7.0.0, https://redis.io/commands/command-getkeysandflags/
        """
        return self.execute_command("COMMAND GETKEYSANDFLAGS", *args)

    @command("COMMAND INFO", reply=entries, decode=False, since="2.8.13")
    def command_info(self, *args: str) -> list[dict[str, Any] | None]:
        """Return what :meth:`command` tells of each of the commands ``args``; None for one that is not there.

        Since 2.8.13, https://redis.io/commands/command-info/
        """
        return self.execute_command("COMMAND INFO", *args)

    @command("COMMAND LIST", reply=native, decode=False, since="7.0.0")
    def command_list(
        self, module: str | None = None, category: str | None = None, pattern: str | None = None
    ) -> list[str]:
        """Return the names of all commands, or those of a module, of a category of ACLs, or that match a pattern.

        DataError where two are given.  Since 7.0.0, https://redis.io/commands/command-list/
        """
        at_most_one(module=module, category=category, pattern=pattern)
        words = option_words((b"MODULE", module), (b"ACLCAT", category), (b"PATTERN", pattern))
        return self.execute_command("COMMAND LIST", *flag_words((b"FILTERBY", words)), *words)

    # The last of the class: from here on its name is that of the decorator.
    @command("COMMAND", reply=command_table, decode=False, since="2.8.13")
    def command(self) -> dict[str, dict[str, Any]]:
        """Return what the server tells of its commands, by their names.

        A dict each: ``name``, ``arity``, ``flags``, ``first_key_pos``, ``last_key_pos``, ``step_count``,
        ``acl_categories``, ``tips``, ``key_specifications`` and ``subcommands``, lists of dicts.

        Since 2.8.13, https://redis.io/commands/command/
        """
        return self.execute_command("COMMAND")
