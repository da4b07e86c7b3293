# SPDX-License-Identifier: Apache-2.0
"""Claims about the looks by timer that take the place of interrupts under load (RG-06)."""

import pytest

from hilnic import ndis
from hilnic.hw import regs
from hilnic.miniport.config import NicConfig
from hilnic.miniport.interrupt import QueuePoller
from hilnic.ndis import NdisStatus

RINGS = {"tx_ring": 256, "rx_ring": 256, "rx_buffers": 512}
LINE_NS = 672  # a shortest frame
INTERVAL_NS = 10_000
REARM = regs.rx_rearm(0)


@pytest.fixture
def arrivals(make_bench, frame):
    """arrivals(times, **config): how long after its injection at one of these times each frame comes up; the bench."""

    def measure(times, **config):
        indicated = []

        def receive(binding, nbls, count, flags):
            indicated.extend([bench.clock.now_ns()] * count)
            binding.return_nbls(nbls)

        bench = make_bench(on_receive=receive, verify="fast", **(RINGS | config))
        start = bench.clock.now_ns()
        for number, time in enumerate(times):
            bench.clock.call_at(start + time, lambda number=number: bench.nic.inject(frame(number)))
        bench.run(max(times) + 50_000)
        return [seen - start - time for seen, time in zip(indicated, times, strict=True)], bench

    return measure


def interrupts(bench):
    """Re-arms of the receive queue: an interrupt came before each but the first."""
    return len(bench.doorbells(REARM))


@pytest.mark.rule("RG-06")
@pytest.mark.parametrize("delay", range(0, 25_000, 970))
def test_a_frame_at_any_moment_of_the_polling_is_handled(arrivals, delay):
    waits, _ = arrivals(sorted([*range(0, 20 * LINE_NS, LINE_NS), delay]))
    assert max(waits) < INTERVAL_NS + 2_000


@pytest.mark.rule("RG-06")
@pytest.mark.parametrize("spared", range(4))
def test_mutant_that_drops_the_timer_forgets_a_frame(arrivals, monkeypatch, spared):
    """The claim above fails for it: a timer that is never set, or not set again, leaves frames in the ring."""
    set_timer, calls = ndis.set_timer_object, []

    def dropped(timer, delay_ns, period_ns=0):
        calls.append(delay_ns)
        if len(calls) <= spared:
            set_timer(timer, delay_ns, period_ns)

    monkeypatch.setattr(ndis, "set_timer_object", dropped)
    with pytest.raises(ValueError, match="zip"):
        arrivals(range(0, 100 * LINE_NS, LINE_NS))
    assert len(calls) > spared


def test_load_is_served_by_a_look_every_ten_microseconds(arrivals):
    load = range(0, 300 * LINE_NS, LINE_NS)
    waits, polled = arrivals(load)
    _, interrupted = arrivals(load, poll_ns=0)
    assert max(waits) < INTERVAL_NS + 2_000
    assert interrupts(polled) < 6
    assert interrupts(interrupted) > 100
    looks = 300 * LINE_NS // INTERVAL_NS
    assert polled.stack.cpu.statistics().dpcs < looks + 8


def test_polling_outlasts_a_load_that_falls_to_two_thirds(arrivals):
    load = [*range(0, 60 * LINE_NS, LINE_NS), *range(60 * LINE_NS, 200_000, 1_000)]
    assert interrupts(arrivals(load)[1]) < 6


def test_polling_ends_with_a_load_that_falls_to_a_quarter(arrivals):
    load = [*range(0, 60 * LINE_NS, LINE_NS), *range(60 * LINE_NS, 200_000, 4 * LINE_NS)]
    assert interrupts(arrivals(load)[1]) > 40


def test_a_message_of_another_queue_leaves_the_look_to_the_timer(make_bench):
    looks, found = [], [20, 20, 0]

    class Queues:
        queues_running = True

        def collect(self, budget):
            looks.append(bench.clock.now_ns() - start)
            return found[len(looks) - 1], False

        def rearm(self):
            looks.append("re-armed")

    bench = make_bench(verify="fast")
    start = bench.clock.now_ns()
    poller = QueuePoller(bench.stack.adapter, NicConfig(**RINGS), Queues())
    assert not poller.interrupt(64)
    for _ in range(3):
        assert not poller.interrupt(64)
    bench.run(30_000)
    assert looks == [0, INTERVAL_NS, 2 * INTERVAL_NS, "re-armed"]
    poller.free()


def test_a_frame_that_comes_alone_never_waits(arrivals):
    times = range(0, 200_000, 2_500)
    waits, _ = arrivals(times)
    assert waits == arrivals(times, poll_ns=0)[0]


def test_pairs_of_frames_wait_seldom(arrivals):
    """A pair looks like the beginning of load; each mistake makes the driver more careful."""
    waits, _ = arrivals([time + second for time in range(0, 400 * 5_000, 5_000) for second in (0, 0)])
    assert 0 < sum(wait > 3_000 for wait in waits) < 30


@pytest.mark.parametrize("ring", [2, 4, 16, 64])
def test_a_small_ring_is_looked_at_before_it_is_full(arrivals, ring):
    """Every eighth of the time in which it fills, or after each interrupt when that is too little."""
    load = range(0, 400 * LINE_NS, LINE_NS)
    waits, _ = arrivals(load, rx_ring=ring)
    immediate, _ = arrivals(load, rx_ring=ring, poll_ns=0)
    assert max(waits) <= max(immediate) + ring * LINE_NS // 8


@pytest.mark.rule("ST-17", "ST-18")
@pytest.mark.parametrize("end", ["halt", "remove", "pause", "reset"])
@pytest.mark.parametrize("moment", range(0, 12_000, 1_500))
def test_a_timer_that_runs_when_the_queues_stop_is_harmless(new_bench, frame, end, moment):
    bench = new_bench(**RINGS).start()
    for number in range(40):
        bench.clock.call_at(bench.clock.now_ns() + number * LINE_NS, lambda n=number: bench.nic.inject(frame(n)))
    bench.run(12_000 + moment)
    adapter = bench.stack.adapter
    if end == "remove":
        bench.nic.gone = True
        ndis.remove_miniport(adapter)
        written = len(bench.nic.writes)
        bench.run()
        assert len(bench.nic.writes) == written
    elif end == "pause":
        bench.wait(ndis.pause_adapter(adapter))
        written = len(bench.nic.writes)
        bench.run()
        assert len(bench.nic.writes) == written
        assert bench.wait(ndis.restart_adapter(adapter)) == NdisStatus.SUCCESS
    elif end == "reset":
        assert bench.wait(ndis.reset_adapter(adapter)) == NdisStatus.SUCCESS
    if end in {"pause", "reset"}:
        bench.run()
        del bench.binding.received[:]
        for number in range(40):
            bench.clock.call_at(bench.clock.now_ns() + number * LINE_NS, lambda n=number: bench.nic.inject(frame(n)))
        bench.run(100_000)
        assert bench.binding.received == [frame(n) for n in range(40)]
    bench.stop()


def test_transmit_completions_are_polled_too(make_bench, frame):
    bench = make_bench(verify="fast", **RINGS)
    bench.nic.on_send = lambda data: None
    for number in range(100):
        at = bench.clock.now_ns() + number * LINE_NS
        bench.clock.call_at(at, lambda n=number: bench.binding.send(frame(n)))
    bench.run(100 * LINE_NS)
    bench.idle()
    bench.run()
    assert len(bench.nic.sent) == 100
    assert len(bench.doorbells(regs.tx_rearm(0))) < 6
