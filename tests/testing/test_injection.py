# SPDX-License-Identifier: Apache-2.0
"""V11 and the special pool: what is injected comes when it should, and what is broken is named."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, Oid, Profile
from hilnic.testing import NdisBench
from hilnic.testing.injection import refuse, shuffle
from hilnic.testing.special_pool import PoolCorruption


@pytest.mark.parametrize("kth", [1, 3])
def test_the_kth_allocation_fails_and_no_other(kth):
    b = NdisBench()
    failed = refuse(b, kth=kth)
    outcome = []
    for _ in range(4):
        try:
            b.kernel.allocate(64)
            outcome.append(True)
        except MemoryError:
            outcome.append(False)
    assert outcome == [n != kth for n in range(1, 5)]
    assert failed() == 1


def test_a_share_fails_by_seed():
    def failures(seed):
        b = NdisBench()
        refuse(b, share=0.3, seed=seed)
        found = []
        for n in range(100):
            try:
                b.kernel.allocate(8)
            except MemoryError:
                found.append(n)
        return found

    assert failures(1) == failures(1) != failures(2)
    assert 10 < len(failures(1)) < 60


def test_a_retreat_without_memory_is_undone():
    b = NdisBench()
    nbl = b.fp.build(b.frame())
    refuse(b, kth=1)
    before = nbl.first_net_buffer.tobytes()
    assert ndis.retreat_net_buffer_data_start(nbl.first_net_buffer, 64) is NdisStatus.RESOURCES
    assert nbl.first_net_buffer.tobytes() == before


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_completions_end_each_send_once(seed):
    b = NdisBench(seed=seed)
    shuffle(b, seed)
    sent = [nbl for _ in range(10) for nbl in b.fp.send(*b.frames(3))]
    assert b.fp.completed == []
    b.run()
    completed = [nbl for nbl, _ in b.fp.completed]
    assert completed != sent
    assert sorted(nbl.id for nbl in completed) == sorted(nbl.id for nbl in sent)
    b.stop()


def test_requests_that_ndis_answers_itself_can_pend():
    b = NdisBench(profile=Profile(pend_requests=True, pend_open=True))
    request = ndis.query(Oid.OID_GEN_MAXIMUM_FRAME_SIZE, 4)
    assert ndis.oid_request(b.fp.open, request) is NdisStatus.PENDING
    b.run()
    assert b.fp.requests[-1] == (request, NdisStatus.SUCCESS)
    assert request.answer() == (1500).to_bytes(4, "little")
    b.stop()


def test_traffic_in_the_special_pool_is_clean():
    b = NdisBench(verify="full", completion="deferred")
    b.fp.send(*b.frames(3))
    b.run()
    b.fm.indicate(*b.frames(3))
    b.stop()


@pytest.mark.parametrize(("offset", "where"), [(-1, "before"), (64, "behind")])
def test_a_write_outside_of_a_region_is_named(offset, where):
    b = NdisBench(verify="full")
    region = b.kernel.allocate(64)
    region.whole.view[region.guard + offset] = 0
    with pytest.raises(PoolCorruption, match=f"written {where}"):
        b.special_pool.check()
    with pytest.raises(PoolCorruption, match=f"written {where}"):
        b.kernel.free(region)


def test_a_write_after_the_free_is_named():
    b = NdisBench(verify="full")
    region = b.kernel.allocate(64)
    b.kernel.free(region)
    b.special_pool.check()
    region.view[5] = 1
    with pytest.raises(PoolCorruption, match="written after its free"):
        b.stop()
    with pytest.raises(PoolCorruption, match="freed twice"):
        b.kernel.free(region)
