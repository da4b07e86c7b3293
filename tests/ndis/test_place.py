# SPDX-License-Identifier: Apache-2.0
"""A report names the driver's line, what to do, and how things stood: enough to mend a driver by the screen alone."""

import pytest

from hilnic import ndis
from hilnic.ndis import NdisViolation
from hilnic.ndis.rules import all_rules
from hilnic.testing import Bench5, FunctionalMiniport, FunctionalProtocol, NdisBench, expect_violation


class CompletesTwice(FunctionalMiniport):
    """Completes in the handler, and once more in a function of its own."""

    def send_net_buffer_lists(self, nbls, port_number, send_flags):
        ndis.complete_send_net_buffer_lists(self.adapter, nbls)
        self.once_more(nbls)

    def once_more(self, nbls):
        ndis.complete_send_net_buffer_lists(self.adapter, nbls)


def test_a_violation_names_the_drivers_line():
    bench = NdisBench(miniport=CompletesTwice)
    with expect_violation(bench.ndis, "S6-02") as found:
        bench.fp.send(bench.frame())
    assert "test_place.py" in found[0].place
    assert found[0].place.endswith("in once_more")
    assert f"  at {found[0].place}" in str(found[0]).splitlines()


def test_what_a_test_commands_names_the_kit_and_the_test():
    bench = NdisBench()
    bench.fp.send(bench.frame())
    (nbl,) = bench.fm.captured
    bench.fm.complete_all()
    with expect_violation(bench.ndis, "S6-02") as found:
        bench.fm.complete(nbl)
    kit, _, test = found[0].place.partition(", called from ")
    assert "miniport.py" in kit
    assert test.endswith("in test_what_a_test_commands_names_the_kit_and_the_test")


def test_what_no_driver_did_has_no_place():
    bench = NdisBench()
    bench.fm.hold_oids = True
    bench.kernel.start(bench.fp.request(ndis.query(ndis.Oid.OID_GEN_VENDOR_ID, 4)))
    with expect_violation(bench.ndis, "OI-02") as found:
        bench.kernel.run_for(13_000_000_000)
    assert found[0].place == ""


def test_a_report_says_how_it_was_then_not_how_it_is_later():
    bench = NdisBench()
    bench.fp.send(bench.frame())
    (nbl,) = bench.fm.captured
    bench.fm.complete_all()
    with bench.ndis.report.collect() as found:
        bench.fm.complete(nbl)
    bench.stop()
    assert "Running" in str(found[0]).splitlines()[0]


class Raises(FunctionalMiniport):
    def send_net_buffer_lists(self, nbls, port_number, send_flags):
        self.inner()

    def inner(self):
        raise KeyError("bug")


def test_a_fault_names_the_line_that_raised():
    bench = NdisBench(miniport=Raises)
    with bench.ndis.report.collect() as found:
        bench.fp.send(bench.frame())
        bench.run()
    assert found[0].place.endswith("in inner")
    assert f"  at {found[0].place}" in str(found[0]).splitlines()


@pytest.mark.rule("MD-18")
@pytest.mark.parametrize("touch", [lambda mdl: mdl.view, lambda mdl: mdl.next, lambda mdl: setattr(mdl, "next", None)])
def test_an_mdl_that_is_freed_is_not_touched(touch):
    bench = NdisBench()
    region = bench.kernel.allocate(64)
    mdl = ndis.allocate_mdl(bench.ndis, region)
    ndis.free_mdl(mdl)
    with expect_violation(bench.ndis, "MD-18") as found:
        touch(mdl)
    assert "test_place.py" in found[0].place
    assert repr(mdl) == "Mdl(freed)"


def test_a_freed_mdl_is_nobodys_matter_without_the_verifier():
    bench = NdisBench(verify="off")
    mdl = ndis.allocate_mdl(bench.ndis, bench.kernel.allocate(64))
    ndis.free_mdl(mdl)
    assert len(mdl.view) == 64


def test_a_remedy_is_printed_with_the_rule():
    violation = NdisViolation("S6-02", "driver", "list", "", 0, 0, ())
    assert f"  do: {all_rules()['S6-02'].remedy}" in str(violation).splitlines()
    assert all_rules()["S6-02"].remedy


class LosesReturns(FunctionalProtocol):
    """Forgets what it received."""

    def receive_net_buffer_lists(self, nbls, port, count, flags):
        pass


def test_a_pause_that_is_late_names_who_has_what():
    bench = NdisBench(protocol=LosesReturns)
    (nbl,) = bench.fm.indicate(bench.frame())
    bench.kernel.start(ndis.pause_adapter(bench.fm.adapter))
    with expect_violation(bench.ndis, "ST-06") as found:
        bench.kernel.run_for(11_000_000_000)
    assert f"out: NBL#{nbl.id} indicated, with Binding(fp0->fm" in found[0].detail


def test_the_kits_protocol_of_ndis_5_may_return_too_often():
    bench = Bench5(handlers=["packet"], serialized=False)
    bench.fp.references = 1
    (packet,) = bench.fm.indicate(bench.frame())
    bench.fp.give_back(packet)
    with expect_violation(bench.ndis, "R5-05"):
        bench.fp.give_back(packet)
