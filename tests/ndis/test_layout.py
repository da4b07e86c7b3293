# SPDX-License-Identifier: Apache-2.0
"""MD: MDL chains, NET_BUFFER fields, retreat and advance, NdisGetDataBuffer, clones, scatter/gather lists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.ndis import Mdl, Ndis, NdisStatus, NetBuffer
from hilnic.ndis.net_buffer import layout_error
from hilnic.testing import NdisBench, VirtualKernel, VirtualMapper
from hilnic.testing.frames import GARBAGE, build_nbl, free_nbl

DATA = bytes(range(1, 201))


def host() -> tuple[Ndis, ndis.NetBufferListPool]:
    made = Ndis(VirtualKernel())
    return made, ndis.allocate_net_buffer_list_pool(made, ndis.NetBufferListPoolParameters())


def frame(data: bytes = DATA, cuts: list[int] | None = None, head: int = 0, tail: int = 0) -> NetBuffer:
    _, pool = host()
    nb = build_nbl(pool, data, cuts=cuts or [], head=head, tail=tail).first_net_buffer
    assert nb is not None
    return nb


def gather(nb: NetBuffer) -> bytes:
    """The chain's bytes, the slow and obvious way."""
    return b"".join(bytes(mdl.view) for mdl in ndis.walk_mdls(nb.mdl_chain))


def mdls(nb: NetBuffer) -> list[Mdl]:
    return list(ndis.walk_mdls(nb.mdl_chain))


cut_lists = st.lists(st.integers(0, 30), max_size=6)


@pytest.mark.rule("MD-01", "MD-02", "MD-03")
@given(cuts=cut_lists, head=st.integers(0, 40), tail=st.integers(0, 20), size=st.integers(0, 200))
def test_used_data_is_data_length_bytes_from_data_offset(cuts, head, tail, size):
    nb = frame(DATA[:size], cuts if sum(cuts) <= head + size + tail else [], head, tail)
    assert gather(nb)[nb.data_offset : nb.data_offset + nb.data_length] == nb.tobytes() == DATA[:size]
    assert layout_error(nb) is None


@pytest.mark.rule("MD-03")
@pytest.mark.parametrize(("offset", "length"), [(0, 201), (1, 200), (-1, 10), (201, 0)])
def test_data_beyond_the_chain_is_an_error(offset, length):
    nb = frame()
    nb.data_offset, nb.data_length = offset, length
    assert layout_error(nb)[0] == "MD-03"


@pytest.mark.rule("MD-02")
def test_adjust_recomputes_the_current_mdl_from_the_offset():
    nb = frame(cuts=[10, 0, 20])
    nb.data_offset, nb.data_length = 10, 190
    ndis.adjust_net_buffer_current_mdl(nb)
    assert (nb.current_mdl, nb.current_mdl_offset) == (mdls(nb)[2], 0)
    assert layout_error(nb) is None


@pytest.mark.rule("MD-04")
@pytest.mark.parametrize("delta", [0, 1, 33])
def test_retreat_inside_the_head_moves_fields_only(delta):
    nb = frame(cuts=[5, 40], head=33)
    before = mdls(nb)
    assert ndis.retreat_net_buffer_data_start(nb, delta) is NdisStatus.SUCCESS
    assert (nb.data_offset, nb.data_length) == (33 - delta, 200 + delta)
    assert mdls(nb) == before
    assert layout_error(nb) is None


@pytest.mark.rule("MD-05")
def test_retreat_beyond_the_head_links_a_new_mdl_in_front():
    nb = frame(head=2)
    old = mdls(nb)
    assert ndis.retreat_net_buffer_data_start(nb, 20, backfill=16) is NdisStatus.SUCCESS
    assert nb.data_length == 220
    assert nb.data_offset >= 16
    assert nb.tobytes()[20:] == DATA
    assert nb.tobytes()[18:20] == bytes([GARBAGE]) * 2
    assert mdls(nb)[1:] == old
    assert layout_error(nb) is None


@pytest.mark.rule("MD-06")
def test_retreat_without_memory_changes_nothing():
    nb = frame(head=2)
    before = (nb.data_offset, nb.data_length, nb.current_mdl, nb.current_mdl_offset, mdls(nb))
    nb.ndis.kernel.fail_allocations = 1
    assert ndis.retreat_net_buffer_data_start(nb, 20) is NdisStatus.RESOURCES
    assert (nb.data_offset, nb.data_length, nb.current_mdl, nb.current_mdl_offset, mdls(nb)) == before


@pytest.mark.rule("MD-07", "MD-05", "MD-02")
@given(steps=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 16)), max_size=6), cuts=cut_lists)
def test_advance_undoes_retreat_and_frees_what_it_allocated(steps, cuts):
    nb = frame(cuts=cuts, head=10)
    start = (nb.data_offset, nb.data_length, nb.current_mdl, nb.current_mdl_offset, mdls(nb))
    regions = set(nb.ndis.kernel.regions)
    for delta, backfill in steps:
        assert ndis.retreat_net_buffer_data_start(nb, delta, backfill) is NdisStatus.SUCCESS
        assert layout_error(nb) is None
    for delta, _ in reversed(steps):
        ndis.advance_net_buffer_data_start(nb, delta)
        assert layout_error(nb) is None
    assert (nb.data_offset, nb.data_length, nb.current_mdl, nb.current_mdl_offset, mdls(nb)) == start
    assert set(nb.ndis.kernel.regions) == regions
    assert nb.tobytes() == DATA


@pytest.mark.rule("MD-07")
def test_advance_keeps_the_mdl_when_told_so():
    nb = frame()
    ndis.retreat_net_buffer_data_start(nb, 20)
    ndis.advance_net_buffer_data_start(nb, 20, free_mdl=False)
    assert len(mdls(nb)) == 2
    assert nb.tobytes() == DATA


@pytest.mark.rule("MD-08")
def test_custom_allocate_and_free_handlers_are_used_in_pairs():
    nb = frame()
    taken: list[Mdl] = []
    given_back: list[Mdl] = []

    def allocate(size: int) -> Mdl:
        taken.append(ndis.allocate_mdl(nb.ndis, nb.ndis.kernel.allocate(size)))
        return taken[-1]

    ndis.retreat_net_buffer_data_start(nb, 20, 0, allocate)
    ndis.advance_net_buffer_data_start(nb, 20, True, given_back.append)
    assert taken == given_back != []


@pytest.mark.rule("MD-11")
def test_get_data_buffer_of_more_than_there_is_gives_none():
    assert ndis.get_data_buffer(frame(), 201, bytearray(300)) is None


@pytest.mark.rule("MD-12")
@pytest.mark.parametrize("cut", range(15))
def test_a_header_cut_anywhere_is_readable_through_storage(cut):
    nb = frame(cuts=[cut])
    storage = bytearray(14)
    assert bytes(ndis.get_data_buffer(nb, 14, storage)) == DATA[:14]
    in_place = cut in {0, 14}
    assert (ndis.get_data_buffer(nb, 14) is not None) == in_place
    assert (storage == bytes(14)) == in_place


@pytest.mark.rule("MD-13")
def test_get_data_buffer_honours_the_alignment():
    nb = frame(cuts=[], head=2)  # regions are 64-aligned, the MDL begins at 16: the data at 18
    assert ndis.get_data_buffer(nb, 14, None, 4, 2) is not None
    assert ndis.get_data_buffer(nb, 14, None, 4, 0) is None


@pytest.mark.rule("MD-14")
def test_writing_into_a_copied_header_does_not_change_the_packet():
    nb = frame(cuts=[7])
    copy = ndis.get_data_buffer(nb, 14, bytearray(14))
    copy[:] = bytes(14)
    assert nb.tobytes() == DATA


@pytest.mark.rule("MD-22")
def test_a_clone_describes_the_same_bytes_from_the_used_data_on():
    _, pool = host()
    original = build_nbl(pool, DATA, DATA[:50], cuts=[3], head=8)
    clone = ndis.allocate_clone_net_buffer_list(original, pool)
    assert [nb.tobytes() for nb in clone.net_buffers()] == [DATA, DATA[:50]]
    assert clone.parent_net_buffer_list is original
    assert clone.context is None
    original.first_net_buffer.current_mdl.view[original.first_net_buffer.current_mdl_offset] = 0xEE
    mdl, offset, _ = next(clone.first_net_buffer.used())
    assert clone.first_net_buffer.data_offset == 0
    assert mdl.view[offset] in {0xEE, DATA[0]}
    ndis.free_clone_net_buffer_list(clone)


@pytest.mark.rule("MD-22")
def test_a_change_in_the_original_is_visible_in_the_clone():
    _, pool = host()
    original = build_nbl(pool, DATA)
    clone = ndis.allocate_clone_net_buffer_list(original, pool)
    original.first_net_buffer.mdl_chain.view[5] = 0xEE
    assert clone.first_net_buffer.tobytes()[5] == 0xEE


def sg_list_of(cuts: list[int], head: int, size: int = 200) -> tuple[NetBuffer, ndis.ScatterGatherList, VirtualMapper]:
    bench = NdisBench()
    mapper = VirtualMapper()
    lists: list[ndis.ScatterGatherList] = []
    description = ndis.ScatterGatherDmaDescription(mapper, lambda sg_list, context: lists.append(sg_list))
    _, dma = ndis.register_scatter_gather_dma(bench.fm.adapter, description)
    nb = build_nbl(bench.fp.pool, DATA[:size], cuts=cuts, head=head).first_net_buffer
    assert nb is not None
    ndis.allocate_net_buffer_sg_list(dma, nb, None)
    (sg_list,) = lists
    return nb, sg_list, mapper


@pytest.mark.rule("MD-26", "MD-27")
@given(cuts=cut_lists, head=st.integers(0, 60))
def test_an_sg_list_begins_at_the_current_mdl_and_covers_the_data(cuts, head):
    nb, sg_list, mapper = sg_list_of(cuts, head)
    regions = nb.ndis.kernel.regions

    def read(address: int, length: int) -> bytes:
        region = next(r for r in regions.values() if r.address <= address < r.address + len(r.view))
        return bytes(region.view[address - region.address :][:length])

    fetched = b"".join(read(*element) for element in sg_list.elements)
    assert sg_list.elements[0].address == nb.current_mdl.address
    assert fetched[nb.current_mdl_offset :] == DATA
    assert all(element.length for element in sg_list.elements)
    assert len(mapper.live) == len(sg_list.elements)


@pytest.mark.rule("MD-27")
def test_sixty_four_one_byte_mdls_with_empty_ones_between_are_legal():
    cuts = [1, 0] * 64
    nb, sg_list, _ = sg_list_of(cuts, 0)
    assert [element.length for element in sg_list.elements[:64]] == [1] * 64
    assert nb.tobytes() == DATA


@pytest.mark.rule("MD-21")
def test_an_emptied_pool_may_be_freed():
    made, pool = host()
    free_nbl(build_nbl(pool, DATA))
    ndis.free_net_buffer_list_pool(pool)
    made.check_leaks()


@pytest.mark.rule("MD-20")
def test_an_nbl_has_the_context_of_its_pool_and_the_one_it_asks_for():
    made = Ndis(VirtualKernel())
    pool = ndis.allocate_net_buffer_list_pool(made, ndis.NetBufferListPoolParameters(context_size=32))
    assert len(ndis.allocate_net_buffer_list(pool).context) == 32
    assert len(ndis.allocate_net_buffer_list(pool, 16, 48).context) == 96


def test_net_buffers_of_their_own_pool_can_be_chained():
    made, pool = host()
    nb_pool = ndis.allocate_net_buffer_pool(made, "frames")
    nbl = ndis.allocate_net_buffer_list(pool)
    nbl.first_net_buffer = ndis.allocate_net_buffer(nb_pool)
    assert [nb.data_length for nb in nbl.net_buffers()] == [0]
    ndis.free_net_buffer(nbl.first_net_buffer)
    ndis.free_net_buffer_list(nbl)
    ndis.free_net_buffer_pool(nb_pool)
