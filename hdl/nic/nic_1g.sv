// SPDX-License-Identifier: Apache-2.0
// nic_1g: the complete NIC. Wires the blocks of hdl/nic together along docs/nic.md section 5 and holds nothing else
// (longer than the others: it would not get clearer in two).
// Host side: AXI4-Lite slave (registers, docs/nic.md section 3), AXI4 master (DMA), one-cycle interrupt pulses, all in clk_i.
// Wire side: GMII in its own two clocks. rst_ni asserts asynchronously and is released synchronously in each clock.
`default_nettype none

module nic_1g #(
    parameter int NumVcs        = 64,     // virtual connections: none (0), or a power of two, 2..2048
    parameter int NumTxQueues   = NumVcs + 4, // 1..2048; by default one for each VC and four others
    parameter int NumRxQueues   = NumVcs + 4, // 1..2048
    parameter int NumVectors    = 8,      // 1..128
    parameter int MaxReads      = 16,     // read bursts outstanding, 1..64
    parameter int MaxWrites     = 8,      // write bursts outstanding
    parameter int MaxBurstBytes = 256,    // power of two, 64..2048
    parameter int TxBufBytes    = 32768,
    parameter int RxBufBytes    = 32768,
    parameter int CacheDepth    = 32,     // prefetched descriptors per queue
    parameter int SysClkPs      = 8000    // period of clk_i, for the SYS_CLK_PS register and the line's time
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

  localparam int VcBits = NumVcs > 2 ? $clog2(NumVcs) : 1;

  // ---- reset of this clock, the link --------------------------------------------------------------------------------------------
  logic rst_n, link_up, unused;
  logic [127:0] tx_pop_desc, rx_pop_desc;

  cdc_reset u_reset (.clk_i, .rst_ni, .rst_no(rst_n));
  cdc_sync u_link (.clk_i, .rst_ni(rst_n), .d_i(link_up_i), .q_o(link_up));

  assign unused = &{1'b0, s_axil_awprot, s_axil_arprot, rx_pop_desc[127:64]};

  // ---- csr: registers -----------------------------------------------------------------------------------------------------------
  logic qbus_look, qbus_valid, qbus_write, qbus_ready, qbus_err, soft_reset, reset_busy, tx_error, rx_error, misc_fire, dma_idle;
  logic [21:0] qbus_addr;
  logic [31:0] qbus_wdata, qbus_rdata, tbl_data, tbl_rdata, stat_wdata, tx_stat_rdata, rx_stat_rdata;
  logic tbl_write, tbl_high, tx_stat_valid, rx_stat_valid, stat_write, stat_high, tx_stat_ready, rx_stat_ready;
  logic stats_clear, tx_stats_busy, rx_stats_busy, tx_clk_alive, rx_clk_alive;
  logic [4:0] tbl_index;
  logic [5:0] stat_index, cfg_filter, cfg_default_queue;
  logic cfg_tx_enable, cfg_rx_enable, cfg_loopback, cfg_pass_bad, cfg_keep_fcs, cfg_host_fcs;
  logic [7:0] cfg_ifg;
  logic [15:0] cfg_max_frame;
  logic [47:0] cfg_mac;
  logic [63:0] cfg_hash;
  logic [15:0] cfg_quantum;
  logic cfg_rx_no_wait, vbus_valid, vbus_ready, vbus_err, vc_off;
  logic [31:0] vbus_rdata;

  csr #(
      .NumTxQueues(NumTxQueues), .NumRxQueues(NumRxQueues), .NumVectors(NumVectors), .MaxReads(MaxReads), .MaxWrites(MaxWrites),
      .MaxBurstBytes(MaxBurstBytes), .TxBufBytes(TxBufBytes), .RxBufBytes(RxBufBytes), .CacheDepth(CacheDepth), .SysClkPs(SysClkPs),
      .NumVcs(NumVcs), .NumTxCounters(nic_1g_pkg::TX_COUNTERS), .NumRxCounters(nic_1g_pkg::RX_COUNTERS)
  ) u_csr (
      .clk_i, .rst_ni(rst_n),
      .s_axil_awaddr, .s_axil_awvalid, .s_axil_awready, .s_axil_wdata, .s_axil_wstrb, .s_axil_wvalid, .s_axil_wready,
      .s_axil_bresp, .s_axil_bvalid, .s_axil_bready, .s_axil_araddr, .s_axil_arvalid, .s_axil_arready, .s_axil_rdata, .s_axil_rresp,
      .s_axil_rvalid, .s_axil_rready,
      .qbus_look_o(qbus_look), .qbus_valid_o(qbus_valid), .qbus_write_o(qbus_write), .qbus_addr_o(qbus_addr), .qbus_wdata_o(qbus_wdata),
      .qbus_ready_i(qbus_ready), .qbus_rdata_i(qbus_rdata), .qbus_err_i(qbus_err),
      .vbus_valid_o(vbus_valid), .vbus_ready_i(vbus_ready), .vbus_rdata_i(vbus_rdata), .vbus_err_i(vbus_err), .vc_off_i(vc_off),
      .soft_reset_o(soft_reset), .reset_busy_i(reset_busy), .tx_error_i(tx_error), .rx_error_i(rx_error),
      .tbl_write_o(tbl_write), .tbl_index_o(tbl_index), .tbl_high_o(tbl_high), .tbl_data_o(tbl_data), .tbl_rdata_i(tbl_rdata),
      .tx_stat_valid_o(tx_stat_valid), .rx_stat_valid_o(rx_stat_valid), .stat_write_o(stat_write), .stat_index_o(stat_index),
      .stat_high_o(stat_high), .stat_wdata_o(stat_wdata), .tx_stat_ready_i(tx_stat_ready), .tx_stat_rdata_i(tx_stat_rdata),
      .rx_stat_ready_i(rx_stat_ready), .rx_stat_rdata_i(rx_stat_rdata),
      .stats_clear_o(stats_clear), .stats_busy_i(tx_stats_busy || rx_stats_busy), .misc_fire_o(misc_fire),
      .link_up_i(link_up), .dma_idle_i(dma_idle), .tx_clk_alive_i(tx_clk_alive), .rx_clk_alive_i(rx_clk_alive),
      .cfg_tx_enable_o(cfg_tx_enable), .cfg_rx_enable_o(cfg_rx_enable), .cfg_loopback_o(cfg_loopback), .cfg_ifg_o(cfg_ifg),
      .cfg_pass_bad_o(cfg_pass_bad), .cfg_keep_fcs_o(cfg_keep_fcs), .cfg_host_fcs_o(cfg_host_fcs), .cfg_max_frame_o(cfg_max_frame),
      .cfg_filter_o(cfg_filter), .cfg_mac_o(cfg_mac), .cfg_hash_o(cfg_hash), .cfg_default_queue_o(cfg_default_queue),
      .cfg_quantum_o(cfg_quantum), .cfg_rx_no_wait_o(cfg_rx_no_wait)
  );

  // ---- queue_ctrl: pages, doorbells, start, disable, soft reset -------------------------------------------------------------------
  logic rx_flush, tx_flush, clear, irq_busy, tx_db_valid, rx_db_valid, rearm_valid, rearm_ready, bell_dir;
  logic [10:0] bell_queue, start_queue, flush_queue, page_queue, cpl_cfg_queue, irq_cfg_queue;
  logic [31:0] bell_index, start_index, start_cpl_index, cpl_produced;
  logic start_valid, start_dir, flush_valid, flush_dir, flush_done, page_dir, cpl_cfg_dir, irq_cfg_dir;
  logic barrier_done, barrier_done_dir, cpl_err_valid, cpl_err_dir;
  logic [10:0] cpl_err_queue, unused_barrier_queue;
  logic [31:0] cpl_err_index;
  logic [63:0] cpl_base;
  logic [3:0] cpl_log2;
  logic [7:0] irq_vector, irq_count;
  logic [15:0] irq_ticks;
  logic [NumTxQueues-1:0] tx_enabled, tx_on, tx_ending, tx_outstanding, tx_ready;
  logic [NumRxQueues-1:0] rx_enabled, rx_on, rx_ending, rx_outstanding;
  logic tx_barrier_valid, tx_barrier_ready, rx_barrier_valid, rx_barrier_ready, tx_err_valid, rx_err_valid;
  logic [10:0] tx_barrier_queue, rx_barrier_queue, tx_err_queue, rx_err_queue, tx_ring_queue, rx_ring_queue, rx_buf_queue;
  logic [7:0] tx_err_cause, rx_err_cause;
  logic [31:0] tx_err_index, rx_err_index, tx_producer, tx_consumer, rx_producer, rx_consumer;
  logic [63:0] tx_ring_base, rx_ring_base;
  logic [3:0] tx_ring_log2, rx_ring_log2;
  logic [14:0] rx_buf_size;
  logic read_idle, write_idle, rx_idle, completer_idle;
  logic queue_barrier_valid, queue_barrier_ready, queue_barrier_done, vc_quiet, vc_ending;
  logic [10:0] queue_barrier_queue;

  assign dma_idle = read_idle && write_idle;

  queue_ctrl #(.NumTxQueues(NumTxQueues), .NumRxQueues(NumRxQueues), .NumVectors(NumVectors)) u_queue_ctrl (
      .clk_i, .rst_ni(rst_n),
      .qbus_look_i(qbus_look), .qbus_valid_i(qbus_valid), .qbus_write_i(qbus_write), .qbus_addr_i(qbus_addr), .qbus_wdata_i(qbus_wdata),
      .qbus_ready_o(qbus_ready), .qbus_rdata_o(qbus_rdata), .qbus_err_o(qbus_err),
      .soft_reset_i(soft_reset), .reset_busy_o(reset_busy), .tx_error_o(tx_error), .rx_error_o(rx_error),
      .rx_flush_o(rx_flush), .idle_i(dma_idle && rx_idle && completer_idle), .clear_o(clear), .clear_busy_i(irq_busy),
      .vc_quiet_i(vc_quiet), .vc_ending_i(vc_ending), .tx_clk_alive_i(tx_clk_alive), .tx_flush_o(tx_flush),
      .tx_db_valid_o(tx_db_valid), .rx_db_valid_o(rx_db_valid), .rearm_valid_o(rearm_valid), .rearm_ready_i(rearm_ready),
      .bell_dir_o(bell_dir), .bell_queue_o(bell_queue), .bell_index_o(bell_index),
      .start_valid_o(start_valid), .start_dir_o(start_dir), .start_queue_o(start_queue), .start_index_o(start_index),
      .start_cpl_index_o(start_cpl_index),
      .flush_valid_o(flush_valid), .flush_dir_o(flush_dir), .flush_queue_o(flush_queue), .flush_done_i(flush_done),
      .barrier_done_i(queue_barrier_done), .barrier_done_dir_i(barrier_done_dir),
      .cpl_err_valid_i(cpl_err_valid), .cpl_err_dir_i(cpl_err_dir), .cpl_err_queue_i(cpl_err_queue), .cpl_err_index_i(cpl_err_index),
      .cpl_cfg_dir_i(cpl_cfg_dir), .cpl_cfg_queue_i(cpl_cfg_queue), .cpl_base_o(cpl_base), .cpl_log2_o(cpl_log2),
      .irq_cfg_dir_i(irq_cfg_dir), .irq_cfg_queue_i(irq_cfg_queue), .irq_vector_o(irq_vector), .irq_count_o(irq_count),
      .irq_ticks_o(irq_ticks), .page_dir_o(page_dir), .page_queue_o(page_queue), .cpl_produced_i(cpl_produced),
      .tx_enabled_o(tx_enabled), .tx_on_o(tx_on), .tx_ending_o(tx_ending), .tx_outstanding_i(tx_outstanding),
      .tx_barrier_valid_o(queue_barrier_valid), .tx_barrier_queue_o(queue_barrier_queue), .tx_barrier_ready_i(queue_barrier_ready),
      .tx_err_valid_i(tx_err_valid), .tx_err_queue_i(tx_err_queue), .tx_err_cause_i(tx_err_cause), .tx_err_index_i(tx_err_index),
      .tx_ring_queue_i(tx_ring_queue), .tx_ring_base_o(tx_ring_base), .tx_ring_log2_o(tx_ring_log2),
      .tx_producer_i(tx_producer), .tx_consumer_i(tx_consumer),
      .rx_enabled_o(rx_enabled), .rx_on_o(rx_on), .rx_ending_o(rx_ending), .rx_outstanding_i(rx_outstanding),
      .rx_barrier_valid_o(rx_barrier_valid), .rx_barrier_queue_o(rx_barrier_queue), .rx_barrier_ready_i(rx_barrier_ready),
      .rx_err_valid_i(rx_err_valid), .rx_err_queue_i(rx_err_queue), .rx_err_cause_i(rx_err_cause), .rx_err_index_i(rx_err_index),
      .rx_ring_queue_i(rx_ring_queue), .rx_ring_base_o(rx_ring_base), .rx_ring_log2_o(rx_ring_log2),
      .rx_producer_i(rx_producer), .rx_consumer_i(rx_consumer), .rx_buf_queue_i(rx_buf_queue), .rx_buf_size_o(rx_buf_size)
  );

  // ---- descriptors and reads ------------------------------------------------------------------------------------------------------
  logic td_valid, td_ready, td_rvalid, rd_valid, rd_ready, rd_rvalid, desc_rerr;
  logic [63:0] td_addr, rd_addr, desc_rdata, txr_addr, txd_data;
  logic [15:0] td_len, rd_len, txr_len;
  logic txr_valid, txr_ready, txd_valid, txd_ready, txd_err;
  logic tx_pop_valid, tx_pop_ready, tx_pop_err, tx_pop_failed, rx_pop_valid, rx_pop_ready, rx_pop_err, unused_rx_failed;
  logic [10:0] tx_pop_queue, rx_pop_queue, rx_avail_queue;
  logic [31:0] tx_pop_index, rx_pop_index, rx_avail_count, unused_tx_avail;
  logic [3:0] tx_pop_log2, unused_rx_log2;
  logic [NumRxQueues-1:0] unused_rx_ready;
  logic fill_valid, unused_rx_fill;
  logic [10:0] fill_queue, unused_rx_fill_queue;

  desc_fetch #(.NumQueues(NumTxQueues), .CacheDepth(CacheDepth), .IsRx(1'b0)) u_desc_fetch_tx (
      .clk_i, .rst_ni(rst_n), .db_valid_i(tx_db_valid), .db_queue_i(bell_queue), .db_index_i(bell_index),
      .start_valid_i(start_valid && !start_dir), .start_queue_i(start_queue), .start_index_i(start_index),
      .on_i(tx_on), .ending_i(tx_ending), .outstanding_o(tx_outstanding),
      .cfg_queue_o(tx_ring_queue), .cfg_ring_base_i(tx_ring_base), .cfg_ring_log2_i(tx_ring_log2),
      .err_valid_o(tx_err_valid), .err_queue_o(tx_err_queue), .err_cause_o(tx_err_cause), .err_index_o(tx_err_index),
      .csr_queue_i(page_queue), .csr_producer_o(tx_producer), .csr_consumer_o(tx_consumer),
      .rd_valid_o(td_valid), .rd_ready_i(td_ready), .rd_addr_o(td_addr), .rd_len_o(td_len),
      .rdata_valid_i(td_rvalid), .rdata_i(desc_rdata), .rdata_err_i(desc_rerr),
      .fill_valid_o(fill_valid), .fill_queue_o(fill_queue), .ready_o(tx_ready), .pop_valid_i(tx_pop_valid), .pop_queue_i(tx_pop_queue), .pop_ready_o(tx_pop_ready), .pop_desc_o(tx_pop_desc),
      .pop_index_o(tx_pop_index), .pop_ring_log2_o(tx_pop_log2), .pop_err_o(tx_pop_err), .pop_failed_o(tx_pop_failed),
      .avail_queue_i(11'd0), .avail_count_o(unused_tx_avail)
  );

  desc_fetch #(.NumQueues(NumRxQueues), .CacheDepth(CacheDepth), .IsRx(1'b1)) u_desc_fetch_rx (
      .clk_i, .rst_ni(rst_n), .db_valid_i(rx_db_valid), .db_queue_i(bell_queue), .db_index_i(bell_index),
      .start_valid_i(start_valid && start_dir), .start_queue_i(start_queue), .start_index_i(start_index),
      .on_i(rx_on), .ending_i(rx_ending), .outstanding_o(rx_outstanding),
      .cfg_queue_o(rx_ring_queue), .cfg_ring_base_i(rx_ring_base), .cfg_ring_log2_i(rx_ring_log2),
      .err_valid_o(rx_err_valid), .err_queue_o(rx_err_queue), .err_cause_o(rx_err_cause), .err_index_o(rx_err_index),
      .csr_queue_i(page_queue), .csr_producer_o(rx_producer), .csr_consumer_o(rx_consumer),
      .rd_valid_o(rd_valid), .rd_ready_i(rd_ready), .rd_addr_o(rd_addr), .rd_len_o(rd_len),
      .rdata_valid_i(rd_rvalid), .rdata_i(desc_rdata), .rdata_err_i(desc_rerr),
      .fill_valid_o(unused_rx_fill), .fill_queue_o(unused_rx_fill_queue), .ready_o(unused_rx_ready), .pop_valid_i(rx_pop_valid), .pop_queue_i(rx_pop_queue), .pop_ready_o(rx_pop_ready),
      .pop_desc_o(rx_pop_desc), .pop_index_o(rx_pop_index), .pop_ring_log2_o(unused_rx_log2), .pop_err_o(rx_pop_err),
      .pop_failed_o(unused_rx_failed), .avail_queue_i(rx_avail_queue), .avail_count_o(rx_avail_count)
  );

  dma_read #(.MaxReads(MaxReads), .MaxBurstBytes(MaxBurstBytes)) u_dma_read (
      .clk_i, .rst_ni(rst_n), .idle_o(read_idle),
      .td_valid_i(td_valid), .td_ready_o(td_ready), .td_addr_i(td_addr), .td_len_i(td_len), .td_rvalid_o(td_rvalid),
      .rd_valid_i(rd_valid), .rd_ready_o(rd_ready), .rd_addr_i(rd_addr), .rd_len_i(rd_len), .rd_rvalid_o(rd_rvalid),
      .desc_rdata_o(desc_rdata), .desc_rerr_o(desc_rerr),
      .tx_valid_i(txr_valid), .tx_ready_o(txr_ready), .tx_addr_i(txr_addr), .tx_len_i(txr_len),
      .txd_valid_o(txd_valid), .txd_ready_i(txd_ready), .txd_data_o(txd_data), .txd_err_o(txd_err),
      .m_axi_arid, .m_axi_araddr, .m_axi_arlen, .m_axi_arsize, .m_axi_arburst, .m_axi_arcache, .m_axi_arprot, .m_axi_arvalid,
      .m_axi_arready, .m_axi_rid, .m_axi_rdata, .m_axi_rresp, .m_axi_rlast, .m_axi_rvalid, .m_axi_rready
  );

  // ---- frames: transmit, MAC, loopback, receive -----------------------------------------------------------------------------------
  logic tx_valid, tx_frame_ready, tx_last, mac_tx_valid, mac_tx_ready, mac_tx_last;
  logic [63:0] tx_data, mac_tx_data, mac_rx_data, rx_data;
  logic [2:0] tx_count, mac_tx_count;
  logic mac_verdict_valid, mac_verdict_ready, mac_verdict_abort, verdict_valid, verdict_ready, verdict_abort, verdict_loopback;
  logic [15:0] mac_verdict_length, verdict_length;
  logic mac_rx_valid, mac_rx_ready, mac_rx_status, rx_valid, rx_ready, rx_status, rx_loopback, rx_discard, rx_abandon, rx_room;
  logic tx_rec_valid, tx_rec_ready, tx_rec_barrier, tx_rec_verdict, rx_rec_valid, rx_rec_ready;
  logic [10:0] tx_rec_queue;
  logic [31:0] tx_rec_index;
  logic [15:0] tx_rec_length;
  logic [7:0] tx_rec_cause;
  logic [1:0] tx_rec_class;
  logic [131:0] rx_rec_data;
  logic da_valid, hit_valid, hit_accept, hit_own, hit_broadcast, hit_multicast;
  logic [47:0] da;
  logic [5:0] hit_queue;
  logic seg_valid, seg_ready, seg_last, word_valid, word_ready;
  logic [63:0] seg_addr, word_data;
  logic [15:0] seg_len;
  logic rx_ev0_valid, rx_ev0_ready, rx_ev1_valid, rx_ev1_ready, tx_ev_valid, tx_ev_ready, unused_tx_ev1_ready;
  logic [nic_1g_pkg::RX_COUNTERS-1:0] rx_ev0_mask, rx_ev1_mask;
  logic [nic_1g_pkg::TX_COUNTERS-1:0] tx_ev_mask;
  logic [15:0] rx_ev0_wire, rx_ev1_wire, rx_ev1_len, tx_ev_wire, tx_ev_len;
  logic [10:0] tx_ev_queue, rx_ev_queue;
  // virtual connections
  logic [(1<<VcBits)-1:0] vc_active;
  logic vc_set_valid, vc_set_ready, vc_wait_valid, vc_wait_ready, look_valid, look_done, look_hit, drop_valid, mark_valid, mark_ready, mark;
  logic hurry, tx_count_ready, rx_count_ready;
  logic [VcBits+173:0] vc_set_data;
  logic [VcBits-1:0] vc_wait_vc, look_vc, drop_vc;
  logic [11:0] look_vid;
  logic [10:0] look_queue;

  tx_path #(
      .NumTxQueues(NumTxQueues), .TxBufBytes(TxBufBytes), .NumVcs(NumVcs), .VcBits(VcBits), .SysClkPs(SysClkPs)
  ) u_tx_path (
      .clk_i, .rst_ni(rst_n), .cfg_tx_enable_i(cfg_tx_enable), .cfg_max_frame_i(cfg_max_frame), .cfg_host_fcs_i(cfg_host_fcs),
      .cfg_ifg_i(cfg_ifg), .cfg_quantum_i(cfg_quantum), .start_valid_i(start_valid && !start_dir), .start_queue_i(start_queue),
      .fill_valid_i(fill_valid), .fill_queue_i(fill_queue), .vc_active_i(vc_active),
      .vc_set_valid_i(vc_set_valid), .vc_set_ready_o(vc_set_ready), .vc_set_data_i(vc_set_data),
      .vc_wait_valid_o(vc_wait_valid), .vc_wait_vc_o(vc_wait_vc), .vc_wait_ready_i(vc_wait_ready),
      .start_ok_i(tx_enabled), .flush_i(tx_flush), .barrier_valid_i(tx_barrier_valid), .barrier_queue_i(tx_barrier_queue),
      .barrier_ready_o(tx_barrier_ready),
      .ready_i(tx_ready), .pop_valid_o(tx_pop_valid), .pop_queue_o(tx_pop_queue), .pop_ready_i(tx_pop_ready), .pop_desc_i(tx_pop_desc),
      .pop_index_i(tx_pop_index), .pop_ring_log2_i(tx_pop_log2), .pop_err_i(tx_pop_err), .pop_failed_i(tx_pop_failed),
      .rd_valid_o(txr_valid), .rd_ready_i(txr_ready), .rd_addr_o(txr_addr), .rd_len_o(txr_len),
      .txd_valid_i(txd_valid), .txd_ready_o(txd_ready), .txd_data_i(txd_data), .txd_err_i(txd_err),
      .tx_valid_o(tx_valid), .tx_ready_i(tx_frame_ready), .tx_data_o(tx_data), .tx_last_o(tx_last), .tx_count_o(tx_count),
      .rec_valid_o(tx_rec_valid), .rec_ready_i(tx_rec_ready), .rec_barrier_o(tx_rec_barrier), .rec_queue_o(tx_rec_queue),
      .rec_index_o(tx_rec_index), .rec_length_o(tx_rec_length), .rec_cause_o(tx_rec_cause), .rec_class_o(tx_rec_class),
      .rec_verdict_o(tx_rec_verdict)
  );

  loopback u_loopback (
      .clk_i, .rst_ni(rst_n), .cfg_loopback_i(cfg_loopback),
      .tx_valid_i(tx_valid), .tx_ready_o(tx_frame_ready), .tx_data_i(tx_data), .tx_last_i(tx_last), .tx_count_i(tx_count),
      .mac_tx_valid_o(mac_tx_valid), .mac_tx_ready_i(mac_tx_ready), .mac_tx_data_o(mac_tx_data), .mac_tx_last_o(mac_tx_last),
      .mac_tx_count_o(mac_tx_count),
      .mac_verdict_valid_i(mac_verdict_valid), .mac_verdict_ready_o(mac_verdict_ready), .mac_verdict_abort_i(mac_verdict_abort),
      .mac_verdict_length_i(mac_verdict_length),
      .mac_rx_valid_i(mac_rx_valid), .mac_rx_ready_o(mac_rx_ready), .mac_rx_data_i(mac_rx_data), .mac_rx_status_i(mac_rx_status),
      .verdict_valid_o(verdict_valid), .verdict_ready_i(verdict_ready), .verdict_abort_o(verdict_abort),
      .verdict_loopback_o(verdict_loopback), .verdict_length_o(verdict_length),
      .room_i(rx_room), .rx_valid_o(rx_valid), .rx_ready_i(rx_ready), .rx_data_o(rx_data), .rx_status_o(rx_status),
      .rx_loopback_o(rx_loopback), .rx_discard_o(rx_discard), .rx_abandon_o(rx_abandon)
  );

  mac_port u_mac_port (
      .clk_i, .rst_ni(rst_n),
      .tx_valid_i(mac_tx_valid), .tx_ready_o(mac_tx_ready), .tx_data_i(mac_tx_data), .tx_last_i(mac_tx_last), .tx_count_i(mac_tx_count),
      .verdict_valid_o(mac_verdict_valid), .verdict_ready_i(mac_verdict_ready), .verdict_abort_o(mac_verdict_abort),
      .verdict_length_o(mac_verdict_length),
      .rx_valid_o(mac_rx_valid), .rx_ready_i(mac_rx_ready), .rx_data_o(mac_rx_data), .rx_status_o(mac_rx_status),
      .cfg_ifg_i(cfg_ifg), .cfg_max_frame_i(cfg_max_frame), .cfg_keep_fcs_i(cfg_keep_fcs), .cfg_host_fcs_i(cfg_host_fcs),
      .tx_clk_alive_o(tx_clk_alive), .rx_clk_alive_o(rx_clk_alive),
      .gmii_tx_clk_i, .gmii_txd_o, .gmii_tx_en_o, .gmii_tx_er_o, .gmii_rx_clk_i, .gmii_rxd_i, .gmii_rx_dv_i, .gmii_rx_er_i
  );

  rx_filter u_rx_filter (
      .clk_i, .rst_ni(rst_n), .da_valid_i(da_valid), .da_i(da), .hit_valid_o(hit_valid), .hit_accept_o(hit_accept),
      .hit_queue_o(hit_queue), .hit_own_o(hit_own), .hit_broadcast_o(hit_broadcast), .hit_multicast_o(hit_multicast),
      .tbl_write_i(tbl_write), .tbl_index_i(tbl_index), .tbl_high_i(tbl_high), .tbl_data_i(tbl_data), .tbl_rdata_o(tbl_rdata),
      .clear_i(clear), .cfg_filter_i(cfg_filter), .cfg_mac_i(cfg_mac), .cfg_hash_i(cfg_hash), .cfg_default_queue_i(cfg_default_queue)
  );

  rx_path #(.NumRxQueues(NumRxQueues), .RxBufBytes(RxBufBytes), .NumVcs(NumVcs), .VcBits(VcBits)) u_rx_path (
      .clk_i, .rst_ni(rst_n),
      .rx_valid_i(rx_valid), .rx_ready_o(rx_ready), .rx_data_i(rx_data), .rx_status_i(rx_status), .rx_loopback_i(rx_loopback),
      .rx_discard_i(rx_discard), .rx_abandon_i(rx_abandon), .room_o(rx_room),
      .da_valid_o(da_valid), .da_o(da), .hit_valid_i(hit_valid), .hit_accept_i(hit_accept), .hit_queue_i(hit_queue),
      .hit_own_i(hit_own), .hit_broadcast_i(hit_broadcast), .hit_multicast_i(hit_multicast),
      .look_valid_o(look_valid), .look_vid_o(look_vid), .look_done_i(look_done), .look_hit_i(look_hit), .look_vc_i(look_vc),
      .look_queue_i(look_queue), .drop_valid_o(drop_valid), .drop_vc_o(drop_vc), .mark_valid_i(mark_valid), .mark_ready_o(mark_ready),
      .mark_o(mark), .hurry_i(hurry), .cfg_no_wait_i(cfg_rx_no_wait && NumVcs > 0),
      .cfg_rx_enable_i(cfg_rx_enable), .cfg_pass_bad_i(cfg_pass_bad), .cfg_max_frame_i(cfg_max_frame),
      .flush_i(rx_flush), .on_i(rx_enabled), .cfg_queue_o(rx_buf_queue), .cfg_buf_size_i(rx_buf_size),
      .barrier_valid_i(rx_barrier_valid), .barrier_queue_i(rx_barrier_queue), .barrier_ready_o(rx_barrier_ready), .idle_o(rx_idle),
      .avail_queue_o(rx_avail_queue), .avail_count_i(rx_avail_count), .pop_valid_o(rx_pop_valid), .pop_queue_o(rx_pop_queue),
      .pop_ready_i(rx_pop_ready), .pop_addr_i(rx_pop_desc[63:0]), .pop_index_i(rx_pop_index), .pop_err_i(rx_pop_err),
      .seg_valid_o(seg_valid), .seg_ready_i(seg_ready), .seg_addr_o(seg_addr), .seg_len_o(seg_len), .seg_last_o(seg_last),
      .word_valid_o(word_valid), .word_ready_i(word_ready), .word_data_o(word_data),
      .rec_valid_o(rx_rec_valid), .rec_ready_i(rx_rec_ready), .rec_data_o(rx_rec_data),
      .ev_valid_o(rx_ev0_valid), .ev_ready_i(rx_ev0_ready), .ev_mask_o(rx_ev0_mask), .ev_wire_o(rx_ev0_wire)
  );

  // ---- writes, completions, interrupts, counters ----------------------------------------------------------------------------------
  logic ack_valid, ack_err, cpl_valid, cpl_ready, resp_valid, resp_err, vis_valid, vis_ready, vis_dir;
  logic [63:0] cpl_addr;
  logic [255:0] cpl_data;
  logic [10:0] vis_queue;
  logic [31:0] vis_index;

  dma_write #(.MaxWrites(MaxWrites), .MaxBurstBytes(MaxBurstBytes)) u_dma_write (
      .clk_i, .rst_ni(rst_n),
      .seg_valid_i(seg_valid), .seg_ready_o(seg_ready), .seg_addr_i(seg_addr), .seg_len_i(seg_len), .seg_last_i(seg_last),
      .word_valid_i(word_valid), .word_ready_o(word_ready), .word_data_i(word_data),
      .ack_valid_o(ack_valid), .ack_err_o(ack_err), .cpl_valid_i(cpl_valid), .cpl_ready_o(cpl_ready), .cpl_addr_i(cpl_addr),
      .cpl_data_i(cpl_data), .resp_valid_o(resp_valid), .resp_err_o(resp_err), .idle_o(write_idle),
      .m_axi_awid, .m_axi_awaddr, .m_axi_awlen, .m_axi_awsize, .m_axi_awburst, .m_axi_awcache, .m_axi_awprot, .m_axi_awvalid,
      .m_axi_awready, .m_axi_wdata, .m_axi_wstrb, .m_axi_wlast, .m_axi_wvalid, .m_axi_wready, .m_axi_bid, .m_axi_bresp,
      .m_axi_bvalid, .m_axi_bready
  );

  completer #(.NumTxQueues(NumTxQueues), .NumRxQueues(NumRxQueues), .MaxWrites(MaxWrites)) u_completer (
      .clk_i, .rst_ni(rst_n),
      .start_valid_i(start_valid), .start_dir_i(start_dir), .start_queue_i(start_queue), .start_cpl_index_i(start_cpl_index),
      .cfg_dir_o(cpl_cfg_dir), .cfg_queue_o(cpl_cfg_queue), .cfg_cpl_base_i(cpl_base), .cfg_cpl_log2_i(cpl_log2),
      .tx_flush_i(tx_flush), .err_valid_o(cpl_err_valid), .err_dir_o(cpl_err_dir), .err_queue_o(cpl_err_queue),
      .err_index_o(cpl_err_index), .barrier_valid_o(barrier_done), .barrier_dir_o(barrier_done_dir),
      .barrier_queue_o(unused_barrier_queue), .idle_o(completer_idle),
      .tx_rec_valid_i(tx_rec_valid), .tx_rec_ready_o(tx_rec_ready), .tx_rec_barrier_i(tx_rec_barrier), .tx_rec_queue_i(tx_rec_queue),
      .tx_rec_index_i(tx_rec_index), .tx_rec_length_i(tx_rec_length), .tx_rec_cause_i(tx_rec_cause), .tx_rec_class_i(tx_rec_class),
      .tx_rec_verdict_i(tx_rec_verdict),
      .verdict_valid_i(verdict_valid), .verdict_ready_o(verdict_ready), .verdict_abort_i(verdict_abort),
      .verdict_loopback_i(verdict_loopback), .verdict_length_i(verdict_length),
      .rx_rec_valid_i(rx_rec_valid), .rx_rec_ready_o(rx_rec_ready), .rx_rec_data_i(rx_rec_data),
      .ack_valid_i(ack_valid), .ack_err_i(ack_err), .cpl_valid_o(cpl_valid), .cpl_ready_i(cpl_ready), .cpl_addr_o(cpl_addr),
      .cpl_data_o(cpl_data), .resp_valid_i(resp_valid), .resp_err_i(resp_err),
      .vis_valid_o(vis_valid), .vis_ready_i(vis_ready), .vis_dir_o(vis_dir), .vis_queue_o(vis_queue), .vis_index_o(vis_index),
      .tx_ev_queue_o(tx_ev_queue), .rx_ev_queue_o(rx_ev_queue),
      .tx_ev_valid_o(tx_ev_valid), .tx_ev_ready_i(tx_ev_ready && tx_count_ready), .tx_ev_mask_o(tx_ev_mask), .tx_ev_wire_o(tx_ev_wire),
      .tx_ev_len_o(tx_ev_len), .rx_ev_valid_o(rx_ev1_valid), .rx_ev_ready_i(rx_ev1_ready && rx_count_ready), .rx_ev_mask_o(rx_ev1_mask),
      .rx_ev_wire_o(rx_ev1_wire), .rx_ev_len_o(rx_ev1_len)
  );

  irq #(.NumTxQueues(NumTxQueues), .NumRxQueues(NumRxQueues), .NumVectors(NumVectors)) u_irq (
      .clk_i, .rst_ni(rst_n),
      .vis_valid_i(vis_valid), .vis_ready_o(vis_ready), .vis_dir_i(vis_dir), .vis_queue_i(vis_queue), .vis_index_i(vis_index),
      .start_valid_i(start_valid), .start_dir_i(start_dir), .start_queue_i(start_queue), .start_cpl_index_i(start_cpl_index),
      .flush_valid_i(flush_valid), .flush_dir_i(flush_dir), .flush_queue_i(flush_queue), .flush_done_o(flush_done),
      .clear_i(clear), .busy_o(irq_busy), .cfg_dir_o(irq_cfg_dir), .cfg_queue_o(irq_cfg_queue), .cfg_vector_i(irq_vector),
      .cfg_count_i(irq_count), .cfg_ticks_i(irq_ticks),
      .rearm_valid_i(rearm_valid), .rearm_ready_o(rearm_ready), .rearm_dir_i(bell_dir), .rearm_queue_i(bell_queue),
      .rearm_index_i(bell_index), .misc_fire_i(misc_fire), .csr_dir_i(page_dir), .csr_queue_i(page_queue), .csr_index_o(cpl_produced),
      .irq_o
  );

  if (NumVcs > 0) begin : g_vcs
`ifndef SYNTHESIS
    initial begin
      if (NumVcs != 1 << VcBits) $fatal(1, "nic_1g: NumVcs must be a power of two from 2");
    end
`endif

    vc_table #(.NumTxQueues(NumTxQueues), .NumRxQueues(NumRxQueues), .VcBits(VcBits)) u_vc_table (
        .clk_i, .rst_ni(rst_n),
        .bus_valid_i(vbus_valid), .bus_write_i(qbus_write), .bus_addr_i(qbus_addr[17:0]), .bus_wdata_i(qbus_wdata), .bus_ready_o(vbus_ready),
        .bus_rdata_o(vbus_rdata), .bus_err_o(vbus_err), .off_o(vc_off),
        .tx_enabled_i(tx_enabled), .rx_enabled_i(rx_enabled), .reset_busy_i(reset_busy), .forget_i(clear), .ending_any_o(vc_ending),
        .quiet_o(vc_quiet), .active_o(vc_active), .set_valid_o(vc_set_valid), .set_ready_i(vc_set_ready), .set_data_o(vc_set_data),
        .wait_valid_i(vc_wait_valid), .wait_vc_i(vc_wait_vc), .wait_ready_o(vc_wait_ready),
        .look_valid_i(look_valid), .look_vid_i(look_vid), .look_done_o(look_done), .look_hit_o(look_hit), .look_vc_o(look_vc),
        .look_queue_o(look_queue), .drop_valid_i(drop_valid), .drop_vc_i(drop_vc), .mark_valid_o(mark_valid), .mark_ready_i(mark_ready),
        .mark_i(mark), .hurry_o(hurry),
        .tx_count_valid_i(tx_ev_valid && tx_ev_ready &&
                          (tx_ev_mask[nic_1g_pkg::TX_COUNTER_FRAMES] || tx_ev_mask[nic_1g_pkg::TX_COUNTER_LOOPBACK_FRAMES])),
        .tx_count_ready_o(tx_count_ready), .tx_count_queue_i(tx_ev_queue), .tx_count_octets_i(tx_ev_wire),
        .rx_count_valid_i(rx_ev1_valid && rx_ev1_ready), .rx_count_ready_o(rx_count_ready), .rx_count_queue_i(rx_ev_queue),
        .rx_count_good_i(rx_ev1_mask[nic_1g_pkg::RX_COUNTER_DELIVERED_FRAMES]), .rx_count_octets_i(rx_ev1_len),
        .queue_barrier_valid_i(queue_barrier_valid), .queue_barrier_queue_i(queue_barrier_queue), .queue_barrier_ready_o(queue_barrier_ready),
        .tx_barrier_valid_o(tx_barrier_valid), .tx_barrier_queue_o(tx_barrier_queue), .tx_barrier_ready_i(tx_barrier_ready),
        .rx_barrier_i(rx_barrier_valid && rx_barrier_ready), .barrier_done_i(barrier_done), .barrier_done_dir_i(barrier_done_dir),
        .queue_barrier_done_o(queue_barrier_done)
    );
  end else begin : g_no_vcs
    logic unused_vcs;

    assign {vbus_ready, vbus_rdata, vbus_err, vc_off, vc_ending, vc_quiet} = 37'd1;
    assign {vc_active, vc_set_valid, vc_set_data, vc_wait_ready, look_done, look_hit, look_vc, look_queue, mark_valid, hurry} = '0;
    assign {tx_count_ready, rx_count_ready} = 2'b11;
    assign {tx_barrier_valid, tx_barrier_queue, queue_barrier_ready} = {queue_barrier_valid, queue_barrier_queue, tx_barrier_ready};
    assign queue_barrier_done = barrier_done;
    assign unused_vcs = &{1'b0, vbus_valid, vc_set_ready, vc_wait_valid, vc_wait_vc, look_valid, look_vid, drop_valid, drop_vc, mark_ready, mark,
                      tx_ev_queue, rx_ev_queue};
  end

  stats #(
      .NumCounters(nic_1g_pkg::TX_COUNTERS), .WireMask(nic_1g_pkg::TX_WIRE_MASK), .LenMask(nic_1g_pkg::TX_LEN_MASK)
  ) u_stats_tx (
      .clk_i, .rst_ni(rst_n),
      .ev0_valid_i(tx_ev_valid && tx_count_ready), .ev0_ready_o(tx_ev_ready), .ev0_mask_i(tx_ev_mask), .ev0_wire_i(tx_ev_wire), .ev0_len_i(tx_ev_len),
      .ev1_valid_i(1'b0), .ev1_ready_o(unused_tx_ev1_ready), .ev1_mask_i({nic_1g_pkg::TX_COUNTERS{1'b0}}), .ev1_wire_i(16'd0), .ev1_len_i(16'd0),
      .clear_i(stats_clear), .clear_busy_o(tx_stats_busy),
      .csr_valid_i(tx_stat_valid), .csr_write_i(stat_write), .csr_index_i(stat_index), .csr_high_i(stat_high),
      .csr_wdata_i(stat_wdata), .csr_ready_o(tx_stat_ready), .csr_rdata_o(tx_stat_rdata)
  );

  stats #(
      .NumCounters(nic_1g_pkg::RX_COUNTERS), .WireMask(nic_1g_pkg::RX_WIRE_MASK), .LenMask(nic_1g_pkg::RX_LEN_MASK)
  ) u_stats_rx (
      .clk_i, .rst_ni(rst_n),
      .ev0_valid_i(rx_ev0_valid), .ev0_ready_o(rx_ev0_ready), .ev0_mask_i(rx_ev0_mask), .ev0_wire_i(rx_ev0_wire), .ev0_len_i(16'd0),
      .ev1_valid_i(rx_ev1_valid && rx_count_ready), .ev1_ready_o(rx_ev1_ready), .ev1_mask_i(rx_ev1_mask), .ev1_wire_i(rx_ev1_wire), .ev1_len_i(rx_ev1_len),
      .clear_i(stats_clear), .clear_busy_o(rx_stats_busy),
      .csr_valid_i(rx_stat_valid), .csr_write_i(stat_write), .csr_index_i(stat_index), .csr_high_i(stat_high),
      .csr_wdata_i(stat_wdata), .csr_ready_o(rx_stat_ready), .csr_rdata_o(rx_stat_rdata)
  );

endmodule

`default_nettype wire
