# SPDX-License-Identifier: Apache-2.0
"""The WAN miniport on the twin: PPP over Ethernet both ways."""

import pytest

from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.miniport.config import NicConfig
from hilnic.miniport5.wan import HEADER_PADDING, PppoeSession
from hilnic.model.nic import ModelNic
from hilnic.ndis import NdisStatus
from hilnic.protocols.wan5 import WanProtocol5
from hilnic.stack import Stack

from .conftest import OWN, PEER, padded

LINK = PppoeSession(PEER, 0x1234)
HEADER = b"\x88\x64\x11\x00\x12\x34"
PPP = b"\x00\x21" + bytes(range(90))


class Wan:
    def __init__(self):
        self.clock, self.memory, self.wire = VirtualClock(), HostMemory(16 << 20), []
        self.nic = ModelNic(self.clock, self.memory)
        self.nic.wire.connect(self.wire.append)
        self.up = WanProtocol5()
        config = NicConfig(tx_ring=4, rx_ring=8, rx_buffers=8)
        self.stack = Stack(
            self.nic, self.clock, protocols=[self.up], config=config, verify="full", miniport="5-wan", sessions=[LINK]
        )
        self.clock.run(self.stack.start())

    def run(self):
        self.clock.run_until(self.clock.now_ns() + 200_000)


@pytest.fixture
def wan():
    made = Wan()
    yield made
    made.clock.run(made.stack.stop())
    assert made.memory.leaks() == []
    assert made.memory.live_mappings() == []
    assert made.stack.host.report.violations == []


def test_a_frame_goes_out_with_both_headers_and_nothing_else_is_touched(wan):
    frames = [PPP + bytes([n]) for n in range(12)]
    wan.up.send(LINK, *frames)
    wan.clock.run(wan.up.wait_until_idle())
    assert [one.data for one in wan.wire] == [
        PEER + OWN + HEADER + len(frame).to_bytes(2, "big") + frame for frame in frames
    ]
    assert wan.up.statuses == [NdisStatus.SUCCESS] * 12


def test_a_frame_of_the_session_comes_in_without_headers_and_padding(wan):
    short = b"\xc0\x21\x09"
    wan.nic.wire.send(padded(OWN + PEER + HEADER + b"\x00\x03" + short))
    wan.run()
    assert wan.up.received == [(LINK, short)]
    assert wan.up.receive_completes == 1


@pytest.mark.parametrize(
    "bad",
    [
        OWN + PEER + b"\x08\x00" + bytes(50),
        OWN + PEER + b"\x88\x64\x11\x00\x12\x35\x00\x02\x00\x21" + bytes(40),
        OWN + PEER + b"\x88\x64\x11\x07\x12\x34\x00\x02\x00\x21" + bytes(40),
        OWN + PEER + HEADER + b"\x07\xd0" + bytes(60),
    ],
)
def test_anything_else_is_discarded(wan, bad):
    wan.nic.wire.send(padded(bad))
    wan.run()
    assert wan.up.received == []
    assert wan.stack.nic5.rx.statistics().discarded == 1


def test_what_cannot_be_sent_is_refused(wan):
    wan.up.send("no link", PPP)
    wan.up.send(LINK, bytes(1495))
    wan.up.header_padding = HEADER_PADDING - 1
    wan.up.send(LINK, PPP)
    assert wan.up.statuses == [NdisStatus.FAILURE, NdisStatus.INVALID_PACKET, NdisStatus.INVALID_PACKET]
