# SPDX-License-Identifier: Apache-2.0
"""Calls of the WAN miniport: PPPoE sessions are opened and ended on the wire (RFC 2516, the host's side).

    OID_TAPI_MAKE_CALL -> PADI_SENT -PADO-> PADR_SENT -PADS-> UP -OID_TAPI_DROP, PADT, cable, power-> gone
                              |  <-- no PADS --  |             WAN_LINE_UP ... WAN_LINE_DOWN
                              +- no PADO, PADS with an error -> gone

Waiting times double from FIRST_WAIT_MS; a call is given up after TRIES PADIs. A frame that does not fit the state of
its call - late, doubled, for somebody else, from somebody else - changes nothing and is counted.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

from hilnic.miniport.link import GIGABIT
from hilnic.miniport5 import pppoe
from hilnic.miniport5.pppoe import Code, DiscoveryFrame, Tag, discovery_frame, parse_discovery
from hilnic.ndis import NdisStatus, ndis5
from hilnic.ndis.ndis5 import (
    LineCallState,
    LineDisconnectMode,
    MacLineDown,
    MacLineUp,
    TapiEvent,
    TapiMessage,
    WanLinkInfo,
    WanQuality,
)

if TYPE_CHECKING:
    from hilnic.miniport5.wan import WanNic

__all__ = ["ENDPOINTS", "FIRST_WAIT_MS", "TRIES", "Call", "CallState", "Discovery"]

ENDPOINTS = 4
"""Calls at a time."""
FIRST_WAIT_MS = 1000
TRIES = 3
"""PADIs of a call, and PADRs after each PADO."""
_SPEED_UNIT = 100
_HOST_UNIQ = struct.Struct(">IQ")
_ECHOED = (Tag.AC_COOKIE, Tag.RELAY_SESSION_ID)


class CallState(Enum):
    """How far a call is."""

    PADI_SENT = "PADI sent"
    PADR_SENT = "PADR sent"
    UP = "up"
    GONE = "gone"


class Call:
    """One call, and the link that it becomes."""

    __slots__ = (
        "context", "echoed", "handle", "host_uniq", "ht_call", "info", "line", "padis", "padrs", "peer", "service",
        "session_id", "state",
    )  # fmt: skip

    def __init__(self, handle: int, line: int, ht_call: int, service: bytes, host_uniq: bytes) -> None:
        self.handle, self.line, self.ht_call, self.service, self.host_uniq = handle, line, ht_call, service, host_uniq
        self.state = CallState.PADI_SENT
        self.padis = self.padrs = 0
        self.peer = pppoe.BROADCAST
        self.session_id = pppoe.NO_SESSION
        self.echoed: list[tuple[int, bytes]] = []  # cookie and relay tags of the offer
        self.context: Any = None  # the protocol's handle of the link
        self.info = WanLinkInfo(handle)

    def __repr__(self) -> str:
        """State, peer and session."""
        return f"<Call {self.handle}: {self.state.value}, {self.peer.hex(':')} session {self.session_id:#06x}>"


class Discovery:
    """All calls of a NIC. Everything here runs in the serialized miniport's turn."""

    def __init__(self, nic: WanNic) -> None:
        self._nic, self._adapter = nic, nic.handle
        self.calls: dict[int, Call] = {}
        """By handle: NdisLinkHandle and hdCall."""
        self.links: dict[tuple[bytes, int], Call] = {}
        """Those that are up, by peer and session id."""
        self.ignored = 0
        """Discovery frames that changed nothing."""
        self._handlers: dict[int, Callable[[DiscoveryFrame], bool]] = {
            Code.PADO: self._offered,
            Code.PADS: self._confirmed,
            Code.PADT: self._terminated,
        }
        self._handles = 0
        self._lines: list[Call | None] = [None] * ENDPOINTS
        self._timers = [ndis5.initialize_timer(nic.handle, self._late, line) for line in range(ENDPOINTS)]

    # --- what the protocol asks ---------------------------------------------------------------------------------------

    def dial(self, service: bytes, ht_call: int) -> Call | None:
        """Begin a call; None when no line is free, the cable is out or the name too long for a PADI."""
        tags = 2 * pppoe.TAG_BYTES + _HOST_UNIQ.size + len(service)
        if None not in self._lines or not self._nic.link.up or tags + pppoe.PPPOE_BYTES > pppoe.LONGEST_PADI:
            return None
        self._handles += 1
        uniq = _HOST_UNIQ.pack(self._handles, self._nic.kernel.now_ns())
        call = Call(self._handles, self._lines.index(None), ht_call, service, uniq)
        self._lines[call.line] = self.calls[call.handle] = call
        self._solicit(call)
        return call

    def hang_up(self, call: Call) -> None:
        """End a call at our side."""
        self._end(call, LineDisconnectMode.NORMAL, tell_peer=True)

    def hang_up_all(self) -> None:
        """The NIC is about to stop."""
        for call in list(self.calls.values()):
            self.hang_up(call)

    def lose_all(self) -> None:
        """Nothing can be sent any more: the cable is out, or the NIC has left."""
        for call in list(self.calls.values()):
            self._end(call, LineDisconnectMode.UNAVAILABLE, tell_peer=False)

    # --- out ----------------------------------------------------------------------------------------------------------

    def _solicit(self, call: Call) -> None:
        """PADI, to everybody."""
        call.state, call.peer, call.echoed, call.padrs = CallState.PADI_SENT, pppoe.BROADCAST, [], 0
        call.padis += 1
        self._send(call, Code.PADI)
        self._wait(call, call.padis)

    def _request(self, call: Call) -> None:
        """PADR, to who has offered."""
        call.state = CallState.PADR_SENT
        call.padrs += 1
        self._send(call, Code.PADR)
        self._wait(call, call.padrs)

    def _send(self, call: Call, code: Code) -> None:
        tags: list[tuple[int, bytes]] = []
        if code != Code.PADT:
            tags = [(Tag.SERVICE_NAME, call.service), (Tag.HOST_UNIQ, call.host_uniq), *call.echoed]
        self._nic.tx.send_control(discovery_frame(call.peer, self._nic.config.mac_address, code, call.session_id, tags))

    def _wait(self, call: Call, tries: int) -> None:
        timer = self._timers[call.line]
        assert timer is not None
        ndis5.set_timer(timer, FIRST_WAIT_MS << (tries - 1))

    def _late(self, line: int) -> None:
        """No answer in time: once more, from the beginning in the end, or never."""
        call = self._lines[line]
        if call is None or call.state is CallState.UP:
            return
        if call.state is CallState.PADR_SENT and call.padrs < TRIES:
            self._request(call)
        elif call.padis < TRIES:
            self._solicit(call)
        else:
            self._end(call, LineDisconnectMode.NO_ANSWER, tell_peer=False)

    # --- in -----------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """A frame of the discovery stage, addressed to us."""
        frame = parse_discovery(data)
        handler = None if frame is None else self._handlers.get(frame.code)
        if frame is None or handler is None or not handler(frame):
            self.ignored += 1

    def _offered(self, frame: DiscoveryFrame) -> bool:
        """PADO: the first good one is taken."""
        call = self._called(frame, CallState.PADI_SENT)
        if call is None or frame.session_id != pppoe.NO_SESSION or frame.is_error or not frame.values(Tag.AC_NAME):
            return False
        if not _serves(frame, call):
            return False
        echoed = [(kind, value) for kind, value in frame.tags if kind in _ECHOED]
        if len(echoed) != len({kind for kind, _ in echoed}):
            return False
        call.peer, call.echoed = frame.source, echoed
        self._request(call)
        return True

    def _confirmed(self, frame: DiscoveryFrame) -> bool:
        """PADS: the session is there, or refused."""
        call = self._called(frame, CallState.PADR_SENT)
        if call is None or frame.source != call.peer:
            return False
        if frame.is_error and frame.session_id == pppoe.NO_SESSION:
            self._end(call, LineDisconnectMode.REJECT, tell_peer=False)
            return True
        taken = frame.session_id in (pppoe.NO_SESSION, pppoe.RESERVED_SESSION)
        taken |= (frame.source, frame.session_id) in self.links
        if taken or frame.is_error or not _serves(frame, call) or len(frame.values(Tag.SERVICE_NAME)) != 1:
            return False
        call.session_id = frame.session_id
        self._up(call)
        return True

    def _terminated(self, frame: DiscoveryFrame) -> bool:
        """PADT, of a session with its sender; needs no tags."""
        call = self.links.get((frame.source, frame.session_id))
        if call is None:
            return False
        self._end(call, LineDisconnectMode.NORMAL, tell_peer=False)
        return True

    def _called(self, frame: DiscoveryFrame, state: CallState) -> Call | None:
        """The call in this state whose Host-Uniq the frame brings back."""
        uniq = frame.values(Tag.HOST_UNIQ)
        return next((call for call in self.calls.values() if [call.host_uniq] == uniq and call.state is state), None)

    # --- lines --------------------------------------------------------------------------------------------------------

    def _up(self, call: Call) -> None:
        self._stop_timer(call)
        call.state = CallState.UP
        self.links[call.peer, call.session_id] = call
        call.info = self._nic.link_info(call.handle)
        up = MacLineUp(
            link_speed=GIGABIT // _SPEED_UNIT,
            quality=WanQuality.RAW,
            send_window=0,  # MaxTransmit
            connection_wrapper_id=call.ht_call,
            ndis_link_handle=call.handle,
        )
        ndis5.indicate_status(self._adapter, NdisStatus.WAN_LINE_UP, up)
        call.context = up.ndis_link_context
        self._tell_state(call, LineCallState.CONNECTED)

    def _end(self, call: Call, mode: LineDisconnectMode, *, tell_peer: bool) -> None:
        """The call is gone; after a PADT nothing of its session is sent any more."""
        if call.state is CallState.GONE:
            return
        was_up = call.state is CallState.UP
        call.state = CallState.GONE
        self._stop_timer(call)
        del self.calls[call.handle]
        self._lines[call.line] = None
        self.links.pop((call.peer, call.session_id), None)
        self._nic.tx.forget(call)
        if was_up and tell_peer:
            self._send(call, Code.PADT)
        if was_up:
            ndis5.indicate_status(self._adapter, NdisStatus.WAN_LINE_DOWN, MacLineDown(call.context))
        self._tell_state(call, LineCallState.DISCONNECTED, mode)

    def _tell_state(self, call: Call, state: LineCallState, mode: int = 0) -> None:
        event = TapiEvent(call.ht_call, TapiMessage.LINE_CALLSTATE, state, mode)
        ndis5.indicate_status(self._adapter, NdisStatus.TAPI_INDICATION, event)
        ndis5.indicate_status_complete(self._adapter)

    def _stop_timer(self, call: Call) -> None:
        timer = self._timers[call.line]
        assert timer is not None
        ndis5.cancel_timer(timer)


def _serves(frame: DiscoveryFrame, call: Call) -> bool:
    """Does a frame name the call's service? Any name will do when the call asks for none."""
    names = frame.values(Tag.SERVICE_NAME)
    return call.service in names if call.service else bool(names)
