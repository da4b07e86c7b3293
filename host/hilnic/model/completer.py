# SPDX-License-Identifier: Apache-2.0
"""Completion writes: index and phase, in order per queue, visible to interrupts only after their write response."""

from collections.abc import Callable

from hilnic.hw.descriptors import COMPLETION_BYTES, Completion, phase_of
from hilnic.hw.regs import AxiWriteId, Cause, CompletionStatus
from hilnic.model.dma import Dma
from hilnic.model.interrupts import Interrupts
from hilnic.model.queue import U32, Queue


class Completer:
    """Writes 32 bytes per completion."""

    def __init__(self, dma: Dma, interrupts: Interrupts) -> None:
        self._dma, self._interrupts = dma, interrupts

    def write(
        self,
        queue: Queue,
        index: int,
        length: int,
        status: CompletionStatus,
        cause: Cause,
        frame_length: int,
        done: Callable[[], None],
        *,
        vlan: int = 0,
    ) -> None:
        """Write the queue's next completion; `done` after its response, also when it failed."""
        if queue.cpl_failed:
            done()
            return
        number = queue.cpl_next
        queue.cpl_next = (number + 1) & U32
        phase = bool(phase_of(number, queue.cpl_size))
        value = Completion(index, length, status, cause, vlan, phase=phase, frame_length=frame_length)
        address = queue.cpl_ring + (number & (queue.cpl_size - 1)) * COMPLETION_BYTES
        self._dma.write(
            AxiWriteId.COMPLETIONS, address, value.pack(), lambda ok: self._answered(queue, number, ok, done)
        )

    def _answered(self, queue: Queue, number: int, ok: bool, done: Callable[[], None]) -> None:
        if not ok and not queue.cpl_failed:
            queue.cpl_failed = True
            queue.fail(Cause.COMPLETION_ERROR, number)
        if not queue.cpl_failed:
            queue.cpl_produced = (number + 1) & U32
            self._interrupts.completed(queue)
        done()
