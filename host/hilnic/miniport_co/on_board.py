# SPDX-License-Identifier: Apache-2.0
"""What the queues of connections of both versions have in common: their completion rings lie on the board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hilnic.hw.descriptors import COMPLETION_BYTES
from hilnic.miniport.ring import DESCRIPTOR_BYTES, CompletionRing, RingPair
from hilnic.miniport_co.header import HEADER_STRIDE

if TYPE_CHECKING:
    from hilnic.miniport.config import NicConfig
    from hilnic.miniport_co.board import CompletionBoard

    class _Queue:
        """The adapter's transmitter or receiver of either version, before which these classes stand."""

        _config: NicConfig
        completions: CompletionRing

        def share(self, length: int) -> Any: ...
        def _new_rings(self) -> None: ...
        def reap(self) -> int: ...

else:
    _Queue = object

__all__ = ["ReceiverOnBoard", "TransmitterOnBoard"]


class _OnBoard(_Queue):
    """A queue in slot `_slot` of the board."""

    _board: CompletionBoard
    _slot: int

    def _new_rings(self) -> None:
        super()._new_rings()
        self._board.watch(self._slot, self.completions)

    def _rings(self, size: int) -> RingPair:
        """Descriptors are the connection's, the completions lie on the board."""
        return self.share(size * DESCRIPTOR_BYTES), self._board.memory(self._slot, size * COMPLETION_BYTES)


class TransmitterOnBoard(_OnBoard):
    """Before a transmitter: also a ring of headers, a place for each descriptor."""

    _headers: Any

    def allocate_rings(self) -> RingPair:
        """Memory for the rings, and for the headers."""
        self._headers = self.share(self._config.tx_ring * HEADER_STRIDE)
        return self._rings(self._config.tx_ring)

    def reap(self) -> int:
        """Take completions; how many SDUs came back."""
        taken = super().reap()
        self._board.seen(self._slot)
        return taken

    def serve(self, budget: int) -> int:
        """For the interrupt: completions cost no budget."""
        del budget
        return self.reap()


class ReceiverOnBoard(_OnBoard):
    """Before a receiver."""

    def allocate_rings(self) -> RingPair:
        """Memory for the rings."""
        return self._rings(self._config.rx_ring)
