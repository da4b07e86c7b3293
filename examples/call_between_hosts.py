# SPDX-License-Identifier: Apache-2.0
"""One host calls another and sends it three lines over a virtual connection; twins stand for the NICs."""

from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.miniport.config import NicConfig
from hilnic.model.build import Build
from hilnic.model.nic import ModelNic
from hilnic.protocols.call_manager import CallManager
from hilnic.protocols.co_client import CoClient, Qos
from hilnic.stack import Stack
from hilnic.wire.link import join

clock = VirtualClock()
nics = [ModelNic(clock, HostMemory(1 << 24), build=Build(9, 9, num_vcs=8)) for _ in range(2)]
join(nics[0].wire, nics[1].wire)
addresses, clients, stacks = [b"\2\0\0\0\0\1", b"\2\0\0\0\0\2"], [CoClient(), CoClient()], []
for nic, address, client in zip(nics, addresses, clients, strict=True):
    protocols, config = [CallManager(), client], NicConfig(mac_address=address)
    stacks.append(Stack(nic, clock, protocols=protocols, config=config, miniport="6-co"))


async def main() -> None:
    accepted = []
    for stack, client in zip(stacks, clients, strict=True):
        await stack.start()
        await client.bindings["nic0"].wait_until_ready()
    here, there = (client.bindings["nic0"] for client in clients)
    there.listen(b"letters", lambda connection: not accepted.append(connection))
    connection = await here.open(addresses[1], b"letters", Qos(rate=12_500_000, burst=4000, max_sdu=1500))
    print("agreed:", 8 * connection.parameters.call_manager.transmit.token_rate, "bit/s")
    connection.send(b"Dear NIC,", b"the line is good.", b"Yours, the other one")
    print("heard:", [await accepted[0].receive() for _ in range(3)], "at", clock.now_ns(), "ns")
    for stack in stacks:
        await stack.stop()  # hangs up, if need be


clock.run(main())
