# SPDX-License-Identifier: Apache-2.0
"""The ledger of what travels in batches (batch.py): begin, move on, end. It finds out that all is well, nothing else.

Each method looks at a chain and answers True when every list in it is as it should be; the hand-over is then done. At
the first one that is not, what was begun is undone and the answer is False: ledger.py or filter_ledger.py takes the
chain list by list and names who broke which rule. A cycle is never followed: no list of it is found twice in a state
that may go on, or more lists are found than the batch has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.nbl import NetBufferList
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.batch import (
    SAMPLED,
    Batch,
    may_be_received,
    may_be_sent,
    received_bytes,
    received_form,
    sent_bytes,
    sent_form,
)
from hilnic.ndis.verifier.batch_chain import (
    Run,
    batch_of,
    behind,
    climb_to,
    come_home,
    hop,
    is_as_submitted,
    part_of,
    poison_all,
    run_of,
    whole_run_home,
    write_held,
)
from hilnic.ndis.verifier.custody import HOME, INDICATED, SENT
from hilnic.ndis.verifier.ledger_checks import LedgerChecks

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.filter import FilterModule
    from hilnic.ndis.ndis import Ndis

_SUCCESS = NdisStatus.SUCCESS


class BatchLedger(LedgerChecks):
    """The batches' part of the verifier; unused in `full`, which looks at every list by itself."""

    __slots__ = ("_whole",)

    def __init__(self, ndis: Ndis) -> None:
        super().__init__(ndis)
        self._whole: Batch | None = None  # just found to be the whole of the chain that NDIS has in hand

    # Down: sends.

    def begin_sent(self, binding: Binding, nbls: NetBufferList | None) -> bool:
        """A protocol sends ordinary lists of its own, which are at home."""
        ndis = self.ndis
        if nbls is None or ndis.guard is not None:
            return False
        adapter = binding.adapter
        event = (ndis.kernel.now_ns(), "sent by", binding)
        batch = Batch(SENT, adapter.top_sender or adapter, binding, event)
        number = 0
        nbl: NetBufferList | None = nbls
        try:
            while nbl is not None:
                custody = nbl.ndis_custody
                if custody.held is not HOME:
                    break
                form = sent_form(nbl)
                if form[0] is not binding:
                    break
                if form != custody.shadow:
                    if not may_be_sent(nbl, form, adapter.largest_frame):
                        break
                    custody.shadow = form
                if not number & SAMPLED:
                    batch.samples[custody] = sent_bytes(form)
                custody.held = batch
                number += 1
                nbl = nbl.next
            else:
                batch.number = number
                batch.sure = nbls
                return True
        except (AttributeError, TypeError):
            """Something that is no list, or has lost its NET_BUFFER or MDL."""
        write_held(nbls, number, HOME)
        return False

    def sent_further(self, module: FilterModule, nbls: NetBufferList | None) -> bool:
        """A filter sends on what it was given; how it left each list is looked at briefly, the first one thoroughly."""
        batch = batch_of(nbls, SENT, module)
        if nbls is None or batch is None or not is_as_submitted(nbls):
            return False
        number = hop(batch, nbls, is_up=False)
        if not number:
            return False
        part = part_of(batch, nbls, number)
        if part.sure is not nbls:
            part.sure = None
        part.givers += (module,)
        part.holder = module.lower_sender or module.adapter
        part.events.append((self.ndis.kernel.now_ns(), "sent on by", module))
        return True

    def completed_upwards(
        self, holder: Adapter | FilterModule, nbls: NetBufferList | None, upper: FilterModule | None
    ) -> bool:
        """A miniport or filter completes to `upper`, or to the senders when that is None."""
        if upper is None:
            return self._end_sent(holder, nbls)
        batch = batch_of(nbls, SENT, holder)
        if nbls is None or batch is None or (nbls is batch.sure and not is_as_submitted(nbls)):
            return False
        number = hop(batch, nbls, is_up=True)
        if not number:
            return False
        part = part_of(batch, nbls, number)
        climb_to(part, upper)
        part.events.append((self.ndis.kernel.now_ns(), "completed by", holder))
        return True

    def _end_sent(self, holder: Adapter | FilterModule, nbls: NetBufferList | None) -> bool:
        """The lists are their senders' again: completed with SUCCESS, as submitted."""
        batch = batch_of(nbls, SENT, holder)
        if nbls is None or batch is None:
            return False
        runs: list[Run] = []
        number = 0
        nbl: NetBufferList | None = nbls
        try:
            while nbl is not None:
                custody = nbl.ndis_custody
                if custody.held is not batch:
                    following = batch_of(nbl, SENT, holder)
                    if following is None:
                        break
                    runs.append((batch, number))
                    batch, number = following, 0
                status = nbl.status
                if (status is not _SUCCESS and status != 0) or sent_form(nbl) != custody.shadow:
                    break
                custody.held = HOME
                custody.trip = batch.events
                number += 1
                nbl = nbl.next
        except (AttributeError, TypeError):
            """It has lost its NET_BUFFER or MDL."""
        event = (self.ndis.kernel.now_ns(), "completed by", holder)
        if nbl is None and not runs:
            return whole_run_home(batch, nbls, number, sent_bytes, event)
        runs.append((batch, number))
        return come_home(nbls, runs, nbl is None, sent_bytes, event)

    # Up: receives.

    def begin_received(self, adapter: Adapter, nbls: NetBufferList | None, count: int) -> bool:
        """A miniport indicates ordinary lists of its own, which are at home; `count` says how many."""
        ndis = self.ndis
        if nbls is None or ndis.guard is not None:
            return False
        batch = Batch(INDICATED, adapter, adapter, (ndis.kernel.now_ns(), "indicated by", adapter))
        number = 0
        nbl: NetBufferList | None = nbls
        try:
            while nbl is not None:
                custody = nbl.ndis_custody
                if custody.held is not HOME:
                    break
                form = received_form(nbl)
                nb, mdl = form[3], form[5]
                offset, length = nb.current_mdl_offset, nb.data_length
                if form[0] is not adapter or nb.current_mdl is not mdl or nb.data_offset != offset:
                    break
                known = custody.shadow
                if known is None or known[1] != offset or known[2] != length or known[0] != form:
                    if not 0 <= offset <= offset + length <= form[9]:
                        break
                    if (known is None or known[0] != form) and not may_be_received(nbl, form):
                        break
                    custody.shadow = (form, offset, length)
                if not number & SAMPLED:
                    batch.samples[custody] = received_bytes(custody.shadow)
                custody.held = batch
                number += 1
                nbl = nbl.next
        except (AttributeError, TypeError):
            """Something that is no list, or has lost its NET_BUFFER or MDL."""
        if nbl is None and number == count:
            batch.number = number
            self._whole = batch
            return True
        write_held(nbls, number, HOME)
        return False

    def passed(
        self, holder: Any, nbls: NetBufferList | None, to: Any, verb: str, actor: Any, count: int | None = None
    ) -> bool:
        """A driver hands received lists, `count` of them where that is said, to the next one, up or down."""
        self._whole = None
        batch = batch_of(nbls, INDICATED, holder)
        if batch is None:
            return False
        number, rest = run_of(batch, nbls)
        if rest is not None or not number:
            return self._passed_in_runs(holder, nbls, to, verb, actor, count)
        if count is not None and count != number:
            return False
        part = self._whole = batch if number == batch.number else part_of(batch, nbls, number)
        part.holder = to
        part.events.append((self.ndis.kernel.now_ns(), verb, actor))
        return True

    def _passed_in_runs(
        self, holder: Any, nbls: NetBufferList | None, to: Any, verb: str, actor: Any, count: int | None
    ) -> bool:
        """The chain has lists of several batches."""
        runs: list[Run] = []
        rest = nbls
        while rest is not None:
            batch = batch_of(rest, INDICATED, holder)
            if batch is None or batch in [earlier for earlier, _ in runs]:
                return False
            number, rest = run_of(batch, rest)
            if not number:
                return False
            runs.append((batch, number))
        if count is not None and count != sum(number for _, number in runs):
            return False
        event = (self.ndis.kernel.now_ns(), verb, actor)
        for batch, number in runs:
            part = part_of(batch, nbls, number)
            part.holder = to
            part.events.append(event)
            nbls = behind(nbls, number)
        return True

    def given(self, holder: Any, nbls: NetBufferList | None, number: int | None, to: Any, verb: str) -> bool:
        """NDIS gives a driver what it has just had from another one: `number` lists of it, or all."""
        batch, self._whole = self._whole, None
        if nbls is None or batch is None or nbls.ndis_custody.held is not batch or number not in {None, batch.number}:
            return self.passed(holder, nbls, to, verb, to)
        batch.holder = to
        batch.events.append((self.ndis.kernel.now_ns(), verb, to))
        return True

    def end_received(self, adapter: Adapter, nbls: NetBufferList | None) -> bool:
        """The last holder is done with the lists: unchanged, poisoned, and at home."""
        batch = batch_of(nbls, INDICATED, adapter)
        if nbls is None or batch is None:
            return False
        runs: list[Run] = []
        number = 0
        nbl: NetBufferList | None = nbls
        try:
            while nbl is not None:
                custody = nbl.ndis_custody
                if custody.held is not batch:
                    following = batch_of(nbl, INDICATED, adapter)
                    if following is None:
                        break
                    runs.append((batch, number))
                    batch, number = following, 0
                if received_form(nbl) != custody.shadow[0]:
                    break
                custody.held = HOME
                custody.trip = batch.events
                number += 1
                nbl = nbl.next
        except (AttributeError, TypeError):
            """It has lost its NET_BUFFER or MDL."""
        if nbl is None and not runs:
            is_well = whole_run_home(batch, nbls, number, received_bytes, None)
        else:
            runs.append((batch, number))
            is_well = come_home(nbls, runs, nbl is None, received_bytes, None)
        if is_well:
            poison_all(nbls)
        return is_well
