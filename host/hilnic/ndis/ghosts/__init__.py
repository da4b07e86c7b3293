# SPDX-License-Identifier: Apache-2.0
"""Ghosts: what stands in for a driver whose handler has raised (ndis/faults.py), until NDIS has taken it out.

`replace` first: no handler of the driver's runs any more. Then `haunt`: the data path leads to the ghost. Then, at
PASSIVE_LEVEL, `unload`: what the driver held goes back to where it came from, its edges are unbound, detached, removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.ndis.driver import MiniportDriver, ProtocolDriver
from hilnic.ndis.ghosts import filter as of_filter
from hilnic.ndis.ghosts import miniport as of_miniport
from hilnic.ndis.ghosts import protocol as of_protocol
from hilnic.ndis.ghosts.custody import in_custody, outstanding

if TYPE_CHECKING:
    from hilnic.ndis.faults import Driver

__all__ = ["haunt", "in_custody", "outstanding", "replace", "unload"]


def replace(driver: Driver) -> None:
    """The ghost's handlers of PnP and requests instead of the driver's."""
    if isinstance(driver, MiniportDriver):
        of_miniport.replace(driver)
    elif isinstance(driver, ProtocolDriver):
        of_protocol.replace(driver)
    else:
        of_filter.replace(driver)


def haunt(driver: Driver) -> None:
    """The ghost's data path instead of the driver's."""
    if isinstance(driver, MiniportDriver):
        of_miniport.haunt(driver)
    elif isinstance(driver, ProtocolDriver):
        of_protocol.haunt(driver)
    else:
        of_filter.haunt(driver)


async def unload(driver: Driver) -> None:
    """Take the driver out."""
    if isinstance(driver, MiniportDriver):
        await of_miniport.unload(driver)
    elif isinstance(driver, ProtocolDriver):
        await of_protocol.unload(driver)
    else:
        await of_filter.unload(driver)
