# SPDX-License-Identifier: Apache-2.0
"""One queue of nic_1g as its driver uses it: what was handed to the NIC, what came back, whether it is armed.

   done            handed          all u32, free-running
    | NIC's          |             done: the index of the newest completion in memory
    v                v
. . D D D D D D D D D w w . .      w: written, no doorbell yet
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hilnic.hw import regs
from hilnic.hw.descriptors import (
    COMPLETION_BYTES,
    COMPLETION_PHASE_BYTE,
    COMPLETION_STRUCT,
    TX_DESCRIPTOR_BYTES,
    TxDescriptor,
    phase_of,
)
from hilnic.hw.memory import Direction

GRANULE = TX_DESCRIPTOR_BYTES
"""Octets of a descriptor; rings are aligned to more."""
Wrong = Callable[[str, Any, str], None]
"""(rule, on what, what happened)."""
_U32 = 0xFFFFFFFF
_OK = 1


class RingQueue:
    """A queue between doorbell and completion; `wrong` hears what a driver must not do."""

    def __init__(self, is_rx: bool, number: int, memory: Any, wrong: Wrong) -> None:
        self.name = f"{'rx' if is_rx else 'tx'}{number}"
        self.state = int(regs.QueueState.DISABLED)
        """As its status was last read."""
        self._is_rx, self._memory, self._wrong = is_rx, memory, wrong
        self._page: dict[int, int] = {}
        self._owned: dict[int, int] = {}  # granule -> index of the descriptor that the NIC owns
        self._on = False
        self._ring = self._size = self._cpl = self._cpl_size = 0
        self._handed = self._done = self._next = 0
        self._is_stored = False  # this driver writes descriptors by `store`
        self._armed: int | None = None  # the index of the last re-arm; None before the first
        self._is_masked = True
        self._ignored = 0
        self._failed = ""

    def __repr__(self) -> str:
        return f"ring {self.name}"

    # --- registers ----------------------------------------------------------------------------------------------------

    def write(self, register: int, value: int) -> None:
        """A write to the queue's page."""
        if register != regs.QUEUE_CTRL:
            self._page[register] = value
        elif not value & regs.QUEUE_CTRL_ENABLE:
            self.stop()
        elif not self._on:
            self._start()

    def _start(self) -> None:
        page = self._page
        self._ring = page.get(regs.QUEUE_RING_LO, 0) | page.get(regs.QUEUE_RING_HI, 0) << 32
        self._cpl = page.get(regs.QUEUE_CPL_LO, 0) | page.get(regs.QUEUE_CPL_HI, 0) << 32
        self._size, self._cpl_size = page.get(regs.QUEUE_RING_SIZE, 0), page.get(regs.QUEUE_CPL_SIZE, 0)
        self._handed = self._done = page.get(regs.QUEUE_INIT_INDEX, 0)
        self._next = page.get(regs.QUEUE_CPL_INIT_INDEX, 0)
        self._owned.clear()
        self._armed, self._is_masked, self._ignored, self._failed = None, True, 0, ""
        self._on = self._size > 0 and self._cpl_size > 0

    def stop(self) -> None:
        """Disabled or reset: nothing is the NIC's any more, once it says so."""
        self._on, self.state = False, int(regs.QueueState.DISABLED)
        self._owned.clear()

    # --- doorbells ----------------------------------------------------------------------------------------------------

    def ring(self, producer: int) -> None:
        """The doorbell: everything up to `producer` is the NIC's from now on."""
        if not self._on or self.state != regs.QueueState.ENABLED:
            self._ignored += 1
            return
        self._look()
        count = (producer - self._handed) & _U32
        if (producer - self._done) & _U32 > self._size:
            detail = (
                f"{self.name}: doorbell {producer}, with descriptors done up to {self._done} of a ring of {self._size}"
            )
            self._wrong("RG-01", self, detail)
            return
        self._is_stored = self._is_stored or any(
            self._granule(self._handed + n) in self._memory.stored for n in range(count)
        )
        for index in (((self._handed + n) & _U32) for n in range(count)):
            if not self._hand_over(index, producer):
                break
        self._handed = producer

    def _hand_over(self, index: int, producer: int) -> bool:
        """One descriptor becomes the NIC's; False after a mistake, for the others of the doorbell share it."""
        granule = self._granule(index)
        what = f"{self.name}: doorbell {producer} hands over descriptor {index}"
        if granule in self._memory.unordered:
            self._wrong("RG-04", self, f"{what}, stored since the last write barrier (wmb)")
            return False
        descriptor = TxDescriptor.unpack(self._memory.view(granule * GRANULE, GRANULE))
        if not descriptor.address or (self._is_stored and granule not in self._memory.stored):
            self._wrong("RG-04", self, f"{what}, which was not written since its last use")
            return False
        self._memory.stored.discard(granule)
        self._owned[granule] = index
        length = self._page.get(regs.QUEUE_BUF_SIZE, 0) if self._is_rx else descriptor.length
        direction = Direction.FROM_DEVICE if self._is_rx else Direction.TO_DEVICE
        if length and not self._memory.allows(descriptor.address, length, direction):
            way = "write" if self._is_rx else "read"
            place = f"0x{descriptor.address:x}+{length}"
            self._wrong("RG-11", self, f"{what}, and {place} is not mapped for the device to {way}")
            return False
        return True

    def rearm(self, consumer: int) -> None:
        """Completions up to `consumer` were taken; the interrupt is on again."""
        if not self._on:
            return
        self._look()
        if 0 < (consumer - self._next) & _U32 < 1 << 31:
            detail = (
                f"{self.name}: re-armed at completion {consumer}, and {self._next} are there: the next are not told"
            )
            self._wrong("RG-06", self, detail)
        self._armed, self._is_masked = consumer, False

    def before_store(self, granule: int) -> None:
        """A descriptor is about to be written."""
        if granule not in self._owned:
            return
        self._look()
        if granule in self._owned:
            index = self._owned[granule]
            self._wrong(
                "RG-03", self, f"{self.name}: descriptor {index} is written after its doorbell, and is not done"
            )

    def interrupted(self, vector: int) -> None:
        """A message: queues of this vector with something to tell are masked now."""
        if self._on and vector == self._page.get(regs.QUEUE_VECTOR):
            self._look()
            if self._armed is not None and self._next != self._armed:
                self._is_masked = True

    # --- completions --------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Follow the completions that have been written."""
        while True:
            at = self._cpl + self._next % self._cpl_size * COMPLETION_BYTES
            entry = self._memory.view(at, COMPLETION_BYTES)
            if entry[COMPLETION_PHASE_BYTE] & 1 != phase_of(self._next, self._cpl_size):
                return
            index, _, status, cause, *_ = COMPLETION_STRUCT.unpack_from(entry)
            if not 0 < (index - self._done) & _U32 <= (self._handed - self._done) & _U32:
                return  # left over from another life of this memory
            for back in range((index - self._done) & _U32):
                self._owned.pop(self._granule(self._done + back), None)
            self._done, self._next = index, (self._next + 1) & _U32
            if not status & _OK:
                self._failed = f"descriptor {(index - 1) & _U32} ended with cause {cause} ({_cause_name(cause)})"

    def _granule(self, index: int) -> int:
        return (self._ring + index % self._size * GRANULE) // GRANULE

    def standing(self) -> str:
        """Where the queue is, when something of it waits; else nothing."""
        if not self._on:
            return f"{self.name} is not enabled; {self._ignored} doorbells were ignored" if self._ignored else ""
        self._look()
        words = []
        if self._ignored:
            words.append(f"{self._ignored} doorbells ignored: its status was not yet read as enabled")
        if self._failed:
            words.append(self._failed)
        if not self._is_rx and self._handed != self._done:
            words.append(f"the NIC has descriptors {self._done} to {(self._handed - 1) & _U32}")
        if self._is_rx and self._handed == self._done:
            words.append("the NIC has no buffer")
        if self._armed != self._next and (self._is_masked or self._armed is None):
            armed = "never re-armed" if self._armed is None else f"re-armed last at completion {self._armed}"
            words.append(f"{armed}, {self._next} are there: its interrupt is off until the next re-arm")
        return f"{self.name}: {'; '.join(words)}" if words else ""


def _cause_name(cause: int) -> str:
    try:
        return regs.Cause(cause).name
    except ValueError:
        return "unknown"
