# SPDX-License-Identifier: Apache-2.0
"""The bench that conformance checks run on, and the registry of the checks by name.

A check is a coroutine over a CheckBench that raises CheckFailed. It awaits nothing but the device and the clock, so it
runs under a VirtualClock and inside a simulator alike. What a check needs beyond the adapter stands in `needs`; a bench
that does not offer it skips the check and says so.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from hilnic.hw.clock import Clock
from hilnic.hw.device import Device
from hilnic.testing.nic_1g import Nic1g
from hilnic.testing.nic_adapter import Direction, Done, NicAdapter, QueueSetup
from hilnic.testing.vcs import Vcs
from hilnic.wire.link import Link, WireFrame

STEP_NS = 500
PATIENCE_NS = 400_000
SETTLE_NS = 15_000


class CheckFailed(AssertionError):
    """The NIC broke its contract; the sentence says how."""


class Controls(Protocol):
    """What a bench can do to a card from outside."""

    def set_link(self, up: bool) -> None:
        """The PHY reports a link, or none."""
        ...

    def stop_clock(self, way: str) -> None:
        """Stop the "tx" or "rx" clock of the PHY."""
        ...

    def start_clock(self, way: str) -> None:
        """Let it run again."""
        ...

    def inject_bus_error(self, channel: str, number: int) -> None:
        """Answer the `number`-th DMA burst from now on, on "ar" or "aw", with SLVERR."""
        ...


class Peer:
    """The other end of the wire: keeps what arrives."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.frames: list[WireFrame] = []
        link.connect(self.frames.append)

    def send(self, frame: bytes | WireFrame) -> None:
        """Send a frame to the NIC."""
        self._link.send(frame)

    @property
    def data(self) -> list[bytes]:
        """What arrived, without FCS."""
        return [frame.data for frame in self.frames]


class CheckBench:
    """A NIC under check between a peer and its host."""

    def __init__(
        self,
        clock: Clock,
        wire: Link,
        nic: NicAdapter,
        *,
        device: Device | None = None,
        controls: Controls | None = None,
        offers: Iterable[str] | None = None,
        connections: bool = False,
        seed: int = 1,
    ) -> None:
        self.clock, self.nic, self.seed = clock, nic, seed
        self.peer = Peer(wire)
        self.random = Random(seed)
        self._device, self._controls = device, controls
        found = {"registers"} if device is not None else set()
        found |= {"link", "clocks", "bus errors"} if controls is not None else set()
        found |= {"connections"} if connections else set()
        self.offers = frozenset(found if offers is None else offers)
        self.interrupts: Counter[int] = Counter()
        self.enabled: set[tuple[Direction, int]] = set()  # queues that the check has enabled

    # ---- parts that not every bench has ----

    @property
    def device(self) -> Device:
        """The register port."""
        assert self._device is not None
        return self._device

    @property
    def controls(self) -> Controls:
        """What can be done to the card."""
        assert self._controls is not None
        return self._controls

    @property
    def vcs(self) -> Vcs:
        """The NIC's virtual connections."""
        return Vcs(self.nic_1g)

    @property
    def nic_1g(self) -> Nic1g:
        """The adapter, when it is this project's."""
        assert isinstance(self.nic, Nic1g)
        return self.nic

    # ---- vocabulary ----

    async def start(self) -> None:
        """Before each check: a NIC after reset, a quiet wire, the same random stream."""
        self.random = Random(self.seed)
        await self.nic.reset()
        await self.clock.sleep(SETTLE_NS)
        self.peer.frames.clear()
        self.interrupts.clear()
        self.enabled.clear()
        if self._device is not None:
            for vector in range(self.nic_1g.vectors):
                self._device.connect_interrupt(vector, lambda v=vector: self.interrupts.update([v]))  # type: ignore[misc]

    async def enable(self, direction: Direction, **setup: int) -> QueueSetup:
        """Enable a queue by keywords of QueueSetup."""
        made = QueueSetup(direction, **setup)
        await self.nic.enable(made)
        self.enabled.add((direction, made.number))
        return made

    async def until(
        self, condition: Callable[[], object], what: str | Callable[[], str], patience_ns: int = PATIENCE_NS
    ) -> None:
        """Wait until a condition holds, or fail; `what` may be put into words when it has failed."""
        end = self.clock.now_ns() + patience_ns
        while not condition():
            if self.clock.now_ns() > end:
                raise CheckFailed(f"{what if isinstance(what, str) else what()}: not within {patience_ns} ns")
            await self.clock.sleep(STEP_NS)

    async def settle(self, ns: int = SETTLE_NS) -> None:
        """Let everything come to rest."""
        await self.clock.sleep(ns)

    async def completions(self, direction: Direction, count: int, *, number: int = 0) -> list[Done]:
        """Wait for exactly so many completions of a queue."""
        found: list[Done] = []

        def enough() -> bool:
            found.extend(self.nic.poll(direction, number))
            return len(found) >= count

        await self.until(enough, lambda: f"{count} completions of {direction.name} queue {number}, {len(found)} came")
        self.expect(len(found), count, "completions")
        return found

    async def sent(self, count: int) -> list[bytes]:
        """Wait for so many frames on the wire."""
        await self.until(lambda: len(self.peer.frames) >= count, f"{count} frames on the wire")
        return self.peer.data[:count]

    async def expect_counters(self, **expected: int) -> None:
        """Counters by name, `tx_frames` for tx.frames."""
        found = {name: await self.nic.counter(name.replace("_", ".", 1)) for name in expected}
        self.expect(found, expected, "counters")

    def expect(self, actual: object, expected: object, what: str) -> None:
        """Fail unless equal."""
        if actual != expected:
            raise CheckFailed(f"{what}: {_short(actual)}, not {_short(expected)}")

    def frame(self, length: int, destination: bytes = b"\x02\x00\x00\x00\x00\x01") -> bytes:
        """A random frame of so many bytes without FCS; its type field is no length."""
        body = self.random.randbytes(max(length - 14, 0))
        return (destination + b"\x02\x00\x00\x00\x00\x02" + b"\x88\xb5" + body)[:length]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 400 else f"{text[:400]}..."


CheckFunction = Callable[[CheckBench], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Check:
    """A claim about a NIC, by name."""

    name: str
    function: CheckFunction
    needs: frozenset[str]

    @property
    def sentence(self) -> str:
        """The claim in words."""
        return (self.function.__doc__ or "").strip()


CHECKS: dict[str, Check] = {}
"""All checks by name, in the order in which they are written."""


def check(*needs: str) -> Callable[[CheckFunction], CheckFunction]:
    """Enter a check in the registry; `needs` of "registers", "clocks", "bus errors", "link", "connections"."""

    def enter(function: CheckFunction) -> CheckFunction:
        name = function.__name__
        assert name not in CHECKS
        CHECKS[name] = Check(name, function, frozenset(needs))
        return function

    return enter


def drops(counters: dict[str, int]) -> int:
    """Sum of the drop causes."""
    return sum(value for name, value in counters.items() if name.partition(".")[2].startswith("drop_"))
