# SPDX-License-Identifier: Apache-2.0
"""A connection as an application has it: send, receive, change its quality, close; several ends have parties."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import CallFlags, CallParameters, FlowSpec, MediaFlags, PartyHandle, ServiceType, VcHandle
from hilnic.signalling import ELEMENTS_TYPE, CalledAddress, UserData, encode_elements

if TYPE_CHECKING:
    from hilnic.protocols.co_client import CoBinding

__all__ = ["CallFailed", "Connection", "ConnectionState", "Party", "Qos"]


class CallFailed(RuntimeError):
    """A call could not be made, or not be changed; `status` says why."""

    def __init__(self, what: str, status: NdisStatus) -> None:
        super().__init__(f"{what}: {NdisStatus(status).name}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Qos:
    """What an application asks of one direction: bytes per second and bytes; None leaves it open.

    A rate is a promise (guaranteed) unless `best_effort`.
    """

    rate: int | None = None
    burst: int | None = None
    peak: int | None = None
    max_sdu: int | None = None
    best_effort: bool = False

    def flow(self) -> FlowSpec:
        """As a FLOWSPEC."""
        promised = self.rate is not None and not self.best_effort
        values = (condis.UNSPECIFIED if value is None else value for value in (self.rate, self.burst, self.peak))
        rate, burst, peak = values
        return FlowSpec(
            token_rate=rate,
            token_bucket_size=burst,
            peak_bandwidth=peak,
            max_sdu_size=condis.UNSPECIFIED if self.max_sdu is None else self.max_sdu,
            service_type=ServiceType.GUARANTEED if promised else ServiceType.BEST_EFFORT,
        )


def call_parameters(
    called: CalledAddress | None,
    sends: Qos | None,
    receives: Qos | None,
    *,
    data: bytes = b"",
    flags: int = 0,
    round_down: bool = False,
) -> CallParameters:
    """Call parameters of a call to `called`; a direction that is None is not used."""
    parameters = CallParameters(flags)
    if called is not None:
        elements = encode_elements(called) + (encode_elements(UserData(data)) if data else b"")
        parameters.call_manager.specific = condis.SpecificParameters(ELEMENTS_TYPE, elements)
    unused = FlowSpec(service_type=ServiceType.NO_TRAFFIC)
    parameters.call_manager.transmit = sends.flow() if sends is not None else unused
    parameters.call_manager.receive = receives.flow() if receives is not None else unused
    media = parameters.media
    media.flags = MediaFlags.TRANSMIT_VC * (sends is not None) | MediaFlags.RECEIVE_VC * (receives is not None)
    media.flags |= MediaFlags.ROUND_DOWN_FLOW * round_down
    return parameters


class ConnectionState(Enum):
    """What may be done with it."""

    CALLING = "calling"
    OFFERED = "offered"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class Party:
    """One end of a multipoint connection, beside the root; the client's context of it."""

    def __init__(self, connection: Connection, called: CalledAddress) -> None:
        self.connection, self.called = connection, called
        self.handle: PartyHandle | None = None
        self.ended: NdisStatus | None = None
        """Why it has left; None while it is there."""

    def __repr__(self) -> str:
        """Whom it stands for."""
        return f"<Party {self.called}{'' if self.ended is None else ', gone'}>"


class Connection:
    """One VC and its call; the client's context of both. Made by `CoBinding.open`, or handed to its `listen`er."""

    def __init__(self, binding: CoBinding, handle: VcHandle | None, is_own: bool) -> None:
        self.binding, self.handle, self.is_own = binding, handle, is_own
        self.state = ConnectionState.CALLING if is_own else ConnectionState.OFFERED
        self.parameters = CallParameters()
        """As they have been agreed."""
        self.parties: list[Party] = []
        self.received: deque[bytes] = deque()
        self.on_receive: Callable[[bytes], None] | None = None
        self.on_close: Callable[[NdisStatus, bytes], None] | None = None
        self.on_party: Callable[[Party, NdisStatus, bytes], None] | None = None
        self.on_change: Callable[[CallParameters], None] | None = None
        self.sent = self.completed = self.failed = 0
        """SDUs."""
        self.close_status: NdisStatus | None = None
        """Why the other side, or the network, has closed."""
        self.close_data = b""
        self._is_changing = False
        self._moving = 0  # parties that are being added or dropped
        self._wakers: list[Any] = []
        self._answers: dict[object, NdisStatus] = {}

    def __repr__(self) -> str:
        """VC and state."""
        return f"<Connection {self.handle!r}, {self.state.value}>"

    @property
    def open_handle(self) -> VcHandle:
        """The VC's handle, which must be there."""
        assert self.handle is not None
        return self.handle

    @property
    def outstanding(self) -> int:
        """SDUs on their way to the NIC."""
        return self.sent - self.completed

    # What an application does.

    def send(self, *sdus: bytes) -> None:
        """Send each as an SDU of its own, all or none; RuntimeError unless it is open, ValueError, MemoryError."""
        if self.state is not ConnectionState.OPEN:
            raise RuntimeError(f"{self!r} cannot send")
        self.sent += len(sdus)
        try:
            self.binding.sdus.send(self.open_handle, sdus)
        except (MemoryError, ValueError):
            self.sent -= len(sdus)
            raise

    async def wait_for_room(self, outstanding: int = 0) -> None:
        """Wait until at most that many SDUs are outstanding."""
        while self.outstanding > outstanding:
            await self._change()

    async def receive(self) -> bytes | None:
        """The next SDU; None when the connection has closed and everything has been read."""
        while not self.received:
            if self.state in {ConnectionState.CLOSING, ConnectionState.CLOSED}:
                return None
            await self._change()
        return self.received.popleft()

    async def change(self, sends: Qos | None, receives: Qos | None) -> None:
        """Another quality of service, for the side that has called; CallFailed when the old one stays."""
        parameters = call_parameters(None, sends, receives)
        parameters.call_manager.specific = self.parameters.call_manager.specific
        while self._is_changing:
            await self._change()
        self._require_open("modify")
        self._is_changing = True
        status = condis.cl_modify_call_qos(self.open_handle, parameters)
        if status is NdisStatus.SUCCESS:
            self.parameters = parameters
        elif status is NdisStatus.PENDING:
            status = await self.answer("modify")
        self._is_changing = False
        self.wake()
        if status is not NdisStatus.SUCCESS:
            raise CallFailed("modify", status)

    async def add_party(self, called: CalledAddress) -> Party:
        """One more end; CallFailed when it does not want to be."""
        self._require_open(f"add {called}")
        party = Party(self, called)
        parameters = self.parameters.copy()
        elements = encode_elements(called)
        parameters.call_manager.specific = condis.SpecificParameters(ELEMENTS_TYPE, elements)
        self._moving += 1
        status, party.handle = condis.cl_add_party(self.open_handle, party, parameters)
        if status is NdisStatus.PENDING:
            status = await self.answer(party)
        if status is NdisStatus.SUCCESS:
            self.parties.append(party)
        self._moved()
        if status is not NdisStatus.SUCCESS:
            raise CallFailed(f"add {called}", status)
        return party

    async def drop_party(self, party: Party, data: bytes = b"") -> None:
        """One end less; the last one goes by `close`."""
        assert party.handle is not None
        self.parties.remove(party)
        self._moving += 1
        status = condis.cl_drop_party(party.handle, data)
        if status is NdisStatus.PENDING:
            status = await self.answer(party)
        self._moved()
        if status is not NdisStatus.SUCCESS:
            raise CallFailed(f"drop {party.called}", status)

    def _moved(self) -> None:
        self._moving -= 1
        self.wake()

    def _require_open(self, what: str) -> None:
        if self.state is not ConnectionState.OPEN:
            raise CallFailed(what, NdisStatus.INVALID_STATE)

    async def close(self, data: bytes = b"") -> None:
        """Let what is sent go out, end the call, give the VC back; one that has been taken is up first."""
        while self.state is ConnectionState.OFFERED:
            await self._change()
        if self.state in {ConnectionState.OPEN, ConnectionState.CALLING}:
            self.state = ConnectionState.CLOSING
            await self._close(data)
        while self.state is not ConnectionState.CLOSED:
            await self._change()

    # What happens to it; the client's handlers call these.

    async def answer(self, what: object) -> NdisStatus:
        """How an operation that pends has ended."""
        while what not in self._answers:
            await self._change()
        return self._answers.pop(what)

    def answered(self, what: object, status: NdisStatus) -> None:
        """An operation that pended has ended."""
        self._answers[what] = status
        self.wake()

    def arrived(self, sdus: list[bytes]) -> None:
        """Something has come."""
        for sdu in sdus:
            if self.on_receive is not None:
                self.on_receive(sdu)
            else:
                self.received.append(sdu)
        self.wake()

    def returned(self, number: int, failed: int) -> None:
        """Sends have ended."""
        self.completed += number
        self.failed += failed
        self.wake()

    def left(self, status: NdisStatus, data: bytes) -> None:
        """The other side has closed: so does this one, when its sends are back (CC-17, CC-20)."""
        self.close_status, self.close_data = status, data
        if self.on_close is not None:
            self.on_close(status, data)
        if self.state is ConnectionState.CLOSING:
            return  # the application is about to
        self.state = ConnectionState.CLOSING
        self.wake()
        self.binding.start(lambda: self._close(b""))

    async def _close(self, data: bytes) -> None:
        """The other parties first, then the sends, then the call (CC-17, CC-18)."""
        while len(self.parties) > 1 or self._moving:
            if len(self.parties) > 1:
                await self.drop_party(self.parties[0])
            else:
                await self._change()
        await self.wait_for_room()
        party = self.parties[-1].handle if self.parties else None
        if condis.cl_close_call(self.open_handle, party, data) is not NdisStatus.PENDING:
            self.closed()

    def closed(self) -> None:
        """The call is over; a VC of this client's own goes, too."""
        self.parties.clear()
        if self.is_own:
            self.binding.delete(self)
        self.state = ConnectionState.CLOSED
        self.wake()

    def note(self, what: str) -> None:
        """A handler of this connection has been called."""
        self.binding.note(what, self)

    def wake(self) -> None:
        """Whoever waits looks again."""
        wakers, self._wakers = self._wakers, []
        for waker in wakers:
            waker.set()

    async def _change(self) -> None:
        waker = self.binding.kernel.create_event()
        self._wakers.append(waker)
        await waker.wait()

    @property
    def is_multipoint(self) -> bool:
        """Whether it was opened with parties, or is one of them."""
        return bool(self.parameters.flags & CallFlags.MULTIPOINT_VC)
