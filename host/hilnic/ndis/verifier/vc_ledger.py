# SPDX-License-Identifier: Apache-2.0
"""The ownership ledger on VCs: the holder below is the VC, by its miniport's handle, and no filter is in between.

Sends carry the sender's VC handle and receives the miniport's (CD-03); one NB per received list (CD-05). Everything
else is as in ledger.py, whose checks are used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.flags import NblInfo
from hilnic.ndis.nbl import NetBufferList, chain, walk
from hilnic.ndis.verifier.custody import HOME, INDICATED, SENT, Custody
from hilnic.ndis.verifier.ledger_checks import Fault, frame_fault, frames_fault
from hilnic.ndis.verifier.reserved import scribble_above, scribble_below
from hilnic.ndis.verifier.shadow import take_received, take_sent

if TYPE_CHECKING:
    from hilnic.ndis.condis.handles import VcHandle
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.verifier.ledger import Verifier

_CANCEL_ID = int(NblInfo.CANCEL_ID)


class VcLedger:
    """What the data functions of CoNDIS call; one per Ndis instance with verify = fast or full."""

    __slots__ = ("_ndis", "_verifier")

    def __init__(self, ndis: Ndis, verifier: Verifier) -> None:
        self._ndis = ndis
        self._verifier = verifier

    def sent(self, vc: VcHandle, nbls: NetBufferList | None, send_flags: int) -> NetBufferList | None:
        """A client or a call manager sends: its handle, layout, ownership; the shadow is taken."""
        self._verifier.begin_send(vc, nbls, send_flags)
        now = self._ndis.kernel.now_ns()
        seen: set[NetBufferList] = set()
        good: list[NetBufferList] = []
        for nbl in walk(nbls):
            if nbl in seen:
                self._ndis.violation("S6-21", vc.actor, nbl, "the list is cyclic")
                return None
            seen.add(nbl)
            fault = self._sent_fault(vc, nbl)
            if fault is not None:
                self._ndis.violation(fault[0], vc.actor, nbl, fault[1])
                continue
            good.append(nbl)
            self._hand_down(vc, nbl, now)
        return nbls if len(good) == len(seen) else chain(good)

    @staticmethod
    def _sent_fault(vc: VcHandle, nbl: NetBufferList) -> Fault | None:
        custody: Custody | None = nbl.ndis_custody
        if custody is None:
            return "S6-22", "NOT_FROM_POOL"
        if custody.state is SENT:
            return "S6-09", "sent again while pending"
        if custody.state is not HOME:
            return "S6-22", f"sent while {custody.state}"
        if nbl.source_handle is not vc:
            return "CD-03", f"sent on {vc!r} with the source handle {nbl.source_handle!r}"
        return frames_fault(nbl)

    def _hand_down(self, vc: VcHandle, nbl: NetBufferList, now: int) -> None:
        verifier, custody = self._verifier, nbl.ndis_custody
        cancel_id = nbl.net_buffer_list_info[_CANCEL_ID]
        if cancel_id:
            other = verifier.cancel_ids.sent(vc.binding, cancel_id)  # type: ignore[arg-type]
            if other is not None:
                verifier.frown("CN-06", vc.binding, nbl, f"the cancel id {cancel_id!r} is live on {other!r}, too")
        custody.state, custody.owner, custody.source = SENT, vc.vc.miniport, vc
        custody.shadow = take_sent(nbl)
        if nbl.parent_net_buffer_list is not None:
            verifier.piece_sent(nbl.parent_net_buffer_list)
        if self._ndis.guard is not None:
            self._ndis.guard.adopt(nbl)
            scribble_below(nbl)
        custody.history.append((now, "sent by", vc))

    def completed(self, vc: VcHandle, nbls: NetBufferList | None) -> NetBufferList | None:
        """A miniport completes: this VC holds the list, which is as submitted, and the status is final."""
        now = self._ndis.kernel.now_ns()
        seen: set[NetBufferList] = set()
        good: list[NetBufferList] = []
        for nbl in walk(nbls):
            if nbl in seen:
                break
            seen.add(nbl)
            custody: Custody | None = nbl.ndis_custody
            if custody is None or custody.state is not SENT or custody.owner is not vc:
                rule, detail = self._verifier.completion_fault(nbl)
                self._ndis.violation(rule, vc.adapter, nbl, detail)
                continue
            good.append(nbl)
            self._hand_back(vc, nbl, custody, now)
        return nbls if len(good) == len(seen) else chain(good)

    def _hand_back(self, vc: VcHandle, nbl: NetBufferList, custody: Custody, now: int) -> None:
        if nbl.source_handle is not custody.source:
            detail = f"completed with the source handle {nbl.source_handle!r}"
            self._ndis.violation("CD-03", vc.adapter, nbl, detail)
            nbl.source_handle = custody.source
        self._verifier.check_completed(vc.adapter, nbl, custody)
        custody.state, custody.owner = HOME, nbl.source_handle
        self._verifier.ended(nbl)
        if self._ndis.guard is not None:
            self._ndis.guard.give_back(nbl)
        if nbl.parent_net_buffer_list is not None:
            self._verifier.piece_done(nbl.parent_net_buffer_list)
        custody.history.append((now, "completed by", vc.adapter))

    def indicated(
        self, vc: VcHandle, nbls: NetBufferList | None, number: int, receive_flags: int
    ) -> NetBufferList | None:
        """A miniport indicates on a VC: its handle, the count, one NB per list, and no list that is still out."""
        del receive_flags
        now = self._ndis.kernel.now_ns()
        seen: set[NetBufferList] = set()
        good: list[NetBufferList] = []
        for nbl in walk(nbls):
            if nbl in seen:
                self._ndis.violation("S6-21", vc.adapter, nbl, "the list is cyclic")
                return None
            seen.add(nbl)
            fault = self._indicate_fault(vc, nbl)
            if fault is not None:
                self._ndis.violation(fault[0], vc.adapter, nbl, fault[1])
                continue
            good.append(nbl)
            custody = nbl.ndis_custody
            custody.state, custody.owner, custody.source = INDICATED, vc, nbl.source_handle
            custody.shadow = take_received(nbl)
            if self._ndis.guard is not None:
                self._ndis.guard.adopt(nbl)
                scribble_above(nbl)
            custody.history.append((now, "indicated by", vc.adapter))
        if len(seen) != number:
            self._ndis.violation("R6-02", vc.adapter, "list", f"count says {number}, the list has {len(seen)}")
        return nbls if len(good) == len(seen) else chain(good)

    @staticmethod
    def _indicate_fault(vc: VcHandle, nbl: NetBufferList) -> Fault | None:
        custody: Custody | None = nbl.ndis_custody
        if custody is None:
            return "S6-22", "NOT_FROM_POOL"
        if custody.state is not HOME:
            return "R6-09", f"indicated while {custody.state}"
        if nbl.source_handle is not vc:
            return "CD-03", f"indicated on {vc!r} with the source handle {nbl.source_handle!r}"
        nb: Any = nbl.first_net_buffer
        if nb is None or nb.next is not None:
            return "CD-05", "not exactly one NET_BUFFER"
        return frame_fault(nb)
