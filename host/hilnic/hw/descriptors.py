# SPDX-License-Identifier: Apache-2.0
"""Descriptors and completions as they lie in host memory. Generated from hdl/regs/nic_1g.rdl; do not edit.

Each layout has a frozen value with `pack()` and `unpack()`, a precompiled `*_STRUCT` for the fast path (`bits_N` is the
unit at bit N that holds several fields) and a numpy dtype. Values are not range-checked beyond what `struct` refuses.
"""

import struct
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

Buffer = bytes | bytearray | memoryview

TX_DESCRIPTOR_BYTES: Final = 16
TX_DESCRIPTOR_STRUCT: Final = struct.Struct("<QHBBI")
TX_DESCRIPTOR_RESERVED: Final = 0xFFFFFFFFFF0C00000000000000000000
TX_DESCRIPTOR_DTYPE: Final = np.dtype(
    [
        ("address", "<u8"),
        ("length", "<u2"),
        ("bits_80", "<u1"),
        ("reserved_88", "<u1"),
        ("reserved_96", "<u4"),
    ]
)
TX_DESCRIPTOR_SOP_IN_BITS_80: Final = 0x01
TX_DESCRIPTOR_EOP_IN_BITS_80: Final = 0x02
TX_DESCRIPTOR_KIND_IN_BITS_80: Final = 0xF0


@dataclass(frozen=True, slots=True)
class TxDescriptor:
    """TX descriptor."""

    address: int  # bus address of the piece, any alignment
    length: int = 0  # bytes of the piece, 1 to 65535
    sop: bool = False  # first piece of the frame
    eop: bool = False  # last piece of the frame
    kind: int = 0  # the descriptor's type

    def pack(self) -> bytes:
        """The 16 bytes in memory."""
        return TX_DESCRIPTOR_STRUCT.pack(
            self.address,
            self.length,
            self.sop | self.eop << 1 | self.kind << 4,
            0,
            0,
        )

    @classmethod
    def unpack(cls, buffer: Buffer, offset: int = 0) -> Self:
        """Read one at `offset`; reserved bits are not looked at."""
        units = TX_DESCRIPTOR_STRUCT.unpack_from(buffer, offset)
        return cls(
            units[0],
            units[1],
            units[2] & 0x1 != 0,
            units[2] & 0x2 != 0,
            units[2] >> 4 & 0xF,
        )


def pack_tx_descriptor_into(
    buffer: bytearray | memoryview,
    offset: int,
    address: int,
    length: int = 0,
    sop: bool = False,
    eop: bool = False,
    kind: int = 0,
) -> None:
    """Store a TX descriptor at `offset` without making a value first."""
    TX_DESCRIPTOR_STRUCT.pack_into(
        buffer,
        offset,
        address,
        length,
        sop | eop << 1 | kind << 4,
        0,
        0,
    )


RX_DESCRIPTOR_BYTES: Final = 16
RX_DESCRIPTOR_STRUCT: Final = struct.Struct("<QQ")
RX_DESCRIPTOR_RESERVED: Final = 0xFFFFFFFFFFFFFFFF0000000000000000
RX_DESCRIPTOR_DTYPE: Final = np.dtype(
    [
        ("address", "<u8"),
        ("reserved_64", "<u8"),
    ]
)


@dataclass(frozen=True, slots=True)
class RxDescriptor:
    """RX descriptor."""

    address: int  # bus address of a buffer of BUF_SIZE bytes, any alignment

    def pack(self) -> bytes:
        """The 16 bytes in memory."""
        return RX_DESCRIPTOR_STRUCT.pack(
            self.address,
            0,
        )

    @classmethod
    def unpack(cls, buffer: Buffer, offset: int = 0) -> Self:
        """Read one at `offset`; reserved bits are not looked at."""
        units = RX_DESCRIPTOR_STRUCT.unpack_from(buffer, offset)
        return cls(
            units[0],
        )


def pack_rx_descriptor_into(
    buffer: bytearray | memoryview,
    offset: int,
    address: int,
) -> None:
    """Store an RX descriptor at `offset` without making a value first."""
    RX_DESCRIPTOR_STRUCT.pack_into(
        buffer,
        offset,
        address,
        0,
    )


COMPLETION_BYTES: Final = 32
COMPLETION_STRUCT: Final = struct.Struct("<IHBBHBBIQBBHI")
COMPLETION_RESERVED: Final = 0xFFFFFFFF0000FFFE000000000000000000000000000000000000000000000000
COMPLETION_DTYPE: Final = np.dtype(
    [
        ("index", "<u4"),
        ("length", "<u2"),
        ("status", "<u1"),
        ("cause", "<u1"),
        ("vlan", "<u2"),
        ("rss_type", "<u1"),
        ("checksum", "<u1"),
        ("rss_hash", "<u4"),
        ("timestamp", "<u8"),
        ("bits_192", "<u1"),
        ("reserved_200", "<u1"),
        ("frame_length", "<u2"),
        ("reserved_224", "<u4"),
    ]
)
COMPLETION_PHASE_IN_BITS_192: Final = 0x01
COMPLETION_PHASE_BYTE: Final = 24  # its bit 0 is the phase


@dataclass(frozen=True, slots=True)
class Completion:
    """Completion, of either direction."""

    index: int  # free-running, one past the frame's last descriptor (TX) or this buffer's descriptor (RX)
    length: int = 0  # TX: bytes of the frame as fetched; RX: bytes written into this buffer
    status: int = 0  # what happened
    cause: int = 0  # why, when status has error
    vlan: int = 0  # RX: TCI of the tag that was removed; 0: none was
    rss_type: int = 0  # 0: unbuilt
    checksum: int = 0  # verdicts; 0: unbuilt
    rss_hash: int = 0  # 0: unbuilt
    timestamp: int = 0  # 0: unbuilt
    phase: bool = False  # 1 in the first lap, then alternating
    frame_length: int = 0  # RX: the whole frame; TX: bytes on the wire without FCS, before padding

    def pack(self) -> bytes:
        """The 32 bytes in memory."""
        return COMPLETION_STRUCT.pack(
            self.index,
            self.length,
            self.status,
            self.cause,
            self.vlan,
            self.rss_type,
            self.checksum,
            self.rss_hash,
            self.timestamp,
            self.phase,
            0,
            self.frame_length,
            0,
        )

    @classmethod
    def unpack(cls, buffer: Buffer, offset: int = 0) -> Self:
        """Read one at `offset`; reserved bits are not looked at."""
        units = COMPLETION_STRUCT.unpack_from(buffer, offset)
        return cls(
            units[0],
            units[1],
            units[2],
            units[3],
            units[4],
            units[5],
            units[6],
            units[7],
            units[8],
            units[9] & 0x1 != 0,
            units[11],
        )


def pack_completion_into(
    buffer: bytearray | memoryview,
    offset: int,
    index: int,
    length: int = 0,
    status: int = 0,
    cause: int = 0,
    vlan: int = 0,
    rss_type: int = 0,
    checksum: int = 0,
    rss_hash: int = 0,
    timestamp: int = 0,
    phase: bool = False,
    frame_length: int = 0,
) -> None:
    """Store a completion at `offset` without making a value first."""
    COMPLETION_STRUCT.pack_into(
        buffer,
        offset,
        index,
        length,
        status,
        cause,
        vlan,
        rss_type,
        checksum,
        rss_hash,
        timestamp,
        phase,
        0,
        frame_length,
        0,
    )


def phase_of(index: int, size: int) -> int:
    """Phase of completion `index` in a ring of `size` entries (a power of two): 1 in the first lap."""
    return 1 if not index & size else 0
