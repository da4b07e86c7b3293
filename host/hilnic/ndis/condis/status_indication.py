# SPDX-License-Identifier: Apache-2.0
"""NdisMCoIndicateStatusEx: of a VC, to the one whose VC it is (CD-13); of the adapter, to every CoNDIS binding."""

from __future__ import annotations

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.condis.callout import is_stale, tell
from hilnic.ndis.condis.handles import VcHandle
from hilnic.ndis.states import ADAPTER_OPERATIONS, Operation
from hilnic.ndis.status_indication import StatusIndication
from hilnic.ndis.wdk import wdk


@wdk("NdisMCoIndicateStatusEx", callout=True)
def mco_indicate_status(adapter: Adapter, vc: VcHandle | None, indication: StatusIndication) -> None:
    """Tell the VC's user, or without a VC every protocol with CoNDIS handlers on this adapter."""
    if Operation.STATUS not in ADAPTER_OPERATIONS[adapter.state]:
        detail = f"status {indication.status_code.name} while {adapter.state.value}"
        adapter.ndis.violation("ST-18", adapter, adapter, detail)
        return
    if vc is None:
        for binding in list(adapter.bindings):
            if binding.co is not None:
                tell(binding, "status", binding.co.status_handler, binding.context, None, indication)
        return
    if is_stale(vc.vc, adapter, "NdisMCoIndicateStatusEx", not vc.is_live):
        return
    user = vc.vc.user
    if user.binding is not None:
        tell(user.binding, "status", user.binding.co.status_handler, user.binding.context, user.context, indication)
