# SPDX-License-Identifier: Apache-2.0
"""Write the generated parts of docs/ndis.md, ndis5.md, condis.md and translation.md: state machines, tables.

`gen_ndis_docs.py` writes, `gen_ndis_docs.py --check` exits with 1 when a file is not up to date.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import hilnic.ndis.condis.ndis5  # noqa: F401 - importing it and all above fills the table of WDK functions
from hilnic.apps import diagrams
from hilnic.ndis import NdisStatus, Oid
from hilnic.ndis.condis.machines import MACHINES
from hilnic.ndis.states import ADAPTER_MACHINE, ADAPTER_OPERATIONS, BINDING_MACHINE, FILTER_MACHINE, Operation
from hilnic.ndis.wdk import WDK_FUNCTIONS
from hilnic.ndis.xlate import oid, status

DOCS = Path(__file__).resolve().parents[1] / "docs"
NDIS_5 = "hilnic.ndis.ndis5."
CONDIS = "hilnic.ndis.condis."


def operations() -> str:
    """Which operation is allowed in which adapter state (ST-02)."""
    lines = [f"| state | {' | '.join(o.value for o in Operation)} |", "|---|" + "---|" * len(Operation)]
    for state, allowed in ADAPTER_OPERATIONS.items():
        lines.append(f"| {state.value} | {' | '.join('yes' if o in allowed else '' for o in Operation)} |")
    return "\n".join(lines)


def functions(package: str = "") -> str:
    """WDK name, Python name, IRQL of the functions of a package; of those that are in neither, without a name."""
    lines = ["| WDK | Python | IRQL | may call back |", "|---|---|---|---|"]
    packages = {
        row: next((p for p in (NDIS_5, CONDIS) if row.module.startswith(p)), "") for row in WDK_FUNCTIONS.values()
    }
    rows = [row for row, home in packages.items() if home == package]
    for row in sorted(rows, key=lambda row: row.wdk_name):
        python = f"{row.module.removeprefix('hilnic.ndis.')}.{row.python_name}"
        lines.append(f"| `{row.wdk_name}` | `{python}` | {row.irql} | {'yes' if row.callout else ''} |")
    return "\n".join(lines)


def send_statuses() -> str:
    """How a send ended, both ways (XL-13)."""
    lines = ["| NDIS 6 | becomes in NDIS 5 |", "|---|---|"]
    lines += [f"| {NdisStatus(six).name} | {five.name} |" for six, five in status.TO_5.items()]
    lines += ["", "| NDIS 5 | becomes in NDIS 6 |", "|---|---|"]
    lines += [f"| {NdisStatus(five).name} | {six.name} |" for five, six in status.TO_6.items()]
    same = ", ".join(sorted(NdisStatus(each).name for each in status.SAME - {NdisStatus.PENDING}))
    lines += [f"| {same} | the same |", "| any other error | FAILURE |", "| any other success | SUCCESS |"]
    return "\n".join(lines)


def statistics() -> str:
    """Which 5.x counter each field of NDIS_STATISTICS_INFO comes from (XL-20)."""
    lines = ["| field of NDIS_STATISTICS_INFO | 5.x counter |", "|---|---|"]
    lines += [f"| `{name}` | {Oid(code).name} |" for name, code in oid.STATISTICS_SOURCES.items()]
    return "\n".join(lines)


PARTS: dict[str, dict[str, Callable[[], str]]] = {
    "ndis.md": {
        "adapter-states": lambda: diagrams.both(ADAPTER_MACHINE),
        "adapter-operations": operations,
        "filter-states": lambda: diagrams.both(FILTER_MACHINE),
        "binding-states": lambda: diagrams.both(BINDING_MACHINE),
        "wdk": functions,
    },
    "ndis5.md": {"wdk": lambda: functions(NDIS_5)},
    "condis.md": {
        "states": lambda: "\n\n".join(f"{name}:\n\n{diagrams.both(table)}" for name, table in MACHINES.items()),
        "wdk": lambda: functions(CONDIS),
    },
    "translation.md": {"send-statuses": send_statuses, "statistics": statistics},
}


def render(document: str, text: str) -> str:
    """`text` with every part between its marks written anew."""
    for name, part in PARTS[document].items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"{document}: no part {name}")
        head, tail = pattern.split(text, maxsplit=1)
        text = f"{head}{begin}\n{part()}\n{end}{tail}"
    return text


def main(arguments: list[str]) -> int:
    """Write or check."""
    stale = 0
    for document in PARTS:
        text = (DOCS / document).read_text(encoding="utf-8")
        fresh = render(document, text)
        stale |= fresh != text
        if "--check" not in arguments:
            (DOCS / document).write_text(fresh, encoding="utf-8")
    return int(stale and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
