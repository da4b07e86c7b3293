# SPDX-License-Identifier: Apache-2.0
"""C5-12 to C5-14: halt, status indications, shutdown of 5.x miniports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilnic.ndis import (
    Ndis,
    NdisStatus,
    halt_adapter,
    ndis5,
    shutdown_adapter,
    start_adapter,
)
from hilnic.testing import VirtualKernel, VirtualMapper, expect_violation
from hilnic.testing.miniport5 import FunctionalMiniport5


@pytest.fixture
def host() -> Ndis:
    return Ndis(VirtualKernel())


class Equipped(FunctionalMiniport5):
    """Takes one of everything at initialize; `steps` of them succeed, `keep` of them it forgets at halt."""

    steps = 5
    keep: frozenset[str] = frozenset()

    def initialize(self, adapter, mediums):
        answer = super().initialize(adapter, mediums)
        self.mapper = VirtualMapper()
        self.has: list[str] = []
        taking = {
            "interrupt": self.take_interrupt,
            "map registers": lambda: ndis5.allocate_map_registers(adapter, self.mapper, 4),
            "shared memory": self.take_shared_memory,
            "buffers": self.take_buffers,
            "timer": self.take_timer,
        }
        for name, take in list(taking.items())[: self.steps]:
            take()
            self.has.append(name)
        if self.steps < len(taking):
            self.release_all()
            if "packets" not in self.keep:
                ndis5.free_packet_pool(self.pool)
            return NdisStatus.RESOURCES, None
        return answer

    def characteristics(self):
        handlers = {"isr": lambda ctx: (True, True), "handle_interrupt": lambda ctx: None}
        return replace(super().characteristics(), **handlers)

    def take_interrupt(self):
        self.interrupt = ndis5.register_interrupt(self.adapter, lambda vector, handler: None)[1]

    def take_shared_memory(self):
        self.shared = ndis5.allocate_shared_memory(self.adapter, 256)

    def take_buffers(self):
        self.buffers = ndis5.allocate_buffer_pool(self.adapter, 8)[1]

    def take_timer(self):
        self.timer = ndis5.initialize_timer(self.adapter, lambda ctx: None)
        ndis5.set_periodic_timer(self.timer, 10)

    def release_all(self):
        giving = {
            "timer": lambda: ndis5.cancel_timer(self.timer),
            "buffers": lambda: ndis5.free_buffer_pool(self.buffers),
            "shared memory": lambda: ndis5.free_shared_memory(self.shared),
            "map registers": lambda: ndis5.free_map_registers(self.adapter),
            "interrupt": lambda: ndis5.deregister_interrupt(self.interrupt),
        }
        for name, give in giving.items():
            if name in self.has and name not in self.keep:
                give()

    def halt(self):
        self.release_all()
        super().halt()


@pytest.mark.rule("C5-12")
@pytest.mark.parametrize("steps", range(5))
def test_an_initialize_that_fails_at_any_step_leaves_nothing(host, steps):
    fm = Equipped(host)
    fm.steps = steps
    assert host.kernel.run(fm.start()) is NdisStatus.RESOURCES
    host.check_leaks()
    assert fm.mapper.live == set()


@pytest.mark.rule("C5-12")
def test_halt_leaves_nothing(host):
    fm = Equipped(host)
    assert host.kernel.run(fm.start()) is NdisStatus.SUCCESS
    host.kernel.run_for(25_000_000)
    host.kernel.run(halt_adapter(fm.adapter))
    host.check_leaks()
    host.kernel.run()
    assert fm.mapper.live == set()


@pytest.mark.rule("C5-12")
@pytest.mark.mutant("C5-12")
@pytest.mark.parametrize("forgotten", ["interrupt", "map registers", "shared memory", "buffers", "timer"])
def test_mutant_forgets_something_at_halt(host, forgotten):
    fm = Equipped(host)
    fm.keep = frozenset({forgotten, *({"map registers"} if forgotten == "shared memory" else ())})
    host.kernel.run(fm.start())
    with expect_violation(host, "C5-12"):
        host.kernel.run(halt_adapter(fm.adapter))


@pytest.mark.rule("C5-12")
@pytest.mark.mutant("C5-12")
def test_mutant_forgets_its_packet_pool_when_initialize_fails(host):
    fm = Equipped(host)
    fm.steps, fm.keep = 0, frozenset({"packets"})
    with expect_violation(host, "C5-12"):
        host.kernel.run(fm.start())


@pytest.mark.rule("C5-13")
def test_a_status_reaches_every_binding_and_then_its_complete(bench5):
    b = bench5(handlers=("both", "packet"))
    for up in (False, True):
        b.fm.link(up)
    for fp in b.fps:
        assert [code for code, _ in fp.statuses] == [NdisStatus.MEDIA_DISCONNECT, NdisStatus.MEDIA_CONNECT]
        assert fp.status_completes == 2
    b.run()
    assert b.fm.adapter.link_state.xmit_link_speed == 1_000_000_000


@pytest.mark.rule("C5-13")
@pytest.mark.mutant("C5-13")
def test_mutant_forgets_the_status_complete(bench5):
    b = bench5()
    with expect_violation(b.ndis, "C5-13"):
        ndis5.indicate_status(b.fm.adapter, NdisStatus.MEDIA_DISCONNECT)
        b.kernel.run_for(2_000_000_000)


@pytest.mark.rule("C5-13")
@pytest.mark.mutant("C5-13")
def test_mutant_indicates_a_status_after_halt(bench5):
    b = bench5()
    b.run(halt_adapter(b.fm.adapter))
    with expect_violation(b.ndis, "C5-13"):
        ndis5.indicate_status(b.fm.adapter, NdisStatus.MEDIA_DISCONNECT)


@pytest.mark.rule("C5-14")
def test_shutdown_calls_the_shutdown_handler_and_nothing_else(bench5):
    b = bench5()
    b.fp.send_array(*b.frames(1))
    b.fm.calls.clear()
    shutdown_adapter(b.fm.adapter)
    b.run()
    assert b.fm.calls == ["shutdown"]
    assert b.fp.completed == []
    b.is_abandoned = True


def test_two_adapters_of_one_driver_have_lives_of_their_own(bench5):
    b = bench5(listen=False)
    first = b.fm.adapter
    status, second = b.run(start_adapter(b.ndis, b.fm.driver, "fm5 b"))
    assert status is NdisStatus.SUCCESS
    assert first.context is not second.context
    b.run(halt_adapter(second))
    b.fm.adapter, b.fm.pool = first, next(pool for pool in b.ndis.pools if pool.owner is first)


@pytest.mark.rule("C5-14")
def test_a_5_0_miniport_registers_its_shutdown_handler(bench5):
    calls: list[object] = []

    class Old(FunctionalMiniport5):
        version = (5, 0)

        def initialize(self, adapter, mediums):
            answer = super().initialize(adapter, mediums)
            ndis5.register_adapter_shutdown_handler(adapter, "context", calls.append)
            return answer

    b = bench5(miniport=Old)
    shutdown_adapter(b.fm.adapter)
    assert calls == ["context"]
    b.is_abandoned = True
    other = bench5(miniport=Old)
    ndis5.deregister_adapter_shutdown_handler(other.fm.adapter)
    shutdown_adapter(other.fm.adapter)
    assert calls == ["context"]
    other.is_abandoned = True


def test_a_driver_is_unloaded_when_its_adapters_are_gone(bench5):
    b = bench5()
    with expect_violation(b.ndis, "ST-19"):
        ndis5.deregister_miniport(b.fm.driver)
    host = Ndis(VirtualKernel())
    fm = FunctionalMiniport5(host)
    host.kernel.run(fm.start())
    host.kernel.run(halt_adapter(fm.adapter))
    ndis5.deregister_miniport(fm.driver)
    assert host.miniport_drivers == []


def test_a_miniport_finds_what_the_bus_gave_it(bench5):
    b = bench5()
    status, adapter = b.run(start_adapter(b.ndis, b.fm.driver, "second", "a device"))
    assert status is NdisStatus.SUCCESS
    assert ndis5.query_adapter_resources(adapter) == "a device"
    b.run(halt_adapter(adapter))
    b.is_abandoned = True
