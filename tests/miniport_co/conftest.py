# SPDX-License-Identifier: Apache-2.0
"""Two hosts whose twins are joined by a cable, each with the connection-oriented driver, client and call manager."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from hilnic.hw.clock import VirtualClock
from hilnic.hw.memory import HostMemory
from hilnic.hw.timing import TimingModel
from hilnic.model.build import Build
from hilnic.model.nic import ModelNic
from hilnic.stack import CoConfig
from hilnic.testing.co_host import CoHost
from hilnic.wire.link import WireFrame

BUILD = Build(num_tx_queues=9, num_rx_queues=9, num_vcs=8)


class Pair:
    """`one` and `other`; `wire` has what both have sent."""

    def __init__(
        self,
        build: Build = BUILD,
        timing: TimingModel | None = None,
        memory: int = 16 << 20,
        protocols: Callable[[int], tuple[Any, ...]] = lambda _number: (),
        **options: Any,
    ) -> None:
        self.clock = VirtualClock()
        self.wire: list[WireFrame] = []
        weak = bool(timing and timing.weak)
        self.nics = [
            ModelNic(self.clock, HostMemory(memory, weak=weak, now_ns=self.clock.now_ns), timing, build, name=f"nic{n}")
            for n in range(2)
        ]
        for nic, far in (self.nics, self.nics[::-1]):
            nic.wire.connect(self._cable(far))
        self.hosts = [
            CoHost(nic, self.clock, number=n, timing=timing, protocols=protocols(n), **options)
            for n, nic in enumerate(self.nics)
        ]
        self.one, self.other = self.hosts
        for host in self.hosts:
            self.run(host.start())

    def _cable(self, far: ModelNic) -> Callable[[WireFrame], None]:
        def carry(frame: WireFrame) -> None:
            self.wire.append(frame)
            far.wire.send(frame)

        return carry

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run to its end."""
        return self.clock.run(work)

    def sleep(self, ns: int) -> None:
        """Let time pass."""
        self.run(self.clock.sleep(ns))

    def until(self, condition: Callable[[], Any], limit_ns: int = 3_000_000) -> None:
        """Until a condition holds."""
        self.run(self.one.until(condition, limit_ns=limit_ns))

    def calls(self, vlan: int = 100, **parameters: Any) -> tuple[Any, Any]:
        """A call from one to the other: both ends."""
        return self.run(self.one.call(vlan, **parameters)), self.run(self.other.take(vlan, **parameters))

    def stop(self) -> None:
        """Nothing is left behind."""
        for host in self.hosts:
            self.run(host.stop())
        for nic in self.nics:
            assert nic.memory.live_mappings() == []
            assert nic.memory.leaks() == []


@pytest.fixture(scope="session")
def pair_type() -> type[Pair]:
    """The class itself, for pairs that are not stopped after the test."""
    return Pair


@pytest.fixture
def make_pair() -> Iterator[Callable[..., Pair]]:
    """Builds pairs; each is stopped after the test."""
    pairs: list[Pair] = []

    def make(**options: Any) -> Pair:
        pairs.append(Pair(**options))
        return pairs[-1]

    yield make
    for pair in pairs:
        pair.stop()


@pytest.fixture
def pair(make_pair: Callable[..., Pair]) -> Pair:
    return make_pair(verify="full")


@pytest.fixture
def small() -> CoConfig:
    """Rings and pools that run out."""
    return CoConfig(tx_ring=8, rx_ring=8, rx_buffers=12, rx_low_water=4)
