# SPDX-License-Identifier: Apache-2.0
"""Claims about the life of connections: activation, changes, the end, and what the adapter's life does to them."""

import itertools
import os

import pytest

from hilnic import ndis
from hilnic.hw import regs
from hilnic.miniport_co.contract import Unfit, contract_of
from hilnic.miniport_co.oids import CoOid
from hilnic.model.build import Build
from hilnic.ndis import NdisStatus, RequestType, condis
from hilnic.ndis.condis import MediaFlags, ServiceType
from hilnic.stack import CoConfig, StackError
from hilnic.testing.co_host import call_parameters

GUARANTEED = ServiceType.GUARANTEED
LIVES = 100 if os.environ.get("HILNIC_SOAK") else 15


def refused(pair, vlan, **parameters):
    """The status of a call that the miniport does not activate."""
    call = pair.one.client.make_call(call_parameters(vlan, **parameters))
    pair.until(lambda: call.status is not NdisStatus.PENDING)
    call.delete()
    return call.status


def connection(host, entry=0):
    return host.stack.connections.by_entry[entry]


@pytest.mark.rule("CC-09")
@pytest.mark.rule("CC-25")
def test_the_network_changes_a_contract_in_traffic(pair):
    ours, theirs = pair.calls(rate=12_500_000)
    ours.send(*[bytes([n]) * 800 for n in range(60)])
    pair.sleep(200_000)
    pair.run(pair.one.change(ours, 100, rate=62_500_000))
    contract = connection(pair.one).contract
    assert contract.interval == 131072
    assert pair.nics[0].vcs.entries[0].contract.interval == contract.interval
    pair.until(lambda: len(theirs.received) == 60)
    assert theirs.received == [bytes([n]) * 800 for n in range(60)]


def test_a_burst_goes_at_the_peak_rate_and_the_rest_at_the_contracts(pair):
    ours, theirs = pair.calls(rate=5_000_000, burst=16_000, peak=50_000_000)
    ours.send(*[bytes(1000)] * 24)
    pair.until(lambda: len(theirs.received) == 24, 10_000_000)
    times = [frame.time_ns for frame in pair.wire]
    distances = [after - before for before, after in itertools.pairwise(times)]
    for of, rate in ((distances[2:12], 50_000_000), (distances[-6:], 5_000_000)):
        assert 1022 * len(of) * 10**9 / sum(of) == pytest.approx(rate, rel=0.01)


@pytest.mark.rule("CC-09")
def test_a_change_that_is_refused_leaves_everything_as_it_was(pair):
    ours, theirs = pair.calls(rate=12_500_000)
    before = connection(pair.one).contract
    vc = pair.one.managed(ours)
    assert pair.one.manager.signalling.activate(vc, call_parameters(100, rate=0)) is NdisStatus.INVALID_DATA
    pair.one.manager.signalling.activate(vc, call_parameters(101, rate=12_500_000))  # another VLAN id
    pair.until(lambda: not vc.is_activating)
    assert connection(pair.one).contract == before
    ours.send(b"still here")
    pair.until(lambda: theirs.received == [b"still here"])


def test_what_no_page_can_say_is_refused(pair):
    assert refused(pair, 100, burst=100, rate=1_000_000) is NdisStatus.INVALID_DATA
    assert refused(pair, 100, rate=100) is NdisStatus.INVALID_DATA
    assert refused(pair, 100, rate=2_000_000, peak=1_000_000) is NdisStatus.INVALID_DATA
    assert refused(pair, 100, max_sdu=9000) is NdisStatus.INVALID_DATA


def test_the_line_is_not_promised_twice(pair):
    pair.calls(100, rate=100_000_000, service=GUARANTEED)
    assert refused(pair, 101, rate=20_000_000, service=GUARANTEED) is NdisStatus.CELLRATE_NOT_AVAILABLE
    pair.calls(102, rate=10_000_000, service=GUARANTEED)
    pair.calls(103, rate=20_000_000)


def test_a_vlan_id_has_one_owner(pair):
    pair.run(pair.one.call(100))
    assert refused(pair, 100) is NdisStatus.VC_NOT_AVAILABLE
    pair.run(pair.one.call(101))


def test_entries_run_out_and_come_back(pair):
    calls = [pair.run(pair.one.call(100 + n)) for n in range(8)]
    assert pair.one.client.new_call().status is NdisStatus.RESOURCES
    pair.run(pair.one.hang_up(calls[3]))
    assert connection(pair.one, 4).contract is not None
    pair.run(pair.one.call(200))
    assert connection(pair.one, 3).contract.media.vlan_id == 200


def test_a_connection_without_memory_is_refused_and_leaves_nothing(make_pair):
    pair = make_pair(memory=1 << 20, rx_buffers=64, rx_ring=64, rx_low_water=0)
    statuses = []
    while not statuses or statuses[-1] is NdisStatus.SUCCESS:
        call = pair.one.client.make_call(call_parameters(100 + len(statuses)))
        pair.until(lambda call=call: call.status is not NdisStatus.PENDING)
        statuses.append(call.status)
    call.delete()
    assert statuses[-1] is NdisStatus.RESOURCES
    assert 1 < len(statuses) < 9


@pytest.mark.rule("CC-11")
def test_a_connection_comes_and_goes_again_and_again(make_pair):
    pair = make_pair(connections=CoConfig(tx_ring=8, rx_ring=8, rx_buffers=12, rx_low_water=0))
    for life in range(LIVES):
        ours, theirs = pair.calls(100 + life % 3)
        ours.send(bytes([life]) * 100)
        pair.until(lambda theirs=theirs: theirs.received)
        assert theirs.received == [bytes([life]) * 100]
        pair.run(pair.one.hang_up(ours))
        pair.run(pair.other.hang_up(theirs))


@pytest.mark.rule("CC-10")
def test_the_end_waits_for_sdus_that_the_client_holds(pair):
    ours, theirs = pair.calls()
    pair.other.client.hold = True
    ours.send(b"one", b"two")
    pair.until(lambda: len(theirs.held) == 2)
    theirs.close()
    pair.sleep(500_000)
    assert not theirs.is_closed
    theirs.give_back()
    pair.until(lambda: theirs.is_closed)


def test_an_entry_is_reused_with_frames_in_flight(pair):
    for life in range(6):
        ours, theirs = pair.calls(100 + life)
        pair.nics[1].wire.connect(pair.wire.append)  # what the other end sends goes nowhere
        ours.send(*[bytes([life]) * 900 for _ in range(20)])
        pair.sleep(60_000)
        pair.run(pair.other.hang_up(theirs))  # while more of it is coming
        pair.run(pair.one.hang_up(ours))
        assert set(theirs.received) <= {bytes([life]) * 900}


@pytest.mark.rule("ST-03")
@pytest.mark.rule("ST-23")
def test_a_pause_lets_out_what_was_accepted_and_a_restart_goes_on(pair):
    ours, theirs = pair.calls()
    ours.send(*[bytes([n]) * 1000 for n in range(40)])
    adapter = pair.one.stack.adapter
    pair.run(ndis.pause_adapter(adapter))
    assert [status for _, status in ours.completed] == [NdisStatus.SUCCESS] * 40

    pair.until(lambda: len(theirs.received) == 40)
    assert pair.run(ndis.restart_adapter(adapter)) is NdisStatus.SUCCESS
    ours.send(b"afterwards")
    theirs.send(b"and back")
    pair.until(lambda: theirs.received[-1] == b"afterwards" and ours.received)


def pdus_sent(pair, call):
    """OID_GEN_CO_XMIT_PDUS_OK of a call's VC."""
    client, request = pair.one.client, ndis.query(CoOid.OID_GEN_CO_XMIT_PDUS_OK, 8)
    assert client.ask(None, call, request) is NdisStatus.PENDING
    pair.until(lambda: client.co_answers)
    assert client.co_answers.pop() == (request, NdisStatus.SUCCESS)
    return int.from_bytes(request.answer(), "little")


@pytest.mark.rule("ST-03")
@pytest.mark.rule("ST-23")
@pytest.mark.parametrize("miniport", ["6-co", "5-co"])
def test_a_pause_waits_200_us_for_tokens_and_the_counters_begin_again_and_ndis_5_knows_none(make_pair, miniport):
    pair = make_pair(miniport=miniport)
    ours, theirs = pair.calls(rate=5_000_000, burst=1522)  # a frame of 1522 octets each 304 us
    ours.send(*[bytes([n]) * 1500 for n in range(3)])
    pair.until(lambda: ours.completed)
    adapter, begin = pair.one.stack.adapter, pair.clock.now_ns()
    pair.run(ndis.pause_adapter(adapter))
    took = pair.clock.now_ns() - begin
    statuses = [status for _, status in ours.completed]
    assert pdus_sent(pair, ours) == statuses.count(NdisStatus.SUCCESS)  # they can still be read
    assert pair.run(ndis.restart_adapter(adapter)) is NdisStatus.SUCCESS
    if miniport == "6-co":
        assert statuses == [NdisStatus.SUCCESS, NdisStatus.PAUSED, NdisStatus.PAUSED]
        assert 200_000 <= took < 230_000
        assert pdus_sent(pair, ours) == 0
    else:
        assert statuses == [NdisStatus.SUCCESS] * 3
        assert took > 2 * 250_000
        assert pdus_sent(pair, ours) == 3
    before = pdus_sent(pair, ours)
    ours.send(b"afterwards")
    pair.until(lambda: theirs.received[-1] == b"afterwards")
    assert pdus_sent(pair, ours) == before + 1


@pytest.mark.rule("ST-13")
def test_a_reset_brings_every_connection_back(pair):
    ends = [pair.calls(100 + n, rate=12_500_000 * (1 + n)) for n in range(3)]
    for ours, _ in ends:
        ours.send(*[bytes(500)] * 30)
    pair.sleep(100_000)
    assert pair.run(ndis.reset_adapter(pair.one.stack.adapter)) is NdisStatus.SUCCESS
    for number, (ours, theirs) in enumerate(ends):
        assert {status for _, status in ours.completed} <= {NdisStatus.SUCCESS, NdisStatus.RESET_IN_PROGRESS}
        assert not ours.in_flight
        before = len(theirs.received)
        ours.send(bytes([number]))
        pair.until(lambda theirs=theirs, before=before: len(theirs.received) > before)
        assert theirs.received[-1] == bytes([number])


@pytest.mark.rule("ST-17")
def test_a_nic_that_is_pulled_out_ends_every_send(pair):
    ours, _ = pair.calls(rate=1_000_000, burst=1522)
    ours.send(*[bytes(1000)] * 20)
    pair.sleep(50_000)
    pair.nics[0].remove()
    pair.one.stack.co_nic.surprise_removed()
    pair.until(lambda: not ours.in_flight)
    assert len(ours.completed) == 20


def test_a_card_without_connections_is_refused(make_pair):
    with pytest.raises(StackError) as failure:
        make_pair(build=Build())
    assert failure.value.status is NdisStatus.NOT_SUPPORTED


def test_oids_of_a_connection_count_what_it_did(pair):
    ours, theirs = pair.calls()
    ours.send(*[bytes(100)] * 5)
    ours.send(bytes(2000))
    pair.until(lambda: len(theirs.received) == 5 and len(ours.completed) == 6)
    assert ask(pair, ours, CoOid.OID_GEN_CO_XMIT_PDUS_OK) == 5
    assert ask(pair, ours, CoOid.OID_GEN_CO_BYTES_XMIT) == 5 * 122
    assert ask(pair, ours, CoOid.OID_GEN_CO_XMIT_PDUS_ERROR) == 1
    assert ask(pair, ours, CoOid.OID_GEN_CO_TRANSMIT_QUEUE_LENGTH) == 0
    assert ask(pair, None, ndis.Oid.OID_GEN_MAXIMUM_SEND_PACKETS) == 256


def ask(pair, call, oid):
    """The answer to a query."""
    request = ndis.OidRequest(RequestType.QUERY_INFORMATION, oid, bytearray(8))
    client = pair.one.client
    status = client.ask(None, call, request)
    if status is NdisStatus.PENDING:
        pair.until(lambda: any(answer[0] is request for answer in client.co_answers))
        status = next(answer[1] for answer in client.co_answers if answer[0] is request)
    assert status is NdisStatus.SUCCESS
    return int.from_bytes(request.buffer[: request.bytes_written], "little")


@pytest.mark.parametrize(
    ("flags", "rate", "interval"),
    [
        (0, 12_500_001, 655360),
        (MediaFlags.ROUND_UP_FLOW, 12_500_001, 655359),
        (MediaFlags.ROUND_UP_FLOW, 1, 0xFFFFFFFF),
    ],
)
def test_rates_are_rounded_to_the_slower_side_unless_told_otherwise(flags, rate, interval):
    parameters = call_parameters(100, rate=rate)
    parameters.media.flags |= flags
    assert contract_of(parameters, 1500, 8000).interval == interval


def test_parameters_of_another_medium_are_refused():
    parameters = call_parameters(100)
    parameters.media.specific = condis.SpecificParameters(1, b"atm")
    with pytest.raises(Unfit):
        contract_of(parameters, 1500, 8000)


def test_a_look_costs_the_connections_that_have_work(make_pair):
    """With 23 connections at rest, data on one of them looks at no other's rings."""
    build = Build(num_tx_queues=33, num_rx_queues=33, num_vcs=32)
    small = CoConfig(tx_ring=8, rx_ring=8, rx_buffers=8, rx_low_water=0)
    pair = make_pair(build=build, memory=32 << 20, connections=small)
    ends = [pair.calls(100 + n) for n in range(24)]
    served = []
    for host in pair.hosts:
        for queue in host.stack.connections.queues._queues:
            if queue is not None:
                serve = queue.serve
                queue.serve = lambda budget, serve=serve, queue=queue: (served.append(queue), serve(budget))[1]
    ours, theirs = ends[17]
    ours.send(*[bytes(100)] * 20)
    pair.until(lambda: len(theirs.received) == 20)
    assert {queue.page.page for queue in served} == {regs.tx_page(18), regs.rx_page(18)}


def test_a_vlan_id_has_one_owner_also_while_the_adapter_is_paused(pair):
    pair.run(ndis.pause_adapter(pair.one.stack.adapter))
    nic = pair.one.stack.co_nic
    connections = [nic.connections.create(None)[1] for _ in range(2)]
    statuses = []
    for connection in connections:
        nic.connections.activate(connection, call_parameters(100), statuses.append)
    pair.sleep(50_000)
    assert statuses == [NdisStatus.SUCCESS, NdisStatus.VC_NOT_AVAILABLE]
    nic.connections.deactivate(connections[0], statuses.append)
    pair.sleep(50_000)
    for connection in connections:
        assert nic.connections.delete(connection) is NdisStatus.SUCCESS
    assert pair.run(ndis.restart_adapter(pair.one.stack.adapter)) is NdisStatus.SUCCESS
