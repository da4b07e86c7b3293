# SPDX-License-Identifier: Apache-2.0
"""ST: states of adapters and bindings, pause, restart, reset, removal, halt."""

from __future__ import annotations

import pytest

from hilnic import ndis
from hilnic.ndis import AdapterState, BindingState, NdisStatus, NetEvent, Profile
from hilnic.ndis.states import (
    ADAPTER_MACHINE,
    ADAPTER_OPERATIONS,
    BINDING_MACHINE,
    AdapterEvent,
    BindingEvent,
    Operation,
)
from hilnic.testing import FunctionalMiniport, FunctionalProtocol, expect_violation

A = AdapterState


@pytest.mark.rule("ST-01")
def test_the_adapter_machine_has_these_edges_and_no_others():
    edges = {(state, target) for state, row in ADAPTER_MACHINE.items() for target in row.values()}
    assert edges == {
        (A.HALTED, A.INITIALIZING),
        (A.INITIALIZING, A.PAUSED),
        (A.INITIALIZING, A.HALTED),
        (A.PAUSED, A.RESTARTING),
        (A.PAUSED, A.HALTED),
        (A.RESTARTING, A.RUNNING),
        (A.RESTARTING, A.PAUSED),
        (A.RUNNING, A.PAUSING),
        (A.PAUSING, A.PAUSED),
        *((state, A.SHUTDOWN) for state in (A.PAUSED, A.RESTARTING, A.RUNNING, A.PAUSING)),
    }


@pytest.mark.rule("ST-01")
@pytest.mark.mutant("ST-01")
@pytest.mark.parametrize("state", list(AdapterState))
@pytest.mark.parametrize("event", list(AdapterEvent))
def test_every_other_adapter_edge_is_a_violation(bench, state, event):
    b = bench()
    adapter = b.fm.adapter
    adapter.state = state
    if event in ADAPTER_MACHINE[state]:
        assert adapter.step(event)
        adapter.state = AdapterState.RUNNING
        adapter.update_bindings()
        return
    with expect_violation(b.ndis, "ST-01") as found:
        assert not adapter.step(event)
    assert state.value in str(found[0])
    assert event.value in str(found[0])


@pytest.mark.rule("ST-10")
@pytest.mark.mutant("ST-10")
@pytest.mark.parametrize("state", list(BindingState))
@pytest.mark.parametrize("event", list(BindingEvent))
def test_every_other_binding_edge_is_a_violation(bench, state, event):
    b = bench()
    b.fp.open.state = state
    if event in BINDING_MACHINE[state]:
        assert b.fp.open.step(event)
        b.fp.open.state = BindingState.RUNNING
        b.fm.adapter.update_bindings()
        return
    with expect_violation(b.ndis, "ST-10"):
        assert not b.fp.open.step(event)


@pytest.mark.rule("ST-10")
def test_a_binding_goes_through_its_states_in_order(bench):
    b = bench(trace=True)
    b.run(ndis.halt_adapter(b.fm.adapter))
    states = [fields["state"] for _, kind, fields in b.kernel.trace.events if kind == "binding.state"]
    expected = ["Opening", "Paused", "Restarting", "Running", "Pausing", "Paused", "Closing", "Unbound"]
    assert states == expected


@pytest.mark.rule("ST-02")
@pytest.mark.parametrize("state", list(AdapterState))
def test_the_operations_of_each_state(state):
    running_to_pausing = {A.RUNNING, A.PAUSING}
    allowed = ADAPTER_OPERATIONS[state]
    assert (Operation.SEND in allowed) == (state is A.RUNNING)
    assert (Operation.DRAIN in allowed) == (state in running_to_pausing)
    assert (Operation.INDICATE in allowed) == (state in running_to_pausing | {A.RESTARTING})
    assert (Operation.OID in allowed) == (state in running_to_pausing | {A.RESTARTING, A.PAUSED})


@pytest.mark.rule("ST-02", "ST-08")
def test_oids_and_status_go_on_while_paused(bench):
    b = bench()
    b.run(ndis.pause_adapter(b.fm.adapter))
    assert b.run(b.fp.set_filter(ndis.PacketFilter.DIRECTED)) is NdisStatus.SUCCESS
    b.fm.link(up=False)
    assert b.fp.statuses[-1].status_code is NdisStatus.LINK_STATE


@pytest.mark.rule("ST-03", "ST-04")
def test_a_pause_pends_until_the_last_receive_is_back(bench):
    b = bench()
    b.fp.hold = b.fp.hoards = True
    b.fm.indicate(b.frame())
    ended = b.kernel.start(ndis.pause_adapter(b.fm.adapter))
    b.run()
    assert ended == []
    assert b.fm.adapter.state is AdapterState.PAUSING
    b.fp.give_back()
    b.run()
    assert ended == [None]
    assert b.fm.adapter.state is AdapterState.PAUSED


@pytest.mark.rule("ST-03")
def test_a_pause_completes_the_sends_that_wait(bench):
    b = bench()
    b.fp.send(*b.frames(3))
    b.run(ndis.pause_adapter(b.fm.adapter))
    assert [status for _, status in b.fp.completed] == [NdisStatus.PAUSED] * 3


@pytest.mark.rule("ST-05")
def test_a_send_while_the_adapter_is_pausing_is_answered_with_paused(bench):
    b = bench(protocols=2)
    b.fp.hold = b.fp.hoards = True
    b.fm.indicate(b.frame())
    b.kernel.start(ndis.pause_adapter(b.fm.adapter))
    b.run()
    b.fps[1].send(b.frame())
    assert [status for _, status in b.fps[1].completed] == [NdisStatus.PAUSED]
    b.fp.give_back()
    b.run()


@pytest.mark.rule("ST-12")
def test_pause_is_top_down_and_restart_bottom_up(bench):
    b = bench()
    order: list[str] = []
    b.fp.trace = b.fm.trace = order
    b.run(ndis.pause_adapter(b.fm.adapter))
    b.run(ndis.restart_adapter(b.fm.adapter))
    assert order == ["pause", "pause", "restart", "restart"]
    assert b.fp.events == [NetEvent.RESTART, NetEvent.PAUSE, NetEvent.RESTART]


@pytest.mark.rule("ST-06")
def test_a_protocol_may_pend_its_pause_event(bench):
    class Pending(FunctionalProtocol):
        async def net_pnp_event(self, event):
            await super().net_pnp_event(event)
            if event.event is NetEvent.PAUSE:
                self.ndis.kernel.set_timer(
                    1000, lambda: ndis.complete_net_pnp_event(self.open, event, NdisStatus.SUCCESS)
                )
                return NdisStatus.PENDING
            return NdisStatus.SUCCESS

    b = bench(protocol=Pending)
    b.run(ndis.pause_adapter(b.fm.adapter))
    assert b.fp.open.state is BindingState.PAUSED


@pytest.mark.rule("ST-09")
def test_a_failed_restart_leaves_the_adapter_paused(bench):
    class Failing(FunctionalMiniport):
        fails = False

        def restart(self, parameters):
            return NdisStatus.FAILURE if self.fails else super().restart(parameters)

    b = bench(miniport=Failing)
    b.run(ndis.pause_adapter(b.fm.adapter))
    b.fm.fails = True
    assert b.run(ndis.restart_adapter(b.fm.adapter)) is NdisStatus.FAILURE
    assert b.fm.adapter.state is AdapterState.PAUSED
    b.fm.fails = False
    assert b.run(ndis.restart_adapter(b.fm.adapter)) is NdisStatus.SUCCESS


@pytest.mark.rule("ST-06", "ST-15")
def test_restart_and_reset_may_pend(bench):
    class Pending(FunctionalMiniport):
        def restart(self, parameters):
            super().restart(parameters)
            self.ndis.kernel.queue_dpc(lambda: ndis.complete_restart(self.adapter, NdisStatus.SUCCESS))
            return NdisStatus.PENDING

        def reset(self):
            super().reset()
            self.ndis.kernel.queue_dpc(lambda: ndis.complete_reset(self.adapter, NdisStatus.SUCCESS, True))
            return NdisStatus.PENDING, False

    b = bench(miniport=Pending)
    assert b.run(ndis.reset_adapter(b.fm.adapter)) is NdisStatus.SUCCESS
    assert b.fm.packet_filter == b.fp.open.packet_filter


@pytest.mark.rule("ST-13")
def test_a_reset_leaves_the_state_alone_and_sets_the_filters_again(bench):
    b = bench()
    b.run(b.fp.set_multicast(bytes.fromhex("01005e000001")))
    b.fp.send(b.frame())
    assert b.run(ndis.reset_adapter(b.fm.adapter)) is NdisStatus.SUCCESS
    assert b.fm.adapter.state is AdapterState.RUNNING
    assert b.fm.packet_filter == b.fp.open.packet_filter != 0
    assert b.fm.multicast_list == bytes.fromhex("01005e000001")
    assert [s.status_code for s in b.fp.statuses] == [NdisStatus.RESET_START, NdisStatus.RESET_END]
    assert [status for _, status in b.fp.completed] == [NdisStatus.RESET_IN_PROGRESS]


def test_resets_that_ended_well_are_counted(bench):
    b = bench()
    b.run(ndis.reset_adapter(b.fm.adapter))
    b.run(ndis.reset_adapter(b.fm.adapter))
    request = ndis.query(ndis.Oid.OID_GEN_RESET_COUNTS, 4)
    assert b.run(b.fp.request(request)) is NdisStatus.SUCCESS
    assert request.answer() == (2).to_bytes(4, "little")


@pytest.mark.rule("ST-13")
def test_a_reset_may_overlap_a_pause(bench):
    b = bench()
    b.fp.hold = b.fp.hoards = True
    b.fm.indicate(b.frame())
    paused = b.kernel.start(ndis.pause_adapter(b.fm.adapter))
    b.run()
    assert b.run(ndis.reset_adapter(b.fm.adapter)) is NdisStatus.SUCCESS
    assert paused == []
    b.fp.give_back()
    b.run()
    assert b.fm.adapter.state is AdapterState.PAUSED


class SlowReset(FunctionalMiniport):
    """Its reset takes a microsecond."""

    async def reset(self):
        await self.ndis.kernel.sleep(1000)
        return super().reset()


@pytest.mark.rule("ST-14")
def test_a_send_during_a_reset_is_refused_not_lost(bench):
    b = bench(miniport=SlowReset, completion="inline")
    reset = b.kernel.start(ndis.reset_adapter(b.fm.adapter))
    b.kernel.run_for(500)
    b.fp.send(b.frame())
    assert [status for _, status in b.fp.completed] == [NdisStatus.RESET_IN_PROGRESS]
    b.run()
    assert reset == [NdisStatus.SUCCESS]


@pytest.mark.rule("ST-14")
def test_a_send_during_a_reset_may_be_held(bench):
    b = bench(miniport=SlowReset, completion="inline", profile=Profile(hold_sends_during_reset=True))
    b.kernel.start(ndis.reset_adapter(b.fm.adapter))
    b.kernel.run_for(500)
    b.fp.send(*b.frames(3))
    assert b.fp.completed == []
    b.run()
    assert [status for _, status in b.fp.completed] == [NdisStatus.SUCCESS] * 3
    assert b.fm.sent_frames == b.frames(3)


@pytest.mark.rule("ST-13")
def test_before_630_sends_may_stay_pending_over_a_reset(bench):
    class Keeping(FunctionalMiniport):
        def reset(self):
            return NdisStatus.SUCCESS, False

    b = bench(miniport=Keeping, profile=Profile(pre630_reset=True))
    b.fp.send(b.frame())
    b.run(ndis.reset_adapter(b.fm.adapter))
    b.fm.complete_all()
    assert [status for _, status in b.fp.completed] == [NdisStatus.SUCCESS]


@pytest.mark.rule("ST-16")
def test_a_hang_that_is_reported_leads_to_a_reset(bench):
    class Hanging(FunctionalMiniport):
        checks = 0

        def check_for_hang(self):
            self.checks += 1
            return self.checks == 2

    b = bench(miniport=Hanging, profile=Profile(check_for_hang=True))
    b.kernel.run_for(5_000_000_000)
    assert b.fm.checks == 2
    assert "reset" in b.fm.trace
    b.run(ndis.halt_adapter(b.fm.adapter))


@pytest.mark.rule("ST-17", "OI-19")
def test_surprise_removal_ends_everything_with_not_accepted_and_halts(bench):
    b = bench()
    b.fp.send(*b.frames(2))
    b.run(ndis.surprise_remove_adapter(b.fm.adapter))
    assert [status for _, status in b.fp.completed] == [NdisStatus.NOT_ACCEPTED] * 2
    assert b.fm.adapter.state is AdapterState.HALTED
    assert b.fp.binding is None
    assert b.fm.trace[-3:] == ["event SURPRISE_REMOVED", "pause", "halt DEVICE_SURPRISE_REMOVED"]


@pytest.mark.rule("ST-17")
def test_sends_and_oids_after_removal_are_not_accepted(bench):
    late: list[int] = []

    class Late(FunctionalProtocol):
        async def net_pnp_event(self, event):
            if event.event is NetEvent.PAUSE:
                self.send(b"\0" * 60)
                late.append(ndis.oid_request(self.open, ndis.query(ndis.Oid.OID_GEN_VENDOR_DESCRIPTION, 10)))
            return await super().net_pnp_event(event)

    b = bench(protocol=Late)
    b.run(ndis.surprise_remove_adapter(b.fm.adapter))
    assert late == [NdisStatus.NOT_ACCEPTED]
    assert [status for _, status in b.fp.completed] == [NdisStatus.NOT_ACCEPTED]


@pytest.mark.rule("ST-17", "ST-07")
@pytest.mark.parametrize("delay_ns", [0, 500, 1500])
def test_a_removal_in_a_reset_waits_for_it_and_halts_once(bench, delay_ns):
    b = bench(miniport=SlowReset)
    b.kernel.start(ndis.reset_adapter(b.fm.adapter))
    b.kernel.run_for(delay_ns)
    b.kernel.start(ndis.surprise_remove_adapter(b.fm.adapter))
    b.kernel.start(ndis.surprise_remove_adapter(b.fm.adapter))
    b.kernel.start(ndis.halt_adapter(b.fm.adapter))
    b.run()
    assert b.fm.adapter.state is AdapterState.HALTED
    assert b.fm.trace.count("halt DEVICE_SURPRISE_REMOVED") == 1
    assert b.run(ndis.reset_adapter(b.fm.adapter)) is NdisStatus.ADAPTER_REMOVED


@pytest.mark.rule("ST-07")
def test_a_halt_during_a_pause_comes_after_it(bench):
    b = bench()
    b.fp.hold = b.fp.hoards = True
    b.fm.indicate(b.frame())
    b.kernel.start(ndis.pause_adapter(b.fm.adapter))
    b.run()
    halted = b.kernel.start(ndis.halt_adapter(b.fm.adapter))
    b.run()
    assert (halted, b.fm.trace[-1]) == ([], "pause")
    b.fp.give_back()
    b.run()
    assert b.fm.trace[-1] == "halt DEVICE_DISABLED"


@pytest.mark.rule("ST-18", "ST-19")
def test_a_clean_halt_leaves_nothing_behind(bench):
    b = bench(completion="inline")
    b.fp.send(*b.frames(4))
    b.fm.indicate(*b.frames(4))
    b.run(ndis.halt_adapter(b.fm.adapter))
    assert b.ndis.adapters == []


@pytest.mark.rule("ST-20")
def test_a_failed_initialize_leaves_the_adapter_halted(bench):
    class Failing(FunctionalMiniport):
        def initialize(self, adapter):
            self.adapter = adapter
            return NdisStatus.RESOURCES

    b = bench(miniport=Failing)
    assert b.start_status is NdisStatus.RESOURCES
    assert b.fm.adapter.state is AdapterState.HALTED
    assert b.fp.binding is None


@pytest.mark.rule("ST-21")
def test_a_protocol_that_frees_everything_deregisters_in_silence(bench):
    b = bench(completion="inline")
    b.fp.send(*b.frames(3))
    b.run(b.fp.stop())
    b.fps.clear()
    assert b.ndis.protocol_drivers == []


@pytest.mark.rule("ST-22")
@pytest.mark.parametrize("pend_open", [False, True])
def test_open_completes_before_the_first_data(bench, pend_open):
    b = bench(profile=Profile(pend_open=pend_open))
    assert b.fp.open.state is BindingState.RUNNING
    assert b.fp.trace == ["bind", *["opened SUCCESS"] * pend_open, "restart"]
    assert b.fp.received == []


@pytest.mark.rule("ST-22")
def test_close_completes_only_after_sends_receives_and_requests_ended(bench):
    b = bench()
    b.fp.hold = b.fp.hoards = True
    b.fp.send(b.frame())
    b.fm.indicate(b.frame())
    b.fm.hold_oids = True
    b.kernel.start(b.fp.set_filter(ndis.PacketFilter.DIRECTED))
    b.run()
    binding = b.fp.open
    b.kernel.start(ndis.unbind_protocol(binding))
    for end in (b.fm.complete_all, b.fp.give_back, b.fm.complete_oid):
        b.run()
        assert (binding.state, b.fp.closed) == (BindingState.CLOSING, 0)
        b.fm.hold_oids = False
        end()
    b.run()
    assert (binding.state, b.fp.closed) == (BindingState.UNBOUND, 1)


@pytest.mark.rule("ST-22")
def test_late_sends_and_requests_on_a_closing_binding_get_closing(bench):
    b = bench()
    binding = b.fp.open
    b.fp.send(b.frame())
    b.kernel.start(ndis.unbind_protocol(binding))
    b.run()
    b.fp.send(b.frame())
    assert b.fp.completed[-1][1] is NdisStatus.CLOSING
    assert ndis.oid_request(binding, ndis.query(ndis.Oid.OID_GEN_LINK_STATE, 64)) is NdisStatus.CLOSING
    b.fm.complete_all()
    b.run()


def test_an_unbound_protocol_can_be_bound_again(bench):
    b = bench(completion="inline")
    for _ in range(10):
        b.run(ndis.unbind_protocol(b.fp.open))
        status, _ = b.run(ndis.bind_protocol(b.fp.driver, b.fm.adapter))
        assert status is NdisStatus.SUCCESS
        b.run(b.fp.listen())
        b.fm.indicate(b.frame())
    assert len(b.fp.received) == 10


def test_a_protocol_may_ask_for_its_own_unbind(bench):
    b = bench()
    ndis.unbind_adapter(b.fp.open)
    b.run()
    assert b.fp.binding is None


def test_a_miniport_may_ask_for_its_own_removal_and_reset(bench):
    b = bench()
    ndis.reset_miniport(b.fm.adapter)
    b.run()
    ndis.remove_miniport(b.fm.adapter)
    b.run()
    assert "reset" in b.fm.trace
    assert b.fm.adapter.state is AdapterState.HALTED


def test_shutdown_is_the_end(bench):
    b = bench()
    ndis.shutdown_adapter(b.fm.adapter)
    assert b.fm.adapter.state is AdapterState.SHUTDOWN
    assert b.fm.trace[-1] == "shutdown POWER_OFF"
    assert ADAPTER_MACHINE[AdapterState.SHUTDOWN] == {}
    b.fm.adapter.state = AdapterState.PAUSED  # so that the bench can clean up
