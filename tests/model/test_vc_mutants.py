# SPDX-License-Identifier: Apache-2.0
"""Each mutant of the twin breaks one promise about virtual connections; the check for that promise catches it."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hilnic.hw.device import DeviceFault
from hilnic.model import scheduler
from hilnic.model.bucket import Bucket
from hilnic.model.build import Build
from hilnic.model.queue import Queue
from hilnic.model.rx import Rx, RxFrame
from hilnic.model.scheduler import Scheduler
from hilnic.model.statistics import Counters
from hilnic.model.tx import Tx
from hilnic.model.vc import Contract, Vc, VcTable
from hilnic.testing.check_device import CheckBench, run_check

BUILD = Build(num_tx_queues=8, num_rx_queues=8, num_vcs=64)


def _tag_kept(self: Rx, *arguments: Any) -> RxFrame:
    frame = _framed(self, *arguments)
    return replace(frame, data=arguments[0].data)


_framed = Rx._framed


def _half_charge(self: Bucket, begin: int, octets: int) -> None:
    _charge(self, begin, octets // 2)


def _bottomless(self: Bucket, begin: int, octets: int) -> None:
    del begin
    self.opens += octets * self._interval


_charge = Bucket.charge


def _rate_alone(self: Contract, now: int, running: dict[str, Bucket]) -> dict[str, Bucket]:
    return {name: bucket for name, bucket in _buckets(self, now, running).items() if name == "rate"}


_buckets = Contract.buckets


def _one_ring(self: Scheduler, queue: Queue) -> deque[Queue]:
    del queue
    return self._rings[1]


def _frames_for_octets(self: Scheduler, queue: Queue, octets: int) -> None:
    _account(self, queue, octets)
    self._account[queue] += octets - 300


_account = Scheduler.charge


def _off_at_once(self: VcTable, vc: Vc) -> None:
    vc.under_way = 0
    _look_at(self, vc)
    vc.under_way = 1000


_look_at = VcTable._look_at


def _still_mapped(self: VcTable, vc: Vc) -> None:
    mapped = dict(self._of_vid)
    _deactivate(self, vc)
    self._of_vid.update(mapped)


_deactivate = VcTable._deactivate


def _waits_like_others(self: Rx, frame: RxFrame) -> Any:
    return _reason(self, replace(frame, vc=None))


_reason = Rx._reason_to_drop


def _anything_goes(self: VcTable, vc: Vc, wanted: Contract) -> None:
    vc.contract = wanted
    vc.buckets = wanted.buckets(self.now(), vc.buckets)


def _old_contract(self: VcTable, vc: Vc, wanted: Contract) -> None:
    vc.contract = replace(wanted, interval=vc.contract.interval if vc.contract else 0)


def _old_depth(self: VcTable, vc: Vc, wanted: Contract) -> None:
    _change(self, vc, replace(wanted, burst=vc.contract.burst if vc.contract else wanted.burst))


_change = VcTable._change


def _old_debt(self: Contract, now: int, running: dict[str, Bucket]) -> dict[str, Bucket]:
    fresh = _buckets(self, now, running)
    for name in fresh.keys() & running.keys():
        fresh[name].opens = running[name].opens
    return fresh


def _whoever_has_frames(queue: Queue) -> bool:
    return bool(queue.cache)


def _never_too_long(self: Tx, frame: Any, eop: bool) -> Any:
    frame.contract = replace(frame.contract, max_frame=65535) if frame.contract else None
    return _bad_as_a_whole(self, frame, eop)


_bad_as_a_whole = Tx._bad_as_a_whole


def _constant(value: object) -> Callable[..., object]:
    return lambda *_arguments: value


# what is wrong: (owner, name, replacement, the check that sees it)
MUTANTS: dict[str, tuple[object, str, Any, str]] = {
    "no tag": (Contract, "tag", b"", "sent_frames_carry_the_tag"),
    "another tag": (Contract, "tag", b"\x81\x00\x0a\xbc", "sent_frames_carry_the_tag"),
    "tag kept on receive": (Rx, "_framed", _tag_kept, "received_frames_lose_their_tag"),
    "VLAN ids not mapped": (VcTable, "of_frame", _constant(None), "received_frames_lose_their_tag"),
    "half the charge": (Bucket, "charge", _half_charge, "a_vc_keeps_its_rate_and_its_burst"),
    "a bucket without a rim": (Bucket, "charge", _bottomless, "a_rested_vc_has_its_burst_again_and_no_more"),
    "no peak": (Contract, "buckets", _rate_alone, "the_peak_bounds_the_burst"),
    "no guarantee": (Scheduler, "_ring", _one_ring, "guaranteed_contracts_hold_under_the_overload_of_others"),
    "turns of frames": (
        Scheduler,
        "charge",
        _frames_for_octets,
        "the_line_is_shared_by_quantum_whatever_the_frame_lengths",
    ),
    "one quantum for all": (
        Scheduler,
        "_quantum",
        _constant(2048),
        "the_line_is_shared_by_quantum_whatever_the_frame_lengths",
    ),
    "off before it is drained": (
        VcTable,
        "_look_at",
        _off_at_once,
        "deactivation_ends_what_has_begun_and_starts_nothing",
    ),
    "off before what it has stored": (
        VcTable,
        "_look_at",
        _off_at_once,
        "what_is_stored_of_a_vc_is_delivered_before_it_is_off",
    ),
    "mapped while it drains": (VcTable, "_deactivate", _still_mapped, "a_vlan_id_is_free_while_its_last_owner_drains"),
    "leavings are sent": (
        scheduler,
        "_has_frame",
        _whoever_has_frames,
        "what_is_left_in_the_ring_of_a_dead_vc_is_not_sent",
    ),
    "frames of a VC wait": (Rx, "_reason_to_drop", _waits_like_others, "a_vc_without_buffers_holds_up_nobody"),
    "any change": (VcTable, "_change", _anything_goes, "an_impossible_page_is_refused_and_changes_nothing"),
    "the rate never changes": (VcTable, "_change", _old_contract, "a_new_contract_holds_from_the_next_frame_on"),
    "the bucket's depth never changes": (VcTable, "_change", _old_depth, "a_new_bucket_is_as_deep_as_it_says"),
    "an old debt is paid at the new rate": (
        Contract,
        "buckets",
        _old_debt,
        "a_new_contract_does_not_wait_for_the_old_one",
    ),
    "any activation": (VcTable, "_refusal", _constant(0), "an_impossible_page_is_refused_and_changes_nothing"),
    "any length": (Tx, "_bad_as_a_whole", _never_too_long, "a_vc_keeps_to_its_longest_frame"),
    "reset leaves VCs": (Vc, "reset", _constant(None), "soft_reset_ends_every_vc"),
    "counters go on": (Counters, "clear", _constant(None), "counters_of_a_vc_live_as_long_as_it_does"),
}


@pytest.mark.parametrize("what", MUTANTS)
def test_the_suite_catches(what: str, make_bench: Callable[..., CheckBench], monkeypatch: pytest.MonkeyPatch) -> None:
    owner, name, replacement, check = MUTANTS[what]
    bench = make_bench(BUILD)
    monkeypatch.setattr(owner, name, replacement)
    try:
        result = bench.clock.run(run_check(bench, check))  # type: ignore[attr-defined]
    except DeviceFault:
        return  # the IOMMU caught it first
    assert result.failure
