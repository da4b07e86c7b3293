// SPDX-License-Identifier: Apache-2.0
// The transmit half from doorbells to the frame buffer's output, wired as in nic_1g, for nic_tx_tests. Ring q lies at
// 0x1_0000_0000 + q * 0x10000 and has 2^ring_log2_i entries.
`default_nettype none

module nic_tx_path #(
    parameter int NumTxQueues   = 4,
    parameter int MaxReads      = 16,
    parameter int MaxBurstBytes = 256,
    parameter int TxBufBytes    = 32768,
    parameter int CacheDepth    = 32
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    input  wire logic [            3:0] ring_log2_i,
    input  wire logic                   tx_enable_i,
    input  wire logic [           15:0] max_frame_i,
    input  wire logic                   host_fcs_i,
    input  wire logic                   db_valid_i,
    input  wire logic [           10:0] db_queue_i,
    input  wire logic [           31:0] db_index_i,
    input  wire logic                   start_valid_i,
    input  wire logic [           10:0] start_queue_i,
    input  wire logic [           31:0] start_index_i,
    input  wire logic [NumTxQueues-1:0] on_i,
    input  wire logic [NumTxQueues-1:0] enabled_i,
    output logic [NumTxQueues-1:0]      outstanding_o,
    input  wire logic                   flush_i,
    input  wire logic                   barrier_valid_i,
    input  wire logic [           10:0] barrier_queue_i,
    output logic                        barrier_ready_o,
    output logic                        err_valid_o,
    output logic [10:0]                 err_queue_o,
    output logic [7:0]                  err_cause_o,
    output logic [31:0]                 err_index_o,
    input  wire logic [           10:0] csr_queue_i,
    output logic [31:0]                 csr_producer_o,
    output logic [31:0]                 csr_consumer_o,
    output logic                        idle_o,
    // frames
    output logic                        tx_valid_o,
    input  wire logic                   tx_ready_i,
    output logic [63:0]                 tx_data_o,
    output logic                        tx_last_o,
    output logic [2:0]                  tx_count_o,
    // records
    output logic                        rec_valid_o,
    input  wire logic                   rec_ready_i,
    output logic                        rec_barrier_o,
    output logic [10:0]                 rec_queue_o,
    output logic [31:0]                 rec_index_o,
    output logic [15:0]                 rec_length_o,
    output logic [7:0]                  rec_cause_o,
    output logic [1:0]                  rec_class_o,
    output logic                        rec_verdict_o,
    // AXI4 read channels
    output logic [3:0]                  m_axi_arid,
    output logic [63:0]                 m_axi_araddr,
    output logic [7:0]                  m_axi_arlen,
    output logic [2:0]                  m_axi_arsize,
    output logic [1:0]                  m_axi_arburst,
    output logic [3:0]                  m_axi_arcache,
    output logic [2:0]                  m_axi_arprot,
    output logic                        m_axi_arvalid,
    input  wire logic                   m_axi_arready,
    input  wire logic [3:0]             m_axi_rid,
    input  wire logic [63:0]            m_axi_rdata,
    input  wire logic [1:0]             m_axi_rresp,
    input  wire logic                   m_axi_rlast,
    input  wire logic                   m_axi_rvalid,
    output logic                        m_axi_rready
);

  logic [10:0] cfg_queue, pop_queue;
  logic fd_valid, fd_ready, td_rvalid, unused_rx_ready, unused_rx_rvalid, desc_rerr;
  logic [63:0] fd_addr, desc_rdata, tx_addr, txd_data;
  logic [15:0] fd_len, tx_len;
  logic tx_valid, tx_ready, txd_valid, txd_ready, txd_err;
  logic pop_valid, pop_ready, pop_err, pop_failed;
  logic [127:0] pop_desc;
  logic [3:0] pop_ring_log2;
  logic [31:0] pop_index, unused_avail;
  logic [NumTxQueues-1:0] ready;
  logic unused_fill, unused_set, unused_wait, unused_wait_vc;
  logic [10:0] unused_fill_queue;

  desc_fetch #(.NumQueues(NumTxQueues), .CacheDepth(CacheDepth)) u_desc_fetch (
      .clk_i, .rst_ni, .db_valid_i, .db_queue_i, .db_index_i, .start_valid_i, .start_queue_i, .start_index_i,
      .on_i, .ending_i(~enabled_i), .outstanding_o,
      .cfg_queue_o(cfg_queue), .cfg_ring_base_i({28'd0, 4'd1, 5'd0, cfg_queue, 16'd0}), .cfg_ring_log2_i(ring_log2_i),
      .err_valid_o, .err_queue_o, .err_cause_o, .err_index_o, .csr_queue_i, .csr_producer_o, .csr_consumer_o,
      .rd_valid_o(fd_valid), .rd_ready_i(fd_ready), .rd_addr_o(fd_addr), .rd_len_o(fd_len),
      .rdata_valid_i(td_rvalid), .rdata_i(desc_rdata), .rdata_err_i(desc_rerr),
      .fill_valid_o(unused_fill), .fill_queue_o(unused_fill_queue), .ready_o(ready), .pop_valid_i(pop_valid), .pop_queue_i(pop_queue), .pop_ready_o(pop_ready), .pop_desc_o(pop_desc),
      .pop_index_o(pop_index), .pop_ring_log2_o(pop_ring_log2), .pop_err_o(pop_err), .pop_failed_o(pop_failed), .avail_queue_i(11'd0), .avail_count_o(unused_avail)
  );

  dma_read #(.MaxReads(MaxReads), .MaxBurstBytes(MaxBurstBytes)) u_dma_read (
      .clk_i, .rst_ni, .idle_o,
      .td_valid_i(fd_valid), .td_ready_o(fd_ready), .td_addr_i(fd_addr), .td_len_i(fd_len), .td_rvalid_o(td_rvalid),
      .rd_valid_i(1'b0), .rd_ready_o(unused_rx_ready), .rd_addr_i(64'd0), .rd_len_i(16'd0), .rd_rvalid_o(unused_rx_rvalid),
      .desc_rdata_o(desc_rdata), .desc_rerr_o(desc_rerr),
      .tx_valid_i(tx_valid), .tx_ready_o(tx_ready), .tx_addr_i(tx_addr), .tx_len_i(tx_len),
      .txd_valid_o(txd_valid), .txd_ready_i(txd_ready), .txd_data_o(txd_data), .txd_err_o(txd_err),
      .m_axi_arid, .m_axi_araddr, .m_axi_arlen, .m_axi_arsize, .m_axi_arburst, .m_axi_arcache, .m_axi_arprot, .m_axi_arvalid,
      .m_axi_arready, .m_axi_rid, .m_axi_rdata, .m_axi_rresp, .m_axi_rlast, .m_axi_rvalid, .m_axi_rready
  );

  tx_path #(.NumTxQueues(NumTxQueues), .TxBufBytes(TxBufBytes)) u_tx_path (
      .clk_i, .rst_ni, .cfg_tx_enable_i(tx_enable_i), .cfg_max_frame_i(max_frame_i), .cfg_host_fcs_i(host_fcs_i),
      .cfg_ifg_i(8'd12), .cfg_quantum_i(16'd0), .start_valid_i, .start_queue_i, .fill_valid_i(1'b0), .fill_queue_i(11'd0),
      .vc_active_i(2'd0), .vc_set_valid_i(1'b0), .vc_set_ready_o(unused_set), .vc_set_data_i('0),
      .vc_wait_valid_o(unused_wait), .vc_wait_vc_o(unused_wait_vc), .vc_wait_ready_i(1'b0),
      .start_ok_i(enabled_i), .flush_i, .barrier_valid_i, .barrier_queue_i, .barrier_ready_o,
      .ready_i(ready), .pop_valid_o(pop_valid), .pop_queue_o(pop_queue), .pop_ready_i(pop_ready), .pop_desc_i(pop_desc),
      .pop_index_i(pop_index), .pop_ring_log2_i(pop_ring_log2), .pop_err_i(pop_err), .pop_failed_i(pop_failed),
      .rd_valid_o(tx_valid), .rd_ready_i(tx_ready), .rd_addr_o(tx_addr), .rd_len_o(tx_len),
      .txd_valid_i(txd_valid), .txd_ready_o(txd_ready), .txd_data_i(txd_data), .txd_err_i(txd_err),
      .tx_valid_o, .tx_ready_i, .tx_data_o, .tx_last_o, .tx_count_o,
      .rec_valid_o, .rec_ready_i, .rec_barrier_o, .rec_queue_o, .rec_index_o, .rec_length_o, .rec_cause_o, .rec_class_o, .rec_verdict_o
  );

endmodule

`default_nettype wire
