# SPDX-License-Identifier: Apache-2.0
"""The NIC's VC table: what is built, and which entries are taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hilnic.hw import regs
from hilnic.miniport.bring_up import Refused
from hilnic.miniport.hardware import Hardware
from hilnic.miniport_co.config import CoConfig
from hilnic.ndis import NdisStatus

__all__ = ["Table", "read_table"]

_FIRST_QUEUE = 1  # queue 0 is the connectionless one


@dataclass(slots=True)
class Table:
    """`entries` of the table and the queues that go with them; `connections` by entry."""

    entries: int
    cycle_ps: int
    vector: int
    connections: dict[int, Any] = field(default_factory=dict)
    _free: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """All entries are free, the lowest goes first."""
        self._free = list(reversed(range(self.entries)))

    def queue(self, entry: int) -> int:
        """The number of an entry's queues, of both directions."""
        return _FIRST_QUEUE + entry

    def take(self) -> int | None:
        """An entry; None when all are taken."""
        return self._free.pop() if self._free else None

    def give_back(self, entry: int) -> None:
        """It is free."""
        del self.connections[entry]
        self._free.append(entry)


async def read_table(hardware: Hardware, config: CoConfig) -> Table:
    """What the NIC says it has; Refused when that is no connection at all."""
    features = await hardware.read(regs.FEATURES)
    queues = await hardware.read(regs.QUEUES)
    tx = (queues & regs.QUEUES_NUM_TX_QUEUES) >> regs.QUEUES_NUM_TX_QUEUES_LSB
    rx = (queues & regs.QUEUES_NUM_RX_QUEUES) >> regs.QUEUES_NUM_RX_QUEUES_LSB
    entries = min(await hardware.read(regs.NUM_VCS), tx - _FIRST_QUEUE, rx - _FIRST_QUEUE, config.most_vcs)
    if not features & regs.FEATURES_VIRTUAL_CONNECTIONS or entries < 1:
        raise Refused(NdisStatus.NOT_SUPPORTED)
    vectors = (await hardware.read(regs.CAPS0) & regs.CAPS0_NUM_VECTORS) >> regs.CAPS0_NUM_VECTORS_LSB
    if config.nic.vector + 1 >= vectors:
        raise Refused(NdisStatus.NOT_SUPPORTED)
    return Table(entries, await hardware.read(regs.SYS_CLK_PS), config.nic.vector + 1)
