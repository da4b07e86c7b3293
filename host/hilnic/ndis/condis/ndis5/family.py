# SPDX-License-Identifier: Apache-2.0
"""Address families as NDIS 5 spells them: the characteristics of client and call manager come with the call."""

from __future__ import annotations

from typing import Any

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.condis import address_family
from hilnic.ndis.condis.characteristics import CallManagerHandlers, ClientHandlers
from hilnic.ndis.condis.handles import AfHandle
from hilnic.ndis.condis.ndis5.handlers import call_manager_handlers, client_handlers
from hilnic.ndis.condis.parameters import CoAddressFamily
from hilnic.ndis.ndis5.miniport_edge import edge_of
from hilnic.ndis.ndis5.protocol_edge import BindingEdge, is_foreign
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk


@wdk("NdisClOpenAddressFamily", irql="PASSIVE", callout=True)
def cl_open_address_family(
    binding: BindingEdge, family: CoAddressFamily, client_af_context: Any, handlers: ClientHandlers
) -> tuple[NdisStatus, AfHandle | None]:
    """Open what co_af_register_notify has told of. PENDING: open_af_complete follows.

    BAD_CHARACTERISTICS: the protocol has no co_receive_packet or no co_send_complete (R5-14).
    """
    if is_foreign(binding, "NdisClOpenAddressFamily"):
        return NdisStatus.FAILURE, None
    five = binding.characteristics
    if five.co_receive_packet is None or five.co_send_complete is None:
        return NdisStatus.BAD_CHARACTERISTICS, None
    return address_family.open_family(binding.core, family, client_af_context, client_handlers(binding, handlers))


@wdk("NdisCmRegisterAddressFamily", irql="PASSIVE", callout=True)
def cm_register_address_family(
    binding: BindingEdge, family: CoAddressFamily, handlers: CallManagerHandlers
) -> NdisStatus:
    """Offer the services of a stand-alone call manager of NDIS 5; FAILURE when another one does (CC-01)."""
    if is_foreign(binding, "NdisCmRegisterAddressFamily"):
        return NdisStatus.FAILURE
    core = binding.core
    if core.co is None:
        return NdisStatus.BAD_CHARACTERISTICS
    return address_family.register(core.adapter, core, family, call_manager_handlers(binding, handlers))


@wdk("NdisMCmRegisterAddressFamily", irql="PASSIVE", callout=True)
def mcm_register_address_family(adapter: Adapter, family: CoAddressFamily, handlers: CallManagerHandlers) -> NdisStatus:
    """Offer the services of an integrated call manager of NDIS 5; from initialize on."""
    edge = edge_of(adapter, "NdisMCmRegisterAddressFamily")
    if edge is None:
        return NdisStatus.FAILURE
    return address_family.register(adapter, None, family, call_manager_handlers(edge, handlers))
