# SPDX-License-Identifier: Apache-2.0
"""A minimal NDIS 5.1 protocol over WAN miniports: makes calls, sends and receives whole PPP frames of their links.

A WAN packet is memory with room before and behind the frame, into which the miniports below write their headers.

    handle = await protocol.dial(b"")        # OID_TAPI_MAKE_CALL
    line = await protocol.wait_for(handle)   # NDIS_STATUS_WAN_LINE_UP, or how the call ended
    protocol.send(handle, frame)             # `received` has (line, frame)
    await protocol.hang_up(handle)           # OID_TAPI_DROP
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisMedium, NdisStatus, Oid, RequestType, ndis5
from hilnic.ndis.ndis5 import BindingEdge, LineCallState, LineDisconnectMode, NdisRequest, TapiMakeCall, WanPacket

__all__ = ["WanLine", "WanProtocol5"]

HEADER_PADDING = 32
TAIL_PADDING = 8


@dataclass(slots=True)
class WanLine:
    """A line that is or was up: this protocol's context of the link."""

    handle: int
    is_up: bool = True
    fragments: int = 0


class WanProtocol5:
    """Driver and binding context in one: it binds to one WAN adapter."""

    def __init__(self, *, name: str = "wan5", header_padding: int = HEADER_PADDING) -> None:
        self.name, self.header_padding = name, header_padding
        self.binding: BindingEdge | None = None
        self.received: list[tuple[WanLine, bytes]] = []
        """(line, PPP frame), in order."""
        self.lines: dict[int, WanLine] = {}
        """Those that are up, by NdisLinkHandle."""
        self.ended: dict[int, LineDisconnectMode] = {}
        """Calls that have ended, by handle, and why."""
        self.media: list[NdisStatus] = []
        """Other statuses, in order."""
        self.status_completes = 0
        self.statuses: list[NdisStatus] = []
        """How sends ended, in order."""
        self.receive_completes = 0
        self.accepts = True
        self.handle: ndis.ProtocolDriver
        self._calls: list[int] = []  # hdCall by htCall, which counts from 1
        self._news: Any = None
        self._requests: dict[NdisRequest, tuple[Any, list[NdisStatus]]] = {}
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
            request_complete=WanProtocol5._request_complete,
            reset_complete=_nothing_to_do,
            status=WanProtocol5._status,
            status_complete=WanProtocol5._status_complete,
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

    # --- requests -----------------------------------------------------------------------------------------------------

    async def request(self, request: NdisRequest) -> NdisStatus:
        """Issue a request and wait for its end."""
        assert self.binding is not None
        done, answer = self.handle.ndis.kernel.create_event(), list[NdisStatus]()
        self._requests[request] = done, answer
        status = ndis5.request(self.binding, request)
        if status is NdisStatus.PENDING:
            await done.wait()
            return answer[0]
        del self._requests[request]
        return status

    def _request_complete(self, request: NdisRequest, status: NdisStatus) -> None:
        done, answer = self._requests.pop(request)
        answer.append(status)
        done.set()

    async def query(self, oid: int, buffer: bytes) -> tuple[NdisStatus, bytes]:
        """The status and what was written; `buffer` has the inputs, if there are some, and the room."""
        request = NdisRequest(RequestType.QUERY_INFORMATION, oid, bytearray(buffer))
        return await self.request(request), request.answer()

    async def set(self, oid: int, data: bytes) -> NdisStatus:
        """The status."""
        return await self.request(NdisRequest(RequestType.SET_INFORMATION, oid, bytearray(data)))

    # --- calls --------------------------------------------------------------------------------------------------------

    async def dial(self, address: bytes = b"") -> int:
        """Begin a call; its handle, which will be that of the link."""
        self._calls.append(0)
        ht_call = len(self._calls)
        status, answer = await self.query(Oid.OID_TAPI_MAKE_CALL, TapiMakeCall(ht_call, address).pack())
        made = TapiMakeCall.parse(answer)
        if status is not NdisStatus.SUCCESS or made is None:
            raise RuntimeError(f"OID_TAPI_MAKE_CALL: {status.name}")
        self._calls[ht_call - 1] = made.hd_call
        return made.hd_call

    async def wait_for(self, handle: int) -> WanLine | LineDisconnectMode:
        """The call's line, once it is up; or why the call ended."""
        while handle not in self.lines and handle not in self.ended:
            self._news = self.handle.ndis.kernel.create_event()
            await self._news.wait()
        return self.lines[handle] if handle in self.lines else self.ended[handle]

    async def hang_up(self, handle: int) -> NdisStatus:
        """End a call."""
        return await self.set(Oid.OID_TAPI_DROP, ndis5.pack_drop(handle))

    def _status(self, code: NdisStatus, buffer: Any) -> None:
        if code is NdisStatus.WAN_LINE_UP:
            buffer.ndis_link_context = line = WanLine(buffer.ndis_link_handle)
            self.lines[line.handle] = line
        elif code is NdisStatus.WAN_LINE_DOWN:
            line = buffer.ndis_link_context
            line.is_up = False
            del self.lines[line.handle]
        elif code is NdisStatus.WAN_FRAGMENT:
            buffer.ndis_link_context.fragments += 1
        elif code is not NdisStatus.TAPI_INDICATION:
            self.media.append(code)
        elif buffer.param1 == LineCallState.DISCONNECTED:
            self.ended[self._calls[buffer.ht_call - 1]] = LineDisconnectMode(buffer.param2)
        if self._news is not None:
            self._news.set()

    def _status_complete(self) -> None:
        self.status_completes += 1

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
