# SPDX-License-Identifier: Apache-2.0
"""Two hosts on two Verilog NICs, connected by a cable, whose protocols are of different NDIS versions."""

import os

import cocotb
from stack_bench import HARD, address, finish, frame, padded
from xlate_bench import corners

FAST = os.environ.get("HILNIC_SIM") == "verilator"
PAIRS = [("5 packet", "6"), ("6", "5 packet"), ("5 lookahead", "5 both"), ("6", "5 lookahead")]
LENGTHS = [14, 59, 60, 61, 128, 1000, 1513, 1514]


def request(number: int, length: int = 60) -> bytes:
    """From the first host to the second."""
    return frame(number, length, address(1), address(0))


@cocotb.test()
@cocotb.parametrize(which=PAIRS)
async def every_request_gets_its_reply(dut, which):
    """XL-02, XL-10, XL-11, S6-24, CL-07: the reply is sent from inside the receive handler; no byte is copied."""
    one, other = await corners(dut, [[name] for name in which], timing=HARD, seed=9)
    other.up.replies = True
    frames = [request(n, LENGTHS[n % len(LENGTHS)]) for n in range(80 if FAST else 16)]
    for first in range(0, len(frames), 8):
        one.up.go(*frames[first : first + 8])
        await one.run(5_000)
    await one.until(lambda: len(one.up.received) == len(frames), what="all replies")
    await one.settled(len(frames))
    await other.settled(len(frames))
    assert other.up.received == [padded(data) for data in frames]
    replies = [data[6:12] + data[:6] + data[12:] for data in map(padded, frames)]
    assert one.up.received == replies
    assert (one.copies, other.copies, one.up.live, other.up.live) == (0, 0, 0, 0)
    await finish(one, other)
