# SPDX-License-Identifier: Apache-2.0
"""What `verify=fast` looks at of a packet that is sent again and again (docs/ndis.md, what fast looks at)."""

import pytest

from hilnic.ndis import ndis5

LOOK_EVERY = 8


def sends_until_named(bench5, spoil):
    """How often a packet was sent when a miniport that spoils it from its second send on is named."""
    b = bench5()
    (packet,) = b.fp.send_array(*b.frames(1))
    b.fm.complete()
    for number in range(2, 3 * LOOK_EVERY):
        ndis5.send_packets(b.fp.open, [packet])
        undo = spoil(packet)
        with b.ndis.report.collect() as found:
            b.fm.complete()
        undo()
        if found:
            return found[0].rule, number
    return None


def another_length(packet):
    packet.head.byte_count -= 1

    def undo():
        packet.head.byte_count += 1

    return undo


def another_time(packet):
    ndis5.set_packet_time_to_send(packet, 5)
    return lambda: ndis5.set_packet_time_to_send(packet, 0)


def another_owner(packet):
    before, packet.protocol_reserved[0] = packet.protocol_reserved[0], "mine"

    def undo():
        packet.protocol_reserved[0] = before

    return undo


@pytest.mark.rule("S5-10")
def test_the_buffers_of_every_send_are_looked_at(bench5):
    assert sends_until_named(bench5, another_length) == ("S5-10", 2)


@pytest.mark.rule("S5-10", "S5-14")
@pytest.mark.parametrize(("spoil", "rule"), [(another_time, "S5-10"), (another_owner, "S5-14")])
def test_the_rest_is_looked_at_in_the_eighth_send_after_the_first(bench5, spoil, rule):
    assert sends_until_named(bench5, spoil) == (rule, 1 + LOOK_EVERY)
