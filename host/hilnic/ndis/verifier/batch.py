# SPDX-License-Identifier: Apache-2.0
"""`verify=fast`: lists that were handed over in one call are followed together, for as long as they are ordinary.

    sent by a protocol -> [holder: filter -> filter -> miniport] -> completed, home
    indicated          -> [holder: filter -> protocol]           -> returned, home

A `Batch` says once for all its members who holds them; the record of each list has the batch in place of a state. A
hand-over then costs a look at each list and one change of the batch. A part that goes on alone becomes a batch of its
own. Whoever asks for the state of one list (`Custody.state`) takes that list out, and from there on it is followed
alone, as every list is in `full`. Whatever is not ordinary does so: the rules are judged in ledger.py and
filter_ledger.py, and only there.

A form is what a list has to look like when it comes back: a flat tuple, so that one comparison in C does it. It is
taken at the send or indication and compared where the list comes home. Between filters three things of each list are
compared, which are what filters change: its NET_BUFFER, its MDL chain and its length; the whole form of the list that
leads the call, which is every list that travels by itself. Of the bytes a batch keeps copies for its first list and
every sixteenth after it. `full` compares everything of every list at every hop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.flags import NBL_INFO_SLOTS, NblInfo
from hilnic.ndis.verifier.frame_rules import LONGEST_HEADER

if TYPE_CHECKING:
    from hilnic.ndis.nbl import NetBufferList
    from hilnic.ndis.verifier.custody import Custody

EMPTY_INFO: list[Any] = [None] * NBL_INFO_SLOTS
SAMPLED = 15
"""The bytes of a list are kept when its place in the batch has none of these bits: the first, the 17th, ..."""
LARGEST = 65536
"""Bytes of the largest MDL of a received list in a batch."""

_CANCEL_ID = int(NblInfo.CANCEL_ID)

Event = tuple[int, str, Any]
"""(time in ns, verb, who)."""

SentForm = tuple[Any, ...]
"""What `sent_form` gives."""

ReceivedForm = tuple[tuple[Any, ...], int, int]
"""(`received_form`, offset in the MDL, length): the last two are where the indicated data lies."""


class Batch:
    """Lists with one holder: `number` of them, `state` SENT or INDICATED, `source` their source handle."""

    __slots__ = ("events", "family", "givers", "holder", "number", "samples", "source", "state", "strays", "sure")

    def __init__(self, state: str, holder: Any, source: Any, event: Event) -> None:
        self.state = state
        self.holder = holder
        self.source = source
        self.number = 0
        self.events = [event]  # what happened to all of them, oldest first
        self.givers: tuple[Any, ...] = ()  # the filters that have sent them on and wait for them, the last one nearest
        self.samples: dict[Custody, bytes] = {}
        self.sure: NetBufferList | None = None  # the one list whose whole form every filter has been asked for
        self.family: list[Batch] | None = None  # all parts of what was one batch, this one too
        self.strays: list[Custody] | None = None  # records of lists that were taken out

    def split(self, number: int) -> Batch:
        """A new batch for `number` of the lists; the caller writes it into their records."""
        part = Batch(self.state, self.holder, self.source, self.events[0])
        part.events = self.events.copy()
        part.givers = self.givers
        part.number = number
        self.number -= number
        if self.family is None:
            self.family = [self]
        self.family.append(part)
        part.family = self.family
        return part

    def end(self, event: Event | None) -> None:
        """All lists are home."""
        self.number = 0
        self.samples = {}
        if event is not None:
            self.events.append(event)

    def end_part(self, number: int, event: Event | None) -> list[Event]:
        """So many of the lists are home, the others go on; gives what has happened to the former."""
        self.number -= number
        return self.events.copy() if event is None else [*self.events, event]

    def leaves(self, custody: Custody) -> bytes | None:
        """One of the lists is followed alone from here on; gives the copy of its bytes, if one was kept."""
        self.number -= 1
        if self.strays is None:
            self.strays = []
        self.strays.append(custody)
        return self.samples.pop(custody, None)

    def kept_by(self, holder: Any) -> bool:
        """Whether `holder` has any list that belonged here."""
        for part in self.family or (self,):
            if part.number and part.holder is holder:
                return True
            if part.strays is not None and any(custody.owner is holder for custody in part.strays):
                return True
        return False


def sent_form(nbl: NetBufferList) -> SentForm:
    """What must be as submitted when a list comes back (S6-04); AttributeError where a NET_BUFFER or MDL is missing."""
    nb: Any = nbl.first_net_buffer
    mdl = nb.mdl_chain
    info = nbl.net_buffer_list_info
    return (
        nbl.source_handle, nbl.flags, nbl.nbl_flags, nbl.context, nbl.child_ref_count,
        None if info == EMPTY_INFO else info.copy(),
        nb, nb.next, nb.data_offset, nb.data_length, nb.current_mdl, nb.current_mdl_offset, nb.scatter_gather_list,
        mdl, mdl.next, mdl.region, mdl.byte_offset, mdl.byte_count,
    )  # fmt: skip


def may_be_sent(nbl: NetBufferList, form: SentForm, largest: int) -> bool:
    """Whether a list may travel down in a batch: one frame in one MDL, no clones, pieces or context.

    Its layout is right, its header in one piece, it has no cancel id and no more than `largest` bytes.
    """
    _, _, _, context, children, info, _, another, offset, length, current, at, sg_list, mdl, more, _, _, size = form
    custody = nbl.ndis_custody
    if another is not None or more is not None or sg_list is not None or context is not None or children:
        return False
    if custody.clones or custody.pieces or nbl.parent_net_buffer_list is not None:
        return False
    if info is not None and info[_CANCEL_ID]:
        return False
    inside: bool = 0 <= offset <= offset + length <= size >= offset + LONGEST_HEADER
    return inside and current is mdl and at == offset and length <= largest


def sent_bytes(form: SentForm) -> bytes:
    """A copy of the data that a sent form describes."""
    start = form[16] + form[8]
    data: bytes = form[15].view[start : start + form[9]].tobytes()
    return data


def received_form(nbl: NetBufferList) -> tuple[Any, ...]:
    """What a receiver leaves as it is (MD-09, MD-19, MD-25); AttributeError where a NET_BUFFER or MDL is missing."""
    nb: Any = nbl.first_net_buffer
    mdl = nb.mdl_chain
    return (
        nbl.source_handle, nbl.context, nbl.child_ref_count,
        nb, nb.next, mdl, mdl.next, mdl.region, mdl.byte_offset, mdl.byte_count,
    )  # fmt: skip


def may_be_received(nbl: NetBufferList, form: tuple[Any, ...]) -> bool:
    """Whether a list may travel up in a batch: one frame in one MDL, no clones, pieces or context."""
    custody = nbl.ndis_custody
    if form[1] is not None or form[2] or form[4] is not None or form[6] is not None or form[9] > LARGEST:
        return False
    return not (custody.clones or custody.pieces) and nbl.parent_net_buffer_list is None


def received_bytes(form: ReceivedForm) -> bytes:
    """A copy of the data that a received form describes."""
    start = form[0][8] + form[1]
    data: bytes = form[0][7].view[start : start + form[2]].tobytes()
    return data
