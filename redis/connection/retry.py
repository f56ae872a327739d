"""When a command may be sent again: the table, as one function.

====================================  ==================  =========================================
what went wrong                       applied?            sent again
====================================  ==================  =========================================
nothing, or not all of it, was sent   no                  yes, on a new connection
a reset, an end, a reply cut short    unknown             once, if it is read-only
a time-out                            unknown             if the user said ``retry_on_timeout``
====================================  ==================  =========================================

A command that blocks is never sent again when its outcome is unknown.  This module must not know how to send.
"""

from __future__ import annotations


def may_send_again(unknown: bool, timed_out: bool, readonly: bool, blocking: bool, retry_on_timeout: bool) -> bool:
    """Whether a command whose first attempt failed is sent a second time.

    ``unknown``: it may have been applied; ``timed_out``: what failed was a matter of time.
    """
    if blocking and unknown:
        return False
    if timed_out:
        return retry_on_timeout
    return readonly or not unknown
