# SPDX-License-Identifier: Apache-2.0
"""A minimal NDIS 5.1 protocol over WAN miniports: sends and receives whole PPP frames of links.

A WAN packet is memory with room before and behind the frame, into which the miniports below write their headers.
"""

from __future__ import annotations

from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisMedium, NdisStatus, ndis5
from hilnic.ndis.ndis5 import BindingEdge, WanPacket

__all__ = ["WanProtocol5"]

HEADER_PADDING = 32
TAIL_PADDING = 8


class WanProtocol5:
    """Driver and binding context in one: it binds to one WAN adapter."""

    def __init__(self, *, name: str = "wan5", header_padding: int = HEADER_PADDING) -> None:
        self.name, self.header_padding = name, header_padding
        self.binding: BindingEdge | None = None
        self.received: list[tuple[Any, bytes]] = []
        """(link context, PPP frame), in order."""
        self.statuses: list[NdisStatus] = []
        """How sends ended, in order."""
        self.receive_completes = 0
        self.accepts = True
        self.handle: ndis.ProtocolDriver
        self._outstanding = 0
        self._idle: Any = None
        self._closed: Any = None

    def __repr__(self) -> str:
        """Traffic."""
        return f"<WanProtocol5 {self.name}: {len(self.received)} received, {len(self.statuses)} sent>"

    async def register(self, host: ndis.Ndis) -> None:
        """Register with NDIS, which offers every adapter there is."""
        status, driver = await ndis5.register_protocol(host, self._characteristics(), self)
        if driver is None:
            raise RuntimeError(f"NdisRegisterProtocol: {status.name}")
        self.handle = driver

    async def deregister(self) -> None:
        """Unbind and leave NDIS."""
        await ndis5.deregister_protocol(self.handle)

    def _characteristics(self) -> ndis5.ProtocolCharacteristics5:
        return ndis5.ProtocolCharacteristics5(
            name=self.name,
            bind_adapter=WanProtocol5._bind,
            unbind_adapter=WanProtocol5._unbind,
            open_adapter_complete=_nothing_to_do,  # NDIS opens at once
            close_adapter_complete=WanProtocol5._close_complete,
            send_complete=_nothing_to_do,  # sends of this medium end with wan_send_complete
            request_complete=_nothing_to_do,
            reset_complete=_nothing_to_do,
            status=_nothing_to_do,
            status_complete=_nothing_to_do,
            receive_complete=WanProtocol5._receive_complete,
            wan_receive=WanProtocol5._wan_receive,
            wan_send_complete=WanProtocol5._wan_send_complete,
        )

    def _bind(self, bind_context: ndis.BindContext, adapter_name: str) -> NdisStatus:
        del adapter_name
        if self.binding is not None:
            return NdisStatus.NOT_RECOGNIZED
        status, _, self.binding = ndis5.open_adapter(bind_context.protocol, self, (NdisMedium.WAN,), bind_context)
        return status

    async def _unbind(self, unbind_context: ndis.UnbindContext) -> NdisStatus:
        del unbind_context
        assert self.binding is not None
        self._closed = self.handle.ndis.kernel.create_event()
        if ndis5.close_adapter(self.binding) is NdisStatus.PENDING:
            await self._closed.wait()
        self.binding = None
        return NdisStatus.SUCCESS

    def _close_complete(self, status: NdisStatus) -> None:
        del status
        self._closed.set()

    # --- data ---------------------------------------------------------------------------------------------------------

    def send(self, link: Any, *frames: bytes) -> None:
        """Send PPP frames over a link."""
        assert self.binding is not None
        for frame in frames:
            region = self.handle.ndis.kernel.allocate(self.header_padding + len(frame) + TAIL_PADDING)
            packet = WanPacket(region, self.header_padding, len(frame), TAIL_PADDING)
            packet.frame[:] = frame
            self._outstanding += 1
            status = ndis5.wan_send(self.binding, link, packet)
            if status is not NdisStatus.PENDING:
                self._wan_send_complete(packet, status)

    def _wan_send_complete(self, packet: WanPacket, status: NdisStatus) -> None:
        self.handle.ndis.kernel.free(packet.region)
        self.statuses.append(status)
        self._outstanding -= 1
        if not self._outstanding and self._idle is not None:
            self._idle.set()

    async def wait_until_idle(self) -> None:
        """Wait until every send has ended."""
        while self._outstanding:
            self._idle = self.handle.ndis.kernel.create_event()
            await self._idle.wait()

    def _wan_receive(self, link_context: Any, frame: memoryview) -> NdisStatus:
        """Copy the frame, which is valid during the call, or say that it is nothing for us."""
        if not self.accepts:
            return NdisStatus.NOT_ACCEPTED
        self.received.append((link_context, bytes(frame)))
        return NdisStatus.SUCCESS

    def _receive_complete(self) -> None:
        self.receive_completes += 1


def _nothing_to_do(*_: Any) -> None:
    """A handler that NDIS wants and this protocol has no use for."""
