# SPDX-License-Identifier: Apache-2.0
"""What an administrator may set on the adapter: sizes, thresholds, moderation."""

from __future__ import annotations

from dataclasses import dataclass

from hilnic.hw import regs
from hilnic.miniport.vlan import LARGEST_VLAN_ID, PriorityVlanTag

__all__ = ["NicConfig"]


@dataclass(frozen=True, slots=True)
class NicConfig:
    """Settings of one adapter; given to the driver as its driver context."""

    mac_address: bytes = b"\x02\x48\x4e\x00\x00\x01"
    """Permanent and current address."""
    mtu: int = 1500
    """Largest payload; up to 9000."""
    tx_ring: int = 256
    """Transmit descriptors, a power of two from 2 to 32768."""
    rx_ring: int = 256
    """Receive descriptors, likewise."""
    rx_buffers: int = 512
    """Receive buffers in the pool; those beyond the ring refill it while protocols hold some."""
    rx_buffer_bytes: int = 2048
    """Bytes of a receive buffer, 64 to 16384; longer frames take several."""
    rx_buffer_offset: int = 0
    """Where in its region a receive buffer begins (alignment tests)."""
    rx_low_water: int = 64
    """With fewer buffers than this left to the driver, frames are lent for the call only (R6-19); 0: never."""
    dpc_budget: int = 64
    """Frames indicated per DPC before it queues itself again (IT-03)."""
    max_fragments: int = 32
    """Longer scatter/gather lists are copied into one buffer first (RG-09)."""
    bounce_buffers: int = 8
    """Buffers for that."""
    start_index: int = 0
    """First ring index after each start (tests near 2^32)."""
    vector: int = 1
    """Interrupt message of the queues; 0 is that of link and errors."""
    tx_moderation: tuple[int, int] = (16, 500)
    """Completions until an interrupt (at most an eighth of the ring), and system clock ticks after which it comes."""
    rx_moderation: tuple[int, int] = (1, 0)
    """Likewise."""
    poll_ns: int = 10_000
    """Under load both queues are looked at after so long instead of by interrupt, but before an eighth of the smaller
    ring can have filled (not at all with a ring under 32). 0: every look ends with the re-arm of the interrupt."""
    loopback: bool = False
    """The NIC turns round what it sends instead of sending it (CTRL.loopback); NDIS loops nothing then (LB-09)."""
    priority_vlan_tag: PriorityVlanTag | None = None
    """*PriorityVLANTag: what of the 802.1Q slot goes into and comes from tags on the wire; None: no tag is touched."""
    vlan_id: int = 0
    """VlanId: the VLAN that the NIC is in until OID_GEN_VLAN_ID says another; 0: none. Only if the option has VLANs."""
    stall_ns: int = 200_000
    """A transmit queue that completes nothing for so long is taken for stuck when it is drained."""
    timeout_ns: int = 20_000_000
    """How long a queue disable or a soft reset may take."""

    def __post_init__(self) -> None:
        """ValueError for settings with which some frame could never pass."""
        for name, size in (("tx_ring", self.tx_ring), ("rx_ring", self.rx_ring)):
            if size & (size - 1) or not 2 <= size <= 1 << regs.LARGEST_RING_LOG2:
                raise ValueError(f"{name}={size} is no power of two from 2 to {1 << regs.LARGEST_RING_LOG2}")
        if not regs.SMALLEST_BUFFER <= self.rx_buffer_bytes <= regs.LARGEST_BUFFER:
            raise ValueError(f"rx_buffer_bytes={self.rx_buffer_bytes}")
        longest = -(-self.max_frame // self.rx_buffer_bytes)
        if longest > min(self.rx_ring, self.rx_buffers):
            raise ValueError(f"the longest frame needs {longest} receive buffers, more than rx_ring or rx_buffers")
        if self.bounce_buffers < 1 or self.max_fragments < 1 or self.dpc_budget < 1 or len(self.mac_address) != 6:
            raise ValueError(f"{self!r}")
        if not 0 <= self.vlan_id <= LARGEST_VLAN_ID or (self.vlan_id and not self.has_vlan):
            raise ValueError(f"vlan_id={self.vlan_id} with priority_vlan_tag={self.priority_vlan_tag!r}")
        if self.poll_ns < 0:
            raise ValueError(f"poll_ns={self.poll_ns}")

    @property
    def has_vlan(self) -> bool:
        """Whether the NIC can be in a VLAN (OID_GEN_VLAN_ID)."""
        return bool((self.priority_vlan_tag or 0) & PriorityVlanTag.VLAN)

    @property
    def max_frame(self) -> int:
        """Longest frame with FCS, untagged: what MAX_FRAME is set to."""
        return self.mtu + 18
