# SPDX-License-Identifier: Apache-2.0
"""A user's own tests with the kit's fixtures: frames in any MDL layout, held, returned; sends cancelled; NDIS 5.

In a project of one's own the first line stands in conftest.py.
"""

import pytest

from hilnic.ndis import NdisStatus, ReceiveFlags

pytest_plugins = ["hilnic.testing.pytest_plugin"]


@pytest.mark.parametrize("cuts", [[], [14], [14, 0, 3, 7]])
def test_any_layout_arrives_as_the_same_bytes(ndis_bench, cuts):
    bench = ndis_bench()
    bench.fp.hold = True
    bench.fm.indicate(*bench.frames(3), cuts=cuts, head=8)
    bench.fm.indicate(bench.frame(3), flags=ReceiveFlags.RESOURCES)  # must be copied: it cannot be held
    assert bench.fp.received == bench.frames(4)
    bench.fp.give_back(*reversed(bench.fp.held))


def test_a_cancelled_send_comes_back_aborted(ndis_bench):
    bench = ndis_bench()
    bench.fp.send(bench.frame(0))
    (cancelled,) = bench.fp.send(bench.frame(1), cancel_id=7)
    bench.fp.cancel(7)
    assert bench.fp.completed == [(cancelled, NdisStatus.SEND_ABORTED)]
    bench.fm.complete_all()


def test_an_ndis_5_protocol_keeps_a_packet_by_its_references(ndis5_bench):
    bench = ndis5_bench(handlers=["packet"], serialized=False)
    bench.fp.references = 2
    (packet,) = bench.fm.indicate(bench.frame())
    bench.fp.give_back(packet, packet)
    assert bench.fm.returned == [packet]
