# SPDX-License-Identifier: Apache-2.0
"""Reset of a miniport's hardware, asked for by the system, by the miniport, or because it hangs (ST-13 to ST-16)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis import oid_answers
from hilnic.ndis.flags import DevicePowerState, NdisVersion
from hilnic.ndis.pending import RESET, ask, complete
from hilnic.ndis.send import release_held_sends
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.status_indication import StatusIndication, deliver_status
from hilnic.ndis.waiting import answer_of
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.oid_request import OidRequest


async def reset_adapter(adapter: Adapter) -> NdisStatus:
    """Reset the hardware: sends are refused or held meanwhile, filters are set again when the miniport asks (ST-13)."""
    handler = adapter.driver.characteristics.reset
    if handler is None:
        return NdisStatus.NOT_RESETTABLE
    if adapter.removed or adapter.halted is not None:
        return NdisStatus.ADAPTER_REMOVED
    if adapter.resetting:
        return NdisStatus.RESET_IN_PROGRESS
    if adapter.power is not DevicePowerState.D0:
        return NdisStatus.LOW_POWER_STATE
    ndis = adapter.ndis
    adapter.resetting = True
    adapter.reset_ended = ndis.kernel.create_event()
    adapter.update_bindings()
    ndis.emit("adapter.reset", adapter=adapter.name)
    deliver_status(adapter, StatusIndication(NdisStatus.RESET_START))
    before, on_the_way = adapter.sends_outstanding, ndis.others_busy
    status, addressing_reset = await ask(adapter, RESET, handler)
    on_the_way = on_the_way or ndis.others_busy  # such a send may reach the miniport after its handler's end
    if before and adapter.sends_outstanding and not (_may_hold_sends(adapter) or on_the_way):
        ndis.violation("ST-13", adapter, adapter, f"reset ended with {adapter.sends_outstanding} sends pending (A8)")
    if status is NdisStatus.SUCCESS:
        adapter.reset_count += 1
        if addressing_reset:
            await oid_answers.write_filter(adapter, force=True)
            await oid_answers.write_multicast(adapter, force=True)
    adapter.resetting = False
    adapter.update_bindings()
    adapter.reset_ended.set()
    deliver_status(adapter, StatusIndication(NdisStatus.RESET_END, status))
    release_held_sends(adapter)
    return NdisStatus(status)


def _may_hold_sends(adapter: Adapter) -> bool:
    """Sends may stay pending over a reset: of a miniport from before NDIS 6.30, or by profile (A8)."""
    return adapter.ndis.profile.pre630_reset or adapter.driver.characteristics.ndis_version < NdisVersion.NDIS_6_30


@wdk("NdisMResetComplete", callout=True)
def complete_reset(adapter: Adapter, status: NdisStatus, addressing_reset: bool) -> None:
    """Ends a reset that the miniport answered with PENDING (ST-15)."""
    complete(adapter, RESET, (status, addressing_reset))


@wdk("NdisMResetMiniport")
def reset_miniport(adapter: Adapter) -> None:
    """A miniport asks for its own reset; it comes from a work item."""

    async def reset() -> None:
        await reset_adapter(adapter)

    adapter.ndis.kernel.queue_work_item(reset)


# Check for hang: a reset that nobody asks for.


def watch_for_hang(adapter: Adapter) -> None:
    """Ask check_for_hang every 2 s, when the profile says so and the miniport has it (ST-16).

    True leads to a reset, and so does a request that is with the miniport at two looks in a row.
    """
    ndis = adapter.ndis
    check: Callable[[Any], Any] | None = adapter.driver.characteristics.check_for_hang
    if check is None or not ndis.profile.check_for_hang:
        return
    registration = adapter.registration
    seconds = registration.check_for_hang_seconds if registration is not None else 0
    period = seconds * 1_000_000_000 or ndis.profile.check_for_hang_ns

    served: OidRequest | None = None

    def wait() -> None:
        adapter.hang_timer = ndis.kernel.set_timer(period, lambda: ndis.kernel.queue_work_item(look))

    async def look() -> None:
        nonlocal served
        before, served = served, adapter.oids.miniport.active
        stuck = served is not None and served is before  # the same request at two looks in a row
        if adapter.hang_timer is not None and (stuck or await answer_of(check(adapter.context))):
            await reset_adapter(adapter)
        if adapter.hang_timer is not None:
            wait()

    wait()


def stop_watching(adapter: Adapter) -> None:
    """No more check_for_hang for this adapter."""
    timer, adapter.hang_timer = adapter.hang_timer, None
    if timer is not None:
        timer.cancel()
