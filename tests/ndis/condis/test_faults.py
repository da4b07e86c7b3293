# SPDX-License-Identifier: Apache-2.0
"""An exception in a CoNDIS handler: that driver is taken out, its calls end, and the other drivers are left clean."""

from __future__ import annotations

import os

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus
from hilnic.ndis.condis.machines import CallState
from hilnic.ndis.faults import DriverFault
from hilnic.testing.co_bench import call_parameters
from hilnic.testing.co_client import FunctionalCoClient
from hilnic.testing.co_client5 import FunctionalCoClient5
from hilnic.testing.co_cm import Signalling
from hilnic.testing.co_mcm import FunctionalMcm
from hilnic.testing.co_miniport import FunctionalCoMiniport
from hilnic.testing.co_miniport5 import FunctionalCoMiniport5

SOAK = "HILNIC_SOAK" in os.environ


class Crash(Exception):
    """What a broken handler raises."""


class Late:
    """Whether handlers do their work before they raise."""

    is_it = False


@pytest.fixture(autouse=True, params=[False, True] if SOAK else [False], ids=lambda late: "after" if late else "before")
def _when(request):
    Late.is_it = request.param
    yield
    Late.is_it = False


def crashing(kind, handler):
    """A functional driver whose `handler` raises while `armed`."""

    def broken(self, *args):
        if self.armed and not Late.is_it:
            raise Crash(handler)
        answer = getattr(super(driver, self), handler)(*args)
        if self.armed:
            raise Crash(handler)
        return answer

    driver = type(f"Crashing{kind.__name__}", (kind,), {"armed": False, handler: broken})
    return driver


def only_fault(b, found):
    """The one thing that was reported is a driver's fault; what everybody is left with is clean."""
    faults = [fault for fault in found if isinstance(fault, DriverFault)]
    assert [str(other) for other in found if other not in faults] == []
    assert len(faults) == 1
    b.ndis.report.violations.clear()
    return faults[0]


CLIENT = [
    "create_vc", "incoming_call", "call_connected", "make_call_complete", "close_call_complete",
    "incoming_close_call", "incoming_call_qos_change", "co_receive_net_buffer_lists",
    "co_send_net_buffer_lists_complete", "co_status", "modify_call_qos_complete",
]  # fmt: skip


def provoke_client(b, client, handler):
    """Bring about what calls the handler."""
    match handler:
        case "create_vc" | "incoming_call" | "call_connected":
            b.signalling.offer(client.name.encode(), call_parameters())
        case "make_call_complete":
            b.signalling.pend.add("make_call")
            b.signalling.connect(b.managed(client.make_call()))
        case "close_call_complete":
            b.signalling.pend.add("close_call")
            client.calls[0].give_back()
            client.calls[0].close()
            b.signalling.pend.clear()
            b.signalling.finish_close(b.managed(client.calls[0]))
        case "incoming_close_call":
            b.signalling.hang_up(b.managed(client.calls[0]))
        case "incoming_call_qos_change":
            b.signalling.change(b.managed(client.calls[0]), call_parameters(rate=5))
        case "modify_call_qos_complete":
            b.signalling.pend.add("modify_call_qos")
            client.calls[0].modify(call_parameters(rate=5))
            b.signalling.finish_modify(b.managed(client.calls[0]))
        case "co_receive_net_buffer_lists" | "co_receive_packet":
            b.data(client.calls[0]).indicate(*b.frames(2))
        case "co_send_net_buffer_lists_complete" | "co_send_complete":
            client.calls[0].send(b.frame())
            b.data(client.calls[0]).complete_all()
        case "co_status":
            b.co.indicate_co_status(None, NdisStatus.WAN_LINE_DOWN)


def two_clients(cobench, kind, broken, **options):
    """A good client and a broken one, each with a call, a SAP and a held receive."""
    b = cobench(kind=kind, **options)
    bad = b.add(broken(b.ndis, "bad"))
    for client in (b.client, bad):
        client.hold, client.references = True, 1
        client.make_call(call_parameters())
        client.register_sap(client.name.encode())
        b.data(client.calls[0]).indicate(b.frame())
    bad.armed = True
    return b, bad


@pytest.mark.parametrize("handler", CLIENT)
def test_a_client_that_raises_leaves_and_its_calls_end(cobench, kind, handler):
    b, bad = two_clients(cobench, kind, crashing(FunctionalCoClient, handler))
    with b.ndis.report.collect() as found:
        provoke_client(b, bad, handler)
        bad.armed = False
        b.run()
    only_fault(b, found)
    assert bad.driver not in b.ndis.protocol_drivers
    assert [vc.user.binding for vc in b.fm.adapter.co.vcs] == [b.client.open]
    assert len(b.signalling.vcs) == 1
    call = b.client.calls[0]
    call.send(b.frame(7))
    b.data(call).complete_all()
    assert call.completed[-1][1] is NdisStatus.SUCCESS
    b.others.remove(bad)


@pytest.mark.parametrize("miniport", [FunctionalCoMiniport, FunctionalCoMiniport5])
@pytest.mark.parametrize("handler", ["co_receive_packet", "co_send_complete"])
def test_a_5x_client_that_raises_leaves_and_its_calls_end(cobench, miniport, handler):
    broken = crashing(FunctionalCoClient5, handler)
    b, bad = two_clients(cobench, "cm", broken, client=FunctionalCoClient5, co_miniport=miniport)
    with b.ndis.report.collect() as found:
        provoke_client(b, bad, handler)
        bad.armed = False
        b.run()
    only_fault(b, found)
    assert bad.driver not in b.ndis.protocol_drivers
    assert [vc.user.binding for vc in b.fm.adapter.co.vcs] == [b.client.open.core]
    b.others.remove(bad)


MANAGER = [
    "create_vc", "make_call", "close_call", "register_sap", "deregister_sap", "modify_call_qos", "add_party",
    "drop_party", "incoming_call_complete", "activate_vc_complete", "deactivate_vc_complete",
]  # fmt: skip


def provoke_manager(b, handler):
    client = b.client
    match handler:
        case "create_vc":
            client.new_call()
        case "make_call":
            client.make_call()
        case "close_call":
            client.calls[0].close()
        case "register_sap":
            client.register_sap(b"there")
            client.saps.pop()
        case "deregister_sap":
            client.deregister_sap(client.saps[0])
        case "modify_call_qos":
            client.calls[0].modify(call_parameters(rate=5))
        case "add_party":
            client.calls[1].add_party("three", call_parameters())
            client.calls[1].parties.pop()
        case "drop_party":
            client.calls[1].parties[1].drop()
        case "incoming_call_complete":
            client.pend.add("incoming_call")
            b.signalling.offer(b"here")
            client.accept(client.calls[-1])
        case "activate_vc_complete":
            b.co.pend.add("activate_vc")
            client.make_call()
            b.co.complete_activate(b.co.vcs[-1])
        case "deactivate_vc_complete":
            client.hold = True
            b.data(client.calls[0]).indicate(b.frame())
            client.calls[0].close()
            client.calls[0].give_back()


class Obedient(FunctionalCoClient):
    """A client that leaves when it is asked to."""

    def notify_close_af(self):
        async def go_on():
            af = self.af
            for call in list(self.calls):
                if call.is_own:
                    assert call.delete() is NdisStatus.SUCCESS
            for sap in list(self.saps):
                self.deregister_sap(sap)
            self.close_family()
            ndis.condis.cl_complete_notify_close_address_family(af, NdisStatus.SUCCESS)

        for call in self.calls:
            if call.held:
                call.give_back()
        self.ndis.kernel.queue_work_item(go_on)
        return NdisStatus.PENDING

    def incoming_close_call(self, call, status, data):
        del call.parties[1:]
        while len(call.open.vc.call.parties) > 1:
            ndis.condis.cl_drop_party(call.open.vc.call.parties[-1])
        super().incoming_close_call(call, status, data)


@pytest.mark.parametrize("handler", MANAGER)
def test_a_call_manager_that_raises_leaves_and_its_clients_calls_end(cobench, handler):
    b = cobench(client=Obedient, signals=crashing(Signalling, handler))
    client = b.client
    client.make_call(call_parameters())
    client.make_call(call_parameters(), party="one").add_party("two", call_parameters())
    client.register_sap(b"here")
    client.calls[0].send(b.frame())
    b.data(client.calls[0]).complete_all()
    b.signalling.armed = True
    with b.ndis.report.collect() as found:
        provoke_manager(b, handler)
        b.signalling.armed = False
        b.run()
    only_fault(b, found)
    assert b.cm.driver not in b.ndis.protocol_drivers
    assert (b.fm.adapter.co.vcs, b.fm.adapter.co.providers, b.co.vcs) == ([], [], [])
    assert (client.af, client.open.co.opens) == (None, [])
    client.calls.clear()
    b.others.remove(b.cm)


MINIPORT = ["create_vc", "activate_vc", "deactivate_vc", "delete_vc", "co_send_net_buffer_lists", "co_oid_request"]


def provoke_miniport(b, handler):
    client = b.client
    match handler:
        case "create_vc":
            client.new_call()
        case "activate_vc":
            client.make_call()
        case "deactivate_vc":
            b.data(client.calls[0]).complete_all()
            client.calls[0].close()
        case "delete_vc":
            client.calls[1].close()
            client.calls[1].delete()
        case "co_oid_request":
            client.ask(None, client.calls[0], ndis.query(0x77, 4))
        case _:
            client.calls[0].send(b.frame())


class Leaving(FunctionalCoClient):
    """A client that ends everything when it is asked to, and before its binding closes."""

    def unbind_adapter(self, unbind_context):
        async def go_on():
            await self.leave()
            if super(Leaving, self).unbind_adapter(unbind_context) is NdisStatus.SUCCESS:
                ndis.complete_unbind_adapter(unbind_context)

        self.ndis.kernel.queue_work_item(go_on)
        return NdisStatus.PENDING

    def notify_close_af(self):
        async def go_on():
            af = self.af
            await self.leave()
            ndis.condis.cl_complete_notify_close_address_family(af, NdisStatus.SUCCESS)

        self.ndis.kernel.queue_work_item(go_on)
        return NdisStatus.PENDING

    async def leave(self):
        for call in list(self.calls):
            if call.open.vc.call.state is CallState.CONNECTED:
                call.close()
        while any(call.open.vc.call.state is CallState.CLOSING for call in self.calls):
            await self.ndis.kernel.sleep(1000)
        for call in list(self.calls):
            assert call.delete() is NdisStatus.SUCCESS
        if self.af is not None:
            self.close_family()


@pytest.mark.parametrize("handler", MINIPORT)
def test_a_miniport_that_raises_is_removed_and_the_sends_on_its_vcs_come_back(cobench, handler):
    b = cobench(client=Leaving, co_miniport=crashing(FunctionalCoMiniport, handler))
    client = b.client
    call = client.make_call(call_parameters())
    client.make_call(call_parameters())
    call.send(*b.frames(3))
    b.fm.armed = True
    with b.ndis.report.collect() as found:
        provoke_miniport(b, handler)
        b.fm.armed = False
        b.run()
    only_fault(b, found)
    assert (b.ndis.adapters, b.fm.adapter.co.vcs) == ([], [])
    assert call.in_flight == 0, "a send was lost"


@pytest.mark.parametrize("handler", ["co_send_net_buffer_lists", "co_oid_request"])
def test_a_miniport_call_manager_that_raises_is_removed_with_its_calls(cobench, handler):
    b = cobench(kind="mcm", client=Leaving, co_miniport=crashing(FunctionalMcm, handler))
    call = b.client.make_call(call_parameters())
    b.client.make_call(call_parameters())
    call.send(*b.frames(3))
    b.fm.armed = True
    with b.ndis.report.collect() as found:
        provoke_miniport(b, handler)
        b.fm.armed = False
        b.run()
    only_fault(b, found)
    assert (b.ndis.adapters, b.fm.adapter.co.vcs) == ([], [])
    assert call.in_flight == 0, "a send was lost"


def test_a_5x_miniport_that_raises_is_removed_and_its_packets_come_back(cobench):
    broken = crashing(FunctionalCoMiniport5, "co_send_packets")
    b = cobench(client=FunctionalCoClient5, co_miniport=broken)
    call = b.client.make_call(call_parameters())
    call.send(*b.frames(3))
    b.fm.armed = True
    with b.ndis.report.collect() as found:
        call.send(b.frame())
        b.fm.armed = False
        call.close()
        call.delete()
        b.client.close_family()
        b.run()
    only_fault(b, found)
    assert [status for _, status in b.client.spent] == [NdisStatus.FAILURE] * 4
    assert b.ndis.adapters == []
