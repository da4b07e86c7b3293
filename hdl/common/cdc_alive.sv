// SPDX-License-Identifier: Apache-2.0
// Tells clk_i's domain whether watched_clk_i is running: alive_o falls when 64 cycles of clk_i pass without a sign of life (one
// comes every 8 cycles of the watched clock) and rises with the next one. The watched clock may stop and start at any time.
`default_nettype none

module cdc_alive (
    input  wire logic watched_clk_i,
    input  wire logic watched_rst_ni,
    input  wire logic clk_i,
    input  wire logic rst_ni,
    output      logic alive_o
);

  logic [3:0] beat_q;
  logic beat_at_clk, seen_q, alive_q;
  logic [5:0] silence_q;

  always_ff @(posedge watched_clk_i or negedge watched_rst_ni) begin
    if (!watched_rst_ni) beat_q <= 4'd0;
    else beat_q <= beat_q + 4'd1;
  end

  cdc_sync u_beat (.clk_i, .rst_ni, .d_i(beat_q[3]), .q_o(beat_at_clk));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      seen_q <= 1'b0;
      alive_q <= 1'b0;
      silence_q <= 6'd0;
    end else if (seen_q != beat_at_clk) begin
      seen_q <= beat_at_clk;
      alive_q <= 1'b1;
      silence_q <= 6'd0;
    end else if (alive_q) begin
      if (silence_q == '1) alive_q <= 1'b0;
      silence_q <= silence_q + 6'd1;
    end
  end

  assign alive_o = alive_q;

endmodule

`default_nettype wire
