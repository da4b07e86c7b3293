# SPDX-License-Identifier: Apache-2.0
"""CoNDIS of NDIS 5: packets on VCs, clients and miniports of both versions together (CD-10, CD-11, XL-17, XL-18)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, ReceiveFlags, RequestType, condis, ndis5
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.ndis5 import NdisRequest
from hilnic.testing import expect_violation
from hilnic.testing.bench5 import Bench5
from hilnic.testing.co_bench import call_parameters
from hilnic.testing.co_client import FAMILY, FunctionalCoClient
from hilnic.testing.co_client5 import FunctionalCoClient5
from hilnic.testing.co_cm import Signalling
from hilnic.testing.co_cm5 import FunctionalCallManager5
from hilnic.testing.co_miniport import FunctionalCoMiniport
from hilnic.testing.co_miniport5 import FunctionalCoMiniport5
from hilnic.testing.packets import free_built_packet
from hilnic.testing.protocol5 import FunctionalProtocol5

CLIENTS = {5: FunctionalCoClient5, 6: FunctionalCoClient}
MINIPORTS = {5: FunctionalCoMiniport5, 6: FunctionalCoMiniport}
PAIRS = [(5, 5), (5, 6), (6, 5), (6, 6)]
RESOURCES = int(ReceiveFlags.RESOURCES)


@pytest.fixture
def of_versions(cobench):
    """A bench with a client and a miniport of these versions."""

    def make(client, miniport, **options):
        return cobench(client=CLIENTS[client], co_miniport=MINIPORTS[miniport], **options)

    return make


def keep(client, number=1):
    """Receives stay with the client."""
    client.hold = True
    client.references = number


def scarce(data, frame):
    """A receive for which the miniport is short of resources."""
    if isinstance(data.miniport, FunctionalCoMiniport5):
        return data.indicate(frame, status=NdisStatus.RESOURCES)
    return data.indicate(frame, flags=RESOURCES)


def statuses(call):
    return [status for _, status in call.completed]


# The matrix.


@pytest.mark.rule("XL-18", "CD-07")
@pytest.mark.parametrize(("client", "miniport"), PAIRS)
@pytest.mark.parametrize("verify", ["off", "fast", "full"])
def test_frames_pass_both_ways_and_each_vc_is_in_order(of_versions, client, miniport, verify):
    b = of_versions(client, miniport, verify=verify)
    calls = [b.client.make_call(call_parameters()) for _ in range(2)]
    for number in range(8):
        calls[number % 2].send(b.frame(number), b.frame(number + 50))
        b.data(calls[number % 2]).indicate(b.frame(100 + number))
    for parity, call in enumerate(calls):
        numbers = range(parity, 8, 2)
        assert b.data(call).sent_frames == [b.frame(n + more) for n in numbers for more in (0, 50)]
        assert call.received == [b.frame(100 + n) for n in numbers]
        b.data(call).complete_all()
        assert statuses(call) == [NdisStatus.SUCCESS] * 8


@pytest.mark.rule("XL-18")
def test_lists_of_many_frames_are_one_array_of_a_5x_miniport(of_versions):
    b = of_versions(6, 5)
    call = b.client.make_call()
    frames = b.frames(12)
    nbls = [call.build(*frames[at : at + 4], cuts=[20]) for at in range(0, 12, 4)]
    call.send_nbls(nbls)
    data = b.data(call)
    assert (data.sent_frames, data.arrays) == (frames, [12])
    data.complete(*reversed(data.captured[4:8]))
    assert [nbl for nbl, _ in call.completed] == [nbls[1]]
    data.complete_all()
    assert [nbl for nbl, _ in call.completed] == [nbls[1], nbls[0], nbls[2]]


SENT_5_TO_6 = {
    NdisStatus.SUCCESS: NdisStatus.SUCCESS,
    NdisStatus.FAILURE: NdisStatus.FAILURE,
    NdisStatus.RESOURCES: NdisStatus.RESOURCES,
    NdisStatus.REQUEST_ABORTED: NdisStatus.SEND_ABORTED,
    NdisStatus.INVALID_PACKET: NdisStatus.INVALID_LENGTH,
    NdisStatus.CLOSING: NdisStatus.CLOSING,
}


@pytest.mark.rule("XL-17")
@pytest.mark.parametrize(("five", "six"), SENT_5_TO_6.items())
def test_the_status_of_a_packet_is_the_status_of_its_list(of_versions, five, six):
    b = of_versions(6, 5)
    call = b.client.make_call()
    call.send(b.frame())
    b.data(call).complete_all(five)
    assert statuses(call) == [six]


@pytest.mark.rule("XL-17")
@pytest.mark.parametrize(("five", "six"), SENT_5_TO_6.items())
def test_the_status_of_a_list_is_the_status_of_its_packet(of_versions, five, six):
    b = of_versions(5, 6)
    call = b.client.make_call()
    call.send(b.frame())
    b.data(call).complete_all(six)
    assert statuses(call) == [five]


@pytest.mark.rule("XL-17", "XL-05")
def test_a_list_takes_the_status_of_the_first_packet_that_failed(of_versions):
    b = of_versions(6, 5)
    call = b.client.make_call()
    call.send_nbls([call.build(*b.frames(3))])
    data = b.data(call)
    one, two, three = data.captured
    data.complete(one)
    data.complete(two, status=NdisStatus.REQUEST_ABORTED)
    data.complete(three, status=NdisStatus.FAILURE)
    assert statuses(call) == [NdisStatus.SEND_ABORTED]


@pytest.mark.rule("XL-19")
def test_many_lists_completed_at_once_are_one_completion_per_packet(of_versions):
    b = of_versions(5, 6)
    call = b.client.make_call()
    packets = call.send(*b.frames(4))
    b.data(call).complete_all()
    assert [packet for packet, _ in call.completed] == packets


@pytest.mark.rule("XL-10", "CC-10")
@pytest.mark.parametrize(("client", "miniport"), PAIRS)
def test_the_miniport_has_its_receive_back_when_the_client_returns_it(of_versions, client, miniport):
    b = of_versions(client, miniport)
    keep(b.client)
    call = b.client.make_call()
    b.data(call).indicate(*b.frames(2))
    assert b.fm.returned == []
    assert call.close() is NdisStatus.PENDING
    call.give_back(call.held[0])
    assert (len(b.fm.returned), call.is_closed) == (1, False)
    call.give_back()
    assert (len(b.fm.returned), call.is_closed) == (2, True)
    call.delete()


@pytest.mark.rule("CD-11")
@pytest.mark.parametrize("miniport", [5, 6])
def test_a_packet_is_returned_as_often_as_the_client_has_said(of_versions, miniport):
    b = of_versions(5, miniport)
    keep(b.client, 3)
    call = b.client.make_call()
    b.data(call).indicate(b.frame())
    for number in range(3):
        assert b.fm.returned == []
        call.give_back(call.held[number if number < len(call.held) else 0])
    assert len(b.fm.returned) == 1


@pytest.mark.rule("CD-09", "XL-09")
@pytest.mark.parametrize(("client", "miniport"), PAIRS)
def test_a_scarce_receive_is_seen_and_not_kept(of_versions, client, miniport):
    b = of_versions(client, miniport)
    keep(b.client)
    call = b.client.make_call()
    scarce(b.data(call), b.frame())
    assert (call.received, call.held, len(b.fm.returned)) == ([b.frame()], [], 1)


@pytest.mark.rule("CC-15")
@pytest.mark.parametrize(("client", "miniport"), PAIRS)
def test_early_data_waits_in_every_version(of_versions, client, miniport):
    b = of_versions(client, miniport)
    b.client.pend.add("incoming_call")
    call = b.incoming()
    b.data(call).indicate(b.frame(1), b.frame(2))
    assert call.received == []
    b.client.accept(call)
    b.data(call).indicate(b.frame(3))
    b.run()
    assert call.received == [b.frame(1), b.frame(2), b.frame(3)]


@pytest.mark.rule("CD-07", "CD-09")
@pytest.mark.parametrize(("client", "miniport"), PAIRS)
def test_a_scarce_receive_does_not_overtake_what_waited_for_the_call(of_versions, client, miniport):
    b = of_versions(client, miniport)
    b.client.pend.add("incoming_call")
    call = b.incoming()
    b.data(call).indicate(b.frame(1), b.frame(2))
    b.client.accept(call)
    scarce(b.data(call), b.frame(3))
    b.run()
    assert call.received == [b.frame(1), b.frame(2), b.frame(3)]


@pytest.mark.rule("CC-16")
@pytest.mark.parametrize(("client", "miniport"), PAIRS)
def test_early_data_of_a_rejected_call_goes_home(of_versions, client, miniport):
    b = of_versions(client, miniport)
    b.client.pend.add("incoming_call")
    call = b.incoming()
    b.data(call).indicate(b.frame(1))
    b.client.reject(call)
    assert (len(b.fm.returned), b.co.vcs) == (1, [])


@pytest.mark.rule("CC-08", "CC-17", "CD-12")
@pytest.mark.parametrize("miniport", [5, 6])
def test_a_5x_client_is_refused_like_any_other(of_versions, miniport):
    b = of_versions(5, miniport)
    idle = b.client.new_call()
    idle.send(b.frame())
    assert statuses(idle) == [NdisStatus.VC_NOT_ACTIVATED]
    call = b.client.make_call()
    call.send(*b.frames(5))
    data = b.data(call)
    with expect_violation(b.ndis, "CC-17"):
        assert call.close() is NdisStatus.PENDING
        call.send(b.frame())
    assert statuses(call) == [NdisStatus.CLOSING]
    data.complete_all()
    assert statuses(call) == [NdisStatus.CLOSING] + [NdisStatus.SUCCESS] * 5
    assert call.is_closed


@pytest.mark.parametrize(("client", "miniport"), PAIRS)
def test_without_memory_for_the_translation_sends_end_and_receives_go_home(of_versions, client, miniport):
    b = of_versions(client, miniport)
    call = b.client.make_call()
    edges = [edge for edge in (call.open.binding.context, b.fm.adapter.context) if hasattr(edge, "xlate")]
    for edge in edges:
        edge.xlate.lists.fault = edge.xlate.packets.fault = lambda: True
    call.send(b.frame())
    b.data(call).indicate(b.frame())
    b.data(call).complete_all()
    translates = client != miniport
    assert statuses(call) == [NdisStatus.RESOURCES if translates else NdisStatus.SUCCESS]
    assert (len(call.received), len(b.fm.returned)) == (0 if translates else 1, 1)


@pytest.mark.rule("CD-13")
@pytest.mark.parametrize(("client", "miniport"), PAIRS)
def test_a_status_of_a_vc_crosses_the_versions(of_versions, client, miniport):
    b = of_versions(client, miniport, clients=2)
    calls = [each.make_call() for each in b.clients]
    b.co.indicate_co_status(b.data(calls[1]), NdisStatus.WAN_LINE_DOWN, "why")
    assert [each.co_statuses for each in b.clients] == [[], [(calls[1], NdisStatus.WAN_LINE_DOWN, "why")]]


def test_a_link_state_is_a_connect_for_a_5x_client(of_versions):
    b = of_versions(5, 6)
    state = ndis.LinkState(ndis.MediaConnectState.DISCONNECTED)
    b.co.indicate_co_status(None, NdisStatus.LINK_STATE, state)
    assert [code for _, code, _ in b.client.co_statuses] == [NdisStatus.MEDIA_DISCONNECT]


@pytest.mark.rule("CD-13")
@pytest.mark.parametrize("client", [5, 6])
def test_the_link_of_a_vc_of_a_5x_miniport_is_told_in_the_words_of_the_client(of_versions, client):
    b = of_versions(client, 5)
    call = b.client.make_call()
    news = [(NdisStatus.MEDIA_DISCONNECT, None), (NdisStatus.MEDIA_CONNECT, None)]
    news.append((NdisStatus.LINK_SPEED_CHANGE, (2_000_000).to_bytes(4, "little")))
    for code, buffer in news:
        b.co.indicate_co_status(b.data(call), code, buffer)
    if client == 5:
        assert b.client.co_statuses == [(call, *each) for each in news]
        return
    told = [(of, code, state.media_connect_state, state.xmit_link_speed) for of, code, state in b.client.co_statuses]
    connected, speed = ndis.MediaConnectState.CONNECTED, 200_000_000
    assert told[0][:3] == (call, NdisStatus.LINK_STATE, ndis.MediaConnectState.DISCONNECTED)
    assert told[1:] == [
        (call, NdisStatus.LINK_STATE, connected, 1_000_000_000),
        (call, NdisStatus.LINK_STATE, connected, speed),
    ]


# NDIS 5 by itself.


@pytest.mark.rule("CD-10")
@pytest.mark.parametrize("completion", ["inline", "deferred"])
def test_an_array_goes_down_as_it_is_and_each_packet_ends_by_itself(of_versions, completion):
    b = of_versions(5, 5, completion=completion)
    call = b.client.make_call()
    packets = call.send(*b.frames(3))
    b.run()
    assert (b.data(call).arrays, call.completed) == ([3], [(packet, NdisStatus.SUCCESS) for packet in packets])


class AnswersInTheBlock(FunctionalCoMiniport5):
    """Writes its answer into the packet, as a serialized connectionless miniport would."""

    def co_send_packets(self, vc, packets):
        super().co_send_packets(vc, packets)
        ndis5.set_packet_status(packets[-1], NdisStatus.RESOURCES)


@pytest.mark.rule("CD-10")
@pytest.mark.mutant("CD-10")
@pytest.mark.parametrize("client", [5, 6])
def test_mutant_miniport_answers_a_send_with_resources(cobench, client):
    b = cobench(client=CLIENTS[client], co_miniport=AnswersInTheBlock)
    call = b.client.make_call()
    with expect_violation(b.ndis, "CD-10"):
        call.send(b.frame())
    b.data(call).complete_all()
    assert statuses(call) == [NdisStatus.SUCCESS]


@pytest.mark.rule("CD-10")
@pytest.mark.mutant("CD-10")
def test_mutant_miniport_completes_a_packet_with_pending(of_versions):
    b = of_versions(5, 5)
    call = b.client.make_call()
    call.send(b.frame())
    with expect_violation(b.ndis, "CD-10"):
        b.data(call).complete_all(NdisStatus.PENDING)
    assert statuses(call) == [NdisStatus.FAILURE]


@pytest.mark.rule("S5-12")
def test_mutant_miniport_completes_a_packet_of_a_vc_twice(of_versions):
    b = of_versions(5, 5)
    call = b.client.make_call()
    (packet,) = call.send(b.frame())
    b.data(call).complete_all()
    with expect_violation(b.ndis, "S5-12"):
        b.data(call).complete(packet)
    assert len(call.completed) == 1


def test_mutant_miniport_completes_a_packet_on_another_vc(of_versions):
    b = of_versions(5, 5)
    one, other = (b.client.make_call() for _ in range(2))
    (packet,) = one.send(b.frame())
    with expect_violation(b.ndis, "S5-12"):
        condis5.mco_send_complete(b.data(other).handle, packet, NdisStatus.SUCCESS)
    b.data(one).complete_all()
    assert (len(one.completed), len(other.completed)) == (1, 0)


@pytest.mark.rule("CC-08")
def test_mutant_5x_miniport_indicates_on_an_inactive_vc(of_versions):
    b = of_versions(5, 5)
    call = b.client.new_call()
    with expect_violation(b.ndis, "CC-08"):
        b.data(call).indicate(b.frame())
    assert (call.received, len(b.fm.returned)) == ([], 1)


@pytest.mark.rule("CD-11")
def test_receive_complete_follows_the_indications(of_versions):
    b = of_versions(5, 5, clients=2)
    call = b.client.make_call()
    b.data(call).indicate(b.frame(1), complete=False)
    b.data(call).indicate(b.frame(2), complete=False)
    assert [each.receive_completes for each in b.clients] == [0, 0]
    condis5.mco_receive_complete(b.fm.adapter)
    condis5.mco_receive_complete(b.fm.adapter)
    assert [each.receive_completes for each in b.clients] == [1, 0]


@pytest.mark.rule("CD-11")
def test_over_a_6x_miniport_each_indication_has_its_receive_complete(of_versions):
    b = of_versions(5, 6)
    call = b.client.make_call()
    b.data(call).indicate(b.frame(1), b.frame(2))
    assert b.client.receive_completes == 1


@pytest.mark.rule("CD-11", "R5-14")
@pytest.mark.parametrize("missing", ["co_send_complete", "co_receive_packet"])
def test_a_protocol_that_cannot_hear_of_its_data_opens_no_address_family(cobench, missing):
    class Deaf(FunctionalCoClient5):
        def characteristics(self):
            return replace(super().characteristics(), **{missing: None})

    b = cobench(client=Deaf)
    assert b.client.open_family() is NdisStatus.BAD_CHARACTERISTICS
    assert b.client.af is None


@pytest.mark.rule("CD-11", "R5-14")
def test_a_plain_5x_protocol_on_a_co_adapter_has_no_co_side(of_versions):
    b = of_versions(5, 5)
    plain = b.add(FunctionalProtocol5(b.ndis, "plain"))
    assert plain.open.core.co is None
    status, af = condis5.cl_open_address_family(plain.open, FAMILY, None, b.client.client_handlers())
    assert (status, af) == (NdisStatus.BAD_CHARACTERISTICS, None)


@pytest.mark.rule("R5-05")
def test_mutant_5x_client_returns_more_than_it_said(of_versions):
    b = of_versions(5, 5)
    call = b.client.make_call()
    (packet,) = b.data(call).indicate(b.frame())
    with expect_violation(b.ndis, "R5-05"):
        ndis5.return_packets([packet], b.client.open)


@pytest.mark.rule("XL-16")
@pytest.mark.parametrize("who", ["client", "miniport"])
def test_mutant_of_ndis_6_calls_what_is_of_ndis_5(of_versions, who):
    b = of_versions(6, 6)
    call = b.client.make_call()
    vc = b.data(call).handle
    packet = None
    with expect_violation(b.ndis, "XL-16"):
        if who == "client":
            condis5.co_send_packets(call.open, [packet])
            condis5.cl_open_address_family(b.client.open, FAMILY, None, b.client.client_handlers())
            condis5.cm_register_address_family(b.client.open, FAMILY, b.signalling.handlers())
            condis5.co_request(b.client.open, None, None, None, request())
        else:
            condis5.mco_send_complete(vc, packet, NdisStatus.SUCCESS)
            condis5.mco_indicate_receive_packet(vc, [packet])
            condis5.mco_receive_complete(b.fm.adapter)
            condis5.mco_indicate_status(b.fm.adapter, None, NdisStatus.WAN_LINE_DOWN)
            condis5.mcm_register_address_family(b.fm.adapter, FAMILY, b.signalling.handlers())
            condis5.mcm_request(b.client.opened, None, None, request())


def test_connectionless_packets_go_on_beside_the_calls(of_versions):
    b = of_versions(5, 5, protocols=0)
    b.run(b.client.listen())
    call = b.client.make_call()
    b.client.send_array(b.frame(1, destination=bytes(6)))
    call.send(b.frame(2))
    b.fm.indicate(b.frame(3))
    b.data(call).indicate(b.frame(4))
    assert (b.fm.sent_frames, b.data(call).sent_frames) == ([b.frame(1, destination=bytes(6))], [b.frame(2)])
    assert (b.client.received, call.received) == ([b.frame(3)], [b.frame(4)])
    b.fm.complete()
    b.data(call).complete_all()


@pytest.mark.rule("ST-03")
@pytest.mark.parametrize(("client", "miniport"), [(5, 5), (6, 5)])
def test_a_pause_waits_for_the_packets_that_a_5x_miniport_has_on_vcs(of_versions, client, miniport):
    b = of_versions(client, miniport)
    call = b.client.make_call()
    call.send(b.frame())
    data = b.data(call)
    b.kernel.set_timer(1000, data.complete_all)
    b.run(ndis.pause_adapter(b.fm.adapter))
    assert statuses(call) == [NdisStatus.SUCCESS]
    call.send(b.frame())
    assert statuses(call)[1:] == [NdisStatus.FAILURE if client == 5 else NdisStatus.PAUSED]
    b.run(ndis.restart_adapter(b.fm.adapter))


# Requests.


def request(oid=0x00010106, size=4):
    return NdisRequest(RequestType.QUERY_INFORMATION, oid, bytearray(size))


@pytest.mark.parametrize("miniport", [5, 6])
@pytest.mark.parametrize("pends", [False, True])
def test_a_5x_client_asks_the_miniport(of_versions, miniport, pends):
    b = of_versions(5, miniport)
    b.fm.answers[0x1234] = b"four"
    call = b.client.make_call()
    asked = request(0x1234)
    if pends:
        b.co.script.pend.update({"co_request", "oid_request"})
    status = b.client.ask(None, call, asked)
    if pends:
        assert status is NdisStatus.PENDING
        if miniport == 5:
            held = b.fm.co_requests[0]
            condis5.mco_request_complete(b.fm.adapter, held, held.reply(b"four"))
        else:
            _, held = b.fm.co_requests[0]
            condis.mco_complete_oid_request(b.fm.adapter, None, held, ndis.answer_query(held, b"four"))
        status = b.client.co_answers[0][1]
        assert b.client.co_answers[0][0] is asked
    assert (status, asked.answer()) == (NdisStatus.SUCCESS, b"four")


@pytest.mark.parametrize("client", [5, 6])
def test_a_client_asks_the_call_manager(of_versions, client):
    b = of_versions(client, 6)
    b.signalling.data[0x77] = b"cm"
    asked = request(0x77) if client == 5 else ndis.query(0x77, 4)
    assert b.client.ask(b.client.opened, None, asked) is NdisStatus.SUCCESS
    assert asked.answer() == b"cm"
    other = request(0x78) if client == 5 else ndis.query(0x78, 4)
    refused = NdisStatus.INVALID_OID if client == 5 else NdisStatus.NOT_SUPPORTED  # as NDIS 5 calls it
    assert b.client.ask(b.client.opened, None, other) is refused


@pytest.mark.parametrize("pends", [False, True])
def test_the_call_manager_asks_a_5x_client(of_versions, pends):
    b = of_versions(5, 6)
    asked = ndis.query(0x99, 4)
    if pends:
        b.client.pend.add("oid_request")
    af = b.client.opened
    status = condis.co_oid_request(b.cm.open, af, None, None, asked)
    (seen,) = b.client.co_requests
    assert isinstance(seen, NdisRequest)
    if pends:
        assert status is NdisStatus.PENDING
        condis5.co_request_complete(af, None, None, seen, NdisStatus.SUCCESS)
        assert b.signalling.answers == [(asked, NdisStatus.SUCCESS)]
        with expect_violation(b.ndis, "C5-06"):
            condis5.co_request_complete(af, None, None, seen, NdisStatus.SUCCESS)
    else:
        assert status is NdisStatus.SUCCESS


@pytest.mark.rule("C5-06")
def test_mutant_issues_a_request_again_while_it_pends(of_versions):
    b = of_versions(5, 5)
    b.co.script.pend.add("co_request")
    asked = request()
    b.client.ask(None, None, asked)
    with expect_violation(b.ndis, "C5-06"):
        b.client.ask(None, None, asked)
    condis5.mco_request_complete(b.fm.adapter, b.fm.co_requests[0], NdisStatus.SUCCESS)


# Call managers of NDIS 5.


@pytest.mark.rule("CC-23")
@pytest.mark.parametrize("miniport", [FunctionalCoMiniport, FunctionalCoMiniport5])
def test_a_5x_call_manager_serves_clients_of_both_versions(miniport):
    from hilnic.testing import NdisBench

    b = NdisBench(protocols=0, miniport=miniport)
    manager = b.add(FunctionalCallManager5(b.ndis))
    clients = [b.add(FunctionalCoClient(b.ndis, "six")), b.add(FunctionalCoClient5(b.ndis, "five"))]
    for client in clients:
        call = client.make_call(call_parameters())
        assert call.status is NdisStatus.SUCCESS
        client.register_sap(client.name.encode())
        manager.signalling.offer(client.name.encode())
        taken = client.calls[-1]
        assert taken.is_connected
        for each in (call, taken):
            each.close()
            b.run()
        call.delete()
        client.deregister_sap(client.saps[0])
        assert client.close_family() is NdisStatus.SUCCESS
    assert clients[0].heard == [event.replace("five", "six") for event in clients[1].heard]
    b.stop()


class Mcm5(FunctionalCoMiniport5):
    """A miniport call manager of NDIS 5: its VCs are those of its signalling."""

    def __init__(self, *args, **options):
        self.signalling = Signalling(self, "mcm")
        super().__init__(*args, **options)

    def characteristics(self):
        def co_send(vc, packets):
            vc.data.miniport.co_send_packets(vc.data, packets)

        return replace(super().characteristics(), co_create_vc=None, co_delete_vc=None, co_send_packets=co_send)

    def initialize(self, adapter, mediums):
        answer = super().initialize(adapter, mediums)
        condis5.mcm_register_address_family(adapter, FAMILY, self.signalling.handlers())
        return answer

    def new_vc(self, af, context):
        status, context.handle = condis.mcm_create_vc(self.adapter, af, context)
        self.vc_created(context)
        return status, context.handle

    def delete(self, vc):
        return condis.mcm_delete_vc(vc.open)

    def activate(self, vc, parameters):
        return condis.mcm_activate_vc(vc.open, parameters)

    def deactivate(self, vc):
        vc.data.complete_all(NdisStatus.FAILURE)
        return condis.mcm_deactivate_vc(vc.open)

    def family_closed(self):
        pass

    def vc_created(self, vc):
        vc.data = self.create_vc(vc.open)[1]

    def vc_deleted(self, vc):
        self.vcs.remove(vc.data)


@pytest.mark.rule("CC-22")
@pytest.mark.parametrize("client", [5, 6])
def test_a_5x_miniport_call_manager_serves_clients_of_both_versions(cobench, client):
    b = cobench(kind="mcm", co_miniport=Mcm5, client=CLIENTS[client])
    call = b.client.make_call(call_parameters())
    call.send(b.frame(1))
    b.data(call).complete_all()
    b.data(call).indicate(b.frame(2))
    assert (statuses(call), call.received) == ([NdisStatus.SUCCESS], [b.frame(2)])
    asked = request(0x99)
    assert condis5.mcm_request(b.client.opened, None, None, asked) is NdisStatus.SUCCESS
    assert len(b.client.co_requests) == 1
    taken = b.incoming()
    assert taken.is_connected


def test_a_miniport_with_half_the_co_handlers_is_not_registered():
    b = Bench5()

    class Half(FunctionalCoMiniport5):
        def characteristics(self):
            return replace(super().characteristics(), co_activate_vc=None)

    with pytest.raises(AssertionError):
        Half(b.ndis)
    b.stop()


def test_packets_that_were_sent_on_a_vc_are_the_clients_again(of_versions):
    b = of_versions(5, 5)
    call = b.client.make_call()
    (packet,) = call.send(b.frame())
    with expect_violation(b.ndis, "S5-08"):
        condis5.co_send_packets(call.open, [packet])
    b.data(call).complete_all()
    call.completed.clear()
    free_built_packet(packet)


@pytest.mark.rule("OB-02")
def test_mutant_5x_miniport_indicates_a_packet_with_a_header_on_a_vc(of_versions):
    b = of_versions(5, 5)
    call = b.client.make_call()
    packet = b.data(call).build(b.frame())
    ndis5.set_packet_header_size(packet, 14)
    with expect_violation(b.ndis, "OB-02"):
        b.data(call).indicate_packets([packet])
    ndis5.set_packet_header_size(packet, 0)
    b.data(call).indicate_packets([packet])
    assert call.received == [b.frame()]
