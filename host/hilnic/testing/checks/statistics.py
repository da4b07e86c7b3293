# SPDX-License-Identifier: Apache-2.0
"""The counters: what each counts, the identities, 64 bits, clearing."""

from hilnic.hw import regs
from hilnic.hw.regs import RxCounter
from hilnic.hw.regs_table import RX_COUNTER_NAMES, TX_COUNTER_NAMES
from hilnic.testing.conformance import CheckBench, check, drops
from hilnic.testing.nic_adapter import Direction
from hilnic.wire.link import WireFrame

SIZES = (60, 61, 123, 124, 251, 252, 507, 508, 1019, 1020, 1514)
DESTINATIONS = (b"\x02\0\0\0\0\1", b"\xff" * 6, b"\x01\0\x5e\0\0\1")


@check()
async def tx_counters_tell_sizes_and_classes(bench: CheckBench) -> None:
    """Frames and octets by class, sizes by bin, all of them exact."""
    await bench.enable(Direction.TX, size=64)
    for number, size in enumerate(SIZES):
        bench.nic.post_tx(0, [bench.frame(size, DESTINATIONS[number % 3])])
    await bench.completions(Direction.TX, len(SIZES))
    await bench.expect_counters(tx_frames=11, tx_octets=sum(SIZES) + 44)
    for number, name in enumerate(("unicast", "broadcast", "multicast")):
        sizes = SIZES[number::3]
        await bench.expect_counters(**{f"tx_{name}_frames": len(sizes), f"tx_{name}_octets": sum(sizes)})
    bins = {"64": 1, "65_127": 2, "128_255": 2, "256_511": 2, "512_1023": 2, "1024_1518": 2, "1519_max": 0}
    await bench.expect_counters(**{f"tx_pkts_{name}": count for name, count in bins.items()})


@check()
async def rx_counters_tell_sizes_and_classes(bench: CheckBench) -> None:
    """Frames and octets by class, sizes by bin, all of them exact."""
    await bench.enable(Direction.RX, size=64)
    bench.nic.post_rx(0, len(SIZES))
    for number, size in enumerate(SIZES):
        bench.peer.send(bench.frame(size, DESTINATIONS[number % 3]))
    await bench.completions(Direction.RX, len(SIZES))
    await bench.expect_counters(rx_wire_frames=11, rx_wire_octets=sum(SIZES) + 44)
    await bench.expect_counters(rx_delivered_frames=11, rx_delivered_octets=sum(SIZES))
    for number, name in enumerate(("unicast", "broadcast", "multicast")):
        sizes = SIZES[number::3]
        await bench.expect_counters(**{f"rx_{name}_frames": len(sizes), f"rx_{name}_octets": sum(sizes)})
    bins = {"64": 1, "65_127": 2, "128_255": 2, "256_511": 2, "512_1023": 2, "1024_1518": 2, "1519_max": 0}
    await bench.expect_counters(**{f"rx_pkts_{name}": count for name, count in bins.items()})


async def all_counters(bench: CheckBench) -> dict[str, int]:
    """Every counter by name."""
    names = [f"tx.{name}" for name in TX_COUNTER_NAMES] + [f"rx.{name}" for name in RX_COUNTER_NAMES]
    return {name: await bench.nic.counter(name) for name in names}


def expect_conservation(bench: CheckBench, counters: dict[str, int], taken: int) -> None:
    """The identities of docs/nic.md section 4."""
    tx = {name: value for name, value in counters.items() if name.startswith("tx.")}
    rx = {name: value for name, value in counters.items() if name.startswith("rx.")}
    bench.expect(tx["tx.frames"] + tx["tx.loopback_frames"] + drops(tx), taken, "TX frames taken from rings")
    bench.expect(rx["rx.delivered_frames"] + drops(rx), rx["rx.wire_frames"], "delivered and dropped, wire frames")


@check()
async def every_frame_is_counted_exactly_once(bench: CheckBench) -> None:
    """Under mixed traffic the sums hold: wire = delivered + drops, taken = sent + drops."""
    await bench.enable(Direction.TX, size=64)
    await bench.enable(Direction.RX, size=64, buf_size=128)
    bench.nic.post_rx(0, 40)
    for _ in range(30):
        bench.nic.post_tx(0, [bench.frame(bench.random.randrange(60, 200))])
        fcs_ok, error = bench.random.random() > 0.2, bench.random.random() < 0.1
        bench.peer.send(WireFrame(bench.frame(bench.random.randrange(40, 400)), fcs_ok=fcs_ok, error=error))
    await bench.completions(Direction.TX, 30)
    await bench.settle(60_000)
    await bench.nic.disable(Direction.RX, 0)
    await bench.settle()
    expect_conservation(bench, await all_counters(bench), taken=30)


@check("registers")
async def counters_are_64_bits_wide_and_latch(bench: CheckBench) -> None:
    """A carry passes from the low to the high word; reading the low word holds the high one."""
    offset = regs.rx_counter(RxCounter.MISSING_SFD)
    bench.device.write32(offset, 0xFFFF_FFFF)
    bench.device.write32(offset + 4, 6)
    low = await bench.device.read32(offset)
    bench.peer.send(WireFrame(b"", preamble=9, sfd=False, raw=True))
    await bench.settle(3000)
    high = await bench.device.read32(offset + 4)
    bench.expect((low, high), (0xFFFF_FFFF, 6), "latched before the event")
    bench.expect(await bench.nic.counter("rx.missing_sfd"), 7 << 32, "after the carry")


@check("registers")
async def clearing_zeroes_every_counter(bench: CheckBench) -> None:
    """STATS_CTRL.clear ends by itself and leaves zero everywhere."""
    await bench.enable(Direction.TX)
    bench.nic.post_tx(0, [bench.frame(60)])
    await bench.completions(Direction.TX, 1)
    bench.device.write32(regs.STATS_CTRL, regs.STATS_CTRL_CLEAR)
    await bench.nic_1g.wait_for(regs.STATS_CTRL, regs.STATS_CTRL_CLEAR, 0)
    bench.expect({n: v for n, v in (await all_counters(bench)).items() if v}, {}, "counters that are not zero")
