# SPDX-License-Identifier: Apache-2.0
"""The functional miniport of NDIS 5: a driver without hardware whose behaviour a test decides.

Serialized or deserialized, with MiniportSend or MiniportSendPackets; it captures what is sent, has `room` for so many
packets, indicates full packets or lookaheads, and transfers at once or later; requests are miniport5_requests.py's. A
*mutant* is a subclass that breaks one rule.

    fm = FunctionalMiniport5(ndis)
    kernel.run(fm.start())
    fm.complete(fm.captured[0])
    fm.indicate(frame, status=NdisStatus.RESOURCES)
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Literal

from hilnic import ndis
from hilnic.ndis import Ndis, NdisMedium, NdisStatus, ndis5
from hilnic.ndis.ndis5 import Attributes5, MiniportCharacteristics5, Packet, WanPacket
from hilnic.testing.frames import in_parts
from hilnic.testing.miniport import MAC_ADDRESS
from hilnic.testing.miniport5_requests import AnsweringMiniport5
from hilnic.testing.packets import build_packet, fill_info, free_built_packet

__all__ = ["FunctionalMiniport5", "SendStyle"]

SendStyle = Literal["packets", "send", "both"]
Transfer = Literal["now", "pend", "early"]
"""MiniportTransferData copies at once; or answers PENDING and waits for `finish_transfer`; or completes, then pends."""

NO_ROOM_LIMIT = 1 << 30


class FunctionalMiniport5(AnsweringMiniport5):
    """Driver and adapter context in one; `adapter` is NDIS's handle once started."""

    medium = NdisMedium.MEDIUM_802_3
    version = (5, 1)

    def __init__(
        self,
        host: Ndis,
        name: str = "fm5",
        mac_address: bytes = MAC_ADDRESS,
        serialized: bool = True,
        style: SendStyle = "packets",
        transfer: Transfer = "now",
    ) -> None:
        super().__init__(mac_address)
        self.ndis = host
        self.name = name
        self.serialized = serialized
        self.style: SendStyle = style
        self.transfer: Transfer = transfer
        self.room = NO_ROOM_LIMIT  # packets it takes before it says RESOURCES
        self.answer_with: int = NdisStatus.PENDING  # how it answers a send; PENDING = `complete` follows
        self.captured: list[Packet] = []
        self.pattern: tuple[int, bytes] | None = None
        self.sent_frames: list[bytes] = []
        self.arrays: list[int] = []  # lengths of the arrays it was given
        self.returned: list[Packet] = []
        self.cancelled: list[Any] = []
        self.frame_in_card = b""  # what a transfer reads
        self.pending_transfers: list[tuple[Packet, int, int]] = []
        self.pool: ndis5.PacketPool
        status, driver = ndis5.register_miniport(host, self.characteristics(), self)
        assert driver is not None, status
        self.driver = driver

    def characteristics(self) -> MiniportCharacteristics5:
        """The handlers: this class's methods, or a mutant's."""
        kind = type(self)
        is_5_1 = self.version == (5, 1)
        return MiniportCharacteristics5(
            name=self.name,
            version=self.version,
            initialize=_initialize,
            halt=kind.halt,
            reset=kind.reset,
            query_information=kind.query_information,
            set_information=kind.set_information,
            send=kind.send if self.style in {"send", "both"} else None,
            send_packets=kind.send_packets if self.style in {"packets", "both"} else None,
            return_packet=kind.return_packet,
            transfer_data=kind.transfer_data,
            check_for_hang=kind.check_for_hang,
            wan_send=kind.wan_send if self.medium is NdisMedium.WAN else None,
            cancel_send_packets=kind.cancel_send_packets if is_5_1 else None,
            pnp_event_notify=kind.pnp_event_notify if is_5_1 else None,
            shutdown=kind.shutdown if is_5_1 else None,
        )

    async def start(self) -> NdisStatus:
        """Initialise, bind, restart."""
        status, self.adapter = await ndis.start_adapter(self.ndis, self.driver, self.name)
        return status

    # What a test commands.

    def capture(self, offset: int, pattern: bytes) -> None:
        """From now on only packets that have `pattern` at `offset` are captured; others end at once."""
        self.pattern = (offset, pattern)

    def complete(self, *packets: Packet, status: int = NdisStatus.SUCCESS) -> None:
        """Complete captured packets, in this order; all of them when none is named."""
        for packet in packets or tuple(self.captured):
            if packet in self.captured:
                self.captured.remove(packet)
            ndis5.send_complete(self.adapter, packet, status)

    def build(self, frame: bytes, cuts: Sequence[int] = (), status: int = NdisStatus.SUCCESS) -> Packet:
        """A packet of this miniport's pool, ready to be indicated."""
        packet = build_packet(self.pool, frame, cuts)
        ndis5.set_packet_status(packet, status)
        ndis5.set_packet_header_size(packet, 14)
        return packet

    def indicate(
        self,
        *frames: bytes,
        status: int = NdisStatus.SUCCESS,
        cuts: Sequence[int] = (),
        info: Mapping[int, Any] | None = None,
        time_received: int = 0,
        parts: Sequence[int] = (),
    ) -> list[Packet]:
        """One packet a frame, in one array or in arrays of `parts` lengths and the rest; `info` by PacketInfo slot."""
        packets = [self.build(frame, cuts, status) for frame in frames]
        for packet in packets:
            ndis5.set_packet_time_received(packet, time_received)
            fill_info(packet, info)
        for part in in_parts(packets, parts):
            self.indicate_packets(part)
        return packets

    def indicate_packets(self, packets: list[Packet]) -> None:
        """Indicate prepared packets; those that are this miniport's again are freed by `release`."""
        array = list(packets)
        ndis5.indicate_receive_packet(self.adapter, array)
        for packet in packets:
            if self.is_mine_again(packet):
                self.returned.append(packet)

    def is_mine_again(self, packet: Packet) -> bool:
        """What the status says after the indicate call (R5-08, R5-09)."""
        status = ndis5.get_packet_status(packet)
        return status == NdisStatus.RESOURCES or (self.serialized and status == NdisStatus.SUCCESS)

    def indicate_lookahead(self, frame: bytes, lookahead: int | None = None, complete: bool = True) -> None:
        """Indicate a frame by header and lookahead; `lookahead` None = as much as was asked for."""
        size = len(frame) - 14
        shown = min(size, max(self.lookahead, 128) if lookahead is None else lookahead)
        self.frame_in_card = frame
        header, ahead = memoryview(bytearray(frame[:14])), memoryview(bytearray(frame[14 : 14 + shown]))
        ndis5.eth_indicate_receive(self.adapter, self, header, ahead, size)
        if complete:
            ndis5.eth_indicate_receive_complete(self.adapter)

    def finish_transfer(self, status: NdisStatus = NdisStatus.SUCCESS) -> None:
        """End the oldest transfer that pends."""
        packet, offset, number = self.pending_transfers.pop(0)
        moved = self.fill(packet, offset, number) if status is NdisStatus.SUCCESS else 0
        ndis5.transfer_data_complete(self.adapter, packet, status, moved)

    def fill(self, packet: Packet, offset: int, number: int) -> int:
        """Copy part of the frame in the card to the start of a packet."""
        data = self.frame_in_card[14 + offset : 14 + offset + number]
        for mdl in packet.buffers():
            mdl.view[: len(data)] = data[: mdl.byte_count]
            data = data[mdl.byte_count :]
        return number

    def release(self) -> None:
        """Free the receive packets that came back."""
        for packet in self.returned:
            free_built_packet(packet)
        self.returned.clear()

    def link(self, up: bool) -> None:
        """Pull or plug the cable."""
        status = NdisStatus.MEDIA_CONNECT if up else NdisStatus.MEDIA_DISCONNECT
        ndis5.indicate_status(self.adapter, status)
        ndis5.indicate_status_complete(self.adapter)

    # Handlers.

    def initialize(
        self, adapter: ndis.Adapter, mediums: Sequence[NdisMedium]
    ) -> tuple[NdisStatus, NdisMedium | None] | Awaitable[tuple[NdisStatus, NdisMedium | None]]:
        """MiniportInitialize."""
        self.adapter = adapter
        self.calls.append("initialize")
        if self.medium not in mediums:
            return NdisStatus.UNSUPPORTED_MEDIA, None
        ndis5.set_attributes_ex(adapter, self, attribute_flags=self.attributes())
        pool = ndis5.allocate_packet_pool(adapter, 64, tag=f"{self.name} rx")[1]
        assert pool is not None
        self.pool = pool
        return NdisStatus.SUCCESS, self.medium

    def attributes(self) -> int:
        """Attributes5 of this adapter."""
        return Attributes5.BUS_MASTER | (0 if self.serialized else Attributes5.DESERIALIZE)

    def halt(self) -> None:
        """MiniportHalt: end what pends, free everything."""
        self.calls.append("halt")
        while self.pending_transfers:
            self.finish_transfer(NdisStatus.REQUEST_ABORTED)
        self.release()
        ndis5.free_packet_pool(self.pool)

    def send_packets(self, packets: list[Packet]) -> None:
        """MiniportSendPackets: take as many as there is room for."""
        self.enter("send_packets")
        self.arrays.append(len(packets))
        for packet in packets:
            status = self.take(packet)
            if self.serialized or packet in self.captured or status == NdisStatus.RESOURCES:
                ndis5.set_packet_status(packet, status)
        self.leave()

    def send(self, packet: Packet, flags: int) -> NdisStatus:
        """MiniportSend."""
        del flags
        self.enter("send")
        status = self.take(packet)
        self.leave()
        return NdisStatus(status)

    def take(self, packet: Packet) -> int:
        """Capture a packet, or answer for it."""
        if self.room <= 0:
            return NdisStatus.RESOURCES
        self.room -= 1
        if packet.length() > 1518:
            return self.end(packet, NdisStatus.INVALID_PACKET)
        self.sent_frames.append(packet.tobytes())
        if self.answer_with != NdisStatus.PENDING:
            return self.end(packet, self.answer_with)
        if self.pattern is not None and not self.sent_frames[-1][self.pattern[0] :].startswith(self.pattern[1]):
            return self.end(packet, NdisStatus.SUCCESS)
        self.captured.append(packet)
        return NdisStatus.PENDING

    def end(self, packet: Packet, status: int) -> int:
        """Serialized drivers answer; deserialized ones complete."""
        if self.serialized:
            return status
        ndis5.send_complete(self.adapter, packet, status)
        return NdisStatus.PENDING

    def return_packet(self, packet: Packet) -> None:
        """MiniportReturnPacket."""
        self.calls.append("return_packet")
        self.returned.append(packet)

    def transfer_data(self, context: Any, offset: int, number: int, packet: Packet) -> tuple[NdisStatus, int]:
        """MiniportTransferData."""
        assert context is self
        self.calls.append("transfer_data")
        if self.transfer == "now":
            return NdisStatus.SUCCESS, self.fill(packet, offset, number)
        self.pending_transfers.append((packet, offset, number))
        if self.transfer == "early":
            self.finish_transfer()
        return NdisStatus.PENDING, 0

    def reset(self) -> tuple[NdisStatus, bool]:
        """MiniportReset: what is held ends; filters have to be set again."""
        self.enter("reset")
        self.leave()
        self.complete(status=NdisStatus.RESET_IN_PROGRESS)
        self.packet_filter, self.multicast_list = 0, b""
        return NdisStatus.SUCCESS, True

    def check_for_hang(self) -> bool:
        """MiniportCheckForHang."""
        return False

    def cancel_send_packets(self, cancel_id: Any) -> None:
        """MiniportCancelSendPackets: captured packets with this id end with REQUEST_ABORTED."""
        self.cancelled.append(cancel_id)
        matching = [packet for packet in self.captured if ndis5.get_packet_cancel_id(packet) == cancel_id]
        if matching:
            self.complete(*matching, status=NdisStatus.REQUEST_ABORTED)

    def wan_send(self, link_handle: Any, packet: WanPacket) -> NdisStatus:
        """MiniportWanSend: note the frame; the room around it may be written to."""
        del link_handle
        self.enter("wan_send")
        self.sent_frames.append(bytes(packet.frame))
        self.leave()
        return NdisStatus(self.answer_with)

    def pnp_event_notify(self, event: ndis.DevicePnpEvent) -> None:
        """MiniportPnPEventNotify: on surprise removal pending sends end without the hardware."""
        self.calls.append(f"event {event.name}")
        if event is ndis.DevicePnpEvent.SURPRISE_REMOVED:
            self.complete(status=NdisStatus.NOT_ACCEPTED)

    def shutdown(self) -> None:
        """MiniportShutdown."""
        self.calls.append("shutdown")

    def __repr__(self) -> str:
        return f"FunctionalMiniport5({self.name}, {len(self.captured)} captured)"


def _initialize(
    adapter: ndis.Adapter, miniport: FunctionalMiniport5, mediums: Sequence[NdisMedium]
) -> tuple[NdisStatus, NdisMedium | None] | Awaitable[tuple[NdisStatus, NdisMedium | None]]:
    return miniport.initialize(adapter, mediums)
