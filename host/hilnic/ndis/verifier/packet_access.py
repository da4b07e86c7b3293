# SPDX-License-Identifier: Apache-2.0
"""`verify=full` for packets: every read and write by a running 5.x handler is checked against the packet's owner (V1).

As access.py for NET_BUFFER_LISTs. Macros like NDIS_GET_PACKET_STATUS are reads of the driver that uses them.
"""

from __future__ import annotations

from typing import Any

from hilnic.ndis.ndis5.levels import Level
from hilnic.ndis.ndis5.miniport_edge import MiniportEdge
from hilnic.ndis.ndis5.packet import Packet
from hilnic.ndis.ndis5.protocol_edge import BindingEdge
from hilnic.ndis.verifier.packet_ledger import PacketState

_UNCHECKED = frozenset({"pool", "id", "ndis", "ndis_custody", "reset"})


class CheckedPacket(Packet):
    """An NDIS_PACKET that asks before every access whether the running handler's driver may."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if name not in _UNCHECKED and not name.startswith("__"):
            _check(self, name)
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _UNCHECKED and hasattr(self, "ndis_custody"):
            _check(self, name)
        object.__setattr__(self, name, value)


def _check(packet: Packet, name: str) -> None:
    guard = object.__getattribute__(packet, "pool").ndis.guard
    actor = guard.actor
    if not isinstance(actor, BindingEdge | MiniportEdge):
        return
    guard.actor = None  # what follows is NDIS's own reading
    try:
        custody = packet.ndis_custody
        if custody is not None and not _may_touch(packet, actor):
            rule = _rule(packet, actor)
            packet.ndis.violation(rule, actor, packet, f"TOUCH: {name} while {custody.state.value}")
    finally:
        guard.actor = actor


def _may_touch(packet: Packet, actor: BindingEdge | MiniportEdge) -> bool:
    state, owner = packet.ndis_custody.state, packet.ndis_custody.owner
    ours = _edges(actor)
    if state is PacketState.FREED:
        return False
    if state is PacketState.TRANSFER:
        return isinstance(actor, MiniportEdge) and packet in actor.transfers
    if owner in ours or getattr(owner, "driver", None) in ours:
        return True
    return state is PacketState.INDICATED and any(_holds(level, ours) for level in _levels(packet))


def _edges(actor: BindingEdge | MiniportEdge) -> tuple[Any, ...]:
    """The driver, and the other half of an intermediate one."""
    if isinstance(actor, BindingEdge):
        return tuple(half for half in (actor.driver, actor.driver.upper_edge) if half is not None)
    driver = actor.adapter.driver
    return tuple(half for half in (driver, driver.lower_edge) if half is not None)


def _levels(packet: Packet) -> list[Level]:
    return [packet.stack[index].ndis_reserved[0] for index in range(packet.stack_index + 1)]


def _holds(level: Level, ours: tuple[Any, ...]) -> bool:
    """A receiver that is being called or owes a return, or the virtual miniport that indicated the packet."""
    holders = [level.calling, *(edge for edge, owed in level.holders.items() if owed > 0)]
    if any(edge is not None and edge.driver in ours for edge in holders):
        return True
    return isinstance(level.route, MiniportEdge) and level.route.is_intermediate and level.route.adapter.driver in ours


def _rule(packet: Packet, actor: BindingEdge | MiniportEdge) -> str:
    state = packet.ndis_custody.state
    if state is PacketState.FREED:
        return "S5-12"
    if state is PacketState.TRANSFER:
        return "R5-21"
    if isinstance(actor, MiniportEdge):
        return "R5-08" if state is PacketState.INDICATED else "S5-07"
    if state is PacketState.SENT:
        return "S5-08"
    return "R5-02"
