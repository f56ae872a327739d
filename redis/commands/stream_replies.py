"""What the replies of the commands on streams become: entries as tuples, reports as dicts.

Each function is called as ``function(response, **options)`` and takes the reply of RESP2 and of RESP3.  An entry is a
tuple of its ID and a dict of its fields, an empty one where the entry has been deleted meanwhile.
"""

from __future__ import annotations

from typing import Any

from redis.commands.replies import native_str, pairs_of, pairs_to_dict

Entry = tuple[Any, ...]


def as_entry(item: Any) -> Entry:
    """Return one entry; what the server tells of it beyond its fields follows them."""
    return (item[0], pairs_to_dict(item[1]), *item[2:])


def as_entries(response: Any, **options: Any) -> list[Entry]:
    """Return a list of entries, without those that an old server leaves out by a null."""
    return [as_entry(item) for item in response or () if item is not None]


def as_streams(response: Any, **options: Any) -> list[list[Any]]:
    """Return a list of lists of two: the name of a stream and its entries; an empty list for no entry at all."""
    return [[name, as_entries(entries)] for name, entries in pairs_of(response)]


def claimed_entries(response: Any, justid: bool = False, **options: Any) -> list[Any]:
    """Return a list of entries, or of their IDs alone."""
    return response if justid else as_entries(response)


def autoclaimed_entries(response: Any, justid: bool = False, **options: Any) -> list[Any]:
    """Return a list of the next ID, the entries and, where the server tells them, the IDs that are deleted."""
    next_id, entries, *deleted = response
    return entries if justid else [next_id, as_entries(entries), *deleted]


def as_pending(response: Any, **options: Any) -> dict[str, Any]:
    """Return the summary of what is pending as a dict."""
    count, lowest, highest, consumers = response
    each = [{"name": name, "pending": int(number)} for name, number in consumers or ()]
    return {"pending": count, "min": lowest, "max": highest, "consumers": each}


def as_pending_range(response: Any) -> list[dict[str, Any]]:
    """Return what is pending, entry by entry, as a list of dicts."""
    names = ("message_id", "consumer", "time_since_delivered", "times_delivered")
    return [dict(zip(names, entry)) for entry in response]


def xpending_reply(response: Any, detailed: bool = False, **options: Any) -> Any:
    """Return what XPENDING tells, in one of its two forms."""
    return as_pending_range(response) if detailed else as_pending(response)


def report(response: Any) -> dict[str, Any]:
    """Return names and values as a dict whose keys are native str."""
    return {native_str(name): value for name, value in pairs_of(response)}


def reports(response: Any, **options: Any) -> list[dict[str, Any]]:
    """Return a list of dicts whose keys are native str."""
    return [report(item) for item in response]


def stream_report(response: Any, full: bool = False, **options: Any) -> dict[str, Any]:
    """Return what XINFO STREAM tells as a dict, in which entries are what they are everywhere."""
    facts = report(response)
    if full:
        return {**facts, "entries": dict(as_entries(facts["entries"])), "groups": group_reports(facts["groups"])}
    ends = ("first-entry", "last-entry")
    return {**facts, **{end: as_entry(facts[end]) if facts[end] else None for end in ends}}


def group_reports(response: Any) -> list[dict[str, Any]]:
    """Return the groups of a full report, each with a list of its consumers."""
    groups = reports(response)
    return [{**group, "consumers": reports(group["consumers"])} for group in groups]
