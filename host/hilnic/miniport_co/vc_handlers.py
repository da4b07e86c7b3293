# SPDX-License-Identifier: Apache-2.0
"""MiniportCoCreateVc, DeleteVc, ActivateVc, DeactivateVc: the same in both versions, as their completions are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis import NdisStatus, condis

if TYPE_CHECKING:
    from hilnic.miniport_co.connection import Connection

__all__ = ["activate_vc", "create_vc", "deactivate_vc", "delete_vc"]


def create_vc(nic: Any, vc: condis.VcHandle) -> tuple[NdisStatus, Any]:
    """An entry of the NIC's table."""
    status, connection = nic.connections.create(vc)
    return status, connection


def delete_vc(connection: Connection) -> NdisStatus:
    """The entry is free again."""
    return connection.connections.delete(connection)


def activate_vc(connection: Connection, parameters: condis.CallParameters) -> NdisStatus:
    """Bring it up, or change its contract."""
    return connection.connections.activate(
        connection, parameters, lambda status: condis.mco_complete_activate_vc(connection.vc, status, parameters)
    )


def deactivate_vc(connection: Connection) -> NdisStatus:
    """Take it down."""
    return connection.connections.deactivate(
        connection, lambda status: condis.mco_complete_deactivate_vc(connection.vc, status)
    )
