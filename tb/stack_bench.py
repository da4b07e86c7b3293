# SPDX-License-Identifier: Apache-2.0
"""The whole stack on the Verilog: protocol, NDIS, miniport, NIC and wire, with the words that its tests are made of.

host = await one(dut, tx_ring=8)              # options of NicConfig; `hosts(dut, 2)` for two cards
host.send(frame(1), fragments=3)              # protocol -> wire, seen in host.sent
host.inject(frame(2))                         # wire -> protocol, seen in host.received
await host.until(lambda: host.received)
await finish(host)                            # halt; nothing is left behind
"""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

from hilnic import ndis
from hilnic.cosim import hostmem
from hilnic.cosim.artefacts import Recorder
from hilnic.cosim.harness import Card, Clocks, Harness
from hilnic.hw import regs
from hilnic.hw.timing import TimingModel
from hilnic.miniport.adapter import NicAdapter
from hilnic.miniport.config import NicConfig
from hilnic.ndis import Oid
from hilnic.protocols.raw import RawProtocol
from hilnic.stack import MiniportKind, Stack
from hilnic.testing import run_record
from hilnic.testing.protocol import FunctionalProtocol
from hilnic.testing.wire_oracle import WireOracle
from hilnic.wire.link import WireFrame

run_record.of_simulation(Recorder.current_folder)

OWN = NicConfig().mac_address
PEER = b"\x02\0\0\0\0\x99"
BROADCAST = b"\xff" * 6
HARD = TimingModel(jitter_percent=100, stall_percent=25, reorder=True, weak=True)
"""Random latencies and stalls on every channel, answers out of order, stores that need the barrier."""


def address(number: int) -> bytes:
    """The hardware address of card `number`."""
    return OWN[:5] + bytes([number + 1])


def frame(number: int = 0, length: int = 60, destination: bytes = OWN, source: bytes = PEER) -> bytes:
    """A frame without FCS that says which one it is."""
    body = struct.pack(">I", number) + bytes((number + i) & 0xFF for i in range(max(0, length - 18)))
    return (destination + source + b"\x88\xb5" + body)[:length]


def padded(data: bytes) -> bytes:
    """As the wire carries it."""
    return data.ljust(60, b"\0")


class Layouts(FunctionalProtocol):
    """A second protocol, which sends NBLs of any layout; completed ones are kept until `forget`."""

    def __init__(self) -> None:
        """The rest comes with `register`."""

    async def register(self, host: ndis.Ndis) -> None:
        """As the stack starts a protocol."""
        super().__init__(host, "layouts")
        await self.start()

    async def deregister(self) -> None:
        """As the stack ends it."""
        await self.stop()

    def forget(self) -> None:
        """Free the completed NBLs."""
        for nbl, _ in self.completed:
            free_layout(nbl)
        self.completed.clear()

    async def stop(self) -> None:
        """Free what was allocated and unregister."""
        self.forget()
        await super().stop()


def layout(
    protocol: Layouts, data: bytes, cuts: Sequence[int], head: int, offset: Callable[[], int], tail: Any = None
) -> ndis.NetBufferList:
    """An NBL of one frame behind `head` bytes of garbage, cut at these places, each piece at `offset()` in its memory.

    `tail` = (region, offset, length) is one more piece, in memory that is the caller's.
    """
    content, mdls = b"\xa5" * head + data, []
    for start, end in itertools.pairwise([0, *cuts, len(content)]):
        at = offset()
        region = protocol.ndis.kernel.allocate(at + end - start + 8)
        region.view[:] = b"\x5a" * len(region.view)
        region.view[at : at + end - start] = content[start:end]
        mdls.append(ndis.allocate_mdl(protocol.pool, region, at, end - start))
    if tail is not None:
        region, at, length = tail
        mdls.append(ndis.allocate_mdl(protocol.pool, region, at, length))
    length = len(data) + (tail[2] if tail else 0)
    nbl = ndis.allocate_net_buffer_and_net_buffer_list(protocol.pool, 0, 0, ndis.link(*mdls), head, length)
    nbl.protocol_reserved[0] = tail and tail[0]
    nbl.source_handle = protocol.binding
    return nbl


def free_layout(nbl: ndis.NetBufferList) -> None:
    """Free an NBL with its MDLs and their memory, except for the caller's."""
    nb = nbl.first_net_buffer
    assert nb is not None
    for mdl in list(ndis.walk_mdls(nb.mdl_chain)):
        region = mdl.region
        ndis.free_mdl(mdl)
        if region is not nbl.protocol_reserved[0]:
            nbl.ndis.kernel.free(region)
    ndis.free_net_buffer_list(nbl)


class Host:
    """A stack over one card: one raw binding, one for odd layouts, lists of what reached the wire and the protocol."""

    def __init__(self, harness: Harness, card: Card, stack: Stack, raw: Any, layouts: Any) -> None:
        self.harness, self.card, self.stack, self.raw, self.layouts = harness, card, stack, raw, layouts
        self.wire: list[Any] = []
        card.link.connect(self.wire.append)

    @property
    def binding(self) -> Any:
        """Of the raw protocol."""
        assert self.raw is not None
        return self.raw.bindings[self.stack.name]

    @property
    def nic(self) -> Any:
        """The miniport's adapter context."""
        return self.stack.nic if isinstance(self.stack.adapter.context, NicAdapter) else self.stack.nic5

    @property
    def sent(self) -> list[bytes]:
        """Frames that the NIC has sent, as on the wire without FCS."""
        return [one.data for one in self.wire]

    @property
    def received(self) -> list[bytes]:
        """Frames that the protocol has received (as long as it has no receive callback)."""
        return self.binding.received

    def send(self, *frames: bytes, fragments: int = 1) -> None:
        """One NBL per frame, in one call."""
        self.binding.send(*frames, fragments=fragments)

    def inject(self, *frames: Any) -> None:
        """Frames (bytes or WireFrame) from the wire."""
        for data in frames:
            self.card.link.send(data)

    async def run(self, nanoseconds: int = 20_000) -> None:
        """Let time pass."""
        await self.harness.sleep(nanoseconds)

    async def idle(self) -> None:
        """Until every sent NBL has completed."""
        await self.binding.wait_until_idle()

    async def until(self, condition: Callable[[], Any], limit_ns: int = 3_000_000, what: str = "") -> None:
        """Until a condition holds; AssertionError with the watchdog's report when it takes too long."""
        end = self.harness.now_ns + limit_ns
        while not condition():
            if self.harness.now_ns > end:
                report = self.harness.watchdog.report()
                raise AssertionError(f"{what or 'a condition'} not met in {limit_ns} ns\n{report}")
            await self.harness.sleep(1_000)

    async def both(self, frames: list[bytes], incoming: list[bytes] | None = None, fragments: int = 1) -> None:
        """Frames go out and (the same by default) come in; both ways byte for byte, in order."""
        incoming = frames if incoming is None else incoming
        sent, received = len(self.wire), len(self.received)
        self.inject(*incoming)
        self.send(*frames, fragments=fragments)
        await self.idle()
        await self.until(lambda: len(self.received) >= received + len(incoming), what="all frames received")
        assert self.sent[sent:] == [padded(data) for data in frames]
        assert self.received[received:] == [padded(data) for data in incoming]

    async def statistics(self) -> ndis.StatisticsInfo:
        """OID_GEN_STATISTICS."""
        return ndis.StatisticsInfo.parse(await self.binding.query(Oid.OID_GEN_STATISTICS))

    async def rx_counters(self) -> dict[str, int]:
        """The NIC's receive counters by name."""
        read = self.nic.hardware.read64
        return {counter.name: await read(regs.RX_COUNTERS + 8 * counter) for counter in regs.RxCounter}

    async def tx_counters(self) -> dict[str, int]:
        """The NIC's transmit counters by name."""
        read = self.nic.hardware.read64
        return {counter.name: await read(regs.TX_COUNTERS + 8 * counter) for counter in regs.TxCounter}


class Traffic:
    """Random traffic that notices nothing of what happens below: bursts of sends, frames from the wire if `inject`."""

    def __init__(self, host: Host, draw: random.Random, *, to: bytes = PEER, longest: int = 400, inject: bool = True):
        self.host, self.draw, self.to, self.longest, self.inject = host, draw, to, longest, inject
        self.on, self.count = True, 0
        self._tick()

    def _tick(self) -> None:
        if not self.on:
            return
        draw, bindings = self.draw, self.host.raw.bindings
        binding = bindings.get(self.host.stack.name)
        lengths = [draw.randrange(14, self.longest) for _ in range(draw.randrange(1, 4))]
        if binding is not None and binding.running and binding.outstanding < 100:
            source = address(self.host.card.index)
            frames = [frame(self.count + n, length, self.to, source) for n, length in enumerate(lengths)]
            self.count += len(frames)
            binding.send(*frames, fragments=draw.choice((1, 3)))
        if self.inject and self.host.card.link.backlog < 8:
            self.host.inject(*[frame(n, max(60, length)) for n, length in enumerate(lengths)])
        clock = self.host.harness.clock
        clock.call_at(clock.now_ns() + draw.randrange(500, 6_000), self._tick)

    async def stop(self) -> None:
        """No more of it, and what is on the wire has arrived."""
        self.on = False
        await self.host.until(lambda: self.host.card.link.backlog == 0)
        await self.host.run(10_000)


async def hosts(
    dut: Any,
    cards: int = 1,
    *,
    timing: TimingModel | None = None,
    clocks: tuple[Clocks, ...] = (),
    seed: int = 0,
    verify: Any = "fast",
    protocols: Callable[[int], list[Any]] | None = None,
    raw: dict[str, Any] | None = None,
    miniport: MiniportKind = "6",
    limit_ns: int = 200_000_000,
    profile: ndis.Profile | None = None,
    **config: Any,
) -> list[Host]:
    """Stacks on all cards, running; two cards are connected to each other."""
    harness = Harness(dut, timing=timing, clocks=clocks, cards=cards, seed=seed, limit_ns=limit_ns)
    await harness.start()
    found = []
    for card in harness.cards:
        if cards == 2:
            card.settings.wire_mode = hostmem.WIRE_CROSS
        own: list[Any] = protocols(card.index) if protocols else [RawProtocol(**(raw or {})), Layouts()]
        stack = Stack(
            card.device, harness.clock, protocols=own, verify=verify,
            config=NicConfig(mac_address=address(card.index), **config), timing=harness.timing, seed=seed,
            profile=profile,
            trace=harness.trace, name=f"nic{card.index}", miniport=miniport,
        )  # fmt: skip
        host = Host(harness, card, stack, own[0], own[-1])
        if verify != "off" and miniport != "5-wan" and not config.get("loopback"):
            watch_wire(harness, card.index, WireOracle(stack.host, stack.name, config.get("priority_vlan_tag")))
        await stack.start()
        found.append(host)
    return found


def watch_wire(harness: Harness, index: int, oracle: WireOracle) -> None:
    """V14: let an oracle hear the wire of a card; of two that are connected, what one sends is what the other gets."""

    def listen(card: Card, arrives: bool) -> None:
        before = card.link.record

        def hear(from_nic: bool, frame: WireFrame) -> None:
            if before is not None:
                before(from_nic, frame)
            if from_nic or not arrives:
                oracle.carried(from_nic and not arrives, frame)

        card.link.record = hear

    for card in harness.cards:
        listen(card, arrives=card.index != index)


async def one(dut: Any, **options: Any) -> Host:
    """A stack on one card."""
    return (await hosts(dut, **options))[0]


async def finish(*ended: Host) -> None:
    """Halt everything; every buffer, mapping and burst is gone, and the NIC touches no memory any more."""
    for host in ended:
        await host.stack.stop()
    harness = ended[0].harness
    before = [(host.card.statistics.reads, host.card.statistics.writes) for host in ended]
    for host in ended:
        for oracle in host.stack.host.wire_watches.values():
            oracle.finish()
        assert host.card.memory.live_mappings() == []
        assert host.card.memory.leaks() == []
        assert not any(host.card.library.outstanding(host.card.index, write) for write in (False, True))
        host.inject(frame(1), frame(2))
    await harness.sleep(5_000)
    assert [(host.card.statistics.reads, host.card.statistics.writes) for host in ended] == before
    harness.stop()
