# SPDX-License-Identifier: Apache-2.0
"""Four hosts on four Verilog NICs at a switch: one connection with several ends, and pairs beside it."""

import cocotb
from condis_bench import co_hosts, finish

from hilnic.testing.co_host import address
from hilnic.testing.vcs import vlan_of

HOSTS = 4


def sdu(number, length):
    """SDU `number`."""
    return bytes((number + i) & 0xFF for i in range(length))


@cocotb.test()
async def what_the_root_sends_reaches_every_leaf_once(dut):
    """CC-18, CD-07: a VC to everybody on its VLAN; one leaf hangs up, the others go on."""
    root, *leaves = await co_hosts(dut, HOSTS)
    ours = await root.call(100, rate=25_000_000, burst=4000)
    ends = [await leaf.take(100) for leaf in leaves]
    first = [sdu(n, 40 + 100 * n) for n in range(12)]
    ours.send(*first)
    for end in ends:
        await root.until(lambda end=end: len(end.received) == len(first), "all SDUs at a leaf")
        assert end.received == first
    await leaves[1].hang_up(ends[1])
    ours.send(b"to the two that are left")
    for end in (ends[0], ends[2]):
        await root.until(lambda end=end: len(end.received) == len(first) + 1, "the last SDU")
    assert ends[1].received == first
    assert sum(vlan_of(frame.data) == 100 for frame in root.wire) == len(first) + 1
    await finish(root, *leaves)


@cocotb.test()
async def pairs_at_a_switch_do_not_hear_each_other(dut):
    """CD-08: three connections from one host to three others, with the addresses of their peers."""
    root, *leaves = await co_hosts(dut, HOSTS)
    ends = []
    for number, leaf in enumerate(leaves):
        ours = await root.call(10 + number, destination=address(number + 1))
        ends.append((ours, await leaf.take(10 + number, destination=address(0))))
    for number, (ours, theirs) in enumerate(ends):
        theirs.send(sdu(number, 30))  # the switch learns where it is
        ours.send(*[sdu(number + n, 60 + n) for n in range(10)])
    for number, (ours, theirs) in enumerate(ends):
        await root.until(lambda ours=ours, theirs=theirs: len(theirs.received) == 10 and ours.received, "all SDUs")
        assert theirs.received == [sdu(number + n, 60 + n) for n in range(10)]
        assert ours.received == [sdu(number, 30)]
    await finish(root, *leaves)
