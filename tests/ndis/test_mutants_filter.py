# SPDX-License-Identifier: Apache-2.0
"""Mutant filters: each breaks one rule and is caught by exactly that rule."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, Oid, ReceiveFlags
from hilnic.testing import FunctionalFilter, expect_violation
from hilnic.testing.frames import free_nbl


def caught(rule: str):
    """Both markers at once."""

    def mark(test):
        return pytest.mark.rule(rule)(pytest.mark.mutant(rule)(test))

    return mark


@caught("IM-12")
def test_mutant_rewrites_a_foreign_handle_on_the_way_down(bench):
    b = bench()
    fi = b.filter()
    fi.queue = True
    (nbl,) = b.fp.send(b.frame())
    nbl.source_handle = fi.module
    with expect_violation(b.ndis, "IM-12") as found:
        fi.pass_on()
    assert found[0].actor is fi.module
    b.fm.complete_all()
    assert b.fp.completed == [(nbl, NdisStatus.SUCCESS)]  # the handle was put right: the list is not lost


@caught("IM-12")
def test_mutant_rewrites_a_foreign_handle_on_the_way_up(bench):
    b = bench()
    fi = b.filter()
    fi.queue = True
    (nbl,) = b.fp.send(b.frame())
    nbl.source_handle = None
    with expect_violation(b.ndis, "IM-12"):
        fi.drop()
    assert b.fp.completed == [(nbl, NdisStatus.SUCCESS)]


@caught("IM-12")
@pytest.mark.parametrize("upwards", [True, False])
def test_mutant_rewrites_the_handle_of_a_receive(bench, upwards):
    b = bench()
    fi = b.filter()
    fi.hold = True
    (nbl,) = b.fm.indicate(b.frame())
    nbl.source_handle = fi.module
    with expect_violation(b.ndis, "IM-12"):
        if upwards:
            fi.indicate_held()
        else:
            fi.give_back()
    assert b.fm.returned == [nbl]


@caught("IM-12")
def test_mutant_sends_its_own_list_without_its_handle(bench):
    b = bench()
    fi = b.filter()
    nbl = fi.build(b.frame())
    nbl.source_handle = b.fp.open
    with expect_violation(b.ndis, "IM-12"):
        ndis.filter_send_net_buffer_lists(fi.module, nbl)
    assert b.fm.captured == []
    free_nbl(nbl)


@caught("IM-12")
@pytest.mark.parametrize("bypass", ["send_net_buffer_lists_complete", "return_net_buffer_lists"])
def test_mutant_makes_lists_whose_end_it_cannot_see(bench, bypass):
    b = bench()
    fi = b.filter(bypass={bypass})
    with expect_violation(b.ndis, "IM-12"):
        if bypass == "return_net_buffer_lists":
            fi.indicate(b.frame())
        else:
            fi.send(b.frame())


@caught("IM-12")
def test_mutant_passes_its_own_completion_up(bench):
    class Mutant(FunctionalFilter):
        def send_net_buffer_lists_complete(self, nbls, flags):
            self.sent.clear()
            ndis.filter_complete_send_net_buffer_lists(self.module, nbls, flags)

    b = bench()
    fi = b.filter(Mutant)
    fi.send(b.frame())
    with expect_violation(b.ndis, "IM-12"):
        b.fm.complete_all()


@caught("IM-12")
def test_mutant_passes_its_own_return_down(bench):
    class Mutant(FunctionalFilter):
        def return_net_buffer_lists(self, nbls, flags):
            self.indicated.clear()
            ndis.filter_return_net_buffer_lists(self.module, nbls, flags)

    b = bench()
    fi = b.filter(Mutant)
    with expect_violation(b.ndis, "IM-12"):
        fi.indicate(b.frame())
    assert b.fm.returned == []


@caught("IM-13")
def test_mutant_queues_and_cannot_cancel(bench):
    b = bench()
    fi = b.filter(bypass={"cancel_send_net_buffer_lists"})
    fi.queue = True
    with expect_violation(b.ndis, "IM-13"):
        b.fp.send(b.frame())


@pytest.mark.rule("IM-13")
def test_a_filter_that_queues_nothing_needs_no_cancel_handler(bench):
    b = bench(completion="inline")
    b.filter(bypass={"cancel_send_net_buffer_lists"})
    b.fp.send(b.frame())
    assert len(b.fp.completed) == 1


@caught("IM-07")
def test_mutant_does_not_pass_the_cancel_on(bench):
    class Mutant(FunctionalFilter):
        def cancel_send_net_buffer_lists(self, cancel_id):
            self.trace.append("kept")

    b = bench()
    b.filter(Mutant)
    with expect_violation(b.ndis, "IM-07"):
        ndis.cancel_send_net_buffer_lists(b.fp.open, 1)


# What the rules of both ends say holds for a filter as well.


@caught("S6-04")
def test_mutant_forgets_to_relink(bench):
    b = bench()
    fi = b.filter()
    fi.queue = True
    nbl = b.fp.build(b.frame(1), b.frame(2))
    b.fp.send_nbls([nbl])
    nbl.first_net_buffer.next = None
    fi.pass_on()
    with expect_violation(b.ndis, "S6-04") as found:
        b.fm.complete_all()
    assert {violation.actor for violation in found} == {fi.module}  # the miniport gave back what it was given


@caught("S6-04")
def test_mutant_relinks_what_it_will_not_see_again(bench):
    b = bench()
    fi = b.filter(bypass={"send_net_buffer_lists_complete"})
    fi.queue = True
    nbl = b.fp.build(b.frame(1), b.frame(2))
    b.fp.send_nbls([nbl])
    nbl.first_net_buffer.next = None
    fi.pass_on()
    with expect_violation(b.ndis, "S6-04") as found:
        b.fm.complete_all()
    assert (found[0].actor, "never seen again" in str(found[0])) == (fi.module, True)


@caught("S6-02")
def test_mutant_filter_completes_twice(bench):
    b = bench()
    fi = b.filter()
    fi.queue = True
    (nbl,) = b.fp.send(b.frame())
    fi.drop()
    with expect_violation(b.ndis, "S6-02"):
        fi.drop(nbl)


@caught("S6-16")
def test_mutant_completes_what_is_below_it(bench):
    b = bench()
    fi = b.filter()
    (nbl,) = b.fp.send(b.frame())
    with expect_violation(b.ndis, "S6-16"):
        fi.drop(nbl)
    assert (b.fp.completed, b.fm.captured) == ([], [nbl])


@caught("S6-09")
def test_mutant_sends_on_twice(bench):
    b = bench()
    fi = b.filter()
    (nbl,) = b.fp.send(b.frame())
    with expect_violation(b.ndis, "S6-09"):
        fi.pass_on(nbl)
    assert b.fm.captured == [nbl]


@caught("S6-21")
def test_mutant_hands_on_a_cycle(bench):
    b = bench()
    fi = b.filter()
    fi.queue = True
    first, second = b.fp.send(*b.frames(2))
    first.next, second.next = second, first
    with expect_violation(b.ndis, "S6-21"):
        ndis.filter_send_net_buffer_lists(fi.module, first)


@caught("R6-05")
def test_mutant_keeps_what_was_lent(bench):
    class Mutant(FunctionalFilter):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            ndis.filter_indicate_receive_net_buffer_lists(self.module, nbls, port, count, 0)

    b = bench()
    b.filter(Mutant)
    with expect_violation(b.ndis, "R6-05"):
        b.fm.indicate(b.frame(), flags=ReceiveFlags.RESOURCES)
    assert b.fp.received == []


@caught("R6-05")
def test_mutant_returns_what_was_lent(bench):
    class Mutant(FunctionalFilter):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            ndis.filter_return_net_buffer_lists(self.module, nbls)

    b = bench()
    b.filter(Mutant)
    with expect_violation(b.ndis, "R6-05"):
        b.fm.indicate(b.frame(), flags=ReceiveFlags.RESOURCES)


@caught("R6-02")
def test_mutant_counts_wrongly(bench):
    class Mutant(FunctionalFilter):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            ndis.filter_indicate_receive_net_buffer_lists(self.module, nbls, port, count + 1, flags)

    b = bench()
    b.filter(Mutant)
    with expect_violation(b.ndis, "R6-02"):
        b.fm.indicate(b.frame())


@caught("R6-10")
def test_mutant_returns_what_a_protocol_holds(bench):
    b = bench()
    fi = b.filter()
    b.fp.hold = True
    (nbl,) = b.fm.indicate(b.frame())
    with expect_violation(b.ndis, "R6-10"):
        fi.give_back(nbl)
    assert (b.fp.held, b.fm.returned) == ([nbl], [])


@caught("R6-09")
def test_mutant_indicates_what_a_protocol_holds(bench):
    b = bench()
    fi = b.filter()
    b.fp.hold = True
    (nbl,) = b.fm.indicate(b.frame())
    with expect_violation(b.ndis, "R6-09"):
        fi.indicate_held(nbl)


@caught("R6-16")
def test_mutant_indicates_while_paused(bench):
    b = bench()
    fi = b.filter()
    b.run(ndis.pause_adapter(b.fm.adapter))
    with expect_violation(b.ndis, "R6-16"):
        fi.indicate(b.frame())


@caught("ST-03")
def test_mutant_pauses_with_a_full_queue(bench):
    class Mutant(FunctionalFilter):
        def pause(self, parameters):
            return NdisStatus.SUCCESS

    b = bench()
    fi = b.filter(Mutant)
    fi.queue = True
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "ST-03"):
        b.run(ndis.pause_adapter(b.fm.adapter))
    fi.drop(status=NdisStatus.PAUSED)


@caught("ST-01")
def test_mutant_stack_detaches_a_running_filter(bench):
    from hilnic.ndis.filter_pnp import detach

    b = bench()
    fi = b.filter()
    with expect_violation(b.ndis, "ST-01"):
        b.run(detach(fi.module))


# Requests.


@caught("OI-17")
def test_mutant_passes_the_original_on(bench):
    class Mutant(FunctionalFilter):
        def oid_request(self, request):
            return ndis.filter_oid_request(self.module, request)

    b = bench()
    b.filter(Mutant)
    with expect_violation(b.ndis, "OI-17"):
        b.run(b.fp.request(ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 16)))


@caught("OI-17")
def test_mutant_never_frees_its_clones(bench):
    class Mutant(FunctionalFilter):
        def oid_request_complete(self, request, status):
            ndis.filter_complete_oid_request(self.module, self.originals[request], status)

    b = bench()
    fi = b.filter(Mutant)
    b.run(b.fp.request(ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 16)))
    with expect_violation(b.ndis, "OI-17"):
        b.run(ndis.detach_filter(fi.module))


@caught("OI-17")
def test_mutant_frees_a_clone_twice(bench):
    class Mutant(FunctionalFilter):
        def oid_request_complete(self, request, status):
            super().oid_request_complete(request, status)
            ndis.free_clone_oid_request(self.module, request)

    b = bench()
    b.filter(Mutant)
    with expect_violation(b.ndis, "OI-17"):
        b.run(b.fp.request(ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 16)))


@caught("OI-02")
def test_mutant_ends_the_original_twice(bench):
    class Mutant(FunctionalFilter):
        def oid_request_complete(self, request, status):
            original = self.originals[request]
            super().oid_request_complete(request, status)
            ndis.filter_complete_oid_request(self.module, original, status)

    b = bench()
    b.filter(Mutant)
    with expect_violation(b.ndis, "OI-02"):
        b.run(b.fp.request(ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 16)))
