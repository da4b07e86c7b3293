# SPDX-License-Identifier: Apache-2.0
"""The two Ethernet drivers: how each one sends, receives and does DMA."""

from __future__ import annotations

from hilnic import ndis
from hilnic.hw.device import Device
from hilnic.miniport.config import NicConfig
from hilnic.miniport5.lookahead import LookaheadReceiver
from hilnic.miniport5.nic import Nic5
from hilnic.miniport5.rx_packets import PacketReceiver
from hilnic.miniport5.tx_packets import PacketTransmitter
from hilnic.miniport5.tx_serialized import SerializedTransmitter
from hilnic.ndis import NdisStatus, ndis5
from hilnic.ndis.ndis5 import Attributes5

__all__ = ["LookaheadNic", "PacketNic"]

_BUS = Attributes5.BUS_MASTER | Attributes5.SURPRISE_REMOVE_OK
_LARGEST_MAPPING = 65535  # what a descriptor can say


class PacketNic(Nic5):
    """Deserialized, full packets, scatter/gather lists from NDIS."""

    attributes = _BUS | Attributes5.DESERIALIZE
    tx: PacketTransmitter
    rx: PacketReceiver

    def set_up_dma(self) -> NdisStatus:
        """NDIS maps what is sent."""
        return ndis5.initialize_scatter_gather_dma(self.handle, self.memory, _LARGEST_MAPPING)

    def make_transmitter(self) -> PacketTransmitter:
        """Arrays of packets."""
        return PacketTransmitter(self)

    def make_receiver(self) -> PacketReceiver:
        """Arrays of packets."""
        return PacketReceiver(self)


class LookaheadNic(Nic5):
    """Serialized, lookahead and transfer, map registers."""

    attributes = int(_BUS)
    tx: SerializedTransmitter
    rx: LookaheadReceiver

    def __init__(self, adapter: ndis.Adapter, device: Device, config: NicConfig, seed: int) -> None:
        super().__init__(adapter, device, config)
        self._seed = seed

    def set_up_dma(self) -> NdisStatus:
        """A map register for each descriptor."""
        return ndis5.allocate_map_registers(self.handle, self.memory, self.config.tx_ring, _LARGEST_MAPPING)

    def undo_dma(self) -> None:
        """NdisMFreeMapRegisters."""
        ndis5.free_map_registers(self.handle)

    def make_transmitter(self) -> SerializedTransmitter:
        """One packet at a time."""
        return SerializedTransmitter(self)

    def make_receiver(self) -> LookaheadReceiver:
        """One frame at a time."""
        return LookaheadReceiver(self, self._seed)
