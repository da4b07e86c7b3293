# SPDX-License-Identifier: Apache-2.0
"""The CoNDIS handlers of a 5.x driver as the core sees them: NDIS 6 above, NDIS 5 below.

The core calls with the driver's edge where it has a binding or adapter context; what the driver gave for families,
SAPs, VCs and parties goes through as it is. Requests change their form (request.py), data in send.py and receive.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hilnic.ndis.condis.characteristics import (
    CallManagerHandlers,
    ClientHandlers,
    CoHandlers,
    MiniportCoCharacteristics,
    ProtocolCoCharacteristics,
)
from hilnic.ndis.condis.ndis5 import receive, request, send, status_indication
from hilnic.ndis.status import NdisStatus

if TYPE_CHECKING:
    from hilnic.ndis.condis.handles import AfHandle, VcHandle
    from hilnic.ndis.condis.parameters import CoAddressFamily
    from hilnic.ndis.driver import ProtocolDriver
    from hilnic.ndis.ndis5.characteristics import MiniportCharacteristics5, ProtocolCharacteristics5
    from hilnic.ndis.ndis5.miniport_edge import MiniportEdge
    from hilnic.ndis.ndis5.protocol_edge import BindingEdge


def miniport_handlers(five: MiniportCharacteristics5) -> CoHandlers:
    """What a 5.x miniport with co_send_packets is for the core; without co_create_vc it is an MCM."""
    create, delete, activate, deactivate = (
        five.co_create_vc, five.co_delete_vc, five.co_activate_vc, five.co_deactivate_vc,
    )  # fmt: skip
    assert activate is not None
    assert deactivate is not None

    def create_vc(edge: MiniportEdge, vc: VcHandle) -> tuple[NdisStatus, Any]:
        assert create is not None
        return create(edge.context, vc)

    known = CoHandlers()
    known.miniport = MiniportCoCharacteristics(
        create_vc=None if create is None else create_vc,
        delete_vc=delete,
        activate_vc=activate,
        deactivate_vc=deactivate,
        send_net_buffer_lists=send.lists_to_packets,
        oid_request=request.ask_miniport,
    )
    return known


def set_options(driver: ProtocolDriver, edge: Any) -> NdisStatus:
    """A 5.x protocol that can receive on VCs gets the core's handlers for them."""
    five: ProtocolCharacteristics5 = edge.characteristics
    if five.co_receive_packet is None:
        return NdisStatus.SUCCESS
    notify = five.co_af_register_notify

    def af_register_notify(binding: BindingEdge, family: CoAddressFamily) -> NdisStatus:
        assert notify is not None
        notify(binding.context, family)
        return NdisStatus.SUCCESS

    driver.co_handlers = CoHandlers()
    driver.co_handlers.protocol = ProtocolCoCharacteristics(
        receive_net_buffer_lists=receive.lists_to_packets,
        send_net_buffer_lists_complete=send.lists_completed,
        af_register_notify=None if notify is None else af_register_notify,
        status=status_indication.tell,
    )
    return NdisStatus.SUCCESS


def client_handlers(edge: BindingEdge, five: ClientHandlers) -> ClientHandlers:
    """A 5.x client's handlers of calls: its requests are NDIS_REQUESTs."""
    return replace(
        five,
        oid_request=request.to_5(five.oid_request),
        oid_request_complete=request.completed_to_5(edge, five.oid_request_complete),
    )


def call_manager_handlers(edge: Any, five: CallManagerHandlers) -> CallManagerHandlers:
    """A 5.x call manager's, on its binding or, of an MCM, its adapter."""

    def open_af(_: Any, family: CoAddressFamily, af: AfHandle) -> tuple[NdisStatus, Any]:
        return five.open_af(edge.context, family, af)

    return replace(
        five,
        open_af=open_af,
        oid_request=request.to_5(five.oid_request),
        oid_request_complete=request.completed_to_5(edge, five.oid_request_complete),
    )
