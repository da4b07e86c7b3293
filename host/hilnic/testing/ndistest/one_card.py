# SPDX-License-Identifier: Apache-2.0
"""The suite for one card: what comes and goes above it, every request, every step at which its start can fail."""

from __future__ import annotations

from hilnic import ndis
from hilnic.ndis import NdisStatus
from hilnic.testing.filter import FunctionalFilter
from hilnic.testing.ndistest.bed import Bed, Case, Station, expect
from hilnic.testing.ndistest.faults import fail_allocation, fail_read, steps_of
from hilnic.testing.ndistest.host import PEER, Traffic, numbered, padded
from hilnic.testing.ndistest.requests import every_query_length, every_set_length, unknown_oids

__all__ = ["ONE_CARD"]


async def _passes_frames(station: Station, number: int = 5) -> None:
    """Some frames out to the wire and some in, byte for byte: the card works."""
    card, fp = station.mac_address, station.fp
    station.listen_on_wire()
    await station.bed.until(lambda: not fp.in_flight, "sends complete")
    await station.bed.run(20_000)  # the last of them are on the wire
    wired, received = len(station.wire), len(fp.received)
    out = fp.send_numbered(range(number), PEER, card)
    into = [numbered(n, 60 + n, card, PEER) for n in range(number)]
    for frame in into:
        station.slot.link.send(frame)
    await station.bed.until(lambda: not fp.in_flight, "sends complete")
    await station.bed.until(lambda: len(fp.received) >= received + number, "frames arrive")
    await station.bed.until(lambda: len(station.wire) >= wired + number, "frames reach the wire")
    expect(station.wire[wired:] == [padded(frame) for frame in out], "what is sent is what is on the wire, in order")
    expect(fp.received[received:] == [padded(frame) for frame in into], "what arrives is indicated, in order")


async def load_unload(bed: Bed) -> None:
    """Start, use, halt: again and again."""
    station = bed.station()
    await station.add_host()
    for _ in range(2 + bed.rounds):
        await station.start()
        await station.fp.listen()
        await _passes_frames(station)
        await station.halt()
        left = station.slot.left_over()
        owned = [region for region in left if "miniport" in repr(region)]
        expect(not owned, f"left behind by a halt: {owned[:3]}")


async def bind_storm(bed: Bed) -> None:
    """Protocols come and go while another one sends."""
    station = await bed.started()
    station.listen_on_wire()
    traffic = Traffic(station.fp, PEER, station.mac_address, bed.seed)
    for _ in range(4 * bed.rounds):
        guests = [await station.add_host() for _ in range(2)]
        await guests[0].listen()
        await guests[0].set_multicast(b"\x01\0\x5e\0\0\1")
        await bed.run(5_000)
        for guest in guests:
            await guest.stop()
            station.hosts.remove(guest)
    await traffic.stop()
    await _passes_frames(station)


async def filter_storm(bed: Bed) -> None:
    """Filters attach and detach while a protocol sends: every send ends, and well."""
    station = await bed.started()
    station.listen_on_wire()
    traffic = Traffic(station.fp, PEER, station.mac_address, bed.seed)
    for number in range(2 * bed.rounds):
        filters = [FunctionalFilter(station.ndis, f"filter{number}.{n}") for n in range(2)]
        for each in filters:
            await each.start()
            await bed.run(5_000)
        for each in filters[:: 1 if number % 2 else -1]:
            await each.stop()
    await traffic.stop()
    await bed.until(lambda: not station.fp.in_flight, "sends complete")
    expect(set(station.fp.ended) == {NdisStatus.SUCCESS}, f"sends ended with {dict(station.fp.ended)}")
    await _passes_frames(station)


async def start_failure(bed: Bed) -> None:
    """Each allocation and each register read of a start fails once: it says so, leaves nothing, and works next time."""
    for fault in (fail_allocation, fail_read):
        station = bed.station()
        with fault(station, None) as calls:
            await station.start()
        await station.halt()
        for step in steps_of(len(calls), bed.rounds):
            with fault(station, step) as calls:
                status = await station.try_start(calls.resources)
            await station.halt()
            left = station.slot.left_over()
            expect(not left, f"{fault.__name__} {step}: the start ended with {status.name} and left {left[:3]}")
        await station.add_host()
        await station.start()
        await station.fp.listen()
        await _passes_frames(station)
        await station.stop()


async def reset_and_power(bed: Bed) -> None:
    """Reset, sleep and wake: traffic is as before, also the packet filter."""
    station = await bed.started()
    for _ in range(bed.rounds):
        status = await ndis.reset_adapter(station.card)
        expect(status is NdisStatus.SUCCESS, f"reset: {status.name}")
        await _passes_frames(station)
        for power in (ndis.DevicePowerState.D3, ndis.DevicePowerState.D0):
            status = await ndis.set_adapter_power(station.card, power)
            expect(status is NdisStatus.SUCCESS, f"{power.name}: {status.name}")
        await _passes_frames(station)


async def surprise_removal(bed: Bed) -> None:
    """The card is taken away under traffic: every send ends."""
    station = await bed.started()
    station.listen_on_wire()
    traffic = Traffic(station.fp, PEER, station.mac_address, bed.seed)
    await bed.run(20_000)
    await station.slot.remove()
    await ndis.surprise_remove_adapter(station.card)
    station.adapter = None
    await traffic.stop()
    expect(not station.fp.in_flight, f"{station.fp.in_flight} sends never ended")


async def every_frame_length(bed: Bed) -> None:
    """Frames of 14 to 1514 bytes go out, and of 60 to 1514 come in; a longer one is refused or dropped."""
    station = await bed.started()
    card, fp = station.mac_address, station.fp
    station.listen_on_wire()
    longest = station.card.attributes.mtu_size + 14
    step = max(1, 24 // bed.rounds)
    lengths = sorted({14, 15, 59, 60, 61, 64, longest - 1, longest, *range(20, longest, step)})
    for at in range(0, len(lengths), 16):
        chosen = lengths[at : at + 16]
        out = [numbered(n, length, PEER, card) for n, length in enumerate(chosen)]
        into = [numbered(n, max(60, length), card, PEER) for n, length in enumerate(chosen)]
        station.wire.clear()
        fp.received.clear()
        fp.send(*out, cuts=[14] if at % 32 else [])
        for frame in into:
            station.slot.link.send(frame)
        await bed.until(lambda out=out: len(station.wire) >= len(out), "frames reach the wire")  # type: ignore[misc]
        await bed.until(lambda into=into: len(fp.received) >= len(into), "frames arrive")  # type: ignore[misc]
        expect(station.wire == [padded(frame) for frame in out], f"sent unchanged, lengths {chosen}")
        expect(fp.received == into, f"received unchanged, lengths {chosen}")
    await bed.until(lambda: not fp.in_flight, "sends complete")
    ended = sum(count for status, count in fp.ended.items() if status)
    fp.send(numbered(1, longest + 1, PEER, card))
    await bed.until(lambda: not fp.in_flight, "the longer frame ends")
    expect(sum(count for status, count in fp.ended.items() if status) == ended + 1, "a frame too long is refused")


ONE_CARD: tuple[Case, ...] = (
    Case("load_unload", "start, traffic and halt, again and again, leave nothing behind", load_unload),
    Case("start_failure", "every step of a start may fail: told, cleaned up, and harmless to the next", start_failure),
    Case("bind_storm", "protocols bind and unbind under traffic", bind_storm),
    Case("filter_storm", "filters attach and detach under traffic, and every send ends well", filter_storm),
    Case("query_lengths", "every OID is queried with every buffer length", every_query_length),
    Case("set_lengths", "every OID is set with every buffer length", every_set_length),
    Case("unknown_oids", "an OID that nobody knows is not supported", unknown_oids),
    Case("frame_lengths", "frames of every length go out and come in unchanged", every_frame_length),
    Case("reset_power", "after a reset, and after D3 and D0, traffic flows as before", reset_and_power),
    Case("surprise_removal", "the card is taken away under traffic, and every send ends", surprise_removal),
)
