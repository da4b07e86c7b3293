# SPDX-License-Identifier: Apache-2.0
"""What NDIS keeps of CoNDIS for an adapter (`adapter.co`) and for a binding (`binding.co`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.condis.handles import AfHandle, Provider, Vc

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.condis.characteristics import CallManagerHandlers, CoHandlers
    from hilnic.ndis.nbl import NblQueue


class CoAdapter:
    """A connection-oriented adapter: who offers address families on it, and its VCs."""

    __slots__ = ("adapter", "call_manager", "handlers", "last_number", "providers", "requests", "send_handler", "vcs")

    def __init__(self, adapter: Adapter, handlers: CoHandlers) -> None:
        ndis, miniport = adapter.ndis, handlers.miniport
        self.adapter = adapter
        self.handlers = miniport
        self.call_manager: CallManagerHandlers | None = handlers.call_manager  # of an MCM
        self.providers: list[Provider] = []
        self.vcs: list[Vc] = []
        self.last_number = 0
        self.requests: dict[Any, Any] = {}  # requests that the miniport has answered with PENDING -> who asked
        send = None if miniport is None else miniport.send_net_buffer_lists
        self.send_handler: Any = ndis.guarded(send, adapter, "MiniportCoSendNetBufferLists")

    def find(self, address_family: int) -> Provider | None:
        """Who offers this kind of signalling; one at most (CC-01)."""
        return next((p for p in self.providers if p.family.address_family == address_family), None)

    def drop_what_nobody_receives(self) -> None:
        """Bindings have changed: data that waited for a call of one that is paused goes home, and the pause can end."""
        from hilnic.ndis.condis.receive import settle_early

        for vc in self.vcs:
            if vc.early and not vc.user.binding.receives:  # type: ignore[union-attr]
                settle_early(vc)

    def cancel(self, binding: Binding, cancel_id: Any) -> None:
        """End what NDIS itself keeps of the binding's sends with this id (CN-10)."""
        from hilnic.ndis.condis.send import cancel_deferred

        for vc in list(self.vcs):
            cancel_deferred(vc, binding, cancel_id)


class CoBinding:
    """A client's or a call manager's binding."""

    __slots__ = (
        "binding", "call_manager", "client", "complete_handler", "notified", "notify_handler", "opens", "providers",
        "receive_handler", "requests", "status_handler",
    )  # fmt: skip

    def __init__(self, binding: Binding, handlers: CoHandlers) -> None:
        ndis, protocol = binding.ndis, handlers.protocol
        self.binding = binding
        self.client = handlers.client
        self.call_manager = handlers.call_manager
        self.notified: set[int] = set()  # address families that the protocol has been told of (CC-02)
        self.opens: list[AfHandle] = []
        self.providers: list[Provider] = []
        self.requests: dict[Any, Any] = {}  # requests that this driver has answered with PENDING -> who asked

        def handler(name: str, wdk_name: str) -> Any:
            found = None if protocol is None else getattr(protocol, name)
            return ndis.guarded(found, binding, wdk_name)

        self.receive_handler = handler("receive_net_buffer_lists", "ProtocolCoReceiveNetBufferLists")
        self.complete_handler = handler("send_net_buffer_lists_complete", "ProtocolCoSendNetBufferListsComplete")
        self.status_handler = handler("status", "ProtocolCoStatusEx")
        self.notify_handler = handler("af_register_notify", "ProtocolCoAfRegisterNotify")

    def take_returns(self, home: NblQueue, return_flags: int) -> NblQueue:
        """Of lists that the protocol has returned, those of VCs go home here; the others are answered."""
        from hilnic.ndis.condis.receive import take_returns

        return take_returns(self.binding, home, return_flags)

    def idle(self) -> bool:
        """No address family is open or offered: the binding may close."""
        return not (self.opens or self.providers)
