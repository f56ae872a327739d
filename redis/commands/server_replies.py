"""What the server says of itself: the functions that shape the replies of its administration.

Names, states, rules and reports are facts of the server and not values of a user: they are native str in every kind of
client, and a list of pairs (RESP2) and a map (RESP3) give the same dict.  This module knows shapes, not commands, and
never touches a connection.  Several functions are reached as ``redis.client.parse_client_list`` and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from redis.commands.replies import native_str, pairs_of, pairs_to_dict, pairs_to_dict_typed

Convert = Callable[[Any], Any]


def native(value: Any) -> Any:
    """Return the reply with native str in the place of bytes, however deep they stand."""
    if isinstance(value, list):
        return [native(item) for item in value]
    if isinstance(value, Mapping):
        return {native(name): native(item) for name, item in value.items()}
    return native_str(value)


def native_dict(response: Any) -> dict[Any, Any]:
    """Return pairs as a dict of native str."""
    return {native_str(name): native(value) for name, value in pairs_of(response)}


def record(**fields: Convert) -> Convert:
    """Return a function that makes a dict of pairs, and of the value of each of ``fields`` what its function says.

    A field with a hyphen is spelt with an underscore in ``fields``.  None stays None.
    """
    converters = {name.replace("_", "-"): convert for name, convert in fields.items()} | fields

    def reply(response: Any) -> dict[str, Any] | None:
        if response is None:
            return None
        names = ((native_str(name), value) for name, value in pairs_of(response))
        return {name: converters.get(name, native)(value) for name, value in names}

    return reply


def records(**fields: Convert) -> Convert:
    """Return a function that makes such a dict of each item of a list."""
    reply = record(**fields)
    return lambda response: [reply(item) for item in response]


def by_name(convert: Convert) -> Convert:
    """Return a function that makes a dict of names and what ``convert`` makes of their values."""
    return lambda response: {native_str(name): convert(value) for name, value in pairs_of(response)}


def list_of_bool(response: Any) -> list[bool]:
    """Return each number of the reply as a bool."""
    return [bool(item) for item in response]


def number_or_ok(response: Any) -> int | bool:
    """Return a number as it is, else whether the reply is OK."""
    return response if isinstance(response, int) else native_str(response) == "OK"


def words_of(value: Any) -> list[str]:
    """Return the words of a text; a list (the form of older servers) is returned as one of native str."""
    return native(value) if isinstance(value, list) else native_str(value).split()


def number_of(value: Any) -> float:
    """Return a number that RESP2 sends as text as a float."""
    return float(native_str(value))


# Clients.


def parse_client(line: str) -> dict[str, str]:
    """Return one line of ``name=value`` words as a dict; a value may have an equals sign."""
    pairs = (pair.partition("=") for pair in line.split(" "))
    return {name: value for name, _, value in pairs if name}


def parse_client_info(response: Any, **options: Any) -> dict[str, str]:
    """Return what CLIENT INFO says as a dict of str."""
    return parse_client(native_str(response).rstrip("\n"))


def parse_client_list(response: Any, **options: Any) -> list[dict[str, str]]:
    """Return one dict of str for each client."""
    return [parse_client(line) for line in native_str(response).splitlines()]


def parse_debug_object(response: Any) -> dict[str, Any]:
    """Return the report of DEBUG OBJECT as a dict of str; counts and times are int.  Its first word is the type."""
    fields = (word.partition(":") for word in f"type:{native_str(response)}".split())
    numbers = ("refcount", "serializedlength", "lru", "lru_seconds_idle")
    return {name: int(value) if name in numbers else value for name, _, value in fields}


# Access control lists.

SELECTOR = record()
acl_user_fields = record(
    commands=words_of,
    keys=words_of,
    channels=words_of,
    databases=words_of,
    selectors=lambda all_of: [*map(SELECTOR, all_of)],
)


def acl_user(response: Any) -> dict[str, Any] | None:
    """Return a user's rules: lists of str, ``enabled``, and the rules of categories apart; None for no such user."""
    user: dict[str, Any] | None = acl_user_fields(response)
    if user is not None:
        rules = user["commands"]
        user["commands"] = [rule for rule in rules if "@" not in rule]
        user["categories"] = [rule for rule in rules if "@" in rule]
        user["enabled"] = "on" in user["flags"]
    return user


acl_log_entries = records(age_seconds=number_of, client_info=parse_client_info)


def acl_log(response: Any, **options: Any) -> Any:
    """Return the entries of the log as dicts; whether the answer is OK where the log was emptied."""
    return acl_log_entries(response) if isinstance(response, list) else number_or_ok(response)


# Slow and large commands.


def parse_slowlog_get(response: Any, **options: Any) -> list[dict[str, Any]]:
    """Return the entries of the log as dicts; ``command`` is the words joined by spaces, bytes or str as values are.

    ``options["measure"]`` names what was measured: "duration", in microseconds, by default.
    """
    return [_logged(entry, options.get("measure", "duration")) for entry in response]


def _logged(entry: Any, measure: str) -> dict[str, Any]:
    number, start, measured, words, *client = entry
    command = " ".join(words) if words and isinstance(words[0], str) else b" ".join(words)
    found = {"id": number, "start_time": int(start), measure: int(measured), "command": command}
    return found | dict(zip(("client_address", "client_name"), native(client)))


# Commands of the server.

COMMAND_FIELDS = (
    "name",
    "arity",
    "flags",
    "first_key_pos",
    "last_key_pos",
    "step_count",
    "acl_categories",
    "tips",
    "key_specifications",
    "subcommands",
)
key_specification = record(begin_search=record(spec=native_dict), find_keys=record(spec=native_dict))


def command_entry(entry: Any) -> dict[str, Any] | None:
    """Return what COMMAND tells of one command as a dict; None where the server does not have it."""
    if entry is None:
        return None
    told = dict(zip(COMMAND_FIELDS, entry))
    specifications = [key_specification(each) for each in told.pop("key_specifications", ())]
    subcommands = [command_entry(each) for each in told.pop("subcommands", ())]
    return {**native(told), "key_specifications": specifications, "subcommands": subcommands}


def command_table(response: Any) -> dict[str, dict[str, Any]]:
    """Return what COMMAND tells, by the names of the commands."""
    entries = (command_entry(entry) for entry in response)
    return {entry["name"]: entry for entry in entries if entry is not None}


def command_argument(response: Any) -> Any:
    """Return what COMMAND DOCS tells of an argument; one of several has the list of them."""
    return record(arguments=lambda several: [command_argument(each) for each in several])(response)


def command_docs(response: Any) -> Any:
    """Return what COMMAND DOCS tells of one command."""
    return record(
        arguments=lambda several: [command_argument(each) for each in several], subcommands=by_name(command_docs)
    )(response)


def keys_and_flags(response: Any) -> list[tuple[Any, list[str]]]:
    """Return each key with what is done to it."""
    return [(key, native(flags)) for key, flags in response]


# Measurements.


def memory_stats(response: Any) -> dict[str, Any]:
    """Return the numbers of MEMORY STATS; those of a database are a dict, and percentages are float."""
    return {name: _measured(name, value) for name, value in pairs_to_dict_native(response).items()}


def pairs_to_dict_native(response: Any) -> dict[str, Any]:
    """Return pairs as a dict whose names are native str and whose values are as they came."""
    return {native_str(name): value for name, value in pairs_of(response)}


def _measured(name: str, value: Any) -> Any:
    if isinstance(value, (list, Mapping)):
        return native_dict(value)
    if isinstance(value, (int, float)) or not name.endswith(("percentage", "ratio", "fragmentation")):
        return native_str(value)
    return number_of(value)


histograms = by_name(record(histogram_usec=lambda pairs: dict(pairs_of(pairs))))


# Functions.

function_libraries = records(functions=records())
function_stats = record(running_script=record(), engines=by_name(record()))


# Sentinels.

SENTINEL_STATE_TYPES: dict[str, Convert] = dict.fromkeys(
    """
    can-failover-its-master config-epoch down-after-milliseconds failover-timeout info-refresh last-hello-message
    last-ok-ping-reply last-ping-reply last-ping-sent link-pending-commands link-refcount master-link-down-time
    master-port num-other-sentinels num-slaves o-down-time parallel-syncs pending-commands port quorum
    replica-announced role-reported-time s-down-time slave-priority slave-repl-offset voted-leader-epoch
    """.split(),
    int,
)
"""The fields of a sentinel's reports that are numbers."""
SENTINEL_FLAGS = {
    "is_master": "master",
    "is_slave": "slave",
    "is_sdown": "s_down",
    "is_odown": "o_down",
    "is_sentinel": "sentinel",
    "is_disconnected": "disconnected",
    "is_master_down": "master_down",
}


def parse_sentinel_state(item: Any) -> dict[str, Any]:
    """Return what a sentinel knows of a server, and of its flags what is asked most as bool: ``is_sdown`` ..."""
    state = pairs_to_dict_typed(native_dict(item), SENTINEL_STATE_TYPES)
    flags = state["flags"].split(",")
    return state | {name: flag in flags for name, flag in SENTINEL_FLAGS.items()}


def parse_sentinel_master(response: Any) -> dict[str, Any]:
    """Return what a sentinel knows of a master."""
    return parse_sentinel_state(response)


def parse_sentinel_masters(response: Any) -> dict[str, dict[str, Any]]:
    """Return what a sentinel knows of its masters, by their names."""
    return {state["name"]: state for state in map(parse_sentinel_state, response)}


def parse_sentinel_slaves_and_sentinels(response: Any) -> list[dict[str, Any]]:
    """Return what a sentinel knows of the replicas of a master, or of the other sentinels."""
    return [parse_sentinel_state(item) for item in response]


def parse_sentinel_get_master(response: Any) -> tuple[Any, int] | None:
    """Return the address of a master, host and port; None where the sentinel does not know it."""
    return (response[0], int(response[1])) if response else None


# Cluster.


def parse_cluster_info(response: Any, **options: Any) -> dict[str, str]:
    """Return the report of CLUSTER INFO as a dict of str."""
    lines = (line.partition(":") for line in native_str(response).splitlines() if line)
    return {name: value for name, _, value in lines}


def parse_cluster_nodes(response: Any, **options: Any) -> dict[str, dict[str, Any]]:
    """Return what a node knows of the nodes of its cluster, by their addresses ``host:port``."""
    lines = response if isinstance(response, list) else native_str(response).splitlines()
    return dict(_parse_node_line(native_str(line)) for line in lines)


def _parse_node_line(line: str) -> tuple[str, dict[str, Any]]:
    node_id, address, flags, master_id, ping, pong, epoch, link, *slots = line.split()
    address, _, names = address.partition(",")
    return address.partition("@")[0], {
        "node_id": node_id,
        "hostname": names.partition(",")[0],
        "flags": flags,
        "master_id": master_id,
        "last_ping_sent": ping,
        "last_pong_rcvd": pong,
        "epoch": epoch,
        "slots": [slot.split("-") for slot in slots if not slot.startswith("[")],
        "migrations": [_parse_migration(slot) for slot in slots if slot.startswith("[")],
        "connected": link == "connected",
    }


def _parse_migration(text: str) -> dict[str, str]:
    """Return ``[93->-id]`` or ``[93-<-id]`` as a dict."""
    slot, arrow, node_id = text.strip("[]").split("-", 2)
    return {"slot": slot, "node_id": node_id, "state": "migrating" if arrow == ">" else "importing"}


def cluster_slots(response: Any) -> list[list[Any]]:
    """Return each range of slots with its nodes; what is told of a node beyond host, port and id is a dict."""
    return [[first, last, *map(_node_of_slots, nodes)] for first, last, *nodes in response]


def _node_of_slots(node: list[Any]) -> list[Any]:
    return [*node[:3], *map(pairs_to_dict, node[3:])]


def _pairs(numbers: list[Any]) -> list[tuple[Any, Any]]:
    return list(zip(numbers[::2], numbers[1::2]))


cluster_shards = records(slots=_pairs, nodes=records())


def cluster_slot_stats(response: Any) -> dict[int, dict[str, Any]]:
    """Return the numbers of each slot, in the order in which they came."""
    return {slot: native_dict(numbers) for slot, numbers in response}


def cursor_and_keys(response: Any, **options: Any) -> tuple[str, list[Any]]:
    """Return the next cursor, a text, and the keys."""
    return native_str(response[0]), response[1]
