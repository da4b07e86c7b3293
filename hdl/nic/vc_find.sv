// SPDX-License-Identifier: Apache-2.0
// The active VCs, found by VLAN id or by queue: RAMs from vid, TX queue and RX queue to a candidate VC, and one from a VC to what it really
// has. A candidate counts only when it is in use and has the key, so none of them is ever cleared. Three users ask: received frames, which
// are answered first; orders; counters. One question per cycle is taken, its answer comes 2 cycles later.
`default_nettype none
`include "check.svh"

module vc_find #(
    parameter int NumTxQueues = 4,
    parameter int NumRxQueues = 4,
    parameter int VcBits      = 6
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // vc_table
    input  wire logic [(1<<VcBits)-1:0] active_i,
    input  wire logic [(1<<VcBits)-1:0] used_i,       // active or draining
    input  wire logic                   put_valid_i,  // pulse: what a VC has from now on
    input  wire logic [     VcBits-1:0] put_vc_i,
    input  wire logic [           35:0] put_data_i,   // {vid, TX queue used, TX queue, RX queue used, RX queue}
    // rx_classify
    input  wire logic                   look_valid_i, // pulse
    input  wire logic [           11:0] look_vid_i,
    output      logic                   look_done_o,  // pulse
    // vc_table: orders
    input  wire logic                   ord_valid_i,  // held until ready
    input  wire logic [            1:0] ord_kind_i,   // 0 by vid, 1 by TX queue, 2 by RX queue
    input  wire logic [           11:0] ord_key_i,
    output      logic                   ord_ready_o,
    output      logic                   ord_done_o,   // pulse
    // vc_count
    input  wire logic                   cnt_valid_i,  // held until ready
    input  wire logic                   cnt_rx_i,
    input  wire logic [           10:0] cnt_queue_i,
    output      logic                   cnt_ready_o,
    output      logic                   cnt_done_o,   // pulse
    // the answer, with *_done_o
    output      logic                   hit_o,        // by vid: active; received frames: and it receives; by queue: in use
    output      logic [     VcBits-1:0] vc_o,
    output      logic [           35:0] data_o
);

  localparam int TxBits = NumTxQueues > 1 ? $clog2(NumTxQueues) : 1;
  localparam int RxBits = NumRxQueues > 1 ? $clog2(NumRxQueues) : 1;
  localparam logic [1:0] ByVid = 2'd0, ByTx = 2'd1, ByRx = 2'd2;

  logic [VcBits-1:0] vid_mem [4096];
  logic [VcBits-1:0] tx_mem [1 << TxBits];
  logic [VcBits-1:0] rx_mem [1 << RxBits];
  logic [35:0] has_mem [1 << VcBits];

  // ---- questions: kind and key, through both RAM stages ----
  logic [2:0] from, from1_q, from2_q; // one-hot: counters, orders, received frames
  logic [1:0] kind, kind1_q, kind2_q;
  logic [11:0] key, key1_q, key2_q, vid;
  logic [VcBits-1:0] by_vid_q, by_tx_q, by_rx_q, vc1, vc2_q;
  logic [35:0] has_q;
  logic has_tx, has_rx;
  logic [10:0] tx_queue, rx_queue;

  assign from = look_valid_i ? 3'b001 : ord_valid_i ? 3'b010 : cnt_valid_i ? 3'b100 : 3'b000;
  assign ord_ready_o = from[1];
  assign cnt_ready_o = from[2];
  assign kind = from[0] ? ByVid : from[1] ? ord_kind_i : cnt_rx_i ? ByRx : ByTx;
  assign key = from[0] ? look_vid_i : from[1] ? ord_key_i : {1'b0, cnt_queue_i};
  assign vc1 = kind1_q == ByVid ? by_vid_q : kind1_q == ByTx ? by_tx_q : by_rx_q;

  // ---- the answer ----
  assign {vid, has_tx, tx_queue, has_rx, rx_queue} = has_q;
  assign vc_o = vc2_q;
  assign data_o = has_q;
  assign {cnt_done_o, ord_done_o, look_done_o} = from2_q;

  always_comb begin
    case (kind2_q)
      ByVid: hit_o = active_i[vc2_q] && vid == key2_q && (has_rx || !from2_q[0]);
      ByTx: hit_o = used_i[vc2_q] && has_tx && tx_queue == key2_q[10:0];
      default: hit_o = used_i[vc2_q] && has_rx && rx_queue == key2_q[10:0];
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (`AWAKE(put_valid_i || from != 3'b000 || from1_q != 3'b000)) begin
      if (put_valid_i) begin
        vid_mem[put_data_i[35:24]] <= put_vc_i;
        if (put_data_i[23]) tx_mem[put_data_i[12+:TxBits]] <= put_vc_i;
        if (put_data_i[11]) rx_mem[put_data_i[0+:RxBits]] <= put_vc_i;
        has_mem[put_vc_i] <= put_data_i;
      end
      by_vid_q <= vid_mem[key];
      by_tx_q <= tx_mem[key[TxBits-1:0]];
      by_rx_q <= rx_mem[key[RxBits-1:0]];
      has_q <= has_mem[vc1];
    end
  end

`ifndef SYNTHESIS
  initial begin // any contents do; a simulator must not see X
    for (int i = 0; i < 4096; i++) vid_mem[i] = '0;
    for (int i = 0; i < 1 << TxBits; i++) tx_mem[i] = '0;
    for (int i = 0; i < 1 << RxBits; i++) rx_mem[i] = '0;
    for (int i = 0; i < 1 << VcBits; i++) has_mem[i] = '0;
  end
`endif

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      {from1_q, from2_q, kind1_q, kind2_q, key1_q, key2_q} <= '0;
      vc2_q <= '0;
    end else if (`AWAKE(from != 3'b000 || from1_q != 3'b000 || from2_q != 3'b000)) begin
      from1_q <= from;
      kind1_q <= kind;
      key1_q <= key;
      from2_q <= from1_q;
      kind2_q <= kind1_q;
      key2_q <= key1_q;
      vc2_q <= vc1;
    end
  end

endmodule

`default_nettype wire
