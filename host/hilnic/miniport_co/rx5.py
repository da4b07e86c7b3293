# SPDX-License-Identifier: Apache-2.0
"""Receive of a 5.x connection: packets over buffers of its own, header and padding not shown; see `rx`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.miniport5.rx import Frame
from hilnic.miniport5.rx_packets import PacketReceiver
from hilnic.miniport_co.header import ADDRESS_BYTES, sdu_bytes
from hilnic.miniport_co.on_board import ReceiverOnBoard
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.condis.vlan_media import HEADER_BYTES
from hilnic.ndis.ndis5 import Packet

if TYPE_CHECKING:
    from hilnic.miniport_co.connection5 import PacketConnection

__all__ = ["VcPacketReceiver"]

_RETURN_POLL_NS = 5_000


class VcPacketReceiver(ReceiverOnBoard, PacketReceiver):
    """The receive queue of one connection."""

    header_shown = 0

    def __init__(self, connection: PacketConnection, slot: int) -> None:
        super().__init__(connection.nic, connection.entry.queue, connection.config)
        self._connection, self._board, self._slot = connection, connection.connections.board, slot

    def poll(self, budget: int) -> int:
        """Take at most `budget` SDUs and indicate them; how many there were."""
        taken = super().poll(budget)
        self._board.seen(self._slot)
        return taken

    def serve(self, budget: int) -> int:
        """For the interrupt."""
        return self.poll(budget)

    def indicate(self, frames: list[Frame]) -> None:
        """What is no SDU is counted and not shown; what is for another station is no error (see `rx`)."""
        good = [frame for frame in frames if self.shown(frame)[1]]
        super().indicate(good)
        for frame in frames:
            if not self.shown(frame)[1]:
                if self._is_for_us(frame):
                    self._errors += 1
                else:
                    self._discarded += 1
                self.recycle(frame.buffers)

    def shown(self, frame: Frame) -> tuple[int, int]:
        """Behind the header, as much as that says; nothing of a frame for another station."""
        if not self._is_for_us(frame):
            return HEADER_BYTES, 0
        kind = bytes(frame.read(HEADER_BYTES - 2, 2))
        return HEADER_BYTES, sdu_bytes(int.from_bytes(kind, "big"), frame.length)

    def from_wire(self, frame: Frame) -> bytes:
        """With the tag that the NIC has taken out."""
        return self._connection.on_wire(frame.tobytes())

    def _is_for_us(self, frame: Frame) -> bool:
        return bytes(frame.read(0, ADDRESS_BYTES)) in self._connection.heard_at

    def hand_up(self, packets: list[Packet]) -> None:
        """NdisMCoIndicateReceivePacket."""
        condis5.mco_indicate_receive_packet(self._connection.vc, packets)

    async def wait_until_returned(self) -> None:
        """Wait until the protocol has returned everything."""
        while self.lent:
            await self._kernel.sleep(_RETURN_POLL_NS)
