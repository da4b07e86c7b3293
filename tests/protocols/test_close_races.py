# SPDX-License-Identifier: Apache-2.0
"""Ends that meet: both sides close, a close meets a change, a party, an unbind or a halt, at any moment (CC-26)."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import pytest

from hilnic import ndis
from hilnic.ndis import NdisStatus
from hilnic.ndis.condis.vlan_media import BROADCAST
from hilnic.protocols.cm_resources import SIGNALLING_VLAN_ID
from hilnic.protocols.co_client import CallFailed, Connection, ConnectionState, Qos
from hilnic.signalling import CalledAddress, Cause, CauseElement, decode, encode
from hilnic.signalling.messages import ReleaseComplete, Setup
from hilnic.testing.co_wire import DELAY_NS

from .co_lan import FAST, Lan
from .nic_lan import NicLan

SOAK = "HILNIC_SOAK" in os.environ
PAIRS = ["cc", "mm", "CC", "MM", "cM", "Cm"] if SOAK else ["cM", "Cm"]
TRIPLES = ["ccc", "mmm", "CmM"] if SOAK else ["CmM"]
SLOW_NS = (0, 3000)
"""How long activations pend."""
OTHER = Qos(rate=25_000_000, burst=9000, max_sdu=1500)


async def quietly(work: Awaitable[object]) -> None:
    """What becomes of it is no question here; that it ends is."""
    with suppress(CallFailed):
        await work


def start(lan: Lan, work: Awaitable[object]) -> list[object]:
    return lan.lan.kernel.start(quietly(work))


def meet(lan: Lan, first: Callable[[], Awaitable[object]], second: Callable[[], Awaitable[object]], at_ns: int) -> None:
    """The second begins `at_ns` after the first; both end."""
    began = [start(lan, first())]
    lan.lan.kernel.run_for(at_ns)
    began.append(start(lan, second()))
    lan.lan.run_for(20)
    assert [len(done) for done in began] == [1, 1]


def moments(end_ns: int, step_ns: int) -> Iterator[tuple[int, int]]:
    """(when the second begins, how long activations pend)."""
    for number, at_ns in enumerate(range(0, end_ns, step_ns)):
        yield from ((at_ns, slow_ns) for slow_ns in (SLOW_NS if SOAK else SLOW_NS[number % 2 :][:1]))


def is_over(lan: Lan, *connections: Connection) -> None:
    assert {each.state for each in connections} <= {ConnectionState.CLOSED}
    assert not any(client.connections for client in lan.clients)
    lan.stop()


@pytest.mark.rule("CC-26")
@pytest.mark.parametrize("kinds", PAIRS)
def test_both_sides_close_at_any_distance(kinds: str) -> None:
    for at_ns, slow_ns in moments(12_000, 1_500):
        lan = Lan(kinds, slow_ns)
        one, other = lan.open()
        one.send(b"last words")
        other.send(b"likewise")
        meet(lan, one.close, other.close, at_ns)
        is_over(lan, one, other)


@pytest.mark.rule("CC-26")
@pytest.mark.rule("CC-25")
@pytest.mark.parametrize("kinds", PAIRS)
@pytest.mark.parametrize("who", [0, 1], ids=["the caller", "the called side"])
def test_a_close_meets_a_change_at_any_distance(kinds: str, who: int) -> None:
    for at_ns, slow_ns in moments(15_000, 2_500):
        lan = Lan(kinds, slow_ns)
        ends = lan.open()
        meet(lan, lambda ends=ends: ends[0].change(OTHER, FAST), ends[who].close, at_ns)
        is_over(lan, *ends)


@pytest.mark.rule("CC-26")
@pytest.mark.rule("CC-18")
@pytest.mark.parametrize("kinds", TRIPLES)
@pytest.mark.parametrize("who", range(3), ids=["root", "party", "new party"])
def test_a_close_meets_a_party_that_is_being_added(kinds: str, who: int) -> None:
    for at_ns in range(0, 15_000, 2_500):
        lan = Lan(kinds, 3000)
        for number in (1, 2):
            lan.listen(number)
        stations = [host.address for host in lan.lan.hosts]
        root = lan.lan.run(lan.clients[0].open_multipoint(stations[1:2], b"there", FAST))
        lan.lan.run_for(0.1)

        async def leave(lan: Lan = lan, root: Connection = root) -> None:
            client = lan.clients[who]
            await (root.close() if who == 0 else client.leave())

        meet(lan, lambda root=root, to=stations[2]: root.add_party(CalledAddress(to, b"there")), leave, at_ns)
        lan.lan.run(root.close())
        lan.lan.run_for(20)
        is_over(lan, root, *lan.accepted)


@pytest.mark.rule("CC-18")
@pytest.mark.rule("CC-19")
@pytest.mark.parametrize("kinds", TRIPLES)
def test_a_root_drops_all_others_when_a_party_leaves(kinds: str) -> None:
    lan = Lan(kinds)
    for number in (1, 2):
        lan.listen(number)
    stations = [host.address for host in lan.lan.hosts]
    root = lan.lan.run(lan.clients[0].open_multipoint(stations[1:], b"there", FAST))
    first, last = root.parties
    root.on_party = lambda *_: start(lan, root.drop_party(first))
    lan.lan.run_for(0.1)
    lan.lan.run(lan.accepted[-1].close(b"bye"))
    lan.lan.run_for(20)
    assert (last.ended, root.close_data) == (NdisStatus.SUCCESS, b"bye")
    is_over(lan, root, *lan.accepted)


@pytest.mark.rule("CC-26")
@pytest.mark.parametrize("kinds", PAIRS)
@pytest.mark.parametrize("which", ["client", "call manager", "adapter"])
def test_a_driver_leaves_while_a_call_is_being_made(kinds: str, which: str) -> None:
    for at_ns in range(0, 18_000, 3_000):
        lan = Lan(kinds, 3000)
        lan.listen(1)
        host = lan.lan.hosts[0]

        async def leave(host=host) -> None:
            if which == "adapter" or (which == "call manager" and len(host.drivers) == 1):
                await ndis.halt_adapter(host.ndis.adapters[0])
            else:
                driver = host.drivers.pop(0 if which == "call manager" else -1)
                await driver.deregister()

        call = lan.clients[0].open
        meet(lan, lambda call=call, to=lan.lan.hosts[1].address: call(to, b"there", FAST, FAST), leave, at_ns)
        assert not lan.clients[0].connections
        assert not lan.clients[1].connections
        lan.clients = lan.clients[1:]
        lan.lan.run(lan.clients[0].leave())
        lan.lan.run_for(1)
        lan.lan.stop()


@pytest.mark.rule("CC-16")
@pytest.mark.rule("CC-20")
@pytest.mark.parametrize("kinds", ["mc", "mC", "cm"])
def test_a_caller_leaves_while_the_refused_call_is_taken_down(kinds: str) -> None:
    for at_ns in range(0, 40_000, 4_000):
        lan = Lan(kinds, 15_000)
        lan.accept = lambda _: False
        lan.listen(1)
        call, to = lan.clients[0].open, lan.lan.hosts[1].address
        meet(lan, lambda call=call, to=to: call(to, b"there", FAST, FAST), lan.clients[0].leave, at_ns)
        is_over(lan)


@pytest.mark.rule("CC-16")
@pytest.mark.parametrize("kinds", ["mc", "cm", "mC", "cM"])
@pytest.mark.parametrize("later_ns", [0, 1000], ids=["at once", "while the VC is being activated"])
def test_a_call_is_over_before_it_can_be_offered(kinds: str, later_ns: int) -> None:
    lan = Lan(kinds, slow_ns=3000)
    lan.listen(1)
    called, taken = lan.lan.hosts[1], []

    def hang_up(sdu: bytes) -> list[bytes]:
        header, message = decode(sdu)
        if isinstance(message, Setup) and not taken:
            end = encode(header, ReleaseComplete(CauseElement(Cause.NORMAL_CALL_CLEARING)))
            after, timer = DELAY_NS + later_ns, lan.lan.kernel.set_timer
            timer(after + 1000, lambda: taken.append(lan.resources(1)[0]))
            if not later_ns:
                return [sdu, end]
            timer(after, lambda: called.miniport.hear(SIGNALLING_VLAN_ID, BROADCAST, end))
        return [sdu]

    lan.lan.harm = hang_up
    with pytest.raises(CallFailed):
        lan.open()
    assert taken[0] == 1 or not later_ns  # an id that is being activated is not free
    assert not lan.accepted
    lan.stop()


@pytest.mark.rule("CC-26")
@pytest.mark.parametrize("miniport", ["6-co", "5-mcm"])
def test_both_sides_close_over_the_nic_with_frames_at_the_shaper(miniport) -> None:
    lan = NicLan(miniport=miniport)
    for at_ns in (0, 700, 2_000, 6_000, 15_000) if SOAK else (700, 6_000):
        one, other = lan.open(sends=Qos(rate=2_000_000, burst=1600, max_sdu=1400))
        one.send(*[bytes(1400)] * 4)
        other.send(bytes(1400))
        done = [lan.clock.start(one.close())]
        lan.sleep(at_ns)
        done.append(lan.clock.start(other.close()))
        lan.sleep(6_000_000)
        assert {one.state, other.state} == {ConnectionState.CLOSED}
    lan.stop()
