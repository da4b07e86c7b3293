# SPDX-License-Identifier: Apache-2.0
"""Link state and NIC errors: the work behind the miscellaneous interrupt, at PASSIVE_LEVEL for it reads registers."""

from __future__ import annotations

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.device import BusError
from hilnic.miniport.hardware import ALL_ONES, Hardware

__all__ = ["ENABLED_CAUSES", "Link", "link_state"]

ENABLED_CAUSES = regs.MISC_ENABLE_LINK_CHANGE | regs.MISC_ENABLE_TX_QUEUE_ERROR | regs.MISC_ENABLE_RX_QUEUE_ERROR
QUEUE_ERRORS = regs.MISC_CAUSE_TX_QUEUE_ERROR | regs.MISC_CAUSE_RX_QUEUE_ERROR
GIGABIT = 1_000_000_000


def link_state(up: bool) -> ndis.LinkState:
    """The link in NDIS's words: 1000BASE-T full duplex is all the MAC does."""
    if up:
        return ndis.LinkState(ndis.MediaConnectState.CONNECTED, ndis.MediaDuplexState.FULL, GIGABIT, GIGABIT)
    return ndis.LinkState(ndis.MediaConnectState.DISCONNECTED, ndis.MediaDuplexState.UNKNOWN, 0, 0)


class Link:
    """What the driver last told NDIS about the link."""

    __slots__ = ("_adapter", "_hardware", "up")

    def __init__(self, adapter: ndis.Adapter, hardware: Hardware) -> None:
        self._adapter, self._hardware = adapter, hardware
        self.up = False

    async def read(self) -> bool:
        """Is the link up now? A NIC that is gone has none."""
        status = await self._hardware.read(regs.STATUS)
        return status != ALL_ONES and bool(status & regs.STATUS_LINK_UP)

    async def acknowledge(self) -> int:
        """Read and clear the causes; the NIC sends the interrupt again for what comes after this read."""
        try:
            causes = await self._hardware.read(regs.MISC_CAUSE)
        except BusError:
            causes = 0
        if causes == ALL_ONES:
            return 0
        self._hardware.write(regs.MISC_CAUSE, causes)
        return causes

    async def report(self) -> None:
        """Indicate the link's state if it is another than the last one (OI-16)."""
        try:
            up = await self.read()
        except BusError:
            return
        if up != self.up and self._hardware.present:
            self.up = up
            self.tell(up)

    def tell(self, up: bool) -> None:
        """NdisMIndicateStatusEx."""
        ndis.indicate_status(self._adapter, ndis.StatusIndication(ndis.NdisStatus.LINK_STATE, link_state(up)))
