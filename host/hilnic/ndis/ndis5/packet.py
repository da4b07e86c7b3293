# SPDX-License-Identifier: Apache-2.0
"""NDIS_PACKET: one frame of NDIS 5, a chain of buffer descriptors with out-of-band data behind it.

    packet -- head -> Mdl -> Mdl -> None      an NDIS_BUFFER is an `Mdl`; `tail` is the last
              oob                             NDIS_PACKET_OOB_DATA: status, header size, times, media information
              packet_info[12]                 NDIS_PACKET_EXTENSION, index = PacketInfo
              stack[2]                        NDIS_PACKET_STACK: one location per driver that reuses the packet

Chaining makes `valid_counts` false; whoever asks for a length then has the counts computed anew (S5-16).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hilnic.ndis.mdl import Mdl, walk_mdls
from hilnic.ndis.ndis5.constants import PACKET_INFO_SLOTS, PACKET_STACK_SIZE, PacketInfo
from hilnic.ndis.status import NdisStatus

if TYPE_CHECKING:
    from hilnic.ndis.ndis import Ndis
    from hilnic.ndis.ndis5.packet_pool import PacketPool

PAGE = 4096
_ORIGINAL_PACKET = int(PacketInfo.ORIGINAL_PACKET)


class OutOfBand:
    """NDIS_PACKET_OOB_DATA. Times are in the units that miniport and protocol agree on; `header_size` is in bytes."""

    __slots__ = ("header_size", "media_specific_information", "status", "time_received", "time_sent", "time_to_send")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As in a packet that comes fresh from its pool (OB-08)."""
        self.time_to_send = 0
        self.time_sent = 0
        self.time_received = 0
        self.header_size = 0
        self.media_specific_information = b""
        self.status: int = NdisStatus.SUCCESS


class PacketStackSlot:
    """NDIS_PACKET_STACK: what one intermediate driver, and NDIS on its behalf, keeps in a packet it passes through."""

    __slots__ = ("im_reserved", "ndis_reserved")

    def __init__(self) -> None:
        self.im_reserved: list[Any] = [None, None]
        self.ndis_reserved: list[Any] = [None, None, None, None]


class Packet:
    """One frame. Comes from a `PacketPool`; names that begin with `ndis_` are NDIS's own."""

    __slots__ = (
        "buffer_count",
        "flags",
        "frame_id",
        "head",
        "id",
        "miniport_reserved",
        "miniport_reserved_ex",
        "ndis_custody",
        "oob",
        "packet_info",
        "physical_count",
        "pool",
        "protocol_reserved",
        "stack",
        "stack_index",
        "tail",
        "total_length",
        "valid_counts",
        "wrapper_reserved",
    )

    def __init__(self, pool: PacketPool, identity: int) -> None:
        self.pool = pool
        self.id = identity
        self.oob = OutOfBand()
        self.ndis_custody: Any = None  # the verifier's record
        self.reset()

    def reset(self) -> None:
        """As it comes from its pool: no buffers, no flags, nothing out of band, empty reserved areas (OB-08)."""
        self.head: Mdl | None = None
        self.tail: Mdl | None = None
        self.flags = 0
        self.valid_counts = True
        self.buffer_count = 0
        self.total_length = 0
        self.physical_count = 0
        self.protocol_reserved: list[Any] = [None, None, None, None]
        self.miniport_reserved: list[Any] = [None, None]
        self.miniport_reserved_ex: list[Any] = [None, None, None]
        self.wrapper_reserved: Any = None
        self.packet_info: list[Any] = [None] * PACKET_INFO_SLOTS
        self.stack = [PacketStackSlot() for _ in range(PACKET_STACK_SIZE)]
        self.stack_index = -1  # before the first send or indication
        self.frame_id = 0
        self.oob.reset()

    @property
    def ndis(self) -> Ndis:
        """The NDIS instance this packet belongs to."""
        return self.pool.ndis

    @property
    def original(self) -> Packet | None:
        """The packet that this one was made from, as the sender's intermediate driver noted it."""
        original: Packet | None = self.packet_info[_ORIGINAL_PACKET]
        return original

    def buffers(self) -> Iterator[Mdl]:
        """The buffer descriptors, first to last."""
        return walk_mdls(self.head)

    def length(self) -> int:
        """Bytes of the frame; stale counts are computed anew first."""
        if not self.valid_counts:
            self.count()
        return self.total_length

    def count(self) -> None:
        """Compute buffer count, length and physical breaks from the chain (S5-16)."""
        buffers = length = pages = 0
        for mdl in walk_mdls(self.head):
            buffers += 1
            length += mdl.byte_count
            if mdl.byte_count:
                pages += (mdl.address % PAGE + mdl.byte_count + PAGE - 1) // PAGE
        self.buffer_count, self.total_length, self.physical_count = buffers, length, pages
        self.valid_counts = True

    def tobytes(self) -> bytes:
        """The frame in one piece."""
        head = self.head
        if head is not None and head.next is None:
            return bytes(head.view)
        return b"".join(bytes(mdl.view) for mdl in walk_mdls(head))

    def __repr__(self) -> str:
        return f"Packet#{self.id}"
