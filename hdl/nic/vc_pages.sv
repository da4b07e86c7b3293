// SPDX-License-Identifier: Apache-2.0
// The pages of the virtual connections on the register bus: drafts in RAM, CTRL and STATUS, and the way to the counters. A page that was not
// written since reset reads as zero, and its first write zeroes its words. A write of CTRL becomes an order, and is answered when vc_table
// has carried it out. An access takes 4 cycles, the first write of a page 16 more.
`default_nettype none
`include "check.svh"

module vc_pages #(
    parameter int VcBits = 6
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // csr
    input  wire logic                   valid_i,       // held until ready
    input  wire logic                   write_i,
    input  wire logic [           17:0] addr_i,
    input  wire logic [           31:0] wdata_i,
    output      logic                   ready_o,       // one cycle
    output      logic [           31:0] rdata_o,
    output      logic                   err_o,
    input  wire logic                   forget_i,      // pulse: every page back to its reset value
    // vc_table
    input  wire logic [(1<<VcBits)-1:0] active_i,
    input  wire logic [(1<<VcBits)-1:0] draining_i,
    output      logic                   order_valid_o, // held until ready
    output      logic                   order_on_o,
    output      logic [     VcBits-1:0] order_vc_o,
    input  wire logic                   order_ready_i,
    input  wire logic                   cause_valid_i, // with order_ready_i: what STATUS tells from now on
    input  wire logic [            7:0] cause_i,
    input  wire logic [            3:0] word_i,        // of order_vc_o's draft
    output      logic [           31:0] word_o,        // the cycle after
    // vc_count
    output      logic                   count_valid_o, // held until ready
    output      logic [            2:0] count_index_o,
    output      logic                   count_high_o,
    input  wire logic                   count_ready_i,
    input  wire logic [           31:0] count_data_i
);

  localparam logic [3:0] Ctrl = nic_1g_pkg::VC_CTRL_OFFSET[5:2], Status = nic_1g_pkg::VC_STATUS_OFFSET[5:2],
      Share = nic_1g_pkg::VC_SHARE_OFFSET[5:2];

  typedef enum logic [2:0] {
    StIdle,
    StZero,  // a page that is written for the first time
    StWrite,
    StRead,  // the word comes out of the RAM
    StOrder, // vc_table carries out what CTRL says
    StCount, // vc_count reads a counter
    StAck
  } state_e;

  state_e state_q;
  logic [31:0] mem [16 << VcBits];
  logic [31:0] word_q, masked;
  logic [(1<<VcBits)-1:0] fresh_q;
  logic [VcBits-1:0] vc;
  logic [3:0] word, zero_q;
  logic is_page, is_counter, fresh, put, unused;

  assign vc = addr_i[7+:VcBits];
  assign word = addr_i[5:2];
  assign is_page = (addr_i[17:7] >> VcBits) == '0 && !addr_i[6] && word <= Share;
  assign is_counter = (addr_i[17:7] >> VcBits) == '0 && addr_i[6] && 32'(addr_i[5:3]) < nic_1g_pkg::VC_COUNTERS;
  assign fresh = fresh_q[vc];
  assign unused = &{1'b0, addr_i[1:0]};

  always_comb begin
    case ({word, 2'b00})
      nic_1g_pkg::VC_VLAN_OFFSET[5:0]: masked = wdata_i & nic_1g_pkg::VC_VLAN_WRITE_MASK;
      nic_1g_pkg::VC_TX_QUEUE_OFFSET[5:0]: masked = wdata_i & nic_1g_pkg::VC_TX_QUEUE_WRITE_MASK;
      nic_1g_pkg::VC_RX_QUEUE_OFFSET[5:0]: masked = wdata_i & nic_1g_pkg::VC_RX_QUEUE_WRITE_MASK;
      nic_1g_pkg::VC_MAX_FRAME_OFFSET[5:0]: masked = wdata_i & nic_1g_pkg::VC_MAX_FRAME_WRITE_MASK;
      nic_1g_pkg::VC_BURST_OFFSET[5:0], nic_1g_pkg::VC_PEAK_BURST_OFFSET[5:0]: masked = wdata_i & nic_1g_pkg::VC_BURST_WRITE_MASK;
      nic_1g_pkg::VC_SHARE_OFFSET[5:0]: masked = wdata_i & nic_1g_pkg::VC_SHARE_WRITE_MASK;
      default: masked = wdata_i;
    endcase
  end

  // ---- to the others ----
  assign order_valid_o = state_q == StOrder;
  assign order_on_o = wdata_i[nic_1g_pkg::VC_CTRL_ENABLE_LSB];
  assign order_vc_o = vc;
  assign count_valid_o = state_q == StCount;
  assign count_index_o = addr_i[5:3];
  assign count_high_o = addr_i[2];
  assign ready_o = state_q == StAck;
  assign word_o = word_q;

  // ---- drafts: the cause of the last refusal lies in the place of STATUS ----
  assign put = state_q == StZero || (state_q == StWrite && word > Status) || (order_valid_o && cause_valid_i);

  always_ff @(posedge clk_i) begin
    if (`AWAKE(state_q != StIdle || valid_i)) begin
      if (put) mem[{vc, state_q == StZero ? zero_q : state_q == StOrder ? Status : word}] <=
          state_q == StZero ? 32'd0 : state_q == StOrder ? {24'd0, cause_i} : masked;
      word_q <= mem[{vc, state_q == StOrder ? word_i : word}];
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      fresh_q <= '1;
      zero_q <= 4'd0;
      {rdata_o, err_o} <= 33'd0;
    end else if (`AWAKE(state_q != StIdle || valid_i || forget_i)) begin
      case (state_q)
        StIdle:
        if (valid_i) begin
          err_o <= !is_page && !is_counter;
          rdata_o <= 32'd0;
          if (is_counter && !write_i && !fresh) state_q <= StCount;
          else if (!is_page) state_q <= StAck;
          else if (!write_i) state_q <= StRead;
          else state_q <= fresh ? StZero : StWrite;
        end
        StZero: begin
          zero_q <= zero_q + 4'd1;
          if (zero_q == 4'd15) begin
            fresh_q[vc] <= 1'b0;
            state_q <= StWrite;
          end
        end
        StWrite: state_q <= word == Ctrl ? StOrder : StAck;
        StOrder: if (order_ready_i) state_q <= StAck;
        StRead: begin
          state_q <= StAck;
          if (word == Ctrl) rdata_o <= 32'(active_i[vc]) << nic_1g_pkg::VC_CTRL_ENABLE_LSB;
          else if (word == Status)
            rdata_o <= (fresh ? 32'd0 : word_q << nic_1g_pkg::VC_STATUS_CAUSE_LSB) |
                       {30'd0, active_i[vc] ? nic_1g_pkg::VC_STATE_ACTIVE : draining_i[vc] ? nic_1g_pkg::VC_STATE_DRAINING : nic_1g_pkg::VC_STATE_OFF};
          else rdata_o <= fresh ? 32'd0 : word_q;
        end
        StCount:
        if (count_ready_i) begin
          state_q <= StAck;
          rdata_o <= count_data_i;
        end
        default: state_q <= StIdle;
      endcase
      if (forget_i) fresh_q <= '1;
    end
  end

endmodule

`default_nettype wire
