# SPDX-License-Identifier: Apache-2.0
"""Write the generated parts of docs/signalling.md: messages, elements, states, timers, causes.

`gen_signalling_docs.py` writes, `gen_signalling_docs.py --check` exits with 1 when the file is not up to date.
"""

import inspect
import re
import sys
import typing
from collections.abc import Callable
from pathlib import Path

from hilnic.apps import diagrams
from hilnic.signalling.causes import CLIENT_STATUS, Cause
from hilnic.signalling.codec import Malformed
from hilnic.signalling.control.limits import Limits
from hilnic.signalling.control.states import LegState, LinkState
from hilnic.signalling.control.tables import CALL_MACHINE, LINK_MACHINE, PARTY_MACHINE
from hilnic.signalling.control.timers import LEG_TIMERS, LINK_TIMERS, TimerValues
from hilnic.signalling.elements import Element
from hilnic.signalling.messages import LAYOUTS, MessageType, Scope

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "signalling.md"


def spoken(name: str) -> str:
    """SOME_NAME -> Some Name."""
    return name.replace("_", " ").title()


def messages() -> str:
    """Type, scope, elements."""
    lines = [
        "| type | message | of | information elements (optional ones in brackets) | says |",
        "|---|---|---|---|---|",
    ]
    for kind in MessageType:
        layout = LAYOUTS[kind]
        parts = [part.name if part.mandatory else f"[{part.name}]" for part in layout.parts]
        scope = {Scope.LINK: "link", Scope.CALL: "call", Scope.EITHER: "both"}[layout.scope]
        says = inspect.cleandoc(layout.message.__doc__)
        lines.append(f"| {kind:#04x} | {kind.name.replace('_', ' ')} | {scope} | {', '.join(parts)} | {says} |")
    return "\n".join(lines)


def elements() -> str:
    """Identifier, where it stands, what it is."""
    lines = ["| id | element | contents | meaning |", "|---|---|---|---|"]
    for kind in sorted(typing.get_args(Element), key=lambda each: each.IDENTIFIER):
        names = sorted({part.name for layout in LAYOUTS.values() for part in layout.parts if part.element is kind})
        contents = inspect.cleandoc(kind.unpack.__doc__).split(";")[0].rstrip(".").removeprefix("Of ")
        meaning = " ".join(inspect.cleandoc(kind.__doc__).split("\n\n")[0].split())
        lines.append(f"| {kind.IDENTIFIER:#04x} | {', '.join(names)} | {contents} | {meaning} |")
    return "\n".join(lines)


Machine = dict[typing.Any, dict[typing.Any, tuple[typing.Any, typing.Any]]]


def diagram(machine: Machine) -> str:
    """A drawing of what changes the state, and every edge as text."""
    edges = [
        (spoken(state.name), event.value, spoken(target.name))
        for state, row in machine.items()
        for event, (target, _) in row.items()
    ]
    return f"{diagrams.drawing(edges)}\n\n{listing(machine)}"


def listing(machine: Machine) -> str:
    """One line an edge; rows that stay and do nothing, late messages, in one line a state."""
    lines = []
    for state, row in machine.items():
        late = []
        for event, (target, actions) in row.items():
            if target is state and not actions:
                late.append(event.value)
                continue
            does = f" / {', '.join(action.value for action in actions)}" if actions else ""
            lines.append(f"{spoken(state.name):<25} --{event.value}--> {spoken(target.name)}{does}")
        if late:
            lines.append(f"{spoken(state.name):<25} nothing follows of: {', '.join(late)}")
    return diagrams.fenced("\n".join(lines))


def states() -> str:
    """Numbers in STATUS."""
    lines = ["| number | state | |", "|---|---|---|"]
    for kind, machine in (("call", CALL_MACHINE), ("party", PARTY_MACHINE)):
        lines += [f"| {state:d} | {spoken(state.name)} | {kind} |" for state in LegState if state in machine]
    lines += [f"| {state:d} | {spoken(state.name)} | link |" for state in LinkState]
    return "\n".join(lines)


def timers() -> str:
    """Value, state, meaning."""
    lines = ["| timer | runs in | ns | repeats the last message | attempts | then |", "|---|---|---|---|---|---|"]
    values = TimerValues()
    for state, rule in {**LEG_TIMERS, **LINK_TIMERS}.items():
        attempts = values.attempts if rule.repeats else 1
        row = (
            rule.name.upper(),
            spoken(state.name),
            f"{getattr(values, rule.name):,}",
            "yes" if rule.repeats else "no",
        )
        lines.append(f"| {' | '.join(row)} | {attempts} | {rule.cause.name} |")
    return "\n".join(lines)


def causes() -> str:
    """Value, name, what a client hears."""
    lines = ["| value | cause | a client hears |", "|---|---|---|"]
    lines += [f"| {cause.value} | {cause.name} | {CLIENT_STATUS.get(cause, 'FAILURE')} |" for cause in Cause]
    return "\n".join(lines)


def malformations() -> str:
    """What the codec refuses."""
    lines = ["| error | cause in the answer |", "|---|---|"]
    lines += [f"| {kind.name} | {kind.cause.name} |" for kind in Malformed]
    return "\n".join(lines)


def limits() -> str:
    """The defaults."""
    values = Limits()
    return f"{values.peers} peers, {values.legs} legs of all links together, {values.incoming_legs} begun by one peer."


PARTS: dict[str, Callable[[], str]] = {
    "messages": messages,
    "elements": elements,
    "states": states,
    "call": lambda: diagram(CALL_MACHINE),
    "party": lambda: diagram(PARTY_MACHINE),
    "link": lambda: diagram(LINK_MACHINE),
    "timers": timers,
    "causes": causes,
    "malformations": malformations,
    "limits": limits,
}


def render(text: str) -> str:
    """`text` with every part between its marks written anew."""
    for name, part in PARTS.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"{DOCUMENT.name}: no part {name}")
        head, tail = pattern.split(text, maxsplit=1)
        text = f"{head}{begin}\n{part()}\n{end}{tail}"
    return text


def main(arguments: list[str]) -> int:
    """Write or check."""
    text = DOCUMENT.read_text(encoding="utf-8")
    fresh = render(text)
    if "--check" in arguments:
        return int(fresh != text)
    DOCUMENT.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
