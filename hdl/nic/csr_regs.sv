// SPDX-License-Identifier: Apache-2.0
// csr_regs: the global registers 0x000 to 0x0FF of docs/nic.md section 3, without the bus. An access is one cycle of access_i with
// its word address, which stands for two cycles more; a write acts a cycle later, rdata_o and known_o (the address is mapped) follow
// in the next. The miscellaneous interrupt lives here: while armed, a bit set in MISC_CAUSE and MISC_ENABLE gives one misc_fire_o and disarms; writing MISC_CAUSE arms.
`default_nettype none
`include "check.svh"

module csr_regs #(
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
    parameter int NumVcs        = 0
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // csr: one access
    input  wire logic        access_i,
    input  wire logic        write_i,
    input  wire logic [5:0]  word_i,               // word address in the page
    input  wire logic [31:0] wdata_i,
    output      logic [31:0] rdata_o,              // two cycles later
    output      logic        known_o,
    // state of the NIC
    input  wire logic        link_up_i,            // in clk_i
    input  wire logic        reset_busy_i,
    input  wire logic        dma_idle_i,
    input  wire logic        tx_clk_alive_i,
    input  wire logic        rx_clk_alive_i,
    input  wire logic        tx_error_i,           // pulse: a TX queue stopped in ERROR
    input  wire logic        rx_error_i,
    input  wire logic        vc_off_i,             // pulse: a draining VC became off
    input  wire logic        stats_busy_i,         // counters are being cleared
    // orders
    output      logic        soft_reset_o,         // pulse
    output      logic        stats_clear_o,        // pulse
    output      logic        misc_fire_o,          // pulse: send vector 0
    // configuration
    output      logic        cfg_tx_enable_o,
    output      logic        cfg_rx_enable_o,
    output      logic        cfg_loopback_o,
    output      logic [7:0]  cfg_ifg_o,
    output      logic        cfg_pass_bad_o,
    output      logic        cfg_keep_fcs_o,
    output      logic        cfg_host_fcs_o,
    output      logic [15:0] cfg_max_frame_o,
    output      logic [5:0]  cfg_filter_o,
    output      logic [47:0] cfg_mac_o,            // octet 0 in bits 7:0
    output      logic [63:0] cfg_hash_o,
    output      logic [5:0]  cfg_default_queue_o,
    output      logic [15:0] cfg_quantum_o,        // of a connectionless queue's turn
    output      logic        cfg_rx_no_wait_o
);

  localparam logic [31:0] Caps0 = nic_1g_pkg::CAPS0_RESET & nic_1g_pkg::CAPS0_LARGEST_RING_LOG2_MASK
      | 32'(NumTxQueues > 127 ? 127 : NumTxQueues) << nic_1g_pkg::CAPS0_NUM_TX_QUEUES_LSB
      | 32'(NumRxQueues > 127 ? 127 : NumRxQueues) << nic_1g_pkg::CAPS0_NUM_RX_QUEUES_LSB
      | 32'(NumVectors) << nic_1g_pkg::CAPS0_NUM_VECTORS_LSB;
  localparam logic [31:0] Caps1 = 32'(MaxReads) << nic_1g_pkg::CAPS1_MAX_READS_LSB
      | 32'(MaxWrites) << nic_1g_pkg::CAPS1_MAX_WRITES_LSB
      | 32'(MaxBurstBytes) << nic_1g_pkg::CAPS1_MAX_BURST_BYTES_LSB;

  localparam logic [31:0] Features = nic_1g_pkg::FEATURES_RESET | (NumVcs > 0 ? nic_1g_pkg::FEATURES_VIRTUAL_CONNECTIONS_MASK : 32'd0);
  localparam logic [31:0] Queues = 32'(NumTxQueues) << nic_1g_pkg::QUEUES_NUM_TX_QUEUES_LSB
      | 32'(NumRxQueues) << nic_1g_pkg::QUEUES_NUM_RX_QUEUES_LSB;

  logic [31:0] scratch_q;
  logic [2:0]  ctrl_q;
  logic [10:0] mac_cfg_q;
  logic [15:0] mac_addr_hi_q;
  logic [31:0] mac_addr_lo_q, hash_lo_q, hash_hi_q;
  logic [3:0]  cause_q, cause_d, enable_q;
  logic        armed_q, link_q, busy_q;
  logic [7:0]  address;
  logic        access_q;
  logic [5:0]  word_q;
  logic [31:0] fixed_q, state_q;                   // the two halves of an answer: one of them is zero

  assign address = {word_q, 2'b00};
  assign cfg_tx_enable_o = ctrl_q[nic_1g_pkg::CTRL_TX_ENABLE_LSB];
  assign cfg_rx_enable_o = ctrl_q[nic_1g_pkg::CTRL_RX_ENABLE_LSB];
  assign cfg_loopback_o = ctrl_q[nic_1g_pkg::CTRL_LOOPBACK_LSB];
  assign cfg_ifg_o = mac_cfg_q[nic_1g_pkg::MAC_CFG_IFG_LSB+:nic_1g_pkg::MAC_CFG_IFG_WIDTH];
  assign cfg_pass_bad_o = mac_cfg_q[nic_1g_pkg::MAC_CFG_PASS_BAD_LSB];
  assign cfg_keep_fcs_o = mac_cfg_q[nic_1g_pkg::MAC_CFG_KEEP_FCS_LSB];
  assign cfg_host_fcs_o = mac_cfg_q[nic_1g_pkg::MAC_CFG_HOST_FCS_LSB];
  assign cfg_mac_o = {mac_addr_hi_q, mac_addr_lo_q};
  assign cfg_hash_o = {hash_hi_q, hash_lo_q};

  localparam logic [3:0] LinkChange = nic_1g_pkg::MISC_CAUSE_LINK_CHANGE_MASK[3:0];
  localparam logic [3:0] TxQueueError = nic_1g_pkg::MISC_CAUSE_TX_QUEUE_ERROR_MASK[3:0];
  localparam logic [3:0] RxQueueError = nic_1g_pkg::MISC_CAUSE_RX_QUEUE_ERROR_MASK[3:0];
  localparam logic [3:0] VcOff = nic_1g_pkg::MISC_CAUSE_VC_OFF_MASK[3:0];

  // ---- miscellaneous interrupt: causes rise with events, fall by writing ones ----
  logic [3:0] events;
  logic       cause_write, fire, reset_end, awake;
  assign events = {4{link_up_i != link_q}} & LinkChange | {4{tx_error_i}} & TxQueueError | {4{rx_error_i}} & RxQueueError | {4{vc_off_i}} & VcOff;
  assign cause_write = access_q && write_i && address == nic_1g_pkg::MISC_CAUSE_OFFSET[7:0];
  assign cause_d = (cause_write ? cause_q & ~wdata_i[3:0] : cause_q) | events;

  // ---- registers ----
  // Awake: an access, an event, a message to send, a pulse to end, the end of a soft reset.
  assign fire = armed_q && (cause_q & enable_q) != 4'b0000 && !cause_write;
  assign reset_end = busy_q && !reset_busy_i;
  assign awake = `AWAKE(access_i || access_q || events != 4'b0000 || fire || misc_fire_o || soft_reset_o || stats_clear_o || busy_q != reset_busy_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      scratch_q <= nic_1g_pkg::SCRATCH_RESET;
      ctrl_q <= nic_1g_pkg::CTRL_RESET[2:0];
      enable_q <= nic_1g_pkg::MISC_ENABLE_RESET[3:0];
      mac_cfg_q <= nic_1g_pkg::MAC_CFG_RESET[10:0];
      cfg_max_frame_o <= nic_1g_pkg::MAX_FRAME_RESET[15:0];
      cfg_filter_o <= nic_1g_pkg::RX_FILTER_RESET[5:0];
      mac_addr_lo_q <= nic_1g_pkg::MAC_ADDR_LO_RESET;
      mac_addr_hi_q <= nic_1g_pkg::MAC_ADDR_HI_RESET[15:0];
      hash_lo_q <= nic_1g_pkg::HASH_LO_RESET;
      hash_hi_q <= nic_1g_pkg::HASH_HI_RESET;
      cfg_default_queue_o <= nic_1g_pkg::RX_STEER_RESET[5:0];
      {cfg_rx_no_wait_o, cfg_quantum_o} <= nic_1g_pkg::VC_SCHED_RESET[16:0];
      // the link counts as down: a link that is up afterwards is a change
      cause_q <= 4'b0000;
      armed_q <= 1'b1;
      link_q <= 1'b0;
      {misc_fire_o, soft_reset_o, stats_clear_o, busy_q} <= 4'b0000;
      access_q <= 1'b0;
      word_q <= 6'd0;
    end else if (awake) begin
      access_q <= access_i;
      if (access_i) word_q <= word_i;
      busy_q <= reset_busy_i;
      link_q <= link_up_i;
      cause_q <= cause_d;
      misc_fire_o <= fire;
      if (fire || cause_write) armed_q <= cause_write;
      // orders: one pulse per write of a one
      soft_reset_o <= access_q && write_i && address == nic_1g_pkg::CTRL_OFFSET[7:0]
          && wdata_i[nic_1g_pkg::CTRL_SOFT_RESET_LSB] && !reset_busy_i;
      stats_clear_o <= access_q && write_i && address == nic_1g_pkg::STATS_CTRL_OFFSET[7:0]
          && wdata_i[nic_1g_pkg::STATS_CTRL_CLEAR_LSB];
      if (access_q && write_i) begin
        case (address)
          nic_1g_pkg::SCRATCH_OFFSET[7:0]:     scratch_q <= wdata_i;
          nic_1g_pkg::CTRL_OFFSET[7:0]:        ctrl_q <= wdata_i[2:0];
          nic_1g_pkg::MISC_ENABLE_OFFSET[7:0]: enable_q <= wdata_i[3:0];
          nic_1g_pkg::MAC_CFG_OFFSET[7:0]:     mac_cfg_q <= wdata_i[10:0];
          nic_1g_pkg::MAX_FRAME_OFFSET[7:0]:   cfg_max_frame_o <= wdata_i[15:0];
          nic_1g_pkg::RX_FILTER_OFFSET[7:0]:   cfg_filter_o <= wdata_i[5:0];
          nic_1g_pkg::MAC_ADDR_LO_OFFSET[7:0]: mac_addr_lo_q <= wdata_i;
          nic_1g_pkg::MAC_ADDR_HI_OFFSET[7:0]: mac_addr_hi_q <= wdata_i[15:0];
          nic_1g_pkg::HASH_LO_OFFSET[7:0]:     hash_lo_q <= wdata_i;
          nic_1g_pkg::HASH_HI_OFFSET[7:0]:     hash_hi_q <= wdata_i;
          nic_1g_pkg::RX_STEER_OFFSET[7:0]:    cfg_default_queue_o <= wdata_i[5:0];
          nic_1g_pkg::VC_SCHED_OFFSET[7:0]:    {cfg_rx_no_wait_o, cfg_quantum_o} <= wdata_i[16:0];
          default: ;
        endcase
      end
      if (reset_end) begin  // all but SCRATCH
        ctrl_q <= nic_1g_pkg::CTRL_RESET[2:0];
        enable_q <= nic_1g_pkg::MISC_ENABLE_RESET[3:0];
        mac_cfg_q <= nic_1g_pkg::MAC_CFG_RESET[10:0];
        cfg_max_frame_o <= nic_1g_pkg::MAX_FRAME_RESET[15:0];
        cfg_filter_o <= nic_1g_pkg::RX_FILTER_RESET[5:0];
        mac_addr_lo_q <= nic_1g_pkg::MAC_ADDR_LO_RESET;
        mac_addr_hi_q <= nic_1g_pkg::MAC_ADDR_HI_RESET[15:0];
        hash_lo_q <= nic_1g_pkg::HASH_LO_RESET;
        hash_hi_q <= nic_1g_pkg::HASH_HI_RESET;
        cfg_default_queue_o <= nic_1g_pkg::RX_STEER_RESET[5:0];
        {cfg_rx_no_wait_o, cfg_quantum_o} <= nic_1g_pkg::VC_SCHED_RESET[16:0];
        // the link counts as down: a link that is up afterwards is a change
        cause_q <= 4'b0000;
        armed_q <= 1'b1;
        link_q <= 1'b0;
      end
    end
  end

  // ---- read back ----
  logic fixed_known_q, state_known_q;

  assign rdata_o = fixed_q | state_q;
  assign known_o = fixed_known_q || state_known_q;

  always_ff @(posedge clk_i) begin
    if (access_q) begin
      fixed_known_q <= 1'b1;
      case (address)
        nic_1g_pkg::ID_OFFSET[7:0]:            fixed_q <= nic_1g_pkg::ID_RESET;
        nic_1g_pkg::VERSION_OFFSET[7:0]:       fixed_q <= nic_1g_pkg::VERSION_RESET;
        nic_1g_pkg::CAPS0_OFFSET[7:0]:         fixed_q <= Caps0;
        nic_1g_pkg::FEATURES_OFFSET[7:0]:      fixed_q <= Features;
        nic_1g_pkg::SYS_CLK_PS_OFFSET[7:0]:    fixed_q <= 32'(SysClkPs);
        nic_1g_pkg::MAC_CLK_PS_OFFSET[7:0]:    fixed_q <= nic_1g_pkg::MAC_CLK_PS_RESET;
        nic_1g_pkg::TX_PAGE_BASE_OFFSET[7:0]:  fixed_q <= nic_1g_pkg::TX_PAGE_BASE_RESET;
        nic_1g_pkg::PAGE_STRIDE_OFFSET[7:0]:   fixed_q <= nic_1g_pkg::PAGE_STRIDE_RESET;
        nic_1g_pkg::RX_PAGE_BASE_OFFSET[7:0]:  fixed_q <= nic_1g_pkg::RX_PAGE_BASE_RESET;
        nic_1g_pkg::DOORBELL_BASE_OFFSET[7:0]: fixed_q <= nic_1g_pkg::DOORBELL_BASE_RESET;
        nic_1g_pkg::TX_BUF_BYTES_OFFSET[7:0]:  fixed_q <= 32'(TxBufBytes);
        nic_1g_pkg::RX_BUF_BYTES_OFFSET[7:0]:  fixed_q <= 32'(RxBufBytes);
        nic_1g_pkg::CAPS1_OFFSET[7:0]:         fixed_q <= Caps1;
        nic_1g_pkg::CACHE_DEPTH_OFFSET[7:0]:   fixed_q <= 32'(CacheDepth);
        nic_1g_pkg::QUEUES_OFFSET[7:0]:        fixed_q <= Queues;
        nic_1g_pkg::DOORBELL_GROUP_OFFSET[7:0]: fixed_q <= nic_1g_pkg::DOORBELL_GROUP_RESET;
        nic_1g_pkg::NUM_VCS_OFFSET[7:0]:       fixed_q <= 32'(NumVcs);
        nic_1g_pkg::VC_PAGE_BASE_OFFSET[7:0]:  fixed_q <= nic_1g_pkg::VC_PAGE_BASE_RESET;
        nic_1g_pkg::VC_PAGE_STRIDE_OFFSET[7:0]: fixed_q <= nic_1g_pkg::VC_PAGE_STRIDE_RESET;
        default: begin
          fixed_q <= 32'h0;
          fixed_known_q <= 1'b0;
        end
      endcase
      state_known_q <= 1'b1;
      case (address)
        nic_1g_pkg::SCRATCH_OFFSET[7:0]:       state_q <= scratch_q;
        nic_1g_pkg::CTRL_OFFSET[7:0]:          state_q <= 32'(ctrl_q) | 32'(reset_busy_i || soft_reset_o) << nic_1g_pkg::CTRL_SOFT_RESET_LSB;
        nic_1g_pkg::STATUS_OFFSET[7:0]:
          state_q <= 32'(link_up_i) << nic_1g_pkg::STATUS_LINK_UP_LSB
              | 32'(reset_busy_i || soft_reset_o) << nic_1g_pkg::STATUS_RESET_BUSY_LSB
              | 32'(dma_idle_i) << nic_1g_pkg::STATUS_DMA_IDLE_LSB
              | 32'(tx_clk_alive_i) << nic_1g_pkg::STATUS_TX_CLK_ALIVE_LSB
              | 32'(rx_clk_alive_i) << nic_1g_pkg::STATUS_RX_CLK_ALIVE_LSB;
        nic_1g_pkg::MISC_CAUSE_OFFSET[7:0]:    state_q <= 32'(cause_q);
        nic_1g_pkg::MISC_ENABLE_OFFSET[7:0]:   state_q <= 32'(enable_q);
        nic_1g_pkg::MAC_CFG_OFFSET[7:0]:       state_q <= 32'(mac_cfg_q);
        nic_1g_pkg::MAX_FRAME_OFFSET[7:0]:     state_q <= 32'(cfg_max_frame_o);
        nic_1g_pkg::RX_FILTER_OFFSET[7:0]:     state_q <= 32'(cfg_filter_o);
        nic_1g_pkg::MAC_ADDR_LO_OFFSET[7:0]:   state_q <= mac_addr_lo_q;
        nic_1g_pkg::MAC_ADDR_HI_OFFSET[7:0]:   state_q <= 32'(mac_addr_hi_q);
        nic_1g_pkg::HASH_LO_OFFSET[7:0]:       state_q <= hash_lo_q;
        nic_1g_pkg::HASH_HI_OFFSET[7:0]:       state_q <= hash_hi_q;
        nic_1g_pkg::RX_STEER_OFFSET[7:0]:      state_q <= 32'(cfg_default_queue_o);
        nic_1g_pkg::VC_SCHED_OFFSET[7:0]:      state_q <= 32'({cfg_rx_no_wait_o, cfg_quantum_o});
        nic_1g_pkg::STATS_CTRL_OFFSET[7:0]:    state_q <= 32'(stats_busy_i || stats_clear_o);
        default: begin
          state_q <= 32'h0;
          state_known_q <= 1'b0;
        end
      endcase
    end
  end

endmodule

`default_nettype wire
