# SPDX-License-Identifier: Apache-2.0
"""What every driver of the NIC does before and after its own life, whatever its version of NDIS.

identify -> soft_reset_or_refuse -> (the driver's own steps, each with its undo) -> program -> traffic
... traffic -> mask_misc -> (the undos, in reverse) -> soft_reset_at_halt

A step that finds something wrong raises `Refused`; the driver then unwinds what was done and answers its status.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from hilnic.hw import regs
from hilnic.miniport.config import NicConfig
from hilnic.miniport.filter import ReceiveFilter
from hilnic.miniport.hardware import Hardware
from hilnic.miniport.link import ENABLED_CAUSES
from hilnic.ndis import NdisStatus

__all__ = [
    "Refused",
    "UndoStack",
    "identify",
    "mask_misc",
    "program",
    "require",
    "soft_reset_at_halt",
    "soft_reset_or_refuse",
]

_MAJOR_VERSION = 1


class Refused(Exception):
    """An initialization step found something wrong; `status` is the answer to NDIS."""

    def __init__(self, status: NdisStatus) -> None:
        super().__init__(status.name)
        self.status = status


def require(status: NdisStatus) -> None:
    """Go on with SUCCESS only."""
    if status is not NdisStatus.SUCCESS:
        raise Refused(status)


class UndoStack:
    """What the steps that were done have to be undone by."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], Awaitable[Any] | None]] = []

    def push(self, undo: Callable[[], Awaitable[Any] | None]) -> None:
        """A step is done; `undo` reverses it."""
        self._undo.append(undo)

    async def unwind(self) -> None:
        """Undo everything, the last step first."""
        while self._undo:
            result = self._undo.pop()()
            if result is not None:
                await result


async def identify(hardware: Hardware, config: NicConfig, vector: int) -> None:
    """Refused unless this is our NIC, in a version that we know, with the vector and the rings that we use."""
    if await hardware.read(regs.ID) != regs.ID_VALUE:
        raise Refused(NdisStatus.ADAPTER_NOT_FOUND)
    version = await hardware.read(regs.VERSION)
    if version >> regs.VERSION_MAJOR_LSB != _MAJOR_VERSION:
        raise Refused(NdisStatus.BAD_VERSION)
    caps = await hardware.read(regs.CAPS0)
    vectors = (caps & regs.CAPS0_NUM_VECTORS) >> regs.CAPS0_NUM_VECTORS_LSB
    largest = 1 << ((caps & regs.CAPS0_LARGEST_RING_LOG2) >> regs.CAPS0_LARGEST_RING_LOG2_LSB)
    if vector >= vectors or max(config.tx_ring, config.rx_ring) > largest:
        raise Refused(NdisStatus.NOT_SUPPORTED)


async def soft_reset_or_refuse(hardware: Hardware, config: NicConfig) -> None:
    """Whatever ran before us, the NIC now does nothing."""
    if not await hardware.soft_reset(config.timeout_ns):
        raise Refused(NdisStatus.DEVICE_FAILED)


async def soft_reset_at_halt(hardware: Hardware, config: NicConfig) -> None:
    """And does nothing again when we go (ST-18)."""
    if hardware.present:
        await hardware.soft_reset(config.timeout_ns)


def program(hardware: Hardware, config: NicConfig, receive_filter: ReceiveFilter) -> None:
    """What a soft reset forgets: address, longest frame, closed filter, miscellaneous interrupts."""
    receive_filter.forget()
    receive_filter.set_own_address(config.mac_address)
    hardware.write(regs.MAX_FRAME, config.max_frame)
    hardware.write(regs.MISC_ENABLE, ENABLED_CAUSES)
    hardware.write(regs.MISC_CAUSE, 0)


async def mask_misc(hardware: Hardware, config: NicConfig) -> None:
    """Disable vector 0; the read after the write pushes it and waits out a message under way."""
    hardware.write(regs.MISC_ENABLE, 0)
    await hardware.until(regs.MISC_ENABLE, ENABLED_CAUSES, 0, config.timeout_ns)
