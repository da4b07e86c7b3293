# SPDX-License-Identifier: Apache-2.0
"""Captures: what we write others read, what others write we read, and damage is named."""

import io
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hilnic.wire.link import Receiver, WireFrame, as_wire_frame
from hilnic.wire.pcap import CaptureError, Kind, Record, read_capture
from hilnic.wire.pcapng import Direction, PcapngTap, PcapngWriter

CAPTURE = Path(__file__).resolve().parents[1] / "data/802.1w_rapid_STP.pcap"


def pcap(records: list[tuple[int, int, bytes, int]], magic: str = "d4c3b2a1", network: int = 1) -> bytes:
    """A classic file: records are (seconds, fraction, data, original length)."""
    order = "<" if magic in {"d4c3b2a1", "4d3cb2a1"} else ">"
    body = bytes.fromhex(magic) + struct.pack(order + "HHiIII", 2, 4, 0, 0, 65535, network)
    for seconds, fraction, data, original in records:
        body += struct.pack(order + "IIII", seconds, fraction, len(data), original) + data
    return body


def written(tmp_path: Path, body: bytes, name: str = "x.pcap") -> Path:
    path = tmp_path / name
    path.write_bytes(body)
    return path


def test_a_real_capture_reads_whole() -> None:
    capture = read_capture(CAPTURE)
    assert capture.kinds() == {Kind.FRAME: 30}
    assert capture.records[0].data[:6].hex() == "0180c2000000"


@pytest.mark.parametrize(
    ("magic", "fraction", "nanoseconds"),
    [("d4c3b2a1", 7, 7000), ("a1b2c3d4", 7, 7000), ("4d3cb2a1", 7, 7), ("a1b23c4d", 7, 7)],
)
def test_both_byte_orders_and_both_resolutions_read(
    tmp_path: Path, magic: str, fraction: int, nanoseconds: int
) -> None:
    path = written(tmp_path, pcap([(3, fraction, bytes(60), 60)], magic))
    (record,) = read_capture(path).records
    assert (record.time_ns, record.data) == (3_000_000_000 + nanoseconds, bytes(60))


def test_an_fcs_announced_by_the_file_is_taken_off(tmp_path: Path) -> None:
    path = written(tmp_path, pcap([(0, 0, bytes(64), 64)], network=1 | 1 << 26 | 2 << 28))
    assert len(read_capture(path).records[0].data) == 60


@pytest.mark.parametrize(
    ("length", "original", "network", "kind"),
    [
        (60, 60, 1, Kind.FRAME),
        (60, 1500, 1, Kind.CUT),
        (13, 13, 1, Kind.SHORT),
        (1515, 1515, 1, Kind.OVERLONG),
        (60, 60, 101, Kind.NOT_ETHERNET),
    ],
)
def test_every_record_is_classified(tmp_path: Path, length: int, original: int, network: int, kind: Kind) -> None:
    path = written(tmp_path, pcap([(0, 0, bytes(length), original)], network=network))
    assert read_capture(path).kinds() == {kind: 1}


def test_a_tag_makes_the_longest_frame_four_octets_longer() -> None:
    frame = bytes(12) + b"\x81\x00" + bytes(1504)
    assert Record(1, 0, 0, frame, len(frame)).kind() is Kind.FRAME
    assert Record(1, 0, 0, frame + b"x", len(frame) + 1).kind() is Kind.OVERLONG


@pytest.mark.parametrize(
    ("body", "record", "offset", "why"),
    [
        (b"", 0, 0, "empty"),
        (b"hello world, no capture", 0, 0, "neither pcap nor pcapng"),
        (pcap([])[:20], 0, 20, "24 octets"),
        (pcap([(0, 0, bytes(60), 60)])[:30], 1, 24, "needs 16 octets"),
        (pcap([(0, 0, bytes(60), 60)] * 2)[:-1], 2, 100, "59 are left"),
        (pcap([]) + struct.pack("<IIII", 0, 0, 0xFFFF_FFFF, 60), 1, 24, "damage"),
    ],
)
def test_damage_names_file_record_and_offset(tmp_path: Path, body: bytes, record: int, offset: int, why: str) -> None:
    path = written(tmp_path, body)
    with pytest.raises(CaptureError, match=why) as caught:
        read_capture(path)
    assert (caught.value.path, caught.value.record, caught.value.offset) == (path, record, offset)


def two_packets() -> bytes:
    stream = io.BytesIO()
    writer = PcapngWriter(stream)
    wire0, wire1 = writer.add_interface("wire0", "the NIC's"), writer.add_interface("wire1")
    writer.write(wire0, bytes(60), 1_000_000_008, Direction.INBOUND, crc_error=True, comments=["NBL 7", "descriptor 3"])
    writer.write(wire1, bytes(61), 5_000_000_000_000_000_016, Direction.OUTBOUND, symbol_error=True)
    return stream.getvalue()


def test_pcapng_reads_back_as_written(tmp_path: Path) -> None:
    first, second = read_capture(written(tmp_path, two_packets())).records
    assert (first.time_ns, first.interface, first.direction) == (1_000_000_008, "wire0", Direction.INBOUND)
    assert (first.crc_error, first.symbol_error, first.comments) == (True, False, ("NBL 7", "descriptor 3"))
    assert (second.time_ns, second.interface, second.direction) == (5 * 10**18 + 16, "wire1", Direction.OUTBOUND)
    assert (second.crc_error, second.symbol_error, len(second.data)) == (False, True, 61)


def test_equal_calls_write_equal_files() -> None:
    assert two_packets() == two_packets()


def outcome(body: bytes) -> int | str:
    """How many records a file of these octets has, or why it is refused; nothing else may happen."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return len(read_capture(written(Path(folder), body)).records)
        except CaptureError as error:
            return error.why


@given(st.integers(0, 500))
def test_a_pcapng_cut_anywhere_is_refused_or_ends_at_a_block(cut: int) -> None:
    body = two_packets()
    assert outcome(body[: cut % len(body)]) != 2


@given(st.binary(max_size=300), st.sampled_from(["", "0a0d0d0a", "0a0d0d0a1c0000004d3c2b1a", "d4c3b2a1"]))
def test_garbage_is_refused_and_nothing_worse(garbage: bytes, start: str) -> None:
    assert outcome(bytes.fromhex(start) + garbage) != ""


def test_tshark_reads_what_we_write(tmp_path: Path) -> None:
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed (make setup installs it)")
    fields = ["frame.time_epoch", "frame.interface_name", "frame.packet_flags_direction", "frame.len"]
    fields += ["frame.packet_flags_crc_error", "frame.packet_flags_symbol_error", "frame.comment"]
    path = written(tmp_path, two_packets(), "x.pcapng")
    command = [tshark, "-r", str(path), "-T", "fields", *(part for field in fields for part in ("-e", field))]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    one, other = (line.split("\t") for line in lines)
    assert one == ["1.000000008", "wire0", "0x00000001", "60", "1", "0", "NBL 7,descriptor 3"]
    assert other[:4] == ["5000000000.000000016", "wire1", "0x00000002", "61"]
    assert other[4:6] == ["0", "1"]


class End:
    def __init__(self) -> None:
        self.sent: list[WireFrame] = []
        self.receiver: Receiver = lambda _frame: None

    def send(self, frame: bytes | WireFrame, at: int | None = None) -> None:
        self.sent.append(as_wire_frame(frame))

    def connect(self, receiver: Receiver) -> None:
        self.receiver = receiver


def test_a_tap_records_both_ways_and_passes_everything_on(tmp_path: Path) -> None:
    end, stream, arrived = End(), io.BytesIO(), []
    tap = PcapngTap(end, PcapngWriter(stream), "wire0", lambda: 1000, lambda way, _frame: [way.name])
    tap.connect(arrived.append)
    tap.send(b"in")
    tap.send(WireFrame(bytes(60), fcs_ok=False))
    end.receiver(WireFrame(b"out" * 20, time_ns=5000))
    records = read_capture(written(tmp_path, stream.getvalue())).records
    # the second frame starts 12 idle octets after the first one's preamble, SFD and 64 octets
    assert [r.time_ns for r in records] == [1064, 1064 + 8 * (64 + 12 + 8), 5000]
    assert [r.comments for r in records] == [("INBOUND",), ("INBOUND",), ("OUTBOUND",)]
    assert [r.crc_error for r in records] == [False, True, False]
    assert (len(end.sent), len(arrived)) == (2, 1)
