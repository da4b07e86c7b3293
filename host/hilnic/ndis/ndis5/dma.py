# SPDX-License-Identifier: Apache-2.0
"""DMA of 5.x miniports: map registers or scatter/gather lists, and memory shared with the card.

With `initialize_scatter_gather_dma` NDIS maps each packet before the miniport gets it: the list lies in the packet's
slot SCATTER_GATHER_LIST and is unmapped when the packet completes. With map registers the driver maps buffer by buffer.
"""

from __future__ import annotations

from typing import Any

from hilnic.ndis import dma as core
from hilnic.ndis.adapter import Adapter
from hilnic.ndis.dma import (
    DmaDirection,
    DmaHandle,
    DmaMapper,
    ScatterGatherDmaDescription,
    ScatterGatherElement,
    ScatterGatherList,
    SharedMemory,
)
from hilnic.ndis.mdl import Mdl
from hilnic.ndis.ndis5 import miniport_edge, miniport_resources
from hilnic.ndis.ndis5.constants import PacketInfo
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

_SG_LIST = int(PacketInfo.SCATTER_GATHER_LIST)


@wdk("NdisMInitializeScatterGatherDma", irql="PASSIVE")
def initialize_scatter_gather_dma(
    adapter: Adapter, mapper: DmaMapper, maximum_physical_mapping: int = 65536
) -> NdisStatus:
    """From initialize: NDIS maps what is sent; undone when the adapter halts."""
    edge = miniport_edge.edge_of(adapter, "NdisMInitializeScatterGatherDma")
    if edge is None:
        return NdisStatus.FAILURE
    edge.dma = _handle(edge, mapper, maximum_physical_mapping)
    edge.maps_sends = True
    return NdisStatus.SUCCESS


@wdk("NdisMAllocateMapRegisters", irql="PASSIVE")
def allocate_map_registers(
    adapter: Adapter, mapper: DmaMapper, number: int, maximum_physical_mapping: int = 65536
) -> NdisStatus:
    """From initialize: `number` buffers may be mapped at a time; freed by free_map_registers (C5-12)."""
    edge = miniport_edge.edge_of(adapter, "NdisMAllocateMapRegisters")
    if edge is None:
        return NdisStatus.FAILURE
    edge.dma = _handle(edge, mapper, maximum_physical_mapping)
    edge.map_registers = [None] * number
    return NdisStatus.SUCCESS


def _handle(edge: miniport_edge.MiniportEdge, mapper: DmaMapper, maximum: int) -> DmaHandle:
    miniport_resources.check_attributes(edge, "the set-up of DMA")
    handle = DmaHandle(edge.adapter, ScatterGatherDmaDescription(mapper, _no_callback, maximum))
    edge.adapter.dma_handles.append(handle)
    return handle


def _no_callback(sg_list: ScatterGatherList, context: Any) -> None:
    """NDIS 5 puts the list into the packet."""


@wdk("NdisMFreeMapRegisters", irql="PASSIVE")
def free_map_registers(adapter: Adapter) -> None:
    """From halt; every buffer has been unmapped."""
    edge = miniport_edge.edge_of(adapter, "NdisMFreeMapRegisters")
    if edge is None:
        return
    used = [mapping for mapping in edge.map_registers if mapping is not None]
    if used:
        adapter.ndis.violation("C5-12", adapter, adapter, f"{len(used)} map registers still in use")
    edge.map_registers = []
    miniport_resources.forget_dma(edge)


@wdk("NdisMStartBufferPhysicalMapping", irql="=DISPATCH")
def start_buffer_physical_mapping(
    adapter: Adapter, mdl: Mdl, register: int, write_to_device: bool
) -> list[ScatterGatherElement]:
    """Map one buffer with map register number `register`: (bus address, length in bytes) pieces.

    Undone once by the complete call (IT-08). Nothing is mapped when the register is in use, or none of the adapter's.
    """
    edge = miniport_edge.edge_of(adapter, "NdisMStartBufferPhysicalMapping")
    if edge is None or edge.dma is None or not _has_register(edge, mdl, register):
        return []
    if edge.map_registers[register] is not None:
        adapter.ndis.violation("IT-08", adapter, mdl, f"map register {register} is in use")
        return []
    direction = DmaDirection.TO_DEVICE if write_to_device else DmaDirection.FROM_DEVICE
    edge.map_registers[register] = edge.dma.description.mapper.map(mdl.address, mdl.byte_count, direction)
    return [ScatterGatherElement(mdl.address, mdl.byte_count)]


@wdk("NdisMCompleteBufferPhysicalMapping", irql="=DISPATCH")
def complete_buffer_physical_mapping(adapter: Adapter, mdl: Mdl, register: int) -> None:
    """The device is done with the buffer."""
    edge = miniport_edge.edge_of(adapter, "NdisMCompleteBufferPhysicalMapping")
    if edge is None or edge.dma is None or not _has_register(edge, mdl, register):
        return
    mapping, edge.map_registers[register] = edge.map_registers[register], None
    if mapping is None:
        adapter.ndis.violation("IT-08", adapter, mdl, f"map register {register} maps nothing")
    else:
        edge.dma.description.mapper.unmap(mapping)


def _has_register(edge: miniport_edge.MiniportEdge, mdl: Mdl, register: int) -> bool:
    number = len(edge.map_registers)
    if 0 <= register < number:
        return True
    edge.ndis.violation("IT-08", edge.adapter, mdl, f"map register {register} of {number}")
    return False


def allocate_shared_memory(adapter: Adapter, length: int, alignment: int = 64) -> SharedMemory | None:
    """NdisMAllocateSharedMemory: memory for rings and receive buffers; after one of the two set-ups above."""
    edge = miniport_edge.edge_of(adapter, "NdisMAllocateSharedMemory")
    if edge is None or edge.dma is None:
        return None
    return core.allocate_shared_memory(edge.dma, length, alignment)


def free_shared_memory(shared: SharedMemory) -> None:
    """NdisMFreeSharedMemory."""
    core.free_shared_memory(shared)


# Scatter/gather lists of what is sent, for the send queue.


def map_packet(edge: miniport_edge.MiniportEdge, packet: Packet) -> None:
    """Map the packet's buffers for the device and note the list in the packet."""
    assert edge.dma is not None
    mapper = edge.dma.description.mapper
    elements = [ScatterGatherElement(mdl.address, mdl.byte_count) for mdl in packet.buffers() if mdl.byte_count]
    mappings = [mapper.map(address, length, DmaDirection.TO_DEVICE) for address, length in elements]
    of: Any = packet
    sg_list = ScatterGatherList(of, elements, mappings)
    edge.dma.live.add(sg_list)
    packet.packet_info[_SG_LIST] = sg_list


def unmap_packet(edge: miniport_edge.MiniportEdge, packet: Packet) -> None:
    """The miniport is done with the packet."""
    sg_list = packet.packet_info[_SG_LIST]
    packet.packet_info[_SG_LIST] = None
    if sg_list is not None and edge.dma is not None:
        edge.dma.live.discard(sg_list)
        for mapping in sg_list.mappings:
            edge.dma.description.mapper.unmap(mapping)
