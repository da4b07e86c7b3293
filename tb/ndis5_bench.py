# SPDX-License-Identifier: Apache-2.0
"""What the tests of the NDIS 5 drivers on the Verilog share."""

import os
from dataclasses import replace

from stack_bench import OWN, PEER, frame, hosts

from hilnic.protocols.raw5 import RawProtocol5

FAST = os.environ.get("HILNIC_SIM") == "verilator"
DRIVERS = ["5", "5-lookahead"]


def out(number, length=60):
    """A frame that does not loop back."""
    return frame(number, length, PEER, OWN)


async def host5(dut, miniport="5", handlers="both", *, raw5=None, **options):
    """A raw protocol of NDIS 5 on a driver of NDIS 5."""
    protocol = RawProtocol5(handlers=handlers, **(raw5 or {}))
    (host,) = await hosts(dut, protocols=lambda _: [protocol], miniport=miniport, **options)
    return host


async def all_received(host, number, what="all frames received"):
    await host.until(lambda: host.binding.statistics().received >= number, what=what)


async def stack(dut, *protocols, miniport="5", **options):
    (host,) = await hosts(dut, protocols=lambda _: list(protocols), miniport=miniport, **options)
    return host


class Curious(RawProtocol5):
    """A raw protocol whose receive handlers are the test's: `peek(binding, context, header, lookahead, size)`."""

    def __init__(self, peek, **options):
        super().__init__(**options)
        self.peek = peek

    def _characteristics(self):
        plain = super()._characteristics()
        if self.handlers == "packet":
            return replace(plain, receive_packet=self.peek)
        return replace(plain, receive=self.peek)
