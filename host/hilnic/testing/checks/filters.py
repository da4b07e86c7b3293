# SPDX-License-Identifier: Apache-2.0
"""The receive filter: which destinations pass, by which rule, to which queue."""

from hilnic.testing.conformance import CheckBench, check
from hilnic.testing.nic_adapter import Direction, FilterSetup

OWN = bytes.fromhex("020000000001")
OTHER = bytes.fromhex("020000000003")
BROADCAST = b"\xff" * 6
GROUP = bytes.fromhex("01005e000001")
OTHER_GROUP = bytes.fromhex("01005e7ffffa")
ALL = (OWN, OTHER, BROADCAST, GROUP, OTHER_GROUP)


async def _expect_passing(bench: CheckBench, setup: FilterSetup, expected: set[bytes], what: str) -> None:
    """Send one frame to each destination; exactly the expected ones arrive."""
    await bench.nic.set_filter(setup)
    before = await bench.nic.counter("rx.drop_filtered")
    bench.nic.post_rx(0, len(expected))
    for destination in ALL:
        bench.peer.send(bench.frame(60, destination))
    done = await bench.completions(Direction.RX, len(expected))
    await bench.settle(4000)
    done += bench.nic.poll(Direction.RX, 0)
    bench.expect([d.data[:6] for d in done], [d for d in ALL if d in expected], what)
    filtered = await bench.nic.counter("rx.drop_filtered") - before
    bench.expect(filtered, len(ALL) - len(expected), f"filtered with {what}")


@check()
async def filter_rules_pass_what_they_name(bench: CheckBench) -> None:
    """Own, broadcast, exact, hash, all-multicast and promiscuous pass their destinations and no others."""
    await bench.enable(Direction.RX, size=64)
    expect = _expect_passing
    await expect(bench, FilterSetup(OWN), set(), "everything off")
    await expect(bench, FilterSetup(OWN, own_unicast=True), {OWN}, "own_unicast")
    await expect(bench, FilterSetup(OWN, broadcast=True), {BROADCAST}, "broadcast")
    await expect(bench, FilterSetup(OWN, exact=((GROUP, None),)), {GROUP}, "multicast_exact")
    await expect(bench, FilterSetup(OWN, hashed=(OTHER_GROUP,)), {OTHER_GROUP}, "multicast_hash")
    await expect(bench, FilterSetup(OWN, all_multicast=True), {GROUP, OTHER_GROUP}, "all_multicast")
    await expect(bench, FilterSetup(OWN, promiscuous=True), set(ALL), "promiscuous")
    both = FilterSetup(OWN, own_unicast=True, broadcast=True, exact=((GROUP, None),), hashed=(OTHER_GROUP,))
    await expect(bench, both, {OWN, BROADCAST, GROUP, OTHER_GROUP}, "all rules but promiscuous")


@check()
async def filter_tells_the_kind_of_destination(bench: CheckBench) -> None:
    """Completions mark frames to the own address, broadcasts and multicasts."""
    await bench.enable(Direction.RX)
    await bench.nic.set_filter(FilterSetup(OWN, own_unicast=True, promiscuous=True))
    bench.nic.post_rx(0, len(ALL))
    for destination in ALL:
        bench.peer.send(bench.frame(60, destination))
    done = await bench.completions(Direction.RX, len(ALL))
    found = [(d.own_unicast, d.broadcast, d.multicast) for d in done]
    own, none, all_of_them, group = (True, False, False), (False,) * 3, (False, True, False), (False, False, True)
    bench.expect(found, [own, none, all_of_them, group, group], "own, broadcast, multicast")


@check()
async def filter_walks_the_whole_exact_table(bench: CheckBench) -> None:
    """32 entries, the first and the last match, a neighbour does not."""
    await bench.enable(Direction.RX)
    groups = [bytes.fromhex("3333000000") + bytes([n]) for n in range(33)]
    await bench.nic.set_filter(FilterSetup(OWN, exact=tuple((group, None) for group in groups[:32])))
    bench.nic.post_rx(0, 3)
    for number in (0, 32, 17, 31):
        bench.peer.send(bench.frame(60, groups[number]))
    done = await bench.completions(Direction.RX, 3)
    bench.expect([d.data[5] for d in done], [0, 17, 31], "entries that matched")


@check()
async def filter_steers_frames_to_queues(bench: CheckBench) -> None:
    """An exact entry may name the queue of its frames; all others go to the default queue."""
    if bench.nic.rx_queues < 2:
        return
    last = bench.nic.rx_queues - 1
    for number in (0, 1, last):
        if (Direction.RX, number) not in bench.enabled:
            await bench.enable(Direction.RX, number=number)
        bench.nic.post_rx(number, 4)
    exact = ((GROUP, last), (OTHER_GROUP, None))
    await bench.nic.set_filter(FilterSetup(OWN, own_unicast=True, exact=exact, default_queue=1))
    for destination in (GROUP, OTHER_GROUP, OWN):
        bench.peer.send(bench.frame(60, destination))
    await bench.settle()
    found = {n: [d.data[:6] for d in bench.nic.poll(Direction.RX, n)] for n in {0, 1, last}}
    expected: dict[int, list[bytes]] = {0: [], 1: [], last: []}
    expected[last].append(GROUP)
    expected[1] += [OTHER_GROUP, OWN]
    bench.expect(found, expected, "frames by queue")
