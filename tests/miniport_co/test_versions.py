# SPDX-License-Identifier: Apache-2.0
"""Claims about both data versions: either client over either driver, on both ends, with the same data and fates."""

import itertools

import pytest

from hilnic import ndis
from hilnic.hw.timing import TimingModel
from hilnic.hw.trace import Trace
from hilnic.miniport_co.oids import CoOid
from hilnic.ndis import NdisStatus, ReceiveFlags, condis
from hilnic.ndis.condis import ndis5 as condis5
from hilnic.ndis.ndis5 import NdisRequest
from hilnic.protocols.raw import RawProtocol
from hilnic.testing.co_client5 import FunctionalCoClient5
from hilnic.testing.co_host import address

LENGTHS = (1, 2, 14, 41, 42, 43, 45, 46, 47, 100, 1499, 1500)
CORNERS = list(itertools.product(("6", "5"), ("6-co", "5-co")))


def sdu(number, length):
    return bytes((number + i) & 0xFF for i in range(length))


@pytest.fixture(params=CORNERS, ids=lambda corner: f"client {corner[0]} over {corner[1]}")
def corner(request):
    client, miniport = request.param
    return {"client": client, "miniport": miniport}


@pytest.mark.rule("XL-17")
@pytest.mark.rule("CD-10")
def test_sdus_arrive_as_they_were_sent(make_pair, corner):
    pair = make_pair(verify="full", timing=TimingModel(jitter_percent=50, weak=True, seed=2), **corner)
    ours, theirs = pair.calls()
    sdus = [sdu(number, length) for number, length in enumerate(LENGTHS)] * 4
    for first in range(0, len(sdus), 7):
        ours.send(*sdus[first : first + 7])
        theirs.send(*sdus[first : first + 7])
    pair.until(lambda: len(ours.received) == len(theirs.received) == len(sdus))
    assert ours.received == theirs.received == sdus
    pair.until(lambda: not ours.in_flight)
    assert {status for _, status in ours.completed} == {NdisStatus.SUCCESS}


@pytest.mark.parametrize("miniport", ["6-co", "5-co"])
def test_what_comes_in_a_dpc_is_indicated_as_at_dispatch_level(make_pair, miniport):
    """The levels of a real host are other objects than those of the tests' kernel, though as numbers the same."""
    raws, beside = [RawProtocol(), RawProtocol()], []

    def note(binding, nbls, count, flags):
        beside.append(flags)
        binding.return_nbls(nbls)

    raws[1].on_receive = note
    pair = make_pair(miniport=miniport, protocols=lambda number: (raws[number],))
    ours, theirs = pair.calls()
    ours.send(b"one", b"two")
    raws[0].bindings["nic0"].send(address(1) + address(0) + b"\x88\xb5" + bytes(60))
    pair.until(lambda: len(theirs.received) == 2 and beside)
    assert all(flags & ReceiveFlags.DISPATCH_LEVEL for flags in theirs.receive_flags + beside)


@pytest.mark.rule("XL-18")
def test_connections_keep_their_order_beside_the_connectionless_path(make_pair, corner):
    raws = [RawProtocol(), RawProtocol()]
    pair = make_pair(protocols=lambda number: (raws[number],), **corner)
    ends = [pair.calls(vlan) for vlan in (10, 20)]
    frame = address(1) + address(0) + b"\x88\xb5" + bytes(60)
    for number in range(14):
        for which, (ours, _) in enumerate(ends):
            ours.send(sdu(number + which, 60 + number), sdu(number, 300))
        raws[0].bindings["nic0"].send(frame)
    for which, (_, theirs) in enumerate(ends):
        expected = [data for n in range(14) for data in (sdu(n + which, 60 + n), sdu(n, 300))]
        pair.until(lambda theirs=theirs: len(theirs.received) == 28)
        assert theirs.received == expected
    pair.until(lambda: len(raws[1].bindings["nic1"].received) == 14)


def test_the_trace_knows_each_frame_with_its_header_and_tag(make_pair, corner):
    trace = Trace(enabled=True)
    pair = make_pair(trace=trace, **corner)
    sent = []

    def cable(far):
        def carry(frame):
            sent.append(trace.find("tx", frame.data))
            trace.tag("rx", frame.data)
            far.wire.send(frame)

        return carry

    for nic, far in (pair.nics, pair.nics[::-1]):
        nic.wire.connect(cable(far))
    ours, theirs = pair.calls(priority=5)
    ours.send(*[sdu(number, length) for number, length in enumerate(LENGTHS)])
    theirs.send(b"and back")
    pair.until(lambda: len(theirs.received) == len(LENGTHS) and ours.received)
    kinds = [{kind for _, kind, _ in trace.follow(frame)} for frame in sent]
    assert all("tx.descriptors" in each and each & {"nbl.send", "packet.send"} for each in kinds)
    came = [fields["frame"] for _, kind, fields in trace.events if kind == "rx.completion"]
    assert len(came) == len(sent)
    assert all({"nbl.indicate", "packet.indicate"} & {kind for _, kind, _ in trace.follow(frame)} for frame in came)


def test_a_contract_is_kept_by_either_driver(make_pair, corner):
    pair = make_pair(**corner)
    ours, theirs = pair.calls(rate=25_000_000, burst=4000)
    ours.send(*[bytes(1000)] * 60)
    begin = pair.clock.now_ns()
    pair.until(lambda: len(theirs.received) == 60, 10_000_000)
    assert (pair.clock.now_ns() - begin) * 25_000_000 / 10**9 > 60 * 1022 - 4000


def test_what_is_too_long_is_refused_and_the_rest_goes(make_pair, corner):
    pair = make_pair(verify="full", **corner)
    ours, theirs = pair.calls(max_sdu=200)
    ours.send(bytes(201))
    ours.send(bytes(200))
    pair.until(lambda: len(ours.completed) == 2)
    statuses = {status for _, status in ours.completed}
    assert NdisStatus.SUCCESS in statuses
    assert statuses & {NdisStatus.INVALID_LENGTH, NdisStatus.INVALID_PACKET}
    pair.until(lambda: theirs.received == [bytes(200)])


@pytest.mark.rule("ST-13")
def test_a_reset_brings_connections_back_in_either_driver(make_pair, corner):
    pair = make_pair(**corner)
    ours, theirs = pair.calls(rate=12_500_000)
    ours.send(*[bytes(500)] * 40)
    pair.sleep(100_000)
    assert pair.run(ndis.reset_adapter(pair.one.stack.adapter)) is NdisStatus.SUCCESS
    pair.until(lambda: not ours.in_flight)
    before = len(theirs.received)
    ours.send(b"after the reset")
    pair.until(lambda: len(theirs.received) > before)
    assert theirs.received[-1] == b"after the reset"


@pytest.mark.parametrize("miniport", ["6-co", "5-co"])
def test_a_chain_of_too_many_pieces_is_copied(make_pair, miniport):
    pair = make_pair(max_fragments=4, miniport=miniport)
    ours, theirs = pair.calls()
    data = sdu(1, 300)
    ours.send_nbls([ours.build(data, cuts=[10] * 20)])
    pair.until(lambda: theirs.received == [data])
    (connection,) = pair.one.stack.connections.by_entry.values()
    assert connection.tx.statistics().copied == 1


def ask(pair, call, oid, size=8):
    """What the miniport answers to the client about one VC; None when it does not know."""
    client, buffer = pair.one.client, bytearray(size)
    if isinstance(client, FunctionalCoClient5):
        request = NdisRequest(ndis.RequestType.QUERY_INFORMATION, oid, buffer)
        status = condis5.co_request(client.open, None, call.open, None, request)
    else:
        request = ndis.OidRequest(ndis.RequestType.QUERY_INFORMATION, oid, buffer)
        status = condis.co_oid_request(client.open, None, call.open, None, request)
    if status is NdisStatus.PENDING:
        pair.until(lambda: client.co_answers)
        answered, status = client.co_answers.pop()
        assert answered is request
    return int.from_bytes(request.answer(), "little") if status is NdisStatus.SUCCESS else None


def test_each_vc_has_counters_of_its_own_which_the_nic_counts(make_pair, corner, small):
    pair = make_pair(connections=small, **corner)
    (ours, theirs), (other, _) = pair.calls(100, max_sdu=200), pair.calls(200)
    ours.send(bytes(201))  # too long: an error of the VC's
    ours.send(*[bytes(100)] * 3)
    theirs.send(*[bytes(50)] * 2)
    pair.until(lambda: len(theirs.received) == 3 and len(ours.received) == 2 and not ours.in_flight)
    frames, octets = 3, 3 * (100 + 22)
    expected = {
        CoOid.OID_GEN_CO_XMIT_PDUS_OK: frames,
        CoOid.OID_GEN_CO_BYTES_XMIT: octets,
        CoOid.OID_GEN_CO_XMIT_PDUS_ERROR: 1,
        CoOid.OID_GEN_CO_RCV_PDUS_OK: 2,
        CoOid.OID_GEN_CO_BYTES_RCV: 2 * (50 + 14),  # as they lie in memory: tag and FCS are gone
        CoOid.OID_GEN_CO_RCV_PDUS_ERROR: 0,
        CoOid.OID_GEN_CO_RCV_PDUS_NO_BUFFER: 0,
        CoOid.OID_GEN_CO_TRANSMIT_QUEUE_LENGTH: 0,
    }
    assert {oid: ask(pair, ours, oid) for oid in expected} == expected
    assert {ask(pair, other, oid) for oid in expected} == {0}
    assert ask(pair, ours, CoOid.OID_GEN_CO_XMIT_PDUS_OK, 4) == frames
    assert ask(pair, ours, 0x00029999) is None


def states(client, call):
    """What a client has heard of a VC's link, in the words of NDIS 6: (connected, bits per second down)."""
    told = []
    for of, code, buffer in client.co_statuses:
        if of is not call:
            continue
        if code is NdisStatus.LINK_STATE:
            told.append((buffer.media_connect_state is ndis.MediaConnectState.CONNECTED, buffer.xmit_link_speed))
        elif code is NdisStatus.LINK_SPEED_CHANGE:
            told.append((True, 100 * int.from_bytes(buffer, "little")))
        else:
            told.append((code is NdisStatus.MEDIA_CONNECT, None))
    return told


@pytest.mark.rule("CD-13")
def test_the_link_is_told_to_the_adapters_clients_and_to_the_user_of_each_vc(make_pair, corner):
    pair = make_pair(**corner)
    ends = [pair.calls(vlan, rate=rate)[0] for vlan, rate in ((100, 12_500_000), (200, 25_000_000))]
    client = pair.one.client
    client.co_statuses.clear()
    for up in (False, True):
        pair.nics[0].set_link(up)
        pair.sleep(2_000_000)
    assert {told[0] for told in client.co_statuses} == {None, *ends}
    for call, speed in zip(ends, (100_000_000, 200_000_000), strict=True):
        heard = states(client, call)
        assert not heard[0][0]
        assert heard[-1] == (True, speed)
        assert all(connected for connected, _ in heard[1:])


@pytest.mark.rule("CC-22")
@pytest.mark.parametrize("miniport", ["6-mcm", "5-mcm"])
def test_the_signalling_of_an_integrated_call_manager_is_nothing_to_ndis(make_pair, miniport):
    pair = make_pair(miniport=miniport)
    ours, _ = pair.calls()
    assert len(pair.one.stack.connections.by_entry) == 2
    assert pair.one.stack.adapter.co.vcs == [ours.open.vc]
    client = pair.one.client
    client.co_statuses.clear()
    for up in (False, True):
        pair.nics[0].set_link(up)
        pair.sleep(2_000_000)
    assert [of for of, _, _ in client.co_statuses].count(None) == 2, "of the adapter, once for each change"


@pytest.mark.rule("CD-13")
def test_a_new_contract_is_a_new_speed_of_its_vc_alone(make_pair, corner):
    pair = make_pair(**corner)
    (ours, _), (other, _) = pair.calls(100, rate=12_500_000), pair.calls(200, rate=25_000_000)
    client = pair.one.client
    client.co_statuses.clear()
    pair.run(pair.one.change(ours, 100, rate=50_000_000))
    assert states(client, ours)[-1] == (True, 400_000_000)
    assert not states(client, other)
    assert {told[0] for told in client.co_statuses} == {ours}


@pytest.mark.rule("ST-24")
def test_connections_come_back_after_sleep(make_pair):
    pair = make_pair()
    ours, theirs = pair.calls(rate=12_500_000)
    adapter = pair.one.stack.adapter
    pair.run(ndis.set_adapter_power(adapter, ndis.DevicePowerState.D3))
    pair.run(ndis.set_adapter_power(adapter, ndis.DevicePowerState.D0))
    ours.send(b"awake again, on the same connection")
    theirs.send(b"and in the other direction")
    pair.until(lambda: theirs.received and ours.received)
