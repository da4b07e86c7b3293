# SPDX-License-Identifier: Apache-2.0
"""The state machines of docs/: nothing of a table is missing in its listing and its drawing."""

from hilnic.apps import diagrams
from hilnic.ndis.states import ADAPTER_MACHINE, BINDING_MACHINE


def test_a_listing_has_one_line_an_edge():
    lines = diagrams.listing(ADAPTER_MACHINE).splitlines()[1:-1]
    assert len(lines) == sum(len(row) for row in ADAPTER_MACHINE.values())
    assert any(line.startswith("Running       --pause--") for line in lines)


def test_a_drawing_begins_with_the_first_state_and_names_each():
    lines = diagrams.drawing(diagrams.edges_of(BINDING_MACHINE)).splitlines()
    assert lines[:3] == ["```mermaid", "stateDiagram-v2", '    state "Unbound" as s0']
    assert "    [*] --> s0" in lines
    for state in BINDING_MACHINE:
        assert sum(f'"{state.value}"' in line for line in lines) == 1


def test_events_with_one_effect_share_an_arrow_and_what_changes_nothing_has_none():
    drawn = diagrams.drawing([("A", "up", "B"), ("A", "lift", "B"), ("B", "knock", "B"), ("B", "down", "A")])
    arrows = [line.strip() for line in drawn.splitlines() if " : " in line]
    assert arrows == ["s0 --> s1 : up, lift", "s1 --> s0 : down"]
