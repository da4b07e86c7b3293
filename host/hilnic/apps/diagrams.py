# SPDX-License-Identifier: Apache-2.0
"""State machines for docs/: every edge as text, and a drawing (Mermaid) of the edges that lead to another state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TypeVar

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


def listing(machine: Mapping[S, Mapping[E, S]]) -> str:
    """The machine as text, one line an edge."""
    lines = []
    for state, edges in machine.items():
        for event, target in edges.items():
            lines.append(f"{state.value:<13} --{event.value + '-' * (18 - len(event.value))}> {target.value}")
    return fenced("\n".join(lines))


def edges_of(machine: Mapping[S, Mapping[E, S]]) -> list[tuple[str, str, str]]:
    """State, event, next state, by their names."""
    return [(state.value, event.value, to.value) for state, row in machine.items() for event, to in row.items()]


def drawing(edges: Iterable[tuple[str, str, str]]) -> str:
    """State, event, next state as a Mermaid state diagram; the first state is where it begins."""
    labels: dict[tuple[str, str], list[str]] = {}
    states: dict[str, str] = {}
    for state, event, target in edges:
        for name in (state, target):
            states.setdefault(name, f"s{len(states)}")
        if target != state:
            labels.setdefault((state, target), []).append(event)
    lines = ["stateDiagram-v2", *(f'    state "{name}" as {short}' for name, short in states.items()), "    [*] --> s0"]
    for (state, target), events in labels.items():
        lines.append(f"    {states[state]} --> {states[target]} : {', '.join(events)}")
    return fenced("\n".join(lines), "mermaid")


def both(machine: Mapping[S, Mapping[E, S]]) -> str:
    """The drawing, and below it the text."""
    return f"{drawing(edges_of(machine))}\n\n{listing(machine)}"


def fenced(text: str, language: str = "") -> str:
    """A block of Markdown that stays as it is."""
    return f"```{language}\n{text}\n```"
