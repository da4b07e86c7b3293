# SPDX-License-Identifier: Apache-2.0
"""Each mutant of the twin breaks one promise of the datasheet; the suite's check for that promise catches it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hilnic.hw import regs
from hilnic.hw.device import DeviceFault
from hilnic.hw.regs import Cause, CompletionStatus, QueueState
from hilnic.hw.timing import TimingModel
from hilnic.model import completer, mac, nic, rx, tx
from hilnic.model import filter as rx_filter
from hilnic.model.fetch import Fetch
from hilnic.model.interrupts import Interrupts
from hilnic.model.queue import Queue
from hilnic.model.registers import Registers
from hilnic.model.scheduler import Scheduler
from hilnic.model.statistics import Counters
from hilnic.testing.check_device import CheckBench, run_check


def _always(value: object) -> Callable[..., object]:
    return lambda *_arguments, **_named: value


def _unmasked_fire(self: Interrupts, queue: Queue) -> None:
    self._send(queue.vector)


def _rearm_quietly(self: Interrupts, queue: Queue, consumer: int) -> None:
    queue.masked, queue.reported = False, consumer


def _fire_without_counting(self: Interrupts, queue: Queue) -> None:
    if not queue.masked:
        self._fire(queue)


def _flush_quietly(self: Interrupts, queue: Queue) -> None:
    queue.masked = True
    self._cancel_timer(queue)


def _never_disarm(self: Interrupts) -> None:
    standing = self._registers.value(regs.MISC_CAUSE) & self._registers.value(regs.MISC_ENABLE)
    if standing:
        self._send(0)


def _pad_looped(self: rx.Rx, data: bytes) -> None:
    self._ingress(mac.Carrier(data.ljust(60, b"\0"), max(len(data) + 4, 64)), looped=True)


def _break_without_cause(self: rx.Rx, frame: rx.RxFrame) -> None:
    frame.written = True
    self._leave(frame)
    self._drain()


def _count_response_alone(self: rx.Rx, frame: rx.RxFrame, _ok: bool) -> None:
    frame.writing -= 1
    self._drain()


def _claim_early(self: rx.Rx, frame: rx.RxFrame) -> bool:
    queue = frame.queue
    assert queue is not None
    if not queue.posted:
        return False
    frame.needed = -(-len(frame.data) // queue.buf_size)
    queue.busy += 1
    self._records.append(frame)
    return True


def _judge(**wrong: object) -> Callable[..., mac.Carrier]:
    original = mac.judge
    return lambda frame, longest, keep: replace(original(frame, longest, keep), **wrong)  # type: ignore[arg-type]


def _status_without(bit: CompletionStatus) -> Callable[..., CompletionStatus]:
    original = rx.Rx._status
    return lambda self, frame, number: original(self, frame, number) & ~bit


def _fixed_priority(self: Scheduler) -> Queue | None:
    ready = [queue for queue in self._listed if queue.state is QueueState.ENABLED and queue.cache]
    return min(ready, key=lambda queue: queue.number, default=None)


def _disable_at_once(self: nic.ModelNic, queue: Queue) -> None:
    if queue.state is QueueState.DISABLING:
        queue.finish_disable()


def _soft_reset_everything(self: Registers, *, hard: bool = True) -> None:
    for offset in self._table:
        self._values[offset] = self._after_reset(offset)


def _unlocked(self: Queue, offset: int, value: int) -> None:
    self._page[offset] = value & self._table[offset].fields[0].mask


def _read_without_latch(self: Counters, index: int, high: bool) -> int:
    return self._values[index] >> (32 if high else 0) & 0xFFFF_FFFF


def _read_zero(self: nic.ModelNic, offset: int) -> int:
    found = _read(self, offset)
    return 0 if found is None else found


_read = nic.ModelNic._read


def _believe_any_doorbell(self: Queue, index: int) -> bool:
    if self.state is QueueState.ENABLED:
        self.producer = index
    return self.state is QueueState.ENABLED


def _visible_before_written(self: completer.Completer, queue: Queue, *arguments: Any, **named: Any) -> None:
    number = queue.cpl_next
    _write(self, queue, *arguments, **named)
    queue.cpl_produced = number + 1
    self._interrupts.completed(queue)


_write = completer.Completer.write


def _swallow(self: Counters, index: int, amount: int = 1) -> None:
    if index != 14 or len(self._values) < 30:
        _add(self, index, amount)


_add = Counters.add


def _count_twice(self: Counters, index: int, amount: int = 1) -> None:
    _add(self, index, amount + (index == 2 and len(self._values) > 30))


def _fetch_error_is_ignored(self: Fetch, queue: Queue, count: int, data: bytes | None) -> None:
    _arrived(self, queue, count, data or bytes(16 * count))


_arrived = Fetch._arrived

# what is wrong: (owner, name, replacement, the check that sees it)
MUTANTS: dict[str, tuple[object, str, Any, str]] = {
    "padding off": (mac, "SHORTEST_WIRE", 18, "tx_sends_every_length"),
    "FCS unchecked": (rx, "judge", _judge(fcs_bad=False), "rx_drops_and_counts_bad_frames"),
    "rx_er ignored": (rx, "judge", _judge(rx_er=False), "rx_drops_and_counts_bad_frames"),
    "runts pass": (rx, "judge", _judge(runt=False), "rx_drops_and_counts_bad_frames"),
    "oversize passes": (rx, "judge", _judge(oversize=False), "rx_drops_and_counts_bad_frames"),
    "tags not known on receive": (mac, "_TAGS", (), "rx_takes_tagged_and_jumbo_frames"),
    "tags not known on transmit": (tx, "_TAGS", (), "tx_keeps_to_the_longest_frame"),
    "gap ignored": (mac.Mac, "_gap", _always(8), "tx_keeps_the_inter_frame_gap"),
    "longest frame one too long": (tx.Tx, "_longest", _always(1515), "tx_keeps_to_the_longest_frame"),
    "short frames pass": (tx, "HEADER_OCTETS", 1, "tx_refuses_malformed_frames_one_by_one"),
    "descriptors unchecked": (tx, "_malformed", _always(Cause.NONE), "tx_refuses_malformed_frames_one_by_one"),
    "fixed priority": (Scheduler, "next", _fixed_priority, "tx_queues_take_turns"),
    "phase stuck": (completer, "phase_of", _always(1), "tx_wraps_at_two_to_the_32"),
    "everything passes the filter": (
        rx,
        "look_up",
        _always(rx_filter.Verdict(True, 0)),
        "filter_rules_pass_what_they_name",
    ),
    "wrong hash": (rx_filter, "hash_index", lambda a: a[5] & 63, "filter_rules_pass_what_they_name"),
    "exact table cut short": (rx_filter.regs, "EXACT_ENTRIES", 16, "filter_walks_the_whole_exact_table"),
    "no auto-mask": (Interrupts, "_fire", _unmasked_fire, "interrupts_mask_themselves"),
    "re-arm never fires": (Interrupts, "rearm", _rearm_quietly, "interrupts_are_masked_until_the_first_rearm"),
    "no moderation": (Interrupts, "completed", _fire_without_counting, "moderation_counts_completions"),
    "no timer": (Interrupts, "_timed_out", _always(None), "moderation_has_a_timer"),
    "disable forgets interrupts": (Interrupts, "flush", _flush_quietly, "disable_reports_what_moderation_held_back"),
    "misc never disarms": (Interrupts, "look_at_misc", _never_disarm, "misc_reports_queue_errors_on_vector_0"),
    "interrupt before the response": (
        completer.Completer,
        "write",
        _visible_before_written,
        "interrupts_come_after_their_completion_is_visible",
    ),
    "a frame begun too early": (rx.Rx, "_claim", _claim_early, "rx_never_writes_part_of_a_frame"),
    "no EOP": (rx.Rx, "_status", _status_without(CompletionStatus.EOP), "rx_spreads_a_frame_over_buffers"),
    "no multicast bit": (
        rx.Rx,
        "_status",
        _status_without(CompletionStatus.MULTICAST),
        "filter_tells_the_kind_of_destination",
    ),
    "no loopback bit": (
        rx.Rx,
        "_status",
        _status_without(CompletionStatus.LOOPBACK),
        "loopback_returns_frames_and_leaves_the_wire_alone",
    ),
    "looped frames padded": (rx.Rx, "loop", _pad_looped, "loopback_returns_frames_and_leaves_the_wire_alone"),
    "disabled too early": (nic.ModelNic, "_look_at", _disable_at_once, "disable_answers_when_nothing_is_outstanding"),
    "any doorbell believed": (
        Queue,
        "ring_doorbell",
        _believe_any_doorbell,
        "a_producer_beyond_the_ring_stops_the_queue",
    ),
    "any configuration": (Queue, "_configuration_is_good", _always(True), "a_bad_configuration_is_refused_at_enable"),
    "configuration unlocked": (Queue, "configure", _unlocked, "configuration_is_locked_while_a_queue_is_enabled"),
    "scratch lost": (Registers, "reset", _soft_reset_everything, "soft_reset_restores_all_but_scratch"),
    "holes read zero": (nic.ModelNic, "_read", _read_zero, "unmapped_addresses_answer_with_an_error"),
    "no latch": (Counters, "read_word", _read_without_latch, "counters_are_64_bits_wide_and_latch"),
    "a drop uncounted": (Counters, "add", _swallow, "filter_rules_pass_what_they_name"),
    "a frame counted twice": (Counters, "add", _count_twice, "every_frame_is_counted_exactly_once"),
    "fetch errors ignored": (
        Fetch,
        "_arrived",
        _fetch_error_is_ignored,
        "a_bus_error_on_a_descriptor_fetch_stops_that_queue_alone",
    ),
    "a broken frame has no cause": (
        rx.Rx,
        "_break",
        _break_without_cause,
        "a_failed_rx_descriptor_fetch_in_mid_frame_returns_the_buffers_taken",
    ),
    "a fetch error hides a lost write": (
        rx.Rx,
        "_answered",
        _count_response_alone,
        "a_lost_data_write_outranks_a_failed_descriptor_fetch",
    ),
    "disabling stops the fetch of a begun frame": (
        rx.Rx,
        "is_taking",
        _always(False),
        "a_disable_in_mid_frame_lets_the_frame_end",
    ),
    "a stopped clock ignored": (
        tx.Tx,
        "_flushing",
        _always(False),
        "a_stopped_transmit_clock_does_not_hold_up_disable",
    ),
}


@pytest.mark.parametrize("what", MUTANTS)
def test_the_suite_catches(what: str, make_bench: Callable[..., CheckBench], monkeypatch: pytest.MonkeyPatch) -> None:
    owner, name, replacement, check = MUTANTS[what]
    monkeypatch.setattr(owner, name, replacement)
    slow_memory = TimingModel(write_response_ns=2000)
    bench = make_bench(timing=slow_memory)
    try:
        result = bench.clock.run(run_check(bench, check))  # type: ignore[attr-defined]
    except DeviceFault:
        return  # the IOMMU caught it first
    assert result.failure
