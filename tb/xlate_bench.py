# SPDX-License-Identifier: Apache-2.0
"""Drivers of either NDIS version over the Verilog NIC: the words of tb/xlate_tests.py.

host = await corner(dut, "5 packet", "6")          # a protocol of PROTOCOLS over a miniport of MINIPORTS
host.up.go(*frames)                                # one packet or list per frame, in one call
await host.until(lambda: host.up.ended == 3)       # completions, whatever they are called
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import Any

from stack_bench import Host, hosts

from hilnic import ndis
from hilnic.ndis import Mdl, NdisStatus, ndis5
from hilnic.testing.frames import free_nbl
from hilnic.testing.packets import free_built_packet
from hilnic.testing.protocol import FunctionalProtocol
from hilnic.testing.protocol5 import FunctionalProtocol5

MINIPORTS: dict[str, dict[str, Any]] = {
    "6": {},
    "5": {"miniport": "5"},
    "5 lookahead": {"miniport": "5-lookahead"},
}
"""Miniports of the NIC by NDIS version -> options of `hosts`."""


class Receiving:
    """What both do with what they receive: once `replies` is set, each frame is answered inside the handler."""

    replies = False
    answered = 0
    scarce = 0  # frames that came with RESOURCES
    received: list[bytes]
    go: Any

    def answer_new(self) -> None:
        """The frames since the last call go back to where they came from."""
        while self.answered < len(self.received):
            data = self.received[self.answered]
            self.answered += 1
            if self.replies:
                self.go(data[6:12] + data[:6] + data[12:])


class Five(FunctionalProtocol5, Receiving):
    """A 5.x protocol; `handlers` as in FunctionalProtocol5."""

    def __init__(self, handlers: Any) -> None:
        """The rest comes with `register`."""
        self._receives_by = handlers

    async def register(self, host: ndis.Ndis) -> None:
        """As the stack starts a protocol."""
        super().__init__(host, "five", self._receives_by)
        await self.start()

    async def deregister(self) -> None:
        """As the stack ends it."""
        await self.stop()

    async def start(self) -> None:
        """Register, with more packets than the kit's protocol has."""
        await super().start()
        ndis5.free_packet_pool(self.pool)
        pool = ndis5.allocate_packet_pool(self.driver, 4096, tag="five tx")[1]
        assert pool is not None
        self.pool = pool

    async def stop(self) -> None:
        """Pay what is owed, free what was sent, unregister."""
        if self.held:
            self.give_back()
        self.forget()
        await super().stop()

    def receive_packet(self, packet: Any) -> int:
        """As the kit's; then perhaps answer."""
        self.scarce += packet.oob.status == NdisStatus.RESOURCES
        references = super().receive_packet(packet)
        self.answer_new()
        return references

    def receive(self, context: Any, header: Any, lookahead: Any, packet_size: int) -> NdisStatus:
        """As the kit's; then perhaps answer."""
        status = super().receive(context, header, lookahead, packet_size)
        self.answer_new()
        return status

    def go(self, *frames: bytes, flags: int = 0, draw: random.Random | None = None) -> list[Any]:
        """NdisSendPackets; with `draw` each packet has buffers of any length at any alignment."""
        packets = [self.laid_out(frame, draw) for frame in frames]
        for packet in packets:
            packet.flags = flags
        ndis5.send_packets(self.open, packets)
        return packets

    def laid_out(self, frame: bytes, draw: random.Random | None) -> Any:
        """A packet whose first buffer holds the media header."""
        if draw is None:
            return self.build(frame)
        _, packet = ndis5.allocate_packet(self.pool)
        assert packet is not None
        cuts = sorted(draw.randrange(14, len(frame) + 1) for _ in range(draw.randrange(7)))
        for start, end in itertools.pairwise([0, *cuts, len(frame)]):
            at = draw.randrange(64)
            region = self.ndis.kernel.allocate(at + end - start + 8)
            region.view[:] = b"\x5a" * len(region.view)
            region.view[at : at + end - start] = frame[start:end]
            ndis5.chain_buffer_at_back(packet, Mdl(region, at, end - start))
        return packet

    def forget(self) -> None:
        """Free the completed packets."""
        for packet, _ in self.completed:
            free_built_packet(packet)
        self.completed.clear()

    @property
    def ended(self) -> int:
        """How many sends have completed and not been forgotten."""
        return len(self.completed)

    @property
    def results(self) -> list[int]:
        """Their statuses, in the order of completion."""
        return [status for _, status in self.completed]

    def keep(self, yes: bool = True) -> None:
        """Hold what may be held from now on."""
        self.references = int(yes)

    @property
    def kept(self) -> list[Any]:
        """What is held."""
        return self.held

    @property
    def live(self) -> int:
        """Translated objects that are out."""
        return self.open.xlate.live()


class Six(FunctionalProtocol, Receiving):
    """A 6.x protocol with the same words."""

    def __init__(self) -> None:
        """The rest comes with `register`."""

    async def register(self, host: ndis.Ndis) -> None:
        """As the stack starts a protocol."""
        super().__init__(host, "six")
        await self.start()

    async def deregister(self) -> None:
        """As the stack ends it."""
        await self.stop()

    async def stop(self) -> None:
        """Free what was sent, unregister."""
        self.forget()
        await super().stop()

    def receive_net_buffer_lists(self, nbls: Any, port: int, count: int, flags: int) -> None:
        """As the kit's; then perhaps answer."""
        self.scarce += count * bool(flags & ndis.ReceiveFlags.RESOURCES)
        super().receive_net_buffer_lists(nbls, port, count, flags)
        self.answer_new()

    def go(self, *frames: bytes, flags: int = 0, draw: random.Random | None = None) -> list[Any]:
        """NdisSendNetBufferLists; with `draw` lists of up to three frames with cuts, head room and tail room."""
        nbls, left = [], list(frames)
        while left:
            number = draw.randrange(1, 4) if draw else 1
            head, tail = (draw.choice((0, 0, 3)), draw.choice((0, 9))) if draw else (0, 0)
            cuts = [14 + head] if draw and draw.randrange(2) else []
            nbls.append(self.build(*left[:number], cuts=cuts, head=head, tail=tail))
            del left[:number]
        self.send_nbls(nbls, flags=flags)
        return nbls

    def forget(self) -> None:
        """Free the completed lists."""
        for nbl, _ in self.completed:
            free_nbl(nbl)
        self.completed.clear()

    @property
    def ended(self) -> int:
        """How many frames have completed and not been forgotten."""
        return len(self.results)

    @property
    def results(self) -> list[int]:
        """Their statuses, in the order of completion."""
        return [status for nbl, status in self.completed for _ in nbl.net_buffers()]

    def keep(self, yes: bool = True) -> None:
        """Hold what may be held from now on."""
        self.hold = yes

    @property
    def kept(self) -> list[Any]:
        """What is held."""
        return self.held

    live = 0
    """There is no translation on this side."""


PROTOCOLS: dict[str, Any] = {
    "5 packet": lambda: Five("packet"),
    "5 lookahead": lambda: Five("lookahead"),
    "5 both": lambda: Five("both"),
    "6": Six,
}

CORNERS = [
    (protocol, miniport)
    for protocol in PROTOCOLS
    for miniport in MINIPORTS
    if (protocol, miniport) != ("5 packet", "5 lookahead")
]
"""A lookahead is nothing for a protocol that has ProtocolReceivePacket alone."""


class CornerHost(Host):
    """A host with one or several drivers of `PROTOCOLS` above its NIC."""

    ups: list[Any]

    @property
    def up(self) -> Any:
        """The first."""
        return self.ups[0]

    @property
    def copies(self) -> int:
        """Bytes that NDIS has copied between the versions."""
        return self.stack.host.xlate_copies

    async def settled(self, number: int) -> None:
        """Until the first protocol has so many completions, none of them refused."""
        await self.until(lambda: self.up.ended >= number, what=f"{number} completions")
        assert set(self.up.results) == {NdisStatus.SUCCESS}


async def corner(dut: Any, protocols: str | Sequence[str], miniport: str = "6", **options: Any) -> CornerHost:
    """Start these protocols over this miniport; each asks for directed, broadcast and listed multicast frames."""
    names = [protocols] if isinstance(protocols, str) else list(protocols)
    return (await corners(dut, [names], miniport, **options))[0]


async def corners(dut: Any, names: Sequence[Sequence[str]], miniport: str = "6", **options: Any) -> list[CornerHost]:
    """One host per card, with these protocols each; two cards are connected to each other."""
    made = [[PROTOCOLS[name]() for name in each] for each in names]
    plain = await hosts(dut, len(made), protocols=made.__getitem__, **MINIPORTS[miniport], **options)
    found = []
    for host, ups in zip(plain, made, strict=True):
        found.append(CornerHost(host.harness, host.card, host.stack, ups[0], ups[-1]))
        found[-1].ups = ups
        for up in ups:
            await up.listen()
    return found
