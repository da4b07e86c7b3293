# SPDX-License-Identifier: Apache-2.0
"""The ledger between the ends of the driver stack: what filters hand on, turn round, make and take back (IM-12).

A filter holds what was given to it and may relink it while it does; on its way back every list passes the same holders,
and each gets it in the form in which he handed it on. ledger.py is the two ends: protocols and miniports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.ndis.flags import ReceiveFlags
from hilnic.ndis.nbl import NetBufferList, chain, walk
from hilnic.ndis.verifier.batch import Batch
from hilnic.ndis.verifier.batch_ledger import BatchLedger
from hilnic.ndis.verifier.custody import HOME, INDICATED, LENT, SENT, Custody
from hilnic.ndis.verifier.ledger_checks import Fault, frame_fault, frames_fault, return_fault
from hilnic.ndis.verifier.shadow import poison, take_received, take_sent

if TYPE_CHECKING:
    from hilnic.ndis.filter import FilterModule

_RESOURCES = int(ReceiveFlags.RESOURCES)


class FilterLedger(BatchLedger):
    """The filters' part of the verifier."""

    __slots__ = ()

    # Down: sends.

    def sent_on(self, module: FilterModule, nbls: NetBufferList | None) -> NetBufferList | None:
        """A filter sends: lists of its own with its own handle, and those it was given, their handle untouched."""
        if self.sent_further(module, nbls):
            return nbls
        self._call = call = self._call + 1
        now = self.ndis.kernel.now_ns()
        holder = module.lower_sender or module.adapter
        offenders: set[NetBufferList] = set()
        nbl = nbls
        while nbl is not None:
            custody: Custody | None = nbl.ndis_custody
            fault = self._sent_on_fault(module, nbl, custody, call)
            if fault is not None or custody is None:
                if self._offends(module, nbl, fault, offenders):
                    return None
            else:
                if custody.state is not HOME:
                    custody.push(hop=True)
                    custody.children_before = nbl.child_ref_count
                elif nbl.parent_net_buffer_list is not None:
                    self.piece_sent(nbl.parent_net_buffer_list)
                custody.call = call
                custody.state = SENT
                custody.owner = holder
                custody.source = nbl.source_handle
                custody.shadow = take_sent(nbl)
                if self.ndis.guard is not None:
                    self.ndis.guard.adopt(nbl)
                custody.history.append((now, "sent on by", module))
            nbl = nbl.next
        return self._without(module, nbls, offenders)

    def _sent_on_fault(
        self, module: FilterModule, nbl: NetBufferList, custody: Custody | None, call: int
    ) -> Fault | None:
        if custody is None:
            return "S6-22", "NOT_FROM_POOL"
        if custody.call == call:
            return "S6-21", "the list is cyclic"
        if custody.state is HOME:
            if nbl.source_handle is not module:
                return "IM-12", f"a list of its own sent with the source handle {nbl.source_handle!r}"
            if module.complete_handler is None:
                return "IM-12", "a list of its own sent, without a handler for its completion"
            return frames_fault(nbl)
        if custody.state is SENT and custody.owner is module:
            self._foreign_handle(module, nbl, custody)
            return frames_fault(nbl)
        if custody.state is SENT:
            return "S6-09", f"sent while {custody.owner!r} holds it"
        return "S6-22", f"sent while {custody.state}"

    @staticmethod
    def queueable(nbls: NetBufferList) -> Batch | list[NetBufferList]:
        """What a filter is about to be given, for `check_queue`."""
        held = nbls.ndis_custody.held
        return held if isinstance(held, Batch) else list(walk(nbls))

    def check_queue(self, module: FilterModule, given: Batch | list[NetBufferList]) -> None:
        """The send handler of a filter that cannot cancel has returned: it may not have kept anything (IM-13).

        What was sent again meanwhile, and NDIS has not given to the filter yet, is not with it.
        """
        if isinstance(given, Batch):
            if not given.kept_by(module):
                return
            live = (nbl for pool in self.ndis.pools for nbl in pool.live if isinstance(nbl, NetBufferList))
            given = [nbl for nbl in live if nbl.ndis_custody.owner is module]
        deferred = {nbl for _, nbls, *_ in module.adapter.deferred_sends for nbl in walk(nbls)}
        for nbl in given:
            custody: Custody = nbl.ndis_custody
            if custody.state is SENT and custody.owner is module and nbl not in deferred:
                self.ndis.violation("IM-13", module, nbl, "queued by a filter without a cancel handler")

    def completed_on(self, module: FilterModule, nbls: NetBufferList | None) -> NetBufferList | None:
        """A filter completes upwards: lists that it was given from above, whether it has sent them on or not."""
        upper = module.upper_completer
        if self.completed_upwards(module, nbls, upper):
            return nbls
        self._call = call = self._call + 1
        now = self.ndis.kernel.now_ns()
        offenders: set[NetBufferList] = set()
        nbl = nbls
        while nbl is not None:
            custody: Custody | None = nbl.ndis_custody
            if custody is not None and custody.state is SENT and custody.owner is module and custody.call != call:
                custody.call = call
                self.check_completed(module, nbl, custody)
                self.climb(nbl, custody, upper)
                custody.history.append((now, "completed by", module))
            elif self._offends(module, nbl, self._completed_on_fault(module, nbl, custody, call), offenders):
                return None
            nbl = nbl.next
        return self._without(module, nbls, offenders)

    def _completed_on_fault(
        self, module: FilterModule, nbl: NetBufferList, custody: Custody | None, call: int
    ) -> Fault:
        if custody is not None and custody.call == call:
            return "S6-21", "the list is cyclic"
        if custody is not None and custody.state is HOME and nbl.source_handle is module:
            return "IM-12", "a list of its own completed upwards"
        return self.completion_fault(nbl)

    def _foreign_handle(self, module: FilterModule, nbl: NetBufferList, custody: Custody) -> None:
        if nbl.source_handle is not custody.source:
            self.ndis.violation(
                "IM-12", module, nbl, f"a filter rewrote a foreign source handle: {nbl.source_handle!r}"
            )
            nbl.source_handle = custody.source

    # Up: receives.

    def handed_up(self, module: FilterModule, nbls: NetBufferList, number: int, lent: bool) -> None:
        """NDIS gives an indication to the filter that is next above."""
        if not lent and self.given(module.adapter, nbls, number, module, "given to"):
            return
        event = (self.ndis.kernel.now_ns(), "lent to" if lent else "given to", module)
        state = LENT if lent else INDICATED
        nbl: NetBufferList | None = nbls
        while nbl is not None:
            custody: Custody = nbl.ndis_custody
            custody.alone()
            custody.held = state
            custody.holder = module
            custody.history.append(event)
            nbl = nbl.next

    def indicated_on(
        self, module: FilterModule, nbls: NetBufferList | None, number: int, receive_flags: int
    ) -> NetBufferList | None:
        """A filter indicates: lists of its own with its own handle, and those it was given, their handle untouched."""
        if not receive_flags & _RESOURCES and self.passed(module, nbls, module.adapter, "indicated by", module, number):
            return nbls
        self._call = call = self._call + 1
        now = self.ndis.kernel.now_ns()
        offenders: set[NetBufferList] = set()
        actual = 0
        nbl = nbls
        while nbl is not None:
            actual += 1
            custody: Custody | None = nbl.ndis_custody
            fault = self._indicated_on_fault(module, nbl, custody, receive_flags, call)
            if fault is not None or custody is None:
                if self._offends(module, nbl, fault, offenders):
                    return None
            else:
                if custody.state is HOME:
                    custody.source, custody.shadow, custody.state = module, take_received(nbl), INDICATED
                    if self.ndis.guard is not None:
                        self.ndis.guard.adopt(nbl)
                custody.call = call
                custody.owner = module.adapter
                custody.history.append((now, "indicated by", module))
            nbl = nbl.next
        if actual != number:
            self.ndis.violation("R6-02", module, "list", f"count says {number}, the list has {actual}")
        return self._without(module, nbls, offenders)

    def _indicated_on_fault(
        self, module: FilterModule, nbl: NetBufferList, custody: Custody | None, receive_flags: int, call: int
    ) -> Fault | None:
        if custody is None:
            return "S6-22", "NOT_FROM_POOL"
        if custody.call == call:
            return "S6-21", "the list is cyclic"
        if custody.state is HOME:
            if nbl.source_handle is not module:
                return "IM-12", f"a list of its own indicated with the source handle {nbl.source_handle!r}"
            if module.return_handler is None and not receive_flags & _RESOURCES:
                return "IM-12", "a list of its own indicated, without a handler for its return"
            nb = nbl.first_net_buffer
            return ("R6-11", "not exactly one NET_BUFFER") if nb is None or nb.next is not None else frame_fault(nb)
        if custody.state not in {INDICATED, LENT} or custody.owner is not module:
            return "R6-09", f"indicated while {custody.state}"
        if custody.state is LENT and not receive_flags & _RESOURCES:
            return "R6-05", "indicated on without RESOURCES"
        self._foreign_handle(module, nbl, custody)
        return None

    @staticmethod
    def held_states(module: FilterModule, nbls: list[NetBufferList]) -> list[tuple[NetBufferList, str]]:
        """What a filter's lists are before it lends them: its own, kept ones, or lent ones themselves."""
        return [(nbl, HOME if nbl.source_handle is module else nbl.ndis_custody.state) for nbl in nbls]

    def lent_back(self, module: FilterModule, states: list[tuple[NetBufferList, str]]) -> None:
        """An indication with RESOURCES is over: the filter holds its lists again as before."""
        for nbl, state in states:
            custody: Custody = nbl.ndis_custody
            if state is HOME and nbl.parent_net_buffer_list is None:
                poison(custody.shadow)
            custody.state, custody.owner = state, module

    def handed_down(self, module: FilterModule, nbls: NetBufferList, number: int | None) -> None:
        """NDIS gives returned lists to the filter that is next below: its own are home, others on their way."""
        if self.given(module.adapter, nbls, number, module, "given back to"):
            return
        event = (self.ndis.kernel.now_ns(), "given back to", module)
        nbl: NetBufferList | None = nbls
        while nbl is not None:
            custody: Custody = nbl.ndis_custody
            custody.alone()
            if custody.source is module:
                self.check_returned(module, nbl, custody)
                if nbl.parent_net_buffer_list is None:
                    poison(custody.shadow)
                custody.state = HOME
            custody.owner = module
            custody.history.append(event)
            nbl = nbl.next

    def returned_on(self, module: FilterModule, nbls: NetBufferList | None) -> NetBufferList | None:
        """A filter gives received lists back: those that it was given from below."""
        if self.passed(module, nbls, module.adapter, "returned by", module):
            return nbls
        self._call = call = self._call + 1
        now = self.ndis.kernel.now_ns()
        offenders: set[NetBufferList] = set()
        nbl = nbls
        while nbl is not None:
            custody: Custody | None = nbl.ndis_custody
            if custody is not None and custody.state is INDICATED and custody.owner is module and custody.call != call:
                custody.call = call
                self._foreign_handle(module, nbl, custody)
                custody.owner = module.adapter
                custody.history.append((now, "returned by", module))
            elif self._offends(module, nbl, self._returned_on_fault(module, nbl, custody, call), offenders):
                return None
            nbl = nbl.next
        return self._without(module, nbls, offenders)

    @staticmethod
    def _returned_on_fault(module: FilterModule, nbl: NetBufferList, custody: Custody | None, call: int) -> Fault:
        if custody is not None and custody.call == call:
            return "S6-21", "the list is cyclic"
        if custody is not None and custody.state is HOME and nbl.source_handle is module:
            return "IM-12", "a list of its own returned downwards"
        return return_fault(module, custody)

    # Both.

    def _offends(
        self, module: FilterModule, nbl: NetBufferList, fault: Fault | None, offenders: set[NetBufferList]
    ) -> bool:
        """Report what is wrong with a list, which is left out; True when the chain does not end."""
        rule, detail = fault or ("S6-22", "NOT_FROM_POOL")
        self.ndis.violation(rule, module, nbl, detail)
        if nbl in offenders or rule == "S6-21":
            return True
        offenders.add(nbl)
        return False

    def _without(
        self, module: FilterModule, nbls: NetBufferList | None, offenders: set[NetBufferList]
    ) -> NetBufferList | None:
        if nbls is None:
            self.ndis.violation("S6-21", module, "list", "an empty list was handed on")
        return nbls if not offenders else chain(nbl for nbl in walk(nbls) if nbl not in offenders)
