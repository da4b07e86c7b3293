# SPDX-License-Identifier: Apache-2.0
"""The ledger of what travels down in batches (batch.py): begin, move on, end. It finds that all is well, nothing else.

Each method looks at a chain and answers True when every list in it is as it should be; the hand-over is then done. At
the first one that is not, the answer is False and nothing has been done: ledger.py or filter_ledger.py takes the chain
list by list and names who broke which rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.verifier.batch import (
    BYTES_MASK,
    BYTES_MIX,
    LOOK_EVERY,
    Batch,
    Event,
    Row,
    may_be_sent,
    sent_bytes,
    sent_form,
)
from hilnic.ndis.verifier.batch_chain import (
    are_like_before,
    back_home,
    batch_of,
    climb_to,
    come_home,
    is_as_submitted,
    is_completed_like_before,
    is_mapped,
    is_sent_like_before,
    is_whole,
    is_whole_and_sent,
    parts_of,
    rows_of,
    runs_of,
)
from hilnic.ndis.verifier.batch_receives import ReceivedBatches
from hilnic.ndis.verifier.custody import HOME, SENT

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.filter import FilterModule
    from hilnic.ndis.ndis import Ndis


class BatchLedger(ReceivedBatches):
    """The batches' part of the verifier; unused in `full`, which looks at every list by itself."""

    __slots__ = ("_looks",)

    def __init__(self, ndis: Ndis) -> None:
        super().__init__(ndis)
        self._looks = 0  # at lists that were sent

    def begin_sent(self, binding: Binding, nbls: NetBufferList | None) -> bool:  # noqa: C901 - a call costs as much
        """A protocol sends ordinary lists of its own, which are at home."""
        self.whole = None
        ndis = self.ndis
        if nbls is None or ndis.guard is not None:
            return False
        adapter = binding.adapter
        event = (ndis.kernel.now_ns(), "sent by", binding)
        if self._sent_again(binding, nbls, event):
            return True
        batch = Batch(SENT, adapter.top_sender or adapter, binding, event)
        members = batch.members
        looked = batch.looked = {}
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
                if nbl.source_handle is not binding:
                    break
                due = custody.due
                if due:
                    known = custody.form
                    nb: Any = nbl.first_net_buffer
                    if nb is not known[6] or nb.mdl_chain is not known[13] or nb.data_length != known[9]:
                        due = 0
                if due:
                    custody.due = due - 1
                else:
                    form = sent_form(nbl)
                    self._looks = looks = self._looks + 1
                    if form == custody.form:
                        custody.due = LOOK_EVERY - 1
                    elif may_be_sent(nbl, form, adapter.largest_frame):
                        custody.form = form
                        custody.due = looks % LOOK_EVERY  # not all of a pool at once
                    else:
                        break
                    if not looked or not looks * BYTES_MIX & BYTES_MASK:
                        samples[custody] = sent_bytes(form)
                    looked[custody] = nbl
                custody.held = batch
                members.append(nbl)
                nbl = nbl.next
            else:
                batch.number = len(members)
                batch.sure = nbls if nbls.ndis_custody in looked else None
                self.whole = batch
                return True
        except (AttributeError, TypeError):
            """Something that is no list, or has lost its NET_BUFFER or MDL."""
        back_home(members)
        return False

    def _sent_again(self, binding: Binding, nbls: NetBufferList, event: Event) -> bool:
        """The chain is one that the binding has sent before, in the same order, and that has come home whole."""
        first = nbls.ndis_custody
        batch = None if first is None else first.held
        if batch.__class__ is not Batch or batch.state is not HOME or batch.source is not binding:
            return False
        rows: list[Row] | None = batch.rows
        if rows is None:
            rows = batch.rows = rows_of(batch)
        nbl: NetBufferList | None = nbls
        for member, _, nb, mdl, length in rows:
            if nbl is not member or nbl.source_handle is not binding:
                return False
            if member.first_net_buffer is not nb or nb.mdl_chain is not mdl or nb.data_length != length:
                return False
            nbl = member.next
        if nbl is not None or not rows:
            return False
        looked, samples = {}, {}
        batch.turn = turn = (batch.turn + 1) % LOOK_EVERY
        for member, custody, _, _, _ in rows[turn::LOOK_EVERY]:
            form = custody.form
            if sent_form(member) != form:
                custody.due = 0  # its sender has changed it: looked at as a new one
                return False
            looked[custody] = member
            self._looks = looks = self._looks + 1
            if not looks * BYTES_MIX & BYTES_MASK:
                samples[custody] = sent_bytes(form)
        adapter = binding.adapter
        batch.state, batch.holder, batch.events = SENT, adapter.top_sender or adapter, [event]
        batch.looked, batch.samples, batch.givers = looked, samples, ()
        batch.sure = None if turn else nbls
        self.whole = batch
        return True

    def sent_further(self, module: FilterModule, nbls: NetBufferList | None) -> bool:
        """A filter sends on what it was given; how it left the lists is looked at briefly, the first one thoroughly."""
        self.whole = None
        batch = batch_of(nbls, SENT, module)
        if nbls is None or batch is None or (nbls.ndis_custody in batch.looked and not is_as_submitted(nbls)):
            return False
        if is_whole(batch, nbls):
            if not are_like_before(batch):
                return False
            self.whole = batch
            parts = [batch]
        else:
            parts = parts_of(nbls, runs_of(nbls, SENT, module, is_sent_like_before))
        event = (self.ndis.kernel.now_ns(), "sent on by", module)
        for part in parts:
            if part.sure is not nbls:
                part.sure = None
            part.givers += (module,)
            part.holder = module.lower_sender or module.adapter
            part.events.append(event)
        return bool(parts)

    def completed_upwards(
        self, holder: Adapter | FilterModule, nbls: NetBufferList | None, upper: FilterModule | None
    ) -> bool:
        """A miniport or filter completes to `upper`, or to the senders when that is None."""
        self.whole = None
        batch = batch_of(nbls, SENT, holder)
        if nbls is None or batch is None:
            return False
        event = (self.ndis.kernel.now_ns(), "completed by", holder)
        if upper is None:
            return self._end_sent(batch, holder, nbls, event)
        if nbls is batch.sure and not is_as_submitted(nbls):
            return False
        if is_whole_and_sent(batch, nbls):
            if is_mapped(batch, holder) or not are_like_before(batch):
                return False
            self.whole = batch
            parts = [batch]
        else:
            parts = parts_of(nbls, runs_of(nbls, SENT, holder, is_completed_like_before))
        for part in parts:
            climb_to(part, upper)
            part.events.append(event)
        return bool(parts)

    def _end_sent(self, batch: Batch, holder: Adapter | FilterModule, nbls: NetBufferList, event: Any) -> bool:
        """The lists are their senders' again: completed with SUCCESS, as submitted."""
        if nbls.next is None and batch.number > 1:
            return _ends_alone(batch, nbls, event)
        if not is_whole_and_sent(batch, nbls):
            runs = runs_of(nbls, SENT, holder, _is_as_sent)
            come_home(nbls, runs, event)
            return bool(runs)
        if is_mapped(batch, holder):
            return False
        try:
            for custody, nbl in batch.looked.items():
                if sent_form(nbl) != custody.form:
                    return False
        except (AttributeError, TypeError):
            return False
        for custody, data in batch.samples.items():
            if sent_bytes(custody.form) != data:
                return False
        batch.end(event)
        self.whole = batch
        return True


def _ends_alone(batch: Batch, nbl: NetBufferList, event: Event) -> bool:
    """One list of several is its sender's again, if it is as submitted: many miniports complete one by one."""
    try:
        if not _is_as_sent(batch, nbl):
            return False
    except (AttributeError, TypeError):
        return False
    custody = nbl.ndis_custody
    custody.held = HOME
    custody.trip = batch.end_part(1, event)
    batch.looked.pop(custody, None)
    batch.samples.pop(custody, None)
    return True


def _is_as_sent(batch: Batch, nbl: NetBufferList) -> bool:
    """Whether a list may be completed to its sender."""
    custody = nbl.ndis_custody
    if not is_completed_like_before(batch, nbl) or (custody in batch.looked and not is_as_submitted(nbl)):
        return False
    return custody not in batch.samples or sent_bytes(custody.form) == batch.samples[custody]
