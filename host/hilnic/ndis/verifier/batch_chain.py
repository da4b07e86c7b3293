# SPDX-License-Identifier: Apache-2.0
"""Chains of lists that travel in batches: whose they are, whether they are well, and how they leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.batch import Batch, Event, sent_form
from hilnic.ndis.verifier.shadow import POISON_BYTES

if TYPE_CHECKING:
    from hilnic.ndis.filter import FilterModule

_SUCCESS = NdisStatus.SUCCESS

Run = tuple[Batch, int]
"""So many lists of one batch, one after the other in a chain."""


def come_home(
    nbls: NetBufferList, runs: list[Run], is_well: bool, read: Callable[[Any], bytes], event: Event | None
) -> bool:
    """The lists of these runs have come home, unless something is wrong with them or their bytes."""
    first: NetBufferList | None = nbls
    for batch, number in runs:
        if not is_well:
            break
        whole = number == batch.number
        is_well = _bytes_of_all(batch, read) if whole else _bytes_of_some(batch, first, number, read)
        first = behind(first, number)
    first = nbls
    for batch, number in runs:
        if is_well:
            _leave(batch, first, number, event)
        else:
            write_held(first, number, batch)
        first = behind(first, number)
    return is_well


def whole_run_home(
    batch: Batch, first: NetBufferList, number: int, read: Callable[[Any], bytes], event: Event | None
) -> bool:
    """`come_home` for a chain of one run whose lists are well."""
    if number == batch.number:
        for custody, data in batch.samples.items():
            if read(custody.shadow) != data:
                break
        else:
            batch.end(event)
            return True
    elif _bytes_of_some(batch, first, number, read):
        _leave(batch, first, number, event)
        return True
    write_held(first, number, batch)
    return False


def _leave(batch: Batch, first: NetBufferList | None, number: int, event: Event | None) -> None:
    """So many lists are home: all of the batch, or some of it, which remember what has happened to them."""
    if number == batch.number:
        batch.end(event)
        return
    trip = batch.end_part(number, event)
    nbl = first
    for _ in range(number):
        if nbl is not None:
            custody = nbl.ndis_custody
            custody.trip = trip
            batch.samples.pop(custody, None)
            nbl = nbl.next


def _bytes_of_all(batch: Batch, read: Callable[[Any], bytes]) -> bool:
    """Whether the lists have the bytes that were kept of them."""
    return [read(custody.shadow) for custody in batch.samples] == list(batch.samples.values())


def _bytes_of_some(batch: Batch, first: NetBufferList | None, number: int, read: Callable[[Any], bytes]) -> bool:
    """Whether so many lists have the bytes that were kept of them."""
    nbl = first
    for _ in range(number):
        custody = None if nbl is None else nbl.ndis_custody
        if custody in batch.samples and read(custody.shadow) != batch.samples[custody]:
            return False
        nbl = None if nbl is None else nbl.next
    return True


def batch_of(nbl: NetBufferList | None, state: str, holder: Any) -> Batch | None:
    """The batch that a list is in, if `holder` has it in this state."""
    custody = None if nbl is None else nbl.ndis_custody
    held = None if custody is None else custody.held
    if held.__class__ is Batch and held.state is state and held.holder is holder:
        batch: Batch = held
        return batch
    return None


def run_of(batch: Batch, first: NetBufferList | None) -> tuple[int, NetBufferList | None]:
    """How many lists in a row are of the batch and have its source handle, and what follows them.

    None at all when a handle differs, or the chain has more lists than the batch, which is a cycle.
    """
    source = batch.source
    nbl = first
    try:
        for number in range(batch.number):
            if nbl is None or nbl.ndis_custody.held is not batch:
                return number, nbl
            if nbl.source_handle is not source:
                return 0, None
            nbl = nbl.next
        if nbl is not None and nbl.ndis_custody.held is batch:
            return 0, None
    except AttributeError:  # a list from no pool, which has no record
        return 0, None
    return batch.number, nbl


def hop(batch: Batch, first: NetBufferList, is_up: bool) -> int:
    """How many lists a chain of the batch has; 0 when something of it is not well, or it is a cycle.

    Looked at: source handle, NET_BUFFER, MDL chain and length; on the way up that it was sent, and left no SG list.
    """
    source = batch.source
    most = batch.number
    number = 0
    nbl: NetBufferList | None = first
    while nbl is not None:
        custody = nbl.ndis_custody
        if custody is None or custody.held is not batch or nbl.source_handle is not source or number == most:
            return 0
        form = custody.shadow
        nb = nbl.first_net_buffer
        if nb is None or nb is not form[6] or nb.data_length != form[9] or nb.mdl_chain is not form[13]:
            return 0
        if is_up:
            status = nbl.status
            if (status is not _SUCCESS and status != 0) or nb.scatter_gather_list is not None:
                return 0
        number += 1
        nbl = nbl.next
    return number


def is_as_submitted(nbl: NetBufferList) -> bool:
    try:
        same: bool = sent_form(nbl) == nbl.ndis_custody.shadow
    except AttributeError:
        return False
    return same


def write_held(first: NetBufferList | None, number: int, held: Any) -> None:
    """So many lists from `first` on are in this state, or batch."""
    nbl = first
    for _ in range(number):
        if nbl is not None:
            nbl.ndis_custody.held = held
            nbl = nbl.next


def behind(first: NetBufferList | None, number: int) -> NetBufferList | None:
    """What follows so many lists."""
    for _ in range(number):
        first = None if first is None else first.next
    return first


def part_of(batch: Batch, first: NetBufferList | None, number: int) -> Batch:
    """The batch of the `number` lists from `first` on: `batch` itself when these are all of it."""
    if number == batch.number:
        return batch
    part = batch.split(number)
    nbl = first
    for _ in range(number):
        if nbl is not None:
            custody = nbl.ndis_custody
            custody.held = part
            if custody in batch.samples:
                part.samples[custody] = batch.samples.pop(custody)
            nbl = nbl.next
    if batch.sure is not None and batch.sure.ndis_custody.held is part:
        part.sure, batch.sure = batch.sure, None
    return part


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
            form, offset, length = nbl.ndis_custody.shadow
            start = form[8] + offset
            form[7].view[start : start + length] = POISON_BYTES[:length]
        nbl = nbl.next
