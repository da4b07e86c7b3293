# SPDX-License-Identifier: Apache-2.0
"""The deserialized driver on the twin: scatter/gather, its own queue, shortage of buffers, cancel."""

import pytest

from hilnic.hw.timing import TimingModel
from hilnic.ndis import NdisStatus, ndis5

from .conftest import frame, out

WEAK = TimingModel(weak=True)


def test_each_buffer_is_a_descriptor_and_too_many_are_copied(host):
    h = host("5", timing=WEAK, max_fragments=4)
    for number, fragments in enumerate((1, 4, 5, 9)):
        h.binding.send(out(number, 500), fragments=fragments)
    h.idle()
    assert h.sent == [out(n, 500) for n in range(4)]
    assert h.miniport.tx.statistics().copied == 2


def test_it_queues_what_does_not_fit_and_keeps_the_order(host):
    h = host("5", tx_ring=4)
    h.binding.send(*[out(n, 200) for n in range(50)], fragments=3)
    assert h.miniport.tx.statistics().queue_length == 50
    h.idle()
    assert h.sent == [out(n, 200) for n in range(50)]


def test_short_of_buffers_packets_are_lent_for_the_call(host):
    h = host("5", "packet", raw={"holds": True}, rx_low_water=20)
    h.inject(*[frame(n) for n in range(30)])
    h.run(200_000)
    counts = h.miniport.rx.statistics()
    assert (counts.indicated, counts.indicated_with_resources, counts.buffers_lent) == (12, 18, 12)
    assert h.received == [frame(n) for n in range(30)]
    h.binding.release()
    assert h.miniport.rx.lent == 0


def test_a_frame_over_several_buffers_comes_back_whole_and_the_buffers_too(host):
    h = host("5", "packet", raw={"holds": True}, rx_buffer_bytes=128)
    h.inject(frame(1, 1000), frame(2, 128), frame(3, 129))
    h.run()
    assert h.received == [frame(1, 1000), frame(2, 128), frame(3, 129)]
    assert h.miniport.rx.lent == 8 + 1 + 2
    h.binding.release(1)
    assert h.miniport.rx.lent == 3


def test_cancel_ends_what_waits(host):
    h = host("5", tx_ring=2)
    for number in range(10):
        h.binding.send(out(number), cancel_id=number % 2)
    ndis5.cancel_send_packets(h.binding.handle, 1)
    h.idle()
    assert set(h.binding.statuses) == {NdisStatus.REQUEST_ABORTED}
    assert len(h.sent) + len(h.binding.statuses) == 10


def test_a_frame_of_the_wrong_length_is_refused(host):
    h = host("5")
    h.binding.send(out(1, 1515), out(2, 1514))
    h.idle()
    assert (h.sent, h.binding.statuses) == ([out(2, 1514)], [NdisStatus.INVALID_PACKET])


@pytest.mark.rule("R5-07")
def test_from_the_first_scarce_packet_of_an_array_on_all_are_scarce(host):
    """A2: a long frame needs more buffers than there are to lend; a short one behind it would find one."""
    shape = {"rx_buffer_bytes": 256, "rx_ring": 16, "rx_buffers": 16, "rx_low_water": 4}
    h = host("5", "packet", raw={"holds": True}, **shape, rx_moderation=(2, 10_000))
    h.inject(*[frame(n) for n in range(10)])
    h.run(200_000)
    assert h.miniport.rx.lent == 10
    h.inject(frame(20, 700), frame(21))
    h.run(200_000)
    assert h.received[-2:] == [frame(20, 700), frame(21)]
    assert (h.miniport.rx.statistics().indicated_with_resources, h.miniport.rx.lent) == (2, 10)
    assert h.stack.host.report.warnings == []
    h.binding.release()
