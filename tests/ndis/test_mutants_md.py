# SPDX-License-Identifier: Apache-2.0
"""Mutants of the buffer services: drivers that free what is not theirs, forget contexts, or scribble over fields."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import Mdl, ReceiveFlags
from hilnic.testing import FunctionalMiniport, FunctionalProtocol, expect_violation
from hilnic.testing.buffers import DATA, frame, host, mdls, nbl_of
from hilnic.testing.frames import build_nbl, free_nbl


def caught(rule: str):
    """Both markers at once."""

    def mark(test):
        return pytest.mark.rule(rule)(pytest.mark.mutant(rule)(test))

    return mark


@caught("MD-04")
@pytest.mark.parametrize(("delta", "backfill"), [(-1, 0), (5, -1)])
def test_mutant_retreats_by_less_than_nothing(delta, backfill):
    nb = frame(head=10)
    with expect_violation(nb.ndis, "MD-04"):
        assert ndis.retreat_net_buffer_data_start(nb, delta, backfill) is ndis.NdisStatus.FAILURE
    assert nb.tobytes() == DATA


@caught("MD-07")
@pytest.mark.parametrize("delta", [201, -1])
def test_mutant_advances_beyond_its_data(delta):
    nb = frame()
    with expect_violation(nb.ndis, "MD-07") as found:
        ndis.advance_net_buffer_data_start(nb, delta)
    assert f"advance by {delta} of 200" in str(found[0])
    assert nb.tobytes() == DATA


@caught("MD-08")
@pytest.mark.parametrize("custom", ["allocate", "free"])
def test_mutant_frees_with_another_hand_than_it_allocated(custom):
    nb = frame()
    freed: list[Mdl] = []

    def allocate(size: int) -> Mdl:
        return ndis.allocate_mdl(nb.ndis, nb.ndis.kernel.allocate(size))

    ndis.retreat_net_buffer_data_start(nb, 20, 0, allocate if custom == "allocate" else None)
    with expect_violation(nb.ndis, "MD-08"):
        ndis.advance_net_buffer_data_start(nb, 20, True, freed.append if custom == "free" else None)
    assert (freed, len(mdls(nb)), nb.tobytes()) == ([], 2, DATA)


@caught("MD-16")
@pytest.mark.parametrize(("offset", "length"), [(1, 0), (0, 1)])
@pytest.mark.parametrize("pair", [False, True])
def test_mutant_describes_bytes_without_an_mdl(offset, length, pair):
    made, pool = host()
    nb_pool = ndis.allocate_net_buffer_pool(made)
    with expect_violation(made, "MD-16"):
        if pair:
            ndis.allocate_net_buffer_and_net_buffer_list(pool, 0, 0, None, offset, length)
        else:
            ndis.allocate_net_buffer(nb_pool, None, offset, length)


@caught("MD-17")
def test_mutant_brings_its_own_mdl_to_a_pool_with_data():
    made, _ = host()
    pool = ndis.allocate_net_buffer_list_pool(made, ndis.NetBufferListPoolParameters(data_size=64))
    with expect_violation(made, "MD-17"):
        ndis.allocate_net_buffer_and_net_buffer_list(pool)


@caught("MD-18")
@pytest.mark.parametrize("what", ["a net buffer twice", "the NBL's own net buffer", "an MDL twice", "a clone's MDL"])
def test_mutant_frees_what_is_not_its_own(what):
    made, pool = host()
    nb_pool = ndis.allocate_net_buffer_pool(made)
    nbl = build_nbl(pool, DATA)
    nb, mdl = ndis.allocate_net_buffer(nb_pool), ndis.allocate_mdl(made, made.kernel.allocate(8))
    clone = ndis.allocate_clone_net_buffer_list(nbl, pool)
    ndis.free_net_buffer(nb)
    ndis.free_mdl(mdl)
    with expect_violation(made, "MD-18"):
        if what == "a net buffer twice":
            ndis.free_net_buffer(nb)
        elif what == "the NBL's own net buffer":
            ndis.free_net_buffer(nbl.first_net_buffer)
        elif what == "an MDL twice":
            ndis.free_mdl(mdl)
        else:
            ndis.free_mdl(clone.first_net_buffer.mdl_chain)


@caught("MD-19")
@pytest.mark.parametrize("direction", ["send", "receive", "lent", "free"])
def test_mutant_leaves_its_context_on_the_list(bench, direction):
    b = bench()
    b.fp.hold = True

    class Forgetful(FunctionalProtocol):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            ndis.allocate_net_buffer_list_context(nbls, 16)

    if direction == "send":
        (nbl,) = b.fp.send(b.frame())
        ndis.allocate_net_buffer_list_context(nbl, 16)
        give = b.fm.complete_all
    elif direction == "receive":
        (nbl,) = b.fm.indicate(b.frame())
        ndis.allocate_net_buffer_list_context(nbl, 16)
        give = b.fp.give_back
    elif direction == "lent":
        b = bench(protocol=Forgetful)

        def give():
            b.fm.indicate(b.frame(), flags=ReceiveFlags.RESOURCES)
    else:
        nbl = b.fp.build(b.frame())
        ndis.allocate_net_buffer_list_context(nbl, 16)

        def give():
            free_nbl(nbl)

    with expect_violation(b.ndis, "MD-19"):
        give()


@caught("MD-19")
@pytest.mark.parametrize("size", [16, 48])
def test_mutant_frees_another_driver_s_context_first(size):
    nbl = nbl_of(DATA)
    ndis.allocate_net_buffer_list_context(nbl, 16)
    ndis.allocate_net_buffer_list_context(nbl, 32)
    with expect_violation(nbl.ndis, "MD-19"):
        ndis.free_net_buffer_list_context(nbl, size)
    assert ndis.net_buffer_list_context_data_size(nbl) == 32


@caught("MD-20")
@pytest.mark.parametrize(("size", "backfill"), [(12, 0), (16, 8), (-16, 0)])
def test_mutant_adds_a_crooked_context(size, backfill):
    nbl = nbl_of(DATA)
    with expect_violation(nbl.ndis, "MD-20"):
        assert ndis.allocate_net_buffer_list_context(nbl, size, backfill) is ndis.NdisStatus.FAILURE
    assert nbl.context is None


@caught("MD-22")
def test_mutant_frees_a_list_as_a_clone_that_is_none():
    nbl = nbl_of(DATA)
    with expect_violation(nbl.ndis, "MD-22"):
        ndis.free_clone_net_buffer_list(nbl)
    assert nbl in nbl.pool.live


@caught("MD-23")
@pytest.mark.parametrize(("start", "longest", "delta"), [(0, 0, 0), (-1, 10, 0), (0, 10, -1)])
def test_mutant_asks_for_impossible_fragments(start, longest, delta):
    nbl = nbl_of(DATA)
    with expect_violation(nbl.ndis, "MD-23"):
        assert ndis.allocate_fragment_net_buffer_list(nbl, None, None, start, longest, delta) is None


@caught("MD-24")
@pytest.mark.parametrize(("start", "delta"), [(-1, 0), (0, -1)])
def test_mutant_asks_for_an_impossible_reassembly(start, delta):
    nbl = nbl_of(DATA)
    with expect_violation(nbl.ndis, "MD-24"):
        assert ndis.allocate_reassembled_net_buffer_list(nbl, None, start, delta) is None


@caught("MD-25")
@pytest.mark.parametrize("direction", ["send", "receive"])
def test_mutant_gives_a_parent_back_with_children_counted(bench, direction):
    b = bench()
    b.fp.hold = True
    (nbl,) = b.fp.send(b.frame()) if direction == "send" else b.fm.indicate(b.frame())
    nbl.child_ref_count = 1
    with expect_violation(b.ndis, "MD-25"):
        (b.fm.complete_all if direction == "send" else b.fp.give_back)()


# MD-28: whose the Reserved fields are.


class Scribbling(FunctionalMiniport):
    """Uses everything that a miniport may use while it holds a list."""

    def send_net_buffer_lists(self, nbls, port_number, send_flags):
        for nbl in ndis.walk(nbls):
            nbl.scratch = "miniport"
            nbl.miniport_reserved[:] = ["miniport"] * 2
            for nb in nbl.net_buffers():
                nb.miniport_reserved[:] = ["miniport"] * 4
        super().send_net_buffer_lists(nbls, port_number, send_flags)


@pytest.mark.rule("MD-28")
@pytest.mark.parametrize("verify", ["fast", "full"])
def test_a_sender_finds_its_own_fields_again_whatever_the_miniport_did_to_its_own(bench, verify):
    b = bench(verify=verify, miniport=Scribbling, completion="inline")
    nbl = b.fp.build(b.frame(), b.frame())
    nbl.protocol_reserved[:] = [1, 2, 3, 4]
    nbl.first_net_buffer.next.protocol_reserved[5] = "mine"
    b.fp.send_nbls([nbl])
    assert nbl.protocol_reserved == [1, 2, 3, 4]
    assert nbl.first_net_buffer.next.protocol_reserved[5] == "mine"


@pytest.mark.rule("MD-28")
def test_what_was_left_in_a_field_is_lost_at_the_hand_over(bench):
    b = bench(verify="full")
    nbl = b.fp.build(b.frame())
    nbl.miniport_reserved[0] = nbl.scratch = nbl.first_net_buffer.miniport_reserved[3] = "left"
    b.fp.send_nbls([nbl])
    left = [nbl.scratch, *nbl.miniport_reserved, *nbl.first_net_buffer.miniport_reserved]
    assert {repr(field) for field in left} == {"LOST"}
    b.fm.complete_all()
    b.fp.hold = True
    (received,) = b.fm.indicate(b.frame())
    left = [received.scratch, *received.protocol_reserved, *received.first_net_buffer.protocol_reserved]
    assert {repr(field) for field in left} == {"LOST"}
    b.fp.give_back()


@caught("MD-28")
@pytest.mark.parametrize("field", ["nbl", "nb"])
def test_mutant_miniport_writes_into_the_sender_s_fields(bench, field):
    class Intruder(FunctionalMiniport):
        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            (nbls if field == "nbl" else nbls.first_net_buffer).protocol_reserved[1] = "intruder"
            super().send_net_buffer_lists(nbls, port_number, send_flags)

    b = bench(verify="full", miniport=Intruder)
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "MD-28"):
        b.fm.complete_all()


@caught("MD-28")
@pytest.mark.parametrize("lent", [False, True])
def test_mutant_protocol_writes_into_the_miniport_s_fields(bench, lent):
    class Intruder(FunctionalProtocol):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            nbls.miniport_reserved[1] = "intruder"
            super().receive_net_buffer_lists(nbls, port, count, flags)

    b = bench(verify="full", protocol=Intruder)
    with expect_violation(b.ndis, "MD-28"):
        b.fm.indicate(b.frame(), flags=ReceiveFlags.RESOURCES if lent else 0)
