# SPDX-License-Identifier: Apache-2.0
"""Chains of lists that travel in batches: whose they are, whether they are well, and how they leave.

Most chains are a whole batch in the order in which it was handed over: `is_whole`. Of any other `runs_of` finds out of
which batches it is made, and `parts_of` makes a batch of its own of each piece that goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.batch import Batch, Event, Row, sent_form
from hilnic.ndis.verifier.custody import HOME
from hilnic.ndis.verifier.shadow import POISON_BYTES

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.filter import FilterModule

_SUCCESS = NdisStatus.SUCCESS

Run = tuple[Batch, int]
"""So many lists of one batch, one after the other in a chain."""

IsWell = Callable[[Batch, NetBufferList], bool]
"""Whether a list of a batch is as it should be; AttributeError or TypeError where it has lost its NET_BUFFER or MDL."""


def batch_of(nbl: NetBufferList | None, state: str, holder: Any) -> Batch | None:
    """The batch that a list is in, if `holder` has it in this state."""
    custody = None if nbl is None else nbl.ndis_custody
    held = None if custody is None else custody.held
    if held.__class__ is Batch and held.state is state and held.holder is holder:
        batch: Batch = held
        return batch
    return None


def rows_of(batch: Batch) -> list[Row]:
    """What has to be so if the members of a batch are sent together again."""
    found = []
    for nbl in batch.members:
        custody = nbl.ndis_custody
        found.append((nbl, custody, custody.form[6], custody.form[13], custody.form[9]))
    return found


def is_whole(batch: Batch, first: NetBufferList) -> bool:
    """Whether a chain is the whole batch in its order, with its source handle."""
    source = batch.source
    nbl: NetBufferList | None = first
    for member in batch.members:
        if nbl is not member or nbl.source_handle is not source:
            return False
        nbl = nbl.next
    return nbl is None


def is_whole_and_sent(batch: Batch, first: NetBufferList) -> bool:
    """`is_whole`, and every list says that it was sent."""
    source = batch.source
    nbl: NetBufferList | None = first
    for member in batch.members:
        if nbl is not member or nbl.source_handle is not source:
            return False
        status = nbl.status
        if status is not _SUCCESS and status != 0:
            return False
        nbl = nbl.next
    return nbl is None


def runs_of(first: NetBufferList | None, state: str, holder: Any, is_well: IsWell) -> list[Run]:
    """The runs of a chain whose lists are all well; none when one is not, or `holder` does not have all, or in a cycle.

    A list is in a chain once, so that more lists of a batch than it has are a cycle.
    """
    runs: list[Run] = []
    found: dict[Batch, int] = {}
    nbl = first
    try:
        while nbl is not None:
            batch = batch_of(nbl, state, holder)
            if batch is None:
                return []
            number = 0
            most = batch.number - found.get(batch, 0)
            while nbl is not None and nbl.ndis_custody.held is batch:
                if number == most or not is_well(batch, nbl):
                    return []
                number += 1
                nbl = nbl.next
            found[batch] = found.get(batch, 0) + number
            runs.append((batch, number))
    except (AttributeError, TypeError):
        return []
    return runs


def parts_of(first: NetBufferList, runs: list[Run]) -> list[Batch]:
    """A batch for each run of the chain: the one that it is of where it is all of it."""
    parts = []
    nbl: NetBufferList | None = first
    for batch, number in runs:
        parts.append(_part_of(batch, nbl, number))
        nbl = _behind(nbl, number)
    return parts


def _part_of(batch: Batch, first: NetBufferList | None, number: int) -> Batch:
    """The batch of the `number` lists from `first` on."""
    if number == batch.number:
        return batch
    part = batch.split(number)
    nbl = first
    for _ in range(number):
        if nbl is not None:
            custody = nbl.ndis_custody
            custody.held = part
            part.members.append(nbl)
            if custody in batch.looked:
                part.looked[custody] = batch.looked.pop(custody)
            if custody in batch.samples:
                part.samples[custody] = batch.samples.pop(custody)
            nbl = nbl.next
    if batch.sure is not None and batch.sure.ndis_custody.held is part:
        part.sure, batch.sure = batch.sure, None
    return part


def _behind(first: NetBufferList | None, number: int) -> NetBufferList | None:
    """What follows so many lists."""
    for _ in range(number):
        first = None if first is None else first.next
    return first


def come_home(first: NetBufferList, runs: list[Run], event: Event | None) -> None:
    """The lists of these runs are home; what stays of a batch goes on."""
    nbl: NetBufferList | None = first
    for batch, number in runs:
        is_all = number == batch.number
        trip = batch.events if is_all else batch.end_part(number, event)
        for _ in range(number):
            if nbl is not None:
                custody = nbl.ndis_custody
                custody.held = HOME
                custody.trip = trip
                batch.looked.pop(custody, None)
                batch.samples.pop(custody, None)
                nbl = nbl.next
        if is_all:
            batch.end(event)
            batch.scatter()


def back_home(members: list[NetBufferList]) -> None:
    """These were to travel in a batch and do not."""
    for nbl in members:
        nbl.ndis_custody.held = HOME


def is_as_submitted(nbl: NetBufferList) -> bool:
    """Whether a list that is looked at has its whole form."""
    try:
        same: bool = sent_form(nbl) == nbl.ndis_custody.form
    except AttributeError:
        return False
    return same


def is_sent_like_before(batch: Batch, nbl: NetBufferList) -> bool:
    """Whether a list may be sent on: source handle, and its NET_BUFFER, MDL chain and length if it is looked at."""
    custody = nbl.ndis_custody
    return nbl.source_handle is batch.source and (custody not in batch.looked or _is_like(nbl, custody.form))


def is_completed_like_before(batch: Batch, nbl: NetBufferList) -> bool:
    """Whether a list may be completed to a filter: as one that is sent on; it was sent, and left no SG list."""
    status = nbl.status
    if status is not _SUCCESS and status != 0:
        return False
    return is_sent_like_before(batch, nbl) and nbl.first_net_buffer.scatter_gather_list is None  # type: ignore[union-attr]


def are_like_before(batch: Batch) -> bool:
    """Whether all lists that the batch looks at have their NET_BUFFER, MDL chain and length."""
    for custody, nbl in batch.looked.items():
        form = custody.form
        nb = nbl.first_net_buffer
        if nb is None or nb is not form[6] or nb.data_length != form[9] or nb.mdl_chain is not form[13]:
            return False
    return True


def _is_like(nbl: NetBufferList, form: tuple[Any, ...]) -> bool:
    nb = nbl.first_net_buffer
    return nb is not None and nb is form[6] and nb.data_length == form[9] and nb.mdl_chain is form[13]


def is_mapped(batch: Batch, holder: Adapter | FilterModule) -> bool:
    """Whether the device may still read a list that the miniport completes (IT-06)."""
    for handle in getattr(holder, "dma_handles", ()):
        if handle.live:
            frames = [nbl.first_net_buffer for nbl in batch.members]
            return any(nb is None or nb.scatter_gather_list is not None for nb in frames)
    return False


def climb_to(batch: Batch, upper: FilterModule) -> None:
    """The batch goes up to `upper`: filters between that do not see completions are passed."""
    while batch.givers:
        giver = batch.givers[-1]
        if giver is not upper and giver.position < upper.position:
            break
        batch.givers = batch.givers[:-1]
        if giver is upper:
            break
    batch.holder = upper


def poison_all(nbls: NetBufferList) -> None:
    """0xDD over what was indicated: whoever reads it later sees that it is not his any more (V3)."""
    nbl: NetBufferList | None = nbls
    while nbl is not None:
        if nbl.pool.poisons:
            form, offset, length = nbl.ndis_custody.form
            start = form[8] + offset
            form[7].view[start : start + length] = POISON_BYTES[:length]
        nbl = nbl.next
