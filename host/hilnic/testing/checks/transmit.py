# SPDX-License-Identifier: Apache-2.0
"""Frames from rings to the wire: lengths, pieces, alignments, ring wrap, malformed descriptors, several queues."""

from itertools import pairwise

from hilnic.hw import regs
from hilnic.hw.descriptors import TX_DESCRIPTOR_RESERVED, TxDescriptor
from hilnic.hw.regs import Cause, QueueState
from hilnic.testing.conformance import CheckBench, check
from hilnic.testing.nic_adapter import Direction
from hilnic.wire.ethernet import padded
from hilnic.wire.fcs import fcs

LENGTHS = (14, 15, 59, 60, 61, 64, 65, 127, 128, 511, 1513, 1514)
NEAR_WRAP = 0xFFFF_FFFD
U32 = 0xFFFF_FFFF


async def _send(bench: CheckBench, frames: list[list[bytes]], offset: int = 0) -> None:
    """Send frames (as pieces) through queue 0 and compare wire and completions."""
    bench.peer.frames.clear()
    for pieces in frames:
        bench.nic.post_tx(0, pieces, offset=offset)
    done = await bench.completions(Direction.TX, len(frames))
    bench.expect([(d.ok, d.cause) for d in done], [(True, 0)] * len(frames), "verdicts")
    bench.expect([d.length for d in done], [sum(map(len, pieces)) for pieces in frames], "lengths")
    bench.expect(await bench.sent(len(frames)), [padded(b"".join(pieces)) for pieces in frames], "frames on the wire")
    bench.expect([f.fcs_ok and not f.error for f in bench.peer.frames], [True] * len(frames), "FCS")


@check()
async def tx_sends_every_length(bench: CheckBench) -> None:
    """Frames of 14 to 1514 bytes reach the wire, zero-padded to 60, with a right FCS."""
    await bench.enable(Direction.TX)
    await _send(bench, [[bench.frame(length)] for length in LENGTHS])


@check()
async def tx_gathers_pieces_of_any_alignment_and_length(bench: CheckBench) -> None:
    """One to seven pieces, each at any of eight alignments, make one frame."""
    await bench.enable(Direction.TX, size=64)
    for offset in range(8):
        frame = bench.frame(bench.random.randrange(60, 300))
        cuts = sorted(bench.random.sample(range(1, len(frame)), offset % 7))
        pieces = [frame[a:b] for a, b in zip([0, *cuts], [*cuts, len(frame)], strict=True)]
        await _send(bench, [pieces, [frame[:1], frame[1:2], frame[2:14], frame[14:]]], offset)


@check()
async def tx_crosses_page_boundaries(bench: CheckBench) -> None:
    """A piece that lies across 4 KiB is read whole."""
    await bench.enable(Direction.TX)
    for offset in (4096 - 100, 4096 - 1, 4096 - 64 - 3):
        await _send(bench, [[bench.frame(1000)]], offset)


@check()
async def tx_wraps_at_two_to_the_32(bench: CheckBench) -> None:
    """Rings of 2 to 64 run over the wrap of their indices and over several laps, in order."""
    for size in (2, 4, 16, 64):
        await bench.enable(Direction.TX, size=size, start=NEAR_WRAP, cpl_start=NEAR_WRAP - 3)
        index = NEAR_WRAP
        for _ in range(3):
            frames = [bench.frame(60 + bench.random.randrange(8)) for _ in range(min(size, 8))]
            bench.peer.frames.clear()
            for frame in frames:
                bench.nic.post_tx(0, [frame])
            done = await bench.completions(Direction.TX, len(frames))
            bench.expect([d.index for d in done], [(index + i + 1) & U32 for i in range(len(frames))], "indices")
            bench.expect(await bench.sent(len(frames)), frames, f"frames of a ring of {size}")
            index += len(frames)
        await bench.nic.disable(Direction.TX, 0)


@check()
async def tx_uses_the_whole_ring(bench: CheckBench) -> None:
    """A ring may be full: as many descriptors as entries are outstanding at once."""
    for size in (2, 8, 32):
        await bench.enable(Direction.TX, size=size, cpl_size=64)
        await _send(bench, [[bench.frame(61)] for _ in range(size)])
        await _send(bench, [[bench.frame(64)[i : i + 64 // size] for i in range(0, 64, 64 // size)]])
        await bench.nic.disable(Direction.TX, 0)


@check("registers")
async def tx_queues_take_turns(bench: CheckBench) -> None:
    """Queues that all have frames send one each in turn, and each keeps its order."""
    count, queues = 6, range(bench.nic.tx_queues)
    bench.device.write32(regs.CTRL, 0)
    frames = {n: [bench.frame(60 + n) for _ in range(count)] for n in queues}
    for number in queues:
        await bench.enable(Direction.TX, number=number)
        for frame in frames[number]:
            bench.nic.post_tx(number, [frame])
    await bench.settle()
    bench.device.write32(regs.CTRL, regs.CTRL_TX_ENABLE)
    for number in queues:
        await bench.completions(Direction.TX, count, number=number)
    sent = await bench.sent(count * len(queues))
    for number in queues:
        bench.expect([f for f in sent if len(f) == 60 + number], frames[number], f"frames of queue {number}")
    turns = [sorted(len(f) - 60 for f in sent[i : i + len(queues)]) for i in range(0, len(sent), len(queues))]
    bench.expect(turns, [list(queues)] * count, "turns")


@check("registers")
async def tx_enable_off_holds_frames_back(bench: CheckBench) -> None:
    """Without tx_enable no frame is started; with it they go."""
    await bench.enable(Direction.TX)
    bench.device.write32(regs.CTRL, regs.CTRL_RX_ENABLE)
    bench.nic.post_tx(0, [bench.frame(60)])
    await bench.settle()
    bench.expect(bench.peer.frames, [], "frames on the wire")
    bench.device.write32(regs.CTRL, regs.CTRL_TX_ENABLE)
    await bench.completions(Direction.TX, 1)


@check("registers")
async def tx_keeps_to_the_longest_frame(bench: CheckBench) -> None:
    """1514 bytes go, 1518 when tagged; one more is cause 6; MAX_FRAME moves the limit."""
    await bench.enable(Direction.TX)
    tag = bytes.fromhex("81000001")
    plain, longer = bench.frame(1514), bench.frame(1515)
    tagged = plain[:12] + tag + plain[12:]
    cases = [(plain, Cause.NONE), (longer, Cause.TOO_LONG), (tagged, Cause.NONE), (tagged + b"x", Cause.TOO_LONG)]
    for frame, _ in cases:
        bench.nic.post_tx(0, [frame[:700], frame[700:]])
    done = await bench.completions(Direction.TX, 4)
    bench.expect([d.cause for d in done], [cause for _, cause in cases], "causes")
    bench.expect(await bench.sent(2), [plain, tagged], "frames on the wire")
    bench.device.write32(regs.MAX_FRAME, 9018)
    jumbo = bench.frame(9014)
    bench.nic.post_tx(0, [jumbo[:4000], jumbo[4000:]])
    await bench.completions(Direction.TX, 1)
    bench.expect((await bench.sent(3))[2], jumbo, "a jumbo frame")


Raw = list[tuple[TxDescriptor, int]]  # descriptor, reserved bits to set


def _malformed(length: int = 60) -> dict[Cause, Raw]:
    """For each cause the descriptors of a frame that has it; the addresses are filled in later."""
    one = TxDescriptor(0, length, sop=True, eop=True)
    reserved = TX_DESCRIPTOR_RESERVED & -TX_DESCRIPTOR_RESERVED
    return {
        Cause.ZERO_LENGTH: [
            (TxDescriptor(0, 20, sop=True), 0),
            (TxDescriptor(0, 0), 0),
            (TxDescriptor(0, 40, eop=True), 0),
        ],
        Cause.RESERVED_BITS: [(one, reserved)],
        Cause.BAD_KIND: [(TxDescriptor(0, length, sop=True, eop=True, kind=1), 0)],
        Cause.NO_EOP: [(TxDescriptor(0, 10, sop=i == 0), 0) for i in range(8)],
        Cause.TOO_SHORT: [(TxDescriptor(0, 13, sop=True, eop=True), 0)],
        Cause.TOO_LONG: [(TxDescriptor(0, 1500, sop=True), 0), (TxDescriptor(0, 1500, eop=True), 0)],
        Cause.BAD_SOP: [(TxDescriptor(0, 30, sop=True), 0), (TxDescriptor(0, 30, sop=True, eop=True), 0)],
    }


def post_raw(bench: CheckBench, frame: Raw) -> None:
    """Post descriptors as they are, with memory behind them."""
    nic = bench.nic_1g
    for descriptor, reserved in frame:
        address = nic.place(Direction.TX, 0, bytes(max(descriptor.length, 1)))
        kinds = (descriptor.sop, descriptor.eop, descriptor.kind)
        word = int.from_bytes(TxDescriptor(address, descriptor.length, *kinds).pack(), "little") | reserved
        nic.post(Direction.TX, 0, word.to_bytes(16, "little"))
    nic.ring(Direction.TX, 0)


@check("registers")
async def tx_refuses_malformed_frames_one_by_one(bench: CheckBench) -> None:
    """Each has an error completion past its last descriptor and nothing on the wire, and the queue goes on."""
    await bench.enable(Direction.TX, size=8)
    total = 0
    for cause, descriptors in _malformed().items():
        post_raw(bench, descriptors)
        total = (total + len(descriptors)) & U32
        (done,) = await bench.completions(Direction.TX, 1)
        bench.expect((done.ok, done.cause, done.index), (False, cause, total), f"completion for {cause.name}")
        good = bench.frame(60 + cause)
        bench.nic.post_tx(0, [good])
        await bench.completions(Direction.TX, 1)
        total += 1
        bench.expect((await bench.sent(1)), [good], f"the wire after {cause.name}")
        bench.peer.frames.clear()
    await bench.expect_counters(tx_drop_malformed=len(_malformed()), tx_frames=len(_malformed()))


@check("registers")
async def tx_judges_descriptors_in_the_order_of_the_datasheet(bench: CheckBench) -> None:
    """Of several faults the first descriptor's decides, in one descriptor the order 1, 2, 3, 7."""
    await bench.enable(Direction.TX, size=16)
    reserved = TX_DESCRIPTOR_RESERVED & -TX_DESCRIPTOR_RESERVED
    cases: list[tuple[Raw, Cause]] = [
        ([(TxDescriptor(0, 0, eop=True, kind=9), reserved)], Cause.ZERO_LENGTH),
        ([(TxDescriptor(0, 5, eop=True, kind=9), reserved)], Cause.RESERVED_BITS),
        ([(TxDescriptor(0, 5, eop=True, kind=9), 0)], Cause.BAD_KIND),
        ([(TxDescriptor(0, 5, eop=True), 0)], Cause.BAD_SOP),
        ([(TxDescriptor(0, 5, sop=True, kind=2), 0), (TxDescriptor(0, 0, eop=True), 0)], Cause.BAD_KIND),
    ]
    for frame, _ in cases:
        post_raw(bench, frame)
    done = await bench.completions(Direction.TX, len(cases))
    bench.expect([d.cause for d in done], [cause for _, cause in cases], "causes")


@check("registers")
async def tx_waits_for_the_rest_of_a_frame(bench: CheckBench) -> None:
    """A producer short of the EOP makes the frame wait; disabling ends it with cause 4."""
    await bench.enable(Direction.TX)
    post_raw(bench, [(TxDescriptor(0, 30, sop=True), 0)])
    await bench.settle()
    bench.expect(bench.nic.poll(Direction.TX, 0), [], "completions of half a frame")
    post_raw(bench, [(TxDescriptor(0, 30, eop=True), 0)])
    await bench.completions(Direction.TX, 1)
    post_raw(bench, [(TxDescriptor(0, 30, sop=True), 0)])
    await bench.settle(3000)
    bench.expect(await bench.nic.disable(Direction.TX, 0), 3, "CONSUMED")
    done = bench.nic.poll(Direction.TX, 0)
    bench.expect([(d.cause, d.index) for d in done], [(Cause.NO_EOP, 3)], "completion of half a frame")


@check("registers")
async def tx_host_fcs_sends_the_frame_as_it_is(bench: CheckBench) -> None:
    """With host_fcs neither padding nor FCS is added; the next frame without it is ordinary."""
    await bench.enable(Direction.TX)
    config = await bench.device.read32(regs.MAC_CFG)
    bench.device.write32(regs.MAC_CFG, config | regs.MAC_CFG_HOST_FCS)
    frame = bench.frame(70)
    for check_sequence in (fcs(frame), b"four"):
        bench.nic.post_tx(0, [frame + check_sequence])
    await bench.completions(Direction.TX, 2)
    bench.expect(await bench.sent(2), [frame, frame], "frames on the wire")
    bench.expect([f.fcs_ok for f in bench.peer.frames], [True, False], "FCS")
    bench.device.write32(regs.MAC_CFG, config)
    bench.nic.post_tx(0, [frame])
    bench.expect((await bench.sent(3))[2], frame, "the next frame")
    bench.expect(bench.peer.frames[2].fcs_ok, True, "its FCS")


@check("registers")
async def tx_keeps_the_inter_frame_gap(bench: CheckBench) -> None:
    """Back-to-back frames are never closer than the programmed gap."""
    await bench.enable(Direction.TX, size=16)
    for gap in (12, 20, 8):
        bench.device.write32(regs.MAC_CFG, gap)
        bench.peer.frames.clear()
        for _ in range(6):
            bench.nic.post_tx(0, [bench.frame(60)])
        await bench.completions(Direction.TX, 6)
        await bench.sent(6)
        starts = [frame.time_ns for frame in bench.peer.frames]
        distances = [b - a for a, b in pairwise(starts)]
        shortest = 8 * (8 + 64 + gap)
        bench.expect(min(distances) >= shortest - 1, True, f"distances {distances} with a gap of {gap}")


@check("registers")
async def tx_state_is_readable_while_enabled(bench: CheckBench) -> None:
    """PRODUCER, CONSUMED and CPL_PRODUCED follow the queue."""
    await bench.enable(Direction.TX, start=100, cpl_start=200)
    for _ in range(3):
        bench.nic.post_tx(0, [bench.frame(60)])
    await bench.completions(Direction.TX, 3)
    await bench.settle(2000)
    page = regs.tx_page(0)
    offsets = (regs.QUEUE_PRODUCER, regs.QUEUE_CONSUMED, regs.QUEUE_CPL_PRODUCED)
    found = [await bench.device.read32(page + offset) for offset in offsets]
    bench.expect(found, [103, 103, 203], "producer, consumed, completions")
    bench.expect((await bench.nic_1g.state(Direction.TX, 0))[0], QueueState.ENABLED, "state")
