# SPDX-License-Identifier: Apache-2.0
"""Receive of the serialized driver: header and lookahead are shown, the rest is read when a protocol asks for it.

    frame in the card's buffers:  | header 14 | lookahead ....... | rest, unread until MiniportTransferData |

The lookahead is what NDIS asked for by OID_GEN_CURRENT_LOOKAHEAD, `LEAST_LOOKAHEAD` at the least. Half of the
transfers, drawn from a seed, answer PENDING and end by NdisMTransferDataComplete in a later DPC. The buffers are the
NIC's again when the indication has returned and no transfer of the frame is pending (R5-27). The card shows one frame
at a time: while a transfer is pending the next frames wait, so that none overtakes another.
"""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING, Any

from hilnic.miniport5.rx import HEADER_BYTES, Buffer, Frame, ReceiveRing
from hilnic.ndis import NdisStatus, ndis5
from hilnic.ndis.ndis5 import Packet

if TYPE_CHECKING:
    from hilnic.miniport5.nic import Nic5

__all__ = ["LEAST_LOOKAHEAD", "LookaheadReceiver"]

LEAST_LOOKAHEAD = 64


class _Shown:
    """A frame that is being indicated: the MacReceiveContext of this driver."""

    __slots__ = ("frame", "is_returned", "transfers")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.is_returned = False
        self.transfers = 0


class LookaheadReceiver(ReceiveRing):
    """NdisMEthIndicateReceive and MiniportTransferData."""

    def __init__(self, nic: Nic5, seed: int) -> None:
        super().__init__(nic)
        self.lookahead = LEAST_LOOKAHEAD
        """Bytes behind the header that are shown, as far as the frame has them."""
        self.pended = self.at_once = 0
        """Transfers by how they ended."""
        self._draw = random.Random(seed)
        self._unshown: deque[Frame] = deque()
        self._later: deque[tuple[_Shown, int, int, Packet]] = deque()
        timer = ndis5.initialize_timer(nic.handle, self._finish_transfers)
        assert timer is not None
        self._timer = timer

    def show(self, number: int) -> None:
        """OID_GEN_CURRENT_LOOKAHEAD."""
        self.lookahead = max(LEAST_LOOKAHEAD, number)

    def make_buffers(self) -> None:
        """Shared memory: frames are copied out of it, so it stays mapped."""
        size = self._config.rx_buffer_bytes
        for _ in range(self._config.rx_buffers):
            shared = self.share(size + self._config.rx_buffer_offset)
            start = self._config.rx_buffer_offset
            self._buffers.append(Buffer(shared.address + start, shared.view[start : start + size]))

    def free_buffers(self) -> None:
        """From halt: a transfer that still pends is for a frame that NDIS puts together, and ends undone."""
        ndis5.cancel_timer(self._timer)
        while self._later:
            *_, packet = self._later.popleft()
            ndis5.transfer_data_complete(self._adapter, packet, NdisStatus.REQUEST_ABORTED, 0)

    def indicate(self, frames: list[Frame]) -> None:
        """Show what can be shown now."""
        self._unshown.extend(frames)
        self._go_on()

    def _go_on(self) -> None:
        """One after the other until a transfer pends, then NdisMEthIndicateReceiveComplete for all of them (R5-24)."""
        shown = 0
        while self._unshown and not self._later:
            shown += self._show(self._unshown.popleft())
        if shown:
            ndis5.eth_indicate_receive_complete(self._adapter)

    def _show(self, frame: Frame) -> bool:
        self.trace_completion(frame)
        size = frame.length - HEADER_BYTES
        if size < 0:
            self._errors += 1  # no media header, nothing that NDIS could tell
            self.recycle(frame.buffers)
            return False
        self._indicated += 1
        shown = _Shown(frame)
        seen = memoryview(frame.read(0, HEADER_BYTES + min(size, self.lookahead)))
        self.lent += len(frame.buffers)
        ndis5.eth_indicate_receive(self._adapter, shown, seen[:HEADER_BYTES], seen[HEADER_BYTES:], size)
        shown.is_returned = True
        self._free_if_done(shown)
        return True

    def _free_if_done(self, shown: _Shown) -> None:
        if shown.is_returned and not shown.transfers:
            self.lent -= len(shown.frame.buffers)
            self.recycle(shown.frame.buffers)

    def transfer_data(self, shown: _Shown, offset: int, number: int, packet: Packet) -> tuple[NdisStatus, int]:
        """MiniportTransferData: now, or PENDING."""
        if self._draw.random() < 0.5:
            self.at_once += 1
            return NdisStatus.SUCCESS, _copy(shown.frame, offset, number, packet)
        self.pended += 1
        shown.transfers += 1
        self._later.append((shown, offset, number, packet))
        if not self._timer.pending:
            ndis5.set_timer(self._timer, 0)
        return NdisStatus.PENDING, 0

    def _finish_transfers(self, context: Any) -> None:
        """The later DPC."""
        del context
        for _ in range(len(self._later)):
            shown, offset, number, packet = self._later.popleft()
            moved = _copy(shown.frame, offset, number, packet)
            shown.transfers -= 1
            ndis5.transfer_data_complete(self._adapter, packet, NdisStatus.SUCCESS, moved)
            self._free_if_done(shown)
        self._go_on()


def _copy(frame: Frame, offset: int, number: int, packet: Packet) -> int:
    """From the card's buffers to the start of the packet."""
    data, done = frame.read(HEADER_BYTES + offset, number), 0
    for mdl in packet.buffers():
        size = min(mdl.byte_count, number - done)
        mdl.view[:size] = data[done : done + size]
        done += size
    return done
