# SPDX-License-Identifier: Apache-2.0
"""The functional protocol: sends what a test says, keeps what comes back, holds or returns receives on command.

    fp = FunctionalProtocol(ndis)
    kernel.run(fp.start())
    fp.send(frame, frame)          one NBL per frame, one call
    fp.hold = True                 receives stay here until fp.give_back(...)
A *mutant* is a subclass that breaks one rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hilnic import ndis
from hilnic.ndis import Ndis, NdisStatus, NetBufferList, NetEvent, Oid, OidRequest, PacketFilter, ReceiveFlags
from hilnic.testing.frames import build_nbl, free_nbl

__all__ = ["FunctionalProtocol"]


class FunctionalProtocol:
    """Driver and binding context in one; binds to the first adapter offered, or to the one it is told."""

    def __init__(self, host: Ndis, name: str = "fp", adapter_name: str | None = None) -> None:
        self.ndis = host
        self.name = name
        self.adapter_name = adapter_name
        self.hold = False
        self.hoards = False  # keeps held receives over a pause
        self.binding: ndis.Binding | None = None
        self.driver: ndis.ProtocolDriver
        self.pool: ndis.NetBufferListPool
        self.completed: list[tuple[NetBufferList, int]] = []
        self.completion_calls = 0
        self.received: list[bytes] = []
        self.receive_flags: list[int] = []
        self.held: list[NetBufferList] = []
        self.statuses: list[ndis.StatusIndication] = []
        self.requests: list[tuple[OidRequest, NdisStatus]] = []
        self.events: list[NetEvent] = []
        self.closed = 0
        self.in_flight = 0
        self.trace: list[str] = []
        self._answered: dict[OidRequest, Any] = {}
        self._drained: Any = None

    def characteristics(self) -> ndis.ProtocolCharacteristics:
        """The handlers: this class's methods, or a mutant's."""
        kind = type(self)
        return ndis.ProtocolCharacteristics(
            name=self.name,
            bind_adapter=kind.bind_adapter,
            unbind_adapter=_unbind_adapter,
            receive_net_buffer_lists=kind.receive_net_buffer_lists,
            send_net_buffer_lists_complete=kind.send_net_buffer_lists_complete,
            open_adapter_complete=kind.open_adapter_complete,
            close_adapter_complete=kind.close_adapter_complete,
            net_pnp_event=kind.net_pnp_event,
            oid_request_complete=kind.oid_request_complete,
            status=kind.status,
        )

    async def start(self) -> None:
        """Register; NDIS binds it to the adapters there are."""
        self.driver = await ndis.register_protocol_driver(self.ndis, self.characteristics(), self)
        parameters = ndis.NetBufferListPoolParameters(tag=f"{self.name} tx")
        self.pool = ndis.allocate_net_buffer_list_pool(self.driver, parameters)

    async def stop(self) -> None:
        """Free what was allocated and unregister."""
        for nbl, _ in self.completed:
            if nbl in self.pool.live:
                free_nbl(nbl)
        for binding in list(self.driver.bindings):
            await ndis.unbind_protocol(binding)
        ndis.free_net_buffer_list_pool(self.pool)
        await ndis.deregister_protocol_driver(self.driver)

    @property
    def open(self) -> ndis.Binding:
        """The binding, which must be there."""
        assert self.binding is not None
        return self.binding

    # What a test commands.

    def build(self, *frames: bytes, cuts: Sequence[int] = (), head: int = 0, tail: int = 0) -> NetBufferList:
        """One NBL with one NB per frame, source handle set."""
        nbl = build_nbl(self.pool, *frames, cuts=cuts, head=head, tail=tail)
        nbl.source_handle = self.binding
        return nbl

    def send(
        self,
        *frames: bytes,
        cuts: Sequence[int] = (),
        head: int = 0,
        flags: int = 0,
        info: Mapping[int, Any] | None = None,
        cancel_id: Any = None,
    ) -> list[NetBufferList]:
        """Send one NBL per frame in one call; `info` is out-of-band information by NblInfo slot."""
        nbls = [self.build(frame, cuts=cuts, head=head) for frame in frames]
        for nbl in nbls:
            for slot, value in (info or {}).items():
                nbl.net_buffer_list_info[slot] = value
            if cancel_id is not None:
                ndis.set_net_buffer_list_cancel_id(nbl, cancel_id)
        self.send_nbls(nbls, flags=flags)
        return nbls

    def cancel(self, cancel_id: Any) -> None:
        """Ask for the end of this binding's sends with this id; each still completes."""
        ndis.cancel_send_net_buffer_lists(self.open, cancel_id)

    def send_nbls(self, nbls: Sequence[NetBufferList], port: int = 0, flags: int = 0) -> None:
        """Send prepared NBLs in one call."""
        self.in_flight += len(nbls)
        ndis.send_net_buffer_lists(self.open, ndis.chain(nbls), port, flags)

    def give_back(self, *nbls: NetBufferList) -> None:
        """Return held receives in one call, in this order; all of them when none is named."""
        giving = list(nbls) or list(self.held)
        for nbl in giving:
            if nbl in self.held:
                self.held.remove(nbl)
        ndis.return_net_buffer_lists(self.open, ndis.chain(giving))

    async def request(self, request: OidRequest) -> NdisStatus:
        """Issue an OID request and wait for its end."""
        done = self._answered[request] = self.ndis.kernel.create_event()
        status = ndis.oid_request(self.open, request)
        if status is NdisStatus.PENDING:
            await done.wait()
            status = next(ended for asked, ended in reversed(self.requests) if asked is request)
        self._answered.pop(request, None)
        return status

    async def set_filter(self, packet_filter: int) -> NdisStatus:
        """Set this binding's packet filter."""
        data = int(packet_filter).to_bytes(4, "little")
        return await self.request(ndis.set_information(Oid.OID_GEN_CURRENT_PACKET_FILTER, data))

    async def set_multicast(self, *addresses: bytes) -> NdisStatus:
        """Set this binding's multicast list."""
        return await self.request(ndis.set_information(Oid.OID_802_3_MULTICAST_LIST, b"".join(addresses)))

    async def listen(self) -> None:
        """Ask for directed, broadcast and listed multicast frames."""
        await self.set_filter(PacketFilter.DIRECTED | PacketFilter.BROADCAST | PacketFilter.MULTICAST)

    # Handlers.

    def bind_adapter(self, bind_context: ndis.BindContext, parameters: ndis.BindParameters) -> NdisStatus:
        """ProtocolBindAdapterEx."""
        if self.binding is not None or (self.adapter_name or parameters.adapter_name) != parameters.adapter_name:
            return NdisStatus.NOT_RECOGNIZED
        self.trace.append("bind")
        self._bind_context = bind_context
        status, self.binding = ndis.open_adapter(bind_context.protocol, self, ndis.OpenParameters(), bind_context)
        return status  # PENDING when the open pends: open_adapter_complete ends the bind then

    def unbind_adapter(self, unbind_context: ndis.UnbindContext) -> NdisStatus:
        """ProtocolUnbindAdapterEx: close, and pend until the close has completed."""
        self.trace.append("unbind")
        self._unbinding = unbind_context
        if ndis.close_adapter(self.open) is NdisStatus.PENDING:
            return NdisStatus.PENDING
        self.binding = None
        return NdisStatus.SUCCESS

    def open_adapter_complete(self, status: NdisStatus) -> None:
        """ProtocolOpenAdapterCompleteEx."""
        self.trace.append(f"opened {status.name}")
        ndis.complete_bind_adapter(self._bind_context, status)

    def close_adapter_complete(self) -> None:
        """ProtocolCloseAdapterCompleteEx."""
        self.trace.append("closed")
        self.closed += 1
        self.binding = None
        ndis.complete_unbind_adapter(self._unbinding)

    async def net_pnp_event(self, event: ndis.NetPnpEvent) -> NdisStatus:
        """ProtocolNetPnPEvent: on pause, return what is held and wait for the sends."""
        self.events.append(event.event)
        self.trace.append(event.event.name.lower())
        if event.event is NetEvent.PAUSE and not self.hoards:
            if self.held:
                self.give_back()
            while self.in_flight and self.drains_on_pause:
                self._drained = self.ndis.kernel.create_event()
                await self._drained.wait()
        return NdisStatus.SUCCESS

    drains_on_pause = False
    """Wait for the completions in the pause event; off, for the functional miniport completes in its own pause."""

    def receive_net_buffer_lists(self, nbls: NetBufferList, port: int, count: int, flags: int) -> None:
        """ProtocolReceiveNetBufferLists: note the bytes, then hold or return."""
        del port, count
        self.receive_flags.append(flags)
        for nbl in ndis.walk(nbls):
            self.received += [nb.tobytes() for nb in nbl.net_buffers()]
            if self.hold and not flags & ReceiveFlags.RESOURCES:
                self.held.append(nbl)
        if not self.hold and not flags & ReceiveFlags.RESOURCES:
            ndis.return_net_buffer_lists(self.open, nbls)

    def send_net_buffer_lists_complete(self, nbls: NetBufferList, flags: int) -> None:
        """ProtocolSendNetBufferListsComplete."""
        del flags
        self.completion_calls += 1
        for nbl in ndis.walk(nbls):
            self.completed.append((nbl, nbl.status))
            self.in_flight -= 1
        if self._drained is not None and not self.in_flight:
            self._drained.set()

    def oid_request_complete(self, request: OidRequest, status: NdisStatus) -> None:
        """ProtocolOidRequestComplete."""
        self.requests.append((request, status))
        if request in self._answered:
            self._answered[request].set()

    def status(self, indication: ndis.StatusIndication) -> None:
        """ProtocolStatusEx."""
        self.statuses.append(indication)

    def __repr__(self) -> str:
        return f"FunctionalProtocol({self.name})"


def _unbind_adapter(unbind_context: ndis.UnbindContext, protocol: FunctionalProtocol) -> NdisStatus:
    return protocol.unbind_adapter(unbind_context)
