// SPDX-License-Identifier: Apache-2.0
// The receive half with DMA writes, completions and interrupts, wired as in nic_1g, for nic_rx_tests. RX ring q lies at
// 0x1_0000_0000 + q * 0x10000, completion ring of direction d and queue q at 0x1_0080_0000 + d * 0x40_0000 + q * 0x10000; all rings
// have 2^ring_log2_i entries, all RX queues the same buffer size, queue q of direction d interrupts on vector (q + d) mod NumVectors.
`default_nettype none

module nic_rx_path #(
    parameter int NumTxQueues   = 4,
    parameter int NumRxQueues   = 4,
    parameter int NumVectors    = 8,
    parameter int MaxReads      = 16,
    parameter int MaxWrites     = 8,
    parameter int MaxBurstBytes = 256,
    parameter int RxBufBytes    = 32768,
    parameter int CacheDepth    = 32
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    input  wire logic [            3:0] ring_log2_i,
    input  wire logic [           14:0] buf_size_i,
    input  wire logic [            7:0] mod_count_i,
    input  wire logic [           15:0] mod_ticks_i,
    input  wire logic                   rx_enable_i,
    input  wire logic                   loopback_i,
    input  wire logic                   pass_bad_i,
    input  wire logic [           15:0] max_frame_i,
    input  wire logic [            5:0] filter_i,
    input  wire logic [           47:0] mac_i,
    input  wire logic [            5:0] default_queue_i,
    input  wire logic                   flush_i,
    output      logic                   idle_o,
    // queue_ctrl
    input  wire logic                   db_valid_i,
    input  wire logic [           10:0] db_queue_i,
    input  wire logic [           31:0] db_index_i,
    input  wire logic                   rearm_valid_i,
    output      logic                   rearm_ready_o,
    input  wire logic                   rearm_dir_i,
    input  wire logic [           10:0] rearm_queue_i,
    input  wire logic [           31:0] rearm_index_i,
    input  wire logic                   start_valid_i,
    input  wire logic                   start_dir_i,
    input  wire logic [           10:0] start_queue_i,
    input  wire logic [           31:0] start_index_i,
    input  wire logic [           31:0] start_cpl_index_i,
    input  wire logic [NumRxQueues-1:0] on_i,
    input  wire logic [NumRxQueues-1:0] enabled_i,
    input  wire logic                   barrier_valid_i,
    input  wire logic [           10:0] barrier_queue_i,
    output      logic                   barrier_ready_o,
    output      logic                   barrier_valid_o,
    output      logic                   barrier_dir_o,
    output      logic [           10:0] barrier_queue_o,
    output      logic                   cpl_err_valid_o,
    output      logic                   cpl_err_dir_o,
    output      logic [           10:0] cpl_err_queue_o,
    output      logic [           31:0] cpl_err_index_o,
    output      logic                   fetch_err_valid_o,
    output      logic [           10:0] fetch_err_queue_o,
    output      logic [            7:0] fetch_err_cause_o,
    output      logic [           31:0] fetch_err_index_o,
    input  wire logic                   tx_flush_i,
    input  wire logic                   flush_valid_i,
    input  wire logic                   flush_dir_i,
    input  wire logic [           10:0] flush_queue_i,
    output      logic                   flush_done_o,
    input  wire logic                   misc_fire_i,
    input  wire logic                   csr_dir_i,
    input  wire logic [           10:0] csr_queue_i,
    output      logic [           31:0] csr_index_o,
    // transmit side: frames to loop or send, and records
    input  wire logic                   tx_valid_i,
    output      logic                   tx_ready_o,
    input  wire logic [           63:0] tx_data_i,
    input  wire logic                   tx_last_i,
    input  wire logic [            2:0] tx_count_i,
    input  wire logic                   rec_valid_i,
    output      logic                   rec_ready_o,
    input  wire logic                   rec_barrier_i,
    input  wire logic [           10:0] rec_queue_i,
    input  wire logic [           31:0] rec_index_i,
    input  wire logic [           15:0] rec_length_i,
    input  wire logic [            7:0] rec_cause_i,
    input  wire logic [            1:0] rec_class_i,
    input  wire logic                   rec_verdict_i,
    // MAC
    output      logic                   mac_tx_valid_o,
    input  wire logic                   mac_tx_ready_i,
    output      logic [           63:0] mac_tx_data_o,
    output      logic                   mac_tx_last_o,
    output      logic [            2:0] mac_tx_count_o,
    input  wire logic                   verdict_valid_i,
    output      logic                   verdict_ready_o,
    input  wire logic                   verdict_abort_i,
    input  wire logic [           15:0] verdict_length_i,
    input  wire logic                   rx_valid_i,
    output      logic                   rx_ready_o,
    input  wire logic [           63:0] rx_data_i,
    input  wire logic                   rx_status_i,
    // statistics events
    output      logic                   ev0_valid_o,
    output      logic [           35:0] ev0_mask_o,
    output      logic [           15:0] ev0_wire_o,
    output      logic                   ev1_valid_o,
    output      logic [           35:0] ev1_mask_o,
    output      logic [           15:0] ev1_len_o,
    output      logic                   tx_ev_valid_o,
    output      logic [           19:0] tx_ev_mask_o,
    output      logic [           15:0] tx_ev_wire_o,
    output      logic [           15:0] tx_ev_len_o,
    input  wire logic                   ev_ready_i,
    // interrupts
    output      logic [ NumVectors-1:0] irq_o,
    // AXI4
    output      logic [            3:0] m_axi_arid,
    output      logic [           63:0] m_axi_araddr,
    output      logic [            7:0] m_axi_arlen,
    output      logic [            2:0] m_axi_arsize,
    output      logic [            1:0] m_axi_arburst,
    output      logic [            3:0] m_axi_arcache,
    output      logic [            2:0] m_axi_arprot,
    output      logic                   m_axi_arvalid,
    input  wire logic                   m_axi_arready,
    input  wire logic [            3:0] m_axi_rid,
    input  wire logic [           63:0] m_axi_rdata,
    input  wire logic [            1:0] m_axi_rresp,
    input  wire logic                   m_axi_rlast,
    input  wire logic                   m_axi_rvalid,
    output      logic                   m_axi_rready,
    output      logic [            3:0] m_axi_awid,
    output      logic [           63:0] m_axi_awaddr,
    output      logic [            7:0] m_axi_awlen,
    output      logic [            2:0] m_axi_awsize,
    output      logic [            1:0] m_axi_awburst,
    output      logic [            3:0] m_axi_awcache,
    output      logic [            2:0] m_axi_awprot,
    output      logic                   m_axi_awvalid,
    input  wire logic                   m_axi_awready,
    output      logic [           63:0] m_axi_wdata,
    output      logic [            7:0] m_axi_wstrb,
    output      logic                   m_axi_wlast,
    output      logic                   m_axi_wvalid,
    input  wire logic                   m_axi_wready,
    input  wire logic [            3:0] m_axi_bid,
    input  wire logic [            1:0] m_axi_bresp,
    input  wire logic                   m_axi_bvalid,
    output      logic                   m_axi_bready
);

  logic room, rx_valid, rx_ready, rx_status, rx_loop, rx_discard, rx_abandon;
  logic [63:0] rx_data;
  logic verdict_valid, verdict_ready, verdict_abort, verdict_loop;
  logic [15:0] verdict_length;
  logic da_valid, hit_valid, hit_accept, hit_own, hit_broadcast, hit_multicast;
  logic [47:0] da;
  logic [5:0] hit_queue;
  logic [10:0] unused_buf_queue, avail_queue, pop_queue, ring_queue, cpl_queue, irq_queue, vis_queue;
  logic [31:0] avail_count, pop_index, vis_index, unused_producer, unused_consumer, unused_table;
  logic [127:0] pop_desc;
  logic [NumRxQueues-1:0] unused_ready, unused_outstanding;
  logic [3:0] unused_log2;
  logic pop_valid, pop_ready, pop_err, unused_failed;
  logic seg_valid, seg_ready, seg_last, word_valid, word_ready;
  logic [63:0] seg_addr, word_data, cpl_addr, fetch_addr, desc_rdata, unused_txd;
  logic [15:0] seg_len, fetch_len, unused_wire;
  logic rec_valid, rec_ready, ack_valid, ack_err, cpl_valid, cpl_ready, resp_valid, resp_err;
  logic [131:0] rec_data;
  logic [255:0] cpl_data;
  logic cpl_dir, irq_dir, vis_valid, vis_ready, vis_dir, fetch_valid, fetch_ready, fetch_rvalid, desc_rerr;
  logic rx_idle, write_idle, cpl_idle, unused_busy, unused_read_idle, unused_td, unused_tdr, unused_tx, unused_txv, unused_txe;
  logic [7:0] vector;
  logic [10:0] unused_fill_queue, unused_tx_ev_queue, unused_rx_ev_queue;
  logic [11:0] unused_vid;
  logic unused_fill, unused_look, unused_drop, unused_drop_vc, unused_mark_ready, unused_mark;

  assign idle_o = rx_idle && write_idle && cpl_idle;

  loopback u_loopback (
      .clk_i, .rst_ni, .cfg_loopback_i(loopback_i),
      .tx_valid_i, .tx_ready_o, .tx_data_i, .tx_last_i, .tx_count_i,
      .mac_tx_valid_o, .mac_tx_ready_i, .mac_tx_data_o, .mac_tx_last_o, .mac_tx_count_o,
      .mac_verdict_valid_i(verdict_valid_i), .mac_verdict_ready_o(verdict_ready_o), .mac_verdict_abort_i(verdict_abort_i),
      .mac_verdict_length_i(verdict_length_i),
      .mac_rx_valid_i(rx_valid_i), .mac_rx_ready_o(rx_ready_o), .mac_rx_data_i(rx_data_i), .mac_rx_status_i(rx_status_i),
      .verdict_valid_o(verdict_valid), .verdict_ready_i(verdict_ready), .verdict_abort_o(verdict_abort),
      .verdict_loopback_o(verdict_loop), .verdict_length_o(verdict_length),
      .room_i(room), .rx_valid_o(rx_valid), .rx_ready_i(rx_ready), .rx_data_o(rx_data), .rx_status_o(rx_status),
      .rx_loopback_o(rx_loop), .rx_discard_o(rx_discard), .rx_abandon_o(rx_abandon)
  );

  rx_filter u_filter (
      .clk_i, .rst_ni, .da_valid_i(da_valid), .da_i(da), .hit_valid_o(hit_valid), .hit_accept_o(hit_accept), .hit_queue_o(hit_queue),
      .hit_own_o(hit_own), .hit_broadcast_o(hit_broadcast), .hit_multicast_o(hit_multicast),
      .tbl_write_i(1'b0), .tbl_index_i(5'd0), .tbl_high_i(1'b0), .tbl_data_i(32'd0), .tbl_rdata_o(unused_table), .clear_i(1'b0),
      .cfg_filter_i(filter_i), .cfg_mac_i(mac_i), .cfg_hash_i(64'd0), .cfg_default_queue_i(default_queue_i)
  );

  rx_path #(.NumRxQueues(NumRxQueues), .RxBufBytes(RxBufBytes)) u_rx_path (
      .clk_i, .rst_ni,
      .rx_valid_i(rx_valid), .rx_ready_o(rx_ready), .rx_data_i(rx_data), .rx_status_i(rx_status), .rx_loopback_i(rx_loop),
      .rx_discard_i(rx_discard), .rx_abandon_i(rx_abandon), .room_o(room),
      .da_valid_o(da_valid), .da_o(da), .hit_valid_i(hit_valid), .hit_accept_i(hit_accept), .hit_queue_i(hit_queue),
      .hit_own_i(hit_own), .hit_broadcast_i(hit_broadcast), .hit_multicast_i(hit_multicast),
      .look_valid_o(unused_look), .look_vid_o(unused_vid), .look_done_i(1'b0), .look_hit_i(1'b0), .look_vc_i(1'b0), .look_queue_i(11'd0),
      .drop_valid_o(unused_drop), .drop_vc_o(unused_drop_vc), .mark_valid_i(1'b0), .mark_ready_o(unused_mark_ready), .mark_o(unused_mark),
      .hurry_i(1'b0), .cfg_no_wait_i(1'b0),
      .cfg_rx_enable_i(rx_enable_i), .cfg_pass_bad_i(pass_bad_i), .cfg_max_frame_i(max_frame_i),
      .flush_i, .on_i(enabled_i), .cfg_queue_o(unused_buf_queue), .cfg_buf_size_i(buf_size_i),
      .barrier_valid_i, .barrier_queue_i, .barrier_ready_o, .idle_o(rx_idle),
      .avail_queue_o(avail_queue), .avail_count_i(avail_count), .pop_valid_o(pop_valid), .pop_queue_o(pop_queue),
      .pop_ready_i(pop_ready), .pop_addr_i(pop_desc[63:0]), .pop_index_i(pop_index), .pop_err_i(pop_err),
      .seg_valid_o(seg_valid), .seg_ready_i(seg_ready), .seg_addr_o(seg_addr), .seg_len_o(seg_len), .seg_last_o(seg_last),
      .word_valid_o(word_valid), .word_ready_i(word_ready), .word_data_o(word_data),
      .rec_valid_o(rec_valid), .rec_ready_i(rec_ready), .rec_data_o(rec_data),
      .ev_valid_o(ev0_valid_o), .ev_ready_i(ev_ready_i), .ev_mask_o(ev0_mask_o), .ev_wire_o(ev0_wire_o)
  );

  desc_fetch #(.NumQueues(NumRxQueues), .CacheDepth(CacheDepth), .IsRx(1'b1)) u_desc_fetch (
      .clk_i, .rst_ni, .db_valid_i, .db_queue_i, .db_index_i,
      .start_valid_i(start_valid_i && start_dir_i), .start_queue_i, .start_index_i,
      .on_i, .ending_i(~enabled_i), .outstanding_o(unused_outstanding),
      .cfg_queue_o(ring_queue), .cfg_ring_base_i({28'd0, 4'd1, 5'd0, ring_queue, 16'd0}), .cfg_ring_log2_i(ring_log2_i),
      .err_valid_o(fetch_err_valid_o), .err_queue_o(fetch_err_queue_o), .err_cause_o(fetch_err_cause_o),
      .err_index_o(fetch_err_index_o), .csr_queue_i, .csr_producer_o(unused_producer), .csr_consumer_o(unused_consumer),
      .rd_valid_o(fetch_valid), .rd_ready_i(fetch_ready), .rd_addr_o(fetch_addr), .rd_len_o(fetch_len),
      .rdata_valid_i(fetch_rvalid), .rdata_i(desc_rdata), .rdata_err_i(desc_rerr),
      .fill_valid_o(unused_fill), .fill_queue_o(unused_fill_queue), .ready_o(unused_ready), .pop_valid_i(pop_valid), .pop_queue_i(pop_queue), .pop_ready_o(pop_ready), .pop_desc_o(pop_desc),
      .pop_index_o(pop_index), .pop_ring_log2_o(unused_log2), .pop_err_o(pop_err), .pop_failed_o(unused_failed),
      .avail_queue_i(avail_queue), .avail_count_o(avail_count)
  );

  dma_read #(.MaxReads(MaxReads), .MaxBurstBytes(MaxBurstBytes)) u_dma_read (
      .clk_i, .rst_ni, .idle_o(unused_read_idle),
      .td_valid_i(1'b0), .td_ready_o(unused_td), .td_addr_i(64'd0), .td_len_i(16'd0), .td_rvalid_o(unused_tdr),
      .rd_valid_i(fetch_valid), .rd_ready_o(fetch_ready), .rd_addr_i(fetch_addr), .rd_len_i(fetch_len), .rd_rvalid_o(fetch_rvalid),
      .desc_rdata_o(desc_rdata), .desc_rerr_o(desc_rerr),
      .tx_valid_i(1'b0), .tx_ready_o(unused_tx), .tx_addr_i(64'd0), .tx_len_i(16'd0),
      .txd_valid_o(unused_txv), .txd_ready_i(1'b1), .txd_data_o(unused_txd), .txd_err_o(unused_txe),
      .m_axi_arid, .m_axi_araddr, .m_axi_arlen, .m_axi_arsize, .m_axi_arburst, .m_axi_arcache, .m_axi_arprot, .m_axi_arvalid,
      .m_axi_arready, .m_axi_rid, .m_axi_rdata, .m_axi_rresp, .m_axi_rlast, .m_axi_rvalid, .m_axi_rready
  );

  dma_write #(.MaxWrites(MaxWrites), .MaxBurstBytes(MaxBurstBytes)) u_dma_write (
      .clk_i, .rst_ni,
      .seg_valid_i(seg_valid), .seg_ready_o(seg_ready), .seg_addr_i(seg_addr), .seg_len_i(seg_len), .seg_last_i(seg_last),
      .word_valid_i(word_valid), .word_ready_o(word_ready), .word_data_i(word_data),
      .ack_valid_o(ack_valid), .ack_err_o(ack_err), .cpl_valid_i(cpl_valid), .cpl_ready_o(cpl_ready), .cpl_addr_i(cpl_addr),
      .cpl_data_i(cpl_data), .resp_valid_o(resp_valid), .resp_err_o(resp_err), .idle_o(write_idle),
      .m_axi_awid, .m_axi_awaddr, .m_axi_awlen, .m_axi_awsize, .m_axi_awburst, .m_axi_awcache, .m_axi_awprot, .m_axi_awvalid,
      .m_axi_awready, .m_axi_wdata, .m_axi_wstrb, .m_axi_wlast, .m_axi_wvalid, .m_axi_wready, .m_axi_bid, .m_axi_bresp,
      .m_axi_bvalid, .m_axi_bready
  );

  completer #(.NumTxQueues(NumTxQueues), .NumRxQueues(NumRxQueues), .MaxWrites(MaxWrites)) u_completer (
      .clk_i, .rst_ni, .start_valid_i, .start_dir_i, .start_queue_i, .start_cpl_index_i,
      .cfg_dir_o(cpl_dir), .cfg_queue_o(cpl_queue), .cfg_cpl_base_i({40'h00_0000_0100, 1'b1, cpl_dir, cpl_queue[5:0], 16'd0}),
      .cfg_cpl_log2_i(ring_log2_i), .tx_flush_i,
      .err_valid_o(cpl_err_valid_o), .err_dir_o(cpl_err_dir_o), .err_queue_o(cpl_err_queue_o), .err_index_o(cpl_err_index_o),
      .barrier_valid_o, .barrier_dir_o, .barrier_queue_o, .idle_o(cpl_idle),
      .tx_rec_valid_i(rec_valid_i), .tx_rec_ready_o(rec_ready_o), .tx_rec_barrier_i(rec_barrier_i), .tx_rec_queue_i(rec_queue_i),
      .tx_rec_index_i(rec_index_i), .tx_rec_length_i(rec_length_i), .tx_rec_cause_i(rec_cause_i), .tx_rec_class_i(rec_class_i),
      .tx_rec_verdict_i(rec_verdict_i),
      .verdict_valid_i(verdict_valid), .verdict_ready_o(verdict_ready), .verdict_abort_i(verdict_abort),
      .verdict_loopback_i(verdict_loop), .verdict_length_i(verdict_length),
      .rx_rec_valid_i(rec_valid), .rx_rec_ready_o(rec_ready), .rx_rec_data_i(rec_data),
      .ack_valid_i(ack_valid), .ack_err_i(ack_err), .cpl_valid_o(cpl_valid), .cpl_ready_i(cpl_ready), .cpl_addr_o(cpl_addr),
      .cpl_data_o(cpl_data), .resp_valid_i(resp_valid), .resp_err_i(resp_err),
      .vis_valid_o(vis_valid), .vis_ready_i(vis_ready), .vis_dir_o(vis_dir), .vis_queue_o(vis_queue), .vis_index_o(vis_index),
      .tx_ev_queue_o(unused_tx_ev_queue), .rx_ev_queue_o(unused_rx_ev_queue),
      .tx_ev_valid_o, .tx_ev_ready_i(ev_ready_i), .tx_ev_mask_o, .tx_ev_wire_o, .tx_ev_len_o,
      .rx_ev_valid_o(ev1_valid_o), .rx_ev_ready_i(ev_ready_i), .rx_ev_mask_o(ev1_mask_o), .rx_ev_wire_o(unused_wire),
      .rx_ev_len_o(ev1_len_o)
  );

  assign vector = (8'(irq_queue) + 8'(irq_dir)) % 8'(NumVectors);
  irq #(.NumTxQueues(NumTxQueues), .NumRxQueues(NumRxQueues), .NumVectors(NumVectors)) u_irq (
      .clk_i, .rst_ni, .vis_valid_i(vis_valid), .vis_ready_o(vis_ready), .vis_dir_i(vis_dir), .vis_queue_i(vis_queue),
      .vis_index_i(vis_index), .start_valid_i, .start_dir_i, .start_queue_i, .start_cpl_index_i,
      .flush_valid_i, .flush_dir_i, .flush_queue_i, .flush_done_o, .clear_i(1'b0), .busy_o(unused_busy),
      .cfg_dir_o(irq_dir), .cfg_queue_o(irq_queue), .cfg_vector_i(vector), .cfg_count_i(mod_count_i), .cfg_ticks_i(mod_ticks_i),
      .rearm_valid_i, .rearm_ready_o, .rearm_dir_i, .rearm_queue_i, .rearm_index_i, .misc_fire_i,
      .csr_dir_i, .csr_queue_i, .csr_index_o, .irq_o
  );

endmodule

`default_nettype wire
