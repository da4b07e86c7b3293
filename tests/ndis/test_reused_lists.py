# SPDX-License-Identifier: Apache-2.0
"""Lists that are sent again and again, with verify=fast: what it finds at once, and what within how many trips.

Form (V2) is looked at in one of LOOK_EVERY trips, in one of twice as many when a list goes with the same lists and with
others by turns. State is looked at in every trip.
"""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import NblInfo
from hilnic.ndis.verifier.batch import LOOK_EVERY
from hilnic.testing import FunctionalMiniport, NdisBench, expect_violation
from hilnic.testing.kernel import VirtualMapper

EIGHT = range(8)


def spoil_length(nbl):
    nbl.first_net_buffer.data_length -= 1


def spoil_offset(nbl):
    nbl.first_net_buffer.current_mdl_offset += 1


def spoil_mdl(nbl):
    nbl.first_net_buffer.mdl_chain.byte_offset += 1


def spoil_information(nbl):
    nbl.net_buffer_list_info[NblInfo.CLASSIFICATION_HANDLE] = "another"


def spoil_flags(nbl):
    nbl.nbl_flags ^= 1


SPOILERS = [spoil_length, spoil_offset, spoil_mdl, spoil_information, spoil_flags]


def repair(nbl):
    """The sender makes its list anew, as drivers do."""
    nb = nbl.first_net_buffer
    nb.data_length, nb.current_mdl_offset = 60, nb.data_offset
    nb.mdl_chain.byte_offset = 16  # as build_nbl makes it
    nbl.net_buffer_list_info[NblInfo.CLASSIFICATION_HANDLE] = None
    nbl.nbl_flags = 0


def used(verify="fast", **options):
    """A bench, and eight lists of its protocol that have been sent once and are home."""
    b = NdisBench(verify=verify, **options)
    nbls = b.fp.send(*b.frames(8))
    b.fm.complete_all()
    return b, nbls


def send(b, nbls, groups):
    for group in groups:
        b.fp.send_nbls([nbls[n] for n in group])


# Who goes with whom, in each trip.


def together(trip):
    return [EIGHT]


def another_first(trip):
    return [[(n + trip) % 8 for n in EIGHT]]


def by_turns(trip):
    return together(trip) if trip % 2 else another_first(trip)


def one_by_one(trip):
    return [[n] for n in EIGHT]


@pytest.mark.rule("S6-04")
@pytest.mark.mutant("S6-04")
@pytest.mark.parametrize("victim", EIGHT)
@pytest.mark.parametrize(
    ("groups", "most"),
    [(together, LOOK_EVERY), (one_by_one, LOOK_EVERY), (another_first, LOOK_EVERY), (by_turns, 2 * LOOK_EVERY)],
)
@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_miniport_that_begins_to_spoil_a_list_is_named_soon(spoil, groups, most, victim):
    b, nbls = used()
    for trip in range(3):
        send(b, nbls, groups(trip))
        b.fm.complete_all()
    for trip in range(3, 3 + most):
        send(b, nbls, groups(trip))
        spoil(nbls[victim])
        with b.ndis.report.collect() as found:
            b.fm.complete_all()
        repair(nbls[victim])
        if found:
            break
    assert [(each.rule, each.actor, each.object) for each in found] == [("S6-04", b.fm.adapter, nbls[victim])]


@pytest.mark.rule("S6-04")
@pytest.mark.parametrize("spoil", SPOILERS)
def test_full_names_it_at_once(spoil):
    b, nbls = used("full")
    send(b, nbls, together(0))
    spoil(nbls[5])
    with expect_violation(b.ndis, "S6-04") as found:
        b.fm.complete_all()
    assert found[0].object is nbls[5]


def test_one_in_eight_lists_is_looked_at_in_a_trip():
    b, nbls = used()
    looked = []
    for trip in range(2 * LOOK_EVERY):
        send(b, nbls, together(trip))
        looked.append([nbl for nbl in nbls if nbl.ndis_custody in nbl.ndis_custody.held.looked])
        b.fm.complete_all()
    assert max(len(each) for each in looked[1:]) == 1
    assert {each[0] for each in looked[1 : 1 + LOOK_EVERY]} == set(nbls)


@pytest.mark.rule("S6-02", "S6-04", "S6-09")
@pytest.mark.parametrize("groups", [together, another_first])
@pytest.mark.parametrize("victim", [0, 3, 7])
def test_holder_handle_and_exactly_once_are_looked_at_in_every_trip(victim, groups):
    b, nbls = used()
    one = nbls[victim]
    for trip in range(LOOK_EVERY):
        send(b, nbls, groups(trip))
        following = one.next
        with expect_violation(b.ndis, "S6-09"):
            ndis.send_net_buffer_lists(b.fp.open, ndis.chain([one]))
        one.next = following
        one.source_handle = None
        with expect_violation(b.ndis, "S6-04") as found:
            b.fm.complete_all()
        assert [each.object for each in found] == [one]
        with expect_violation(b.ndis, "S6-02"):
            ndis.complete_send_net_buffer_lists(b.fm.adapter, ndis.chain([one]))
    assert len(b.fp.completed) == (1 + LOOK_EVERY) * 8


@pytest.mark.rule("S6-15")
@pytest.mark.parametrize("victim", [0, 3, 7])
def test_a_status_that_is_not_final_is_found_in_every_trip(victim):
    b, nbls = used()
    for trip in range(LOOK_EVERY):
        send(b, nbls, together(trip))
        b.fm.captured.clear()
        nbls[victim].status = ndis.NdisStatus.PENDING
        with expect_violation(b.ndis, "S6-15") as found:
            ndis.complete_send_net_buffer_lists(b.fm.adapter, nbls[0])
        assert [each.object for each in found] == [nbls[victim]]
        nbls[victim].status = ndis.NdisStatus.SUCCESS


@pytest.mark.rule("IM-12")
def test_a_filter_that_rewrites_a_foreign_handle_is_named_in_every_trip():
    b = NdisBench()
    fi = b.filter()
    nbls = b.fp.send(*b.frames(8))
    b.fm.complete_all()
    fi.queue = True
    for trip in range(LOOK_EVERY):
        send(b, nbls, together(trip))
        nbls[5].source_handle = fi.module
        with expect_violation(b.ndis, "IM-12") as found:
            fi.pass_on()
        assert [(each.actor, each.object) for each in found] == [(fi.module, nbls[5])]
        b.fm.complete_all()


@pytest.mark.rule("S6-04")
def test_a_list_that_its_sender_has_made_shorter_is_looked_at():
    b, nbls = used()
    spoil_length(nbls[5])
    send(b, nbls, together(0))
    spoil_flags(nbls[5])
    with expect_violation(b.ndis, "S6-04") as found:
        b.fm.complete_all()
    assert [each.object for each in found] == [nbls[5]]


class Mapping(FunctionalMiniport):
    """Has a DMA handle."""

    def initialize(self, adapter):
        status = super().initialize(adapter)
        _, self.dma = ndis.register_scatter_gather_dma(
            adapter, ndis.ScatterGatherDmaDescription(VirtualMapper(), lambda sg_list, context: None)
        )
        return status


@pytest.mark.rule("IT-06")
def test_an_sg_list_that_is_left_is_found_in_every_trip():
    b, nbls = used(miniport=Mapping)
    nb = nbls[5].first_net_buffer
    for trip in range(LOOK_EVERY):
        send(b, nbls, together(trip))
        ndis.allocate_net_buffer_sg_list(b.fm.dma, nb, None)
        with expect_violation(b.ndis, "IT-06") as found:
            b.fm.complete_all()
        assert [each.object for each in found] == [nbls[5]]
        ndis.free_net_buffer_sg_list(b.fm.dma, nb.scatter_gather_list, nb)


@pytest.mark.rule("S6-16", "S6-22")
def test_a_freed_list_is_not_taken_for_home_with_the_others():
    b, nbls = used()
    send(b, nbls, together(0))
    b.fm.complete_all()
    ndis.free_net_buffer_list(nbls[3])
    with expect_violation(b.ndis, "S6-22") as found:
        ndis.send_net_buffer_lists(b.fp.open, ndis.chain(nbls))
    assert [each.object for each in found] == [nbls[3]]
    with expect_violation(b.ndis, "S6-16"):
        ndis.free_net_buffer_list(nbls[3])


@pytest.mark.rule("CN-07")
def test_a_cancel_id_on_a_list_that_is_not_looked_at_is_not_held_against_an_intermediate_driver(bench):
    b = bench()
    nbls = b.fp.send(*b.frames(8))
    b.fm.complete_all()
    for trip in range(LOOK_EVERY):
        for nbl in nbls:
            ndis.set_net_buffer_list_cancel_id(nbl, 7)
        send(b, nbls, together(trip))
        b.fm.complete(*reversed(nbls))
    assert b.ndis.report.violations == []


@pytest.mark.parametrize("order", ["forward", "backward", "halves"])
def test_completions_in_any_order_and_grouping_leave_all_at_home(order):
    b, nbls = used()
    for trip in range(LOOK_EVERY):
        send(b, nbls, together(trip))
        if order == "backward":
            b.fm.complete(*reversed(nbls))
        elif order == "halves":
            b.fm.complete(*nbls[:4])
            b.fm.complete(*nbls[4:])
        else:
            b.fm.complete_all()
    assert len(b.fp.completed) == (1 + LOOK_EVERY) * 8
    b.stop()
