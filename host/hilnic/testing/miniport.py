# SPDX-License-Identifier: Apache-2.0
"""The functional miniport: a driver without hardware whose behaviour a test decides.

It captures sends (all, or those that match a pattern), and completes them on command in any order, grouping and status,
inside the send handler or later; it injects receives with any layout and flags; it keeps what it was asked.
A *mutant* is a subclass that breaks one rule.

    fm = FunctionalMiniport(ndis)
    kernel.run(fm.start())
    ...
    fm.complete(fm.captured[1], status=NdisStatus.FAILURE)
    fm.indicate(frame, flags=ReceiveFlags.RESOURCES)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from hilnic import ndis
from hilnic.ndis import Ndis, NdisStatus, NetBufferList, Oid, OidRequest, ReceiveFlags, RequestType
from hilnic.testing.frames import build_nbl, free_nbl, in_parts

__all__ = ["MAC_ADDRESS", "Completion", "FunctionalMiniport"]

MAC_ADDRESS = bytes.fromhex("02484e000001")

Completion = Literal["hold", "inline", "deferred"]
"""Sends wait for the test; or `finish` ends them inside the send handler; or from a DPC (A20)."""


class FunctionalMiniport:
    """Driver and adapter context in one; `adapter` is NDIS's handle once started."""

    def __init__(
        self, host: Ndis, name: str = "fm", mac_address: bytes = MAC_ADDRESS, completion: Completion = "hold"
    ) -> None:
        self.ndis = host
        self.name = name
        self.mac_address = mac_address
        self.completion: Completion = completion
        self.finish: Callable[[FunctionalMiniport], None] = FunctionalMiniport.complete_all
        self.captured: list[NetBufferList] = []
        self.sent_frames: list[bytes] = []
        self.pattern: tuple[int, bytes] | None = None
        self.returned: list[NetBufferList] = []
        self.return_calls = 0
        self.oids: list[OidRequest] = []
        self.held_oid: OidRequest | None = None
        self.hold_oids = False
        self.answers: dict[int, bytes] = {}
        self.packet_filter = 0
        self.multicast_list = b""
        self.trace: list[str] = []
        self.cancelled: list[Any] = []
        self.running = False
        self.adapter: ndis.Adapter
        self.driver = ndis.register_miniport_driver(host, self.characteristics(), self)
        self.pool: ndis.NetBufferListPool

    def characteristics(self) -> ndis.MiniportCharacteristics:
        """The handlers: this class's methods, or a mutant's."""
        kind = type(self)
        return ndis.MiniportCharacteristics(
            name=self.name,
            initialize=_initialize,
            halt=kind.halt,
            pause=kind.pause,
            restart=kind.restart,
            send_net_buffer_lists=kind.send_net_buffer_lists,
            return_net_buffer_lists=kind.return_net_buffer_lists,
            oid_request=kind.oid_request,
            cancel_send=kind.cancel_send,
            cancel_oid_request=kind.cancel_oid_request,
            reset=kind.reset,
            check_for_hang=kind.check_for_hang,
            device_pnp_event_notify=kind.device_pnp_event_notify,
            shutdown=kind.shutdown,
        )

    def attributes(self) -> ndis.GeneralAttributes:
        """What NDIS answers queries with."""
        return ndis.GeneralAttributes(
            mac_address=self.mac_address, supported_oids=(Oid.OID_GEN_STATISTICS, Oid.OID_GEN_VENDOR_DESCRIPTION)
        )

    async def start(self) -> NdisStatus:
        """Initialise, bind, restart."""
        status, self.adapter = await ndis.start_adapter(self.ndis, self.driver, self.name)
        return status

    # What a test commands.

    def capture(self, offset: int, pattern: bytes) -> None:
        """From now on only NBLs whose first frame has `pattern` at `offset` are captured; others complete at once."""
        self.pattern = (offset, pattern)

    def complete(self, *nbls: NetBufferList, status: int = NdisStatus.SUCCESS, flags: int = 0) -> None:
        """Complete captured NBLs in one call, in this order."""
        for nbl in nbls:
            nbl.status = status
            if nbl in self.captured:
                self.captured.remove(nbl)
        ndis.complete_send_net_buffer_lists(self.adapter, ndis.chain(nbls), flags)

    def complete_all(self, status: int = NdisStatus.SUCCESS) -> None:
        """Complete everything captured in one call, in order."""
        if self.captured:
            self.complete(*self.captured, status=status)

    def build(self, *frames: bytes, cuts: Sequence[int] = (), head: int = 0, tail: int = 0) -> NetBufferList:
        """An NBL of this miniport's pool, ready to be indicated."""
        nbl = build_nbl(self.pool, *frames, cuts=cuts, head=head, tail=tail)
        nbl.source_handle = self.adapter
        return nbl

    def indicate(
        self,
        *frames: bytes,
        flags: int = 0,
        cuts: Sequence[int] = (),
        head: int = 0,
        info: Mapping[int, Any] | None = None,
        nbl_flags: int = 0,
        parts: Sequence[int] = (),
    ) -> list[NetBufferList]:
        """Indicate one NBL per frame; the NBLs are returned for the test to look at.

        `info` is out-of-band information by NblInfo slot, `nbl_flags` what the card says of the frames. One call takes
        all of them, or as many as `parts` names, call by call; the last call takes the rest.
        """
        nbls = [self.build(frame, cuts=cuts, head=head) for frame in frames]
        for nbl in nbls:
            nbl.nbl_flags |= nbl_flags
            for slot, value in (info or {}).items():
                nbl.net_buffer_list_info[slot] = value
        for part in in_parts(nbls, parts):
            self.indicate_nbls(part, flags)
        return nbls

    def indicate_nbls(self, nbls: Sequence[NetBufferList], flags: int = 0, count: int | None = None) -> None:
        """Indicate prepared NBLs; with RESOURCES they are this miniport's again afterwards."""
        number = len(nbls) if count is None else count
        ndis.indicate_receive_net_buffer_lists(self.adapter, ndis.chain(nbls), 0, number, flags)
        if flags & ReceiveFlags.RESOURCES:
            self.returned += nbls

    def release(self) -> None:
        """Free the receive NBLs that came back."""
        for nbl in self.returned:
            free_nbl(nbl)
        self.returned.clear()

    def link(self, up: bool) -> None:
        """Pull or plug the cable."""
        state = ndis.MediaConnectState.CONNECTED if up else ndis.MediaConnectState.DISCONNECTED
        link_state = ndis.LinkState(state, ndis.MediaDuplexState.FULL, 1_000_000_000 * up, 1_000_000_000 * up)
        ndis.indicate_status(self.adapter, ndis.StatusIndication(NdisStatus.LINK_STATE, link_state))

    # Handlers.

    def initialize(self, adapter: ndis.Adapter) -> NdisStatus | Awaitable[NdisStatus]:
        """MiniportInitializeEx."""
        self.adapter = adapter
        self.trace.append("initialize")
        ndis.set_miniport_attributes(adapter, ndis.RegistrationAttributes(self))
        ndis.set_miniport_attributes(adapter, self.attributes())
        self.pool = ndis.allocate_net_buffer_list_pool(adapter, ndis.NetBufferListPoolParameters(tag=f"{self.name} rx"))
        return NdisStatus.SUCCESS

    def halt(self, action: ndis.HaltAction) -> None:
        """MiniportHaltEx: free everything."""
        self.trace.append(f"halt {action.name}")
        self.release()
        ndis.free_net_buffer_list_pool(self.pool)

    def pause(self, parameters: ndis.PauseParameters) -> NdisStatus:
        """MiniportPause: captured sends end with PAUSED; held receives have to come back first."""
        del parameters
        self.trace.append("pause")
        self.running = False
        self.complete_all(NdisStatus.PAUSED)
        return NdisStatus.PENDING if self.adapter.receives_outstanding else NdisStatus.SUCCESS

    def restart(self, parameters: ndis.RestartParameters) -> NdisStatus:
        """MiniportRestart."""
        del parameters
        self.trace.append("restart")
        self.running = True
        return NdisStatus.SUCCESS

    def send_net_buffer_lists(self, nbls: NetBufferList, port_number: int, send_flags: int) -> None:
        """MiniportSendNetBufferLists: capture, then end as `completion` says."""
        del port_number, send_flags
        for nbl in ndis.walk(nbls):
            frames = [nb.tobytes() for nb in nbl.net_buffers()]
            self.sent_frames += frames
            if self.pattern is not None and not frames[0][self.pattern[0] :].startswith(self.pattern[1]):
                self.complete(nbl)
            else:
                self.captured.append(nbl)
        if self.completion == "inline":
            self.finish(self)
        elif self.completion == "deferred":
            self.ndis.kernel.queue_dpc(lambda: self.finish(self))

    def return_net_buffer_lists(self, nbls: NetBufferList, return_flags: int) -> None:
        """MiniportReturnNetBufferLists; the last one ends a pause that waits."""
        del return_flags
        self.return_calls += 1
        self.returned += ndis.walk(nbls)
        if "pause" in self.adapter.pending and not self.adapter.receives_outstanding:
            ndis.complete_pause(self.adapter)

    def oid_request(self, request: OidRequest) -> NdisStatus | Awaitable[NdisStatus]:
        """MiniportOidRequest: answers from `answers`, keeps sets of filter and multicast list, or holds."""
        self.oids.append(request)
        if self.hold_oids:
            self.held_oid = request
            return NdisStatus.PENDING
        return self.answer(request)

    def answer(self, request: OidRequest) -> NdisStatus:
        """The final answer to a request."""
        if request.oid == Oid.OID_PNP_SET_POWER:
            return self.set_power(ndis.DevicePowerState(int.from_bytes(request.buffer, "little")))
        if request.oid == Oid.OID_PNP_QUERY_POWER:
            return NdisStatus.SUCCESS
        if request.request_type is not RequestType.SET_INFORMATION:
            data = self.answers.get(request.oid)
            return NdisStatus.NOT_SUPPORTED if data is None else ndis.answer_query(request, data)
        if request.oid == Oid.OID_GEN_CURRENT_PACKET_FILTER:
            status, data = ndis.take_set(request, 4)
            self.packet_filter = int.from_bytes(data, "little")
            return status
        if request.oid == Oid.OID_802_3_MULTICAST_LIST:
            status, self.multicast_list = ndis.take_set(request, len(request.buffer))
            return status
        return NdisStatus.NOT_SUPPORTED

    def set_power(self, power: ndis.DevicePowerState) -> NdisStatus:
        """OID_PNP_SET_POWER: below D0 the filters are forgotten, as a NIC forgets its registers."""
        self.trace.append(power.name)
        if power is not ndis.DevicePowerState.D0:
            self.packet_filter, self.multicast_list = 0, b""
        return NdisStatus.SUCCESS

    def complete_oid(self, status: NdisStatus | None = None) -> None:
        """End the held request."""
        request, self.held_oid = self.held_oid, None
        assert request is not None
        ndis.complete_oid_request(self.adapter, request, self.answer(request) if status is None else status)

    def cancel_send(self, cancel_id: Any) -> None:
        """MiniportCancelSend: captured NBLs with this id end with SEND_ABORTED."""
        slot = ndis.NblInfo.CANCEL_ID
        matching = [nbl for nbl in self.captured if nbl.net_buffer_list_info[slot] == cancel_id]
        self.cancelled.append(cancel_id)
        if matching:
            self.complete(*matching, status=NdisStatus.SEND_ABORTED)

    def cancel_oid_request(self, request_id: int) -> None:
        """MiniportCancelOidRequest."""
        if self.held_oid is not None and self.held_oid.request_id == request_id:
            self.complete_oid(NdisStatus.REQUEST_ABORTED)

    def reset(self) -> tuple[NdisStatus, bool] | Awaitable[tuple[NdisStatus, bool]]:
        """MiniportResetEx: pending sends end first (A8); filters have to be set again."""
        self.trace.append("reset")
        self.complete_all(NdisStatus.RESET_IN_PROGRESS)
        self.packet_filter, self.multicast_list = 0, b""
        return NdisStatus.SUCCESS, True

    def check_for_hang(self) -> bool | Awaitable[bool]:
        """MiniportCheckForHangEx."""
        return False

    def device_pnp_event_notify(self, event: ndis.DevicePnpEvent) -> None:
        """MiniportDevicePnPEventNotify: on surprise removal pending sends end without the hardware."""
        self.trace.append(f"event {event.name}")
        if event is ndis.DevicePnpEvent.SURPRISE_REMOVED:
            self.complete_all(NdisStatus.NOT_ACCEPTED)

    def shutdown(self, action: ndis.ShutdownAction) -> None:
        """MiniportShutdownEx."""
        self.trace.append(f"shutdown {action.name}")

    def __repr__(self) -> str:
        return f"FunctionalMiniport({self.name}, {len(self.captured)} captured)"


def _initialize(
    adapter: ndis.Adapter, miniport: FunctionalMiniport, parameters: ndis.InitializeParameters
) -> NdisStatus | Awaitable[NdisStatus]:
    del parameters
    return miniport.initialize(adapter)
