# SPDX-License-Identifier: Apache-2.0
"""OID requests: queued by NDIS, given to the miniport one at a time at PASSIVE_LEVEL (OI-01), each ended once (OI-02).

What NDIS knows it answers itself (oid_answers.py). Packet filter and multicast list are merged over all bindings
(OI-10, OI-11): the miniport sees the OR and the union, each binding keeps its own part.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from hilnic.ndis import oid_answers
from hilnic.ndis.faults import failed
from hilnic.ndis.filter_oid import port_below
from hilnic.ndis.flags import DevicePowerState, RequestType
from hilnic.ndis.kernel import Event
from hilnic.ndis.oid_request import OidRequest, answer_counter, query, set_information
from hilnic.ndis.oids import Oid, oid_name
from hilnic.ndis.request_port import RequestPort
from hilnic.ndis.states import ADAPTER_OPERATIONS, BindingState, Operation
from hilnic.ndis.statistics import COUNTER_OIDS, StatisticsInfo, bad_header, counter_value
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding

_POWER_OIDS = (Oid.OID_PNP_SET_POWER, Oid.OID_PNP_QUERY_POWER, Oid.OID_PNP_CAPABILITIES)
_MUST_SUCCEED: dict[int, tuple[NdisStatus, ...]] = {
    Oid.OID_PNP_SET_POWER: (NdisStatus.SUCCESS, NdisStatus.NOT_ACCEPTED),
}
"""Requests that a miniport may not refuse, and how it may answer (V:NdisOidComplete)."""

STATISTICS_BUFFER = len(StatisticsInfo().pack())

Done = Callable[[OidRequest, NdisStatus], None]


class OidQueue:
    """The requests of one adapter, in order, one in the miniport at a time."""

    __slots__ = ("_active", "_adapter", "_idle", "_sender", "_waiting", "_working", "miniport")

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._waiting: deque[tuple[Binding | None, OidRequest, Done]] = deque()
        self._working = False
        self._sender: Binding | None = None  # whose request is served
        self._active: RequestPort | None = None  # whom it has been given to
        self._idle: Event | None = None
        characteristics = adapter.driver.characteristics
        self.miniport = RequestPort(adapter, characteristics.oid_request, characteristics.cancel_oid_request)

    def submit(self, binding: Binding | None, request: OidRequest, done: Done) -> None:
        """Put a request in line; `done(request, status)` is called when it has ended."""
        request.ndis_pending = True
        request.ndis_since = self._adapter.ndis.kernel.now_ns()
        self._waiting.append((binding, request, done))
        if not self._working:
            self._working = True
            self._adapter.ndis.kernel.queue_work_item(self._work)

    def pending(self) -> list[tuple[OidRequest, Binding | None, str]]:
        """(request, sender, where it is), the one that is served first."""
        port, active = self._active, None if self._active is None else self._active.active
        served = [] if port is None or active is None else [(active, self._sender, repr(port.owner))]
        return [*served, *((request, binding, "NDIS, in line") for binding, request, _ in self._waiting)]

    async def _work(self) -> None:
        while self._waiting:
            binding, request, done = self._waiting.popleft()
            while self._adapter.resetting:
                await self._adapter.reset_ended.wait()
            self._sender = binding
            status = await self._serve(binding, request)
            self._sender = None
            request.ndis_pending = False
            done(request, status)
        self._working = False
        if self._idle is not None:
            self._idle.set()

    async def drain(self) -> None:
        """Wait until every request has ended."""
        while self._working:
            self._idle = self._adapter.ndis.kernel.create_event()
            await self._idle.wait()

    async def _serve(self, binding: Binding | None, request: OidRequest) -> NdisStatus:
        """One request: merged over the bindings, taken from the statistics, or passed on as it is."""
        if request.request_type is RequestType.SET_INFORMATION:
            merged = oid_answers.MERGED_SETS.get(request.oid)
            if merged is not None:
                return await merged(self._adapter, binding, request)
        elif request.oid in COUNTER_OIDS and request.oid not in self._adapter.attributes.supported_oids:
            return await self._counter(request)
        return await self.call_miniport(request)

    async def _counter(self, request: OidRequest) -> NdisStatus:
        statistics = query(Oid.OID_GEN_STATISTICS, STATISTICS_BUFFER)
        status = await self.call_miniport(statistics)
        if status is not NdisStatus.SUCCESS:
            return status
        return answer_counter(request, counter_value(StatisticsInfo.parse(statistics.answer()), request.oid))

    async def call_miniport(self, request: OidRequest) -> NdisStatus:
        """Give one request to the filters and the miniport, and wait for its end, whichever way they answer."""
        adapter = self._adapter
        refusal = adapter.request_refusal()
        if refusal is None and adapter.power is not DevicePowerState.D0 and request.oid not in _POWER_OIDS:
            refusal = NdisStatus.LOW_POWER_STATE
        if refusal is not None:
            return refusal
        adapter.ndis.emit("oid", adapter=adapter.name, oid=oid_name(request.oid), type=request.request_type.name)
        self._active = port_below(adapter, 0)
        status = await self._active.call(request)
        self._active = None
        self._check_answer(request, status)
        return status

    def _check_answer(self, request: OidRequest, status: NdisStatus) -> None:
        ndis, adapter = self._adapter.ndis, self._adapter
        size = len(request.buffer)
        if request.bytes_written > size or request.bytes_read > size:
            ndis.violation("OI-05", adapter, request, f"{request.bytes_written} bytes reported in a buffer of {size}")
        elif request.oid == Oid.OID_GEN_STATISTICS and status is NdisStatus.SUCCESS:
            header = bad_header(request.answer())
            broken = None if header is not None else StatisticsInfo.parse(request.answer()).broken_identity()
            if header is not None:
                ndis.violation("OI-21", adapter, request, header)
            elif broken is not None:
                ndis.violation("OI-13", adapter, request, broken)
        elif request.request_type is RequestType.SET_INFORMATION and not (
            adapter.removed or status in _MUST_SUCCEED.get(request.oid, (status,))
        ):
            ndis.violation("OI-08", adapter, request, f"answered {status.name}")

    def cancel(self, binding: Binding, request_id: int) -> None:
        """Requests still in line end with REQUEST_ABORTED; for the one in the miniport its handler is asked."""
        self._abort(binding, lambda request: request.request_id == request_id)
        if self._active is not None and self._sender is binding:
            self._active.cancel(request_id)

    def _abort(self, binding: Binding, matches: Callable[[OidRequest], bool]) -> None:
        kept: deque[tuple[Binding | None, OidRequest, Done]] = deque()
        aborted: list[tuple[Binding | None, OidRequest, Done]] = []
        for entry in self._waiting:
            (aborted if entry[0] is binding and matches(entry[1]) else kept).append(entry)
        self._waiting = kept
        for _, request, done in aborted:
            request.ndis_pending = False
            done(request, NdisStatus.REQUEST_ABORTED)

    def remove_binding(self, binding: Binding) -> None:
        """The binding closes: its waiting requests end, its part of filter and multicast list goes (OI-10)."""
        self._abort(binding, lambda _: True)
        binding.packet_filter, binding.multicast_list = 0, frozenset()
        if not self._adapter.removed:
            self.submit(None, set_information(Oid.OID_GEN_CURRENT_PACKET_FILTER, b""), _ignore)
            self.submit(None, set_information(Oid.OID_802_3_MULTICAST_LIST, b""), _ignore)


def _ignore(request: OidRequest, status: NdisStatus) -> None:
    """Nobody waits for NDIS's own request."""


@wdk("NdisOidRequest", callout=True)
def oid_request(binding: Binding, request: OidRequest) -> NdisStatus:
    """Ask NDIS or the miniport. A final status: done. PENDING: oid_request_complete follows once (OI-02)."""
    adapter = binding.adapter
    if request.ndis_pending:
        binding.ndis.violation("OI-02", binding, request, "issued again while pending")
        return NdisStatus.FAILURE
    if binding.state in {BindingState.CLOSING, BindingState.UNBOUND}:
        return NdisStatus.CLOSING
    if adapter.removed:
        return NdisStatus.NOT_ACCEPTED
    if Operation.OID not in ADAPTER_OPERATIONS[adapter.state]:
        return NdisStatus.ADAPTER_NOT_READY
    answer = oid_answers.answer(binding, request)
    pends = binding.ndis.profile.pend_requests
    if answer is not None and not pends:
        return answer
    binding.oids_outstanding += 1

    def done(ended: OidRequest, status: NdisStatus) -> None:
        binding.oids_outstanding -= 1
        if binding.request_handler is not None:
            try:
                binding.request_handler(binding.context, ended, status)
            except Exception as error:
                failed(binding, "oid_request_complete", error)
        binding.check_close()

    if answer is not None:
        final = answer

        async def later() -> None:
            done(request, final)

        binding.ndis.kernel.queue_work_item(later)
        return NdisStatus.PENDING
    adapter.oids.submit(binding, request, done)
    return NdisStatus.PENDING


@wdk("NdisMOidRequestComplete", callout=True)
def complete_oid_request(adapter: Adapter, request: OidRequest, status: NdisStatus) -> None:
    """A miniport ends a request that it answered with PENDING; never with PENDING again (OI-03)."""
    adapter.oids.miniport.complete(request, status)


@wdk("NdisCancelOidRequest", callout=True)
def cancel_oid_request(binding: Binding, request_id: int) -> None:
    """Ask to give up requests with this id; each still ends once (OI-18)."""
    binding.adapter.oids.cancel(binding, request_id)
