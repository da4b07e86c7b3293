# SPDX-License-Identifier: Apache-2.0
"""The whole way of one frame, for the tour and the picture of the README."""

import cocotb
from stack_bench import OWN, PEER, finish, frame, one

from hilnic.wire.link import WireFrame


@cocotb.test()
async def a_frame_goes_out_and_comes_back(dut):
    """Protocol, NDIS, miniport, ring, DMA, MAC, wire; a peer sends it back; and up again (S6-02, R6-03)."""
    host = await one(dut)
    host.card.link.connect(lambda sent: host.card.link.send(WireFrame(OWN + sent.data[6:])))
    host.send(frame(7, 100, destination=PEER))
    await host.until(lambda: host.received)
    assert host.received == [frame(7, 100)]
    await finish(host)
