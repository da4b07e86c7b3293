# SPDX-License-Identifier: Apache-2.0
"""The switch: learning, flooding, VLANs, what it does not forward."""

from __future__ import annotations

import pytest

from hilnic.wire.ethernet import EthernetFrame, Tag
from hilnic.wire.link import Receiver, WireFrame, as_wire_frame
from hilnic.wire.switch import MOST_ADDRESSES, Switch

A, B, C = (bytes.fromhex(f"02000000000{number}") for number in (1, 2, 3))
GROUP = bytes.fromhex("030000000001")
BROADCAST = b"\xff" * 6


class End:
    """A wire end that keeps what is sent into it."""

    def __init__(self) -> None:
        self.arrived: list[WireFrame] = []
        self.times: list[int | None] = []
        self.receiver: Receiver = lambda _frame: None

    def send(self, frame: bytes | WireFrame, at: int | None = None) -> None:
        self.arrived.append(as_wire_frame(frame))
        self.times.append(at)

    def connect(self, receiver: Receiver) -> None:
        self.receiver = receiver


class Net:
    """Three stations on a switch."""

    def __init__(self, ports: int = 3) -> None:
        self.ends = [End() for _ in range(ports)]
        self.switch = Switch(self.ends)

    def say(self, port: int, destination: bytes, source: bytes, vlan: int | None = None, **harm) -> list[int]:
        """A frame enters by a port; by which it has left."""
        before = [len(end.arrived) for end in self.ends]
        tags = () if vlan is None else (Tag(vlan),)
        data = EthernetFrame(destination, source, 0x88B5, bytes(60), tags).emit()
        self.ends[port].receiver(WireFrame(data, **({"time_ns": 1000} | harm)))
        return [number for number, end in enumerate(self.ends) if len(end.arrived) > before[number]]


@pytest.fixture
def net() -> Net:
    return Net()


def test_an_unknown_address_is_looked_for_everywhere(net: Net) -> None:
    assert net.say(0, B, A) == [1, 2]


def test_an_address_that_has_spoken_is_found(net: Net) -> None:
    net.say(1, A, B)
    assert net.say(0, B, A) == [1]
    assert net.switch.port_of(B) == 1


def test_a_station_that_moves_is_found_again(net: Net) -> None:
    net.say(1, A, B)
    net.say(2, A, B)
    assert net.say(0, B, A) == [2]


@pytest.mark.parametrize("destination", [GROUP, BROADCAST])
def test_a_group_is_everybody_else(net: Net, destination: bytes) -> None:
    net.say(1, A, B)
    assert net.say(0, destination, A) == [1, 2]


def test_a_frame_for_a_neighbour_on_the_same_port_stays_there(net: Net) -> None:
    net.say(0, C, B)
    assert net.say(0, B, A) == []
    assert net.switch.ports[0].statistics.filtered == 1


def test_a_frame_passes_unchanged_with_its_tag(net: Net) -> None:
    net.say(0, B, A, vlan=100)
    frame = EthernetFrame.parse(net.ends[1].arrived[0].data)
    assert [tag.vlan for tag in frame.tags] == [100]


def test_an_address_is_learnt_for_its_vlan_alone(net: Net) -> None:
    net.say(1, A, B, vlan=100)
    assert net.say(0, B, A, vlan=101) == [1, 2]
    assert net.say(0, B, A, vlan=100) == [1]


def test_a_vlan_reaches_its_members_alone(net: Net) -> None:
    net.switch.ports[2].vlans = frozenset({7})
    assert net.say(0, GROUP, A, vlan=100) == [1]
    assert net.say(0, GROUP, A, vlan=7) == [1, 2]


def test_a_frame_of_a_foreign_vlan_does_not_come_in(net: Net) -> None:
    net.switch.ports[2].vlans = frozenset({7})
    assert net.say(2, GROUP, C, vlan=100) == []
    assert net.switch.port_of(C, 100) is None


def test_a_priority_tag_belongs_to_the_untagged(net: Net) -> None:
    net.say(1, A, B)
    assert net.say(0, B, A, vlan=0) == [1]


@pytest.mark.parametrize("harm", [{"fcs_ok": False}, {"error": True}, {"raw": True}, {"sfd": False}])
def test_a_damaged_frame_goes_nowhere(net: Net, harm: dict) -> None:
    assert net.say(0, B, A, **harm) == []
    assert net.switch.ports[0].statistics.bad == 1


@pytest.mark.parametrize("length", [0, 13, 59, 9019])
def test_a_frame_of_illegal_length_goes_nowhere(net: Net, length: int) -> None:
    net.ends[0].receiver(WireFrame((B + A).ljust(length, b"\0")[:length], time_ns=1))
    assert not net.ends[1].arrived


def test_a_group_does_not_speak(net: Net) -> None:
    net.ends[0].receiver(WireFrame((B + GROUP).ljust(60, b"\0"), time_ns=1))
    assert not net.ends[1].arrived
    assert net.switch.port_of(GROUP) is None


def test_a_frame_leaves_after_its_last_octet_and_the_latency(net: Net) -> None:
    net.say(0, B, A, time_ns=5000)
    assert net.ends[1].times == [5000 + 8 * (74 + 4) + net.switch.latency_ns]


def test_an_address_is_forgotten_after_its_time(net: Net) -> None:
    net.say(1, A, B, time_ns=0)
    assert net.say(0, B, A, time_ns=net.switch.ageing_ns) == [1]
    assert net.say(0, B, A, time_ns=net.switch.ageing_ns + 1) == [1, 2]


def test_the_table_does_not_grow_with_strangers(net: Net) -> None:
    net.say(1, A, B)
    for number in range(MOST_ADDRESSES + 10):
        net.say(2, A, b"\x02\x01" + number.to_bytes(4, "big"))
    assert net.say(0, B, A) == [1]
    assert f"{MOST_ADDRESSES} addresses" in repr(net.switch)


def test_every_frame_is_accounted_for(net: Net) -> None:
    net.say(0, B, A)
    net.say(1, A, B)
    net.say(0, GROUP, A)
    assert [port.statistics.received for port in net.switch.ports] == [2, 1, 0]
    assert [port.statistics.sent for port in net.switch.ports] == [1, 2, 2]
    assert net.switch.ports[0].statistics.flooded == 2
