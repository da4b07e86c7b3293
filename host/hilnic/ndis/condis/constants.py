# SPDX-License-Identifier: Apache-2.0
"""Flags and numbers of CoNDIS, with the Windows values. The class stands for what the C names have in common."""

from __future__ import annotations

from enum import IntEnum


class CallFlags(IntEnum):
    """CO_CALL_PARAMETERS.Flags."""

    PERMANENT_VC = 0x1
    CALL_PARAMETERS_CHANGED = 0x2
    QUERY_CALL_PARAMETERS = 0x4
    BROADCAST_VC = 0x8
    MULTIPOINT_VC = 0x10


class MediaFlags(IntEnum):
    """CO_MEDIA_PARAMETERS.Flags."""

    RECEIVE_TIME_INDICATION = 0x1
    USE_TIME_STAMPS = 0x2
    TRANSMIT_VC = 0x4
    RECEIVE_VC = 0x8
    INDICATE_ERRED_PACKETS = 0x10
    INDICATE_END_OF_TX = 0x20
    RESERVE_RESOURCES_VC = 0x40
    ROUND_DOWN_FLOW = 0x80
    ROUND_UP_FLOW = 0x100


class AddressFamilyType(IntEnum):
    """CO_ADDRESS_FAMILY_*: which signalling a call manager speaks."""

    Q2931 = 0x1
    PSCHED = 0x2
    L2TP = 0x3
    IRDA = 0x4
    IEEE_1394 = 0x5
    PPP = 0x6
    INFINIBAND = 0x7
    TAPI = 0x800
    TAPI_PROXY = 0x801


class SapType(IntEnum):
    """CO_SAP.SapType."""

    NSAP = 0x1
    E164 = 0x2


class ServiceType(IntEnum):
    """FLOWSPEC.ServiceType."""

    NO_TRAFFIC = 0
    BEST_EFFORT = 1
    CONTROLLED_LOAD = 2
    GUARANTEED = 3


UNSPECIFIED = 0xFFFFFFFF
"""QOS_NOT_SPECIFIED: a FLOWSPEC value that its author leaves to others."""
