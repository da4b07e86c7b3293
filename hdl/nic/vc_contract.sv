// SPDX-License-Identifier: Apache-2.0
// When a VC may send: its two token buckets (vc_shaper) and the clock of the line, as one. An order takes 5 cycles, a changed contract 6;
// due_o stands from done_o on: from that cycle both buckets allow a frame. A frame of a VC or of no VC moves the line.
`default_nettype none

module vc_contract #(
    parameter int VcBits   = 6,
    parameter int SysClkPs = 8000
) (
    input  wire logic              clk_i,
    input  wire logic              rst_ni,
    input  wire logic [       7:0] cfg_ifg_i,
    // tx_sched: a frame begins; it is complete (pulses)
    input  wire logic              begin_i,
    input  wire logic              end_i,
    input  wire logic              end_vc_i,    // it is a VC's
    input  wire logic [      16:0] octets_i,    // on the wire
    // tx_sched: a contract (pulse)
    input  wire logic              set_i,
    input  wire logic              set_new_i,   // a full bucket
    input  wire logic [      15:0] frame_i,     // longest
    input  wire logic [      31:0] interval_i,
    input  wire logic [      23:0] burst_i,
    input  wire logic [      31:0] peak_interval_i,
    input  wire logic [      23:0] peak_burst_i,
    // of either
    input  wire logic [VcBits-1:0] vc_i,
    output      logic              done_o,
    output      logic [      55:0] due_o,
    // the line
    output      logic [      55:0] depart_o,    // when a frame that is started now begins there
    output      logic              open_o
);

  logic [71:0] now, depart, when_q, moment;
  logic [55:0] due_rate, due_peak, gap;
  logic [15:0] octets;
  logic [1:0] op, op_q;
  logic go, setting, unused_done, unused;

  assign go = set_i || (end_i && end_vc_i);
  assign op = !set_i ? 2'd0 : set_new_i ? 2'd1 : 2'd2;
  assign setting = set_i || (op_q != 2'd0 && !end_i);
  assign moment = setting ? now : when_q;
  assign octets = setting ? frame_i : octets_i[15:0];
  assign gap = due_rate - due_peak;
  assign unused = &{1'b0, gap};
  assign due_o = gap[55] ? due_peak : due_rate; // the later one
  assign depart_o = depart[71:16];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      when_q <= '0;
      op_q <= 2'd0;
    end else begin
      if (begin_i) when_q <= depart;
      if (go) op_q <= op;
    end
  end

  line_clock #(.SysClkPs(SysClkPs)) u_line (
      .clk_i, .rst_ni, .cfg_ifg_i, .charge_i(end_i), .when_i(when_q), .octets_i, .now_o(now), .depart_o(depart), .open_o
  );

  vc_shaper #(.VcBits(VcBits)) u_rate (
      .clk_i, .rst_ni, .go_i(go), .op_i(go ? op : op_q), .vc_i, .when_i(moment), .octets_i(octets), .interval_i, .burst_i, .done_o, .due_o(due_rate)
  );

  vc_shaper #(.VcBits(VcBits)) u_peak (
      .clk_i, .rst_ni, .go_i(go), .op_i(go ? op : op_q), .vc_i, .when_i(moment), .octets_i(octets), .interval_i(peak_interval_i),
      .burst_i(peak_burst_i), .done_o(unused_done), .due_o(due_peak)
  );

endmodule

`default_nettype wire
