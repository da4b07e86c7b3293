# SPDX-License-Identifier: Apache-2.0
"""Interrupts of a card that has a shared line instead of messages (hw/line.py): MiniportInterrupt and its DPC.

The ISR asks the card's pin, lets go of its causes and keeps them for the DPC, which does for each what its message's
DPC would have done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic import ndis
from hilnic.hw.line import LinePin
from hilnic.miniport.interrupt import MISC_MESSAGE, message_interrupt_dpc

if TYPE_CHECKING:
    from hilnic.miniport.adapter import NicAdapter

__all__ = ["LineCauses", "line_interrupt", "line_interrupt_dpc"]


class LineCauses:
    """Causes that the ISR took from the card's pin and the DPC has not served; both touch them at DIRQL (IT-04)."""

    def __init__(self, pin: LinePin) -> None:
        self.pin = pin
        self.interrupt: ndis.Interrupt | None = None
        self._causes = 0

    def __repr__(self) -> str:
        """Where the causes are."""
        return f"<LineCauses {self._causes:#x}, {self.pin!r}>"

    def claim(self) -> bool:
        """From the ISR: take what our pin has; False, and nothing touched, when it was another card's interrupt."""
        causes = self.pin.causes
        if causes:
            self.pin.acknowledge(causes)
            self._causes |= causes
        return bool(causes)

    def exchange(self, keep: int = 0) -> int:
        """From the DPC: take everything, and leave `keep` for the next one."""
        taken = 0

        def swap(context: object) -> bool:
            nonlocal taken
            del context
            taken, self._causes = self._causes, keep
            return True

        assert self.interrupt is not None
        ndis.synchronize_with_interrupt(self.interrupt, ndis.LINE, swap)
        return taken


def line_interrupt(nic: NicAdapter) -> tuple[bool, bool]:
    """MiniportInterrupt at DIRQL (IT-02)."""
    assert nic.line is not None
    ours = nic.line.claim()
    return ours, ours and nic.hardware.present


def line_interrupt_dpc(nic: NicAdapter, throttle: ndis.ReceiveThrottle) -> None:
    """MiniportInterruptDPC: for each cause what its message's DPC does; queues with more to look at stay one."""
    assert nic.line is not None
    causes = nic.line.exchange()
    for message_id in (MISC_MESSAGE, nic.config.vector):
        if causes >> message_id & 1:
            message_interrupt_dpc(nic, message_id, throttle)
    if throttle.more_nbls_pending:
        nic.line.exchange(nic.line.exchange() | 1 << nic.config.vector)
