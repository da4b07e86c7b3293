# SPDX-License-Identifier: Apache-2.0
"""The simulator's side of `hilnic live`: the stack with the protocols tap and ipv4, and two TAPs at its ends."""

import signal
import socket
from dataclasses import asdict
from time import monotonic

import cocotb

from hilnic.apps import session
from hilnic.apps.bridge import Bridge
from hilnic.apps.recording import recorded
from hilnic.cosim.harness import ALIGNED, Harness
from hilnic.hw import regs
from hilnic.hw.trace import Trace
from hilnic.miniport.config import NicConfig
from hilnic.protocols.ipv4 import Ipv4Protocol
from hilnic.protocols.ipv4_5 import Ipv4Protocol5
from hilnic.stack import Stack
from hilnic.testing import run_record

run_record.of_simulation()
FOREVER_NS = 10**15


@cocotb.test()
async def bridge(dut):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt ends the command, which ends us by the control socket
    job = session.job()
    hardware = bytes.fromhex(job["hardware"])
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.connect("\0" + job["socket"])
    _, descriptors, _, _ = socket.recv_fds(control, 16, 2)
    harness = Harness(dut, clocks=[ALIGNED], seed=job["seed"], limit_ns=FOREVER_NS)
    await harness.start()
    card = harness.cards[0]
    trace = Trace(enabled=True, limit=1)  # heard by the capture, not kept
    with recorded(job["pcap"], card.link, trace):
        protocol = job["protocol"]
        bridge = Bridge(
            *descriptors, control.fileno(), harness.clock, card.link, lambda: card.statistics.progress, protocol
        )
        ipv4 = (Ipv4Protocol5 if protocol == "5" else Ipv4Protocol)(bytes(job["address"]), hardware)
        stack = Stack(
            card.device,
            harness.clock,
            protocols=[bridge.tap, ipv4],
            config=NicConfig(mac_address=hardware),
            trace=trace,
            seed=job["seed"],
            miniport=job["miniport"],
        )
        await stack.start()
        started = monotonic()
        control.send(b"ready")
        await bridge.run()
        result = {
            "bridge": asdict(bridge.statistics),
            "ipv4": asdict(ipv4.statistics()),
            "drops": await drops(stack.hardware),
            "wire": {
                "sent": card.statistics.tx_frames,
                "received": card.statistics.rx_frames,
                "bad": card.statistics.tx_bad,
            },
            "simulated_ns": harness.now_ns,
            "wall_s": monotonic() - started,
            "interrupts": card.statistics.interrupts,
        }
        await stack.stop()
    session.say(**result)
    harness.stop()


async def drops(hardware):
    """The NIC's receive drops that are not zero; filtered frames are no loss."""
    found = {
        c.name.lower(): await hardware.read64(regs.rx_counter(c)) for c in regs.RxCounter if c.name.startswith("DROP_")
    }
    return {name: count for name, count in found.items() if count}
