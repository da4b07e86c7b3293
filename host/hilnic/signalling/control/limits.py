# SPDX-License-Identifier: Apache-2.0
"""How much a machine keeps, whatever its peers send, and what it counts."""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, slots=True)
class Limits:
    """`peers` with a link; `legs` of all links together, `incoming_legs` of them begun by one peer."""

    peers: int = 64
    legs: int = 2048
    incoming_legs: int = 1024


class Counted(Enum):
    """Why a message went no further."""

    NOT_FOR_US = "to another station"
    MALFORMED = "no message"
    STRANGE_TAG = "another incarnation"
    UNKNOWN_PEER = "no link with the sender"
    TOO_MANY = "a limit is reached"
    OLD_RESTART = "RESTART of a former incarnation"
    LATE = "answer to an older request, or a call that is over"
    WRONG_STATE = "not compatible with the state"
    REPORTED = "the peer reports an error of ours"


@dataclass(slots=True)
class Statistics:
    """Since the machine was made."""

    received: int = 0
    sent: int = 0
    repeated: int = 0
    not_taken: Counter[Counted] = field(default_factory=Counter)
    """One key for each Counted at most."""
