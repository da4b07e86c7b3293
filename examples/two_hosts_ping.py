# SPDX-License-Identifier: Apache-2.0
"""Two hosts, each with protocol, NDIS, miniport and the NIC's software twin, joined by a cable: one pings the other.

No simulator is needed. The same stack runs over the Verilog: see tb/stack_tests.py.
"""

from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.miniport.config import NicConfig
from hilnic.model.nic import ModelNic
from hilnic.protocols.ipv4 import Ipv4Protocol
from hilnic.stack import Stack
from hilnic.wire.ipv4 import parse_ip
from hilnic.wire.link import join

clock = VirtualClock()
hosts = []
for number in (1, 2):
    mac, address = bytes((2, 0, 0, 0, 0, number)), parse_ip(f"10.0.0.{number}")
    nic = ModelNic(clock, HostMemory(16 << 20), name=f"nic{number}")
    ipv4 = Ipv4Protocol(address, mac)
    hosts.append((nic, ipv4, Stack(nic, clock, protocols=[ipv4], config=NicConfig(mac_address=mac))))

(nic1, one, stack1), (nic2, two, stack2) = hosts
join(nic1.wire, nic2.wire)
for _, _, stack in hosts:
    clock.run(stack.start())
for size in (6, 56, 1472):
    print(f"{size} bytes: {clock.run(one.ping(two.address, bytes(size)))} ns of simulated time")
for _, _, stack in hosts:
    clock.run(stack.stop())
print(two.statistics())
