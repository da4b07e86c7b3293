# SPDX-License-Identifier: Apache-2.0
"""The suite for two cards that are joined by a cable: card 0 and card 1 both run the miniport under test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import combinations
from random import Random

from hilnic import ndis
from hilnic.ndis import NblInfo, NdisStatus, PacketFilter
from hilnic.testing.ndistest.bed import Bed, Case, Station, expect
from hilnic.testing.ndistest.host import BROADCAST, GROUPS, PEER, Host, Traffic, as_sent, numbered, padded

__all__ = ["TWO_CARDS"]

LENGTHS = (20, 59, 60, 61, 64, 65, 128, 1000, 1513, 1514)
FILTERS = (
    PacketFilter.DIRECTED,
    PacketFilter.BROADCAST,
    PacketFilter.MULTICAST,
    PacketFilter.ALL_MULTICAST,
    PacketFilter.PROMISCUOUS,
)
_KEPT_NS = 30_000
"""How long what was received is held over a pause."""
LISTED, UNLISTED = GROUPS[:3], GROUPS[3:]


async def _pair(bed: Bed) -> tuple[Station, Station]:
    return await bed.started(0), await bed.started(1)


async def _quiet(bed: Bed, *stations: Station) -> None:
    """Every send has ended, and what was on the cable has arrived."""
    for station in stations:
        await bed.until(lambda host=station.fp: not host.in_flight, "every send completes")  # type: ignore[misc]
    await bed.run(40_000)


async def _good_both_ways(bed: Bed, one: Station, other: Station, number: int = 20) -> None:
    """After whatever has happened, every frame arrives again, unchanged and in order."""
    await _quiet(bed, one, other)
    one.fp.received.clear()
    other.fp.received.clear()
    there = one.fp.send_numbered(range(number), other.mac_address, one.mac_address)
    back = other.fp.send_numbered(range(number), one.mac_address, other.mac_address)
    await bed.until(lambda: len(other.fp.received) >= number, "all frames arrive at card 1")
    await bed.until(lambda: len(one.fp.received) >= number, "all frames arrive at card 0")
    expect(other.fp.received == there, "card 1 gets what card 0 has sent, in order")
    expect(one.fp.received == back, "card 0 gets what card 1 has sent, in order")
    await _quiet(bed, one, other)


def _in_order(host: Host, name: str) -> None:
    """What has arrived was sent like that, and nothing overtook or came twice."""
    last = -1
    for frame in host.received:
        number, original = as_sent(frame)
        expect(frame == original, f"{name}: frame {number} arrives changed")
        expect(number > last, f"{name}: frame {number} arrives after {last}")
        last = number


async def send_receive(bed: Bed) -> None:
    """Every length, in one to four MDLs, arrives byte for byte."""
    one, other = await _pair(bed)
    frames = [numbered(n, length, other.mac_address, one.mac_address) for n, length in enumerate(LENGTHS)]
    for cuts in ([], [14], [14, 0, 6]):
        other.fp.received.clear()
        one.fp.send(*frames, cuts=cuts)
        await bed.until(lambda: len(other.fp.received) >= len(frames), "all frames arrive")
        expect(other.fp.received == [padded(frame) for frame in frames], f"cut at {cuts}: unchanged, in order")
    await _good_both_ways(bed, one, other)
    expect(set(one.fp.ended) == {NdisStatus.SUCCESS}, f"sends ended with {dict(one.fp.ended)}")


async def reply(bed: Bed) -> None:
    """Card 1 answers every frame from inside its receive handler."""
    one, other = await _pair(bed)
    other.fp.answer = lambda frame: frame[6:12] + frame[:6] + frame[12:]
    number = 25 * bed.rounds
    for start in range(0, number, 5):
        one.fp.send_numbered(range(start, start + 5), other.mac_address, one.mac_address)
        await bed.until(lambda start=start: len(one.fp.received) >= start + 5, "every frame is answered")  # type: ignore[misc]
    _in_order(one.fp, "answers")
    expect(len(one.fp.received) == number, f"{number} frames, {len(one.fp.received)} answers")
    other.fp.answer = lambda _: None


async def stress(bed: Bed) -> None:
    """Random bursts both ways: nothing is lost on a quiet receiver, nothing changed, nothing out of order."""
    one, other = await _pair(bed)
    flows = _traffic(bed, one, other)
    await bed.run(400_000 * bed.rounds)
    for flow in flows:
        await flow.stop()
    await _quiet(bed, one, other)
    for flow, station in zip(flows, (other, one), strict=True):
        _in_order(station.fp, f"card {station.number}")
        arrived = len(station.fp.received)
        expect(arrived == flow.count, f"card {station.number}: {flow.count} frames sent, {arrived} arrived")


def _traffic(bed: Bed, one: Station, other: Station) -> tuple[Traffic, Traffic]:
    return (
        Traffic(one.fp, other.mac_address, one.mac_address, f"{bed.seed} 0"),
        Traffic(other.fp, one.mac_address, other.mac_address, f"{bed.seed} 1"),
    )


async def priority(bed: Bed) -> None:
    """Lists with all eight priorities of 802.1p: each arrives once and unchanged, those of one priority in order."""
    one, other = await _pair(bed)
    draw = Random(bed.seed)
    number = 20 * bed.rounds
    priorities = [draw.randrange(8) for _ in range(number)]
    nbls = []
    for n, level in enumerate(priorities):
        nbl = one.fp.build(numbered(n, 80, other.mac_address, one.mac_address))
        nbl.net_buffer_list_info[NblInfo.IEEE_8021Q] = level
        nbls.append(nbl)
    one.fp.send_nbls(nbls)
    await bed.until(lambda: len(other.fp.received) >= number, "all frames arrive")
    arrived = []
    for frame in other.fp.received:
        n, original = as_sent(frame)
        expect(frame == original, f"frame {n} of priority {priorities[n]} arrives changed")
        arrived.append(n)
    for level in range(8):
        of_level = [n for n in arrived if priorities[n] == level]
        expect(of_level == [n for n in range(number) if priorities[n] == level], f"priority {level} stays in order")


async def filter_matrix(bed: Bed) -> None:
    """Every combination of packet filter bits, on two bindings at once, against every kind of destination."""
    one, other = await _pair(bed)
    guest = await other.add_host()
    for host in (other.fp, guest):
        expect(await host.set_multicast(*LISTED) is NdisStatus.SUCCESS, "the multicast list is accepted")
    sets = [sum(chosen) for count in range(len(FILTERS) + 1) for chosen in combinations(FILTERS, count)]
    targets = [other.mac_address, PEER, BROADCAST, LISTED[0], LISTED[2], *UNLISTED[:2]]
    frames = [numbered(n, 60, target, one.mac_address) for n, target in enumerate(targets)]
    draw = Random(bed.seed)
    for number, chosen in enumerate(sets[:: 1 if bed.rounds > 1 else 3]):
        filters = {other.fp: chosen, guest: draw.choice(sets) if number % 2 else 0}
        for host, value in filters.items():
            expect(await host.set_filter(value) is NdisStatus.SUCCESS, f"packet filter {value:#x} is accepted")
            host.received.clear()
        one.fp.send(*frames)
        await _quiet(bed, one)
        for host, value in filters.items():
            wanted = [frame for frame in frames if _passes(frame[:6], value, other.mac_address)]
            expect(
                host.received == wanted,
                f"{host.name}, packet filter {value:#x}: {_kinds(host.received)}, not {_kinds(wanted)}",
            )


def _passes(destination: bytes, packet_filter: int, own: bytes) -> bool:
    """What a packet filter lets through (R6-14, R6-15)."""
    if packet_filter & PacketFilter.PROMISCUOUS:
        return True
    if destination == BROADCAST:
        return bool(packet_filter & PacketFilter.BROADCAST)
    if destination[0] & 1:
        listed = destination in LISTED and packet_filter & PacketFilter.MULTICAST
        return bool(listed or packet_filter & PacketFilter.ALL_MULTICAST)
    return destination == own and bool(packet_filter & PacketFilter.DIRECTED)


def _kinds(frames: list[bytes]) -> list[str]:
    return [frame[:6].hex() for frame in frames]


async def multicast_lists(bed: Bed) -> None:
    """Random multicast lists on two bindings: each gets the members of its own list and no other."""
    one, other = await _pair(bed)
    guest = await other.add_host()
    draw = Random(bed.seed)
    for host in (other.fp, guest):
        await host.set_filter(PacketFilter.MULTICAST)
    frames = [numbered(n, 60, group, one.mac_address) for n, group in enumerate(GROUPS)]
    for _ in range(3 * bed.rounds):
        lists = {host: draw.sample(GROUPS, draw.randrange(len(GROUPS) + 1)) for host in (other.fp, guest)}
        for host, members in lists.items():
            expect(await host.set_multicast(*members) is NdisStatus.SUCCESS, "the multicast list is accepted")
            host.received.clear()
        one.fp.send(*frames)
        await _quiet(bed, one)
        for host, members in lists.items():
            wanted = [frame for frame in frames if frame[:6] in members]
            expect(host.received == wanted, f"{host.name}: {_kinds(host.received)}, not {_kinds(wanted)}")


async def _disturbed(bed: Bed, disturb: Callable[[Station], Awaitable[None]]) -> None:
    """Traffic both ways while something happens to card 0: nothing changed or twice, and all is well afterwards."""
    one, other = await _pair(bed)
    draw, flows = Random(bed.seed), _traffic(bed, one, other)
    for _ in range(2 * bed.rounds):
        await bed.run(draw.randrange(20_000, 60_000))
        await disturb(one)
    for flow in flows:
        await flow.stop()
    await _quiet(bed, one, other)
    for station in (one, other):
        _in_order(station.fp, f"card {station.number}")
        expect(station.fp.received, f"card {station.number} has received something")
    failed = set(other.fp.ended) - {NdisStatus.SUCCESS}
    expect(not failed, f"sends of the other side ended with {dict(other.fp.ended)}")
    await _good_both_ways(bed, one, other)


async def pause(bed: Bed) -> None:
    """Pause and restart under traffic; and one that has to wait for what was received."""

    async def disturb(station: Station) -> None:
        await ndis.pause_adapter(station.card)
        expect(not station.fp.in_flight, "a paused adapter owns no sends")
        received = len(station.fp.received)
        await bed.run(20_000)
        expect(len(station.fp.received) == received, "a paused adapter indicates nothing")
        status = await ndis.restart_adapter(station.card)
        expect(status is NdisStatus.SUCCESS, f"restart: {status.name}")

    await _disturbed(bed, disturb)
    one, other = bed.stations
    one.fp.keep(_KEPT_NS)
    other.fp.send_numbered(range(5), one.mac_address, other.mac_address)
    await bed.until(lambda: one.fp.held, "frames arrive")
    await ndis.pause_adapter(one.card)
    expect(not one.fp.held, "a pause ends when all that was received is back")
    status = await ndis.restart_adapter(one.card)
    expect(status is NdisStatus.SUCCESS, f"restart: {status.name}")
    await _good_both_ways(bed, one, other)


async def reset(bed: Bed) -> None:
    """Reset under traffic."""

    async def disturb(station: Station) -> None:
        status = await ndis.reset_adapter(station.card)
        expect(status is NdisStatus.SUCCESS, f"reset: {status.name}")

    await _disturbed(bed, disturb)


async def sleep_and_wake(bed: Bed) -> None:
    """D3 and D0 under traffic."""

    async def disturb(station: Station) -> None:
        for power in (ndis.DevicePowerState.D3, ndis.DevicePowerState.D0):
            status = await ndis.set_adapter_power(station.card, power)
            expect(status is NdisStatus.SUCCESS, f"{power.name}: {status.name}")
            await bed.run(5_000)

    await _disturbed(bed, disturb)


async def cable(bed: Bed) -> None:
    """The cable is pulled and plugged under traffic: indicated each time, on both sides."""

    async def disturb(_: Station) -> None:
        for up in (False, True):
            seen = [len(each.fp.statuses) for each in bed.stations]
            bed.set_cable(up)
            for each, before in zip(bed.stations, seen, strict=True):
                await bed.until(
                    lambda each=each, before=before: len(each.fp.statuses) > before,  # type: ignore[misc]
                    f"card {each.number} indicates the cable that is {'in' if up else 'out'}",
                )
                state = each.fp.statuses[-1].buffer.media_connect_state
                wanted = ndis.MediaConnectState.CONNECTED if up else ndis.MediaConnectState.DISCONNECTED
                expect(state is wanted, f"card {each.number} indicates {state.name}, not {wanted.name}")

    await _disturbed(bed, disturb)


TWO_CARDS: tuple[Case, ...] = (
    Case("send_receive", "frames of every length, in any MDLs, arrive unchanged and in order", send_receive),
    Case("reply", "every frame is answered from inside the receive handler", reply),
    Case("stress", "random bursts both ways: nothing lost, changed or out of order", stress),
    Case("priority", "all eight priorities arrive, each in its own order", priority),
    Case("filter_matrix", "each binding gets exactly what its packet filter asks for", filter_matrix),
    Case("multicast_lists", "each binding gets exactly the groups of its own list", multicast_lists),
    Case("pause", "pause and restart under traffic, with received lists that come back late", pause),
    Case("reset", "reset under traffic", reset),
    Case("power", "D3 and D0 under traffic", sleep_and_wake),
    Case("cable", "the cable is pulled and plugged under traffic", cable),
)
