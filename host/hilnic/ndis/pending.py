# SPDX-License-Identifier: Apache-2.0
"""Operations of a miniport or filter that may pend: answered at once or completed later, never both (ST-06, ST-15)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.watchdog import PAUSE_LIMIT_S
from hilnic.ndis.waiting import answer_of

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.filter import FilterModule

PAUSE, RESTART, RESET = "pause", "restart", "reset"
_RULE_OF_COMPLETION = {PAUSE: "ST-06", RESTART: "ST-06", RESET: "ST-15"}


async def ask(adapter: Adapter | FilterModule, operation: str, handler: Callable[..., Any], *args: Any) -> Any:
    """The final answer of a handler that may pend; `complete_*` fills it in, once (ST-06)."""
    event = adapter.pending[operation] = adapter.ndis.kernel.create_event()
    rule = _RULE_OF_COMPLETION[operation]
    with adapter.ndis.time_limit(PAUSE_LIMIT_S, rule, adapter, operation, f"{operation} of {adapter!r}"):
        result = await answer_of(handler(adapter.context, *args))
        first = result[0] if isinstance(result, tuple) else result
        if first is NdisStatus.PENDING:
            await event.wait()
            result = adapter.pending_answer[operation]
    if first is not NdisStatus.PENDING and event.is_set() and not adapter.driver.faulted:
        adapter.ndis.violation(rule, adapter, operation, "answered and completed as well")
    del adapter.pending[operation]
    adapter.pending_answer.pop(operation, None)
    return result


def complete(adapter: Adapter | FilterModule, operation: str, answer: Any) -> None:
    """The miniport ends an operation that it answered with PENDING: once, and only then."""
    event = adapter.pending.get(operation)
    if event is None:
        adapter.ndis.violation(_RULE_OF_COMPLETION[operation], adapter, operation, "completed, but it is not pending")
    elif event.is_set():
        adapter.ndis.violation(_RULE_OF_COMPLETION[operation], adapter, operation, "completed twice")
    else:
        adapter.pending_answer[operation] = answer
        event.set()
