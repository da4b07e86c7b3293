// SPDX-License-Identifier: Apache-2.0
// Carries out what software orders of virtual connections (docs/nic.md sections 11.2, 11.3). An activation reads the draft, checks it, asks
// who has the queues and the vid, hands the contract to tx_sched, and only then is the VC active; 30 to 60 cycles. A deactivation takes effect
// at once, and the VC drains, together with all that drain then: a barrier behind the last transmit frame, a mark behind the last stored
// received frame.
`default_nettype none
`include "check.svh"

module vc_orders #(
    parameter int NumTxQueues = 4,
    parameter int NumRxQueues = 4,
    parameter int VcBits      = 6
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    output      logic [(1<<VcBits)-1:0] active_o,
    output      logic [(1<<VcBits)-1:0] draining_o,
    // queue_ctrl
    input  wire logic [NumTxQueues-1:0] tx_enabled_i,
    input  wire logic [NumRxQueues-1:0] rx_enabled_i,
    input  wire logic                   stop_all_i,    // level, soft reset: every VC drains, orders are ignored
    output      logic                   ending_any_o,  // some VC drains
    output      logic                   quiet_o,       // every VC is off, no order is under way
    output      logic                   off_o,         // pulse: a VC is off
    // vc_pages
    input  wire logic                   order_valid_i, // held until ready
    input  wire logic                   order_on_i,
    input  wire logic [     VcBits-1:0] order_vc_i,
    output      logic                   order_ready_o,
    output      logic                   cause_valid_o,
    output      logic [            7:0] cause_o,
    output      logic [            3:0] word_o,
    input  wire logic [           31:0] word_i,        // the cycle after
    // vc_find
    output      logic                   find_valid_o,
    output      logic [            1:0] find_kind_o,
    output      logic [           11:0] find_key_o,
    input  wire logic                   find_ready_i,
    input  wire logic                   find_done_i,
    input  wire logic                   find_hit_i,
    input  wire logic [     VcBits-1:0] find_vc_i,
    input  wire logic [           35:0] find_data_i,
    output      logic                   put_valid_o,
    output      logic [           35:0] put_data_o,
    // tx_sched, vc_count
    output      logic                   set_valid_o,   // held until ready
    input  wire logic                   set_ready_i,
    output      logic [   VcBits+173:0] set_data_o,
    output      logic                   zero_valid_o,  // held until ready
    input  wire logic                   zero_ready_i,
    // drain: tx_frame, rx_path (valid held until ready; done is a pulse)
    output      logic                   barrier_valid_o,
    input  wire logic                   barrier_ready_i,
    input  wire logic                   barrier_done_i,
    output      logic                   mark_valid_o,
    input  wire logic                   mark_ready_i,
    input  wire logic                   mark_done_i,
    output      logic                   hurry_o        // the mark has waited for long
);

  localparam int Vcs = 1 << VcBits;
  localparam int TxBits = NumTxQueues > 1 ? $clog2(NumTxQueues) : 1;
  localparam int RxBits = NumRxQueues > 1 ? $clog2(NumRxQueues) : 1;
  localparam logic [3:0] FirstWord = nic_1g_pkg::VC_VLAN_OFFSET[5:2], Words = 4'd9;
  localparam logic [11:0] Patience = 12'd4095, CountCycles = 12'd255;
  localparam logic [1:0] ByVid = 2'd0, ByTx = 2'd1, ByRx = 2'd2;

  typedef enum logic [2:0] {
    StIdle,
    StLoad,  // the draft's words come in
    StCheck, // what the draft says by itself
    StFind,  // asks who has the vid or a queue
    StFound,
    StSet,   // tx_sched takes the contract, vc_count zeroes
    StDone   // the register access is answered
  } state_e;

  // ---- the order ----
  state_e state_q;
  logic [3:0] count_q;
  logic [287:0] draft_q; // the nine words, VLAN lowest
  logic [7:0] cause_q;
  logic [1:0] kind_q;
  logic is_active, is_draining, fresh_vc_q, set_done_q, zero_done_q, applies, refuses_tx, refuses_rx, done_set, same;
  logic [31:0] vlan, tx, rx, frame, interval, burst, peak_interval, peak_burst, share;
  logic [Vcs-1:0] active_q, draining_q;
  logic bad, unused;

  assign {share, peak_burst, peak_interval, burst, interval, frame, rx, tx, vlan} = draft_q;
  assign is_active = active_q[order_vc_i];
  assign is_draining = draining_q[order_vc_i];

  function automatic logic shallow(input logic [31:0] rate, input logic [23:0] depth, input logic [15:0] longest);
    shallow = rate != 32'd0 && depth < {8'd0, longest};
  endfunction

  assign bad = vlan[11:0] == 12'd0 || vlan[11:0] == 12'hfff || frame[15:0] < 16'(nic_1g_pkg::SMALLEST_VC_FRAME) ||
               shallow(interval, burst[23:0], frame[15:0]) || shallow(peak_interval, peak_burst[23:0], frame[15:0]) ||
               (tx[31] && 32'(tx[10:0]) >= NumTxQueues) || (rx[31] && 32'(rx[10:0]) >= NumRxQueues);
  assign refuses_tx = tx[31] && !tx_enabled_i[tx[TxBits-1:0]];
  assign refuses_rx = rx[31] && !rx_enabled_i[rx[RxBits-1:0]];
  // a page that is applied names what the VC has
  assign put_data_o = {vlan[11:0], tx[31], tx[10:0], rx[31], rx[10:0]};
  assign same = find_hit_i && find_vc_i == order_vc_i && find_data_i == put_data_o;
  assign applies = state_q == StFound && find_done_i && kind_q == ByVid && (fresh_vc_q ? !find_hit_i : same);

  assign order_ready_o = state_q == StDone;
  assign cause_valid_o = state_q == StDone && order_on_i && !is_draining && !stop_all_i;
  assign cause_o = cause_q;
  assign word_o = FirstWord + count_q;
  assign find_valid_o = state_q == StFind;
  assign find_kind_o = kind_q;
  assign find_key_o = kind_q == ByVid ? vlan[11:0] : {1'b0, kind_q == ByTx ? tx[10:0] : rx[10:0]};
  assign set_valid_o = state_q == StSet && !set_done_q;
  assign zero_valid_o = state_q == StSet && !zero_done_q;
  assign set_data_o = {fresh_vc_q, tx[31], order_vc_i, tx[10:0], vlan[15:0], frame[15:0], interval, burst[23:0], peak_interval,
                       peak_burst[23:0], share[15:0], share[31]};
  assign done_set = state_q == StSet && (set_done_q || set_ready_i) && (zero_done_q || zero_ready_i);
  assign put_valid_o = done_set && fresh_vc_q;

  // ---- the drain ----
  typedef enum logic [2:0] {
    DrIdle,
    DrBarrier,     // the barrier waits to go in behind the last transmit frame
    DrSent,        // it is under way
    DrMark,        // the mark waits to go in behind the last stored frame
    DrReceived,    // it is under way
    DrCount        // lets vc_count finish what it has heard of
  } drain_e;

  drain_e drain_q;
  logic leaves, stops;
  logic [11:0] patience_q;
  logic [Vcs-1:0] leaving_q; // those that the barrier and the mark are for

  assign stops = state_q == StDone && !order_on_i && is_active;
  assign unused = &{1'b0, vlan[31:16], tx[30:11], rx[30:11], frame[31:16], burst[31:24], peak_burst[31:24], share[30:16]};
  assign barrier_valid_o = drain_q == DrBarrier;
  assign mark_valid_o = drain_q == DrMark;
  assign leaves = drain_q == DrCount && patience_q == CountCycles;
  assign hurry_o = drain_q == DrReceived && patience_q == Patience;
  assign ending_any_o = draining_q != '0;
  assign quiet_o = active_q == '0 && draining_q == '0 && state_q == StIdle;
  assign active_o = active_q;
  assign draining_o = draining_q;

  // ---- registers ----
  logic awake;

  assign awake = `AWAKE(order_valid_i || state_q != StIdle || drain_q != DrIdle || ending_any_o || stop_all_i || off_o);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      {count_q, draft_q, cause_q, kind_q, fresh_vc_q, set_done_q, zero_done_q} <= '0;
      active_q <= '0;
      draining_q <= '0;
      drain_q <= DrIdle;
      {patience_q, leaving_q, off_o} <= '0;
    end else if (awake) begin
      case (state_q)
        StIdle: begin
          count_q <= 4'd0;
          cause_q <= nic_1g_pkg::CAUSE_NONE;
          fresh_vc_q <= !is_active;
          set_done_q <= 1'b0;
          zero_done_q <= is_active;
          if (order_valid_i && (!order_on_i || is_draining || stop_all_i)) state_q <= StDone;
          else if (order_valid_i) state_q <= StLoad;
        end
        StLoad: begin
          count_q <= count_q + 4'd1;
          if (count_q != 4'd0) draft_q <= {word_i, draft_q[287:32]};
          if (count_q == Words) state_q <= StCheck;
        end
        StCheck: begin
          kind_q <= !fresh_vc_q ? ByVid : tx[31] ? ByTx : rx[31] ? ByRx : ByVid;
          state_q <= StFind;
          if (bad) begin
            cause_q <= nic_1g_pkg::CAUSE_BAD_CONFIG;
            state_q <= StDone;
          end else if (fresh_vc_q && (refuses_tx || refuses_rx)) begin
            cause_q <= nic_1g_pkg::CAUSE_QUEUE_TAKEN;
            state_q <= StDone;
          end
        end
        StFind: if (find_ready_i) state_q <= StFound;
        StFound:
        if (find_done_i) begin
          kind_q <= kind_q == ByTx && rx[31] ? ByRx : ByVid;
          state_q <= StFind;
          if (applies) begin
            state_q <= StSet;
          end else if (kind_q == ByVid || find_hit_i) begin
            cause_q <= !fresh_vc_q ? nic_1g_pkg::CAUSE_BAD_CONFIG :
                       kind_q == ByVid ? nic_1g_pkg::CAUSE_VID_TAKEN : nic_1g_pkg::CAUSE_QUEUE_TAKEN;
            state_q <= StDone;
          end
        end
        StSet: begin
          if (set_ready_i) set_done_q <= 1'b1;
          if (zero_ready_i) zero_done_q <= 1'b1;
          if (done_set) begin
            active_q[order_vc_i] <= 1'b1;
            state_q <= StDone;
          end
        end
        default: begin // StDone
          state_q <= StIdle;
          if (stops) active_q[order_vc_i] <= 1'b0;
        end
      endcase
      // draining
      if (stop_all_i && state_q == StIdle) active_q <= '0;
      draining_q <= (leaves ? draining_q & ~leaving_q : draining_q) | (stop_all_i && state_q == StIdle ? active_q : '0)
          | (stops ? Vcs'(1) << order_vc_i : '0);
      off_o <= leaves;
      patience_q <= drain_q != DrReceived && drain_q != DrCount || mark_done_i ? 12'd0 : hurry_o ? patience_q : patience_q + 12'd1;
      case (drain_q)
        DrIdle: if (ending_any_o) begin
          leaving_q <= draining_q;
          drain_q <= DrBarrier;
        end
        DrBarrier: if (barrier_ready_i) drain_q <= DrSent;
        DrSent: if (barrier_done_i) drain_q <= DrMark;
        DrMark: if (mark_ready_i) drain_q <= DrReceived;
        DrReceived: if (mark_done_i) drain_q <= DrCount;
        default: // DrCount
        if (leaves) drain_q <= DrIdle;
      endcase
    end
  end

endmodule

`default_nettype wire
