# SPDX-License-Identifier: Apache-2.0
"""Replay: what is sent of a capture, what stops it before anything runs, how a difference is told. Over the twin."""

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from hilnic.apps import replay
from hilnic.apps.outcome import Exit, Stop
from hilnic.apps.replayer import Replayer
from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.model.nic import ModelNic
from hilnic.stack import Stack
from hilnic.wire.link import WireFrame
from hilnic.wire.pcap import read_capture

CAPTURE = Path(__file__).resolve().parents[1] / "data/802.1w_rapid_STP.pcap"


def pcap(*records: tuple[bytes, int], network: int = 1) -> bytes:
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, network)
    return head + b"".join(struct.pack("<IIII", 0, 0, len(data), length) + data for data, length in records)


class Wire:
    """The twin's wire end; `spoil` changes, drops (None) or passes what goes through, by number from 1."""

    def __init__(self, inner, spoil):
        self.inner, self.spoil, self.number = inner, spoil, 0

    def through(self, data):
        self.number += 1
        return self.spoil(self.number, data)

    def send(self, frame, at=None):
        data = self.through(bytes(frame))
        if data is not None:
            self.inner.send(data, at)

    def connect(self, receiver):
        def passed(frame):
            data = self.through(frame.data)
            if data is not None:
                receiver(replace(frame, data=data))

        self.inner.connect(passed)


def replayed(direction, spoil=lambda _number, data: data, records=None, window=64):
    clock = VirtualClock()
    nic = ModelNic(clock, HostMemory(16 << 20))
    replayer = Replayer(records or read_capture(CAPTURE).frames(), direction, window)
    raw = replayer.protocol()
    stack = Stack(nic, clock, protocols=[raw])
    clock.run(stack.start())
    outcome = clock.run(replayer.run(raw, Wire(nic.wire, spoil), clock))
    clock.run(stack.stop())
    return outcome


@pytest.mark.parametrize("direction", ["tx", "rx"])
@pytest.mark.parametrize("window", [1, 7, 64])
def test_every_frame_of_a_real_capture_arrives_unchanged(direction, window):
    outcome = replayed(direction, window=window)
    assert (outcome.sent, outcome.equal, outcome.perfect) == (30, 30, True)


@pytest.mark.parametrize("direction", ["tx", "rx"])
def test_a_short_frame_is_compared_after_padding(direction):
    records = [replace(read_capture(CAPTURE).records[0], data=bytes(range(20)))]
    outcome = replayed(direction, records=records)
    assert (outcome.padded, outcome.octets, outcome.perfect) == (1, 20, True)


@pytest.mark.parametrize("direction", ["tx", "rx"])
def test_one_changed_octet_is_found_and_named(direction):
    def flip(number, data):
        return data[:31] + bytes([data[31] ^ 4]) + data[32:] if number == 5 else data

    outcome = replayed(direction, flip)
    assert (outcome.equal, outcome.different, outcome.lost, outcome.perfect) == (29, 1, 0, False)
    assert outcome.differences[0].startswith("record 5: octet 31 was 0x")


@pytest.mark.parametrize("direction", ["tx", "rx"])
def test_a_lost_frame_is_named_and_the_others_still_compared(direction):
    # record 2 is another frame than its neighbours, so that the loss cannot hide among equal ones
    records = [replace(r, data=r.data[:20] + bytes([r.number]) + r.data[21:]) for r in read_capture(CAPTURE).frames()]
    outcome = replayed(direction, lambda number, data: None if number == 12 else data, records)
    assert (outcome.equal, outcome.lost, outcome.different) == (29, 1, 0)
    assert outcome.differences == ("record 12 was lost",)


def test_the_last_frame_may_not_be_lost_silently():
    outcome = replayed("rx", lambda number, data: None if number == 30 else data)
    assert (outcome.lost, outcome.perfect) == (1, False)


def test_a_frame_cut_short_on_its_way_is_different():
    outcome = replayed("tx", lambda number, data: data[:-1] if number == 1 else data)
    assert outcome.differences == ("record 1: 60 octets were sent, 59 arrived",)


def test_a_frame_that_nobody_sent_is_different():
    replayer = Replayer([], "tx")
    replayer._on_wire_frame(WireFrame(bytes(60)))
    assert (replayer.outcome.different, replayer.outcome.perfect) == (1, False)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the file is empty"),
        (b"no capture at all, only text", "neither pcap nor pcapng"),
        (pcap((bytes(60), 60))[:-1], "record 1 at offset 24"),
    ],
)
def test_damage_ends_the_command_before_anything_runs(tmp_path, monkeypatch, body, why):
    path = tmp_path / "damaged.pcap"
    path.write_bytes(body)
    monkeypatch.setattr(replay, "prepare", lambda _sim: pytest.fail("something ran"))
    with pytest.raises(Stop, match=why) as stop:
        replay.run(file=path, direction="rx", sim=None, seed=None, json=None)
    assert stop.value.code == Exit.USAGE


def test_a_missing_file_is_a_usage_error(tmp_path):
    with pytest.raises(Stop, match="No such file") as stop:
        replay.run(file=tmp_path / "nothing", direction="rx", sim=None, seed=None, json=None)
    assert stop.value.code == Exit.USAGE


def test_what_is_not_sent_is_counted_and_named(tmp_path):
    path = tmp_path / "mixed.pcap"
    path.write_bytes(pcap((bytes(60), 60), (bytes(60), 61), (bytes(1515), 1515), (bytes(13), 13), (bytes(60), 60)))
    found = replay.skipped(replay.open_capture(path))
    assert list(found.values()) == [[2], [3], [4]]
    assert [name.split()[0] for name in found] == ["cut", "longer", "shorter"]


def test_a_capture_without_ethernet_is_named_and_refused(tmp_path, capsys):
    path = tmp_path / "raw.pcap"
    path.write_bytes(pcap((bytes(40), 40), network=101))
    with pytest.raises(Stop, match="no Ethernet frame to replay"):
        replay.run(file=path, direction="tx", sim=None, seed=None, json=None)
    assert "not sent: of another link type" in capsys.readouterr().out
