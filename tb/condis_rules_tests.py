# SPDX-License-Identifier: Apache-2.0
"""What CoNDIS promises to clients and call managers, shown by drivers of the card: data, calls, parties, refusals.

One module, because each is a simulator process of its own, whose start costs more than most tests
(docs/architecture.md); the sections are its themes.
"""

from dataclasses import replace

import cocotb
from condis_bench import SMALL, calls, co_hosts, finish

from hilnic import ndis
from hilnic.miniport_co.oids import CoOid
from hilnic.ndis import NblFlags, NdisStatus, ReceiveFlags, SendFlags, condis
from hilnic.ndis.condis.machines import VcState
from hilnic.testing import expect_violation
from hilnic.testing.co_host import call_parameters

MINIPORTS = ["6-co", "5-co"]
VERSIONS = [("6", "6-co"), ("6", "5-co"), ("5", "6-co"), ("5", "5-co")]
"""Of client and miniport."""


def sdu(number, length):
    """SDU `number`."""
    return bytes((number + i) & 0xFF for i in range(length))


def statuses(call):
    """How its sends have ended."""
    return [status for _, status in call.completed]


async def carries(one, ours, theirs):
    """Whether what is sent now arrives."""
    before = len(theirs.received)
    ours.send(b"still there")
    await one.until(lambda: len(theirs.received) > before, "an SDU")
    assert theirs.received[-1] == b"still there"


# --- data -------------------------------------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS)
async def lists_of_many_buffers_end_once_and_keep_their_order(dut, miniport):
    """CD-01, CD-02, CD-04, CD-07, XL-17, XL-18: one status for all frames of a list, an array for a 5.x miniport."""
    one, other = await co_hosts(dut, miniport=miniport)
    ours, theirs = await calls(one, other)
    groups = [[sdu(8 * i + k, 20 + 90 * k) for k in range(8)] for i in range(4)]
    ours.send_nbls([ours.build(*group) for group in groups])
    await one.until(lambda: len(theirs.received) == 32 and len(ours.completed) == 4, "all SDUs")
    assert theirs.received == [data for group in groups for data in group]
    assert statuses(ours) == [NdisStatus.SUCCESS] * 4
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS)
async def a_vc_tells_its_user_of_its_link_and_of_its_counters(dut, miniport):
    """CD-13, OI-06: link loss and return with the contract's speed, frames and octets of this VC as the NIC counts."""
    one, other = await co_hosts(dut, miniport=miniport)
    ours, theirs = await calls(one, other, rate=25_000_000)
    client = one.client
    for up in (0, 1):
        client.co_statuses.clear()
        one.card.settings.link_up = up
        await one.until(lambda: any(of is ours for of, _, _ in client.co_statuses), "the news of the VC")
    told = [state for of, _, state in client.co_statuses if of is ours][-1]
    assert told.xmit_link_speed == 200_000_000
    ours.send(bytes(100), bytes(200))
    await one.until(lambda: len(theirs.received) == 2 and not ours.in_flight, "the SDUs")
    for oid, expected in ((CoOid.OID_GEN_CO_XMIT_PDUS_OK, 2), (CoOid.OID_GEN_CO_BYTES_XMIT, 300 + 2 * 22)):
        request = ndis.OidRequest(ndis.RequestType.QUERY_INFORMATION, oid, bytearray(8))
        assert condis.co_oid_request(client.open, None, ours.open, None, request) is NdisStatus.PENDING
        await one.until(lambda: client.co_answers, "the counter")
        assert client.co_answers.pop() == (request, NdisStatus.SUCCESS)
        assert int.from_bytes(request.answer(), "little") == expected
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS)
async def what_a_client_holds_comes_back_mixed_and_a_deactivation_waits_for_it(dut, miniport):
    """CD-06, CC-10: returns of two VCs in one call; the close ends after the last one."""
    one, other = await co_hosts(dut, miniport=miniport)
    first, second = await calls(one, other, 10), await calls(one, other, 20)
    other.client.hold = True
    for ours, _ in (first, second):
        ours.send(*[sdu(n, 60) for n in range(6)])
    await one.until(lambda: len(first[1].held) == len(second[1].held) == 6, "all SDUs")
    mixed = [nbl for both in zip(first[1].held, reversed(second[1].held), strict=True) for nbl in both]
    ndis.return_net_buffer_lists(other.client.open, ndis.chain(mixed[:11]))
    second[1].held.clear()
    (last,) = mixed[11:]
    first[1].held.clear()
    closing = second[1]  # whose first SDU is the last of the mixture
    closing.close()
    await one.clock.sleep(300_000)
    assert not closing.is_closed
    ndis.return_net_buffer_lists(other.client.open, last)
    await one.until(lambda: closing.is_closed, "the close")
    await carries(one, *first)
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS)
async def a_packet_of_a_vc_is_the_miniports_again_when_every_reference_is_paid(dut, miniport):
    """CD-11, CC-10: NdisReturnPackets as often as ProtocolCoReceivePacket has said, and then the close ends."""
    one, other = await co_hosts(dut, client="5", miniport=miniport)
    ours, theirs = await calls(one, other)
    other.client.references = 2
    ours.send(*[sdu(n, 60) for n in range(4)])
    await one.until(lambda: len(theirs.held) == 8, "all SDUs")
    assert theirs.close() is NdisStatus.PENDING
    for paid in range(8):
        await one.clock.sleep(100_000)
        assert not theirs.is_closed, f"closed when {paid} of 8 references were paid"
        theirs.give_back(theirs.held[-1])
    await one.until(lambda: theirs.is_closed, "the close")
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS)
async def with_few_buffers_left_sdus_are_lent_for_the_call_only(dut, miniport):
    """CD-09: NDIS_RECEIVE_FLAGS_RESOURCES, and the OOB status of a 5.x miniport's packets."""
    few = replace(SMALL, rx_ring=16, rx_buffers=16, rx_low_water=8)
    one, other = await co_hosts(dut, miniport=miniport, connections=few)
    ours, theirs = await calls(one, other)
    other.client.hold = True
    ours.send(*[sdu(n, 50) for n in range(30)])
    await one.until(lambda: len(theirs.received) == 30, "all SDUs")
    assert len(theirs.held) == 8
    assert all(flags & ReceiveFlags.RESOURCES for flags in theirs.receive_flags[-5:])
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS)
async def sends_that_wait_for_the_shaper_can_be_cancelled(dut, miniport):
    """CN-10, XL-17: NdisCancelSendNetBufferLists names the binding; a 5.x REQUEST_ABORTED comes as SEND_ABORTED."""
    one, other = await co_hosts(dut, miniport=miniport, connections=replace(SMALL, tx_ring=8))
    ours, theirs = await calls(one, other, rate=10_000_000, burst=1522)
    ours.send(*[sdu(n, 1500) for n in range(3)])
    ours.send(*[sdu(n, 1400) for n in range(6)], cancel_id=7)
    ndis.cancel_send_net_buffer_lists(one.client.open, 7)
    await one.until(lambda: len(ours.completed) == 9, "the end of all")
    aborted, sent = statuses(ours).count(NdisStatus.SEND_ABORTED), statuses(ours).count(NdisStatus.SUCCESS)
    assert aborted > 0
    assert aborted + sent == 9
    await one.until(lambda: len(theirs.received) == sent, "what was not cancelled")
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS)
async def a_send_that_asks_for_it_comes_back_on_its_vc_and_goes_out_too(dut, miniport):
    """LB-11: on the same VC, marked, and nowhere else; without the flag none."""
    one, other = await co_hosts(dut, miniport=miniport)
    ours, theirs = await calls(one, other, 10)
    beside, _ = await calls(one, other, 20)
    ours.send(b"for both", flags=SendFlags.CHECK_FOR_LOOPBACK)
    ours.send(b"for the other end")
    await one.until(lambda: len(theirs.received) == 2, "both SDUs")
    assert theirs.received == [b"for both", b"for the other end"]
    assert (ours.received, beside.received) == ([b"for both"], [])
    assert ours.nbl_flags[0] & NblFlags.IS_LOOPBACK_PACKET
    assert not any(flags & NblFlags.IS_LOOPBACK_PACKET for flags in theirs.nbl_flags)
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(versions=VERSIONS)
async def a_close_with_sends_out_is_told_and_none_is_lost(dut, versions):
    """CC-08, CC-17, CD-12: before the activation and after the close nothing is sent; what was sent goes out."""
    client, miniport = versions
    one, other = await co_hosts(dut, client=client, miniport=miniport)
    idle = one.client.new_call()
    idle.send(b"too early")
    assert statuses(idle) == [NdisStatus.VC_NOT_ACTIVATED]
    idle.delete()
    ours, theirs = await calls(one, other, rate=12_500_000, burst=4000)
    ours.send(*[sdu(n, 700) for n in range(12)])
    with expect_violation(one.stack.host, "CC-17"):
        assert ours.close() is NdisStatus.PENDING
        ours.send(b"too late")
        assert statuses(ours)[-1] is NdisStatus.CLOSING
    await one.until(lambda: ours.is_closed and len(theirs.received) == 12, "what was sent")
    assert sorted(statuses(ours)) == sorted([NdisStatus.SUCCESS] * 12 + [NdisStatus.CLOSING])
    assert theirs.received == [sdu(n, 700) for n in range(12)]
    ours.delete()
    await finish(one, other)


# --- virtual connections ----------------------------------------------------------------------------------------------


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS)
async def a_refused_change_leaves_the_old_contract(dut, miniport):
    """CC-09: a bucket that holds no frame is refused by the NIC's driver."""
    one, other = await co_hosts(dut, miniport=miniport)
    ours, theirs = await calls(one, other, rate=12_500_000, burst=4000)
    vc = one.managed(ours)
    page = ours.open.vc.parameters
    answer = one.manager.signalling.activate(vc, call_parameters(100, rate=12_500_000, burst=64))
    assert answer is NdisStatus.INVALID_DATA
    assert ours.open.vc.parameters is page
    await carries(one, ours, theirs)
    await one.change(ours, 100, rate=25_000_000, burst=8000)
    assert ours.open.vc.parameters.call_manager.transmit.token_rate == 25_000_000
    await carries(one, ours, theirs)
    await finish(one, other)


@cocotb.test()
@cocotb.parametrize(miniport=MINIPORTS)
async def a_vc_is_activated_again_and_again(dut, miniport):
    """CC-11: a call manager's own VC, with data in each of its lives."""
    one, other = await co_hosts(dut, miniport=miniport)
    manager, theirs = one.manager, await other.take(100)
    _, own = condis.co_create_vc(manager.open, None, manager)
    for life in range(4):
        assert condis.cm_activate_vc(own, call_parameters(100)) is NdisStatus.PENDING
        await one.until(lambda: own.vc.state is VcState.ACTIVE, "the activation")
        nbl = manager.build(sdu(life, 80))
        nbl.source_handle = own
        condis.co_send_net_buffer_lists(own, nbl)
        await one.until(lambda life=life: len(theirs.received) == life + 1, "an SDU")
        assert theirs.received[-1] == sdu(life, 80)
        await one.until(lambda life=life: len(manager.own_completed) == life + 1, "its completion")
        assert condis.cm_deactivate_vc(own) is NdisStatus.PENDING
        await one.until(lambda: own.vc.state is VcState.CREATED, "the deactivation")
    assert condis.co_delete_vc(own) is NdisStatus.SUCCESS
    manager.completed += manager.own_completed
    await finish(one, other)


# --- calls ------------------------------------------------------------------------------------------------------------


@cocotb.test()
async def a_refused_call_leaves_no_vc(dut):
    """CC-07, CC-16: by a client that creates no VC, and by one that takes no call; then one that does."""
    one, other = await co_hosts(dut)
    other.client.refuse["create_vc"] = NdisStatus.RESOURCES
    status, _ = other.manager.signalling.offer(b"host", call_parameters(100))
    assert status is NdisStatus.RESOURCES
    del other.client.refuse["create_vc"]
    other.client.refuse["incoming_call"] = NdisStatus.FAILURE
    vc = await other.offer(100)
    await one.until(lambda: vc.is_gone, "the end of the VC")
    assert (other.manager.signalling.vcs, other.client.calls) == ([], [])
    del other.client.refuse["incoming_call"]
    await carries(one, *await calls(one, other, 100))
    await finish(one, other)


@cocotb.test()
async def saps_are_single_and_their_end_ends_no_call(dut):
    """CC-03, CC-05, CC-06: SAP_IN_USE, INVALID_SAP; a family with a SAP is not closed; a call outlives its SAP."""
    one, other = await co_hosts(dut)
    for name, status in ((b"host", NdisStatus.SAP_IN_USE), (b"", NdisStatus.INVALID_SAP)):
        sap = other.client.register_sap(name)
        assert sap.status is status
        other.client.saps.remove(sap)
    ours, theirs = await calls(one, other)
    (sap,) = other.client.saps
    assert other.client.deregister_sap(sap) is NdisStatus.SUCCESS
    assert other.client.close_family() is NdisStatus.NOT_ACCEPTED
    await carries(one, ours, theirs)
    await finish(one, other)


@cocotb.test()
async def a_call_is_closed_while_it_is_being_made_or_activated(dut):
    """CC-21, CC-26: before the network answers, and before the NIC has the VC; the entry is free afterwards."""
    one, other = await co_hosts(dut)
    for pends in (True, False):
        if pends:
            one.manager.signalling.pend.add("make_call")
        call = one.client.make_call(call_parameters(100))
        one.manager.signalling.pend.clear()
        assert call.status is NdisStatus.PENDING
        status = call.close()
        assert pends is (status is not NdisStatus.PENDING)
        await one.until(lambda call=call: call.is_closed, "the close")
        assert [end for end in call.ends if end.startswith("make")] == ["make_call_complete"]
        assert call.ends.count("close_call_complete") == (0 if pends else 1)
        call.delete()
    assert not one.stack.connections.by_entry
    await carries(one, *await calls(one, other, 100))
    await finish(one, other)


@cocotb.test()
async def the_other_side_hangs_up_and_parties_leave(dut):
    """CC-18, CC-19, CC-20: a party that leaves is dropped, the last one closes the call; data goes on until then."""
    one, other = await co_hosts(dut)
    theirs = await other.take(100)
    ours = one.client.make_call(call_parameters(100), party="one")
    await one.until(lambda: ours.is_connected, "the call")
    ours.add_party("two", call_parameters(100))
    await carries(one, ours, theirs)
    one.manager.signalling.leave(one.managed(ours).parties[0], b"bye")
    assert one.client.heard[-1] == "incoming_drop_party SUCCESS one b'bye'"
    assert ours.parties.pop(0).drop() is NdisStatus.SUCCESS
    await carries(one, ours, theirs)
    await one.until(lambda: not ours.in_flight, "the completion of what was sent")
    one.manager.signalling.hang_up(one.managed(ours), data=b"bye")
    assert one.client.heard[-1].startswith("incoming_close_call SUCCESS")
    await one.until(lambda: ours.is_closed, "the close")
    ours.delete()
    await finish(one, other)
