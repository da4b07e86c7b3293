# SPDX-License-Identifier: Apache-2.0
"""`verify=full`: every read and write of an NBL or NB is checked against its owner (V1).

NDIS remembers whose handler is running (`AccessGuard.actor`). A handler that touches a list which another driver owns
is named at once, in its own frame, not when the list comes back. Code outside of any handler (tests, PASSIVE_LEVEL
coroutines, which interleave) is not judged here; the shadows of `fast` still see what it changes.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.net_buffer import NetBuffer
from hilnic.ndis.verifier.custody import FREED, HOME, INDICATED, LENT, SENT

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis

_UNCHECKED = frozenset({"pool", "id", "ndis"}) | {name for name in NetBufferList.__slots__ if name.startswith("ndis_")}
_UNCHECKED |= {"ndis_reserved"}


class AccessGuard:
    """Whose handler runs, and whether it may touch an object."""

    __slots__ = ("actor", "ndis")

    def __init__(self, ndis: Ndis) -> None:
        self.ndis = ndis
        self.actor: Any = None

    @contextmanager
    def inside_ndis(self) -> Iterator[None]:
        """NDIS itself works: its accesses are not judged."""
        saved, self.actor = self.actor, None
        try:
            yield
        finally:
            self.actor = saved

    def wrap(self, handler: Callable[..., Any], actor: Any) -> Callable[..., Any]:
        """The handler, with `actor` answering for what it touches; coroutine functions are left as they are."""
        if inspect.iscoroutinefunction(handler):
            return handler

        @functools.wraps(handler)
        def call(*args: Any) -> Any:
            saved, self.actor = self.actor, actor
            try:
                return handler(*args)
            finally:
                self.actor = saved

        return call

    @staticmethod
    def adopt(nbl: NetBufferList) -> None:
        """Remember in each NB which list it belongs to."""
        borrowed = nbl.ndis_custody.borrowed = []
        for nb in nbl.net_buffers():
            if nb.ndis_reserved is not nbl:
                borrowed.append((nb, nb.ndis_reserved))
                nb.ndis_reserved = nbl

    @staticmethod
    def give_back(nbl: NetBufferList) -> None:
        """The list is its sender's again: NBs that came from another list belong to that one again."""
        for nb, before in nbl.ndis_custody.borrowed:
            if before is not None and nb.ndis_reserved is nbl:
                nb.ndis_reserved = before

    @staticmethod
    def forget(nbl: NetBufferList) -> None:
        """The list is freed: NBs that were not allocated with it belong to none now."""
        for nb, _ in nbl.ndis_custody.borrowed:
            if nb.ndis_reserved is nbl and nb.pool is not nbl.pool:
                nb.ndis_reserved = None

    def check(self, nbl: NetBufferList, name: str) -> None:
        """Report when the running handler's driver does not own `nbl`."""
        custody = nbl.ndis_custody
        if custody is None or custody.owner is self.ndis:
            return
        actor, self.actor = self.actor, None
        try:
            if custody.state is FREED or _driver(custody.owner) is not _driver(actor):
                self.ndis.violation(
                    _rule(custody.state, nbl, actor), actor, nbl, f"touched {name} while {custody.state}"
                )
        finally:
            self.actor = actor


def _driver(owner: Any) -> Any:
    """The driver that an owner belongs to; an intermediate driver is one, by its upper edge or by its lower one."""
    driver = getattr(owner, "driver", owner)
    return getattr(driver, "lower_edge", None) or driver


def _rule(state: str, nbl: NetBufferList, actor: Any) -> str:
    if state is SENT and nbl.source_handle is actor:
        return "S6-09"
    if state is LENT or (state is HOME and _driver(nbl.source_handle) is not _driver(actor) and _was_lent(nbl)):
        return "R6-05"
    return "MD-28"


def _was_lent(nbl: NetBufferList) -> bool:
    return any(verb in {"lent to", INDICATED} for _, verb, _ in nbl.ndis_custody.history)


class CheckedNetBufferList(NetBufferList):
    """A NET_BUFFER_LIST that asks the guard before every access."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if name not in _UNCHECKED and not name.startswith("__"):
            guard = object.__getattribute__(self, "pool").ndis.guard
            if guard.actor is not None:
                guard.check(self, name)
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _UNCHECKED:
            guard = object.__getattribute__(self, "pool").ndis.guard
            if guard.actor is not None and hasattr(self, "ndis_custody"):
                guard.check(self, name)
        object.__setattr__(self, name, value)


class CheckedNetBuffer(NetBuffer):
    """A NET_BUFFER that asks the guard before every access, once it belongs to a list (`ndis_reserved`)."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if name not in _UNCHECKED and not name.startswith("__"):
            _check_net_buffer(self, name)
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _UNCHECKED and hasattr(self, "ndis_reserved"):
            _check_net_buffer(self, name)
        object.__setattr__(self, name, value)


def _check_net_buffer(nb: NetBuffer, name: str) -> None:
    guard = object.__getattribute__(nb, "pool").ndis.guard
    if guard.actor is not None:
        nbl = object.__getattribute__(nb, "ndis_reserved")
        if nbl is not None:
            guard.check(nbl, f"first_net_buffer.{name}")
