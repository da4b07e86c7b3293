# SPDX-License-Identifier: Apache-2.0
"""What WAN drivers of NDIS 5 tell each other of lines and links: ndiswan.h's structures, and ndistapi.h's for calls.

    indication      buffer          the miniport says
    WAN_LINE_UP     MacLineUp       a link exists; the protocol writes its own handle of it into `ndis_link_context`
    WAN_LINE_DOWN   MacLineDown     it is gone
    WAN_FRAGMENT    MacFragment     part of a frame came; the rest is lost
    TAPI_INDICATION TapiEvent       how a call goes on

Sizes are of 64-bit systems, numbers little-endian. The enumerations are of other headers than those in ndis/flags.py,
and none is there too: what they share is the look of a list of numbers.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from enum import IntEnum, IntFlag
from typing import Any, Self


class WanQuality(IntEnum):
    """NDIS_WAN_QUALITY, of OID_WAN_QUALITY_OF_SERVICE."""

    RAW = 0
    ERROR_CONTROL = 1
    RELIABLE = 2


class WanMediumSubtype(IntEnum):
    """NDIS_WAN_MEDIUM_SUBTYPE."""

    HUB = 0
    X_25 = 1
    ISDN = 2
    SERIAL = 3
    FRAME_RELAY = 4
    ATM = 5
    SONET = 6
    SW56K = 7
    PPTP = 8
    L2TP = 9
    IRDA = 10
    PARALLEL = 11
    PPPOE = 12


class WanHeaderFormat(IntEnum):
    """NDIS_WAN_HEADER_FORMAT."""

    NATIVE = 0
    ETHERNET = 1


class WanFraming(IntFlag):
    """FramingBits: those of PPP."""

    PPP = 0x100
    COMPRESS_ADDRESS_CONTROL = 0x200
    COMPRESS_PROTOCOL_FIELD = 0x400
    ACCM_SUPPORTED = 0x800


class WanErrors(IntFlag):
    """WAN_ERROR_*: why a frame is a fragment."""

    CRC = 0x01
    FRAMING = 0x02
    HARDWARE_OVERRUN = 0x04
    BUFFER_OVERRUN = 0x08
    TIMEOUT = 0x10
    ALIGNMENT = 0x20


@dataclass(slots=True)
class MacLineUp:
    """NDIS_MAC_LINE_UP. `link_speed` in 100 bit/s, `send_window` 0: MaxTransmit; the protocol sets the context."""

    link_speed: int
    quality: WanQuality
    send_window: int
    connection_wrapper_id: int
    ndis_link_handle: int
    ndis_link_context: Any = None


@dataclass(frozen=True, slots=True)
class MacLineDown:
    """NDIS_MAC_LINE_DOWN."""

    ndis_link_context: Any


@dataclass(frozen=True, slots=True)
class MacFragment:
    """NDIS_MAC_FRAGMENT."""

    ndis_link_context: Any
    errors: WanErrors


class TapiMessage(IntEnum):
    """LINE_*: what a TapiEvent tells."""

    LINE_CALLSTATE = 2


class LineCallState(IntEnum):
    """LINECALLSTATE_*: `param1` of LINE_CALLSTATE."""

    CONNECTED = 0x100
    DISCONNECTED = 0x4000


class LineDisconnectMode(IntEnum):
    """LINEDISCONNECTMODE_*: `param2` when a call is DISCONNECTED."""

    NORMAL = 0x1
    REJECT = 0x4
    NO_ANSWER = 0x40
    UNAVAILABLE = 0x800


@dataclass(frozen=True, slots=True)
class TapiEvent:
    """NDIS_TAPI_EVENT; `ht_call` is NDISTAPI's handle of the call."""

    ht_call: int
    message: TapiMessage
    param1: int
    param2: int = 0


_INFO = struct.Struct("<6IQ2I")
_LINK_INFO = struct.Struct("<Q10I")
_MAKE_CALL = struct.Struct("<I4x3Q2IB3x")
_DROP = struct.Struct("<I4xQI4x")


@dataclass(frozen=True, slots=True)
class WanInfo:
    """NDIS_WAN_INFO, of OID_WAN_GET_INFO."""

    max_frame_size: int
    max_transmit: int
    header_padding: int
    tail_padding: int
    endpoints: int
    memory_flags: int
    highest_acceptable_address: int
    framing_bits: int
    desired_accm: int

    def pack(self) -> bytes:
        """40 bytes."""
        return _INFO.pack(*astuple(self))

    @classmethod
    def parse(cls, data: bytes | bytearray) -> Self:
        """From 40 bytes; struct.error when there are fewer."""
        return cls(*_INFO.unpack_from(data))


@dataclass(frozen=True, slots=True)
class WanLinkInfo:
    """NDIS_WAN_GET_LINK_INFO and NDIS_WAN_SET_LINK_INFO, which are alike; of a query only the handle is an input."""

    ndis_link_handle: int
    max_send_frame_size: int = 0
    max_recv_frame_size: int = 0
    header_padding: int = 0
    tail_padding: int = 0
    send_framing_bits: int = 0
    recv_framing_bits: int = 0
    send_compression_bits: int = 0
    recv_compression_bits: int = 0
    send_accm: int = 0
    recv_accm: int = 0

    def pack(self) -> bytes:
        """48 bytes."""
        return _LINK_INFO.pack(*astuple(self))

    @classmethod
    def parse(cls, data: bytes | bytearray) -> Self:
        """From 48 bytes; struct.error when there are fewer."""
        return cls(*_LINK_INFO.unpack_from(data))


LINK_INFO_BYTES = _LINK_INFO.size


@dataclass(frozen=True, slots=True)
class TapiMakeCall:
    """NDIS_TAPI_MAKE_CALL with the default LINE_CALL_PARAMS: a query that returns `hd_call`, the miniport's handle."""

    ht_call: int
    address: bytes = b""
    hd_call: int = 0
    hd_line: int = 0

    def pack(self) -> bytes:
        """44 bytes and the address."""
        offset = _MAKE_CALL.size if self.address else 0
        fixed = (0, self.hd_line, self.ht_call, self.hd_call, len(self.address), offset, True)
        return _MAKE_CALL.pack(*fixed) + self.address

    @classmethod
    def parse(cls, data: bytes | bytearray) -> Self | None:
        """None when the bytes hold no such structure, or no default call parameters, or the address is outside."""
        if len(data) < _MAKE_CALL.size:
            return None
        _, hd_line, ht_call, hd_call, size, offset, is_default = _MAKE_CALL.unpack_from(data)
        if not is_default or (size and (offset < _MAKE_CALL.size or offset + size > len(data))):
            return None
        return cls(ht_call, bytes(data[offset : offset + size]), hd_call, hd_line)


def pack_drop(hd_call: int) -> bytes:
    """NDIS_TAPI_DROP without user-to-user information: 24 bytes."""
    return _DROP.pack(0, hd_call, 0)


def parse_drop(data: bytes) -> int:
    """`hd_call` of 24 bytes; struct.error when there are fewer."""
    _, hd_call, _ = _DROP.unpack_from(data)
    return int(hd_call)


DROP_BYTES = _DROP.size
MAKE_CALL_BYTES = _MAKE_CALL.size
