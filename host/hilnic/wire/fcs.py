# SPDX-License-Identifier: Apache-2.0
"""The frame check sequence of IEEE 802.3 (3.2.9): CRC-32, sent least significant octet first."""

from zlib import crc32

FCS_OCTETS = 4
RESIDUE = 0x2144DF1C
"""crc32 of a frame followed by its right FCS."""


def fcs(data: bytes | bytearray | memoryview) -> bytes:
    """The four octets that follow `data` (destination address to padding) on the wire."""
    return crc32(data).to_bytes(FCS_OCTETS, "little")


def fcs_is_good(octets: bytes | bytearray | memoryview) -> bool:
    """Do these octets, FCS included, check?"""
    return len(octets) >= FCS_OCTETS and crc32(octets) == RESIDUE
