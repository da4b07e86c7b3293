# SPDX-License-Identifier: Apache-2.0
"""What the machine tells its owner. A leg's last word is always ReleaseConfirm, and it is said once.

A ReleaseIndication (at most one for each leg) says that the call has ended without the owner's wish; the owner brings
its connection down and says `release_response`.
"""

from __future__ import annotations

from dataclasses import dataclass

from hilnic.signalling.causes import Cause
from hilnic.signalling.contract import TrafficContract
from hilnic.signalling.control.leg import Leg
from hilnic.signalling.messages import AddParty, AddPartyAcknowledge, Connect, Setup


@dataclass(frozen=True, slots=True)
class SetupIndication:
    """Somebody calls; answer with `accept` or `release`."""

    leg: Leg
    message: Setup | AddParty


@dataclass(frozen=True, slots=True)
class ProceedingIndication:
    """The called side is being asked."""

    leg: Leg


@dataclass(frozen=True, slots=True)
class SetupConfirm:
    """The called side accepts. A call's leg wants `complete` when its connection is active."""

    leg: Leg
    message: Connect | AddPartyAcknowledge


@dataclass(frozen=True, slots=True)
class SetupCompleteIndication:
    """The calling side is ready, too."""

    leg: Leg


@dataclass(frozen=True, slots=True)
class ReleaseIndication:
    """The call has ended: the peer's wish, or a failure."""

    leg: Leg
    cause: Cause
    user_data: bytes


@dataclass(frozen=True, slots=True)
class ReleaseConfirm:
    """The leg is no more; its VLAN ids are free as far as the peer goes."""

    leg: Leg


@dataclass(frozen=True, slots=True)
class ModifyIndication:
    """The originator wants another contract; answer with `accept_modify` or `refuse_modify`."""

    leg: Leg
    contract: TrafficContract


@dataclass(frozen=True, slots=True)
class ModifyConfirm:
    """The answer: the contract that holds, or why the old one does."""

    leg: Leg
    contract: TrafficContract | None
    cause: Cause | None


Primitive = (
    SetupIndication
    | ProceedingIndication
    | SetupConfirm
    | SetupCompleteIndication
    | ReleaseIndication
    | ReleaseConfirm
    | ModifyIndication
    | ModifyConfirm
)
