# SPDX-License-Identifier: Apache-2.0
"""The structures of a call: address family, SAP, flow specification, call and media parameters.

    CallParameters                           CO_CALL_PARAMETERS
      flags                                  CallFlags
      call_manager   CallManagerParameters   CO_CALL_MANAGER_PARAMETERS: what is negotiated
        transmit     FlowSpec                seen from the party that has the structure
        receive      FlowSpec
        specific     SpecificParameters      the signalling's own: the called address, for one
      media          MediaParameters         CO_MEDIA_PARAMETERS: for the miniport
        flags                                MediaFlags: TRANSMIT_VC, RECEIVE_VC
        specific     SpecificParameters      the medium's own: the VLAN id, for one

Call parameters are handed over: from make_call, add_party or modify_call_qos on they are the call manager's until the
operation completes, and nobody else writes to them (CC-13). `copy()` makes a set of one's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hilnic.ndis.condis.constants import UNSPECIFIED, MediaFlags, ServiceType


@dataclass(frozen=True, slots=True)
class CoAddressFamily:
    """CO_ADDRESS_FAMILY: a kind of signalling and its version."""

    address_family: int
    major_version: int = 1
    minor_version: int = 0


@dataclass(frozen=True, slots=True)
class Sap:
    """CO_SAP: what a client registers to be called at; the bytes mean what the address family says."""

    sap_type: int
    sap: bytes


@dataclass(frozen=True, slots=True)
class FlowSpec:
    """FLOWSPEC: rates in bytes per second, sizes in bytes, times in microseconds."""

    token_rate: int = UNSPECIFIED
    token_bucket_size: int = UNSPECIFIED
    peak_bandwidth: int = UNSPECIFIED
    latency: int = UNSPECIFIED
    delay_variation: int = UNSPECIFIED
    service_type: ServiceType = ServiceType.BEST_EFFORT
    max_sdu_size: int = UNSPECIFIED
    minimum_policed_size: int = UNSPECIFIED


@dataclass(frozen=True, slots=True)
class SpecificParameters:
    """CO_SPECIFIC_PARAMETERS: bytes that only those who know `param_type` understand."""

    param_type: int = 0
    parameters: bytes = b""


@dataclass(slots=True)
class CallManagerParameters:
    """CO_CALL_MANAGER_PARAMETERS."""

    transmit: FlowSpec = field(default_factory=FlowSpec)
    receive: FlowSpec = field(default_factory=FlowSpec)
    specific: SpecificParameters = field(default_factory=SpecificParameters)


@dataclass(slots=True)
class MediaParameters:
    """CO_MEDIA_PARAMETERS; `receive_size_hint` in bytes."""

    flags: int = MediaFlags.TRANSMIT_VC | MediaFlags.RECEIVE_VC
    receive_priority: int = 0
    receive_size_hint: int = 0
    specific: SpecificParameters = field(default_factory=SpecificParameters)


@dataclass(slots=True)
class CallParameters:
    """CO_CALL_PARAMETERS: how a call is to be, or has been agreed."""

    flags: int = 0
    call_manager: CallManagerParameters = field(default_factory=CallManagerParameters)
    media: MediaParameters = field(default_factory=MediaParameters)

    def copy(self) -> CallParameters:
        """A set of its own with the same values."""
        return CallParameters(self.flags, replace(self.call_manager), replace(self.media))
