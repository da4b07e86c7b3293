# SPDX-License-Identifier: Apache-2.0
"""The stand-alone call manager and the application-like client, two and three hosts on a functional wire."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus, condis
from hilnic.ndis.condis.vlan_media import VlanMedia
from hilnic.protocols.call_manager import CallManager
from hilnic.protocols.cm_resources import SIGNALLING_VLAN_ID
from hilnic.protocols.co_client import CallFailed, Connection, ConnectionState, Qos
from hilnic.signalling import CalledAddress, MessageType, decode
from hilnic.testing.bench import NdisBench
from hilnic.testing.co_wire import CoLan

from .co_lan import FAST, Lan
from .wired_mcm import WiredMcm

KINDS = ("cc", "mm", "CM")
"""Call managers of the two hosts: c stand-alone, m integrated; clients: of NDIS 6, in capitals of NDIS 5."""


@pytest.fixture(params=KINDS)
def lan(request: pytest.FixtureRequest) -> Iterator[Lan]:
    lan = Lan(request.param)
    yield lan
    lan.stop()


def test_a_call_connects_two_clients(lan: Lan) -> None:
    one, other = lan.open()
    assert one.state is other.state is ConnectionState.OPEN


def test_data_go_both_ways(lan: Lan) -> None:
    one, other = lan.open()
    one.send(b"question")
    other.send(b"answer", b"and more")
    lan.lan.run_for(1)
    assert list(other.received) == [b"question"]
    assert list(one.received) == [b"answer", b"and more"]


def test_close_ends_it_at_both_ends(lan: Lan) -> None:
    one, other = lan.open()
    lan.lan.run(one.close(b"bye"))
    lan.lan.run_for(1)
    assert one.state is other.state is ConnectionState.CLOSED
    assert (other.close_status, other.close_data) == (NdisStatus.SUCCESS, b"bye")
    assert not lan.clients[0].connections
    assert not lan.clients[1].connections


def test_the_called_side_may_close(lan: Lan) -> None:
    one, other = lan.open()
    lan.lan.run(other.close(b"enough"))
    lan.lan.run_for(1)
    assert (one.state, one.close_data) == (ConnectionState.CLOSED, b"enough")


def test_the_agreed_parameters_name_vlan_id_and_peer(lan: Lan) -> None:
    one, other = lan.open()
    media = VlanMedia.parse(one.parameters.media.specific)
    assert media.vlan_id == VlanMedia.parse(other.parameters.media.specific).vlan_id >= 16
    assert media.destination == lan.lan.hosts[1].address


def test_each_side_sees_its_own_direction(lan: Lan) -> None:
    one, other = lan.open(sends=Qos(rate=1_000_000, burst=4000, max_sdu=1500), receives=Qos(rate=50_000))
    assert other.parameters.call_manager.receive.token_rate == 1_000_000
    assert other.parameters.call_manager.transmit.token_rate == 50_000
    assert one.parameters.call_manager.transmit.token_rate == 1_000_000


def test_nobody_at_the_selector(lan: Lan) -> None:
    with pytest.raises(CallFailed) as caught:
        lan.lan.run(lan.clients[0].open(lan.lan.hosts[1].address, b"nobody", FAST))
    assert caught.value.status is NdisStatus.INVALID_ADDRESS


def test_a_client_that_refuses(lan: Lan) -> None:
    lan.accept = lambda connection: False
    lan.refuses(NdisStatus.NOT_ACCEPTED)


def test_nobody_at_the_station_fails_by_timer(lan: Lan) -> None:
    with pytest.raises(CallFailed) as caught:
        lan.lan.run(lan.clients[0].open(bytes.fromhex("02484e0000ee"), b"there", FAST))
    assert caught.value.status is NdisStatus.DEST_OUT_OF_ORDER


def test_a_call_to_oneself_is_refused(lan: Lan) -> None:
    with pytest.raises(CallFailed) as caught:
        lan.lan.run(lan.clients[0].open(lan.lan.hosts[0].address, b"there", FAST))
    assert caught.value.status is NdisStatus.NO_ROUTE_TO_DESTINATION


@pytest.mark.rule("CC-05")
def test_a_selector_belongs_to_one_client(lan: Lan) -> None:
    lan.listen(1)
    with pytest.raises(CallFailed) as caught:
        lan.clients[1].listen(b"there", lan.accept)
    assert caught.value.status is NdisStatus.SAP_IN_USE


@pytest.mark.rule("CC-05")
@pytest.mark.parametrize("selector", [b"", bytes(33)], ids=["empty", "long"])
def test_a_selector_that_is_none_is_refused(lan: Lan, selector: bytes) -> None:
    with pytest.raises(CallFailed) as caught:
        lan.clients[0].listen(selector, lan.accept)
    assert caught.value.status is NdisStatus.INVALID_SAP


@pytest.mark.rule("CC-03")
def test_a_family_with_a_sap_or_a_call_is_not_closed(lan: Lan) -> None:
    one, _ = lan.open()
    for client in lan.clients:
        assert client._af is not None
        assert condis.cl_close_address_family(client._af) is NdisStatus.NOT_ACCEPTED
    lan.lan.run(one.close())


@pytest.mark.rule("CD-08")
def test_a_vlan_id_is_free_only_when_the_peer_has_given_it_up_too(lan: Lan) -> None:
    one, other = lan.open()
    lan.lan.harm = lambda sdu: ()
    lan.lan.run(one.close())
    assert (one.state, other.state) == (ConnectionState.CLOSED, ConnectionState.OPEN)
    assert lan.resources(0)[0] == 1
    lan.lan.harm = lambda sdu: (sdu,)
    lan.lan.run_for(20)
    assert (other.state, lan.resources(0)[0]) == (ConnectionState.CLOSED, 0)


@pytest.mark.rule("CD-08")
@pytest.mark.parametrize("kinds", KINDS)
def test_release_and_its_completion_are_said_when_nothing_flows_any_more(kinds: str) -> None:
    lan = Lan(kinds, slow_ns=3000)
    one, _ = lan.open()
    said = []

    def active_vcs(number: int) -> set[int]:
        contracts = [vc.parameters for vc in lan.lan.hosts[number].miniport.vcs if vc.parameters is not None]
        return {VlanMedia.parse(each.media.specific).vlan_id for each in contracts} - {SIGNALLING_VLAN_ID}

    def hear(sdu: bytes) -> tuple[bytes]:
        kind = decode(sdu).message.TYPE
        if kind in {MessageType.RELEASE, MessageType.RELEASE_COMPLETE}:
            said.append((kind, active_vcs(0 if kind is MessageType.RELEASE else 1)))
        return (sdu,)

    lan.lan.harm = hear
    lan.lan.run(one.close())
    lan.lan.run_for(1)
    assert said == [(MessageType.RELEASE, set()), (MessageType.RELEASE_COMPLETE, set())]
    lan.stop()


@pytest.mark.rule("CC-26")
def test_the_called_side_may_close_before_it_is_connected(lan: Lan) -> None:
    async def close(connection: Connection) -> None:
        connection.state = ConnectionState.CLOSING
        await connection._close(b"changed my mind")

    def accept(connection: Connection) -> bool:
        lan.accepted.append(connection)
        connection.binding.start(lambda: close(connection))
        return True

    lan.accept = accept
    lan.listen(1)
    calls = lan.lan.kernel.start(outcome(lan.clients[0].open(lan.lan.hosts[1].address, b"there", FAST, FAST)))
    lan.lan.run_for(20)
    assert len(calls) == 1
    assert lan.accepted[0].state is ConnectionState.CLOSED
    assert not any(client.connections for client in lan.clients)
    assert "call connected" not in lan.heard[1][lan.accepted[0]]


def test_more_than_the_line_is_refused_by_the_caller(lan: Lan) -> None:
    lan.open(sends=Qos(rate=100_000_000))
    lan.refuses(NdisStatus.CELLRATE_NOT_AVAILABLE, sends=Qos(rate=26_000_000))


def test_more_than_the_line_is_refused_by_the_called_side(lan: Lan) -> None:
    lan.open(receives=Qos(rate=100_000_000))
    lan.refuses(NdisStatus.CELLRATE_NOT_AVAILABLE, receives=Qos(rate=26_000_000))


def test_a_closed_call_gives_its_place_back(lan: Lan) -> None:
    for _ in range(3):
        one, _ = lan.open(sends=Qos(rate=100_000_000))
        lan.lan.run(one.close())
        lan.lan.run_for(1)


def test_a_client_may_take_less(lan: Lan) -> None:
    lan.open(sends=Qos(rate=100_000_000))
    one, other = lan.open(sends=Qos(rate=100_000_000), round_down=True)
    assert one.parameters.call_manager.transmit.token_rate == 7_500_000  # the signalling has its share
    assert other.parameters.call_manager.receive.token_rate == 7_500_000


def test_best_effort_takes_no_place(lan: Lan) -> None:
    for _ in range(3):
        lan.open(sends=Qos(rate=100_000_000, best_effort=True))


@pytest.mark.rule("CC-25")
def test_a_change_reaches_both_ends(lan: Lan) -> None:
    one, other = lan.open()
    lan.lan.run(one.change(Qos(rate=50_000_000, burst=9000, max_sdu=1500), FAST))
    lan.lan.run_for(1)
    assert one.parameters.call_manager.transmit.token_rate == 50_000_000
    assert other.parameters.call_manager.receive.token_rate == 50_000_000
    active = lan.lan.hosts[0].miniport.vcs[-1].parameters
    assert active.call_manager.transmit.token_rate == 50_000_000


@pytest.mark.rule("CC-25")
def test_a_change_beyond_the_line_leaves_the_old(lan: Lan) -> None:
    one, other = lan.open()
    lan.open(receives=Qos(rate=95_000_000))
    with pytest.raises(CallFailed) as caught:
        lan.lan.run(one.change(FAST, Qos(rate=60_000_000)))
    assert caught.value.status is NdisStatus.CELLRATE_NOT_AVAILABLE
    assert other.parameters.call_manager.transmit.token_rate == FAST.rate


def test_the_called_side_may_not_change(lan: Lan) -> None:
    _, other = lan.open()
    with pytest.raises(CallFailed) as caught:
        lan.lan.run(other.change(FAST, FAST))
    assert caught.value.status is NdisStatus.NOT_SUPPORTED


def test_a_host_that_falls_silent_closes_its_calls_at_the_other(lan: Lan) -> None:
    one, other = lan.open()
    lan.lan.cut.add(lan.lan.hosts[1])
    lan.lan.run_for(20)
    assert (one.state, one.close_status) == (ConnectionState.CLOSED, NdisStatus.DEST_OUT_OF_ORDER)
    assert other.state is ConnectionState.CLOSED


@pytest.mark.parametrize("slow_ns", [0, 3000])
@pytest.mark.parametrize("kinds", ["cc", "mm"])
@pytest.mark.parametrize("step", range(0, 32, 4))
@pytest.mark.rule("CC-26")
def test_a_close_in_any_moment_of_the_call_set_up_leaves_nothing(step: int, slow_ns: int, kinds: str) -> None:
    lan = Lan(kinds, slow_ns)
    lan.listen(1)
    client = lan.clients[0]
    calls = lan.lan.kernel.start(outcome(client.open(lan.lan.hosts[1].address, b"there", FAST, FAST)))
    lan.lan.kernel.run_for(step * 1000)
    for connection in client.connections:
        lan.lan.kernel.start(connection.close())
    lan.lan.run_for(20)
    assert len(calls) == 1
    assert not client.connections
    assert not lan.clients[1].connections
    lan.stop()


async def outcome(work):
    try:
        return await work
    except CallFailed as error:
        return error


def test_a_wire_that_loses_every_third_message_only_delays(lan: Lan) -> None:
    dice = random.Random(3)
    lan.lan.harm = lambda sdu: () if dice.randrange(3) == 0 else (sdu,)
    one, _ = lan.open()
    lan.lan.run_for(20)
    assert one.state is ConnectionState.OPEN
    lan.lan.harm = lambda sdu: (sdu,)


def test_sixty_four_calls_have_ids_of_their_own(lan: Lan) -> None:
    small = Qos(rate=1_000_000)
    pairs = [lan.open(sends=small, receives=small) for _ in range(64)]
    for number, (one, _) in enumerate(pairs):
        one.send(number.to_bytes(2, "big"))
    lan.lan.run_for(1)
    assert [list(other.received) for _, other in pairs] == [[number.to_bytes(2, "big")] for number in range(64)]


def test_calls_that_cross_do_not_collide(lan: Lan) -> None:
    for number in (0, 1):
        lan.listen(number)
    addresses = [host.address for host in lan.lan.hosts]
    crossing = [
        lan.lan.kernel.start(outcome(lan.clients[number].open(addresses[1 - number], b"there", FAST)))
        for number in (0, 1)
        for _ in range(3)
    ]
    lan.lan.run_for(5)
    assert all(isinstance(done[0], Connection) for done in crossing)


def test_a_halt_with_calls_ends_them(lan: Lan) -> None:
    _, other = lan.open()
    lan.lan.run(ndis.halt_adapter(lan.lan.hosts[0].ndis.adapters[0]))
    lan.lan.run_for(20)
    assert other.state is ConnectionState.CLOSED
    lan.clients = lan.clients[1:]
    lan.lan.hosts = lan.lan.hosts[1:]


class TestMultipoint:
    """One root, two parties, and one more."""

    @pytest.fixture(params=["cccc", "mmmm", "CmcM"])
    def lan(self, request: pytest.FixtureRequest) -> Iterator[Lan]:
        lan = Lan(request.param)
        for number in (1, 2, 3):
            lan.listen(number)
        yield lan
        lan.stop()

    def call(self, lan: Lan, *numbers: int) -> Connection:
        stations = [lan.lan.hosts[number].address for number in numbers]
        connection = lan.lan.run(lan.clients[0].open_multipoint(stations, b"there", FAST))
        lan.lan.run_for(0.1)
        return connection

    def test_everybody_hears_the_root(self, lan: Lan) -> None:
        self.call(lan, 1, 2, 3).send(b"news")
        lan.lan.run_for(1)
        assert [list(party.received) for party in lan.accepted] == [[b"news"]] * 3

    def test_a_dropped_party_hears_no_more(self, lan: Lan) -> None:
        root = self.call(lan, 1, 2)
        lan.lan.run(root.drop_party(root.parties[0], b"out"))
        lan.lan.run_for(1)
        root.send(b"news")
        lan.lan.run_for(1)
        assert [list(party.received) for party in lan.accepted] == [[], [b"news"]]
        assert lan.accepted[0].close_data == b"out"

    def test_a_party_comes_later(self, lan: Lan) -> None:
        root = self.call(lan, 1)
        root.send(b"first")
        lan.lan.run(root.add_party(CalledAddress(lan.lan.hosts[2].address, b"there")))
        lan.lan.run_for(0.1)
        root.send(b"second")
        lan.lan.run_for(1)
        assert [list(party.received) for party in lan.accepted] == [[b"first", b"second"], [b"second"]]

    @pytest.mark.rule("CC-19")
    def test_a_party_that_leaves_is_dropped_the_last_one_closes(self, lan: Lan) -> None:
        root = self.call(lan, 1, 2)
        for party in list(lan.accepted):
            lan.lan.run(party.close(b"tired"))
            lan.lan.run_for(1)
        heard = [each for each in lan.heard[0][root] if each.startswith("incoming")]
        assert heard == ["incoming drop party SUCCESS b'tired'", "incoming close call SUCCESS b'tired'"]
        assert root.state is ConnectionState.CLOSED

    def test_close_drops_the_others_first(self, lan: Lan) -> None:
        root = self.call(lan, 1, 2, 3)
        lan.lan.run(root.close())
        lan.lan.run_for(1)
        assert {party.state for party in lan.accepted} == {ConnectionState.CLOSED}

    def test_a_party_that_refuses_leaves_the_others(self, lan: Lan) -> None:
        root = self.call(lan, 1)
        lan.accept = lambda connection: False
        lan.clients[2].stop_listening(b"there")
        lan.listen(2)
        with pytest.raises(CallFailed) as caught:
            lan.lan.run(root.add_party(CalledAddress(lan.lan.hosts[2].address, b"there")))
        assert caught.value.status is NdisStatus.NOT_ACCEPTED
        root.send(b"news")
        lan.lan.run_for(1)
        assert list(lan.accepted[0].received) == [b"news"]

    def test_a_party_that_falls_silent_is_dropped(self, lan: Lan) -> None:
        root = self.call(lan, 1, 2)
        lan.lan.cut.add(lan.lan.hosts[1])
        lan.lan.run_for(20)
        assert [party.called.station for party in root.parties] == [lan.lan.hosts[2].address]

    def test_a_station_is_a_party_once(self, lan: Lan) -> None:
        root = self.call(lan, 1)
        with pytest.raises(CallFailed) as caught:
            lan.lan.run(root.add_party(CalledAddress(lan.lan.hosts[1].address, b"there")))
        assert caught.value.status is NdisStatus.INVALID_ADDRESS


def test_messages_for_which_there_is_no_memory_count_as_lost(lan: Lan) -> None:
    lan.listen(1)
    lan.lan.kernel.fail_allocations = 3  # of the first messages, and of what is made for them
    one, _ = lan.open()
    assert one.state is ConnectionState.OPEN


def test_sdus_that_cannot_be_sent_are_not_sent_in_part(lan: Lan) -> None:
    one, other = lan.open()
    with pytest.raises(ValueError):
        one.send(b"short", bytes(10_000))
    one.send(b"first")
    lan.lan.kernel.fail_allocations = 1
    with pytest.raises(MemoryError):
        one.send(b"second", b"third")
    lan.lan.run_for(1)
    assert (one.sent, list(other.received)) == (1, [b"first"])


def test_a_second_call_manager_does_not_bind() -> None:
    lan = CoLan([WiredMcm])
    manager = lan.hosts[0].add(CallManager())
    lan.hosts[0].start()
    assert not manager.bindings
    lan.stop()


def test_a_call_manager_does_not_bind_to_an_adapter_without_connections() -> None:
    bench = NdisBench(protocols=0)
    manager = CallManager()
    bench.run(manager.register(bench.ndis))
    assert not manager.bindings
    bench.run(manager.deregister())
    bench.stop()
