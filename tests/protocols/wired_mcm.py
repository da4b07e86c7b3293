# SPDX-License-Identifier: Apache-2.0
"""Functional CoNDIS miniports of either version with the integrated call manager in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hilnic import ndis
from hilnic.mcm.half import HANDLERS, SIGNALLING_VLAN_ID, Mcm
from hilnic.mcm.half5 import Mcm5
from hilnic.ndis import NdisStatus, NetBufferList, OidRequest, condis
from hilnic.ndis.condis import CallParameters, VcHandle
from hilnic.ndis.condis.vlan_media import BROADCAST, VlanMedia
from hilnic.ndis.ndis5 import MiniportCharacteristics5, Packet
from hilnic.testing.co_miniport import CoVc, Scripted
from hilnic.testing.co_miniport5 import CoVc5
from hilnic.testing.co_wire import Plug, WiredCoMiniport, WiredCoMiniport5

COMMITTED_BYTES = 112_500_000


class McmPlug(Plug):
    """What the call manager's half wants. Its signalling goes straight onto the wire: NDIS knows nothing of it."""

    mcm: Mcm
    ndis: ndis.Ndis
    script: Scripted

    def create(self, handle: VcHandle) -> Any | None:
        status, vc = self.create_vc(handle)
        return vc if status is NdisStatus.SUCCESS else None

    def delete(self, data: Any) -> None:
        self.delete_vc(data)

    async def activate(self, data: Any, parameters: CallParameters) -> NdisStatus:
        if self.lan.slow_ns:
            await self.ndis.kernel.sleep(self.lan.slow_ns)
        data.asked = parameters
        status = self.script.answer("activate_vc")
        if status is NdisStatus.SUCCESS:
            data.parameters = parameters.copy()
        return status

    async def deactivate(self, data: Any) -> None:
        data.parameters = None
        if self.lan.slow_ns:
            await self.ndis.kernel.sleep(self.lan.slow_ns)
        data.complete_all(NdisStatus.FAILURE)
        while data.indicated:
            await self.ndis.kernel.sleep(1000)

    def signal(self, octets: bytes) -> None:
        self.lan.carry(self, VlanMedia(SIGNALLING_VLAN_ID, 7, BROADCAST), octets)

    def hear(self, vlan_id: int, destination: bytes, sdu: bytes) -> None:
        if vlan_id == SIGNALLING_VLAN_ID:
            self.mcm.hear(sdu)
        else:
            super().hear(vlan_id, destination, sdu)


class WiredMcm(McmPlug, WiredCoMiniport):
    """Of NDIS 6."""

    def co_characteristics(self) -> condis.MiniportCoCharacteristics:
        return condis.MiniportCoCharacteristics(
            activate_vc=_never_called,
            deactivate_vc=_never_called,
            send_net_buffer_lists=_send,
            oid_request=_oid_request,
        )

    def set_options(self, driver: ndis.MiniportDriver) -> NdisStatus:
        super().set_options(driver)
        return condis.set_optional_handlers(driver, HANDLERS)

    def initialize(self, adapter: ndis.Adapter) -> Any:
        status = super().initialize(adapter)
        self.mcm = Mcm(adapter, self, self.mac_address, COMMITTED_BYTES)
        self.mcm.start()
        return status

    def halt(self, action: Any) -> Any:
        self.mcm.stop()
        return super().halt(action)


class WiredMcm5(McmPlug, WiredCoMiniport5):
    """Of NDIS 5."""

    def characteristics(self) -> MiniportCharacteristics5:
        return replace(
            super().characteristics(),
            co_create_vc=None,
            co_delete_vc=None,
            co_activate_vc=_never_called,
            co_deactivate_vc=_never_called,
            co_send_packets=_send_packets,
        )

    def initialize(self, adapter: ndis.Adapter, mediums: Any) -> Any:
        answer = super().initialize(adapter, mediums)
        self.mcm = Mcm5(adapter, self, self.mac_address, COMMITTED_BYTES)
        self.mcm.start()
        return answer

    def halt(self) -> None:
        self.mcm.stop()
        super().halt()


def _never_called(*_: Any) -> NdisStatus:
    raise AssertionError("NDIS asks an MCM's miniport half for a VC")


def _send(vc: Any, nbls: NetBufferList, send_flags: int) -> None:
    data: CoVc = vc.data
    data.miniport.co_send_net_buffer_lists(data, nbls, send_flags)


def _send_packets(vc: Any, packets: list[Packet]) -> None:
    data: CoVc5 = vc.data
    data.miniport.co_send_packets(data, packets)


def _oid_request(miniport: WiredMcm, vc: Any, request: OidRequest) -> NdisStatus:
    return miniport.co_oid_request(None if vc is None else vc.data, request)
