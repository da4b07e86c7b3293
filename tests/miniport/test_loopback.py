# SPDX-License-Identifier: Apache-2.0
"""LB-09: the NIC's own loopback as a setting: one bit in CTRL, one MAC option less, marked frames."""

import pytest

from hilnic import ndis
from hilnic.hw import regs
from hilnic.ndis import MacOptions, Oid


@pytest.mark.rule("LB-09")
@pytest.mark.parametrize("loopback", [False, True])
def test_the_setting_is_in_the_register_and_in_the_mac_options(make_bench, loopback):
    bench = make_bench(loopback=loopback)
    assert bool(bench.nic.registers[regs.CTRL] & regs.CTRL_LOOPBACK) == loopback
    options = int.from_bytes(bench.wait(bench.binding.query(Oid.OID_GEN_MAC_OPTIONS)), "little")
    assert bool(options & MacOptions.NO_LOOPBACK) != loopback
    bench.wait(ndis.pause_adapter(bench.stack.adapter))
    bench.run()
    assert bench.nic.registers[regs.CTRL] == 0
    bench.wait(ndis.restart_adapter(bench.stack.adapter))
    assert bool(bench.nic.registers[regs.CTRL] & regs.CTRL_LOOPBACK) == loopback


@pytest.mark.rule("LB-05")
def test_a_frame_from_the_wire_is_not_marked_as_looped(make_bench, frame):
    flags = []

    def receive(binding, nbls, count, receive_flags):
        flags.append(nbls.nbl_flags)
        binding.return_nbls(nbls)

    bench = make_bench(on_receive=receive)
    bench.nic.inject(frame(1))
    bench.run()
    assert flags == [0]
