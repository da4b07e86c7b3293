# SPDX-License-Identifier: Apache-2.0
"""Host memory: allocator and IOMMU in one.

A contiguous arena above 4 GiB (bus address = virtual address of the simulated host), bytes in a numpy array that the
simulator shares through `pointers()`. Beside it lie two arrays of uint8 counts per byte: how many live mappings let the
device read it, and write it. A DMA outside of them is a DeviceFault naming address, engine and time (RG-11, IT-08).

    base                                     brk                 base + size
     | Region | free | Region |  ...          | never used yet       |
     bytes          host array  (what the CPU sees, Region.view is a window of it)
     bytes          device array (what DMA reads; the same array, or with weak=True a second one)
     device_read    0 0 1 1 1 2 2 1 ...      count of TO_DEVICE mappings over each byte
     device_write   0 0 0 0 0 0 0 0 ...      count of FROM_DEVICE mappings over each byte

With weak=True what the CPU writes reaches the device only by `wmb()` (of what `store` wrote) or by `map` (of the mapped
range, when the device may read it). DMA writes are seen by the CPU at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from hilnic.hw.device import DeviceFault

__all__ = ["Direction", "HostMemory", "Mapping", "MemoryPointers", "Region"]

DEFAULT_SIZE = 32 << 20
DEFAULT_BASE = 0x1_2000_0000
GRANULE = 64
POISON = 0xDD
_TO_DEVICE, _FROM_DEVICE = 1, 2
_SMALL = 65536
_ZEROS = bytes(_SMALL)
_ONES = b"\1" * _SMALL
_POISON = bytes([POISON]) * _SMALL

Bytes = npt.NDArray[np.uint8]


class Direction(IntEnum):
    """What a mapping allows the device."""

    TO_DEVICE = 1
    FROM_DEVICE = 2
    BIDIRECTIONAL = 3


class Region:
    """A piece of host memory: `address` on the bus, `view` its writable bytes."""

    __slots__ = ("address", "site", "view")

    def __init__(self, address: int, view: memoryview, site: tuple[Any, int]) -> None:
        self.address = address
        self.view = view
        self.site = site

    def __len__(self) -> int:
        """Size in bytes."""
        return len(self.view)

    def __repr__(self) -> str:
        """Place, size and who allocated it."""
        code, line = self.site
        return f"<Region 0x{self.address:x}+{len(self.view)} from {code.co_filename}:{line} {code.co_name}>"


class Mapping:
    """A live permission; its identity matters, `unmap` ends it."""

    __slots__ = ("address", "direction", "length", "live")

    def __init__(self, address: int, length: int, direction: int) -> None:
        self.address = address
        self.length = length
        self.direction = direction
        self.live = True

    def __repr__(self) -> str:
        """Range and direction."""
        state = "" if self.live else " (unmapped)"
        return f"<Mapping 0x{self.address:x}+{self.length} {Direction(self.direction).name}{state}>"


@dataclass(frozen=True, slots=True)
class MemoryPointers:
    """What the C side is given: bus address of byte 0, size, and four arrays of that size."""

    base: int
    size: int
    host: int
    device: int
    device_read: int
    device_write: int


@dataclass(frozen=True, slots=True)
class MemoryStatistics:
    """How much is in use."""

    regions: int
    bytes_allocated: int
    mappings: int
    high_water: int


class HostMemory:
    """The arena, its allocator and its permissions."""

    def __init__(
        self,
        size: int = DEFAULT_SIZE,
        base: int = DEFAULT_BASE,
        *,
        weak: bool = False,
        poison: bool = True,
        now_ns: Callable[[], int] = lambda: 0,
    ) -> None:
        if size % 4096 or base % 4096:
            raise ValueError("size and base are multiples of 4096")
        self.base, self.size, self.weak, self.poison, self.now_ns = base, size, weak, poison, now_ns
        self._host: Bytes = np.zeros(size, np.uint8)
        self._device: Bytes = np.zeros(size, np.uint8) if weak else self._host
        self._read_counts: Bytes = np.zeros(size, np.uint8)
        self._write_counts: Bytes = np.zeros(size, np.uint8)
        self._host_view = _window(self._host)
        self._device_view = _window(self._device)
        self._read_view = _window(self._read_counts)
        self._write_view = _window(self._write_counts)
        self._brk = 0
        self._free: dict[tuple[int, int], list[int]] = {}
        self._live: dict[int, tuple[Region, tuple[int, int]]] = {}
        self._mappings: set[Mapping] = set()
        self._stores: list[tuple[int, int]] = []

    def __repr__(self) -> str:
        """Range and use."""
        kind = "weak " if self.weak else ""
        return f"<HostMemory {kind}0x{self.base:x}+{self.size >> 20} MiB, {len(self._live)} regions>"

    # --- allocator --------------------------------------------------------------------------------------------------

    def allocate(self, size: int, alignment: int = GRANULE, depth: int = 1) -> Region:
        """A new region; MemoryError when there is none. `depth` tells whose line the leak report names."""
        if size <= 0 or alignment & (alignment - 1):
            raise ValueError(f"allocate({size}, alignment={alignment})")
        key = ((size + GRANULE - 1) & -GRANULE, max(alignment, GRANULE))
        free = self._free.get(key)
        offset = free.pop() if free else self._extend(*key)
        frame = sys._getframe(depth)
        region = Region(self.base + offset, self._host_view[offset : offset + size], (frame.f_code, frame.f_lineno))
        self._live[region.address] = (region, key)
        return region

    def _extend(self, size: int, alignment: int) -> int:
        """Take from the part never used; when that ends, from any free block that is large enough."""
        offset = (self._brk + alignment - 1) & -alignment
        if offset + size <= self.size:
            self._brk = offset + size
            return offset
        for (free_size, _), offsets in sorted(self._free.items()):
            if free_size < size:
                continue
            for position, candidate in enumerate(offsets):
                if candidate % alignment == 0:
                    del offsets[position]
                    if free_size > size:
                        self._free.setdefault((free_size - size, GRANULE), []).append(candidate + size)
                    return candidate
        raise MemoryError(f"no {size} bytes left in {self!r}")

    def free(self, region: Region) -> None:
        """Give a region back; it must be live and no longer mapped."""
        entry = self._live.get(region.address)
        if entry is None or entry[0] is not region:
            raise ValueError(f"free of {region!r}, which is not allocated")
        start, size = region.address - self.base, len(region.view)
        if any(_read_nonzero(view, start, start + size) for view in (self._read_view, self._write_view)):
            raise ValueError(f"free of {region!r} while the device may access it: {self._mappings_over(region)}")
        del self._live[region.address]
        self._free.setdefault(entry[1], []).append(start)
        if self.poison:
            _fill(region.view)

    def _mappings_over(self, region: Region) -> list[Mapping]:
        end = region.address + len(region.view)
        return [m for m in self._mappings if m.address < end and m.address + m.length > region.address]

    def leaks(self) -> list[Region]:
        """Regions still allocated, by address; the repr of each names the allocating line (V9)."""
        return [region for _, (region, _) in sorted(self._live.items())]

    def live_mappings(self) -> list[Mapping]:
        """Mappings that nobody has undone, by address (IT-08)."""
        return sorted(self._mappings, key=lambda mapping: (mapping.address, mapping.length))

    def statistics(self) -> MemoryStatistics:
        """Counts of now."""
        used = sum(len(region.view) for region, _ in self._live.values())
        return MemoryStatistics(len(self._live), used, len(self._mappings), self._brk)

    # --- the CPU's side ---------------------------------------------------------------------------------------------

    def view(self, address: int, length: int) -> memoryview:
        """The CPU's window on bytes by bus address."""
        start = self._offset(address, length)
        return self._host_view[start : start + length]

    def store(self, address: int, data: bytes) -> None:
        """A CPU store that the device will read (a descriptor): visible to it after `wmb()` at the latest."""
        start = address - self.base
        self._host_view[start : start + len(data)] = data
        if self.weak:
            self._stores.append((start, start + len(data)))

    def wmb(self) -> None:
        """Write barrier: all stores so far are visible to the device before any later doorbell (RG-04)."""
        if self._stores:
            for start, end in self._stores:
                self._device_view[start:end] = self._host_view[start:end]
            self._stores.clear()

    # --- mappings ---------------------------------------------------------------------------------------------------

    def map(self, address: int, length: int, direction: int) -> Mapping:
        """Let the device access a range until `unmap`; a TO_DEVICE range becomes visible as it is now."""
        start = address - self.base
        end = start + length
        if length <= 0 or start < 0 or end > self.size:
            raise ValueError(f"0x{address:x}+{length} is outside of {self!r}")
        if direction & _TO_DEVICE:
            _increment(self._read_view[start:end], length)
            if self.weak:
                self._device_view[start:end] = self._host_view[start:end]
        if direction & _FROM_DEVICE:
            _increment(self._write_view[start:end], length)
        mapping = Mapping(address, length, direction)
        self._mappings.add(mapping)
        return mapping

    def unmap(self, mapping: Mapping) -> None:
        """End a mapping, once."""
        if not mapping.live:
            raise ValueError(f"{mapping!r} was unmapped twice")
        self._mappings.remove(mapping)
        mapping.live = False
        start, length = mapping.address - self.base, mapping.length
        if mapping.direction & _TO_DEVICE:
            _decrement(self._read_view[start : start + length], length)
        if mapping.direction & _FROM_DEVICE:
            _decrement(self._write_view[start : start + length], length)

    def _offset(self, address: int, length: int) -> int:
        start = address - self.base
        if length <= 0 or start < 0 or start + length > self.size:
            raise ValueError(f"0x{address:x}+{length} is outside of {self!r}")
        return start

    # --- the device's side ------------------------------------------------------------------------------------------

    def dma_read(self, address: int, length: int, engine: str = "dma_read") -> bytes:
        """What the device reads; DeviceFault outside of a TO_DEVICE mapping."""
        start = self._check(self._read_view, address, length, engine, "read")
        return self._device_view[start : start + length].tobytes()

    def dma_write(self, address: int, data: bytes | bytearray | memoryview, engine: str = "dma_write") -> None:
        """What the device writes; DeviceFault outside of a FROM_DEVICE mapping."""
        start = self._check(self._write_view, address, len(data), engine, "written")
        self._host_view[start : start + len(data)] = data
        if self.weak:
            self._device_view[start : start + len(data)] = data

    def allows(self, address: int, length: int, direction: int) -> bool:
        """May the device access the whole range so? For whoever checks a descriptor before the device has it."""
        start = address - self.base
        if length <= 0 or start < 0 or start + length > self.size:
            return False
        wanted = ((_TO_DEVICE, self._read_view), (_FROM_DEVICE, self._write_view))
        return all(0 not in counts[start : start + length].tobytes() for bit, counts in wanted if direction & bit)

    def _check(self, counts: memoryview, address: int, length: int, engine: str, verb: str) -> int:
        start = address - self.base
        if length <= 0 or start < 0 or start + length > self.size:
            sentence = "the address is outside of host memory"
        elif 0 in counts[start : start + length].tobytes():
            sentence = f"not every byte is mapped to be {verb} by the device"
        else:
            return start
        raise DeviceFault(sentence, address=address, length=length, engine=engine, time_ns=self.now_ns())

    def pointers(self) -> MemoryPointers:
        """Where the arrays are, for the simulator's C side. They live as long as this object."""
        return MemoryPointers(
            self.base,
            self.size,
            self._host.ctypes.data,
            self._device.ctypes.data,
            self._read_counts.ctypes.data,
            self._write_counts.ctypes.data,
        )


def _window(array: Bytes) -> memoryview:
    return array.data


def _read_nonzero(counts: memoryview, start: int, end: int) -> bool:
    window = counts[start:end].tobytes()
    return window != (_ZEROS[: end - start] if end - start <= _SMALL else bytes(end - start))


def _increment(window: memoryview, length: int) -> None:
    """Add 1 to each count. The usual case, all 0, is a copy (numpy's in-place add costs five times as much)."""
    if length <= _SMALL and window.tobytes() == _ZEROS[:length]:
        window[:] = _ONES[:length]
        return
    array = np.frombuffer(window, np.uint8)
    if array.max() == 255:
        raise ValueError("a byte is mapped more than 255 times")
    array += 1


def _decrement(window: memoryview, length: int) -> None:
    if length <= _SMALL and window.tobytes() == _ONES[:length]:
        window[:] = _ZEROS[:length]
        return
    array = np.frombuffer(window, np.uint8)
    array -= 1


def _fill(view: memoryview) -> None:
    view[:] = _POISON[: len(view)] if len(view) <= _SMALL else bytes([POISON]) * len(view)
