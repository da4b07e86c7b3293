# SPDX-License-Identifier: Apache-2.0
"""Scatter/gather DMA: NDIS maps a NET_BUFFER for the device and hands the miniport its SG list.

The list begins at the *start of the current MDL* (MD-26): the consumer skips `current_mdl_offset` bytes and stops after
`data_length`. Zero-length MDLs give no element (MD-27).

    elements:  | element 0: whole current MDL  | element 1 | ... | last: cut where the data ends |
               |<- current_mdl_offset ->| data_length bytes -> ...                              |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from hilnic.ndis.faults import failed
from hilnic.ndis.flags import SG_LIST_WRITE_TO_DEVICE
from hilnic.ndis.kernel import Region
from hilnic.ndis.mdl import refuse_circle
from hilnic.ndis.net_buffer import NetBuffer
from hilnic.ndis.pool import Site, allocation_site, describe_site
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.ndis import Ndis


class DmaDirection(IntEnum):
    """Who reads and who writes mapped memory."""

    TO_DEVICE = 1
    FROM_DEVICE = 2
    BIDIRECTIONAL = 3


class DmaMapper(Protocol):
    """The IOMMU as a port: `hilnic.hw.memory.HostMemory` fits."""

    def map(self, address: int, length: int, direction: Any, /) -> Any: ...
    def unmap(self, mapping: Any, /) -> None: ...


class ScatterGatherElement(NamedTuple):
    """SCATTER_GATHER_ELEMENT."""

    address: int
    length: int


class ScatterGatherList:
    """SCATTER_GATHER_LIST: the miniport's until it frees it."""

    __slots__ = ("elements", "freed", "mappings", "net_buffer")

    def __init__(self, nb: NetBuffer, elements: list[ScatterGatherElement], mappings: list[Any]) -> None:
        self.net_buffer = nb
        self.elements = elements
        self.mappings = mappings
        self.freed = False

    def __repr__(self) -> str:
        return f"ScatterGatherList({len(self.elements)} elements of {self.net_buffer!r})"


@dataclass(frozen=True, slots=True)
class ScatterGatherDmaDescription:
    """NDIS_SG_DMA_DESCRIPTION, with the bus's mapper and process_sg_list(sg_list, context)."""

    mapper: DmaMapper
    process_sg_list: Callable[[ScatterGatherList, Any], None]
    maximum_physical_mapping: int = 65536


class DmaHandle:
    """NdisMRegisterScatterGatherDma's handle: the SG lists and shared memory that are out."""

    __slots__ = ("_process", "adapter", "description", "live", "ndis", "shared")

    def __init__(self, adapter: Adapter, description: ScatterGatherDmaDescription) -> None:
        self.ndis: Ndis = adapter.ndis
        self.adapter = adapter
        self.description = description
        self._process = adapter.ndis.guarded(description.process_sg_list, adapter)
        self.live: set[ScatterGatherList] = set()
        self.shared: dict[SharedMemory, Site] = {}

    def process(self, sg_list: ScatterGatherList, context: Any) -> None:
        """MiniportProcessSGList; it may come late, to a driver that has been taken out."""
        if self.adapter.driver.faulted:
            return
        try:
            self._process(sg_list, context)
        except Exception as error:
            failed(self.adapter, "process_sg_list", error)

    def __repr__(self) -> str:
        return f"DmaHandle({self.adapter.name}, {len(self.live)} SG lists, {len(self.shared)} shared)"


class SharedMemory:
    """Memory that host and device both read and write: rings, receive buffers."""

    __slots__ = ("dma", "mapping", "ndis", "region")

    def __init__(self, dma: DmaHandle, region: Region, mapping: Any) -> None:
        self.ndis = dma.ndis
        self.dma = dma
        self.region = region
        self.mapping = mapping

    @property
    def address(self) -> int:
        """Bus address."""
        return self.region.address

    @property
    def view(self) -> memoryview:
        """The bytes."""
        return self.region.view

    def __repr__(self) -> str:
        return f"SharedMemory({self.region.address:#x}, {len(self.region.view)} bytes)"


@wdk("NdisMRegisterScatterGatherDma", irql="PASSIVE")
def register_scatter_gather_dma(
    adapter: Adapter, description: ScatterGatherDmaDescription
) -> tuple[NdisStatus, DmaHandle]:
    """Set up DMA for an adapter, from initialize; undone in halt by deregister_scatter_gather_dma."""
    handle = DmaHandle(adapter, description)
    adapter.dma_handles.append(handle)
    return NdisStatus.SUCCESS, handle


@wdk("NdisMDeregisterScatterGatherDma", irql="PASSIVE")
def deregister_scatter_gather_dma(dma: DmaHandle) -> None:
    """End DMA; every SG list (IT-08) and all shared memory (IT-07) has been freed before."""
    if dma.live:
        dma.ndis.violation("IT-08", dma.adapter, dma, f"still mapped: {list(dma.live)}")
    if dma.shared:
        left = ", ".join(f"{shared!r} allocated at {describe_site(site)}" for shared, site in dma.shared.items())
        dma.ndis.violation("IT-07", dma.adapter, dma, f"its shared memory is not freed: {left}")
    if dma in dma.adapter.dma_handles:
        dma.adapter.dma_handles.remove(dma)


@wdk("NdisMAllocateNetBufferSGList", irql="=DISPATCH", callout=True)
def allocate_net_buffer_sg_list(
    dma: DmaHandle, nb: NetBuffer, context: Any, flags: int = SG_LIST_WRITE_TO_DEVICE
) -> NdisStatus:
    """Map the frame and call process_sg_list(sg_list, context): before this returns, or later from a DPC.

    SG_LIST_WRITE_TO_DEVICE in `flags`: the device reads the frame; without it the device writes (IT-08).
    """
    if nb.scatter_gather_list is not None:
        dma.ndis.violation("IT-06", dma.adapter, nb.scatter_gather_list, "the frame has an SG list already")
        return NdisStatus.FAILURE
    direction = DmaDirection.TO_DEVICE if flags & SG_LIST_WRITE_TO_DEVICE else DmaDirection.FROM_DEVICE
    elements: list[ScatterGatherElement] = []
    left = nb.current_mdl_offset + nb.data_length
    mdl = nb.current_mdl
    refuse_circle(mdl)
    while mdl is not None and left > 0:
        length = mdl.byte_count
        if length > left:
            length = left
        if length > 0:
            elements.append(ScatterGatherElement(mdl.region.address + mdl.byte_offset, length))
            left -= length
        mdl = mdl.next
    mapper = dma.description.mapper
    mappings = [mapper.map(address, length, direction) for address, length in elements]
    sg_list = ScatterGatherList(nb, elements, mappings)
    dma.live.add(sg_list)
    nb.scatter_gather_list = sg_list
    if dma.ndis.profile.late_sg_callback:
        dma.ndis.kernel.queue_dpc(lambda: dma.process(sg_list, context))
    else:
        dma.process(sg_list, context)
    return NdisStatus.SUCCESS


@wdk("NdisMFreeNetBufferSGList", irql="=DISPATCH")
def free_net_buffer_sg_list(dma: DmaHandle, sg_list: ScatterGatherList, nb: NetBuffer) -> None:
    """Unmap: once, when the device is done and before the NBL completes (IT-06)."""
    if sg_list.freed or sg_list.net_buffer is not nb:
        detail = "freed twice" if sg_list.freed else f"it belongs to {sg_list.net_buffer!r}"
        dma.ndis.violation("IT-06", dma.adapter, sg_list, detail)
        return
    sg_list.freed = True
    nb.scatter_gather_list = None
    dma.live.discard(sg_list)
    unmap = dma.description.mapper.unmap
    for mapping in sg_list.mappings:
        unmap(mapping)


@wdk("NdisMAllocateSharedMemory", irql="PASSIVE")
def allocate_shared_memory(dma: DmaHandle, length: int, alignment: int = 64) -> SharedMemory | None:
    """Memory mapped in both directions for as long as it lives; None when there is none (IT-07: PASSIVE only)."""
    try:
        region = dma.ndis.kernel.allocate(length, alignment)
    except MemoryError:
        return None
    mapping = dma.description.mapper.map(region.address, length, DmaDirection.BIDIRECTIONAL)
    shared = SharedMemory(dma, region, mapping)
    dma.shared[shared] = allocation_site(2)
    return shared


@wdk("NdisMFreeSharedMemory", irql="PASSIVE")
def free_shared_memory(shared: SharedMemory) -> None:
    """Unmap and free; before the DMA handle goes (IT-07)."""
    if shared.dma.shared.pop(shared, None) is None:
        shared.ndis.violation("IT-08", shared.dma.adapter, shared, "freed twice")
        return
    shared.dma.description.mapper.unmap(shared.mapping)
    shared.ndis.kernel.free(shared.region)
