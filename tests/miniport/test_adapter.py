# SPDX-License-Identifier: Apache-2.0
"""Claims about the adapter's life: initialize, pause, reset, removal, halt."""

import random

import pytest

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.memory import HostMemory
from hilnic.miniport.config import NicConfig
from hilnic.ndis import NdisStatus
from hilnic.stack import StackError

FINAL_OF_RESET = {NdisStatus.RESET_IN_PROGRESS}


class Traffic:
    """Full-duplex traffic: a burst each way every few microseconds, for as long as `on`."""

    def __init__(self, bench, frame, draw, period=4_000):
        self.bench, self.frame, self.draw, self.period = bench, frame, draw, period
        self.sent, self.injected, self.on = 0, 0, True
        bench.clock.call_at(bench.clock.now_ns() + 1, self._tick)

    def _tick(self):
        if not self.on:
            return
        count = self.draw.randrange(1, 5)
        if self.bench.raw.bindings:
            frames = [self.frame(self.sent + i, 60 + self.draw.randrange(400)) for i in range(count)]
            self.bench.binding.send(*frames, fragments=self.draw.choice((1, 3)))
            self.sent += count
        self.bench.nic.inject(*[self.frame(self.injected + i) for i in range(count)])
        self.injected += count
        self.bench.clock.call_at(self.bench.clock.now_ns() + self.draw.randrange(1, self.period), self._tick)


# --- initialize


def failing_start(bench):
    with pytest.raises(StackError) as refused:
        bench.start()
    bench.stack.special_pool.close()  # it keeps what was freed
    assert bench.nic.memory.leaks() == []
    assert bench.nic.memory.live_mappings() == []
    assert all(handler is None for handler in bench.nic.handlers.values())
    bench.stop()
    return refused.value.status


@pytest.mark.rule("ST-20")
@pytest.mark.parametrize("failing", range(5))
def test_a_register_read_that_fails_at_step_k_undoes_the_steps_before(new_bench, failing):
    bench = new_bench()
    bench.nic.fail_read = lambda offset: len(bench.nic.reads) > failing
    assert failing_start(bench) == NdisStatus.DEVICE_FAILED


@pytest.mark.rule("ST-09")
@pytest.mark.parametrize("failing", [5, 6])
def test_a_register_read_that_fails_in_the_restart_leaves_the_adapter_paused(new_bench, failing):
    bench = new_bench()
    bench.nic.fail_read = lambda offset: len(bench.nic.reads) > failing
    with pytest.raises(StackError, match="FAILURE"):
        bench.start()
    assert bench.stack.host.adapters[0].state == ndis.AdapterState.PAUSED
    bench.stop()


def fail_allocation(memory, failing):
    """The allocation with this number finds no memory."""
    countdown = iter([False] * failing + [True])

    def allocate(*args):
        if next(countdown, False):
            raise MemoryError
        return HostMemory.allocate(memory, *args)

    memory.allocate = allocate


@pytest.mark.rule("ST-20")
def test_every_allocation_that_fails_gives_resources_and_leaks_nothing(new_bench):
    for failing in range(10):  # two rings each way, two copy buffers, four receive buffers
        bench = new_bench(rx_buffers=4, bounce_buffers=2, rx_ring=2, tx_ring=2)
        fail_allocation(bench.nic.memory, failing)
        assert failing_start(bench) == NdisStatus.RESOURCES
    bench = new_bench(rx_buffers=4, bounce_buffers=2, rx_ring=2, tx_ring=2)
    fail_allocation(bench.nic.memory, 10)
    bench.start().stop()


@pytest.mark.parametrize(
    ("offset", "value", "status"),
    [
        (regs.ID, 0xFFFFFFFF, NdisStatus.ADAPTER_NOT_FOUND),
        (regs.VERSION, 0x00020000, NdisStatus.BAD_VERSION),
        (regs.CAPS0, 4 | 4 << 8 | 1 << 16 | 15 << 24, NdisStatus.NOT_SUPPORTED),
        (regs.CAPS0, 4 | 4 << 8 | 8 << 16 | 3 << 24, NdisStatus.NOT_SUPPORTED),
    ],
)
def test_an_unknown_or_too_small_nic_is_refused(new_bench, offset, value, status):
    bench = new_bench()
    read = bench.nic._read
    bench.nic._read = lambda asked: value if asked == offset else read(asked)
    assert failing_start(bench) == status


def test_a_nic_that_does_not_come_out_of_reset_is_refused(new_bench):
    bench = new_bench(timeout_ns=100_000)
    bench.nic.reset_hangs = True
    assert failing_start(bench) == NdisStatus.DEVICE_FAILED


@pytest.mark.rule("IT-01")
def test_interrupts_are_connected_before_any_cause_is_enabled(new_bench):
    bench, seen = new_bench(), []
    connect, write = bench.nic.connect_interrupt, bench.nic.write32
    bench.nic.connect_interrupt = lambda vector, handler: (seen.append(("connect", vector)), connect(vector, handler))
    bench.nic.write32 = lambda offset, value: (seen.append(("write", offset)), write(offset, value))
    bench.start()
    assert seen.index(("connect", 0)) < seen.index(("write", regs.MISC_ENABLE))
    bench.stop()


@pytest.mark.parametrize(
    "settings",
    [
        {"tx_ring": 3},
        {"rx_ring": 65536},
        {"rx_buffer_bytes": 32},
        {"mtu": 9000, "rx_buffer_bytes": 512, "rx_ring": 16},
        {"rx_buffers": 1, "rx_buffer_bytes": 1024},
        {"bounce_buffers": 0},
        {"mac_address": b"short"},
    ],
)
def test_settings_with_which_some_frame_could_never_pass_are_refused(settings):
    with pytest.raises(ValueError, match="=|needs"):
        NicConfig(**settings)


def test_the_steps_are_data(bench):
    assert len(bench.miniport.initialization_steps()) == 8


# --- pause and restart


@pytest.mark.rule("ST-09")
def test_a_queue_that_refuses_its_configuration_fails_the_restart_and_a_later_one_works(make_bench, frame):
    bench = make_bench()
    bench.wait(ndis.pause_adapter(bench.stack.adapter))
    read = bench.nic._read
    bench.nic._read = lambda offset: 3 if offset == regs.tx_page(0) + regs.QUEUE_STATUS else read(offset)
    bench.miniport.config = bench.config
    status = bench.wait(ndis.restart_adapter(bench.stack.adapter))
    assert status == NdisStatus.FAILURE
    assert bench.stack.adapter.state == ndis.AdapterState.PAUSED
    bench.nic._read = read
    assert bench.wait(ndis.restart_adapter(bench.stack.adapter)) == NdisStatus.SUCCESS
    bench.binding.send(frame(1))
    bench.nic.inject(frame(2))
    bench.run()
    assert (bench.nic.sent, bench.binding.received) == ([frame(1)], [frame(2)])


@pytest.mark.rule("ST-03")
def test_pause_completes_after_the_last_received_frame_came_back(make_bench, frame):
    bench = make_bench(on_receive=lambda binding, nbls, count, flags: kept.append(nbls))
    kept = []
    bench.nic.inject(frame(0))
    bench.run()
    pause = bench.clock.start(ndis.pause_adapter(bench.stack.adapter))
    bench.run(500_000)
    assert not pause.done()
    bench.binding.return_nbls(kept[0])
    bench.run()
    assert pause.done()


@pytest.mark.rule("ST-23")
def test_pause_sends_what_was_accepted_even_from_the_software_queue(make_bench, frame):
    bench = make_bench(tx_ring=4)
    bench.nic.hold_tx = True
    bench.binding.send(*[frame(i) for i in range(20)])
    pause = bench.clock.start(ndis.pause_adapter(bench.stack.adapter))
    bench.run(20_000)
    assert not pause.done()
    bench.nic.resume()
    bench.run()
    assert pause.done()
    assert bench.nic.sent == [frame(i) for i in range(20)]
    assert bench.binding.statuses == []


@pytest.mark.rule("ST-23")
def test_the_miniport_drains_by_itself_when_no_protocol_has_waited(make_bench, frame):
    bench = make_bench(tx_ring=4)
    bench.nic.hold_tx = True
    bench.binding.send(*[frame(i) for i in range(20)])
    pause = bench.clock.start(bench.miniport.pause())
    bench.run(20_000)
    assert not pause.done()
    bench.nic.resume()
    bench.run()
    assert pause.done()
    assert bench.nic.sent == [frame(i) for i in range(20)]
    assert bench.binding.statuses == []
    assert bench.wait(bench.miniport.restart()) == NdisStatus.SUCCESS


@pytest.mark.rule("ST-03")
def test_what_the_nic_completed_before_it_stopped_counts_although_its_interrupt_never_came(make_bench, frame):
    bench = make_bench(stall_ns=20_000)
    bench.nic.handlers[bench.config.vector] = lambda: None
    bench.binding.send(frame(0))
    bench.nic.inject(frame(1))
    bench.wait(bench.miniport.pause())
    assert bench.binding.statuses == []
    assert bench.miniport.rx.statistics().indicated == 1
    assert bench.wait(bench.miniport.restart()) == NdisStatus.SUCCESS


@pytest.mark.rule("ST-04")
def test_pause_gives_up_on_a_stuck_transmitter_after_the_limit(make_bench, frame):
    bench = make_bench(stall_ns=50_000)
    bench.nic.hold_tx = True
    bench.raw.bindings["nic0"].wait_until_idle = bench.stack.cpu.create_event().wait  # the protocol does not wait
    bench.binding.send(*[frame(i) for i in range(3)])
    miniport_pause = bench.clock.start(bench.miniport.pause())
    bench.run(300_000)
    assert miniport_pause.done()
    assert bench.binding.statuses == [NdisStatus.PAUSED] * 3
    assert bench.wait(bench.miniport.restart()) == NdisStatus.SUCCESS
    del bench.binding.wait_until_idle
    bench.nic.resume()


@pytest.mark.rule("S6-25")
def test_sends_to_a_paused_miniport_complete_with_paused(make_bench, frame):
    bench = make_bench()
    bench.wait(bench.miniport.pause())
    bench.binding.send(frame(0))
    assert bench.binding.statuses == [NdisStatus.PAUSED]
    assert bench.wait(bench.miniport.restart()) == NdisStatus.SUCCESS


@pytest.mark.rule("ST-23")
def test_200_pauses_at_random_times_lose_no_accepted_frame(new_bench, frame):
    draw = random.Random(1)
    bench = new_bench(verify="fast", tx_ring=8, rx_ring=8, rx_buffers=16).start()
    traffic = Traffic(bench, frame, draw)
    for _ in range(200):
        bench.run(draw.randrange(1, 12_000))
        bench.wait(ndis.pause_adapter(bench.stack.adapter))
        bench.run(draw.randrange(1, 3_000))
        assert bench.wait(ndis.restart_adapter(bench.stack.adapter)) == NdisStatus.SUCCESS
    traffic.on = False
    bench.run(500_000)
    statistics = bench.binding.statistics()
    assert statistics.completed == statistics.sent
    assert len(bench.nic.sent) == statistics.sent - len(bench.binding.statuses)
    assert set(bench.binding.statuses) <= {NdisStatus.PAUSED}
    assert 0 < len(bench.binding.received) <= traffic.injected  # while bindings pause, NDIS drops
    bench.stop()


# --- reset


@pytest.mark.rule("ST-13")
def test_a_reset_ends_pending_sends_and_traffic_resumes_with_the_filter_set_again(make_bench, frame):
    bench = make_bench()
    bench.wait(bench.binding.set_multicast_list([b"\x01\0\x5e\0\0\1"]))
    bench.run()
    written = bench.nic.registers[regs.RX_FILTER]
    bench.nic.hold_tx = True
    bench.binding.send(*[frame(i) for i in range(5)])
    assert bench.wait(ndis.reset_adapter(bench.stack.adapter)) == NdisStatus.SUCCESS
    assert bench.binding.statuses == [NdisStatus.RESET_IN_PROGRESS] * 5
    bench.nic.resume()
    bench.binding.send(frame(9))
    bench.nic.inject(frame(8))
    bench.run()
    assert (bench.nic.sent, bench.binding.received) == ([frame(9)], [frame(8)])
    assert bench.nic.registers[regs.RX_FILTER] == written != 0
    assert bench.nic.registers[regs.exact_hi(0)] == regs.EXACT_HI_VALID | 0x0100


@pytest.mark.rule("ST-14")
@pytest.mark.parametrize("seed", range(10))
def test_resets_at_random_times_complete_every_nbl_once_and_traffic_resumes(new_bench, frame, seed):
    draw = random.Random(seed)
    bench = new_bench(verify="fast", tx_ring=8, rx_ring=8, rx_buffers=16).start()
    traffic = Traffic(bench, frame, draw)
    for _ in range(20):
        bench.run(draw.randrange(1, 10_000))
        assert bench.wait(ndis.reset_adapter(bench.stack.adapter)) == NdisStatus.SUCCESS
        assert bench.stack.adapter.state == ndis.AdapterState.RUNNING
    traffic.on = False
    bench.run(100_000)
    statistics = bench.binding.statistics()
    assert statistics.completed == statistics.sent
    assert set(bench.binding.statuses) <= FINAL_OF_RESET
    assert len(bench.nic.sent) >= statistics.sent - len(bench.binding.statuses)
    before = len(bench.nic.sent)
    bench.binding.send(*[frame(i) for i in range(100)])
    bench.idle()
    assert len(bench.nic.sent) == before + 100
    bench.stop()


@pytest.mark.rule("ST-13")
def test_a_reset_may_overlap_a_pause_and_either_may_end_first(new_bench, frame):
    for delay in range(0, 30_000, 1_500):
        for first in ("pause", "reset"):
            bench = new_bench(verify="fast", tx_ring=4).start()
            bench.binding.send(*[frame(i) for i in range(12)])
            operations = {"pause": ndis.pause_adapter, "reset": ndis.reset_adapter}
            second = "reset" if first == "pause" else "pause"
            tasks = [bench.clock.start(operations[first](bench.stack.adapter))]
            bench.run(delay)
            tasks.append(bench.clock.start(operations[second](bench.stack.adapter)))
            bench.run(500_000)
            assert [task.done() for task in tasks] == [True, True], (delay, first)
            assert bench.stack.adapter.state == ndis.AdapterState.PAUSED
            assert not bench.miniport.queues_running
            assert bench.wait(ndis.restart_adapter(bench.stack.adapter)) == NdisStatus.SUCCESS
            bench.binding.send(frame(99))
            bench.idle()
            assert bench.nic.sent[-1] == frame(99)
            bench.stop()


@pytest.mark.rule("ST-13", "RG-12")
def test_a_pause_at_any_moment_of_a_reset_leaves_both_queues_disabled(new_bench, frame):
    for delay in range(0, 8_000, 250):
        bench = new_bench(verify="fast").start()
        reset = bench.clock.start(ndis.reset_adapter(bench.stack.adapter))
        bench.run(delay)
        pause = bench.clock.start(ndis.pause_adapter(bench.stack.adapter))
        bench.run(100_000)
        assert reset.result() == NdisStatus.SUCCESS
        assert pause.done()
        assert [int(queue.state) for queue in bench.nic.queues.values()] == [0, 0], delay
        assert not bench.miniport.tx.running
        assert not bench.miniport.rx.running
        assert bench.wait(ndis.restart_adapter(bench.stack.adapter)) == NdisStatus.SUCCESS
        bench.binding.send(frame(1))
        bench.idle()
        bench.stop()


@pytest.mark.rule("RG-14")
def test_a_queue_error_is_answered_by_a_reset_and_100_good_frames(make_bench, frame):
    for kind in ("tx", "rx"):
        bench = make_bench(verify="fast")
        bench.nic.fail_queue(kind)
        bench.binding.send(frame(0))
        bench.run(100_000)
        bench.binding.send(*[frame(i) for i in range(100)])
        bench.nic.inject(*[frame(i) for i in range(100)])
        bench.idle()
        bench.run(100_000)
        assert bench.nic.sent[-100:] == [frame(i) for i in range(100)]
        assert bench.binding.received == [frame(i) for i in range(100)]


def test_a_nic_that_does_not_come_back_from_reset_is_removed(new_bench, frame):
    bench = new_bench(timeout_ns=100_000).start()
    bench.nic.hold_tx = True
    bench.nic.reset_hangs = True
    bench.binding.send(frame(0))
    binding = bench.binding
    status = bench.wait(ndis.reset_adapter(bench.stack.adapter))
    assert status == NdisStatus.FAILURE
    bench.run(200_000)
    assert binding.statuses == [NdisStatus.NOT_ACCEPTED]
    assert bench.stack.host.adapters == []
    bench.stop()


@pytest.mark.rule("ST-16")
def test_a_transmitter_without_progress_is_reset_by_the_hang_check(make_bench, frame):
    bench = make_bench(profile=ndis.Profile(check_for_hang=True, check_for_hang_ns=100_000), verify="fast")
    bench.nic.hold_tx = True
    bench.binding.send(frame(0))
    bench.run(150_000)
    assert bench.binding.statuses == []
    bench.run(150_000)
    assert bench.binding.statuses == [NdisStatus.RESET_IN_PROGRESS]
    bench.nic.resume()
    bench.binding.send(frame(1))
    bench.run(450_000)
    assert bench.nic.sent == [frame(1)]


# --- removal, halt, shutdown


@pytest.mark.rule("ST-17")
@pytest.mark.parametrize("seed", range(40))
def test_removal_at_a_random_time_ends_everything_without_touching_the_nic(new_bench, frame, seed):
    draw = random.Random(seed)
    bench = new_bench(verify="fast", tx_ring=8, rx_ring=8, rx_buffers=16).start()
    traffic = Traffic(bench, frame, draw)
    binding = bench.binding
    bench.run(draw.randrange(1, 60_000))
    bench.nic.gone = True
    writes = len(bench.nic.writes)
    bench.nic.write32 = lambda offset, value: pytest.fail(f"write of 0x{offset:x} after the removal")
    bench.wait(ndis.surprise_remove_adapter(bench.stack.adapter))
    traffic.on = False
    assert len(bench.nic.writes) == writes
    assert binding.statistics().completed == binding.statistics().sent
    assert set(binding.statuses) <= {NdisStatus.NOT_ACCEPTED, NdisStatus.PAUSED, NdisStatus.CLOSING}
    bench.stop()


def test_removal_during_a_reset_or_a_pause_ends_both(new_bench, frame):
    for operation in (ndis.reset_adapter, ndis.pause_adapter):
        for delay in range(0, 9_000, 700):
            bench = new_bench(verify="fast", stall_ns=5_000, timeout_ns=50_000).start()
            bench.nic.hold_tx = True
            bench.binding.send(frame(0))
            binding = bench.binding
            task = bench.clock.start(operation(bench.stack.adapter))
            bench.run(delay)
            bench.nic.gone = True
            removal = bench.clock.start(ndis.surprise_remove_adapter(bench.stack.adapter))
            bench.run(500_000)
            assert task.done()
            assert removal.done()
            assert binding.statistics().completed == 1
            bench.stop()


@pytest.mark.rule("ST-17")
def test_a_nic_that_reads_all_ones_is_found_missing_by_the_hang_check(new_bench, frame):
    bench = new_bench(profile=ndis.Profile(check_for_hang=True, check_for_hang_ns=100_000)).start()
    bench.nic.gone = True
    bench.run(300_000)
    assert bench.stack.host.adapters == []
    bench.stop()


@pytest.mark.rule("ST-18")
def test_after_halt_there_is_no_register_access_no_interrupt_and_no_dma(new_bench, frame):
    bench = new_bench().start()
    bench.nic.inject(*[frame(i) for i in range(5)])
    bench.binding.send(*[frame(i) for i in range(5)])
    bench.stop()
    accesses = len(bench.nic.writes), len(bench.nic.reads)
    bench.nic.inject(frame(9))
    bench.nic.set_link(False)
    bench.run(1_000_000)
    assert (len(bench.nic.writes), len(bench.nic.reads)) == accesses
    assert all(handler is None for handler in bench.nic.handlers.values())


def test_shutdown_stops_the_nic_with_one_write(new_bench):
    bench = new_bench().start()
    writes = len(bench.nic.writes)
    ndis.shutdown_adapter(bench.stack.adapter)
    assert bench.nic.writes[writes:] == [(regs.CTRL, regs.CTRL_SOFT_RESET)]
