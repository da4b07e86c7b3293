# SPDX-License-Identifier: Apache-2.0
"""The stand-alone call manager on one adapter, whatever its version: families, SAPs, signalling VC, machine.

    client  <- NdisCm ->  cm_binding, cm_outgoing, cm_incoming  <- primitives ->  signalling.control  <- signalling VC

It registers the address family Q2931, has a permanent VC of its own with the signalling VLAN id, and a machine of
docs/signalling.md on it. A SAP is a selector of 1 to 32 bytes at the adapter's address. How NDIS spells what the data
version decides is its subclasses' (`call_manager`, `call_manager5`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import AfHandle, CallParameters, CoAddressFamily, PartyHandle, Sap, SapHandle, VcHandle
from hilnic.protocols import cm_incoming, cm_outgoing
from hilnic.protocols.cm_parameters import signalling_parameters, status_of
from hilnic.protocols.cm_resources import Line, VlanIds
from hilnic.protocols.cm_vc import CmParty, CmVc
from hilnic.protocols.co_protocol import CoDriver, ignore
from hilnic.protocols.sdu import SduSender
from hilnic.signalling import SIGNALLING_FLOW, GroupAddress
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

__all__ = ["FAMILY", "HANDLERS", "CmAf", "CmBinding", "CmSap"]

FAMILY = CoAddressFamily(condis.AddressFamilyType.Q2931)
COMMITTED_PERCENT = 90
"""Of the line that VCs may be promised, as by the NIC's driver: gaps and what is not guaranteed need the rest."""


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


class CmBinding(ABC):
    """The call manager on one adapter: the binding context. What needs the station's address comes with `start`."""

    address: bytes
    control: CallControl
    ids: VlanIds

    def __init__(self, driver: CoDriver, adapter_name: str, timers: TimerValues | None) -> None:
        self.driver, self.adapter_name, self.timers = driver, adapter_name, timers
        self.handle: Any = None
        self.kernel = driver.handle.ndis.kernel
        self.line = Line(0)
        self.afs: list[CmAf] = []
        self.saps: dict[bytes, CmSap] = {}
        self.vcs: list[CmVc] = []
        self.signalling: VcHandle | None = None
        self.is_running = self.is_ready = False
        self.sdus = self.make_pool(f"{driver.name} signalling")
        self._empty: Any = None
        self._down: Any = None
        self._idle: Any = None

    @abstractmethod
    def make_pool(self, tag: str) -> SduSender:
        """What messages are sent from."""

    @abstractmethod
    def register_family(self) -> NdisStatus:
        """NdisCmRegisterAddressFamily(Ex), of FAMILY. An error when the adapter carries no VCs."""

    @property
    def open_handle(self) -> Any:
        """The binding's handle, of NDIS 6 or 5, which must be there."""
        assert self.handle is not None
        return self.handle

    def learn_speed(self, bits_per_second: int) -> None:
        """What the line can be promised to calls follows from its speed; the signalling has its share already."""
        committed = bits_per_second // 8 * COMMITTED_PERCENT // 100
        self.line.rate = max(committed - SIGNALLING_FLOW.promised, 0)

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

    def start(self, address: bytes) -> NdisStatus:
        """Register the address family of the station `address`, activate the signalling VC; an error if it cannot."""
        self.address = address
        self.control = CallControl(address, 1, self._send, self.kernel, self._told, values=self.timers)
        self.ids = VlanIds(address)
        status = self.register_family()
        if status is not NdisStatus.SUCCESS:
            return status
        status, self.signalling = condis.co_create_vc(self.open_handle, None, self)
        if self.signalling is None:
            condis.cm_deregister_address_family(self.open_handle, FAMILY)
            return status
        status = condis.cm_activate_vc(self.signalling, signalling_parameters())
        if status is not NdisStatus.PENDING:
            self.signalling_activated(status)
        return NdisStatus.SUCCESS

    def signalling_activated(self, status: NdisStatus) -> None:
        """From now on messages may be sent."""
        self.is_ready = status is NdisStatus.SUCCESS

    async def leave(self) -> None:
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
            condis.cm_deregister_address_family(self.open_handle, FAMILY)

    def signalling_deactivated(self) -> None:
        """The last message has gone."""
        self._down.set()

    def _send(self, octets: bytes) -> None:
        """A message that cannot be sent now is one that is lost: its timer knows."""
        if self.is_running and self.is_ready and self.signalling is not None:
            with suppress(MemoryError):
                self.sdus.send(self.signalling, [octets])

    def sent(self) -> None:
        """Messages are back from the NIC; a pause may have waited for the last one."""
        if self._idle is not None and not self.sdus.outstanding:
            self._idle.set()

    def hear(self, messages: Iterable[bytes]) -> None:
        """What came on the signalling VC."""
        for octets in messages:
            self.control.receive(octets)

    async def wait_until_sent(self) -> None:
        """Until no message is with the NIC."""
        while self.sdus.outstanding:
            self._idle = self.kernel.create_event()
            await self._idle.wait()
        self._idle = None

    def free(self) -> None:
        """Give the memory back."""
        self.sdus.close()

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
    notify_close_af_complete=ignore,
    oid_request=_refuse_request,
)
