# SPDX-License-Identifier: Apache-2.0
"""V14: a reference model of what the wire has to carry, compared with a tap on it.

    NDIS --sent(list)--> reference: tag, padding --> expected, in order --+
    wire --carried(True, frame)---------------------------------------> equal to the first expected that is left?
    NDIS <--received(list)-- miniport: equal to a frame that the wire brought, in the order of the wire?

Frames are left out in order only: what the wire has passed over may not end with SUCCESS, and what ends with SUCCESS
has been on the wire when `finish` is called, once. What ends otherwise may have been there, or still come (it was in
the MAC when its queue was given up). Received frames may be missing (filters, no buffers), never changed,
doubled or out of order. The model shares no code with the drivers: tags and padding are as IEEE 802.1Q and 802.3 say.

    oracle = WireOracle(stack.host, "nic0", config.priority_vlan_tag)     # before the adapter starts
    link.record = oracle.carried
    ...
    oracle.finish()
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from hilnic.ndis import MacOptions, NblInfo, Ndis, NdisStatus, NetBufferList
from hilnic.ndis.ndis5 import Packet, PacketInfo
from hilnic.wire.ethernet import EtherType, Tag, padded
from hilnic.wire.link import WireFrame

__all__ = ["WireOracle"]

_ADDRESSES = 12
_TAG = 4
_VLAN_TYPE = EtherType.VLAN.to_bytes(2, "big")
_OPTION_BITS = {1: 0x0007, 2: 0xFFF0, 3: 0xFFF7}


@dataclass(slots=True, eq=False)
class _Expected:
    """A frame that a miniport was given."""

    data: bytes
    item: Any
    status: int | None = None  # None: the miniport has it
    fate: Literal["due", "carried", "passed over"] = "due"


class WireOracle:
    """Watches one adapter and its wire; breaches are violations of "V14" by the adapter."""

    def __init__(self, host: Ndis, adapter: str, priority_vlan_tag: int | None = None) -> None:
        self.checked_sent = self.checked_received = 0
        """Frames that were compared and found right."""
        self.vlan_id = 0
        """The VLAN that the NIC is in (OID_GEN_VLAN_ID): whoever sets it tells the oracle."""
        self._host, self._name, self._option = host, adapter, priority_vlan_tag
        self._expected: deque[_Expected] = deque()
        self._given_up: Counter[bytes] = Counter()
        self._held: dict[Any, list[_Expected]] = {}
        self._arrived: deque[bytes] = deque()
        host.wire_watches[adapter] = self

    def __repr__(self) -> str:
        """What has been compared, and what is left."""
        return (
            f"<WireOracle {self._name}: {self.checked_sent} sent, {self.checked_received} received right, "
            f"{len(self._expected)} expected>"
        )

    def tags(self, mac_options: int) -> None:
        """The adapter has started: what its MAC options say of 802.1Q tags, for whoever does not know the keyword."""
        bits = {MacOptions.PRIORITY_8021P: 1, MacOptions.VLAN_8021Q: 2}
        self._option = sum(value for option, value in bits.items() if mac_options & option) or None

    def _wrong(self, subject: Any, detail: str) -> None:
        self._host.violation("V14", self._name, subject, detail)

    # --- sends --------------------------------------------------------------------------------------------------------

    def sent(self, item: NetBufferList | Packet) -> None:
        """The miniport gets a list or packet."""
        frames = [_Expected(self._on_the_wire(data, slot), item) for data, slot in _frames(item)]
        self._held[item] = frames
        self._expected.extend(frames)

    def ended(self, item: NetBufferList | Packet, status: int) -> None:
        """The miniport is done with it."""
        for frame in self._held.pop(item, ()):
            frame.status = status
            if status == NdisStatus.SUCCESS:
                self._check_passed_over(frame)
            elif frame.fate == "due":
                self._expected.remove(frame)
                self._given_up[frame.data] += 1

    def _check_passed_over(self, frame: _Expected) -> None:
        if frame.fate == "passed over" and frame.status == NdisStatus.SUCCESS:
            self._wrong(frame.item, f"ended with SUCCESS, and the wire has passed over it: {_head(frame.data)}")

    def carried(self, from_nic: bool, frame: WireFrame) -> None:
        """The tap: a frame was on the wire. What the NIC has spoilt on purpose is no frame."""
        if not frame.fcs_ok or frame.error:
            return
        if not from_nic:
            self._arrived.append(frame.data)
            return
        position = next((n for n, expected in enumerate(self._expected) if expected.data == frame.data), None)
        if position is None and self._given_up[frame.data]:
            self._given_up[frame.data] -= 1
        elif position is None:
            due = _head(self._expected[0].data) if self._expected else "none"
            detail = f"a frame is not due (never sent, sent twice, or overtaken): {_head(frame.data)}; due: {due}"
            self._wrong("wire", detail)
        else:
            for _ in range(position):
                passed = self._expected.popleft()
                passed.fate = "passed over"
                self._check_passed_over(passed)
            self._expected.popleft().fate = "carried"
            self.checked_sent += 1

    def finish(self) -> None:
        """The adapter has halted: everything that ended well has been on the wire."""
        for frame in self._expected:
            if frame.status == NdisStatus.SUCCESS:
                self._wrong(frame.item, f"ended with SUCCESS and was never on the wire: {_head(frame.data)}")
        self._expected.clear()

    def _on_the_wire(self, data: bytes, slot: int | None) -> bytes:
        """A tag for what counts in the slot (802.1Q 9.6), zeros up to the shortest frame (802.3 4.2.3.3)."""
        bits = (slot or 0) & _OPTION_BITS.get(self._option or 0, 0)
        bits = bits & 7 | self.vlan_id << 4 if self.vlan_id else bits
        is_tagged = data[_ADDRESSES : _ADDRESSES + 2] == _VLAN_TYPE
        if is_tagged and self.vlan_id and not int.from_bytes(data[14:16], "big") & 0xFFF:  # of no VLAN: gets the NIC's
            tci = int.from_bytes(data[14:16], "big") | self.vlan_id
            return padded(data[:14] + tci.to_bytes(2, "big") + data[16:])
        if bits and not is_tagged:
            tag = Tag(vlan=bits >> 4, priority=bits & 7)
            data = data[:_ADDRESSES] + _VLAN_TYPE + tag.control.to_bytes(2, "big") + data[_ADDRESSES:]
        return padded(data)

    # --- receives -----------------------------------------------------------------------------------------------------

    def received(self, item: NetBufferList | Packet) -> None:
        """The miniport indicates a list or packet."""
        for data, _ in _frames(item):
            self._compare(item, data, len(data))

    def shown(self, seen: bytes, length: int) -> None:
        """The miniport shows the beginning of a frame."""
        self._compare("lookahead", seen, length)

    def _compare(self, item: Any, seen: bytes, length: int) -> None:
        for position, frame in enumerate(self._arrived):
            above = self._above(frame)
            if len(above) == length and above.startswith(seen):
                for _ in range(position + 1):
                    self._arrived.popleft()
                self.checked_received += 1
                return
        self._wrong(item, f"{length} bytes are indicated that the wire did not bring: {_head(seen)}")

    def _above(self, frame: bytes) -> bytes:
        """A frame of the wire as receivers see it: without its tag, where the driver has the keyword."""
        if self._option is None or frame[_ADDRESSES : _ADDRESSES + 2] != _VLAN_TYPE:
            return frame
        return frame[:_ADDRESSES] + frame[_ADDRESSES + _TAG :]


def _frames(item: NetBufferList | Packet) -> Iterator[tuple[bytes, int | None]]:
    """Each frame with its 802.1Q slot."""
    if isinstance(item, Packet):
        yield item.tobytes(), item.packet_info[PacketInfo.IEEE_8021Q]
        return
    for nb in item.net_buffers():
        yield nb.tobytes(), item.net_buffer_list_info[NblInfo.IEEE_8021Q]


def _head(data: bytes) -> str:
    return f"{len(data)} bytes {data[:24].hex(' ')}"
