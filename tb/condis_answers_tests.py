# SPDX-License-Identifier: Apache-2.0
"""Every function that sets up a call, answered at once and answered later, over the VCs of two NICs (CC-21).

Call managers stand alone or are in the miniport, and each driver is of NDIS 6 or 5. What the network would say a script
says (hilnic.testing.co_signalling): at once, where a provisioned VC leaves nothing to wait for, or in a DPC after
PENDING. Each operation is answered once, by its return value or by its completion.
"""

import cocotb
from condis_bench import both_ways, co_hosts, finish

from hilnic import ndis
from hilnic.ndis import NdisStatus, RequestType, condis
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.ndis5 import NdisRequest
from hilnic.testing.co_host import call_parameters

OK, PENDING = NdisStatus.SUCCESS, NdisStatus.PENDING
PAIRS = [
    ({"miniport": "6-co", "manager": "6", "client": "6"}, {"miniport": "5-mcm", "client": "5"}),
    ({"miniport": "5-co", "manager": "5", "client": "5"}, {"miniport": "6-mcm", "client": "6"}),
]
"""The drivers of two hosts: a stand-alone call manager here, an integrated one there."""
VLAN = 100
SAP = b"host"
ASKED = 0x77
"""An OID of the drivers' own."""
RATE = 25_000_000


class Driven:
    """A host as these tests drive it."""

    def __init__(self, host, drivers):
        self.host, self.client, self.manager = host, host.client, host.manager
        self.signalling = host.manager.signalling
        self.complete = self.signalling.call
        self.client_is_5 = drivers["client"] == "5"
        self.manager_is_5 = drivers.get("manager", drivers["miniport"][0]) == "5"

    def heard(self, event):
        """How often the client has heard an event, or one that begins so."""
        return sum(each == event or each.startswith(f"{event} ") for each in self.client.heard)

    def request(self, of_5):
        """A request in the form that its sender knows."""
        return NdisRequest(RequestType.QUERY_INFORMATION, ASKED, bytearray(8)) if of_5 else ndis.query(ASKED, 8)

    async def later(self, operation, begin, end, event, script=None):
        """`begin` answers PENDING, a DPC ends it, and one completion tells of it."""
        script = script or self.signalling
        before = self.heard(event)
        script.pend.add(operation)
        assert begin() is PENDING, operation
        script.pend.discard(operation)
        assert self.heard(event) == before, operation
        self.client.ndis.kernel.queue_dpc(end)
        await self.host.until(lambda: self.heard(event) > before, event)
        assert self.heard(event) == before + 1, operation
        assert self.client.heard[-1].startswith(f"{event} SUCCESS"), self.client.heard[-1]


def there_and_back(one, other):
    """Each of two driven hosts with its peer."""
    return (one, other), (other, one)


async def driven(dut, pair):
    """Two running hosts."""
    hosts = await co_hosts(dut, drivers=pair)
    return [Driven(host, drivers) for host, drivers in zip(hosts, pair, strict=True)]


# --- at once ----------------------------------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(pair=PAIRS)
async def what_is_answered_at_once_is_never_completed(dut, pair):
    """CC-21, CC-23: families, SAPs, calls, parties, QoS, closes and requests by their return value alone."""
    one, other = await driven(dut, pair)
    for here, there in there_and_back(one, other):
        here.client.heard.clear()
        there.client.heard.clear()
        families_and_saps_at_once(here)
        await a_call_at_once(here, there)
        requests_at_once(here)
        for each in (here, there):
            assert not [event for event in each.client.heard if "_complete" in event]
    await finish(one.host, other.host)


def families_and_saps_at_once(here):
    client = here.client
    assert client.deregister_sap(client.saps[0]) is OK
    assert client.close_family() is OK
    assert client.open_family() is OK
    assert client.register_sap(SAP).status is OK


async def a_call_at_once(here, there):
    """On a VC that is active already, both ends of which are told the same VLAN id."""
    client, host = here.client, here.host
    call = client.new_call()
    vc = host.managed(call)
    here.signalling.provision(vc, call_parameters(VLAN))
    await host.until(lambda: vc.is_active, "the provisioned VC")
    assert client.place(call, call_parameters(VLAN), party="one") is OK
    theirs = await there.host.take(VLAN)
    assert there.heard("incoming_call") == there.heard("call_connected") == 1
    await both_ways(host, call, theirs)
    assert call.modify(call_parameters(VLAN, rate=RATE)) is OK
    party = call.add_party("two", call_parameters(VLAN))
    assert party.status is OK
    assert party.drop() is OK
    call.parties.remove(party)
    await both_ways(host, call, theirs)
    await host.until(lambda: not call.in_flight, "the completion of what was sent")
    assert call.close() is OK
    here.signalling.deactivate(vc)
    await host.until(lambda: not vc.is_active, "the end of the provisioned VC")
    assert call.delete() is OK
    await there.host.hang_up(theirs)
    there.client.heard.remove("close_call_complete SUCCESS")  # of a VC that is not a provisioned one


def requests_at_once(here):
    """NdisCoOidRequest, NdisCoRequest, NdisMCmOidRequest and NdisMCmRequest between client and call manager."""
    here.signalling.data[ASKED] = b"answer"
    asked = here.request(here.client_is_5)
    assert here.client.ask(here.client.opened, None, asked) is OK
    assert asked.answer() == b"answer"
    asked = here.request(here.manager_is_5)
    assert here.manager.ask(here.client.opened, asked) is OK
    assert (here.client.co_answers, here.signalling.answers) == ([], [])


# --- later ------------------------------------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(pair=PAIRS)
async def what_pends_is_completed_once_in_a_dpc(dut, pair):
    """CC-21, CC-23: the same functions, each PENDING and then one completion."""
    one, other = await driven(dut, pair)
    for here, there in there_and_back(one, other):
        await families_and_saps_later(here)
        await a_call_later(here, there)
        await requests_later(here)
        await the_client_is_asked_to_leave(here)
    await finish(one.host, other.host)


async def families_and_saps_later(here):
    client, complete, afs = here.client, here.complete, here.signalling.afs
    sap, af = client.saps[0], client.opened
    await here.later(
        "deregister_sap", lambda: client.deregister_sap(sap),
        lambda: complete("complete_deregister_sap")(sap.handle, OK), "deregister_sap_complete",
    )  # fmt: skip
    await here.later(
        "close_af", client.close_family,
        lambda: complete("complete_close_address_family")(af, OK), "close_af_complete",
    )  # fmt: skip
    await here.later(
        "open_af", client.open_family,
        lambda: complete("complete_open_address_family")(client.opened, OK, afs[0]), "open_af_complete",
    )  # fmt: skip
    await here.later(
        "register_sap", lambda: client.register_sap(SAP).status,
        lambda: complete("complete_register_sap")(client.saps[0].handle, OK, afs[0].saps[SAP]),
        "register_sap_complete",
    )  # fmt: skip


async def a_call_later(here, there):
    client, host = here.client, here.host
    call = client.new_call()
    vc = host.managed(call)
    await here.later(
        "make_call", lambda: client.place(call, call_parameters(VLAN), party="one"),
        lambda: here.signalling.connect(vc), "make_call_complete",
    )  # fmt: skip
    theirs = await taken_later(there)
    await both_ways(host, call, theirs)
    await here.later(
        "modify_call_qos", lambda: call.modify(call_parameters(VLAN, rate=RATE)),
        lambda: here.signalling.finish_modify(vc), "modify_call_qos_complete",
    )  # fmt: skip
    await parties_later(here, call, vc)
    await both_ways(host, call, theirs)
    await host.until(lambda: not call.in_flight, "the completion of what was sent")
    await here.later("close_call", call.close, lambda: here.signalling.finish_close(vc), "close_call_complete")
    assert call.delete() is OK
    await there.host.hang_up(theirs)


async def taken_later(there):
    """NdisClIncomingCallComplete; the call is connected after it, not before."""
    there.client.pend.add("incoming_call")
    before = there.heard("call_connected")
    await there.host.offer(VLAN)
    there.client.pend.discard("incoming_call")
    call = there.client.calls[-1]
    assert not call.is_connected
    there.client.ndis.kernel.queue_dpc(lambda: there.client.accept(call))
    await there.host.until(lambda: call.is_connected, "the connection")
    assert there.heard("call_connected") == before + 1
    return call


async def parties_later(here, call, vc):
    parameters, complete = call_parameters(VLAN), here.complete
    await here.later(
        "add_party", lambda: call.add_party("two", parameters).status,
        lambda: complete("complete_add_party")(call.parties[1].open, OK, vc.parties[1], parameters),
        "add_party_complete",
    )  # fmt: skip
    party = call.parties[1]
    await here.later(
        "drop_party", party.drop, lambda: complete("complete_drop_party")(party.open, OK), "drop_party_complete"
    )
    assert party not in call.parties


async def requests_later(here):
    """NdisCoOidRequestComplete, NdisCoRequestComplete: the one who was asked ends it."""
    client, signalling, af = here.client, here.signalling, here.client.opened
    ways = (
        (client, signalling.pend, signalling.requests, here.client_is_5, here.manager_is_5, client.co_answers),
        (here.manager, client.pend, client.co_requests, here.manager_is_5, here.client_is_5, signalling.answers),
    )
    for asker, pend, requests, asks_5, answers_5, answers in ways:
        request = here.request(asks_5)
        pend.add("oid_request")
        status = client.ask(af, None, request) if asker is client else asker.ask(af, request)
        pend.discard("oid_request")
        assert (status, answers) == (PENDING, [])
        complete = condis5.co_request_complete if answers_5 else condis.co_complete_oid_request
        got = requests[-1]
        client.ndis.kernel.queue_dpc(lambda complete=complete, got=got: complete(af, None, None, got, OK))
        await here.host.until(lambda answers=answers: answers, "the answer")
        assert answers == [(request, OK)]


async def the_client_is_asked_to_leave(here):
    """NdisCmNotifyCloseAddressFamily, NdisMCmNotifyCloseAddressFamily: answered at once, and then later."""
    client, complete, asked = here.client, here.complete, here.signalling.script.asked
    af, told = client.opened, "notify_close_af_complete SUCCESS"
    assert complete("notify_close_address_family")(af) is OK
    client.pend.add("notify_close_af")
    assert complete("notify_close_address_family")(af) is PENDING
    client.pend.discard("notify_close_af")
    assert asked.count(told) == 0
    client.ndis.kernel.queue_dpc(lambda: condis.cl_complete_notify_close_address_family(af, OK))
    await here.host.until(lambda: told in asked, "the client's answer")
    assert asked.count(told) == 1
