# SPDX-License-Identifier: Apache-2.0
"""The link in NDIS 5's words: NDIS_STATUS_MEDIA_CONNECT and NDIS_STATUS_MEDIA_DISCONNECT."""

from __future__ import annotations

from hilnic.miniport.link import Link
from hilnic.ndis import NdisStatus, ndis5

__all__ = ["Link5"]


class Link5(Link):
    """As the 6.x driver's, with another way to say it."""

    __slots__ = ()

    def tell(self, up: bool) -> None:
        """NdisMIndicateStatus, NdisMIndicateStatusComplete (C5-13)."""
        ndis5.indicate_status(self._adapter, NdisStatus.MEDIA_CONNECT if up else NdisStatus.MEDIA_DISCONNECT)
        ndis5.indicate_status_complete(self._adapter)
