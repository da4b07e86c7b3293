# SPDX-License-Identifier: Apache-2.0
"""Custody of one NBL: who holds it now, what it looked like when he got it, and a stack of those who gave it to him.

    protocol --send--> filter --pass on--> miniport          levels: [sent] [hop]
    protocol --send--> virtual miniport == IM driver's binding --send--> miniport          levels: [sent] [sent]

A *level* begins when somebody hands on a list that he has to take back; each has its own holder, shadow and source
handle, so everybody answers for the form in which he got the list and for no other (S6-04, IM-01 to IM-03).

With `fast` most lists travel in a batch (batch.py), which knows all that for them; to ask for one of them takes it out.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from hilnic.ndis.status import NdisStatus
from hilnic.ndis.verifier import shadow
from hilnic.ndis.verifier.batch import AT_HOME, Batch, Event
from hilnic.ndis.verifier.batch import SENT as BATCH_SENT

HOME, SENT, INDICATED, LENT, FREED = AT_HOME, BATCH_SENT, "indicated", "lent", "freed"

HISTORY_LENGTH = 16

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
"""What a completed list may say (S6-15)."""

Level = tuple[str, Any, Any, Any, bool, Any, int, int]
"""(state, owner, shadow, source, hop, the level below it, clones, child references)."""


class Custody:
    """The verifier's record of one NBL."""

    __slots__ = (
        "_born",
        "_freed",
        "_history",
        "borrowed",
        "call",
        "children_before",
        "clones",
        "clones_before",
        "due",
        "form",
        "held",
        "holder",
        "hop",
        "outer",
        "pieces",
        "shadow",
        "source",
        "trip",
    )

    def __init__(self, owner: Any, time_ns: int) -> None:
        self.shadow: Any = None  # what shadow.py took when it was handed over alone; None: it was not looked at
        self.source: Any = None  # the source handle it was handed over with
        self.borrowed: Any = ()  # in `full`: its NBs, and the list that each belonged to before
        self.call = 0
        self.begin(owner, time_ns)

    def begin(self, owner: Any, time_ns: int) -> None:
        """The list comes from its pool."""
        self.held: Any = HOME  # a state, or the batch that the list travels in, or has travelled in
        self.form: Any = None  # what it looked like in its batch, or in an earlier one
        self.due = 0  # batches that it may be sent in before it is looked at again; 0: `form` is no SentForm, or old
        self.holder = owner  # who has it when it is in no batch
        self._born: Event = (time_ns, "allocated by", owner)
        self._freed: Event | None = None
        self._history: deque[Event] | None = None  # made when somebody asks
        self.trip: list[Event] | None = None  # what happened in its last batch, when `history` does not have it
        self.hop = False  # handed on by a filter that had it from somebody else
        self.outer: Level | None = None  # the level of the present holder's giver
        self.clones = self.clones_before = self.children_before = 0  # before = handed over with: the giver's business
        self.pieces = 0  # lists made from it that are being sent (IM-04)

    @property
    def state(self) -> str:
        """HOME, SENT, INDICATED, LENT or FREED."""
        self.alone()
        state: str = self.held
        return state

    @state.setter
    def state(self, state: str) -> None:
        self.alone()
        self.held = state

    @property
    def owner(self) -> Any:
        """Who has it."""
        self.alone()
        return self.holder

    @owner.setter
    def owner(self, owner: Any) -> None:
        self.alone()
        self.holder = owner

    @property
    def history(self) -> deque[Event]:
        """What happened to it, oldest first; of what it did in batches only the last trip."""
        self.alone()
        if self._history is None:
            self._history = deque([self._born], HISTORY_LENGTH)
        if self.trip is not None:
            self._history.extend(self.trip)
            self.trip = None
        if self._freed is not None:
            self._history.append(self._freed)
            self._freed = None
        return self._history

    def freed(self, event: Event) -> bool:
        """Back in its pool; False when it is not at home."""
        held = self.held
        if held is not HOME:
            if held.__class__ is not Batch or held.state is not HOME:
                return False
            self.trip = held.events
            if held.members:
                held.scatter()
        self.held = FREED
        self._freed = event
        return True

    def alone(self) -> None:
        """Out of the batch, if it is in one: from here on this list is followed by itself."""
        batch = self.held
        if batch.__class__ is not Batch:
            return
        if batch.state is HOME:
            self.held, self.trip = HOME, batch.events
            batch.scatter()
            return
        is_known = batch.state is not SENT or self in batch.looked
        is_sure = batch.sure is not None and batch.sure.ndis_custody is self
        data = batch.leaves(self)
        self.shadow = shadow.from_batch(self.form, data) if is_known else None
        brief = shadow.brief(self.form) if is_known and batch.givers and not is_sure else self.shadow
        self.held, self.holder, self.source = batch.state, batch.holder, batch.source
        self.hop, self.outer = False, None
        for giver in batch.givers:
            self.outer = (SENT, giver, self.shadow, self.source, self.hop, self.outer, 0, 0)
            self.shadow, self.hop = brief, True
        self.clones_before = self.children_before = 0
        self._history = self._history or deque([self._born], HISTORY_LENGTH)
        self._history.extend(batch.events)
        self.trip = None
        self.changed()

    def changed(self) -> None:
        """What makes a list ordinary is to be asked anew before it travels in a batch again."""
        self.form = None
        self.due = 0

    def cloned(self) -> None:
        """One more clone is made of it: it travels in no batch now."""
        self.alone()
        self.changed()
        self.clones += 1

    def push(self, hop: bool) -> None:
        """The holder hands the list on: a new level."""
        self.alone()
        self.outer = (
            self.held, self.holder, self.shadow, self.source, self.hop, self.outer,
            self.clones_before, self.children_before,
        )  # fmt: skip
        self.hop = hop
        self.clones_before = self.clones

    def pop(self) -> None:
        """The list is the giver's again, as it was; without one it is at home."""
        self.alone()
        if self.outer is None:
            self.held, self.holder, self.hop = HOME, self.source, False
        else:
            (
                self.held, self.holder, self.shadow, self.source, self.hop, self.outer,
                self.clones_before, self.children_before,
            ) = self.outer  # fmt: skip

    def givers(self) -> list[Any]:
        """Who waits for the list to come back, nearest first."""
        self.alone()
        found, level = [], self.outer
        while level is not None:
            found.append(level[1])
            level = level[5]
        return found


def edges_of_one_driver(upper: Any, lower: Any) -> bool:
    """Whether adapter `upper` and binding `lower` are the two edges of one intermediate driver."""
    driver = getattr(lower, "driver", None)
    return driver is not None and getattr(getattr(upper, "driver", None), "lower_edge", None) is driver
