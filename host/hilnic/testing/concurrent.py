# SPDX-License-Identifier: Apache-2.0
"""Functional drivers that keep their own books under a lock, as drivers for several CPUs must."""

from __future__ import annotations

from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisStatus, NetBufferList, ReceiveFlags
from hilnic.testing.miniport import FunctionalMiniport
from hilnic.testing.protocol import FunctionalProtocol

__all__ = ["ConcurrentMiniport", "ConcurrentProtocol"]


class ConcurrentMiniport(FunctionalMiniport):
    """Pause and reset pend until nothing is on its way through NDIS on any CPU."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.lock = ndis.allocate_spin_lock(self.ndis, "miniport")
        self.sending = self.receiving = 0  # on their way up: completions, receives that are out
        self.resetting = self.pausing = False

    def complete(self, *nbls: NetBufferList, status: int = NdisStatus.SUCCESS, flags: int = 0) -> None:
        """Complete those of the NBLs that nobody else completes now."""
        with self.lock.held():
            mine = [nbl for nbl in nbls if nbl in self.captured]
            for nbl in mine:
                self.captured.remove(nbl)
            self.sending += len(mine)
        if mine:
            for nbl in mine:
                nbl.status = status
            ndis.complete_send_net_buffer_lists(self.adapter, ndis.chain(mine), flags)
            self._done(sends=len(mine))

    def complete_all(self, status: int = NdisStatus.SUCCESS) -> None:
        """Complete everything captured in one call, in order."""
        self.complete(*self.captured, status=status)

    def indicate_spare(self, flags: int = 0) -> None:
        """Indicate every NBL that nobody has, in one call, if the adapter runs."""
        with self.lock.held():
            spare = self.returned if self.running else []
            self.returned = [] if spare else self.returned
            self.receiving += len(spare)
        if spare:
            self.indicate_nbls(spare, flags)
            if flags & ReceiveFlags.RESOURCES:
                self._done(receives=len(spare))

    def _done(self, sends: int = 0, receives: int = 0) -> None:
        """Something has come back; the last of it ends a pause or reset that pends."""
        with self.lock.held():
            self.sending -= sends
            self.receiving -= receives
            paused = self.pausing and not (self.sending or self.receiving)
            reset = self.resetting and not self.sending
            self.pausing = self.pausing and not paused
            self.resetting = self.resetting and not reset
        if paused:
            ndis.complete_pause(self.adapter)
        if reset:
            ndis.complete_reset(self.adapter, NdisStatus.SUCCESS, True)

    # Handlers.

    def send_net_buffer_lists(self, nbls: NetBufferList, port_number: int, send_flags: int) -> None:
        """Capture; a send that overtook a pause or reset on its way here is refused."""
        del port_number, send_flags
        lists = list(ndis.walk(nbls))
        with self.lock.held():
            accepted = self.running and not self.resetting
            self.captured += lists
        if not accepted:
            self.complete(*lists, status=NdisStatus.PAUSED)
        elif self.completion == "inline":
            self.complete_all()
        elif self.completion == "deferred":
            self.ndis.kernel.queue_dpc(self.complete_all)

    def return_net_buffer_lists(self, nbls: NetBufferList, return_flags: int) -> None:
        """Back among the spare ones."""
        del return_flags
        lists = list(ndis.walk(nbls))
        self.returned += lists
        self._done(receives=len(lists))

    def pause(self, parameters: ndis.PauseParameters) -> NdisStatus:
        """No more receives; ends here, or with what comes back last."""
        del parameters
        with self.lock.held():
            self.running, self.pausing = False, True
            self.receiving += 1  # the pause itself
        self.complete_all(NdisStatus.PAUSED)
        with self.lock.held():
            self.receiving -= 1
            self.pausing = bool(self.sending or self.receiving)
            return NdisStatus.PENDING if self.pausing else NdisStatus.SUCCESS

    def reset(self) -> tuple[NdisStatus, bool]:
        """Pending sends end first (A8), here or with the last one that is on its way."""
        with self.lock.held():
            self.sending += 1  # the reset itself
            self.resetting = True
        self.complete_all(NdisStatus.RESET_IN_PROGRESS)
        with self.lock.held():
            self.resetting = pending = self.sending > 1
        self._done(sends=1)
        return (NdisStatus.PENDING if pending else NdisStatus.SUCCESS), True


class ConcurrentProtocol(FunctionalProtocol):
    """Gives back what it takes out of its list; its pause waits for the sends that are on their way."""

    drains_on_pause = True

    def give_back(self, *nbls: NetBufferList) -> None:
        """Return everything held in one call."""
        del nbls
        taken, self.held = self.held, []
        if taken:
            ndis.return_net_buffer_lists(self.open, ndis.chain(taken))
