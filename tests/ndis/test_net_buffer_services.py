# SPDX-License-Identifier: Apache-2.0
"""MD: whole lists at once, copies, memory that comes with a NET_BUFFER, contexts; the out-of-band helpers (IM-10)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.ndis import Mdl, NblInfo, NdisStatus
from hilnic.ndis.net_buffer import layout_error
from hilnic.testing.buffers import DATA, fail_after, frame, frames_of, host, mdls, nbl_of, snapshot
from hilnic.testing.frames import GARBAGE, build_nbl, free_nbl

cut_lists = st.lists(st.integers(0, 30), max_size=6)

# Retreat and advance.


@pytest.mark.rule("MD-02", "MD-07", "MD-05")
@given(
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 70), st.integers(0, 16)), max_size=20),
    cuts=cut_lists,
    head=st.integers(0, 20),
)
def test_any_walk_of_retreats_and_advances_keeps_the_bytes_and_ends_where_it_began(steps, cuts, head):
    nb = frame(cuts=cuts if sum(cuts) <= 180 else (), head=head)
    before, regions = snapshot(nb), set(nb.ndis.kernel.regions)
    out = 0
    for back, size, backfill in steps:
        if back:
            assert ndis.retreat_net_buffer_data_start(nb, size, backfill) is NdisStatus.SUCCESS
            out += size
        else:
            size = min(size, out)
            ndis.advance_net_buffer_data_start(nb, size)
            out -= size
        assert layout_error(nb) is None
        assert (nb.data_length, nb.tobytes()[out:]) == (200 + out, DATA)
    ndis.advance_net_buffer_data_start(nb, out)
    assert snapshot(nb) == before
    assert set(nb.ndis.kernel.regions) == regions


@pytest.mark.rule("MD-10")
def test_a_list_retreats_and_advances_as_each_of_its_frames_does():
    nbl = nbl_of(DATA, DATA[:50], DATA[:99], head=4)
    alone = frame(head=4)
    before = [snapshot(nb) for nb in nbl.net_buffers()]
    assert ndis.retreat_net_buffer_list_data_start(nbl, 30, 8) is NdisStatus.SUCCESS
    ndis.retreat_net_buffer_data_start(alone, 30, 8)
    first = nbl.first_net_buffer
    assert (first.data_offset, first.data_length, len(mdls(first))) == (alone.data_offset, 230, 2)
    assert [len(data) for data in frames_of(nbl)] == [230, 80, 129]
    ndis.advance_net_buffer_list_data_start(nbl, 30)
    assert [snapshot(nb) for nb in nbl.net_buffers()] == before


@pytest.mark.rule("MD-10", "MD-06")
@pytest.mark.parametrize("own_handlers", [False, True])
@pytest.mark.parametrize("failing", range(5))
def test_a_retreat_that_fails_in_the_middle_is_as_if_it_had_not_begun(failing, own_handlers):
    nbl = nbl_of(*[DATA[: 60 + n] for n in range(5)], head=2)
    kernel = nbl.ndis.kernel
    before, regions, live = [snapshot(nb) for nb in nbl.net_buffers()], set(kernel.regions), set(nbl.ndis.mdls)

    def allocate(size: int) -> Mdl:
        return ndis.allocate_mdl(nbl.ndis, kernel.allocate(size))

    def free(mdl: Mdl) -> None:
        region = mdl.region
        ndis.free_mdl(mdl)
        kernel.free(region)

    fail_after(kernel, failing)
    handlers = (allocate, free) if own_handlers else ()
    assert ndis.retreat_net_buffer_list_data_start(nbl, 20, 4, *handlers) is NdisStatus.RESOURCES
    assert [snapshot(nb) for nb in nbl.net_buffers()] == before
    assert (set(kernel.regions), set(nbl.ndis.mdls)) == (regions, live)


@pytest.mark.rule("MD-10")
def test_a_roll_back_leaves_an_old_front_mdl_alone():
    nbl = nbl_of(DATA, DATA)
    first, second = nbl.net_buffers()
    ndis.retreat_net_buffer_data_start(first, 30)
    ndis.advance_net_buffer_data_start(first, 30, free_mdl=False)
    before = snapshot(first)
    nbl.ndis.kernel.fail_allocations = 1
    assert ndis.retreat_net_buffer_list_data_start(nbl, 30) is NdisStatus.RESOURCES
    assert snapshot(first) == before
    assert snapshot(second)[1] == 200


# Copies.


@pytest.mark.rule("MD-15")
@given(
    cuts=st.tuples(cut_lists, cut_lists),
    heads=st.tuples(st.integers(0, 20), st.integers(0, 20)),
    sizes=st.tuples(st.integers(180, 200), st.integers(180, 200)),
    offsets=st.tuples(st.integers(0, 210), st.integers(0, 210)),
    number=st.integers(0, 250),
)
def test_a_copy_is_the_one_that_bytes_would_make(cuts, heads, sizes, offsets, number):
    target = frame(bytes(sizes[0]), cuts[0] if sum(cuts[0]) <= 180 else (), heads[0], tail=9)
    source = frame(DATA[: sizes[1]], cuts[1] if sum(cuts[1]) <= 180 else (), heads[1], tail=9)
    fields = snapshot(target)[:5]
    expected = bytearray(sizes[0])
    piece = DATA[: sizes[1]][offsets[1] :][:number][: max(0, sizes[0] - offsets[0])]
    expected[offsets[0] : offsets[0] + len(piece)] = piece
    status, copied = ndis.copy_from_net_buffer_to_net_buffer(target, offsets[0], number, source, offsets[1])
    assert (status, copied) == (NdisStatus.SUCCESS, len(piece))
    assert target.tobytes() == expected
    assert snapshot(target)[:5] == fields
    assert bytes(mdls(target)[-1].view)[-9:] == bytes([GARBAGE]) * 9
    assert source.tobytes() == DATA[: sizes[1]]


@pytest.mark.rule("MD-15")
def test_a_copy_within_one_frame_reads_before_it_writes():
    nb = frame(cuts=[7, 50])
    assert ndis.copy_from_net_buffer_to_net_buffer(nb, 10, 100, nb, 0) == (NdisStatus.SUCCESS, 100)
    assert nb.tobytes() == DATA[:10] + DATA[:100] + DATA[110:]


@pytest.mark.rule("MD-15")
@pytest.mark.parametrize("numbers", [(-1, 5, 0), (0, -5, 0), (0, 5, -1)])
def test_a_copy_with_a_negative_number_is_refused(numbers):
    nb = frame()
    assert ndis.copy_from_net_buffer_to_net_buffer(nb, *numbers[:2], nb, numbers[2]) == (
        NdisStatus.INVALID_PARAMETER,
        0,
    )
    assert nb.tobytes() == DATA


# Memory that comes with a NET_BUFFER, and who frees what.


@pytest.mark.rule("MD-18", "MD-04")
def test_a_net_buffer_with_memory_is_filled_by_retreat_and_freed_whole():
    made, _ = host()
    pool = ndis.allocate_net_buffer_pool(made, "frames", data_size=128)
    regions = set(made.kernel.regions)
    nb = ndis.allocate_net_buffer_mdl_and_data(pool)
    assert (nb.data_length, ndis.chain_length(nb.mdl_chain)) == (0, 128)
    assert ndis.retreat_net_buffer_data_start(nb, 60) is NdisStatus.SUCCESS
    ndis.get_data_buffer(nb, 60)[:] = DATA[:60]
    assert (nb.tobytes(), len(mdls(nb))) == (DATA[:60], 1)
    ndis.free_net_buffer(nb)
    ndis.free_net_buffer_pool(pool)
    assert set(made.kernel.regions) == regions


@pytest.mark.rule("MD-18", "MD-17")
def test_an_nbl_with_memory_is_freed_whole():
    made, _ = host()
    parameters = ndis.NetBufferListPoolParameters(data_size=64)
    pool = ndis.allocate_net_buffer_list_pool(made, parameters)
    regions = set(made.kernel.regions)
    nbl = ndis.allocate_net_buffer_list(pool)
    assert ndis.chain_length(nbl.first_net_buffer.mdl_chain) == 64
    ndis.free_net_buffer_list(nbl)
    ndis.free_net_buffer_list_pool(pool)
    assert set(made.kernel.regions) == regions
    made.check_leaks()


def test_without_memory_or_data_size_there_is_no_net_buffer():
    made, _ = host()
    plain, sized = ndis.allocate_net_buffer_pool(made), ndis.allocate_net_buffer_pool(made, data_size=64)
    assert ndis.allocate_net_buffer_mdl_and_data(plain) is None
    made.kernel.fail_allocations = 1
    assert ndis.allocate_net_buffer_mdl_and_data(sized) is None
    assert not sized.live


@pytest.mark.rule("MD-18")
def test_freeing_an_nbl_leaves_foreign_frames_and_mdls_to_their_owner():
    made, pool = host()
    nb_pool = ndis.allocate_net_buffer_pool(made)
    nbl = build_nbl(pool, DATA)
    chain = mdls(nbl.first_net_buffer)
    extra = nbl.first_net_buffer.next = ndis.allocate_net_buffer(nb_pool, chain[0], 0, 200)
    ndis.free_net_buffer_list(nbl)
    assert not pool.live
    assert list(nb_pool.live) == [extra]
    assert list(made.mdls) == chain
    ndis.free_net_buffer(extra)
    ndis.free_mdl(chain[0])
    ndis.free_net_buffer_pool(nb_pool)
    made.check_leaks()


@pytest.mark.parametrize(
    ("at", "length", "pages"), [(0, 4096, 1), (1, 4096, 2), (4095, 2, 2), (4000, 96, 1), (5, 0, 0)]
)
def test_the_physical_count_is_the_number_of_pages_touched(at, length, pages):
    made, pool = host()
    region = made.kernel.allocate(3 * 4096, 4096)
    mdl = ndis.allocate_mdl(made, region, 0, 3 * 4096)
    nbl = ndis.allocate_net_buffer_and_net_buffer_list(pool, 0, 0, mdl, at, length)
    assert ndis.query_net_buffer_physical_count(nbl.first_net_buffer) == pages


# Contexts.


@pytest.mark.rule("MD-19")
def test_a_context_is_a_stack_of_private_pieces():
    nbl = nbl_of(DATA)
    regions = set(nbl.ndis.kernel.regions)
    assert ndis.net_buffer_list_context_data_size(nbl) == 0
    for size, mark in ((32, 1), (16, 2), (48, 3)):
        assert ndis.allocate_net_buffer_list_context(nbl, size, 16) is NdisStatus.SUCCESS
        ndis.net_buffer_list_context_data_start(nbl)[:size] = bytes([mark]) * size
    for size, mark in ((48, 3), (16, 2), (32, 1)):
        assert bytes(ndis.net_buffer_list_context_data_start(nbl)[:size]) == bytes([mark]) * size
        ndis.free_net_buffer_list_context(nbl, size)
    assert nbl.context is None
    assert set(nbl.ndis.kernel.regions) == regions


@pytest.mark.rule("MD-19")
def test_unused_context_serves_the_next_driver_without_new_memory():
    _, pool = host()
    nbl = ndis.allocate_net_buffer_list(pool, 16, 64)
    kernel = nbl.ndis.kernel
    kernel.fail_allocations = 1
    assert (len(nbl.context), ndis.net_buffer_list_context_data_size(nbl)) == (80, 16)
    assert ndis.allocate_net_buffer_list_context(nbl, 64) is NdisStatus.SUCCESS
    assert ndis.net_buffer_list_context_data_size(nbl) == 80
    assert ndis.allocate_net_buffer_list_context(nbl, 16) is NdisStatus.RESOURCES
    ndis.free_net_buffer_list_context(nbl, 64)
    assert ndis.net_buffer_list_context_data_size(nbl) == 16
    ndis.free_net_buffer_list(nbl)


# Out-of-band data (IM-10): each slot by name, and which helper takes it.

CHECKSUM_TO_LSO = ["TCP_IP_CHECKSUM", "IPSEC_V1", "TCP_LARGE_SEND"]
BOTH_WAYS = [*CHECKSUM_TO_LSO, "IEEE_8021Q", "MEDIA_SPECIFIC", "FRAME_TYPE", "IPSEC_V2_TUNNEL", "IPSEC_V2_HEADER"]
COPIED = {
    ndis.copy_send_net_buffer_list_info: {*BOTH_WAYS, "CANCEL_ID", "FILTERING_INFO"},
    ndis.copy_receive_net_buffer_list_info: {*BOTH_WAYS, "HASH_VALUE", "HASH_INFO", "FILTERING_INFO"},
}


@pytest.mark.rule("IM-10", "OF-15")
@pytest.mark.parametrize("slot", list(NblInfo), ids=lambda slot: slot.name)
@pytest.mark.parametrize("helper", list(COPIED), ids=["send", "receive"])
def test_each_helper_copies_the_slots_of_its_direction_and_no_other(helper, slot):
    _, pool = host()
    source, target = build_nbl(pool, DATA), build_nbl(pool, DATA)
    for number in range(ndis.NBL_INFO_SLOTS):
        source.net_buffer_list_info[number] = ("source", number)
        target.net_buffer_list_info[number] = ("target", number)
    helper(target, source)
    side = "source" if slot.name in COPIED[helper] else "target"
    assert target.net_buffer_list_info[slot] == (side, int(slot))
    assert source.net_buffer_list_info[slot] == ("source", int(slot))


@pytest.mark.rule("CN-07")
def test_a_cancel_id_lies_in_its_slot():
    nbl = nbl_of(DATA)
    assert not ndis.get_net_buffer_list_cancel_id(nbl)
    ndis.set_net_buffer_list_cancel_id(nbl, 0x0700_0001)
    assert ndis.get_net_buffer_list_cancel_id(nbl) == nbl.net_buffer_list_info[NblInfo.CANCEL_ID] == 0x0700_0001


def test_what_is_freed_by_its_owner_leaks_nothing():
    made, pool = host()
    nbl = build_nbl(pool, DATA, DATA[:20], cuts=[3, 9])
    free_nbl(nbl)
    made.check_leaks()
    assert not made.kernel.regions
