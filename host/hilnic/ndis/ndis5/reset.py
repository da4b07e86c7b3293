# SPDX-License-Identifier: Apache-2.0
"""NdisReset: a 5.x protocol has the miniport reset; all protocols see its start and its end (C5-11)."""

from __future__ import annotations

from hilnic.ndis.ndis5.protocol_edge import BindingEdge, is_foreign
from hilnic.ndis.ndis5.serializer import at_dispatch
from hilnic.ndis.reset import reset_adapter
from hilnic.ndis.states import BindingState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk


@wdk("NdisReset", callout=True)
def reset(binding: BindingEdge) -> NdisStatus:
    """PENDING, and one reset_complete; or a final status when the reset cannot begin."""
    if is_foreign(binding, "NdisReset"):
        return NdisStatus.FAILURE
    core = binding.core
    if core.state in {BindingState.CLOSING, BindingState.UNBOUND}:
        return NdisStatus.CLOSING
    if core.adapter.resetting or binding.is_reset_pending:
        return NdisStatus.RESET_IN_PROGRESS
    binding.is_reset_pending = True
    core.oids_outstanding += 1  # a close waits for the reset as for a request
    binding.ndis.kernel.queue_work_item(lambda: _reset(binding))
    return NdisStatus.PENDING


async def _reset(binding: BindingEdge) -> None:
    status = await reset_adapter(binding.core.adapter)
    binding.is_reset_pending = False
    at_dispatch(binding.ndis.kernel, binding.reset_complete_handler, binding.context, status)
    binding.core.oids_outstanding -= 1
    binding.core.check_close()
