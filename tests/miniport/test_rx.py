# SPDX-License-Identifier: Apache-2.0
"""Claims about the driver's receive path."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.descriptors import RxDescriptor
from hilnic.hw.device import DeviceFault
from hilnic.hw.regs import Cause, CompletionStatus

RESOURCES = ndis.ReceiveFlags.RESOURCES


class Keeper:
    """A receive callback that keeps what it gets and remembers how it came."""

    def __init__(self):
        self.calls, self.frames, self.types = [], [], []

    def __call__(self, binding, nbls, count, flags):
        self.calls.append((count, bool(flags & RESOURCES)))
        for nbl in ndis.walk(nbls):
            self.frames.append(nbl.first_net_buffer.tobytes())
            self.types.append(nbl.net_buffer_list_info[ndis.NblInfo.FRAME_TYPE])
        if not flags & RESOURCES:
            binding.hold(nbls)


@pytest.fixture
def keeper():
    return Keeper()


def test_received_frames_arrive_byte_for_byte_in_order(bench, frame):
    frames = [frame(i, 60 + 7 * i) for i in range(12)]
    bench.nic.inject(*frames)
    bench.run()
    assert bench.binding.received == frames


@pytest.mark.rule("RG-10")
@pytest.mark.parametrize(("size", "length"), [(64, 60), (64, 64), (64, 65), (64, 1000), (512, 1514), (2048, 1514)])
def test_a_frame_longer_than_a_buffer_spans_several_and_none_is_overrun(make_bench, frame, size, length):
    bench = make_bench(rx_buffer_bytes=size, rx_ring=32, rx_buffers=64)
    bench.nic.inject(*[frame(i, length) for i in range(6)])
    bench.run()
    assert bench.binding.received == [frame(i, length) for i in range(6)]


def test_a_short_frame_in_a_buffer_of_an_earlier_long_one_has_one_mdl(make_bench, frame, keeper):
    bench = make_bench(on_receive=keeper, rx_buffer_bytes=64, rx_ring=32, rx_buffers=32)
    bench.nic.inject(frame(0, 640))
    bench.run()
    bench.binding.release()
    bench.nic.inject(*[frame(i) for i in range(32)])
    bench.run()
    chains = [len(list(ndis.walk_mdls(nbl.first_net_buffer.mdl_chain))) for nbl in bench.binding._held]
    assert chains == [1] * 32
    bench.binding.release()


@pytest.mark.rule("MD-09")
def test_a_buffer_whose_frame_a_protocol_has_advanced_begins_at_its_start_again(make_bench, frame):
    seen = []

    def parse(binding, nbls, count, flags):
        for nbl in ndis.walk(nbls):
            seen.append(nbl.first_net_buffer.tobytes())
            ndis.advance_net_buffer_data_start(nbl.first_net_buffer, 14)
        binding.return_nbls(nbls)

    bench = make_bench(on_receive=parse, rx_ring=4, rx_buffers=4)
    frames = [frame(i) for i in range(12)]
    bench.nic.inject(*frames)
    bench.run()
    assert seen == frames


@pytest.mark.rule("RG-15")
@pytest.mark.parametrize("offset", [0, 1, 2, 7, 63])
def test_buffers_may_have_any_alignment(make_bench, frame, offset):
    bench = make_bench(rx_buffer_offset=offset)
    bench.nic.inject(*[frame(i, 100) for i in range(20)])
    bench.run()
    assert bench.binding.received == [frame(i, 100) for i in range(20)]


@pytest.mark.rule("RG-01")
@pytest.mark.parametrize("start", [0, 0xFFFFFFF0, 0xFFFFFFFF])
def test_many_laps_and_the_wrap_at_2_to_the_32_change_nothing(make_bench, frame, start):
    bench = make_bench(rx_ring=4, rx_buffers=8, start_index=start)
    frames = [frame(i) for i in range(60)]
    bench.nic.inject(*frames)
    bench.run()
    assert bench.binding.received == frames


@pytest.mark.rule("R6-06")
def test_what_a_protocol_holds_stays_as_it_is_while_traffic_goes_on(make_bench, frame, keeper):
    bench = make_bench(on_receive=keeper, rx_ring=8, rx_buffers=16)
    bench.nic.inject(*[frame(i) for i in range(4)])
    bench.run()
    held = list(bench.binding._held)
    bench.raw.on_receive = None
    bench.nic.inject(*[frame(100 + i) for i in range(80)])  # ten rings' worth
    bench.run(200_000)
    assert len(bench.binding.received) == 80
    assert [nbl.first_net_buffer.tobytes() for nbl in held] == [frame(i) for i in range(4)]
    bench.binding.release()


@pytest.mark.rule("R6-03")
@settings(max_examples=40)
@given(st.data())
def test_frames_may_come_back_in_any_order_and_grouping(new_bench, frame, data):
    keeper = Keeper()
    bench = new_bench(verify="fast", on_receive=keeper, rx_ring=4, rx_buffers=12).start()
    total = data.draw(st.integers(1, 40))
    frames = [frame(i) for i in range(total)]
    bench.nic.inject(*frames)
    while bench.binding._held or len(keeper.frames) < total:
        bench.run()
        held = data.draw(st.permutations(bench.binding._held))
        number = data.draw(st.integers(1, len(held)))
        bench.binding._held = held[number:]
        bench.binding.return_nbls(ndis.chain(held[:number]))
    assert keeper.frames == frames
    assert bench.miniport.rx.lent == 0
    bench.stop()


@pytest.mark.rule("R6-19")
def test_with_few_buffers_left_frames_are_lent_for_the_call_until_some_come_back(make_bench, frame, keeper):
    bench = make_bench(on_receive=keeper, rx_ring=8, rx_buffers=8, rx_low_water=3)
    for i in range(8):
        bench.nic.inject(frame(i))
        bench.run()
    assert [resources for _, resources in keeper.calls] == [False] * 5 + [True] * 3
    bench.binding.release(2)
    bench.nic.inject(frame(8))
    bench.run()
    assert keeper.calls[-1] == (1, False)
    assert keeper.frames == [frame(i) for i in range(9)]
    bench.binding.release()


@pytest.mark.rule("R6-21", "R6-22")
def test_one_batch_over_the_threshold_is_two_calls_in_order(make_bench, frame, keeper):
    bench = make_bench(on_receive=keeper, rx_ring=8, rx_buffers=8, rx_low_water=3, rx_moderation=(8, 0))
    bench.nic.inject(*[frame(i) for i in range(8)])
    bench.run()
    assert sorted(keeper.calls) == [(3, True), (5, False)]
    assert keeper.frames == [frame(i) for i in range(8)]
    bench.binding.release()


@pytest.mark.rule("R6-18")
def test_without_buffers_the_nic_waits_and_traffic_resumes_after_the_returns(make_bench, frame, keeper):
    bench = make_bench(on_receive=keeper, rx_ring=8, rx_buffers=8)
    bench.nic.inject(*[frame(i) for i in range(18)])
    bench.run()
    assert len(keeper.frames) == 8
    assert len(bench.nic.waiting_rx) == 10
    bench.binding.release()
    bench.run()
    bench.binding.release()
    bench.run()
    assert keeper.frames == [frame(i) for i in range(18)]
    bench.binding.release()


@pytest.mark.rule("CL-07")
def test_returning_inside_of_the_indication_refills_with_one_doorbell_per_batch(make_bench, frame):
    batches = []

    def one_by_one(binding, nbls, count, flags):
        batches.append(count)
        for nbl in ndis.walk(nbls):
            nbl.next = None
            binding.return_nbls(nbl)

    bench = make_bench(on_receive=one_by_one, rx_ring=16, rx_buffers=16)
    before = len(bench.doorbells(regs.rx_doorbell(0)))
    bench.nic.inject(*[frame(i) for i in range(10)])
    bench.run()
    assert sum(batches) == 10
    assert len(bench.doorbells(regs.rx_doorbell(0))) - before == len(batches)


@pytest.mark.rule("R6-17")
def test_a_damaged_frame_is_counted_and_never_indicated(bench, frame):
    bench.nic.inject(frame(0, 900), error=Cause.BUS_ERROR)
    bench.nic.inject(frame(1))
    bench.run()
    assert bench.binding.received == [frame(1)]
    statistics = bench.miniport.rx.statistics()
    assert (statistics.errors, statistics.buffers_posted, statistics.buffers_free) == (1, 16, 16)


def test_the_frame_type_goes_with_the_frame(make_bench, frame, keeper):
    bench = make_bench(on_receive=keeper)
    bench.nic.inject(frame(0))
    bench.run()
    assert keeper.types == [0x88B5]
    bench.binding.release()


def test_frames_beyond_the_filter_of_the_binding_come_home_at_once(bench, frame):
    bench.nic.inject(frame(0, destination=b"\x02\xaa\0\0\0\1"))
    bench.run()
    assert bench.binding.received == []
    assert bench.miniport.rx.lent == 0


@pytest.mark.parametrize("weak", [False, True])
def test_no_completion_is_seen_before_its_data(make_bench, frame, weak):
    bench = make_bench(weak=weak)
    bench.nic.inject(*[frame(i, 1514) for i in range(40)])
    bench.run(200_000)
    assert bench.binding.received == [frame(i, 1514) for i in range(40)]


@pytest.mark.rule("RG-03")
def test_a_completion_that_skips_a_buffer_is_the_devices_fault(make_bench, frame):
    bench = make_bench()
    bench.expect_empty = False
    queue = bench.nic.queues["rx"]
    queue.consumer += 2
    bench.nic._complete(queue, status=7, frame_length=60)
    with pytest.raises(DeviceFault, match="skips a buffer"):
        bench.run()


@pytest.mark.rule("RG-11")
def test_dma_into_a_buffer_that_the_stack_holds_is_a_device_fault(make_bench, frame, keeper):
    bench = make_bench(on_receive=keeper)
    bench.nic.inject(frame(0))
    bench.run()
    address = bench.binding._held[0].first_net_buffer.mdl_chain.address
    with pytest.raises(DeviceFault):
        bench.nic.memory.dma_write(address, b"late")
    bench.binding.release()


def test_half_a_frame_gives_its_buffers_back_at_a_reset(bench):
    queue = bench.nic.queues["rx"]
    bench.nic._descriptor(queue, RxDescriptor)
    bench.nic._complete(queue, length=2048, status=CompletionStatus.OK | CompletionStatus.SOP)
    bench.run()
    bench.wait(ndis.reset_adapter(bench.stack.adapter))
    counts = bench.miniport.rx.statistics()
    assert counts.buffers_posted + counts.buffers_free == bench.config.rx_buffers
