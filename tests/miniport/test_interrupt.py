# SPDX-License-Identifier: Apache-2.0
"""Claims about interrupts, DPCs and re-arming."""

import pytest

from hilnic import ndis
from hilnic.hw import regs


def test_the_data_path_reads_no_register(make_bench, frame):
    bench = make_bench(verify="fast")
    bench.run()
    reads = len(bench.nic.reads)
    for i in range(50):
        bench.binding.send(frame(i), frame(i, 300), fragments=2)
        bench.nic.inject(frame(i), frame(i, 1000))
        bench.run(3_000)
    bench.idle()
    bench.run()
    assert len(bench.binding.received) == 100
    assert len(bench.nic.reads) == reads


@pytest.mark.rule("RG-06")
@pytest.mark.parametrize("delay", range(0, 3000, 60))
def test_a_frame_between_the_last_look_and_the_unmasking_is_still_handled(new_bench, frame, delay):
    bench = new_bench(verify="fast").start()
    bench.nic.inject(frame(0))
    bench.clock.call_at(bench.clock.now_ns() + delay, lambda: bench.nic.inject(frame(1)))
    bench.run()
    assert bench.binding.received == [frame(0), frame(1)]
    bench.stop()


@pytest.mark.rule("IT-03")
def test_a_dpc_indicates_at_most_its_budget_and_queues_itself_again(make_bench, frame):
    counts = []

    def receive(binding, nbls, count, flags):
        counts.append(count)
        binding.return_nbls(nbls)

    bench = make_bench(on_receive=receive, dpc_budget=8, rx_ring=64, rx_buffers=64)
    bench.nic.inject(*[frame(i) for i in range(60)])
    bench.run()
    assert max(counts) == 8
    assert sum(counts) == 60
    assert bench.doorbells(regs.rx_rearm(0)) == [0, 60]  # unmasked only when nothing was left


@pytest.mark.rule("IT-03")
def test_ndiss_own_limit_binds_too(make_bench, frame):
    counts = []

    def receive(binding, nbls, count, flags):
        counts.append(count)
        binding.return_nbls(nbls)

    bench = make_bench(on_receive=receive, profile=ndis.Profile(max_nbls_to_indicate=3), rx_ring=64, rx_buffers=64)
    bench.nic.inject(*[frame(i) for i in range(20)])
    bench.run()
    assert max(counts) == 3
    assert sum(counts) == 20


def test_only_a_queue_that_may_be_masked_is_rearmed(bench, frame):
    tx, rx = regs.tx_rearm(0), regs.rx_rearm(0)
    assert bench.doorbells(tx) == [0]
    bench.nic.inject(frame(0))
    bench.run()
    assert (bench.doorbells(tx), bench.doorbells(rx)) == ([0], [0, 1])
    bench.binding.send(frame(1))
    bench.idle()
    bench.run()
    assert (bench.doorbells(tx), bench.doorbells(rx)) == ([0, 1], [0, 1])


def test_transmit_and_receive_share_one_dpc(bench, frame):
    bench.binding.send(frame(0))
    bench.nic.inject(frame(1))
    bench.run()
    assert bench.stack.cpu.statistics().dpcs <= 2
    assert bench.binding.received == [frame(1)]


def test_moderation_and_vector_are_programmed_as_configured(make_bench):
    bench = make_bench(vector=3, tx_ring=64, tx_moderation=(5, 77), rx_moderation=(9, 99))
    for page, (count, ticks) in ((regs.tx_page(0), (5, 77)), (regs.rx_page(0), (9, 99))):
        written = dict(bench.nic.writes)
        assert written[page + regs.QUEUE_MOD_COUNT] == count
        assert written[page + regs.QUEUE_MOD_TICKS] == ticks
        assert written[page + regs.QUEUE_VECTOR] == 3
    assert bench.nic.handlers[3] is not None


def test_a_small_ring_is_not_starved_by_moderation(make_bench):
    bench = make_bench(tx_ring=4, tx_moderation=(16, 1000))
    assert dict(bench.nic.writes)[regs.tx_page(0) + regs.QUEUE_MOD_COUNT] == 1
