# SPDX-License-Identifier: Apache-2.0
"""Device power: the system sends an adapter to sleep and wakes it (ST-24).

D0 -> D3   protocols hear SetPower, the stack pauses top-down (reason LowPower), the miniport gets OID_PNP_SET_POWER
asleep     sends end with LOW_POWER_STATE, and so do requests that the miniport would have to answer; no indications
D3 -> D0   OID_PNP_SET_POWER, then filter and multicast list are set again, then the stack restarts bottom-up
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.ndis import oid_answers
from hilnic.ndis.driver import NetPnpEvent
from hilnic.ndis.flags import DevicePowerState, NetEvent, PauseReason
from hilnic.ndis.oid_request import set_information
from hilnic.ndis.oids import Oid
from hilnic.ndis.pnp import notify_protocol, pause_adapter, restart_adapter
from hilnic.ndis.states import AdapterState
from hilnic.ndis.status import NdisStatus

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter


async def set_adapter_power(adapter: Adapter, power: DevicePowerState) -> NdisStatus:
    """What the power manager does: SUCCESS, also when the adapter is in that state already.

    Another status is the miniport's refusal, or NOT_ACCEPTED when the device has gone; the adapter then stays Paused.
    """
    if adapter.removed or adapter.halted is not None:
        return NdisStatus.NOT_ACCEPTED
    if power is adapter.power:
        return NdisStatus.SUCCESS
    while adapter.resetting:
        await adapter.reset_ended.wait()
    if adapter.power is DevicePowerState.D0:
        return await _sleep(adapter, power)
    return await _wake(adapter) if power is DevicePowerState.D0 else await _tell_miniport(adapter, power)


async def _sleep(adapter: Adapter, power: DevicePowerState) -> NdisStatus:
    await _tell_protocols(adapter, power)
    adapter.paused_for_power = adapter.state is AdapterState.RUNNING
    if adapter.paused_for_power:
        await pause_adapter(adapter, PauseReason.LOW_POWER)
    return await _tell_miniport(adapter, power)


async def _wake(adapter: Adapter) -> NdisStatus:
    status = await _tell_miniport(adapter, DevicePowerState.D0)
    if status is not NdisStatus.SUCCESS:
        return status
    await oid_answers.write_filter(adapter, force=True)
    await oid_answers.write_multicast(adapter, force=True)
    if adapter.paused_for_power:
        adapter.paused_for_power = False
        status = await restart_adapter(adapter)
    await _tell_protocols(adapter, DevicePowerState.D0)
    return status


async def _tell_miniport(adapter: Adapter, power: DevicePowerState) -> NdisStatus:
    request = set_information(Oid.OID_PNP_SET_POWER, power.to_bytes(4, "little"))
    status = await adapter.oids.call_miniport(request)
    if status is NdisStatus.SUCCESS:
        adapter.power = power
        adapter.update_bindings()
        adapter.ndis.emit("adapter.power", adapter=adapter.name, power=power.name)
    return status


async def _tell_protocols(adapter: Adapter, power: DevicePowerState) -> None:
    for binding in list(adapter.bindings):
        await notify_protocol(binding, NetPnpEvent(NetEvent.SET_POWER, power))
