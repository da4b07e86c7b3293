# SPDX-License-Identifier: Apache-2.0
"""Between the terms of NDIS and those of the signalling: what a client asks for, what has been agreed, what is left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

from hilnic.ndis import NdisStatus
from hilnic.ndis.condis import CallFlags, CallParameters, FlowSpec, MediaFlags, ServiceType, SpecificParameters
from hilnic.ndis.condis.vlan_media import BROADCAST, VlanMedia
from hilnic.signalling import (
    ELEMENTS_TYPE,
    SIGNALLING_FLOW,
    CalledAddress,
    CallingAddress,
    Cause,
    DecodeError,
    Flow,
    Service,
    TrafficContract,
    UserData,
    decode_elements,
    encode_elements,
)
from hilnic.signalling.causes import CLIENT_STATUS
from hilnic.signalling.messages import AddParty, Setup

__all__ = ["SIGNALLING_VLAN_ID", "SILENT", "Ledger", "Wish", "agreement", "as_status", "offer", "own_vc", "wish_of"]

SILENT = Flow(service=Service.NO_TRAFFIC)
SIGNALLING_VLAN_ID = 5
_FIRST, _LAST = 16, 4094
_HIGHEST_PRIORITY = 7


def as_status(cause: Cause) -> NdisStatus:
    """How a client hears of a cause."""
    return NdisStatus[CLIENT_STATUS.get(cause, NdisStatus.FAILURE.name)]


@dataclass(frozen=True, slots=True)
class Wish:
    """What call parameters ask for, or why they cannot be understood."""

    called: CalledAddress | None = None
    calling: CallingAddress | None = None
    data: UserData | None = None
    sends: Flow = SILENT
    receives: Flow = SILENT
    problem: NdisStatus = NdisStatus.SUCCESS


def wish_of(parameters: CallParameters, needs_address: bool = True) -> Wish:
    """Read call parameters."""
    manager, flags = parameters.call_manager, parameters.media.flags
    found: dict[type[Any], Any] = {}
    if needs_address:
        try:
            found = decode_elements(manager.specific.parameters)
        except DecodeError:
            return Wish(problem=NdisStatus.INVALID_ADDRESS)
        if manager.specific.param_type != ELEMENTS_TYPE or CalledAddress not in found:
            return Wish(problem=NdisStatus.INVALID_ADDRESS)
    try:
        flows = [
            Flow(spec.token_rate, spec.token_bucket_size, spec.peak_bandwidth, spec.max_sdu_size, service)
            for spec, flag in ((manager.transmit, MediaFlags.TRANSMIT_VC), (manager.receive, MediaFlags.RECEIVE_VC))
            for service in [Service(spec.service_type) if flags & flag else Service.NO_TRAFFIC]
        ]
    except ValueError:
        return Wish(problem=NdisStatus.INCOMPATABLE_QOS)
    sends, receives = flows
    return Wish(found.get(CalledAddress), found.get(CallingAddress), found.get(UserData), sends, receives)


def agreement(asked: CallParameters, sends: Flow, receives: Flow, media: VlanMedia) -> CallParameters:
    """The parameters that hold."""
    agreed = asked.copy()
    agreed.flags |= CallFlags.CALL_PARAMETERS_CHANGED
    agreed.call_manager.transmit = _as_spec(sends, agreed.call_manager.transmit)
    agreed.call_manager.receive = _as_spec(receives, agreed.call_manager.receive)
    agreed.media.specific = media.pack()
    return agreed


def _as_spec(flow: Flow, before: FlowSpec) -> FlowSpec:
    spec = replace(before, token_rate=flow.rate, token_bucket_size=flow.burst, peak_bandwidth=flow.peak)
    if flow.service is Service.NO_TRAFFIC:
        return replace(spec, max_sdu_size=flow.max_sdu)
    return replace(spec, max_sdu_size=flow.max_sdu, service_type=ServiceType(flow.service))


def offer(invitation: Setup | AddParty, contract: TrafficContract) -> CallParameters:
    """What a client is offered by somebody's invitation."""
    parameters = CallParameters(CallFlags.MULTIPOINT_VC if invitation.group is not None else 0)
    octets = encode_elements(invitation.called, invitation.calling)
    if invitation.user_data is not None:
        octets += encode_elements(invitation.user_data)
    parameters.call_manager.specific = SpecificParameters(ELEMENTS_TYPE, octets)
    parameters.media.flags = 0
    if contract.backward.service is not Service.NO_TRAFFIC:
        parameters.media.flags |= MediaFlags.TRANSMIT_VC
    if contract.forward.service is not Service.NO_TRAFFIC:
        parameters.media.flags |= MediaFlags.RECEIVE_VC
    return parameters


def own_vc() -> CallParameters:
    """What the messages' own connection needs: its VLAN id, and a part of the line that it always has."""
    parameters = CallParameters()
    parameters.call_manager.transmit = _as_spec(SIGNALLING_FLOW, FlowSpec())
    parameters.media.specific = VlanMedia(SIGNALLING_VLAN_ID, _HIGHEST_PRIORITY, BROADCAST).pack()
    return parameters


class Ledger:
    """Who has which VLAN ids, and how much of the line; calls share what the signalling leaves them of `rate`."""

    def __init__(self, address: bytes, rate: int) -> None:
        self.address, self.rate = address, max(rate - SIGNALLING_FLOW.promised, 0)
        self.ids: dict[int, object] = {}
        self.promises: dict[object, int] = {}
        self._from = _FIRST

    def lend(self, owner: object, peer: bytes, number: int) -> tuple[int, ...]:
        """Ids to offer to a peer: the station with the higher address has the odd ones, the other the even ones."""
        odd = self.address > peer
        every = chain(range(self._from, _LAST + 1), range(_FIRST, self._from))
        ids = list(islice((each for each in every if each % 2 == odd and each not in self.ids), number))
        self.ids.update(dict.fromkeys(ids, owner))
        self._from = ids[0] + 1 if ids else self._from
        return tuple(ids)

    def lend_for_many(self, owner: object) -> tuple[int, ...]:
        """One id from the top, for a multipoint call."""
        highest = next((each for each in range(_LAST, _FIRST - 1, -1) if each not in self.ids), None)
        if highest is None:
            return ()
        self.ids[highest] = owner
        return (highest,)

    def take_one_of(self, owner: object, offered: tuple[int, ...]) -> tuple[int, ...]:
        """The first of a peer's ids that nobody has here."""
        free = [each for each in offered if _FIRST <= each <= _LAST and each not in self.ids][:1]
        self.ids.update(dict.fromkeys(free, owner))
        return tuple(free)

    def back(self, *ids: int) -> None:
        """Nobody has them any more."""
        for each in ids:
            self.ids.pop(each, None)

    def promise(self, owner: object, flow: Flow) -> bool:
        """So much of the line instead of what the owner had; False when there is not so much."""
        others = sum(promised for who, promised in self.promises.items() if who is not owner)
        if flow.promised and others + flow.promised > self.rate:
            return False
        self.promises[owner] = flow.promised
        return True

    @property
    def left(self) -> int:
        """What nobody has been promised."""
        return self.rate - sum(self.promises.values())
