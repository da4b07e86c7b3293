# SPDX-License-Identifier: Apache-2.0
"""Lists that the verifier follows together (verify=fast): what breaks a rule is found as when each is alone."""

from __future__ import annotations

import random
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilnic import ndis
from hilnic.ndis import NblInfo, NdisStatus
from hilnic.ndis.verifier.batch import Batch
from hilnic.ndis.verifier.batch_ledger import BatchLedger
from hilnic.testing import FunctionalFilter, NdisBench, expect_violation

MANY = 40
PLACES = [0, 1, 16, 39]
SAMPLED = [0, 16, 32]  # of receives


def spoil_length(nbl):
    nbl.first_net_buffer.data_length -= 1


def spoil_current_mdl(nbl):
    nbl.first_net_buffer.current_mdl_offset += 1


def spoil_chain(nbl):
    nbl.first_net_buffer.mdl_chain = None


def spoil_net_buffer(nbl):
    nbl.first_net_buffer = None


def spoil_mdl(nbl):
    nbl.first_net_buffer.mdl_chain.byte_offset += 1


def spoil_information(nbl):
    nbl.net_buffer_list_info[NblInfo.CLASSIFICATION_HANDLE] = "another"


def spoil_flags(nbl):
    nbl.nbl_flags ^= 1


def spoil_handle(nbl):
    nbl.source_handle = None


SPOILERS = [
    spoil_length,
    spoil_current_mdl,
    spoil_chain,
    spoil_net_buffer,
    spoil_mdl,
    spoil_information,
    spoil_flags,
    spoil_handle,
]
REPEATABLE = [each for each in SPOILERS if each not in {spoil_net_buffer, spoil_chain}]


def touch(nbl):
    mdl = nbl.first_net_buffer.mdl_chain
    mdl.view[mdl.byte_count - 1] ^= 0xFF


def batches(nbls):
    return {place(nbl) for nbl in nbls}


def place(nbl):
    """The batch that a list is in, or its state."""
    held = nbl.ndis_custody.held
    return "home" if held.__class__ is Batch and held.state == "home" else held


def test_the_lists_of_one_call_are_one_batch(bench):
    b = bench()
    nbls = b.fp.send(*b.frames(3))
    (batch,) = batches(nbls)
    assert isinstance(batch, Batch)
    assert (batch.number, batch.holder, batch.source) == (3, b.fm.adapter, b.fp.open)
    b.fm.complete_all()
    assert batches(nbls) == {"home"}


def test_what_completes_apart_leaves_the_others_together(bench):
    b = bench()
    nbls = b.fp.send(*b.frames(4))
    b.fm.complete(nbls[2])
    b.fm.complete(nbls[3], nbls[0])
    assert [place(nbl).__class__ for nbl in nbls] == [str, Batch, str, str]
    assert nbls[2].ndis_custody.history[-1][1:] == ("completed by", b.fm.adapter)
    assert nbls[1].ndis_custody.history[-1][1:] == ("sent by", b.fp.open)
    b.fm.complete_all()
    assert len(b.fp.completed) == 4


def test_lists_of_several_sends_complete_together(bench):
    b = bench()
    first, second = b.fp.send(*b.frames(3)), b.fp.send(*b.frames(2))
    b.fm.complete(second[0], *first, second[1])
    assert [nbl for nbl, _ in b.fp.completed] == [second[0], *first, second[1]]


def test_who_asks_for_one_list_takes_it_out(bench):
    b = bench()
    nbls = b.fp.send(*b.frames(3))
    assert nbls[1].ndis_custody.owner is b.fm.adapter
    assert [place(nbl).__class__ for nbl in nbls] == [Batch, str, Batch]
    b.fm.complete_all()
    assert batches(nbls) == {"home"}


def test_in_full_every_list_is_followed_alone(bench):
    b = bench(verify="full")
    assert batches(b.fp.send(*b.frames(2))) == {"sent"}
    b.fm.complete_all()


@pytest.mark.rule("S6-04")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("spoil", SPOILERS)
def test_one_spoilt_list_among_many_is_named(spoil, place):
    b = NdisBench()
    nbls = b.fp.send(*b.frames(MANY))
    spoil(nbls[place])
    with expect_violation(b.ndis, "S6-04") as found:
        b.fm.complete_all()
    assert [(violation.actor, violation.object) for violation in found] == [(b.fm.adapter, nbls[place])]
    assert len(b.fp.completed) == MANY


def kept(nbls):
    """The lists whose bytes the verifier has kept, and the others."""
    samples = nbls[0].ndis_custody.held.samples
    return [nbl for nbl in nbls if nbl.ndis_custody in samples], [
        nbl for nbl in nbls if nbl.ndis_custody not in samples
    ]


def test_the_bytes_of_some_lists_are_kept_the_first_among_them(bench):
    b = bench()
    nbls = b.fp.send(*b.frames(MANY))
    chosen, _ = kept(nbls)
    assert chosen[0] is nbls[0]
    assert len(chosen) == 6
    b.fm.complete_all()


@pytest.mark.rule("S6-09")
@pytest.mark.parametrize("place", range(6))
def test_the_bytes_that_are_kept_are_compared(bench, place):
    b = bench()
    nbls = b.fp.send(*b.frames(MANY))
    offender = kept(nbls)[0][place]
    touch(offender)
    with expect_violation(b.ndis, "S6-09") as found:
        b.fm.complete(*reversed(nbls))
    assert [violation.object for violation in found] == [offender]


@pytest.mark.rule("S6-09")
def test_the_bytes_of_the_others_are_not_compared_in_fast(bench):
    b = bench()
    touch(kept(b.fp.send(*b.frames(MANY)))[1][0])
    b.fm.complete_all()


@pytest.mark.rule("S6-09")
def test_all_bytes_are_compared_in_full(bench):
    b = bench(verify="full")
    nbls = b.fp.send(*b.frames(MANY))
    touch(nbls[17])
    with expect_violation(b.ndis, "S6-09"):
        b.fm.complete_all()


@pytest.mark.rule("S6-09")
def test_a_sample_goes_along_when_a_part_leaves(bench):
    b = bench()
    fi = b.filter()
    fi.queue = True
    nbls = b.fp.send(*b.frames(MANY))
    sample = kept(nbls)[0][2]
    at = nbls.index(sample)
    fi.pass_on(*nbls[at - 3 : at + 3])
    touch(sample)
    with expect_violation(b.ndis, "S6-09") as found:
        b.fm.complete_all()
    assert {violation.object for violation in found} == {sample}
    fi.drop()


@pytest.mark.rule("R6-06", "MD-09")
@pytest.mark.parametrize(("spoil", "rule"), [(touch, "R6-06"), (spoil_mdl, "MD-09"), (spoil_chain, "MD-09")])
@pytest.mark.parametrize("place", SAMPLED)
def test_one_spoilt_receive_among_many_is_named(spoil, rule, place):
    b = NdisBench()
    b.fp.hold = True
    nbls = b.fm.indicate(*b.frames(MANY))
    spoil(nbls[place])
    with expect_violation(b.ndis, rule) as found:
        b.fp.give_back()
    assert [(violation.actor, violation.object) for violation in found] == [(b.fm.adapter, nbls[place])]
    assert b.fm.returned == nbls


def test_all_received_bytes_are_poisoned(bench):
    b = bench()
    nbls = b.fm.indicate(*b.frames(MANY))
    assert {nbl.first_net_buffer.tobytes() for nbl in nbls} == {b"\xdd" * 60}


@pytest.mark.rule("R6-10")
def test_a_cycle_through_two_batches_is_found():
    b = NdisBench()
    b.fp.hold = True
    (one,), (two,) = b.fm.indicate(b.frame(1)), b.fm.indicate(b.frame(2))
    one.next, two.next = two, one
    with expect_violation(b.ndis, "R6-10"):
        ndis.return_net_buffer_lists(b.fp.open, one)
    assert b.fm.returned == []


@pytest.mark.rule("R6-02")
def test_a_wrong_count_is_found(bench):
    b = bench()
    with expect_violation(b.ndis, "R6-02"):
        b.fm.indicate_nbls([b.fm.build(frame) for frame in b.frames(3)], count=2)


@pytest.mark.rule("IM-13")
@pytest.mark.parametrize("kept", [1, 2])
def test_a_filter_that_keeps_a_part_is_named(bench, kept):
    class Mutant(FunctionalFilter):
        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            self.queued, rest = list(ndis.walk(nbls))[:kept], list(ndis.walk(nbls))[kept:]
            ndis.filter_send_net_buffer_lists(self.module, ndis.chain(rest), port_number, send_flags)

    b = bench()
    fi = b.filter(Mutant, bypass={"cancel_send_net_buffer_lists"})
    with expect_violation(b.ndis, "IM-13") as found:
        nbls = b.fp.send(*b.frames(3))
    assert [violation.object for violation in found] == nbls[:kept]
    fi.drop()
    b.fm.complete_all()


class Tagging(FunctionalFilter):
    """Sends every third list on with four bytes less, and a note out of band; puts it right on the way up."""

    def send_net_buffer_lists(self, nbls, port_number, send_flags):
        for number, nbl in enumerate(ndis.walk(nbls)):
            if number % 3 == 1:
                nbl.first_net_buffer.data_length -= 4
                nbl.scratch = self
            if number % 3 == 2:
                nbl.net_buffer_list_info[NblInfo.CLASSIFICATION_HANDLE] = self
        ndis.filter_send_net_buffer_lists(self.module, nbls, port_number, send_flags)

    def send_net_buffer_lists_complete(self, nbls, flags):
        for nbl in ndis.walk(nbls):
            if nbl.scratch is self:
                nbl.first_net_buffer.data_length += 4
            nbl.net_buffer_list_info[NblInfo.CLASSIFICATION_HANDLE] = None
        ndis.filter_complete_send_net_buffer_lists(self.module, nbls, flags)


@pytest.mark.rule("S6-04")
@pytest.mark.parametrize("order", ["forward", "backward", "one by one"])
@pytest.mark.parametrize("above", [0, 1])
@pytest.mark.parametrize("below", [0, 1])
def test_a_filter_may_change_some_lists_and_put_them_right(bench, above, below, order):
    b = bench()
    for kind in [FunctionalFilter] * below + [Tagging] + [FunctionalFilter] * above:
        b.filter(kind)
    nbls = b.fp.send(*b.frames(7))
    if order == "one by one":
        for nbl in reversed(nbls):
            b.fm.complete(nbl)
    else:
        b.fm.complete(*(nbls if order == "forward" else reversed(nbls)))
    assert len(b.fp.completed) == 7
    assert b.ndis.report.violations == []


@pytest.mark.rule("S6-04")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("spoil", [spoil_length, spoil_chain])
def test_between_filters_the_offender_is_named_for_what_filters_change(spoil, place):
    class Mutant(FunctionalFilter):
        def send_net_buffer_lists_complete(self, nbls, flags):
            spoil(list(ndis.walk(nbls))[place])
            ndis.filter_complete_send_net_buffer_lists(self.module, nbls, flags)

    b = NdisBench()
    b.filter()
    offender = b.filter(Mutant)
    b.filter()
    nbls = b.fp.send(*b.frames(MANY))
    with expect_violation(b.ndis, "S6-04") as found:
        b.fm.complete_all()
    assert (found[0].actor, found[0].object) == (offender.module, nbls[place])


# The same with and without batches.

ops = st.lists(
    st.tuples(
        st.sampled_from(["send", "complete", "indicate", "give back", "spoil", "twice", "steal", "clone"]),
        st.integers(1, 20),
        st.integers(0, 1 << 16),
    ),
    min_size=3,
    max_size=12,
)


def story(steps, filters):
    """Play the steps, and answer what the verifier found: (rule, actor, list, detail)."""
    b = NdisBench()
    for _ in range(filters):
        b.filter()
    b.fp.hold = True
    with b.ndis.report.collect() as found:
        for step, number, seed in steps:
            play(b, step, number, random.Random(seed))
    return [(each.rule, repr(each.actor), repr(each.object), each.detail) for each in found]


def play(b, step, number, dice):
    out = b.fm.captured + b.fp.held
    if step == "send":
        b.fp.send(*b.frames(number))
    elif step == "indicate":
        b.fm.indicate(*b.frames(number))
    elif step == "complete" and b.fm.captured:
        status = dice.choice([NdisStatus.SUCCESS, NdisStatus.SUCCESS, NdisStatus.FAILURE])
        b.fm.complete(*dice.sample(b.fm.captured, min(number, len(b.fm.captured))), status=status)
    elif step == "give back" and b.fp.held:
        b.fp.give_back(*dice.sample(b.fp.held, min(number, len(b.fp.held))))
    elif step == "spoil" and out:
        dice.choice(REPEATABLE)(dice.choice(out))
    elif step == "twice" and b.fp.completed:
        b.fm.complete(dice.choice(b.fp.completed)[0])
    elif step == "steal" and out:
        ndis.complete_send_net_buffer_lists(b.fm.adapter, ndis.chain([dice.choice(out)]))
    elif step == "clone" and b.fm.captured:
        ndis.allocate_clone_net_buffer_list(dice.choice(b.fm.captured))


def alone():
    """A verifier that follows every list by itself."""
    never = mock.Mock(return_value=False)
    return mock.patch.multiple(BatchLedger, begin_sent=never, begin_received=never)


@settings(max_examples=40, deadline=None)
@given(steps=ops)
def test_batches_hide_and_invent_nothing(steps):
    with alone():
        wanted = story(steps, filters=0)
    assert story(steps, filters=0) == wanted


@settings(max_examples=30, deadline=None)
@given(steps=ops, filters=st.integers(1, 3))
def test_through_filters_the_same_rules_are_broken_by_the_same_lists(steps, filters):
    with alone():
        wanted = story(steps, filters)
    assert {each[::2] for each in story(steps, filters)} == {each[::2] for each in wanted}
