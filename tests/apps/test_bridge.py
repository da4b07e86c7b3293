# SPDX-License-Identifier: Apache-2.0
"""The bridge of `hilnic live` over the twin, with socket pairs for TAPs: what passes, what waits, what stops."""

import os
import socket
from contextlib import ExitStack

import pytest

from hilnic.apps import bridge as bridge_module
from hilnic.apps.bridge import QUIET_NS, Bridge
from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.miniport.config import NicConfig
from hilnic.model.nic import ModelNic
from hilnic.stack import Stack
from hilnic.wire.link import WireFrame

OWN = NicConfig().mac_address
PEER = b"\x02\0\0\0\0\x99"


class Wire:
    """The twin's wire end with a backlog that tests set, and a counter of what moved."""

    def __init__(self, inner):
        self.inner, self.backlog, self.moved = inner, 0, 0

    def send(self, frame, at=None):
        self.moved += 1
        self.inner.send(frame, at)

    def connect(self, receiver):
        def counted(frame):
            self.moved += 1
            receiver(frame)

        self.inner.connect(counted)


class Cable:
    """`host` and `peer` are the kernel's ends of the two TAPs; `run` lets the bridge work until it would block."""

    def __init__(self, stack):
        self.clock = VirtualClock()
        pairs = [
            stack.enter_context(end)
            for _ in range(3)
            for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ]
        for end in pairs:
            end.setblocking(False)
        host_tap, self.host, wire_tap, self.peer, control, self.control = pairs
        self.nic = ModelNic(self.clock, HostMemory(16 << 20))
        self.wire = Wire(self.nic.wire)
        self.bridge = Bridge(
            host_tap.fileno(), wire_tap.fileno(), control.fileno(), self.clock, self.wire, lambda: self.wire.moved
        )
        self.stack = Stack(self.nic, self.clock, protocols=[self.bridge.tap])
        self.clock.run(self.stack.start())
        self.naps = []

    def run(self, monkeypatch):
        def nap(longest_s):
            self.naps.append((self.clock.now_ns(), longest_s))
            self.control.send(b"stop")

        monkeypatch.setattr(self.bridge, "_nap", nap)
        self.clock.run(self.bridge.run())


@pytest.fixture
def cable():
    with ExitStack() as stack:
        found = Cable(stack)
        yield found
        found.clock.run(found.stack.stop())


def frame(destination, source, fill, length=60):
    return (destination + source + b"\x88\xb5").ljust(length, bytes([fill]))


def test_a_frame_of_the_host_comes_out_of_the_wires_tap(cable, monkeypatch):
    sent = frame(PEER, OWN, 7, 300)
    cable.host.send(sent)
    cable.run(monkeypatch)
    assert cable.peer.recv(2048) == sent
    assert (cable.bridge.statistics.host_to_nic, cable.bridge.statistics.nic_to_wire) == (1, 1)


def test_a_frame_of_the_peer_reaches_the_host_padded_as_the_wire_pads(cable, monkeypatch):
    cable.peer.send(frame(OWN, PEER, 9, 42))
    cable.run(monkeypatch)
    assert cable.host.recv(2048) == frame(OWN, PEER, 9, 42).ljust(60, b"\0")


def test_frames_keep_their_order_both_ways(cable, monkeypatch):
    for number in range(40):
        cable.host.send(frame(PEER, OWN, number))
        cable.peer.send(frame(OWN, PEER, number))
    cable.run(monkeypatch)
    assert [cable.peer.recv(2048)[-1] for _ in range(40)] == list(range(40))
    assert [cable.host.recv(2048)[-1] for _ in range(40)] == list(range(40))


def test_it_blocks_only_after_the_nic_has_been_quiet(cable, monkeypatch):
    before = cable.clock.now_ns()
    cable.run(monkeypatch)
    assert QUIET_NS <= cable.naps[0][0] - before <= QUIET_NS + 2 * bridge_module.SLICE_NS


def test_an_idle_link_sleeps_far_longer_than_it_simulates(cable, monkeypatch):
    cable.run(monkeypatch)
    assert cable.naps[0][1] >= bridge_module._SHORTEST_NAP_S


def test_what_the_nic_has_no_room_for_stays_in_the_tap(cable, monkeypatch):
    cable.wire.backlog = bridge_module.WIRE_BACKLOG
    cable.peer.send(frame(OWN, PEER, 1))
    cable.run(monkeypatch)
    assert cable.bridge.statistics.wire_to_nic == 0
    with pytest.raises(BlockingIOError):
        cable.host.recv(2048)


def test_more_frames_than_the_limit_wait_and_none_is_refused(cable, monkeypatch):
    for number in range(150):
        cable.host.send(frame(PEER, OWN, number))
    cable.run(monkeypatch)
    assert cable.bridge.tap.refused == 0
    assert [cable.peer.recv(2048)[-1] for _ in range(150)] == list(range(150))


def test_a_damaged_frame_never_reaches_the_kernel(cable, monkeypatch):
    cable.bridge._to_wire_tap(WireFrame(bytes(60), fcs_ok=False))
    cable.bridge._to_wire_tap(WireFrame(bytes(60), error=True))
    cable.run(monkeypatch)
    assert cable.bridge.statistics.bad_from_nic == 2
    with pytest.raises(BlockingIOError):
        cable.peer.recv(2048)


def test_a_kernel_that_refuses_is_counted_and_survived(cable, monkeypatch):
    monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(5, "down")))
    cable.host.send(frame(PEER, OWN, 1))
    cable.run(monkeypatch)
    assert cable.bridge.statistics.refused_by_kernel == 1


def test_the_end_of_the_control_stops_it(cable):
    cable.control.close()
    cable.clock.run(cable.bridge.run())
    assert cable.bridge.statistics.simulated_busy_ns == 0
