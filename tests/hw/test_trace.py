# SPDX-License-Identifier: Apache-2.0
"""Claims about the event trace and the timing model."""

from hilnic.hw.timing import TimingModel
from hilnic.hw.trace import FIRST_WIRE_ID, Trace


def test_a_trace_that_is_off_records_nothing():
    trace = Trace()
    trace.emit("send", frame=1)
    assert trace.tag("tx", b"frame") == 0
    assert list(trace.lines()) == []


def test_one_id_follows_a_frame_from_send_to_wire_through_padding():
    trace = Trace(lambda: 7, enabled=True)
    frame_id = trace.tag("tx", b"short frame")
    trace.emit("send", frame=frame_id)
    trace.emit_at(3, "wire", frame=trace.find("tx", b"short frame" + bytes(49)))
    assert [(t, kind) for t, kind, _ in trace.follow(frame_id)] == [(3, "wire"), (7, "send")]
    assert trace.find("tx", b"short frame") == 0


def test_equal_frames_are_matched_in_order():
    trace = Trace(enabled=True)
    ids = [trace.tag("rx", b"same") for _ in range(3)]
    assert [trace.find("rx", b"same") for _ in range(3)] == ids


def test_lines_are_json_in_order_of_time(tmp_path):
    trace = Trace(enabled=True)
    trace.emit_at(20, "late", frame=2)
    trace.emit_at(10, "early", queue=0)
    trace.write(tmp_path / "trace.jsonl")
    assert (
        tmp_path / "trace.jsonl"
    ).read_text() == '{"t":10,"kind":"early","queue":0}\n{"t":20,"kind":"late","frame":2}\n'


def test_equal_seeds_give_equal_streams_and_names_give_different_ones():
    model = TimingModel(seed=5, jitter_percent=50)
    draws = [model.jittered(1000, model.random("dma")) for _ in range(2)]
    assert draws[0] == draws[1]
    assert model.random("dma").random() != model.random("irq").random()
    assert model.random("dma").random() != model.with_seed(6).random("dma").random()
    assert all(1000 <= model.jittered(1000, model.random(str(i))) <= 1500 for i in range(50))


def test_every_listener_hears_every_event() -> None:
    heard: list[tuple[str, int, str]] = []
    trace = Trace(lambda: 5, enabled=True)
    for name in ("one", "other"):
        trace.listen(lambda time_ns, kind, _, name=name: heard.append((name, time_ns, kind)))
    trace.emit("x")
    trace.emit_at(7, "y")
    assert heard == [("one", 5, "x"), ("other", 5, "x"), ("one", 7, "y"), ("other", 7, "y")]


def test_hosts_that_share_a_trace_number_their_frames_apart() -> None:
    trace = Trace(enabled=True)
    assert [trace.new_host(), trace.new_host()] == [0, 10_000_000]
    assert trace.tag("rx", bytes(60)) == FIRST_WIRE_ID
