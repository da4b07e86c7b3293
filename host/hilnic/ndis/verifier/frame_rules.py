# SPDX-License-Identifier: Apache-2.0
"""What the verifier asks of the frames themselves: how sends are grouped, how frames are cut, how they are typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hilnic.ndis.ethernet import HEADER_SIZE, VLAN_TAG_SIZE, carries_ip, header_length
from hilnic.ndis.flags import NblInfo, NdisVersion, ReceiveFlags
from hilnic.ndis.nbl import NetBufferList, walk

if TYPE_CHECKING:
    from hilnic.ndis.adapter import Adapter
    from hilnic.ndis.net_buffer import NetBuffer

Fault = tuple[str, str]

LONGEST_HEADER = HEADER_SIZE + VLAN_TAG_SIZE
_LARGEST_HEADERS = 256  # bytes of a received frame that are looked at for the end of its headers
_SINGLE_FLAGS = (
    (int(ReceiveFlags.SINGLE_ETHER_TYPE), int(NblInfo.FRAME_TYPE), "SINGLE_ETHER_TYPE"),
    (int(ReceiveFlags.SINGLE_VLAN), int(NblInfo.IEEE_8021Q), "SINGLE_VLAN"),
)
SINGLE = _SINGLE_FLAGS[0][0] | _SINGLE_FLAGS[1][0]


def sent_fault(nbl: NetBufferList) -> Fault | None:
    """A MAC header in two pieces (S6-20), or frames of different flows in one NBL (S6-19); asked of suspects only."""
    first: tuple[bytes, bytes] | None = None
    for nb in nbl.net_buffers():
        header = _header_size(nb)
        mdl = nb.current_mdl
        if mdl is not None and mdl.byte_count - nb.current_mdl_offset < min(header, nb.data_length):
            return "S6-20", f"the {header} bytes of MAC header begin in an MDL with {mdl.byte_count} bytes"
        flow = nb.tobytes(header), _addresses(nb.tobytes(header + 40)[header:], nb.tobytes(header)[-2:])
        if first is None:
            first = flow
        elif flow != first:
            return "S6-19", "its frames differ in address, type or flow"
    return None


def _header_size(nb: NetBuffer) -> int:
    return LONGEST_HEADER if nb.tobytes(HEADER_SIZE)[12:] in {b"\x81\x00", b"\x88\xa8"} else HEADER_SIZE


def _addresses(payload: bytes, kind: bytes) -> bytes:
    """The part of an IP header that names the flow: protocol and addresses, version by the type."""
    if kind == b"\x08\x00":
        return payload[9:10] + payload[12:20]
    return payload[6:7] + payload[8:40] if kind == b"\x86\xdd" else b""


def received_fault(adapter: Adapter, nb: NetBuffer) -> Fault | None:
    """A received frame that does not lie in its first MDL: is it cut where it may be (R6-12)?"""
    mdl = nb.current_mdl
    if mdl is None:
        return None
    version = adapter.driver.characteristics.ndis_version
    if version < NdisVersion.NDIS_6_0:
        return None  # the buffers of a packet are its miniport's to choose
    if version < NdisVersion.NDIS_6_1:
        return "R6-12", "a frame in several MDLs from a miniport of NDIS 6.0"
    first = mdl.byte_count - nb.current_mdl_offset
    lookahead = max((binding.lookahead for binding in adapter.bindings), default=0)
    if lookahead and first >= lookahead:
        return None
    frame = nb.tobytes(_LARGEST_HEADERS)
    headers = header_length(frame)
    if carries_ip(frame) and first < min(headers, nb.data_length):
        return "R6-12", f"cut at byte {first} of {headers} bytes of headers, the lookahead size is {lookahead}"
    return None


def mixed_fault(nbls: NetBufferList | None, receive_flags: int) -> Fault | None:
    """SINGLE_ETHER_TYPE and SINGLE_VLAN promise that every list of the call has the same value in its slot (R6-13)."""
    for flag, slot, name in _SINGLE_FLAGS:
        if receive_flags & flag:
            values = {nbl.net_buffer_list_info[slot] for nbl in walk(nbls)}
            if len(values) > 1:
                return "R6-13", f"{name} over a list with {sorted(map(str, values))}"
    return None
