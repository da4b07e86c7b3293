# SPDX-License-Identifier: Apache-2.0
"""A protocol that bridges one adapter to a frame port, in practice a Linux TAP.

What the adapter receives goes to the port; what comes from the port is sent. The port's side is bounded: `transmit`
refuses while `limit` frames are on their way through NDIS, so that the caller leaves the rest in the TAP's own queue.
"""

from collections.abc import Callable

from hilnic import ndis
from hilnic.protocols.raw import RawBinding, RawProtocol
from hilnic.protocols.raw5 import RawBinding5, RawProtocol5

__all__ = ["TapProtocol"]


class TapProtocol:
    """`deliver` is called with every received frame (bytes without FCS, padding as received)."""

    def __init__(
        self, deliver: Callable[[bytes], None], *, name: str = "tap", limit: int = 64, buffer_bytes: int = 2048
    ) -> None:
        self._deliver, self._limit = deliver, limit
        self.raw = self._make_raw(name, buffer_bytes)
        self.refused = 0
        """Frames that `transmit` refused."""

    def __repr__(self) -> str:
        """The bindings."""
        return f"<TapProtocol {self.raw!r} refused {self.refused}>"

    def _make_raw(self, name: str, buffer_bytes: int) -> RawProtocol | RawProtocol5:
        return RawProtocol(name=name, on_receive=self._received, buffer_bytes=buffer_bytes)

    async def register(self, host: ndis.Ndis) -> None:
        """Register with NDIS."""
        await self.raw.register(host)

    async def deregister(self) -> None:
        """Unbind and leave NDIS."""
        await self.raw.deregister()

    @property
    def binding(self) -> RawBinding | RawBinding5:
        """The one adapter that is bridged; RuntimeError when there is none."""
        for binding in self.raw.bindings.values():
            return binding
        raise RuntimeError("the tap protocol is bound to no adapter")

    @property
    def room(self) -> int:
        """Frames that `transmit` takes now."""
        return max(0, self._limit - self.binding.outstanding) if self.binding.running else 0

    def transmit(self, frame: bytes) -> bool:
        """Send a frame; False when the limit is reached or the binding is not running."""
        if self.room == 0:
            self.refused += 1
            return False
        self.binding.send(frame)
        return True

    def _received(self, binding: RawBinding, nbls: ndis.NetBufferList, count: int, flags: int) -> None:
        del count
        for nbl in ndis.walk(nbls):
            assert nbl.first_net_buffer is not None
            self._deliver(nbl.first_net_buffer.tobytes())
        if not flags & ndis.ReceiveFlags.RESOURCES:
            binding.return_nbls(nbls)
