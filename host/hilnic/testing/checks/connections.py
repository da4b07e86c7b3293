# SPDX-License-Identifier: Apache-2.0
"""Virtual connections: the table, tags, isolation, drain, reuse (docs/nic.md section 11)."""

from dataclasses import replace

from hilnic.hw import regs
from hilnic.hw.regs import Cause, VcState
from hilnic.testing.conformance import CheckBench, check
from hilnic.testing.nic_adapter import Direction, VcSetup
from hilnic.testing.vcs import counted, tagged, vlan_of

RING = 64
DEI = 1 << 12
"""Of the tag control information, beside the VLAN id."""


async def connect(bench: CheckBench, setup: VcSetup, *, size: int = RING) -> None:
    """Enable the queues of a VC, fill the receive ring, activate."""
    for direction in (Direction.TX, Direction.RX):
        await bench.enable(direction, number=setup.queue, size=size)
    bench.nic.post_rx(setup.queue, size)
    bench.expect(await bench.vcs.activate(setup), Cause.NONE, f"cause of {setup}")


@check("connections")
async def the_vc_table_is_as_large_as_it_says(bench: CheckBench) -> None:
    """FEATURES, NUM_VCS and the place of the pages are those of the contract, and the last page answers."""
    read = bench.device.read32
    bench.expect(bool(await read(regs.FEATURES) & regs.FEATURES_VIRTUAL_CONNECTIONS), True, "FEATURES bit 21")
    bench.expect(await read(regs.VC_PAGE_BASE), regs.VC_PAGES, "VC_PAGE_BASE")
    bench.expect(await read(regs.VC_PAGE_STRIDE), regs.VC_PAGE_BYTES, "VC_PAGE_STRIDE")
    last = await read(regs.NUM_VCS) - 1
    await connect(bench, VcSetup(last, vlan=4094, priority=7))
    bench.nic.post_tx(1, [frame := bench.frame(100)])
    bench.expect(await bench.sent(1), [tagged(frame, 4094, 7)], "a frame of the last VC")


@check("connections")
async def an_impossible_page_is_refused_and_changes_nothing(bench: CheckBench) -> None:
    """Causes 35, 37 and 36 in this order; state off; a refused change leaves an active VC as it was."""
    good = VcSetup(0, vlan=100, queue=1)
    bench.expect(await bench.vcs.activate(good), Cause.QUEUE_TAKEN, "queues that are not enabled")
    await connect(bench, good)
    impossible = (
        replace(good, vlan=0),
        replace(good, vlan=4095),
        replace(good, max_frame=63),
        replace(good, rate=100_000_000, burst=1521),
        replace(good, peak_rate=100_000_000, peak_burst=100),
        replace(good, queue=2047),
    )
    for setup in impossible:
        bench.expect(await bench.vcs.activate(replace(setup, number=1)), Cause.BAD_CONFIG, f"{setup}")
        bench.expect(await bench.vcs.activate(setup), Cause.BAD_CONFIG, f"{setup} of an active VC")
    for setup in (replace(good, vlan=101), replace(good, receives=False)):
        bench.expect(await bench.vcs.activate(setup), Cause.BAD_CONFIG, f"another identity, {setup}")
    bench.expect(await bench.vcs.activate(replace(good, number=1, vlan=101)), Cause.QUEUE_TAKEN, "its queues")
    for direction in (Direction.TX, Direction.RX):
        await bench.enable(direction, number=2)
    bench.expect(await bench.vcs.activate(replace(good, number=1, queue=2)), Cause.VID_TAKEN, "its VLAN id")
    bench.expect(await bench.vcs.state(1), (VcState.OFF, Cause.VID_TAKEN), "the VC that was refused")
    bench.expect((await bench.vcs.state(0))[0], VcState.ACTIVE, "the active VC")
    bench.nic.post_tx(1, [frame := bench.frame(60)])
    bench.expect(await bench.sent(1), [tagged(frame, 100)], "its frame")


@check("connections")
async def sent_frames_carry_the_tag(bench: CheckBench) -> None:
    """Every length, cut anywhere: 8100 and TCI behind the source address, then padding; completions count without."""
    tci = DEI | 0xABC
    await connect(bench, VcSetup(3, vlan=tci, priority=5))
    lengths = (14, 55, 56, 57, 60, 61, 62, 63, 64, 1000, 1513, 1514)
    frames = [bench.frame(length) for length in lengths]
    for number, frame in enumerate(frames):
        cut = 1 + number % 13
        bench.nic.post_tx(1, [frame[:cut], frame[cut:]], offset=number % 8)
    done = await bench.completions(Direction.TX, len(frames), number=1)
    bench.expect([(d.ok, d.length, d.frame_length) for d in done], [(True, n, n) for n in lengths], "completions")
    wire = [tagged(frame, tci, 5).ljust(60, b"\0") for frame in frames]
    bench.expect(await bench.sent(len(frames)), wire, "frames on the wire")
    await bench.expect_counters(tx_frames=len(frames), tx_octets=sum(map(counted, wire)))
    found = await bench.vcs.counters(3)
    bench.expect((found["tx_frames"], found["tx_octets"]), (len(frames), sum(map(counted, wire))), "the VC's counters")


@check("connections")
async def a_vc_keeps_to_its_longest_frame(bench: CheckBench) -> None:
    """MAX_FRAME - 8 bytes go, one more is cause 6; the MAC's own limit holds too; other queues keep theirs."""
    await connect(bench, VcSetup(0, max_frame=508))
    await connect(bench, VcSetup(1, vlan=101, queue=2, max_frame=9000))
    await bench.enable(Direction.TX, number=0)
    cases = [(1, 500, Cause.NONE), (1, 501, Cause.TOO_LONG), (2, 1514, Cause.NONE), (2, 1515, Cause.TOO_LONG)]
    for queue, length, cause in [*cases, (0, 1514, Cause.NONE)]:
        bench.nic.post_tx(queue, [bench.frame(length)])
        (done,) = await bench.completions(Direction.TX, 1, number=queue)
        bench.expect(done.cause, cause, f"cause of {length} bytes on queue {queue}")


@check("connections")
async def received_frames_lose_their_tag(bench: CheckBench) -> None:
    """A mapped VLAN id brings a frame to its VC's queue, the TCI in the completion, whatever the filter says."""
    await connect(bench, VcSetup(2, vlan=7))
    await bench.enable(Direction.RX, number=0, size=16)
    bench.nic.post_rx(0, 16)
    bench.device.write32(regs.RX_FILTER, 0)
    frames = [bench.frame(length) for length in (56, 57, 60, 100, 1514)]
    for frame in frames:
        bench.peer.send(tagged(frame, 7, 3))
    done = await bench.completions(Direction.RX, len(frames), number=1)
    bench.expect([d.data for d in done], frames, "frames of the VC")
    bench.expect([(d.vlan, d.frame_length) for d in done], [(3 << 13 | 7, len(f)) for f in frames], "TCI and lengths")
    found = await bench.vcs.counters(2)
    bench.expect((found["rx_frames"], found["rx_octets"]), (len(frames), sum(map(len, frames))), "the VC's counters")
    await bench.expect_counters(rx_delivered_frames=len(frames), rx_drop_filtered=0)


@check("connections")
async def other_frames_take_the_connectionless_way_unchanged(bench: CheckBench) -> None:
    """Untagged, unmapped, priority-tagged, another TPID, of a VC that only sends: to the default queue with the tag."""
    await connect(bench, VcSetup(0, vlan=7))
    await connect(bench, VcSetup(1, vlan=8, queue=2, receives=False))
    await bench.enable(Direction.RX, number=0, size=16)
    bench.nic.post_rx(0, 16)
    frame = bench.frame(80)
    service = frame[:12] + b"\x88\xa8\x00\x07" + frame[12:]
    others = [frame, tagged(frame, 9), tagged(frame, 0, 6), service, tagged(frame, 8), tagged(service, 10)]
    for other in others:
        bench.peer.send(other)
    done = await bench.completions(Direction.RX, len(others))
    bench.expect([d.data for d in done], others, "connectionless frames")
    bench.expect([d.vlan for d in done], [0] * len(others), "their TCI")
    bench.expect(bench.nic.poll(Direction.RX, 1) + bench.nic.poll(Direction.RX, 2), [], "frames of the VCs")


@check("connections")
async def vcs_do_not_mix(bench: CheckBench) -> None:
    """Frames of several VCs and of none, interleaved both ways: each arrives where it belongs, in order."""
    queues = range(1, min(bench.nic.tx_queues, bench.nic.rx_queues, 4))
    for queue in queues:
        await connect(bench, VcSetup(queue, vlan=10 * queue, queue=queue))
    for direction in (Direction.TX, Direction.RX):
        await bench.enable(direction, number=0, size=RING)
    bench.nic.post_rx(0, RING)
    came: dict[int, list[bytes]] = {queue: [] for queue in (0, *queues)}
    for _ in range(60):
        queue, frame = bench.random.choice((0, *queues)), bench.frame(bench.random.randrange(60, 400))
        came[queue].append(frame)
        bench.nic.post_tx(queue, [frame])
        bench.peer.send(tagged(frame, 10 * queue) if queue else frame)
    for queue, frames in came.items():
        done = await bench.completions(Direction.RX, len(frames), number=queue)
        bench.expect([d.data for d in done], frames, f"frames received by queue {queue}")
    sent = await bench.sent(60)
    for queue, frames in came.items():
        wire = [tagged(frame, 10 * queue) if queue else frame for frame in frames]
        bench.expect([f for f in sent if vlan_of(f) == 10 * queue], wire, f"frames sent by queue {queue}")


@check("connections")
async def a_vc_without_buffers_holds_up_nobody(bench: CheckBench) -> None:
    """Its frames are dropped and counted, those behind them arrive; rx_no_wait says the same of connectionless ones."""
    await connect(bench, VcSetup(0, vlan=7))
    for number in (2, 3):
        await bench.enable(Direction.RX, number=number)
    await bench.enable(Direction.TX, number=2)
    bench.expect(await bench.vcs.activate(VcSetup(1, vlan=8, queue=2)), Cause.NONE, "activation")
    frame = bench.frame(90)
    for _ in range(5):
        bench.peer.send(tagged(frame, 8))
    bench.peer.send(tagged(frame, 7))
    await bench.completions(Direction.RX, 1, number=1)
    bench.expect((await bench.vcs.counters(1))["rx_drops"], 5, "drops of the VC")
    await bench.expect_counters(rx_drop_no_descriptor=5)
    bench.device.write32(regs.RX_STEER, 3)
    bench.device.write32(regs.VC_SCHED, regs.VC_SCHED_RX_NO_WAIT | 2048)
    await bench.device.read32(regs.VC_SCHED)  # the writes are posted, the filter decides with the first word
    bench.peer.send(frame)
    bench.peer.send(tagged(frame, 7))
    await bench.completions(Direction.RX, 1, number=1)
    await bench.expect_counters(rx_drop_no_descriptor=6)


@check("connections")
async def looped_frames_are_tagged_and_mapped(bench: CheckBench) -> None:
    """The loop is behind the insertion: a VC hears itself without its tag."""
    await bench.nic.set_loopback(True)
    await connect(bench, VcSetup(0, vlan=7, priority=2))
    bench.nic.post_tx(1, [frame := bench.frame(200)])
    (done,) = await bench.completions(Direction.RX, 1, number=1)
    bench.expect((done.data, done.vlan, done.loopback), (frame, 2 << 13 | 7, True), "the looped frame")
    found = await bench.vcs.counters(0)
    bench.expect((found["tx_frames"], found["rx_frames"]), (1, 1), "its counters")


@check("connections")
async def deactivation_ends_what_has_begun_and_starts_nothing(bench: CheckBench) -> None:
    """In traffic: state off comes after the last completion, vc_off rises, nothing of the VC is seen afterwards."""
    await connect(bench, VcSetup(0, vlan=7))
    frames = [bench.frame(bench.random.randrange(60, 600)) for _ in range(RING)]
    for frame in frames:
        bench.nic.post_tx(1, [frame])
        bench.peer.send(tagged(frame, 7))
    await bench.settle(bench.random.randrange(6000, 20_000))
    await bench.vcs.deactivate(0)
    sent = bench.nic.poll(Direction.TX, 1)
    received = bench.nic.poll(Direction.RX, 1)
    causes = await bench.device.read32(regs.MISC_CAUSE)
    bench.expect(bool(causes & regs.MISC_CAUSE_VC_OFF), True, "MISC_CAUSE.vc_off")
    await bench.settle(60_000)
    bench.expect(bench.nic.poll(Direction.TX, 1) + bench.nic.poll(Direction.RX, 1), [], "late completions")
    bench.expect(bench.peer.data, [tagged(f, 7) for f in frames[: len(sent)]], "frames on the wire")
    bench.expect(len(sent) < RING, True, "something was left in the ring")
    bench.expect([d.data for d in received], frames[: len(received)], "frames received")
    found = await bench.vcs.counters(0)
    bench.expect((found["tx_frames"], found["rx_frames"]), (len(sent), len(received)), "counters after the end")


@check("connections")
async def what_is_stored_of_a_vc_is_delivered_before_it_is_off(bench: CheckBench) -> None:
    """Its frames lie in the receive buffer behind one that waits for a descriptor: off comes when they are written."""
    await connect(bench, VcSetup(0, vlan=7))
    await bench.enable(Direction.RX, number=0)
    bench.peer.send(bench.frame(80))
    frames = [bench.frame(90) for _ in range(5)]
    for frame in frames:
        bench.peer.send(tagged(frame, 7))
    await bench.settle(20_000)
    bench.expect(bench.nic.poll(Direction.RX, 1), [], "frames that have overtaken the one that waits")
    await bench.vcs.deactivate(0)
    bench.expect([done.data for done in bench.nic.poll(Direction.RX, 1)], frames, "frames received when it is off")


@check("connections")
async def what_is_left_in_the_ring_of_a_dead_vc_is_not_sent(bench: CheckBench) -> None:
    """Neither with a tag nor without, until its queue has been disabled and enabled again, and is connectionless."""
    await connect(bench, VcSetup(0, vlan=7))
    for _ in range(40):
        bench.nic.post_tx(1, [bench.frame(1514)])
    await bench.sent(1)
    await bench.vcs.deactivate(0)
    count = len(bench.peer.frames)
    bench.nic.post_tx(1, [bench.frame(60)])
    await bench.settle(60_000)
    bench.expect(len(bench.peer.frames), count, "frames on the wire")
    await bench.nic.disable(Direction.TX, 1)
    await bench.enable(Direction.TX, number=1)
    bench.nic.post_tx(1, [frame := bench.frame(60)])
    bench.expect((await bench.sent(count + 1))[-1], frame, "a frame of the queue's next life")


@check("connections")
async def an_entry_is_reused_with_frames_in_flight(bench: CheckBench) -> None:
    """One entry with another VLAN id and other queues, again and again in traffic: nobody gets another's frame."""
    await connect(bench, VcSetup(0, vlan=100, queue=1))
    old = VcSetup(0, vlan=100, queue=1)
    for life in range(1, 6):
        new = VcSetup(0, vlan=100 + life, queue=1 + life % 2)
        for number in range(12):
            frame = bench.frame(bench.random.randrange(60, 300))
            bench.nic.post_tx(old.queue, [frame])
            bench.peer.send(tagged(frame, old.vlan if number % 2 else new.vlan))
        await bench.settle(bench.random.randrange(1000, 9000))
        await bench.vcs.deactivate(0)
        for direction in (Direction.TX, Direction.RX):
            await bench.nic.disable(direction, old.queue)
        _expect_own(bench, old)
        bench.peer.frames.clear()
        await connect(bench, new)
        old = new
    await bench.settle()
    _expect_own(bench, old)


def _expect_own(bench: CheckBench, setup: VcSetup) -> None:
    vlans = {done.vlan for done in bench.nic.poll(Direction.RX, setup.queue)}
    bench.expect(vlans <= {setup.vlan}, True, f"VLAN ids {vlans} received by the VC of {setup.vlan}")
    vlans = {vlan_of(frame) for frame in bench.peer.data}
    bench.expect(vlans <= {setup.vlan}, True, f"VLAN ids {vlans} sent by the VC of {setup.vlan}")


@check("connections")
async def a_vlan_id_is_free_while_its_last_owner_drains(bench: CheckBench) -> None:
    """The map changes at once: the next frame of the id is the new owner's, while the old one still drains."""
    await connect(bench, VcSetup(0, vlan=7, queue=1))
    for direction in (Direction.TX, Direction.RX):
        await bench.enable(direction, number=2)
    bench.nic.post_rx(2, 8)
    for _ in range(10):
        bench.nic.post_tx(1, [bench.frame(1514)])
    await bench.settle(4000)
    bench.vcs.begin_deactivation(0)
    bench.expect(await bench.vcs.activate(VcSetup(1, vlan=7, queue=2)), Cause.NONE, "the next owner")
    bench.peer.send(tagged(frame := bench.frame(100), 7))
    (done,) = await bench.completions(Direction.RX, 1, number=2)
    bench.expect(done.data, frame, "its frame")


@check("connections")
async def soft_reset_ends_every_vc(bench: CheckBench) -> None:
    """In traffic: all are off, their pages zero; the NIC works as after power-on."""
    for queue in (1, 2):
        await connect(bench, VcSetup(queue, vlan=queue, queue=queue))
        for _ in range(10):
            bench.nic.post_tx(queue, [frame := bench.frame(300)])
            bench.peer.send(tagged(frame, queue))
    await bench.settle(6000)
    await bench.nic.reset()
    for queue in (1, 2):
        bench.expect(await bench.vcs.state(queue), (VcState.OFF, Cause.NONE), "a VC after reset")
        bench.expect(await bench.device.read32(regs.vc_page(queue) + regs.VC_VLAN), 0, "its VLAN register")
    await bench.settle(60_000)
    bench.peer.frames.clear()
    await connect(bench, VcSetup(1, vlan=9))
    bench.nic.post_tx(1, [frame := bench.frame(60)])
    bench.expect(await bench.sent(1), [tagged(frame, 9)], "the first frame of another life")


@check("connections")
async def counters_of_a_vc_live_as_long_as_it_does(bench: CheckBench) -> None:
    """Zero with each activation, readable when it is off, touched by no write, no STATS_CTRL.clear and no change."""
    setup = VcSetup(5, vlan=7)
    await connect(bench, setup)
    for length in (60, 300):
        bench.nic.post_tx(1, [bench.frame(length)])
        bench.peer.send(tagged(bench.frame(length), 7))
    await bench.completions(Direction.TX, 2, number=1)
    await bench.completions(Direction.RX, 2, number=1)
    expected = {"tx_frames": 2, "tx_octets": 68 + 308, "rx_frames": 2, "rx_octets": 360, "rx_drops": 0, "tx_waits": 0}
    bench.device.write32(regs.vc_counter(5, regs.VcCounter.TX_FRAMES), 99)
    bench.device.write32(regs.vc_counter(5, regs.VcCounter.TX_FRAMES) + 4, 99)
    bench.device.write32(regs.STATS_CTRL, regs.STATS_CTRL_CLEAR)
    await bench.vcs.activate(replace(setup, priority=3))
    bench.expect(await bench.vcs.counters(5), expected, "counters")
    await bench.vcs.deactivate(5)
    bench.expect(await bench.vcs.counters(5), expected, "counters of the VC that is off")
    await bench.vcs.activate(setup)
    bench.expect(await bench.vcs.counters(5), dict.fromkeys(expected, 0), "counters of the next life")
