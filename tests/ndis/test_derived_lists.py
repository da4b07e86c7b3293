# SPDX-License-Identifier: Apache-2.0
"""MD-22 to MD-25: clones, fragments, reassembled lists, and their parents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.ndis import CloneFlags
from hilnic.ndis.net_buffer import layout_error
from hilnic.testing.buffers import DATA, fail_after, frames_of, host, mdls, nbl_of, snapshot
from hilnic.testing.frames import build_nbl, free_nbl

cut_lists = st.lists(st.integers(0, 30), max_size=6)
FRAMES = (DATA, DATA[:61], DATA[:180])


@pytest.mark.rule("MD-22")
@pytest.mark.parametrize("flags", [0, CloneFlags.USE_ORIGINAL_MDLS])
def test_a_clone_is_the_same_bytes_from_the_used_data_on(flags):
    made, pool = host()
    nb_pool = ndis.allocate_net_buffer_pool(made)
    original = build_nbl(pool, *FRAMES, cuts=[3, 0, 40], head=43)
    ndis.allocate_net_buffer_list_context(original, 16)
    clone = ndis.allocate_clone_net_buffer_list(original, pool, nb_pool, flags)
    assert frames_of(clone) == list(FRAMES)
    assert clone.context is None
    assert clone.parent_net_buffer_list is original
    shared = all(a.current_mdl is b.mdl_chain for a, b in zip(original.net_buffers(), clone.net_buffers(), strict=True))
    assert shared == bool(flags)
    assert all(layout_error(nb) is None for nb in clone.net_buffers())
    original.first_net_buffer.current_mdl.view[original.first_net_buffer.current_mdl_offset] = 0xEE
    assert clone.first_net_buffer.tobytes()[0] == 0xEE
    assert len(nb_pool.live) == 3
    ndis.free_clone_net_buffer_list(clone, flags)
    assert not nb_pool.live
    assert len(mdls(original.first_net_buffer)) == 4
    ndis.free_net_buffer_list_context(original, 16)
    free_nbl(original)
    made.check_leaks()


@pytest.mark.rule("MD-22")
def test_a_clone_may_come_from_ndis_s_own_pool():
    made, pool = host()
    original = build_nbl(pool, DATA)
    clone = ndis.allocate_clone_net_buffer_list(original)
    assert clone.pool is made.fan_out_pool
    assert frames_of(clone) == [DATA]
    ndis.free_clone_net_buffer_list(clone)
    free_nbl(original)
    made.check_leaks()


sizes = st.lists(st.integers(0, 200), min_size=1, max_size=4)


def reference_fragments(frames: list[bytes], start: int, longest: int) -> list[bytes]:
    """What a fragmentation is, in bytes."""
    pieces = []
    for data in frames:
        rest = data[start:]
        while rest:
            pieces.append(rest[:longest])
            rest = rest[longest:]
    return pieces


@pytest.mark.rule("MD-23")
@given(
    sizes=sizes, cuts=cut_lists, start=st.integers(0, 40), longest=st.integers(1, 210), delta=st.integers(0, 30),
    backfill=st.integers(0, 9),
)  # fmt: skip
def test_fragments_are_the_pieces_of_each_frame_with_room_in_front(sizes, cuts, start, longest, delta, backfill):
    frames = [DATA[:size] for size in sizes]
    original = nbl_of(*frames, cuts=cuts if sum(cuts) <= min(sizes) else ())
    regions = set(original.ndis.kernel.regions)
    before = [snapshot(nb) for nb in original.net_buffers()]
    made = ndis.allocate_fragment_net_buffer_list(original, None, None, start, longest, delta, backfill)
    pieces = frames_of(made)
    assert [piece[delta:] for piece in pieces] == reference_fragments(frames, start, longest)
    assert all(layout_error(nb) is None and nb.data_length <= longest + delta for nb in made.net_buffers())
    assert made.parent_net_buffer_list is original
    assert made.context is None
    for number, nb in enumerate(made.net_buffers()):  # the room is each fragment's own
        if delta:
            ndis.get_data_buffer(nb, delta)[:] = bytes([number & 0xFF]) * delta
    assert [snapshot(nb) for nb in original.net_buffers()] == before
    ndis.free_fragment_net_buffer_list(made, delta)
    assert set(original.ndis.kernel.regions) == regions


@pytest.mark.rule("MD-24", "MD-23")
@given(sizes=sizes, cuts=cut_lists, longest=st.integers(1, 210), delta=st.integers(0, 30))
def test_reassembly_undoes_fragmentation(sizes, cuts, longest, delta):
    frames = [DATA[:size] for size in sizes]
    original = nbl_of(*frames, cuts=cuts if sum(cuts) <= min(sizes) else ())
    fragments = ndis.allocate_fragment_net_buffer_list(original, None, None, 0, longest, delta)
    whole = ndis.allocate_reassembled_net_buffer_list(fragments, None, delta, 12, 4)
    assert whole.first_net_buffer.next is None
    assert whole.first_net_buffer.tobytes()[12:] == b"".join(frames)
    assert layout_error(whole.first_net_buffer) is None
    ndis.free_reassembled_net_buffer_list(whole, 12)
    ndis.free_fragment_net_buffer_list(fragments, delta)
    free_nbl(original)
    original.ndis.check_leaks()
    assert not original.ndis.kernel.regions


@pytest.mark.rule("MD-23", "MD-24")
@pytest.mark.parametrize("failing", range(3))
def test_without_memory_for_the_room_in_front_there_is_no_list_and_no_leak(failing):
    original = nbl_of(DATA)
    regions = set(original.ndis.kernel.regions)
    fail_after(original.ndis, failing)
    assert ndis.allocate_fragment_net_buffer_list(original, None, None, 0, 60, 20) is None
    assert ndis.allocate_reassembled_net_buffer_list(original, None, 0, 20) is None
    assert set(original.ndis.kernel.regions) == regions
    assert original.ndis_custody.clones == 0


@pytest.mark.rule("MD-25")
@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_a_parent_completes_once_its_children_have(bench, pieces):
    b = bench()
    (original,) = b.fp.send(b.frame(size=200))
    fragments = ndis.allocate_fragment_net_buffer_list(original, b.fm.pool, None, 0, -(-200 // pieces))
    original.child_ref_count = len(frames_of(fragments))
    while original.child_ref_count:
        original.child_ref_count -= 1
    ndis.free_fragment_net_buffer_list(fragments)
    b.fm.complete_all()
    assert b.fp.completion_calls == 1
