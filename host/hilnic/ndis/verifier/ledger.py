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

from typing import TYPE_CHECKING, Any

from hilnic.ndis.flags import NblInfo, ReceiveFlags, SendFlags
from hilnic.ndis.kernel import Irql
from hilnic.ndis.mdl import describes_its_memory
from hilnic.ndis.nbl import NetBufferList, chain, walk
from hilnic.ndis.verifier.custody import FREED, HOME, INDICATED, LENT, SENT, Custody, edges_of_one_driver
from hilnic.ndis.verifier.filter_ledger import FilterLedger
from hilnic.ndis.verifier.frame_rules import LONGEST_HEADER, SINGLE, mixed_fault, received_fault, sent_fault
from hilnic.ndis.verifier.ledger_checks import LEFT_BY_RECEIVER, frame_fault, frames_fault, return_fault
from hilnic.ndis.verifier.reserved import scribble_above, scribble_below
from hilnic.ndis.verifier.shadow import cancel_id, poison, received_change, take_received, take_sent

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.binding import Binding
    from hilnic.ndis.filter import FilterModule

_CANCEL_ID = int(NblInfo.CANCEL_ID)
_CHECK_FOR_LOOPBACK = int(SendFlags.CHECK_FOR_LOOPBACK)
_DISPATCH_LEVEL = int(SendFlags.DISPATCH_LEVEL)
_RESOURCES = int(ReceiveFlags.RESOURCES)


class Verifier(FilterLedger):
    """What the API's edges call; one per Ndis instance with verify = fast or full."""

    __slots__ = ()

    # Allocation.

    def allocated(self, nbl: NetBufferList) -> None:
        """An NBL, new or rested, is at home with its pool's owner."""
        custody: Custody | None = nbl.ndis_custody
        if custody is None:
            custody = nbl.ndis_custody = Custody(nbl.pool.owner, self.ndis.kernel.now_ns())
        else:
            custody.begin(nbl.pool.owner, self.ndis.kernel.now_ns())
        custody.source = nbl.source_handle

    def freed(self, nbl: NetBufferList) -> bool:
        """Whether the NBL may be freed: it is at home."""
        custody: Custody = nbl.ndis_custody
        if not custody.freed((self.ndis.kernel.now_ns(), "freed by", nbl.pool.owner)):
            self.ndis.violation("S6-16", nbl.pool.owner, nbl, f"freed while {custody.state}")
            return False
        if self.ndis.guard is not None:
            self.ndis.guard.forget(nbl)
        return True

    # Send.

    def sent(self, binding: Binding, nbls: NetBufferList | None, send_flags: int) -> NetBufferList | None:
        """A protocol sends: source handle, layout, ownership; the shadow is taken."""
        if nbls is None or send_flags or not self.ndis.watchdogs.armed:
            self.begin_send(binding, nbls, send_flags)
        if self.begin_sent(binding, nbls):
            return nbls
        self._call = call = self._call + 1
        now = self.ndis.kernel.now_ns()
        holder = binding.adapter.top_sender or binding.adapter
        offenders: set[NetBufferList] | None = None
        nbl = nbls
        while nbl is not None:
            custody = nbl.ndis_custody
            if nbl.source_handle is binding and custody is not None and custody.state is HOME:
                fault = None
                if not _is_plain(nbl):
                    fault = frames_fault(nbl) or self._habits(binding, nbl)
            else:
                fault = self._forward_fault(binding, nbl, call, send_flags)
                if fault is None:
                    custody.push(hop=False)
                    custody.children_before = nbl.child_ref_count
            if fault is None:
                custody.call = call
                custody.state = SENT
                custody.owner = holder
                custody.source = binding
                custody.shadow = take_sent(nbl)
                if nbl.parent_net_buffer_list is not None:
                    self.piece_sent(nbl.parent_net_buffer_list)
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

    def begin_send(self, binding: Any, nbls: NetBufferList | None, send_flags: int) -> None:
        """What is seldom to be done at the beginning of a send: the call itself is wrong, or nothing was out."""
        if nbls is None:
            self.ndis.violation("S6-21", binding, "list", "an empty list was sent")
        if send_flags & _DISPATCH_LEVEL and self.ndis.kernel.irql < Irql.DISPATCH:
            self.ndis.violation("S6-23", binding, "send", f"DISPATCH_LEVEL set at {self.ndis.kernel.irql.name}")
        if not self.ndis.watchdogs.armed:
            self.ndis.watchdogs.watch_sends()

    def _habits(self, binding: Binding, nbl: NetBufferList) -> tuple[str, str] | None:
        """What is legal and yet asks for trouble: split headers, mixed flows, a cancel id that another binding uses."""
        cancel_id = nbl.net_buffer_list_info[_CANCEL_ID]
        if cancel_id:
            other = self.cancel_ids.sent(binding, cancel_id)
            if other is not None:
                self.frown("CN-06", binding, nbl, f"the cancel id {cancel_id!r} is live on {other!r}, too")
        fault = sent_fault(nbl)
        if fault is not None and fault[0] == "S6-20" and self.ndis.profile.split_header == "error":
            return fault
        if fault is not None:
            self.frown(fault[0], binding, nbl, fault[1])
        return None

    def _forward_fault(
        self, binding: Binding, nbl: NetBufferList, call: int, send_flags: int
    ) -> tuple[str, str] | None:
        """What is wrong with a list that is not its sender's own; None when an intermediate driver sends it on."""
        custody = nbl.ndis_custody
        if custody is None:
            return "S6-22", "NOT_FROM_POOL"
        if custody.call == call:
            return "S6-21", "the list is cyclic"
        if custody.state is SENT and edges_of_one_driver(custody.owner, binding):
            if nbl.source_handle is not binding:
                return "IM-01", f"sent on with the source handle {nbl.source_handle!r}"
            if custody.shadow is not None and nbl.net_buffer_list_info[_CANCEL_ID] != cancel_id(custody.shadow):
                return "CN-07", "sent on with another cancel id"
            if send_flags & _CHECK_FOR_LOOPBACK:
                self.ndis.warning("IM-08", binding, nbl, "sent on with CHECK_FOR_LOOPBACK")
            return frames_fault(nbl)
        if nbl.source_handle is not binding:
            return "S6-07", f"BAD_SOURCE_HANDLE: {nbl.source_handle!r}"
        if custody.state is SENT:
            return "S6-09", "sent again while pending"
        return "S6-22", f"sent while {custody.state}"

    def completed(self, adapter: Adapter, nbls: NetBufferList | None) -> NetBufferList | None:
        """A miniport completes: it holds the list, which is as submitted, and the status is final."""
        upper = adapter.bottom_completer
        if self.completed_upwards(adapter, nbls, upper):
            return nbls
        now = self.ndis.kernel.now_ns()
        offenders: set[NetBufferList] | None = None
        nbl = nbls
        while nbl is not None:
            custody = nbl.ndis_custody
            if custody is not None and custody.state is SENT and custody.owner is adapter:
                self.check_completed(adapter, nbl, custody)
                if upper is None and custody.outer is None:
                    custody.state = HOME
                    custody.owner = nbl.source_handle
                    self.ended(nbl)
                    if self.ndis.guard is not None:
                        self.ndis.guard.give_back(nbl)
                    if nbl.parent_net_buffer_list is not None:
                        self.piece_done(nbl.parent_net_buffer_list)
                else:
                    self.climb(nbl, custody, upper)
                custody.history.append((now, "completed by", adapter))
            else:
                rule, detail = self.completion_fault(nbl)
                self.ndis.violation(rule, adapter, nbl, detail)
                offenders = offenders or set()
                if nbl in offenders:
                    return None  # a cycle: nothing of the list goes on
                offenders.add(nbl)
            nbl = nbl.next
        return nbls if offenders is None else chain(n for n in walk(nbls) if n not in offenders)

    # Receive.

    def indicated(
        self, adapter: Adapter, nbls: NetBufferList | None, number: int, receive_flags: int
    ) -> NetBufferList | None:
        """A miniport indicates: its handle, the count, one NB per NBL, and no list that is still out."""
        if not receive_flags & (SINGLE | _RESOURCES) and self.begin_received(adapter, nbls, number):
            return nbls
        self._call = call = self._call + 1
        now = self.ndis.kernel.now_ns()
        offenders: set[NetBufferList] | None = None
        actual = 0
        nbl = nbls
        while nbl is not None:
            actual += 1
            custody = nbl.ndis_custody
            fault = self._indicate_fault(adapter, nbl, call, receive_flags)
            if fault is None:
                if custody.state is not HOME:
                    custody.push(hop=False)
                    custody.children_before = nbl.child_ref_count
                custody.call = call
                custody.state = INDICATED
                custody.owner = adapter
                custody.source = nbl.source_handle
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
        if receive_flags & SINGLE and (mixed := mixed_fault(nbls, receive_flags)) is not None:
            self.ndis.violation(mixed[0], adapter, "list", mixed[1])
        if actual != number:
            self.ndis.violation("R6-02", adapter, "list", f"count says {number}, the list has {actual}")
        return nbls if offenders is None else chain(n for n in walk(nbls) if n not in offenders)

    def _indicate_fault(
        self, adapter: Adapter, nbl: NetBufferList, call: int, receive_flags: int
    ) -> tuple[str, str] | None:
        custody = nbl.ndis_custody
        if custody is None:
            return "S6-22", "NOT_FROM_POOL"
        if custody.state is not HOME:
            if custody.call == call:
                return "S6-21", "the list is cyclic"
            return self._forward_up_fault(adapter, nbl, custody, receive_flags)
        if nbl.source_handle is not adapter:
            return "R6-01", f"source handle is {nbl.source_handle!r}"
        nb = nbl.first_net_buffer
        if nb is None or nb.next is not None:
            return "R6-11", "not exactly one NET_BUFFER"
        mdl = nb.current_mdl
        if mdl is not None and mdl.byte_count - nb.current_mdl_offset < nb.data_length:
            return frame_fault(nb) or received_fault(adapter, nb)
        return frame_fault(nb)

    def _forward_up_fault(
        self, adapter: Adapter, nbl: NetBufferList, custody: Custody, receive_flags: int
    ) -> tuple[str, str] | None:
        """What is wrong with a list that is out already; None when an intermediate driver indicates it on."""
        if custody.state not in {INDICATED, LENT} or not edges_of_one_driver(adapter, custody.owner):
            if any(edges_of_one_driver(adapter, giver) for giver in custody.givers()):
                return "IM-11", f"indicated again while {custody.owner!r} holds it"
            return "R6-09", f"indicated while {custody.state}"
        if custody.state is LENT and not receive_flags & _RESOURCES:
            return "R6-05", "indicated on without RESOURCES"
        if nbl.source_handle is not adapter:
            return self.upward_handle_fault(adapter, nbl, f"indicated on with the source handle {nbl.source_handle!r}")
        return None

    def delivered(self, binding: Binding, nbls: NetBufferList | None, number: int, lent: bool) -> None:
        """NDIS hands a chain to a protocol, to keep or (RESOURCES) to look at."""
        state, verb = (LENT, "lent to") if lent else (INDICATED, "given to")
        if not lent and self.given(binding.adapter, nbls, number, binding, verb):
            return
        now = self.ndis.kernel.now_ns()
        nbl = nbls
        while nbl is not None:
            custody = nbl.ndis_custody
            custody.alone()
            custody.held = state
            custody.holder = binding
            custody.history.append((now, verb, binding))
            nbl = nbl.next

    def taken_back(self, holder: Binding | FilterModule, members: list[NetBufferList]) -> None:
        """The receive handler returned under RESOURCES: order, links and bytes are as it found them (R6-05)."""
        for nbl, following in zip(members, [*members[1:], None], strict=True):
            change = received_change(nbl, nbl.ndis_custody.shadow)
            if nbl.next is not following:
                self.ndis.violation("R6-05", holder, nbl, "CHAIN_CHANGED: the list was relinked")
            elif change in {"chain", "bytes"}:
                self.ndis.violation("R6-05", holder, nbl, f"CHAIN_CHANGED: its {change} changed")
            elif change is not None:
                self.ndis.violation(LEFT_BY_RECEIVER[change][0], holder, nbl, LEFT_BY_RECEIVER[change][1])

    def returned(self, binding: Binding, nbls: NetBufferList | None) -> NetBufferList | None:
        """A protocol returns: it holds each list, from an indication without RESOURCES."""
        if self.passed(binding, nbls, binding.adapter, "returned by", binding):
            return nbls
        now = self.ndis.kernel.now_ns()
        offenders: set[NetBufferList] | None = None
        nbl = nbls
        while nbl is not None:
            custody = nbl.ndis_custody
            if custody is not None:
                custody.alone()
            if custody is not None and custody.held is INDICATED and custody.holder is binding:
                if nbl.source_handle is not custody.source:
                    fault = self.upward_handle_fault(binding, nbl, f"returned with the handle {nbl.source_handle!r}")
                    if fault is not None:
                        self.ndis.violation(fault[0], binding, nbl, fault[1])
                    nbl.source_handle = custody.source
                custody.holder = binding.adapter
                custody.history.append((now, "returned by", binding))
            else:
                rule, detail = return_fault(binding, custody)
                self.ndis.violation(rule, binding, nbl, detail)
                offenders = offenders or set()
                if nbl in offenders:
                    return None  # a cycle: nothing of the list goes on
                offenders.add(nbl)
            nbl = nbl.next
        return nbls if offenders is None else chain(n for n in walk(nbls) if n not in offenders)

    def clone_returned(self, clone: NetBufferList) -> None:
        """One of NDIS's fan-out clones is done with; its bytes are its original's business."""
        clone.ndis_custody.held = FREED

    def came_home(self, adapter: Adapter, nbls: NetBufferList | None, lent: bool = False) -> None:
        """The last holder is done: bytes unchanged while held (R6-06), chain unchanged (MD-09), then poison.

        What was lent has been compared by `taken_back`.
        """
        if not lent and self.end_received(adapter, nbls):
            return
        nbl = nbls
        while nbl is not None:
            custody = nbl.ndis_custody
            custody.alone()
            if not lent:
                self.check_returned(adapter, nbl, custody)
            if custody.outer is None and nbl.pool.poisons and nbl.parent_net_buffer_list is None:
                poison(custody.shadow)  # nobody below holds the bytes, by this list or by the one it is a clone of
            custody.pop()
            nbl = nbl.next


def _is_plain(nbl: NetBufferList) -> bool:
    """What most lists are: one frame of one MDL at least, its header in one piece, without a cancel id."""
    nb: Any = nbl.first_net_buffer
    if nb is None or nb.next is not None or nbl.net_buffer_list_info[_CANCEL_ID]:
        return False
    mdl = nb.mdl_chain
    if mdl is None or mdl is not nb.current_mdl or mdl.next is not None or not describes_its_memory(mdl):
        return False
    length: int = nb.data_length
    offset: int = nb.data_offset
    size: int = mdl.byte_count
    inside = 0 <= offset <= offset + length <= size >= offset + LONGEST_HEADER
    current: int = nb.current_mdl_offset
    return inside and offset == current
