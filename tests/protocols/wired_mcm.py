# SPDX-License-Identifier: Apache-2.0
"""A functional CoNDIS miniport with the integrated call manager in it."""

from __future__ import annotations

from typing import Any

from hilnic import ndis
from hilnic.mcm.half import HANDLERS, SIGNALLING_VLAN_ID, Mcm
from hilnic.ndis import NdisStatus, NetBufferList, OidRequest, condis
from hilnic.ndis.condis import CallParameters, VcHandle
from hilnic.ndis.condis.vlan_media import BROADCAST, VlanMedia
from hilnic.testing.co_miniport import CoVc
from hilnic.testing.co_wire import WiredCoMiniport


class WiredMcm(WiredCoMiniport):
    """Its signalling goes straight onto the wire: NDIS knows nothing of it."""

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
        self.mcm = Mcm(adapter, self, self.mac_address, 112_500_000)
        self.mcm.start()
        return status

    def halt(self, action: Any) -> Any:
        self.mcm.stop()
        return super().halt(action)

    # What the call manager's half wants.

    def create(self, handle: VcHandle) -> CoVc | None:
        status, vc = self.create_vc(handle)
        return vc if status is NdisStatus.SUCCESS else None

    def delete(self, data: CoVc) -> None:
        self.delete_vc(data)

    async def activate(self, data: CoVc, parameters: CallParameters) -> NdisStatus:
        if self.lan.slow_ns:
            await self.ndis.kernel.sleep(self.lan.slow_ns)
        data.asked = parameters
        status = self.script.answer("activate_vc")
        if status is NdisStatus.SUCCESS:
            data.parameters = parameters.copy()
        return status

    async def deactivate(self, data: CoVc) -> None:
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


def _never_called(*_: Any) -> NdisStatus:
    raise AssertionError("NDIS asks an MCM's miniport half for a VC")


def _send(vc: Any, nbls: NetBufferList, send_flags: int) -> None:
    vc.data.miniport.co_send_net_buffer_lists(vc.data, nbls, send_flags)


def _oid_request(miniport: WiredMcm, vc: Any, request: OidRequest) -> NdisStatus:
    return miniport.co_oid_request(None if vc is None else vc.data, request)
