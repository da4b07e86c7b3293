# SPDX-License-Identifier: Apache-2.0
"""Claims about V14: the oracle is silent over a right driver, and names each way in which wire and edge can differ."""

import struct

import pytest

from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.miniport import rx, tx
from hilnic.miniport.config import NicConfig
from hilnic.miniport.vlan import PriorityVlanTag
from hilnic.model.nic import ModelNic
from hilnic.ndis import NblInfo, NdisStatus
from hilnic.protocols.raw import RawProtocol
from hilnic.protocols.raw5 import RawProtocol5
from hilnic.stack import Stack
from hilnic.testing import expect_violation
from hilnic.testing.wire_oracle import WireOracle
from hilnic.wire.link import WireFrame

OWN, PEER = NicConfig().mac_address, b"\x02\0\0\0\0\x99"
BOTH = PriorityVlanTag.PRIORITY_AND_VLAN


def frame(number, length=60, to=PEER, source=OWN):
    body = struct.pack(">I", number) + bytes((number + i) & 0xFF for i in range(max(0, length - 18)))
    return (to + source + b"\x88\xb5" + body)[:length]


class Watched:
    """A stack on the twin whose wire an oracle listens to."""

    def __init__(self, miniport="6", **config):
        self.clock = VirtualClock()
        self.nic = ModelNic(self.clock, HostMemory(8 << 20))
        self.raw = RawProtocol() if miniport == "6" else RawProtocol5()
        settings = NicConfig(**{"tx_ring": 16, "rx_ring": 16, "rx_buffers": 32, "rx_low_water": 0, **config})
        self.stack = Stack(self.nic, self.clock, protocols=[self.raw], config=settings, miniport=miniport)
        self.oracle = WireOracle(self.stack.host, "nic0", settings.priority_vlan_tag)
        self.nic.wire.connect(lambda one: self.oracle.carried(True, one))
        self.clock.run(self.stack.start())

    def send(self, *frames, slot=None):
        if isinstance(self.raw, RawProtocol5):
            self.binding.send(*frames)
            return
        nbls = [self.binding.build([data]) for data in frames]
        for nbl in nbls:
            nbl.net_buffer_list_info[NblInfo.IEEE_8021Q] = slot
        self.binding.send_nbls(nbls)

    def inject(self, *frames):
        for data in frames:
            self.oracle.carried(False, WireFrame(data))
            self.nic.wire.send(data)

    @property
    def binding(self):
        return self.raw.bindings["nic0"]

    def run(self):
        self.clock.run_until(self.clock.now_ns() + 300_000)

    def stop(self):
        self.clock.run(self.stack.stop())
        self.oracle.finish()


@pytest.mark.parametrize("miniport", ["6", "5", "5-lookahead"])
def test_right_traffic_is_found_right(miniport):
    host = Watched(miniport)
    lengths = [14, 30, 59, 60, 61, 200, 1514]
    host.send(*[frame(n, length) for n, length in enumerate(lengths)])
    host.inject(*[frame(n, max(60, length), OWN, PEER) for n, length in enumerate(lengths)])
    host.inject(frame(8, 60, PEER, PEER))  # for somebody else
    host.inject(frame(9, 60, OWN, PEER))
    host.run()
    host.stop()
    assert (host.oracle.checked_sent, host.oracle.checked_received) == (7, 8)


@pytest.mark.rule("OB-09")
def test_tags_of_both_directions_are_in_the_model():
    host = Watched(priority_vlan_tag=BOTH)
    host.send(frame(1), frame(2, 14), slot=5 | 7 << 4)
    host.send(frame(3))
    host.inject(frame(4, 60, OWN, PEER)[:12] + b"\x81\x00\x20\x07" + frame(4, 60, OWN, PEER)[12:])
    host.run()
    assert host.binding.received == [frame(4, 60, OWN, PEER)]
    host.stop()
    assert (host.oracle.checked_sent, host.oracle.checked_received) == (3, 1)


def test_what_ended_otherwise_need_not_be_on_the_wire():
    host = Watched()
    host.send(frame(1), frame(2, 1600), frame(3))
    host.run()
    assert host.binding.statuses == [NdisStatus.INVALID_LENGTH]
    host.stop()
    assert host.oracle.checked_sent == 2


def send_with_a_wrong_tag(monkeypatch):
    monkeypatch.setattr(tx, "tag_of", lambda slot, *_: b"\x81\x00\x00\x01" if slot else None)


def complete_without_sending(monkeypatch):
    def send(self, nbls):
        nbls.status = NdisStatus.SUCCESS
        tx.ndis.complete_send_net_buffer_lists(self._adapter, nbls)

    monkeypatch.setattr(tx.Transmitter, "send", send)


def send_the_last_first(monkeypatch):
    right = tx.Transmitter._post_waiting

    def post_waiting(self):
        self._waiting.reverse()
        return right(self)

    monkeypatch.setattr(tx.Transmitter, "_post_waiting", post_waiting)


def send_everything_twice(monkeypatch):
    right = tx.Transmitter._post

    def post(self, waiting):
        if not right(self, waiting):
            return False
        right(self, waiting)
        return True

    monkeypatch.setattr(tx.Transmitter, "_post", post)
    monkeypatch.setattr(tx.Transmitter, "_ends", lambda *_: True)
    monkeypatch.setattr(tx.Transmitter, "reap", lambda self: 0)


@pytest.mark.parametrize(
    ("mutant", "says"),
    [
        (send_with_a_wrong_tag, "is not due"),
        (complete_without_sending, "was never on the wire"),
        (send_the_last_first, "is not due"),
        (send_everything_twice, "is not due"),
    ],
)
def test_mutants_of_the_transmitter_are_caught(monkeypatch, mutant, says):
    mutant(monkeypatch)
    host = Watched(priority_vlan_tag=BOTH)
    with expect_violation(host.stack.host, "V14") as found:
        host.send(frame(1), frame(2), frame(3), slot=3 | 5 << 4)
        host.run()
        host.oracle.finish()
    assert says in found[0].detail


def cut_a_byte(right, self, buffers, length, looped):
    return right(self, buffers, length - 1, looped)


def change_a_byte(right, self, buffers, length, looped):
    buffers[0].region.view[buffers[0].start + 40] ^= 1
    return right(self, buffers, length, looped)


def show_the_frame_before(right, self, buffers, length, looped):
    view, start = buffers[0].region.view, buffers[0].start
    data = bytes(view[start : start + length])
    view[start : start + length] = getattr(self._config, "mac_address", b"") + data[6:18] + bytes(length - 18)
    return right(self, buffers, length, looped)


@pytest.mark.parametrize("mutant", [cut_a_byte, change_a_byte, show_the_frame_before])
def test_mutants_of_the_receiver_are_caught(monkeypatch, mutant):
    right = rx.Receiver._assemble
    monkeypatch.setattr(rx.Receiver, "_assemble", lambda self, *frame: mutant(right, self, *frame))
    host = Watched()
    with expect_violation(host.stack.host, "V14") as found:
        host.inject(*[frame(n, 100, OWN, PEER) for n in range(1, 4)])
        host.run()
    assert "the wire did not bring" in found[0].detail
    host.stop()


def test_a_frame_that_is_indicated_twice_is_caught():
    host = Watched()
    host.inject(frame(1, 60, OWN, PEER))
    host.run()
    host.nic.wire.send(frame(1, 60, OWN, PEER))  # behind the oracle's back: to it the same frame comes up again
    with expect_violation(host.stack.host, "V14"):
        host.run()
    host.stop()
