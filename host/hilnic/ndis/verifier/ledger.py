# SPDX-License-Identifier: Apache-2.0
"""The ownership ledger (V1, V4, V5, V10): every NBL has one owner, and changes hands only at the API's edges.

    HOME      with the driver whose pool it came from: free to use
    SENT      given to NDIS or the miniport below by a send; comes back by one completion
    INDICATED given upwards by a receive indication; comes back by one return per binding
    LENT      indicated with RESOURCES: the protocol's for the duration of the call only
    FREED     back in its pool

Each method takes the chain that an API function was given and answers the chain that may go on: in a run that collects
violations, an offending NBL is left out and stays with its owner.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from hilnic.ndis.flags import NblInfo
from hilnic.ndis.nbl import NetBufferList, chain, walk
from hilnic.ndis.net_buffer import NetBuffer, layout_error
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier.reserved import scribble_above, scribble_below
from hilnic.ndis.verifier.shadow import poison, received_change, sent_change, take_received, take_sent

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.ndis import Ndis

HOME, SENT, INDICATED, LENT, FREED = "home", "sent", "indicated", "lent", "freed"

HISTORY_LENGTH = 16
_LSO = int(NblInfo.TCP_LARGE_SEND)
_LEFT_BY_RECEIVER = {
    "context": ("MD-19", "a receiver left its context on it"),
    "reserved": ("MD-28", "a receiver wrote into the miniport's reserved fields"),
}

FINAL_STATUSES = frozenset(
    {
        NdisStatus.SUCCESS,
        NdisStatus.INVALID_LENGTH,
        NdisStatus.RESOURCES,
        NdisStatus.PAUSED,
        NdisStatus.SEND_ABORTED,
        NdisStatus.RESET_IN_PROGRESS,
        NdisStatus.FAILURE,
        NdisStatus.NOT_ACCEPTED,
        NdisStatus.LOW_POWER_STATE,
        NdisStatus.INVALID_PORT,
        NdisStatus.CLOSING,
        NdisStatus.VC_NOT_ACTIVATED,
    }
)


class Custody:
    """The verifier's record of one NBL."""

    __slots__ = ("call", "clones", "history", "owner", "shadow", "state")

    def __init__(self, owner: Any, time_ns: int) -> None:
        self.state = HOME
        self.owner = owner
        self.shadow: Any = None
        self.clones = 0
        self.call = 0
        self.history: deque[tuple[int, str, Any]] = deque([(time_ns, "allocated by", owner)], HISTORY_LENGTH)


class Verifier:
    """What the API's edges call; one per Ndis instance with verify = fast or full."""

    __slots__ = ("_call", "ndis")

    def __init__(self, ndis: Ndis) -> None:
        self.ndis = ndis
        self._call = 0

    # Allocation.

    def allocated(self, nbl: NetBufferList) -> None:
        """A new NBL is at home with its pool's owner."""
        nbl.ndis_custody = Custody(nbl.pool.owner, self.ndis.kernel.now_ns())

    def freed(self, nbl: NetBufferList) -> bool:
        """Whether the NBL may be freed: it is at home."""
        custody = nbl.ndis_custody
        if custody.state is not HOME:
            self.ndis.violation("S6-16", nbl.pool.owner, nbl, f"freed while {custody.state}")
            return False
        custody.state = FREED
        custody.history.append((self.ndis.kernel.now_ns(), "freed by", nbl.pool.owner))
        return True

    # Send.

    def sent(self, binding: Binding, nbls: NetBufferList | None) -> NetBufferList | None:
        """A protocol sends: source handle, layout, ownership; the shadow is taken."""
        self._call = call = self._call + 1
        now = self.ndis.kernel.now_ns()
        adapter = binding.adapter
        offenders: set[NetBufferList] | None = None
        if nbls is None:
            self.ndis.violation("S6-21", binding, "list", "an empty list was sent")
        nbl = nbls
        while nbl is not None:
            custody = nbl.ndis_custody
            if nbl.source_handle is binding and custody is not None and custody.state is HOME:
                fault = _frames_fault(nbl)
            else:
                fault = self._send_fault(binding, nbl, call)
            if fault is None:
                custody.call = call
                custody.state = SENT
                custody.owner = adapter
                custody.shadow = take_sent(nbl)
                if self.ndis.guard is not None:
                    self.ndis.guard.adopt(nbl)
                    scribble_below(nbl)
                custody.history.append((now, "sent by", binding))
            else:
                self.ndis.violation(fault[0], binding, nbl, fault[1])
                offenders = offenders or set()
                if nbl in offenders or (custody is not None and custody.call == call):
                    return None  # a cycle: nothing of the list goes on
                offenders.add(nbl)
            nbl = nbl.next
        return nbls if offenders is None else chain(n for n in walk(nbls) if n not in offenders)

    def _send_fault(self, binding: Binding, nbl: NetBufferList, call: int) -> tuple[str, str]:
        custody = nbl.ndis_custody
        if custody is None:
            return "S6-22", "NOT_FROM_POOL"
        if custody.call == call:
            return "S6-21", "the list is cyclic"
        if nbl.source_handle is not binding:
            return "S6-07", f"BAD_SOURCE_HANDLE: {nbl.source_handle!r}"
        if custody.state is SENT:
            return "S6-09", "sent again while pending"
        return "S6-22", f"sent while {custody.state}"

    def completed(self, adapter: Adapter, nbls: NetBufferList | None) -> NetBufferList | None:
        """A miniport completes: it holds the list, which is as submitted, and the status is final."""
        now = self.ndis.kernel.now_ns()
        offenders: set[NetBufferList] | None = None
        nbl = nbls
        while nbl is not None:
            custody = nbl.ndis_custody
            if custody is not None and custody.state is SENT and custody.owner is adapter:
                self._check_completed(adapter, nbl, custody)
                custody.state = HOME
                custody.owner = nbl.source_handle
                custody.history.append((now, "completed by", adapter))
            else:
                rule, detail = self._completion_fault(nbl)
                self.ndis.violation(rule, adapter, nbl, detail)
                offenders = offenders or set()
                if nbl in offenders:
                    break
                offenders.add(nbl)
            nbl = nbl.next
        return nbls if offenders is None else chain(n for n in walk(nbls) if n not in offenders)

    def _completion_fault(self, nbl: NetBufferList) -> tuple[str, str]:
        custody = nbl.ndis_custody
        if custody is None:
            return "S6-16", "completed, but it is from no pool"
        if custody.state is HOME and custody.history[-1][1] == "completed by":
            return "S6-02", "DOUBLE_COMPLETE"
        what = {HOME: "it was not sent", SENT: "another adapter holds it", FREED: "it is freed"}
        return "S6-16", "completed, but " + what.get(custody.state, "it is a receive")

    def _check_completed(self, adapter: Adapter, nbl: NetBufferList, custody: Custody) -> None:
        status = nbl.status
        if status not in FINAL_STATUSES:
            if status == NdisStatus.PENDING:
                self.ndis.violation("S6-15", adapter, nbl, "completed with PENDING")
            else:
                self.ndis.warning("S6-15", adapter, nbl, f"completed with {status:#010x}")
        if custody.clones:
            self.ndis.violation("MD-22", adapter, nbl, f"completed before {custody.clones} clones were freed")
        if nbl.child_ref_count:
            self.ndis.violation("MD-25", adapter, nbl, f"completed with {nbl.child_ref_count} child references")
        largest = adapter.largest_frame
        nb = nbl.first_net_buffer
        while nb is not None:
            if nb.scatter_gather_list is not None:
                self.ndis.violation("IT-06", adapter, nbl, "completed before its SG list was freed")
            if nb.data_length > largest and status == 0 and nbl.net_buffer_list_info[_LSO] is None:
                self.ndis.violation("S6-14", adapter, nbl, f"{nb.data_length} bytes completed with SUCCESS")
            nb = nb.next
        change = sent_change(nbl, custody.shadow)
        if change is not None:
            self.ndis.violation(change[0], nbl.source_handle if change[0] == "S6-09" else adapter, nbl, change[1])

    def refused(self, binding: Binding, nbls: NetBufferList | None) -> None:
        """NDIS completes a send itself."""
        now = self.ndis.kernel.now_ns()
        for nbl in walk(nbls):
            custody = nbl.ndis_custody
            custody.state = HOME
            custody.owner = binding
            custody.history.append((now, "refused by", "NDIS"))

    # Receive.

    def indicated(self, adapter: Adapter, nbls: NetBufferList | None, number: int) -> NetBufferList | None:
        """A miniport indicates: its handle, the count, one NB per NBL, and no list that is still out."""
        self._call = call = self._call + 1
        now = self.ndis.kernel.now_ns()
        offenders: set[NetBufferList] | None = None
        actual = 0
        nbl = nbls
        while nbl is not None:
            actual += 1
            custody = nbl.ndis_custody
            fault = self._indicate_fault(adapter, nbl, call)
            if fault is None:
                custody.call = call
                custody.state = INDICATED
                custody.owner = adapter
                custody.shadow = take_received(nbl)
                if self.ndis.guard is not None:
                    self.ndis.guard.adopt(nbl)
                    scribble_above(nbl)
                custody.history.append((now, "indicated by", adapter))
            else:
                self.ndis.violation(fault[0], adapter, nbl, fault[1])
                offenders = offenders or set()
                if nbl in offenders or (custody is not None and custody.call == call):
                    return None
                offenders.add(nbl)
            nbl = nbl.next
        if actual != number:
            self.ndis.violation("R6-02", adapter, "list", f"count says {number}, the list has {actual}")
        return nbls if offenders is None else chain(n for n in walk(nbls) if n not in offenders)

    def _indicate_fault(self, adapter: Adapter, nbl: NetBufferList, call: int) -> tuple[str, str] | None:
        custody = nbl.ndis_custody
        if custody is None:
            return "S6-22", "NOT_FROM_POOL"
        if custody.state is not HOME:
            if custody.call == call:
                return "S6-21", "the list is cyclic"
            return "R6-09", f"indicated while {custody.state}"
        if nbl.source_handle is not adapter:
            return "R6-01", f"source handle is {nbl.source_handle!r}"
        nb = nbl.first_net_buffer
        if nb is None or nb.next is not None:
            return "R6-11", "not exactly one NET_BUFFER"
        return _frame_fault(nb)

    def delivered(self, binding: Binding, nbls: NetBufferList | None, lent: bool) -> None:
        """NDIS hands a chain to a protocol, to keep or (RESOURCES) to look at."""
        state, verb = (LENT, "lent to") if lent else (INDICATED, "given to")
        now = self.ndis.kernel.now_ns()
        nbl = nbls
        while nbl is not None:
            custody = nbl.ndis_custody
            custody.state = state
            custody.owner = binding
            custody.history.append((now, verb, binding))
            nbl = nbl.next

    def taken_back(self, binding: Binding, members: list[NetBufferList]) -> None:
        """The receive handler returned under RESOURCES: order, links and bytes are as it found them (R6-05)."""
        for nbl, following in zip(members, [*members[1:], None], strict=True):
            if nbl.next is not following:
                self.ndis.violation("R6-05", binding, nbl, "CHAIN_CHANGED: the list was relinked")
            elif (change := received_change(nbl, nbl.ndis_custody.shadow)) is not None:
                rule, what = _LEFT_BY_RECEIVER.get(change, ("R6-05", f"CHAIN_CHANGED: its {change} changed"))
                self.ndis.violation(rule, binding, nbl, what)

    def returned(self, binding: Binding, nbls: NetBufferList | None) -> NetBufferList | None:
        """A protocol returns: it holds each list, from an indication without RESOURCES."""
        now = self.ndis.kernel.now_ns()
        offenders: set[NetBufferList] | None = None
        nbl = nbls
        while nbl is not None:
            custody = nbl.ndis_custody
            if custody is not None and custody.state is INDICATED and custody.owner is binding:
                custody.owner = binding.adapter
                custody.history.append((now, "returned by", binding))
            else:
                rule, detail = _return_fault(custody)
                self.ndis.violation(rule, binding, nbl, detail)
                offenders = offenders or set()
                if nbl in offenders:
                    break
                offenders.add(nbl)
            nbl = nbl.next
        return nbls if offenders is None else chain(n for n in walk(nbls) if n not in offenders)

    def clone_returned(self, clone: NetBufferList) -> None:
        """One of NDIS's fan-out clones is done with; its bytes are its original's business."""
        clone.ndis_custody.state = FREED

    def came_home(self, adapter: Adapter, nbls: NetBufferList | None, lent: bool = False) -> None:
        """The last holder is done: bytes unchanged while held (R6-06), chain unchanged (MD-09), then poison.

        What was lent has been compared by `taken_back`.
        """
        nbl = nbls
        while nbl is not None:
            custody = nbl.ndis_custody
            shadow = custody.shadow
            change = None if lent else received_change(nbl, shadow)
            if change == "chain":
                self.ndis.violation("MD-09", adapter, nbl, "the MDL chain changed while it was held")
            elif change == "bytes":
                self.ndis.violation("R6-06", adapter, nbl, "the bytes changed while a protocol held them")
            elif change is not None:
                rule, what = _LEFT_BY_RECEIVER[change]
                self.ndis.violation(rule, adapter, nbl, what)
            if custody.clones:
                self.ndis.violation("MD-22", adapter, nbl, f"returned before {custody.clones} clones were freed")
            if nbl.child_ref_count:
                self.ndis.violation("MD-25", adapter, nbl, f"returned with {nbl.child_ref_count} child references")
            poison(shadow)
            custody.state = HOME
            custody.owner = adapter
            nbl = nbl.next


def _return_fault(custody: Custody | None) -> tuple[str, str]:
    if custody is None:
        return "S6-22", "NOT_FROM_POOL"
    if custody.state is LENT:
        return "R6-05", "RETURN_UNDER_RESOURCES"
    if custody.state is INDICATED and custody.history[-1][1] != "returned by":
        return "R6-10", f"{custody.owner!r} holds it"
    return "R6-10", "DOUBLE_RETURN" if custody.history[-1][1] == "returned by" else f"it is {custody.state}"


def _frames_fault(nbl: NetBufferList) -> tuple[str, str] | None:
    nb = nbl.first_net_buffer
    if nb is None:
        return "S6-21", "an NBL without NB"
    while nb is not None:
        fault = _frame_fault(nb)
        if fault is not None:
            return fault
        nb = nb.next
    return None


def _frame_fault(nb: NetBuffer) -> tuple[str, str] | None:
    mdl = nb.mdl_chain
    if mdl is not None and mdl is nb.current_mdl:  # the common form: the data begins in the first MDL
        offset = nb.data_offset
        if offset == nb.current_mdl_offset and 0 <= offset <= offset + nb.data_length <= mdl.byte_count:
            return None
    return layout_error(nb)
