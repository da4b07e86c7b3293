// SPDX-License-Identifier: Apache-2.0
// csr: the register file's AXI4-Lite side. Takes one access at a time (a write before a read that comes with it), sends it to the
// block that owns the address (global registers, exact filter table, counters, queue pages and doorbells through the queue bus) and
// answers OKAY or, for an address nobody owns or a partial write strobe, SLVERR. An answer comes within 64 cycles: each target answers
// in at most 40. All of it in clk_i, so a stopped MAC clock changes nothing.
`default_nettype none
`include "check.svh"

module csr #(
    parameter int NumTxQueues   = 4,
    parameter int NumRxQueues   = 4,
    parameter int NumVectors    = 8,
    parameter int MaxReads      = 16,
    parameter int MaxWrites     = 8,
    parameter int MaxBurstBytes = 256,
    parameter int TxBufBytes    = 32768,
    parameter int RxBufBytes    = 32768,
    parameter int CacheDepth    = 32,
    parameter int SysClkPs      = 8000,
    parameter int NumVcs        = 0,
    parameter int NumTxCounters = 20,
    parameter int NumRxCounters = 36
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // host: AXI4-Lite
    input  wire logic [23:0] s_axil_awaddr,
    input  wire logic        s_axil_awvalid,
    output      logic        s_axil_awready,
    input  wire logic [31:0] s_axil_wdata,
    input  wire logic [3:0]  s_axil_wstrb,
    input  wire logic        s_axil_wvalid,
    output      logic        s_axil_wready,
    output      logic [1:0]  s_axil_bresp,
    output      logic        s_axil_bvalid,
    input  wire logic        s_axil_bready,
    input  wire logic [23:0] s_axil_araddr,
    input  wire logic        s_axil_arvalid,
    output      logic        s_axil_arready,
    output      logic [31:0] s_axil_rdata,
    output      logic [1:0]  s_axil_rresp,
    output      logic        s_axil_rvalid,
    input  wire logic        s_axil_rready,
    // queue_ctrl: queue pages and doorbells
    output      logic        qbus_look_o,          // pulse in the cycle before qbus_valid_o: address and data are there
    output      logic        qbus_valid_o,         // held until qbus_ready_i
    output      logic        qbus_write_o,
    output      logic [21:0] qbus_addr_o,
    output      logic [31:0] qbus_wdata_o,
    input  wire logic        qbus_ready_i,
    input  wire logic [31:0] qbus_rdata_i,
    input  wire logic        qbus_err_i,
    // vc_table: pages of virtual connections
    output      logic        vbus_valid_o,         // held until vbus_ready_i; address and data are those of the queue bus
    input  wire logic        vbus_ready_i,
    input  wire logic [31:0] vbus_rdata_i,
    input  wire logic        vbus_err_i,
    input  wire logic        vc_off_i,
    // queue_ctrl: soft reset and errors
    output      logic        soft_reset_o,
    input  wire logic        reset_busy_i,
    input  wire logic        tx_error_i,
    input  wire logic        rx_error_i,
    // rx_filter: exact table
    output      logic        tbl_write_o,
    output      logic [4:0]  tbl_index_o,
    output      logic        tbl_high_o,
    output      logic [31:0] tbl_data_o,
    input  wire logic [31:0] tbl_rdata_i,          // of tbl_index_o/tbl_high_o, at most two cycles later
    // stats: one shared request, two answers
    output      logic        tx_stat_valid_o,      // held until ready
    output      logic        rx_stat_valid_o,
    output      logic        stat_write_o,
    output      logic [5:0]  stat_index_o,
    output      logic        stat_high_o,
    output      logic [31:0] stat_wdata_o,
    input  wire logic        tx_stat_ready_i,
    input  wire logic [31:0] tx_stat_rdata_i,
    input  wire logic        rx_stat_ready_i,
    input  wire logic [31:0] rx_stat_rdata_i,
    output      logic        stats_clear_o,
    input  wire logic        stats_busy_i,
    // irq
    output      logic        misc_fire_o,
    // state and configuration, see csr_regs
    input  wire logic        link_up_i,
    input  wire logic        dma_idle_i,
    input  wire logic        tx_clk_alive_i,
    input  wire logic        rx_clk_alive_i,
    output      logic        cfg_tx_enable_o,
    output      logic        cfg_rx_enable_o,
    output      logic        cfg_loopback_o,
    output      logic [7:0]  cfg_ifg_o,
    output      logic        cfg_pass_bad_o,
    output      logic        cfg_keep_fcs_o,
    output      logic        cfg_host_fcs_o,
    output      logic [15:0] cfg_max_frame_o,
    output      logic [5:0]  cfg_filter_o,
    output      logic [47:0] cfg_mac_o,
    output      logic [63:0] cfg_hash_o,
    output      logic [5:0]  cfg_default_queue_o,
    output      logic [15:0] cfg_quantum_o,
    output      logic        cfg_rx_no_wait_o
);

  localparam logic [1:0] Okay = 2'b00;
  localparam logic [1:0] SlvErr = 2'b10;

  // Who owns an address.
  typedef enum logic [2:0] {
    ToNobody,
    ToGlobal,
    ToTable,
    ToTxStat,
    ToRxStat,
    ToQueue,
    ToVc
  } target_e;

  typedef enum logic [2:0] {
    StIdle,    // waits for an address (and data)
    StDecode,  // finds the owner of the registered address; a queue's gets its access at once
    StRoute,   // sends the access to the others
    StGlobal,  // one access cycle for the global registers, two for their answer
    StTable,   // the table's read port is being followed
    StWait,    // holds the request of a counter or of the queue bus until it is answered
    StAnswer   // holds the response until the host takes it
  } state_e;

  state_e      state_q;
  target_e     target_q;
  logic        write_q, bad_strobe_q, settled, answer, taken;
  logic [1:0]  settle_q;
  logic [23:0] addr_q;
  logic [31:0] wdata_q;
  logic        take_write, take_read, answered;
  logic [31:0] answer_data, global_rdata;
  logic        answer_err, global_known, awake, unused;

  // ---- taking an access: address and data of a write are taken together ----
  assign take_write = state_q == StIdle && s_axil_awvalid && s_axil_wvalid;
  assign take_read = state_q == StIdle && s_axil_arvalid && !take_write;
  assign s_axil_awready = take_write;
  assign s_axil_wready = take_write;
  assign s_axil_arready = take_read;

  // ---- decoding ----
  logic in_first_page, in_queue_space, in_vc_space, page_zero, in_table, tx_counter_built, rx_counter_built;
  assign in_first_page = addr_q[23:11] == 13'h0;
  assign in_queue_space = addr_q[23:20] == 4'h1 || addr_q[23:15] == 9'h040; // pages, doorbells
  assign in_vc_space = NumVcs > 0 && addr_q[23:18] == 6'h0a;
  assign page_zero = addr_q[10:8] == 3'b000;
  assign in_table = addr_q[10:8] == 3'b001;
  assign tx_counter_built = addr_q[10:9] == 2'b10 && 32'(addr_q[8:3]) < NumTxCounters;
  assign rx_counter_built = addr_q[10:9] == 2'b11 && 32'(addr_q[8:3]) < NumRxCounters;

  // ---- requests ----
  assign answered = qbus_valid_o && qbus_ready_i || vbus_valid_o && vbus_ready_i || tx_stat_valid_o && tx_stat_ready_i || rx_stat_valid_o && rx_stat_ready_i;
  assign qbus_look_o = state_q == StDecode && in_queue_space;
  assign qbus_write_o = write_q;
  assign qbus_addr_o = {addr_q[21:2], 2'b00};
  assign qbus_wdata_o = wdata_q;
  assign tbl_write_o = state_q == StTable && write_q && settle_q == 2'd0;
  assign tbl_index_o = addr_q[7:3];
  assign tbl_high_o = addr_q[2];
  assign tbl_data_o = addr_q[2] ? wdata_q & nic_1g_pkg::EXACT_HI_WRITE_MASK : wdata_q;
  assign stat_write_o = write_q;
  assign stat_index_o = addr_q[8:3];
  assign stat_high_o = addr_q[2];
  assign stat_wdata_o = wdata_q;

  // ---- answers ----
  assign settled = settle_q == 2'd2; // the registered read data is there
  assign taken = write_q ? s_axil_bready : s_axil_rready;
  assign answer = ((state_q == StGlobal || state_q == StTable) && settled) || (state_q == StWait && answered) ||
                  (state_q == StRoute && target_q == ToNobody);
  assign answer_err = state_q == StGlobal ? !global_known :
                      state_q == StWait ? qbus_valid_o && qbus_err_i || vbus_valid_o && vbus_err_i : state_q != StTable;
  assign answer_data = state_q == StGlobal ? global_rdata : state_q == StTable ? tbl_rdata_i : qbus_valid_o ? qbus_rdata_i :
                       vbus_valid_o ? vbus_rdata_i : tx_stat_valid_o ? tx_stat_rdata_i : rx_stat_rdata_i;

  // ---- registers ----
  assign awake = `AWAKE(state_q != StIdle || take_write || take_read);
  assign unused = &{1'b0, addr_q[1:0]};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      target_q <= ToNobody;
      {write_q, bad_strobe_q, settle_q} <= 4'b0000;
      addr_q <= 24'h0;
      wdata_q <= 32'h0;
      {qbus_valid_o, vbus_valid_o, tx_stat_valid_o, rx_stat_valid_o} <= 4'b0000;
      {s_axil_bvalid, s_axil_rvalid} <= 2'b00;
      s_axil_bresp <= Okay;
      s_axil_rresp <= Okay;
      s_axil_rdata <= 32'h0;
    end else if (awake) begin
      case (state_q)
        StIdle: if (take_write || take_read) state_q <= StDecode;
        StDecode: begin
          if (bad_strobe_q) target_q <= ToNobody;
          else if (in_queue_space) target_q <= ToQueue;
          else if (in_vc_space) target_q <= ToVc;
          else if (!in_first_page) target_q <= ToNobody;
          else if (tx_counter_built) target_q <= ToTxStat;
          else if (rx_counter_built) target_q <= ToRxStat;
          else if (in_table) target_q <= ToTable;
          else if (page_zero) target_q <= ToGlobal;
          else target_q <= ToNobody;
          if ((in_queue_space || in_vc_space) && !bad_strobe_q) state_q <= StWait;
          else state_q <= StRoute;
        end
        StRoute: begin
          case (target_q)
            ToGlobal: state_q <= StGlobal;
            ToTable: state_q <= StTable;
            ToTxStat, ToRxStat: state_q <= StWait;
            default: state_q <= StAnswer;
          endcase
        end
        StGlobal, StTable: if (settled) state_q <= StAnswer;
        StWait: if (answered) state_q <= StAnswer;
        default: if (taken) state_q <= StIdle; // StAnswer
      endcase
      settle_q <= state_q == StGlobal || state_q == StTable ? settle_q + 2'd1 : 2'd0;
      if (take_write || take_read) begin
        write_q <= take_write;
        addr_q <= take_write ? s_axil_awaddr : s_axil_araddr;
        wdata_q <= s_axil_wdata;
        bad_strobe_q <= take_write && s_axil_wstrb != 4'b1111;
      end
      if (state_q == StDecode) begin
        qbus_valid_o <= in_queue_space && !bad_strobe_q;
        vbus_valid_o <= in_vc_space && !bad_strobe_q;
      end else if (state_q == StRoute) begin
        tx_stat_valid_o <= target_q == ToTxStat;
        rx_stat_valid_o <= target_q == ToRxStat;
      end else if (answered) begin
        {qbus_valid_o, vbus_valid_o, tx_stat_valid_o, rx_stat_valid_o} <= 4'b0000;
      end
      if (answer) begin
        s_axil_bvalid <= write_q;
        s_axil_rvalid <= !write_q;
        s_axil_bresp <= answer_err ? SlvErr : Okay;
        s_axil_rresp <= answer_err ? SlvErr : Okay;
        s_axil_rdata <= answer_err ? 32'h0 : answer_data;
      end else if (state_q == StAnswer && taken) begin
        {s_axil_bvalid, s_axil_rvalid} <= 2'b00;
      end
    end
  end

  csr_regs #(
      .NumTxQueues(NumTxQueues),
      .NumRxQueues(NumRxQueues),
      .NumVectors(NumVectors),
      .MaxReads(MaxReads),
      .MaxWrites(MaxWrites),
      .MaxBurstBytes(MaxBurstBytes),
      .TxBufBytes(TxBufBytes),
      .RxBufBytes(RxBufBytes),
      .CacheDepth(CacheDepth),
      .SysClkPs(SysClkPs),
      .NumVcs(NumVcs)
  ) u_regs (
      .clk_i, .rst_ni,
      .access_i(state_q == StGlobal && settle_q == 2'd0), .write_i(write_q), .word_i(addr_q[7:2]), .wdata_i(wdata_q),
      .rdata_o(global_rdata), .known_o(global_known),
      .link_up_i, .reset_busy_i, .dma_idle_i, .tx_clk_alive_i, .rx_clk_alive_i, .tx_error_i, .rx_error_i, .vc_off_i, .stats_busy_i,
      .soft_reset_o, .stats_clear_o, .misc_fire_o,
      .cfg_tx_enable_o, .cfg_rx_enable_o, .cfg_loopback_o, .cfg_ifg_o, .cfg_pass_bad_o, .cfg_keep_fcs_o, .cfg_host_fcs_o,
      .cfg_max_frame_o, .cfg_filter_o, .cfg_mac_o, .cfg_hash_o, .cfg_default_queue_o, .cfg_quantum_o, .cfg_rx_no_wait_o
  );

endmodule

`default_nettype wire
