# SPDX-License-Identifier: Apache-2.0
"""Pause, reset, power, removal, cable and requests of the NDIS 5 drivers on the twin."""

import pytest

from hilnic import ndis
from hilnic.hw import regs
from hilnic.miniport5.interrupt import MiscWatch
from hilnic.ndis import NdisStatus, Oid
from hilnic.testing.bench5 import Bench5

from .conftest import OWN, frame, out

BOTH = pytest.mark.parametrize("miniport", ["5", "5-lookahead"])


def number(h, oid, size=8):
    return int.from_bytes(h.wait(h.binding.query(oid, size)), "little")


@BOTH
def test_frames_that_arrive_while_paused_are_nobodys(host, miniport):
    h = host(miniport)
    h.inject(frame(1))
    h.run()
    h.wait(ndis.pause_adapter(h.stack.adapter))
    h.inject(frame(2), frame(3, 600))
    h.run()
    h.wait(ndis.restart_adapter(h.stack.adapter))
    h.inject(frame(4))
    h.run()
    assert h.received == [frame(1), frame(4)]
    assert h.miniport.rx.lent == 0


@BOTH
def test_a_reset_ends_sends_and_traffic_goes_on(host, miniport):
    h = host(miniport)
    h.both([out(n) for n in range(3)])
    assert h.wait(ndis.reset_adapter(h.stack.adapter)) is NdisStatus.SUCCESS
    h.inject(frame(7))
    h.binding.send(out(8))
    h.idle()
    h.run()
    assert (h.received[-1], h.sent[-1], h.binding.statuses) == (frame(7), out(8), [])


@BOTH
def test_sleep_and_wake(host, miniport):
    h = host(miniport)
    h.both([out(n) for n in range(3)])
    adapter = h.stack.adapter
    assert h.wait(ndis.set_adapter_power(adapter, ndis.DevicePowerState.D3)) is NdisStatus.SUCCESS
    h.inject(frame(1))
    h.binding.send(out(2))
    h.idle()
    h.run()
    assert len(h.binding.statuses) == 1
    assert h.wait(ndis.set_adapter_power(adapter, ndis.DevicePowerState.D0)) is NdisStatus.SUCCESS
    h.both([out(n) for n in range(10, 14)])


@BOTH
def test_the_cable(host, miniport):
    h = host(miniport)
    for up in (False, True):
        h.nic.set_link(up)
        h.run(2_000_000)
    codes = [code for code, _ in h.binding.status_indications]
    assert codes == [NdisStatus.MEDIA_DISCONNECT, NdisStatus.MEDIA_CONNECT]


@BOTH
def test_counters_are_the_nics_and_what_is_known_is_answered(host, miniport):
    h = host(miniport)
    h.inject(*[frame(n) for n in range(5)])
    h.binding.send(*[out(n, 100) for n in range(7)])
    h.idle()
    h.run()
    assert (number(h, Oid.OID_GEN_RCV_OK), number(h, Oid.OID_GEN_XMIT_OK, 4)) == (5, 7)
    assert number(h, Oid.OID_GEN_DIRECTED_BYTES_XMIT) == 700
    assert h.wait(h.binding.query(Oid.OID_802_3_CURRENT_ADDRESS)) == OWN
    assert number(h, Oid.OID_GEN_MEDIA_CONNECT_STATUS) == 0
    listed = h.wait(h.binding.query(Oid.OID_GEN_SUPPORTED_LIST, 1024))
    oids = {int.from_bytes(listed[at : at + 4], "little") for at in range(0, len(listed), 4)}
    assert {Oid.OID_GEN_RCV_OK, Oid.OID_802_3_MULTICAST_LIST, Oid.OID_GEN_CURRENT_LOOKAHEAD} <= oids
    with pytest.raises(RuntimeError, match="INVALID_OID"):
        h.wait(h.binding.query(0x00990001))


@BOTH
def test_the_filter_and_the_multicast_list_reach_the_nic(host, miniport):
    h = host(miniport)
    group = b"\x01\0\x5e\0\0\x07"
    wanted = ndis.PacketFilter.DIRECTED | ndis.PacketFilter.MULTICAST
    assert h.wait(h.binding.set_filter(wanted)) is NdisStatus.SUCCESS
    assert h.wait(h.binding.set_multicast_list([group])) is NdisStatus.SUCCESS
    assert h.wait(h.stack.hardware.read(regs.RX_FILTER)) & regs.RX_FILTER_MULTICAST_EXACT
    h.inject(frame(1, 60, group), frame(2, 60, b"\x01\0\x5e\0\0\x08"), frame(3, 60, b"\xff" * 6), frame(4))
    h.run()
    assert h.received == [frame(1, 60, group), frame(4)]


@BOTH
def test_a_nic_that_is_pulled_out_ends_everything(host, miniport):
    h = host(miniport, tx_ring=4)
    h.binding.send(*[out(n, 1000) for n in range(20)])
    h.wait(ndis.surprise_remove_adapter(h.stack.adapter))
    assert not h.raw.bindings
    assert h.stack.host.adapters == []


@BOTH
def test_a_foreign_card_is_refused(host, miniport, monkeypatch):
    from hilnic.stack import StackError

    from .conftest import Host

    h = Host(miniport)
    monkeypatch.setattr(regs, "ID_VALUE", 0x12345678)
    with pytest.raises(StackError) as refused:
        h.start()
    assert refused.value.status is NdisStatus.ADAPTER_NOT_FOUND
    assert h.memory.live_mappings() == []


def test_the_causes_are_looked_at_once_at_a_time_and_again_when_an_interrupt_came_meanwhile():
    b = Bench5(())
    running, looks = [], []

    async def look():
        assert not running
        running.append(len(looks))
        looks.append(b.kernel.now_ns())
        await b.kernel.sleep(1_000)
        running.pop()

    watch = MiscWatch(b.fm.adapter, look)
    for _ in range(3):
        watch.note(explained=False)
        b.kernel.run_for(100)
    b.kernel.run_for(10_000)
    assert looks == [0, 1_000]
    watch.stop()
    watch.note(explained=False)
    b.kernel.run_for(10_000)
    assert len(looks) == 2
    b.stop()
