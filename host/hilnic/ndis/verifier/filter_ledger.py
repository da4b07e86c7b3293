# SPDX-License-Identifier: Apache-2.0
"""The ledger between the ends of the driver stack: what filters hand on, turn round, make and take back (IM-12).

A filter holds what was given to it and may relink it while it does; on its way back every list passes the same holders,
and each gets it in the form in which he handed it on. ledger.py is the two ends: protocols and miniports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.flags import NblInfo, ReceiveFlags
from hilnic.ndis.nbl import NetBufferList, chain, walk
from hilnic.ndis.net_buffer import NetBuffer, layout_error
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.cancel_ids import CancelIds
from hilnic.ndis.verifier.custody import FINAL_STATUSES, FREED, HOME, INDICATED, LENT, SENT, Custody
from hilnic.ndis.verifier.shadow import poison, received_change, sent_change, take_received, take_sent

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.filter import FilterModule
    from hilnic.ndis.ndis import Ndis

Fault = tuple[str, str]

_CANCEL_ID = int(NblInfo.CANCEL_ID)
_LSO = int(NblInfo.TCP_LARGE_SEND)
_RESOURCES = int(ReceiveFlags.RESOURCES)


class FilterLedger:
    """The filters' part of the verifier, and what both parts need."""

    __slots__ = ("_call", "_frowned", "cancel_ids", "ndis")

    def __init__(self, ndis: Ndis) -> None:
        self.ndis = ndis
        self.cancel_ids = CancelIds()
        self._call = 0
        self._frowned: set[tuple[str, Any]] = set()

    def frown(self, rule: str, actor: Any, nbl: NetBufferList, detail: str) -> None:
        """A warning, once per rule and actor: what a driver does to every frame is said once."""
        if (rule, actor) not in self._frowned:
            self._frowned.add((rule, actor))
            self.ndis.warning(rule, actor, nbl, detail)

    def ended(self, nbl: NetBufferList) -> None:
        """A send is its sender's again."""
        cancel_id = nbl.net_buffer_list_info[_CANCEL_ID]
        if cancel_id:
            self.cancel_ids.done(nbl.source_handle, cancel_id)

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

    def climb(self, nbl: NetBufferList, custody: Custody, upper: FilterModule | None) -> None:
        """A list goes up to `upper`, the next who sees completions, or to its sender when there is none.

        Filters in between that have no completion handler are passed; what they changed nobody can undo any more.
        """
        while custody.hop:
            giver: Any = None if custody.outer is None else custody.outer[1]
            if upper is not None and giver is not upper and giver.position < upper.position:
                custody.owner = upper
                return
            custody.pop()
            if giver is upper:
                return
            change = sent_change(nbl, custody.shadow)
            if change is not None:
                self.ndis.violation(change[0], giver, nbl, f"sent on changed, never seen again: {change[1]}")
        if upper is not None and custody.source is not upper:
            custody.owner = upper
            return
        custody.pop()
        if custody.state is HOME:
            self.ended(nbl)
        if nbl.parent_net_buffer_list is not None:
            self.piece_done(nbl.parent_net_buffer_list)

    def refused(self, nbls: NetBufferList | None, upper: FilterModule | None = None) -> None:
        """NDIS completes a send itself, which then goes up to `upper` or its sender."""
        now = self.ndis.kernel.now_ns()
        for nbl in walk(nbls):
            self.climb(nbl, nbl.ndis_custody, upper)
            nbl.ndis_custody.history.append((now, "refused by", "NDIS"))

    @staticmethod
    def piece_sent(original: NetBufferList) -> None:
        """A list made from `original` is sent: the original may not go back before it has (IM-04)."""
        if original.ndis_custody is not None:
            original.ndis_custody.pieces += 1

    @staticmethod
    def piece_done(original: NetBufferList) -> None:
        """It has completed."""
        if original.ndis_custody is not None:
            original.ndis_custody.pieces -= 1

    def completion_fault(self, nbl: NetBufferList) -> Fault:
        """Why a list may not be completed by somebody who does not hold it."""
        custody = nbl.ndis_custody
        if custody is None:
            return "S6-16", "completed, but it is from no pool"
        if custody.state is HOME and custody.history[-1][1] == "completed by":
            return "S6-02", "DOUBLE_COMPLETE"
        what = {HOME: "it was not sent", SENT: f"{custody.owner!r} holds it", FREED: "it is freed"}
        return "S6-16", "completed, but " + what.get(custody.state, "it is a receive")

    def check_completed(self, holder: Adapter | FilterModule, nbl: NetBufferList, custody: Custody) -> None:
        """What is asked of a list that its holder gives back: its form, its status, nothing left behind on it."""
        status = nbl.status
        ndis = self.ndis
        if status not in FINAL_STATUSES:
            if status == NdisStatus.PENDING:
                ndis.violation("S6-15", holder, nbl, "completed with PENDING")
            else:
                ndis.warning("S6-15", holder, nbl, f"completed with {status:#010x}")
        if custody.clones:
            ndis.violation("MD-22", holder, nbl, f"completed before {custody.clones} clones were freed")
        elif custody.pieces:
            ndis.violation("IM-04", holder, nbl, f"completed while {custody.pieces} lists made from it are being sent")
        if nbl.child_ref_count:
            ndis.violation("MD-25", holder, nbl, f"completed with {nbl.child_ref_count} child references")
        if nbl.source_handle is not custody.source:
            self._restored_handle(holder, nbl, custody)
        largest = holder.largest_frame
        nb = nbl.first_net_buffer
        while nb is not None:
            if nb.scatter_gather_list is not None:
                ndis.violation("IT-06", holder, nbl, "completed before its SG list was freed")
            if nb.data_length > largest and status == 0 and nbl.net_buffer_list_info[_LSO] is None:
                ndis.violation("S6-14", holder, nbl, f"{nb.data_length} bytes completed with SUCCESS")
            nb = nb.next
        change = sent_change(nbl, custody.shadow)
        if change is not None:
            ndis.violation(change[0], nbl.source_handle if change[0] == "S6-09" else holder, nbl, change[1])

    def _restored_handle(self, holder: Any, nbl: NetBufferList, custody: Custody) -> None:
        """The handle is not the one it came with: named by who did it, and put right, so that the list is not lost."""
        if getattr(holder.driver, "lower_edge", None) is not None:
            rule, what = "IM-02", "the upper source handle was not restored"
        elif getattr(holder, "adapter", None) is not None:
            rule, what = "IM-12", "a filter rewrote a foreign source handle"
        else:
            rule, what = "S6-04", "NBL_MUTATED: the source handle differs from the submitted one"
        self.ndis.violation(rule, holder, nbl, f"{what}: {nbl.source_handle!r}")
        nbl.source_handle = custody.source

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
            if state is HOME:
                poison(custody.shadow)
            custody.state, custody.owner = state, module

    def handed_down(self, module: FilterModule, nbls: NetBufferList) -> None:
        """NDIS gives returned lists to the filter that is next below: its own are home, others on their way."""
        now = self.ndis.kernel.now_ns()
        for nbl in walk(nbls):
            custody: Custody = nbl.ndis_custody
            if custody.source is module:
                self.check_returned(module, nbl, custody)
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

    def check_returned(self, home: Any, nbl: NetBufferList, custody: Custody) -> None:
        """What is asked of a received list that its last holder gives back."""
        change = received_change(nbl, custody.shadow)
        if change is not None:
            rule, what = LEFT_BY_RECEIVER[change]
            self.ndis.violation(rule, home, nbl, what)
        if custody.clones:
            self.ndis.violation("MD-22", home, nbl, f"returned before {custody.clones} clones were freed")
        if nbl.child_ref_count:
            self.ndis.violation("MD-25", home, nbl, f"returned with {nbl.child_ref_count} child references")

    def upward_handle_fault(self, actor: Any, nbl: NetBufferList, what: str) -> Fault | None:
        """A received list without its proper source handle: wrong, and frowned upon only in Profile.mux_sample (A6)."""
        if not self.ndis.profile.mux_sample:
            return "IM-03", what
        self.ndis.warning("IM-03", actor, nbl, what)
        return None

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


LEFT_BY_RECEIVER = {
    "chain": ("MD-09", "the MDL chain changed while it was held"),
    "bytes": ("R6-06", "the bytes changed while a protocol held them"),
    "context": ("MD-19", "a receiver left its context on it"),
    "reserved": ("MD-28", "a receiver wrote into the miniport's reserved fields"),
}


def return_fault(holder: Any, custody: Custody | None) -> Fault:
    """Why a received list may not be returned by somebody who does not hold it."""
    if custody is None:
        return "S6-22", "NOT_FROM_POOL"
    if custody.state is LENT:
        return "R6-05", "RETURN_UNDER_RESOURCES"
    if custody.state is INDICATED and holder in custody.givers():
        return "IM-16", f"returned while {custody.owner!r} holds it"
    if custody.state is INDICATED and custody.history[-1][1] != "returned by":
        return "R6-10", f"{custody.owner!r} holds it"
    return "R6-10", "DOUBLE_RETURN" if custody.history[-1][1] == "returned by" else f"it is {custody.state}"


def frames_fault(nbl: NetBufferList) -> Fault | None:
    """What is wrong with the layout of a list that is sent."""
    nb = nbl.first_net_buffer
    if nb is None:
        return "S6-21", "an NBL without NB"
    while nb is not None:
        fault = frame_fault(nb)
        if fault is not None:
            return fault
        nb = nb.next
    return None


def frame_fault(nb: NetBuffer) -> Fault | None:
    """What is wrong with the layout of one frame."""
    mdl = nb.mdl_chain
    if mdl is not None and mdl is nb.current_mdl:  # the common form: the data begins in the first MDL
        offset = nb.data_offset
        if offset == nb.current_mdl_offset and 0 <= offset <= offset + nb.data_length <= mdl.byte_count:
            return None
    return layout_error(nb)
