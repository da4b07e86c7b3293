# SPDX-License-Identifier: Apache-2.0
"""The stand-alone call manager: a protocol driver that gives its clients calls over a signalling VC.

    client  <- NdisCm ->  call_manager, cm_outgoing, cm_incoming  <- primitives ->  signalling.control  <- signalling VC

On each adapter that carries VCs it registers the address family Q2931, has a permanent VC of its own with the
signalling VLAN id, and a machine of docs/signalling.md on it. A SAP is a selector of 1 to 32 bytes at the adapter's
address.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisStatus, NetBufferList, NetEvent, ReceiveFlags, condis
from hilnic.ndis.condis import AfHandle, CallParameters, CoAddressFamily, PartyHandle, Sap, SapHandle, VcHandle
from hilnic.ndis.condis.vlan_media import BROADCAST, VlanMedia
from hilnic.protocols import cm_incoming, cm_outgoing
from hilnic.protocols.cm_parameters import status_of
from hilnic.protocols.cm_resources import SIGNALLING_VLAN_ID, Line, VlanIds
from hilnic.protocols.cm_vc import CmParty, CmVc
from hilnic.protocols.sdu import SduPool
from hilnic.signalling import LONGEST_MESSAGE, GroupAddress
from hilnic.signalling.control import (
    CallControl,
    ModifyConfirm,
    ModifyIndication,
    Primitive,
    ProceedingIndication,
    ReleaseConfirm,
    ReleaseIndication,
    SetupCompleteIndication,
    SetupConfirm,
    SetupIndication,
    TimerValues,
)
from hilnic.signalling.elements import LONGEST_SELECTOR
from hilnic.signalling.messages import Connect

__all__ = ["FAMILY", "CallManager", "CmBinding"]

FAMILY = CoAddressFamily(condis.AddressFamilyType.Q2931)
COMMITTED_PERCENT = 90
"""Of the line that calls may be promised, as by the NIC's driver: gaps and what is not guaranteed need the rest."""
_HIGHEST_PRIORITY = 7


class CmAf:
    """A client that has opened the address family."""

    def __init__(self, manager: CmBinding, handle: AfHandle) -> None:
        self.manager, self.handle = manager, handle
        self.vcs = 0

    @property
    def is_in_use(self) -> bool:
        """Whether it has VCs or SAPs (CC-03)."""
        return bool(self.vcs) or any(sap.af is self for sap in self.manager.saps.values())


@dataclass(frozen=True, slots=True)
class CmSap:
    """Where a client is called."""

    af: CmAf
    selector: bytes
    handle: SapHandle


class CmBinding:
    """The call manager on one adapter: the binding context."""

    def __init__(self, driver: CallManager, parameters: ndis.BindParameters) -> None:
        self.driver, self.parameters = driver, parameters
        self.address = parameters.mac_address
        self.handle: ndis.Binding | None = None
        self.kernel = driver.handle.ndis.kernel
        self.control = CallControl(self.address, 1, self._send, self.kernel, self._told, values=driver.timers)
        self.ids = VlanIds(self.address)
        self.line = Line(parameters.xmit_link_speed // 8 * COMMITTED_PERCENT // 100)
        self.afs: list[CmAf] = []
        self.saps: dict[bytes, CmSap] = {}
        self.vcs: list[CmVc] = []
        self.signalling: VcHandle | None = None
        self.is_running = self.is_ready = False
        self._sdus = SduPool(driver.handle, LONGEST_MESSAGE, f"{driver.name} signalling")
        self._empty: Any = None
        self._down: Any = None
        self._idle: Any = None

    @property
    def open(self) -> ndis.Binding:
        """The binding's handle, which must be there."""
        assert self.handle is not None
        return self.handle

    @property
    def group(self) -> GroupAddress:
        """Where the frames of multipoint calls that begin here go: this station's address with the group bit.

        Calls of one station differ by their VLAN ids, those of several by this address.
        """
        return GroupAddress(bytes((self.address[0] | 1,)) + self.address[1:])

    def later(self, routine: Callable[[], None]) -> None:
        """As a DPC: not inside of what the client is doing."""
        self.kernel.queue_dpc(routine)

    # The signalling VC.

    def start(self) -> NdisStatus:
        """Register the address family, activate the signalling VC. NOT_SUPPORTED: the adapter carries no VCs."""
        status = condis.cm_register_address_family(self.open, FAMILY)
        if status is not NdisStatus.SUCCESS:
            return status
        status, self.signalling = condis.co_create_vc(self.open, None, self)
        if self.signalling is None:
            condis.cm_deregister_address_family(self.open, FAMILY)
            return status
        parameters = CallParameters(condis.CallFlags.PERMANENT_VC | condis.CallFlags.BROADCAST_VC)
        parameters.media.specific = VlanMedia(SIGNALLING_VLAN_ID, _HIGHEST_PRIORITY, BROADCAST).pack()
        status = condis.cm_activate_vc(self.signalling, parameters)
        if status is not NdisStatus.PENDING:
            self.signalling_activated(status)
        return NdisStatus.SUCCESS

    def signalling_activated(self, status: NdisStatus) -> None:
        """From now on messages may be sent."""
        self.is_ready = status is NdisStatus.SUCCESS

    async def stop(self) -> None:
        """Ask the clients to leave, and wait for them; then the signalling VC goes."""
        for af in list(self.afs):
            condis.cm_notify_close_address_family(af.handle)
        if self.afs:
            self._empty = self.kernel.create_event()
            await self._empty.wait()
        self.control.close()
        if self.signalling is not None:
            self._down = self.kernel.create_event()
            if self.is_ready and condis.cm_deactivate_vc(self.signalling) is NdisStatus.PENDING:
                await self._down.wait()
            self.is_ready = False
            condis.co_delete_vc(self.signalling)
            self.signalling = None
            condis.cm_deregister_address_family(self.open, FAMILY)

    def signalling_deactivated(self) -> None:
        """The last message has gone."""
        self._down.set()

    def _send(self, octets: bytes) -> None:
        """A message that cannot be sent now is one that is lost: its timer knows."""
        if self.is_running and self.is_ready and self.signalling is not None:
            with suppress(MemoryError):
                self._sdus.send(self.signalling, [octets])

    def sent(self, nbls: NetBufferList) -> None:
        """ProtocolCoSendNetBufferListsComplete, of the signalling VC."""
        self._sdus.completed(nbls)
        if self._idle is not None and not self._sdus.outstanding:
            self._idle.set()

    def receive(self, nbls: NetBufferList, flags: int) -> None:
        """ProtocolCoReceiveNetBufferLists, of the signalling VC."""
        messages = [nb.tobytes() for nbl in ndis.walk(nbls) for nb in nbl.net_buffers()]
        if not flags & ReceiveFlags.RESOURCES:
            ndis.return_net_buffer_lists(self.open, nbls)
        for octets in messages:
            self.control.receive(octets)

    async def pnp_event(self, event: ndis.NetPnpEvent) -> NdisStatus:
        """ProtocolNetPnPEvent: while it is paused messages are lost."""
        if event.event is NetEvent.PAUSE:
            self.is_running = False
            if self._sdus.outstanding:
                self._idle = self.kernel.create_event()
                await self._idle.wait()
                self._idle = None
        elif event.event is NetEvent.RESTART:
            self.is_running = True
        return NdisStatus.SUCCESS

    def free(self) -> None:
        """Give the memory back."""
        self._sdus.close()

    # What the machine says.

    def _told(self, told: Primitive) -> None:
        owner = told.leg.owner
        match told:
            case SetupIndication(leg, message):
                cm_incoming.arrived(self, leg, message)
            case ReleaseConfirm():
                vc = owner.vc if isinstance(owner, CmParty) else owner
                if vc is not None:
                    vc.leg_ended()
            case ReleaseIndication(leg, cause, data):
                party = self._party_of(leg, owner)
                if party is None:
                    cm_incoming.ended(owner, leg, cause, data)
                else:
                    cm_outgoing.party_left(party, status_of(cause), data)
            case SetupConfirm(leg, message):
                if isinstance(message, Connect):
                    cm_outgoing.confirmed(owner, leg, message)
                else:
                    cm_outgoing.party_confirmed(owner)
            case SetupCompleteIndication():
                cm_incoming.connected(owner)
            case ModifyIndication(leg, contract):
                cm_incoming.change(owner, leg, contract)
            case ModifyConfirm(_, agreed, cause_of_refusal):
                cm_outgoing.modify_confirmed(owner, agreed, cause_of_refusal)
            case ProceedingIndication():
                pass  # nobody above waits for it

    @staticmethod
    def _party_of(leg: Any, owner: CmVc | CmParty) -> CmParty | None:
        """The party whose leg it is, when the call is connected and has parties."""
        if isinstance(owner, CmParty):
            return owner
        if owner.is_making:
            return None
        return next((party for party in owner.parties if party.leg is leg), None)

    # Handlers: address family and SAPs.

    def open_af(self, family: CoAddressFamily, handle: AfHandle) -> tuple[NdisStatus, CmAf]:
        """ProtocolCmOpenAf."""
        del family
        af = CmAf(self, handle)
        self.afs.append(af)
        return NdisStatus.SUCCESS, af

    @staticmethod
    def close_af(af: CmAf) -> NdisStatus:
        """ProtocolCmCloseAf: refused while it is in use."""
        if af.is_in_use:
            return NdisStatus.NOT_ACCEPTED
        manager = af.manager
        manager.afs.remove(af)
        if manager._empty is not None and not manager.afs:
            manager._empty.set()
        return NdisStatus.SUCCESS

    @staticmethod
    def register_sap(af: CmAf, sap: Sap, handle: SapHandle) -> tuple[NdisStatus, CmSap | None]:
        """ProtocolCmRegisterSap (CC-05)."""
        if sap.sap_type != condis.SapType.NSAP or not 1 <= len(sap.sap) <= LONGEST_SELECTOR:
            return NdisStatus.INVALID_SAP, None
        if sap.sap in af.manager.saps:
            return NdisStatus.SAP_IN_USE, None
        registered = af.manager.saps[sap.sap] = CmSap(af, sap.sap, handle)
        return NdisStatus.SUCCESS, registered

    @staticmethod
    def deregister_sap(sap: CmSap) -> NdisStatus:
        """ProtocolCmDeregisterSap: no new calls; those that there are go on (CC-06)."""
        del sap.af.manager.saps[sap.selector]
        return NdisStatus.SUCCESS

    @staticmethod
    def create_vc(af: CmAf, handle: VcHandle) -> tuple[NdisStatus, CmVc]:
        """ProtocolCoCreateVc: a client is about to call."""
        vc = CmVc(af.manager, af, handle, is_incoming=False)
        af.manager.vcs.append(vc)
        af.vcs += 1
        return NdisStatus.SUCCESS, vc

    @staticmethod
    def delete_vc(vc: CmVc) -> NdisStatus:
        """ProtocolCoDeleteVc."""
        vc.is_deleted = True
        vc.manager.vcs.remove(vc)
        vc.af.vcs -= 1
        return NdisStatus.SUCCESS


def _activated(context: CmBinding | CmVc, status: NdisStatus, parameters: CallParameters) -> None:
    del parameters
    if isinstance(context, CmBinding):
        context.signalling_activated(status)
    else:
        context.operated(status)


def _deactivated(context: CmBinding | CmVc, status: NdisStatus) -> None:
    if isinstance(context, CmBinding):
        context.signalling_deactivated()
    else:
        context.operated(status)


def _receive(binding: CmBinding, manager: CmBinding, nbls: NetBufferList, count: int, flags: int) -> None:
    del binding, count
    manager.receive(nbls, flags)


def _sent(manager: CmBinding, nbls: NetBufferList, flags: int) -> None:
    del flags
    manager.sent(nbls)


def _return(manager: CmBinding, nbls: NetBufferList, port_number: int, count: int, flags: int) -> None:
    """Connectionless frames, which it has not asked for."""
    del port_number, count
    if not flags & ReceiveFlags.RESOURCES:
        ndis.return_net_buffer_lists(manager.open, nbls)


def _ignore(*_: Any) -> None:
    """What NDIS tells, and nobody here waits for."""


def _refuse_request(*_: Any) -> NdisStatus:
    return NdisStatus.NOT_SUPPORTED


def _make_call(vc: CmVc, parameters: CallParameters, party: PartyHandle | None) -> cm_outgoing.Answer:
    return cm_outgoing.make_call(vc, parameters, party)


HANDLERS = condis.CallManagerHandlers(
    create_vc=CmBinding.create_vc,
    delete_vc=CmBinding.delete_vc,
    open_af=CmBinding.open_af,
    close_af=CmBinding.close_af,
    register_sap=CmBinding.register_sap,
    deregister_sap=CmBinding.deregister_sap,
    make_call=_make_call,
    close_call=cm_incoming.close_call,
    incoming_call_complete=cm_incoming.answered,
    add_party=cm_outgoing.add_party,
    drop_party=cm_outgoing.drop_party,
    modify_call_qos=cm_outgoing.modify_call_qos,
    activate_vc_complete=_activated,
    deactivate_vc_complete=_deactivated,
    notify_close_af_complete=_ignore,
    oid_request=_refuse_request,
)
PROTOCOL = condis.ProtocolCoCharacteristics(
    receive_net_buffer_lists=_receive,
    send_net_buffer_lists_complete=_sent,
)


class CallManager:
    """The driver: `await CallManager().register(host)`."""

    def __init__(self, *, name: str = "call manager", timers: TimerValues | None = None) -> None:
        self.name, self.timers = name, timers
        self.bindings: dict[str, CmBinding] = {}
        self.handle: ndis.ProtocolDriver

    def __repr__(self) -> str:
        """Name and adapters."""
        return f"<CallManager {self.name} on {list(self.bindings)}>"

    async def register(self, host: ndis.Ndis) -> None:
        """Register with NDIS, which binds to every adapter there is."""
        self.handle = await ndis.register_protocol_driver(host, self._characteristics(), self)

    async def deregister(self) -> None:
        """Unbind from all adapters and leave NDIS."""
        await ndis.deregister_protocol_driver(self.handle)

    def _characteristics(self) -> ndis.ProtocolCharacteristics:
        return ndis.ProtocolCharacteristics(
            name=self.name,
            set_options=CallManager._set_options,
            bind_adapter=CallManager._bind,
            unbind_adapter=CallManager._unbind,
            net_pnp_event=CmBinding.pnp_event,
            receive_net_buffer_lists=_return,
            send_net_buffer_lists_complete=_ignore,
        )

    @staticmethod
    def _set_options(driver: ndis.ProtocolDriver, context: CallManager) -> NdisStatus:
        context.handle = driver
        condis.set_optional_handlers(driver, PROTOCOL)
        return condis.set_optional_handlers(driver, HANDLERS)

    def _bind(self, bind_context: ndis.BindContext, parameters: ndis.BindParameters) -> NdisStatus:
        manager = CmBinding(self, parameters)
        status, manager.handle = ndis.open_adapter(bind_context.protocol, manager, ndis.OpenParameters(), bind_context)
        if status is NdisStatus.SUCCESS:
            status = manager.start()
            if status is NdisStatus.SUCCESS:
                self.bindings[parameters.adapter_name] = manager
                return status
            ndis.close_adapter(manager.open)
        manager.free()
        return status

    @staticmethod
    async def _unbind(unbind_context: ndis.UnbindContext, manager: CmBinding) -> NdisStatus:
        del unbind_context
        await manager.stop()
        status = ndis.close_adapter(manager.open)
        manager.free()
        manager.driver.bindings.pop(manager.parameters.adapter_name, None)
        return status
