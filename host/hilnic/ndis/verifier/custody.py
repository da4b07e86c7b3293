# SPDX-License-Identifier: Apache-2.0
"""Custody of one NBL: who holds it now, what it looked like when he got it, and a stack of those who gave it to him.

    protocol --send--> filter --pass on--> miniport          levels: [sent] [hop]
    protocol --send--> virtual miniport == IM driver's binding --send--> miniport          levels: [sent] [sent]

A *level* begins when somebody hands on a list that he has to take back; each has its own holder, shadow and source
handle, so everybody answers for the form in which he got the list and for no other (S6-04, IM-01 to IM-03).
"""

from __future__ import annotations

from collections import deque
from typing import Any

from hilnic.ndis.status import NdisStatus

HOME, SENT, INDICATED, LENT, FREED = "home", "sent", "indicated", "lent", "freed"

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
        "borrowed",
        "call",
        "children_before",
        "clones",
        "clones_before",
        "history",
        "hop",
        "outer",
        "owner",
        "pieces",
        "shadow",
        "source",
        "state",
    )

    def __init__(self, owner: Any, time_ns: int) -> None:
        self.state = HOME
        self.owner = owner
        self.shadow: Any = None
        self.source: Any = None  # the source handle it was handed over with
        self.hop = False  # handed on by a filter that had it from somebody else
        self.outer: Level | None = None  # the level of the present holder's giver
        self.clones = 0
        self.clones_before = self.children_before = 0  # when it was handed over: the giver's business
        self.borrowed: Any = ()  # in `full`: its NBs, and the list that each belonged to before
        self.pieces = 0  # lists made from it that are being sent (IM-04)
        self.call = 0
        self.history: deque[tuple[int, str, Any]] = deque([(time_ns, "allocated by", owner)], HISTORY_LENGTH)

    def push(self, hop: bool) -> None:
        """The holder hands the list on: a new level."""
        self.outer = (
            self.state, self.owner, self.shadow, self.source, self.hop, self.outer,
            self.clones_before, self.children_before,
        )  # fmt: skip
        self.hop = hop
        self.clones_before = self.clones

    def pop(self) -> None:
        """The list is the giver's again, as it was; without one it is at home."""
        if self.outer is None:
            self.state, self.owner, self.hop = HOME, self.source, False
        else:
            (
                self.state, self.owner, self.shadow, self.source, self.hop, self.outer,
                self.clones_before, self.children_before,
            ) = self.outer  # fmt: skip

    def givers(self) -> list[Any]:
        """Who waits for the list to come back, nearest first."""
        found, level = [], self.outer
        while level is not None:
            found.append(level[1])
            level = level[5]
        return found


def edges_of_one_driver(upper: Any, lower: Any) -> bool:
    """Whether adapter `upper` and binding `lower` are the two edges of one intermediate driver."""
    driver = getattr(lower, "driver", None)
    return driver is not None and getattr(getattr(upper, "driver", None), "lower_edge", None) is driver
