# SPDX-License-Identifier: Apache-2.0
"""The WAN miniport on the Verilog with access concentrators at the far end.

bench = await wan(dut)                        # two of them, of the services "one" and "two"
handle = await bench.dial(b"one")             # the line is up
bench.protocol.send(handle, ppp_frame(1, 60)) # and seen in bench.data()
"""

from __future__ import annotations

from typing import Any

from stack_bench import PEER, Host, hosts, padded

from hilnic.protocols.wan5 import WanProtocol5
from hilnic.wire.pppoe import AccessConcentrator

SECOND = b"\x02\0\0\0\0\x98"


def pppoe(session: int, ppp: bytes, destination: bytes, source: bytes, *, code: int = 0) -> bytes:
    """The octets of a session frame by RFC 2516, written down a second time."""
    header = b"\x88\x64\x11" + bytes([code]) + session.to_bytes(2, "big") + len(ppp).to_bytes(2, "big")
    return destination + source + header + ppp


def ppp_frame(number: int, length: int) -> bytes:
    """An IPv4 datagram's place in PPP: protocol 0x0021."""
    return b"\x00\x21" + bytes((number + n) & 0xFF for n in range(length - 2))


class Wan:
    """The WAN miniport, its protocol, and two access concentrators on the wire, of the services "one" and "two"."""

    def __init__(self, host: Host, protocol: WanProtocol5) -> None:
        self.host, self.protocol = host, protocol
        self.peers = [
            AccessConcentrator(lambda data: host.inject(padded(data)), address, services=(service,), next_session=first)
            for address, service, first in ((PEER, b"one", 0x0101), (SECOND, b"two", 0x0202))
        ]
        host.card.link.connect(self.hear)

    def hear(self, one: Any) -> None:
        """What the NIC sends reaches everybody."""
        self.host.wire.append(one)
        for peer in self.peers:
            peer.receive(one.data)

    async def dial(self, service: bytes = b"one") -> int:
        """A call that goes through."""
        handle = await self.protocol.dial(service)
        await self.host.until(lambda: handle in self.protocol.lines, what="the line is up")
        return handle

    def data(self) -> list[bytes]:
        """Frames of the session stage that were sent."""
        return [data for data in self.host.sent if data[12:14] == b"\x88\x64"]


async def wan(dut: Any, **options: Any) -> Wan:
    """Everything started; no line is up."""
    protocol = WanProtocol5()
    (host,) = await hosts(dut, protocols=lambda _: [protocol], miniport="5-wan", **options)
    return Wan(host, protocol)
