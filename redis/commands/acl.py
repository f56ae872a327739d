"""Access control lists: users, and what they may do.

This module owns the commands that begin with ACL.  Rules are words of the server and never in the charset of values;
errors raised here show no password.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from redis.commands.args import flag_words, is_one, list_or_args
from redis.commands.group import Group
from redis.commands.replies import bool_ok, native_str
from redis.commands.server_replies import acl_log, acl_user, native
from redis.commands.spec import command
from redis.exceptions import DataError
from redis.protocol.masking import hide_text
from redis.typing import EncodableT, T

Rules = str | bytes | Iterable[str | bytes]
ON_EACH_NODE = {"request_policy": "all_nodes", "response_policy": "all_succeeded"}


def rule(value: Any) -> bytes:
    """Return a rule as the bytes that the server understands."""
    try:
        return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else str(value).encode()
    except UnicodeEncodeError as error:
        hide_text(error)
        raise


def signed_rules(argument: str, values: Any, plus: bytes, minus: bytes) -> list[bytes]:
    """Return the rules of ``values``, whose first character is + or -, with ``plus`` or ``minus`` in its place."""
    rules = [rule(value) for value in list_or_args(values or (), ())]
    if not all(each.startswith((b"+", b"-")) for each in rules):
        raise DataError(f"each of {argument} begins with + (to add it) or - (to remove it)")
    return [(plus if each.startswith(b"+") else minus) + each[1:] for each in rules]


def prefixed_rules(values: Any, prefix: bytes, others: tuple[bytes, ...] = ()) -> list[bytes]:
    """Return the rules of ``values`` with ``prefix``, where they do not begin with it or with one of ``others``."""
    rules = [rule(value) for value in list_or_args(values or (), ())]
    return [each if each.startswith((prefix, *others)) else prefix + each for each in rules]


def category_rules(values: Any) -> list[bytes]:
    """Return the rules of categories, with the @ that may be missing."""
    rules = signed_rules("categories", values, b"+", b"-")
    return [each[:1] + b"@" + each[1:].removeprefix(b"@") for each in rules]


def selector_rules(selectors: Any) -> list[bytes]:
    """Return the rule of each selector, a pair of a rule for a command and one for keys."""
    found = []
    for selector in selectors or ():
        if is_one(selector) or len(list(selector)) != 2:
            raise DataError("each of selectors is a pair: a rule for a command and one for keys")
        (allowed,), keys = (
            signed_rules("selectors", selector[0], b"+", b"-"),
            prefixed_rules(selector[1], b"~", (b"%",)),
        )
        found.append(b"(%b %b)" % (allowed, b" ".join(keys)))
    return found


class ACLCommands(Group[T]):
    """The commands on users and their rights; what comes back is native str in every kind of client."""

    __slots__ = ()

    @command("ACL CAT", reply=native, decode=False, since="6.0.0")
    def acl_cat(self, category: str | None = None) -> list[str]:
        """Return the categories of commands, or the commands of one category.

        Since 6.0.0, https://redis.io/commands/acl-cat/
        """
        return self.execute_command("ACL CAT", *([] if category is None else [category]))

    @command("ACL DELUSER", since="6.0.0", **ON_EACH_NODE)
    def acl_deluser(self, *username: str) -> int:
        """Delete users and close their connections; return how many there were.

        Since 6.0.0, https://redis.io/commands/acl-deluser/
        """
        return self.execute_command("ACL DELUSER", *username)

    @command("ACL DRYRUN", reply=native_str, decode=False, since="7.0.0")
    def acl_dryrun(self, username: str, *args: EncodableT) -> str:
        """Return ``"OK"`` where the user might send the command ``args``, else the reason against it.

        ResponseError where there is no such user or command.  Since 7.0.0, https://redis.io/commands/acl-dryrun/
        """
        return self.execute_command("ACL DRYRUN", username, *args)

    @command("ACL GENPASS", reply=native_str, decode=False, since="6.0.0")
    def acl_genpass(self, bits: int | None = None) -> str:
        """Return a random password in hexadecimal digits, of 256 or as many ``bits``.

        Since 6.0.0, https://redis.io/commands/acl-genpass/
        """
        return self.execute_command("ACL GENPASS", *([] if bits is None else [bits]))

    @command("ACL GETUSER", reply=acl_user, decode=False, since="6.0.0")
    def acl_getuser(self, username: str) -> dict[str, Any] | None:
        """Return the rules of a user; None where there is no such user.

        A dict: ``enabled`` is a bool; ``flags``, ``passwords`` (their SHA-256), ``commands``, ``categories``, ``keys``
        and ``channels`` are lists of str; ``selectors`` is a list of dicts.

        Since 6.0.0, https://redis.io/commands/acl-getuser/
        """
        return self.execute_command("ACL GETUSER", username)

    @command("ACL HELP", reply=native, decode=False, since="6.0.0")
    def acl_help(self) -> list[str]:
        """Return the lines of the server's help.

        Since 6.0.0, https://redis.io/commands/acl-help/
        """
        return self.execute_command("ACL HELP")

    @command("ACL LIST", reply=native, decode=False, since="6.0.0")
    def acl_list(self) -> list[str]:
        """Return the rules of each user as one line, in the form of the server's configuration.

        Since 6.0.0, https://redis.io/commands/acl-list/
        """
        return self.execute_command("ACL LIST")

    @command("ACL LOAD", reply=bool_ok, since="6.0.0")
    def acl_load(self) -> bool:
        """Read the users from the file again; return True.  ResponseError where there is no file, or a fault in it.

        Since 6.0.0, https://redis.io/commands/acl-load/
        """
        return self.execute_command("ACL LOAD")

    @command("ACL LOG", reply=acl_log, decode=False, since="6.0.0")
    def acl_log(self, count: int | None = None) -> list[dict[str, Any]]:
        """Return the newest refusals, 10 or ``count`` of them.

        Each is a dict: ``reason``, ``context``, ``object``, ``username``, ``count``, ``age-seconds`` (a float) and
        ``client-info`` (a dict, as of :meth:`client_info`).  Since 6.0.0, https://redis.io/commands/acl-log/
        """
        return self.execute_command("ACL LOG", *([] if count is None else [count]))

    def acl_log_reset(self) -> bool:
        """Empty the list of :meth:`acl_log`; return True.

        Since 6.0.0, https://redis.io/commands/acl-log/
        """
        return self.execute_command("ACL LOG", b"RESET")

    @command("ACL SAVE", reply=bool_ok, since="6.0.0", **ON_EACH_NODE)
    def acl_save(self) -> bool:
        """Write the users to the file; return True.  ResponseError where none is configured.

        Since 6.0.0, https://redis.io/commands/acl-save/
        """
        return self.execute_command("ACL SAVE")

    @command("ACL SETUSER", reply=bool_ok, since="6.0.0", **ON_EACH_NODE)
    def acl_setuser(
        self,
        username: str,
        enabled: bool = False,
        nopass: bool = False,
        passwords: Rules | None = None,
        hashed_passwords: Rules | None = None,
        categories: Rules | None = None,
        commands: Rules | None = None,
        keys: Rules | None = None,
        channels: Rules | None = None,
        selectors: Iterable[tuple[Any, Any]] | None = None,
        reset: bool = False,
        reset_keys: bool = False,
        reset_channels: bool = False,
        reset_passwords: bool = False,
    ) -> bool:
        """Make a user, or add rules to one; return True.

        ``passwords``, ``hashed_passwords`` (SHA-256), ``categories`` and ``commands`` are one text or several, each
        with a + (to add or allow it) or a - before it; ``keys`` and ``channels`` are patterns, keys also as the server
        writes them (``"%R~a*"``); ``selectors`` are pairs such as ``("+get", "a*")``.  Without ``enabled`` the user
        cannot log in.  ``reset`` begins with no rule, the others of that name drop what they say.  DataError for what
        has no sign, or for ``nopass`` with passwords.

        Since 6.0.0, selectors 7.0.0, https://redis.io/commands/acl-setuser/
        """
        if nopass and (passwords or hashed_passwords):
            raise DataError("nopass excludes passwords and hashed_passwords")
        words = flag_words((b"reset", reset), (b"resetkeys", reset_keys), (b"resetchannels", reset_channels))
        words += flag_words((b"resetpass", reset_passwords), (b"on" if enabled else b"off", True), (b"nopass", nopass))
        words += signed_rules("passwords", passwords, b">", b"<")
        words += signed_rules("hashed_passwords", hashed_passwords, b"#", b"!")
        words += category_rules(categories) + signed_rules("commands", commands, b"+", b"-")
        words += prefixed_rules(keys, b"~", (b"%",)) + prefixed_rules(channels, b"&") + selector_rules(selectors)
        return self.execute_command("ACL SETUSER", username, *words)

    @command("ACL USERS", reply=native, decode=False, since="6.0.0")
    def acl_users(self) -> list[str]:
        """Return the names of the users.

        Since 6.0.0, https://redis.io/commands/acl-users/
        """
        return self.execute_command("ACL USERS")

    @command("ACL WHOAMI", reply=native_str, decode=False, since="6.0.0")
    def acl_whoami(self) -> str:
        """Return the name of the user that the connections of this client have.

        Since 6.0.0, https://redis.io/commands/acl-whoami/
        """
        return self.execute_command("ACL WHOAMI")
