# SPDX-License-Identifier: Apache-2.0
"""Call control as data: the machine of the stand-alone call manager. An integrated one has a machine of its own."""

from hilnic.signalling.control.leg import Leg, Link
from hilnic.signalling.control.limits import Counted, Limits, Statistics
from hilnic.signalling.control.machine import CallControl
from hilnic.signalling.control.primitives import (
    ModifyConfirm,
    ModifyIndication,
    Primitive,
    ProceedingIndication,
    ReleaseConfirm,
    ReleaseIndication,
    SetupCompleteIndication,
    SetupConfirm,
    SetupIndication,
)
from hilnic.signalling.control.states import LegState, LinkState
from hilnic.signalling.control.timers import TimerService, TimerValues

__all__ = [
    "CallControl",
    "Counted",
    "Leg",
    "LegState",
    "Limits",
    "Link",
    "LinkState",
    "ModifyConfirm",
    "ModifyIndication",
    "Primitive",
    "ProceedingIndication",
    "ReleaseConfirm",
    "ReleaseIndication",
    "SetupCompleteIndication",
    "SetupConfirm",
    "SetupIndication",
    "Statistics",
    "TimerService",
    "TimerValues",
]
