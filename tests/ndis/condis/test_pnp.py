# SPDX-License-Identifier: Apache-2.0
"""CoNDIS and plug and play: halts, removals, resets and pauses with calls up; low resources at any allocation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilnic import ndis
from hilnic.ndis import HaltAction, NdisStatus, condis
from hilnic.ndis.condis.machines import CallState
from hilnic.ndis.states import BindingEvent
from hilnic.testing import NdisBench
from hilnic.testing.co_bench import call_parameters
from hilnic.testing.co_client import FunctionalCoClient
from hilnic.testing.injection import refuse


class Leaves(FunctionalCoClient):
    """Ends its calls, its SAPs and its family when its call manager asks for it, and before it closes the binding."""

    def unbind_adapter(self, unbind_context):
        async def go_on():
            self.leave()
            if super(Leaves, self).unbind_adapter(unbind_context) is NdisStatus.SUCCESS:
                ndis.complete_unbind_adapter(unbind_context)

        self.end_calls()
        self.ndis.kernel.queue_work_item(go_on)
        return NdisStatus.PENDING

    def notify_close_af(self):
        async def go_on():
            af = self.af
            self.leave()
            condis.cl_complete_notify_close_address_family(af, NdisStatus.SUCCESS)

        self.end_calls()
        self.ndis.kernel.queue_work_item(go_on)
        return NdisStatus.PENDING

    def end_calls(self):
        for call in list(self.calls):
            if call.held:
                call.give_back()
            if call.open.vc.call.state is CallState.CONNECTED and not call.open.vc.sends_outstanding:
                call.close()

    def leave(self):
        for call in list(self.calls):
            if call.is_own:
                assert call.delete() is NdisStatus.SUCCESS
        for sap in list(self.saps):
            self.deregister_sap(sap)
        if self.af is not None:
            assert self.close_family() is NdisStatus.SUCCESS


@pytest.mark.rule("ST-22", "ST-19")
@pytest.mark.parametrize("action", [HaltAction.DEVICE_DISABLED, HaltAction.DEVICE_SURPRISE_REMOVED])
def test_an_adapter_with_calls_is_halted_when_its_clients_have_left(cobench, kind, action):
    b = cobench(kind=kind, client=Leaves)
    call, taken = b.client.make_call(call_parameters()), b.incoming()
    call.send(b.frame())
    b.data(taken).indicate(b.frame())
    if action is HaltAction.DEVICE_DISABLED:
        b.run(ndis.halt_adapter(b.fm.adapter))
    else:
        b.run(ndis.surprise_remove_adapter(b.fm.adapter))
    assert [status for _, status in b.client.spent] == [
        NdisStatus.PAUSED if action is HaltAction.DEVICE_DISABLED else NdisStatus.NOT_ACCEPTED
    ]
    assert (b.co.vcs, b.client.binding, b.fm.adapter in b.ndis.adapters) == ([], None, False)


@pytest.mark.rule("ST-17")
def test_after_a_surprise_removal_sends_on_vcs_are_not_accepted(cobench, kind):
    b = cobench(kind=kind, client=Leaves)
    call = b.client.make_call()
    b.fm.adapter.removed = True
    b.fm.adapter.update_bindings()
    call.send(b.frame())
    assert [status for _, status in call.completed] == [NdisStatus.NOT_ACCEPTED]
    b.fm.adapter.removed = False
    b.fm.adapter.update_bindings()


@pytest.mark.rule("ST-13", "ST-14")
def test_sends_on_vcs_during_a_reset_end_with_it(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    during = []

    class Resets(type(b.fm)):
        def reset(self):
            for vc in self.vcs:
                vc.complete_all(NdisStatus.RESET_IN_PROGRESS)
            during.append(call.send(b.frame()))
            return super().reset()

    b.fm.__class__ = Resets
    call.send(b.frame())
    b.fm.driver.characteristics = replace(b.fm.driver.characteristics, reset=Resets.reset)
    assert b.run(ndis.reset_adapter(b.fm.adapter)) is NdisStatus.SUCCESS
    assert [status for _, status in call.completed] == [NdisStatus.RESET_IN_PROGRESS] * 2
    call.send(b.frame())
    b.data(call).complete_all()
    assert call.completed[-1][1] is NdisStatus.SUCCESS


@pytest.mark.rule("ST-03", "CC-15")
@pytest.mark.parametrize("state", ["offered", "idle"])
def test_a_pause_does_not_wait_for_data_that_waits_for_a_call(cobench, kind, state):
    b = cobench(kind=kind)
    b.client.pend.add("incoming_call")
    if state == "offered":
        call = b.incoming()
    else:
        b.signalling.pend.add("make_call")
        call = b.client.make_call(call_parameters())
        b.signalling.activate(b.managed(call), call_parameters())
    b.data(call).indicate(*b.frames(2))
    assert b.fm.adapter.receives_outstanding == 2
    b.run(ndis.pause_adapter(b.fm.adapter))
    assert (len(b.fm.returned), call.received) == (2, [])
    b.run(ndis.restart_adapter(b.fm.adapter))
    b.data(call).indicate(b.frame(7))
    if state == "offered":
        b.client.accept(call)
    else:
        b.signalling.connect(b.managed(call))
    b.run()
    assert call.received == [b.frame(7)]


def test_a_client_that_is_paused_sees_no_data(cobench, kind):
    b = cobench(kind=kind)
    call = b.client.make_call()
    b.client.open.step(BindingEvent.PAUSE)
    b.client.open.step(BindingEvent.PAUSED)
    b.data(call).indicate(b.frame())
    assert (call.received, len(b.fm.returned)) == ([], 1)
    b.client.open.step(BindingEvent.RESTART)
    b.client.open.step(BindingEvent.RESTARTED)


def test_a_new_binding_after_a_restart_opens_the_family_again(cobench, kind):
    b = cobench(kind=kind, client=Leaves)
    b.end(b.client.make_call())
    b.run(ndis.unbind_protocol(b.client.open))
    assert b.client.binding is None
    b.run(ndis.bind_protocol(b.client.driver, b.fm.adapter))
    b.run()
    assert b.client.heard == ["notify 1", "notify 1"]
    b.end(b.client.make_call())


OPERATIONS = {
    "miniport": ("create_vc", "activate_vc"),
    "call manager": ("create_vc", "make_call", "open_af", "register_sap", "add_party", "modify_call_qos"),
    "client": ("create_vc", "incoming_call"),
}


@pytest.mark.rule("CC-07", "CC-09", "CC-16")
@pytest.mark.parametrize("kth", [1, 2, 3])
@pytest.mark.parametrize(("who", "operation"), [(who, op) for who, ops in OPERATIONS.items() for op in ops])
def test_the_kth_refusal_of_any_driver_leaves_nothing_behind(cobench, kind, who, operation, kth):
    if kind == "mcm" and who == "miniport":
        kind = "cm"
    b = cobench(kind=kind)
    script = {"miniport": b.co.script, "call manager": b.signalling.script, "client": b.client.script}[who]
    script.fail_at(operation, kth)
    for _ in range(4):
        play(b)
    assert (b.co.vcs, b.signalling.vcs, b.client.calls, b.fm.adapter.co.vcs) == ([], [], [], [])


def play(b):
    """An outgoing multipoint call with a change, and an incoming one; whatever fails is given up."""
    if b.client.af is None and b.client.open_family() is not NdisStatus.SUCCESS:
        return
    call = b.client.new_call()
    if call.handle is not None:
        call.delete()
        outgoing(b)
    sap = b.client.register_sap(b"here")
    if sap.status is not NdisStatus.SUCCESS:
        b.client.saps.remove(sap)
        return
    b.signalling.offer(b"here", call_parameters())
    for taken in list(b.client.calls):
        b.end(taken)
        b.run()
    b.client.deregister_sap(sap)
    b.client.close_family()


def outgoing(b):
    call = b.client.new_call()
    if call.handle is None:
        return
    call.delete()
    try:
        call = b.client.make_call(call_parameters(), party="one")
    except AssertionError:  # its VC could not be created
        return
    if call.status is NdisStatus.SUCCESS:
        call.modify(call_parameters(rate=7))
        party = call.add_party("two", call_parameters())
        if party.status is NdisStatus.SUCCESS:
            party.drop()
        call.parties[:] = call.parties[:1]
        call.close()
    b.run()
    call.delete()


@pytest.mark.rule("LB-11")
@pytest.mark.parametrize("kth", range(1, 5))
def test_the_kth_refused_allocation_costs_a_looped_copy_at_most(cobench, kind, kth):
    b = cobench(kind=kind)
    call = b.client.make_call(call_parameters())
    nbls = [call.build(frame) for frame in b.frames(4)]
    refuse(b, kth=kth)
    call.send_nbls(nbls, flags=int(ndis.SendFlags.CHECK_FOR_LOOPBACK))
    b.run()
    b.data(call).complete_all()
    assert call.received == [frame for number, frame in enumerate(b.frames(4), 1) if number != kth]
    assert len(call.completed) == 4


def test_a_connectionless_miniport_has_no_co_side():
    b = NdisBench()
    assert (b.fm.adapter.co, b.fp.open.co) == (None, None)
    b.stop()
