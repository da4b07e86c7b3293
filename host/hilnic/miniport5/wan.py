# SPDX-License-Identifier: Apache-2.0
"""A WAN miniport: PPP frames over Ethernet (RFC 2516), the session stage only.

    | Ethernet 14: peer, own, 0x8864 | 0x11 | code 0 | session id | length | PPP frame, `length` bytes | padding |
    |<----------- written into the WAN packet's header padding ----------->|

MiniportWanSend puts both headers before the frame, into room that the packet has for it, and maps the whole with a map
register: nothing is copied. A received frame of a session goes up whole (R5-28); its link context is the session, which
is the link handle of sends as well. Sessions are given at start: discovery (0x8863) is somebody else's.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.device import Device
from hilnic.miniport.config import NicConfig
from hilnic.miniport5.nic import Nic5
from hilnic.miniport5.rx import Buffer, Frame, ReceiveRing
from hilnic.miniport5.tx import InFlight
from hilnic.miniport5.tx_serialized import MappedTransmitter
from hilnic.ndis import NdisMedium, NdisStatus, ndis5
from hilnic.ndis.ndis5 import Attributes5, WanPacket

if TYPE_CHECKING:
    from hilnic.miniport5.tx import TransmitRing

__all__ = ["HEADER_PADDING", "PPPOE_SESSION", "PppoeSession", "WanNic"]

PPPOE_SESSION = 0x8864
_HEADERS = struct.Struct(">6s6sHBBHH")
HEADER_PADDING = _HEADERS.size
"""Room that a WAN packet needs before its frame."""
_VERSION_AND_TYPE, _CODE_SESSION = 0x11, 0
_PPPOE_BYTES = 6


@dataclass(frozen=True, slots=True)
class PppoeSession:
    """A link: the access concentrator's address and the session's id."""

    peer: bytes
    session_id: int


class WanTransmitter(MappedTransmitter):
    """MiniportWanSend: PENDING until the frame is on the wire; what does not fit waits, in order."""

    def __init__(self, nic: WanNic) -> None:
        super().__init__(nic)
        self._own = nic.config.mac_address
        self._sessions = nic.sessions
        self._waiting: deque[WanPacket] = deque()

    @property
    def busy(self) -> bool:
        """Does anything wait?"""
        return bool(self._waiting or self._in_flight)

    def wan_send(self, link: object, packet: WanPacket) -> NdisStatus:
        """Frame, map and post; NdisMWanSendComplete follows."""
        if self.refusal is not None:
            return self.refusal
        longest = self._config.mtu - _PPPOE_BYTES
        room = packet.current_offset
        if not isinstance(link, PppoeSession) or link not in self._sessions:
            return NdisStatus.FAILURE
        if room < HEADER_PADDING or not 0 < packet.current_length <= longest:
            self._refused += 1
            return NdisStatus.INVALID_PACKET
        header = packet.region.view[room - HEADER_PADDING : room]
        ids = (PPPOE_SESSION, _VERSION_AND_TYPE, _CODE_SESSION, link.session_id, packet.current_length)
        header[:] = _HEADERS.pack(link.peer, self._own, *ids)
        self._waiting.append(packet)
        self.after_reap()
        return NdisStatus.PENDING

    def after_reap(self) -> None:
        """Post what waits and fits now."""
        while self._waiting and self.running and self._post(self._waiting[0]):
            self._waiting.popleft()

    def _post(self, packet: WanPacket) -> bool:
        start = packet.current_offset - HEADER_PADDING
        mdl = ndis.Mdl(packet.region, start, HEADER_PADDING + packet.current_length)
        return self.post(packet, 0, [mdl], b"")

    def done(self, frame: InFlight, status: NdisStatus) -> None:
        """NdisMWanSendComplete."""
        self.unmap(frame)
        ndis5.wan_send_complete(self._adapter, frame.owner, status)

    def abort(self, status: NdisStatus) -> None:
        """End what is in flight, then what waits."""
        super().abort(status)
        ending, self._waiting = self._waiting, deque()
        for packet in ending:
            self._aborted += 1
            ndis5.wan_send_complete(self._adapter, packet, status)


class WanReceiver(ReceiveRing):
    """NdisMWanIndicateReceive: the PPP frame of a session, in one buffer."""

    def __init__(self, nic: WanNic) -> None:
        super().__init__(nic)
        self._links = {(session.peer, session.session_id): session for session in nic.sessions}
        self.not_accepted = 0
        """Frames that no protocol took."""

    def make_buffers(self) -> None:
        """Shared memory: a frame is valid during the call only."""
        size = self._config.rx_buffer_bytes
        for _ in range(self._config.rx_buffers):
            shared = self.share(size)
            self._buffers.append(Buffer(shared.address, shared.view[:size]))

    def indicate(self, frames: list[Frame]) -> None:
        """One after the other; each link hears once that it was all."""
        links: dict[PppoeSession, None] = {}
        for frame in frames:
            self.find(frame)
            session = self._indicate_one(frame)
            if session is not None:
                links[session] = None
            self.recycle(frame.buffers)
        for link in links:
            ndis5.wan_indicate_receive_complete(self._adapter, link)

    def _indicate_one(self, frame: Frame) -> PppoeSession | None:
        """None, and the frame counted as discarded, when it is not a whole one of a session of ours."""
        if frame.length < HEADER_PADDING:
            self._discarded += 1
            return None
        headers = _HEADERS.unpack(frame.read(0, HEADER_PADDING))
        _, source, ethertype, version, code, session_id, length = headers
        session = self._links.get((source, session_id))
        right = (ethertype, version, code) == (PPPOE_SESSION, _VERSION_AND_TYPE, _CODE_SESSION)
        if session is None or not right or HEADER_PADDING + length > frame.length:
            self._discarded += 1
            return None
        self._indicated += 1
        data = memoryview(frame.read(HEADER_PADDING, length))
        status = ndis5.wan_indicate_receive(self._adapter, session, data)
        self.not_accepted += status is not NdisStatus.SUCCESS
        return session


class WanNic(Nic5):
    """Serialized; hears its own address only."""

    medium = NdisMedium.WAN
    attributes = int(Attributes5.BUS_MASTER | Attributes5.SURPRISE_REMOVE_OK)
    tx: WanTransmitter
    rx: WanReceiver

    def __init__(
        self, adapter: ndis.Adapter, device: Device, config: NicConfig, sessions: Sequence[PppoeSession]
    ) -> None:
        super().__init__(adapter, device, config)
        self.sessions = tuple(sessions)

    def set_up_dma(self) -> NdisStatus:
        """A map register for each descriptor."""
        return ndis5.allocate_map_registers(self.handle, self.memory, self.config.tx_ring)

    def undo_dma(self) -> None:
        """NdisMFreeMapRegisters."""
        ndis5.free_map_registers(self.handle)

    def make_transmitter(self) -> TransmitRing:
        """One frame at a time."""
        return WanTransmitter(self)

    def make_receiver(self) -> ReceiveRing:
        """One frame at a time."""
        return WanReceiver(self)

    def open(self) -> None:
        """A WAN adapter has no packet filter that a protocol would set."""
        self.hardware.write(regs.RX_FILTER, regs.RX_FILTER_OWN_UNICAST)
