# SPDX-License-Identifier: Apache-2.0
"""State machines as data (V6): miniport adapter, binding, filter module. docs/ndis.md prints its diagrams from here."""

from __future__ import annotations

from enum import Enum


class AdapterState(Enum):
    """Miniport adapter states (ST-01)."""

    HALTED = "Halted"
    INITIALIZING = "Initializing"
    PAUSED = "Paused"
    RESTARTING = "Restarting"
    RUNNING = "Running"
    PAUSING = "Pausing"
    SHUTDOWN = "Shutdown"


class AdapterEvent(Enum):
    """What moves an adapter from state to state."""

    INITIALIZE = "initialize"
    INITIALIZED = "initialized"
    INITIALIZE_FAILED = "initialize failed"
    RESTART = "restart"
    RESTARTED = "restarted"
    RESTART_FAILED = "restart failed"
    PAUSE = "pause"
    PAUSED = "paused"
    HALT = "halt"
    SHUTDOWN = "shutdown"


class BindingState(Enum):
    """Binding states (ST-10); UNBOUND is before the open and after the close."""

    UNBOUND = "Unbound"
    OPENING = "Opening"
    PAUSED = "Paused"
    RESTARTING = "Restarting"
    RUNNING = "Running"
    PAUSING = "Pausing"
    CLOSING = "Closing"


class BindingEvent(Enum):
    """What moves a binding from state to state."""

    OPEN = "open"
    OPENED = "opened"
    OPEN_FAILED = "open failed"
    RESTART = "restart"
    RESTARTED = "restarted"
    RESTART_FAILED = "restart failed"
    PAUSE = "pause"
    PAUSED = "paused"
    CLOSE = "close"
    CLOSED = "closed"


class FilterState(Enum):
    """States of a filter module."""

    DETACHED = "Detached"
    ATTACHING = "Attaching"
    PAUSED = "Paused"
    RESTARTING = "Restarting"
    RUNNING = "Running"
    PAUSING = "Pausing"


class FilterEvent(Enum):
    """What moves a filter module from state to state."""

    ATTACH = "attach"
    ATTACHED = "attached"
    ATTACH_FAILED = "attach failed"
    RESTART = "restart"
    RESTARTED = "restarted"
    RESTART_FAILED = "restart failed"
    PAUSE = "pause"
    PAUSED = "paused"
    DETACH = "detach"


_A, _AE = AdapterState, AdapterEvent
ADAPTER_MACHINE: dict[AdapterState, dict[AdapterEvent, AdapterState]] = {
    _A.HALTED: {_AE.INITIALIZE: _A.INITIALIZING},
    _A.INITIALIZING: {_AE.INITIALIZED: _A.PAUSED, _AE.INITIALIZE_FAILED: _A.HALTED},
    _A.PAUSED: {_AE.RESTART: _A.RESTARTING, _AE.HALT: _A.HALTED, _AE.SHUTDOWN: _A.SHUTDOWN},
    _A.RESTARTING: {_AE.RESTARTED: _A.RUNNING, _AE.RESTART_FAILED: _A.PAUSED, _AE.SHUTDOWN: _A.SHUTDOWN},
    _A.RUNNING: {_AE.PAUSE: _A.PAUSING, _AE.SHUTDOWN: _A.SHUTDOWN},
    _A.PAUSING: {_AE.PAUSED: _A.PAUSED, _AE.SHUTDOWN: _A.SHUTDOWN},
    _A.SHUTDOWN: {},
}

_B, _BE = BindingState, BindingEvent
BINDING_MACHINE: dict[BindingState, dict[BindingEvent, BindingState]] = {
    _B.UNBOUND: {_BE.OPEN: _B.OPENING},
    _B.OPENING: {_BE.OPENED: _B.PAUSED, _BE.OPEN_FAILED: _B.UNBOUND},
    _B.PAUSED: {_BE.RESTART: _B.RESTARTING, _BE.CLOSE: _B.CLOSING},
    _B.RESTARTING: {_BE.RESTARTED: _B.RUNNING, _BE.RESTART_FAILED: _B.PAUSED},
    _B.RUNNING: {_BE.PAUSE: _B.PAUSING},
    _B.PAUSING: {_BE.PAUSED: _B.PAUSED},
    _B.CLOSING: {_BE.CLOSED: _B.UNBOUND},
}

_F, _FE = FilterState, FilterEvent
FILTER_MACHINE: dict[FilterState, dict[FilterEvent, FilterState]] = {
    _F.DETACHED: {_FE.ATTACH: _F.ATTACHING},
    _F.ATTACHING: {_FE.ATTACHED: _F.PAUSED, _FE.ATTACH_FAILED: _F.DETACHED},
    _F.PAUSED: {_FE.RESTART: _F.RESTARTING, _FE.DETACH: _F.DETACHED},
    _F.RESTARTING: {_FE.RESTARTED: _F.RUNNING, _FE.RESTART_FAILED: _F.PAUSED},
    _F.RUNNING: {_FE.PAUSE: _F.PAUSING},
    _F.PAUSING: {_FE.PAUSED: _F.PAUSED},
}


class Operation(Enum):
    """What may happen on an adapter besides changes of state (ST-02)."""

    SEND = "send"
    DRAIN = "complete sends"
    INDICATE = "indicate receives"
    OID = "OID request"
    STATUS = "indicate status"


_DATA = frozenset({Operation.DRAIN, Operation.INDICATE, Operation.OID, Operation.STATUS})
_CONTROL = frozenset({Operation.OID, Operation.STATUS})

ADAPTER_OPERATIONS: dict[AdapterState, frozenset[Operation]] = {
    _A.HALTED: frozenset(),
    _A.INITIALIZING: frozenset({Operation.STATUS}),
    _A.PAUSED: _CONTROL,
    _A.RESTARTING: _CONTROL | {Operation.INDICATE},  # A18
    _A.RUNNING: _DATA | {Operation.SEND},
    _A.PAUSING: _DATA,
    _A.SHUTDOWN: frozenset(),
}
