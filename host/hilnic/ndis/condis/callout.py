# SPDX-License-Identifier: Apache-2.0
"""How NDIS calls the handlers of CoNDIS drivers, and what it asks of a handle first."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from hilnic.ndis.faults import failed
from hilnic.ndis.status import NdisStatus


def ask(actor: Any, name: str, handler: Any, *args: Any, refused: Any = NdisStatus.FAILURE) -> Any:
    """What a driver's handler answers; `refused` when it raises, or waits where it may not (CC-24)."""
    try:
        answer = handler(*args)
    except Exception as error:
        failed(actor, name, error)
        return refused
    if isinstance(answer, Awaitable):
        close = getattr(answer, "close", None)
        if close is not None:
            close()
        actor.ndis.violation("CC-24", actor, name, "the handler waits instead of answering PENDING")
        return refused
    return answer


def tell(actor: Any, name: str, handler: Any, *args: Any) -> None:
    """Call a handler that answers nothing; one that the driver does not have is not called."""
    if handler is not None:
        ask(actor, name, handler, *args, refused=None)


def is_stale(subject: Any, actor: Any, call: str, is_dead: bool) -> bool:
    """A handle that is dead from its close, deregister or delete on (CC-04): the call does nothing."""
    if is_dead:
        subject.ndis.violation("CC-04", actor, subject, f"STALE_HANDLE in {call}")
    return is_dead
