# SPDX-License-Identifier: Apache-2.0
"""Any order of calls, answers and data: every operation ends once, no send is lost, nothing is left (CC-26).

The walk knows which event each call's state allows, and sometimes tries one that it does not: a violation has to name
it and change nothing. Everything else has to go without one.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis.machines import CALL_MACHINE, CallEvent, CallState, PartyState, VcState
from hilnic.testing import expect_violation
from hilnic.testing.co_bench import CoBench, call_parameters

SOMETIMES = st.sampled_from([True, False, False])


class Calls(RuleBasedStateMachine):
    """One client, one call manager, up to four calls at once."""

    kind = "cm"

    @initialize(hold=st.booleans())
    def start(self, hold):
        self.b = CoBench(self.kind)
        self.client, self.signalling = self.b.client, self.b.signalling
        self.client.hold = hold
        self.client.closes_at_once = False
        self.client.pend.add("incoming_call")
        self.client.register_sap(b"here")
        self.number = 0
        self.sent = {}  # call -> its lists
        self.begun = {}  # (call, operation) -> how often PENDING was answered
        self.seen = []  # calls that have ever been

    def call_in(self, data, *states):
        """A call in one of these states."""
        found = [call for call in self.client.calls if call.open.vc.call.state in states]
        return data.draw(st.sampled_from(found)) if found else None

    def frame(self):
        self.number += 1
        return self.b.frame(self.number)

    def script(self, data, *operations):
        """Which of these answers PENDING the next time."""
        for operation in operations:
            (self.signalling.pend.add if data.draw(st.booleans()) else self.signalling.pend.discard)(operation)

    def pends(self, call, operation, status):
        if status is NdisStatus.PENDING:
            self.begun[call, operation] = self.begun.get((call, operation), 0) + 1

    # Calls.

    @precondition(lambda self: len(self.client.calls) < 4)
    @rule(data=st.data())
    def make(self, data):
        self.script(data, "make_call")
        if self.kind == "cm" and data.draw(SOMETIMES):
            self.b.co.pend.add("activate_vc")
        call = self.client.make_call(call_parameters(), party=data.draw(st.sampled_from([None, "first"])))
        self.b.co.pend.discard("activate_vc")
        self.seen.append(call)
        self.pends(call, "make_call", call.status)

    @rule(data=st.data())
    def network_answers_a_call(self, data):
        call = self.call_in(data, CallState.MAKING)
        if call is None or self.managed(call).is_activating:
            return
        if data.draw(st.booleans()):
            self.signalling.connect(self.managed(call))
            assert call.open.vc.call.state is CallState.CONNECTED
        else:
            self.signalling.fail(self.managed(call))
            assert call.open.vc.call.state is CallState.IDLE

    @rule(data=st.data())
    def miniport_ends_an_activation(self, data):
        found = [call for call in self.client.calls if call.open.vc.state is VcState.ACTIVATING]
        if found:
            call = data.draw(st.sampled_from(found))
            failed = data.draw(SOMETIMES)
            self.b.co.complete_activate(self.b.data(call), NdisStatus.FAILURE if failed else NdisStatus.SUCCESS)

    @precondition(lambda self: len(self.client.calls) < 4)
    @rule()
    def offer(self):
        self.signalling.offer(b"here", call_parameters())
        self.seen.append(self.client.calls[-1])

    @rule(data=st.data())
    def client_answers_an_offer(self, data):
        call = self.call_in(data, CallState.OFFERED, CallState.WITHDRAWN)
        if call is None:
            return
        self.script(data, "connected")
        was = call.open.vc.call.state
        if data.draw(st.booleans()) and was is CallState.OFFERED:
            self.client.accept(call)
        else:
            self.client.reject(call)
            self.b.run()
            assert call not in self.client.calls

    @rule(data=st.data())
    def network_connects(self, data):
        call = self.call_in(data, CallState.ACCEPTED)
        if call is not None:
            self.signalling.call("dispatch_call_connected")(self.managed(call).open)

    @rule(data=st.data())
    def modify(self, data):
        call = self.call_in(data, CallState.CONNECTED)
        if call is not None:
            self.script(data, "modify_call_qos")
            self.pends(call, "modify_call_qos", call.modify(call_parameters(rate=self.number + 1)))

    @rule(data=st.data())
    def network_ends_a_change(self, data):
        call = self.call_in(data, CallState.MODIFYING, CallState.LEAVING)
        if call is not None:
            self.signalling.finish_modify(self.managed(call))

    @rule(data=st.data())
    def network_hangs_up(self, data):
        call = self.call_in(data, CallState.CONNECTED, CallState.ACCEPTED, CallState.MODIFYING, CallState.OFFERED)
        if call is not None:
            self.signalling.hang_up(self.managed(call))

    @rule(data=st.data())
    def close(self, data):
        states = [state for state, edges in CALL_MACHINE.items() if CallEvent.CLOSE in edges]
        call = self.call_in(data, *states)
        if call is None or call.open.vc.sends_outstanding or len(call.open.vc.call.parties) > 1:
            return
        self.script(data, "close_call")
        self.pends(call, "close_call", call.close())

    @rule(data=st.data())
    def network_ends_a_close(self, data):
        call = self.call_in(data, CallState.CLOSING)
        vc = None if call is None else self.managed(call)
        if vc is not None and vc.is_closing and vc.open.vc.state in {VcState.ACTIVE, VcState.CREATED}:
            self.signalling.finish_close(vc)

    @rule(data=st.data())
    def delete(self, data):
        call = self.call_in(data, CallState.IDLE, CallState.CLOSED)
        if call is not None and call.is_own:
            idle = call.open.vc.state is VcState.CREATED
            if call.delete() is NdisStatus.SUCCESS:
                assert idle
            else:
                assert not idle

    # Parties.

    def party_in(self, data, *states):
        """A party in one of these states, and the states of all parties of its call."""
        parties = [party for call in self.client.calls for party in call.open.vc.call.parties]
        found = [party for party in parties if party.state in states]
        party = data.draw(st.sampled_from(found)) if found else None
        return party, [] if party is None else [each.state for each in party.vc.call.parties]

    @rule(data=st.data())
    def add_party(self, data):
        call = self.call_in(data, CallState.CONNECTED)
        if call is not None and 0 < len(call.open.vc.call.parties) < 4:
            self.script(data, "add_party")
            self.number += 1
            call.add_party(f"party {self.number}", call_parameters())

    @rule(data=st.data())
    def network_ends_an_addition(self, data):
        party, states = self.party_in(data, PartyState.ADDING)
        if party is not None and party.pending and len(states) > 1:
            status = data.draw(st.sampled_from([NdisStatus.SUCCESS, NdisStatus.DEST_OUT_OF_ORDER]))
            context = next(each for vc in self.signalling.vcs for each in vc.parties if each.handle is party)
            if status is not NdisStatus.SUCCESS:
                context.vc.parties.remove(context)
            self.signalling.call("complete_add_party")(party, status, context, call_parameters())

    @rule(data=st.data())
    def drop_party(self, data):
        party, states = self.party_in(data, PartyState.ADDED, PartyState.LEAVING)
        if party is None:
            return
        self.script(data, "drop_party")
        others = len(states) - states.count(PartyState.DROPPING) - 1
        status = party.client_context.drop()
        assert (status is NdisStatus.FAILURE) is (others == 0)

    @rule(data=st.data())
    def network_ends_a_drop(self, data):
        party, _ = self.party_in(data, PartyState.DROPPING)
        if party is not None:
            self.signalling.call("complete_drop_party")(party, NdisStatus.SUCCESS)
            assert party not in party.vc.call.parties

    @rule(data=st.data())
    def a_party_leaves(self, data):
        party, states = self.party_in(data, PartyState.ADDED)
        if party is not None and states.count(PartyState.ADDED) > 1:
            self.signalling.leave(party.cm_context)

    @rule(data=st.data(), event=st.sampled_from(["make", "close", "modify"]))
    def client_tries_what_is_not_allowed(self, data, event):
        table = {"make": CallEvent.MAKE, "close": CallEvent.CLOSE, "modify": CallEvent.MODIFY}
        call = self.call_in(data, *[s for s, edges in CALL_MACHINE.items() if table[event] not in edges])
        if call is None or call.open.vc.sends_outstanding or len(call.open.vc.call.parties) > 1:
            return
        before = call.open.vc.call.state
        with expect_violation(self.b.ndis, "CC-26") as found:
            if event == "make":
                status, _ = condis.cl_make_call(call.open, call_parameters())
            else:
                status = call.close() if event == "close" else call.modify(call_parameters())
        assert status is NdisStatus.FAILURE
        assert before.value in found[0].detail
        assert call.open.vc.call.state is before
        self.b.ndis.report.violations.clear()

    # Data.

    @rule(data=st.data(), number=st.integers(1, 3))
    def send(self, data, number):
        call = self.call_in(data, CallState.CONNECTED, CallState.MODIFYING)
        if call is not None and call.open.vc.state is VcState.ACTIVE:
            self.sent.setdefault(call, []).extend(call.send(*[self.frame() for _ in range(number)]))

    @rule(data=st.data())
    def complete(self, data):
        found = [vc for vc in self.b.co.vcs if vc.captured]
        if found:
            vc = data.draw(st.sampled_from(found))
            vc.complete(*data.draw(st.lists(st.sampled_from(vc.captured), unique=True, min_size=1)))

    @rule(data=st.data())
    def indicate(self, data):
        found = [vc for vc in self.b.co.vcs if vc.handle.vc.state is VcState.ACTIVE]
        if found:
            data.draw(st.sampled_from(found)).indicate(self.frame())

    @rule(data=st.data())
    def give_back(self, data):
        found = [call for call in self.seen if call.held]
        if found:
            call = data.draw(st.sampled_from(found))
            call.give_back(*data.draw(st.lists(st.sampled_from(call.held), unique=True, min_size=1)))

    @rule()
    def let_run(self):
        self.b.run()

    # What holds at any time.

    def managed(self, call):
        return self.b.managed(call)

    @invariant()
    def counts_agree(self):
        if not hasattr(self, "b"):
            return
        for call in self.client.calls:
            assert call.open.vc.sends_outstanding == call.in_flight
            assert call.in_flight == len(self.sent.get(call, [])) - len(call.completed)
        assert self.client.open.sends_outstanding == sum(call.in_flight for call in self.client.calls)

    @invariant()
    def what_pends_ends_at_most_once(self):
        for (call, operation), number in getattr(self, "begun", {}).items():
            assert self.ended(call, f"{operation}_complete") <= number

    def ended(self, call, name):
        return call.ends.count(name)

    def teardown(self):
        if not hasattr(self, "b"):
            return
        self.signalling.pend.clear()
        for call in list(self.client.calls):
            if call in self.client.calls:  # another one's end may have been its, too
                self.finish(call)
        for (call, operation), number in self.begun.items():
            assert self.ended(call, f"{operation}_complete") == number
        self.b.stop()

    def drop_all_but_one(self, call):
        for party in list(call.parties):
            if party.state is PartyState.ADDING and len(call.parties) > 1:
                self.signalling.call("complete_add_party")(party, NdisStatus.FAILURE, None, call_parameters())
        for party in list(call.parties):
            if party.state is PartyState.DROPPING:
                self.signalling.call("complete_drop_party")(party, NdisStatus.SUCCESS)
        for party in call.parties[1:]:
            assert party.client_context.drop() is NdisStatus.SUCCESS

    def finish(self, call):
        vc, data = self.managed(call), self.b.data(call)
        if vc.open.vc.state is VcState.ACTIVATING:
            self.b.co.complete_activate(data)
        if vc.is_making:
            self.signalling.fail(vc)
        state = call.open.vc.call.state
        if state in {CallState.OFFERED, CallState.WITHDRAWN}:
            self.client.reject(call)
        else:
            data.complete_all()
            self.drop_all_but_one(call.open.vc.call)
            if CallEvent.CLOSE in CALL_MACHINE[state]:
                self.pends(call, "close_call", call.close())
            if vc.is_closing and vc.open.vc.state in {VcState.ACTIVE, VcState.CREATED}:
                self.signalling.finish_close(vc)
        if call.held:
            call.give_back()
        self.b.run()
        if call in self.client.calls and call.is_own:
            if call.open.vc.state is VcState.ACTIVE:
                self.signalling.deactivate(vc)
                self.b.run()
            assert call.delete() is NdisStatus.SUCCESS


class CallsOfMcm(Calls):
    """The same over a miniport call manager."""

    kind = "mcm"


WALK = settings(max_examples=400 if "HILNIC_SOAK" in os.environ else 10, stateful_step_count=40, deadline=None)


@pytest.mark.rule("CC-26", "CC-21")
@pytest.mark.parametrize("walk", [Calls, CallsOfMcm])
def test_any_order_of_calls_and_data_ends_well(walk):
    run_state_machine_as_test(walk, settings=WALK)
