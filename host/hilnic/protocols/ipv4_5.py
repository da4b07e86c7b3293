# SPDX-License-Identifier: Apache-2.0
"""The small IPv4 host as a driver of NDIS 5.1."""

from __future__ import annotations

from hilnic.protocols.ipv4 import PACKET_FILTER, Ipv4Protocol
from hilnic.protocols.raw5 import RawBinding5, RawProtocol5

__all__ = ["Ipv4Protocol5"]


class Ipv4Protocol5(Ipv4Protocol):
    """Answers from inside ProtocolReceivePacket or ProtocolReceive."""

    def _make_raw(self, name: str) -> RawProtocol5:
        return RawProtocol5(name=f"{name}_5", packet_filter=PACKET_FILTER, on_receive=self._received_frame)

    def _received_frame(self, binding: RawBinding5, frame: bytes) -> None:
        self._reply(binding, [frame])
