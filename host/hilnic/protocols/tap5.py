# SPDX-License-Identifier: Apache-2.0
"""The tap protocol as a driver of NDIS 5.1."""

from __future__ import annotations

from hilnic.protocols.raw5 import RawBinding5, RawProtocol5
from hilnic.protocols.tap import TapProtocol

__all__ = ["TapProtocol5"]


class TapProtocol5(TapProtocol):
    """Bridges one adapter to a frame port; receives packets, or by lookahead from a miniport that has no more."""

    def _make_raw(self, name: str, buffer_bytes: int) -> RawProtocol5:
        return RawProtocol5(name=f"{name}5", on_receive=self._received_frame, buffer_bytes=buffer_bytes)

    def _received_frame(self, binding: RawBinding5, frame: bytes) -> None:
        del binding
        self._deliver(frame)
