# SPDX-License-Identifier: Apache-2.0
"""A WAN miniport on the twin with an access concentrator at the far end of the wire."""

from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.miniport.config import NicConfig
from hilnic.model.nic import ModelNic
from hilnic.protocols.wan5 import WanLine, WanProtocol5
from hilnic.stack import Stack
from hilnic.wire.pppoe import AccessConcentrator, PppoeCode

from .conftest import PEER, padded

SESSION = 0x1234
HEADER = b"\x88\x64\x11\x00\x12\x34"
PPP = b"\x00\x21" + bytes(range(90))


class Wan:
    """A stack over a twin, an access concentrator at the far end."""

    def __init__(self, **config):
        self.clock, self.memory, self.wire = VirtualClock(), HostMemory(1 << 20), []
        self.nic = ModelNic(self.clock, self.memory)
        self.ac = AccessConcentrator(self.inject, PEER)
        self.nic.wire.connect(self.hear)
        self.up = WanProtocol5()
        config = NicConfig(**{"tx_ring": 4, "rx_ring": 8, "rx_buffers": 8, **config})
        self.stack = Stack(self.nic, self.clock, protocols=[self.up], config=config, verify="full", miniport="5-wan")
        self.wait(self.stack.start())

    def hear(self, frame):
        self.wire.append(frame.data)
        self.ac.receive(frame.data)

    def inject(self, data):
        self.nic.wire.send(padded(data))

    def wait(self, work):
        return self.clock.run(work)

    def run(self, nanoseconds=200_000):
        self.clock.run_until(self.clock.now_ns() + nanoseconds)

    def dial(self, service=b""):
        """A call that goes through: (handle, line)."""
        handle = self.wait(self.up.dial(service))
        line = self.wait(self.up.wait_for(handle))
        assert isinstance(line, WanLine)
        return handle, line

    def codes(self):
        return [PppoeCode(frame.code) for frame in self.ac.heard]

    @property
    def discovery(self):
        return self.stack.nic5.discovery

    def stop(self):
        """Nothing is left anywhere, and nobody broke a rule."""
        self.wait(self.stack.stop())
        assert self.memory.leaks() == []
        assert self.memory.live_mappings() == []
        assert self.stack.host.report.violations == []
