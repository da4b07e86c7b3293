# SPDX-License-Identifier: Apache-2.0
"""Four hosts on four Verilog NICs at a switch: one connection with several ends, and pairs beside it."""

import cocotb
from condis_bench import co_hosts, finish
from condis_call_bench import SELECTOR, call_hosts
from condis_call_bench import finish as leave

from hilnic.ndis import NdisStatus
from hilnic.ndis.condis.vlan_media import VlanMedia
from hilnic.protocols.co_client import CoClient, ConnectionState, Qos
from hilnic.protocols.co_client5 import CoClient5
from hilnic.signalling import CalledAddress
from hilnic.testing.co_host import address
from hilnic.testing.vcs import vlan_of

HOSTS = 4
CLOSED = ConnectionState.CLOSED
CLIENTS = [CoClient, CoClient5, CoClient, CoClient5]
KINDS = [(("6-co", "5-co", "6-mcm", "6-co"), CLIENTS), (("6-mcm", "5-mcm", "6-co", "5-co"), CLIENTS[::-1])]
"""Root first: with a stand-alone call manager, with an integrated one."""


FAST = Qos(rate=25_000_000, burst=2 * 1522, max_sdu=1500)


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


@cocotb.test()
@cocotb.parametrize(kinds=KINDS)
async def who_is_a_party_hears_the_root_and_nobody_else_does(dut, kinds):
    """CC-18, CC-19, CD-07, CD-08: one party joins late, one leaves, one is dropped; each SDU once to those present."""
    miniports, clients = kinds
    root, *leaves = hosts = await call_hosts(dut, *miniports, client=clients)
    free = [host.holdings() for host in hosts]
    first, second, third = (CalledAddress(leaf.address, SELECTOR) for leaf in leaves)
    news, left = await root.client.open_multipoint([first.station, second.station], SELECTOR, FAST), []
    news.on_party = lambda party, status, data: left.append((party.called, status, data))
    expected = [[] for _ in leaves]

    async def tell(letter, *present):
        sdus = [letter * (100 + 300 * n) for n in range(4)]
        news.send(*sdus)
        for number in present:
            expected[number] += sdus
        for number in present:
            end, wanted = leaves[number].accepted[0], expected[number]
            await root.until(lambda end=end, wanted=wanted: len(end.received) >= len(wanted), f"{letter} at {number}")

    await tell(b"a", 0, 1)
    await news.add_party(third)
    await tell(b"b", 0, 1, 2)
    await leaves[0].accepted[0].close(b"enough")
    await root.until(lambda: [party.called for party in news.parties] == [second, third], "the leave at the root")
    assert left == [(first, NdisStatus.SUCCESS, b"enough")]
    await tell(b"c", 1, 2)
    await news.drop_party(news.parties[0], b"not you")
    dropped = leaves[1].accepted[0]
    await root.until(lambda: dropped.state is CLOSED, "the drop at the party")
    assert (dropped.close_status, dropped.close_data) == (NdisStatus.SUCCESS, b"not you")
    await tell(b"d", 2)
    await news.add_party(first)  # it comes back: a new call to it
    await tell(b"e", 2)
    back = leaves[0].accepted[1]
    await root.until(lambda: len(back.received) >= 4, "the SDUs of the second stay")
    assert list(back.received) == expected[2][-4:]
    vlan = VlanMedia.parse(news.parameters.media.specific).vlan_id
    assert sum(vlan_of(frame.data) == vlan for frame in root.wire) == 5 * 4
    await news.close()
    for host, had in zip(hosts, free, strict=True):
        await root.until(lambda host=host, had=had: host.holdings() == had, f"{host.number} to be free")
    assert [list(leaf.accepted[0].received) for leaf in leaves] == expected
    await leave(*hosts)
