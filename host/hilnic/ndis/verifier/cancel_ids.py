# SPDX-License-Identifier: Apache-2.0
"""Which cancel ids are live on which binding: the miniport knows the id alone, so two should not share one (CN-06)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hilnic.ndis.binding import Binding


class CancelIds:
    """Per adapter and id: how many sends of each binding are out with it."""

    __slots__ = ("_live",)

    def __init__(self) -> None:
        self._live: dict[tuple[Any, Any], Counter[Any]] = {}

    def sent(self, binding: Binding, cancel_id: Any) -> Binding | None:
        """One more send with this id; the other binding that has the id in use, if there is one."""
        users = self._live.setdefault((binding.adapter, cancel_id), Counter())
        users[binding] += 1
        return next((user for user in users if user is not binding), None)

    def done(self, binding: Binding, cancel_id: Any) -> None:
        """A send with this id has ended."""
        key = (binding.adapter, cancel_id)
        users = self._live.get(key)
        if users is None:
            return
        users[binding] -= 1
        if users[binding] <= 0:
            del users[binding]
        if not users:
            del self._live[key]
