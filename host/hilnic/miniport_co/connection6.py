# SPDX-License-Identifier: Apache-2.0
"""A connection of the 6.x driver: NET_BUFFER_LISTs."""

from __future__ import annotations

from hilnic import ndis
from hilnic.miniport_co.connection import Connection
from hilnic.miniport_co.rx import VcReceiver
from hilnic.miniport_co.tx import VcTransmitter
from hilnic.ndis import NdisStatus, condis

__all__ = ["Connection6"]


class Connection6(Connection):
    """Queues that complete and indicate lists."""

    tx: VcTransmitter | None
    rx: VcReceiver | None

    def make_queues(self, slot: int) -> tuple[VcTransmitter, VcReceiver]:
        """Of lists."""
        return VcTransmitter(self, slot), VcReceiver(self, slot + 1)

    def send(self, nbls: ndis.NetBufferList) -> None:
        """MiniportCoSendNetBufferLists."""
        if self.tx is not None:
            self.tx.send(nbls)
            return
        for nbl in ndis.walk(nbls):
            nbl.status = NdisStatus.VC_NOT_ACTIVATED
        condis.mco_complete_send_net_buffer_lists(self.vc, nbls, 0)
