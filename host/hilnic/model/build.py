# SPDX-License-Identifier: Apache-2.0
"""The parameters of a build, as `nic_1g` has them."""

from dataclasses import dataclass

from hilnic.hw import regs
from hilnic.hw.regs_table import GLOBAL

_MOST_IN_CAPS0 = 127
_FEATURES = next(register.reset for register in GLOBAL if register.offset == regs.FEATURES)


@dataclass(frozen=True, slots=True)
class Build:
    """What is built in; the defaults are those of the test bench (tb/tb_nic.sv), which has VCs only when asked."""

    num_tx_queues: int = regs.DEFAULT_NUM_TX_QUEUES
    num_rx_queues: int = regs.DEFAULT_NUM_RX_QUEUES
    num_vectors: int = regs.DEFAULT_NUM_VECTORS
    max_reads: int = regs.DEFAULT_MAX_READS
    max_writes: int = regs.DEFAULT_MAX_WRITES
    max_burst_bytes: int = regs.DEFAULT_MAX_BURST_BYTES
    tx_buf_bytes: int = regs.DEFAULT_TX_BUF_BYTES
    rx_buf_bytes: int = regs.DEFAULT_RX_BUF_BYTES
    cache_depth: int = regs.DEFAULT_CACHE_DEPTH
    sys_clk_ps: int = regs.DEFAULT_SYS_CLK_PS
    num_vcs: int = 0

    def cycles_ns(self, cycles: int) -> int:
        """So many system clock cycles in ns, rounded up."""
        return -(-cycles * self.sys_clk_ps // 1000)

    def register_values(self) -> dict[int, int]:
        """Offset and value of the registers that tell of the build."""
        lsb = {"tx": regs.CAPS0_NUM_TX_QUEUES_LSB, "rx": regs.CAPS0_NUM_RX_QUEUES_LSB}
        caps0 = (
            min(self.num_tx_queues, _MOST_IN_CAPS0) << lsb["tx"] | min(self.num_rx_queues, _MOST_IN_CAPS0) << lsb["rx"]
        )
        caps0 |= self.num_vectors << regs.CAPS0_NUM_VECTORS_LSB
        caps0 |= regs.LARGEST_RING_LOG2 << regs.CAPS0_LARGEST_RING_LOG2_LSB
        caps1 = self.max_reads << regs.CAPS1_MAX_READS_LSB | self.max_writes << regs.CAPS1_MAX_WRITES_LSB
        queues = self.num_tx_queues << regs.QUEUES_NUM_TX_QUEUES_LSB
        queues |= self.num_rx_queues << regs.QUEUES_NUM_RX_QUEUES_LSB
        return {
            regs.CAPS0: caps0,
            regs.FEATURES: _FEATURES | (regs.FEATURES_VIRTUAL_CONNECTIONS if self.num_vcs else 0),
            regs.QUEUES: queues,
            regs.NUM_VCS: self.num_vcs,
            regs.CAPS1: caps1 | self.max_burst_bytes << regs.CAPS1_MAX_BURST_BYTES_LSB,
            regs.SYS_CLK_PS: self.sys_clk_ps,
            regs.TX_BUF_BYTES: self.tx_buf_bytes,
            regs.RX_BUF_BYTES: self.rx_buf_bytes,
            regs.CACHE_DEPTH: self.cache_depth,
        }
