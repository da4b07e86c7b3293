// SPDX-License-Identifier: Apache-2.0
// One pulse of src_clk_i becomes one pulse of dst_clk_i, 3 (sometimes 4) edges later. Pulses must be at least 4 cycles of either
// clock apart; closer ones may merge or vanish.
`default_nettype none

module cdc_pulse (
    input  wire logic src_clk_i,
    input  wire logic src_rst_ni,
    input  wire logic src_pulse_i,
    input  wire logic dst_clk_i,
    input  wire logic dst_rst_ni,
    output      logic dst_pulse_o
);

  logic toggle_q, toggle_at_dst, seen_q;

  always_ff @(posedge src_clk_i or negedge src_rst_ni) begin
    if (!src_rst_ni) toggle_q <= 1'b0;
    else if (src_pulse_i) toggle_q <= !toggle_q;
  end

  cdc_sync u_sync (.clk_i(dst_clk_i), .rst_ni(dst_rst_ni), .d_i(toggle_q), .q_o(toggle_at_dst));

  always_ff @(posedge dst_clk_i or negedge dst_rst_ni) begin
    if (!dst_rst_ni) seen_q <= 1'b0;
    else if (seen_q != toggle_at_dst) seen_q <= toggle_at_dst;
  end

  assign dst_pulse_o = seen_q != toggle_at_dst;

endmodule

`default_nettype wire
