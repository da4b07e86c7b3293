# SPDX-License-Identifier: Apache-2.0
"""NDIS 5 and 6 side by side: one packet for bindings of both, filters in between, lookaheads made whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hilnic.ndis import (
    Ndis,
    NdisStatus,
    Profile,
    StatusIndication,
    filter_indicate_status,
    halt_adapter,
    ndis5,
    set_net_buffer_list_cancel_id,
)
from hilnic.testing import FunctionalMiniport, FunctionalProtocol, VirtualKernel
from hilnic.testing.bench import PEER
from hilnic.testing.filter import FunctionalFilter
from hilnic.testing.frames import ethernet
from hilnic.testing.miniport import MAC_ADDRESS
from hilnic.testing.miniport5 import FunctionalMiniport5
from hilnic.testing.protocol5 import FunctionalProtocol5


def frame(number: int = 0, size: int = 60, destination: bytes = MAC_ADDRESS) -> bytes:
    return ethernet(destination, PEER, bytes([number]) * (size - 14))


class Host:
    """A miniport of either version, protocols of both."""

    def __init__(self, version: int = 5, verify: Any = "fast", **options: Any) -> None:
        self.kernel = VirtualKernel()
        self.ndis = Ndis(self.kernel, verify, Profile())
        kind = options.pop("miniport", FunctionalMiniport5)
        self.fm: Any = kind(self.ndis, **options) if version == 5 else FunctionalMiniport(self.ndis)
        self.fp5 = FunctionalProtocol5(self.ndis, "fp5")
        self.fp6 = FunctionalProtocol(self.ndis, "fp6")
        for fp in (self.fp5, self.fp6):
            self.run(fp.start())
        assert self.run(self.fm.start()) is NdisStatus.SUCCESS
        for fp in (self.fp5, self.fp6):
            self.run(fp.listen())

    def run(self, work: Any = None) -> Any:
        return self.kernel.run(work)

    def stop(self) -> None:
        self.run()
        self.run(halt_adapter(self.fm.adapter))
        self.run(self.fp5.stop())
        self.run(self.fp6.stop())
        self.ndis.check_leaks()


VERIFY = pytest.mark.parametrize("verify", ["off", "fast", "full"])
KINDS = pytest.mark.parametrize("serialized", [True, False])


@pytest.mark.rule("R5-03", "R5-04", "XL-09")
@VERIFY
@KINDS
def test_a_packet_goes_to_bindings_of_both_versions_and_back_after_the_last(verify, serialized):
    h = Host(verify=verify, serialized=serialized)
    h.fp5.references, h.fp6.hold = 2, True
    packets = h.fm.indicate(frame(), frame(1))
    assert h.fp5.received == h.fp6.received == [frame(), frame(1)]
    h.fp6.give_back()
    h.fp5.give_back(packets[0])
    h.fp5.give_back(packets[1])
    assert h.fm.returned == []
    h.fp5.give_back(packets[1])
    assert h.fm.returned == [packets[1]]
    h.fp5.give_back()
    assert h.fm.returned == [packets[1], packets[0]]
    h.stop()


@pytest.mark.rule("R5-07", "XL-09")
@VERIFY
def test_a_scarce_packet_is_shown_to_both_and_kept_by_none(verify):
    h = Host(verify=verify)
    h.fp6.hold = True
    (packet,) = h.fm.indicate(frame(), status=NdisStatus.RESOURCES)
    assert h.fp5.received == h.fp6.received == [frame()]
    assert h.fm.returned == [packet]
    h.stop()


@pytest.mark.rule("XL-11", "R5-18")
@VERIFY
@pytest.mark.parametrize("transfer", ["now", "pend", "early"])
@pytest.mark.parametrize("size", [60, 600])
def test_a_lookahead_becomes_a_whole_frame_for_ndis_6(verify, transfer, size):
    h = Host(verify=verify, transfer=transfer)
    h.fp6.hold = True
    h.fm.indicate_lookahead(frame(0, size), 128)
    while h.fm.pending_transfers:
        h.fm.finish_transfer()
    assert h.fp5.received == h.fp6.received == [frame(0, size)]
    assert h.ndis.xlate_copies == size
    h.fp6.give_back()
    h.stop()


def test_a_lookahead_whose_transfer_fails_is_lost_to_ndis_6():
    h = Host(transfer="pend")
    h.fm.indicate_lookahead(frame(0, 600), 128)
    h.fm.finish_transfer(NdisStatus.FAILURE)
    h.fm.finish_transfer(NdisStatus.FAILURE)
    assert h.fp5.received == h.fp6.received == []
    h.stop()


def test_without_memory_a_lookahead_is_lost_to_ndis_6_alone():
    h = Host()
    h.kernel.fail_allocations = 1
    h.fm.indicate_lookahead(frame())
    h.kernel.fail_allocations = 0
    assert (h.fp5.received, h.fp6.received) == ([frame()], [])
    h.stop()


def test_a_miniport_without_transfer_shows_whole_frames_alone_to_ndis_6():
    class Whole(FunctionalMiniport5):
        def characteristics(self):
            return replace(super().characteristics(), transfer_data=None)

    h = Host(miniport=Whole)
    h.fm.indicate_lookahead(frame(0, 600), 128)
    h.fm.indicate_lookahead(frame())
    assert h.fp6.received == [frame()]
    h.stop()


@VERIFY
@KINDS
def test_with_a_filter_between_5x_drivers_everything_goes_through_it(verify, serialized):
    h = Host(verify=verify, serialized=serialized)
    flt = FunctionalFilter(h.ndis, "filter")
    h.run(flt.start())
    assert h.fm.adapter.filters
    (packet,) = h.fp5.send_array(frame(destination=PEER))
    assert h.fm.captured[0] is not packet  # it came as a list
    h.fm.complete()
    assert h.fp5.completed == [(packet, NdisStatus.SUCCESS)]
    h.fp5.references = 1
    (received,) = h.fm.indicate(frame())
    assert h.fp5.received == h.fp6.received == [frame()]
    assert h.fm.returned == []
    h.fp5.give_back()
    assert h.fm.returned == [received]
    h.stop()


@pytest.mark.rule("C5-11", "C5-13")
def test_a_5x_protocol_resets_a_6x_miniport_and_hears_of_its_link():
    h = Host(version=6)
    assert ndis5.reset(h.fp5.open) is NdisStatus.PENDING
    h.run()
    assert h.fp5.resets == [NdisStatus.SUCCESS]
    h.fm.link(False)
    codes = [code for code, _ in h.fp5.statuses]
    assert codes[:2] == [NdisStatus.RESET_START, NdisStatus.RESET_END]
    assert NdisStatus.MEDIA_DISCONNECT in codes
    assert h.fp5.status_completes == len(codes)
    h.stop()


@VERIFY
def test_a_5x_protocol_over_a_6x_miniport_sends_and_receives(verify):
    h = Host(version=6, verify=verify)
    (packet,) = h.fp5.send_array(frame(destination=PEER))
    status = h.fp5.send(frame(1, destination=PEER))[1]
    assert status is NdisStatus.PENDING
    assert h.fm.sent_frames == [frame(destination=PEER), frame(1, destination=PEER)]
    h.fm.complete_all()
    assert h.fp5.completed[0] == (packet, NdisStatus.SUCCESS)
    h.fp5.references = 1
    h.fm.indicate(frame(2))
    assert h.fp5.received == h.fp6.received == [frame(2)]
    h.fp5.give_back()
    h.fm.release()
    h.stop()


@pytest.mark.rule("CN-09")
def test_cancel_reaches_a_6x_miniport():
    h = Host(version=6)
    packet = h.fp5.build(frame(destination=PEER))
    ndis5.set_packet_cancel_id(packet, 9)
    ndis5.send_packets(h.fp5.open, [packet])
    ndis5.cancel_send_packets(h.fp5.open, 9)
    assert h.fp5.completed == [(packet, NdisStatus.REQUEST_ABORTED)]
    h.stop()


@pytest.mark.rule("C5-13")
def test_6x_drivers_hear_of_the_link_of_a_5x_miniport():
    h = Host()
    h.fm.link(False)
    h.run()
    assert [indication.status_code for indication in h.fp6.statuses] == [NdisStatus.LINK_STATE]
    assert [code for code, _ in h.fp5.statuses] == [NdisStatus.MEDIA_DISCONNECT]
    h.stop()


@pytest.mark.rule("OI-20", "XL-14")
def test_a_filter_hears_a_5x_miniport_first_and_may_swallow_or_add_a_status():
    h = Host()
    fi = FunctionalFilter(h.ndis)
    h.run(fi.start())
    h.fm.link(False)
    h.run()
    assert [code for code, _ in h.fp5.statuses] == [NdisStatus.MEDIA_DISCONNECT]
    fi.swallow = True
    h.fm.link(True)
    ndis5.indicate_status(h.fm.adapter, NdisStatus.RING_STATUS)
    ndis5.indicate_status_complete(h.fm.adapter)
    h.run()
    assert [code for code, _ in h.fp5.statuses] == [NdisStatus.MEDIA_DISCONNECT]
    filter_indicate_status(fi.module, StatusIndication(NdisStatus.RING_STATUS, b"own"))
    assert h.fp5.statuses[1:] == [(NdisStatus.RING_STATUS, b"own")]
    assert h.fp5.status_completes == 2
    h.run(fi.stop())
    h.stop()


@pytest.mark.rule("XL-14")
def test_a_filter_that_comes_later_tells_no_old_news():
    h = Host()
    h.fm.link(False)
    h.run()
    fi = FunctionalFilter(h.ndis)
    h.run(fi.start())
    h.fm.link(True)
    h.run()
    assert [code for code, _ in h.fp5.statuses] == [
        NdisStatus.MEDIA_DISCONNECT,
        NdisStatus.MEDIA_CONNECT,
        NdisStatus.LINK_SPEED_CHANGE,
    ]
    h.run(fi.stop())
    h.stop()


@KINDS
def test_the_trace_follows_a_frame_both_ways(serialized):
    kernel = VirtualKernel(trace=True)
    b = Bench5On(kernel, serialized)
    packet = b.fp.build(frame(7, destination=PEER))
    ndis5.send_packets(b.fp.open, [packet])
    sent = packet.frame_id
    b.fm.complete()
    b.fp.references = 1
    (received,) = b.fm.indicate(frame())
    arrived = received.frame_id
    b.fp.give_back()
    events = [(kind, fields["frame"]) for _, kind, fields in kernel.trace.events if kind.startswith("packet.")]
    assert events == [
        ("packet.send", sent),
        ("packet.complete", sent),
        ("packet.indicate", arrived),
        ("packet.return", arrived),
    ]
    assert received.frame_id == 0


class Bench5On:
    """A miniport and a protocol of NDIS 5 on a kernel that traces."""

    def __init__(self, kernel: VirtualKernel, serialized: bool) -> None:
        self.ndis = Ndis(kernel)
        self.fm = FunctionalMiniport5(self.ndis, serialized=serialized)
        self.fp = FunctionalProtocol5(self.ndis)
        kernel.run(self.fp.start())
        kernel.run(self.fm.start())
        kernel.run(self.fp.listen())


@pytest.mark.rule("CN-06")
def test_a_cancel_of_one_version_leaves_what_the_other_one_has_waiting_with_the_same_id():
    h = Host()
    h.fm.room = 0
    (packet,) = h.fp5.send_array(frame(1, destination=PEER), cancel_id=7)
    nbl = h.fp6.build(frame(2, destination=PEER))
    set_net_buffer_list_cancel_id(nbl, 7)
    h.fp6.send_nbls([nbl])
    h.fp6.cancel(7)
    assert (h.fp5.completed, h.fp6.completed) == ([], [(nbl, NdisStatus.SEND_ABORTED)])
    h.fp5.cancel(7)
    assert h.fp5.completed == [(packet, NdisStatus.REQUEST_ABORTED)]
    h.stop()
