# SPDX-License-Identifier: Apache-2.0
"""What a failed case says: the first violation of each kind whole, with its line, its remedy and its past, then counts.

One mistake of a driver breaks the same rule for each frame, and others after it; the first in time is what to look at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from hilnic.ndis import Ndis, NdisViolation
from hilnic.ndis.states import AdapterState
from hilnic.ndis.verifier.dump import snapshot

__all__ = ["outstanding", "told"]

_KINDS = 4
_PAST = 5
_WAITING = 4


def told(violations: Iterable[NdisViolation], suite: Sequence[Any] = ()) -> list[str]:
    """A text for each of the first kinds of violations, the earliest first; `suite`: the suite's own drivers.

    What these raise is what the driver under test has done to them; where that is known already, it is left out.
    """
    in_time = sorted(violations, key=lambda violation: violation.time_ns)
    kinds: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], NdisViolation] = {}
    for violation in in_time:
        if first and violation.rule == "FAULT" and any(violation.actor is driver for driver in suite):
            continue
        kind = violation.rule, violation.place
        kinds[kind] += 1
        first.setdefault(kind, violation)
    texts = [_text(violation, kinds[kind]) for kind, violation in [*first.items()][:_KINDS]]
    others = [*kinds][_KINDS:]
    if others:
        texts.append("after that also " + ", ".join(f"{rule} at {place or 'NDIS'}" for rule, place in others))
    return texts


def _text(violation: NdisViolation, times: int) -> str:
    headline, *lines = str(violation).splitlines()
    advice = violation.advice()
    past = [line for line in lines if line not in advice]
    again = [f"  {times - 1} more like this"] if times > 1 else []
    return "\n".join([headline, *advice, *past[-_PAST:], *again])


def outstanding(host: Ndis) -> list[str]:
    """Who has what now: the lists, packets and requests that somebody waits for, the oldest first."""
    now = snapshot(host, "")
    lines = []
    for adapter in now["adapters"]:
        lines += [f"{row['request']}, with {row['with']}, {row['age_ns'] // 1000} us" for row in adapter["oids"]]
        if adapter["state"] != AdapterState.RUNNING.value or adapter["operations"]:
            lines.append(
                f"{adapter['name']} is {adapter['state']}; not ended: {', '.join(adapter['operations']) or '-'}"
            )
    waiting = now["pending"]
    lines += [
        f"{row['object']} {row['state']}, with {row['owner']}, {row['age_ns'] // 1000} us" for row in waiting[:_WAITING]
    ]
    if len(waiting) > _WAITING:
        lines.append(f"and {len(waiting) - _WAITING} more lists and packets")
    return lines
