# SPDX-License-Identifier: Apache-2.0
"""C5-03 to C5-05: interrupts, timers and DMA of 5.x miniports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hilnic.ndis import Irql, NdisStatus, halt_adapter, ndis5
from hilnic.ndis.ndis5 import PacketInfo
from hilnic.testing import NdisBench, VirtualMapper, expect_violation
from hilnic.testing.bench5 import Bench5
from hilnic.testing.miniport5 import FunctionalMiniport5


class Line:
    """An interrupt line that cards may share: every handler is called."""

    def __init__(self) -> None:
        self.handlers: list[Callable[[], None]] = []

    def connect(self, vector: int, handler: Callable[[], None] | None) -> None:
        if handler is not None:
            self.handlers.append(handler)

    def fire(self) -> None:
        for handler in self.handlers:
            handler()


LINE = Line()


class Card(FunctionalMiniport5):
    """A miniport with an interrupt; `pending` is what its card wants."""

    request_isr = True
    shared = False
    line: Line = LINE

    def __init__(self, *args, **options):
        self.trace: list[str] = []
        self.pending = False
        self.is_enabled = True
        super().__init__(*args, **options)

    def characteristics(self):
        kind = type(self)
        return replace(
            super().characteristics(),
            isr=kind.isr,
            handle_interrupt=kind.handle_interrupt,
            enable_interrupt=kind.enable_interrupt,
            disable_interrupt=kind.disable_interrupt,
        )

    def initialize(self, adapter, mediums):
        answer = super().initialize(adapter, mediums)
        self.line = Line() if self.line is LINE else self.line
        status, self.interrupt = ndis5.register_interrupt(
            adapter, self.line.connect, request_isr=self.request_isr, shared_interrupt=self.shared
        )
        assert status is NdisStatus.SUCCESS
        return answer

    def halt(self):
        ndis5.deregister_interrupt(self.interrupt)
        super().halt()

    def isr(self):
        self.calls.append(f"isr at {Irql(self.ndis.kernel.irql).name}")
        if self.inside:
            self.overlaps.append((*self.inside, "isr"))
        if not self.pending:
            return False, False
        self.pending, self.is_enabled = False, False
        return True, True

    def handle_interrupt(self):
        assert not self.is_enabled
        self.enter(f"handle_interrupt at {Irql(self.ndis.kernel.irql).name}")
        self.leave()

    def enable_interrupt(self):
        self.is_enabled = True
        self.calls.append("enable_interrupt")

    def disable_interrupt(self):
        self.is_enabled = False
        self.calls.append("disable_interrupt")


def signal(b: Bench5) -> None:
    b.fm.pending = True
    b.fm.line.fire()
    b.run()


@pytest.mark.rule("C5-04")
@pytest.mark.parametrize("serialized", [True, False])
def test_the_dpc_runs_with_interrupts_off_and_they_are_enabled_after_it(bench5, serialized):
    b = bench5(miniport=Card, serialized=serialized)
    signal(b)
    assert b.fm.calls == ["isr at DIRQL", "handle_interrupt at DISPATCH", "enable_interrupt"]


@pytest.mark.rule("C5-04")
def test_without_an_isr_ndis_disables_the_interrupt_itself(bench5):
    class Plain(Card):
        request_isr = False

    b = bench5(miniport=Plain)
    signal(b)
    assert b.fm.calls == ["disable_interrupt", "handle_interrupt at DISPATCH", "enable_interrupt"]


@pytest.mark.rule("C5-05")
def test_an_isr_whose_card_was_quiet_changes_nothing(bench5):
    b = bench5(miniport=Card)
    b.fm.line.fire()
    b.run()
    assert b.fm.calls == ["isr at DIRQL"]
    assert b.fm.is_enabled


@pytest.mark.rule("C5-05")
def test_two_cards_share_a_line():
    class Sharing(Card):
        line = Line()
        shared = True
        request_isr = False

    b = Bench5(miniport=Sharing)
    other = Sharing(b.ndis, "other")
    b.run(other.start())
    b.run()
    other.calls.clear()
    signal(b)
    assert b.fm.calls == ["isr at DIRQL", "handle_interrupt at DISPATCH", "enable_interrupt"]
    assert other.calls == ["isr at DIRQL"]


@pytest.mark.rule("C5-05")
@pytest.mark.mutant("C5-05")
def test_mutant_asks_for_a_dpc_of_an_interrupt_that_it_did_not_recognize(bench5):
    class Greedy(Card):
        def isr(self):
            return False, True

    b = bench5(miniport=Greedy)
    with expect_violation(b.ndis, "C5-05"):
        b.fm.line.fire()
        b.run()
    assert "handle_interrupt at DISPATCH" not in b.fm.calls


@pytest.mark.rule("C5-03", "CL-10")
@pytest.mark.parametrize("style", ["packets", "send"])
def test_an_interrupt_during_a_handler_waits_until_it_has_returned(bench5, style):
    b = bench5(miniport=Card, style=style)

    def interrupt(call: str) -> None:
        b.fm.on_call = lambda _: None
        b.fm.pending = True
        b.fm.line.fire()

    b.fm.on_call = interrupt
    b.fp.send_array(*b.frames(1))
    b.run()
    assert b.fm.overlaps == []
    send = "send_packets" if style == "packets" else "send"
    assert b.fm.calls == [send, "isr at DIRQL", "handle_interrupt at DISPATCH", "enable_interrupt"]


@pytest.mark.rule("C5-03", "CL-10")
def test_requests_resets_and_timers_of_a_serialized_miniport_do_not_overlap(bench5):
    from hilnic.ndis import Oid, reset_adapter

    b = bench5(miniport=Card)
    timer = ndis5.initialize_timer(b.fm.adapter, lambda ctx: (b.fm.enter("timer"), b.fm.leave()))
    ndis5.set_timer(timer, 1)

    def everything(call: str) -> None:
        b.fm.on_call = lambda _: None
        b.kernel.start(b.fp.query(Oid.OID_GEN_VENDOR_DESCRIPTION))
        b.kernel.start(reset_adapter(b.fm.adapter))
        b.fp.send_array(*b.frames(1))
        b.kernel.run_for(2_000_000)  # whatever is due runs while the handler has not returned

    b.fm.on_call = everything
    b.fp.send_array(*b.frames(1))
    b.run()
    assert b.fm.overlaps == []
    assert {"timer", "reset", "query_information", "send_packets"} <= set(b.fm.calls)


@pytest.mark.rule("C5-03")
def test_random_traffic_on_a_serialized_miniport_never_overlaps(bench5):
    import random

    rng = random.Random(5)
    b = bench5(miniport=Card, handlers=("both", "lookahead"))
    depth = 0

    def meddle(call: str) -> None:
        nonlocal depth
        if depth < 3:
            depth += 1
            act()
            depth -= 1

    def act() -> None:
        choice = rng.randrange(5)
        if choice == 0:
            rng.choice(b.fps).send_array(*b.frames(2))
        elif choice == 1:
            b.fm.pending = True
            b.fm.line.fire()
        elif choice == 2 and b.fm.captured:
            b.fm.complete(b.fm.captured[0])
        elif choice == 3:
            b.fm.room = rng.randrange(4)
            ndis5.send_resources_available(b.fm.adapter)
        else:
            b.fm.indicate(b.frame(1))

    b.fm.on_call = meddle
    for _ in range(200):
        act()
        if len(b.fps[0].pool.live) > 50 or len(b.fps[1].pool.live) > 50:
            b.fm.room = 1 << 30
            b.fm.complete()
            ndis5.send_resources_available(b.fm.adapter)
            b.fm.complete()
            for fp in b.fps:
                for packet, _ in fp.completed:
                    ndis5.free_packet(packet)
                fp.completed.clear()
        b.fm.release()
        b.run()
    assert b.fm.overlaps == []
    assert b.ndis.report.violations == []
    b.is_abandoned = True


@pytest.mark.rule("C5-03", "C5-12")
@pytest.mark.parametrize("serialized", [True, False])
def test_what_waited_for_a_halt_is_not_called_after_it(serialized):
    class Slow(Card):
        async def halt(self):
            self.calls.append("halt begins")
            await self.ndis.kernel.sleep(1_000_000)
            ndis5.cancel_timer(self.timer)
            super().halt()
            self.calls.append("halt ends")

    b = Bench5(miniport=Slow, serialized=serialized)
    b.fm.timer = ndis5.initialize_timer(b.fm.adapter, lambda ctx: b.fm.calls.append("timer"))
    ndis5.set_timer(b.fm.timer, 1)
    done = b.kernel.start(halt_adapter(b.fm.adapter))
    b.kernel.run_for(500_000)
    b.fm.pending = True
    b.fm.line.fire()
    b.run()
    assert done
    assert b.fm.calls[-1] == "halt ends"
    assert b.ndis.report.violations == []


def test_synchronize_with_interrupt_runs_at_dirql(bench5):
    b = bench5(miniport=Card)
    seen: list[object] = []

    def work(context: object) -> bool:
        seen.append((context, b.kernel.irql))
        return True

    assert ndis5.synchronize_with_interrupt(b.fm.interrupt, work, "ctx")
    assert seen == [("ctx", Irql.DIRQL)]


def test_a_periodic_timer_fires_until_it_is_cancelled(bench5):
    b = bench5()
    ticks: list[int] = []
    timer = ndis5.initialize_timer(b.fm.adapter, lambda ctx: ticks.append(b.kernel.now_ns()))
    ndis5.set_periodic_timer(timer, 10)
    b.kernel.run_for(35_000_000)
    assert ndis5.cancel_timer(timer)
    assert not ndis5.cancel_timer(timer)
    b.kernel.run_for(35_000_000)
    assert ticks == [10_000_000, 20_000_000, 30_000_000]


# DMA.


class Dma(FunctionalMiniport5):
    """With scatter/gather DMA."""

    def initialize(self, adapter, mediums):
        answer = super().initialize(adapter, mediums)
        self.mapper = VirtualMapper()
        assert ndis5.initialize_scatter_gather_dma(adapter, self.mapper) is NdisStatus.SUCCESS
        return answer


@pytest.mark.parametrize("serialized", [True, False])
def test_ndis_maps_what_is_sent_until_it_completes(bench5, serialized):
    b = bench5(miniport=Dma, serialized=serialized)
    (packet,) = b.fp.send_array(b.frames(1)[0], cuts=(14, 0, 20))
    sg_list = packet.packet_info[PacketInfo.SCATTER_GATHER_LIST]
    assert [element.length for element in sg_list.elements] == [14, 20, 26]
    assert [element.address for element in sg_list.elements] == [m.address for m in packet.buffers() if m.byte_count]
    assert len(b.fm.mapper.live) == 3
    b.fm.complete()
    assert b.fm.mapper.live == set()
    assert packet.packet_info[PacketInfo.SCATTER_GATHER_LIST] is None


def test_a_refused_packet_is_not_mapped(bench5):
    b = bench5(miniport=Dma)
    b.fm.room = 0
    b.fp.send_array(*b.frames(1))
    assert b.fm.mapper.live == set()


class Registers(FunctionalMiniport5):
    """With map registers."""

    def initialize(self, adapter, mediums):
        answer = super().initialize(adapter, mediums)
        self.mapper = VirtualMapper()
        ndis5.allocate_map_registers(adapter, self.mapper, 2)
        return answer

    def halt(self):
        ndis5.free_map_registers(self.adapter)
        super().halt()


def test_a_map_register_maps_one_buffer_at_a_time(bench5):
    b = bench5(miniport=Registers)
    packet = b.fp.build(b.frames(1)[0])
    mdl = packet.head
    assert ndis5.start_buffer_physical_mapping(b.fm.adapter, mdl, 0, True) == [(mdl.address, 60)]
    assert len(b.fm.mapper.live) == 1
    with expect_violation(b.ndis, "IT-08"):
        assert ndis5.start_buffer_physical_mapping(b.fm.adapter, mdl, 0, True) == []
    ndis5.complete_buffer_physical_mapping(b.fm.adapter, mdl, 0)
    assert b.fm.mapper.live == set()
    with expect_violation(b.ndis, "IT-08"):
        ndis5.complete_buffer_physical_mapping(b.fm.adapter, mdl, 0)


@pytest.mark.parametrize("register", [-1, 2])
def test_mutant_uses_a_map_register_that_it_has_not(bench5, register):
    b = bench5(miniport=Registers)
    mdl = b.fp.build(b.frames(1)[0]).head
    with expect_violation(b.ndis, "IT-08"):
        assert ndis5.start_buffer_physical_mapping(b.fm.adapter, mdl, register, True) == []
    with expect_violation(b.ndis, "IT-08"):
        ndis5.complete_buffer_physical_mapping(b.fm.adapter, mdl, register)
    assert b.fm.mapper.live == set()


@pytest.mark.rule("C5-12")
def test_map_registers_in_use_are_not_freed_quietly(bench5):
    b = bench5(miniport=Registers)
    packet = b.fp.build(b.frames(1)[0])
    ndis5.start_buffer_physical_mapping(b.fm.adapter, packet.head, 0, True)
    with expect_violation(b.ndis, "C5-12"):
        ndis5.free_map_registers(b.fm.adapter)


@pytest.mark.rule("XL-16")
@pytest.mark.mutant("XL-16")
def test_mutant_of_ndis_6_calls_ndis_5():
    b = NdisBench()
    for call in (
        lambda: ndis5.indicate_receive_packet(b.fm.adapter, []),
        lambda: ndis5.send_resources_available(b.fm.adapter),
        lambda: ndis5.indicate_status_complete(b.fm.adapter),
        lambda: ndis5.set_attributes_ex(b.fm.adapter, None),
        lambda: ndis5.eth_indicate_receive_complete(b.fm.adapter),
    ):
        with expect_violation(b.ndis, "XL-16"):
            call()
