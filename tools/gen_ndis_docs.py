# SPDX-License-Identifier: Apache-2.0
"""Write the generated parts of docs/ndis.md: the state machines and the table of WDK functions.

`gen_ndis_docs.py` writes, `gen_ndis_docs.py --check` exits with 1 when the file is not up to date.
"""

import re
import sys
from pathlib import Path

import hilnic.ndis  # noqa: F401 - importing it fills the table of WDK functions
from hilnic.ndis.states import ADAPTER_MACHINE, ADAPTER_OPERATIONS, BINDING_MACHINE, Operation, diagram
from hilnic.ndis.wdk import WDK_FUNCTIONS

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "ndis.md"


def operations() -> str:
    """Which operation is allowed in which adapter state (ST-02)."""
    lines = [f"| state | {' | '.join(o.value for o in Operation)} |", "|---|" + "---|" * len(Operation)]
    for state, allowed in ADAPTER_OPERATIONS.items():
        lines.append(f"| {state.value} | {' | '.join('yes' if o in allowed else '' for o in Operation)} |")
    return "\n".join(lines)


def functions() -> str:
    """WDK name, Python name, IRQL."""
    lines = ["| WDK | Python | IRQL | may call back |", "|---|---|---|---|"]
    for row in sorted(WDK_FUNCTIONS.values(), key=lambda row: row.wdk_name):
        python = f"{row.module.removeprefix('hilnic.ndis.')}.{row.python_name}"
        lines.append(f"| `{row.wdk_name}` | `{python}` | {row.irql} | {'yes' if row.callout else ''} |")
    return "\n".join(lines)


PARTS = {
    "adapter-states": lambda: f"```\n{diagram(ADAPTER_MACHINE)}\n```",
    "adapter-operations": operations,
    "binding-states": lambda: f"```\n{diagram(BINDING_MACHINE)}\n```",
    "wdk": functions,
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
