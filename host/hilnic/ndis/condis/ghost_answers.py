# SPDX-License-Identifier: Apache-2.0
"""What the ghosts of CoNDIS drivers answer, and how they wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.condis.machines import CallState
from hilnic.ndis.status import NdisStatus

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis

OVER = frozenset({CallState.IDLE, CallState.CLOSED})
"""A VC without a call."""
_PATIENCE_NS = 4_000_000_000


def nothing(*_: Any) -> None:
    """A ghost takes what it is told."""


def refuse(*_: Any) -> NdisStatus:
    """To a request."""
    return NdisStatus.FAILURE


def refuse_two(*_: Any) -> tuple[NdisStatus, None]:
    """To a request whose answer has a context."""
    return NdisStatus.FAILURE, None


def agree(*_: Any) -> NdisStatus:
    """To what ends something."""
    return NdisStatus.SUCCESS


async def until(ndis: Ndis, is_done: Callable[[], bool]) -> bool:
    """Wait, ever longer, for what others have to do; False when they do not."""
    delay = 1000
    while not is_done():
        if delay > _PATIENCE_NS:
            return False
        await ndis.kernel.sleep(delay)
        delay *= 2
    return True
