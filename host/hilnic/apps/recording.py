# SPDX-License-Identifier: Apache-2.0
"""Writes every frame of a simulated wire to a pcapng file, at its simulated time and with its direction."""

from typing import Any

from hilnic.wire.link import WireFrame
from hilnic.wire.pcapng import Direction, PcapngWriter

__all__ = ["record_into"]


def record_into(writer: PcapngWriter, link: Any, name: str = "wire0") -> None:
    """Let `link`, an HdlLink, tell the writer of all frames from now on."""
    interface = writer.add_interface(name, "GMII of the simulated NIC")

    def record(from_nic: bool, frame: WireFrame) -> None:
        way = Direction.OUTBOUND if from_nic else Direction.INBOUND
        writer.write(interface, frame.data, frame.time_ns, way, crc_error=not frame.fcs_ok, symbol_error=frame.error)

    link.record = record
