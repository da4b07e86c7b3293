# SPDX-License-Identifier: Apache-2.0
"""Status indications: a miniport tells every binding that something changed, the link above all."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hilnic.ndis.faults import failed
from hilnic.ndis.flags import MediaConnectState, MediaDuplexState
from hilnic.ndis.states import ADAPTER_OPERATIONS, Operation
from hilnic.ndis.status import NdisStatus
from hilnic.ndis.wdk import wdk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter

_LINK_STATE = struct.Struct("<BBHIIQQII")
_STATUS_OBJECT = 0x98


@dataclass(frozen=True, slots=True)
class StatusIndication:
    """NDIS_STATUS_INDICATION; the buffer is valid during the call only."""

    status_code: NdisStatus
    buffer: Any = None


@dataclass(frozen=True, slots=True)
class LinkState:
    """NDIS_LINK_STATE; speeds in bit/s."""

    media_connect_state: MediaConnectState = MediaConnectState.UNKNOWN
    media_duplex_state: MediaDuplexState = MediaDuplexState.UNKNOWN
    xmit_link_speed: int = 0
    rcv_link_speed: int = 0

    def pack(self) -> bytes:
        """The bytes that OID_GEN_LINK_STATE answers: header, states, speeds, pause functions, auto-negotiation."""
        return _LINK_STATE.pack(
            _STATUS_OBJECT,
            1,
            _LINK_STATE.size,
            self.media_connect_state,
            self.media_duplex_state,
            self.xmit_link_speed,
            self.rcv_link_speed,
            0,
            0,
        )

    @classmethod
    def parse(cls, data: bytes) -> LinkState:
        """The reverse of `pack`."""
        _, _, _, connect, duplex, xmit, rcv, _, _ = _LINK_STATE.unpack_from(data)
        return cls(MediaConnectState(connect), MediaDuplexState(duplex), xmit, rcv)


_BUFFER_OF: dict[NdisStatus, type] = {NdisStatus.LINK_STATE: LinkState}
"""What the buffer of an indication holds (OI-21)."""


@wdk("NdisMIndicateStatusEx", callout=True)
def indicate_status(adapter: Adapter, indication: StatusIndication) -> None:
    """Tell every binding (OI-20); NDIS remembers the link state and answers queries with it (OI-16)."""
    if Operation.STATUS not in ADAPTER_OPERATIONS[adapter.state]:
        adapter.ndis.violation(
            "ST-18", adapter, adapter, f"status {indication.status_code.name} while {adapter.state.value}"
        )
        return
    wanted = _BUFFER_OF.get(indication.status_code)
    if wanted is not None and not isinstance(indication.buffer, wanted):
        what = f"{indication.status_code.name} with {type(indication.buffer).__name__} for a buffer"
        adapter.ndis.violation("OI-21", adapter, adapter, what)
        return
    if indication.status_code is NdisStatus.LINK_STATE:
        adapter.link_state = indication.buffer
    adapter.ndis.emit("status", adapter=adapter.name, code=indication.status_code.name)
    deliver_status(adapter, indication)


def deliver_status(adapter: Adapter, indication: StatusIndication) -> None:
    """Up from the miniport: the filters, bottom to top, then every open binding."""
    report_above(adapter, len(adapter.filters), indication)


def report_above(adapter: Adapter, position: int, indication: StatusIndication) -> None:
    """Give a status to the next filter above number `position` that has a handler, or to the status handlers of all."""
    for module in reversed(adapter.filters[:position]):
        if module.status_handler is not None:
            try:
                module.status_handler(module.context, indication)
            except Exception as error:
                failed(module, "status", error)
            return
    for binding in list(adapter.bindings):
        if binding.status_handler is not None:
            try:
                binding.status_handler(binding.context, indication)
            except Exception as error:
                failed(binding, "status", error)
