# SPDX-License-Identifier: Apache-2.0
"""A host on the software twin: NDIS 5 or 6 drivers on both sides of NDIS, any pair of them."""

import struct

import pytest

from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.hw.timing import TimingModel
from hilnic.miniport.config import NicConfig
from hilnic.model.nic import ModelNic
from hilnic.protocols.raw import RawProtocol
from hilnic.protocols.raw5 import RawProtocol5
from hilnic.stack import Stack

OWN = NicConfig().mac_address
PEER = b"\x02\0\0\0\0\x99"
SMALL = {"tx_ring": 16, "rx_ring": 16, "rx_buffers": 32, "rx_low_water": 0}


class Host:
    """One stack over one twin; `up` is its protocol: "6", or how a 5.x one receives."""

    def __init__(
        self, miniport="5", up="both", *, verify="full", timing=None, seed=3, profile=None, raw=None, **config
    ):
        timing = timing or TimingModel()
        self.clock = VirtualClock()
        self.memory = HostMemory(16 << 20, weak=timing.weak)
        self.nic = ModelNic(self.clock, self.memory, timing)
        self.wire = []
        self.nic.wire.connect(self.wire.append)
        options = raw or {}
        self.raw = RawProtocol(**options) if up == "6" else RawProtocol5(handlers=up, **options)
        self.stack = Stack(
            self.nic,
            self.clock,
            protocols=[self.raw],
            config=NicConfig(**{**SMALL, **config}),
            verify=verify,
            timing=timing,
            seed=seed,
            profile=profile,
            miniport=miniport,
        )
        self.halted = False

    def start(self):
        self.wait(self.stack.start())
        return self

    @property
    def binding(self):
        return self.raw.bindings["nic0"]

    @property
    def miniport(self):
        return self.stack.nic5

    @property
    def sent(self):
        return [one.data for one in self.wire]

    @property
    def received(self):
        return self.binding.received

    @property
    def copies(self):
        return self.stack.host.xlate_copies

    def inject(self, *frames):
        for data in frames:
            self.nic.wire.send(data)

    def run(self, nanoseconds=100_000):
        self.clock.run_until(self.clock.now_ns() + nanoseconds)

    def wait(self, coroutine):
        return self.clock.run(coroutine)

    def idle(self):
        self.wait(self.binding.wait_until_idle())

    def both(self, frames, fragments=1):
        """Frames out and as many in, byte for byte, in order."""
        incoming = [OWN + PEER + data[12:] for data in frames]
        self.inject(*incoming)
        self.binding.send(*frames, fragments=fragments)
        self.idle()
        self.run(20_000 * len(frames) + 100_000)
        assert self.sent[-len(frames) :] == [padded(data) for data in frames]
        assert self.received[-len(frames) :] == [padded(data) for data in incoming]

    def stop(self):
        """Halt; then nothing is mapped, nothing allocated."""
        if not self.halted:
            self.halted = True
            self.wait(self.stack.stop())
            assert self.memory.live_mappings() == []
            assert self.memory.leaks() == []
            assert self.stack.host.report.violations == []


def frame(number=0, length=60, destination=OWN, source=PEER):
    body = struct.pack(">I", number) + bytes((number + i) & 0xFF for i in range(max(0, length - 18)))
    return (destination + source + b"\x88\xb5" + body)[:length]


def out(number=0, length=60):
    """A frame that does not loop back."""
    return frame(number, length, PEER, OWN)


def padded(data):
    return data.ljust(60, b"\0")


@pytest.fixture
def host():
    """host("5-lookahead", "packet", tx_ring=8): a started stack; it is stopped after the test."""
    made = []

    def make(*arguments, **options):
        made.append(Host(*arguments, **options))
        return made[-1].start()

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def wan():
    """A WAN miniport and its far end; stopped after the test."""
    from .wan_host import Wan

    made = Wan()
    yield made
    made.stop()
