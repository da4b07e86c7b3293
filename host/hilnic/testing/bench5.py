# SPDX-License-Identifier: Apache-2.0
"""`Bench5`: a host with NDIS, one functional miniport of NDIS 5 and some functional protocols of NDIS 5 above it."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from hilnic.ndis import Ndis, NdisStatus, Profile
from hilnic.ndis.ndis import VerifyMode
from hilnic.ndis.pnp import halt_adapter
from hilnic.ndis.states import AdapterState
from hilnic.testing.bench import PEER
from hilnic.testing.frames import ethernet
from hilnic.testing.kernel import VirtualKernel
from hilnic.testing.miniport import MAC_ADDRESS
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5, Handlers

__all__ = ["Bench5"]

T = TypeVar("T")


class Bench5:
    """Everything started and listening; `fm` the miniport, `fps` the protocols, `fp` the first of them."""

    def __init__(
        self,
        handlers: Sequence[Handlers] = ("both",),
        verify: VerifyMode = "fast",
        profile: Profile | None = None,
        miniport: type[FunctionalMiniport5] = FunctionalMiniport5,
        protocol: type[FunctionalProtocol5] = FunctionalProtocol5,
        listen: bool = True,
        **options: Any,
    ) -> None:
        self.kernel = VirtualKernel()
        self.ndis = Ndis(self.kernel, verify, profile)
        self.fm = miniport(self.ndis, **options)
        self.fps = [protocol(self.ndis, f"fp{n}", which) for n, which in enumerate(handlers)]
        for fp in self.fps:
            self.run(fp.start())
        self.start_status = self.run(self.fm.start())
        if listen and self.start_status is NdisStatus.SUCCESS:
            for fp in self.fps:
                self.run(fp.listen())
        self.fm.calls.clear()
        self.fm.requests.clear()
        self.is_abandoned = False  # nothing can be stopped any more

    @property
    def fp(self) -> FunctionalProtocol5:
        """The first protocol."""
        return self.fps[0]

    def run(self, work: Coroutine[Any, Any, T] | None = None) -> T:
        """Run a coroutine to its end, or everything that is queued."""
        return self.kernel.run(work)

    def frame(self, number: int = 0, size: int = 60, destination: bytes = MAC_ADDRESS) -> bytes:
        """A frame from the peer, its payload made of `number`."""
        return ethernet(destination, PEER, number.to_bytes(4, "big") + bytes([number & 0xFF]) * (size - 18))

    def frames(self, count: int, size: int = 60) -> list[bytes]:
        """Numbered frames, for the peer: nothing that would loop back."""
        return [self.frame(number, size, PEER) for number in range(count)]

    def stop(self) -> None:
        """Let everything end, halt, unregister, and report everything that leaked (V9)."""
        if self.is_abandoned:
            return
        self.fm.hold_requests = False
        self.fm.room = 1 << 30
        while self.fm.captured:
            self.fm.complete()
        for fp in self.fps:
            if fp.held:
                fp.give_back()
        self.run()
        if self.fm.adapter in self.ndis.adapters and self.fm.adapter.state in _STOPPABLE:
            self.run(halt_adapter(self.fm.adapter))
        for fp in self.fps:
            self.run(fp.stop())
        self.ndis.check_leaks()


_STOPPABLE = {AdapterState.RUNNING, AdapterState.PAUSED}
