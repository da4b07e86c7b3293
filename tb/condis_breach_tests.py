# SPDX-License-Identifier: Apache-2.0
"""What drivers may not do with address families, VCs, parameters and lists, done while the NIC carries their calls.

Each breach is named, the NIC gets nothing of it, and the call goes on; beside it stands what the rule wants.
"""

from dataclasses import replace

import cocotb
from condis_bench import both_ways, co_hosts, finish

from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis.machines import VcState
from hilnic.testing import expect_violation
from hilnic.testing.co_host import call_parameters
from hilnic.testing.frames import free_nbl

DRIVERS = ({"miniport": "6-co"}, {"miniport": "5-mcm"})
"""A stand-alone call manager here, an integrated one there."""
VLAN = 100
RATE = 25_000_000
QUIET_NS = 30_000
"""In which a frame that was sent would be on the wire."""


async def stays_silent(host, breach):
    """What a breach answers, after which nothing goes out."""
    before = len(host.wire)
    answer = breach()
    await host.clock.sleep(QUIET_NS)
    assert len(host.wire) == before
    return answer


def breaks(host, rule):
    """Within the block exactly this rule is broken on this host."""
    return expect_violation(host.stack.host, rule)


async def pair(dut):
    """Two hosts, and each of them with its peer."""
    one, other = await co_hosts(dut, drivers=DRIVERS)
    return one, other, ((one, other), (other, one))


@cocotb.test()
async def handles_are_good_from_the_notify_to_the_close(dut):
    """CC-02, CC-04: a family before its notify, a family, a SAP and a VC after their end."""
    one, other, ways = await pair(dut)
    for host, peer in ways:
        client = host.client
        unknown = condis.CoAddressFamily(condis.AddressFamilyType.PPP)
        with breaks(host, "CC-02"):
            assert condis.cl_open_address_family(client.open, unknown, client) == (NdisStatus.FAILURE, None)
        (sap,), af = client.saps, client.opened
        assert client.deregister_sap(sap) is client.close_family() is NdisStatus.SUCCESS
        with breaks(host, "CC-04"):
            assert condis.cl_deregister_sap(sap.handle) is NdisStatus.FAILURE
            assert condis.cl_close_address_family(af) is NdisStatus.FAILURE
        assert client.open_family() is NdisStatus.SUCCESS
        client.register_sap(b"host")
        ours, theirs = await host.call(VLAN), await peer.take(VLAN)
        await both_ways(host, ours, theirs)
        await host.hang_up(ours)
        with breaks(host, "CC-04"):
            await stays_silent(host, lambda ours=ours: ours.send(b"on a VC that is deleted"))
        client.spent.append(ours.completed[-1])
        await peer.hang_up(theirs)
    await finish(one, other)


@cocotb.test()
async def a_vc_is_deleted_by_its_creator_when_the_nic_is_done_with_it(dut):
    """CC-12: NOT_ACCEPTED while it is active in the NIC, CLOSING while it drains there, and nobody else's to delete."""
    one, other, ways = await pair(dut)
    for host, peer in ways:
        call = host.client.new_call()
        vc, entries = host.managed(call), host.stack.connections.by_entry
        host.manager.signalling.provision(vc, call_parameters(VLAN))
        await host.until(lambda vc=vc: vc.is_active, "the activation")
        assert host.client.place(call, call_parameters(VLAN)) is NdisStatus.SUCCESS
        theirs = await peer.take(VLAN)
        assert call.delete() is NdisStatus.NOT_ACCEPTED
        with breaks(peer, "CC-12"):
            assert condis.co_delete_vc(theirs.open) is NdisStatus.FAILURE
        await both_ways(host, call, theirs)
        await host.until(lambda call=call: not call.in_flight, "the completion of what was sent")
        assert call.close() is NdisStatus.SUCCESS
        assert call.delete() is NdisStatus.NOT_ACCEPTED
        assert host.manager.signalling.deactivate(vc) is NdisStatus.PENDING
        draining = call.open.vc.state is VcState.DEACTIVATING  # an integrated call manager tells NDIS at the end
        assert call.delete() is (NdisStatus.CLOSING if draining else NdisStatus.NOT_ACCEPTED)
        assert draining is (host is one)
        await host.until(lambda vc=vc: not vc.is_active, "the deactivation")
        held = len(entries)
        assert call.delete() is NdisStatus.SUCCESS
        assert len(entries) == held - 1
        await peer.hang_up(theirs)
    await finish(one, other)


@cocotb.test()
async def parameters_are_the_call_managers_until_the_nic_has_the_vc(dut):
    """CC-13, CC-24: written to while the NIC activates; a handler that waits; both calls are used, and another one."""
    one, other, ways = await pair(dut)
    for host, peer in ways:
        asked = call_parameters(VLAN)
        with breaks(host, "CC-13"):
            call = host.client.make_call(asked)
            assert call.status is NdisStatus.PENDING
            asked.call_manager.transmit = call_parameters(VLAN, rate=RATE).call_manager.transmit
            await host.until(lambda call=call: call.is_connected, "the call")
        theirs = await peer.take(VLAN)
        await both_ways(host, call, theirs)
        await host.until(lambda call=call: not call.in_flight, "the completion of what was sent")
        vc, provider = host.managed(call), host.client.opened.provider
        handlers, provider.handlers = provider.handlers, replace(provider.handlers, close_call=waits)
        with breaks(host, "CC-24"):
            assert call.close() is NdisStatus.FAILURE
        provider.handlers = handlers
        host.manager.signalling.deactivate(vc)  # which the handler has not done
        await host.until(lambda vc=vc: not vc.is_active, "the deactivation")
        assert call.delete() is NdisStatus.SUCCESS
        await peer.hang_up(theirs)
    await both_ways(one, await one.call(VLAN), await other.take(VLAN))
    await finish(one, other)


async def waits(*_):
    """A handler that does."""
    return NdisStatus.SUCCESS


@cocotb.test()
async def a_list_names_its_vc_on_the_way_down_and_up(dut):
    """CD-03, CD-05: source handles of what is sent, completed and received; the frames of a list come up one by one."""
    one, other, ways = await pair(dut)
    for host, peer in ways:
        ours, theirs = await host.call(VLAN), await peer.take(VLAN)
        stray = host.client.build(b"whose?")
        with breaks(host, "CD-03"):
            await stays_silent(host, lambda ours=ours, stray=stray: condis.co_send_net_buffer_lists(ours.open, stray))
        free_nbl(stray)
        peer.client.hold = True
        ours.send_nbls([ours.build(*[bytes([n]) * 60 for n in range(5)])])
        await host.until(lambda theirs=theirs: len(theirs.held) == 5, "five lists")
        await host.until(lambda ours=ours: not ours.in_flight, "the completion")
        assert {nbl.source_handle for nbl, _ in ours.completed} == {ours.open}
        assert {nbl.source_handle.vc for nbl in theirs.held} == {theirs.open.vc}  # the handle of whoever indicates
        assert [len(list(nbl.net_buffers())) for nbl in theirs.held] == [1] * 5
        assert theirs.received == [bytes([n]) * 60 for n in range(5)]
        peer.client.hold = False
        await host.hang_up(ours)
        await peer.hang_up(theirs)
    await finish(one, other)
