# SPDX-License-Identifier: Apache-2.0
"""A scripted call manager in the miniport of a real NIC: `Signalling` in the place of `hilnic.mcm`, of either version.

The miniport is the stack's ("6-mcm", "5-mcm"), and VCs are the NIC's; what the network would bring about only a test
does. It takes the family over from the miniport's own call manager, before a client has opened it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from hilnic import ndis
from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import AfHandle, CallParameters, VcHandle
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.condis.ndis5.handlers import call_manager_handlers
from hilnic.ndis.ndis5 import MiniportEdge
from hilnic.stack import Stack
from hilnic.testing.co_managed import ManagedVc
from hilnic.testing.co_signalling import Signalling

__all__ = ["CardMcm"]


class CardMcm:
    """The call manager's half of a stack's miniport."""

    def __init__(self, stack: Stack) -> None:
        self.stack, self.ndis = stack, stack.host
        self.signalling = Signalling(self, "mcm")

    def take_over(self) -> None:
        """From here on the family is this one's; the adapter is running."""
        adapter = self.stack.adapter
        (provider,) = adapter.co.providers
        assert not provider.opens
        handlers = self.signalling.handlers()
        is_5 = isinstance(adapter.context, MiniportEdge)
        provider.handlers = call_manager_handlers(adapter.context, handlers) if is_5 else handlers

    @property
    def board(self) -> Any:
        """The miniport, which has the VCs: `hilnic.mcm.half.Board`."""
        return self.stack.connections.nic

    # What Signalling wants of its host.

    def new_vc(self, af: AfHandle, context: ManagedVc) -> tuple[NdisStatus, VcHandle | None]:
        """A VC for an incoming call."""
        status, context.handle = condis.mcm_create_vc(self.stack.adapter, af, context)
        if context.handle is not None:
            self.vc_created(context)
        return status, context.handle

    def delete(self, vc: ManagedVc) -> NdisStatus:
        """Delete it."""
        return condis.mcm_delete_vc(vc.open)

    def activate(self, vc: ManagedVc, parameters: CallParameters) -> NdisStatus:
        """Have the NIC do it, then tell NDIS."""

        async def work() -> None:
            status = await self.board.activate(vc.data, parameters)
            if status is NdisStatus.SUCCESS:
                status = condis.mcm_activate_vc(vc.open, parameters)
            self.signalling.activate_vc_complete(vc, status, parameters)

        return self._pend(work)

    def deactivate(self, vc: ManagedVc) -> NdisStatus:
        """Have the NIC do it, then tell NDIS."""

        async def work() -> None:
            await self.board.deactivate(vc.data)
            self.signalling.deactivate_vc_complete(vc, condis.mcm_deactivate_vc(vc.open))

        return self._pend(work)

    def _pend(self, steps: Callable[[], Coroutine[Any, Any, None]]) -> NdisStatus:
        async def routine(context: Any) -> None:
            del context
            await steps()

        ndis.queue_io_work_item(self.stack.adapter, routine, None)
        return NdisStatus.PENDING

    def family_closed(self) -> None:
        """A client has closed its family: nothing waits for that."""

    def vc_created(self, vc: ManagedVc) -> None:
        """An entry of the NIC's."""
        vc.data = self.board.create(vc.open)
        assert vc.data is not None, "the NIC has no more entries"

    def vc_deleted(self, vc: ManagedVc) -> None:
        """It is free again."""
        self.board.delete(vc.data)

    def ask(self, af: AfHandle, request: Any) -> NdisStatus:
        """NdisMCmOidRequest or NdisMCmRequest, of a client."""
        asking = condis5.mcm_request if isinstance(self.stack.adapter.context, MiniportEdge) else condis.mcm_oid_request
        return asking(af, None, None, request)
