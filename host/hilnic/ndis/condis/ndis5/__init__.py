# SPDX-License-Identifier: Apache-2.0
"""CoNDIS as NDIS 5 spells it; everything that is not here 5.x drivers call by its name in hilnic.ndis.condis."""

from hilnic.ndis.condis.ndis5.family import (
    cl_open_address_family,
    cm_register_address_family,
    mcm_register_address_family,
)
from hilnic.ndis.condis.ndis5.receive import mco_indicate_receive_packet, mco_receive_complete
from hilnic.ndis.condis.ndis5.request import co_request, co_request_complete, mcm_request, mco_request_complete
from hilnic.ndis.condis.ndis5.send import co_send_packets, mco_send_complete
from hilnic.ndis.condis.ndis5.status_indication import mco_indicate_status

__all__ = [
    "cl_open_address_family",
    "cm_register_address_family",
    "co_request",
    "co_request_complete",
    "co_send_packets",
    "mcm_register_address_family",
    "mcm_request",
    "mco_indicate_receive_packet",
    "mco_indicate_status",
    "mco_receive_complete",
    "mco_request_complete",
    "mco_send_complete",
]
