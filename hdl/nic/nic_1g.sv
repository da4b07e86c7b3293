// SPDX-License-Identifier: Apache-2.0
// nic_1g: the complete NIC. Wires the blocks of hdl/nic together along docs/nic.md section 5 and holds nothing else.
// Host side: AXI4-Lite slave (registers, docs/nic.md section 3), AXI4 master (DMA), one-cycle interrupt pulses, all in clk_i.
// Wire side: GMII in its own two clocks. rst_ni asserts asynchronously and is released synchronously in each clock.
`default_nettype none

module nic_1g #(
    parameter int NumTxQueues   = 4,      // 1..64
    parameter int NumRxQueues   = 4,      // 1..64
    parameter int NumVectors    = 8,      // 1..128
    parameter int MaxReads      = 16,     // read bursts outstanding, 1..64
    parameter int MaxWrites     = 8,      // write bursts outstanding
    parameter int MaxBurstBytes = 256,    // power of two, 64..2048
    parameter int TxBufBytes    = 32768,
    parameter int RxBufBytes    = 32768,
    parameter int CacheDepth    = 32,     // prefetched descriptors per queue
    parameter int SysClkPs      = 8000    // period of clk_i, for the SYS_CLK_PS register
) (
    input  wire logic                  clk_i,
    input  wire logic                  rst_ni,
    // registers: AXI4-Lite slave
    input  wire logic [23:0]           s_axil_awaddr,
    input  wire logic [2:0]            s_axil_awprot,
    input  wire logic                  s_axil_awvalid,
    output logic                       s_axil_awready,
    input  wire logic [31:0]           s_axil_wdata,
    input  wire logic [3:0]            s_axil_wstrb,
    input  wire logic                  s_axil_wvalid,
    output logic                       s_axil_wready,
    output logic [1:0]                 s_axil_bresp,
    output logic                       s_axil_bvalid,
    input  wire logic                  s_axil_bready,
    input  wire logic [23:0]           s_axil_araddr,
    input  wire logic [2:0]            s_axil_arprot,
    input  wire logic                  s_axil_arvalid,
    output logic                       s_axil_arready,
    output logic [31:0]                s_axil_rdata,
    output logic [1:0]                 s_axil_rresp,
    output logic                       s_axil_rvalid,
    input  wire logic                  s_axil_rready,
    // host memory: AXI4 master
    output logic [3:0]                 m_axi_awid,
    output logic [63:0]                m_axi_awaddr,
    output logic [7:0]                 m_axi_awlen,
    output logic [2:0]                 m_axi_awsize,
    output logic [1:0]                 m_axi_awburst,
    output logic [3:0]                 m_axi_awcache,
    output logic [2:0]                 m_axi_awprot,
    output logic                       m_axi_awvalid,
    input  wire logic                  m_axi_awready,
    output logic [63:0]                m_axi_wdata,
    output logic [7:0]                 m_axi_wstrb,
    output logic                       m_axi_wlast,
    output logic                       m_axi_wvalid,
    input  wire logic                  m_axi_wready,
    input  wire logic [3:0]            m_axi_bid,
    input  wire logic [1:0]            m_axi_bresp,
    input  wire logic                  m_axi_bvalid,
    output logic                       m_axi_bready,
    output logic [3:0]                 m_axi_arid,
    output logic [63:0]                m_axi_araddr,
    output logic [7:0]                 m_axi_arlen,
    output logic [2:0]                 m_axi_arsize,
    output logic [1:0]                 m_axi_arburst,
    output logic [3:0]                 m_axi_arcache,
    output logic [2:0]                 m_axi_arprot,
    output logic                       m_axi_arvalid,
    input  wire logic                  m_axi_arready,
    input  wire logic [3:0]            m_axi_rid,
    input  wire logic [63:0]           m_axi_rdata,
    input  wire logic [1:0]            m_axi_rresp,
    input  wire logic                  m_axi_rlast,
    input  wire logic                  m_axi_rvalid,
    output logic                       m_axi_rready,
    // interrupts: one cycle high is one message
    output logic [NumVectors-1:0]      irq_o,
    // GMII and link, from and to the PHY
    input  wire logic                  gmii_rx_clk_i,
    input  wire logic [7:0]            gmii_rxd_i,
    input  wire logic                  gmii_rx_dv_i,
    input  wire logic                  gmii_rx_er_i,
    input  wire logic                  gmii_tx_clk_i,
    output logic [7:0]                 gmii_txd_o,
    output logic                       gmii_tx_en_o,
    output logic                       gmii_tx_er_o,
    input  wire logic                  link_up_i
);
  // (the blocks follow as they are integrated)
endmodule

`default_nettype wire
