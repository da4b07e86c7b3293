# SPDX-License-Identifier: Apache-2.0
"""ST-24, ST-12: sleep and waking of the driver stack."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import DevicePowerState, NdisStatus, NetEvent, Oid, PacketFilter
from hilnic.ndis.states import AdapterState
from hilnic.testing import FunctionalMiniport, NdisBench, expect_violation

D0, D2, D3 = DevicePowerState.D0, DevicePowerState.D2, DevicePowerState.D3


class Sleeper(FunctionalMiniport):
    """Answers the power requests as a test says."""

    answer_power = NdisStatus.SUCCESS

    def set_power(self, power):
        super().set_power(power)
        return self.answer_power


def power(b: NdisBench, state: DevicePowerState) -> NdisStatus:
    return b.run(ndis.set_adapter_power(b.fm.adapter, state))


@pytest.mark.rule("ST-24", "ST-12", "ST-08")
def test_sleep_pauses_from_the_top_and_waking_restarts_from_the_bottom(bench):
    b = bench(miniport=Sleeper)
    fi = b.filter()
    trace = b.fp.trace = fi.trace = b.fm.trace
    trace.clear()
    oid = f"{fi.name} oid"
    assert power(b, D3) is NdisStatus.SUCCESS
    assert [step for step in trace if step != oid] == ["set_power", "pause", f"{fi.name} pause", "pause", "D3"]
    trace.clear()
    assert power(b, D0) is NdisStatus.SUCCESS
    assert [step for step in trace if step != oid] == ["D0", "restart", f"{fi.name} restart", "restart", "set_power"]
    assert b.fp.events.count(NetEvent.SET_POWER) == 2


@pytest.mark.rule("ST-24")
def test_waking_sets_filter_and_list_again_before_traffic(bench):
    b = bench(miniport=Sleeper)
    address = bytes.fromhex("01005e000001")
    b.run(b.fp.set_multicast(address))
    wanted = b.fm.packet_filter
    power(b, D3)
    assert (b.fm.packet_filter, b.fm.multicast_list) == (0, b"")
    power(b, D0)
    assert (b.fm.packet_filter, b.fm.multicast_list) == (wanted, address)
    assert wanted & PacketFilter.MULTICAST
    b.fp.send(b.frame())
    b.fm.complete_all()
    b.fm.indicate(b.frame(1))
    assert b.fp.received == [b.frame(1)]


@pytest.mark.rule("ST-24", "S6-15")
def test_a_send_in_sleep_ends_with_low_power_state(bench):
    b = bench(miniport=Sleeper)
    power(b, D2)
    (nbl,) = b.fp.send(b.frame())
    assert b.fp.completed == [(nbl, NdisStatus.LOW_POWER_STATE)]
    assert b.fm.sent_frames == []
    assert b.run(ndis.reset_adapter(b.fm.adapter)) is NdisStatus.LOW_POWER_STATE


@pytest.mark.rule("ST-24")
def test_requests_in_sleep_are_answered_by_ndis_or_refused_except_for_power(bench):
    b = bench(miniport=Sleeper)
    power(b, D3)
    asked = len(b.fm.oids)
    assert b.run(b.fp.request(ndis.query(Oid.OID_GEN_VENDOR_DESCRIPTION, 64))) is NdisStatus.LOW_POWER_STATE
    assert b.run(b.fp.request(ndis.query(Oid.OID_GEN_MAXIMUM_FRAME_SIZE, 4))) is NdisStatus.SUCCESS
    assert len(b.fm.oids) == asked
    assert b.run(b.fp.request(ndis.query(Oid.OID_PNP_QUERY_POWER, 4))) is NdisStatus.SUCCESS
    assert len(b.fm.oids) == asked + 1


@pytest.mark.rule("ST-24")
def test_a_protocol_may_not_set_the_power(bench):
    b = bench(miniport=Sleeper)
    request = ndis.set_information(Oid.OID_PNP_SET_POWER, bytes([4, 0, 0, 0]))
    assert b.run(b.fp.request(request)) is NdisStatus.NOT_SUPPORTED
    assert b.fm.adapter.power is D0


@pytest.mark.rule("ST-24", "ST-07")
def test_deeper_and_repeated_states_and_a_paused_adapter(bench):
    b = bench(miniport=Sleeper)
    assert power(b, D0) is NdisStatus.SUCCESS
    assert "D0" not in b.fm.trace
    b.run(ndis.pause_adapter(b.fm.adapter))
    for state in (D2, D3, D0):
        assert power(b, state) is NdisStatus.SUCCESS
    assert b.fm.trace[-3:] == ["D2", "D3", "D0"]
    assert b.fm.adapter.state is AdapterState.PAUSED
    assert b.run(ndis.restart_adapter(b.fm.adapter)) is NdisStatus.SUCCESS


@pytest.mark.rule("ST-24", "OI-08")
def test_a_removal_in_sleep_ends_it(bench):
    b = bench(miniport=Sleeper)
    power(b, D3)
    b.run(ndis.surprise_remove_adapter(b.fm.adapter))
    assert power(b, D0) is NdisStatus.NOT_ACCEPTED
    assert b.fm.trace[-1] == "halt DEVICE_SURPRISE_REMOVED"


@pytest.mark.rule("ST-07", "ST-24")
def test_sleep_waits_for_a_reset_that_runs(bench):
    class Slow(Sleeper):
        def reset(self):
            return NdisStatus.PENDING, False

    b = bench(miniport=Slow)
    b.kernel.start(ndis.reset_adapter(b.fm.adapter))
    done = b.kernel.start(ndis.set_adapter_power(b.fm.adapter, D3))
    b.kernel.run_for(1000)
    assert done == []
    assert b.fm.adapter.state is AdapterState.RUNNING
    ndis.complete_reset(b.fm.adapter, NdisStatus.SUCCESS, False)
    b.run()
    assert done == [NdisStatus.SUCCESS]


@pytest.mark.rule("OI-08")
@pytest.mark.mutant("OI-08")
@pytest.mark.parametrize("status", [NdisStatus.FAILURE, NdisStatus.NOT_SUPPORTED])
def test_mutant_refuses_to_sleep(bench, status):
    b = bench(miniport=Sleeper)
    b.fm.answer_power = status
    with expect_violation(b.ndis, "OI-08"):
        assert power(b, D3) is status
    assert b.fm.adapter.power is D0


@pytest.mark.rule("OI-08")
def test_a_device_that_has_gone_may_say_not_accepted(bench):
    b = bench(miniport=Sleeper)
    b.fm.answer_power = NdisStatus.NOT_ACCEPTED
    assert power(b, D3) is NdisStatus.NOT_ACCEPTED
