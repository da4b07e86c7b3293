# SPDX-License-Identifier: Apache-2.0
"""The medium's own parameters of a VC on 802.1Q Ethernet: what CO_MEDIA_PARAMETERS carries for the miniport.

A VC is a VLAN id. An SDU travels in a frame of its own:

    destination 6 | source 6 | 0x8100, priority, VLAN id 4 | length or type 2 | SDU | padding

The length field tells an SDU of up to 1500 bytes from its padding (802.3 3.2.6); a longer one has TYPE there.
As bytes: VLAN id 2, priority 1, zero 1, destination 6, big-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Self

from hilnic.ndis.condis.parameters import SpecificParameters

__all__ = ["BROADCAST", "HEADER_BYTES", "LONGEST_LENGTH", "TYPE", "VLAN_MEDIA", "VlanMedia"]

VLAN_MEDIA: Final = 0x8100
"""SpecificParameters.param_type of these."""
HEADER_BYTES: Final = 14
"""Of the frame as a host sees it: the tag is the NIC's."""
LONGEST_LENGTH: Final = 1500
"""The largest value of the length field."""
TYPE: Final = 0x88B5
"""Of frames with a longer SDU: local experimental EtherType 1."""
BROADCAST: Final = b"\xff" * 6
_LAYOUT = struct.Struct(">HBx6s")


@dataclass(frozen=True, slots=True)
class VlanMedia:
    """VLAN id 1 to 4094, 802.1Q priority 0 to 7, the peer's address (a group's or everybody's for several)."""

    vlan_id: int
    priority: int = 0
    destination: bytes = BROADCAST

    def __post_init__(self) -> None:
        """ValueError for what no tag or header can say."""
        if not 1 <= self.vlan_id <= 4094 or not 0 <= self.priority <= 7 or len(self.destination) != 6:
            raise ValueError(f"{self!r}")

    def pack(self) -> SpecificParameters:
        """As MediaParameters.specific carries it."""
        return SpecificParameters(VLAN_MEDIA, _LAYOUT.pack(self.vlan_id, self.priority, self.destination))

    @classmethod
    def parse(cls, specific: SpecificParameters) -> Self:
        """From MediaParameters.specific; ValueError when it is of another medium, or says what cannot be."""
        if specific.param_type != VLAN_MEDIA or len(specific.parameters) != _LAYOUT.size:
            raise ValueError(f"no 802.1Q media parameters: {specific!r}")
        return cls(*_LAYOUT.unpack(specific.parameters))
