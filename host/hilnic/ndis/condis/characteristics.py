# SPDX-License-Identifier: Apache-2.0
"""The handlers of CoNDIS drivers, and how a driver names them: NdisSetOptionalHandlers, from its set_options.

A miniport has MiniportCoCharacteristics besides its ordinary ones; an integrated call manager (MCM) has
CallManagerHandlers, too. A protocol has ProtocolCoCharacteristics, and as a client ClientHandlers, as a stand-alone
call manager CallManagerHandlers. Contexts are the driver's own and come first; what C returns through a pointer is the
second half of the answer. All handlers are plain functions; those that answer a status may answer PENDING unless it is
said that they may not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilnic.ndis.condis.parameters import CallParameters, CoAddressFamily, Sap
from hilnic.ndis.driver import MiniportDriver, ProtocolDriver
from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.oid_request import OidRequest
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.status_indication import StatusIndication
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.condis.handles import AfHandle, PartyHandle, SapHandle, VcHandle

StatusAndContext = tuple[NdisStatus, Any]
"""(status, the context that the driver wants to hear of from now on)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MiniportCoCharacteristics:
    """NDIS_MINIPORT_CO_CHARACTERISTICS; `vc_ctx` is what create_vc answered.

    An MCM leaves create_vc and delete_vc out: NDIS asks its call manager's half instead.
    """

    activate_vc: Callable[[Any, CallParameters], NdisStatus]  # (vc_ctx, parameters)
    deactivate_vc: Callable[[Any], NdisStatus]  # (vc_ctx)
    send_net_buffer_lists: Callable[[Any, NetBufferList, int], None]  # (vc_ctx, nbls, send_flags)
    oid_request: Callable[[Any, Any, OidRequest], NdisStatus]  # (adapter_ctx, vc_ctx or None, request)
    create_vc: Callable[[Any, VcHandle], StatusAndContext] | None = None  # (adapter_ctx, vc), never PENDING
    delete_vc: Callable[[Any], NdisStatus] | None = None  # (vc_ctx), never PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolCoCharacteristics:
    """NDIS_PROTOCOL_CO_CHARACTERISTICS; `ctx` is the binding context, `vc_ctx` the protocol's own of the VC."""

    receive_net_buffer_lists: Callable[[Any, Any, NetBufferList, int, int], None]  # (ctx, vc_ctx, nbls, count, flags)
    send_net_buffer_lists_complete: Callable[[Any, NetBufferList, int], None]  # (vc_ctx, nbls, send_complete_flags)
    af_register_notify: Callable[[Any, CoAddressFamily], NdisStatus] | None = None  # PASSIVE: (ctx, family)
    status: Callable[[Any, Any, StatusIndication], None] | None = None  # (ctx, vc_ctx or None, indication)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHandlers:
    """NDIS_CO_CLIENT_OPTIONAL_HANDLERS; `af_ctx`, `sap_ctx`, `vc_ctx`, `party_ctx` are the client's own."""

    create_vc: Callable[[Any, VcHandle], StatusAndContext]  # (af_ctx, vc), never PENDING
    delete_vc: Callable[[Any], NdisStatus]  # (vc_ctx), never PENDING
    open_af_complete: Callable[[Any, AfHandle, NdisStatus], None]  # PASSIVE: (af_ctx, af, status)
    close_af_complete: Callable[[Any, NdisStatus], None]  # (af_ctx, status)
    register_sap_complete: Callable[[Any, NdisStatus, Sap, SapHandle], None]  # (sap_ctx, status, sap, handle)
    deregister_sap_complete: Callable[[Any, NdisStatus], None]  # (sap_ctx, status)
    make_call_complete: Callable[[Any, NdisStatus, PartyHandle | None, CallParameters], None]  # (vc_ctx, ...)
    modify_call_qos_complete: Callable[[Any, NdisStatus, CallParameters], None]  # (vc_ctx, status, parameters)
    close_call_complete: Callable[[Any, NdisStatus, Any], None]  # (vc_ctx, status, party_ctx or None)
    add_party_complete: Callable[[Any, NdisStatus, PartyHandle, CallParameters], None]  # (party_ctx, ...)
    drop_party_complete: Callable[[Any, NdisStatus], None]  # (party_ctx, status)
    incoming_call: Callable[[Any, Any, CallParameters], NdisStatus]  # (sap_ctx, vc_ctx, parameters)
    incoming_call_qos_change: Callable[[Any, CallParameters], None]  # (vc_ctx, parameters)
    incoming_close_call: Callable[[Any, NdisStatus, bytes], None]  # (vc_ctx, close_status, close_data)
    incoming_drop_party: Callable[[Any, NdisStatus, bytes], None]  # (party_ctx, drop_status, close_data)
    call_connected: Callable[[Any], None]  # (vc_ctx)
    notify_close_af: Callable[[Any], NdisStatus]  # (af_ctx)
    oid_request: Callable[[Any, Any, Any, Any], NdisStatus] | None = None  # (af_ctx, vc_ctx, party_ctx, request)
    oid_request_complete: Callable[[Any, Any, Any, Any, NdisStatus], None] | None = None  # NDIS 5's: of an NdisRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class CallManagerHandlers:
    """NDIS_CO_CALL_MANAGER_OPTIONAL_HANDLERS, of a stand-alone call manager or an MCM; contexts are its own.

    open_af's `ctx` is the binding context, or an MCM's adapter context. NDIS never calls an MCM's
    activate_vc_complete and deactivate_vc_complete.
    """

    create_vc: Callable[[Any, VcHandle], StatusAndContext]  # (af_ctx, vc), never PENDING
    delete_vc: Callable[[Any], NdisStatus]  # (vc_ctx), never PENDING
    open_af: Callable[[Any, CoAddressFamily, AfHandle], StatusAndContext]  # (ctx, family, af) -> (status, af_ctx)
    close_af: Callable[[Any], NdisStatus]  # (af_ctx)
    register_sap: Callable[[Any, Sap, SapHandle], StatusAndContext]  # (af_ctx, sap, handle) -> (status, sap_ctx)
    deregister_sap: Callable[[Any], NdisStatus]  # (sap_ctx)
    make_call: Callable[[Any, CallParameters, PartyHandle | None], StatusAndContext]  # (vc_ctx, ...) -> (st, party_ctx)
    close_call: Callable[[Any, Any, bytes], NdisStatus]  # (vc_ctx, party_ctx or None, close_data)
    incoming_call_complete: Callable[[Any, NdisStatus, CallParameters], None]  # (vc_ctx, status, parameters)
    add_party: Callable[[Any, CallParameters, PartyHandle], StatusAndContext]  # (vc_ctx, ...) -> (status, party_ctx)
    drop_party: Callable[[Any, bytes], NdisStatus]  # (party_ctx, close_data)
    modify_call_qos: Callable[[Any, CallParameters], NdisStatus]  # (vc_ctx, parameters)
    activate_vc_complete: Callable[[Any, NdisStatus, CallParameters], None] | None = None  # (vc_ctx, ...)
    deactivate_vc_complete: Callable[[Any, NdisStatus], None] | None = None  # (vc_ctx, status)
    notify_close_af_complete: Callable[[Any, NdisStatus], None] | None = None  # (af_ctx, status)
    oid_request: Callable[[Any, Any, Any, Any], NdisStatus] | None = None  # (af_ctx, vc_ctx, party_ctx, request)
    oid_request_complete: Callable[[Any, Any, Any, Any, NdisStatus], None] | None = None  # NDIS 5's: of an NdisRequest


OptionalHandlers = MiniportCoCharacteristics | ProtocolCoCharacteristics | ClientHandlers | CallManagerHandlers


class CoHandlers:
    """What one driver has named; None where it has not."""

    __slots__ = ("call_manager", "client", "miniport", "protocol")

    def __init__(self) -> None:
        self.miniport: MiniportCoCharacteristics | None = None
        self.protocol: ProtocolCoCharacteristics | None = None
        self.client: ClientHandlers | None = None
        self.call_manager: CallManagerHandlers | None = None


@wdk("NdisSetOptionalHandlers", irql="PASSIVE")
def set_optional_handlers(driver: MiniportDriver | ProtocolDriver, handlers: OptionalHandlers) -> NdisStatus:
    """Name a driver's CoNDIS handlers; from its set_options, once for each kind.

    BAD_CHARACTERISTICS: not for this kind of driver.
    """
    is_miniport = isinstance(driver, MiniportDriver)
    if driver.co_handlers is None:
        driver.co_handlers = CoHandlers()
    known: CoHandlers = driver.co_handlers
    if isinstance(handlers, CallManagerHandlers):
        known.call_manager = handlers
    elif is_miniport and isinstance(handlers, MiniportCoCharacteristics):
        known.miniport = handlers
    elif not is_miniport and isinstance(handlers, ProtocolCoCharacteristics):
        known.protocol = handlers
    elif not is_miniport and isinstance(handlers, ClientHandlers):
        known.client = handlers
    else:
        return NdisStatus.BAD_CHARACTERISTICS
    return NdisStatus.SUCCESS
