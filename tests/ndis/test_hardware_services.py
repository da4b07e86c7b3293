# SPDX-License-Identifier: Apache-2.0
"""IT, CL and RG: interrupts and DPCs, SG lists and shared memory, timers, locks, IRQL, the monitors of V13."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import DmaMonitor, Irql, NdisStatus, Profile, RingMonitor
from hilnic.testing import FunctionalMiniport, FunctionalProtocol, VirtualMapper, expect_violation
from hilnic.testing.frames import free_nbl


class Interrupting(FunctionalMiniport):
    """Has one vector; its DPC indicates what waits, as many as the throttle allows."""

    connected: dict[int, object]
    deregisters = True
    respects_throttle = True

    def initialize(self, adapter):
        status = super().initialize(adapter)
        self.connected, self.waiting, self.levels, self.dpcs = {}, [], [], 0
        characteristics = ndis.InterruptCharacteristics(
            connect=self.connected.__setitem__,
            message_interrupt=type(self).isr,
            message_interrupt_dpc=type(self).dpc,
            vectors=(3,),
        )
        _, self.interrupt = ndis.register_interrupt(adapter, self, characteristics)
        return status

    def halt(self, action):
        if self.deregisters:
            ndis.deregister_interrupt(self.interrupt)
        super().halt(action)

    def isr(self, message_id):
        self.levels.append((self.ndis.kernel.irql, message_id))
        return True, True

    def dpc(self, message_id, throttle):
        self.levels.append((self.ndis.kernel.irql, message_id))
        self.dpcs += 1
        limit = throttle.max_nbls_to_indicate if self.respects_throttle else len(self.waiting)
        now, self.waiting = self.waiting[:limit], self.waiting[limit:]
        if now:
            self.indicate(*now)
        throttle.more_nbls_pending = bool(self.waiting)


@pytest.mark.rule("IT-01")
def test_an_interrupt_runs_its_isr_at_dirql_and_its_dpc_at_dispatch(bench):
    b = bench(miniport=Interrupting)
    b.fm.connected[3]()
    b.run()
    assert b.fm.levels == [(Irql.DIRQL, 3), (Irql.DISPATCH, 3)]
    assert b.kernel.irql is Irql.PASSIVE
    b.run(ndis.halt_adapter(b.fm.adapter))
    assert b.fm.connected == {3: None}


@pytest.mark.rule("IT-03")
def test_a_flood_is_indicated_in_portions_by_requeued_dpcs(bench):
    b = bench(miniport=Interrupting, profile=Profile(max_nbls_to_indicate=8))
    b.fm.waiting = b.frames(30)
    b.fm.connected[3]()
    b.run()
    assert b.fp.received == b.frames(30)
    assert b.fm.dpcs == 4


@pytest.mark.rule("IT-03")
@pytest.mark.mutant("IT-03")
def test_mutant_indicates_more_than_the_throttle_allows(bench):
    b = bench(miniport=Interrupting, profile=Profile(max_nbls_to_indicate=8))
    b.fm.respects_throttle = False
    b.fm.waiting = b.frames(9)
    with expect_violation(b.ndis, "IT-03"):
        b.fm.connected[3]()
        b.run()


@pytest.mark.rule("IT-01")
@pytest.mark.mutant("IT-01")
def test_mutant_halts_with_its_interrupt_registered(bench):
    b = bench(miniport=Interrupting)
    b.fm.deregisters = False
    with expect_violation(b.ndis, "IT-01"):
        b.run(ndis.halt_adapter(b.fm.adapter))


@pytest.mark.rule("IT-01", "ST-20")
@pytest.mark.mutant("IT-01")
def test_mutant_fails_to_initialize_with_its_interrupt_registered(bench):
    class Failing(Interrupting):
        def initialize(self, adapter):
            super().initialize(adapter)
            ndis.free_net_buffer_list_pool(self.pool)
            return NdisStatus.FAILURE

    b = bench()
    with expect_violation(b.ndis, "IT-01"):
        b.run(Failing(b.ndis, "second").start())


@pytest.mark.rule("IT-01")
def test_an_interrupt_registered_while_running_is_a_violation(bench):
    b = bench(miniport=Interrupting)
    with expect_violation(b.ndis, "IT-01"):
        Interrupting.initialize(b.fm, b.fm.adapter)


def test_a_queued_dpc_after_deregistration_does_nothing(bench):
    b = bench(miniport=Interrupting)
    ndis.queue_dpc(b.fm.interrupt, 3)
    b.run(ndis.halt_adapter(b.fm.adapter))
    b.run()
    assert b.fm.dpcs <= 1


class Pin:
    """A pin that a test pulls; the card's causes are in the miniport."""

    def __init__(self):
        self.isr, self.causes, self.accesses = None, 0, 0

    def connect(self, isr):
        self.isr = isr

    def asserted(self):
        return bool(self.causes)

    def acknowledge(self):
        self.accesses += 1
        self.causes = 0


class OnLine(FunctionalMiniport):
    """Shares a line with others; knows its own interrupts by its pin."""

    def initialize(self, adapter):
        status = super().initialize(adapter)
        self.pin, self.levels = Pin(), []
        characteristics = ndis.InterruptCharacteristics(
            connect=lambda vector, handler: pytest.fail("there is a line"),
            message_interrupt=lambda context, message_id: pytest.fail("there is a line"),
            message_interrupt_dpc=lambda context, message_id, throttle: pytest.fail("there is a line"),
            line=self.pin,
            interrupt=type(self).isr,
            interrupt_dpc=type(self).dpc,
        )
        _, self.interrupt = ndis.register_interrupt(adapter, self, characteristics)
        return status

    def halt(self, action):
        ndis.deregister_interrupt(self.interrupt)
        super().halt(action)

    def isr(self):
        self.levels.append(self.ndis.kernel.irql)
        if not self.pin.causes:
            return False, False
        self.pin.acknowledge()
        return True, True

    def dpc(self, throttle):
        self.levels.append(self.ndis.kernel.irql)


@pytest.mark.rule("IT-02")
def test_on_a_line_the_isr_claims_its_own_interrupt_and_leaves_others_alone(bench):
    b = bench(miniport=OnLine)
    assert b.fm.interrupt.type is ndis.InterruptType.LINE_BASED
    assert b.fm.pin.isr() is False
    b.run()
    assert (b.fm.levels, b.fm.pin.accesses) == ([Irql.DIRQL], 0)
    b.fm.pin.causes = 1
    assert b.fm.pin.isr() is True
    b.run()
    assert b.fm.levels == [Irql.DIRQL, Irql.DIRQL, Irql.DISPATCH]
    b.run(ndis.halt_adapter(b.fm.adapter))
    assert b.fm.pin.isr is None


@pytest.mark.rule("IT-02")
def test_a_message_names_its_vector_and_there_is_no_dpc_of_another(bench):
    b = bench(miniport=Interrupting)
    assert b.fm.interrupt.type is ndis.InterruptType.MESSAGE_BASED
    with expect_violation(b.ndis, "IT-02"):
        ndis.queue_dpc(b.fm.interrupt, 2)
    b.run()
    assert b.fm.dpcs == 0


class ClaimsAll(OnLine):
    def isr(self):
        return True, False


class TouchesAll(OnLine):
    def isr(self):
        ours = bool(self.pin.causes)
        self.pin.acknowledge()  # its registers are written whoever it was
        return ours, ours


class WantsEveryDpc(OnLine):
    def isr(self):
        return super().isr()[0], True


@pytest.mark.rule("IT-02")
@pytest.mark.mutant("IT-02")
@pytest.mark.parametrize("mutant", [ClaimsAll, TouchesAll, WantsEveryDpc])
def test_mutants_that_do_not_leave_another_devices_interrupt_alone(bench, mutant):
    b = bench(miniport=mutant)
    with expect_violation(b.ndis, "IT-02"):
        b.fm.pin.isr()


def test_an_isr_that_raises_lets_the_line_go(bench):
    class Raising(OnLine):
        def isr(self):
            raise ValueError("in the ISR")

    b = bench(miniport=Raising)
    b.fm.pin.causes = 1
    with expect_violation(b.ndis, "FAULT"):
        b.fm.pin.isr()
        b.run()
    assert b.fm.pin.isr is None
    assert b.ndis.miniport_drivers == []


def test_a_line_without_its_handlers_is_refused(bench):
    b = bench(miniport=OnLine)
    bare = ndis.InterruptCharacteristics(
        connect=print, message_interrupt=print, message_interrupt_dpc=print, line=b.fm.pin
    )
    with pytest.raises(TypeError, match="interrupt_dpc"):
        ndis.interrupt.Interrupt(b.fm.adapter, None, bare)


class Mapped(FunctionalMiniport):
    """Maps every send and unmaps it before it completes."""

    def initialize(self, adapter):
        status = super().initialize(adapter)
        self.mapper, self.lists = VirtualMapper(), []
        description = ndis.ScatterGatherDmaDescription(self.mapper, self.process)
        _, self.dma = ndis.register_scatter_gather_dma(adapter, description)
        self.shared = ndis.allocate_shared_memory(self.dma, 4096)
        return status

    def halt(self, action):
        ndis.free_shared_memory(self.shared)
        ndis.deregister_scatter_gather_dma(self.dma)
        super().halt(action)

    def process(self, sg_list, context):
        self.lists.append((sg_list, context))

    def send_net_buffer_lists(self, nbls, port_number, send_flags):
        for nbl in ndis.walk(nbls):
            for nb in nbl.net_buffers():
                assert ndis.allocate_net_buffer_sg_list(self.dma, nb, nbl) is NdisStatus.SUCCESS
        super().send_net_buffer_lists(nbls, port_number, send_flags)

    def unmap(self):
        for sg_list, _ in self.lists:
            ndis.free_net_buffer_sg_list(self.dma, sg_list, sg_list.net_buffer)
        self.lists.clear()

    def complete(self, *nbls, **options):
        self.unmap()
        super().complete(*nbls, **options)


@pytest.mark.rule("IT-06", "IT-08")
@pytest.mark.parametrize("late", [False, True])
def test_a_mapped_send_is_unmapped_once_before_it_completes(bench, late):
    b = bench(miniport=Mapped, profile=Profile(late_sg_callback=late))
    (nbl,) = b.fp.send(b.frame(), cuts=[14, 0, 6])
    assert len(b.fm.lists) == (not late)
    b.run()
    ((sg_list, context),) = b.fm.lists
    assert (context, [length for _, length in sg_list.elements]) == (nbl, [14, 6, 40])
    assert {direction for *_, direction in b.fm.mapper.live} == {ndis.DmaDirection.TO_DEVICE, 3}
    b.fm.complete_all()
    assert len(b.fm.mapper.live) == 1  # the shared memory
    b.run(ndis.halt_adapter(b.fm.adapter))
    assert b.fm.mapper.live == set()


@pytest.mark.rule("IT-06")
@pytest.mark.mutant("IT-06")
def test_mutant_completes_before_it_frees_the_sg_list(bench):
    class Early(Mapped):
        def unmap(self):
            pass

    b = bench(miniport=Early)
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "IT-06"):
        b.fm.complete_all()


@pytest.mark.rule("IT-06")
@pytest.mark.mutant("IT-06")
def test_mutant_frees_the_sg_list_twice(bench):
    class Twice(Mapped):
        def unmap(self):
            for sg_list, _ in self.lists:
                ndis.free_net_buffer_sg_list(self.dma, sg_list, sg_list.net_buffer)
            super().unmap()

    b = bench(miniport=Twice)
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "IT-06"):
        b.fm.complete_all()


@pytest.mark.rule("IT-06")
@pytest.mark.mutant("IT-06")
def test_mutant_maps_a_frame_twice(bench):
    b = bench(miniport=Mapped)
    (nbl,) = b.fp.send(b.frame())
    with expect_violation(b.ndis, "IT-06"):
        ndis.allocate_net_buffer_sg_list(b.fm.dma, nbl.first_net_buffer, None)
    b.fm.complete_all()


@pytest.mark.rule("IT-07")
@pytest.mark.mutant("IT-07")
def test_mutant_ends_dma_before_its_shared_memory(bench):
    class Leaking(Mapped):
        def halt(self, action):
            ndis.deregister_scatter_gather_dma(self.dma)
            FunctionalMiniport.halt(self, action)

    b = bench(miniport=Leaking)
    with expect_violation(b.ndis, "IT-07") as found:
        b.run(ndis.halt_adapter(b.fm.adapter))
    assert "allocated at" in found[0].detail
    assert "test_hardware_services.py" in found[0].detail


@pytest.mark.rule("IT-08")
@pytest.mark.mutant("IT-08")
def test_mutant_ends_dma_with_a_frame_still_mapped(bench):
    b = bench(miniport=Mapped)
    nbl = b.fp.build(b.frame())
    ndis.allocate_net_buffer_sg_list(b.fm.dma, nbl.first_net_buffer, None)
    ndis.free_shared_memory(b.fm.shared)
    with expect_violation(b.ndis, "IT-08"):
        ndis.deregister_scatter_gather_dma(b.fm.dma)


@pytest.mark.rule("IT-08")
def test_shared_memory_freed_twice_is_a_violation(bench):
    b = bench(miniport=Mapped)
    shared = ndis.allocate_shared_memory(b.fm.dma, 64)
    ndis.free_shared_memory(shared)
    with expect_violation(b.ndis, "IT-08"):
        ndis.free_shared_memory(shared)


@pytest.mark.rule("IT-08")
def test_a_receive_mapping_lets_the_device_write(bench):
    b = bench(miniport=Mapped)
    nbl = b.fp.build(b.frame())
    ndis.allocate_net_buffer_sg_list(b.fm.dma, nbl.first_net_buffer, None, flags=0)
    assert ndis.DmaDirection.FROM_DEVICE in {direction for *_, direction in b.fm.mapper.live}
    b.fm.unmap()
    free_nbl(nbl)


def test_shared_memory_without_memory_is_none(bench):
    b = bench(miniport=Mapped)
    b.kernel.fail_allocations = 1
    assert ndis.allocate_shared_memory(b.fm.dma, 64) is None


def test_a_timer_fires_at_dispatch_and_periodically(bench):
    b = bench()
    fired: list[tuple[int, Irql]] = []
    timer = ndis.allocate_timer_object(b.fm.adapter, lambda _: fired.append((b.kernel.now_ns(), b.kernel.irql)))
    start = b.kernel.now_ns()
    ndis.set_timer_object(timer, 100, 50)
    b.kernel.run_for(220)
    assert ndis.cancel_timer_object(timer)
    assert [time - start for time, _ in fired] == [100, 150, 200]
    assert {level for _, level in fired} == {Irql.DISPATCH}
    ndis.free_timer_object(timer)


def test_a_work_item_runs_at_passive(bench):
    b = bench()
    ran: list[object] = []

    async def work(context: object) -> None:
        await b.kernel.sleep(10)
        ran.append((context, b.kernel.irql))

    ndis.queue_io_work_item(b.fm.adapter, work, "context")
    b.run()
    assert ran == [("context", Irql.PASSIVE)]


@pytest.mark.rule("ST-18")
@pytest.mark.mutant("ST-18")
def test_mutant_halts_with_a_timer_pending(bench):
    b = bench()
    timer = ndis.allocate_timer_object(b.fm.adapter, lambda _: None)
    ndis.set_timer_object(timer, 1_000_000_000)
    with expect_violation(b.ndis, "ST-18"):
        b.run(ndis.halt_adapter(b.fm.adapter))


@pytest.mark.rule("CL-02")
@pytest.mark.mutant("CL-02")
def test_mutant_indicates_with_its_lock_held(bench):
    b = bench()
    lock = ndis.allocate_spin_lock(b.fm.adapter, "rx")
    nbl = b.fm.build(b.frame())
    with expect_violation(b.ndis, "CL-02"), lock.held():
        ndis.indicate_receive_net_buffer_lists(b.fm.adapter, nbl, 0, 1, 0)


@pytest.mark.rule("CL-02")
@pytest.mark.mutant("CL-02")
def test_mutant_completes_with_its_lock_held(bench):
    b = bench()
    lock = ndis.allocate_spin_lock(b.fm.adapter, "tx")
    b.fp.send(b.frame())
    with expect_violation(b.ndis, "CL-02"), lock.held():
        b.fm.complete_all()


@pytest.mark.rule("CL-02")
def test_a_lock_released_before_the_call_is_fine(bench):
    b = bench()
    lock = ndis.allocate_spin_lock(b.fm.adapter, "tx")
    b.fp.send(b.frame())
    ndis.acquire_spin_lock(lock)
    assert b.kernel.irql is Irql.DISPATCH
    nbls = list(b.fm.captured)
    ndis.release_spin_lock(lock)
    assert b.kernel.irql is Irql.PASSIVE
    b.fm.complete(*nbls)


@pytest.mark.rule("CL-05")
@pytest.mark.mutant("CL-05")
def test_mutant_calls_a_passive_function_at_dispatch(bench):
    class Impatient(FunctionalProtocol):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            super().receive_net_buffer_lists(nbls, port, count, flags)
            ndis.set_miniport_attributes(self.open.adapter, ndis.RegistrationAttributes(None))

    b = bench(protocol=Impatient)
    context = b.fm.adapter.context
    with expect_violation(b.ndis, "CL-05") as found:
        b.kernel.queue_dpc(lambda: b.fm.indicate(b.frame()))
        b.run()
    assert "NdisMSetMiniportAttributes" in str(found[0])
    b.fm.adapter.context = context


@pytest.mark.rule("CL-05")
@pytest.mark.mutant("CL-05")
def test_mutant_starts_a_waiting_function_at_dispatch(bench):
    b = bench()

    second = FunctionalProtocol(b.ndis, "second")

    def at_dispatch() -> None:
        b.kernel.start(second.start())

    with expect_violation(b.ndis, "CL-05"):
        b.kernel.irql = Irql.DISPATCH
        at_dispatch()
        b.run()
    b.kernel.irql = Irql.PASSIVE


@pytest.mark.rule("CL-07")
def test_the_whole_chain_of_re_entries_ends(bench):
    class Busy(FunctionalProtocol):
        def receive_net_buffer_lists(self, nbls, port, count, flags):
            if len(self.received) < 50:
                self.send(nbls.first_net_buffer.tobytes())
            super().receive_net_buffer_lists(nbls, port, count, flags)

        def send_net_buffer_lists_complete(self, nbls, flags):
            super().send_net_buffer_lists_complete(nbls, flags)
            self.echo()

        def echo(self):
            pass

    class Mirror(FunctionalMiniport):
        def send_net_buffer_lists(self, nbls, port_number, send_flags):
            super().send_net_buffer_lists(nbls, port_number, send_flags)
            self.ndis.kernel.queue_dpc(lambda: self.indicate(self.sent_frames[-1]))

    b = bench(protocol=Busy, miniport=Mirror, completion="inline")
    b.fm.indicate(b.frame())
    b.run()
    assert len(b.fp.received) == 51
    assert len(b.fp.completed) == 50


@pytest.mark.rule("RG-01", "RG-02", "RG-03")
@pytest.mark.parametrize("size", [2, 4, 256])
@pytest.mark.parametrize("start", [0, 0xFFFFFFF0])
def test_a_ring_that_obeys_is_watched_in_silence(bench, size, start):
    b = bench()
    ring = RingMonitor(b.ndis, b.fm.adapter, "tx", size, start)
    for n in range(3 * size):
        index = (start + n) & 0xFFFFFFFF
        ring.posted(index)
        ring.completed(index)
        ring.consumed(index)
    assert ring.producer == ring.consumer == (start + 3 * size) & 0xFFFFFFFF


@pytest.mark.rule("RG-01", "RG-02")
@pytest.mark.mutant("RG-01")
def test_mutant_posts_into_a_full_ring(bench):
    b = bench()
    ring = RingMonitor(b.ndis, b.fm.adapter, "tx", 4, 0xFFFFFFFE)
    for n in range(4):
        ring.posted((0xFFFFFFFE + n) & 0xFFFFFFFF)
    with expect_violation(b.ndis, "RG-01"):
        ring.posted(2)


@pytest.mark.rule("RG-03")
@pytest.mark.mutant("RG-03")
@pytest.mark.parametrize("breach", ["completed", "consumed"])
def test_mutant_touches_a_descriptor_that_is_not_its_own(bench, breach):
    b = bench()
    ring = RingMonitor(b.ndis, b.fm.adapter, "rx", 4)
    if breach == "consumed":
        ring.posted(0)
    with expect_violation(b.ndis, "RG-03"):
        getattr(ring, breach)(0)


@pytest.mark.rule("RG-03")
def test_a_reset_ring_is_free(bench):
    b = bench()
    ring = RingMonitor(b.ndis, b.fm.adapter, "rx", 4)
    ring.posted(0)
    ring.reset(7)
    ring.posted(7)
    assert ring.producer == 8


@pytest.mark.rule("RG-11", "IT-08")
@pytest.mark.mutant("RG-11")
def test_mutant_device_reads_outside_of_a_mapping(bench):
    b = bench()
    dma = DmaMonitor(b.ndis, b.fm.adapter)
    dma.access(0x1000, 64, write=False)
    with expect_violation(b.ndis, "RG-11"):
        dma.access(0x2000, 64, write=False, mapped=False)


@pytest.mark.rule("RG-12", "ST-18")
@pytest.mark.mutant("RG-12")
def test_mutant_device_writes_after_its_stop(bench):
    b = bench()
    dma = DmaMonitor(b.ndis, b.fm.adapter)
    dma.stop()
    with expect_violation(b.ndis, "RG-12"):
        dma.access(0x1000, 64, write=True)
    dma.start()
    dma.access(0x1000, 64, write=True)


@pytest.mark.rule("IT-05")
@pytest.mark.mutant("IT-05")
def test_mutant_leaves_a_work_item_behind_its_halt(bench):
    async def never_heard_of(context):
        await context.sleep(1_000)

    class Leaving(FunctionalMiniport):
        def halt(self, action):
            ndis.queue_io_work_item(self.adapter, never_heard_of, self.ndis.kernel)
            super().halt(action)

    b = bench(miniport=Leaving)
    with expect_violation(b.ndis, "IT-05"):
        b.run(ndis.halt_adapter(b.fm.adapter))


@pytest.mark.rule("IT-05")
def test_a_halt_that_waits_for_its_work_item_is_in_order(bench):
    class Waiting(FunctionalMiniport):
        def halt(self, action):
            done = self.ndis.kernel.create_event()

            async def work(context):
                done.set()

            async def ended():
                await done.wait()
                FunctionalMiniport.halt(self, action)

            ndis.queue_io_work_item(self.adapter, work)
            return ended()

    b = bench(miniport=Waiting)
    b.run(ndis.halt_adapter(b.fm.adapter))
    assert not b.fm.adapter.work_items
