# SPDX-License-Identifier: Apache-2.0
"""The link's news for connection-oriented protocols, beside those for all others.

Every protocol with CoNDIS handlers hears of the adapter's link; besides, the user of each active VC hears of the VC
(CD-13): it is connected, with the speeds of its contract, while the link is up, and it has new speeds when its contract
changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic import ndis
from hilnic.miniport.hardware import Hardware
from hilnic.miniport.link import Link, link_state
from hilnic.miniport5.link import Link5
from hilnic.ndis import LinkState, MediaConnectState, MediaDuplexState, NdisStatus, condis
from hilnic.ndis.condis import ndis5 as condis5

if TYPE_CHECKING:
    from hilnic.miniport_co.connection import Connection
    from hilnic.miniport_co.connections import Connections

__all__ = ["CoLink", "CoLink5"]

_SPEED_UNIT = 100
"""bit/s, of NDIS_STATUS_LINK_SPEED_CHANGE."""


class CoLink(Link):
    """Of the 6.x driver."""

    __slots__ = ("_connections",)

    def __init__(self, adapter: ndis.Adapter, hardware: Hardware, connections: Connections) -> None:
        super().__init__(adapter, hardware)
        self._connections = connections

    def tell(self, up: bool) -> None:
        """NdisMIndicateStatusEx, NdisMCoIndicateStatusEx."""
        super().tell(up)
        condis.mco_indicate_status(self._adapter, None, ndis.StatusIndication(NdisStatus.LINK_STATE, link_state(up)))
        for connection in self._connections.known():
            self.tell_of(connection)

    def tell_of(self, connection: Connection) -> None:
        """What an active VC is now."""
        state, contract = link_state(up=False), connection.contract
        if self.up and contract is not None:
            speeds = contract.transmit_speed, contract.receive_speed
            state = LinkState(MediaConnectState.CONNECTED, MediaDuplexState.FULL, *speeds)
        indication = ndis.StatusIndication(NdisStatus.LINK_STATE, state)
        condis.mco_indicate_status(self._adapter, connection.vc, indication)


class CoLink5(Link5):
    """Of the 5.x driver."""

    __slots__ = ("_connections",)

    def __init__(self, adapter: ndis.Adapter, hardware: Hardware, connections: Connections) -> None:
        super().__init__(adapter, hardware)
        self._connections = connections

    def tell(self, up: bool) -> None:
        """NdisMIndicateStatus, NdisMCoIndicateStatus."""
        super().tell(up)
        status = NdisStatus.MEDIA_CONNECT if up else NdisStatus.MEDIA_DISCONNECT
        condis5.mco_indicate_status(self._adapter, None, status)
        for connection in self._connections.known():
            condis5.mco_indicate_status(self._adapter, connection.vc, status)
            if up:
                self.tell_of(connection)

    def tell_of(self, connection: Connection) -> None:
        """How fast an active VC is now."""
        if self.up and connection.contract is not None:
            speed = (connection.contract.transmit_speed // _SPEED_UNIT).to_bytes(4, "little")
            condis5.mco_indicate_status(self._adapter, connection.vc, NdisStatus.LINK_SPEED_CHANGE, speed)
