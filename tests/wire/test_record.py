# SPDX-License-Identifier: Apache-2.0
"""A capture names what each frame was, in the order of the wire, also when that is known late or never."""

from pathlib import Path

from hilnic.wire.link import WireFrame
from hilnic.wire.pcap import read_capture
from hilnic.wire.pcapng import Direction, PcapngWriter
from hilnic.wire.record import MOST_WAITING, WireRecord


class Knowing:
    """Notes that the test makes."""

    def __init__(self) -> None:
        self.notes: dict[int, tuple[str, ...]] = {}

    def is_indicated(self, frame: int) -> bool:
        return frame in self.notes

    def take(self, frame: int) -> tuple[str, ...]:
        return self.notes.pop(frame, ())


def frame(number: int, fcs_ok: bool = True) -> WireFrame:
    return WireFrame(number.to_bytes(2, "big") + bytes(58), time_ns=1000 * number, fcs_ok=fcs_ok)


def test_a_received_frame_waits_for_its_nbl_and_what_comes_behind_it_too(tmp_path: Path) -> None:
    wire = WireRecord(PcapngWriter.create(tmp_path / "w.pcapng"), "nic0", knowing := Knowing())
    wire.add(False, frame(1), 11)
    knowing.notes[5] = ("NBL 5",)
    wire.add(True, frame(2), 5)
    assert repr(wire) == "<WireRecord, 2 frames wait>"
    knowing.notes[11] = ("NBL 1", "RX queue 0 descriptor 0")
    wire.add(True, frame(3), 0)
    assert repr(wire) == "<WireRecord, 0 frames wait>"
    wire.close()
    records = read_capture(tmp_path / "w.pcapng").records
    assert [record.time_ns for record in records] == [1000, 2000, 3000]
    assert [record.comments for record in records] == [
        ("frame 11", "NBL 1", "RX queue 0 descriptor 0"), ("frame 5", "NBL 5"), (),
    ]  # fmt: skip
    assert [record.direction for record in records] == [Direction.INBOUND, Direction.OUTBOUND, Direction.OUTBOUND]


def test_nobody_waits_for_a_frame_with_a_bad_fcs(tmp_path: Path) -> None:
    wire = WireRecord(PcapngWriter.create(tmp_path / "w.pcapng"), "nic0", Knowing())
    wire.add(False, frame(1, fcs_ok=False), 11)
    assert repr(wire) == "<WireRecord, 0 frames wait>"
    wire.close()
    assert read_capture(tmp_path / "w.pcapng").records[0].crc_error


def test_frames_that_are_never_indicated_wait_for_the_end_at_most(tmp_path: Path) -> None:
    wire = WireRecord(PcapngWriter.create(tmp_path / "w.pcapng"), "nic0", Knowing())
    for number in range(MOST_WAITING + 5):
        wire.add(False, frame(number), number + 1)
    assert repr(wire) == f"<WireRecord, {MOST_WAITING} frames wait>"
    wire.close()
    assert len(read_capture(tmp_path / "w.pcapng").records) == MOST_WAITING + 5
