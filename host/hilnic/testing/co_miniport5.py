# SPDX-License-Identifier: Apache-2.0
"""The functional CoNDIS miniport of NDIS 5: a functional 5.x miniport that carries VCs, in packets.

It answers as its script says (co_miniport.Scripted); `vcs` are its VCs, each with what it has captured.
A *mutant* is a subclass that breaks one rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hilnic.ndis import Ndis, NdisStatus, condis, ndis5
from hilnic.ndis.condis import CallParameters, VcHandle
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.ndis5 import MiniportCharacteristics5, NdisRequest, Packet
from hilnic.testing.co_miniport import Scripted
from hilnic.testing.miniport import MAC_ADDRESS, Completion
from hilnic.testing.miniport5 import FunctionalMiniport5

__all__ = ["CoVc5", "FunctionalCoMiniport5"]


class CoVc5:
    """The miniport's state of one VC, its context."""

    def __init__(self, miniport: FunctionalCoMiniport5, handle: VcHandle) -> None:
        self.miniport = miniport
        self.handle = handle
        self.captured: list[Packet] = []
        self.sent_frames: list[bytes] = []
        self.arrays: list[int] = []  # lengths of the arrays it was given
        self.parameters: CallParameters | None = None
        self.asked: CallParameters | None = None
        self.indicated = 0  # packets that are above
        self.is_deactivating = False

    def complete(self, *packets: Packet, status: int = NdisStatus.SUCCESS) -> None:
        """Complete captured packets one by one, in this order."""
        for packet in packets:
            if packet in self.captured:
                self.captured.remove(packet)
            condis5.mco_send_complete(self.handle, packet, status)
        self.miniport.check_drained(self)

    def complete_all(self, status: int = NdisStatus.SUCCESS) -> None:
        """Complete everything captured, in order."""
        self.complete(*list(self.captured), status=status)

    def indicate(self, *frames: bytes, status: int = NdisStatus.SUCCESS, complete: bool = True) -> list[Packet]:
        """Indicate one packet per frame in one call, and say that this was all."""
        packets = [self.build(frame, status) for frame in frames]
        self.indicate_packets(packets)
        if complete:
            condis5.mco_receive_complete(self.miniport.adapter)
        return packets

    def build(self, frame: bytes, status: int = NdisStatus.SUCCESS) -> Packet:
        """A packet of the miniport's pool, ready to be indicated on a VC: it has no header of the medium."""
        packet = self.miniport.build(frame, status=status)
        ndis5.set_packet_header_size(packet, 0)
        return packet

    def indicate_packets(self, packets: Sequence[Packet]) -> None:
        """Indicate prepared packets; scarce ones are the miniport's again afterwards."""
        for packet in packets:
            if ndis5.get_packet_status(packet) != NdisStatus.RESOURCES:
                self.indicated += 1
                self.miniport.out[packet] = self
        condis5.mco_indicate_receive_packet(self.handle, list(packets))
        scarce = [packet for packet in packets if ndis5.get_packet_status(packet) == NdisStatus.RESOURCES]
        self.miniport.returned += scarce


class FunctionalCoMiniport5(FunctionalMiniport5):
    """Driver and adapter context in one."""

    def __init__(
        self, host: Ndis, name: str = "fm5", mac_address: bytes = MAC_ADDRESS, completion: Completion = "hold"
    ) -> None:
        self.completion: Completion = completion
        self.script = Scripted()
        self.vcs: list[CoVc5] = []
        self.out: dict[Packet, CoVc5] = {}
        self.co_requests: list[NdisRequest] = []
        super().__init__(host, name, mac_address, serialized=False)

    @property
    def pend(self) -> set[str]:
        """Operations that answer PENDING."""
        return self.script.pend

    def characteristics(self) -> MiniportCharacteristics5:
        """The handlers of a functional 5.x miniport, and those of CoNDIS."""
        kind = type(self)
        return replace(
            super().characteristics(),
            co_create_vc=kind.create_vc,
            co_delete_vc=_delete_vc,
            co_activate_vc=_activate_vc,
            co_deactivate_vc=_deactivate_vc,
            co_send_packets=_co_send_packets,
            co_request=kind.co_request,
        )

    def complete_activate(self, vc: CoVc5, status: NdisStatus = NdisStatus.SUCCESS) -> None:
        """End an activation that pends."""
        assert vc.asked is not None
        if status is NdisStatus.SUCCESS:
            vc.parameters = vc.asked.copy()
        condis.mco_complete_activate_vc(vc.handle, status, vc.asked)

    def check_drained(self, vc: CoVc5) -> None:
        """The last send or return of a VC that is being deactivated ends that."""
        if vc.is_deactivating and not vc.captured and not vc.indicated:
            vc.is_deactivating = False
            condis.mco_complete_deactivate_vc(vc.handle, NdisStatus.SUCCESS)

    def indicate_co_status(self, vc: CoVc5 | None, code: NdisStatus, buffer: Any = None) -> None:
        """A status of one VC, or of the adapter."""
        condis5.mco_indicate_status(self.adapter, None if vc is None else vc.handle, code, buffer)

    # Handlers.

    def create_vc(self, handle: VcHandle) -> tuple[NdisStatus, CoVc5 | None]:
        """MiniportCoCreateVc."""
        status = self.script.answer("create_vc")
        if status is not NdisStatus.SUCCESS:
            return status, None
        vc = CoVc5(self, handle)
        self.vcs.append(vc)
        return status, vc

    def delete_vc(self, vc: CoVc5) -> NdisStatus:
        """MiniportCoDeleteVc."""
        self.vcs.remove(vc)
        return self.script.answer("delete_vc")

    def activate_vc(self, vc: CoVc5, parameters: CallParameters) -> NdisStatus:
        """MiniportCoActivateVc."""
        vc.asked = parameters
        status = self.script.answer("activate_vc")
        if status is NdisStatus.SUCCESS:
            vc.parameters = parameters.copy()
        return status

    def deactivate_vc(self, vc: CoVc5) -> NdisStatus:
        """MiniportCoDeactivateVc: captured packets end, held receives have to come back first."""
        vc.complete_all(NdisStatus.FAILURE)
        vc.is_deactivating = bool(vc.indicated)
        return NdisStatus.PENDING if vc.is_deactivating else NdisStatus.SUCCESS

    def co_send_packets(self, vc: CoVc5, packets: list[Packet]) -> None:
        """MiniportCoSendPackets: capture, then end as `completion` says."""
        vc.arrays.append(len(packets))
        for packet in packets:
            vc.sent_frames.append(packet.tobytes())
            vc.captured.append(packet)
        if self.completion == "inline":
            vc.complete_all()
        elif self.completion == "deferred":
            self.ndis.kernel.queue_dpc(vc.complete_all)

    def return_packet(self, packet: Packet) -> None:
        """MiniportReturnPacket, for both kinds of receive."""
        super().return_packet(packet)
        vc = self.out.pop(packet, None)
        if vc is not None:
            vc.indicated -= 1
            self.check_drained(vc)

    def co_request(self, vc: CoVc5 | None, request: NdisRequest) -> NdisStatus:
        """MiniportCoRequest: answers from `answers`, or as the script says."""
        del vc
        self.co_requests.append(request)
        status = self.script.answer("co_request")
        if status is not NdisStatus.SUCCESS:
            return status
        data = self.answers.get(request.oid)
        return NdisStatus.NOT_SUPPORTED if data is None else request.reply(data)

    def halt(self) -> None:
        """MiniportHalt."""
        self.release()
        super().halt()


def _delete_vc(vc: CoVc5) -> NdisStatus:
    return vc.miniport.delete_vc(vc)


def _activate_vc(vc: CoVc5, parameters: CallParameters) -> NdisStatus:
    return vc.miniport.activate_vc(vc, parameters)


def _deactivate_vc(vc: CoVc5) -> NdisStatus:
    return vc.miniport.deactivate_vc(vc)


def _co_send_packets(vc: CoVc5, packets: list[Packet]) -> None:
    vc.miniport.co_send_packets(vc, packets)
