# SPDX-License-Identifier: Apache-2.0
"""Every register of the table: where it answers, its value after reset, what a write does."""

from collections.abc import Iterator

from hilnic.hw import regs
from hilnic.hw.device import BusError
from hilnic.hw.regs_table import RX_PAGE, TX_PAGE, Access, Register, built_registers
from hilnic.testing.conformance import CheckBench, CheckFailed, check
from hilnic.testing.nic_adapter import Direction

PATTERNS = (0xFFFF_FFFF, 0xA5A5_5A5A, 0)
_ACTIVE = frozenset({"ctrl", "misc_cause", "misc_enable", "stats_ctrl", "status"})  # writing them does something
_SET_BY_THE_BENCH = frozenset({"ctrl", "rx_filter", "scratch"})


def _is_counter(register: Register) -> bool:
    return regs.TX_COUNTERS <= register.offset < regs.RX_COUNTERS + regs.PAGE_BYTES * 2


def _registers(bench: CheckBench) -> Iterator[tuple[str, int, Register]]:
    nic = bench.nic_1g
    return built_registers(nic.tx_queues, nic.rx_queues, nic.vcs)


@check("registers")
async def it_says_what_it_is(bench: CheckBench) -> None:
    """ID, version and the pages of the address map are those of the contract."""
    read = bench.device.read32
    bench.expect(await read(regs.ID), regs.ID_VALUE, "ID")
    bench.expect((await read(regs.VERSION)) >> regs.VERSION_MAJOR_LSB, 1, "major version")
    bench.expect(await read(regs.TX_PAGE_BASE), regs.TX_PAGES, "TX_PAGE_BASE")
    bench.expect(await read(regs.RX_PAGE_BASE), regs.RX_PAGES, "RX_PAGE_BASE")
    bench.expect(await read(regs.PAGE_STRIDE), regs.PAGE_BYTES, "PAGE_STRIDE")
    bench.expect(await read(regs.DOORBELL_BASE), regs.TX_DOORBELL, "DOORBELL_BASE")


@check("registers")
async def every_register_has_its_reset_value(bench: CheckBench) -> None:
    """After reset each register reads as the table says, apart from what the link or the build decides."""
    for name, offset, register in _registers(bench):
        if register.name in _SET_BY_THE_BENCH and "." not in name:
            continue
        care = 0xFFFF_FFFF & ~register.volatile_mask
        bench.expect(await bench.device.read32(offset) & care, register.reset & care, name)


@check("registers")
async def every_register_takes_what_its_access_allows(bench: CheckBench) -> None:
    """Writable bits keep what is written, all others stay; write-only registers read zero."""
    for name, offset, register in _registers(bench):
        page = name.partition(".")[0] if "." in name else ""
        if register.name in _ACTIVE or _is_counter(register):
            continue
        await _check_access(bench, f"{page} {register.name}".strip(), offset, register)


async def _check_access(bench: CheckBench, name: str, offset: int, register: Register) -> None:
    writable = register.mask(Access.RW)
    before = await bench.device.read32(offset)
    for pattern in PATTERNS if writable else PATTERNS[:1]:
        bench.device.write32(offset, pattern)
        expected = before & ~writable | pattern & writable
        bench.expect(await bench.device.read32(offset), expected, f"{name} after writing 0x{pattern:x}")
    bench.device.write32(offset, before)


@check("registers")
async def unmapped_addresses_answer_with_an_error(bench: CheckBench) -> None:
    """Holes, queues that are not built and the end of the address space answer SLVERR; the bus goes on."""
    nic = bench.nic_1g
    holes = [regs.STATS_CTRL + 4, regs.EXACT_HI + regs.EXACT_STRIDE * regs.EXACT_ENTRIES, 0xFF_FFFC]
    holes += [regs.tx_page(0) + regs.QUEUE_PRODUCER + 4, regs.tx_page(nic.tx_queues), regs.rx_page(nic.rx_queues)]
    if nic.tx_queues < regs.MOST_QUEUES:
        holes.append(regs.tx_doorbell(nic.tx_queues))
    for offset in holes:
        try:
            value = await bench.device.read32(offset)
        except BusError:
            continue
        raise CheckFailed(f"0x{offset:x} is unmapped and read 0x{value:x}")
    bench.device.write32(holes[0], 1)
    bench.expect(await bench.device.read32(regs.ID), regs.ID_VALUE, "ID after a write to a hole")


@check("registers")
async def configuration_is_locked_while_a_queue_is_enabled(bench: CheckBench) -> None:
    """Locked registers ignore writes outside of state disabled; moderation may be changed at any time."""
    for direction, page, table in (
        (Direction.TX, regs.tx_page(0), TX_PAGE),
        (Direction.RX, regs.rx_page(0), RX_PAGE),
    ):
        await bench.enable(direction)
        for register in table:
            before = await bench.device.read32(page + register.offset)
            if register.locked:
                bench.device.write32(page + register.offset, ~before & 0xFFFF_FFFF)
                bench.expect(await bench.device.read32(page + register.offset), before, register.name)
        bench.device.write32(page + regs.QUEUE_MOD_COUNT, 7)
        bench.expect(await bench.device.read32(page + regs.QUEUE_MOD_COUNT), 7, "MOD_COUNT")


@check("registers")
async def soft_reset_restores_all_but_scratch(bench: CheckBench) -> None:
    """Soft reset puts configuration back and keeps SCRATCH and the counters."""
    await bench.enable(Direction.RX)
    bench.nic.post_rx(0, 1)
    bench.peer.send(bench.frame(60))
    await bench.completions(Direction.RX, 1)
    bench.device.write32(regs.SCRATCH, 0xCAFE)
    bench.device.write32(regs.MAX_FRAME, 9018)
    bench.device.write32(regs.exact_hi(31), regs.EXACT_HI_VALID)
    bench.device.write32(regs.CTRL, regs.CTRL_SOFT_RESET)
    await bench.nic_1g.wait_for(regs.CTRL, regs.CTRL_SOFT_RESET, 0)
    read = bench.device.read32
    bench.expect(await read(regs.SCRATCH), 0xCAFE, "SCRATCH")
    bench.expect(await read(regs.MAX_FRAME), 1518, "MAX_FRAME")
    bench.expect(await read(regs.exact_hi(31)), 0, "the last exact entry")
    bench.expect(await read(regs.CTRL), 0, "CTRL")
    bench.expect(await read(regs.rx_page(0) + regs.QUEUE_RING_SIZE), 0, "RING_SIZE")
    await bench.expect_counters(rx_delivered_frames=1)


@check("registers")
async def pending_writes_reach_the_device_before_a_read(bench: CheckBench) -> None:
    """A read sees every write that was posted before it."""
    for value in range(8):
        bench.device.write32(regs.SCRATCH, value)
    bench.expect(await bench.device.read32(regs.SCRATCH), 7, "SCRATCH")
