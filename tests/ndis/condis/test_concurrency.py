# SPDX-License-Identifier: Apache-2.0
"""CoNDIS on several CPUs at once, pre-empted at every NDIS call: returns, sends, closes and changes of two calls."""

from __future__ import annotations

import functools
import itertools
import os

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus
from hilnic.testing.co_bench import CoBench, call_parameters
from hilnic.testing.schedule import Scenario, exhaust, explore

SOAK = "HILNIC_SOAK" in os.environ


def prepared(kind, seed):
    """Two calls: each has a send with the miniport and receives with the client."""
    b = CoBench(kind, seed=seed)
    b.client.hold = True
    calls = [b.client.make_call(call_parameters()) for _ in range(2)]
    for number, call in enumerate(calls):
        call.send(b.frame(number))
        b.data(call).indicate(*[b.frame(10 + each) for each in range(4)])
    b.given = [list(call.held) for call in calls]
    for call in calls:
        call.held.clear()
    return b, calls


def give_back(b, number, which):
    for nbl in b.given[number][which]:
        ndis.return_net_buffer_lists(b.client.open, ndis.chain([nbl]))


def send(b, calls):
    calls[0].send(b.frame(20))


def complete(b, calls):
    b.data(calls[0]).complete(b.data(calls[0]).captured[0])


def indicate(b, calls):
    b.data(calls[0]).indicate(b.frame(30))


def modify(b, calls):
    calls[0].modify(call_parameters(rate=7))


def finish_and_close(b, calls):
    b.data(calls[1]).complete_all()
    calls[1].close()


def cancel(b, calls):
    b.client.cancel(1)


def new_call(b, calls):
    b.client.make_call(call_parameters())


WORK = {work.__name__: work for work in (send, complete, indicate, modify, finish_and_close, cancel, new_call)}


def settle(b, calls):
    """Every send has ended once, every receive is home, and the calls end as ever."""
    b.run()
    for call in calls:
        if call.is_connected:
            b.data(call).complete_all()
            for nbl in list(call.held):
                call.give_back(nbl)
    for number in range(2):
        for nbl in b.given[number]:
            if nbl not in b.fm.returned:
                ndis.return_net_buffer_lists(b.client.open, ndis.chain([nbl]))
    b.run()
    assert [call.in_flight for call in calls] == [0, 0]
    assert all(status is NdisStatus.SUCCESS for call in calls for _, status in call.completed)
    assert b.fm.adapter.statistics() == {"sends_outstanding": 0, "receives_outstanding": 0}
    assert (b.client.open.sends_outstanding, b.client.open.receives_outstanding) == (0, 0)


def returning(kind, seed):
    """One VC's receives from two CPUs, another VC's from a third."""
    b, calls = prepared(kind, seed)
    routines = [
        lambda: give_back(b, 0, slice(0, None, 2)),
        lambda: give_back(b, 0, slice(1, None, 2)),
        lambda: give_back(b, 1, slice(0, None)),
    ]
    return Scenario(b, routines, lambda: settle(b, calls))


@pytest.mark.rule("CD-06")
def test_receives_are_returned_from_two_cpus_while_another_vcs_returns_interleave(kind):
    failure = explore(functools.partial(returning, kind), 2000 if SOAK else 30)
    assert failure is None, str(failure)


def at_once(names, kind, seed):
    b, calls = prepared(kind, seed)
    routines = [functools.partial(WORK[name], b, calls) for name in names]
    return Scenario(b, routines, lambda: settle(b, calls))


@pytest.mark.rule("CC-26", "CL-08")
@pytest.mark.parametrize("names", list(itertools.combinations(WORK, 2)), ids="+".join)
def test_any_two_at_once_lose_nothing(names):
    preemptions = 2 if SOAK else 1
    tried, failure = exhaust(functools.partial(at_once, names, "cm"), preemptions)
    assert failure is None, str(failure)
    assert tried >= 3


def in_threes(kind, seed):
    names = list(itertools.permutations(WORK, 3))[seed % 210]
    return at_once(names, kind, seed)


@pytest.mark.rule("CC-26", "CL-08")
def test_three_at_once_in_any_order_lose_nothing(kind):
    failure = explore(functools.partial(in_threes, kind), 5000 if SOAK else 40)
    assert failure is None, str(failure)
