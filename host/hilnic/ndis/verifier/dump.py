# SPDX-License-Identifier: Apache-2.0
"""What an NDIS instance looks like now, as plain data: adapters, bindings, filters, what is pending with its history.

`hilnic dump` prints it. Ages are in ns of virtual time; the verifier's records give owner and history, so with
verify=off only counts are known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.pool import describe_site

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.ndis import Ndis

SCHEMA = "hilnic.dump/1"
_AT_REST = {"home", "freed", "with its owner"}

Data = dict[str, Any]


def snapshot(ndis: Ndis, reason: str) -> Data:
    """Everything that `!ndiskd` would be asked for."""
    now = ndis.kernel.now_ns()
    return {
        "schema": SCHEMA,
        "reason": reason,
        "time_ns": now,
        "seed": ndis.report.seed,
        "verify": ndis.verify,
        "irql": ndis.kernel.irql.name,
        "held_locks": [repr(lock) for lock in ndis.held_locks],
        "miniports": [driver.characteristics.name for driver in ndis.miniport_drivers],
        "protocols": [driver.characteristics.name for driver in ndis.protocol_drivers],
        "adapters": [_adapter(adapter, now) for adapter in ndis.adapters],
        "pools": [{"pool": repr(pool), "owner": repr(pool.owner), "live": len(pool.live)} for pool in ndis.pools],
        "pending": pending(ndis),
        "violations": [str(violation) for violation in ndis.report.violations],
        "warnings": [str(warning) for warning in ndis.report.warnings],
    }


def _adapter(adapter: Adapter, now: int) -> Data:
    return {
        "name": adapter.name,
        "driver": adapter.driver.characteristics.name,
        "state": adapter.state.value,
        "removed": adapter.removed,
        "resetting": adapter.resetting,
        **adapter.statistics(),
        "packet_filter": adapter.merged_filter,
        "operations": sorted(adapter.pending),
        "held_sends": len(adapter.held_sends),
        "interrupts": [repr(interrupt) for interrupt in adapter.interrupts],
        "timers": [repr(timer) for timer in adapter.timers],
        "dma": [repr(handle) for handle in adapter.dma_handles],
        "connections": [
            {
                "name": vc.name,
                "state": vc.state.value,
                "call": vc.call.state.value,
                "user": repr(vc.user),
                "parties": len(vc.call.parties),
                "sends_outstanding": vc.sends_outstanding,
                "receives_outstanding": vc.receives_outstanding,
                "pending": sorted(vc.pending | vc.call.pending),
            }
            for vc in (adapter.co.vcs if adapter.co is not None else ())
        ],
        "filters": [
            {"name": module.name, "state": module.state.value, "operations": sorted(module.pending)}
            for module in adapter.filters
        ],
        "bindings": [
            {
                "name": binding.name,
                "state": binding.state.value,
                **binding.statistics(),
                "packet_filter": binding.packet_filter,
                "events": sorted(binding.pending),
            }
            for binding in adapter.bindings
        ],
        "oids": [
            {
                "request": repr(request),
                "sender": "NDIS" if sender is None else sender.name,
                "with": place,
                "age_ns": now - request.ndis_since,
            }
            for request, sender, place in adapter.oids.pending()
        ],
    }


def pending(ndis: Ndis) -> list[Data]:
    """The NBLs and packets that are not with the driver they came from, the oldest first."""
    now, found = ndis.kernel.now_ns(), []
    for pool in ndis.pools:
        for item, site in pool.live.items():
            custody = getattr(item, "ndis_custody", None)
            state = str(getattr(custody.state, "value", custody.state)) if custody is not None else ""
            if custody is not None and state not in _AT_REST:
                found.append(
                    {
                        "object": repr(item),
                        "kind": type(item).__name__,
                        "state": state,
                        "owner": repr(custody.owner),
                        "age_ns": now - custody.history[-1][0],
                        "pool": pool.tag,
                        "allocated": describe_site(site),
                        "history": [[time, verb, repr(actor)] for time, verb, actor in custody.history],
                    }
                )
    return sorted(found, key=lambda row: -row["age_ns"])
