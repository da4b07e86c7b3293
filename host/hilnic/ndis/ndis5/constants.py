# SPDX-License-Identifier: Apache-2.0
"""Flag words and slot numbers of NDIS 5, with the Windows numbers; the class stands for the C prefix."""

from __future__ import annotations

from enum import IntEnum


class PacketFlags(IntEnum):
    """NDIS_FLAGS_*: the bits of NDIS_PACKET.Private.Flags; the low four carry the protocol's id."""

    PROTOCOL_ID_MASK = 0xF
    MULTICAST_PACKET = 0x10
    DONT_LOOPBACK = 0x80
    IS_LOOPBACK_PACKET = 0x100
    LOOPBACK_ONLY = 0x200
    DOUBLE_BUFFERED = 0x800
    SENT_AT_DPC = 0x1000
    USES_SG_BUFFER_LIST = 0x2000
    USES_ORIGINAL_PACKET = 0x4000
    PADDED = 0x10000
    XLATE_AT_TOP = 0x20000


class PacketInfo(IntEnum):
    """NDIS_PER_PACKET_INFO: slot numbers of NDIS_PACKET_EXTENSION.NdisPacketInfo; slot 4 is reserved."""

    TCP_IP_CHECKSUM = 0
    IPSEC = 1
    TCP_LARGE_SEND = 2
    CLASSIFICATION_HANDLE = 3
    SCATTER_GATHER_LIST = 5
    IEEE_8021Q = 6
    ORIGINAL_PACKET = 7
    CANCEL_ID = 8
    ORIGINAL_NET_BUFFER_LIST = 9
    CACHED_NET_BUFFER_LIST = 10
    SHORT_PACKET_PADDING = 11


PACKET_INFO_SLOTS = 12

PACKET_STACK_SIZE = 2
"""Packet stack locations of a packet, by default."""

MAXIMUM_DESCRIPTORS = 0xFFFF
"""Most descriptors that a packet pool takes."""


class ProtocolOptions(IntEnum):
    """NDIS_PROT_OPTION_*: OID_GEN_PROTOCOL_OPTIONS, and NdisOpenAdapter's OpenOptions."""

    ESTIMATED_LENGTH = 0x1
    NO_LOOPBACK = 0x2
    NO_RSVD_ON_RCVPKT = 0x4
    SEND_RESTRICTED = 0x8


class Attributes5(IntEnum):
    """NDIS_ATTRIBUTE_*: AttributeFlags of NdisMSetAttributesEx."""

    IGNORE_PACKET_TIMEOUT = 0x1
    IGNORE_REQUEST_TIMEOUT = 0x2
    BUS_MASTER = 0x8
    INTERMEDIATE_DRIVER = 0x10
    DESERIALIZE = 0x20
    NO_HALT_ON_SUSPEND = 0x40
    SURPRISE_REMOVE_OK = 0x80
    NOT_CO_NDIS = 0x100
