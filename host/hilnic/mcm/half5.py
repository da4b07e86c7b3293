# SPDX-License-Identifier: Apache-2.0
"""The integrated call manager of NDIS 5: `half` with the registration that NDIS 5 has."""

from __future__ import annotations

from hilnic.mcm.half import FAMILY, HANDLERS, Mcm
from hilnic.ndis import NdisStatus
from hilnic.ndis.condis import ndis5 as condis5

__all__ = ["Mcm5"]


class Mcm5(Mcm):
    """The call manager's half of one adapter."""

    def start(self) -> NdisStatus:
        """NdisMCmRegisterAddressFamily: the handlers come with the call."""
        return condis5.mcm_register_address_family(self.adapter, FAMILY, HANDLERS)
