# SPDX-License-Identifier: Apache-2.0
"""Bus errors where they hurt: on frame data, on a descriptor fetch, on a completion write."""

from hilnic.hw.regs import Cause, QueueState
from hilnic.testing.conformance import CheckBench, check
from hilnic.testing.nic_adapter import Direction, Done


@check("bus errors")
async def a_bus_error_on_tx_data_ends_the_frame_and_the_queue_goes_on(bench: CheckBench) -> None:
    """Cause 8 for the frame that was hit, nothing of it on the wire, the next one is sent."""
    await bench.enable(Direction.TX)
    bench.controls.inject_bus_error("ar", 2)  # the first burst fetches the descriptor
    frames = [bench.frame(60), bench.frame(61)]
    bench.nic.post_tx(0, [frames[0]])
    (done,) = await bench.completions(Direction.TX, 1)
    bench.expect((done.ok, done.cause), (False, Cause.BUS_ERROR), "verdict")
    bench.nic.post_tx(0, [frames[1]])
    (done,) = await bench.completions(Direction.TX, 1)
    bench.expect(done.ok, True, "the next frame")
    bench.expect(await bench.sent(1), [frames[1]], "frames on the wire")
    await bench.expect_counters(tx_drop_dma=1, tx_frames=1)


@check("bus errors", "registers")
async def a_bus_error_on_a_descriptor_fetch_stops_that_queue_alone(bench: CheckBench) -> None:
    """State error with cause 33 and the descriptor's index; another queue goes on; disable leaves the state."""
    for hit in (Direction.TX, Direction.RX):
        other = Direction.RX if hit is Direction.TX else Direction.TX
        await bench.enable(hit, start=100)
        await bench.enable(other)
        bench.controls.inject_bus_error("ar", 1)
        _post(bench, hit)
        await bench.settle(5000)
        state = await bench.nic_1g.state(hit, 0)
        bench.expect(state, (QueueState.ERROR, Cause.FETCH_ERROR, 100), "state, cause, index")
        _post(bench, other)
        bench.peer.send(bench.frame(60))
        await bench.completions(other, 1)
        bench.expect(await bench.nic.disable(hit, 0), 100, "CONSUMED")
        await bench.nic.disable(other, 0)


def _post(bench: CheckBench, direction: Direction) -> None:
    if direction is Direction.TX:
        bench.nic.post_tx(0, [bench.frame(60)])
    else:
        bench.nic.post_rx(0, 1)


@check("bus errors", "registers")
async def a_bus_error_on_a_completion_stops_that_queue(bench: CheckBench) -> None:
    """State error with cause 34 and the completion's index; CPL_PRODUCED does not pass it."""
    await bench.enable(Direction.TX, cpl_start=50)
    bench.nic.post_tx(0, [bench.frame(60)])
    await bench.completions(Direction.TX, 1)
    await bench.settle(2000)
    bench.controls.inject_bus_error("aw", 1)
    bench.nic.post_tx(0, [bench.frame(60)])
    await bench.settle()
    state = await bench.nic_1g.state(Direction.TX, 0)
    bench.expect(state, (QueueState.ERROR, Cause.COMPLETION_ERROR, 51), "state, cause, index")
    bench.expect(await bench.nic.disable(Direction.TX, 0), 2, "CONSUMED")


@check("bus errors")
async def a_bus_error_on_rx_data_marks_every_buffer_of_the_frame(bench: CheckBench) -> None:
    """All buffers of the frame come back with cause 8, the frame counts as drop_dma, the next one is good."""
    await bench.enable(Direction.RX, buf_size=64)
    bench.nic.post_rx(0, 4)
    bench.controls.inject_bus_error("aw", 2)
    bench.peer.send(bench.frame(150))
    done = await bench.completions(Direction.RX, 3)
    bench.expect([(d.ok, d.cause) for d in done], [(False, Cause.BUS_ERROR)] * 3, "verdicts")
    frame = bench.frame(60)
    bench.peer.send(frame)
    (last,) = await bench.completions(Direction.RX, 1)
    bench.expect((last.ok, last.data), (True, frame), "the next frame")
    await bench.expect_counters(rx_drop_dma=1, rx_delivered_frames=1)


LONG_FRAME = 1514  # in buffers of 64 bytes: 24 descriptors, more than one fetch can bring


async def _begin_long_frame(bench: CheckBench) -> bytes:
    """A frame waits for descriptors, then all of them are posted at once: it is begun before they are fetched."""
    await bench.enable(Direction.RX, size=32, buf_size=64)
    frame = bench.frame(LONG_FRAME)
    bench.peer.send(frame)
    await bench.settle(20_000)
    bench.nic.post_rx(0, 24)
    return frame


async def _taken(bench: CheckBench) -> list[Done]:
    """The completions of the frame whose second fetch failed: as many as the first one brought descriptors."""
    await bench.settle()
    state, cause, index = await bench.nic_1g.state(Direction.RX, 0)
    bench.expect((state, cause), (QueueState.ERROR, Cause.FETCH_ERROR), "state, cause")
    bench.expect(0 < index < 24, True, f"the index {index} is in mid-frame")
    done = await bench.completions(Direction.RX, index)
    bench.expect(await bench.nic.disable(Direction.RX, 0), index, "CONSUMED")
    return done


@check("bus errors", "registers")
async def a_failed_rx_descriptor_fetch_in_mid_frame_returns_the_buffers_taken(bench: CheckBench) -> None:
    """Cause 33 in each of them, the last one with eop; the queue stops at the descriptor; the frame is drop_dma."""
    bench.controls.inject_bus_error("ar", 2)
    await _begin_long_frame(bench)
    done = await _taken(bench)
    bench.expect({(d.ok, d.cause) for d in done}, {(False, Cause.FETCH_ERROR)}, "verdicts")
    last = len(done) - 1
    bench.expect([(d.sop, d.eop) for d in done], [(n == 0, n == last) for n in range(len(done))], "sop and eop")
    bench.expect({(d.length, d.frame_length) for d in done}, {(64, LONG_FRAME)}, "lengths")
    await bench.expect_counters(rx_drop_dma=1, rx_delivered_frames=0)


@check("bus errors", "registers")
async def a_lost_data_write_outranks_a_failed_descriptor_fetch(bench: CheckBench) -> None:
    """Both in one frame: every buffer taken has cause 8, the queue's cause is 33."""
    bench.controls.inject_bus_error("ar", 2)
    bench.controls.inject_bus_error("aw", 1)
    await _begin_long_frame(bench)
    done = await _taken(bench)
    bench.expect({(d.ok, d.cause) for d in done}, {(False, Cause.BUS_ERROR)}, "verdicts")
    await bench.expect_counters(rx_drop_dma=1)


@check("registers")
async def a_disable_in_mid_frame_lets_the_frame_end(bench: CheckBench) -> None:
    """The frame has begun: its other descriptors are still fetched, and all of it is delivered."""
    frame = await _begin_long_frame(bench)
    await bench.settle(600)
    bench.expect(await bench.nic.disable(Direction.RX, 0), 24, "CONSUMED")
    done = bench.nic.poll(Direction.RX, 0)
    bench.expect(b"".join(d.data for d in done), frame, "the frame")
    bench.expect((done[-1].ok, done[-1].eop), (True, True), "its end")
