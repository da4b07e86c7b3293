# SPDX-License-Identifier: Apache-2.0
"""One frame on its way through a transmitter, and what is counted of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hilnic import ndis
from hilnic.hw.memory import Mapping

if TYPE_CHECKING:
    from hilnic.miniport.tx import Transmitter

__all__ = ["Element", "TxFrame", "TxStatistics", "process_sg_list", "used"]

Element = ndis.ScatterGatherElement


@dataclass(frozen=True, slots=True)
class TxStatistics:
    """Frames by fate, since initialization."""

    sent: int
    errors: int
    """Ended by the NIC with an error."""
    refused: int
    """Never posted: bad length, no memory."""
    aborted: int
    """Given up by pause, reset, removal or cancel."""
    copied: int
    queue_length: int


class TxFrame:
    """One NET_BUFFER on its way."""

    __slots__ = ("bounce", "end", "given_up", "length", "nb", "nbl", "requested", "sg_list", "tag", "transmitter")

    def __init__(
        self, transmitter: Transmitter, nbl: ndis.NetBufferList, nb: ndis.NetBuffer, tag: bytes | None
    ) -> None:
        self.transmitter, self.nbl, self.nb, self.tag = transmitter, nbl, nb, tag
        self.sg_list: ndis.ScatterGatherList | None = None
        self.bounce: tuple[ndis.Region, Mapping] | None = None  # the copy and its mapping
        self.requested = False
        self.given_up: ndis.NdisStatus | None = None
        self.end = 0
        self.length = nb.data_length


def process_sg_list(sg_list: ndis.ScatterGatherList, frame: TxFrame) -> None:
    """MiniportProcessSGList, of all transmitters of an adapter."""
    frame.transmitter.process_sg_list(sg_list, frame)


def used(sg_list: ndis.ScatterGatherList, skip: int) -> list[Element]:
    """The list without the `skip` bytes before the data, which begin the current MDL (MD-26)."""
    elements = sg_list.elements
    if not skip:
        return elements
    address, length = elements[0]
    return [Element(address + skip, length - skip), *elements[1:]] if length > skip else elements[1:]
