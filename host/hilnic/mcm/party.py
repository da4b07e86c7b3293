# SPDX-License-Identifier: Apache-2.0
"""Parties of a multipoint call at its root: each further one has a dialogue of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.mcm.dialogue import Dialogue
from hilnic.mcm.terms import as_status, wish_of
from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import CallParameters, PartyHandle
from hilnic.signalling import CallingAddress, Cause, ConnectionIdentifier, EndpointReference
from hilnic.signalling.elements import LONGEST_USER_DATA
from hilnic.signalling.messages import AddParty

if TYPE_CHECKING:
    from hilnic.mcm.vc import McmVc

__all__ = ["McmParty", "add"]


class McmParty:
    """A party of a multipoint call; its context."""

    def __init__(self, vc: McmVc, handle: PartyHandle, station: bytes) -> None:
        self.vc, self.handle, self.station = vc, handle, station
        self.dialogue: Dialogue
        self.wanted: CallParameters | None = None  # while it is being added
        self.is_gone = False

    @property
    def is_listening(self) -> bool:
        """Whether it hears the root."""
        return self.wanted is None and not self.is_gone

    async def accepted(self) -> None:
        """It takes part."""
        if self.wanted is not None:
            wanted, self.wanted = self.wanted, None
            condis.mcm_complete_add_party(self.handle, NdisStatus.SUCCESS, self, wanted)

    async def left(self, cause: Cause, data: bytes) -> None:
        """It has refused, left or failed (CC-19)."""
        vc, status = self.vc, as_status(cause)
        if self.wanted is not None:
            wanted, self.wanted = self.wanted, None
            vc.parties.remove(self)
            self.dialogue.leave(Cause.NORMAL_CALL_CLEARING)
            refusal = NdisStatus.NOT_ACCEPTED if status is NdisStatus.SUCCESS else status
            condis.mcm_complete_add_party(self.handle, refusal, None, wanted)
        elif not vc.is_up or self not in vc.parties:
            self.dialogue.leave(Cause.NORMAL_CALL_CLEARING)
        else:
            self.is_gone = True
            if any(each.is_listening for each in vc.parties):
                condis.mcm_dispatch_incoming_drop_party(self.handle, status, data)
            else:
                condis.mcm_dispatch_incoming_close_call(vc.handle, status, data)

    def drop(self, data: bytes) -> NdisStatus:
        """ProtocolCmDropParty."""
        self.vc.parties.remove(self)
        self.dialogue.leave(Cause.NORMAL_CALL_CLEARING, data[:LONGEST_USER_DATA])
        return NdisStatus.SUCCESS


def add(vc: McmVc, parameters: CallParameters, handle: PartyHandle) -> tuple[NdisStatus, McmParty | None]:
    """ProtocolCmAddParty."""
    wish = wish_of(parameters)
    if wish.called is None:
        return wish.problem, None
    station = wish.called.station
    if vc.group is None or station == vc.mcm.address or station in {each.station for each in vc.parties}:
        return NdisStatus.INVALID_ADDRESS, None
    party = McmParty(vc, handle, station)
    connection = ConnectionIdentifier(vc.ids, vc.priority)
    endpoint, calling = EndpointReference(vc.next_party), CallingAddress(vc.mcm.address)
    invitation = AddParty(wish.called, calling, vc.contract, connection, vc.group, endpoint, wish.data)
    dialogue = vc.mcm.station.invite(invitation, party)
    if dialogue is None:
        return NdisStatus.RESOURCES, None
    party.dialogue, party.wanted = dialogue, parameters
    vc.next_party = (vc.next_party + 1) % 0x8000
    vc.open_dialogues += 1
    vc.parties.append(party)
    return NdisStatus.PENDING, party
