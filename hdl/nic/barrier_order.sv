// SPDX-License-Identifier: Apache-2.0
// Two users of one direction's barriers, each with one barrier under way at most: a barrier that came through belongs to the user whose
// barrier went in first.
`default_nettype none
`include "check.svh"

module barrier_order (
    input  wire logic clk_i,
    input  wire logic rst_ni,
    input  wire logic in0_i,   // pulses: a user's barrier went in
    input  wire logic in1_i,
    input  wire logic done_i,  // pulse: a barrier came through
    output      logic done0_o,
    output      logic done1_o
);

  logic [1:0] inside_q;
  logic first_q; // with both inside: whose went in first

  assign done0_o = done_i && inside_q[0] && !(inside_q[1] && first_q);
  assign done1_o = done_i && !done0_o;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      inside_q <= 2'b00;
      first_q <= 1'b0;
    end else if (`AWAKE(in0_i || in1_i || done_i)) begin
      `CHECK("barrier_expected", !done_i || inside_q != 2'b00)
      `CHECK("barrier_one_each", !(in0_i && (inside_q[0] || in1_i)) && !(in1_i && inside_q[1]))
      inside_q <= (inside_q | {in1_i, in0_i}) & ~{done1_o, done0_o};
      if (in0_i) first_q <= inside_q[1];
      if (in1_i) first_q <= !inside_q[0];
    end
  end

endmodule

`default_nettype wire
