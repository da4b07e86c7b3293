// SPDX-License-Identifier: Apache-2.0
// Tells clk_i's domain whether watched_clk_i is running. At each tick_i (one every 32 cycles, shared by all watchers) it asks
// through the watched clock and back; alive_o says whether the answer to the last question came before the next tick. So it falls 32
// to 64 cycles after the watched clock stopped, and rises within 64 cycles of its return.
`default_nettype none

module cdc_alive (
    input  wire logic watched_clk_i,
    input  wire logic watched_rst_ni,
    input  wire logic clk_i,
    input  wire logic rst_ni,
    input  wire logic tick_i,
    output      logic alive_o
);

  logic ask_q, ask_at_watched, answer, alive_q;

  cdc_sync u_ask (.clk_i(watched_clk_i), .rst_ni(watched_rst_ni), .d_i(ask_q), .q_o(ask_at_watched));
  cdc_sync u_answer (.clk_i, .rst_ni, .d_i(ask_at_watched), .q_o(answer));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ask_q <= 1'b0;
      alive_q <= 1'b0;
    end else if (tick_i) begin
      alive_q <= answer == ask_q;
      ask_q <= answer == ask_q ? !ask_q : ask_q;
    end
  end

  assign alive_o = alive_q;

endmodule

`default_nettype wire
