# SPDX-License-Identifier: Apache-2.0
"""Mutant intermediate drivers: each breaks one rule and is caught by exactly that rule."""

from __future__ import annotations

from typing import Any

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, Oid, Profile, SendFlags
from hilnic.protocols.mux import Mux, MuxEdge, MuxMiniport
from hilnic.protocols.splitter import Splitter, SplitterEdge, SplitterMiniport
from hilnic.testing import FunctionalProtocol, NdisBench, expect_violation

ADDRESSES = [bytes.fromhex(f"02484e0001{number:02x}") for number in range(2)]
BROADCAST = b"\xff" * 6


def caught(rule: str):
    """Both markers at once."""

    def mark(test):
        return pytest.mark.rule(rule)(pytest.mark.mutant(rule)(test))

    return mark


def mux_of(b: NdisBench, miniport: type[MuxMiniport] = MuxMiniport, edge: type[MuxEdge] = MuxEdge, **options: Any):
    """A MUX made of these parts, with two virtual adapters and a protocol on each."""

    class Edge(edge):
        virtual_type = miniport

    class Driver(Mux):
        edge_type = Edge

    driver = b.add(Driver(b.ndis, "mux", "fm", ADDRESSES, **options))
    for virtual in driver.virtuals:
        b.protocol(virtual.name)
    return driver


def splitter_of(b: NdisBench, edge: type[SplitterEdge] = SplitterEdge, **options: Any):
    """A splitter with this lower edge, and a protocol on it."""

    class Driver(Splitter):
        edge_type = edge

    driver = b.add(Driver(b.ndis, "split", "fm", **options))
    b.protocol("split0")
    return driver


@caught("IM-01")
def test_mutant_sends_on_with_the_upper_handle(bench):
    class Mutant(MuxMiniport):
        def forward(self, nbls, send_flags):
            ndis.send_net_buffer_lists(self.edge.handle, nbls)

    b = bench(protocols=0)
    mux_of(b, Mutant)
    with expect_violation(b.ndis, "IM-01"):
        b.fp.send(b.frame())
    assert b.fm.captured == []


@caught("IM-02")
def test_mutant_does_not_restore_the_handle(bench):
    class Mutant(MuxEdge):
        def restore(self, nbl):
            virtual, _ = self.sources.pop(nbl)
            return virtual

    b = bench(protocols=0)
    mux_of(b, edge=Mutant)
    (nbl,) = b.fp.send(b.frame())
    with expect_violation(b.ndis, "IM-02") as found:
        b.fm.complete_all()
    assert "mux0" in repr(found[0].actor)
    assert b.fp.completed == [(nbl, NdisStatus.SUCCESS)]  # named, and not lost


class LeavesTheHandle(MuxEdge):
    """What the Microsoft sample does: the source handle of a receive stays the lower adapter's (A6)."""

    def take(self, virtual, nbl):
        del virtual
        return nbl.source_handle


@caught("IM-03")
def test_mutant_indicates_on_with_the_lower_handle(bench):
    b = bench(protocols=0)
    mux_of(b, edge=LeavesTheHandle)
    with expect_violation(b.ndis, "IM-03"):
        b.fm.indicate(b.frame(destination=ADDRESSES[0]))


@pytest.mark.rule("IM-03")
def test_the_mux_sample_profile_only_frowns_at_it(bench):
    b = bench(protocols=0, profile=Profile(mux_sample=True))
    mux_of(b, edge=LeavesTheHandle)
    nbls = b.fm.indicate(b.frame(destination=ADDRESSES[0]))
    assert [warning.rule for warning in b.ndis.report.warnings] == ["IM-03"]
    assert (b.fm.returned, b.fp.received) == (nbls, [b.frame(destination=ADDRESSES[0])])


@caught("IM-03")
def test_mutant_does_not_restore_the_handle_of_a_receive(bench):
    class Mutant(MuxEdge):
        def give_back(self, nbls, return_flags):
            ndis.return_net_buffer_lists(self.handle, nbls, return_flags)

    b = bench(protocols=0)
    mux_of(b, edge=Mutant)
    with expect_violation(b.ndis, "IM-03"):
        nbls = b.fm.indicate(b.frame(destination=ADDRESSES[0]))
    assert b.fm.returned == nbls


@caught("IM-04")
def test_mutant_completes_the_original_before_its_pieces(bench):
    class Mutant(SplitterEdge):
        def piece(self, original, frame):
            clone = super().piece(original, frame)
            original.nbl.child_ref_count = 0
            return clone

    class Impatient(SplitterMiniport):
        def forward(self, nbls, send_flags):
            super().forward(nbls, send_flags)
            for piece in list(self.edge.made_from):
                original = self.edge.made_from[piece]
                for nb in (frame.nb for frame in original.frames):
                    nb.next = None
                self.edge.put_together(original)
            self.finish(nbls, NdisStatus.SUCCESS)

    Mutant.virtual_type = Impatient
    b = bench(protocols=0)
    splitter_of(b, Mutant)
    with expect_violation(b.ndis, "IM-04"):
        b.fp.send(b.frame())


@caught("S6-04")
@pytest.mark.rule("IM-05")
def test_mutant_forgets_a_frame(bench):
    class Mutant(SplitterEdge):
        def put_together(self, original):
            super().put_together(original)
            original.nbl.first_net_buffer.next = None

    b = bench(protocols=0)
    splitter_of(b, Mutant)
    b.fp.send_nbls([b.fp.build(b.frame(1), b.frame(2))])
    with expect_violation(b.ndis, "S6-04") as found:
        b.fm.complete_all()
    assert "split0" in repr(found[0].actor)


@caught("S6-04")
@pytest.mark.rule("IM-05")
def test_mutant_forgets_the_mdls(bench):
    class Mutant(SplitterEdge):
        def put_together(self, original):
            for frame in original.frames:
                frame.mdls = []
            super().put_together(original)

    b = bench(protocols=0)
    splitter_of(b, Mutant, cut="mdls")
    b.fp.send_nbls([b.fp.build(b.frame(1), cuts=[20])])
    with expect_violation(b.ndis, "S6-04"):
        b.fm.complete_all()


@caught("IM-08")
def test_mutant_asks_for_loopback_again(bench):
    class Mutant(MuxMiniport):
        def forward(self, nbls, send_flags):
            super().forward(nbls, send_flags)

    class Asks(Mutant):
        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            nbl = nbls
            self.edge.sources[nbl] = self, nbl.source_handle
            nbl.source_handle = self.edge.binding
            self.outstanding += 1
            self.edge.sends_below += 1
            ndis.send_net_buffer_lists(self.edge.handle, nbl, 0, SendFlags.CHECK_FOR_LOOPBACK)

    b = bench(protocols=0)
    mux_of(b, Asks)
    with expect_violation(b.ndis, "IM-08"):
        b.fp.send_nbls([b.fp.build(b.frame(destination=bytes(6)))])
    b.fm.complete_all()


@caught("CN-07")
def test_mutant_changes_the_cancel_id(bench):
    class Mutant(MuxMiniport):
        def forward(self, nbls, send_flags):
            ndis.set_net_buffer_list_cancel_id(nbls, 99)
            super().forward(nbls, send_flags)

    b = bench(protocols=0)
    mux_of(b, Mutant)
    nbl = b.fp.build(b.frame())
    ndis.set_net_buffer_list_cancel_id(nbl, 1)
    with expect_violation(b.ndis, "CN-07"):
        b.fp.send_nbls([nbl])


@caught("IM-11")
def test_mutant_gives_one_receive_to_two(bench):
    class Mutant(MuxEdge):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            for virtual in self.virtuals:
                nbls.source_handle = virtual.adapter
                ndis.indicate_receive_net_buffer_lists(virtual.handle, nbls, port, count, flags)

    b = bench(protocols=0)
    mux_of(b, edge=Mutant)
    for fp in b.fps:
        fp.hold = True
    with expect_violation(b.ndis, "IM-11"):
        b.fm.indicate(b.frame(destination=BROADCAST))
    assert [len(fp.held) for fp in b.fps] == [1, 0]


@caught("IM-16")
def test_mutant_returns_below_while_it_is_held_above(bench):
    class Mutant(MuxEdge):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            super().receive_net_buffer_lists(nbls, port, count, flags)
            ndis.return_net_buffer_lists(self.handle, nbls)

    b = bench(protocols=0)
    mux_of(b, edge=Mutant)
    b.fp.hold = True
    with expect_violation(b.ndis, "IM-16"):
        b.fm.indicate(b.frame(destination=ADDRESSES[0]))
    assert (len(b.fp.held), b.fm.returned) == (1, [])


@caught("MD-22")
def test_mutant_returns_a_receive_before_its_clones(bench):
    class Mutant(MuxEdge):
        def share_out(self, takers, members, port, flags):
            super().share_out(takers, members, port, flags)
            self.above.clear()
            for nbl in members:
                nbl.source_handle = self.handle.adapter
            ndis.return_net_buffer_lists(self.handle, ndis.chain(members))

    class Keeps(Mutant):
        def give_back(self, nbls, return_flags):
            """The upper protocol has returned the original; it waits here for the mutant's own return."""

    b = bench(protocols=0)
    mux_of(b, edge=Keeps, share="clone")
    b.fps[0].hold = True  # the clone's
    with expect_violation(b.ndis, "MD-22"):
        b.fm.indicate(b.frame(destination=BROADCAST))


@caught("OI-17")
def test_mutant_never_frees_its_clones(bench):
    class Mutant(MuxMiniport):
        async def oid_request(self, request):
            _, clone = ndis.allocate_clone_oid_request(self.handle, request)
            return await self.edge.ask(clone)

    class Edge(MuxEdge):
        virtual_type = Mutant

    class Driver(Mux):
        edge_type = Edge

    b = bench(protocols=0)
    b.add(Driver(b.ndis, "mux", "fm", ADDRESSES[:1]))
    up = FunctionalProtocol(b.ndis, "up", "mux0")
    b.fps.append(up)
    b.run(up.start())
    b.run(up.request(ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 16)))
    with expect_violation(b.ndis, "OI-17"):
        b.stop()


@caught("S6-09")
def test_a_sender_that_touches_its_frame_is_named_through_an_im(bench):
    b = bench(protocols=0)
    mux_of(b)
    (nbl,) = b.fp.send(b.frame())
    mdl = nbl.first_net_buffer.mdl_chain
    mdl.view[20] ^= 1
    with expect_violation(b.ndis, "S6-09"):
        b.fm.complete_all()
