# SPDX-License-Identifier: Apache-2.0
"""Translated objects that have served: used again at once, after a rest, or never, as the verifier's mode wants."""

from __future__ import annotations

import pytest

from hilnic.ndis import NdisStatus
from hilnic.ndis.xlate.objects import RESTING
from hilnic.testing import expect_violation


def lists_of(b, number):
    """The lists that stand for so many packets, sent and completed one after the other."""
    b.fp.pool.size = 1000
    seen = []
    for _ in range(number):
        b.fp.send(b.frame())
        seen += b.fm.captured
        b.fm.complete_all()
    return seen


@pytest.mark.parametrize(("verify", "different"), [("off", 1), ("fast", RESTING + 1), ("full", RESTING + 10)])
def test_when_a_list_is_used_again(five_over_six, verify, different):
    b = five_over_six(verify=verify)
    assert len(set(lists_of(b, RESTING + 10))) == different


@pytest.mark.rule("S6-16")
def test_a_resting_list_is_completed_by_nobody(five_over_six):
    b = five_over_six()
    first, *_ = lists_of(b, RESTING // 2)
    with expect_violation(b.ndis, "S6-16"):
        b.fm.complete(first)


@pytest.mark.rule("XL-15")
def test_a_rested_list_says_nothing_of_its_last_use(five_over_six):
    b = five_over_six()
    before = lists_of(b, RESTING + 1)[0]
    before.net_buffer_list_info[3], before.flags = "left behind", 1
    b.fp.send(b.frame(7))
    (nbl,) = b.fm.captured
    assert nbl is before
    assert (nbl.net_buffer_list_info[3], nbl.flags, nbl.status) == (None, 0, NdisStatus.SUCCESS)
    assert b.fm.sent_frames[-1] == b.frame(7)
    b.fm.complete_all()
