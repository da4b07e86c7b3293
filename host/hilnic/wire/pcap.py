# SPDX-License-Identifier: Apache-2.0
"""Reading captures: classic pcap (both byte orders, microseconds and nanoseconds) and pcapng.

`read_capture(path)` reads the whole file and either returns a Capture or raises CaptureError, which names file, record
and offset; nothing is guessed. Each record says whether it can be replayed as an Ethernet frame (`Kind`).
"""

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from hilnic.wire import pcapng
from hilnic.wire.pcapng import LINKTYPE_ETHERNET, Direction

SHORTEST_FRAME = 14
LONGEST_FRAME = 1514
"""Octets of an untagged frame without FCS."""
LARGEST_RECORD = 1 << 22
"""Octets beyond which a record's length is taken for damage."""

_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_FCS_PRESENT = 1 << 26


class CaptureError(ValueError):
    """The file is damaged or no capture: which file, which record (0: before the first), at which octet."""

    def __init__(self, path: Path, record: int, offset: int, why: str) -> None:
        super().__init__(f"{path}: record {record} at offset {offset}: {why}")
        self.path, self.record, self.offset, self.why = path, record, offset, why


class Kind(Enum):
    """What a record is to a replay."""

    FRAME = "an Ethernet frame"
    CUT = "cut by the capture's snap length"
    OVERLONG = "longer than the longest frame"
    SHORT = "shorter than an Ethernet header"
    NOT_ETHERNET = "of another link type"


@dataclass(frozen=True, slots=True)
class Record:
    """A captured packet, without FCS where the file says that it has one."""

    number: int  # from 1
    offset: int  # of the record or block in the file
    time_ns: int
    data: bytes
    original_length: int
    link_type: int = LINKTYPE_ETHERNET
    interface: str = ""
    direction: Direction = Direction.UNKNOWN
    crc_error: bool = False
    symbol_error: bool = False
    comments: tuple[str, ...] = ()

    def kind(self, longest: int = LONGEST_FRAME) -> Kind:
        """Can it be replayed? `longest` is without FCS and tag."""
        if self.link_type != LINKTYPE_ETHERNET:
            return Kind.NOT_ETHERNET
        if self.original_length > len(self.data):
            return Kind.CUT
        if len(self.data) < SHORTEST_FRAME:
            return Kind.SHORT
        tagged = self.data[12:14] in {b"\x81\x00", b"\x88\xa8"}
        return Kind.OVERLONG if len(self.data) > longest + 4 * tagged else Kind.FRAME


@dataclass(frozen=True, slots=True)
class Capture:
    """A whole file."""

    path: Path
    records: tuple[Record, ...]

    def frames(self, longest: int = LONGEST_FRAME) -> list[Record]:
        """The records that a replay sends."""
        return [record for record in self.records if record.kind(longest) is Kind.FRAME]

    def kinds(self, longest: int = LONGEST_FRAME) -> dict[Kind, int]:
        """How many records of each kind."""
        return dict(Counter(record.kind(longest) for record in self.records))


def read_capture(path: str | Path) -> Capture:
    """Read a pcap or pcapng file; CaptureError when it is damaged, OSError when it cannot be read."""
    file = Path(path)
    body = file.read_bytes()
    if body[:4] == struct.pack("<I", pcapng.SECTION_HEADER):
        return Capture(file, tuple(_Pcapng(file, body).records()))
    if body[:4] in _MAGICS:
        return Capture(file, tuple(_pcap_records(file, body)))
    raise CaptureError(file, 0, 0, "neither pcap nor pcapng" if body else "the file is empty")


def _pcap_records(path: Path, body: bytes) -> Iterator[Record]:
    """A header of 24 octets (magic, version, zone, accuracy, snap length, link type), then 16 before each packet."""
    if len(body) < 24:
        raise CaptureError(path, 0, len(body), f"the file header needs 24 octets, {len(body)} are left")
    order, scale = _MAGICS[body[:4]]
    (network,) = struct.unpack_from(order + "I", body, 20)
    fcs = (network >> 28) * 2 if network & _FCS_PRESENT else 0
    header = struct.Struct(order + "IIII")
    offset, number = 24, 0
    while offset < len(body):
        number += 1
        if offset + header.size > len(body):
            raise CaptureError(path, number, offset, f"its header needs 16 octets, {len(body) - offset} are left")
        seconds, fraction, captured, original = header.unpack_from(body, offset)
        data = _payload(path, number, offset, body, offset + header.size, captured)
        cut = len(data) - fcs if fcs and captured == original and len(data) >= fcs else len(data)
        time_ns = seconds * 1_000_000_000 + fraction * scale
        yield Record(number, offset, time_ns, data[:cut], original - (len(data) - cut), network & 0xFFFF)
        offset += header.size + captured


def _payload(path: Path, number: int, offset: int, body: bytes, start: int, length: int) -> bytes:
    if length > LARGEST_RECORD:
        raise CaptureError(path, number, offset, f"a length of {length} octets is damage")
    if start + length > len(body):
        raise CaptureError(path, number, offset, f"it has {length} octets, {len(body) - start} are left")
    return body[start : start + length]


@dataclass(slots=True)
class _Interface:
    """What an interface description block says about its packets."""

    link_type: int
    snap_length: int
    name: str = ""
    units_per_second: int = 1_000_000
    offset_seconds: int = 0
    fcs: int = 0


class _Pcapng:
    """One pass over the blocks of a file; each section has its own byte order and interfaces."""

    def __init__(self, path: Path, body: bytes) -> None:
        self.path, self.body = path, body
        self.order = "<"
        self.interfaces: list[_Interface] = []
        self.number = 0

    def fail(self, offset: int, why: str) -> CaptureError:
        return CaptureError(self.path, self.number, offset, why)

    def records(self) -> Iterator[Record]:
        offset = 0
        while offset < len(self.body):
            kind, block = self.block(offset)
            if kind == pcapng.SECTION_HEADER:
                self.interfaces = []
            elif kind == pcapng.INTERFACE:
                self.interfaces.append(self.interface(offset, block))
            elif kind in {pcapng.ENHANCED_PACKET, pcapng.SIMPLE_PACKET}:
                self.number += 1
                yield self.enhanced(offset, block) if kind == pcapng.ENHANCED_PACKET else self.simple(offset, block)
            offset += len(block) + 12

    def block(self, offset: int) -> tuple[int, bytes]:
        """Type and body of the block at an offset; a section header also sets the byte order."""
        if offset + 12 > len(self.body):
            raise self.fail(offset, f"a block needs 12 octets, {len(self.body) - offset} are left")
        (kind,) = struct.unpack_from(self.order + "I", self.body, offset)
        if kind == pcapng.SECTION_HEADER:
            self.order = self.byte_order(offset)
        (length,) = struct.unpack_from(self.order + "I", self.body, offset + 4)
        if length < 12 or length % 4 or length > LARGEST_RECORD + 4096:
            raise self.fail(offset, f"a block length of {length} octets is damage")
        if offset + length > len(self.body):
            raise self.fail(offset, f"the block has {length} octets, {len(self.body) - offset} are left")
        (again,) = struct.unpack_from(self.order + "I", self.body, offset + length - 4)
        if again != length:
            raise self.fail(offset, f"the block's two lengths differ: {length} and {again}")
        return kind, self.body[offset + 8 : offset + length - 4]

    def byte_order(self, offset: int) -> str:
        magic = self.body[offset + 8 : offset + 12]
        orders = {struct.pack(o + "I", pcapng.BYTE_ORDER_MAGIC): o for o in "<>"}
        if magic not in orders:
            raise self.fail(offset, f"0x{magic.hex()} is no byte-order magic")
        return orders[magic]

    def options(self, offset: int, body: bytes, start: int) -> Iterator[tuple[int, bytes]]:
        while start + 4 <= len(body):
            code, length = struct.unpack_from(self.order + "HH", body, start)
            if code == pcapng.OPT_END:
                return
            if start + 4 + length > len(body):
                raise self.fail(offset, f"option {code} has {length} octets, {len(body) - start - 4} are left")
            yield code, body[start + 4 : start + 4 + length]
            start += 4 + length + -length % 4

    def interface(self, offset: int, body: bytes) -> _Interface:
        if len(body) < 8:
            raise self.fail(offset, "an interface description needs 8 octets")
        link_type, _, snap_length = struct.unpack_from(self.order + "HHI", body)
        found = _Interface(link_type, snap_length)
        for code, value in self.options(offset, body, 8):
            if code == pcapng.IF_NAME:
                found.name = value.decode(errors="replace")
            elif code == pcapng.IF_TSRESOL and value:
                found.units_per_second = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
            elif code == pcapng.IF_FCSLEN and value:
                found.fcs = value[0]
            elif code == pcapng.IF_TSOFFSET and len(value) == 8:
                (found.offset_seconds,) = struct.unpack(self.order + "q", value)
        return found

    def of(self, offset: int, interface: int) -> _Interface:
        if interface >= len(self.interfaces):
            raise self.fail(offset, f"interface {interface} is not described before it")
        return self.interfaces[interface]

    def enhanced(self, offset: int, body: bytes) -> Record:
        if len(body) < 20:
            raise self.fail(offset, "an enhanced packet needs 20 octets")
        number, high, low, captured, original = struct.unpack_from(self.order + "IIIII", body)
        interface = self.of(offset, number)
        if 20 + captured > len(body):
            raise self.fail(offset, f"it has {captured} octets, {len(body) - 20} are left in its block")
        flags, comments = 0, []
        for code, value in self.options(offset, body, 20 + captured + -captured % 4):
            if code == pcapng.EPB_FLAGS and len(value) == 4:
                (flags,) = struct.unpack(self.order + "I", value)
            elif code == pcapng.OPT_COMMENT:
                comments.append(value.decode(errors="replace"))
        units = high << 32 | low
        time_ns = units * 1_000_000_000 // interface.units_per_second + interface.offset_seconds * 1_000_000_000
        return self.record(offset, interface, body[20 : 20 + captured], original, time_ns, flags, tuple(comments))

    def simple(self, offset: int, body: bytes) -> Record:
        if len(body) < 4:
            raise self.fail(offset, "a simple packet needs 4 octets")
        (original,) = struct.unpack_from(self.order + "I", body)
        interface = self.of(offset, 0)
        captured = min(original, interface.snap_length or original, len(body) - 4)
        return self.record(offset, interface, body[4 : 4 + captured], original, 0, 0, ())

    def record(
        self,
        offset: int,
        interface: _Interface,
        data: bytes,
        original: int,
        time_ns: int,
        flags: int,
        comments: tuple[str, ...],
    ) -> Record:
        fcs = (flags >> 5 & 0xF) or interface.fcs
        if fcs and original == len(data) >= fcs:
            data, original = data[:-fcs], original - fcs
        return Record(
            self.number,
            offset,
            time_ns,
            data,
            original,
            interface.link_type,
            interface.name,
            Direction(flags & 3) if flags & 3 != 3 else Direction.UNKNOWN,
            bool(flags & pcapng.FLAG_CRC_ERROR),
            bool(flags & pcapng.FLAG_SYMBOL_ERROR),
            comments,
        )
