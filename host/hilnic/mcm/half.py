# SPDX-License-Identifier: Apache-2.0
"""What NDIS sees of the integrated call manager, and what it wants of its miniport.

The miniport's adapter context has the Mcm as `mcm`; it hands over what comes on the signalling VLAN id, and does for
the call manager's half what NDIS would ask a miniport without one to do. What carries the signalling is no VC of NDIS's
(CC-22).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from hilnic import ndis
from hilnic.mcm.dialogue import Dialogue
from hilnic.mcm.party import McmParty, add
from hilnic.mcm.peer import Settings
from hilnic.mcm.station import Station
from hilnic.mcm.terms import SIGNALLING_VLAN_ID, SILENT, Ledger, offer
from hilnic.mcm.vc import McmVc, Stage
from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import AfHandle, CallParameters, CoAddressFamily, Sap, SapHandle, VcHandle
from hilnic.signalling import LONGEST_MESSAGE, Cause, GroupAddress, TrafficContract
from hilnic.signalling.elements import LONGEST_SELECTOR
from hilnic.signalling.messages import AddPartyAcknowledge, Connect, ModifyAcknowledge, ModifyReject

__all__ = ["FAMILY", "HANDLERS", "LONGEST_MESSAGE", "SIGNALLING_VLAN_ID", "Board", "Mcm"]

FAMILY = CoAddressFamily(condis.AddressFamilyType.Q2931)


class Board(Protocol):
    """What the miniport does for its call manager; `data` is its own state of a VC."""

    mcm: Mcm

    def create(self, handle: VcHandle) -> Any | None:
        """State for a VC; None: there is no room."""
        ...

    def delete(self, data: Any) -> None:
        """The VC is no more."""
        ...

    async def activate(self, data: Any, parameters: CallParameters) -> NdisStatus:
        """Bring it up, or change its parameters; a failure leaves what was (CC-09)."""
        ...

    async def deactivate(self, data: Any) -> None:
        """Take it down: every send has ended and every receive is back when this returns (CC-10)."""
        ...

    def signal(self, octets: bytes) -> None:
        """Send a message of at most LONGEST_MESSAGE bytes to everybody, with the signalling VLAN id; it may be lost."""
        ...


class McmAf:
    """A client that has opened the address family."""

    def __init__(self, mcm: Mcm, handle: AfHandle) -> None:
        self.mcm, self.handle = mcm, handle
        self.vcs = 0


@dataclass(frozen=True, slots=True)
class McmSap:
    """Where a client is called."""

    af: McmAf
    selector: bytes
    handle: SapHandle


class Mcm:
    """The call manager's half of one adapter."""

    def __init__(
        self, adapter: ndis.Adapter, board: Board, address: bytes, link_rate: int, settings: Settings | None = None
    ) -> None:
        """`link_rate`: what the adapter may promise, in bytes per second; the signalling's share is a part of it."""
        self.adapter, self.board, self.address = adapter, board, address
        self.ledger = Ledger(address, link_rate)
        self.station = Station(address, adapter.ndis.kernel, board.signal, self, settings)
        self.afs: list[McmAf] = []
        self.saps: dict[bytes, McmSap] = {}

    def start(self) -> NdisStatus:
        """NdisMCmRegisterAddressFamilyEx: the miniport has named `HANDLERS`; from MiniportInitialize (PASSIVE)."""
        return condis.mcm_register_address_family(self.adapter, FAMILY)

    def stop(self) -> None:
        """The adapter halts: no client is bound any more."""
        self.station.close()
        condis.mcm_deregister_address_family(self.adapter, FAMILY)

    def hear(self, octets: bytes) -> None:
        """A message has come on the signalling VLAN id."""
        self.station.receive(octets)

    # For VCs.

    def work(self, steps: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine at PASSIVE_LEVEL."""

        async def routine(context: Any) -> None:
            del context
            await steps()

        ndis.queue_io_work_item(self.adapter, routine, None)

    @property
    def group(self) -> GroupAddress:
        """Of multipoint calls: this station's address as a group; the VLAN id tells its calls apart."""
        return GroupAddress(bytes((self.address[0] | 1,)) + self.address[1:])

    def delete(self, vc: McmVc) -> None:
        """Delete a VC that this call manager has created."""
        if condis.mcm_delete_vc(vc.handle) is NdisStatus.SUCCESS:
            self.board.delete(vc.data)
            vc.af.vcs -= 1
            vc.stage = Stage.GONE

    # What the station says.

    def offered(self, dialogue: Dialogue) -> None:
        """Somebody calls: who is it for, which id, is there room?"""
        invitation = dialogue.invitation
        sap = self.saps.get(invitation.called.selector)
        if sap is None:
            dialogue.leave(Cause.UNALLOCATED_NUMBER)
            return
        vc = McmVc(self, sap.af, is_own=True)
        vc.dialogue, vc.open_dialogues, dialogue.owner = dialogue, 1, vc
        vc.peer, vc.group, vc.priority = dialogue.peer.address, invitation.group, invitation.connection.priority
        offered = invitation.connection.vlan_ids
        vc.contract = invitation.contract
        if vc.group is not None:
            vc.sends, offered = SILENT, offered[:1]
        vc.ids = self.ledger.take_one_of(vc, offered)
        if not vc.ids:
            dialogue.leave(Cause.CONNECTION_NOT_AVAILABLE)
        elif not self.ledger.promise(vc, vc.sends):
            dialogue.leave(Cause.USER_CELL_RATE_NOT_AVAILABLE)
        else:
            self._take_in(vc, dialogue, sap)

    def _take_in(self, vc: McmVc, dialogue: Dialogue, sap: McmSap) -> None:
        _, handle = condis.mcm_create_vc(self.adapter, sap.af.handle, vc)
        vc.data = None if handle is None else self.board.create(handle)
        if handle is None or vc.data is None:
            if handle is not None:
                condis.mcm_delete_vc(handle)
            self.ledger.promises.pop(vc, None)
            dialogue.leave(Cause.RESOURCE_UNAVAILABLE)
            return
        vc.handle, vc.stage = handle, Stage.COMING
        vc.af.vcs += 1
        vc.asked = offer(dialogue.invitation, vc.contract)
        vc.then(lambda: vc.arrive(sap))

    def agreed(self, dialogue: Dialogue, answer: Connect | AddPartyAcknowledge) -> None:
        """A peer takes part."""
        owner = dialogue.owner
        if isinstance(answer, Connect):
            owner.then(lambda: owner.accepted(dialogue, answer))
        else:
            owner.vc.then(owner.accepted)

    def settled(self, dialogue: Dialogue) -> None:
        """The caller is ready."""
        dialogue.owner.then(dialogue.owner.settled)

    def left(self, dialogue: Dialogue, cause: Cause, data: bytes) -> None:
        """A peer has gone."""
        owner = dialogue.owner
        vc: McmVc = owner.vc if isinstance(owner, McmParty) else owner
        if vc.stage is Stage.COMING:
            vc.stage = Stage.GONE  # `arrive` finds out
            return
        party = owner if isinstance(owner, McmParty) else self._party_of(vc, dialogue)
        if party is None:
            vc.then(lambda: vc.peer_left(dialogue, cause, data))
        else:
            vc.then(lambda: party.left(cause, data))

    @staticmethod
    def _party_of(vc: McmVc, dialogue: Dialogue) -> McmParty | None:
        """Which party of a call that is up."""
        if vc.stage is Stage.MAKING:
            return None
        return next((party for party in vc.parties if party.dialogue is dialogue), None)

    def over(self, dialogue: Dialogue) -> None:
        """Its id may be free."""
        owner = dialogue.owner
        if owner is not None:
            (owner.vc if isinstance(owner, McmParty) else owner).dialogue_over()

    def change_wanted(self, dialogue: Dialogue, contract: TrafficContract) -> None:
        """The caller wants another contract."""
        vc = dialogue.owner
        vc.then(lambda: vc.change_wanted(dialogue, contract))

    def change_answered(self, dialogue: Dialogue, answer: ModifyAcknowledge | ModifyReject) -> None:
        """The called side has it, or not."""
        vc = dialogue.owner
        vc.then(lambda: vc.change_answered(answer))

    # Handlers.

    @staticmethod
    def open_af(board: Board, family: CoAddressFamily, handle: AfHandle) -> tuple[NdisStatus, McmAf]:
        """ProtocolCmOpenAf."""
        del family
        af = McmAf(board.mcm, handle)
        board.mcm.afs.append(af)
        return NdisStatus.SUCCESS, af

    @staticmethod
    def close_af(af: McmAf) -> NdisStatus:
        """ProtocolCmCloseAf: not while it is in use (CC-03)."""
        if af.vcs or any(sap.af is af for sap in af.mcm.saps.values()):
            return NdisStatus.NOT_ACCEPTED
        af.mcm.afs.remove(af)
        return NdisStatus.SUCCESS

    @staticmethod
    def register_sap(af: McmAf, sap: Sap, handle: SapHandle) -> tuple[NdisStatus, McmSap | None]:
        """ProtocolCmRegisterSap (CC-05)."""
        mcm = af.mcm
        if not sap.sap or len(sap.sap) > LONGEST_SELECTOR or sap.sap_type != condis.SapType.NSAP:
            return NdisStatus.INVALID_SAP, None
        if sap.sap in mcm.saps:
            return NdisStatus.SAP_IN_USE, None
        mcm.saps[sap.sap] = McmSap(af, sap.sap, handle)
        return NdisStatus.SUCCESS, mcm.saps[sap.sap]

    @staticmethod
    def deregister_sap(sap: McmSap) -> NdisStatus:
        """ProtocolCmDeregisterSap (CC-06)."""
        sap.af.mcm.saps.pop(sap.selector)
        return NdisStatus.SUCCESS

    def has(self, sap: McmSap) -> bool:
        """Whether it is still registered."""
        return self.saps.get(sap.selector) is sap

    @staticmethod
    def create_vc(af: McmAf, handle: VcHandle) -> tuple[NdisStatus, McmVc | None]:
        """ProtocolCoCreateVc: for both halves."""
        vc = McmVc(af.mcm, af, is_own=False)
        vc.handle, vc.data = handle, af.mcm.board.create(handle)
        if vc.data is None:
            return NdisStatus.RESOURCES, None
        af.vcs += 1
        return NdisStatus.SUCCESS, vc

    @staticmethod
    def delete_vc(vc: McmVc) -> NdisStatus:
        """ProtocolCoDeleteVc: a client is done with its VC."""
        vc.mcm.board.delete(vc.data)
        vc.af.vcs -= 1
        vc.stage = Stage.GONE
        return NdisStatus.SUCCESS


def _decided(vc: McmVc, status: NdisStatus, parameters: CallParameters) -> None:
    vc.then(lambda: vc.decided(status, parameters))


HANDLERS = condis.CallManagerHandlers(
    create_vc=Mcm.create_vc,
    delete_vc=Mcm.delete_vc,
    open_af=Mcm.open_af,
    close_af=Mcm.close_af,
    register_sap=Mcm.register_sap,
    deregister_sap=Mcm.deregister_sap,
    make_call=McmVc.make,
    close_call=McmVc.close,
    incoming_call_complete=_decided,
    add_party=add,
    drop_party=McmParty.drop,
    modify_call_qos=McmVc.change,
)
"""For NdisSetOptionalHandlers, beside the miniport's own."""
