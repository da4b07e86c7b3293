# SPDX-License-Identifier: Apache-2.0
"""The ledger of what travels up in batches, and back down: as batch_ledger.py, where the sends are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.verifier.batch import SAMPLED, Batch, may_be_received, received_bytes, received_form
from hilnic.ndis.verifier.batch_chain import back_home, batch_of, come_home, is_whole, parts_of, poison_all, runs_of
from hilnic.ndis.verifier.custody import HOME, INDICATED
from hilnic.ndis.verifier.ledger_checks import LedgerChecks

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.ndis import Ndis


class ReceivedBatches(LedgerChecks):
    """The receives' part of the ledger."""

    __slots__ = ("whole",)

    def __init__(self, ndis: Ndis) -> None:
        super().__init__(ndis)
        self.whole: Batch | None = None
        """What the chain of the last hand-over is, when that was all of one batch: its `number` and `source` hold for
        the chain until the next hand-over."""

    def begin_received(  # noqa: C901 - a call costs as much
        self, adapter: Adapter, nbls: NetBufferList | None, count: int
    ) -> bool:
        """A miniport indicates ordinary lists of its own, which are at home; `count` says how many."""
        self.whole = None
        ndis = self.ndis
        if nbls is None or ndis.guard is not None:
            return False
        batch = Batch(INDICATED, adapter, adapter, (ndis.kernel.now_ns(), "indicated by", adapter))
        members = batch.members
        samples = batch.samples = {}
        at_home: Any = HOME  # as the record of the list before said it
        nbl: NetBufferList | None = nbls
        try:
            while nbl is not None:
                custody = nbl.ndis_custody
                held = custody.held
                if held is not at_home:
                    if held is not HOME:
                        if held.__class__ is not Batch or held.state is not HOME:
                            break
                        held.scatter()
                    at_home = held
                form = received_form(nbl)
                nb, mdl = form[3], form[5]
                offset, length = nb.current_mdl_offset, nb.data_length
                if form[0] is not adapter or nb.current_mdl is not mdl or nb.data_offset != offset:
                    break
                known = custody.form
                if known is None or known[1] != offset or known[2] != length or known[0] != form:
                    if not 0 <= offset <= offset + length <= form[9]:
                        break
                    if (known is None or known[0] != form) and not may_be_received(nbl, form):
                        break
                    custody.form = (form, offset, length)
                    custody.due = 0
                if not len(members) & SAMPLED:
                    samples[custody] = received_bytes(custody.form)
                custody.held = batch
                members.append(nbl)
                nbl = nbl.next
        except (AttributeError, TypeError):
            """Something that is no list, or has lost its NET_BUFFER or MDL."""
        if nbl is None and len(members) == count:
            batch.number = count
            self.whole = batch
            return True
        back_home(members)
        return False

    def passed(
        self, holder: Any, nbls: NetBufferList | None, to: Any, verb: str, actor: Any, count: int | None = None
    ) -> bool:
        """A driver hands received lists, `count` of them where that is said, to the next one, up or down."""
        self.whole = None
        batch = batch_of(nbls, INDICATED, holder)
        if nbls is None or batch is None:
            return False
        if is_whole(batch, nbls):
            if count is not None and count != batch.number:
                return False
            self.whole = batch
            parts = [batch]
        else:
            runs = runs_of(nbls, INDICATED, holder, _has_source)
            if count is not None and count != sum(number for _, number in runs):
                return False
            parts = parts_of(nbls, runs)
            if len(parts) == 1:
                self.whole = parts[0]
        event = (self.ndis.kernel.now_ns(), verb, actor)
        for part in parts:
            part.holder = to
            part.events.append(event)
        return bool(parts)

    def given(self, holder: Any, nbls: NetBufferList | None, number: int | None, to: Any, verb: str) -> bool:
        """NDIS gives a driver what it has just had from another one: `number` lists of it, or all."""
        batch, self.whole = self.whole, None
        if nbls is None or batch is None or nbls.ndis_custody.held is not batch or number not in {None, batch.number}:
            return self.passed(holder, nbls, to, verb, to)
        batch.holder = to
        batch.events.append((self.ndis.kernel.now_ns(), verb, to))
        return True

    def end_received(self, adapter: Adapter, nbls: NetBufferList | None) -> bool:
        """The last holder is done with the lists: unchanged, poisoned, and at home."""
        self.whole = None
        batch = batch_of(nbls, INDICATED, adapter)
        if nbls is None or batch is None:
            return False
        if is_whole(batch, nbls):
            try:
                for nbl in batch.members:
                    if received_form(nbl) != nbl.ndis_custody.form[0]:
                        return False
            except (AttributeError, TypeError):
                return False
            for custody, data in batch.samples.items():
                if received_bytes(custody.form) != data:
                    return False
            batch.end(None)
        else:
            runs = runs_of(nbls, INDICATED, adapter, _is_as_received)
            if not runs:
                return False
            come_home(nbls, runs, None)
        poison_all(nbls)
        return True


def _has_source(batch: Batch, nbl: NetBufferList) -> bool:
    return nbl.source_handle is batch.source


def _is_as_received(batch: Batch, nbl: NetBufferList) -> bool:
    """Whether a list may go back to its miniport."""
    custody = nbl.ndis_custody
    if received_form(nbl) != custody.form[0]:
        return False
    return custody not in batch.samples or received_bytes(custody.form) == batch.samples[custody]
