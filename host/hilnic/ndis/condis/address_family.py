# SPDX-License-Identifier: Apache-2.0
"""Address families: a call manager registers one, every client on the adapter is told, and those that want open it.

call manager  register_address_family
NDIS            af_register_notify, from a work item, to each binding with client handlers, now and at later binds
client          open_address_family -> call manager's open_af -> open_af_complete, or the answer at once
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.binding import Binding
from hilnic.ndis.condis.answers import answered, completed
from hilnic.ndis.condis.callout import ask, is_stale, tell
from hilnic.ndis.condis.characteristics import CallManagerHandlers, ClientHandlers
from hilnic.ndis.condis.handles import AfHandle, Provider
from hilnic.ndis.condis.machines import AfEvent, AfState
from hilnic.ndis.condis.parameters import CoAddressFamily
from hilnic.ndis.kernel import Irql
from hilnic.ndis.states import BindingState
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter

_FAILED = (NdisStatus.FAILURE, None)
OPEN, CLOSE, LEAVE = "open", "close", "notify close"

# Registration.


def register(
    adapter: Adapter, binding: Binding | None, family: CoAddressFamily, handlers: CallManagerHandlers | None
) -> NdisStatus:
    """A call manager with these handlers, on a binding or, without one, in the miniport."""
    if adapter.co is None:
        return NdisStatus.NOT_SUPPORTED
    if handlers is None:
        return NdisStatus.BAD_CHARACTERISTICS
    if adapter.co.find(family.address_family) is not None:
        return NdisStatus.FAILURE
    provider = Provider(adapter, binding, family, handlers)
    adapter.co.providers.append(provider)
    if binding is not None:
        binding.co.providers.append(provider)
    for each in adapter.bindings:
        _announce_to(each, provider)
    return NdisStatus.SUCCESS


def announce(binding: Binding) -> None:
    """A protocol has bound: it hears of the address families that are there already (CC-01)."""
    if binding.co is not None and binding.adapter.co is not None:
        for provider in binding.adapter.co.providers:
            _announce_to(binding, provider)


def _announce_to(binding: Binding, provider: Provider) -> None:
    if binding is provider.binding or binding.co is None or binding.co.notify_handler is None:
        return

    async def notify() -> None:
        if (
            binding.state in {BindingState.CLOSING, BindingState.UNBOUND}
            or provider not in provider.adapter.co.providers
        ):
            return
        binding.co.notified.add(provider.family.address_family)
        ask(binding, "af_register_notify", binding.co.notify_handler, binding.context, provider.family)

    binding.ndis.kernel.queue_work_item(notify)


def deregister(adapter: Adapter, binding: Binding | None, family: CoAddressFamily) -> NdisStatus:
    """Offer it no more; NOT_ACCEPTED while clients have it open: they are asked to leave first."""
    provider = None if adapter.co is None else adapter.co.find(family.address_family)
    if provider is None or provider.binding is not binding:
        return NdisStatus.FAILURE
    if provider.opens:
        return NdisStatus.NOT_ACCEPTED
    adapter.co.providers.remove(provider)
    if binding is not None:
        binding.co.providers.remove(provider)
    return NdisStatus.SUCCESS


# Open.


@wdk("NdisClOpenAddressFamilyEx", irql="PASSIVE", callout=True)
def cl_open_address_family(
    binding: Binding, family: CoAddressFamily, client_af_context: Any
) -> tuple[NdisStatus, AfHandle | None]:
    """Open what af_register_notify has told of, in it or later (CC-02). PENDING: open_af_complete follows."""
    handlers = None if binding.co is None else binding.co.client
    return open_family(binding, family, client_af_context, handlers)


def open_family(
    binding: Binding, family: CoAddressFamily, context: Any, handlers: ClientHandlers | None
) -> tuple[NdisStatus, AfHandle | None]:
    """Open an address family for a client with these handlers."""
    co = binding.co
    if co is None or handlers is None or binding.adapter.co is None:
        return NdisStatus.BAD_CHARACTERISTICS, None
    if family.address_family not in co.notified:
        binding.ndis.violation("CC-02", binding, binding, f"family {family.address_family} opened before the notify")
        return _FAILED
    provider = binding.adapter.co.find(family.address_family)
    if provider is None or binding.state in {BindingState.CLOSING, BindingState.UNBOUND}:
        return _FAILED
    af = AfHandle(binding, provider, handlers, context)
    co.opens.append(af)
    provider.opens.append(af)
    af.pending.add(OPEN)
    owner = provider.adapter if provider.binding is None else provider.binding
    status, cm_context = ask(
        provider.actor, "open_af", provider.handlers.open_af, owner.context, family, af, refused=_FAILED
    )
    if not answered(af, OPEN, provider.actor, status):
        return NdisStatus.PENDING, af
    _opened(af, status, cm_context)
    return status, af if status is NdisStatus.SUCCESS else None


def _opened(af: AfHandle, status: NdisStatus, cm_context: Any) -> None:
    if status is NdisStatus.SUCCESS:
        af.cm_context = cm_context
        af.step(AfEvent.OPENED, af.provider.actor)
    else:
        af.step(AfEvent.OPEN_FAILED, af.provider.actor)
        _forget(af)


def _forget(af: AfHandle) -> None:
    af.provider.opens.remove(af)
    af.binding.co.opens.remove(af)
    af.binding.check_close()


def complete_open(af: AfHandle, status: NdisStatus, cm_context: Any) -> None:
    """The call manager ends an open that it answered with PENDING."""
    if not completed(af, OPEN, af.provider.actor, status):
        return
    _opened(af, status, cm_context)

    async def hear() -> None:
        tell(af.binding, "open_af_complete", af.handlers.open_af_complete, af.client_context, af, status)

    if af.ndis.kernel.irql == Irql.PASSIVE:
        tell(af.binding, "open_af_complete", af.handlers.open_af_complete, af.client_context, af, status)
    else:  # the client hears of it at PASSIVE_LEVEL, whatever the call manager's was
        af.ndis.kernel.queue_work_item(hear)


# Close.


@wdk("NdisClCloseAddressFamily", callout=True)
def cl_close_address_family(af: AfHandle) -> NdisStatus:
    """Close it; the handle is dead from here on (CC-04), unless the call manager refuses (CC-03).

    PENDING: close_af_complete follows. NOT_ACCEPTED: VCs or SAPs are still there.
    """
    if is_stale(af, af.binding, "NdisClCloseAddressFamily", af.state is not AfState.OPEN):
        return NdisStatus.FAILURE
    af.step(AfEvent.CLOSE, af.binding)
    af.pending.add(CLOSE)
    actor = af.provider.actor
    status = ask(actor, "close_af", af.provider.handlers.close_af, af.cm_context)
    if not answered(af, CLOSE, actor, status):
        return NdisStatus.PENDING
    _closed(af, status)
    return NdisStatus(status)


def _closed(af: AfHandle, status: NdisStatus) -> None:
    actor = af.provider.actor
    if status is not NdisStatus.SUCCESS:
        af.step(AfEvent.CLOSE_REFUSED, actor)
        return
    if af.vcs or af.saps:
        left = [*af.vcs, *af.saps]
        af.ndis.violation("CC-03", actor, af, f"closed while {left} live")
    af.step(AfEvent.CLOSED, actor)
    _forget(af)


def complete_close(af: AfHandle, status: NdisStatus) -> None:
    """The call manager ends a close that it answered with PENDING."""
    if completed(af, CLOSE, af.provider.actor, status):
        _closed(af, status)
        tell(af.binding, "close_af_complete", af.handlers.close_af_complete, af.client_context, status)


# The call manager wants its client to leave.


def notify_close(af: AfHandle) -> NdisStatus:
    """Ask the client to close its calls, its SAPs and the address family."""
    if af.state is not AfState.OPEN or LEAVE in af.pending:
        return NdisStatus.FAILURE  # it is leaving already
    af.pending.add(LEAVE)
    status = ask(af.binding, "notify_close_af", af.handlers.notify_close_af, af.client_context)
    return NdisStatus(status) if answered(af, LEAVE, af.binding, status) else NdisStatus.PENDING


@wdk("NdisClNotifyCloseAddressFamilyComplete", callout=True)
def cl_complete_notify_close_address_family(af: AfHandle, status: NdisStatus) -> None:
    """A client has done what notify_close_af asked for, which it answered with PENDING."""
    if completed(af, LEAVE, af.binding, status):
        provider = af.provider
        handler = provider.handlers.notify_close_af_complete
        tell(provider.actor, "notify_close_af_complete", handler, af.cm_context, status)
