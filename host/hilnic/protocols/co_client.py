# SPDX-License-Identifier: Apache-2.0
"""A CoNDIS client for applications: open, listen, send, receive, quality of service, close.

    client = CoClient();  await client.register(host);  binding = client.bindings["nic0"]
    connection = await binding.open(station, b"file", sends=Qos(rate=12_500_000, burst=4000, max_sdu=1500))
    connection.send(sdu);  await connection.wait_for_room();  await connection.close()
    binding.listen(b"file", on_call)                      # on_call(connection) -> accept it?
    root = await binding.open_multipoint([one, other], b"news", Qos(...));  await root.add_party(third)

It uses whatever call manager offers the address family Q2931, in the miniport or beside it, and cannot tell which.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisStatus, NetBufferList, NetEvent, condis
from hilnic.ndis.condis import (
    AfHandle,
    CallFlags,
    CallParameters,
    CoAddressFamily,
    Sap,
    SapHandle,
    VcHandle,
)
from hilnic.protocols import co_handlers
from hilnic.protocols.co_connection import CallFailed, Connection, ConnectionState, Party, Qos, call_parameters
from hilnic.protocols.co_protocol import CoDriver, CoProtocol, ignore, take_sdus
from hilnic.protocols.sdu import SduPool, SduSender
from hilnic.signalling import CalledAddress

__all__ = ["CallFailed", "CoBinding", "CoClient", "Connection", "ConnectionState", "Party", "Qos"]

OnCall = Callable[[Connection], bool]
LONGEST_SDU = 9000


class Listener:
    """A SAP of the client's; its context."""

    def __init__(self, binding: CoBinding, selector: bytes, on_call: OnCall) -> None:
        self.binding, self.selector, self.on_call = binding, selector, on_call
        self.handle: SapHandle | None = None


class CoBinding:
    """The client on one adapter: the context of binding and address family."""

    def __init__(self, driver: CoDriver, adapter_name: str) -> None:
        self.driver, self.adapter_name = driver, adapter_name
        self.handle: Any = None
        self.kernel = driver.handle.ndis.kernel
        self.sdus = self.make_pool()
        self.connections: list[Connection] = []
        self.listeners: dict[bytes, Listener] = {}
        self.on_heard: Callable[[Connection | None, str], None] | None = None
        """For who wants to know all that the handlers hear: of a connection, or of the address family."""
        self._af: AfHandle | None = None
        self._af_events: list[Any] = []

    @property
    def open_handle(self) -> Any:
        """The binding's handle, of NDIS 6 or 5, which must be there."""
        assert self.handle is not None
        return self.handle

    def make_pool(self) -> SduSender:
        """What SDUs are sent from: lists."""
        return SduPool(self.driver.handle, LONGEST_SDU, self.driver.name)

    def open_family(self, family: CoAddressFamily) -> tuple[NdisStatus, AfHandle | None]:
        """NdisClOpenAddressFamilyEx."""
        return condis.cl_open_address_family(self.open_handle, family, self)

    @property
    def is_ready(self) -> bool:
        """Whether there is a call manager."""
        return self._af is not None

    # What an application does.

    async def wait_until_ready(self) -> None:
        """Wait for a call manager."""
        while self._af is None:
            await self._af_change()

    def listen(self, selector: bytes, on_call: OnCall) -> None:
        """Be called at `selector` from now on; CallFailed when somebody else is, or it is none."""
        listener = Listener(self, selector, on_call)
        sap = Sap(condis.SapType.NSAP, selector)
        status, listener.handle = condis.cl_register_sap(self._family, listener, sap)
        if status not in {NdisStatus.SUCCESS, NdisStatus.PENDING}:
            raise CallFailed(f"listen at {selector!r}", status)
        self.listeners[selector] = listener

    def stop_listening(self, selector: bytes) -> None:
        """No new calls there."""
        listener = self.listeners.pop(selector)
        assert listener.handle is not None
        condis.cl_deregister_sap(listener.handle)

    async def open(
        self,
        station: bytes,
        selector: bytes,
        sends: Qos | None,
        receives: Qos | None = None,
        *,
        data: bytes = b"",
        round_down: bool = False,
    ) -> Connection:
        """Call a station's service; CallFailed when nobody answers, or the line has no place."""
        called = CalledAddress(station, selector)
        return await self._call(call_parameters(called, sends, receives, data=data, round_down=round_down), None)

    async def open_multipoint(self, stations: Sequence[bytes], selector: bytes, sends: Qos) -> Connection:
        """Call several stations that hear what this one sends; CallFailed when one of them does not want to."""
        first, *others = [CalledAddress(station, selector) for station in stations]
        parameters = call_parameters(first, sends, None, flags=CallFlags.MULTIPOINT_VC)
        connection = await self._call(parameters, first)
        try:
            for called in others:
                await connection.add_party(called)
        except CallFailed:
            await connection.close()
            raise
        return connection

    async def _call(self, parameters: CallParameters, party_called: CalledAddress | None) -> Connection:
        connection = Connection(self, None, is_own=True)
        status, connection.handle = condis.co_create_vc(self.open_handle, self._family, connection)
        if connection.handle is None:
            raise CallFailed("create VC", status)
        self.connections.append(connection)
        party = None if party_called is None else Party(connection, party_called)
        connection.parameters = parameters
        status, handle = condis.cl_make_call(connection.handle, parameters, party)
        if party is not None:
            party.handle = handle
        if status is NdisStatus.PENDING:
            status = await connection.answer("call")
        if status is not NdisStatus.SUCCESS:
            if connection.state is ConnectionState.CALLING:
                self.delete(connection)
                connection.state = ConnectionState.CLOSED
            raise CallFailed("call", status)
        if party is not None:
            connection.parties.append(party)
        if connection.state is ConnectionState.CALLING:
            connection.state = ConnectionState.OPEN
        return connection

    async def leave(self) -> None:
        """Stop listening, end every connection, close the address family."""
        for selector in list(self.listeners):
            self.stop_listening(selector)
        for connection in list(self.connections):
            await connection.close()
        if self._af is not None:
            af, self._af = self._af, None
            if condis.cl_close_address_family(af) is NdisStatus.PENDING:
                await self._af_change()

    def free(self) -> None:
        """Give the memory back."""
        self.sdus.close()

    # What connections want of it.

    def delete(self, connection: Connection) -> None:
        """A VC that this client has created goes."""
        condis.co_delete_vc(connection.open_handle)
        self.connections.remove(connection)

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine at PASSIVE_LEVEL."""
        self.kernel.queue_work_item(work)

    @property
    def _family(self) -> AfHandle:
        if self._af is None:
            raise CallFailed("no call manager", NdisStatus.OPEN_FAILED)
        return self._af

    async def _af_change(self) -> None:
        event = self.kernel.create_event()
        self._af_events.append(event)
        await event.wait()

    def _wake(self) -> None:
        events, self._af_events = self._af_events, []
        for event in events:
            event.set()

    def note(self, what: str, connection: Connection | None = None) -> None:
        """A handler has been called."""
        if self.on_heard is not None:
            self.on_heard(connection, what)
        if self.kernel.trace.enabled:
            vc = None if connection is None or connection.handle is None else connection.handle.name
            self.kernel.trace.emit("co.client", client=self.driver.name, vc=vc, heard=what)

    # Handlers: address family.

    def af_register_notify(self, family: CoAddressFamily) -> NdisStatus:
        """ProtocolCoAfRegisterNotify: open it."""
        self.note(f"address family {family.address_family}")
        if self._af is not None or family.address_family != condis.AddressFamilyType.Q2931:
            return NdisStatus.NOT_RECOGNIZED
        status, af = self.open_family(family)
        if status is NdisStatus.SUCCESS:
            self._af = af
            self._wake()
        return NdisStatus.SUCCESS

    def open_af_complete(self, af: AfHandle, status: NdisStatus) -> None:
        """ProtocolClOpenAfCompleteEx."""
        self._af = af if status is NdisStatus.SUCCESS else None
        self._wake()

    def close_af_complete(self, status: NdisStatus) -> None:
        """ProtocolClCloseAfComplete."""
        del status
        self._wake()

    def notify_close_af(self) -> NdisStatus:
        """ProtocolClNotifyCloseAf: leave, and say so."""
        self.note("close the address family")
        af = self._af

        async def leave() -> None:
            await self.leave()
            if af is not None:
                condis.cl_complete_notify_close_address_family(af, NdisStatus.SUCCESS)

        self.start(leave)
        return NdisStatus.PENDING

    # Handlers: calls.

    def create_vc(self, handle: VcHandle) -> tuple[NdisStatus, Connection]:
        """ProtocolCoCreateVc: a call is coming."""
        connection = Connection(self, handle, is_own=False)
        self.connections.append(connection)
        connection.note("create VC")
        return NdisStatus.SUCCESS, connection

    async def pnp_event(self, event: ndis.NetPnpEvent) -> NdisStatus:
        """ProtocolNetPnPEvent: a pause waits for the sends."""
        if event.event is NetEvent.PAUSE:
            for connection in list(self.connections):
                await connection.wait_for_room()
        return NdisStatus.SUCCESS


def _register_sap_complete(listener: Listener, status: NdisStatus, sap: Sap, handle: SapHandle) -> None:
    del sap
    listener.handle = handle
    if status is not NdisStatus.SUCCESS:
        listener.binding.listeners.pop(listener.selector, None)


def _receive(binding: CoBinding, connection: Connection, nbls: NetBufferList, count: int, flags: int) -> None:
    del count
    connection.arrived(take_sdus(binding.open_handle, nbls, flags))


def _sent(connection: Connection, nbls: NetBufferList, flags: int) -> None:
    del flags
    pool = connection.binding.sdus
    assert isinstance(pool, SduPool)
    connection.returned(*pool.completed(nbls))


CLIENT = condis.ClientHandlers(
    create_vc=CoBinding.create_vc,
    delete_vc=co_handlers.delete_vc,
    open_af_complete=CoBinding.open_af_complete,
    close_af_complete=CoBinding.close_af_complete,
    register_sap_complete=_register_sap_complete,
    deregister_sap_complete=ignore,
    make_call_complete=co_handlers.make_call_complete,
    modify_call_qos_complete=co_handlers.modify_complete,
    close_call_complete=co_handlers.close_call_complete,
    add_party_complete=co_handlers.add_party_complete,
    drop_party_complete=co_handlers.drop_party_complete,
    incoming_call=co_handlers.incoming_call,
    incoming_call_qos_change=co_handlers.qos_change,
    incoming_close_call=co_handlers.incoming_close,
    incoming_drop_party=co_handlers.incoming_drop,
    call_connected=co_handlers.call_connected,
    notify_close_af=CoBinding.notify_close_af,
)
PROTOCOL = condis.ProtocolCoCharacteristics(
    receive_net_buffer_lists=_receive,
    send_net_buffer_lists_complete=_sent,
    af_register_notify=CoBinding.af_register_notify,
)


class CoClient(CoProtocol):
    """The driver: `await CoClient(...).register(host)`, then `client.bindings`."""

    handlers = (PROTOCOL, CLIENT)

    def __init__(self, *, name: str = "co client") -> None:
        super().__init__(name)

    def new_binding(self, parameters: ndis.BindParameters) -> CoBinding:
        """On one adapter."""
        return CoBinding(self, parameters.adapter_name)
