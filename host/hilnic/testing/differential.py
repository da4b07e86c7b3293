# SPDX-License-Identifier: Apache-2.0
"""Plays one scenario on any NIC and says what came of it; two NICs of one contract must agree.

    one, other = await play(bench_of_the_twin, scenario), await play(bench_of_the_verilog, scenario)
    assert differences(one, other) == []

Quiet phases are compared whole: frames on the wire and completions per queue, every counter. In phases that end in the
middle of traffic only what no timing can change is checked, on each NIC for itself: order, ownership, conservation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hilnic.hw import regs
from hilnic.hw.descriptors import TX_DESCRIPTOR_RESERVED, TxDescriptor
from hilnic.hw.regs import Cause
from hilnic.testing.checks.statistics import all_counters, expect_conservation
from hilnic.testing.conformance import STEP_NS, CheckBench, CheckFailed
from hilnic.testing.nic_adapter import Direction, Done
from hilnic.testing.scenario import BusError, Ending, Pause, Phase, Receive, Scenario, Transmit
from hilnic.testing.vcs import tagged, vlan_of
from hilnic.wire.ethernet import padded
from hilnic.wire.fcs import FCS_OCTETS
from hilnic.wire.link import WireFrame

QUIET_NS = 40_000
"""More than a looped frame of 9018 octets takes through a bus that stalls in 60 % of its cycles: 23 us without news."""
NS_PER_OCTET = 8
Key = tuple[Direction, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a phase."""

    exact: bool
    wire: dict[int, list[bytes]]  # frames by the queue that their source address names
    done: dict[Key, list[tuple[object, ...]]]
    counters: dict[str, int]


def differences(one: Sequence[Outcome], other: Sequence[Outcome]) -> list[str]:
    """Where two NICs disagree about the phases whose outcome is free of timing; empty when nowhere."""
    found = []
    for number, (a, b) in enumerate(zip(one, other, strict=True)):
        if not a.exact:
            continue
        for what in ("wire", "done", "counters"):
            left, right = getattr(a, what), getattr(b, what)
            found += [
                f"phase {number} {what} {key}: {left.get(key)!r:.300} and {right.get(key)!r:.300}"
                for key in sorted({*left, *right}, key=repr)
                if left.get(key) != right.get(key)
            ]
    return found


async def play(bench: CheckBench, scenario: Scenario) -> list[Outcome]:
    """Play every phase; CheckFailed or DeviceFault when the NIC is at fault by itself."""
    return [await _Player(bench, phase).play() for phase in scenario.phases]


@dataclass(slots=True)
class _Player:
    """One phase under way."""

    bench: CheckBench
    phase: Phase
    done: dict[Key, list[Done]] = field(default_factory=dict)
    posted: dict[int, list[Transmit]] = field(default_factory=dict)
    arriving: list[bytes] = field(default_factory=list)
    wire_free_at: int = 0
    last_news: int = 0
    vectors: dict[Key, int] = field(default_factory=dict)

    async def play(self) -> Outcome:
        await self._begin()
        for step in self.phase.steps:
            if isinstance(step, Transmit):
                await self._transmit(step)
            elif isinstance(step, Receive):
                self._receive(step)
            elif isinstance(step, Pause):
                await self._pause(step.ns)
            else:
                await self._bus_error(step)
            self._pump()
        await self._end()
        return await self._outcome()

    async def _begin(self) -> None:
        bench, phase = self.bench, self.phase
        await bench.start()
        config = await bench.device.read32(regs.MAC_CFG)
        config |= regs.MAC_CFG_PASS_BAD if phase.pass_bad else 0
        config |= regs.MAC_CFG_HOST_FCS if phase.host_fcs else 0
        bench.device.write32(regs.MAC_CFG, config | (regs.MAC_CFG_KEEP_FCS if phase.keep_fcs else 0))
        bench.device.write32(regs.MAX_FRAME, phase.max_frame)
        await bench.nic.set_filter(phase.filter)
        await bench.nic.set_loopback(phase.loopback)
        for setup in phase.queues:
            await bench.nic.enable(setup)
            bench.nic.rearm(setup.direction, setup.number)
            self.done[setup.direction, setup.number] = []
            self.vectors[setup.direction, setup.number] = setup.vector
            if setup.direction is Direction.RX:
                bench.nic.post_rx(setup.number, setup.size)
        for vc in phase.vcs:
            bench.expect(await bench.vcs.activate(vc), Cause.NONE, f"cause of {vc}")
        await bench.settle(3000)

    # ---- steps ----

    def _pump(self) -> None:
        """Take what has completed; keep receive rings full."""
        for direction, number in self.done:
            found = self.bench.nic.poll(direction, number)
            self.done[direction, number] += found
            if found:
                self.last_news = self.bench.clock.now_ns()
            if found and direction is Direction.RX:
                self.bench.nic.post_rx(number, len(found))
            self._rearm(direction, number)

    def _rearm(self, direction: Direction, number: int) -> None:
        """Answer an interrupt message, as a driver does; the queue is masked since it was sent."""
        vector = self.vectors[direction, number]
        if self.bench.interrupts[vector]:
            self.bench.interrupts[vector] = 0
            self.bench.nic.rearm(direction, number)

    async def _pause(self, ns: int) -> None:
        end = self.bench.clock.now_ns() + ns
        while self.bench.clock.now_ns() < end:
            await self.bench.clock.sleep(min(STEP_NS, ns))
            self._pump()

    def _free(self, number: int) -> int:
        """Free entries of a transmit ring."""
        queue = self.bench.nic_1g.queues[Direction.TX, number]
        return queue.setup.size - len(queue.buffers)

    async def _transmit(self, step: Transmit) -> None:
        needed = len(_descriptors(step))

        def has_room() -> bool:
            self._pump()
            return self._free(step.queue) >= needed

        await self.bench.until(has_room, "room in a transmit ring", 3_000_000)
        post(self.bench, step)
        self.posted.setdefault(step.queue, []).append(step)

    def _receive(self, step: Receive) -> None:
        frame = step.frame
        self.bench.peer.send(frame)
        self.arriving.append(frame.data)
        now = self.bench.clock.now_ns()
        self.wire_free_at = max(self.wire_free_at, now) + frame.duration_ns + NS_PER_OCTET * frame.ifg

    async def _bus_error(self, step: BusError) -> None:
        """At rest the next bursts are known: a descriptor fetch and the data, or the data alone."""
        if "bus errors" not in self.bench.offers:
            return
        await self._rest()
        if step.direction is Direction.RX:
            self.bench.controls.inject_bus_error("aw", 1)
            self._receive(Receive(WireFrame(step.frame)))
        else:
            self.bench.controls.inject_bus_error("ar", 2)
            await self._transmit(Transmit(step.queue, (step.frame,), 0))
            self.posted[step.queue][-1] = Transmit(step.queue, (step.frame,), 0, Cause.BUS_ERROR)
        await self._rest()

    # ---- the end ----

    async def _rest(self) -> None:
        """Wait until every posted frame has its completion, the line is free, and nothing has come for a while."""
        self.last_news = self.bench.clock.now_ns()

        def at_rest() -> bool:
            self._pump()
            quiet = self.bench.clock.now_ns() > max(self.last_news, self.wire_free_at) + QUIET_NS
            return quiet and all(len(self.done[Direction.TX, n]) >= len(steps) for n, steps in self.posted.items())

        await self.bench.until(at_rest, "rest", 2_000_000)

    async def _end(self) -> None:
        bench, ending = self.bench, self.phase.ending
        if ending is Ending.DEACTIVATE:
            for vc in self.phase.vcs:
                bench.vcs.begin_deactivation(vc.number)
            for vc in self.phase.vcs:
                await bench.vcs.deactivate(vc.number)
        if ending in {Ending.DISABLE, Ending.DEACTIVATE}:
            for direction, number in self.done:
                await bench.nic.disable(direction, number)
        elif ending is Ending.RESET:
            bench.device.write32(regs.CTRL, regs.CTRL_SOFT_RESET)
            await bench.nic_1g.wait_for(regs.CTRL, regs.CTRL_SOFT_RESET, 0)
        if ending is Ending.QUIET:
            await self._rest()
            return
        end = self.wire_free_at + QUIET_NS
        await bench.settle(max(end - bench.clock.now_ns(), QUIET_NS))
        for direction, number in self.done:
            self.done[direction, number] += bench.nic.poll(direction, number)

    async def _outcome(self) -> Outcome:
        wire: dict[int, list[bytes]] = {}
        for frame in self.bench.peer.frames:
            wire.setdefault(frame.data[11], []).append(frame.data)
        counters = await all_counters(self.bench)
        counters |= await self._counters_of_vcs()
        taken = sum(len(found) for (direction, _), found in self.done.items() if direction is Direction.TX)
        expect_conservation(self.bench, counters, taken)
        for number, posted in self.posted.items():
            self._check_transmitted(number, posted, wire.get(number, []))
        self._check_received()
        exact = self.phase.ending is Ending.QUIET
        return Outcome(exact, wire, {key: [_told(d) for d in found] for key, found in self.done.items()}, counters)

    async def _counters_of_vcs(self) -> dict[str, int]:
        """All but tx_waits, which tell of timing."""
        found: dict[str, int] = {}
        for vc in self.phase.vcs:
            counted = await self.bench.vcs.counters(vc.number)
            found |= {f"vc{vc.number}.{name}": value for name, value in counted.items() if name != "tx_waits"}
        return found

    def _check_transmitted(self, number: int, posted: list[Transmit], wire: list[bytes]) -> None:
        """Completions are a prefix of what was posted, with the right cause; the wire has the good ones of them."""
        done = self.done[Direction.TX, number]
        expected = [step.cause for step in posted[: len(done)]]
        self.bench.expect([d.cause for d in done], expected, f"causes of TX queue {number}")
        if self.phase.ending is Ending.QUIET:
            self.bench.expect(len(done), len(posted), f"completions of TX queue {number}")
        if not self.phase.loopback:
            good = [self._on_wire(step) for step in posted[: len(done)] if not step.cause]
            self.bench.expect(wire, good, f"frames of TX queue {number} on the wire")

    def _on_wire(self, step: Transmit) -> bytes:
        """The frame that a step puts on the wire, without FCS."""
        data = b"".join(step.pieces)
        for vc in self.phase.vcs:
            if vc.queue == step.queue:
                return padded(tagged(data, vc.vlan, vc.priority))
        return data[:-FCS_OCTETS] if self.phase.host_fcs else padded(data)

    def _check_received(self) -> None:
        """What a queue received are frames that came, in their order."""
        if self.phase.loopback:
            return
        for (direction, number), found in self.done.items():
            if direction is Direction.TX:
                continue
            came = iter(self._arriving_at(number))
            for data in _frames(found, FCS_OCTETS if self.phase.keep_fcs else 0):
                if not any(frame[: len(data)] == data for frame in came):
                    raise CheckFailed(f"RX queue {number} received {data.hex()[:60]}... out of order, or never sent")

    def _arriving_at(self, number: int) -> list[bytes]:
        """What may reach a queue: a VC's queue the frames with its VLAN id, without the tag; the others everything."""
        for vc in self.phase.vcs:
            if vc.queue == number:
                return [data[:12] + data[16:] for data in self.arriving if vlan_of(data) == vc.vlan]
        return self.arriving


def _frames(done: list[Done], fcs: int) -> list[bytes]:
    """Buffers joined to frames; a frame that the end of the phase cut short is left out."""
    found, data = [], b""
    for part in done:
        data = part.data if part.sop else data + part.data
        if part.eop and len(data) > fcs and part.cause != Cause.BUS_ERROR:
            found.append(data[: len(data) - fcs])
    return found


def _told(done: Done) -> tuple[object, ...]:
    """What is compared of a completion; after a host-side error length and data mean nothing."""
    verdict = (done.index, done.ok, done.cause, done.sop, done.eop)
    if done.cause and done.cause < Cause.FCS_ERROR:
        return verdict
    kind = (done.own_unicast, done.broadcast, done.multicast, done.loopback, done.vlan)
    return (*verdict, done.length, done.frame_length, kind, done.data)


def _descriptors(step: Transmit) -> list[tuple[bytes, TxDescriptor, int]]:
    """Data, descriptor without address, and reserved bits of each piece; the first one carries the fault."""
    found = []
    for number, piece in enumerate(step.pieces):
        first, last = number == 0, number == len(step.pieces) - 1
        found.append((piece, TxDescriptor(0, len(piece), sop=first, eop=last), 0))
    piece, whole, _ = found[0]
    reserved = TX_DESCRIPTOR_RESERVED & -TX_DESCRIPTOR_RESERVED
    faulty = {
        Cause.ZERO_LENGTH: (piece, TxDescriptor(0, 0, sop=True, eop=whole.eop), 0),
        Cause.RESERVED_BITS: (piece, whole, reserved),
        Cause.BAD_KIND: (piece, TxDescriptor(0, len(piece), sop=True, eop=whole.eop, kind=1), 0),
        Cause.BAD_SOP: (piece, TxDescriptor(0, len(piece), eop=whole.eop), 0),
        Cause.TOO_SHORT: (b"short", TxDescriptor(0, 5, sop=True, eop=True), 0),
        Cause.TOO_LONG: (bytes(9100), TxDescriptor(0, 9100, sop=True, eop=True), 0),
    }
    if step.cause is Cause.NO_EOP:
        return [(piece, TxDescriptor(0, len(piece), sop=number == 0), 0) for number, piece in enumerate(step.pieces)]
    if step.cause in {Cause.TOO_SHORT, Cause.TOO_LONG}:
        return [faulty[step.cause]]
    return [faulty.get(step.cause, found[0]), *found[1:]]


def post(bench: CheckBench, step: Transmit) -> None:
    """Post the frame of a step and ring."""
    nic = bench.nic_1g
    for data, descriptor, reserved in _descriptors(step):
        address = nic.place(Direction.TX, step.queue, data, step.offset)
        kinds = (descriptor.sop, descriptor.eop, descriptor.kind)
        word = int.from_bytes(TxDescriptor(address, descriptor.length, *kinds).pack(), "little") | reserved
        nic.post(Direction.TX, step.queue, word.to_bytes(16, "little"))
    nic.ring(Direction.TX, step.queue)
