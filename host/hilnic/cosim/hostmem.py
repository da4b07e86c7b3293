# SPDX-License-Identifier: Apache-2.0
"""The C library as Python sees it: the shared structures of native/hostmem.h, field by field, and the functions.

The simulator has loaded the library before Python starts; `Library(path)` attaches to the very same copy. Times in it
are absolute simulation times in ps.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, byref, c_char, c_uint8, c_uint16, c_uint32, c_uint64
from pathlib import Path
from typing import ClassVar

__all__ = ["CARDS", "NEVER", "Breach", "Carrier", "Library", "Settings", "Statistics"]

CARDS = 4
CLOCKS = 3
SYS, RX, TX = range(CLOCKS)
NEVER = (1 << 64) - 1
WIRE_ENDS, WIRE_LOOP, WIRE_CROSS = range(3)
MOMENT_RANDOM, MOMENT_EARLY, MOMENT_LATE = range(3)
EVENT_CSR, EVENT_IRQ, EVENT_FRAME, EVENT_SENT = range(1, 5)
FCS_GOOD, FCS_BAD, FCS_NONE = range(3)
FRAME_RING = 1 << 21
FRAME_FCS_OK, FRAME_ERROR, FRAME_NO_SFD = 1, 2, 4
_EVENTS = 2 << 16
_EVENT_WORDS = 7


def _fields(kind: type, names: str) -> list[tuple[str, type]]:
    return [(name, kind) for name in names.split()]


class Settings(Structure):
    """struct hm_settings: per card, may be changed at any time."""

    _fields_: ClassVar = [
        *_fields(c_uint64, "read_ps write_ps csr_return_ps irq_ps withhold_r_until withhold_b_until seed batch_ps"),
        *_fields(c_uint32, "jitter_percent stall_percent bandwidth_percent reorder interleave moment"),
        *_fields(c_uint32, "reset_n link_up wire_mode deliver"),
        *_fields(c_uint32 * CLOCKS, "run period_fs phase_ps"),
        *_fields(c_uint32, "reload max_reads max_writes"),
    ]


class Statistics(Structure):
    """struct hm_statistics: per card."""

    _fields_: ClassVar = [
        *_fields(c_uint64, "cycles progress reads read_beats writes write_beats csr_writes csr_reads csr_write_errors"),
        *_fields(c_uint64, "interrupts tx_frames tx_octets tx_bad rx_frames rx_octets first_tx_ps last_tx_ps"),
        ("gaps", c_uint64 * 64),
        *_fields(c_uint32, "reads_outstanding writes_outstanding most_reads most_writes"),
    ]


class Breach(Structure):
    """struct hm_breach: the first broken rule."""

    _fields_: ClassVar = [
        *_fields(c_uint64, "time_ps card address length id"),
        ("count", c_uint32),
        ("rule_", c_char * 32),
        ("message_", c_char * 224),
        ("also_", c_char * 96),
    ]

    @property
    def rule(self) -> str:
        """Id of the rule."""
        return bytes(self.rule_).decode(errors="replace")

    @property
    def also(self) -> tuple[str, ...]:
        """Rules that were broken at the same time."""
        return tuple(bytes(self.also_).decode(errors="replace").split())

    @property
    def message(self) -> str:
        """What happened."""
        return bytes(self.message_).decode(errors="replace")


class Shared(Structure):
    """struct hm_shared."""

    _fields_: ClassVar = [
        ("timer_ps", c_uint64),
        ("wakes", c_uint64),
        ("wake_pending", c_uint32),
        ("events", c_uint32),
        ("breach", Breach),
        ("settings", Settings * CARDS),
        ("statistics", Statistics * CARDS),
    ]


class Carrier(Structure):
    """struct hm_carrier: how a frame is put on the wire."""

    _fields_: ClassVar = [*_fields(c_uint32, "preamble sfd fcs gap er_from er_count keep")]


Event = tuple[int, int, int, int, int, int, int]
"""time_ps, due_ps, kind, card, a, b, order"""


class Library:
    """The loaded library; `shared`, `events` and `frames` are windows on its memory."""

    def __init__(self, path: Path) -> None:
        c = ctypes.CDLL(str(path))
        self.path = path
        self.shared = Shared.in_dll(c, "hm_shared")
        drained = ((c_uint64 * _EVENT_WORDS) * _EVENTS).in_dll(c, "hm_drained")
        self._drained = memoryview(drained).cast("B").cast("Q")
        frames = ((c_uint8 * FRAME_RING) * CARDS).in_dll(c, "hm_frames")
        self.frames = [memoryview(ring).cast("B") for ring in frames]
        self._bind(c)

    def _bind(self, c: ctypes.CDLL) -> None:
        u16p, u32p, u64p = POINTER(c_uint16), POINTER(c_uint32), POINTER(c_uint64)
        u32, u64 = c_uint32, c_uint64
        table: dict[str, tuple[type | None, list[type]]] = {
            "hm_reset_all": (None, []),
            "hm_reset_card": (None, [u32]),
            "hm_attach": (None, [u32, u64, u64, u64, u64, u64, u64]),
            "hm_drain": (u32, [u64]),
            "hm_csr_push": (None, [u32, u32, u32, u32, u64, u64]),
            "hm_inject": (None, [u32, u32, u64, u32]),
            "hm_send": (None, [u32, ctypes.c_char_p, u32, POINTER(Carrier), u64, u64]),
            "hm_send_symbols": (None, [u32, u16p, u32, u32, u64, u64]),
            "hm_source_backlog": (u32, [u32]),
            "hm_outstanding": (u32, [u32, u32, u64p, u32]),
            "hm_rings": (u32, [u32, u32p, u32]),
        }
        # what the Verilog ends call, for ends in Python; the time comes last
        ends = {"ar": 5, "r": 2, "rdata": 2, "aw": 5, "w": 5, "b": 2, "csr": 2, "csr_wdata": 2, "csr_done": 4}
        table.update({f"hm_{name}": (u64, [u64] * count) for name, count in ends.items()})
        for name, (result, arguments) in table.items():
            function = getattr(c, name)
            function.restype, function.argtypes = result, arguments
        self.reset_all, self.reset_card, self.attach = c.hm_reset_all, c.hm_reset_card, c.hm_attach
        self.csr_push, self.inject = c.hm_csr_push, c.hm_inject
        self._drain, self._send, self._send_symbols = c.hm_drain, c.hm_send, c.hm_send_symbols
        self.ar, self.r, self.rdata, self.aw, self.w, self.b = c.hm_ar, c.hm_r, c.hm_rdata, c.hm_aw, c.hm_w, c.hm_b
        self.csr, self.csr_wdata, self.csr_done = c.hm_csr, c.hm_csr_wdata, c.hm_csr_done
        self.source_backlog, self._outstanding, self._rings = c.hm_source_backlog, c.hm_outstanding, c.hm_rings

    def drain(self, now_ps: int) -> list[Event]:
        """The events that are due, in order."""
        words = self._drained
        n = _EVENT_WORDS
        return [tuple(words[i : i + n]) for i in range(0, self._drain(now_ps) * n, n)]  # type: ignore[misc]

    def send(self, card: int, data: bytes, carrier: Carrier, at_ps: int, tag: int) -> None:
        """Queue a frame for the wire towards a card."""
        self._send(card, data, len(data), byref(carrier), at_ps, tag)

    def send_symbols(self, card: int, symbols: list[int], gap: int, at_ps: int, tag: int) -> None:
        """Queue raw GMII symbols, each er << 9 | dv << 8 | octet."""
        array = (c_uint16 * len(symbols))(*symbols)
        self._send_symbols(card, array, len(symbols), gap, at_ps, tag)

    def outstanding(self, card: int, write: bool) -> list[tuple[int, int, int, int]]:
        """Bursts under way: id, address, bytes, time of acceptance."""
        rows = (c_uint64 * (4 * 128))()
        count = self._outstanding(card, int(write), rows, 128)
        return [(rows[4 * i], rows[4 * i + 1], rows[4 * i + 2], rows[4 * i + 3]) for i in range(count)]

    def rings(self, card: int) -> list[tuple[int, ...]]:
        """What the ring monitor knows of each queue; columns in native/hostmem.h."""
        rows = (c_uint32 * (12 * 128))()
        count = self._rings(card, rows, 128)
        return [tuple(rows[12 * i : 12 * i + 12]) for i in range(count)]
