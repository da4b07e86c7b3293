# SPDX-License-Identifier: Apache-2.0
"""`verify=fast`: lists that were handed over in one call are followed together, for as long as they are ordinary.

    sent by a protocol -> [holder: filter -> filter -> miniport] -> completed, home
    indicated          -> [holder: filter -> protocol]           -> returned, home

A `Batch` says once for all its members who holds them; the record of each list has the batch in place of a state. A
hand-over of all of them in order then costs one comparison of each list with its place in the batch, and one change of
the batch. A part that goes on alone becomes a batch of its own. Whoever asks for the state of one list
(`Custody.state`) takes that list out, and from there on it is followed alone, as every list is in `full`. Whatever is
not ordinary does so: the rules are judged in ledger.py and filter_ledger.py, and only there.

A form is what a list has to look like when it comes back: a flat tuple, so that one comparison in C does it. Of every
received list it is taken at the indication and compared where the list comes home. Of a list that is sent it is when
the batch *looks at* that list: at its first trip, when its NET_BUFFER, MDL chain or length are not those of the last
form, and in one of `LOOK_EVERY` trips: by turns when the same lists are sent together in the same order again, which
costs least because their batch is used again, else when so many have passed. What never is left out is state: who holds
a list, its source handle, its status, exactly once.

Between filters NET_BUFFER, MDL chain and length of the lists that are looked at are compared, which are what filters
change; the whole form of the list that leads the call, if it is looked at. Of the bytes a batch keeps copies for some
of the lists that it looks at. `full` compares everything of every list at every hop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.ndis.flags import NBL_INFO_SLOTS, NblInfo
from hilnic.ndis.mdl import describes_its_memory
from hilnic.ndis.verifier.frame_rules import LONGEST_HEADER

if TYPE_CHECKING:
    from hilnic.ndis.nbl import NetBufferList
    from hilnic.ndis.net_buffer import NetBuffer
    from hilnic.ndis.verifier.custody import Custody

AT_HOME, SENT = "home", "sent"
"""States of a batch: its lists are all with their owners again, or under way downwards; custody.HOME and SENT."""
EMPTY_INFO: list[Any] = [None] * NBL_INFO_SLOTS
LOOK_EVERY = 8
"""A list that is sent again and again as it was is looked at in one of so many trips: by turns as one of the same
lists, else when so many have passed; in one of twice as many when both happen by turns."""
BYTES_MIX, BYTES_MASK = 0x9E3779B1, 7 << 20
"""The bytes of one in eight of the lists that sends look at are kept: of that whose number times the first has none of
these bits, which comes round to every list of a pool, whatever its size; and those of the first new list of a call."""
SAMPLED = 15
"""The bytes of a received list are kept when its place in the batch has none of these bits: the first, the 17th, ..."""
LARGEST = 65536
"""Bytes of the largest MDL of a received list in a batch."""

_CANCEL_ID = int(NblInfo.CANCEL_ID)

Event = tuple[int, str, Any]
"""(time in ns, verb, who)."""

SentForm = tuple[Any, ...]
"""What `sent_form` gives."""

ReceivedForm = tuple[tuple[Any, ...], int, int]
"""(`received_form`, offset in the MDL, length): the last two are where the indicated data lies."""


_NONE: Any = {}
"""Of a batch that keeps nothing of the kind; never written to."""

Row = tuple["NetBufferList", "Custody", "NetBuffer", Any, int]
"""(list, its record, its NET_BUFFER, that one's MDL chain and length): what is asked of every list that is sent."""


class Batch:
    """Lists with one holder: `number` of them, `state` SENT, INDICATED or AT_HOME; `source` their handle."""

    __slots__ = (
        "events",
        "family",
        "givers",
        "holder",
        "looked",
        "members",
        "number",
        "rows",
        "samples",
        "source",
        "state",
        "strays",
        "sure",
        "turn",
    )

    def __init__(self, state: str, holder: Any, source: Any, event: Event) -> None:
        self.state = state
        self.holder = holder
        self.source = source
        self.number = 0
        self.members: list[NetBufferList] = []  # in the order of the call; empty when it is not all of them any more
        self.events = [event]  # what happened to all of them, oldest first
        self.givers: tuple[Any, ...] = ()  # the filters that have sent them on and wait for them, the last one nearest
        self.looked: dict[Custody, NetBufferList] = _NONE  # of what is sent: the lists whose form is compared
        self.samples: dict[Custody, bytes] = _NONE  # bytes that were kept
        self.sure: NetBufferList | None = None  # the one list whose whole form every filter has been asked for
        self.family: list[Batch] | None = None  # all parts of what was one batch, this one too
        self.strays: list[Custody] | None = None  # records of lists that were taken out
        self.rows: list[Row] | None = None  # of the members, once they have been sent together before
        self.turn = 0  # which of the lists are looked at when they are sent together again

    def is_held_once(self) -> bool:
        """Whether its lists, received ones, have no other receivers; without the list of its members nobody knows."""
        return len(self.members) == self.number and all(nbl.ndis_receivers == 1 for nbl in self.members)

    def split(self, number: int) -> Batch:
        """A new batch for `number` of the lists; the caller writes them into it, and it into their records."""
        part = Batch(self.state, self.holder, self.source, self.events[0])
        part.events = self.events.copy()
        part.givers = self.givers
        part.looked, part.samples = {}, {}
        part.number = number
        self.number -= number
        self.members = []
        if self.family is None:
            self.family = [self]
        self.family.append(part)
        part.family = self.family
        return part

    def end(self, event: Event | None) -> None:
        """All lists are home: their records say so by this batch until somebody asks."""
        self.state = AT_HOME
        self.holder = None
        if event is not None:
            self.events.append(event)

    def scatter(self) -> None:
        """All lists have been home, and some of them go on without the others."""
        self.members = []
        self.rows = []

    def end_part(self, number: int, event: Event | None) -> list[Event]:
        """So many of the lists are home, the others go on; gives what has happened to the former."""
        self.number -= number
        self.members = []
        return self.events.copy() if event is None else [*self.events, event]

    def leaves(self, custody: Custody) -> bytes | None:
        """One of the lists is followed alone from here on; gives the copy of its bytes, if one was kept."""
        self.number -= 1
        self.members = []
        if self.strays is None:
            self.strays = []
        self.strays.append(custody)
        self.looked.pop(custody, None)
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
    _, _, _, context, children, info, _, other, offset, length, current, at, sg, mdl, more, region, start, size = form
    custody = nbl.ndis_custody
    if start < 0 or start + size > len(region.view):
        return False
    if other is not None or more is not None or sg is not None or context is not None or children:
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
    if not describes_its_memory(form[5]):
        return False
    if form[1] is not None or form[2] or form[4] is not None or form[6] is not None or form[9] > LARGEST:
        return False
    return not (custody.clones or custody.pieces) and nbl.parent_net_buffer_list is None


def received_bytes(form: ReceivedForm) -> bytes:
    """A copy of the data that a received form describes."""
    start = form[0][8] + form[1]
    data: bytes = form[0][7].view[start : start + form[2]].tobytes()
    return data
