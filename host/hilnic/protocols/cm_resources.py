# SPDX-License-Identifier: Apache-2.0
"""What a call manager hands out: VLAN ids, and promises about the line."""

from __future__ import annotations

from collections.abc import Iterator

from hilnic.signalling import Flow

__all__ = ["Line", "VlanIds"]

SIGNALLING_VLAN_ID = 5
LOWEST, HIGHEST = 16, 4094
"""Of connections of clients."""


class VlanIds:
    """The ids of one adapter. What is offered in SETUP is taken until the answer has chosen.

    Of two stations that call each other at the same moment one offers even ids and the other odd ones, so that their
    offers do not cross. Multipoint calls take theirs from the top, where a station that has left a call does not look
    for the next id of a call of its own.
    """

    def __init__(self, address: bytes) -> None:
        self._address = address
        self._taken: set[int] = set()
        self._next = LOWEST

    def offer(self, peer: bytes, number: int) -> tuple[int, ...]:
        """Take up to `number` ids for a call to `peer`; fewer, or none, when they run out."""
        parity = int(self._address > peer)
        found: list[int] = []
        for vlan_id in self._cycle():
            if vlan_id % 2 == parity and vlan_id not in self._taken:
                found.append(vlan_id)
                if len(found) == number:
                    break
        self._taken.update(found)
        if found:
            self._next = found[0] + 1
        return tuple(found)

    def offer_multipoint(self) -> tuple[int, ...]:
        """Take one id for a multipoint call; none when they have run out."""
        for vlan_id in range(HIGHEST, LOWEST - 1, -1):
            if vlan_id not in self._taken:
                self._taken.add(vlan_id)
                return (vlan_id,)
        return ()

    def choose(self, offered: tuple[int, ...]) -> int | None:
        """Take the first of the peer's ids that is free here."""
        for vlan_id in offered:
            if vlan_id not in self._taken and LOWEST <= vlan_id <= HIGHEST:
                self._taken.add(vlan_id)
                return vlan_id
        return None

    def give_back(self, *vlan_ids: int) -> None:
        """Their calls have ended, at both ends."""
        self._taken.difference_update(vlan_ids)

    def _cycle(self) -> Iterator[int]:
        yield from range(self._next, HIGHEST + 1)
        yield from range(LOWEST, self._next)

    def __len__(self) -> int:
        """How many are taken."""
        return len(self._taken)


class Line:
    """The promises about one direction of the line: their sum stays within its rate (octets per second)."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._promised: dict[object, int] = {}

    @property
    def free(self) -> int:
        """What may still be promised."""
        return self.rate - sum(self._promised.values())

    def admit(self, who: object, flow: Flow) -> bool:
        """Promise what the flow asks for, instead of what `who` had before; False when that is too much."""
        if flow.promised > self.free + self._promised.get(who, 0):
            return False
        self._promised[who] = flow.promised
        return True

    def release(self, who: object) -> None:
        """The promise is void."""
        self._promised.pop(who, None)
