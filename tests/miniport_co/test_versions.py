# SPDX-License-Identifier: Apache-2.0
"""Claims about both data versions: either client over either driver, on both ends, with the same data and fates."""

import itertools

import pytest

from hilnic import ndis
from hilnic.hw.timing import TimingModel
from hilnic.miniport_co.oids import CoOid
from hilnic.ndis import NdisStatus
from hilnic.protocols.raw import RawProtocol
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


def test_counters_are_asked_for_in_either_version(make_pair, corner):
    pair = make_pair(**corner)
    ours, theirs = pair.calls()
    ours.send(*[bytes(100)] * 3)
    pair.until(lambda: len(theirs.received) == 3 and not ours.in_flight)
    (connection,) = pair.one.stack.connections.by_entry.values()
    assert pair.run(connection.entry.counter(0)) == 3
    assert connection.tx.statistics().sent == 3
    assert CoOid.OID_GEN_CO_XMIT_PDUS_OK == 0x00020101


def test_the_link_is_told_to_connection_oriented_clients(make_pair, corner):
    pair = make_pair(**corner)
    client = pair.one.client
    before = len(client.co_statuses)
    for up in (False, True):
        pair.nics[0].set_link(up)
        pair.sleep(2_000_000)
    assert len(client.co_statuses) >= before + 2
    assert {told[0] for told in client.co_statuses} == {None}


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
