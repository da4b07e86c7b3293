# SPDX-License-Identifier: Apache-2.0
"""Interrupt -> DPC with a budget -> re-arm.

The NIC masks a queue's interrupt when it sends it. The DPC takes completions by their phase bits until there are none
or the budget is spent, then re-arms with its consumer index; if the NIC has gone on meanwhile, it fires at once. So
there is no window between the last look and the unmasking (RG-06), and no register is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic import ndis

if TYPE_CHECKING:
    from hilnic.miniport.adapter import NicAdapter

__all__ = ["MISC_MESSAGE", "message_interrupt", "message_interrupt_dpc"]

MISC_MESSAGE = 0


def message_interrupt(nic: NicAdapter, message_id: int) -> tuple[bool, bool]:
    """MiniportMessageInterrupt at DIRQL: ours by construction (IT-02); all work is the DPC's."""
    del message_id
    return True, nic.hardware.present


def message_interrupt_dpc(nic: NicAdapter, message_id: int, throttle: ndis.ReceiveThrottle) -> None:
    """MiniportMessageInterruptDPC: the queues, or a work item for link and errors."""
    if message_id == MISC_MESSAGE:
        nic.queue_misc_work()
    elif nic.queues_running:
        _serve_queues(nic, throttle)


def _serve_queues(nic: NicAdapter, throttle: Any) -> None:
    nic.tx.reap()
    budget = min(nic.config.dpc_budget, throttle.max_nbls_to_indicate)
    if nic.rx.poll(budget):
        throttle.more_nbls_pending = True
        return
    nic.tx.rearm()
    nic.rx.rearm()
