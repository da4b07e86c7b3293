# SPDX-License-Identifier: Apache-2.0
"""The ghost of an intermediate driver joins its edges: what is on its way through it comes out where it went in.

A list that the driver had sent on, or indicated on, finds its way back with the source handle that it came with. An
original that pieces or clones were made of waits until they are home.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.ghosts.custody import in_custody
from hilnic.ndis.nbl import NblQueue, NetBufferList, chain, walk
from hilnic.ndis.receive import return_net_buffer_lists
from hilnic.ndis.send import complete_send_net_buffer_lists
from hilnic.ndis.verifier.custody import INDICATED, SENT

if TYPE_CHECKING:
    from hilnic.ndis.driver import MiniportDriver


def completer(driver: MiniportDriver) -> Callable[..., None]:
    """The lower edge's completion handler: what virtual adapters were given goes on up, the driver's own ends here."""

    def complete(_: Any, nbls: NetBufferList, __: int) -> None:
        passing: dict[Any, NblQueue] = {}
        for nbl in walk(nbls):
            custody = nbl.ndis_custody
            if custody is not None and custody.state is SENT and custody.owner in driver.adapters:
                nbl.source_handle = custody.source
                passing.setdefault(custody.owner, NblQueue()).append(nbl)
        for adapter, queue in passing.items():
            complete_send_net_buffer_lists(adapter, queue.take())
        settle(driver)

    return complete


def settle(driver: MiniportDriver) -> None:
    """Something has come back: what waited for it goes home, upwards and downwards, and a pause may end."""
    from hilnic.ndis.ghosts.miniport import check_paused, complete_held

    for binding in [] if driver.lower_edge is None else driver.lower_edge.bindings:
        held = in_custody(binding, INDICATED)
        for nbl in held:
            nbl.source_handle = nbl.ndis_custody.source
        if held:
            return_net_buffer_lists(binding, chain(held))
    for adapter in list(driver.adapters):
        complete_held(adapter)
        check_paused(adapter)
