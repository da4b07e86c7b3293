# SPDX-License-Identifier: Apache-2.0
"""A protocol driver under pytest with the functional miniport of `hilnic.testing`: no hardware, every rule checked."""

from hilnic.ndis import NdisStatus
from hilnic.testing import NdisBench, expect_violation


def test_a_send_completes_when_the_miniport_says_so():
    bench = NdisBench()
    bench.fp.send(bench.frame())
    assert bench.fm.captured
    assert not bench.fp.completed
    bench.fm.complete_all(status=NdisStatus.SUCCESS)
    assert [status for _, status in bench.fp.completed] == [NdisStatus.SUCCESS]
    bench.stop()


def test_completing_twice_is_found():
    bench = NdisBench()
    bench.fp.send(bench.frame())
    (nbl,) = bench.fm.captured
    bench.fm.complete_all()
    with expect_violation(bench.ndis, "S6-02"):
        bench.fm.complete(nbl)
