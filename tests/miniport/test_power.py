# SPDX-License-Identifier: Apache-2.0
"""ST-24 over the fake NIC: asleep the registers are at their reset values, awake everything is as before."""

import pytest

from hilnic import ndis
from hilnic.hw import regs
from hilnic.ndis import DevicePowerState, NdisStatus, Oid

D0, D3 = DevicePowerState.D0, DevicePowerState.D3


def set_power(bench, power):
    return bench.wait(ndis.set_adapter_power(bench.stack.adapter, power))


@pytest.mark.rule("ST-24")
def test_d3_clears_the_nic_and_d0_restores_it(make_bench, frame):
    bench = make_bench()
    programmed = (regs.RX_FILTER, regs.MAC_ADDR_LO, regs.MAX_FRAME)
    before = {offset: bench.nic.registers.get(offset, 0) for offset in programmed}
    assert all(before.values())
    assert set_power(bench, D3) == NdisStatus.SUCCESS
    assert {offset: bench.nic.registers.get(offset, 0) for offset in before} == dict.fromkeys(before, 0)
    assert {queue.state for queue in bench.nic.queues.values()} == {regs.QueueState.DISABLED}
    sent = list(bench.nic.sent)
    bench.nic.inject(frame(5))
    bench.run()
    assert (bench.nic.sent, bench.binding.received) == (sent, [])
    assert set_power(bench, D0) == NdisStatus.SUCCESS
    assert {offset: bench.nic.registers.get(offset, 0) for offset in before} == before
    bench.binding.send(frame(1))
    bench.nic.inject(frame(2))
    bench.idle()
    bench.run()
    assert bench.nic.sent[len(sent) :] == [frame(1)]
    assert bench.binding.received == [frame(2)]


@pytest.mark.rule("ST-24", "OI-08")
def test_a_nic_that_does_not_come_out_of_reset_refuses_to_wake(make_bench):
    bench = make_bench(timeout_ns=50_000)
    assert set_power(bench, D3) == NdisStatus.SUCCESS
    bench.nic.reset_hangs = True
    assert set_power(bench, D0) == NdisStatus.NOT_ACCEPTED
    assert bench.stack.adapter.power is D3
    bench.nic.reset_hangs = False
    assert set_power(bench, D0) == NdisStatus.SUCCESS


@pytest.mark.rule("ST-24")
def test_a_link_that_changed_in_sleep_is_reported_on_waking(make_bench):
    bench = make_bench()
    set_power(bench, D3)
    bench.nic.set_link(False)
    bench.run()
    assert bench.stack.adapter.link_state.media_connect_state is ndis.MediaConnectState.CONNECTED
    set_power(bench, D0)
    assert bench.stack.adapter.link_state.media_connect_state is ndis.MediaConnectState.DISCONNECTED


@pytest.mark.rule("ST-24")
def test_power_requests_are_answered_awake_and_asleep(make_bench):
    bench = make_bench()
    assert bench.wait(bench.binding.query(Oid.OID_PNP_CAPABILITIES)) == bytes(16)
    assert bench.wait(bench.binding.request(ndis.query(Oid.OID_PNP_QUERY_POWER, 4))) == NdisStatus.SUCCESS
    set_power(bench, D3)
    assert bench.wait(bench.binding.request(ndis.query(Oid.OID_PNP_QUERY_POWER, 4))) == NdisStatus.SUCCESS
    status = bench.wait(bench.binding.request(ndis.query(Oid.OID_GEN_STATISTICS, 512)))
    assert status == NdisStatus.LOW_POWER_STATE
    set_power(bench, D0)
    assert bench.wait(bench.binding.request(ndis.query(Oid.OID_GEN_STATISTICS, 512))) == NdisStatus.SUCCESS
