"""A lock that processes and machines share: a key of the server whose value is the token of its holder.

This module owns what holding means: the scripts that compare tokens, waiting, renewal, and above all the truth after a
lost reply.  A command of the lock whose outcome is unknown is followed by a question to the server, in a form that may
be repeated without harm.  It must not know sockets and pools.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import inf
from time import monotonic
from types import TracebackType
from typing import Any, ClassVar, TypeVar

from redis.connection.checks import is_pause
from redis.connection.deadline import at_most
from redis.connection.retry import Once
from redis.exceptions import ConnectionError, LockError, LockNotOwnedError, RedisError, TimeoutError, WatchError
from redis.typing import KeyT

__all__ = ["Lock", "LockError", "LuaLock", "WatchError", "dummy"]

AnyLock = TypeVar("AnyLock", bound="Lock")

PAUSES = (0, 0.1, 0.2)
"""Seconds before each question about an unknown outcome; there are no more than these."""
SCRIPTS = ("acquire", "release", "extend", "reacquire")


class OwnToken(bytes):
    """A token that nobody else can have: where the server has it, it has it from this very holder."""


class Lock:
    """A lock on a server, made by ``client.lock(name)``.

    ::

        with client.lock("report", timeout=30):
            ...

    It is not re-entrant.  After ``timeout`` seconds the server gives it to the next one, whatever its holder does.  It
    should have one: a holder that has died, or an attempt that reaches the server when nobody waits for it any more,
    blocks the others no longer than that.
    """

    # KEYS[1] is the name and ARGV[1] the token, everywhere.  Times are in milliseconds.

    #: ARGV[2]: the time to live, or empty.  ARGV[3]: not empty if the token can be nobody else's.  1 or 0.
    LUA_ACQUIRE_SCRIPT = """
        local holder = redis.call('get', KEYS[1])
        if holder and (holder ~= ARGV[1] or ARGV[3] == '') then
            return 0
        end
        if ARGV[2] == '' then
            redis.call('set', KEYS[1], ARGV[1])
        else
            redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
        end
        return 1
    """
    #: 1, or 0 where the token is another one.
    LUA_RELEASE_SCRIPT = """
        if redis.call('get', KEYS[1]) ~= ARGV[1] then
            return 0
        end
        redis.call('del', KEYS[1])
        return 1
    """
    #: ARGV[2]: the time to add.  ARGV[3]: '1' if it shall replace what is left.  1 or 0.
    LUA_EXTEND_SCRIPT = """
        local left = redis.call('pttl', KEYS[1])
        if redis.call('get', KEYS[1]) ~= ARGV[1] or left < 0 then
            return 0
        end
        if ARGV[3] == '1' then
            left = 0
        end
        redis.call('pexpire', KEYS[1], left + ARGV[2])
        return 1
    """
    #: ARGV[2]: the time to live.  1 or 0.
    LUA_REACQUIRE_SCRIPT = """
        if redis.call('get', KEYS[1]) ~= ARGV[1] then
            return 0
        end
        redis.call('pexpire', KEYS[1], ARGV[2])
        return 1
    """
    lua_acquire: ClassVar[Any] = None
    lua_release: ClassVar[Any] = None
    lua_extend: ClassVar[Any] = None
    lua_reacquire: ClassVar[Any] = None

    def __init__(
        self,
        redis: Any,
        name: KeyT,
        timeout: float | None = None,
        sleep: float = 0.1,
        blocking: bool = True,
        blocking_timeout: float | None = None,
        thread_local: bool = True,
        raise_on_release_error: bool = True,
        *,
        auto_renewal: bool | float = False,
        on_lost: Callable[[Any], object] | None = None,
    ) -> None:
        """Make a lock; nothing is sent before it is acquired.

        LockError for arguments that cannot be meant so, or contradict one another.

        :param redis: the client.
        :param name: the key.
        :param timeout: after how many seconds the server lets go of the lock; None: only :meth:`release` does.
        :param sleep: how many seconds lie between two attempts.
        :param blocking: whether :meth:`acquire` waits until it has the lock.
        :param blocking_timeout: how many seconds it waits at most; None: for ever.
        :param thread_local: the token belongs to the thread that acquired the lock, and no other can release it.
            False: the lock can be handed to another thread.
        :param raise_on_release_error: False: the end of a ``with`` block keeps silent where the lock was lost before.
        :param auto_renewal: True: as long as the lock is held, threads in the background set its time to live to
            ``timeout`` again, each third of that time; a number: so often, in seconds.
        :param on_lost: with ``auto_renewal``: called with the lock, in the background, where the lock was lost.
        """
        check_times(timeout=timeout, sleep=sleep)
        if timeout and sleep > timeout:
            raise LockError("'sleep' must not be longer than 'timeout'")
        self.redis = redis
        self.name = name
        self.timeout = timeout
        self.sleep = sleep
        self.blocking = blocking
        self.blocking_timeout = blocking_timeout
        self.thread_local = bool(thread_local)
        self.raise_on_release_error = raise_on_release_error
        self.renewal_interval = renewal_interval(auto_renewal, timeout)
        self.on_lost = on_lost
        self.local: Hold | ThreadHold = ThreadHold() if thread_local else Hold()
        self._spare: dict[tuple[int, int], OwnToken] = {}
        self.register_scripts(redis)

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self.name!r}, timeout={self.timeout}>"

    @classmethod
    def register_scripts(cls, redis: Any) -> None:
        """Make the scripts of the class; a subclass that has another text has another script."""
        for name in SCRIPTS:
            text, known = getattr(cls, f"LUA_{name.upper()}_SCRIPT").encode(), getattr(cls, f"lua_{name}")
            if known is None or known.script != text:
                script = redis.register_script(text)
                script.registered_client = None  # each call names one; the class would keep this one alive
                setattr(cls, f"lua_{name}", script)

    def __enter__(self: AnyLock) -> AnyLock:
        if not self.acquire():
            raise LockError(f"The lock {self.name!r} could not be acquired within the time given")
        return self

    def __exit__(self, exc_type: type | None, exc_value: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            self.release()
        except LockError:
            if self.raise_on_release_error:
                raise

    # Acquiring.

    def acquire(
        self,
        blocking: bool | None = None,
        blocking_timeout: float | None = None,
        token: str | bytes | None = None,
        sleep: float | None = None,
    ) -> bool:
        """Acquire the lock and return True; False where another holds it, and did so until the waiting time was over.

        ``blocking``, ``blocking_timeout`` and ``sleep`` are as in the constructor; None: as said there.  ``token`` must
        be unique among all holders; None makes a random one.

        A ConnectionError or TimeoutError with ``maybe_applied=False`` says that the lock is not held.  After a reply
        that was lost the server is asked; where it cannot be, ``maybe_applied`` is True, the error says so, and
        :meth:`owned`, :meth:`release` and another :meth:`acquire` can settle the matter later.
        """
        blocking = self.blocking if blocking is None else blocking
        longest = self.blocking_timeout if blocking_timeout is None else blocking_timeout
        deadline = monotonic() + ((inf if longest is None else longest) if blocking else 0)
        pause = self.sleep if sleep is None else sleep
        if token is not None:
            return self._wait(self.redis.get_encoder().encode(token), pause, deadline)
        # A thread uses its random token until that wins: what a lost attempt has left on the server is known by it.  It
        # is taken out while in use, since a signal handler may want the same lock; the child of a fork has another.
        me = os.getpid(), threading.get_ident()
        own = self._spare.pop(me, None) or OwnToken(os.urandom(16).hex().encode())
        acquired = False
        try:
            acquired = self._wait(own, pause, deadline)
        finally:
            if not acquired:
                self._spare[me] = own
        return acquired

    def _wait(self, token: bytes, pause: float, deadline: float) -> bool:
        """Try until the deadline, and at it for the last time."""
        while not self._take(token):
            left = deadline - monotonic()
            if left <= 0:
                return False
            self._sleep(min(pause, left))
        return True

    def _sleep(self, seconds: float) -> None:
        """Wait before the next attempt; TimeoutError where it would come too late for the deadline of the caller."""
        if at_most(seconds) < seconds:
            error = TimeoutError(
                f"Another holds the lock {self.name!r}, and the next attempt would be after the deadline"
            )
            error.maybe_applied = False
            raise error
        time.sleep(seconds)

    def _take(self, token: bytes) -> bool:
        """Try once; where the outcome is unknown, ask as if nobody else could have the token."""
        since = monotonic()
        try:
            with Once():
                taken = self.do_acquire(token)
        except RedisError as error:
            if not maybe_applied(error):
                raise
            try:
                taken = self._insist(partial(self.do_acquire, OwnToken(token)), error, "acquiring")
            except RedisError:
                self.local.token = self.local.token or bytes(token)  # for owned() and release()
                raise
        if taken:
            self._hold(bytes(token), since)
        return bool(taken)

    def _hold(self, token: bytes, since: float) -> None:
        local = self.local
        local.token, local.lost = token, threading.Event()
        if self.renewal_interval is not None:
            local.renewal = Renewal(self, token, since)
            local.renewal.start()

    def do_acquire(self, token: bytes) -> bool:
        """Try once to write the token; whether that is done.  A subclass may do it another way."""
        unique = b"1" if isinstance(token, OwnToken) else b""
        timeout = milliseconds(self.timeout) if self.timeout else b""
        return bool(self.lua_acquire(keys=[self.name], args=[bytes(token), timeout, unique], client=self.redis))

    # Asking.

    def locked(self) -> bool:
        """Whether anybody holds the lock."""
        return bool(self.redis.exists(self.name))

    def owned(self) -> bool:
        """Whether the server has the token of this holder."""
        token = self.local.token
        return token is not None and bool(self.redis.get(self.name) == self.redis.get_encoder().decode(token))

    @property
    def lost(self) -> threading.Event:
        """Set when an automatic renewal finds the lock lost; a new one each time that the lock is acquired.

        It belongs to the holder as the token does: with ``thread_local`` each thread has its own.
        """
        return self.local.lost

    def _insist(self, ask: Callable[[], Any], unknown: RedisError, doing: str) -> Any:
        """Ask what has become of a command until there is an answer, some three times; else raise the truth."""
        failure = unknown
        for pause in PAUSES:
            time.sleep(at_most(pause))
            try:
                return ask()
            except RedisError as error:
                failure = error
        raise self._cannot_tell(unknown, failure, doing) from failure

    def _cannot_tell(self, unknown: RedisError, failure: RedisError, doing: str) -> ConnectionError | TimeoutError:
        """The error of a command whose outcome stays unknown, because of ``failure``."""
        kind = TimeoutError if isinstance(unknown, TimeoutError) else ConnectionError
        error = kind(f"The reply to {doing} the lock {self.name!r} was lost, and the server cannot be asked: {failure}")
        error.maybe_applied = True
        error.command, error.address = unknown.command, unknown.address
        error.phase, error.attempt = unknown.phase, unknown.attempt
        return error

    # Releasing.

    def release(self) -> None:
        """Release the lock.

        LockError where it is not held, LockNotOwnedError where it was lost before.  The holder has no token afterwards,
        even if this fails: the server lets go after ``timeout`` then.  After a reply that was lost the server is asked:
        a key that is gone, or has the token of another, was released.
        """
        token = self.local.token
        if token is None:
            raise LockError("Cannot release a lock that is not held")
        self.local.token = None
        self._stop_renewal()
        try:
            with Once():
                self.do_release(token)
        except RedisError as error:
            if not maybe_applied(error):
                raise
            self._insist(partial(self._release_again, token), error, "releasing")

    def _release_again(self, token: bytes) -> None:
        with suppress(LockNotOwnedError):
            self.do_release(token)

    def _stop_renewal(self) -> None:
        renewal, self.local.renewal = self.local.renewal, None
        if renewal is not None:
            renewal.stop()

    def do_release(self, expected_token: bytes) -> None:
        """Delete the key if the server has this token; LockNotOwnedError if not.  A subclass may do it another way."""
        if not self.lua_release(keys=[self.name], args=[expected_token], client=self.redis):
            raise LockNotOwnedError("Cannot release a lock that is no longer owned")

    # Holding on.

    def extend(self, additional_time: float, replace_ttl: bool = False) -> bool:
        """Add ``additional_time`` seconds to the time to live, or set it to that with ``replace_ttl``; return True.

        LockError where the lock is not held or has no ``timeout``, LockNotOwnedError where it was lost.
        """
        self._held_token("extend")
        # Subclasses of old know one argument.
        with Once():
            return self.do_extend(additional_time, replace_ttl) if replace_ttl else self.do_extend(additional_time)

    def do_extend(self, additional_time: float, replace_ttl: bool = False) -> bool:
        """Extend without looking at the state of the lock.  A subclass may do it another way."""
        args = [self.local.token, int(additional_time * 1000), b"1" if replace_ttl else b""]
        if not self.lua_extend(keys=[self.name], args=args, client=self.redis):
            raise LockNotOwnedError("Cannot extend a lock that is no longer owned")
        return True

    def reacquire(self) -> bool:
        """Set the time to live to ``timeout`` again and return True; errors as in :meth:`extend`."""
        return self.do_reacquire(self._held_token("reacquire"))

    def do_reacquire(self, expected_token: bytes) -> bool:
        """Set the time to live of this token.  A subclass may do it another way; the renewal calls it too."""
        args = [expected_token, milliseconds(self.timeout or 0)]
        if not self.lua_reacquire(keys=[self.name], args=args, client=self.redis):
            raise LockNotOwnedError("Cannot reacquire a lock that is no longer owned")
        return True

    def _held_token(self, doing: str) -> bytes:
        if self.local.token is None:
            raise LockError(f"Cannot {doing} a lock that is not held")
        if not self.timeout:
            raise LockError(f"Cannot {doing} a lock that has no timeout")
        return self.local.token


class LuaLock(Lock):
    """The lock under its second name, of the time when there was one without scripts."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


class Renewal:
    """Keeps one held lock from expiring, by two threads: one renews it, the other watches the clock.

    Two, because a command to a server that is silent may take for ever, and the holder has to be told in time.  They
    know this object by a weak reference: a lock that nobody can release any more, because it was dropped or because its
    thread has ended, is not renewed.
    """

    def __init__(self, lock: Lock, token: bytes, since: float) -> None:
        self.lock, self.token, self.lost = lock, token, lock.lost
        self.until = since + (lock.timeout or 0)
        self.over = threading.Event()
        self.process = os.getpid()
        self._first = threading.Lock()

    def start(self) -> None:
        me = weakref.ref(self)
        interval = self.lock.renewal_interval or 0
        for target, wait in ((renew, interval), (watch, self.until - monotonic())):
            threading.Thread(target=target, args=(me, self.over, wait), name="redis-lock", daemon=True).start()

    def stop(self) -> None:
        """The lock is released: nobody is told that it was lost.  In the child of a fork there is nothing to stop."""
        if self.process == os.getpid() and self._first.acquire(blocking=False):
            self.over.set()

    def lose(self) -> None:
        """The lock is lost: tell the holder, unless it is over already."""
        if self._first.acquire(blocking=False):
            self.over.set()
            self.lost.set()
            if self.lock.on_lost is not None:
                self.lock.on_lost(self.lock)

    def renew(self) -> None:
        """Once; where the server cannot be reached there is time for another attempt, until the clock says no."""
        asked = monotonic()
        try:
            self.lock.do_reacquire(self.token)
            self.until = asked + (self.lock.timeout or 0)
        except LockNotOwnedError:
            self.lose()
        except RedisError:
            pass


def renew(reference: weakref.ref[Renewal], over: threading.Event, interval: float) -> None:
    """The thread that renews, until it is over."""
    while not over.wait(interval):
        renewal = reference()
        if renewal is None:
            return
        renewal.renew()
        del renewal  # or it would be kept alive while waiting


def watch(reference: weakref.ref[Renewal], over: threading.Event, left: float) -> None:
    """The thread that looks at the clock when the lock might have expired."""
    while not over.wait(max(0, left)):
        renewal = reference()
        if renewal is None:
            return
        left = renewal.until - monotonic()
        if left <= 0:
            renewal.lose()
        del renewal


class dummy:  # noqa: N801 - the name is an old one
    """An object that anything can be written to."""


class Hold(dummy):
    """What a holder has."""

    token: bytes | None = None
    renewal: Renewal | None = None

    def __init__(self) -> None:
        self.lost = threading.Event()


class ThreadHold(threading.local):
    """The same, for each thread its own."""

    token: bytes | None = None
    renewal: Renewal | None = None

    def __init__(self) -> None:
        self.lost = threading.Event()


def check_times(**times: float | None) -> None:
    """Raise LockError for what is no number of seconds, or less than nothing."""
    for name, seconds in times.items():
        if not is_pause(seconds):
            raise LockError(f"{name!r} is {seconds!r}; it takes a number of seconds, 0 or more")


def renewal_interval(auto_renewal: bool | float, timeout: float | None) -> float | None:
    """Seconds between two renewals, None for none; LockError for what cannot keep a lock."""
    if auto_renewal is False or auto_renewal is None:
        return None
    if not timeout:
        raise LockError("'auto_renewal' needs a 'timeout'")
    interval = timeout / 3 if auto_renewal is True else auto_renewal
    if not 0 < interval < timeout:
        raise LockError("'auto_renewal' must be shorter than 'timeout', and longer than nothing")
    return interval


def maybe_applied(error: RedisError) -> bool:
    """Whether the server may have executed the command; what it refused, it has not."""
    return bool(getattr(error, "maybe_applied", False))


def milliseconds(seconds: float) -> int:
    """The time to live that the server is told, which cannot be nothing."""
    return max(1, int(seconds * 1000))
