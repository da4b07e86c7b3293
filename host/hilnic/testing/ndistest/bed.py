# SPDX-License-Identifier: Apache-2.0
"""What the cases stand on: slots with cards, stations (a host on a slot), and how a case ends.

slot      a card and the host below NDIS: kernel, the card's resources, its wire
station   NDIS on a slot, the miniport under test, protocols on it
bed       one or two slots; the cable between two can be pulled
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

from hilnic import ndis
from hilnic.hw.device import BusError
from hilnic.ndis import Kernel, MiniportDriver, Ndis, NdisStatus, NdisViolation
from hilnic.ndis.ndis import VerifyMode
from hilnic.ndis.verifier.place import raised_place
from hilnic.testing.ndistest.failures import outstanding, told
from hilnic.testing.ndistest.host import Host
from hilnic.testing.ring_watch import RingWatch
from hilnic.testing.wire_oracle import WireOracle
from hilnic.wire.link import Link, WireFrame

__all__ = [
    "Bed",
    "Case",
    "CaseFailed",
    "Hear",
    "Outcome",
    "Register",
    "Slot",
    "Station",
    "described",
    "expect",
    "run_case",
]

Register = Callable[[Ndis, int], MiniportDriver]
"""Registers the miniport under test for slot 0 or 1."""

Hear = Callable[[bool, WireFrame], None]
"""(whether it came from the card, the frame)."""

STEP_NS = 2_000
PATIENCE_NS = 4_000_000


class CaseFailed(AssertionError):
    """The miniport broke its contract; the sentence says how."""


def expect(condition: Any, sentence: str) -> None:
    """CaseFailed with this sentence unless the condition holds."""
    if not condition:
        raise CaseFailed(sentence)


async def _nothing() -> None:
    """A card that cannot be taken out: its driver is told so all the same."""


@dataclass(slots=True)
class Slot:
    """A card and what surrounds it; `resources` is what MiniportInitializeEx finds in its parameters."""

    kernel: Kernel
    resources: Any
    link: Link
    left_over: Callable[[], Sequence[object]] = tuple
    """Memory and mappings that nobody has given back."""
    remove: Callable[[], Awaitable[None]] = _nothing
    """Takes the card out, for good as far as the case goes."""
    tap: Callable[[Hear], None] = lambda _: None
    """Who is told of every frame on the card's wire, the last one named."""


@dataclass(slots=True)
class Bed:
    """The slots, the cable, and how much is asked of the cards: `rounds` is 1 where time is dear."""

    slots: list[Slot]
    register: Register
    set_cable: Callable[[bool], None]
    seed: int = 1
    rounds: int = 4
    verify: VerifyMode = "fast"
    stations: list[Station] = field(default_factory=list)
    watching: ExitStack = field(default_factory=ExitStack)

    def station(self, number: int = 0) -> Station:
        """A host on a slot, with nothing started; what the verifier sees there is kept."""
        made = Station(self, number)
        self.stations.append(made)
        self.watching.enter_context(made.ndis.report.collect())
        made.register()
        return made

    async def started(self, number: int = 0) -> Station:
        """A host on a slot, its adapter running and one protocol listening."""
        made = self.station(number)
        await made.add_host()
        await made.start()
        await made.fp.listen()
        return made

    def violations(self) -> list[str]:
        """What the verifier has seen so far, one text for each kind."""
        own = [host.driver for station in self.stations for host in station.hosts]
        reports = [station.ndis.report for station in self.stations]
        return told((seen for report in reports for seen in (*report.violations, *report.warnings)), own)

    def waiting(self) -> list[str]:
        """Whom somebody waits for now, and how the card stands; to be read where a case does not go on."""
        lines: list[str] = []
        for station in self.stations:
            lines += [f"waiting: {line}" for line in outstanding(station.ndis)]
            if station.rings is not None:
                standing = [*station.rings.standing()] or [
                    "its rings are at rest: the NIC has done and told everything"
                ]
                lines += [f"card{station.number}: {line}" for line in standing]
        return lines

    async def counted(self) -> list[str]:
        """What the cards' counters say of frames that were lost in them."""
        lines = []
        for station in self.stations:
            with suppress(BusError):
                drops = "" if station.rings is None else await station.rings.drops()
                lines += [f"card{station.number} has counted {drops}"] if drops else []
        return lines

    async def run(self, nanoseconds: int) -> None:
        """Let time pass."""
        await self.slots[0].kernel.sleep(nanoseconds)

    async def until(self, condition: Callable[[], Any], what: str, patience_ns: int = PATIENCE_NS) -> None:
        """Until a condition holds; CaseFailed when it takes too long."""
        waited = 0
        while not condition():
            expect(waited < patience_ns, f"{what}: not within {patience_ns // 1000} us")
            await self.run(STEP_NS)
            waited += STEP_NS


class Station:
    """NDIS on a slot with the miniport under test."""

    def __init__(self, bed: Bed, number: int) -> None:
        self.bed, self.slot, self.number = bed, bed.slots[number], number
        self.ndis = Ndis(self.slot.kernel, bed.verify, seed=bed.seed)
        self.rings: RingWatch | None = None
        self.oracle: WireOracle | None = None
        if bed.verify != "off":
            self.oracle = WireOracle(self.ndis, f"card{number}")
            self.slot.tap(self.oracle.carried)
        self.driver: MiniportDriver
        self.hosts: list[Host] = []
        self.adapter: ndis.Adapter | None = None
        self.wire: list[bytes] = []
        self.is_stopped = False
        self._before = len(self.slot.left_over())

    def register(self) -> None:
        """Register the miniport under test."""
        self.driver = self.bed.register(self.ndis, self.number)

    @property
    def fp(self) -> Host:
        """The first protocol."""
        return self.hosts[0]

    @property
    def card(self) -> ndis.Adapter:
        """The adapter, which must have been started."""
        assert self.adapter is not None
        return self.adapter

    @property
    def mac_address(self) -> bytes:
        """The address that the miniport has registered."""
        return bytes(self.card.attributes.mac_address)

    def listen_on_wire(self) -> None:
        """Keep what the card sends in `wire`."""
        self.slot.link.connect(lambda frame: self.wire.append(frame.data))

    async def add_host(self) -> Host:
        """One more protocol; it binds to the adapter if that is there."""
        host = Host(self.ndis, f"protocol{len(self.hosts)}")
        self.hosts.append(host)
        await host.start()
        return host

    async def start(self, resources: Any = None) -> None:
        """Start the adapter; CaseFailed unless it runs."""
        status = await self.try_start(resources)
        expect(status is NdisStatus.SUCCESS, f"the adapter does not start: {status.name}")

    async def try_start(self, resources: Any = None) -> NdisStatus:
        """Start the adapter; what MiniportInitializeEx answers."""
        given = self._watched(self.slot.resources if resources is None else resources)
        status, adapter = await ndis.start_adapter(self.ndis, self.driver, f"card{self.number}", given)
        self.adapter = adapter if adapter in self.ndis.adapters else None  # initialized, though it may not run
        if self.adapter is not None and self.oracle is not None:
            self.oracle.tags(self.adapter.attributes.mac_options)
        return status

    def _watched(self, resources: Any) -> Any:
        """A card with rings in host memory, watched (V13)."""
        if self.bed.verify == "off" or not hasattr(resources, "write32"):
            return resources
        self.rings = RingWatch(resources, self.ndis, self.driver)
        return self.rings

    async def halt(self) -> None:
        """Halt the adapter; nothing of it may be left."""
        if self.adapter is not None and self.adapter in self.ndis.adapters:
            await ndis.halt_adapter(self.adapter)
        if self.oracle is not None:
            self.oracle.finish()
        self.adapter = None

    async def stop(self) -> None:
        """Halt, unregister, and look for what was left behind; once."""
        if self.is_stopped:
            return
        self.is_stopped = True
        await self.halt()
        for host in self.hosts:
            await host.stop()
        if self.driver in self.ndis.miniport_drivers:
            ndis.deregister_miniport_driver(self.driver)
        self.ndis.check_leaks()
        left = self.slot.left_over()[self._before :]
        expect(not left, f"left behind: {left[:3]}")


@dataclass(frozen=True, slots=True)
class Case:
    """One claim about a miniport, and the coroutine that tries it."""

    name: str
    sentence: str
    run: Callable[[Bed], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended: `failures` are sentences, violations of the verifier among them."""

    name: str
    failures: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing was wrong."""
        return not self.failures


async def run_case(case: Case, bed: Bed) -> Outcome:
    """Run a case and end its stations; whatever it raised, and whatever the verifier saw, is in the outcome."""
    failures: list[str] = []
    with ExitStack() as bed.watching:
        bed.stations = []
        await _guarded(case.run(bed), failures)
        if failures:
            failures += [*bed.waiting(), *await bed.counted()]
        for station in bed.stations:
            if not failures:
                await _guarded(station.stop(), failures)
    return Outcome(case.name, (*bed.violations(), *failures))


async def _guarded(work: Awaitable[None], failures: list[str]) -> None:
    """A driver may raise anything; it is a failure of its own, not of the suite."""
    try:
        await work
    except NdisViolation:
        pass  # it is among what the station found
    except Exception as error:  # a CaseFailed, or whatever the driver under test lets out
        failures.append(described(error))


def described(error: BaseException) -> str:
    """An exception as a sentence, and the driver's line where it has one."""
    if isinstance(error, CaseFailed):
        return str(error)
    place = raised_place(error.__traceback__)
    return f"{type(error).__name__}: {error}".splitlines()[0] + (f"\n  at {place}" if place else "")
