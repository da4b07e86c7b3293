# SPDX-License-Identifier: Apache-2.0
"""The serialized driver on the twin: lookahead and transfers now and later, RESOURCES and their end."""

import pytest

from hilnic.miniport5.lookahead import LookaheadReceiver
from hilnic.miniport5.rx import Frame
from hilnic.ndis import NdisStatus, ndis5

from .conftest import frame, out, padded


@pytest.mark.rule("R5-27")
@pytest.mark.parametrize("lookahead", [64, 65, 128, 777, 1499, 1500])
def test_a_frame_is_rebuilt_byte_for_byte(host, lookahead):
    h = host("5-lookahead", "lookahead", seed=lookahead)
    assert h.wait(h.binding.set_lookahead(lookahead)) is NdisStatus.SUCCESS
    lengths = [60, 13 + lookahead, 14 + lookahead, min(1514, 15 + lookahead), 900, 1514] * 3
    h.inject(*[frame(n, length) for n, length in enumerate(lengths)])
    h.run(600_000)
    assert h.received == [padded(frame(n, length)) for n, length in enumerate(lengths)]
    longer = sum(length > 14 + lookahead for length in lengths)
    assert h.binding.transferred == h.miniport.rx.pended + h.miniport.rx.at_once == longer


def test_about_half_of_the_transfers_pend(host):
    h = host("5-lookahead", "lookahead")
    for first in range(0, 100, 10):
        h.inject(*[frame(n, 300) for n in range(first, first + 10)])
        h.run(200_000)
    assert 30 < h.miniport.rx.pended < 70
    assert h.miniport.rx.pended + h.miniport.rx.at_once == 100


def test_the_rest_is_not_read_before_it_is_asked_for(host, monkeypatch):
    h = host("5-lookahead", "lookahead")
    read, original = [], Frame.read

    def watched(self, start, number):
        read.append((start, number))
        return original(self, start, number)

    monkeypatch.setattr(Frame, "read", watched)
    h.inject(frame(1, 1000))
    h.run()
    assert read == [(0, 14 + 64), (14 + 64, 1000 - 14 - 64)]


@pytest.mark.rule("R5-27")
def test_a_buffer_is_the_drivers_until_its_transfer_has_ended(host, monkeypatch):
    original, looked = LookaheadReceiver._finish_transfers, []

    def watched(self, context):
        for shown, *_ in self._later:
            kept = set(shown.frame.buffers)
            looked.append(not kept & set(self._posted) and not kept & set(self._free) and self.lent == len(kept))
        original(self, context)

    monkeypatch.setattr(LookaheadReceiver, "_finish_transfers", watched)
    h = host("5-lookahead", "lookahead", rx_ring=4, rx_buffers=4)
    for first in range(0, 20, 4):
        h.inject(*[frame(n, 400) for n in range(first, first + 4)])
        h.run(200_000)
    assert h.received == [frame(n, 400) for n in range(20)]
    assert len(looked) == h.miniport.rx.pended > 0
    assert all(looked)
    assert h.miniport.rx.lent == 0


def test_a_lookahead_beyond_the_largest_frame_is_refused(host):
    h = host("5-lookahead", "lookahead")
    assert h.wait(h.binding.set_lookahead(1501)) is NdisStatus.INVALID_LENGTH
    assert h.miniport.rx.lookahead == 64


def test_resources_and_their_end(host):
    h = host("5-lookahead", tx_ring=4)
    h.binding.send(*[out(n, 200) for n in range(40)], fragments=2)
    h.idle()
    assert h.sent == [out(n, 200) for n in range(40)]
    assert h.miniport.tx.refused_for_now > 0


def test_more_buffers_than_descriptors_are_copied(host):
    h = host("5-lookahead", tx_ring=4, max_fragments=32)
    h.binding.send(out(1, 700), fragments=9)
    h.idle()
    assert (h.sent, h.miniport.tx.statistics().copied) == ([out(1, 700)], 1)


def test_nobody_who_wants_whole_packets_hears_a_lookahead(host):
    h = host("5-lookahead", "packet")
    h.inject(frame(1), frame(2, 600))
    h.run()
    assert (h.received, h.miniport.rx.lent) == ([], 0)


@pytest.mark.rule("C5-12")
def test_a_transfer_for_ndis_itself_that_pends_at_halt_leaves_nothing(host, monkeypatch):
    monkeypatch.setattr(ndis5, "set_timer", lambda timer, milliseconds: None)  # the later DPC never comes
    h = host("5-lookahead", "6")
    h.inject(*[frame(n, 900) for n in range(12)])
    h.run()
    assert h.miniport.rx._later
