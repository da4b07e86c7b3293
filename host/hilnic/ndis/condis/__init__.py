# SPDX-License-Identifier: Apache-2.0
"""Connection-oriented NDIS: address families, SAPs, virtual connections, calls, parties. See docs/condis.md."""

from hilnic.ndis.condis.characteristics import (
    CallManagerHandlers,
    ClientHandlers,
    MiniportCoCharacteristics,
    ProtocolCoCharacteristics,
    set_optional_handlers,
)
from hilnic.ndis.condis.constants import (
    UNSPECIFIED,
    AddressFamilyType,
    CallFlags,
    MediaFlags,
    SapType,
    ServiceType,
)
from hilnic.ndis.condis.handles import AfHandle, PartyHandle, SapHandle, VcHandle
from hilnic.ndis.condis.parameters import (
    CallManagerParameters,
    CallParameters,
    CoAddressFamily,
    FlowSpec,
    MediaParameters,
    Sap,
    SpecificParameters,
)

__all__ = [
    "UNSPECIFIED",
    "AddressFamilyType",
    "AfHandle",
    "CallFlags",
    "CallManagerHandlers",
    "CallManagerParameters",
    "CallParameters",
    "ClientHandlers",
    "CoAddressFamily",
    "FlowSpec",
    "MediaFlags",
    "MediaParameters",
    "MiniportCoCharacteristics",
    "PartyHandle",
    "ProtocolCoCharacteristics",
    "Sap",
    "SapHandle",
    "SapType",
    "ServiceType",
    "SpecificParameters",
    "VcHandle",
    "set_optional_handlers",
]
