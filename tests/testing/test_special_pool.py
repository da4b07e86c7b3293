# SPDX-License-Identifier: Apache-2.0
"""Claims about the special pool under a whole stack: what the NIC's DMA or a driver writes outside of its memory."""

import struct

import pytest

from hilnic.hw.clock import VirtualClock
from hilnic.hw.cpu import HostCpu
from hilnic.hw.descriptors import RX_DESCRIPTOR_STRUCT
from hilnic.hw.memory import HostMemory
from hilnic.hw.timing import TimingModel
from hilnic.miniport import rx
from hilnic.miniport.config import NicConfig
from hilnic.model.nic import ModelNic
from hilnic.ndis.faults import DriverFault
from hilnic.protocols.raw import RawProtocol
from hilnic.stack import Stack
from hilnic.testing.special_pool import PoolCorruption, SpecialPool

OWN = NicConfig().mac_address
BUFFER = 256


def frame(number, length):
    return (OWN + b"\x02\0\0\0\0\x99\x88\xb5" + struct.pack(">I", number) + bytes(length))[:length]


class Host:
    """A stack on the twin with the special pool."""

    def __init__(self, weak=False):
        self.clock, self.memory = VirtualClock(), HostMemory(8 << 20, weak=weak)
        self.nic, self.raw = ModelNic(self.clock, self.memory), RawProtocol()
        config = NicConfig(tx_ring=16, rx_ring=16, rx_buffers=32, rx_low_water=0, rx_buffer_bytes=BUFFER)
        timing = TimingModel(weak=weak)
        self.stack = Stack(self.nic, self.clock, protocols=[self.raw], config=config, verify="full", timing=timing)
        self.clock.run(self.stack.start())

    def receive(self, *frames):
        for data in frames:
            self.nic.wire.send(data)
        self.clock.run_until(self.clock.now_ns() + 100_000)

    def stop(self):
        self.clock.run(self.stack.stop())


def post_a_byte_too_far(receiver):
    """Its buffers are mapped, and told to the NIC, from their second byte on, as long as they are."""
    RIGHT_ALLOCATE(receiver)
    for buffer in receiver._buffers:
        buffer.address += 1
        buffer.descriptor = RX_DESCRIPTOR_STRUCT.pack(buffer.address, 0)


RIGHT_ALLOCATE = rx.Receiver.allocate


@pytest.mark.parametrize("weak", [False, True])
def test_traffic_with_guards_around_all_memory_is_clean_and_leaves_nothing(weak):
    host = Host(weak)
    host.raw.bindings["nic0"].send(*[frame(n, 60 + 50 * n) for n in range(20)])
    host.receive(*[frame(n, 60 + 50 * n) for n in range(20)])
    assert len(host.raw.bindings["nic0"].received) == 20
    host.stop()
    assert host.memory.leaks() == []


@pytest.mark.parametrize("weak", [False, True])
def test_mutant_lets_the_nic_write_a_byte_past_its_buffer(monkeypatch, weak):
    monkeypatch.setattr(rx.Receiver, "allocate", post_a_byte_too_far)
    host = Host(weak)
    host.receive(frame(1, BUFFER - 1))
    host.stack.special_pool.check()
    host.receive(frame(2, BUFFER))
    with pytest.raises(PoolCorruption, match=r"written behind GuardedRegion\(0x\w+, 256 bytes\)"):
        host.stack.special_pool.check()


def test_what_a_halt_finds_is_the_drivers_fault_and_ends_the_run(monkeypatch):
    monkeypatch.setattr(rx.Receiver, "allocate", post_a_byte_too_far)
    host = Host()
    host.receive(frame(1, BUFFER))
    with pytest.raises(PoolCorruption, match="written behind"):
        host.stop()
    (fault,) = host.stack.host.report.violations
    assert isinstance(fault.__cause__, PoolCorruption)
    assert fault.handler == "halt"
    with pytest.raises(DriverFault):  # the driver is unloaded, and then NDIS says why
        host.receive()


def test_freed_memory_is_used_again_only_when_much_more_has_been_freed():
    memory = HostMemory(1 << 20)
    cpu = HostCpu(VirtualClock(), memory)
    pool = SpecialPool(cpu, quarantine=10_000)
    first = cpu.allocate(1000)
    cpu.free(first)
    addresses = []
    for _ in range(30):
        region = cpu.allocate(1000)
        addresses.append(region.address)
        cpu.free(region)
    assert addresses.index(first.address) > 5
    pool.close()
    assert memory.leaks() == []


def test_a_leak_in_the_special_pool_names_the_line_that_allocated():
    host = Host()
    host.stack.cpu.allocate(100)
    host.stop()
    (leaked,) = host.memory.leaks()
    assert "test_special_pool.py" in repr(leaked)
