# SPDX-License-Identifier: Apache-2.0
"""The receive half (loopback, rx_filter, rx_path, dma_write, completer, irq) from the MAC's words to host memory, byte for byte."""

from __future__ import annotations

import cocotb

from nic_rx_bench import BROADCAST, EOP, ERROR, OK, OWN, SOP, Bench


@cocotb.test()
async def a_frame_reaches_its_buffer_and_completes(dut) -> None:
    bench = await Bench(dut, seed=1).begin()
    await bench.give(0, 1)
    bench.deliver(0, bench.frame(60))
    await bench.until(lambda: bench.counters["rx2"] == 1 and len(bench.frames[0]) == 1)
    (c,) = bench.completions
    assert (c.index, c.length, c.frame_length, c.cause) == (bench.producer[0], 60, 60, 0)
    assert c.status == OK | SOP | EOP | 16
    assert (bench.counters["rx0"], bench.counters["rx1"], bench.counters["rx3"], bench.counters["rx28"]) == (1, 64, 60, 1)
