# SPDX-License-Identifier: Apache-2.0
"""What an administrator may set besides what NicConfig has: how many connections, and how much memory each takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hilnic.miniport.config import NicConfig

__all__ = ["CoConfig"]


@dataclass(frozen=True, slots=True)
class CoConfig:
    """Settings of one adapter with connections; given to the driver as its driver context."""

    nic: NicConfig = field(default_factory=NicConfig)
    """The adapter, and its connectionless queues."""
    most_vcs: int = 64
    """Connections at a time, if the NIC has so many."""
    tx_ring: int = 64
    """Transmit descriptors of a connection, a power of two; an SDU takes one more than it has pieces."""
    rx_ring: int = 64
    """Receive descriptors of a connection, likewise."""
    rx_buffers: int = 96
    """Receive buffers of a connection."""
    rx_low_water: int = 16
    """With fewer than this left, SDUs are lent for the call only; 0: never."""
    committed_bytes: int = 112_500_000
    """Bytes per second that guaranteed connections, the signalling's among them, may have together: nine tenths."""
    quantum: int = 2048
    """Octets of a turn, of a connection and of the connectionless queues."""

    def of_connection(self, vector: int) -> NicConfig:
        """The settings of a connection's queues."""
        return replace(
            self.nic,
            tx_ring=self.tx_ring,
            rx_ring=self.rx_ring,
            rx_buffers=self.rx_buffers,
            rx_low_water=self.rx_low_water,
            bounce_buffers=1,
            vector=vector,
            priority_vlan_tag=None,  # the NIC tags a connection's frames itself
        )
