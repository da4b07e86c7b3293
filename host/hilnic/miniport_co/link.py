# SPDX-License-Identifier: Apache-2.0
"""The link's news for connection-oriented protocols, beside those for all others."""

from __future__ import annotations

from hilnic import ndis
from hilnic.miniport.link import Link, link_state
from hilnic.miniport5.link import Link5
from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis import ndis5 as condis5

__all__ = ["CoLink", "CoLink5"]


class CoLink(Link):
    """Of the 6.x driver."""

    __slots__ = ()

    def tell(self, up: bool) -> None:
        """NdisMIndicateStatusEx, NdisMCoIndicateStatusEx."""
        super().tell(up)
        condis.mco_indicate_status(self._adapter, None, ndis.StatusIndication(NdisStatus.LINK_STATE, link_state(up)))


class CoLink5(Link5):
    """Of the 5.x driver."""

    __slots__ = ()

    def tell(self, up: bool) -> None:
        """NdisMIndicateStatus, NdisMCoIndicateStatus."""
        super().tell(up)
        status = NdisStatus.MEDIA_CONNECT if up else NdisStatus.MEDIA_DISCONNECT
        condis5.mco_indicate_status(self._adapter, None, status)
