# SPDX-License-Identifier: Apache-2.0
"""Claims about the driver's transmit path."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.hw import regs
from hilnic.hw.regs import Cause
from hilnic.ndis import NdisStatus

DOORBELL = regs.tx_doorbell(0)


def test_frames_reach_the_wire_byte_for_byte_and_every_nbl_completes_once(bench, frame):
    frames = [frame(i, 60 + i) for i in range(10)]
    bench.binding.send(*frames)
    bench.idle()
    assert bench.nic.sent == frames
    assert bench.binding.statistics().completed == 10
    assert bench.binding.statuses == []


@pytest.mark.parametrize("fragments", [1, 2, 3, 4, 7, 14])
def test_each_piece_of_the_mdl_chain_is_one_descriptor_without_a_copy(bench, frame, fragments):
    bench.binding.send(frame(1, 400), fragments=fragments)
    bench.idle()
    assert bench.nic.sent == [frame(1, 400)]
    assert bench.nic.descriptors_per_frame == [fragments]
    assert bench.miniport.tx.statistics().copied == 0


def chained_nbl(binding, pieces, head):
    """An NBL over MDLs of the given pieces, of which the first `head` bytes are unused."""
    kernel, handle = binding.protocol.handle.ndis.kernel, binding.protocol.handle
    mdls = []
    for offset, piece in pieces:
        region = kernel.allocate(max(1, offset + len(piece)))
        region.view[offset : offset + len(piece)] = piece
        mdls.append(ndis.allocate_mdl(handle, region, offset, len(piece)))
    length = sum(len(piece) for _, piece in pieces) - head
    nbl = ndis.allocate_net_buffer_list(binding._pool)
    nbl.first_net_buffer = ndis.allocate_net_buffer(binding.protocol.nb_pool, ndis.link(*mdls), head, length)
    return nbl


def free_chained(binding, nbl):
    nb = nbl.first_net_buffer
    for mdl in list(ndis.walk_mdls(nb.mdl_chain)):
        binding.protocol.handle.ndis.kernel.free(mdl.region)
        ndis.free_mdl(mdl)
    ndis.free_net_buffer(nb)
    ndis.free_net_buffer_list(nbl)


PIECES = st.lists(st.tuples(st.integers(0, 63), st.integers(0, 65)), min_size=1, max_size=12)


@pytest.mark.rule("RG-15", "MD-27")
@settings(max_examples=60)
@given(PIECES, st.data())
def test_any_cut_and_alignment_gives_the_same_bytes_and_empty_mdls_are_skipped(new_bench, lengths, data):
    total = sum(length for _, length in lengths)
    head = data.draw(st.integers(0, max(0, total - 14)))
    if total - head < 14:
        lengths = [*lengths, (5, 14 + head)]
    serial = iter(range(10**6))
    pieces = [(offset, bytes(next(serial) & 0xFF for _ in range(length))) for offset, length in lengths]
    returned = []
    bench = new_bench(verify="fast", bounce_buffers=1, on_completed=lambda b, n: returned.append(n)).start()
    bench.binding._keep = lambda nbl: None
    bench.binding.send_nbls([chained_nbl(bench.binding, pieces, head)])
    bench.idle()
    assert bench.nic.sent == [b"".join(piece for _, piece in pieces)[head:]]
    free_chained(bench.binding, returned[0])
    bench.stop()


@pytest.mark.rule("S6-10")
def test_a_ring_of_4_takes_64_nbls_at_once(make_bench, frame):
    bench = make_bench(tx_ring=4)
    frames = [frame(i) for i in range(64)]
    bench.binding.send(*frames)
    bench.idle()
    assert bench.nic.sent == frames
    assert bench.binding.statuses == []


@pytest.mark.rule("S6-11", "RG-01")
@pytest.mark.parametrize("start", [0, 0xFFFFFFF0, 0xFFFFFFFE])
def test_order_is_kept_over_many_laps_and_through_2_to_the_32(make_bench, frame, start):
    bench = make_bench(tx_ring=8, start_index=start)
    frames = [frame(i) for i in range(100)]
    for at in range(0, 100, 20):
        nbls = [bench.binding.build(frames[i : i + 4], fragments=3) for i in range(at, at + 20, 4)]
        bench.binding.send_nbls(nbls)
    bench.idle()
    assert bench.nic.sent == frames


@pytest.mark.rule("RG-07")
def test_an_nbl_completes_with_its_last_net_buffer(make_bench, frame):
    bench = make_bench(tx_ring=4)
    bench.nic.hold_tx = True
    bench.binding.send_nbls([bench.binding.build([frame(i) for i in range(6)])])
    bench.run()
    assert bench.binding.outstanding == 1
    bench.nic.resume()
    bench.idle()
    assert len(bench.nic.sent) == 6
    assert bench.binding.statistics().completed == 1


@pytest.mark.rule("RG-08")
def test_a_frame_waits_until_all_its_descriptors_fit(make_bench, frame):
    bench = make_bench(tx_ring=4)
    bench.nic.hold_tx = True
    bench.binding.send(frame(0))
    bench.binding.send(frame(1), fragments=4)  # three are free: it must not begin
    bench.binding.send(frame(2))
    bench.run()
    assert bench.doorbells(DOORBELL) == [1]
    bench.nic.resume()
    bench.idle()
    assert bench.nic.sent == [frame(0), frame(1), frame(2)]


@pytest.mark.rule("RG-09")
@pytest.mark.parametrize(("ring", "fragments"), [(64, 200), (4, 5), (2, 3), (256, 33)])
def test_more_pieces_than_the_ring_takes_are_copied_first(make_bench, frame, ring, fragments):
    bench = make_bench(tx_ring=ring)
    bench.binding.send(frame(1, 600), fragments=fragments)
    bench.idle()
    assert bench.nic.sent == [frame(1, 600)]
    assert bench.nic.descriptors_per_frame == [1]
    assert bench.miniport.tx.statistics().copied == 1


@pytest.mark.rule("RG-09")
def test_copied_frames_wait_for_a_copy_buffer_and_keep_their_order(make_bench, frame):
    bench = make_bench(bounce_buffers=1)
    for i in range(6):
        bench.binding.send(frame(i, 600), fragments=1 if i == 3 else 50)
    bench.idle()
    assert bench.nic.sent == [frame(i, 600) for i in range(6)]


def tagged(data):
    return data[:12] + b"\x81\x00\x00\x05" + data[12:]


@pytest.mark.rule("S6-14")
@pytest.mark.parametrize(
    "make", [lambda f: f(0, 1515), lambda f: f(0, 13), lambda f: tagged(f(0, 1515)), lambda f: f(0, 9000)]
)
def test_a_frame_of_bad_length_ends_with_invalid_length_and_sends_nothing_of_its_nbl(bench, frame, make):
    nbl = bench.binding.build([frame(1), make(frame), frame(2)])
    bench.binding.send_nbls([nbl])
    bench.binding.send(frame(3))
    bench.idle()
    assert bench.binding.statuses == [NdisStatus.INVALID_LENGTH]
    assert bench.nic.sent == [frame(3)]
    assert bench.miniport.tx.statistics().refused == 3


@pytest.mark.parametrize("make", [lambda f: f(0, 14), lambda f: f(0, 1514), lambda f: tagged(f(0, 1514))])
def test_the_shortest_and_longest_legal_frames_are_sent(bench, frame, make):
    bench.binding.send(make(frame))
    bench.idle()
    assert bench.nic.sent == [make(frame)]


@pytest.mark.rule("RG-14")
@pytest.mark.parametrize(
    ("cause", "status"), [(Cause.BUS_ERROR, NdisStatus.FAILURE), (Cause.TOO_LONG, NdisStatus.INVALID_LENGTH)]
)
def test_an_error_completion_ends_its_nbl_with_a_reason_and_the_queue_goes_on(bench, frame, cause, status):
    bench.nic.tx_error = cause
    bench.binding.send(frame(0))
    bench.idle()
    bench.nic.tx_error = None
    bench.binding.send(frame(1))
    bench.idle()
    assert bench.binding.statuses == [status]
    assert bench.nic.sent == [frame(1)]
    assert bench.miniport.tx.statistics().errors == 1


@pytest.mark.rule("S6-06")
def test_one_bad_frame_of_an_nbl_decides_its_status_whatever_follows(make_bench, frame):
    bench = make_bench()
    bench.nic.hold_tx = True
    bench.binding.send_nbls([bench.binding.build([frame(0), frame(1)])])
    bench.run()
    queue = bench.nic.queues["tx"]
    bench.nic.tx_error = Cause.BUS_ERROR
    bench.nic._send_one(queue)
    bench.nic.tx_error = None
    bench.nic.resume()
    bench.idle()
    assert bench.nic.sent == [frame(1)]
    assert bench.binding.statuses == [NdisStatus.FAILURE]


def test_one_call_rings_one_doorbell(make_bench, frame):
    bench = make_bench(tx_ring=64)
    bench.binding.send(*[frame(i) for i in range(20)])
    bench.idle()
    assert bench.doorbells(DOORBELL) == [20]


@pytest.mark.rule("S6-18")
def test_the_nic_has_read_the_data_before_the_completion(make_bench, frame):
    def overwrite(binding, nbl):
        region = nbl.first_net_buffer.mdl_chain.region
        region.view[:] = b"\xff" * len(region.view)

    bench = make_bench(tx_ring=4, on_completed=overwrite)
    frames = [frame(i) for i in range(30)]
    bench.binding.send(*frames)
    bench.idle()
    assert bench.nic.sent == frames


@pytest.mark.rule("S6-24")
def test_sending_again_from_the_completion_callback_neither_nests_nor_stops(make_bench, frame):
    left = iter(range(999))

    def again(binding, nbl):
        number = next(left, None)
        if number is not None:
            binding.send(frame(number))

    bench = make_bench(verify="fast", tx_ring=2, on_completed=again)
    bench.binding.send(frame(0))
    bench.idle()
    assert len(bench.nic.sent) == 1000


@pytest.mark.rule("RG-04")
def test_with_weakly_ordered_memory_the_nic_sees_whole_descriptors_and_data(make_bench, frame):
    bench = make_bench(weak=True, tx_ring=8)
    frames = [frame(i, 200) for i in range(50)]
    for f in frames:
        bench.binding.send(f, fragments=3)
    bench.binding.send(frame(99, 600), fragments=40)
    bench.idle()
    assert bench.nic.sent == [*frames, frame(99, 600)]


@pytest.mark.rule("IT-06")
def test_scatter_gather_lists_may_come_after_the_call_and_order_is_kept(make_bench, frame):
    bench = make_bench(profile=ndis.Profile(late_sg_callback=True), tx_ring=4)
    frames = [frame(i) for i in range(20)]
    bench.binding.send(*frames, fragments=2)
    bench.idle()
    assert bench.nic.sent == frames


@pytest.mark.rule("IT-06")
def test_a_reset_while_ndis_makes_a_list_frees_it_before_the_nbl_completes(make_bench, frame):
    bench = make_bench(profile=ndis.Profile(late_sg_callback=True))
    bench.nic.hold_tx = True
    bench.binding.send(*[frame(i) for i in range(3)])
    bench.miniport.tx.abort(NdisStatus.RESET_IN_PROGRESS)
    bench.idle()
    assert bench.binding.statuses == [NdisStatus.RESET_IN_PROGRESS] * 3


def test_cancel_ends_queued_nbls_of_that_id_and_no_others(make_bench, frame):
    bench = make_bench(tx_ring=2)
    bench.nic.hold_tx = True
    bench.binding.send(frame(0), frame(1), cancel_id=7)  # in flight: too late
    bench.binding.send(frame(2), frame(3), cancel_id=7)
    bench.binding.send(frame(4), cancel_id=8)
    ndis.cancel_send_net_buffer_lists(bench.binding.handle, 7)
    assert bench.binding.statuses == [NdisStatus.SEND_ABORTED] * 2
    bench.nic.resume()
    bench.idle()
    assert bench.nic.sent == [frame(0), frame(1), frame(4)]


@pytest.mark.rule("CN-03")
def test_an_nbl_of_which_a_frame_is_in_flight_is_not_cancelled(make_bench, frame):
    bench = make_bench(tx_ring=2)
    bench.nic.hold_tx = True
    bench.binding.send_nbls([bench.binding.build([frame(i) for i in range(5)], cancel_id=7)])
    ndis.cancel_send_net_buffer_lists(bench.binding.handle, 7)
    bench.nic.resume()
    bench.idle()
    assert bench.nic.sent == [frame(i) for i in range(5)]
    assert bench.binding.statuses == []


@pytest.mark.rule("CN-08")
def test_an_nbl_of_which_a_frame_has_gone_out_is_not_cancelled_although_nothing_is_in_flight(make_bench, frame):
    bench = make_bench(tx_ring=2)
    bench.nic.hold_tx = True
    bench.binding.send_nbls([bench.binding.build([frame(i) for i in range(5)], cancel_id=7)])
    bench.binding.send(frame(8), cancel_id=7)
    bench.miniport.tx.running = False  # nothing follows the two frames that are in the ring
    bench.nic.resume()
    bench.run()
    assert len(bench.nic.sent) == 2
    ndis.cancel_send_net_buffer_lists(bench.binding.handle, 7)
    assert bench.binding.statuses == [NdisStatus.SEND_ABORTED]  # of the other, which is whole
    bench.miniport.tx.running = True
    bench.binding.send(frame(9))
    bench.idle()
    assert bench.nic.sent == [*(frame(i) for i in range(5)), frame(9)]
    assert bench.binding.statuses == [NdisStatus.SEND_ABORTED]


def test_a_completion_out_of_order_is_the_devices_fault(make_bench, frame):
    bench = make_bench()
    bench.expect_empty = False
    bench.nic.hold_tx = True
    bench.binding.send(frame(0), fragments=2)
    bench.run()
    queue = bench.nic.queues["tx"]
    queue.consumer += 1  # half of the frame
    bench.nic._complete(queue, status=1)
    with pytest.raises(Exception, match="does not end the oldest frame"):
        bench.run()


@pytest.mark.rule("RG-14")
@pytest.mark.parametrize("cause", [regs.Cause.FETCH_ERROR, regs.Cause.NO_EOP])
def test_a_frame_that_a_failing_queue_cuts_amid_its_descriptors_fails(make_bench, frame, cause):
    bench = make_bench()
    bench.nic.hold_tx = True
    bench.binding.send(frame(0), fragments=3)
    bench.run()
    queue = bench.nic.queues["tx"]
    queue.consumer += 2  # the third descriptor could not be fetched
    bench.nic._complete(queue, status=regs.CompletionStatus.ERROR, cause=cause)
    bench.run()
    assert bench.binding.statuses == [ndis.NdisStatus.FAILURE]
    queue.consumer += 1
