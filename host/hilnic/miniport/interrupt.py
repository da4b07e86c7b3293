# SPDX-License-Identifier: Apache-2.0
"""Interrupt -> DPC with a budget -> re-arm, or another look after a while.

The NIC masks a queue's interrupt when it sends it. A look takes completions by their phase bits until there are none or
the budget is spent. What follows is one of three: the next look at once (the budget is spent), a look by timer, or the
re-arm of both queues with their consumer indices; a re-arm that is behind fires at once. So a queue is always either
looked at again, or armed at the index up to which it has been looked at: no interrupt is lost (RG-06), and no register
is read. Whatever stops the queues stops the timer; a start arms them anew.

Under load a re-arm fires at once, and each interrupt brings two frames. Then the timer pays: a look that found more
than one completion tries one after `poll_ns`. If that finds three quarters of the shortest frames that the wire carries
meanwhile, there is another, and so on as long as each finds half as many: the end re-arms each queue of the vector, and
each sends a message again. A first one that finds less was a mistake (a few frames under way that wait for each other),
and is not made again for 16 interrupts, twice as many after each further one. A frame that comes alone never waits. A
message that comes meanwhile is of another queue of the vector, which has not been looked at since its re-arm: it waits
for the timer, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hilnic import ndis
from hilnic.miniport.config import NicConfig

if TYPE_CHECKING:
    from hilnic.miniport.adapter import NicAdapter

__all__ = ["MISC_MESSAGE", "PolledQueues", "QueuePoller", "message_interrupt", "message_interrupt_dpc"]

MISC_MESSAGE = 0
_SHORTEST_FRAME_NS = 672  # 64 octets with preamble and gap at 1 Gbit/s
_RING_SHARE = 8
_LESS = 2
_MISTRUST = (16, 1024)  # least and most interrupts after a mistake


def message_interrupt(nic: NicAdapter, message_id: int) -> tuple[bool, bool]:
    """MiniportMessageInterrupt at DIRQL: ours by construction (IT-02); all work is the DPC's."""
    del message_id
    return True, nic.hardware.present


def message_interrupt_dpc(nic: NicAdapter, message_id: int, throttle: ndis.ReceiveThrottle) -> None:
    """MiniportMessageInterruptDPC: the queues, or a work item for link and errors."""
    if message_id == MISC_MESSAGE:
        nic.queue_misc_work()
    elif nic.queues_running:
        budget = min(nic.config.dpc_budget, throttle.max_nbls_to_indicate)
        throttle.more_nbls_pending = nic.pollers[message_id].interrupt(budget)


class PolledQueues(Protocol):
    """What is looked at together: a pair of queues, or all pairs that share a vector."""

    @property
    def queues_running(self) -> bool:
        """Are completions to be looked for?"""
        ...

    def collect(self, budget: int) -> tuple[int, bool]:
        """Take completions, indicate at most `budget` frames: completions of the busier direction; is there more?"""
        ...

    def rearm(self) -> None:
        """Unmask the interrupts of the queues that have been looked at since the last re-arm."""
        ...


class QueuePoller:
    """Looks at queues, and decides when the next look is."""

    def __init__(self, adapter: ndis.Adapter, config: NicConfig, queues: PolledQueues) -> None:
        ring_ns = min(config.tx_ring, config.rx_ring) * _SHORTEST_FRAME_NS
        self._queues, self._budget = queues, config.dpc_budget
        self._interval_ns = min(config.poll_ns, ring_ns // _RING_SHARE)
        self._worthwhile = self._interval_ns * 3 // (4 * _SHORTEST_FRAME_NS)  # 0 and 1: there is no polling
        self._taken = 0  # completions of the busier queue since the last decision
        self._polls = 0  # looks by timer in a row; 0: the interrupt is armed or on its way
        self._avoid = 0  # interrupts until the timer is tried again
        self._mistrust = _MISTRUST[0]
        self._timer = ndis.allocate_timer_object(adapter, _on_timer, self)

    def __repr__(self) -> str:
        """How the next look comes about."""
        return f"<QueuePoller: {f'poll {self._polls}' if self._polls else 'interrupt'}>"

    def interrupt(self, budget: int) -> bool:
        """As `look`, but for the timer's next look if there is one: it finds what the message is about."""
        return False if self._timer.pending else self.look(budget)

    def look(self, budget: int) -> bool:
        """Take completions; indicate at most `budget` frames. True: there is more, and the caller has to look again."""
        taken, more = self._queues.collect(budget)
        self._taken += taken
        if not more:
            self._decide()
        return more

    def _decide(self) -> None:
        taken, self._taken = self._taken, 0
        if self._polls:
            again = taken >= (self._worthwhile if self._polls == 1 else self._worthwhile // _LESS)
            if again:
                self._mistrust = _MISTRUST[0]
            elif self._polls == 1:
                self._avoid, self._mistrust = self._mistrust, min(2 * self._mistrust, _MISTRUST[1])
        else:
            again = taken > 1 and not self._avoid and self._worthwhile > 1
            self._avoid = max(0, self._avoid - 1)
        if again:
            self._polls += 1
            ndis.set_timer_object(self._timer, self._interval_ns)
        else:
            self._polls = 0
            self._queues.rearm()

    def on_timer(self) -> None:
        """NDIS_TIMER_FUNCTION, at DISPATCH_LEVEL."""
        if self._queues.queues_running and self.look(self._budget):
            ndis.set_timer_object(self._timer, 0)

    def stop(self) -> None:
        """The queues have stopped: no look by timer any more."""
        ndis.cancel_timer_object(self._timer)
        self._polls = self._taken = 0

    def free(self) -> None:
        """Give the timer back."""
        self.stop()
        ndis.free_timer_object(self._timer)


def _on_timer(poller: QueuePoller) -> None:
    poller.on_timer()
