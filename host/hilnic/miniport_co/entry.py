# SPDX-License-Identifier: Apache-2.0
"""One entry of the NIC's VC table, as the driver writes it."""

from __future__ import annotations

from hilnic.hw import regs
from hilnic.miniport.hardware import Hardware
from hilnic.miniport_co.contract import Contract

__all__ = ["VcEntry"]


class VcEntry:
    """A page, and the queues that its connection uses."""

    __slots__ = ("_hardware", "number", "page", "queue")

    def __init__(self, hardware: Hardware, number: int, queue: int) -> None:
        self._hardware, self.number, self.queue = hardware, number, queue
        self.page = regs.vc_page(number)

    def __repr__(self) -> str:
        """Entry and queues."""
        return f"<VcEntry {self.number}, queues {self.queue}>"

    async def apply(self, contract: Contract, quantum: int) -> int:
        """Activate the entry, or change what an active one does; 0, or the NIC's cause for refusing."""
        media = contract.media
        for offset, value in (
            (regs.VC_VLAN, media.vlan_id | media.priority << regs.VC_VLAN_PCP_LSB),
            (regs.VC_TX_QUEUE, self.queue | (regs.VC_TX_QUEUE_ENABLE if contract.transmits else 0)),
            (regs.VC_RX_QUEUE, self.queue | (regs.VC_RX_QUEUE_ENABLE if contract.receives else 0)),
            (regs.VC_MAX_FRAME, contract.max_frame),
            (regs.VC_INTERVAL, contract.interval),
            (regs.VC_BURST, contract.burst),
            (regs.VC_PEAK_INTERVAL, contract.peak_interval),
            (regs.VC_PEAK_BURST, contract.peak_burst),
            (regs.VC_SHARE, quantum | (regs.VC_SHARE_GUARANTEED if contract.guaranteed else 0)),
            (regs.VC_CTRL, regs.VC_CTRL_ENABLE),
        ):
            self._hardware.write(self.page + offset, value)
        status = await self._hardware.read(self.page + regs.VC_STATUS)
        return (status & regs.VC_STATUS_CAUSE) >> regs.VC_STATUS_CAUSE_LSB

    async def deactivate(self, timeout_ns: int) -> bool:
        """Stop; True once no frame of the connection is left in the NIC."""
        self._hardware.write(self.page + regs.VC_CTRL, 0)
        return await self._hardware.until(
            self.page + regs.VC_STATUS, regs.VC_STATUS_STATE, regs.VcState.OFF, timeout_ns
        )

    async def counter(self, counter: regs.VcCounter) -> int:
        """One of its 64-bit counters."""
        return await self._hardware.read64(regs.vc_counter(self.number, counter))
