# SPDX-License-Identifier: Apache-2.0
"""Intermediate drivers of NDIS 5: a 5.x protocol below, a 5.x miniport above, whose adapters are virtual.

Association and device instances are the core's: `ndis.im_associate_miniport`, `ndis.im_initialize_device_instance`.
What is left for NDIS 5 is the registration of the upper half, and the driver's own context of an instance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.adapter import Adapter
from hilnic.ndis.driver import MiniportDriver
from hilnic.ndis.ndis5.characteristics import MiniportCharacteristics5
from hilnic.ndis.ndis5.miniport_edge import edge_of
from hilnic.ndis.ndis5.registration import enter
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis


@wdk("NdisIMRegisterLayeredMiniport", irql="PASSIVE")
def im_register_layered_miniport(
    ndis: Ndis, characteristics: MiniportCharacteristics5, driver_context: Any = None
) -> tuple[NdisStatus, MiniportDriver | None]:
    """Register the upper half of an intermediate driver (C5-01); its adapters come by im_initialize_device_instance."""
    return enter(ndis, characteristics, driver_context)


@wdk("NdisIMGetDeviceContext")
def im_get_device_context(adapter: Adapter) -> Any:
    """The device context that the driver gave when it had the instance created."""
    edge = edge_of(adapter, "NdisIMGetDeviceContext")
    return None if edge is None else edge.resources
