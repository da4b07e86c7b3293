# SPDX-License-Identifier: Apache-2.0
"""Frames on the wire and the links that carry them."""

from hypothesis import given
from hypothesis import strategies as st

from hilnic.hw.clock import VirtualClock
from hilnic.wire.faults import FaultPlan, Faults, Way
from hilnic.wire.fcs import RESIDUE, fcs, fcs_is_good
from hilnic.wire.link import Receiver, WireFrame, as_wire_frame, echo, from_octets, join


class End:
    """A wire end that keeps what is sent into it."""

    def __init__(self) -> None:
        self.sent: list[WireFrame] = []
        self.receiver: Receiver = lambda _frame: None

    def send(self, frame: bytes | WireFrame, at: int | None = None) -> None:
        self.sent.append(as_wire_frame(frame))

    def connect(self, receiver: Receiver) -> None:
        self.receiver = receiver


def test_the_fcs_of_a_known_frame_is_that_of_the_standard_crc() -> None:
    assert fcs(b"123456789") == bytes.fromhex("2639f4cb")


@given(st.binary(max_size=200))
def test_a_frame_with_its_fcs_checks_and_leaves_the_residue(data: bytes) -> None:
    assert fcs_is_good(data + fcs(data))
    assert RESIDUE == 0x2144DF1C


@given(st.binary(max_size=200), st.integers(0, 1 << 20))
def test_no_flipped_bit_escapes_the_fcs(data: bytes, bit: int) -> None:
    octets = bytearray(data + fcs(data))
    octets[bit // 8 % len(octets)] ^= 1 << bit % 8
    assert not fcs_is_good(octets)


def test_plain_bytes_are_padded_to_the_shortest_frame() -> None:
    assert as_wire_frame(b"x" * 14).data == b"x" * 14 + bytes(46)


def test_a_wire_frame_is_sent_octet_for_octet() -> None:
    runt = WireFrame(b"x" * 14)
    assert as_wire_frame(runt) is runt
    assert len(runt.octets) == 18


@given(st.binary(max_size=80), st.booleans(), st.booleans())
def test_a_receiver_reports_what_a_sender_sent(data: bytes, good: bool, error: bool) -> None:
    sent = WireFrame(data, fcs_ok=good, error=error)
    assert from_octets(sent.octets, error=error) == sent


def test_fewer_octets_than_an_fcs_stay_raw() -> None:
    assert from_octets(b"abc") == WireFrame(b"abc", fcs_ok=False, raw=True)


def test_the_duration_counts_preamble_sfd_and_fcs() -> None:
    assert WireFrame(bytes(60)).duration_ns == 8 * (7 + 1 + 64)


def test_a_false_carrier_is_no_frame() -> None:
    assert WireFrame(b"", error=True, preamble=0, sfd=False).is_false_carrier
    assert not WireFrame(b"", error=True).is_false_carrier


def test_a_cable_joins_two_ends_both_ways() -> None:
    one, other = End(), End()
    join(one, other)
    frame = WireFrame(bytes(60))
    one.receiver(frame)
    other.receiver(frame)
    assert one.sent == other.sent == [frame]


def test_an_echo_plug_returns_good_frames_only() -> None:
    end = End()
    echo(end)
    end.receiver(WireFrame(b"bad", fcs_ok=False))
    end.receiver(WireFrame(b"good"))
    assert [frame.data for frame in end.sent] == [b"good"]


def harmed(plan: FaultPlan, seed: int, count: int = 200) -> tuple[Faults, list[WireFrame]]:
    clock, end = VirtualClock(), End()
    faults = Faults(end, clock, plan, seed)
    for number in range(count):
        faults.send(number.to_bytes(2, "big") * 30)
    clock.run_idle()
    return faults, end.sent


def test_faults_account_for_every_frame() -> None:
    faults, sent = harmed(FaultPlan(drop=10, corrupt=10, duplicate=10, delay=20), seed=1)
    counts = faults.statistics()
    assert min(counts.dropped, counts.corrupted, counts.duplicated, counts.delayed) > 0
    assert len(sent) == counts.frames - counts.dropped + counts.duplicated


def test_one_seed_does_the_same_harm_twice() -> None:
    plan = FaultPlan(drop=10, corrupt=10, duplicate=10, delay=20)
    assert harmed(plan, 7)[1] == harmed(plan, 7)[1] != harmed(plan, 8)[1]


def test_a_corrupted_frame_has_a_bad_fcs() -> None:
    _, sent = harmed(FaultPlan(corrupt=100), seed=3, count=20)
    assert not any(fcs_is_good(frame.octets) for frame in sent)


def test_faults_of_one_way_leave_the_other_alone() -> None:
    end, arrived = End(), []
    faults = Faults(end, VirtualClock(), FaultPlan(drop=100, way=Way.SENT), seed=1)
    faults.connect(arrived.append)
    faults.send(bytes(60))
    end.receiver(WireFrame(bytes(60)))
    assert (len(end.sent), len(arrived)) == (0, 1)
