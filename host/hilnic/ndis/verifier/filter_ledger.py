# SPDX-License-Identifier: Apache-2.0
"""The ledger between the ends of the driver stack: what filters hand on, turn round, make and take back (IM-12).

A filter holds what was given to it and may relink it while it does; on its way back every list passes the same holders,
and each gets it in the form in which he handed it on. ledger.py is the two ends: protocols and miniports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.ndis.flags import ReceiveFlags
from hilnic.ndis.nbl import NetBufferList, chain, walk
from hilnic.ndis.verifier.custody import HOME, INDICATED, LENT, SENT, Custody
from hilnic.ndis.verifier.ledger_checks import Fault, LedgerChecks, frame_fault, frames_fault, return_fault
from hilnic.ndis.verifier.shadow import poison, take_received, take_sent

if TYPE_CHECKING:
    from hilnic.ndis.filter import FilterModule

_RESOURCES = int(ReceiveFlags.RESOURCES)


class FilterLedger(LedgerChecks):
    """The filters' part of the verifier."""

    __slots__ = ()

    # Down: sends.

    def sent_on(self, module: FilterModule, nbls: NetBufferList | None) -> NetBufferList | None:
        """A filter sends: lists of its own with its own handle, and those it was given, their handle untouched."""
        self._call = call = self._call + 1
        now = self.ndis.kernel.now_ns()
        holder = module.lower_sender or module.adapter
        good = []
        for nbl in self._without_cycle(module, nbls):
            custody: Custody | None = nbl.ndis_custody
            fault = self._sent_on_fault(module, nbl, custody)
            if fault is not None or custody is None:
                self._report(module, nbl, fault)
                continue
            if custody.state is not HOME:
                custody.push(hop=True)
                custody.children_before = nbl.child_ref_count
            elif nbl.parent_net_buffer_list is not None:
                self.piece_sent(nbl.parent_net_buffer_list)
            custody.call, custody.state, custody.owner, custody.source = call, SENT, holder, nbl.source_handle
            custody.shadow = take_sent(nbl)
            if self.ndis.guard is not None:
                self.ndis.guard.adopt(nbl)
            custody.history.append((now, "sent on by", module))
            good.append(nbl)
        return chain(good)

    def _sent_on_fault(self, module: FilterModule, nbl: NetBufferList, custody: Custody | None) -> Fault | None:
        if custody is None:
            return "S6-22", "NOT_FROM_POOL"
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

    def check_queue(self, module: FilterModule, given: list[NetBufferList]) -> None:
        """The send handler of a filter that cannot cancel has returned: it may not have kept anything (IM-13)."""
        for nbl in given:
            custody: Custody = nbl.ndis_custody
            if custody.state is SENT and custody.owner is module:
                self.ndis.violation("IM-13", module, nbl, "queued by a filter without a cancel handler")

    def completed_on(self, module: FilterModule, nbls: NetBufferList | None) -> NetBufferList | None:
        """A filter completes upwards: lists that it was given from above, whether it has sent them on or not."""
        now = self.ndis.kernel.now_ns()
        good = []
        for nbl in self._without_cycle(module, nbls):
            custody: Custody | None = nbl.ndis_custody
            if custody is None or custody.state is not SENT or custody.owner is not module:
                fault = self.completion_fault(nbl)
                if custody is not None and custody.state is HOME and nbl.source_handle is module:
                    fault = "IM-12", "a list of its own completed upwards"
                self._report(module, nbl, fault)
                continue
            self.check_completed(module, nbl, custody)
            self.climb(nbl, custody, module.upper_completer)
            custody.history.append((now, "completed by", module))
            good.append(nbl)
        return chain(good)

    def _foreign_handle(self, module: FilterModule, nbl: NetBufferList, custody: Custody) -> None:
        if nbl.source_handle is not custody.source:
            self.ndis.violation(
                "IM-12", module, nbl, f"a filter rewrote a foreign source handle: {nbl.source_handle!r}"
            )
            nbl.source_handle = custody.source

    # Up: receives.

    def handed_up(self, module: FilterModule, nbls: NetBufferList, lent: bool) -> None:
        """NDIS gives an indication to the filter that is next above."""
        now = self.ndis.kernel.now_ns()
        for nbl in walk(nbls):
            custody: Custody = nbl.ndis_custody
            custody.state, custody.owner = LENT if lent else INDICATED, module
            custody.history.append((now, "lent to" if lent else "given to", module))

    def indicated_on(
        self, module: FilterModule, nbls: NetBufferList | None, number: int, receive_flags: int
    ) -> NetBufferList | None:
        """A filter indicates: lists of its own with its own handle, and those it was given, their handle untouched."""
        self._call = call = self._call + 1
        now = self.ndis.kernel.now_ns()
        good = []
        members = self._without_cycle(module, nbls)
        if len(members) != number:
            self.ndis.violation("R6-02", module, "list", f"count says {number}, the list has {len(members)}")
        for nbl in members:
            custody: Custody | None = nbl.ndis_custody
            fault = self._indicated_on_fault(module, nbl, custody, receive_flags)
            if fault is not None or custody is None:
                self._report(module, nbl, fault)
                continue
            if custody.state is HOME:
                custody.source, custody.shadow, custody.state = module, take_received(nbl), INDICATED
                if self.ndis.guard is not None:
                    self.ndis.guard.adopt(nbl)
            custody.call, custody.owner = call, module.adapter
            custody.history.append((now, "indicated by", module))
            good.append(nbl)
        return chain(good)

    def _indicated_on_fault(
        self, module: FilterModule, nbl: NetBufferList, custody: Custody | None, receive_flags: int
    ) -> Fault | None:
        if custody is None:
            return "S6-22", "NOT_FROM_POOL"
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

    def handed_down(self, module: FilterModule, nbls: NetBufferList) -> None:
        """NDIS gives returned lists to the filter that is next below: its own are home, others on their way."""
        now = self.ndis.kernel.now_ns()
        for nbl in walk(nbls):
            custody: Custody = nbl.ndis_custody
            if custody.source is module:
                self.check_returned(module, nbl, custody)
                if nbl.parent_net_buffer_list is None:
                    poison(custody.shadow)
                custody.state = HOME
            custody.owner = module
            custody.history.append((now, "given back to", module))

    def returned_on(self, module: FilterModule, nbls: NetBufferList | None) -> NetBufferList | None:
        """A filter gives received lists back: those that it was given from below."""
        now = self.ndis.kernel.now_ns()
        good = []
        for nbl in self._without_cycle(module, nbls):
            custody: Custody | None = nbl.ndis_custody
            if custody is None or custody.state is not INDICATED or custody.owner is not module:
                fault = return_fault(module, custody)
                if custody is not None and custody.state is HOME and nbl.source_handle is module:
                    fault = "IM-12", "a list of its own returned downwards"
                self._report(module, nbl, fault)
                continue
            self._foreign_handle(module, nbl, custody)
            custody.owner = module.adapter
            custody.history.append((now, "returned by", module))
            good.append(nbl)
        return chain(good)

    # Both.

    def _without_cycle(self, module: FilterModule, nbls: NetBufferList | None) -> list[NetBufferList]:
        """The chain as a list; empty, and reported, when it does not end."""
        found: dict[NetBufferList, None] = {}
        for nbl in walk(nbls):
            if nbl in found:
                self.ndis.violation("S6-21", module, nbl, "the list is cyclic")
                return []
            found[nbl] = None
        if not found:
            self.ndis.violation("S6-21", module, "list", "an empty list was handed on")
        return list(found)

    def _report(self, module: FilterModule, nbl: NetBufferList, fault: Fault | None) -> None:
        if fault is not None:
            self.ndis.violation(fault[0], module, nbl, fault[1])
