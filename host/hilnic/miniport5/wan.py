# SPDX-License-Identifier: Apache-2.0
"""A WAN miniport: PPP frames over Ethernet (RFC 2516).

    | Ethernet 14: peer, own, 0x8864 | 0x11 | code 0 | session id | length | PPP frame, `length` bytes | padding |
    |<----------- written into the WAN packet's header padding ----------->|

MiniportWanSend puts both headers before the frame, into room that the packet has for it, and maps the whole with a map
register: nothing is copied. A received frame of a session goes up whole (R5-28), with the link context that the
protocol gave when the line went up. Sessions come from discovery.py, requests from wan_requests.py.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.device import Device
from hilnic.miniport.config import NicConfig
from hilnic.miniport5 import pppoe, wan_requests
from hilnic.miniport5.discovery import ENDPOINTS, Call, CallState, Discovery
from hilnic.miniport5.link import Link5
from hilnic.miniport5.nic import Nic5
from hilnic.miniport5.pppoe import HEADERS, PPPOE_BYTES
from hilnic.miniport5.rx import Buffer, Frame, ReceiveRing
from hilnic.miniport5.tx import InFlight
from hilnic.miniport5.tx_serialized import MappedTransmitter
from hilnic.ndis import NdisMedium, NdisStatus, ndis5
from hilnic.ndis.ndis5 import Attributes5, MacFragment, NdisRequest, WanErrors, WanFraming, WanLinkInfo, WanPacket

if TYPE_CHECKING:
    from hilnic.miniport5.tx import TransmitRing

__all__ = ["HEADER_PADDING", "WanNic"]

HEADER_PADDING = HEADERS.size
"""Room that a WAN packet needs before its frame."""
FRAMING = int(WanFraming.PPP | WanFraming.COMPRESS_ADDRESS_CONTROL)
"""Frames begin with PPP's protocol field, never with address and control (RFC 2516, section 7)."""
_CONTROL_BUFFERS = 2 * ENDPOINTS
_DRAIN_STEP_NS = 5_000


class WanTransmitter(MappedTransmitter):
    """MiniportWanSend: PENDING until the frame is on the wire; what does not fit waits, in order."""

    def __init__(self, nic: WanNic) -> None:
        super().__init__(nic)
        self._own = nic.config.mac_address
        self._calls = nic.discovery.calls
        self._waiting: deque[tuple[Call, WanPacket]] = deque()
        self._control: deque[tuple[ndis.SharedMemory, int]] = deque()  # discovery frames: they go first
        self._control_free: list[ndis.SharedMemory] = []
        self.control_lost = 0
        """Discovery frames that there was no room for; who sent them repeats them."""

    @property
    def busy(self) -> bool:
        """Does anything wait?"""
        return bool(self._waiting or self._control or self._in_flight)

    def allocate(self) -> None:
        """Rings, and the buffers of discovery frames."""
        super().allocate()
        self._control_free = [self.share(self._config.max_frame) for _ in range(_CONTROL_BUFFERS)]

    def wan_send(self, link: object, packet: WanPacket) -> NdisStatus:
        """Frame, map and post; NdisMWanSendComplete follows."""
        if self.refusal is not None:
            return self.refusal
        call = self._calls.get(link) if isinstance(link, int) else None
        room = packet.current_offset
        if call is None or call.state is not CallState.UP:
            return NdisStatus.FAILURE
        if room < HEADER_PADDING or not 0 < packet.current_length <= call.info.max_send_frame_size:
            self._refused += 1
            return NdisStatus.INVALID_PACKET
        header = packet.region.view[room - HEADER_PADDING : room]
        ids = (pppoe.SESSION, pppoe.VERSION_AND_TYPE, pppoe.Code.SESSION, call.session_id, packet.current_length)
        header[:] = HEADERS.pack(call.peer, self._own, *ids)
        self._waiting.append((call, packet))
        self.after_reap()
        return NdisStatus.PENDING

    def send_control(self, data: bytes) -> None:
        """Send a discovery frame, before what waits."""
        if not self.running or not self._control_free:
            self.control_lost += 1
            return
        buffer = self._control_free.pop()
        self._nic.memory.store(buffer.address, data)
        self._control.append((buffer, len(data)))
        self.after_reap()

    def forget(self, call: Call) -> None:
        """A call has ended: what waits for its link is never sent."""
        ending = [packet for owner, packet in self._waiting if owner is call]
        self._waiting = deque(entry for entry in self._waiting if entry[0] is not call)
        self._end(ending, NdisStatus.FAILURE)

    def after_reap(self) -> None:
        """Post what waits and fits now."""
        while self._control and self.running and self.ring.free:
            buffer, length = self._control.popleft()
            self.place(buffer, 0, [ndis.ScatterGatherElement(buffer.address, length)])
            self.publish(1)
        while self._waiting and self.running and self._post(self._waiting[0][1]):
            self._waiting.popleft()

    def _post(self, packet: WanPacket) -> bool:
        start = packet.current_offset - HEADER_PADDING
        mdl = ndis.Mdl(packet.region, start, HEADER_PADDING + packet.current_length)
        return self.post(packet, 0, [mdl], b"")

    def done(self, frame: InFlight, status: NdisStatus) -> None:
        """NdisMWanSendComplete; a discovery frame's buffer is free again."""
        self.unmap(frame)
        if isinstance(frame.owner, WanPacket):
            ndis5.wan_send_complete(self._adapter, frame.owner, status)
        else:
            self._control_free.append(frame.owner)

    def abort(self, status: NdisStatus) -> None:
        """End what is in flight, then what waits."""
        super().abort(status)
        self._control_free += [buffer for buffer, _ in self._control]
        self._control.clear()
        ending = [packet for _, packet in self._waiting]
        self._waiting.clear()
        self._end(ending, status)

    def _end(self, packets: list[WanPacket], status: NdisStatus) -> None:
        for packet in packets:
            self._aborted += 1
            ndis5.wan_send_complete(self._adapter, packet, status)


class WanReceiver(ReceiveRing):
    """NdisMWanIndicateReceive: the PPP frame of a session, in one buffer. Discovery frames stay here."""

    def __init__(self, nic: WanNic) -> None:
        super().__init__(nic)
        self._discovery = nic.discovery
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
        links: dict[Call, None] = {}
        for frame in frames:
            self.trace_completion(frame)
            call = self._take(frame)
            if call is not None:
                links[call] = None
            self.recycle(frame.buffers)
        for call in links:
            ndis5.wan_indicate_receive_complete(self._adapter, call.context)

    def _take(self, frame: Frame) -> Call | None:
        """The link that a frame was shown for; None, and counted as discarded, when it is for none of ours."""
        headers = HEADERS.unpack(frame.read(0, HEADER_PADDING)) if frame.length >= HEADER_PADDING else None
        if headers is not None and headers[2] == pppoe.DISCOVERY:
            self._discovery.receive(frame.tobytes())
            return None
        call = None if headers is None else self._find_link(headers, frame.length)
        if headers is None or call is None:
            self._discarded += 1
            return None
        self._indicated += 1
        data = memoryview(frame.read(HEADER_PADDING, headers[-1]))
        status = ndis5.wan_indicate_receive(self._adapter, call.context, data)
        self.not_accepted += status is not NdisStatus.SUCCESS
        return call

    def _find_link(self, headers: tuple[Any, ...], there: int) -> Call | None:
        """Whose session a whole frame of `there` bytes is; of one that is cut the protocol hears as a fragment."""
        _, source, ethertype, version, code, session_id, length = headers
        call = self._discovery.links.get((source, session_id))
        right = (ethertype, version, code) == (pppoe.SESSION, pppoe.VERSION_AND_TYPE, pppoe.Code.SESSION)
        if call is None or not right:
            return None
        if HEADER_PADDING + length > there:
            fragment = MacFragment(call.context, WanErrors.FRAMING)
            ndis5.indicate_status(self._adapter, NdisStatus.WAN_FRAGMENT, fragment)
            ndis5.indicate_status_complete(self._adapter)
            return None
        return call if length <= call.info.max_recv_frame_size else None


class WanLink(Link5):
    """The cable: without it there is no line."""

    __slots__ = ("_discovery",)

    def __init__(self, nic: WanNic) -> None:
        super().__init__(nic.handle, nic.hardware)
        self._discovery = nic.discovery

    async def report(self) -> None:
        """The lines go down with the cable; they do not come back with it, for that takes a call."""
        was_up = self.up
        await super().report()
        if was_up and not self.up:
            self._discovery.lose_all()


class WanNic(Nic5):
    """Serialized; hears its own address only."""

    medium = NdisMedium.WAN
    attributes = int(Attributes5.BUS_MASTER | Attributes5.SURPRISE_REMOVE_OK)
    own_oids = wan_requests.OIDS
    tx: WanTransmitter
    rx: WanReceiver

    def __init__(self, adapter: ndis.Adapter, device: Device, config: NicConfig) -> None:
        super().__init__(adapter, device, config)
        self.discovery = Discovery(self)

    def link_info(self, handle: int) -> WanLinkInfo:
        """What a link can do, and does until it is told otherwise."""
        longest = self.config.mtu - PPPOE_BYTES
        return WanLinkInfo(handle, longest, longest, HEADER_PADDING, 0, FRAMING, FRAMING)

    def query_own(self, request: NdisRequest) -> NdisStatus | None:
        """OID_WAN_* and the call."""
        return wan_requests.query(self, request)

    def set_own(self, request: NdisRequest) -> NdisStatus | None:
        """OID_WAN_* and the call's end."""
        return wan_requests.change(self, request)

    def set_up_dma(self) -> NdisStatus:
        """A map register for each descriptor."""
        return ndis5.allocate_map_registers(self.handle, self.memory, self.config.tx_ring)

    def undo_dma(self) -> None:
        """NdisMFreeMapRegisters."""
        ndis5.free_map_registers(self.handle)

    def make_link(self) -> Link5:
        """Calls end when the cable is out."""
        return WanLink(self)

    def make_transmitter(self) -> TransmitRing:
        """One frame at a time."""
        return WanTransmitter(self)

    def make_receiver(self) -> ReceiveRing:
        """One frame at a time."""
        return WanReceiver(self)

    def open(self) -> None:
        """A WAN adapter has no packet filter that a protocol would set."""
        self.hardware.write(regs.RX_FILTER, regs.RX_FILTER_OWN_UNICAST)

    async def halt(self) -> None:
        """Sessions end before the NIC does."""
        await self._sign_off()
        await super().halt()

    async def set_power(self, state: ndis.DevicePowerState) -> NdisStatus:
        """A sleeping NIC has no sessions."""
        if state != ndis.DevicePowerState.D0:
            await self._sign_off()
        return await super().set_power(state)

    def surprise_removed(self) -> None:
        """No PADT can be sent."""
        super().surprise_removed()
        self.discovery.lose_all()

    async def _sign_off(self) -> None:
        """PADT for each session, and time to send them; a halt has the driver's turn, so no interrupt is handled."""
        self.discovery.hang_up_all()
        for _ in range(self.config.timeout_ns // _DRAIN_STEP_NS):
            if not (self.tx.busy and self.tx.running and self.hardware.present):
                return
            await self.kernel.sleep(_DRAIN_STEP_NS)
            self.tx.reap()
