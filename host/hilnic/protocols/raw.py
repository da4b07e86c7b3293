# SPDX-License-Identifier: Apache-2.0
"""A minimal NDIS 6 protocol driver: sends frames as they are, hands received ones to a callback.

Benches, replay and tests use it; it is also the shortest complete example of a protocol, and one file for that reason.
Frames are bytes from the destination address to the last data octet, without FCS. `fragments` cuts a frame into that
many MDLs. NBLs of one frame are kept with their buffer and used again, because making them new would cost more than
sending them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hilnic import ndis

__all__ = ["RawBinding", "RawProtocol", "RawStatistics"]

Receive = Callable[["RawBinding", ndis.NetBufferList, int, int], None]
Completed = Callable[["RawBinding", ndis.NetBufferList], None]
_CANCEL_ID = int(ndis.NblInfo.CANCEL_ID)
_RESOURCES = int(ndis.ReceiveFlags.RESOURCES)
DEFAULT_FILTER = ndis.PacketFilter.DIRECTED | ndis.PacketFilter.BROADCAST | ndis.PacketFilter.ALL_MULTICAST


@dataclass(frozen=True, slots=True)
class RawStatistics:
    """NBLs by fate."""

    sent: int
    completed: int
    failed: int
    received: int
    held: int


class RawBinding:
    """The protocol on one adapter: the binding context."""

    def __init__(self, protocol: RawProtocol, bind_context: Any, parameters: ndis.BindParameters) -> None:
        self.protocol, self.parameters = protocol, parameters
        self.handle: ndis.Binding | None = None
        self.running = False
        self.statuses: list[int] = []
        """Status of every completed NBL that failed, in order."""
        self.received: list[bytes] = []
        """Received frames, when the protocol has no receive callback."""
        self.status_indications: list[ndis.StatusIndication] = []
        self._bind_context = bind_context
        self._pool = ndis.allocate_net_buffer_list_pool(protocol.handle, ndis.NetBufferListPoolParameters(tag="raw"))
        self._spare: dict[int, list[ndis.NetBufferList]] = {}
        self._held: list[ndis.NetBufferList] = []
        self._requests: dict[ndis.OidRequest, tuple[Any, list[ndis.NdisStatus]]] = {}
        self._idle: Any = None
        self._closed: Any = None
        self._outstanding = 0
        self._sent = self._completed = self._failed = self._received = 0

    def __repr__(self) -> str:
        """Adapter and traffic."""
        return f"<RawBinding {self.parameters.adapter_name}: {self.statistics()}>"

    def statistics(self) -> RawStatistics:
        """Counts since the bind."""
        return RawStatistics(self._sent, self._completed, self._failed, self._received, len(self._held))

    @property
    def outstanding(self) -> int:
        """NBLs sent and not completed."""
        return self._outstanding

    # --- send ---------------------------------------------------------------------------------------------------------

    def send(self, *frames: bytes, fragments: int = 1, cancel_id: Any = None) -> None:
        """Send frames, one NBL each, in one call."""
        self.send_nbls(self.build([frame], fragments=fragments, cancel_id=cancel_id) for frame in frames)

    def build(self, frames: Sequence[bytes], *, fragments: int = 1, cancel_id: Any = None) -> ndis.NetBufferList:
        """One NBL with one NET_BUFFER per frame."""
        spare = self._spare.get(fragments)
        if spare and len(frames) == 1 and len(frames[0]) <= self.protocol.buffer_bytes:
            nbl = spare.pop()
            _fill(nbl.first_net_buffer, frames[0], fragments)
        else:
            nbl = self._new(frames, fragments)
        nbl.net_buffer_list_info[_CANCEL_ID] = cancel_id
        return nbl

    def _new(self, frames: Sequence[bytes], fragments: int) -> ndis.NetBufferList:
        nbl = ndis.allocate_net_buffer_list(self._pool)
        nbl.first_net_buffer = None
        before: ndis.NetBuffer | None = None
        for frame in frames:
            size = max(self.protocol.buffer_bytes, len(frame))
            region = self.protocol.handle.ndis.kernel.allocate(size)
            mdl = ndis.link(*(ndis.allocate_mdl(self.protocol.handle, region, 0, size) for _ in range(fragments)))
            nb = ndis.allocate_net_buffer(self.protocol.nb_pool, mdl, 0, 0)
            _fill(nb, frame, fragments)
            if before is None:
                nbl.first_net_buffer = nb
            else:
                before.next = nb
            before = nb
        reusable = len(frames) == 1 and len(frames[0]) <= self.protocol.buffer_bytes
        nbl.protocol_reserved[0] = fragments if reusable else None
        return nbl

    def send_nbls(self, nbls: Iterable[ndis.NetBufferList]) -> None:
        """Send prepared NBLs in one call; RuntimeError on a binding that is closed."""
        if self.handle is None:
            raise RuntimeError(f"{self!r} is closed")
        queue = ndis.NblQueue()
        for nbl in nbls:
            nbl.source_handle = self.handle
            queue.append(nbl)
        if queue.first is not None:
            self._sent += queue.count
            self._outstanding += queue.count
            ndis.send_net_buffer_lists(self.handle, queue.first)

    def completed(self, nbls: ndis.NetBufferList, flags: int) -> None:
        """ProtocolSendNetBufferListsComplete."""
        del flags
        callback = self.protocol.on_completed
        for nbl in ndis.walk(nbls):
            self._outstanding -= 1
            self._completed += 1
            if nbl.status:
                self._failed += 1
                self.statuses.append(nbl.status)
            if callback is not None:
                callback(self, nbl)
            self._keep(nbl)
        self._check_idle()

    def _keep(self, nbl: ndis.NetBufferList) -> None:
        """Put an NBL aside for the next frame; give an unusual one back to where it came from."""
        fragments = nbl.protocol_reserved[0]
        if fragments is None:
            self._free(nbl)
        else:
            self._spare.setdefault(fragments, []).append(nbl)

    def _free(self, nbl: ndis.NetBufferList) -> None:
        for nb in list(nbl.net_buffers()):
            mdl = nb.mdl_chain
            if mdl is not None:
                self.protocol.handle.ndis.kernel.free(mdl.region)
            while mdl is not None:
                following = mdl.next
                ndis.free_mdl(mdl)
                mdl = following
            ndis.free_net_buffer(nb)
        ndis.free_net_buffer_list(nbl)

    # --- receive ------------------------------------------------------------------------------------------------------

    def receive(self, nbls: ndis.NetBufferList, port_number: int, count: int, flags: int) -> None:
        """ProtocolReceiveNetBufferLists: to the callback, or copied and returned at once."""
        del port_number
        self._received += count
        if self.protocol.on_receive is not None:
            self.protocol.on_receive(self, nbls, count, flags)
            return
        for nbl in ndis.walk(nbls):
            nb = nbl.first_net_buffer
            assert nb is not None
            self.received.append(nb.tobytes())
        if not flags & _RESOURCES:
            self.return_nbls(nbls)

    def hold(self, nbls: ndis.NetBufferList) -> None:
        """Keep received NBLs (not under RESOURCES) until `release`."""
        self._held.extend(ndis.walk(nbls))

    def release(self, number: int | None = None) -> None:
        """Return the oldest held NBLs, all by default."""
        taken, self._held = self._held[:number], self._held[len(self._held[:number]) :]
        self.return_nbls(ndis.chain(taken))

    def return_nbls(self, nbls: ndis.NetBufferList | None) -> None:
        """Give received NBLs back to NDIS."""
        if nbls is not None and self.handle is not None:
            ndis.return_net_buffer_lists(self.handle, nbls)

    # --- control ------------------------------------------------------------------------------------------------------

    async def request(self, request: ndis.OidRequest) -> ndis.NdisStatus:
        """Issue an OID request and wait for its end."""
        assert self.handle is not None
        done = self.protocol.handle.ndis.kernel.create_event()
        answer: list[ndis.NdisStatus] = []
        self._requests[request] = (done, answer)
        status = ndis.oid_request(self.handle, request)
        if status == ndis.NdisStatus.PENDING:
            await done.wait()
            status = answer[0]
        self._requests.pop(request, None)
        return status

    def request_complete(self, request: ndis.OidRequest, status: ndis.NdisStatus) -> None:
        """ProtocolOidRequestComplete."""
        done, answer = self._requests.pop(request)
        answer.append(status)
        done.set()

    async def query(self, oid: int, size: int = 256) -> bytes:
        """The answer to a query; RuntimeError unless SUCCESS."""
        request = ndis.query(oid, size)
        status = await self.request(request)
        if status != ndis.NdisStatus.SUCCESS:
            raise RuntimeError(f"{request!r}: {ndis.NdisStatus(status).name}")
        return request.answer()

    async def set_filter(self, packet_filter: int) -> ndis.NdisStatus:
        """OID_GEN_CURRENT_PACKET_FILTER."""
        data = packet_filter.to_bytes(4, "little")
        return await self.request(ndis.set_information(ndis.Oid.OID_GEN_CURRENT_PACKET_FILTER, data))

    async def set_multicast_list(self, addresses: Iterable[bytes]) -> ndis.NdisStatus:
        """OID_802_3_MULTICAST_LIST."""
        data = b"".join(addresses)
        return await self.request(ndis.set_information(ndis.Oid.OID_802_3_MULTICAST_LIST, data))

    async def wait_until_idle(self) -> None:
        """Wait until every sent NBL has completed."""
        while self._outstanding:
            self._idle = self.protocol.handle.ndis.kernel.create_event()
            await self._idle.wait()

    def _check_idle(self) -> None:
        if not self._outstanding and self._idle is not None:
            self._idle.set()

    async def pnp_event(self, event: ndis.NetPnpEvent) -> ndis.NdisStatus:
        """ProtocolNetPnPEvent: on pause stop sending, drain, return what is held (ST-11)."""
        if event.event == ndis.NetEvent.PAUSE:
            self.running = False
            await self.wait_until_idle()
            self.release()
        elif event.event == ndis.NetEvent.RESTART:
            self.running = True
            await self.set_filter(self.protocol.packet_filter)
        return ndis.NdisStatus.SUCCESS

    def open(self) -> ndis.NdisStatus:
        """Open the adapter that a bind offers; the pool is gone when that fails."""
        status, self.handle = ndis.open_adapter(self.protocol.handle, self, ndis.OpenParameters(), self._bind_context)
        if status is not ndis.NdisStatus.SUCCESS:
            ndis.free_net_buffer_list_pool(self._pool)
        return status

    async def close(self) -> ndis.NdisStatus:
        """Close, wait until it is closed, give the memory back."""
        assert self.handle is not None
        self._closed = self.protocol.handle.ndis.kernel.create_event()
        if ndis.close_adapter(self.handle) == ndis.NdisStatus.PENDING:
            await self._closed.wait()
        for nbls in self._spare.values():
            for nbl in nbls:
                self._free(nbl)
        self._spare.clear()
        ndis.free_net_buffer_list_pool(self._pool)
        self.handle = None
        return ndis.NdisStatus.SUCCESS

    def close_complete(self) -> None:
        """ProtocolCloseAdapterCompleteEx."""
        self._closed.set()


def _fill(nb: ndis.NetBuffer | None, frame: bytes, fragments: int) -> None:
    """Copy a frame into the buffer of an NB and cut it over the NB's MDLs."""
    assert nb is not None
    mdl = nb.mdl_chain
    assert mdl is not None
    length = len(frame)
    mdl.region.view[:length] = frame
    nb.data_length = length
    nb.current_mdl = mdl
    if fragments == 1:
        mdl.byte_count = length
        return
    cuts = [length * number // fragments for number in range(fragments + 1)]
    for start, end in pairwise(cuts):
        assert mdl is not None
        mdl.byte_offset, mdl.byte_count = start, end - start
        mdl = mdl.next


class RawProtocol:
    """The driver: `await RawProtocol(...).register(host)`, then `protocol.bindings`."""

    def __init__(
        self,
        *,
        name: str = "raw",
        packet_filter: int = DEFAULT_FILTER,
        on_receive: Receive | None = None,
        on_completed: Completed | None = None,
        buffer_bytes: int = 2048,
    ) -> None:
        self.name, self.packet_filter, self.buffer_bytes = name, packet_filter, buffer_bytes
        self.on_receive, self.on_completed = on_receive, on_completed
        self.bindings: dict[str, RawBinding] = {}
        self.handle: ndis.ProtocolDriver
        self.nb_pool: Any = None

    def __repr__(self) -> str:
        """Name and adapters."""
        return f"<RawProtocol {self.name} on {list(self.bindings)}>"

    async def register(self, host: ndis.Ndis) -> None:
        """Register with NDIS, which binds to every adapter there is."""
        self.nb_pool = ndis.allocate_net_buffer_pool(host, tag=self.name)
        self.handle = await ndis.register_protocol_driver(host, self._characteristics(), self)

    async def deregister(self) -> None:
        """Unbind from all adapters and leave NDIS."""
        await ndis.deregister_protocol_driver(self.handle)
        ndis.free_net_buffer_pool(self.nb_pool)

    def _characteristics(self) -> ndis.ProtocolCharacteristics:
        return ndis.ProtocolCharacteristics(
            name=self.name,
            bind_adapter=RawProtocol._bind,
            unbind_adapter=RawProtocol._unbind,
            open_adapter_complete=None,
            close_adapter_complete=RawBinding.close_complete,
            net_pnp_event=RawBinding.pnp_event,
            receive_net_buffer_lists=RawBinding.receive,
            send_net_buffer_lists_complete=RawBinding.completed,
            oid_request_complete=RawBinding.request_complete,
            status=lambda binding, indication: binding.status_indications.append(indication),
        )

    def _bind(self, bind_context: Any, parameters: ndis.BindParameters) -> ndis.NdisStatus:
        self.handle = bind_context.protocol
        binding = RawBinding(self, bind_context, parameters)
        status = binding.open()
        if status == ndis.NdisStatus.SUCCESS:
            self.bindings[parameters.adapter_name] = binding
        return status

    @staticmethod
    async def _unbind(unbind_context: Any, binding: RawBinding) -> ndis.NdisStatus:
        del unbind_context
        status = await binding.close()
        binding.protocol.bindings.pop(binding.parameters.adapter_name, None)
        return status
