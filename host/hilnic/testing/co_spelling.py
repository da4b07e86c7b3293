# SPDX-License-Identifier: Apache-2.0
"""What a call manager calls, in both spellings: NdisCm... of a stand-alone one, NdisMCm... of one in the miniport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hilnic.ndis import condis

__all__ = ["SPELLINGS"]

_CM: dict[str, Callable[..., Any]] = {
    "register_address_family": condis.cm_register_address_family,
    "deregister_address_family": condis.cm_deregister_address_family,
    "complete_open_address_family": condis.cm_complete_open_address_family,
    "complete_close_address_family": condis.cm_complete_close_address_family,
    "notify_close_address_family": condis.cm_notify_close_address_family,
    "complete_register_sap": condis.cm_complete_register_sap,
    "complete_deregister_sap": condis.cm_complete_deregister_sap,
    "deactivate_vc": condis.cm_deactivate_vc,
    "complete_make_call": condis.cm_complete_make_call,
    "complete_close_call": condis.cm_complete_close_call,
    "complete_modify_call_qos": condis.cm_complete_modify_call_qos,
    "dispatch_call_connected": condis.cm_dispatch_call_connected,
    "dispatch_incoming_call": condis.cm_dispatch_incoming_call,
    "dispatch_incoming_call_qos_change": condis.cm_dispatch_incoming_call_qos_change,
    "dispatch_incoming_close_call": condis.cm_dispatch_incoming_close_call,
    "complete_add_party": condis.cm_complete_add_party,
    "complete_drop_party": condis.cm_complete_drop_party,
    "dispatch_incoming_drop_party": condis.cm_dispatch_incoming_drop_party,
}
_MCM: dict[str, Callable[..., Any]] = {
    "register_address_family": condis.mcm_register_address_family,
    "deregister_address_family": condis.mcm_deregister_address_family,
    "complete_open_address_family": condis.mcm_complete_open_address_family,
    "complete_close_address_family": condis.mcm_complete_close_address_family,
    "notify_close_address_family": condis.mcm_notify_close_address_family,
    "complete_register_sap": condis.mcm_complete_register_sap,
    "complete_deregister_sap": condis.mcm_complete_deregister_sap,
    "deactivate_vc": condis.mcm_deactivate_vc,
    "complete_make_call": condis.mcm_complete_make_call,
    "complete_close_call": condis.mcm_complete_close_call,
    "complete_modify_call_qos": condis.mcm_complete_modify_call_qos,
    "dispatch_call_connected": condis.mcm_dispatch_call_connected,
    "dispatch_incoming_call": condis.mcm_dispatch_incoming_call,
    "dispatch_incoming_call_qos_change": condis.mcm_dispatch_incoming_call_qos_change,
    "dispatch_incoming_close_call": condis.mcm_dispatch_incoming_close_call,
    "complete_add_party": condis.mcm_complete_add_party,
    "complete_drop_party": condis.mcm_complete_drop_party,
    "dispatch_incoming_drop_party": condis.mcm_dispatch_incoming_drop_party,
}
SPELLINGS = {"cm": _CM, "mcm": _MCM}
"""NdisCm... and NdisMCm..., by what they have in common."""
