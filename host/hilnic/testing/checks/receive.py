# SPDX-License-Identifier: Apache-2.0
"""Frames from the wire to buffers: lengths, several buffers, ring wrap, waiting and dropping, bad frames."""

from hilnic.hw import regs
from hilnic.hw.regs import Cause
from hilnic.testing.conformance import CheckBench, check
from hilnic.testing.nic_adapter import Direction, Done
from hilnic.wire.fcs import fcs
from hilnic.wire.link import WireFrame

NEAR_WRAP = 0xFFFF_FFFD
U32 = 0xFFFF_FFFF


def _whole(done: list[Done]) -> list[bytes]:
    """Buffers joined to frames at EOP."""
    frames, parts = [], b""
    for part in done:
        parts += part.data
        if part.eop:
            frames.append(parts)
            parts = b""
    return frames


@check()
async def rx_delivers_every_length(bench: CheckBench) -> None:
    """Frames of 60 to 1514 bytes arrive without FCS, each in one buffer that is long enough."""
    await bench.enable(Direction.RX)
    bench.nic.post_rx(0, 16)
    frames = [bench.frame(n) for n in (60, 61, 63, 64, 65, 127, 128, 255, 511, 1023, 1513, 1514)]
    for frame in frames:
        bench.peer.send(frame)
    done = await bench.completions(Direction.RX, len(frames))
    bench.expect([d.data for d in done], frames, "frames")
    shape = [(d.ok, d.sop, d.eop, d.cause, d.loopback, d.frame_length) for d in done]
    bench.expect(shape, [(True, True, True, 0, False, len(f)) for f in frames], "completions")


@check()
async def rx_writes_to_buffers_of_any_alignment(bench: CheckBench) -> None:
    """Buffers begin at any byte; nothing beside the frame is written (the memory checks)."""
    await bench.enable(Direction.RX, buf_size=256)
    for offset in range(8):
        bench.nic.post_rx(0, 1, offset=offset)
        frame = bench.frame(60 + bench.random.randrange(190))
        bench.peer.send(frame)
        (done,) = await bench.completions(Direction.RX, 1)
        bench.expect(done.data, frame, f"frame at offset {offset}")


@check()
async def rx_spreads_a_frame_over_buffers(bench: CheckBench) -> None:
    """A long frame fills buffers in order; SOP and EOP mark its ends, each buffer has its own length."""
    await bench.enable(Direction.RX, size=32, buf_size=64)
    bench.nic.post_rx(0, 32, offset=3)
    for length in (64, 65, 128, 200, 700):
        frame = bench.frame(length)
        bench.peer.send(frame)
        parts = await bench.completions(Direction.RX, -(-length // 64))
        bench.expect(_whole(parts), [frame], f"a frame of {length} bytes")
        bench.expect([d.sop for d in parts], [i == 0 for i in range(len(parts))], "SOP")
        bench.expect([d.eop for d in parts], [i == len(parts) - 1 for i in range(len(parts))], "EOP")
        bench.expect({d.frame_length for d in parts}, {length}, "frame_length")


@check()
async def rx_wraps_at_two_to_the_32(bench: CheckBench) -> None:
    """Rings of 2 to 64 run over the wrap of their indices and over several laps, in order."""
    for size in (2, 4, 16, 64):
        await bench.enable(Direction.RX, size=size, start=NEAR_WRAP, cpl_start=NEAR_WRAP - 3)
        index = NEAR_WRAP
        for _ in range(3):
            count = min(size, 8)
            bench.nic.post_rx(0, count)
            frames = [bench.frame(60 + bench.random.randrange(40)) for _ in range(count)]
            for frame in frames:
                bench.peer.send(frame)
            done = await bench.completions(Direction.RX, count)
            bench.expect([d.data for d in done], frames, f"frames of a ring of {size}")
            bench.expect([d.index for d in done], [(index + i + 1) & U32 for i in range(count)], "indices")
            index += count
        await bench.nic.disable(Direction.RX, 0)


@check()
async def rx_waits_for_descriptors(bench: CheckBench) -> None:
    """Frames wait in the frame buffer while nothing is posted; none is lost, the order stays."""
    await bench.enable(Direction.RX)
    frames = [bench.frame(100 + i) for i in range(6)]
    for frame in frames:
        bench.peer.send(frame)
    await bench.settle(20_000)
    bench.expect(bench.nic.poll(Direction.RX, 0), [], "completions without descriptors")
    for _ in frames:
        bench.nic.post_rx(0, 1)
    done = await bench.completions(Direction.RX, len(frames))
    bench.expect([d.data for d in done], frames, "frames")


@check()
async def rx_never_writes_part_of_a_frame(bench: CheckBench) -> None:
    """A frame is begun only when descriptors for all of it are posted."""
    await bench.enable(Direction.RX, buf_size=64)
    bench.nic.post_rx(0, 3)
    frame = bench.frame(250)
    bench.peer.send(frame)
    await bench.settle(20_000)
    bench.expect(bench.nic.poll(Direction.RX, 0), [], "completions before the fourth buffer")
    bench.nic.post_rx(0, 1)
    bench.expect(_whole(await bench.completions(Direction.RX, 4)), [frame], "the frame")


@check()
async def rx_drops_and_counts_when_the_buffer_fills(bench: CheckBench) -> None:
    """Without descriptors the frame buffer fills, then frames are dropped whole; every frame is accounted for."""
    await bench.enable(Direction.RX, size=32)
    frames = [bench.frame(1514) for _ in range(30)]
    for frame in frames:
        bench.peer.send(frame)
    await bench.settle(30 * 12_500)
    bench.nic.post_rx(0, 30)
    await bench.settle(40_000)
    done = bench.nic.poll(Direction.RX, 0)
    kept = [d.data for d in done]
    bench.expect([f for f in frames if f in kept], kept, "order of the frames that were kept")
    dropped = await bench.nic.counter("rx.drop_no_descriptor") + await bench.nic.counter("rx.drop_buffer_full")
    bench.expect((len(kept) + dropped, 0 < dropped < 30), (30, True), "kept and dropped")
    await bench.expect_counters(rx_wire_frames=30, rx_delivered_frames=len(kept))


@check()
async def rx_drops_frames_of_a_queue_that_is_off(bench: CheckBench) -> None:
    """A frame for a queue that is not enabled is dropped and counted; later ones arrive."""
    bench.peer.send(bench.frame(60))
    await bench.settle()
    await bench.enable(Direction.RX)
    bench.nic.post_rx(0, 1)
    frame = bench.frame(61)
    bench.peer.send(frame)
    (done,) = await bench.completions(Direction.RX, 1)
    bench.expect(done.data, frame, "the frame after enable")
    await bench.expect_counters(rx_drop_queue_off=1, rx_wire_frames=2)


def bad_frames(bench: CheckBench) -> list[tuple[WireFrame, Cause, str, str]]:
    """Frame, cause in pass-bad mode, drop counter, class counter."""
    return [
        (WireFrame(bench.frame(60), fcs_ok=False), Cause.FCS_ERROR, "fcs", "crc_align_errors"),
        (WireFrame(bench.frame(100), error=True), Cause.RX_ER, "rx_er", "pkts_65_127"),
        (WireFrame(bench.frame(59)), Cause.RUNT, "runt", "undersize"),
        (WireFrame(bench.frame(20), fcs_ok=False), Cause.RUNT, "runt", "fragments"),
        (WireFrame(bench.frame(1515)), Cause.OVERSIZE, "oversize", "oversize_good"),
        (WireFrame(bench.frame(1600), fcs_ok=False), Cause.OVERSIZE, "oversize", "jabbers"),
    ]


@check()
async def rx_drops_and_counts_bad_frames(bench: CheckBench) -> None:
    """Bad FCS, rx_er, runts and oversize frames are dropped, each counted once as a drop and once in its class."""
    await bench.enable(Direction.RX)
    bench.nic.post_rx(0, 8)
    cases = bad_frames(bench)
    for frame, *_ in cases:
        bench.peer.send(frame)
    good = bench.frame(60)
    bench.peer.send(good)
    done = await bench.completions(Direction.RX, 1)
    bench.expect([d.data for d in done], [good], "frames delivered")
    expected: dict[str, int] = {"rx_wire_frames": len(cases) + 1, "rx_delivered_frames": 1, "rx_pkts_64": 2}
    for _, _, drop, kind in cases:
        for name in (f"rx_drop_{drop}", f"rx_{kind}"):
            expected[name] = expected.get(name, 0) + 1
    await bench.expect_counters(**expected)


@check("registers")
async def rx_pass_bad_delivers_bad_frames_with_their_cause(bench: CheckBench) -> None:
    """In pass-bad mode bad frames come with error and cause; what has no 14 bytes is dropped still."""
    await bench.enable(Direction.RX)
    bench.nic.post_rx(0, 16)
    config = await bench.device.read32(regs.MAC_CFG)
    bench.device.write32(regs.MAC_CFG, config | regs.MAC_CFG_PASS_BAD)
    await bench.device.read32(regs.MAC_CFG)
    cases = bad_frames(bench)
    for frame, *_ in cases:
        bench.peer.send(frame)
    bench.peer.send(WireFrame(bench.frame(13)))
    done = await bench.completions(Direction.RX, len(cases))
    bench.expect([(d.ok, d.cause) for d in done], [(False, cause) for _, cause, *_ in cases], "verdicts")
    bench.expect([d.data for d in done], [frame.data[:1514] for frame, *_ in cases], "data")
    await bench.settle()
    await bench.expect_counters(rx_drop_runt=1, rx_delivered_frames=len(cases), rx_drop_fcs=0)


@check("registers")
async def rx_keep_fcs_delivers_the_fcs(bench: CheckBench) -> None:
    """With keep_fcs the four octets follow the data."""
    await bench.enable(Direction.RX)
    bench.nic.post_rx(0, 2)
    config = await bench.device.read32(regs.MAC_CFG)
    bench.device.write32(regs.MAC_CFG, config | regs.MAC_CFG_KEEP_FCS)
    await bench.device.read32(regs.MAC_CFG)
    await bench.settle(2000)
    frame = bench.frame(77)
    bench.peer.send(frame)
    (done,) = await bench.completions(Direction.RX, 1)
    bench.expect(done.data, frame + fcs(frame), "data")
    bench.expect(done.length, 81, "length")


@check("registers")
async def rx_takes_tagged_and_jumbo_frames(bench: CheckBench) -> None:
    """A tag makes the longest frame four octets longer; MAX_FRAME 9018 lets jumbo frames in."""
    await bench.enable(Direction.RX, buf_size=16384)
    bench.nic.post_rx(0, 4)
    frame = bench.frame(1514)
    tagged = frame[:12] + bytes.fromhex("88a80064") + frame[12:]
    bench.peer.send(tagged)
    (done,) = await bench.completions(Direction.RX, 1)
    bench.expect(done.data, tagged, "a tagged frame")
    bench.device.write32(regs.MAX_FRAME, 9018)
    await bench.device.read32(regs.MAX_FRAME)
    await bench.settle(2000)
    jumbo = bench.frame(9014)
    bench.peer.send(jumbo)
    (done,) = await bench.completions(Direction.RX, 1)
    bench.expect(done.data, jumbo, "a jumbo frame")


@check()
async def rx_counts_length_field_errors_and_delivers(bench: CheckBench) -> None:
    """A length field against the data, or between 1501 and 1535, counts; the frame is good all the same."""
    await bench.enable(Direction.RX)
    bench.nic.post_rx(0, 5)
    header = bench.frame(12)
    lengths = ((46, 46), (10, 46), (47, 46), (20, 60), (1520, 46))  # length field, data
    frames = [header + field.to_bytes(2, "big") + bytes(data) for field, data in lengths]
    for frame in frames:
        bench.peer.send(frame)
    done = await bench.completions(Direction.RX, len(frames))
    bench.expect([(d.ok, d.data) for d in done], [(True, frame) for frame in frames], "frames")
    await bench.expect_counters(rx_in_range_length_errors=2, rx_out_of_range_length=1)


@check()
async def rx_tolerates_odd_preambles_and_short_gaps(bench: CheckBench) -> None:
    """Preambles of 1 to 15 octets and gaps of 8 are fine; a carrier without SFD is counted and is no frame."""
    await bench.enable(Direction.RX)
    bench.nic.post_rx(0, 8)
    frames = [bench.frame(60 + n) for n in range(6)]
    for frame, preamble in zip(frames, (7, 1, 2, 15, 6, 8), strict=True):
        bench.peer.send(WireFrame(frame, preamble=preamble, ifg=8))
    bench.peer.send(WireFrame(b"", preamble=9, sfd=False, raw=True))
    done = await bench.completions(Direction.RX, len(frames))
    bench.expect([d.data for d in done], frames, "frames")
    await bench.settle(3000)
    await bench.expect_counters(rx_missing_sfd=1, rx_wire_frames=len(frames))


@check()
async def rx_counts_a_false_carrier(bench: CheckBench) -> None:
    """RX_ER without a carrier is counted, and is no frame."""
    bench.peer.send(WireFrame(b"", error=True, preamble=0, sfd=False, raw=True))
    await bench.settle(3000)
    await bench.expect_counters(rx_false_carrier=1, rx_wire_frames=0, rx_missing_sfd=0)


@check("registers")
async def rx_enable_off_drops_and_counts(bench: CheckBench) -> None:
    """Without rx_enable every wire frame is drop_disabled."""
    await bench.enable(Direction.RX)
    bench.nic.post_rx(0, 2)
    bench.device.write32(regs.CTRL, regs.CTRL_TX_ENABLE)
    await bench.device.read32(regs.CTRL)
    bench.peer.send(bench.frame(60))
    bench.peer.send(WireFrame(bench.frame(60), fcs_ok=False))
    await bench.settle()
    await bench.expect_counters(rx_drop_disabled=2, rx_wire_frames=2, rx_drop_fcs=0)
