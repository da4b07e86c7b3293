# SPDX-License-Identifier: Apache-2.0
"""The Ethernet header that carries an SDU (condis.vlan_media): made before sending, read and hidden after."""

from __future__ import annotations

from hilnic.ndis.condis.vlan_media import HEADER_BYTES, LONGEST_LENGTH, TYPE, VLAN_MEDIA, VlanMedia

__all__ = ["ADDRESS_BYTES", "HEADER_STRIDE", "OVERHEAD", "header", "sdu_bytes", "with_tag"]

ADDRESS_BYTES = 6
HEADER_STRIDE = 16
"""Distance of two headers in their ring."""
OVERHEAD = HEADER_BYTES + 4 + 4
"""Octets of a frame besides its SDU: header, tag, FCS."""


def header(addresses: bytes, length: int) -> bytes:
    """Of an SDU of so many bytes; `addresses` are destination and source."""
    return addresses + (length if length <= LONGEST_LENGTH else TYPE).to_bytes(2, "big")


def sdu_bytes(kind: int, length: int) -> int:
    """Bytes of the SDU in a frame of `length` bytes with `kind` in its length field; 0: there is none."""
    room = length - HEADER_BYTES
    if kind <= LONGEST_LENGTH:
        return kind if kind <= room else 0
    return room if kind == TYPE and room > LONGEST_LENGTH else 0


def with_tag(frame: bytes, media: VlanMedia) -> bytes:
    """A frame with the tag that the NIC inserts or has taken out."""
    tag = VLAN_MEDIA.to_bytes(2, "big") + (media.priority << 13 | media.vlan_id).to_bytes(2, "big")
    return frame[: 2 * ADDRESS_BYTES] + tag + frame[2 * ADDRESS_BYTES :]
