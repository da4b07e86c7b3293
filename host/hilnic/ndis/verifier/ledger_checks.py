# SPDX-License-Identifier: Apache-2.0
"""What every part of the ledger asks: may this holder give the list back, in what form, and who has it then.

Used by ledger.py (protocols and miniports, the two ends) and filter_ledger.py (what is between them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.flags import NblInfo
from hilnic.ndis.mdl import describes_its_memory, is_circular
from hilnic.ndis.nbl import NetBufferList, walk
from hilnic.ndis.net_buffer import NetBuffer, layout_error
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.cancel_ids import CancelIds
from hilnic.ndis.verifier.custody import FINAL_STATUSES, FREED, HOME, INDICATED, LENT, SENT, Custody
from hilnic.ndis.verifier.shadow import received_change, sent_change

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.filter import FilterModule
    from hilnic.ndis.ndis import Ndis

Fault = tuple[str, str]

_CANCEL_ID = int(NblInfo.CANCEL_ID)
_LSO = int(NblInfo.TCP_LARGE_SEND)


class LedgerChecks:
    """The ledger's common part."""

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
            sender = nbl.source_handle
            self.cancel_ids.done(getattr(sender, "binding", sender), cancel_id)  # a VC's sender is its binding

    # Completions.

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
        if custody.clones > custody.clones_before:
            ndis.violation("MD-22", holder, nbl, f"completed before {custody.clones} clones were freed")
        elif custody.pieces:
            ndis.violation("IM-04", holder, nbl, f"completed while {custody.pieces} lists made from it are being sent")
        if nbl.child_ref_count > custody.children_before:
            ndis.violation("MD-25", holder, nbl, f"completed with {nbl.child_ref_count} child references")
        if nbl.source_handle is not custody.source:
            self._restored_handle(holder, nbl, custody)
        largest = holder.largest_frame
        nb = nbl.first_net_buffer
        if nb is not None and nb.next is not None and is_circular(nb):
            nb = None  # it was sent otherwise, and that is said below
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
        if self.ndis.guard is not None:
            self.ndis.guard.give_back(nbl)
        if nbl.parent_net_buffer_list is not None:
            self.piece_done(nbl.parent_net_buffer_list)

    def refused(self, nbls: NetBufferList | None, upper: FilterModule | None = None) -> None:
        """NDIS completes a send itself, which then goes up to `upper` or its sender."""
        now = self.ndis.kernel.now_ns()
        for nbl in walk(nbls):
            nbl.ndis_custody.alone()
            self.climb(nbl, nbl.ndis_custody, upper)
            nbl.ndis_custody.history.append((now, "refused by", "NDIS"))

    @staticmethod
    def piece_sent(original: NetBufferList) -> None:
        """A list made from `original` is sent: the original may not go back before it has (IM-04)."""
        if original.ndis_custody is not None:
            original.ndis_custody.alone()
            original.ndis_custody.changed()
            original.ndis_custody.pieces += 1

    @staticmethod
    def piece_done(original: NetBufferList) -> None:
        """It has completed."""
        if original.ndis_custody is not None:
            original.ndis_custody.pieces -= 1

    # Returns.

    def check_returned(self, home: Any, nbl: NetBufferList, custody: Custody) -> None:
        """What is asked of a received list that its last holder gives back."""
        change = received_change(nbl, custody.shadow)
        if change is not None:
            rule, what = LEFT_BY_RECEIVER[change]
            self.ndis.violation(rule, home, nbl, what)
        if custody.clones > custody.clones_before:
            self.ndis.violation("MD-22", home, nbl, f"returned before {custody.clones} clones were freed")
        if nbl.child_ref_count > custody.children_before:
            self.ndis.violation("MD-25", home, nbl, f"returned with {nbl.child_ref_count} child references")

    def upward_handle_fault(self, actor: Any, nbl: NetBufferList, what: str) -> Fault | None:
        """A received list without its proper source handle: wrong, and frowned upon only in Profile.mux_sample (A6)."""
        if not self.ndis.profile.mux_sample:
            return "IM-03", what
        self.ndis.warning("IM-03", actor, nbl, what)
        return None


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
    if nb.next is not None and is_circular(nb):
        return "S6-21", "its list of NBs is cyclic"
    while nb is not None:
        fault = frame_fault(nb)
        if fault is not None:
            return fault
        nb = nb.next
    return None


def frame_fault(nb: NetBuffer) -> Fault | None:
    """What is wrong with the layout of one frame."""
    mdl = nb.mdl_chain
    if mdl is not None and mdl is nb.current_mdl and mdl.next is None and describes_its_memory(mdl):  # as most are
        offset = nb.data_offset
        if offset == nb.current_mdl_offset and 0 <= offset <= offset + nb.data_length <= mdl.byte_count:
            return None
    return layout_error(nb)
