# SPDX-License-Identifier: Apache-2.0
"""`verify=full`: every access by a handler is checked against the owner of the object (V1)."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import ReceiveFlags
from hilnic.testing import FunctionalMiniport, FunctionalProtocol, expect_violation


@pytest.mark.rule("MD-28")
def test_a_normal_run_is_silent_under_full(bench, completion):
    b = bench(verify="full", completion=completion, protocols=2)
    b.fp.send(*b.frames(5), cuts=[14, 3], head=4)
    b.run()
    b.fm.indicate(*b.frames(5))
    b.fm.indicate(*b.frames(5), flags=ReceiveFlags.RESOURCES)
    assert len(b.fps[1].received) == 10


@pytest.mark.rule("S6-09")
@pytest.mark.mutant("S6-09")
def test_mutant_looks_at_a_pending_nbl_from_its_handler(bench):
    class Curious(FunctionalProtocol):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            super().receive_net_buffer_lists(nbls, port, count, flags)
            self.seen = self.pending.status

    b = bench(verify="full", protocol=Curious)
    (b.fp.pending,) = b.fp.send(b.frame())
    with expect_violation(b.ndis, "S6-09") as found:
        b.fm.indicate(b.frame())
    assert "status" in str(found[0])
    b.fm.complete_all()


@pytest.mark.rule("MD-28")
@pytest.mark.mutant("MD-28")
def test_mutant_miniport_touches_an_nbl_after_it_completed_it(bench):
    class Late(FunctionalMiniport):
        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            super().send_net_buffer_lists(nbls, port_number, send_flags)
            nbls.scratch = "still mine?"

    b = bench(verify="full", miniport=Late, completion="inline")
    with expect_violation(b.ndis, "MD-28"):
        b.fp.send(b.frame())


@pytest.mark.rule("MD-28")
@pytest.mark.mutant("MD-28")
def test_mutant_miniport_keeps_a_net_buffer_of_a_completed_send(bench):
    class Keeping(FunctionalMiniport):
        kept = None

        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            if self.kept is not None:
                self.kept.data_length = 0
            self.kept = nbls.first_net_buffer
            super().send_net_buffer_lists(nbls, port_number, send_flags)

    b = bench(verify="full", miniport=Keeping, completion="inline")
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "MD-28"):
        b.fp.send(b.frame())


@pytest.mark.rule("R6-05")
@pytest.mark.mutant("R6-05")
def test_mutant_protocol_looks_at_a_borrowed_list_in_a_later_handler(bench):
    class Keeping(FunctionalProtocol):
        kept = None

        def receive_net_buffer_lists(self, nbls, port, count, flags):
            if self.kept is not None:
                self.received.append(self.kept.first_net_buffer)
            self.kept = nbls

    b = bench(verify="full", protocol=Keeping)
    b.fm.indicate(b.frame(), flags=ReceiveFlags.RESOURCES)
    with expect_violation(b.ndis, "R6-05"):
        b.fm.indicate(b.frame(), flags=ReceiveFlags.RESOURCES)


@pytest.mark.rule("MD-28")
def test_a_holder_may_look_until_it_returns(bench):
    class Holder(FunctionalProtocol):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            if self.held:
                self.received.append(self.held[0].first_net_buffer.tobytes())
            self.held.append(nbls)

    b = bench(verify="full", protocol=Holder)
    b.fm.indicate(b.frame(1))
    b.fm.indicate(b.frame(2))
    assert b.fp.received == [b.frame(1)]
    b.fp.give_back()


@pytest.mark.rule("MD-22")
def test_a_miniport_may_clone_what_it_holds(bench):
    class Cloning(FunctionalMiniport):
        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            clone = ndis.allocate_clone_net_buffer_list(nbls, self.pool)
            assert clone.first_net_buffer.tobytes() == nbls.first_net_buffer.tobytes()
            ndis.free_clone_net_buffer_list(clone)
            super().send_net_buffer_lists(nbls, port_number, send_flags)

    b = bench(verify="full", miniport=Cloning, completion="inline")
    b.fp.send(b.frame(), cuts=[9])
    assert len(b.fp.completed) == 1
