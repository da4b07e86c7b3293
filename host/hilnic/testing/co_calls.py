# SPDX-License-Identifier: Apache-2.0
"""What a functional CoNDIS client knows of its families, SAPs, calls and parties, whatever its version.

    client.register_sap(b"b")               to be called
    call = client.make_call(parameters)     VC and call in one
    call.close();  call.delete()
    client.pend.add("incoming_call")        answers PENDING; client.accept(call) or client.reject(call) follow
What its handlers hear goes into `heard`, without handles and times. co_client.py and co_client5.py are the drivers:
they add the binding and the data.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import AfHandle, CallParameters, CoAddressFamily, PartyHandle, Sap, SapHandle, VcHandle
from hilnic.testing.co_contexts import Call, ClientParty, ClientSap
from hilnic.testing.co_miniport import Scripted

__all__ = ["FAMILY", "Call", "CallScript", "ClientParty", "ClientSap"]

FAMILY = CoAddressFamily(condis.AddressFamilyType.Q2931)


class CallScript(ABC):
    """The handlers of calls and what a test commands; opens every address family that it is told of."""

    call_type: type[Any] = Call

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.script = Scripted()
        self.opens_at_once = True
        self.closes_at_once = True  # answers incoming_close_call by a close
        self.heard: list[str] = []  # what the CoNDIS handlers heard
        self.families: list[CoAddressFamily] = []
        self.af: AfHandle | None = None
        self.af_status = NdisStatus.PENDING
        self.saps: list[ClientSap] = []
        self.calls: list[Any] = []
        self.spent: list[tuple[Any, int]] = []  # sent on VCs that are gone
        self.co_statuses: list[tuple[Any, NdisStatus, Any]] = []  # (call or None, code, buffer)
        self.co_requests: list[Any] = []
        self.co_answers: list[tuple[Any, NdisStatus]] = []

    @property
    def pend(self) -> set[str]:
        """Operations that answer PENDING."""
        return self.script.pend

    @property
    def refuse(self) -> dict[str, NdisStatus]:
        """Operations that answer this status."""
        return self.script.refuse

    @property
    @abstractmethod
    def co_binding(self) -> Any:
        """The driver's binding handle."""

    @abstractmethod
    def open_af(self, family: CoAddressFamily) -> tuple[NdisStatus, AfHandle | None]:
        """NdisClOpenAddressFamily, as the version spells it."""

    def client_handlers(self) -> condis.ClientHandlers:
        """The handlers of calls: this class's methods, or a mutant's."""
        kind = type(self)
        return condis.ClientHandlers(
            create_vc=kind.create_vc,
            delete_vc=_of_call("delete_vc"),
            open_af_complete=kind.open_af_complete,
            close_af_complete=kind.close_af_complete,
            register_sap_complete=_register_sap_complete,
            deregister_sap_complete=_deregister_sap_complete,
            make_call_complete=_of_call("make_call_complete"),
            modify_call_qos_complete=_of_call("modify_call_qos_complete"),
            close_call_complete=_of_call("close_call_complete"),
            add_party_complete=_add_party_complete,
            drop_party_complete=_drop_party_complete,
            incoming_call=_incoming_call,
            incoming_call_qos_change=_of_call("incoming_call_qos_change"),
            incoming_close_call=_of_call("incoming_close_call"),
            incoming_drop_party=_incoming_drop_party,
            call_connected=_of_call("call_connected"),
            notify_close_af=kind.notify_close_af,
            oid_request=kind.co_oid_request,
            oid_request_complete=lambda _, *rest: self.co_oid_request_complete(*rest),
        )

    # What a test commands.

    @property
    def opened(self) -> AfHandle:
        """The address family, which must be open."""
        assert self.af is not None
        return self.af

    def open_family(self, family: CoAddressFamily = FAMILY) -> NdisStatus:
        """NdisClOpenAddressFamilyEx."""
        self.af_status, self.af = self.open_af(family)
        return self.af_status

    def close_family(self) -> NdisStatus:
        """NdisClCloseAddressFamily."""
        status = condis.cl_close_address_family(self.opened)
        if status is NdisStatus.SUCCESS:
            self.af = None
        return status

    def register_sap(self, name: bytes) -> ClientSap:
        """NdisClRegisterSap."""
        sap = ClientSap(self, Sap(condis.SapType.NSAP, name))
        sap.status, sap.handle = condis.cl_register_sap(self.opened, sap, sap.sap)
        self.saps.append(sap)
        return sap

    def deregister_sap(self, sap: ClientSap) -> NdisStatus:
        """NdisClDeregisterSap."""
        assert sap.handle is not None
        status = condis.cl_deregister_sap(sap.handle)
        if status is NdisStatus.SUCCESS:
            self.saps.remove(sap)
        return status

    def new_call(self) -> Any:
        """A VC of this client's, without a call; `handle` is None when the creation failed."""
        call = self.call_type(self)
        call.status, call.handle = condis.co_create_vc(self.co_binding, self.opened, call)
        if call.handle is not None:
            self.calls.append(call)
        return call

    def make_call(self, parameters: CallParameters | None = None, party: str | None = None) -> Any:
        """A VC and an outgoing call on it; with a party, a multipoint one."""
        call = self.new_call()
        self.place(call, parameters, party)
        return call

    def place(self, call: Call, parameters: CallParameters | None = None, party: str | None = None) -> NdisStatus:
        """NdisClMakeCall, on a VC that is there."""
        first = None if party is None else ClientParty(call, party)
        asked = parameters or CallParameters()
        call.status, handle = condis.cl_make_call(call.open, asked, first)
        if first is not None:
            call.parties.append(first)
            first.handle = handle
        if call.status is NdisStatus.SUCCESS:
            call.is_connected, call.parameters = True, asked
        return call.status

    def accept(self, call: Call, parameters: CallParameters | None = None) -> None:
        """Accept a call that was offered."""
        condis.cl_complete_incoming_call(
            call.open, NdisStatus.SUCCESS, parameters or call.parameters or CallParameters()
        )

    def reject(self, call: Call, status: NdisStatus = NdisStatus.FAILURE) -> None:
        """Reject it."""
        condis.cl_complete_incoming_call(call.open, status, call.parameters or CallParameters())

    def af_register_notify(self, family: CoAddressFamily) -> NdisStatus:
        """ProtocolCoAfRegisterNotify."""
        self.heard.append(f"notify {family.address_family}")
        self.families.append(family)
        if self.opens_at_once:
            self.open_family(family)
        return NdisStatus.SUCCESS

    # Handlers: address family and SAP.

    def open_af_complete(self, af: AfHandle, status: NdisStatus) -> None:
        """ProtocolClOpenAfCompleteEx."""
        self.heard.append(f"open_af_complete {status.name}")
        self.af_status, self.af = status, af if status is NdisStatus.SUCCESS else None

    def close_af_complete(self, status: NdisStatus) -> None:
        """ProtocolClCloseAfComplete."""
        self.heard.append(f"close_af_complete {status.name}")
        if status is NdisStatus.SUCCESS:
            self.af = None

    def notify_close_af(self) -> NdisStatus:
        """ProtocolClNotifyCloseAf."""
        self.heard.append("notify_close_af")
        return self.script.answer("notify_close_af")

    # Handlers: VCs and calls.

    def create_vc(self, handle: VcHandle) -> tuple[NdisStatus, Call | None]:
        """ProtocolCoCreateVc: a call is coming."""
        status = self.script.answer("create_vc")
        if status is not NdisStatus.SUCCESS:
            return status, None
        call = self.call_type(self, handle)
        self.calls.append(call)
        self.heard.append("create_vc")
        return status, call

    def delete_vc(self, call: Call) -> NdisStatus:
        """ProtocolCoDeleteVc."""
        self.heard.append("delete_vc")
        status = self.script.answer("delete_vc")
        if call in self.calls:
            self.calls.remove(call)
        self.spent += call.completed
        return status

    def make_call_complete(
        self, call: Call, status: NdisStatus, party: PartyHandle | None, parameters: CallParameters
    ) -> None:
        """ProtocolClMakeCallComplete."""
        call.ends.append("make_call_complete")
        self.heard.append(f"make_call_complete {status.name}")
        call.status, call.parameters = status, parameters
        call.is_connected = status is NdisStatus.SUCCESS
        if call.parties:
            call.parties[0].handle = party

    def modify_call_qos_complete(self, call: Call, status: NdisStatus, parameters: CallParameters) -> None:
        """ProtocolClModifyCallQoSComplete."""
        call.ends.append("modify_call_qos_complete")
        self.heard.append(f"modify_call_qos_complete {status.name}")
        call.parameters = parameters

    def close_call_complete(self, call: Call, status: NdisStatus, party: ClientParty | None) -> None:
        """ProtocolClCloseCallComplete."""
        call.ends.append("close_call_complete")
        self.heard.append(f"close_call_complete {status.name}{'' if party is None else ' ' + party.name}")
        call.is_closed, call.close_status, call.is_connected = True, status, False

    def incoming_call(self, sap: ClientSap, call: Call, parameters: CallParameters) -> NdisStatus:
        """ProtocolClIncomingCall."""
        self.heard.append(f"incoming_call {sap.sap.sap!r}")
        call.parameters = parameters
        return self.script.answer("incoming_call")

    def call_connected(self, call: Call) -> None:
        """ProtocolClCallConnected."""
        self.heard.append("call_connected")
        call.is_connected = True

    def incoming_call_qos_change(self, call: Call, parameters: CallParameters) -> None:
        """ProtocolClIncomingCallQoSChange."""
        self.heard.append("incoming_call_qos_change")
        call.parameters = parameters

    def incoming_close_call(self, call: Call, status: NdisStatus, data: bytes) -> None:
        """ProtocolClIncomingCloseCall."""
        self.heard.append(f"incoming_close_call {status.name} {data!r}")
        call.is_connected = False
        if self.closes_at_once:
            call.close()

    # Handlers: requests.

    def co_oid_request(self, call: Call | None, party: Any, request: Any) -> NdisStatus:
        """ProtocolCoOidRequest: the call manager asks."""
        del call, party
        self.co_requests.append(request)
        return self.script.answer("oid_request")

    def co_oid_request_complete(self, call: Call | None, party: Any, request: Any, status: NdisStatus) -> None:
        """ProtocolCoOidRequestComplete."""
        del call, party
        self.co_answers.append((request, status))


def _of_call(name: str) -> Any:
    """The client's method for a handler that gets the VC context first."""

    def handler(call: Call, *args: Any) -> Any:
        return getattr(call.client, name)(call, *args)

    return handler


def _incoming_call(sap: ClientSap, call: Call, parameters: CallParameters) -> NdisStatus:
    status: NdisStatus = sap.client.incoming_call(sap, call, parameters)
    return status


def _register_sap_complete(context: ClientSap, status: NdisStatus, sap: Sap, handle: SapHandle) -> None:
    context.client.heard.append(f"register_sap_complete {status.name} {sap.sap!r}")
    context.status, context.handle = status, handle


def _deregister_sap_complete(context: ClientSap, status: NdisStatus) -> None:
    context.client.heard.append(f"deregister_sap_complete {status.name}")
    if status is NdisStatus.SUCCESS:
        context.client.saps.remove(context)


def _add_party_complete(
    party: ClientParty, status: NdisStatus, handle: PartyHandle, parameters: CallParameters
) -> None:
    del parameters
    party.call.client.heard.append(f"add_party_complete {status.name} {party.name}")
    party.status, party.handle = status, handle
    if status is not NdisStatus.SUCCESS:
        party.call.parties.remove(party)


def _drop_party_complete(party: ClientParty, status: NdisStatus) -> None:
    party.call.client.heard.append(f"drop_party_complete {status.name} {party.name}")
    if status is NdisStatus.SUCCESS:
        party.call.parties.remove(party)


def _incoming_drop_party(party: ClientParty, status: NdisStatus, data: bytes) -> None:
    party.call.client.heard.append(f"incoming_drop_party {status.name} {party.name} {data!r}")
