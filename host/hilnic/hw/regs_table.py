# SPDX-License-Identifier: Apache-2.0
"""The table of every register: offset, access, reset value, fields. Generated from hdl/regs/nic_1g.rdl; do not edit.

Conformance walks and the software twin read this table; drivers use the constants of `hilnic.hw.regs`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Access(Enum):
    """What software may do with a field."""

    RO = "read only"
    RW = "read and write"
    WO = "write only, reads zero"
    W1C = "write one to clear"
    W1S = "write one to set"


@dataclass(frozen=True, slots=True)
class Field:
    """Bits of a register; `live` follows the hardware, `built` depends on the build's parameters."""

    name: str
    lsb: int
    width: int
    access: Access
    reset: int = 0
    live: bool = False
    built: bool = False

    @property
    def mask(self) -> int:
        """The field's bits in the register."""
        return ((1 << self.width) - 1) << self.lsb


@dataclass(frozen=True, slots=True)
class Register:
    """A 32-bit register, or an array of them; `locked`: written only while its queue is disabled."""

    name: str
    offset: int
    fields: tuple[Field, ...]
    locked: bool = False
    count: int = 1
    stride: int = 4

    @property
    def reset(self) -> int:
        """The value after reset, of the default build."""
        return sum(f.reset << f.lsb for f in self.fields)

    @property
    def volatile_mask(self) -> int:
        """Bits whose value after reset this table cannot know."""
        return sum(f.mask for f in self.fields if f.live or f.built)

    def mask(self, *access: Access) -> int:
        """Bits of the fields with one of these accesses."""
        return sum(f.mask for f in self.fields if f.access in access)

    def field(self, name: str) -> Field:
        """The field of that name; KeyError when there is none."""
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(f"{self.name} has no field {name}")


def _counter_words(base: int, names: tuple[str, ...]) -> tuple[Register, ...]:
    word = (Field("value", 0, 32, Access.RO),)
    return tuple(
        Register(f"{name}_{half}", base + 8 * i + 4 * high, word)
        for i, name in enumerate(names)
        for high, half in enumerate(("lo", "hi"))
    )


GLOBAL: tuple[Register, ...] = (
    Register(
        "id",
        0x000,
        (Field("value", 0, 32, Access.RO, 0x484E4943),),
    ),
    Register(
        "version",
        0x004,
        (
            Field("minor", 0, 16, Access.RO),
            Field("major", 16, 16, Access.RO, 0x1),
        ),
    ),
    Register(
        "caps0",
        0x008,
        (
            Field("num_tx_queues", 0, 7, Access.RO, 0x4, built=True),
            Field("num_rx_queues", 8, 7, Access.RO, 0x4, built=True),
            Field("num_vectors", 16, 8, Access.RO, 0x8, built=True),
            Field("largest_ring_log2", 24, 5, Access.RO, 0xF),
        ),
    ),
    Register(
        "features",
        0x00C,
        (
            Field("loopback", 0, 1, Access.RO, 0x1),
            Field("multicast_hash", 1, 1, Access.RO, 0x1),
            Field("moderation", 2, 1, Access.RO, 0x1),
            Field("jumbo", 3, 1, Access.RO, 0x1),
            Field("pass_bad", 4, 1, Access.RO, 0x1),
            Field("keep_fcs", 5, 1, Access.RO, 0x1),
            Field("host_fcs", 6, 1, Access.RO, 0x1),
            Field("checksum_offload", 16, 1, Access.RO),
            Field("segmentation", 17, 1, Access.RO),
            Field("vlan", 18, 1, Access.RO),
            Field("rss", 19, 1, Access.RO),
            Field("timestamp", 20, 1, Access.RO),
            Field("virtual_connections", 21, 1, Access.RO, built=True),
            Field("half_duplex", 30, 1, Access.RO),
            Field("speed_10_100", 31, 1, Access.RO),
        ),
    ),
    Register(
        "sys_clk_ps",
        0x010,
        (Field("value", 0, 32, Access.RO, 0x1F40, built=True),),
    ),
    Register(
        "mac_clk_ps",
        0x014,
        (Field("value", 0, 32, Access.RO, 0x1F40),),
    ),
    Register(
        "tx_page_base",
        0x018,
        (Field("value", 0, 32, Access.RO, 0x100000),),
    ),
    Register(
        "page_stride",
        0x01C,
        (Field("value", 0, 32, Access.RO, 0x100),),
    ),
    Register(
        "rx_page_base",
        0x020,
        (Field("value", 0, 32, Access.RO, 0x180000),),
    ),
    Register(
        "doorbell_base",
        0x024,
        (Field("value", 0, 32, Access.RO, 0x200000),),
    ),
    Register(
        "tx_buf_bytes",
        0x028,
        (Field("value", 0, 32, Access.RO, 0x8000, built=True),),
    ),
    Register(
        "rx_buf_bytes",
        0x02C,
        (Field("value", 0, 32, Access.RO, 0x8000, built=True),),
    ),
    Register(
        "caps1",
        0x030,
        (
            Field("max_reads", 0, 8, Access.RO, 0x10, built=True),
            Field("max_writes", 8, 8, Access.RO, 0x8, built=True),
            Field("max_burst_bytes", 16, 16, Access.RO, 0x100, built=True),
        ),
    ),
    Register(
        "cache_depth",
        0x034,
        (Field("value", 0, 32, Access.RO, 0x20, built=True),),
    ),
    Register(
        "scratch",
        0x038,
        (Field("value", 0, 32, Access.RW),),
    ),
    Register(
        "ctrl",
        0x040,
        (
            Field("tx_enable", 0, 1, Access.RW),
            Field("rx_enable", 1, 1, Access.RW),
            Field("loopback", 2, 1, Access.RW),
            Field("soft_reset", 8, 1, Access.W1S),
        ),
    ),
    Register(
        "status",
        0x044,
        (
            Field("link_up", 0, 1, Access.RO, live=True),
            Field("reset_busy", 1, 1, Access.RO),
            Field("dma_idle", 2, 1, Access.RO, 0x1, live=True),
            Field("tx_clk_alive", 3, 1, Access.RO, live=True),
            Field("rx_clk_alive", 4, 1, Access.RO, live=True),
        ),
    ),
    Register(
        "misc_cause",
        0x048,
        (
            Field("link_change", 0, 1, Access.W1C, live=True),
            Field("tx_queue_error", 1, 1, Access.W1C),
            Field("rx_queue_error", 2, 1, Access.W1C),
            Field("vc_off", 3, 1, Access.W1C),
        ),
    ),
    Register(
        "misc_enable",
        0x04C,
        (
            Field("link_change", 0, 1, Access.RW),
            Field("tx_queue_error", 1, 1, Access.RW),
            Field("rx_queue_error", 2, 1, Access.RW),
            Field("vc_off", 3, 1, Access.RW),
        ),
    ),
    Register(
        "mac_cfg",
        0x050,
        (
            Field("ifg", 0, 8, Access.RW, 0xC),
            Field("pass_bad", 8, 1, Access.RW),
            Field("keep_fcs", 9, 1, Access.RW),
            Field("host_fcs", 10, 1, Access.RW),
        ),
    ),
    Register(
        "max_frame",
        0x054,
        (Field("octets", 0, 16, Access.RW, 0x5EE),),
    ),
    Register(
        "rx_filter",
        0x060,
        (
            Field("own_unicast", 0, 1, Access.RW),
            Field("broadcast", 1, 1, Access.RW),
            Field("multicast_exact", 2, 1, Access.RW),
            Field("multicast_hash", 3, 1, Access.RW),
            Field("all_multicast", 4, 1, Access.RW),
            Field("promiscuous", 5, 1, Access.RW),
        ),
    ),
    Register(
        "mac_addr_lo",
        0x064,
        (Field("octets", 0, 32, Access.RW),),
    ),
    Register(
        "mac_addr_hi",
        0x068,
        (Field("octets", 0, 16, Access.RW),),
    ),
    Register(
        "hash_lo",
        0x06C,
        (Field("buckets", 0, 32, Access.RW),),
    ),
    Register(
        "hash_hi",
        0x070,
        (Field("buckets", 0, 32, Access.RW),),
    ),
    Register(
        "rx_steer",
        0x074,
        (Field("default_queue", 0, 6, Access.RW),),
    ),
    Register(
        "stats_ctrl",
        0x078,
        (Field("clear", 0, 1, Access.W1S),),
    ),
    Register(
        "queues",
        0x080,
        (
            Field("num_tx_queues", 0, 12, Access.RO, 0x4, built=True),
            Field("num_rx_queues", 16, 12, Access.RO, 0x4, built=True),
        ),
    ),
    Register(
        "doorbell_group",
        0x084,
        (Field("value", 0, 32, Access.RO, 0x2000),),
    ),
    Register(
        "num_vcs",
        0x088,
        (Field("value", 0, 32, Access.RO, built=True),),
    ),
    Register(
        "vc_page_base",
        0x08C,
        (Field("value", 0, 32, Access.RO, 0x280000),),
    ),
    Register(
        "vc_page_stride",
        0x090,
        (Field("value", 0, 32, Access.RO, 0x80),),
    ),
    Register(
        "vc_sched",
        0x094,
        (
            Field("quantum", 0, 16, Access.RW, 0x800),
            Field("rx_no_wait", 16, 1, Access.RW),
        ),
    ),
)
"""Registers of the whole NIC."""

EXACT: tuple[Register, ...] = (
    Register(
        "exact_lo",
        0x100,
        (Field("octets", 0, 32, Access.RW),),
        count=32,
        stride=8,
    ),
    Register(
        "exact_hi",
        0x104,
        (
            Field("octets", 0, 16, Access.RW),
            Field("queue", 16, 6, Access.RW),
            Field("steer", 30, 1, Access.RW),
            Field("valid", 31, 1, Access.RW),
        ),
        count=32,
        stride=8,
    ),
)
"""The exact filter table."""

TX_PAGE: tuple[Register, ...] = (
    Register(
        "ctrl",
        0x000,
        (Field("enable", 0, 1, Access.RW),),
    ),
    Register(
        "status",
        0x004,
        (
            Field("state", 0, 3, Access.RO),
            Field("cause", 8, 8, Access.RO),
        ),
    ),
    Register(
        "ring_lo",
        0x008,
        (Field("value", 0, 32, Access.RW),),
        locked=True,
    ),
    Register(
        "ring_hi",
        0x00C,
        (Field("value", 0, 32, Access.RW),),
        locked=True,
    ),
    Register(
        "ring_size",
        0x010,
        (Field("entries", 0, 17, Access.RW),),
        locked=True,
    ),
    Register(
        "cpl_lo",
        0x014,
        (Field("value", 0, 32, Access.RW),),
        locked=True,
    ),
    Register(
        "cpl_hi",
        0x018,
        (Field("value", 0, 32, Access.RW),),
        locked=True,
    ),
    Register(
        "cpl_size",
        0x01C,
        (Field("entries", 0, 17, Access.RW),),
        locked=True,
    ),
    Register(
        "init_index",
        0x020,
        (Field("value", 0, 32, Access.RW),),
        locked=True,
    ),
    Register(
        "cpl_init_index",
        0x024,
        (Field("value", 0, 32, Access.RW),),
        locked=True,
    ),
    Register(
        "vector",
        0x028,
        (Field("value", 0, 8, Access.RW),),
        locked=True,
    ),
    Register(
        "mod_count",
        0x02C,
        (Field("completions", 0, 8, Access.RW),),
    ),
    Register(
        "mod_ticks",
        0x030,
        (Field("ticks", 0, 16, Access.RW),),
    ),
    Register(
        "buf_size",
        0x034,
        (Field("bytes", 0, 15, Access.RO),),
    ),
    Register(
        "consumed",
        0x038,
        (Field("value", 0, 32, Access.RO),),
    ),
    Register(
        "cpl_produced",
        0x03C,
        (Field("value", 0, 32, Access.RO),),
    ),
    Register(
        "error_index",
        0x040,
        (Field("value", 0, 32, Access.RO),),
    ),
    Register(
        "producer",
        0x044,
        (Field("value", 0, 32, Access.RO),),
    ),
)
"""A transmit queue's page; offsets inside the page."""

RX_PAGE: tuple[Register, ...] = (
    Register(
        "ctrl",
        0x000,
        (Field("enable", 0, 1, Access.RW),),
    ),
    Register(
        "status",
        0x004,
        (
            Field("state", 0, 3, Access.RO),
            Field("cause", 8, 8, Access.RO),
        ),
    ),
    Register(
        "ring_lo",
        0x008,
        (Field("value", 0, 32, Access.RW),),
        locked=True,
    ),
    Register(
        "ring_hi",
        0x00C,
        (Field("value", 0, 32, Access.RW),),
        locked=True,
    ),
    Register(
        "ring_size",
        0x010,
        (Field("entries", 0, 17, Access.RW),),
        locked=True,
    ),
    Register(
        "cpl_lo",
        0x014,
        (Field("value", 0, 32, Access.RW),),
        locked=True,
    ),
    Register(
        "cpl_hi",
        0x018,
        (Field("value", 0, 32, Access.RW),),
        locked=True,
    ),
    Register(
        "cpl_size",
        0x01C,
        (Field("entries", 0, 17, Access.RW),),
        locked=True,
    ),
    Register(
        "init_index",
        0x020,
        (Field("value", 0, 32, Access.RW),),
        locked=True,
    ),
    Register(
        "cpl_init_index",
        0x024,
        (Field("value", 0, 32, Access.RW),),
        locked=True,
    ),
    Register(
        "vector",
        0x028,
        (Field("value", 0, 8, Access.RW),),
        locked=True,
    ),
    Register(
        "mod_count",
        0x02C,
        (Field("completions", 0, 8, Access.RW),),
    ),
    Register(
        "mod_ticks",
        0x030,
        (Field("ticks", 0, 16, Access.RW),),
    ),
    Register(
        "buf_size",
        0x034,
        (Field("bytes", 0, 15, Access.RW),),
        locked=True,
    ),
    Register(
        "consumed",
        0x038,
        (Field("value", 0, 32, Access.RO),),
    ),
    Register(
        "cpl_produced",
        0x03C,
        (Field("value", 0, 32, Access.RO),),
    ),
    Register(
        "error_index",
        0x040,
        (Field("value", 0, 32, Access.RO),),
    ),
    Register(
        "producer",
        0x044,
        (Field("value", 0, 32, Access.RO),),
    ),
)
"""A receive queue's page; offsets inside the page."""

VC_PAGE: tuple[Register, ...] = (
    Register(
        "ctrl",
        0x000,
        (Field("enable", 0, 1, Access.RW),),
    ),
    Register(
        "status",
        0x004,
        (
            Field("state", 0, 2, Access.RO),
            Field("cause", 8, 8, Access.RO),
        ),
    ),
    Register(
        "vlan",
        0x008,
        (
            Field("vid", 0, 12, Access.RW),
            Field("dei", 12, 1, Access.RW),
            Field("pcp", 13, 3, Access.RW),
        ),
    ),
    Register(
        "tx_queue",
        0x00C,
        (
            Field("queue", 0, 11, Access.RW),
            Field("enable", 31, 1, Access.RW),
        ),
    ),
    Register(
        "rx_queue",
        0x010,
        (
            Field("queue", 0, 11, Access.RW),
            Field("enable", 31, 1, Access.RW),
        ),
    ),
    Register(
        "max_frame",
        0x014,
        (Field("octets", 0, 16, Access.RW),),
    ),
    Register(
        "interval",
        0x018,
        (Field("value", 0, 32, Access.RW),),
    ),
    Register(
        "burst",
        0x01C,
        (Field("octets", 0, 24, Access.RW),),
    ),
    Register(
        "peak_interval",
        0x020,
        (Field("value", 0, 32, Access.RW),),
    ),
    Register(
        "peak_burst",
        0x024,
        (Field("octets", 0, 24, Access.RW),),
    ),
    Register(
        "share",
        0x028,
        (
            Field("quantum", 0, 16, Access.RW),
            Field("guaranteed", 31, 1, Access.RW),
        ),
    ),
)
"""A virtual connection's page; offsets inside the page."""

DOORBELLS: tuple[Register, ...] = (
    Register(
        "tx_doorbell",
        0x200000,
        (Field("index", 0, 32, Access.WO),),
        count=2048,
        stride=4,
    ),
    Register(
        "rx_doorbell",
        0x202000,
        (Field("index", 0, 32, Access.WO),),
        count=2048,
        stride=4,
    ),
    Register(
        "tx_rearm",
        0x204000,
        (Field("index", 0, 32, Access.WO),),
        count=2048,
        stride=4,
    ),
    Register(
        "rx_rearm",
        0x206000,
        (Field("index", 0, 32, Access.WO),),
        count=2048,
        stride=4,
    ),
)
"""The doorbell page."""

TX_COUNTER_NAMES: tuple[str, ...] = (
    "frames",
    "octets",
    "unicast_frames",
    "unicast_octets",
    "multicast_frames",
    "multicast_octets",
    "broadcast_frames",
    "broadcast_octets",
    "drop_malformed",
    "drop_dma",
    "drop_abort",
    "drop_flushed",
    "pkts_64",
    "pkts_65_127",
    "pkts_128_255",
    "pkts_256_511",
    "pkts_512_1023",
    "pkts_1024_1518",
    "pkts_1519_max",
    "loopback_frames",
)
"""Names of the transmit counters, by index."""

RX_COUNTER_NAMES: tuple[str, ...] = (
    "wire_frames",
    "wire_octets",
    "delivered_frames",
    "delivered_octets",
    "unicast_frames",
    "unicast_octets",
    "multicast_frames",
    "multicast_octets",
    "broadcast_frames",
    "broadcast_octets",
    "drop_fcs",
    "drop_rx_er",
    "drop_runt",
    "drop_oversize",
    "drop_filtered",
    "drop_buffer_full",
    "drop_no_descriptor",
    "drop_queue_off",
    "drop_dma",
    "drop_disabled",
    "false_carrier",
    "missing_sfd",
    "in_range_length_errors",
    "out_of_range_length",
    "undersize",
    "fragments",
    "jabbers",
    "oversize_good",
    "pkts_64",
    "pkts_65_127",
    "pkts_128_255",
    "pkts_256_511",
    "pkts_512_1023",
    "pkts_1024_1518",
    "pkts_1519_max",
    "crc_align_errors",
)
"""Names of the receive counters, by index."""

VC_COUNTER_NAMES: tuple[str, ...] = (
    "tx_frames",
    "tx_octets",
    "rx_frames",
    "rx_octets",
    "rx_drops",
    "tx_waits",
)
"""Names of the virtual connection's counters, by index."""

TX_COUNTER_WORDS = _counter_words(0x400, TX_COUNTER_NAMES)
RX_COUNTER_WORDS = _counter_words(0x600, RX_COUNTER_NAMES)
VC_COUNTER_WORDS = _counter_words(0x40, VC_COUNTER_NAMES)


def built_registers(tx_queues: int, rx_queues: int, vcs: int = 0) -> Iterator[tuple[str, int, Register]]:
    """Name, offset and description of every register that a build with so many queues and VCs answers."""
    yield from _expand("", 0, GLOBAL + TX_COUNTER_WORDS + RX_COUNTER_WORDS, 1)
    yield from _expand("", 0, EXACT, EXACT[0].count)
    for queue in range(tx_queues):
        yield from _expand(f"tx{queue}.", 0x100000 + 0x100 * queue, TX_PAGE, 1)
    for queue in range(rx_queues):
        yield from _expand(f"rx{queue}.", 0x180000 + 0x100 * queue, RX_PAGE, 1)
    for vc in range(vcs):
        yield from _expand(f"vc{vc}.", 0x280000 + 0x80 * vc, VC_PAGE + VC_COUNTER_WORDS, 1)
    for bell in DOORBELLS:
        yield from _expand("", 0, (bell,), tx_queues if bell.name.startswith("tx") else rx_queues)


def _expand(prefix: str, base: int, registers: tuple[Register, ...], count: int) -> Iterator[tuple[str, int, Register]]:
    for register in registers:
        for i in range(count):
            suffix = f"[{i}]" if register.count > 1 else ""
            yield f"{prefix}{register.name}{suffix}", base + register.offset + register.stride * i, register
