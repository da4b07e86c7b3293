# SPDX-License-Identifier: Apache-2.0
"""What `hilnic ndistest` puts under test: our miniport or a user's, and our NIC's software twin below it."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hilnic import ndis
from hilnic.apps.outcome import Exit, Stop
from hilnic.hw.clock import VirtualClock
from hilnic.hw.cpu import HostCpu
from hilnic.hw.memory import HostMemory
from hilnic.miniport import driver as nic_driver
from hilnic.miniport.config import NicConfig
from hilnic.miniport5 import driver as nic_driver5
from hilnic.model.nic import ModelNic
from hilnic.testing.ndistest import Bed, Slot
from hilnic.testing.ndistest.bed import Register
from hilnic.testing.ndistest.port import MEMORY_BYTES, Cable, TappedWire, left_over

__all__ = ["OURS", "default_register", "find_register", "twin_bed"]


def _config(number: int) -> NicConfig:
    """Short rings; each card has an address of its own."""
    address = NicConfig().mac_address
    own = address[:5] + bytes([address[5] + number])
    return NicConfig(mac_address=own, tx_ring=64, rx_ring=64, rx_buffers=96)


def default_register(host: ndis.Ndis, number: int) -> ndis.MiniportDriver:
    """Our own miniport of NDIS 6."""
    return nic_driver.register(host, _config(number))


def _register_packets(host: ndis.Ndis, number: int) -> ndis.MiniportDriver:
    return nic_driver5.register(host, "packets", nic_driver5.Settings(_config(number)))


def _register_lookahead(host: ndis.Ndis, number: int) -> ndis.MiniportDriver:
    return nic_driver5.register(host, "lookahead", nic_driver5.Settings(_config(number), seed=number))


OURS: dict[str, Register] = {"6": default_register, "5": _register_packets, "5-lookahead": _register_lookahead}
"""Our miniports by the names that `hilnic live` has for them."""


def find_register(name: str | None, folder: Path | None = None) -> Register:
    """What `module:function` registers, found from `folder` too; one of OURS by its name, that of NDIS 6 for None.

    The function takes the Ndis instance and, if it likes, the number of the card. Stop with USAGE when there is none.
    """
    if name is None or name in OURS:
        return OURS[name or "6"]
    if name == "5-wan":
        raise Stop(Exit.USAGE, "--miniport 5-wan carries PPP frames of lines; the suites send Ethernet frames")
    module_name, colon, function_name = name.partition(":")
    if not colon:
        raise Stop(Exit.USAGE, f"--miniport {name}: {', '.join(OURS)} or module:function expected")
    here = str(folder or Path.cwd())
    if here not in sys.path:  # as `python -m` would
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
        for part in function_name.split("."):
            found = getattr(found, part)
        takes = len(inspect.signature(found).parameters)
    except (ImportError, AttributeError, TypeError, ValueError) as missing:
        raise Stop(
            Exit.USAGE, f"--miniport {name}: {', '.join(OURS)} or module:function expected ({missing})"
        ) from None
    register: Register = found if takes > 1 else (lambda host, _: found(host))
    return register


def _removal(nic: ModelNic) -> Callable[[], Awaitable[None]]:
    async def remove() -> None:
        nic.remove()

    return remove


def twin_bed(cards: int, register: Register, **options: Any) -> tuple[VirtualClock, Bed]:
    """Our NIC's software twin in each slot."""
    clock = VirtualClock()
    nics = [ModelNic(clock, HostMemory(MEMORY_BYTES), name=f"nic{number}") for number in range(cards)]
    wires = [TappedWire(nic.wire) for nic in nics]
    slots = []
    for nic, wire in zip(nics, wires, strict=True):
        cpu = HostCpu(clock, nic.memory)
        cpu.attach(nic)
        slots.append(Slot(cpu, nic, wire, left_over(nic.memory), _removal(nic), wire.tap))
    line = Cable(*wires)

    def set_cable(up: bool) -> None:
        line.is_in = up
        for nic in nics:
            nic.set_link(up)

    return clock, Bed(slots, register, set_cable, **options)
