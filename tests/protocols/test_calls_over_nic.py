# SPDX-License-Identifier: Apache-2.0
"""Calls between hosts whose NICs carry signalling and data: the twin, its driver, both kinds of call manager."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus
from hilnic.ndis.condis.vlan_media import VlanMedia
from hilnic.protocols.co_client import CallFailed, ConnectionState, Qos
from hilnic.signalling import SIGNALLING_FLOW, DecodeError, MessageType, decode
from hilnic.wire.ethernet import EthernetFrame

from .nic_lan import FAST, NicLan

KINDS = ["6-co", "6-mcm", "5-co", "5-mcm"]
"""Of either version: the driver with a stand-alone call manager on it; that with an integrated one."""


@pytest.fixture(params=KINDS)
def lan(request: pytest.FixtureRequest) -> Iterator[NicLan]:
    lan = NicLan(miniport=request.param)
    yield lan
    lan.stop()


def test_the_signalling_has_a_contract_of_its_own_in_the_vc_table(lan: NicLan) -> None:
    for stack in lan.stacks:
        (connection,) = stack.connections.active()
        contract = connection.contract
        assert contract is not None
        assert (contract.media.vlan_id, contract.guaranteed, contract.committed) == (5, True, SIGNALLING_FLOW.rate)
        assert (contract.burst, contract.max_sdu) == (SIGNALLING_FLOW.burst, SIGNALLING_FLOW.max_sdu)


def messages(lan: NicLan) -> list[MessageType]:
    """The signalling on the wire, in order."""
    found = []
    for _, frame in lan.frames:
        parsed = EthernetFrame.parse(frame.data)
        if parsed.tags and parsed.tags[0].vlan == 5:
            try:
                found.append(decode(parsed.payload).message.TYPE)
            except DecodeError as error:
                raise AssertionError(f"{error} on the signalling VC") from error
    return found


def test_the_signalling_crosses_the_wire_in_frames_of_its_vlan(lan: NicLan) -> None:
    lan.open()
    assert [kind.name for kind in messages(lan)] == [
        "RESTART", "RESTART_ACKNOWLEDGE", "SETUP", "CALL_PROCEEDING", "CONNECT", "STATUS", "CONNECT_ACKNOWLEDGE",
    ]  # fmt: skip


def test_data_go_both_ways(lan: NicLan) -> None:
    one, other = lan.open()
    sdus = [bytes([number]) * (1 + 150 * number) for number in range(10)]
    one.send(*sdus)
    other.send(*sdus)
    lan.sleep(2_000_000)
    assert list(other.received) == list(one.received) == sdus


def test_what_is_sent_obeys_the_contract(lan: NicLan) -> None:
    one, other = lan.open(sends=Qos(rate=12_500_000, burst=1600, max_sdu=1400))
    start = lan.clock.now_ns()
    one.send(*[bytes(1400)] * 30)
    while len(other.received) < 30:
        lan.sleep(10_000)
    octets = 29 * (1400 + 22)
    assert octets * 80 == pytest.approx(lan.clock.now_ns() - start, rel=0.05)


@pytest.mark.parametrize("rate", [120_000_000, 250_000_000])
def test_a_rate_that_may_be_rounded_down_is_what_the_driver_can_promise(lan: NicLan, rate: int) -> None:
    one, other = lan.open(sends=Qos(rate=rate, burst=6000, max_sdu=1400), receives=None, round_down=True)
    committed = lan.stacks[0].connections.config.committed_bytes
    assert one.parameters.call_manager.transmit.token_rate == committed - SIGNALLING_FLOW.rate
    one.send(bytes(1400))
    lan.sleep(1_000_000)
    assert list(other.received) == [bytes(1400)]


def test_a_change_is_felt_in_the_middle_of_traffic(lan: NicLan) -> None:
    one, other = lan.open(sends=Qos(rate=2_000_000, burst=1600, max_sdu=1400))
    one.send(*[bytes(1400)] * 20)
    lan.sleep(1_000_000)
    assert len(other.received) < 4
    lan.run(one.change(Qos(rate=100_000_000, burst=4000, max_sdu=1400), FAST))
    lan.sleep(1_000_000)
    assert len(other.received) == 20


def test_a_closed_connection_leaves_nothing_on_either_card(lan: NicLan) -> None:
    one, other = lan.open()
    one.send(bytes(1000))
    lan.run(one.close(b"bye"))
    lan.sleep(1_000_000)
    assert (other.state, other.close_data, list(other.received)) == (ConnectionState.CLOSED, b"bye", [bytes(1000)])
    left = [len(list(stack.connections.active())) for stack in lan.stacks]
    assert left == [1, 1]  # that of the signalling


def test_ids_and_entries_are_used_again(lan: NicLan) -> None:
    for number in range(12):  # more than the card has entries
        one, other = lan.open()
        one.send(number.to_bytes(2, "big"))
        lan.run(one.close())
        lan.sleep(1_000_000)
        assert list(other.received) == [number.to_bytes(2, "big")]


def test_more_calls_than_entries_are_refused(lan: NicLan) -> None:
    for _ in range(7):  # the eighth entry is the signalling's
        lan.open(sends=Qos(rate=1_000_000, burst=4000, max_sdu=1500), receives=None)
    with pytest.raises(CallFailed) as caught:
        lan.open()
    assert caught.value.status is NdisStatus.RESOURCES


def test_a_card_that_falls_silent_ends_the_call_by_timer(lan: NicLan) -> None:
    one, _ = lan.open()
    lan.cut.add(1)
    lan.sleep(30_000_000)
    assert (one.state, one.close_status) == (ConnectionState.CLOSED, NdisStatus.DEST_OUT_OF_ORDER)
    with pytest.raises(CallFailed) as caught:
        lan.open()
    assert caught.value.status is NdisStatus.DEST_OUT_OF_ORDER


def test_a_call_lives_through_a_reset_of_the_card(lan: NicLan) -> None:
    one, other = lan.open()
    lan.run(ndis.reset_adapter(lan.stacks[0].adapter))
    one.send(b"after")
    other.send(b"answer")
    lan.sleep(1_000_000)
    assert (list(other.received), list(one.received)) == ([b"after"], [b"answer"])


def test_a_call_lives_through_a_pause(lan: NicLan) -> None:
    one, other = lan.open()
    lan.run(ndis.pause_adapter(lan.stacks[1].adapter))
    assert lan.run(ndis.restart_adapter(lan.stacks[1].adapter)) is NdisStatus.SUCCESS
    one.send(b"after")
    lan.sleep(1_000_000)
    assert list(other.received) == [b"after"]


def test_a_halt_with_calls_ends_them_at_both_ends(lan: NicLan) -> None:
    one, other = lan.open()
    lan.run(ndis.halt_adapter(lan.stacks[1].adapter))
    lan.sleep(20_000_000)
    assert one.state is other.state is ConnectionState.CLOSED
    lan.clients = lan.clients[:1]


@pytest.mark.rule("CC-22")
def test_an_integrated_call_manager_shows_ndis_nothing_of_its_signalling() -> None:
    lan = NicLan(miniport="6-mcm")
    lan.open()
    for stack in lan.stacks:
        calls = stack.host.calls
        assert not any(calls[name] for name in calls if name.startswith(("NdisCm", "NdisCoSend")))
        assert calls["NdisMCmActivateVc"] == 1
    lan.stop()


@pytest.mark.parametrize("miniport", KINDS)
def test_three_parties_hear_one_root_over_a_switch(miniport) -> None:
    lan = NicLan(4, miniport=miniport)
    for number in (1, 2, 3):
        lan.clients[number].listen(b"there", lan.accept)
    root = lan.run(lan.clients[0].open_multipoint([lan.address(number) for number in (1, 2, 3)], b"there", FAST))
    lan.sleep(100_000)
    sdus = [bytes([number]) * 500 for number in range(5)]
    root.send(*sdus)
    lan.sleep(2_000_000)
    assert [list(party.received) for party in lan.accepted] == [sdus] * 3
    lan.stop()


@pytest.mark.rule("CD-08")
@pytest.mark.parametrize("miniport", KINDS)
def test_two_calls_with_the_same_id_keep_apart_on_a_switch(miniport) -> None:
    lan = NicLan(4, miniport=miniport)
    pairs = [lan.open(0, 1), lan.open(2, 3)]
    ids = {VlanMedia.parse(ours.parameters.media.specific).vlan_id for ours, _ in pairs}
    assert len(ids) == 1  # neither pair knows of the other
    for number, ends in enumerate(pairs):
        for end in ends:  # the first frames go everywhere: the switch has not learnt who is where
            end.send(bytes([number]) * 100)
    lan.sleep(1_000_000)
    for number, ends in enumerate(pairs):
        assert [list(end.received) for end in ends] == [[bytes([number]) * 100]] * 2
    lan.stop()


@pytest.mark.rule("CD-08")
@pytest.mark.parametrize("miniport", KINDS)
def test_a_call_with_the_id_of_somebody_elses_multipoint_call_does_not_hear_it(miniport) -> None:
    lan = NicLan(4, miniport=miniport)
    for number in (1, 3):
        lan.clients[number].listen(b"there", lan.accept)
    roots = [
        lan.run(lan.clients[root].open_multipoint([lan.address(leaf)], b"there", FAST))
        for root, leaf in ((0, 1), (2, 3))
    ]
    lan.sleep(100_000)
    assert len({VlanMedia.parse(root.parameters.media.specific).vlan_id for root in roots}) == 1
    for number, root in enumerate(roots):
        root.send(bytes([number]) * 100)
    lan.sleep(1_000_000)
    assert [list(leaf.received) for leaf in lan.accepted] == [[bytes([number]) * 100] for number in range(2)]
    lan.stop()
