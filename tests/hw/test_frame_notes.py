# SPDX-License-Identifier: Apache-2.0
"""What a capture can say of a frame is what the trace's events said of it."""

from hilnic.hw.frame_notes import FrameNotes
from hilnic.hw.trace import Trace


def test_a_sent_frame_has_its_nbl_and_all_its_descriptors() -> None:
    notes = FrameNotes(trace := Trace(enabled=True))
    trace.emit("nbl.send", frame=1, nbl=513, binding="raw", bytes=60)
    trace.emit("tx.descriptors", frame=1, queue=2, end=1, count=3)
    assert notes.take(1) == ("NBL 513", "TX queue 2 descriptors 4294967294 to 0")
    assert notes.take(1) == ()


def test_a_received_frame_has_its_descriptor_then_its_packet_and_is_indicated_then() -> None:
    notes = FrameNotes(trace := Trace(enabled=True))
    trace.emit("rx.completion", frame=9, queue=0, index=5, bytes=60)
    assert not notes.is_indicated(9)
    trace.emit("packet.indicate", frame=9, packet=4, bytes=60)
    assert notes.is_indicated(9)
    assert notes.take(9) == ("RX queue 0 descriptor 4", "packet 4")
    assert not notes.is_indicated(9)


def test_frames_that_come_to_no_wire_are_forgotten() -> None:
    notes = FrameNotes(trace := Trace(enabled=True, limit=1))
    for frame in range(1, 10_000):
        trace.emit("nbl.send", frame=frame, nbl=1)
    assert repr(notes) == "<FrameNotes of 4096 frames>"
    assert notes.take(9_999) == ("NBL 1",)


def test_other_events_and_frames_without_id_say_nothing() -> None:
    notes = FrameNotes(trace := Trace(enabled=True))
    trace.emit("nbl.complete", frame=1, nbl=7, status=0)
    trace.emit("nbl.send", frame=0, nbl=7)
    assert (notes.take(1), notes.take(0)) == ((), ())
