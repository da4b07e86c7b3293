# SPDX-License-Identifier: Apache-2.0
"""Writing pcapng (draft-ietf-opsawg-pcapng): nanoseconds, several interfaces, direction, error flags, comments.

The output is a function of the calls alone (no wall clock, no host name), so equal runs give equal files. Reading is in
`hilnic.wire.pcap`. `PcapngTap` is a Link that records what passes in both directions.
"""

import struct
from collections.abc import Callable, Sequence
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from hilnic.wire.link import NS_PER_OCTET, Link, Receiver, WireFrame, as_wire_frame

SECTION_HEADER, INTERFACE, SIMPLE_PACKET, ENHANCED_PACKET = 0x0A0D0D0A, 1, 3, 6
BYTE_ORDER_MAGIC = 0x1A2B3C4D
LINKTYPE_ETHERNET = 1
OPT_END, OPT_COMMENT = 0, 1
SHB_USERAPPL = 4
IF_NAME, IF_DESCRIPTION, IF_TSRESOL, IF_FCSLEN, IF_TSOFFSET = 2, 3, 9, 13, 14
EPB_FLAGS = 2
FLAG_CRC_ERROR, FLAG_SYMBOL_ERROR = 1 << 24, 1 << 31

_EPB = struct.Struct("<IIIIIII")
_WORD = struct.Struct("<I")


class Direction(IntEnum):
    """Seen from the NIC whose wire is recorded; the numbers are pcapng's."""

    UNKNOWN = 0
    INBOUND = 1
    OUTBOUND = 2


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _options(*items: tuple[int, bytes]) -> bytes:
    """Options that have a value, closed; nothing when there is none."""
    body = b"".join(_option(code, value) for code, value in items if value)
    return body + _option(OPT_END, b"") if body else b""


def _block(kind: int, body: bytes) -> bytes:
    length = _WORD.pack(len(body) + 12)
    return _WORD.pack(kind) + length + body + length


class PcapngWriter:
    """A capture file being written; close it, or use it as a context manager."""

    def __init__(self, stream: BinaryIO, application: str = "hilnic") -> None:
        self._file = stream
        self._interfaces: list[str] = []
        self._packets = 0
        header = struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, -1)
        self._file.write(_block(SECTION_HEADER, header + _options((SHB_USERAPPL, application.encode()))))

    def __repr__(self) -> str:
        """Interfaces and packets so far."""
        return f"<PcapngWriter {self._interfaces} {self._packets} packets>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @classmethod
    def create(cls, path: str | Path, application: str = "hilnic") -> Self:
        """Write to a new file."""
        return cls(Path(path).open("wb"), application)

    def add_interface(self, name: str, description: str = "") -> int:
        """Declare an Ethernet interface with ns timestamps; its number for `write`."""
        options = _options((IF_NAME, name.encode()), (IF_DESCRIPTION, description.encode()), (IF_TSRESOL, b"\x09"))
        self._file.write(_block(INTERFACE, struct.pack("<HHI", LINKTYPE_ETHERNET, 0, 0) + options))
        self._interfaces.append(name)
        return len(self._interfaces) - 1

    def write(
        self,
        interface: int,
        data: bytes,
        time_ns: int,
        direction: Direction = Direction.UNKNOWN,
        *,
        crc_error: bool = False,
        symbol_error: bool = False,
        comments: Sequence[str] = (),
    ) -> None:
        """Append one packet (without FCS)."""
        flags = direction | (FLAG_CRC_ERROR if crc_error else 0) | (FLAG_SYMBOL_ERROR if symbol_error else 0)
        notes = [(OPT_COMMENT, comment.encode()) for comment in comments]
        options = _options((EPB_FLAGS, _WORD.pack(flags)), *notes)
        length = _EPB.size + len(data) + -len(data) % 4 + len(options) + 4
        head = _EPB.pack(ENHANCED_PACKET, length, interface, time_ns >> 32, time_ns & 0xFFFF_FFFF, len(data), len(data))
        self._file.write(b"".join((head, _padded(data), options, _WORD.pack(length))))
        self._packets += 1

    def flush(self) -> None:
        """Everything written so far can be read by others."""
        self._file.flush()

    def close(self) -> None:
        """End the file."""
        self._file.close()


Describe = Callable[[Direction, WireFrame], Sequence[str]]
"""Comments for a frame: the NBL and the descriptor that it came from."""


class PcapngTap:
    """A Link that records: what is sent into the NIC is inbound, what arrives from it outbound.

    Times are of the first octet after the SFD; inbound ones assume a line that sends as soon as it is free.
    """

    def __init__(
        self,
        link: Link,
        writer: PcapngWriter,
        name: str,
        now_ns: Callable[[], int],
        describe: Describe = lambda _direction, _frame: (),
    ) -> None:
        self._link, self._writer, self._now_ns, self._describe = link, writer, now_ns, describe
        self._interface = writer.add_interface(name)
        self._name = name
        self._free_at = 0

    def __repr__(self) -> str:
        """What it records."""
        return f"<PcapngTap {self._name} on {self._link!r}>"

    def send(self, frame: bytes | WireFrame, at: int | None = None) -> None:
        """Record, then send."""
        exact = as_wire_frame(frame)
        start = max(at or 0, self._now_ns(), self._free_at)
        self._free_at = start + exact.duration_ns + NS_PER_OCTET * exact.ifg
        self._record(Direction.INBOUND, exact, start + NS_PER_OCTET * (exact.preamble + exact.sfd))
        self._link.send(exact, at)

    def connect(self, receiver: Receiver) -> None:
        """Record what arrives, then hand it on."""

        def recorded(frame: WireFrame) -> None:
            self._record(Direction.OUTBOUND, frame, frame.time_ns or self._now_ns())
            receiver(frame)

        self._link.connect(recorded)

    def _record(self, direction: Direction, frame: WireFrame, time_ns: int) -> None:
        self._writer.write(
            self._interface,
            frame.data,
            time_ns,
            direction,
            crc_error=not frame.fcs_ok,
            symbol_error=frame.error,
            comments=self._describe(direction, frame),
        )
