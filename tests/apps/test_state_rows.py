# SPDX-License-Identifier: Apache-2.0
"""The waveform of states that every call leaves: its rows, their values, the view that shows them all."""

import json

import pytest
from pywellen import Waveform

from hilnic.apps import state_rows

EVENTS = [
    {"t": 304, "kind": "adapter.state", "adapter": "nic0", "state": "Running"},
    {"t": 900, "kind": "vc.state", "vc": "nic0.vc1", "state": "Active"},
    {"t": 1000, "kind": "call.state", "call": "nic0.vc1", "state": "Making"},
    {"t": 2500, "kind": "wire.tx", "frame": 1, "card": 0, "bytes": 60},
    {"t": 2400, "kind": "call.state", "call": "nic0.vc1", "state": "Connected"},  # told later than it was
    {"t": 2600, "kind": "wire.tx", "frame": 2, "card": 0, "bytes": 60},
    {"t": 9000, "kind": "dpc", "adapter": "nic0"},
]


@pytest.fixture
def view(tmp_path):
    trace = tmp_path / "trace.jsonl"
    trace.write_text("".join(json.dumps(event) + "\n" for event in EVENTS))
    return state_rows.write(trace, tmp_path / "states.vcd")


def changes(view, row):
    """(ns, value) of a row."""
    wave = Waveform(str(view.with_suffix(".vcd")))
    (variable,) = (each for each in wave.all_vars() if each.full_name == row)
    return list(variable.tv)


def test_a_row_names_the_states_of_a_call(view):
    assert changes(view, "nic0.vc1.call") == [(0, "-"), (1000, "Making"), (2400, "Connected")]


def test_the_frames_of_a_wire_are_counted(view):
    assert changes(view, "nic0.sent") == [(0, 0), (2500, 1), (2600, 2)]


def test_the_view_has_every_row(view):
    shown = [line.rpartition(" ")[2] for line in view.read_text().splitlines() if line.startswith("+")]
    assert shown == ["nic0.adapter", "nic0.sent", "nic0.vc1.call", "nic0.vc1.vc"]
    assert str(view.with_suffix(".vcd").resolve()) in view.read_text()
