# SPDX-License-Identifier: Apache-2.0
"""Call parameters as NDIS has them, and contracts, addresses and causes as the signalling has them."""

from __future__ import annotations

from dataclasses import replace

from hilnic.ndis import NdisStatus
from hilnic.ndis.condis import CallFlags, CallParameters, FlowSpec, MediaFlags, ServiceType, SpecificParameters
from hilnic.ndis.condis.vlan_media import BROADCAST, VlanMedia
from hilnic.protocols.cm_resources import SIGNALLING_VLAN_ID
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

__all__ = [
    "Addresses",
    "Unreadable",
    "contract_of",
    "incoming_parameters",
    "negotiated",
    "read_addresses",
    "signalling_parameters",
    "status_of",
]


_HIGHEST_PRIORITY = 7


def signalling_parameters() -> CallParameters:
    """Of the permanent VC that the messages use, with a guaranteed share of what this station sends."""
    parameters = CallParameters(CallFlags.PERMANENT_VC | CallFlags.BROADCAST_VC)
    parameters.call_manager.transmit = _specified(SIGNALLING_FLOW, FlowSpec())
    parameters.media.specific = VlanMedia(SIGNALLING_VLAN_ID, _HIGHEST_PRIORITY, BROADCAST).pack()
    return parameters


def status_of(cause: Cause) -> NdisStatus:
    """What a client hears."""
    return NdisStatus[CLIENT_STATUS.get(cause, "FAILURE")]


class Unreadable(ValueError):
    """The call parameters say something that the signalling cannot; `status` is the answer."""

    def __init__(self, status: NdisStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class Addresses:
    """The information elements in a call's call-manager parameters."""

    __slots__ = ("called", "calling", "user_data")

    def __init__(self, called: CalledAddress, calling: CallingAddress | None, user_data: UserData | None) -> None:
        self.called, self.calling, self.user_data = called, calling, user_data


def read_addresses(parameters: CallParameters) -> Addresses:
    """Who is called; Unreadable when the parameters do not say it."""
    specific = parameters.call_manager.specific
    if specific.param_type != ELEMENTS_TYPE:
        raise Unreadable(NdisStatus.INVALID_ADDRESS, "no information elements")
    try:
        found = decode_elements(specific.parameters)
    except DecodeError as error:
        raise Unreadable(NdisStatus.INVALID_ADDRESS, str(error)) from error
    if CalledAddress not in found:
        raise Unreadable(NdisStatus.INVALID_ADDRESS, "nobody is called")
    return Addresses(found[CalledAddress], found.get(CallingAddress), found.get(UserData))


def _flow_of(spec: FlowSpec, is_used: bool) -> Flow:
    service = Service(spec.service_type) if is_used else Service.NO_TRAFFIC
    return Flow(spec.token_rate, spec.token_bucket_size, spec.peak_bandwidth, spec.max_sdu_size, service)


def contract_of(parameters: CallParameters, as_caller: bool = True) -> TrafficContract:
    """What the parameters ask for; transmit is forward for the caller. Unreadable for what contradicts itself."""
    flags, manager = parameters.media.flags, parameters.call_manager
    try:
        transmit = _flow_of(manager.transmit, bool(flags & MediaFlags.TRANSMIT_VC))
        receive = _flow_of(manager.receive, bool(flags & MediaFlags.RECEIVE_VC))
    except ValueError as error:
        raise Unreadable(NdisStatus.INCOMPATABLE_QOS, str(error)) from error
    return TrafficContract(transmit, receive) if as_caller else TrafficContract(receive, transmit)


def _specified(flow: Flow, spec: FlowSpec) -> FlowSpec:
    """`spec` with the values of the contract; a direction that is not used keeps its own service."""
    service = spec.service_type if flow.service is Service.NO_TRAFFIC else ServiceType(flow.service)
    return replace(
        spec,
        token_rate=flow.rate,
        token_bucket_size=flow.burst,
        peak_bandwidth=flow.peak,
        max_sdu_size=flow.max_sdu,
        service_type=service,
    )


def negotiated(asked: CallParameters, contract: TrafficContract, as_caller: bool, media: VlanMedia) -> CallParameters:
    """The call parameters that hold: a set of its own, with contract and medium filled in."""
    forward, backward = contract.forward, contract.backward
    transmit, receive = (forward, backward) if as_caller else (backward, forward)
    parameters = asked.copy()
    parameters.flags |= CallFlags.CALL_PARAMETERS_CHANGED
    manager = parameters.call_manager
    manager.transmit = _specified(transmit, manager.transmit)
    manager.receive = _specified(receive, manager.receive)
    parameters.media.specific = media.pack()
    return parameters


def incoming_parameters(
    called: CalledAddress, calling: CallingAddress, contract: TrafficContract, user_data: UserData | None, multi: bool
) -> CallParameters:
    """What an incoming call offers to the client; `negotiated` fills in the rest."""
    parameters = CallParameters(CallFlags.MULTIPOINT_VC if multi else 0)
    elements = encode_elements(called, calling) + (encode_elements(user_data) if user_data else b"")
    parameters.call_manager.specific = SpecificParameters(ELEMENTS_TYPE, elements)
    sends = contract.backward.service is not Service.NO_TRAFFIC
    receives = contract.forward.service is not Service.NO_TRAFFIC
    parameters.media.flags = MediaFlags.TRANSMIT_VC * sends | MediaFlags.RECEIVE_VC * receives
    return parameters
