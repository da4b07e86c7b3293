# SPDX-License-Identifier: Apache-2.0
"""A CoNDIS driver whose handler has raised (ndis/faults.py): a ghost ends its calls, so that its peers are left clean.

At once the ghost's handlers stand in for the driver's, and every context of the driver's becomes NDIS's own object.
From the work item that takes the driver out, `leave` ends what was pending and waits until the last family is closed:
a client's ghost closes its calls, a call manager's deactivates VCs and asks the clients to leave.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.condis import address_family, call, incoming, sap
from hilnic.ndis.condis import vc as virtual_connection
from hilnic.ndis.condis.characteristics import ClientHandlers
from hilnic.ndis.condis.ghost_answers import OVER, agree, nothing, refuse, refuse_two, until
from hilnic.ndis.condis.ghost_manager import haunt_manager, stop_offering
from hilnic.ndis.condis.handles import AfHandle, Vc
from hilnic.ndis.condis.machines import CALL_MACHINE, AfState, CallEvent, SapState, VcState
from hilnic.ndis.condis.parameters import CallParameters
from hilnic.ndis.flags import ReceiveFlags
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.receive import return_net_buffer_lists
from hilnic.ndis.status import NdisStatus

if TYPE_CHECKING:
    from hilnic.ndis.binding import Binding

CLIENT = ClientHandlers(
    create_vc=refuse_two,
    delete_vc=agree,
    open_af_complete=nothing,
    close_af_complete=nothing,
    register_sap_complete=nothing,
    deregister_sap_complete=nothing,
    make_call_complete=nothing,
    modify_call_qos_complete=nothing,
    close_call_complete=nothing,
    add_party_complete=nothing,
    drop_party_complete=nothing,
    incoming_call=refuse,
    incoming_call_qos_change=nothing,
    incoming_close_call=nothing,
    incoming_drop_party=nothing,
    call_connected=nothing,
    notify_close_af=agree,
    oid_request=refuse,
    oid_request_complete=nothing,
)


def haunt_binding(binding: Binding) -> None:
    """The protocol is out: nothing reaches it any more."""
    co = binding.co
    co.notify_handler = None
    co.status_handler = nothing
    if not hasattr(binding.context, "haunt"):  # a 5.x driver's edge has its own ghost, and translates on
        co.receive_handler, co.complete_handler = _returner(binding), nothing
    for af in co.opens:
        af.handlers, af.client_context = CLIENT, af
        for each in af.saps:
            each.client_context = each
        for vc in af.vcs:
            vc.client.context = vc.client
            for member in vc.call.parties:
                member.client_context = member
    for provider in co.providers:
        haunt_manager(provider)


def _returner(binding: Binding) -> Callable[..., None]:
    def give_back(_: Any, __: Any, nbls: NetBufferList, ___: int, flags: int) -> None:
        if not flags & ReceiveFlags.RESOURCES:
            return_net_buffer_lists(binding, nbls)

    return give_back


async def leave(binding: Binding) -> None:
    """From the work item: end everything that a client or a call manager has on this binding."""
    for af in list(binding.co.opens):
        await _leave_family(af)
    for provider in list(binding.co.providers):
        await stop_offering(provider)


# A client.


async def _leave_family(af: AfHandle) -> None:
    for vc in list(af.vcs):
        await _end_call(vc)
    for each in list(af.saps):
        await until(af.ndis, lambda each=each: each.state is not SapState.REGISTERING)  # type: ignore[misc]
        if each.state is SapState.REGISTERED:
            sap.cl_deregister_sap(each)
        await until(af.ndis, lambda each=each: each not in af.saps)  # type: ignore[misc]
    if address_family.LEAVE in af.pending:
        address_family.cl_complete_notify_close_address_family(af, NdisStatus.SUCCESS)
    await until(af.ndis, lambda: af.state is not AfState.OPENING)
    if af.state is AfState.OPEN:
        address_family.cl_close_address_family(af)
    await until(af.ndis, lambda: af.state is AfState.CLOSED)


async def _end_call(vc: Vc) -> None:
    client = vc.client
    assert client is not None
    if incoming.OFFER in vc.call.pending:
        incoming.cl_complete_incoming_call(client, NdisStatus.FAILURE, vc.call.parameters or CallParameters())
    if CallEvent.CLOSE in CALL_MACHINE[vc.call.state]:
        call.begin_close(client, vc.call.parties[-1] if vc.call.parties else None, b"")
    await until(vc.ndis, lambda: not client.is_live or vc.call.state in OVER)
    if vc.creator is client:
        await until(vc.ndis, lambda: vc.state is VcState.CREATED)
        virtual_connection.co_delete_vc(client)
    else:
        await until(vc.ndis, lambda: not client.is_live)
